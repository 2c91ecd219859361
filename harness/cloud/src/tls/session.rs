//! One connection's TLS state: cipher text in and out, plain text in and out.

use std::io::{ErrorKind, Read as _, Write as _};

use rand_chacha::ChaCha20Rng;
use rustls::ServerConnection;
use rustls::server::Acceptor;

use super::{Endpoint, Randomness};
use crate::pki::CertificateFault;

/// What the handshake agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Established {
    pub(crate) server_name: Option<String>,
    /// `TLSv1.2`.
    pub(crate) version: String,
    /// The suite's IANA name.
    pub(crate) suite: String,
    /// The client's certificates in DER as it sent them, the leaf first; the leaf's key signed the
    /// handshake. Empty without one.
    pub(crate) client_chain: Vec<Vec<u8>>,
}

/// What came of some received bytes.
#[derive(Debug, Default)]
pub(crate) struct Status {
    /// The handshake was completed.
    pub(crate) established: Option<Established>,
    /// Plain text from the client.
    pub(crate) plaintext: Vec<u8>,
    /// The client said that it sends no more.
    pub(crate) finished: bool,
}

/// One connection's TLS state.
pub(crate) struct Session {
    state: State,
    generator: ChaCha20Rng,
    randomness: Randomness,
    /// Received while the owner had not yet answered the first message.
    held: Vec<u8>,
    output: Vec<u8>,
}

enum State {
    Hello(Box<Acceptor>),
    Decide(Box<rustls::server::Accepted>),
    Running {
        connection: Box<ServerConnection>,
        established: bool,
    },
    Ended,
}

impl Session {
    /// A connection whose handshake has not begun.
    pub(crate) fn new(endpoint: &Endpoint, generator: ChaCha20Rng) -> Self {
        Self {
            state: State::Hello(Box::default()),
            generator,
            randomness: endpoint.randomness(),
            held: Vec::new(),
            output: Vec::new(),
        }
    }

    /// Whether the client's first message is complete, so that [`accept`](Self::accept) or
    /// [`refuse`](Self::refuse) must follow.
    pub(crate) fn has_hello(&self) -> bool {
        matches!(self.state, State::Decide(_))
    }

    /// The server name of the client's first message, before it is answered.
    pub(crate) fn requested_name(&self) -> Option<String> {
        match &self.state {
            State::Decide(accepted) => accepted.client_hello().server_name().map(str::to_owned),
            _ => None,
        }
    }

    /// Takes cipher text from the client.
    ///
    /// # Errors
    /// The reason in words; the alert for the client lies in the output.
    pub(crate) fn receive(&mut self, bytes: &[u8]) -> Result<Status, String> {
        match &mut self.state {
            State::Hello(_) => self.receive_hello(bytes),
            State::Decide(_) => {
                self.held.extend_from_slice(bytes);
                Ok(Status::default())
            }
            State::Running { .. } => self.run(bytes),
            State::Ended => Ok(Status::default()),
        }
    }

    /// Goes on with the handshake after the client's first message.
    ///
    /// # Errors
    /// The reason in words; the alert for the client lies in the output.
    pub(crate) fn accept(
        &mut self,
        endpoint: &Endpoint,
        fault: Option<CertificateFault>,
    ) -> Result<Status, String> {
        let State::Decide(accepted) = core::mem::replace(&mut self.state, State::Ended) else {
            return Err("the client's first message is not complete".into());
        };
        let config = endpoint
            .server_config(fault)
            .ok_or("the server has no certificate with this fault")?;
        let randomness = self.randomness;
        let connection = randomness
            .during(&mut self.generator, || accepted.into_connection(config))
            .map_err(|(error, alert)| self.fail(&error, alert))?;
        let mut connection = Box::new(connection);
        connection.set_buffer_limit(None);
        self.state = State::Running {
            connection,
            established: false,
        };
        let held = core::mem::take(&mut self.held);
        self.run(&held)
    }

    /// Ends the handshake with a fatal alert (RFC 5246 section 7.2) before it is encrypted.
    pub(crate) fn refuse(&mut self, description: u8) {
        const ALERT: u8 = 21;
        const TLS_1_2: [u8; 2] = [3, 3];
        const FATAL: u8 = 2;
        self.state = State::Ended;
        self.output
            .extend([ALERT, TLS_1_2[0], TLS_1_2[1], 0, 2, FATAL, description]);
    }

