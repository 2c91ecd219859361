//! The commands that a driver sends, cut out of their 16 bytes.

/// What a driver asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// The firmware's version.
    Version,
    /// Which mode the probe is in.
    Mode,
    /// The target's supply.
    Voltage,
    /// Leave the mode; nothing is answered.
    Exit(Mode),
    /// Enter debugging by SWD.
    EnterSwd,
    /// Do something with the reset pin.
    ResetPin(ResetPin),
    /// Set the wire's speed; the parameter is a delay.
    Speed(u8),
    /// Open or close an access port.
    AccessPort,
    /// Read a register of the debug port or of an access port.
    ReadRegister { port: u16, address: u16 },
    /// Write one.
    WriteRegister { port: u16, address: u16, value: u32 },
    /// Read memory.
    ReadMemory(Access),
    /// Write memory; the data follows in a transfer of its own.
    WriteMemory(Access),
    /// How the last access to memory went.
    LastStatus,
    /// Something else.
    Unknown,
}

/// A mode of the probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Firmware update.
    Dfu,
    /// Mass storage, as after plugging in.
    MassStorage,
    /// Debugging.
    Debug,
    /// Single wire, for STM8.
    Swim,
}

impl Mode {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Dfu => 0,
            Self::MassStorage => 1,
            Self::Debug => 2,
            Self::Swim => 3,
        }
    }
}

/// What is done with the reset pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResetPin {
    Low,
    High,
    Pulse,
}

/// A run of units of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) address: u32,
    /// In bytes.
    pub(crate) length: u16,
    pub(crate) unit: Unit,
}

/// How wide each access is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Byte,
    Halfword,
    Word,
}

impl Unit {
    pub(crate) const fn bytes(self) -> u32 {
        match self {
            Self::Byte => 1,
            Self::Halfword => 2,
            Self::Word => 4,
        }
    }
}

impl Command {
    /// Reads a command; what is left of 16 bytes is zero.
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let mut padded = [0; 16];
        let length = bytes.len().min(16);
        padded[..length].copy_from_slice(&bytes[..length]);
        let half = |at: usize| u16::from_le_bytes([padded[at], padded[at + 1]]);
        let word = |at: usize| {
            u32::from_le_bytes([padded[at], padded[at + 1], padded[at + 2], padded[at + 3]])
        };
        let memory = |unit| Access {
            address: word(2),
            length: half(6),
            unit,
        };
        match (padded[0], padded[1]) {
            (0xF1, _) => Self::Version,
            (0xF5, _) => Self::Mode,
            (0xF7, _) => Self::Voltage,
            (0xF3, 0x07) => Self::Exit(Mode::Dfu),
            (0xF4, 0x01) => Self::Exit(Mode::Swim),
            (0xF2, 0x21) => Self::Exit(Mode::Debug),
            (0xF2, 0x30) if padded[2] == 0xA3 => Self::EnterSwd,
            (0xF2, 0x3C) => match padded[2] {
                0 => Self::ResetPin(ResetPin::Low),
                1 => Self::ResetPin(ResetPin::High),
                2 => Self::ResetPin(ResetPin::Pulse),
                _ => Self::Unknown,
            },
            (0xF2, 0x43) => Self::Speed(padded[2]),
            (0xF2, 0x4B | 0x4C) => Self::AccessPort,
            (0xF2, 0x45) => Self::ReadRegister {
                port: half(2),
                address: half(4),
            },
            (0xF2, 0x46) => Self::WriteRegister {
                port: half(2),
                address: half(4),
                value: word(6),
            },
            (0xF2, 0x07) => Self::ReadMemory(memory(Unit::Word)),
            (0xF2, 0x08) => Self::WriteMemory(memory(Unit::Word)),
            (0xF2, 0x0C) => Self::ReadMemory(memory(Unit::Byte)),
            (0xF2, 0x0D) => Self::WriteMemory(memory(Unit::Byte)),
            (0xF2, 0x47) => Self::ReadMemory(memory(Unit::Halfword)),
            (0xF2, 0x48) => Self::WriteMemory(memory(Unit::Halfword)),
            (0xF2, 0x3E) => Self::LastStatus,
            _ => Self::Unknown,
        }
    }
}
