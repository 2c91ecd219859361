//! The bus: which part answers an access, and what else an access changes.

use az3166_event::{MachineEvent, Payload, VirtualTime};

use super::{BLOCKS, Block, Chip, Halt, Place, Unit, UnmodelledPolicy, place};
use crate::board::Unconnected;
use crate::bus::{Access, Bus, BusFault, Cycle, InterruptLines, Width};
use crate::memory::Memory;
use crate::peripheral::rcc::BackupDomain;
use crate::peripheral::{Modelled, RegisterAccess, find, gpio, i2c, rtc, usart};

/// One-time programmable area, never programmed.
const OTP: core::ops::Range<u32> = 0x1FFF_7800..0x1FFF_7A10;
/// Unique device ID (RM0402 section 31.1).
const UID: core::ops::Range<u32> = 0x1FFF_7A10..0x1FFF_7A1C;
/// Flash size in KiB (RM0402 section 31.2).
const FLASH_SIZE: core::ops::Range<u32> = 0x1FFF_7A22..0x1FFF_7A24;

enum Kind {
    Read,
    Write(u32),
}

impl Bus for Chip {
    fn read(&mut self, memory: &mut Memory, access: Access) -> Result<u32, BusFault> {
        self.catch_up(memory, access.cycle);
        match place(access.address) {
            Place::Block(block, offset) => {
                let value = self.read_register(block, offset, access);
                if has_side_effect(block.unit, offset) {
                    self.refresh();
                }
                Ok(value)
            }
            Place::Unmodelled(name, offset) => {
                self.unmodelled(access, Kind::Read, Some(format!("{name}+{offset:#04x}")));
                Ok(0)
            }
            Place::Reserved => self.read_fixed(memory, access),
        }
    }

    fn write(&mut self, memory: &mut Memory, access: Access, value: u32) -> Result<(), BusFault> {
        self.catch_up(memory, access.cycle);
        match place(access.address) {
            Place::Block(block, offset) => {
                self.write_register(memory, block, offset, access, value);
            }
            Place::Unmodelled(name, offset) => {
                let name = format!("{name}+{offset:#04x}");
                self.unmodelled(access, Kind::Write(value), Some(name));
            }
            Place::Reserved => {
                let offset = flash_offset(access.address).ok_or(BusFault)?;
                self.flash
                    .program(offset, access.width, value, self.now, memory);
            }
        }
        self.refresh();
        Ok(())
    }

    fn next_event(&self) -> Cycle {
        self.deadline
    }

    fn service(&mut self, _: &mut Memory, cycle: Cycle) {
        let now = self.timebase.time_at(cycle);
        self.happen(cycle, now);
        self.refresh();
    }

    fn interrupt_lines(&self) -> InterruptLines {
        self.lines
    }

    fn stop_requested(&self) -> bool {
        self.halt.is_some()
    }
}

impl Chip {
    /// Whatever was due before an access has happened when it comes.
    fn catch_up(&mut self, memory: &mut Memory, cycle: Cycle) {
        if cycle >= self.deadline {
            self.service(memory, cycle);
        }
        self.now = self.timebase.time_at(cycle);
    }

    /// Reads outside the peripherals: what the factory wrote, and flash.
    fn read_fixed(&mut self, memory: &Memory, access: Access) -> Result<u32, BusFault> {
        let byte = |address: u32| -> Option<u8> {
            if UID.contains(&address) {
                Some(self.uid[(address - UID.start) as usize])
            } else if FLASH_SIZE.contains(&address) {
                let kib = (Memory::FLASH_SIZE / 1024) as u16;
                Some(kib.to_le_bytes()[(address - FLASH_SIZE.start) as usize])
            } else if OTP.contains(&address) {
                Some(0xFF)
            } else {
                Some(memory.flash()[flash_offset(address)?])
            }
        };
        (0..access.width.bytes()).try_fold(0, |value, index| {
            let byte = byte(access.address + index).ok_or(BusFault)?;
            Ok(value | u32::from(byte) << (8 * index))
        })
    }

    fn read_register(&mut self, block: &'static Block, offset: u32, access: Access) -> u32 {
        let aligned = offset & !3;
        let Some(allowed) = register_access(block, aligned) else {
            self.unmodelled(
                access,
                Kind::Read,
                Some(format!("{}+{offset:#04x}", block.name)),
            );
            return 0;
        };
        if !self.has_clock(block) || allowed == RegisterAccess::WriteOnly {
            return 0;
        }
        let value = self.read_word(block.unit, aligned);
        lane(value, offset, access.width)
    }