    /// Encrypts `plaintext` for the client; without effect before the handshake is completed.
    pub(crate) fn send(&mut self, plaintext: &[u8]) {
        if let State::Running { connection, .. } = &mut self.state {
            // Without a buffer limit a write takes everything.
            let _ = connection.writer().write_all(plaintext);
            self.drain();
        }
    }

    /// Tells the client that no more follows.
    pub(crate) fn close_notify(&mut self) {
        if let State::Running { connection, .. } = &mut self.state {
            connection.send_close_notify();
            self.drain();
        }
    }

    /// Cipher text for the client.
    pub(crate) fn take_output(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.output)
    }

    /// Whether the handshake was completed.
    pub(crate) fn is_established(&self) -> bool {
        matches!(
            self.state,
            State::Running {
                established: true,
                ..
            }
        )
    }

    fn receive_hello(&mut self, mut bytes: &[u8]) -> Result<Status, String> {
        let State::Hello(acceptor) = &mut self.state else {
            return Ok(Status::default());
        };
        while !bytes.is_empty() {
            acceptor
                .read_tls(&mut bytes)
                .map_err(|error| error.to_string())?;
            match acceptor.accept() {
                Ok(None) => {}
                Ok(Some(accepted)) => {
                    self.state = State::Decide(Box::new(accepted));
                    self.held = bytes.to_vec();
                    return Ok(Status::default());
                }
                Err((error, alert)) => return Err(self.fail(&error, alert)),
            }
        }
        Ok(Status::default())
    }

    fn run(&mut self, mut bytes: &[u8]) -> Result<Status, String> {
        let mut status = Status::default();
        let randomness = self.randomness;
        loop {
            let State::Running { connection, .. } = &mut self.state else {
                return Ok(status);
            };
            if !bytes.is_empty() {
                connection
                    .read_tls(&mut bytes)
                    .map_err(|error| error.to_string())?;
            }
            let result =
                randomness.during(&mut self.generator, || connection.process_new_packets());
            self.drain();
            if let Err(error) = result {
                self.state = State::Ended;
                return Err(error.to_string());
            }
            self.read_plaintext(&mut status);
            self.note_established(&mut status);
            if bytes.is_empty() {
                return Ok(status);
            }
        }
    }

    fn read_plaintext(&mut self, status: &mut Status) {
        let State::Running { connection, .. } = &mut self.state else {
            return;
        };
        let mut chunk = [0; 4096];
        loop {
            match connection.reader().read(&mut chunk) {
                Ok(0) => {
                    status.finished = true;
                    return;
                }
                Ok(count) => status.plaintext.extend_from_slice(&chunk[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => return,
            }
        }
    }

    fn note_established(&mut self, status: &mut Status) {
        let State::Running {
            connection,
            established,
        } = &mut self.state
        else {
            return;
        };
        if *established || connection.is_handshaking() {
            return;
        }
        *established = true;
        let suite = connection.negotiated_cipher_suite();
        let version = connection.protocol_version();
        let chain = connection.peer_certificates().unwrap_or_default();
        status.established = Some(Established {
            server_name: connection.server_name().map(str::to_owned),
            version: version.map_or_else(String::new, |version| match version {
                rustls::ProtocolVersion::TLSv1_2 => "TLSv1.2".into(),
                rustls::ProtocolVersion::TLSv1_3 => "TLSv1.3".into(),
                other => format!("{other:?}"),
            }),
            suite: suite.map_or_else(String::new, |suite| format!("{:?}", suite.suite())),
            client_chain: chain.iter().map(|each| each.to_vec()).collect(),
        });
    }

    fn drain(&mut self) {
        if let State::Running { connection, .. } = &mut self.state {
            // Writing into a vector cannot fail.
            while connection.wants_write() && connection.write_tls(&mut self.output).is_ok() {}
        }
    }

    fn fail(&mut self, error: &rustls::Error, mut alert: rustls::server::AcceptedAlert) -> String {
        self.state = State::Ended;
        // Writing into a vector cannot fail.
        let _ = alert.write_all(&mut self.output);
        error.to_string()
    }
}
