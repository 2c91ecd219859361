//! How much of what happened a cloud keeps until somebody asks.

/// How much of what happened a cloud keeps. Counters go on where lists end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Retention {
    /// Client certificates, the latest ones.
    pub(crate) client_certificates: usize,
    /// Bytes of plain text that nobody has taken, the latest ones.
    pub(crate) plaintext: usize,
    /// Lines of the key log that nobody has taken.
    pub(crate) key_log: usize,
    /// Telemetry messages of each device, the latest ones.
    pub(crate) telemetry: usize,
    /// Bytes of those messages together; the latest message is kept whatever its length.
    pub(crate) telemetry_bytes: usize,
}

impl Retention {
    /// Everything: a scenario ends soon and asks about all of it.
    pub(crate) const EVERYTHING: Self = Self {
        client_certificates: usize::MAX,
        plaintext: usize::MAX,
        key_log: usize::MAX,
        telemetry: usize::MAX,
        telemetry_bytes: usize::MAX,
    };

    /// What a service that runs for months can hold with ten thousand devices.
    pub(crate) const SERVICE: Self = Self {
        client_certificates: 1024,
        plaintext: 4 << 20,
        key_log: 1024,
        telemetry: 16,
        telemetry_bytes: 4096,
    };
}
