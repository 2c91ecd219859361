//! How far Renode runs before the host looks again.

use core::time::Duration;

/// Steps of virtual time: short while bytes go to and fro, longer the longer it is quiet.
///
/// Each step costs some milliseconds of wall time, and what the device says waits for its end. The
/// steps are a function of what happened on virtual time, so that a run can be repeated.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    step: Duration,
    /// The sum of the steps since the last traffic.
    quiet: Duration,
}

/// The shortest step.
const SHORTEST: Duration = Duration::from_millis(1);
/// The longest step while the device may only be thinking.
pub const LONG: Duration = Duration::from_millis(32);
/// The longest step at all.
const LONGEST: Duration = Duration::from_millis(128);
/// After how long it does not think but sleep: longer than its signatures and its polling take.
const ASLEEP: Duration = Duration::from_secs(8);

impl Pace {
    /// Begins with short steps.
    pub fn new() -> Self {
        Self {
            step: SHORTEST,
            quiet: Duration::ZERO,
        }
    }

    /// Something went to or came from the device.
    pub fn traffic(&mut self) {
        *self = Self::new();
    }

    /// The next step.
    pub fn next(&mut self) -> Duration {
        let step = self.step;
        self.quiet += step;
        let longest = match self.quiet < ASLEEP {
            true => LONG,
            false => LONGEST,
        };
        self.step = longest.min(2 * step);
        step
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_grow_until_there_is_traffic() {
        let mut pace = Pace::new();
        let mut steps = || pace.next().as_millis();
        assert_eq!([(); 7].map(|()| steps()), [1, 2, 4, 8, 16, 32, 32]);
        pace.traffic();
        assert_eq!(pace.next(), SHORTEST);
        let mut sum = SHORTEST;
        while sum < ASLEEP {
            sum += pace.next();
        }
        assert_eq!([(); 3].map(|()| pace.next().as_millis()), [64, 128, 128]);
    }
}
