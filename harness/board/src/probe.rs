//! Which probe: by its serial number, never by its port.

use std::path::PathBuf;

use probe_rs::probe::DebugProbeSelector;
use probe_rs::probe::list::{Accessibility, Lister, ProbeListItem};

use crate::error::BoardError;

/// A probe that is plugged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeFound {
    /// Its serial number; empty where it has none.
    pub serial: String,
    /// What kind it is, for people.
    pub kind: String,
    /// Whether this user may open it.
    pub access: Access,
}

/// Whether a probe may be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It may.
    Allowed,
    /// It may not.
    Denied,
}

/// The variable that names a folder of sockets, each a virtual board's probe: `<serial>.swd`. For
/// tests and development.
pub const VIRTUAL_PROBES: &str = "HIL_VIRTUAL_PROBES";

/// The selector of the virtual probe with the serial number `serial`, where there is one.
fn virtual_probe(serial: &str) -> Option<DebugProbeSelector> {
    let folder = PathBuf::from(std::env::var_os(VIRTUAL_PROBES)?);
    let socket = folder.join(format!("{serial}.swd"));
    let socket = socket.exists().then_some(socket)?;
    format!("20b7:9db1:unix:{}", socket.display()).parse().ok()
}

/// The serial numbers of the virtual probes.
fn virtual_serials() -> Vec<String> {
    let folder = std::env::var_os(VIRTUAL_PROBES).map(PathBuf::from);
    let Some(entries) = folder.and_then(|folder| folder.read_dir().ok()) else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| {
            Some(
                entry
                    .ok()?
                    .file_name()
                    .to_str()?
                    .strip_suffix(".swd")?
                    .to_owned(),
            )
        })
        .collect()
}

/// The probes that are plugged in.
pub fn list_probes() -> Vec<ProbeFound> {
    let virtual_probes = virtual_serials().into_iter().map(|serial| ProbeFound {
        serial,
        kind: "virtual board".into(),
        access: Access::Allowed,
    });
    let found = Lister::new().list_all_with_access();
    let found = found.into_iter();
    found
        .map(|item| ProbeFound {
            serial: item.info.serial_number.clone().unwrap_or_default(),
            kind: item.info.identifier.clone(),
            access: access(&item),
        })
        .chain(virtual_probes)
        .collect()
}

/// The one probe with the serial number `serial`, and whether this user seems to be let at it. The
/// device node is only a hint: opening the probe is what tells.
pub(crate) fn select(
    lister: &Lister,
    serial: &str,
) -> Result<(DebugProbeSelector, Access), BoardError> {
    if let Some(selector) = virtual_probe(serial) {
        return Ok((selector, Access::Allowed));
    }
    let all = lister.list_with_access(None);
    let matches = |item: &&ProbeListItem| {
        let number = item.info.serial_number.as_ref();
        number.is_some_and(|number| number.eq_ignore_ascii_case(serial))
    };
    let found: Vec<&ProbeListItem> = all.iter().filter(matches).collect();
    match found.as_slice() {
        [] => Err(BoardError::NoProbe {
            serial: serial.into(),
            present: serials(&all),
        }),
        [one] => Ok((DebugProbeSelector::from(&one.info), access(one))),
        several => Err(BoardError::DuplicateSerial {
            serial: serial.into(),
            count: several.len(),
        }),
    }
}

fn access(item: &ProbeListItem) -> Access {
    match item.accessibility {
        Accessibility::Accessible => Access::Allowed,
        Accessibility::PermissionDenied => Access::Denied,
    }
}

fn serials(all: &[ProbeListItem]) -> String {
    let serials: Vec<&str> = all
        .iter()
        .filter_map(|item| item.info.serial_number.as_deref())
        .collect();
    match serials.is_empty() {
        true => "none".into(),
        false => serials.join(", "),
    }
}
