//! Random programs about exceptions: priorities, masks, pending, nesting, faults, privilege and
//! both stacks. Every handler logs what it sees and does some random things itself.
//!
//! QEMU takes an interrupt at the next barrier only, so each action ends with one, and the return
//! address of interrupts is not logged.

use crate::support::assembler::Assembler;
use crate::support::random::Random;

/// The log grows upward from here.
pub const LOG: u32 = 0x2000_0100;
/// Where the log ends so far, the last CFSR, how many handlers may still act.
const LOG_POINTER: u32 = 0x2000_0000;
const MSP_TOP: u32 = 0x2001_F000;
const PSP_TOP: u32 = 0x2001_C000;
const BUDGET: u32 = 150;
const IRQS: u32 = 8;

const CFSR: u32 = 0xE000_ED28;
const UNMAPPED: u32 = 0x6000_0000;

mod special {
    pub const IPSR: u32 = 5;
    pub const MSP: u32 = 8;
    pub const PSP: u32 = 9;
    pub const PRIMASK: u32 = 16;
    pub const BASEPRI: u32 = 17;
    pub const BASEPRI_MAX: u32 = 18;
    pub const FAULTMASK: u32 = 19;
    pub const CONTROL: u32 = 20;
}

/// What a piece of code may do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Context {
    Thread,
    /// A handler whose own faults can still be taken.
    Handler,
    /// HardFault, NMI or FAULTMASK: a fault would lock up.
    Critical,
}

pub fn program(seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut assembler = Assembler::new(0x0800_0000);
    let a = &mut assembler;
    let start = a.label();
    let handlers: Vec<_> = (0..16 + IRQS).map(|_| a.label()).collect();
    a.word(MSP_TOP).vector(start);
    for &handler in &handlers[2..] {
        a.vector(handler);
    }
    let common = a.placed();
    log_and_repair(a);
    for (number, &handler) in handlers.iter().enumerate().skip(2) {
        a.place(handler);
        // MOV R0, LR; PUSH {R4, LR}; CBZ below.
        a.half(0x4670).mrs(1, special::MSP).half(0xB510);
        a.call(common);
        if number == 3 || number == 11 {
            // The way back to privilege: R2 is free.
            a.mrs(2, special::CONTROL).wide(0xF022, 0x0201);
            a.msr(special::CONTROL, 2);
        }
        let (body, end) = (a.label(), a.label());
        // CMP R0, #0; BNE.N over the B.W.
        a.half(0x2800).half(0xD101).branch(end).place(body);
        let context = match number {
            2 | 3 => Context::Critical,
            _ => Context::Handler,
        };
        for _ in 0..random.below(5) {
            action(a, &mut random, context);
        }
        a.place(end);
        a.half(0xBD10);
    }
    a.place(start);
    prepare(a, &mut random);
    for _ in 0..120 {
        action(a, &mut random, Context::Thread);
    }
    super::ending::append(a);
    assembler.finish()
}

/// R0 is EXC_RETURN, R1 the main stack pointer; R0 becomes 1 while handlers may act.
fn log_and_repair(a: &mut Assembler) {
    // TST R0, #4; IT NE; MRSNE R1, PSP: R1 is the frame.
    a.wide(0xF010, 0x0F04).half(0xBF18).mrs(1, special::PSP);
    a.constant(2, LOG_POINTER).load(3, 2, 0);
    a.append(0, 3).append(1, 3);
    for register in [
        special::IPSR,
        special::PRIMASK,
        special::BASEPRI,
        special::FAULTMASK,
        special::CONTROL,
    ] {
        a.mrs(0, register).append(0, 3);
    }
    for offset in [0, 4, 8, 12, 16, 20, 28] {
        a.load(0, 1, offset).append(0, 3);
    }
    // SHCSR, BFAR, the pending and active IRQs.
    a.constant(12, CFSR);
    a.wide(0xF85C, 0x0C04).append(0, 3);
    a.load(0, 12, 0x10).append(0, 3);
    a.constant(12, 0xE000_E200).load(0, 12, 0).append(0, 3);
    a.load(0, 12, 0x100).append(0, 3);
    a.constant(12, CFSR);
    // HFSR, then CFSR, both cleared; CFSR is kept.
    a.load(0, 12, 4).append(0, 3).store(0, 12, 4);
    a.load(0, 12, 0).append(0, 3).store(0, 12, 0).store(0, 2, 4);
    let (skip, done, silent) = (a.label(), a.label(), a.label());
    // CMP R0, #0; BNE over the B.W: nothing to repair without a fault.
    a.half(0x2800).half(0xD101).branch(done);
    // TST R0, INVSTATE | IBUSERR | IACCVIOL; BNE.
    a.constant(12, 0x2_0101).wide(0xEA10, 0x0F0C);
    a.half(0xD101).branch(skip);
    // Return to LR in Thumb state: BIC R0, #1; ORR R0, #1 << 24.
    a.load(0, 1, 20).wide(0xF020, 0x0001).store(0, 1, 24);
    a.load(0, 1, 28).wide(0xF040, 0x7080).store(0, 1, 28);
    a.branch(done);
    a.place(skip);
    // LDRH R12, [R0]; LSR R12, R12, #11; CMP R12, #0x1D; ITE CC; ADDCC R0, #2; ADDCS R0, #4.
    a.load(0, 1, 24).append(0, 3).wide(0xF8B0, 0xC000);
    a.wide(0xEA4F, 0x2CDC).wide(0xF1BC, 0x0F1D);
    a.half(0xBF34).half(0x3002).half(0x3004).store(0, 1, 24);
    a.place(done);
    a.store(3, 2, 0).load(0, 2, 8);
    a.half(0x2800).half(0xD101).branch(silent);
    // SUBS R0, #1; MOVS R0, #1; BX LR.
    a.half(0x3801).store(0, 2, 8).half(0x2001).half(0x4770);
    a.place(silent);
    a.half(0x2000).half(0x4770);
}

