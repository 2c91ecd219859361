//! Who a device is, and whether it proved it.

use az3166_event::VirtualTime;

use super::attestation::{Attestation, Credential, GroupAttestation};
use super::chain;
use super::id::{LONGEST_COMMON_NAME, RegistrationId};
use super::policy::ProvisioningStatus;
use super::registration::AttestationKind;
use super::{Proof, Provisioning, Refusal};
use crate::behaviour::{CertificateMismatch, IdCase, NameMismatch, UnknownCa};
use crate::certificate::DeviceCertificate;
use crate::sas::{SymmetricKeys, Token};

/// The enrolment or group that decides over a device.
#[derive(Clone, Debug)]
pub(super) struct Admission {
    pub(super) source: Source,
    pub(super) provisioning_status: ProvisioningStatus,
    pub(super) attestation: AttestationKind,
    /// Whether the device proved to be the one that is meant.
    pub(super) verdict: Result<(), Refusal>,
}

/// Where a device's assignment comes from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// Its own enrolment.
    Individual,
    /// A group.
    Group {
        /// Which one.
        group_id: String,
        /// What the hub must ask of the device.
        credential: Credential,
    },
}

impl Source {
    pub(super) fn group_id(&self) -> Option<&str> {
        match self {
            Self::Individual => None,
            Self::Group { group_id, .. } => Some(group_id),
        }
    }
}

impl Credential {
    /// What a hub asks of a device with an individual enrolment; for a TPM it is made anew.
    pub(super) fn of(attestation: &Attestation) -> Option<Self> {
        match attestation {
            Attestation::X509 { primary, secondary } => Some(Self::X509 {
                primary: primary.clone(),
                secondary: secondary.clone(),
            }),
            Attestation::SymmetricKey(keys) => Some(Self::SymmetricKey(keys.clone())),
            Attestation::Tpm(_) => None,
        }
    }
}

impl Provisioning {
    /// Checks scope and id, in this order of precedence: the id's form, the scope.
    pub(super) fn identify(
        &self,
        id_scope: &str,
        registration_id: &str,
        proof: Proof<'_>,
    ) -> Result<RegistrationId, Refusal> {
        let id =
            RegistrationId::parse(registration_id).map_err(|_| Refusal::InvalidRegistrationId)?;
        let refuse_case = self.behaviour.id_case == IdCase::RefuseUpperCase && id.has_upper_case();
        let too_long_for_x509 =
            matches!(proof, Proof::Certificate { .. }) && id.as_str().len() > LONGEST_COMMON_NAME;
        if refuse_case || too_long_for_x509 {
            return Err(Refusal::InvalidRegistrationId);
        }
        if id_scope != self.id_scope {
            return Err(Refusal::WrongScope(self.behaviour.wrong_scope));
        }
        Ok(id)
    }

    /// Finds the enrolment or the group that decides over `id`: its own enrolment, then the group
    /// that the proof leads to.
    pub(super) fn candidate(
        &self,
        now: VirtualTime,
        id: &RegistrationId,
        proof: Proof<'_>,
    ) -> Result<Admission, Refusal> {
        if let Some(record) = self.store.enrolment(&id.key()) {
            let attestation = &record.value.attestation;
            return Ok(Admission {
                source: Source::Individual,
                provisioning_status: record.value.policy.provisioning_status,
                attestation: match attestation {
                    Attestation::X509 { .. } => AttestationKind::X509,
                    Attestation::SymmetricKey(_) => AttestationKind::SymmetricKey,
                    Attestation::Tpm(_) => AttestationKind::Tpm,
                },
                verdict: self.attest(now, id, attestation, proof),
            });
        }
        match proof {
            Proof::Nothing => Err(Refusal::EnrolmentNotFound),
            Proof::Certificate {
                leaf,
                intermediates,
            } => self.certificate_group(now, id, leaf, intermediates),
            Proof::Token(text) => self.key_group(now, id, text),
        }
    }

    /// Whether the device behind a registration may learn of it.
    pub(super) fn may_look(
        &self,
        now: VirtualTime,
        id: &RegistrationId,
        proof: Proof<'_>,
    ) -> Result<(), Refusal> {
        let verdict = self.candidate(now, id, proof)?.verdict;
        // With `FailOperation` a device with a wrong certificate may learn that it failed.
        match (verdict, self.behaviour.certificate_mismatch) {
            (Err(Refusal::InvalidCertificate), CertificateMismatch::FailOperation) => Ok(()),
            (verdict, _) => verdict,
        }
    }

