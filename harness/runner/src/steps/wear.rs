//! A real secure element's memory wears: what it holds already is not written again, and what is
//! written is counted.

use core::time::Duration;

use az3166_event::{ConsoleEvent, Payload};
use az3166_scenario::{Console, IdentityInput, Input, SecretUds, Text, Verb};
use az3166_target::{PowerState, Wear};
use sha2::{Digest, Sha256};

use super::{Outcome, StepError};
use crate::run::Run;

/// What our firmware prints at each start in user mode, before it touches the network.
const ALIAS: &str = "Alias certificate SHA-256: ";
/// How long a start in user mode may take until then.
const START: Duration = Duration::from_secs(15);

/// Commands that write the secure element, and the zones that they write.
const WRITES: [(&str, u8); 8] = [
    ("set_dps_uds", UDS_ZONE),
    ("set_registration_id", 5),
    ("set_dps_scope", 5),
    ("set_dps_endpoint", 5),
    ("set_mac", 5),
    ("set_az_iothub", 5),
    ("set_az_iotdps", 5),
    ("set_wifissid", 3),
];
const UDS_ZONE: u8 = 6;

/// The zone that a typed line writes.
fn zone_of(line: &str) -> Option<u8> {
    let mut words = line.split_whitespace();
    let command = words.next()?.trim_matches('"');
    words.next()?;
    let known = WRITES.iter().find(|(name, _)| *name == command);
    known.map(|(_, zone)| *zone)
}

fn line_of(console: &Console) -> Option<&Text> {
    match &console.input {
        Some(Input::Line(text)) => Some(text),
        _ => None,
    }
}

/// Starts the board once in user mode, unwatched by any step, to hear which identity it has; only
/// where the scenario sets a UDS and writing it costs something. The link stays dead, so that
/// nothing reaches the cloud.
pub(crate) fn look_at_identity(run: &mut Run<'_>) -> Result<(), StepError> {
    let sets_uds = run.scenario.steps.iter().any(|step| match &step.verb {
        Verb::Console(console) => {
            line_of(console).and_then(|text| zone_of(text.expose())) == Some(UDS_ZONE)
        }
        _ => false,
    });
    if !sets_uds || run.bench.target().secure_element_wear() == Wear::None {
        return Ok(());
    }
    run.bench.set_link(PowerState::Off);
    run.bench.set_power(PowerState::On)?;
    let deadline = run.bench.now() + START;
    run.bench.wait(deadline, |bench| {
        let mut heard = bench.console.heard().iter();
        heard
            .any(|heard| {
                let line = heard.line.as_deref();
                // A prompt ends every start that has no identity.
                line.is_none_or(|line| line.starts_with(ALIAS))
            })
            .then_some(())
    })?;
    run.alias_sha256 = run.bench.console.heard().iter().find_map(|heard| {
        let digits = heard.line.as_deref()?.strip_prefix(ALIAS)?;
        Some(digits.trim().to_owned())
    });
    run.bench.console.read_all();
    run.bench.set_power(PowerState::Off)?;
    run.bench.set_link(PowerState::On);
    Ok(())
}

/// What happens in place of typing; none where the line is to be typed.
pub(super) fn before_typing(
    run: &mut Run<'_>,
    console: &Console,
) -> Result<Option<Outcome>, StepError> {
    let zone = line_of(console).and_then(|text| zone_of(text.expose()));
    let Some((zone, text)) = zone.zip(line_of(console)) else {
        return Ok(None);
    };
    if run.bench.target().secure_element_wear() == Wear::None {
        return Ok(None);
    }
    // A later step might wait for what the command prints.
    if zone == UDS_ZONE && !console.expect.is_empty() && has_it(run, text)? {
        let text = "(set_dps_uds: the device has this UDS already, it is not written again)";
        run.bench.record(Payload::Console(ConsoleEvent::Typed {
            text: text.to_owned(),
        }));
        return Ok(Some(Outcome::Passed));
    }
    run.alias_sha256 = None;
    run.bench.target().spend_write(zone)?;
    Ok(None)
}

/// Whether the device's certificate is the one that follows from the UDS in `line`.
fn has_it(run: &mut Run<'_>, line: &Text) -> Result<bool, StepError> {
    let Some(sha256) = run.alias_sha256.clone() else {
        return Ok(false);
    };
    let uds = line.expose().split_whitespace().nth(1).unwrap_or_default();
    let Ok(uds) = SecretUds::try_from(Text::from(uds)) else {
        return Ok(false);
    };
    let input = IdentityInput {
        uds: Some(uds),
        ..IdentityInput::default()
    };
    let (certificate, _) = run.oracle_certificate(&input.or(&run.scenario.identity))?;
    let digest = Sha256::digest(certificate.der());
    let expected: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(sha256.eq_ignore_ascii_case(&expected))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("set_dps_uds 00", Some(6))]
    #[case("\"set_dps_uds\" 00", Some(6))]
    #[case("set_mac 0200deadbeef", Some(5))]
    #[case("set_dps_uds", None)]
    #[case("help", None)]
    #[case("", None)]
    fn zones(#[case] line: &str, #[case] zone: Option<u8>) {
        assert_eq!(zone_of(line), zone);
    }
}
