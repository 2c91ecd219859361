//! Resets that the chip makes by itself, of which Renode tells nobody.

use az3166_event::{MachineEvent, Payload};

use super::Machine;
use crate::RenodeError;
use crate::wire::control::Width;

/// In the chip's system memory, where its bootloader would lie and nothing of ours does.
const MARK: u32 = 0x1FFF_0000;

/// What Renode's watchdog writes to the log before it resets the machine.
const WATCHDOG: &str = "Watchdog reset triggered";

/// The command that leaves a mark at each reset of the machine.
pub fn watch() -> String {
    format!("macro reset \"sysbus WriteDoubleWord {MARK:#010x} 1\"")
}

impl Machine {
    /// Takes the mark away that a reset by the host has left.
    pub(super) fn forget_reset(&mut self) -> Result<(), RenodeError> {
        match &mut self.running {
            Some(running) => running
                .session
                .write(&mut self.model, Width::Any, MARK, &[0; 4]),
            None => Ok(()),
        }
    }

    /// Notes a reset since the last look. Its instant is that of the look.
    pub(super) fn watch_reset(&mut self) -> Result<(), RenodeError> {
        let Some(running) = &mut self.running else {
            return Ok(());
        };
        let mut mark = [0; 4];
        running
            .session
            .read(&mut self.model, Width::Any, MARK, &mut mark)?;
        if mark == [0; 4] {
            return Ok(());
        }
        let log = String::from_utf8_lossy(&running.session.log()).into_owned();
        let barks = log.matches(WATCHDOG).count();
        let cause = match barks > running.barks {
            true => "iwdg",
            false => "sft",
        };
        running.barks = barks;
        self.forget_reset()?;
        let cause = cause.to_owned();
        self.events
            .push((self.now, Payload::Machine(MachineEvent::Reset { cause })));
        self.pace.traffic();
        Ok(())
    }
}
