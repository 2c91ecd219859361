//! The words of the I2C bus and of the power pin.

/// The R/W bit that follows the 7-bit address (I2C-bus specification UM10204, 3.1.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The host writes (R/W bit 0).
    Write,
    /// The host reads (R/W bit 1).
    Read,
}

/// The ninth clock of a byte (UM10204, 3.1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Acknowledge {
    /// SDA pulled low: taken.
    Ack,
    /// SDA left high: refused.
    Nack,
}

/// The supply of the chip: on the DevKit, the level of PB14.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Power {
    /// Supplied.
    On,
    /// Not supplied: it answers nothing and forgets everything but its NVM.
    Off,
}

/// Whether the machine around the chip has to lose its power now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PowerCut {
    /// No power cut fault was reached.
    NotDue,
    /// A power cut fault was reached: cut the power of the whole board.
    Due,
}
