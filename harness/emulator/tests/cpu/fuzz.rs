//! No program makes the processor panic.

use crate::support::random::Random;
use az3166_emulator::cpu::fuzzing;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_can_be_executed(data in prop::collection::vec(any::<u8>(), 0..2_000)) {
        fuzzing::execute(&data);
    }

    /// As above with a vector table that leads into the bytes.
    #[test]
    fn any_code_can_be_executed(seed in any::<u64>()) {
        let mut random = Random::new(seed);
        let mut image = Vec::new();
        image.extend((0x2000_0000 + random.below(0x4_0400)).to_le_bytes());
        for _ in 1..113 {
            let base = if random.below(4) == 0 { 0x2002_0000 } else { 0x0800_0000 };
            image.extend(((base + 0x200 + random.below(0x1000)) | 1).to_le_bytes());
        }
        while image.len() < 0x1400 {
            // Mostly 16-bit instructions, so that runs stay in step.
            let narrow = random.below(3) != 0;
            let mut first = random.word();
            while narrow == (first & 0xFFFF >= 0xE800) {
                first = random.word();
            }
            image.extend((first as u16).to_le_bytes());
            if !narrow {
                image.extend((random.word() as u16).to_le_bytes());
            }
        }
        fuzzing::execute(&image);
    }
}
