//! `hil stsafe`: the chip behind a port keeps its memory, shows no secret and ends on a signal.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on panics"
)]
#![cfg(unix)]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};
use std::time::Duration;

use az3166_stsafe::{NvmImage, crc16};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use support::hil;

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

struct Served {
    child: Child,
    out: BufReader<ChildStdout>,
    port: u16,
}

impl Served {
    fn start(nvm: &Path) -> Self {
        let nvm = nvm.to_str().unwrap();
        let mut child = hil(["stsafe", "--listen", "0", "--json", "--nvm", nvm])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let first: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(first["event"], "listening");
        let port = first["port"].as_u64().unwrap().try_into().unwrap();
        Self { child, out, port }
    }

    fn interrupt(mut self) -> String {
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
        rest
    }
}

struct Bridge(TcpStream);

impl Bridge {
    fn connect(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        let mut bridge = Self(stream);
        bridge.ask(1, 0, b"HILSTSFE\x01\0");
        bridge.ask(2, 0, &[1]);
        bridge
    }

    fn ask(&mut self, kind: u8, millis: u64, payload: &[u8]) -> Vec<u8> {
        let length = (9 + payload.len()) as u16;
        let time = (millis * 1_000_000).to_le_bytes();
        let request = [&length.to_le_bytes()[..], &[kind], &time, payload].concat();
        self.0.write_all(&request).unwrap();
        let mut length = [0; 2];
        self.0.read_exact(&mut length).unwrap();
        let mut answer = vec![0; usize::from(u16::from_le_bytes(length))];
        self.0.read_exact(&mut answer).unwrap();
        assert_eq!(answer[0], kind | 0x80, "{answer:?}");
        answer.split_off(10)
    }

    fn command(&mut self, millis: u64, body: &[u8], answer: u16) -> Vec<u8> {
        assert_eq!(self.ask(3, millis, &[0x40]), [1]);
        self.ask(4, millis, &[body, &crc16(body).to_be_bytes()].concat());
        self.ask(6, millis, &[]);
        assert_eq!(self.ask(3, millis + 500, &[0x41]), [1]);
        self.ask(5, millis + 500, &answer.to_le_bytes())
    }
}

#[test]
fn a_chip_keeps_its_memory_in_a_private_file_and_shows_none_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let nvm = folder.path().join("chip.nvm");

    let served = Served::start(&nvm);
    let mut bridge = Bridge::connect(served.port);
    let update = [&[0x06, 0, 6, 0, 0][..], SECRET].concat();
    assert_eq!(bridge.command(1000, &update, 5)[0], 0, "status");
    drop(bridge);
    let trace = served.interrupt();
    let secret = str::from_utf8(SECRET).unwrap();
    assert!(
        !trace.contains(secret) && trace.contains(r#""name":"Update""#),
        "{trace}"
    );
    assert!(trace.contains(r#""zone":6"#), "{trace}");

    let mode = std::fs::metadata(&nvm).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let kept = NvmImage::from_bytes(&std::fs::read(&nvm).unwrap()).unwrap();
    assert_eq!(&kept.zone(6).unwrap().bytes()[..64], SECRET);

    let served = Served::start(&nvm);
    let mut bridge = Bridge::connect(served.port);
    let read = bridge.command(1000, &[0x05, 0, 6, 0, 0, 0, 64], 67);
    assert_eq!(&read[3..], SECRET);
    served.interrupt();
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        1,
        "nothing beside it"
    );
}

#[test]
fn what_is_wrong_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let nvm = folder.path().join("chip.nvm");
    std::fs::write(&nvm, "no image").unwrap();
    let output = hil(["stsafe", "--listen", "0", "--nvm", nvm.to_str().unwrap()])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("chip.nvm: not an NVM image"), "{text}");

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = hil(["stsafe", "--listen", &port]).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        text.contains(&format!("listening on 127.0.0.1:{port} failed: ")),
        "{text}"
    );
}
