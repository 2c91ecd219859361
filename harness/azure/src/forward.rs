//! The device's connections, carried on real sockets to the hosts on the list and to no other.

use std::collections::HashMap;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::Duration;

use az3166_network::{Closing, Opening, Then, Transmission};

use crate::route::Routes;

/// HTTPS and MQTT over TLS: where the services listen.
const PORTS: [u16; 2] = [443, 8883];
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);
/// The most that waits for a host which does not read.
const LARGEST_BACKLOG: usize = 256 * 1024;
/// The most that is read at once.
const CHUNK: usize = 8 * 1024;

/// All connections.
pub(crate) struct Forward {
    hosts: Vec<String>,
    routes: Routes,
    connections: HashMap<u32, Connection>,
    /// Why connections could not be made, for whoever tells.
    troubles: Vec<String>,
}

struct Connection {
    host: String,
    socket: Socket,
    /// What the device sent and the host has not taken.
    backlog: Vec<u8>,
    /// The device sends no more.
    is_finished: bool,
}

enum Socket {
    Connecting(Receiver<Result<TcpStream, String>>),
    Connected(TcpStream),
}

impl Forward {
    /// Forwards to `hosts` alone.
    pub(crate) fn new(hosts: Vec<String>, routes: Routes) -> Self {
        Self {
            hosts,
            routes,
            connections: HashMap::new(),
            troubles: Vec::new(),
        }
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.connections.is_empty()
    }

    pub(crate) fn take_troubles(&mut self) -> Vec<String> {
        core::mem::take(&mut self.troubles)
    }

    pub(crate) fn open(&mut self, number: u32, host: &str, port: u16) -> Opening {
        let mut hosts = self.hosts.iter();
        let is_listed = hosts.any(|known| known.eq_ignore_ascii_case(host));
        if !is_listed || !PORTS.contains(&port) {
            return Opening::Refused;
        }
        let (tell, made) = channel();
        let (routes, to) = (self.routes.clone(), host.to_owned());
        // Names are resolved by the system, which may take long. Nobody waits for the thread: it
        // ends by its own time limits, and a socket that nobody takes is closed.
        std::thread::spawn(move || {
            let _ = tell.send(connect(&routes, &to, port));
        });
        self.connections.insert(
            number,
            Connection {
                host: host.to_owned(),
                socket: Socket::Connecting(made),
                backlog: Vec::new(),
                is_finished: false,
            },
        );
        Opening::Accepted
    }

    pub(crate) fn receive(&mut self, number: u32, bytes: &[u8]) {
        if let Some(connection) = self.connections.get_mut(&number) {
            connection.backlog.extend_from_slice(bytes);
        }
    }

    pub(crate) fn transmit(&mut self, number: u32) -> Transmission {
        let Some(connection) = self.connections.get_mut(&number) else {
            return Transmission::NOTHING;
        };
        let carried = connection.carry();
        let then = match &carried {
            Ok((_, then)) => *then,
            Err(reason) => {
                let text = format!("the connection to {} broke: {reason}", connection.host);
                self.troubles.push(text);
                Then::Reset
            }
        };
        if then == Then::Reset {
            self.connections.remove(&number);
        }
        let bytes = carried.map_or_else(|_| Vec::new(), |(bytes, _)| bytes);
        Transmission { bytes, then }
    }

    pub(crate) fn closed(&mut self, number: u32, how: Closing) {
        match (how, self.connections.get_mut(&number)) {
            (Closing::Finished, Some(connection)) => {
                connection.is_finished = true;
                // The gateway asks no more once nothing comes: what is left goes now.
                let _ = connection.flush();
                self.connections.remove(&number);
            }
            (Closing::Reset | Closing::Lost, _) => {
                self.connections.remove(&number);
            }
            (_, None) => {}
        }
    }
}

