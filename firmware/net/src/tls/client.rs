//! One TLS connection as bytes in and bytes out.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use rustls::ClientConfig;
use rustls::client::{Resumption, UnbufferedClientConnection};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::time_provider::TimeProvider;
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncryptError, InsufficientSizeError, UnbufferedStatus,
};

use super::provider::{AliasKey, Crypto};
use super::trust::TrustAnchors;

/// The largest handshake flight in memory: one record of 2^14 bytes, the expansion that RFC 5246
/// section 6.2.3 allows, and the header.
const MAX_RECORD: usize = (1 << 14) + 2048 + HEADER;

/// The largest record with application data. A larger one cannot be part of an answer that the
/// device would take, so no memory is spent on it.
const MAX_DATA_RECORD: usize = 9 * 1024;

const HEADER: usize = 5;
const APPLICATION_DATA: u8 = 23;

/// Why a connection is over.
#[derive(Clone, Debug, PartialEq)]
pub enum Error {
    /// rustls refused; an alert for the server may be waiting in [`TlsClient::outgoing`].
    Tls(rustls::Error),
    /// The server sent an application data record that is larger than any expected answer.
    RecordTooLarge,
}

impl From<rustls::Error> for Error {
    fn from(error: rustls::Error) -> Self {
        Self::Tls(error)
    }
}

/// What all connections of one boot share.
#[derive(Clone, Debug)]
pub struct TlsConfig {
    crypto: Crypto,
    anchors: TrustAnchors,
    identity: Arc<SingleCertAndKey>,
}

impl TlsConfig {
    /// The client with `certificate` (DER) and its private key, a big-endian scalar; `None` when
    /// that is no private key of P-256.
    pub fn new(
        crypto: &Crypto,
        anchors: TrustAnchors,
        certificate: &[u8],
        key: &[u8; 32],
    ) -> Option<Self> {
        let key = AliasKey::from_scalar(key)?;
        let chain = vec![CertificateDer::from(certificate.to_vec())];
        let identity = SingleCertAndKey::from(CertifiedKey::new(chain, Arc::new(key)));
        Some(Self {
            crypto: crypto.clone(),
            anchors,
            identity: Arc::new(identity),
        })
    }
}

/// Certificates are judged at the time when the connection was opened.
#[derive(Debug)]
struct OpenedAt(UnixTime);

impl TimeProvider for OpenedAt {
    fn current_time(&self) -> Option<UnixTime> {
        Some(self.0)
    }
}

/// A TLS 1.2 client connection.
pub struct TlsClient {
    connection: UnbufferedClientConnection,
    /// Complete records that rustls still needs, because a handshake message goes on in the next
    /// one, then the record that is being received.
    incoming: Vec<u8>,
    /// Where in `incoming` the record that is being received starts.
    record: usize,
    /// Bytes for the server, to be taken by the transport.
    pub outgoing: Vec<u8>,
    /// Decrypted bytes of the server, to be taken by the application.
    pub plaintext: Vec<u8>,
    ready: bool,
    peer_closed: bool,
}

