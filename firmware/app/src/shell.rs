//! The console's commands at work.

use alloc::boxed::Box;

use console::{Command, Echo, Editor, parse};
use cortex_m::peripheral::SCB;
use settings::{RECORD_BYTES, Settings};
use stsafe_driver::{Atomicity, UDS_DIGITS, UDS_ZONE, WriteUdsError, Zone};

use crate::{
    board::{serial, time},
    boot::{Network, Panel, SecureElement},
    device,
    messages::{Fault, Hex, Line, end_prompt, is_prompting, print, prompt},
};

/// Where the settings lie, from offset 0.
pub const SETTINGS_ZONE: Zone = Zone(5);

/// What the user may do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Everything.
    Configuration,
    /// All but changing settings.
    User,
}

/// The console, for the rest of the device's run.
pub struct Shell {
    pub mode: Mode,
    pub stsafe: SecureElement,
    pub settings: Settings,
    pub panel: Panel,
    pub network: Option<Box<Network>>,
}

impl Shell {
    /// Answers commands until a reset.
    pub fn run(mut self) -> ! {
        let mut editor = Editor::default();
        prompt();
        loop {
            self.sleep(&editor);
            while let Some(byte) = serial::read() {
                match editor.push(byte) {
                    Echo::Nothing => {}
                    Echo::Character(byte) => serial::write(&[byte]),
                    Echo::Erase => serial::write(b"\x08 \x08"),
                    Echo::Enter => {
                        end_prompt();
                        self.execute(editor.line());
                        editor.clear();
                        prompt();
                    }
                }
            }
        }
    }

    /// Sleeps until somebody types; meanwhile the network session goes on. When it prints, prompt
    /// and what was typed so far follow anew.
    fn sleep(&mut self, editor: &Editor) {
        let Some(network) = &mut self.network else {
            return time::wait_for(serial::has_input);
        };
        while !serial::has_input() {
            time::wait_until(network.due(), || serial::has_input() || network.has_input());
            let before = network.status();
            network.poll();
            if network.status() != before {
                let mac = device::mac(&self.settings);
                self.panel
                    .show_status(self.stsafe.bus(), &mac, network.status());
            }
            if !is_prompting() {
                prompt();
                editor.shown().for_each(|byte| serial::write(&[byte]));
            }
        }
    }

    fn execute(&mut self, line: &mut [u8]) {
        let command = match parse(line) {
            Ok(Some(command)) => command,
            Ok(None) => return,
            Err(error) => return print(&Line::Refused(error)),
        };
        if let (Mode::User, Some(name)) = (self.mode, changes(&command)) {
            return print(&Line::HoldButton(name));
        }
        match command {
            Command::Help => print(&Line::Help),
            Command::Version => {
                print(&Line::Mac(&Hex(&device::mac(&self.settings))));
                print(&Line::Version(device::VERSION));
                print(&Line::Transport(
                    self.settings.dps_transport.unwrap_or_default(),
                ));
            }
            Command::Exit => {
                print(&Line::Reboot);
                serial::flush();
                SCB::sys_reset()
            }
            Command::SetUds(digits) => self.set_uds(digits),
            Command::SetRegistrationId(id) => {
                self.set("Set registration id", |settings| {
                    settings.registration_id = Some(id)
                });
            }
            Command::SetIdScope(scope) => {
                self.set("Set DPS ID scope", |settings| {
                    settings.id_scope = Some(scope)
                });
            }
            Command::SetEndpoint(host) => {
                self.set("Set DPS endpoint", |settings| {
                    settings.dps_endpoint = Some(host)
                });
            }
            Command::SetTransport(transport) => {
                self.set("Set DPS transport", |settings| {
                    settings.dps_transport = Some(transport)
                });
            }
            Command::SetMac(mac) => self.set("Set MAC", |settings| settings.mac = Some(mac)),
        }
    }

    fn set_uds(&mut self, digits: &str) {
        let Ok(digits) = <&[u8; UDS_DIGITS]>::try_from(digits.as_bytes()) else {
            return;
        };
        match self.stsafe.write_uds(digits) {
            Ok(()) => print(&Line::UdsSet),
            Err(WriteUdsError::Chip(error)) => write_failed(error, UDS_ZONE),
            Err(WriteUdsError::Verify) => print(&Line::VerifyFailed),
        }
    }

    /// Changes one setting; what is not stored is not kept.
    fn set(&mut self, name: &str, change: impl FnOnce(&mut Settings)) {
        let mut settings = self.settings.clone();
        change(&mut settings);
        let record = settings::encode(&settings);
        let mut read_back = [0; RECORD_BYTES];
        let result = self
            .stsafe
            .update(SETTINGS_ZONE, 0, &record, Atomicity::Plain)
            .and_then(|()| self.stsafe.read(SETTINGS_ZONE, 0, &mut read_back));
        match result {
            Err(error) => write_failed(error, SETTINGS_ZONE),
            Ok(()) if read_back != record => print(&Line::VerifyFailed),
            Ok(()) => {
                self.settings = settings;
                print(&Line::SettingSet(name));
            }
        }
    }
}

fn write_failed(error: stsafe_driver::Error, zone: Zone) {
    print(&Line::Fault(Fault::Stsafe(error)));
    print(&Line::WriteFailed(zone));
}

/// The name of a command that changes what the device keeps.
fn changes(command: &Command<'_>) -> Option<&'static str> {
    match command {
        Command::Help | Command::Version | Command::Exit => None,
        Command::SetUds(_) => Some("set_dps_uds"),
        Command::SetRegistrationId(_) => Some("set_registration_id"),
        Command::SetIdScope(_) => Some("set_dps_scope"),
        Command::SetEndpoint(_) => Some("set_dps_endpoint"),
        Command::SetTransport(_) => Some("set_dps_transport"),
        Command::SetMac(_) => Some("set_mac"),
    }
}
