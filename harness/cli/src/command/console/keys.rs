//! Which keys go to the device and which to the board.

use az3166_target::Button;
use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// What a key asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// The device gets these bytes.
    Type(Vec<u8>),
    /// Press the reset button.
    Reset,
    /// Press this button until it is let go, or let it go.
    Toggle(Button),
    /// Plug the board in or out.
    TogglePower,
    /// Show or hide the list of keys.
    Help,
    /// Look further up in what was printed.
    Up,
    /// Look further down.
    Down,
    /// Leave.
    Quit,
}

/// The keys in short, for the last line.
pub const SHORT: &str = "F1 keys  F2 reset  F3 hold A  F4 hold B  F5 power  Ctrl-C quit";

/// All keys.
pub const HELP: [&str; 10] = [
    "F2  or Ctrl-] r   reset",
    "F3  or Ctrl-] a   hold button A, or let it go",
    "F4  or Ctrl-] b   hold button B, or let it go",
    "F5  or Ctrl-] p   power off, or on",
    "F1  or Ctrl-] h   show or hide these lines",
    "Page Up, Down     look at what was printed before",
    "Ctrl-C            quit (also Ctrl-] q)",
    "",
    "Every other key goes to the device. Configuration mode: hold A, reset, let A go.",
    "The local cloud enrols the device by its UDS and settings at every start.",
];

/// Remembers whether the key before was the prefix, Ctrl-].
#[derive(Debug, Default)]
pub struct Keys {
    prefixed: bool,
}

impl Keys {
    /// What `key` asks for; nothing for a key that means nothing here.
    pub fn action(&mut self, key: KeyEvent) -> Option<Action> {
        if key.kind == KeyEventKind::Release {
            return None;
        }
        if core::mem::take(&mut self.prefixed) {
            return prefixed(key.code);
        }
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            // Terminals send the byte 0x1D for Ctrl-], which is read as Ctrl-5.
            KeyCode::Char(']' | '5') if control => {
                self.prefixed = true;
                None
            }
            KeyCode::Char('c' | 'C') if control => Some(Action::Quit),
            KeyCode::Char(c) if control => {
                let code = u8::try_from(c.to_ascii_uppercase()).ok()?;
                (0x40..0x60)
                    .contains(&code)
                    .then(|| Action::Type(vec![code & 0x1F]))
            }
            KeyCode::Char(c) => Some(Action::Type(c.to_string().into_bytes())),
            KeyCode::Enter => Some(Action::Type(b"\r".into())),
            KeyCode::Backspace => Some(Action::Type(b"\x7f".into())),
            KeyCode::Tab => Some(Action::Type(b"\t".into())),
            KeyCode::Esc => Some(Action::Type(b"\x1b".into())),
            KeyCode::PageUp => Some(Action::Up),
            KeyCode::PageDown => Some(Action::Down),
            KeyCode::F(1) => Some(Action::Help),
            KeyCode::F(2) => Some(Action::Reset),
            KeyCode::F(3) => Some(Action::Toggle(Button::A)),
            KeyCode::F(4) => Some(Action::Toggle(Button::B)),
            KeyCode::F(5) => Some(Action::TogglePower),
            _ => None,
        }
    }
}

fn prefixed(code: KeyCode) -> Option<Action> {
    let KeyCode::Char(letter) = code else {
        return None;
    };
    match letter.to_ascii_lowercase() {
        'r' => Some(Action::Reset),
        'a' => Some(Action::Toggle(Button::A)),
        'b' => Some(Action::Toggle(Button::B)),
        'p' => Some(Action::TogglePower),
        'h' | '?' => Some(Action::Help),
        'q' => Some(Action::Quit),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const NONE: KeyModifiers = KeyModifiers::NONE;
    const CONTROL: KeyModifiers = KeyModifiers::CONTROL;

    #[rstest]
    #[case(KeyCode::Char('a'), NONE, Some(Action::Type(b"a".into())))]
    #[case(KeyCode::Char('A'), KeyModifiers::SHIFT, Some(Action::Type(b"A".into())))]
    #[case(KeyCode::Char('µ'), NONE, Some(Action::Type("µ".into())))]
    #[case(KeyCode::Enter, NONE, Some(Action::Type(b"\r".into())))]
    #[case(KeyCode::Backspace, NONE, Some(Action::Type(b"\x7f".into())))]
    #[case(KeyCode::Char('d'), CONTROL, Some(Action::Type(b"\x04".into())))]
    #[case(KeyCode::Char('c'), CONTROL, Some(Action::Quit))]
    #[case(KeyCode::F(2), NONE, Some(Action::Reset))]
    #[case(KeyCode::F(3), NONE, Some(Action::Toggle(Button::A)))]
    #[case(KeyCode::Left, NONE, None)]
    fn keys_have_their_meaning(
        #[case] code: KeyCode,
        #[case] modifiers: KeyModifiers,
        #[case] action: Option<Action>,
    ) {
        assert_eq!(
            Keys::default().action(KeyEvent::new(code, modifiers)),
            action
        );
    }

    #[test]
    fn the_prefix_counts_for_one_key() {
        let mut keys = Keys::default();
        let plain = |code| KeyEvent::new(code, NONE);
        assert_eq!(
            keys.action(KeyEvent::new(KeyCode::Char('5'), CONTROL)),
            None
        );
        assert_eq!(keys.action(plain(KeyCode::Char('r'))), Some(Action::Reset));
        assert_eq!(
            keys.action(plain(KeyCode::Char('r'))),
            Some(Action::Type(b"r".into()))
        );
    }

    #[test]
    fn letting_a_key_go_is_nothing() {
        let key = KeyEvent::new_with_kind(KeyCode::Char('a'), NONE, KeyEventKind::Release);
        assert_eq!(Keys::default().action(key), None);
    }
}
