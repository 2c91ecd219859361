use std::path::Path;

use az3166_rack::{
    Board, BoardRecord, Holder, Occupied, Places, Rack, Records, UsbTree, Wedged, today,
};
use clap::Args;
use serde::Serialize;
use time::Date;

use super::common;
use crate::exit::{Exit, Failure};
use crate::terminal;

/// List the boards, and who has which.
#[derive(Args)]
#[command(after_help = "\
Example:
  hil rack list --json")]
pub struct Arguments {
    /// Print the list as JSON
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
pub fn run(rack: Option<&Path>, arguments: &Arguments) -> Result<Exit, Failure> {
    let rack = common::read(rack)?;
    let rows = rows(
        &rack,
        &Places::of_this_machine(),
        &UsbTree::of_this_machine(),
    )?;
    if arguments.json {
        let text = serde_json::to_string_pretty(&rows).map_err(Failure::infrastructure)?;
        terminal::print(format_args!("{text}\n"));
    } else {
        terminal::print(table(&rows, today()));
    }
    Ok(Exit::Passed)
}

/// A board and how it is.
#[derive(Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    board: &'a Board,
    connected: bool,
    held: bool,
    holder: Option<Holder>,
    wedged: Option<Wedged>,
    #[serde(flatten)]
    record: BoardRecord,
}

fn rows<'a>(rack: &'a Rack, places: &Places, usb: &UsbTree) -> Result<Vec<Row<'a>>, Failure> {
    let records = Records::below(&places.state);
    let rows = rack.boards.iter().map(|board| {
        let probe = &board.probe_serial;
        let (held, holder) = match places.leases.occupied(probe)? {
            Occupied::Free => (false, None),
            Occupied::By(holder) => (true, holder),
        };
        Ok(Row {
            board,
            connected: usb.has(probe),
            held,
            holder,
            wedged: places.leases.wedged(probe),
            record: records.of(probe),
        })
    });
    rows.collect()
}

fn table(rows: &[Row<'_>], today: Date) -> String {
    let id_width = rows.iter().map(|row| row.board.id.as_str().len()).max();
    let id_width = id_width.unwrap_or_default().max(5);
    let mut text = format!("{:id_width$}  {:24}  {}\n", "BOARD", "PROBE", "STATE");
    for row in rows {
        let (id, probe) = (&row.board.id, &row.board.probe_serial);
        text.push_str(&format!(
            "{id:id_width$}  {probe:24}  {}\n",
            state(row, today)
        ));
    }
    text
}

fn state(row: &Row<'_>, today: Date) -> String {
    let mut parts = Vec::new();
    match (&row.wedged, row.held, &row.holder) {
        (Some(wedged), ..) => parts.push(format!("wedged {wedged}")),
        (None, true, Some(holder)) => parts.push(format!("held by {holder}")),
        (None, true, None) => parts.push("held".into()),
        (None, false, _) if row.connected => parts.push("free".into()),
        (None, false, _) => parts.push("not connected".into()),
    }
    if let Some(quarantine) = &row.board.quarantine {
        let word = match row.board.is_quarantined(today) {
            true => "in quarantine until",
            false => "quarantine ended",
        };
        parts.push(format!(
            "{word} {} ({})",
            quarantine.until, quarantine.ticket
        ));
    }
    if row.record.troubles > 0 {
        let BoardRecord { uses, troubles, .. } = row.record;
        parts.push(format!("trouble in {troubles} of {uses} uses"));
    }
    if !row.board.tags.is_empty() {
        let tags: Vec<&str> = row.board.tags.iter().map(|tag| tag.as_str()).collect();
        parts.push(format!("tags {}", tags.join(", ")));
    }
    parts.join("; ")
}
