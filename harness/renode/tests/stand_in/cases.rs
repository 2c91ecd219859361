//! What the backend makes of each manner of the stand-in.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use az3166_event::{MachineEvent, Payload, SecureElementEvent, VirtualTime};
use az3166_renode::guard::{GuardProgram, Isolation};
use az3166_renode::{Deadlines, Options, Program, RenodeTarget, Runtime, Setup, Spares, Version};
use az3166_target::{Image, PowerState, Stop, Target, TargetError, TargetMemory};
use libtest_mimic::{Arguments, Failed, Trial};
use rustix::process::{Pid, Signal, kill_process};

type Test = fn() -> Result<(), Failed>;

pub fn run() -> ExitCode {
    let tests: [(&str, Test); 17] = [
        ("a_board_runs_in_its_own_network", || {
            board(Isolation::best())
        }),
        ("a_board_runs_on_the_machines_network", || {
            board(Isolation::None)
        }),
        ("several_boards_run_side_by_side", several),
        ("a_renode_is_used_again_if_it_is_well", again),
        ("the_version_is_asked", version),
        ("a_renode_that_compiles_one_file_is_spared_more", one_by_one),
        ("a_folder_may_have_blanks_in_its_name", blanks),
        ("a_renode_that_dies_is_told_with_its_log", || {
            fails(
                "dies",
                "Renode ended by itself (exit status: 7); its last lines:\nstand-in: dies\nit goes wrong",
            )
        }),
        ("a_renode_that_hangs_is_given_up", || {
            fails(
                "hangs",
                "Renode's Robot Framework server did not come within 2 s; its last lines:\nstand-in: hangs",
            )
        }),
        ("garbage_is_told", || {
            fails(
                "garbage",
                "Renode's Robot Framework server: it is not HTTP/1.1: invalid HTTP version",
            )
        }),
        ("a_script_that_fails_is_told_with_its_text", || {
            fails(
                "refuses",
                "Renode refused `platform/peripherals.resc`: error CS1002: ; expected",
            )
        }),
        ("another_version_of_external_control_is_told", || {
            fails(
                "other version",
                "Renode's External Control server: Encountered invalid version (0x0) for RunFor, expected 0x1",
            )?;
            fails(
                "garbage later",
                "Renode's External Control server: an answer begins with the return code 72, which does not exist",
            )
        }),
        ("trouble_while_it_runs_is_told", || {
            fails(
                "dies later",
                "Renode ended by itself (exit status: 9); its last lines:\nstand-in: dies later",
            )?;
            fails(
                "stops",
                "the end of RunFor did not come within 2 s; its last lines:\nstand-in: stops",
            )?;
            fails(
                "breaks the bridge",
                "the bridge: the first request is not hello",
            )
        }),
        ("a_lost_secure_element_is_trouble", || {
            fails_by(
                "gives the chip up",
                VirtualTime::from_millis(3),
                "Renode's bridge to the secure element gave up: the server does not answer",
            )?;
            fails_by(
                "does not find the chip",
                VirtualTime::from_millis(1000),
                "Renode's bridge to the secure element gave up: nothing listens",
            )
        }),
        ("a_reset_by_the_watchdog_is_told_from_others", causes),
        ("what_a_failed_start_said_is_kept", || {
            keeps_log("dies", "stand-in: dies\nit goes wrong\n")?;
            keeps_log("hangs", "stand-in: hangs\n")?;
            keeps_log("refuses", "stand-in: refuses\nit compiles\n")?;
            keeps_log("other version", "stand-in: other version\n")
        }),
        ("nothing_is_left_behind", nothing_is_left),
    ];
    let trials = tests.map(|(name, test)| Trial::test(name, test));
    libtest_mimic::run(&Arguments::from_args(), trials.into()).exit_code()
}

fn this() -> PathBuf {
    std::env::current_exe().unwrap()
}

/// A `renode` that behaves in this manner.
fn stand_in(folder: &Path, manner: &str) -> PathBuf {
    let path = folder.join("renode");
    let script = format!(
        "#!/bin/sh\nexec '{}' stand-in '{manner}' \"$@\"\n",
        this().display()
    );
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    path
}

