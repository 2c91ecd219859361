//! The time of day that belongs to the target's own clock, and how the services write it.

use std::time::Duration;

use az3166_event::VirtualTime;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

/// 2026-01-01T00:00:00Z: the time of day at the first power-on of a run on virtual time.
pub const VIRTUAL_EPOCH: Duration = Duration::from_secs(1_767_225_600);

/// `2022-08-27T17:53:19.5143497Z`: seven digits, as .NET writes them.
const ROUND_TRIP: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:7]Z");

/// `Sat, 27 Aug 2022 17:53:18 GMT` (RFC 9110 section 5.6.7).
const IMF_FIXDATE: &[BorrowedFormatItem<'_>] = format_description!(
    "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
);

/// Turns instants of the target's clock into the time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Epoch(
    /// Time since 1970 at [`VirtualTime::ZERO`].
    pub(crate) Duration,
);

impl Epoch {
    /// Time since 1970 at `instant`.
    pub(crate) fn since_1970(self, instant: VirtualTime) -> Duration {
        self.0.saturating_add(instant.since_start())
    }

    /// The instant as the JSON bodies have it.
    pub(crate) fn round_trip(self, instant: VirtualTime) -> String {
        self.format(instant, ROUND_TRIP)
    }

    /// The instant as HTTP headers have it.
    pub(crate) fn imf_fixdate(self, instant: VirtualTime) -> String {
        self.format(instant, IMF_FIXDATE)
    }

    fn format(self, instant: VirtualTime, format: &[BorrowedFormatItem<'_>]) -> String {
        let nanos = i128::try_from(self.since_1970(instant).as_nanos()).unwrap_or(i128::MAX);
        // Both formats name members that every date has; only dates after the year 9999 fail.
        OffsetDateTime::from_unix_timestamp_nanos(nanos)
            .ok()
            .and_then(|date| date.format(format).ok())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_the_virtual_epoch_in_both_forms() {
        let epoch = Epoch(VIRTUAL_EPOCH);
        let instant = VirtualTime::from_nanos(1_514_349_799);
        assert_eq!(epoch.round_trip(instant), "2026-01-01T00:00:01.5143497Z");
        assert_eq!(epoch.imf_fixdate(instant), "Thu, 01 Jan 2026 00:00:01 GMT");
    }

    #[test]
    fn the_end_of_time_is_no_panic() {
        assert_eq!(Epoch(Duration::MAX).round_trip(VirtualTime::MAX), "");
    }
}
