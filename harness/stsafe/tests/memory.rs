//! NVM: durability, access conditions, counters, life cycle, the image as a file.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod bus;

use az3166_stsafe::{
    AccessCondition, AtomicUpdate, Condition, Configuration, Content, Effect, Fault, HostKey,
    LifeCycle, NvmFileError, NvmImage, Power, PowerCut, ReservedZones, Status,
};
use bus::{Host, framed};
use proptest::prelude::*;
use rstest::rstest;

const OLD: u8 = 0x11;
const NEW: u8 = 0x22;
const LENGTH: usize = 64;

fn prepared() -> Host {
    let mut nvm = NvmImage::default();
    nvm.zone_mut(6).unwrap().bytes_mut().fill(OLD);
    Host::with(Configuration::default(), nvm)
}

fn send_update(host: &mut Host, option: u8) {
    let data = [NEW; LENGTH];
    host.send(&framed(
        &[&[0x06, option, 6, 0, 0], data.as_slice()].concat(),
    ));
}

/// How many bytes are new, if all new ones come before all old ones.
fn torn_at(host: &Host) -> usize {
    let bytes = host.chip.nvm().zone(6).unwrap().bytes();
    let new = bytes.iter().take_while(|byte| **byte == NEW).count();
    assert!(bytes[new..].iter().all(|byte| *byte == OLD));
    new
}

proptest! {
    #[test]
    fn a_loss_of_power_tears_a_bytewise_update(micros in 0_u64..10_000) {
        let mut host = prepared();
        send_update(&mut host, 0x00);
        host.now += core::time::Duration::from_micros(micros);
        host.chip.set_power(host.now, Power::Off);
        prop_assert_eq!(torn_at(&host), (micros as usize * LENGTH / 8_000).min(LENGTH));
    }

    #[test]
    fn a_loss_of_power_does_not_tear_an_atomic_update(micros in 0_u64..10_000) {
        let mut host = prepared();
        send_update(&mut host, 0x80);
        host.now += core::time::Duration::from_micros(micros);
        host.chip.set_power(host.now, Power::Off);
        let expected = if micros < 8_000 { 0 } else { LENGTH };
        prop_assert_eq!(torn_at(&host), expected);
    }
}

#[test]
fn a_power_cut_waits_for_its_zone_and_length() {
    let mut host = prepared();
    let cut = |after_bytes| Effect::PowerCut {
        zone: 6,
        after_bytes,
    };
    host.chip.inject(Fault::once(cut(65)));
    assert_eq!(host.update(0, 5, 0, &[1; 100]), 0);
    assert_eq!(host.update(0, 6, 0, &[1; 64]), 0);
    assert_eq!(host.chip.take_power_cut(), PowerCut::NotDue);
    send_update(&mut host, 0x00);
    assert_eq!(host.chip.next_deadline(), None);
    assert!(host.faults().is_empty());
}

#[rstest]
fn a_power_cut_leaves_what_was_written(
    #[values(0x00, 0x80)] option: u8,
    #[values(0, 1, 31, 63, 64)] after: u16,
) {
    let mut host = prepared();
    host.chip.inject(Fault::once(Effect::PowerCut {
        zone: 6,
        after_bytes: after,
    }));
    send_update(&mut host, option);
    if let Some(deadline) = host.chip.next_deadline() {
        assert_eq!(host.chip.take_power_cut(), PowerCut::NotDue);
        host.chip.advance(deadline);
    }
    assert_eq!(host.chip.take_power_cut(), PowerCut::Due);
    assert_eq!(host.chip.take_power_cut(), PowerCut::NotDue);
    assert_eq!(host.receive(1), None, "dead until the power is cut");
    host.chip.set_power(host.now, Power::Off);
    host.chip.set_power(host.now, Power::On);
    let expected = match option {
        0x80 if usize::from(after) < LENGTH => 0,
        _ => usize::from(after),
    };
    assert_eq!(torn_at(&host), expected);
    assert_eq!(host.read(6, 0, 1).0, 0);
    assert_eq!(host.faults(), ["power_cut"]);
}

#[test]
fn an_atomic_update_is_bounded_and_can_be_refused() {
    let mut host = Host::new();
    assert_eq!(
        host.update(0x80, 6, 0, &[NEW; 65]),
        Status::BufferLengthExceeded.code()
    );
    assert_eq!(host.update(0x80, 6, 0, &[NEW; 64]), 0);
    let configuration = Configuration {
        atomic_update: AtomicUpdate::Refused,
        ..Configuration::default()
    };
    let mut host = Host::with(configuration, NvmImage::default());
    assert_eq!(
        host.update(0x80, 6, 0, &[NEW; 64]),
        Status::InconsistentCommandData.code()
    );
    assert_eq!(host.update(0x00, 6, 0, &[NEW; 64]), 0);
}

#[test]
fn wear_counts_updates_of_a_zone() {
    let mut host = Host::new();
    for _ in 0..3 {
        host.update(0, 6, 0, &[1]);
    }
    host.update(0, 6, 700, &[1]);
    host.read(6, 0, 1);
    assert_eq!(host.chip.nvm().zone(6).unwrap().writes, 3);
    assert_eq!(host.chip.nvm().zone(5).unwrap().writes, 0);
}

