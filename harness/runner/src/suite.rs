//! Chooses scenarios, spreads them over threads, gathers their results.

use core::time::Duration;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use az3166_cloud::{Cloud, CloudConfig};
use az3166_event::{Attachment, Progress, ScenarioResult, Trace, Verdict, VirtualTime};
use az3166_network::{Gateway, GatewayConfig};
use az3166_scenario::{HubPresence, Refusal, Scenario, ServerChain};
use az3166_target::{Target, TargetError};

use crate::bench::{Bench, Cancel, CloudSide};
use crate::firmware::FirmwareSource;
use crate::outside::{CloudChoice, local_need, unix_now};
use crate::project::variants_of;
use crate::retry::Retries;
use crate::run::Run;
use crate::steps::{StepError, certificate_fault};

/// 2026-01-01T00:00:00Z, the instant of the first power-on where time is virtual.
pub const EPOCH: u64 = 1_767_225_600;

/// The names that the gateway's SNTP server answers for.
pub(crate) const NTP_NAMES: [&str; 2] = ["pool.ntp.org", "time.windows.com"];

/// Makes a target for one scenario; it is handed over without power and with erased flash.
///
/// # Errors
/// The target cannot be had; the scenario's verdict is an error, and it was not judged.
pub type TargetFactory<'a> = dyn Fn(u64) -> Result<Box<dyn Target>, TargetError> + Sync + 'a;

/// How scenarios are run.
pub struct Suite<'a> {
    /// Makes a target from a seed.
    pub target: &'a TargetFactory<'a>,
    /// The target's name in reports.
    pub target_name: &'a str,
    /// Where the services are.
    pub cloud: CloudChoice<'a>,
    /// Where the firmware comes from.
    pub firmware: &'a dyn FirmwareSource,
    /// The seed of scenarios that name none.
    pub seed: u64,
    /// How many scenarios run at a time; at least 1.
    pub jobs: usize,
    /// How often a scenario is tried again.
    pub retries: Retries,
    /// Asks the run to stop.
    pub cancel: Cancel,
}

