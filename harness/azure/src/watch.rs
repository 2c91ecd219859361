//! Asks the services again and again what they know of the devices, in a thread of its own.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use az3166_event::CloudEvent;
use az3166_identity::Certificate;
use az3166_runner::outside::OutsideError;

use crate::azure::Clients;
use crate::provisioning::Registration;
use crate::registry::Device;

/// How often the services are asked. The provisioning service takes 1000 operations a minute.
const PERIOD: Duration = Duration::from_secs(1);
/// How many rounds in a row may go wrong.
const PATIENCE: u32 = 3;

/// A device that is watched.
pub(crate) struct Watched {
    registration_id: String,
    device_id: String,
    /// SHA-1 and SHA-256 of the enrolled certificate.
    thumbprints: [String; 2],
    registration: Option<Registration>,
    device: Option<Device>,
}

impl Watched {
    pub(crate) fn new(registration_id: &str, device_id: &str, certificate: &[u8]) -> Self {
        let thumbprints = Certificate::from_der(certificate.to_vec()).thumbprints();
        Self {
            registration_id: registration_id.to_owned(),
            device_id: device_id.to_owned(),
            thumbprints: [thumbprints.sha1, thumbprints.sha256],
            registration: None,
            device: None,
        }
    }
}

/// The thread and the ways to it.
pub(crate) struct Watch {
    commands: Option<Sender<Watched>>,
    news: Receiver<Result<CloudEvent, OutsideError>>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    pub(crate) fn start(clients: Clients) -> Self {
        let (commands, to_watch) = channel();
        let (tell, news) = channel();
        let thread = std::thread::spawn(move || watch(&clients, &to_watch, &tell));
        Self {
            commands: Some(commands),
            news,
            thread: Some(thread),
        }
    }

    /// Watches a device from now on, in place of one with the same registration id.
    pub(crate) fn add(&self, watched: Watched) {
        if let Some(commands) = &self.commands {
            // A thread that ended has told why.
            let _ = commands.send(watched);
        }
    }

    /// What was learned since the last call.
    pub(crate) fn take(&self) -> Result<Vec<CloudEvent>, OutsideError> {
        self.news.try_iter().collect()
    }

    /// Ends the thread; it may finish the round that it is in.
    pub(crate) fn end(&mut self) {
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            // It holds nothing that a panic could spoil.
            let _ = thread.join();
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.end();
    }
}

fn watch(
    clients: &Clients,
    to_watch: &Receiver<Watched>,
    tell: &Sender<Result<CloudEvent, OutsideError>>,
) {
    let mut all: Vec<Watched> = Vec::new();
    let mut failures = 0;
    loop {
        match to_watch.recv_timeout(PERIOD) {
            Ok(new) => {
                all.retain(|old| old.registration_id != new.registration_id);
                all.push(new);
                continue;
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        for watched in &mut all {
            match look(clients, watched) {
                Ok(events) => {
                    failures = 0;
                    for event in events {
                        let _ = tell.send(Ok(event));
                    }
                }
                Err(error) => {
                    failures += 1;
                    if failures >= PATIENCE {
                        let _ = tell.send(Err(error));
                        return;
                    }
                }
            }
        }
    }
}

/// One look at a device: what changed since the last one.
fn look(clients: &Clients, watched: &mut Watched) -> Result<Vec<CloudEvent>, OutsideError> {
    let mut events = Vec::new();
    let id = &watched.registration_id;
    let Some(registration) = clients.provisioning.registration(id)? else {
        return Ok(events);
    };
    let is_assigned = registration.status == "assigned";
    let device = match is_assigned {
        true => {
            check_hub(clients, &registration)?;
            let device = clients.registry.device(&watched.device_id)?;
            // The assignment counts once the hub knows the device.
            let Some(device) = device else {
                return Ok(events);
            };
            check_thumbprint(watched, &device)?;
            Some(device)
        }
        false => None,
    };
    if watched.registration.as_ref() != Some(&registration) {
        events.push(told(&registration));
        watched.registration = Some(registration);
    }
    if let Some(device) = device
        && watched.device.as_ref() != Some(&device)
    {
        events.push(CloudEvent::Registry {
            device_id: watched.device_id.clone(),
            connection_state: device.connection_state.clone(),
            x509_thumbprint: device.thumbprint.clone(),
        });
        watched.device = Some(device);
    }
    Ok(events)
}

fn told(registration: &Registration) -> CloudEvent {
    let registration = registration.clone();
    CloudEvent::Registration {
        registration_id: registration.registration_id,
        state: registration.status,
        operation_id: None,
        device_id: registration.device_id,
        assigned_hub: registration.assigned_hub,
        substatus: registration.substatus,
        error_code: registration.error_code.filter(|code| *code != 0),
    }
}

fn check_hub(clients: &Clients, registration: &Registration) -> Result<(), OutsideError> {
    let known = clients.registry.host();
    match &registration.assigned_hub {
        Some(hub) if !hub.eq_ignore_ascii_case(known) => Err(OutsideError {
            what: format!("the device was assigned to {hub}, the connection string is for {known}"),
            todo: "link that hub alone, or give its connection string".into(),
        }),
        _ => Ok(()),
    }
}

fn check_thumbprint(watched: &Watched, device: &Device) -> Result<(), OutsideError> {
    let fits = |seen: &str| {
        let mut known = watched.thumbprints.iter();
        known.any(|known| known.eq_ignore_ascii_case(seen))
    };
    match device.thumbprint.as_deref() {
        Some(seen) if fits(seen) => Ok(()),
        seen => Err(OutsideError {
            what: format!(
                "the hub's registry has {} with the thumbprint {}, enrolled was {}",
                watched.device_id,
                seen.unwrap_or("of no certificate"),
                watched.thumbprints[0]
            ),
            todo: "look at the provisioning service's link to the hub".into(),
        }),
    }
}
