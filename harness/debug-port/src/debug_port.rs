//! The serial wire debug port (ADIv5.2, sections B2 and B4).

use crate::access_port::AccessPort;
use crate::bus::SystemBus;
use crate::injection::{Injected, Injection};
use crate::line::{Line, LineWatch};

/// Identification register: Arm, DPv1, the part that an STM32F4 shows.
pub const DPIDR: u32 = 0x2BA0_1477;

/// Bits of CTRL/STAT (ADIv5.2, B2.2.2).
mod control {
    pub(super) const ORUNDETECT: u32 = 1 << 0;
    pub(super) const STICKYORUN: u32 = 1 << 1;
    pub(super) const STICKYCMP: u32 = 1 << 4;
    pub(super) const STICKYERR: u32 = 1 << 5;
    pub(super) const READOK: u32 = 1 << 6;
    pub(super) const WDATAERR: u32 = 1 << 7;
    pub(super) const CDBGPWRUPREQ: u32 = 1 << 28;
    /// ORUNDETECT, TRNMODE, MASKLANE, TRNCNT and the two power-up requests; this chip has no
    /// debug reset.
    pub(super) const WRITABLE: u32 = 0x503F_FF0D;
    pub(super) const STICKY: u32 = STICKYORUN | STICKYCMP | STICKYERR | WDATAERR;
    /// The power-up requests, whose acknowledges are the bits above them.
    pub(super) const REQUESTS: u32 = 0x5000_0000;
}

/// Bits of ABORT (ADIv5.2, B2.2.1).
mod abort {
    pub(super) const DAPABORT: u32 = 1 << 0;
    pub(super) const STKCMPCLR: u32 = 1 << 1;
    pub(super) const STKERRCLR: u32 = 1 << 2;
    pub(super) const WDERRCLR: u32 = 1 << 3;
    pub(super) const ORUNERRCLR: u32 = 1 << 4;
}

/// Which port a transfer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// The debug port.
    Debug,
    /// The access port and bank that SELECT names.
    Access,
}

/// One transfer on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// A read.
    Read {
        /// From which port.
        port: Port,
        /// A\[3:2\]: 0, 4, 8 or 12.
        address: u8,
    },
    /// A write.
    Write {
        /// To which port.
        port: Port,
        /// A\[3:2\]: 0, 4, 8 or 12.
        address: u8,
        /// The word.
        value: u32,
    },
}

impl Request {
    const fn port(self) -> Port {
        match self {
            Self::Read { port, .. } | Self::Write { port, .. } => port,
        }
    }
}

/// Why a transfer did nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// the target answered WAIT
    #[error("the target answered WAIT")]
    Wait,
    /// the target answered FAULT: a sticky flag of CTRL/STAT is set
    #[error("the target answered FAULT: a sticky flag of CTRL/STAT is set")]
    Fault,
    /// nothing answers on the wire
    #[error("nothing answers on the wire")]
    Silence,
}

/// The debug port with its access port.
#[derive(Clone, Debug)]
pub struct DebugPort {
    line: LineWatch,
    control: u32,
    select: u32,
    /// The result of the last read of the access port, which the next one carries.
    posted: u32,
    /// What the last read of the access port or of RDBUFF carried, for RESEND.
    carried: u32,
    turnaround: u32,
    access_port: AccessPort,
    injected: Injected,
}

impl DebugPort {
    /// The port after power-on.
    pub const fn new() -> Self {
        Self {
            line: LineWatch::new(),
            control: 0,
            select: 0,
            posted: 0,
            carried: 0,
            turnaround: 0,
            access_port: AccessPort::new(),
            injected: Injected::NONE,
        }
    }

    /// The chip's power came back: only that resets the port. Injected trouble stays.
    pub fn power_on_reset(&mut self) {
        let injected = core::mem::take(&mut self.injected);
        *self = Self {
            injected,
            ..Self::new()
        };
    }

    /// Makes trouble.
    pub fn inject(&mut self, injection: Injection) {
        self.injected.add(injection);
    }

    /// Takes back all trouble that has not happened yet.
    pub fn clear_injections(&mut self) {
        self.injected.clear();
    }

    /// Clocks the low `count` bits of `bits` out on SWDIO, the lowest first, outside of a transfer.
    pub fn clock(&mut self, bits: u64, count: u32) {
        self.line.clock(bits, count);
        if self.line.line == Line::Reset {
            // A line reset keeps the flags and the power requests, not the bank.
            self.select &= !0xF;
        }
    }

    /// One transfer on the wire. A read of the access port answers with the result of the read
    /// before it; the last result is in RDBUFF.
    ///
    /// # Errors
    /// [`Refusal`], and nothing was done.
    pub fn transfer(&mut self, bus: &mut impl SystemBus, request: Request) -> Result<u32, Refusal> {
        if !bus.is_powered() || self.injected.is_silent() || !self.listens(request) {
            return Err(Refusal::Silence);
        }
        let result = self.answer(bus, request);
        if matches!(result, Err(Refusal::Wait | Refusal::Fault))
            && self.control & control::ORUNDETECT != 0
        {
            self.control |= control::STICKYORUN;
        }
        result
    }

