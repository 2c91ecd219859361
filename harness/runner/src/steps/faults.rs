//! Faults of the services, the network and the secure element.

use az3166_scenario::{CloudFault, NetworkFault, StsafeFault};

use az3166_target::PowerState;

use super::{Outcome, StepError};
use crate::run::Run;

mod cloud;
mod network;
mod rule;
mod secure_element;

pub(crate) use cloud::certificate_fault;

pub(super) fn cloud(run: &mut Run<'_>, fault: &CloudFault) -> Result<Outcome, StepError> {
    let Some(cloud) = run.bench.cloud.local() else {
        return Ok(Outcome::Skipped {
            reason: "the cloud lacks local-cloud: its behaviour cannot be changed".into(),
        });
    };
    cloud::inject(cloud, &run.oracle, fault)?;
    Ok(Outcome::Passed)
}

pub(super) fn network(run: &mut Run<'_>, fault: &NetworkFault) -> Result<Outcome, StepError> {
    match fault {
        NetworkFault::Unplugged => run.bench.set_link(PowerState::Off),
        NetworkFault::Clear => run.bench.set_link(PowerState::On),
        _ => {}
    }
    network::inject(&mut run.bench.gateway, fault);
    Ok(Outcome::Passed)
}

pub(super) fn secure_element(run: &mut Run<'_>, fault: &StsafeFault) -> Result<Outcome, StepError> {
    let chip = run.bench.target().secure_element().ok_or_else(|| {
        StepError::setup(
            "this target has a real secure element",
            "add `secure-element-model` to `needs`",
        )
    })?;
    secure_element::inject(chip, fault)?;
    Ok(Outcome::Passed)
}
