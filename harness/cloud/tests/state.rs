//! What outlives a restart: changes, written as lines and read back by another cloud.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test says where"
)]

mod support;

use std::time::Duration;

use az3166_cloud::state::{Change, StateError};
use az3166_cloud::{
    Attestation, CloudConfig, Enrolment, EnrolmentGroup, GroupAttestation, ReprovisionPolicy,
    ServerChain, SymmetricKey, SymmetricKeys,
};
use rstest::rstest;
use support::{DPS, Device, ID, World};

fn keys(byte: u8) -> SymmetricKeys {
    SymmetricKeys {
        primary: SymmetricKey::new(vec![byte; 32]).unwrap(),
        secondary: SymmetricKey::new(vec![byte + 1; 32]).unwrap(),
    }
}

/// A world with a record of every kind.
fn furnished() -> World {
    let mut world = World::new();
    let device = Device::new(ID);
    let mut enrolment = device.enrolment(ID).with_device_id("AZ3166");
    enrolment.policy.reprovision_policy = ReprovisionPolicy::Never;
    enrolment.policy.initial_twin = Some(serde_json::json!({"tags": {"a": 1}}));
    world.cloud.enrol(enrolment).unwrap();
    let with_key = Enrolment::new("with-key", Attestation::SymmetricKey(keys(1)));
    world.cloud.enrol(with_key.disabled()).unwrap();
    let group = GroupAttestation::SymmetricKey(keys(3));
    world
        .cloud
        .enrol_group(EnrolmentGroup::new("Group-1", group))
        .unwrap();
    let mut client = world.connect(DPS, 443, Some(&device));
    world.register(&mut client, ID);
    world.wait(Duration::from_secs(4));
    world
}

fn lines(changes: impl IntoIterator<Item = Change>) -> Vec<String> {
    let mut lines: Vec<String> = changes
        .into_iter()
        .map(|change| change.expose_line().to_string())
        .collect();
    lines.sort();
    lines
}

#[test]
fn another_cloud_goes_on_from_the_lines() {
    let mut first = furnished();
    let journal = lines(first.cloud.take_changes());
    assert_eq!(journal, lines(first.cloud.snapshot()));
    assert!(first.cloud.take_changes().is_empty());

    let mut second = World::new();
    for line in &journal {
        second.cloud.apply(Change::from_line(line).unwrap());
    }
    assert_eq!(lines(second.cloud.snapshot()), journal);
    assert!(second.cloud.take_changes().is_empty());
    let of = |world: &World| {
        let provisioning = world.cloud.provisioning();
        (
            provisioning.enrolments().cloned().collect::<Vec<_>>(),
            provisioning.groups().cloned().collect::<Vec<_>>(),
            provisioning.registrations().cloned().collect::<Vec<_>>(),
        )
    };
    assert_eq!(of(&first), of(&second));
}

#[test]
fn a_deleted_record_stays_deleted() {
    let mut first = furnished();
    let mut journal = lines(first.cloud.take_changes());
    first.cloud.remove_enrolment(ID).unwrap();
    first.cloud.remove_group("group-1").unwrap();
    let deletions = lines(first.cloud.take_changes());
    insta::assert_snapshot!(deletions.join("\n"), @r#"
    {"version":1,"delete":{"enrolment":"az-c89346854138v1v6v1"}}
    {"version":1,"delete":{"group":"group-1"}}
    "#);
    journal.extend(deletions);
    let mut second = World::new();
    for line in &journal {
        second.cloud.apply(Change::from_line(line).unwrap());
    }
    assert_eq!(
        lines(second.cloud.snapshot()),
        lines(first.cloud.snapshot())
    );
}

#[test]
fn an_operation_that_is_under_way_is_not_kept() {
    let config = CloudConfig::virtual_time([3; 32], ServerChain::EcdsaP256);
    let mut world = World::with(config);
    let device = Device::new(ID);
    world.cloud.enrol(device.enrolment(ID)).unwrap();
    let mut client = world.connect(DPS, 443, Some(&device));
    world.cloud.take_changes();
    world.register(&mut client, ID);
    assert!(world.cloud.take_changes().is_empty());
    world.wait(Duration::from_secs(4));
    let assigned = lines(world.cloud.take_changes());
    // The registration and the device at its hub.
    assert_eq!(assigned.len(), 2);
    world.register(&mut client, ID);
    assert!(world.cloud.take_changes().is_empty());
    let kept = lines(world.cloud.snapshot());
    assert!(kept.contains(&assigned[0]), "{kept:?}");
}

#[rstest]
#[case::nothing("", "the line is not a change: it ends too early (column 0)")]
#[case::half(
    r#"{"version":1,"put":{"enrol"#,
    "the line is not a change: it ends too early (column 26)"
)]
#[case::later(
    r#"{"version":2,"move":{}}"#,
    "the line has version 2; this build reads up to 1"
)]
#[case::no_change(
    r#"{"version":1}"#,
    "the line is not a change: a member is missing or has another type (column 13)"
)]
#[case::bad_key(
    r#"{"version":1,"put":{"enrolment":{"registrationId":"a","attestation":{"type":"symmetricKey","symmetricKey":{"primaryKey":"c2VjcmV0","secondaryKey":"c2VjcmV0"}}}}}"#,
    "the record a is not usable: a symmetric key is not usable: the key has 6 bytes; 16 to 64 are allowed"
)]
fn lines_that_are_no_change(#[case] line: &str, #[case] expected: &str) {
    let error: StateError = Change::from_line(line).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

#[test]
fn keys_are_in_the_lines_and_in_no_debug_output() {
    let mut world = furnished();
    let key = keys(1).primary.expose_base64().to_string();
    let changes = world.cloud.take_changes();
    assert!(!format!("{changes:?}").contains(&key));
    assert!(lines(changes).concat().contains(&key));
}
