//! What the web page shows of the cloud. Keys have no place here, so none can be shown.

use az3166_cloud::{
    Attestation, Authentication, Cloud, ConnectionState, Device, DeviceCertificate, Enrolment,
    EnrolmentGroup, GroupAttestation, Policy, ProvisioningStatus, Registration, RegistrationState,
    Wall,
};
use serde::Serialize;
use serde_json::Value;

use crate::clock::date;

/// How many rows a page has.
pub(super) const ROWS: usize = 200;

/// Telemetry is shown to this length, in characters.
const LONGEST_BODY: usize = 512;

/// Some rows of many.
#[derive(Debug, Serialize)]
pub(super) struct Page<T> {
    /// The page's number, from 1.
    pub(super) page: usize,
    /// How many rows there are in all.
    pub(super) total: usize,
    pub(super) rows: Vec<T>,
}

impl<T> Page<T> {
    fn of<I>(items: impl Iterator<Item = I> + Clone, page: usize, row: impl Fn(I) -> T) -> Self {
        let total = items.clone().count();
        let rows = items.skip((page - 1).saturating_mul(ROWS)).take(ROWS);
        Self {
            page,
            total,
            rows: rows.map(row).collect(),
        }
    }

    /// How many pages there are.
    pub(super) fn pages(&self) -> usize {
        self.total.div_ceil(ROWS).max(1)
    }
}

/// An individual enrolment or a group.
#[derive(Debug, Serialize)]
pub(super) struct EnrolmentRow {
    pub(super) id: String,
    pub(super) kind: &'static str,
    pub(super) device_id: Option<String>,
    pub(super) attestation: &'static str,
    /// What may be told of a certificate: subject's name and SHA-1 thumbprint.
    pub(super) certificate: Option<String>,
    pub(super) status: &'static str,
    pub(super) hub: Option<String>,
}

/// A registration.
#[derive(Debug, Serialize)]
pub(super) struct RegistrationRow {
    pub(super) registration_id: String,
    pub(super) state: &'static str,
    pub(super) device_id: Option<String>,
    pub(super) hub: Option<String>,
    pub(super) detail: String,
    pub(super) group: Option<String>,
    pub(super) created: String,
    pub(super) last_updated: String,
}

/// A device in a list.
#[derive(Debug, Serialize)]
pub(super) struct DeviceRow {
    pub(super) hub: String,
    pub(super) device_id: String,
    pub(super) connected: bool,
    pub(super) since: Option<String>,
    pub(super) authentication: &'static str,
    pub(super) last_telemetry: Option<String>,
}

/// A device alone.
#[derive(Debug, Serialize)]
pub(super) struct DeviceDetail {
    #[serde(flatten)]
    pub(super) row: DeviceRow,
    pub(super) thumbprints: Vec<String>,
    pub(super) desired: Value,
    pub(super) reported: Value,
    pub(super) telemetry: Vec<TelemetryRow>,
}

/// A message from a device.
#[derive(Debug, Serialize)]
pub(super) struct TelemetryRow {
    pub(super) time: String,
    pub(super) properties: String,
    pub(super) body: String,
}

pub(super) fn enrolments(cloud: &Cloud<Wall>, page: usize) -> Page<EnrolmentRow> {
    Page::of(all_individual(cloud), page, individual)
}

pub(super) fn groups(cloud: &Cloud<Wall>, page: usize) -> Page<EnrolmentRow> {
    let groups: Vec<&EnrolmentGroup> = cloud.provisioning().groups().collect();
    Page::of(groups.into_iter(), page, group)
}

pub(super) fn registrations(cloud: &Cloud<Wall>, page: usize) -> Page<RegistrationRow> {
    let all: Vec<&Registration> = cloud.provisioning().registrations().collect();
    Page::of(all.into_iter(), page, registration)
}

pub(super) fn devices(cloud: &Cloud<Wall>, page: usize) -> Page<DeviceRow> {
    let all: Vec<&Device> = cloud.devices().collect();
    Page::of(all.into_iter(), page, device_row)
}

