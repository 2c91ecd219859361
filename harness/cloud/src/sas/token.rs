//! Tokens: `SharedAccessSignature sr=<resource>&sig=<signature>&se=<expiry>[&skn=<key name>]`.

use core::fmt;
use std::borrow::Cow;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::SymmetricKey;
use crate::percent;

/// A token that was read and not yet judged.
///
/// The signature is over the resource exactly as it was sent: clients percent-encode it in three
/// ways (`%2f`, `%2F`, `/`), and each signs its own.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    resource: String,
    expiry: String,
    expires: Duration,
    key_name: Option<String>,
    signature: Vec<u8>,
}

/// Why a text is not a token. The text itself is kept out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The token does not begin with `SharedAccessSignature`.
    #[error("the token does not begin with `SharedAccessSignature`")]
    Scheme,
    /// The token has no `{0}`.
    #[error("the token has no `{0}`")]
    Missing(
        /// The field's name.
        &'static str,
    ),
    /// The token has `{0}` twice.
    #[error("the token has `{0}` twice")]
    Repeated(
        /// The field's name.
        &'static str,
    ),
    /// The token's `sig` is not base64.
    #[error("the token's `sig` is not base64")]
    Signature,
    /// The token's `se` is not a number of seconds since 1970.
    #[error("the token's `se` is not a number of seconds since 1970")]
    Expiry,
}

impl Token {
    /// Reads a token; the order of its fields is free, unknown ones are ignored.
    ///
    /// # Errors
    /// The text is not a token.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        const SCHEME: &str = "SharedAccessSignature";
        let fields = text
            .trim_start()
            .split_at_checked(SCHEME.len())
            .filter(|(scheme, rest)| scheme.eq_ignore_ascii_case(SCHEME) && rest.starts_with(' '))
            .map(|(_, rest)| rest.trim_start())
            .ok_or(TokenError::Scheme)?;
        let resource = field(fields, "sr")?.ok_or(TokenError::Missing("sr"))?;
        let signature = field(fields, "sig")?.ok_or(TokenError::Missing("sig"))?;
        let expiry = field(fields, "se")?.ok_or(TokenError::Missing("se"))?;
        let key_name = field(fields, "skn")?;
        let digits = !expiry.is_empty() && expiry.bytes().all(|byte| byte.is_ascii_digit());
        let seconds = expiry.parse().ok().filter(|_| digits);
        Ok(Self {
            resource: resource.to_owned(),
            expiry: expiry.to_owned(),
            expires: Duration::from_secs(seconds.ok_or(TokenError::Expiry)?),
            key_name: key_name.map(|name| percent::decoded(name).into_owned()),
            signature: STANDARD
                .decode(percent::decoded(signature).as_bytes())
                .map_err(|_| TokenError::Signature)?,
        })
    }

    /// What the token is for, decoded.
    pub fn resource(&self) -> Cow<'_, str> {
        percent::decoded(&self.resource)
    }

    /// The name of the key (`skn`), where the token has one.
    pub fn key_name(&self) -> Option<&str> {
        self.key_name.as_deref()
    }

    /// Whether the token is no longer good at `since_1970`.
    pub fn is_expired(&self, since_1970: Duration) -> bool {
        self.expires <= since_1970
    }

    /// When the token is no longer good, in time since 1970.
    pub fn expires(&self) -> Duration {
        self.expires
    }

    /// Whether the token is for `resource`, whatever the case of its letters.
    pub fn is_for(&self, resource: &str) -> bool {
        self.resource().eq_ignore_ascii_case(resource)
    }

    /// Whether whoever made the token has `key`.
    pub fn is_signed_by(&self, key: &SymmetricKey) -> bool {
        let message = format!("{}\n{}", self.resource, self.expiry);
        key.signed(message.as_bytes(), &self.signature)
    }
}

impl fmt::Debug for Token {
    /// Keeps the signature out: whoever has it has what the token gives.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("resource", &self.resource)
            .field("expiry", &self.expiry)
            .field("key_name", &self.key_name)
            .finish_non_exhaustive()
    }
}

