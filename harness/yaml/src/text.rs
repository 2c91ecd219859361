//! Text from a file that may hold a secret.

use core::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// Runs of hex digits of at least this length are never shown: a UDS has 64, and one that was
/// mistyped by a few digits gives most of it away.
const HIDDEN_RUN: usize = 48;

/// `text` with every long run of hex digits replaced by as many `*`, so that columns stay.
pub fn mask(text: &str) -> String {
    let mut masked = text.as_bytes().to_vec();
    let mut start = 0;
    for end in 0..=text.len() {
        if end == text.len() || !text.as_bytes()[end].is_ascii_hexdigit() {
            if end - start >= HIDDEN_RUN {
                masked[start..end].fill(b'*');
            }
            start = end + 1;
        }
    }
    // ASCII was replaced by ASCII, so this is UTF-8 as before.
    String::from_utf8(masked).unwrap_or_default()
}

/// A string that may hold a secret: it is wiped when dropped, and `Debug` masks long hex runs.
#[derive(Clone, PartialEq, Eq)]
pub struct Text(Zeroizing<String>);

impl Text {
    /// The text itself; the caller answers for where it goes.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The text with every long run of hex digits masked.
    pub fn masked(&self) -> String {
        mask(&self.0)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.masked(), f)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

impl JsonSchema for Text {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn long_hex_runs_are_hidden_in_place() {
        let secret = "19e25a259d0c2be03a02d416c05c48ccd0cc7d1743458aae1cb488b074993eae";
        let shown = format!("{:?}", Text::from(format!("set_dps_uds {secret}!")));
        assert_eq!(shown, format!("\"set_dps_uds {}!\"", "*".repeat(64)));
        assert_eq!(mask(&secret[..47]), secret[..47]);
        assert_eq!(mask(&secret[..48]), "*".repeat(48));
    }

    proptest! {
        #[test]
        fn masking_keeps_the_length(text in ".{0,20}[0-9a-f]{40,70}.{0,20}") {
            prop_assert_eq!(mask(&text).len(), text.len());
        }
    }
}
