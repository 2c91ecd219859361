//! The vectors, and images made from them.
#![allow(dead_code, reason = "each test file uses its own part")]

pub mod elf;

use az3166_identity::{Identity, MeasuredRegions, RegistrationId};
use serde::Deserialize;

/// One case made with the DevKit SDK's own tool.
#[derive(Deserialize)]
pub struct Case {
    pub uds: String,
    pub image_base: u32,
    pub image_hex: String,
    pub map: String,
    pub riot_core_sha256: String,
    pub riot_core_len: usize,
    pub riot_fw_len: usize,
    pub registration_id: String,
    pub cdi: String,
    pub device_id_public: String,
    pub alias_private: String,
    pub alias_public: String,
    pub fwid: String,
    pub pem_devkit: String,
    pub pem_strict: String,
    pub mac: Option<String>,
    pub firmware_version: Option<String>,
}

#[derive(Deserialize)]
struct Vectors {
    cases: Vec<Case>,
}

/// All vectors.
pub fn cases() -> Vec<Case> {
    let vectors: Vectors = serde_json::from_str(include_str!("../vectors/identity.json")).unwrap();
    assert_eq!(vectors.cases.len(), 10);
    vectors.cases
}

impl Case {
    pub fn image(&self) -> Vec<u8> {
        hex::decode(&self.image_hex).unwrap()
    }

    pub fn regions(&self) -> MeasuredRegions {
        MeasuredRegions::from_bin_and_map(&self.image(), &self.map).unwrap()
    }

    pub fn identity(&self) -> Identity {
        Identity::derive(&self.uds.parse().unwrap(), &self.regions()).unwrap()
    }

    pub fn id(&self) -> RegistrationId {
        self.registration_id.parse().unwrap()
    }
}
