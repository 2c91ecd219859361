//! The core's debug registers behind the port, as strict as Armv7-M.

use az3166_emulator::{Power, ResetPin};
use az3166_event::{MachineEvent, Payload};
use rstest::rstest;

use crate::host::{Host, RAM};

const DHCSR: u32 = 0xE000_EDF0;
const DCRSR: u32 = 0xE000_EDF4;
const DCRDR: u32 = 0xE000_EDF8;
const DEMCR: u32 = 0xE000_EDFC;
const DFSR: u32 = 0xE000_ED30;
const AIRCR: u32 = 0xE000_ED0C;
const FP_CTRL: u32 = 0xE000_2000;
const KEY: u32 = 0xA05F_0000;
const C_DEBUGEN: u32 = 1;
const C_HALT: u32 = 2;
const C_STEP: u32 = 4;
const C_MASKINTS: u32 = 8;
const S_HALT: u32 = 1 << 17;
const S_SLEEP: u32 = 1 << 18;
const S_LOCKUP: u32 = 1 << 19;
const S_RESET_ST: u32 = 1 << 25;
const VC_CORERESET: u32 = 1;
const BKPT: u16 = 0xBE00;
const NOP: u16 = 0xBF00;
const WFI: u16 = 0xBF30;
/// Branch to itself.
const LOOP: u16 = 0xE7FE;
const UNDEFINED: u16 = 0xDE00;

impl Host {
    fn dhcsr(&mut self) -> u32 {
        self.read(DHCSR)
    }

    fn control(&mut self, bits: u32) {
        self.write(DHCSR, KEY | bits);
        self.run(10);
    }

    /// How often the chip was reset since the last call.
    fn resets(&mut self) -> usize {
        let events = self.kit.drain_events();
        let resets = events
            .iter()
            .filter(|(_, payload)| matches!(payload, Payload::Machine(MachineEvent::Reset { .. })));
        resets.count()
    }

    fn pc(&mut self) -> u32 {
        self.write(DCRSR, 15);
        self.read(DCRDR)
    }
}

#[test]
fn identification_is_the_chips() {
    let mut host = Host::connected();
    assert_eq!(host.read(0xE000_ED00), 0x410F_C241, "CPUID");
    assert_eq!(host.read(0xE004_2000), 0x1000_6441, "DBGMCU_IDCODE");
    assert_eq!(host.read(0xE000_EF40), 0x1011_0021, "MVFR0");
    assert_eq!(
        host.read(FP_CTRL),
        0x260,
        "six comparators, two for literals"
    );
}

/// A debugger that steps writes DHCSR back with C_MASKINTS first: read as zero, C_HALT would let
/// the core run on between the two writes.
#[test]
fn c_halt_reads_as_one_after_a_breakpoint() {
    let mut host = Host::with_program(&[NOP, BKPT, NOP, LOOP]);
    host.control(C_DEBUGEN);
    let status = host.dhcsr();
    assert_eq!(status & (S_HALT | C_HALT), S_HALT | C_HALT);
    host.control(status & 0xF | C_MASKINTS);
    assert_eq!(host.pc(), RAM + 2, "it must not have run on");
}

#[test]
fn pc_stays_at_the_breakpoint() {
    let mut host = Host::with_program(&[NOP, BKPT, LOOP]);
    host.control(C_DEBUGEN);
    assert_eq!(host.pc(), RAM + 2);
    assert_eq!(host.read(DFSR), 2, "BKPT");
    // Going on means to stay there.
    host.control(C_DEBUGEN);
    assert_eq!(host.pc(), RAM + 2);
}

#[test]
fn a_step_executes_one_instruction() {
    let mut host = Host::with_program(&[NOP, NOP, NOP, LOOP]);
    host.control(C_DEBUGEN | C_HALT);
    let before = host.pc();
    assert_eq!(before, RAM);
    host.control(C_DEBUGEN | C_HALT | C_MASKINTS);
    host.control(C_DEBUGEN | C_STEP | C_MASKINTS);
    assert_eq!(host.pc(), before + 2);
    assert_eq!(host.dhcsr() & (S_HALT | C_HALT), S_HALT | C_HALT);
}

#[test]
fn wfi_is_stepped_over() {
    let mut host = Host::with_program(&[WFI, NOP, LOOP]);
    host.control(C_DEBUGEN | C_HALT);
    host.control(C_DEBUGEN | C_STEP | C_MASKINTS);
    assert_eq!(host.dhcsr() & (S_HALT | S_SLEEP), S_HALT);
    assert_eq!(host.pc(), RAM + 2);
}

#[test]
fn without_debug_enabled_a_breakpoint_is_a_hard_fault() {
    let mut host = Host::with_program(&[BKPT, LOOP]);
    host.run(10);
    assert_eq!(host.dhcsr() & S_HALT, 0);
    assert_ne!(host.read(0xE000_ED2C) & 1 << 31, 0, "HFSR.DEBUGEVT");
}

#[test]
fn s_reset_st_is_cleared_by_reading() {
    let mut host = Host::with_program(&[LOOP]);
    assert_ne!(host.dhcsr() & S_RESET_ST, 0);
    assert_eq!(host.dhcsr() & S_RESET_ST, 0);
    host.write(AIRCR, 0x05FA_0004);
    host.run(10);
    assert_ne!(host.dhcsr() & S_RESET_ST, 0);
    assert_eq!(host.dhcsr() & S_RESET_ST, 0);
}

