//! The Alias certificate (RFC 5280), written by hand: its shape is fixed but for four values.

mod der;
mod sign;

use p256::ecdsa::VerifyingKey;

use crate::Identity;
use der::Writer;

/// The longest registration id.
pub const REGISTRATION_ID_MAX: usize = 128;

/// Room for a certificate: about 570 bytes and the registration id.
const CERTIFICATE_MAX: usize = 768;

/// A certificate as DER.
pub type Certificate = der::Der<CERTIFICATE_MAX>;

/// Why there is no certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateError {
    /// The registration id is empty or longer than [`REGISTRATION_ID_MAX`].
    RegistrationIdLength(usize),
}

/// The two forms of the certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Nonce by RFC 6979 and a well-formed otherName.
    Strict,
    /// What the DevKit SDK makes, to the bit: constant nonce, which gives the DeviceID key away,
    /// and an otherName without its `[0]` wrapper.
    Devkit,
}

const OID_ECDSA_WITH_SHA256: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02];
const OID_EC_PUBLIC_KEY: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01];
const OID_PRIME256V1: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07];
const OID_COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const OID_COUNTRY: &[u8] = &[0x55, 0x04, 0x06];
const OID_ORGANIZATION: &[u8] = &[0x55, 0x04, 0x0A];
const OID_SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1D, 0x11];
const OID_EXT_KEY_USAGE: &[u8] = &[0x55, 0x1D, 0x25];
const OID_CLIENT_AUTH: &[u8] = &[0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02];
/// 1.3.6.1.4.1.311.89.3.1, Microsoft's RIoT extension.
const OID_RIOT: &[u8] = &[0x2B, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x59, 0x03, 0x01];
const OID_SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];

const SERIAL: &[u8] = &[0x0A, 0x0B, 0x0C, 0x0D, 0x0E];
const NOT_BEFORE: &[u8] = b"170101000000Z";
const NOT_AFTER: &[u8] = b"370101000000Z";
const ISSUER: &[u8] = b"devkitdice";

/// The Alias certificate of this identity.
pub(crate) fn alias(
    identity: &Identity,
    registration_id: &str,
    profile: Profile,
) -> Result<Certificate, CertificateError> {
    if !(1..=REGISTRATION_ID_MAX).contains(&registration_id.len()) {
        return Err(CertificateError::RegistrationIdLength(
            registration_id.len(),
        ));
    }
    let mut tbs = Writer::<CERTIFICATE_MAX>::new();
    to_be_signed(&mut tbs, identity, registration_id, profile);
    let tbs = tbs.finish();
    let (r, s) = sign::sign(identity.device_id_key(), tbs.as_bytes(), profile);

    let mut certificate = Writer::new();
    certificate.sequence(|w| {
        w.bit_string(|w| {
            w.sequence(|w| {
                w.unsigned(&s);
                w.unsigned(&r);
            });
        });
        algorithm(w);
        w.raw(tbs.as_bytes());
    });
    Ok(certificate.finish())
}

/// TBSCertificate. The writer goes from the end to the start, so the fields stand in reverse.
fn to_be_signed<const N: usize>(
    w: &mut Writer<N>,
    identity: &Identity,
    registration_id: &str,
    profile: Profile,
) {
    w.sequence(|w| {
        w.constructed(3, |w| {
            w.sequence(|w| {
                critical_extension(w, OID_SUBJECT_ALT_NAME, |w| alt_name(w, identity, profile));
                critical_extension(w, OID_EXT_KEY_USAGE, |w| {
                    w.sequence(|w| w.oid(OID_CLIENT_AUTH));
                });
            });
        });
        public_key(w, identity.alias_key().verifying_key());
        name(w, registration_id.as_bytes());
        w.sequence(|w| {
            w.utc_time(NOT_AFTER);
            w.utc_time(NOT_BEFORE);
        });
        name(w, ISSUER);
        algorithm(w);
        w.unsigned(SERIAL);
        w.constructed(0, |w| w.unsigned(&[2]));
    });
}

fn algorithm<const N: usize>(w: &mut Writer<N>) {
    w.sequence(|w| w.oid(OID_ECDSA_WITH_SHA256));
}

/// CN, C, O; in this order, which is not the usual one.
fn name<const N: usize>(w: &mut Writer<N>, common_name: &[u8]) {
    let attributes: [(&[u8], &[u8]); 3] = [
        (OID_ORGANIZATION, b"DEVKIT_TEST"),
        (OID_COUNTRY, b"US"),
        (OID_COMMON_NAME, common_name),
    ];
    w.sequence(|w| {
        for (oid, value) in attributes {
            w.set(|w| {
                w.sequence(|w| {
                    w.utf8_string(value);
                    w.oid(oid);
                });
            });
        }
    });
}

/// SubjectPublicKeyInfo (RFC 5480).
fn public_key<const N: usize>(w: &mut Writer<N>, key: &VerifyingKey) {
    w.sequence(|w| {
        w.bit_string(|w| w.raw(key.to_sec1_point(false).as_bytes()));
        w.sequence(|w| {
            w.oid(OID_PRIME256V1);
            w.oid(OID_EC_PUBLIC_KEY);
        });
    });
}

fn critical_extension<const N: usize>(
    w: &mut Writer<N>,
    oid: &[u8],
    value: impl FnOnce(&mut Writer<N>),
) {
    w.sequence(|w| {
        w.octet_string(value);
        w.boolean_true();
        w.oid(oid);
    });
}

/// GeneralNames with the otherName that holds the device's public key and the FWID.
fn alt_name<const N: usize>(w: &mut Writer<N>, identity: &Identity, profile: Profile) {
    let composite = |w: &mut Writer<N>| {
        w.sequence(|w| {
            w.sequence(|w| {
                w.octet_string(|w| w.raw(identity.fwid()));
                w.oid(OID_SHA256);
            });
            public_key(w, identity.device_id_public());
            w.unsigned(&[1]);
        });
    };
    w.sequence(|w| {
        w.constructed(0, |w| {
            match profile {
                Profile::Strict => w.constructed(0, composite),
                Profile::Devkit => composite(w),
            }
            w.oid(OID_RIOT);
        });
    });
}
