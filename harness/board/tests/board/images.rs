//! Small images for boards.

use az3166_target::Image;

/// An ELF file with a segment of `bytes` at `address` and nothing else.
pub fn image(address: u32, bytes: &[u8]) -> Image {
    let mut elf = b"\x7fELF\x01\x01\x01".to_vec();
    elf.resize(16, 0);
    let half = |value: u16| value.to_le_bytes();
    elf.extend([half(2), half(40)].concat());
    for word in [1, address, 52, 0, 0x0500_0000u32] {
        elf.extend(word.to_le_bytes());
    }
    for value in [52, 32, 1, 40, 0, 0] {
        elf.extend(half(value));
    }
    let size = bytes.len() as u32;
    for word in [1, 84, address, address, size, size, 5, 4] {
        elf.extend(u32::to_le_bytes(word));
    }
    elf.extend(bytes);
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
