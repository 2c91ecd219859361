//! Real-time clock (RM0402 section 22): calendar and backup registers.

use az3166_event::VirtualTime;

use super::{Modelled, Register, merge};
use crate::clock::Frequency;

/// Registers (RM0402 section 22.6). The 20 backup registers follow at 0x50.
pub const REGISTERS: &[Register] = &[
    Register::read_write("TR", TR, 0),
    Register::read_write("DR", DR, 0x2101),
    Register::read_write("CR", CR, 0),
    Register::read_write("ISR", ISR, ISR_WAKEUP_AND_ALARMS_WRITABLE),
    Register::read_write("PRER", PRER, 0x007F_00FF),
    Register::read_write("WUTR", WUTR, 0xFFFF),
    Register::read_write("ALRMAR", ALRMAR, 0),
    Register::read_write("ALRMBR", ALRMBR, 0),
    Register::write_only("WPR", WPR),
    Register::read_only("SSR", SSR, 0),
    Register::read_write("CALR", CALR, 0),
    Register::read_write("TAFCR", TAFCR, 0),
    Register::read_write("ALRMASSR", ALRMASSR, 0),
    Register::read_write("ALRMBSSR", ALRMBSSR, 0),
];

/// Offsets of the backup registers BKP0R..BKP19R, cleared by a backup domain reset only.
pub const BACKUP: core::ops::RangeInclusive<u32> = 0x50..=0x9C;

const TR: u32 = 0x00;
const DR: u32 = 0x04;
const CR: u32 = 0x08;
const ISR: u32 = 0x0C;
const PRER: u32 = 0x10;
const WUTR: u32 = 0x14;
const ALRMAR: u32 = 0x1C;
const ALRMBR: u32 = 0x20;
const WPR: u32 = 0x24;
const SSR: u32 = 0x28;
const CALR: u32 = 0x3C;
const TAFCR: u32 = 0x40;
const ALRMASSR: u32 = 0x44;
const ALRMBSSR: u32 = 0x48;

/// BYPSHAD, FMT, COSEL, POL and OSEL; alarms, wake-up timer and time stamp are not modelled.
const CR_MODELLED: u32 = 0x0078_0060;
const CR_FMT: u32 = 1 << 6;

/// ALRAWF, ALRBWF and WUTWF: none of these units runs.
const ISR_WAKEUP_AND_ALARMS_WRITABLE: u32 = 0b111;
const ISR_INITS: u32 = 1 << 4;
const ISR_RSF: u32 = 1 << 5;
const ISR_INITF: u32 = 1 << 6;
const ISR_INIT: u32 = 1 << 7;

const KEYS: [u32; 2] = [0xCA, 0x53];

const SECONDS_PER_DAY: u64 = 86_400;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protection {
    Locked,
    FirstKeyGiven,
    Unlocked,
}

/// The real-time clock.
#[derive(Clone, Debug)]
pub struct Rtc {
    clock: Option<Frequency>,
    control: u32,
    initialising: bool,
    prescaler: u32,
    wakeup: u32,
    alarms: [u32; 4],
    calibration: u32,
    tamper: u32,
    backup: [u32; 20],
    protection: Protection,
    /// Seconds since 2000-01-01 00:00:00 at `origin`.
    seconds: u64,
    origin: VirtualTime,
    /// WDU less one at `seconds`' day, less that day's number, modulo 7.
    weekday: u64,
}

impl Rtc {
    /// The clock after a backup domain reset: 2000-01-01, a Monday by its own count.
    pub fn new() -> Self {
        Self {
            clock: None,
            control: 0,
            initialising: false,
            prescaler: 0x007F_00FF,
            wakeup: 0xFFFF,
            alarms: [0; 4],
            calibration: 0,
            tamper: 0,
            backup: [0; 20],
            protection: Protection::Locked,
            seconds: 0,
            origin: VirtualTime::ZERO,
            weekday: 0,
        }
    }

