//! Virtual time, secrets and the one stream of typed events that every report is made from.
//!
//! This is the lowest crate: it knows no device, no protocol engine and no file.
//! Each part of the harness describes what it saw as a [`Payload`]; the runner
//! stamps it into an [`Event`], and reports are functions of those events alone.

mod leak;
mod outcome;
mod payload;
mod progress;
mod record;
mod secret;
mod time;

pub use leak::{Leak, LeakDetector, Tap};
pub use outcome::{
    Attachment, Expectedness, Failure, Finding, Location, Picture, ScenarioResult, Verdict,
    VerdictKind, folder_name,
};
pub use payload::{
    CloudEvent, ConsoleEvent, DisplayEvent, FindingEvent, MachineEvent, NetworkEvent, Payload,
    SecureElementEvent, StepEvent,
};
pub use progress::Progress;
pub use record::{Event, Trace};
pub use secret::{Fingerprint, Secret};
pub use time::VirtualTime;
