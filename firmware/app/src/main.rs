//! The firmware of the AZ3166 DevKit.
//!
//! [`board`] is the hardware, one peripheral a file; [`boot`] is the order of what happens;
//! [`messages`] holds every line that the console shows.
#![no_std]
#![no_main]

extern crate alloc;

mod board;
mod boot;
mod device;
mod messages;
mod panic;
mod shell;
mod trust_anchor;

use embedded_alloc::LlffHeap;

#[global_allocator]
static HEAP: LlffHeap = LlffHeap::empty();

const HEAP_BYTES: usize = 96 * 1024;

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut MEMORY: [u8; HEAP_BYTES] = [0; HEAP_BYTES];
    let memory = (&raw mut *MEMORY).cast::<u8>() as usize;
    // SAFETY: the entry macro lends MEMORY to this function alone, which runs once.
    unsafe { HEAP.init(memory, HEAP_BYTES) };
    boot::run()
}
