//! The board as a [`Target`].

use core::time::Duration;
use std::collections::BTreeMap;
use std::time::Instant;

use az3166_event::{MachineEvent, Payload, Picture, VirtualTime};
use az3166_stsafe::SecureElement;
use az3166_target::{
    Button, Capabilities, Capability, Image, PowerState, Stop, Target, TargetError, TargetMemory,
    Wear,
};

use crate::board::{BoardConfig, PowerSwitch, WriteCounter};
use crate::chip::{Chip, CoreState, FlashUse, SinceLastLook};
use crate::console::Console;
use crate::error::BoardError;
use crate::flash::{Erase, SectorPlan};
use crate::flash::{FLASH, FLASH_SIZE, Starter, Wanted, plan, program, sectors_of};
use crate::reset_flags::ResetFlags;
use crate::takeover::{read_flash, secure_original};

/// Pauses between two looks at the link, while nothing moves on it: from the first to the last.
const IDLE: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(5)];
/// How often the core's state is looked at.
const HEALTH: Duration = Duration::from_millis(50);
/// How long a bootloader may take.
const BOOTLOADER: Duration = Duration::from_secs(5);
/// How long a probe may take to come back after power.
const RETURN: Duration = Duration::from_secs(15);
/// How long firmware may keep its flash unlocked, with nothing under way, before the link is served
/// all the same.
const OWN_FLASH: Duration = Duration::from_secs(5);

/// What the processor does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Processor {
    /// It does what it did before this target came; what it prints belongs to nobody.
    Untouched,
    /// It stands where it starts.
    AtStart,
    /// It was let go.
    Running,
    /// It stopped by itself.
    Stopped,
}

/// Closes or opens a relay across a button; says in words why not.
pub type Relay = Box<dyn FnMut(Button, PowerState) -> Result<(), String> + Send>;

/// A physical board.
pub struct BoardTarget {
    config: BoardConfig,
    power_switch: Option<Box<dyn PowerSwitch>>,
    write_counter: Option<Box<dyn WriteCounter>>,
    relay: Option<Relay>,
    /// None while the board has no power.
    chip: Option<Chip>,
    console: Option<Console>,
    processor: Processor,
    power: PowerState,
    starter: Starter,
    /// Where the application begins, for a bootloader that has to be waited for.
    entry: Option<u32>,
    held: Vec<Button>,
    started: Instant,
    pause: Duration,
    /// Something was read from or written to the link since the last run.
    moved: bool,
    health_at: Instant,
    /// As they were after the last reset that is known of.
    reset_flags: ResetFlags,
    flash_unlocked_since: Option<Instant>,
    events: Vec<(VirtualTime, Payload)>,
}

impl BoardTarget {
    /// Opens the board's console, attaches to its chip and makes sure that it is the right one.
    ///
    /// # Errors
    /// [`BoardError`]: all of it is trouble with the infrastructure.
    pub fn open(
        config: BoardConfig,
        power_switch: Option<Box<dyn PowerSwitch>>,
    ) -> Result<Self, BoardError> {
        let console = Console::open(&config.console, &config.address.serial)?;
        let chip = config.open()?;
        let now = Instant::now();
        Ok(Self {
            config,
            power_switch,
            write_counter: None,
            relay: None,
            chip: Some(chip),
            console: Some(console),
            processor: Processor::Untouched,
            power: PowerState::Off,
            starter: Starter::Ours,
            entry: None,
            held: Vec::new(),
            started: now,
            pause: IDLE[0],
            moved: false,
            health_at: now,
            reset_flags: ResetFlags::default(),
            flash_unlocked_since: None,
            events: Vec::new(),
        })
    }

    /// Counts writes to the secure element from now on.
    #[must_use]
    pub fn counting(mut self, counter: Box<dyn WriteCounter>) -> Self {
        self.write_counter = Some(counter);
        self
    }

    /// Presses buttons by a relay from now on, not by the debugger.
    #[must_use]
    pub fn pressed_by(mut self, relay: Relay) -> Self {
        self.relay = Some(relay);
        self
    }

    fn chip(&mut self) -> Result<&mut Chip, TargetError> {
        self.chip.as_mut().ok_or_else(|| TargetError::Unsupported {
            what: "reach the chip while the board has no power".into(),
        })
    }

    /// The core at its reset vector.
    fn halt_at_reset(&mut self) -> Result<&mut Chip, TargetError> {
        self.chip()?.reset_and_halt()?;
        if self.processor == Processor::Untouched
            && let Some(console) = &mut self.console
        {
            console.drop_unread()?;
        }
        self.processor = Processor::AtStart;
        self.chip()
    }

