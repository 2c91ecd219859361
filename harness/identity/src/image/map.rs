//! GNU ld's linker maps: what the DevKit SDK's tool reads, and what `hil build` writes.

use super::elf::global_symbols;
use super::{FlashImage, ImageError, MeasuredSymbol, RegionSymbols};

/// The address of an image's first byte: the origin of the region `FLASH` in the map's memory
/// configuration.
pub(super) fn flash_origin(map: &str) -> Result<u32, ImageError> {
    for (line, words) in numbered(map) {
        if let ["FLASH", origin, ..] = words.as_slice() {
            return address(origin).ok_or_else(|| bad_address(line, "the region FLASH"));
        }
        if words.starts_with(&["Linker", "script"]) {
            break;
        }
    }
    Err(ImageError::NoFlashOrigin)
}

impl RegionSymbols {
    /// Reads the four symbols from lines `<address> NAME = <expression>`, where the expression is
    /// mostly a dot; the last such line of each wins.
    pub fn from_map(map: &str) -> Result<Self, ImageError> {
        let mut addresses = [None; 4];
        for (line, words) in numbered(map) {
            for (symbol, place) in MeasuredSymbol::ALL.into_iter().zip(&mut addresses) {
                let assigns = words
                    .windows(3)
                    .any(|window| window[0] == symbol.name() && window[1] == "=");
                if assigns {
                    let found = words.first().and_then(|word| address(word));
                    *place = Some(found.ok_or_else(|| bad_address(line, symbol.name()))?);
                }
            }
        }
        Self::of_found(addresses)
    }
}

/// A map in GNU ld's form, made from an ELF file: its flash and its global symbols by address.
///
/// lld's own maps show 0 for symbols whose definition refers forward, so they cannot stand for
/// the symbols. The DevKit SDK's certificate tool reads this form too.
pub fn gnu_map(elf: &[u8]) -> Result<String, ImageError> {
    let image = FlashImage::from_elf(elf)?;
    let mut map = format!(
        "Memory Configuration\n\n\
         Name             Origin             Length             Attributes\n\
         FLASH            0x{:016x} 0x{:016x} xr\n\
         *default*        0x{:016x} 0x{:016x}\n\n\
         Linker script and memory map\n\n",
        image.base(),
        image.bytes().len(),
        0,
        u64::MAX,
    );
    for (address, name) in global_symbols(elf)? {
        let indent = " ".repeat(16);
        map.push_str(&format!("{indent}0x{address:016x}{indent}{name} = .\n"));
    }
    Ok(map)
}

fn numbered(map: &str) -> impl Iterator<Item = (usize, Vec<&str>)> {
    map.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.split_whitespace().collect()))
}

fn address(word: &str) -> Option<u32> {
    let digits = word.strip_prefix("0x")?;
    let hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u64::from_str_radix(hex.then_some(digits)?, 16)
        .ok()?
        .try_into()
        .ok()
}

fn bad_address(line: usize, what: &str) -> ImageError {
    ImageError::BadAddress {
        line,
        what: what.into(),
    }
}
