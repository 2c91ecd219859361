//! Pins of port B, and those of port A that are no buttons.

use stm32f4::stm32f412::Peripherals;

const AF4: u8 = 4;
const AF8: u8 = 8;

/// USART6 on PA11 and PA12, I2C1 on PB8 and PB9.
pub fn connect(peripherals: &Peripherals) {
    peripherals
        .RCC
        .ahb1enr()
        .modify(|_, w| w.gpioaen().enabled().gpioben().enabled());
    let a = &peripherals.GPIOA;
    a.pupdr().modify(|_, w| w.pupdr12().pull_up());
    a.afrh()
        .modify(|_, w| w.afrh11().set(AF8).afrh12().set(AF8));
    a.moder()
        .modify(|_, w| w.moder11().alternate().moder12().alternate());

    let b = &peripherals.GPIOB;
    b.otyper()
        .modify(|_, w| w.ot8().open_drain().ot9().open_drain());
    b.pupdr()
        .modify(|_, w| w.pupdr8().pull_up().pupdr9().pull_up());
    b.ospeedr()
        .modify(|_, w| w.ospeedr8().medium_speed().ospeedr9().medium_speed());
    b.bsrr().write(|w| w.bs8().set_bit().bs9().set_bit());
    b.afrh().modify(|_, w| w.afrh8().set(AF4).afrh9().set(AF4));
    b.moder()
        .modify(|_, w| w.moder8().alternate().moder9().alternate());
}

/// Gives the secure element its power: PB14 high.
pub fn power_secure_element(peripherals: &Peripherals) {
    let b = &peripherals.GPIOB;
    b.bsrr().write(|w| w.bs14().set_bit());
    b.moder().modify(|_, w| w.moder14().output());
}
