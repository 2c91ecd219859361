//! Blocks of a pcapng file (draft-ietf-opsawg-pcapng), little-endian.

use super::Path;

const SECTION_HEADER: u32 = 0x0A0D_0D0A;
const INTERFACE_DESCRIPTION: u32 = 1;
const ENHANCED_PACKET: u32 = 6;
const DECRYPTION_SECRETS: u32 = 10;
const BYTE_ORDER_MAGIC: u32 = 0x1A2B_3C4D;
/// The length of the section is not known in advance.
const LENGTH_UNKNOWN: u64 = u64::MAX;
/// Raw IPv4 or IPv6.
const LINKTYPE_RAW: u16 = 101;
/// "TLSK": an NSS key log.
const TLS_KEY_LOG: u32 = 0x544C_534B;
const OPTION_USER_APPLICATION: u16 = 4;
const OPTION_INTERFACE_NAME: u16 = 2;
const OPTION_TIME_RESOLUTION: u16 = 9;
const OPTION_PACKET_FLAGS: u16 = 2;
/// Timestamps count 10^-9 s.
const NANOSECONDS: u8 = 9;

/// A section header and the one interface.
pub(super) fn start() -> Vec<u8> {
    let mut file = Vec::new();
    let mut body = Vec::new();
    body.extend(BYTE_ORDER_MAGIC.to_le_bytes());
    body.extend(1_u16.to_le_bytes());
    body.extend(0_u16.to_le_bytes());
    body.extend(LENGTH_UNKNOWN.to_le_bytes());
    option(&mut body, OPTION_USER_APPLICATION, b"hil");
    end_of_options(&mut body);
    block(&mut file, SECTION_HEADER, &body);

    let mut body = Vec::new();
    body.extend(LINKTYPE_RAW.to_le_bytes());
    body.extend(0_u16.to_le_bytes());
    // No packet is cut.
    body.extend(0_u32.to_le_bytes());
    option(&mut body, OPTION_INTERFACE_NAME, b"hil-link");
    option(&mut body, OPTION_TIME_RESOLUTION, &[NANOSECONDS]);
    end_of_options(&mut body);
    block(&mut file, INTERFACE_DESCRIPTION, &body);
    file
}

/// A key log, which has to stand before the packets that need it.
pub(super) fn tls_keys(file: &mut Vec<u8>, keys: &str) {
    let mut body = Vec::new();
    body.extend(TLS_KEY_LOG.to_le_bytes());
    body.extend(length(keys.as_bytes()));
    padded(&mut body, keys.as_bytes());
    block(file, DECRYPTION_SECRETS, &body);
}

/// One packet, `nanos` nanoseconds after the Unix epoch.
pub(super) fn packet(file: &mut Vec<u8>, nanos: u64, path: Path, packet: &[u8]) {
    let mut body = Vec::new();
    // Interface 0.
    body.extend(0_u32.to_le_bytes());
    body.extend(((nanos >> 32) as u32).to_le_bytes());
    body.extend((nanos as u32).to_le_bytes());
    body.extend(length(packet));
    body.extend(length(packet));
    padded(&mut body, packet);
    // Seen from the gateway, whose interface it is.
    let direction: u32 = match path {
        Path::FromDevice => 1,
        Path::ToDevice => 2,
    };
    option(&mut body, OPTION_PACKET_FLAGS, &direction.to_le_bytes());
    end_of_options(&mut body);
    block(file, ENHANCED_PACKET, &body);
}

/// Type, total length, body, total length again; the body is a multiple of four bytes.
fn block(file: &mut Vec<u8>, kind: u32, body: &[u8]) {
    let total = (body.len() as u32 + 12).to_le_bytes();
    file.extend(kind.to_le_bytes());
    file.extend(total);
    file.extend_from_slice(body);
    file.extend(total);
}

fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    body.extend(code.to_le_bytes());
    // All options here are short constants.
    body.extend((value.len() as u16).to_le_bytes());
    padded(body, value);
}

fn end_of_options(body: &mut Vec<u8>) {
    body.extend([0; 4]);
}

fn padded(body: &mut Vec<u8>, bytes: &[u8]) {
    body.extend_from_slice(bytes);
    body.resize(body.len().next_multiple_of(4), 0);
}

/// Packets are at most an MTU long, key logs far below 4 GiB.
fn length(bytes: &[u8]) -> [u8; 4] {
    (bytes.len() as u32).to_le_bytes()
}
