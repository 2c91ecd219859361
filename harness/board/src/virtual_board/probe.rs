//! The virtual board's probe as probe-rs drives it: a driver of its own, beside the built-in ones.

use core::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, Once, PoisonError, Weak};

use az3166_debug_port::{Port, Refusal, Request};
use az3166_emulator::ResetPin;
use probe_rs::CoreStatus;
use probe_rs::architecture::arm::sequences::ArmDebugSequence;
use probe_rs::architecture::arm::{
    ArmCommunicationInterface, ArmDebugInterface, ArmError, DapError, DapProbe, RawDapAccess,
    RegisterAddress,
};
use probe_rs::plugin::{Plugin, register_plugin};
use probe_rs::probe::list::{Accessibility, ProbeListItem};
use probe_rs::probe::{
    DebugProbe, DebugProbeError, DebugProbeInfo, DebugProbeSelector, ProbeCreationError,
    ProbeFactory, WireProtocol,
};

use super::{Shared, Wire};

/// The USB vendor of a virtual probe: pid.codes, whose first product is for tests.
pub const VIRTUAL_VENDOR: u16 = 0x1209;
/// The USB product of a virtual probe.
pub const VIRTUAL_PRODUCT: u16 = 0x0001;

/// How often a transfer is tried again after WAIT, as a CMSIS-DAP probe does it by itself.
const WAIT_RETRIES: u32 = 100;
/// The fastest clock that the board's real probe has, in kHz.
const FASTEST: u32 = 4600;
/// NRST among the pins of DAP_SWJ_Pins.
const NRST: u32 = 1 << 7;
/// RDBUFF of the debug port.
const RDBUFF: Request = Request::Read {
    port: Port::Debug,
    address: 0xC,
};
/// ABORT: clears all sticky flags.
const CLEAR_STICKY: Request = Request::Write {
    port: Port::Debug,
    address: 0,
    value: 0x1E,
};

static FACTORY: VirtualProbes = VirtualProbes(Mutex::new(Vec::new()));

/// Makes the probe of a board known to probe-rs.
pub(super) fn publish(board: &Arc<Shared>) {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        register_plugin(Plugin {
            probe_drivers: &[&FACTORY],
            ..Plugin::default()
        });
    });
    let mut boards = FACTORY.0.lock().unwrap_or_else(PoisonError::into_inner);
    boards.retain(|board| board.strong_count() > 0);
    boards.push(Arc::downgrade(board));
}

/// The virtual probes of this process.
#[derive(Debug)]
struct VirtualProbes(Mutex<Vec<Weak<Shared>>>);

impl VirtualProbes {
    fn plugged(&self) -> Vec<Arc<Shared>> {
        let boards = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        boards
            .iter()
            .filter_map(Weak::upgrade)
            .filter(|board| !board.unplugged.load(Ordering::SeqCst))
            .filter(|board| !board.stop.load(Ordering::SeqCst))
            .collect()
    }
}

impl fmt::Display for VirtualProbes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("virtual board")
    }
}

impl ProbeFactory for VirtualProbes {
    fn open(&self, selector: &DebugProbeSelector) -> Result<Box<dyn DebugProbe>, DebugProbeError> {
        let is_ours =
            (selector.vendor_id, selector.product_id) == (VIRTUAL_VENDOR, VIRTUAL_PRODUCT);
        let found = self
            .plugged()
            .into_iter()
            .find(|board| {
                selector
                    .serial_number
                    .as_ref()
                    .is_none_or(|it| *it == board.serial)
            })
            .filter(|_| is_ours);
        let Some(board) = found else {
            return Err(ProbeCreationError::NotFound.into());
        };
        if board.denied.load(Ordering::SeqCst) {
            return Err(DebugProbeError::Usb(
                std::io::ErrorKind::PermissionDenied.into(),
            ));
        }
        if board.claimed.swap(true, Ordering::SeqCst) {
            return Err(ProbeCreationError::CouldNotOpen.into());
        }
        Ok(Box::new(VirtualProbe {
            wire: Wire(board),
            speed: FASTEST,
        }))
    }