fn prepare(a: &mut Assembler, random: &mut Random) {
    a.poke(LOG_POINTER, LOG).poke(LOG_POINTER + 8, BUDGET);
    a.constant(0, PSP_TOP).msr(special::PSP, 0);
    // CCR: STKALIGN, DIV_0_TRP, sometimes UNALIGN_TRP; SHCSR: which fault handlers are on.
    a.poke(0xE000_ED14, 0x210 | random.below(2) << 3);
    a.poke(0xE000_ED24, random.below(8) << 16);
    a.poke(0xE000_E100, if random.below(3) == 0 { 0xF7 } else { 0xFF });
    a.poke(0xE000_ED0C, 0x05FA_0000 | random.below(8) << 8);
    for address in [
        0xE000_E400,
        0xE000_E404,
        0xE000_ED18,
        0xE000_ED1C,
        0xE000_ED20,
    ] {
        a.poke(address, priorities(random));
    }
    barrier(a);
}

/// Four priorities of the four bits that the STM32F412 has (QEMU's machine has eight).
fn priorities(random: &mut Random) -> u32 {
    random.word() & 0xF0F0_F0F0
}

fn barrier(a: &mut Assembler) {
    a.wide(0xF3BF, 0x8F4F).wide(0xF3BF, 0x8F6F);
}

fn action(a: &mut Assembler, random: &mut Random, context: Context) {
    for register in [2, 3, 12] {
        a.constant(register, random.word());
    }
    // The flags, Q and GE too.
    a.constant(0, random.word() & 0xF80F_0000).msr(0, 0);
    match random.below(18) {
        0 => {
            // One byte of a priority register.
            let address = 0xE000_E400 + random.below(IRQS);
            a.constant(0, address).constant(1, priorities(random));
            a.wide(0xF880, 0x1000);
        }
        1 => {
            let address = 0xE000_ED18 + 4 * random.below(3);
            a.poke(address, priorities(random));
        }
        2 => {
            a.constant(0, priorities(random)).msr(special::BASEPRI, 0);
        }
        3 => {
            a.constant(0, priorities(random))
                .msr(special::BASEPRI_MAX, 0);
        }
        4 => {
            a.constant(0, 0).msr(special::BASEPRI, 0);
        }
        5 => {
            a.half(0xB672);
        }
        6 | 7 => {
            a.half(0xB662);
        }
        8 if context == Context::Thread => thread_only(a, random),
        8 if context == Context::Handler => {
            // FAULTMASK for a while (at priority -1 QEMU sets it, the architecture does not).
            a.half(0xB671);
            barrier(a);
            for _ in 0..random.below(3) {
                pend(a, random);
                barrier(a);
            }
            a.half(0xB661);
        }
        9..=12 => pend(a, random),
        13 => {
            // Clear a pending state.
            match random.below(2) {
                0 => a.poke(0xE000_E280, random.below(256)),
                _ => a.poke(0xE000_ED04, 1 << 27),
            };
        }
        14 if context != Context::Critical => {
            a.half(0xDF00 | random.below(256));
        }
        15..=17 if context != Context::Critical => fault(a, random),
        _ => pend(a, random),
    }
    barrier(a);
}

fn pend(a: &mut Assembler, random: &mut Random) {
    match random.below(8) {
        0 => a.poke(0xE000_ED04, 1 << 28),
        1 if random.below(4) == 0 => a.poke(0xE000_ED04, 1 << 31),
        2 => a.poke(0xE000_EF00, random.below(IRQS)),
        3 => {
            // Two at once.
            let bits = 1 << random.below(IRQS) | 1 << random.below(IRQS);
            a.poke(0xE000_E200, bits)
        }
        _ => a.poke(0xE000_E200, 1 << random.below(IRQS)),
    };
}

