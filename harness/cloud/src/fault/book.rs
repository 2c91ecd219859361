//! The faults that are in force, and how often each has matched.

use super::effect::{Effect, Named};
use super::exchange::Exchange;
use super::shaping::Shaping;
use super::{CloudFault, FaultError};

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

    /// Counts the exchange with every fault that it matches and says which of them are due.
    pub(crate) fn strike(&mut self, exchange: &Exchange<'_>) -> Strike {
        let mut strike = Strike::default();
        for entry in &mut self.0 {
            let rule = &entry.fault.rule;
            let named = match rule.method {
                Some(_) => Named::Yes,
                None => Named::No,
            };
            let effect = &entry.fault.effect;
            let possible =
                effect.applies(exchange.stage, exchange.method, named) && is_for(effect, exchange);
            if !possible || !rule.matches(exchange) {
                continue;
            }
            entry.matched = entry.matched.saturating_add(1);
            if !rule.is_due(entry.matched) {
                continue;
            }
            if strike.shaping.add(effect) {
                strike.names.push(effect.name());
            } else if strike.effect.is_none() {
                strike.effect = Some(effect.clone());
                strike.names.push(effect.name());
            }
        }
        strike
    }
}

/// What is due in an exchange.
#[derive(Debug, Default)]
pub(crate) struct Strike {
    /// What the service does wrong: the first fault's effect that is due.
    pub(crate) effect: Option<Effect>,
    /// How what it sends leaves: all faults of this kind together.
    pub(crate) shaping: Shaping,
    /// The effects' names.
    pub(crate) names: Vec<&'static str>,
}

/// Whether the effect means something for this request: only requests to register begin
/// operations, only polls hear how they go, and a hub answers no message with a status.
fn is_for(effect: &Effect, exchange: &Exchange<'_>) -> bool {
    if effect.is_for_dps() && !exchange.may_be_for_dps() {
        return false;
    }
    match effect {
        Effect::Fail { .. } => exchange.is_register(),
        Effect::Assigning => exchange.is_register() || exchange.is_poll(),
        _ => true,
    }
}
