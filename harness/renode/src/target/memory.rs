//! What lies where, for accesses of the host.

use az3166_target::TargetError;

use crate::wire::control::Width;

/// What the chip has at an address (RM0402, section 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Memory,
    Registers,
}

/// First address, last address, kind.
const MAP: [(u32, u32, Kind); 6] = [
    (0x0000_0000, 0x000F_FFFF, Kind::Memory),
    (FLASH.start, FLASH.end - 1, Kind::Memory),
    (0x1FFF_0000, 0x1FFF_FFFF, Kind::Memory),
    (0x2000_0000, 0x2003_FFFF, Kind::Memory),
    (0x4000_0000, 0x5FFF_FFFF, Kind::Registers),
    (0xE000_0000, 0xE00F_FFFF, Kind::Registers),
];

/// Flash.
pub const FLASH: core::ops::Range<u32> = 0x0800_0000..0x0810_0000;

/// How wide an access of `length` bytes at `address` is: registers are read and written as words.
pub fn width(what: &'static str, address: u32, length: usize) -> Result<Width, TargetError> {
    let nothing = TargetError::NoMemory { what, address };
    let Some(more) = u32::try_from(length).ok().and_then(|it| it.checked_sub(1)) else {
        return Ok(Width::Any);
    };
    let last = address.checked_add(more).ok_or(nothing)?;
    let found = MAP
        .iter()
        .find(|(from, to, _)| (*from..=*to).contains(&address) && last <= *to);
    match found {
        None => Err(TargetError::NoMemory { what, address }),
        Some((.., Kind::Memory)) => Ok(Width::Any),
        Some((.., Kind::Registers)) if address.is_multiple_of(4) && length.is_multiple_of(4) => {
            Ok(Width::Word)
        }
        Some((.., Kind::Registers)) => Err(TargetError::Unsupported {
            what: format!(
                "{what} {length} bytes of registers at {address:#010x}: only whole words"
            ),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0x0800_0000, 0x10_0000, Some(Width::Any))]
    #[case(0x080F_FFFF, 2, None)]
    #[case(0x2003_F000, 0x1000, Some(Width::Any))]
    #[case(0x2004_0000, 1, None)]
    #[case(0xE000_E208, 4, Some(Width::Word))]
    #[case(0x4002_0000, 2, None)]
    #[case(0xFFFF_FFFF, 2, None)]
    #[case(0x2000_0000, 0, Some(Width::Any))]
    fn widths(#[case] address: u32, #[case] length: usize, #[case] expected: Option<Width>) {
        assert_eq!(width("read", address, length).ok(), expected);
    }
}
