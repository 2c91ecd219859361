//! The time from a simple network time server (RFC 4330).

use core::fmt;

/// The time server's port.
pub const PORT: u16 = 123;

/// Length of a message without authenticator, in bytes.
const MESSAGE: usize = 48;

/// Unix time of the NTP era 0 (1900-01-01), negated.
const UNIX_EPOCH_IN_NTP: u64 = 2_208_988_800;

/// 2025-01-01T00:00:00Z and 2038-01-01T00:00:00Z as Unix times. A device of this firmware cannot
/// be earlier, and its certificate ends in 2037.
const PLAUSIBLE: core::ops::Range<u64> = 1_735_689_600..2_145_916_800;

/// What is wrong with an answer (the checks of RFC 4330 section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// the answer is shorter than an NTP message
    Short,
    /// the answer is no server's (its mode)
    Mode(u8),
    /// the server refuses with a kiss-o'-death (stratum 0)
    Kiss,
    /// the server's stratum is out of range
    Stratum(u8),
    /// the server's clock is not synchronised
    Unsynchronised,
    /// the answer holds no time
    NoTime,
    /// the time is before 2025 or after 2037; holds the Unix time in seconds
    Implausible(u64),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short => f.write_str("the answer is shorter than an NTP message"),
            Self::Mode(mode) => write!(f, "the answer is no server's (mode {mode})"),
            Self::Kiss => f.write_str("the server refuses (kiss-o'-death)"),
            Self::Stratum(stratum) => write!(f, "the server's stratum is {stratum}"),
            Self::Unsynchronised => f.write_str("the server's clock is not synchronised"),
            Self::NoTime => f.write_str("the answer holds no time"),
            Self::Implausible(unix) => {
                write!(f, "the time (year {}) is not in 2025 to 2037", year(*unix))
            }
        }
    }
}

impl core::error::Error for Error {}

/// A request (version 4, mode client). `nonce` stands where the client's clock belongs: the
/// server sends it back, which ties its answer to this request.
pub fn request(nonce: u64) -> [u8; MESSAGE] {
    let mut message = [0; MESSAGE];
    message[0] = 0x23;
    message[40..].copy_from_slice(&nonce.to_be_bytes());
    message
}

/// Reads a datagram: Unix time in milliseconds. `None` when it does not answer the request with
/// `nonce`: something late or something forged, to be ignored.
pub fn answer(nonce: u64, datagram: &[u8]) -> Option<Result<u64, Error>> {
    let Some(message) = datagram.first_chunk::<MESSAGE>() else {
        return Some(Err(Error::Short));
    };
    let word = |at: usize| {
        message[at..]
            .first_chunk()
            .map_or(0, |bytes| u64::from(u32::from_be_bytes(*bytes)))
    };
    ((word(24) << 32 | word(28)) == nonce).then(|| time(message[0], message[1], word(40), word(44)))
}

fn time(flags: u8, stratum: u8, seconds: u64, fraction: u64) -> Result<u64, Error> {
    match (flags & 7, stratum, flags >> 6) {
        (4, 1..=15, 0..=2) => {}
        (4, 0, _) => return Err(Error::Kiss),
        (4, 16.., _) => return Err(Error::Stratum(stratum)),
        (4, ..) => return Err(Error::Unsynchronised),
        (mode, ..) => return Err(Error::Mode(mode)),
    }
    if (seconds, fraction) == (0, 0) {
        return Err(Error::NoTime);
    }
    // RFC 4330 section 3: with the first bit clear the time is of the era that starts in 2036.
    let era = if seconds < 1 << 31 { 1 << 32 } else { 0 };
    let unix = (era + seconds).saturating_sub(UNIX_EPOCH_IN_NTP);
    if !PLAUSIBLE.contains(&unix) {
        return Err(Error::Implausible(unix));
    }
    Ok(unix * 1000 + ((fraction * 1000) >> 32))
}

