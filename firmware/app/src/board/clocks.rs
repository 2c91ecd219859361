//! 96 MHz from the 26 MHz crystal: 26 / 13 x 192 / 4; 48 MHz for the RNG: 26 / 13 x 192 / 8
//! (RM0402 section 6).

use stm32f4::stm32f412::Peripherals;

/// SYSCLK, HCLK and PCLK2, and the clock of the timers on APB1, in Hz.
pub const HCLK: u32 = 96_000_000;
/// PCLK1 in Hz.
pub const PCLK1: u32 = 48_000_000;

/// What the PLL runs from. Either source gives the same frequencies.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The 26 MHz crystal.
    Crystal,
    /// The internal 16 MHz oscillator, since the crystal did not start.
    Internal,
}

/// A ready bit came in time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wait {
    Ready,
    Expired,
}

/// Waits for a ready bit, at most about 100 ms at 16 MHz. There is no timer to sleep by yet.
fn wait(ready: impl Fn() -> bool) -> Wait {
    for _ in 0..200_000 {
        if ready() {
            return Wait::Ready;
        }
    }
    Wait::Expired
}

/// Switches to the internal oscillator and stops the PLL, whose settings are locked while it runs.
/// After a reset there is nothing to do.
pub fn return_to_internal(peripherals: &Peripherals) {
    let rcc = &peripherals.RCC;
    rcc.cr().modify(|_, w| w.hsion().on());
    wait(|| rcc.cr().read().hsirdy().is_ready());
    rcc.cfgr().modify(|_, w| w.sw().hsi());
    wait(|| rcc.cfgr().read().sws().is_hsi());
    rcc.cr().modify(|_, w| w.pllon().off());
    wait(|| rcc.cr().read().pllrdy().is_not_ready());
}

/// Runs the chip at 96 MHz.
pub fn start(peripherals: &Peripherals) -> Source {
    let (rcc, flash) = (&peripherals.RCC, &peripherals.FLASH);
    rcc.apb1enr().modify(|_, w| w.pwren().enabled());
    peripherals.PWR.cr().modify(|_, w| w.vos().scale1());

    rcc.cr().modify(|_, w| w.hseon().on());
    let source = match wait(|| rcc.cr().read().hserdy().is_ready()) {
        Wait::Ready => Source::Crystal,
        Wait::Expired => Source::Internal,
    };
    // SAFETY: RM0402 section 6.3.2: M 2 to 63, N 50 to 432, Q and R 2 to 15; both sources give a
    // PLL input of 2 or 1 MHz and a VCO of 384 MHz.
    rcc.pllcfgr().write(|w| unsafe {
        let w = w.pllp().div4().pllq().bits(8).pllr().bits(2);
        match source {
            Source::Crystal => w.pllsrc().hse().pllm().bits(13).plln().bits(192),
            Source::Internal => w.pllsrc().hsi().pllm().bits(16).plln().bits(384),
        }
    });
    rcc.cr().modify(|_, w| w.pllon().on());
    if wait(|| rcc.cr().read().pllrdy().is_ready()) == Wait::Expired {
        // Without the PLL neither console nor link would run at their speeds.
        cortex_m::peripheral::SCB::sys_reset();
    }

    flash.acr().write(|w| {
        w.latency()
            .ws3()
            .prften()
            .enabled()
            .icen()
            .enabled()
            .dcen()
            .enabled()
    });
    wait(|| flash.acr().read().latency().is_ws3());
    rcc.cfgr()
        .modify(|_, w| w.hpre().div1().ppre1().div2().ppre2().div1());
    rcc.cfgr().modify(|_, w| w.sw().pll());
    wait(|| rcc.cfgr().read().sws().is_pll());
    source
}
