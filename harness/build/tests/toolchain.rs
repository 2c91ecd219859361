//! The order in which a missing target is brought, with programs that stand for rustc and rustup.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test helper may panic"
)]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use az3166_build::{BuildError, Programs};
use az3166_scenario::FirmwareVariant;
use support::{with_build, workspace};

/// What the machine of a test has.
#[derive(Clone, Copy)]
enum Rustup {
    Absent,
    Refuses,
    Adds,
}

#[derive(Clone, Copy)]
enum Source {
    Absent,
    Present,
}

fn script(path: &Path, text: &str) -> PathBuf {
    // Written beside and renamed: a file that is open for writing cannot be started.
    let beside = path.with_extension("new");
    fs::write(&beside, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&beside, fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(&beside, path).unwrap();
    path.into()
}

/// Builds with such programs: the lines of progress, and how it ended. Cargo records its
/// arguments and fails, so what it was asked is in the error.
fn outcome(rustup: Rustup, source: Source) -> String {
    let root = tempfile::tempdir().unwrap();
    let path = |name: &str| root.path().join(name);
    let (libdir, sysroot) = (path("libdir"), path("sysroot"));
    let print = format!(
        "case \"$*\" in *target-libdir*) echo {};; *sysroot*) echo {};; esac",
        libdir.display(),
        sysroot.display()
    );
    if let Source::Present = source {
        let core = sysroot.join("lib/rustlib/src/rust/library/core");
        fs::create_dir_all(&core).unwrap();
        fs::write(core.join("Cargo.toml"), "").unwrap();
    }
    let add = format!(
        "mkdir {0} && touch {0}/libcore-1.rlib && echo added $3",
        libdir.display()
    );
    let metadata = format!(
        r#"{{"workspace_root": "{0}", "packages": [{{"name": "app", "manifest_path": "{0}/app/Cargo.toml",
            "source": null, "targets": [{{"name": "az3166-firmware", "kind": ["bin"]}}]}}]}}"#,
        path("checkout").display()
    );
    let cargo = format!(
        "if [ $1 = metadata ]; then cat {}; else echo \"$RUSTC_BOOTSTRAP $@\" >&2; exit 101; fi",
        path("metadata").display()
    );
    fs::write(path("metadata"), metadata).unwrap();
    let programs = Programs {
        cargo: script(&path("cargo"), &cargo).into(),
        rustc: script(&path("rustc"), &print).into(),
        rustup: match rustup {
            Rustup::Absent => path("rustup").into(),
            Rustup::Refuses => {
                script(&path("rustup"), "echo 'error: no network' >&2; exit 1").into()
            }
            Rustup::Adds => script(&path("rustup"), &add).into(),
        },
    };
    let checkout = workspace(&path("checkout"));
    let (result, mut lines) = with_build(&path("output"), &programs, |build| {
        build.firmware(&checkout, FirmwareVariant::LeakUds)
    });
    lines.push(match result.unwrap_err() {
        BuildError::Failed { output, .. } => {
            format!("cargo got:{}", output.split(" -p ").next().unwrap())
        }
        error => error.to_string(),
    });
    lines.retain(|line| !line.contains(" -p "));
    lines
        .join("\n")
        .replace(root.path().to_str().unwrap(), "ROOT")
}

#[test]
fn rustup_adds_it() {
    insta::assert_snapshot!(outcome(Rustup::Adds, Source::Absent));
}

#[test]
fn rustup_comes_before_the_sources() {
    assert_eq!(
        outcome(Rustup::Adds, Source::Present),
        outcome(Rustup::Adds, Source::Absent)
    );
}

#[test]
fn the_sources_help_where_rustup_cannot() {
    insta::assert_snapshot!(outcome(Rustup::Refuses, Source::Present));
}

#[test]
fn the_sources_help_without_rustup() {
    insta::assert_snapshot!(outcome(Rustup::Absent, Source::Present));
}

#[test]
fn without_all_of_it_the_command_is_named() {
    insta::assert_snapshot!(outcome(Rustup::Refuses, Source::Absent));
}
