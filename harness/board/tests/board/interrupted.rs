//! A signal while a scenario runs.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use az3166_board::BoardTarget;
use az3166_event::Verdict;
use az3166_runner::bench::Cancel;
use rstest::rstest;
use signal_hook::consts::signal::{SIGINT, SIGTERM};

use crate::provisioning::{firmware, run_with};
use crate::support::Bench;

const FOR_EVER: &str = "name: x
needs: [console]
steps:
  - reset: {}
  - console: {expect: never, within: 1h}
";

#[rstest]
#[case::interrupt(SIGINT)]
#[case::terminate(SIGTERM)]
fn a_signal_leaves_the_board_free(#[case] signal: i32) {
    let asked = Arc::new(AtomicBool::new(false));
    let handler = signal_hook::flag::register(signal, Arc::clone(&asked)).unwrap();
    let bench = Bench::new();
    let executed = || bench.board.with(|kit| kit.instructions());
    let before = executed();
    let result = std::thread::scope(|scope| {
        let running = scope.spawn(|| {
            run_with(firmware(), FOR_EVER, Cancel::from_flag(asked), &|_| {
                Ok(Box::new(BoardTarget::open(bench.config.clone(), None)?))
            })
        });
        // More than flashing and the first reset take.
        bench.until("firmware that runs", |_| executed() > before + 5_000_000);
        assert!(bench.board.is_claimed());
        signal_hook::low_level::raise(signal).unwrap();
        running.join().unwrap()
    });
    signal_hook::low_level::unregister(handler);
    assert!(
        matches!(&result.verdict, Verdict::Error { what, .. } if what.contains("interrupt")),
        "{:?}",
        result.verdict
    );
    assert!(!bench.board.is_claimed());
    assert!(!bench.board.with(|kit| kit.cpu().is_halted()));
    // Probe and console are there for the next one.
    drop(bench.target());
}
