//! Reads load segments and symbols from an ELF file (System V ABI, ELF for the Arm architecture).

use object::LittleEndian;
use object::elf::{
    EM_ARM, FileHeader32, PT_LOAD, SHF_ALLOC, SHT_NOBITS, SHT_SYMTAB, STT_FUNC, SectionHeader32,
};
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader, Sym};

use super::{FlashImage, ImageError, MeasuredSymbol, RegionSymbols};

type Header = FileHeader32<LittleEndian>;

impl FlashImage {
    /// What the PT_LOAD segments put at their physical (load) addresses, so that the initial
    /// values of `.data` stand where they lie in flash.
    pub fn from_elf(elf: &[u8]) -> Result<Self, ImageError> {
        let header = header(elf)?;
        let mut parts = Vec::new();
        for segment in header.program_headers(LittleEndian, elf).map_err(damaged)? {
            if segment.p_type(LittleEndian) != PT_LOAD {
                continue;
            }
            let bytes = segment
                .data(LittleEndian, elf)
                .map_err(|()| ImageError::DamagedElf {
                    reason: "a segment reaches beyond the end of the file".into(),
                })?;
            // A linker that pads to pages puts the file's own headers into the first segment.
            let headers = match segment.p_offset(LittleEndian) {
                0 => first_section(header, elf)?.min(bytes.len()),
                _ => 0,
            };
            let contents = &bytes[headers..];
            let address = segment.p_paddr(LittleEndian).checked_add(headers as u32);
            if let Some(address) = address.filter(|_| !contents.is_empty()) {
                parts.push((address, contents));
            }
        }
        Self::from_parts(&parts)
    }
}

impl RegionSymbols {
    /// Reads the four symbols from the file's symbol table.
    pub fn from_elf(elf: &[u8]) -> Result<Self, ImageError> {
        let symbols = global_symbols(elf)?;
        let address = |wanted: MeasuredSymbol| {
            let mut found = symbols.iter().filter(|(_, name)| *name == wanted.name());
            found.next().map(|(address, _)| *address)
        };
        Self::of_found(MeasuredSymbol::ALL.map(address))
    }

    pub(super) fn of_found(addresses: [Option<u32>; 4]) -> Result<Self, ImageError> {
        let mut known = [0; 4];
        for ((symbol, found), place) in MeasuredSymbol::ALL.iter().zip(addresses).zip(&mut known) {
            *place = found.ok_or(ImageError::NoSymbol { symbol: *symbol })?;
        }
        Self::new(known)
    }
}

/// Where in the file the first section lies that is loaded.
fn first_section(header: &Header, elf: &[u8]) -> Result<usize, ImageError> {
    let sections = header.sections(LittleEndian, elf).map_err(damaged)?;
    let loaded = |section: &&SectionHeader32<LittleEndian>| {
        section.sh_flags(LittleEndian).contains(SHF_ALLOC)
            && section.sh_type(LittleEndian) != SHT_NOBITS
    };
    let offsets = sections.iter().filter(loaded);
    let first = offsets.map(|section| section.sh_offset(LittleEndian)).min();
    Ok(first.unwrap_or_default() as usize)
}

/// Every defined global symbol with a name in UTF-8, by address and then by name.
pub fn global_symbols(elf: &[u8]) -> Result<Vec<(u32, &str)>, ImageError> {
    let sections = header(elf)?.sections(LittleEndian, elf).map_err(damaged)?;
    let table = sections
        .symbols(LittleEndian, elf, SHT_SYMTAB)
        .map_err(damaged)?;
    if table.is_empty() {
        return Err(ImageError::Stripped);
    }
    let mut symbols: Vec<(u32, &str)> = table
        .iter()
        .filter(|symbol| !symbol.is_undefined(LittleEndian) && !symbol.is_local())
        .filter_map(|symbol| {
            let name = table.symbol_name(LittleEndian, symbol).ok()?;
            // Bit 0 of a function's value says Thumb; it is no part of its address.
            let thumb = u32::from(symbol.st_type() == STT_FUNC);
            let address = symbol.st_value(LittleEndian) & !thumb;
            Some((address, str::from_utf8(name).ok()?))
        })
        .collect();
    symbols.sort_unstable();
    Ok(symbols)
}

fn header(elf: &[u8]) -> Result<&Header, ImageError> {
    let not_arm = |reason: &str| ImageError::NotArmElf {
        reason: reason.into(),
    };
    if !elf.starts_with(b"\x7fELF") {
        return Err(not_arm("it has no ELF magic number"));
    }
    let header = Header::parse(elf).map_err(|_| not_arm("another class or a cut header"))?;
    if !header.is_little_endian() {
        return Err(not_arm("it is big-endian"));
    }
    if header.e_machine(LittleEndian) != EM_ARM {
        return Err(not_arm("another machine"));
    }
    Ok(header)
}

fn damaged(error: object::Error) -> ImageError {
    ImageError::DamagedElf {
        reason: error.to_string(),
    }
}
