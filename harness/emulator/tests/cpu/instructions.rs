//! One instruction (or one IT block) at a time, against the Arm Architecture Reference Manual.
//!
//! The tables in `cases` have a case a line: assembly, its halfwords, the state before, what
//! changes. Registers are hexadecimal (`r0=1f`), a word of memory is `[20002000]=1f`, flags are
//! the letters of those set (`NZCVQ`, `-` for none), `GE=f` the GE bits. What a line does not name
//! stays as it is. The code is at 0x08000100.

use crate::support::Machine;
use az3166_emulator::cpu::{Exit, Register};
use az3166_emulator::memory::Memory;
use rstest::rstest;
use std::collections::BTreeMap;

const CODE: u32 = 0x0800_0100;
const STACK: u32 = 0x2000_8000;
const FLAGS: [(char, u32); 5] = [('N', 31), ('Z', 30), ('C', 29), ('V', 28), ('Q', 27)];
const FLAG_MASK: u32 = 0xF800_0000;
const GE_MASK: u32 = 0x000F_0000;

/// Registers, APSR and the words of memory that a line names.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Values {
    registers: [u32; 16],
    apsr: u32,
    memory: BTreeMap<u32, u32>,
}

impl Values {
    fn new() -> Self {
        let mut registers = std::array::from_fn(|index| 0xA5A5_0000 + index as u32);
        registers[13] = STACK;
        registers[15] = CODE;
        Self {
            registers,
            apsr: 0,
            memory: BTreeMap::new(),
        }
    }

    fn apply(&mut self, text: &str) {
        for token in text.split_whitespace() {
            let Some((name, value)) = token.split_once('=') else {
                let flags = FLAGS.iter().filter(|(letter, _)| token.contains(*letter));
                let set: u32 = flags.map(|(_, bit)| 1 << bit).sum();
                assert!(
                    token == "-" || token.len() as u32 == set.count_ones(),
                    "not flags: {token}"
                );
                self.apsr = self.apsr & !FLAG_MASK | set;
                continue;
            };
            let value = hexadecimal(value);
            match name {
                "GE" => self.apsr = self.apsr & !GE_MASK | value << 16,
                "sp" => self.registers[13] = value,
                "lr" => self.registers[14] = value,
                "pc" => self.registers[15] = value,
                _ if name.starts_with('[') => {
                    let address = hexadecimal(name.trim_matches(['[', ']']));
                    self.memory.insert(address, value);
                }
                _ => {
                    let index: usize = name[1..].parse().expect("a register's number");
                    self.registers[index] = value;
                }
            }
        }
    }
}

fn hexadecimal(text: &str) -> u32 {
    u32::from_str_radix(text, 16).expect("a hexadecimal number")
}

fn check(line: &str) {
    let fields: Vec<&str> = line.split('|').map(str::trim).collect();
    let [assembly, code, before_text, after_text] = fields[..] else {
        panic!("not four fields: {line}");
    };
    let code: Vec<u8> = code
        .split(' ')
        .flat_map(|halfword| (hexadecimal(halfword) as u16).to_le_bytes())
        .collect();
    let mut before = Values::new();
    before.apply(before_text);
    let mut after = before.clone();
    after.registers[15] = CODE + code.len() as u32;
    after.apply(after_text);

    let mut image = vec![0; 0x400];
    image[..4].copy_from_slice(&STACK.to_le_bytes());
    image[4..8].copy_from_slice(&(CODE | 1).to_le_bytes());
    image[0x100..0x100 + code.len()].copy_from_slice(&code);
    let mut machine = Machine::new(&image);
    for (register, value) in Register::GENERAL.into_iter().zip(before.registers) {
        machine.cpu.set_register(register, value);
    }
    let thumb = 1 << 24;
    machine
        .cpu
        .set_register(Register::Xpsr, before.apsr | thumb);
    for (&address, &value) in &before.memory {
        let offset = (address - Memory::RAM_BASE) as usize;
        machine.memory.replace_ram(offset, &value.to_le_bytes());
    }
    let mut expected_ram = machine.memory.ram().to_vec();
    for (&address, value) in &after.memory {
        let offset = (address - Memory::RAM_BASE) as usize;
        expected_ram[offset..offset + 4].copy_from_slice(&value.to_le_bytes());
    }

    let instructions = assembly.split(';').count() as u64;
    assert_eq!(machine.run(instructions), Exit::Until, "{line}");
    let actual = Values {
        registers: Register::GENERAL.map(|register| machine.cpu.register(register)),
        apsr: machine.cpu.register(Register::Xpsr) & (FLAG_MASK | GE_MASK),
        memory: after
            .memory
            .keys()
            .map(|&address| (address, machine.word(address)))
            .collect(),
    };
    assert_eq!(actual, after, "{line}");
    assert!(
        machine.memory.ram() == expected_ram,
        "other memory changed: {line}"
    );
    assert_eq!(machine.cpu.cycle(), instructions, "{line}");
}

#[rstest]
#[case::add_subtract(include_str!("cases/add_subtract.txt"))]
#[case::logic(include_str!("cases/logic.txt"))]
#[case::move_shift(include_str!("cases/move_shift.txt"))]
#[case::bits(include_str!("cases/bits.txt"))]
#[case::multiply(include_str!("cases/multiply.txt"))]
#[case::simd(include_str!("cases/simd.txt"))]
#[case::load_store(include_str!("cases/load_store.txt"))]
#[case::branch_system(include_str!("cases/branch_system.txt"))]
#[case::it_block(include_str!("cases/it_block.txt"))]
fn instructions(#[case] table: &str) {
    let failures: Vec<String> = table
        .lines()
        .filter_map(|line| {
            let outcome = std::panic::catch_unwind(|| check(line));
            outcome.err().map(|_| line.to_string())
        })
        .collect();
    assert!(
        failures.is_empty(),
        "{} cases failed:\n{}",
        failures.len(),
        failures.join("\n")
    );
}
