//! The order of a start.

mod identity;
mod network;
mod screen;

use core::time::Duration;

use settings::{RECORD_BYTES, Settings};
use stm32f4::stm32f412::Peripherals;
use stsafe_driver::Stsafe;

use crate::{
    board::{
        buttons::{self, Button},
        clocks,
        i2c::I2c,
        pins, random, reset, rtt, serial, time,
    },
    device,
    messages::{Fault, Hex, Line, print},
    panic,
    shell::{Mode, SETTINGS_ZONE, Shell},
};
pub use network::Network;
pub use screen::{Panel, Status};

/// The secure element on this board's bus.
pub type SecureElement = Stsafe<I2c, time::Clock>;

/// How long the secure element needs its power before it is spoken to.
const STSAFE_POWER_UP: Duration = Duration::from_millis(50);

/// Runs the device until the next reset.
pub fn run() -> ! {
    // SAFETY: the first and only place that takes them; the drivers' own accesses are their own.
    let peripherals = unsafe { Peripherals::steal() };
    let buttons = buttons::read(&peripherals);
    let source = start_board(&peripherals);
    print(&Line::Banner);
    if source == clocks::Source::Internal {
        print(&Line::Fault(Fault::ClockCrystal));
    }

    pins::power_secure_element(&peripherals);
    time::sleep(STSAFE_POWER_UP);
    let mut stsafe = SecureElement::new(I2c::start(&peripherals), time::Clock);
    let mut panel = Panel::start(stsafe.bus());

    let stored = read_settings(&mut stsafe);
    let settings = stored.as_ref().cloned().unwrap_or_default();
    let mac = device::mac(&settings);
    print(&Line::Mac(&Hex(&mac)));
    print(&Line::Version(device::VERSION));

    if buttons.b == Button::Held {
        print(&Line::NoAccessPoint);
    }

    let mode = match &stored {
        _ if buttons.a == Button::Held => Mode::Configuration,
        Err(Fault::SettingsDamaged(_)) => Mode::Configuration,
        _ => Mode::User,
    };
    let mode = if panic::take_mark() {
        print(&Line::Fault(Fault::Panicked));
        Mode::Configuration
    } else {
        mode
    };
    let chip_works = !matches!(stored, Err(Fault::Stsafe(_)));
    if let Err(fault) = stored {
        print(&Line::Fault(fault));
    }
    let network = match mode {
        Mode::Configuration => {
            panel.show_configuration(stsafe.bus(), &mac);
            print(&Line::Help);
            None
        }
        Mode::User if chip_works => identity::bring_up(&mut stsafe, &settings, &mut panel),
        Mode::User => {
            panel.show_status(stsafe.bus(), &mac, Status::Failed);
            None
        }
    };
    Shell {
        mode,
        stsafe,
        settings,
        panel,
        network,
    }
    .run()
}

fn start_board(peripherals: &Peripherals) -> clocks::Source {
    clocks::return_to_internal(peripherals);
    reset::reset_peripherals(peripherals);
    let source = clocks::start(peripherals);
    time::start(peripherals);
    pins::connect(peripherals);
    serial::start(peripherals);
    random::start(peripherals);
    rtt::start();
    reset::enable_interrupts();
    source
}

fn read_settings(stsafe: &mut SecureElement) -> Result<Settings, Fault> {
    let mut record = [0; RECORD_BYTES];
    stsafe
        .read(SETTINGS_ZONE, 0, &mut record)
        .map_err(Fault::Stsafe)?;
    settings::decode(&record).map_err(Fault::SettingsDamaged)
}
