//! SNTP as a server speaks it (RFC 4330; packet header RFC 5905, section 7.3).

use az3166_event::VirtualTime;

/// A packet without extensions.
const LENGTH: usize = 48;
/// From the NTP epoch, 1900, to the Unix epoch, 1970, in seconds.
const UNIX_EPOCH: i64 = 2_208_988_800;
const MODE_CLIENT: u8 = 3;
const MODE_SERVER: u8 = 4;
/// Leap indicator 3: the clock is not synchronised.
const ALARM: u8 = 0xC0;
/// 2^-20 s: about a microsecond.
const PRECISION: u8 = 0xEC;
const TRANSMIT: usize = 40;

/// What the server tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Telling {
    /// The time.
    Time(UnixTime),
    /// Kiss-o'-death with code RATE: ask less often.
    KissOfDeath,
}

/// A time since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnixTime {
    pub seconds: i64,
    pub nanos: u32,
}

impl UnixTime {
    /// The time at `now`, where the virtual clock began at `zero`.
    pub fn at(zero: i64, now: VirtualTime) -> Self {
        let since = now.since_start();
        let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
        Self {
            seconds: zero.saturating_add(seconds),
            nanos: since.subsec_nanos(),
        }
    }

    /// Era-less NTP timestamp: seconds since 1900 modulo 2^32, then a binary fraction.
    fn to_ntp(self) -> [u8; 8] {
        let seconds = self.seconds.wrapping_add(UNIX_EPOCH) as u32;
        let fraction = (u64::from(self.nanos) << 32) / 1_000_000_000;
        let [a, b, c, d] = seconds.to_be_bytes();
        let [e, f, g, h] = (fraction as u32).to_be_bytes();
        [a, b, c, d, e, f, g, h]
    }
}

/// The answer to `request`; none where it is no client's request.
pub(crate) fn respond(request: &[u8], telling: Telling) -> Option<[u8; LENGTH]> {
    let request = request.first_chunk::<LENGTH>()?;
    let version = request[0] & 0x38;
    if request[0] & 0x07 != MODE_CLIENT {
        return None;
    }
    let mut packet = [0; LENGTH];
    packet[0] = version | MODE_SERVER;
    packet[2] = request[2];
    packet[3] = PRECISION;
    match telling {
        Telling::Time(time) => {
            packet[1] = 1;
            packet[12..16].copy_from_slice(b"HIL\0");
            for field in [16, 32, TRANSMIT] {
                packet[field..field + 8].copy_from_slice(&time.to_ntp());
            }
        }
        Telling::KissOfDeath => {
            packet[0] |= ALARM;
            packet[12..16].copy_from_slice(b"RATE");
        }
    }
    packet[24..32].copy_from_slice(&request[TRANSMIT..]);
    Some(packet)
}

/// The first second of a year, since 1970, in the proleptic Gregorian calendar.
pub(crate) fn start_of_year(year: i32) -> i64 {
    let before = i64::from(year) - 1;
    let leap_days = before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400);
    // Days from 0001-01-01 to 1970-01-01.
    (before * 365 + leap_days - 719_162) * 86_400
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_begin_where_the_calendar_says() {
        for (year, seconds) in [
            (1970, 0),
            (2000, 946_684_800),
            (2001, 978_307_200),
            (2026, 1_767_225_600),
            (1900, -UNIX_EPOCH),
            (2100, 4_102_444_800),
        ] {
            assert_eq!(start_of_year(year), seconds, "{year}");
        }
    }

    #[test]
    fn timestamps_carry_a_binary_fraction() {
        let time = UnixTime::at(1_767_225_600, VirtualTime::from_millis(1_500));
        assert_eq!(time.to_ntp(), [0xED, 0x00, 0x37, 0x81, 0x80, 0, 0, 0]);
    }

    #[test]
    fn only_clients_are_answered() {
        let mut request = [0; 48];
        for first in [0x1B, 0x23] {
            request[0] = first;
            let response = respond(&request, Telling::KissOfDeath).unwrap();
            assert_eq!((response[0], response[1]), (0xC0 | first & 0x38 | 4, 0));
        }
        assert_eq!(respond(&request[..47], Telling::KissOfDeath), None);
        request[0] = 0x24;
        assert_eq!(respond(&request, Telling::KissOfDeath), None);
    }
}
