//! The numbers of the protocol in `StsafeBridge.cs` against the server of this crate: a session
//! made of them must be understood.

use std::collections::BTreeMap;

use az3166_event::VirtualTime;
use az3166_renode::bridge::{Bridge, Then};
use az3166_stsafe::{Configuration, NvmImage, SecureElement};
use regex::Regex;

use crate::folder::{classes, number};

const MILLISECOND: u64 = 1_000_000;

struct Session {
    source: String,
    kinds: BTreeMap<String, u8>,
    bridge: Bridge,
    model: SecureElement,
}

impl Session {
    fn new() -> Self {
        let source = classes().remove("StsafeBridge").unwrap();
        let kinds = source.split_once("enum Kind : byte").unwrap().1;
        let kind = Regex::new(r"(\w+) = (0x[0-9A-F]{2}),").unwrap();
        let kinds = kind
            .captures_iter(kinds)
            .map(|found| (found[1].to_owned(), number(&found[2]) as u8))
            .collect();
        Self {
            source,
            kinds,
            bridge: Bridge::new(VirtualTime::ZERO),
            model: SecureElement::new(Configuration::default(), NvmImage::default()),
        }
    }

    fn constant(&self, name: &str) -> usize {
        let value = Regex::new(&format!(r"const \w+ {name} = (\w+);")).unwrap();
        let value = value
            .captures(&self.source)
            .unwrap_or_else(|| panic!("no {name}"));
        number(&value[1]) as usize
    }

    /// Sends what `StsafeBridge.Send` sends and gives what `Exchange` returns.
    fn exchange(&mut self, kind: &str, at: u64, payload: &[u8]) -> Vec<u8> {
        let kind = self.kinds[kind];
        let mut request = vec![kind];
        request.extend(at.to_le_bytes());
        assert_eq!(request.len(), self.constant("RequestHeader"));
        request.extend(payload);
        let answer = self.bridge.serve(&request, &mut self.model);
        assert_eq!(answer.then, Then::Continue);
        let (length, answer) = answer.bytes.split_first_chunk::<2>().unwrap();
        assert_eq!(usize::from(u16::from_le_bytes(*length)), answer.len());
        assert_eq!(
            usize::from(answer[0]),
            usize::from(kind) | self.constant("AnswerBit")
        );
        assert_eq!(usize::from(answer[1]) & self.constant("FlagPowerCut"), 0);
        answer[self.constant("AnswerHeader")..].to_vec()
    }
}

#[test]
fn a_session_is_understood() {
    let mut session = Session::new();
    let version = session.constant("Version") as u8;
    let mut hello = b"HILSTSFE".to_vec();
    assert!(session.source.contains(r#"GetBytes("HILSTSFE\0\0")"#));
    hello.extend([version, 0]);
    assert_eq!(session.exchange("Hello", 0, &hello), [version, 0]);
    session.exchange("Power", 0, &[1]);

    let at = 50 * MILLISECOND;
    assert_eq!(session.exchange("Start", at, &[0x3C << 1]), [0]);
    assert_eq!(session.exchange("Start", at, &[0x20 << 1]), [1]);
    // Query of the life cycle state, with its CRC.
    for byte in [0x14, 0x08, 0x71, 0xFE] {
        assert_eq!(session.exchange("Write", at, &[byte]), [1, 0]);
    }
    assert!(session.exchange("Stop", at, &[]).is_empty());
    assert_eq!(
        session.exchange("Start", at, &[0x20 << 1 | 1]),
        [0],
        "it is busy"
    );

    let later = 60 * MILLISECOND;
    assert!(session.exchange("Advance", later, &[]).is_empty());
    assert_eq!(session.exchange("Start", later, &[0x20 << 1 | 1]), [1]);
    assert_eq!(session.exchange("Read", later, &[1, 0]), [0x00]);
    session.exchange("Stop", later, &[]);
    session.exchange("Power", later, &[0]);
}

#[test]
fn the_error_kind_is_the_server_s() {
    let mut session = Session::new();
    let answer = session.bridge.serve(&[0x55], &mut session.model);
    assert!(matches!(answer.then, Then::Close(_)));
    assert_eq!(answer.bytes[2], session.kinds["Error"]);
}
