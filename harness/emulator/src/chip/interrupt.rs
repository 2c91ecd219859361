//! Interrupt numbers (RM0402 table 40).

/// Flash interface.
pub const FLASH: u32 = 4;
/// RCC.
pub const RCC: u32 = 5;
/// USART1, USART2, USART6.
pub const USART: [u32; 3] = [37, 38, 71];
/// Event interrupts of I2C1..I2C3.
pub const I2C_EVENT: [u32; 3] = [31, 33, 72];
/// Error interrupts of I2C1..I2C3.
pub const I2C_ERROR: [u32; 3] = [32, 34, 73];
/// TIM2..TIM5, TIM9..TIM11.
pub const TIMER: [u32; 7] = [28, 29, 30, 50, 24, 25, 26];
/// RNG.
pub const RNG: u32 = 80;
/// Which lines of EXTI raise which interrupt.
pub const EXTI: [(u32, u32); 12] = [
    (1 << 0, 6),
    (1 << 1, 7),
    (1 << 2, 8),
    (1 << 3, 9),
    (1 << 4, 10),
    (0x03E0, 23),
    (0xFC00, 40),
    (1 << 16, 1),
    (1 << 17, 41),
    (1 << 18, 42),
    (1 << 21, 2),
    (1 << 22, 3),
];
