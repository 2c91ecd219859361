//! The device API over MQTT 3.1.1, as the Azure IoT SDKs speak it.
//!
//! One connection: CONNECT with the registration id, a subscription to all answers, then a PUBLISH
//! for each request. An answer's topic holds the status that HTTP would have, the number of the
//! request and the pause that is asked for; its payload is the body that HTTP would have.

use alloc::format;
use alloc::string::String;

use smoltcp::time::{Duration, Instant};

use super::Request;
use super::answer::invalid;
use super::https::Target;
use crate::failure::{Failure, FailureKind};
use crate::http::Response;
use crate::mqtt::client::{Client, refusal};
use crate::mqtt::packet::{Incoming, Message, Outgoing, TooLong};
use crate::text::Foreign;

/// The version of the device API that the device speaks.
pub const API_VERSION: &str = "2019-03-31";

/// DPS's port for MQTT over TLS.
pub const PORT: u16 = 8883;

/// How long CONNACK and SUBACK may take: four losses of a segment in a row.
const ANSWER_LIMIT: Duration = Duration::from_secs(25);

const ANSWERS: &str = "$dps/registrations/res/";
const SUBSCRIPTION: &str = "$dps/registrations/res/#";
const SUBSCRIBE_ID: u16 = 1;

/// One connection to the device API.
///
/// It sends no PINGREQ: a registration is over before the keep-alive time is.
#[derive(Debug)]
pub struct Connection {
    client: Client,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Connecting {
        until: Instant,
    },
    Subscribing {
        until: Instant,
    },
    /// Requests were sent so far; the last one's number is the count.
    Open {
        requests: u16,
    },
}

impl Connection {
    /// Starts a connection, whose CONNECT lies in [`Connection::take_outgoing`] then.
    ///
    /// # Errors
    /// [`FailureKind::SettingInvalid`] when an id is too long for MQTT.
    pub fn new(now: Instant, target: &Target<'_>) -> Result<Self, Failure> {
        let Target {
            id_scope,
            registration_id,
            ..
        } = target;
        let user_name = format!(
            "{id_scope}/registrations/{registration_id}/api-version={API_VERSION}\
             &ClientVersion=prov_device_client%2F1.0"
        );
        Ok(Self {
            client: Client::connect(registration_id, &user_name).map_err(too_long)?,
            state: State::Connecting {
                until: now + ANSWER_LIMIT,
            },
        })
    }

    /// Bytes for the service.
    pub fn take_outgoing(&mut self) -> alloc::vec::Vec<u8> {
        core::mem::take(&mut self.client.outgoing)
    }

