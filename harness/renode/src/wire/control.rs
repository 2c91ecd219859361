//! Renode's External Control protocol as of Renode 1.16: little-endian, one answer a request.
//!
//! A connection begins with the versions of the commands that the client means to use. A request
//! is `RE`, command, length, payload; an answer is a return code, mostly the command, and for
//! some codes a length and data.

/// The commands and the versions of them that this client speaks.
pub const COMMANDS: [(Command, u8); 4] = [
    (Command::RunFor, 0),
    (Command::GetTime, 0),
    (Command::GetMachine, 0),
    (Command::SystemBus, 0),
];

/// What the server sends when it agrees with all versions.
const AGREED: u8 = 5;

/// The largest answer that is read, in bytes.
const LARGEST: u32 = 16 << 20;

/// A command's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Command {
    /// Lets virtual time pass: u64 microseconds.
    RunFor = 1,
    /// The virtual time: u64 microseconds.
    GetTime = 2,
    /// The number of the machine of a name.
    GetMachine = 3,
    /// Reads and writes a machine's memory as a debugger does.
    SystemBus = 6,
}

/// How wide the accesses of a transfer are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Width {
    /// As the memory likes it: for memory.
    Any = 0,
    /// 32 bits each: for registers.
    Word = 4,
}

/// What the server answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The versions are agreed upon.
    Agreed,
    /// The command was done.
    Done {
        /// Its code.
        command: u8,
        /// What it gives.
        data: Vec<u8>,
    },
    /// The command failed, or the server does not know it.
    Failed {
        /// Its code.
        command: u8,
        /// The server's words.
        text: String,
    },
    /// The server gives up the connection.
    Fatal(String),
    /// Something happened that this client did not ask for.
    Event,
}

/// Bytes that are no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// an answer begins with the return code {0}, which does not exist
    #[error("an answer begins with the return code {0}, which does not exist")]
    Code(u8),
    /// an answer announces {0} bytes, more than any has
    #[error("an answer announces {0} bytes, more than any has")]
    Length(u32),
}

/// The beginning of a connection.
pub fn handshake() -> Vec<u8> {
    let mut bytes = (COMMANDS.len() as u16).to_le_bytes().to_vec();
    for (command, version) in COMMANDS {
        bytes.extend([command as u8, version]);
    }
    bytes
}

