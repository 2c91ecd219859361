//! Effects on an answer of the device API, whatever transport carries it.

use super::Effect;
use crate::http::Response;

/// How an exchange ends without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Silence {
    /// The connection stays.
    Stall,
    /// It is closed.
    Close,
    /// It is reset.
    Reset,
}

/// Whether the effect leaves the exchange without an answer.
pub(crate) fn silence(effect: Option<&Effect>) -> Option<Silence> {
    match effect? {
        Effect::Stall => Some(Silence::Stall),
        Effect::Close => Some(Silence::Close),
        Effect::Reset => Some(Silence::Reset),
        _ => None,
    }
}

/// The status and error code of the answer that the effect gives in place of the service.
pub(crate) fn answer(effect: Option<&Effect>) -> Option<(u16, u32)> {
    match effect? {
        Effect::Answer(answer) => {
            let own = u32::from(answer.status) * 1000;
            Some((answer.status, answer.error_code.unwrap_or(own)))
        }
        _ => None,
    }
}

/// Spoils the answer.
pub(crate) fn spoil(effect: Option<&Effect>, response: &mut Response) {
    match effect {
        Some(Effect::Answer(answer)) => {
            if let Some(value) = &answer.retry_after {
                response.set_header("Retry-After", value);
            }
        }
        Some(Effect::RetryAfter(value)) => response.set_header("Retry-After", value),
        Some(Effect::ContentType(value)) => response.set_header("Content-Type", value),
        Some(Effect::TruncateJson) => response.body.truncate(response.body.len() / 2),
        Some(Effect::Oversize { bytes }) => pad(&mut response.body, *bytes),
        _ => {}
    }
}

/// Topic and payload of an answer over MQTT, spoilt where the transport has a say in it.
pub(crate) fn spoil_message(
    effect: Option<&Effect>,
    topic: String,
    mut payload: Vec<u8>,
) -> (String, Vec<u8>) {
    match effect {
        Some(Effect::AnswerTopic(topic)) => (topic.clone(), payload),
        Some(Effect::Truncate { keep }) => {
            payload.truncate(*keep);
            (topic, payload)
        }
        _ => (topic, payload),
    }
}

/// Makes a JSON object longer by `bytes` without changing what it says.
fn pad(body: &mut Vec<u8>, bytes: usize) {
    const MEMBER: &[u8] = b",\"padding\":\"";
    if body.pop() == Some(b'}') {
        body.extend_from_slice(MEMBER);
        body.resize(body.len() + bytes.saturating_sub(MEMBER.len() + 1), b'x');
        body.extend_from_slice(b"\"}");
    }
}
