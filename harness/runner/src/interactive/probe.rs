//! A debug probe on a socket of this machine, for the debugger of another process: an unmodified
//! probe-rs takes it for a Glasgow Interface Explorer (`20b7:9db1`) in the network.

use core::fmt;
use core::time::Duration;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use crate::targets::{CableError, SwdCable};

/// Where the probe listens unless it is told otherwise.
pub const DEFAULT_PROBE_ADDRESS: &str = "127.0.0.1:9412";

/// How often a thread that waits looks whether it should stop.
const TICK: Duration = Duration::from_millis(20);
/// How long a client may take to say its first word.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// How long the board may take for an answer: a console that is drawn on a slow terminal, at most.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a client that is turned away may take to go.
const FAREWELL: Duration = Duration::from_millis(500);
/// How much is read at once.
const CHUNK: usize = 1 << 16;

/// The answer to a client's first question, "who are you?", for one that comes second: the twelve
/// letters that take the place of `probe-rs,v01`, in a packet for the root endpoint. probe-rs shows
/// them as `unsupported probe: "probe in use"`.
const IN_USE: &[u8; 15] = b"\x01\x0dprobe in use\0";

/// Why there is no probe.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// {0} can be reached from other machines, which could then run code on the board: take an
    /// address of this machine alone, such as 127.0.0.1:9412
    #[error(
        "{0} can be reached from other machines, which could then run code on the board: take an address of this machine alone, such as {DEFAULT_PROBE_ADDRESS}"
    )]
    NotLoopback(SocketAddr),
    /// cannot listen at {address}: {error}: is it in use by another `hil console`? take another
    /// port, or 0 for any that is free
    #[error(
        "cannot listen at {address}: {error}: is it in use by another `hil console`? take another port, or 0 for any that is free"
    )]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
}

/// What happened at the socket, in one line when displayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeNews {
    /// A debugger is there.
    Attached(SocketAddr),
    /// It has gone, by itself.
    Left(SocketAddr),
    /// It was put out.
    Dropped {
        /// Which.
        client: SocketAddr,
        /// Why.
        reason: String,
    },
    /// Another was turned away, because one is there.
    Refused(SocketAddr),
}

impl fmt::Display for ProbeNews {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attached(client) => write!(f, "probe: a debugger is attached, from {client}"),
            Self::Left(client) => write!(f, "probe: the debugger from {client} has left"),
            Self::Dropped { client, reason } => {
                write!(f, "probe: {client} was disconnected: {reason}")
            }
            Self::Refused(client) => write!(
                f,
                "probe: {client} was turned away: a debugger is attached already"
            ),
        }
    }
}

/// The probe; it is there until it is dropped, and the socket with it.
#[derive(Debug)]
pub struct ProbeServer {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    news: Receiver<ProbeNews>,
    thread: Option<JoinHandle<()>>,
}

