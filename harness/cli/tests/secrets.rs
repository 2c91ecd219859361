//! No secret of a device is in anything that `hil` writes or prints.
//!
//! The search is this file's own: it knows nothing of the leak detector that it judges. It finds
//! every stretch of [`WINDOW`] characters of every form, so a part of a secret is found too.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on panics"
)]

mod support;

use std::collections::HashMap;
use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::Path;
use std::process::Output;

use az3166_identity::{Identity, MeasuredRegions, Uds};
use az3166_scenario::FirmwareVariant;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use support::{assert_exit, built, firmware, hil, hil_run, output, scenario, summary};

const TUTORIAL: &str = "scenarios/basics/tutorial.yaml";

/// How many characters of a form are enough to be found.
const WINDOW: usize = 16;

/// The secrets of one device, ready to be searched for.
struct Canary {
    uds: String,
    windows: HashMap<[u8; WINDOW], String>,
}

impl Canary {
    /// A device that nobody has seen before, with the firmware in `elf`.
    fn new(elf: &Path) -> Self {
        let random = || RandomState::new().build_hasher().finish().to_be_bytes();
        let bytes: Vec<u8> = (0..4).flat_map(|_| random()).collect();
        let uds = hex::encode(&bytes);
        let regions = MeasuredRegions::from_elf(&fs::read(elf).unwrap()).unwrap();
        let identity = Identity::derive(&uds.parse::<Uds>().unwrap(), &regions).unwrap();
        let mut canary = Self {
            uds,
            windows: HashMap::new(),
        };
        canary.add("UDS", &bytes);
        canary.add("CDI", identity.cdi().expose());
        canary.add("DeviceID key", identity.device_id().private().expose());
        canary.add("alias key", identity.alias().private().expose());
        canary
    }

    fn add(&mut self, name: &str, secret: &[u8]) {
        for (form, text) in forms(secret) {
            for window in text.windows(WINDOW) {
                let key = window.try_into().unwrap();
                self.windows.insert(key, format!("{name} as {form}"));
            }
        }
    }

    /// The secrets that stand in `bytes`.
    fn search(&self, bytes: &[u8]) -> Vec<&str> {
        let mut found: Vec<&str> = bytes
            .windows(WINDOW)
            .filter_map(|window| self.windows.get(window))
            .map(String::as_str)
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Says that no secret stands in any file below `folder`, names of files included.
    fn assert_absent_below(&self, folder: &Path) {
        let mut seen = 0;
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().as_encoded_bytes().to_vec();
            self.assert_absent("a file's name", &name);
            if path.is_dir() {
                self.assert_absent_below(&path);
            } else {
                self.assert_absent(&path.display().to_string(), &fs::read(&path).unwrap());
            }
            seen += 1;
        }
        assert!(seen > 0, "{} is empty", folder.display());
    }

    fn assert_absent(&self, place: &str, bytes: &[u8]) {
        let found = self.search(bytes);
        assert!(
            found.is_empty(),
            "{place} holds the {}",
            found.join(", the ")
        );
    }

    fn assert_absent_in(&self, output: &Output) {
        self.assert_absent("standard output", &output.stdout);
        self.assert_absent("standard error", &output.stderr);
    }

    /// The tutorial with this device's UDS, on `elf`.
    fn tutorial(&self, elf: &Path, out: &Path) -> Output {
        let set = format!("uds={}", self.uds);
        output(hil_run(elf, out, ["--set", &set, TUTORIAL]))
    }
}

/// The ways in which `secret` may be written.
fn forms(secret: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let reversed: Vec<u8> = secret.iter().rev().copied().collect();
    let mut forms = Vec::new();
    for bytes in [secret, &reversed] {
        let hex = hex::encode(bytes);
        forms.push(("raw", bytes.to_vec()));
        forms.push(("HEX", hex.to_uppercase().into_bytes()));
        forms.push(("hex backwards", hex.bytes().rev().collect()));
        forms.push(("hex", hex.into_bytes()));
        let numbers = bytes.iter().map(u8::to_string).collect::<Vec<_>>();
        forms.push(("numbers", numbers.join(",").into_bytes()));
        forms.push(("numbers", numbers.join(", ").into_bytes()));
        for lead in 0..3 {
            let padded = [&b"\0\0"[..lead], bytes].concat();
            // What the bytes before the secret have a part in is none of it.
            let skip = [0, 2, 3][lead];
            let whole = padded.len() / 3 * 4;
            for engine in [&STANDARD, &URL_SAFE] {
                let text = engine.encode(&padded).into_bytes();
                forms.push(("base64", text[skip..whole].to_vec()));
            }
        }
    }
    forms
}

