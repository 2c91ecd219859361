//! The certificate authority that clients are told to trust: made on the first start, kept in a
//! folder that is closed to others, good for Azure's host names alone.
//!
//! Keys are kept; certificates below the root are issued anew at each start, for the host names of
//! that start.

mod folder;
mod issue;

use std::path::{Path, PathBuf};

use az3166_cloud::ServerIdentity;
use rand_core::SeedableRng as _;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256};
use rsa::pkcs8::EncodePrivateKey as _;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::{PemObject as _, SectionKind};
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

pub use folder::FolderError;
pub(crate) use folder::{PrivateFolder, Readers, open_private, replace};
use issue::Workshop;

/// The root's certificate and all keys, PEM, for the owner alone: one file, so that it is whole or
/// not there.
const PRIVATE_FILE: &str = "authority.pem";

/// The root's certificate, for clients.
const PUBLIC_FILE: &str = "ca.pem";

/// An authority with less time left is replaced at the next start.
const NEAR_EXPIRY: Duration = Duration::days(30);

/// Bits of an RSA key.
const RSA_BITS: usize = 2048;

/// A certificate authority with its servers' keys.
pub struct Authority {
    folder: PrivateFolder,
    root: Vec<u8>,
    not_after: OffsetDateTime,
    keys: Keys,
}

/// The keys, in the order of the file.
struct Keys {
    root: KeyPair,
    issuing: KeyPair,
    server_rsa: KeyPair,
    server_ec: KeyPair,
}

/// How an authority came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// There was none.
    Made,
    /// It was there.
    Kept,
    /// The old one was over, or nearly: clients need the new file.
    Renewed,
}

/// A server's certificates, for clients that take either kind of signature.
#[derive(Clone, Debug)]
pub struct Identities {
    /// With an RSA-2048 key.
    pub rsa: ServerIdentity,
    /// With a P-256 key.
    pub ec: ServerIdentity,
}

/// Why there is no authority.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The folder for its keys cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// {path} is not what was written there ({reason}): remove it to have a new authority made.
    #[error(
        "{} is not what was written there ({reason}): remove it to have a new authority made",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// {host:?} is no host that the local authority may vouch for: it must end in
    /// `.azure-devices-provisioning.net` or `.azure-devices.net`.
    #[error(
        "{host:?} is no host that the local authority may vouch for: it must end in `.azure-devices-provisioning.net` or `.azure-devices.net`"
    )]
    Host {
        /// The host.
        host: String,
    },
    /// Making keys or certificates failed: {reason}.
    #[error("making keys or certificates failed: {reason}")]
    Issue {
        /// The library's words.
        reason: String,
    },
}

impl From<rcgen::Error> for AuthorityError {
    fn from(error: rcgen::Error) -> Self {
        Self::Issue {
            reason: error.to_string(),
        }
    }
}

impl Authority {
    /// The authority of the folder `path`; makes it where there is none, or none that lasts.
    ///
    /// # Errors
    /// The folder is open to others or cannot be used, or holds something else.
    pub fn open(
        path: &Path,
        now: OffsetDateTime,
        provider: &CryptoProvider,
    ) -> Result<(Self, Standing), AuthorityError> {
        let folder = PrivateFolder::open(path)?;
        let _lock = folder.lock()?;
        let (authority, standing) = match folder.read(PRIVATE_FILE)?.map(Zeroizing::new) {
            None => (Self::make(folder, now, provider)?, Standing::Made),
            Some(bytes) => {
                let kept = Self::read(folder.clone(), &bytes)?;
                if kept.not_after - now < NEAR_EXPIRY {
                    (Self::make(folder, now, provider)?, Standing::Renewed)
                } else {
                    (kept, Standing::Kept)
                }
            }
        };
        let public = pem("CERTIFICATE", &authority.root);
        if authority.folder.read(PUBLIC_FILE)?.as_deref() != Some(public.as_bytes()) {
            let folder = &authority.folder;
            folder.replace(PUBLIC_FILE, public.as_bytes(), Readers::All)?;
        }
        Ok((authority, standing))
    }

    /// The folder of the keys.
    pub(crate) fn folder(&self) -> &PrivateFolder {
        &self.folder
    }

