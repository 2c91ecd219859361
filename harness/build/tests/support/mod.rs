//! A firmware workspace without dependencies, written anew for each test.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use az3166_build::{Build, Limits, Programs};

const WORKSPACE: &str = r#"
[workspace]
resolver = "3"
members = ["app", "boot-stub"]
[profile.release]
codegen-units = 1
debug = "line-tables-only"
lto = "fat"
opt-level = "s"
panic = "abort"
"#;

const LOCK: &str = r#"
version = 4

[[package]]
name = "boot-stub"
version = "1.0.0"

[[package]]
name = "scratch"
version = "1.0.0"
"#;

const BUILD_SCRIPT: &str = r#"
fn main() {
    let out = std::path::PathBuf::from(std::env::var_os("OUT_DIR").unwrap());
    std::fs::write(out.join("scratch.x"), include_str!("scratch.x")).unwrap();
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rustc-link-arg-bins=-Tscratch.x");
    println!("cargo:rerun-if-changed=build.rs");
}
"#;

const LINKER_SCRIPT: &str = "
SECTIONS
{
  . = ORIGIN;
  .vectors : { KEEP(*(.vectors)); }
  .riot_core : { __start_riot_core = .; KEEP(*(.riot_core)); . = ALIGN(4); __stop_riot_core = .; }
  .text : { __start_riot_fw = .; KEEP(*(.text.main)); *(.text .text.* .rodata .rodata.*); . = ALIGN(4); __stop_riot_fw = .; }
  /DISCARD/ : { *(.ARM.exidx .ARM.exidx.*); }
}
";

const MAIN: &str = r#"
#![no_std]
#![no_main]
#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    let name = info.location().map_or("", |location| location.file());
    let place = 0x2000_0000 as *mut (usize, usize);
    unsafe { place.write_volatile((name.as_ptr() as usize, name.len())) };
    loop {}
}
#[used]
#[unsafe(link_section = ".vectors")]
static VECTORS: (u32, extern "C" fn() -> !) = (0x2003_F000, main);
#[used]
#[unsafe(link_section = ".riot_core")]
static NOTE: [u8; 16] = *b"riot core note  ";
#[unsafe(no_mangle)]
extern "C" fn main() -> ! {
    let input = unsafe { (0x2000_0010 as *const usize).read_volatile() };
    let table = if cfg!(feature = "devkit-profile") { [1u8, 2, 3, 9] } else { [1, 2, 3, 4] };
    panic!("{}", table[input]);
}
"#;

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn crate_files(root: &Path, folder: &str, package: &str, program: &str, origin: &str) {
    let manifest = format!(
        "[package]\nname = \"{package}\"\nversion = \"1.0.0\"\nedition = \"2024\"\n\
         [[bin]]\nname = \"{program}\"\npath = \"src/main.rs\"\n\
         [features]\ndevkit-profile = []\nversion-alt = []\nleak-uds = []\n"
    );
    write(root, &format!("{folder}/Cargo.toml"), &manifest);
    write(root, &format!("{folder}/build.rs"), BUILD_SCRIPT);
    let script = LINKER_SCRIPT.replace("ORIGIN", origin);
    write(root, &format!("{folder}/scratch.x"), &script);
    write(root, &format!("{folder}/src/main.rs"), MAIN);
}

/// Writes the workspace to `root`.
pub fn workspace(root: &Path) -> PathBuf {
    write(root, "Cargo.toml", WORKSPACE);
    write(root, "Cargo.lock", LOCK);
    crate_files(root, "app", "scratch", "az3166-firmware", "0x0800C000");
    crate_files(root, "boot-stub", "boot-stub", "boot-stub", "0x08000000");
    root.into()
}

/// Writes a crate as a user may have one, with its own configuration.
pub fn user_crate(root: &Path) -> PathBuf {
    crate_files(root, ".", "mine", "my-firmware", "0x0800C000");
    write(
        root,
        "Cargo.toml",
        &format!(
            "{}\n[workspace]\n[profile.release]\npanic = \"abort\"\n",
            fs::read_to_string(root.join("Cargo.toml")).unwrap()
        ),
    );
    write(
        root,
        ".cargo/config.toml",
        "[build]\ntarget = \"thumbv7em-none-eabi\"\nrustflags = [\"--cfg\", \"mine\"]\n",
    );
    root.into()
}

/// Runs `body` with a build into `output` and returns its result and every line of progress.
pub fn with_build<T>(
    output: &Path,
    programs: &Programs,
    body: impl FnOnce(&mut Build<'_>) -> T,
) -> (T, Vec<String>) {
    let cancel = AtomicBool::new(false);
    let mut lines = Vec::new();
    let mut progress = |progress: az3166_build::Progress<'_>| lines.push(progress.to_string());
    let result = body(&mut Build {
        output,
        programs,
        limits: Limits::new(&cancel),
        progress: &mut progress,
    });
    (result, lines)
}
