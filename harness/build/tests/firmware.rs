//! Real builds of a small workspace.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test helper may panic"
)]

mod support;

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use az3166_build::{Build, BuildError, BuiltFirmware, Limits, Programs};
use az3166_identity::MeasuredRegions;
use az3166_scenario::FirmwareVariant;
use support::{user_crate, with_build, workspace};

fn build(source: &Path, output: &Path, variant: FirmwareVariant) -> (BuiltFirmware, Vec<String>) {
    let (built, lines) = with_build(output, &Programs::default(), |build| {
        build.firmware(source, variant)
    });
    (built.unwrap(), lines)
}

#[test]
fn an_image_does_not_depend_on_where_it_is_built() {
    let root = tempfile::tempdir().unwrap();
    let places = ["a", "another/much/longer/place"].map(|place| root.path().join(place));
    let elves = places.map(|place| {
        let source = workspace(&place.join("checkout"));
        let (built, _) = build(&source, &place.join("output"), FirmwareVariant::Strict);
        fs::read(built.image.elf).unwrap()
    });
    assert!(elves[0] == elves[1], "the ELF files differ");
    let holds = |text: &str| {
        elves[0]
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    };
    assert!(
        holds("app/src/main.rs"),
        "the panic message's path is there"
    );
    assert!(
        !holds(root.path().to_str().unwrap()),
        "the checkout's path is not"
    );
}

#[test]
fn variants_stay_cached_beside_each_other() {
    let root = tempfile::tempdir().unwrap();
    let source = workspace(&root.path().join("checkout"));
    let output = root.path().join("output");
    let (strict, _) = build(&source, &output, FirmwareVariant::Strict);
    let (devkit, _) = build(&source, &output, FirmwareVariant::DevkitProfile);
    assert_ne!(strict.image.sha256, devkit.image.sha256);
    let (again, lines) = build(&source, &output, FirmwareVariant::Strict);
    assert_eq!(again.image.sha256, strict.image.sha256);
    assert!(
        !lines.iter().any(|line| line.contains("Compiling")),
        "{lines:?}"
    );
}

#[test]
fn all_forms_of_an_image_say_the_same() {
    let root = tempfile::tempdir().unwrap();
    let source = workspace(&root.path().join("checkout"));
    let output = root.path().join("output");
    let (built, lines) = build(&source, &output, FirmwareVariant::Strict);
    assert!(
        lines.iter().any(|line| line.contains("Compiling scratch")),
        "{lines:?}"
    );
    let bin = fs::read(&built.image.bin).unwrap();
    let map = fs::read_to_string(&built.image.map).unwrap();
    let regions = built.regions.unwrap();
    assert_eq!(
        MeasuredRegions::from_bin_and_map(&bin, &map).unwrap(),
        regions
    );
    assert_eq!(regions.riot_core().bytes(), b"riot core note  ");
    assert_eq!(bin[..4], 0x2003_F000u32.to_le_bytes());
    let (stub, _) = with_build(&output, &Programs::default(), |build| {
        build.boot_stub(&source)
    });
    let stub = fs::read_to_string(stub.unwrap().map).unwrap();
    assert!(stub.contains("FLASH            0x0000000008000000"));
}

#[test]
fn a_user_crate_keeps_its_own_configuration() {
    let root = tempfile::tempdir().unwrap();
    let source = user_crate(&root.path().join("mine"));
    let main = source.join("src/main.rs");
    let text = fs::read_to_string(&main).unwrap();
    fs::write(
        &main,
        format!("{text}\n#[cfg(not(mine))]\ncompile_error!(\"the flag is lost\");\n"),
    )
    .unwrap();
    let output = root.path().join("output");
    let (built, _) = with_build(&output, &Programs::default(), |build| {
        build.user_crate(&source)
    });
    let built = built.unwrap();
    assert_eq!(built.image.elf.file_name().unwrap(), "my-firmware.elf");
    assert!(built.regions.is_ok());
}

#[test]
fn a_compiler_error_is_shown() {
    let root = tempfile::tempdir().unwrap();
    let source = workspace(&root.path().join("checkout"));
    fs::write(source.join("app/src/main.rs"), "fn main() { nonsense }").unwrap();
    let output = root.path().join("output");
    let (result, _) = with_build(&output, &Programs::default(), |build| {
        build.firmware(&source, FirmwareVariant::Strict)
    });
    let error = result.unwrap_err().to_string();
    assert!(
        error.contains("error[E0425]: cannot find value `nonsense`"),
        "{error}"
    );
    assert!(error.contains("app/src/main.rs:1:13"), "{error}");
}

#[test]
fn a_workspace_of_several_programs_is_no_user_crate() {
    let root = tempfile::tempdir().unwrap();
    let source = workspace(&root.path().join("checkout"));
    let output = root.path().join("output");
    let (result, _) = with_build(&output, &Programs::default(), |build| {
        build.user_crate(&source)
    });
    let error = result.unwrap_err().to_string();
    assert!(
        error.contains("builds 2 programs (az3166-firmware, boot-stub)"),
        "{error}"
    );
}

#[test]
fn a_folder_without_a_crate_is_named() {
    let root = tempfile::tempdir().unwrap();
    let (result, _) = with_build(root.path(), &Programs::default(), |build| {
        build.firmware(Path::new("/nowhere"), FirmwareVariant::Strict)
    });
    insta::assert_snapshot!(result.unwrap_err(), @"there is no Cargo.toml in /nowhere; give the folder of a crate, or an ELF file");
}

#[test]
fn a_cancelled_build_stops_and_the_next_one_succeeds() {
    let root = tempfile::tempdir().unwrap();
    let source = workspace(&root.path().join("checkout"));
    let output = root.path().join("output");
    let cancel = AtomicBool::new(false);
    let result = Build {
        output: &output,
        programs: &Programs::default(),
        limits: Limits::new(&cancel),
        progress: &mut |_| cancel.store(true, Ordering::Relaxed),
    }
    .firmware(&source, FirmwareVariant::Strict);
    assert!(matches!(result, Err(BuildError::Cancelled)));
    build(&source, &output, FirmwareVariant::Strict);
}
