//! The embedded emulator as a target.

use core::time::Duration;

use az3166_emulator::{
    DebugError, DevKit, DevKitConfig, Display, Power, ProgramError, UnmodelledPolicy,
};
use az3166_event::{MachineEvent, Payload, Picture, VirtualTime};
use az3166_stsafe::{Configuration, NvmImage, ReservedZones, SecureElement};
use az3166_target::{
    Button, Capabilities, Capability, DisplayWatch, Image, PowerState, Stop, Target, TargetError,
    TargetMemory,
};

use super::swd::SwdPins;

/// How long the firmware may be busy before the host looks at the link again.
const LINK_SLICE: Duration = Duration::from_micros(500);

/// What distinguishes one emulated board from another.
#[derive(Clone, Debug)]
pub struct EmulatorOptions {
    /// The chip's 96-bit unique ID.
    pub uid: [u8; 12],
    /// Seed of the RNG peripheral and of RAM's content after power-on.
    pub seed: u64,
    /// What happens when software touches a register that the model does not have.
    pub unmodelled: UnmodelledPolicy,
}

impl EmulatorOptions {
    /// The board of scenarios: always the same chip.
    pub fn seeded(seed: u64) -> Self {
        Self {
            uid: *b"\x2e\x00\x41\x00\x0e\x51\x37\x33\x31\x35\x39\x30",
            seed,
            unmodelled: UnmodelledPolicy::Stop,
        }
    }
}

/// An emulated DevKit.
pub struct EmulatorTarget {
    devkit: DevKit,
    image: Option<Image>,
    shown: DisplayWatch,
    events: Vec<(VirtualTime, Payload)>,
    /// Where a debugger is wired to.
    pins: Option<SwdPins>,
}

impl EmulatorTarget {
    /// A board without power, its flash erased, its secure element as it left the factory.
    pub fn new(options: &EmulatorOptions) -> Self {
        let mut random_seed = [0; 32];
        random_seed[..8].copy_from_slice(&options.seed.to_le_bytes());
        let chip = Configuration {
            random_seed,
            ..Configuration::default()
        };
        let devkit = DevKit::new(DevKitConfig {
            uid: options.uid,
            seed: options.seed,
            secure_element: SecureElement::new(chip, NvmImage::devkit(ReservedZones::Absent)),
            display: Display::Present,
            unmodelled: options.unmodelled,
        });
        Self {
            devkit,
            image: None,
            shown: DisplayWatch::default(),
            events: Vec::new(),
            pins: None,
        }
    }

    /// Wires a debugger to the chip. It is attended to whenever the board runs; what it halts is
    /// no stop of the board, whose time goes on.
    #[must_use]
    pub fn with_debugger(mut self, pins: SwdPins) -> Self {
        self.pins = Some(pins);
        self
    }

    /// Notes a picture that changed and has stayed for a refresh.
    fn watch_display(&mut self) {
        let Some(display) = self.devkit.display() else {
            return;
        };
        let (changed, now) = (display.changed_at(), self.devkit.now());
        if !self.shown.is_due(now, changed) {
            return;
        }
        let Some(picture) = self.picture() else {
            return;
        };
        if let Some(frame) = self.shown.look(changed, &picture) {
            self.events.push((now, Payload::Display(frame)));
        }
    }
}

fn no_memory(what: &'static str, error: &DebugError) -> TargetError {
    match error {
        DebugError::NoPower => TargetError::Unsupported {
            what: format!("{what} while the board has no power"),
        },
        DebugError::Fault { address } => TargetError::NoMemory {
            what,
            address: *address,
        },
    }
}

impl TargetMemory for EmulatorTarget {
    fn read_memory(&mut self, address: u32, bytes: &mut [u8]) -> Result<(), TargetError> {
        self.devkit
            .read_memory(address, bytes)
            .map_err(|error| no_memory("read", &error))
    }

    fn write_memory(&mut self, address: u32, bytes: &[u8]) -> Result<(), TargetError> {
        self.devkit
            .write_memory(address, bytes)
            .map_err(|error| no_memory("write", &error))
    }
}

impl Target for EmulatorTarget {
    fn name(&self) -> String {
        "emulator".into()
    }

    fn capabilities(&self) -> Capabilities {
        Capability::ALL.into_iter().collect()
    }

    fn load(&mut self, images: &[&Image]) -> Result<(), TargetError> {
        self.devkit.erase();
        for segment in images.iter().flat_map(|image| image.segments()) {
            self.patch_flash(segment.address, &segment.bytes)?;
        }
        self.image = images.last().map(|image| (*image).clone());
        Ok(())
    }

