//! An attached chip: memory, core, reset, pins.

use core::fmt;
use core::time::Duration;

use az3166_target::Button;
use probe_rs::{Core, MemoryInterface as _, Session};

use crate::error::BoardError;
use crate::reset_flags::ResetFlags;

/// How long a halt may take.
const HALT: Duration = Duration::from_millis(500);
/// Unique device ID (RM0402 section 31.1).
const UID: u32 = 0x1FFF_7A10;
const DBGMCU_IDCODE: u32 = 0xE004_2000;
/// The STM32F412 in DBGMCU_IDCODE (RM0402 section 30.6.1).
const DEVICE: u32 = 0x441;
const DHCSR: u32 = 0xE000_EDF0;
/// Status and control of the flash interface (RM0402 sections 3.8.4 and 3.8.5).
const FLASH_SR: u32 = 0x4002_3C0C;
const FLASH_SR_BSY: u32 = 1 << 16;
const FLASH_CR_LOCK: u32 = 1 << 31;
/// The core register PC.
const PC: u16 = 15;

/// The 96-bit unique ID of a chip, as it lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChipUid(pub [u8; 12]);

impl fmt::Display for ChipUid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// What the core does, as far as a host must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CoreState {
    /// It runs or sleeps.
    Running,
    /// It stands at a breakpoint or was halted.
    Halted,
    /// It cannot go on.
    LockedUp,
}

/// What the firmware does with its own flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FlashUse {
    /// It only reads it.
    None,
    /// It has unlocked it, to write it.
    Unlocked,
    /// An operation is under way.
    Busy,
}

/// What happened to the core behind the debugger's back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SinceLastLook {
    NoReset,
    Reset,
}

/// A chip behind a debug session, which is closed on drop: breakpoints cleared, core running.
pub(crate) struct Chip {
    session: Session,
}

impl fmt::Debug for Chip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chip").finish_non_exhaustive()
    }
}

impl Chip {
    pub(crate) const fn new(session: Session) -> Self {
        Self { session }
    }

