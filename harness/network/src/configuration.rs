//! Addresses, names and the seed of a gateway.

use core::net::Ipv4Addr;

/// The device's own address on the link.
pub const DEVICE_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 64, 0, 2);
/// The gateway's address on the link, which is also the DNS server's.
pub const GATEWAY_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 64, 0, 1);
/// The longest IPv4 packet on the link, in bytes.
pub const MTU: usize = 1500;

/// What a gateway knows at its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayConfig {
    /// Names that DNS knows and that services answer for.
    pub hosts: Vec<String>,
    /// Names that DNS knows and that the SNTP server answers for.
    pub ntp_names: Vec<String>,
    /// Seed of initial sequence numbers, loss and corruption.
    pub seed: u64,
    /// The time that SNTP and the capture tell at [`VirtualTime::ZERO`], in seconds since 1970.
    ///
    /// [`VirtualTime::ZERO`]: az3166_event::VirtualTime::ZERO
    pub unix_at_zero: u64,
}
