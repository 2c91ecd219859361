//! Records as people read them.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use az3166_event::CloudEvent;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use super::{Happening, Incident, Record};

const TIME_OF_DAY: &[BorrowedFormatItem<'_>] =
    format_description!("[hour]:[minute]:[second].[subsecond digits:3]");

/// Longer texts are cut in a line.
const LONGEST: usize = 160;

/// Longer paths and topics are cut, so that what came of them is seen.
const LONGEST_PATH: usize = 100;

/// A record in pieces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parts {
    /// The time of day in UTC.
    pub(crate) time: String,
    /// The connection's number, where there is one.
    pub(crate) connection: Option<u32>,
    /// What it is about, in one word.
    pub(crate) topic: String,
    /// What happened.
    pub(crate) text: String,
    /// How it went.
    pub(crate) tone: Tone,
}

/// How something went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Plain,
    Bad,
}

impl Tone {
    fn style(self) -> Style {
        match self {
            Self::Good => AnsiColor::Green.on_default(),
            Self::Plain => Style::new(),
            Self::Bad => AnsiColor::Red.on_default(),
        }
    }
}

/// The record as a line, with ANSI colours.
pub(super) fn line(record: &Record) -> String {
    let parts = Parts::of(record);
    let dim = Style::new().dimmed();
    let style = parts.tone.style();
    let mut line = format!("{dim}{}{dim:#} ", parts.time);
    let connection = parts.connection.map(|number| format!("#{number}"));
    // Writing to a string does not fail.
    let _ = write!(
        line,
        "{dim}{:>6}{dim:#} {:<10} {style}{}{style:#}",
        connection.unwrap_or_default(),
        parts.topic,
        parts.text
    );
    line
}

impl Parts {
    pub(crate) fn of(record: &Record) -> Self {
        let (connection, topic, text, tone) = match &record.happening {
            Happening::Cloud(event) => cloud(event),
            Happening::Serve(incident) => serve(incident),
        };
        Self {
            time: record.time.format(TIME_OF_DAY).unwrap_or_default(),
            connection,
            topic: topic.into(),
            text: printable(&text),
            tone,
        }
    }
}

