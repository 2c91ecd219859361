//! A command in a network of its own, where Azure's host names lead to the local services at their
//! own ports: no root, no change to this machine, nothing left behind.
//!
//! `unshare` makes user, network and mount namespaces for a second `hil serve`, which opens ports
//! 443 and 8883 there and starts the command in a process namespace: however `hil` ends, the kernel
//! ends what is in there. Both are util-linux's, because system calls of our own would need `unsafe`.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use az3166_serve::Ready;
use tokio::process::Child;

use crate::exit::Failure;

/// Run in the new namespaces: the hosts file's text, then `hil serve ...`. The hosts file is in
/// memory and has no name elsewhere once it is mounted.
const SCRIPT: &str = r#"
ip link set lo up && mount -t tmpfs tmpfs /tmp && printf %s "$1" >/tmp/hosts &&
  chmod 644 /tmp/hosts && mount --bind /tmp/hosts /etc/hosts && umount /tmp || exit 3
shift
exec "$@"
"#;

/// The first process of the command's process namespace, whose signals without a handler do nothing:
/// the command is its child.
const FIRST: [&str; 4] = ["sh", "-c", "\"$@\"; exit $?", "sh"];

/// Where clients look for roots.
const ROOTS: [&str; 5] = [
    "SSL_CERT_FILE",
    "NODE_EXTRA_CA_CERTS",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "HIL_CA_FILE",
];

/// What sends clients elsewhere: no proxy can be reached from the new network.
const DETOURS: [&str; 6] = [
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
];

/// How long a command may take to end after SIGINT, which a terminal sends to it too.
const GRACE: Duration = Duration::from_secs(2);

/// Goes on as `hil serve` in new namespaces; returns only where that fails.
pub(super) fn enter(command: &[OsString], names: &[String]) -> Failure {
    if let Some(program) = command.first()
        && !is_program(program)
    {
        let shown = program.to_string_lossy();
        return Failure::usage(format!("there is no program `{shown}` to run"));
    }
    let failed = |error: &dyn std::fmt::Display| {
        Failure::infrastructure(format!(
            "the command's own network cannot be made: {error}; it needs Linux with user \
            namespaces, and unshare, setpriv, ip, mount and sh"
        ))
    };
    let old = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
    let hosts = format!("127.0.0.1 localhost {}\n{old}", names.join(" "));
    let own = match std::env::current_exe() {
        Ok(own) => own,
        Err(error) => return failed(&error),
    };
    let mut command = Command::new("unshare");
    command
        .args(["--user", "--map-root-user", "--net", "--mount"])
        .args(["sh", "-c", SCRIPT, "sh"])
        .arg(hosts)
        .arg(own)
        .args(["serve", "--inside-namespace"])
        // What follows `serve` on this command line.
        .args(std::env::args_os().skip(2));
    #[cfg(unix)]
    return failed(&std::os::unix::process::CommandExt::exec(&mut command));
    #[cfg(not(unix))]
    failed(&"this is no Unix")
}

/// Whether a shell would find something to run by this name.
fn is_program(name: &OsStr) -> bool {
    let path = Path::new(name);
    if path.components().count() > 1 || path.is_absolute() {
        return path.is_file();
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| folder.join(path).is_file())
}

/// A command that runs.
pub(super) struct Running {
    child: Child,
}

impl Running {
    /// Starts `command`, with the authority in the places where clients look for one.
    pub(super) fn start(command: &[OsString], ready: &Ready) -> Result<Self, Failure> {
        let mut starter = tokio::process::Command::new("setpriv");
        starter
            .args(["--pdeathsig", "KILL"])
            .args(["unshare", "--pid", "--fork", "--kill-child"])
            .args(FIRST)
            .args(command)
            .kill_on_drop(true);
        for variable in DETOURS {
            starter.env_remove(variable);
        }
        for variable in ROOTS {
            starter.env(variable, &ready.ca_file);
        }
        let provisioning = &ready.provisioning_connection_string;
        starter
            .env("HIL_PROVISIONING_CONNECTION_STRING_FILE", provisioning)
            .env(
                "HIL_HUB_CONNECTION_STRING_FILE",
                &ready.hub_connection_string,
            )
            .env("HIL_ID_SCOPE", &ready.id_scope);
        let child = starter.spawn().map_err(|error| {
            let why = "which start the command, cannot be run";
            Failure::infrastructure(format!("setpriv and unshare, {why}: {error}"))
        })?;
        Ok(Self { child })
    }

    /// Waits for its end; returns its exit code.
    pub(super) async fn ended(&mut self) -> Result<u8, Failure> {
        let status = self.child.wait().await;
        status.map(code).map_err(|error| {
            Failure::infrastructure(format!("the command cannot be waited for: {error}"))
        })
    }

    /// The same, for as long as a command may take that was interrupted; then it is killed, and
    /// all that it started.
    pub(super) async fn interrupted(mut self) -> Result<u8, Failure> {
        match tokio::time::timeout(GRACE, self.ended()).await {
            Ok(ended) => ended,
            Err(_) => self.killed().await,
        }
    }

    /// Kills it and all that it started.
    pub(super) async fn killed(mut self) -> Result<u8, Failure> {
        // It can only have ended meanwhile.
        let _ = self.child.start_kill();
        self.ended().await
    }
}

/// The exit code, as shells count it: 128 and the signal for what a signal ended.
fn code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal = None;
    let code = status.code().or_else(|| Some(128 + signal?));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(128)
}
