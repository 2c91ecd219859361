//! Registrations against scripted answers.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use rstest::rstest;
use smoltcp::time::{Duration, Instant};

use super::{Assignment, Registration, Request, Status, Step};
use crate::http::Response;

const BUDGET: Duration = Duration::from_secs(50);
const ASSIGNING: &str = r#"{"operationId":"5.50.ab-c","status":"assigning"}"#;
const ASSIGNED: &str = r#"{"operationId":"5.50.ab-c","status":"assigned","registrationState":{
    "x509":{},"registrationId":"r","createdDateTimeUtc":"2022-08-27T17:53:19.5143497Z",
    "assignedHub":"MyHub.azure-devices.net","deviceId":"AZ3166","status":"assigned",
    "substatus":"initialAssignment","etag":"IjEyMDA4NmYy"}}"#;

/// An answer: status, `Retry-After`, body.
type Answer<'a> = (u16, Option<&'a str>, &'a str);

/// Runs a registration on a clock that jumps to each awaited time. The last answer is given
/// again and again; the service takes `latency` for each. Returns the end and a log of
/// `<second> <request>` lines.
fn run(answers: &[Answer<'_>], latency: Duration) -> (Result<Assignment, String>, Vec<String>) {
    let start = Instant::from_secs(3);
    let deadline = start + BUDGET;
    let mut registration = Registration::new(start, deadline);
    let (mut now, mut log, mut answers) = (start, Vec::new(), answers.iter().peekable());
    let mut due: Option<Instant> = None;
    loop {
        assert!(now <= deadline, "still running after the deadline: {log:?}");
        if due.is_some_and(|due| now >= due) {
            due = None;
            let answer = answers.peek().copied();
            let Some(&(status, retry_after, body)) = answer else {
                continue;
            };
            if answers.len() > 1 {
                answers.next();
            }
            let response = Response {
                status,
                retry_after: retry_after.map(String::from),
                body: body.into(),
            };
            match registration.answer(now, &response) {
                Ok(Some(Status::Assigned(assignment))) => return (Ok(assignment), log),
                Ok(_) => {}
                Err(failure) => return (Err(failure.to_string()), log),
            }
        }
        match registration.poll(now) {
            Ok(Step::Send(request)) => {
                let seconds = (now - start).secs();
                log.push(match request {
                    Request::Register => format!("{seconds} register"),
                    Request::Status { operation_id } => format!("{seconds} {operation_id}"),
                });
                due = Some(now + latency);
            }
            Ok(Step::Wait(until)) => now = due.map_or(until, |due| due.min(until)),
            Err(failure) => return (Err(failure.to_string()), log),
        }
    }
}

fn check(answers: &[Answer<'_>], expected: &str, requests: &str) {
    let (end, log) = run(answers, Duration::from_millis(100));
    let end = match end {
        Ok(Assignment { hub, device_id }) => format!("{device_id} at {hub}"),
        Err(failure) => failure,
    };
    assert_eq!(
        (end.as_str(), log.join(", ").as_str()),
        (expected, requests)
    );
}

#[rstest]
#[case::asks_again(
    &[(202, Some("3"), ASSIGNING), (202, Some("2"), ASSIGNING), (200, None, ASSIGNED)],
    "0 register, 3 5.50.ab-c, 5 5.50.ab-c"
)]
#[case::at_once(&[(200, None, ASSIGNED)], "0 register")]
#[case::throttled(
    &[(429, Some("4"), ""), (429, None, "{}"), (202, Some("0"), ASSIGNING), (200, None, ASSIGNED)],
    "0 register, 4 register, 5 register, 6 5.50.ab-c"
)]
#[case::server_error_once(
    &[(500, None, "oops"), (202, Some("1"), ASSIGNING), (503, None, ""), (200, None, ASSIGNED)],
    "0 register, 1 register, 2 5.50.ab-c, 3 5.50.ab-c"
)]
#[case::retry_after_is_no_number(
    &[
        (202, Some("soon"), ASSIGNING),
        (202, Some("-1"), ASSIGNING),
        (202, Some("Fri, 31 Dec 1999 23:59:59 GMT"), ASSIGNING),
        (202, Some(" 2 "), ASSIGNING),
        (200, None, ASSIGNED),
    ],
    "0 register, 1 5.50.ab-c, 2 5.50.ab-c, 3 5.50.ab-c, 5 5.50.ab-c"
)]
#[case::later_answers_need_no_operation_id(
    &[(202, None, ASSIGNING), (202, None, r#"{"status":"assigning"}"#), (200, None, ASSIGNED)],
    "0 register, 1 5.50.ab-c, 2 5.50.ab-c"
)]
fn devices_are_assigned(#[case] answers: &[Answer<'_>], #[case] requests: &str) {
    check(answers, "AZ3166 at MyHub.azure-devices.net", requests);
}

const UNAUTHORIZED: &str = r#"{"errorCode":401002,"trackingId":"t","message":"Invalid certificate.",
    "timestampUtc":"2020-04-10T05:24:22.4718526Z"}"#;