/// The only field `name` of `fields`, as it was sent.
fn field<'a>(fields: &'a str, name: &'static str) -> Result<Option<&'a str>, TokenError> {
    let mut values = fields
        .split('&')
        .filter_map(|field| field.split_once('='))
        .filter(|(own, _)| *own == name)
        .map(|(_, value)| value);
    let value = values.next();
    match values.next() {
        None => Ok(value),
        Some(_) => Err(TokenError::Repeated(name)),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// From azure-iot-sdk-c's symmetric key sample: key, resource and signature were published.
    const KEY: &str = "O+H9VTcdJP0Tqkl7bh4nVG0OJNrAataMpuWB54D0VEc=";
    const TOKEN: &str = "SharedAccessSignature sr=0ne000EEBBD%2fregistrations%2fFirstDevice\
        &sig=hwgBlMB6G2Zg5ZcYtwmtLVKRbifiSCPfUMyscbVWa8o%3D&se=1591921306&skn=registration";

    #[test]
    fn a_published_token_is_good() {
        let token = Token::parse(TOKEN).unwrap();
        assert!(token.is_signed_by(&SymmetricKey::from_base64(KEY).unwrap()));
        assert!(token.is_for("0ne000eebbd/registrations/firstdevice"));
        assert_eq!(token.key_name(), Some("registration"));
        assert!(!token.is_expired(Duration::from_secs(1_591_921_305)));
        assert!(token.is_expired(Duration::from_secs(1_591_921_306)));
    }

    #[rstest]
    #[case::resource_encoded_otherwise("%2f", "%2F")]
    #[case::other_expiry("se=1591921306", "se=1591921307")]
    #[case::zeros_before_the_expiry("se=1591921306", "se=01591921306")]
    #[case::other_signature("hwgB", "hwgC")]
    #[case::short_signature("hwgBlMB6G2Zg5ZcYtwmtLVKRbifiSCPfUMyscbVWa8o%3D", "hwgB")]
    #[case::no_signature("hwgBlMB6G2Zg5ZcYtwmtLVKRbifiSCPfUMyscbVWa8o%3D", "")]
    fn a_changed_token_is_not(#[case] from: &str, #[case] to: &str) {
        let token = Token::parse(&TOKEN.replace(from, to)).unwrap();
        assert!(!token.is_signed_by(&SymmetricKey::from_base64(KEY).unwrap()));
    }

    #[rstest]
    #[case::other_order(
        "SharedAccessSignature se=1591921306&sig=hwgBlMB6G2Zg5ZcYtwmtLVKRbifiSCPfUMyscbVWa8o=&sr=0ne000EEBBD%2fregistrations%2fFirstDevice"
    )]
    #[case::case_of_the_scheme(&TOKEN.replace("SharedAccessSignature", "sharedaccesssignature"))]
    #[case::a_field_more(&format!("{TOKEN}&x=y"))]
    fn freedoms(#[case] text: &str) {
        let token = Token::parse(text).unwrap();
        assert!(token.is_signed_by(&SymmetricKey::from_base64(KEY).unwrap()));
    }

    #[rstest]
    #[case("", TokenError::Scheme)]
    #[case("Bearer x", TokenError::Scheme)]
    #[case("SharedAccessSignaturé", TokenError::Scheme)]
    #[case("SharedAccessSignature ", TokenError::Missing("sr"))]
    #[case("SharedAccessSignature sr=a&se=1", TokenError::Missing("sig"))]
    #[case("SharedAccessSignature sr=a&sig=", TokenError::Missing("se"))]
    #[case("SharedAccessSignature sr=a&sig=&se=", TokenError::Expiry)]
    #[case("SharedAccessSignature sr=a&sig=&se=+1", TokenError::Expiry)]
    #[case(
        "SharedAccessSignature sr=a&sig=&se=99999999999999999999",
        TokenError::Expiry
    )]
    #[case("SharedAccessSignature sr=a&sig=*&se=1", TokenError::Signature)]
    #[case(
        "SharedAccessSignature sr=a&sr=b&sig=&se=1",
        TokenError::Repeated("sr")
    )]
    fn refusals(#[case] text: &str, #[case] expected: TokenError) {
        assert_eq!(Token::parse(text), Err(expected));
    }
}
