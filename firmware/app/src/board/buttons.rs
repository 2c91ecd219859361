use stm32f4::stm32f412::Peripherals;

/// A button's state when the device started.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Button {
    /// Held down.
    Held,
    /// Up.
    Released,
}

/// Both buttons.
#[derive(Clone, Copy)]
pub struct Buttons {
    /// Button A, PA4: configuration mode.
    pub a: Button,
    /// Button B, PA10: the stock firmware's access-point mode.
    pub b: Button,
}

/// Reads the buttons. Writes to a pin that a debugger has locked have no effect, so what it drives
/// is what is read.
pub fn read(peripherals: &Peripherals) -> Buttons {
    peripherals
        .RCC
        .ahb1enr()
        .modify(|_, w| w.gpioaen().enabled());
    let port = &peripherals.GPIOA;
    port.moder()
        .modify(|_, w| w.moder4().input().moder10().input());
    port.pupdr()
        .modify(|_, w| w.pupdr4().pull_up().pupdr10().pull_up());
    // The pull-ups (about 40 kohm) charge a pin within a microsecond; this is 6 us at 16 MHz.
    cortex_m::asm::delay(100);
    let levels = port.idr().read();
    let button = |low: bool| if low { Button::Held } else { Button::Released };
    Buttons {
        a: button(levels.idr4().is_low()),
        b: button(levels.idr10().is_low()),
    }
}