fn target(
    renode: PathBuf,
    isolation: Isolation,
    cancel: &Arc<AtomicBool>,
    wait: u64,
) -> RenodeTarget {
    RenodeTarget::new(options(renode, isolation, cancel, wait))
}

fn options(renode: PathBuf, isolation: Isolation, cancel: &Arc<AtomicBool>, wait: u64) -> Options {
    let deadline = Duration::from_secs(wait);
    Options {
        setup: Setup {
            renode: Program {
                path: renode,
                version: Version {
                    release: (1, 16, 1),
                    runtime: Runtime::Mono,
                },
            },
            guard: GuardProgram {
                path: this(),
                arguments: vec!["guard".into()],
            },
            isolation,
            cancel: Arc::clone(cancel),
            deadlines: Deadlines {
                start: deadline,
                command: deadline,
                stretch: deadline,
            },
            spares: Spares::default(),
        },
        platform: "platform".into(),
        uid: *b"unique ident",
        seed: 1,
    }
}

/// An ELF file with four bytes at 0x08000000.
fn image() -> Image {
    let mut elf = b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    for half in [2u16, 40] {
        elf.extend(half.to_le_bytes());
    }
    for word in [1u32, 0, 52, 0, 0] {
        elf.extend(word.to_le_bytes());
    }
    for half in [52u16, 32, 1, 40, 0, 0] {
        elf.extend(half.to_le_bytes());
    }
    for word in [1u32, 84, 0x0800_0000, 0x0800_0000, 4, 4, 5, 4] {
        elf.extend(word.to_le_bytes());
    }
    elf.extend(b"code");
    Image::parse(&elf).unwrap()
}

fn board(isolation: Isolation) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let cancel = Arc::default();
    let mut target = target(stand_in(folder.path(), "well"), isolation, &cancel, 60);
    target.load(&[&image()])?;
    assert!(String::from_utf8(target.log())?.contains("stand-in: well"));
    use_board(target)
}

fn use_board(mut target: RenodeTarget) -> Result<(), Failed> {
    target.load(&[&image()])?;
    target.power(PowerState::On)?;
    let mut bytes = [0; 6];
    target.read_memory(0x0800_0000, &mut bytes)?;
    assert_eq!(&bytes, b"code\xEE\xEE", "loaded");
    target.read_memory(0x1FFF_7A10, &mut bytes)?;
    assert_eq!(&bytes, b"unique");
    target.write_memory(0xE000_E208, &[1, 2, 3, 4])?;
    assert!(matches!(
        target.read_memory(0x2004_0000, &mut bytes),
        Err(TargetError::NoMemory {
            address: 0x2004_0000,
            ..
        })
    ));

    assert_eq!(
        target.run_until(VirtualTime::from_nanos(1_500_001))?,
        Stop::Paused
    );
    assert_eq!(target.now(), VirtualTime::from_millis(1));
    assert_eq!(
        target.run_until(VirtualTime::from_nanos(1_500_001))?,
        Stop::Deadline
    );
    assert_eq!(
        target.now(),
        VirtualTime::from_nanos(1_501_000),
        "whole microseconds"
    );
    assert_eq!(target.console_take()?, b"hello\r\n");
    target.console_send(b"typed")?;
    assert_eq!(target.console_take()?, b"typed");
    assert_eq!(target.instructions(), 500);
    let picture = target.picture().expect("a picture");
    assert!(picture.is_lit(0, 0) && !picture.is_lit(1, 0));
    let chip_on = target
        .drain_events()
        .into_iter()
        .find_map(|(at, payload)| match payload {
            Payload::SecureElement(SecureElementEvent::Power { on: true }) => Some(at),
            _ => None,
        });
    assert_eq!(chip_on, Some(VirtualTime::from_nanos(250_000)));

    target.power(PowerState::Off)?;
    assert_eq!(
        target.run_until(VirtualTime::from_millis(9))?,
        Stop::Deadline
    );
    assert_eq!(
        (target.now(), target.picture()),
        (VirtualTime::from_millis(9), None)
    );
    Ok(())
}

