//! Files in a folder that several users share.

use core::time::Duration;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::path::Path;

/// How often another process may come in between.
const ATTEMPTS: u32 = 20;

/// Opens a file that is there.
///
/// `O_CREAT` is not given even though it would do nothing: in a sticky folder the kernel refuses it
/// for a file of another user (`fs.protected_regular`, proc_sys_fs(5)).
pub fn open_existing(path: &Path) -> io::Result<File> {
    let file = options().open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::new(ErrorKind::InvalidInput, "it is no file")),
    }
}

/// Opens a file, or creates it for the whole group where it is not there.
pub fn open_or_create(path: &Path) -> io::Result<File> {
    let mut last = io::Error::from(ErrorKind::NotFound);
    for _ in 0..ATTEMPTS {
        match open_existing(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            // Another user has created it and is about to open it to the group.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                last = error;
                std::thread::sleep(Duration::from_millis(5));
                continue;
            }
            result => return result,
        }
        match options().create_new(true).open(path) {
            Ok(file) => {
                for_the_group(&file)?;
                return Ok(file);
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

/// Replaces what `file` holds.
pub fn rewrite(file: &File, text: &str) -> io::Result<()> {
    let mut file = file;
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(text.as_bytes())
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        // A link would let one user of the folder make another write elsewhere.
        let flags = rustix::fs::OFlags::NOFOLLOW;
        options.custom_flags(flags.bits().cast_signed());
    }
    options
}

/// The umask of most users would keep the group out.
#[cfg(unix)]
fn for_the_group(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(0o664))
}

#[cfg(not(unix))]
fn for_the_group(_: &File) -> io::Result<()> {
    Ok(())
}
