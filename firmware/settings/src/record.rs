use core::fmt::Write;

use heapless::String;

use crate::{Settings, Transport, crc32};

/// Length of the record in zone 5. The longest values give 377 bytes; it fits one command.
pub const RECORD_BYTES: usize = 384;

/// The record as it lies in the zone.
pub type Record = [u8; RECORD_BYTES];

/// Why a record cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// The check word is missing or does not fit the text.
    Check,
    /// The text is sound but not one that this firmware writes.
    Text,
}

const CHECK: &str = "Check=";

/// The record that stands for these settings.
pub fn encode(settings: &Settings) -> Record {
    let mut text: String<RECORD_BYTES> = String::new();
    let mut put = |key: &str, value: &str| {
        // The values' capacities add up to less than the record's.
        let _ = write!(text, "{key}={value};");
    };
    if let Some(value) = &settings.registration_id {
        put("RegistrationId", value);
    }
    if let Some(value) = &settings.id_scope {
        put("IdScope", value);
    }
    if let Some(value) = &settings.dps_endpoint {
        put("DPSEndpoint", value);
    }
    if let Some(transport) = settings.dps_transport {
        put("DPSTransport", transport.name());
    }
    if let Some(mac) = settings.mac {
        let value = u64::from_be_bytes([0, 0, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]]);
        let mut digits: String<12> = String::new();
        let _ = write!(digits, "{value:012x}");
        put("MAC", &digits);
    }
    let check = crc32([text.as_bytes()]);
    let _ = write!(text, "{CHECK}{check:08x};");
    let mut record = [0; RECORD_BYTES];
    record[..text.len()].copy_from_slice(text.as_bytes());
    record
}

/// The settings of a record. A zone that was never written (all 00 or all FF) gives the defaults.
///
/// # Errors
/// [`Damage`] when the check word does not fit or the text is not a list of known keys.
pub fn decode(record: &Record) -> Result<Settings, Damage> {
    if record.iter().all(|&byte| byte == 0) || record.iter().all(|&byte| byte == 0xFF) {
        return Ok(Settings::default());
    }
    let end = record
        .iter()
        .position(|&byte| byte == 0)
        .unwrap_or(record.len());
    if record[end..].iter().any(|&byte| byte != 0) {
        return Err(Damage::Check);
    }
    let text = core::str::from_utf8(&record[..end]).map_err(|_| Damage::Check)?;
    let (body, check) = text.rsplit_once(CHECK).ok_or(Damage::Check)?;
    let check = check
        .strip_suffix(';')
        .filter(|word| word.len() == 8)
        .ok_or(Damage::Check)?;
    let check = u32::from_str_radix(check, 16).map_err(|_| Damage::Check)?;
    if check != crc32([body.as_bytes()]) {
        return Err(Damage::Check);
    }
    parse(body).ok_or(Damage::Text)
}

fn parse(body: &str) -> Option<Settings> {
    let mut settings = Settings::default();
    for pair in body.split_terminator(';') {
        let (key, value) = pair.split_once('=')?;
        if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        match key {
            "RegistrationId" => set(&mut settings.registration_id, String::try_from(value).ok()?)?,
            "IdScope" => set(&mut settings.id_scope, String::try_from(value).ok()?)?,
            "DPSEndpoint" => set(&mut settings.dps_endpoint, String::try_from(value).ok()?)?,
            "DPSTransport" => set(&mut settings.dps_transport, Transport::from_name(value)?)?,
            "MAC" => set(&mut settings.mac, parse_mac(value)?)?,
            _ => return None,
        }
    }
    (body.is_empty() || body.ends_with(';')).then_some(settings)
}

/// Sets a value that is not set yet.
fn set<T>(slot: &mut Option<T>, value: T) -> Option<()> {
    slot.replace(value).is_none().then_some(())
}

fn parse_mac(value: &str) -> Option<[u8; 6]> {
    if value.len() != 12 || !value.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let bytes = u64::from_str_radix(value, 16).ok()?.to_be_bytes();
    bytes[2..].try_into().ok()
}

#[cfg(test)]
mod tests {
    extern crate std;

    use proptest::prelude::*;
    use std::string::String as StdString;

    use super::*;

