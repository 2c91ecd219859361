//! Judging the certificate that the device presents.

use az3166_identity::{Certificate, Field, compare};
use az3166_scenario::{
    Against, ExpectCertificate, ExpectIdentity, Interval, Label, Profile, Sameness,
};

use super::{Outcome, StepError, why};
use crate::bench::Waited;
use crate::run::Run;

pub(super) fn expect_certificate(
    run: &mut Run<'_>,
    expected: &ExpectCertificate,
) -> Result<Outcome, StepError> {
    let der = match presented(run, expected.within, "a client certificate in TLS")? {
        Ok(der) => der,
        Err(outcome) => return Ok(outcome),
    };
    let mut wrong = Vec::new();
    if let Some(against) = &expected.oracle {
        let (Against::Equal(input) | Against::Different(input)) = against;
        let (oracle, _) = run.oracle_certificate(&input.or(&run.scenario.identity))?;
        let differences = match compare(&oracle, &der) {
            Ok(differences) => differences.iter().map(ToString::to_string).collect(),
            Err(error) => vec![error.to_string()],
        };
        match against {
            Against::Equal(_) => wrong.extend(differences),
            Against::Different(_) if differences.is_empty() => {
                wrong.push("it equals the oracle's byte for byte".into());
            }
            Against::Different(_) => {}
        }
    }
    let summary = match az3166_identity::Summary::of(&der) {
        Ok(summary) => summary,
        Err(error) => return Ok(Outcome::failed("an X.509 certificate", error.to_string())),
    };
    if let Some(profile) = expected.profile {
        let wanted = match profile {
            Profile::Strict => az3166_identity::Profile::Strict,
            Profile::Devkit => az3166_identity::Profile::Devkit,
        };
        if summary.profile != Some(wanted) {
            let seen = summary
                .profile
                .map_or("neither profile's form".into(), |p| p.to_string());
            wrong.push(format!("profile: expected {wanted}, presented {seen}"));
        }
    }
    if let Some(name) = &expected.common_name
        && summary.common_name.as_deref() != Some(name.expose())
    {
        let seen = summary.common_name.as_deref().unwrap_or("none");
        wrong.push(format!(
            "common name: expected {}, presented {seen}",
            name.expose()
        ));
    }
    if wrong.is_empty() {
        return Ok(Outcome::Passed);
    }
    let expected = match &expected.oracle {
        Some(Against::Equal(_)) => "the oracle's certificate, byte for byte",
        Some(Against::Different(_)) => "a certificate other than the oracle's",
        None => "a certificate as the step describes it",
    };
    Ok(Outcome::failed(expected, wrong.join("\n")))
}

pub(super) fn save(run: &mut Run<'_>, label: &Label) -> Result<Outcome, StepError> {
    match run
        .bench
        .cloud
        .client_certificates()
        .last()
        .map(|(_, der)| der.clone())
    {
        Some(der) => {
            run.identities.insert(label.as_str().to_owned(), der);
            Ok(Outcome::Passed)
        }
        None => Ok(Outcome::failed(
            "a certificate to save",
            "the device has presented none so far",
        )),
    }
}

pub(super) fn expect_identity(
    run: &mut Run<'_>,
    expected: &ExpectIdentity,
) -> Result<Outcome, StepError> {
    let label = expected.compared_to.as_str();
    let saved = run.identities.get(label).cloned().ok_or_else(|| {
        StepError::setup(
            format!("no identity `{label}` was saved"),
            "save it by a `save_identity` step before",
        )
    })?;
    let der = match presented(run, expected.within, "a client certificate in TLS")? {
        Ok(der) => der,
        Err(outcome) => return Ok(outcome),
    };
    let differences = compare(&Certificate::from_der(saved), &der)
        .map_err(|error| StepError::setup(error.to_string(), "check the device's certificate"))?;
    let changed = |field: Field| {
        differences
            .iter()
            .any(|difference| difference.field == field)
    };
    let judged = [
        ("alias key", expected.alias_key, changed(Field::AliasKey)),
        (
            "DeviceID key",
            expected.device_key,
            changed(Field::DeviceIdKey),
        ),
        ("certificate", expected.certificate, !differences.is_empty()),
    ];
    let wrong: Vec<String> = judged
        .into_iter()
        .filter_map(|(name, wanted, changed)| match (wanted?, changed) {
            (Sameness::Same, true) => Some(format!("the {name} changed")),
            (Sameness::Changed, false) => Some(format!("the {name} is the same")),
            _ => None,
        })
        .collect();
    if wrong.is_empty() {
        return Ok(Outcome::Passed);
    }
    Ok(Outcome::failed(
        format!("the identity compared to `{label}` as the step says"),
        wrong.join("\n"),
    ))
}

/// The certificate that the device presented last since it started; waits for one.
pub(crate) fn presented(
    run: &mut Run<'_>,
    within: Interval,
    expected: &str,
) -> Result<Result<Vec<u8>, Outcome>, StepError> {
    let since = run.started_time();
    let waited = super::wait(run, within, |bench| {
        let last = bench.cloud.client_certificates().last()?;
        (last.0 >= since).then(|| last.1.clone())
    })?;
    Ok(match waited {
        Waited::Found(der) => Ok(der),
        other => Err(Outcome::failed(
            expected,
            why(&other, within, run.bench.now()),
        )),
    })
}
