//! A real secure element's memory wears: what it holds already is not written again, and what is
//! written is counted.

use core::time::Duration;

use az3166_event::{ConsoleEvent, Payload};
use az3166_scenario::{Console, IdentityInput, Input, SecretUds, Text, Verb};
use az3166_target::{PowerState, Wear};
use sha2::{Digest, Sha256};

use super::{Outcome, StepError, settings};
use crate::run::Run;

/// What our firmware prints at each start in user mode, before it touches the network.
const ALIAS: &str = "Alias certificate SHA-256: ";
/// How long a start in user mode may take until then.
const START: Duration = Duration::from_secs(15);

/// Commands that write the secure element, and the zones that they write: those of our firmware, and
/// those of the vendor's that ours does not have.
const WRITES: [(&str, u8); 10] = [
    ("set_dps_uds", UDS_ZONE),
    ("set_registration_id", SETTINGS_ZONE),
    ("set_dps_scope", SETTINGS_ZONE),
    ("set_dps_endpoint", SETTINGS_ZONE),
    ("set_dps_transport", SETTINGS_ZONE),
    ("set_mac", SETTINGS_ZONE),
    ("set_az_iothub", SETTINGS_ZONE),
    ("set_az_iotdps", SETTINGS_ZONE),
    ("set_wifissid", 3),
    ("set_wifipwd", 10),
];
pub(super) const SETTINGS_ZONE: u8 = 5;
const UDS_ZONE: u8 = 6;

/// The command and the argument of a typed line.
pub(super) fn words_of(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split_whitespace();
    let command = words.next()?.trim_matches('"');
    Some((command, words.next()?.trim_matches('"')))
}

/// The zone that a typed line writes.
fn zone_of(line: &str) -> Option<u8> {
    let (command, _) = words_of(line)?;
    let known = WRITES.iter().find(|(name, _)| *name == command);
    known.map(|(_, zone)| *zone)
}

/// The lines that a step types.
pub(super) fn lines_of(console: &Console) -> impl Iterator<Item = &str> {
    let text = console.input.as_ref().map(|input| match input {
        Input::Line(text) | Input::Keys(text) => text.expose(),
    });
    text.into_iter().flat_map(|text| text.split(['\r', '\n']))
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
        Verb::Console(console) => lines_of(console).any(|line| zone_of(line) == Some(UDS_ZONE)),
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
    let writes: Vec<(u8, &str)> = lines_of(console)
        .filter_map(|line| Some((zone_of(line)?, line)))
        .collect();
    if writes.is_empty() || run.bench.target().secure_element_wear() == Wear::None {
        return Ok(None);
    }
    // A later step might wait for what the command prints.
    if let Some(text) = line_of(console)
        && writes[0].0 == UDS_ZONE
        && !console.expect.is_empty()
        && has_it(run, text)?
    {
        let text = "(set_dps_uds: the device has this UDS already, it is not written again)";
        run.bench.record(Payload::Console(ConsoleEvent::Typed {
            text: text.to_owned(),
        }));
        return Ok(Some(Outcome::Passed));
    }
    run.alias_sha256 = None;
    for (zone, line) in writes {
        run.bench.target().spend_write(zone)?;
        settings::remember(run, zone, line)?;
    }
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
    #[case("set_dps_transport mqtt", Some(5))]
    #[case("set_dps_uds", None)]
    #[case("help", None)]
    #[case("", None)]
    fn zones(#[case] line: &str, #[case] zone: Option<u8>) {
        assert_eq!(zone_of(line), zone);
    }

    /// The firmware's own table of commands: none that sets something is missing here.
    #[test]
    fn every_setting_of_the_firmware_is_counted() {
        let source = include_str!("../../../../firmware/console/src/command.rs");
        let (shipped, _) = source.split_once("#[cfg(test)]").unwrap();
        let quoted = shipped.split('"').skip(1).step_by(2);
        let settings: Vec<&str> = quoted.filter(|it| it.starts_with("set_")).collect();
        assert!(settings.len() >= 7, "{settings:?}");
        for command in settings {
            assert!(zone_of(&format!("{command} x")).is_some(), "{command}");
        }
    }
}
