//! Every case of `identity.json`: what the DevKit SDK's own tool makes (`pem_devkit`) and what an
//! independent reference makes (`pem_strict`), byte by byte.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use base64::prelude::{BASE64_STANDARD, Engine};
use dice::{Identity, Profile, Uds};
use serde_json::Value;

fn cases() -> Vec<Value> {
    let file: Value = serde_json::from_str(include_str!("identity.json")).unwrap();
    file["cases"].as_array().unwrap().clone()
}

fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key].as_str().unwrap()
}

/// The value of a symbol in the GNU ld map: the last line with `NAME = .` wins.
fn symbol(case: &Value, name: &str) -> u64 {
    let definition = format!(" {name} = .");
    let line = text(case, "map")
        .lines()
        .rfind(|line| line.contains(&definition))
        .unwrap();
    let address = line
        .split_whitespace()
        .next()
        .unwrap()
        .trim_start_matches("0x");
    u64::from_str_radix(address, 16).unwrap()
}

fn region(case: &Value, name: &str) -> Vec<u8> {
    let image = hex::decode(text(case, "image_hex")).unwrap();
    let base = case["image_base"].as_u64().unwrap();
    let offset = |edge: &str| (symbol(case, &format!("__{edge}_{name}")) - base) as usize;
    image[offset("start")..offset("stop")].to_vec()
}

fn identity(case: &Value) -> Identity {
    let uds = Uds::from_hex(text(case, "uds").as_bytes()).ok().unwrap();
    Identity::derive(&uds, &region(case, "riot_core"), &region(case, "riot_fw"))
        .ok()
        .unwrap()
}

fn der(pem: &str) -> Vec<u8> {
    let body: String = pem
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .collect();
    BASE64_STANDARD.decode(body).unwrap()
}

#[test]
fn keys_and_measurement_are_those_of_the_vectors() {
    assert_eq!(cases().len(), 10);
    for case in cases() {
        let identity = identity(&case);
        assert_eq!(
            hex::encode(identity.alias_key().to_bytes()),
            text(&case, "alias_private")
        );
        assert_eq!(
            hex::encode(identity.device_id_public().to_sec1_point(false)),
            text(&case, "device_id_public")
        );
        assert_eq!(hex::encode(identity.fwid()), text(&case, "fwid"));
    }
}

#[test]
fn certificates_are_those_of_the_vectors() {
    for (profile, key) in [
        (Profile::Devkit, "pem_devkit"),
        (Profile::Strict, "pem_strict"),
    ] {
        for case in cases() {
            let id = text(&case, "registration_id");
            let certificate = identity(&case).alias_certificate(id, profile).unwrap();
            assert_eq!(
                hex::encode(certificate.as_bytes()),
                hex::encode(der(text(&case, key))),
                "{key} of {id}"
            );
        }
    }
}

#[test]
fn the_longest_registration_id_fits_and_longer_or_none_is_refused() {
    let identity = identity(&cases()[0]);
    for profile in [Profile::Strict, Profile::Devkit] {
        for (length, fits) in [(0, false), (1, true), (128, true), (129, false)] {
            let certificate = identity.alias_certificate(&"a".repeat(length), profile);
            assert_eq!(certificate.is_ok(), fits, "{length} characters");
        }
    }
}
