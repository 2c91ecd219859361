//! The STM32F412 less its processor: the bus, the peripherals and the board on their pins.

mod access;
pub mod interrupt;
mod map;
mod schedule;

pub use map::{BLOCKS, Block, Place, Unit, place};

use az3166_event::{MachineEvent, Payload, VirtualTime};
use az3166_stsafe::{Power, PowerCut};

use crate::board::{self, BoardBus, Button, Console, Led, Leds, Pin, Port};
use crate::bus::{Cycle, InterruptLines};
use crate::clock::Timebase;
use crate::peripheral::crc::Crc;
use crate::peripheral::dbgmcu::Dbgmcu;
use crate::peripheral::exti::Exti;
use crate::peripheral::flash::Flash;
use crate::peripheral::gpio::{self, Gpio, Mode, Outside};
use crate::peripheral::i2c::{I2c, Lines as _};
use crate::peripheral::iwdg::Iwdg;
use crate::peripheral::pwr::Pwr;
use crate::peripheral::rcc::{Clocks, LSI, Rcc, ResetCause};
use crate::peripheral::rng::Rng;
use crate::peripheral::rtc::Rtc;
use crate::peripheral::syscfg::Syscfg;
use crate::peripheral::timer::{self, Timer};
use crate::peripheral::usart::Usart;

/// What happens when software touches a register that the model does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnmodelledPolicy {
    /// An event, and the run stops there.
    #[default]
    Stop,
    /// An event; a read gives 0, a write does nothing, and the run goes on.
    Record,
}

/// Why the bus wants the processor to stop.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Halt {
    /// HCLK is another one: the caller's deadline in cycles is stale.
    ClockChanged,
    /// The watchdog was not fed.
    Watchdog,
    /// A fault of the secure element cuts the board's power.
    PowerCut,
    /// An access without a model: the event that describes it.
    Unmodelled(MachineEvent),
}

/// What the core does, as far as peripherals see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CoreState {
    /// It runs, sleeps or has locked up.
    Running,
    /// A debugger has halted it.
    Halted,
}

/// The chip and its board.
#[derive(Clone)]
pub struct Chip {
    timebase: Timebase,
    /// The instant of the last access or event.
    now: VirtualTime,
    clocks: Clocks,
    uid: [u8; 12],
    rcc: Rcc,
    flash: Flash,
    pwr: Pwr,
    gpio: [Gpio; 6],
    exti: Exti,
    syscfg: Syscfg,
    /// USART1, USART2, USART6.
    usart: [Usart; 3],
    i2c: [I2c; 3],
    /// TIM2..TIM5, TIM9..TIM11.
    timer: [Timer; 7],
    rng: Rng,
    iwdg: Iwdg,
    rtc: Rtc,
    dbgmcu: Dbgmcu,
    crc: Crc,
    bus: BoardBus,
    console: Console,
    leds: Leds,
    policy: UnmodelledPolicy,
    halt: Option<Halt>,
    events: Vec<(VirtualTime, Payload)>,
    /// Peripherals that were touched without their clock since the last reset.
    unclocked: Vec<&'static str>,
    /// Cached: the earliest deadline of all.
    deadline: Cycle,
    /// Cached: the interrupt lines.
    lines: InterruptLines,
}

impl Chip {
    /// A chip after its first power-on reset.
    pub(crate) fn new(uid: [u8; 12], seed: u64, bus: BoardBus, policy: UnmodelledPolicy) -> Self {
        let rcc = Rcc::new();
        let clocks = rcc.clocks();
        let timers = [
            timer::REGISTERS_WIDE,
            timer::REGISTERS_NARROW,
            timer::REGISTERS_NARROW,
            timer::REGISTERS_WIDE,
            timer::REGISTERS_TWO_CHANNELS,
            timer::REGISTERS_ONE_CHANNEL,
            timer::REGISTERS_ONE_CHANNEL,
        ];
        let mut chip = Self {
            timebase: Timebase::new(clocks.hclk),
            now: VirtualTime::ZERO,
            clocks,
            uid,
            rcc,
            flash: Flash::new(),
            pwr: Pwr::new(VirtualTime::ZERO),
            gpio: Port::ALL.map(|port| {
                let table = match port {
                    Port::A => gpio::REGISTERS_A,
                    Port::B => gpio::REGISTERS_B,
                    _ => gpio::REGISTERS,
                };
                Gpio::new(table, core::array::from_fn(|pin| board::at_rest(port, pin)))
            }),
            exti: Exti::default(),
            syscfg: Syscfg::default(),
            usart: [clocks.pclk2, clocks.pclk1, clocks.pclk2].map(Usart::new),
            i2c: [clocks.pclk1; 3].map(I2c::new),
            timer: timers.map(|table| Timer::new(table, clocks.timers1)),
            rng: Rng::new(seed),
            iwdg: Iwdg::new(LSI),
            rtc: Rtc::new(),
            dbgmcu: Dbgmcu::default(),
            crc: Crc::new(),
            bus,
            console: Console::default(),
            leds: Leds::default(),
            policy,
            halt: None,
            events: Vec::new(),
            unclocked: Vec::new(),
            deadline: Cycle::MAX,
            lines: 0,
        };
        chip.refresh();
        chip
    }

