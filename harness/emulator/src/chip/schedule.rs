//! What happens by itself, and when.

use az3166_event::VirtualTime;

use super::{Chip, Halt, interrupt};
use crate::board::{self, framing};
use crate::bus::{Cycle, InterruptLines};

impl Chip {
    /// Recomputes what is cached, after anything may have changed.
    pub(crate) fn refresh(&mut self) {
        self.deadline = self.timebase.cycle_at(self.next_deadline());
        self.lines = self.compute_lines();
    }

    fn next_deadline(&self) -> VirtualTime {
        let usarts = self.usart.iter().map(|usart| usart.deadline());
        let i2cs = self.i2c.iter().map(|i2c| i2c.deadline());
        let timers = self.timer.iter().map(|timer| timer.deadline());
        let others = [
            self.rcc.deadline(),
            self.flash.deadline(self.now),
            self.rng.deadline(self.now),
            self.iwdg.deadline(),
            self.console.deadline(),
            self.bus
                .secure_element
                .next_deadline()
                .unwrap_or(VirtualTime::MAX),
        ];
        usarts
            .chain(i2cs)
            .chain(timers)
            .chain(others)
            .min()
            .unwrap_or(VirtualTime::MAX)
    }

    fn compute_lines(&self) -> InterruptLines {
        let mut lines = self.exti.interrupts();
        let mut set = |high: bool, irq: u32| {
            if high {
                lines |= 1 << irq;
            }
        };
        set(self.flash.interrupt(self.now), interrupt::FLASH);
        set(self.rcc.interrupt(), interrupt::RCC);
        set(self.rng.interrupt(self.now), interrupt::RNG);
        for (usart, irq) in self.usart.iter().zip(interrupt::USART) {
            set(usart.interrupt(), irq);
        }
        for (index, i2c) in self.i2c.iter().enumerate() {
            set(i2c.event_interrupt(), interrupt::I2C_EVENT[index]);
            set(i2c.error_interrupt(), interrupt::I2C_ERROR[index]);
        }
        for (timer, irq) in self.timer.iter().zip(interrupt::TIMER) {
            set(timer.interrupt(), irq);
        }
        lines
    }

    /// Lets everything due at `now`, which is at `cycle`, happen.
    pub(super) fn happen(&mut self, cycle: Cycle, now: VirtualTime) {
        self.now = now;
        if self.rcc.deadline() <= now {
            self.rcc.service(now);
            self.clocks_may_have_changed(cycle, now);
        }
        for timer in &mut self.timer {
            if timer.deadline() <= now {
                timer.service(now);
            }
        }
        self.console_input(now);
        for usart in &mut self.usart {
            usart.service(now);
        }
        self.console_output();
        self.i2c_happens(now);
        self.bus.secure_element.advance(now);
        self.check_power_cut();
        if self.iwdg.deadline() <= now {
            self.halt = Some(Halt::Watchdog);
        }
    }

    fn console_input(&mut self, now: VirtualTime) {
        while let Some((byte, at)) = self.console.arrived(now) {
            if self.is_routed(board::CONSOLE_RX, board::CONSOLE_AF) {
                let framing = framing(self.usart[2].baud_rate());
                self.usart[2].receive(byte, framing, at);
            }
        }
    }

    fn console_output(&mut self) {
        let [usart1, usart2, usart6] = &mut self.usart;
        // Nothing on the board listens to the other two.
        drop((usart1.take_sent(), usart2.take_sent()));
        let sent = usart6.take_sent();
        let baud = usart6.baud_rate();
        if !sent.is_empty() && self.is_routed(board::CONSOLE_TX, board::CONSOLE_AF) {
            self.console.receive(&sent, baud);
        }
    }

    fn i2c_happens(&mut self, now: VirtualTime) {
        let wired = self.i2c1_is_wired();
        let [i2c1, others @ ..] = &mut self.i2c;
        if wired {
            i2c1.service(now, &mut self.bus);
        } else {
            i2c1.service(now, &mut board::Unconnected);
        }
        for i2c in others {
            i2c.service(now, &mut board::Unconnected);
        }
    }

    /// After RCC changed: the parts follow the clock tree, and the processor learns of a new HCLK.
    pub(super) fn clocks_may_have_changed(&mut self, cycle: Cycle, now: VirtualTime) {
        let before = self.clocks.hclk;
        self.apply_clocks(now);
        if self.clocks.hclk != before {
            self.timebase.rebase(cycle, now, self.clocks.hclk);
            self.halt.get_or_insert(Halt::ClockChanged);
        }
    }
}
