//! A secure element that was written as often as it may be.

use std::fs;
use std::path::PathBuf;

use az3166_rack::WRITE_BUDGET;
use rstest::rstest;

use crate::rack::{Rack, TAG, watch};
use crate::support::{assert_exit, summary};

const UDS: &str = "  - console: {send: \"set_dps_uds 00000000000000000000000000000000\
    00000000000000000000000000000007\", expect: \"INFO: Set DPS UDS successfully.\"}\n";
const MAC: &str =
    "  - console: {send: \"set_mac 0200deadbeef\", expect: \"INFO: Set MAC successfully.\"}\n";

fn scenario(rack: &Rack, step: &str) -> PathBuf {
    let steps = format!("needs: [console, buttons]\nsteps:\n  - reset: {{hold: A}}\n{step}");
    rack.scenario("writing", &steps)
}

/// Uses up the budget of a zone of the first board.
fn wear_out(rack: &Rack, zone: u8) -> (String, String) {
    let file = format!("state/wear/{}.json", rack.seats[0].uid);
    let used_up = format!("{{\"zones\":{{\"{zone}\":{WRITE_BUDGET}}}}}\n");
    fs::create_dir(rack.path("state/wear")).unwrap();
    fs::write(rack.path(&file), &used_up).unwrap();
    (file, used_up)
}

#[rstest]
#[case::uds(6, UDS)]
#[case::settings(5, MAC)]
fn what_would_write_is_not_typed(#[case] zone: u8, #[case] step: &str) {
    let rack = Rack::new();
    let (file, used_up) = wear_out(&rack, zone);
    let element = || rack.board().with(|kit| kit.secure_element().nvm().clone());
    let before = element();
    let mut command = rack.command("desk", &["--take-over", "--json"]);
    command.arg(scenario(&rack, step));
    let run = watch(command, |_| {});

    assert_eq!(run.code, Some(3), "{run:#?}");
    let finished = run.news.iter().rev().nth(1).unwrap();
    let what = finished["error"]["what"].as_str().unwrap();
    let (_, what) = what.split_once("yaml:5:5: ").unwrap();
    let told = format!(
        "the secure element must not be written: zone {zone} of the secure element beside chip {} \
         was written {WRITE_BUDGET} times, and the budget is {WRITE_BUDGET}; use another board",
        rack.seats[0].uid
    );
    assert_eq!(what, told);
    let console = rack.text("out/writing/console.log");
    assert!(console.contains("Configuration console:"), "{console}");
    assert!(!console.contains("INFO: Set"), "{console}");
    assert!(element() == before, "the element was written");
    assert_eq!(rack.text(&file), used_up);
    // It serves scenarios that write nothing, and is no suspect.
    assert_eq!(rack.record(rack.board().serial()).troubles, 0);
}

#[test]
fn another_board_is_written_in_its_place() {
    let rack = Rack::of(&["left", "right"]);
    wear_out(&rack, 5);
    let mut command = rack.command(TAG, &["--take-over", "--jobs", "1"]);
    command.arg(scenario(&rack, MAC));
    assert_exit(&command.output().unwrap(), 0);
    let scenario = &summary(&rack.path("out"))[0];
    assert_eq!(scenario["target"], "board:right");
    assert_eq!(scenario["attempts"], 2);
}
