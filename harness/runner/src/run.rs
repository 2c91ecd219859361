//! One scenario on one bench: its labels, its findings, its verdict.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use az3166_event::{
    Expectedness, Failure, Finding, FindingEvent, MachineEvent, Payload, Secret, StepEvent,
    Verdict, VirtualTime,
};
use az3166_identity::{Certificate, Uds};
use az3166_scenario::{
    ExpectFinding, FirmwareVariant, IdentityInput, Interval, Scenario, Step, TrustAnchor,
};
use az3166_stsafe::NvmImage;
use az3166_target::{Image, PowerState, TRUST_ANCHOR_ADDRESS, trust_anchor_record};

use crate::bench::{Bench, BenchError};
use crate::firmware::{Firmware, FirmwareSource, default_mac};
use crate::oracle::Oracle;
use crate::steps::{Outcome, StepError, execute, look_at_identity, restore_settings};

/// A scenario that runs.
pub struct Run<'a> {
    /// The bench it runs on.
    pub bench: Bench,
    /// What it says.
    pub scenario: &'a Scenario,
    /// What the device must present.
    pub oracle: Oracle,
    /// The same for what is in flash, where a step has changed that since.
    in_flash: Oracle,
    /// What is done with the trust anchor record at each start.
    pub trust_anchor: TrustAnchor,
    /// Kept memories of the secure element, by label.
    pub snapshots: BTreeMap<String, NvmImage>,
    /// Kept certificates, by label.
    pub identities: BTreeMap<String, Vec<u8>>,
    /// The certificate that the device has, as its last start in user mode printed it; none where
    /// that is not known.
    pub(crate) alias_sha256: Option<String>,
    firmware: &'a dyn FirmwareSource,
    started_at: usize,
    started_time: VirtualTime,
    console_start: usize,
    judged_events: usize,
    judged_certificates: BTreeSet<Vec<u8>>,
    findings: Vec<Finding>,
    expected: BTreeSet<String>,
}

impl<'a> Run<'a> {
    /// Puts `scenario` on `bench`, whose target holds `image`.
    pub fn new(
        mut bench: Bench,
        scenario: &'a Scenario,
        oracle: Oracle,
        firmware: &'a dyn FirmwareSource,
    ) -> Self {
        let oracle = on_board(oracle, &mut bench);
        Self {
            bench,
            scenario,
            in_flash: oracle.clone(),
            oracle,
            trust_anchor: TrustAnchor::default(),
            snapshots: BTreeMap::new(),
            identities: BTreeMap::new(),
            alias_sha256: None,
            firmware,
            started_at: 0,
            started_time: VirtualTime::ZERO,
            console_start: 0,
            judged_events: 0,
            judged_certificates: BTreeSet::new(),
            findings: Vec::new(),
            expected: BTreeSet::new(),
        }
    }

    /// Does all steps and judges the findings; `progress` hears of each step before it begins.
    pub fn judge(&mut self, mut progress: impl FnMut(&Step, VirtualTime)) -> Verdict {
        match self.set_up() {
            Ok(None) => {}
            Ok(Some(reason)) => return Verdict::Skipped { reason },
            Err(error) => return verdict_of(&error, "before the first step"),
        }
        let mut skipped = None;
        for step in &self.scenario.steps {
            let number = step.number;
            progress(step, self.bench.now());
            if self.bench.now() >= VirtualTime::ZERO + self.scenario.deadline.0 {
                let expected = format!("the scenario to end within {}", self.scenario.deadline);
                return self.fail(step, &expected, "its time was over before this step began");
            }
            let verb = step.verb.name().to_owned();
            self.bench
                .record(Payload::Step(StepEvent::Begin { step: number, verb }));
            match execute(self, &step.verb) {
                Ok(Outcome::Passed) => {
                    self.bench
                        .record(Payload::Step(StepEvent::Passed { step: number }));
                }
                Ok(Outcome::Skipped { reason }) => {
                    skipped.get_or_insert_with(|| reason.clone());
                    self.bench.record(Payload::Step(StepEvent::Skipped {
                        step: number,
                        reason,
                    }));
                }
                Ok(Outcome::Failed { expected, seen }) => {
                    return self.fail(step, &expected, &seen);
                }
                Err(error) => {
                    return verdict_of(&error, &step.location().to_string());
                }
            }
            self.look_for_findings();
        }
        self.look_for_findings();
        self.look_into_memory();
        match (self.unexpected_finding(), skipped) {
            (Some(verdict), _) => verdict,
            (None, Some(reason)) => Verdict::Skipped { reason },
            (None, None) => Verdict::Passed,
        }
    }

