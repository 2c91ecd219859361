//! One run with services that run elsewhere.

use std::path::Path;
use std::sync::Arc;

use az3166_runner::outside::{OutsideCloud, OutsideError};
use rustls::crypto::ring::default_provider;
use time::OffsetDateTime;
use time::macros::format_description;

use crate::journal::Journal;
use crate::provisioning::Provisioning;
use crate::registry::Registry;
use crate::session::Session;
use crate::settings::Settings;

/// The services' own interfaces.
#[derive(Clone)]
pub(crate) struct Clients {
    pub(crate) provisioning: Arc<Provisioning>,
    pub(crate) registry: Arc<Registry>,
}

/// One run: its name, its journal, its services.
pub struct Azure {
    pub(crate) settings: Settings,
    pub(crate) clients: Clients,
    pub(crate) run: String,
    pub(crate) journal: Journal,
}

impl Azure {
    /// Begins a run: tries both connection strings, and opens its journal in `folder`.
    ///
    /// # Errors
    /// A service cannot be reached or refuses, or there can be no journal.
    pub fn start(settings: Settings, folder: &Path) -> Result<Arc<Self>, OutsideError> {
        let clients = Clients {
            provisioning: Arc::new(Provisioning::new(&settings.services)),
            registry: Arc::new(Registry::new(&settings.services)),
        };
        let run = run_name()?;
        // Nothing has this name: the services answer that, or say who may not ask.
        clients.provisioning.enrolled_device(&run)?;
        clients.registry.device(&run)?;
        let journal = Journal::start(folder, &run)?;
        Ok(Arc::new(Self {
            settings,
            clients,
            run,
            journal,
        }))
    }

    /// The run's name, which every device of it begins with: `hil-...`.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// The cloud of one scenario.
    pub fn session(self: &Arc<Self>) -> Box<dyn OutsideCloud> {
        Box::new(Session::new(Arc::clone(self)))
    }
}

/// `hil-<time>-<random>`, in letters that every id may have.
fn run_name() -> Result<String, OutsideError> {
    let mut random = [0; 3];
    let trouble = |what: &str| OutsideError {
        what: what.into(),
        todo: "try again".into(),
    };
    default_provider()
        .secure_random
        .fill(&mut random)
        .map_err(|_| trouble("the system gives no random numbers"))?;
    let form = format_description!("[year][month][day]t[hour][minute][second]");
    let time = OffsetDateTime::now_utc()
        .format(form)
        .map_err(|_| trouble("the system's time cannot be written"))?;
    let [a, b, c] = random;
    Ok(format!("hil-{time}-{a:02x}{b:02x}{c:02x}"))
}
