//! Sleep, SysTick, the cycle counter, events, interrupt lines, and what the bus sees.

use crate::support::Machine;
use crate::support::assembler::Assembler;
use crate::support::program::Program;
use az3166_emulator::bus::{Access, Bus, BusFault, Cycle, InterruptLines, Width};
use az3166_emulator::cpu::{Cpu, Exit, Register};
use az3166_emulator::memory::Memory;
use rstest::rstest;

const SYSTICK: u32 = 0xE000_E010;
const SCR: u32 = 0xE000_ED10;
const ISER: u32 = 0xE000_E100;
const ISPR: u32 = 0xE000_E200;
const ICPR: u32 = 0xE000_E280;
const PERIPHERAL: u32 = 0x4000_0000;

/// A bus with one register and one timed interrupt line, which notes all that it is asked.
#[derive(Default)]
struct TestBus {
    register: u32,
    line: bool,
    /// The line goes up at this cycle.
    rises_at: Option<Cycle>,
    accesses: Vec<(u32, Width, Cycle, u32)>,
    services: Vec<Cycle>,
}

impl Bus for TestBus {
    fn read(&mut self, _: &mut Memory, access: Access) -> Result<u32, BusFault> {
        self.accesses
            .push((access.address, access.width, access.cycle, access.pc));
        match access.address {
            PERIPHERAL..0x4000_0010 => Ok(self.register),
            _ => Err(BusFault),
        }
    }

    fn write(&mut self, _: &mut Memory, access: Access, value: u32) -> Result<(), BusFault> {
        self.accesses
            .push((access.address, access.width, access.cycle, access.pc));
        match access.address {
            PERIPHERAL => self.register = value,
            // Lowers the line.
            0x4000_0004 => self.line = false,
            // Lets it rise after so many cycles.
            0x4000_0008 => self.rises_at = Some(access.cycle + Cycle::from(value)),
            _ => return Err(BusFault),
        }
        Ok(())
    }

    fn next_event(&self) -> Cycle {
        self.rises_at.unwrap_or(Cycle::MAX)
    }

    fn service(&mut self, _: &mut Memory, now: Cycle) {
        self.services.push(now);
        if self.rises_at.is_some_and(|at| at <= now) {
            self.rises_at = None;
            self.line = true;
        }
    }

    fn interrupt_lines(&self) -> InterruptLines {
        u128::from(self.line) << 3
    }
}

fn run_on(machine: &mut Machine, bus: &mut TestBus, until: Cycle) -> Exit {
    machine.cpu.run(&mut machine.memory, bus, until)
}

fn write(cpu: &mut Cpu, address: u32, value: u32) {
    cpu.debug_write(address, Width::Word, value).unwrap();
}

fn read(cpu: &mut Cpu, address: u32) -> u32 {
    cpu.debug_read(address, Width::Word).unwrap()
}

/// A program of main only.
fn program(build: impl FnOnce(&mut Assembler)) -> Machine {
    let mut program = Program::new();
    build(&mut program.assembler);
    Machine::new(&program.finish())
}

fn endless_loop(a: &mut Assembler) {
    a.half(0xE7FE);
}

#[test]
fn the_bus_sees_exact_cycles_and_addresses() {
    let mut at = 0;
    let mut machine = program(|a| {
        a.constant(0, PERIPHERAL).constant(1, 0x1234_5678);
        at = a.here();
        a.store(1, 0, 0).load(2, 0, 0).half(0xBF00);
        // STRB R1, [R0]; LDR.W R3, [R0, #2] is split.
        a.half(0x7001).wide(0xF8D0, 0x3002).breakpoint(0);
    });
    let mut bus = TestBus::default();
    run_on(&mut machine, &mut bus, 100);
    let expected = [
        (PERIPHERAL, Width::Word, 4, at),
        (PERIPHERAL, Width::Word, 5, at + 4),
        (PERIPHERAL, Width::Byte, 7, at + 10),
        (PERIPHERAL + 2, Width::Halfword, 8, at + 12),
        (PERIPHERAL + 4, Width::Halfword, 8, at + 12),
    ];
    assert_eq!(bus.accesses, expected);
    assert_eq!(machine.register(2), 0x1234_5678);
}

#[test]
fn stores_to_flash_go_to_the_bus() {
    let mut machine = program(|a| {
        a.constant(0, 0x0808_0000).store(0, 0, 0);
    });
    let mut bus = TestBus::default();
    run_on(&mut machine, &mut bus, 3);
    assert_eq!(bus.accesses.len(), 1);
    assert_eq!(bus.accesses[0].0, 0x0808_0000);
    assert_eq!(machine.memory.flash()[0x8_0000], 0xFF);
}

