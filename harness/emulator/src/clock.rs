//! Frequencies as exact fractions, and the relation between cycles and virtual time.

use az3166_event::VirtualTime;

use crate::bus::Cycle;

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// A frequency as an exact fraction of hertz: a PLL's output need not be a whole number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frequency {
    numerator: u64,
    denominator: u64,
}

impl Frequency {
    /// A whole number of hertz, at least 1.
    pub const fn hertz(hertz: u64) -> Self {
        assert!(hertz > 0, "a clock has a frequency");
        Self {
            numerator: hertz,
            denominator: 1,
        }
    }

    /// This frequency times `multiplier` over `divider`; both at least 1.
    #[must_use]
    pub const fn scaled(self, multiplier: u64, divider: u64) -> Self {
        assert!(multiplier > 0 && divider > 0, "a clock has a frequency");
        let numerator = self.numerator * multiplier;
        let denominator = self.denominator * divider;
        let common = greatest_common_divisor(numerator, denominator);
        Self {
            numerator: numerator / common,
            denominator: denominator / common,
        }
    }

    /// The frequency in hertz, rounded down.
    pub const fn as_hertz(self) -> u64 {
        self.numerator / self.denominator
    }

    /// How many whole periods fit into `nanos` nanoseconds.
    pub fn periods_in(self, nanos: u64) -> u64 {
        divide(
            widen(nanos) * widen(self.numerator),
            widen(NANOS_PER_SECOND) * widen(self.denominator),
        )
    }

    /// How many periods it takes until at least `nanos` nanoseconds have passed.
    pub fn periods_to_reach(self, nanos: u64) -> u64 {
        let divisor = widen(NANOS_PER_SECOND) * widen(self.denominator);
        divide(widen(nanos) * widen(self.numerator) + divisor - 1, divisor)
    }

    /// How long `periods` last in nanoseconds, rounded down.
    pub fn nanos_floor(self, periods: u64) -> u64 {
        divide(
            widen(periods) * widen(NANOS_PER_SECOND) * widen(self.denominator),
            widen(self.numerator),
        )
    }

    /// The first nanosecond at which `periods` are over.
    pub fn nanos(self, periods: u64) -> u64 {
        let divisor = widen(self.numerator);
        divide(
            widen(periods) * widen(NANOS_PER_SECOND) * widen(self.denominator) + divisor - 1,
            divisor,
        )
    }
}

const fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

fn widen(value: u64) -> u128 {
    u128::from(value)
}

/// Division that takes the fast 64-bit path whenever it can, and saturates.
fn divide(dividend: u128, divisor: u128) -> u64 {
    match (u64::try_from(dividend), u64::try_from(divisor)) {
        (Ok(dividend), Ok(divisor)) => dividend / divisor,
        _ => u64::try_from(dividend / divisor).unwrap_or(u64::MAX),
    }
}

/// The relation between the processor's cycles and virtual time while HCLK is constant.
///
/// A change of HCLK rebases it. Within a base nothing is accumulated, so nothing drifts;
/// a rebase rounds down to a whole nanosecond.
#[derive(Clone, Debug)]
pub struct Timebase {
    cycle: Cycle,
    time: VirtualTime,
    hclk: Frequency,
}

impl Timebase {
    /// Cycle 0 is the first power-on.
    pub fn new(hclk: Frequency) -> Self {
        Self {
            cycle: 0,
            time: VirtualTime::ZERO,
            hclk,
        }
    }

    /// The instant of a cycle that is not before the last rebase.
    pub fn time_at(&self, cycle: Cycle) -> VirtualTime {
        let nanos = self.hclk.nanos_floor(cycle.saturating_sub(self.cycle));
        VirtualTime::from_nanos(self.time.as_nanos().saturating_add(nanos))
    }

    /// The first cycle whose instant is not before `time`; `Cycle::MAX` for [`VirtualTime::MAX`].
    pub fn cycle_at(&self, time: VirtualTime) -> Cycle {
        if time == VirtualTime::MAX {
            return Cycle::MAX;
        }
        let nanos = time.as_nanos().saturating_sub(self.time.as_nanos());
        self.cycle.saturating_add(self.hclk.periods_to_reach(nanos))
    }

    /// From `cycle`, which is at `time`, on, HCLK is `hclk`.
    pub fn rebase(&mut self, cycle: Cycle, time: VirtualTime, hclk: Frequency) {
        *self = Self { cycle, time, hclk };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_boards_pll_is_exactly_96_mhz() {
        let vco = Frequency::hertz(26_000_000).scaled(192, 13);
        assert_eq!(vco.scaled(1, 4), Frequency::hertz(96_000_000));
        assert_eq!(vco.scaled(1, 8), Frequency::hertz(48_000_000));
    }

    #[test]
    fn no_drift_over_a_year() {
        let timebase = Timebase::new(Frequency::hertz(96_000_000));
        let year = 365 * 86_400;
        assert_eq!(
            timebase.time_at(year * 96_000_000),
            VirtualTime::from_millis(year * 1000)
        );
    }

    proptest! {
        /// `cycle_at` is the inverse of `time_at` at any frequency a chip can have, before and after a rebase.
        #[test]
        fn cycles_and_times_agree(
            hertz in 1_000_000u64..200_000_000, divider in 1u64..64,
            cycle in 0u64..1 << 40, next in 0u64..1 << 40,
        ) {
            let mut timebase = Timebase::new(Frequency::hertz(hertz).scaled(7, divider * 8));
            for cycle in [cycle, cycle + next] {
                let time = timebase.time_at(cycle);
                prop_assert!(timebase.cycle_at(time) <= cycle);
                prop_assert!(timebase.time_at(timebase.cycle_at(time)) >= time);
                prop_assert!(timebase.time_at(cycle + 1) >= time);
                timebase.rebase(cycle, time, Frequency::hertz(16_000_000));
                prop_assert_eq!(timebase.time_at(cycle), time);
                prop_assert_eq!(timebase.cycle_at(time), cycle);
            }
        }

        /// A timer that schedules its n-th tick sees n ticks when it happens.
        #[test]
        fn periods_and_nanos_agree(hertz in 1_000u64..500_000_000, divider in 1u64..70_000, periods in 0u64..1 << 24) {
            let clock = Frequency::hertz(hertz).scaled(1, divider);
            prop_assert_eq!(clock.periods_in(clock.nanos(periods)), periods);
            prop_assert_eq!(clock.periods_to_reach(clock.nanos_floor(periods)), periods);
        }
    }
}
