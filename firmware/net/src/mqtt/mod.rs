//! MQTT 3.1.1 (OASIS standard, 29 October 2014) as a device speaks it.

pub mod client;
pub mod hub;
pub mod packet;
