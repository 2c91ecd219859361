//! Finds secrets in what the harness sees, in every form they are commonly written, and masks them.

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::Fingerprint;

/// A place where bytes are seen; each is one continuous stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tap {
    /// What the device prints on its console.
    ConsoleOutput,
    /// Packets from the device, below TLS.
    NetworkFromDevice,
    /// HTTP and MQTT plain text from the device, above TLS.
    CloudFromDevice,
    /// The picture's text.
    Display,
    /// Text that goes into a report.
    Report,
}

impl Tap {
    /// Every tap.
    pub const ALL: [Self; 5] = [
        Self::ConsoleOutput,
        Self::NetworkFromDevice,
        Self::CloudFromDevice,
        Self::Display,
        Self::Report,
    ];
}

/// A secret that was seen where it must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leak {
    /// Where.
    pub tap: Tap,
    /// The secret's name: `UDS`, `CDI`, `alias key` ...
    pub name: String,
    /// The form it was written in: `raw`, `hex`, `base64` ...
    pub form: &'static str,
    /// What may be said of it.
    pub fingerprint: Fingerprint,
}

struct Pattern {
    secret: usize,
    form: &'static str,
}

struct Watched {
    name: String,
    fingerprint: Fingerprint,
}

/// Searches byte streams for a set of secrets.
///
/// A stream may come in pieces of any size: the end of each piece is kept until
/// no secret that begins in it can still be incomplete.
#[derive(Default)]
pub struct LeakDetector {
    watched: Vec<Watched>,
    patterns: Vec<Pattern>,
    needles: Vec<zeroize::Zeroizing<Vec<u8>>>,
    matcher: Option<AhoCorasick>,
    longest: usize,
    tails: std::collections::BTreeMap<Tap, Vec<u8>>,
}

impl LeakDetector {
    /// Watches for `secret` from now on. Values under 8 bytes are refused: they would match by chance.
    ///
    /// Returns whether it is watched; a value that is watched already is not watched twice.
    pub fn watch(&mut self, name: &str, secret: &[u8]) -> bool {
        let fingerprint = Fingerprint::of(secret);
        if secret.len() < 8
            || self
                .watched
                .iter()
                .any(|known| known.fingerprint == fingerprint)
        {
            return false;
        }
        let index = self.watched.len();
        self.watched.push(Watched {
            name: name.into(),
            fingerprint,
        });
        for (form, needle) in forms(secret) {
            self.longest = self.longest.max(needle.len());
            self.patterns.push(Pattern {
                secret: index,
                form,
            });
            self.needles.push(zeroize::Zeroizing::new(needle));
        }
        self.matcher = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(self.needles.iter().map(|needle| needle.as_slice()))
            .ok();
        true
    }

    /// Looks at the next bytes of `tap`'s stream and names every secret that ends in them.
    pub fn scan(&mut self, tap: Tap, bytes: &[u8]) -> Vec<Leak> {
        let Some(matcher) = &self.matcher else {
            return Vec::new();
        };
        let tail = self.tails.entry(tap).or_default();
        let old = tail.len();
        tail.extend_from_slice(bytes);
        let leaks = matcher
            .find_iter(tail.as_slice())
            .filter(|found| found.end() > old)
            .map(|found| {
                let pattern = &self.patterns[found.pattern().as_usize()];
                let watched = &self.watched[pattern.secret];
                Leak {
                    tap,
                    name: watched.name.clone(),
                    form: pattern.form,
                    fingerprint: watched.fingerprint.clone(),
                }
            })
            .collect();
        let keep = self.longest.saturating_sub(1).min(tail.len());
        tail.drain(..tail.len() - keep);
        leaks
    }

    /// `text` with every secret replaced by `<name fingerprint>`.
    pub fn mask(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.mask_bytes(text.as_bytes())).into_owned()
    }

    /// `bytes` with every secret overwritten by `*`: for formats in which lengths count.
    pub fn blank_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let mut blanked = bytes.to_vec();
        for found in self
            .matcher
            .iter()
            .flat_map(|matcher| matcher.find_iter(bytes))
        {
            blanked[found.range()].fill(b'*');
        }
        blanked
    }

    /// `bytes` with every secret replaced by `<name fingerprint>`.
    pub fn mask_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let Some(matcher) = &self.matcher else {
            return bytes.to_vec();
        };
        let mut masked = Vec::with_capacity(bytes.len());
        matcher.replace_all_with_bytes(bytes, &mut masked, |found, _, out| {
            let watched = &self.watched[self.patterns[found.pattern().as_usize()].secret];
            out.extend_from_slice(format!("<{} {}>", watched.name, watched.fingerprint).as_bytes());
            true
        });
        masked
    }
}

