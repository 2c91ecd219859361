//! What a step can do: one module per group of verbs.

mod cloud;
mod console;
mod display;
mod events;
mod fault_rule;
mod flash;
mod identity;
mod network;
mod power;
mod secure_element;
mod service;

use az3166_target::Capability;
use schemars::JsonSchema;
use serde::Deserialize;

pub use cloud::{CloudFault, HeaderValue, HubMoment, Operation, Server};
pub use console::{Console, Input, LinePattern, LineRegex};
pub use display::{Display, Row, Shows};
pub use events::{ExpectEvent, ExpectFinding, ExpectNoFinding, ExpectTrace, Since, TracePoint};
pub use fault_rule::{Exchanges, FaultEffect, FaultRule};
pub use flash::{Flip, FlipPlace, Region};
pub use identity::{Against, Authority, ExpectCertificate, ExpectIdentity, Sameness};
pub use network::{Dns, NetworkFault, Sntp, TcpAnswer};
pub use power::{Button, Hold, Part, Power, PressedBy, Reset};
pub use secure_element::{
    BusDirection, Command, ExpectNvm, Plant, PlantedContent, StsafeFault, ZoneContent,
};
pub use service::{Connection, ExpectHub, ExpectRegistration, RegistrationStatus};

use crate::{Enrolment, FirmwareVariant, Interval, Label, RegistrationId, TrustAnchor};

/// One step: what the harness does, or what it waits for.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Resets the board.
    Reset(Reset),
    /// Applies or removes power.
    Power(Power),
    /// Presses a button and keeps it down.
    Hold(Button),
    /// Lets a button go.
    Release(Button),
    /// Takes a part off the board.
    Unplug(Part),
    /// Puts a part back on the board.
    Plug(Part),
    /// Lets the target run for this long.
    Advance(Interval),
    /// What the harness does with the trust anchor record in RAM at each later reset.
    TrustAnchor(TrustAnchor),
    /// Types on the console and judges what is printed.
    Console(Console),
    /// Waits until the display shows a text.
    Display(Display),
    /// Adds an enrolment, or replaces the one with the same registration id.
    Enrol(Enrolment),
    /// Removes the enrolment of a registration id.
    Unenrol(RegistrationId),
    /// Makes the services misbehave.
    CloudFault(CloudFault),
    /// Makes the network misbehave.
    NetworkFault(NetworkFault),
    /// Makes the secure element misbehave.
    StsafeFault(StsafeFault),
    /// Puts bytes into the secure element's memory.
    Plant(Plant),
    /// Keeps a copy of the secure element's memory under a label.
    SnapshotNvm(Label),
    /// Puts a kept copy of the secure element's memory back.
    RestoreNvm(Label),
    /// Programs another build of the firmware; the secure element keeps its memory.
    Flash(FirmwareVariant),
    /// Inverts bits of one byte in flash.
    Flip(Flip),
    /// Keeps the identity that the device presented last under a label.
    SaveIdentity(Label),
    /// Judges the certificate that the device presents.
    ExpectCertificate(ExpectCertificate),
    /// Compares the device's identity with a saved one.
    ExpectIdentity(ExpectIdentity),
    /// Waits until a registration reaches a state.
    ExpectRegistration(ExpectRegistration),
    /// Waits until the hub has seen the device.
    ExpectHub(ExpectHub),
    /// Waits until events came in an order.
    ExpectTrace(ExpectTrace),
    /// Waits until events of a kind came.
    ExpectEvent(ExpectEvent),
    /// Says that a finding must be there.
    ExpectFinding(ExpectFinding),
    /// Says that no such finding was made.
    ExpectNoFinding(ExpectNoFinding),
    /// Judges the secure element's memory.
    ExpectNvm(ExpectNvm),
}

impl Verb {
    /// The verb's word in the file.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Reset(_) => "reset",
            Self::Power(_) => "power",
            Self::Hold(_) => "hold",
            Self::Release(_) => "release",
            Self::Unplug(_) => "unplug",
            Self::Plug(_) => "plug",
            Self::Advance(_) => "advance",
            Self::TrustAnchor(_) => "trust_anchor",
            Self::Console(_) => "console",
            Self::Display(_) => "display",
            Self::Enrol(_) => "enrol",
            Self::Unenrol(_) => "unenrol",
            Self::CloudFault(_) => "cloud_fault",
            Self::NetworkFault(_) => "network_fault",
            Self::StsafeFault(_) => "stsafe_fault",
            Self::Plant(_) => "plant",
            Self::SnapshotNvm(_) => "snapshot_nvm",
            Self::RestoreNvm(_) => "restore_nvm",
            Self::Flash(_) => "flash",
            Self::Flip(_) => "flip",
            Self::SaveIdentity(_) => "save_identity",
            Self::ExpectCertificate(_) => "expect_certificate",
            Self::ExpectIdentity(_) => "expect_identity",
            Self::ExpectRegistration(_) => "expect_registration",
            Self::ExpectHub(_) => "expect_hub",
            Self::ExpectTrace(_) => "expect_trace",
            Self::ExpectEvent(_) => "expect_event",
            Self::ExpectFinding(_) => "expect_finding",
            Self::ExpectNoFinding(_) => "expect_no_finding",
            Self::ExpectNvm(_) => "expect_nvm",
        }
    }

    /// The capabilities that a target must have for this step; a scenario needs them unsaid.
    pub fn needs(&self) -> &'static [Capability] {
        match self {
            Self::Reset(reset) => match reset.hold.map(|hold| hold.by) {
                None => &[],
                Some(PressedBy::Switch) => &[Capability::Buttons],
                Some(PressedBy::Debugger) => &[Capability::DebuggerButtons],
            },
            Self::Power(_) => &[Capability::Power],
            Self::Hold(_) | Self::Release(_) => &[Capability::Buttons],
            Self::Unplug(_) | Self::Plug(_) | Self::Display(_) => &[Capability::Display],
            Self::Console(_) => &[Capability::Console],
            Self::StsafeFault(_)
            | Self::Plant(_)
            | Self::SnapshotNvm(_)
            | Self::RestoreNvm(_)
            | Self::ExpectNvm(_) => &[Capability::SecureElementModel],
            Self::Flip(_) => &[Capability::FlashWrite],
            Self::NetworkFault(_)
            | Self::CloudFault(_)
            | Self::ExpectCertificate(_)
            | Self::ExpectIdentity(_)
            | Self::SaveIdentity(_)
            | Self::ExpectRegistration(_)
            | Self::ExpectHub(_) => &[Capability::Network],
            Self::Advance(_)
            | Self::TrustAnchor(_)
            | Self::Enrol(_)
            | Self::Unenrol(_)
            | Self::Flash(_)
            | Self::ExpectTrace(_)
            | Self::ExpectEvent(_)
            | Self::ExpectFinding(_)
            | Self::ExpectNoFinding(_) => &[],
        }
    }
}
