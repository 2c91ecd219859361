//! The board in Renode: what it is asked to do, in Renode's words.

mod picture;
mod reset;
mod secure_element;

use core::time::Duration;

use az3166_event::{MachineEvent, Payload, Picture, VirtualTime};
use az3166_stsafe::{Power, PowerCut, SecureElement};
use az3166_target::{Button, DisplayWatch, Image, PowerState, Stop, TargetError};

use super::console::{ConsoleFile, typing};
use super::pace::Pace;
use super::{Options, memory};
use crate::RenodeError;
use crate::session::{NoStart, Session, path_word};

/// The machine's name in `machine.resc`.
const NAME: &str = "az3166";

/// The board, with the model of its secure element.
pub struct Machine {
    options: Options,
    model: SecureElement,
    running: Option<Running>,
    power: PowerState,
    now: VirtualTime,
    pace: Pace,
    display: PowerState,
    /// A press or release before Renode runs.
    buttons: Vec<(Button, &'static str)>,
    shown: DisplayWatch,
    events: Vec<(VirtualTime, Payload)>,
    /// Trouble that came up where none can be told; it is told at the next run.
    trouble: Option<RenodeError>,
    /// What a Renode said that did not become a board.
    log: Vec<u8>,
}

/// What exists once Renode runs.
struct Running {
    session: Session,
    console: ConsoleFile,
    /// The board's time at Renode's time zero: without power, only the board's time passes.
    base: VirtualTime,
    picture: Option<(VirtualTime, Picture)>,
    /// How many resets by the watchdog the log has told of.
    barks: usize,
}

impl Machine {
    pub fn new(options: Options, model: SecureElement) -> Self {
        Self {
            options,
            model,
            running: None,
            power: PowerState::Off,
            now: VirtualTime::ZERO,
            pace: Pace::new(),
            display: PowerState::On,
            buttons: Vec::new(),
            shown: DisplayWatch::default(),
            events: Vec::new(),
            trouble: None,
            log: Vec::new(),
        }
    }

    pub fn now(&self) -> VirtualTime {
        self.now
    }

    pub fn model(&mut self) -> &mut SecureElement {
        &mut self.model
    }

    pub fn log(&self) -> Vec<u8> {
        match &self.running {
            Some(running) => running.session.log(),
            None => self.log.clone(),
        }
    }

    fn start(&mut self) -> Result<(), RenodeError> {
        let mut session = match self.options.setup.spares.take() {
            Some(session) => session,
            None => Session::start(&self.options.setup, &mut self.model).map_err(
                |NoStart { error, log }| {
                    self.log = log;
                    error
                },
            )?,
        };
        let console = self.make_board(&mut session).inspect_err(|_| {
            // It ends with the session.
            self.log = session.log();
        })?;
        let mut running = Running {
            session,
            console,
            base: VirtualTime::ZERO,
            picture: None,
            barks: 0,
        };
        running.set_base(self.now);
        self.running = Some(running);
        for (button, movement) in core::mem::take(&mut self.buttons) {
            self.command(&button_command(button, movement))?;
        }
        self.apply_display()
    }

    /// Makes the board in a Renode that has none; gives its console.
    fn make_board(&mut self, session: &mut Session) -> Result<ConsoleFile, RenodeError> {
        let model = &mut self.model;
        let platform = &self.options.platform;
        if session.is_new() {
            let script = self.options.setup.renode.compilation().script();
            session.script(model, &platform.join(script))?;
        }
        let seed = self.options.seed;
        // A Renode seed is a 32-bit number, and not negative.
        session.command(
            model,
            &format!(
                "$seed={}",
                (seed as u32 ^ (seed >> 32) as u32) & 0x7FFF_FFFF
            ),
        )?;
        session.script(model, &platform.join("machine.resc"))?;
        session.command(model, "emulation SetGlobalAdvanceImmediately true")?;
        session.command(model, "logLevel 2")?;
        let port = session.bridge.port()?;
        session.command(model, &format!("sysbus.i2c.stsafe Port {port}"))?;
        let console = ConsoleFile::in_folder(session.folder())?;
        session.command(model, &console.command())?;
        session.open_control(model, NAME)?;
        for (address, word) in [0x1FFF_7A10, 0x1FFF_7A14, 0x1FFF_7A18]
            .into_iter()
            .zip(self.options.uid.chunks(4))
        {
            session.write(model, crate::wire::control::Width::Any, address, word)?;
        }
        session.command(model, &reset::watch())?;
        Ok(console)
    }

