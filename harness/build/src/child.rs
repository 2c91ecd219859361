//! A child process that never outlives its caller's interest.

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::BuildError;

/// When to stop.
#[derive(Clone, Copy)]
pub struct Limits<'a> {
    /// Set it from anywhere, a signal handler for example, and the build ends within a moment.
    pub cancel: &'a AtomicBool,
    /// The most wall time that one child may take.
    pub deadline: Duration,
}

/// How often `cancel` and the deadline are looked at.
const TICK: Duration = Duration::from_millis(50);

/// How long output is still read after a child's end, where a grandchild holds the pipes open.
const GRACE: Duration = Duration::from_secs(10);

impl<'a> Limits<'a> {
    /// The most wall time that a cold build may take on a slow machine.
    pub const DEADLINE: Duration = Duration::from_secs(1800);

    /// The default deadline.
    pub const fn new(cancel: &'a AtomicBool) -> Self {
        Self {
            cancel,
            deadline: Self::DEADLINE,
        }
    }

    pub(crate) fn check(&self, started: Instant) -> Result<(), BuildError> {
        if self.cancel.load(Ordering::Relaxed) {
            Err(BuildError::Cancelled)
        } else if started.elapsed() > self.deadline {
            Err(BuildError::TooLong {
                after: self.deadline,
            })
        } else {
            Ok(())
        }
    }
}

/// Which of a child's streams a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// Runs a command to its end and hands each line, ended by CR or LF, to `on_line`.
///
/// # Errors
/// It cannot be started, or its time is over; then it is ended with all its children.
pub fn run(
    command: Command,
    limits: Limits<'_>,
    on_line: &mut dyn FnMut(Stream, &str),
) -> Result<ExitStatus, BuildError> {
    run_with_grace(command, limits, GRACE, on_line)
}

fn run_with_grace(
    mut command: Command,
    limits: Limits<'_>,
    grace: Duration,
    on_line: &mut dyn FnMut(Stream, &str),
) -> Result<ExitStatus, BuildError> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let started = Instant::now();
    let mut group = Group::spawn(&mut command)?;
    let (lines, received) = channel();
    if let Some(out) = group.child.stdout.take() {
        read_lines(Stream::Out, out, lines.clone());
    }
    if let Some(err) = group.child.stderr.take() {
        read_lines(Stream::Err, err, lines);
    }
    forward(&mut group, &received, limits, (started, grace), on_line)
}

fn forward(
    group: &mut Group,
    received: &Receiver<(Stream, String)>,
    limits: Limits<'_>,
    (started, grace): (Instant, Duration),
    on_line: &mut dyn FnMut(Stream, &str),
) -> Result<ExitStatus, BuildError> {
    let mut ended: Option<(Instant, ExitStatus)> = None;
    loop {
        limits.check(started)?;
        match received.recv_timeout(TICK) {
            Ok((stream, line)) => on_line(stream, &line),
            Err(RecvTimeoutError::Timeout) => match ended {
                Some((at, status)) if at.elapsed() > grace => return Ok(status),
                Some(_) => {}
                None => ended = group.try_wait()?.map(|status| (Instant::now(), status)),
            },
            Err(RecvTimeoutError::Disconnected) => match group.try_wait()? {
                Some(status) => return Ok(status),
                None => thread::sleep(Duration::from_millis(1)),
            },
        }
    }
}

fn read_lines(
    stream: Stream,
    mut source: impl Read + Send + 'static,
    lines: Sender<(Stream, String)>,
) {
    thread::spawn(move || {
        let (mut pending, mut buffer) = (Vec::new(), [0; 8192]);
        while let Ok(read @ 1..) = source.read(&mut buffer) {
            let mut pieces = buffer[..read].split(|byte| matches!(byte, b'\n' | b'\r'));
            pending.extend_from_slice(pieces.next().unwrap_or_default());
            for piece in pieces {
                let text = String::from_utf8_lossy(&pending).into_owned();
                if !text.trim().is_empty() && lines.send((stream, text)).is_err() {
                    return;
                }
                pending.clear();
                pending.extend_from_slice(piece);
            }
        }
        if !pending.is_empty() {
            // Nobody listens any more only where the build was given up.
            let _ = lines.send((stream, String::from_utf8_lossy(&pending).into_owned()));
        }
    });
}

/// A child in a process group of its own, so that its own children (rustc, the linker) go with it.
struct Group {
    child: Child,
    status: Option<ExitStatus>,
}

