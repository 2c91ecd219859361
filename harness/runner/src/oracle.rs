//! What the device must present, worked out from its image and its UDS.

use az3166_identity::{
    Certificate, FirmwareVersion, Identity, Mac, MeasuredRegions, Profile, RegistrationId, Uds,
};
use az3166_scenario::{IdentityInput, RegistrationId as WantedId};

use crate::steps::StepError;

/// The oracle for one image on one board.
#[derive(Clone, Debug)]
pub struct Oracle {
    regions: Result<MeasuredRegions, String>,
    mac: Mac,
    version: FirmwareVersion,
    profile: Profile,
}

impl Oracle {
    /// The oracle for the firmware in `elf`, which reports `version` and makes `profile`
    /// certificates, on a board with `mac`.
    pub fn new(elf: &[u8], mac: Mac, version: FirmwareVersion, profile: Profile) -> Self {
        let regions = MeasuredRegions::from_elf(elf).map_err(|error| error.to_string());
        Self {
            regions,
            mac,
            version,
            profile,
        }
    }

    /// The same firmware on the board with `mac`.
    #[must_use]
    pub fn on_board(mut self, mac: Mac) -> Self {
        self.mac = mac;
        self
    }

    /// Inverts `bits` of the byte at `address`, where it is measured.
    pub fn flip(&mut self, address: u32, bits: u8) {
        if let Ok(regions) = &mut self.regions {
            regions.flip(address, bits);
        }
    }

    /// The registration id as text; an own one is taken as it is written, even if it is wrong.
    pub fn registration_id_text(&self, id: &WantedId) -> Result<String, StepError> {
        Ok(match id {
            WantedId::Default => RegistrationId::of_device(&self.mac, &self.version).to_string(),
            WantedId::Custom(text) => text.expose().to_owned(),
        })
    }

    /// The keys that the device derives from `uds`.
    pub fn identity(&self, uds: &Uds) -> Result<Identity, StepError> {
        let regions = self.regions.as_ref().map_err(|reason| {
            StepError::setup(
                format!("the firmware's measured regions are not known: {reason}"),
                "give the ELF the four symbols of the firmware contract",
            )
        })?;
        Identity::derive(uds, regions)
            .map_err(|error| StepError::setup(error.to_string(), "use another UDS"))
    }

    /// The alias certificate for `input`, and its registration id.
    pub fn certificate(&self, input: &IdentityInput) -> Result<(Certificate, String), StepError> {
        let uds = input.uds.as_ref().ok_or_else(|| {
            StepError::setup(
                "the oracle has no UDS to compute with",
                "set `vars: {uds: ...}` or `identity: {uds: ...}`",
            )
        })?;
        let identity = self.identity(&Uds::new(uds.secret().clone()))?;
        let text = self.id_of(input)?;
        let id: RegistrationId = text.parse().map_err(|error| {
            StepError::setup(
                format!("the oracle makes no certificate for the id `{text}`: {error}"),
                "use 1 to 128 of a-z, 0-9 and -",
            )
        })?;
        let profile = match input.profile {
            Some(az3166_scenario::Profile::Strict) => Profile::Strict,
            Some(az3166_scenario::Profile::Devkit) => Profile::Devkit,
            None => self.profile,
        };
        Ok((identity.alias_certificate(&id, profile), text))
    }

    fn id_of(&self, input: &IdentityInput) -> Result<String, StepError> {
        if let Some(WantedId::Custom(text)) = &input.registration_id {
            return Ok(text.expose().to_owned());
        }
        let mac = match &input.mac {
            Some(mac) => mac.expose().parse().map_err(|error| {
                StepError::setup(format!("`mac`: {error}"), "give 12 hex digits")
            })?,
            None => self.mac.clone(),
        };
        let version = match &input.firmware_version {
            Some(version) => version.expose().parse().map_err(|error| {
                StepError::setup(format!("`firmware_version`: {error}"), "give num.num.num")
            })?,
            None => self.version.clone(),
        };
        Ok(RegistrationId::of_device(&mac, &version).to_string())
    }
}
