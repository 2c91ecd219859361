//! The serial console: found by the probe's serial number, opened before the board starts.

use std::io::{ErrorKind, Read as _, Write as _};
use std::time::Instant;

use core::time::Duration;
use serialport::{ClearBuffer, SerialPort, SerialPortType};

use crate::error::BoardError;

const BAUD: u32 = 115_200;
/// How long the port may take to accept what is typed.
const WRITE: Duration = Duration::from_secs(2);
/// After this silence of a halted board, nothing is on its way any more.
const SILENCE: Duration = Duration::from_millis(20);

/// Where a board's console is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConsoleAddress {
    /// The virtual COM port of the same USB device as the probe.
    OfProbe,
    /// A device file.
    Path(String),
}

/// An open console.
pub(crate) struct Console {
    port: Box<dyn SerialPort>,
    path: String,
    /// The line that is being typed, for the guard.
    line: Vec<u8>,
}

impl core::fmt::Debug for Console {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Console")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Console {
    /// Opens the console for this process alone; what the board printed before is dropped.
    pub(crate) fn open(address: &ConsoleAddress, serial: &str) -> Result<Self, BoardError> {
        let path = match address {
            ConsoleAddress::OfProbe => find(serial)?,
            ConsoleAddress::Path(path) => path.clone(),
        };
        let failed = |error: serialport::Error| BoardError::Console {
            path: path.clone(),
            reason: error.to_string(),
        };
        let port = serialport::new(&path, BAUD)
            .timeout(Duration::ZERO)
            .open()
            .map_err(failed)?;
        // Where there are no modem lines, they are not needed either.
        port.clear(ClearBuffer::Input).map_err(failed)?;
        Ok(Self {
            port,
            path,
            line: Vec::new(),
        })
    }

    fn failed(&self, reason: &dyn core::fmt::Display) -> BoardError {
        BoardError::Console {
            path: self.path.clone(),
            reason: reason.to_string(),
        }
    }

    /// What the board has printed since the last call.
    pub(crate) fn take(&mut self) -> Result<Vec<u8>, BoardError> {
        let mut bytes = Vec::new();
        let mut chunk = [0; 4096];
        loop {
            match self.port.read(&mut chunk) {
                Ok(0) => return Err(self.failed(&"it was unplugged")),
                Ok(count) => bytes.extend_from_slice(&chunk[..count]),
                Err(error) if error.kind() == ErrorKind::TimedOut => return Ok(bytes),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                    return Err(self.failed(&"it was unplugged"));
                }
                Err(error) => return Err(self.failed(&error)),
            }
        }
    }

    /// Drops what a board that is halted by now has printed, with what is still on its way.
    pub(crate) fn drop_unread(&mut self) -> Result<(), BoardError> {
        // Of a halted board this ends as soon as all is here; nothing else may hold a run up.
        for _ in 0..10 {
            std::thread::sleep(SILENCE);
            if self.take()?.is_empty() {
                break;
            }
        }
        Ok(())
    }

    /// Types `bytes`, but never a line that pairs the secure element.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<(), BoardError> {
        for byte in bytes {
            if let Typed::Refused = note(&mut self.line, *byte) {
                return Err(BoardError::EnableSecure);
            }
        }
        let started = Instant::now();
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.port.write(rest) {
                Ok(count) => rest = &rest[count..],
                Err(error)
                    if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::Interrupted)
                        && started.elapsed() < WRITE =>
                {
                    std::thread::sleep(Duration::from_millis(1));
                }
                Err(error) => return Err(self.failed(&error)),
            }
        }
        Ok(())
    }
}

/// Whether a byte may be typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Typed {
    Allowed,
    Refused,
}

/// Follows the device's line editor; refuses the Enter that would run `enable_secure`, however it
/// is quoted or escaped.
fn note(line: &mut Vec<u8>, byte: u8) -> Typed {
    match byte {
        b'\r' | b'\n' => {
            let words = String::from_utf8_lossy(line).to_ascii_lowercase();
            line.clear();
            if words.contains("enable_secure") {
                return Typed::Refused;
            }
        }
        0x08 | 0x7F => {
            line.pop();
        }
        b'"' | b'\\' => {}
        _ => line.push(byte),
    }
    Typed::Allowed
}

/// The virtual COM port of the USB device with the serial number `serial`.
fn find(serial: &str) -> Result<String, BoardError> {
    let missing = || BoardError::NoConsole {
        serial: serial.into(),
    };
    // The listing panics without sysfs.
    if cfg!(target_os = "linux") && !std::path::Path::new("/sys/class/tty").exists() {
        return Err(missing());
    }
    let ports = serialport::available_ports().map_err(|_| missing())?;
    let is_ours = |kind: &SerialPortType| match kind {
        SerialPortType::UsbPort(usb) => usb
            .serial_number
            .as_ref()
            .is_some_and(|it| it.eq_ignore_ascii_case(serial)),
        _ => false,
    };
    let port = ports.into_iter().find(|port| is_ours(&port.port_type));
    port.map(|port| port.port_name).ok_or_else(missing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("enable_secure 1\r", Typed::Refused)]
    #[case("\"enable_secure\" 1\r", Typed::Refused)]
    #[case("en\"able_sec\"ure 1\r", Typed::Refused)]
    #[case("enable\\_secure 1\r", Typed::Refused)]
    #[case("ENABLE_SECURE 1\r", Typed::Refused)]
    #[case("enablex\x08_secure 1\r", Typed::Refused)]
    #[case("x\renable_secure 1\n", Typed::Refused)]
    #[case("enable_secure 1", Typed::Allowed)]
    #[case("enable\rsecure\r", Typed::Allowed)]
    #[case("set_dps_uds 00\r", Typed::Allowed)]
    fn enable_secure_is_never_entered(#[case] typed: &str, #[case] expected: Typed) {
        let mut line = Vec::new();
        let refused = typed
            .bytes()
            .any(|byte| note(&mut line, byte) == Typed::Refused);
        assert_eq!(refused, expected == Typed::Refused);
    }
}
