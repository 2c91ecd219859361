//! From halfwords to [`Op`]s (Armv7-M ARM, chapter A5).
//!
//! What the manual calls UNPREDICTABLE decodes to whatever falls out; what it calls UNDEFINED is
//! [`Kind::Undefined`].

mod data;
mod load_store;
mod multiply;
mod narrow;
mod system;

use super::op::{Kind, Op};

/// Whether a halfword is the first of a 32-bit instruction.
pub(super) const fn is_wide(first: u16) -> bool {
    first >= 0xE800
}

/// Decodes the 16-bit instruction at `pc`.
pub(super) fn narrow(pc: u32, halfword: u16) -> Op {
    narrow::decode(pc, u32::from(halfword))
}

/// Decodes the 32-bit instruction at `pc` (A5.3).
pub(super) fn wide(pc: u32, first: u16, second: u16) -> Op {
    let (first, second) = (u32::from(first), u32::from(second));
    if first & 0xEC00 == 0xEC00 {
        // Coprocessor space; its last quarter is UNDEFINED.
        return match first & 0x0F00 {
            0x0F00 => undefined(),
            _ => Op::wide(Kind::Coprocessor),
        };
    }
    match (first >> 11 & 3, first >> 9 & 3, second >> 15) {
        (1, 0, _) if first & 0x40 == 0 => load_store::multiple(first, second),
        (1, 0, _) => load_store::dual_exclusive_table(pc, first, second),
        (1, 1, _) => data::shifted_register(first, second),
        (2, 0 | 2, 0) => data::modified_immediate(first, second),
        (2, 1 | 3, 0) => data::plain_immediate(pc, first, second),
        (2, _, 1) => system::branch_and_control(pc, first, second),
        (3, 0, _) => load_store::single(pc, first, second),
        (3, 1, _) if first & 0x180 == 0x100 => multiply::word(first, second),
        (3, 1, _) if first & 0x180 == 0x180 => multiply::long(first, second),
        (3, 1, _) => data::register(first, second),
        _ => undefined(),
    }
}

const fn undefined() -> Op {
    Op::wide(Kind::Undefined)
}

/// Bits `high..=low` of an encoding.
const fn bits(word: u32, high: u32, low: u32) -> u32 {
    word >> low & ((1 << (high - low + 1)) - 1)
}

/// The value of the PC as an operand, word aligned.
const fn aligned_pc(pc: u32) -> u32 {
    pc.wrapping_add(4) & !3
}

/// Sign extension of the low `width` bits.
const fn sign_extend(value: u32, width: u32) -> u32 {
    ((value << (32 - width)) as i32 >> (32 - width)) as u32
}
