//! The faults that are in force, and how often each has matched.

use super::effect::{Effect, HANDSHAKE, Named};
use super::{CloudFault, FaultError};

/// Where in a connection an exchange lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The TLS handshake, after the client's first message.
    Handshake,
    /// An HTTP request or an MQTT packet.
    Request,
}

/// What can be said of an exchange.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exchange<'a> {
    pub(crate) stage: Stage,
    pub(crate) host: &'a str,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
}

impl<'a> Exchange<'a> {
    /// The handshake of a connection to `host`.
    pub(crate) fn handshake(host: &'a str) -> Self {
        Self {
            stage: Stage::Handshake,
            host,
            method: HANDSHAKE,
            path: "",
        }
    }

    /// A request or packet for `host`.
    pub(crate) fn request(host: &'a str, method: &'a str, path: &'a str) -> Self {
        Self {
            stage: Stage::Request,
            host,
            method,
            path,
        }
    }
}

/// The faults that are in force.
#[derive(Clone, Debug, Default)]
pub(crate) struct FaultBook(Vec<Entry>);

#[derive(Clone, Debug)]
struct Entry {
    fault: CloudFault,
    matched: u32,
}

impl FaultBook {
    pub(crate) fn inject(&mut self, fault: CloudFault) -> Result<(), FaultError> {
        fault.check()?;
        self.0.push(Entry { fault, matched: 0 });
        Ok(())
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Counts the exchange with every fault that it matches and returns the first one that is due.
    pub(crate) fn strike(&mut self, exchange: Exchange<'_>) -> Option<Effect> {
        let mut due = None;
        for entry in &mut self.0 {
            let rule = &entry.fault.rule;
            let named = match rule.method {
                Some(_) => Named::Yes,
                None => Named::No,
            };
            let effect = &entry.fault.effect;
            let possible =
                effect.applies(exchange.stage, exchange.method, named) && is_for(effect, exchange);
            if !possible || !rule.matches(exchange.host, exchange.method, exchange.path) {
                continue;
            }
            entry.matched = entry.matched.saturating_add(1);
            if rule.is_due(entry.matched) && due.is_none() {
                due = Some(effect.clone());
            }
        }
        due
    }
}

/// Whether the effect means something for this request: only requests to register begin
/// operations, only polls hear how they go.
fn is_for(effect: &Effect, exchange: Exchange<'_>) -> bool {
    let register = crate::device_api::is_register(exchange.method, exchange.path);
    match effect {
        Effect::Fail { .. } => register,
        Effect::Assigning => register || exchange.method == "GET",
        _ => true,
    }
}
