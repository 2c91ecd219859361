//! The end of a firmware that can go no further: one line, a reset, then configuration mode.

use core::{mem::MaybeUninit, panic::PanicInfo};

use cortex_m::peripheral::SCB;
use cortex_m_rt::{ExceptionFrame, exception};

use crate::board::serial;

const MARK: u32 = 0x5041_4E49;

/// Survives the reset.
#[unsafe(link_section = ".uninit.panic_mark")]
static mut PANIC_MARK: MaybeUninit<u32> = MaybeUninit::uninit();

/// Whether the start before this one ended in a panic; asking forgets it.
pub fn take_mark() -> bool {
    let mark = (&raw mut PANIC_MARK).cast::<u32>();
    // SAFETY: any bits are a u32; this runs before anything could panic concurrently.
    unsafe {
        let marked = mark.read_volatile() == MARK;
        mark.write_volatile(0);
        marked
    }
}

fn end() -> ! {
    // SAFETY: interrupts are off, nobody else is running.
    unsafe { (&raw mut PANIC_MARK).cast::<u32>().write_volatile(MARK) };
    serial::write_at_once(b"\r\n");
    SCB::sys_reset()
}

/// Prints where it happened, not what: the message might hold a secret.
#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    cortex_m::interrupt::disable();
    serial::write_at_once(b"\r\nERROR: panic: ");
    if let Some(location) = info.location() {
        serial::write_at_once(location.file().as_bytes());
        serial::write_at_once(b" line ");
        write_number(location.line(), 10);
    }
    end()
}

#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    serial::write_at_once(b"\r\nERROR: fault: at 0x");
    write_number(frame.pc(), 16);
    end()
}

fn write_number(number: u32, base: u32) {
    if number >= base {
        write_number(number / base, base);
    }
    let digit = char::from_digit(number % base, base).unwrap_or('?');
    serial::write_at_once(&[digit as u8]);
}
