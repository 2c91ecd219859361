//! The memory map of the peripherals (RM0402 table 1) and where each one's clock is gated.

use crate::peripheral::rcc::{ClockBus, Gate};
use crate::peripheral::{
    Register, crc, dbgmcu, exti, flash, gpio, i2c, iwdg, pwr, rcc, rng, rtc, syscfg, timer, usart,
};

/// A peripheral that the model has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A timer, by its index in the chip.
    Timer(usize),
    /// RTC.
    Rtc,
    /// IWDG.
    Iwdg,
    /// A USART, by its index in the chip.
    Usart(usize),
    /// An I2C interface, by its index in the chip.
    I2c(usize),
    /// PWR.
    Pwr,
    /// SYSCFG.
    Syscfg,
    /// EXTI.
    Exti,
    /// A GPIO port, by its index in the chip.
    Gpio(usize),
    /// CRC.
    Crc,
    /// RCC.
    Rcc,
    /// The flash interface.
    Flash,
    /// RNG.
    Rng,
    /// DBGMCU.
    Dbgmcu,
}

/// A line of the memory map.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    /// Its name in the reference manual.
    pub name: &'static str,
    /// Its first address.
    pub base: u32,
    /// Its registers.
    pub registers: &'static [Register],
    /// The model's part.
    pub unit: Unit,
    /// Where its clock is gated and its reset is; none where it always runs.
    pub gate: Option<Gate>,
}

const fn block(
    name: &'static str,
    base: u32,
    registers: &'static [Register],
    unit: Unit,
    gate: Option<Gate>,
) -> Block {
    Block {
        name,
        base,
        registers,
        unit,
        gate,
    }
}

const fn gate(bus: ClockBus, bit: u8) -> Option<Gate> {
    Some(Gate { bus, bit })
}

use ClockBus::{Ahb1, Ahb2, Apb1, Apb2};

/// The peripherals that the model has.
pub const BLOCKS: &[Block] = &[
    block(
        "TIM2",
        0x4000_0000,
        timer::REGISTERS_WIDE,
        Unit::Timer(0),
        gate(Apb1, 0),
    ),
    block(
        "TIM3",
        0x4000_0400,
        timer::REGISTERS_NARROW,
        Unit::Timer(1),
        gate(Apb1, 1),
    ),
    block(
        "TIM4",
        0x4000_0800,
        timer::REGISTERS_NARROW,
        Unit::Timer(2),
        gate(Apb1, 2),
    ),
    block(
        "TIM5",
        0x4000_0C00,
        timer::REGISTERS_WIDE,
        Unit::Timer(3),
        gate(Apb1, 3),
    ),
    block("RTC", 0x4000_2800, rtc::REGISTERS, Unit::Rtc, None),
    block("IWDG", 0x4000_3000, iwdg::REGISTERS, Unit::Iwdg, None),
    block(
        "USART2",
        0x4000_4400,
        usart::REGISTERS,
        Unit::Usart(1),
        gate(Apb1, 17),
    ),
    block(
        "I2C1",
        0x4000_5400,
        i2c::REGISTERS,
        Unit::I2c(0),
        gate(Apb1, 21),
    ),
    block(
        "I2C2",
        0x4000_5800,
        i2c::REGISTERS,
        Unit::I2c(1),
        gate(Apb1, 22),
    ),
    block(
        "I2C3",
        0x4000_5C00,
        i2c::REGISTERS,
        Unit::I2c(2),
        gate(Apb1, 23),
    ),
    block(
        "PWR",
        0x4000_7000,
        pwr::REGISTERS,
        Unit::Pwr,
        gate(Apb1, 28),
    ),
    block(
        "USART1",
        0x4001_1000,
        usart::REGISTERS,
        Unit::Usart(0),
        gate(Apb2, 4),
    ),
    block(
        "USART6",
        0x4001_1400,
        usart::REGISTERS,
        Unit::Usart(2),
        gate(Apb2, 5),
    ),
    block(
        "SYSCFG",
        0x4001_3800,
        syscfg::REGISTERS,
        Unit::Syscfg,
        gate(Apb2, 14),
    ),
    block("EXTI", 0x4001_3C00, exti::REGISTERS, Unit::Exti, None),
    block(
        "TIM9",
        0x4001_4000,
        timer::REGISTERS_TWO_CHANNELS,
        Unit::Timer(4),
        gate(Apb2, 16),
    ),
    block(
        "TIM10",
        0x4001_4400,
        timer::REGISTERS_ONE_CHANNEL,
        Unit::Timer(5),
        gate(Apb2, 17),
    ),
    block(
        "TIM11",
        0x4001_4800,
        timer::REGISTERS_ONE_CHANNEL,
        Unit::Timer(6),
        gate(Apb2, 18),
    ),
    block(
        "GPIOA",
        0x4002_0000,
        gpio::REGISTERS_A,
        Unit::Gpio(0),
        gate(Ahb1, 0),
    ),
    block(
        "GPIOB",
        0x4002_0400,
        gpio::REGISTERS_B,
        Unit::Gpio(1),
        gate(Ahb1, 1),
    ),
    block(
        "GPIOC",
        0x4002_0800,
        gpio::REGISTERS,
        Unit::Gpio(2),
        gate(Ahb1, 2),
    ),
    block(
        "GPIOD",
        0x4002_0C00,
        gpio::REGISTERS,
        Unit::Gpio(3),
        gate(Ahb1, 3),
    ),
    block(
        "GPIOE",
        0x4002_1000,
        gpio::REGISTERS,
        Unit::Gpio(4),
        gate(Ahb1, 4),
    ),
    block(
        "GPIOH",
        0x4002_1C00,
        gpio::REGISTERS,
        Unit::Gpio(5),
        gate(Ahb1, 7),
    ),
    block(
        "CRC",
        0x4002_3000,
        crc::REGISTERS,
        Unit::Crc,
        gate(Ahb1, 12),
    ),
    block("RCC", 0x4002_3800, rcc::REGISTERS, Unit::Rcc, None),
    block("FLASH", 0x4002_3C00, flash::REGISTERS, Unit::Flash, None),
    block("RNG", 0x5006_0800, rng::REGISTERS, Unit::Rng, gate(Ahb2, 6)),
    block("DBGMCU", 0xE004_2000, dbgmcu::REGISTERS, Unit::Dbgmcu, None),
];

