//! What can happen in a run, one module per source.

mod cloud;
mod console;
mod display;
mod finding;
mod machine;
mod network;
mod secure_element;
mod step;

use serde::{Deserialize, Serialize};

pub use cloud::CloudEvent;
pub use console::ConsoleEvent;
pub use display::DisplayEvent;
pub use finding::FindingEvent;
pub use machine::MachineEvent;
pub use network::NetworkEvent;
pub use secure_element::SecureElementEvent;
pub use step::StepEvent;

/// What happened, by its source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "source", rename_all = "snake_case")]
pub enum Payload {
    /// The serial configuration console.
    Console(ConsoleEvent),
    /// The processor, its peripherals, power, reset and buttons.
    Machine(MachineEvent),
    /// The OLED.
    Display(DisplayEvent),
    /// The STSAFE and its bus.
    SecureElement(SecureElementEvent),
    /// The device's gateway: link, IP, DNS, SNTP, TCP.
    Network(NetworkEvent),
    /// TLS, provisioning service, hub.
    Cloud(CloudEvent),
    /// Something the harness noticed that no step asked for.
    Finding(FindingEvent),
    /// The scenario's own progress.
    Step(StepEvent),
}
