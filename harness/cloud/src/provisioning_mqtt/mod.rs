//! The device API of the provisioning service over MQTT (DPS documentation, "Communicate with
//! DPS using the MQTT protocol"): its user names and topics, in the words of the HTTP interface.

mod topic;
mod user_name;

pub(crate) use topic::{Asked, RESPONSES, response_topic};
pub(crate) use user_name::{Client, is_registration};
