//! The master's state machine (RM0402 section 24.3.3), byte by byte.

use az3166_event::VirtualTime;
use az3166_stsafe::{Acknowledge, Direction};

use super::I2c;
use super::registers::*;

/// What an interface sees of its bus: the devices on the lines.
pub trait Lines {
    /// Whether something other than the interface holds SDA or SCL low.
    fn is_held_low(&self) -> bool;
    /// A START or repeated START, then this 7-bit address.
    fn address(&mut self, now: VirtualTime, address: u8, direction: Direction) -> Acknowledge;
    /// A byte to the addressed device.
    fn write(&mut self, now: VirtualTime, byte: u8) -> Acknowledge;
    /// A byte from the addressed device.
    fn read(&mut self, now: VirtualTime) -> u8;
    /// A STOP.
    fn stop(&mut self, now: VirtualTime);
}

/// Where a transfer stands. What waits for software holds SCL low, but for `Idle`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// No transfer.
    Idle,
    /// A START or repeated START is being made.
    Starting,
    /// SB: waits for the address.
    Started,
    /// The address byte and its acknowledge bit.
    Addressing(u8),
    /// ADDR: waits until software has read SR1 and SR2.
    Addressed(Direction),
    /// AF: waits for STOP or START.
    Refused,
    /// Transmitter: waits for a byte.
    Hungry,
    /// Transmitter: a byte and its acknowledge bit.
    Sending(u8),
    /// Receiver: the eight bits of a byte.
    Receiving(u8),
    /// Receiver: the acknowledge bit after this byte.
    Acknowledging(u8, Acknowledge),
    /// Receiver: waits for a read of DR, or after a NACK for STOP or START.
    Full(Acknowledge),
    /// A STOP is being made.
    Stopping,
}

impl Phase {
    pub(super) fn holds_the_bus(self) -> bool {
        self != Self::Idle
    }

    /// Whether the bus waits in a place where STOP and START take effect at once.
    fn is_between_bytes(self) -> bool {
        matches!(self, Self::Refused | Self::Hungry | Self::Full(_))
    }
}

const BYTE: u64 = 9;
const DATA_BITS: u64 = 8;

impl I2c {
    /// Lets everything due at `now` happen.
    pub fn service(&mut self, now: VirtualTime, lines: &mut impl Lines) {
        while self.phase_ends <= now {
            let at = self.phase_ends;
            self.end_phase(at, lines);
        }
    }

    fn end_phase(&mut self, at: VirtualTime, lines: &mut impl Lines) {
        match self.phase {
            Phase::Starting => {
                self.cr1 &= !CR1_START;
                self.sr2 = SR2_MSL;
                self.waiting = None;
                self.lower(SR1_TXE);
                if self.shifted.is_none() {
                    self.lower(SR1_BTF);
                }
                self.raise(SR1_SB);
                self.wait_in(Phase::Started);
            }
            Phase::Addressing(byte) => self.end_address(byte, at, lines),
            Phase::Sending(byte) => self.end_sending(byte, at, lines),
            Phase::Receiving(byte) => {
                let now = self.acknowledge_bit();
                let answer = if self.cr1 & CR1_POS == 0 {
                    now
                } else {
                    self.acknowledge_next
                };
                self.acknowledge_next = now;
                self.enter(Phase::Acknowledging(byte, answer), at, 1);
            }
            Phase::Acknowledging(byte, answer) => self.end_receiving(byte, answer, at, lines),
            Phase::Stopping => {
                lines.stop(at);
                self.cr1 &= !CR1_STOP;
                self.sr2 = 0;
                self.waiting = None;
                self.lower(SR1_TXE);
                if self.shifted.is_none() {
                    self.lower(SR1_BTF);
                }
                self.wait_in(Phase::Idle);
                self.control_was_written(at, lines);
            }
            Phase::Idle
            | Phase::Started
            | Phase::Addressed(_)
            | Phase::Refused
            | Phase::Hungry
            | Phase::Full(_) => self.phase_ends = VirtualTime::MAX,
        }
    }

    fn end_address(&mut self, byte: u8, at: VirtualTime, lines: &mut impl Lines) {
        let direction = if byte & 1 == 0 {
            Direction::Write
        } else {
            Direction::Read
        };
        match lines.address(at, byte >> 1, direction) {
            Acknowledge::Ack => {
                if direction == Direction::Write {
                    self.sr2 |= SR2_TRA;
                }
                self.raise(SR1_ADDR);
                self.wait_in(Phase::Addressed(direction));
            }
            Acknowledge::Nack => {
                self.raise(SR1_AF);
                self.wait_in(Phase::Refused);
                self.control_was_written(at, lines);
            }
        }
    }

