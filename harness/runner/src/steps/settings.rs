//! The settings in a real secure element outlive a scenario: the next one finds the defaults again.

use core::time::Duration;
use std::collections::BTreeMap;

use az3166_event::{ConsoleEvent, Payload};
use az3166_scenario::{RegistrationId, Verb};
use az3166_target::{Button, PowerState, Wear};

use super::StepError;
use super::wear::{SETTINGS_ZONE, lines_of, words_of};
use crate::firmware::default_mac;
use crate::run::Run;

/// How long a start in configuration mode, or one command there, may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// How our firmware begins the line that says that a setting was stored.
const STORED: &str = "INFO: Set ";

const REGISTRATION_ID: &str = "set_registration_id";
const MAC: &str = "set_mac";
/// Defaults of our firmware that are the same for every board.
const FIXED: [(&str, &str); 3] = [
    ("set_dps_scope", "0ne00000000"),
    ("set_dps_endpoint", "global.azure-devices-provisioning.net"),
    ("set_dps_transport", "https"),
];

/// Remembers a setting that is about to be typed.
pub(super) fn remember(run: &mut Run<'_>, zone: u8, line: &str) -> Result<(), StepError> {
    if zone == SETTINGS_ZONE
        && let Some((command, value)) = words_of(line)
    {
        run.bench.target().keep_setting(command, value)?;
    }
    Ok(())
}

/// Types the defaults of what earlier scenarios have set, where they differ; only on a target with
/// a real secure element. The link stays dead meanwhile. Gives the reason to skip the scenario if
/// it cannot begin as on other targets.
pub(crate) fn restore(run: &mut Run<'_>) -> Result<Option<String>, StepError> {
    if run.bench.target().secure_element_wear() == Wear::None {
        return Ok(None);
    }
    let kept = run.bench.target().kept_settings();
    if kept.contains_key(REGISTRATION_ID) && changes_the_default_id(run) {
        return Ok(Some(
            "the board keeps a registration id from an earlier scenario, which cannot be unset, \
             and this one changes what the default follows from"
                .into(),
        ));
    }
    let defaults = defaults(run)?;
    let differ: Vec<(&String, &String)> = kept
        .iter()
        .filter_map(|(command, value)| Some((command, value, defaults.get(command.as_str())?)))
        .filter(|(_, value, default)| value != default)
        .map(|(command, _, default)| (command, default))
        .collect();
    if differ.is_empty() {
        return Ok(None);
    }
    run.bench.set_link(PowerState::Off);
    run.bench.target().press(Button::A)?;
    run.bench.set_power(PowerState::On)?;
    wait_for_prompt(run, 0)?;
    run.bench.target().release(Button::A)?;
    for (command, default) in differ {
        set(run, command, default)?;
    }
    run.bench.console.read_all();
    run.bench.set_power(PowerState::Off)?;
    run.bench.set_link(PowerState::On);
    Ok(None)
}

/// What a device is set to that nobody has set.
fn defaults(run: &mut Run<'_>) -> Result<BTreeMap<&'static str, String>, StepError> {
    let id = run.oracle.registration_id_text(&RegistrationId::Default)?;
    let mac = run.bench.target().chip_uid().map(|uid| default_mac(&uid));
    let fixed = FIXED.map(|(command, value)| (command, value.to_owned()));
    let of_chip = mac.map(|mac| (MAC, mac.to_string()));
    Ok(fixed
        .into_iter()
        .chain([(REGISTRATION_ID, id)])
        .chain(of_chip)
        .collect())
}

/// Whether the scenario relies on a default registration id that is another one than at its start.
fn changes_the_default_id(run: &Run<'_>) -> bool {
    let verbs = || run.scenario.steps.iter().map(|step| &step.verb);
    let types = |wanted: &str| {
        verbs().any(|verb| match verb {
            Verb::Console(console) => lines_of(console)
                .any(|line| words_of(line).is_some_and(|(command, _)| command == wanted)),
            _ => false,
        })
    };
    let flashes = verbs().any(|verb| matches!(verb, Verb::Flash(_)));
    (types(MAC) || flashes) && !types(REGISTRATION_ID)
}

fn set(run: &mut Run<'_>, command: &str, value: &str) -> Result<(), StepError> {
    let target = run.bench.target();
    target.spend_write(SETTINGS_ZONE)?;
    let from = run.bench.console.heard().len();
    let line = format!("{command} {value}");
    run.bench.record(Payload::Console(ConsoleEvent::Typed {
        text: format!("{line} (the default: an earlier scenario had set something else)"),
    }));
    run.bench.type_bytes(format!("{line}\r").as_bytes())?;
    wait_for_prompt(run, from)?;
    let heard = run.bench.console.heard().get(from..).unwrap_or_default();
    let stored = heard
        .iter()
        .any(|it| it.line.as_deref().is_some_and(|it| it.starts_with(STORED)));
    if !stored {
        return Err(StepError::setup(
            format!("the board keeps a setting of an earlier scenario, and does not take `{line}`"),
            "set it by hand, in configuration mode",
        ));
    }
    Ok(run.bench.target().keep_setting(command, value)?)
}

/// Waits for a prompt after `from` lines of the console.
fn wait_for_prompt(run: &mut Run<'_>, from: usize) -> Result<(), StepError> {
    let deadline = run.bench.now() + PATIENCE;
    let waited = run.bench.wait(deadline, |bench| {
        let heard = bench.console.heard().get(from..).unwrap_or_default();
        heard.iter().any(|it| it.line.is_none()).then_some(())
    })?;
    match waited {
        crate::bench::Waited::Found(()) => Ok(()),
        _ => Err(StepError::setup(
            "the board keeps settings of an earlier scenario, and comes to no prompt in \
             configuration mode to take them back",
            "set them by hand: hold button A and press reset",
        )),
    }
}
