//! Shared access signatures, as the services' own interfaces want them ("Control access to IoT Hub
//! with shared access signatures").

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// A shared access key. It has no `Debug`: it cannot be printed.
#[derive(Clone)]
pub(crate) struct AccessKey(Zeroizing<Vec<u8>>);

impl AccessKey {
    /// Reads base64; none where it is that of nothing.
    pub(crate) fn from_base64(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(STANDARD.decode(text).ok()?);
        (!bytes.is_empty()).then_some(Self(bytes))
    }

    /// A token for `resource`, good until `expiry`, in seconds since 1970.
    pub(crate) fn token(&self, resource: &str, policy: &str, expiry: u64) -> Zeroizing<String> {
        let resource = percent_encoded(resource);
        // HMAC takes a key of any length.
        let signature = match Hmac::<Sha256>::new_from_slice(&self.0) {
            Ok(mut mac) => {
                mac.update(format!("{resource}\n{expiry}").as_bytes());
                STANDARD.encode(mac.finalize().into_bytes())
            }
            Err(_) => String::new(),
        };
        let signature = percent_encoded(&signature);
        let policy = percent_encoded(policy);
        Zeroizing::new(format!(
            "SharedAccessSignature sr={resource}&sig={signature}&se={expiry}&skn={policy}"
        ))
    }
}

/// `text` with everything but unreserved characters encoded (RFC 3986 section 2.3).
pub(crate) fn percent_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `openssl dgst -sha256 -mac HMAC -macopt hexkey:...` made the signature.
    #[test]
    fn tokens_are_signed_as_others_do() {
        let key = AccessKey::from_base64("O+H9VTcdJP0Tqkl7bh4nVG0OJNrAataMpuWB54D0VEc=").unwrap();
        let token = key.token("a.azure-devices.net", "iothubowner", 1_591_921_306);
        assert_eq!(token.as_str(), KNOWN);
    }

    const KNOWN: &str = "SharedAccessSignature sr=a.azure-devices.net&sig=PJvBPByoZEkSXPn%2B06QecVaa2oIMgPvn94EaA8xLFgw%3D&se=1591921306&skn=iothubowner";

    #[test]
    fn keys_must_be_base64() {
        assert!(AccessKey::from_base64("no key").is_none());
        assert!(AccessKey::from_base64("").is_none());
    }

    #[test]
    fn everything_reserved_is_encoded() {
        assert_eq!(percent_encoded("aZ0-._~/+= é"), "aZ0-._~%2F%2B%3D%20%C3%A9");
    }
}
