//! Transfers: posting, sticky flags, lanes, wrapping, WAIT, power.

use az3166_debug_port::{
    AHB_AP_BASE, AHB_AP_CSW, AHB_AP_IDR, DPIDR, Injection, Port, Refusal, Request,
};
use rstest::rstest;

use crate::host::{BYTES, CSW, DRW, HALFWORDS, Host, NO_INCREMENT, RAM, TAR, WORDS};

const STICKYERR: u32 = 1 << 5;
const NOWHERE: u32 = 0x3000_0000;

#[test]
fn nothing_answers_before_swd_is_selected() {
    let mut host = Host::untouched();
    assert_eq!(host.dp_read(0), Err(Refusal::Silence));
    host.port.clock(u64::MAX, 60);
    assert_eq!(host.dp_read(0), Err(Refusal::Silence));
    host.switch_to_swd();
    assert_eq!(host.dp_read(0), Ok(DPIDR));
}

#[test]
fn after_a_line_reset_dpidr_comes_first() {
    let mut host = Host::connected();
    host.port.clock(u64::MAX, 50);
    host.port.clock(0, 2);
    assert_eq!(host.dp_read(4), Err(Refusal::Silence));
    assert_eq!(host.dp_read(0), Ok(DPIDR));
    // The power requests have outlived it.
    assert_eq!(host.dp_read(4).unwrap() & 0xF000_0000, 0xF000_0000);
}

#[test]
fn power_requests_are_acknowledged() {
    let mut host = Host::untouched();
    host.switch_to_swd();
    host.dp_read(0).unwrap();
    assert_eq!(host.dp_read(4), Ok(0));
    // What a real probe's driver writes and wants back.
    host.dp_write(4, 0x5000_0F00).unwrap();
    assert_eq!(host.dp_read(4).unwrap() >> 28, 0xF);
    host.dp_write(4, 0).unwrap();
    assert_eq!(host.dp_read(4).unwrap() >> 28, 0);
}

#[test]
fn an_access_port_without_power_faults() {
    let mut host = Host::connected();
    host.dp_write(4, 0).unwrap();
    assert_eq!(host.ap_transfer(CSW, None), Err(Refusal::Fault));
    assert_ne!(host.dp_read(4).unwrap() & STICKYERR, 0);
}

#[test]
fn the_access_port_says_what_it_is() {
    let mut host = Host::connected();
    assert_eq!(host.ap_read(0xFC), Ok(AHB_AP_IDR));
    assert_eq!(host.ap_read(0xF8), Ok(AHB_AP_BASE));
    assert_eq!(host.ap_read(0xF4), Ok(0));
    assert_eq!(host.ap_read(CSW), Ok(AHB_AP_CSW));
}

#[test]
fn access_port_1_reads_as_zero_so_that_a_scan_ends() {
    let mut host = Host::connected();
    host.dp_write(8, 0x0100_00F0).unwrap();
    let idr = Request::Read {
        port: Port::Access,
        address: 0xC,
    };
    host.transfer(idr).unwrap();
    assert_eq!(host.dp_read(0xC), Ok(0));
}

#[test]
fn reads_are_posted() {
    let mut host = Host::connected();
    for (index, value) in [11, 22, 33].into_iter().enumerate() {
        host.write(RAM + 4 * index as u32, value);
    }
    host.ap_write(CSW, WORDS);
    host.ap_write(TAR, RAM);
    host.ap_transfer(DRW, None).unwrap();
    assert_eq!(host.ap_transfer(DRW, None), Ok(11));
    assert_eq!(host.ap_transfer(DRW, None), Ok(22));
    assert_eq!(host.dp_read(0xC), Ok(33));
    // RESEND gives again what was carried last.
    assert_eq!(host.dp_read(8), Ok(33));
}

#[test]
fn a_bus_error_shows_at_the_next_transfer_and_sticks() {
    let mut host = Host::connected();
    host.ap_write(CSW, WORDS);
    host.ap_write(TAR, NOWHERE);
    // The transfer itself was taken.
    assert!(host.ap_transfer(DRW, None).is_ok());
    assert_eq!(host.dp_read(0xC), Err(Refusal::Fault));
    assert_eq!(host.dp_write(8, 0), Err(Refusal::Fault));
    assert_ne!(host.dp_read(4).unwrap() & STICKYERR, 0);
    host.dp_write(0, 1 << 2).unwrap();
    assert_eq!(host.dp_read(4).unwrap() & STICKYERR, 0);
    assert_eq!(host.ap_read(0xFC), Ok(AHB_AP_IDR));
}

#[test]
fn tar_wraps_at_1_kib() {
    let mut host = Host::connected();
    host.write(RAM + 0x3FC, 1);
    host.write(RAM + 0x400, 2);
    host.write(RAM, 3);
    host.ap_write(CSW, WORDS);
    host.ap_write(TAR, RAM + 0x3FC);
    assert_eq!(host.ap_read(DRW), Ok(1));
    assert_eq!(host.ap_read(TAR), Ok(RAM));
    assert_eq!(host.ap_read(DRW), Ok(3));
}

