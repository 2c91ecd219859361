//! The cycle counter of the data watchpoint unit (Armv7-M ARM, C1.8).

const CYCCNTENA: u32 = 1;
/// DWT_CTRL's fixed part: no comparators (NUMCOMP 0) and neither trace, external match nor
/// profiling counters (NOTRCPKT, NOEXTTRIG, NOPRFCNT); NOCYCCNT is zero.
const CAPABILITIES: u32 = 0x0D00_0000;

/// DWT_CTRL and DWT_CYCCNT. The counter stands still while the processor sleeps.
#[derive(Clone, Debug)]
pub(super) struct Dwt {
    enabled: bool,
    /// The count when it was last written or switched.
    base: u32,
    /// The count of awake cycles at that moment.
    since: u64,
}

impl Dwt {
    pub(super) fn new() -> Self {
        Self {
            enabled: false,
            base: 0,
            since: 0,
        }
    }

    fn count(&self, now: u64) -> u32 {
        match self.enabled {
            true => self.base.wrapping_add((now - self.since) as u32),
            false => self.base,
        }
    }

    /// Reads a register by its offset from 0xE0001000; `now` counts awake cycles.
    pub(super) fn read(&self, offset: u32, now: u64) -> u32 {
        match offset {
            0 => CAPABILITIES | u32::from(self.enabled),
            4 => self.count(now),
            _ => 0,
        }
    }

    /// Writes a register; without DEMCR.TRCENA nothing changes.
    pub(super) fn write(&mut self, offset: u32, value: u32, now: u64, traces: bool) {
        if !traces {
            return;
        }
        match offset {
            0 => {
                self.base = self.count(now);
                self.since = now;
                self.enabled = value & CYCCNTENA != 0;
            }
            4 => {
                self.base = value;
                self.since = now;
            }
            _ => {}
        }
    }
}
