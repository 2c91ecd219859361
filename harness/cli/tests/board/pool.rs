//! Several boards with one tag, and what a run does about trouble with one of them.

use std::collections::BTreeSet;

use az3166_board::virtual_board::Injection;
use az3166_rack::BoardRecord;
use rstest::rstest;

use crate::rack::{Rack, TAG, watch};
use crate::support::{assert_exit, summary};

const QUICK: &str = "needs: [console]\nsteps:\n  - reset: {}\n  - console: {expect: \"MAC: \"}\n";

#[test]
fn the_boards_with_a_tag_share_the_scenarios() {
    let rack = Rack::of(&["left", "right"]);
    // It has neither the tag nor a probe.
    let other = "  - {id: other, probe_serial: '0', chip_uid: '000000000000000000000000'}\n";
    rack.add_to_file(other);
    let mut command = rack.command(TAG, &["--take-over", "--jobs", "2"]);
    for name in ["one", "two", "three", "four"] {
        command.arg(rack.scenario(name, QUICK));
    }
    assert_exit(&command.output().unwrap(), 0);
    let scenarios = summary(&rack.path("out"));
    assert_eq!(scenarios.len(), 4);
    let junit = rack.text("out/junit.xml");
    let page = rack.text("out/index.html");
    let mut used = BTreeSet::new();
    for scenario in &scenarios {
        assert_eq!(scenario["verdict"], "passed", "{scenario}");
        assert_eq!(scenario["attempts"], 1, "{scenario}");
        let target = scenario["target"].as_str().unwrap();
        let class = format!("classname=\"{target}.");
        assert!(junit.contains(&class), "{target} is not in\n{junit}");
        assert!(page.contains(target), "{target} is not in index.html");
        used.insert(target);
    }
    assert_eq!(used, BTreeSet::from(["board:left", "board:right"]));
    let uses = rack
        .seats
        .iter()
        .map(|seat| rack.record(seat.board.serial()).uses);
    assert_eq!(uses.sum::<u64>(), 4);
}

/// Its wait is long enough for trouble in the middle.
const PATIENT: &str = "needs: [console]\nsteps:\n  - reset: {}\n  - advance: 30s\n  - reset: {}\n  \
    - console: {expect: \"MAC: \"}\n";

/// What becomes of the first board in the middle of a scenario.
enum Trouble {
    /// Its cable is loose for a moment.
    Once,
    /// It is so in each attempt.
    EachTime,
    /// It is gone for good.
    Gone,
}

struct End {
    code: i32,
    verdict: &'static str,
    target: &'static str,
    /// What the JUnit report has of each kind: `flakyError`, `error`, `rerunError`.
    junit: [usize; 3],
    /// What is known of the first board afterwards.
    record: BoardRecord,
    wedged: bool,
}

#[rstest]
#[case::one_board_comes_back(&["desk"], Trouble::Once, End {
    code: 0,
    verdict: "passed",
    target: "board:desk",
    junit: [1, 0, 0],
    record: BoardRecord { uses: 2, troubles: 1, in_a_row: 0 },
    wedged: false,
})]
#[case::one_board_three_times(&["desk"], Trouble::EachTime, End {
    code: 3,
    verdict: "error",
    target: "board:desk",
    junit: [0, 1, 2],
    record: BoardRecord { uses: 3, troubles: 3, in_a_row: 3 },
    wedged: false,
})]
#[case::one_board_is_gone(&["desk"], Trouble::Gone, End {
    code: 3,
    verdict: "error",
    target: "board:virtual",
    junit: [0, 1, 2],
    record: BoardRecord { uses: 1, troubles: 1, in_a_row: 1 },
    wedged: true,
})]
#[case::another_board_takes_over(&["left", "right"], Trouble::Gone, End {
    code: 0,
    verdict: "passed",
    target: "board:right",
    junit: [1, 0, 0],
    record: BoardRecord { uses: 1, troubles: 1, in_a_row: 1 },
    wedged: false,
})]
fn trouble_is_no_failure(#[case] ids: &[&'static str], #[case] trouble: Trouble, #[case] end: End) {
    let mut rack = Rack::of(ids);
    let first = rack.seats.remove(0);
    let (id, serial) = (first.id, first.board.serial().to_owned());
    let mut first = Some(first);
    let mut command = rack.command(TAG, &["--take-over", "--json", "--jobs", "1"]);
    command.arg(rack.scenario("patient", PATIENT));
    let mut attempts = 0;
    let run = watch(command, |piece| {
        if piece["event"] != "step_started" || piece["verb"] != "advance" {
            return;
        }
        attempts += 1;
        let silence = Injection::Silence { count: 5 };
        match (&trouble, &first) {
            (Trouble::Gone, _) => drop(first.take()),
            (Trouble::Once, Some(seat)) if attempts == 1 => seat.board.inject(silence),
            (Trouble::EachTime, Some(seat)) => seat.board.inject(silence),
            _ => {}
        }
    });
    assert_eq!(run.code, Some(end.code), "{run:#?}");
    let scenario = &summary(&rack.path("out"))[0];
    assert_eq!(scenario["verdict"], end.verdict);
    assert_eq!(scenario["target"], end.target);
    let [flaky, error, rerun] = end.junit;
    assert_eq!(scenario["flaky"], flaky > 0);
    assert_eq!(scenario["attempts"], 1 + flaky + rerun);
    let counts = &run.news.last().unwrap()["counts"];
    assert_eq!(counts["flaky"], flaky);
    assert_eq!(counts["failed"], 0);

    let junit = rack.text("out/junit.xml");
    let count = |element: &str| junit.matches(&format!("<{element} ")).count();
    let kinds = ["flakyError", "error", "rerunError"].map(count);
    assert_eq!(kinds, [flaky, error, rerun], "{junit}");
    for failure in ["failure", "flakyFailure", "rerunFailure"] {
        assert_eq!(count(failure), 0, "{junit}");
    }
    // The report says which board it was.
    let seen = format!("= seen: on board:{id}: ");
    assert!(junit.contains(&seen), "{junit}");

    assert_eq!(rack.record(&serial), end.record);
    let marker = rack.path(&format!("locks/{serial}.wedged"));
    assert_eq!(marker.exists(), end.wedged);
    let told = format!("the board {id} gave trouble: re-open");
    let climbed = ids.len() == 1;
    assert_eq!(run.notes.contains(&told), climbed, "{}", run.notes);
}