    /// The running Renode with the model, each on its own.
    fn parts(&mut self) -> Result<(&mut Running, &mut SecureElement), TargetError> {
        match &mut self.running {
            Some(running) => Ok((running, &mut self.model)),
            None => Err(TargetError::Unsupported {
                what: "run before an image is loaded".into(),
            }),
        }
    }

    fn command(&mut self, command: &str) -> Result<String, RenodeError> {
        match &mut self.running {
            Some(running) => running.session.command(&mut self.model, command),
            None => Ok(String::new()),
        }
    }

    pub fn load(&mut self, images: &[&Image]) -> Result<(), TargetError> {
        if self.running.is_none() {
            self.start()?;
        }
        self.command("sysbus.flash SetRange 0 0x100000 0xFF")?;
        for (number, segment) in images.iter().flat_map(|image| image.segments()).enumerate() {
            let (running, model) = self.parts()?;
            let path = running.session.folder().join(format!("segment-{number}"));
            std::fs::write(&path, &segment.bytes)
                .map_err(RenodeError::io("an image for Renode"))?;
            let (path, address) = (path_word(&path), segment.address);
            let command = format!("sysbus LoadBinary {path} {address:#010x}");
            running.session.command(model, &command)?;
        }
        Ok(())
    }

    pub fn power(&mut self, state: PowerState) -> Result<(), TargetError> {
        if state == self.power {
            return Ok(());
        }
        let on = state == PowerState::On;
        self.note(Payload::Machine(MachineEvent::Power { on }));
        self.power = state;
        self.shown.forget();
        match state {
            PowerState::Off => self.model.set_power(self.now, Power::Off),
            PowerState::On => {
                let (running, _) = self.parts()?;
                running.picture = None;
                for command in [
                    "sysbus.sram InitWithRandomData",
                    "sysbus.i2c.display PowerCycle",
                ] {
                    self.command(command)?;
                }
                self.restart("por")?;
            }
        }
        Ok(())
    }

    pub fn reset(&mut self) -> Result<(), TargetError> {
        match self.power {
            PowerState::On => self.restart("pin"),
            PowerState::Off => Ok(()),
        }
    }

    fn restart(&mut self, cause: &str) -> Result<(), TargetError> {
        for command in [
            "machine Reset",
            "sysbus.cpu VectorTableOffset 0x0",
            "sysbus.cpu IsHalted false",
        ] {
            self.command(command)?;
        }
        self.forget_reset()?;
        let cause = cause.to_owned();
        self.note(Payload::Machine(MachineEvent::Reset { cause }));
        self.pace.traffic();
        Ok(())
    }

    pub fn move_button(
        &mut self,
        button: Button,
        movement: &'static str,
    ) -> Result<(), TargetError> {
        match self.running {
            Some(_) => {
                self.command(&button_command(button, movement))?;
            }
            None => self.buttons.push((button, movement)),
        }
        self.note(Payload::Machine(MachineEvent::Button {
            button: button.name().into(),
            pressed: movement == "Press",
        }));
        Ok(())
    }

