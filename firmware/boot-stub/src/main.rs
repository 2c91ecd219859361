//! Jumps to the application at 0x0800C000, as the vendor's bootloader does, on boards (and
//! emulators) where there is none. It touches nothing else, so the application starts from the
//! state after reset.
#![no_std]
#![no_main]

// Two words are enough of a vector table: no exception is taken before the application has its own
// table in VTOR. Where the flash holds no application, its first word is all ones: sleep.
core::arch::global_asm!(
    ".section .vectors, \"a\"",
    ".global vectors",
    "vectors:",
    ".word 0x20040000",
    ".word reset",
    ".section .text.reset, \"ax\"",
    ".global reset",
    ".type reset, %function",
    ".thumb_func",
    "reset:",
    "ldr r0, =0x0800C000",
    "ldr r1, [r0]",
    "adds r2, r1, #1",
    "beq 1f",
    "ldr r2, =0xE000ED08", // SCB VTOR
    "str r0, [r2]",
    "dsb",
    "msr msp, r1",
    "ldr r0, [r0, #4]",
    "bx r0",
    "1:",
    "wfi",
    "b 1b",
    ".ltorg",
);

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}
