//! A DER writer (X.690) that fills its buffer from the end: when a value's header is written, its
//! length is known.

/// Encoded DER, at the end of a buffer of `N` bytes.
#[derive(Clone)]
pub struct Der<const N: usize> {
    buffer: [u8; N],
    start: usize,
}

impl<const N: usize> Der<N> {
    /// The encoding.
    pub fn as_bytes(&self) -> &[u8] {
        &self.buffer[self.start..]
    }
}

pub struct Writer<const N: usize>(Der<N>);

const BOOLEAN: u8 = 0x01;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTF8_STRING: u8 = 0x0C;
const UTC_TIME: u8 = 0x17;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const CONTEXT_CONSTRUCTED: u8 = 0xA0;

impl<const N: usize> Writer<N> {
    pub fn new() -> Self {
        Self(Der {
            buffer: [0; N],
            start: N,
        })
    }

    pub fn finish(self) -> Der<N> {
        self.0
    }

    /// Puts bytes in front of what is there. The callers' sizes are bounded, so it fits.
    pub fn raw(&mut self, bytes: &[u8]) {
        let der = &mut self.0;
        let end = der.start;
        der.start = end - bytes.len();
        der.buffer[der.start..end].copy_from_slice(bytes);
    }

    fn value(&mut self, tag: u8, content: impl FnOnce(&mut Self)) {
        let end = self.0.start;
        content(self);
        match end - self.0.start {
            length @ 0..=0x7F => self.raw(&[length as u8]),
            length @ 0x80..=0xFF => self.raw(&[0x81, length as u8]),
            length => self.raw(&[0x82, (length >> 8) as u8, length as u8]),
        }
        self.raw(&[tag]);
    }

    pub fn sequence(&mut self, content: impl FnOnce(&mut Self)) {
        self.value(SEQUENCE, content);
    }

    pub fn set(&mut self, content: impl FnOnce(&mut Self)) {
        self.value(SET, content);
    }

    pub fn constructed(&mut self, number: u8, content: impl FnOnce(&mut Self)) {
        self.value(CONTEXT_CONSTRUCTED | number, content);
    }

    pub fn octet_string(&mut self, content: impl FnOnce(&mut Self)) {
        self.value(OCTET_STRING, content);
    }

    /// A BIT STRING of whole bytes.
    pub fn bit_string(&mut self, content: impl FnOnce(&mut Self)) {
        self.value(BIT_STRING, |w| {
            content(w);
            w.raw(&[0]);
        });
    }

    /// A non-negative INTEGER from big-endian bytes, minimal as DER wants it.
    pub fn unsigned(&mut self, bytes: &[u8]) {
        let zeros = bytes
            .iter()
            .take_while(|&&byte| byte == 0)
            .count()
            .min(bytes.len() - 1);
        let bytes = &bytes[zeros..];
        self.value(INTEGER, |w| {
            w.raw(bytes);
            if bytes[0] >= 0x80 {
                w.raw(&[0]);
            }
        });
    }

    pub fn boolean_true(&mut self) {
        self.value(BOOLEAN, |w| w.raw(&[0xFF]));
    }

    pub fn oid(&mut self, encoded: &[u8]) {
        self.value(OBJECT_IDENTIFIER, |w| w.raw(encoded));
    }

    pub fn utf8_string(&mut self, text: &[u8]) {
        self.value(UTF8_STRING, |w| w.raw(text));
    }

    pub fn utc_time(&mut self, text: &[u8]) {
        self.value(UTC_TIME, |w| w.raw(text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(write: impl FnOnce(&mut Writer<600>), expected_start: &[u8]) {
        let mut writer = Writer::new();
        write(&mut writer);
        let der = writer.finish();
        assert_eq!(&der.as_bytes()[..expected_start.len()], expected_start);
    }

    #[test]
    fn lengths_take_their_shortest_form() {
        check(|w| w.utf8_string(&[b'x'; 0x7F]), &[0x0C, 0x7F, b'x']);
        check(|w| w.utf8_string(&[b'x'; 0x80]), &[0x0C, 0x81, 0x80, b'x']);
        check(
            |w| w.utf8_string(&[b'x'; 0x100]),
            &[0x0C, 0x82, 0x01, 0x00, b'x'],
        );
    }

    #[test]
    fn integers_are_minimal_and_not_negative() {
        check(|w| w.unsigned(&[0, 0, 1]), &[2, 1, 1]);
        check(|w| w.unsigned(&[0x80]), &[2, 2, 0, 0x80]);
        check(|w| w.unsigned(&[0, 0x7F]), &[2, 1, 0x7F]);
        check(|w| w.unsigned(&[0]), &[2, 1, 0]);
    }
}
