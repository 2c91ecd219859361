//! What individual enrolments and groups have in common.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::model::{
    AttestationMechanism, Detail, Group, IndividualEnrollment, ModelError, Supplement,
};
use crate::device_api;
use crate::provisioning::{
    Attestation, EnrolError, Enrolment, EnrolmentGroup, GroupAttestation, Provisioning, Record,
};

/// A kind of record that the service API manages.
pub(super) trait Resource: Clone + 'static {
    /// Its JSON object.
    type Model: DeserializeOwned;
    /// How its devices prove who they are.
    type Attestation: 'static;
    /// The name of its id in JSON.
    const ID: &'static str;
    /// What the header `x-ms-item-type` calls it.
    const ITEM_TYPE: &'static str;
    /// The name of its list in a bulk operation.
    const LIST: &'static str;

    fn find<'a>(provisioning: &'a Provisioning, id: &str) -> Option<&'a Record<Self>>;

    /// All after the key `after`, by their keys.
    fn after<'a>(
        provisioning: &'a Provisioning,
        after: Option<&'a str>,
    ) -> Box<dyn Iterator<Item = (&'a String, &'a Record<Self>)> + 'a>;

    fn put(provisioning: &mut Provisioning, value: Self) -> Result<(), EnrolError>;

    fn remove(provisioning: &mut Provisioning, id: &str);

    fn json(provisioning: &Provisioning, record: &Record<Self>, detail: Detail) -> Value;

    fn mechanism(value: &Self) -> AttestationMechanism;

    fn attestation(value: &Self) -> &Self::Attestation;

    fn read(
        model: Self::Model,
        supplement: Supplement<'_, Self::Attestation>,
    ) -> Result<Self, ModelError>;

    fn id(model: &Self::Model) -> &str;

    fn etag(model: &Self::Model) -> Option<&str>;
}

impl Resource for Enrolment {
    type Model = IndividualEnrollment;
    type Attestation = Attestation;
    const ID: &'static str = "registrationId";
    const ITEM_TYPE: &'static str = "enrollment";
    const LIST: &'static str = "enrollments";

    fn find<'a>(provisioning: &'a Provisioning, id: &str) -> Option<&'a Record<Self>> {
        provisioning.enrolment_record(id)
    }

    fn after<'a>(
        provisioning: &'a Provisioning,
        after: Option<&'a str>,
    ) -> Box<dyn Iterator<Item = (&'a String, &'a Record<Self>)> + 'a> {
        Box::new(provisioning.enrolments_after(after))
    }

    fn put(provisioning: &mut Provisioning, value: Self) -> Result<(), EnrolError> {
        provisioning.enrol(value)
    }

    fn remove(provisioning: &mut Provisioning, id: &str) {
        provisioning.remove_enrolment(id);
    }

    fn json(provisioning: &Provisioning, record: &Record<Self>, detail: Detail) -> Value {
        let mut json = value(&IndividualEnrollment::of(record, detail));
        let registration = provisioning.registration(&record.value.registration_id);
        let state = registration
            .map(device_api::registration_result)
            .and_then(|body| serde_json::from_slice(&body).ok());
        if let (Some(members), Some(state)) = (json.as_object_mut(), state) {
            members.insert("registrationState".into(), state);
        }
        json
    }

    fn mechanism(value: &Self) -> AttestationMechanism {
        AttestationMechanism::of(&value.attestation, Detail::Reply)
    }

    fn attestation(value: &Self) -> &Attestation {
        &value.attestation
    }

    fn read(
        model: IndividualEnrollment,
        supplement: Supplement<'_, Attestation>,
    ) -> Result<Self, ModelError> {
        model.read(supplement)
    }

    fn id(model: &IndividualEnrollment) -> &str {
        &model.registration_id
    }

    fn etag(model: &IndividualEnrollment) -> Option<&str> {
        model.revision.etag.as_deref()
    }
}

impl Resource for EnrolmentGroup {
    type Model = Group;
    type Attestation = GroupAttestation;
    const ID: &'static str = "enrollmentGroupId";
    const ITEM_TYPE: &'static str = "enrollmentGroup";
    const LIST: &'static str = "enrollmentGroups";

    fn find<'a>(provisioning: &'a Provisioning, id: &str) -> Option<&'a Record<Self>> {
        provisioning.group_record(id)
    }

    fn after<'a>(
        provisioning: &'a Provisioning,
        after: Option<&'a str>,
    ) -> Box<dyn Iterator<Item = (&'a String, &'a Record<Self>)> + 'a> {
        Box::new(provisioning.groups_after(after))
    }

    fn put(provisioning: &mut Provisioning, value: Self) -> Result<(), EnrolError> {
        provisioning.enrol_group(value)
    }

    fn remove(provisioning: &mut Provisioning, id: &str) {
        provisioning.remove_group(id);
    }

    fn json(_: &Provisioning, record: &Record<Self>, detail: Detail) -> Value {
        value(&Group::of(record, detail))
    }

    fn mechanism(value: &Self) -> AttestationMechanism {
        AttestationMechanism::of_group(&value.attestation, Detail::Reply)
    }

    fn attestation(value: &Self) -> &GroupAttestation {
        &value.attestation
    }

    fn read(
        model: Group,
        supplement: Supplement<'_, GroupAttestation>,
    ) -> Result<Self, ModelError> {
        model.read(supplement)
    }

    fn id(model: &Group) -> &str {
        &model.enrollment_group_id
    }

    fn etag(model: &Group) -> Option<&str> {
        model.revision.etag.as_deref()
    }
}

fn value(model: &impl serde::Serialize) -> Value {
    // These are trees of strings and numbers, which JSON can always hold.
    model
        .serialize(serde_json::value::Serializer)
        .unwrap_or_default()
}
