//! A target on virtual time that keeps step with the wall clock: services outside of this process
//! have no other.

use core::time::Duration;
use std::time::Instant;

use az3166_event::{Payload, Picture, VirtualTime};
use az3166_stsafe::SecureElement;
use az3166_target::{
    Button, Capabilities, Capability, Image, PowerState, Stop, Target, TargetError, TargetMemory,
};

/// How far it runs ahead before it waits.
const STEP: Duration = Duration::from_millis(2);

/// Keeps `inner` from running ahead of the wall clock. One that is slower is not hurried.
pub struct Paced {
    inner: Box<dyn Target>,
    /// Where both clocks were last known to be in step.
    since: (VirtualTime, Instant),
}

impl Paced {
    /// Paces `inner` from now on.
    pub fn new(inner: Box<dyn Target>) -> Self {
        let since = (inner.now(), Instant::now());
        Self { inner, since }
    }

    fn wait(&mut self) {
        let ahead = self.inner.now() - self.since.0;
        match ahead.checked_sub(self.since.1.elapsed()) {
            Some(rest) => std::thread::sleep(rest),
            // Lost time is not made up for: the device would see the network race.
            None => self.since = (self.inner.now(), Instant::now()),
        }
    }
}

impl TargetMemory for Paced {
    fn read_memory(&mut self, address: u32, bytes: &mut [u8]) -> Result<(), TargetError> {
        self.inner.read_memory(address, bytes)
    }

    fn write_memory(&mut self, address: u32, bytes: &[u8]) -> Result<(), TargetError> {
        self.inner.write_memory(address, bytes)
    }

    fn pend_interrupt(&mut self, number: u16) -> Result<(), TargetError> {
        self.inner.pend_interrupt(number)
    }
}

impl Target for Paced {
    fn name(&self) -> String {
        self.inner.name()
    }

    fn capabilities(&self) -> Capabilities {
        let all = self.inner.capabilities();
        let kept = all.iter().filter(|it| *it != Capability::VirtualTime);
        kept.collect()
    }

    fn load(&mut self, images: &[&Image]) -> Result<(), TargetError> {
        self.inner.load(images)
    }

    fn power(&mut self, state: PowerState) -> Result<(), TargetError> {
        self.inner.power(state)
    }

    fn reset(&mut self) -> Result<(), TargetError> {
        self.inner.reset()
    }

    fn enter_from_bootloader(&mut self, vector_table: u32) -> Result<(), TargetError> {
        self.inner.enter_from_bootloader(vector_table)
    }

    fn press(&mut self, button: Button) -> Result<(), TargetError> {
        self.inner.press(button)
    }

    fn release(&mut self, button: Button) -> Result<(), TargetError> {
        self.inner.release(button)
    }

    fn run_until(&mut self, deadline: VirtualTime) -> Result<Stop, TargetError> {
        let step = deadline.min(self.inner.now() + STEP);
        let stop = self.inner.run_until(step)?;
        self.wait();
        Ok(match stop {
            Stop::Deadline if step < deadline => Stop::Paused,
            stop => stop,
        })
    }

    fn now(&self) -> VirtualTime {
        self.inner.now()
    }

    fn instructions(&self) -> u64 {
        self.inner.instructions()
    }

    fn patch_flash(&mut self, address: u32, bytes: &[u8]) -> Result<(), TargetError> {
        self.inner.patch_flash(address, bytes)
    }

    fn console_send(&mut self, bytes: &[u8]) -> Result<(), TargetError> {
        self.inner.console_send(bytes)
    }

    fn console_take(&mut self) -> Result<Vec<u8>, TargetError> {
        self.inner.console_take()
    }

    fn picture(&self) -> Option<Picture> {
        self.inner.picture()
    }

    fn secure_element(&mut self) -> Option<&mut SecureElement> {
        self.inner.secure_element()
    }

    fn set_display(&mut self, presence: PowerState) -> Result<(), TargetError> {
        self.inner.set_display(presence)
    }

    fn link_rests(&mut self) -> Result<bool, TargetError> {
        self.inner.link_rests()
    }

    fn is_asleep_for_ever(&self) -> bool {
        self.inner.is_asleep_for_ever()
    }

    fn drain_events(&mut self) -> Vec<(VirtualTime, Payload)> {
        self.inner.drain_events()
    }
}
