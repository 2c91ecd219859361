//! Which hub a device gets.

use sha2::{Digest as _, Sha256};

use super::attestation::Credential;
use super::id::RegistrationId;
use super::operation::{Assignment, Failure};
use super::policy::{AllocationPolicy, Policy, ReprovisionPolicy};
use super::registration::{HubDevice, Substatus};

/// Assigns the device `id` to a hub of the service, which has `hubs`.
pub(super) fn assign(
    hubs: &[String],
    id: &RegistrationId,
    device_id: Option<&str>,
    policy: &Policy,
    credential: Credential,
    former: Option<&HubDevice>,
) -> Result<Assignment, Failure> {
    let stays = former.filter(|_| policy.reprovision_policy == ReprovisionPolicy::Never);
    let (hub, device_id) = match stays {
        Some(former) => (former.hub.clone(), former.device_id.clone()),
        None => (
            choose(hubs, id, policy)?,
            device_id.map_or_else(|| id.key(), str::to_owned),
        ),
    };
    let former_hub = former
        .map(|former| former.hub.clone())
        .filter(|former| *former != hub);
    let substatus = match (former, &former_hub, policy.reprovision_policy) {
        (None, _, _) | (Some(_), _, ReprovisionPolicy::Never) => Substatus::InitialAssignment,
        (Some(_), None, _) => Substatus::ReprovisionedToInitialAssignment,
        (Some(_), Some(_), ReprovisionPolicy::MigrateData) => Substatus::DeviceDataMigrated,
        (Some(_), Some(_), ReprovisionPolicy::ResetData) => Substatus::DeviceDataReset,
    };
    Ok(Assignment {
        hub,
        device_id,
        credential,
        initial_twin: policy.initial_twin.clone(),
        kind: policy.kind,
        former_hub,
        substatus,
    })
}

fn choose(hubs: &[String], id: &RegistrationId, policy: &Policy) -> Result<String, Failure> {
    if let Some(hub) = &policy.hub {
        return Ok(hub.clone());
    }
    let candidates = match policy.hubs.as_slice() {
        [] => hubs,
        own => own,
    };
    match policy.allocation {
        AllocationPolicy::Custom => return Err(Failure::CustomAllocation),
        AllocationPolicy::Static => candidates.first().cloned(),
        AllocationPolicy::Hashed | AllocationPolicy::GeoLatency => hashed(candidates, id),
    }
    .ok_or(Failure::NoHub)
}

/// The hub of an id when all hubs are equally good: evenly spread, the same in every run.
fn hashed(hubs: &[String], id: &RegistrationId) -> Option<String> {
    let digest = Sha256::digest(id.key());
    let number = u64::from_be_bytes([
        digest[0], digest[1], digest[2], digest[3], digest[4], digest[5], digest[6], digest[7],
    ]);
    let count = u64::try_from(hubs.len()).ok().filter(|count| *count > 0)?;
    hubs.get(usize::try_from(number % count).ok()?).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashing_spreads_evenly() {
        let hubs = ["a", "b", "c", "d"].map(str::to_owned);
        let mut counts = [0; 4];
        for number in 0..4000 {
            let id = RegistrationId::parse(&format!("device-{number}")).unwrap();
            let hub = hashed(&hubs, &id).unwrap();
            counts[hubs.iter().position(|own| *own == hub).unwrap()] += 1;
        }
        assert!(
            counts.iter().all(|count| (900..1100).contains(count)),
            "{counts:?}"
        );
    }
}