    fn end_sending(&mut self, byte: u8, at: VirtualTime, lines: &mut impl Lines) {
        if lines.write(at, byte) == Acknowledge::Nack {
            self.raise(SR1_AF);
            self.wait_in(Phase::Refused);
        } else if self.cr1 & (CR1_STOP | CR1_START) != 0 {
            self.wait_in(Phase::Hungry);
        } else if let Some(next) = self.waiting.take() {
            self.raise(SR1_TXE);
            self.enter(Phase::Sending(next), at, BYTE);
            return;
        } else {
            self.raise(SR1_TXE | SR1_BTF);
            self.wait_in(Phase::Hungry);
        }
        self.control_was_written(at, lines);
    }

    fn end_receiving(
        &mut self,
        byte: u8,
        answer: Acknowledge,
        at: VirtualTime,
        lines: &mut impl Lines,
    ) {
        let overrun = self.sr1 & SR1_RXNE != 0;
        if overrun {
            self.shifted = Some(byte);
            self.raise(SR1_BTF);
        } else {
            self.data = byte;
            self.raise(SR1_RXNE);
        }
        let requested = self.cr1 & (CR1_STOP | CR1_START) != 0;
        if answer == Acknowledge::Ack && !overrun && !requested {
            self.receive(at, lines);
        } else {
            self.wait_in(Phase::Full(answer));
            self.control_was_written(at, lines);
        }
    }

    fn receive(&mut self, at: VirtualTime, lines: &mut impl Lines) {
        let byte = lines.read(at);
        self.enter(Phase::Receiving(byte), at, DATA_BITS);
    }

    fn acknowledge_bit(&self) -> Acknowledge {
        if self.cr1 & CR1_ACK == 0 {
            Acknowledge::Nack
        } else {
            Acknowledge::Ack
        }
    }

    /// START and STOP take effect when the bus lets them; STOP goes first.
    pub(super) fn control_was_written(&mut self, now: VirtualTime, lines: &mut impl Lines) {
        let stop = self.cr1 & CR1_STOP != 0;
        let start = self.cr1 & CR1_START != 0;
        if self.phase.is_between_bytes() && stop {
            self.enter(Phase::Stopping, now, 1);
        } else if self.phase.is_between_bytes() && start {
            self.enter(Phase::Starting, now, 1);
        } else if self.phase == Phase::Idle {
            // Not a master: there is nothing to stop.
            self.cr1 &= !CR1_STOP;
            if start && self.is_enabled() && !lines.is_held_low() {
                self.enter(Phase::Starting, now, 1);
            }
        }
    }

    /// The lines were let go: a START that waits for a free bus begins.
    pub fn lines_changed(&mut self, now: VirtualTime, lines: &mut impl Lines) {
        self.control_was_written(now, lines);
    }

    pub(super) fn address_was_cleared(&mut self, now: VirtualTime, lines: &mut impl Lines) {
        self.lower(SR1_ADDR);
        match self.phase {
            Phase::Addressed(Direction::Write) => {
                self.raise(SR1_TXE);
                if let Some(byte) = self.waiting.take() {
                    self.enter(Phase::Sending(byte), now, BYTE);
                } else {
                    self.wait_in(Phase::Hungry);
                    self.control_was_written(now, lines);
                }
            }
            Phase::Addressed(Direction::Read) => {
                self.acknowledge_next = self.acknowledge_bit();
                self.receive(now, lines);
            }
            _ => {}
        }
    }

    pub(super) fn data_was_written(&mut self, byte: u8, now: VirtualTime) {
        match self.phase {
            Phase::Started if self.seen & SR1_SB != 0 => {
                self.lower(SR1_SB);
                self.enter(Phase::Addressing(byte), now, BYTE);
            }
            Phase::Hungry => {
                self.lower(SR1_BTF);
                self.enter(Phase::Sending(byte), now, BYTE);
            }
            Phase::Sending(_) | Phase::Addressed(Direction::Write) => {
                self.waiting = Some(byte);
                self.lower(SR1_TXE);
            }
            _ => {}
        }
    }

    pub(super) fn data_was_read(&mut self, now: VirtualTime, lines: &mut impl Lines) {
        match self.shifted.take() {
            Some(byte) => {
                self.data = byte;
                self.lower(SR1_BTF);
                if self.phase == Phase::Full(Acknowledge::Ack) {
                    self.receive(now, lines);
                }
            }
            None => self.lower(SR1_RXNE),
        }
    }
}
