//! The exception model by example: what is stacked, who preempts whom, which stack and privilege,
//! which fault with which status (Armv7-M ARM, B1.4 and B1.5).

use crate::support::Machine;
use crate::support::assembler::{Assembler, LR};
use crate::support::program::{Program, STACK, UNEXPECTED};
use az3166_emulator::bus::Width;
use az3166_emulator::cpu::{Exit, Register};
use rstest::rstest;

const CFSR: u32 = 0xE000_ED28;
const HFSR: u32 = 0xE000_ED2C;
const BFAR: u32 = 0xE000_ED38;
const SHCSR: u32 = 0xE000_ED24;
const CCR: u32 = 0xE000_ED14;
const ICSR: u32 = 0xE000_ED04;
const ISER: u32 = 0xE000_E100;
const ISPR: u32 = 0xE000_E200;
const IPR: u32 = 0xE000_E400;
const DHCSR: u32 = 0xE000_EDF0;

/// Where handlers write one word after another; R11 points there.
const TRACE: u32 = 0x2000_0100;

const CONTROL: u32 = 20;
const PSP: u32 = 9;
const BASEPRI: u32 = 17;

/// Nothing but RAM and flash answers here.
const UNMAPPED: u32 = 0x6000_0000;

/// The main of every program: R11 is the trace; all faults have their own handlers.
fn begin() -> Program {
    let mut program = Program::new();
    program.assembler.constant(11, TRACE);
    program
}

/// Appends a constant to the trace.
fn trace(a: &mut Assembler, value: u32) {
    a.constant(0, value).append(0, 11);
}

fn return_by_bx(a: &mut Assembler) {
    a.half(0x4770);
}

/// Runs to BKPT; its number must be that of the program's own end.
fn run(program: Program) -> Machine {
    let mut machine = Machine::new(&program.finish());
    let exit = machine.run(10_000);
    let Exit::Breakpoint { pc } = exit else {
        panic!("{exit:?} at {:#x}", machine.register(15));
    };
    let number = machine.memory.flash()[(pc - 0x0800_0000) as usize];
    if number == UNEXPECTED as u8 {
        panic!(
            "exception {} was not expected; CFSR {:#x}, HFSR {:#x}",
            machine.cpu.register(Register::Xpsr) & 0x1FF,
            scs(&mut machine, CFSR),
            scs(&mut machine, HFSR)
        );
    }
    machine
}

fn scs(machine: &mut Machine, address: u32) -> u32 {
    machine.cpu.debug_read(address, Width::Word).unwrap()
}

fn traced(machine: &Machine) -> Vec<u32> {
    (TRACE..machine.register(11))
        .step_by(4)
        .map(|address| machine.word(address))
        .collect()
}

#[test]
fn entry_stacks_eight_words() {
    let mut program = begin();
    let a = &mut program.assembler;
    for register in [0, 1, 2, 3, 12, LR] {
        a.constant(register, 0x1000 + register);
    }
    a.half(0xDF07);
    let after = a.here();
    a.breakpoint(0);
    program.handler(11).breakpoint(1);
    let machine = run(program);
    assert_eq!(machine.register(13), STACK - 32);
    let frame: Vec<u32> = (0..8)
        .map(|index| machine.word(STACK - 32 + 4 * index))
        .collect();
    assert_eq!(frame[..6], [0x1000, 0x1001, 0x1002, 0x1003, 0x100C, 0x100E]);
    assert_eq!(frame[6], after);
    assert_eq!(frame[7], 1 << 24);
    assert_eq!(machine.register(14), 0xFFFF_FFF9);
    assert_eq!(machine.cpu.register(Register::Xpsr) & 0x1FF, 11);
}

