//! An RTT control block as firmware would set it up.

use crate::support::RAM;

pub const NAME: u32 = RAM + 0x3_0010;
pub const UP: u32 = RAM + 0x3_1001;
pub const SIZE: u32 = 61;

/// A control block with one channel each way, the up channel's `written` bytes not yet read.
pub fn control_block(written: u32) -> Vec<u8> {
    let up = [NAME, UP, SIZE, written, 0, 0];
    let down = [NAME, UP + 100, SIZE, 0, 0, 0];
    let words = [[1, 1].as_slice(), &up, &down].concat();
    let words = words.iter().flat_map(|word: &u32| word.to_le_bytes());
    b"SEGGER RTT\0\0\0\0\0\0"
        .iter()
        .copied()
        .chain(words)
        .collect()
}