impl Group {
    fn spawn(command: &mut Command) -> Result<Self, BuildError> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let child = command.spawn().map_err(|source| BuildError::NotStarted {
            program: command.get_program().to_string_lossy().into_owned(),
            source,
        })?;
        Ok(Self {
            child,
            status: None,
        })
    }

    fn try_wait(&mut self) -> Result<Option<ExitStatus>, BuildError> {
        let program = std::path::Path::new("a child process");
        self.status = self
            .child
            .try_wait()
            .map_err(BuildError::file("waiting for", program))?;
        Ok(self.status)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if self.status.is_some() {
            return;
        }
        #[cfg(unix)]
        {
            let group = rustix::process::Pid::from_child(&self.child);
            // It fails only if the group is gone already.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    fn lines_of(script: &str, limits: Limits<'_>) -> (Result<ExitStatus, BuildError>, Vec<String>) {
        let mut lines = Vec::new();
        let result = run(shell(script), limits, &mut |stream, line| {
            lines.push(format!("{stream:?} {line}"));
        });
        lines.sort();
        (result, lines)
    }

    fn is_alive(pid: &str) -> bool {
        // A zombie that init has not reaped yet runs nothing.
        std::fs::read_to_string(format!("/proc/{pid}/stat"))
            .is_ok_and(|stat| !stat.contains(") Z "))
    }

    fn dies(pid: &str) -> bool {
        (0..200).any(|_| {
            thread::sleep(Duration::from_millis(10));
            !is_alive(pid)
        })
    }

    #[test]
    fn lines_of_both_streams_arrive() {
        let cancel = AtomicBool::new(false);
        let script = r"printf 'a\rb\n\nc'; printf 'e\n' >&2; exit 3";
        let (result, lines) = lines_of(script, Limits::new(&cancel));
        assert_eq!(result.unwrap().code(), Some(3));
        assert_eq!(lines, ["Err e", "Out a", "Out b", "Out c"]);
    }

    #[test]
    fn a_cancelled_build_takes_its_grandchildren_along() {
        let cancel = AtomicBool::new(false);
        let mut grandchild = String::new();
        let result = run(
            shell("sleep 100 & echo $!; wait"),
            Limits::new(&cancel),
            &mut |_, line| {
                grandchild = line.into();
                assert!(is_alive(line));
                cancel.store(true, Ordering::Relaxed);
            },
        );
        assert!(matches!(result, Err(BuildError::Cancelled)));
        assert!(dies(&grandchild));
    }

    #[test]
    fn a_deadline_ends_a_child() {
        let cancel = AtomicBool::new(false);
        let limits = Limits {
            deadline: Duration::from_millis(100),
            ..Limits::new(&cancel)
        };
        let (result, lines) = lines_of("echo $$; exec sleep 100", limits);
        assert!(matches!(result, Err(BuildError::TooLong { .. })));
        assert!(dies(lines[0].trim_start_matches("Out ")));
    }

    #[test]
    fn a_grandchild_that_keeps_the_pipe_is_not_waited_for() {
        let cancel = AtomicBool::new(false);
        let limits = Limits::new(&cancel);
        let mut lines = Vec::new();
        let command = shell("sleep 60 & echo $!");
        let result = run_with_grace(command, limits, Duration::ZERO, &mut |_, line| {
            lines.push(line.to_owned());
        });
        assert!(result.unwrap().success());
        assert!(is_alive(&lines[0]));
        shell(&format!("kill {}", lines[0])).status().unwrap();
    }

    #[test]
    fn a_long_line_arrives_whole_after_the_end() {
        let cancel = AtomicBool::new(false);
        let script = "head -c 3000000 /dev/zero | tr '\\0' x";
        let (result, lines) = lines_of(script, Limits::new(&cancel));
        assert!(result.unwrap().success());
        assert_eq!(lines, [format!("Out {}", "x".repeat(3_000_000))]);
    }

    #[test]
    fn a_missing_program_is_named() {
        let cancel = AtomicBool::new(false);
        let command = Command::new("no-such-program");
        let error = run(command, Limits::new(&cancel), &mut |_, _| {}).unwrap_err();
        insta::assert_snapshot!(error, @"`no-such-program` could not be started (No such file or directory (os error 2)); install Rust from https://rustup.rs and put it into PATH");
    }
}
