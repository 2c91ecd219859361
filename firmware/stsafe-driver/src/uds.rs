//! The UDS in zone 6, as 64 ASCII digits from offset 0, where the stock firmware reads it too.
//!
//! It is written by one atomic command. A chip that refuses those gets plain writes in an order
//! that no loss of power can turn into a wrong UDS: the first digit becomes a byte that is no
//! digit, the other digits follow, and only then the first digit is written. Until that last write
//! of a single byte the zone holds no UDS.

use zeroize::Zeroizing;

use crate::{Atomicity, Bus, Error, Stsafe, Timer, Zone};

/// Length of the stored UDS.
pub const UDS_DIGITS: usize = 64;
/// Where the UDS lies, from offset 0.
pub const UDS_ZONE: Zone = Zone(6);

/// What stands in place of the first digit while a UDS is being written.
const NO_DIGIT: u8 = 0;

/// Why the UDS was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteUdsError {
    /// The chip failed.
    Chip(Error),
    /// The chip reads back something else.
    Verify,
}

impl From<Error> for WriteUdsError {
    fn from(error: Error) -> Self {
        Self::Chip(error)
    }
}

impl<B: Bus, T: Timer> Stsafe<B, T> {
    /// The content of the UDS's place, whatever it is.
    ///
    /// # Errors
    /// [`Error`] of the chip.
    pub fn read_uds(&mut self) -> Result<Zeroizing<[u8; UDS_DIGITS]>, Error> {
        let mut digits = Zeroizing::new([0; UDS_DIGITS]);
        self.read(UDS_ZONE, 0, digits.as_mut_slice())?;
        Ok(digits)
    }

    /// Writes a UDS and reads it back.
    ///
    /// # Errors
    /// [`WriteUdsError`]. The chip then holds the old UDS, the new one, or none.
    pub fn write_uds(&mut self, digits: &[u8; UDS_DIGITS]) -> Result<(), WriteUdsError> {
        match self.update(UDS_ZONE, 0, digits, Atomicity::Atomic) {
            Err(Error::Status(_)) => self.write_uds_invalid_first(digits)?,
            result => result?,
        }
        if *self.read_uds()? == *digits {
            Ok(())
        } else {
            Err(WriteUdsError::Verify)
        }
    }

    fn write_uds_invalid_first(&mut self, digits: &[u8; UDS_DIGITS]) -> Result<(), Error> {
        self.update(UDS_ZONE, 0, &[NO_DIGIT], Atomicity::Plain)?;
        self.update(UDS_ZONE, 1, &digits[1..], Atomicity::Plain)?;
        self.update(UDS_ZONE, 0, &digits[..1], Atomicity::Plain)
    }
}
