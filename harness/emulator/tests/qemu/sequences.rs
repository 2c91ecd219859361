//! Random instruction sequences: each starts from random registers and flags and leaves a record
//! of them.

use super::ending;
use super::templates::{MEMORY, NARROW, REGISTER_OFFSET, WIDE};
use crate::support::assembler::{Assembler, LR};
use crate::support::random::Random;
use std::ops::Range;

/// Memory that the sequences load from and store to; R14 starts in its middle.
pub const SCRATCH: Range<u32> = 0x2001_A000..0x2001_E000;
/// Records grow downward from here: xPSR's flags, R0..R12, R14.
pub const RECORDS_END: u32 = SCRATCH.start;
/// Words of a record.
pub const RECORD_WORDS: u32 = 15;
/// Calls of the exception handler.
pub const COUNTER: u32 = SCRATCH.end;
/// How many sequences fit into one program.
pub const MAX_SEQUENCES: usize = 1_600;
const INSTRUCTIONS: Range<u32> = 4..16;

/// A program of many sequences.
pub struct Program {
    pub image: Vec<u8>,
    /// The address of each sequence's code, for messages.
    pub addresses: Vec<Range<u32>>,
    pub instructions: usize,
}

/// Whether exclusive accesses may occur: an interrupt between them makes STREX fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exclusives {
    With,
    Without,
}

/// A program of so many sequences. The handler of all exceptions counts its calls and leaves
/// nothing of what the exception entry saves as it was.
pub fn program(seed: u64, sequences: usize, exclusives: Exclusives) -> Program {
    let mut random = Random::new(seed);
    let mut assembler = Assembler::new(0x0800_0000);
    let a = &mut assembler;
    let start = a.label();
    a.word(RECORDS_END).vector(start);
    let handler = a.label();
    for _ in 2..112 {
        a.vector(handler);
    }
    a.place(handler);
    count_and_disturb(a);
    a.place(start);
    fill_scratch(a);
    let mut addresses = Vec::new();
    let mut inputs = Vec::new();
    let mut instructions = 0;
    for _ in 0..sequences {
        let input = a.label();
        inputs.push(input);
        a.address(LR, input).wide(0xF1AE, 0x0E01);
        // Flags, then R0..R12.
        a.load(0, LR, 52).msr(0, 0).wide(0xE89E, 0x1FFF);
        a.constant(LR, SCRATCH.start.midpoint(SCRATCH.end));
        let from = a.here();
        instructions += sequence(a, &mut random, exclusives);
        addresses.push(from..a.here());
        a.wide(0xE92D, 0x5FFF).mrs(0, 0).half(0xB401);
    }
    ending::append(a);
    a.align(4);
    for input in inputs {
        a.place(input);
        for _ in 0..13 {
            a.word(random.operand());
        }
        a.word(random.word() & 0xF80F_0000);
    }
    Program {
        image: assembler.finish(),
        addresses,
        instructions,
    }
}

/// Adds one to the counter, changes R0-R3, R12 and all flags, returns.
fn count_and_disturb(a: &mut Assembler) {
    a.constant(1, COUNTER).load(2, 1, 0);
    a.half(0x3201).store(2, 1, 0);
    for register in [0, 1, 2, 3, 12] {
        a.constant(register, 0xF80F_5A5A);
    }
    a.msr(0, 0).half(0x4770);
}

/// Fills scratch with a sequence of numbers (R0 = R0 * 1664525 + 1013904223).
fn fill_scratch(a: &mut Assembler) {
    a.constant(0, 0x1234_5678).constant(1, 1_664_525);
    a.constant(2, 1_013_904_223).constant(3, SCRATCH.start);
    a.constant(4, (SCRATCH.end - SCRATCH.start) / 4);
    // MLA R0, R0, R1, R2; STR R0, [R3], #4; SUBS R4, #1; BNE.
    a.wide(0xFB00, 0x2001)
        .append(0, 3)
        .half(0x3C01)
        .half(0xD1F9);
}

/// Appends one sequence; the result is its number of instructions.
fn sequence(a: &mut Assembler, random: &mut Random, exclusives: Exclusives) -> usize {
    let wanted = INSTRUCTIONS.start + random.below(INSTRUCTIONS.end - INSTRUCTIONS.start);
    let mut count = 0;
    while count < wanted as usize {
        count += match random.below(16) {
            0 => it_block(a, random),
            1 => conditional_branch(a, random),
            2 => compare_and_branch(a, random),
            3 if exclusives == Exclusives::With => exclusive_pair(a, random),
            4 => register_offset(a, random),
            5..=7 => simple(a, random, MEMORY),
            8..=10 => simple(a, random, NARROW),
            _ => simple(a, random, WIDE),
        };
    }
    count
}

