//! Takes the places of sources out of an image: panic messages and debug information name files.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::StandardLibrary;
use crate::cargo::Metadata;

/// The separator of `CARGO_ENCODED_RUSTFLAGS`.
const SEPARATOR: &str = "\u{1f}";

/// The compiler's flags as `CARGO_ENCODED_RUSTFLAGS` holds them: one `--remap-path-prefix` for
/// each folder that sources or generated files lie in.
///
/// Cargo leaves its `-C metadata` hash, hence symbol names, alone while such a flag is present.
pub fn encoded_flags(
    metadata: &Metadata,
    target_dir: &Path,
    library: &StandardLibrary,
) -> OsString {
    let mut flags = OsString::new();
    for (from, to) in in_order(prefixes(metadata, target_dir, library)) {
        if !flags.is_empty() {
            flags.push(SEPARATOR);
        }
        flags.push("--remap-path-prefix=");
        flags.push(from);
        flags.push("=");
        flags.push(to);
    }
    flags
}

fn prefixes(
    metadata: &Metadata,
    target_dir: &Path,
    library: &StandardLibrary,
) -> BTreeMap<PathBuf, String> {
    let root = &metadata.workspace_root;
    let mut prefixes = BTreeMap::from([
        (root.clone(), "firmware".to_owned()),
        (target_dir.to_owned(), "target".to_owned()),
    ]);
    if let StandardLibrary::Source(source) = library {
        prefixes.insert(source.clone(), "/rustc".into());
    }
    for package in &metadata.packages {
        let Some(folder) = package.manifest_path.parent() else {
            continue;
        };
        let registry = package
            .source
            .as_deref()
            .is_some_and(|source| source.starts_with("registry+") || source.starts_with("sparse+"));
        match folder.parent() {
            Some(all) if registry => prefixes.insert(all.into(), "registry".into()),
            _ if folder.starts_with(root) => None,
            _ => prefixes.insert(folder.into(), format!("path/{}", package.name)),
        };
    }
    prefixes
}

/// The last matching flag wins, so longer prefixes come later.
fn in_order(prefixes: BTreeMap<PathBuf, String>) -> Vec<(PathBuf, String)> {
    let mut ordered: Vec<_> = prefixes.into_iter().collect();
    ordered.sort_by_key(|(from, _)| from.as_os_str().len());
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cargo::Package;

    fn package(name: &str, manifest: &str, source: Option<&str>) -> Package {
        Package {
            name: name.into(),
            manifest_path: manifest.into(),
            source: source.map(Into::into),
            targets: Vec::new(),
        }
    }

    #[test]
    fn every_place_has_a_name_and_the_longest_comes_last() {
        let registry = "registry+https://github.com/rust-lang/crates.io-index";
        let metadata = Metadata {
            workspace_root: "/w/firmware".into(),
            packages: vec![
                package("app", "/w/firmware/app/Cargo.toml", None),
                package(
                    "p256",
                    "/home/u/.cargo/registry/src/x/p256-0.14.0/Cargo.toml",
                    Some(registry),
                ),
                package(
                    "sha2",
                    "/home/u/.cargo/registry/src/x/sha2-0.11.0/Cargo.toml",
                    Some(registry),
                ),
                package("near", "/w/near/Cargo.toml", None),
            ],
        };
        let source = StandardLibrary::Source("/r/src".into());
        let flags = encoded_flags(&metadata, Path::new("/w/firmware/target"), &source);
        let flags = flags.into_string().unwrap().replace(SEPARATOR, "\n");
        insta::assert_snapshot!(flags, @"
        --remap-path-prefix=/r/src=/rustc
        --remap-path-prefix=/w/near=path/near
        --remap-path-prefix=/w/firmware=firmware
        --remap-path-prefix=/w/firmware/target=target
        --remap-path-prefix=/home/u/.cargo/registry/src/x=registry
        ");
    }
}
