//! Reads linker maps: GNU ld's, which the DevKit SDK's tool takes too, and lld's.

use super::{ImageError, MeasuredSymbol, RegionSymbols};

/// The address of an image's first byte.
///
/// GNU ld's map names it: the origin of the region `FLASH` in the memory configuration. lld's has
/// no such table; there it is the lowest load address of an output section that has bytes.
pub fn flash_origin(map: &str) -> Result<u32, ImageError> {
    if is_lld(map) {
        return lld_base(map).ok_or(ImageError::NoFlashOrigin);
    }
    for (line, words) in numbered(map) {
        if let ["FLASH", origin, ..] = words.as_slice() {
            return gnu_address(origin).ok_or_else(|| bad_address(line, "the region FLASH"));
        }
        if words.starts_with(&["Linker", "script"]) {
            break;
        }
    }
    Err(ImageError::NoFlashOrigin)
}

impl RegionSymbols {
    /// Reads the four symbols from lines that assign them; the last such line of each wins.
    pub fn from_map(map: &str) -> Result<Self, ImageError> {
        let lld = is_lld(map);
        let mut addresses = [None; 4];
        for (line, words) in numbered(map) {
            for (symbol, place) in MeasuredSymbol::ALL.into_iter().zip(&mut addresses) {
                if !assigns(&words, symbol) {
                    continue;
                }
                let address = match lld {
                    true => words.first().and_then(|word| lld_address(word)),
                    false => words.first().and_then(|word| gnu_address(word)),
                };
                *place = Some(address.ok_or_else(|| bad_address(line, symbol.name()))?);
            }
        }
        Self::of_found(addresses)
    }
}

/// Whether a line says `<address> ... NAME = <expression>`; GNU ld's expression is mostly a dot.
fn assigns(words: &[&str], symbol: MeasuredSymbol) -> bool {
    words
        .windows(3)
        .any(|window| window[0] == symbol.name() && window[1] == "=")
}

fn is_lld(map: &str) -> bool {
    let header = map.lines().next().unwrap_or_default();
    header
        .split_whitespace()
        .eq(["VMA", "LMA", "Size", "Align", "Out", "In", "Symbol"])
}

/// Output sections stand without indentation after the four numbers: `VMA LMA Size Align .name`.
fn lld_base(map: &str) -> Option<u32> {
    map.lines()
        .filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [vma, lma, size, align, name] = words.as_slice() else {
                return None;
            };
            let outermost = line.ends_with(&format!(" {align} {name}")) && name.starts_with('.');
            let loaded = lld_address(vma)? != 0 && lld_address(size)? != 0;
            (outermost && loaded).then(|| lld_address(lma))?
        })
        .min()
}

fn numbered(map: &str) -> impl Iterator<Item = (usize, Vec<&str>)> {
    map.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.split_whitespace().collect()))
}

fn gnu_address(word: &str) -> Option<u32> {
    lld_address(word.strip_prefix("0x")?)
}

fn lld_address(word: &str) -> Option<u32> {
    let digits = word.bytes().all(|byte| byte.is_ascii_hexdigit());
    u64::from_str_radix(digits.then_some(word)?, 16)
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
