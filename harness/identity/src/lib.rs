//! The DevKit's identity, worked out on the host: what certificate a device with this UDS and
//! this firmware must present, and what is wrong with the one that it does present.
//!
//! The chain is UDS → CDI (DICE layer) → DeviceID and alias keys (RIoT core) → X.509
//! certificate for the Device Provisioning Service, as the AZ3166 DevKit SDK builds it.
//! This crate is the oracle of the harness: it shares no code with the firmware, does no I/O
//! and holds every secret in [`az3166_event::Secret`].
//!
//! ```
//! use az3166_identity::{Identity, MeasuredRegions, Profile, Region, RegistrationId, Uds};
//!
//! let uds: Uds = "19e25a259d0c2be03a02d416c05c48ccd0cc7d1743458aae1cb488b074993eae".parse()?;
//! let regions = MeasuredRegions::new(
//!     Region::new(0x0800_C400, b"riot core code".to_vec()),
//!     Region::new(0x0800_C500, b"all other code".to_vec()),
//! )?;
//! let identity = Identity::derive(&uds, &regions)?;
//! let id: RegistrationId = "az-c8934641234bv1v6v5".parse()?;
//! let certificate = identity.alias_certificate(&id, Profile::Strict);
//! assert!(az3166_identity::compare(&certificate, certificate.der())?.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod certificate;
mod der;
mod derive;
mod dsha;
#[doc(hidden)]
pub mod fuzzing;
mod image;
mod key;
mod registration_id;
mod uds;

pub use certificate::{
    Certificate, Difference, Field, Finding, FindingId, ParseError, Profile, Summary, Thumbprints,
    UnknownProfile, compare, findings, recover_device_id_key,
};
pub use derive::{DeriveError, Identity};
pub use dsha::dsha;
pub use image::{
    FlashImage, Flip, ImageError, MeasuredRegions, MeasuredSymbol, Region, RegionName,
    RegionSymbols, gnu_map,
};
pub use key::{KeyPair, PublicKey};
pub use registration_id::{
    FirmwareVersion, FirmwareVersionError, Mac, MacError, RegistrationId, RegistrationIdError,
    RegistrationIdWarning,
};
pub use uds::{Uds, UdsError};