/// With STKALIGN a stack pointer that is no multiple of eight is moved, and moved back.
#[test]
fn entry_aligns_the_stack() {
    let mut program = begin();
    program.assembler.half(0xB081).half(0xDF00).breakpoint(0);
    let a = program.handler(11);
    a.mrs(0, 8).append(0, 11).load(0, 0, 28).append(0, 11);
    return_by_bx(a);
    let machine = run(program);
    assert_eq!(traced(&machine), [STACK - 40, 1 << 24 | 1 << 9]);
    assert_eq!(machine.register(13), STACK - 4);
}

/// EXC_RETURN by BX, POP, LDR and LDM.
#[rstest]
#[case::bx(&[0x4770])]
#[case::pop(&[0xB500, 0xBD00])]
#[case::pop_wide(&[0xE92D, 0x4010, 0xE8BD, 0x8010])]
#[case::ldr(&[0xF84D, 0xED04, 0xF85D, 0xFB04])]
#[case::ldm(&[0xB500, 0xE8BD, 0x8001])]
fn handlers_return(#[case] code: &[u16]) {
    let mut program = begin();
    program.assembler.constant(12, 5).half(0xDF00).breakpoint(0);
    let a = program.handler(11);
    // LDM takes R0 and PC: room for R0.
    if code.len() == 3 {
        a.half(0xB500).half(0xB081).code(&code[1..]);
    } else {
        a.code(code);
    }
    let machine = run(program);
    assert_eq!(machine.cpu.register(Register::Xpsr) & 0x1FF, 0);
    assert_eq!(machine.register(12), 5);
    assert_eq!(machine.register(13), STACK);
}

#[test]
fn thread_mode_has_its_own_stack() {
    let mut program = begin();
    let a = &mut program.assembler;
    a.constant(0, 0x2000_4000).msr(PSP, 0);
    a.constant(0, 2).msr(CONTROL, 0);
    a.half(0xB401).half(0xDF00).breakpoint(0);
    let a = program.handler(11);
    // The handler is on the main stack; CONTROL.SPSEL cannot be set there.
    a.half(0xB401).append(LR, 11).mrs(0, PSP).append(0, 11);
    a.constant(0, 2)
        .msr(CONTROL, 0)
        .mrs(0, CONTROL)
        .append(0, 11);
    a.half(0xBC01);
    return_by_bx(a);
    let machine = run(program);
    assert_eq!(traced(&machine), [0xFFFF_FFFD, 0x2000_4000 - 4 - 36, 0]);
    assert_eq!(machine.cpu.register(Register::Psp), 0x2000_4000 - 4);
    assert_eq!(machine.cpu.register(Register::Msp), STACK);
    assert_eq!(machine.cpu.register(Register::Control), 2);
}

#[test]
fn unprivileged_code_changes_no_mask() {
    let mut program = begin();
    let a = &mut program.assembler;
    a.constant(0, 1).msr(CONTROL, 0);
    a.half(0xB672).half(0xB671);
    for special in [8, PSP, 16, BASEPRI, 19, CONTROL] {
        a.constant(0, 0xF0).msr(special, 0);
    }
    a.mrs(0, 8).append(0, 11).mrs(0, CONTROL).append(0, 11);
    a.breakpoint(0);
    let machine = run(program);
    assert_eq!(traced(&machine), [0, 1]);
    for register in [
        Register::Primask,
        Register::Faultmask,
        Register::Basepri,
        Register::Psp,
    ] {
        assert_eq!(machine.cpu.register(register), 0, "{register:?}");
    }
    assert_eq!(machine.cpu.register(Register::Msp), STACK);
}

#[test]
fn the_system_control_space_needs_privilege() {
    let mut program = begin();
    let a = &mut program.assembler;
    a.constant(0, 1).msr(CONTROL, 0).constant(0, ISER);
    let access = a.here();
    a.load(1, 0, 0);
    program.handler(3).breakpoint(1);
    let mut machine = run(program);
    assert_eq!(machine.word(machine.register(13) + 24), access);
    assert_eq!(scs(&mut machine, BFAR), ISER);
    assert_eq!(scs(&mut machine, CFSR), 0x8200);
}

