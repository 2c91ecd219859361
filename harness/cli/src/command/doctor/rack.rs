//! Judges a rack: its folders, its boards, its power.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use az3166_build::{Limits, version_of};
use az3166_rack::{
    Board, Console, DeviceAccess, FolderState, Places, Rack, UsbProbe, UsbTree, Wedged, today,
};
use time::Date;

use super::checks::{Check, Purpose};

/// What is there of a rack.
pub struct RackFacts {
    pub rack: Rack,
    pub today: Date,
    /// Where leases lie and what that folder is like.
    pub leases: (String, FolderState),
    /// The folder of records, and whether this user can write there.
    pub state: (String, bool),
    /// What is on USB.
    pub probes: Vec<UsbProbe>,
    /// Consoles by a path of the rack file, and whether this user may use them.
    pub consoles: Vec<(String, bool)>,
    /// What uhubctl says of its version.
    pub uhubctl: Option<String>,
    /// The markers, in the boards' order.
    pub wedged: Vec<Option<Wedged>>,
}

impl RackFacts {
    /// Looks at this machine.
    pub fn gather(rack: Rack) -> Self {
        let places = Places::of_this_machine();
        let limits = Limits {
            cancel: &AtomicBool::new(false),
            deadline: Duration::from_secs(10),
        };
        let boards = rack.boards.iter();
        let paths = boards.clone().filter_map(|board| match &board.console {
            Console::Path(path) => Some(path),
            Console::Auto => None,
        });
        let is_usable = |path: &std::path::PathBuf| {
            let name = path.display().to_string();
            (name, super::facts::is_writable(path))
        };
        Self {
            today: today(),
            leases: (
                places.leases.path().display().to_string(),
                places.leases.state(),
            ),
            state: (
                places.state.display().to_string(),
                super::facts::is_writable(&places.state),
            ),
            probes: UsbTree::of_this_machine().probes(),
            consoles: paths.map(is_usable).collect(),
            uhubctl: version_of("uhubctl", "-v", limits),
            wedged: boards
                .map(|board| places.leases.wedged(&board.probe_serial))
                .collect(),
            rack,
        }
    }
}

/// Judges all facts. No I/O here.
pub fn rack_checks(facts: &RackFacts) -> Vec<Check> {
    let mut checks = vec![leases(facts), records(facts)];
    if facts.rack.boards.iter().any(|board| board.power.is_some()) {
        checks.push(match &facts.uhubctl {
            Some(version) => present("uhubctl", version),
            None => missing("uhubctl", "not in PATH", "sudo apt-get install uhubctl"),
        });
    }
    for (board, wedged) in facts.rack.boards.iter().zip(&facts.wedged) {
        checks.push(probe(facts, board));
        checks.push(console(facts, board));
        checks.extend(power(facts, board));
        checks.extend(wedged.as_ref().map(|wedged| {
            missing(
                &format!("{} in use", board.id),
                &format!("wedged {wedged}"),
                &format!("cargo hil-board rack recover {}", board.id),
            )
        }));
        if board.has_expired_quarantine(facts.today)
            && let Some(quarantine) = &board.quarantine
        {
            checks.push(missing(
                &format!("{} quarantine", board.id),
                &format!("it ended on {} ({})", quarantine.until, quarantine.ticket),
                "take it out of the rack file, or give it a new date",
            ));
        }
    }
    checks
}

fn leases(facts: &RackFacts) -> Check {
    let (path, state) = &facts.leases;
    let found = format!("{path}: {state}");
    match state {
        FolderState::Shared { .. } => present("leases", &found),
        FolderState::Missing => missing(
            "leases",
            &found,
            "sudo cp ci/rack/hil.tmpfiles.conf /etc/tmpfiles.d/hil.conf && sudo systemd-tmpfiles --create hil.conf",
        ),
        FolderState::Unshared { .. } => missing(
            "leases",
            &found,
            &format!("sudo chgrp plugdev {path} && sudo chmod 3775 {path}"),
        ),
        FolderState::Denied { .. } => missing(
            "leases",
            &found,
            "sudo usermod -aG plugdev $USER, then log in again",
        ),
    }
}

