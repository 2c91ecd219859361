//! Writes certificates: the alias certificate and the DeviceID certificate.

use p256::ecdsa::SigningKey;
use p256::ecdsa::signature::Signer;
use sha2::{Digest, Sha256};

use super::names::{
    BASIC_CONSTRAINTS, CLIENT_AUTH, COMMON_NAME, COUNTRY, ECDSA_WITH_SHA256, EXT_KEY_USAGE, ISSUER,
    ORGANIZATION, RIOT, SHA256, SUBJECT_ALT_NAME, subject_public_key_info,
};
use super::nonce::sign_with_constant_nonce;
use super::{Certificate, Profile};
use crate::der::{self, OCTET_STRING, OID, SEQUENCE, SET, UTC_TIME, UTF8_STRING, context};
use crate::{Identity, KeyPair, PublicKey, RegistrationId};

/// DER's BOOLEAN TRUE.
const TRUE: &[u8] = &[0x01, 0x01, 0xFF];

struct Contents<'a> {
    serial: [u8; 5],
    subject: &'a str,
    key: &'a PublicKey,
    extensions: Vec<Vec<u8>>,
}

/// The alias certificate, signed by the DeviceID key.
pub fn alias(identity: &Identity, id: &RegistrationId, profile: Profile) -> Certificate {
    let usage = der::element(SEQUENCE, &[&der::element(OID, &[CLIENT_AUTH])]);
    let names = alternative_names(identity, profile);
    let contents = Contents {
        serial: [0x0A, 0x0B, 0x0C, 0x0D, 0x0E],
        subject: id.as_str(),
        key: identity.alias().public(),
        extensions: vec![
            extension(EXT_KEY_USAGE, TRUE, &usage),
            extension(SUBJECT_ALT_NAME, TRUE, &names),
        ],
    };
    sign(contents, identity.device_id(), profile)
}

/// The DeviceID key's certificate, signed by itself.
pub fn device_id(identity: &Identity, profile: Profile) -> Certificate {
    let constraints = der::element(SEQUENCE, &[TRUE, &der::unsigned(&[2])]);
    let contents = Contents {
        serial: [0x0E, 0x0D, 0x0C, 0x0B, 0x0A],
        subject: ISSUER,
        key: identity.device_id().public(),
        extensions: vec![extension(BASIC_CONSTRAINTS, &[], &constraints)],
    };
    sign(contents, identity.device_id(), profile)
}

fn sign(contents: Contents<'_>, key: &KeyPair, profile: Profile) -> Certificate {
    let algorithm = der::element(SEQUENCE, &[&der::element(OID, &[ECDSA_WITH_SHA256])]);
    let validity = [b"170101000000Z", b"370101000000Z"].map(|time| der::element(UTC_TIME, &[time]));
    let tbs = der::element(
        SEQUENCE,
        &[
            &der::element(context(0), &[&der::unsigned(&[2])]),
            &der::unsigned(&contents.serial),
            &algorithm,
            &name(ISSUER),
            &der::element(SEQUENCE, &[&validity.concat()]),
            &name(contents.subject),
            &subject_public_key_info(contents.key),
            &der::element(
                context(3),
                &[&der::element(SEQUENCE, &[&contents.extensions.concat()])],
            ),
        ],
    );
    let (r, s) = match profile {
        Profile::Strict => {
            let signature: p256::ecdsa::Signature = SigningKey::from(key.secret_key()).sign(&tbs);
            let (r, s) = signature.split_bytes();
            (r.into(), s.into())
        }
        Profile::Devkit => sign_with_constant_nonce(key, Sha256::digest(&tbs).into()),
    };
    let signature = der::element(SEQUENCE, &[&der::unsigned(&r), &der::unsigned(&s)]);
    let parts: [&[u8]; 3] = [&tbs, &algorithm, &der::bit_string(&signature)];
    Certificate::from_der(der::element(SEQUENCE, &parts))
}

fn name(common_name: &str) -> Vec<u8> {
    let attributes = [
        (COMMON_NAME, common_name),
        (COUNTRY, "US"),
        (ORGANIZATION, "DEVKIT_TEST"),
    ];
    let rdns = attributes.map(|(kind, value)| {
        let value = der::element(UTF8_STRING, &[value.as_bytes()]);
        let attribute = der::element(SEQUENCE, &[&der::element(OID, &[kind]), &value]);
        der::element(SET, &[&attribute])
    });
    der::element(SEQUENCE, &[&rdns.concat()])
}

fn extension(id: &[u8], critical: &[u8], value: &[u8]) -> Vec<u8> {
    let parts: [&[u8]; 3] = [
        &der::element(OID, &[id]),
        critical,
        &der::element(OCTET_STRING, &[value]),
    ];
    der::element(SEQUENCE, &parts)
}

/// GeneralNames with one otherName that tells who made the alias key and for which firmware.
fn alternative_names(identity: &Identity, profile: Profile) -> Vec<u8> {
    let fwid = der::element(
        SEQUENCE,
        &[
            &der::element(OID, &[SHA256]),
            &der::element(OCTET_STRING, &[identity.fwid()]),
        ],
    );
    let device_id = subject_public_key_info(identity.device_id().public());
    let value = der::element(SEQUENCE, &[&der::unsigned(&[1]), &device_id, &fwid]);
    let value = match profile {
        Profile::Strict => der::element(context(0), &[&value]),
        Profile::Devkit => value,
    };
    let other_name = der::element(context(0), &[&der::element(OID, &[RIOT]), &value]);
    der::element(SEQUENCE, &[&other_name])
}
