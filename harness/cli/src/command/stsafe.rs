use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use az3166_event::{Event, Payload, SecureElementEvent};
use az3166_renode::server::{Happening, Server};
use az3166_stsafe::{Configuration, NvmImage, SecureElement};
use clap::Args;
use serde_json::json;

use crate::exit::{Exit, Failure};
use crate::{file, signals, terminal};

/// Serve the secure element alone, for a Renode that you drive by hand or by renode-test.
///
/// Listens on 127.0.0.1 for the bridge of renode/StsafeBridge.cs, one connection at a time, until
/// it is interrupted. Prints what the chip does; what zones hold is never printed.
#[derive(Args)]
#[command(after_help = "\
Examples:
  hil stsafe --listen 3170 --nvm devkit.nvm   a chip that keeps its memory in a file
  hil stsafe --listen 0 --json                on a free port, for programs")]
pub struct Arguments {
    /// The port on 127.0.0.1; 0 takes a free one and prints it
    #[arg(long, value_name = "PORT")]
    pub listen: u16,
    /// Keep the chip's memory in this file, which may hold a UDS; it is made if it is not there
    #[arg(long, value_name = "FILE")]
    pub nvm: Option<PathBuf>,
    /// Print one JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let stop = signals::stop_flag()?;
    let nvm = match &arguments.nvm {
        Some(path) => read(path)?,
        None => NvmImage::default(),
    };
    let mut saved = nvm.clone();
    let model = SecureElement::new(Configuration::default(), nvm);
    let listening = |error| {
        let port = arguments.listen;
        Failure::infrastructure(format!(
            "listening on 127.0.0.1:{port} failed: {error}; is another program there? \
             --listen 0 takes a free port"
        ))
    };
    let mut server = Server::bind(arguments.listen, model).map_err(listening)?;
    let port = server.address().map_err(listening)?.port();
    match arguments.json {
        true => print_json(&json!({"event": "listening", "port": port})),
        false => terminal::print(format_args!("listening on 127.0.0.1:{port}\n")),
    }
    while !stop.load(Ordering::Relaxed) {
        for happening in server.serve().map_err(listening)? {
            match arguments.json {
                true => print_json(&json_of(&happening)),
                false => terminal::print(format_args!("{}\n", line_of(&happening))),
            }
        }
        if let Some(path) = &arguments.nvm
            && *server.model().nvm() != saved
        {
            saved = server.model().nvm().clone();
            file::replace_private(path, &saved.to_bytes())?;
        }
    }
    Ok(Exit::Passed)
}

fn read(path: &Path) -> Result<NvmImage, Failure> {
    let place = path.display();
    match fs::read(path).map(zeroize::Zeroizing::new) {
        Ok(bytes) => NvmImage::from_bytes(&bytes)
            .map_err(|error| Failure::usage(format!("{place}: {error}"))),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let nvm = NvmImage::default();
            file::replace_private(path, &nvm.to_bytes())?;
            Ok(nvm)
        }
        Err(error) => Err(Failure::usage(format!("reading {place} failed: {error}"))),
    }
}

fn print_json(value: &serde_json::Value) {
    terminal::print(format_args!("{value}\n"));
}

fn json_of(happening: &Happening) -> serde_json::Value {
    match happening {
        Happening::Connected(peer) => json!({"event": "connected", "peer": peer.to_string()}),
        Happening::Disconnected(reason) => json!({"event": "disconnected", "reason": reason}),
        Happening::Event(at, event) => {
            let event = Event {
                virtual_ns: *at,
                wall_ns: None,
                payload: Payload::SecureElement(event.clone()),
            };
            serde_json::to_value(event).unwrap_or_default()
        }
    }
}

fn line_of(happening: &Happening) -> String {
    let (at, event) = match happening {
        Happening::Connected(peer) => return format!("connected: {peer}"),
        Happening::Disconnected(reason) => return format!("disconnected: {reason}"),
        Happening::Event(at, event) => (at, event),
    };
    let what = match event {
        SecureElementEvent::Command {
            name,
            zone,
            offset,
            length,
            status,
        } => {
            let place = match (zone, offset, length) {
                (Some(zone), Some(offset), Some(length)) => {
                    format!(" zone {zone}, {length} bytes at {offset}")
                }
                _ => String::new(),
            };
            format!("{name}{place} -> status {status:02X}")
        }
        SecureElementEvent::Refused { count } => format!("busy: address refused {count} times"),
        SecureElementEvent::Power { on: true } => "power on".into(),
        SecureElementEvent::Power { on: false } => "power off".into(),
        SecureElementEvent::Fault { fault } => format!("fault: {fault}"),
    };
    format!("{at:>14}  {what}")
}