    /// A reset of the chip, which leaves the backup domain alone.
    pub fn system_reset(&mut self) {
        self.protection = Protection::Locked;
        self.initialising = false;
    }

    /// Its clock is another one, or none, from `now` on.
    pub fn set_clock(&mut self, now: VirtualTime, clock: Option<Frequency>) {
        if self.clock != clock {
            self.settle(now);
            self.clock = clock;
        }
    }

    /// Reads the register at `offset`.
    pub fn read(&self, offset: u32, now: VirtualTime) -> u32 {
        let (seconds, ticks) = self.elapsed(now);
        match offset {
            TR => time_register(seconds, self.control & CR_FMT != 0),
            DR => self.date_register(seconds),
            CR => self.control,
            ISR => self.status(),
            PRER => self.prescaler,
            WUTR => self.wakeup,
            ALRMAR => self.alarms[0],
            ALRMBR => self.alarms[1],
            SSR => u32::try_from(self.synchronous() - 1 - ticks).unwrap_or(0),
            CALR => self.calibration,
            TAFCR => self.tamper,
            ALRMASSR => self.alarms[2],
            ALRMBSSR => self.alarms[3],
            offset if BACKUP.contains(&offset) => self.backup[backup_index(offset)],
            _ => 0,
        }
    }

    fn status(&self) -> u32 {
        let mut status = ISR_WAKEUP_AND_ALARMS_WRITABLE;
        if self.seconds >= 366 * SECONDS_PER_DAY {
            status |= ISR_INITS;
        }
        if self.initialising {
            status |= ISR_INIT;
        }
        if self.clock.is_some() {
            status |= if self.initialising {
                ISR_INITF
            } else {
                ISR_RSF
            };
        }
        status
    }

    /// Writes the register at `offset`; the caller has checked PWR_CR.DBP.
    pub fn write(&mut self, offset: u32, value: u32, now: VirtualTime) -> Modelled {
        match offset {
            WPR => {
                self.protection = match self.protection {
                    Protection::Locked if value & 0xFF == KEYS[0] => Protection::FirstKeyGiven,
                    Protection::FirstKeyGiven if value & 0xFF == KEYS[1] => Protection::Unlocked,
                    _ => Protection::Locked,
                };
            }
            TAFCR => return Modelled::when(value == 0),
            offset if BACKUP.contains(&offset) => self.backup[backup_index(offset)] = value,
            _ if self.protection == Protection::Unlocked => {
                return self.write_protected(offset, value, now);
            }
            _ => {}
        }
        Modelled::Yes
    }

    fn write_protected(&mut self, offset: u32, value: u32, now: VirtualTime) -> Modelled {
        match offset {
            TR if self.initialising => {
                let (days, _) = self.split(now);
                self.set(now, days * SECONDS_PER_DAY + time_of(value));
            }
            DR if self.initialising => {
                let (_, second) = self.split(now);
                let days = day_of(value);
                self.set(now, days * SECONDS_PER_DAY + second);
                let weekday = u64::from(value >> 13 & 0b111).max(1) - 1;
                self.weekday = (weekday + 7 - days % 7) % 7;
            }
            CR if value & !CR_MODELLED != 0 => return Modelled::No,
            CR => self.control = value,
            ISR => {
                self.settle(now);
                self.initialising = value & ISR_INIT != 0;
            }
            PRER if self.initialising => {
                self.prescaler = merge(self.prescaler, 0x007F_7FFF, value);
            }
            WUTR => self.wakeup = value & 0xFFFF,
            ALRMAR => self.alarms[0] = value,
            ALRMBR => self.alarms[1] = value,
            CALR => self.calibration = value & 0xE1FF,
            ALRMASSR => self.alarms[2] = value & 0x0F00_7FFF,
            ALRMBSSR => self.alarms[3] = value & 0x0F00_7FFF,
            _ => {}
        }
        Modelled::Yes
    }

