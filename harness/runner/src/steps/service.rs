//! Judging what the provisioning service and the hub saw.

use az3166_event::{CloudEvent, Event, Payload};
use az3166_scenario::{Connection, ExpectHub, ExpectRegistration, RegistrationStatus};

use super::{Outcome, StepError, why};
use crate::bench::{Bench, Waited};
use crate::run::Run;

pub(super) fn expect_registration(
    run: &mut Run<'_>,
    expected: &ExpectRegistration,
) -> Result<Outcome, StepError> {
    let from = run.started_at();
    let within = expected.deadline();
    if expected.status == RegistrationStatus::None {
        super::wait_out(run, within)?;
        return Ok(match requests(run.bench.events_since(from)).first() {
            None => Outcome::Passed,
            Some(event) => Outcome::failed("no registration request", event.canonical_line()),
        });
    }
    let wanted = Wanted::of(run, expected)?;
    let waited = super::wait(run, within, |bench| {
        let events = bench.events_since(from);
        (0..events.len())
            .any(|index| {
                wanted
                    .differing(events, index)
                    .is_some_and(|d| d.is_empty())
            })
            .then_some(())
    })?;
    if waited == Waited::Found(()) {
        return Ok(Outcome::Passed);
    }
    let events = run.bench.events_since(from);
    let nearest = (0..events.len())
        .filter_map(|index| Some((wanted.differing(events, index)?, index)))
        .min_by_key(|(differing, index)| (differing.len(), usize::MAX - index));
    let reason = why(&waited, within, run.bench.now());
    let seen = match nearest {
        Some((differing, index)) => format!(
            "{reason}\nnearest (differs in {}): {}",
            differing.join(", "),
            events[index].canonical_line()
        ),
        None => format!("{reason}\nno registration request reached the service"),
    };
    Ok(Outcome::failed(
        format!("a registration with {}", wanted.describe()),
        seen,
    ))
}

/// What a registration event must hold.
struct Wanted {
    status: &'static str,
    members: Vec<(&'static str, String)>,
    http_status: Option<u16>,
}

impl Wanted {
    fn of(run: &Run<'_>, expected: &ExpectRegistration) -> Result<Self, StepError> {
        let mut members = Vec::new();
        if let Some(id) = &expected.registration_id {
            members.push(("registration_id", run.oracle.registration_id_text(id)?));
        }
        if let Some(id) = &expected.device_id {
            let id = run.oracle.registration_id_text(id)?;
            members.push(("device_id", run.bench.cloud.device_id(id)));
        }
        if let Some(hub) = &expected.hub {
            members.push(("assigned_hub", hub.expose().to_owned()));
        }
        if let Some(substatus) = &expected.substatus {
            members.push(("substatus", substatus.expose().to_owned()));
        }
        if let Some(code) = expected.error_code {
            members.push(("error_code", code.to_string()));
        }
        Ok(Self {
            status: expected.status.as_str(),
            members,
            http_status: expected.http_status,
        })
    }

    /// The members in which the event at `index` differs; `None` if it is no registration event.
    fn differing(&self, events: &[Event], index: usize) -> Option<Vec<&'static str>> {
        let Payload::Cloud(CloudEvent::Registration {
            registration_id,
            state,
            device_id,
            assigned_hub,
            substatus,
            error_code,
            ..
        }) = &events[index].payload
        else {
            return None;
        };
        let code = error_code.map(|code| code.to_string());
        let value = |name: &str| match name {
            "registration_id" => Some(registration_id.as_str()),
            "device_id" => device_id.as_deref(),
            "assigned_hub" => assigned_hub.as_deref(),
            "substatus" => substatus.as_deref(),
            _ => code.as_deref(),
        };
        let mut differing: Vec<&'static str> = self
            .members
            .iter()
            .filter(|(name, wanted)| value(name) != Some(wanted))
            .map(|(name, _)| *name)
            .collect();
        if state != self.status {
            differing.push("status");
        }
        if self
            .http_status
            .is_some_and(|wanted| answer_of(events, index) != Some(wanted))
        {
            differing.push("http_status");
        }
        Some(differing)
    }

    fn describe(&self) -> String {
        let mut text = format!("status {}", self.status);
        for (name, value) in &self.members {
            text.push_str(&format!(", {name} {value}"));
        }
        if let Some(status) = self.http_status {
            text.push_str(&format!(", http_status {status}"));
        }
        text
    }
}

/// The status of the answer that brought the registration event at `index`: the one that was
/// sent at the same instant, else, for a state that the service reached by itself, the next one.
fn answer_of(events: &[Event], index: usize) -> Option<u16> {
    let status = |event: &Event| match &event.payload {
        Payload::Cloud(
            CloudEvent::Http { status, .. } | CloudEvent::MqttExchange { status, .. },
        ) => Some(*status),
        _ => None,
    };
    let at = events[index].virtual_ns;
    let before = events[..index]
        .iter()
        .rev()
        .take_while(|event| event.virtual_ns == at);
    before.chain(&events[index..]).find_map(status)
}