#[rstest]
#[case::unauthorized(
    (401, None, UNAUTHORIZED),
    "dps-unauthorized: HTTP 401, errorCode 401002: Invalid certificate."
)]
#[case::not_enrolled(
    (404, None, r#"{"errorCode":404201,"message":"Enrollment not found."}"#),
    "dps-not-found: HTTP 404, errorCode 404201: Enrollment not found."
)]
#[case::bad_request(
    (400, None, r#"{"errorCode":400004,"message":"Invalid RegistrationId"}"#),
    "dps-refused: HTTP 400, errorCode 400004: Invalid RegistrationId"
)]
#[case::conflict((409, None, r#"{"errorCode":409203}"#), "dps-refused: HTTP 409, errorCode 409203")]
#[case::error_without_body((403, None, ""), "dps-refused: HTTP 403")]
#[case::escape_sequences_stay_out_of_the_console(
    (401, None, r#"{"message":"a\u001b[2Jb\r\nERROR: \u00e9"}"#),
    "dps-unauthorized: HTTP 401, a?[2Jb??ERROR: ?"
)]
#[case::redirect((302, None, ""), "dps-response: HTTP 302 is no answer to a registration")]
#[case::failed(
    (200, None, r#"{"status":"failed","registrationState":{"errorCode":401002,"errorMessage":"Unauthorized"}}"#),
    "dps-failed: errorCode 401002: Unauthorized"
)]
#[case::failed_without_reason(
    (200, None, r#"{"status":"failed"}"#),
    "dps-failed: without an error code"
)]
#[case::disabled(
    (200, None, r#"{"operationId":"","status":"disabled","registrationState":{"status":"disabled"}}"#),
    "dps-disabled: the enrolment is disabled"
)]
#[case::truncated(
    (200, None, r#"{"operationId":"5.5","sta"#),
    "dps-response: the answer is not valid JSON at byte 25"
)]
#[case::empty((200, None, ""), "dps-response: the answer is not valid JSON at byte 0")]
#[case::no_status((200, None, "{}"), "dps-response: the answer has no status")]
#[case::unknown_status((200, None, r#"{"status":"x"}"#), "dps-response: the status x is unknown")]
#[case::no_operation(
    (202, None, r#"{"status":"assigning"}"#),
    "dps-response: the answer has no operation id"
)]
#[case::operation_id_that_would_change_the_path(
    (202, None, r#"{"status":"assigning","operationId":"a/../b c"}"#),
    "dps-response: the operation id of the answer is unusable"
)]
#[case::hub_that_is_no_host(
    (200, None, r#"{"status":"assigned","registrationState":{"assignedHub":"a b","deviceId":"d"}}"#),
    "dps-response: the assigned hub is missing or no host name"
)]
#[case::device_id_missing(
    (200, None, r#"{"status":"assigned","registrationState":{"assignedHub":"h.net"}}"#),
    "dps-response: the assigned device id is missing or unusable"
)]
#[case::retry_after_huge(
    (202, Some("86400"), ASSIGNING),
    "dps-timeout: the service is still assigning; the service wants 86400 s more, 49 s are left"
)]
#[case::retry_after_beyond_any_integer(
    (429, Some("99999999999999999999999"), ""),
    "dps-throttled: HTTP 429; the service wants 4294967295 s more, 49 s are left"
)]
fn the_first_answer_ends_it(#[case] answer: Answer<'_>, #[case] failure: &str) {
    check(&[answer], failure, "0 register");
}

#[rstest]
#[case::assigning_for_ever(
    (202, Some("3"), ASSIGNING),
    "dps-timeout: the service is still assigning; the service wants 3 s more, 0 s are left"
)]
#[case::throttled_for_ever(
    (429, Some("5"), ""),
    "dps-throttled: HTTP 429; the service wants 5 s more, 4 s are left"
)]
#[case::server_errors_for_ever(
    (500, None, r#"{"errorCode":500001,"message":"Internal"}"#),
    "dps-server-error: HTTP 500, errorCode 500001: Internal; the service wants 1 s more, 0 s are left"
)]
fn no_answer_lasts_for_ever(#[case] answer: Answer<'_>, #[case] failure: &str) {
    let (end, log) = run(&[answer], Duration::from_millis(100));
    assert_eq!(end.unwrap_err(), failure);
    assert!(log.len() > 5, "{log:?}");
}

#[test]
fn a_stall_ends_after_30_seconds() {
    let (end, log) = run(&[(200, None, ASSIGNED)], Duration::from_secs(31));
    let failure = "dps-timeout: no answer to the registration request in time (30 s at most)";
    assert_eq!((end.unwrap_err().as_str(), log.len()), (failure, 1));
}

#[test]
fn an_answer_that_nobody_asked_for_is_refused() {
    let now = Instant::from_secs(0);
    let mut registration = Registration::new(now, now + BUDGET);
    let response = Response {
        status: 200,
        retry_after: None,
        body: ASSIGNED.into(),
    };
    assert!(registration.answer(now, &response).is_err());
}
