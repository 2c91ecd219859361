//! What the display shows.

use core::fmt::Write;

use heapless::String;

use crate::{
    board::{
        display::{self, COLUMNS, Screen},
        i2c::I2c,
    },
    messages::{Fault, Fingerprint, Hex, Line, print},
};

/// The display, if it is there.
pub struct Panel {
    presence: Presence,
    test_anchor: Option<[u8; 32]>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    Present,
    Absent,
}

/// How far the device is, in user mode.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// On its way to the hub.
    Registering,
    /// At the hub.
    Connected,
    /// Something failed; the console says what.
    Failed,
}

impl Status {
    fn text(self) -> &'static str {
        match self {
            Self::Registering => "Registering",
            Self::Connected => "Connected",
            Self::Failed => "ERROR",
        }
    }
}

const TITLE: &str = "IoT DevKit";

impl Panel {
    /// Starts the display; says so when there is none.
    pub fn start(bus: &mut I2c) -> Self {
        let presence = match display::start(bus) {
            Ok(()) => Presence::Present,
            Err(_) => {
                print(&Line::Fault(Fault::DisplayAbsent));
                Presence::Absent
            }
        };
        Self {
            presence,
            test_anchor: None,
        }
    }

    /// From now on the screen says that a test's trust anchor is in use.
    pub fn use_test_anchor(&mut self, digest: &[u8; 32]) {
        self.test_anchor = Some(*digest);
    }

    /// The screen of configuration mode.
    pub fn show_configuration(&mut self, bus: &mut I2c, mac: &[u8; 6]) {
        self.show(bus, &Screen::new([TITLE, &id(mac), "Configuration", ""]));
    }

    /// The screen of user mode.
    pub fn show_status(&mut self, bus: &mut I2c, mac: &[u8; 6], status: Status) {
        let status = status.text();
        let screen = match &self.test_anchor {
            None => Screen::new([TITLE, &id(mac), status, ""]),
            Some(digest) => {
                let mut fingerprint: String<COLUMNS> = String::new();
                // Sixteen digits fit.
                let _ = write!(fingerprint, "{}", Fingerprint(digest));
                Screen::new([status, "TEST TRUST", "ANCHOR", &fingerprint])
            }
        };
        self.show(bus, &screen);
    }

    fn show(&mut self, bus: &mut I2c, screen: &Screen) {
        if self.presence == Presence::Present && display::show(bus, screen).is_err() {
            print(&Line::Fault(Fault::DisplayAbsent));
            self.presence = Presence::Absent;
        }
    }
}

fn id(mac: &[u8; 6]) -> String<COLUMNS> {
    let mut text = String::new();
    // Fifteen characters fit.
    let _ = write!(text, "id:{}", Hex(mac));
    text
}
