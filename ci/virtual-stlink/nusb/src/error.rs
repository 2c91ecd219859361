//! Errors of everything but transfers.

use std::fmt;
use std::io;

/// What kind of trouble it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The device is gone.
    Disconnected,
    /// Somebody else has the device or interface.
    Busy,
    /// The user may not.
    PermissionDenied,
    /// There is no such interface, endpoint or setting.
    NotFound,
    /// The software USB cannot do that.
    Unsupported,
    /// Anything else.
    Other,
}

/// Trouble with a device.
#[derive(Clone, Debug)]
pub struct Error {
    kind: ErrorKind,
    message: &'static str,
}

impl Error {
    pub(crate) const fn new(kind: ErrorKind, message: &'static str) -> Self {
        Self { kind, message }
    }

    /// What kind of trouble it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message)
    }
}

impl std::error::Error for Error {}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error.kind {
            ErrorKind::Disconnected => io::ErrorKind::NotConnected,
            ErrorKind::PermissionDenied => io::ErrorKind::PermissionDenied,
            ErrorKind::NotFound => io::ErrorKind::NotFound,
            ErrorKind::Unsupported => io::ErrorKind::Unsupported,
            ErrorKind::Busy | ErrorKind::Other => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

/// The device has no configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActiveConfigurationError;

impl fmt::Display for ActiveConfigurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("device is not configured")
    }
}

impl std::error::Error for ActiveConfigurationError {}

impl From<ActiveConfigurationError> for Error {
    fn from(_: ActiveConfigurationError) -> Self {
        Self::new(ErrorKind::Other, "device is not configured")
    }
}

impl From<ActiveConfigurationError> for io::Error {
    fn from(error: ActiveConfigurationError) -> Self {
        Self::other(error)
    }
}

/// A descriptor could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GetDescriptorError;

impl fmt::Display for GetDescriptorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the descriptor cannot be read")
    }
}

impl std::error::Error for GetDescriptorError {}

impl From<GetDescriptorError> for Error {
    fn from(_: GetDescriptorError) -> Self {
        Self::new(ErrorKind::Other, "the descriptor cannot be read")
    }
}

impl From<GetDescriptorError> for io::Error {
    fn from(error: GetDescriptorError) -> Self {
        Self::other(error)
    }
}