/// A word of the peripheral alias reads and writes one bit, by a read and a write of the word.
#[test]
fn the_bit_band_alias_reads_modifies_writes() {
    let mut machine = program(|a| {
        a.constant(0, 0x4200_0000 + 5 * 4).constant(1, 1);
        a.store(1, 0, 0).load(2, 0, 0).breakpoint(0);
    });
    let mut bus = TestBus {
        register: 0x100,
        ..TestBus::default()
    };
    run_on(&mut machine, &mut bus, 100);
    assert_eq!(bus.register, 0x120);
    assert_eq!(machine.register(2), 1);
    assert_eq!(bus.accesses.len(), 3);
    assert!(bus.accesses.iter().all(|access| access.0 == PERIPHERAL));
}

/// An event is served before the instruction of its cycle.
#[test]
fn events_are_served_on_time() {
    let mut machine = program(|a| {
        a.constant(0, PERIPHERAL).constant(1, 50).store(1, 0, 8);
        endless_loop(a);
    });
    let mut bus = TestBus::default();
    run_on(&mut machine, &mut bus, 200);
    assert_eq!(bus.services, [54]);
    assert_eq!(machine.cpu.cycle(), 200);
    assert_eq!(machine.cpu.instructions(), 200);
}

/// WFI jumps to the next event; Exit::Sleep comes once.
#[test]
fn sleep_jumps_to_the_event() {
    let mut program = Program::new();
    let a = &mut program.assembler;
    a.poke(ISER, 1 << 3).constant(0, PERIPHERAL);
    a.constant(1, 1_000_000).store(1, 0, 8).half(0xBF30);
    a.constant(5, 7);
    endless_loop(a);
    let a = program.handler(16 + 3);
    a.constant(1, PERIPHERAL)
        .store(1, 1, 4)
        .constant(6, 8)
        .half(0x4770);
    let mut machine = Machine::new(&program.finish());
    let mut bus = TestBus::default();
    assert_eq!(run_on(&mut machine, &mut bus, 2_000_000), Exit::Sleep);
    assert!(machine.cpu.is_asleep());
    assert_eq!(machine.cpu.next_wake(&bus), 1_000_009);
    assert_eq!(run_on(&mut machine, &mut bus, 500_000), Exit::Until);
    assert_eq!(machine.cpu.cycle(), 500_000);
    assert_eq!(run_on(&mut machine, &mut bus, 1_000_020), Exit::Until);
    assert!(!machine.cpu.is_asleep());
    assert_eq!((machine.register(5), machine.register(6)), (7, 8));
    assert_eq!(bus.services, [1_000_009]);
    // Eleven instructions before the sleep; all the others after the event.
    assert_eq!(machine.cpu.instructions(), 11 + 11);
}

/// WFI wakes with PRIMASK set, and the interrupt stays pending; not with BASEPRI above it.
#[rstest]
#[case::primask(0xB672, true)]
#[case::faultmask(0xB671, false)]
fn masks_and_sleep(#[case] mask: u32, #[case] wakes: bool) {
    let mut machine = program(|a| {
        a.poke(ISER, 1 << 3).half(mask);
        a.constant(0, PERIPHERAL).constant(1, 100).store(1, 0, 8);
        a.half(0xBF30).constant(5, 7);
        endless_loop(a);
    });
    let mut bus = TestBus::default();
    assert_eq!(run_on(&mut machine, &mut bus, 1_000), Exit::Sleep);
    run_on(&mut machine, &mut bus, 1_000);
    assert_eq!(machine.register(5) == 7, wakes);
    assert_eq!(machine.cpu.is_asleep(), !wakes);
    assert_eq!(read(&mut machine.cpu, ISPR), 1 << 3);
}

/// With the interrupt pending already WFI does not sleep.
#[test]
fn wfi_with_something_pending_goes_on() {
    let mut machine = program(|a| {
        a.half(0xB672).poke(ISER, 1).poke(ISPR, 1);
        a.half(0xBF30).breakpoint(0);
    });
    let exit = machine.run(1_000);
    assert!(matches!(exit, Exit::Breakpoint { .. }), "{exit:?}");
    assert_eq!(machine.cpu.cycle(), 12);
}

#[rstest]
// SEV before: WFE takes the event and goes on; a second one sleeps.
#[case::event(&[0xBF40, 0xBF20], false)]
#[case::twice(&[0xBF40, 0xBF20, 0xBF20], true)]
#[case::none(&[0xBF20], true)]
fn wfe_takes_events(#[case] code: &[u16], #[case] sleeps: bool) {
    let mut machine = program(|a| {
        a.code(code).breakpoint(0);
    });
    assert_eq!(machine.run(100) == Exit::Sleep, sleeps);
}

