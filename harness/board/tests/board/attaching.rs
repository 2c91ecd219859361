//! From a serial number to a chip, and back.

use az3166_board::virtual_board::Plug;
use az3166_board::{
    Approach, BoardError, BoardTarget, ChipUid, ConsoleAddress, list_probes, read_uid,
};
use az3166_debug_port::Injection;
use az3166_emulator::Power;
use az3166_target::TargetMemory as _;

use crate::support::{Bench, RAM, UID, address};

const NORMAL: Approach = Approach::Normal { khz: 4600 };

#[test]
fn attach_and_close_twenty_times() {
    let bench = Bench::new();
    for _ in 0..20 {
        assert!(!bench.board.is_claimed());
        assert_eq!(
            read_uid(&address(&bench.board), NORMAL).unwrap(),
            ChipUid(UID)
        );
    }
    assert!(!bench.board.is_claimed());
}

#[test]
fn two_boards_are_told_apart_by_serial() {
    let (first, second) = (Bench::new(), Bench::new());
    first
        .board
        .with(|kit| kit.write_memory(RAM, b"1st!"))
        .unwrap();
    second
        .board
        .with(|kit| kit.write_memory(RAM, b"2nd!"))
        .unwrap();
    for (bench, wanted) in [(&second, b"2nd!"), (&first, b"1st!")] {
        let mut word = [0; 4];
        bench.target().read_memory(RAM, &mut word).unwrap();
        assert_eq!(&word, wanted);
    }
    let serials: Vec<String> = list_probes().into_iter().map(|it| it.serial).collect();
    assert!(serials.iter().any(|it| it == first.board.serial()));
}

#[test]
fn duplicate_serials_are_refused() {
    let first = Bench::with_serial("TWICE", 1);
    let _second = Bench::with_serial("TWICE", 1);
    let opened = BoardTarget::open(first.config.clone(), None);
    let Err(BoardError::DuplicateSerial { count: 2, .. }) = opened.map(drop) else {
        panic!("one of both was opened");
    };
}

#[test]
fn a_missing_probe_names_those_that_are_there() {
    let bench = Bench::new();
    let mut config = bench.config.clone();
    config.address.serial = "NOBODY".into();
    let error = BoardTarget::open(config, None).map(drop).unwrap_err();
    assert!(error.to_string().contains(bench.board.serial()), "{error}");
}

#[test]
fn permission_denied_is_said_and_says_what_to_do() {
    let bench = Bench::new();
    bench.board.deny_access();
    let error = read_uid(&address(&bench.board), NORMAL).unwrap_err();
    assert!(
        matches!(error, BoardError::PermissionDenied { .. }),
        "{error}"
    );
    assert!(error.todo().contains("udev"));
}

#[test]
fn a_probe_in_use_is_refused() {
    let bench = Bench::new();
    let _target = bench.target();
    let mut config = bench.config.clone();
    config.console = ConsoleAddress::Path(Bench::new().board.console_path().into());
    let error = read_uid(&config.address, NORMAL).unwrap_err();
    assert!(
        matches!(error, BoardError::ProbeNotOpened { .. }),
        "{error}"
    );
}

/// The listing of serial ports panics where there is no /sys/class/tty, as in some containers.
#[cfg(target_os = "linux")]
#[test]
fn without_sysfs_the_console_is_said_to_be_missing() {
    const INSIDE: &str = "AZ3166_TEST_WITHOUT_SYSFS";
    const TEST: &str = "attaching::without_sysfs_the_console_is_said_to_be_missing";
    if std::env::var_os(INSIDE).is_some() {
        assert!(!std::path::Path::new("/sys/class/tty").exists());
        let mut config = Bench::new().config;
        config.console = ConsoleAddress::OfProbe;
        let error = BoardTarget::open(config, None).err();
        assert!(
            matches!(error, Some(BoardError::NoConsole { .. })),
            "{error:?}"
        );
        return;
    }
    let alone = |script: &str| {
        let mut command = std::process::Command::new("unshare");
        command
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", script])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", TEST])
            .env(INSIDE, "1")
            .output()
    };
    if !alone("mount -t tmpfs none /sys/class").is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this system lets nobody hide /sys/class from a process");
        return;
    }
    let output = alone(r#"mount -t tmpfs none /sys/class && exec "$0" "$@""#).unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}"
    );
}