    /// Whether `proof` shows that the device is the enrolled one.
    fn attest(
        &self,
        now: VirtualTime,
        id: &RegistrationId,
        attestation: &Attestation,
        proof: Proof<'_>,
    ) -> Result<(), Refusal> {
        match (attestation, proof) {
            (Attestation::X509 { primary, secondary }, Proof::Certificate { leaf, .. }) => {
                if leaf == primary || Some(leaf) == secondary.as_ref() {
                    self.named(leaf, id)
                } else {
                    Err(Refusal::InvalidCertificate)
                }
            }
            (Attestation::SymmetricKey(keys), Proof::Token(text)) => {
                self.token(now, id, text, keys)
            }
            (Attestation::Tpm(_), Proof::Token(text)) => {
                let challenge = self.challenges.get(&id.key());
                let challenge = challenge.filter(|challenge| now < challenge.expires);
                let keys = &challenge.ok_or(Refusal::Unauthorized)?.keys;
                self.token(now, id, text, keys)
            }
            _ => Err(Refusal::Unauthorized),
        }
    }

    /// Whether `text` is a token of the device `id`, signed with one of `keys`.
    fn token(
        &self,
        now: VirtualTime,
        id: &RegistrationId,
        text: &str,
        keys: &SymmetricKeys,
    ) -> Result<(), Refusal> {
        let token = Token::parse(text).map_err(|_| Refusal::Unauthorized)?;
        let resource = format!("{}/registrations/{}", self.id_scope, id.as_str());
        let named = token
            .key_name()
            .is_none_or(|name| name.eq_ignore_ascii_case(KEY_NAME));
        let good = named
            && token.is_for(&resource)
            && !token.is_expired(self.epoch.since_1970(now))
            && (token.is_signed_by(&keys.primary) || token.is_signed_by(&keys.secondary));
        if good {
            Ok(())
        } else {
            Err(Refusal::Unauthorized)
        }
    }

    fn key_group(
        &self,
        now: VirtualTime,
        id: &RegistrationId,
        text: &str,
    ) -> Result<Admission, Refusal> {
        let mut refusal = Refusal::EnrolmentNotFound;
        for record in self.store.groups() {
            let GroupAttestation::SymmetricKey(keys) = &record.value.attestation else {
                continue;
            };
            let keys = keys.derive(id.as_str());
            match self.token(now, id, text, &keys) {
                Ok(()) => {
                    return Ok(Admission {
                        source: Source::Group {
                            group_id: record.value.group_id.to_ascii_lowercase(),
                            credential: Credential::SymmetricKey(keys),
                        },
                        provisioning_status: record.value.policy.provisioning_status,
                        attestation: AttestationKind::SymmetricKey,
                        verdict: Ok(()),
                    });
                }
                Err(other) => refusal = other,
            }
        }
        Err(refusal)
    }

    fn certificate_group(
        &self,
        now: VirtualTime,
        id: &RegistrationId,
        leaf: &DeviceCertificate,
        intermediates: &[Vec<u8>],
    ) -> Result<Admission, Refusal> {
        let groups: Vec<_> = self
            .store
            .groups()
            .flat_map(|record| {
                let cas = match &record.value.attestation {
                    GroupAttestation::X509 { primary, secondary } => {
                        core::iter::once(primary).chain(secondary).collect()
                    }
                    GroupAttestation::SymmetricKey(_) => Vec::new(),
                };
                cas.into_iter().map(move |ca| (ca, &record.value))
            })
            .collect();
        if groups.is_empty() || leaf.is_self_issued() {
            return Err(Refusal::EnrolmentNotFound);
        }
        let at = self.epoch.since_1970(now);
        let dates = self.behaviour.certificate_dates;
        let group = chain::nearest(&self.verifier, leaf, intermediates, &groups, at, dates)
            .map_err(|error| match error {
                chain::ChainError::NoAnchor => match self.behaviour.unknown_ca {
                    UnknownCa::CaNotFound => Refusal::CaNotFound,
                    UnknownCa::EnrolmentNotFound => Refusal::EnrolmentNotFound,
                },
                chain::ChainError::Dates => Refusal::InvalidCertificate,
            })?;
        Ok(Admission {
            source: Source::Group {
                group_id: group.group_id.to_ascii_lowercase(),
                credential: Credential::X509 {
                    primary: leaf.clone(),
                    secondary: None,
                },
            },
            provisioning_status: group.policy.provisioning_status,
            attestation: AttestationKind::X509,
            verdict: self.named(leaf, id),
        })
    }
}

impl Provisioning {
    /// Whether `leaf`, whose chain or bytes are right, is the device `id`'s.
    fn named(&self, leaf: &DeviceCertificate, id: &RegistrationId) -> Result<(), Refusal> {
        match (leaf.common_name(), self.behaviour.name_mismatch) {
            (Some(name), _) if id.is(name) => Ok(()),
            (_, NameMismatch::InvalidCertificate) => Err(Refusal::InvalidCertificate),
            (_, other) => Err(Refusal::NameMismatch(other)),
        }
    }
}

/// The key name (`skn`) of device tokens, which some clients leave out.
const KEY_NAME: &str = "registration";
