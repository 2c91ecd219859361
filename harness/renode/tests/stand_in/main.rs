//! The backend against a stand-in that speaks Renode's protocols, well or badly.
//!
//! This program is the tests, the guard and the stand-in, by its first argument, so that nothing
//! has to be built or found besides it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on panics"
)]

#[cfg(unix)]
mod cases;
#[cfg(unix)]
mod server;

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    match arguments.next().as_deref().and_then(|it| it.to_str()) {
        Some("guard") => az3166_renode::guard::run(arguments),
        Some("stand-in") => server::run(arguments),
        Some("board") => cases::board_here(),
        Some("owner") => cases::owner(arguments),
        _ => cases::run(),
    }
}

#[cfg(not(unix))]
fn main() {}