/// Enables IRQs 0..=3 at these priorities.
fn enable_irqs(a: &mut Assembler, priorities: [u8; 4]) {
    a.poke(ISER, 0xF).poke(IPR, u32::from_le_bytes(priorities));
}

/// Handlers of IRQs 0..=3 that trace their number, then 0x10 + number when they end.
fn tracing_handlers(program: &mut Program, bodies: [fn(&mut Assembler); 4]) {
    for (irq, body) in bodies.into_iter().enumerate() {
        let a = program.handler(16 + irq);
        a.half(0xB500);
        trace(a, irq as u32);
        body(a);
        trace(a, 0x10 + irq as u32);
        a.half(0xBD00);
    }
}

fn nothing(_: &mut Assembler) {}

#[rstest]
#[case::primask(&[0xB672], &[0xB662])]
#[case::faultmask(&[0xB671], &[0xB661])]
// MOV R2, #0x40; MSR BASEPRI, R2 and MOV R2, #0; MSR BASEPRI, R2.
#[case::basepri(&[0xF04F, 0x0240, 0xF382, 0x8811], &[0xF04F, 0x0200, 0xF382, 0x8811])]
fn masks_hold_interrupts_back(#[case] mask: &[u16], #[case] unmask: &[u16]) {
    let mut program = begin();
    let a = &mut program.assembler;
    enable_irqs(a, [0x40; 4]);
    a.code(mask).poke(ISPR, 1);
    trace(a, 0xA);
    a.code(unmask);
    trace(a, 0xB);
    a.breakpoint(0);
    tracing_handlers(&mut program, [nothing; 4]);
    assert_eq!(traced(&run(program)), [0xA, 0, 0x10, 0xB]);
}

/// BASEPRI lets higher priorities through; BASEPRI_MAX only raises.
#[test]
fn basepri_masks_by_priority() {
    let mut program = begin();
    let a = &mut program.assembler;
    enable_irqs(a, [0x30, 0x40, 0x50, 0x60]);
    a.constant(2, 0x40).msr(BASEPRI, 2);
    a.constant(2, 0x60).msr(18, 2).mrs(2, BASEPRI).append(2, 11);
    a.poke(ISPR, 0xF);
    trace(a, 0xA);
    a.constant(2, 0).msr(BASEPRI, 2);
    a.breakpoint(0);
    tracing_handlers(&mut program, [nothing; 4]);
    let expected = [0x40, 0, 0x10, 0xA, 1, 0x11, 2, 0x12, 3, 0x13];
    assert_eq!(traced(&run(program)), expected);
}

/// A higher priority preempts, an equal one waits, and the lower number goes first.
#[test]
fn priorities_decide_nesting() {
    let mut program = begin();
    let a = &mut program.assembler;
    enable_irqs(a, [0x40, 0x40, 0x20, 0x60]);
    a.poke(ISPR, 1);
    trace(a, 0xA);
    a.breakpoint(0);
    tracing_handlers(
        &mut program,
        [
            |a| {
                a.poke(ISPR, 0b1110);
            },
            nothing,
            |a| {
                a.mrs(0, 5).append(0, 11);
            },
            nothing,
        ],
    );
    let expected = [0, 2, 18, 0x12, 0x10, 1, 0x11, 3, 0x13, 0xA];
    assert_eq!(traced(&run(program)), expected);
}

/// PRIGROUP: subpriorities order what pends, but do not preempt.
#[test]
fn subpriorities_do_not_preempt() {
    let mut program = begin();
    let a = &mut program.assembler;
    // PRIGROUP 5: two bits of group, the rest subpriority.
    a.poke(0xE000_ED0C, 0x05FA_0500);
    enable_irqs(a, [0x70, 0x50, 0x40, 0x60]);
    a.poke(ISPR, 1).breakpoint(0);
    tracing_handlers(
        &mut program,
        [
            |a| {
                a.poke(ISPR, 0b1110);
            },
            nothing,
            nothing,
            nothing,
        ],
    );
    assert_eq!(traced(&run(program)), [0, 0x10, 2, 0x12, 1, 0x11, 3, 0x13]);
}

