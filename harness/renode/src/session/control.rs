//! Renode's External Control server: virtual time and memory.

use std::net::TcpStream;
use std::time::Duration;

use super::wait::{Deadline, Reading, Waiting, send};
use crate::RenodeError;
use crate::wire::control::{self, Command, Reply, Width};

pub const NAME: &str = "Renode's External Control server";

/// An open connection to it.
pub struct Control {
    stream: TcpStream,
    received: Vec<u8>,
    /// The number of the machine's system bus.
    bus: i32,
}

impl Control {
    /// Connects, agrees on versions, and finds the system bus of `machine`.
    pub fn open(
        waiting: &mut Waiting<'_>,
        port: u16,
        machine: &str,
        after: Duration,
    ) -> Result<Self, RenodeError> {
        let stream = waiting.guard.connect(port)?;
        let mut control = Self {
            stream,
            received: Vec::new(),
            bus: 0,
        };
        let deadline = Deadline::new("the version handshake", after);
        send(&control.stream, &control::handshake(), deadline)?;
        match control.reply(waiting, deadline)? {
            Reply::Agreed => {}
            Reply::Fatal(text) => return Err(RenodeError::protocol(NAME, text)),
            other => return Err(unexpected(&other)),
        }
        let named = control::machine_named(machine);
        let machine = control.number(waiting, Command::GetMachine, &named, after)?;
        let part = control::part_named(machine, "sysbus");
        control.bus = control.number(waiting, Command::SystemBus, &part, after)?;
        Ok(control)
    }

    /// The payload of a read.
    pub fn read(&self, width: Width, address: u32, length: usize) -> Vec<u8> {
        let units = length / (width as usize).max(1);
        control::read(self.bus, width, address, units as u32)
    }

    /// The payload of a write.
    pub fn write(&self, width: Width, address: u32, bytes: &[u8]) -> Vec<u8> {
        control::write(self.bus, width, address, bytes)
    }

    /// Asks for one command.
    pub fn ask(
        &mut self,
        waiting: &mut Waiting<'_>,
        command: Command,
        payload: &[u8],
        after: Duration,
    ) -> Result<Vec<u8>, RenodeError> {
        let what = format!("the end of {command:?}");
        let deadline = Deadline::new(&what, after);
        send(&self.stream, &control::request(command, payload), deadline)?;
        loop {
            match self.reply(waiting, deadline)? {
                Reply::Done {
                    command: done,
                    data,
                } if done == command as u8 => return Ok(data),
                Reply::Failed { text, .. } => {
                    let command = format!("{command:?}");
                    return Err(RenodeError::Refused { command, text });
                }
                Reply::Fatal(text) => return Err(RenodeError::protocol(NAME, text)),
                Reply::Event => {}
                other @ (Reply::Done { .. } | Reply::Agreed) => return Err(unexpected(&other)),
            }
        }
    }

    fn number(
        &mut self,
        waiting: &mut Waiting<'_>,
        command: Command,
        payload: &[u8],
        after: Duration,
    ) -> Result<i32, RenodeError> {
        let data = self.ask(waiting, command, payload, after)?;
        let number = <[u8; 4]>::try_from(&*data).map(i32::from_le_bytes);
        number.map_err(|_| RenodeError::protocol(NAME, "a number that is not 4 bytes long"))
    }

    fn reply(
        &mut self,
        waiting: &mut Waiting<'_>,
        deadline: Deadline<'_>,
    ) -> Result<Reply, RenodeError> {
        loop {
            let whole = control::parse(&self.received);
            if let Some((reply, length)) =
                whole.map_err(|error| RenodeError::protocol(NAME, error))?
            {
                self.received.drain(..length);
                return Ok(reply);
            }
            if waiting.read(&self.stream, &mut self.received, deadline)? == Reading::Closed {
                return Err(waiting.closed(NAME));
            }
        }
    }
}

fn unexpected(reply: &Reply) -> RenodeError {
    let what = match reply {
        Reply::Agreed => "an agreement that nobody asked for".to_owned(),
        Reply::Done { command, .. } => {
            format!("an answer to command {command}, which was not asked")
        }
        Reply::Failed { text, .. } | Reply::Fatal(text) => text.clone(),
        Reply::Event => "an event".into(),
    };
    RenodeError::protocol(NAME, what)
}
