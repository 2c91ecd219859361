//! A write to NVM while it goes on: what a loss of power leaves of it.

use core::ops::Range;
use core::time::Duration;

use az3166_event::VirtualTime;
use zeroize::Zeroizing;

use crate::command::Atomicity;
use crate::{AccessCondition, Content, NvmImage};

/// What is to be written.
#[derive(Clone)]
pub(crate) struct NvmWrite {
    pub zone: u8,
    pub offset: usize,
    pub data: Zeroizing<Vec<u8>>,
    pub atomicity: Atomicity,
    pub counter: Option<u32>,
    pub read_access: Option<AccessCondition>,
    pub update_access: Option<AccessCondition>,
}

impl NvmWrite {
    /// A write of access conditions alone.
    pub fn access(
        zone: u8,
        read_access: Option<AccessCondition>,
        update_access: Option<AccessCondition>,
    ) -> Self {
        Self {
            zone,
            offset: 0,
            data: Zeroizing::default(),
            atomicity: Atomicity::AllOrNothing,
            counter: None,
            read_access,
            update_access,
        }
    }
}

/// A write that goes on from `start` over `duration`, evenly.
///
/// Byte `i` of `n` is durable at `start + duration * (i + 1) / n`; an atomic write, a
/// counter and access conditions at the end.
#[derive(Clone)]
pub(crate) struct Programming {
    write: NvmWrite,
    start: VirtualTime,
    duration: Duration,
    durable: usize,
}

/// Whether a write goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    UnderWay,
    Finished,
}

impl Programming {
    pub fn new(write: NvmWrite, start: VirtualTime, duration: Duration) -> Self {
        Self {
            write,
            start,
            duration,
            durable: 0,
        }
    }

    /// When `bytes` bytes are durable.
    pub fn instant_of(&self, bytes: usize) -> VirtualTime {
        let (bytes, all) = (bytes as u128, self.write.data.len() as u128);
        let nanos = (self.duration.as_nanos() * bytes).div_ceil(all.max(1));
        self.start + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// Makes durable what is due at `now`.
    pub fn advance(&mut self, nvm: &mut NvmImage, now: VirtualTime) -> Progress {
        if now >= self.start + self.duration {
            self.finish(nvm);
            return Progress::Finished;
        }
        let due = (self.durable..self.write.data.len())
            .take_while(|bytes| self.instant_of(bytes + 1) <= now)
            .count();
        self.program(nvm, self.durable + due);
        Progress::UnderWay
    }

    /// Leaves what a loss of power after `bytes` bytes leaves.
    pub fn cut(mut self, nvm: &mut NvmImage, bytes: usize) {
        if bytes > 0 && bytes == self.write.data.len() {
            self.finish(nvm);
        } else {
            self.program(nvm, bytes);
        }
    }

    /// Makes the first `bytes` bytes of a write that is not atomic durable.
    fn program(&mut self, nvm: &mut NvmImage, bytes: usize) {
        if self.write.atomicity == Atomicity::Bytewise {
            self.copy(nvm, self.durable..bytes);
        }
        self.durable = bytes;
    }

    fn finish(&mut self, nvm: &mut NvmImage) {
        self.copy(nvm, 0..self.write.data.len());
        if let Some(zone) = nvm.zone_mut(self.write.zone) {
            if let Some(value) = self.write.counter {
                zone.content = Content::Counter(value);
            }
            zone.read = self.write.read_access.unwrap_or(zone.read);
            zone.update = self.write.update_access.unwrap_or(zone.update);
        }
    }

    fn copy(&self, nvm: &mut NvmImage, range: Range<usize>) {
        let target = self.write.offset + range.start..self.write.offset + range.end;
        let target = nvm
            .zone_mut(self.write.zone)
            .and_then(|zone| zone.bytes_mut().get_mut(target));
        if let (Some(target), Some(source)) = (target, self.write.data.get(range)) {
            target.copy_from_slice(source);
        }
    }

    /// The zone that is written.
    pub fn zone(&self) -> u8 {
        self.write.zone
    }

    /// How many bytes are written in all.
    pub fn length(&self) -> usize {
        self.write.data.len()
    }
}
