//! What the integration tests share.
#![allow(dead_code, reason = "each test binary uses a part of it")]

pub mod gateway;
pub mod mqtt_dps;
pub mod pki;
pub mod services;
pub mod world;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use devkit_net::tls::Crypto;
use devkit_net::{Random, RandomFailure};
use sha2::{Digest, Sha256};

/// Random numbers that are the same in every run: SHA-256 of a counter.
#[derive(Debug)]
pub struct Counted(pub AtomicU64);

impl Random for Counted {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomFailure> {
        for chunk in bytes.chunks_mut(32) {
            let block = Sha256::digest(self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes());
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
        Ok(())
    }
}

pub fn crypto() -> Crypto {
    Crypto::new(Box::leak(Box::new(Counted(AtomicU64::new(0)))))
}

/// Whether the code of the device runs, and not that of its surroundings.
pub static IN_DEVICE: AtomicBool = AtomicBool::new(false);

pub fn in_device<T>(run: impl FnOnce() -> T) -> T {
    IN_DEVICE.store(true, Ordering::Relaxed);
    let result = run();
    IN_DEVICE.store(false, Ordering::Relaxed);
    result
}