/// The reason why a first attach under reset fails after power-up.
#[rstest]
#[case::enabled(C_DEBUGEN, S_HALT | C_HALT)]
#[case::not_enabled(0, 0)]
fn a_reset_is_caught_only_with_debug_enabled(#[case] enabled: u32, #[case] halted: u32) {
    let mut host = Host::with_program(&[LOOP]);
    host.control(enabled);
    host.write(DEMCR, VC_CORERESET);
    host.write(AIRCR, 0x05FA_0004);
    host.run(10);
    assert_eq!(host.dhcsr() & (S_HALT | C_HALT), halted);
    let vcatch = if halted == 0 { 0 } else { 8 };
    assert_eq!(host.read(DFSR), vcatch);
    assert_eq!(host.read(DEMCR) & 1, VC_CORERESET, "it stays for the next");
}

#[test]
fn a_reset_keeps_what_the_debugger_set_and_a_power_cycle_does_not() {
    let mut host = Host::with_program(&[LOOP]);
    host.control(C_DEBUGEN);
    host.write(DEMCR, VC_CORERESET);
    host.write(FP_CTRL, 3);
    host.kit.reset_pin();
    host.run(10);
    assert_eq!(host.dhcsr() & C_DEBUGEN, C_DEBUGEN);
    assert_eq!((host.read(DEMCR), host.read(FP_CTRL)), (1, 0x261));
    host.kit.set_power(Power::Off);
    host.kit.set_power(Power::On);
    host.port.power_on_reset();
    host.connect();
    assert_eq!(host.dhcsr() & (C_DEBUGEN | S_HALT), 0);
    assert_eq!((host.read(DEMCR), host.read(FP_CTRL)), (0, 0x260));
}

#[test]
fn nothing_runs_while_the_reset_pin_is_low() {
    let mut host = Host::with_program(&[LOOP]);
    host.control(C_DEBUGEN);
    host.kit.set_reset_pin(ResetPin::Held);
    let before = host.kit.instructions();
    host.run(100);
    assert_eq!(host.kit.instructions(), before);
    for _ in 0..2 {
        assert_ne!(host.dhcsr() & S_RESET_ST, 0, "as long as it lasts");
    }
    host.write(DEMCR, VC_CORERESET);
    host.kit.set_reset_pin(ResetPin::Released);
    host.run(10);
    assert_eq!(host.dhcsr() & (S_RESET_ST | S_HALT), S_RESET_ST | S_HALT);
    assert_eq!(host.pc(), RAM);
}

#[test]
fn registers_are_not_transferred_while_the_core_runs() {
    let mut host = Host::with_program(&[LOOP]);
    host.control(C_DEBUGEN);
    host.write(DCRDR, 77);
    host.write(DCRSR, 15);
    assert_eq!(host.read(DCRDR), 77);
    host.control(C_DEBUGEN | C_HALT);
    assert_eq!(host.pc(), RAM);
}

#[test]
fn a_sleeping_core_can_be_halted() {
    let mut host = Host::with_program(&[WFI, NOP, LOOP]);
    host.control(C_DEBUGEN);
    assert_eq!(host.dhcsr() & (S_SLEEP | S_HALT), S_SLEEP);
    host.control(C_DEBUGEN | C_HALT);
    assert_eq!(host.dhcsr() & (S_SLEEP | S_HALT), S_HALT);
    assert_eq!(host.pc(), RAM + 2);
}

#[test]
fn a_locked_up_core_can_be_halted() {
    let mut host = Host::with_program(&[UNDEFINED, UNDEFINED]);
    // No vector for HardFault: what it finds there cannot run either.
    host.control(C_DEBUGEN);
    host.run(100);
    assert_ne!(host.dhcsr() & S_LOCKUP, 0);
    host.control(C_DEBUGEN | C_HALT);
    assert_eq!(host.dhcsr() & (S_LOCKUP | S_HALT), S_HALT);
}

#[test]
fn dhcsr_needs_its_key() {
    let mut host = Host::with_program(&[LOOP]);
    host.write(DHCSR, C_DEBUGEN | C_HALT);
    assert_eq!(host.dhcsr() & (C_DEBUGEN | S_HALT), 0);
}

/// A debugger that halts a core whose watchdog runs has to stop that too (RM0402 section 30.16.4),
/// or the chip is reset under its hands.
#[rstest]
#[case::not_told(0, 1)]
#[case::told(1 << 12, 0)]
fn the_watchdog_of_a_halted_core_stands_still_only_when_told(
    #[case] freeze: u32,
    #[case] resets: usize,
) {
    const IWDG_KR: u32 = 0x4000_3000;
    const DBGMCU_APB1_FZ: u32 = 0xE004_2008;
    /// 4 * 4096 cycles of 32 kHz.
    const PERIOD: u64 = 512_000;
    let mut host = Host::with_program(&[LOOP]);
    drop(host.kit.drain_events());
    host.write(DBGMCU_APB1_FZ, freeze);
    host.write(IWDG_KR, 0xCCCC);
    host.run(PERIOD / 2);
    host.control(C_DEBUGEN | C_HALT);
    host.run(2 * PERIOD);
    assert_eq!(host.resets(), resets);
    assert_eq!(host.dhcsr() & S_HALT != 0, freeze != 0);
    // It goes on from where it stood.
    host.control(C_DEBUGEN);
    host.run(PERIOD / 2 - 1000);
    assert_eq!(host.resets(), 0);
    host.run(2000);
    assert_eq!(host.resets(), 1 - resets);
}
