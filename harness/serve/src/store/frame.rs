//! Lines with a checksum: `<CRC-32 of the text, 8 hex digits> <text>\n`.

use zeroize::Zeroizing;

/// What a state file begins with.
pub(crate) const HEADER: &str = "hil cloud state, version 1; holds keys";

/// What is wrong with the lines of a state file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Damage {
    /// The first line is another one: the file is something else.
    NotOurs,
    /// A line that is not the last one has another checksum, or none.
    Line {
        /// Its number, from 1.
        number: usize,
    },
}

/// The whole lines of a state file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Lines<'a> {
    /// Each line's number in the file, from 1, and its text; without the header.
    pub(crate) texts: Vec<(usize, &'a str)>,
    /// Bytes of an incomplete line at the end, which a kill or a power cut leaves.
    pub(crate) torn: usize,
}

/// One line.
pub(crate) fn line(text: &str) -> Zeroizing<String> {
    let checksum = crc32fast::hash(text.as_bytes());
    Zeroizing::new(format!("{checksum:08x} {text}\n"))
}

/// Splits a state file. An empty file is a new one.
pub(crate) fn split(bytes: &[u8]) -> Result<Lines<'_>, Damage> {
    let mut lines = Lines {
        texts: Vec::new(),
        torn: 0,
    };
    let mut rest = bytes;
    let mut number = 0;
    while !rest.is_empty() {
        number += 1;
        let end = rest.iter().position(|byte| *byte == b'\n');
        let (raw, after) = match end {
            Some(end) => (Some(&rest[..end]), &rest[end + 1..]),
            None => (None, &rest[rest.len()..]),
        };
        match (raw.and_then(checked), number) {
            (Some(HEADER), 1) => {}
            (None, 1) if after.is_empty() && is_begun_header(rest) => lines.torn = rest.len(),
            (_, 1) => return Err(Damage::NotOurs),
            (Some(text), _) => lines.texts.push((number, text)),
            (None, _) if after.is_empty() => lines.torn = rest.len(),
            (None, _) => return Err(Damage::Line { number }),
        }
        rest = after;
    }
    Ok(lines)
}

/// The text of a line whose checksum is right.
fn checked(raw: &[u8]) -> Option<&str> {
    let raw = str::from_utf8(raw).ok()?;
    let (checksum, text) = raw.split_once(' ')?;
    let is_hex = checksum.len() == 8 && checksum.bytes().all(|byte| byte.is_ascii_hexdigit());
    let wanted = u32::from_str_radix(checksum, 16).ok().filter(|_| is_hex)?;
    (crc32fast::hash(text.as_bytes()) == wanted).then_some(text)
}

/// Whether these bytes are a header that was cut off.
fn is_begun_header(bytes: &[u8]) -> bool {
    line(HEADER).as_bytes().starts_with(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn file(texts: &[&str]) -> String {
        let lines = std::iter::once(&HEADER).chain(texts);
        lines.map(|text| line(text).to_string()).collect()
    }

    fn check(bytes: &str, texts: &[&str], torn: usize) {
        let lines = split(bytes.as_bytes()).unwrap();
        let found: Vec<&str> = lines.texts.iter().map(|(_, text)| *text).collect();
        assert_eq!((found.as_slice(), lines.torn), (texts, torn));
    }

    #[test]
    fn whole_files_and_torn_tails() {
        check("", &[], 0);
        let whole = file(&["a", "b c"]);
        check(&whole, &["a", "b c"], 0);
        let last = line("b c").len();
        for cut in 1..last {
            check(&whole[..whole.len() - cut], &["a"], last - cut);
        }
        check(&(file(&["a"]) + "\0\0\0\0"), &["a"], 4);
        check(&(file(&["a"]) + "00000000 b\n"), &["a"], 11);
        check(&file(&[])[..7], &[], 7);
    }

    #[rstest]
    #[case("root:x:0:0\n", Damage::NotOurs)]
    #[case("root", Damage::NotOurs)]
    #[case(&line("another header"), Damage::NotOurs)]
    #[case(&(file(&["a"]) + "00000000 b\n" + &line("c")), Damage::Line { number: 3 })]
    #[case(&(file(&["a"]) + "\n" + &line("c")), Damage::Line { number: 3 })]
    fn damage(#[case] bytes: &str, #[case] expected: Damage) {
        assert_eq!(split(bytes.as_bytes()), Err(expected));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>, whole: bool) {
            let begin = if whole { file(&["a"]).into_bytes() } else { Vec::new() };
            let _ = split(&[begin, bytes].concat());
        }

        #[test]
        fn one_flipped_bit_is_never_believed(
            texts in prop::collection::vec("[a-z ]{0,9}", 1..5), at: prop::sample::Index, bit in 0..8u8
        ) {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let mut bytes = file(&texts).into_bytes();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            if let Ok(lines) = split(&bytes) {
                let found: Vec<&str> = lines.texts.iter().map(|(_, text)| *text).collect();
                // Upper and lower case hex digits are the same checksum.
                prop_assert!(texts.starts_with(&found), "{found:?}");
            }
        }
    }
}