    fn power(&mut self, state: PowerState) -> Result<(), TargetError> {
        self.devkit.set_power(match state {
            PowerState::On => Power::On,
            PowerState::Off => Power::Off,
        });
        if let Some(pins) = &mut self.pins {
            pins.power_on_reset();
        }
        self.shown.forget();
        Ok(())
    }

    fn reset(&mut self) -> Result<(), TargetError> {
        self.devkit.reset_pin();
        Ok(())
    }

    fn enter_from_bootloader(&mut self, _vector_table: u32) -> Result<(), TargetError> {
        self.devkit
            .start_from_bootloader_leftovers()
            .map_err(|error| no_memory("start", &error))
    }

    fn press(&mut self, button: Button) -> Result<(), TargetError> {
        self.devkit.press(of(button));
        Ok(())
    }

    fn release(&mut self, button: Button) -> Result<(), TargetError> {
        self.devkit.release(of(button));
        Ok(())
    }

    fn run_until(&mut self, deadline: VirtualTime) -> Result<Stop, TargetError> {
        if let Some(pins) = &mut self.pins {
            pins.attend(&mut self.devkit);
        }
        // A sleeping processor costs nothing, so its sleep is not cut into slices.
        let from = match self.devkit.is_asleep() {
            true => self
                .devkit
                .next_wake()
                .unwrap_or(deadline)
                .max(self.devkit.now()),
            false => self.devkit.now(),
        };
        let until = deadline.min(from + LINK_SLICE);
        let stop = self.devkit.run_until(until);
        self.watch_display();
        Ok(match stop {
            az3166_emulator::Stop::Deadline if until < deadline => Stop::Paused,
            az3166_emulator::Stop::Deadline => Stop::Deadline,
            az3166_emulator::Stop::Asleep | az3166_emulator::Stop::AsleepForEver => Stop::Asleep,
            az3166_emulator::Stop::UnmodelledAccess(_) => Stop::UnmodelledAccess,
            az3166_emulator::Stop::Lockup { pc } => Stop::Lockup { pc },
            az3166_emulator::Stop::PowerCut => Stop::PowerCut,
            az3166_emulator::Stop::Breakpoint { .. } if self.pins.is_some() => Stop::Paused,
            az3166_emulator::Stop::Breakpoint { pc } => Stop::Breakpoint { pc },
        })
    }

    fn now(&self) -> VirtualTime {
        self.devkit.now()
    }

    fn instructions(&self) -> u64 {
        self.devkit.instructions()
    }

    fn patch_flash(&mut self, address: u32, bytes: &[u8]) -> Result<(), TargetError> {
        self.devkit
            .program(address, bytes)
            .map_err(|error| match error {
                ProgramError::OutsideFlash { address, .. } => TargetError::NoMemory {
                    what: "program",
                    address,
                },
            })
    }

    fn console_send(&mut self, bytes: &[u8]) -> Result<(), TargetError> {
        self.devkit.console_send(bytes);
        Ok(())
    }

    fn console_take(&mut self) -> Result<Vec<u8>, TargetError> {
        Ok(self.devkit.console_take())
    }

    fn picture(&self) -> Option<Picture> {
        let display = self.devkit.display()?;
        let pixels = display.pixels();
        Some(Picture::from_fn(|x, y| pixels[y][x]))
    }

    fn secure_element(&mut self) -> Option<&mut SecureElement> {
        Some(self.devkit.secure_element_mut())
    }

    fn set_display(&mut self, presence: PowerState) -> Result<(), TargetError> {
        self.devkit.set_display(match presence {
            PowerState::On => Display::Present,
            PowerState::Off => Display::Absent,
        });
        Ok(())
    }

    fn is_asleep_for_ever(&self) -> bool {
        self.devkit.is_asleep_for_ever()
    }

    fn drain_events(&mut self) -> Vec<(VirtualTime, Payload)> {
        let mut events = self.devkit.drain_events();
        events.append(&mut self.events);
        for (_, payload) in &mut events {
            if let Payload::Machine(MachineEvent::UnmodelledAccess { pc, function, .. }) = payload {
                *function = self.image.as_ref().and_then(|image| image.function_at(*pc));
            }
        }
        events
    }
}

fn of(button: Button) -> az3166_emulator::Button {
    match button {
        Button::A => az3166_emulator::Button::A,
        Button::B => az3166_emulator::Button::B,
    }
}
