//! The time of day as the cores have it: nanoseconds since 1970, never going back.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use az3166_event::VirtualTime;
use time::OffsetDateTime;

/// The system's clock may run ahead of ours by this much before ours follows it.
const JUMP: Duration = Duration::from_secs(2);

/// A clock that starts at the system's time of day, goes steadily, and leaps forward with the
/// system's: after a suspension, or once the network has set it.
#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
    since_1970: Duration,
}

impl Clock {
    /// A clock that shows the system's time of day.
    pub(crate) fn start() -> Self {
        Self {
            started: Instant::now(),
            since_1970: system_time(),
        }
    }

    /// Now.
    pub(crate) fn now(&mut self) -> VirtualTime {
        self.at(self.started.elapsed(), system_time())
    }

    fn at(&mut self, elapsed: Duration, system: Duration) -> VirtualTime {
        let ahead = system.saturating_sub(self.since_1970 + elapsed);
        if ahead > JUMP {
            self.since_1970 += ahead;
        }
        VirtualTime::ZERO + (self.since_1970 + elapsed)
    }
}

/// The instant as a date.
pub(crate) fn date(at: VirtualTime) -> OffsetDateTime {
    let nanos = i128::from(at.as_nanos());
    OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

fn system_time() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_follows_leaps_forward_and_never_goes_back() {
        let seconds = Duration::from_secs;
        let mut clock = Clock {
            started: Instant::now(),
            since_1970: seconds(1000),
        };
        let mut shown = |elapsed, system| clock.at(seconds(elapsed), seconds(system)).as_secs_f64();
        assert_eq!(shown(1, 1001), 1001.0);
        assert_eq!(shown(2, 500), 1002.0, "the system's clock was set back");
        assert_eq!(shown(3, 5000), 5000.0, "the system slept");
        assert_eq!(shown(4, 5001), 5001.0);
    }
}