#[test]
fn pend_sv_follows_svc() {
    let mut program = begin();
    let a = &mut program.assembler;
    a.half(0xDF2A);
    trace(a, 0xA);
    a.breakpoint(0);
    let a = program.handler(11);
    // The SVC's number lies before the return address.
    a.mrs(1, 8)
        .load(0, 1, 24)
        .wide(0xF810, 0x0C02)
        .append(0, 11);
    a.poke(ICSR, 1 << 28);
    return_by_bx(a);
    let a = program.handler(14);
    trace(a, 0xE);
    return_by_bx(a);
    assert_eq!(traced(&run(program)), [0x2A, 0xE, 0xA]);
}

/// SVC where it cannot be taken becomes a HardFault.
#[test]
fn svc_escalates() {
    let mut program = begin();
    program.assembler.half(0xB672).half(0xDF00);
    program.handler(3).breakpoint(1);
    let mut machine = run(program);
    assert_eq!(scs(&mut machine, HFSR), 1 << 30);
    assert_eq!(scs(&mut machine, CFSR), 0);
}

/// A fault's instruction; CFSR; the exception that takes it when all are enabled.
#[rstest]
#[case::udf(&[0xDE00], 1 << 16, 6)]
#[case::udf_wide(&[0xF7F0, 0xA000], 1 << 16, 6)]
#[case::floating_point(&[0xEE30, 0x0A00], 1 << 19, 6)]
#[case::floating_point_load(&[0xED90, 0x0A00], 1 << 19, 6)]
#[case::coprocessor(&[0xEE11, 0x0110], 1 << 19, 6)]
#[case::divide_by_zero(&[0xFB92, 0xF3F4], 1 << 25, 6)]
#[case::unaligned_dual(&[0xE9D5, 0x2300], 1 << 24, 6)]
#[case::unaligned_multiple(&[0xE895, 0x000C], 1 << 24, 6)]
#[case::unaligned_exclusive(&[0xE855, 0x2F00], 1 << 24, 6)]
#[case::unmapped_read(&[0x6832], 1 << 15 | 1 << 9, 5)]
#[case::unmapped_write(&[0x6032], 1 << 15 | 1 << 9, 5)]
#[case::unmapped_byte(&[0x7832], 1 << 15 | 1 << 9, 5)]
fn faults_name_their_cause(
    #[case] code: &[u16],
    #[case] status: u32,
    #[case] exception: usize,
    #[values(true, false)] enabled: bool,
) {
    let mut program = begin();
    let a = &mut program.assembler;
    if enabled {
        a.poke(SHCSR, 7 << 16);
    }
    a.poke(CCR, 0x210);
    a.constant(4, 0)
        .constant(5, TRACE + 1)
        .constant(6, UNMAPPED);
    let fault = a.here();
    a.code(code);
    let taken = if enabled { exception } else { 3 };
    program.handler(taken).breakpoint(1);
    let mut machine = run(program);
    assert_eq!(machine.cpu.register(Register::Xpsr) & 0x1FF, taken as u32);
    assert_eq!(
        machine.word(machine.register(13) + 24),
        fault,
        "return address"
    );
    assert_eq!(scs(&mut machine, CFSR), status);
    assert_eq!(scs(&mut machine, HFSR), if enabled { 0 } else { 1 << 30 });
    if status & 1 << 15 != 0 {
        assert_eq!(scs(&mut machine, BFAR), UNMAPPED);
    }
}