/// The year of a Unix time before 2100, which no NTP time of these two eras passes by much.
fn year(unix: u64) -> u64 {
    1970 + (4 * (unix / 86_400) + 2) / 1461
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec::Vec;
    use proptest::prelude::*;
    use rstest::rstest;

    const NONCE: u64 = 0x0102_0304_0506_0708;
    /// 2026-01-01T00:00:00Z since 1900.
    const NEW_YEAR: u32 = 3_976_214_400;

    fn message(flags: u8, stratum: u8, nonce: u64, seconds: u32, fraction: u32) -> Vec<u8> {
        let mut bytes = [0; 48];
        (bytes[0], bytes[1]) = (flags, stratum);
        bytes[24..32].copy_from_slice(&nonce.to_be_bytes());
        bytes[40..44].copy_from_slice(&seconds.to_be_bytes());
        bytes[44..].copy_from_slice(&fraction.to_be_bytes());
        bytes.to_vec()
    }

    #[rstest]
    #[case::version_4(0x24, NEW_YEAR, 0x8000_0000, 1_767_225_600_500)]
    #[case::version_3(0x1C, NEW_YEAR, 0, 1_767_225_600_000)]
    #[case::leap_second_announced(0x64, NEW_YEAR, 1, 1_767_225_600_000)]
    #[case::second_era(0x24, 12_345_678, 0, 2_098_324_174_000)]
    fn the_time_is_read(
        #[case] flags: u8,
        #[case] seconds: u32,
        #[case] fraction: u32,
        #[case] unix_ms: u64,
    ) {
        assert_eq!(
            answer(NONCE, &message(flags, 2, NONCE, seconds, fraction)),
            Some(Ok(unix_ms))
        );
    }

    #[rstest]
    #[case(
        message(0x23, 2, NONCE, NEW_YEAR, 0),
        "the answer is no server's (mode 3)"
    )]
    #[case(
        message(0x24, 0, NONCE, NEW_YEAR, 0),
        "the server refuses (kiss-o'-death)"
    )]
    #[case(message(0x24, 16, NONCE, NEW_YEAR, 0), "the server's stratum is 16")]
    #[case(
        message(0xE4, 2, NONCE, NEW_YEAR, 0),
        "the server's clock is not synchronised"
    )]
    #[case(message(0x24, 2, NONCE, 0, 0), "the answer holds no time")]
    #[case(
        message(0x24, 2, NONCE, 3_155_673_600, 0),
        "the time (year 2000) is not in 2025 to 2037"
    )]
    #[case(
        message(0x24, 2, NONCE, 2_000_000_000, 0),
        "the time (year 2099) is not in 2025 to 2037"
    )]
    #[case(alloc::vec![0; 47], "the answer is shorter than an NTP message")]
    fn what_is_no_time_is_refused(#[case] datagram: Vec<u8>, #[case] reason: &str) {
        assert_eq!(
            answer(NONCE, &datagram).unwrap().unwrap_err().to_string(),
            reason
        );
    }

    #[test]
    fn an_answer_to_another_request_is_ignored() {
        assert_eq!(
            answer(NONCE, &message(0x24, 2, NONCE + 1, NEW_YEAR, 0)),
            None
        );
        assert_eq!(&request(NONCE)[40..], NONCE.to_be_bytes());
    }

    proptest! {
        #[test]
        fn any_bytes_do(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            crate::fuzzing::sntp(&bytes);
        }

        #[test]
        fn times_are_plausible_or_refused(seconds: u32, fraction: u32) {
            match answer(NONCE, &message(0x24, 1, NONCE, seconds, fraction)) {
                Some(Ok(unix_ms)) => prop_assert!(PLAUSIBLE.contains(&(unix_ms / 1000))),
                Some(Err(Error::Implausible(unix))) => prop_assert!(!PLAUSIBLE.contains(&unix)),
                other => prop_assert_eq!((other, seconds), (Some(Err(Error::NoTime)), 0)),
            }
        }
    }
}