    /// The chip at the application's first instruction, or the image's own start; buttons held.
    fn start(&mut self) -> Result<(), TargetError> {
        let (starter, entry) = (self.starter, self.entry);
        let held = match &self.relay {
            Some(_) => Vec::new(),
            None => self.held.clone(),
        };
        let chip = self.halt_at_reset()?;
        if let (Starter::Foreign, Some(entry)) = (starter, entry) {
            chip.run_to(entry, BOOTLOADER)?;
        }
        for button in &held {
            chip.hold(*button)?;
        }
        if !held.is_empty() {
            let pins = held.iter().fold(0, |pins, button| pins | 1 << button.pin());
            chip.lock_pins(pins)?;
        }
        // This reset is the debugger's own.
        chip.state()?;
        self.reset_flags = chip.reset_flags()?;
        self.record(MachineEvent::Reset {
            cause: "pin".into(),
        });
        Ok(())
    }

    /// Nothing where the debugger presses the buttons.
    fn work_relay(&mut self, button: Button, state: PowerState) -> Result<(), TargetError> {
        if let Some(relay) = &mut self.relay {
            relay(button, state).map_err(|reason| BoardError::Relay { reason })?;
        }
        Ok(())
    }

    fn record(&mut self, event: MachineEvent) {
        let now = self.now();
        self.events.push((now, Payload::Machine(event)));
    }

    /// Power by a switch takes the probe away with it.
    fn cut_power(&mut self) -> Result<(), TargetError> {
        match &mut self.power_switch {
            Some(switch) => {
                self.chip = None;
                self.console = None;
                let switched = switch.switch(PowerState::Off);
                switched.map_err(|reason| BoardError::Power { reason })?;
            }
            None => {
                self.halt_at_reset()?;
            }
        }
        Ok(())
    }

    fn apply_power(&mut self) -> Result<(), TargetError> {
        self.need_chip()?;
        self.start()
    }

    /// Sees to it that the chip can be reached: flash is written under power.
    fn need_chip(&mut self) -> Result<(), TargetError> {
        if let Some(switch) = &mut self.power_switch
            && self.chip.is_none()
        {
            let switched = switch.switch(PowerState::On);
            switched.map_err(|reason| BoardError::Power { reason })?;
            self.return_of_probe()?;
        }
        Ok(())
    }

    fn return_of_probe(&mut self) -> Result<(), TargetError> {
        let deadline = Instant::now() + RETURN;
        loop {
            let console = Console::open(&self.config.console, &self.config.address.serial);
            let opened = console.and_then(|console| Ok((console, self.config.open()?)));
            match opened {
                Ok((console, chip)) => {
                    (self.console, self.chip) = (Some(console), Some(chip));
                    self.processor = Processor::Untouched;
                    return Ok(());
                }
                Err(error) if Instant::now() >= deadline => return Err(error.into()),
                Err(_) => std::thread::sleep(HEALTH),
            }
        }
    }

    /// Makes flash at `range` hold `bytes`, and leaves the core at reset.
    fn rewrite(&mut self, address: u32, bytes: &[u8]) -> Result<(), TargetError> {
        let policy = self.config.bootloader;
        let (backup, take_over) = (self.config.backup.clone(), self.config.take_over);
        self.need_chip()?;
        let chip = self.chip()?;
        secure_original(chip, &backup, take_over)?;
        let end = address.saturating_add(bytes.len() as u32);
        let mut plans = Vec::new();
        for sector in sectors_of(address..end) {
            let mut content = read_flash(chip, sector.clone())?;
            let first = address.max(sector.start);
            let last = end.min(sector.end);
            let there = (first - sector.start) as usize..(last - sector.start) as usize;
            let here = (first - address) as usize..(last - address) as usize;
            content[there].copy_from_slice(&bytes[here]);
            plans.push(SectorPlan {
                address: sector.start,
                bytes: content,
                erase: Erase::Needed,
            });
        }
        program(chip, &plans, policy)?;
        self.halt_at_reset()?;
        Ok(())
    }

    /// The next pause: none while bytes move, longer and longer while they do not.
    fn next_pause(&mut self) -> Duration {
        if core::mem::take(&mut self.moved) {
            self.pause = IDLE[0];
            return Duration::ZERO;
        }
        let pause = self.pause;
        self.pause = (self.pause * 2).min(IDLE[1]);
        pause
    }

    fn sleep_until(&self, deadline: VirtualTime, longest: Duration) {
        let left = deadline.as_nanos().saturating_sub(self.now().as_nanos());
        let left = Duration::from_nanos(left) / self.config.time_factor.max(1);
        std::thread::sleep(left.min(longest));
    }

