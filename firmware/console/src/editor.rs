use zeroize::{Zeroize, Zeroizing};

use crate::command::is_secret;

/// Room for a line of input.
pub const INPUT_MAX: usize = 1024;

const BACKSPACE: u8 = 0x08;
const DELETE: u8 = 0x7F;

/// What one input byte makes the terminal show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Echo {
    /// Nothing: the byte was ignored.
    Nothing,
    /// This character.
    Character(u8),
    /// The last character disappears: `08 20 08`.
    Erase,
    /// The line is complete: read it by [`Editor::line`].
    Enter,
}

/// Collects a line. It has no `Debug`, since the line may hold a secret, and wipes itself.
pub struct Editor {
    line: Zeroizing<[u8; INPUT_MAX]>,
    length: usize,
}

impl Default for Editor {
    fn default() -> Self {
        Self {
            line: Zeroizing::new([0; INPUT_MAX]),
            length: 0,
        }
    }
}

impl Editor {
    /// Takes one byte from the terminal. Enter is CR; LF and other control characters are ignored,
    /// as is what does not fit.
    pub fn push(&mut self, byte: u8) -> Echo {
        match byte {
            b'\r' => Echo::Enter,
            BACKSPACE | DELETE if self.length > 0 => {
                self.length -= 1;
                self.line[self.length] = 0;
                Echo::Erase
            }
            b' '..=b'~' if self.length < INPUT_MAX => {
                let hidden = is_secret(&self.line[..self.length]);
                self.line[self.length] = byte;
                self.length += 1;
                Echo::Character(if hidden { b'*' } else { byte })
            }
            _ => Echo::Nothing,
        }
    }

    /// The line so far.
    pub fn line(&mut self) -> &mut [u8] {
        &mut self.line[..self.length]
    }

    /// What the terminal shows of the line so far.
    pub fn shown(&self) -> impl Iterator<Item = u8> {
        let line = &self.line[..self.length];
        // Once the start of a line announces a secret, every longer start does.
        let (mut open, mut hidden) = (0, line.len());
        while open < hidden {
            let middle = open.midpoint(hidden);
            match is_secret(&line[..middle]) {
                true => hidden = middle,
                false => open = middle + 1,
            }
        }
        let numbered = line.iter().enumerate();
        numbered.map(move |(at, byte)| if at < open { *byte } else { b'*' })
    }

    /// Wipes the line; a new one begins.
    pub fn clear(&mut self) {
        self.line.zeroize();
        self.length = 0;
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::String;

    use super::*;

    /// Types the input and compares what the terminal shows (`<` for an erased character) and the
    /// line that results.
    fn check(input: &[u8], shown: &str, line: &str) {
        let mut editor = Editor::default();
        let (mut seen, mut left) = (String::new(), String::new());
        for byte in input {
            match editor.push(*byte) {
                Echo::Nothing => {}
                Echo::Character(byte) => {
                    seen.push(char::from(byte));
                    left.push(char::from(byte));
                }
                Echo::Erase => {
                    seen.push('<');
                    left.pop();
                }
                Echo::Enter => seen.push('|'),
            }
        }
        assert_eq!(seen, shown);
        assert_eq!(editor.line(), line.as_bytes());
        assert_eq!(editor.shown().map(char::from).collect::<String>(), left);
        editor.clear();
        assert_eq!(editor.line(), b"");
    }

    #[test]
    fn characters_echo_and_can_be_erased() {
        check(b"help\r", "help|", "help");
        check(b"hx\x08elp\r", "hx<elp|", "help");
        check(b"hx\x7felp\r", "hx<elp|", "help");
        check(b"\x08\x7f\r", "|", "");
    }

    #[test]
    fn line_feeds_and_control_characters_are_ignored() {
        check(b"a\n\x1b\0b\r\n", "ab|", "ab");
        check(b"\xC3\xA9\r", "|", "");
    }

    #[test]
    fn secrets_echo_as_stars_after_the_first_space() {
        check(
            b"set_dps_uds 19e2 x\r",
            "set_dps_uds ******|",
            "set_dps_uds 19e2 x",
        );
        check(
            b"set_dps_scope 0ne\r",
            "set_dps_scope 0ne|",
            "set_dps_scope 0ne",
        );
        check(b"  set_dps_uds 1\r", "  set_dps_uds *|", "  set_dps_uds 1");
        check(
            b"\"set_dps_uds\" 1\r",
            "\"set_dps_uds\" *|",
            "\"set_dps_uds\" 1",
        );
        check(
            b"set_dps_uds x\x08\x08\x08s 1\r",
            "set_dps_uds *<<<s *|",
            "set_dps_uds 1",
        );
    }

    #[test]
    fn what_does_not_fit_is_not_taken() {
        let mut editor = Editor::default();
        for _ in 0..INPUT_MAX {
            assert_eq!(editor.push(b'a'), Echo::Character(b'a'));
        }
        assert_eq!(editor.push(b'a'), Echo::Nothing);
        assert_eq!(editor.push(b'\r'), Echo::Enter);
    }
}
