//! Whole sessions: the device against a gateway with everything behind it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use devkit_net::tls::TrustAnchors;
use devkit_net::{Duration, Identity, Instant, Progress, Session, Settings, Transport};
use rstest::rstest;
use support::crypto;
use support::gateway::{Arrival, Attachment, Dns, Listener, Plan, Time, run};
use support::pki::{self, Key, Validity};
use support::world::{HOST, HUB, START, assigning, dps, dps_with, http, hub, plan, session};

const WAY_TO_THE_HUB: [&str; 6] = [
    "Registration status: CONNECTED",
    "Registration status: REGISTERING",
    "Registration status: ASSIGNING",
    "Registration Information received from service: hil-hub.azure-devices.net!",
    "IoT Hub: connected as AZ3166",
    "IoT Hub: telemetry sent",
];

fn online(progress: &Progress, _: Instant) -> bool {
    matches!(progress, Progress::Online(_))
}

#[test]
fn the_device_registers_and_reaches_its_hub() {
    let (progress, lines, seconds) = run(session(pki::P256_ROOT), plan(), START, online);
    assert_eq!(lines, WAY_TO_THE_HUB);
    assert!(matches!(progress, Progress::Online(_)));
    assert_eq!(seconds, 3, "one pause of 3 s");
}

#[test]
fn it_stays_at_the_hub() {
    let (progress, lines, _) = run(session(pki::P256_ROOT), plan(), START, |_, now| {
        now > START + Duration::from_secs(300)
    });
    assert_eq!(lines, WAY_TO_THE_HUB);
    assert!(matches!(progress, Progress::Online(_)));
}

#[rstest]
#[case::rsa_4096(&[pki::RSA_4096, pki::RSA_2048, pki::RSA_4096])]
#[case::p384(&[pki::P384, pki::P256_LEAF])]
fn other_chains_of_trust_work(#[case] keys: &[Key]) {
    let answers = vec![http("401 Unauthorized", "", r#"{"errorCode":401002}"#)];
    let plan = Plan {
        dps: dps_with(keys, HOST, Validity::Now, answers),
        ..plan()
    };
    let (_, lines, _) = run(session(keys[0]), plan, START, online);
    assert_eq!(
        lines[2],
        "ERROR: dps-unauthorized: HTTP 401, errorCode 401002"
    );
}

#[rstest]
#[case(5)]
#[case(20)]
fn lost_packets_are_sent_again(#[case] loss: u64) {
    let (_, lines, seconds) = run(
        session(pki::P256_ROOT),
        Plan { loss, ..plan() },
        START,
        online,
    );
    assert_eq!(lines, WAY_TO_THE_HUB);
    assert!(seconds < 50, "{seconds} s");
}

/// A poll takes its time, and a packet can come in anywhere in it: the next poll follows at once,
/// not when TCP's next timer is due.
#[test]
fn packets_that_come_in_during_a_poll_are_not_forgotten() {
    let plan = Plan {
        arrival: Arrival::DuringPolls,
        ..plan()
    };
    let mut reached = START;
    let (_, lines, _) = run(session(pki::P256_ROOT), plan, START, |progress, now| {
        reached = now;
        online(progress, now)
    });
    assert_eq!(lines, WAY_TO_THE_HUB);
    let pause = Duration::from_secs(3);
    assert!(
        reached - START < pause + Duration::from_millis(20),
        "{}",
        reached - START
    );
}

/// Runs into a failure: the one line, whether the vendor's line follows, the time limit.
fn check(plan: Plan, error: &str, seconds: u64) {
    let (progress, lines, took) = run(session(pki::P256_ROOT), plan, START, |_, _| false);
    let errors: Vec<_> = lines
        .iter()
        .filter(|line| line.starts_with("ERROR: "))
        .collect();
    assert_eq!(errors, [&format!("ERROR: {error}")], "{lines:?}");
    let Progress::Failed(failure) = progress else {
        panic!("{progress:?}")
    };
    assert_eq!(failure.to_string(), error);
    assert_eq!(
        lines.last().map(String::as_str) == Some("registration failed!"),
        !error.starts_with("hub-"),
        "{lines:?}"
    );
    assert!(took <= seconds, "took {took} s");
}

#[rstest]
#[case(
    Attachment::Nobody,
    "link-silent: nobody is at the other end of the network link"
)]
#[case(
    Attachment::Mute,
    "link-silent: the gateway at the other end of the network link is silent"
)]
fn an_empty_link(#[case] attachment: Attachment, #[case] error: &str) {
    check(
        Plan {
            attachment,
            ..plan()
        },
        error,
        10,
    );
}

#[rstest]
#[case(Dns::Silent, "dns-timeout: no DNS server answered for pool.ntp.org")]
#[case(
    Dns::UnknownName,
    "dns-failed: no address of pool.ntp.org: the name does not exist"
)]
fn names(#[case] dns: Dns, #[case] error: &str) {
    check(Plan { dns, ..plan() }, error, 12);
}

