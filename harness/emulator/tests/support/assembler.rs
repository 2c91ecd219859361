//! As much of a Thumb-2 assembler as the tests need.

use std::collections::HashMap;

/// The link register's number.
pub const LR: u32 = 14;

/// A place in the code, known before or after it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Label(usize);

/// What is left to do when a label is known.
#[derive(Clone, Copy)]
enum Fix {
    /// B T4 or BL.
    Far,
    /// MOVW and MOVT of the address, its lowest bit set.
    Address,
    /// A word with the address, its lowest bit set.
    Vector,
}

/// Machine code that grows from an address on.
pub struct Assembler {
    base: u32,
    bytes: Vec<u8>,
    labels: HashMap<Label, u32>,
    fixes: Vec<(usize, Label, Fix)>,
    next_label: usize,
}

impl Assembler {
    pub fn new(base: u32) -> Self {
        Self {
            base,
            bytes: Vec::new(),
            labels: HashMap::new(),
            fixes: Vec::new(),
            next_label: 0,
        }
    }

    /// The address of what comes next.
    pub fn here(&self) -> u32 {
        self.base + self.bytes.len() as u32
    }

    /// A label that is not placed yet.
    pub fn label(&mut self) -> Label {
        self.next_label += 1;
        Label(self.next_label)
    }

    /// Places a label here.
    pub fn place(&mut self, label: Label) {
        self.labels.insert(label, self.here());
    }

    /// A new label, here.
    pub fn placed(&mut self) -> Label {
        let label = self.label();
        self.place(label);
        label
    }

    /// A 16-bit instruction.
    pub fn half(&mut self, halfword: u32) -> &mut Self {
        self.bytes.extend((halfword as u16).to_le_bytes());
        self
    }

    /// A 32-bit instruction, first halfword first.
    pub fn wide(&mut self, first: u32, second: u32) -> &mut Self {
        self.half(first).half(second)
    }

    /// Instructions as halfwords.
    pub fn code(&mut self, halfwords: &[u16]) -> &mut Self {
        for &halfword in halfwords {
            self.half(u32::from(halfword));
        }
        self
    }

    /// A word of data.
    pub fn word(&mut self, word: u32) -> &mut Self {
        self.bytes.extend(word.to_le_bytes());
        self
    }

    /// Zeros up to a multiple of `alignment`.
    pub fn align(&mut self, alignment: usize) -> &mut Self {
        while !self.bytes.len().is_multiple_of(alignment) {
            self.bytes.push(0);
        }
        self
    }

    /// The address of a handler or function as a word.
    pub fn vector(&mut self, label: Label) -> &mut Self {
        self.fixes.push((self.bytes.len(), label, Fix::Vector));
        self.word(0)
    }

    /// MOVW and MOVT: any constant.
    pub fn constant(&mut self, rd: u32, value: u32) -> &mut Self {
        let [first, second, third, fourth] = move_wide(rd, value);
        self.wide(first, second).wide(third, fourth)
    }

    /// The address of a label, its lowest bit set.
    pub fn address(&mut self, rd: u32, label: Label) -> &mut Self {
        self.fixes.push((self.bytes.len(), label, Fix::Address));
        self.constant(rd, 0)
    }

    /// B.W.
    pub fn branch(&mut self, label: Label) -> &mut Self {
        self.fixes.push((self.bytes.len(), label, Fix::Far));
        self.wide(0xF000, 0x9000)
    }

    /// BL.
    pub fn call(&mut self, label: Label) -> &mut Self {
        self.fixes.push((self.bytes.len(), label, Fix::Far));
        self.wide(0xF000, 0xD000)
    }

    /// STR.W Rt, [Rn, #offset].
    pub fn store(&mut self, rt: u32, rn: u32, offset: u32) -> &mut Self {
        self.wide(0xF8C0 | rn, rt << 12 | offset)
    }

    /// LDR.W Rt, [Rn, #offset].
    pub fn load(&mut self, rt: u32, rn: u32, offset: u32) -> &mut Self {
        self.wide(0xF8D0 | rn, rt << 12 | offset)
    }

    /// STR Rt, [Rn], #4.
    pub fn append(&mut self, rt: u32, rn: u32) -> &mut Self {
        self.wide(0xF840 | rn, rt << 12 | 0xB04)
    }

    /// MRS Rd, special register.
    pub fn mrs(&mut self, rd: u32, special: u32) -> &mut Self {
        self.wide(0xF3EF, 0x8000 | rd << 8 | special)
    }

    /// MSR special register, Rn; the flags with GE.
    pub fn msr(&mut self, special: u32, rn: u32) -> &mut Self {
        self.wide(
            0xF380 | rn,
            0x8800 | if special < 8 { 0x400 } else { 0 } | special,
        )
    }

    /// Stores a constant to an address; uses R0 and R1.
    pub fn poke(&mut self, address: u32, value: u32) -> &mut Self {
        self.constant(0, address).constant(1, value).store(1, 0, 0)
    }

    /// BKPT.
    pub fn breakpoint(&mut self, number: u32) -> &mut Self {
        self.half(0xBE00 | number)
    }

    /// The code, all labels resolved.
    pub fn finish(mut self) -> Vec<u8> {
        for (offset, label, fix) in std::mem::take(&mut self.fixes) {
            let target = self.labels[&label];
            match fix {
                Fix::Far => {
                    let from = self.base + offset as u32 + 4;
                    let [first, second] = far_branch(target.wrapping_sub(from));
                    self.merge(offset, first);
                    self.merge(offset + 2, second);
                }
                Fix::Address => {
                    let rd = u32::from(self.bytes[offset + 3] & 15);
                    for (index, halfword) in move_wide(rd, target | 1).into_iter().enumerate() {
                        let at = offset + 2 * index;
                        self.bytes[at..at + 2].copy_from_slice(&(halfword as u16).to_le_bytes());
                    }
                }
                Fix::Vector => {
                    self.bytes[offset..offset + 4].copy_from_slice(&(target | 1).to_le_bytes());
                }
            }
        }
        self.bytes
    }

    fn merge(&mut self, offset: usize, bits: u32) {
        let [low, high] = (bits as u16).to_le_bytes();
        self.bytes[offset] |= low;
        self.bytes[offset + 1] |= high;
    }
}

/// MOVW Rd, #low; MOVT Rd, #high.
fn move_wide(rd: u32, value: u32) -> [u32; 4] {
    let halfwords = |opcode: u32, value: u32| {
        [
            opcode | (value >> 11 & 1) << 10 | value >> 12,
            (value >> 8 & 7) << 12 | rd << 8 | value & 0xFF,
        ]
    };
    let [first, second] = halfwords(0xF240, value & 0xFFFF);
    let [third, fourth] = halfwords(0xF2C0, value >> 16);
    [first, second, third, fourth]
}

/// The offset fields of B T4 and BL.
fn far_branch(offset: u32) -> [u32; 2] {
    let sign = offset >> 31;
    let j = |bit: u32| 1 ^ (offset >> bit & 1) ^ sign;
    [
        sign << 10 | offset >> 12 & 0x3FF,
        j(23) << 13 | j(22) << 11 | offset >> 1 & 0x7FF,
    ]
}