    /// Resets the chip at `cycle`, which is at `now`. RAM, the backup domain and the board stay,
    /// but for what hangs on the pins, which float.
    pub(crate) fn reset(&mut self, cause: ResetCause, cycle: Cycle, now: VirtualTime) {
        self.now = now;
        self.rcc.reset(cause);
        if cause == ResetCause::PowerOn {
            self.rtc = Rtc::new();
            self.dbgmcu = Dbgmcu::default();
        }
        self.rtc.system_reset();
        self.flash.reset();
        self.pwr = Pwr::new(now);
        self.syscfg = Syscfg::default();
        self.crc = Crc::new();
        self.iwdg = Iwdg::new(LSI);
        self.rng.reset();
        self.exti.reset();
        self.gpio.iter_mut().for_each(Gpio::reset);
        self.usart.iter_mut().for_each(Usart::reset);
        self.i2c.iter_mut().for_each(I2c::reset);
        self.timer.iter_mut().for_each(Timer::reset);
        self.unclocked.clear();
        self.halt = None;
        self.apply_clocks(now);
        self.timebase.rebase(cycle, now, self.clocks.hclk);
        self.pins_changed(now);
        self.record(
            now,
            MachineEvent::Reset {
                cause: cause.name().into(),
            },
        );
        self.refresh();
    }

    /// Tells the peripherals that a debugger can stop whether the core is halted now.
    pub(crate) fn core_is(&mut self, core: CoreState, now: VirtualTime) {
        match core {
            CoreState::Halted if self.dbgmcu.stops_iwdg() => self.iwdg.freeze(now),
            CoreState::Halted | CoreState::Running => self.iwdg.thaw(now),
        }
    }

    /// The relation of cycles and time.
    pub(crate) fn timebase(&self) -> &Timebase {
        &self.timebase
    }

    /// Moves `cycle` to `now`: time went on while the processor had no power.
    pub(crate) fn rebase(&mut self, cycle: Cycle, now: VirtualTime) {
        self.now = now;
        self.timebase.rebase(cycle, now, self.clocks.hclk);
        self.refresh();
    }

    /// Puts the clock tree into the state that a bootloader leaves: SYSCLK from the PLL.
    pub(crate) fn leave_pll_running(&mut self, pllcfgr: u32, cycle: Cycle, now: VirtualTime) {
        self.rcc.leave_pll_running(pllcfgr);
        self.apply_clocks(now);
        self.rebase(cycle, now);
    }

    /// All that lives on the supply goes: the secure element, the display, the console's bytes.
    pub(crate) fn lose_power(&mut self, now: VirtualTime) {
        self.bus.secure_element.set_power(now, Power::Off);
        self.bus.display = None;
        self.bus.release();
        self.console.cut();
        self.halt = None;
    }

    /// Changes the policy; gives the old one.
    pub(crate) fn set_policy(&mut self, policy: UnmodelledPolicy) -> UnmodelledPolicy {
        core::mem::replace(&mut self.policy, policy)
    }

    pub(crate) fn set_halt(&mut self, halt: Halt) {
        self.halt = Some(halt);
    }

    pub(crate) fn take_halt(&mut self) -> Option<Halt> {
        self.halt.take()
    }

    pub(crate) fn record(&mut self, now: VirtualTime, event: MachineEvent) {
        self.events.push((now, Payload::Machine(event)));
    }

    /// The events of the chip, its board and the secure element since the last call, by time.
    pub(crate) fn drain_events(&mut self) -> Vec<(VirtualTime, Payload)> {
        let mut events = core::mem::take(&mut self.events);
        let element = self.bus.secure_element.drain_events();
        events.extend(
            element
                .into_iter()
                .map(|(at, event)| (at, Payload::SecureElement(event))),
        );
        events.sort_by_key(|(at, _)| *at);
        events
    }

    /// The board's I2C bus with its devices.
    pub fn bus(&self) -> &BoardBus {
        &self.bus
    }

    /// The board's I2C bus; follow a change by [`Chip::outside_changed`].
    pub(crate) fn bus_mut(&mut self) -> &mut BoardBus {
        &mut self.bus
    }

    /// The far end of the console line; follow a change by [`Chip::outside_changed`].
    pub(crate) fn console_mut(&mut self) -> &mut Console {
        &mut self.console
    }

    /// Whether bytes are still on their way to the device.
    pub(crate) fn console_is_idle(&self) -> bool {
        self.console.is_idle()
    }

