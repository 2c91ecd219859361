//! Queries: `SELECT * FROM devices [WHERE deviceId = '...']`.

use az3166_event::VirtualTime;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand_core::Rng;
use serde::Deserialize;
use serde_json::Value;

use super::{Failure, RegistryApi, bodies};
use crate::device_api::Answer;
use crate::http::Request;

/// The most twins of an answer.
const PAGE: usize = 100;

#[derive(Deserialize)]
struct Query {
    query: String,
}

impl<R: Rng> RegistryApi<'_, R> {
    pub(super) fn query(&mut self, now: VirtualTime, request: &Request) -> Result<Answer, Failure> {
        let query: Query = serde_json::from_slice(&request.body)
            .map_err(|_| Failure::bad_request("The body is not a query."))?;
        let wanted = parse(&query.query).ok_or_else(|| {
            let words = "This hub knows `SELECT * FROM devices [WHERE deviceId = '...']` only.";
            Failure::bad_request(words)
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
        let mut devices: Vec<_> = match &wanted {
            Some(id) => self.hubs.device(&self.key(id)).into_iter().collect(),
            None => self
                .hubs
                .devices_of(self.hub, after.as_deref())
                .take(page + 1)
                .collect(),
        };
        let more = devices.len() > page;
        devices.truncate(page);
        let last = devices.last().map(|device| device.device_id.clone());
        let twins: Vec<Value> = devices.into_iter().map(bodies::twin).collect();
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

/// The device that a query is for, or `None` in the place of one for all; nothing for queries that
/// are not known.
fn parse(query: &str) -> Option<Option<String>> {
    let rest = keywords(query, &["select", "*", "from", "devices"])?;
    if rest.trim().is_empty() {
        return Some(None);
    }
    let rest = keywords(rest, &["where", "deviceid"])?.trim();
    let literal = rest.strip_prefix('=')?.trim();
    let quote = literal.chars().next().filter(|c| ['\'', '"'].contains(c))?;
    let id = literal.strip_prefix(quote)?.strip_suffix(quote)?;
    (!id.contains(quote)).then(|| Some(id.to_owned()))
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
    #[case("select * from devices where deviceId='a b'", Some(Some("a b")))]
    #[case("SELECT * FROM devices WHERE deviceId = \"x\" ", Some(Some("x")))]
    #[case("SELECT * FROM devices.jobs", None)]
    #[case("SELECT deviceId FROM devices", None)]
    #[case("SELECT * FROM devices WHERE deviceId = 'a' OR deviceId = 'b'", None)]
    #[case("SELECT * FROM devices WHERE tags.x = 'a'", None)]
    #[case("SELECT * FROM devices WHERE deviceId = 'ä", None)]
    #[case("", None)]
    fn queries(#[case] query: &str, #[case] expected: Option<Option<&str>>) {
        let expected = expected.map(|id| id.map(str::to_owned));
        assert_eq!(parse(query), expected);
    }
}
