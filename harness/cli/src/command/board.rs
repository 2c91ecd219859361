//! `--target board:...`: scenarios on the boards of a rack.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use az3166_board::{BootloaderPolicy, Permits, PooledTarget, ProbeAccess, TakeOver};
use az3166_rack::{
    Board, ChipUid, Holder, Places, Pool, PoolNews, Selector, TakeOptions, Uhubctl, today,
};
use az3166_runner::suite::TargetFactory;
use az3166_scenario::Interval;
use clap::Args;

use super::rack::common;
use super::target::{Opened, Opener, TargetChoice};
use crate::exit::Failure;
use crate::terminal;

/// The variable that says how many seconds of a virtual board pass in one of the host's.
const VIRTUAL_PACE: &str = "HIL_VIRTUAL_PACE";

/// What a run may do with boards.
#[derive(Args)]
#[command(next_help_heading = "Boards")]
pub struct BoardOptions {
    /// The rack file [default: $HIL_RACK, ./rack.yaml or /etc/hil/rack.yaml]
    #[arg(long, value_name = "FILE")]
    pub rack: Option<PathBuf>,
    /// How long to wait while others have the boards: 90s, 30m, 2h
    #[arg(long, value_name = "TIME", default_value = "30m")]
    pub wait: Interval,
    /// Use boards that hil never used: their flash is saved to a file, their secure element's
    /// zones 5 (settings) and 6 (UDS) are lost
    #[arg(long)]
    pub take_over: bool,
    /// Erase the vendor's bootloader where it is in the way (flash sectors 0 to 2)
    #[arg(long)]
    pub replace_bootloader: bool,
}

/// The boards that `selector` means.
pub fn open(selector: &str, opener: &Opener<'_>) -> Result<Opened, Failure> {
    let (options, cancel) = (opener.boards, opener.cancel);
    let rack = common::read(options.rack.as_deref())?;
    let selector = Selector::new(selector);
    let boards: Vec<Board> = selector.boards(&rack)?.into_iter().cloned().collect();
    let stop = Arc::clone(cancel);
    let pool = Pool::new(
        boards,
        selector.quarantined(&rack),
        today(),
        TakeOptions {
            places: Places::of_this_machine(),
            holder: Holder::this_process(&format!("hil {}", opener.usage)),
            wait: options.wait.0,
            cancel: Arc::clone(cancel),
            access: Box::new(|| Box::new(ProbeAccess)),
            power: Box::new(move || Box::new(Uhubctl::new(Arc::clone(&stop)))),
            news: Box::new(tell),
        },
    )?;
    let count = NonZeroUsize::new(pool.size());
    let permits = Permits {
        take_over: match options.take_over {
            true => TakeOver::Allowed,
            false => TakeOver::Refused,
        },
        bootloader: match options.replace_bootloader {
            true => BootloaderPolicy::Replace,
            false => BootloaderPolicy::Keep,
        },
        time_factor: pace()?,
    };
    let cancel = Arc::clone(cancel);
    let factory: Box<TargetFactory<'static>> =
        Box::new(move |_| Ok(Box::new(PooledTarget::take(&pool, permits, &cancel)?)));
    Ok(Opened { factory, count })
}

/// The chip of the one board that `choices` mean: none where there are several, or none is known.
pub fn only_chip(
    choices: &[TargetChoice],
    options: &BoardOptions,
) -> Result<Option<[u8; 12]>, Failure> {
    let mut selectors = choices.iter().filter_map(|choice| match choice {
        TargetChoice::Board(selector) => Some(Selector::new(&**selector)),
        TargetChoice::Emulator | TargetChoice::Renode => None,
    });
    let (Some(selector), None) = (selectors.next(), selectors.next()) else {
        return Ok(None);
    };
    let rack = common::read(options.rack.as_deref())?;
    Ok(match &*selector.boards(&rack)? {
        [board] => board.chip_uid.as_ref().map(ChipUid::bytes),
        _ => None,
    })
}

/// 1, but for virtual boards in tests and development.
fn pace() -> Result<u32, Failure> {
    match std::env::var(VIRTUAL_PACE) {
        Err(_) => Ok(1),
        Ok(text) => text.parse().ok().filter(|pace| *pace > 0).ok_or_else(|| {
            Failure::usage(format!(
                "{VIRTUAL_PACE} is `{text}`; give a whole number from 1"
            ))
        }),
    }
}

fn tell(news: PoolNews<'_>) {
    match news {
        PoolNews::ExpiredQuarantine(board) => terminal::warning(format_args!(
            "the quarantine of the board {} is over; take it out of the rack file",
            board.id
        )),
        PoolNews::Waiting { board, holder } => common::tell_who_holds(board, holder),
        PoolNews::Recovering { board, rung } => {
            terminal::note(format_args!("the board {} gave trouble: {rung}", board.id));
        }
        PoolNews::Wedged { board, reason } => {
            terminal::warning(format_args!(
                "the board {} is out of use: {reason}",
                board.id
            ));
        }
    }
}
