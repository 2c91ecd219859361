//! Small images for boards.

use az3166_target::Image;

/// An ELF file with a segment of `bytes` at `address` and nothing else.
pub fn image(address: u32, bytes: &[u8]) -> Image {
    image_with_symbol(address, bytes, "nothing", 0)
}

/// An ELF file with a segment of `bytes` at `address`, and a symbol.
pub fn image_with_symbol(address: u32, bytes: &[u8], name: &str, value: u32) -> Image {
    const HEADERS: u32 = 52 + 32;
    const SYMBOL: u32 = 16;
    const ABSOLUTE: u32 = 0xFFF1;
    let size = bytes.len() as u32;
    let names = [b"\0", name.as_bytes(), b"\0"].concat();
    let symbols_at = HEADERS + size;
    let names_at = symbols_at + 2 * SYMBOL;
    let sections_at = names_at + names.len() as u32;
    let mut elf = b"\x7fELF\x01\x01\x01".to_vec();
    elf.resize(16, 0);
    let halves = |elf: &mut Vec<u8>, values: &[u16]| {
        elf.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    };
    let words = |elf: &mut Vec<u8>, values: &[u32]| {
        elf.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    };
    halves(&mut elf, &[2, 40]);
    words(&mut elf, &[1, address, 52, sections_at, 0x0500_0000]);
    halves(&mut elf, &[52, 32, 1, 40, 3, 2]);
    words(&mut elf, &[1, HEADERS, address, address, size, size, 5, 4]);
    elf.extend(bytes);
    words(&mut elf, &[0, 0, 0, 0, 1, value, 0, 0x10 | ABSOLUTE << 16]);
    elf.extend(&names);
    let length = names.len() as u32;
    words(&mut elf, &[0; 10]);
    words(
        &mut elf,
        &[0, 2, 0, 0, symbols_at, 2 * SYMBOL, 2, 1, 4, SYMBOL],
    );
    words(&mut elf, &[0, 3, 0, 0, names_at, length, 0, 0, 1, 0]);
    Image::parse(&elf).unwrap()
}

/// A vector table with its code behind it, for `address`.
pub fn program(address: u32, code: &[u16]) -> Vec<u8> {
    let mut bytes = 0x2001_0000u32.to_le_bytes().to_vec();
    bytes.extend((address + 9).to_le_bytes());
    bytes.extend(code.iter().flat_map(|half| half.to_le_bytes()));
    bytes
}

/// Code that loads 16 KiB of nothing else than itself: bytes that differ in every word.
pub fn pattern(seed: u32, length: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..length).map(|_| next()).collect()
}
