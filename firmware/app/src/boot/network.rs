//! The network session on this board: its link, its clock, its random numbers.

use core::{fmt, time::Duration};

use devkit_net::{
    BytePipe, Console, Identity, Instant, Progress, Random, RandomFailure, Session, Settings,
    slip::SlipLink,
    tls::{Crypto, TrustAnchors},
};

use super::Status;
use crate::{
    board::{random, rtt, time},
    messages::print_text,
};

/// The RTT channel `hil-link`.
struct Pipe;

impl BytePipe for Pipe {
    fn room(&self) -> usize {
        rtt::room()
    }

    fn write(&mut self, bytes: &[u8]) {
        rtt::write(bytes);
    }

    fn read(&mut self, bytes: &mut [u8]) -> usize {
        rtt::read(bytes)
    }

    fn drained(&self) -> bool {
        rtt::is_drained()
    }
}

/// The RNG peripheral.
#[derive(Debug)]
struct Generator;

static GENERATOR: Generator = Generator;

impl Random for Generator {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomFailure> {
        random::fill(bytes).map_err(|random::RandomFailure| RandomFailure)
    }
}

struct Output;

impl Console for Output {
    fn line(&mut self, text: fmt::Arguments<'_>) {
        print_text(text);
    }
}

/// A session and its link.
pub struct Network {
    link: SlipLink<Pipe>,
    session: Session,
    progress: Progress,
}

impl Network {
    /// A session that is about to begin.
    pub fn new(anchors: TrustAnchors, identity: Identity, settings: Settings) -> Self {
        let crypto = Crypto::new(&GENERATOR);
        Self {
            link: SlipLink::new(Pipe),
            session: Session::new(now(), &crypto, anchors, identity, settings),
            progress: Progress::Registering(now()),
        }
    }

    /// How far the session is.
    pub fn status(&self) -> Status {
        match self.progress {
            Progress::Registering(_) => Status::Registering,
            Progress::Online(_) => Status::Connected,
            Progress::Failed(_) => Status::Failed,
        }
    }

    /// When [`Network::poll`] is due, unless [`Network::has_input`] before; `Duration::MAX` after
    /// a failure.
    pub fn due(&self) -> Duration {
        match self.progress {
            Progress::Registering(at) | Progress::Online(at) => {
                Duration::from_micros(u64::try_from(at.total_micros()).unwrap_or(0))
            }
            Progress::Failed(_) => Duration::MAX,
        }
    }

    /// Whether packets wait for a session that still takes them.
    pub fn has_input(&self) -> bool {
        !matches!(self.progress, Progress::Failed(_)) && rtt::has_input()
    }

    /// Lets the session go on; it prints its own lines.
    pub fn poll(&mut self) {
        if !matches!(self.progress, Progress::Failed(_)) {
            self.progress = self.session.poll(now(), &mut self.link, &mut Output);
        }
    }

    /// Sleeps and polls until the device is at its hub or the session has failed.
    #[inline(never)]
    pub fn settle(&mut self) {
        while self.status() == Status::Registering {
            time::wait_until(self.due(), || self.has_input());
            self.poll();
        }
    }
}

fn now() -> Instant {
    Instant::from_micros(i64::try_from(time::now().as_micros()).unwrap_or(i64::MAX))
}
