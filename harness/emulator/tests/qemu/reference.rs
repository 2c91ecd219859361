//! Runs an image on QEMU's Cortex-M4 (machine netduinoplus2: the STM32F405, whose flash and RAM
//! lie where the STM32F412's do) and brings back its RAM.

use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const QEMU: &str = "qemu-system-arm";
/// Set to 1 where a missing QEMU is a failure.
const REQUIRE: &str = "AZ3166_REQUIRE_QEMU";
const DEADLINE: Duration = Duration::from_secs(60);

/// Whether QEMU is there; says so when it is not.
///
/// # Panics
/// When it is absent and `AZ3166_REQUIRE_QEMU=1`.
pub fn is_available() -> bool {
    let version = Command::new(QEMU).arg("--version").output();
    let available = version.is_ok_and(|output| output.status.success());
    if !available {
        skip("qemu-system-arm not found");
    }
    available
}

/// Says why a comparison is left out.
///
/// # Panics
/// When `AZ3166_REQUIRE_QEMU=1`.
pub fn skip(reason: &str) {
    assert!(
        std::env::var(REQUIRE).as_deref() != Ok("1"),
        "{reason}, and {REQUIRE}=1"
    );
    println!("skipped: {reason}");
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
