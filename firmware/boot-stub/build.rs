//! Hands the linker script to the linker.

use std::{env, io, path::PathBuf};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or(io::ErrorKind::NotFound)?);
    println!(
        "cargo:rustc-link-arg-bins=-T{}",
        root.join("boot-stub.x").display()
    );
    println!("cargo:rustc-link-arg-bins=--nmagic");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=boot-stub.x");
    Ok(())
}
