//! What only an ST-Link shows.

use az3166_board::list_probes;
use virtual_stlink::{PRODUCT_ID, VENDOR_ID};

use crate::support::Bench;

#[test]
fn it_is_listed_as_what_it_is() {
    let bench = Bench::new();
    assert_eq!((VENDOR_ID, PRODUCT_ID), (0x0483, 0x374B));
    let found = list_probes();
    let ours = found.iter().find(|it| it.serial == bench.board.serial());
    assert_eq!(ours.unwrap().kind, "STLink V2-1");
}

#[test]
fn a_dropped_session_gives_the_interface_back() {
    let bench = Bench::new();
    let target = bench.target();
    assert!(bench.board.is_claimed());
    drop(target);
    assert!(!bench.board.is_claimed());
}