fn simple(a: &mut Assembler, random: &mut Random, templates: &[&str]) -> usize {
    let code = encode(random.pick::<&str>(templates), random);
    a.code(&code);
    1
}

fn data_processing(random: &mut Random) -> Vec<u16> {
    let templates = if random.below(2) == 0 { NARROW } else { WIDE };
    encode(random.pick::<&str>(templates), random)
}

/// IT with one to four instructions.
fn it_block(a: &mut Assembler, random: &mut Random) -> usize {
    let condition = random.below(14);
    let mask = 1 + random.below(15);
    let length = 4 - mask.trailing_zeros();
    a.half(0xBF00 | condition << 4 | mask);
    for _ in 0..length {
        let code = data_processing(random);
        a.code(&code);
    }
    1 + length as usize
}

/// B<cond> over one or two instructions.
fn conditional_branch(a: &mut Assembler, random: &mut Random) -> usize {
    let skipped: Vec<u16> = (0..=random.below(2))
        .flat_map(|_| data_processing(random))
        .collect();
    let condition = random.below(14);
    let offset = skipped.len() as u32 - 1;
    // The wide form counts from its own end.
    match random.below(2) {
        0 => a.half(0xD000 | condition << 8 | offset),
        _ => a.wide(0xF000 | condition << 6, 0x8000 | (offset + 1)),
    };
    a.code(&skipped);
    3
}

/// CBZ or CBNZ over one or two instructions.
fn compare_and_branch(a: &mut Assembler, random: &mut Random) -> usize {
    let skipped: Vec<u16> = (0..=random.below(2))
        .flat_map(|_| data_processing(random))
        .collect();
    let offset = skipped.len() as u32 - 1;
    let nonzero = random.below(2) << 11;
    a.half(0xB100 | nonzero | offset << 3 | random.below(8));
    a.code(&skipped);
    3
}

/// LDREX, perhaps CLREX, STREX at the same place, which R14 must be aligned for (it is).
fn exclusive_pair(a: &mut Assembler, random: &mut Random) -> usize {
    let offset = random.below(256);
    let (loaded, stored) = (random.below(13), random.below(13));
    let status = (stored + 1 + random.below(12)) % 13;
    a.wide(0xE85E, loaded << 12 | 0xF00 | offset);
    if random.below(3) == 0 {
        a.wide(0xF3BF, 0x8F2F);
    }
    a.wide(0xE84E, stored << 12 | status << 8 | offset);
    2
}

/// UBFX Rm, Rm, #0, #7 and a load or store at R14 plus Rm.
fn register_offset(a: &mut Assembler, random: &mut Random) -> usize {
    let code = encode(random.pick::<&str>(REGISTER_OFFSET), random);
    let rm = u32::from(code[1] & 15);
    a.wide(0xF3C0 | rm, rm << 8 | 6).code(&code);
    2
}

/// Fills in a template.
pub fn encode(template: &str, random: &mut Random) -> Vec<u16> {
    let registers: Vec<u32> = (0..5).map(|_| random.below(13)).collect();
    let second = (registers[0] + 1 + random.below(12)) % 13;
    let register = |letter: char| match letter {
        'd' => registers[0],
        'n' => registers[1],
        'm' => registers[2],
        'a' => registers[3],
        _ => second,
    };
    let letters: Vec<char> = template.chars().filter(|&c| c != ' ').collect();
    let mut code = Vec::new();
    let mut seen: Vec<char> = Vec::new();
    for chunk in letters.chunks(16) {
        let halfword = chunk.iter().fold(0u16, |halfword, &letter| {
            let bit = match letter {
                '0' => 0,
                '1' => 1,
                '.' => random.below(2),
                _ => {
                    let index = seen.iter().filter(|&&c| c == letter).count() % 4;
                    seen.push(letter);
                    register(letter) >> (3 - index) & 1
                }
            };
            halfword << 1 | bit as u16
        });
        code.push(halfword);
    }
    code
}

/// What a record means, for messages.
pub fn record_name(word: u32) -> String {
    match word {
        0 => "APSR".into(),
        1..=13 => format!("R{}", word - 1),
        _ => "R14".into(),
    }
}
