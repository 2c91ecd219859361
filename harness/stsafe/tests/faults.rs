//! Each fault, as the host sees it.

mod bus;

use core::time::Duration;

use az3166_stsafe::{Acknowledge, Direction, Effect, Fault, Opcode, Power, Status};
use bus::{ADDRESS, Host, framed, hex};
use rstest::rstest;

const QUERY: &str = "14 07 8909";
const GOOD: &str = "00 0007 02 0000 0100 F8DF FFFF";

#[rstest]
#[case::wrong_crc(Effect::WrongCrc, "00 0007 02 0000 0100 F8DE FFFF")]
#[case::length_0(Effect::Length(0), "00 0000 02 0000 0100 F8DF FFFF")]
#[case::length_ffff(Effect::Length(0xFFFF), "00 FFFF 02 0000 0100 F8DF FFFF")]
#[case::all_zeros(Effect::AllZeros, "00 0000 00 0000 0000 0000 0000")]
#[case::all_ones(Effect::AllOnes, "FF FFFF FF FFFF FFFF FFFF FFFF")]
#[case::truncated(Effect::Truncated(4), "00 0007 02 FFFF FFFF FFFF FFFF")]
#[case::bit_flip(Effect::BitFlip(8 * 3 + 7), "00 0007 82 0000 0100 F8DF FFFF")]
#[case::bit_flip_outside(Effect::BitFlip(u32::MAX), GOOD)]
#[case::stale(Effect::Stale, "00 0003 48 C10B FFFF FFFF FFFF FF")]
#[case::status(Effect::Status(Status::Unexpected), "05 0002 A7D5 FFFF FFFF FFFF FF")]
fn a_response_is_spoilt_once_in_every_read_of_it(#[case] effect: Effect, #[case] seen: &str) {
    let mut host = Host::new();
    host.run(b"\x00\x48");
    host.chip.inject(Fault::once(effect));
    for expected in [seen, seen, GOOD] {
        if expected == GOOD || host.faults().is_empty() {
            host.send(&hex(QUERY));
        }
        let expected = hex(expected);
        assert_eq!(host.receive(expected.len()), Some(expected));
    }
}

#[test]
fn a_lasting_fault_lasts_until_it_is_cleared() {
    let mut host = Host::new();
    host.chip.inject(Fault::always(Effect::WrongCrc));
    for _ in 0..3 {
        host.send(&hex(QUERY));
        assert_ne!(host.receive(12), Some(hex(GOOD)));
    }
    assert_eq!(host.faults(), ["wrong_crc"; 3]);
    host.chip.clear_faults();
    host.send(&hex(QUERY));
    assert_eq!(host.receive(12), Some(hex(GOOD)));
}

#[test]
fn a_fault_of_one_command_spares_the_others() {
    let mut host = Host::new();
    host.chip
        .inject(Fault::once(Effect::Status(Status::Unexpected)).on(Opcode::Update));
    assert_eq!(host.read(6, 0, 1).0, 0);
    assert_eq!(host.update(0, 6, 0, &[1]), 5);
    assert_eq!(host.read(6, 0, 1), (0, vec![0]), "nothing was executed");
    assert_eq!(host.update(0, 6, 0, &[1]), 0);
}

#[test]
fn an_absent_chip_answers_nothing_and_says_so_once() {
    let mut host = Host::new();
    host.chip.inject(Fault::once(Effect::Absent));
    assert_eq!(host.select(Direction::Write), Acknowledge::Nack);
    assert_eq!(host.faults(), ["absent"]);
    host.chip.clear_faults();
    assert_eq!(host.select(Direction::Write), Acknowledge::Ack);
}

#[rstest]
#[case(1190)]
#[case(1500)]
fn a_busy_chip_is_busy_that_long(#[case] millis: u64) {
    let mut host = Host::new();
    let busy = Effect::Busy(Duration::from_millis(millis));
    host.chip.inject(Fault::once(busy).on(Opcode::Read));
    host.send(&framed(&[0x05, 0, 6, 0, 0, 0, 1]));
    host.wait(millis - 1);
    assert_eq!(
        host.chip.address(host.now, ADDRESS, Direction::Read),
        Acknowledge::Nack
    );
    host.wait(1);
    assert_eq!(
        host.chip.address(host.now, ADDRESS, Direction::Read),
        Acknowledge::Ack
    );
}

#[test]
fn busy_for_ever_ends_with_the_power() {
    let mut host = Host::new();
    host.chip.inject(Fault::once(Effect::BusyForever));
    host.send(&hex(QUERY));
    host.wait(3_600_000);
    assert_eq!(host.receive(1), None);
    host.chip.set_power(host.now, Power::Off);
    host.chip.set_power(host.now, Power::On);
    assert_eq!(host.run(&[0x14, 0x08]), (0, vec![3]));
}

#[rstest]
#[case::both(None, [2, 0])]
#[case::reads_only(Some(Direction::Read), [0, 2])]
fn refusals_are_counted(#[case] direction: Option<Direction>, #[case] refused: [u64; 2]) {
    let mut host = Host::new();
    host.chip.inject(Fault::once(Effect::Nack {
        count: 2,
        direction,
    }));
    let before = host.now;
    host.send(&hex(QUERY));
    let sent = host.now;
    assert_eq!(sent - before, Duration::from_millis(refused[0]));
    host.receive(1);
    // One millisecond of it is the Query's own.
    assert_eq!(host.now - sent, Duration::from_millis(refused[1] + 1));
    assert_eq!(host.faults(), ["nack"]);
}

#[test]
fn atomic_updates_are_refused_until_one_is_not_asked_for() {
    let mut host = Host::new();
    host.chip.inject(Fault::once(Effect::AtomicRefused));
    assert_eq!(host.update(0x00, 6, 0, &[1]), 0);
    assert_eq!(host.update(0x80, 6, 0, &[2]), 2);
    assert_eq!(host.update(0x80, 6, 0, &[2]), 0);
}

#[test]
fn a_fault_lets_commands_pass_first() {
    let mut host = Host::new();
    let fault = Fault::once(Effect::AtomicRefused).after(2);
    host.chip.inject(fault);
    let statuses: Vec<_> = (0..4).map(|_| host.update(0x80, 6, 0, &[2])).collect();
    assert_eq!(statuses, [0, 0, 2, 0]);
}

#[test]
fn a_stale_response_where_there_is_none_is_none() {
    let mut host = Host::new();
    host.chip.inject(Fault::once(Effect::Stale));
    host.send(&hex(QUERY));
    assert_eq!(host.receive(1), None);
}
