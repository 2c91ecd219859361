//! The secure element alone, for a Renode that somebody else drives: one connection at a time.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use az3166_event::{SecureElementEvent, VirtualTime};
use az3166_stsafe::SecureElement;
use zeroize::Zeroizing;

use crate::bridge::{Answer, Bridge, Frames, Then};

/// How long [`Server::serve`] waits for something to happen.
const TICK: Duration = Duration::from_millis(50);

/// How long the bridge may leave an answer unread.
const WRITE_DEADLINE: Duration = Duration::from_secs(10);

/// What happened at the server.
#[derive(Clone, Debug, PartialEq)]
pub enum Happening {
    /// A bridge has connected.
    Connected(SocketAddr),
    /// The connection ended, for this reason; the chip has lost its power.
    Disconnected(String),
    /// What the chip did.
    Event(VirtualTime, SecureElementEvent),
}

struct Connection {
    stream: TcpStream,
    bridge: Bridge,
    frames: Frames,
}

/// A secure element behind a port of the loopback interface.
pub struct Server {
    listener: TcpListener,
    model: SecureElement,
    /// The latest time of the model, which goes on from one connection to the next.
    now: VirtualTime,
    connection: Option<Connection>,
}

impl Server {
    /// Listens on 127.0.0.1, on a free port where `port` is 0.
    ///
    /// # Errors
    /// The port is taken, or not allowed.
    pub fn bind(port: u16, model: SecureElement) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listener.set_nonblocking(true)?;
        Ok(Self {
            listener,
            model,
            now: VirtualTime::ZERO,
            connection: None,
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// The chip.
    pub fn model(&self) -> &SecureElement {
        &self.model
    }

    /// Serves what has come, and waits a moment where nothing has.
    ///
    /// # Errors
    /// The listening socket is broken; what goes wrong with a connection only ends that one.
    pub fn serve(&mut self) -> io::Result<Vec<Happening>> {
        let mut happenings = Vec::new();
        match self.connection.take() {
            None => self.accept(&mut happenings)?,
            Some(mut connection) => match connection.serve(&mut self.model) {
                Ok(()) => self.connection = Some(connection),
                Err(reason) => {
                    connection.bridge.close(&mut self.model);
                    self.now = connection.bridge.now();
                    happenings.push(Happening::Disconnected(reason));
                }
            },
        }
        let events = self.model.drain_events();
        let events = events.into_iter();
        happenings.splice(0..0, events.map(|(at, event)| Happening::Event(at, event)));
        Ok(happenings)
    }

    fn accept(&mut self, happenings: &mut Vec<Happening>) -> io::Result<()> {
        match self.listener.accept() {
            Ok((stream, peer)) => {
                stream.set_nonblocking(false)?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(TICK))?;
                stream.set_write_timeout(Some(WRITE_DEADLINE))?;
                self.connection = Some(Connection {
                    stream,
                    bridge: Bridge::new(self.now),
                    frames: Frames::default(),
                });
                happenings.push(Happening::Connected(peer));
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(TICK),
            // A client that was gone before it was accepted.
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

impl Connection {
    /// Serves whole requests; the error says why the connection is over.
    fn serve(&mut self, model: &mut SecureElement) -> Result<(), String> {
        let mut bytes = Zeroizing::new([0; 1024]);
        match self.stream.read(&mut bytes[..]) {
            Ok(0) => return Err("the bridge closed it".into()),
            Ok(count) => self.frames.push(&bytes[..count]),
            Err(error) => {
                return match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => Ok(()),
                    _ => Err(error.to_string()),
                };
            }
        }
        loop {
            let answer = match self.frames.pop() {
                Ok(None) => return Ok(()),
                Ok(Some(request)) => self.bridge.serve(&request, model),
                Err(error) => self.bridge.refuse(error.to_string()),
            };
            self.send(&answer)?;
            if let Then::Close(reason) = answer.then {
                return Err(reason);
            }
        }
    }

    fn send(&mut self, answer: &Answer) -> Result<(), String> {
        let sent = self.stream.write_all(&answer.bytes);
        sent.map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use az3166_stsafe::{Configuration, NvmImage};

    struct Client(TcpStream);

    impl Client {
        fn connect(server: &Server) -> Self {
            let stream = TcpStream::connect(server.address().unwrap()).unwrap();
            stream
                .set_read_timeout(Some(Duration::from_secs(30)))
                .unwrap();
            Self(stream)
        }

        fn send(&mut self, kind: u8, time: u64, payload: &[u8]) {
            let length = (9 + payload.len()) as u16;
            let bytes = [
                &length.to_le_bytes()[..],
                &[kind],
                &time.to_le_bytes(),
                payload,
            ]
            .concat();
            self.0.write_all(&bytes).unwrap();
        }

        fn answer(&mut self) -> Vec<u8> {
            let mut length = [0; 2];
            self.0.read_exact(&mut length).unwrap();
            let mut bytes = vec![0; usize::from(u16::from_le_bytes(length))];
            self.0.read_exact(&mut bytes).unwrap();
            bytes
        }
    }

    fn server() -> Server {
        let model = SecureElement::new(Configuration::default(), NvmImage::default());
        Server::bind(0, model).unwrap()
    }

    /// Serves until `wanted` has happened.
    fn until(server: &mut Server, wanted: impl Fn(&Happening) -> bool) -> Vec<Happening> {
        let mut all = Vec::new();
        for _ in 0..600 {
            all.extend(server.serve().unwrap());
            if all.iter().any(&wanted) {
                return all;
            }
        }
        panic!("only {all:?}");
    }

    fn is_over(happening: &Happening) -> bool {
        matches!(happening, Happening::Disconnected(_))
    }

    #[test]
    fn time_goes_on_from_one_connection_to_the_next() {
        let mut server = server();
        let mut times = Vec::new();
        for _ in 0..2 {
            let mut client = Client::connect(&server);
            client.send(1, 0, b"HILSTSFE\x01\0");
            client.send(2, 3_000_000, &[1]);
            let seen = until(&mut server, |it| matches!(it, Happening::Event(..)));
            assert_eq!(client.answer()[0], 0x81);
            assert_eq!(client.answer()[0], 0x82);
            drop(client);
            let rest = until(&mut server, is_over);
            times.extend(seen.into_iter().chain(rest).filter_map(|it| match it {
                Happening::Event(at, SecureElementEvent::Power { on }) => {
                    Some((at.as_nanos() / 1_000_000, on))
                }
                _ => None,
            }));
        }
        assert_eq!(times, [(3, true), (3, false), (6, true), (6, false)]);
    }

    #[test]
    fn garbage_ends_its_connection_alone() {
        let mut server = server();
        let mut client = Client::connect(&server);
        client.0.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        let seen = until(&mut server, is_over);
        let answer = client.answer();
        assert_eq!(answer[0], 0xFF);
        let text = str::from_utf8(&answer[10..]).unwrap();
        assert_eq!(
            text,
            "the bridge announced a request of 17735 bytes; the longest has 521"
        );
        assert!(seen.contains(&Happening::Disconnected(text.into())));
        let mut client = Client::connect(&server);
        client.send(1, 0, b"HILSTSFE\x01\0");
        until(&mut server, |it| matches!(it, Happening::Connected(_)));
        server.serve().unwrap();
        assert_eq!(client.answer()[0], 0x81);
    }
}
