//! 32-bit data processing (Armv7-M ARM, A5.3.1, A5.3.3, A5.3.11, A5.3.12).

use super::super::op::{Kind, Op};
use super::super::shift::Shift;
use super::{aligned_pc, bits, undefined};

const SP: u32 = 13;
const PC: u32 = 15;

/// ThumbExpandImm_C: the constant, and what becomes of C (0 kept, 2 cleared, 3 set).
fn expand(first: u32, second: u32) -> (u32, u32) {
    let byte = bits(second, 7, 0);
    let code = bits(first, 10, 10) << 4 | bits(second, 14, 12) << 1 | bits(second, 7, 7);
    let value = match code >> 1 {
        0 => byte,
        1 => byte << 16 | byte,
        2 => byte << 24 | byte << 8,
        3 => byte * 0x0101_0101,
        _ => {
            let value = (0x80 | byte).rotate_right(code);
            return (value, 2 | value >> 31);
        }
    };
    (value, 0)
}

/// Data processing with a modified immediate.
pub(super) fn modified_immediate(first: u32, second: u32) -> Op {
    let (value, carry) = expand(first, second);
    let (rn, rd) = (bits(first, 3, 0), bits(second, 11, 8));
    let sets_flags = bits(first, 4, 4) == 1;
    let test = sets_flags && rd == PC;
    let (quiet, loud, value) = match (bits(first, 8, 5), rn) {
        (0, _) if test => (Kind::TstImm, Kind::TstImm, value),
        (0, _) => (Kind::AndImm, Kind::AndImmS, value),
        (1, _) => (Kind::AndImm, Kind::AndImmS, !value),
        (2, PC) => (Kind::MovImm, Kind::MovImmS, value),
        (2, _) => (Kind::OrrImm, Kind::OrrImmS, value),
        (3, PC) => (Kind::MovImm, Kind::MovImmS, !value),
        (3, _) => (Kind::OrrImm, Kind::OrrImmS, !value),
        (4, _) if test => (Kind::TeqImm, Kind::TeqImm, value),
        (4, _) => (Kind::EorImm, Kind::EorImmS, value),
        (8, _) if test => (Kind::CmnImm, Kind::CmnImm, value),
        (8, _) if rd == SP && !sets_flags => return sp_plus(value),
        (8, _) => (Kind::AddImm, Kind::AddImmS, value),
        (10, _) => (Kind::AdcImm, Kind::AdcImmS, value),
        (11, _) => (Kind::AdcImm, Kind::AdcImmS, !value),
        (13, _) if test => (Kind::CmpImm, Kind::CmpImm, value),
        (13, _) if rd == SP && !sets_flags => return sp_plus(value.wrapping_neg()),
        (13, _) if sets_flags => (Kind::SubImmS, Kind::SubImmS, value),
        (13, _) => (Kind::AddImm, Kind::AddImm, value.wrapping_neg()),
        (14, _) => (Kind::RsbImm, Kind::RsbImmS, value),
        _ => return undefined(),
    };
    Op::wide(if sets_flags { loud } else { quiet })
        .with_rd(rd)
        .with_rn(rn)
        .with_ra(carry)
        .with_imm(value)
}

/// ADD SP, SP, #value: the low bits of SP stay zero.
fn sp_plus(value: u32) -> Op {
    Op::wide(Kind::AddImm)
        .with_rd(SP)
        .with_rn(SP)
        .with_imm(value & !3)
}

/// Data processing with a plain immediate.
pub(super) fn plain_immediate(pc: u32, first: u32, second: u32) -> Op {
    let (rn, rd) = (bits(first, 3, 0), bits(second, 11, 8));
    let imm12 = bits(first, 10, 10) << 11 | bits(second, 14, 12) << 8 | bits(second, 7, 0);
    let low_bit = bits(second, 14, 12) << 2 | bits(second, 7, 6);
    let width = bits(second, 4, 0);
    let op = |kind| Op::wide(kind).with_rd(rd).with_rn(rn);
    match (bits(first, 8, 4), rn) {
        (0b00000, PC) => op(Kind::MovImm).with_imm(aligned_pc(pc).wrapping_add(imm12)),
        (0b01010, PC) => op(Kind::MovImm).with_imm(aligned_pc(pc).wrapping_sub(imm12)),
        (0b00000, _) if rd == SP => sp_plus(imm12),
        (0b01010, _) if rd == SP => sp_plus(imm12.wrapping_neg()),
        (0b00000, _) => op(Kind::AddImm).with_imm(imm12),
        (0b01010, _) => op(Kind::AddImm).with_imm(imm12.wrapping_neg()),
        (0b00100, _) => op(Kind::MovImm).with_imm(rn << 12 | imm12),
        (0b01100, _) => op(Kind::Movt).with_imm((rn << 12 | imm12) << 16),
        (0b10010, _) if low_bit == 0 => op(Kind::Ssat16).with_imm(bits(second, 3, 0) + 1),
        (0b11010, _) if low_bit == 0 => op(Kind::Usat16).with_imm(bits(second, 3, 0)),
        (0b10000 | 0b10010, _) => op(Kind::Ssat)
            .with_imm((width + 1) << 16 | Shift::decode(bits(first, 5, 4), low_bit).pack()),
        (0b11000 | 0b11010, _) => {
            op(Kind::Usat).with_imm(width << 16 | Shift::decode(bits(first, 5, 4), low_bit).pack())
        }
        (0b10100, _) => bit_field(op(Kind::Sbfx), low_bit, width + 1),
        (0b11100, _) => bit_field(op(Kind::Ubfx), low_bit, width + 1),
        (0b10110, _) => {
            // The end is inclusive; an end below the start is UNPREDICTABLE.
            let width = (width + 1).saturating_sub(low_bit);
            let mask = ((1u64 << width) - 1) as u32;
            match rn {
                PC => Op::wide(Kind::AndImm)
                    .with_rd(rd)
                    .with_rn(rd)
                    .with_imm(!(mask << low_bit)),
                _ => op(Kind::Bfi).with_imm(mask << low_bit),
            }
        }
        _ => undefined(),
    }
}

