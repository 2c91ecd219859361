//! The generator that the provider's statics draw from.

use std::cell::RefCell;

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, TryCryptoRng, TryRng};
use rustls::crypto::{GetRandomFailed, SecureRandom};

thread_local! {
    static INSTALLED: RefCell<Option<ChaCha20Rng>> = const { RefCell::new(None) };
}

/// Runs `work` with `generator` as the provider's source of randomness.
///
/// rustls takes its providers as statics, so a connection's generator cannot be handed in any
/// other way. Outside such a call every draw fails and, with it, the handshake.
pub(crate) fn with<T>(generator: &mut ChaCha20Rng, work: impl FnOnce() -> T) -> T {
    let outer = INSTALLED.replace(Some(generator.clone()));
    let result = work();
    if let Some(used) = INSTALLED.replace(outer) {
        *generator = used;
    }
    result
}

/// The source of randomness that rustls sees.
#[derive(Clone, Copy, Debug)]
pub(super) struct Installed;

impl SecureRandom for Installed {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), GetRandomFailed> {
        INSTALLED.with_borrow_mut(|installed| {
            let generator = installed.as_mut().ok_or(GetRandomFailed)?;
            generator.fill_bytes(buffer);
            Ok(())
        })
    }
}

/// No generator is installed in this thread.
#[derive(Debug, thiserror::Error)]
#[error("no generator is installed in this thread")]
pub(super) struct NoGenerator;

impl TryRng for Installed {
    type Error = NoGenerator;

    fn try_next_u32(&mut self) -> Result<u32, NoGenerator> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, NoGenerator> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, buffer: &mut [u8]) -> Result<(), NoGenerator> {
        self.fill(buffer).map_err(|_| NoGenerator)
    }
}

impl TryCryptoRng for Installed {}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng;

    use super::*;

    #[test]
    fn draws_fail_without_a_generator_and_move_an_installed_one() {
        let mut bytes = [0; 32];
        assert!(Installed.fill(&mut bytes).is_err());
        let mut generator = ChaCha20Rng::from_seed([7; 32]);
        let mut draw = || {
            let mut bytes = [0; 32];
            with(&mut generator, || Installed.fill(&mut bytes)).unwrap();
            bytes
        };
        assert_ne!(draw(), draw());
        assert!(Installed.fill(&mut bytes).is_err());
    }
}