impl Suite<'_> {
    /// Runs all `scenarios`; the results are in their order, whatever runs at the same time.
    pub fn run(
        &self,
        scenarios: &[Scenario],
        progress: &(dyn Fn(Progress<'_>) + Sync),
    ) -> Vec<ScenarioResult> {
        let next = AtomicUsize::new(0);
        let results: Mutex<Vec<Option<ScenarioResult>>> =
            Mutex::new(scenarios.iter().map(|_| None).collect());
        std::thread::scope(|scope| {
            for _ in 0..self.jobs.clamp(1, scenarios.len().max(1)) {
                scope.spawn(|| {
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(scenario) = scenarios.get(index) else {
                            break;
                        };
                        if self.cancel.is_cancelled() {
                            break;
                        }
                        let result = self.run_one(scenario, progress);
                        progress(Progress::ScenarioFinished { result: &result });
                        let mut results = results
                            .lock()
                            .unwrap_or_else(std::sync::PoisonError::into_inner);
                        results[index] = Some(result);
                    }
                });
            }
        });
        let results = results
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        results.into_iter().flatten().collect()
    }

    /// Runs one scenario, again where [`Suite::retries`] says so.
    pub fn run_one(
        &self,
        scenario: &Scenario,
        progress: &(dyn Fn(Progress<'_>) + Sync),
    ) -> ScenarioResult {
        let mut earlier = Vec::new();
        loop {
            let mut result = self.attempt(scenario, progress);
            let again = match self.cancel.is_cancelled() {
                true => None,
                false => self.retries.next(scenario, &result, &earlier),
            };
            match again {
                Some(attempt) => earlier.push(attempt),
                None => {
                    result.earlier_attempts = earlier;
                    return result;
                }
            }
        }
    }

    fn attempt(
        &self,
        scenario: &Scenario,
        progress: &(dyn Fn(Progress<'_>) + Sync),
    ) -> ScenarioResult {
        let file = scenario.source.path().to_owned();
        progress(Progress::ScenarioStarted {
            name: &scenario.name,
            file: &file,
        });
        let started = Instant::now();
        let seed = scenario.seed.unwrap_or(self.seed);
        let mut result = blank(scenario, self.target_name, seed);
        let target = match (self.target)(seed) {
            Ok(target) => target,
            Err(error) => {
                return ScenarioResult {
                    verdict: error_of(&error.into()),
                    wall: started.elapsed(),
                    ..result
                };
            }
        };
        // Of several boards, the one that it was.
        result.target = target.name();
        let unmet: Vec<&str> = scenario
            .needs
            .iter()
            .filter(|need| !target.capabilities().has(**need))
            .map(|need| need.name())
            .collect();
        if !unmet.is_empty() {
            let reason = format!("the target {} lacks {}", self.target_name, unmet.join(", "));
            return ScenarioResult {
                verdict: Verdict::Skipped { reason },
                ..result
            };
        }
        if let CloudChoice::Outside(_) = self.cloud
            && let Some(what) = local_need(scenario)
        {
            let reason = format!("the cloud lacks local-cloud: {what}");
            return ScenarioResult {
                verdict: Verdict::Skipped { reason },
                ..result
            };
        }
        let mut variants = variants_of([scenario]).into_iter();
        if let Some(missing) = variants.find(|it| self.firmware.get(*it).is_err()) {
            let reason = format!("this run has no firmware `{}`", missing.name());
            return ScenarioResult {
                verdict: Verdict::Skipped { reason },
                ..result
            };
        }
        let cancel = self.cancel.clone();
        let mut run = match prepare(target, scenario, self.firmware, self.cloud, seed, cancel) {
            Ok(run) => run,
            Err(unready) => {
                return ScenarioResult {
                    verdict: error_of(&unready.error),
                    attachments: unready.attachments,
                    wall: started.elapsed(),
                    ..result
                };
            }
        };
        result.verdict = run.judge(|step, at| {
            progress(Progress::StepStarted {
                name: &scenario.name,
                step: step.number,
                verb: step.verb.name(),
                at,
            });
        });
        if let Err(error) = run.bench.cloud.close() {
            // It hides the verdict: what is left over must not be overlooked.
            result.verdict = error_of(&error.into());
        }
        let firmware = self.firmware.get(scenario.firmware).ok();
        result.firmware_sha256 = firmware.map(|firmware| firmware.sha256.clone());
        gather(&mut result, run);
        result.wall = started.elapsed();
        result
    }
}

/// The result of a scenario that has not begun.
pub(crate) fn blank(scenario: &Scenario, target: &str, seed: u64) -> ScenarioResult {
    ScenarioResult {
        name: scenario.name.clone(),
        file: scenario.source.path().to_owned(),
        tags: scenario.tags.iter().cloned().collect(),
        target: target.to_owned(),
        verdict: Verdict::Passed,
        virtual_time: VirtualTime::ZERO,
        wall: Duration::ZERO,
        instructions: None,
        trace: Trace::default(),
        console: Vec::new(),
        certificate_pem: None,
        display: None,
        attachments: Vec::new(),
        pcapng: None,
        firmware_sha256: None,
        seed,
        findings: Vec::new(),
        earlier_attempts: Vec::new(),
    }
}

/// Why a scenario could not begin.
pub(crate) struct Unready {
    pub error: StepError,
    /// What the target has to show for it. Nothing secret was given to it yet.
    pub attachments: Vec<Attachment>,
}

impl<E: Into<StepError>> From<E> for Unready {
    fn from(error: E) -> Self {
        Self {
            error: error.into(),
            attachments: Vec::new(),
        }
    }
}

/// `scenario` on `target`, ready for its first step: firmware, cloud and gateway are in place.
pub(crate) fn prepare<'a>(
    mut target: Box<dyn Target>,
    scenario: &'a Scenario,
    source: &'a dyn FirmwareSource,
    cloud: CloudChoice<'_>,
    seed: u64,
    cancel: Cancel,
) -> Result<Run<'a>, Unready> {
    let firmware = source.get(scenario.firmware)?;
    target.load(&firmware.images()).map_err(|error| Unready {
        error: error.into(),
        attachments: target.take_attachments(),
    })?;
    let (cloud, gateway) = match cloud {
        CloudChoice::Local => services(scenario, seed)?,
        CloudChoice::Outside(make) => outside(make()?, seed),
    };
    let image = firmware.application.clone();
    let bench = Bench::new(target, image, gateway, cloud, cancel);
    Ok(Run::new(bench, scenario, firmware.oracle.clone(), source))
}

/// The evidence of a run, masked.
fn gather(result: &mut ScenarioResult, mut run: Run<'_>) {
    result.virtual_time = run.bench.now();
    result.instructions = Some(run.bench.instructions());
    result.findings = run.judged_findings();
    result.console = run.bench.taps.mask_bytes(run.bench.console.raw());
    result.display = run.bench.target().picture();
    result.certificate_pem = run
        .bench
        .cloud
        .client_certificates()
        .last()
        .map(|(_, der)| pem(der));
    for mut attachment in run.bench.target().take_attachments() {
        attachment.bytes = run.bench.taps.mask_bytes(&attachment.bytes);
        result.attachments.push(attachment);
    }
    let keys = run.bench.cloud.key_log().join("\n");
    run.bench.gateway.capture_mut().add_tls_keys(&keys);
    let capture = run.bench.gateway.capture().to_pcapng();
    result.pcapng = Some(run.bench.taps.blank_bytes(&capture));
    result.trace = run.bench.into_trace();
}

/// A certificate as PEM, in lines of 64 characters.
fn pem(der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in text.as_bytes().chunks(64) {
        pem.extend(line.iter().copied().map(char::from));
        pem.push('\n');
    }
    pem.push_str("-----END CERTIFICATE-----\n");
    pem
}

fn error_of(error: &StepError) -> Verdict {
    match error {
        StepError::Setup { what, todo } => Verdict::Error {
            what: what.clone(),
            todo: todo.clone(),
        },
        StepError::Bench(crate::bench::BenchError::Outside(error)) => Verdict::Error {
            what: error.what.clone(),
            todo: error.todo.clone(),
        },
        StepError::Bench(error) => Verdict::Error {
            what: error.to_string(),
            todo: String::new(),
        },
    }
}

/// An outside cloud and the gateway in front of it.
fn outside(cloud: Box<dyn crate::outside::OutsideCloud>, seed: u64) -> (CloudSide, Gateway) {
    let gateway = Gateway::new(GatewayConfig {
        hosts: cloud.host_names(),
        ntp_names: NTP_NAMES.map(Into::into).to_vec(),
        seed,
        unix_at_zero: unix_now(),
    });
    (CloudSide::Outside(cloud), gateway)
}

/// The local cloud and the gateway in front of it, as the scenario describes them.
fn services(scenario: &Scenario, seed: u64) -> Result<(CloudSide, Gateway), StepError> {
    let setup = &scenario.cloud;
    let mut cloud_seed = [0; 32];
    cloud_seed[..8].copy_from_slice(&seed.to_le_bytes());
    let chain = match setup.server_chain {
        ServerChain::Rsa4096Sha384 => az3166_cloud::ServerChain::Rsa4096Sha384,
        ServerChain::RsaPss => az3166_cloud::ServerChain::RsaPss,
        _ => az3166_cloud::ServerChain::EcdsaP256,
    };
    let mut config = CloudConfig::virtual_time(cloud_seed, chain);
    config.id_scope = setup.id_scope.expose().to_owned();
    if setup.hub == HubPresence::Missing {
        config.hubs.clear();
    }
    if setup.refusal == Refusal::Failed {
        config.behaviour.certificate_mismatch = az3166_cloud::CertificateMismatch::FailOperation;
    }
    let failed = |error: &dyn core::fmt::Display| {
        StepError::setup(
            format!("the local cloud cannot start: {error}"),
            "report this as a bug",
        )
    };
    let mut cloud = Cloud::new(config).map_err(|error| failed(&error))?;
    if let Some(fault) = certificate_fault(setup.server_chain) {
        let effect = az3166_cloud::Effect::Certificate(fault);
        let rule = az3166_cloud::Rule::default();
        cloud
            .inject(az3166_cloud::CloudFault { rule, effect })
            .map_err(|error| failed(&error))?;
    }
    let gateway = Gateway::new(GatewayConfig {
        hosts: cloud.host_names(),
        ntp_names: NTP_NAMES.map(Into::into).to_vec(),
        seed,
        unix_at_zero: EPOCH,
    });
    Ok((CloudSide::Local(Box::new(cloud)), gateway))
}
