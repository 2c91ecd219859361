//! 16-bit instructions (Armv7-M ARM, A5.2).

use super::super::op::{Kind, Op};
use super::super::shift::Shift;
use super::{aligned_pc, bits, sign_extend};

const SP: u32 = 13;
const PC: u32 = 15;

/// The kinds of the conditional branch, by condition.
pub(super) const CONDITIONAL: [Kind; 14] = [
    Kind::Beq,
    Kind::Bne,
    Kind::Bcs,
    Kind::Bcc,
    Kind::Bmi,
    Kind::Bpl,
    Kind::Bvs,
    Kind::Bvc,
    Kind::Bhi,
    Kind::Bls,
    Kind::Bge,
    Kind::Blt,
    Kind::Bgt,
    Kind::Ble,
];

pub(super) fn decode(pc: u32, code: u32) -> Op {
    match code >> 12 {
        0 | 1 => shift_add_subtract(code),
        2 | 3 => immediate(code),
        4 if code & 0x0C00 == 0 => data_processing(code),
        4 if code & 0x0800 == 0 => special_data(pc, code),
        4 => Op::narrow(Kind::LdrLiteral)
            .with_rd(bits(code, 10, 8))
            .with_imm(aligned_pc(pc).wrapping_add(bits(code, 7, 0) << 2)),
        5 => load_store_register(code),
        6..=9 => load_store_immediate(code),
        10 => pc_or_sp_address(pc, code),
        11 => miscellaneous(pc, code),
        12 => multiple(code),
        13 => conditional(pc, code),
        _ => Op::narrow(Kind::B).with_imm(
            pc.wrapping_add(4)
                .wrapping_add(sign_extend(bits(code, 10, 0), 11) << 1),
        ),
    }
}

fn shift_add_subtract(code: u32) -> Op {
    let amount = bits(code, 10, 6);
    let kind = match (bits(code, 12, 11), amount) {
        (0, 0) => Kind::MovRegS,
        (0, _) => Kind::LslImmS,
        (1, _) => Kind::LsrImmS,
        (2, _) => Kind::AsrImmS,
        _ => return add_subtract(code),
    };
    let amount = Shift::decode(bits(code, 12, 11), amount).pack() & 0xFF;
    Op::narrow_flags(kind)
        .with_rd(bits(code, 2, 0))
        .with_rm(bits(code, 5, 3))
        .with_imm(amount)
}

fn add_subtract(code: u32) -> Op {
    let operand = bits(code, 8, 6);
    let op = match bits(code, 10, 9) {
        0 => Op::narrow_flags(Kind::AddRegS).with_rm(operand),
        1 => Op::narrow_flags(Kind::SubRegS).with_rm(operand),
        2 => Op::narrow_flags(Kind::AddImmS).with_imm(operand),
        _ => Op::narrow_flags(Kind::SubImmS).with_imm(operand),
    };
    op.with_rd(bits(code, 2, 0)).with_rn(bits(code, 5, 3))
}

fn immediate(code: u32) -> Op {
    let register = bits(code, 10, 8);
    let op = match bits(code, 12, 11) {
        0 => Op::narrow_flags(Kind::MovImmS),
        1 => Op::narrow(Kind::CmpImm),
        2 => Op::narrow_flags(Kind::AddImmS),
        _ => Op::narrow_flags(Kind::SubImmS),
    };
    op.with_rd(register)
        .with_rn(register)
        .with_imm(bits(code, 7, 0))
}