#[test]
fn the_search_finds_what_is_planted() {
    let canary = Canary::new(firmware());
    let secret = hex::decode(&canary.uds).unwrap();
    let backwards: Vec<u8> = secret.iter().rev().copied().collect();
    let sent = STANDARD.encode([b"x".as_slice(), &secret, b"tail"].concat());
    for (form, text) in [
        ("raw", secret.clone()),
        ("raw", backwards.clone()),
        ("raw", secret[9..9 + WINDOW].to_vec()),
        ("hex", canary.uds.clone().into_bytes()),
        ("hex", hex::encode(&backwards).into_bytes()),
        ("hex", canary.uds.as_bytes()[31..31 + WINDOW].to_vec()),
        ("HEX", canary.uds.to_uppercase().into_bytes()),
        ("hex backwards", canary.uds.bytes().rev().collect()),
        ("base64", sent.into_bytes()),
        ("numbers", format!("{secret:?}").into_bytes()),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = [b"before ".as_slice(), &text, b" after"].concat();
        fs::write(folder.path().join("report.bin"), &file).unwrap();
        let found = canary.search(&file);
        assert!(
            found.contains(&format!("UDS as {form}").as_str()),
            "{found:?}"
        );
        let search = || canary.assert_absent_below(folder.path());
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(search));
        assert!(result.is_err(), "{form}");
    }
    canary.assert_absent("noise", &[0x5A; 4096]);
    canary.assert_absent("too little", &canary.uds.as_bytes()[..WINDOW - 1]);
}

#[test]
fn a_run_that_passes_shows_none() {
    let canary = Canary::new(firmware());
    let out = tempfile::tempdir().unwrap();
    let output = canary.tutorial(firmware(), out.path());
    assert_exit(&output, 0);
    canary.assert_absent_in(&output);
    canary.assert_absent_below(out.path());
}

#[test]
fn what_a_leaking_firmware_shows_is_masked() {
    let mutant = built(FirmwareVariant::LeakUds);
    let canary = Canary::new(&mutant);
    let out = tempfile::tempdir().unwrap();
    let output = canary.tutorial(&mutant, out.path());
    assert_exit(&output, 1);
    let shown = support::printed(&output);
    assert!(
        shown.contains("`secret-leak`: the device showed its UDS"),
        "{shown}"
    );
    canary.assert_absent_in(&output);
    canary.assert_absent_below(out.path());
    let log = fs::read_to_string(entry_folder(out.path()).join("console.log")).unwrap();
    assert!(log.contains("<UDS "), "{log}");
}

/// The folder of the only scenario in `out`.
fn entry_folder(out: &Path) -> std::path::PathBuf {
    let name = summary(out)[0]["name"].as_str().unwrap().to_owned();
    out.join(az3166_event::folder_name(&name))
}

#[test]
fn a_run_that_fails_shows_none() {
    let canary = Canary::new(firmware());
    let folder = tempfile::tempdir().unwrap();
    let text = "name: a failing one\nvars: {uds: 19e25a259d0c2be03a02d416c05c48ccd0cc7d1743458aae1cb488b074993eae}\n\
        steps:\n  - reset: {hold: A}\n  - console: {send: \"set_dps_uds ${uds}0\", expect: \"${uds} is fine\", within: 1s}\n";
    let path = scenario(folder.path(), "failing", text);
    let out = tempfile::tempdir().unwrap();
    let set = format!("uds={}", canary.uds);
    let output = output(hil_run(firmware(), out.path(), ["--set", &set, &path]));
    assert_exit(&output, 1);
    canary.assert_absent_in(&output);
    canary.assert_absent_below(out.path());
}

#[test]
fn wrong_usage_shows_none() {
    let canary = Canary::new(firmware());
    let uds = &canary.uds;
    let elf = firmware().to_str().unwrap();
    let (longer, set_longer) = (format!("{uds}x"), format!("uds={uds}0"));
    let set_odd = format!("uds={uds}g");
    let unknown = format!("usd={uds}");
    let cases: [&[&str]; 9] = [
        &[
            "cert",
            "--elf",
            elf,
            "--uds",
            &longer,
            "--registration-id",
            "a",
        ],
        &[
            "cert",
            "--elf",
            elf,
            "--uds",
            "-",
            "--registration-id",
            "a",
            uds,
        ],
        &["cert", "--elf", uds, "--uds", uds, "--registration-id", "a"],
        &[
            "cert",
            "--elf",
            elf,
            "--uds",
            uds,
            "--registration-id",
            &longer.to_uppercase(),
        ],
        &["run", "--set", &set_longer, TUTORIAL],
        &["run", "--set", &set_odd, TUTORIAL],
        &["run", "--set", &unknown, TUTORIAL],
        &["run", "--set", uds, TUTORIAL],
        &["run", "--set", "uds=", uds],
    ];
    for arguments in cases {
        let output = output(hil(arguments.iter().copied()));
        assert_exit(&output, 2);
        canary.assert_absent_in(&output);
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_shows_none() {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;

    let canary = Canary::new(firmware());
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(support::root().join(TUTORIAL)).unwrap();
    let path = scenario(
        folder.path(),
        "long",
        &(text + "  - advance: 8000h\ndeadline: 8000h\n"),
    );
    let out = tempfile::tempdir().unwrap();
    let set = format!("uds={}", canary.uds);
    let mut command = hil_run(firmware(), out.path(), ["--json", "--set", &set, &path]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let pid = rustix::process::Pid::from_child(&child);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut shown = String::new();
    for line in lines.by_ref() {
        let line = line.unwrap();
        shown += &line;
        if line.contains("\"advance\"") {
            rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
            break;
        }
    }
    lines.for_each(|line| shown += &line.unwrap());
    let output = child.wait_with_output().unwrap();
    assert_exit(&output, 3);
    canary.assert_absent_in(&output);
    canary.assert_absent("standard output", shown.as_bytes());
    canary.assert_absent_below(out.path());
    let console = fs::read(entry_folder(out.path()).join("console.log")).unwrap();
    assert!(!console.is_empty());
}
