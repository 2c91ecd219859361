//! The services' own keys, as connection strings in files that their owner alone can read.

use std::path::PathBuf;

use az3166_cloud::{AccessPolicy, SymmetricKey, SymmetricKeys};
use rand_core::Rng;
use zeroize::Zeroizing;

use crate::authority::{AuthorityError, PrivateFolder, Readers};

/// A service that SDKs reach with a connection string.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Service<'a> {
    /// The file of its connection string.
    pub(crate) file: &'static str,
    pub(crate) host: &'a str,
    /// The name of its shared access policy.
    pub(crate) policy: &'static str,
}

/// The shared access policy of a service, and the file of its connection string. The key is made
/// on the first start and kept.
///
/// # Errors
/// The file cannot be read or written, or holds something else.
pub(crate) fn policy(
    folder: &PrivateFolder,
    service: Service<'_>,
    random: &mut impl Rng,
) -> Result<(AccessPolicy, PathBuf), AuthorityError> {
    let path = folder.path(service.file);
    let old = folder.read(service.file)?.map(Zeroizing::new);
    let primary = match &old {
        None => SymmetricKey::generate(random),
        Some(bytes) => key_of(bytes).ok_or_else(|| AuthorityError::Damaged {
            path: path.clone(),
            reason: "no connection string with a SharedAccessKey".into(),
        })?,
    };
    let text = Zeroizing::new(format!(
        "HostName={};SharedAccessKeyName={};SharedAccessKey={}\n",
        service.host,
        service.policy,
        primary.expose_base64().as_str()
    ));
    if old.as_deref().map(Vec::as_slice) != Some(text.as_bytes()) {
        folder.replace(service.file, text.as_bytes(), Readers::Owner)?;
    }
    let policy = AccessPolicy {
        name: service.policy.to_owned(),
        keys: SymmetricKeys {
            primary,
            // Nobody is told this one.
            secondary: SymmetricKey::generate(random),
        },
    };
    Ok((policy, path))
}

/// The key in a connection string.
fn key_of(bytes: &[u8]) -> Option<SymmetricKey> {
    let text = str::from_utf8(bytes).ok()?.trim();
    let mut members = text.split(';');
    let key = members.find_map(|member| member.strip_prefix("SharedAccessKey="))?;
    SymmetricKey::from_base64(key).ok()
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng as _;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_survives_another_host() {
        let folder = tempfile::tempdir().unwrap();
        let folder = PrivateFolder::open(&folder.path().join("keys")).unwrap();
        let mut random = rand_chacha::ChaCha20Rng::from_seed([7; 32]);
        let mut open = |host| {
            let service = Service {
                file: "string.txt",
                host,
                policy: "owner",
            };
            policy(&folder, service, &mut random)
        };
        let (first, path) = open("a.example").unwrap();
        let (second, _) = open("b.example").unwrap();
        assert_eq!(first.keys.primary, second.keys.primary);
        let text = std::fs::read_to_string(&path).unwrap();
        let begin = "HostName=b.example;SharedAccessKeyName=owner;SharedAccessKey=";
        assert!(text.starts_with(begin) && text.ends_with("\n"));
        std::fs::write(&path, "HostName=b.example\n").unwrap();
        assert!(matches!(
            open("b.example"),
            Err(AuthorityError::Damaged { .. })
        ));
    }
}
