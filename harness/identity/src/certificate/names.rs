//! Object identifiers and fixed values of the DevKit's certificates.

use crate::PublicKey;
use crate::der::{self, OID, SEQUENCE};

/// id-ecPublicKey, 1.2.840.10045.2.1 (RFC 5480).
const EC_PUBLIC_KEY: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01];
/// secp256r1 or prime256v1, 1.2.840.10045.3.1.7 (RFC 5480).
const PRIME256V1: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07];
/// ecdsa-with-SHA256, 1.2.840.10045.4.3.2 (RFC 5758).
pub const ECDSA_WITH_SHA256: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02];
/// id-sha256, 2.16.840.1.101.3.4.2.1 (RFC 5754).
pub const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
/// id-at-commonName, 2.5.4.3 (RFC 5280).
pub const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// id-at-countryName, 2.5.4.6 (RFC 5280).
pub const COUNTRY: &[u8] = &[0x55, 0x04, 0x06];
/// id-at-organizationName, 2.5.4.10 (RFC 5280).
pub const ORGANIZATION: &[u8] = &[0x55, 0x04, 0x0A];
/// id-ce-subjectAltName, 2.5.29.17 (RFC 5280).
pub const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1D, 0x11];
/// id-ce-basicConstraints, 2.5.29.19 (RFC 5280).
pub const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1D, 0x13];
/// id-ce-extKeyUsage, 2.5.29.37 (RFC 5280).
pub const EXT_KEY_USAGE: &[u8] = &[0x55, 0x1D, 0x25];
/// id-kp-clientAuth, 1.3.6.1.5.5.7.3.2 (RFC 5280).
pub const CLIENT_AUTH: &[u8] = &[0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02];
/// The RIoT identity extension, 1.3.6.1.4.1.311.89.3.1 (Microsoft's arc).
pub const RIOT: &[u8] = &[0x2B, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x59, 0x03, 0x01];

/// The common name of the issuer.
pub const ISSUER: &str = "devkitdice";

/// A SubjectPublicKeyInfo of a P-256 key (RFC 5480).
pub fn subject_public_key_info(key: &PublicKey) -> Vec<u8> {
    let algorithm = der::element(
        SEQUENCE,
        &[
            &der::element(OID, &[EC_PUBLIC_KEY]),
            &der::element(OID, &[PRIME256V1]),
        ],
    );
    der::element(SEQUENCE, &[&algorithm, &der::bit_string(key.as_bytes())])
}
