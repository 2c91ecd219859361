//! What harness and guard say to each other, over a pair of Unix sockets.

use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

/// Received descriptors must not reach other children; Apple's systems have no such flag.
#[cfg(not(target_vendor = "apple"))]
const CLOSE_ON_EXEC: RecvFlags = RecvFlags::CMSG_CLOEXEC;
#[cfg(target_vendor = "apple")]
const CLOSE_ON_EXEC: RecvFlags = RecvFlags::empty();

/// The harness asks for a socket.
pub const ASK: u8 = b'S';

/// The longest text, in bytes.
const LONGEST: usize = 4096;

/// What the guard tells the harness.
#[derive(Debug)]
pub enum Message {
    /// The socket on which Renode's bridge finds the harness.
    Listener(OwnedFd),
    /// A fresh socket, not connected yet.
    Socket(OwnedFd),
    /// Renode has ended: how.
    Ended(String),
    /// The guard gives up: why.
    Failed(String),
}

/// Sends one message.
pub fn send(channel: &UnixStream, message: &Message) -> io::Result<()> {
    match message {
        Message::Listener(fd) => send_fd(channel, b'L', fd),
        Message::Socket(fd) => send_fd(channel, b'S', fd),
        Message::Ended(text) => send_text(channel, b'X', text),
        Message::Failed(text) => send_text(channel, b'E', text),
    }
}

fn send_text(mut channel: &UnixStream, kind: u8, text: &str) -> io::Result<()> {
    let text = &text.as_bytes()[..text.len().min(LONGEST)];
    let mut bytes = vec![kind];
    bytes.extend((text.len() as u16).to_le_bytes());
    bytes.extend_from_slice(text);
    channel.write_all(&bytes)
}

fn send_fd(channel: &UnixStream, kind: u8, fd: &OwnedFd) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let fds = [fd.as_fd()];
    control.push(SendAncillaryMessage::ScmRights(&fds));
    sendmsg(
        channel,
        &[IoSlice::new(&[kind])],
        &mut control,
        SendFlags::empty(),
    )?;
    Ok(())
}

/// Waits for one message; none at the end of the channel.
pub fn receive(mut channel: &UnixStream) -> io::Result<Option<Message>> {
    let mut kind = [0];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let got = recvmsg(
        channel,
        &mut [IoSliceMut::new(&mut kind)],
        &mut control,
        CLOSE_ON_EXEC,
    )?;
    if got.bytes == 0 {
        return Ok(None);
    }
    let mut fds = control.drain().flat_map(|message| match message {
        RecvAncillaryMessage::ScmRights(fds) => fds.collect::<Vec<OwnedFd>>(),
        _ => Vec::new(),
    });
    let fd = fds.next();
    let mut text = || {
        let mut length = [0; 2];
        channel.read_exact(&mut length)?;
        let mut text = vec![0; usize::from(u16::from_le_bytes(length)).min(LONGEST)];
        channel.read_exact(&mut text)?;
        Ok::<_, io::Error>(String::from_utf8_lossy(&text).into_owned())
    };
    match (kind[0], fd) {
        (b'L', Some(fd)) => Ok(Some(Message::Listener(fd))),
        (b'S', Some(fd)) => Ok(Some(Message::Socket(fd))),
        (b'X', None) => Ok(Some(Message::Ended(text()?))),
        (b'E', None) => Ok(Some(Message::Failed(text()?))),
        (kind, _) => Err(io::Error::new(
            ErrorKind::InvalidData,
            format!("the guard said {kind:#04x}"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn messages_and_sockets_come_through() {
        let (here, there) = UnixStream::pair().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        send(&there, &Message::Listener(listener.into())).unwrap();
        send(&there, &Message::Ended("exit code 1".into())).unwrap();
        drop(there);
        let Some(Message::Listener(fd)) = receive(&here).unwrap() else {
            panic!("no listener");
        };
        assert_eq!(TcpListener::from(fd).local_addr().unwrap(), address);
        assert!(
            matches!(receive(&here).unwrap(), Some(Message::Ended(text)) if text == "exit code 1")
        );
        assert!(receive(&here).unwrap().is_none());
    }

    #[test]
    fn garbage_is_an_error() {
        let (here, mut there) = UnixStream::pair().unwrap();
        there.write_all(b"L").unwrap();
        assert!(receive(&here).is_err());
    }
}