pub(super) fn device(cloud: &Cloud<Wall>, hub: &str, device_id: &str) -> Option<DeviceDetail> {
    let mut devices = cloud.devices();
    let device = devices.find(|it| it.hub == hub && it.device_id == device_id)?;
    let thumbprints = match &device.authentication {
        Authentication::SelfSigned { primary, secondary } => {
            let both = [Some(primary), secondary.as_ref()];
            both.into_iter()
                .flatten()
                .map(|it| it.as_str().to_owned())
                .collect()
        }
        Authentication::Sas(_) => Vec::new(),
    };
    let telemetry = device.telemetry.iter().rev();
    let telemetry = telemetry.map(|message| TelemetryRow {
        time: time(message.at),
        properties: message.properties.clone(),
        body: shortened(&String::from_utf8_lossy(&message.body)),
    });
    Some(DeviceDetail {
        row: device_row(device),
        thumbprints,
        desired: Value::Object(device.twin.desired.values.clone()),
        reported: Value::Object(device.twin.reported.values.clone()),
        telemetry: telemetry.collect(),
    })
}

fn all_individual(cloud: &Cloud<Wall>) -> impl Iterator<Item = &Enrolment> + Clone {
    let all: Vec<&Enrolment> = cloud.provisioning().enrolments().collect();
    all.into_iter()
}

fn individual(enrolment: &Enrolment) -> EnrolmentRow {
    let (attestation, certificate) = match &enrolment.attestation {
        Attestation::X509 { primary, .. } => ("X.509", Some(named(primary))),
        Attestation::SymmetricKey(_) => ("symmetric key", None),
        Attestation::Tpm(_) => ("TPM", None),
    };
    EnrolmentRow {
        id: enrolment.registration_id.clone(),
        kind: "individual",
        device_id: enrolment.device_id.clone(),
        attestation,
        certificate,
        status: status(&enrolment.policy),
        hub: enrolment.policy.hub.clone(),
    }
}

fn group(group: &EnrolmentGroup) -> EnrolmentRow {
    let (attestation, certificate) = match &group.attestation {
        GroupAttestation::X509 { primary, .. } => ("X.509 CA", Some(named(primary))),
        GroupAttestation::SymmetricKey(_) => ("symmetric key", None),
    };
    EnrolmentRow {
        id: group.group_id.clone(),
        kind: "group",
        device_id: None,
        attestation,
        certificate,
        status: status(&group.policy),
        hub: group.policy.hub.clone(),
    }
}

fn registration(registration: &Registration) -> RegistrationRow {
    let (device_id, hub, detail) = match &registration.state {
        RegistrationState::Assigned {
            hub,
            device_id,
            substatus,
        } => (
            Some(device_id.clone()),
            Some(hub.clone()),
            substatus.name().to_owned(),
        ),
        RegistrationState::Failed {
            error_code,
            message,
        } => (None, None, format!("{error_code}: {message}")),
        RegistrationState::Assigning | RegistrationState::Disabled => (None, None, String::new()),
    };
    RegistrationRow {
        registration_id: registration.registration_id.clone(),
        state: registration.state.status(),
        device_id,
        hub,
        detail,
        group: registration.group_id.clone(),
        created: registration.created.round_trip(),
        last_updated: registration.last_updated.round_trip(),
    }
}

fn device_row(device: &Device) -> DeviceRow {
    DeviceRow {
        hub: device.hub.clone(),
        device_id: device.device_id.clone(),
        connected: device.is_connected(),
        since: match device.connection_state {
            ConnectionState::Connected { since, .. } => Some(time(since)),
            ConnectionState::Disconnected => None,
        },
        authentication: match device.authentication {
            Authentication::SelfSigned { .. } => "certificate",
            Authentication::Sas(_) => "symmetric key",
        },
        last_telemetry: device.telemetry.back().map(|message| time(message.at)),
    }
}

fn named(certificate: &DeviceCertificate) -> String {
    let name = certificate.common_name().unwrap_or("no common name");
    format!("{name}, {}", certificate.sha1_thumbprint())
}

fn status(policy: &Policy) -> &'static str {
    match policy.provisioning_status {
        ProvisioningStatus::Enabled => "enabled",
        ProvisioningStatus::Disabled => "disabled",
    }
}

fn time(at: az3166_event::VirtualTime) -> String {
    let format = time::macros::format_description!(
        "[year]-[month]-[day] [hour]:[minute]:[second].[subsecond digits:3]"
    );
    date(at).format(format).unwrap_or_default()
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST_BODY) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
