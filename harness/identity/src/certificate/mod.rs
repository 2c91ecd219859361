//! X.509 certificates of the DevKit: made, taken apart, compared and criticised.

pub(crate) mod build;
mod compare;
mod finding;
mod names;
mod nonce;
mod parse;
mod summary;

use core::fmt;
use core::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use thiserror::Error;

pub use compare::{Difference, Field, compare};
pub use finding::{Finding, FindingId, findings};
pub use nonce::recover_device_id_key;
pub use parse::ParseError;
pub use summary::Summary;

/// In which of two forms certificates are made. Keys are the same in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Profile {
    /// A nonce by RFC 6979 and an otherName as RFC 5280 demands it: every tool takes it.
    Strict,
    /// What stock firmware and the DevKit SDK's tool make, bit for bit: a constant nonce, which
    /// gives the DeviceID key away, and a malformed otherName, which OpenSSL refuses.
    Devkit,
}

/// there is no certificate profile {0:?}; give strict or devkit
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("there is no certificate profile {0:?}; give strict or devkit")]
pub struct UnknownProfile(String);

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(text: &str) -> Result<Self, UnknownProfile> {
        match text {
            "strict" => Ok(Self::Strict),
            "devkit" => Ok(Self::Devkit),
            _ => Err(UnknownProfile(text.into())),
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Strict => "strict",
            Self::Devkit => "devkit",
        })
    }
}

/// A certificate as DER bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
}

/// The two digests by which services and tools name a certificate, as upper-case hex digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thumbprints {
    /// SHA-1 over the DER bytes.
    pub sha1: String,
    /// SHA-256 over the DER bytes.
    pub sha256: String,
}

impl Certificate {
    /// Takes DER bytes as they are; whether they are a certificate shows when they are read.
    pub const fn from_der(der: Vec<u8>) -> Self {
        Self { der }
    }

    /// The DER bytes.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The PEM text as the DevKit SDK's tool writes it: all base64 digits on one line.
    pub fn to_pem(&self) -> String {
        let base64 = STANDARD.encode(&self.der);
        format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n")
    }

    /// Its thumbprints.
    pub fn thumbprints(&self) -> Thumbprints {
        Thumbprints::of(&self.der)
    }
}

impl Thumbprints {
    /// The thumbprints of any DER certificate.
    pub fn of(der: &[u8]) -> Self {
        Self {
            sha1: hex::encode_upper(Sha1::digest(der)),
            sha256: hex::encode_upper(Sha256::digest(der)),
        }
    }
}
