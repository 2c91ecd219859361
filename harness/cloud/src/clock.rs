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

/// A time of day: what records keep, because they outlive the clock of the run that made them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(
    /// Time since 1970.
    Duration,
);

impl Timestamp {
    /// The time of day `since_1970` after 1970-01-01T00:00:00Z.
    pub const fn new(since_1970: Duration) -> Self {
        Self(since_1970)
    }

    /// Time since 1970.
    pub const fn since_1970(self) -> Duration {
        self.0
    }

    /// The time as the JSON bodies have it: `2022-08-27T17:53:19.5143497Z`.
    pub fn round_trip(self) -> String {
        self.format(ROUND_TRIP)
    }

    /// Reads what [`round_trip`](Self::round_trip) writes.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let format = &time::format_description::well_known::Rfc3339;
        let nanos = OffsetDateTime::parse(text, format).ok()?;
        let nanos = u64::try_from(nanos.unix_timestamp_nanos()).ok()?;
        Some(Self(Duration::from_nanos(nanos)))
    }

    fn format(self, format: &[BorrowedFormatItem<'_>]) -> String {
        let nanos = i128::try_from(self.0.as_nanos()).unwrap_or(i128::MAX);
        // Both formats name members that every date has; only dates after the year 9999 fail.
        OffsetDateTime::from_unix_timestamp_nanos(nanos)
            .ok()
            .and_then(|date| date.format(format).ok())
            .unwrap_or_default()
    }
}

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

    /// The time of day at `instant`.
    pub(crate) fn timestamp(self, instant: VirtualTime) -> Timestamp {
        Timestamp(self.since_1970(instant))
    }

    /// The instant as the JSON bodies have it.
    pub(crate) fn round_trip(self, instant: VirtualTime) -> String {
        self.timestamp(instant).round_trip()
    }

    /// The instant as HTTP headers have it.
    pub(crate) fn imf_fixdate(self, instant: VirtualTime) -> String {
        self.timestamp(instant).format(IMF_FIXDATE)
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
    #[test]
    fn reads_what_it_writes() {
        let time = Timestamp::new(VIRTUAL_EPOCH + Duration::from_nanos(1_514_349_700));
        assert_eq!(Timestamp::parse(&time.round_trip()), Some(time));
        assert_eq!(Timestamp::parse("yesterday"), None);
    }
}
