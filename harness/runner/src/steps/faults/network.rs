//! From the scenario language's faults to the gateway's.

use az3166_network::{Gateway, NetworkFault};
use az3166_scenario::{Dns, NetworkFault as Wanted, Sntp, TcpAnswer};

pub(super) fn inject(gateway: &mut Gateway, fault: &Wanted) {
    gateway.inject(match fault {
        Wanted::Clear => {
            gateway.clear_faults();
            return;
        }
        Wanted::Unplugged => NetworkFault::LinkSilent,
        Wanted::Loss { percent } => NetworkFault::Loss {
            percent: percent.get(),
        },
        Wanted::Duplicate { percent } => NetworkFault::Duplicate {
            percent: percent.get(),
        },
        Wanted::Corrupt { percent } => NetworkFault::Corrupt {
            percent: percent.get(),
        },
        Wanted::Delay { by } => NetworkFault::Latency(by.0),
        Wanted::Dns(Dns::Silent) => NetworkFault::DnsSilent,
        Wanted::Dns(Dns::NoSuchName) => NetworkFault::DnsNameError,
        Wanted::Dns(Dns::Malformed) => NetworkFault::DnsMalformed,
        Wanted::Sntp(Sntp::Silent) => NetworkFault::SntpSilent,
        Wanted::Sntp(Sntp::Year(year)) => NetworkFault::SntpYear(i32::from(*year)),
        Wanted::Sntp(Sntp::KissOfDeath) => NetworkFault::SntpKissOfDeath,
        Wanted::Sntp(Sntp::Malformed) => NetworkFault::SntpMalformed,
        Wanted::Drop { host, after_bytes } => NetworkFault::TcpDrop {
            host: host.as_ref().map(|host| host.expose().to_owned()),
            after_bytes: u64::from(*after_bytes),
        },
        Wanted::Tcp {
            port,
            answer: TcpAnswer::Refused,
        } => NetworkFault::TcpRefuse {
            port: Some(*port),
            host: None,
        },
        Wanted::Tcp {
            port,
            answer: TcpAnswer::Silent,
        } => NetworkFault::TcpSilent { port: *port },
    });
}
