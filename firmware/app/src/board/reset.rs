//! From whatever state a bootloader left to one that equals the state after reset, as far as this
//! firmware cares.

use core::arch::global_asm;

use stm32f4::stm32f412::Peripherals;

// Runs before the RAM is initialised, with the stack pointer and VTOR already ours: no interrupt
// may find the vectors of an application that has not started. SysTick and all interrupts are off
// and not pending when `main` begins; PRIMASK stays set until `enable_interrupts`.
global_asm!(
    ".section .text.__pre_init, \"ax\"",
    ".global __pre_init",
    ".type __pre_init, %function",
    ".thumb_func",
    "__pre_init:",
    "cpsid i",
    "movs r0, #0",
    "msr control, r0", // privileged, main stack, no floating-point context
    "isb",
    "msr basepri, r0",
    "msr faultmask, r0",
    "ldr r1, =0xE000E010", // SysTick CSR
    "str r0, [r1]",
    "ldr r1, =0xE000ED04", // SCB ICSR: PENDSVCLR, PENDSTCLR
    "ldr r2, =0x0A000000",
    "str r2, [r1]",
    "ldr r1, =0xE000E180", // NVIC ICER0, ICPR0 stands 0x100 further
    "mvns r0, r0",
    "movs r2, #4", // 97 interrupts
    "1:",
    "str r0, [r1, #0]",
    "str r0, [r1, #0x100]",
    "adds r1, #4",
    "subs r2, #1",
    "bne 1b",
    "bx lr",
    ".ltorg",
);

/// Resets the peripherals that this firmware uses, and those that could go on writing to the RAM.
///
/// GPIOA is not among them: a debugger may hold a button by a locked pin, which a reset of the port
/// would release.
pub fn reset_peripherals(peripherals: &Peripherals) {
    let rcc = &peripherals.RCC;
    rcc.ahb1rstr()
        .write(|w| w.gpiobrst().reset().dma1rst().reset().dma2rst().reset());
    rcc.ahb1rstr().reset();
    rcc.ahb2rstr()
        .write(|w| w.rngrst().reset().otgfsrst().reset());
    rcc.ahb2rstr().reset();
    rcc.apb1rstr()
        .write(|w| w.tim5rst().reset().i2c1rst().reset().pwrrst().reset());
    rcc.apb1rstr().reset();
    rcc.apb2rstr()
        .write(|w| w.usart6rst().reset().spi5rst().reset().sdiorst().reset());
    rcc.apb2rstr().reset();
}

/// Lets interrupts in, once every handler has what it needs.
pub fn enable_interrupts() {
    // SAFETY: nothing relies on PRIMASK being set any longer; critical sections save and restore.
    unsafe { cortex_m::interrupt::enable() };
}
