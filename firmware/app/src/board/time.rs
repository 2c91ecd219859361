//! Time since the start, by TIM5 counting microseconds, and sleeping, by SysTick.
//!
//! SysTick ticks only while somebody waits: once, at the deadline, or after its longest interval of
//! 174 ms, whichever is sooner. That slow tick also catches a wake-up that was missed.

use core::{
    cell::Cell,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use cortex_m::peripheral::{SCB, SYST, syst::SystClkSource};
use cortex_m_rt::exception;
use critical_section::Mutex;
use stm32f4::stm32f412::{Peripherals, TIM5};

use super::clocks::HCLK;

const TICKS_PER_MICROSECOND: u32 = HCLK / 1_000_000;
const SYSTICK_MAX: u32 = 0x00FF_FFFF;

/// The whole turns of the 32-bit counter, and its last value.
#[derive(Clone, Copy)]
struct Turns {
    full: u32,
    last: u32,
}

static TURNS: Mutex<Cell<Turns>> = Mutex::new(Cell::new(Turns { full: 0, last: 0 }));

/// Starts the clock at zero.
pub fn start(peripherals: &Peripherals) {
    peripherals
        .RCC
        .apb1enr()
        .modify(|_, w| w.tim5en().enabled());
    let timer = &peripherals.TIM5;
    // SAFETY: any value is valid in these registers (RM0402 sections 17.4.11 and 17.4.12).
    unsafe {
        timer.psc().write(|w| w.bits(TICKS_PER_MICROSECOND - 1));
        timer.arr().write(|w| w.bits(u32::MAX));
    }
    // The prescaler is taken over by an update event only.
    timer.egr().write(|w| w.ug().update());
    timer.cr1().write(|w| w.cen().enabled());
}

/// Time since the start. It has to be called once in 71 minutes, which the slow tick ensures.
pub fn now() -> Duration {
    critical_section::with(|cs| {
        // SAFETY: reading the counter has no effect.
        let count = unsafe { &*TIM5::ptr() }.cnt().read().bits();
        let turns = TURNS.borrow(cs);
        let mut now = turns.get();
        if count < now.last {
            now.full += 1;
        }
        now.last = count;
        turns.set(now);
        Duration::from_micros(u64::from(now.full) << 32 | u64::from(count))
    })
}

/// What ended a wait.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// The condition holds.
    Ready,
    /// The deadline has passed.
    Expired,
}

/// Whether the alarm that was set last has yet to ring.
static IS_SET: AtomicBool = AtomicBool::new(false);

/// Sleeps until the condition, which an interrupt brings about, or the deadline.
///
/// The clock is read and the alarm set only when it has rung: a transfer of 512 bytes wakes this
/// as many times, and each access to a timer costs time.
pub fn wait_until(deadline: Duration, ready: impl Fn() -> bool) -> Wait {
    // An alarm that is set has another deadline.
    IS_SET.store(false, Ordering::Relaxed);
    loop {
        if ready() {
            return Wait::Ready;
        }
        if !IS_SET.load(Ordering::Relaxed) {
            let left = deadline.saturating_sub(now());
            if left.is_zero() {
                return Wait::Expired;
            }
            critical_section::with(|_| alarm(left));
        }
        // An interrupt between the checks and WFI stays pending and ends WFI at once.
        critical_section::with(|_| {
            if IS_SET.load(Ordering::Relaxed) && !ready() {
                cortex_m::asm::dsb();
                cortex_m::asm::wfi();
            }
        });
    }
}

/// Sleeps until the condition, however long it takes.
pub fn wait_for(ready: impl Fn() -> bool) {
    wait_until(Duration::MAX, ready);
}

/// Sleeps for at least this long.
pub fn sleep(time: Duration) {
    wait_until(now() + time, || false);
}

/// Waits without sleeping, for times too short for an interrupt.
pub fn spin(microseconds: u32) {
    cortex_m::asm::delay(microseconds * TICKS_PER_MICROSECOND);
}

/// Lets SysTick fire once, after `left` or after its longest interval.
fn alarm(left: Duration) {
    let ticks = left
        .as_micros()
        .saturating_mul(TICKS_PER_MICROSECOND.into());
    let reload = u32::try_from(ticks)
        .unwrap_or(SYSTICK_MAX)
        .clamp(1, SYSTICK_MAX);
    // SAFETY: SysTick is used in this function and its handler only, and the handler cannot run
    // here, inside a critical section.
    let mut systick = unsafe { cortex_m::Peripherals::steal() }.SYST;
    systick.disable_counter();
    SCB::clear_pendst();
    systick.set_clock_source(SystClkSource::Core);
    systick.set_reload(reload);
    systick.clear_current();
    systick.enable_interrupt();
    systick.enable_counter();
    IS_SET.store(true, Ordering::Relaxed);
}

#[exception]
fn SysTick() {
    // SAFETY: a single write; the alarm is set again by whoever waits on.
    unsafe { (*SYST::PTR).csr.write(0) };
    IS_SET.store(false, Ordering::Relaxed);
}

/// This clock, for drivers that need one.
#[derive(Clone, Copy)]
pub struct Clock;

impl stsafe_driver::Timer for Clock {
    fn now(&self) -> Duration {
        now()
    }

    fn sleep(&mut self, time: Duration) {
        sleep(time);
    }
}
