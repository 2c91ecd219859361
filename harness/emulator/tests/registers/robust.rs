//! Whatever software writes where, the chip answers: no panic, no standstill.

use az3166_emulator::chip::BLOCKS;
use proptest::prelude::*;

use crate::script::*;

/// A register of any peripheral, its neighbourhood and the tables' ends included.
fn address() -> impl Strategy<Value = u32> {
    (0..BLOCKS.len(), 0u32..44).prop_map(|(block, word)| BLOCKS[block].base + word * 4)
}

/// Values that mean something more often than chance would have it.
fn value() -> impl Strategy<Value = u32> {
    prop_oneof![
        any::<u32>(),
        (0u32..32).prop_map(|bit| 1 << bit),
        Just(0),
        Just(u32::MAX),
        Just(0x4567_0123),
        Just(0xCDEF_89AB),
        Just(0xCCCC),
        Just(0x5555),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (address(), value()).prop_map(|(address, value)| Write(address, value)),
        2 => address().prop_map(|address| Read(address, 0, 0)),
        1 => (0u64..3_000_000).prop_map(Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_accesses(steps in prop::collection::vec(step(), 1..200)) {
        let mut bench = Bench::new();
        // All clocks on: what is off cannot go wrong.
        bench.run(&[
            Write(0x4002_3830, u32::MAX),
            Write(0x4002_3834, u32::MAX),
            Write(0x4002_3840, u32::MAX),
            Write(0x4002_3844, u32::MAX),
        ]);
        bench.run(&steps);
        let before = bench.devkit.now();
        bench.wait(10 * MILLISECOND);
        prop_assert!(bench.devkit.now() > before);
    }
}