/// One request.
pub fn request(command: Command, payload: &[u8]) -> Vec<u8> {
    let mut bytes = b"RE".to_vec();
    bytes.push(command as u8);
    // Payloads are the transfers below, of at most 64 KiB.
    bytes.extend((payload.len() as u32).to_le_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// The payload that asks for the number of a machine.
pub fn machine_named(name: &str) -> Vec<u8> {
    let mut payload = (name.len() as u32).to_le_bytes().to_vec();
    payload.extend_from_slice(name.as_bytes());
    payload
}

/// The payload that asks for the number of a part of `machine`.
pub fn part_named(machine: i32, name: &str) -> Vec<u8> {
    let mut payload = (-1i32).to_le_bytes().to_vec();
    payload.extend(machine.to_le_bytes());
    payload.extend((name.len() as u32).to_le_bytes());
    payload.extend_from_slice(name.as_bytes());
    payload
}

/// The payload that reads `count` units from `address` on.
pub fn read(part: i32, width: Width, address: u32, count: u32) -> Vec<u8> {
    transfer(part, 0, width, address, count)
}

/// The payload that writes `bytes` from `address` on; whole units only.
pub fn write(part: i32, width: Width, address: u32, bytes: &[u8]) -> Vec<u8> {
    let units = bytes.len() / (width as usize).max(1);
    let mut payload = transfer(part, 1, width, address, units as u32);
    payload.extend_from_slice(bytes);
    payload
}

fn transfer(part: i32, operation: u8, width: Width, address: u32, count: u32) -> Vec<u8> {
    let mut payload = part.to_le_bytes().to_vec();
    payload.extend([operation, width as u8]);
    payload.extend(u64::from(address).to_le_bytes());
    payload.extend(count.to_le_bytes());
    payload
}

/// Reads one answer from the front of `bytes`, with its length; none while it is not whole.
///
/// # Errors
/// [`ReplyError`]: the connection cannot be read on.
pub fn parse(bytes: &[u8]) -> Result<Option<(Reply, usize)>, ReplyError> {
    let Some(&code) = bytes.first() else {
        return Ok(None);
    };
    let (head, has_command, has_data) = match code {
        0 | 3 => (2, true, true),
        1 => (1, false, true),
        2 | 4 => (2, true, false),
        AGREED => (1, false, false),
        // An event carries a descriptor between command and length.
        6 => (6, true, true),
        code => return Err(ReplyError::Code(code)),
    };
    if bytes.len() < head {
        return Ok(None);
    }
    let command = if has_command { bytes[1] } else { 0 };
    let (data, length) = if has_data {
        let Some(announced) = bytes[head..].first_chunk::<4>() else {
            return Ok(None);
        };
        let announced = u32::from_le_bytes(*announced);
        if announced > LARGEST {
            return Err(ReplyError::Length(announced));
        }
        let end = head + 4 + announced as usize;
        let Some(data) = bytes.get(head + 4..end) else {
            return Ok(None);
        };
        (data.to_vec(), end)
    } else {
        (Vec::new(), head)
    };
    let text = |data: &[u8]| {
        String::from_utf8_lossy(data)
            .trim_end_matches('\0')
            .to_owned()
    };
    let reply = match code {
        0 => Reply::Failed {
            command,
            text: text(&data),
        },
        1 => Reply::Fatal(text(&data)),
        2 => Reply::Failed {
            command,
            text: "the server does not know this command".into(),
        },
        3 | 4 => Reply::Done { command, data },
        6 => Reply::Event,
        _ => Reply::Agreed,
    };
    Ok(Some((reply, length)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn whole(reply: Reply, bytes: &[u8]) -> Result<Option<(Reply, usize)>, ReplyError> {
        Ok(Some((reply, bytes.len())))
    }

    #[rstest]
    #[case(&[5], Reply::Agreed)]
    #[case(&[4, 1], Reply::Done { command: 1, data: vec![] })]
    #[case(&[3, 2, 8, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8], Reply::Done { command: 2, data: (1..=8).collect() })]
    #[case(&[0, 3, 2, 0, 0, 0, b'n', b'o'], Reply::Failed { command: 3, text: "no".into() })]
    #[case(&[1, 3, 0, 0, 0, b'b', b'a', b'd'], Reply::Fatal("bad".into()))]
    #[case(&[2, 9], Reply::Failed { command: 9, text: "the server does not know this command".into() })]
    #[case(&[6, 5, 0, 0, 0, 0, 1, 0, 0, 0, 7], Reply::Event)]
    fn replies(#[case] bytes: &[u8], #[case] expected: Reply) {
        for length in 0..bytes.len() {
            assert_eq!(parse(&bytes[..length]), Ok(None), "{length}");
        }
        assert_eq!(parse(bytes), whole(expected.clone(), bytes));
        let more = [bytes, &[9, 9]].concat();
        assert_eq!(
            parse(&more),
            whole(expected, bytes),
            "what follows is another's"
        );
    }

    #[test]
    fn garbage_is_refused() {
        assert_eq!(parse(b"HTTP"), Err(ReplyError::Code(b'H')));
        let huge = [&[3, 1][..], &u32::MAX.to_le_bytes()].concat();
        assert_eq!(parse(&huge), Err(ReplyError::Length(u32::MAX)));
    }

    #[test]
    fn requests_have_the_layout_of_the_protocol() {
        assert_eq!(handshake(), [4, 0, 1, 0, 2, 0, 3, 0, 6, 0]);
        assert_eq!(
            request(Command::RunFor, &500u64.to_le_bytes()),
            [b'R', b'E', 1, 8, 0, 0, 0, 0xF4, 1, 0, 0, 0, 0, 0, 0]
        );
        assert_eq!(machine_named("m"), [1, 0, 0, 0, b'm']);
        assert_eq!(
            part_named(2, "sb"),
            [255, 255, 255, 255, 2, 0, 0, 0, 2, 0, 0, 0, b's', b'b']
        );
        assert_eq!(
            read(7, Width::Any, 0x2000_0000, 8),
            [7, 0, 0, 0, 0, 0, 0, 0, 0, 0x20, 0, 0, 0, 0, 8, 0, 0, 0]
        );
        assert_eq!(
            write(7, Width::Word, 0xE000_E208, &[1, 2, 3, 4]),
            [
                7, 0, 0, 0, 1, 4, 8, 0xE2, 0, 0xE0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 2, 3, 4
            ]
        );
        assert_eq!(
            write(7, Width::Any, 0, &[1, 2, 3])[14..],
            [3, 0, 0, 0, 1, 2, 3]
        );
    }

    proptest! {
        #[test]
        fn nothing_makes_the_parser_panic(data: Vec<u8>, code in 0u8..8) {
            crate::fuzzing::control(&data);
            crate::fuzzing::control(&[&[code], &data[..]].concat());
        }
    }
}
