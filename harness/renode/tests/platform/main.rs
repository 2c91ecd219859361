//! What the backend relies on in the `renode/` folder: names, addresses, interrupts and the bytes
//! of the bridge. Renode itself is not needed: the platform and the C# are read as text.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on panics"
)]

mod bridge;
mod commands;
mod csharp;
mod folder;
mod parts;
