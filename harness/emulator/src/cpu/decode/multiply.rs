//! Multiplications and divisions (Armv7-M ARM, A5.3.16 and A5.3.17).

use super::super::op::{Kind, Op};
use super::{bits, undefined};

const PC: u32 = 15;

/// 32-bit multiply, multiply accumulate, absolute difference.
pub(super) fn word(first: u32, second: u32) -> Op {
    let ra = bits(second, 15, 12);
    let (op1, op2) = (bits(first, 6, 4), bits(second, 5, 4));
    if bits(second, 7, 6) != 0 {
        return undefined();
    }
    let kind = match (op1, op2, ra) {
        (0, 0, PC) => Kind::Mul,
        (0, 0, _) => Kind::Mla,
        (0, 1, _) => Kind::Mls,
        (1, _, PC) => Kind::SmulHalf,
        (1, _, _) => Kind::SmlaHalf,
        (2, 0 | 1, PC) => Kind::Smuad,
        (2, 0 | 1, _) => Kind::Smlad,
        (3, 0 | 1, PC) => Kind::SmulWide,
        (3, 0 | 1, _) => Kind::SmlaWide,
        (4, 0 | 1, PC) => Kind::Smusd,
        (4, 0 | 1, _) => Kind::Smlsd,
        (5, 0 | 1, PC) => Kind::Smmul,
        (5, 0 | 1, _) => Kind::Smmla,
        (6, 0 | 1, _) => Kind::Smmls,
        (7, 0, PC) => Kind::Usad8,
        (7, 0, _) => Kind::Usada8,
        _ => return undefined(),
    };
    Op::wide(kind)
        .with_rd(bits(second, 11, 8))
        .with_rn(bits(first, 3, 0))
        .with_rm(bits(second, 3, 0))
        .with_ra(ra)
        .with_imm(op2)
}

/// 64-bit multiply, and divide: `ra` is RdLo, `rd` is RdHi.
pub(super) fn long(first: u32, second: u32) -> Op {
    let op2 = bits(second, 7, 4);
    let kind = match (bits(first, 6, 4), op2) {
        (0, 0) => Kind::Smull,
        (1, 15) => Kind::Sdiv,
        (2, 0) => Kind::Umull,
        (3, 15) => Kind::Udiv,
        (4, 0) => Kind::Smlal,
        (4, 8..=11) => Kind::SmlalHalf,
        (4, 12 | 13) => Kind::Smlald,
        (5, 12 | 13) => Kind::Smlsld,
        (6, 0) => Kind::Umlal,
        (6, 6) => Kind::Umaal,
        _ => return undefined(),
    };
    Op::wide(kind)
        .with_rd(bits(second, 11, 8))
        .with_rn(bits(first, 3, 0))
        .with_rm(bits(second, 3, 0))
        .with_ra(bits(second, 15, 12))
        .with_imm(op2 & 3)
}