    /// The file that clients must trust.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path(PUBLIC_FILE)
    }

    /// Certificates for a server with these host names.
    ///
    /// # Errors
    /// A name is none of Azure's.
    pub fn identities(
        &self,
        names: &[String],
        now: OffsetDateTime,
    ) -> Result<Identities, AuthorityError> {
        if let Some(host) = names.iter().find(|name| !issue::is_permitted(name)) {
            return Err(AuthorityError::Host { host: host.clone() });
        }
        let workshop = Workshop {
            root: &self.root,
            root_key: &self.keys.root,
            issuing_key: &self.keys.issuing,
            names,
            now,
            until: self.not_after,
        };
        Ok(Identities {
            rsa: workshop.identity(&self.keys.server_rsa)?,
            ec: workshop.identity(&self.keys.server_ec)?,
        })
    }

    fn make(
        folder: PrivateFolder,
        now: OffsetDateTime,
        provider: &CryptoProvider,
    ) -> Result<Self, AuthorityError> {
        let keys = Keys::make(provider)?;
        let root = issue::root(&keys.root, now)?;
        let mut text = Zeroizing::new(pem("CERTIFICATE", &root));
        for key in keys.all() {
            text.push_str(&Zeroizing::new(key.serialize_pem()));
        }
        folder.replace(PRIVATE_FILE, text.as_bytes(), Readers::Owner)?;
        Self::read(folder, text.as_bytes())
    }

    fn read(folder: PrivateFolder, bytes: &[u8]) -> Result<Self, AuthorityError> {
        let parsed = parse(bytes);
        let (root, not_after, keys) = parsed.map_err(|reason| AuthorityError::Damaged {
            path: folder.path(PRIVATE_FILE),
            reason,
        })?;
        Ok(Self {
            folder,
            root,
            not_after,
            keys,
        })
    }
}

impl Keys {
    fn make(provider: &CryptoProvider) -> Result<Self, AuthorityError> {
        // An RSA key takes most of a second; three side by side take no longer.
        let (root, issuing, server_rsa) = std::thread::scope(|scope| {
            let issuing = scope.spawn(|| rsa_key(provider));
            let server = scope.spawn(|| rsa_key(provider));
            let root = rsa_key(provider);
            let died = |_| AuthorityError::Issue {
                reason: "a thread that makes keys died".into(),
            };
            Ok::<_, AuthorityError>((
                root?,
                issuing.join().map_err(died)??,
                server.join().map_err(died)??,
            ))
        })?;
        Ok(Self {
            root,
            issuing,
            server_rsa,
            server_ec: KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?,
        })
    }

    fn all(&self) -> [&KeyPair; 4] {
        [&self.root, &self.issuing, &self.server_rsa, &self.server_ec]
    }
}

/// A new RSA key; ring, which signs with it, cannot make one.
fn rsa_key(provider: &CryptoProvider) -> Result<KeyPair, AuthorityError> {
    let failed = |reason: String| AuthorityError::Issue { reason };
    let mut seed = Zeroizing::new([0; 32]);
    provider
        .secure_random
        .fill(seed.as_mut_slice())
        .map_err(|_| failed("the system gives no random numbers".into()))?;
    let mut random = rand_chacha::ChaCha20Rng::from_seed(*seed);
    let key = rsa::RsaPrivateKey::new(&mut random, RSA_BITS).map_err(|e| failed(e.to_string()))?;
    let der = key.to_pkcs8_der().map_err(|e| failed(e.to_string()))?;
    let der = PrivatePkcs8KeyDer::from(der.as_bytes());
    Ok(KeyPair::from_pkcs8_der_and_sign_algo(
        &der,
        &PKCS_RSA_SHA256,
    )?)
}

/// Reads the private file: a certificate, three RSA keys, a P-256 key.
fn parse(bytes: &[u8]) -> Result<(Vec<u8>, OffsetDateTime, Keys), String> {
    let mut sections = <(SectionKind, Vec<u8>)>::pem_slice_iter(bytes);
    let mut next = |wanted: SectionKind| match sections.next() {
        Some(Ok((kind, der))) if kind == wanted => Ok(Zeroizing::new(der)),
        Some(Ok(_)) => Err("its parts are in another order".to_owned()),
        Some(Err(error)) => Err(error.to_string()),
        None => Err("a part is missing".to_owned()),
    };
    let root = next(SectionKind::Certificate)?.to_vec();
    let mut key = |algorithm| {
        let der = next(SectionKind::PrivateKey)?;
        let der = PrivatePkcs8KeyDer::from(der.as_slice());
        KeyPair::from_pkcs8_der_and_sign_algo(&der, algorithm).map_err(|error| error.to_string())
    };
    let keys = Keys {
        root: key(&PKCS_RSA_SHA256)?,
        issuing: key(&PKCS_RSA_SHA256)?,
        server_rsa: key(&PKCS_RSA_SHA256)?,
        server_ec: key(&PKCS_ECDSA_P256_SHA256)?,
    };
    let (_, certificate) =
        x509_parser::parse_x509_certificate(&root).map_err(|error| error.to_string())?;
    let not_after = certificate.validity().not_after.to_datetime();
    Ok((root, not_after, keys))
}

/// Bytes as a PEM section (RFC 7468).
fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let mut lines = format!("-----BEGIN {label}-----\n");
    for line in text.as_bytes().chunks(64) {
        lines.push_str(&String::from_utf8_lossy(line));
        lines.push('\n');
    }
    lines.push_str(&format!("-----END {label}-----\n"));
    lines
}
