//! Random programs give the same results whatever interrupts them, and however the run is sliced.

use crate::sequences::{self, COUNTER, Exclusives, RECORD_WORDS, RECORDS_END, SCRATCH};
use crate::support::Machine;
use az3166_emulator::bus::Width;
use az3166_emulator::cpu::Exit;
use rstest::rstest;

const SEQUENCES: usize = 300;
const SYSTICK: u32 = 0xE000_E010;
/// ENABLE, TICKINT, processor clock.
const SYSTICK_ON: u32 = 7;
const NVIC_ISER: u32 = 0xE000_E100;

/// The records and scratch memory: what the sequences leave.
fn results(machine: &Machine) -> Vec<u32> {
    let records = RECORDS_END - 4 * RECORD_WORDS * SEQUENCES as u32;
    (records..SCRATCH.end)
        .step_by(4)
        .map(|address| machine.word(address))
        .collect()
}

fn run_to_the_end(machine: &mut Machine) {
    let exit = machine.run(50_000_000);
    assert!(matches!(exit, Exit::Breakpoint { .. }), "{exit:?}");
}

fn undisturbed(image: &[u8]) -> Vec<u32> {
    let mut machine = Machine::new(image);
    run_to_the_end(&mut machine);
    results(&machine)
}

#[rstest]
#[case(97)]
#[case(61)]
#[case(43)]
fn systick_changes_nothing(#[case] period: u32) {
    let image = sequences::program(u64::from(period), SEQUENCES, Exclusives::Without).image;
    let mut machine = Machine::new(&image);
    for (offset, value) in [(4, period - 1), (8, 0), (0, SYSTICK_ON)] {
        machine
            .cpu
            .debug_write(SYSTICK + offset, Width::Word, value)
            .unwrap();
    }
    run_to_the_end(&mut machine);
    assert_eq!(results(&machine), undisturbed(&image));
    // The handler has run in every period, but for the first.
    let periods = machine.cpu.cycle() / u64::from(period);
    assert_eq!(u64::from(machine.word(COUNTER)), periods);
}

/// An interrupt before every instruction, inside IT blocks too.
#[test]
fn an_interrupt_everywhere_changes_nothing() {
    let image = sequences::program(5, SEQUENCES, Exclusives::Without).image;
    let mut machine = Machine::new(&image);
    machine.cpu.debug_write(NVIC_ISER, Width::Word, 1).unwrap();
    // One instruction of the program after each handler.
    const HANDLER: u64 = 18;
    let mut interrupts = 0;
    loop {
        machine.cpu.pend_interrupt(0);
        interrupts += 1;
        match machine.run(HANDLER + 1) {
            Exit::Until => {}
            Exit::Breakpoint { .. } => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(results(&machine), undisturbed(&image));
    let missed = interrupts - machine.word(COUNTER);
    assert!(missed <= 1, "{missed} interrupts were not taken");
}

#[rstest]
#[case(1)]
#[case(2)]
#[case(1_000)]
fn slices_change_nothing(#[case] slice: u64) {
    let image = sequences::program(9, SEQUENCES, Exclusives::With).image;
    let mut whole = Machine::new(&image);
    run_to_the_end(&mut whole);
    let mut sliced = Machine::new(&image);
    while matches!(sliced.run(slice), Exit::Until) {}
    assert_eq!(sliced.memory.ram(), whole.memory.ram());
    assert_eq!(sliced.cpu.cycle(), whole.cpu.cycle());
}

/// Machines move between threads, and a copy is a snapshot.
const _: () = {
    const fn is_send_and_clone<T: Send + Clone + 'static>() {}
    is_send_and_clone::<az3166_emulator::cpu::Cpu>();
    is_send_and_clone::<az3166_emulator::memory::Memory>();
};

/// A clone goes on as the original does.
#[test]
fn a_snapshot_goes_on_alike() {
    let image = sequences::program(13, SEQUENCES, Exclusives::With).image;
    let mut machine = Machine::new(&image);
    machine.run(2_000);
    let mut snapshot = Machine {
        cpu: machine.cpu.clone(),
        memory: machine.memory.clone(),
    };
    run_to_the_end(&mut machine);
    run_to_the_end(&mut snapshot);
    assert_eq!(snapshot.memory.ram(), machine.memory.ram());
    assert_eq!(snapshot.cpu.cycle(), machine.cpu.cycle());
}
