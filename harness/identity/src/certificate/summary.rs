use super::compare::name;
use super::parse::{ParseError, Presented};
use super::{Profile, Thumbprints};
use crate::PublicKey;

/// What a certificate says, whoever made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The subject's name as `CN=..., C=..., O=...`, with control characters escaped.
    pub subject: String,
    /// The subject's first common name, if it is text.
    pub common_name: Option<String>,
    /// The form of its RIoT otherName; `None` if there is none that can be read.
    pub profile: Option<Profile>,
    /// The subject's key, if it is an uncompressed P-256 point.
    pub alias_key: Option<PublicKey>,
    /// The DeviceID key that it names.
    pub device_id_key: Option<PublicKey>,
    /// The firmware identity that it names, as 64 hex digits.
    pub fwid: Option<String>,
    /// Its digests.
    pub thumbprints: Thumbprints,
}

impl Summary {
    /// Reads a DER certificate.
    pub fn of(der: &[u8]) -> Result<Self, ParseError> {
        let presented = Presented::parse(der)?;
        let riot = presented.riot.as_ref();
        let common_name = presented
            .common_names()
            .next()
            .and_then(|value| str::from_utf8(value).ok())
            .map(str::to_owned);
        Ok(Self {
            subject: name(presented.x509.subject()),
            common_name,
            profile: riot.map(|riot| riot.form),
            alias_key: presented.alias_key(),
            device_id_key: riot.map(|riot| riot.device_id),
            fwid: riot.map(|riot| hex::encode(riot.fwid)),
            thumbprints: Thumbprints::of(der),
        })
    }
}
