//! One decoded instruction: eight bytes, made to be executed fast.

/// A decoded instruction.
///
/// The meaning of the registers and of `imm` is that of the kind; by default `rd`, `rn`, `rm`
/// and `ra` are the instruction's registers of these names and `imm` its expanded constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Op {
    pub(super) kind: Kind,
    /// Bits 2:1 hold the length (2 or 4); bit 7 marks a narrow instruction that sets no flags
    /// inside an IT block.
    shape: u8,
    /// Four registers of four bits: rd, rn, rm, ra from bit 0 on.
    regs: u16,
    pub(super) imm: u32,
}

/// Whether an instruction loses its flag setting inside an IT block.
const QUIET_IN_IT: u8 = 0x80;

impl Op {
    /// The place in a page that was not decoded yet.
    pub(super) const UNDECODED: Self = Self::narrow(Kind::Undecoded);

    /// A 16-bit instruction without operands.
    pub(super) const fn narrow(kind: Kind) -> Self {
        Self {
            kind,
            shape: 2,
            regs: 0,
            imm: 0,
        }
    }

    /// A 32-bit instruction without operands.
    pub(super) const fn wide(kind: Kind) -> Self {
        Self {
            kind,
            shape: 4,
            regs: 0,
            imm: 0,
        }
    }

    /// A 16-bit instruction that sets flags outside IT blocks only.
    pub(super) const fn narrow_flags(kind: Kind) -> Self {
        Self {
            kind,
            shape: 2 | QUIET_IN_IT,
            regs: 0,
            imm: 0,
        }
    }

    pub(super) const fn with_rd(mut self, rd: u32) -> Self {
        self.regs |= (rd & 15) as u16;
        self
    }

    pub(super) const fn with_rn(mut self, rn: u32) -> Self {
        self.regs |= ((rn & 15) << 4) as u16;
        self
    }

    pub(super) const fn with_rm(mut self, rm: u32) -> Self {
        self.regs |= ((rm & 15) << 8) as u16;
        self
    }

    pub(super) const fn with_ra(mut self, ra: u32) -> Self {
        self.regs |= ((ra & 15) << 12) as u16;
        self
    }

    pub(super) const fn with_imm(mut self, imm: u32) -> Self {
        self.imm = imm;
        self
    }

    #[inline(always)]
    pub(super) const fn rd(self) -> usize {
        (self.regs & 15) as usize
    }

    #[inline(always)]
    pub(super) const fn rn(self) -> usize {
        (self.regs >> 4 & 15) as usize
    }

    #[inline(always)]
    pub(super) const fn rm(self) -> usize {
        (self.regs >> 8 & 15) as usize
    }

    #[inline(always)]
    pub(super) const fn ra(self) -> usize {
        (self.regs >> 12) as usize
    }

    /// Length in bytes: 2 or 4.
    #[inline(always)]
    pub(super) const fn length(self) -> u32 {
        (self.shape & 6) as u32
    }

    /// The form of this instruction inside an IT block.
    pub(super) fn in_it_block(mut self) -> Self {
        if self.shape & QUIET_IN_IT == 0 {
            return self;
        }
        self.kind = match self.kind {
            Kind::MovImmS => Kind::MovImm,
            Kind::MovRegS => Kind::MovReg,
            Kind::MvnRegS => Kind::MvnReg,
            Kind::LslImmS => Kind::LslImm,
            Kind::LsrImmS => Kind::LsrImm,
            Kind::AsrImmS => Kind::AsrImm,
            Kind::LslRegS => Kind::LslReg,
            Kind::LsrRegS => Kind::LsrReg,
            Kind::AsrRegS => Kind::AsrReg,
            Kind::RorRegS => Kind::RorReg,
            Kind::AddImmS => Kind::AddImm,
            Kind::SubImmS => {
                self.imm = self.imm.wrapping_neg();
                Kind::AddImm
            }
            Kind::RsbImmS => Kind::RsbImm,
            Kind::AddRegS => Kind::AddReg,
            Kind::SubRegS => Kind::SubReg,
            Kind::AdcRegS => Kind::AdcReg,
            Kind::SbcRegS => Kind::SbcReg,
            Kind::AndRegS => Kind::AndReg,
            Kind::EorRegS => Kind::EorReg,
            Kind::OrrRegS => Kind::OrrReg,
            Kind::BicRegS => Kind::BicReg,
            Kind::MulS => Kind::Mul,
            other => other,
        };
        self
    }
}

