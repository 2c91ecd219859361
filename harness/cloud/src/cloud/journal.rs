//! What happened, until the owner fetches it.

use az3166_event::{CloudEvent, VirtualTime};

/// Events and the plain text that clients sent.
#[derive(Debug, Default)]
pub(super) struct Journal {
    events: Vec<(VirtualTime, CloudEvent)>,
    plaintext: Vec<(u32, Vec<u8>)>,
    client_certificates: Vec<(VirtualTime, Vec<u8>)>,
}

impl Journal {
    pub(super) fn note(&mut self, at: VirtualTime, event: CloudEvent) {
        self.events.push((at, event));
    }

    pub(super) fn note_plaintext(&mut self, connection: u32, bytes: &[u8]) {
        match self.plaintext.last_mut() {
            Some((last, text)) if *last == connection => text.extend_from_slice(bytes),
            _ => self.plaintext.push((connection, bytes.to_vec())),
        }
    }

    pub(super) fn note_client_certificate(&mut self, at: VirtualTime, der: &[u8]) {
        self.client_certificates.push((at, der.to_vec()));
    }

    pub(super) fn client_certificates(&self) -> &[(VirtualTime, Vec<u8>)] {
        &self.client_certificates
    }

    pub(super) fn drain(&mut self) -> Vec<(VirtualTime, CloudEvent)> {
        core::mem::take(&mut self.events)
    }

    pub(super) fn take_plaintext(&mut self) -> Vec<(u32, Vec<u8>)> {
        core::mem::take(&mut self.plaintext)
    }
}
