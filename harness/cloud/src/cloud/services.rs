//! What all connections share.

use az3166_event::{CloudEvent, VirtualTime};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

use super::journal::Journal;
use super::site::{Port, Site, site_of};
use crate::behaviour::Behaviour;
use crate::clock::Epoch;
use crate::config::{CloudConfig, TimeBase};
use crate::fault::{Effect, Exchange, FaultBook, Shaping};
use crate::hub::{self, Hubs};
use crate::provisioning::{self, Provisioning, Registration, RegistrationState};
use crate::sas::AccessPolicy;

/// The services, the faults in force and the journal.
pub(super) struct Services {
    pub(super) provisioning: Provisioning,
    pub(super) hubs: Hubs,
    pub(super) faults: FaultBook,
    pub(super) journal: Journal,
    pub(super) behaviour: Behaviour,
    pub(super) epoch: Epoch,
    pub(super) entropy: ChaCha20Rng,
    pub(super) provisioning_host: String,
    /// Who may use the provisioning service's own API.
    pub(super) service_policy: Option<AccessPolicy>,
    pub(super) hub_policy: Option<AccessPolicy>,
    hub_hosts: Vec<String>,
    shaping: Shaping,
}

impl Services {
    pub(super) fn new<B: TimeBase>(config: &CloudConfig<B>) -> Self {
        Self {
            provisioning: Provisioning::new(provisioning::Settings {
                id_scope: config.id_scope.clone(),
                hubs: config.hubs.clone(),
                behaviour: config.behaviour.clone(),
                epoch: Epoch::of(config),
                verifier: config.verifier(),
                quotas: config.quotas,
            }),
            hubs: Hubs::new(hub::Settings {
                epoch: Epoch::of(config),
                retention: B::RETENTION,
                policy: config.hub_policy.clone(),
            }),
            hub_policy: config.hub_policy.clone(),
            faults: FaultBook::default(),
            journal: Journal::new(B::RETENTION),
            behaviour: config.behaviour.clone(),
            epoch: Epoch::of(config),
            entropy: ChaCha20Rng::from_seed(config.seed),
            provisioning_host: config.provisioning_host.clone(),
            service_policy: config.service_policy.clone(),
            hub_hosts: config.hubs.clone(),
            shaping: Shaping::default(),
        }
    }

    pub(super) fn host_names(&self) -> Vec<String> {
        let hubs = self.hub_hosts.iter().cloned();
        core::iter::once(self.provisioning_host.clone())
            .chain(hubs)
            .collect()
    }

    /// The service with this host name.
    pub(super) fn site_of(&self, host: &str) -> Option<Site> {
        site_of(host, &self.provisioning_host, &self.hub_hosts)
    }

    /// The kind of port that `host` has at `number`.
    pub(super) fn port_of(&self, host: &str, number: u16) -> Result<Port, String> {
        match (self.site_of(host), Port::at(number)) {
            (Some(_), Some(port)) => Ok(port),
            (Some(_), None) => Err("the services listen at ports 443 and 8883 only".to_owned()),
            (None, _) => Err(format!("no service is called {host}")),
        }
    }

    /// When the services have something to do by themselves.
    pub(super) fn next_deadline(&self) -> Option<VirtualTime> {
        let deadlines = [self.provisioning.next_deadline(), self.hubs.next_deadline()];
        deadlines.into_iter().flatten().min()
    }

    /// Ends operations that are due.
    pub(super) fn advance(&mut self, now: VirtualTime) {
        self.hubs.advance(now);
        for completion in self.provisioning.advance(now, &mut self.entropy) {
            self.note_registration(completion.at, &completion.registration);
            if let Some(assignment) = &completion.assignment {
                self.hubs.put(completion.at, assignment);
            }
        }
    }

    /// The fault that strikes an exchange, noted in the journal. How the answer then leaves is
    /// the connection's concern: [`take_shaping`](Self::take_shaping).
    pub(super) fn strike(&mut self, now: VirtualTime, exchange: Exchange<'_>) -> Option<Effect> {
        let strike = self.faults.strike(&exchange);
        for name in strike.names {
            let fault = name.to_owned();
            self.journal.note(now, CloudEvent::Fault { fault });
        }
        self.shaping = self.shaping.with(strike.shaping);
        strike.effect
    }

    /// How the answers to the exchanges since the last call leave.
    pub(super) fn take_shaping(&mut self) -> Shaping {
        core::mem::take(&mut self.shaping)
    }

    /// Notes a registration's new state.
    pub(super) fn note_registration(&mut self, at: VirtualTime, registration: &Registration) {
        let (mut assigned_hub, mut assigned_id, mut sub, mut code) = (None, None, None, None);
        match &registration.state {
            RegistrationState::Assigned {
                hub,
                device_id,
                substatus,
            } => {
                assigned_hub = Some(hub.clone());
                assigned_id = Some(device_id.clone());
                sub = Some(substatus.name().to_owned());
            }
            RegistrationState::Failed { error_code, .. } => code = Some(*error_code),
            RegistrationState::Assigning | RegistrationState::Disabled => {}
        }
        let operation_id = Some(registration.operation_id.clone()).filter(|id| !id.is_empty());
        self.journal.note(
            at,
            CloudEvent::Registration {
                registration_id: registration.registration_id.clone(),
                state: registration.state.status().to_owned(),
                operation_id,
                device_id: assigned_id,
                assigned_hub,
                substatus: sub,
                error_code: code,
            },
        );
    }

    /// Notes that a registration was refused.
    pub(super) fn note_refusal(&mut self, at: VirtualTime, id: String, code: Option<u32>) {
        self.journal.note(
            at,
            CloudEvent::Registration {
                registration_id: id,
                state: "refused".into(),
                operation_id: None,
                device_id: None,
                assigned_hub: None,
                substatus: None,
                error_code: code,
            },
        );
    }
}