/// How often the stand-in is started by boards that come one after another.
fn again() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let starts = folder.path().join("starts");
    let script = fs::read_to_string(stand_in(folder.path(), "well"))?;
    let renode = folder.path().join("renode");
    let counting = format!("#!/bin/sh\necho start >> '{}'\n", starts.display());
    fs::write(&renode, script.replace("#!/bin/sh\n", &counting))?;
    let starts = || fs::read_to_string(&starts).map(|text| text.lines().count());
    let options = options(renode, Isolation::best(), &Arc::default(), 60);
    let board = || RenodeTarget::new(options.clone());

    let first = board();
    use_board(first)?;
    let mut second = board();
    second.load(&[&image()])?;
    assert!(
        !String::from_utf8(second.log())?.contains("stand-in: well"),
        "the log begins with the board"
    );
    use_board(second)?;
    assert_eq!(starts()?, 1, "one after another");

    let mut troubled = board();
    troubled.load(&[&image()])?;
    troubled.power(PowerState::On)?;
    let told = troubled.console_send(&[super::server::REFUSED]);
    assert!(told.is_err(), "{told:?}");
    drop(troubled);
    use_board(board())?;
    assert_eq!(starts()?, 2, "after trouble");
    Ok(())
}

fn several() -> Result<(), Failed> {
    let running: Vec<_> = (0..3)
        .map(|_| thread::spawn(|| board(Isolation::best())))
        .collect();
    running
        .into_iter()
        .try_for_each(|it| it.join().expect("no panic"))
}

fn version() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let program = Program::at(&stand_in(folder.path(), "well"))?;
    assert_eq!(
        (program.version.release, program.warning()),
        ((1, 16, 1), None)
    );
    Ok(())
}

fn one_by_one() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let renode = stand_in(folder.path(), "compiles one by one");
    let mut options = options(renode, Isolation::best(), &Arc::default(), 60);
    let told = RenodeTarget::new(options.clone()).load(&[&image()]);
    assert!(told.is_err(), "{told:?}");
    options.setup.renode.version.release = (1, 16, 0);
    use_board(RenodeTarget::new(options))
}

fn blanks() -> Result<(), Failed> {
    let folder = tempfile::Builder::new().prefix("a b  c").tempdir()?;
    let mut here = Command::new(this());
    let here = here.arg("board").env("TMPDIR", folder.path());
    let output = here.output()?;
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    Ok(())
}

/// Uses a board in this process, and panics if it does not work.
pub fn board_here() -> ExitCode {
    board(Isolation::best())
        .map_err(|failed| failed.message().map(str::to_owned))
        .expect("a board");
    ExitCode::SUCCESS
}

fn fails(manner: &str, expected: &str) -> Result<(), Failed> {
    fails_by(manner, VirtualTime::from_millis(1), expected)
}

/// Trouble within so much virtual time.
fn fails_by(manner: &str, deadline: VirtualTime, expected: &str) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let cancel = Arc::default();
    let mut target = target(
        stand_in(folder.path(), manner),
        Isolation::best(),
        &cancel,
        2,
    );
    let ran = target
        .load(&[&image()])
        .and_then(|()| target.power(PowerState::On))
        .and_then(|()| {
            loop {
                match target.run_until(deadline)? {
                    Stop::Deadline => break Ok(()),
                    Stop::Paused => {}
                    other => panic!("{manner}: {other:?}"),
                }
            }
        });
    match ran {
        Err(TargetError::Infrastructure { what, .. }) => assert_eq!(what, expected),
        other => panic!("{manner}: {other:?}"),
    }
    Ok(())
}

fn causes() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let renode = stand_in(folder.path(), "resets itself");
    let mut target = target(renode, Isolation::best(), &Arc::default(), 60);
    target.load(&[&image()])?;
    target.power(PowerState::On)?;
    for _ in 0..2 {
        target.run_until(VirtualTime::from_millis(9))?;
    }
    let events = target.drain_events().into_iter();
    let causes: Vec<String> = events
        .filter_map(|(_, payload)| match payload {
            Payload::Machine(MachineEvent::Reset { cause }) => Some(cause),
            _ => None,
        })
        .collect();
    assert_eq!(causes, ["por", "iwdg", "sft"]);
    Ok(())
}