    /// Write-protects flash sectors by the option bytes.
    pub(crate) fn protect_sectors(&mut self, sectors: u16) {
        self.flash.protect(sectors);
    }

    /// The random number generator, to inject faults.
    pub(crate) fn rng_mut(&mut self) -> &mut Rng {
        &mut self.rng
    }

    /// An I2C interface (0 is I2C1), to inject faults.
    pub(crate) fn i2c_mut(&mut self, index: usize) -> &mut I2c {
        &mut self.i2c[index]
    }

    /// How bright the LEDs are.
    pub fn leds(&self) -> Leds {
        self.leds
    }

    /// Something outside the chip changed at `now`.
    pub(crate) fn outside_changed(&mut self, now: VirtualTime) {
        self.now = now;
        self.pins_changed(now);
        self.refresh();
    }

    /// Presses a button or lets it go.
    pub(crate) fn set_button(&mut self, button: Button, pressed: bool, now: VirtualTime) {
        let pin = button.pin();
        let outside = if pressed {
            Outside::Low
        } else {
            board::at_rest(pin.port, pin.number)
        };
        self.gpio[pin.port as usize].connect(pin.number, outside);
        self.outside_changed(now);
    }

    fn port(&self, pin: Pin) -> &Gpio {
        &self.gpio[pin.port as usize]
    }

    /// Whether a pin is given to an alternate function.
    fn is_routed(&self, pin: Pin, function: u8) -> bool {
        self.port(pin).mode(pin.number) == Mode::Alternate(function)
    }

    fn i2c1_is_wired(&self) -> bool {
        [board::SCL, board::SDA]
            .iter()
            .all(|pin| self.is_routed(*pin, board::I2C_AF))
    }

    /// Lets the board follow the levels of the pins, and EXTI the ports that it watches.
    fn pins_changed(&mut self, now: VirtualTime) {
        let pin = board::SECURE_ELEMENT_POWER;
        let power = if self.port(pin).level(pin.number) {
            Power::On
        } else {
            Power::Off
        };
        self.bus.secure_element.set_power(now, power);
        let scl = board::SCL;
        let clock = self.port(scl).level(scl.number);
        self.bus.set_scl(clock);
        let sda = board::SDA;
        let outside = if self.bus.is_held_low() {
            Outside::Low
        } else {
            board::at_rest(sda.port, sda.number)
        };
        self.gpio[sda.port as usize].connect(sda.number, outside);
        if self.i2c1_is_wired() {
            self.i2c[0].lines_changed(now, &mut self.bus);
        }
        let levels = self.gpio.each_ref().map(Gpio::levels);
        let watched = (0..16).fold(0, |watched, line| {
            let level = match self.syscfg.exti_port(line) {
                port @ 0..=4 => levels[port] >> line & 1,
                7 => levels[5] >> line & 1,
                _ => 0,
            };
            watched | level << line
        });
        self.exti.set_levels(watched);
        self.leds_changed(now);
    }

    fn leds_changed(&mut self, now: VirtualTime) {
        let leds = Leds::measure(|led| self.brightness(led));
        let switched: Vec<_> = self.leds.switched(leds).collect();
        self.leds = leds;
        for (led, on) in switched {
            let led = led.name().into();
            self.record(now, MachineEvent::Led { led, on });
        }
    }

    fn brightness(&self, led: Led) -> u8 {
        let pin = led.pin();
        let port = self.port(pin);
        match (port.mode(pin.number), led.dimmer()) {
            (Mode::Output, _) if port.level(pin.number) => u8::MAX,
            (Mode::Alternate(function), Some((timer, channel, wanted))) if function == wanted => {
                let (high, period) = self.timer[timer - 2].duty(channel);
                u8::try_from(high * 255 / period.max(1)).unwrap_or(u8::MAX)
            }
            _ => 0,
        }
    }

    /// Lets every part follow the clock tree.
    fn apply_clocks(&mut self, now: VirtualTime) {
        let clocks = self.rcc.clocks();
        self.clocks = clocks;
        for (index, timer) in self.timer.iter_mut().enumerate() {
            let clock = if index < 4 {
                clocks.timers1
            } else {
                clocks.timers2
            };
            timer.set_clock(now, clock);
        }
        let [usart1, usart2, usart6] = &mut self.usart;
        usart1.set_clock(clocks.pclk2);
        usart2.set_clock(clocks.pclk1);
        usart6.set_clock(clocks.pclk2);
        for i2c in &mut self.i2c {
            i2c.set_clock(clocks.pclk1);
        }
        let rtc = clocks.rtc.filter(|_| self.rcc.rtc_enabled());
        self.rtc.set_clock(now, rtc);
    }

    fn check_power_cut(&mut self) {
        if self.bus.secure_element.take_power_cut() == PowerCut::Due {
            self.halt = Some(Halt::PowerCut);
        }
    }
}
