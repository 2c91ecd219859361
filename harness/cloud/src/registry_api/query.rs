//! Queries: `SELECT * FROM devices [WHERE ...]`.

use az3166_event::VirtualTime;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand_core::Rng;
use serde::Deserialize;
use serde_json::Value;

use super::condition::Condition;
use super::{Failure, RegistryApi, bodies};
use crate::device_api::Answer;
use crate::http::Request;

/// The most twins of an answer.
const PAGE: usize = 100;
/// The longest query in bytes.
const LONGEST: usize = 8 * 1024;

#[derive(Deserialize)]
struct Query {
    query: String,
}

impl<R: Rng> RegistryApi<'_, R> {
    pub(super) fn query(&mut self, now: VirtualTime, request: &Request) -> Result<Answer, Failure> {
        let query: Query = serde_json::from_slice(&request.body)
            .map_err(|_| Failure::bad_request("The body is not a query."))?;
        let wanted = parse(&query.query).ok_or_else(|| {
            Failure::bad_request(
                "This hub knows `SELECT * FROM devices [WHERE ...]` only, with comparisons of \
                members with literals, IN, IS_DEFINED, AND, OR, NOT and parentheses.",
            )
        })?;
        let page = match request.header("x-ms-max-item-count") {
            Some(text) => text
                .parse()
                .map_err(|_| Failure::bad_request("x-ms-max-item-count is not a number."))?,
            None => PAGE,
        };
        let after = match request
            .header("x-ms-continuation")
            .filter(|own| !own.is_empty())
        {
            Some(token) => Some(read_token(token)?),
            None => None,
        };
        let page = page.clamp(1, PAGE);
        let only = wanted.as_ref().and_then(Condition::only_device);
        let mut twins: Vec<(&str, Value)> = match only {
            Some(id) => {
                let found = self.hubs.device(&self.key(id)).into_iter();
                found
                    .map(|device| (device.device_id.as_str(), bodies::twin(device)))
                    .collect()
            }
            None => {
                let meets = |twin: &Value| wanted.as_ref().is_none_or(|own| own.holds(twin));
                self.hubs
                    .devices_of(self.hub, after.as_deref())
                    .map(|device| (device.device_id.as_str(), bodies::twin(device)))
                    .filter(|(_, twin)| meets(twin))
                    .take(page + 1)
                    .collect()
            }
        };
        let more = twins.len() > page;
        twins.truncate(page);
        let last = twins.last().map(|(id, _)| (*id).to_owned());
        let twins: Vec<Value> = twins.into_iter().map(|(_, twin)| twin).collect();
        let mut answer = self.json(now, 200, &twins);
        let headers = &mut answer.response.headers;
        headers.push(("x-ms-item-type", "Twin".to_owned()));
        if let Some(last) = last.filter(|_| more) {
            headers.push(("x-ms-continuation", URL_SAFE_NO_PAD.encode(last)));
        }
        Ok(answer)
    }
}

fn read_token(token: &str) -> Result<String, Failure> {
    URL_SAFE_NO_PAD
        .decode(token)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| Failure::bad_request("x-ms-continuation is not a token of this hub."))
}

/// The condition of a query, if it has one; nothing for queries that are not known.
pub(super) fn parse(query: &str) -> Option<Option<Condition>> {
    if query.len() > LONGEST {
        return None;
    }
    let rest = keywords(query, &["select", "*", "from", "devices"])?;
    if rest.trim().is_empty() {
        return Some(None);
    }
    Condition::parse(keywords(rest, &["where"])?).map(Some)
}

/// What follows these words.
fn keywords<'a>(mut text: &'a str, words: &[&str]) -> Option<&'a str> {
    for word in words {
        text = text.trim_start();
        let start = text.get(..word.len())?;
        if !start.eq_ignore_ascii_case(word) {
            return None;
        }
        text = &text[word.len()..];
        if text.starts_with(|c: char| c.is_alphanumeric()) {
            return None;
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("SELECT * FROM devices", Some(None))]
    #[case(" select  * from devices ", Some(None))]
    #[case(
        "select * from devices where deviceId='a b'",
        Some(Some("deviceId = 'a b'"))
    )]
    #[case(
        "SELECT * FROM devices WHERE tags.x = 1 or (tags.y = 2)",
        Some(Some("tags.x = 1 OR tags.y = 2"))
    )]
    #[case("SELECT * FROM devices.jobs", None)]
    #[case("SELECT * FROM devices c", None)]
    #[case("SELECT * FROM devices WHERE", None)]
    #[case("SELECT * FROM devices WHEREdeviceId = 'a'", None)]
    #[case("SELECT * FROM devices ORDER BY deviceId", None)]
    #[case("SELECT deviceId FROM devices", None)]
    #[case("SELECT COUNT() AS n FROM devices", None)]
    #[case("", None)]
    fn queries(#[case] query: &str, #[case] expected: Option<Option<&str>>) {
        let expected = expected.map(|text| text.and_then(Condition::parse));
        assert_eq!(parse(query), expected);
        let long = format!("{query}{}", " ".repeat(LONGEST));
        assert_eq!(parse(&long), None);
    }
}