/// A branch to where no instruction can be: the return address is the target.
#[rstest]
#[case::arm_state(0x0800_0200, 1 << 17)]
#[case::execute_never(0x4000_0001, 1 << 0)]
#[case::nothing_there(0x1000_0001, 1 << 8)]
fn bad_branches_fault_at_their_target(#[case] target: u32, #[case] status: u32) {
    let mut program = begin();
    program.assembler.constant(0, target).half(0x4700);
    program.handler(3).breakpoint(1);
    let mut machine = run(program);
    assert_eq!(machine.word(machine.register(13) + 24), target & !1);
    assert_eq!(scs(&mut machine, CFSR), status);
}

/// Unaligned words and halfwords work, until UNALIGN_TRP.
#[test]
fn unaligned_access_can_be_trapped() {
    let mut program = begin();
    let a = &mut program.assembler;
    a.constant(5, TRACE + 0x101)
        .wide(0xF8D5, 0x1000)
        .wide(0xF8A5, 0x1000);
    a.poke(CCR, 0x208);
    // Bytes and aligned words go on.
    a.constant(5, TRACE + 0x100)
        .load(1, 5, 0)
        .wide(0xF895, 0x1001);
    a.constant(5, TRACE + 0x101);
    let fault = a.here();
    a.wide(0xF8B5, 0x1000);
    program.handler(3).breakpoint(1);
    let mut machine = run(program);
    assert_eq!(machine.word(machine.register(13) + 24), fault);
    assert_eq!(scs(&mut machine, CFSR), 1 << 24);
}

/// STREX fails after CLREX and after an exception.
#[test]
fn the_monitor_forgets() {
    let mut program = begin();
    let a = &mut program.assembler;
    let pair = |a: &mut Assembler, between: &[u16]| {
        a.constant(5, TRACE + 0x200)
            .wide(0xE855, 0x2F00)
            .code(between);
        a.wide(0xE845, 0x2300).append(3, 11);
    };
    pair(a, &[]);
    pair(a, &[0xF3BF, 0x8F2F]);
    pair(a, &[0xDF00]);
    a.breakpoint(0);
    return_by_bx(program.handler(11));
    assert_eq!(traced(&run(program)), [0, 1, 1]);
}

#[test]
fn code_runs_from_ram_and_may_change_itself() {
    let mut program = begin();
    let a = &mut program.assembler;
    // MOVS R0, #1; BX LR, and then MOVS R0, #2 over it.
    a.constant(5, 0x2000_2000)
        .constant(6, 0x4770_2001)
        .store(6, 5, 0);
    a.constant(7, 0x2000_2001).half(0x47B8).append(0, 11);
    a.constant(6, 0x2002).wide(0xF8A5, 0x6000);
    a.half(0x47B8).append(0, 11);
    a.breakpoint(0);
    assert_eq!(traced(&run(program)), [1, 2]);
}

#[rstest]
// Not from a handler: HardFault cannot be taken at its own priority.
#[case::in_hard_fault(3, &[0xDE00])]
#[case::in_nmi(2, &[0xDE00])]
fn a_fault_in_a_fault_locks_up(#[case] exception: usize, #[case] code: &[u16]) {
    let mut program = begin();
    match exception {
        2 => program.assembler.poke(ICSR, 1 << 31),
        _ => program.assembler.half(0xDE00),
    };
    let a = program.handler(exception);
    let pc = a.here();
    a.code(code);
    let mut machine = Machine::without_debugger(&program.finish());
    assert_eq!(machine.run(1_000), Exit::Lockup { pc });
    // Time goes on, the core does not.
    let cycle = machine.cpu.cycle();
    assert_eq!(machine.run(100), Exit::Until);
    assert_eq!(machine.cpu.cycle(), cycle + 100);
    assert_eq!(machine.register(15), pc);
}

#[test]
fn faultmask_makes_faults_lock_up() {
    let mut program = begin();
    program.assembler.half(0xB671).half(0xDE00);
    let mut machine = Machine::without_debugger(&program.finish());
    assert!(matches!(machine.run(100), Exit::Lockup { .. }));
}

