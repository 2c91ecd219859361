//! A TLS connection over TCP: what HTTP and MQTT run on.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::Ipv4Addr;

use smoltcp::iface::SocketHandle;
use smoltcp::socket::tcp;
use smoltcp::time::{Duration, Instant};

use crate::failure::{Failure, FailureKind};
use crate::stack::Stack;
use crate::tls::{self, TlsClient, TlsConfig};

/// How long a TCP connection may take: five attempts at a handshake.
const TCP_LIMIT: Duration = Duration::from_secs(20);
/// How long the TLS handshake may take.
const TLS_LIMIT: Duration = Duration::from_secs(25);
/// How long the last bytes of a closed connection may take.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);

/// Where a connection leads.
#[derive(Clone, Copy, Debug)]
pub struct Remote<'a> {
    /// The name that the server's certificate must be for.
    pub host: &'a str,
    /// Its address.
    pub address: Ipv4Addr,
    /// Its TCP port.
    pub port: u16,
    /// What it means when the server sends more at once than the device can hold.
    pub oversize: FailureKind,
}

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// Nothing, until packets come in.
    Idle,
    /// More has come in than was looked at.
    Busy,
}

/// One connection, from the first SYN on.
pub struct Channel {
    host: String,
    port: u16,
    oversize: FailureKind,
    socket: SocketHandle,
    tls: TlsClient,
    progress: Progress,
    /// When an unfinished set-up must be over.
    deadline: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Connecting { until: Instant },
    Handshaking { until: Instant },
    Ready,
}

impl Channel {
    /// Starts a connection from `local_port`; its set-up ends at `deadline` at the latest.
    /// Certificates are judged by the time `unix_seconds`.
    ///
    /// # Errors
    /// [`FailureKind::Random`] when there is no random number for the handshake.
    pub fn open(
        stack: &mut Stack,
        config: &TlsConfig,
        remote: Remote<'_>,
        local_port: u16,
        unix_seconds: u64,
        (now, deadline): (Instant, Instant),
    ) -> Result<Self, Failure> {
        let tls = TlsClient::new(config, remote.host, unix_seconds)
            .map_err(|error| tls::failure(remote.host, &error))?;
        let socket = stack.open_tcp(local_port, (remote.address, remote.port));
        let until = (now + TCP_LIMIT).min(deadline);
        Ok(Self {
            host: remote.host.into(),
            port: remote.port,
            oversize: remote.oversize,
            socket,
            tls,
            progress: Progress::Connecting { until },
            deadline,
        })
    }

    /// Whether the handshake is done.
    pub fn is_ready(&self) -> bool {
        self.progress == Progress::Ready
    }

    /// When the set-up gives up.
    pub fn next(&self) -> Option<Instant> {
        match self.progress {
            Progress::Connecting { until } | Progress::Handshaking { until } => Some(until),
            Progress::Ready => None,
        }
    }

    /// Moves bytes between the socket, TLS and the application, at most one TLS record at a time.
    ///
    /// # Errors
    /// The [`Failure`] of the connection. The channel is to be closed then.
    pub fn poll(&mut self, now: Instant, stack: &mut Stack) -> Result<Activity, Failure> {
        let socket = stack.tcp(self.socket);
        if let Progress::Connecting { until } = self.progress {
            match socket.state() {
                tcp::State::SynSent if now < until => return Ok(Activity::Idle),
                tcp::State::SynSent => {
                    let reason =
                        format!("no TCP connection to {}:{} in time", self.host, self.port);
                    return Err(Failure::new(FailureKind::TcpTimeout, reason));
                }
                tcp::State::Closed => {
                    let reason = format!("{}:{} refused the TCP connection", self.host, self.port);
                    return Err(Failure::new(FailureKind::TcpRefused, reason));
                }
                _ => {
                    let until = (now + TLS_LIMIT).min(self.deadline);
                    self.progress = Progress::Handshaking { until };
                }
            }
        }
        let received = receive(socket, &mut self.tls);
        send(socket, &mut self.tls.outgoing);
        received.map_err(|error| match error {
            tls::Error::RecordTooLarge => {
                let reason = format!("the answer of {} is too large", self.host);
                Failure::new(self.oversize, reason)
            }
            error => tls::failure(&self.host, &error),
        })?;
        if let Progress::Handshaking { until } = self.progress {
            if self.tls.is_ready() {
                self.progress = Progress::Ready;
            } else if socket.recv_queue() == 0 && !socket.may_recv() {
                let reason = format!("{} closed the connection in the TLS handshake", self.host);
                return Err(Failure::new(FailureKind::TlsClosed, reason));
            } else if now >= until {
                let reason = format!("no TLS session with {} in time", self.host);
                return Err(Failure::new(FailureKind::TlsTimeout, reason));
            }
        }
        Ok(if socket.recv_queue() > 0 {
            Activity::Busy
        } else {
            Activity::Idle
        })
    }