/// SEVONPEND: an interrupt that is not even enabled ends WFE.
#[rstest]
#[case(1 << 4, true)]
#[case(0, false)]
fn a_pending_interrupt_is_an_event(#[case] scr: u32, #[case] wakes: bool) {
    let mut machine = program(|a| {
        a.half(0xBF20).breakpoint(0);
    });
    write(&mut machine.cpu, SCR, scr);
    assert_eq!(machine.run(100), Exit::Sleep);
    machine.cpu.pend_interrupt(5);
    assert_eq!(machine.run(100) != Exit::Until, wakes);
    assert_eq!(machine.cpu.is_asleep(), !wakes);
}

#[test]
fn sleep_on_exit_never_returns_to_thread_mode() {
    let mut program = Program::new();
    let a = &mut program.assembler;
    a.poke(SCR, 2).poke(ISER, 1).poke(ISPR, 1).constant(5, 9);
    endless_loop(a);
    let a = program.handler(16);
    a.half(0x3401).half(0x4770);
    let mut machine = Machine::new(&program.finish());
    assert_eq!(machine.run(1_000), Exit::Sleep);
    machine.cpu.pend_interrupt(0);
    assert_eq!(machine.run(1_000), Exit::Sleep);
    assert_eq!((machine.register(4), machine.register(5)), (2, 0));
}

/// A line that stays up pends again when its handler returns; one that fell does not.
#[rstest]
#[case::lowered(true, 1)]
#[case::left_high(false, 4)]
fn interrupt_lines_are_levels(#[case] lowers: bool, #[case] calls: u32) {
    let mut program = Program::new();
    let a = &mut program.assembler;
    a.constant(4, 0).poke(ISER, 1 << 3);
    endless_loop(a);
    let a = program.handler(16 + 3);
    a.half(0x3401);
    if lowers {
        a.constant(1, PERIPHERAL).store(1, 1, 4);
    }
    // CMP R4, #4; BEQ to itself; BX LR.
    a.half(0x2C04).half(0xD0FE).half(0x4770);
    let mut machine = Machine::new(&program.finish());
    let mut bus = TestBus {
        line: true,
        ..TestBus::default()
    };
    run_on(&mut machine, &mut bus, 1_000);
    assert_eq!(machine.register(4), calls);
}

/// ICPR cannot clear what a line holds up; it clears what software pended.
#[test]
fn a_high_line_stays_pending() {
    let mut machine = program(endless_loop);
    let mut bus = TestBus {
        line: true,
        ..TestBus::default()
    };
    run_on(&mut machine, &mut bus, 10);
    write(&mut machine.cpu, ISPR, 1 << 5);
    assert_eq!(read(&mut machine.cpu, ISPR), 1 << 3 | 1 << 5);
    write(&mut machine.cpu, ICPR, u32::MAX);
    assert_eq!(read(&mut machine.cpu, ISPR), 1 << 3);
    bus.line = false;
    run_on(&mut machine, &mut bus, 20);
    assert_eq!(read(&mut machine.cpu, ISPR), 1 << 3);
    write(&mut machine.cpu, ICPR, u32::MAX);
    assert_eq!(read(&mut machine.cpu, ISPR), 0);
}

#[rstest]
#[case::processor_clock(4, 1)]
#[case::eighth(0, 8)]
fn systick_counts_down(#[case] source: u32, #[case] prescaler: u64) {
    let mut machine = program(endless_loop);
    write(&mut machine.cpu, SYSTICK + 4, 99);
    write(&mut machine.cpu, SYSTICK + 8, 1234);
    write(&mut machine.cpu, SYSTICK, 1 | source);
    // From zero the next tick loads 99.
    assert_eq!(read(&mut machine.cpu, SYSTICK + 8), 0);
    machine.run(prescaler);
    assert_eq!(read(&mut machine.cpu, SYSTICK + 8), 99);
    assert_eq!(read(&mut machine.cpu, SYSTICK), 1 | source);
    machine.run(98 * prescaler);
    assert_eq!(read(&mut machine.cpu, SYSTICK + 8), 1);
    assert_eq!(read(&mut machine.cpu, SYSTICK) >> 16, 0);
    machine.run(prescaler);
    assert_eq!(read(&mut machine.cpu, SYSTICK + 8), 0);
    // COUNTFLAG is cleared by the read.
    assert_eq!(read(&mut machine.cpu, SYSTICK) >> 16, 1);
    assert_eq!(read(&mut machine.cpu, SYSTICK) >> 16, 0);
    machine.run(100 * prescaler);
    assert_eq!(read(&mut machine.cpu, SYSTICK) >> 16, 1);
    // A write to the counter clears the flag, and so it stays.
    machine.run(150 * prescaler);
    write(&mut machine.cpu, SYSTICK + 8, 5);
    assert_eq!(read(&mut machine.cpu, SYSTICK) >> 16, 0);
}

