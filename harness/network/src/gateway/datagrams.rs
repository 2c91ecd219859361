//! The gateway's DNS and SNTP servers.

use az3166_event::{NetworkEvent, VirtualTime};
use smoltcp::iface::SocketHandle;
use smoltcp::socket::udp::{PacketBuffer, PacketMetadata, Socket, UdpMetadata};
use smoltcp::wire::IpAddress;

use super::Gateway;
use crate::configuration::{GATEWAY_ADDRESS, MTU};
use crate::names::NOWHERE;
use crate::sntp::{Telling, UnixTime};
use crate::{NetworkFault, dns, sntp};

pub(super) const DNS_PORT: u16 = 53;
pub(super) const NTP_PORT: u16 = 123;

/// A socket for any address of the gateway. It never holds more than one datagram, since
/// each packet is answered before the next is looked at.
pub(super) fn socket(port: u16) -> Socket<'static> {
    let buffer = || PacketBuffer::new(vec![PacketMetadata::EMPTY; 2], vec![0; 2 * MTU]);
    let mut socket = Socket::new(buffer(), buffer());
    // A fresh socket takes any port but 0.
    let _ = socket.bind(port);
    socket
}

impl Gateway {
    pub(super) fn answer_dns(&mut self, now: VirtualTime) {
        while let Some((datagram, from, IpAddress::Ipv4(asked))) = self.datagram(self.dns) {
            if asked != GATEWAY_ADDRESS {
                continue;
            }
            let answer = match dns::parse(&datagram) {
                Ok(query) => self.answer_query(now, &query),
                Err(error) => error,
            };
            self.send(self.dns, answer.as_deref(), from);
        }
    }

    fn answer_query(&mut self, now: VirtualTime, query: &dns::Query) -> Option<Vec<u8>> {
        let fault = self.fault(now, |fault| {
            matches!(
                fault,
                NetworkFault::DnsSilent
                    | NetworkFault::DnsNameError
                    | NetworkFault::DnsWrongAddress
            )
        });
        let answer = match fault {
            Some(NetworkFault::DnsSilent) => None,
            Some(NetworkFault::DnsNameError) => Some(dns::Answer::NameError),
            Some(NetworkFault::DnsWrongAddress) if query.wants_address => {
                Some(dns::Answer::Address(NOWHERE))
            }
            _ => Some(match self.names.resolve(&query.name) {
                Some(address) if query.wants_address => dns::Answer::Address(address),
                Some(_) => dns::Answer::NoData,
                None => dns::Answer::NameError,
            }),
        };
        let event = NetworkEvent::Dns {
            name: query.name.clone(),
            answer: match answer {
                Some(dns::Answer::Address(address)) => Some(address.to_string()),
                Some(dns::Answer::NoData | dns::Answer::NameError) | None => None,
            },
        };
        self.events.push((now, event));
        answer.map(|answer| query.respond(answer))
    }

    pub(super) fn answer_sntp(&mut self, now: VirtualTime) {
        while let Some((datagram, from, IpAddress::Ipv4(asked))) = self.datagram(self.sntp) {
            if !self.names.is_ntp(asked) {
                continue;
            }
            let telling = self.telling(now);
            // What is no client's request gets the silence it deserves.
            let answer = telling.and_then(|telling| sntp::respond(&datagram, telling));
            let unix_seconds = match telling {
                Some(Telling::Time(time)) if answer.is_some() => Some(time.seconds),
                _ => None,
            };
            self.events.push((now, NetworkEvent::Sntp { unix_seconds }));
            self.send(self.sntp, answer.as_ref().map(|answer| &answer[..]), from);
        }
    }

    fn telling(&mut self, now: VirtualTime) -> Option<Telling> {
        let fault = self.fault(now, |fault| {
            matches!(
                fault,
                NetworkFault::SntpSilent
                    | NetworkFault::SntpYear(_)
                    | NetworkFault::SntpKissOfDeath
            )
        });
        let zero = match fault {
            Some(NetworkFault::SntpSilent) => return None,
            Some(NetworkFault::SntpKissOfDeath) => return Some(Telling::KissOfDeath),
            Some(NetworkFault::SntpYear(year)) => sntp::start_of_year(year),
            _ => i64::try_from(self.unix_at_zero).unwrap_or(i64::MAX),
        };
        Some(Telling::Time(UnixTime::at(zero, now)))
    }

    /// The last fault of a kind, which is told as an event.
    fn fault(
        &mut self,
        now: VirtualTime,
        kind: impl Fn(&NetworkFault) -> bool,
    ) -> Option<NetworkFault> {
        let fault = self.faults.iter().rev().find(|fault| kind(fault))?.clone();
        let name = fault.name().into();
        self.events.push((now, NetworkEvent::Fault { fault: name }));
        Some(fault)
    }

    fn datagram(&mut self, handle: SocketHandle) -> Option<(Vec<u8>, UdpMetadata, IpAddress)> {
        let (datagram, from) = self.sockets.get_mut::<Socket>(handle).recv().ok()?;
        Some((datagram.to_vec(), from, from.local_address?))
    }

    /// Answers from the address that was asked.
    fn send(&mut self, handle: SocketHandle, answer: Option<&[u8]>, to: UdpMetadata) {
        if let Some(answer) = answer {
            // A full buffer loses a datagram, as UDP may.
            let _ = self
                .sockets
                .get_mut::<Socket>(handle)
                .send_slice(answer, to);
        }
    }
}
