//! Removing what runs made: at their end, or after they were killed.

use std::path::Path;

use az3166_runner::outside::OutsideError;

use crate::journal::{Found, Journal, JournalError, Planned};
use crate::provisioning::Provisioning;
use crate::registry::Registry;
use crate::rest::ServiceError;
use crate::settings::Services;

/// What became of something that a run left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Swept {
    /// Enrolment, registration and device are gone.
    Removed {
        /// The registration id.
        registration_id: String,
        /// The device id.
        device_id: String,
    },
    /// It belongs to services that the connection strings are not for.
    Elsewhere {
        /// The device id.
        device_id: String,
        /// The provisioning service's host.
        provisioning: String,
        /// The hub's host.
        hub: String,
    },
    /// The run goes on: its things are left alone.
    InUse {
        /// The run's name.
        run: String,
    },
}

/// Removes what the journals in `folder` say that killed runs left.
///
/// # Errors
/// A journal cannot be read, or a service does not do what it is asked.
pub fn sweep(services: &Services, folder: &Path) -> Result<Vec<Swept>, OutsideError> {
    let (provisioning, registry) = (Provisioning::new(services), Registry::new(services));
    let mut swept = Vec::new();
    for path in Journal::all(folder)? {
        let journal = match Journal::open(&path)? {
            Found::Left(journal) => journal,
            Found::InUse => {
                let run = path.file_stem().unwrap_or_default();
                let run = run.to_string_lossy().into_owned();
                swept.push(Swept::InUse { run });
                continue;
            }
        };
        for planned in journal.outstanding() {
            if planned.provisioning != provisioning.host() || planned.hub != registry.host() {
                swept.push(Swept::Elsewhere {
                    device_id: planned.device_id,
                    provisioning: planned.provisioning,
                    hub: planned.hub,
                });
                continue;
            }
            remove(&provisioning, &registry, &planned)?;
            journal.removed(&planned)?;
            swept.push(Swept::Removed {
                registration_id: planned.registration_id,
                device_id: planned.device_id,
            });
        }
    }
    Ok(swept)
}

/// Removes one enrolment with what followed from it. What carries another run's device id is
/// somebody else's, and stays.
pub(crate) fn remove(
    provisioning: &Provisioning,
    registry: &Registry,
    planned: &Planned,
) -> Result<(), ServiceError> {
    let (id, device_id) = (&planned.registration_id, &planned.device_id);
    // First, so that the device cannot come back.
    if provisioning.enrolled_device(id)?.as_ref() == Some(device_id) {
        provisioning.unenrol(id)?;
    }
    let registration = provisioning.registration(id)?;
    if registration.is_some_and(|it| it.device_id.as_ref() == Some(device_id)) {
        provisioning.forget(id)?;
    }
    registry.delete(device_id)
}

impl From<JournalError> for OutsideError {
    fn from(error: JournalError) -> Self {
        Self {
            what: error.to_string(),
            todo: "give another folder with --journal".into(),
        }
    }
}
