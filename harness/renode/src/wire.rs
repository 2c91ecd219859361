//! What goes over Renode's sockets, as bytes: no socket is known here.

pub mod control;
pub mod http;
pub mod xml_rpc;
