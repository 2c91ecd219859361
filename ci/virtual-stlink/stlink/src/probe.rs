//! What the probe's firmware does with its wires.

use az3166_board::virtual_board::Wire;
use az3166_debug_port::{Port, Refusal, Request};
use az3166_emulator::ResetPin;

use crate::command::{self, Access, Command, Mode};
use crate::memory::{read_memory, write_memory};
use crate::status::Status;

/// The debug port's number in commands.
const DEBUG_PORT: u16 = 0xFFFF;

const ABORT: u8 = 0x00;
const CTRL_STAT: u8 = 0x04;
const SELECT: u8 = 0x08;
const RDBUFF: u8 = 0x0C;
/// Clears every sticky flag.
const CLEAR_STICKY: u32 = 0x1E;
const POWER_UP: u32 = 0x5000_0000;

/// How often the firmware tries a transfer again by itself; the driver goes on from there.
const WAIT_RETRIES: u32 = 8;

/// ST-Link V2, JTAG/SWD firmware 37, mass storage 26.
const VERSION: u16 = 2 << 12 | 37 << 6 | 26;
/// Raw readings that mean 3.3 V: twice the second over the first, times 1.2 V.
const VOLTAGE: (u32, u32) = (1600, 2200);

/// The wires, with the clearing of sticky flags that the firmware does by itself.
#[derive(Clone, Debug)]
pub struct ProbeWire(Wire);

impl ProbeWire {
    pub(crate) fn transfer(&self, request: Request) -> Result<u32, Status> {
        let port = match request {
            Request::Read { port, .. } | Request::Write { port, .. } => port,
        };
        let mut result = self.0.transfer(request);
        for _ in 0..WAIT_RETRIES {
            if result != Err(Refusal::Wait) {
                break;
            }
            result = self.0.transfer(request);
        }
        result.map_err(|refusal| {
            if refusal == Refusal::Fault {
                let _ = self.0.transfer(Request::Write {
                    port: Port::Debug,
                    address: ABORT,
                    value: CLEAR_STICKY,
                });
            }
            Status::of(refusal, port)
        })
    }
}

/// The probe.
#[derive(Debug)]
pub(crate) struct Probe {
    wire: ProbeWire,
    mode: Mode,
    last: Status,
    /// What the host will fetch.
    answer: Option<Vec<u8>>,
    /// Where the next bytes from the host go.
    expected: Option<Access>,
}

impl Probe {
    pub(crate) fn new(wire: Wire) -> Self {
        Self {
            wire: ProbeWire(wire),
            mode: Mode::MassStorage,
            last: Status::Ok,
            answer: None,
            expected: None,
        }
    }

    /// The host sent a command, or the data that belongs to the last one.
    pub(crate) fn take(&mut self, bytes: &[u8]) {
        if let Some(access) = self.expected.take() {
            self.last = write_memory(&self.wire, access, bytes).into();
            return;
        }
        self.answer = self.carry_out(Command::parse(bytes));
    }

    /// What the host fetches; none while there is nothing.
    pub(crate) fn give(&mut self, length: usize) -> Option<Vec<u8>> {
        let mut answer = self.answer.take()?;
        if answer.len() > length {
            self.answer = Some(answer.split_off(length));
        }
        Some(answer)
    }

    /// Plugged in anew, or reset by the host.
    pub(crate) fn reset(&mut self) {
        (self.mode, self.last) = (Mode::MassStorage, Status::Ok);
        (self.answer, self.expected) = (None, None);
    }

