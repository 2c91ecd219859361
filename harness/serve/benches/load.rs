//! How many devices register in a second over real TLS on loopback, how long each takes, and how
//! much memory the server needs for them.
//!
//! `cargo bench --package az3166-serve --bench load [DEVICES...]`
//!
//! Clients and server are one process: memory is counted from when the clients' keys are made.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark that fails says where"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::sync::Mutex;
use std::time::{Duration, Instant};

use az3166_serve::Settings;
use support::{Client, DPS, Device, Running, client_config, connect, settings};

/// Clients at a time.
const CLIENTS: usize = 8;

fn main() {
    let (options, counts): (Vec<String>, Vec<String>) = std::env::args()
        .skip(1)
        .partition(|text| text.starts_with('-'));
    let counts: Vec<usize> = counts
        .iter()
        .map(|count| count.parse().expect("a number of devices"))
        .collect();
    // `cargo test --benches` says nothing, `cargo bench` says `--bench`.
    let is_measured = options.iter().any(|option| option == "--bench");
    let counts = match (counts.is_empty(), is_measured) {
        (false, _) => counts,
        (true, true) => vec![1_000, 10_000],
        (true, false) => vec![20],
    };
    for count in counts {
        measure(count);
    }
}

fn measure(count: usize) {
    let folder = tempfile::tempdir().unwrap();
    let devices: Vec<Device> = (0..count)
        .map(|n| Device::new(&format!("dev-{n}")))
        .collect();
    let before = resident();
    let server = Running::start(Settings {
        enrolments: devices.iter().map(Device::enrolment).collect(),
        ..settings(folder.path())
    });
    let enrolled = resident();
    let (roots, address) = (server.roots(), server.ready.https);
    let times = Mutex::new(Vec::with_capacity(count));
    let (started, worked) = (Instant::now(), processor_time());
    std::thread::scope(|scope| {
        for part in devices.chunks(count.div_ceil(CLIENTS)) {
            let (roots, times) = (&roots, &times);
            scope.spawn(move || {
                for device in part {
                    let begun = Instant::now();
                    let config = client_config(roots.clone(), Some(device));
                    let mut client = Client::over(connect(address), DPS, config).unwrap();
                    let state = client.register(&device.id).unwrap();
                    assert_eq!(state["status"], "assigned", "{state}");
                    times.lock().unwrap().push(begun.elapsed());
                }
            });
        }
    });
    let elapsed = started.elapsed();
    let (after, worked) = (resident(), processor_time().saturating_sub(worked));
    let mut times = times.into_inner().unwrap();
    times.sort_unstable();
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
    println!(
        "{count} registrations in {:.1} s: {:.0} a second, p50 {:.1} ms, p99 {:.1} ms; \
        {:.1} ms of processor time each, the clients' part included; \
        {} MiB with the enrolments, {} MiB with the registrations",
        elapsed.as_secs_f64(),
        count as f64 / elapsed.as_secs_f64(),
        milliseconds(at(50)),
        milliseconds(at(99)),
        milliseconds(worked) / count as f64,
        enrolled.saturating_sub(before) / 1024,
        after.saturating_sub(before) / 1024,
    );
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// The processor time that this process has used (proc_pid_stat(5), in ticks of a hundredth of a
/// second); none where the system does not say.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name before may hold anything; `utime` and `stime` are fields 14 and 15.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let fields = fields.split_whitespace().skip(11).take(2);
    let ticks: u64 = fields.filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// The process's resident memory in KiB (proc_pid_status(5)); 0 where the system does not say.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.unwrap_or_default()
}
