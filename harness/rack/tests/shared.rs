//! Files that all users of a rack share, written by one who lets nobody see his own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on panics"
)]
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use az3166_rack::{
    ChipUid, Holder, LeaseFolder, Outcome, Records, WRITE_BUDGET, Wear, Wedged, parse,
};
use az3166_yaml::Source;
use rustix::fs::Mode;

/// The modes of all that is below `folder`, and of it.
fn modes(folder: &Path) -> BTreeMap<PathBuf, u32> {
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    let mut modes = BTreeMap::from([(folder.to_owned(), mode(folder))]);
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => modes.extend(self::modes(&path)),
            false => drop(modes.insert(path.clone(), mode(&path))),
        }
    }
    modes
}

/// What a tree should hold: the folders and files in `names`.
fn check(folder: &Path, folder_mode: u32, names: &[&str], folders: &[&str]) {
    let files = names.iter().map(|name| (folder.join(name), 0o664));
    let folders = folders.iter().map(|name| (folder.join(name), folder_mode));
    let expected: BTreeMap<PathBuf, u32> = files
        .chain(folders)
        .chain([(folder.to_owned(), folder_mode)])
        .collect();
    assert_eq!(modes(folder), expected);
}

#[test]
fn what_a_private_user_writes_is_open_to_the_group() {
    rustix::process::umask(Mode::from_raw_mode(0o077));
    let there = tempfile::tempdir().unwrap();
    let at = |name: &str, mode| {
        let path = there.path().join(name);
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path
    };
    let (locks, state) = (at("locks", 0o3775), at("state", 0o2775));

    let text = "boards: [{id: lab-1, probe_serial: 066EFF}]\n";
    let rack = parse(&Source::new("rack.yaml", text)).unwrap();
    let board = &rack.boards[0];
    let leases = LeaseFolder::new(&locks);
    let holder = Holder::this_process("a test");
    let lease = leases.try_acquire(board, &holder).unwrap().unwrap();
    lease.mark_wedged(&Wedged::now("no ack")).unwrap();
    let files = ["066EFF.gate", "066EFF.lock", "066EFF.wedged"];
    check(&locks, 0o3775, &files, &[]);

    let uid = ChipUid::from_bytes([0xAB; 12]);
    // Twice: a file that is replaced is as open as the first one.
    for _ in 0..2 {
        let records = Records::below(&state);
        records
            .count(&board.probe_serial, Outcome::Trouble)
            .unwrap();
        let mut wear = Wear::open(&state, &uid, WRITE_BUDGET).unwrap();
        wear.spend(6).unwrap();
        let files = ["boards/066EFF.json", "wear/abababababababababababab.json"];
        check(&state, 0o2775, &files, &["boards", "wear"]);
    }
}
