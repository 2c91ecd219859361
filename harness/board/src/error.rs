//! What goes wrong between a host and a board: never the firmware's fault.

use az3166_target::TargetError;

/// Trouble with a board, its probe or its console.
#[derive(Debug, thiserror::Error)]
pub enum BoardError {
    /// no probe with the serial number {serial} is connected; there are: {present}
    #[error("no probe with the serial number {serial} is connected; there are: {present}")]
    NoProbe {
        /// The serial number that was looked for.
        serial: String,
        /// The serial numbers that are there.
        present: String,
    },
    /// {count} probes have the serial number {serial}
    #[error("{count} probes have the serial number {serial}")]
    DuplicateSerial {
        /// The serial number.
        serial: String,
        /// How many.
        count: usize,
    },
    /// this user may not open the probe {serial}
    #[error("this user may not open the probe {serial}")]
    PermissionDenied {
        /// The serial number.
        serial: String,
    },
    /// the probe {serial} does not open: {reason}
    #[error("the probe {serial} does not open: {reason}")]
    ProbeNotOpened {
        /// The serial number.
        serial: String,
        /// What probe-rs says.
        reason: String,
    },
    /// probe-rs knows no chip `{0}`
    #[error("probe-rs knows no chip `{0}`")]
    UnknownChip(String),
    /// the chip does not answer; tried: {tried}
    #[error("the chip does not answer; tried: {tried}")]
    NotAttached {
        /// What was tried, and what came of it.
        tried: String,
    },
    /// the probe or the chip failed to {what}: {reason}
    #[error("the probe or the chip failed to {what}: {reason}")]
    Debug {
        /// What was done.
        what: &'static str,
        /// What probe-rs says.
        reason: String,
    },
    /// the chip has the unique ID {found}, and the board's is {expected}: this is another board
    #[error(
        "the chip has the unique ID {found}, and the board's is {expected}: this is another board"
    )]
    WrongBoard {
        /// The ID in the inventory.
        expected: String,
        /// The chip's own.
        found: String,
    },
    /// the chip's device ID is {found:#05x}, and an STM32F412 has 0x441
    #[error("the chip's device ID is {found:#05x}, and an STM32F412 has 0x441")]
    WrongChip {
        /// DBGMCU_IDCODE bits 11:0.
        found: u32,
    },
    /// this board was not used by hil before: its flash would be overwritten, and zones 5 (settings) and 6 (UDS) of its STSAFE, which nobody can save
    #[error(
        "this board was not used by hil before: its flash would be overwritten, and zones 5 (settings) and 6 (UDS) of its STSAFE, which nobody can save"
    )]
    NotTakenOver,
    /// flash at {address:#010x} belongs to the bootloader
    #[error("flash at {address:#010x} belongs to the bootloader")]
    BootloaderProtected {
        /// Where the image lies.
        address: u32,
    },
    /// the bootloader did not reach the application at {entry:#010x} within {seconds} s
    #[error("the bootloader did not reach the application at {entry:#010x} within {seconds} s")]
    BootloaderStuck {
        /// The application's entry.
        entry: u32,
        /// How long it had.
        seconds: u64,
    },
    /// flash was not written: {reason}
    #[error("flash was not written: {reason}")]
    Flash {
        /// What probe-rs says.
        reason: String,
    },
    /// the file {path} cannot be used: {reason}
    #[error("the file {path} cannot be used: {reason}")]
    File {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// the console {path} cannot be used: {reason}
    #[error("the console {path} cannot be used: {reason}")]
    Console {
        /// The device file.
        path: String,
        /// Why.
        reason: String,
    },
    /// no serial port belongs to the probe {serial}
    #[error("no serial port belongs to the probe {serial}")]
    NoConsole {
        /// The probe's serial number.
        serial: String,
    },
    /// `enable_secure` is never sent to a board: it pairs the secure element for good
    #[error("`enable_secure` is never sent to a board: it pairs the secure element for good")]
    EnableSecure,
    /// the secure element must not be written: {reason}
    #[error("the secure element must not be written: {reason}")]
    WornOut {
        /// Why.
        reason: String,
    },
    /// the button's relay did not work: {reason}
    #[error("the button's relay did not work: {reason}")]
    Relay {
        /// Why.
        reason: String,
    },
    /// the board's power was not switched: {reason}
    #[error("the board's power was not switched: {reason}")]
    Power {
        /// Why.
        reason: String,
    },
}

impl BoardError {
    /// What a person does about it.
    pub const fn todo(&self) -> &'static str {
        match self {
            Self::NoProbe { .. } => {
                "plug the board in, or correct its probe serial in the rack file"
            }
            Self::DuplicateSerial { .. } => {
                "unplug all of them but one: boards are told apart by this number alone"
            }
            Self::PermissionDenied { .. } => {
                "install the udev rules of ci/rack and join their group"
            }
            Self::ProbeNotOpened { .. } => {
                "close whatever else uses the probe, or plug it in again"
            }
            Self::UnknownChip(_) => "write `chip: STM32F412RG` in the rack file",
            Self::NotAttached { .. } => "cut the board's power for a moment, then try again",
            Self::Debug { .. } => "plug the board in again and repeat the run",
            Self::WrongBoard { .. } => "correct `uid` or the probe serial in the rack file",
            Self::WrongChip { .. } => "connect an AZ3166 to this probe",
            Self::NotTakenOver => {
                "repeat the command with --take-over: it saves the flash to a file first"
            }
            Self::BootloaderProtected { .. } => {
                "link the image at 0x0800C000, or give --replace-bootloader"
            }
            Self::BootloaderStuck { .. } => {
                "restore the bootloader by `hil rack restore`, or give --replace-bootloader"
            }
            Self::Flash { .. } => {
                "repeat the run; if it happens again, the chip's flash is worn or protected"
            }
            Self::File { .. } => "check the folder's permissions and space",
            Self::Console { .. } => "close whatever else uses the port, or plug the board in again",
            Self::NoConsole { .. } => "name the port in the rack file: `console: /dev/ttyACM0`",
            Self::EnableSecure => "use the emulator for scenarios that need it",
            Self::WornOut { .. } => "use another board",
            Self::Relay { .. } => "check `buttons` in the rack file",
            Self::Power { .. } => "check the hub by `hil rack doctor`",
        }
    }

    /// A failure of probe-rs while it did `what`.
    pub(crate) fn debug(what: &'static str, error: impl Into<probe_rs::Error>) -> Self {
        Self::Debug {
            what,
            reason: chain(&error.into()),
        }
    }
}

impl From<BoardError> for TargetError {
    fn from(error: BoardError) -> Self {
        Self::Infrastructure {
            what: error.to_string(),
            todo: error.todo().into(),
        }
    }
}

/// An error with all its causes, none twice.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let more = inner.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = inner.source();
    }
    text
}