#[test]
fn counters_only_go_down() {
    let mut nvm = NvmImage::devkit(ReservedZones::Counters);
    nvm.zone_mut(4).unwrap().content = Content::Counter(10);
    let mut host = Host::with(Configuration::default(), nvm);
    let decrement = |amount: u8, data: &[u8]| [&[0x04, 0, 4, 0, 1, 0, 0, 0, amount], data].concat();
    assert_eq!(host.run(&decrement(3, b"xy")), (0, vec![0, 0, 0, 7]));
    assert_eq!(host.run(&decrement(8, b"")), (0x13, vec![]));
    assert_eq!(host.run(&decrement(1, &[0; 64])), (0x14, vec![]));
    assert_eq!(host.read(4, 0, 4), (0, b"\0\0\0\x07\0xy\0".to_vec()));
    assert_eq!(host.update(0, 4, 0, &[1]), 0x12);
}

#[test]
fn access_conditions_only_get_stricter() {
    let mut host = Host::new();
    // Update condition to "never", the change right kept: 0x10 | 0x08 | 7.
    assert_eq!(host.update(0x1F, 6, 0, &[NEW]), 0);
    assert_eq!(host.update(0x00, 6, 0, &[OLD]), 0x11);
    assert_eq!(host.update(0x18, 6, 0, &[OLD]), 0x11);
    assert_eq!(host.read(6, 0, 1), (0, vec![NEW]));
    // The read condition follows a Read, here without the right to change it again.
    assert_eq!(host.run(&[0x05, 0x11, 6, 0, 0, 0, 1]), (0, vec![NEW]));
    assert_eq!(host.read(6, 0, 1).0, 0x11);
    let zone = host.chip.nvm().zone(6).unwrap();
    assert_eq!(zone.read, AccessCondition::from_nibble(0x1));
    assert_eq!(zone.update.condition, Condition::Never);
}

#[rstest]
#[case(LifeCycle::Born, 0)]
#[case(LifeCycle::Terminated, 0x0F)]
#[case(LifeCycle::OperationalLocked, 0x0F)]
fn the_life_cycle_guards_the_data(#[case] life_cycle: LifeCycle, #[case] status: u8) {
    let mut nvm = NvmImage::default();
    nvm.life_cycle = life_cycle;
    let mut host = Host::with(Configuration::default(), nvm);
    assert_eq!(host.update(0, 6, 0, &[1]), status);
    assert_eq!(host.read(6, 0, 1).0, status);
    assert_eq!(host.run(&[0x14, 0x08]), (0, vec![life_cycle.code()]));
}

#[test]
fn neither_debug_nor_errors_show_content() {
    let mut nvm = NvmImage::default();
    nvm.zone_mut(6).unwrap().bytes_mut().fill(0xA7);
    let shown = format!("{nvm:?}");
    assert!(shown.contains("size: 700"), "{shown}");
    assert!(
        !shown.contains("167") && !shown.to_lowercase().contains("a7"),
        "{shown}"
    );
}

fn used_image() -> NvmImage {
    let mut nvm = NvmImage::devkit(ReservedZones::Counters);
    nvm.life_cycle = LifeCycle::Born;
    nvm.host_key = HostKey::Present { counter: 58 };
    nvm.zone_mut(6).unwrap().bytes_mut()[..4].copy_from_slice(b"abcd");
    nvm.zone_mut(6).unwrap().writes = 7;
    nvm.zone_mut(6).unwrap().update = AccessCondition::from_nibble(0x2);
    nvm
}

#[test]
fn a_file_reads_back() {
    let nvm = used_image();
    assert_eq!(NvmImage::from_bytes(&nvm.to_bytes()), Ok(nvm));
}

#[rstest]
#[case::nothing(&[], "not an NVM image: it does not begin with `A100-NVM`; name a file that `hil` wrote")]
#[case::another_file(
    b"\x7fELF..............",
    "not an NVM image: it does not begin with `A100-NVM`; name a file that `hil` wrote"
)]
#[case::newer(
    b"A100-NVM\0\x02....",
    "NVM image of version 2; this program reads version 1"
)]
#[case::cut(
    b"A100-NVM\0\x01\0\0\x01\0abcd",
    "NVM image of 18 bytes where its header announces 274; the file is cut or has a tail"
)]
#[case::damaged(
    b"A100-NVM\0\x01\0\0\0\0abcd",
    "NVM image with a wrong checksum; the file is damaged"
)]
#[case::without_body(
    b"A100-NVM\0\x01\0\0\0\0\xCC\xA7\xB1\x4F",
    "NVM image with an impossible life cycle at byte 14"
)]
fn file_errors_are_clear(#[case] file: &[u8], #[case] message: &str) {
    let error = NvmImage::from_bytes(file).unwrap_err();
    assert_eq!(error.to_string(), message);
}

proptest! {
    #[test]
    fn a_damaged_file_is_refused(place in any::<prop::sample::Index>(), bit in 0_u32..8) {
        let mut file = used_image().to_bytes().to_vec();
        let place = place.index(file.len());
        file[place] ^= 1_u8 << bit;
        prop_assert!(NvmImage::from_bytes(&file).is_err());
    }

    #[test]
    fn a_cut_file_is_refused(length in any::<prop::sample::Index>()) {
        let file = used_image().to_bytes();
        let length = length.index(file.len());
        let error = NvmImage::from_bytes(&file[..length]);
        let refused = matches!(error, Err(NvmFileError::Length { .. } | NvmFileError::NotAnImage));
        prop_assert!(refused);
    }
}
