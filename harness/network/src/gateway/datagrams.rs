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
/// Shorter than any DNS or SNTP header.
const MALFORMED: [u8; 4] = [0xFF; 4];

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
                    | NetworkFault::DnsMalformed
            )
        });
        let answer = match fault {
            Some(NetworkFault::DnsSilent | NetworkFault::DnsMalformed) => None,
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
        match fault {
            Some(NetworkFault::DnsMalformed) => Some(MALFORMED.to_vec()),
            _ => answer.map(|answer| query.respond(answer)),
        }
    }

    pub(super) fn answer_sntp(&mut self, now: VirtualTime) {
        while let Some((datagram, from, IpAddress::Ipv4(asked))) = self.datagram(self.sntp) {
            if !self.names.is_ntp(asked) {
                continue;
            }
            let fault = self.fault(now, |fault| {
                matches!(
                    fault,
                    NetworkFault::SntpSilent
                        | NetworkFault::SntpYear(_)
                        | NetworkFault::SntpKissOfDeath
                        | NetworkFault::SntpMalformed
                )
            });
            let zero = match fault {
                Some(NetworkFault::SntpYear(year)) => sntp::start_of_year(year),
                _ => i64::try_from(self.unix_at_zero).unwrap_or(i64::MAX),
            };
            let time = UnixTime::at(zero, now);
            let respond = |telling| sntp::respond(&datagram, telling).map(Vec::from);
            // What is no client's request gets the silence it deserves.
            let (unix_seconds, answer) = match fault {
                Some(NetworkFault::SntpSilent) => (None, None),
                Some(NetworkFault::SntpKissOfDeath) => (None, respond(Telling::KissOfDeath)),
                Some(NetworkFault::SntpMalformed) => (None, Some(MALFORMED.to_vec())),
                _ => match respond(Telling::Time(time)) {
                    Some(answer) => (Some(time.seconds), Some(answer)),
                    None => (None, None),
                },
            };
            self.events.push((now, NetworkEvent::Sntp { unix_seconds }));
            self.send(self.sntp, answer.as_deref(), from);
        }
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
