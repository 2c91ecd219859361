//! What stands behind the gateway: the services that TCP connections lead to.

use az3166_event::VirtualTime;

/// The servers behind the gateway, without sockets: the gateway ends TCP and hands over bytes.
///
/// For each connection the gateway calls `open` first. After [`Opening::Accepted`] it
/// calls `receive` and `transmit` until `closed`, which comes exactly once unless the
/// service reset the connection itself. Connections are numbered from 1 in the order of
/// their first packet, and no number is used twice.
pub trait Services {
    /// The device asks for a connection to `port` of `host`: the name that the address was
    /// given out for, else the address in dotted form.
    fn open(&mut self, now: VirtualTime, connection: u32, host: &str, port: u16) -> Opening;

    /// The next bytes from the device, in order and without gaps.
    fn receive(&mut self, now: VirtualTime, connection: u32, bytes: &[u8]);

    /// What the service has to send now. It is asked again as soon as the bytes have left.
    fn transmit(&mut self, now: VirtualTime, connection: u32) -> Transmission;

    /// The device's side of the connection is over.
    ///
    /// After [`Closing::Finished`] the service may still send what it has ready; the
    /// gateway closes once `transmit` has nothing more.
    fn closed(&mut self, now: VirtualTime, connection: u32, how: Closing);

    /// When the services want to be polled although nothing arrives.
    fn next_deadline(&self) -> Option<VirtualTime>;
}

/// A service's answer to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// It is taken.
    Accepted,
    /// Nobody listens there: the device gets a RST.
    Refused,
}

/// A service's next bytes, and what follows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmission {
    /// The bytes; none where there is nothing to send.
    pub bytes: Vec<u8>,
    /// What follows them.
    pub then: Then,
}

/// What follows the bytes of a [`Transmission`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// The connection goes on.
    Continue,
    /// The service closes its side with FIN.
    Finish,
    /// The service resets the connection with RST, after the device has acknowledged the bytes.
    Reset,
}

impl Transmission {
    /// Nothing to send now.
    pub const NOTHING: Self = Self {
        bytes: Vec::new(),
        then: Then::Continue,
    };
}

/// How the device's side of a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// The device sent FIN.
    Finished,
    /// The device sent RST.
    Reset,
    /// The device fell silent, or a fault cut the connection.
    Lost,
}