/// What an instruction does.
///
/// Suffixes: `Imm` constant, `Reg` register, `Lsl`/`Lsr`/`Ror` register shifted by `imm`
/// (1..=31), `Shift` register shifted as `imm` packs it ([`super::shift::Shift`]), `S` sets the flags.
/// In flag-setting logical constants `ra` says what becomes of C: 0 kept, 2 cleared, 3 set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// Not decoded yet.
    Undecoded,
    /// The second halfword of the instruction cannot be fetched.
    FetchFault,
    /// UNDEFINED.
    Undefined,
    /// A coprocessor or floating-point instruction.
    Coprocessor,
    /// A breakpoint comparator matches here.
    Breakpoint,
    AndReg,
    AndRegS,
    AndLsl,
    AndLsr,
    AndShift,
    AndShiftS,
    BicReg,
    BicRegS,
    BicShift,
    BicShiftS,
    OrrReg,
    OrrRegS,
    OrrLsl,
    OrrLsr,
    OrrRor,
    OrrShift,
    OrrShiftS,
    OrnShift,
    OrnShiftS,
    EorReg,
    EorRegS,
    EorLsl,
    EorLsr,
    EorRor,
    EorShift,
    EorShiftS,
    AddReg,
    AddRegS,
    AddLsl,
    AddLsr,
    AddRor,
    AddShift,
    AddShiftS,
    AdcReg,
    AdcRegS,
    AdcShift,
    AdcShiftS,
    SubReg,
    SubRegS,
    SubLsl,
    SubLsr,
    SubShift,
    SubShiftS,
    SbcReg,
    SbcRegS,
    SbcShift,
    SbcShiftS,
    RsbLsl,
    RsbShift,
    RsbShiftS,
    AndImm,
    AndImmS,
    OrrImm,
    OrrImmS,
    EorImm,
    EorImmS,
    AddImm,
    AddImmS,
    AdcImm,
    AdcImmS,
    SubImmS,
    RsbImm,
    RsbImmS,
    TstImm,
    TstReg,
    TstShift,
    TeqImm,
    TeqShift,
    CmpImm,
    CmpReg,
    CmpShift,
    CmnImm,
    CmnShift,
    MovImm,
    MovImmS,
    MovReg,
    MovRegS,
    MvnReg,
    MvnRegS,
    MvnShift,
    MvnShiftS,
    Movt,
    LslImm,
    LslImmS,
    LslReg,
    LslRegS,
    LsrImm,
    LsrImmS,
    LsrReg,
    LsrRegS,
    AsrImm,
    AsrImmS,
    AsrReg,
    AsrRegS,
    RorImm,
    RorImmS,
    RorReg,
    RorRegS,
    Rrx,
    RrxS,
    /// MOV SP, Rm.
    MovSp,
    /// ADD SP, Rn, shifted Rm.
    AddSp,
    /// SUB SP, Rn, shifted Rm.
    SubSp,
    /// ADD PC, Rm: `imm` is the instruction's PC value.
    AddPc,
    /// MOV PC, Rm.
    MovPc,
    Bfi,
    Sbfx,
    Ubfx,
    Ssat,
    Usat,
    Ssat16,
    Usat16,
    Pkhbt,
    Pkhtb,
    Sxtb,
    Sxth,
    Uxtb,
    Uxth,
    Rev,
    Rev16,
    Revsh,
    Rbit,
    Clz,
    Sel,
    /// Extend and add, and the 16-bit extensions; `ra` is op1 of the encoding, `imm` the rotation.
    Extend,
    /// QADD, QDADD, QSUB, QDSUB by `imm` 0..=3.
    Saturating,
    /// The parallel additions and subtractions; `imm` is [`super::simd::Parallel`]'s packing.
    Parallel,
    Mul,
    MulS,
    Mla,
    Mls,
    Smull,
    Umull,
    Smlal,
    Umlal,
    Umaal,
    Sdiv,
    Udiv,
    SmulHalf,
    SmlaHalf,
    SmulWide,
    SmlaWide,
    Smuad,
    Smusd,
    Smlad,
    Smlsd,
    SmlalHalf,
    Smlald,
    Smlsld,
    Smmul,
    Smmla,
    Smmls,
    Usad8,
    Usada8,
    LdrImm,
    LdrReg,
    LdrPre,
    LdrPost,
    LdrbImm,
    LdrbReg,
    LdrbPre,
    LdrbPost,
    LdrhImm,
    LdrhReg,
    LdrhPre,
    LdrhPost,
    LdrsbImm,
    LdrsbReg,
    LdrsbPre,
    LdrsbPost,
    LdrshImm,
    LdrshReg,
    LdrshPre,
    LdrshPost,
    StrImm,
    StrReg,
    StrPre,
    StrPost,
    StrbImm,
    StrbReg,
    StrbPre,
    StrbPost,
    StrhImm,
    StrhReg,
    StrhPre,
    StrhPost,
    LdrLiteral,
    /// A literal load of less than a word; `ra` is the size and sign.
    LoadLiteral,
    /// A word load to PC or SP; `ra` is the addressing: 0 offset, 1 pre-indexed, 2 post-indexed, 3 literal, 4 register.
    LdrSpecial,
    /// LDRT and its like; `ra` is the size and sign.
    LoadUnprivileged,
    StoreUnprivileged,
    /// LDREX, LDREXB, LDREXH; `ra` is the size.
    LoadExclusive,
    StoreExclusive,
    Ldrd,
    Strd,
    Clrex,
    Ldm,
    LdmPc,
    Stm,
    Push,
    Pop,
    Beq,
    Bne,
    Bcs,
    Bcc,
    Bmi,
    Bpl,
    Bvs,
    Bvc,
    Bhi,
    Bls,
    Bge,
    Blt,
    Bgt,
    Ble,
    B,
    Bl,
    Bx,
    Blx,
    Cbz,
    Cbnz,
    Tbb,
    Tbh,
    It,
    Nop,
    Wfi,
    Wfe,
    Sev,
    Barrier,
    Svc,
    Bkpt,
    Cps,
    Mrs,
    Msr,
}
