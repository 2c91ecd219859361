//! A board for `cargo test`: power it, type on its console, judge its identity and registration.
//!
//! ```no_run
//! use std::collections::BTreeSet;
//! use az3166_runner::device::{Device, SECOND};
//! use az3166_runner::project;
//! use az3166_scenario::FirmwareVariant;
//!
//! let firmware = project::of_checkout(&BTreeSet::from([FirmwareVariant::Strict]))?;
//! let mut device = Device::emulated(&firmware)?;
//! device.configure()?;
//! device.send("version")?;
//! device.expect("Firmware version: 1.0.0", SECOND)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use core::fmt;
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use az3166_event::{CloudEvent, Payload};
use az3166_identity::Uds;
use az3166_scenario::{
    Authority, Button, Connection, Console, Count, Display, Enrolment, EnrolmentStatus, ExpectHub,
    Hold, IdentityInput, Input, Interval, LinePattern, PressedBy, Reset, Scenario, SecretUds,
    Shows, Source, Text, Verb,
};
use az3166_target::Target;

use crate::bench::{Cancel, Waited};
use crate::firmware::FirmwareSource;
use crate::outside::CloudChoice;
use crate::run::Run;
use crate::steps::{Outcome, StepError, execute, presented, tail, why};
use crate::suite::prepare;
use crate::targets::{EmulatorOptions, EmulatorTarget};

/// One second of the device's time.
pub const SECOND: Duration = Duration::from_secs(1);

/// A scenario that says nothing: all steps come from the test.
static BY_HAND: LazyLock<Scenario> = LazyLock::new(|| {
    let text = "name: by hand\ndeadline: 8000h\nsteps: [advance: 0s]";
    let file = az3166_scenario::parse(&Source::new("by hand", text), &BTreeMap::new());
    file.ok()
        .and_then(|file| file.scenarios.into_iter().next())
        .unwrap_or_else(|| unreachable!("it is a scenario"))
});

/// A board with a local cloud around it, under the hands of a test.
///
/// All time limits are on the device's clock: on the emulator a wait of a minute in which nothing
/// happens takes no time. What was heard or seen before the last start counts for no expectation
/// but [`Device::expect`], which reads the console line by line.
pub struct Device<'a> {
    run: Run<'a>,
}

/// Why a device did not do what was expected of it. Secrets are masked.
#[derive(thiserror::Error)]
pub enum DeviceError {
    /// expected {expected}, seen: {seen}
    #[error("expected {expected}\nseen: {seen}")]
    Unexpected {
        /// What was expected.
        expected: String,
        /// The nearest thing that was seen.
        seen: String,
    },
    /// not possible: {0}
    #[error("not possible: {0}")]
    NotPossible(String),
    /// {0}
    #[error(transparent)]
    Step(#[from] StepError),
}

/// A test that returns this error shows it by `Debug`; lines must stay lines.
impl fmt::Debug for DeviceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How a registration ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The id that the device registered with.
    pub registration_id: String,
    /// `assigned`, `failed`, `disabled` or `refused`.
    pub state: String,
    /// The device id that was assigned.
    pub device_id: Option<String>,
    /// The hub that was assigned.
    pub assigned_hub: Option<String>,
    /// The error code of a refusal or failure.
    pub error_code: Option<u32>,
}

impl<'a> Device<'a> {
    /// An emulated board with the strict firmware of `firmware`, without power, its secure element
    /// as it left the factory. The same test does the same at each run.
    ///
    /// # Errors
    /// The firmware is not there or cannot be programmed.
    pub fn emulated(firmware: &'a dyn FirmwareSource) -> Result<Self, DeviceError> {
        let target = EmulatorTarget::new(&EmulatorOptions::seeded(0));
        Self::new(Box::new(target), firmware, 0)
    }

    /// The same on any target; `seed` is for the local cloud and the network.
    ///
    /// # Errors
    /// The firmware is not there or cannot be programmed.
    pub fn new(
        target: Box<dyn Target>,
        firmware: &'a dyn FirmwareSource,
        seed: u64,
    ) -> Result<Self, DeviceError> {
        let run = prepare(
            target,
            &BY_HAND,
            firmware,
            CloudChoice::Local,
            seed,
            Cancel::default(),
        )
        .map_err(|unready| unready.error)?;
        Ok(Self { run })
    }

    /// Does a step of the scenario language.
    ///
    /// # Errors
    /// It does not hold, or cannot be done.
    pub fn step(&mut self, verb: &Verb) -> Result<(), DeviceError> {
        let outcome = execute(&mut self.run, verb)?;
        self.run.look_for_findings();
        match outcome {
            Outcome::Passed => Ok(()),
            Outcome::Failed { expected, seen } => Err(self.unexpected(&expected, &seen)),
            Outcome::Skipped { reason } => Err(DeviceError::NotPossible(reason)),
        }
    }

    fn unexpected(&self, expected: &str, seen: &str) -> DeviceError {
        let taps = &self.run.bench.taps;
        DeviceError::Unexpected {
            expected: taps.mask(expected),
            seen: taps.mask(seen),
        }
    }

    /// Starts the board, by power or by reset, into user mode.
    ///
    /// # Errors
    /// The target fails.
    pub fn boot(&mut self) -> Result<(), DeviceError> {
        self.step(&Verb::Reset(Reset::default()))
    }

    /// Starts the board with button A held, into configuration mode.
    ///
    /// # Errors
    /// The target fails.
    pub fn configure(&mut self) -> Result<(), DeviceError> {
        let hold = Some(Hold {
            button: Button::A,
            by: PressedBy::Switch,
        });
        self.step(&Verb::Reset(Reset { hold }))
    }

