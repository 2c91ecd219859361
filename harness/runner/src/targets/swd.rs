//! The emulated chip's debug pins (SWDIO, SWCLK and NRST) in reach of another thread: a debugger
//! asks there, and the board answers between two slices of its own time.

use core::time::Duration;
use std::collections::VecDeque;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use az3166_debug_port::{DebugPort, Glasgow, GlasgowError, Refusal, Request, Swd};
use az3166_emulator::{DevKit, ResetPin};

/// How long the board waits for a debugger that was just answered: the next question is on its way.
const NEXT: Duration = Duration::from_micros(100);
/// How long a transfer takes on the wire: 46 bits at 4.6 MHz. A core that was told to step has done
/// so by the next one.
const TRANSFER: Duration = Duration::from_micros(10);
/// For how long a debugger may keep the board from everything else.
const TURN: Duration = Duration::from_millis(2);

/// Makes a cable: the debugger's end and the board's.
pub fn swd_cable() -> (SwdCable, SwdPins) {
    let queue = Arc::new(Queue::default());
    let pins = SwdPins {
        queue: Arc::clone(&queue),
        port: DebugPort::new(),
        probe: Glasgow::default(),
    };
    (SwdCable(queue), pins)
}

/// Why the board has not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CableError {
    /// {0}
    #[error(transparent)]
    Protocol(#[from] GlasgowError),
    /// the board has not answered within {0} s
    #[error("the board has not answered within {0} s")]
    Silent(u64),
    /// the board is gone
    #[error("the board is gone")]
    Gone,
}

/// The debugger's end of the cable.
#[derive(Clone, Debug)]
pub struct SwdCable(Arc<Queue>);

impl SwdCable {
    /// Plugs a probe in: what one before has left unfinished is forgotten.
    pub fn plug_in(&self) {
        self.0.push(Order::PlugIn);
    }

    /// Pulls the probe off: nothing holds the reset pin any more.
    pub fn pull(&self) {
        self.0.push(Order::Pull);
    }

    /// Has the board take `bytes` of the probe's protocol, and gives those of its answer.
    ///
    /// # Errors
    /// [`CableError`]: close the connection.
    pub fn ask(&self, bytes: &[u8], patience: Duration) -> Result<Vec<u8>, CableError> {
        let (answer, answered) = sync_channel(1);
        self.0.push(Order::Bytes(bytes.to_vec(), answer));
        match answered.recv_timeout(patience) {
            Ok(answer) => Ok(answer?),
            Err(RecvTimeoutError::Timeout) => Err(CableError::Silent(patience.as_secs())),
            Err(RecvTimeoutError::Disconnected) => Err(CableError::Gone),
        }
    }

    /// Waits until something was asked that the board has not looked at, for `patience` at most.
    pub fn wait_for_question(&self, patience: Duration) {
        let state = self.0.lock();
        let idle = |state: &mut State| state.orders.is_empty() && !state.is_closed;
        drop(self.0.came.wait_timeout_while(state, patience, idle));
    }
}

/// The board's end of the cable.
#[derive(Debug)]
pub struct SwdPins {
    queue: Arc<Queue>,
    port: DebugPort,
    probe: Glasgow,
}

impl SwdPins {
    /// Answers what was asked.
    pub(super) fn attend(&mut self, kit: &mut DevKit) {
        let started = Instant::now();
        let mut patience = Duration::ZERO;
        while let Some(order) = self.queue.next(patience) {
            self.obey(order, kit);
            if started.elapsed() > TURN {
                return;
            }
            patience = NEXT;
        }
    }

    fn obey(&mut self, order: Order, kit: &mut DevKit) {
        match order {
            Order::PlugIn => self.probe = Glasgow::default(),
            Order::Pull => kit.set_reset_pin(ResetPin::Released),
            Order::Bytes(bytes, answer) => {
                let port = &mut self.port;
                let said = self.probe.receive(&bytes, &mut Pins { port, kit });
                // Whoever asked may have given up.
                let _ = answer.send(said);
            }
        }
    }

    /// The chip's power came back.
    pub(super) fn power_on_reset(&mut self) {
        self.port.power_on_reset();
    }
}

impl Drop for SwdPins {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        state.is_closed = true;
        // Who waits for an answer learns that none will come.
        state.orders.clear();
        self.queue.came.notify_all();
    }
}

/// The pins while the board stands still.
struct Pins<'a> {
    port: &'a mut DebugPort,
    kit: &'a mut DevKit,
}

impl Swd for Pins<'_> {
    fn clock(&mut self, bits: u64, count: u32) {
        self.port.clock(bits, count);
    }

    fn transfer(&mut self, request: Request) -> Result<u32, Refusal> {
        let answer = self.port.transfer(self.kit, request);
        // Whatever stops the board on the way is an event too.
        let _ = self.kit.run_until(self.kit.now() + TRANSFER);
        answer
    }

    fn set_reset_pin(&mut self, level: ResetPin) {
        self.kit.set_reset_pin(level);
    }
}

#[derive(Debug)]
enum Order {
    PlugIn,
    Pull,
    Bytes(Vec<u8>, SyncSender<Result<Vec<u8>, GlasgowError>>),
}

#[derive(Debug, Default)]
struct State {
    orders: VecDeque<Order>,
    is_closed: bool,
}

#[derive(Debug, Default)]
struct Queue {
    state: Mutex<State>,
    came: Condvar,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, order: Order) {
        let mut state = self.lock();
        if !state.is_closed {
            state.orders.push_back(order);
            self.came.notify_all();
        }
    }

    fn next(&self, patience: Duration) -> Option<Order> {
        let state = self.lock();
        let idle = |state: &mut State| state.orders.is_empty();
        let waited = self.came.wait_timeout_while(state, patience, idle);
        waited
            .unwrap_or_else(PoisonError::into_inner)
            .0
            .orders
            .pop_front()
    }
}
