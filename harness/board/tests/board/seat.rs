//! How the boards of these tests are reached: by the probe in this process.

use az3166_board::virtual_board::{VirtualBoard, VirtualBoardConfig};

/// A board with its probe.
pub type Seat = VirtualBoard;

/// Starts a board.
pub fn seat(config: VirtualBoardConfig) -> Seat {
    VirtualBoard::start(config).unwrap()
}

/// The serial number of the probe with that number.
pub fn serial(number: u32) -> String {
    format!("TEST{number:020}")
}
