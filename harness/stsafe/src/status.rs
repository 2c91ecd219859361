//! Status codes of a response (ST's public `stsafea_types.h`, `StSafeA_ResponseCode_t`).

macro_rules! statuses {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
        /// Bits 4..0 of a response header.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Status {
            $($(#[$doc])* $name = $code,)*
        }

        impl Status {
            /// Every status, in the order of the codes.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];
        }
    };
}

statuses! {
    /// Success.
    Ok = 0x00,
    /// The frame's CRC is wrong.
    CommunicationError = 0x01,
    /// Parameters are missing, left over or contradict each other.
    InconsistentCommandData = 0x02,
    /// A parameter has no such value.
    ValueOutOfRange = 0x03,
    /// The command code is not known.
    UnsupportedCommand = 0x04,
    /// An internal error.
    Unexpected = 0x05,
    /// The frame or the answer does not fit the I/O buffer.
    BufferLengthExceeded = 0x06,
    /// The session does not allow the command.
    WrongSession = 0x07,
    /// Too many messages were lost in a session.
    TooManyMessagesLost = 0x08,
    /// The C-MAC counter has reached its end.
    CMacCounterLimit = 0x09,
    /// The key is absent.
    KeyNotFound = 0x0A,
    /// The key is blocked.
    KeyBlocked = 0x0B,
    /// The key has another type.
    WrongKeyType = 0x0C,
    /// The session counter has reached its end.
    SessionCounter = 0x0D,
    /// The key derivation is too deep.
    Depth = 0x0E,
    /// The life cycle state forbids the command.
    LifeCycle = 0x0F,
    /// No such zone, slot or attribute.
    EntryNotFound = 0x10,
    /// An access condition is not met.
    UnsatisfiedAccessCondition = 0x11,
    /// The zone is not of the type that the command needs.
    IncorrectZoneType = 0x12,
    /// A counter would pass its limit.
    CounterLimit = 0x13,
    /// An offset or a length leaves the zone.
    ZoneBoundaryExceeded = 0x14,
    /// The private key is not valid.
    InvalidPrivateKey = 0x15,
    /// The command's MAC is wrong or cannot be checked.
    InvalidCMac = 0x16,
    /// No challenge was asked for.
    ChallengeMissing = 0x17,
    /// The command's payload does not decrypt.
    CommandDecryptionError = 0x18,
    /// The public key is not valid.
    InvalidPublicKey = 0x19,
    /// The password is blocked.
    PasswordBlocked = 0x1A,
    /// The key may not be used so.
    WrongKeyUsage = 0x1B,
    /// The mode of use is wrong.
    WrongMode = 0x1C,
    /// The MAC has a wrong length.
    WrongMacLength = 0x1D,
    /// The command needs a protection that the frame lacks.
    UnauthorisedCommand = 0x1E,
    /// The message was sent before.
    OldMessage = 0x1F,
}

impl Status {
    /// The code on the wire.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The status with this code; the 5-bit field has no unassigned code.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_dense() {
        for code in 0..=0x1F {
            assert_eq!(Status::from_code(code).map(Status::code), Some(code));
        }
        assert_eq!(Status::from_code(0x20), None);
    }
}
