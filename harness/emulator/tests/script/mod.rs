//! A driver of the chip's registers: scripts of writes, reads and waits, while the processor sleeps.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use az3166_emulator::{DevKit, DevKitConfig, Display, Power, Stop, UnmodelledPolicy};
use az3166_event::VirtualTime;
use az3166_stsafe::{Configuration, NvmImage, SecureElement};
use core::time::Duration;

/// Vector table, then `wfi; b .-2`.
const SLEEPER: [u8; 12] = [
    0x00, 0x10, 0x00, 0x20, 0x09, 0x00, 0x00, 0x08, 0x30, 0xBF, 0xFD, 0xE7,
];

pub const UID: [u8; 12] = *b"0123456789AB";

pub fn config() -> DevKitConfig {
    DevKitConfig {
        uid: UID,
        seed: 7,
        secure_element: SecureElement::new(Configuration::default(), NvmImage::default()),
        display: Display::Present,
        unmodelled: UnmodelledPolicy::Record,
    }
}

/// A board whose processor sleeps.
pub struct Bench {
    pub devkit: DevKit,
}

/// One step of a script.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// Writes a word.
    Write(u32, u32),
    /// Reads a word, which under this mask has this value.
    Read(u32, u32, u32),
    /// Nanoseconds pass.
    Wait(u64),
    /// This interrupt has been raised since the last look, or not.
    Interrupt(u32, bool),
}

pub use Step::{Interrupt, Read, Wait, Write};

pub const MICROSECOND: u64 = 1_000;
pub const MILLISECOND: u64 = 1_000_000;

/// Runs a script on a fresh board.
#[track_caller]
pub fn check(steps: &[Step]) {
    Bench::new().run(steps);
}

impl Bench {
    pub fn new() -> Self {
        Self::of(config())
    }

    pub fn of(config: DevKitConfig) -> Self {
        let mut devkit = DevKit::new(config);
        devkit.program(0x0800_0000, &SLEEPER).unwrap();
        devkit.set_power(Power::On);
        assert_eq!(devkit.run_until(VirtualTime::from_millis(1)), Stop::Asleep);
        Self { devkit }
    }

    #[track_caller]
    pub fn run(&mut self, steps: &[Step]) -> &mut Self {
        for (index, step) in steps.iter().enumerate() {
            match *step {
                Write(address, value) => self.write(address, value),
                Read(address, mask, value) => {
                    let found = self.read(address) & mask;
                    assert_eq!(
                        found, value,
                        "step {index}: {address:#010x} is {found:#x}, not {value:#x}"
                    );
                }
                Wait(nanos) => self.wait(nanos),
                Interrupt(irq, raised) => {
                    assert_eq!(self.raised(irq), raised, "step {index}: interrupt {irq}");
                }
            }
        }
        self
    }

    #[track_caller]
    pub fn write(&mut self, address: u32, value: u32) {
        self.devkit
            .write_memory(address, &value.to_le_bytes())
            .unwrap();
    }

    #[track_caller]
    pub fn read(&mut self, address: u32) -> u32 {
        let mut bytes = [0; 4];
        self.devkit.read_memory(address, &mut bytes).unwrap();
        u32::from_le_bytes(bytes)
    }

    pub fn wait(&mut self, nanos: u64) {
        let end = self.devkit.now() + Duration::from_nanos(nanos);
        while self.devkit.now() < end {
            assert!(matches!(
                self.devkit.run_until(end),
                Stop::Deadline | Stop::Asleep
            ));
        }
    }

    /// Whether an interrupt became pending; clears it.
    pub fn raised(&mut self, irq: u32) -> bool {
        const ISPR: u32 = 0xE000_E200;
        const ICPR: u32 = 0xE000_E280;
        // The processor looks at the lines when it runs.
        self.wait(1);
        let offset = irq / 32 * 4;
        let bit = 1 << (irq % 32);
        let raised = self.read(ISPR + offset) & bit != 0;
        self.write(ICPR + offset, bit);
        raised
    }
}
