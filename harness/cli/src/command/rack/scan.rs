use az3166_rack::{
    Attach, Board, BoardAccess, BoardId, Buttons, Console, Kilohertz, ProbeSerial, UsbProbe,
    UsbTree, draft,
};
use clap::Args;
use serde::Serialize;

use super::access;
use crate::exit::{Exit, Failure};
use crate::terminal;

/// Find the boards on USB and print a draft of the rack file.
#[derive(Args)]
#[command(after_help = "\
Example:
  cargo hil-board rack scan > rack.yaml")]
pub struct Arguments {
    /// Print what was found as JSON
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let mut access = access::open("rack scan")?;
    let probes = UsbTree::of_this_machine().probes();
    let found: Vec<Found> = found(&probes, &mut *access);
    for found in &found {
        if let Some(trouble) = &found.trouble {
            terminal::warning(format_args!("{}: {trouble}", found.serial));
        }
    }
    if arguments.json {
        let text = serde_json::to_string_pretty(&found).map_err(Failure::infrastructure)?;
        terminal::print(format_args!("{text}\n"));
        return Ok(Exit::Passed);
    }
    let boards: Vec<Board> = found.into_iter().filter_map(|found| found.board).collect();
    if boards.is_empty() {
        return Err(Failure::infrastructure(
            "no board was found; connect one by USB, and see `hil doctor`",
        ));
    }
    terminal::print(draft(&boards, "rack.schema.json"));
    Ok(Exit::Passed)
}

/// A probe, and the board that it makes.
#[derive(Serialize)]
struct Found {
    serial: String,
    board: Option<Board>,
    /// What keeps it from being used as it is.
    trouble: Option<String>,
}

fn found(probes: &[UsbProbe], access: &mut dyn BoardAccess) -> Vec<Found> {
    let mut all: Vec<Found> = Vec::new();
    for probe in probes {
        let serial = probe.serial.clone();
        let twice = all.iter().any(|it| it.serial.eq_ignore_ascii_case(&serial));
        let (board, trouble) = match (twice, board(probe, all.len() + 1)) {
            (true, _) => (
                None,
                Some("two probes have this serial number; update the firmware of one".into()),
            ),
            (false, Err(trouble)) => (None, Some(trouble)),
            (false, Ok(mut board)) => {
                let attached = access.attach(&board, Attach::Running(board.speed_khz));
                let trouble = attached.as_ref().err().map(ToString::to_string);
                board.chip_uid = attached.ok();
                (Some(board), trouble)
            }
        };
        all.push(Found {
            serial,
            board,
            trouble,
        });
    }
    all
}

/// The board behind `probe`, as far as USB tells.
fn board(probe: &UsbProbe, number: usize) -> Result<Board, String> {
    Ok(Board {
        id: BoardId::try_from(format!("board-{number}"))?,
        probe_serial: ProbeSerial::try_from(probe.serial.clone())?,
        chip: "STM32F412ZG".into(),
        speed_khz: Kilohertz::FASTEST,
        console: Console::Auto,
        power: probe.port.clone(),
        buttons: Buttons::Debugger,
        chip_uid: None,
        tags: Vec::new(),
        quarantine: None,
    })
}

#[cfg(test)]
mod tests {
    use az3166_rack::{AccessError, ChipUid, DeviceAccess, Rack, parse};

    use super::*;

    /// The first probe answers, the others do not.
    struct FirstOnly;

    impl BoardAccess for FirstOnly {
        fn attach(&mut self, board: &Board, _: Attach) -> Result<ChipUid, AccessError> {
            match board.id.as_str() {
                "board-1" => Ok(ChipUid::from_bytes([0x31; 12])),
                _ => Err(AccessError::Trouble("no acknowledge".into())),
            }
        }

        fn restore(&mut self, _: &Board, _: &ChipUid, _: &[u8]) -> Result<(), AccessError> {
            Err(AccessError::Trouble("a scan restores nothing".into()))
        }
    }

    #[test]
    fn a_scan_makes_a_rack_file() {
        let probe = |serial: &str| UsbProbe {
            serial: serial.into(),
            access: DeviceAccess::Allowed,
            port: None,
            console: None,
        };
        let probes = ["066EFF", "066F", "066f", "\u{1}?"].map(probe);
        let found = found(&probes, &mut FirstOnly);
        let troubles: Vec<&str> = found
            .iter()
            .map(|found| found.trouble.as_deref().unwrap_or("-"))
            .collect();
        assert_eq!(troubles[..2], ["-", "no acknowledge"]);
        assert!(troubles[2].starts_with("two probes") && troubles[3].starts_with("a probe's"));
        let boards: Vec<Board> = found.into_iter().filter_map(|found| found.board).collect();
        let text = draft(&boards, "rack.schema.json");
        let source = az3166_scenario::Source::new("rack.yaml", &text);
        assert_eq!(parse(&source).unwrap(), Rack { boards });
    }
}