    /// Gives the reason to skip the scenario, if there is one.
    fn set_up(&mut self) -> Result<Option<String>, StepError> {
        for secret in self.scenario.secrets() {
            self.watch_uds(secret.uds.secret());
        }
        for enrolment in &self.scenario.cloud.enrolments {
            self.enrol(enrolment)?;
        }
        if let Some(reason) = restore_settings(self)? {
            return Ok(Some(reason));
        }
        look_at_identity(self)?;
        Ok(None)
    }

    fn fail(&mut self, step: &Step, expected: &str, seen: &str) -> Verdict {
        let expected = self.bench.taps.mask(expected);
        let seen = self.bench.taps.mask(seen);
        self.bench.record(Payload::Step(StepEvent::Failed {
            step: step.number,
            expected: expected.clone(),
            seen: seen.clone(),
        }));
        self.look_for_findings();
        Verdict::Failed(Box::new(Failure {
            step: Some(step.number),
            verb: step.verb.name().into(),
            location: step.location(),
            expected,
            seen,
            at: self.bench.now(),
        }))
    }

    /// Programs `variant` and takes power away; the secure element keeps its memory.
    pub fn load(&mut self, variant: FirmwareVariant) -> Result<(), StepError> {
        let firmware = self.firmware.get(variant)?;
        self.bench.set_power(PowerState::Off)?;
        let image = self.program(&firmware)?;
        self.oracle = on_board(firmware.oracle.clone(), &mut self.bench);
        self.in_flash = self.oracle.clone();
        // Its identity follows from the image too.
        self.alias_sha256 = None;
        self.bench.set_image(image);
        Ok(())
    }

    fn program(&mut self, firmware: &Firmware) -> Result<Arc<Image>, StepError> {
        self.bench.target().load(&firmware.images())?;
        Ok(Arc::clone(&firmware.application))
    }

    /// The board leaves reset: later expectations look at what happens from here on.
    pub fn mark_start(&mut self) {
        self.started_at = self.bench.trace().events().len();
        self.started_time = self.bench.now();
        self.console_start = self.bench.console.heard().len();
    }

    /// How much of the console had been heard at the last start.
    pub fn console_start(&self) -> usize {
        self.console_start
    }

    /// The instant after `within`, but never after the time limit of the whole scenario.
    pub fn deadline(&self, within: Interval) -> VirtualTime {
        let whole = VirtualTime::ZERO + self.scenario.deadline.0;
        (self.bench.now() + within.0).min(whole)
    }

    /// Index of the first event since the last start.
    pub fn started_at(&self) -> usize {
        self.started_at
    }

    /// The instant of the last start.
    pub fn started_time(&self) -> VirtualTime {
        self.started_time
    }

    /// Writes, wipes or leaves the trust anchor record, as the scenario says.
    pub fn write_trust_anchor(&mut self) -> Result<(), StepError> {
        let der = match self.trust_anchor {
            TrustAnchor::Present | TrustAnchor::BadCrc => match self.bench.cloud.trust_anchor() {
                Some(der) => der.to_vec(),
                None => return self.wipe_trust_anchor(),
            },
            TrustAnchor::Unrelated => az3166_cloud::ServerChain::unrelated_root().to_vec(),
            TrustAnchor::Absent => return self.wipe_trust_anchor(),
            TrustAnchor::Untouched => return Ok(()),
        };
        let mut record = trust_anchor_record(&der).ok_or_else(|| {
            StepError::setup(
                format!(
                    "the test root has {} bytes, too many for its record",
                    der.len()
                ),
                "use a smaller root certificate",
            )
        })?;
        if self.trust_anchor == TrustAnchor::BadCrc
            && let Some(last) = record.last_mut()
        {
            *last ^= 1;
        }
        self.bench
            .target()
            .write_memory(TRUST_ANCHOR_ADDRESS, &record)?;
        Ok(())
    }

