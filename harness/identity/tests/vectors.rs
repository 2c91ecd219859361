//! Every value of every vector, byte for byte.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test helper may panic"
)]

mod support;

use az3166_identity::{
    FindingId, Profile, RegistrationId, Summary, findings, recover_device_id_key,
};
use sha2::{Digest, Sha256};
use support::cases;

#[test]
fn derivation_equals_the_sdk_tool() {
    for case in cases() {
        let (regions, identity) = (case.regions(), case.identity());
        let core = regions.riot_core().bytes();
        assert_eq!(hex::encode(Sha256::digest(core)), case.riot_core_sha256);
        assert_eq!(
            (core.len(), regions.riot_fw().bytes().len()),
            (case.riot_core_len, case.riot_fw_len)
        );
        assert_eq!(hex::encode(identity.cdi().expose()), case.cdi);
        assert_eq!(
            identity.device_id().public().to_string(),
            case.device_id_public
        );
        let alias = identity.alias();
        assert_eq!(hex::encode(alias.private().expose()), case.alias_private);
        assert_eq!(alias.public().to_string(), case.alias_public);
        assert_eq!(hex::encode(identity.fwid()), case.fwid);
    }
}

#[test]
fn certificates_equal_the_sdk_tool() {
    for case in cases() {
        for (profile, pem) in [
            (Profile::Devkit, &case.pem_devkit),
            (Profile::Strict, &case.pem_strict),
        ] {
            let certificate = case.identity().alias_certificate(&case.id(), profile);
            assert_eq!(&certificate.to_pem(), pem, "{profile}");
        }
    }
}

#[test]
fn default_registration_ids() {
    let mut checked = 0;
    for case in cases() {
        let (Some(mac), Some(version)) = (&case.mac, &case.firmware_version) else {
            continue;
        };
        let id = RegistrationId::of_device(&mac.parse().unwrap(), &version.parse().unwrap());
        assert_eq!(id.as_str(), case.registration_id);
        checked += 1;
    }
    assert!(checked > 0);
}

#[test]
fn the_constant_nonce_gives_the_device_id_key_away() {
    for case in cases() {
        let identity = case.identity();
        let devkit = identity.alias_certificate(&case.id(), Profile::Devkit);
        let recovered = recover_device_id_key(devkit.der()).unwrap();
        let private = identity.device_id().private();
        assert_eq!(recovered.private().expose(), private.expose());
        let found: Vec<_> = findings(devkit.der()).unwrap();
        let ids: Vec<_> = found.iter().map(|finding| finding.id).collect();
        assert_eq!(
            ids,
            [FindingId::DeviceIdKeyRecoverable, FindingId::MalformedSan]
        );
        let key = hex::encode(private.expose());
        assert!(found.iter().all(|finding| !finding.text.contains(&key)));

        let strict = identity.alias_certificate(&case.id(), Profile::Strict);
        assert!(recover_device_id_key(strict.der()).is_none());
        assert!(findings(strict.der()).unwrap().is_empty());
    }
}

#[test]
fn summaries() {
    let case = &cases()[0];
    for profile in [Profile::Strict, Profile::Devkit] {
        let certificate = case.identity().alias_certificate(&case.id(), profile);
        insta::assert_debug_snapshot!(
            format!("summary_{profile}"),
            Summary::of(certificate.der()).unwrap()
        );
    }
    let device_id = case.identity().device_id_certificate(Profile::Strict);
    let summary = Summary::of(device_id.der()).unwrap();
    assert_eq!(summary.common_name.as_deref(), Some("devkitdice"));
    assert_eq!(summary.profile, None);
}

#[test]
fn ids_of_any_allowed_length_make_certificates_that_parse() {
    let case = &cases()[0];
    for length in 1..=RegistrationId::MAX {
        let id: RegistrationId = "a".repeat(length).parse().unwrap();
        let certificate = case.identity().alias_certificate(&id, Profile::Strict);
        let found = findings(certificate.der()).unwrap();
        let ids: Vec<_> = found.iter().map(|finding| finding.id).collect();
        let expected: &[_] = match length {
            65.. => &[FindingId::CommonNameTooLong],
            _ => &[],
        };
        assert_eq!(ids, expected);
    }
}
