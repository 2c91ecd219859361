//! Shared access policies: who may use a service's own API.

use std::time::Duration;

use super::{SymmetricKeys, Token};

/// A shared access policy: a name and the keys that go with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessPolicy {
    /// The policy's name: `provisioningserviceowner`, `iothubowner`.
    pub name: String,
    /// Its keys.
    pub keys: SymmetricKeys,
}

/// Why a token gives no access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessRefusal {
    /// There is no token.
    #[error("there is no shared access signature")]
    NoToken,
    /// The text is not a token.
    #[error(transparent)]
    Malformed(#[from] super::TokenError),
    /// The token is for another resource.
    #[error("the token is for another resource")]
    Resource,
    /// The token names no policy of this service.
    #[error("the token names no policy of this service")]
    Policy,
    /// The token has expired.
    #[error("the token has expired")]
    Expired,
    /// The token's signature is wrong.
    #[error("the token's signature is wrong")]
    Signature,
}

impl AccessPolicy {
    /// Whether `token`, the value of an `Authorization` header, gives access to `resource` at
    /// `since_1970`.
    ///
    /// # Errors
    /// It does not.
    pub fn admit(
        &self,
        token: Option<&str>,
        resource: &str,
        since_1970: Duration,
    ) -> Result<(), AccessRefusal> {
        let token = Token::parse(token.ok_or(AccessRefusal::NoToken)?)?;
        if !token.is_for(resource) {
            return Err(AccessRefusal::Resource);
        }
        if token.key_name() != Some(&self.name) {
            return Err(AccessRefusal::Policy);
        }
        if token.is_expired(since_1970) {
            return Err(AccessRefusal::Expired);
        }
        if token.is_signed_by(&self.keys.primary) || token.is_signed_by(&self.keys.secondary) {
            Ok(())
        } else {
            Err(AccessRefusal::Signature)
        }
    }
}
