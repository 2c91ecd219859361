//! Virtual boards and their targets.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use az3166_board::virtual_board::{Pace, VirtualBoard, VirtualBoardConfig};
use az3166_board::{
    BoardAddress, BoardConfig, BoardTarget, BootloaderPolicy, ChipUid, ConsoleAddress, TakeOver,
};
use tempfile::TempDir;

pub use crate::images::{image, image_with_symbol, pattern, program};
use crate::seat::{Seat, seat, serial};

pub const UID: [u8; 12] = *b"\x2e\x00\x41\x00\x0e\x51\x37\x33\x31\x35\x39\x30";
pub const APPLICATION: u32 = 0x0800_C000;
pub const RAM: u32 = 0x2000_0000;
/// Faster than a wall clock: flash and firmware wait a lot.
pub const FACTOR: u32 = 10;

/// A board on the bench of one test.
pub struct Bench {
    pub board: Seat,
    pub config: BoardConfig,
    _folder: TempDir,
}

impl Bench {
    pub fn new() -> Self {
        Self::at_pace(FACTOR)
    }

    pub fn at_pace(factor: u32) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::SeqCst);
        Self::with_serial(&serial(number), factor)
    }

    pub fn with_serial(serial: &str, factor: u32) -> Self {
        let board = seat(VirtualBoardConfig {
            serial: serial.into(),
            uid: UID,
            seed: 1,
            pace: Pace::times(NonZeroU32::new(factor).unwrap()),
        });
        let folder = TempDir::new().unwrap();
        let config = BoardConfig {
            id: "bench".into(),
            address: address(&board),
            uid: ChipUid(UID),
            console: ConsoleAddress::Path(board.console_path().into()),
            backup: folder.path().join("original.bin"),
            take_over: TakeOver::Allowed,
            bootloader: BootloaderPolicy::Keep,
            time_factor: factor,
        };
        Self {
            board,
            config,
            _folder: folder,
        }
    }

    pub fn target(&self) -> BoardTarget {
        BoardTarget::open(self.config.clone(), None).unwrap()
    }

    pub fn backup(&self) -> &Path {
        &self.config.backup
    }

    /// What is in flash, behind everybody's back.
    pub fn flash(&self, address: u32, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.board
            .with(|kit| kit.read_memory(address, &mut bytes))
            .unwrap();
        bytes
    }

    pub fn program(&self, address: u32, bytes: &[u8]) {
        self.board.with(|kit| kit.program(address, bytes)).unwrap();
    }

    /// Waits until `condition` holds of the board.
    pub fn until(&self, what: &str, mut condition: impl FnMut(&VirtualBoard) -> bool) {
        for _ in 0..2000 {
            if condition(&self.board) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        panic!("never came: {what}");
    }
}

pub fn address(board: &VirtualBoard) -> BoardAddress {
    BoardAddress {
        serial: board.serial().into(),
        chip: "STM32F412RG".into(),
        speed_khz: None,
    }
}
