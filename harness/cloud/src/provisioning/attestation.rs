//! How devices prove who they are, as enrolments say it.

use crate::certificate::DeviceCertificate;
use crate::sas::SymmetricKeys;

/// How a device with an individual enrolment proves who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attestation {
    /// By a certificate that is, byte for byte, one of these, shown in TLS by who has its key.
    X509 {
        /// The certificate.
        primary: DeviceCertificate,
        /// Another one that is as good.
        secondary: Option<DeviceCertificate>,
    },
    /// By a token signed with one of these keys.
    SymmetricKey(SymmetricKeys),
    /// By its Trusted Platform Module.
    Tpm(TpmIdentity),
}

/// The public keys of a Trusted Platform Module (TPM 2.0 Library, Part 1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TpmIdentity {
    /// The endorsement key, a `TPM2B_PUBLIC`.
    pub endorsement_key: Vec<u8>,
    /// The storage root key, a `TPM2B_PUBLIC`.
    pub storage_root_key: Option<Vec<u8>>,
}

/// How the devices of a group prove who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupAttestation {
    /// By a certificate with a chain to one of these CA certificates.
    X509 {
        /// The CA certificate.
        primary: DeviceCertificate,
        /// Another one that is as good.
        secondary: Option<DeviceCertificate>,
    },
    /// By a token signed with a key that is derived from one of these.
    SymmetricKey(SymmetricKeys),
}

/// What a hub must ask of a device that was assigned to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// One of these certificates.
    X509 {
        /// The certificate.
        primary: DeviceCertificate,
        /// Another one that is as good.
        secondary: Option<DeviceCertificate>,
    },
    /// A token signed with one of these keys.
    SymmetricKey(SymmetricKeys),
}
