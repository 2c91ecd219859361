//! Which exchanges a fault is for.

use serde::{Deserialize, Serialize};

use super::exchange::Exchange;

/// Which exchanges a fault is for. A member that is not given matches everything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rule {
    /// The host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<Pattern>,
    /// The registration id or device id, as the device sends it: the one in an HTTP path, the
    /// client id of MQTT. It is not known in a handshake.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<Pattern>,
    /// The HTTP method, the MQTT packet's name (`CONNECT`, `PUBLISH` ...) or `TLS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The path of a request without its query, the topic of a PUBLISH, the first topic filter of
    /// a SUBSCRIBE, the client id of a CONNECT; empty for a handshake.
    #[serde(alias = "topic", skip_serializing_if = "Option::is_none")]
    pub path: Option<Pattern>,
    /// The first matching exchange in which it happens, from 1.
    pub nth: u32,
    /// How many matching exchanges it happens in, from the `nth` on.
    pub times: Repeat,
}

impl Default for Rule {
    /// Every exchange.
    fn default() -> Self {
        Self {
            host: None,
            device: None,
            method: None,
            path: None,
            nth: 1,
            times: Repeat::Always,
        }
    }
}

/// How often a fault happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Repeat {
    /// Until it is cleared.
    Always,
    /// This many times.
    #[serde(untagged)]
    Times(u32),
}

impl Rule {
    /// Whether the exchange is one of this rule's.
    pub(super) fn matches(&self, exchange: &Exchange<'_>) -> bool {
        let fits = |pattern: &Option<Pattern>, text: Option<&str>| {
            pattern
                .as_ref()
                .is_none_or(|pattern| text.is_some_and(|text| pattern.matches(text)))
        };
        fits(&self.host, Some(exchange.host))
            && fits(&self.device, exchange.device)
            && fits(&self.path, Some(exchange.path))
            && (self.method.as_deref()).is_none_or(|own| own == exchange.method)
    }

    /// Whether the fault happens in the `count`th matching exchange, from 1.
    pub(super) fn is_due(&self, count: u32) -> bool {
        match self.times {
            Repeat::Always => count >= self.nth,
            Repeat::Times(times) => (self.nth..self.nth.saturating_add(times)).contains(&count),
        }
    }
}

/// Text in which `*` stands for any run of characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pattern(pub String);

impl Pattern {
    /// Whether the whole of `text` fits.
    pub fn matches(&self, text: &str) -> bool {
        let mut parts = self.0.split('*');
        let Some(mut rest) = parts.next().and_then(|start| text.strip_prefix(start)) else {
            return false;
        };
        let Some(end) = parts.next_back() else {
            return rest.is_empty();
        };
        for part in parts {
            match rest.find(part) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        rest.ends_with(end)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("*/register", "/0ne/registrations/a/register", true)]
    #[case("*/register", "/0ne/registrations/a/operations/1", false)]
    #[case("devices/*/messages/*/", "devices/a/messages/events/", true)]
    #[case("a", "a", true)]
    #[case("a", "ab", false)]
    #[case("a*a", "a", false)]
    #[case("a*a", "aa", true)]
    #[case("*", "", true)]
    #[case("", "", true)]
    #[case("", "a", false)]
    #[case("a*b*c", "acb", false)]
    #[case("a**c", "abc", true)]
    fn patterns(#[case] pattern: &str, #[case] text: &str, #[case] expected: bool) {
        assert_eq!(Pattern(pattern.into()).matches(text), expected);
    }

    #[rstest]
    #[case(1, Repeat::Always, &[1, 2, 3, 4])]
    #[case(3, Repeat::Always, &[3, 4])]
    #[case(1, Repeat::Times(1), &[1])]
    #[case(2, Repeat::Times(2), &[2, 3])]
    #[case(2, Repeat::Times(u32::MAX), &[2, 3, 4])]
    fn due(#[case] nth: u32, #[case] times: Repeat, #[case] expected: &[u32]) {
        let rule = Rule {
            nth,
            times,
            ..Rule::default()
        };
        let due: Vec<u32> = (1..=4).filter(|count| rule.is_due(*count)).collect();
        assert_eq!(due, expected);
    }
}