    fn text(value: &str) -> Record {
        let mut record = [0; RECORD_BYTES];
        record[..value.len()].copy_from_slice(value.as_bytes());
        record
    }

    /// A record with a right check word around a body.
    fn sealed(body: &str) -> Record {
        text(&std::format!(
            "{body}Check={:08x};",
            crc32([body.as_bytes()])
        ))
    }

    fn check(record: &Record, expected: Result<Settings, Damage>) {
        assert_eq!(decode(record), expected);
    }

    #[test]
    fn a_record_reads_as_documented() {
        let settings = Settings {
            registration_id: Some("dev-1".try_into().unwrap()),
            dps_transport: Some(Transport::Mqtt),
            mac: Some([0x02, 0, 0xDE, 0xAD, 0xBE, 0xEF]),
            ..Settings::default()
        };
        let expected = "RegistrationId=dev-1;DPSTransport=mqtt;MAC=0200deadbeef;Check=";
        assert!(encode(&settings).starts_with(expected.as_bytes()));
        check(&encode(&settings), Ok(settings));
    }

    #[test]
    fn a_zone_that_was_never_written_gives_the_defaults() {
        check(&[0; RECORD_BYTES], Ok(Settings::default()));
        check(&[0xFF; RECORD_BYTES], Ok(Settings::default()));
        check(&sealed(""), Ok(Settings::default()));
    }

    #[test]
    fn damage_is_told_apart() {
        for record in [
            "HostName=x;",
            "Check=00000001;",
            "Check=;",
            "MAC=0200deadbeef;",
        ] {
            check(&text(record), Err(Damage::Check));
        }
        for body in [
            "Unknown=1;",
            "MAC=02;",
            "DPSTransport=amqp;",
            "IdScope=a;IdScope=b;",
            "IdScope=;",
            "IdScope",
            "=;",
        ] {
            check(&sealed(body), Err(Damage::Text));
        }
    }

    #[test]
    fn an_id_that_the_console_would_refuse_is_kept_as_planted() {
        let settings = decode(&sealed("RegistrationId=UPPER;")).unwrap();
        assert_eq!(settings.registration_id.as_deref(), Some("UPPER"));
    }

    prop_compose! {
        fn any_settings()(
            id in proptest::option::of("[a-z0-9-]{1,128}"),
            scope in proptest::option::of("[a-zA-Z0-9]{1,32}"),
            endpoint in proptest::option::of("[a-z0-9.-]{1,128}"),
            transport in proptest::option::of(proptest::sample::select(&Transport::ALL)),
            mac in any::<Option<[u8; 6]>>(),
        ) -> Settings {
            let text = |value: StdString| value.as_str().try_into().unwrap();
            Settings {
                registration_id: id.map(text),
                id_scope: scope.map(|value| value.as_str().try_into().unwrap()),
                dps_endpoint: endpoint.map(text),
                dps_transport: transport,
                mac,
            }
        }
    }

    #[test]
    fn the_longest_values_fit() {
        let settings = Settings {
            registration_id: Some(
                "a".repeat(crate::REGISTRATION_ID_MAX)
                    .as_str()
                    .try_into()
                    .unwrap(),
            ),
            id_scope: Some("a".repeat(crate::ID_SCOPE_MAX).as_str().try_into().unwrap()),
            dps_endpoint: Some("a".repeat(crate::ENDPOINT_MAX).as_str().try_into().unwrap()),
            dps_transport: Some(Transport::Https),
            mac: Some([0xFF; 6]),
        };
        let record = encode(&settings);
        assert_eq!(record.iter().position(|byte| *byte == 0), Some(377));
        check(&record, Ok(settings));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(settings in any_settings()) {
            prop_assert_eq!(decode(&encode(&settings)), Ok(settings));
        }

        #[test]
        fn a_torn_write_is_one_of_the_two_records_or_damage(
            old in any_settings(), new in any_settings(), cut in 0..=RECORD_BYTES,
        ) {
            let mut torn = encode(&old);
            torn[..cut].copy_from_slice(&encode(&new)[..cut]);
            if let Ok(settings) = decode(&torn) {
                prop_assert!(settings == old || settings == new);
            }
        }

        #[test]
        fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            crate::fuzzing::decode(&bytes);
        }
    }
}
