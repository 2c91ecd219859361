//! One target with everything around it: link, gateway, cloud, console, taps and the trace.

mod cloud_side;
mod console;
mod services;
mod taps;

use core::time::Duration;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use az3166_event::{DisplayEvent, Event, MachineEvent, NetworkEvent, Payload, Trace, VirtualTime};
use az3166_network::Gateway;
use az3166_target::{Image, Link, LinkError, PowerState, RttError, Stop, Target, TargetError};

pub use cloud_side::CloudSide;
pub use console::Console;
pub use taps::Taps;

/// How long one call may keep the host busy without virtual time moving on.
const WALL_BACKSTOP: Duration = Duration::from_secs(300);

/// Whether a debugger may be at the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Debugging {
    /// None: a processor that locked up is of no use before the next reset, and a link whose memory
    /// is damaged is the firmware's fault.
    Never,
    /// Wired to the target: it can look at a processor that locked up, and start it again, and puts
    /// its own code into RAM.
    Possible,
}

/// Why a wait ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waited<T> {
    /// What was waited for came.
    Found(T),
    /// The time was up.
    TimedOut,
    /// The processor can do nothing more by itself.
    Halted(Halt),
}

/// Why the processor can do nothing more by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Halt {
    /// It sleeps, and neither the chip nor the host has anything that will wake it.
    AsleepForEver,
    /// It locked up, at this address.
    Lockup(u32),
    /// It stopped at a breakpoint instruction, at this address.
    Breakpoint(u32),
    /// It touched something that the model does not have.
    UnmodelledAccess,
    /// It has no power, by a step or by a fault of the secure element.
    NoPower,
}

