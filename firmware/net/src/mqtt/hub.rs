//! A device at its IoT Hub: connect, send one telemetry message, stay.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use smoltcp::time::{Duration, Instant};

use super::client::{Client, refusal};
use super::packet::{Incoming, Outgoing, TooLong};
use crate::dps::Assignment;
use crate::failure::{Failure, FailureKind};

/// IoT Hub's port for MQTT over TLS.
pub const PORT: u16 = 8883;

/// The version of the device API that the device names.
pub const API_VERSION: &str = "2021-04-12";

/// Silence before a PINGREQ; [`KEEP_ALIVE`](super::client::KEEP_ALIVE) is longer.
const PING_AFTER: Duration = Duration::from_secs(45);

/// How long CONNACK, PUBACK and PINGRESP may take: four losses of a segment in a row.
const ANSWER_LIMIT: Duration = Duration::from_secs(25);

const TELEMETRY_ID: u16 = 1;

/// What happened, for the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The hub accepted the connection.
    Connected,
    /// The hub took the telemetry message.
    TelemetryAcknowledged,
}

/// The MQTT session of one device.
#[derive(Debug)]
pub struct Hub {
    device_id: String,
    telemetry: String,
    state: State,
    client: Client,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Connecting { until: Instant },
    Publishing { until: Instant },
    Idle { ping_at: Instant },
    Pinging { until: Instant },
}

impl Hub {
    /// Starts a session; the CONNECT packet lies in [`Hub::outgoing`] then. `telemetry` is
    /// a JSON document.
    ///
    /// # Errors
    /// A [`Failure`] when an id is too long for MQTT.
    pub fn new(now: Instant, assignment: &Assignment, telemetry: String) -> Result<Self, Failure> {
        let Assignment { hub, device_id } = assignment;
        let user_name = format!("{hub}/{device_id}/?api-version={API_VERSION}");
        Ok(Self {
            device_id: device_id.clone(),
            telemetry,
            state: State::Connecting {
                until: now + ANSWER_LIMIT,
            },
            client: Client::connect(device_id, &user_name).map_err(too_long)?,
        })
    }

    /// Bytes for the hub, to be taken by the transport.
    pub fn outgoing(&mut self) -> &mut Vec<u8> {
        &mut self.client.outgoing
    }

    /// When [`Hub::poll`] has something to do.
    pub fn next(&self) -> Instant {
        match self.state {
            State::Connecting { until }
            | State::Publishing { until }
            | State::Pinging { until } => until,
            State::Idle { ping_at } => ping_at,
        }
    }

    /// Does what the time asks for.
    ///
    /// # Errors
    /// [`FailureKind::HubTimeout`] when the hub is silent.
    pub fn poll(&mut self, now: Instant) -> Result<(), Failure> {
        if now < self.next() {
            return Ok(());
        }
        let missing = match self.state {
            State::Connecting { .. } => "no answer to the MQTT connection",
            State::Publishing { .. } => "no acknowledgement of the telemetry message",
            State::Pinging { .. } => "no answer to a ping",
            State::Idle { .. } => {
                self.state = State::Pinging {
                    until: now + ANSWER_LIMIT,
                };
                return self.send(&Outgoing::PingRequest);
            }
        };
        let reason = format!("{missing} within {} s", ANSWER_LIMIT.secs());
        Err(Failure::new(FailureKind::HubTimeout, reason))
    }

    /// Takes bytes of the hub; returns what happened by them.
    ///
    /// # Errors
    /// The [`Failure`] that ends the session.
    pub fn receive(&mut self, now: Instant, bytes: &[u8]) -> Result<Vec<Event>, Failure> {
        self.client.push(bytes);
        let mut events = Vec::new();
        while let Some(packet) = (self.client.next_packet())
            .map_err(|error| Failure::new(FailureKind::HubProtocol, format!("{error}")))?
        {
            events.extend(self.packet(now, packet)?);
        }
        Ok(events)
    }

    fn packet(&mut self, now: Instant, packet: Incoming) -> Result<Option<Event>, Failure> {
        match (self.state, packet) {
            (State::Connecting { .. }, Incoming::ConnectAck(0)) => {
                self.state = State::Publishing {
                    until: now + ANSWER_LIMIT,
                };
                let topic = format!(
                    "devices/{}/messages/events/%24.ct=application%2Fjson&%24.ce=utf-8",
                    self.device_id
                );
                let payload = core::mem::take(&mut self.telemetry);
                self.send(&Outgoing::Publish {
                    topic: &topic,
                    packet_id: TELEMETRY_ID,
                    payload: payload.as_bytes(),
                })?;
                Ok(Some(Event::Connected))
            }
            (State::Connecting { .. }, Incoming::ConnectAck(code)) => {
                let reason = format!("the hub refused the connection: {}", refusal(code));
                Err(Failure::new(FailureKind::HubRefused, reason))
            }
            (State::Publishing { .. }, Incoming::PublishAck(TELEMETRY_ID)) => {
                self.state = State::Idle {
                    ping_at: now + PING_AFTER,
                };
                Ok(Some(Event::TelemetryAcknowledged))
            }
            (State::Pinging { .. }, Incoming::PingResponse) => {
                self.state = State::Idle {
                    ping_at: now + PING_AFTER,
                };
                Ok(None)
            }
            (
                State::Publishing { .. } | State::Idle { .. } | State::Pinging { .. },
                Incoming::Publish(_),
            ) => Ok(None),
            (_, packet) => {
                let reason = format!("{} came unasked", packet.name());
                Err(Failure::new(FailureKind::HubProtocol, reason))
            }
        }
    }

