//! One running Renode: its process, and conversations with its interfaces.
//!
//! Everything happens on the caller's thread. While an answer is awaited, requests of the bridge
//! are served, so that what the model sees is a function of what Renode does, and the end of the
//! process, the deadline and the user's wish to stop are noticed.

mod bridge_end;
mod control;
mod robot;
mod spares;
mod start;
mod wait;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use az3166_stsafe::SecureElement;

use crate::RenodeError;
use crate::guard::{Guard, Isolation};
use crate::wire::control::{Command, Width};
pub use bridge_end::BridgeEnd;
use control::Control;
use robot::Robot;
pub use spares::Spares;
pub use start::{Deadlines, NoStart, Setup};
use wait::Waiting;

/// A Renode that answers.
pub struct Session {
    // Dropped in this order: first the connections, then the process, then its folder.
    robot: Robot,
    control: Option<Control>,
    /// Where Renode's bridge finds the secure element.
    pub bridge: BridgeEnd,
    guard: Guard,
    folder: tempfile::TempDir,
    isolation: Isolation,
    cancel: Arc<AtomicBool>,
    deadlines: Deadlines,
    health: Health,
    /// How many boards it has had.
    boards: u16,
}

/// Whether a Renode may have another board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Health {
    Well,
    Doubtful,
}

/// How many boards one Renode has, so that its memory does not grow for ever.
const BOARDS: u16 = 50;

impl Session {
    /// Runs a Monitor command; gives what it printed.
    ///
    /// # Errors
    /// Renode refuses it, or is gone.
    pub fn command(
        &mut self,
        model: &mut SecureElement,
        command: &str,
    ) -> Result<String, RenodeError> {
        self.keyword(model, "ExecuteCommand", &[command])
    }

    /// Runs a script.
    ///
    /// # Errors
    /// Renode refuses one of its commands, or is gone.
    pub fn script(&mut self, model: &mut SecureElement, path: &Path) -> Result<(), RenodeError> {
        let path = path.display().to_string();
        self.keyword(model, "ExecuteScript", &[&path]).map(drop)
    }

    /// Takes the board away and what there is of it, so that another can be made.
    ///
    /// # Errors
    /// Renode is not fit for another board.
    fn renew(&mut self, model: &mut SecureElement) -> Result<(), RenodeError> {
        if self.health == Health::Doubtful || self.boards >= BOARDS {
            return Err(RenodeError::Interrupted);
        }
        self.keyword(model, "ResetEmulation", &[])?;
        self.control = None;
        self.bridge.hang_up();
        self.guard.turn_page();
        Ok(())
    }

    fn keyword(
        &mut self,
        model: &mut SecureElement,
        keyword: &str,
        arguments: &[&str],
    ) -> Result<String, RenodeError> {
        let mut waiting = Waiting {
            guard: &mut self.guard,
            bridge: &mut self.bridge,
            model,
            cancel: &self.cancel,
        };
        let after = self.deadlines.command;
        let done = self.robot.keyword(&mut waiting, keyword, arguments, after);
        if done.is_err() {
            self.health = Health::Doubtful;
        }
        done
    }

    /// Opens the External Control interface of the machine called `machine`.
    ///
    /// # Errors
    /// It speaks another version, or there is no such machine.
    pub fn open_control(
        &mut self,
        model: &mut SecureElement,
        machine: &str,
    ) -> Result<(), RenodeError> {
        self.boards += 1;
        let port = start::control_port(self.isolation, self.boards)?;
        self.command(
            model,
            &format!("emulation CreateExternalControlServer \"hil\" {port}"),
        )?;
        let mut waiting = Waiting {
            guard: &mut self.guard,
            bridge: &mut self.bridge,
            model,
            cancel: &self.cancel,
        };
        self.control = Some(Control::open(
            &mut waiting,
            port,
            machine,
            self.deadlines.stretch,
        )?);
        Ok(())
    }

    /// Lets virtual time pass.
    ///
    /// # Errors
    /// Renode is gone, or refuses.
    pub fn run_for(
        &mut self,
        model: &mut SecureElement,
        microseconds: u64,
    ) -> Result<(), RenodeError> {
        self.ask(model, Command::RunFor, &microseconds.to_le_bytes())?;
        Ok(())
    }

    /// Reads as a debugger does.
    ///
    /// # Errors
    /// Renode is gone, or refuses.
    pub fn read(
        &mut self,
        model: &mut SecureElement,
        width: Width,
        address: u32,
        bytes: &mut [u8],
    ) -> Result<(), RenodeError> {
        let data = self.transfer(model, |control| control.read(width, address, bytes.len()))?;
        if data.len() != bytes.len() {
            let why = format!("{} bytes where {} were asked for", data.len(), bytes.len());
            return Err(RenodeError::protocol(control::NAME, why));
        }
        bytes.copy_from_slice(&data);
        Ok(())
    }

    /// Writes as a debugger does.
    ///
    /// # Errors
    /// Renode is gone, or refuses.
    pub fn write(
        &mut self,
        model: &mut SecureElement,
        width: Width,
        address: u32,
        bytes: &[u8],
    ) -> Result<(), RenodeError> {
        self.transfer(model, |control| control.write(width, address, bytes))?;
        Ok(())
    }

    /// Why Renode's bridge to the secure element has given up, if it has.
    ///
    /// # Errors
    /// Renode refuses, or is gone.
    pub fn bridge_failure(
        &mut self,
        model: &mut SecureElement,
    ) -> Result<Option<String>, RenodeError> {
        let told = self.command(model, "sysbus.i2c.stsafe Failure")?;
        let failure = match (told.trim(), self.bridge.is_lost()) {
            ("", false) => return Ok(None),
            ("", true) => "it closed the connection",
            (text, _) => text,
        };
        self.health = Health::Doubtful;
        Ok(Some(failure.to_owned()))
    }

    /// Whether no board has been made in it yet.
    pub fn is_new(&self) -> bool {
        self.boards == 0
    }

    /// Renode's folder, which ends with it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Renode's output so far.
    pub fn log(&self) -> Vec<u8> {
        self.guard.log()
    }

    fn transfer(
        &mut self,
        model: &mut SecureElement,
        payload: impl FnOnce(&Control) -> Vec<u8>,
    ) -> Result<Vec<u8>, RenodeError> {
        let payload = payload(self.control.as_ref().ok_or_else(not_open)?);
        self.ask(model, Command::SystemBus, &payload)
    }

    fn ask(
        &mut self,
        model: &mut SecureElement,
        command: Command,
        payload: &[u8],
    ) -> Result<Vec<u8>, RenodeError> {
        let control = self.control.as_mut().ok_or_else(not_open)?;
        let mut waiting = Waiting {
            guard: &mut self.guard,
            bridge: &mut self.bridge,
            model,
            cancel: &self.cancel,
        };
        let done = control.ask(&mut waiting, command, payload, self.deadlines.stretch);
        if done.is_err() {
            self.health = Health::Doubtful;
        }
        done
    }
}

/// `path` as a word of a Monitor command.
pub fn path_word(path: &Path) -> String {
    format!("@{}", path.display().to_string().replace(' ', r"\ "))
}

fn not_open() -> RenodeError {
    RenodeError::protocol(control::NAME, "it is not open")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word() {
        assert_eq!(path_word(Path::new("/tmp/plain")), "@/tmp/plain");
        assert_eq!(path_word(Path::new("/tmp/a  b/c d")), r"@/tmp/a\ \ b/c\ d");
    }
}
