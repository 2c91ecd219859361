//! Live mode, on a pseudo-terminal.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::UDS;

/// A cold build of the firmware on a busy machine, and a boot after it.
const PATIENCE: Duration = Duration::from_secs(600);
/// Leaves the second screen.
const LEAVE: &str = "\x1b[?1049l";

struct Tty {
    keyboard: File,
    line: File,
    child: Child,
    pieces: Receiver<Vec<u8>>,
    shown: String,
}

impl Tty {
    fn start(arguments: &[&str]) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let line = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        let size = Winsize {
            ws_row: 40,
            ws_col: 110,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&line, size).unwrap();
        let line = File::from(line);
        let stdio = || Stdio::from(line.try_clone().unwrap());
        let child = Command::new(env!("CARGO_BIN_EXE_hil"))
            .arg("console")
            .args(arguments)
            .stdin(stdio())
            .stdout(stdio())
            .stderr(stdio())
            .spawn()
            .unwrap();
        let keyboard = File::from(master);
        let mut screen = keyboard.try_clone().unwrap();
        let (sender, pieces) = channel();
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(length @ 1..) = screen.read(&mut piece) {
                if sender.send(piece[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self {
            keyboard,
            line,
            child,
            pieces,
            shown: String::new(),
        }
    }

    /// Waits until the screen was sent `text`, and forgets what came up to it.
    fn wait_for(&mut self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(at) = self.shown.find(text) {
                self.shown.drain(..at + text.len());
                return;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match self.pieces.recv_timeout(left) {
                Ok(piece) => self.shown.push_str(&String::from_utf8_lossy(&piece)),
                Err(_) => panic!("{text:?} does not come after:\n{:?}", self.shown),
            }
        }
    }

    fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    fn is_raw(&self) -> bool {
        !tcgetattr(&self.line)
            .unwrap()
            .local_modes
            .contains(LocalModes::ICANON | LocalModes::ECHO)
    }

    fn end(&mut self) -> ExitStatus {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "the console does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Tty {
    /// Leaves no console behind when a test fails.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_tutorial_by_hand() {
    let mut tty = Tty::start(&["--hold", "A"]);
    // The last line of the help with which configuration mode begins.
    tty.wait_for("set_mac [mac]");
    assert!(tty.is_raw());
    tty.press(&format!("set_dps_uds {UDS}\r"));
    tty.wait_for("INFO: Set DPS UDS successfully.");
    tty.press("\x1bOQ");
    tty.wait_for("IoT Hub: telemetry sent");
    tty.press("\x1dh");
    tty.wait_for("or Ctrl-] r   reset");
    tty.press("\x03");
    assert!(tty.end().success());
    tty.wait_for(LEAVE);
    assert!(!tty.is_raw());
    assert!(!tty.shown.contains(UDS));
}

#[test]
fn a_signal_gives_the_terminal_back() {
    let mut tty = Tty::start(&[]);
    tty.wait_for("AZ3166 DevKit open firmware");
    assert!(tty.is_raw());
    kill_process(Pid::from_child(&tty.child), Signal::TERM).unwrap();
    assert_eq!(tty.end().code(), Some(3));
    tty.wait_for(LEAVE);
    tty.wait_for("the run was interrupted");
    assert!(!tty.is_raw());
}