fn requests(events: &[Event]) -> Vec<&Event> {
    events
        .iter()
        .filter(|event| match &event.payload {
            Payload::Cloud(CloudEvent::Http { path, .. }) => path.contains("/registrations/"),
            Payload::Cloud(CloudEvent::MqttExchange { .. }) => true,
            _ => false,
        })
        .collect()
}

pub(super) fn expect_hub(run: &mut Run<'_>, expected: &ExpectHub) -> Result<Outcome, StepError> {
    let from = run.started_at();
    let device_id = match &expected.device_id {
        Some(id) => {
            let id = run.oracle.registration_id_text(id)?;
            Some(run.bench.cloud.device_id(id))
        }
        None => None,
    };
    let bounded = [&expected.telemetry, &expected.twin_reads]
        .into_iter()
        .flatten()
        .any(az3166_scenario::Count::is_bounded);
    let waited = if bounded {
        super::wait_out(run, expected.within)?;
        Waited::TimedOut
    } else {
        super::wait(run, expected.within, |bench| {
            wrong(bench, from, expected, device_id.as_deref())
                .is_empty()
                .then_some(())
        })?
    };
    let wrong = wrong(&run.bench, from, expected, device_id.as_deref());
    if wrong.is_empty() {
        return Ok(Outcome::Passed);
    }
    let reason = why(&waited, expected.within, run.bench.now());
    let registry: Vec<String> = run
        .bench
        .cloud
        .devices()
        .map(|device| device.device_id.clone())
        .collect();
    let registry = if registry.is_empty() {
        "the hub's registry is empty".into()
    } else {
        format!("the hub's registry holds {}", registry.join(", "))
    };
    Ok(Outcome::failed(
        "the hub to have seen the device as the step says",
        format!("{}\n{registry}; {reason}", wrong.join("\n")),
    ))
}

/// What is not as the step says.
fn wrong(bench: &Bench, from: usize, expected: &ExpectHub, device_id: Option<&str>) -> Vec<String> {
    let mut seen = Seen::default();
    for event in bench.events_since(from) {
        if let Payload::Cloud(event) = &event.payload {
            seen.take(event, device_id);
        }
    }
    let mut wrong = Vec::new();
    match (expected.connected, seen.connected) {
        (Some(Connection::Up), false) => wrong.push("it is not connected".into()),
        (Some(Connection::Down), true) => wrong.push("it is connected".into()),
        _ => {}
    }
    if device_id.is_some() && seen.attempts == 0 {
        let id = device_id.unwrap_or_default();
        wrong.push(format!("`{id}` has not tried to connect"));
    }
    if let Some(code) = expected.return_code
        && seen.return_code != Some(code)
    {
        let seen = seen
            .return_code
            .map_or("none".into(), |code| code.to_string());
        wrong.push(format!("return code: expected {code}, sent {seen}"));
    }
    let counts = [
        ("telemetry messages", expected.telemetry, seen.telemetry),
        ("twin reads", expected.twin_reads, seen.twin_reads),
    ];
    for (name, count, seen) in counts {
        if let Some(count) = count
            && !count.holds(seen)
        {
            wrong.push(format!("{name}: expected {count}, seen {seen}"));
        }
    }
    wrong
}

/// What the hub has seen of the device since it started.
#[derive(Default)]
struct Seen {
    connected: bool,
    attempts: u32,
    return_code: Option<u8>,
    telemetry: u32,
    twin_reads: u32,
}

impl Seen {
    fn take(&mut self, event: &CloudEvent, wanted: Option<&str>) {
        let is_wanted = |id: &str| wanted.is_none_or(|wanted| wanted == id);
        match event {
            CloudEvent::MqttConnect {
                client_id,
                return_code,
                ..
            } if is_wanted(client_id) => {
                self.attempts += 1;
                self.return_code = Some(*return_code);
                self.connected = *return_code == 0;
            }
            CloudEvent::Registry {
                device_id,
                connection_state,
                ..
            } if is_wanted(device_id) => {
                self.connected = connection_state == "Connected";
                self.attempts += u32::from(self.connected);
            }
            CloudEvent::MqttDisconnect { device_id, .. } if is_wanted(device_id) => {
                self.connected = false;
            }
            CloudEvent::Telemetry { device_id, .. } if is_wanted(device_id) => self.telemetry += 1,
            CloudEvent::Twin {
                device_id,
                operation,
            } if is_wanted(device_id) && operation == "get" => {
                self.twin_reads += 1;
            }
            _ => {}
        }
    }
}
