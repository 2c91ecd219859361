//! Certificate chains, from a device's leaf up to a CA that somebody vouches for.

use std::time::Duration;

use rustls::crypto::WebPkiSupportedAlgorithms;
use x509_parser::asn1_rs::{FromDer as _, Sequence};
use x509_parser::certificate::X509Certificate;

use crate::behaviour::CertificateDates;
use crate::certificate::DeviceCertificate;

/// The most links from a leaf to its anchor.
const LONGEST: usize = 8;
/// The most intermediate certificates of a client that are looked at.
const MOST_INTERMEDIATES: usize = 10;

/// Why a leaf has no anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChainError {
    /// No chain of signatures leads to a known CA.
    NoAnchor,
    /// One does, but over a certificate that is not valid at this time.
    Dates,
}

/// What belongs to the CA that is nearest to `leaf`, among `anchors`.
///
/// Each link's signature is verified, and that the issuer is a CA that may sign certificates
/// (RFC 5280 sections 4.2.1.3, 4.2.1.9); `intermediates` may be in any order.
pub(super) fn nearest<'a, T>(
    verifier: &WebPkiSupportedAlgorithms,
    leaf: &DeviceCertificate,
    intermediates: &[Vec<u8>],
    anchors: &[(&'a DeviceCertificate, &'a T)],
    at: Duration,
    dates: CertificateDates,
) -> Result<&'a T, ChainError> {
    let known: Vec<(X509Certificate<'_>, &T)> = anchors
        .iter()
        .filter_map(|(ca, owner)| Some((ca.parsed()?, *owner)))
        .collect();
    let sent: Vec<X509Certificate<'_>> = intermediates
        .iter()
        .take(MOST_INTERMEDIATES)
        .filter_map(|der| x509_parser::parse_x509_certificate(der).ok())
        .map(|(_, certificate)| certificate)
        .collect();
    let mut current = leaf.parsed().ok_or(ChainError::NoAnchor)?;
    let mut valid = is_valid(&current, at);
    for below in 0..LONGEST {
        let issues = |issuer: &X509Certificate<'_>| issued(verifier, issuer, &current, below);
        if let Some((ca, owner)) = known.iter().find(|(ca, _)| issues(ca)) {
            valid &= is_valid(ca, at);
            return match dates {
                CertificateDates::Checked if !valid => Err(ChainError::Dates),
                CertificateDates::Checked | CertificateDates::Ignored => Ok(owner),
            };
        }
        let next = sent.iter().find(|issuer| issues(issuer));
        current = next.ok_or(ChainError::NoAnchor)?.clone();
        valid &= is_valid(&current, at);
    }
    Err(ChainError::NoAnchor)
}

/// Whether `issuer`, a CA, signed `subject`, which has `below` intermediates below itself.
fn issued(
    verifier: &WebPkiSupportedAlgorithms,
    issuer: &X509Certificate<'_>,
    subject: &X509Certificate<'_>,
    below: usize,
) -> bool {
    issuer.subject().as_raw() == subject.issuer().as_raw()
        && may_sign(issuer, below)
        && signed(verifier, issuer, subject).is_some()
}

fn may_sign(issuer: &X509Certificate<'_>, below: usize) -> bool {
    let Ok(Some(constraints)) = issuer.basic_constraints() else {
        return false;
    };
    let length = constraints.value.path_len_constraint;
    let short_enough =
        length.is_none_or(|length| usize::try_from(length).is_ok_and(|length| below <= length));
    let usage = issuer
        .key_usage()
        .map(|usage| usage.is_none_or(|usage| usage.value.key_cert_sign()));
    constraints.value.ca && short_enough && usage == Ok(true)
}

fn is_valid(certificate: &X509Certificate<'_>, at: Duration) -> bool {
    let validity = certificate.validity();
    i64::try_from(at.as_secs()).is_ok_and(|at| {
        (validity.not_before.timestamp()..=validity.not_after.timestamp()).contains(&at)
    })
}

/// Some, if `subject`'s signature was made with `issuer`'s key.
fn signed(
    verifier: &WebPkiSupportedAlgorithms,
    issuer: &X509Certificate<'_>,
    subject: &X509Certificate<'_>,
) -> Option<()> {
    let key = issuer.public_key();
    let (_, info) = Sequence::from_der(key.raw).ok()?;
    let (_, key_algorithm) = Sequence::from_der(&info.content).ok()?;
    let (_, certificate) = Sequence::from_der(subject.as_raw()).ok()?;
    let after_message = certificate
        .content
        .get(subject.tbs_certificate.as_ref().len()..)?;
    let (_, signature_algorithm) = Sequence::from_der(after_message).ok()?;
    let algorithm = verifier.all.iter().find(|algorithm| {
        algorithm.public_key_alg_id().as_ref() == key_algorithm.content.as_ref()
            && algorithm.signature_alg_id().as_ref() == signature_algorithm.content.as_ref()
    })?;
    let message = subject.tbs_certificate.as_ref();
    algorithm
        .verify_signature(
            &key.subject_public_key.data,
            message,
            &subject.signature_value.data,
        )
        .ok()
}