    /// Whether requests can be sent.
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Open { .. })
    }

    /// Whether the service has begun to say something.
    pub fn is_partial(&self) -> bool {
        self.client.is_partial()
    }

    /// When the service has been silent for too long; never once requests can be sent, which have
    /// limits of their own.
    pub fn next(&self) -> Option<Instant> {
        match self.state {
            State::Connecting { until } | State::Subscribing { until } => Some(until),
            State::Open { .. } => None,
        }
    }

    /// Looks at the time.
    ///
    /// # Errors
    /// [`FailureKind::DpsTimeout`] when the service is silent.
    pub fn poll(&mut self, now: Instant) -> Result<(), Failure> {
        let (until, what) = match self.state {
            State::Connecting { until } => (until, "connection"),
            State::Subscribing { until } => (until, "subscription"),
            State::Open { .. } => return Ok(()),
        };
        if now < until {
            return Ok(());
        }
        let reason = format!("no answer to the MQTT {what} in time");
        Err(Failure::new(FailureKind::DpsTimeout, reason))
    }

    /// Puts a request on its way.
    ///
    /// # Errors
    /// [`FailureKind::DpsResponse`] before [`Connection::is_open`].
    pub fn send(&mut self, request: &Request, target: &Target<'_>) -> Result<(), Failure> {
        let State::Open { requests } = &mut self.state else {
            return Err(invalid("a request was due before the connection was open"));
        };
        *requests += 1;
        let number = *requests;
        let topic = match request {
            Request::Register => {
                format!("$dps/registrations/PUT/iotdps-register/?$rid={number}")
            }
            Request::Status { operation_id } => format!(
                "$dps/registrations/GET/iotdps-get-operationstatus/?$rid={number}&operationId={operation_id}"
            ),
        };
        let payload = format!("{{\"registrationId\":\"{}\"}}", target.registration_id);
        let publish = Outgoing::Publish {
            topic: &topic,
            packet_id: SUBSCRIBE_ID + number,
            payload: payload.as_bytes(),
        };
        self.client.send(&publish).map_err(too_long)
    }

    /// Says goodbye.
    pub fn close(&mut self) {
        // It holds no text that could be too long.
        let _ = self.client.send(&Outgoing::Disconnect);
    }

    /// Takes bytes of the service; returns the answer to the last request once it is there.
    ///
    /// # Errors
    /// The [`Failure`] that ends the registration.
    pub fn receive(&mut self, now: Instant, bytes: &[u8]) -> Result<Option<Response>, Failure> {
        self.client.push(bytes);
        while let Some(packet) = self
            .client
            .next_packet()
            .map_err(|error| invalid(format!("{error}")))?
        {
            if let Some(response) = self.packet(now, packet)? {
                return Ok(Some(response));
            }
        }
        Ok(None)
    }

    fn packet(&mut self, now: Instant, packet: Incoming) -> Result<Option<Response>, Failure> {
        match (self.state, packet) {
            (State::Connecting { .. }, Incoming::ConnectAck(0)) => {
                self.state = State::Subscribing {
                    until: now + ANSWER_LIMIT,
                };
                let subscribe = Outgoing::Subscribe {
                    filter: SUBSCRIPTION,
                    packet_id: SUBSCRIBE_ID,
                };
                self.client.send(&subscribe).map_err(too_long)?;
                Ok(None)
            }
            (State::Connecting { .. }, Incoming::ConnectAck(code)) => Err(refused(code)),
            (State::Subscribing { .. }, Incoming::SubscribeAck(SUBSCRIBE_ID, 0 | 1)) => {
                self.state = State::Open { requests: 0 };
                Ok(None)
            }
            (State::Subscribing { .. }, Incoming::SubscribeAck(SUBSCRIBE_ID, _)) => {
                let reason = "the service refused the subscription";
                Err(Failure::new(FailureKind::DpsRefused, reason))
            }
            (State::Open { requests }, Incoming::PublishAck(id))
                if (1..=requests).contains(&id.wrapping_sub(SUBSCRIBE_ID)) =>
            {
                Ok(None)
            }
            (State::Open { requests }, Incoming::Publish(message)) => answer(message, requests),
            (_, packet) => Err(invalid(format!("{} came unasked", packet.name()))),
        }
    }
}

/// The failure for a CONNECT that was refused, by the name that HTTP's status would have.
fn refused(code: u8) -> Failure {
    let kind = match code {
        1 | 2 => FailureKind::DpsRefused,
        3 => FailureKind::DpsServerError,
        4 | 5 => FailureKind::DpsUnauthorized,
        _ => FailureKind::DpsResponse,
    };
    Failure::new(kind, refusal(code))
}

/// Reads an answer: `$dps/registrations/res/{status}/?$rid={number}&retry-after={seconds}`.
/// `None` is one that came before: a service may deliver a message twice.
fn answer(message: Message, request: u16) -> Result<Option<Response>, Failure> {
    let unusable = || {
        let topic = Foreign {
            text: &message.topic,
            limit: 64,
        };
        invalid(format!("the answer's topic {topic} is unusable"))
    };
    let (status, query) = (message.topic.strip_prefix(ANSWERS))
        .and_then(|rest| rest.split_once("/?"))
        .ok_or_else(unusable)?;
    let digits = status.len() == 3 && status.bytes().all(|byte| byte.is_ascii_digit());
    let status = Some(status)
        .filter(|_| digits)
        .and_then(|status| status.parse().ok());
    let value = |name: &str| {
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    };
    let number = value("$rid").and_then(|number| number.parse::<u16>().ok());
    let (Some(status), Some(number)) = (status, number) else {
        return Err(unusable());
    };
    if (1..request).contains(&number) {
        return Ok(None);
    }
    if number != request {
        return Err(unusable());
    }
    let retry_after = value("retry-after").map(String::from);
    Ok(Some(Response {
        status,
        retry_after,
        body: message.payload,
    }))
}

