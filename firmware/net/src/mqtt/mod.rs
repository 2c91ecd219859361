//! MQTT 3.1.1 (OASIS standard, 29 October 2014) as a device of an IoT Hub speaks it.

pub mod hub;
pub mod packet;
