//! Programs of `benches/programs`, built with rustc for the microcontroller's target.

use object::{Object, ObjectSegment};
use std::error::Error;
use std::path::Path;
use std::process::Command;

const TARGET: &str = "thumbv7em-none-eabi";
const FLASH: u64 = 0x0800_0000;

/// What to say where [`build`] has no target.
pub const MISSING: &str =
    "target thumbv7em-none-eabi is not installed (rustup target add thumbv7em-none-eabi)";

/// What a program puts into flash, or None where the target is not installed; the ELF goes to `folder`.
///
/// # Errors
/// What rustc says, or what is wrong with its output.
pub fn build(name: &str, folder: &Path) -> Result<Option<Vec<u8>>, Box<dyn Error>> {
    let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/programs");
    let output = folder.join(format!("{name}.elf"));
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let built = Command::new(rustc)
        .args(["--edition=2024", "--target", TARGET, "-O", "-Cpanic=abort"])
        .args(["-Ctarget-cpu=cortex-m4", "-Ctarget-feature=-fpregs"])
        .arg(format!(
            "-Clink-arg=-T{}",
            programs.join("link.x").display()
        ))
        .arg("-o")
        .arg(&output)
        .arg(programs.join(format!("{name}.rs")))
        .output()?;
    if !built.status.success() {
        let message = String::from_utf8_lossy(&built.stderr);
        if message.contains("can't find crate") {
            return Ok(None);
        }
        return Err(message.into());
    }
    let elf = std::fs::read(&output)?;
    let mut flash = Vec::new();
    for segment in object::File::parse(&*elf)?.segments() {
        let data = segment.data()?;
        // Segments elsewhere are RAM's, and empty.
        if let Some(offset) = segment.address().checked_sub(FLASH)
            && !data.is_empty()
        {
            let (start, end) = (offset as usize, offset as usize + data.len());
            flash.resize(end.max(flash.len()), 0xFF);
            flash[start..end].copy_from_slice(data);
        }
    }
    Ok(Some(flash))
}