    fn carry_out(&mut self, command: Command) -> Option<Vec<u8>> {
        let status = |status: Status| Some(vec![status.code(), 0]);
        match command {
            Command::Version => {
                let mut answer = VERSION.to_be_bytes().to_vec();
                answer.extend(crate::usb::VENDOR_ID.to_le_bytes());
                answer.extend(crate::usb::PRODUCT_ID.to_le_bytes());
                Some(answer)
            }
            Command::Mode => Some(vec![self.mode.code(), 0]),
            Command::Voltage => {
                let (first, second) = VOLTAGE;
                Some([first.to_le_bytes(), second.to_le_bytes()].concat())
            }
            Command::Exit(mode) => {
                if mode == self.mode {
                    self.mode = Mode::MassStorage;
                }
                None
            }
            Command::EnterSwd => {
                let entered = self.enter_swd();
                if entered.is_ok() {
                    self.mode = Mode::Debug;
                }
                status(entered.into())
            }
            Command::ResetPin(level) => {
                self.drive(level);
                status(Status::Ok)
            }
            Command::Speed(_) | Command::AccessPort => status(Status::Ok),
            Command::ReadRegister { port, address } => {
                let result = self.read_register(port, address);
                let value = *result.as_ref().unwrap_or(&0);
                let mut answer = vec![Status::from(result).code(), 0, 0, 0];
                answer.extend(value.to_le_bytes());
                Some(answer)
            }
            Command::WriteRegister {
                port,
                address,
                value,
            } => status(self.write_register(port, address, value).into()),
            Command::ReadMemory(access) => {
                let result = read_memory(&self.wire, access);
                let mut bytes = match result {
                    Ok(bytes) => {
                        self.last = Status::Ok;
                        bytes
                    }
                    Err(status) => {
                        self.last = status;
                        vec![0; access.length.into()]
                    }
                };
                // A single byte comes with another one that means nothing.
                if bytes.len() == 1 {
                    bytes.push(0);
                }
                Some(bytes)
            }
            Command::WriteMemory(access) => {
                self.expected = Some(access);
                None
            }
            Command::LastStatus => {
                let mut answer = vec![0; 12];
                answer[0] = self.last.code();
                Some(answer)
            }
            Command::Unknown => status(Status::UnknownCommand),
        }
    }

    /// Switches the line to SWD and powers the debug domain up.
    fn enter_swd(&mut self) -> Result<(), Status> {
        let wire = &self.wire.0;
        wire.clock(u64::MAX, 51);
        wire.clock(0xE79E, 16);
        wire.clock(u64::MAX, 51);
        wire.clock(0, 3);
        self.read_register(DEBUG_PORT, 0)?;
        self.write_register(DEBUG_PORT, ABORT.into(), CLEAR_STICKY)?;
        self.write_register(DEBUG_PORT, SELECT.into(), 0)?;
        self.write_register(DEBUG_PORT, CTRL_STAT.into(), POWER_UP)
    }

    fn drive(&self, level: command::ResetPin) {
        let wire = &self.wire.0;
        match level {
            command::ResetPin::Low => wire.set_reset_pin(ResetPin::Held),
            command::ResetPin::High => wire.set_reset_pin(ResetPin::Released),
            command::ResetPin::Pulse => {
                wire.set_reset_pin(ResetPin::Held);
                wire.set_reset_pin(ResetPin::Released);
            }
        }
    }

    /// Chooses an access port's bank; the register's address in it.
    fn select(&self, port: u16, address: u16) -> Result<(Port, u8), Status> {
        let within = (address & 0x0C) as u8;
        if port == DEBUG_PORT {
            return Ok((Port::Debug, within));
        }
        self.wire.transfer(Request::Write {
            port: Port::Debug,
            address: SELECT,
            value: u32::from(port) << 24 | u32::from(address & 0xF0),
        })?;
        Ok((Port::Access, within))
    }

    fn read_register(&self, port: u16, address: u16) -> Result<u32, Status> {
        let (port, address) = self.select(port, address)?;
        let value = self.wire.transfer(Request::Read { port, address })?;
        match port {
            Port::Debug => Ok(value),
            Port::Access => self.wire.transfer(Request::Read {
                port: Port::Debug,
                address: RDBUFF,
            }),
        }
    }

    fn write_register(&self, port: u16, address: u16, value: u32) -> Result<(), Status> {
        let (port, address) = self.select(port, address)?;
        let request = Request::Write {
            port,
            address,
            value,
        };
        self.wire.transfer(request).map(drop)
    }
}
