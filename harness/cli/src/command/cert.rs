use std::io::{Read, stdin};
use std::path::{Path, PathBuf};

use az3166_identity::{
    Certificate, Finding, FirmwareVersion, Identity, Mac, MeasuredRegions, Profile, RegistrationId,
    Summary, Uds, findings,
};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgGroup, Args};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::exit::{Exit, Failure};
use crate::file;
use crate::terminal::{self, WARNING};

/// Make the certificate that a device will present, to enrol it.
///
/// The certificate follows from the device's Unique Device Secret (UDS), its firmware image and its
/// registration id; the device makes the same one by itself.
#[derive(Args)]
#[command(
    group = ArgGroup::new("image").required(true).args(["elf", "bin"]),
    group = ArgGroup::new("id").required(true).args(["registration_id", "mac"]),
    after_help = "\
Without --out the certificate is printed too.
A UDS on the command line is seen by other users of this machine and stays in the shell's history;
`--uds -` reads it from standard input.

Examples:
  hil cert --elf target/firmware/images/strict/az3166-firmware.elf --uds - \\
      --mac c8934641234b --firmware-version 1.0.0 --out alias.pem < uds.txt
  hil cert --bin DevKitSDK.bin --map DevKitSDK.map --uds - --registration-id my-devkit \\
      --profile devkit --json < uds.txt"
)]
pub struct Arguments {
    /// The linked firmware
    #[arg(long, value_name = "FILE", conflicts_with_all = ["bin", "map"])]
    pub elf: Option<PathBuf>,
    /// The firmware's flash image, together with --map
    #[arg(long, value_name = "FILE", requires = "map")]
    pub bin: Option<PathBuf>,
    /// GNU ld's map of that image: it has the image's base and symbols
    #[arg(long, value_name = "FILE", requires = "bin")]
    pub map: Option<PathBuf>,
    /// The Unique Device Secret, 64 hex digits, or - to read it from standard input
    #[arg(long, value_name = "HEX|-")]
    pub uds: Zeroizing<String>,
    /// The registration id: 1 to 128 of a-z, 0-9 and -
    #[arg(long, value_name = "ID", conflicts_with_all = ["mac", "firmware_version"])]
    pub registration_id: Option<RegistrationId>,
    /// The device's MAC address, 12 hex digits, for the default id together with --firmware-version
    #[arg(long, value_name = "MAC", requires = "firmware_version")]
    pub mac: Option<Mac>,
    /// The firmware's version, such as 1.0.0
    #[arg(long, value_name = "V", requires = "mac")]
    pub firmware_version: Option<FirmwareVersion>,
    /// strict: as every tool takes it; devkit: as the DevKit's own SDK makes it, with its flaws
    #[arg(
        long,
        default_value = "strict",
        value_parser = PossibleValuesParser::new(["strict", "devkit"])
            .try_map(|text| text.parse::<Profile>())
    )]
    pub profile: Profile,
    /// Write the certificate to this PEM file
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write the alias key pair to this new PEM file, for use with outside clients
    #[arg(long, value_name = "FILE")]
    pub key_out: Option<PathBuf>,
    /// Write the DeviceID key's self-signed certificate to this PEM file
    #[arg(long, value_name = "FILE")]
    pub device_id_out: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let id = registration_id(arguments)?;
    if let Some(warning) = id.warning() {
        terminal::warning(warning);
    }
    let regions = regions(arguments)?;
    let uds = uds(&arguments.uds)?;
    let identity = Identity::derive(&uds, &regions).map_err(Failure::usage)?;
    let certificate = identity.alias_certificate(&id, arguments.profile);
    if let Some(path) = &arguments.key_out {
        write_key(path, &identity)?;
    }
    if let Some(path) = &arguments.device_id_out {
        let device_id = identity.device_id_certificate(arguments.profile);
        file::replace(path, device_id.to_pem().as_bytes())?;
    }
    if let Some(path) = &arguments.out {
        file::replace(path, certificate.to_pem().as_bytes())?;
    }
    let report = Report::new(&id, arguments.profile, &identity, &certificate)?;
    match arguments.json {
        true => report.print_json()?,
        false => report.print(arguments.out.as_deref()),
    }
    Ok(Exit::Passed)
}

