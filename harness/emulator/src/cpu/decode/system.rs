//! Branches and miscellaneous control (Armv7-M ARM, A5.3.4).

use super::super::op::{Kind, Op};
use super::narrow::CONDITIONAL;
use super::{bits, sign_extend, undefined};

pub(super) fn branch_and_control(pc: u32, first: u32, second: u32) -> Op {
    match (bits(second, 14, 14), bits(second, 12, 12)) {
        (0, 0) => match bits(first, 9, 6) as usize {
            condition @ 0..=13 => conditional(pc, first, second, CONDITIONAL[condition]),
            _ => control(first, second),
        },
        (0, _) => Op::wide(Kind::B).with_imm(far_target(pc, first, second)),
        (_, 1) => Op::wide(Kind::Bl).with_imm(far_target(pc, first, second)),
        _ => undefined(),
    }
}

/// B<c> T3: 21 bits of offset.
fn conditional(pc: u32, first: u32, second: u32, kind: Kind) -> Op {
    let offset = bits(first, 10, 10) << 20
        | bits(second, 11, 11) << 19
        | bits(second, 13, 13) << 18
        | bits(first, 5, 0) << 12
        | bits(second, 10, 0) << 1;
    Op::wide(kind).with_imm(pc.wrapping_add(4).wrapping_add(sign_extend(offset, 21)))
}

/// B T4 and BL: 25 bits of offset.
fn far_target(pc: u32, first: u32, second: u32) -> u32 {
    let sign = bits(first, 10, 10);
    let i1 = 1 ^ bits(second, 13, 13) ^ sign;
    let i2 = 1 ^ bits(second, 11, 11) ^ sign;
    let offset =
        sign << 24 | i1 << 23 | i2 << 22 | bits(first, 9, 0) << 12 | bits(second, 10, 0) << 1;
    pc.wrapping_add(4).wrapping_add(sign_extend(offset, 25))
}

fn control(first: u32, second: u32) -> Op {
    match bits(first, 10, 4) {
        // MSR: `ra` the mask, `imm` SYSm.
        0b011_1000 | 0b011_1001 => Op::wide(Kind::Msr)
            .with_rn(bits(first, 3, 0))
            .with_ra(bits(second, 11, 10))
            .with_imm(bits(second, 7, 0)),
        0b011_1110 | 0b011_1111 => Op::wide(Kind::Mrs)
            .with_rd(bits(second, 11, 8))
            .with_imm(bits(second, 7, 0)),
        0b011_1010 => hint(second),
        0b011_1011 => match bits(second, 7, 4) {
            2 => Op::wide(Kind::Clrex),
            4..=6 => Op::wide(Kind::Barrier),
            _ => undefined(),
        },
        _ => undefined(),
    }
}

fn hint(second: u32) -> Op {
    match (bits(second, 10, 8), bits(second, 7, 0)) {
        (0, 2) => Op::wide(Kind::Wfe),
        (0, 3) => Op::wide(Kind::Wfi),
        (0, 4) => Op::wide(Kind::Sev),
        (0, _) => Op::wide(Kind::Nop),
        _ => undefined(),
    }
}
