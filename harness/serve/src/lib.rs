//! A Device Provisioning Service and an IoT Hub on real sockets.

mod authority;

pub use authority::{Authority, AuthorityError, FolderError, Identities, Standing};
