//! The program itself: its output, its files and its exit codes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test helper may panic"
)]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use rstest::rstest;
use serde_json::Value;

/// The first of the SDK tool's cases, as files in a folder.
struct Device {
    folder: tempfile::TempDir,
    case: Value,
}

impl Device {
    fn new() -> Self {
        let vectors = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../identity/tests/vectors/identity.json"
        );
        let vectors: Value = serde_json::from_slice(&fs::read(vectors).unwrap()).unwrap();
        let case = vectors["cases"][0].clone();
        let folder = tempfile::tempdir().unwrap();
        let device = Self { folder, case };
        let image = hex::decode(device.text("image_hex")).unwrap();
        fs::write(device.path("image.bin"), image).unwrap();
        fs::write(device.path("image.map"), device.text("map")).unwrap();
        device
    }

    fn text(&self, key: &str) -> &str {
        self.case[key].as_str().unwrap()
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// `hil cert` for this device with `more` arguments, the UDS on standard input.
    fn cert(&self, more: &str) -> Output {
        let arguments = format!("cert --bin image.bin --map image.map --uds - {more}");
        hil_with_input(self.folder.path(), &arguments, self.text("uds"))
    }
}

fn hil(folder: &Path, arguments: &str) -> Output {
    hil_with_input(folder, arguments, "")
}

fn hil_with_input(folder: &Path, arguments: &str, input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_hil"))
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that does not read its input may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn out(output: &Output) -> &str {
    str::from_utf8(&output.stdout).unwrap()
}

fn err(output: &Output) -> &str {
    str::from_utf8(&output.stderr).unwrap()
}

/// What a command printed and how it ended, for a snapshot.
fn seen(output: &Output) -> String {
    format!(
        "{}-- stderr\n{}-- exit code {}",
        out(output),
        err(output),
        output.status.code().unwrap()
    )
}

#[test]
fn cert_equals_the_sdk_tool() {
    let device = Device::new();
    for (profile, pem) in [("devkit", "pem_devkit"), ("strict", "pem_strict")] {
        let arguments = format!(
            "--mac c8934641234b --firmware-version 1.6.5 --profile {profile} --out alias.pem"
        );
        let output = device.cert(&arguments);
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
        let written = fs::read_to_string(device.path("alias.pem")).unwrap();
        assert_eq!(written, device.text(pem));
        insta::assert_snapshot!(format!("cert_{profile}"), seen(&output));
    }
}

#[test]
fn cert_without_a_file_prints_the_certificate() {
    let device = Device::new();
    let output = device.cert("--registration-id az-c8934641234bv1v6v5");
    assert!(
        out(&output).ends_with(device.text("pem_strict")),
        "{}",
        out(&output)
    );
}

#[test]
fn cert_prints_json() {
    let device = Device::new();
    let output = device.cert("--registration-id my-devkit --profile devkit --json");
    let report: Value = serde_json::from_str(out(&output)).unwrap();
    assert_eq!(report["subject"], "CN=my-devkit, C=US, O=DEVKIT_TEST");
    assert_eq!(report["fwid"], device.text("fwid"));
    assert_eq!(report["device_id_key"], device.text("device_id_public"));
    assert_eq!(report["findings"][0]["id"], "device-id-key-recoverable");
    assert_eq!(report["findings"][1]["id"], "malformed-san");
}

#[test]
fn the_uds_may_stand_on_the_command_line() {
    let device = Device::new();
    let arguments = format!(
        "cert --bin image.bin --map image.map --uds {} --registration-id az-c8934641234bv1v6v5",
        device.text("uds").to_uppercase()
    );
    let output = hil(device.folder.path(), &arguments);
    assert!(out(&output).ends_with(device.text("pem_strict")));
}

#[test]
fn a_key_file_is_private_and_never_overwritten() {
    let device = Device::new();
    let output = device.cert("--registration-id a --key-out alias.key");
    assert!(err(&output).contains("warning: alias.key holds the device's private alias key"));
    let key = fs::read_to_string(device.path("alias.key")).unwrap();
    assert!(key.starts_with("-----BEGIN EC PRIVATE KEY-----\n"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(device.path("alias.key"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let again = device.cert("--registration-id b --key-out alias.key --out other.pem");
    insta::assert_snapshot!(seen(&again), @"
    -- stderr
    error: alias.key exists and a key file is never overwritten; remove it or name another
    -- exit code 2
    ");
    assert_eq!(fs::read_to_string(device.path("alias.key")).unwrap(), key);
    assert!(!device.path("other.pem").exists());
}

#[test]
fn the_device_id_certificate_is_written() {
    let device = Device::new();
    device.cert("--registration-id a --device-id-out device-id.pem");
    let pem = fs::read_to_string(device.path("device-id.pem")).unwrap();
    assert!(pem.starts_with("-----BEGIN CERTIFICATE-----\n"));
}

#[test]
fn a_long_id_is_warned_about() {
    let device = Device::new();
    let output = device.cert(&format!(
        "--registration-id {} --out alias.pem",
        "a".repeat(65)
    ));
    insta::assert_snapshot!(err(&output), @"warning: the registration id has 65 characters; the Device Provisioning Service refuses a common name over 64");
    assert!(out(&output).contains("common-name-too-long"));
    assert_eq!(output.status.code(), Some(0));
}

const ID: &str = "--registration-id a";

#[rstest]
#[case::no_image("no_image", "--uds - --registration-id a")]
#[case::bin_without_map("bin_without_map", "--bin image.bin --uds - --registration-id a")]
#[case::elf_and_bin(
    "elf_and_bin",
    "--elf x --bin image.bin --map image.map --uds - --registration-id a"
)]
#[case::no_uds("no_uds", "--bin image.bin --map image.map --registration-id a")]
#[case::no_id("no_id", "--bin image.bin --map image.map --uds -")]
#[case::mac_alone(
    "mac_alone",
    "--bin image.bin --map image.map --uds - --mac c8934641234b"
)]
#[case::wrong_mac(
    "wrong_mac",
    "--bin image.bin --map image.map --uds - --mac c8:93 --firmware-version 1.0.0"
)]
#[case::wrong_version(
    "wrong_version",
    "--bin image.bin --map image.map --uds - --mac c8934641234b --firmware-version 1.0"
)]
#[case::wrong_id(
    "wrong_id",
    "--bin image.bin --map image.map --uds - --registration-id AZ3166"
)]
#[case::wrong_profile(
    "wrong_profile",
    "--bin image.bin --map image.map --uds - --registration-id a --profile loose"
)]
#[case::no_such_file("no_such_file", "--elf nowhere.elf --uds - --registration-id a")]
#[case::not_an_elf("not_an_elf", "--elf image.bin --uds - --registration-id a")]
#[case::not_a_map(
    "not_a_map",
    "--bin image.bin --map image.bin --uds - --registration-id a"
)]
fn cert_complains(#[case] name: &str, #[case] arguments: &str) {
    let device = Device::new();
    let output = hil_with_input(
        device.folder.path(),
        &format!("cert {arguments}"),
        device.text("uds"),
    );
    insta::assert_snapshot!(format!("cert_complains_{name}"), seen(&output));
}

