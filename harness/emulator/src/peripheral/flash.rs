//! Embedded flash memory interface (RM0402 section 3).

use az3166_event::VirtualTime;
use core::ops::Range;
use core::time::Duration;

use super::{Modelled, Register, merge};
use crate::bus::Width;
use crate::memory::Memory;

/// Registers (RM0402 section 3.8).
pub const REGISTERS: &[Register] = &[
    Register::read_write("ACR", ACR, 0),
    Register::write_only("KEYR", KEYR),
    Register::write_only("OPTKEYR", OPTKEYR),
    Register::read_write("SR", SR, 0),
    Register::read_write("CR", CR, CR_LOCK),
    Register::read_write("OPTCR", OPTCR, OPTCR_RESET),
];

const ACR: u32 = 0x00;
const KEYR: u32 = 0x04;
const OPTKEYR: u32 = 0x08;
const SR: u32 = 0x0C;
const CR: u32 = 0x10;
const OPTCR: u32 = 0x14;

const ACR_WRITABLE: u32 = 0x1F0F;

const KEYS: [u32; 2] = [0x4567_0123, 0xCDEF_89AB];
const OPTION_KEYS: [u32; 2] = [0x0819_2A3B, 0x4C5D_6E7F];

const SR_EOP: u32 = 1 << 0;
const SR_OPERR: u32 = 1 << 1;
const SR_WRPERR: u32 = 1 << 4;
const SR_PGAERR: u32 = 1 << 5;
const SR_PGPERR: u32 = 1 << 6;
const SR_PGSERR: u32 = 1 << 7;
const SR_RDERR: u32 = 1 << 8;
const SR_BSY: u32 = 1 << 16;
const SR_ERRORS: u32 = SR_WRPERR | SR_PGAERR | SR_PGPERR | SR_PGSERR | SR_RDERR;

const CR_PG: u32 = 1 << 0;
const CR_SER: u32 = 1 << 1;
const CR_MER: u32 = 1 << 2;
const CR_STRT: u32 = 1 << 16;
const CR_EOPIE: u32 = 1 << 24;
const CR_ERRIE: u32 = 1 << 25;
const CR_LOCK: u32 = 1 << 31;
const CR_WRITABLE: u32 = 0x0300_037F;

const OPTCR_OPTLOCK: u32 = 1 << 0;
/// Factory options: no write protection, level 0, software watchdog, brownout reset off.
const OPTCR_RESET: u32 = 0x0FFF_AAED;