fn records(facts: &RackFacts) -> Check {
    match &facts.state {
        (path, true) => present("records", path),
        (path, false) => missing(
            "records",
            &format!("{path}: not there, or this user cannot write to it"),
            "install ci/rack/hil.tmpfiles.conf, or name a folder in HIL_STATE_DIR",
        ),
    }
}

fn probe(facts: &RackFacts, board: &Board) -> Check {
    let what = format!("{} probe", board.id);
    let serial = board.probe_serial.as_str();
    let named: Vec<&UsbProbe> = facts
        .probes
        .iter()
        .filter(|probe| probe.serial.eq_ignore_ascii_case(serial))
        .collect();
    match named.as_slice() {
        [] => missing(
            &what,
            &format!("{serial} is not on USB"),
            &match board.power {
                Some(_) => format!("connect it, or: hil rack power {} on", board.id),
                None => "connect it".to_owned(),
            },
        ),
        [probe] if probe.access == DeviceAccess::Denied => missing(
            &what,
            &format!("no permission to use {serial}"),
            "sudo cp ci/rack/69-hil.rules /etc/udev/rules.d/ && sudo udevadm control --reload && sudo udevadm trigger",
        ),
        [_] => present(&what, serial),
        _ => missing(
            &what,
            &format!("{} probes have the serial number {serial}", named.len()),
            "update the firmware of all but one: then they get serial numbers of their own",
        ),
    }
}

fn console(facts: &RackFacts, board: &Board) -> Check {
    let what = format!("{} console", board.id);
    let serial = board.probe_serial.as_str();
    let by_probe = || {
        let mut probes = facts.probes.iter();
        let probe = probes.find(|probe| probe.serial.eq_ignore_ascii_case(serial))?;
        Some(probe.console.as_ref()?.display().to_string())
    };
    match &board.console {
        Console::Auto => match by_probe() {
            Some(path) => present(&what, &path),
            None => missing(
                &what,
                "the probe has no serial port",
                "connect it; a ST-Link before V2-1 needs a cable of its own and `console: PATH`",
            ),
        },
        Console::Path(path) => {
            let name = path.display().to_string();
            match facts.consoles.contains(&(name.clone(), true)) {
                true => present(&what, &name),
                false => missing(
                    &what,
                    &format!("{name} is not there, or this user may not use it"),
                    "sudo usermod -aG dialout $USER, then log in again",
                ),
            }
        }
    }
}

/// Whether the board hangs where the rack file says that its power comes from.
fn power(facts: &RackFacts, board: &Board) -> Option<Check> {
    let written = board.power.as_ref()?;
    let serial = board.probe_serial.as_str();
    let mut probes = facts.probes.iter();
    let probe = probes.find(|probe| probe.serial.eq_ignore_ascii_case(serial))?;
    let what = format!("{} power", board.id);
    let place = |port: &az3166_rack::PowerPort| {
        format!("hub {}, port {}", port.hub.as_str(), u8::from(port.port))
    };
    Some(match &probe.port {
        Some(real) if real == written => present(&what, &place(real)),
        Some(real) => missing(
            &what,
            &format!(
                "the rack file says {}, and it hangs on {}",
                place(written),
                place(real)
            ),
            "correct `power` in the rack file",
        ),
        None => missing(
            &what,
            &format!(
                "the rack file says {}, and it hangs on the machine itself",
                place(written)
            ),
            "correct `power` in the rack file, or move the board to the hub",
        ),
    })
}

fn present(what: &str, found: &str) -> Check {
    Check::present(Purpose::Board, what, found)
}

fn missing(what: &str, found: &str, remedy: &str) -> Check {
    Check::missing(Purpose::Board, what, found, remedy)
}
