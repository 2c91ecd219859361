//! The rules of the bus: busy, replay, filler, power, hibernation, limits.

mod bus;

use az3166_event::{SecureElementEvent, VirtualTime};
use az3166_stsafe::{
    Acknowledge, Configuration, Direction, NvmImage, Power, ReadWithoutResponse, SecureElement,
    Status, Unverified,
};
use bus::{ADDRESS, Host, framed, hex};
use rstest::rstest;

#[rstest]
fn a_busy_chip_refuses_both_directions(
    #[values(Direction::Write, Direction::Read)] direction: Direction,
) {
    let mut host = Host::new();
    host.send(&framed(&[0x05, 0, 6, 0, 0, 0, 64]));
    let sent = host.now;
    assert_eq!(
        host.chip.address(sent, ADDRESS, direction),
        Acknowledge::Nack
    );
    assert_eq!(host.select(direction), Acknowledge::Ack);
    assert_eq!(host.now - sent, Configuration::default().busy.read);
}

#[rstest]
#[case(0, 1, 8)]
#[case(0, 64, 8)]
#[case(0, 65, 16)]
#[case(63, 2, 16)]
#[case(0, 497, 64)]
fn an_update_takes_its_time_for_each_page(
    #[case] offset: u16,
    #[case] length: usize,
    #[case] millis: u64,
) {
    let mut host = Host::new();
    let sent = host.now;
    assert_eq!(host.update(0, 6, offset, &vec![1; length]), 0);
    assert_eq!(host.now - sent, core::time::Duration::from_millis(millis));
}

#[test]
fn every_read_begins_at_the_first_byte() {
    let mut host = Host::new();
    host.send(&hex("14 07 8909"));
    let whole = hex("00 0007 02 0000 0100 F8DF FFFF");
    for length in [9, 12, 1, 12] {
        assert_eq!(host.receive(length), Some(whole[..length].to_vec()));
    }
}

#[test]
fn a_repeated_start_ends_a_frame() {
    let mut host = Host::new();
    assert_eq!(host.select(Direction::Write), Acknowledge::Ack);
    for byte in hex("14 07 8909") {
        host.chip.write_byte(host.now, byte);
    }
    assert_eq!(host.receive(3), Some(hex("00 0007")));
}

#[test]
fn an_address_alone_is_no_command() {
    let mut host = Host::new();
    host.send(&hex("14 07 8909"));
    host.send(&[]);
    assert_eq!(host.receive(3), Some(hex("00 0007")));
}

#[test]
fn without_a_command_there_is_nothing_to_read() {
    assert_eq!(Host::new().receive(1), None);
    let configuration = Configuration {
        unverified: Unverified {
            read_without_response: ReadWithoutResponse::Filler,
            ..Unverified::default()
        },
        ..Configuration::default()
    };
    let mut host = Host::with(configuration, NvmImage::default());
    assert_eq!(host.receive(2), Some(vec![0xFF; 2]));
}

#[test]
fn other_addresses_are_not_its_own() {
    let mut host = Host::new();
    for address in (0..0x80).filter(|address| *address != ADDRESS) {
        let answer = host.chip.address(host.now, address, Direction::Write);
        assert_eq!(answer, Acknowledge::Nack);
        assert_eq!(host.chip.write_byte(host.now, 0), Acknowledge::Nack);
        assert_eq!(host.chip.read_byte(host.now), 0xFF);
    }
}

#[test]
fn power_and_boot() {
    let mut chip = SecureElement::new(Configuration::default(), NvmImage::default());
    let at = |millis| VirtualTime::from_millis(millis);
    assert_eq!(
        chip.address(at(0), ADDRESS, Direction::Write),
        Acknowledge::Nack
    );
    chip.set_power(at(1), Power::On);
    chip.set_power(at(1), Power::On);
    assert_eq!(
        chip.address(at(10), ADDRESS, Direction::Write),
        Acknowledge::Nack
    );
    assert_eq!(
        chip.address(at(11), ADDRESS, Direction::Write),
        Acknowledge::Ack
    );
    for byte in hex("14 07 8909") {
        chip.write_byte(at(11), byte);
    }
    chip.stop(at(11));
    chip.set_power(at(20), Power::Off);
    assert_eq!(
        chip.address(at(20), ADDRESS, Direction::Read),
        Acknowledge::Nack
    );
    chip.set_power(at(21), Power::On);
    assert_eq!(
        chip.address(at(40), ADDRESS, Direction::Read),
        Acknowledge::Nack
    );
    assert_eq!(
        chip.address(at(40), ADDRESS, Direction::Write),
        Acknowledge::Ack
    );

    let refused = |count| SecureElementEvent::Refused { count };
    let events: Vec<_> = chip
        .drain_events()
        .into_iter()
        .filter(|(_, event)| !matches!(event, SecureElementEvent::Command { .. }))
        .collect();
    assert_eq!(
        events,
        [
            (at(1), refused(1)),
            (at(1), SecureElementEvent::Power { on: true }),
            (at(11), refused(1)),
            (at(20), SecureElementEvent::Power { on: false }),
            (at(21), refused(1)),
            (at(21), SecureElementEvent::Power { on: true }),
            (at(40), refused(1)),
        ]
    );
}

