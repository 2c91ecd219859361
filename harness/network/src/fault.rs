//! What a scenario can make the network do wrong.

use core::time::Duration;

/// One fault; it lasts until the faults are cleared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetworkFault {
    /// Each packet is lost with this probability in percent, in both directions.
    Loss {
        /// 0 to 100; more means 100.
        percent: u8,
    },
    /// Each packet takes this much longer, in each direction.
    Latency(Duration),
    /// Each packet has one bit inverted with this probability in percent, in both directions.
    Corrupt {
        /// 0 to 100; more means 100.
        percent: u8,
    },
    /// Each packet arrives twice with this probability in percent, in both directions.
    Duplicate {
        /// 0 to 100; more means 100.
        percent: u8,
    },
    /// Nobody is on the other end of the link: nothing is answered, nothing arrives.
    LinkSilent,
    /// DNS does not answer.
    DnsSilent,
    /// DNS denies every name (NXDOMAIN).
    DnsNameError,
    /// DNS gives an address where no service is.
    DnsWrongAddress,
    /// DNS answers with bytes that are no DNS message.
    DnsMalformed,
    /// SNTP does not answer.
    SntpSilent,
    /// SNTP tells a time that many days into this year as the true time is into its first year.
    SntpYear(i32),
    /// SNTP answers with a kiss-o'-death packet, code RATE (RFC 5905, 7.4).
    SntpKissOfDeath,
    /// SNTP answers with bytes that are no SNTP packet.
    SntpMalformed,
    /// Connections are refused with RST.
    TcpRefuse {
        /// The only host; every host where none is named.
        host: Option<String>,
        /// The only port; every port where none is named.
        port: Option<u16>,
    },
    /// Nothing answers when the device opens a connection to this port.
    TcpSilent {
        /// The port.
        port: u16,
    },
    /// A connection to this host (to every host where none is named) is cut with RST once
    /// this many bytes were carried, both directions together.
    TcpDrop {
        /// The host's name.
        host: Option<String>,
        /// The number of bytes that still arrive.
        after_bytes: u64,
    },
}

impl NetworkFault {
    /// The fault's name in the scenario language and in events.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Loss { .. } => "loss",
            Self::Latency(_) => "latency",
            Self::Corrupt { .. } => "corrupt",
            Self::Duplicate { .. } => "duplicate",
            Self::LinkSilent => "link_silent",
            Self::DnsSilent => "dns_silent",
            Self::DnsNameError => "dns_name_error",
            Self::DnsWrongAddress => "dns_wrong_address",
            Self::DnsMalformed => "dns_malformed",
            Self::SntpSilent => "sntp_silent",
            Self::SntpYear(_) => "sntp_year",
            Self::SntpKissOfDeath => "sntp_kiss_of_death",
            Self::SntpMalformed => "sntp_malformed",
            Self::TcpRefuse { .. } => "tcp_refuse",
            Self::TcpSilent { .. } => "tcp_silent",
            Self::TcpDrop { .. } => "tcp_drop",
        }
    }
}
