//! The registry: identities, twins, messages to devices, statistics.

use az3166_event::VirtualTime;
use rand_core::Rng;
use serde_json::{Value, json};

use super::route::RegistryOperation;
use super::{Failure, RegistryApi, bodies};
use crate::clock::Timestamp;
use crate::device_api::Answer;
use crate::http::Request;
use crate::hub::{CloudMessage, Mode};
use crate::percent;
use crate::provisioning::is_device_id;
use crate::sas::SymmetricKey;

/// The most devices of a list (IoT Hub REST reference, "Devices - Get Devices").
const LIST: usize = 1000;

impl<R: Rng> RegistryApi<'_, R> {
    pub(super) fn registry(
        &mut self,
        now: VirtualTime,
        operation: RegistryOperation,
        request: &Request,
    ) -> Result<Answer, Failure> {
        use RegistryOperation as R;
        match operation {
            R::List => {
                let top = request.query_parameter("top").map(str::parse);
                let top = top.unwrap_or(Ok(LIST));
                let top = top.map_err(|_| Failure::bad_request("top is not a number."))?;
                let devices = self.hubs.devices_of(self.hub, None).take(top.min(LIST));
                let devices: Vec<Value> = devices.map(bodies::identity).collect();
                Ok(self.json(now, 200, &devices))
            }
            R::Get { id } => {
                let device = self.hubs.device(&self.key(&id))?;
                let (body, etag) = (bodies::identity(device), device.etag());
                Ok(self.tagged(now, &body, &etag))
            }
            R::Put { id } => self.put(now, &id, request),
            R::Delete { id } => {
                let etag = request.header("if-match").unwrap_or("*");
                self.hubs.delete(&self.key(&id), etag)?;
                Ok(self.empty(now, 204))
            }
            R::GetTwin { id } => {
                let device = self.hubs.device(&self.key(&id))?;
                let (body, etag) = (bodies::twin(device), device.twin.etag());
                Ok(self.tagged(now, &body, &etag))
            }
            R::PatchTwin { id } => self.change_twin(now, &id, Mode::Merge, request),
            R::PutTwin { id } => self.change_twin(now, &id, Mode::Replace, request),
            R::Send { id } => self.send(now, id, request),
            R::Statistics => {
                let devices = self.hubs.devices_of(self.hub, None);
                let enabled = |device: &&crate::hub::Device| {
                    device.status == crate::hub::DeviceStatus::Enabled
                };
                let (on, off): (Vec<_>, Vec<_>) = devices.partition(enabled);
                let body = json!({
                    "totalDeviceCount": on.len() + off.len(),
                    "enabledDeviceCount": on.len(),
                    "disabledDeviceCount": off.len(),
                });
                Ok(self.json(now, 200, &body))
            }
            R::ServiceStatistics => {
                let devices = self.hubs.devices_of(self.hub, None);
                let connected = devices.filter(|device| device.is_connected()).count();
                Ok(self.json(now, 200, &json!({"connectedDeviceCount": connected})))
            }
        }
    }

    fn put(&mut self, now: VirtualTime, id: &str, request: &Request) -> Result<Answer, Failure> {
        if !is_device_id(id) {
            let message = "A device id has 1 to 128 ASCII letters, digits and `-.%_*?!(),:=@$'`.";
            return Err(Failure::bad_request(message));
        }
        let entropy = &mut self.entropy;
        let change = bodies::change(&request.body, id, || SymmetricKey::generate(entropy))?;
        let key = self.key(id);
        let device = match request.header("if-match") {
            None => self.hubs.create(now, &key, change)?,
            Some(etag) => self.hubs.update(&key, etag, change)?,
        };
        let (body, etag) = (bodies::identity(device), device.etag());
        Ok(self.tagged(now, &body, &etag))
    }

    fn change_twin(
        &mut self,
        now: VirtualTime,
        id: &str,
        mode: Mode,
        request: &Request,
    ) -> Result<Answer, Failure> {
        let sections = bodies::twin_change(&request.body)?;
        let etag = request.header("if-match").unwrap_or("*");
        let key = self.key(id);
        let device = self.hubs.change_twin(now, &key, etag, mode, sections)?;
        let (body, etag) = (bodies::twin(device), device.twin.etag());
        Ok(self.tagged(now, &body, &etag))
    }

    fn send(
        &mut self,
        now: VirtualTime,
        id: Option<String>,
        request: &Request,
    ) -> Result<Answer, Failure> {
        let id = match id {
            Some(id) => id,
            None => addressee(request.header("iothub-to").unwrap_or_default())
                .ok_or_else(|| Failure::bad_request("iothub-to names no device."))?,
        };
        let expires = match request
            .header("iothub-expiry")
            .filter(|text| !text.is_empty())
        {
            Some(text) => {
                let at = Timestamp::parse(text)
                    .ok_or_else(|| Failure::bad_request("iothub-expiry is not a time."))?;
                let since = self.epoch.since_1970(now);
                Some(now + at.since_1970().saturating_sub(since))
            }
            None => None,
        };
        let message = CloudMessage {
            message_id: request
                .header("iothub-messageid")
                .unwrap_or_default()
                .to_owned(),
            properties: properties(request),
            body: request.body.clone(),
            expires,
        };
        self.hubs.send(now, &self.key(&id), message)?;
        Ok(self.empty(now, 204))
    }

    fn tagged(&mut self, now: VirtualTime, body: &Value, etag: &str) -> Answer {
        let mut answer = self.json(now, 200, body);
        let etag = format!("\"{etag}\"");
        answer.response.headers.push(("ETag", etag));
        answer
    }
}

/// The device of `/devices/{id}/messages/deviceBound`.
fn addressee(to: &str) -> Option<String> {
    let rest = to.trim_start_matches('/').strip_prefix("devices/")?;
    let (id, rest) = rest.split_once('/')?;
    let fits = rest.eq_ignore_ascii_case("messages/devicebound");
    (fits && !id.is_empty()).then(|| percent::decoded(id).into_owned())
}

/// The properties of a message in header fields, as a topic has them.
pub(super) fn properties(request: &Request) -> String {
    const SYSTEM: [(&str, &str); 3] = [
        ("iothub-correlationid", "%24.cid"),
        ("content-type", "%24.ct"),
        ("content-encoding", "%24.ce"),
    ];
    const OWN: &str = "iothub-app-";
    let system = SYSTEM.iter().filter_map(|(header, name)| {
        let value = request.header(header)?;
        Some(format!("{name}={}", percent::encoded(value)))
    });
    let own = request.headers().filter_map(|(name, value)| {
        let prefix = name.get(..OWN.len())?;
        let fits = prefix.eq_ignore_ascii_case(OWN);
        let name = percent::encoded(&name[OWN.len()..]);
        fits.then(|| format!("{name}={}", percent::encoded(value)))
    });
    system.chain(own).collect::<Vec<_>>().join("&")
}