/// Offsets of the 12 sectors and of the end (RM0402 table 5).
const SECTORS: [usize; 13] = [
    0x0_0000, 0x0_4000, 0x0_8000, 0x0_C000, 0x1_0000, 0x2_0000, 0x4_0000, 0x6_0000, 0x8_0000,
    0xA_0000, 0xC_0000, 0xE_0000, 0x10_0000,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeyLock {
    Locked,
    FirstKeyGiven,
    Unlocked,
    /// A wrong key: locked until reset.
    Refused,
}

/// The flash interface. An operation changes the memory when it starts; BSY stands for its time.
///
/// Timing is the typical one of data sheet DS11139, table "Flash memory programming". The stall
/// of instruction fetches during an operation is not modelled. Option bytes cannot be changed.
#[derive(Clone, Debug)]
pub struct Flash {
    access_control: u32,
    status: u32,
    control: u32,
    lock: KeyLock,
    option_lock: KeyLock,
    busy_until: VirtualTime,
    /// Sectors that the option bytes protect from writing.
    protected: u16,
}

impl Flash {
    /// The interface after reset.
    pub fn new() -> Self {
        Self {
            access_control: 0,
            status: 0,
            control: 0,
            lock: KeyLock::Locked,
            option_lock: KeyLock::Locked,
            busy_until: VirtualTime::ZERO,
            protected: 0,
        }
    }

    /// A reset: the option bytes are loaded again, everything else starts afresh.
    pub fn reset(&mut self) {
        *self = Self {
            protected: self.protected,
            ..Self::new()
        };
    }

    /// Write-protects the sectors whose bits are set (option bytes nWRP).
    pub fn protect(&mut self, sectors: u16) {
        self.protected = sectors & 0xFFF;
    }

    /// OPTCR as the option bytes make it, locked.
    fn options(&self) -> u32 {
        OPTCR_RESET & !(u32::from(self.protected) << 16)
    }

    /// Reads the register at `offset`.
    pub fn read(&self, offset: u32, now: VirtualTime) -> u32 {
        match offset {
            ACR => self.access_control,
            SR if now < self.busy_until => self.status | SR_BSY,
            SR => self.status,
            CR => {
                let lock = if self.lock == KeyLock::Unlocked {
                    0
                } else {
                    CR_LOCK
                };
                let start = if now < self.busy_until {
                    self.control & CR_STRT
                } else {
                    0
                };
                self.control & !CR_STRT | lock | start
            }
            OPTCR if self.option_lock == KeyLock::Unlocked => self.options() & !OPTCR_OPTLOCK,
            OPTCR => self.options(),
            _ => 0,
        }
    }

    /// Writes the register at `offset`.
    pub fn write(
        &mut self,
        offset: u32,
        value: u32,
        now: VirtualTime,
        memory: &mut Memory,
    ) -> Modelled {
        match offset {
            ACR => self.access_control = value & ACR_WRITABLE,
            KEYR => self.lock = self.lock.after_key(value, KEYS),
            OPTKEYR => self.option_lock = self.option_lock.after_key(value, OPTION_KEYS),
            SR => self.status &= !(value & (SR_EOP | SR_OPERR | SR_ERRORS)),
            CR => self.write_control(value, now, memory),
            OPTCR if self.option_lock == KeyLock::Unlocked => {
                if (value ^ self.options()) & !OPTCR_OPTLOCK != 0 {
                    return Modelled::No;
                }
                if value & OPTCR_OPTLOCK != 0 {
                    self.option_lock = KeyLock::Locked;
                }
            }
            _ => {}
        }
        Modelled::Yes
    }

    fn write_control(&mut self, value: u32, now: VirtualTime, memory: &mut Memory) {
        // While locked or busy the register cannot be written (RM0402 section 3.8.5).
        if self.lock != KeyLock::Unlocked || now < self.busy_until {
            return;
        }
        self.control = merge(self.control, CR_WRITABLE, value);
        if value & CR_LOCK != 0 {
            self.lock = KeyLock::Locked;
        }
        if value & CR_STRT != 0 {
            self.control |= CR_STRT;
            self.erase(now, memory);
        }
    }

    fn erase(&mut self, now: VirtualTime, memory: &mut Memory) {
        let size = self.parallelism();
        let sectors = match self.control & (CR_PG | CR_SER | CR_MER) {
            CR_SER => {
                let sector = (self.control >> 3 & 0xF) as usize;
                if sector + 1 >= SECTORS.len() {
                    self.status |= SR_WRPERR;
                    return;
                }
                sector..sector + 1
            }
            CR_MER => 0..SECTORS.len() - 1,
            _ => {
                self.status |= SR_PGSERR;
                return;
            }
        };
        // A mass erase with any sector protected erases nothing (RM0402 section 3.5.3).
        if sectors.clone().any(|sector| self.is_protected(sector)) {
            self.status |= SR_WRPERR;
            return;
        }
        let mut duration = Duration::ZERO;
        for sector in sectors {
            let range = sector_range(sector);
            duration += erase_time(range.len(), size);
            memory.replace_flash(range.start, &vec![0xFF; range.len()]);
        }
        self.begin(now, duration);
    }

    /// A store into flash, at `offset` from its start.
    pub fn program(
        &mut self,
        offset: usize,
        width: Width,
        value: u32,
        now: VirtualTime,
        memory: &mut Memory,
    ) {
        if self.control & CR_PG == 0 || self.lock != KeyLock::Unlocked {
            self.status |= SR_PGSERR;
            return;
        }
        if self.parallelism() != width.bytes() {
            self.status |= SR_PGPERR;
            return;
        }
        if self.is_protected(sector_of(offset)) {
            self.status |= SR_WRPERR;
            return;
        }
        let bytes = value.to_le_bytes();
        let length = width.bytes() as usize;
        let programmed: Vec<u8> = memory.flash()[offset..offset + length]
            .iter()
            .zip(bytes)
            .map(|(old, new)| old & new)
            .collect();
        memory.replace_flash(offset, &programmed);
        self.begin(now, Duration::from_micros(16));
    }

    /// A store during an operation waits for it, so operations follow each other.
    fn begin(&mut self, now: VirtualTime, duration: Duration) {
        self.busy_until = self.busy_until.max(now) + duration;
        if self.control & CR_EOPIE != 0 {
            self.status |= SR_EOP;
        }
    }

    fn is_protected(&self, sector: usize) -> bool {
        self.protected >> sector & 1 != 0
    }

    /// Bytes programmed at once (PSIZE).
    fn parallelism(&self) -> u32 {
        1 << (self.control >> 8 & 0b11)
    }

    /// Whether the interrupt line is high.
    pub fn interrupt(&self, now: VirtualTime) -> bool {
        let ended = self.status & SR_EOP != 0 && now >= self.busy_until;
        let failed = self.status & (SR_OPERR | SR_ERRORS) != 0;
        self.control & CR_EOPIE != 0 && ended || self.control & CR_ERRIE != 0 && failed
    }

    /// When the interrupt line rises by itself.
    pub fn deadline(&self, now: VirtualTime) -> VirtualTime {
        if self.status & SR_EOP != 0 && now < self.busy_until {
            self.busy_until
        } else {
            VirtualTime::MAX
        }
    }
}

impl Default for Flash {
    fn default() -> Self {
        Self::new()
    }
}

impl KeyLock {
    fn after_key(self, key: u32, keys: [u32; 2]) -> Self {
        match self {
            Self::Locked if key == keys[0] => Self::FirstKeyGiven,
            Self::FirstKeyGiven if key == keys[1] => Self::Unlocked,
            _ => Self::Refused,
        }
    }
}

/// The offsets of a sector, 0..=11.
pub fn sector_range(sector: usize) -> Range<usize> {
    SECTORS[sector]..SECTORS[sector + 1]
}

/// The sector that an offset lies in.
fn sector_of(offset: usize) -> usize {
    SECTORS.partition_point(|start| *start <= offset) - 1
}

fn erase_time(bytes: usize, parallelism: u32) -> Duration {
    let [x8, x16, x32] = match bytes {
        0x4000 => [400, 300, 250],
        0x1_0000 => [1200, 700, 550],
        _ => [2000, 1300, 1000],
    };
    Duration::from_millis(match parallelism {
        1 => x8,
        2 => x16,
        _ => x32,
    })
}
