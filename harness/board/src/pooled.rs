//! The boards of a rack as targets of a run: each is taken when a scenario begins and given back
//! when it ends.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use az3166_event::{Payload, Picture, VirtualTime};
use az3166_rack::{
    Board, Buttons, Console, Pool, Pooled, PowerAction, Relay, RelayAction, Uhubctl, WRITE_BUDGET,
    Wear,
};
use az3166_stsafe::SecureElement;
use az3166_target::{
    Button, Capabilities, Capability, Image, PowerState, Stop, Target, TargetError, TargetMemory,
};

use crate::access::{address_of, uid_of};
use crate::board::{BoardConfig, PowerSwitch, WriteCounter};
use crate::chip::ChipUid;
use crate::console::ConsoleAddress;
use crate::flash::BootloaderPolicy;
use crate::takeover::TakeOver;
use crate::target::{BoardTarget, can};

/// What a run may do to the boards that it uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permits {
    /// Use of boards that hil never used.
    pub take_over: TakeOver,
    /// Erasing the vendor's bootloader.
    pub bootloader: BootloaderPolicy,
    /// How many seconds of a board pass in one of the host's: 1, but for virtual boards.
    pub time_factor: u32,
}

/// A board of a pool, for one scenario. It is opened when it is loaded.
pub struct PooledTarget {
    /// Dropped before the lease: who has the board next must find its probe and console closed.
    target: Option<BoardTarget>,
    pooled: Pooled,
    permits: Permits,
    cancel: Arc<AtomicBool>,
}

impl PooledTarget {
    /// Waits for a board of `pool`.
    ///
    /// # Errors
    /// None is to be had.
    pub fn take(
        pool: &Arc<Pool>,
        permits: Permits,
        cancel: &Arc<AtomicBool>,
    ) -> Result<Self, TargetError> {
        let pooled = pool.take().map_err(|error| TargetError::Infrastructure {
            what: error.to_string(),
            todo: "see `hil rack list`".into(),
        })?;
        Ok(Self {
            target: None,
            pooled,
            permits,
            cancel: Arc::clone(cancel),
        })
    }

    fn open(&mut self) -> Result<&mut BoardTarget, TargetError> {
        if self.target.is_none() {
            let board = self.pooled.board();
            let uid = chip_uid(board)?;
            let places = self.pooled.places();
            let rack_uid = az3166_rack::ChipUid::from_bytes(uid.0);
            let config = BoardConfig {
                id: board.id.to_string(),
                address: address_of(board),
                uid,
                console: match &board.console {
                    Console::Auto => ConsoleAddress::OfProbe,
                    Console::Path(path) => ConsoleAddress::Path(path.display().to_string()),
                },
                backup: places.backup(&rack_uid),
                take_over: self.permits.take_over,
                bootloader: self.permits.bootloader,
                time_factor: self.permits.time_factor,
            };
            let wear = Wear::open(&places.state, &rack_uid, WRITE_BUDGET).map_err(|error| {
                TargetError::Infrastructure {
                    what: error.to_string(),
                    todo: "see `hil rack doctor`".into(),
                }
            })?;
            let hub = board.power.is_some().then(|| {
                Box::new(Hub {
                    board: board.clone(),
                    cancel: Arc::clone(&self.cancel),
                }) as Box<dyn PowerSwitch>
            });
            let mut target = BoardTarget::open(config, hub)?.counting(Box::new(ZoneWear(wear)));
            if let Buttons::Relay { command } = &board.buttons {
                let relay = Relay::new(command.clone());
                target = target.pressed_by(Box::new(move |button, state| {
                    work_relay(&relay, button, state)
                }));
            }
            self.target = Some(target);
        }
        self.opened()
    }

    fn opened(&mut self) -> Result<&mut BoardTarget, TargetError> {
        self.target
            .as_mut()
            .ok_or_else(|| TargetError::Unsupported {
                what: "use a board that is not loaded".into(),
            })
    }

    /// Does something on the board; trouble with it is remembered, so that it is looked after
    /// before its next use.
    fn on<T>(
        &mut self,
        act: impl FnOnce(&mut BoardTarget) -> Result<T, TargetError>,
    ) -> Result<T, TargetError> {
        let result = self.opened().and_then(act);
        self.watched(result)
    }

    fn watched<T>(&mut self, result: Result<T, TargetError>) -> Result<T, TargetError> {
        if let Err(TargetError::Infrastructure { .. }) = &result {
            self.pooled.trouble();
        }
        result
    }
}

fn chip_uid(board: &Board) -> Result<ChipUid, TargetError> {
    match &board.chip_uid {
        Some(uid) => Ok(uid_of(uid)),
        None => Err(TargetError::Infrastructure {
            what: format!(
                "the rack file names no `chip_uid` of the board {}",
                board.id
            ),
            todo: "add what `hil rack scan` prints: nothing is written to a chip that is not known"
                .into(),
        }),
    }
}

struct ZoneWear(Wear);

impl WriteCounter for ZoneWear {
    fn spend(&mut self, zone: u8) -> Result<(), String> {
        self.0.spend(zone).map_err(|error| error.to_string())
    }