fn data_processing(code: u32) -> Op {
    let (low, high) = (bits(code, 2, 0), bits(code, 5, 3));
    let kind = match bits(code, 9, 6) {
        0 => Kind::AndRegS,
        1 => Kind::EorRegS,
        2 => Kind::LslRegS,
        3 => Kind::LsrRegS,
        4 => Kind::AsrRegS,
        5 => Kind::AdcRegS,
        6 => Kind::SbcRegS,
        7 => Kind::RorRegS,
        8 => return Op::narrow(Kind::TstReg).with_rn(low).with_rm(high),
        9 => {
            return Op::narrow_flags(Kind::RsbImmS).with_rd(low).with_rn(high);
        }
        10 => return Op::narrow(Kind::CmpReg).with_rn(low).with_rm(high),
        11 => return Op::narrow(Kind::CmnShift).with_rn(low).with_rm(high),
        12 => Kind::OrrRegS,
        13 => Kind::MulS,
        14 => Kind::BicRegS,
        _ => Kind::MvnRegS,
    };
    Op::narrow_flags(kind)
        .with_rd(low)
        .with_rn(low)
        .with_rm(high)
}

fn special_data(pc: u32, code: u32) -> Op {
    let rd = bits(code, 2, 0) | bits(code, 7, 7) << 3;
    let rm = bits(code, 6, 3);
    let pc_value = pc.wrapping_add(4);
    match (bits(code, 9, 8), rd, rm) {
        (0, PC, PC) => Op::narrow(Kind::B).with_imm(pc_value.wrapping_mul(2) & !1),
        (0, PC, _) => Op::narrow(Kind::AddPc).with_rm(rm).with_imm(pc_value),
        (0, _, PC) => Op::narrow(Kind::AddImm)
            .with_rd(rd)
            .with_rn(rd)
            .with_imm(pc_value),
        (0, SP, _) => Op::narrow(Kind::AddSp).with_rn(rd).with_rm(rm),
        (0, _, _) => Op::narrow(Kind::AddReg).with_rd(rd).with_rn(rd).with_rm(rm),
        (1, _, _) => Op::narrow(Kind::CmpReg).with_rn(rd).with_rm(rm),
        (2, PC, PC) => Op::narrow(Kind::B).with_imm(pc_value),
        (2, PC, _) => Op::narrow(Kind::MovPc).with_rm(rm),
        (2, _, PC) => Op::narrow(Kind::MovImm).with_rd(rd).with_imm(pc_value),
        (2, SP, _) => Op::narrow(Kind::MovSp).with_rm(rm),
        (2, _, _) => Op::narrow(Kind::MovReg).with_rd(rd).with_rm(rm),
        _ if bits(code, 7, 7) == 0 => Op::narrow(Kind::Bx).with_rm(rm).with_imm(pc_value),
        _ => Op::narrow(Kind::Blx).with_rm(rm).with_imm(pc_value),
    }
}

fn load_store_register(code: u32) -> Op {
    let kind = match bits(code, 11, 9) {
        0 => Kind::StrReg,
        1 => Kind::StrhReg,
        2 => Kind::StrbReg,
        3 => Kind::LdrsbReg,
        4 => Kind::LdrReg,
        5 => Kind::LdrhReg,
        6 => Kind::LdrbReg,
        _ => Kind::LdrshReg,
    };
    Op::narrow(kind)
        .with_rd(bits(code, 2, 0))
        .with_rn(bits(code, 5, 3))
        .with_rm(bits(code, 8, 6))
}

fn load_store_immediate(code: u32) -> Op {
    let offset = bits(code, 10, 6);
    let (kind, offset) = match bits(code, 15, 11) {
        0b01100 => (Kind::StrImm, offset << 2),
        0b01101 => (Kind::LdrImm, offset << 2),
        0b01110 => (Kind::StrbImm, offset),
        0b01111 => (Kind::LdrbImm, offset),
        0b10000 => (Kind::StrhImm, offset << 1),
        0b10001 => (Kind::LdrhImm, offset << 1),
        sp_relative => {
            let kind = match sp_relative & 1 {
                0 => Kind::StrImm,
                _ => Kind::LdrImm,
            };
            return Op::narrow(kind)
                .with_rd(bits(code, 10, 8))
                .with_rn(SP)
                .with_imm(bits(code, 7, 0) << 2);
        }
    };
    Op::narrow(kind)
        .with_rd(bits(code, 2, 0))
        .with_rn(bits(code, 5, 3))
        .with_imm(offset)
}

