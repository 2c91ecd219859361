//! What a child cargo must not inherit: everything that changes the image or fights for a lock.

use std::ffi::OsStr;
use std::process::Command;

/// Whose crate is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// This project's firmware: nothing outside its sources and the compiler may change its bytes.
    Project,
    /// A user's crate: its own configuration and toolchain file count.
    User,
}

/// Prepares `program` with a clean environment.
pub fn clean(program: &OsStr, owner: Owner) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| is_dropped(name, owner)) {
            command.env_remove(name);
        }
    }
    if owner == Owner::Project {
        // Empty values win over the wrappers of a configuration file.
        command.env("RUSTC_WRAPPER", "");
        command.env("RUSTC_WORKSPACE_WRAPPER", "");
    }
    command
}

/// Cargo's variables stay only where they say how to reach a registry, how to talk to people, or
/// which linker to take.
fn is_dropped(name: &str, owner: Owner) -> bool {
    const KEPT: [&str; 6] = [
        "CARGO_HOME",
        "CARGO_HTTP_",
        "CARGO_NET_",
        "CARGO_REGISTR",
        "CARGO_SOURCE_",
        "CARGO_TERM_",
    ];
    const DROPPED: [&str; 11] = [
        "CARGO",
        "MAKEFLAGS",
        "MFLAGS",
        "RUSTC",
        "RUSTC_BOOTSTRAP",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTC_WRAPPER",
        "RUSTDOC",
        "RUSTDOCFLAGS",
        "RUSTFLAGS",
        "RUST_TARGET_PATH",
    ];
    let linker = name.starts_with("CARGO_TARGET_") && name.ends_with("_LINKER");
    let kept = linker || KEPT.iter().any(|prefix| name.starts_with(prefix));
    let chosen_outside = name == "RUSTUP_TOOLCHAIN" && owner == Owner::User;
    DROPPED.contains(&name) || (name.starts_with("CARGO_") && !kept) || chosen_outside
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    fn what_changes_the_image_goes(
        #[values(
            "RUSTFLAGS",
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_BUILD_TARGET",
            "CARGO_BUILD_RUSTFLAGS",
            "CARGO_PROFILE_RELEASE_LTO",
            "CARGO_TARGET_DIR",
            "CARGO_INCREMENTAL",
            "RUSTC_WRAPPER",
            "RUSTC",
            "CARGO_TARGET_THUMBV7EM_NONE_EABI_RUSTFLAGS",
            "CARGO_MANIFEST_DIR",
            "CARGO_MAKEFLAGS",
            "MAKEFLAGS"
        )]
        name: &str,
    ) {
        assert!(is_dropped(name, Owner::Project) && is_dropped(name, Owner::User));
    }

    #[rstest]
    fn what_only_reaches_things_stays(
        #[values(
            "PATH",
            "HOME",
            "CARGO_HOME",
            "CARGO_HTTP_CAINFO",
            "CARGO_NET_OFFLINE",
            "CARGO_REGISTRIES_X_TOKEN",
            "CARGO_REGISTRY_TOKEN",
            "CARGO_TERM_COLOR",
            "RUSTUP_HOME",
            "RUSTUP_AUTO_INSTALL",
            "CARGO_TARGET_THUMBV7EM_NONE_EABI_LINKER"
        )]
        name: &str,
    ) {
        assert!(!is_dropped(name, Owner::Project) && !is_dropped(name, Owner::User));
    }

    #[test]
    fn a_user_crate_chooses_its_toolchain() {
        assert!(is_dropped("RUSTUP_TOOLCHAIN", Owner::User));
        assert!(!is_dropped("RUSTUP_TOOLCHAIN", Owner::Project));
    }
}
