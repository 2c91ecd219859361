//! The probe on a socket, for other processes: an unmodified probe-rs reaches it by the selector
//! `20b7:9db1:unix:<path>`.

use core::time::Duration;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use az3166_debug_port::{Glasgow, Refusal, Request, Swd};
use az3166_emulator::ResetPin;

use super::{Shared, Wire};

/// How often the thread looks whether the board is still there.
const TICK: Duration = Duration::from_millis(20);

impl Swd for &Wire {
    fn clock(&mut self, bits: u64, count: u32) {
        Wire::clock(self, bits, count);
    }

    fn transfer(&mut self, request: Request) -> Result<u32, Refusal> {
        Wire::transfer(self, request)
    }

    fn set_reset_pin(&mut self, level: ResetPin) {
        Wire::set_reset_pin(self, level);
    }
}

/// Serves one debugger at a time at `path`, until the board is gone.
pub(super) fn serve(board: &Arc<Shared>, path: &Path) -> io::Result<JoinHandle<()>> {
    let listener = UnixListener::bind(path)?;
    listener.set_nonblocking(true)?;
    let wire = Wire(Arc::clone(board));
    std::thread::Builder::new()
        .name("virtual probe".into())
        .spawn(move || {
            while !wire.0.stop.load(Ordering::SeqCst) {
                match listener.accept() {
                    // A connection that breaks is a cable that was pulled.
                    Ok((stream, _)) => drop(converse(&wire, stream)),
                    Err(_) => std::thread::sleep(TICK),
                }
            }
        })
}

fn converse(wire: &Wire, mut stream: UnixStream) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(TICK))?;
    wire.0.claimed.store(true, Ordering::SeqCst);
    let _claim = Claim(wire);
    let mut glasgow = Glasgow::default();
    let mut bytes = vec![0; 1 << 16];
    while !wire.0.stop.load(Ordering::SeqCst) {
        match stream.read(&mut bytes) {
            Ok(0) => return Ok(()),
            Ok(count) => {
                let answer = glasgow
                    .receive(&bytes[..count], &mut &*wire)
                    .map_err(io::Error::other)?;
                stream.write_all(&answer)?;
            }
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                ) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The probe is in use as long as this lives.
struct Claim<'a>(&'a Wire);

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.0.0.claimed.store(false, Ordering::SeqCst);
    }
}
