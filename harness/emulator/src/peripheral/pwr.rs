//! Power controller (RM0402 section 5).

use az3166_event::VirtualTime;
use core::time::Duration;

use super::{Modelled, Register, merge};

/// Registers (RM0402 section 5.4).
pub const REGISTERS: &[Register] = &[
    Register::read_write("CR", CR, CR_RESET),
    Register::read_write("CSR", CSR, 0),
];

const CR: u32 = 0x00;
const CSR: u32 = 0x04;

/// VOS is 0b10, scale 2.
const CR_RESET: u32 = 0x8000;
const CR_PDDS: u32 = 1 << 1;
const CR_DBP: u32 = 1 << 8;
const CR_VOS: u32 = 0b11 << 14;
/// All bits but those that clear flags (CWUF, CSBF).
const CR_WRITABLE: u32 = 0x0030_EFF3;

const CSR_WRITABLE: u32 = 0x03C0;
const CSR_BRR: u32 = 1 << 3;
const CSR_BRE: u32 = 1 << 9;
const CSR_VOSRDY: u32 = 1 << 14;

/// How long the regulator takes to settle after a write to VOS: no data sheet figure, a plausible one.
const REGULATOR_SETTLES: Duration = Duration::from_micros(40);

/// The power controller. Stop and standby mode are not modelled.
#[derive(Clone, Debug)]
pub struct Pwr {
    control: u32,
    status: u32,
    settled_at: VirtualTime,
}

impl Pwr {
    /// The controller after a reset at `now`.
    pub fn new(now: VirtualTime) -> Self {
        Self {
            control: CR_RESET,
            status: 0,
            settled_at: now + REGULATOR_SETTLES,
        }
    }

    /// Reads the register at `offset`.
    pub fn read(&self, offset: u32, now: VirtualTime) -> u32 {
        match offset {
            CR => self.control,
            CSR => {
                let mut status = self.status;
                if now >= self.settled_at {
                    status |= CSR_VOSRDY;
                }
                if status & CSR_BRE != 0 {
                    status |= CSR_BRR;
                }
                status
            }
            _ => 0,
        }
    }

    /// Writes the register at `offset`.
    pub fn write(&mut self, offset: u32, value: u32, now: VirtualTime) -> Modelled {
        match offset {
            CR => {
                if value & CR_PDDS != 0 {
                    return Modelled::No;
                }
                if (self.control ^ value) & CR_VOS != 0 {
                    self.settled_at = now + REGULATOR_SETTLES;
                }
                self.control = merge(self.control, CR_WRITABLE, value);
            }
            CSR => self.status = value & CSR_WRITABLE,
            _ => {}
        }
        Modelled::Yes
    }

    /// Whether the backup domain can be written (DBP).
    pub fn backup_domain_writable(&self) -> bool {
        self.control & CR_DBP != 0
    }
}
