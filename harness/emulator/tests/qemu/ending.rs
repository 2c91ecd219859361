//! How programs end: on QEMU with their RAM in a file, on our processor at BKPT.

use crate::support::assembler::Assembler;

pub const RAM_BASE: u32 = 0x2000_0000;
/// How much RAM is compared: what the STM32F405 has in one piece, less some words of our own.
pub const RAM_SIZE: u32 = 0x2_0000 - 16;

/// The end of a program: writes RAM to the file `ram.bin` by semihosting and leaves QEMU.
///
/// On our side the first BKPT ends the run.
pub fn append(assembler: &mut Assembler) {
    const OPEN: u32 = 0x01;
    const WRITE: u32 = 0x05;
    const EXIT: u32 = 0x18;
    const MODE_WB: u32 = 5;
    let file_name = assembler.label();
    let end = assembler.label();
    const CLOCK: u32 = 0x10;
    const ARGUMENTS: u32 = RAM_BASE + RAM_SIZE;
    const SEMIHOSTING: u32 = 0xAB;
    // A call without effect, where ours ends.
    assembler.constant(0, CLOCK).constant(1, 0);
    assembler.breakpoint(SEMIHOSTING);
    assembler.constant(4, ARGUMENTS);
    assembler.address(0, file_name);
    // The label is not code: clear the Thumb bit.
    assembler.half(0x3801).store(0, 4, 0);
    assembler.constant(0, MODE_WB).store(0, 4, 4);
    assembler.constant(0, "ram.bin".len() as u32).store(0, 4, 8);
    assembler.constant(0, OPEN).constant(1, ARGUMENTS);
    assembler.breakpoint(SEMIHOSTING);
    assembler.store(0, 4, 0);
    assembler.constant(0, RAM_BASE).store(0, 4, 4);
    assembler.constant(0, RAM_SIZE).store(0, 4, 8);
    assembler.constant(0, WRITE).constant(1, ARGUMENTS);
    assembler.breakpoint(SEMIHOSTING);
    assembler.constant(0, EXIT).constant(1, 0x2_0026);
    assembler.breakpoint(SEMIHOSTING);
    assembler.place(end);
    assembler.branch(end).align(4).place(file_name);
    for word in "ram.bin\0".as_bytes().chunks(4) {
        assembler.word(u32::from_le_bytes(word.try_into().unwrap()));
    }
}