    fn synchronous(&self) -> u64 {
        u64::from(self.prescaler & 0x7FFF) + 1
    }

    /// Whole seconds since 2000 and sub-second ticks at `now`.
    fn elapsed(&self, now: VirtualTime) -> (u64, u64) {
        let Some(clock) = self.clock.filter(|_| !self.initialising) else {
            return (self.seconds, 0);
        };
        let asynchronous = u64::from(self.prescaler >> 16 & 0x7F) + 1;
        let nanos = now.as_nanos().saturating_sub(self.origin.as_nanos());
        let ticks = clock.scaled(1, asynchronous).periods_in(nanos);
        let synchronous = self.synchronous();
        (self.seconds + ticks / synchronous, ticks % synchronous)
    }

    fn settle(&mut self, now: VirtualTime) {
        let (seconds, _) = self.elapsed(now);
        self.set(now, seconds);
    }

    fn set(&mut self, now: VirtualTime, seconds: u64) {
        self.seconds = seconds;
        self.origin = now;
    }

    fn split(&self, now: VirtualTime) -> (u64, u64) {
        let (seconds, _) = self.elapsed(now);
        (seconds / SECONDS_PER_DAY, seconds % SECONDS_PER_DAY)
    }

    fn date_register(&self, seconds: u64) -> u32 {
        let days = seconds / SECONDS_PER_DAY;
        let (year, month, day) = date_of(days);
        let weekday = (days + self.weekday) % 7 + 1;
        bcd(year) << 16 | (weekday as u32) << 13 | bcd(month) << 8 | bcd(day)
    }
}

impl Default for Rtc {
    fn default() -> Self {
        Self::new()
    }
}

fn backup_index(offset: u32) -> usize {
    (offset - BACKUP.start()) as usize / 4
}

fn bcd(value: u64) -> u32 {
    (value / 10 % 10 * 16 + value % 10) as u32
}

fn from_bcd(bits: u32) -> u64 {
    u64::from(bits >> 4) * 10 + u64::from(bits & 0xF)
}

fn time_register(seconds: u64, twelve_hours: bool) -> u32 {
    const PM: u32 = 1 << 22;
    let second = seconds % SECONDS_PER_DAY;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let (hour, pm) = match (twelve_hours, hour) {
        (false, hour) => (hour, 0),
        (true, 0) => (12, 0),
        (true, 12) => (12, PM),
        (true, hour) => (hour % 12, if hour > 12 { PM } else { 0 }),
    };
    pm | bcd(hour) << 16 | bcd(minute) << 8 | bcd(second)
}

fn time_of(register: u32) -> u64 {
    let afternoon = if register >> 22 & 1 != 0 { 12 } else { 0 };
    let hour = from_bcd(register >> 16 & 0x3F) % 24 + afternoon;
    hour * 3600 + from_bcd(register >> 8 & 0x7F) * 60 + from_bcd(register & 0x7F)
}

/// The length of a month (1..=12) of a year since 2000.
fn month_length(year: u64, month: u64) -> u64 {
    match month {
        2 if year.is_multiple_of(4) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn date_of(mut days: u64) -> (u64, u64, u64) {
    days %= 36_525;
    let mut year = days / 1461 * 4;
    days %= 1461;
    let mut month = 1;
    while days >= month_length(year, month) {
        days -= month_length(year, month);
        month += 1;
        if month == 13 {
            (year, month) = (year + 1, 1);
        }
    }
    (year, month, days + 1)
}

fn day_of(register: u32) -> u64 {
    let year = from_bcd(register >> 16 & 0xFF);
    let month = from_bcd(register >> 8 & 0x1F).clamp(1, 12);
    let years: u64 = (0..year)
        .map(|year| if year % 4 == 0 { 366 } else { 365 })
        .sum();
    let months: u64 = (1..month).map(|month| month_length(year, month)).sum();
    years + months + from_bcd(register & 0x3F).max(1) - 1
}
