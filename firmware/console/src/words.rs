use heapless::Vec;

/// The most words of a line: a command and three arguments.
pub const WORDS_MAX: usize = 4;

/// A quote without its partner, a trailing backslash, or too many words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyntaxError;

/// Splits a line at spaces, in place. `"` quotes spaces; `\"`, `\ ` and `\\` stand for themselves.
///
/// # Errors
/// [`SyntaxError`] as described there.
pub fn split(line: &mut [u8]) -> Result<Vec<&str, WORDS_MAX>, SyntaxError> {
    let mut ends: Vec<(usize, usize), WORDS_MAX> = Vec::new();
    let (mut written, mut word, mut quoted, mut read) = (0, None, false, 0);
    while read < line.len() {
        let byte = line[read];
        read += 1;
        match byte {
            b' ' if !quoted => {
                if let Some(start) = word.take() {
                    ends.push((start, written)).map_err(|_| SyntaxError)?;
                }
                continue;
            }
            b'"' => {
                quoted = !quoted;
                word.get_or_insert(written);
                continue;
            }
            b'\\' => {
                let next = *line.get(read).ok_or(SyntaxError)?;
                if matches!(next, b'"' | b' ' | b'\\') {
                    read += 1;
                    line[written] = next;
                } else {
                    line[written] = byte;
                }
            }
            _ => line[written] = byte,
        }
        word.get_or_insert(written);
        written += 1;
    }
    if quoted {
        return Err(SyntaxError);
    }
    if let Some(start) = word {
        ends.push((start, written)).map_err(|_| SyntaxError)?;
    }
    let line = &*line;
    ends.iter()
        .map(|&(start, end)| core::str::from_utf8(&line[start..end]).map_err(|_| SyntaxError))
        .collect()
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;

    fn check(line: &str, expected: Result<&[&str], SyntaxError>) {
        let mut bytes = std::vec::Vec::from(line);
        assert_eq!(
            split(&mut bytes).as_deref().map_err(|error| *error),
            expected,
            "{line}"
        );
    }

    #[test]
    fn spaces_separate_words() {
        check("", Ok(&[]));
        check("   ", Ok(&[]));
        check("help", Ok(&["help"]));
        check("  a  bc d ", Ok(&["a", "bc", "d"]));
        check("a b c d", Ok(&["a", "b", "c", "d"]));
        check("a b c d e", Err(SyntaxError));
    }

    #[test]
    fn quotes_and_escapes() {
        check("a \"b c\" d", Ok(&["a", "b c", "d"]));
        check("a \"\"", Ok(&["a", ""]));
        check("a\"b c\"d", Ok(&["ab cd"]));
        check("a\\ b \\\" \\\\ \\n", Ok(&["a b", "\"", "\\", "\\n"]));
        check("a \"b", Err(SyntaxError));
        check("a\\", Err(SyntaxError));
    }
}
