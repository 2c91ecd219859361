//! From a serial number to a debug session, by the order of tries that real boards need.
//!
//! A normal attach comes first, at falling speeds. An attach under reset fails on a chip that was
//! just powered: probe-rs sets DEMCR.VC_CORERESET while DHCSR.C_DEBUGEN is 0, which Armv7-M
//! ignores; that try leaves C_DEBUGEN set, so the second one works. Hence twice.

use std::sync::OnceLock;

use probe_rs::config::Registry;
use probe_rs::probe::WireProtocol;
use probe_rs::probe::list::Lister;
use probe_rs::{Permissions, Session, Target};

use crate::error::{BoardError, chain};
use crate::probe::{Access, select};

/// The clocks of an ST-Link/V2-1 that are tried, in kHz.
const SPEEDS: [u32; 3] = [4600, 1800, 480];

/// Which board, and how fast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoardAddress {
    /// The serial number of its probe.
    pub serial: String,
    /// The chip's name in probe-rs.
    pub chip: String,
    /// The fastest clock to try, in kHz; none for what the probe can do.
    pub speed_khz: Option<u32>,
}

/// One way to attach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Approach {
    /// While the firmware runs, at this clock in kHz.
    Normal {
        /// The clock.
        khz: u32,
    },
    /// With the reset pin held.
    UnderReset,
}

impl BoardAddress {
    /// All ways, in the order in which they are tried.
    pub fn approaches(&self) -> Vec<Approach> {
        let limit = self.speed_khz.unwrap_or(SPEEDS[0]);
        let mut speeds: Vec<u32> = SPEEDS.into_iter().filter(|khz| *khz < limit).collect();
        speeds.insert(0, limit);
        let normal = speeds.into_iter().map(|khz| Approach::Normal { khz });
        normal.chain([Approach::UnderReset; 2]).collect()
    }

    /// Attaches by one way.
    ///
    /// # Errors
    /// The probe cannot be opened, or the chip does not answer.
    pub fn attach_by(&self, approach: Approach) -> Result<Session, BoardError> {
        let target = chip(&self.chip)?;
        let lister = Lister::new();
        let (selector, access) = select(&lister, &self.serial)?;
        let not_opened = |error: probe_rs::probe::DebugProbeError| BoardError::ProbeNotOpened {
            serial: self.serial.clone(),
            reason: chain(&error),
        };
        let mut probe = lister.open(selector).map_err(|error| match access {
            Access::Denied if is_refusal(&error) => BoardError::PermissionDenied {
                serial: self.serial.clone(),
            },
            _ => not_opened(error),
        })?;
        probe
            .select_protocol(WireProtocol::Swd)
            .map_err(not_opened)?;
        let khz = match approach {
            Approach::Normal { khz } => khz,
            Approach::UnderReset => self.speed_khz.unwrap_or(SPEEDS[1]),
        };
        // A probe that cannot be told keeps its own speed.
        let _ = probe.set_speed(khz);
        let permissions = Permissions::default();
        match approach {
            Approach::Normal { .. } => probe.attach(target, permissions),
            Approach::UnderReset => probe.attach_under_reset(target, permissions),
        }
        .map_err(|error| BoardError::NotAttached {
            tried: format!("{approach}: {}", chain(&error)),
        })
    }

    /// Attaches by the first way that works.
    ///
    /// # Errors
    /// The probe cannot be opened, or none works.
    pub fn attach(&self) -> Result<Session, BoardError> {
        let mut tried = Vec::new();
        for approach in self.approaches() {
            match self.attach_by(approach) {
                Err(BoardError::NotAttached { tried: why }) => tried.push(why),
                other => return other,
            }
        }
        Err(BoardError::NotAttached {
            tried: tried.join("; "),
        })
    }
}

impl core::fmt::Display for Approach {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Normal { khz } => write!(f, "at {khz} kHz"),
            Self::UnderReset => f.write_str("under reset"),
        }
    }
}

/// Whether a probe was not opened because the user may not, and not because it is in use or gone.
fn is_refusal(error: &probe_rs::probe::DebugProbeError) -> bool {
    let mut cause: Option<&(dyn core::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            return io.kind() == std::io::ErrorKind::PermissionDenied;
        }
        cause = error.source();
    }
    false
}

/// What probe-rs knows of the chip; its list is read once a process.
fn chip(name: &str) -> Result<Target, BoardError> {
    static REGISTRY: OnceLock<Registry> = OnceLock::new();
    REGISTRY
        .get_or_init(Registry::from_builtin_families)
        .get_target_by_name(name)
        .map_err(|_| BoardError::UnknownChip(name.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn under_reset_comes_last_and_twice() {
        let mut board = BoardAddress {
            serial: String::new(),
            chip: String::new(),
            speed_khz: None,
        };
        let normal = |khz| Approach::Normal { khz };
        let under = Approach::UnderReset;
        assert_eq!(
            board.approaches(),
            [normal(4600), normal(1800), normal(480), under, under]
        );
        board.speed_khz = Some(1000);
        assert_eq!(
            board.approaches(),
            [normal(1000), normal(480), under, under]
        );
    }

    #[test]
    fn the_chip_must_be_named() {
        assert!(chip("STM32F412RG").is_ok());
        assert!(matches!(chip("STM32F999"), Err(BoardError::UnknownChip(_))));
    }
}
