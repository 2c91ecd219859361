//! The harness's hold on a guard.

use std::ffi::OsString;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use super::Isolation;
use super::message::{ASK, Message, receive};
use super::process::{LOG, PRIVATE, SHARED};
use crate::RenodeError;

/// How long the guard may take for what it does at once.
const PROMPT: Duration = Duration::from_secs(20);

/// How long the guard may take to kill Renode and to remove its folder.
const ENDING: Duration = Duration::from_secs(10);

/// How the guard is started: a program that calls [`super::run`] with what follows `arguments`.
#[derive(Clone, Debug)]
pub struct GuardProgram {
    /// The executable.
    pub path: PathBuf,
    /// What tells it to be a guard.
    pub arguments: Vec<OsString>,
}

/// A guarded Renode. Dropping it ends Renode and removes its folder.
pub struct Guard {
    child: Child,
    channel: Option<UnixStream>,
    folder: PathBuf,
    ended: Option<String>,
    /// How much of Renode's output belongs to earlier boards.
    page: usize,
}

impl Guard {
    /// Starts `renode`, a command line, in `folder`, and gives the listener for its bridge.
    ///
    /// # Errors
    /// The guard or Renode cannot be started.
    pub fn start(
        program: &GuardProgram,
        isolation: Isolation,
        folder: &Path,
        renode: &[OsString],
    ) -> Result<(Self, TcpListener), RenodeError> {
        let (channel, theirs) =
            UnixStream::pair().map_err(RenodeError::io("a socket to the guard"))?;
        let network = match isolation {
            Isolation::Namespace => PRIVATE,
            Isolation::None => SHARED,
        };
        let log = fs::File::create(folder.join(LOG)).map_err(RenodeError::io("Renode's log"))?;
        let child = isolation
            .command(&program.path)
            .args(&program.arguments)
            .arg(network)
            .arg(folder)
            .args(renode)
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::null())
            .stderr(log)
            // A Ctrl-C at the terminal is the harness's matter.
            .process_group(0)
            .spawn()
            .map_err(|error| RenodeError::NotStarted(format!("its guard: {error}")))?;
        let guard = Self {
            child,
            channel: Some(channel),
            folder: folder.to_owned(),
            ended: None,
            page: 0,
        };
        match guard.message()? {
            Message::Listener(fd) => Ok((guard, TcpListener::from(fd))),
            Message::Failed(why) => Err(RenodeError::NotStarted(why)),
            Message::Socket(_) | Message::Ended(_) => Err(RenodeError::NotStarted(
                "the guard broke its protocol".into(),
            )),
        }
    }

    /// A connection to a port of Renode.
    ///
    /// # Errors
    /// Renode is gone, or does not listen there.
    pub fn connect(&mut self, port: u16) -> Result<TcpStream, RenodeError> {
        let asked = self.channel()?.write_all(&[ASK]);
        asked.map_err(RenodeError::io("the guard"))?;
        let socket = match self.message()? {
            Message::Socket(fd) => fd,
            Message::Ended(status) => return Err(self.gone(status)),
            Message::Failed(why) => return Err(RenodeError::NotStarted(why)),
            Message::Listener(_) => {
                return Err(RenodeError::protocol("the guard", "a second listener"));
            }
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        rustix::net::connect(&socket, &address)
            .map_err(io::Error::from)
            .map_err(RenodeError::io(format!("Renode's port {port}")))?;
        let stream = TcpStream::from(socket);
        stream
            .set_nodelay(true)
            .map_err(RenodeError::io(format!("Renode's port {port}")))?;
        Ok(stream)
    }

    /// Where it can be seen that the guard has something to say: that Renode has ended.
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        let is_silent = self.ended.is_none();
        self.channel.as_ref().filter(|_| is_silent).map(AsFd::as_fd)
    }

    /// Reads what the guard says unasked, and gives the error that it is.
    pub fn hear(&mut self) -> RenodeError {
        match self.message() {
            Ok(Message::Ended(status)) => self.gone(status),
            Ok(Message::Failed(why)) => RenodeError::NotStarted(why),
            Ok(Message::Listener(_) | Message::Socket(_)) => {
                RenodeError::protocol("the guard", "a socket that nobody asked for")
            }
            Err(error) => error,
        }
    }

    /// Renode's output since the last call of [`Self::turn_page`].
    pub fn log(&self) -> Vec<u8> {
        let mut log = self.whole_log();
        log.drain(..self.page.min(log.len()));
        log
    }

    /// Another board comes, to which the output so far does not belong.
    pub fn turn_page(&mut self) {
        self.page = self.whole_log().len();
    }

    fn whole_log(&self) -> Vec<u8> {
        fs::read(self.folder.join(LOG)).unwrap_or_default()
    }

    /// The last lines of Renode's output, for an error.
    pub fn last_lines(&self) -> String {
        const LINES: usize = 12;
        let log = self.log();
        let text = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .collect();
        match &lines[lines.len().saturating_sub(LINES)..] {
            [] => "its log is empty".into(),
            last => format!("its last lines:\n{}", last.join("\n")),
        }
    }

    fn gone(&mut self, status: String) -> RenodeError {
        self.ended = Some(status.clone());
        RenodeError::Ended {
            status,
            log: self.last_lines(),
        }
    }

    fn channel(&self) -> Result<&UnixStream, RenodeError> {
        if let Some(status) = &self.ended {
            return Err(RenodeError::Ended {
                status: status.clone(),
                log: self.last_lines(),
            });
        }
        self.channel
            .as_ref()
            .ok_or_else(|| RenodeError::protocol("the guard", "it was let go"))
    }

    fn message(&self) -> Result<Message, RenodeError> {
        let channel = self.channel()?;
        let told = channel
            .set_read_timeout(Some(PROMPT))
            .and_then(|()| receive(channel));
        match told {
            Ok(Some(message)) => Ok(message),
            Ok(None) => Err(RenodeError::NotStarted(format!(
                "its guard is gone; {}",
                self.last_lines()
            ))),
            Err(error) => Err(RenodeError::io("the guard")(error)),
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.channel.take());
        let started = Instant::now();
        while started.elapsed() < ENDING {
            match self.child.try_wait() {
                Ok(None) => thread::sleep(Duration::from_millis(5)),
                Ok(Some(_)) | Err(_) => return,
            }
        }
        // The guard itself hangs; nobody else can end it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
