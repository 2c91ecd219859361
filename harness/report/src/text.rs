//! Bytes from a device as text that can be shown: nothing in it can command a terminal, end an
//! XML section or turn the reading direction.

use core::fmt::Write as _;

/// `bytes` as text for a terminal or a file: valid UTF-8 stays, every other byte is `\xNN`,
/// every control character but line feed is escaped, CR LF is LF.
pub fn printable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        let mut chars = chunk.valid().chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '\r' if chars.peek() == Some(&'\n') => {}
                '\n' => text.push('\n'),
                '\t' => text.push_str("    "),
                c if is_harmless(c) => text.push(c),
                c if u32::from(c) < 0x100 => {
                    escape(&mut text, format_args!("\\x{:02x}", u32::from(c)))
                }
                c => escape(&mut text, format_args!("\\u{{{:x}}}", u32::from(c))),
            }
        }
        for byte in chunk.invalid() {
            escape(&mut text, format_args!("\\x{byte:02x}"));
        }
    }
    text
}

fn escape(text: &mut String, escaped: core::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = text.write_fmt(escaped);
}

/// The same on one line: line feeds are blanks.
pub fn one_line(text: &str) -> String {
    printable(text.as_bytes()).replace('\n', " ")
}

/// Whether `c` is shown as itself everywhere: no control character, no character that XML 1.0
/// forbids (section 2.2), none that reorders text (Unicode TR 9) or marks bytes.
fn is_harmless(c: char) -> bool {
    !matches!(c,
        '\0'..='\x1f' | '\x7f'..='\u{9f}'
        | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// The last `count` lines of what a device printed, printable.
pub fn last_lines(console: &[u8], count: usize) -> Vec<String> {
    let text = printable(console);
    let lines: Vec<&str> = text.lines().collect();
    let start = lines.len().saturating_sub(count);
    lines[start..]
        .iter()
        .map(|line| (*line).to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case(b"a\r\nb", "a\nb")]
    #[case(b"a\rb", "a\\x0db")]
    #[case(b"\x1b[31mred\0", "\\x1b[31mred\\x00")]
    #[case("\u{9b}31m \u{202e}x \u{fffe}".as_bytes(), "\\x9b31m \\u{202e}x \\u{fffe}")]
    #[case(b"\xff\xc3(", "\\xff\\xc3(")]
    #[case("µ ]]>\t|".as_bytes(), "µ ]]>    |")]
    fn is_printable(#[case] bytes: &[u8], #[case] expected: &str) {
        assert_eq!(printable(bytes), expected);
    }

    #[test]
    fn the_last_lines_are_the_last() {
        assert_eq!(last_lines(b"a\r\nb\r\nc\r\n", 2), ["b", "c"]);
        assert_eq!(last_lines(b"", 2), Vec::<String>::new());
    }

    proptest! {
        #[test]
        fn any_bytes_become_harmless(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let text = printable(&bytes);
            prop_assert!(text.chars().all(|c| c == '\n' || is_harmless(c)));
            prop_assert_eq!(printable(text.as_bytes()), text);
        }
    }
}
