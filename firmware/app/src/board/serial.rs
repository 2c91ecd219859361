//! The console's USART6, 115200 8N1, by interrupts in both directions (RM0402 section 25).

use core::{cell::RefCell, time::Duration};

use cortex_m::peripheral::NVIC;
use critical_section::Mutex;
use heapless::Deque;
use stm32f4::stm32f412::{Interrupt, Peripherals, USART6, interrupt, usart1};
use zeroize::Zeroize;

use super::{
    clocks::HCLK,
    time::{Wait, now, wait_until},
};

const BAUD: u32 = 115_200;
/// A byte takes 87 us. If none leaves for this long, the transmitter is broken and output is lost.
const STALL: Duration = Duration::from_millis(20);

struct Queues {
    received: Deque<u8, 1024>,
    sending: Deque<u8, 1024>,
}

static QUEUES: Mutex<RefCell<Queues>> = Mutex::new(RefCell::new(Queues {
    received: Deque::new(),
    sending: Deque::new(),
}));

fn with_queues<R>(f: impl FnOnce(&mut Queues) -> R) -> R {
    critical_section::with(|cs| f(&mut QUEUES.borrow_ref_mut(cs)))
}

fn usart() -> &'static usart1::RegisterBlock {
    // SAFETY: after `start`, single accesses from the handler or with interrupts off only.
    unsafe { &*USART6::ptr() }
}

/// Starts the port. Its pins are connected already.
pub fn start(peripherals: &Peripherals) {
    peripherals
        .RCC
        .apb2enr()
        .modify(|_, w| w.usart6en().enabled());
    let usart = &peripherals.USART6;
    // SAFETY: the divider in sixteenths is what this register holds (RM0402 section 25.6.3).
    usart
        .brr()
        .write(|w| unsafe { w.bits(((HCLK + BAUD / 2) / BAUD) as u16) });
    usart.cr1().write(|w| {
        w.ue()
            .enabled()
            .te()
            .enabled()
            .re()
            .enabled()
            .rxneie()
            .enabled()
    });
    // SAFETY: the handler shares nothing but the queues, through critical sections.
    unsafe { NVIC::unmask(Interrupt::USART6) };
}

/// Queues bytes for sending; sleeps while the queue is full.
pub fn write(bytes: &[u8]) {
    for &byte in bytes {
        while with_queues(|queues| queues.sending.push_back(byte)).is_err() {
            let room = || with_queues(|queues| !queues.sending.is_full());
            if wait_until(now() + STALL, room) == Wait::Expired {
                return;
            }
        }
        critical_section::with(|_| usart().cr1().modify(|_, w| w.txeie().enabled()));
    }
}

/// Sleeps until everything is sent.
pub fn flush() {
    loop {
        let queued = with_queues(|queues| queues.sending.len());
        let fewer = || with_queues(|queues| queues.sending.len() < queued);
        if queued == 0 || wait_until(now() + STALL, fewer) == Wait::Expired {
            break;
        }
    }
    for _ in 0..HCLK / BAUD * 20 {
        if usart().sr().read().tc().bit_is_set() {
            break;
        }
    }
}

/// The next received byte. It may be a secret's, so it does not stay in the queue's memory.
pub fn read() -> Option<u8> {
    with_queues(|queues| {
        let slot = queues.received.front_mut()?;
        let byte = *slot;
        slot.zeroize();
        queues.received.pop_front();
        Some(byte)
    })
}

/// Whether a received byte waits.
pub fn has_input() -> bool {
    with_queues(|queues| !queues.received.is_empty())
}

/// Sends bytes without interrupts, for a firmware that can go no further.
pub fn write_at_once(bytes: &[u8]) {
    let usart = usart();
    usart.cr1().modify(|_, w| w.txeie().disabled());
    for &byte in bytes {
        // Ten bit times, doubled; the loop takes at least two cycles.
        for _ in 0..HCLK / BAUD * 10 {
            if usart.sr().read().txe().bit_is_set() {
                break;
            }
        }
        usart.dr().write(|w| w.dr().set(byte.into()));
    }
    for _ in 0..HCLK / BAUD * 20 {
        if usart.sr().read().tc().bit_is_set() {
            break;
        }
    }
}

#[interrupt]
fn USART6() {
    let usart = usart();
    let status = usart.sr().read();
    // Reading the data register after the status clears an overrun, too.
    if status.rxne().bit_is_set() || status.ore().bit_is_set() {
        let byte = usart.dr().read().dr().bits() as u8;
        if status.rxne().bit_is_set() {
            // A full queue loses what was typed, as any terminal does.
            let _ = with_queues(|queues| queues.received.push_back(byte));
        }
    }
    if status.txe().bit_is_set() && usart.cr1().read().txeie().bit_is_set() {
        match with_queues(|queues| queues.sending.pop_front()) {
            Some(byte) => usart.dr().write(|w| w.dr().set(byte.into())),
            None => usart.cr1().modify(|_, w| w.txeie().disabled()),
        };
    }
}
