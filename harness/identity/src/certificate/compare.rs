use core::fmt;

use x509_parser::extensions::X509Extension;
use x509_parser::x509::X509Name;

use super::parse::{ParseError, Presented};
use super::{Certificate, Profile};
use crate::PublicKey;

/// A part of the alias certificate that can differ by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// The X.509 version.
    Version,
    /// The serial number.
    SerialNumber,
    /// The signature algorithm, inside and outside the signed part.
    SignatureAlgorithm,
    /// The issuer's name.
    Issuer,
    /// The time from and to which it is valid.
    Validity,
    /// The subject's name, whose common name is the registration id.
    Subject,
    /// The subject's public key.
    AliasKey,
    /// Which extensions there are, in which order, which of them critical, and what those other
    /// than the subjectAltName hold.
    Extensions,
    /// The form of the subjectAltName's otherName: strict or devkit.
    Profile,
    /// The DeviceID public key in the otherName.
    DeviceIdKey,
    /// The firmware's identity in the otherName.
    Fwid,
    /// The signature: not by the DeviceID key that the certificate names, or not the reproducible one.
    Signature,
    /// Nothing that has a name differs, only bytes do.
    Encoding,
}

impl Field {
    /// Its stable name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Version => "version",
            Self::SerialNumber => "serial number",
            Self::SignatureAlgorithm => "signature algorithm",
            Self::Issuer => "issuer",
            Self::Validity => "validity",
            Self::Subject => "subject",
            Self::AliasKey => "alias key",
            Self::Extensions => "extensions",
            Self::Profile => "profile",
            Self::DeviceIdKey => "device id key",
            Self::Fwid => "fwid",
            Self::Signature => "signature",
            Self::Encoding => "encoding",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One part in which a presented certificate is not the expected one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which part.
    pub field: Field,
    /// What the oracle says.
    pub expected: String,
    /// What the device presented, with control characters escaped.
    pub presented: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            field,
            expected,
            presented,
        } = self;
        write!(f, "{field}: expected {expected}, presented {presented}")
    }
}

/// Names every part in which the `presented` DER certificate differs from `expected`.
///
/// The list is empty exactly if both are the same bytes.
pub fn compare(expected: &Certificate, presented: &[u8]) -> Result<Vec<Difference>, ParseError> {
    let theirs = Presented::parse(presented)?;
    if expected.der() == presented {
        return Ok(Vec::new());
    }
    let ours = Presented::parse(expected.der())?;
    let mut differences: Vec<Difference> = fields(&ours)
        .into_iter()
        .zip(fields(&theirs))
        .filter(|(ours, theirs)| ours.1 != theirs.1)
        .map(|((field, expected), (_, presented))| Difference {
            field,
            expected,
            presented,
        })
        .collect();
    let signature = signature(&ours, &theirs, differences.is_empty());
    differences.extend(signature);
    if differences.is_empty() {
        differences.push(encoding(expected.der(), presented));
    }
    Ok(differences)
}

fn fields(certificate: &Presented<'_>) -> [(Field, String); 11] {
    let x509 = &certificate.x509;
    let riot = certificate.riot.as_ref();
    let absent = || "none that can be read".to_owned();
    let key = |key: Option<PublicKey>| key.map_or_else(absent, |key| key.to_string());
    let form = |form: Profile| match form {
        Profile::Strict => "strict (otherName value with [0] EXPLICIT)".to_owned(),
        Profile::Devkit => "devkit (otherName value without [0] EXPLICIT)".to_owned(),
    };
    let algorithms = [&x509.signature, &x509.signature_algorithm]
        .map(|algorithm| algorithm.algorithm.to_id_string());
    [
        (Field::Version, format!("{}", x509.version().0 + 1)),
        (Field::SerialNumber, x509.raw_serial_as_string()),
        (Field::SignatureAlgorithm, algorithms.join(" and ")),
        (Field::Issuer, name(x509.issuer())),
        (
            Field::Validity,
            format!(
                "{} to {}",
                x509.validity.not_before, x509.validity.not_after
            ),
        ),
        (Field::Subject, name(x509.subject())),
        (Field::AliasKey, key(certificate.alias_key())),
        (Field::Extensions, extensions(certificate)),
        (
            Field::Profile,
            riot.map_or_else(absent, |riot| form(riot.form)),
        ),
        (Field::DeviceIdKey, key(riot.map(|riot| riot.device_id))),
        (
            Field::Fwid,
            riot.map_or_else(absent, |riot| hex::encode(riot.fwid)),
        ),
    ]
}

/// A name as `CN=..., C=..., O=...`, with control characters escaped.
pub(super) fn name(name: &X509Name<'_>) -> String {
    let attribute = |kind: String, value: &[u8]| {
        let label = match kind.as_str() {
            "2.5.4.3" => "CN",
            "2.5.4.6" => "C",
            "2.5.4.10" => "O",
            other => other,
        };
        let value = String::from_utf8_lossy(value);
        format!("{label}={}", value.escape_debug())
    };
    name.iter_attributes()
        .map(|part| attribute(part.attr_type().to_id_string(), part.as_slice()))
        .collect::<Vec<_>>()
        .join(", ")
}

/// The subjectAltName's content is left to the fields that it holds.
fn extensions(certificate: &Presented<'_>) -> String {
    let one = |extension: &X509Extension<'_>| {
        let critical = if extension.critical { " critical" } else { "" };
        let (label, content) = match extension.oid.to_id_string().as_str() {
            "2.5.29.17" => ("subjectAltName".to_owned(), String::new()),
            "2.5.29.37" => (
                "extKeyUsage".to_owned(),
                format!(" {}", hex::encode(extension.value)),
            ),
            other => (
                other.to_owned(),
                format!(" {}", hex::encode(extension.value)),
            ),
        };
        format!("{label}{critical}{content}")
    };
    let all: Vec<String> = certificate.x509.extensions().iter().map(one).collect();
    match all.is_empty() {
        true => "none".into(),
        false => all.join(", "),
    }
}

/// A signature over other contents must differ, so there only its validity counts.
fn signature(
    ours: &Presented<'_>,
    theirs: &Presented<'_>,
    same_fields: bool,
) -> Option<Difference> {
    let signer = theirs.riot.as_ref().map(|riot| riot.device_id);
    let valid = signer.is_some_and(|key| theirs.is_signed_by(&key));
    let show = |certificate: &Presented<'_>| hex::encode(&certificate.x509.signature_value.data);
    let (expected, presented) = if !valid {
        (
            "one by the DeviceID key that the certificate names".to_owned(),
            format!("{}, which is not", show(theirs)),
        )
    } else if same_fields && ours.digest == theirs.digest && show(ours) != show(theirs) {
        (
            show(ours),
            format!("{}, valid but not the reproducible one", show(theirs)),
        )
    } else {
        return None;
    };
    Some(Difference {
        field: Field::Signature,
        expected,
        presented,
    })
}

fn encoding(expected: &[u8], presented: &[u8]) -> Difference {
    let at = expected
        .iter()
        .zip(presented)
        .take_while(|(a, b)| a == b)
        .count();
    let show = |bytes: &[u8]| {
        let end = bytes.len().min(at + 8);
        format!(
            "{} bytes with {} at offset {at}",
            bytes.len(),
            hex::encode(&bytes[at.min(end)..end])
        )
    };
    Difference {
        field: Field::Encoding,
        expected: show(expected),
        presented: show(presented),
    }
}