    fn read_word(&mut self, unit: Unit, offset: u32) -> u32 {
        let now = self.now;
        match unit {
            Unit::Timer(index) => self.timer[index].read(offset, now),
            Unit::Rtc => self.rtc.read(offset, now),
            Unit::Iwdg => self.iwdg.read(offset, now),
            Unit::Usart(index) => self.usart[index].read(offset),
            Unit::I2c(0) if self.i2c1_is_wired() => self.i2c[0].read(offset, now, &mut self.bus),
            Unit::I2c(index) => self.i2c[index].read(offset, now, &mut Unconnected),
            Unit::Pwr => self.pwr.read(offset, now),
            Unit::Syscfg => self.syscfg.read(offset),
            Unit::Exti => self.exti.read(offset),
            Unit::Gpio(index) => self.gpio[index].read(offset),
            Unit::Crc => self.crc.read(offset),
            Unit::Rcc => self.rcc.read(offset),
            Unit::Flash => self.flash.read(offset, now),
            Unit::Rng => self.rng.read(offset, now, self.clocks.clk48),
            Unit::Dbgmcu => self.dbgmcu.read(offset),
        }
    }

    fn write_register(
        &mut self,
        memory: &mut Memory,
        block: &'static Block,
        offset: u32,
        access: Access,
        value: u32,
    ) {
        let aligned = offset & !3;
        let Some(allowed) = register_access(block, aligned) else {
            let name = format!("{}+{offset:#04x}", block.name);
            self.unmodelled(access, Kind::Write(value), Some(name));
            return;
        };
        if !self.has_clock(block) || allowed == RegisterAccess::ReadOnly {
            return;
        }
        let word = match access.width {
            Width::Word => value,
            width => self.widen(block, aligned, offset, width, value),
        };
        if self.write_word(memory, block.unit, aligned, word, access.cycle) == Modelled::No {
            let name = find(block.registers, aligned).map_or("register", |register| register.name);
            let name = format!("{}_{name} value", block.name);
            self.unmodelled(access, Kind::Write(value), Some(name));
        }
        self.check_power_cut();
    }

    /// What a byte or halfword store means for the register: the APB bridges repeat it in all
    /// lanes, AHB peripherals take their lane alone.
    fn widen(&mut self, block: &Block, aligned: u32, offset: u32, width: Width, value: u32) -> u32 {
        let on_ahb = block.base >= 0x4002_0000 && block.base < 0x6000_0000;
        let (mask, repeat) = match width {
            Width::Byte => (0xFF, 0x0101_0101),
            Width::Halfword => (0xFFFF, 0x0001_0001),
            Width::Word => (u32::MAX, 1),
        };
        if !on_ahb {
            return (value & mask).wrapping_mul(repeat);
        }
        let shift = 8 * (offset & 3);
        let is_bsrr = matches!(block.unit, Unit::Gpio(_)) && aligned == gpio::BSRR;
        let rest = if is_bsrr {
            0
        } else {
            self.read_word(block.unit, aligned)
        };
        rest & !(mask << shift) | (value & mask) << shift
    }

    fn write_word(
        &mut self,
        memory: &mut Memory,
        unit: Unit,
        offset: u32,
        value: u32,
        cycle: Cycle,
    ) -> Modelled {
        let now = self.now;
        match unit {
            Unit::Timer(index) => {
                let modelled = self.timer[index].write(offset, value, now);
                self.leds_changed(now);
                return modelled;
            }
            Unit::Rtc if self.pwr.backup_domain_writable() => {
                return self.rtc.write(offset, value, now);
            }
            Unit::Rtc => {}
            Unit::Iwdg => {
                self.iwdg.write(offset, value, now);
                if self.iwdg.is_running() {
                    self.rcc.hold_lsi(now);
                }
            }
            Unit::Usart(index) => return self.usart[index].write(offset, value, now),
            Unit::I2c(0) if self.i2c1_is_wired() => {
                return self.i2c[0].write(offset, value, now, &mut self.bus);
            }
            Unit::I2c(index) => {
                return self.i2c[index].write(offset, value, now, &mut Unconnected);
            }
            Unit::Pwr => return self.pwr.write(offset, value, now),
            Unit::Syscfg => {
                let modelled = self.syscfg.write(offset, value);
                self.pins_changed(now);
                return modelled;
            }
            Unit::Exti => self.exti.write(offset, value),
            Unit::Gpio(index) => {
                self.gpio[index].write(offset, value);
                self.pins_changed(now);
            }
            Unit::Crc => self.crc.write(offset, value),
            Unit::Rcc => self.write_rcc(offset, value, cycle, now),
            Unit::Flash => return self.flash.write(offset, value, now, memory),
            Unit::Rng => self.rng.write(offset, value, now, self.clocks.clk48),
            Unit::Dbgmcu => self.dbgmcu.write(offset, value),
        }
        Modelled::Yes
    }

