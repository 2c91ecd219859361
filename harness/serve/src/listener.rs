//! Takes TCP connections, within the limits.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::ServeError;
use crate::admission::{Admission, Permit};
use crate::engine::Engine;
use crate::stop::Stop;
use crate::trace::Incident;

/// How long to wait after the system would not give a connection: it lacks descriptors or memory.
const PAUSE: Duration = Duration::from_millis(100);

/// How long connections may take to end after the word to stop.
const END_TIME: Duration = Duration::from_secs(5);

/// A bound socket.
pub(crate) struct Listener {
    what: &'static str,
    socket: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Binds to `port` of `address`; port 0 takes any free one.
    ///
    /// # Errors
    /// The port is in use, or may not be used.
    pub(crate) async fn bind(
        what: &'static str,
        address: IpAddr,
        port: u16,
    ) -> Result<Self, ServeError> {
        let failed = |error: std::io::Error| ServeError::Bind {
            what,
            address: SocketAddr::new(address, port),
            error,
        };
        let socket = TcpListener::bind((address, port)).await.map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        Ok(Self {
            what,
            socket,
            address,
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes connections until the word to stop, and hands each to a task of its own; then waits
    /// for the tasks, within limits.
    pub(crate) async fn run<F, T>(
        self,
        engine: Arc<Engine>,
        admission: Arc<Admission>,
        mut stop: Stop,
        handle: F,
    ) where
        F: Fn(TcpStream, SocketAddr, Permit) -> T,
        T: Future<Output = ()> + Send + 'static,
    {
        let mut tasks = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = self.socket.accept() => accepted,
                () = stop.stopped() => break,
            };
            while tasks.try_join_next().is_some() {}
            match accepted {
                Ok((socket, peer)) => match admission.admit(peer.ip()) {
                    Ok(permit) => {
                        tasks.spawn(handle(socket, peer, permit));
                    }
                    Err(reason) => {
                        let peer = peer.to_string();
                        engine.note(Incident::Refused { peer, reason });
                        let _ = socket.set_zero_linger();
                    }
                },
                Err(error) => {
                    let text = format!("{}: no connection could be taken: {error}", self.what);
                    engine.note(Incident::Warning { text });
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        drop(self.socket);
        let all = async { while tasks.join_next().await.is_some() {} };
        // What has not ended then is dropped with the set.
        let _ = tokio::time::timeout(END_TIME, all).await;
    }
}