impl ProbeServer {
    /// Opens the socket, for one debugger at a time, and leads what it says into `cable`.
    ///
    /// # Errors
    /// [`ProbeError`]
    pub fn start(address: SocketAddr, cable: SwdCable) -> Result<Self, ProbeError> {
        if !address.ip().is_loopback() {
            return Err(ProbeError::NotLoopback(address));
        }
        let no = |error| ProbeError::Listen { address, error };
        let listener = TcpListener::bind(address).map_err(no)?;
        listener.set_nonblocking(true).map_err(no)?;
        let address = listener.local_addr().map_err(no)?;
        let stop = Arc::new(AtomicBool::new(false));
        let (sender, news) = channel();
        let server = Server {
            cable,
            stop: Arc::clone(&stop),
            news: sender,
            client: Mutex::new(None),
        };
        let thread = std::thread::Builder::new()
            .name("probe".into())
            .spawn(move || server.listen(&listener))
            .map_err(no)?;
        Ok(Self {
            address,
            stop,
            news,
            thread: Some(thread),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The name by which probe-rs finds it.
    pub fn selector(&self) -> String {
        format!("20b7:9db1:tcp:{}", self.address)
    }

    /// What has happened since the last call.
    pub fn take_news(&self) -> Vec<ProbeNews> {
        self.news.try_iter().collect()
    }
}

impl Drop for ProbeServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Server {
    cable: SwdCable,
    stop: Arc<AtomicBool>,
    news: Sender<ProbeNews>,
    /// Who has the probe.
    client: Mutex<Option<SocketAddr>>,
}

impl Server {
    fn listen(&self, listener: &TcpListener) {
        std::thread::scope(|threads| {
            while !self.is_stopped() {
                match listener.accept() {
                    Ok((stream, client)) => {
                        let mut holder = self.client.lock().unwrap_or_else(PoisonError::into_inner);
                        if holder.is_none() {
                            *holder = Some(client);
                            threads.spawn(move || self.serve(&stream, client));
                        } else {
                            self.tell(ProbeNews::Refused(client));
                            // A client that does not go is cut off.
                            threads.spawn(move || turn_away(&stream));
                        }
                    }
                    Err(_) => std::thread::sleep(TICK),
                }
            }
        });
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    fn tell(&self, news: ProbeNews) {
        let _ = self.news.send(news);
    }

    fn serve(&self, stream: &TcpStream, client: SocketAddr) {
        self.cable.plug_in();
        let end = self.converse(stream, client);
        self.cable.pull();
        if end.is_err() {
            abort(stream);
        }
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = None;
        match end {
            Ok(()) => self.tell(ProbeNews::Left(client)),
            Err(reason) => self.tell(ProbeNews::Dropped { client, reason }),
        }
    }

    /// Serves a client until it goes. An error says why it was put out.
    fn converse(&self, mut stream: &TcpStream, client: SocketAddr) -> Result<(), String> {
        prepare(stream).map_err(|error| error.to_string())?;
        let since = Instant::now();
        let mut has_spoken = false;
        let mut bytes = vec![0; CHUNK];
        while !self.is_stopped() {
            let count = match stream.read(&mut bytes) {
                Ok(0) => return Ok(()),
                Ok(count) => count,
                Err(error) if is_patient(&error) => {
                    if !has_spoken && since.elapsed() > HANDSHAKE {
                        return Err(format!(
                            "it has not said a word within {} s",
                            HANDSHAKE.as_secs()
                        ));
                    }
                    continue;
                }
                // The client was killed.
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(()),
                Err(error) => return Err(error.to_string()),
            };
            let answer = match self.cable.ask(&bytes[..count], PATIENCE) {
                Ok(answer) => answer,
                Err(CableError::Protocol(error)) => {
                    return Err(format!("it does not speak as probe-rs does: {error}"));
                }
                Err(error) => return Err(error.to_string()),
            };
            if !has_spoken && !answer.is_empty() {
                has_spoken = true;
                self.tell(ProbeNews::Attached(client));
            }
            match stream.write_all(&answer) {
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
                written => written.map_err(|error| error.to_string())?,
            }
        }
        Err("the console ends".into())
    }
}

fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TICK))?;
    stream.set_write_timeout(Some(PATIENCE))
}

/// Has the connection be reset when it is closed. At an orderly end, probe-rs 0.32 would read nothing
/// again and again for ever (`src/probe/glasgow/net.rs`).
#[cfg(unix)]
fn abort(stream: &TcpStream) {
    // Where it fails, the connection is gone already.
    let _ = rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO));
}

#[cfg(not(unix))]
fn abort(_: &TcpStream) {}

fn is_patient(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
    )
}

/// Tells a client that the probe is in use, and waits until it has gone: a socket that is closed
/// with something unread takes back what it has sent.
fn turn_away(mut stream: &TcpStream) {
    let since = Instant::now();
    let told = prepare(stream)
        .and_then(|()| stream.write_all(IN_USE))
        .and_then(|()| stream.shutdown(Shutdown::Write));
    if told.is_err() {
        return;
    }
    let mut bytes = [0; 256];
    while since.elapsed() < FAREWELL {
        match stream.read(&mut bytes) {
            Ok(1..) => {}
            Err(error) if is_patient(&error) => {}
            Ok(0) | Err(_) => return,
        }
    }
}
