//! What happened, until the owner fetches it.

use std::collections::VecDeque;

use az3166_event::{CloudEvent, VirtualTime};

use crate::retention::Retention;

/// Events and the plain text that clients sent.
#[derive(Debug)]
pub(super) struct Journal {
    events: Vec<(VirtualTime, CloudEvent)>,
    plaintext: VecDeque<(u32, Vec<u8>)>,
    plaintext_bytes: usize,
    client_certificates: VecDeque<(VirtualTime, Vec<u8>)>,
    retention: Retention,
}

impl Journal {
    pub(super) fn new(retention: Retention) -> Self {
        Self {
            events: Vec::new(),
            plaintext: VecDeque::new(),
            plaintext_bytes: 0,
            client_certificates: VecDeque::new(),
            retention,
        }
    }

    pub(super) fn note(&mut self, at: VirtualTime, event: CloudEvent) {
        self.events.push((at, event));
    }

    pub(super) fn note_plaintext(&mut self, connection: u32, bytes: &[u8]) {
        self.plaintext_bytes += bytes.len();
        match self.plaintext.back_mut() {
            Some((last, text)) if *last == connection => text.extend_from_slice(bytes),
            _ => self.plaintext.push_back((connection, bytes.to_vec())),
        }
        while self.plaintext_bytes > self.retention.plaintext {
            let Some((_, oldest)) = self.plaintext.pop_front() else {
                return;
            };
            self.plaintext_bytes -= oldest.len();
        }
    }

    pub(super) fn note_client_certificate(&mut self, at: VirtualTime, der: &[u8]) {
        if self.client_certificates.len() >= self.retention.client_certificates {
            self.client_certificates.pop_front();
        }
        self.client_certificates.push_back((at, der.to_vec()));
        // So that they are one slice; moves them once in as many rounds as there are.
        self.client_certificates.make_contiguous();
    }

    pub(super) fn client_certificates(&self) -> &[(VirtualTime, Vec<u8>)] {
        self.client_certificates.as_slices().0
    }

    pub(super) fn drain(&mut self) -> Vec<(VirtualTime, CloudEvent)> {
        core::mem::take(&mut self.events)
    }

    pub(super) fn take_plaintext(&mut self) -> Vec<(u32, Vec<u8>)> {
        self.plaintext_bytes = 0;
        core::mem::take(&mut self.plaintext).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_keeps_the_latest() {
        let retention = Retention {
            client_certificates: 2,
            plaintext: 5,
            ..Retention::SERVICE
        };
        let mut journal = Journal::new(retention);
        for number in 0..5u8 {
            journal.note_client_certificate(VirtualTime::ZERO, &[number]);
            journal.note_plaintext(number.into(), &[number, number]);
        }
        let kept: Vec<&[u8]> = journal
            .client_certificates()
            .iter()
            .map(|(_, der)| der.as_slice())
            .collect();
        assert_eq!(kept, [[3], [4]]);
        let expected = [(3, vec![3, 3]), (4, vec![4, 4])];
        assert_eq!(journal.take_plaintext(), expected);
        assert!(journal.take_plaintext().is_empty());
    }
}
