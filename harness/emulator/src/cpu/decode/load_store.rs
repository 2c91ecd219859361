//! Loads and stores (Armv7-M ARM, A5.3.5 to A5.3.10).

use super::super::op::{Kind, Op};
use super::{aligned_pc, bits, undefined};

const SP: u32 = 13;
const PC: u32 = 15;

/// LDM and STM: `imm` is the register list, `ra` bit 0 writes back, bit 1 decrements before.
pub(super) fn multiple(first: u32, second: u32) -> Op {
    let direction = match bits(first, 8, 7) {
        1 => 0,
        2 => 2,
        _ => return undefined(),
    };
    let op = |kind| {
        Op::wide(kind)
            .with_rn(bits(first, 3, 0))
            .with_ra(direction | bits(first, 5, 5))
            .with_imm(second & !(1 << SP))
    };
    match (bits(first, 4, 4), bits(second, 15, 15)) {
        (0, _) => op(Kind::Stm),
        (_, 0) => op(Kind::Ldm),
        _ => op(Kind::LdmPc),
    }
}

/// LDRD, STRD, the exclusive accesses and the table branches.
pub(super) fn dual_exclusive_table(pc: u32, first: u32, second: u32) -> Op {
    let (rn, rt) = (bits(first, 3, 0), bits(second, 15, 12));
    let (op1, op2, op3) = (bits(first, 8, 7), bits(first, 5, 4), bits(second, 7, 4));
    let imm8 = bits(second, 7, 0) << 2;
    match (op1, op2) {
        // STREX: `rd` the status, `rm` the value; LDREX: `rd` the value.
        (0, 0) => Op::wide(Kind::StoreExclusive)
            .with_rd(bits(second, 11, 8))
            .with_rm(rt)
            .with_rn(rn)
            .with_ra(2)
            .with_imm(imm8),
        (0, 1) => Op::wide(Kind::LoadExclusive)
            .with_rd(rt)
            .with_rn(rn)
            .with_ra(2)
            .with_imm(imm8),
        (1, 0) if op3 == 4 || op3 == 5 => Op::wide(Kind::StoreExclusive)
            .with_rd(bits(second, 3, 0))
            .with_rm(rt)
            .with_rn(rn)
            .with_ra(op3 & 1),
        (1, 1) if op3 == 4 || op3 == 5 => Op::wide(Kind::LoadExclusive)
            .with_rd(rt)
            .with_rn(rn)
            .with_ra(op3 & 1),
        (1, 1) if op3 < 2 => Op::wide(if op3 == 0 { Kind::Tbb } else { Kind::Tbh })
            .with_rn(rn)
            .with_rm(bits(second, 3, 0))
            .with_imm(pc.wrapping_add(4)),
        (1, 0 | 1) => undefined(),
        _ => dual(pc, first, second),
    }
}

/// LDRD and STRD: `rd` and `rm` the values; `imm` the offset, `ra` the addressing:
/// 0 offset, 1 pre-indexed, 2 post-indexed, 3 literal with the address in `imm`.
fn dual(pc: u32, first: u32, second: u32) -> Op {
    let rn = bits(first, 3, 0);
    let offset = bits(second, 7, 0) << 2;
    let offset = match bits(first, 7, 7) {
        0 => offset.wrapping_neg(),
        _ => offset,
    };
    let addressing = match (bits(first, 8, 8), bits(first, 5, 5)) {
        (1, 0) => 0,
        (1, _) => 1,
        _ => 2,
    };
    let kind = match bits(first, 4, 4) {
        0 => Kind::Strd,
        _ => Kind::Ldrd,
    };
    let op = Op::wide(kind)
        .with_rd(bits(second, 15, 12))
        .with_rm(bits(second, 11, 8))
        .with_rn(rn);
    match rn {
        PC => op.with_ra(3).with_imm(aligned_pc(pc).wrapping_add(offset)),
        _ => op.with_ra(addressing).with_imm(offset),
    }
}

/// The forms of a load or store: constant offset, register offset, pre- and post-indexed.
type Forms = [Kind; 4];

