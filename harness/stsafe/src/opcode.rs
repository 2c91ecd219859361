//! Command codes (ST's public `stsafea_types.h` and `stsafea100.h`).

macro_rules! opcodes {
    ($($(#[$doc:meta])* $name:ident = $code:literal $text:literal,)*) => {
        /// Bits 4..0 of a command header: the command set of the STSAFE-A100.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Opcode {
            $($(#[$doc])* $name = $code,)*
        }

        impl Opcode {
            /// Every command, in the order of the codes.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The command's name in events and in the scenario language.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

opcodes! {
    /// Returns its data.
    Echo = 0x00 "Echo",
    /// Restarts the chip.
    Reset = 0x01 "Reset",
    /// Returns random bytes.
    GenerateRandom = 0x02 "Generate Random",
    /// Begins a signature session.
    StartSession = 0x03 "Start Session",
    /// Decrements the counter of a counter zone.
    Decrement = 0x04 "Decrement",
    /// Reads from a zone.
    Read = 0x05 "Read",
    /// Writes to a zone.
    Update = 0x06 "Update",
    /// Deletes a key.
    DeleteKey = 0x0C "Delete Key",
    /// Enters the low-power state.
    Hibernate = 0x0D "Hibernate",
    /// Wraps data into a local envelope.
    WrapLocalEnvelope = 0x0E "Wrap Local Envelope",
    /// Takes data out of a local envelope.
    UnwrapLocalEnvelope = 0x0F "Unwrap Local Envelope",
    /// Sets an attribute.
    PutAttribute = 0x10 "Put Attribute",
    /// Generates a key.
    GenerateKey = 0x11 "Generate Key",
    /// Tells an attribute.
    Query = 0x14 "Query",
    /// Returns the signature of a session.
    GetSignature = 0x15 "Get Signature",
    /// Signs a digest.
    GenerateSignature = 0x16 "Generate Signature",
    /// Verifies a signature.
    VerifySignature = 0x17 "Verify Signature",
    /// Agrees on a key.
    EstablishKey = 0x18 "Establish Key",
    /// Verifies the password.
    VerifyPassword = 0x1A "Verify Password",
}

impl Opcode {
    /// The code on the wire.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The command with this code, where the A100 has one.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|opcode| opcode.code() == code)
    }

    /// The command with this name, upper and lower case and spaces aside: `Update`, `generate_random`.
    pub fn from_name(name: &str) -> Option<Self> {
        let plain = |text: &str| -> String {
            text.chars()
                .filter(char::is_ascii_alphanumeric)
                .map(|letter| letter.to_ascii_lowercase())
                .collect()
        };
        Self::ALL
            .iter()
            .copied()
            .find(|opcode| plain(opcode.name()) == plain(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_codes_read_back() {
        for opcode in Opcode::ALL.iter().copied() {
            assert_eq!(Opcode::from_code(opcode.code()), Some(opcode));
            assert_eq!(Opcode::from_name(opcode.name()), Some(opcode));
        }
        assert_eq!(
            Opcode::from_name("generate_random"),
            Some(Opcode::GenerateRandom)
        );
        assert_eq!(Opcode::from_code(0x07), None);
    }
}
