//! Questions by UDP: asked again until an answer comes or the time is over.

use core::net::Ipv4Addr;

use smoltcp::iface::SocketHandle;
use smoltcp::time::{Duration, Instant};
use smoltcp::wire::{IpAddress, IpEndpoint};

use crate::stack::Stack;

use alloc::vec::Vec;

/// The pause before the same question is sent again.
const RESEND: Duration = Duration::from_secs(1);
/// How long to ask before giving up.
const LIMIT: Duration = Duration::from_secs(10);

/// No answer came in time.
pub(super) struct Silent;

/// One question to one server.
pub(super) struct Query {
    socket: SocketHandle,
    server: IpEndpoint,
    question: Vec<u8>,
    resend: Instant,
    until: Instant,
}

impl Query {
    /// Asks `server` from `local_port`; gives up at `deadline` at the latest.
    pub(super) fn new(
        stack: &mut Stack,
        server: (Ipv4Addr, u16),
        local_port: u16,
        question: Vec<u8>,
        (now, deadline): (Instant, Instant),
    ) -> Self {
        Self {
            socket: stack.open_udp(local_port),
            server: IpEndpoint::new(IpAddress::Ipv4(server.0), server.1),
            question,
            resend: now,
            until: (now + LIMIT).min(deadline),
        }
    }

    pub(super) fn next(&self) -> Instant {
        self.resend.min(self.until)
    }

    /// Offers each datagram of the server to `read` until it takes one as the answer. The socket
    /// is closed when this returns an answer or [`Silent`].
    pub(super) fn poll<T>(
        &mut self,
        now: Instant,
        stack: &mut Stack,
        mut read: impl FnMut(&[u8]) -> Option<T>,
    ) -> Result<Option<T>, Silent> {
        let socket = stack.udp(self.socket);
        while let Ok((datagram, from)) = socket.recv() {
            if from.endpoint != self.server {
                continue;
            }
            if let Some(answer) = read(datagram) {
                stack.remove(self.socket);
                return Ok(Some(answer));
            }
        }
        if now >= self.until {
            stack.remove(self.socket);
            return Err(Silent);
        }
        if now >= self.resend {
            // A full buffer means that the last one is still on its way.
            let _ = socket.send_slice(&self.question, self.server);
            self.resend = now + RESEND;
        }
        Ok(None)
    }
}
