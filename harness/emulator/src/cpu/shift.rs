//! Shifts of an operand and their carry out (Armv7-M ARM, A7.4.2 and A2.2.1).

/// A shift by a constant, as `Op::imm` packs it: the amount in bits 7:0, the type above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shift {
    /// Logical left by 0..=31.
    Lsl(u32),
    /// Logical right by 1..=32.
    Lsr(u32),
    /// Arithmetic right by 1..=32.
    Asr(u32),
    /// Rotate right by 1..=31.
    Ror(u32),
    /// Rotate right by one through carry.
    Rrx,
}

impl Shift {
    /// DecodeImmShift: the two type bits and the five amount bits of an instruction.
    pub(super) const fn decode(kind: u32, amount: u32) -> Self {
        match (kind & 3, amount) {
            (0, _) => Self::Lsl(amount),
            (1, 0) => Self::Lsr(32),
            (1, _) => Self::Lsr(amount),
            (2, 0) => Self::Asr(32),
            (2, _) => Self::Asr(amount),
            (_, 0) => Self::Rrx,
            _ => Self::Ror(amount),
        }
    }

    /// The packing into `Op::imm`.
    pub(super) const fn pack(self) -> u32 {
        match self {
            Self::Lsl(amount) => amount,
            Self::Lsr(amount) => 1 << 8 | amount,
            Self::Asr(amount) => 2 << 8 | amount,
            Self::Ror(amount) => 3 << 8 | amount,
            Self::Rrx => 4 << 8,
        }
    }

    /// The inverse of [`Shift::pack`].
    #[inline(always)]
    const fn unpack(imm: u32) -> Self {
        let amount = imm & 0xFF;
        match imm >> 8 {
            0 => Self::Lsl(amount),
            1 => Self::Lsr(amount),
            2 => Self::Asr(amount),
            3 => Self::Ror(amount),
            _ => Self::Rrx,
        }
    }
}

/// The value of `x` shifted as `imm` packs it, and the carry out (0 or 1).
#[inline(always)]
pub(super) const fn shifted_carry(imm: u32, x: u32, carry: u32) -> (u32, u32) {
    match Shift::unpack(imm) {
        Shift::Lsl(amount) => lsl_carry(x, amount, carry),
        Shift::Lsr(amount) => lsr_carry(x, amount, carry),
        Shift::Asr(amount) => asr_carry(x, amount, carry),
        Shift::Ror(amount) => ror_carry(x, amount, carry),
        Shift::Rrx => (carry << 31 | x >> 1, x & 1),
    }
}

/// The value of `x` shifted as `imm` packs it.
#[inline(always)]
pub(super) const fn shifted(imm: u32, x: u32, carry: u32) -> u32 {
    shifted_carry(imm, x, carry).0
}

/// Logical left by 0..=255.
#[inline(always)]
pub(super) const fn lsl_carry(x: u32, amount: u32, carry: u32) -> (u32, u32) {
    match amount {
        0 => (x, carry),
        1..=32 => {
            let wide = (x as u64) << amount;
            (wide as u32, (wide >> 32) as u32 & 1)
        }
        _ => (0, 0),
    }
}

/// Logical right by 0..=255.
#[inline(always)]
pub(super) const fn lsr_carry(x: u32, amount: u32, carry: u32) -> (u32, u32) {
    match amount {
        0 => (x, carry),
        1..=32 => {
            let wide = ((x as u64) << 32) >> amount;
            ((wide >> 32) as u32, wide as u32 >> 31)
        }
        _ => (0, 0),
    }
}

/// Arithmetic right by 0..=255.
#[inline(always)]
pub(super) const fn asr_carry(x: u32, amount: u32, carry: u32) -> (u32, u32) {
    match amount {
        0 => (x, carry),
        1..=31 => ((x as i32 >> amount) as u32, x >> (amount - 1) & 1),
        _ => ((x as i32 >> 31) as u32, x >> 31),
    }
}

/// Rotate right by 0..=255.
#[inline(always)]
pub(super) const fn ror_carry(x: u32, amount: u32, carry: u32) -> (u32, u32) {
    if amount == 0 {
        return (x, carry);
    }
    let result = x.rotate_right(amount & 31);
    (result, result >> 31)
}
