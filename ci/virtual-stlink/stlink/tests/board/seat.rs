//! How the boards of these tests are reached: by a software ST-Link on a software USB.

use core::ops::Deref;
use std::sync::Mutex;

use az3166_board::virtual_board::{Plug, VirtualBoard, VirtualBoardConfig};
use nusb::software::{Permission, Plugged};

/// A board with its probe.
pub struct Seat {
    board: VirtualBoard,
    device: Mutex<Plugged>,
}

impl Deref for Seat {
    type Target = VirtualBoard;

    fn deref(&self) -> &VirtualBoard {
        &self.board
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.device.lock().unwrap().unplug();
    }
}

impl Seat {
    /// Pulls the probe's USB plug or puts it back.
    pub fn set_plug(&self, plug: Plug) {
        let mut device = self.device.lock().unwrap();
        match plug {
            Plug::Out => device.unplug(),
            Plug::In => *device = virtual_stlink::plug(&self.board),
        }
    }

    /// Takes the right to open the probe away from this user.
    pub fn deny_access(&self) {
        self.device.lock().unwrap().permit(Permission::Denied);
    }

    /// Whether a host has the probe open.
    pub fn is_claimed(&self) -> bool {
        self.device.lock().unwrap().is_claimed()
    }
}

/// Starts a board.
pub fn seat(config: VirtualBoardConfig) -> Seat {
    // Shorter serial numbers are shown in hexadecimal by the driver.
    let serial = format!("{:0>24}", config.serial);
    let board = VirtualBoard::start_without_probe(VirtualBoardConfig { serial, ..config }).unwrap();
    let device = Mutex::new(virtual_stlink::plug(&board));
    Seat { board, device }
}

/// The serial number of the probe with that number.
pub fn serial(number: u32) -> String {
    format!("066BFF{number:018}")
}
