/// Why a command failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The chip has never acknowledged its address since the driver was made.
    Absent,
    /// The chip stayed busy beyond the budget.
    Timeout,
    /// The answer's CRC was wrong, each time.
    Crc,
    /// The answer's length field was out of bounds, or the answer shorter or longer than the
    /// command gives, each time.
    Length,
    /// The chip refused the command with this status.
    Status(u8),
    /// The I2C bus is stuck.
    Bus,
}

impl Error {
    /// Whether the answer was damaged on its way, so that asking again may help.
    pub(crate) fn is_damage(self) -> bool {
        matches!(self, Self::Crc | Self::Length)
    }
}
