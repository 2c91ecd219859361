//! The flags of APSR, kept so that they are cheap to set.

/// N, Z, C, V, Q and GE.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flags {
    /// N is bit 31.
    pub(super) n: u32,
    /// Z is set when this is zero.
    pub(super) z: u32,
    /// C: 0 or 1.
    pub(super) c: u32,
    /// V is bit 31.
    pub(super) v: u32,
    pub(super) q: bool,
    /// GE: four bits.
    pub(super) ge: u32,
}

impl Flags {
    /// All flags clear.
    pub(super) const CLEAR: Self = Self {
        n: 0,
        z: 1,
        c: 0,
        v: 0,
        q: false,
        ge: 0,
    };

    /// APSR, with all other bits of xPSR zero.
    pub(super) fn apsr(self) -> u32 {
        self.n & 1 << 31
            | u32::from(self.z == 0) << 30
            | self.c << 29
            | self.v >> 31 << 28
            | u32::from(self.q) << 27
            | self.ge << 16
    }

    /// Sets N, Z, C, V and Q from bits 31:27.
    pub(super) fn set_nzcvq(&mut self, apsr: u32) {
        self.n = apsr;
        self.z = !apsr & 1 << 30;
        self.c = apsr >> 29 & 1;
        self.v = apsr << 3;
        self.q = apsr & 1 << 27 != 0;
    }

    /// Sets GE from bits 19:16.
    pub(super) fn set_ge(&mut self, apsr: u32) {
        self.ge = apsr >> 16 & 15;
    }

    #[inline(always)]
    pub(super) fn is_n(self) -> bool {
        (self.n as i32) < 0
    }

    #[inline(always)]
    pub(super) fn is_z(self) -> bool {
        self.z == 0
    }

    #[inline(always)]
    pub(super) fn is_c(self) -> bool {
        self.c != 0
    }

    #[inline(always)]
    pub(super) fn is_v(self) -> bool {
        (self.v as i32) < 0
    }

    /// GE of the signed comparison: N equals V.
    #[inline(always)]
    pub(super) fn is_ge(self) -> bool {
        ((self.n ^ self.v) as i32) >= 0
    }

    /// Whether a condition (0..=15) holds (Armv7-M ARM, A7.3).
    pub(super) fn holds(self, condition: u8) -> bool {
        let base = match condition >> 1 {
            0 => self.is_z(),
            1 => self.is_c(),
            2 => self.is_n(),
            3 => self.is_v(),
            4 => self.is_c() && !self.is_z(),
            5 => self.is_ge(),
            6 => self.is_ge() && !self.is_z(),
            _ => return true,
        };
        base == (condition & 1 == 0)
    }
}
