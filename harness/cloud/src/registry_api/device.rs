//! What devices do over HTTP.

use az3166_event::{CloudEvent, VirtualTime};
use rand_core::Rng;

use super::route::DeviceOperation;
use super::{Failure, RegistryApi, Reply, registry};
use crate::http::Request;
use crate::hub::{DeviceKey, Verdict};

impl<R: Rng> RegistryApi<'_, R> {
    pub(super) fn device(
        &mut self,
        now: VirtualTime,
        key: &DeviceKey,
        operation: DeviceOperation<'_>,
        request: &Request,
    ) -> Result<Reply, Failure> {
        self.hubs
            .authenticate(now, key, self.shown)
            .map_err(|refusal| Failure::unauthorized(refusal.to_string()))?;
        match operation {
            DeviceOperation::Post => {
                let telemetry = self
                    .hubs
                    .post_telemetry(now, key, registry::properties(request), &request.body)
                    .map_err(|error| Failure::new(413_001, "MessageTooLarge", error.to_string()))?;
                let event = CloudEvent::Telemetry {
                    device_id: key.device_id.clone(),
                    body: String::from_utf8_lossy(&telemetry.body).into_owned(),
                    properties: telemetry.properties,
                };
                let answer = Box::new(self.empty(now, 204));
                Ok(Reply::Now(answer, Some(Box::new(event))))
            }
            DeviceOperation::Receive => {
                let answer = match self.hubs.receive(now, key) {
                    None => self.empty(now, 204),
                    Some((lock_token, message)) => {
                        let mut answer = self.empty(now, 200);
                        let headers = &mut answer.response.headers;
                        headers.push(("ETag", format!("\"{lock_token}\"")));
                        headers.push(("iothub-sequencenumber", lock_token.to_string()));
                        headers.push(("iothub-messageid", text(&message.message_id)));
                        let to = format!("/devices/{}/messages/deviceBound", key.device_id);
                        headers.push(("iothub-to", to));
                        answer.response.body = message.body;
                        answer
                    }
                };
                Ok(Reply::Now(Box::new(answer), None))
            }
            DeviceOperation::Settle { lock_token } => {
                let verdict = match request.query_parameter("reject") {
                    Some(_) => Verdict::Reject,
                    None => Verdict::Complete,
                };
                self.settle(now, key, lock_token, verdict)
            }
            DeviceOperation::Abandon { lock_token } => {
                self.settle(now, key, lock_token, Verdict::Abandon)
            }
        }
    }

    fn settle(
        &mut self,
        now: VirtualTime,
        key: &DeviceKey,
        lock_token: &str,
        verdict: Verdict,
    ) -> Result<Reply, Failure> {
        let lost = || {
            Failure::new(
                412_002,
                "DeviceMessageLockLost",
                "The lock token is not known.",
            )
        };
        let lock_token = lock_token.parse().map_err(|_| lost())?;
        match self.hubs.settle(now, key, lock_token, verdict) {
            true => Ok(Reply::Now(Box::new(self.empty(now, 204)), None)),
            false => Err(lost()),
        }
    }
}

/// What a header field can hold of a text.
fn text(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}
