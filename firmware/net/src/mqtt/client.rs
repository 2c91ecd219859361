//! The client's end of an MQTT connection: bytes in, packets out, acknowledgements by itself.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::packet::{self, Error, Incoming, Outgoing, TooLong};

/// Keep alive, in seconds: the server drops a client that is silent for half as long again.
pub const KEEP_ALIVE: u16 = 60;

/// One connection, from CONNECT on.
#[derive(Debug)]
pub struct Client {
    incoming: Vec<u8>,
    /// Bytes for the server, to be taken by the transport.
    pub outgoing: Vec<u8>,
}

impl Client {
    /// Starts a connection; the CONNECT packet lies in [`Client::outgoing`] afterwards.
    ///
    /// # Errors
    /// [`TooLong`] for a name that does not fit.
    pub fn connect(client_id: &str, user_name: &str) -> Result<Self, TooLong> {
        let mut client = Self {
            incoming: Vec::new(),
            outgoing: Vec::new(),
        };
        client.send(&Outgoing::Connect {
            client_id,
            user_name,
            keep_alive: KEEP_ALIVE,
        })?;
        Ok(client)
    }

    /// Puts a packet behind those that wait to be sent.
    ///
    /// # Errors
    /// [`TooLong`] for text that does not fit.
    pub fn send(&mut self, packet: &Outgoing<'_>) -> Result<(), TooLong> {
        self.outgoing.extend(packet.encode()?);
        Ok(())
    }

    /// Takes bytes of the server.
    pub fn push(&mut self, bytes: &[u8]) {
        self.incoming.extend_from_slice(bytes);
    }

    /// The next complete packet. A message with QoS 1 is acknowledged.
    ///
    /// # Errors
    /// [`Error`] when the stream cannot be understood any more.
    pub fn next_packet(&mut self) -> Result<Option<Incoming>, Error> {
        let Some((packet, length)) = packet::decode(&self.incoming)? else {
            return Ok(None);
        };
        self.incoming.drain(..length);
        if let Incoming::Publish(message) = &packet
            && let Some(packet_id) = message.packet_id
        {
            // It holds no text that could be too long.
            let _ = self.send(&Outgoing::PublishAck(packet_id));
        }
        Ok(Some(packet))
    }

    /// Whether a packet has begun that is not complete.
    pub fn is_partial(&self) -> bool {
        !self.incoming.is_empty()
    }
}

/// CONNACK's return code in words (MQTT 3.1.1 table 3.1).
pub fn refusal(code: u8) -> String {
    let meaning = match code {
        1 => "unacceptable protocol version",
        2 => "identifier rejected",
        3 => "server unavailable",
        4 => "bad user name or password",
        5 => "not authorized",
        _ => "reserved code",
    };
    format!("CONNACK {code}, {meaning}")
}