#[test]
fn a_stopped_systick_keeps_its_value() {
    let mut machine = program(endless_loop);
    write(&mut machine.cpu, SYSTICK + 4, 1000);
    write(&mut machine.cpu, SYSTICK, 5);
    machine.run(101);
    write(&mut machine.cpu, SYSTICK, 4);
    machine.run(500);
    assert_eq!(read(&mut machine.cpu, SYSTICK + 8), 900);
    write(&mut machine.cpu, SYSTICK, 5);
    machine.run(300);
    assert_eq!(read(&mut machine.cpu, SYSTICK + 8), 600);
    // Reload zero: it stops at the next zero.
    write(&mut machine.cpu, SYSTICK + 4, 0);
    machine.run(2_000);
    assert_eq!(read(&mut machine.cpu, SYSTICK + 8), 0);
    assert_eq!(machine.cpu.next_wake(&crate::support::NoBus), Cycle::MAX);
}

#[test]
fn systick_stands_still_while_halted() {
    let mut machine = program(endless_loop);
    write(&mut machine.cpu, SYSTICK + 4, 99);
    write(&mut machine.cpu, SYSTICK, 5);
    machine.run(50);
    let value = read(&mut machine.cpu, SYSTICK + 8);
    write(&mut machine.cpu, 0xE000_EDF0, 0xA05F_0003);
    assert_eq!(machine.run(1_000), Exit::Until);
    assert_eq!(read(&mut machine.cpu, SYSTICK + 8), value);
    assert_eq!(read(&mut machine.cpu, SYSTICK) >> 16, 0);
}

/// DWT_CYCCNT needs TRCENA and CYCCNTENA, can be set, and stands still during sleep.
#[test]
fn the_cycle_counter_counts_awake_cycles() {
    const DEMCR: u32 = 0xE000_EDFC;
    const DWT_CTRL: u32 = 0xE000_1000;
    const DWT_CYCCNT: u32 = 0xE000_1004;
    let mut machine = program(|a| {
        for _ in 0..10 {
            a.half(0xBF00);
        }
        a.half(0xBF30);
        endless_loop(a);
    });
    machine.run(3);
    // NOCYCCNT is zero: software may look.
    assert_eq!(read(&mut machine.cpu, DWT_CTRL) >> 25 & 1, 0);
    assert_eq!(read(&mut machine.cpu, DWT_CYCCNT), 0);
    write(&mut machine.cpu, DWT_CTRL, 1);
    machine.run(2);
    assert_eq!(read(&mut machine.cpu, DWT_CYCCNT), 0);
    write(&mut machine.cpu, DEMCR, 1 << 24);
    write(&mut machine.cpu, DWT_CTRL, 1);
    write(&mut machine.cpu, DWT_CYCCNT, 0xFFFF_FFFE);
    machine.run(4);
    assert_eq!(read(&mut machine.cpu, DWT_CYCCNT), 2);
    assert_eq!(machine.run(10_000), Exit::Sleep);
    machine.run(1_000);
    assert_eq!(read(&mut machine.cpu, DWT_CYCCNT), 4);
}

#[test]
fn a_reset_request_ends_the_run() {
    let mut machine = program(|a| {
        a.poke(0xE000_ED0C, 0x05FA_0004);
        endless_loop(a);
    });
    assert_eq!(machine.run(100), Exit::ResetRequested);
    assert_eq!(machine.cpu.cycle(), 5);
    machine.cpu.set_vtor(0x2000_0000);
    machine.cpu.reset(&mut machine.memory);
    assert_eq!(machine.cpu.vtor(), 0);
    assert_eq!(machine.cpu.cycle(), 5);
    assert_eq!(machine.run(100), Exit::ResetRequested);
}