/// Every form in which `secret` is searched for.
///
/// Base64 depends on where the secret starts in the encoded text, so the part that
/// is the same for each of the three alignments is taken.
fn forms(secret: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let reversed: Vec<u8> = secret.iter().rev().copied().collect();
    let mut forms = Vec::new();
    for (bytes, names) in [
        (secret, ["raw", "hex", "HEX", "base64"]),
        (
            &reversed,
            [
                "reversed raw",
                "reversed hex",
                "reversed HEX",
                "reversed base64",
            ],
        ),
    ] {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        forms.push((names[0], bytes.to_vec()));
        forms.push((names[1], hex.clone().into_bytes()));
        forms.push((names[2], hex.to_uppercase().into_bytes()));
        for lead in 0..3 {
            let mut padded = vec![0; lead];
            padded.extend_from_slice(bytes);
            let encoded = STANDARD_NO_PAD.encode(&padded).into_bytes();
            let start = [0, 2, 3][lead];
            let whole = padded.len() / 3 * 4;
            forms.push((names[3], encoded[start..whole].to_vec()));
        }
    }
    let text_reversed: Vec<u8> = secret
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<String>()
        .bytes()
        .rev()
        .collect();
    forms.push(("reversed hex text", text_reversed));
    forms
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    const SECRET: [u8; 32] = *b"\x19\xe2\x5a\x25\x9d\x0c\x2b\xe0\x3a\x02\xd4\x16\xc0\x5c\x48\xcc\xd0\xcc\x7d\x17\x43\x45\x8a\xae\x1c\xb4\x88\xb0\x74\x99\x3e\xae";

    fn detector() -> LeakDetector {
        let mut detector = LeakDetector::default();
        assert!(detector.watch("UDS", &SECRET));
        detector
    }

    fn check(text: &[u8], form: &str) {
        let leaks = detector().scan(Tap::ConsoleOutput, text);
        assert_eq!(leaks.len(), 1, "{}", String::from_utf8_lossy(text));
        assert_eq!((leaks[0].name.as_str(), leaks[0].form), ("UDS", form));
        let blanked = detector().blank_bytes(text);
        assert_eq!(blanked.len(), text.len());
        assert!(detector().scan(Tap::Report, &blanked).is_empty());
        let masked = detector().mask_bytes(text);
        assert!(detector().scan(Tap::Report, &masked).is_empty());
    }

    #[test]
    fn finds_and_masks_every_form() {
        let hex: String = SECRET.iter().map(|byte| format!("{byte:02x}")).collect();
        let reversed: Vec<u8> = SECRET.iter().rev().copied().collect();
        check(&[b"x", SECRET.as_slice(), b"y"].concat(), "raw");
        check(format!("uds={hex};").as_bytes(), "hex");
        check(hex.to_uppercase().as_bytes(), "HEX");
        check(&hex.bytes().rev().collect::<Vec<_>>(), "reversed hex text");
        check(&reversed, "reversed raw");
        for lead in 0..3 {
            let text = STANDARD.encode([&b"abc"[..lead], &SECRET, b"tail"].concat());
            check(text.as_bytes(), "base64");
        }
    }

    #[test]
    fn short_values_are_not_watched() {
        assert!(!LeakDetector::default().watch("pin", b"1234567"));
    }

    proptest! {
        #[test]
        fn pieces_of_any_size_hide_nothing(cuts in prop::collection::vec(1usize..20, 1..40)) {
            let text = [b"noise noise".as_slice(), &SECRET, b"more noise"].concat();
            let mut detector = detector();
            let (mut rest, mut seen) = (text.as_slice(), 0);
            for cut in cuts.into_iter().chain([text.len()]) {
                let (piece, after) = rest.split_at(cut.min(rest.len()));
                seen += detector.scan(Tap::ConsoleOutput, piece).len();
                rest = after;
            }
            prop_assert_eq!(seen, 1);
        }
    }
}
