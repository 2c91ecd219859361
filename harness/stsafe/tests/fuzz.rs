//! The fuzzers' bodies, bounded.

use az3166_stsafe::{NvmImage, fuzzing};
use proptest::prelude::*;

/// Bytes that are likely commands: a length byte, a plausible code, then anything.
fn frames() -> impl Strategy<Value = Vec<u8>> {
    let frame = (
        any::<u8>(),
        prop::collection::vec(prop_oneof![0..12_u8, any::<u8>()], 0..80),
    );
    let framed = |(header, payload): (u8, Vec<u8>)| {
        let length = (payload.len() as u8 + 1) | 1;
        [&[length, header], payload.as_slice()].concat()
    };
    prop::collection::vec(frame.prop_map(framed), 0..8).prop_map(|frames| frames.concat())
}

proptest! {
    #[test]
    fn any_bytes_are_answered(data in prop::collection::vec(any::<u8>(), 0..2000)) {
        fuzzing::fuzz_commands(&data);
    }

    #[test]
    fn likely_commands_are_answered(data in frames()) {
        fuzzing::fuzz_commands(&data);
    }

    #[test]
    fn any_file_is_read_or_refused(data in prop::collection::vec(any::<u8>(), 0..400)) {
        fuzzing::fuzz_nvm_file(&data);
    }

    #[test]
    fn a_changed_file_is_read_or_refused(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
    ) {
        let mut file = NvmImage::default().to_bytes().to_vec();
        for (place, value) in changes {
            let place = place.index(file.len());
            file[place] = value;
        }
        fuzzing::fuzz_nvm_file(&file);
    }
}