/// SBFX and UBFX: `imm` holds the shifts left and then right that extract the field.
fn bit_field(op: Op, low_bit: u32, width: u32) -> Op {
    let left = 32u32.saturating_sub(low_bit + width);
    op.with_imm((32 - width) << 8 | left)
}

/// Data processing with a shifted register.
pub(super) fn shifted_register(first: u32, second: u32) -> Op {
    let (rn, rd, rm) = (bits(first, 3, 0), bits(second, 11, 8), bits(second, 3, 0));
    let sets_flags = bits(first, 4, 4) == 1;
    let test = sets_flags && rd == PC;
    let shift = Shift::decode(
        bits(second, 5, 4),
        bits(second, 14, 12) << 2 | bits(second, 7, 6),
    );
    let operation = bits(first, 8, 5);
    let op = |kind, imm| {
        Op::wide(kind)
            .with_rd(rd)
            .with_rn(rn)
            .with_rm(rm)
            .with_imm(imm)
    };
    if operation == 2 && rn == PC {
        return move_shifted(op, rd, sets_flags, shift);
    }
    if operation == 6 {
        return match (bits(second, 5, 4), sets_flags) {
            (0, false) => op(Kind::Pkhbt, shift.pack()),
            (2, false) => op(Kind::Pkhtb, shift.pack()),
            _ => undefined(),
        };
    }
    if rd == SP && !sets_flags && (operation == 8 || operation == 13) {
        let kind = match operation {
            8 => Kind::AddSp,
            _ => Kind::SubSp,
        };
        return op(kind, shift.pack());
    }
    let unshifted = shift == Shift::Lsl(0);
    let quick = match (operation, sets_flags, shift) {
        (0, false, Shift::Lsl(0)) => Some(Kind::AndReg),
        (0, true, Shift::Lsl(0)) if test => Some(Kind::TstReg),
        (0, true, Shift::Lsl(0)) => Some(Kind::AndRegS),
        (0, false, Shift::Lsl(_)) => Some(Kind::AndLsl),
        (0, false, Shift::Lsr(1..=31)) => Some(Kind::AndLsr),
        (1, false, Shift::Lsl(0)) => Some(Kind::BicReg),
        (1, true, Shift::Lsl(0)) => Some(Kind::BicRegS),
        (2, false, Shift::Lsl(0)) => Some(Kind::OrrReg),
        (2, true, Shift::Lsl(0)) => Some(Kind::OrrRegS),
        (2, false, Shift::Lsl(_)) => Some(Kind::OrrLsl),
        (2, false, Shift::Lsr(1..=31)) => Some(Kind::OrrLsr),
        (2, false, Shift::Ror(_)) => Some(Kind::OrrRor),
        (3, false, Shift::Lsl(0)) if rn == PC => Some(Kind::MvnReg),
        (4, false, Shift::Lsl(0)) => Some(Kind::EorReg),
        (4, true, Shift::Lsl(0)) if !test => Some(Kind::EorRegS),
        (4, false, Shift::Lsl(_)) => Some(Kind::EorLsl),
        (4, false, Shift::Lsr(1..=31)) => Some(Kind::EorLsr),
        (4, false, Shift::Ror(_)) => Some(Kind::EorRor),
        (8, false, Shift::Lsl(0)) => Some(Kind::AddReg),
        (8, true, Shift::Lsl(0)) if !test => Some(Kind::AddRegS),
        (8, false, Shift::Lsl(_)) => Some(Kind::AddLsl),
        (8, false, Shift::Lsr(1..=31)) => Some(Kind::AddLsr),
        (8, false, Shift::Ror(_)) => Some(Kind::AddRor),
        (10, false, Shift::Lsl(0)) => Some(Kind::AdcReg),
        (10, true, Shift::Lsl(0)) => Some(Kind::AdcRegS),
        (11, false, Shift::Lsl(0)) => Some(Kind::SbcReg),
        (11, true, Shift::Lsl(0)) => Some(Kind::SbcRegS),
        (13, false, Shift::Lsl(0)) => Some(Kind::SubReg),
        (13, true, Shift::Lsl(0)) if test => Some(Kind::CmpReg),
        (13, true, Shift::Lsl(0)) => Some(Kind::SubRegS),
        (13, false, Shift::Lsl(_)) => Some(Kind::SubLsl),
        (13, false, Shift::Lsr(1..=31)) => Some(Kind::SubLsr),
        (14, false, Shift::Lsl(_)) => Some(Kind::RsbLsl),
        _ => None,
    };
    if let Some(kind) = quick {
        let imm = if unshifted { 0 } else { shift.pack() & 0xFF };
        return op(kind, imm);
    }
    let (quiet, loud) = match operation {
        0 if test => (Kind::TstShift, Kind::TstShift),
        0 => (Kind::AndShift, Kind::AndShiftS),
        1 => (Kind::BicShift, Kind::BicShiftS),
        2 => (Kind::OrrShift, Kind::OrrShiftS),
        3 if rn == PC => (Kind::MvnShift, Kind::MvnShiftS),
        3 => (Kind::OrnShift, Kind::OrnShiftS),
        4 if test => (Kind::TeqShift, Kind::TeqShift),
        4 => (Kind::EorShift, Kind::EorShiftS),
        8 if test => (Kind::CmnShift, Kind::CmnShift),
        8 => (Kind::AddShift, Kind::AddShiftS),
        10 => (Kind::AdcShift, Kind::AdcShiftS),
        11 => (Kind::SbcShift, Kind::SbcShiftS),
        13 if test => (Kind::CmpShift, Kind::CmpShift),
        13 => (Kind::SubShift, Kind::SubShiftS),
        14 => (Kind::RsbShift, Kind::RsbShiftS),
        _ => return undefined(),
    };
    op(if sets_flags { loud } else { quiet }, shift.pack())
}

