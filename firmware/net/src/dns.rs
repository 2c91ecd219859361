//! Looking up one IPv4 address (RFC 1035).

use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use core::net::Ipv4Addr;

use smoltcp::wire::{
    DnsFlags, DnsOpcode, DnsPacket, DnsQueryType, DnsQuestion, DnsRcode, DnsRecord,
};
use smoltcp::wire::{DnsRecordData, DnsRepr};

/// The DNS server's port.
pub const PORT: u16 = 53;

/// Why a name has no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// the name does not exist
    UnknownName,
    /// the server refused with a response code (RFC 1035 section 4.1.1)
    Refused(u8),
    /// the answer holds no IPv4 address
    NoAddress,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownName => f.write_str("the name does not exist"),
            Self::Refused(code) => write!(f, "the server refused with response code {code}"),
            Self::NoAddress => f.write_str("the answer holds no IPv4 address"),
        }
    }
}

impl core::error::Error for Error {}

/// A query for the address of `host`; `None` when that is no host name.
pub fn query(id: u16, host: &str) -> Option<Vec<u8>> {
    let name = labels(host)?;
    let query = DnsRepr {
        transaction_id: id,
        flags: DnsFlags::RECURSION_DESIRED,
        opcode: DnsOpcode::Query,
        question: DnsQuestion {
            name: &name,
            type_: DnsQueryType::A,
        },
    };
    let mut bytes = vec![0; query.buffer_len()];
    query.emit(&mut DnsPacket::new_unchecked(bytes.as_mut_slice()));
    Some(bytes)
}

/// Reads a datagram. `None` when it is no answer to the query for `host` under `id`: something
/// late or something forged, to be ignored.
pub fn answer(id: u16, host: &str, datagram: &[u8]) -> Option<Result<Ipv4Addr, Error>> {
    let packet = DnsPacket::new_checked(datagram).ok()?;
    let is_answer = packet.transaction_id() == id
        && packet.flags().contains(DnsFlags::RESPONSE)
        && packet.opcode() == DnsOpcode::Query
        && packet.question_count() == 1;
    if !is_answer {
        return None;
    }
    let (mut rest, question) = DnsQuestion::parse(packet.payload()).ok()?;
    if question.type_ != DnsQueryType::A || !question.name.eq_ignore_ascii_case(&labels(host)?) {
        return None;
    }
    match packet.rcode() {
        DnsRcode::NoError => {}
        DnsRcode::NXDomain => return Some(Err(Error::UnknownName)),
        code => return Some(Err(Error::Refused(code.into()))),
    }
    // The server resolves aliases: the address may stand under the name of a CNAME.
    for _ in 0..packet.answer_record_count() {
        let Ok((next, record)) = DnsRecord::parse(rest) else {
            break;
        };
        if let DnsRecordData::A(address) = record.data {
            return Some(Ok(address));
        }
        rest = next;
    }
    Some(Err(Error::NoAddress))
}

/// A host name as length-prefixed labels (RFC 1035 section 3.1).
fn labels(host: &str) -> Option<Vec<u8>> {
    let mut name = Vec::with_capacity(host.len() + 2);
    for label in host.split('.') {
        let length = u8::try_from(label.len())
            .ok()
            .filter(|length| (1..=63).contains(length))?;
        name.push(length);
        name.extend(label.bytes());
    }
    name.push(0);
    (name.len() <= 255).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    const HOST: &str = "pool.ntp.org";
    const QUESTION: &[u8] = b"\x04pool\x03ntp\x03org\x00\x00\x01\x00\x01";

    fn datagram(flags: [u8; 2], counts: [u8; 2], question: &[u8], records: &[u8]) -> Vec<u8> {
        let header = [
            0x12, 0x34, flags[0], flags[1], 0, counts[0], 0, counts[1], 0, 0, 0, 0,
        ];
        [&header, question, records].concat()
    }

    #[test]
    fn the_query_is_what_rfc_1035_says() {
        let expected = datagram([1, 0], [1, 0], QUESTION, &[]);
        assert_eq!(query(0x1234, HOST), Some(expected));
    }

    #[rstest]
    #[case("")]
    #[case("a..b")]
    #[case(".a")]
    #[case(&"a".repeat(64))]
    #[case(&["a"; 130].join("."))]
    fn what_is_no_host_name_is_refused(#[case] host: &str) {
        assert_eq!(query(1, host), None);
    }

    const A: &[u8] = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x0a\x40\x01\x02";
    const CNAME: &[u8] = b"\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x04\x01x\xc0\x11";

    #[rstest]
    #[case::address([0x81, 0x80], QUESTION, A, 1, Ok(Ipv4Addr::new(10, 64, 1, 2)))]
    #[case::alias([0x81, 0x80], QUESTION, &[CNAME, A].concat(), 2, Ok(Ipv4Addr::new(10, 64, 1, 2)))]
    #[case::alias_only([0x81, 0x80], QUESTION, CNAME, 1, Err(Error::NoAddress))]
    #[case::cut_record([0x81, 0x80], QUESTION, &A[..14], 1, Err(Error::NoAddress))]
    #[case::unknown([0x81, 0x83], QUESTION, &[], 0, Err(Error::UnknownName))]
    #[case::server_failure([0x81, 0x82], QUESTION, &[], 0, Err(Error::Refused(2)))]
    fn answers_are_read(
        #[case] flags: [u8; 2],
        #[case] question: &[u8],
        #[case] records: &[u8],
        #[case] count: u8,
        #[case] expected: Result<Ipv4Addr, Error>,
    ) {
        let bytes = datagram(flags, [1, count], question, records);
        assert_eq!(answer(0x1234, HOST, &bytes), Some(expected));
        assert_eq!(answer(0x1234, "POOL.NTP.ORG", &bytes), Some(expected));
        assert_eq!(answer(0x1235, HOST, &bytes), None, "another id");
        assert_eq!(answer(0x1234, "pool.ntp.com", &bytes), None, "another name");
    }

    #[test]
    fn our_own_query_is_no_answer() {
        assert_eq!(answer(7, HOST, &query(7, HOST).unwrap()), None);
    }

    proptest! {
        #[test]
        fn any_bytes_do(bytes in prop::collection::vec(any::<u8>(), 0..128)) {
            crate::fuzzing::dns(&bytes);
        }
    }
}