#[test]
fn another_board_is_refused_before_anything_is_written() {
    let bench = Bench::new();
    let mut config = bench.config.clone();
    config.uid = ChipUid([9; 12]);
    let error = BoardTarget::open(config, None).map(drop).unwrap_err();
    assert!(matches!(error, BoardError::WrongBoard { .. }), "{error}");
    assert!(!bench.backup().exists());
    assert_eq!(bench.flash(0x0800_0000, 16), [0xFF; 16]);
}

/// The defect of probe-rs 0.32 that the order of approaches is made for: VC_CORERESET is set
/// while C_DEBUGEN is 0, which the core ignores; the second try finds C_DEBUGEN set.
#[test]
fn the_first_attach_under_reset_after_power_up_fails_and_the_second_works() {
    let bench = Bench::at_pace(1);
    bench.program(
        0x0800_0000,
        &crate::support::program(0x0800_0000, &[0xE7FE]),
    );
    for _ in 0..2 {
        bench.board.set_power(Power::Off);
        bench.board.set_power(Power::On);
        let address = address(&bench.board);
        let first = read_uid(&address, Approach::UnderReset);
        assert!(
            matches!(first, Err(BoardError::NotAttached { .. })),
            "{first:?}"
        );
        assert_eq!(
            read_uid(&address, Approach::UnderReset).unwrap(),
            ChipUid(UID)
        );
    }
}

#[test]
fn a_session_leaves_debug_enabled_and_the_core_running() {
    let bench = Bench::new();
    bench.program(
        0x0800_0000,
        &crate::support::program(0x0800_0000, &[0xE7FE]),
    );
    bench.board.set_power(Power::Off);
    bench.board.set_power(Power::On);
    read_uid(&address(&bench.board), NORMAL).unwrap();
    let dhcsr = bench.board.with(|kit| {
        let mut word = [0; 4];
        kit.read_memory(0xE000_EDF0, &mut word).unwrap();
        u32::from_le_bytes(word)
    });
    assert_eq!(
        dhcsr & 0x2_0003,
        1,
        "C_DEBUGEN stays, S_HALT does not: {dhcsr:#x}"
    );
    let before = bench.board.with(|kit| kit.instructions());
    bench.until("instructions", |board| {
        board.with(|kit| kit.instructions()) > before
    });
}

#[test]
fn without_power_nothing_answers_and_all_approaches_were_tried() {
    let bench = Bench::new();
    bench.board.set_power(Power::Off);
    let error = BoardTarget::open(bench.config.clone(), None)
        .map(drop)
        .unwrap_err();
    let text = error.to_string();
    for approach in ["4600 kHz", "1800 kHz", "480 kHz", "under reset"] {
        assert!(text.contains(approach), "{text}");
    }
    assert!(!bench.board.is_claimed());
}

#[test]
fn waits_and_bus_errors_pass() {
    let bench = Bench::new();
    let mut target = bench.target();
    let mut word = [0; 4];
    bench.board.inject(Injection::Wait { count: 20 });
    target.read_memory(RAM, &mut word).unwrap();
    bench.board.inject(Injection::BusError { after: 0 });
    target.read_memory(RAM, &mut word).unwrap_err();
    // The flag is cleared: the next access works.
    target.read_memory(RAM, &mut word).unwrap();
    bench.board.inject(Injection::Wait { count: 100_000 });
    target.read_memory(RAM, &mut word).unwrap_err();
    bench.board.clear_injections();
    target.read_memory(RAM, &mut word).unwrap();
}

#[test]
fn an_unplugged_probe_is_an_error_and_comes_back() {
    let bench = Bench::new();
    let mut target = bench.target();
    bench.board.set_plug(Plug::Out);
    let error = target.read_memory(RAM, &mut [0; 4]).unwrap_err();
    assert!(error.to_string().contains("plug the board in"), "{error}");
    drop(target);
    let gone = BoardTarget::open(bench.config.clone(), None).map(drop);
    assert!(matches!(gone, Err(BoardError::NoProbe { .. })));
    bench.board.set_plug(Plug::In);
    bench.target().read_memory(RAM, &mut [0; 4]).unwrap();
}
