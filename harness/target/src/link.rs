//! The firmware's network link: IPv4 packets as SLIP frames on an RTT channel.

use std::collections::VecDeque;

use crate::rtt::{Rtt, RttError};
use crate::slip::{SlipDecoder, slip_encode};
use crate::{Image, TargetError, TargetMemory};

/// The RTT channel's name, up and down.
pub const LINK_CHANNEL: &str = "hil-link";

/// The interrupt that the host makes pending after a write, so that WFI wakes: SPI5, unused.
pub const LINK_INTERRUPT: u16 = 85;

/// The largest packet, in bytes.
const MTU: usize = 1500;

/// Why the link cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// firmware has no link channel
    #[error("firmware has no link channel")]
    Absent,
    /// {0}
    #[error(transparent)]
    Rtt(#[from] RttError),
}

/// The host's end of the link.
#[derive(Debug)]
pub struct Link {
    block: u32,
    rtt: Option<Rtt>,
    decoder: SlipDecoder,
    outgoing: VecDeque<u8>,
}

impl Link {
    /// The link of `image`, by its symbol `_SEGGER_RTT`.
    pub fn new(image: &Image) -> Result<Self, LinkError> {
        let block = image.symbol("_SEGGER_RTT").ok_or(LinkError::Absent)?;
        Ok(Self {
            block,
            rtt: None,
            decoder: SlipDecoder::new(MTU),
            outgoing: VecDeque::new(),
        })
    }

    /// Forgets the connection. To be called after each reset, before the processor runs.
    pub fn restart(&mut self, target: &mut dyn TargetMemory) -> Result<(), TargetError> {
        self.forget();
        Rtt::clear(target, self.block)
    }

    /// Forgets the connection without a write to the target's memory, in which somebody else is at
    /// work: a debugger flashes by code that it puts there.
    pub fn forget(&mut self) {
        self.rtt = None;
        self.decoder = SlipDecoder::new(MTU);
        self.outgoing.clear();
    }

    /// Whether the firmware's control block is where it should be.
    pub fn is_intact(&self, target: &mut dyn TargetMemory) -> Result<bool, TargetError> {
        Rtt::is_at(target, self.block)
    }

    /// Whether the firmware has opened its end.
    pub fn is_up(&self) -> bool {
        self.rtt.is_some()
    }

    /// Queues `packet` for the device.
    pub fn send(&mut self, packet: &[u8]) {
        self.outgoing.extend(slip_encode(packet));
    }

    /// Takes the device's packets; `None` stands for a frame that was damaged.
    pub fn receive(
        &mut self,
        target: &mut dyn TargetMemory,
    ) -> Result<Vec<Option<Vec<u8>>>, LinkError> {
        match self.attach(target)? {
            Some(rtt) => Ok(self.decoder.push(&rtt.read(target)?)),
            None => Ok(Vec::new()),
        }
    }

    /// Hands as much of the queued packets to the device as it has room for, and wakes it.
    pub fn flush(&mut self, target: &mut dyn TargetMemory) -> Result<(), LinkError> {
        if self.outgoing.is_empty() {
            return Ok(());
        }
        if let Some(rtt) = self.attach(target)? {
            let sent = rtt.write(target, self.outgoing.make_contiguous())?;
            self.outgoing.drain(..sent);
            if sent > 0 {
                target
                    .pend_interrupt(LINK_INTERRUPT)
                    .map_err(RttError::from)?;
            }
        }
        Ok(())
    }

    /// Whether bytes still wait for room in the device.
    pub fn is_flushed(&self) -> bool {
        self.outgoing.is_empty()
    }

    fn attach(&mut self, target: &mut dyn TargetMemory) -> Result<Option<Rtt>, LinkError> {
        if self.rtt.is_none() {
            self.rtt = match Rtt::attach(target, self.block, LINK_CHANNEL) {
                Err(RttError::NoChannel(_)) => return Err(LinkError::Absent),
                attached => attached?,
            };
        }
        Ok(self.rtt)
    }
}