    pub(crate) fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    fn core<T>(
        &mut self,
        what: &'static str,
        act: impl FnOnce(&mut Core<'_>) -> Result<T, probe_rs::Error>,
    ) -> Result<T, BoardError> {
        let failed = |error| BoardError::debug(what, error);
        act(&mut self.session.core(0).map_err(failed)?).map_err(failed)
    }

    /// The chip's unique ID, after a look at whether it is the right kind of chip at all.
    pub(crate) fn identify(&mut self) -> Result<ChipUid, BoardError> {
        let (device, words) = self.core("read the chip's IDs", |core| {
            let mut words = [0; 3];
            core.read_32(u64::from(UID), &mut words)?;
            Ok((core.read_word_32(u64::from(DBGMCU_IDCODE))? & 0xFFF, words))
        })?;
        if device != DEVICE {
            return Err(BoardError::WrongChip { found: device });
        }
        let mut uid = [0; 12];
        for (place, word) in uid.chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        Ok(ChipUid(uid))
    }

    /// Reads whole words around what is asked for: narrow reads are slow on an ST-Link.
    pub(crate) fn read(&mut self, address: u32, bytes: &mut [u8]) -> Result<(), BoardError> {
        let first = address & !3;
        let skipped = (address - first) as usize;
        let mut words = vec![0; (skipped + bytes.len()).div_ceil(4)];
        self.core("read memory", |core| {
            core.read_32(u64::from(first), &mut words)
        })?;
        let all: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.copy_from_slice(&all[skipped..skipped + bytes.len()]);
        Ok(())
    }

    /// Writes words where it can, bytes at the ends.
    pub(crate) fn write(&mut self, address: u32, bytes: &[u8]) -> Result<(), BoardError> {
        let head = (address.wrapping_neg() & 3) as usize;
        let (head, rest) = bytes.split_at(head.min(bytes.len()));
        let (middle, tail) = rest.split_at(rest.len() & !3);
        let words: Vec<u32> = middle
            .chunks_exact(4)
            .map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]))
            .collect();
        let at = u64::from(address);
        self.core("write memory", |core| {
            if !head.is_empty() {
                core.write_8(at, head)?;
            }
            if !words.is_empty() {
                core.write_32(at + head.len() as u64, &words)?;
            }
            if !tail.is_empty() {
                core.write_8(at + (head.len() + middle.len()) as u64, tail)?;
            }
            core.flush()
        })
    }

    /// Stops both watchdogs while the core is halted, until the next power-on: one that a
    /// bootloader started would reset a core that stands at a breakpoint (RM0402 section 30.16.4).
    pub(crate) fn stop_watchdogs_while_halted(&mut self) -> Result<(), BoardError> {
        const DBGMCU_APB1_FZ: u64 = 0xE004_2008;
        const DBG_WWDG_STOP: u32 = 1 << 11;
        const DBG_IWDG_STOP: u32 = 1 << 12;
        self.core("stop the watchdogs of a halted core", |core| {
            let old = core.read_word_32(DBGMCU_APB1_FZ)?;
            core.write_word_32(DBGMCU_APB1_FZ, old | DBG_WWDG_STOP | DBG_IWDG_STOP)
        })
    }

    /// The flags that tell why the chip was reset, all since they were last cleared.
    pub(crate) fn reset_flags(&mut self) -> Result<ResetFlags, BoardError> {
        const RCC_CSR: u64 = 0x4002_3874;
        let flags = self.core("read the reset flags", |core| core.read_word_32(RCC_CSR))?;
        Ok(ResetFlags::new(flags))
    }

    /// Resets the chip and halts it before its first instruction.
    pub(crate) fn reset_and_halt(&mut self) -> Result<(), BoardError> {
        self.core("reset and halt the core", |core| {
            core.reset_and_halt(HALT).map(drop)
        })
    }

    pub(crate) fn run(&mut self) -> Result<(), BoardError> {
        self.core("start the core", |core| core.run())
    }

    /// What the core does, and whether it was reset since the last call: that flag is cleared by
    /// the read (Armv7-M ARM, C1.6.2).
    pub(crate) fn state(&mut self) -> Result<(CoreState, SinceLastLook), BoardError> {
        const S_RESET_ST: u32 = 1 << 25;
        const S_HALT: u32 = 1 << 17;
        const S_LOCKUP: u32 = 1 << 19;
        let dhcsr = self.core("read the core's state", |core| {
            core.read_word_32(u64::from(DHCSR))
        })?;
        let state = match dhcsr {
            bits if bits & S_LOCKUP != 0 => CoreState::LockedUp,
            bits if bits & S_HALT != 0 => CoreState::Halted,
            _ => CoreState::Running,
        };
        Ok(match dhcsr & S_RESET_ST {
            0 => (state, SinceLastLook::NoReset),
            _ => (state, SinceLastLook::Reset),
        })
    }

    /// The program counter; a running core is halted for it and stays so.
    pub(crate) fn pc(&mut self) -> Result<u32, BoardError> {
        self.core("read the program counter", |core| {
            core.halt(HALT)?;
            core.read_core_reg::<u32>(PC)
        })
    }

    /// What the firmware does with its own flash.
    pub(crate) fn flash_use(&mut self) -> Result<FlashUse, BoardError> {
        let mut words = [0; 2];
        // FLASH_SR, and FLASH_CR behind it.
        self.core("read the flash interface", |core| {
            core.read_32(u64::from(FLASH_SR), &mut words)
        })?;
        Ok(match words {
            [status, _] if status & FLASH_SR_BSY != 0 => FlashUse::Busy,
            [_, control] if control & FLASH_CR_LOCK == 0 => FlashUse::Unlocked,
            _ => FlashUse::None,
        })
    }

    /// Lets the core, which stands at reset, run to `entry`, within `limit`.
    pub(crate) fn run_to(&mut self, entry: u32, limit: Duration) -> Result<(), BoardError> {
        let address = u64::from(entry);
        let reached = self.core("run the bootloader", |core| {
            core.set_hw_breakpoint(address)?;
            core.run()?;
            let halted = core.wait_for_core_halted(limit);
            let pc = match halted {
                Ok(()) => Some(core.read_core_reg::<u32>(PC)?),
                Err(_) => None,
            };
            core.clear_hw_breakpoint(address)?;
            Ok(pc == Some(entry))
        })?;
        match reached {
            true => Ok(()),
            false => Err(BoardError::BootloaderStuck {
                entry,
                seconds: limit.as_secs(),
            }),
        }
    }

    /// Drives a button's pin low and locks it there until the next reset (RM0402 section 7.3.8).
    ///
    /// Low is what the switch does, so both may happen at once; the pin is never driven high.
    pub(crate) fn hold(&mut self, button: Button) -> Result<(), BoardError> {
        const RCC_AHB1ENR: u32 = 0x4002_3830;
        const GPIOA_MODER: u32 = 0x4002_0000;
        const GPIOA_BSRR: u32 = 0x4002_0018;
        let pin = button.pin();
        self.core("press the button", |core| {
            let mut change = |address: u32, clear: u32, set: u32| {
                let old = core.read_word_32(u64::from(address))?;
                core.write_word_32(u64::from(address), old & !clear | set)
            };
            change(RCC_AHB1ENR, 0, 1)?;
            core.write_word_32(u64::from(GPIOA_BSRR), 1 << (pin + 16))?;
            let mut change = |address: u32, clear: u32, set: u32| {
                let old = core.read_word_32(u64::from(address))?;
                core.write_word_32(u64::from(address), old & !clear | set)
            };
            change(GPIOA_MODER, 0b11 << (2 * pin), 0b01 << (2 * pin))
        })
    }

    /// Locks the configuration of GPIOA's pins in `pins` until the next reset: once a reset, so
    /// all held buttons at a time.
    pub(crate) fn lock_pins(&mut self, pins: u32) -> Result<(), BoardError> {
        const GPIOA_LCKR: u64 = 0x4002_001C;
        const LCKK: u32 = 1 << 16;
        let lock = self.core("lock the button's pin", |core| {
            for value in [LCKK | pins, pins, LCKK | pins] {
                core.write_word_32(GPIOA_LCKR, value)?;
            }
            core.read_word_32(GPIOA_LCKR)?;
            core.read_word_32(GPIOA_LCKR)
        })?;
        match lock & LCKK {
            0 => Err(BoardError::Debug {
                what: "lock the button's pin",
                reason: format!("GPIOA_LCKR reads {lock:#010x}"),
            }),
            _ => Ok(()),
        }
    }
}
