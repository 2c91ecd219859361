//! Messages from the cloud to a device (IoT Hub documentation, "Send cloud-to-device messages from
//! an IoT hub").

use std::collections::VecDeque;
use std::time::Duration;

use az3166_event::VirtualTime;

/// The most messages that wait for a device.
const DEPTH: usize = 50;
/// The largest message (IoT Hub documentation, "Quotas and throttling").
const LARGEST: usize = 64 * 1024;
/// How long a message waits that does not say so.
const TIME_TO_LIVE: Duration = Duration::from_secs(3600);
/// How often a message is sent before it is given up.
const DELIVERIES: u32 = 10;
/// How long a device that receives over HTTP has for its verdict.
const LOCK_TIME: Duration = Duration::from_secs(60);

/// A message from the cloud to a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CloudMessage {
    /// Its id.
    pub(crate) message_id: String,
    /// Its other properties, as the topic has them: names and values percent-encoded.
    pub(crate) properties: String,
    /// The message.
    pub(crate) body: Vec<u8>,
    /// Until when it waits; an hour without one.
    pub(crate) expires: Option<VirtualTime>,
}

/// Why a message is not queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum QueueError {
    /// The message is larger than 64 KiB.
    #[error("The message is larger than 64 KiB.")]
    TooLarge,
    /// Fifty messages wait already.
    #[error("Device Queue depth cannot exceed {DEPTH} messages")]
    Full,
}

/// What a device makes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Complete,
    Reject,
    Abandon,
}

/// The messages that wait for one device, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Queue {
    waiting: VecDeque<Waiting>,
    sequence: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Waiting {
    sequence: u64,
    message: CloudMessage,
    expires: VirtualTime,
    deliveries: u32,
    lock: Option<Lock>,
}

/// Who has a message that is not settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lock {
    /// An MQTT session, in a packet with this identifier.
    Packet(u16),
    /// Somebody over HTTP, until then.
    Until(VirtualTime),
}

/// A message that goes to the device now.
pub(super) struct Sent {
    /// Tells the message from others; an HTTP lock token.
    pub(super) sequence: u64,
    pub(super) message: CloudMessage,
}

/// A message that was given up.
pub(super) struct Dropped {
    pub(super) message_id: String,
    pub(super) reason: &'static str,
}

impl Queue {
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn push(
        &mut self,
        now: VirtualTime,
        message: CloudMessage,
    ) -> Result<(), QueueError> {
        if message.body.len() + message.properties.len() > LARGEST {
            return Err(QueueError::TooLarge);
        }
        if self.waiting.len() >= DEPTH {
            return Err(QueueError::Full);
        }
        self.sequence += 1;
        self.waiting.push_back(Waiting {
            sequence: self.sequence,
            expires: message.expires.unwrap_or(now + TIME_TO_LIVE),
            message,
            deliveries: 0,
            lock: None,
        });
        Ok(())
    }

    /// Gives up what waited too long or was sent too often, and frees what nobody settled in time.
    pub(super) fn purge(&mut self, now: VirtualTime) -> Vec<Dropped> {
        let mut dropped = Vec::new();
        for waiting in &mut self.waiting {
            if matches!(waiting.lock, Some(Lock::Until(until)) if until <= now) {
                waiting.lock = None;
            }
        }
        self.waiting.retain(|waiting| {
            let reason = match waiting {
                Waiting { lock: Some(_), .. } => return true,
                Waiting { expires, .. } if *expires <= now => "expired",
                Waiting { deliveries, .. } if *deliveries >= DELIVERIES => "delivered too often",
                _ => return true,
            };
            let message_id = waiting.message.message_id.clone();
            dropped.push(Dropped { message_id, reason });
            false
        });
        dropped
    }

