//! Reading the few members of a JSON document (RFC 8259) that the device needs.
//!
//! The whole document is checked before anything is taken from it, so that a truncated answer is
//! never half believed.

use alloc::string::String;
use core::fmt;

/// The deepest nesting that is taken; DPS needs 3.
pub const MAX_DEPTH: usize = 16;

/// The bytes are no JSON document, from this offset on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    /// Where reading stopped, in bytes.
    pub offset: usize,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not valid JSON at byte {}", self.offset)
    }
}

impl core::error::Error for Error {}

/// A JSON text that is known to be well-formed.
#[derive(Clone, Copy, Debug)]
pub struct Document<'a>(&'a str);

impl<'a> Document<'a> {
    /// Checks all of `bytes`.
    ///
    /// # Errors
    /// [`Error`] at the first byte that does not belong, or at the end when something is missing.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let text = core::str::from_utf8(bytes).map_err(|error| Error {
            offset: error.valid_up_to(),
        })?;
        let mut cursor = Cursor { bytes, offset: 0 };
        let complete = cursor.value(0).is_some() && {
            cursor.space();
            cursor.offset == bytes.len()
        };
        if complete {
            Ok(Self(text))
        } else {
            Err(Error {
                offset: cursor.offset,
            })
        }
    }

    /// The string at `path`, unescaped; `None` when there is no such member or it is no string.
    /// Where a name occurs twice the first one counts.
    pub fn string(&self, path: &[&str]) -> Option<String> {
        let raw = self.find(path)?.strip_prefix('"')?.strip_suffix('"')?;
        unescape(raw)
    }

    /// The number at `path` as it is written.
    pub fn number(&self, path: &[&str]) -> Option<&'a str> {
        self.find(path)
            .filter(|raw| raw.starts_with(|c: char| c == '-' || c.is_ascii_digit()))
    }

    fn find(&self, path: &[&str]) -> Option<&'a str> {
        let whole = self.0.trim_ascii();
        path.iter()
            .try_fold(whole, |object, name| member(object, name))
    }
}

/// The value of `name` in a well-formed object.
fn member<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    let mut cursor = Cursor {
        bytes: object.as_bytes(),
        offset: 0,
    };
    cursor.byte(b'{')?;
    loop {
        cursor.space();
        let key = cursor.offset;
        cursor.string()?;
        let key = &object[key + 1..cursor.offset - 1];
        cursor.space();
        cursor.byte(b':')?;
        cursor.space();
        let start = cursor.offset;
        cursor.value(0)?;
        if unescape(key).as_deref() == Some(name) {
            return object.get(start..cursor.offset);
        }
        cursor.space();
        cursor.byte(b',')?;
    }
}

/// A place in a text. Each method moves over what it names, or says `None` and stays near the
/// byte that does not belong.
struct Cursor<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.offset).copied()
    }

    fn byte(&mut self, wanted: u8) -> Option<()> {
        (self.peek()? == wanted).then(|| self.offset += 1)
    }

    fn word(&mut self, wanted: &str) -> Option<()> {
        wanted.bytes().try_for_each(|byte| self.byte(byte))
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.offset += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        self.space();
        match self.peek()? {
            b'{' => self.container(depth, b'}', |cursor| {
                cursor.string()?;
                cursor.space();
                cursor.byte(b':')?;
                cursor.value(depth + 1)
            }),
            b'[' => self.container(depth, b']', |cursor| cursor.value(depth + 1)),
            b'"' => self.string(),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            _ => self.number(),
        }
    }

    fn container(
        &mut self,
        depth: usize,
        end: u8,
        mut element: impl FnMut(&mut Self) -> Option<()>,
    ) -> Option<()> {
        if depth == MAX_DEPTH {
            return None;
        }
        self.offset += 1;
        self.space();
        if self.byte(end).is_some() {
            return Some(());
        }
        loop {
            self.space();
            element(self)?;
            self.space();
            if self.byte(end).is_some() {
                return Some(());
            }
            self.byte(b',')?;
        }
    }

    fn string(&mut self) -> Option<()> {
        self.byte(b'"')?;
        loop {
            match self.peek()? {
                b'"' => return self.byte(b'"'),
                b'\\' => {
                    self.escape()?;
                }
                0..0x20 => return None,
                _ => self.offset += 1,
            }
        }
    }

    /// One escape sequence, or two that form a surrogate pair.
    fn escape(&mut self) -> Option<char> {
        self.byte(b'\\')?;
        let kind = self.peek()?;
        let plain = match kind {
            b'"' | b'\\' | b'/' => char::from(kind),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                self.offset += 1;
                return self.unicode();
            }
            _ => return None,
        };
        self.offset += 1;
        Some(plain)
    }

    fn unicode(&mut self) -> Option<char> {
        let first = self.hex4()?;
        if !(0xD800..0xDC00).contains(&first) {
            return char::from_u32(first);
        }
        self.word("\\u")?;
        let second = self.hex4()?;
        let low = second.checked_sub(0xDC00).filter(|low| *low < 0x400)?;
        char::from_u32(0x10000 + ((first - 0xD800) << 10) + low)
    }

    fn hex4(&mut self) -> Option<u32> {
        (0..4).try_fold(0, |value, _| {
            let digit = char::from(self.peek()?).to_digit(16)?;
            self.offset += 1;
            Some(value * 16 + digit)
        })
    }

    fn number(&mut self) -> Option<()> {
        let _ = self.byte(b'-');
        if self.byte(b'0').is_none() {
            self.digits()?;
        }
        if self.byte(b'.').is_some() {
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.offset += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.offset += 1;
            }
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.offset;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.offset += 1;
        }
        (self.offset > start).then_some(())
    }
}

