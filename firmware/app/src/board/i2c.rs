//! I2C1 as a controller at 400 kHz, by interrupts (RM0402 section 24). Every transfer has a time
//! limit; a bus that is stuck is freed before the next one.

use core::{cell::RefCell, time::Duration};

use cortex_m::peripheral::NVIC;
use critical_section::Mutex;
use stm32f4::stm32f412::{GPIOB, I2C1, Interrupt, Peripherals, gpiob, i2c1, interrupt};
use stsafe_driver::{Bus, BusError};
use zeroize::Zeroize;

use super::{
    clocks::PCLK1,
    time::{Wait, now, spin, wait_until},
};

const TRANSFER_MAX: usize = 512;
const READ_MIN: usize = 3;
/// The longest transfer takes 12 ms.
const TIME_LIMIT: Duration = Duration::from_millis(100);
/// A STOP takes 3 us.
const STOP_LIMIT: Duration = Duration::from_millis(1);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Write,
    Read,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    Finished(Result<(), BusError>),
}

/// The transfer that the interrupts work on.
struct Transfer {
    buffer: [u8; TRANSFER_MAX],
    length: usize,
    position: usize,
    address: u8,
    direction: Direction,
    state: State,
}

static TRANSFER: Mutex<RefCell<Transfer>> = Mutex::new(RefCell::new(Transfer {
    buffer: [0; TRANSFER_MAX],
    length: 0,
    position: 0,
    address: 0,
    direction: Direction::Write,
    state: State::Finished(Ok(())),
}));

fn with_transfer<R>(f: impl FnOnce(&mut Transfer) -> R) -> R {
    critical_section::with(|cs| f(&mut TRANSFER.borrow_ref_mut(cs)))
}

fn i2c() -> &'static i2c1::RegisterBlock {
    // SAFETY: accesses come from the handlers while a transfer runs, else from `I2c` alone.
    unsafe { &*I2C1::ptr() }
}

/// The bus.
pub struct I2c(());

impl I2c {
    /// Starts the controller. Its pins are connected already.
    pub fn start(peripherals: &Peripherals) -> Self {
        peripherals
            .RCC
            .apb1enr()
            .modify(|_, w| w.i2c1en().enabled());
        configure();
        // SAFETY: the handlers share nothing but the transfer, through critical sections.
        unsafe {
            NVIC::unmask(Interrupt::I2C1_EV);
            NVIC::unmask(Interrupt::I2C1_ER);
        }
        Self(())
    }

    fn run(&mut self) -> Result<(), BusError> {
        if !is_idle() {
            recover();
        }
        let i2c = i2c();
        i2c.cr1().modify(|_, w| w.ack().set_bit().pos().clear_bit());
        i2c.cr2().modify(|_, w| {
            w.itevten()
                .set_bit()
                .iterren()
                .set_bit()
                .itbufen()
                .set_bit()
        });
        i2c.cr1().modify(|_, w| w.start().set_bit());
        let finished = || with_transfer(|transfer| transfer.state != State::Running);
        let wait = wait_until(now() + TIME_LIMIT, finished);
        disable_interrupts();
        match (wait, with_transfer(|transfer| transfer.state)) {
            (Wait::Ready, State::Finished(result)) => {
                if result == Err(BusError::Stuck) {
                    recover();
                }
                result
            }
            _ => {
                recover();
                Err(BusError::Stuck)
            }
        }
    }
}

impl Bus for I2c {
    fn write(&mut self, address: u8, bytes: &[u8]) -> Result<(), BusError> {
        with_transfer(|transfer| {
            transfer.prepare(address, Direction::Write, bytes.len().min(TRANSFER_MAX));
            let length = transfer.length;
            transfer.buffer[..length].copy_from_slice(&bytes[..length]);
        });
        let result = self.run();
        with_transfer(|transfer| transfer.buffer.zeroize());
        result
    }

    fn read(&mut self, address: u8, bytes: &mut [u8]) -> Result<(), BusError> {
        if !(READ_MIN..=TRANSFER_MAX).contains(&bytes.len()) {
            return Err(BusError::Stuck);
        }
        with_transfer(|transfer| transfer.prepare(address, Direction::Read, bytes.len()));
        let result = self.run();
        with_transfer(|transfer| {
            bytes.copy_from_slice(&transfer.buffer[..bytes.len()]);
            transfer.buffer.zeroize();
        });
        result
    }
}

/// 400 kHz with duty 16/9 (RM0402 section 24.6.8): 48 MHz / (25 x 5) = 384 kHz.
fn configure() {
    let i2c = i2c();
    i2c.cr1().write(|w| w.swrst().set_bit());
    i2c.cr1().reset();
    // SAFETY: the frequency of PCLK1 in MHz is what this field holds, 2 to 50.
    i2c.cr2()
        .write(|w| unsafe { w.freq().bits((PCLK1 / 1_000_000) as u8) });
    // SAFETY: 1 to 4095 is valid here.
    i2c.ccr().write(|w| unsafe {
        w.f_s()
            .fast()
            .duty()
            .duty16_9()
            .ccr()
            .bits((PCLK1.div_ceil(25 * 400_000)) as u16)
    });
    // The longest rise time in fast mode is 300 ns.
    i2c.trise()
        .write(|w| w.trise().set((PCLK1 / 1_000_000 * 300 / 1000 + 1) as u8));
    i2c.cr1().write(|w| w.pe().enabled());
}

