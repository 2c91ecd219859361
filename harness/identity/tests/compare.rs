//! Each way in which a presented certificate can be wrong has its own name.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test helper may panic"
)]

mod support;

use az3166_identity::{
    Certificate, Field, FindingId, Identity, MeasuredRegions, Profile, Region, RegistrationId,
    compare, findings,
};
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use p256::elliptic_curve::PrimeField;
use rstest::rstest;
use support::cases;

fn identity(uds: &str, core: &[u8], fw: &[u8]) -> Identity {
    let regions = MeasuredRegions::new(
        Region::new(0x0800_C400, core.to_vec()),
        Region::new(0x0800_D000, fw.to_vec()),
    )
    .unwrap();
    Identity::derive(&uds.parse().unwrap(), &regions).unwrap()
}

fn certificate(uds: char, core: &[u8], fw: &[u8], id: &str, profile: Profile) -> Certificate {
    let id: RegistrationId = id.parse().unwrap();
    identity(&uds.to_string().repeat(64), core, fw).alias_certificate(&id, profile)
}

const CORE: &[u8] = b"the measuring code";
const FW: &[u8] = b"all other code";

#[rstest]
#[case::same(certificate('1', CORE, FW, "a", Profile::Strict), &[])]
#[case::id(certificate('1', CORE, FW, "b", Profile::Strict), &[Field::Subject])]
#[case::profile(certificate('1', CORE, FW, "a", Profile::Devkit), &[Field::Profile])]
#[case::firmware(
    certificate('1', CORE, b"patched", "a", Profile::Strict),
    &[Field::AliasKey, Field::Fwid]
)]
#[case::core(
    certificate('1', b"other core", FW, "a", Profile::Strict),
    &[Field::AliasKey, Field::DeviceIdKey]
)]
#[case::uds(
    certificate('2', CORE, FW, "a", Profile::Strict),
    &[Field::AliasKey, Field::DeviceIdKey]
)]
fn names_what_differs(#[case] presented: Certificate, #[case] expected: &[Field]) {
    let oracle = certificate('1', CORE, FW, "a", Profile::Strict);
    let differences = compare(&oracle, presented.der()).unwrap();
    let fields: Vec<_> = differences
        .iter()
        .map(|difference| difference.field)
        .collect();
    assert_eq!(fields, expected);
}

/// Replaces one run of bytes in the certificate by another of the same length.
fn patched(from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut der = certificate('1', CORE, FW, "a", Profile::Strict)
        .der()
        .to_vec();
    let at = der.windows(from.len()).rposition(|part| part == from);
    let at = at.expect("the pattern stands in the certificate");
    der[at..at + to.len()].copy_from_slice(to);
    der
}

#[rstest]
#[case::serial(&patched(&[0x0A, 0x0B, 0x0C, 0x0D, 0x0E], &[0x0A, 0x0B, 0x0C, 0x0D, 0x0F]), Field::SerialNumber)]
#[case::issuer(&patched(b"devkitdice", b"devkitdicf"), Field::Issuer)]
#[case::validity(&patched(b"370101", b"380101"), Field::Validity)]
#[case::version(&patched(&[0xA0, 3, 2, 1, 2], &[0xA0, 3, 2, 1, 1]), Field::Version)]
#[case::usage(&patched(&[5, 5, 7, 3, 2], &[5, 5, 7, 3, 1]), Field::Extensions)]
#[case::criticality(&patched(&[0x1D, 0x25, 1, 1, 0xFF], &[0x1D, 0x25, 1, 1, 0x00]), Field::Extensions)]
#[case::hash(&patched(&[0x65, 3, 4, 2, 1], &[0x65, 3, 4, 2, 2]), Field::Fwid)]
fn changed_after_signing(#[case] presented: &[u8], #[case] expected: Field) {
    let oracle = certificate('1', CORE, FW, "a", Profile::Strict);
    let differences = compare(&oracle, presented).unwrap();
    let fields: Vec<_> = differences
        .iter()
        .map(|difference| difference.field)
        .collect();
    assert!(fields.contains(&expected), "{fields:?}");
    assert_eq!(fields.last(), Some(&Field::Signature));
    let ids: Vec<_> = findings(presented)
        .unwrap()
        .iter()
        .map(|it| it.id)
        .collect();
    let unreadable = expected == Field::Fwid;
    assert_eq!(
        ids,
        [if unreadable {
            FindingId::NoRiotIdentity
        } else {
            FindingId::SignatureInvalid
        }]
    );
}

#[test]
fn every_flipped_bit_is_seen() {
    let oracle = certificate('1', CORE, FW, "a", Profile::Strict);
    for bit in 0..oracle.der().len() * 8 {
        let mut presented = oracle.der().to_vec();
        presented[bit / 8] ^= 1 << (bit % 8);
        if let Ok(differences) = compare(&oracle, &presented) {
            assert!(!differences.is_empty(), "bit {bit}");
        }
    }
}

#[test]
fn a_valid_signature_with_another_nonce_is_named() {
    let case = &cases()[0];
    let identity = case.identity();
    let oracle = identity.alias_certificate(&case.id(), Profile::Strict);
    let tbs = signed_part(oracle.der());
    let algorithm = &oracle.der()[4 + tbs.len()..][..12];
    let key = SigningKey::from_slice(identity.device_id().private().expose()).unwrap();
    let signature: Signature = key.sign(tbs);
    let (r, s) = signature.split_scalars();
    let other = Signature::from_scalars(r.to_repr(), (-s).to_repr()).unwrap();
    let other = der(0x03, &[&[0], other.to_der().as_bytes()]);
    let presented = der(0x30, &[tbs, algorithm, &other]);
    let differences = compare(&oracle, &presented).unwrap();
    assert_eq!(differences.len(), 1);
    assert_eq!(differences[0].field, Field::Signature);
    assert!(differences[0].presented.contains("valid but not"));
}

/// The first element inside the outer sequence, both with two length bytes.
fn signed_part(certificate: &[u8]) -> &[u8] {
    let length = usize::from(certificate[6]) << 8 | usize::from(certificate[7]);
    &certificate[4..][..4 + length]
}

fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = content.len() as u16;
    let header = match length {
        0..0x80 => vec![tag, length as u8],
        _ => [&[tag, 0x82], length.to_be_bytes().as_slice()].concat(),
    };
    [header, content].concat()
}

#[test]
fn messages() {
    let oracle = certificate('1', CORE, FW, "a", Profile::Strict);
    let presented = certificate('1', CORE, b"patched", "b", Profile::Devkit);
    let text: Vec<String> = compare(&oracle, presented.der())
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect();
    insta::assert_snapshot!(text.join("\n"));
}

#[rstest]
#[case::empty(vec![])]
#[case::noise(b"-----BEGIN CERTIFICATE-----".to_vec())]
#[case::cut(certificate('1', CORE, FW, "a", Profile::Strict).der()[..100].to_vec())]
#[case::trailing([certificate('1', CORE, FW, "a", Profile::Strict).der(), &[0]].concat())]
fn refuses_what_is_no_certificate(#[case] presented: Vec<u8>) {
    let oracle = certificate('1', CORE, FW, "a", Profile::Strict);
    assert!(compare(&oracle, &presented).is_err());
    assert!(findings(&presented).is_err());
}
