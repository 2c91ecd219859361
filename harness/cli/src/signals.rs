//! SIGINT, SIGTERM and SIGHUP end a command at its next look at the flag, with its children.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::signal::{SIGINT, SIGTERM};

use crate::exit::Failure;

/// A flag that is set once the user or the system asks `hil` to stop.
pub fn stop_flag() -> Result<Arc<AtomicBool>, Failure> {
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [
        SIGINT,
        SIGTERM,
        #[cfg(unix)]
        signal_hook::consts::signal::SIGHUP,
    ] {
        signal_hook::flag::register(signal, Arc::clone(&flag)).map_err(|error| {
            Failure::infrastructure(format!("a handler for signal {signal} is refused: {error}"))
        })?;
    }
    Ok(flag)
}
