//! A small host for the debug port: register accesses as a probe makes them of transfers.

use az3166_debug_port::{DebugPort, Port, Refusal, Request};
use az3166_emulator::{DevKit, DevKitConfig, Display, Power, UnmodelledPolicy};
use az3166_event::VirtualTime;
use az3166_stsafe::{Configuration, NvmImage, ReservedZones, SecureElement};

pub const RAM: u32 = 0x2000_0000;
pub const CSW: u8 = 0x00;
pub const TAR: u8 = 0x04;
pub const DRW: u8 = 0x0C;
/// CSW for words, halfwords and bytes with single increment.
pub const WORDS: u32 = 0x2300_0052;
pub const HALFWORDS: u32 = 0x2300_0051;
pub const BYTES: u32 = 0x2300_0050;
pub const NO_INCREMENT: u32 = 0x2300_0042;

pub struct Host {
    pub port: DebugPort,
    pub kit: DevKit,
}

impl Host {
    /// A board under power, on whose wire nothing has happened.
    pub fn untouched() -> Self {
        let element = SecureElement::new(
            Configuration::default(),
            NvmImage::devkit(ReservedZones::Absent),
        );
        let mut kit = DevKit::new(DevKitConfig {
            uid: [1; 12],
            seed: 1,
            secure_element: element,
            display: Display::Absent,
            unmodelled: UnmodelledPolicy::Record,
        });
        kit.set_power(Power::On);
        Self {
            port: DebugPort::new(),
            kit,
        }
    }

    /// The same, switched to SWD and powered up.
    pub fn connected() -> Self {
        let mut host = Self::untouched();
        host.connect();
        host
    }

    /// The same with Thumb halfwords at the start of RAM, at which the processor stands.
    pub fn with_program(code: &[u16]) -> Self {
        let mut host = Self::connected();
        let bytes: Vec<u8> = code.iter().flat_map(|half| half.to_le_bytes()).collect();
        host.kit.write_memory(RAM, &bytes).unwrap();
        let vectors = [0x2000_8000u32, RAM | 1];
        let flash: Vec<u8> = vectors.iter().flat_map(|word| word.to_le_bytes()).collect();
        host.kit.program(0x0800_0000, &flash).unwrap();
        host.kit.reset_pin();
        host
    }

    pub fn connect(&mut self) {
        self.switch_to_swd();
        self.dp_read(0).unwrap();
        self.dp_write(0, 0x1E).unwrap();
        self.dp_write(8, 0).unwrap();
        self.dp_write(4, 0x5000_0000).unwrap();
    }

    pub fn switch_to_swd(&mut self) {
        self.port.clock(u64::MAX, 51);
        self.port.clock(0xE79E, 16);
        self.port.clock(u64::MAX, 51);
        self.port.clock(0, 3);
    }

    pub fn transfer(&mut self, request: Request) -> Result<u32, Refusal> {
        self.port.transfer(&mut self.kit, request)
    }

    pub fn dp_read(&mut self, address: u8) -> Result<u32, Refusal> {
        let port = Port::Debug;
        self.transfer(Request::Read { port, address })
    }

    pub fn dp_write(&mut self, address: u8, value: u32) -> Result<(), Refusal> {
        let request = Request::Write {
            port: Port::Debug,
            address,
            value,
        };
        self.transfer(request).map(drop)
    }

    /// One transfer to an access port's register, its bank selected.
    pub fn ap_transfer(&mut self, register: u8, write: Option<u32>) -> Result<u32, Refusal> {
        self.dp_write(8, u32::from(register & 0xF0))?;
        let (port, address) = (Port::Access, register & 0xC);
        self.transfer(match write {
            Some(value) => Request::Write {
                port,
                address,
                value,
            },
            None => Request::Read { port, address },
        })
    }

    pub fn ap_write(&mut self, register: u8, value: u32) {
        self.ap_transfer(register, Some(value)).unwrap();
    }

    /// Reads an access port's register and fetches the result.
    pub fn ap_read(&mut self, register: u8) -> Result<u32, Refusal> {
        self.ap_transfer(register, None)?;
        self.dp_read(0xC)
    }

    pub fn read(&mut self, address: u32) -> u32 {
        self.ap_write(CSW, WORDS);
        self.ap_write(TAR, address);
        self.ap_read(DRW).unwrap()
    }

    pub fn write(&mut self, address: u32, value: u32) {
        self.ap_write(CSW, WORDS);
        self.ap_write(TAR, address);
        self.ap_write(DRW, value);
        // A bus error shows here.
        self.dp_read(0xC).unwrap();
    }

    /// Lets the board run.
    pub fn run(&mut self, micros: u64) {
        let until = VirtualTime::from_nanos(self.kit.now().as_nanos() + 1000 * micros);
        while self.kit.now() < until {
            self.kit.run_until(until);
        }
    }
}
