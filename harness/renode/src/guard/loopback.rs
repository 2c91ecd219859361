//! Switches the loopback interface of a new network namespace on, by rtnetlink(7).

use std::io;

use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, sendto, socket_with,
};

/// `linux/netlink.h` and `linux/rtnetlink.h`.
const NLM_F_REQUEST: u16 = 1;
const NLM_F_ACK: u16 = 4;
const NLMSG_ERROR: u16 = 2;
const RTM_NEWLINK: u16 = 16;
/// `linux/if.h`.
const IFF_UP: u32 = 1;
/// The loopback interface is a namespace's first.
const LOOPBACK: i32 = 1;

/// Switches it on.
pub fn up() -> io::Result<()> {
    let socket = socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        // NETLINK_ROUTE.
        None,
    )?;
    let kernel = SocketAddrNetlink::new(0, 0);
    sendto(&socket, &request(), SendFlags::empty(), &kernel)?;
    let mut answer = [0; 1024];
    let (count, _) = recv(&socket, &mut answer, RecvFlags::empty())?;
    verdict(&answer[..count])
}

/// `struct nlmsghdr` and `struct ifinfomsg`, in the machine's byte order.
fn request() -> Vec<u8> {
    let mut bytes = Vec::with_capacity(32);
    bytes.extend(32u32.to_ne_bytes());
    bytes.extend(RTM_NEWLINK.to_ne_bytes());
    bytes.extend((NLM_F_REQUEST | NLM_F_ACK).to_ne_bytes());
    // Sequence number and port: the kernel's answer is the only one.
    bytes.extend([0; 8]);
    // Family, padding, device type.
    bytes.extend([0; 4]);
    bytes.extend(LOOPBACK.to_ne_bytes());
    bytes.extend(IFF_UP.to_ne_bytes());
    // Which flags to change.
    bytes.extend(IFF_UP.to_ne_bytes());
    bytes
}

/// `struct nlmsgerr` behind its header: an error number, 0 for success.
fn verdict(answer: &[u8]) -> io::Result<()> {
    let kind = answer.get(4..6).and_then(|bytes| bytes.first_chunk());
    let error = answer.get(16..20).and_then(|bytes| bytes.first_chunk());
    match (kind, error) {
        (Some(kind), Some(error)) if u16::from_ne_bytes(*kind) == NLMSG_ERROR => {
            match i32::from_ne_bytes(*error) {
                0 => Ok(()),
                error => Err(io::Error::from_raw_os_error(error.saturating_neg())),
            }
        }
        _ => Err(io::Error::other(
            "the kernel's answer is no acknowledgement",
        )),
    }
}
