//! The emulated machine's clock, kept apart from the wall clock by its type.

use core::fmt;
use core::ops::{Add, AddAssign, Sub};
use core::time::Duration;

use serde::{Deserialize, Serialize};

/// An instant on the target's own clock: nanoseconds since the scenario's first power-on.
///
/// It never goes back, neither over a reset nor over a power cycle.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct VirtualTime(u64);

impl VirtualTime {
    /// The first power-on.
    pub const ZERO: Self = Self(0);
    /// Later than every instant a run can reach; "no deadline".
    pub const MAX: Self = Self(u64::MAX);

    /// The instant `nanos` nanoseconds after the first power-on.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The instant `millis` milliseconds after the first power-on.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis * 1_000_000)
    }

    /// Nanoseconds since the first power-on.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Seconds since the first power-on, for people and summaries.
    pub fn as_secs_f64(self) -> f64 {
        self.since_start().as_secs_f64()
    }

    /// The time since the first power-on as a [`Duration`].
    pub const fn since_start(self) -> Duration {
        Duration::from_nanos(self.0)
    }

    /// The time from `earlier` to `self`; zero where `earlier` is later.
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for VirtualTime {
    type Output = Self;

    /// Saturates at [`VirtualTime::MAX`].
    fn add(self, interval: Duration) -> Self {
        let nanos = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanos))
    }
}

impl AddAssign<Duration> for VirtualTime {
    fn add_assign(&mut self, interval: Duration) {
        *self = *self + interval;
    }
}

impl Sub for VirtualTime {
    type Output = Duration;

    /// Saturates at zero.
    fn sub(self, earlier: Self) -> Duration {
        self.saturating_since(earlier)
    }
}

impl fmt::Display for VirtualTime {
    /// Seconds with six decimals: `12.345678s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{:06}s",
            self.0 / 1_000_000_000,
            self.0 % 1_000_000_000 / 1_000
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates() {
        assert_eq!(VirtualTime::MAX + Duration::from_secs(1), VirtualTime::MAX);
        assert_eq!(
            VirtualTime::ZERO - VirtualTime::from_millis(1),
            Duration::ZERO
        );
        assert_eq!(
            VirtualTime::from_millis(1) + Duration::MAX,
            VirtualTime::MAX
        );
    }

    #[test]
    fn displays_seconds() {
        assert_eq!(
            VirtualTime::from_nanos(12_345_678_901).to_string(),
            "12.345678s"
        );
    }
}