    pub fn run_until(&mut self, deadline: VirtualTime) -> Result<Stop, TargetError> {
        if let Some(trouble) = self.trouble.take() {
            return Err(trouble.into());
        }
        if deadline <= self.now {
            return Ok(Stop::Deadline);
        }
        if self.power == PowerState::Off {
            let passed = deadline - self.now;
            self.now = deadline;
            if let Some(running) = &mut self.running {
                running.set_base(running.base + passed);
            }
            return Ok(Stop::Deadline);
        }
        let step = self.pace.next().min(deadline - self.now);
        // Renode counts whole microseconds.
        let microseconds = u64::try_from(step.as_nanos().div_ceil(1000)).unwrap_or(u64::MAX);
        let (running, model) = self.parts()?;
        running.session.run_for(model, microseconds)?;
        let power_cut = running.session.bridge.take_power_cut();
        self.now += Duration::from_micros(microseconds);
        let events = self.model.drain_events();
        let events = events.into_iter();
        self.events
            .extend(events.map(|(at, event)| (at, Payload::SecureElement(event))));
        self.watch_secure_element(step)?;
        self.watch_reset()?;
        self.watch_display()?;
        Ok(match power_cut {
            PowerCut::Due => Stop::PowerCut,
            PowerCut::NotDue if self.now < deadline => Stop::Paused,
            PowerCut::NotDue => Stop::Deadline,
        })
    }

    pub fn instructions(&mut self) -> u64 {
        let told = self.command("sysbus.cpu ExecutedInstructions");
        told.ok().and_then(|text| number(&text)).unwrap_or_default()
    }

    pub fn read(&mut self, address: u32, bytes: &mut [u8]) -> Result<(), TargetError> {
        let width = memory::width("read", address, bytes.len())?;
        let (running, model) = self.parts()?;
        Ok(running.session.read(model, width, address, bytes)?)
    }

    pub fn write(&mut self, address: u32, bytes: &[u8]) -> Result<(), TargetError> {
        let width = memory::width("write", address, bytes.len())?;
        self.pace.traffic();
        let (running, model) = self.parts()?;
        Ok(running.session.write(model, width, address, bytes)?)
    }

    pub fn patch_flash(&mut self, address: u32, bytes: &[u8]) -> Result<(), TargetError> {
        let what = "program";
        if !memory::FLASH.contains(&address) {
            return Err(TargetError::NoMemory { what, address });
        }
        let width = memory::width(what, address, bytes.len())?;
        let (running, model) = self.parts()?;
        Ok(running.session.write(model, width, address, bytes)?)
    }

    pub fn console_send(&mut self, bytes: &[u8]) -> Result<(), TargetError> {
        if self.power == PowerState::Off {
            return Ok(());
        }
        self.pace.traffic();
        for command in typing(bytes) {
            // What is typed may be a secret, so no error repeats it.
            self.command(&command).map_err(|error| match error {
                RenodeError::Refused { .. } => {
                    RenodeError::protocol("the console", "typing failed")
                }
                other => other,
            })?;
        }
        Ok(())
    }

    pub fn console_take(&mut self) -> Result<Vec<u8>, TargetError> {
        let Some(running) = &mut self.running else {
            return Ok(Vec::new());
        };
        let bytes = running.console.take()?;
        if !bytes.is_empty() {
            self.pace.traffic();
        }
        Ok(bytes)
    }

    pub fn drain_events(&mut self) -> Vec<(VirtualTime, Payload)> {
        let mut events = core::mem::take(&mut self.events);
        let model = self.model.drain_events().into_iter();
        events.extend(model.map(|(at, event)| (at, Payload::SecureElement(event))));
        events
    }

    fn note(&mut self, payload: Payload) {
        let now = self.now;
        let model = self.model.drain_events().into_iter();
        self.events
            .extend(model.map(|(at, event)| (at, Payload::SecureElement(event))));
        self.events.push((now, payload));
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            let spares = &self.options.setup.spares;
            spares.give(running.session, &mut self.model);
        }
    }
}

impl Running {
    fn set_base(&mut self, base: VirtualTime) {
        self.base = base;
        self.session.bridge.set_base(base);
    }
}

fn button_command(button: Button, movement: &str) -> String {
    format!("sysbus.gpioPortA.button{} {movement}", button.name())
}

/// The number that the Monitor printed, decimal or hexadecimal.
fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_monitors_numbers() {
        assert_eq!(number("0x0000000000001F40\n\n"), Some(8000));
        assert_eq!(number("17\n"), Some(17));
        assert_eq!(number("true"), None);
    }
}
