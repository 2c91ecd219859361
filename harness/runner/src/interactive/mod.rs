//! The board under a person's hands: whatever its secure element holds, the local cloud knows the
//! device by the time that it registers.

mod enrol;
mod notice;
mod probe;

use core::time::Duration;
use std::collections::BTreeSet;

use az3166_cloud::{Cloud, CloudConfig, ServerChain};
use az3166_event::{MachineEvent, Payload, Picture, VirtualTime};
use az3166_network::{Gateway, GatewayConfig};
use az3166_target::{Button, PowerState, TRUST_ANCHOR_ADDRESS, Target, trust_anchor_record};

pub use enrol::DEVICE_ID;
pub use notice::Notice;
pub use probe::{DEFAULT_PROBE_ADDRESS, ProbeError, ProbeNews, ProbeServer};

pub use crate::bench::Debugging;
use crate::bench::{Bench, Cancel, CloudSide, Halt, Waited};
use crate::firmware::Firmware;
use crate::oracle::Oracle;
use crate::steps::StepError;
use crate::suite::{EPOCH, NTP_NAMES};

/// How long a button that is held for a start stays down.
const HELD: Duration = Duration::from_millis(500);

/// A board on a desk, with a local cloud that enrols it at each start.
pub struct Session {
    bench: Bench,
    oracle: Oracle,
    /// The ID scope that the local cloud serves.
    scope: String,
    /// The certificate that was enrolled last.
    enrolled: Option<Vec<u8>>,
    held: BTreeSet<&'static str>,
    release: Option<(VirtualTime, Button)>,
    lit: BTreeSet<String>,
    halted: Option<Halt>,
    notices: Vec<Notice>,
    /// How much of the trace was looked at.
    seen: usize,
    /// How much of the console was taken.
    taken: usize,
    debugging: Debugging,
}

impl Session {
    /// Puts `target`, a board without power, on the desk and programs `firmware`.
    ///
    /// # Errors
    /// The target cannot be programmed, or the local cloud cannot start.
    pub fn new(
        mut target: Box<dyn Target>,
        firmware: &Firmware,
        seed: u64,
        cancel: Cancel,
        debugging: Debugging,
    ) -> Result<Self, StepError> {
        target.load(&firmware.images())?;
        let mut cloud_seed = [0; 32];
        cloud_seed[..8].copy_from_slice(&seed.to_le_bytes());
        let config = CloudConfig::virtual_time(cloud_seed, ServerChain::EcdsaP256);
        let scope = config.id_scope.clone();
        let cloud = Cloud::new(config).map_err(|error| {
            StepError::setup(
                format!("the local cloud cannot start: {error}"),
                "report this as a bug",
            )
        })?;
        let gateway = Gateway::new(GatewayConfig {
            hosts: cloud.host_names(),
            ntp_names: NTP_NAMES.map(Into::into).to_vec(),
            seed,
            unix_at_zero: EPOCH,
        });
        let image = firmware.application.clone();
        let cloud = CloudSide::Local(Box::new(cloud));
        let mut bench = Bench::new(target, image, gateway, cloud, cancel);
        bench.set_debugging(debugging);
        Ok(Self {
            bench,
            oracle: firmware.oracle.clone(),
            scope,
            enrolled: None,
            held: BTreeSet::new(),
            release: None,
            lit: BTreeSet::new(),
            halted: None,
            notices: Vec::new(),
            seen: 0,
            taken: 0,
            debugging,
        })
    }

    /// Applies power, or resets where there is power, with `button` held for the first moment.
    pub fn start(&mut self, button: Option<Button>) -> Result<(), StepError> {
        // Whoever starts the board again has let go of what was held for the start before.
        if let Some((_, held)) = self.release.take() {
            self.release(held)?;
        }
        if let Some(button) = button {
            self.press(button)?;
            self.release = Some((self.now() + HELD, button));
        }
        self.halted = None;
        match self.power_state() {
            PowerState::Off => self.bench.set_power(PowerState::On)?,
            PowerState::On => self.bench.reset()?,
        }
        let record = self.bench.cloud.trust_anchor();
        let record = record.and_then(trust_anchor_record).unwrap_or_default();
        self.bench
            .target()
            .write_memory(TRUST_ANCHOR_ADDRESS, &record)?;
        self.look();
        Ok(())
    }

    /// Removes power.
    pub fn power_off(&mut self) -> Result<(), StepError> {
        self.bench.set_power(PowerState::Off)?;
        self.halted = None;
        self.lit.clear();
        self.look();
        Ok(())
    }

