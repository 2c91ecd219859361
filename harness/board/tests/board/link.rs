//! The network link after a reset.

use az3166_target::{Link, Target as _, TargetMemory as _, slip_encode};

use crate::control_block::{NAME, UP, control_block};
use crate::running::{FLASH, LOOP, run, started};
use crate::support::{Bench, RAM, image_with_symbol};

/// A reset leaves RAM as it was: the block of the run before is not taken for this one's.
#[test]
fn a_stale_control_block_is_not_read() {
    const BLOCK: u32 = RAM + 0x3_0100;
    let image = image_with_symbol(FLASH, b"code", "_SEGGER_RTT", BLOCK);
    let bench = Bench::new();
    let mut target = started(&bench, &[LOOP]);
    let packet = slip_encode(b"a packet of the run before");
    target.write_memory(NAME, b"hil-link\0").unwrap();
    target.write_memory(UP, &packet).unwrap();
    let stale = control_block(packet.len() as u32);
    target.write_memory(BLOCK, &stale).unwrap();
    target.reset().unwrap();

    let mut careless = Link::new(&image).unwrap();
    assert_eq!(careless.receive(&mut target).unwrap().len(), 1);

    target.write_memory(BLOCK, &stale).unwrap();
    target.reset().unwrap();
    let mut link = Link::new(&image).unwrap();
    link.restart(&mut target).unwrap();
    run(&mut target);
    assert_eq!(
        link.receive(&mut target).unwrap(),
        [] as [Option<Vec<u8>>; 0]
    );
    assert!(!link.is_up());
}
