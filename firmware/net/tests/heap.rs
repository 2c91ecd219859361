//! How much heap a session takes at most.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicIsize, Ordering};

use devkit_net::{Progress, Session};
use support::gateway::{Plan, run};
use support::mqtt_dps::{ASSIGNED, ASSIGNING, mqtt_dps_with};
use support::pki::{self, Key};
use support::world::{START, mqtt_session, plan_with, session};

/// What the session may hold, in bytes. The firmware's heap is larger, which leaves room for the
/// gaps that an allocator leaves. Pointers are twice as large here as on the device.
const LIMIT: isize = 64 * 1024;

struct Counting;

static HELD: AtomicIsize = AtomicIsize::new(0);
static PEAK: AtomicIsize = AtomicIsize::new(0);

fn count(bytes: isize) {
    if support::IN_DEVICE.load(Ordering::Relaxed) {
        let held = HELD.fetch_add(bytes, Ordering::Relaxed) + bytes;
        PEAK.fetch_max(held, Ordering::Relaxed);
    }
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// One test, so that no other thread counts.
#[test]
fn a_session_stays_within_its_heap() {
    let chains: [&[Key]; 2] = [
        &[pki::P256_ROOT, pki::P256_LEAF],
        &[pki::RSA_4096, pki::RSA_4096, pki::RSA_4096, pki::RSA_4096],
    ];
    for keys in chains {
        check("HTTPS", keys, session, plan_with(keys));
        let plan = Plan {
            dps: mqtt_dps_with(keys, &[ASSIGNING, ASSIGNED]),
            dps_port: 8883,
            ..plan_with(keys)
        };
        check("MQTT", keys, mqtt_session, plan);
    }
}

fn check(transport: &str, keys: &[Key], session: impl Fn(Key) -> Session, plan: Plan) {
    HELD.store(0, Ordering::Relaxed);
    PEAK.store(0, Ordering::Relaxed);
    let (progress, lines, _) = run(session(keys[0]), plan, START, |progress, _| {
        matches!(progress, Progress::Online(_))
    });
    assert!(matches!(progress, Progress::Online(_)), "{lines:?}");
    let peak = PEAK.load(Ordering::Relaxed);
    println!("{transport}, {} certificates: {peak} bytes", keys.len());
    assert!((10_000..LIMIT).contains(&peak), "{peak} bytes");
}