/// Stacks and privilege, which only Thread mode changes.
fn thread_only(a: &mut Assembler, random: &mut Random) {
    match random.below(4) {
        // CONTROL.SPSEL over: MRS R0, CONTROL; EOR R0, #2; MSR.
        0 | 1 => {
            a.mrs(0, special::CONTROL).wide(0xF080, 0x0002);
            a.msr(special::CONTROL, 0);
        }
        // The stack pointer no longer a multiple of eight, then back.
        2 => {
            a.half(0xB081);
            pend(a, random);
            barrier(a);
            a.half(0xDF01).half(0xB001);
        }
        _ => unprivileged(a, random),
    }
}

/// Without privilege: what is ignored, what faults; SVC ends it.
fn unprivileged(a: &mut Assembler, random: &mut Random) {
    // SVC has to be taken as SVC: no mask, the highest priority, and a handler that acts.
    a.constant(0, 0).msr(special::BASEPRI, 0).half(0xB662);
    a.poke(0xE000_ED1C, 0).poke(LOG_POINTER + 8, BUDGET / 2);
    barrier(a);
    a.mrs(0, special::CONTROL).wide(0xF040, 0x0001);
    a.msr(special::CONTROL, 0);
    barrier(a);
    for _ in 0..1 + random.below(3) {
        match random.below(6) {
            0 => a.half(0xB672),
            1 => a.half(0xB671).half(0xB661),
            2 => a.constant(0, 0x40).msr(special::BASEPRI, 0),
            3 => a.poke(0xE000_E200, 1),
            4 => a.constant(0, CFSR).load(2, 0, 0),
            _ => a.constant(0, 1).msr(special::PRIMASK, 0),
        };
        barrier(a);
        a.mrs(2, special::PRIMASK).mrs(3, special::BASEPRI);
        a.mrs(12, special::MSP);
    }
    a.half(0xDF02);
}

fn fault(a: &mut Assembler, random: &mut Random) {
    match random.below(12) {
        0 => a.half(0xDE00),
        1 => a.wide(0xF7F0, 0xA000),
        // VADD.F32 S0, S0, S0; VLDR; MRC of coprocessor 1.
        2 => a.wide(0xEE30, 0x0A00),
        3 => a.wide(0xED90, 0x0A00),
        4 => a.wide(0xEE11, 0x0110),
        // SDIV and UDIV by zero.
        5 => a.constant(0, 0).wide(0xFB92, 0xF3F0),
        6 => a.constant(0, 0).wide(0xFBB2, 0xF3F0),
        // LDRD from an odd address.
        7 => a.constant(0, LOG + 1).wide(0xE9D0, 0x2300),
        // LDR and STR where nothing is.
        8 => a.constant(0, UNMAPPED + 4 * random.below(64)).load(2, 0, 8),
        9 => a.constant(0, UNMAPPED).store(2, 0, 12),
        // BLX to ARM state, and to where nothing may execute.
        10 => a.constant(0, 0x0800_0200).half(0x4780),
        _ => a.constant(0, 0x4000_0001).half(0x4780),
    };
}

/// The names of a log entry's words; faults that are skipped add the address.
const ENTRY: [&str; 20] = [
    "EXC_RETURN",
    "frame",
    "IPSR",
    "PRIMASK",
    "BASEPRI",
    "FAULTMASK",
    "CONTROL",
    "R0",
    "R1",
    "R2",
    "R3",
    "R12",
    "LR",
    "xPSR",
    "SHCSR",
    "BFAR",
    "ISPR",
    "IABR",
    "HFSR",
    "CFSR",
];

/// Fails with the first difference of the logs; the number of exceptions otherwise.
pub fn compare(seed: u64, ours: &[u8], theirs: &[u8]) -> usize {
    let words = |ram: &[u8]| -> Vec<u32> {
        let word = |address: u32| {
            let offset = (address - 0x2000_0000) as usize;
            u32::from_le_bytes(ram[offset..offset + 4].try_into().unwrap())
        };
        (LOG..word(LOG_POINTER)).step_by(4).map(word).collect()
    };
    let (ours, theirs) = (words(ours), words(theirs));
    let starts: Vec<usize> = (0..theirs.len())
        .filter(|&index| theirs[index] >= 0xFFFF_FFF0)
        .collect();
    for &start in &starts {
        for (offset, name) in ENTRY.iter().chain(&["address"]).enumerate() {
            let index = start + offset;
            if index < theirs.len() && ours.get(index) != theirs.get(index) {
                let show = |log: &[u32]| {
                    let entry = log.iter().skip(start);
                    let named = ENTRY.iter().zip(entry);
                    named
                        .map(|(name, word)| format!("{name}={word:x} "))
                        .collect::<String>()
                };
                panic!(
                    "seed {seed}, entry at word {start}: {name} differs\nours   {}\nQEMU   {}",
                    show(&ours),
                    show(&theirs)
                );
            }
        }
    }
    assert_eq!(ours.len(), theirs.len(), "seed {seed}: lengths of the logs");
    starts.len()
}
