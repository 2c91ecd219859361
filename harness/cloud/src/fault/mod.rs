//! Misbehaviour on request: which exchange, which time, what happens.

mod book;
mod effect;
mod rule;

pub(crate) use book::{Exchange, FaultBook, Stage};
pub use effect::{Answer, Effect};
pub use rule::{Pattern, Repeat, Rule};

use serde::{Deserialize, Serialize};

/// A fault: what happens in which exchanges.
///
/// In JSON or YAML the effect is a key beside the rule's members:
/// `{"path": "*/register", "times": 1, "answer": {"status": 429, "retry_after": "5"}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
        let Some(method) = &self.rule.method else {
            return Ok(());
        };
        let needs = self.effect.methods();
        match needs.contains(&method.as_str()) {
            true => Ok(()),
            false => Err(FaultError::Method {
                effect: self.effect.name(),
                method: method.clone(),
                needs: self.effect.methods_in_words(),
            }),
        }
    }
}
