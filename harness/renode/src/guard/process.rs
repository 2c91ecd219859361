//! The guard's own process.

use std::ffi::{OsStr, OsString};
use std::fs::{self, OpenOptions};
use std::io::Read;
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio, exit};
use std::thread;
use std::time::Duration;

use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
use rustix::process::{
    Pid, Signal, WaitOptions, kill_process_group, test_kill_process_group, waitpgid,
};

use super::message::{ASK, Message, send};

/// Renode's output, in its folder.
pub const LOG: &str = "renode.log";

/// How often, and with what pause, the guard looks whether the group is gone.
const LOOKS: u32 = 100;
const PAUSE: Duration = Duration::from_millis(20);

/// The first argument where the guard is in a network namespace of its own.
pub const PRIVATE: &str = "private";
/// The first argument where it is not.
pub const SHARED: &str = "shared";

/// Runs the guard. Its standard input is the socket to the harness; `arguments` are `private` or
/// `shared`, the folder, and Renode's command line.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let Ok(stdin) = std::io::stdin().as_fd().try_clone_to_owned() else {
        return ExitCode::FAILURE;
    };
    let channel = UnixStream::from(stdin);
    match guard(&channel, arguments.into_iter().collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            // A harness that is gone need not hear of it.
            let _ = send(&channel, &Message::Failed(why));
            ExitCode::FAILURE
        }
    }
}

fn guard(channel: &UnixStream, arguments: Vec<OsString>) -> Result<(), String> {
    let [network, folder, program, arguments @ ..] = &*arguments else {
        return Err("the guard is started by hil, not by hand".into());
    };
    if network == PRIVATE {
        switch_loopback_on().map_err(|error| format!("the loopback interface: {error}"))?;
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .map_err(|error| format!("a port for the bridge: {error}"))?;
    let send = |message| send(channel, &message).map_err(|error| error.to_string());
    send(Message::Listener(listener.into()))?;
    let folder = PathBuf::from(folder);
    let child = start(program, arguments, &folder)
        .map_err(|error| format!("{}: {error}", Path::new(program).display()))?;
    let group = Pid::from_child(&child);
    let told = channel.try_clone().map_err(|error| error.to_string());
    watch(child, group, told?);
    loop {
        let mut asked = [0];
        match (&*channel).read(&mut asked) {
            Ok(1) if asked[0] == ASK => send(Message::Socket(fresh_socket()?))?,
            Ok(_) | Err(_) => break,
        }
    }
    end(group, &folder);
    Ok(())
}

#[cfg(target_os = "linux")]
fn switch_loopback_on() -> std::io::Result<()> {
    super::loopback::up()
}

#[cfg(not(target_os = "linux"))]
fn switch_loopback_on() -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

fn fresh_socket() -> Result<OwnedFd, String> {
    // The flag for close-on-exec is not known everywhere; this process starts nothing more.
    let made = socket_with(
        AddressFamily::INET,
        SocketType::STREAM,
        SocketFlags::empty(),
        None,
    );
    made.map_err(|error| format!("a socket: {error}"))
}

fn start(program: &OsStr, arguments: &[OsString], folder: &Path) -> std::io::Result<Child> {
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join(LOG))?;
    Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env("TMPDIR", folder)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .process_group(0)
        .spawn()
}

/// Tells the harness when Renode ends by itself. Its folder stays until the harness is done.
fn watch(mut child: Child, group: Pid, channel: UnixStream) {
    thread::spawn(move || {
        let status = child.wait();
        // What it started ends with it.
        let _ = kill_process_group(group, Signal::KILL);
        let text = match status {
            Ok(status) => describe(status),
            Err(error) => error.to_string(),
        };
        let _ = send(&channel, &Message::Ended(text));
    });
}

fn describe(status: ExitStatus) -> String {
    status.to_string()
}

/// Kills the group and removes the folder.
fn end(group: Pid, folder: &Path) {
    // It fails only if the group is gone already.
    let _ = kill_process_group(group, Signal::KILL);
    for _ in 0..LOOKS {
        // In a namespace of its own the guard inherits Renode from its launcher.
        while let Ok(Some(_)) = waitpgid(group, WaitOptions::NOHANG) {}
        if test_kill_process_group(group).is_err() {
            break;
        }
        thread::sleep(PAUSE);
    }
    for _ in 0..LOOKS {
        if fs::remove_dir_all(folder).is_ok() || !folder.exists() {
            break;
        }
        thread::sleep(PAUSE);
    }
    // The watching thread may still wait for a child that init has not reaped.
    exit(0);
}
