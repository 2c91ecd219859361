//! A local Device Provisioning Service and IoT Hub, as protocol cores without sockets.
//!
//! [`Cloud`] takes the bytes of numbered connections, the time, and nothing else; it hands back
//! bytes, events and deadlines. Whoever owns the transport drives it: the device's gateway on
//! virtual time, or listeners on real sockets. From the bottom up:
//!
//! - `tls` is the server side of TLS 1.2, `pki` its certificates;
//! - `http` and `mqtt` cut plain text into messages;
//! - [`Provisioning`] and `hub` are the services as state machines that know no transport;
//! - `sas` reads tokens, `tpm` wraps keys for TPMs, `state` writes records down;
//! - `device_api` and `service_api` turn HTTP messages into calls of the former, `cloud` ties
//!   everything to connections;
//! - `fault` spoils exchanges on request.
//!
//! Architecture invariant: a [`Cloud`] on virtual time draws its TLS keys from a seed and shows
//! published certificates. Its type says so ([`Virtual`]), and what opens a socket takes a
//! `Cloud<Wall>` only.

mod behaviour;
mod certificate;
mod clock;
mod cloud;
mod config;
mod device_api;
mod fault;
#[doc(hidden)]
pub mod fuzzing;
mod http;
mod hub;
mod mqtt;
mod percent;
mod pki;
mod provisioning;
mod provisioning_mqtt;
mod registry_api;
mod retention;
mod sas;
mod service_api;
pub mod state;
mod tls;
mod tpm;
mod websocket;

pub use behaviour::{
    Behaviour, BehaviourError, BodyFraming, CertificateDates, CertificateMismatch,
    ConcurrentRegistration, DeletedEnrolment, ExistingEnrolment, IdCase, KeysInReplies,
    MqttCertificateFailure, NameMismatch, Switch, SwitchValue, ThrottleCode, UnknownCa, WrongScope,
};
pub use certificate::{CertificateError, DeviceCertificate};
pub use clock::{Timestamp, VIRTUAL_EPOCH};
pub use cloud::{Cloud, Opening, Port, Then, Transmission};
pub use config::{CloudConfig, CloudError, TimeBase, Virtual, Wall, WallClock};
pub use fault::{Answer, CloudFault, Effect, FAULT_HELP, FaultError, Pattern, Repeat, Rule};
pub use hub::{
    Authentication, ConnectionState, Device, DeviceStatus, HubDeviceRecord, Properties, Telemetry,
    Thumbprint, Twin,
};
#[cfg(feature = "deterministic")]
pub use pki::ServerChain;
pub use pki::{CertificateFault, Chain, HandshakeSchemes, ServerIdentity};
pub use provisioning::{
    AllocationPolicy, Assignment, Attestation, AttestationKind, Completion, Course, Credential,
    DeviceKind, EnrolError, Enrolment, EnrolmentGroup, GroupAttestation, HubDevice, IdError,
    Policy, Proof, Provisioning, ProvisioningStatus, Quota, QuotaError, Quotas, Record, Refusal,
    Register, Registration, RegistrationId, RegistrationState, ReprovisionPolicy, Revision,
    Substatus, TpmIdentity,
};
pub use sas::{
    AccessPolicy, AccessRefusal, KeyError, SymmetricKey, SymmetricKeys, Token, TokenError,
};
pub use tls::TlsVersions;
