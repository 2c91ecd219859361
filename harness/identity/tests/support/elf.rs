//! Writes small ELF files from the ELF specification's tables, without the library under test.

/// A PT_LOAD segment: virtual address, physical address, bytes.
pub struct Segment<'a>(pub u32, pub u32, pub &'a [u8]);

/// An ELF32 little-endian executable for Arm with one symbol table.
pub fn write(segments: &[Segment<'_>], symbols: &[(&str, u32)]) -> Vec<u8> {
    let mut strings = vec![0u8];
    let mut table = vec![0u8; 16];
    for (name, value) in symbols {
        let (offset, absolute) = (strings.len() as u32, 0xFFF1u16);
        table.extend(offset.to_le_bytes());
        table.extend(value.to_le_bytes());
        table.extend([0, 0, 0, 0, 0x10, 0]);
        table.extend(absolute.to_le_bytes());
        strings.extend(name.bytes());
        strings.push(0);
    }
    let program_headers = 52;
    let mut offset = program_headers + 32 * segments.len();
    let (mut headers, mut body) = (Vec::new(), Vec::<u8>::new());
    for Segment(vaddr, paddr, bytes) in segments {
        let length = bytes.len() as u32;
        for word in [1, offset as u32, *vaddr, *paddr, length, length, 5, 4] {
            headers.extend(word.to_le_bytes());
        }
        body.extend(*bytes);
        offset += bytes.len();
    }
    let names = b"\0.symtab\0.strtab\0";
    let (table_at, strings_at) = (offset, offset + table.len());
    let names_at = strings_at + strings.len();
    let sections_at = names_at + names.len();
    let section = |name: u32, kind: u32, at: usize, size: usize, link: u32, entry: u32| {
        [name, kind, 0, 0, at as u32, size as u32, link, 1, 1, entry]
    };
    let sections = match symbols {
        [] => vec![[0; 10], section(9, 3, names_at, names.len(), 0, 0)],
        _ => vec![
            [0; 10],
            section(1, 2, table_at, table.len(), 2, 16),
            section(9, 3, strings_at, strings.len(), 0, 0),
            section(9, 3, names_at, names.len(), 0, 0),
        ],
    };
    let half = |value: usize| (value as u16).to_le_bytes();
    let mut elf = b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    elf.extend([2, 0, 40, 0, 1, 0, 0, 0]);
    for word in [0, program_headers, sections_at, 0x0500_0000] {
        elf.extend((word as u32).to_le_bytes());
    }
    for value in [
        52,
        32,
        segments.len(),
        40,
        sections.len(),
        sections.len() - 1,
    ] {
        elf.extend(half(value));
    }
    elf.extend(headers);
    elf.extend(body);
    elf.extend(table);
    elf.extend(strings);
    elf.extend(names);
    for word in sections.iter().flatten() {
        elf.extend(word.to_le_bytes());
    }
    elf
}