impl TlsClient {
    /// Opens a connection to `host` at the Unix time `unix_seconds`; the ClientHello lies in
    /// [`TlsClient::outgoing`] afterwards.
    ///
    /// # Errors
    /// When the name is no host name or the random source fails.
    pub fn new(config: &TlsConfig, host: &str, unix_seconds: u64) -> Result<Self, Error> {
        let name = ServerName::try_from(host)
            .map_err(|_| rustls::Error::General("the server's name is no host name".into()))?
            .to_owned();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(unix_seconds));
        let mut client =
            ClientConfig::builder_with_details(config.crypto.provider(), Arc::new(OpenedAt(now)))
                .with_protocol_versions(&[&rustls::version::TLS12])?
                .with_root_certificates(config.anchors.0.clone())
                .with_client_cert_resolver(config.identity.clone());
        client.resumption = Resumption::disabled();
        let mut tls = Self {
            connection: UnbufferedClientConnection::new(Arc::new(client), name)?,
            incoming: Vec::new(),
            record: 0,
            outgoing: Vec::new(),
            plaintext: Vec::new(),
            ready: false,
            peer_closed: false,
        };
        tls.process()?;
        Ok(tls)
    }

    /// Whether the handshake is done: the server proved its identity and application data flows.
    pub fn is_ready(&self) -> bool {
        self.ready
    }

    /// Whether the server has said that it sends no more.
    pub fn peer_closed(&self) -> bool {
        self.peer_closed
    }

    /// Takes bytes from the server. One call takes at most one record, so that the caller can
    /// look after other things between two expensive steps.
    ///
    /// Returns how many bytes were taken; fewer than given when a record was completed.
    ///
    /// # Errors
    /// [`Error`] ends the connection; an alert for the server may lie in
    /// [`TlsClient::outgoing`].
    pub fn receive(&mut self, bytes: &[u8]) -> Result<usize, Error> {
        let mut taken = 0;
        loop {
            let wanted = match self.incoming.get(self.record..self.record + HEADER) {
                None => HEADER,
                Some(header) => {
                    let length = HEADER + usize::from(u16::from_be_bytes([header[3], header[4]]));
                    let limit = if header[0] == APPLICATION_DATA {
                        MAX_DATA_RECORD
                    } else {
                        MAX_RECORD
                    };
                    if self.record + length > limit {
                        return Err(Error::RecordTooLarge);
                    }
                    length
                }
            };
            let missing = (self.record + wanted).saturating_sub(self.incoming.len());
            if missing == 0 {
                self.process()?;
                self.record = self.incoming.len();
                return Ok(taken);
            }
            let piece = &bytes[taken..];
            let piece = &piece[..piece.len().min(missing)];
            if piece.is_empty() {
                return Ok(taken);
            }
            self.incoming.reserve_exact(missing);
            self.incoming.extend_from_slice(piece);
            taken += piece.len();
        }
    }

    /// Encrypts `data` into [`TlsClient::outgoing`].
    ///
    /// # Errors
    /// When the handshake is not done or the connection was closed.
    pub fn send(&mut self, data: &[u8]) -> Result<(), Error> {
        self.write(|traffic, out| traffic.encrypt(data, out))
    }

    /// Puts a close_notify into [`TlsClient::outgoing`], when there is a connection to close.
    pub fn close(&mut self) {
        // A connection that cannot send a close_notify is closed already.
        let _ = self.write(|traffic, out| traffic.queue_close_notify(out));
    }

    fn write(
        &mut self,
        mut encrypt: impl FnMut(&mut Traffic<'_>, &mut [u8]) -> Result<usize, EncryptError>,
    ) -> Result<(), Error> {
        let UnbufferedStatus { state, .. } = self.connection.process_tls_records(&mut []);
        let ConnectionState::WriteTraffic(mut traffic) = state? else {
            return Err(rustls::Error::HandshakeNotComplete.into());
        };
        append(&mut self.outgoing, |out| match encrypt(&mut traffic, out) {
            Err(EncryptError::InsufficientSize(error)) => Err(Some(error)),
            Err(EncryptError::EncryptExhausted) => Err(None),
            Ok(length) => Ok(length),
        })
    }

    /// Lets rustls work on what has come in, until it needs more.
    fn process(&mut self) -> Result<(), Error> {
        let result = self.advance();
        if result.is_err() {
            // The second call, without anything to read, finds the alert that goes with the error.
            self.incoming.clear();
            let _ = self.advance();
        }
        result
    }

    fn advance(&mut self) -> Result<(), Error> {
        loop {
            let UnbufferedStatus { mut discard, state } =
                self.connection.process_tls_records(&mut self.incoming);
            let mut blocked = false;
            let result = state.map_err(Error::from).and_then(|state| {
                match state {
                    ConnectionState::ReadTraffic(mut traffic) => {
                        while let Some(record) = traffic.next_record() {
                            let record = record?;
                            discard += record.discard;
                            self.plaintext.extend_from_slice(record.payload);
                        }
                    }
                    ConnectionState::EncodeTlsData(mut data) => {
                        append(&mut self.outgoing, |out| match data.encode(out) {
                            Err(EncodeError::InsufficientSize(error)) => Err(Some(error)),
                            Err(EncodeError::AlreadyEncoded) => Err(None),
                            Ok(length) => Ok(length),
                        })?;
                    }
                    ConnectionState::TransmitTlsData(data) => data.done(),
                    ConnectionState::WriteTraffic(_) => (self.ready, blocked) = (true, true),
                    ConnectionState::PeerClosed => self.peer_closed = true,
                    ConnectionState::Closed => (self.peer_closed, blocked) = (true, true),
                    _ => blocked = true,
                }
                Ok(())
            });
            self.incoming.drain(..discard);
            if blocked || result.is_err() {
                return result;
            }
        }
    }
}

type Traffic<'c> = rustls::unbuffered::WriteTraffic<'c, rustls::client::ClientConnectionData>;

/// Lets `write` append to `buffer`: it is asked for the size first.
fn append(
    buffer: &mut Vec<u8>,
    mut write: impl FnMut(&mut [u8]) -> Result<usize, Option<InsufficientSizeError>>,
) -> Result<(), Error> {
    let start = buffer.len();
    let mut result = write(&mut []);
    if let Err(Some(InsufficientSizeError { required_size })) = result {
        buffer.resize(start + required_size, 0);
        result = write(&mut buffer[start..]);
    }
    buffer.truncate(start + result.as_ref().copied().unwrap_or(0));
    result
        .map(|_| ())
        .map_err(|_| rustls::Error::EncryptError.into())
}
