//! Everything that crosses the device's link, as a packet capture.

mod pcapng;

use az3166_event::VirtualTime;

/// The packets that the device sent, and those that reached it, in order.
///
/// Packets that a fault loses on their way to the device are not in it; packets that it
/// loses on their way from the device are.
pub struct Capture {
    unix_at_zero: u64,
    packets: Vec<Record>,
    tls_keys: String,
}

struct Record {
    at: VirtualTime,
    path: Path,
    packet: Vec<u8>,
}

/// The way of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Path {
    FromDevice,
    ToDevice,
}

impl Capture {
    pub(crate) fn new(unix_at_zero: u64) -> Self {
        Self {
            unix_at_zero,
            packets: Vec::new(),
            tls_keys: String::new(),
        }
    }

    pub(crate) fn record(&mut self, at: VirtualTime, path: Path, packet: &[u8]) {
        self.packets.push(Record {
            at,
            path,
            packet: packet.to_vec(),
        });
    }

    /// Adds lines of the NSS key log format, so that a reader can decrypt TLS.
    pub fn add_tls_keys(&mut self, lines: &str) {
        self.tls_keys.push_str(lines);
        if !lines.ends_with('\n') {
            self.tls_keys.push('\n');
        }
    }

    /// How many packets were captured.
    pub fn packets(&self) -> usize {
        self.packets.len()
    }

    /// The capture as a pcapng file, with nanoseconds of the virtual epoch as times.
    pub fn to_pcapng(&self) -> Vec<u8> {
        let mut file = pcapng::start();
        if !self.tls_keys.is_empty() {
            pcapng::tls_keys(&mut file, &self.tls_keys);
        }
        for record in &self.packets {
            let epoch = self.unix_at_zero.saturating_mul(1_000_000_000);
            let nanos = epoch.saturating_add(record.at.as_nanos());
            pcapng::packet(&mut file, nanos, record.path, &record.packet);
        }
        file
    }
}
