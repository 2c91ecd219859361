//! The board's debug probe for another process.

use std::net::SocketAddr;
use std::time::Duration;

use az3166_runner::interactive::{ProbeNews, ProbeServer};
use az3166_runner::targets::SwdCable;

use crate::exit::Failure;

/// How long the board stands still while no debugger asks.
const REST: Duration = Duration::from_millis(1);

/// A probe that other processes reach.
pub struct Probe {
    server: ProbeServer,
    cable: SwdCable,
}

impl Probe {
    /// Puts the probe at the other end of `cable` on a socket.
    pub fn start(address: SocketAddr, cable: SwdCable) -> Result<Self, Failure> {
        let server = ProbeServer::start(address, cable.clone())
            .map_err(|error| Failure::usage(format!("--probe: {error}")))?;
        Ok(Self { server, cable })
    }

    /// How a debugger reaches it.
    pub fn instructions(&self) -> String {
        format!(
            "probe: attach by `--chip STM32F412RG --protocol swd --probe {}`",
            self.server.selector()
        )
    }

    /// Waits for a moment, or until a debugger asks for something.
    pub fn wait_for_question(&self) {
        self.cable.wait_for_question(REST);
    }

    /// What has happened since the last call.
    pub fn take_news(&self) -> Vec<ProbeNews> {
        self.server.take_news()
    }
}