fn pc_or_sp_address(pc: u32, code: u32) -> Op {
    let offset = bits(code, 7, 0) << 2;
    let rd = bits(code, 10, 8);
    if bits(code, 11, 11) == 0 {
        Op::narrow(Kind::MovImm)
            .with_rd(rd)
            .with_imm(aligned_pc(pc).wrapping_add(offset))
    } else {
        Op::narrow(Kind::AddImm)
            .with_rd(rd)
            .with_rn(SP)
            .with_imm(offset)
    }
}

fn miscellaneous(pc: u32, code: u32) -> Op {
    let (low, high) = (bits(code, 2, 0), bits(code, 5, 3));
    let register_pair = |kind| Op::narrow(kind).with_rd(low).with_rm(high);
    match bits(code, 11, 8) {
        0b0000 => {
            let offset = bits(code, 6, 0) << 2;
            let offset = match bits(code, 7, 7) {
                0 => offset,
                _ => offset.wrapping_neg(),
            };
            Op::narrow(Kind::AddImm)
                .with_rd(SP)
                .with_rn(SP)
                .with_imm(offset)
        }
        0b0001 | 0b0011 | 0b1001 | 0b1011 => {
            let offset = bits(code, 9, 9) << 6 | bits(code, 7, 3) << 1;
            let kind = match bits(code, 11, 11) {
                0 => Kind::Cbz,
                _ => Kind::Cbnz,
            };
            Op::narrow(kind)
                .with_rn(low)
                .with_imm(pc.wrapping_add(4).wrapping_add(offset))
        }
        0b0010 => register_pair(
            [Kind::Sxth, Kind::Sxtb, Kind::Uxth, Kind::Uxtb][bits(code, 7, 6) as usize],
        ),
        0b0100 | 0b0101 => {
            Op::narrow(Kind::Push).with_imm(bits(code, 7, 0) | bits(code, 8, 8) << 14)
        }
        0b0110 if bits(code, 7, 5) == 0b011 => Op::narrow(Kind::Cps).with_imm(bits(code, 4, 0)),
        0b1010 => match bits(code, 7, 6) {
            0 => register_pair(Kind::Rev),
            1 => register_pair(Kind::Rev16),
            3 => register_pair(Kind::Revsh),
            _ => Op::narrow(Kind::Undefined),
        },
        0b1100 => Op::narrow(Kind::Pop).with_imm(bits(code, 7, 0)),
        0b1101 => Op::narrow(Kind::LdmPc)
            .with_rn(SP)
            .with_ra(1)
            .with_imm(bits(code, 7, 0) | 1 << PC),
        0b1110 => Op::narrow(Kind::Bkpt).with_imm(bits(code, 7, 0)),
        0b1111 if bits(code, 3, 0) != 0 => Op::narrow(Kind::It).with_imm(bits(code, 7, 0)),
        0b1111 => Op::narrow(match bits(code, 7, 4) {
            2 => Kind::Wfe,
            3 => Kind::Wfi,
            4 => Kind::Sev,
            _ => Kind::Nop,
        }),
        _ => Op::narrow(Kind::Undefined),
    }
}

fn multiple(code: u32) -> Op {
    let (rn, list) = (bits(code, 10, 8), bits(code, 7, 0));
    if bits(code, 11, 11) == 0 {
        Op::narrow(Kind::Stm).with_rn(rn).with_ra(1).with_imm(list)
    } else {
        let write_back = u32::from(list & 1 << rn == 0);
        Op::narrow(Kind::Ldm)
            .with_rn(rn)
            .with_ra(write_back)
            .with_imm(list)
    }
}

fn conditional(pc: u32, code: u32) -> Op {
    match bits(code, 11, 8) as usize {
        14 => Op::narrow(Kind::Undefined),
        15 => Op::narrow(Kind::Svc).with_imm(bits(code, 7, 0)),
        condition => {
            let offset = sign_extend(bits(code, 7, 0), 8) << 1;
            Op::narrow(CONDITIONAL[condition]).with_imm(pc.wrapping_add(4).wrapping_add(offset))
        }
    }
}
