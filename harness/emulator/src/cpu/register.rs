//! The registers that a debugger sees, by the names of the Armv7-M manual.

/// A core register (Armv7-M ARM, B1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Register {
    /// R0.
    R0,
    /// R1.
    R1,
    /// R2.
    R2,
    /// R3.
    R3,
    /// R4.
    R4,
    /// R5.
    R5,
    /// R6.
    R6,
    /// R7.
    R7,
    /// R8.
    R8,
    /// R9.
    R9,
    /// R10.
    R10,
    /// R11.
    R11,
    /// R12.
    R12,
    /// The stack pointer in use, R13.
    Sp,
    /// The link register, R14.
    Lr,
    /// The address of the next instruction, R15.
    Pc,
    /// APSR, IPSR and EPSR in one word.
    Xpsr,
    /// The main stack pointer.
    Msp,
    /// The process stack pointer.
    Psp,
    /// CONTROL (bits 1:0).
    Control,
    /// FAULTMASK (bit 0).
    Faultmask,
    /// BASEPRI (bits 7:4).
    Basepri,
    /// PRIMASK (bit 0).
    Primask,
}

impl Register {
    /// R0..R15 in order.
    pub const GENERAL: [Self; 16] = [
        Self::R0,
        Self::R1,
        Self::R2,
        Self::R3,
        Self::R4,
        Self::R5,
        Self::R6,
        Self::R7,
        Self::R8,
        Self::R9,
        Self::R10,
        Self::R11,
        Self::R12,
        Self::Sp,
        Self::Lr,
        Self::Pc,
    ];

    /// The index of R0..R15, or None for a special register.
    pub const fn general_index(self) -> Option<usize> {
        let index = self as usize;
        if index < 16 { Some(index) } else { None }
    }
}
