//! What the network needs from the device it runs on.

use core::fmt;

/// The largest IPv4 packet on the link, in bytes.
pub const MTU: usize = 1500;

/// A link that carries whole IPv4 packets.
///
/// It may lose packets; it never blocks.
pub trait Link {
    /// Whether a packet of [`MTU`] bytes can be taken now.
    fn ready(&self) -> bool;

    /// Sends one packet. A packet that does not fit is lost, as on any network.
    fn send(&mut self, packet: &[u8]);

    /// Takes one received packet and returns its length.
    fn receive(&mut self, packet: &mut [u8; MTU]) -> Option<usize>;

    /// Whether the other side has taken everything that was sent. While this stays false nobody
    /// is at the other end.
    fn drained(&self) -> bool;
}

/// Two byte rings, one in each direction: what lies under a SLIP link.
pub trait BytePipe {
    /// How many bytes [`BytePipe::write`] takes at this moment.
    fn room(&self) -> usize;

    /// Writes bytes; the caller has asked for [`BytePipe::room`] first.
    fn write(&mut self, bytes: &[u8]);

    /// Reads waiting bytes and returns how many.
    fn read(&mut self, bytes: &mut [u8]) -> usize;

    /// Whether the reader at the other end has taken all that was written.
    fn drained(&self) -> bool;
}

/// Where the lines for the user go. The implementation ends each line.
pub trait Console {
    /// Prints one line.
    fn line(&mut self, text: fmt::Arguments<'_>);
}

/// The random number generator did not deliver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomFailure;

/// A source of cryptographically strong random numbers: the RNG peripheral.
pub trait Random: Send + Sync + fmt::Debug {
    /// Fills all of `bytes`.
    ///
    /// # Errors
    /// [`RandomFailure`] when the generator reports a seed or clock error, or stays silent. The
    /// content of `bytes` is then not to be used.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomFailure>;
}