type Told = (Option<u32>, &'static str, String, Tone);

fn serve(incident: &Incident) -> Told {
    match incident {
        Incident::Ready(ready) => {
            let text = format!("https {}, mqtt {}", ready.https, ready.mqtt);
            (None, "ready", text, Tone::Good)
        }
        Incident::Opened {
            connection,
            peer,
            port,
        } => (
            Some(*connection),
            "tcp",
            format!("{port} from {peer}"),
            Tone::Plain,
        ),
        Incident::Refused { peer, reason } => {
            (None, "refused", format!("{peer}: {reason}"), Tone::Bad)
        }
        Incident::GivenUp { connection, reason } => {
            (Some(*connection), "given up", reason.clone(), Tone::Bad)
        }
        Incident::Warning { text } => (None, "warning", text.clone(), Tone::Bad),
        Incident::Note { text } => (None, "note", text.clone(), Tone::Plain),
    }
}

fn cloud(event: &CloudEvent) -> Told {
    match event {
        CloudEvent::TlsEstablished {
            connection,
            server_name,
            version,
            suite,
            client_certificate_sha256,
            ..
        } => {
            let name = server_name.as_deref().unwrap_or("no server name");
            let client = match client_certificate_sha256 {
                Some(digest) => format!("client certificate {}…", digest.get(..16).unwrap_or("")),
                None => "no client certificate".into(),
            };
            let text = format!("{version} {suite} {name}, {client}");
            (Some(*connection), "tls", text, Tone::Plain)
        }
        CloudEvent::TlsFailed { connection, reason } => {
            (Some(*connection), "tls", reason.clone(), Tone::Bad)
        }
        CloudEvent::Http {
            connection,
            method,
            path,
            api_version,
            status,
            error_code,
            retry_after,
        } => {
            let mut text = request(method, path, api_version.as_deref());
            let _ = write!(text, " -> {status}");
            if let Some(code) = error_code {
                let _ = write!(text, " ({code})");
            }
            if let Some(retry_after) = retry_after {
                let _ = write!(text, ", Retry-After {retry_after}");
            }
            let tone = match status {
                200..400 => Tone::Plain,
                _ => Tone::Bad,
            };
            (Some(*connection), "http", text, tone)
        }
        CloudEvent::HttpUnanswered {
            connection,
            method,
            path,
            api_version,
        } => {
            let text = request(method, path, api_version.as_deref()) + " -> no answer";
            (Some(*connection), "http", text, Tone::Bad)
        }
        CloudEvent::Registration {
            registration_id,
            state,
            device_id,
            assigned_hub,
            substatus,
            error_code,
            ..
        } => {
            let mut text = format!("{registration_id} {state}");
            if let (Some(hub), Some(device)) = (assigned_hub, device_id) {
                let _ = write!(text, " to {hub} as {device}");
            }
            if let Some(substatus) = substatus {
                let _ = write!(text, ", {substatus}");
            }
            if let Some(code) = error_code {
                let _ = write!(text, " ({code})");
            }
            let tone = match state.as_str() {
                "assigned" => Tone::Good,
                "assigning" => Tone::Plain,
                _ => Tone::Bad,
            };
            (None, "register", text, tone)
        }
        CloudEvent::MqttExchange {
            connection,
            topic,
            status,
            error_code,
            retry_after,
            ..
        } => {
            // What follows is a number that only programs need.
            let name = topic.split("/?$rid=").next().unwrap_or(topic);
            let mut text = format!("{} -> {status}", cut(name));
            if let Some(code) = error_code {
                let _ = write!(text, " ({code})");
            }
            if let Some(retry_after) = retry_after {
                let _ = write!(text, ", retry-after {retry_after}");
            }
            let tone = match status {
                200..400 => Tone::Plain,
                _ => Tone::Bad,
            };
            (Some(*connection), "mqtt", text, tone)
        }
        CloudEvent::RegistrationDisconnect {
            connection,
            client_id,
            reason,
        } => {
            let text = format!("{client_id} disconnected: {reason}");
            (Some(*connection), "mqtt", text, Tone::Plain)
        }
        CloudEvent::CloudToDevice {
            device_id,
            message_id,
            outcome,
        } => {
            let text = format!("{device_id} message {message_id} {outcome}");
            (None, "c2d", text, Tone::Plain)
        }
        CloudEvent::DirectMethod {
            device_id,
            method,
            status,
            error_code,
        } => {
            let mut text = format!("{device_id} {method}");
            let tone = match (status, error_code) {
                (Some(status), _) => {
                    let _ = write!(text, " -> {status}");
                    Tone::Plain
                }
                (None, code) => {
                    let _ = write!(text, " failed ({})", code.unwrap_or_default());
                    Tone::Bad
                }
            };
            (None, "method", text, tone)
        }
        CloudEvent::RegistrationConnect {
            connection,
            client_id,
            return_code,
            error,
            ..
        }
        | CloudEvent::MqttConnect {
            connection,
            client_id,
            return_code,
            error,
            ..
        } => {
            let mut text = format!("{client_id} -> CONNACK {return_code}");
            if let Some(error) = error {
                let _ = write!(text, ", {error}");
            }
            let tone = match return_code {
                0 => Tone::Good,
                _ => Tone::Bad,
            };
            (Some(*connection), "mqtt", text, tone)
        }
        CloudEvent::Telemetry {
            device_id,
            body,
            properties,
        } => {
            let mut text = format!("{device_id} {body}");
            if !properties.is_empty() {
                let _ = write!(text, " [{properties}]");
            }
            (None, "telemetry", text, Tone::Plain)
        }
        CloudEvent::Twin {
            device_id,
            operation,
        } => (
            None,
            "twin",
            format!("{device_id} {operation}"),
            Tone::Plain,
        ),
        CloudEvent::MqttDisconnect { device_id, reason } => {
            let text = format!("{device_id} disconnected: {reason}");
            (None, "mqtt", text, Tone::Plain)
        }
        CloudEvent::Registry {
            device_id,
            connection_state,
            ..
        } => {
            let text = format!("{device_id} {connection_state}");
            (None, "registry", text, Tone::Plain)
        }
        CloudEvent::Fault { fault } => (None, "fault", fault.clone(), Tone::Bad),
    }
}

fn request(method: &str, path: &str, api_version: Option<&str>) -> String {
    let version = api_version.unwrap_or("no api-version");
    match (method, path) {
        ("", "") => "malformed request".into(),
        _ => format!("{} {} ({})", cut(method), cut(path), cut(version)),
    }
}

/// The beginning of a text that may be very long.
fn cut(text: &str) -> String {
    let mut characters = text.chars();
    let mut begin: String = characters.by_ref().take(LONGEST_PATH).collect();
    if characters.next().is_some() {
        begin.push('…');
    }
    begin
}

/// The text without what would act on a terminal, and not too long.
fn printable(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars() {
        if shown.len() >= LONGEST {
            shown.push('…');
            break;
        }
        match character {
            '"' | '\'' | '\\' => shown.push(character),
            other if other.is_control() => shown.extend(other.escape_default()),
            other => shown.extend(other.escape_debug()),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_of_a_long_path_is_seen() {
        let event = CloudEvent::Http {
            connection: 1,
            method: "GET".into(),
            path: "/x".repeat(LONGEST),
            api_version: Some("2021-06-01".into()),
            status: 404,
            error_code: Some(404_201),
            retry_after: None,
        };
        let (_, _, text, tone) = cloud(&event);
        let shown = printable(&text);
        assert!(
            shown.ends_with("/x… (2021-06-01) -> 404 (404201)"),
            "{shown}"
        );
        assert_eq!(tone, Tone::Bad);
    }
}