impl Connection {
    /// Sends what waits, and reads what came.
    fn carry(&mut self) -> Result<(Vec<u8>, Then), String> {
        if let Socket::Connecting(made) = &self.socket {
            match made.try_recv() {
                Ok(socket) => self.socket = Socket::Connected(socket?),
                Err(TryRecvError::Empty) => return self.pause(),
                Err(TryRecvError::Disconnected) => return Err("it was never made".into()),
            }
        }
        self.flush().map_err(|error| error.to_string())?;
        if self.backlog.len() > LARGEST_BACKLOG {
            return Err("it takes nothing more".into());
        }
        let Socket::Connected(socket) = &mut self.socket else {
            return self.pause();
        };
        let mut bytes = vec![0; CHUNK];
        match socket.read(&mut bytes) {
            Ok(0) => Ok((Vec::new(), Then::Finish)),
            Ok(length) => {
                bytes.truncate(length);
                Ok((bytes, Then::Continue))
            }
            Err(error) if is_pause(&error) => self.pause(),
            Err(error) => Err(error.to_string()),
        }
    }

    fn pause(&self) -> Result<(Vec<u8>, Then), String> {
        Ok((Vec::new(), Then::Continue))
    }

    fn flush(&mut self) -> io::Result<()> {
        let Socket::Connected(socket) = &mut self.socket else {
            return Ok(());
        };
        while !self.backlog.is_empty() {
            match socket.write(&self.backlog) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(length) => drop(self.backlog.drain(..length)),
                Err(error) if is_pause(&error) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        if self.is_finished {
            socket.shutdown(Shutdown::Write)?;
        }
        Ok(())
    }
}

fn is_pause(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

fn connect(routes: &Routes, host: &str, port: u16) -> Result<TcpStream, String> {
    let addresses = routes
        .public(host, port)
        .map_err(|error| error.to_string())?;
    let mut reason = String::new();
    for address in addresses {
        let made = TcpStream::connect_timeout(&address, CONNECT).and_then(|socket| {
            socket.set_nodelay(true)?;
            socket.set_nonblocking(true)?;
            Ok(socket)
        });
        match made {
            Ok(socket) => return Ok(socket),
            Err(error) => reason = format!("{address}: {error}"),
        }
    }
    Err(reason)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::time::Instant;

    use rstest::rstest;

    use super::*;

    const HOST: &str = "dps.example";

    fn forward(listener: &TcpListener) -> Forward {
        let to = listener.local_addr().unwrap();
        let detour = format!("{HOST}:443={to}").parse().unwrap();
        Forward::new(vec![HOST.into()], Routes::new(vec![detour]))
    }

    /// Asks until something comes.
    fn wait(forward: &mut Forward) -> Transmission {
        let late = Instant::now() + Duration::from_secs(60);
        loop {
            let transmission = forward.transmit(1);
            if transmission != Transmission::NOTHING || Instant::now() > late {
                return transmission;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn bytes_pass_in_both_directions_until_the_host_ends() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut forward = forward(&listener);
        assert_eq!(forward.open(1, "DPS.example", 443), Opening::Accepted);
        forward.receive(1, b"ping");
        forward.transmit(1);
        let host = std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            let mut bytes = [0; 4];
            socket.read_exact(&mut bytes).unwrap();
            socket.write_all(&bytes).unwrap();
        });
        assert_eq!(wait(&mut forward).bytes, b"ping");
        host.join().unwrap();
        assert_eq!(wait(&mut forward).then, Then::Finish);
        forward.closed(1, Closing::Finished);
        assert!(forward.is_idle());
    }

    #[rstest]
    #[case("other.example", 443)]
    #[case("dps.example.evil", 443)]
    #[case("127.0.0.1", 443)]
    #[case("169.254.169.254", 443)]
    #[case(HOST, 80)]
    #[case(HOST, 22)]
    fn nothing_else_is_connected_to(#[case] host: &str, #[case] port: u16) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut forward = forward(&listener);
        assert_eq!(forward.open(1, host, port), Opening::Refused);
        assert!(forward.is_idle());
    }

    #[test]
    fn a_listed_host_with_a_private_address_is_refused_when_it_is_resolved() {
        let mut forward = Forward::new(vec!["localhost".into()], Routes::default());
        assert_eq!(forward.open(1, "localhost", 443), Opening::Accepted);
        assert_eq!(wait(&mut forward).then, Then::Reset);
        let troubles = forward.take_troubles();
        assert!(
            troubles[0].ends_with("which is loopback: refused"),
            "{troubles:?}"
        );
    }
}