    /// Sends application data.
    ///
    /// # Errors
    /// [`FailureKind::TlsProtocol`] when the TLS session cannot send any more.
    pub fn send(&mut self, data: &[u8]) -> Result<(), Failure> {
        self.tls
            .send(data)
            .map_err(|error| tls::failure(&self.host, &error))
    }

    /// Takes the received application data.
    pub fn take(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.tls.plaintext)
    }

    /// Whether the server has closed the connection and all of its data was taken.
    pub fn is_closed(&self, stack: &mut Stack) -> bool {
        let socket = stack.tcp(self.socket);
        let over = self.tls.peer_closed() || (socket.recv_queue() == 0 && !socket.may_recv());
        over && self.tls.plaintext.is_empty()
    }

    /// Says goodbye. The TLS session and its keys are gone at once; the socket lives on until
    /// the last bytes are delivered.
    pub fn close(mut self, now: Instant) -> Closing {
        self.tls.close();
        Closing {
            socket: self.socket,
            outgoing: core::mem::take(&mut self.tls.outgoing),
            until: now + CLOSE_LIMIT,
        }
    }
}

/// Hands TLS the bytes of one record at most.
fn receive(socket: &mut tcp::Socket<'static>, tls: &mut TlsClient) -> Result<(), tls::Error> {
    if !socket.can_recv() {
        return Ok(());
    }
    // The received bytes can lie in two pieces of the socket's ring.
    loop {
        let result = socket.recv(|bytes| match tls.receive(bytes) {
            Ok(taken) => (taken, Ok(taken == bytes.len())),
            Err(error) => (bytes.len(), Err(error)),
        });
        match result {
            Ok(Ok(true)) if socket.can_recv() => {}
            Ok(Err(error)) => return Err(error),
            Ok(Ok(_)) | Err(_) => return Ok(()),
        }
    }
}

/// Moves what the socket takes.
fn send(socket: &mut tcp::Socket<'static>, outgoing: &mut Vec<u8>) {
    while !outgoing.is_empty() && socket.can_send() {
        let Ok(count) = socket.send_slice(outgoing) else {
            break;
        };
        outgoing.drain(..count);
    }
}

/// A connection that delivers its last bytes.
pub struct Closing {
    socket: SocketHandle,
    outgoing: Vec<u8>,
    until: Instant,
}

impl Closing {
    /// When to give up.
    pub fn next(&self) -> Instant {
        self.until
    }

    /// Sends what is left; `false` once nothing is left to be done.
    pub fn poll(&mut self, now: Instant, stack: &mut Stack) -> bool {
        let socket = stack.tcp(self.socket);
        send(socket, &mut self.outgoing);
        if self.outgoing.is_empty() {
            socket.close();
        }
        let delivered = matches!(
            socket.state(),
            tcp::State::Closed | tcp::State::FinWait2 | tcp::State::TimeWait
        );
        if !delivered && now < self.until {
            return true;
        }
        if delivered {
            stack.remove(self.socket);
            return false;
        }
        // The reset goes out with the next poll of the stack.
        socket.abort();
        self.until = now;
        true
    }
}