    fn send(&mut self, packet: &Outgoing<'_>) -> Result<(), Failure> {
        self.client.send(packet).map_err(too_long)
    }
}

fn too_long(TooLong: TooLong) -> Failure {
    Failure::new(FailureKind::HubProtocol, "an id is too long for MQTT")
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec;
    use rstest::rstest;

    fn start() -> (Hub, Instant) {
        let assignment = Assignment {
            hub: "hil-hub.azure-devices.net".into(),
            device_id: "AZ3166".into(),
        };
        let now = Instant::from_secs(10);
        (
            Hub::new(now, &assignment, "{\"boot\":1}".into()).unwrap(),
            now,
        )
    }

    const ACCEPTED: [u8; 4] = [0x20, 2, 0, 0];
    const ACKNOWLEDGED: [u8; 4] = [0x40, 2, 0, 1];

    #[test]
    fn it_connects_sends_telemetry_and_pings() {
        let (mut hub, mut now) = start();
        let connect = core::mem::take(hub.outgoing());
        assert_eq!(connect[..12], *b"\x10\x4c\x00\x04MQTT\x04\x82\x00\x3c");
        assert!(connect.ends_with(
            b"\x00\x06AZ3166\x00\x38hil-hub.azure-devices.net/AZ3166/?api-version=2021-04-12"
        ));

        assert_eq!(hub.receive(now, &ACCEPTED[..3]), Ok(vec![]));
        assert_eq!(hub.receive(now, &ACCEPTED[3..]), Ok(vec![Event::Connected]));
        let publish = core::mem::take(hub.outgoing());
        assert!(publish.ends_with(
            b"devices/AZ3166/messages/events/%24.ct=application%2Fjson&%24.ce=utf-8\x00\x01{\"boot\":1}"
        ));
        assert_eq!(
            hub.receive(now, &ACKNOWLEDGED),
            Ok(vec![Event::TelemetryAcknowledged])
        );

        for _ in 0..3 {
            assert_eq!(hub.next(), now + PING_AFTER);
            now = hub.next();
            hub.poll(now).unwrap();
            assert_eq!(core::mem::take(hub.outgoing()), [0xC0, 0]);
            now += Duration::from_millis(20);
            assert_eq!(hub.receive(now, &[0xD0, 0]), Ok(vec![]));
        }
    }

    #[rstest]
    #[case(&[], "hub-timeout: no answer to the MQTT connection within 25 s")]
    #[case(&ACCEPTED, "hub-timeout: no acknowledgement of the telemetry message within 25 s")]
    #[case(
        &[0x20, 2, 0, 0, 0x40, 2, 0, 1],
        "hub-timeout: no answer to a ping within 25 s"
    )]
    fn silence_ends_the_session(#[case] answers: &[u8], #[case] failure: &str) {
        let (mut hub, now) = start();
        hub.receive(now, answers).unwrap();
        let failed = (0..3).find_map(|_| hub.poll(hub.next()).err());
        assert_eq!(failed.unwrap().to_string(), failure);
    }

    #[rstest]
    #[case(&[0x20, 2, 0, 5], "hub-refused: the hub refused the connection: CONNACK 5, not authorized")]
    #[case(&[0x20, 2, 0, 9], "hub-refused: the hub refused the connection: CONNACK 9, reserved code")]
    #[case(&[0x40, 2, 0, 1], "hub-protocol: a PUBACK came unasked")]
    #[case(&[0x20, 2, 0, 0, 0x20, 2, 0, 0], "hub-protocol: a CONNACK came unasked")]
    #[case(&[0x20, 2, 0, 0, 0x40, 2, 0, 7], "hub-protocol: a PUBACK came unasked")]
    #[case(&[0x48, 0x54, 0x54, 0x50], "hub-protocol: a packet came that the server must not send")]
    fn wrong_packets_end_the_session(#[case] bytes: &[u8], #[case] failure: &str) {
        let (mut hub, now) = start();
        assert_eq!(hub.receive(now, bytes).unwrap_err().to_string(), failure);
    }

    #[test]
    fn messages_from_the_cloud_are_ignored() {
        let (mut hub, now) = start();
        hub.receive(now, &ACCEPTED).unwrap();
        assert_eq!(hub.receive(now, b"\x30\x05\x00\x01t{}"), Ok(vec![]));
    }
}
