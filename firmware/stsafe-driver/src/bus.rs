use core::time::Duration;

/// Why a transfer did not take place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BusError {
    /// Nobody acknowledged the address, or the chip refused a byte.
    Nack,
    /// The bus is stuck, lost arbitration, or did not finish in time. The implementation has tried
    /// to free it.
    Stuck,
}

/// An I2C controller whose transfers all have a time limit.
pub trait Bus {
    /// START, address and write bit, all bytes, STOP.
    ///
    /// # Errors
    /// [`BusError`] when not every byte was acknowledged.
    fn write(&mut self, address: u8, bytes: &[u8]) -> Result<(), BusError>;

    /// START, address and read bit, all bytes (at least three), STOP.
    ///
    /// # Errors
    /// [`BusError`] when the address was not acknowledged.
    fn read(&mut self, address: u8, bytes: &mut [u8]) -> Result<(), BusError>;
}

/// A clock that can wait.
pub trait Timer {
    /// Time since an arbitrary start.
    fn now(&self) -> Duration;

    /// Sleeps for at least this long.
    fn sleep(&mut self, time: Duration);
}