    fn wipe_trust_anchor(&mut self) -> Result<(), StepError> {
        let target = self.bench.target();
        Ok(target.write_memory(TRUST_ANCHOR_ADDRESS, &[0; 16])?)
    }

    /// The oracle's certificate for `input`; its secrets are watched from now on.
    pub fn oracle_certificate(
        &mut self,
        input: &IdentityInput,
    ) -> Result<(Certificate, String), StepError> {
        if let Some(uds) = &input.uds {
            self.watch_uds(uds.secret());
        }
        self.oracle.certificate(input)
    }

    /// Watches `uds` and all that is derived from it.
    pub fn watch_uds(&mut self, uds: &Secret<32>) {
        let taps = &mut self.bench.taps;
        taps.watch("UDS", uds.expose());
        for oracle in [&self.oracle, &self.in_flash] {
            // Without measured regions nothing can be derived, and nothing derived can leak.
            if let Ok(identity) = oracle.identity(&Uds::new(uds.clone())) {
                taps.watch("CDI", identity.cdi().expose());
                taps.watch("DeviceID key", identity.device_id().private().expose());
                taps.watch("alias key", identity.alias().private().expose());
            }
        }
    }

    /// Watches the UDS that a console command sets.
    pub fn watch_typed(&mut self, text: &str) {
        let mut words = text.split_whitespace();
        let uds = words.find(|word| *word == "set_dps_uds").and(words.next());
        if let Some(Ok(uds)) = uds.map(|word| word.trim_matches('"').parse::<Uds>()) {
            self.watch_uds(&uds.secret().clone());
        }
    }

    /// Tells the oracle of a changed byte in flash: what follows from it is watched too.
    pub fn note_flip(&mut self, address: u32, bits: u8) {
        self.in_flash.flip(address, bits);
        for secret in self.scenario.secrets() {
            self.watch_uds(secret.uds.secret());
        }
    }