    fn list_probes(&self) -> Vec<ProbeListItem> {
        self.plugged()
            .into_iter()
            .map(|board| ProbeListItem {
                info: DebugProbeInfo::new(
                    "Virtual board",
                    VIRTUAL_VENDOR,
                    VIRTUAL_PRODUCT,
                    Some(board.serial.clone()),
                    &FACTORY,
                    None,
                    false,
                ),
                accessibility: match board.denied.load(Ordering::SeqCst) {
                    true => Accessibility::PermissionDenied,
                    false => Accessibility::Accessible,
                },
            })
            .collect()
    }
}

/// An open probe.
#[derive(Debug)]
struct VirtualProbe {
    wire: Wire,
    speed: u32,
}

impl Drop for VirtualProbe {
    fn drop(&mut self) {
        self.wire.0.claimed.store(false, Ordering::SeqCst);
    }
}

impl VirtualProbe {
    fn plugged(&self) -> Result<(), DebugProbeError> {
        match self.wire.0.unplugged.load(Ordering::SeqCst) {
            true => Err(DebugProbeError::Usb(
                std::io::ErrorKind::NotConnected.into(),
            )),
            false => Ok(()),
        }
    }

    /// Transfers in one go; each is tried again after WAIT, as long as a real probe does.
    fn batch<T>(
        &self,
        host: impl FnOnce(&mut dyn FnMut(Request) -> Result<u32, Refusal>) -> Result<T, Refusal>,
    ) -> Result<T, ArmError> {
        self.plugged()?;
        let result = self.wire.transfers(|transfer| {
            host(&mut |request| {
                let mut answer = transfer(request);
                for _ in 0..WAIT_RETRIES {
                    if answer != Err(Refusal::Wait) {
                        break;
                    }
                    answer = transfer(request);
                }
                answer
            })
        });
        result.map_err(|refusal| self.failed(refusal))
    }

    /// What a refusal is to probe-rs, which leaves it to the probe to clear sticky flags.
    fn failed(&self, refusal: Refusal) -> ArmError {
        match refusal {
            Refusal::Wait => DapError::WaitResponse.into(),
            Refusal::Fault => {
                let _ = self.wire.transfer(CLEAR_STICKY);
                DapError::FaultResponse.into()
            }
            Refusal::Silence => DapError::NoAcknowledge.into(),
        }
    }

    fn reset_pin(&self, level: ResetPin) -> Result<(), DebugProbeError> {
        self.plugged()?;
        self.wire.set_reset_pin(level);
        Ok(())
    }
}

fn read(address: RegisterAddress) -> Request {
    Request::Read {
        port: port(address),
        address: address.lsb() & 0xC,
    }
}

fn write(address: RegisterAddress, value: u32) -> Request {
    Request::Write {
        port: port(address),
        address: address.lsb() & 0xC,
        value,
    }
}

fn port(address: RegisterAddress) -> Port {
    match address.is_ap() {
        true => Port::Access,
        false => Port::Debug,
    }
}

impl DebugProbe for VirtualProbe {
    fn get_name(&self) -> &str {
        "virtual board"
    }

    fn speed_khz(&self) -> u32 {
        self.speed
    }

    fn set_speed(&mut self, speed_khz: u32) -> Result<u32, DebugProbeError> {
        self.speed = speed_khz.min(FASTEST);
        Ok(self.speed)
    }

    fn attach(&mut self) -> Result<(), DebugProbeError> {
        self.plugged()
    }

    fn detach(&mut self) -> Result<(), probe_rs::Error> {
        Ok(())
    }

    fn target_reset(&mut self) -> Result<(), DebugProbeError> {
        self.reset_pin(ResetPin::Held)?;
        self.reset_pin(ResetPin::Released)
    }