#[test]
fn the_processor_names_itself() {
    let mut machine = program(endless_loop);
    for (address, value) in [
        // CPUID, ICTR (four banks of interrupts), MPU_TYPE, MVFR0 of the chip.
        (0xE000_ED00, 0x410F_C241),
        (0xE000_E004, 3),
        (0xE000_ED90, 0),
        (0xE000_EF40, 0x1011_0021),
        (0xE000_ED14, 0x200),
        (0xE000_ED0C, 0xFA05_0000),
        // The first entry of the ROM table leads to the system control space.
        (0xE00F_F000, 0xFFF0_F003),
    ] {
        assert_eq!(read(&mut machine.cpu, address), value, "{address:#x}");
    }
    assert_eq!(
        machine.cpu.debug_read(0xE00A_0000, Width::Word),
        Err(BusFault)
    );
}

/// Priority registers take bytes, halfwords and words, and keep four bits.
#[test]
fn priorities_have_four_bits() {
    let mut machine = program(endless_loop);
    write(&mut machine.cpu, 0xE000_E404, 0xFFFF_FFFF);
    machine
        .cpu
        .debug_write(0xE000_E405, Width::Byte, 0x12)
        .unwrap();
    assert_eq!(read(&mut machine.cpu, 0xE000_E404), 0xF0F0_10F0);
    assert_eq!(
        machine.cpu.debug_read(0xE000_E406, Width::Halfword),
        Ok(0xF0F0)
    );
    // Interrupts beyond the last (96) do not exist.
    write(&mut machine.cpu, 0xE000_E10C, 0xFFFF_FFFF);
    assert_eq!(read(&mut machine.cpu, 0xE000_E10C), 1);
}

/// A debugger halts, looks, steps, and goes on.
#[test]
fn a_debugger_steps() {
    const DHCSR: u32 = 0xE000_EDF0;
    const KEY: u32 = 0xA05F_0000;
    const FP_CTRL: u32 = 0xE000_2000;
    const FP_COMP0: u32 = 0xE000_2008;
    let mut start = 0;
    let mut machine = program(|a| {
        start = a.here();
        a.half(0x2001).half(0x2002).half(0x2003).half(0x2004);
        endless_loop(a);
    });
    write(&mut machine.cpu, DHCSR, KEY | 3);
    assert_eq!(machine.run(100), Exit::Until);
    assert_eq!(
        (machine.register(15), machine.cpu.instructions()),
        (start, 0)
    );
    write(&mut machine.cpu, DHCSR, KEY | 5);
    assert_eq!(machine.run(100), Exit::Breakpoint { pc: start + 2 });
    assert_eq!(machine.register(0), 1);
    // DCRSR writes R0 and reads PC.
    write(&mut machine.cpu, 0xE000_EDF8, 77);
    write(&mut machine.cpu, 0xE000_EDF4, 1 << 16);
    assert_eq!(machine.register(0), 77);
    write(&mut machine.cpu, 0xE000_EDF4, 15);
    assert_eq!(read(&mut machine.cpu, 0xE000_EDF8), start + 2);
    // A comparator at the upper halfword of a word.
    write(&mut machine.cpu, FP_CTRL, 3);
    let half = if (start + 6) & 2 == 0 {
        1 << 30
    } else {
        2 << 30
    };
    write(
        &mut machine.cpu,
        FP_COMP0,
        half | (start + 6) & 0x1FFF_FFFC | 1,
    );
    write(&mut machine.cpu, DHCSR, KEY | 1);
    assert_eq!(machine.run(100), Exit::Breakpoint { pc: start + 6 });
    assert_eq!(machine.register(0), 3);
    write(&mut machine.cpu, FP_COMP0, 0);
    write(&mut machine.cpu, DHCSR, KEY | 1);
    assert_eq!(machine.run(10), Exit::Until);
    assert_eq!(machine.register(0), 4);
    assert_eq!(machine.cpu.register(Register::Pc), start + 8);
}

/// VC_CORERESET halts before the first instruction; without C_DEBUGEN it does nothing.
#[rstest]
#[case(1, true)]
#[case(0, false)]
fn a_reset_can_be_caught(#[case] enabled: u32, #[case] caught: bool) {
    let mut machine = program(endless_loop);
    write(&mut machine.cpu, 0xE000_EDF0, 0xA05F_0000 | enabled);
    write(&mut machine.cpu, 0xE000_EDFC, 1);
    machine.cpu.reset(&mut machine.memory);
    let exit = machine.run(10);
    assert_eq!(matches!(exit, Exit::Breakpoint { .. }), caught);
    let status = read(&mut machine.cpu, 0xE000_EDF0);
    assert_eq!(status >> 25 & 1, 1, "S_RESET_ST");
    assert_eq!(read(&mut machine.cpu, 0xE000_EDF0) >> 25 & 1, 0);
    assert_eq!(
        read(&mut machine.cpu, 0xE000_ED30),
        if caught { 8 } else { 0 }
    );
}