fn registration_id(arguments: &Arguments) -> Result<RegistrationId, Failure> {
    let of_device = || {
        let (mac, version) = (&arguments.mac, &arguments.firmware_version);
        let (mac, version) = mac.as_ref().zip(version.as_ref())?;
        Some(RegistrationId::of_device(mac, version))
    };
    let id = arguments.registration_id.clone().or_else(of_device);
    id.ok_or_else(|| Failure::usage("give --registration-id, or --mac with --firmware-version"))
}

fn regions(arguments: &Arguments) -> Result<MeasuredRegions, Failure> {
    if let Some(path) = &arguments.elf {
        let regions = MeasuredRegions::from_elf(&file::read(path)?);
        return regions.map_err(|error| Failure::usage(format!("{}: {error}", path.display())));
    }
    let Some((bin, map)) = arguments.bin.as_ref().zip(arguments.map.as_ref()) else {
        return Err(Failure::usage("give --elf, or --bin with --map"));
    };
    let image = file::read(bin)?;
    let map_text = file::read(map)?;
    MeasuredRegions::from_bin_and_map(&image, &String::from_utf8_lossy(&map_text)).map_err(
        |error| Failure::usage(format!("{} with {}: {error}", bin.display(), map.display())),
    )
}

/// No message holds any part of the UDS.
fn uds(argument: &str) -> Result<Uds, Failure> {
    if argument != "-" {
        return argument.parse().map_err(Failure::usage);
    }
    let mut text = Zeroizing::new(String::with_capacity(256));
    // A longer text is no UDS, so the rest need not be read.
    stdin()
        .take(255)
        .read_to_string(&mut text)
        .map_err(|error| {
            Failure::usage(format!(
                "reading the UDS from standard input failed: {error}"
            ))
        })?;
    text.trim_ascii_end()
        .parse()
        .map_err(|error| Failure::usage(format!("standard input: {error}")))
}

fn write_key(path: &Path, identity: &Identity) -> Result<(), Failure> {
    let pem = identity.alias().to_sec1_pem();
    let pem = pem.ok_or_else(|| Failure::infrastructure("the alias key cannot be encoded"))?;
    file::create_private(path, pem.as_bytes())?;
    terminal::warning(format_args!(
        "{} holds the device's private alias key: who has it is the device; delete it after use",
        path.display()
    ));
    Ok(())
}

#[derive(Serialize)]
struct Report {
    registration_id: String,
    profile: String,
    subject: String,
    sha1: String,
    sha256: String,
    fwid: String,
    device_id_key: String,
    alias_key: String,
    findings: Vec<FindingReport>,
    certificate: String,
}

#[derive(Serialize)]
struct FindingReport {
    id: &'static str,
    text: String,
}

impl Report {
    fn new(
        id: &RegistrationId,
        profile: Profile,
        identity: &Identity,
        certificate: &Certificate,
    ) -> Result<Self, Failure> {
        let der = certificate.der();
        let summary = Summary::of(der).map_err(Failure::infrastructure)?;
        let found = findings(der).map_err(Failure::infrastructure)?;
        let finding = |finding: Finding| FindingReport {
            id: finding.id.name(),
            text: finding.text,
        };
        Ok(Self {
            registration_id: id.to_string(),
            profile: profile.to_string(),
            subject: summary.subject,
            sha1: summary.thumbprints.sha1,
            sha256: summary.thumbprints.sha256,
            fwid: hex::encode(identity.fwid()),
            device_id_key: identity.device_id().public().to_string(),
            alias_key: identity.alias().public().to_string(),
            findings: found.into_iter().map(finding).collect(),
            certificate: certificate.to_pem(),
        })
    }

    fn print_json(&self) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(self).map_err(Failure::infrastructure)?;
        terminal::print(format_args!("{text}\n"));
        Ok(())
    }

    fn print(&self, out: Option<&Path>) {
        terminal::line("subject", &self.subject);
        terminal::line("profile", &self.profile);
        terminal::line("SHA-1", &self.sha1);
        terminal::line("SHA-256", &self.sha256);
        terminal::line("FWID", &self.fwid);
        for finding in &self.findings {
            let FindingReport { id, text } = finding;
            terminal::line("finding", format_args!("{WARNING}{id}{WARNING:#}: {text}"));
        }
        match out {
            Some(path) => terminal::line("certificate", path.display()),
            None => terminal::print(format_args!("\n{}", self.certificate)),
        }
    }
}
