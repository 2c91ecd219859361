//! Takes a presented certificate apart, however wrong it is.

use p256::ecdsa::{Signature, VerifyingKey, signature::Verifier};
use sha2::{Digest, Sha256};
use thiserror::Error;
use x509_parser::certificate::X509Certificate;
use x509_parser::oid_registry::Oid;
use x509_parser::prelude::FromDer;

use super::Profile;
use super::names::{RIOT, SHA256, SUBJECT_ALT_NAME, subject_public_key_info};
use crate::PublicKey;
use crate::der::{self, OCTET_STRING, OID, SEQUENCE, context};

/// Why bytes are no certificate.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ParseError {
    /// the presented bytes are no X.509 certificate: {0}
    #[error("the presented bytes are no X.509 certificate: {0}")]
    Malformed(String),
    /// {0} bytes follow the presented certificate
    #[error("{0} bytes follow the presented certificate")]
    Trailing(usize),
}

/// A certificate in parts.
pub struct Presented<'a> {
    pub x509: X509Certificate<'a>,
    /// SHA-256 over the part that is signed.
    pub digest: [u8; 32],
    /// `None` if it is not a DER ECDSA signature with both numbers in range.
    pub signature: Option<Signature>,
    /// `None` if there is no RIoT otherName that can be read in either profile's form.
    pub riot: Option<RiotName>,
}

/// The content of the RIoT otherName.
pub struct RiotName {
    pub form: Profile,
    pub device_id: PublicKey,
    pub fwid: [u8; 32],
}

impl<'a> Presented<'a> {
    pub fn parse(der: &'a [u8]) -> Result<Self, ParseError> {
        let (rest, x509) = X509Certificate::from_der(der)
            .map_err(|error| ParseError::Malformed(error.to_string()))?;
        if !rest.is_empty() {
            return Err(ParseError::Trailing(rest.len()));
        }
        let san = Oid::new(SUBJECT_ALT_NAME.into());
        let riot = x509
            .extensions()
            .iter()
            .find(|extension| extension.oid == san)
            .and_then(|extension| riot_name(extension.value));
        Ok(Self {
            digest: Sha256::digest(x509.tbs_certificate.as_ref()).into(),
            signature: Signature::from_der(&x509.signature_value.data).ok(),
            riot,
            x509,
        })
    }

    /// The subject's public key, if it is an uncompressed P-256 point.
    pub fn alias_key(&self) -> Option<PublicKey> {
        key_of_spki(self.x509.public_key().raw)
    }

    /// Whether `key` made the signature.
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        let verifies = |signature: &Signature| {
            let tbs = self.x509.tbs_certificate.as_ref();
            VerifyingKey::from_sec1_bytes(key.as_bytes())
                .is_ok_and(|key| key.verify(tbs, signature).is_ok())
        };
        self.signature.as_ref().is_some_and(verifies)
    }
}

fn riot_name(general_names: &[u8]) -> Option<RiotName> {
    let (mut names, _) = der::expect(SEQUENCE, general_names)?;
    while let Some((tag, content, rest)) = der::split(names) {
        if tag == context(0)
            && let Some(found) = other_name(content)
        {
            return Some(found);
        }
        names = rest;
    }
    None
}

fn other_name(content: &[u8]) -> Option<RiotName> {
    let (oid, value) = der::expect(OID, content)?;
    if oid != RIOT {
        return None;
    }
    let (form, value) = match der::expect(context(0), value) {
        Some((inner, _)) => (Profile::Strict, inner),
        None => (Profile::Devkit, value),
    };
    let (fields, _) = der::expect(SEQUENCE, value)?;
    let (_version, fields) = der::expect(der::INTEGER, fields)?;
    let (spki, fwid) = der::expect(SEQUENCE, fields)?;
    let (fwid, _) = der::expect(SEQUENCE, fwid)?;
    let (hash, fwid) = der::expect(OID, fwid)?;
    let (fwid, _) = der::expect(OCTET_STRING, fwid)?;
    Some(RiotName {
        form,
        device_id: key_of_spki(&der::element(SEQUENCE, &[spki]))?,
        fwid: fwid.try_into().ok().filter(|_| hash == SHA256)?,
    })
}

/// The key of a SubjectPublicKeyInfo that is exactly what an uncompressed P-256 key has.
fn key_of_spki(spki: &[u8]) -> Option<PublicKey> {
    let key = PublicKey::from_uncompressed(spki.last_chunk::<65>()?)?;
    (subject_public_key_info(&key) == spki).then_some(key)
}
