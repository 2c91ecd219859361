//! The faults that wait to strike.

use az3166_event::{SecureElementEvent, VirtualTime};

use crate::{Direction, Effect, Fault, Opcode, Repeat};

/// Faults in the order of their injection, and whether each was announced.
#[derive(Clone, Default)]
pub(crate) struct Injected(Vec<Waiting>);

#[derive(Clone)]
struct Waiting {
    fault: Fault,
    announced: bool,
}

/// What a struck fault has to say.
pub(crate) type Announcement = (VirtualTime, SecureElementEvent);

impl Injected {
    pub fn push(&mut self, fault: Fault) {
        self.0.push(Waiting {
            fault,
            announced: false,
        });
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether the chip answers no address; announced the first time.
    pub fn absent(&mut self, now: VirtualTime, events: &mut Vec<Announcement>) -> bool {
        let Some(waiting) = self
            .0
            .iter_mut()
            .find(|waiting| waiting.fault.effect == Effect::Absent)
        else {
            return false;
        };
        waiting.announce(now, events);
        true
    }

    /// Whether a chip that is ready refuses this addressing; announced the first time.
    pub fn refuses(
        &mut self,
        asked: Direction,
        now: VirtualTime,
        events: &mut Vec<Announcement>,
    ) -> bool {
        for waiting in &mut self.0 {
            if let Effect::Nack { count, direction } = &mut waiting.fault.effect
                && *count > 0
                && direction.is_none_or(|only| only == asked)
            {
                *count -= 1;
                waiting.announce(now, events);
                return true;
            }
        }
        false
    }

    /// The effects that `wanted` picks and that strike this command now, in the order of
    /// injection; those that strike once are gone.
    pub fn strike<T>(
        &mut self,
        command: Option<Opcode>,
        now: VirtualTime,
        events: &mut Vec<Announcement>,
        mut wanted: impl FnMut(&Effect) -> Option<T>,
    ) -> Vec<T> {
        let mut struck = Vec::new();
        self.0.retain_mut(|waiting| {
            let matches = waiting.fault.on.is_none() || waiting.fault.on == command;
            let Some(effect) = matches.then(|| wanted(&waiting.fault.effect)).flatten() else {
                return true;
            };
            if waiting.fault.skip > 0 {
                waiting.fault.skip -= 1;
                return true;
            }
            struck.push(effect);
            waiting.announced = false;
            waiting.announce(now, events);
            waiting.fault.repeat == Repeat::Always
        });
        struck
    }
}

impl Waiting {
    fn announce(&mut self, now: VirtualTime, events: &mut Vec<Announcement>) {
        if !self.announced {
            self.announced = true;
            let fault = self.fault.effect.name().into();
            events.push((now, SecureElementEvent::Fault { fault }));
        }
    }
}
