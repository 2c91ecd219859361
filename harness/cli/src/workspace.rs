//! Where this project's checkout lies.

use std::env;
use std::path::{Path, PathBuf};

/// The checkout that holds `firmware/` and `scenarios/`: the nearest folder above the current one,
/// else the one that this program was built from.
pub fn root() -> Option<PathBuf> {
    let here = env::current_dir().ok();
    let above = here.iter().flat_map(|folder| folder.ancestors());
    let built_from = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let mut candidates = above.chain(built_from);
    candidates
        .find(|folder| is_root(folder))
        .map(Path::to_owned)
}

fn is_root(folder: &Path) -> bool {
    folder.join("firmware/Cargo.toml").is_file() && folder.join("harness/cli/Cargo.toml").is_file()
}
