//! Direct methods over HTTP.

use std::time::Duration;

use az3166_event::VirtualTime;
use rand_core::Rng;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Failure, RegistryApi};
use crate::http::Request;
use crate::hub::{Call, DeviceKey, MethodResult};

/// How long a device may take that is not told how long.
const RESPONSE_TIME: u64 = 30;
/// The longest times, in seconds (IoT Hub documentation, "Understand and invoke direct methods").
const LONGEST: u64 = 300;
/// The longest name of a method.
const NAME: usize = 100;
/// The largest payload.
const PAYLOAD: usize = 128 * 1024;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    method_name: String,
    #[serde(default)]
    payload: Value,
    response_timeout_in_seconds: Option<u64>,
    connect_timeout_in_seconds: Option<u64>,
}

impl<R: Rng> RegistryApi<'_, R> {
    /// Begins a call; its end is the answer.
    pub(super) fn call(
        &mut self,
        now: VirtualTime,
        key: &DeviceKey,
        request: &Request,
    ) -> Result<(), Failure> {
        let wanted: Invocation = serde_json::from_slice(&request.body)
            .map_err(|_| Failure::bad_request("The body is not a method's call."))?;
        let name = &wanted.method_name;
        let bad = |c: char| c.is_control() || ['/', '+', '#', '$'].contains(&c);
        if name.is_empty() || name.len() > NAME || name.contains(bad) {
            return Err(Failure::bad_request("methodName is not usable."));
        }
        let payload = wanted.payload.to_string();
        if payload.len() > PAYLOAD {
            return Err(Failure::new(
                413_001,
                "RequestTooLarge",
                "The payload is too large.",
            ));
        }
        let seconds = |value: Option<u64>, default| {
            let seconds = value.unwrap_or(default);
            match seconds <= LONGEST {
                true => Ok(Duration::from_secs(seconds)),
                false => Err(Failure::bad_request(
                    "A timeout is longer than 300 seconds.",
                )),
            }
        };
        let connect_time = seconds(wanted.connect_timeout_in_seconds, 0)?;
        let call = Call {
            method: name.clone(),
            payload: payload.into_bytes(),
            connect_by: now + connect_time,
            response_time: seconds(wanted.response_timeout_in_seconds, RESPONSE_TIME)?,
            connection: self.connection,
        };
        Ok(self.hubs.call(now, key, call)?)
    }
}

/// What a device answered, for the caller.
pub(super) fn answer(result: &MethodResult) -> Value {
    json!({"status": result.status, "payload": result.payload})
}