#[test]
fn a_wrong_uds_is_never_shown() {
    let device = Device::new();
    let good = device.text("uds");
    let image = "--bin image.bin --map image.map";
    for (wrong, reason) in [
        (good[1..].to_owned(), "the UDS has 63 hex digits; give 64"),
        (format!("{good}0"), "the UDS has 65 hex digits; give 64"),
        (good.replacen('a', "g", 1), "not a hex digit, at position 6"),
    ] {
        let arguments = format!("cert {image} --uds - {ID}");
        let typed = hil_with_input(device.folder.path(), &arguments, &wrong);
        let arguments = format!("cert {image} --uds {wrong} {ID}");
        let given = hil(device.folder.path(), &arguments);
        for output in [typed, given] {
            assert_eq!(output.status.code(), Some(2));
            assert!(err(&output).contains(reason), "{}", err(&output));
            assert!(!seen(&output).contains(&good[20..40]));
        }
    }
    let stray = hil(
        device.folder.path(),
        &format!("cert {image} --uds - {ID} {good}"),
    );
    assert_eq!(stray.status.code(), Some(2));
    assert!(!seen(&stray).contains(&good[20..40]), "{}", seen(&stray));
}

#[rstest]
#[case::none("")]
#[case::unknown("frobnicate")]
#[case::unknown_option("doctor --frobnicate")]
#[case::missing_value("completions")]
fn usage_errors_exit_with_2(#[case] arguments: &str) {
    let output = hil(Path::new("."), arguments);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("Usage: hil"), "{}", err(&output));
}

#[rstest]
#[case("--help")]
#[case("run --help")]
#[case("console --help")]
#[case("cert --help")]
#[case("build --help")]
#[case("check --help")]
#[case("schema --help")]
#[case("doctor --help")]
#[case("completions --help")]
fn help_has_examples(#[case] arguments: &str) {
    let output = hil(Path::new("."), arguments);
    assert_eq!(output.status.code(), Some(0));
    assert!(out(&output).contains("Example"), "{}", out(&output));
    assert!(!out(&output).contains('\u{1b}'), "no colours in a pipe");
}

#[test]
fn the_schema_is_json() {
    let output = hil(Path::new("."), "schema");
    let schema: Value = serde_json::from_str(out(&output)).unwrap();
    assert_eq!(schema["type"], "object");
}

#[rstest]
fn completions_for_every_shell(
    #[values("bash", "zsh", "fish", "elvish", "powershell")] shell: &str,
) {
    let output = hil(Path::new("."), &format!("completions {shell}"));
    assert!(out(&output).contains("device-id-out"));
}

#[test]
fn doctor_lists_what_it_looks_for() {
    let output = hil(Path::new("."), "doctor --json");
    let checks: Value = serde_json::from_str(out(&output)).unwrap();
    let cargo = &checks[0];
    assert_eq!(
        (&cargo["what"], &cargo["state"]),
        (&"cargo".into(), &"present".into())
    );
}

#[test]
fn check_shows_mistakes_in_scenario_files() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.yaml"), "name: a\nstepps: []\n").unwrap();
    let output = hil(folder.path(), "check a.yaml");
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("stepps"), "{}", err(&output));
    assert!(err(&output).contains("a.yaml:2:1"), "{}", err(&output));
}

#[rstest]
#[case::missing("check nowhere.yaml", "reading nowhere.yaml failed")]
#[case::empty("check .", ". holds no scenario files (*.yaml)")]
fn check_names_what_it_cannot_read(#[case] arguments: &str, #[case] expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    let output = hil(folder.path(), arguments);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains(expected), "{}", err(&output));
}

#[test]
fn build_names_a_folder_without_a_crate() {
    let folder = tempfile::tempdir().unwrap();
    let output = hil(folder.path(), "build --firmware .");
    insta::assert_snapshot!(seen(&output), @"
    -- stderr
    error: there is no Cargo.toml in .; give the folder of a crate, or an ELF file
    -- exit code 2
    ");
}
