//! The driver against a chip that plays a script of transfers.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::{cell::Cell, collections::VecDeque, rc::Rc, time::Duration};

use proptest::prelude::*;
use stsafe_driver::{
    ADDRESS, Atomicity, Bus, BusError, Error, Stsafe, Timer, UDS_DIGITS, WriteUdsError, Zone,
};

/// What the chip does with one transfer.
#[derive(Clone, Debug)]
enum Act {
    /// Takes a write of exactly these bytes (hex).
    Takes(String),
    /// Answers a read with these bytes (hex), then with FF.
    Gives(String),
    /// Leaves its address unacknowledged until this long has passed since the act became current.
    BusyFor(Duration),
    /// Never acknowledges.
    Dead,
    /// The bus is stuck.
    Stuck,
}

use Act::{BusyFor, Dead, Gives, Stuck, Takes};

#[derive(Clone, Default)]
struct Clock(Rc<Cell<Duration>>);

impl Timer for Clock {
    fn now(&self) -> Duration {
        self.0.get()
    }

    fn sleep(&mut self, time: Duration) {
        self.0.set(self.0.get() + time);
    }
}

struct Chip {
    clock: Clock,
    script: VecDeque<Act>,
    busy_until: Option<Duration>,
}

impl Chip {
    /// The next act that is no expired time of being busy.
    fn ready(&mut self) -> Result<Act, BusError> {
        while let Some(BusyFor(time)) = self.script.front() {
            let until = *self.busy_until.get_or_insert(self.clock.now() + *time);
            if self.clock.now() < until {
                return Err(BusError::Nack);
            }
            self.busy_until = None;
            self.script.pop_front();
        }
        match self.script.front().unwrap() {
            Dead => Err(BusError::Nack),
            Stuck => Err(BusError::Stuck),
            _ => Ok(self.script.pop_front().unwrap()),
        }
    }
}

impl Bus for Chip {
    fn write(&mut self, address: u8, bytes: &[u8]) -> Result<(), BusError> {
        assert_eq!(address, ADDRESS);
        let act = self.ready()?;
        let Takes(expected) = act else {
            panic!("a write, where the script says {act:?}")
        };
        assert_eq!(hex::encode_upper(bytes), expected);
        Ok(())
    }

    fn read(&mut self, address: u8, bytes: &mut [u8]) -> Result<(), BusError> {
        assert_eq!(address, ADDRESS);
        let act = self.ready()?;
        let Gives(answer) = act else {
            panic!("a read, where the script says {act:?}")
        };
        let answer = hex::decode(answer).unwrap();
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = answer.get(index).copied().unwrap_or(0xFF);
        }
        Ok(())
    }
}

fn takes(frame: &str) -> Act {
    Takes(frame.replace(' ', ""))
}

fn gives(frame: &str) -> Act {
    Gives(frame.replace(' ', ""))
}

/// Runs a command against a script and returns its result and how long it took. On success the
/// whole script must have been played.
fn play<R>(
    script: impl IntoIterator<Item = Act>,
    run: impl FnOnce(&mut Stsafe<Chip, Clock>) -> Result<R, Error>,
) -> (Result<R, Error>, Duration) {
    let clock = Clock::default();
    let chip = Chip {
        clock: clock.clone(),
        script: script.into_iter().collect(),
        busy_until: None,
    };
    let mut stsafe = Stsafe::new(chip, clock.clone());
    let result = run(&mut stsafe);
    if result.is_ok() {
        let played = stsafe
            .bus()
            .script
            .iter()
            .all(|act| matches!(act, Dead | Stuck));
        assert!(played, "not all of the script was played");
    }
    (result, clock.now())
}

const OK: &str = "00 00 02 F0 78";

fn crc(bytes: &[u8]) -> [u8; 2] {
    let mut crc = 0xFFFF_u16;
    for byte in bytes {
        crc ^= u16::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                crc >> 1 ^ 0x8408
            } else {
                crc >> 1
            };
        }
    }
    (!crc).to_be_bytes()
}

fn sealed(body: &[u8]) -> Act {
    Takes(hex::encode_upper([body, &crc(body)].concat()))
}

fn answer(payload: &[u8]) -> Act {
    let check = crc(&[&[0], payload].concat());
    let length = (payload.len() as u16 + 2).to_be_bytes();
    Gives(hex::encode_upper(
        [&[0], &length[..], payload, &check].concat(),
    ))
}

fn read_2(stsafe: &mut Stsafe<Chip, Clock>) -> Result<[u8; 2], Error> {
    let mut out = [0; 2];
    stsafe.read(Zone(6), 0, &mut out).map(|()| out)
}

fn read_command(length: u16) -> Act {
    let [high, low] = length.to_be_bytes();
    sealed(&[5, 0, 6, 0, 0, high, low])
}

#[test]
fn a_read_of_64_bytes_sends_what_the_genuine_driver_sends() {
    let script = [takes("05 00 06 00 00 00 40 05 4F"), answer(&[0x5A; 64])];
    let (digits, _) = play(script, |stsafe| stsafe.read_uds());
    assert_eq!(*digits.unwrap(), [0x5A; 64]);
}

