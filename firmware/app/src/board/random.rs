//! The RNG peripheral (RM0402 section 24), which runs from the PLL's 48 MHz output.

use core::cell::Cell;

use critical_section::Mutex;
use stm32f4::stm32f412::{Peripherals, RNG, rng};

/// The generator reports a seed or clock error, or stays silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomFailure;

/// A number takes 40 of the RNG's clock cycles, 80 of ours.
const POLLS_MAX: usize = 1000;

static LAST: Mutex<Cell<Option<u32>>> = Mutex::new(Cell::new(None));

fn rng() -> &'static rng::RegisterBlock {
    // SAFETY: single accesses, from `start` and `word` only.
    unsafe { &*RNG::ptr() }
}

/// Starts the generator.
pub fn start(peripherals: &Peripherals) {
    peripherals.RCC.ahb2enr().modify(|_, w| w.rngen().enabled());
    peripherals.RNG.cr().write(|w| w.rngen().enabled());
}

/// Fills `bytes` with random numbers.
///
/// # Errors
/// [`RandomFailure`]; the content of `bytes` is then not to be used.
pub fn fill(bytes: &mut [u8]) -> Result<(), RandomFailure> {
    for chunk in bytes.chunks_mut(4) {
        let word = fresh_word()?.to_ne_bytes();
        chunk.copy_from_slice(&word[..chunk.len()]);
    }
    Ok(())
}

/// A number that differs from the one before it: the first after a start is only compared
/// (FIPS 140-2 section 4.9.2).
fn fresh_word() -> Result<u32, RandomFailure> {
    critical_section::with(|cs| {
        let last = LAST.borrow(cs);
        let before = match last.get() {
            Some(word) => word,
            None => word()?,
        };
        let word = word()?;
        last.set(Some(word));
        if word == before {
            Err(RandomFailure)
        } else {
            Ok(word)
        }
    })
}

fn word() -> Result<u32, RandomFailure> {
    let rng = rng();
    for _ in 0..POLLS_MAX {
        let status = rng.sr().read();
        if status.seis().bit_is_set() || status.ceis().bit_is_set() {
            restart();
            return Err(RandomFailure);
        }
        if status.drdy().bit_is_set() {
            return Ok(rng.dr().read().rndata().bits());
        }
    }
    Err(RandomFailure)
}

/// After an error the flags are cleared and the generator starts again (RM0402 section 24.3.2).
fn restart() {
    let rng = rng();
    rng.sr().write(|w| w.seis().clear_bit().ceis().clear_bit());
    rng.cr().write(|w| w.rngen().disabled());
    rng.cr().write(|w| w.rngen().enabled());
}
