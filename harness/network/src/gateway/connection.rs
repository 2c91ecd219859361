//! One TCP connection between the device and a service.

use az3166_event::{NetworkEvent, VirtualTime};
use smoltcp::iface::SocketHandle;
use smoltcp::socket::tcp::{Socket, State};
use smoltcp::time::Duration;

use crate::inspect::Ends;
use crate::{Closing, NetworkFault, Services, Then};

/// A device that acknowledges nothing for this long is gone.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A connection that a service accepted.
pub(super) struct Connection {
    number: u32,
    host: String,
    pub ends: Ends,
    pub handle: SocketHandle,
    device: Side,
    service: Side,
    /// What the service handed over, and how much of it is in the socket.
    outbox: Vec<u8>,
    sent: usize,
    then: Then,
    /// Bytes carried in both directions.
    carried: u64,
    end: End,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Open,
    /// The service's RST waits until the device has acknowledged all bytes.
    Resetting,
    Over,
}

/// Whether the end of the connection is an event already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Untold,
    Told,
}

/// What a connection works with.
pub(super) struct Surroundings<'a> {
    pub now: VirtualTime,
    pub services: &'a mut dyn Services,
    pub faults: &'a [NetworkFault],
    pub events: &'a mut Vec<(VirtualTime, NetworkEvent)>,
}

impl Connection {
    pub fn new(number: u32, host: String, ends: Ends, handle: SocketHandle) -> Self {
        Self {
            number,
            host,
            ends,
            handle,
            device: Side::Open,
            service: Side::Open,
            outbox: Vec::new(),
            sent: 0,
            then: Then::Continue,
            carried: 0,
            end: End::Untold,
        }
    }

    /// Carries what can be carried now.
    pub fn pump(&mut self, socket: &mut Socket<'_>, with: &mut Surroundings<'_>) {
        if self.allowance(with.faults) == 0 {
            self.cut(with);
        }
        self.carry_up(socket, with);
        self.notice_finish(socket, with);
        self.carry_down(socket, with);
        if self.service == Side::Resetting && socket.send_queue() == 0 {
            socket.abort();
            self.service = Side::Over;
        }
        // smoltcp counts from the last packet that it got, even where none is due: an idle
        // connection would be given up.
        let waits = socket.send_queue() > 0 || socket.state() == State::SynReceived;
        socket.set_timeout(waits.then_some(TIMEOUT));
    }

    /// The socket has no peer any more: tells the service, if it does not know.
    pub fn notice_loss(&mut self, how: Closing, with: &mut Surroundings<'_>) {
        if self.device == Side::Open {
            self.device = Side::Over;
            with.services.closed(with.now, self.number, how);
            self.tell_end(
                match how {
                    Closing::Finished => "device",
                    Closing::Reset => "reset by device",
                    Closing::Lost => "lost",
                },
                with,
            );
        }
    }

    fn carry_up(&mut self, socket: &mut Socket<'_>, with: &mut Surroundings<'_>) {
        while socket.can_recv() {
            let Ok(bytes) = socket.recv(|bytes| (bytes.len(), bytes.to_vec())) else {
                return;
            };
            // A service that is done with the connection reads no more.
            if self.service != Side::Open {
                continue;
            }
            let passing = self.passing(bytes.len(), with.faults);
            with.services
                .receive(with.now, self.number, &bytes[..passing]);
            self.carry(passing, with);
        }
    }

    fn notice_finish(&mut self, socket: &Socket<'_>, with: &mut Surroundings<'_>) {
        let finished = matches!(
            socket.state(),
            State::CloseWait | State::LastAck | State::Closing | State::TimeWait
        );
        if finished {
            self.notice_loss(Closing::Finished, with);
        }
    }

    fn carry_down(&mut self, socket: &mut Socket<'_>, with: &mut Surroundings<'_>) {
        while self.service == Side::Open && socket.may_send() {
            let mut asked = None;
            if self.sent == self.outbox.len() {
                let transmission = with.services.transmit(with.now, self.number);
                asked = Some(transmission.bytes.len());
                self.outbox = transmission.bytes;
                self.sent = 0;
                self.then = transmission.then;
            }
            let rest = self.outbox.len() - self.sent;
            let passing = self.passing(rest, with.faults);
            let end = self.sent + passing;
            let taken = socket.send_slice(&self.outbox[self.sent..end]).unwrap_or(0);
            self.sent += taken;
            self.carry(taken, with);
            if self.service != Side::Open || taken < rest {
                return;
            }
            match self.then {
                Then::Continue if asked != Some(0) => {}
                Then::Continue if self.device == Side::Open => return,
                // The device has finished and the service has nothing more: finish too.
                Then::Continue | Then::Finish => {
                    self.service = Side::Over;
                    socket.close();
                    self.tell_end("service", with);
                }
                Then::Reset => {
                    self.service = Side::Resetting;
                    self.device = Side::Over;
                    self.tell_end("reset by service", with);
                }
            }
        }
    }

    /// Counts bytes, and cuts the connection where a fault says so.
    fn carry(&mut self, bytes: usize, with: &mut Surroundings<'_>) {
        self.carried += bytes as u64;
        if self.allowance(with.faults) == 0 {
            self.cut(with);
        }
    }

    /// How many of these bytes may still pass.
    fn passing(&self, bytes: usize, faults: &[NetworkFault]) -> usize {
        usize::try_from(self.allowance(faults)).map_or(bytes, |allowance| allowance.min(bytes))
    }

    /// How many bytes may be carried until the connection is cut.
    fn allowance(&self, faults: &[NetworkFault]) -> u64 {
        let allowances = faults.iter().filter_map(|fault| match fault {
            NetworkFault::TcpDrop { host, after_bytes }
                if host
                    .as_ref()
                    .is_none_or(|host| host.eq_ignore_ascii_case(&self.host)) =>
            {
                Some(after_bytes.saturating_sub(self.carried))
            }
            _ => None,
        });
        allowances.min().unwrap_or(u64::MAX)
    }

    fn cut(&mut self, with: &mut Surroundings<'_>) {
        if self.service != Side::Open {
            return;
        }
        let fault = NetworkFault::TcpDrop {
            host: None,
            after_bytes: 0,
        };
        let fault = fault.name().into();
        with.events.push((with.now, NetworkEvent::Fault { fault }));
        self.notice_loss(Closing::Lost, with);
        self.service = Side::Resetting;
    }

    fn tell_end(&mut self, by: &str, with: &mut Surroundings<'_>) {
        if self.end == End::Untold {
            self.end = End::Told;
            let event = NetworkEvent::TcpClosed {
                connection: self.number,
                by: by.into(),
            };
            with.events.push((with.now, event));
        }
    }
}