#[test]
fn busy_chips_are_awaited_within_the_budget() {
    for (busy, expected) in [
        (0, Ok([1, 2])),
        (1190, Ok([1, 2])),
        (1500, Err(Error::Timeout)),
    ] {
        let script = [
            read_command(2),
            BusyFor(Duration::from_millis(busy)),
            answer(&[1, 2]),
        ];
        let (result, took) = play(script, read_2);
        assert_eq!(result, expected, "busy for {busy} ms");
        assert!(took < Duration::from_millis(1360), "{took:?}");
    }
}

#[test]
fn a_dead_chip_and_a_stuck_bus_are_told_apart() {
    assert_eq!(play([Dead], read_2).0, Err(Error::Absent));
    assert_eq!(play([read_command(2), Dead], read_2).0, Err(Error::Timeout));
    assert_eq!(play([Stuck], read_2).0, Err(Error::Bus));
}

#[test]
fn damaged_answers_are_asked_for_again_twice() {
    for (damaged, error) in [
        ("00 00 04 01 02 00 00", Error::Crc),
        ("00 00 00 00 00 00 00", Error::Length),
        ("FF FF FF FF FF FF FF", Error::Length),
        ("00 01 F9 01 02 00 00", Error::Length),
    ] {
        let attempt = [read_command(2), gives(damaged)];
        let good = [read_command(2), answer(&[1, 2])];
        for attempts in 1..=3 {
            let script = attempt
                .iter()
                .cycle()
                .take(2 * attempts)
                .chain(&good)
                .cloned();
            let expected = if attempts == 3 {
                Err(error)
            } else {
                Ok([1, 2])
            };
            assert_eq!(
                play(script, read_2).0,
                expected,
                "{damaged}, {attempts} times"
            );
        }
    }
}

#[test]
fn fewer_bytes_than_asked_is_an_error() {
    let attempt = [read_command(2), answer(&[1])];
    let script = attempt.iter().cycle().take(6).cloned();
    assert_eq!(play(script, read_2).0, Err(Error::Length));
}

#[test]
fn a_longer_answer_is_read_again_within_bounds() {
    let long = answer(&[7; 499]);
    let attempt = [read_command(2), long.clone(), long];
    let script = attempt.iter().cycle().take(9).cloned();
    assert_eq!(play(script, read_2).0, Err(Error::Length));
}

#[test]
fn a_status_is_not_tried_again() {
    let script = [read_command(2), gives("10 00 02 E0 F9")];
    assert_eq!(play(script, read_2).0, Err(Error::Status(0x10)));
}

#[test]
fn requests_beyond_a_frame_are_refused_without_a_transfer() {
    let (result, _) = play([], |stsafe| stsafe.read(Zone(5), 0, &mut [0; 503]));
    assert_eq!(result, Err(Error::Length));
    let (result, _) = play([], |stsafe| {
        stsafe.update(Zone(5), 0, &[0; 501], Atomicity::Plain)
    });
    assert_eq!(result, Err(Error::Length));
}

#[test]
fn the_vector_of_an_update() {
    let script = [takes("06 00 06 00 00 DE AD BE EF 54 20"), gives(OK)];
    let (result, _) = play(script, |stsafe| {
        stsafe.update(Zone(6), 0, &[0xDE, 0xAD, 0xBE, 0xEF], Atomicity::Plain)
    });
    assert_eq!(result, Ok(()));
}

const DIGITS: [u8; UDS_DIGITS] = [b'7'; UDS_DIGITS];

fn write_uds(script: Vec<Act>) -> Result<Result<(), WriteUdsError>, Error> {
    play(script, |stsafe| Ok(stsafe.write_uds(&DIGITS))).0
}

fn atomic_write() -> Act {
    sealed(&[&[6, 0x80, 6, 0, 0], &DIGITS[..]].concat())
}

#[test]
fn a_uds_is_one_atomic_update_and_read_back() {
    let script = vec![atomic_write(), gives(OK), read_command(64), answer(&DIGITS)];
    assert_eq!(write_uds(script), Ok(Ok(())));
    let script = vec![
        atomic_write(),
        gives(OK),
        read_command(64),
        answer(&[b'8'; 64]),
    ];
    assert_eq!(write_uds(script), Ok(Err(WriteUdsError::Verify)));
}

#[test]
fn without_atomic_updates_the_first_digit_comes_last() {
    let script = vec![
        atomic_write(),
        gives("02 00 02 D3 6A"),
        sealed(&[6, 0, 6, 0, 0, 0]),
        gives(OK),
        sealed(&[&[6, 0, 6, 0, 1], &DIGITS[1..]].concat()),
        gives(OK),
        sealed(&[6, 0, 6, 0, 0, b'7']),
        gives(OK),
        read_command(64),
        answer(&DIGITS),
    ];
    assert_eq!(write_uds(script), Ok(Ok(())));
}

#[test]
fn a_chip_that_dies_while_writing_is_an_error() {
    let script = vec![atomic_write(), Dead];
    assert_eq!(
        write_uds(script),
        Ok(Err(WriteUdsError::Chip(Error::Timeout)))
    );
}

proptest! {
    #[test]
    fn any_answer_is_answered(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        stsafe_driver::fuzzing::answer(&bytes);
    }
}
