use std::path::Path;
use std::sync::Arc;

use az3166_rack::{Admission, Climbed, LeaseError, Outcome, Records, Uhubctl, Wedged, recover};
use clap::Args;

use super::access;
use super::common::{Held, Wanted};
use crate::exit::{Exit, Failure};
use crate::terminal;

/// Bring a board back that does not answer, and put it into use again.
///
/// What is tried, in order: re-open, slower clocks, under reset twice, a power cycle. The marker
/// `wedged` goes once the board answers.
#[derive(Args)]
#[command(after_help = "\
Example:
  cargo hil-board rack recover lab-1")]
pub struct Arguments {
    #[command(flatten)]
    pub wanted: Wanted,
}

/// Runs the command.
pub fn run(rack: Option<&Path>, arguments: &Arguments) -> Result<Exit, Failure> {
    let wanted = &arguments.wanted;
    let mut access = access::open(&format!("rack recover {}", wanted.id))?;
    let held = wanted.take(rack, "hil rack recover", Admission::EvenWedged)?;
    let Held {
        board,
        lease,
        places,
        stop,
    } = &held;
    let mut power = Uhubctl::new(Arc::clone(stop));
    let mut news = |rung| terminal::note(format_args!("{}: {rung}", board.id));
    let climbed = recover(board, &mut *access, &mut power, stop, &mut news);
    if let Some(reason) = climbed.reason() {
        lease.mark_wedged(&Wedged::now(reason.as_str()))?;
        return Err(Failure::infrastructure(format!(
            "the board {} is wedged: {reason}",
            board.id
        )));
    }
    let Climbed::Recovered { rung, uid } = climbed else {
        return Err(LeaseError::Cancelled.into());
    };
    lease.clear_wedged()?;
    let counted = Records::below(&places.state).count(&board.probe_serial, Outcome::Worked);
    counted.map_err(Failure::infrastructure)?;
    terminal::note(format_args!(
        "the board {} answers ({rung}); its chip is {uid}",
        board.id
    ));
    Ok(Exit::Passed)
}
