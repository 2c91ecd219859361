//! A bridge that has given up: it halts the processor, which looks like firmware that hangs.

use core::time::Duration;

use super::Machine;
use crate::RenodeError;
use crate::target::pace;

impl Machine {
    /// Looks after a step of virtual time whether the bridge has given up. One that never reached
    /// the harness can only be asked, and is once the device is quiet.
    pub(super) fn watch_secure_element(&mut self, step: Duration) -> Result<(), RenodeError> {
        let Some(running) = &mut self.running else {
            return Ok(());
        };
        let bridge = &running.session.bridge;
        if !bridge.is_lost() && (bridge.is_connected() || step < pace::LONG) {
            return Ok(());
        }
        match running.session.bridge_failure(&mut self.model)? {
            Some(why) => Err(RenodeError::SecureElementLost(why)),
            None => Ok(()),
        }
    }
}