/// A Renode that fails at its start is gone, but not what it said.
fn keeps_log(manner: &str, expected: &str) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let renode = stand_in(folder.path(), manner);
    let mut target = target(renode, Isolation::best(), &Arc::default(), 2);
    target.load(&[&image()]).expect_err("it does not start");
    let attached = target.take_attachments().remove(0);
    assert_eq!(attached.name, "renode.log");
    assert_eq!(str::from_utf8(&attached.bytes)?, expected, "{manner}");
    Ok(())
}

/// A harness that waits for a launcher until it is killed.
pub fn owner(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let folder = PathBuf::from(arguments.next().unwrap());
    let mut target = target(
        stand_in(&folder, "launches"),
        Isolation::best(),
        &Arc::default(),
        600,
    );
    let _ = target.load(&[&image()]);
    ExitCode::SUCCESS
}

/// What was killed by the hardest signal cannot clean up itself; the guard is told by one signal to
/// all, as `pkill -f` sends it.
fn nothing_is_left() -> Result<(), Failed> {
    killed(&[])?;
    if Isolation::best() == Isolation::Namespace {
        killed(&[Signal::INT, Signal::TERM])?;
        killed(&[Signal::KILL])?;
    }

    // A user who stops while it starts does not wait for it.
    let folder = tempfile::tempdir()?;
    let cancel = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&cancel);
    let renode = stand_in(folder.path(), "hangs");
    let running =
        thread::spawn(move || target(renode, Isolation::best(), &flag, 600).load(&[&image()]));
    thread::sleep(Duration::from_millis(200));
    cancel.store(true, Ordering::Relaxed);
    let error = running
        .join()
        .expect("no panic")
        .expect_err("it was stopped");
    assert!(
        error.to_string().starts_with("the run was interrupted"),
        "{error}"
    );
    Ok(())
}

/// Kills a harness, and sends its guard these signals.
fn killed(to_the_guard: &[Signal]) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let mut owner = Command::new(this())
        .arg("owner")
        .arg(folder.path())
        .env("TMPDIR", folder.path())
        .stdin(Stdio::null())
        .spawn()?;
    let (own, grandchild) = grandchild_in(folder.path())?;
    assert!(is_alive(&grandchild));
    let guards = guards(&own)?;
    assert!(!guards.is_empty(), "a guard is found by its folder");
    for signal in to_the_guard {
        for guard in &guards {
            // The first may have ended the second.
            let _ = kill_process(*guard, *signal);
        }
    }
    owner.kill()?;
    owner.wait()?;
    let is_removed = || to_the_guard.contains(&Signal::KILL) || !own.exists();
    eventually(|| !is_alive(&grandchild) && is_removed())
}

/// The processes that were started to guard the Renode in this folder.
fn guards(own: &Path) -> Result<Vec<Pid>, Failed> {
    let own = own.as_os_str().as_encoded_bytes();
    let mut found = Vec::new();
    for process in fs::read_dir("/proc")?.flatten() {
        let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
        let name = process.file_name();
        let id = name.to_str().and_then(|name| name.parse().ok());
        if let Some(id) = id.and_then(Pid::from_raw)
            && line.split(|byte| *byte == 0).any(|word| word == own)
        {
            found.push(id);
        }
    }
    Ok(found)
}

/// The folder that a stand-in runs in, and the process that it has started.
fn grandchild_in(folder: &Path) -> Result<(PathBuf, String), Failed> {
    let mut found = None;
    eventually(|| {
        let own = fs::read_dir(folder).unwrap().flatten().map(|it| it.path());
        let pids = own.filter_map(|own| {
            let pid = fs::read_to_string(own.join("grandchild")).ok()?;
            let pid = pid.strip_suffix('\n')?.to_owned();
            Some((own, pid))
        });
        found = pids.into_iter().next();
        found.is_some()
    })?;
    Ok(found.unwrap())
}

fn is_alive(pid: &str) -> bool {
    // A zombie that init has not reaped yet runs nothing.
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

fn eventually(mut holds: impl FnMut() -> bool) -> Result<(), Failed> {
    let started = Instant::now();
    while !holds() {
        if started.elapsed() > Duration::from_secs(120) {
            return Err("it did not come to pass within 120 s".into());
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}
