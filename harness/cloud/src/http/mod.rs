//! HTTP/1.1 (RFC 9112) of a server: bytes in, requests out; answers in, bytes out.

mod chunked;
mod request;
mod response;

pub(crate) use request::{Persistence, Request, RequestError, RequestReader};
pub(crate) use response::Response;
