//! A local Device Provisioning Service and IoT Hub for any device or SDK.

mod choices;
mod enrolment;
mod guide;
mod namespace;

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use az3166_cloud::{FAULT_HELP, TlsVersions};
use az3166_serve::{Limits, LineFormat, Ready, ServeError, Server, Settings};
use clap::Args;

use crate::exit::{Exit, Failure};
use crate::terminal;

use choices::QuotaArgument;
use enrolment::EnrolmentFile;

/// Run a local Device Provisioning Service and IoT Hub for any device or SDK.
///
/// Its certificate authority is made on the first start and kept; clients must trust it. What the
/// public documentation leaves open is a named default that the help calls `unverified`.
#[derive(Args)]
#[command(after_help = "\
The web page, the trace and the command line show no key. Ctrl-C ends the server (exit code 0);
exit code 2 is wrong usage, 3 a port in use or a folder that cannot be used.

Examples:
  hil serve
  hil serve --enrol alias.pem,device-id=AZ3166
  hil serve -- node device.js              a client in a network where Azure is here
  hil serve --behaviour wrong_scope=not_found --quota documented --faults faults.yaml
  hil serve --https 0 --mqtt 0 --json      free ports; the first line of JSON names them")]
pub struct Arguments {
    /// Address to listen at
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub bind: IpAddr,
    /// Take connections from other machines: needed with a --bind that is not loopback
    #[arg(long)]
    pub open_to_network: bool,
    /// Port for HTTPS and MQTT over WebSocket; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 8443)]
    pub https: u16,
    /// Port for MQTT; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 8884)]
    pub mqtt: u16,
    /// Port of the web page, which shows what there is and changes nothing; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 8480)]
    pub web: u16,
    /// Port of the CONNECT proxy, for clients that can use one; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 8481)]
    pub proxy: u16,
    /// The provisioning service's ID scope
    #[arg(long, value_name = "SCOPE", default_value = "0ne00000000")]
    pub id_scope: String,
    /// Host name of an IoT hub, below azure-devices.net; may be given several times
    #[arg(long, value_name = "HOST", default_value = "hil-hub.azure-devices.net")]
    pub hub: Vec<String>,
    /// Folder for the certificate authority and all that is kept; default: hil/cloud in the
    /// user's folder for state
    #[arg(long, value_name = "DIR")]
    pub ca_dir: Option<PathBuf>,
    /// File for enrolments, registrations and devices; default: `state` in that folder. Written
    /// before each answer, synchronised with the disk each second
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// Speak TLS 1.3 too; the real services speak 1.2 alone
    #[arg(long)]
    pub allow_tls13: bool,
    /// File of fault rules, a list in YAML or JSON; read anew on SIGHUP; `--faults help` tells what
    /// a rule can say
    #[arg(long, value_name = "FILE")]
    pub faults: Option<PathBuf>,
    /// Append the secrets of TLS sessions to this file (0600, NSS key log format), with which
    /// Wireshark reads a capture
    #[arg(long, value_name = "FILE")]
    pub key_log: Option<PathBuf>,
    /// Choose how the services behave; `--behaviour help` lists the choices and their defaults
    #[arg(long, value_name = "NAME=VALUE")]
    pub behaviour: Vec<String>,
    /// Limit requests as Azure does: polls, registrations or operations; `documented` sets all
    #[arg(long, value_name = "KIND=COUNT/SECONDS|documented")]
    pub quota: Vec<QuotaArgument>,
    /// Enrol the certificate of a PEM or DER file; its common name is the registration id
    #[arg(long, value_name = "FILE[,device-id=ID][,registration-id=ID]")]
    pub enrol: Vec<EnrolmentFile>,
    /// How many connections may be open
    #[arg(long, value_name = "N", default_value_t = Limits::default().connections)]
    pub max_connections: usize,
    /// How many of them from one address
    #[arg(long, value_name = "N", default_value_t = Limits::default().per_source)]
    pub max_per_source: usize,
    /// Print the trace as JSON lines; the first one says where the server listens
    #[arg(long)]
    pub json: bool,
    /// Set by `hil serve -- COMMAND` for itself
    #[arg(long, hide = true)]
    pub inside_namespace: bool,
    /// Run this command in a network of its own where Azure's host names lead here, at ports 443
    /// and 8883, and end with it and its exit code; the trace goes to standard error
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// Runs the command.
pub fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let json = arguments.json;
    if arguments.behaviour.iter().any(|choice| choice == "help") {
        terminal::print(choices::Help);
        return Ok(Exit::Passed);
    }
    if arguments.faults.as_deref() == Some(Path::new("help")) {
        terminal::print(FAULT_HELP);
        return Ok(Exit::Passed);
    }
    let command = arguments.command.clone();
    if command.is_empty()
        && std::env::args_os()
            .next_back()
            .is_some_and(|last| last == "--")
    {
        return Err(Failure::usage("there is no command after `--`"));
    }
    if !command.is_empty() && !arguments.inside_namespace {
        let names = Server::host_names(&arguments.hub);
        return Err(namespace::enter(&command, &names));
    }
    let settings = settings(arguments)?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| {
        Failure::infrastructure(format!("the runtime cannot be started: {error}"))
    })?;
    let result = runtime.block_on(async {
        let end = end_signal()?;
        let (server, lines) = Server::bind(settings).await?;
        #[cfg(unix)]
        let reloading = tokio::spawn(reload_on_signal(server.handle())?);
        if !json && command.is_empty() {
            terminal::print(guide::Guide(server.ready()));
        }
        let has_command = !command.is_empty();
        let printer = std::thread::spawn(move || {
            for line in lines {
                match has_command {
                    true => terminal::note(line),
                    false => terminal::print(format_args!("{line}\n")),
                }
            }
        });
        let ready = server.ready().clone();
        let mut outcome = Ok(0);
        let ending = async {
            outcome = match has_command {
                true => accompany(&command, &ready, end).await,
                false => {
                    end.await;
                    Ok(0)
                }
            };
        };
        let served = server.run(ending).await;
        // Its handle keeps the server alive, and so the lines.
        #[cfg(unix)]
        {
            reloading.abort();
            let _ = reloading.await;
        }
        // It ends with the last line.
        let _ = printer.join();
        served?;
        outcome
    });
    runtime.shutdown_background();
    match result? {
        0 => Ok(Exit::Passed),
        // The command's own.
        code => std::process::exit(i32::from(code)),
    }
}