fn unescape(raw: &str) -> Option<String> {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        let mut cursor = Cursor {
            bytes: rest.as_bytes(),
            offset: at,
        };
        text.push(cursor.escape()?);
        rest = &rest[cursor.offset..];
    }
    text.push_str(rest);
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec::Vec;
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::Value;

    #[rstest]
    #[case(r#"{"status":"assigned"}"#, &["status"], Some("assigned"))]
    #[case(r#" { "a" : { "b" : "c" } } "#, &["a", "b"], Some("c"))]
    #[case(r#"{"x":[1,{"a":"no"}],"a":"yes"}"#, &["a"], Some("yes"))]
    #[case(r#"{"a":"first","a":"second"}"#, &["a"], Some("first"))]
    #[case(r#"{"\u0061":"\u00e9\n\ud83d\ude00\/"}"#, &["a"], Some("\u{e9}\n\u{1f600}/"))]
    #[case(r#"{"a":1}"#, &["a"], None)]
    #[case(r#"{"a":{"b":"c"}}"#, &["b"], None)]
    #[case(r#"["a"]"#, &["a"], None)]
    #[case("{}", &["a"], None)]
    fn strings_are_found(#[case] text: &str, #[case] path: &[&str], #[case] value: Option<&str>) {
        assert_eq!(
            Document::parse(text.as_bytes())
                .unwrap()
                .string(path)
                .as_deref(),
            value
        );
    }

    #[rstest]
    #[case(r#"{"errorCode":401002}"#, Some("401002"))]
    #[case(r#"{"errorCode":-1.5e3 }"#, Some("-1.5e3"))]
    #[case(r#"{"errorCode":"401002"}"#, None)]
    fn numbers_are_found(#[case] text: &str, #[case] value: Option<&str>) {
        assert_eq!(
            Document::parse(text.as_bytes())
                .unwrap()
                .number(&["errorCode"]),
            value
        );
    }

    #[rstest]
    #[case(r#"{"status":"assig"#, 16)]
    #[case(r#"{"a":1}}"#, 7)]
    #[case(r#"{"a":01}"#, 6)]
    #[case("", 0)]
    #[case("[\"\u{1}\"]", 2)]
    fn errors_name_the_place(#[case] text: &str, #[case] offset: usize) {
        assert_eq!(
            Document::parse(text.as_bytes()).unwrap_err(),
            Error { offset }
        );
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| ["[".repeat(depth), "]".repeat(depth)].concat();
        assert!(Document::parse(nested(MAX_DEPTH).as_bytes()).is_ok());
        assert!(Document::parse(nested(MAX_DEPTH + 1).as_bytes()).is_err());
    }

    fn documents() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map(".{0,4}", inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_bytes_do(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
            crate::fuzzing::json(&bytes);
        }

        /// serde_json is the second opinion, on valid documents and on spoilt ones.
        #[test]
        fn the_same_documents_as_serde_json(
            document in documents(),
            damage in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
        ) {
            let mut bytes: Vec<u8> = serde_json::to_vec(&document).unwrap();
            if let Some((index, byte)) = damage {
                let at = index.index(bytes.len());
                bytes[at] = byte;
            }
            let theirs = serde_json::from_slice::<Value>(&bytes);
            // Numbers stay text here: none is too large.
            let out_of_range = |error: &serde_json::Error| error.to_string().contains("out of range");
            prop_assume!(!theirs.as_ref().is_err_and(out_of_range));
            let ours = Document::parse(&bytes);
            prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{:?}", core::str::from_utf8(&bytes));
            if let (Ok(ours), Ok(Value::Object(members))) = (ours, theirs) {
                for (name, value) in &members {
                    // Where a name comes twice serde_json keeps the last.
                    if damage.is_none() {
                        let found = ours.string(&[name]);
                        prop_assert_eq!(found.as_deref(), value.as_str());
                    }
                }
            }
        }
    }
}