    /// Waits for the prompt and types a line.
    ///
    /// # Errors
    /// No prompt comes within 10 s.
    pub fn send(&mut self, line: &str) -> Result<(), DeviceError> {
        self.step(&Verb::Console(Console {
            input: Some(Input::Line(Text::from(line))),
            expect: Vec::new(),
            absent: Vec::new(),
            within: Interval(10 * SECOND),
        }))
    }

    /// Waits for a console line that contains `text`; lines up to it are read then.
    ///
    /// # Errors
    /// None comes.
    pub fn expect(&mut self, text: &str, within: Duration) -> Result<(), DeviceError> {
        self.step(&Verb::Console(Console {
            input: None,
            expect: vec![LinePattern::Contains(Text::from(text))],
            absent: Vec::new(),
            within: Interval(within),
        }))
    }

    /// Waits until the display shows `text` in any of its lines.
    ///
    /// # Errors
    /// It does not.
    pub fn display(&mut self, text: &str, within: Duration) -> Result<(), DeviceError> {
        self.step(&Verb::Display(Display {
            line: None,
            shows: Shows::Contains(Text::from(text)),
            within: Interval(within),
        }))
    }

    /// Enrols the certificate that a device with `uds`, 64 hex digits, must present.
    ///
    /// # Errors
    /// `uds` is none, or the enrolment is refused.
    pub fn enrol(&mut self, uds: &str, device_id: &str) -> Result<(), DeviceError> {
        self.step(&Verb::Enrol(Enrolment {
            certificate: Authority::Oracle,
            identity: identity(uds)?,
            registration_id: None,
            device_id: Some(Text::from(device_id)),
            status: EnrolmentStatus::Enabled,
        }))
    }

    /// The certificate, as DER, that the oracle computes for a device with `uds`.
    ///
    /// # Errors
    /// `uds` is none, or the firmware's measured regions are not known.
    pub fn oracle(&mut self, uds: &str) -> Result<Vec<u8>, DeviceError> {
        let (certificate, _) = self.run.oracle_certificate(&identity(uds)?)?;
        Ok(certificate.der().to_vec())
    }

    /// The certificate, as DER, that the device presented in TLS since its last start.
    ///
    /// # Errors
    /// It presents none.
    pub fn certificate(&mut self, within: Duration) -> Result<Vec<u8>, DeviceError> {
        match presented(
            &mut self.run,
            Interval(within),
            "a client certificate in TLS",
        )? {
            Ok(der) => Ok(der),
            Err(Outcome::Failed { expected, seen }) => Err(self.unexpected(&expected, &seen)),
            Err(_) => unreachable!("a wait for a certificate finds one or fails"),
        }
    }

    /// Waits until the registration since the last start has ended, in whatever way.
    ///
    /// # Errors
    /// It has not.
    pub fn registration(&mut self, within: Duration) -> Result<Registration, DeviceError> {
        let from = self.run.started_at();
        let deadline = self.run.deadline(Interval(within));
        let waited = self
            .run
            .bench
            .wait(deadline, |bench| {
                let mut events = bench.events_since(from).iter();
                events.find_map(|event| ended(&event.payload))
            })
            .map_err(StepError::from)?;
        match waited {
            Waited::Found(registration) => Ok(registration),
            other => {
                let reason = why(&other, Interval(within), self.run.bench.now());
                let seen = tail(&self.run, &reason);
                Err(self.unexpected("a registration that ends", &seen))
            }
        }
    }

    /// Waits until the device is connected to its hub and has sent telemetry.
    ///
    /// # Errors
    /// It has not.
    pub fn hub_connected(&mut self, within: Duration) -> Result<(), DeviceError> {
        self.step(&Verb::ExpectHub(ExpectHub {
            connected: Some(Connection::Up),
            device_id: None,
            return_code: None,
            telemetry: Some(Count::default()),
            twin_reads: None,
            within: Interval(within),
        }))
    }

    /// Says that nothing was found that no firmware should show: a secret that leaked, an access
    /// to a register that is not modelled, a weakness of the certificate.
    ///
    /// # Errors
    /// Something was found.
    pub fn no_findings(&mut self) -> Result<(), DeviceError> {
        self.run.look_into_memory();
        let findings: Vec<String> = self
            .run
            .findings()
            .map(|finding| format!("`{}`: {}", finding.id, finding.text))
            .collect();
        match findings.is_empty() {
            true => Ok(()),
            false => Err(self.unexpected("no finding", &findings.join("\n"))),
        }
    }
}

/// A registration that is over.
fn ended(payload: &Payload) -> Option<Registration> {
    match payload {
        Payload::Cloud(CloudEvent::Registration {
            registration_id,
            state,
            device_id,
            assigned_hub,
            error_code,
            ..
        }) if state != "assigning" => Some(Registration {
            registration_id: registration_id.clone(),
            state: state.clone(),
            device_id: device_id.clone(),
            assigned_hub: assigned_hub.clone(),
            error_code: *error_code,
        }),
        _ => None,
    }
}

fn identity(uds: &str) -> Result<IdentityInput, DeviceError> {
    let wrong = |todo: &str| StepError::setup("this is no UDS", todo);
    // The oracle's own reader says what is wrong without showing the text.
    uds.parse::<Uds>()
        .map_err(|error| wrong(&error.to_string()))?;
    let uds = SecretUds::try_from(Text::from(uds)).map_err(|_| wrong("give 64 hex digits"))?;
    Ok(IdentityInput {
        uds: Some(uds),
        ..IdentityInput::default()
    })
}