    /// All findings so far.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter()
    }

    /// The findings with whether a step named them.
    pub fn judged_findings(&self) -> Vec<Finding> {
        let expectedness = |finding: &Finding| match self.expected.contains(&finding.id) {
            true => Expectedness::Expected,
            false => Expectedness::Unexpected,
        };
        let judged = |finding: &Finding| Finding {
            expected: expectedness(finding),
            ..finding.clone()
        };
        self.findings.iter().map(judged).collect()
    }

    /// The names of all findings so far.
    pub fn finding_ids(&self) -> String {
        let ids: BTreeSet<&str> = self
            .findings
            .iter()
            .map(|finding| finding.id.as_str())
            .collect();
        ids.into_iter().collect::<Vec<_>>().join(", ")
    }

    /// The finding that a step names.
    pub fn finding(&self, wanted: &ExpectFinding) -> Option<&Finding> {
        self.findings.iter().find(|finding| {
            let contains = wanted.contains.as_ref();
            finding.id == wanted.id.expose()
                && contains.is_none_or(|text| finding.text.contains(text.expose()))
        })
    }

    /// Says that findings of this name do not fail the scenario.
    pub fn expect_finding(&mut self, id: &str) {
        self.expected.insert(id.to_owned());
    }

    /// Judges the events and certificates that came since the last call.
    pub fn look_for_findings(&mut self) {
        let mut found = Vec::new();
        for event in self.bench.events_since(self.judged_events) {
            match &event.payload {
                Payload::Finding(FindingEvent::Finding { id, text }) => {
                    self.findings.push(finding(id, text));
                }
                Payload::Machine(MachineEvent::UnmodelledAccess {
                    address,
                    access,
                    pc,
                    function,
                    register,
                    ..
                }) => {
                    let place = register.as_deref().unwrap_or("no known peripheral");
                    let function = function.as_deref().unwrap_or("unknown function");
                    found.push((
                        "unmodelled-access".to_owned(),
                        format!(
                            "{access} of {address:#010x} ({place}) at {pc:#010x} in {function}"
                        ),
                    ));
                }
                _ => {}
            }
        }
        self.judged_events = self.bench.trace().events().len();
        for (_, der) in self.bench.cloud.client_certificates() {
            if !self.judged_certificates.insert(der.to_vec()) {
                continue;
            }
            if let Ok(findings) = az3166_identity::findings(der) {
                found.extend(
                    findings
                        .iter()
                        .map(|f| (f.id.name().to_owned(), f.text.clone())),
                );
            }
        }
        for (id, text) in found {
            self.add_finding(&id, &text);
        }
    }

    fn add_finding(&mut self, id: &str, text: &str) {
        let text = self.bench.taps.mask(text);
        let event = FindingEvent::Finding {
            id: id.into(),
            text: text.clone(),
        };
        self.bench.record(Payload::Finding(event));
        self.judged_events = self.bench.trace().events().len();
        self.findings.push(finding(id, &text));
    }

    /// Searches the secure element's zones, other than the UDS's own, for secrets.
    pub fn look_into_memory(&mut self) {
        let Some(chip) = self.bench.target().secure_element() else {
            return;
        };
        let zones: Vec<(u8, Vec<u8>)> = chip
            .nvm()
            .zones()
            .filter(|(index, _)| *index != UDS_ZONE)
            .map(|(index, zone)| (index, zone.bytes().to_vec()))
            .collect();
        for (index, bytes) in zones {
            if self.bench.taps.mask_bytes(&bytes) != bytes {
                let text =
                    format!("zone {index} of the secure element holds a secret of the device");
                self.add_finding("secret-leak", &text);
            }
        }
    }

    fn unexpected_finding(&self) -> Option<Verdict> {
        let findings = self.judged_findings();
        let unexpected: Vec<String> = findings
            .iter()
            .filter(|finding| finding.expected == Expectedness::Unexpected)
            .map(|finding| format!("`{}`: {}", finding.id, finding.text))
            .collect();
        if unexpected.is_empty() {
            return None;
        }
        let last = self.scenario.steps.last()?;
        Some(Verdict::Failed(Box::new(Failure {
            step: None,
            verb: "findings".into(),
            location: last.location(),
            expected: "no finding that no step expects".into(),
            seen: unexpected.join("\n"),
            at: self.bench.now(),
        })))
    }
}

/// The oracle for the chip that is on the bench: its MAC follows from its unique ID.
fn on_board(oracle: Oracle, bench: &mut Bench) -> Oracle {
    match bench.target().chip_uid() {
        Some(uid) => oracle.on_board(default_mac(&uid)),
        None => oracle,
    }
}

/// The zone that holds the UDS.
const UDS_ZONE: u8 = 6;

fn finding(id: &str, text: &str) -> Finding {
    Finding {
        id: id.into(),
        text: text.into(),
        expected: Expectedness::Unexpected,
    }
}

fn verdict_of(error: &StepError, place: &str) -> Verdict {
    let (what, todo) = match error {
        StepError::Setup { what, todo } => (what.clone(), todo.clone()),
        StepError::Bench(BenchError::Outside(error)) => (error.what.clone(), error.todo.clone()),
        StepError::Bench(BenchError::Interrupted) => (error.to_string(), String::new()),
        StepError::Bench(_) => (error.to_string(), "this is not the firmware's fault".into()),
    };
    Verdict::Error {
        what: format!("{place}: {what}"),
        todo,
    }
}
