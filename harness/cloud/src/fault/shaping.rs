//! When and in which pieces an answer leaves.

use std::collections::VecDeque;
use std::time::Duration;

use az3166_event::VirtualTime;

use super::Effect;

/// What faults do to the bytes of an answer, whatever they say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shaping {
    /// How much later they leave.
    delay: Duration,
    /// The most plain text in one TLS record, in bytes.
    records: Option<usize>,
    /// The pieces that TCP gets.
    segments: Option<Segments>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Segments {
    bytes: usize,
    every: Duration,
}

impl Shaping {
    /// Adds a fault's effect; `false` for one that does not shape.
    pub(super) fn add(&mut self, effect: &Effect) -> bool {
        match *effect {
            Effect::Delay { ms } => {
                self.delay = self.delay.saturating_add(Duration::from_millis(ms));
            }
            Effect::Records { bytes } => self.records = Some(bytes),
            Effect::Segments { bytes, every_ms } => {
                let every = Duration::from_millis(every_ms);
                self.segments = Some(Segments { bytes, every });
            }
            _ => return false,
        }
        true
    }

    /// Both together, for exchanges whose answers leave together.
    pub(crate) fn with(self, other: Self) -> Self {
        Self {
            delay: self.delay.saturating_add(other.delay),
            records: other.records.or(self.records),
            segments: other.segments.or(self.segments),
        }
    }

    /// The plain text of each TLS record.
    pub(crate) fn records<'a>(&self, plaintext: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        plaintext.chunks(self.records.unwrap_or(usize::MAX).max(1))
    }
}

/// What leaves a connection: in order, some of it later.
#[derive(Debug, Default)]
pub(crate) struct Outlet {
    ready: Vec<u8>,
    waiting: VecDeque<(VirtualTime, Vec<u8>)>,
}

impl Outlet {
    /// Puts bytes behind those that are already there.
    pub(crate) fn put(&mut self, now: VirtualTime, bytes: Vec<u8>, shaping: &Shaping) {
        if bytes.is_empty() {
            return;
        }
        let last = self.waiting.back().map(|(due, _)| *due);
        let mut due = last.map_or(now, |last| last.max(now)) + shaping.delay;
        match shaping.segments {
            None if last.is_none() && due == now => self.ready.extend(bytes),
            None => self.waiting.push_back((due, bytes)),
            Some(Segments { bytes: size, every }) => {
                for piece in bytes.chunks(size.max(1)) {
                    self.waiting.push_back((due, piece.to_vec()));
                    due += every;
                }
                self.release(now);
            }
        }
    }

    /// When bytes become ready.
    pub(crate) fn next(&self) -> Option<VirtualTime> {
        self.waiting.front().map(|(due, _)| *due)
    }

    /// Makes ready what is due.
    pub(crate) fn release(&mut self, now: VirtualTime) {
        while let Some((_, bytes)) = self.waiting.pop_front_if(|(due, _)| *due <= now) {
            self.ready.extend(bytes);
        }
    }

    /// Takes what is ready.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.ready)
    }

    /// Whether everything was taken or is ready.
    pub(crate) fn is_released(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shaping(effects: &[Effect]) -> Shaping {
        let mut shaping = Shaping::default();
        assert!(effects.iter().all(|effect| shaping.add(effect)));
        shaping
    }

    fn at(ms: u64) -> VirtualTime {
        VirtualTime::ZERO + Duration::from_millis(ms)
    }

    /// The bytes that come out, with their times in milliseconds.
    fn drain(outlet: &mut Outlet, mut now: VirtualTime) -> Vec<(u64, String)> {
        let mut seen = Vec::new();
        loop {
            outlet.release(now);
            let bytes = String::from_utf8(outlet.take()).unwrap();
            if !bytes.is_empty() {
                seen.push((now.as_nanos() / 1_000_000, bytes));
            }
            match outlet.next() {
                Some(next) => now = next,
                None => return seen,
            }
        }
    }

    #[test]
    fn bytes_leave_at_once_without_a_fault() {
        let mut outlet = Outlet::default();
        outlet.put(at(5), b"ab".to_vec(), &Shaping::default());
        assert_eq!((outlet.take(), outlet.next()), (b"ab".to_vec(), None));
    }

    #[test]
    fn what_follows_a_delay_waits_behind_it() {
        let mut outlet = Outlet::default();
        outlet.put(at(5), b"ab".to_vec(), &shaping(&[Effect::Delay { ms: 10 }]));
        outlet.put(at(6), b"c".to_vec(), &Shaping::default());
        assert!(!outlet.is_released());
        assert_eq!(drain(&mut outlet, at(6)), [(15, "abc".into())]);
    }

    #[test]
    fn segments_leave_one_by_one() {
        let mut outlet = Outlet::default();
        let effects = [
            Effect::Delay { ms: 10 },
            Effect::Segments {
                bytes: 2,
                every_ms: 3,
            },
        ];
        outlet.put(at(5), b"abcde".to_vec(), &shaping(&effects));
        outlet.put(at(20), b"f".to_vec(), &Shaping::default());
        let expected = [(15, "ab".into()), (18, "cd".into()), (21, "ef".into())];
        assert_eq!(drain(&mut outlet, at(5)), expected);
    }

    #[test]
    fn records_cut_plain_text() {
        let cut = |effects: &[Effect]| shaping(effects).records(b"abc").count();
        assert_eq!((cut(&[]), cut(&[Effect::Records { bytes: 1 }])), (1, 3));
    }
}
