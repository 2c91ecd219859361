//! Every place where a secret could come out: searched first, masked after.

use std::collections::BTreeSet;

use az3166_event::{FindingEvent, LeakDetector, Payload, Tap};

/// The leak detector over all taps, and what it found.
#[derive(Default)]
pub struct Taps {
    detector: LeakDetector,
    seen: BTreeSet<(Tap, String)>,
    found: Vec<Payload>,
}

impl Taps {
    /// Watches for `secret`, called `name`, from now on.
    pub fn watch(&mut self, name: &str, secret: &[u8]) {
        self.detector.watch(name, secret);
    }

    /// `text` without secrets.
    pub fn mask(&self, text: &str) -> String {
        self.detector.mask(text)
    }

    /// `bytes` without secrets.
    pub fn mask_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        self.detector.mask_bytes(bytes)
    }

    /// `bytes` with secrets overwritten, as long as before.
    pub fn blank_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        self.detector.blank_bytes(bytes)
    }

    /// Looks at what the device printed.
    pub fn console_output(&mut self, bytes: &[u8]) {
        self.scan(Tap::ConsoleOutput, bytes);
    }

    /// Looks at a packet from the device.
    pub fn packet_from_device(&mut self, packet: &[u8]) {
        self.scan(Tap::NetworkFromDevice, packet);
    }

    /// Looks at what the device said inside TLS.
    pub fn cloud_from_device(&mut self, plaintext: &[u8]) {
        self.scan(Tap::CloudFromDevice, plaintext);
    }

    /// Looks at what the display shows.
    pub fn display(&mut self, lines: &[String]) {
        self.scan(Tap::Display, lines.concat().as_bytes());
    }

    /// `payload` without secrets, whatever kind it is.
    pub fn mask_payload(&mut self, payload: Payload) -> Payload {
        let Ok(text) = serde_json::to_string(&payload) else {
            return payload;
        };
        let masked = self.detector.mask(&text);
        // A mask holds no character that JSON would have to escape, so the text stays JSON.
        if masked == text {
            payload
        } else {
            serde_json::from_str(&masked).unwrap_or(payload)
        }
    }

    /// The findings since the last call, one for each secret and tap.
    pub fn take_leaks(&mut self) -> Vec<Payload> {
        core::mem::take(&mut self.found)
    }

    fn scan(&mut self, tap: Tap, bytes: &[u8]) {
        for leak in self.detector.scan(tap, bytes) {
            if !self.seen.insert((tap, leak.name.clone())) {
                continue;
            }
            let place = match tap {
                Tap::ConsoleOutput => "on the console",
                Tap::NetworkFromDevice => "in a network packet",
                Tap::CloudFromDevice => "in data sent to the cloud",
                Tap::Display => "on the display",
                Tap::Report => "in a report",
            };
            let text = format!(
                "the device showed its {} ({}) {place}, written as {}",
                leak.name, leak.fingerprint, leak.form
            );
            let id = "secret-leak".into();
            self.found
                .push(Payload::Finding(FindingEvent::Finding { id, text }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use az3166_event::ConsoleEvent;

    #[test]
    fn a_leak_is_found_once_a_tap_and_masked_in_events() {
        let secret = [0xA5u8; 32];
        let hex = "a5".repeat(32);
        let mut taps = Taps::default();
        taps.watch("UDS", &secret);
        taps.console_output(hex.as_bytes());
        taps.console_output(hex.as_bytes());
        taps.packet_from_device(&secret);
        assert_eq!(taps.take_leaks().len(), 2);
        let line = Payload::Console(ConsoleEvent::Line {
            text: format!("key \"{hex}\""),
        });
        let masked = taps.mask_payload(line);
        assert!(!serde_json::to_string(&masked).unwrap().contains(&hex));
        assert!(
            matches!(masked, Payload::Console(ConsoleEvent::Line { text }) if text.contains("<UDS "))
        );
    }
}
