//! Pools of boards: who gets which, and what becomes of those that give trouble.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on panics"
)]

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use az3166_rack::{
    AccessError, Attach, Board, BoardAccess, ChipUid, Holder, LeaseFolder, Places, Pool, PoolError,
    PowerAction, PowerError, PowerSwitch, QuarantinedBoards, Rack, TakeOptions, parse,
};
use az3166_yaml::Source;
use time::macros::date;

/// Boards that answer, but those named here.
struct Dead(&'static [&'static str]);

impl BoardAccess for Dead {
    fn attach(&mut self, board: &Board, _: Attach) -> Result<ChipUid, AccessError> {
        match self.0.contains(&board.id.as_str()) {
            true => Err(AccessError::Trouble("no ack".into())),
            false => Ok(ChipUid::from_bytes([1; 12])),
        }
    }

    fn restore(&mut self, _: &Board, _: &ChipUid, _: &[u8]) -> Result<(), AccessError> {
        Err(AccessError::Trouble("a pool restores nothing".into()))
    }
}

struct NoPower;

impl PowerSwitch for NoPower {
    fn switch(&mut self, board: &Board, _: PowerAction) -> Result<(), PowerError> {
        Err(PowerError::NoPort(board.id.to_string()))
    }
}

fn rack() -> Rack {
    let text = "boards:
  - {id: a, probe_serial: A1, tags: [lab]}
  - {id: b, probe_serial: B2, tags: [lab]}
  - {id: c, probe_serial: C3, tags: [lab], quarantine: {until: 2026-01-31, ticket: '#1'}}
";
    parse(&Source::new("rack.yaml", text)).unwrap()
}

fn pool(folder: &Path, boards: usize, dead: &'static [&'static str]) -> Arc<Pool> {
    let options = TakeOptions {
        places: Places {
            leases: LeaseFolder::new(folder),
            state: folder.join("state"),
        },
        holder: Holder::this_process("a test"),
        wait: Duration::from_secs(20),
        cancel: Arc::default(),
        access: Box::new(move || Box::new(Dead(dead))),
        power: Box::new(|| Box::new(NoPower)),
        news: Box::new(|_| {}),
    };
    let boards = rack().boards.into_iter().take(boards).collect();
    Pool::new(
        boards,
        QuarantinedBoards::Avoid,
        date!(2026 - 01 - 31),
        options,
    )
    .unwrap()
}

#[test]
fn boards_in_quarantine_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(pool(folder.path(), 3, &[]).size(), 2);
}

#[test]
fn each_board_is_used_by_one_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    // Two runs, as two processes would have them: only the file locks are between them.
    let pools = [pool(folder.path(), 2, &[]), pool(folder.path(), 2, &[])];
    let in_use: Mutex<Vec<String>> = Mutex::default();
    let done = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for worker in 0..6 {
            let (pool, in_use, done) = (&pools[worker % 2], &in_use, &done);
            scope.spawn(move || {
                for _ in 0..10 {
                    let pooled = pool.take().unwrap();
                    let id = pooled.board().id.to_string();
                    {
                        let mut in_use = in_use.lock().unwrap();
                        assert!(!in_use.contains(&id), "{id} is used twice");
                        in_use.push(id.clone());
                    }
                    std::thread::sleep(Duration::from_millis(1));
                    in_use.lock().unwrap().retain(|it| *it != id);
                    drop(pooled);
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(done.load(Ordering::Relaxed), 60);
}

#[test]
fn a_board_that_recovers_is_used_again_but_last() {
    let folder = tempfile::tempdir().unwrap();
    let pool = pool(folder.path(), 2, &[]);
    let mut first = pool.take().unwrap();
    assert_eq!(first.board().id.as_str(), "a");
    first.trouble();
    drop(first);
    let second = pool.take().unwrap();
    assert_eq!(second.board().id.as_str(), "b");
    let third = pool.take().unwrap();
    assert_eq!(third.board().id.as_str(), "a");
}

#[test]
fn a_dead_board_is_wedged_and_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let two = pool(folder.path(), 2, &["a"]);
    let mut first = two.take().unwrap();
    first.trouble();
    drop(first);
    for _ in 0..3 {
        let mut pooled = two.take().unwrap();
        assert_eq!(pooled.board().id.as_str(), "b");
        // Both are suspects now: `a` climbs its ladder in vain, `b` with success.
        pooled.trouble();
    }
    // The marker is there for every other run.
    let refused = pool(folder.path(), 1, &[]).take().err().unwrap();
    assert!(matches!(refused, PoolError::NoneLeft(_)), "{refused}");
    let told = refused.to_string();
    assert!(told.contains("nothing helped: re-open: no ack"), "{told}");
}
