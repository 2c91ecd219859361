//! Data processing: operands, results and flags (Armv7-M ARM, A2.2.1 and A7.7).

use super::super::Cpu;
use super::super::op::Op;
use super::super::shift;

impl Cpu {
    #[inline(always)]
    pub(super) fn rd(&self, op: Op) -> u32 {
        self.r[op.rd()]
    }

    #[inline(always)]
    pub(super) fn rn(&self, op: Op) -> u32 {
        self.r[op.rn()]
    }

    #[inline(always)]
    pub(super) fn rm(&self, op: Op) -> u32 {
        self.r[op.rm()]
    }

    #[inline(always)]
    pub(super) fn ra(&self, op: Op) -> u32 {
        self.r[op.ra()]
    }

    #[inline(always)]
    pub(super) fn set_rd(&mut self, op: Op, value: u32) {
        self.r[op.rd()] = value;
    }

    /// Rm shifted as the instruction says.
    #[inline(always)]
    pub(super) fn shifted_rm(&self, op: Op) -> u32 {
        shift::shifted(op.imm, self.rm(op), self.flags.c)
    }

    /// Rm shifted as the instruction says; the carry out goes to C.
    #[inline(always)]
    pub(super) fn shifted_rm_carry(&mut self, op: Op) -> u32 {
        let (value, carry) = shift::shifted_carry(op.imm, self.rm(op), self.flags.c);
        self.flags.c = carry;
        value
    }

    /// C after a logical instruction with a constant.
    #[inline(always)]
    pub(super) fn constant_carry(&mut self, op: Op) {
        let carry = op.ra() as u32;
        if carry & 2 != 0 {
            self.flags.c = carry & 1;
        }
    }

    /// The result with N and Z set from it.
    #[inline(always)]
    pub(super) fn set_nz(&mut self, result: u32) -> u32 {
        self.flags.n = result;
        self.flags.z = result;
        result
    }

    /// AddWithCarry with all four flags set.
    #[inline(always)]
    pub(super) fn add_flags(&mut self, a: u32, b: u32, carry: u32) -> u32 {
        let wide = u64::from(a) + u64::from(b) + u64::from(carry);
        let result = wide as u32;
        self.flags.c = (wide >> 32) as u32;
        self.flags.v = (a ^ result) & (b ^ result);
        self.set_nz(result)
    }

    /// A shift by a register's low byte.
    #[inline(always)]
    pub(super) fn shift_by_register(
        &self,
        op: Op,
        shift: fn(u32, u32, u32) -> (u32, u32),
    ) -> (u32, u32) {
        shift(self.rn(op), self.rm(op) & 0xFF, self.flags.c)
    }

    /// A shift by a constant with carry and N, Z set.
    #[inline(always)]
    pub(super) fn shift_flags(&mut self, op: Op, (value, carry): (u32, u32)) {
        self.flags.c = carry;
        let value = self.set_nz(value);
        self.set_rd(op, value);
    }

    /// Sets Q when a saturation happened.
    #[inline(always)]
    pub(super) fn saturate(&mut self, value: i64, low: i64, high: i64) -> i64 {
        let saturated = value.clamp(low, high);
        self.flags.q |= saturated != value;
        saturated
    }

    /// SSAT to `width` bits.
    pub(super) fn signed_saturate(&mut self, value: i64, width: u32) -> u32 {
        let high = (1i64 << (width - 1)) - 1;
        self.saturate(value, -high - 1, high) as u32
    }

    /// USAT to `width` bits.
    pub(super) fn unsigned_saturate(&mut self, value: i64, width: u32) -> u32 {
        self.saturate(value, 0, (1i64 << width) - 1) as u32
    }

    pub(super) fn ssat(&mut self, op: Op) {
        let value = shift::shifted(op.imm & 0xFFFF, self.rn(op), 0) as i32;
        let value = self.signed_saturate(i64::from(value), op.imm >> 16);
        self.set_rd(op, value);
    }

    pub(super) fn usat(&mut self, op: Op) {
        let value = shift::shifted(op.imm & 0xFFFF, self.rn(op), 0) as i32;
        let value = self.unsigned_saturate(i64::from(value), op.imm >> 16);
        self.set_rd(op, value);
    }

    pub(super) fn ssat16(&mut self, op: Op) {
        let x = self.rn(op);
        let low = self.signed_saturate(i64::from(x as i16), op.imm);
        let high = self.signed_saturate(i64::from((x >> 16) as i16), op.imm);
        self.set_rd(op, high << 16 | low & 0xFFFF);
    }

    pub(super) fn usat16(&mut self, op: Op) {
        let x = self.rn(op);
        let low = self.unsigned_saturate(i64::from(x as i16), op.imm);
        let high = self.unsigned_saturate(i64::from((x >> 16) as i16), op.imm);
        self.set_rd(op, high << 16 | low);
    }

    /// QADD, QDADD, QSUB, QDSUB.
    pub(super) fn saturating(&mut self, op: Op) {
        let (m, n) = (i64::from(self.rm(op) as i32), i64::from(self.rn(op) as i32));
        let n = match op.imm & 1 {
            0 => n,
            _ => i64::from(self.signed_saturate(n * 2, 32) as i32),
        };
        let sum = if op.imm & 2 == 0 { m + n } else { m - n };
        let sum = self.signed_saturate(sum, 32);
        self.set_rd(op, sum);
    }

    /// SXTAH, UXTAH, SXTAB16, UXTAB16, SXTAB, UXTAB; Rn = 15 adds nothing.
    pub(super) fn extend(&mut self, op: Op) {
        let x = self.rm(op).rotate_right(op.imm);
        let base = match op.rn() {
            15 => 0,
            rn => self.r[rn],
        };
        let halves = |low: u32, high: u32| {
            base.wrapping_add(low) & 0xFFFF | (base >> 16).wrapping_add(high) << 16
        };
        let result = match op.ra() {
            0 => base.wrapping_add(x as i16 as u32),
            1 => base.wrapping_add(x as u16 as u32),
            2 => halves(x as i8 as u32, (x >> 16) as i8 as u32),
            3 => halves(x & 0xFF, x >> 16 & 0xFF),
            4 => base.wrapping_add(x as i8 as u32),
            _ => base.wrapping_add(x & 0xFF),
        };
        self.set_rd(op, result);
    }
}
