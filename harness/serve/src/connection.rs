//! Carries the bytes of one TCP connection between its socket and the cloud.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use az3166_cloud::{Then, Transmission};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::admission::Permit;
use crate::engine::{Destination, Engine, Opened};
use crate::stop::Stop;
use crate::trace::Incident;

/// A client that takes nothing for so long is given up.
const WRITE_TIME: Duration = Duration::from_secs(30);

/// How long the end of a client's stream is waited for, after ours.
const LINGER_TIME: Duration = Duration::from_secs(2);

/// Bytes read at a time.
const READ: usize = 8 * 1024;

/// What a connection needs.
pub(crate) struct Carrier {
    pub(crate) engine: Arc<Engine>,
    pub(crate) stop: Stop,
    /// Held for as long as the connection is open.
    pub(crate) permit: Permit,
}

impl Carrier {
    /// Carries bytes until one side ends the connection. `first` was read from the socket before.
    pub(crate) async fn carry(
        mut self,
        mut socket: TcpStream,
        peer: &str,
        destination: &Destination,
        first: &[u8],
    ) {
        // Answers are small and devices wait for them.
        let _ = socket.set_nodelay(true);
        let opened = match self.engine.open(peer, destination) {
            Ok(opened) => opened,
            Err(reason) => {
                let peer = peer.to_owned();
                self.engine.note(Incident::Refused { peer, reason });
                let _ = socket.set_zero_linger();
                return;
            }
        };
        let end = self.exchange(&mut socket, &opened, first).await;
        self.engine.closed(opened.number);
        match end {
            End::Client => {}
            End::Finish => finish(&mut socket).await,
            End::Reset => {
                let _ = socket.set_zero_linger();
            }
            End::GivenUp(reason) => {
                let connection = opened.number;
                self.engine.note(Incident::GivenUp { connection, reason });
                let _ = socket.set_zero_linger();
            }
        }
        drop(self.permit);
    }

    async fn exchange(&mut self, socket: &mut TcpStream, opened: &Opened, first: &[u8]) -> End {
        let number = opened.number;
        if !first.is_empty() {
            let transmission = self.engine.receive(number, first);
            if let Some(end) = deliver(socket, transmission).await {
                return end;
            }
        }
        let mut buffer = vec![0; READ];
        loop {
            let transmission = tokio::select! {
                read = socket.read(&mut buffer) => match read {
                    Ok(0) => return End::Client,
                    Ok(count) => self.engine.receive(number, &buffer[..count]),
                    // The client broke the connection.
                    Err(_) => return End::Client,
                },
                () = opened.ready.notified() => self.engine.transmit(number),
                () = self.stop.stopped() => return End::Finish,
            };
            if let Some(end) = deliver(socket, transmission).await {
                return end;
            }
        }
    }
}

/// How a connection ends.
enum End {
    /// The client ended it.
    Client,
    /// The service says that no more follows.
    Finish,
    /// The service breaks it.
    Reset,
    /// The client does not take what it asked for.
    GivenUp(String),
}

/// Sends; says how the connection ends, if it does.
async fn deliver(socket: &mut TcpStream, transmission: Transmission) -> Option<End> {
    if !transmission.bytes.is_empty() {
        match timeout(WRITE_TIME, socket.write_all(&transmission.bytes)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Some(End::Client),
            Err(_) => {
                let seconds = WRITE_TIME.as_secs();
                return Some(End::GivenUp(format!("it took no bytes for {seconds} s")));
            }
        }
    }
    match transmission.then {
        Then::Continue => None,
        Then::Finish => Some(End::Finish),
        Then::Reset => Some(End::Reset),
    }
}

/// Says that no more follows, and waits for the client to say the same: closing a socket with
/// unread bytes in it would take back what the client has not read yet.
async fn finish(socket: &mut TcpStream) {
    let drain = async {
        socket.shutdown().await?;
        let mut rest = [0; 1024];
        while socket.read(&mut rest).await? > 0 {}
        Ok::<_, io::Error>(())
    };
    // It ends either way.
    let _ = timeout(LINGER_TIME, drain).await;
}
