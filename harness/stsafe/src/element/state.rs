//! What the chip forgets without power.

use az3166_event::VirtualTime;
use zeroize::Zeroizing;

use crate::command::Wake;
use crate::nvm_write::{Programming, Progress};
use crate::response::Response;
use crate::{Configuration, NvmImage, PowerCut};

#[derive(Clone)]
pub(super) enum State {
    Unpowered,
    /// A power cut fault was reached, and the machine has not cut the power yet.
    Dead,
    Hibernating(Wake),
    Awake(Awake),
}

#[derive(Clone)]
pub(super) struct Awake {
    /// Until then every address is refused.
    pub ready_at: VirtualTime,
    /// Falls asleep at `ready_at`.
    pub hibernates: Option<Wake>,
    pub transfer: Transfer,
    /// The response to the last command, readable from `ready_at` on.
    pub response: Option<Response>,
    pub programming: Option<(Programming, Option<CutAfter>)>,
}

/// The number of bytes after which the power goes.
#[derive(Clone, Copy)]
pub(super) struct CutAfter(pub usize);

/// What goes on on the bus.
#[derive(Clone)]
pub(super) enum Transfer {
    Idle,
    Writing(Zeroizing<Vec<u8>>),
    Reading { position: usize },
}

impl State {
    pub fn booting(now: VirtualTime, configuration: &Configuration) -> Self {
        Self::Awake(Awake {
            ready_at: now + configuration.boot,
            hibernates: None,
            transfer: Transfer::Idle,
            response: None,
            programming: None,
        })
    }
}

impl Awake {
    pub fn cut_at(&self) -> Option<VirtualTime> {
        let (programming, cut) = self.programming.as_ref()?;
        cut.map(|CutAfter(bytes)| programming.instant_of(bytes))
    }

    /// Lets the NVM write go on until `now` or the power cut, whichever is first.
    pub fn advance(&mut self, nvm: &mut NvmImage, now: VirtualTime) -> PowerCut {
        let due = self.cut_at().is_some_and(|at| at <= now);
        match self.programming.take() {
            Some((programming, Some(CutAfter(bytes)))) if due => {
                programming.cut(nvm, bytes);
                PowerCut::Due
            }
            Some((mut programming, cut)) => {
                if programming.advance(nvm, now) == Progress::UnderWay {
                    self.programming = Some((programming, cut));
                }
                PowerCut::NotDue
            }
            None => PowerCut::NotDue,
        }
    }
}
