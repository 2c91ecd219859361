//! A firmware image: what goes into flash, and the names of its places.

use std::collections::BTreeMap;

use object::elf::PT_LOAD;
use object::read::elf::{ElfFile32, FileHeader as _, ProgramHeader as _};
use object::{Endianness, Object as _, ObjectSymbol as _, SymbolKind};

/// What keeps a file from being a firmware image.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// not a 32-bit little-endian ELF file: {0}
    #[error("not a 32-bit little-endian ELF file: {0}")]
    NotElf(String),
    /// the ELF file is for another machine than Arm (e_machine {0})
    #[error("the ELF file is for another machine than Arm (e_machine {0})")]
    NotArm(u16),
    /// the ELF file has nothing to load into flash (0x08000000..0x08100000)
    #[error("the ELF file has nothing to load into flash (0x08000000..0x08100000)")]
    NothingToLoad,
    /// a segment of {size} bytes at {address:#010x} lies outside flash (0x08000000..0x08100000)
    #[error(
        "a segment of {size} bytes at {address:#010x} lies outside flash (0x08000000..0x08100000)"
    )]
    OutsideFlash {
        /// Its load address.
        address: u32,
        /// Its size in the file.
        size: usize,
    },
}

/// Bytes for one stretch of flash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The first byte's address.
    pub address: u32,
    /// The bytes.
    pub bytes: Vec<u8>,
}

#[derive(Clone, Debug)]
struct Function {
    size: u32,
    name: String,
}

/// A parsed firmware image.
#[derive(Clone, Debug)]
pub struct Image {
    segments: Vec<Segment>,
    symbols: BTreeMap<String, u32>,
    functions: BTreeMap<u32, Function>,
}

const FLASH: core::ops::Range<u64> = 0x0800_0000..0x0810_0000;

impl Image {
    /// Reads an ELF file: its loadable segments by physical address, and its symbols.
    pub fn parse(elf: &[u8]) -> Result<Self, ImageError> {
        let file: ElfFile32<'_, Endianness> =
            ElfFile32::parse(elf).map_err(|error| ImageError::NotElf(error.to_string()))?;
        let endian = file.endian();
        if endian != Endianness::Little {
            return Err(ImageError::NotElf("it is big-endian".into()));
        }
        let machine = file.elf_header().e_machine(endian);
        if machine != object::elf::EM_ARM {
            return Err(ImageError::NotArm(machine.0));
        }
        let mut segments = Vec::new();
        for header in file.elf_program_headers() {
            let size = header.p_filesz(endian);
            if header.p_type(endian) != PT_LOAD || size == 0 {
                continue;
            }
            let address = header.p_paddr(endian);
            let bytes = header
                .data(endian, elf)
                .map_err(|()| ImageError::NotElf("a segment lies outside the file".into()))?;
            let end = u64::from(address) + u64::from(size);
            if !FLASH.contains(&u64::from(address)) || end > FLASH.end {
                return Err(ImageError::OutsideFlash {
                    address,
                    size: bytes.len(),
                });
            }
            segments.push(Segment {
                address,
                bytes: bytes.to_vec(),
            });
        }
        if segments.is_empty() {
            return Err(ImageError::NothingToLoad);
        }
        let mut symbols = BTreeMap::new();
        let mut functions = BTreeMap::new();
        for symbol in file.symbols() {
            let (Ok(name), Ok(address)) = (symbol.name(), u32::try_from(symbol.address())) else {
                continue;
            };
            // Mapping symbols ($t, $d) mark kinds of content, not places.
            if name.is_empty() || name.starts_with('$') || symbol.is_undefined() {
                continue;
            }
            symbols.insert(name.to_owned(), address);
            if symbol.kind() == SymbolKind::Text {
                let size = u32::try_from(symbol.size()).unwrap_or(u32::MAX);
                functions.insert(
                    address & !1,
                    Function {
                        size,
                        name: name.to_owned(),
                    },
                );
            }
        }
        Ok(Self {
            segments,
            symbols,
            functions,
        })
    }

    /// What goes into flash.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The address of the symbol `name`.
    pub fn symbol(&self, name: &str) -> Option<u32> {
        self.symbols.get(name).copied()
    }

    /// The name of the function that holds the instruction at `pc`, without its hash.
    pub fn function_at(&self, pc: u32) -> Option<String> {
        let (start, function) = self.functions.range(..=pc).next_back()?;
        (pc - start < function.size.max(2)).then(|| readable(&function.name))
    }

    /// The lowest address that is loaded: where the vector table lies.
    pub fn base(&self) -> u32 {
        self.segments
            .iter()
            .map(|segment| segment.address)
            .min()
            .unwrap_or_default()
    }

    /// One byte as it is loaded.
    pub fn byte(&self, address: u32) -> Option<u8> {
        self.segments.iter().find_map(|segment| {
            let offset = address.checked_sub(segment.address)?;
            segment.bytes.get(offset as usize).copied()
        })
    }
}

/// A Rust symbol's path from its legacy mangling; any other name as it is.
fn readable(symbol: &str) -> String {
    let Some(mut rest) = symbol.strip_prefix("_ZN") else {
        return symbol.to_owned();
    };
    let mut path: Vec<&str> = Vec::new();
    while let Some(digits) = rest.find(|c: char| !c.is_ascii_digit()) {
        let Some((length, after)) = rest[..digits]
            .parse::<usize>()
            .ok()
            .and_then(|n| Some((n, rest.get(digits..)?)))
        else {
            break;
        };
        let (Some(part), Some(next)) = (after.get(..length), after.get(length..)) else {
            break;
        };
        path.push(part);
        rest = next;
    }
    if path.len() > 1
        && path
            .last()
            .is_some_and(|last| last.len() == 17 && last.starts_with('h'))
    {
        path.pop();
    }
    if path.is_empty() {
        symbol.to_owned()
    } else {
        path.join("::")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("main", "main")]
    #[case("_ZN4core3fmt5write17h0123456789abcdefE", "core::fmt::write")]
    #[case("_ZN", "_ZN")]
    #[case("_ZN99x", "_ZN99x")]
    fn symbols_are_readable(#[case] symbol: &str, #[case] expected: &str) {
        assert_eq!(readable(symbol), expected);
    }

    #[test]
    fn what_is_no_elf_says_so() {
        assert!(matches!(
            Image::parse(b"#!/bin/sh"),
            Err(ImageError::NotElf(_))
        ));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(data in prop::collection::vec(any::<u8>(), 0..400)) {
            let mut elf = b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x28\0".to_vec();
            elf.extend(&data);
            crate::fuzzing::image(&elf);
            crate::fuzzing::image(&data);
        }
    }
}
