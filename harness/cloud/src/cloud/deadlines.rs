//! When connections want to be called, without asking each of them.

use std::collections::{BTreeMap, BTreeSet};

use az3166_event::VirtualTime;

/// Each connection's next deadline, by connection and in order of time.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    of: BTreeMap<u32, VirtualTime>,
    queue: BTreeSet<(VirtualTime, u32)>,
}

impl Deadlines {
    /// `connection` wants to be called at `deadline`, or not at all.
    pub(super) fn set(&mut self, connection: u32, deadline: Option<VirtualTime>) {
        let former = match deadline {
            Some(deadline) => self.of.insert(connection, deadline),
            None => self.of.remove(&connection),
        };
        if former == deadline {
            return;
        }
        if let Some(former) = former {
            self.queue.remove(&(former, connection));
        }
        if let Some(deadline) = deadline {
            self.queue.insert((deadline, connection));
        }
    }

    /// The earliest deadline of all.
    pub(super) fn next(&self) -> Option<VirtualTime> {
        self.queue.first().map(|(at, _)| *at)
    }

    /// The connections that want to be called at `now`, in the order of their deadlines and numbers.
    pub(super) fn due(&self, now: VirtualTime) -> Vec<u32> {
        self.queue
            .range(..=(now, u32::MAX))
            .map(|(_, connection)| *connection)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The queue says what a look at every connection would say.
        #[test]
        fn the_queue_is_a_view_of_the_map(
            changes in prop::collection::vec((0u32..8, prop::option::of(0u64..20)), 0..60),
            now in 0u64..20,
        ) {
            let mut deadlines = Deadlines::default();
            let mut model = BTreeMap::new();
            for (connection, at) in changes {
                let at = at.map(VirtualTime::from_nanos);
                deadlines.set(connection, at);
                model.insert(connection, at);
            }
            let now = VirtualTime::from_nanos(now);
            prop_assert_eq!(deadlines.next(), model.values().flatten().min().copied());
            let mut due: Vec<_> = model
                .iter()
                .filter_map(|(connection, at)| Some((at.filter(|at| *at <= now)?, *connection)))
                .collect();
            due.sort();
            let due: Vec<u32> = due.into_iter().map(|(_, connection)| connection).collect();
            prop_assert_eq!(deadlines.due(now), due);
        }
    }
}
