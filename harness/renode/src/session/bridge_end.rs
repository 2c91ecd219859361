//! The harness's end of the bridge: its socket, around the model that the caller holds.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use az3166_event::VirtualTime;
use az3166_stsafe::{PowerCut, SecureElement};
use zeroize::Zeroizing;

use crate::RenodeError;
use crate::bridge::{Bridge, Frames, Then};

/// How long Renode may leave an answer unread.
const UNREAD: Duration = Duration::from_secs(10);

/// Where Renode's bridge finds the secure element.
pub struct BridgeEnd {
    listener: TcpListener,
    connection: Option<Connection>,
    base: VirtualTime,
    power_cut: PowerCut,
    /// Whether Renode's bridge has left while its board was there.
    is_lost: bool,
}

struct Connection {
    stream: TcpStream,
    frames: Frames,
    bridge: Bridge,
}

impl BridgeEnd {
    /// The end behind `listener`.
    pub fn new(listener: TcpListener) -> Result<Self, RenodeError> {
        listener
            .set_nonblocking(true)
            .map_err(RenodeError::io("the bridge's listener"))?;
        Ok(Self {
            listener,
            connection: None,
            base: VirtualTime::ZERO,
            power_cut: PowerCut::NotDue,
            is_lost: false,
        })
    }

    /// The port that the bridge is told.
    pub fn port(&self) -> Result<u16, RenodeError> {
        let address = self.listener.local_addr();
        Ok(address
            .map_err(RenodeError::io("the bridge's listener"))?
            .port())
    }

    /// Whether the bridge is connected: before that, nothing on the bus is heard of.
    pub fn is_connected(&self) -> bool {
        self.connection.is_some()
    }

    /// Whether the bridge has left: it never does so unless it gave up. Its processor is halted
    /// then, which must not be taken for what the firmware does.
    pub fn is_lost(&self) -> bool {
        self.is_lost
    }

    /// When a device other than the secure element was last addressed.
    pub fn other_addressed(&self) -> Option<VirtualTime> {
        self.connection.as_ref()?.bridge.other_addressed()
    }

    /// Sets the model's time at Renode's time zero.
    pub fn set_base(&mut self, base: VirtualTime) {
        if let Some(connection) = &mut self.connection {
            connection.bridge.shift(base.saturating_since(self.base));
        }
        self.base = base;
    }

    /// Forgets a board that is gone: the next one connects anew.
    pub fn hang_up(&mut self) {
        self.connection = None;
        self.base = VirtualTime::ZERO;
        self.power_cut = PowerCut::NotDue;
        self.is_lost = false;
    }

    /// Whether the chip has asked for a power cut since the last call.
    pub fn take_power_cut(&mut self) -> PowerCut {
        core::mem::replace(&mut self.power_cut, PowerCut::NotDue)
    }

    /// What to look at for something to serve.
    pub fn fd(&self) -> BorrowedFd<'_> {
        match &self.connection {
            Some(connection) => connection.stream.as_fd(),
            None => self.listener.as_fd(),
        }
    }

    /// Serves what has come.
    ///
    /// # Errors
    /// The bridge broke its protocol.
    pub fn serve(&mut self, model: &mut SecureElement) -> Result<(), RenodeError> {
        let Some(connection) = &mut self.connection else {
            return self.accept();
        };
        let served = connection.serve(model);
        if connection.bridge.take_power_cut() == PowerCut::Due {
            self.power_cut = PowerCut::Due;
        }
        if let Err(end) = served {
            connection.bridge.close(model);
            self.connection = None;
            match end {
                End::Closed => self.is_lost = true,
                End::Broken(why) => return Err(RenodeError::protocol("the bridge", why)),
            }
        }
        Ok(())
    }

    fn accept(&mut self) -> Result<(), RenodeError> {
        match self.listener.accept() {
            Ok((stream, _)) => {
                let ready = stream
                    .set_nonblocking(false)
                    .and_then(|()| stream.set_nodelay(true))
                    .and_then(|()| stream.set_write_timeout(Some(UNREAD)));
                ready.map_err(RenodeError::io("the bridge"))?;
                self.connection = Some(Connection {
                    stream,
                    frames: Frames::default(),
                    bridge: Bridge::new(self.base),
                });
                Ok(())
            }
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::ConnectionAborted | ErrorKind::Interrupted => {
                    Ok(())
                }
                _ => Err(RenodeError::io("the bridge's listener")(error)),
            },
        }
    }
}

enum End {
    Closed,
    Broken(String),
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Broken(error.to_string()),
        }
    }
}

impl Connection {
    fn serve(&mut self, model: &mut SecureElement) -> Result<(), End> {
        let mut bytes = Zeroizing::new([0; 1024]);
        match self.stream.read(&mut bytes[..]) {
            Ok(0) => return Err(End::Closed),
            Ok(count) => self.frames.push(&bytes[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        loop {
            let answer = match self.frames.pop() {
                Ok(None) => return Ok(()),
                Ok(Some(request)) => self.bridge.serve(&request, model),
                Err(error) => self.bridge.refuse(error.to_string()),
            };
            let sent = self.stream.write_all(&answer.bytes);
            if let Then::Close(why) = answer.then {
                return Err(End::Broken(why));
            }
            sent?;
        }
    }
}