    fn write_rcc(&mut self, offset: u32, value: u32, cycle: Cycle, now: VirtualTime) {
        let backup = if self.pwr.backup_domain_writable() {
            BackupDomain::Writable
        } else {
            BackupDomain::Protected
        };
        self.rcc.write(offset, value, now, backup);
        if self.iwdg.is_running() {
            self.rcc.hold_lsi(now);
        }
        if self.rcc.backup_domain_in_reset() {
            self.rtc = crate::peripheral::rtc::Rtc::new();
        }
        for block in BLOCKS {
            if block
                .gate
                .is_some_and(|gate| self.rcc.is_held_in_reset(gate))
            {
                self.reset_unit(block.unit, now);
            }
        }
        self.clocks_may_have_changed(cycle, now);
    }

    fn reset_unit(&mut self, unit: Unit, now: VirtualTime) {
        match unit {
            Unit::Timer(index) => self.timer[index].reset(),
            Unit::Usart(index) => self.usart[index].reset(),
            Unit::I2c(index) => self.i2c[index].reset(),
            Unit::Gpio(index) => {
                self.gpio[index].reset();
                self.pins_changed(now);
            }
            Unit::Pwr => self.pwr = crate::peripheral::pwr::Pwr::new(now),
            Unit::Syscfg => self.syscfg = crate::peripheral::syscfg::Syscfg::default(),
            Unit::Crc => self.crc = crate::peripheral::crc::Crc::new(),
            Unit::Rng => self.rng.reset(),
            Unit::Rtc | Unit::Iwdg | Unit::Exti | Unit::Rcc | Unit::Flash | Unit::Dbgmcu => {}
        }
    }

    /// Whether a peripheral's clock runs. Without it, a read gives 0 and a write does nothing, as
    /// on silicon; the first such access since a reset is an event too.
    fn has_clock(&mut self, block: &'static Block) -> bool {
        if block.gate.is_none_or(|gate| self.rcc.is_enabled(gate)) {
            return true;
        }
        if !self.unclocked.contains(&block.name) {
            self.unclocked.push(block.name);
            let peripheral = block.name.into();
            self.record(self.now, MachineEvent::UnclockedAccess { peripheral });
        }
        false
    }

    fn unmodelled(&mut self, access: Access, kind: Kind, register: Option<String>) {
        let (name, value) = match kind {
            Kind::Read => ("read", None),
            Kind::Write(value) => ("write", Some(value)),
        };
        let event = MachineEvent::UnmodelledAccess {
            address: access.address,
            access: name.into(),
            width: access.width.bytes() as u8,
            value,
            pc: access.pc,
            function: None,
            register,
        };
        if self.policy == UnmodelledPolicy::Stop {
            self.halt = Some(Halt::Unmodelled(event.clone()));
        }
        self.events.push((self.now, Payload::Machine(event)));
    }
}

/// Who may do what at an offset of a block; the RTC's backup registers are not in its table.
fn register_access(block: &'static Block, offset: u32) -> Option<RegisterAccess> {
    if block.unit == Unit::Rtc && rtc::BACKUP.contains(&offset) {
        return Some(RegisterAccess::ReadWrite);
    }
    find(block.registers, offset).map(|register| register.access)
}

/// Whether a read can change deadlines or interrupt lines; most loops poll registers that cannot.
fn has_side_effect(unit: Unit, offset: u32) -> bool {
    match unit {
        Unit::Usart(_) => offset != usart::SR,
        Unit::I2c(_) => offset != i2c::SR1,
        Unit::Timer(_) | Unit::Rng => true,
        _ => false,
    }
}

/// The part of a register that a narrow load gets.
fn lane(value: u32, offset: u32, width: Width) -> u32 {
    let shifted = value >> (8 * (offset & 3));
    match width {
        Width::Byte => shifted & 0xFF,
        Width::Halfword => shifted & 0xFFFF,
        Width::Word => shifted,
    }
}

/// The offset in flash of an address, its alias at 0 included.
fn flash_offset(address: u32) -> Option<usize> {
    let offset = if address >= Memory::FLASH_BASE {
        address - Memory::FLASH_BASE
    } else {
        address
    };
    usize::try_from(offset)
        .ok()
        .filter(|offset| *offset < Memory::FLASH_SIZE)
}
