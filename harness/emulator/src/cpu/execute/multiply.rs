//! Multiplications, divisions and sums of absolute differences (Armv7-M ARM, A4.4.3).

use super::super::op::Op;
use super::super::{Cpu, Trap};

/// The low or high half of `x`, signed.
fn half(x: u32, high: u32) -> i64 {
    i64::from((x >> ((high & 1) * 16)) as i16)
}

impl Cpu {
    /// RdHi:RdLo.
    #[inline(always)]
    fn long(&self, op: Op) -> u64 {
        u64::from(self.rd(op)) << 32 | u64::from(self.ra(op))
    }

    #[inline(always)]
    fn set_long(&mut self, op: Op, value: u64) {
        self.r[op.ra()] = value as u32;
        self.r[op.rd()] = (value >> 32) as u32;
    }

    #[inline(always)]
    fn unsigned_product(&self, op: Op) -> u64 {
        u64::from(self.rn(op)) * u64::from(self.rm(op))
    }

    #[inline(always)]
    fn signed_product(&self, op: Op) -> i64 {
        i64::from(self.rn(op) as i32) * i64::from(self.rm(op) as i32)
    }

    #[inline(always)]
    pub(super) fn umull(&mut self, op: Op) {
        self.set_long(op, self.unsigned_product(op));
    }

    #[inline(always)]
    pub(super) fn umlal(&mut self, op: Op) {
        self.set_long(op, self.long(op).wrapping_add(self.unsigned_product(op)));
    }

    #[inline(always)]
    pub(super) fn umaal(&mut self, op: Op) {
        let sum = u64::from(self.rd(op)) + u64::from(self.ra(op));
        self.set_long(op, self.unsigned_product(op) + sum);
    }

    #[inline(always)]
    pub(super) fn smull(&mut self, op: Op) {
        self.set_long(op, self.signed_product(op) as u64);
    }

    #[inline(always)]
    pub(super) fn smlal(&mut self, op: Op) {
        let sum = self.long(op).wrapping_add(self.signed_product(op) as u64);
        self.set_long(op, sum);
    }

    pub(super) fn smlal_half(&mut self, op: Op) {
        let product = half(self.rn(op), op.imm >> 1) * half(self.rm(op), op.imm);
        self.set_long(op, self.long(op).wrapping_add(product as u64));
    }

    /// The two products of halves; an odd `imm` swaps the halves of Rm.
    fn dual_products(&self, op: Op) -> (i64, i64) {
        let (n, m) = (self.rn(op), self.rm(op));
        let m = if op.imm & 1 == 0 {
            m
        } else {
            m.rotate_right(16)
        };
        (half(n, 0) * half(m, 0), half(n, 1) * half(m, 1))
    }

    pub(super) fn smlald(&mut self, op: Op) {
        let (low, high) = self.dual_products(op);
        self.set_long(op, self.long(op).wrapping_add((low + high) as u64));
    }

    pub(super) fn smlsld(&mut self, op: Op) {
        let (low, high) = self.dual_products(op);
        self.set_long(op, self.long(op).wrapping_add((low - high) as u64));
    }

    /// A 32-bit result whose overflow sets Q.
    fn set_overflowing(&mut self, op: Op, value: i64) {
        self.flags.q |= value != i64::from(value as i32);
        self.set_rd(op, value as u32);
    }

    pub(super) fn smul_half(&mut self, op: Op) {
        let product = half(self.rn(op), op.imm >> 1) * half(self.rm(op), op.imm);
        self.set_rd(op, product as u32);
    }

    pub(super) fn smla_half(&mut self, op: Op) {
        let product = half(self.rn(op), op.imm >> 1) * half(self.rm(op), op.imm);
        self.set_overflowing(op, product + i64::from(self.ra(op) as i32));
    }

    fn wide_product(&self, op: Op) -> i64 {
        (i64::from(self.rn(op) as i32) * half(self.rm(op), op.imm)) >> 16
    }

    pub(super) fn smul_wide(&mut self, op: Op) {
        self.set_rd(op, self.wide_product(op) as u32);
    }

    pub(super) fn smla_wide(&mut self, op: Op) {
        let sum = self.wide_product(op) + i64::from(self.ra(op) as i32);
        self.set_overflowing(op, sum);
    }

    pub(super) fn smuad(&mut self, op: Op) {
        let (low, high) = self.dual_products(op);
        self.set_overflowing(op, low + high);
    }

    pub(super) fn smusd(&mut self, op: Op) {
        let (low, high) = self.dual_products(op);
        self.set_rd(op, (low - high) as u32);
    }

    pub(super) fn smlad(&mut self, op: Op) {
        let (low, high) = self.dual_products(op);
        self.set_overflowing(op, low + high + i64::from(self.ra(op) as i32));
    }

    pub(super) fn smlsd(&mut self, op: Op) {
        let (low, high) = self.dual_products(op);
        self.set_overflowing(op, low - high + i64::from(self.ra(op) as i32));
    }

    /// SMMUL, SMMLA (`sign` 1) and SMMLS (`sign` -1); an odd `imm` rounds.
    pub(super) fn most_significant(&mut self, op: Op, accumulator: u32, sign: i64) {
        let round = i64::from(op.imm & 1) << 31;
        let result = (i64::from(accumulator as i32) << 32)
            .wrapping_add(self.signed_product(op).wrapping_mul(sign))
            .wrapping_add(round);
        self.set_rd(op, (result >> 32) as u32);
    }

    pub(super) fn absolute_differences(&mut self, op: Op, accumulator: u32) {
        let (n, m) = (self.rn(op).to_le_bytes(), self.rm(op).to_le_bytes());
        let sum: u32 = n.iter().zip(m).map(|(a, b)| u32::from(a.abs_diff(b))).sum();
        self.set_rd(op, accumulator.wrapping_add(sum));
    }

    pub(super) fn unsigned_divide(&mut self, op: Op) -> Result<(), Trap> {
        let quotient = match (self.rn(op), self.rm(op)) {
            (_, 0) => self.divide_by_zero()?,
            (n, m) => n / m,
        };
        self.set_rd(op, quotient);
        Ok(())
    }

    pub(super) fn signed_divide(&mut self, op: Op) -> Result<(), Trap> {
        let quotient = match (self.rn(op) as i32, self.rm(op) as i32) {
            (_, 0) => self.divide_by_zero()?,
            (n, m) => n.wrapping_div(m) as u32,
        };
        self.set_rd(op, quotient);
        Ok(())
    }

    /// Zero, unless CCR.DIV_0_TRP asks for a fault.
    fn divide_by_zero(&self) -> Result<u32, Trap> {
        if self.scb.traps_divide_by_zero() {
            Err(Trap::DivideByZero)
        } else {
            Ok(0)
        }
    }
}
