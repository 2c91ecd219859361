//! The ST-Link's virtual COM port: 115200 8N1 on the console's pins.

use az3166_event::VirtualTime;
use std::collections::VecDeque;

use crate::clock::Frequency;
use crate::peripheral::usart::Framing;

/// Bits a second on both directions of the virtual COM port.
const BAUD: Frequency = Frequency::hertz(115_200);
/// Start bit, 8 data bits, stop bit.
const BITS_PER_FRAME: u64 = 10;

/// The far end of the console line.
#[derive(Clone, Debug, Default)]
pub struct Console {
    to_device: VecDeque<u8>,
    /// When the stop bit of the first byte of `to_device` is over.
    arrives_at: VirtualTime,
    /// When the line to the device is free again.
    free_at: VirtualTime,
    from_device: Vec<u8>,
}

impl Console {
    /// Queues bytes; they follow each other at the line's speed.
    pub fn send(&mut self, bytes: &[u8], now: VirtualTime) {
        if self.to_device.is_empty() && !bytes.is_empty() {
            self.arrives_at = frame_end(self.free_at.max(now));
        }
        self.to_device.extend(bytes);
    }

    /// The next byte whose stop bit is over at `now`, and when it was.
    pub fn arrived(&mut self, now: VirtualTime) -> Option<(u8, VirtualTime)> {
        if self.arrives_at > now {
            return None;
        }
        let byte = self.to_device.pop_front()?;
        let at = self.arrives_at;
        self.free_at = at;
        self.arrives_at = frame_end(at);
        Some((byte, at))
    }

    /// When the next byte arrives.
    pub fn deadline(&self) -> VirtualTime {
        if self.to_device.is_empty() {
            VirtualTime::MAX
        } else {
            self.arrives_at
        }
    }

    /// Whether all queued bytes have arrived.
    pub fn is_idle(&self) -> bool {
        self.to_device.is_empty()
    }

    /// Takes bytes from the device, which sends at `baud` bits a second.
    ///
    /// At another speed than the line's the bytes cannot be read: 0xFF stands for each.
    pub fn receive(&mut self, bytes: &[u8], baud: u64) {
        let readable = framing(baud) == Framing::Sound;
        self.from_device
            .extend(bytes.iter().map(|byte| if readable { *byte } else { 0xFF }));
    }

    /// The bytes that the device has sent since the last call.
    pub fn take(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.from_device)
    }

    /// Forgets what is under way: the device has lost its power.
    pub fn cut(&mut self) {
        self.to_device.clear();
    }
}

/// Whether a receiver at this speed can read the line: within 4 %.
pub fn framing(baud: u64) -> Framing {
    let nominal = BAUD.as_hertz();
    if baud.abs_diff(nominal) * 25 <= nominal {
        Framing::Sound
    } else {
        Framing::Broken
    }
}

fn frame_end(start: VirtualTime) -> VirtualTime {
    VirtualTime::from_nanos(start.as_nanos().saturating_add(BAUD.nanos(BITS_PER_FRAME)))
}
