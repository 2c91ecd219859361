//! What a scenario file says.

mod cloud;
mod count;
mod document;
mod one_or_many;
mod pattern;
mod scalar;
mod scenario;
mod settings;

pub use cloud::{CloudSetup, Enrolment, EnrolmentStatus, HubPresence, Refusal, ServerChain};
pub use count::{Count, IntervalRange, Repeat, Times};
pub use document::{Document, Tags};
pub use one_or_many::OneOrMany;
pub use pattern::{EventName, EventPattern, Judgement, MemberPatterns};
pub use scalar::{HexBytes, Label, Percent, RegistrationId, Scalar, SecretUds, Zone};
pub use scenario::{NamedSecret, Scenario, ScenarioFile, Step};
pub use settings::{Boot, FirmwareVariant, IdentityInput, Profile, TrustAnchor};
