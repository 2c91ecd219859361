//! Runs an image on QEMU's Cortex-M4 (machine netduinoplus2: the STM32F405, whose flash and RAM
//! lie where the STM32F412's do) and brings back its RAM.

use crate::support::assembler::Assembler;
use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const QEMU: &str = "qemu-system-arm";
/// Set to 1 where a missing QEMU is a failure.
const REQUIRE: &str = "AZ3166_REQUIRE_QEMU";
const DEADLINE: Duration = Duration::from_secs(60);

pub const RAM_BASE: u32 = 0x2000_0000;
/// How much RAM is compared: what the STM32F405 has in one piece, less some words of our own.
pub const RAM_SIZE: u32 = 0x2_0000 - 16;

/// Whether QEMU is there; says so when it is not.
///
/// # Panics
/// When it is absent and `AZ3166_REQUIRE_QEMU=1`.
pub fn is_available() -> bool {
    let version = Command::new(QEMU).arg("--version").output();
    match version {
        Ok(output) if output.status.success() => true,
        _ => {
            assert!(
                std::env::var(REQUIRE).as_deref() != Ok("1"),
                "{QEMU} not found, and {REQUIRE}=1: install package qemu-system-arm"
            );
            println!("skipped: {QEMU} not found");
            false
        }
    }
}

/// The end of a program: writes RAM to the file `ram.bin` by semihosting and leaves QEMU.
///
/// On our side the first BKPT ends the run.
pub fn finish(assembler: &mut Assembler) {
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

/// RAM after `image` ran to its end in QEMU.
pub fn run(name: &str, image: &[u8]) -> io::Result<Vec<u8>> {
    let folder = folder(name)?;
    std::fs::write(folder.join("image.bin"), image)?;
    let mut child = Command::new(QEMU)
        .args([
            "-M",
            "netduinoplus2",
            "-display",
            "none",
            "-monitor",
            "none",
        ])
        .args(["-serial", "null", "-semihosting-config"])
        .args(["enable=on,target=native", "-kernel", "image.bin"])
        .current_dir(&folder)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let start = Instant::now();
    while child.try_wait()?.is_none() {
        if start.elapsed() > DEADLINE {
            child.kill()?;
            child.wait()?;
            return Err(io::Error::other(format!(
                "QEMU did not end in {DEADLINE:?}"
            )));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let ram = std::fs::read(folder.join("ram.bin"));
    let output = child.wait_with_output()?;
    let ram = ram.map_err(|_| io::Error::other(String::from_utf8_lossy(&output.stderr)))?;
    std::fs::remove_dir_all(folder)?;
    Ok(ram)
}

fn folder(name: &str) -> io::Result<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("qemu-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}
