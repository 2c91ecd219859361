//! The virtual COM port: a pseudo-terminal whose far end is the board's USART6.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;

use rustix::fs::{OFlags, fcntl_setfl};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, ioctl_tiocnxcl, tcgetattr, tcsetattr};

/// The most that is moved at once, in bytes.
const CHUNK: usize = 4096;

/// Both ends of the pseudo-terminal.
#[derive(Debug)]
pub(super) struct Pty {
    master: File,
    /// Held open so that what is printed while nobody listens does no harm.
    slave: File,
    path: String,
}

impl Pty {
    pub(super) fn open() -> io::Result<Self> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let path = ptsname(&master, Vec::new())?;
        let path = path.into_string().map_err(io::Error::other)?;
        let slave = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(OFlags::NOCTTY.bits() as i32)
            .open(&path)?;
        let mut settings = tcgetattr(&slave)?;
        settings.make_raw();
        tcsetattr(&slave, OptionalActions::Now, &settings)?;
        fcntl_setfl(&master, OFlags::NONBLOCK)?;
        Ok(Self {
            master: File::from(master),
            slave,
            path,
        })
    }

    /// What a host opens.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// What the host has typed.
    pub(super) fn typed(&mut self) -> Vec<u8> {
        let mut bytes = [0; CHUNK];
        match self.master.read(&mut bytes) {
            Ok(count) => bytes[..count].to_vec(),
            // Nothing there.
            Err(_) => Vec::new(),
        }
    }

    /// Prints `bytes`; what does not fit is lost, as on a USB port that nobody reads.
    pub(super) fn print(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Ok(count @ 1..) = self.master.write(rest) {
            rest = &rest[count..];
        }
    }

    /// Takes back the exclusive mode that a host which was killed has left behind: a real port
    /// loses it with the last close, but this one's own end stays open. The host's file lock
    /// still keeps others out.
    pub(super) fn forget_exclusive_mode(&self) {
        let _ = ioctl_tiocnxcl(&self.slave);
    }
}