#[rstest]
#[case::a_start_wakes(0x01, Acknowledge::Ack)]
#[case::only_power_wakes(0x02, Acknowledge::Nack)]
fn hibernation(#[case] mode: u8, #[case] after_polling: Acknowledge) {
    let mut host = Host::new();
    host.send(&framed(&[0x0D, mode]));
    host.wait(20);
    let first = host.chip.address(host.now, ADDRESS, Direction::Write);
    assert_eq!(first, Acknowledge::Nack);
    assert_eq!(host.select(Direction::Write), after_polling);
    host.chip.set_power(host.now, Power::Off);
    host.chip.set_power(host.now, Power::On);
    assert_eq!(host.select(Direction::Write), Acknowledge::Ack);
}

#[test]
fn frames_of_507_bytes_pass_and_longer_ones_do_not() {
    let mut host = Host::new();
    let echo = vec![0; 503];
    assert_eq!(host.run(&echo), (0, echo[1..].to_vec()));
    // 504 bytes fit the command frame, not the answer.
    assert_eq!(host.run(&[0; 505]).0, Status::BufferLengthExceeded.code());
    assert_eq!(host.run(&[0; 506]).0, Status::BufferLengthExceeded.code());
    assert_eq!(host.run(&[0; 2000]).0, Status::BufferLengthExceeded.code());
}

#[test]
fn random_bytes_follow_the_seed() {
    let random = |seed: u8| {
        let configuration = Configuration {
            random_seed: [seed; 32],
            ..Configuration::default()
        };
        let mut host = Host::with(configuration, NvmImage::default());
        let first = host.run(&[0x02, 0x00, 16]);
        assert_ne!(first, host.run(&[0x02, 0x00, 16]));
        assert_eq!(host.run(&[0x02, 0x01]).1.len(), 16);
        first
    };
    assert_eq!(random(1), random(1));
    assert_ne!(random(1), random(2));
}

#[rstest]
#[case::echo_nothing("00", 0x00)]
#[case::reset_with_data("01 00", 0x02)]
#[case::random_without_length("02 00", 0x02)]
#[case::random_of_unknown_subject("02 02 10", 0x03)]
#[case::read_without_length("05 00 06 00 00", 0x02)]
#[case::read_with_a_tail("05 00 06 00 00 00 01 00", 0x02)]
#[case::read_with_an_atomic_bit("05 80 06 00 00 00 01", 0x03)]
#[case::read_zone_11("05 00 0B 00 00 00 01", 0x10)]
#[case::read_outside("05 00 0A 00 64 00 01", 0x14)]
#[case::read_over_the_io_buffer("05 00 00 00 00 03 E8", 0x06)]
#[case::update_without_place("06 00 06", 0x02)]
#[case::update_over_the_boundary("06 00 0A 00 62 01 02 03", 0x14)]
#[case::decrement_plain_zone("04 00 06 00 00 00 00 00 01", 0x12)]
#[case::decrement_without_amount("04 00 06 00 00 00", 0x02)]
#[case::hibernate_without_mode("0D", 0x02)]
#[case::hibernate_in_mode_3("0D 03", 0x03)]
#[case::query_nothing("14", 0x02)]
#[case::unknown_code("1B", 0x04)]
fn refusals(#[case] command: &str, #[case] status: u8) {
    let mut host = Host::new();
    let before = host.chip.nvm().clone();
    assert_eq!(host.run(&hex(command)).0, status);
    assert_eq!(host.chip.nvm(), &before);
}

#[test]
fn a_read_over_the_boundary_is_cut_there() {
    assert_eq!(Host::new().read(10, 90, 64), (0, vec![0; 10]));
}

#[test]
fn events_tell_commands_without_their_bytes() {
    let mut host = Host::new();
    host.update(0, 6, 2, b"secret!!");
    let command = |(_, event): (VirtualTime, SecureElementEvent)| match event {
        SecureElementEvent::Command { .. } => Some(event),
        _ => None,
    };
    let events: Vec<_> = host
        .chip
        .drain_events()
        .into_iter()
        .filter_map(command)
        .collect();
    let expected = SecureElementEvent::Command {
        name: "Update".into(),
        zone: Some(6),
        offset: Some(2),
        length: Some(8),
        status: 0,
    };
    assert_eq!(events, [expected]);
    host.send(&hex("1B 00"));
    let events: Vec<_> = host
        .chip
        .drain_events()
        .into_iter()
        .filter_map(command)
        .collect();
    assert!(
        matches!(&events[..], [SecureElementEvent::Command { name, status: 1, .. }] if name == "0x1B")
    );
}

#[test]
fn a_chip_can_move_between_threads() {
    fn check<T: Clone + Send>() {}
    check::<SecureElement>();
}
