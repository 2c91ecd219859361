//! The cloud of one scenario.

use core::time::Duration;
use std::sync::Arc;

use az3166_event::{CloudEvent, VirtualTime};
use az3166_network::{Closing, Opening, Services, Transmission};
use az3166_runner::outside::{OutsideCloud, OutsideEnrolment, OutsideError};
use az3166_scenario::EnrolmentStatus;

use crate::azure::Azure;
use crate::forward::Forward;
use crate::journal::Planned;
use crate::provisioning::NewEnrolment;
use crate::sweep::remove;
use crate::watch::{Watch, Watched};

/// How often sockets are looked at.
const BUSY: Duration = Duration::from_millis(2);
/// How often news is looked for without a connection.
const IDLE: Duration = Duration::from_millis(20);

/// The cloud of one scenario.
pub(crate) struct Session {
    azure: Arc<Azure>,
    forward: Forward,
    watch: Watch,
    made: Vec<Planned>,
}

impl Session {
    pub(crate) fn new(azure: Arc<Azure>) -> Self {
        let routes = azure.settings.services.routes.clone();
        Self {
            forward: Forward::new(hosts(&azure), routes),
            watch: Watch::start(azure.clients.clone()),
            made: Vec::new(),
            azure,
        }
    }

    fn planned(&self, registration_id: &str) -> Option<&Planned> {
        let mut made = self.made.iter();
        made.find(|it| it.registration_id == registration_id)
    }
}

fn hosts(azure: &Azure) -> Vec<String> {
    vec![
        azure.settings.endpoint.clone(),
        azure.clients.registry.host().to_owned(),
    ]
}

impl OutsideCloud for Session {
    fn name(&self) -> &str {
        "azure"
    }

    fn host_names(&self) -> Vec<String> {
        hosts(&self.azure)
    }

    fn trust_anchor(&self) -> Option<&[u8]> {
        self.azure.settings.services.authority.as_deref()
    }

    fn device_id(&self, wanted: &str) -> String {
        format!("{}-{wanted}", self.azure.run)
    }

    fn enrol(&mut self, enrolment: OutsideEnrolment<'_>) -> Result<(), OutsideError> {
        let clients = &self.azure.clients;
        let planned = Planned {
            registration_id: enrolment.registration_id.to_owned(),
            device_id: self.device_id(enrolment.device_id),
            provisioning: clients.provisioning.host().to_owned(),
            hub: clients.registry.host().to_owned(),
        };
        self.azure.journal.plan(&planned)?;
        // Even a request that failed may have been carried out.
        if !self.made.contains(&planned) {
            self.made.push(planned.clone());
        }
        clients.provisioning.enrol(&NewEnrolment {
            registration_id: &planned.registration_id,
            device_id: &planned.device_id,
            certificate: enrolment.certificate,
            run: &self.azure.run,
            status: match enrolment.status {
                EnrolmentStatus::Enabled => "enabled",
                EnrolmentStatus::Disabled => "disabled",
            },
        })?;
        let certificate = enrolment.certificate;
        let watched = Watched::new(&planned.registration_id, &planned.device_id, certificate);
        self.watch.add(watched);
        Ok(())
    }

    fn unenrol(&mut self, registration_id: &str) -> Result<(), OutsideError> {
        match self.planned(registration_id) {
            Some(planned) => {
                let provisioning = &self.azure.clients.provisioning;
                Ok(provisioning.unenrol(&planned.registration_id)?)
            }
            None => Err(OutsideError {
                what: format!("there is no enrolment `{registration_id}` to remove"),
                todo: "enrol it in `cloud:` or by an `enrol` step first".into(),
            }),
        }
    }

    fn drain_events(&mut self) -> Result<Vec<CloudEvent>, OutsideError> {
        // The device sees a reset; why it came is not for it to know.
        if let Some(what) = self.forward.take_troubles().into_iter().next()
            && what.ends_with("refused")
        {
            let todo = "give an endpoint with a public address".into();
            return Err(OutsideError { what, todo });
        }
        self.watch.take()
    }

    fn poll_interval(&self) -> Duration {
        match self.forward.is_idle() {
            true => IDLE,
            false => BUSY,
        }
    }

    fn close(&mut self) -> Result<(), OutsideError> {
        self.watch.end();
        let clients = &self.azure.clients;
        let mut result = Ok(());
        self.made.retain(|planned| {
            let removed = remove(&clients.provisioning, &clients.registry, planned);
            let noted = removed
                .map_err(OutsideError::from)
                .and_then(|()| Ok(self.azure.journal.removed(planned)?));
            match noted {
                Ok(()) => false,
                Err(error) => {
                    result = Err(OutsideError {
                        what: format!("{} could not be removed: {}", planned.device_id, error.what),
                        todo: "remove it with `hil cloud sweep`".into(),
                    });
                    true
                }
            }
        });
        result
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // What cannot be removed now stands in the journal.
        let _ = self.close();
    }
}

impl Services for Session {
    fn open(&mut self, _now: VirtualTime, connection: u32, host: &str, port: u16) -> Opening {
        self.forward.open(connection, host, port)
    }

    fn receive(&mut self, _now: VirtualTime, connection: u32, bytes: &[u8]) {
        self.forward.receive(connection, bytes);
    }

    fn transmit(&mut self, _now: VirtualTime, connection: u32) -> Transmission {
        self.forward.transmit(connection)
    }

    fn closed(&mut self, _now: VirtualTime, connection: u32, how: Closing) {
        self.forward.closed(connection, how);
    }

    fn next_deadline(&self) -> Option<VirtualTime> {
        None
    }
}