#[rstest]
#[case(
    Time::Silent,
    "sntp-timeout: the time server pool.ntp.org did not answer"
)]
#[case(
    Time::At(946_684_800),
    "sntp-invalid: pool.ntp.org: the time (year 2000) is not in 2025 to 2037"
)]
fn the_time(#[case] time: Time, #[case] error: &str) {
    check(Plan { time, ..plan() }, error, 12);
}

#[rstest]
#[case::refused(
    Listener::Nobody,
    "tcp-refused: global.azure-devices-provisioning.net:443 refused the TCP connection"
)]
#[case::stalled(
    Listener::Stalled,
    "tls-timeout: no TLS session with global.azure-devices-provisioning.net in time"
)]
#[case::unknown_authority(
    dps_with(&[pki::P256_OTHER, pki::P256_LEAF], HOST, Validity::Now, vec![]),
    "tls-unknown-issuer: the certificate of global.azure-devices-provisioning.net does not lead to a trust anchor"
)]
#[case::wrong_name(
    dps_with(&[pki::P256_ROOT, pki::P256_LEAF], HUB, Validity::Now, vec![]),
    "tls-wrong-name: the certificate of global.azure-devices-provisioning.net is for another name"
)]
#[case::expired(
    dps_with(&[pki::P256_ROOT, pki::P256_LEAF], HOST, Validity::Past, vec![]),
    "tls-expired: the certificate of global.azure-devices-provisioning.net expired 86400 s ago"
)]
#[case::not_yet_valid(
    dps_with(&[pki::P256_ROOT, pki::P256_LEAF], HOST, Validity::Future, vec![]),
    "tls-not-yet-valid: the certificate of global.azure-devices-provisioning.net is valid only in 86400 s"
)]
fn the_connection_to_dps(#[case] dps: Listener, #[case] error: &str) {
    check(Plan { dps, ..plan() }, error, 27);
}

#[rstest]
#[case::closed("<close>", "dps-closed: the service closed the connection")]
#[case::cut(
    "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"sta<close>",
    "dps-response: the answer is cut short: the service closed the connection"
)]
#[case::stalled(
    "",
    "dps-timeout: no answer to the registration request in time (30 s at most)"
)]
#[case::too_large(
    "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
    "dps-response: the answer is too large (over 8192 bytes)"
)]
#[case::not_http("220 mail ESMTP\r\n", "dps-response: the answer is no HTTP/1.1")]
fn the_answers_of_dps(#[case] answer: &str, #[case] error: &str) {
    check(
        Plan {
            dps: dps(vec![answer.into()]),
            ..plan()
        },
        error,
        31,
    );
}

#[test]
fn a_large_record_is_an_answer_too_large() {
    let answer = http("200 OK", "", &"x".repeat(16000));
    let error = "dps-response: the answer of global.azure-devices-provisioning.net is too large";
    check(
        Plan {
            dps: dps(vec![answer]),
            ..plan()
        },
        error,
        31,
    );
}

#[test]
fn assigning_for_ever() {
    let error =
        "dps-timeout: the service is still assigning; the service wants 3 s more, 2 s are left";
    check(
        Plan {
            dps: dps(vec![assigning()]),
            ..plan()
        },
        error,
        50,
    );
}

#[rstest]
#[case::refuses(
    hub(5, true, 0),
    "hub-refused: the hub refused the connection: CONNACK 5, not authorized"
)]
#[case::does_not_acknowledge(
    hub(0, false, 0),
    "hub-timeout: no acknowledgement of the telemetry message within 25 s"
)]
#[case::drops(
    hub(0, true, 0),
    "hub-lost: hil-hub.azure-devices.net closed the connection"
)]
fn the_hub(#[case] hub: Listener, #[case] error: &str) {
    check(Plan { hub, ..plan() }, error, 60);
}

#[test]
fn settings_that_cannot_be_used_send_nothing() {
    let anchors = TrustAnchors::new([pki::root(pki::P256_ROOT).as_ref()]).unwrap();
    let identity = || Identity {
        registration_id: "az-1".into(),
        certificate: vec![],
        key: pki::client_scalar().into(),
    };
    let settings = || Settings {
        endpoint: HOST.into(),
        transport: Transport::Https,
        id_scope: "0ne1".into(),
        telemetry: String::new(),
    };
    let cases = [
        (
            Identity {
                key: [0; 32].into(),
                ..identity()
            },
            settings(),
        ),
        (
            Identity {
                registration_id: "a\"b".into(),
                ..identity()
            },
            settings(),
        ),
        (
            Identity {
                registration_id: "a".repeat(129),
                ..identity()
            },
            settings(),
        ),
        (
            identity(),
            Settings {
                id_scope: "x/y".into(),
                ..settings()
            },
        ),
        (
            identity(),
            Settings {
                endpoint: "a b".into(),
                ..settings()
            },
        ),
        (
            identity(),
            Settings {
                endpoint: String::new(),
                ..settings()
            },
        ),
    ];
    for (identity, settings) in cases {
        let session = Session::new(START, &crypto(), anchors.clone(), identity, settings);
        let (_, lines, seconds) = run(session, plan(), START, |_, _| false);
        assert!(
            lines[0].starts_with("ERROR: setting-invalid: "),
            "{lines:?}"
        );
        assert_eq!((lines.len(), seconds), (2, 0));
    }
}
