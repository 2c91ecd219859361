//! Whole sessions of a device that registers over MQTT.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use devkit_net::{Instant, Progress};
use mqttrs::ConnectReturnCode;
use rstest::rstest;
use support::gateway::{Listener, Plan, run};
use support::mqtt_dps::{ASSIGNED, ASSIGNING, mqtt_dps, refusing_mqtt_dps};
use support::pki;
use support::world::{START, mqtt_session, plan};

fn plan_with(dps: Listener) -> Plan {
    Plan {
        dps,
        dps_port: 8883,
        ..plan()
    }
}

fn online(progress: &Progress, _: Instant) -> bool {
    matches!(progress, Progress::Online(_))
}

#[rstest]
#[case::as_usual(&[ASSIGNING, ASSIGNED], 3)]
#[case::throttled(&["429/?$rid={n}&retry-after=5 {}", ASSIGNED], 5)]
#[case::server_error_once(&[ASSIGNING, "503/?$rid={n} {}", ASSIGNED], 4)]
fn the_device_registers_and_reaches_its_hub(#[case] answers: &[&str], #[case] took: u64) {
    let plan = plan_with(mqtt_dps(answers));
    let (progress, lines, seconds) = run(mqtt_session(pki::P256_ROOT), plan, START, online);
    assert!(matches!(progress, Progress::Online(_)), "{lines:?}");
    assert_eq!(
        lines
            .iter()
            .filter(|line| !line.ends_with("ASSIGNING"))
            .collect::<Vec<_>>(),
        [
            "Registration status: CONNECTED",
            "Registration status: REGISTERING",
            "Registration Information received from service: hil-hub.azure-devices.net!",
            "IoT Hub: connected as AZ3166",
            "IoT Hub: telemetry sent",
        ]
    );
    assert_eq!(seconds, took);
}

#[rstest]
#[case::unauthorized(
    r#"401/?$rid={n} {"errorCode":401002,"message":"Invalid certificate."}"#,
    "dps-unauthorized: HTTP 401, errorCode 401002: Invalid certificate."
)]
#[case::not_found("404/?$rid={n} ", "dps-not-found: HTTP 404")]
#[case::closed("<close>", "dps-closed: the service closed the connection")]
#[case::stalled(
    "",
    "dps-timeout: no answer to the registration request in time (30 s at most)"
)]
#[case::truncated(
    r#"200/?$rid={n} {"operationId":"5.50.ab","sta"#,
    "dps-response: the answer is not valid JSON at byte 29"
)]
#[case::wrong_topic(
    "200/?$rid=77 {}",
    "dps-response: the answer's topic $dps/registrations/res/200/?$rid=77 is unusable"
)]
#[case::retry_after_huge(
    "429/?$rid={n}&retry-after=86400 {}",
    "dps-throttled: HTTP 429; the service wants 86400 s more, 47 s are left"
)]
fn the_answers_of_dps(#[case] answer: &str, #[case] error: &str) {
    check(mqtt_dps(&[answer]), error);
}

#[test]
fn a_refused_connection() {
    let error = "dps-unauthorized: CONNACK 5, not authorized";
    let lines = check(
        refusing_mqtt_dps(ConnectReturnCode::NotAuthorized, &[]),
        error,
    );
    assert!(!lines.contains(&"Registration status: CONNECTED".into()));
}

#[rstest]
#[case(4100, "dps-response: a packet is too large (over 4096 bytes)")]
#[case(
    16_000,
    "dps-response: the answer of global.azure-devices-provisioning.net is too large"
)]
fn a_large_answer(#[case] size: usize, #[case] error: &str) {
    let answer = format!("200/?$rid={{n}} {}", "x".repeat(size));
    check(mqtt_dps(&[&answer]), error);
}

#[test]
fn nobody_there() {
    let error =
        "tcp-refused: global.azure-devices-provisioning.net:8883 refused the TCP connection";
    let plan = Plan {
        hub: Listener::Nobody,
        ..plan_with(Listener::Nobody)
    };
    run_into(plan, error);
}

fn check(dps: Listener, error: &str) -> Vec<String> {
    run_into(plan_with(dps), error)
}

/// Runs into a failure: the one line, the vendor's line after it.
fn run_into(plan: Plan, error: &str) -> Vec<String> {
    let (_, lines, seconds) = run(mqtt_session(pki::P256_ROOT), plan, START, |_, _| false);
    let expected = [format!("ERROR: {error}"), "registration failed!".into()];
    assert!(lines.ends_with(&expected), "{lines:?}");
    assert!(seconds <= 50, "took {seconds} s");
    lines
}