/// Stacking where there is no memory: a BusFault with STKERR, escalated to HardFault.
#[test]
fn a_bad_stack_is_reported() {
    let mut program = begin();
    let a = &mut program.assembler;
    a.constant(0, 0x3000_0000)
        .msr(PSP, 0)
        .constant(0, 2)
        .msr(CONTROL, 0);
    a.half(0xDF00);
    program.handler(3).breakpoint(1);
    program.handler(11).breakpoint(2);
    let mut machine = run(program);
    assert_eq!(machine.cpu.register(Register::Xpsr) & 0x1FF, 3);
    assert_eq!(scs(&mut machine, CFSR), 1 << 12);
    assert_eq!(scs(&mut machine, HFSR), 1 << 30);
}

#[test]
fn a_vector_table_nowhere_is_a_hard_fault() {
    let mut program = begin();
    program.assembler.poke(0xE000_ED08, UNMAPPED).half(0xDF00);
    let mut machine = Machine::without_debugger(&program.finish());
    assert!(matches!(machine.run(100), Exit::Lockup { .. }));
    assert_eq!(scs(&mut machine, HFSR), 1 << 1);
}

#[test]
fn an_impossible_return_is_a_usage_fault() {
    let mut program = begin();
    let a = &mut program.assembler;
    a.poke(SHCSR, 7 << 16).half(0xDF00);
    let a = program.handler(11);
    // Handler mode is not below this one.
    a.constant(LR, 0xFFFF_FFF1);
    return_by_bx(a);
    program.handler(6).breakpoint(1);
    let mut machine = run(program);
    assert_eq!(scs(&mut machine, CFSR), 1 << 18);
    // The frame of the SVC is still the one on the stack.
    assert_eq!(machine.register(13), STACK - 32);
}

/// BKPT halts under a debugger only; without one it is a HardFault.
#[test]
fn a_breakpoint_needs_a_debugger() {
    let mut program = begin();
    let a = &mut program.assembler;
    let breakpoint = a.here();
    a.breakpoint(0);
    let a = program.handler(3);
    let end = a.placed();
    a.branch(end);
    let image = program.finish();
    let mut machine = Machine::without_debugger(&image);
    assert_eq!(machine.run(100), Exit::Until);
    assert_eq!(machine.cpu.register(Register::Xpsr) & 0x1FF, 3);
    assert_eq!(scs(&mut machine, HFSR), 1 << 31);
    assert_eq!(machine.word(STACK - 8), breakpoint);

    let mut machine = Machine::new(&image);
    assert_eq!(machine.run(100), Exit::Breakpoint { pc: breakpoint });
    assert!(machine.cpu.is_halted());
    assert_eq!(scs(&mut machine, DHCSR) & (1 << 17 | 2), 1 << 17 | 2);
}

/// CCR.BFHFNMIGN: a HardFault handler may probe addresses.
#[test]
fn hard_fault_handlers_may_ignore_bus_faults() {
    let mut program = begin();
    program.assembler.poke(CCR, 0x300).half(0xDE00);
    let a = program.handler(3);
    a.constant(0, UNMAPPED).constant(1, 5).load(1, 0, 4);
    a.append(1, 11).breakpoint(1);
    let mut machine = run(program);
    assert_eq!(traced(&machine), [0]);
    assert_eq!(scs(&mut machine, BFAR), UNMAPPED + 4);
    assert_eq!(scs(&mut machine, CFSR), 1 << 16 | 1 << 15 | 1 << 9);
}

/// C_DEBUGEN is the debugger's alone.
#[test]
fn software_cannot_enable_debugging() {
    let mut program = begin();
    program.assembler.poke(DHCSR, 0xA05F_0003);
    let a = &mut program.assembler;
    let end = a.placed();
    a.branch(end);
    let mut machine = Machine::without_debugger(&program.finish());
    assert_eq!(machine.run(100), Exit::Until);
    assert_eq!(scs(&mut machine, DHCSR) & 3, 0);
    assert!(!machine.cpu.is_halted());
}
