//! Steps that damage the device's network below TLS.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{Interval, Percent, Text};

/// What the gateway does wrong from now on; faults add up until `clear`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(
    rename_all = "snake_case",
    rename_all_fields = "snake_case",
    deny_unknown_fields
)]
pub enum NetworkFault {
    /// Ends all faults.
    Clear,
    /// Nobody is on the link: packets are neither taken nor given.
    Unplugged,
    /// Loses packets of both directions, chosen by the scenario's seed.
    Loss {
        /// The share of packets.
        percent: Percent,
    },
    /// Delivers packets twice, chosen by the scenario's seed.
    Duplicate {
        /// The share of packets.
        percent: Percent,
    },
    /// Damages one bit of packets, chosen by the scenario's seed.
    Corrupt {
        /// The share of packets.
        percent: Percent,
    },
    /// Delivers each packet later.
    Delay {
        /// By how much.
        by: Interval,
    },
    /// What the name server does.
    Dns(Dns),
    /// What the time server does.
    Sntp(Sntp),
    /// What a TCP connection to this port meets.
    Tcp {
        /// The port: 443 for the provisioning service, 8883 for the hub.
        port: u16,
        /// What it meets.
        answer: TcpAnswer,
    },
    /// Cuts TCP connections by RST once they have carried so many bytes, both directions together.
    Drop {
        /// The host; every one where none is given.
        #[serde(default)]
        host: Option<Text>,
        /// The bytes that still arrive.
        after_bytes: u32,
    },
}

/// What the name server does in place of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Dns {
    /// It does not answer.
    Silent,
    /// It answers that the name does not exist.
    NoSuchName,
    /// It answers with bytes that are no DNS message.
    Malformed,
}

/// What the time server does in place of a right answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sntp {
    /// It does not answer.
    Silent,
    /// It answers with 1 January of this year.
    Year(u16),
    /// It answers with stratum 0, "kiss of death" (RFC 4330 section 8).
    KissOfDeath,
    /// It answers with bytes that are no SNTP message.
    Malformed,
}

/// What a TCP SYN meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TcpAnswer {
    /// A RST.
    Refused,
    /// No answer.
    Silent,
}
