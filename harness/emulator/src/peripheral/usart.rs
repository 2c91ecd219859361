//! Universal synchronous asynchronous receiver transmitters (RM0402 section 25), asynchronous mode.

use az3166_event::VirtualTime;

use super::{Modelled, Register};
use crate::clock::Frequency;

/// Registers (RM0402 section 25.6).
pub const REGISTERS: &[Register] = &[
    Register::read_write("SR", SR, SR_TXE | SR_TC),
    Register::read_write("DR", DR, 0),
    Register::read_write("BRR", BRR, 0),
    Register::read_write("CR1", CR1, 0),
    Register::read_write("CR2", CR2, 0),
    Register::read_write("CR3", CR3, 0),
    Register::read_write("GTPR", GTPR, 0),
];

/// Status register: a read only notes which flags it showed.
pub const SR: u32 = 0x00;
const DR: u32 = 0x04;
const BRR: u32 = 0x08;
const CR1: u32 = 0x0C;
const CR2: u32 = 0x10;
const CR3: u32 = 0x14;
const GTPR: u32 = 0x18;

const SR_PE: u32 = 1 << 0;
const SR_FE: u32 = 1 << 1;
const SR_NF: u32 = 1 << 2;
const SR_ORE: u32 = 1 << 3;
const SR_IDLE: u32 = 1 << 4;
const SR_RXNE: u32 = 1 << 5;
const SR_TC: u32 = 1 << 6;
const SR_TXE: u32 = 1 << 7;
/// The flags that a read of SR and then of DR clears.
const SR_READ_CLEARED: u32 = SR_PE | SR_FE | SR_NF | SR_ORE | SR_IDLE;

const CR1_SBK: u32 = 1 << 0;
const CR1_RWU: u32 = 1 << 1;
const CR1_RE: u32 = 1 << 2;
const CR1_TE: u32 = 1 << 3;
const CR1_IDLEIE: u32 = 1 << 4;
const CR1_RXNEIE: u32 = 1 << 5;
const CR1_TCIE: u32 = 1 << 6;
const CR1_TXEIE: u32 = 1 << 7;
const CR1_PEIE: u32 = 1 << 8;
const CR1_PCE: u32 = 1 << 10;
const CR1_M: u32 = 1 << 12;
const CR1_UE: u32 = 1 << 13;
const CR1_OVER8: u32 = 1 << 15;

/// LIN mode and synchronous clock.
const CR2_UNMODELLED: u32 = 0x4800;
/// IrDA, half duplex, smartcard, DMA, flow control.
const CR3_UNMODELLED: u32 = 0x07FE;

/// A USART. What it sends is fetched with [`Usart::take_sent`], what it hears comes through
/// [`Usart::receive`].
#[derive(Clone, Debug)]
pub struct Usart {
    /// All flags but TXE and TC's time dependence.
    sr: u32,
    received: u32,
    brr: u32,
    cr1: u32,
    cr2: u32,
    cr3: u32,
    gtpr: u32,
    clock: Frequency,
    /// The byte in the transmit data register.
    waiting: Option<u8>,
    /// The byte in the shift register, and when its stop bit is over.
    shifting: Option<(u8, VirtualTime)>,
    sent: Vec<u8>,
    /// Flags that were set at the last read of SR.
    seen: u32,
    idle_at: VirtualTime,
}

impl Usart {
    /// A USART after reset on an APB clock.
    pub fn new(clock: Frequency) -> Self {
        Self {
            sr: SR_TXE | SR_TC,
            received: 0,
            brr: 0,
            cr1: 0,
            cr2: 0,
            cr3: 0,
            gtpr: 0,
            clock,
            waiting: None,
            shifting: None,
            sent: Vec::new(),
            seen: 0,
            idle_at: VirtualTime::MAX,
        }
    }

    /// A reset through RCC or of the chip; the byte in the shift register is lost.
    pub fn reset(&mut self) {
        let sent = core::mem::take(&mut self.sent);
        *self = Self {
            sent,
            ..Self::new(self.clock)
        };
    }

    /// The APB clock is another one from now on; the byte in the shift register keeps its end.
    pub fn set_clock(&mut self, clock: Frequency) {
        self.clock = clock;
    }

    /// Reads the register at `offset`.
    pub fn read(&mut self, offset: u32) -> u32 {
        match offset {
            SR => {
                self.seen = self.sr;
                self.sr
            }
            DR => {
                self.sr &= !(SR_RXNE | self.seen & SR_READ_CLEARED);
                self.seen = 0;
                self.received
            }
            BRR => self.brr,
            CR1 => self.cr1,
            CR2 => self.cr2,
            CR3 => self.cr3,
            GTPR => self.gtpr,
            _ => 0,
        }
    }

