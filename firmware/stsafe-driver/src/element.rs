use core::time::Duration;

use crate::{
    ADDRESS, Bus, BusError, Error, Timer,
    frame::{ANSWER_HEADER, CRC, Extent, FRAME_MAX, Frame, extent, payload},
};

/// A zone of the chip's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone(pub u8);

/// Whether a write may be torn by a loss of power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Atomicity {
    /// All or nothing; at most 64 bytes. Not every chip need offer it.
    Atomic,
    /// Byte after byte.
    Plain,
}

const READ: u8 = 0x05;
const UPDATE: u8 = 0x06;
const OPTION_PLAIN: u8 = 0x00;
const OPTION_ATOMIC: u8 = 0x80;

/// The longest payload of one Read.
const READ_MAX: usize = FRAME_MAX - ANSWER_HEADER - CRC;

/// How long the chip may stay busy. The slowest known command takes 450 ms; ST's own drivers wait
/// for 1.26 s.
const BUSY_BUDGET: Duration = Duration::from_millis(1350);
const POLL_STEP: Duration = Duration::from_millis(1);
/// How often a command is sent whose answer comes in damaged.
const ATTEMPTS: usize = 3;

/// The secure element.
pub struct Stsafe<B, T> {
    bus: B,
    timer: T,
    presence: Presence,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    Unknown,
    Seen,
}

impl<B: Bus, T: Timer> Stsafe<B, T> {
    /// A driver for the chip on this bus, which has had power for 50 ms.
    pub fn new(bus: B, timer: T) -> Self {
        Self {
            bus,
            timer,
            presence: Presence::Unknown,
        }
    }

    /// The bus, for its other devices.
    pub fn bus(&mut self) -> &mut B {
        &mut self.bus
    }

    /// Fills `out` from a zone.
    ///
    /// # Errors
    /// [`Error`]; also when the zone ends before `out` is full.
    pub fn read(&mut self, zone: Zone, offset: u16, out: &mut [u8]) -> Result<(), Error> {
        let length = u16::try_from(out.len()).map_err(|_| Error::Length)?;
        if out.len() > READ_MAX {
            return Err(Error::Length);
        }
        let [offset_high, offset_low] = offset.to_be_bytes();
        let [length_high, length_low] = length.to_be_bytes();
        let command = [
            READ,
            OPTION_PLAIN,
            zone.0,
            offset_high,
            offset_low,
            length_high,
            length_low,
        ];
        self.command(&[&command], out)
    }

    /// Writes `data` to a zone.
    ///
    /// # Errors
    /// [`Error`]; what the zone holds is then unknown, unless the write was atomic.
    pub fn update(
        &mut self,
        zone: Zone,
        offset: u16,
        data: &[u8],
        atomicity: Atomicity,
    ) -> Result<(), Error> {
        let option = match atomicity {
            Atomicity::Atomic => OPTION_ATOMIC,
            Atomicity::Plain => OPTION_PLAIN,
        };
        let [offset_high, offset_low] = offset.to_be_bytes();
        self.command(
            &[&[UPDATE, option, zone.0, offset_high, offset_low], data],
            &mut [],
        )
    }

    /// Sends a command, again when its answer is damaged, and fills `out` with the answer's
    /// payload. Only for commands that may be repeated.
    fn command(&mut self, pieces: &[&[u8]], out: &mut [u8]) -> Result<(), Error> {
        let command = Frame::command(pieces).ok_or(Error::Length)?;
        let mut result = Err(Error::Length);
        for _ in 0..ATTEMPTS {
            result = self.exchange(&command, out);
            match result {
                Err(error) if error.is_damage() => {}
                _ => break,
            }
        }
        result
    }

    fn exchange(&mut self, command: &Frame, out: &mut [u8]) -> Result<(), Error> {
        self.poll(|bus| bus.write(ADDRESS, command.as_bytes()))?;
        let mut answer = Frame::answer(out.len());
        self.poll(|bus| bus.read(ADDRESS, answer.as_mut_bytes()))?;
        if let Extent::Payload(length) = extent(answer.as_bytes())? {
            answer = Frame::answer(length);
            self.poll(|bus| bus.read(ADDRESS, answer.as_mut_bytes()))?;
        }
        let payload = payload(answer.as_bytes())?;
        if payload.len() != out.len() {
            return Err(Error::Length);
        }
        out.copy_from_slice(payload);
        Ok(())
    }

    /// Repeats a transfer until the chip acknowledges it.
    fn poll(
        &mut self,
        mut transfer: impl FnMut(&mut B) -> Result<(), BusError>,
    ) -> Result<(), Error> {
        let start = self.timer.now();
        loop {
            let error = match transfer(&mut self.bus) {
                Ok(()) => {
                    self.presence = Presence::Seen;
                    return Ok(());
                }
                Err(BusError::Nack) if self.presence == Presence::Unknown => Error::Absent,
                Err(BusError::Nack) => Error::Timeout,
                Err(BusError::Stuck) => Error::Bus,
            };
            if self.timer.now().saturating_sub(start) >= BUSY_BUDGET {
                return Err(error);
            }
            self.timer.sleep(POLL_STEP);
        }
    }
}
