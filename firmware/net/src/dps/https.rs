//! The device API over HTTPS, byte for byte as the Azure IoT SDK for C (1.15.0) sends it. Its
//! `UserAgent` header without a hyphen is one of those bytes.

use alloc::format;
use alloc::string::String;

use super::Request;

/// The version of the device API that the device speaks.
pub const API_VERSION: &str = "2021-06-01";

/// DPS's port for HTTPS.
pub const PORT: u16 = 443;

/// Whom the requests are for.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// Host name of the service.
    pub host: &'a str,
    /// The ID scope.
    pub id_scope: &'a str,
    /// The registration id.
    pub registration_id: &'a str,
}

/// The bytes of `request`.
pub fn encode(request: &Request, target: &Target<'_>) -> String {
    let Target {
        host,
        id_scope,
        registration_id,
    } = target;
    let path = format!("/{id_scope}/registrations/{registration_id}");
    let (method, path, body) = match request {
        Request::Register => (
            "PUT",
            format!("{path}/register"),
            format!("{{\"registrationId\":\"{registration_id}\"}}"),
        ),
        Request::Status { operation_id } => (
            "GET",
            format!("{path}/operations/{operation_id}"),
            String::new(),
        ),
    };
    format!(
        "{method} {path}?api-version={API_VERSION} HTTP/1.1\r\n\
         UserAgent: prov_device_client/1.0\r\n\
         Accept: application/json\r\n\
         Connection: keep-alive\r\n\
         Content-Type: application/json; charset=utf-8\r\n\
         Host: {host}:{PORT}\r\n\
         content-length: {length}\r\n\
         \r\n\
         {body}",
        length = body.len(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: Target<'_> = Target {
        host: "global.azure-devices-provisioning.net",
        id_scope: "0ne00000000",
        registration_id: "az-c89346854138v1v6v1",
    };

    /// Bytes that were recorded from the SDK.
    #[test]
    fn requests_are_those_of_the_sdk() {
        assert_eq!(
            encode(&Request::Register, &TARGET),
            "PUT /0ne00000000/registrations/az-c89346854138v1v6v1/register?api-version=2021-06-01 HTTP/1.1\r\n\
             UserAgent: prov_device_client/1.0\r\nAccept: application/json\r\nConnection: keep-alive\r\n\
             Content-Type: application/json; charset=utf-8\r\n\
             Host: global.azure-devices-provisioning.net:443\r\ncontent-length: 42\r\n\r\n\
             {\"registrationId\":\"az-c89346854138v1v6v1\"}"
        );
        let status = Request::Status {
            operation_id: "5.506603669bd3e2bf.b3602f8f".into(),
        };
        let bytes = encode(&status, &TARGET);
        assert!(bytes.starts_with(
            "GET /0ne00000000/registrations/az-c89346854138v1v6v1/operations/\
             5.506603669bd3e2bf.b3602f8f?api-version=2021-06-01 HTTP/1.1\r\nUserAgent: "
        ));
        assert!(bytes.ends_with("\r\ncontent-length: 0\r\n\r\n"));
    }
}
