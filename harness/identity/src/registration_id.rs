use core::fmt;
use core::str::FromStr;

use thiserror::Error;

/// The id under which a device registers: the common name of its certificate's subject.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RegistrationId(String);

/// Why a text is no registration id.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RegistrationIdError {
    /// the registration id is empty; give 1 to 128 characters of a-z, 0-9 and '-'
    #[error("the registration id is empty; give 1 to 128 characters of a-z, 0-9 and '-'")]
    Empty,
    /// the registration id has {found} characters; at most 128 are allowed
    #[error("the registration id has {found} characters; at most 128 are allowed")]
    TooLong {
        /// How many there were.
        found: usize,
    },
    /// the registration id has {character:?} at position {position}; only a-z, 0-9 and '-' are allowed
    #[error(
        "the registration id has {character:?} at position {position}; only a-z, 0-9 and '-' are allowed"
    )]
    Character {
        /// Counted in characters, from 1.
        position: usize,
        /// The character itself: registration ids are public.
        character: char,
    },
}

/// What makes a valid registration id unwise.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum RegistrationIdWarning {
    /// the registration id has {found} characters; the Device Provisioning Service refuses a common name over 64
    #[error(
        "the registration id has {found} characters; the Device Provisioning Service refuses a common name over 64"
    )]
    OverServiceLimit {
        /// How many there are.
        found: usize,
    },
}

impl RegistrationId {
    /// The longest id that the device's own software takes.
    pub const MAX: usize = 128;
    /// The longest common name that the Device Provisioning Service takes (X.520 `ub-common-name`).
    pub const SERVICE_MAX: usize = 64;

    /// The id of a device to which none was given: `az-`, its MAC, `v`, and its firmware version
    /// with each dot replaced by `v`.
    pub fn of_device(mac: &Mac, version: &FirmwareVersion) -> Self {
        Self(format!("az-{mac}v{}", version.0.replace('.', "v")))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the service would refuse it all the same.
    pub fn warning(&self) -> Option<RegistrationIdWarning> {
        (self.0.len() > Self::SERVICE_MAX).then_some(RegistrationIdWarning::OverServiceLimit {
            found: self.0.len(),
        })
    }
}

impl FromStr for RegistrationId {
    type Err = RegistrationIdError;

    fn from_str(text: &str) -> Result<Self, RegistrationIdError> {
        let wrong = text
            .chars()
            .enumerate()
            .find(|(_, character)| !matches!(character, 'a'..='z' | '0'..='9' | '-'));
        match (text.chars().count(), wrong) {
            (0, _) => Err(RegistrationIdError::Empty),
            (_, Some((index, character))) => Err(RegistrationIdError::Character {
                position: index + 1,
                character,
            }),
            (found, None) if found > Self::MAX => Err(RegistrationIdError::TooLong { found }),
            (_, None) => Ok(Self(text.into())),
        }
    }
}

impl fmt::Display for RegistrationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A MAC address as 12 lower-case hex digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mac(String);

/// the MAC address is not 12 hex digits without separators, such as c8934641234b
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the MAC address is not 12 hex digits without separators, such as c8934641234b")]
pub struct MacError;

impl FromStr for Mac {
    type Err = MacError;

    fn from_str(text: &str) -> Result<Self, MacError> {
        if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(MacError)
        }
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A firmware version `major.minor.patch`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FirmwareVersion(String);

/// the firmware version is not three numbers with dots, such as 1.6.5
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the firmware version is not three numbers with dots, such as 1.6.5")]
pub struct FirmwareVersionError;

impl FromStr for FirmwareVersion {
    type Err = FirmwareVersionError;

    fn from_str(text: &str) -> Result<Self, FirmwareVersionError> {
        let number = |part: &str| {
            matches!(part.len(), 1..=9) && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        if text.split('.').count() == 3 && text.split('.').all(number) {
            Ok(Self(text.into()))
        } else {
            Err(FirmwareVersionError)
        }
    }
}

impl fmt::Display for FirmwareVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::shortest("a", None)]
    #[case::dash("-", None)]
    #[case::service_limit(&"a".repeat(64), None)]
    #[case::over_service_limit(&"a".repeat(65), Some(65))]
    #[case::longest(&"9".repeat(128), Some(128))]
    fn takes(#[case] text: &str, #[case] warned: Option<usize>) {
        let id: RegistrationId = text.parse().unwrap();
        let warned = warned.map(|found| RegistrationIdWarning::OverServiceLimit { found });
        assert_eq!((id.as_str(), id.warning()), (text, warned));
    }

    #[rstest]
    #[case::empty("", RegistrationIdError::Empty)]
    #[case::too_long(&"a".repeat(129), RegistrationIdError::TooLong { found: 129 })]
    #[case::upper_case("az-C8", RegistrationIdError::Character { position: 4, character: 'C' })]
    #[case::control("az\u{1b}", RegistrationIdError::Character { position: 3, character: '\u{1b}' })]
    #[case::accent("éa", RegistrationIdError::Character { position: 1, character: 'é' })]
    fn refuses(#[case] text: &str, #[case] expected: RegistrationIdError) {
        assert_eq!(text.parse::<RegistrationId>(), Err(expected));
    }

    #[test]
    fn messages_escape_control_characters() {
        let error = "az\u{1b}[2J".parse::<RegistrationId>().unwrap_err();
        insta::assert_snapshot!(error, @r"the registration id has '\u{1b}' at position 3; only a-z, 0-9 and '-' are allowed");
    }

    #[rstest]
    #[case("c8934641234b", "1.6.5", "az-c8934641234bv1v6v5")]
    #[case("C8934641234B", "1.0.10", "az-c8934641234bv1v0v10")]
    fn default_id(#[case] mac: &str, #[case] version: &str, #[case] expected: &str) {
        let id = RegistrationId::of_device(&mac.parse().unwrap(), &version.parse().unwrap());
        assert_eq!(id.as_str(), expected);
        assert_eq!(expected.parse(), Ok(id));
    }

    #[rstest]
    fn refuses_macs(
        #[values(
            "",
            "c8934641234",
            "c8934641234b0",
            "c8:93:46:41:23:4b",
            "c8934641234g"
        )]
        text: &str,
    ) {
        assert_eq!(text.parse::<Mac>(), Err(MacError));
    }

    #[rstest]
    fn refuses_versions(
        #[values("", "1.6", "1.6.5.0", "1..5", "1.6.x", "v1.6.5", "1.6.0123456789")] text: &str,
    ) {
        assert_eq!(text.parse::<FirmwareVersion>(), Err(FirmwareVersionError));
    }
}
