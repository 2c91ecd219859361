//! Frames (RFC 6455 section 5), by tungstenite over memory.

use std::io::{self, ErrorKind, Read, Write};

use tungstenite::error::{Error, ProtocolError};
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tungstenite::{Message, WebSocket};

/// The largest message and the largest frame: the largest MQTT packet and then some, as a message
/// may hold several packets.
const MESSAGE_LIMIT: usize = 512 * 1024;
/// What each connection reads into, whether it is used or not.
const READ_BUFFER: usize = 4096;

/// The frames of one connection.
pub(crate) struct Frames(WebSocket<Memory>);

/// Why no more frames follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The client closed the connection.
    Closed,
    /// The client broke the protocol.
    Violation(String),
}

impl Frames {
    /// Begins after the opening handshake.
    pub(crate) fn new() -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_message_size(Some(MESSAGE_LIMIT))
            .max_frame_size(Some(MESSAGE_LIMIT));
        Self(WebSocket::from_raw_socket(
            Memory::default(),
            Role::Server,
            Some(config),
        ))
    }

    /// Takes bytes from the client; returns what its binary messages hold, and whether that was
    /// the end. Pings and the closing handshake are answered in the output.
    pub(crate) fn receive(&mut self, bytes: &[u8]) -> (Vec<u8>, Option<Ended>) {
        self.0.get_mut().input.extend_from_slice(bytes);
        let mut payload = Vec::new();
        let ended = loop {
            match self.0.read() {
                Ok(Message::Binary(data)) => payload.extend_from_slice(&data),
                // MQTT travels in binary frames alone (MQTT 3.1.1 section 6).
                Ok(Message::Text(_)) => {
                    self.close(CloseCode::Unsupported);
                    break Some(Ended::Violation("a text message".to_owned()));
                }
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_)) => {
                }
                Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => break None,
                Err(Error::ConnectionClosed | Error::AlreadyClosed) => break Some(Ended::Closed),
                Err(error) => {
                    self.close(close_code(&error));
                    break Some(Ended::Violation(error.to_string()));
                }
            }
        };
        // Answers to pings are queued; memory takes them at once.
        let _ = self.0.flush();
        self.0.get_mut().forget_read();
        (payload, ended)
    }

    /// Sends `payload` as one binary message.
    pub(crate) fn send(&mut self, payload: Vec<u8>) {
        if !payload.is_empty() {
            // Fails only after the closing handshake, when nobody listens.
            let _ = self.0.send(Message::Binary(payload.into()));
        }
    }

    /// Begins the closing handshake, as the service that is done.
    pub(crate) fn close_normally(&mut self) {
        self.close(CloseCode::Normal);
    }

    /// Bytes for the client.
    pub(crate) fn take_output(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.0.get_mut().output)
    }

    fn close(&mut self, code: CloseCode) {
        let reason = "".into();
        // Fails only when the connection was closed before.
        let _ = self.0.close(Some(CloseFrame { code, reason }));
        let _ = self.0.flush();
    }
}

/// The status code for what went wrong (RFC 6455 section 7.4.1).
fn close_code(error: &Error) -> CloseCode {
    match error {
        Error::Capacity(_) => CloseCode::Size,
        Error::Utf8(_) => CloseCode::Invalid,
        Error::Protocol(ProtocolError::InvalidCloseSequence) => CloseCode::Protocol,
        _ => CloseCode::Protocol,
    }
}

/// A stream that lies in memory: what it has not got yet would block.
#[derive(Debug, Default)]
struct Memory {
    input: Vec<u8>,
    read: usize,
    output: Vec<u8>,
}

impl Memory {
    fn forget_read(&mut self) {
        self.input.drain(..self.read);
        self.read = 0;
    }
}

impl Read for Memory {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut rest = &self.input[self.read..];
        if rest.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        let count = rest.read(buffer)?;
        self.read += count;
        Ok(count)
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 6455 section 5.7: "Hello" masked, in one frame.
    const HELLO: &[u8] = b"\x82\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";

    #[test]
    fn messages_pings_and_the_end() {
        let mut frames = Frames::new();
        let (first, second) = HELLO.split_at(4);
        assert_eq!(frames.receive(first), (vec![], None));
        assert_eq!(frames.receive(second), (b"Hello".to_vec(), None));
        frames.send(b"Hello".to_vec());
        assert_eq!(frames.take_output(), b"\x82\x05Hello");
        let ping = b"\x89\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
        assert_eq!(frames.receive(ping), (vec![], None));
        assert_eq!(frames.take_output(), b"\x8a\x05Hello");
        let close = b"\x88\x82\0\0\0\0\x03\xe8";
        assert_eq!(frames.receive(close), (vec![], Some(Ended::Closed)));
        assert_eq!(frames.take_output(), b"\x88\x02\x03\xe8");
    }

    #[test]
    fn fragments_are_one_message() {
        let mut frames = Frames::new();
        let fragments = b"\x02\x81\0\0\0\0a\x80\x81\0\0\0\0b";
        assert_eq!(frames.receive(fragments), (b"ab".to_vec(), None));
    }

    #[test]
    fn violations_are_told_by_their_codes() {
        let cases: [(&[u8], u16); 4] = [
            (b"\x81\x81\0\0\0\0a", 1003),
            (b"\x82\x01a", 1002),
            (b"\x83\x80\0\0\0\0", 1002),
            (b"\x82\xff\0\0\0\0\0\x08\0\x01\0\0\0\0", 1009),
        ];
        for (bytes, code) in cases {
            let mut frames = Frames::new();
            let (payload, ended) = frames.receive(bytes);
            assert!(payload.is_empty() && matches!(ended, Some(Ended::Violation(_))));
            let output = frames.take_output();
            assert_eq!(output[..2], [0x88, 2], "{ended:?}");
            assert_eq!(output[2..], code.to_be_bytes(), "{ended:?}");
        }
    }
}
