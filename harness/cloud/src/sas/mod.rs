//! Shared access signatures: the symmetric keys of devices and services, and the tokens that
//! prove that somebody has one.

mod key;
mod policy;
mod token;

pub use key::{KeyError, SymmetricKey, SymmetricKeys};
pub use policy::{AccessPolicy, AccessRefusal};
pub use token::{Token, TokenError};
