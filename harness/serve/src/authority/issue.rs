//! The certificates that the authority issues.

use std::collections::BTreeMap;
use std::sync::Arc;

use az3166_cloud::{CertificateFault, Chain, HandshakeSchemes, ServerIdentity};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    NameConstraints, SanType,
};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use time::{Duration, OffsetDateTime};

/// The authority is good for hosts below these names alone.
const SUFFIXES: [&str; 2] = ["azure-devices-provisioning.net", "azure-devices.net"];

/// How long an authority lasts.
pub(super) const LIFE: Duration = Duration::days(365);

/// Clients' clocks may go slow by this much.
const SLOW_CLOCKS: Duration = Duration::hours(1);

/// From when until when a certificate is valid.
#[derive(Clone, Copy, Debug)]
struct Validity {
    from: OffsetDateTime,
    until: OffsetDateTime,
}

/// A root certificate for `key`, valid from now on, for the hosts of Azure's suffixes alone.
pub(super) fn root(key: &KeyPair, now: OffsetDateTime) -> Result<Vec<u8>, rcgen::Error> {
    let name = format!("hil local cloud {}", short_key_id(key));
    let validity = Validity {
        from: now - SLOW_CLOCKS,
        until: now + LIFE,
    };
    let mut params = authority(&name, validity, BasicConstraints::Constrained(1));
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: SUFFIXES
            .map(|suffix| GeneralSubtree::DnsName(suffix.to_owned()))
            .to_vec(),
        // An address is no name, and would be free of constraints without these.
        excluded_subtrees: vec![
            GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix([0; 4], 0)),
            GeneralSubtree::IpAddress(CidrSubnet::from_v6_prefix([0; 16], 0)),
        ],
    });
    Ok(params.self_signed(key)?.der().to_vec())
}

/// What all of a server's certificates are made from.
pub(super) struct Workshop<'a> {
    pub(super) root: &'a [u8],
    pub(super) root_key: &'a KeyPair,
    /// The key of the certificate between root and leaves.
    pub(super) issuing_key: &'a KeyPair,
    /// Every host name that the server answers to.
    pub(super) names: &'a [String],
    pub(super) now: OffsetDateTime,
    /// When the root's time is over.
    pub(super) until: OffsetDateTime,
}

impl Workshop<'_> {
    /// A server's certificates for `key`: the good chain and one for each fault.
    pub(super) fn identity(&self, key: &KeyPair) -> Result<ServerIdentity, rcgen::Error> {
        let root = Issuer::from_ca_cert_der(&CertificateDer::from(self.root), self.root_key)?;
        let validity = Validity {
            from: self.now - SLOW_CLOCKS,
            until: self.until,
        };
        let path_end = BasicConstraints::Constrained(0);
        let middle = authority("hil local cloud issuing", validity, path_end);
        let middle_der = middle.signed_by(self.issuing_key, &root)?.der().to_vec();
        let issuing = Issuer::from_params(&middle, self.issuing_key);
        let leaf = |names: &[String], validity| -> Result<Vec<u8>, rcgen::Error> {
            let params = server(names, validity)?;
            Ok(params.signed_by(key, &issuing)?.der().to_vec())
        };
        let whole = |leaf: Vec<u8>| Chain(vec![leaf, middle_der.clone()]);
        let sans = self.sans();
        let good = leaf(&sans, validity)?;
        let expired = Validity {
            from: self.now - Duration::days(30),
            until: self.now - Duration::days(1),
        };
        let not_yet_valid = Validity {
            from: self.now + Duration::days(30),
            until: self.now + Duration::days(60),
        };
        let elsewhere = ["another-host.azure-devices.net".to_owned()];
        let mut faulty = BTreeMap::new();
        for fault in CertificateFault::ALL {
            let chain = match fault {
                CertificateFault::Expired => whole(leaf(&sans, expired)?),
                CertificateFault::NotYetValid => whole(leaf(&sans, not_yet_valid)?),
                CertificateFault::WrongName => whole(leaf(&elsewhere, validity)?),
                CertificateFault::UnknownCa => {
                    let stranger = authority("a stranger", validity, path_end);
                    self.by_stranger(&stranger, key, validity)?
                }
                CertificateFault::ImpostorCa => {
                    let mut impostor = authority("", validity, path_end);
                    impostor.distinguished_name = common_name_of(self.root)?;
                    self.by_stranger(&impostor, key, validity)?
                }
                CertificateFault::MissingIntermediate => Chain(vec![good.clone()]),
            };
            faulty.insert(fault, chain);
        }
        Ok(ServerIdentity {
            root: self.root.to_vec(),
            chain: whole(good),
            faulty,
            key: Arc::new(PrivatePkcs8KeyDer::from(key.serialize_der())),
            schemes: HandshakeSchemes::All,
        })
    }

    /// A leaf below a root that nobody trusts and whose key nobody keeps.
    fn by_stranger(
        &self,
        params: &CertificateParams,
        key: &KeyPair,
        validity: Validity,
    ) -> Result<Chain, rcgen::Error> {
        let stranger = KeyPair::generate()?;
        let issuer = Issuer::from_params(params, &stranger);
        let leaf = server(&self.sans(), validity)?.signed_by(key, &issuer)?;
        Ok(Chain(vec![leaf.der().to_vec()]))
    }

    /// The server's names, and a wildcard for each suffix, as Azure's certificates have it.
    fn sans(&self) -> Vec<String> {
        let wildcards = SUFFIXES.iter().map(|suffix| format!("*.{suffix}"));
        let names = self.names.iter().map(|name| name.to_ascii_lowercase());
        let mut sans: Vec<String> = names.chain(wildcards).collect();
        sans.dedup();
        sans
    }
}

/// Whether the authority may issue a certificate for `host`.
pub(super) fn is_permitted(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    SUFFIXES.iter().any(|suffix| {
        let before = host.strip_suffix(suffix);
        before.is_some_and(|before| before.len() > 1 && before.ends_with('.'))
    })
}

fn authority(name: &str, validity: Validity, path: BasicConstraints) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::OrganizationName, "hil");
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(path);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = validity.from;
    params.not_after = validity.until;
    params.use_authority_key_identifier_extension = true;
    params
}

fn server(names: &[String], validity: Validity) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    if let Some(name) = names.first() {
        params
            .distinguished_name
            .push(DnType::CommonName, name.as_str());
    }
    let san = |name: &String| Ok(SanType::DnsName(name.as_str().try_into()?));
    params.subject_alt_names = names.iter().map(san).collect::<Result<_, rcgen::Error>>()?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.not_before = validity.from;
    params.not_after = validity.until;
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

/// The subject of a certificate of this authority: an organisation and a common name.
fn common_name_of(der: &[u8]) -> Result<DistinguishedName, rcgen::Error> {
    let unreadable = |_| rcgen::Error::CouldNotParseCertificate;
    let (_, certificate) = x509_parser::parse_x509_certificate(der).map_err(unreadable)?;
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "hil");
    for part in certificate.subject().iter_common_name() {
        name.push(DnType::CommonName, part.as_str().unwrap_or_default());
    }
    Ok(name)
}

/// Eight hex digits that tell two keys apart.
fn short_key_id(key: &KeyPair) -> String {
    use sha2::Digest as _;
    hex::encode(&sha2::Sha256::digest(key.public_key_raw())[..4])
}
