//! A command in a network of its own, where Azure's host names lead to the local services at their
//! own ports: no root, no change to this machine, nothing left behind.
//!
//! `unshare` makes user, network and mount namespaces for a second `hil serve`, which opens ports
//! 443 and 8883 there and starts the command. It is util-linux's, because a system call of our own
//! would need `unsafe`.

use std::ffi::OsString;
use std::process::Command;

use az3166_serve::Ready;

use crate::exit::Failure;

/// Run in the new namespaces: the hosts file's text, then `hil serve ...`. A file that is mounted
/// elsewhere can lose its name.
const SCRIPT: &str = r#"
ip link set lo up && hosts=$(mktemp) && chmod 644 "$hosts" && printf %s "$1" >"$hosts" &&
  mount --bind "$hosts" /etc/hosts && rm "$hosts" || exit 3
shift
exec "$@"
"#;

/// Goes on as `hil serve` in new namespaces; returns only where that fails.
pub(super) fn enter(names: &[String]) -> Failure {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::infrastructure(format!(
            "the command's own network cannot be made: {error}; it needs Linux with user \
            namespaces, and unshare, ip, mount and sh"
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

/// Runs `command` to its end, with the authority in the places where clients look for one; returns
/// its exit code.
pub(super) async fn run(command: &[OsString], ready: &Ready) -> Result<u8, Failure> {
    let Some((program, arguments)) = command.split_first() else {
        return Ok(0);
    };
    let mut child = tokio::process::Command::new(program);
    child.args(arguments).kill_on_drop(true);
    for variable in [
        "SSL_CERT_FILE",
        "NODE_EXTRA_CA_CERTS",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "HIL_CA_FILE",
    ] {
        child.env(variable, &ready.ca_file);
    }
    for (variable, file) in [
        (
            "HIL_PROVISIONING_CONNECTION_STRING_FILE",
            &ready.provisioning_connection_string,
        ),
        (
            "HIL_HUB_CONNECTION_STRING_FILE",
            &ready.hub_connection_string,
        ),
    ] {
        child.env(variable, file);
    }
    child.env("HIL_ID_SCOPE", &ready.id_scope);
    let shown = program.to_string_lossy();
    let status = child.status().await;
    let status =
        status.map_err(|error| Failure::usage(format!("{shown} cannot be started: {error}")))?;
    // A command that a signal ended has no code; shells say 128 and more.
    Ok(status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or(128))
}
