//! A Device Provisioning Service and an IoT Hub that run elsewhere, as the cloud of scenarios.
//!
//! [`Settings`] come from the environment. [`Azure`] is one run with them: it gives each scenario a
//! [`Session`](az3166_runner::outside::OutsideCloud), which forwards the device's connections to
//! the hosts on its list and to no other (`forward`, `route`, `address`), enrols over the service's
//! own interface (`provisioning`), looks into the hub's registry (`registry`, `watch`), and removes
//! what it made. What it is about to make stands in a journal first ([`Journal`]), so that
//! [`sweep`] can remove what a killed run left.

mod address;
mod azure;
mod forward;
mod journal;
mod provisioning;
mod registry;
mod rest;
mod route;
mod sas;
mod session;
mod settings;
mod sweep;
#[cfg(test)]
mod tests;
mod watch;

pub use address::refusal;
pub use azure::Azure;
pub use journal::{Journal, JournalError, default_folder};
pub use rest::ServiceError;
pub use route::{Detour, Routes};
pub use settings::{ConnectionString, Services, Settings, SettingsError, variables};
pub use sweep::{Swept, sweep};