/// What keeps the harness from going on; nothing is known about the device then.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// {0}
    #[error(transparent)]
    Target(#[from] TargetError),
    /// {0}
    #[error(transparent)]
    Link(LinkError),
    /// {0}
    #[error(transparent)]
    Outside(#[from] crate::outside::OutsideError),
    /// the run was interrupted
    #[error("the run was interrupted")]
    Interrupted,
    /// the target made no progress for {0} s of wall time
    #[error("the target made no progress for {0} s of wall time")]
    WallBackstop(u64),
}

/// Asks a run to stop at the next opportunity.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// A token over a flag that a signal handler may set.
    pub fn from_flag(flag: Arc<AtomicBool>) -> Self {
        Self(flag)
    }

    /// Asks to stop.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A target and everything around it.
pub struct Bench {
    target: Box<dyn Target>,
    image: Arc<Image>,
    power: PowerState,
    link: Option<Link>,
    link_announced: bool,
    link_state: PowerState,
    /// The device's gateway.
    pub gateway: Gateway,
    /// The services.
    pub cloud: CloudSide,
    /// What the console said.
    pub console: Console,
    /// Where secrets are looked for and masked.
    pub taps: Taps,
    trace: Trace,
    started: Instant,
    cancel: Cancel,
    debugging: Debugging,
}

impl Bench {
    /// Puts `target`, loaded with `image` and without power, on the bench.
    pub fn new(
        target: Box<dyn Target>,
        image: Arc<Image>,
        gateway: Gateway,
        cloud: CloudSide,
        cancel: Cancel,
    ) -> Self {
        let link = Link::new(&image).ok();
        Self {
            target,
            image,
            power: PowerState::Off,
            link,
            link_announced: false,
            link_state: PowerState::On,
            gateway,
            cloud,
            console: Console::default(),
            taps: Taps::default(),
            trace: Trace::default(),
            started: Instant::now(),
            cancel,
            debugging: Debugging::Never,
        }
    }

    /// Says whether a debugger may be at the target.
    pub fn set_debugging(&mut self, debugging: Debugging) {
        self.debugging = debugging;
    }

    /// The target, for what only a step knows about.
    pub fn target(&mut self) -> &mut dyn Target {
        self.target.as_mut()
    }

    /// The target's clock.
    pub fn now(&self) -> VirtualTime {
        self.target.now()
    }

    /// Instructions executed so far.
    pub fn instructions(&self) -> u64 {
        self.target.instructions()
    }

    /// Whether the firmware has a link, as far as is known.
    pub fn has_link(&self) -> bool {
        self.link.is_some()
    }

    /// Serves the link, or leaves it alone as if no host were there.
    pub fn set_link(&mut self, state: PowerState) {
        self.link_state = state;
    }

    /// Replaces the image that the target was loaded with.
    pub fn set_image(&mut self, image: Arc<Image>) {
        self.link = Link::new(&image).ok();
        self.image = image;
    }

    /// The image that runs.
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// Whether the board has power.
    pub fn power_state(&self) -> PowerState {
        self.power
    }

    /// Everything that happened so far, masked.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Everything that happened so far, handed over at the end.
    pub fn into_trace(self) -> Trace {
        self.trace
    }

    /// Records what the harness itself did or noticed.
    pub fn record(&mut self, payload: Payload) {
        let now = self.target.now();
        self.record_at(now, payload);
    }

    fn record_at(&mut self, at: VirtualTime, payload: Payload) {
        let payload = self.taps.mask_payload(payload);
        self.trace.record(at, self.started.elapsed(), payload);
    }

    /// Removes or applies power; the processor then stands at its reset vector.
    pub fn set_power(&mut self, state: PowerState) -> Result<(), BenchError> {
        if self.power == state {
            return Ok(());
        }
        self.target.power(state)?;
        self.power = state;
        self.collect()?;
        match state {
            PowerState::On => self.restart(),
            PowerState::Off => Ok(()),
        }
    }

    /// Resets the chip by its pin; the processor then stands at its reset vector.
    pub fn reset(&mut self) -> Result<(), BenchError> {
        self.target.reset()?;
        self.collect()?;
        self.restart()
    }

    /// Makes the link and the console ready for a firmware that starts afresh.
    pub fn restart(&mut self) -> Result<(), BenchError> {
        self.console.restart();
        self.link_announced = false;
        if let Some(link) = &mut self.link {
            link.restart(self.target.as_mut())?;
        }
        Ok(())
    }

    /// Types `bytes` on the console; `shown` is what the trace says of them.
    pub fn type_bytes(&mut self, bytes: &[u8]) -> Result<(), BenchError> {
        self.target.console_send(bytes)?;
        Ok(())
    }

    /// Lets time pass until `check` finds something or `deadline` is reached.
    ///
    /// `check` is asked at once, and again whenever something may have changed.
    pub fn wait<T>(
        &mut self,
        deadline: VirtualTime,
        mut check: impl FnMut(&mut Self) -> Option<T>,
    ) -> Result<Waited<T>, BenchError> {
        let mut last_progress = (self.target.now(), Instant::now());
        loop {
            if self.cancel.is_cancelled() {
                return Err(BenchError::Interrupted);
            }
            self.collect()?;
            if let Some(found) = check(self) {
                return Ok(Waited::Found(found));
            }
            let now = self.target.now();
            if now >= deadline {
                return Ok(Waited::TimedOut);
            }
            if now > last_progress.0 {
                last_progress = (now, Instant::now());
            } else if last_progress.1.elapsed() > WALL_BACKSTOP {
                return Err(BenchError::WallBackstop(WALL_BACKSTOP.as_secs()));
            }
            if self.power == PowerState::Off {
                // Nothing runs without power, but time passes all the same.
                return self.idle_until(deadline);
            }
            if let Some(halt) = self.slice(deadline)? {
                self.collect()?;
                return Ok(match check(self) {
                    Some(found) => Waited::Found(found),
                    None => Waited::Halted(halt),
                });
            }
        }
    }

    /// Lets time pass until `deadline`, whatever happens.
    pub fn advance(&mut self, deadline: VirtualTime) -> Result<(), BenchError> {
        loop {
            match self.wait(deadline, |_| None::<()>)? {
                Waited::Found(()) | Waited::TimedOut => return Ok(()),
                Waited::Halted(_) => {
                    self.idle_until::<()>(deadline)?;
                }
            }
        }
    }

    fn idle_until<T>(&mut self, deadline: VirtualTime) -> Result<Waited<T>, BenchError> {
        while self.target.now() < deadline {
            if self.cancel.is_cancelled() {
                return Err(BenchError::Interrupted);
            }
            let before = self.target.now();
            self.target.run_until(deadline)?;
            if self.target.now() == before {
                break;
            }
        }
        self.collect()?;
        let off = self.power == PowerState::Off;
        Ok(if off {
            Waited::Halted(Halt::NoPower)
        } else {
            Waited::TimedOut
        })
    }

    /// Serves the link once and lets the target run to the next thing that the host must do.
    fn slice(&mut self, deadline: VirtualTime) -> Result<Option<Halt>, BenchError> {
        let rests = self.target.link_rests()?;
        let sent = match rests {
            true => 0,
            false => self.serve_link()?,
        };
        let now = self.target.now();
        // Without a connection nobody else tells the cloud the time, and what is due would stay so.
        self.cloud.advance(now);
        let host = [
            self.gateway.next_deadline(now),
            self.cloud.next_deadline(now),
        ];
        // What is due for the device has to wait while it cannot be reached.
        let host = host.into_iter().flatten().min().filter(|_| !rests);
        if sent == 0 && host.is_none() && self.target.is_asleep_for_ever() {
            return Ok(Some(Halt::AsleepForEver));
        }
        let until = deadline.min(host.unwrap_or(VirtualTime::MAX));
        Ok(
            match self
                .target
                .run_until(until.max(now + Duration::from_nanos(1)))?
            {
                Stop::Deadline | Stop::Asleep | Stop::Paused => None,
                Stop::UnmodelledAccess => Some(Halt::UnmodelledAccess),
                Stop::Lockup { pc } => {
                    self.record(Payload::Machine(MachineEvent::Lockup { pc }));
                    Some(Halt::Lockup(pc))
                }
                Stop::Breakpoint { pc } => Some(Halt::Breakpoint(pc)),
                Stop::PowerCut => {
                    self.set_power(PowerState::Off)?;
                    Some(Halt::NoPower)
                }
            },
        )
    }

    /// Moves packets between device, gateway and cloud; returns how many went to the device.
    fn serve_link(&mut self) -> Result<usize, BenchError> {
        let Some(link) = self
            .link
            .as_mut()
            .filter(|_| self.link_state == PowerState::On)
        else {
            return Ok(0);
        };
        if self.debugging == Debugging::Possible && !link.is_intact(self.target.as_mut())? {
            link.forget();
            return Ok(0);
        }
        let now = self.target.now();
        let packets = match link.receive(self.target.as_mut()) {
            Ok(packets) => packets,
            Err(LinkError::Absent | LinkError::Rtt(RttError::Damaged { .. }))
                if self.debugging == Debugging::Possible =>
            {
                link.forget();
                return Ok(0);
            }
            Err(LinkError::Absent) => {
                self.link = None;
                return Ok(0);
            }
            Err(error) => return Err(BenchError::Link(error)),
        };
        let announce = link.is_up() && !core::mem::replace(&mut self.link_announced, link.is_up());
        if announce {
            self.record_at(now, Payload::Network(NetworkEvent::LinkUp));
        }
        for packet in packets {
            match packet {
                Some(packet) => {
                    self.taps.packet_from_device(&packet);
                    self.gateway.from_device(now, &packet);
                }
                None => {
                    let reason = "damaged SLIP frame".into();
                    self.record_at(now, Payload::Network(NetworkEvent::BadFrame { reason }));
                }
            }
        }
        self.cloud.serve(now, &mut self.gateway);
        let mut sent = 0;
        if let Some(link) = &mut self.link {
            while let Some(packet) = self.gateway.to_device(now) {
                link.send(&packet);
                sent += 1;
            }
            link.flush(self.target.as_mut()).map_err(BenchError::Link)?;
        }
        Ok(sent)
    }

    /// Takes everything that happened since the last call into the trace.
    fn collect(&mut self) -> Result<(), BenchError> {
        let mut events: Vec<(VirtualTime, Payload)> = self.target.drain_events();
        let network = self.gateway.drain_events();
        events.extend(
            network
                .into_iter()
                .map(|(at, event)| (at, Payload::Network(event))),
        );
        let cloud = self.cloud.drain_events(self.target.now())?;
        events.extend(
            cloud
                .into_iter()
                .map(|(at, event)| (at, Payload::Cloud(event))),
        );
        for (_, plaintext) in self.cloud.take_plaintext_from_device() {
            self.taps.cloud_from_device(&plaintext);
        }
        let now = self.target.now();
        let bytes = self.target.console_take()?;
        if !bytes.is_empty() {
            self.taps.console_output(&bytes);
            for event in self.console.push(now, &bytes) {
                events.push((now, Payload::Console(event)));
            }
        }
        // Stable: what one source saw stays in its order.
        events.sort_by_key(|(at, _)| *at);
        for (at, payload) in events {
            if let Payload::Display(DisplayEvent::Frame { lines, .. }) = &payload {
                self.taps.display(lines);
            }
            self.record_at(at, payload);
        }
        for leak in self.taps.take_leaks() {
            self.record_at(now, leak);
        }
        Ok(())
    }

    /// The events recorded since index `from`.
    pub fn events_since(&self, from: usize) -> &[Event] {
        self.trace.events().get(from..).unwrap_or_default()
    }
}
