//! A device's MQTT session with the provisioning service.

use az3166_event::{CloudEvent, VirtualTime};

use super::connection::Peer;
use super::exchange;
use super::services::Services;
use crate::behaviour::MqttCertificateFailure;
use crate::fault::{self, Effect};
use crate::http::RequestError;
use crate::mqtt::{Connect, Delivery, Packet, Publish, QoS, Retain, Subscription};
use crate::provisioning::{Proof, Refusal};
use crate::provisioning_mqtt::{Asked, Client, RESPONSES, response_topic};

/// The largest message (DPS documentation, "Quotas and limits").
const LARGEST: usize = 96 * 1024;

/// A device's session with the provisioning service. There is never an earlier one to resume.
pub(super) struct RegistrationSession {
    pub(super) client: Client,
    /// A shared access signature, judged with each request.
    token: Option<String>,
    subscribed: Subscribed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subscribed {
    No,
    Yes,
}

impl RegistrationSession {
    /// A client asks for a session.
    ///
    /// A token is judged with the first request. A certificate may be judged here: *unverified*
    /// choice of [`MqttCertificateFailure`].
    ///
    /// # Errors
    /// It is refused, in words. A TPM's first request proves nothing, so TPMs end here.
    pub(super) fn connect(
        now: VirtualTime,
        connect: &Connect,
        peer: Peer<'_>,
        services: &mut Services,
    ) -> Result<Self, String> {
        let client = Client::of(connect).map_err(|error| error.to_string())?;
        let token = match &connect.password {
            Some(password) => Some(
                String::from_utf8(password.clone())
                    .map_err(|_| "the password is not text".to_owned())?,
            ),
            None => None,
        };
        let session = Self {
            client,
            token: token.filter(|token| !token.is_empty()),
            subscribed: Subscribed::No,
        };
        match session.proof(peer) {
            Proof::Nothing => {
                return Err("the client has neither a certificate nor a token".to_owned());
            }
            proof @ Proof::Certificate { .. }
                if services.behaviour.mqtt_certificate_failure
                    == MqttCertificateFailure::Connack =>
            {
                let Client {
                    id_scope,
                    registration_id,
                    ..
                } = &session.client;
                let known = services
                    .provisioning
                    .look_up(now, id_scope, registration_id, proof);
                if let Err(refusal) = known
                    && refusal.status() == 401
                {
                    return Err(format!("{} {refusal}", refusal.error_code()));
                }
            }
            Proof::Certificate { .. } | Proof::Token(_) => {}
        }
        Ok(session)
    }

    fn proof<'a>(&'a self, peer: Peer<'a>) -> Proof<'a> {
        match (&self.token, peer.certificate) {
            (Some(token), _) => Proof::Token(token),
            (None, Some(leaf)) => Proof::Certificate {
                leaf,
                intermediates: peer.issuers,
            },
            (None, None) => Proof::Nothing,
        }
    }

    /// The client wants messages; there are answers alone. QoS 2 is granted as QoS 1.
    pub(super) fn subscribe(&mut self, wanted: &[Subscription]) -> Vec<Option<QoS>> {
        let grant = |subscription: &Subscription| {
            (subscription.filter == RESPONSES).then(|| {
                self.subscribed = Subscribed::Yes;
                subscription.qos.min(QoS::AtLeastOnce)
            })
        };
        wanted.iter().map(grant).collect()
    }

    /// The client wants no more messages.
    pub(super) fn unsubscribe(&mut self, filters: &[String]) {
        if filters.iter().any(|filter| filter == RESPONSES) {
            self.subscribed = Subscribed::No;
        }
    }

    /// The client sent a message: packets for it.
    ///
    /// # Errors
    /// The service closes the connection, in words.
    pub(super) fn publish(
        &self,
        now: VirtualTime,
        message: &Publish,
        effect: Option<&Effect>,
        peer: Peer<'_>,
        services: &mut Services,
    ) -> Result<Vec<Packet>, String> {
        let mut packets = match message.delivery {
            Delivery::AtMostOnce => Vec::new(),
            Delivery::AtLeastOnce { packet_id, .. } => vec![Packet::Puback { packet_id }],
            Delivery::ExactlyOnce { .. } => {
                return Err("the provisioning service has no QoS 2".to_owned());
            }
        };
        let asked = Asked::parse(&message.topic).map_err(|error| error.to_string())?;
        let payload = match message.payload.trim_ascii() {
            [] => b"{}",
            payload => payload,
        };
        let request = asked.request(&self.client, payload);
        let api = &mut exchange::api(services, peer);
        let mut answer = match fault::answer(effect) {
            Some((status, code)) => api.error(now, status, code, "Injected fault."),
            None if payload.len() > LARGEST => {
                api.malformed(now, RequestError::BodyTooLarge { limit: LARGEST })
            }
            None => api.answer(now, &request, self.proof(peer), exchange::course(effect)),
        };
        // A challenge, which TPMs get over HTTP alone, is no error there.
        if answer.response.status == 401 && answer.error_code.is_none() {
            let refusal = Refusal::Unauthorized;
            answer = api.error(now, 401, refusal.error_code(), &refusal.to_string());
        }
        fault::spoil(effect, &mut answer.response);
        let response = &answer.response;
        let retry_after = response.header("Retry-After");
        services.journal.note(
            now,
            CloudEvent::MqttExchange {
                connection: peer.connection,
                client_id: self.client.registration_id.clone(),
                topic: message.topic.clone(),
                api_version: self.client.api_version.clone(),
                status: response.status,
                error_code: answer.error_code,
                retry_after: retry_after.map(str::to_owned),
            },
        );
        exchange::note_outcome(now, &answer, services);
        if self.subscribed == Subscribed::Yes {
            let topic = response_topic(response.status, asked.request_id, retry_after);
            let (topic, payload) = fault::spoil_message(effect, topic, response.body.clone());
            packets.push(Packet::Publish(Publish {
                topic,
                payload,
                delivery: Delivery::AtMostOnce,
                retain: Retain::No,
            }));
        }
        Ok(packets)
    }
}