const LDRB: Forms = [Kind::LdrbImm, Kind::LdrbReg, Kind::LdrbPre, Kind::LdrbPost];
const LDRH: Forms = [Kind::LdrhImm, Kind::LdrhReg, Kind::LdrhPre, Kind::LdrhPost];
const LDR: Forms = [Kind::LdrImm, Kind::LdrReg, Kind::LdrPre, Kind::LdrPost];
const LDRSB: Forms = [
    Kind::LdrsbImm,
    Kind::LdrsbReg,
    Kind::LdrsbPre,
    Kind::LdrsbPost,
];
const LDRSH: Forms = [
    Kind::LdrshImm,
    Kind::LdrshReg,
    Kind::LdrshPre,
    Kind::LdrshPost,
];
const STRB: Forms = [Kind::StrbImm, Kind::StrbReg, Kind::StrbPre, Kind::StrbPost];
const STRH: Forms = [Kind::StrhImm, Kind::StrhReg, Kind::StrhPre, Kind::StrhPost];
const STR: Forms = [Kind::StrImm, Kind::StrReg, Kind::StrPre, Kind::StrPost];

/// How an instruction forms its address.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Addressing {
    Offset(u32),
    Register(u32),
    Pre(u32),
    Post(u32),
    Unprivileged(u32),
}

/// Single loads and stores of a byte, halfword or word.
pub(super) fn single(pc: u32, first: u32, second: u32) -> Op {
    let (rn, rt) = (bits(first, 3, 0), bits(second, 15, 12));
    let (signed, size) = (bits(first, 8, 8), bits(first, 6, 5));
    let is_load = bits(first, 4, 4) == 1;
    // Size 0 byte, 1 halfword, 2 word; 4 and 5 the signed ones.
    let access = signed << 2 | size;
    let forms = match (is_load, access) {
        (true, 0) => LDRB,
        (true, 1) => LDRH,
        (true, 2) => LDR,
        (true, 4) => LDRSB,
        (true, 5) => LDRSH,
        (false, 0) => STRB,
        (false, 1) => STRH,
        (false, 2) => STR,
        _ => return undefined(),
    };
    let hint = is_load && rt == PC && size != 2;
    if rn == PC {
        return match (is_load, hint) {
            (false, _) => undefined(),
            (_, true) => Op::wide(Kind::Nop),
            _ => literal(pc, first, second, access, rt),
        };
    }
    let Some(addressing) = addressing(first, second) else {
        return undefined();
    };
    let writes_back = matches!(addressing, Addressing::Pre(_) | Addressing::Post(_));
    if hint && !writes_back {
        return Op::wide(Kind::Nop);
    }
    let special = is_load && size == 2 && (rt == PC || rt == SP);
    let op = |kind| Op::wide(kind).with_rd(rt).with_rn(rn);
    let form = |index: usize, special_form: u32| match special {
        true => op(Kind::LdrSpecial).with_ra(special_form),
        false => op(forms[index]),
    };
    match addressing {
        Addressing::Offset(imm) => form(0, 0).with_imm(imm),
        Addressing::Register(amount) => form(1, 4).with_rm(bits(second, 3, 0)).with_imm(amount),
        Addressing::Pre(imm) => form(2, 1).with_imm(imm),
        Addressing::Post(imm) => form(3, 2).with_imm(imm),
        Addressing::Unprivileged(imm) => op(match is_load {
            true => Kind::LoadUnprivileged,
            false => Kind::StoreUnprivileged,
        })
        .with_ra(access)
        .with_imm(imm),
    }
}

fn addressing(first: u32, second: u32) -> Option<Addressing> {
    if bits(first, 7, 7) == 1 {
        return Some(Addressing::Offset(bits(second, 11, 0)));
    }
    let imm8 = bits(second, 7, 0);
    let offset = match bits(second, 9, 9) {
        0 => imm8.wrapping_neg(),
        _ => imm8,
    };
    // Bits 11:8 are 1, P, U, W.
    match bits(second, 11, 8) {
        0b1110 => Some(Addressing::Unprivileged(imm8)),
        0b1100 => Some(Addressing::Offset(offset)),
        0b1101 | 0b1111 => Some(Addressing::Pre(offset)),
        0b1001 | 0b1011 => Some(Addressing::Post(offset)),
        0b0000 if bits(second, 7, 6) == 0 => Some(Addressing::Register(bits(second, 5, 4))),
        _ => None,
    }
}

fn literal(pc: u32, first: u32, second: u32, access: u32, rt: u32) -> Op {
    let offset = match bits(first, 7, 7) {
        0 => bits(second, 11, 0).wrapping_neg(),
        _ => bits(second, 11, 0),
    };
    let op = match (access, rt) {
        (2, PC | SP) => Op::wide(Kind::LdrSpecial).with_ra(3),
        (2, _) => Op::wide(Kind::LdrLiteral),
        _ => Op::wide(Kind::LoadLiteral).with_ra(access),
    };
    op.with_rd(rt).with_imm(aligned_pc(pc).wrapping_add(offset))
}
