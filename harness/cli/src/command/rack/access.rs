//! The way to boards through their debug probes, in builds that have it.

use az3166_rack::BoardAccess;

use crate::exit::Failure;

/// What reaches boards.
///
/// # Errors
/// This build has no debug probes in it; `command` is what to call in one that has.
#[cfg_attr(
    feature = "board",
    expect(clippy::unnecessary_wraps, reason = "without the feature it fails")
)]
pub fn open(command: &str) -> Result<Box<dyn BoardAccess>, Failure> {
    #[cfg(feature = "board")]
    {
        let _ = command;
        Ok(Box::new(az3166_board::ProbeAccess))
    }
    #[cfg(not(feature = "board"))]
    Err(Failure::infrastructure(format!(
        "this build of hil cannot reach boards; use `cargo hil-board {command}`"
    )))
}
