//! Parallel additions and subtractions on bytes and halfwords, and SEL (Armv7-M ARM, A4.4.6).

use super::super::Cpu;
use super::super::op::Op;

/// How a lane's result becomes the result and the GE bits.
#[derive(Clone, Copy)]
enum Finish {
    /// S: the low bits; GE where the result is not negative.
    Signed,
    /// Q: saturated.
    Saturated,
    /// SH: halved.
    Halved,
}

impl Finish {
    /// The result and the GE bit of a lane of `width` bits.
    fn signed(self, value: i32, width: u32) -> (u32, bool) {
        let high = (1 << (width - 1)) - 1;
        let result = match self {
            Self::Signed => value,
            Self::Saturated => value.clamp(-high - 1, high),
            Self::Halved => value >> 1,
        };
        (result as u32, value >= 0)
    }

    /// As [`Finish::signed`] for unsigned lanes: `subtracts` decides what GE means.
    fn unsigned(self, value: i32, width: u32, subtracts: bool) -> (u32, bool) {
        let high = (1 << width) - 1;
        let result = match self {
            Self::Signed => value,
            Self::Saturated => value.clamp(0, high),
            Self::Halved => value >> 1,
        };
        let ge = if subtracts { value >= 0 } else { value > high };
        (result as u32, ge)
    }
}

impl Cpu {
    /// `imm` bits 2:0 are op1 (0 ADD8, 1 ADD16, 2 ASX, 4 SUB8, 5 SUB16, 6 SAX), bits 4:3 the
    /// finish, bit 5 unsigned.
    pub(super) fn parallel(&mut self, op: Op) {
        let (n, m) = (self.rn(op), self.rm(op));
        let finish = match op.imm >> 3 & 3 {
            0 => Finish::Signed,
            1 => Finish::Saturated,
            _ => Finish::Halved,
        };
        let unsigned = op.imm & 0x20 != 0;
        let (lanes, width) = match op.imm & 3 {
            0 => (4, 8),
            _ => (2, 16),
        };
        let exchanges = op.imm & 3 == 2;
        let mask = (1u32 << width) - 1;
        let mut result = 0;
        let mut ge = 0;
        for lane in 0..lanes {
            let other = if exchanges { 1 - lane } else { lane };
            let a = n >> (lane * width) & mask;
            let b = m >> (other * width) & mask;
            // ASX subtracts in the low lane, SAX in the high one.
            let subtracts = match op.imm & 7 {
                0 | 1 => false,
                2 => lane == 0,
                6 => lane == 1,
                _ => true,
            };
            let combine = |a: i32, b: i32| if subtracts { a - b } else { a + b };
            let (value, bit) = if unsigned {
                finish.unsigned(combine(a as i32, b as i32), width, subtracts)
            } else {
                let signed = |x: u32| (x << (32 - width)) as i32 >> (32 - width);
                finish.signed(combine(signed(a), signed(b)), width)
            };
            result |= (value & mask) << (lane * width);
            if bit {
                ge |= (if width == 8 { 1 } else { 3 }) << (lane * width / 8);
            }
        }
        if matches!(finish, Finish::Signed) {
            self.flags.ge = ge;
        }
        self.set_rd(op, result);
    }

    pub(super) fn select(&mut self, op: Op) {
        let mask = (0..4).fold(0, |mask, lane| {
            mask | ((self.flags.ge >> lane & 1) * (0xFF << (lane * 8)))
        });
        self.set_rd(op, self.rn(op) & mask | self.rm(op) & !mask);
    }
}
