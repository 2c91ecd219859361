//! MQTT 3.1.1 control packets (OASIS standard, sections 2 and 3) as values and as bytes.

mod decode;
mod encode;
#[cfg(test)]
mod other_codec;
mod packet;
mod reader;

pub(crate) use packet::{
    CleanSession, Connect, ConnectReturnCode, Delivery, Duplicate, Packet, Publish, QoS, Retain,
    Subscription, Will,
};
pub(crate) use reader::PacketReader;

/// Why bytes are not a control packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DecodeError {
    /// The packet type {0} is reserved or belongs to QoS 2.
    #[error("the packet type {0} is reserved or belongs to QoS 2")]
    ReservedType(u8),
    /// The fixed header's flags are wrong.
    #[error("the fixed header's flags are wrong")]
    Flags,
    /// The remaining length takes more than four bytes.
    #[error("the remaining length takes more than four bytes")]
    RemainingLength,
    /// The packet is larger than {limit} bytes.
    #[error("the packet is larger than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// The packet ends in the middle of {0}.
    #[error("the packet ends in the middle of {0}")]
    Short(&'static str),
    /// The packet goes on after its end.
    #[error("the packet goes on after its end")]
    Long,
    /// {0} is not a string: UTF-8 without U+0000.
    #[error("{0} is not a string: UTF-8 without U+0000")]
    NotText(&'static str),
    /// The protocol is not MQTT 3.1.1.
    #[error("the protocol is not MQTT 3.1.1")]
    Protocol,
    /// {0} has a value that the standard does not have.
    #[error("{0} has a value that the standard does not have")]
    Value(&'static str),
}