    fn listens(&mut self, request: Request) -> bool {
        const READ_DPIDR: Request = Request::Read {
            port: Port::Debug,
            address: 0,
        };
        match self.line.line {
            Line::Jtag => false,
            Line::Reset if request == READ_DPIDR => {
                self.line.line = Line::Ready;
                true
            }
            Line::Reset => false,
            Line::Ready => true,
        }
    }

    fn answer(&mut self, bus: &mut impl SystemBus, request: Request) -> Result<u32, Refusal> {
        // These three work whatever state the port is in (B4.2.4).
        match request {
            Request::Read {
                port: Port::Debug,
                address: 0,
            } => return Ok(DPIDR),
            Request::Read {
                port: Port::Debug,
                address: 4,
            } => return Ok(self.read_control()),
            Request::Write {
                port: Port::Debug,
                address: 0,
                value,
            } => {
                self.abort(value);
                return Ok(0);
            }
            _ => {}
        }
        if self.control & control::STICKY != 0 {
            return Err(Refusal::Fault);
        }
        let needs_result = matches!(
            request,
            Request::Read {
                port: Port::Debug,
                address: 0xC
            }
        );
        if (needs_result || request.port() == Port::Access) && self.injected.waits() {
            return Err(Refusal::Wait);
        }
        match request {
            Request::Read {
                port: Port::Debug,
                address,
            } => Ok(self.read_debug(address)),
            Request::Write {
                port: Port::Debug,
                address,
                value,
            } => {
                self.write_debug(address, value);
                Ok(0)
            }
            Request::Read {
                port: Port::Access,
                address,
            } => {
                let carried = self.posted;
                self.post_read(bus, address)?;
                self.carried = carried;
                Ok(carried)
            }
            Request::Write {
                port: Port::Access,
                address,
                value,
            } => self.post_write(bus, address, value).map(|()| 0),
        }
    }

    fn read_control(&self) -> u32 {
        if self.select & 0xF == 1 {
            return self.turnaround;
        }
        self.control | (self.control & control::REQUESTS) << 1
    }

    fn read_debug(&mut self, address: u8) -> u32 {
        match address {
            8 => self.carried,
            _ => {
                self.carried = self.posted;
                self.carried
            }
        }
    }

    fn write_debug(&mut self, address: u8, value: u32) {
        match (address, self.select & 0xF) {
            (4, 0) => {
                self.control = self.control & !control::WRITABLE | value & control::WRITABLE;
            }
            // DLCR: the turnaround can be set and is of no consequence here.
            (4, 1) => self.turnaround = value & 0x340,
            (8, _) => self.select = value & 0xFF00_00FF,
            _ => {}
        }
    }

    fn abort(&mut self, value: u32) {
        for (bit, flag) in [
            (abort::STKCMPCLR, control::STICKYCMP),
            (abort::STKERRCLR, control::STICKYERR),
            (abort::WDERRCLR, control::WDATAERR),
            (abort::ORUNERRCLR, control::STICKYORUN),
        ] {
            if value & bit != 0 {
                self.control &= !flag;
            }
        }
        if value & abort::DAPABORT != 0 {
            self.injected.abort_waits();
        }
    }

    /// Whether the transfer is for the one access port there is; the others read as zero.
    fn reaches_access_port(&mut self) -> Result<bool, Refusal> {
        if self.control & control::CDBGPWRUPREQ == 0 {
            self.control |= control::STICKYERR;
            return Err(Refusal::Fault);
        }
        Ok(self.select >> 24 == 0)
    }

    fn register(&self, address: u8) -> u8 {
        // Bits 7:4 are APBANKSEL.
        (self.select & 0xF0) as u8 | address & 0xC
    }

    /// Starts a read of the access port. A bus error is acknowledged as OK: it shows afterwards.
    fn post_read(&mut self, bus: &mut impl SystemBus, address: u8) -> Result<(), Refusal> {
        self.posted = 0;
        if !self.reaches_access_port()? {
            return Ok(());
        }
        let register = self.register(address);
        match self.access_port.read(bus, &mut self.injected, register) {
            Ok(value) => {
                self.posted = value;
                self.control |= control::READOK;
            }
            Err(_) => self.fail(),
        }
        Ok(())
    }

    fn post_write(
        &mut self,
        bus: &mut impl SystemBus,
        address: u8,
        value: u32,
    ) -> Result<(), Refusal> {
        if !self.reaches_access_port()? {
            return Ok(());
        }
        let register = self.register(address);
        let written = self
            .access_port
            .write(bus, &mut self.injected, register, value);
        if written.is_err() {
            self.fail();
        }
        Ok(())
    }

    fn fail(&mut self) {
        self.control |= control::STICKYERR;
        self.control &= !control::READOK;
    }
}

impl Default for DebugPort {
    fn default() -> Self {
        Self::new()
    }
}
