//! A rack of boards: which there are, who holds one, how one is brought back.
//!
//! [`Rack`] is the inventory, read from `rack.yaml`. A [`Lease`] is the right to use one board; the
//! kernel takes it back when its holder dies. [`Ladder`] says what is tried on a board that does
//! not answer, [`recover`] does it through a [`BoardAccess`], which the crate of the debug probe
//! implements. [`Pool`] hands out the boards of one run. [`Wear`] counts writes to a board's secure
//! element.

mod access;
mod clock;
mod file;
#[doc(hidden)]
pub mod fuzzing;
mod ladder;
mod lease;
mod places;
mod pool;
mod power;
mod record;
mod recovery;
mod relay;
mod usb;
mod wear;

pub use access::{AccessError, Attach, BoardAccess};
pub use clock::{now, today};
pub use file::{
    Board, BoardId, Buttons, ChipUid, Console, HubPlace, Kilohertz, PortNumber, PowerPort,
    ProbeSerial, Quarantine, Rack, RelayCommand, Selector, SelectorError, Tag, draft, parse,
    schema,
};
pub use ladder::{Ladder, Next, Rung};
pub use lease::{
    Admission, FolderState, Holder, Lease, LeaseError, LeaseFolder, Occupied, Patience, Wedged,
};
pub use places::{Places, RackError, find_rack};
pub use pool::{Pool, PoolError, PoolNews, Pooled, QuarantinedBoards, TakeOptions};
pub use power::{PowerAction, PowerError, PowerSwitch, Uhubctl};
pub use record::{BoardRecord, Outcome, Records, make_shared};
pub use recovery::{Climb, Climbed, recover};
pub use relay::{Relay, RelayAction, RelayError};
pub use usb::{DeviceAccess, UsbProbe, UsbTree};
pub use wear::{ASSUMED_ENDURANCE, WRITE_BUDGET, Wear, WearError, ZoneWrites};
