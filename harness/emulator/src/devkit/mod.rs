//! The whole DevKit: what a host can do to the board on its desk.

mod debug;
mod leftovers;
mod run;

use az3166_event::{MachineEvent, Payload, VirtualTime};
use az3166_stsafe::SecureElement;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

pub use debug::DebugError;
pub use run::Stop;

use crate::board::{BoardBus, Button, Leds, Ssd1306};
use crate::chip::{Chip, UnmodelledPolicy};
use crate::cpu::Cpu;
use crate::memory::Memory;
use crate::peripheral::i2c::BusError;
use crate::peripheral::rcc::ResetCause;
use crate::peripheral::rng::RngFault;

/// Whether the board has its supply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    /// It has.
    On,
    /// It has not.
    Off,
}

/// Whether the board has its OLED.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Display {
    /// It answers on the bus.
    #[default]
    Present,
    /// Nothing answers at its address.
    Absent,
}

/// What distinguishes one board from another.
#[derive(Clone)]
pub struct DevKitConfig {
    /// The chip's 96-bit unique ID, as it lies in memory at 0x1FFF7A10.
    pub uid: [u8; 12],
    /// Everything random comes from it: the RNG's numbers, and what RAM holds after power-on.
    pub seed: u64,
    /// The STSAFE, with its memory.
    pub secure_element: SecureElement,
    /// The OLED.
    pub display: Display,
    /// What happens when software touches a register that the model does not have.
    pub unmodelled: UnmodelledPolicy,
}

/// The level that something outside holds the chip's reset pin at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetPin {
    /// Nothing holds it: its pull-up makes it high.
    Released,
    /// Low: the chip stands still.
    Held,
}

/// A program that does not fit where it should go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProgramError {
    /// An image outside flash.
    #[error(
        "{length} bytes at {address:#010x} do not lie in flash (0x08000000..0x08100000): link the image there"
    )]
    OutsideFlash {
        /// Where the image was to begin.
        address: u32,
        /// Its length in bytes.
        length: usize,
    },
}

/// An emulated AZ3166 DevKit. A clone is a snapshot.
#[derive(Clone)]
pub struct DevKit {
    cpu: Cpu,
    memory: Memory,
    chip: Chip,
    power: Power,
    /// The time while there is no power; with power the chip's clock tells it.
    off_at: VirtualTime,
    reset_line: ResetPin,
    lockup_reported: bool,
    noise: ChaCha8Rng,
    display: Display,
}

impl DevKit {
    /// A board without power, its flash erased.
    pub fn new(config: DevKitConfig) -> Self {
        let bus = BoardBus::new(config.secure_element, None);
        Self {
            cpu: Cpu::new(),
            memory: Memory::new(),
            chip: Chip::new(config.uid, config.seed, bus, config.unmodelled),
            power: Power::Off,
            off_at: VirtualTime::ZERO,
            reset_line: ResetPin::Released,
            lockup_reported: false,
            noise: ChaCha8Rng::seed_from_u64(config.seed),
            display: config.display,
        }
    }

    /// Writes an image, or a part of one, into flash as a programmer does, whatever was there.
    ///
    /// # Errors
    /// [`ProgramError::OutsideFlash`]; nothing is written then.
    pub fn program(&mut self, address: u32, bytes: &[u8]) -> Result<(), ProgramError> {
        let offset = address
            .checked_sub(Memory::FLASH_BASE)
            .map(|offset| offset as usize)
            .filter(|offset| offset.saturating_add(bytes.len()) <= Memory::FLASH_SIZE)
            .ok_or(ProgramError::OutsideFlash {
                address,
                length: bytes.len(),
            })?;
        self.memory.replace_flash(offset, bytes);
        Ok(())
    }

    /// Erases all of flash, as a programmer does.
    pub fn erase(&mut self) {
        self.memory
            .replace_flash(0, &vec![0xFF; Memory::FLASH_SIZE]);
    }

    /// Whether the board has power.
    pub fn is_powered(&self) -> bool {
        self.power == Power::On
    }

    /// The time of the board.
    pub fn now(&self) -> VirtualTime {
        match self.power {
            Power::On => self.chip.timebase().time_at(self.cpu.cycle()),
            Power::Off => self.off_at,
        }
    }

    /// How many instructions were executed.
    pub fn instructions(&self) -> u64 {
        self.cpu.instructions()
    }

    /// Applies or removes the supply.
    ///
    /// Off: RAM, registers, backup domain and display memory are lost, bytes on the console line
    /// too. On: the chip is at its reset vector, and RAM holds noise.
    pub fn set_power(&mut self, power: Power) {
        if self.power == power {
            return;
        }
        let now = self.now();
        let on = power == Power::On;
        self.chip.record(now, MachineEvent::Power { on });
        if on {
            let mut ram = vec![0; Memory::RAM_SIZE];
            self.noise.fill_bytes(&mut ram);
            self.memory.replace_ram(0, &ram);
            let noise = ram[0];
            self.chip.bus_mut().display =
                (self.display == Display::Present).then(|| Ssd1306::new(noise));
            self.power = power;
            self.reset(ResetCause::PowerOn, now);
        } else {
            self.chip.lose_power(now);
            self.off_at = now;
            self.power = power;
        }
    }