    /// Writes the register at `offset`.
    pub fn write(&mut self, offset: u32, value: u32, now: VirtualTime) -> Modelled {
        match offset {
            // RXNE and TC are cleared by writing 0, and no other flag (RM0402 section 25.6.1).
            SR => self.sr &= value | !(SR_RXNE | SR_TC),
            DR => self.transmit(value as u8, now),
            BRR => self.brr = value & 0xFFFF,
            CR1 if value & (CR1_SBK | CR1_RWU | CR1_PCE) != 0 => return Modelled::No,
            CR1 => {
                self.cr1 = value & 0xFFFF;
                if self.cr1 & CR1_UE == 0 {
                    self.waiting = None;
                    self.shifting = None;
                    self.sr |= SR_TXE | SR_TC;
                }
            }
            CR2 if value & CR2_UNMODELLED != 0 => return Modelled::No,
            CR2 => self.cr2 = value & 0x7F7F,
            CR3 if value & CR3_UNMODELLED != 0 => return Modelled::No,
            CR3 => self.cr3 = value & 0xFFF,
            GTPR => self.gtpr = value & 0xFFFF,
            _ => {}
        }
        Modelled::Yes
    }

    fn transmit(&mut self, byte: u8, now: VirtualTime) {
        const ON: u32 = CR1_UE | CR1_TE;
        if self.cr1 & ON != ON {
            return;
        }
        self.sr &= !SR_TC;
        if self.shifting.is_none() {
            self.shifting = Some((byte, self.frame_end(now)));
        } else {
            // A second write before TXE replaces the byte that waits, as on silicon.
            self.waiting = Some(byte);
            self.sr &= !SR_TXE;
        }
    }

    fn frame_end(&self, start: VirtualTime) -> VirtualTime {
        VirtualTime::from_nanos(start.as_nanos().saturating_add(self.frame_nanos()))
    }

    fn frame_nanos(&self) -> u64 {
        let data_bits = if self.cr1 & CR1_M == 0 { 8 } else { 9 };
        // Half a stop bit is as long as one here, one and a half as two.
        let stop_bits = if self.cr2 >> 12 & 0b11 < 2 { 1 } else { 2 };
        self.clock
            .nanos(self.periods_per_bit() * (1 + data_bits + stop_bits))
    }

    /// APB periods a bit (RM0402 section 25.4.4); at least 1.
    fn periods_per_bit(&self) -> u64 {
        let periods = if self.cr1 & CR1_OVER8 == 0 {
            self.brr
        } else {
            (self.brr >> 4) * 8 + (self.brr & 0b111)
        };
        u64::from(periods.max(1))
    }

    /// Bits a second.
    pub fn baud_rate(&self) -> u64 {
        self.clock.scaled(1, self.periods_per_bit()).as_hertz()
    }

    /// A byte arrives at `now`; `framing` says whether its stop bit was where it belongs.
    pub fn receive(&mut self, byte: u8, framing: Framing, now: VirtualTime) {
        const ON: u32 = CR1_UE | CR1_RE;
        if self.cr1 & ON != ON {
            return;
        }
        self.idle_at = self.frame_end(now);
        if self.sr & SR_RXNE != 0 {
            self.sr |= SR_ORE;
            return;
        }
        self.received = u32::from(byte);
        self.sr |= SR_RXNE;
        if framing == Framing::Broken {
            self.sr |= SR_FE;
        }
    }

    /// Lets everything due at `now` happen.
    pub fn service(&mut self, now: VirtualTime) {
        while let Some((byte, end)) = self.shifting.filter(|(_, end)| *end <= now) {
            self.sent.push(byte);
            self.shifting = self.waiting.take().map(|next| (next, self.frame_end(end)));
            self.sr |= SR_TXE;
            if self.shifting.is_none() {
                self.sr |= SR_TC;
            }
        }
        if self.idle_at <= now {
            self.idle_at = VirtualTime::MAX;
            self.sr |= SR_IDLE;
        }
    }

    /// The bytes whose stop bits are over.
    pub fn take_sent(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.sent)
    }

    /// Whether the interrupt line is high. (EIE raises it in DMA reception only.)
    pub fn interrupt(&self) -> bool {
        if self.cr1 & CR1_UE == 0 {
            return false;
        }
        let enabled = |bit, flags| self.cr1 & bit != 0 && self.sr & flags != 0;
        enabled(CR1_TXEIE, SR_TXE)
            || enabled(CR1_TCIE, SR_TC)
            || enabled(CR1_RXNEIE, SR_RXNE | SR_ORE)
            || enabled(CR1_IDLEIE, SR_IDLE)
            || enabled(CR1_PEIE, SR_PE)
    }

    /// When something happens without an access.
    pub fn deadline(&self) -> VirtualTime {
        let end = self.shifting.map_or(VirtualTime::MAX, |(_, end)| end);
        end.min(self.idle_at)
    }
}

/// Whether a received byte had its stop bit where it belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// It had.
    Sound,
    /// It had not: the sender's baud rate is another one.
    Broken,
}
