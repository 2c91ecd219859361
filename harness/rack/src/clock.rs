//! The wall clock: racks are shared by people and machines, who count in dates.

use time::{Date, OffsetDateTime};

/// The instant, to the second, in UTC.
pub fn now() -> OffsetDateTime {
    let now = OffsetDateTime::now_utc();
    now.replace_nanosecond(0).unwrap_or(now)
}

/// The day, in UTC.
pub fn today() -> Date {
    now().date()
}
