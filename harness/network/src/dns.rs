//! DNS messages as a server needs them (RFC 1035, section 4).

use core::net::Ipv4Addr;

const HEADER: usize = 12;
/// QTYPE and QCLASS.
const QUESTION_TAIL: usize = 4;
const TYPE_A: u16 = 1;
const CLASS_IN: u16 = 1;
/// How long an answer may be kept, in seconds.
const TTL: u32 = 60;
/// QR: the message is a response.
const RESPONSE: u8 = 0x80;
/// RA: recursion is available.
const RECURSION_AVAILABLE: u8 = 0x80;
/// A pointer to the name in the question, which begins at byte 12.
const QUESTION_NAME: [u8; 2] = [0xC0, HEADER as u8];

/// A query with one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Query {
    /// The name in lower case, without the last dot.
    pub name: String,
    /// Whether it asks for an IPv4 address.
    pub wants_address: bool,
    header: [u8; 4],
    question: Vec<u8>,
}

/// What a server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The name has this address.
    Address(Ipv4Addr),
    /// The name exists, but has nothing of this type.
    NoData,
    /// NXDOMAIN: the name does not exist.
    NameError,
}

/// Takes a query apart; the error is a whole response (FORMERR or NOTIMP), or silence for
/// what is no query at all.
pub(crate) fn parse(message: &[u8]) -> Result<Query, Option<Vec<u8>>> {
    let (header, body) = message.split_first_chunk::<HEADER>().ok_or(None)?;
    let [id_high, id_low, flags, flags_low, questions @ ..] = *header;
    if flags & RESPONSE != 0 {
        return Err(None);
    }
    let head = [id_high, id_low, flags, flags_low];
    if flags & 0x78 != 0 {
        return Err(Some(response_header(head, 4, 0, 0).to_vec()));
    }
    question(body)
        .filter(|_| questions[..2] == [0, 1])
        .map(|(name, question)| {
            let tail = &question[question.len() - QUESTION_TAIL..];
            Query {
                name,
                wants_address: *tail == [0, TYPE_A as u8, 0, CLASS_IN as u8],
                header: head,
                question: question.to_vec(),
            }
        })
        .ok_or_else(|| Some(response_header(head, 1, 0, 0).to_vec()))
}

/// The name of the first question, and all its bytes.
fn question(body: &[u8]) -> Option<(String, &[u8])> {
    let mut name = String::new();
    let mut at = 0;
    loop {
        let length = usize::from(*body.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        // Longer labels are compression pointers, which no question needs.
        let label = body.get(at..at + length).filter(|_| length < 64)?;
        at += length;
        if !name.is_empty() {
            name.push('.');
        }
        for byte in label {
            if !byte.is_ascii_graphic() {
                return None;
            }
            name.push(char::from(byte.to_ascii_lowercase()));
        }
        if name.len() > 253 {
            return None;
        }
    }
    Some((name, body.get(..at + QUESTION_TAIL)?))
}

fn response_header(
    [id_high, id_low, flags, _]: [u8; 4],
    code: u8,
    questions: u8,
    answers: u8,
) -> [u8; HEADER] {
    let flags = flags & 0x79 | RESPONSE;
    let low = RECURSION_AVAILABLE | code;
    [
        id_high, id_low, flags, low, 0, questions, 0, answers, 0, 0, 0, 0,
    ]
}

impl Query {
    /// The response message.
    pub fn respond(&self, answer: Answer) -> Vec<u8> {
        let (code, answers) = match answer {
            Answer::Address(_) => (0, 1),
            Answer::NoData => (0, 0),
            Answer::NameError => (3, 0),
        };
        let mut message = response_header(self.header, code, 1, answers).to_vec();
        message.extend_from_slice(&self.question);
        if let Answer::Address(address) = answer {
            message.extend(QUESTION_NAME);
            message.extend(TYPE_A.to_be_bytes());
            message.extend(CLASS_IN.to_be_bytes());
            message.extend(TTL.to_be_bytes());
            message.extend([0, 4]);
            message.extend(address.octets());
        }
        message
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(name: &[u8], tail: [u8; 4]) -> Vec<u8> {
        let header = [0x12, 0x34, 0x01, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        [&header, name, &tail].concat()
    }

    #[test]
    fn an_address_is_given() {
        let query = parse(&query(b"\x01a\x02BC\0", [0, 1, 0, 1])).unwrap();
        assert_eq!((query.name.as_str(), query.wants_address), ("a.bc", true));
        let response = query.respond(Answer::Address(Ipv4Addr::new(10, 64, 1, 9)));
        let expected = b"\x12\x34\x81\x80\0\x01\0\x01\0\0\0\0\x01a\x02BC\0\0\x01\0\x01\
            \xC0\x0C\0\x01\0\x01\0\0\0\x3C\0\x04\x0A\x40\x01\x09";
        assert_eq!(response, expected);
        assert_eq!(query.respond(Answer::NameError)[3], 0x83);
        assert_eq!(query.respond(Answer::NameError).len(), 12 + 10);
    }

    #[test]
    fn other_types_are_no_address() {
        let query = parse(&query(b"\x01a\0", [0, 28, 0, 1])).unwrap();
        assert!(!query.wants_address);
        assert_eq!(query.respond(Answer::NoData)[3..8], [0x80, 0, 1, 0, 0]);
    }

    #[test]
    fn malformed_queries_get_an_error_or_silence() {
        let formerr = |message: &[u8]| parse(message).unwrap_err().unwrap()[3] & 0x0F;
        assert_eq!(formerr(&query(b"\x05a\0", [0, 1, 0, 1])), 1);
        assert_eq!(formerr(&query(b"\xC0\x0C", [0, 1, 0, 1])), 1);
        assert_eq!(formerr(&query(b"\x01 \0", [0, 1, 0, 1])), 1);
        assert_eq!(
            formerr(&query(
                &b"\x3Faaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".repeat(5),
                [0; 4]
            )),
            1
        );
        let mut status = query(b"\x01a\0", [0, 1, 0, 1]);
        status[2] = 0x10;
        assert_eq!(formerr(&status), 4);
        status[2] = 0x80;
        assert_eq!(parse(&status), Err(None));
        assert_eq!(parse(&status[..11]), Err(None));
    }
}