/// MOV and the shifts by a constant.
fn move_shifted(op: impl Fn(Kind, u32) -> Op, rd: u32, sets_flags: bool, shift: Shift) -> Op {
    let (quiet, loud) = match shift {
        Shift::Lsl(0) if rd == SP => (Kind::MovSp, Kind::MovSp),
        Shift::Lsl(0) => (Kind::MovReg, Kind::MovRegS),
        Shift::Lsl(_) => (Kind::LslImm, Kind::LslImmS),
        Shift::Lsr(_) => (Kind::LsrImm, Kind::LsrImmS),
        Shift::Asr(_) => (Kind::AsrImm, Kind::AsrImmS),
        Shift::Ror(_) => (Kind::RorImm, Kind::RorImmS),
        Shift::Rrx => (Kind::Rrx, Kind::RrxS),
    };
    op(if sets_flags { loud } else { quiet }, shift.pack() & 0xFF)
}

/// Data processing on registers: shifts, extensions, parallel arithmetic, bit operations.
pub(super) fn register(first: u32, second: u32) -> Op {
    if bits(second, 15, 12) != 15 {
        return undefined();
    }
    let (rn, rd, rm) = (bits(first, 3, 0), bits(second, 11, 8), bits(second, 3, 0));
    let (op1, op2) = (bits(first, 7, 4), bits(second, 7, 4));
    let op = |kind| Op::wide(kind).with_rd(rd).with_rn(rn).with_rm(rm);
    match (op1, op2) {
        (0..=7, 0) => op([
            Kind::LslReg,
            Kind::LslRegS,
            Kind::LsrReg,
            Kind::LsrRegS,
            Kind::AsrReg,
            Kind::AsrRegS,
            Kind::RorReg,
            Kind::RorRegS,
        ][op1 as usize]),
        (0, 8) if rn == PC => op(Kind::Sxth),
        (1, 8) if rn == PC => op(Kind::Uxth),
        (4, 8) if rn == PC => op(Kind::Sxtb),
        (5, 8) if rn == PC => op(Kind::Uxtb),
        (0..=5, 8..=15) => op(Kind::Extend).with_ra(op1).with_imm((op2 & 3) * 8),
        (8..=14, 0..=2 | 4..=6) if op1 != 11 => {
            op(Kind::Parallel).with_imm(bits(op1, 2, 0) | op2 << 3)
        }
        (8, 8..=11) => op(Kind::Saturating).with_imm(op2 & 3),
        (9, 8..=11) => op([Kind::Rev, Kind::Rev16, Kind::Rbit, Kind::Revsh][(op2 & 3) as usize]),
        (10, 8) => op(Kind::Sel),
        (11, 8) => op(Kind::Clz),
        _ => undefined(),
    }
}
