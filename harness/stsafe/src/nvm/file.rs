//! The image as a file.

/// Why bytes are not an NVM image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NvmFileError {}
