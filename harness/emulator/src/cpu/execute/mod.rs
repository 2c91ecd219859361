//! The execution of one decoded instruction.

mod branch;
mod data;
mod load_store;
mod multiple;
mod multiply;
mod simd;
mod system;

use super::op::{Kind, Op};
use super::{Cpu, Trap, shift};
use crate::bus::Bus;
use crate::memory::Memory;

const SP: usize = 13;

impl Cpu {
    /// Executes the instruction at `pc`; [`Cpu::pc`] is past it already.
    ///
    /// Generic over the bus, so that the loop is compiled with the machine that runs it.
    #[inline(always)]
    #[rustfmt::skip]
    pub(super) fn execute<B: Bus>(
        &mut self,
        memory: &mut Memory,
        bus: &mut B,
        pc: u32,
        op: Op,
    ) -> Result<(), Trap> {
        match op.kind {
            // Data processing on registers.
            Kind::AndReg => self.set_rd(op, self.rn(op) & self.rm(op)),
            Kind::AndRegS => { let value = self.set_nz(self.rn(op) & self.rm(op)); self.set_rd(op, value); }
            Kind::AndLsl => self.set_rd(op, self.rn(op) & (self.rm(op) << (op.imm & 31))),
            Kind::AndLsr => self.set_rd(op, self.rn(op) & (self.rm(op) >> (op.imm & 31))),
            Kind::AndShift => self.set_rd(op, self.rn(op) & self.shifted_rm(op)),
            Kind::AndShiftS => { let m = self.shifted_rm_carry(op); let value = self.set_nz(self.rn(op) & m); self.set_rd(op, value); }
            Kind::BicReg => self.set_rd(op, self.rn(op) & !(self.rm(op))),
            Kind::BicRegS => { let value = self.set_nz(self.rn(op) & !(self.rm(op))); self.set_rd(op, value); }
            Kind::BicShift => self.set_rd(op, self.rn(op) & !(self.shifted_rm(op))),
            Kind::BicShiftS => { let m = self.shifted_rm_carry(op); let value = self.set_nz(self.rn(op) & !(m)); self.set_rd(op, value); }
            Kind::OrrReg => self.set_rd(op, self.rn(op) | self.rm(op)),
            Kind::OrrRegS => { let value = self.set_nz(self.rn(op) | self.rm(op)); self.set_rd(op, value); }
            Kind::OrrLsl => self.set_rd(op, self.rn(op) | (self.rm(op) << (op.imm & 31))),
            Kind::OrrLsr => self.set_rd(op, self.rn(op) | (self.rm(op) >> (op.imm & 31))),
            Kind::OrrRor => self.set_rd(op, self.rn(op) | self.rm(op).rotate_right(op.imm & 31)),
            Kind::OrrShift => self.set_rd(op, self.rn(op) | self.shifted_rm(op)),
            Kind::OrrShiftS => { let m = self.shifted_rm_carry(op); let value = self.set_nz(self.rn(op) | m); self.set_rd(op, value); }
            Kind::OrnShift => self.set_rd(op, self.rn(op) | !(self.shifted_rm(op))),
            Kind::OrnShiftS => { let m = self.shifted_rm_carry(op); let value = self.set_nz(self.rn(op) | !(m)); self.set_rd(op, value); }
            Kind::EorReg => self.set_rd(op, self.rn(op) ^ self.rm(op)),
            Kind::EorRegS => { let value = self.set_nz(self.rn(op) ^ self.rm(op)); self.set_rd(op, value); }
            Kind::EorLsl => self.set_rd(op, self.rn(op) ^ (self.rm(op) << (op.imm & 31))),
            Kind::EorLsr => self.set_rd(op, self.rn(op) ^ (self.rm(op) >> (op.imm & 31))),
            Kind::EorRor => self.set_rd(op, self.rn(op) ^ self.rm(op).rotate_right(op.imm & 31)),
            Kind::EorShift => self.set_rd(op, self.rn(op) ^ self.shifted_rm(op)),
            Kind::EorShiftS => { let m = self.shifted_rm_carry(op); let value = self.set_nz(self.rn(op) ^ m); self.set_rd(op, value); }
            Kind::AddReg => self.set_rd(op, self.rn(op).wrapping_add(self.rm(op))),
            Kind::AddRegS => { let value = self.add_flags(self.rn(op), self.rm(op), 0); self.set_rd(op, value); }
            Kind::AddLsl => self.set_rd(op, self.rn(op).wrapping_add(self.rm(op) << (op.imm & 31))),
            Kind::AddLsr => self.set_rd(op, self.rn(op).wrapping_add(self.rm(op) >> (op.imm & 31))),
            Kind::AddRor => self.set_rd(op, self.rn(op).wrapping_add(self.rm(op).rotate_right(op.imm & 31))),
            Kind::AddShift => self.set_rd(op, self.rn(op).wrapping_add(self.shifted_rm(op))),
            Kind::AddShiftS => { let value = self.add_flags(self.rn(op), self.shifted_rm(op), 0); self.set_rd(op, value); }
            Kind::AdcReg => self.set_rd(op, self.rn(op).wrapping_add(self.rm(op)).wrapping_add(self.flags.c)),
            Kind::AdcRegS => { let value = self.add_flags(self.rn(op), self.rm(op), self.flags.c); self.set_rd(op, value); }
            Kind::AdcShift => self.set_rd(op, self.rn(op).wrapping_add(self.shifted_rm(op)).wrapping_add(self.flags.c)),
            Kind::AdcShiftS => { let value = self.add_flags(self.rn(op), self.shifted_rm(op), self.flags.c); self.set_rd(op, value); }
            Kind::SubReg => self.set_rd(op, self.rn(op).wrapping_sub(self.rm(op))),
            Kind::SubRegS => { let value = self.add_flags(self.rn(op), !(self.rm(op)), 1); self.set_rd(op, value); }
            Kind::SubLsl => self.set_rd(op, self.rn(op).wrapping_sub(self.rm(op) << (op.imm & 31))),
            Kind::SubLsr => self.set_rd(op, self.rn(op).wrapping_sub(self.rm(op) >> (op.imm & 31))),
            Kind::SubShift => self.set_rd(op, self.rn(op).wrapping_sub(self.shifted_rm(op))),
            Kind::SubShiftS => { let value = self.add_flags(self.rn(op), !(self.shifted_rm(op)), 1); self.set_rd(op, value); }
            Kind::SbcReg => self.set_rd(op, self.rn(op).wrapping_sub(self.rm(op)).wrapping_sub(self.flags.c ^ 1)),
            Kind::SbcRegS => { let value = self.add_flags(self.rn(op), !(self.rm(op)), self.flags.c); self.set_rd(op, value); }
            Kind::SbcShift => self.set_rd(op, self.rn(op).wrapping_sub(self.shifted_rm(op)).wrapping_sub(self.flags.c ^ 1)),
            Kind::SbcShiftS => { let value = self.add_flags(self.rn(op), !(self.shifted_rm(op)), self.flags.c); self.set_rd(op, value); }
            Kind::RsbLsl => self.set_rd(op, (self.rm(op) << (op.imm & 31)).wrapping_sub(self.rn(op))),
            Kind::RsbShift => self.set_rd(op, (self.shifted_rm(op)).wrapping_sub(self.rn(op))),
            Kind::RsbShiftS => { let value = self.add_flags(!self.rn(op), self.shifted_rm(op), 1); self.set_rd(op, value); }

            // Data processing with a constant.
            Kind::AndImm => self.set_rd(op, self.rn(op) & op.imm),
            Kind::AndImmS => { let value = self.set_nz(self.rn(op) & op.imm); self.set_rd(op, value); self.constant_carry(op); }
            Kind::OrrImm => self.set_rd(op, self.rn(op) | op.imm),
            Kind::OrrImmS => { let value = self.set_nz(self.rn(op) | op.imm); self.set_rd(op, value); self.constant_carry(op); }
            Kind::EorImm => self.set_rd(op, self.rn(op) ^ op.imm),
            Kind::EorImmS => { let value = self.set_nz(self.rn(op) ^ op.imm); self.set_rd(op, value); self.constant_carry(op); }
            Kind::AddImmS => { let value = self.add_flags(self.rn(op), op.imm, 0); self.set_rd(op, value); }
            Kind::AdcImmS => { let value = self.add_flags(self.rn(op), op.imm, self.flags.c); self.set_rd(op, value); }
            Kind::SubImmS => { let value = self.add_flags(self.rn(op), !op.imm, 1); self.set_rd(op, value); }
            Kind::RsbImmS => { let value = self.add_flags(!self.rn(op), op.imm, 1); self.set_rd(op, value); }
            Kind::AddImm => self.set_rd(op, self.rn(op).wrapping_add(op.imm)),
            Kind::AdcImm => self.set_rd(op, self.rn(op).wrapping_add(op.imm).wrapping_add(self.flags.c)),
            Kind::RsbImm => self.set_rd(op, op.imm.wrapping_sub(self.rn(op))),

            // Comparisons and tests.
            Kind::TstImm => { self.set_nz(self.rn(op) & op.imm); self.constant_carry(op); }
            Kind::TstReg => { self.set_nz(self.rn(op) & self.rm(op)); }
            Kind::TstShift => { let m = self.shifted_rm_carry(op); self.set_nz(self.rn(op) & m); }
            Kind::TeqImm => { self.set_nz(self.rn(op) ^ op.imm); self.constant_carry(op); }
            Kind::TeqShift => { let m = self.shifted_rm_carry(op); self.set_nz(self.rn(op) ^ m); }
            Kind::CmpImm => { self.add_flags(self.rn(op), !op.imm, 1); }
            Kind::CmpReg => { self.add_flags(self.rn(op), !self.rm(op), 1); }
            Kind::CmpShift => { self.add_flags(self.rn(op), !self.shifted_rm(op), 1); }
            Kind::CmnImm => { self.add_flags(self.rn(op), op.imm, 0); }
            Kind::CmnShift => { self.add_flags(self.rn(op), self.shifted_rm(op), 0); }

            // Moves and shifts.
            Kind::MovImm => self.set_rd(op, op.imm),
            Kind::MovImmS => { let value = self.set_nz(op.imm); self.set_rd(op, value); self.constant_carry(op); }
            Kind::MovReg => self.set_rd(op, self.rm(op)),
            Kind::MovRegS => { let value = self.set_nz(self.rm(op)); self.set_rd(op, value); }
            Kind::MvnReg => self.set_rd(op, !self.rm(op)),
            Kind::MvnRegS => { let value = self.set_nz(!self.rm(op)); self.set_rd(op, value); }
            Kind::MvnShift => self.set_rd(op, !self.shifted_rm(op)),
            Kind::MvnShiftS => { let m = self.shifted_rm_carry(op); let value = self.set_nz(!m); self.set_rd(op, value); }
            Kind::Movt => self.set_rd(op, self.rd(op) & 0xFFFF | op.imm),
            Kind::MovSp => self.r[SP] = self.rm(op) & !3,
            Kind::AddSp => self.r[SP] = self.rn(op).wrapping_add(self.shifted_rm(op)) & !3,
            Kind::SubSp => self.r[SP] = self.rn(op).wrapping_sub(self.shifted_rm(op)) & !3,
            Kind::LslImm => self.set_rd(op, self.rm(op) << (op.imm & 31)),
            Kind::LslImmS => self.shift_flags(op, shift::lsl_carry(self.rm(op), op.imm, self.flags.c)),
            Kind::LslReg => self.set_rd(op, self.shift_by_register(op, shift::lsl_carry).0),
            Kind::LslRegS => self.shift_flags(op, self.shift_by_register(op, shift::lsl_carry)),
            Kind::LsrImm => self.set_rd(op, shift::lsr_carry(self.rm(op), op.imm, 0).0),
            Kind::LsrImmS => self.shift_flags(op, shift::lsr_carry(self.rm(op), op.imm, self.flags.c)),
            Kind::LsrReg => self.set_rd(op, self.shift_by_register(op, shift::lsr_carry).0),
            Kind::LsrRegS => self.shift_flags(op, self.shift_by_register(op, shift::lsr_carry)),
            Kind::AsrImm => self.set_rd(op, shift::asr_carry(self.rm(op), op.imm, 0).0),
            Kind::AsrImmS => self.shift_flags(op, shift::asr_carry(self.rm(op), op.imm, self.flags.c)),
            Kind::AsrReg => self.set_rd(op, self.shift_by_register(op, shift::asr_carry).0),
            Kind::AsrRegS => self.shift_flags(op, self.shift_by_register(op, shift::asr_carry)),
            Kind::RorImm => self.set_rd(op, self.rm(op).rotate_right(op.imm & 31)),
            Kind::RorImmS => self.shift_flags(op, shift::ror_carry(self.rm(op), op.imm, self.flags.c)),
            Kind::RorReg => self.set_rd(op, self.shift_by_register(op, shift::ror_carry).0),
            Kind::RorRegS => self.shift_flags(op, self.shift_by_register(op, shift::ror_carry)),
            Kind::Rrx => self.set_rd(op, shift::shifted(shift::Shift::Rrx.pack(), self.rm(op), self.flags.c)),
            Kind::RrxS => self.shift_flags(op, shift::shifted_carry(shift::Shift::Rrx.pack(), self.rm(op), self.flags.c)),

            // Bit fields, extensions, reversals, saturation.
            Kind::Bfi => { let field = self.rn(op) << (op.imm.trailing_zeros() & 31) & op.imm; self.set_rd(op, self.rd(op) & !op.imm | field); }
            Kind::Sbfx => self.set_rd(op, ((self.rn(op) << (op.imm & 31)) as i32 >> (op.imm >> 8 & 31)) as u32),
            Kind::Ubfx => self.set_rd(op, self.rn(op) << (op.imm & 31) >> (op.imm >> 8 & 31)),
            Kind::Sxtb => self.set_rd(op, self.rm(op) as i8 as u32),
            Kind::Sxth => self.set_rd(op, self.rm(op) as i16 as u32),
            Kind::Uxtb => self.set_rd(op, self.rm(op) & 0xFF),
            Kind::Uxth => self.set_rd(op, self.rm(op) & 0xFFFF),
            Kind::Extend => self.extend(op),
            Kind::Rev => self.set_rd(op, self.rm(op).swap_bytes()),
            Kind::Rev16 => self.set_rd(op, self.rm(op).swap_bytes().rotate_right(16)),
            Kind::Revsh => self.set_rd(op, (self.rm(op) as u16).swap_bytes() as i16 as u32),
            Kind::Rbit => self.set_rd(op, self.rm(op).reverse_bits()),
            Kind::Clz => self.set_rd(op, self.rm(op).leading_zeros()),
            Kind::Ssat => self.ssat(op),
            Kind::Usat => self.usat(op),
            Kind::Ssat16 => self.ssat16(op),
            Kind::Usat16 => self.usat16(op),
            Kind::Saturating => self.saturating(op),
            Kind::Parallel => self.parallel(op),
            Kind::Sel => self.select(op),
            Kind::Pkhbt => { let m = self.shifted_rm(op); self.set_rd(op, self.rn(op) & 0xFFFF | m & !0xFFFF); }
            Kind::Pkhtb => { let m = self.shifted_rm(op); self.set_rd(op, self.rn(op) & !0xFFFF | m & 0xFFFF); }

            // Multiplications and divisions.
            Kind::Mul => self.set_rd(op, self.rn(op).wrapping_mul(self.rm(op))),
            Kind::MulS => { let value = self.set_nz(self.rn(op).wrapping_mul(self.rm(op))); self.set_rd(op, value); }
            Kind::Mla => self.set_rd(op, self.ra(op).wrapping_add(self.rn(op).wrapping_mul(self.rm(op)))),
            Kind::Mls => self.set_rd(op, self.ra(op).wrapping_sub(self.rn(op).wrapping_mul(self.rm(op)))),
            Kind::Smull => self.smull(op),
            Kind::Umull => self.umull(op),
            Kind::Smlal => self.smlal(op),
            Kind::Umlal => self.umlal(op),
            Kind::Umaal => self.umaal(op),
            Kind::SmulHalf => self.smul_half(op),
            Kind::SmlaHalf => self.smla_half(op),
            Kind::SmulWide => self.smul_wide(op),
            Kind::SmlaWide => self.smla_wide(op),
            Kind::Smuad => self.smuad(op),
            Kind::Smusd => self.smusd(op),
            Kind::Smlad => self.smlad(op),
            Kind::Smlsd => self.smlsd(op),
            Kind::SmlalHalf => self.smlal_half(op),
            Kind::Smlald => self.smlald(op),
            Kind::Smlsld => self.smlsld(op),
            Kind::Smmul => self.most_significant(op, 0, 1),
            Kind::Smmla => self.most_significant(op, self.ra(op), 1),
            Kind::Smmls => self.most_significant(op, self.ra(op), -1),
            Kind::Usad8 => self.absolute_differences(op, 0),
            Kind::Usada8 => self.absolute_differences(op, self.ra(op)),
            Kind::Sdiv => return self.signed_divide(op),
            Kind::Udiv => return self.unsigned_divide(op),

            // Loads and stores.
            Kind::LdrImm => { let address = self.offset_address(op); let value = self.load32(memory, bus, pc, address)?; self.set_rd(op, value); }
            Kind::LdrReg => { let address = self.register_address(op); let value = self.load32(memory, bus, pc, address)?; self.set_rd(op, value); }
            Kind::LdrPre => { let address = self.offset_address(op); let value = self.load32(memory, bus, pc, address)?; self.r[op.rn()] = address; self.set_rd(op, value); }
            Kind::LdrPost => { let address = self.rn(op); let value = self.load32(memory, bus, pc, address)?; self.r[op.rn()] = self.offset_address(op); self.set_rd(op, value); }
            Kind::LdrbImm => { let address = self.offset_address(op); let value = self.load8(memory, bus, pc, address)?; self.set_rd(op, value); }
            Kind::LdrbReg => { let address = self.register_address(op); let value = self.load8(memory, bus, pc, address)?; self.set_rd(op, value); }
            Kind::LdrbPre => { let address = self.offset_address(op); let value = self.load8(memory, bus, pc, address)?; self.r[op.rn()] = address; self.set_rd(op, value); }
            Kind::LdrbPost => { let address = self.rn(op); let value = self.load8(memory, bus, pc, address)?; self.r[op.rn()] = self.offset_address(op); self.set_rd(op, value); }
            Kind::LdrhImm => { let address = self.offset_address(op); let value = self.load16(memory, bus, pc, address)?; self.set_rd(op, value); }
            Kind::LdrhReg => { let address = self.register_address(op); let value = self.load16(memory, bus, pc, address)?; self.set_rd(op, value); }
            Kind::LdrhPre => { let address = self.offset_address(op); let value = self.load16(memory, bus, pc, address)?; self.r[op.rn()] = address; self.set_rd(op, value); }
            Kind::LdrhPost => { let address = self.rn(op); let value = self.load16(memory, bus, pc, address)?; self.r[op.rn()] = self.offset_address(op); self.set_rd(op, value); }
            Kind::LdrsbImm => { let address = self.offset_address(op); let value = self.load8(memory, bus, pc, address)? as i8 as u32; self.set_rd(op, value); }
            Kind::LdrsbReg => { let address = self.register_address(op); let value = self.load8(memory, bus, pc, address)? as i8 as u32; self.set_rd(op, value); }
            Kind::LdrsbPre => { let address = self.offset_address(op); let value = self.load8(memory, bus, pc, address)? as i8 as u32; self.r[op.rn()] = address; self.set_rd(op, value); }
            Kind::LdrsbPost => { let address = self.rn(op); let value = self.load8(memory, bus, pc, address)? as i8 as u32; self.r[op.rn()] = self.offset_address(op); self.set_rd(op, value); }
            Kind::LdrshImm => { let address = self.offset_address(op); let value = self.load16(memory, bus, pc, address)? as i16 as u32; self.set_rd(op, value); }
            Kind::LdrshReg => { let address = self.register_address(op); let value = self.load16(memory, bus, pc, address)? as i16 as u32; self.set_rd(op, value); }
            Kind::LdrshPre => { let address = self.offset_address(op); let value = self.load16(memory, bus, pc, address)? as i16 as u32; self.r[op.rn()] = address; self.set_rd(op, value); }
            Kind::LdrshPost => { let address = self.rn(op); let value = self.load16(memory, bus, pc, address)? as i16 as u32; self.r[op.rn()] = self.offset_address(op); self.set_rd(op, value); }
            Kind::StrImm => self.store32(memory, bus, pc, self.offset_address(op), self.rd(op))?,
            Kind::StrReg => self.store32(memory, bus, pc, self.register_address(op), self.rd(op))?,
            Kind::StrPre => { let address = self.offset_address(op); self.store32(memory, bus, pc, address, self.rd(op))?; self.r[op.rn()] = address; }
            Kind::StrPost => { let address = self.rn(op); self.store32(memory, bus, pc, address, self.rd(op))?; self.r[op.rn()] = self.offset_address(op); }
            Kind::StrbImm => self.store8(memory, bus, pc, self.offset_address(op), self.rd(op))?,
            Kind::StrbReg => self.store8(memory, bus, pc, self.register_address(op), self.rd(op))?,
            Kind::StrbPre => { let address = self.offset_address(op); self.store8(memory, bus, pc, address, self.rd(op))?; self.r[op.rn()] = address; }
            Kind::StrbPost => { let address = self.rn(op); self.store8(memory, bus, pc, address, self.rd(op))?; self.r[op.rn()] = self.offset_address(op); }
            Kind::StrhImm => self.store16(memory, bus, pc, self.offset_address(op), self.rd(op))?,
            Kind::StrhReg => self.store16(memory, bus, pc, self.register_address(op), self.rd(op))?,
            Kind::StrhPre => { let address = self.offset_address(op); self.store16(memory, bus, pc, address, self.rd(op))?; self.r[op.rn()] = address; }
            Kind::StrhPost => { let address = self.rn(op); self.store16(memory, bus, pc, address, self.rd(op))?; self.r[op.rn()] = self.offset_address(op); }
            Kind::LdrLiteral => { let value = self.load32(memory, bus, pc, op.imm)?; self.set_rd(op, value); }
            Kind::LoadLiteral => { let value = self.load_sized(memory, bus, pc, op.imm, op.ra())?; self.set_rd(op, value); }
            Kind::LdrSpecial => return self.load_special(memory, bus, pc, op),
            Kind::LoadUnprivileged => return self.load_unprivileged(memory, bus, pc, op),
            Kind::StoreUnprivileged => return self.store_unprivileged(memory, bus, pc, op),
            Kind::LoadExclusive => return self.load_exclusive(memory, bus, pc, op),
            Kind::StoreExclusive => return self.store_exclusive(memory, bus, pc, op),
            Kind::Ldrd => return self.load_dual(memory, bus, pc, op),
            Kind::Strd => return self.store_dual(memory, bus, pc, op),
            Kind::Ldm => return self.load_multiple(memory, bus, pc, op),
            Kind::LdmPc => return self.load_multiple_pc(memory, bus, pc, op),
            Kind::Stm => return self.store_multiple(memory, bus, pc, op),
            Kind::Push => return self.push(memory, bus, pc, op),
            Kind::Pop => return self.pop(memory, bus, pc, op),
            Kind::Clrex => self.exclusive = false,

            // Branches.
            Kind::Beq => self.branch_if(op, self.flags.is_z()),
            Kind::Bne => self.branch_if(op, !self.flags.is_z()),
            Kind::Bcs => self.branch_if(op, self.flags.is_c()),
            Kind::Bcc => self.branch_if(op, !self.flags.is_c()),
            Kind::Bmi => self.branch_if(op, self.flags.is_n()),
            Kind::Bpl => self.branch_if(op, !self.flags.is_n()),
            Kind::Bvs => self.branch_if(op, self.flags.is_v()),
            Kind::Bvc => self.branch_if(op, !self.flags.is_v()),
            Kind::Bhi => self.branch_if(op, self.flags.is_c() && !self.flags.is_z()),
            Kind::Bls => self.branch_if(op, !self.flags.is_c() || self.flags.is_z()),
            Kind::Bge => self.branch_if(op, self.flags.is_ge()),
            Kind::Blt => self.branch_if(op, !self.flags.is_ge()),
            Kind::Bgt => self.branch_if(op, self.flags.is_ge() && !self.flags.is_z()),
            Kind::Ble => self.branch_if(op, !self.flags.is_ge() || self.flags.is_z()),
            Kind::B => self.pc = op.imm,
            Kind::Bl => self.branch_link(op),
            Kind::Bx => return self.branch_exchange(self.rm(op)),
            Kind::Blx => return self.branch_link_exchange(op),
            Kind::Cbz => self.branch_if(op, self.rn(op) == 0),
            Kind::Cbnz => self.branch_if(op, self.rn(op) != 0),
            Kind::Tbb => return self.table_branch(memory, bus, pc, op, 0),
            Kind::Tbh => return self.table_branch(memory, bus, pc, op, 1),
            Kind::AddPc => self.pc = op.imm.wrapping_add(self.rm(op)) & !1,
            Kind::MovPc => self.pc = self.rm(op) & !1,
            Kind::It => self.it = op.imm as u8,

            // System.
            Kind::Nop | Kind::Barrier => {}
            Kind::Wfi => self.wait_for_interrupt(),
            Kind::Wfe => self.wait_for_event(),
            Kind::Sev => self.event = true,
            Kind::Cps => self.cps(op),
            Kind::Mrs => self.mrs(op),
            Kind::Msr => self.msr(op),
            Kind::Svc => return Err(Trap::SupervisorCall),
            Kind::Bkpt => return Err(Trap::SoftwareBreakpoint),
            Kind::Breakpoint => return Err(Trap::Breakpoint),
            Kind::Coprocessor => return Err(Trap::NoCoprocessor),
            Kind::FetchFault => return Err(Trap::FetchBus),
            Kind::Undefined | Kind::Undecoded => return Err(Trap::Undefined),
        }
        Ok(())
    }
}