/// Runs `command` until it ends or the user or the system wants an end; returns its exit code.
async fn accompany(
    command: &[OsString],
    ready: &Ready,
    end: impl Future<Output = End>,
) -> Result<u8, Failure> {
    let mut running = namespace::Running::start(command, ready)?;
    let end = tokio::select! {
        code = running.ended() => return code,
        end = end => end,
    };
    match end {
        End::Interrupted => running.interrupted().await,
        End::Terminated => running.killed().await,
    }
}

/// What a server ends by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// SIGINT: Ctrl-C, which all processes of a terminal see.
    Interrupted,
    /// SIGTERM.
    Terminated,
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        match error {
            ServeError::Enrolment(_) | ServeError::Faults(_) => {
                // What is wrong in a file begins with the word that is put before it here.
                let text = error.to_string();
                Self::usage(text.strip_prefix("error: ").unwrap_or(&text))
            }
            _ => Self::infrastructure(error),
        }
    }
}

fn settings(arguments: Arguments) -> Result<Settings, Failure> {
    if !arguments.bind.is_loopback() && !arguments.open_to_network {
        return Err(Failure::usage(format!(
            "{} can be reached by other machines; say --open-to-network too if that is meant",
            arguments.bind
        )));
    }
    let folder = match arguments.ca_dir {
        Some(folder) => folder,
        None => default_folder()?,
    };
    // Its files' names are handed to clients, which may run elsewhere.
    let folder = std::path::absolute(&folder)
        .map_err(|error| Failure::infrastructure(format!("{}: {error}", folder.display())))?;
    let (https, mqtt) = match arguments.inside_namespace {
        true => (443, 8883),
        false => (arguments.https, arguments.mqtt),
    };
    let enrolments = arguments.enrol.iter().map(EnrolmentFile::load);
    Ok(Settings {
        bind: arguments.bind,
        https,
        mqtt,
        proxy: arguments.proxy,
        web: arguments.web,
        state: arguments.state,
        id_scope: arguments.id_scope,
        hubs: arguments.hub,
        tls: match arguments.allow_tls13 {
            true => TlsVersions::Tls12And13,
            false => TlsVersions::Tls12,
        },
        behaviour: choices::behaviour(&arguments.behaviour)?,
        quotas: choices::quotas(&arguments.quota),
        faults: arguments.faults,
        key_log: arguments.key_log,
        limits: Limits {
            connections: arguments.max_connections,
            per_source: arguments.max_per_source,
        },
        format: match arguments.json {
            true => LineFormat::Json,
            false => LineFormat::Human,
        },
        enrolments: enrolments.collect::<Result<_, _>>()?,
        ..Settings::in_folder(folder)
    })
}

/// The user's folder for state (XDG Base Directory Specification, section 3).
fn default_folder() -> Result<PathBuf, Failure> {
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    let absolute = |path: &PathBuf| path.is_absolute();
    let base = variable("XDG_STATE_HOME")
        .filter(absolute)
        .or_else(|| variable("LOCALAPPDATA").filter(absolute))
        .or_else(|| Some(variable("HOME").filter(absolute)?.join(".local/state")));
    base.map(|base| base.join("hil/cloud")).ok_or_else(|| {
        Failure::usage("there is no home folder to keep the authority in; give --ca-dir")
    })
}

/// Reads the fault file anew with each SIGHUP.
#[cfg(unix)]
fn reload_on_signal(server: az3166_serve::Handle) -> Result<impl Future<Output = ()>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let refused = |error| Failure::infrastructure(format!("signals cannot be handled: {error}"));
    let mut hangup = signal(SignalKind::hangup()).map_err(refused)?;
    Ok(async move {
        while hangup.recv().await.is_some() {
            server.reload_faults();
        }
    })
}

/// Ends with the first SIGINT or SIGTERM.
fn end_signal() -> Result<impl Future<Output = End>, Failure> {
    let refused = |error| Failure::infrastructure(format!("signals cannot be handled: {error}"));
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt()).map_err(refused)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(refused)?;
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => End::Interrupted,
                _ = terminate.recv() => End::Terminated,
            }
        })
    }
    #[cfg(not(unix))]
    {
        let mut interrupt = tokio::signal::windows::ctrl_c().map_err(refused)?;
        Ok(async move {
            interrupt.recv().await;
            End::Interrupted
        })
    }
}
