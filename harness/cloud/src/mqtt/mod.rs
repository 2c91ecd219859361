//! MQTT 3.1.1 control packets (OASIS standard, section 3) as values and as bytes.

mod decode;
mod encode;
mod packet;

pub(crate) use decode::{DecodeError, PacketReader};
pub(crate) use packet::{
    ConnectReturnCode, Packet, Protocol, Publish, QoS, Subscription, Will,
};