    fn health(&mut self) -> Result<Option<Stop>, TargetError> {
        if self.health_at.elapsed() < HEALTH {
            return Ok(None);
        }
        self.health_at = Instant::now();
        let chip = self.chip()?;
        let (state, since) = chip.state()?;
        if since == SinceLastLook::Reset {
            let flags = chip.reset_flags()?;
            let cause = flags.cause(core::mem::replace(&mut self.reset_flags, flags));
            self.record(MachineEvent::Reset { cause });
        }
        let chip = self.chip()?;
        let stop = match state {
            CoreState::Running => return Ok(None),
            CoreState::Halted => Stop::Breakpoint { pc: chip.pc()? },
            CoreState::LockedUp => Stop::Lockup { pc: chip.pc()? },
        };
        self.processor = Processor::Stopped;
        Ok(Some(stop))
    }
}

impl Drop for BoardTarget {
    /// Whoever uses the board next finds it under power and running, and no button pressed.
    fn drop(&mut self) {
        for button in core::mem::take(&mut self.held) {
            // There is nobody left to tell.
            let _ = self.work_relay(button, PowerState::Off);
        }
        if self.processor == Processor::AtStart
            && let Some(chip) = &mut self.chip
        {
            let _ = chip.run();
        }
        if let Some(switch) = &mut self.power_switch
            && self.chip.is_none()
        {
            // The next user's ladder switches it on too.
            let _ = switch.switch(PowerState::On);
        }
    }
}

/// What every board can do, and what depends on its wiring.
pub(crate) fn can(wired: impl IntoIterator<Item = Capability>) -> Capabilities {
    let always = [
        Capability::Console,
        Capability::Network,
        Capability::Buttons,
        Capability::FlashWrite,
    ];
    always.into_iter().chain(wired).collect()
}

/// Flash and RAM, the system memory's IDs, peripherals and the core's own registers.
fn exists(address: u32, length: usize) -> bool {
    const PLACES: [core::ops::Range<u32>; 6] = [
        0x0000_0000..0x0010_0000,
        FLASH..FLASH + FLASH_SIZE,
        0x1FFF_0000..0x1FFF_FFFF,
        0x2000_0000..0x2004_0000,
        0x4000_0000..0x6000_0000,
        0xE000_0000..0xE010_0000,
    ];
    let end = u64::from(address) + length as u64;
    PLACES
        .iter()
        .any(|place| place.contains(&address) && end <= u64::from(place.end))
}

impl TargetMemory for BoardTarget {
    fn read_memory(&mut self, address: u32, bytes: &mut [u8]) -> Result<(), TargetError> {
        if !exists(address, bytes.len()) {
            let what = "read";
            return Err(TargetError::NoMemory { what, address });
        }
        Ok(self.chip()?.read(address, bytes)?)
    }

    fn write_memory(&mut self, address: u32, bytes: &[u8]) -> Result<(), TargetError> {
        if !exists(address, bytes.len()) || !(0x2000_0000..=0xFFFF_FFFF).contains(&address) {
            let what = "write";
            return Err(TargetError::NoMemory { what, address });
        }
        self.moved = true;
        Ok(self.chip()?.write(address, bytes)?)
    }
}

impl Target for BoardTarget {
    fn name(&self) -> String {
        format!("board:{}", self.config.id)
    }

    fn capabilities(&self) -> Capabilities {
        let power = self.power_switch.as_ref().map(|_| Capability::Power);
        let debugger = self.relay.is_none().then_some(Capability::DebuggerButtons);
        can(power.into_iter().chain(debugger))
    }

    fn load(&mut self, images: &[&Image]) -> Result<(), TargetError> {
        let policy = self.config.bootloader;
        let (backup, take_over) = (self.config.backup.clone(), self.config.take_over);
        let wanted = Wanted::of(images);
        self.need_chip()?;
        // Firmware that runs might write what is read here.
        let chip = self.halt_at_reset()?;
        // Before anything else: a scenario writes the secure element too.
        secure_original(chip, &backup, take_over)?;
        let plan = plan(&wanted, policy, |range| read_flash(chip, range))?;
        if !plan.sectors.is_empty() {
            program(chip, &plan.sectors, policy)?;
        }
        self.starter = plan.starter;
        self.entry = match plan.starter {
            Starter::Ours => None,
            Starter::Foreign => {
                let application = images.iter().map(|image| image.base()).max();
                let mut vector = [0; 4];
                let at = application.unwrap_or(FLASH) + 4;
                self.chip()?.read(at, &mut vector)?;
                Some(u32::from_le_bytes(vector) & !1)
            }
        };
        self.power = PowerState::Off;
        Ok(())
    }

