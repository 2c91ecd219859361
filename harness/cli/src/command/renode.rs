//! What `hil` does for its Renode: finds it, guards it.

use std::ffi::OsString;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use az3166_runner::suite::TargetFactory;
use clap::Args;

use crate::exit::{Exit, Failure};

/// Keep a Renode from outliving the hil that started it.
#[derive(Args)]
pub struct GuardArguments {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub arguments: Vec<OsString>,
}

/// The hidden command's name.
#[cfg(unix)]
const GUARD: &str = "renode-guard";

/// Runs the guard.
#[cfg(unix)]
pub fn guard(arguments: GuardArguments) -> Result<Exit, Failure> {
    let status = az3166_renode::guard::run(arguments.arguments);
    Ok(match status == std::process::ExitCode::SUCCESS {
        true => Exit::Passed,
        false => Exit::Infrastructure,
    })
}

/// Boards in Renode with this chip, each in a process of its own.
///
/// # Errors
/// There is no Renode on this machine, or no platform description.
#[cfg(unix)]
pub fn targets(
    uid: [u8; 12],
    cancel: &Arc<AtomicBool>,
) -> Result<Box<TargetFactory<'static>>, Failure> {
    use az3166_renode::guard::{GuardProgram, Isolation};
    use az3166_renode::{Deadlines, INSTALL, Options, Program, RenodeTarget, Setup, Spares};

    use crate::{terminal, workspace};

    let program =
        Program::find().map_err(|none| Failure::infrastructure(format!("{none}; {INSTALL}")))?;
    let platform = workspace::root()
        .map(|root| root.join("renode"))
        .filter(|folder| folder.join("machine.resc").is_file())
        .ok_or_else(|| {
            Failure::infrastructure(
                "there is no renode/machine.resc above this folder; go into a checkout of the harness",
            )
        })?;
    let isolation = Isolation::best();
    for warning in [program.warning(), isolation.warning().map(Into::into)] {
        warning.into_iter().for_each(terminal::warning);
    }
    let guard = std::env::current_exe().map_err(Failure::infrastructure)?;
    let setup = Setup {
        renode: program,
        guard: GuardProgram {
            path: guard,
            arguments: vec![GUARD.into()],
        },
        isolation,
        cancel: Arc::clone(cancel),
        deadlines: Deadlines::default(),
        spares: Spares::default(),
    };
    Ok(Box::new(move |seed| {
        Ok(Box::new(RenodeTarget::new(Options {
            setup: setup.clone(),
            platform: platform.clone(),
            uid,
            seed,
        })))
    }))
}

#[cfg(not(unix))]
pub fn guard(_: GuardArguments) -> Result<Exit, Failure> {
    Err(unsupported())
}

#[cfg(not(unix))]
pub fn targets(_: [u8; 12], _: &Arc<AtomicBool>) -> Result<Box<TargetFactory<'static>>, Failure> {
    Err(unsupported())
}

#[cfg(not(unix))]
fn unsupported() -> Failure {
    Failure::infrastructure("hil drives Renode on Linux and macOS only; use --target emulator")
}
