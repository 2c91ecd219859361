//! The probe as a USB device.

use az3166_board::virtual_board::VirtualBoard;
use nusb::software::{DeviceSpec, EndpointSpec, Function, InterfaceSpec, Plugged};
use nusb::transfer::TransferError;

use crate::probe::Probe;

/// STMicroelectronics.
pub const VENDOR_ID: u16 = 0x0483;
/// ST-Link V2-1.
pub const PRODUCT_ID: u16 = 0x374B;

const COMMANDS: u8 = 0x01;
const ANSWERS: u8 = 0x81;
const TRACE: u8 = 0x82;
/// Full speed.
const PACKET: usize = 64;

/// Plugs an ST-Link in that is wired to `board`.
pub fn plug(board: &VirtualBoard) -> Plugged {
    let endpoint = |address| EndpointSpec {
        address,
        max_packet_size: PACKET,
    };
    let spec = DeviceSpec {
        vendor_id: VENDOR_ID,
        product_id: PRODUCT_ID,
        product: "STM32 STLink",
        serial: Some(board.serial().to_owned()),
        interfaces: vec![InterfaceSpec {
            number: 0,
            class: 0xFF,
            subclass: 0xFF,
            name: Some("ST-Link Debug"),
            endpoints: [COMMANDS, ANSWERS, TRACE].map(endpoint).to_vec(),
        }],
    };
    nusb::software::plug(spec, Box::new(StLink(Probe::new(board.wire()))))
}

struct StLink(Probe);

impl Function for StLink {
    fn take(&mut self, address: u8, bytes: &[u8]) -> Result<(), TransferError> {
        match address {
            COMMANDS => {
                self.0.take(bytes);
                Ok(())
            }
            _ => Err(TransferError::Stall),
        }
    }

    fn give(&mut self, address: u8, length: usize) -> Result<Option<Vec<u8>>, TransferError> {
        match address {
            ANSWERS => Ok(self.0.give(length)),
            TRACE => Ok(None),
            _ => Err(TransferError::Stall),
        }
    }

    fn reset(&mut self) {
        self.0.reset();
    }
}
