//! What comes out of a build: an ELF file, a flash image, a map, and what a device measures.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use az3166_identity::{FlashImage, ImageError, MeasuredRegions, gnu_map};
use sha2::{Digest, Sha256};

use crate::BuildError;

/// One linked image in three forms.
#[derive(Clone, Debug)]
pub struct BuiltImage {
    /// The linked file, with symbols and debug information.
    pub elf: PathBuf,
    /// What lies in flash, from its lowest address on; gaps hold 0xFF.
    pub bin: PathBuf,
    /// The image's base and symbols in the form of GNU ld's map.
    pub map: PathBuf,
    /// SHA-256 over the flash image, in hex digits.
    pub sha256: String,
}

/// A firmware image and what a device measures of it.
#[derive(Clone, Debug)]
pub struct BuiltFirmware {
    /// The image.
    pub image: BuiltImage,
    /// Both regions, or why an image that is not this project's has none.
    pub regions: Result<MeasuredRegions, ImageError>,
}

impl BuiltFirmware {
    /// Copies a linked file to `folder` and makes the other forms there, each written beside and
    /// renamed, so that no reader ever sees half of one.
    pub(crate) fn store(linked: &Path, folder: &Path, name: &str) -> Result<Self, BuildError> {
        let elf = fs::read(linked).map_err(BuildError::file("reading", linked))?;
        let damaged = |source| BuildError::Image {
            path: linked.into(),
            source,
        };
        let flash = FlashImage::from_elf(&elf).map_err(damaged)?;
        let map = gnu_map(&elf).map_err(damaged)?;
        fs::create_dir_all(folder).map_err(BuildError::file("creating", folder))?;
        let path = |ending: &str| folder.join(format!("{name}.{ending}"));
        let image = BuiltImage {
            elf: path("elf"),
            bin: path("bin"),
            map: path("map"),
            sha256: hex::encode(Sha256::digest(flash.bytes())),
        };
        replace(&image.elf, &elf)?;
        replace(&image.bin, flash.bytes())?;
        replace(&image.map, map.as_bytes())?;
        Ok(Self {
            image,
            regions: MeasuredRegions::from_elf(&elf),
        })
    }
}

fn replace(path: &Path, contents: &[u8]) -> Result<(), BuildError> {
    if fs::read(path).is_ok_and(|old| old == contents) {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut beside = tempfile::Builder::new();
    #[cfg(unix)]
    beside.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    let mut file = beside
        .tempfile_in(folder)
        .map_err(BuildError::file("creating a file in", folder))?;
    file.write_all(contents)
        .map_err(BuildError::file("writing", path))?;
    file.persist(path)
        .map(drop)
        .map_err(|error| BuildError::file("renaming to", path)(error.error))
}

/// Opens, or makes, the file whose lock stands for a folder.
pub(crate) fn lock_file(folder: &Path) -> Result<File, BuildError> {
    fs::create_dir_all(folder).map_err(BuildError::file("creating", folder))?;
    let path = folder.join(".hil-build-lock");
    File::create(&path).map_err(BuildError::file("creating", &path))
}