    /// Presses `button` until it is released.
    pub fn press(&mut self, button: Button) -> Result<(), StepError> {
        self.release = self.release.filter(|(_, due)| *due != button);
        self.held.insert(button.name());
        Ok(self.bench.target().press(button)?)
    }

    /// Lets go of `button`.
    pub fn release(&mut self, button: Button) -> Result<(), StepError> {
        self.held.remove(button.name());
        Ok(self.bench.target().release(button)?)
    }

    /// Types `bytes` on the console.
    pub fn type_bytes(&mut self, bytes: &[u8]) -> Result<(), StepError> {
        match self.power_state() {
            PowerState::On => Ok(self.bench.type_bytes(bytes)?),
            PowerState::Off => Ok(()),
        }
    }

    /// Lets time pass until `deadline`. A processor that halted stays so until it is started again,
    /// and the board's time stands still with it.
    pub fn run_until(&mut self, deadline: VirtualTime) -> Result<(), StepError> {
        if let Some((at, button)) = self.release.filter(|(at, _)| *at <= deadline) {
            self.pass(at)?;
            self.release = None;
            self.release(button)?;
        }
        self.pass(deadline)
    }

    fn pass(&mut self, deadline: VirtualTime) -> Result<(), StepError> {
        if self.halted.is_some() {
            return Ok(());
        }
        let had_power = self.power_state();
        let waited = self.bench.wait(deadline, |_| None::<()>)?;
        match waited {
            Waited::Halted(halt @ (Halt::Lockup(_) | Halt::Breakpoint(_))) => {
                match self.debugging {
                    Debugging::Never => self.halted = Some(halt.clone()),
                    Debugging::Possible => self.bench.advance(deadline)?,
                }
                self.notices.push(Notice::Halted(halt));
            }
            Waited::Halted(Halt::NoPower) if had_power == PowerState::On => {
                self.notices.push(Notice::Halted(Halt::NoPower));
            }
            // Asleep until somebody types: time passes all the same.
            Waited::Halted(_) => self.bench.advance(deadline)?,
            Waited::Found(()) | Waited::TimedOut => {}
        }
        self.look();
        Ok(())
    }

    /// Takes note of what happened since the last look.
    fn look(&mut self) {
        let events = self.bench.events_since(self.seen);
        let mut resets = 0;
        for event in events {
            match &event.payload {
                Payload::Machine(MachineEvent::Reset { .. }) => {
                    resets += 1;
                    self.lit.clear();
                }
                Payload::Machine(MachineEvent::Led { led, on: true }) => {
                    self.lit.insert(led.clone());
                }
                Payload::Machine(MachineEvent::Led { led, on: false }) => {
                    self.lit.remove(led);
                }
                payload => self.notices.extend(Notice::of(payload)),
            }
        }
        self.seen = self.bench.trace().events().len();
        if resets > 0 {
            let notice = self.enrol();
            self.notices.extend(notice);
        }
    }

    /// The board's clock.
    pub fn now(&self) -> VirtualTime {
        self.bench.now()
    }

    /// Whether the board has power.
    pub fn power_state(&self) -> PowerState {
        self.bench.power_state()
    }

    /// Why the processor stands still, if it does.
    pub fn halted(&self) -> Option<&Halt> {
        self.halted.as_ref()
    }

    /// Whether `button` is down.
    pub fn is_held(&self, button: Button) -> bool {
        self.held.contains(button.name())
    }

    /// The names of the LEDs that shine.
    pub fn lit_leds(&self) -> impl Iterator<Item = &str> {
        self.lit.iter().map(String::as_str)
    }

    /// What the display shows; none without power.
    pub fn picture(&mut self) -> Option<Picture> {
        self.bench.target().picture()
    }

    /// Whether the device waits for a command.
    pub fn is_at_prompt(&self) -> bool {
        self.bench.console.is_at_prompt()
    }

    /// How often the device has prompted.
    pub fn prompts(&self) -> usize {
        self.bench
            .console
            .heard()
            .iter()
            .filter(|heard| heard.line.is_none())
            .count()
    }

    /// How many events there were: it grows while something is going on.
    pub fn activity(&self) -> usize {
        self.bench.trace().events().len() + self.bench.console.raw().len()
    }

    /// What the device printed since the last call.
    pub fn take_console(&mut self) -> Vec<u8> {
        let bytes = self.bench.console.raw()[self.taken..].to_vec();
        self.taken += bytes.len();
        bytes
    }

    /// What happened beside the console since the last call.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        core::mem::take(&mut self.notices)
    }
}