    fn power(&mut self, state: PowerState) -> Result<(), TargetError> {
        match state {
            PowerState::On => self.apply_power()?,
            PowerState::Off => self.cut_power()?,
        }
        self.power = state;
        Ok(())
    }

    fn reset(&mut self) -> Result<(), TargetError> {
        self.start()
    }

    fn enter_from_bootloader(&mut self, _: u32) -> Result<(), TargetError> {
        Err(TargetError::Unsupported {
            what: "put a board into the state that the vendor's bootloader leaves".into(),
        })
    }

    fn press(&mut self, button: Button) -> Result<(), TargetError> {
        if !self.held.contains(&button) {
            self.held.push(button);
        }
        self.work_relay(button, PowerState::On)
    }

    fn release(&mut self, button: Button) -> Result<(), TargetError> {
        self.work_relay(button, PowerState::Off)?;
        // A pin that the debugger holds stays locked until the next reset.
        self.held.retain(|held| *held != button);
        Ok(())
    }

    fn run_until(&mut self, deadline: VirtualTime) -> Result<Stop, TargetError> {
        if self.power == PowerState::Off || self.processor == Processor::Stopped {
            self.sleep_until(deadline, HEALTH);
            return Ok(Stop::Deadline);
        }
        if self.processor == Processor::AtStart {
            self.chip()?.run()?;
            self.processor = Processor::Running;
            self.health_at = Instant::now();
            self.pause = IDLE[0];
        }
        let pause = self.next_pause();
        self.sleep_until(deadline, pause);
        if let Some(stop) = self.health()? {
            return Ok(stop);
        }
        Ok(match self.now() >= deadline {
            true => Stop::Deadline,
            false => Stop::Paused,
        })
    }

    fn now(&self) -> VirtualTime {
        VirtualTime::ZERO + self.started.elapsed() * self.config.time_factor.max(1)
    }

    fn instructions(&self) -> u64 {
        0
    }

    fn patch_flash(&mut self, address: u32, bytes: &[u8]) -> Result<(), TargetError> {
        let end = u64::from(address) + bytes.len() as u64;
        if address < FLASH || end > u64::from(FLASH + FLASH_SIZE) {
            let what = "program";
            return Err(TargetError::NoMemory { what, address });
        }
        self.rewrite(address, bytes)
    }

    fn console_send(&mut self, bytes: &[u8]) -> Result<(), TargetError> {
        match &mut self.console {
            Some(console) => Ok(console.send(bytes)?),
            // A board without power hears nothing.
            None => Ok(()),
        }
    }

    fn console_take(&mut self) -> Result<Vec<u8>, TargetError> {
        match &mut self.console {
            Some(console) => Ok(console.take()?),
            None => Ok(Vec::new()),
        }
    }

    fn picture(&self) -> Option<Picture> {
        None
    }

    fn secure_element(&mut self) -> Option<&mut SecureElement> {
        None
    }

    fn set_display(&mut self, _: PowerState) -> Result<(), TargetError> {
        Err(TargetError::Unsupported {
            what: "unplug the display of a board".into(),
        })
    }

    fn chip_uid(&self) -> Option<[u8; 12]> {
        Some(self.config.uid.0)
    }

    fn secure_element_wear(&self) -> Wear {
        Wear::Real
    }

    fn spend_write(&mut self, zone: u8) -> Result<(), TargetError> {
        match &mut self.write_counter {
            Some(counter) => counter
                .spend(zone)
                .map_err(|reason| BoardError::WornOut { reason }.into()),
            None => Ok(()),
        }
    }

    fn kept_settings(&self) -> BTreeMap<String, String> {
        self.write_counter
            .as_ref()
            .map(|counter| counter.settings())
            .unwrap_or_default()
    }

    fn keep_setting(&mut self, command: &str, value: &str) -> Result<(), TargetError> {
        match &mut self.write_counter {
            Some(counter) => counter
                .set(command, value)
                .map_err(|reason| BoardError::WornOut { reason }.into()),
            None => Ok(()),
        }
    }

    fn link_rests(&mut self) -> Result<bool, TargetError> {
        let Some(chip) = &mut self.chip else {
            return Ok(false);
        };
        let since = match chip.flash_use()? {
            FlashUse::None => {
                self.flash_unlocked_since = None;
                return Ok(false);
            }
            FlashUse::Busy => return Ok(true),
            FlashUse::Unlocked => *self.flash_unlocked_since.get_or_insert_with(Instant::now),
        };
        Ok(since.elapsed() < OWN_FLASH)
    }

    fn is_asleep_for_ever(&self) -> bool {
        false
    }

    fn drain_events(&mut self) -> Vec<(VirtualTime, Payload)> {
        core::mem::take(&mut self.events)
    }
}