    /// Takes every free message out, for a session that does not acknowledge.
    pub(super) fn take_free(&mut self) -> Vec<Sent> {
        let (free, locked) = core::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|waiting: &Waiting| waiting.lock.is_none());
        self.waiting = locked;
        let sent = |waiting: Waiting| Sent {
            sequence: waiting.sequence,
            message: waiting.message,
        };
        Vec::from(free).into_iter().map(sent).collect()
    }

    /// Locks the oldest free message for an MQTT packet.
    pub(super) fn lock_for_packet(&mut self, packet_id: u16) -> Option<Sent> {
        self.lock(Lock::Packet(packet_id))
    }

    /// Locks the oldest free message for somebody over HTTP.
    pub(super) fn lock_for_http(&mut self, now: VirtualTime) -> Option<Sent> {
        self.lock(Lock::Until(now + LOCK_TIME))
    }

    fn lock(&mut self, lock: Lock) -> Option<Sent> {
        let waiting = self.waiting.iter_mut().find(|each| each.lock.is_none())?;
        waiting.lock = Some(lock);
        waiting.deliveries += 1;
        Some(Sent {
            sequence: waiting.sequence,
            message: waiting.message.clone(),
        })
    }

    /// The device acknowledged a packet: the message's id.
    pub(super) fn acknowledge(&mut self, packet_id: u16) -> Option<String> {
        let lock = Some(Lock::Packet(packet_id));
        let index = self.waiting.iter().position(|each| each.lock == lock)?;
        let settled = self.waiting.remove(index)?;
        Some(settled.message.message_id)
    }

    /// Somebody settled a message over HTTP: the message's id.
    pub(super) fn settle(&mut self, sequence: u64, verdict: Verdict) -> Option<String> {
        let is_it =
            |each: &Waiting| each.sequence == sequence && matches!(each.lock, Some(Lock::Until(_)));
        let index = self.waiting.iter().position(is_it)?;
        match verdict {
            Verdict::Complete | Verdict::Reject => {
                Some(self.waiting.remove(index)?.message.message_id)
            }
            Verdict::Abandon => {
                let waiting = self.waiting.get_mut(index)?;
                waiting.lock = None;
                Some(waiting.message.message_id.clone())
            }
        }
    }

    /// The session is over: what it did not acknowledge waits again.
    pub(super) fn release_packets(&mut self) {
        for waiting in &mut self.waiting {
            if matches!(waiting.lock, Some(Lock::Packet(_))) {
                waiting.lock = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: &str) -> CloudMessage {
        CloudMessage {
            message_id: id.into(),
            properties: String::new(),
            body: b"x".to_vec(),
            expires: None,
        }
    }

    #[test]
    fn what_nobody_acknowledges_is_sent_ten_times() {
        let mut queue = Queue::default();
        queue.push(VirtualTime::ZERO, message("a")).unwrap();
        for packet_id in 1..=10 {
            assert!(queue.purge(VirtualTime::ZERO).is_empty());
            assert!(queue.lock_for_packet(packet_id).is_some());
            assert!(queue.lock_for_packet(99).is_none(), "one is locked");
            queue.release_packets();
        }
        let dropped = queue.purge(VirtualTime::ZERO);
        assert_eq!(dropped[0].reason, "delivered too often");
        assert_eq!(queue.len(), 0);
    }

    #[test]
    fn locks_over_http_end() {
        let mut queue = Queue::default();
        queue.push(VirtualTime::ZERO, message("a")).unwrap();
        let sent = queue.lock_for_http(VirtualTime::ZERO).unwrap();
        assert_eq!(queue.settle(sent.sequence + 1, Verdict::Complete), None);
        queue.purge(VirtualTime::ZERO + LOCK_TIME);
        assert_eq!(queue.settle(sent.sequence, Verdict::Complete), None);
        let again = queue.lock_for_http(VirtualTime::ZERO + LOCK_TIME).unwrap();
        assert_eq!(
            queue.settle(again.sequence, Verdict::Abandon),
            Some("a".into())
        );
        let again = queue.lock_for_http(VirtualTime::ZERO).unwrap();
        assert_eq!(
            queue.settle(again.sequence, Verdict::Complete),
            Some("a".into())
        );
        assert_eq!(queue.len(), 0);
    }

    #[test]
    fn depth_size_and_time_are_bounded() {
        let mut queue = Queue::default();
        let mut large = message("large");
        large.body = vec![0; LARGEST + 1];
        assert_eq!(
            queue.push(VirtualTime::ZERO, large),
            Err(QueueError::TooLarge)
        );
        for number in 0..DEPTH {
            queue
                .push(VirtualTime::ZERO, message(&number.to_string()))
                .unwrap();
        }
        assert_eq!(
            queue.push(VirtualTime::ZERO, message("x")),
            Err(QueueError::Full)
        );
        assert_eq!(queue.purge(VirtualTime::ZERO + TIME_TO_LIVE).len(), DEPTH);
    }
}