/// What the chip has and the model has not, for messages: name, first address, bytes.
const UNMODELLED: &[(&str, u32, u32)] = &[
    ("TIM6", 0x4000_1000, 0x400),
    ("TIM7", 0x4000_1400, 0x400),
    ("TIM12", 0x4000_1800, 0x400),
    ("TIM13", 0x4000_1C00, 0x400),
    ("TIM14", 0x4000_2000, 0x400),
    ("WWDG", 0x4000_2C00, 0x400),
    ("I2S2ext", 0x4000_3400, 0x400),
    ("SPI2", 0x4000_3800, 0x400),
    ("SPI3", 0x4000_3C00, 0x400),
    ("I2S3ext", 0x4000_4000, 0x400),
    ("USART3", 0x4000_4800, 0x400),
    ("FMPI2C1", 0x4000_6000, 0x400),
    ("CAN1", 0x4000_6400, 0x400),
    ("CAN2", 0x4000_6800, 0x400),
    ("TIM1", 0x4001_0000, 0x400),
    ("TIM8", 0x4001_0400, 0x400),
    ("ADC1", 0x4001_2000, 0x400),
    ("SDIO", 0x4001_2C00, 0x400),
    ("SPI1", 0x4001_3000, 0x400),
    ("SPI4", 0x4001_3400, 0x400),
    ("SPI5", 0x4001_5000, 0x400),
    ("DFSDM1", 0x4001_6000, 0x400),
    ("GPIOF", 0x4002_1400, 0x400),
    ("GPIOG", 0x4002_1800, 0x400),
    ("DMA1", 0x4002_6000, 0x400),
    ("DMA2", 0x4002_6400, 0x400),
    ("OTG_FS", 0x5000_0000, 0x4_0000),
    ("FSMC memory", 0x6000_0000, 0x1000_0000),
    ("QUADSPI memory", 0x9000_0000, 0x1000_0000),
    ("FSMC", 0xA000_0000, 0x1000),
    ("QUADSPI", 0xA000_1000, 0x400),
    ("system memory", 0x1FFF_0000, 0x7800),
];

/// What is at an address.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    /// A register of a modelled peripheral, or an offset where its table has none.
    Block(&'static Block, u32),
    /// Something that the model has not, with the offset in it.
    Unmodelled(&'static str, u32),
    /// Nothing: the bus answers with an error.
    Reserved,
}

/// The APB and AHB1 peripherals, a kilobyte each: the index of its block plus one, or 0.
const PAGES: [u8; 160] = {
    let mut pages = [0; 160];
    let mut index = 0;
    while index < BLOCKS.len() {
        let page = (BLOCKS[index].base.wrapping_sub(PERIPHERALS) >> 10) as usize;
        if page < pages.len() {
            pages[page] = index as u8 + 1;
        }
        index += 1;
    }
    pages
};
const PERIPHERALS: u32 = 0x4000_0000;

/// What is at `address`.
pub fn place(address: u32) -> Place {
    let page = (address.wrapping_sub(PERIPHERALS) >> 10) as usize;
    if let Some(index @ 1..) = PAGES.get(page) {
        return Place::Block(&BLOCKS[usize::from(*index) - 1], address & 0x3FF);
    }
    elsewhere(address)
}

#[cold]
fn elsewhere(address: u32) -> Place {
    let inside = |base: u32, size: u32| address.checked_sub(base).filter(|offset| *offset < size);
    if let Some((block, offset)) = BLOCKS
        .iter()
        .find_map(|block| Some((block, inside(block.base, 0x400)?)))
    {
        return Place::Block(block, offset);
    }
    UNMODELLED
        .iter()
        .find_map(|(name, base, size)| Some(Place::Unmodelled(name, inside(*base, *size)?)))
        .unwrap_or(Place::Reserved)
}
