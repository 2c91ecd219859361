//! The fuzz targets' bodies, bounded: noise, and valid inputs with changes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test helper may panic"
)]

mod support;

use az3166_identity::fuzzing::{fuzz_certificate, fuzz_elf, fuzz_map};
use az3166_identity::{Certificate, Profile};
use proptest::prelude::*;
use support::cases;
use support::elf::{Segment, write};

fn certificate(profile: Profile) -> Certificate {
    let case = &cases()[0];
    case.identity().alias_certificate(&case.id(), profile)
}

fn changed(
    mut bytes: Vec<u8>,
    changes: Vec<(prop::sample::Index, u8)>,
    keep: prop::sample::Index,
) -> Vec<u8> {
    for (index, value) in changes {
        let at = index.index(bytes.len());
        bytes[at] = value;
    }
    if keep.index(4) == 0 {
        bytes.truncate(keep.index(bytes.len() + 1));
    }
    bytes
}

fn changes() -> impl Strategy<Value = Vec<(prop::sample::Index, u8)>> {
    prop::collection::vec(any::<(prop::sample::Index, u8)>(), 0..6)
}

proptest! {
    #[test]
    fn noise(data in prop::collection::vec(any::<u8>(), 0..400)) {
        fuzz_certificate(&data);
        fuzz_elf(&data);
        fuzz_map(&data);
    }

    #[test]
    fn changed_certificates(changes in changes(), keep in any::<prop::sample::Index>(), devkit in any::<bool>()) {
        let profile = if devkit { Profile::Devkit } else { Profile::Strict };
        fuzz_certificate(&changed(certificate(profile).der().to_vec(), changes, keep));
    }

    #[test]
    fn changed_elf_files(changes in changes(), keep in any::<prop::sample::Index>()) {
        let symbols = [
            ("__start_riot_core", 0x0800_C000),
            ("__stop_riot_core", 0x0800_C010),
            ("__start_riot_fw", 0x0800_C010),
            ("__stop_riot_fw", 0x0800_C020),
        ];
        let elf = write(&[Segment(0x0800_C000, 0x0800_C000, &[7; 64])], &symbols);
        fuzz_elf(&changed(elf, changes, keep));
    }

    #[test]
    fn changed_maps(changes in changes(), keep in any::<prop::sample::Index>()) {
        fuzz_map(&changed(cases()[0].map.clone().into_bytes(), changes, keep));
    }

    #[test]
    fn lines_that_look_like_a_map(words in prop::collection::vec(
        prop::sample::select(vec![
            "Linker script", "FLASH 0x800c000", "\n", " ", "800c000", "0x800c000",
            "__start_riot_core = .", "__stop_riot_core = .", "__start_riot_fw = .", "__stop_riot_fw = .", "1",
        ]),
        0..40,
    )) {
        fuzz_map(words.concat().as_bytes());
    }
}
