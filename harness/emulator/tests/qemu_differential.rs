//! The processor against QEMU's: the same programs leave the same registers, flags and memory.
//!
//! Needs `qemu-system-arm`; without it the tests say that they skip, unless AZ3166_REQUIRE_QEMU=1
//! makes that a failure.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests stop at what is not as expected"
)]

mod qemu {
    pub mod ending;
    pub mod exceptions;
    pub mod reference;
    #[allow(dead_code, reason = "other tests use more of it")]
    pub mod sequences;
    pub mod templates;
}
#[allow(dead_code, reason = "other tests use more of it")]
mod support;

#[path = "support/compiled.rs"]
mod compiled;

use az3166_emulator::cpu::Exit;
use qemu::{ending, exceptions, reference, sequences};
use rstest::rstest;
use std::path::Path;
use support::Machine;
use support::assembler::Assembler;

/// RAM after the image ran to its first BKPT on our processor.
fn run_ours(image: &[u8]) -> Vec<u8> {
    let mut machine = Machine::new(image);
    let exit = machine.run(50_000_000);
    assert!(
        matches!(exit, Exit::Breakpoint { .. }),
        "the program did not reach its end: {exit:?} at {:#010x}",
        machine.register(15)
    );
    machine.memory.ram()[..ending::RAM_SIZE as usize].to_vec()
}

fn word(ram: &[u8], address: u32) -> u32 {
    let offset = (address - ending::RAM_BASE) as usize;
    u32::from_le_bytes(ram[offset..offset + 4].try_into().unwrap())
}

#[test]
fn random_sequences_equal_qemus() {
    if !reference::is_available() {
        return;
    }
    let rounds = std::env::var("AZ3166_QEMU_ROUNDS").map_or(4, |rounds| rounds.parse().unwrap());
    let (mut sequences, mut instructions) = (0, 0);
    for seed in 0..rounds {
        let program =
            sequences::program(seed, sequences::MAX_SEQUENCES, sequences::Exclusives::With);
        let theirs = reference::run(&format!("sequences-{seed}"), &program.image).unwrap();
        let ours = run_ours(&program.image);
        compare(seed, &program, &ours, &theirs);
        sequences += program.addresses.len();
        instructions += program.instructions;
    }
    println!("{sequences} sequences of {instructions} instructions equal QEMU's");
}

#[test]
fn random_exceptions_equal_qemus() {
    if !reference::is_available() {
        return;
    }
    let rounds = std::env::var("AZ3166_QEMU_ROUNDS").map_or(8, |rounds| rounds.parse().unwrap());
    let mut exceptions = 0;
    for seed in 0..rounds {
        let image = exceptions::program(seed);
        let theirs = reference::run(&format!("exceptions-{seed}"), &image).unwrap();
        let ours = run_ours(&image);
        exceptions += exceptions::compare(seed, &ours, &theirs);
    }
    println!("{exceptions} exceptions equal QEMU's");
}

/// Whole programs, compiled by rustc: they end at BKPT, which is a HardFault, whose handler is
/// the ending.
#[rstest]
#[case("sha256")]
#[case("p256")]
fn compiled_programs_equal_qemus(#[case] name: &str) {
    const ENDING: u32 = 0x0808_0000;
    const HARD_FAULT_VECTOR: usize = 3 * 4;
    if !reference::is_available() {
        return;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let Some(mut image) = compiled::build(name, folder).unwrap() else {
        reference::skip(compiled::MISSING);
        return;
    };
    let mut ending = Assembler::new(ENDING);
    ending::append(&mut ending);
    image.resize((ENDING - 0x0800_0000) as usize, 0xFF);
    image.extend(ending.finish());
    image[HARD_FAULT_VECTOR..HARD_FAULT_VECTOR + 4].copy_from_slice(&(ENDING | 1).to_le_bytes());
    let theirs = reference::run(name, &image).unwrap();
    let mut machine = Machine::without_debugger(&image);
    // BKPT in a HardFault handler.
    let exit = machine.run(1_000_000_000);
    assert!(matches!(exit, Exit::Lockup { .. }), "{exit:?}");
    let ours = &machine.memory.ram()[..ending::RAM_SIZE as usize];
    let difference = ours
        .iter()
        .zip(&theirs)
        .position(|(ours, theirs)| ours != theirs);
    assert_eq!(difference, None, "offset in RAM");
    println!(
        "{name}: {} instructions equal QEMU's",
        machine.cpu.instructions()
    );
}

/// Fails with the first sequence whose record differs.
fn compare(seed: u64, program: &sequences::Program, ours: &[u8], theirs: &[u8]) {
    let mut record = sequences::RECORDS_END;
    for code in &program.addresses {
        record -= 4 * sequences::RECORD_WORDS;
        let differences: Vec<String> = (0..sequences::RECORD_WORDS)
            .filter_map(|index| {
                let address = record + 4 * index;
                let (ours, theirs) = (word(ours, address), word(theirs, address));
                let name = sequences::record_name(index);
                (ours != theirs).then(|| format!("{name}: ours {ours:#010x}, QEMU {theirs:#010x}"))
            })
            .collect();
        assert!(
            differences.is_empty(),
            "seed {seed}, code {:04x?} at {code:x?}: {differences:#?}",
            halfwords(&program.image, code)
        );
    }
    for address in (ending::RAM_BASE..ending::RAM_BASE + ending::RAM_SIZE).step_by(4) {
        assert_eq!(
            word(ours, address),
            word(theirs, address),
            "seed {seed}: memory at {address:#010x}"
        );
    }
}

fn halfwords(image: &[u8], code: &std::ops::Range<u32>) -> Vec<u16> {
    let offset = |address: u32| (address - 0x0800_0000) as usize;
    image[offset(code.start)..offset(code.end)]
        .chunks(2)
        .map(|bytes| u16::from_le_bytes([bytes[0], bytes[1]]))
        .collect()
}