    fn target_reset_assert(&mut self) -> Result<(), DebugProbeError> {
        self.reset_pin(ResetPin::Held)
    }

    fn target_reset_deassert(&mut self) -> Result<(), DebugProbeError> {
        self.reset_pin(ResetPin::Released)
    }

    fn select_protocol(&mut self, protocol: WireProtocol) -> Result<(), DebugProbeError> {
        match protocol {
            WireProtocol::Swd => Ok(()),
            other => Err(DebugProbeError::UnsupportedProtocol(other)),
        }
    }

    fn active_protocol(&self) -> Option<WireProtocol> {
        Some(WireProtocol::Swd)
    }

    fn has_arm_interface(&self) -> bool {
        true
    }

    fn try_get_arm_debug_interface<'probe>(
        self: Box<Self>,
        sequence: Arc<dyn ArmDebugSequence>,
    ) -> Result<Box<dyn ArmDebugInterface + 'probe>, (Box<dyn DebugProbe>, ArmError)> {
        Ok(ArmCommunicationInterface::create(self, sequence, false))
    }

    fn into_probe(self: Box<Self>) -> Box<dyn DebugProbe> {
        self
    }

    fn try_as_dap_probe(&mut self) -> Option<&mut dyn DapProbe> {
        Some(self)
    }
}

impl DapProbe for VirtualProbe {}

impl RawDapAccess for VirtualProbe {
    fn raw_read_register(&mut self, address: RegisterAddress) -> Result<u32, ArmError> {
        self.batch(|wire| {
            let value = wire(read(address))?;
            match address.is_ap() {
                true => wire(RDBUFF),
                false => Ok(value),
            }
        })
    }

    fn raw_read_block(
        &mut self,
        address: RegisterAddress,
        values: &mut [u32],
    ) -> Result<(), ArmError> {
        self.batch(|wire| {
            if !address.is_ap() {
                return values.iter_mut().try_for_each(|value| {
                    *value = wire(read(address))?;
                    Ok(())
                });
            }
            // Each read carries the result of the one before it.
            let mut values = values.iter_mut();
            let Some(mut value) = values.next() else {
                return Ok(());
            };
            wire(read(address))?;
            for next in values {
                *value = wire(read(address))?;
                value = next;
            }
            *value = wire(RDBUFF)?;
            Ok(())
        })
    }

    fn raw_write_register(&mut self, address: RegisterAddress, value: u32) -> Result<(), ArmError> {
        self.raw_write_block(address, &[value])
    }

    fn raw_write_block(
        &mut self,
        address: RegisterAddress,
        values: &[u32],
    ) -> Result<(), ArmError> {
        self.batch(|wire| {
            for value in values {
                wire(write(address, *value))?;
            }
            match address.is_ap() {
                // A bus error of a posted write shows at the next transfer.
                true => wire(RDBUFF).map(drop),
                false => Ok(()),
            }
        })
    }

    fn jtag_sequence(&mut self, _: u8, _: bool, _: u64) -> Result<(), DebugProbeError> {
        Err(DebugProbeError::CommandNotSupportedByProbe {
            command_name: "jtag_sequence",
        })
    }

    fn swj_sequence(&mut self, bit_len: u8, bits: u64) -> Result<(), DebugProbeError> {
        self.plugged()?;
        self.wire.clock(bits, u32::from(bit_len));
        Ok(())
    }

    fn swj_pins(&mut self, out: u32, select: u32, _: u32) -> Result<u32, DebugProbeError> {
        let level = match out & NRST {
            0 => ResetPin::Held,
            _ => ResetPin::Released,
        };
        if select & NRST != 0 {
            self.reset_pin(level)?;
        }
        Ok(out & NRST)
    }

    fn into_probe(self: Box<Self>) -> Box<dyn DebugProbe> {
        self
    }

    fn core_status_notification(&mut self, _: CoreStatus) -> Result<(), DebugProbeError> {
        Ok(())
    }
}
