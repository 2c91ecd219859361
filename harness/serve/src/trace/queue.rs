//! Lines on their way to whoever prints them. A reader that is slow or stuck does not hold up the
//! service: what it does not fetch in time is dropped, and counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

/// So many bytes of lines may wait.
const WAITING: usize = 16 * 1024 * 1024;

/// Where lines go in.
pub(crate) struct Printer {
    sender: Sender<String>,
    waiting: Arc<AtomicUsize>,
    dropped: usize,
}

/// Where lines come out; it ends when the server does.
#[derive(Debug)]
pub struct Lines {
    receiver: Receiver<String>,
    waiting: Arc<AtomicUsize>,
}

/// An empty queue.
pub(super) fn queue() -> (Printer, Lines) {
    let (sender, receiver) = channel();
    let waiting = Arc::new(AtomicUsize::new(0));
    let printer = Printer {
        sender,
        waiting: waiting.clone(),
        dropped: 0,
    };
    (printer, Lines { receiver, waiting })
}

impl Printer {
    pub(super) fn print(&mut self, line: String) {
        let waiting = self.waiting.load(Ordering::Acquire);
        if waiting + line.len() > WAITING {
            self.dropped += 1;
            return;
        }
        self.waiting.fetch_add(line.len(), Ordering::AcqRel);
        // Without a reader there is nobody to tell.
        let _ = self.sender.send(line);
    }

    /// How many lines were dropped, once there is room again to say so.
    pub(super) fn take_dropped(&mut self) -> Option<usize> {
        let has_room = self.waiting.load(Ordering::Acquire) < WAITING / 2;
        (self.dropped > 0 && has_room).then(|| core::mem::take(&mut self.dropped))
    }
}

impl Iterator for Lines {
    type Item = String;

    /// Waits for the next line.
    fn next(&mut self) -> Option<String> {
        let line = self.receiver.recv().ok()?;
        self.waiting.fetch_sub(line.len(), Ordering::AcqRel);
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_stuck_reader_misses_is_counted() {
        let (mut printer, mut lines) = queue();
        let large = "x".repeat(WAITING / 2);
        for _ in 0..4 {
            printer.print(large.clone());
        }
        assert_eq!(printer.take_dropped(), None);
        for _ in 0..2 {
            assert_eq!(lines.next().map(|line| line.len()), Some(large.len()));
        }
        assert_eq!(printer.take_dropped(), Some(2));
        assert_eq!(printer.take_dropped(), None);
        printer.print("after".into());
        drop(printer);
        assert_eq!(lines.collect::<Vec<_>>(), ["after"]);
    }
}
