//! Racks of virtual boards, and `hil` on them.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use az3166_board::VIRTUAL_PROBES;
use az3166_board::virtual_board::{Pace, VirtualBoard, VirtualBoardConfig};
use az3166_rack::{BoardRecord, ProbeSerial, Records};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{assert_exit, firmware, hil, hil_run, printed, root, scenario};

/// The tag that all boards have.
pub const TAG: &str = "virtual";
const PACE: u32 = 10;
const SOON: Duration = Duration::from_secs(60);

/// A board and what its rack file calls it.
pub struct Seat {
    pub board: VirtualBoard,
    pub id: &'static str,
    pub uid: String,
}

impl Seat {
    fn start(number: u8, id: &'static str, pace: u32) -> Self {
        let mut uid = *b"a-test-board";
        uid[11] += number;
        let board = VirtualBoard::start(VirtualBoardConfig {
            serial: format!("0123456789ABCDEF0123456{number}"),
            uid,
            seed: 1,
            pace: Pace::times(NonZeroU32::new(pace).unwrap()),
        });
        Self {
            board: board.unwrap(),
            id,
            uid: uid.iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }

    /// Its entry in the rack file.
    fn entry(&self, more: &str) -> String {
        format!(
            "  - id: {}\n    probe_serial: {}\n    chip_uid: {}\n    console: {}\n    tags: [{TAG}]\n{more}",
            self.id,
            self.board.serial(),
            self.uid,
            self.board.console_path()
        )
    }
}

/// A rack of virtual boards.
pub struct Rack {
    pub seats: Vec<Seat>,
    folder: TempDir,
    pace: u32,
}

impl Rack {
    /// One board, `desk`.
    pub fn new() -> Self {
        Self::of(&["desk"])
    }

    /// The same at another pace.
    pub fn at_pace(pace: u32) -> Self {
        Self::build(&["desk"], "", pace)
    }

    /// Boards with these ids.
    pub fn of(ids: &[&'static str]) -> Self {
        Self::build(ids, "", PACE)
    }

    fn build(ids: &[&'static str], more: &str, pace: u32) -> Self {
        let folder = TempDir::new().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["probes", "locks", "state", "scenarios"] {
            fs::create_dir(at(name)).unwrap();
        }
        let mut seats = Vec::new();
        let mut text = String::from("boards:\n");
        for (number, id) in (0..).zip(ids) {
            let mut seat = Seat::start(number, id, pace);
            let socket = format!("{}.swd", seat.board.serial());
            let served = seat.board.serve_probe(&at("probes").join(socket));
            served.unwrap();
            text += &seat.entry(more);
            seats.push(seat);
        }
        fs::write(at("rack.yaml"), text).unwrap();
        Self {
            seats,
            folder,
            pace,
        }
    }

    /// The first board.
    pub fn board(&self) -> &VirtualBoard {
        &self.seats[0].board
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a scenario with these members and steps; it is called like its file.
    pub fn scenario(&self, name: &str, text: &str) -> PathBuf {
        let text = format!("name: {name}\n{text}");
        scenario(&self.path("scenarios"), name, &text).into()
    }

    /// `command` where this rack is.
    pub fn here(&self, mut command: Command) -> Command {
        command
            .env("HIL_RACK", self.path("rack.yaml"))
            .env("HIL_LOCK_DIR", self.path("locks"))
            .env("HIL_STATE_DIR", self.path("state"))
            .env(VIRTUAL_PROBES, self.path("probes"))
            .env("HIL_VIRTUAL_PACE", self.pace.to_string());
        command
    }

    /// `hil rack` with its outcome.
    pub fn rack(&self, arguments: &[&str], code: i32) -> String {
        let mut command = hil(["rack"]);
        command.args(arguments);
        let output = self.here(command).output().unwrap();
        assert_exit(&output, code);
        printed(&output)
    }

    /// `hil run` on the board or tag `selector`.
    pub fn command(&self, selector: &str, arguments: &[&str]) -> Command {
        let target = format!("board:{selector}");
        let mut command = hil_run(firmware(), &self.path("out"), ["--target", &target]);
        command.args(arguments);
        self.here(command)
    }

    /// `hil run` of one file on `desk`.
    pub fn run(&self, file: &Path, more: &[&str]) -> Output {
        let mut command = self.command("desk", more);
        command.arg(file);
        command.output().unwrap()
    }

    /// What a report or a record of this rack says.
    pub fn text(&self, path: &str) -> String {
        let path = self.path(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Adds a board to the rack file.
    pub fn add_to_file(&self, entry: &str) {
        let text = self.text("rack.yaml") + entry;
        fs::write(self.path("rack.yaml"), text).unwrap();
    }

    /// What is known of the board with this probe.
    pub fn record(&self, serial: &str) -> BoardRecord {
        let probe = ProbeSerial::try_from(serial.to_owned()).unwrap();
        Records::below(&self.path("state")).of(&probe)
    }

    pub fn until(&self, what: &str, condition: impl Fn(&VirtualBoard) -> bool) {
        let started = Instant::now();
        while !condition(self.board()) {
            assert!(started.elapsed() < SOON, "never came: {what}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// A run that has ended.
#[derive(Debug)]
pub struct Watched {
    pub code: Option<i32>,
    /// Its JSON lines.
    pub news: Vec<Value>,
    /// What it wrote to standard error.
    pub notes: String,
}

/// Runs `command`, whose news are JSON lines, to its end; `hear` hears each at once.
pub fn watch(mut command: Command, mut hear: impl FnMut(&Value)) -> Watched {
    let mut notes = tempfile::tempfile().unwrap();
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(notes.try_clone().unwrap());
    let mut child = command.spawn().unwrap();
    let mut news = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let piece = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        hear(&piece);
        news.push(piece);
    }
    let code = child.wait().unwrap().code();
    let mut text = String::new();
    notes.rewind().unwrap();
    notes.read_to_string(&mut text).unwrap();
    Watched {
        code,
        news,
        notes: text,
    }
}

pub fn tutorial() -> PathBuf {
    root().join("scenarios/basics/any-board.yaml")
}