    /// Pulls NRST low for a moment: the chip starts again, RAM stays.
    pub fn reset_pin(&mut self) {
        if self.is_powered() {
            self.reset(ResetCause::Pin, self.now());
        }
    }

    /// Holds the reset pin low, or lets it go: the chip starts when it rises. A debugger reaches
    /// memory and the core's debug registers in between.
    pub fn set_reset_pin(&mut self, level: ResetPin) {
        let before = core::mem::replace(&mut self.reset_line, level);
        if before == level || !self.is_powered() {
            return;
        }
        match level {
            ResetPin::Held => self.reset(ResetCause::Pin, self.now()),
            ResetPin::Released => self.cpu.reset(&mut self.memory),
        }
    }

    fn reset(&mut self, cause: ResetCause, now: VirtualTime) {
        self.chip.reset(cause, self.cpu.cycle(), now);
        if cause == ResetCause::PowerOn {
            self.cpu.forget_debugger();
        }
        self.cpu.reset(&mut self.memory);
        if self.reset_line == ResetPin::Held {
            self.cpu.hold_in_reset();
        }
        self.lockup_reported = false;
    }

    /// Write-protects the flash sectors whose bits are set, as option bytes nWRP do.
    pub fn protect_sectors(&mut self, sectors: u16) {
        self.chip.protect_sectors(sectors);
    }

    /// Presses a button; it stays down.
    pub fn press(&mut self, button: Button) {
        self.set_button(button, true);
    }

    /// Lets a button go.
    pub fn release(&mut self, button: Button) {
        self.set_button(button, false);
    }

    fn set_button(&mut self, button: Button, pressed: bool) {
        let now = self.now();
        self.chip.set_button(button, pressed, now);
        let button = button.name().into();
        self.chip
            .record(now, MachineEvent::Button { button, pressed });
    }

    /// Pends an interrupt by its number, as a debugger does by a write to NVIC_ISPR.
    pub fn pend_interrupt(&mut self, irq: u16) {
        if self.is_powered() {
            self.cpu.pend_interrupt(irq);
        }
    }

    /// Types bytes into the console: they arrive one after another at the line's speed. A board
    /// without power hears nothing.
    pub fn console_send(&mut self, bytes: &[u8]) {
        if !self.is_powered() {
            return;
        }
        let now = self.now();
        self.chip.console_mut().send(bytes, now);
        self.chip.outside_changed(now);
    }

    /// The bytes that the device has printed since the last call.
    pub fn console_take(&mut self) -> Vec<u8> {
        self.chip.console_mut().take()
    }

    /// Puts the display on its bus or takes it off, even while the board runs; a new one is dark.
    pub fn set_display(&mut self, display: Display) {
        self.display = display;
        let powered = self.is_powered() && display == Display::Present;
        self.chip.bus_mut().display = powered.then(|| Ssd1306::new(0));
    }

    /// The display; none where the board has none or no power.
    pub fn display(&self) -> Option<&Ssd1306> {
        self.chip.bus().display.as_ref()
    }

    /// How bright the LEDs are.
    pub fn leds(&self) -> Leds {
        self.chip.leds()
    }

    /// The STSAFE.
    pub fn secure_element(&self) -> &SecureElement {
        &self.chip.bus().secure_element
    }

    /// The STSAFE, to inject faults and to change its memory.
    pub fn secure_element_mut(&mut self) -> &mut SecureElement {
        &mut self.chip.bus_mut().secure_element
    }

    /// Exchanges the STSAFE for another one; gives the old one.
    pub fn replace_secure_element(&mut self, element: SecureElement) -> SecureElement {
        let old = core::mem::replace(&mut self.chip.bus_mut().secure_element, element);
        if self.is_powered() {
            self.chip.outside_changed(self.now());
        }
        old
    }

    /// Makes a fault of the random number generator happen now.
    pub fn inject_rng_fault(&mut self, fault: RngFault) {
        self.chip.rng_mut().inject(fault);
        self.chip.outside_changed(self.now());
    }

    /// Makes an error on I2C1's bus happen now.
    pub fn inject_bus_error(&mut self, error: BusError) {
        self.chip.i2c_mut(0).inject(error);
        self.chip.outside_changed(self.now());
    }

    /// A device on I2C1 holds SDA low until `clocks` clocks came on SCL; for ever where none is named.
    pub fn hold_sda_low(&mut self, clocks: Option<u32>) {
        self.chip.bus_mut().hold_sda_low(clocks);
        self.chip.outside_changed(self.now());
    }

    /// Lets SDA of I2C1 go.
    pub fn release_sda(&mut self) {
        self.chip.bus_mut().release();
        self.chip.outside_changed(self.now());
    }

    /// What happened since the last call, by time.
    pub fn drain_events(&mut self) -> Vec<(VirtualTime, Payload)> {
        self.chip.drain_events()
    }
}