fn too_long(TooLong: TooLong) -> Failure {
    Failure::new(FailureKind::SettingInvalid, "an id is too long for MQTT")
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec::Vec;
    use proptest::prelude::*;
    use rstest::rstest;

    const TARGET: Target<'_> = Target {
        host: "global.azure-devices-provisioning.net",
        id_scope: "0ne00000000",
        registration_id: "az-c89346854138v1v6v1",
    };
    const NOW: Instant = Instant::from_millis_const(5000);
    const ACCEPTED: &[u8] = &[0x20, 2, 0, 0];
    const GRANTED: &[u8] = &[0x90, 3, 0, 1, 1];

    /// A connection on which the registration request was sent.
    fn asked() -> Connection {
        let mut connection = Connection::new(NOW, &TARGET).unwrap();
        assert_eq!(connection.receive(NOW, ACCEPTED), Ok(None));
        assert_eq!(connection.receive(NOW, GRANTED), Ok(None));
        assert!(connection.is_open());
        connection.take_outgoing();
        connection.send(&Request::Register, &TARGET).unwrap();
        connection
    }

    fn publish(topic: &str, payload: &str) -> Vec<u8> {
        let mut bytes = [0; 512];
        let packet = mqttrs::Packet::Publish(mqttrs::Publish {
            dup: false,
            qospid: mqttrs::QosPid::AtMostOnce,
            retain: false,
            topic_name: topic,
            payload: payload.as_bytes(),
        });
        let length = mqttrs::encode_slice(&packet, &mut bytes).unwrap();
        bytes[..length].to_vec()
    }

    #[test]
    fn requests_are_those_of_the_sdks() {
        let mut connection = Connection::new(NOW, &TARGET).unwrap();
        let connect = connection.take_outgoing();
        assert_eq!(connect[3..12], *b"\x00\x04MQTT\x04\x82\x00");
        assert!(connect.ends_with(
            b"\x00\x15az-c89346854138v1v6v1\x00\x6d\
              0ne00000000/registrations/az-c89346854138v1v6v1/api-version=2019-03-31\
              &ClientVersion=prov_device_client%2F1.0"
        ));
        assert_eq!(connection.receive(NOW, ACCEPTED), Ok(None));
        let subscribe = b"\x82\x1d\x00\x01\x00\x18$dps/registrations/res/#\x01";
        assert_eq!(connection.take_outgoing(), subscribe);

        let mut connection = asked();
        assert_eq!(
            connection.take_outgoing()[2..],
            *b"\x00\x2e$dps/registrations/PUT/iotdps-register/?$rid=1\x00\x02\
               {\"registrationId\":\"az-c89346854138v1v6v1\"}"
        );
        let operation_id = "5.50.ab".into();
        connection
            .send(&Request::Status { operation_id }, &TARGET)
            .unwrap();
        let topic = b"$dps/registrations/GET/iotdps-get-operationstatus/?$rid=2&operationId=5.50.ab\x00\x03{";
        let sent = connection.take_outgoing();
        assert!(sent.windows(topic.len()).any(|bytes| bytes == topic));
    }

    #[rstest]
    #[case("$dps/registrations/res/202/?$rid=1&retry-after=3", 202, Some("3"))]
    #[case(
        "$dps/registrations/res/429/?$rid=1&Retry-After=soon",
        429,
        Some("soon")
    )]
    #[case("$dps/registrations/res/200/?$rid=1", 200, None)]
    #[case("$dps/registrations/res/401/?x=y&$rid=1", 401, None)]
    fn answers_are_read(
        #[case] topic: &str,
        #[case] status: u16,
        #[case] retry_after: Option<&str>,
    ) {
        let mut connection = asked();
        let mut stream = [0x40, 2, 0, 2].to_vec();
        stream.extend(publish(topic, "{}"));
        let (last, first) = stream.split_last().unwrap();
        assert_eq!(connection.receive(NOW, first), Ok(None));
        assert!(connection.is_partial());
        let response = connection.receive(NOW, &[*last]).unwrap().unwrap();
        assert_eq!(response.status, status);
        assert_eq!(response.retry_after.as_deref(), retry_after);
        assert_eq!(response.body, b"{}");
    }

    #[rstest]
    #[case("$dps/registrations/res/202")]
    #[case("$dps/registrations/res/202/")]
    #[case("$dps/registrations/res/202/?$rid=2")]
    #[case("$dps/registrations/res/202/?$rid=0")]
    #[case("$dps/registrations/res/202/?$rid=x")]
    #[case("$dps/registrations/res/+20/?$rid=1")]
    #[case("$dps/registrations/res/2000/?$rid=1")]
    #[case("$dps/registrations/res//?$rid=1")]
    #[case("devices/az/messages/devicebound/")]
    fn topics_that_are_no_answer(#[case] topic: &str) {
        let failure = asked().receive(NOW, &publish(topic, "{}")).unwrap_err();
        let expected = format!("dps-response: the answer's topic {topic} is unusable");
        assert_eq!(failure.to_string(), expected);
    }

    #[test]
    fn an_answer_that_comes_twice_counts_once() {
        let mut connection = asked();
        let answer = publish("$dps/registrations/res/202/?$rid=1", "{}");
        assert!(connection.receive(NOW, &answer).unwrap().is_some());
        connection.send(&Request::Register, &TARGET).unwrap();
        assert_eq!(connection.receive(NOW, &answer), Ok(None));
        let second = publish("$dps/registrations/res/202/?$rid=2", "{}");
        assert!(connection.receive(NOW, &second).unwrap().is_some());
    }

    #[rstest]
    #[case(1, "dps-refused: CONNACK 1, unacceptable protocol version")]
    #[case(3, "dps-server-error: CONNACK 3, server unavailable")]
    #[case(4, "dps-unauthorized: CONNACK 4, bad user name or password")]
    #[case(5, "dps-unauthorized: CONNACK 5, not authorized")]
    #[case(9, "dps-response: CONNACK 9, reserved code")]
    fn refused_connections(#[case] code: u8, #[case] failure: &str) {
        let mut connection = Connection::new(NOW, &TARGET).unwrap();
        let answer = connection.receive(NOW, &[0x20, 2, 0, code]);
        assert_eq!(answer.unwrap_err().to_string(), failure);
    }

    #[rstest]
    #[case(&[0x40, 2, 0, 2], "a PUBACK came unasked")]
    #[case(&[0x90, 3, 0, 1, 1], "a SUBACK came unasked")]
    #[case(&[0x20, 2, 0, 0, 0x20, 2, 0, 0], "a CONNACK came unasked")]
    #[case(&[0x20, 2, 0, 0, 0x90, 3, 0, 2, 1], "a SUBACK came unasked")]
    #[case(&[0x20, 2, 0, 0, 0x90, 3, 0, 1, 1, 0x40, 2, 0, 2], "a PUBACK came unasked")]
    #[case(&[0x20, 0x81, 0x80, 0x80, 1], "a packet is too large (over 4096 bytes)")]
    #[case(b"HTTP/1.1", "a packet came that the server must not send")]
    fn packets_that_nobody_asked_for(#[case] bytes: &[u8], #[case] reason: &str) {
        let mut connection = Connection::new(NOW, &TARGET).unwrap();
        let failure = connection.receive(NOW, bytes).unwrap_err();
        assert_eq!(failure.to_string(), format!("dps-response: {reason}"));
    }

    #[test]
    fn a_refused_subscription() {
        let mut connection = Connection::new(NOW, &TARGET).unwrap();
        connection.receive(NOW, ACCEPTED).unwrap();
        let failure = connection.receive(NOW, &[0x90, 3, 0, 1, 0x80]).unwrap_err();
        let expected = "dps-refused: the service refused the subscription";
        assert_eq!(failure.to_string(), expected);
    }

    #[rstest]
    #[case(&[], "connection")]
    #[case(ACCEPTED, "subscription")]
    fn silence_ends_the_connection(#[case] answers: &[u8], #[case] what: &str) {
        let mut connection = Connection::new(NOW, &TARGET).unwrap();
        connection.receive(NOW, answers).unwrap();
        let until = connection.next().unwrap();
        assert_eq!(until, NOW + ANSWER_LIMIT);
        assert_eq!(connection.poll(until - Duration::from_millis(1)), Ok(()));
        let failure = connection.poll(until).unwrap_err();
        let expected = format!("dps-timeout: no answer to the MQTT {what} in time");
        assert_eq!(failure.to_string(), expected);
    }

    proptest! {
        #[test]
        fn any_topic_is_answered(topic in ".{0,40}", tail in ".{0,40}") {
            let topics = [topic, format!("$dps/registrations/res/{tail}")];
            for topic in topics {
                let message = Message { topic, packet_id: None, payload: Vec::new() };
                let _ = answer(message, 1);
            }
        }
    }
}
