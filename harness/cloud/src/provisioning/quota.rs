//! Quotas: how many requests of a kind the service takes in a time (DPS documentation, "Quotas and
//! limits").

use core::str::FromStr;
use std::collections::VecDeque;
use std::time::Duration;

use az3166_event::VirtualTime;

/// How many requests of each kind are taken; nothing is counted without a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quotas {
    /// Polls of one device.
    pub polls: Option<Quota>,
    /// Registrations of all devices.
    pub registrations: Option<Quota>,
    /// Requests to the service API.
    pub operations: Option<Quota>,
}

/// So many requests in so long a time, at any time: a sliding window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// How many; at least one.
    pub count: u32,
    /// In how long a time.
    pub per: Duration,
}

impl Quotas {
    /// The limits that Azure documents. A device that waits as `Retry-After` says never meets
    /// them.
    pub const DOCUMENTED: Self = Self {
        polls: Some(Quota::new(5, 10)),
        registrations: Some(Quota::new(1000, 60)),
        operations: Some(Quota::new(1000, 60)),
    };
}

impl Quota {
    const fn new(count: u32, seconds: u64) -> Self {
        Self {
            count,
            per: Duration::from_secs(seconds),
        }
    }
}

/// Why a text is not a quota.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a quota: it has the form count/seconds, like 5/10, each from 1 to 86400")]
pub struct QuotaError {
    /// What was given.
    text: String,
}

impl FromStr for Quota {
    type Err = QuotaError;

    fn from_str(text: &str) -> Result<Self, QuotaError> {
        let number = |text: &str| {
            text.parse()
                .ok()
                .filter(|number| (1..=86400).contains(number))
        };
        let quota = text.split_once('/').and_then(|(count, seconds)| {
            let seconds = seconds.strip_suffix('s').unwrap_or(seconds);
            Some(Self::new(number(count)?, u64::from(number(seconds)?)))
        });
        quota.ok_or_else(|| QuotaError {
            text: text.to_owned(),
        })
    }
}

/// The requests that were taken in the last time.
#[derive(Clone, Debug, Default)]
pub(super) struct Window(VecDeque<VirtualTime>);

impl Window {
    /// Takes a request at `now`, unless `quota` is used up.
    ///
    /// # Errors
    /// How long until there is room again, in whole seconds from 1 on.
    pub(super) fn take(&mut self, now: VirtualTime, quota: Option<Quota>) -> Result<(), Duration> {
        let Some(quota) = quota else { return Ok(()) };
        let ends = |taken: VirtualTime| taken + quota.per;
        while self.0.front().is_some_and(|taken| ends(*taken) <= now) {
            self.0.pop_front();
        }
        let limit = usize::try_from(quota.count).unwrap_or(usize::MAX);
        match self.0.front() {
            Some(oldest) if self.0.len() >= limit => {
                let wait = ends(*oldest).saturating_since(now);
                let whole = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                Err(Duration::from_secs(whole.max(1)))
            }
            _ => {
                self.0.push_back(now);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn a_window_slides() {
        let (mut window, quota) = (Window::default(), Some(Quota::new(2, 10)));
        let mut take = |millis| window.take(VirtualTime::from_millis(millis), quota);
        assert_eq!(take(0), Ok(()));
        assert_eq!(take(4_000), Ok(()));
        assert_eq!(take(4_500), Err(Duration::from_secs(6)));
        assert_eq!(take(9_999), Err(Duration::from_secs(1)));
        assert_eq!(take(10_000), Ok(()));
        assert_eq!(take(10_000), Err(Duration::from_secs(4)));
        assert_eq!(take(14_000), Ok(()));
    }

    #[rstest]
    #[case("5/10", Some(Quota::new(5, 10)))]
    #[case("1000/60s", Some(Quota::new(1000, 60)))]
    #[case("0/10", None)]
    #[case("5", None)]
    #[case("-5/10", None)]
    fn texts(#[case] text: &str, #[case] expected: Option<Quota>) {
        assert_eq!(text.parse().ok(), expected);
    }
}