#[rstest]
#[case::bytes(BYTES, 1)]
#[case::halfwords(HALFWORDS, 2)]
fn narrow_data_travels_in_the_lane_of_its_address(#[case] csw: u32, #[case] size: u32) {
    let mut host = Host::connected();
    host.write(RAM, 0x4433_2211);
    host.ap_write(CSW, csw);
    host.ap_write(TAR, RAM);
    let mask = (1u64 << (8 * size)) - 1;
    for at in (0..4).step_by(size as usize) {
        let lane = (mask as u32) << (8 * at);
        assert_eq!(host.ap_read(DRW).unwrap(), 0x4433_2211 & lane);
    }
    host.ap_write(TAR, RAM);
    for _ in 0..4 / size {
        host.ap_write(DRW, 0xDDCC_BBAA);
    }
    assert_eq!(host.read(RAM), 0xDDCC_BBAA);
}

#[test]
fn packed_transfers_fill_the_word() {
    let mut host = Host::connected();
    host.write(RAM, 0x4433_2211);
    host.ap_write(CSW, BYTES & !0x30 | 0x20);
    host.ap_write(TAR, RAM);
    assert_eq!(host.ap_read(DRW), Ok(0x4433_2211));
    assert_eq!(host.ap_read(TAR), Ok(RAM + 4));
}

#[test]
fn without_increment_tar_stays_and_banked_registers_are_beside_it() {
    let mut host = Host::connected();
    for index in 0..4 {
        host.write(RAM + 4 * index, 10 + index);
    }
    host.ap_write(CSW, NO_INCREMENT);
    host.ap_write(TAR, RAM + 4);
    assert_eq!(host.ap_read(DRW), Ok(11));
    assert_eq!(host.ap_read(DRW), Ok(11));
    for index in 0..4u8 {
        assert_eq!(host.ap_read(0x10 + 4 * index), Ok(10 + u32::from(index)));
    }
    host.ap_write(0x1C, 99);
    assert_eq!(host.read(RAM + 12), 99);
}

#[test]
fn an_unaligned_address_faults() {
    let mut host = Host::connected();
    host.ap_write(CSW, WORDS);
    host.ap_write(TAR, RAM + 2);
    assert_eq!(host.ap_read(DRW), Err(Refusal::Fault));
}

#[test]
fn wait_is_answered_and_then_ok() {
    let mut host = Host::connected();
    host.port.inject(Injection::Wait { count: 2 });
    for _ in 0..2 {
        assert_eq!(host.ap_transfer(0xFC, None), Err(Refusal::Wait));
        // The debug port's own registers never wait.
        host.dp_read(4).unwrap();
    }
    assert_eq!(host.ap_read(0xFC), Ok(AHB_AP_IDR));
}

#[test]
fn an_abort_ends_waiting() {
    let mut host = Host::connected();
    host.port.inject(Injection::Wait { count: 1000 });
    assert_eq!(host.ap_transfer(0xFC, None), Err(Refusal::Wait));
    host.dp_write(0, 1).unwrap();
    assert_eq!(host.ap_read(0xFC), Ok(AHB_AP_IDR));
}

#[test]
fn with_overrun_detection_a_wait_sticks() {
    let mut host = Host::connected();
    host.dp_write(4, 0x5000_0001).unwrap();
    host.port.inject(Injection::Wait { count: 1 });
    assert_eq!(host.ap_transfer(0xFC, None), Err(Refusal::Wait));
    assert_eq!(host.ap_transfer(0xFC, None), Err(Refusal::Fault));
    assert_ne!(host.dp_read(4).unwrap() & 2, 0, "STICKYORUN");
    host.dp_write(0, 1 << 4).unwrap();
    assert_eq!(host.ap_read(0xFC), Ok(AHB_AP_IDR));
}

#[test]
fn injected_bus_errors_come_where_they_were_asked_for() {
    let mut host = Host::connected();
    host.port.inject(Injection::BusError { after: 1 });
    assert!(host.ap_read(DRW).is_ok() || host.ap_read(TAR).is_ok());
    host.ap_write(CSW, WORDS);
    host.ap_write(TAR, RAM);
    assert_eq!(host.ap_read(DRW), Err(Refusal::Fault));
    host.dp_write(0, 0x1E).unwrap();
    let addresses = RAM..RAM + 4;
    host.port.inject(Injection::Blocked { addresses });
    assert_eq!(host.read(RAM + 4), host.read(RAM + 4));
    host.ap_write(TAR, RAM);
    assert_eq!(host.ap_read(DRW), Err(Refusal::Fault));
}

#[test]
fn a_loose_cable_is_silence() {
    let mut host = Host::connected();
    host.port.inject(Injection::Silence { count: 1 });
    assert_eq!(host.dp_read(0), Err(Refusal::Silence));
    assert_eq!(host.dp_read(0), Ok(DPIDR));
}

#[test]
fn without_power_there_is_silence_and_afterwards_jtag() {
    let mut host = Host::connected();
    host.kit.set_power(az3166_emulator::Power::Off);
    assert_eq!(host.dp_read(0), Err(Refusal::Silence));
    host.kit.set_power(az3166_emulator::Power::On);
    host.port.power_on_reset();
    assert_eq!(host.dp_read(0), Err(Refusal::Silence));
    host.connect();
}