    fn settings(&self) -> BTreeMap<String, String> {
        self.0.writes().settings.clone()
    }

    fn set(&mut self, command: &str, value: &str) -> Result<(), String> {
        let set = self.0.set(command, value);
        set.map_err(|error| error.to_string())
    }
}

struct Hub {
    board: Board,
    cancel: Arc<AtomicBool>,
}

impl PowerSwitch for Hub {
    fn switch(&mut self, state: PowerState) -> Result<(), String> {
        let action = match state {
            PowerState::On => PowerAction::On,
            PowerState::Off => PowerAction::Off,
        };
        let mut uhubctl = Uhubctl::new(Arc::clone(&self.cancel));
        az3166_rack::PowerSwitch::switch(&mut uhubctl, &self.board, action)
            .map_err(|error| error.to_string())
    }
}

fn work_relay(relay: &Relay, button: Button, state: PowerState) -> Result<(), String> {
    let action = match state {
        PowerState::On => RelayAction::Press,
        PowerState::Off => RelayAction::Release,
    };
    let worked = relay.work(button.pin(), action);
    worked.map_err(|error| error.to_string())
}

impl TargetMemory for PooledTarget {
    fn read_memory(&mut self, address: u32, bytes: &mut [u8]) -> Result<(), TargetError> {
        self.on(|board| board.read_memory(address, bytes))
    }

    fn write_memory(&mut self, address: u32, bytes: &[u8]) -> Result<(), TargetError> {
        self.on(|board| board.write_memory(address, bytes))
    }
}

impl Target for PooledTarget {
    fn name(&self) -> String {
        format!("board:{}", self.pooled.board().id)
    }

    fn capabilities(&self) -> Capabilities {
        let board = self.pooled.board();
        let power = board.power.as_ref().map(|_| Capability::Power);
        let by_debugger = board.buttons == Buttons::Debugger;
        let debugger = by_debugger.then_some(Capability::DebuggerButtons);
        can(power.into_iter().chain(debugger))
    }

    fn load(&mut self, images: &[&Image]) -> Result<(), TargetError> {
        let loaded = self.open().and_then(|board| board.load(images));
        self.watched(loaded)
    }

    fn power(&mut self, state: PowerState) -> Result<(), TargetError> {
        self.on(|board| board.power(state))
    }

    fn reset(&mut self) -> Result<(), TargetError> {
        self.on(BoardTarget::reset)
    }

    fn enter_from_bootloader(&mut self, vector_table: u32) -> Result<(), TargetError> {
        self.on(|board| board.enter_from_bootloader(vector_table))
    }

    fn press(&mut self, button: Button) -> Result<(), TargetError> {
        self.on(|board| board.press(button))
    }

    fn release(&mut self, button: Button) -> Result<(), TargetError> {
        self.on(|board| board.release(button))
    }

    fn run_until(&mut self, deadline: VirtualTime) -> Result<Stop, TargetError> {
        self.on(|board| board.run_until(deadline))
    }

    fn now(&self) -> VirtualTime {
        self.target.as_ref().map_or(VirtualTime::ZERO, Target::now)
    }

    fn instructions(&self) -> u64 {
        0
    }

    fn patch_flash(&mut self, address: u32, bytes: &[u8]) -> Result<(), TargetError> {
        self.on(|board| board.patch_flash(address, bytes))
    }

    fn console_send(&mut self, bytes: &[u8]) -> Result<(), TargetError> {
        self.on(|board| board.console_send(bytes))
    }

    fn console_take(&mut self) -> Result<Vec<u8>, TargetError> {
        self.on(BoardTarget::console_take)
    }

    fn picture(&self) -> Option<Picture> {
        None
    }

    fn secure_element(&mut self) -> Option<&mut SecureElement> {
        None
    }

    fn set_display(&mut self, presence: PowerState) -> Result<(), TargetError> {
        self.on(|board| board.set_display(presence))
    }

    fn chip_uid(&self) -> Option<[u8; 12]> {
        self.target.as_ref().and_then(Target::chip_uid)
    }

    fn secure_element_wear(&self) -> az3166_target::Wear {
        az3166_target::Wear::Real
    }

    fn spend_write(&mut self, zone: u8) -> Result<(), TargetError> {
        // A worn element is no trouble that a ladder could mend.
        self.opened()?.spend_write(zone)
    }

    fn kept_settings(&self) -> BTreeMap<String, String> {
        self.target
            .as_ref()
            .map(Target::kept_settings)
            .unwrap_or_default()
    }

    fn keep_setting(&mut self, command: &str, value: &str) -> Result<(), TargetError> {
        self.opened()?.keep_setting(command, value)
    }

    fn link_rests(&mut self) -> Result<bool, TargetError> {
        self.on(BoardTarget::link_rests)
    }

    fn is_asleep_for_ever(&self) -> bool {
        false
    }

    fn drain_events(&mut self) -> Vec<(VirtualTime, Payload)> {
        self.target
            .as_mut()
            .map(Target::drain_events)
            .unwrap_or_default()
    }
}