fn disable_interrupts() {
    i2c().cr2().modify(|_, w| {
        w.itevten()
            .clear_bit()
            .iterren()
            .clear_bit()
            .itbufen()
            .clear_bit()
    });
}

/// Whether the bus is free, once a STOP under way has had its time.
fn is_idle() -> bool {
    let free =
        || i2c().cr1().read().stop().bit_is_clear() && i2c().sr2().read().busy().bit_is_clear();
    let deadline = now() + STOP_LIMIT;
    while !free() {
        if now() >= deadline {
            return false;
        }
    }
    true
}

/// Frees a bus whose data line a device holds low, in the middle of a byte that it believes it is
/// sending: nine clocks, then a STOP (UM10204 section 3.1.16).
fn recover() {
    // SAFETY: pins 8 and 9 belong to this driver.
    let port: &gpiob::RegisterBlock = unsafe { &*GPIOB::ptr() };
    let half_period = || spin(5);
    port.bsrr().write(|w| w.bs8().set_bit().bs9().set_bit());
    port.moder()
        .modify(|_, w| w.moder8().output().moder9().output());
    for _ in 0..9 {
        if port.idr().read().idr9().is_high() {
            break;
        }
        port.bsrr().write(|w| w.br8().set_bit());
        half_period();
        port.bsrr().write(|w| w.bs8().set_bit());
        half_period();
    }
    port.bsrr().write(|w| w.br8().set_bit());
    half_period();
    port.bsrr().write(|w| w.br9().set_bit());
    half_period();
    port.bsrr().write(|w| w.bs8().set_bit());
    half_period();
    port.bsrr().write(|w| w.bs9().set_bit());
    half_period();
    port.moder()
        .modify(|_, w| w.moder8().alternate().moder9().alternate());
    configure();
}

impl Transfer {
    fn prepare(&mut self, address: u8, direction: Direction, length: usize) {
        self.address = address;
        self.direction = direction;
        self.length = length;
        self.position = 0;
        self.state = State::Running;
    }

    fn finish(&mut self, result: Result<(), BusError>) {
        disable_interrupts();
        self.state = State::Finished(result);
    }

    /// RM0402 section 24.3.3, for the controller.
    fn event(&mut self, i2c: &i2c1::RegisterBlock) {
        let status = i2c.sr1().read();
        if self.state != State::Running {
            disable_interrupts();
        } else if status.sb().bit_is_set() {
            let read_bit = u8::from(self.direction == Direction::Read);
            i2c.dr().write(|w| w.dr().set(self.address << 1 | read_bit));
        } else if status.addr().bit_is_set() {
            if self.direction == Direction::Read && self.length == READ_MIN {
                i2c.cr2().modify(|_, w| w.itbufen().clear_bit());
            }
            // Reading SR2 after SR1 clears ADDR.
            i2c.sr2().read();
        } else {
            match self.direction {
                Direction::Write => self.write_event(i2c, &status),
                Direction::Read => self.read_event(i2c, &status),
            }
        }
    }

    fn write_event(&mut self, i2c: &i2c1::RegisterBlock, status: &i2c1::sr1::R) {
        if self.position < self.length {
            if status.tx_e().bit_is_set() {
                i2c.dr().write(|w| w.dr().set(self.buffer[self.position]));
                self.position += 1;
                if self.position == self.length {
                    // The next event is the end of the last byte.
                    i2c.cr2().modify(|_, w| w.itbufen().clear_bit());
                }
            }
        } else if status.btf().bit_is_set() {
            i2c.cr1().modify(|_, w| w.stop().set_bit());
            self.finish(Ok(()));
        }
    }

    /// The last three bytes need care: the byte after which NACK and STOP go out must still be on
    /// its way when they are ordered. With two bytes waiting in DR and the shift register, the
    /// clock is stretched and there is all the time one needs.
    fn read_event(&mut self, i2c: &i2c1::RegisterBlock, status: &i2c1::sr1::R) {
        match self.length - self.position {
            3 if status.btf().bit_is_set() => {
                i2c.cr1().modify(|_, w| w.ack().clear_bit());
                self.take(i2c);
            }
            2 if status.btf().bit_is_set() => {
                i2c.cr1().modify(|_, w| w.stop().set_bit());
                self.take(i2c);
                self.take(i2c);
                self.finish(Ok(()));
            }
            4.. if status.rx_ne().bit_is_set() => {
                self.take(i2c);
                if self.length - self.position == READ_MIN {
                    i2c.cr2().modify(|_, w| w.itbufen().clear_bit());
                }
            }
            _ => {}
        }
    }

    fn take(&mut self, i2c: &i2c1::RegisterBlock) {
        self.buffer[self.position] = i2c.dr().read().dr().bits();
        self.position += 1;
    }

    fn error(&mut self, i2c: &i2c1::RegisterBlock) {
        let status = i2c.sr1().read();
        let result = if status.af().bit_is_set() {
            i2c.cr1().modify(|_, w| w.stop().set_bit());
            BusError::Nack
        } else {
            BusError::Stuck
        };
        // The error bits are cleared by writing zero; the others ignore what is written.
        i2c.sr1().reset();
        self.finish(Err(result));
    }
}

#[interrupt]
fn I2C1_EV() {
    with_transfer(|transfer| transfer.event(i2c()));
}

#[interrupt]
fn I2C1_ER() {
    with_transfer(|transfer| transfer.error(i2c()));
}
