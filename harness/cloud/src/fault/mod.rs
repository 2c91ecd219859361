//! Misbehaviour on request: which exchange, which time, what happens.

mod book;
mod effect;
mod exchange;
mod form;
mod rule;
mod shaping;
mod spoil;

pub(crate) use book::FaultBook;
pub use effect::{Answer, Effect};
pub(crate) use exchange::Exchange;
pub use rule::{Pattern, Repeat, Rule};
pub(crate) use shaping::{Outlet, Shaping};
pub(crate) use spoil::{Silence, answer, silence, spoil, spoil_message};

use serde::Serialize;

/// What a fault file holds: every member of a rule, every effect.
pub const FAULT_HELP: &str = include_str!("faults.md");

/// A fault: what happens in which exchanges.
///
/// In JSON or YAML the effect is a key beside the rule's members.
///
#[doc = include_str!("faults.md")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CloudFault {
    /// Which exchanges.
    #[serde(flatten)]
    pub rule: Rule,
    /// What happens in them.
    #[serde(flatten)]
    pub effect: Effect,
}

/// Why a fault could never take effect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// The fault `{effect}` never happens with method {method:?}; it needs {needs}.
    #[error("the fault `{effect}` never happens with method {method:?}; it needs {needs}")]
    Method {
        /// The effect's name.
        effect: &'static str,
        /// The rule's method.
        method: String,
        /// Which methods it can have.
        needs: &'static str,
    },
    /// `nth` and `times` count from 1.
    #[error("`nth` and `times` count from 1")]
    CountFromOne,
    /// The status {status} is none that HTTP has for a final answer: 200 to 599.
    #[error("the status {status} is none that HTTP has for a final answer: 200 to 599")]
    Status {
        /// The status.
        status: u16,
    },
    /// The {member} {value:?} would end the header field.
    #[error("the {member} {value:?} would end the header field")]
    HeaderValue {
        /// Which member.
        member: &'static str,
        /// Its value.
        value: String,
    },
    /// The fault `{effect}` strikes in the handshake, where no device is known; name a `host`.
    #[error(
        "the fault `{effect}` strikes in the handshake, where no device is known; name a `host`"
    )]
    DeviceUnknown {
        /// The effect's name.
        effect: &'static str,
    },
    /// `{member}` must be at least 1.
    #[error("`{member}` must be at least 1")]
    Nothing {
        /// Which member.
        member: &'static str,
    },
    /// CONNACK's return code {code} is none that refuses: 1 to 5.
    #[error("CONNACK's return code {code} is none that refuses: 1 to 5")]
    ReturnCode {
        /// The code.
        code: u8,
    },
}

impl CloudFault {
    /// Checks that the fault can take effect.
    ///
    /// # Errors
    /// It never could.
    pub fn check(&self) -> Result<(), FaultError> {
        if self.rule.nth == 0 || self.rule.times == Repeat::Times(0) {
            return Err(FaultError::CountFromOne);
        }
        self.effect.check()?;
        let handshake = match &self.rule.method {
            Some(method) => method == exchange::HANDSHAKE,
            None => self.effect.is_of_handshake(),
        };
        let effect = self.effect.name();
        match &self.rule.method {
            Some(method) if !self.effect.is_possible(method) => Err(FaultError::Method {
                effect,
                method: method.clone(),
                needs: self.effect.methods_in_words(),
            }),
            _ if handshake && self.rule.device.is_some() => {
                Err(FaultError::DeviceUnknown { effect })
            }
            _ => Ok(()),
        }
    }
}
