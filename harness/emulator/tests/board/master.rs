//! An I2C master that drives I2C1's registers as a simple driver does, by polling.

use crate::script::*;

const I2C1: u32 = 0x4000_5400;
const CR1: u32 = I2C1;
const DR: u32 = I2C1 + 0x10;
const SR1: u32 = I2C1 + 0x14;
const SR2: u32 = I2C1 + 0x18;
const PE: u32 = 1;
const START: u32 = 1 << 8;
const STOP: u32 = 1 << 9;
const ACK: u32 = 1 << 10;
const SB: u32 = 1 << 0;
const ADDR: u32 = 1 << 1;
const BTF: u32 = 1 << 2;
const RXNE: u32 = 1 << 6;
const AF: u32 = 1 << 10;
const GPIOB: u32 = 0x4002_0400;

/// The other side refused its address or a byte.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused;

/// Clocks on, pins given to I2C1, 400 kHz.
pub fn set_up(bench: &mut Bench) {
    bench.run(&[
        Write(0x4002_3830, 0b111),
        Write(0x4002_3840, 1 << 21),
        Write(GPIOB + 0x04, 0x300),
        Write(GPIOB + 0x24, 0x44),
        Write(GPIOB, 0x000A_0280),
        Write(I2C1 + 0x04, 16),
        Write(I2C1 + 0x1C, 0x800D),
        Write(I2C1 + 0x20, 6),
        Write(CR1, PE),
    ]);
}

/// PB14 high, and the STSAFE's boot time.
pub fn power_secure_element(bench: &mut Bench) {
    bench.run(&[
        Write(GPIOB + 0x18, 1 << 14),
        Write(GPIOB, 0x100A_0280),
        Wait(50 * MILLISECOND),
    ]);
}

fn wait_for(bench: &mut Bench, flags: u32) -> Result<(), Refused> {
    for _ in 0..1000 {
        let status = bench.read(SR1);
        if status & AF != 0 {
            bench.run(&[
                Write(SR1, !AF),
                Write(CR1, PE | STOP),
                Wait(5 * MICROSECOND),
            ]);
            return Err(Refused);
        }
        if status & flags == flags {
            return Ok(());
        }
        bench.wait(MICROSECOND);
    }
    panic!("SR1 never showed {flags:#x}");
}

fn start(bench: &mut Bench, address: u32) -> Result<(), Refused> {
    bench.write(CR1, PE | ACK | START);
    wait_for(bench, SB)?;
    bench.write(DR, address);
    wait_for(bench, ADDR)
}

pub fn write(bench: &mut Bench, address: u8, bytes: &[u8]) -> Result<(), Refused> {
    start(bench, u32::from(address) << 1)?;
    bench.read(SR2);
    for byte in bytes {
        bench.write(DR, u32::from(*byte));
        wait_for(bench, BTF)?;
    }
    bench.run(&[Write(CR1, PE | STOP), Wait(5 * MICROSECOND)]);
    Ok(())
}

pub fn read(bench: &mut Bench, address: u8, length: usize) -> Result<Vec<u8>, Refused> {
    start(bench, u32::from(address) << 1 | 1)?;
    let mut bytes = Vec::new();
    if length == 1 {
        bench.write(CR1, PE);
    }
    bench.read(SR2);
    for left in (1..=length).rev() {
        wait_for(bench, RXNE)?;
        if left == 2 {
            bench.write(CR1, PE);
        }
        if left == 1 {
            bench.write(CR1, PE | STOP);
        }
        bytes.push(bench.read(DR) as u8);
    }
    bench.wait(5 * MICROSECOND);
    Ok(bytes)
}

/// Polls until the chip answers or `milliseconds` are over.
pub fn read_when_ready(
    bench: &mut Bench,
    address: u8,
    length: usize,
    milliseconds: u32,
) -> Vec<u8> {
    for _ in 0..milliseconds {
        if let Ok(bytes) = read(bench, address, length) {
            return bytes;
        }
        bench.wait(MILLISECOND);
    }
    panic!("{address:#x} stays busy");
}
