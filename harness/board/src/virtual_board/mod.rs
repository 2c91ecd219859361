//! A board for tests and development where no hardware is at hand: the emulated DevKit in a
//! thread of its own, with a debug port and a console that a host reaches as it does a real one's.

mod console;
mod pace;
mod probe;
mod socket;

use core::time::Duration;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

pub use az3166_debug_port::Injection;
use az3166_debug_port::{DebugPort, Refusal, Request};
use az3166_emulator::{DevKit, DevKitConfig, Display, Power, ResetPin, Stop, UnmodelledPolicy};
use az3166_event::VirtualTime;
use az3166_stsafe::{Configuration, NvmImage, ReservedZones, SecureElement};

use console::Pty;
use pace::Clock;
pub use pace::Pace;
pub use probe::{VIRTUAL_PRODUCT, VIRTUAL_VENDOR};

/// How long the board runs before it looks whether a debugger wants something.
const SLICE: Duration = Duration::from_micros(200);
/// The most that it runs when a debugger asks for something and it is late: longer than a flash
/// page takes to program, so that a machine with much else to do meets probe-rs' time limits.
const LATE_SLICE: Duration = Duration::from_millis(10);
/// For how long a debugger that has asked for something is expected to ask again.
const ASKED: Duration = Duration::from_millis(1);
/// How long the thread rests when the board is up to date.
const REST: Duration = Duration::from_micros(200);

/// What distinguishes one virtual board from another.
#[derive(Clone, Debug)]
pub struct VirtualBoardConfig {
    /// The serial number of its probe.
    pub serial: String,
    /// The chip's 96-bit unique ID.
    pub uid: [u8; 12],
    /// Seed of its random number generator and of RAM's content after power-on.
    pub seed: u64,
    /// How fast its time runs.
    pub pace: Pace,
}

/// Whether the probe's USB plug is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plug {
    /// It is.
    In,
    /// It is not.
    Out,
}

/// A virtual board; it runs until it is dropped.
#[derive(Debug)]
pub struct VirtualBoard {
    shared: Arc<Shared>,
    console: String,
    threads: Vec<JoinHandle<()>>,
}

impl VirtualBoard {
    /// Starts a board: under power, its flash erased, its secure element as it left the factory.
    ///
    /// # Errors
    /// There is no pseudo-terminal or no thread to be had.
    pub fn start(config: VirtualBoardConfig) -> io::Result<Self> {
        let board = Self::start_without_probe(config)?;
        probe::publish(&board.shared);
        Ok(board)
    }

    /// Starts a board whose probe is somebody else's: what is wired to [`wire`](Self::wire).
    ///
    /// # Errors
    /// There is no pseudo-terminal or no thread to be had.
    pub fn start_without_probe(config: VirtualBoardConfig) -> io::Result<Self> {
        let mut random_seed = [0; 32];
        random_seed[..8].copy_from_slice(&config.seed.to_le_bytes());
        let chip = Configuration {
            random_seed,
            ..Configuration::default()
        };
        let mut kit = DevKit::new(DevKitConfig {
            uid: config.uid,
            seed: config.seed,
            secure_element: SecureElement::new(chip, NvmImage::devkit(ReservedZones::Absent)),
            display: Display::Present,
            unmodelled: UnmodelledPolicy::Record,
        });
        kit.set_power(Power::On);
        let pty = Pty::open()?;
        let console = pty.path().to_owned();
        let shared = Arc::new(Shared {
            serial: config.serial,
            stop: AtomicBool::new(false),
            claimed: AtomicBool::new(false),
            denied: AtomicBool::new(false),
            unplugged: AtomicBool::new(false),
            state: Mutex::new(State {
                kit,
                port: DebugPort::new(),
                clock: Clock::new(config.pace),
                asked_at: Instant::now(),
                pty: Some(pty),
            }),
        });
        let running = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("virtual board".into())
            .spawn(move || running.run())?;
        Ok(Self {
            shared,
            console,
            threads: vec![thread],
        })
    }

    /// The serial number of its probe.
    pub fn serial(&self) -> &str {
        &self.shared.serial
    }

    /// The path of its console.
    pub fn console_path(&self) -> &str {
        &self.console
    }

    /// Puts the probe on a Unix socket at `path`, for other processes, beside the one that
    /// probe-rs finds in this process.
    ///
    /// # Errors
    /// The socket cannot be made.
    pub fn serve_probe(&mut self, path: &Path) -> io::Result<()> {
        let thread = socket::serve(&self.shared, path)?;
        self.threads.push(thread);
        Ok(())
    }

    /// What a debug probe is wired to.
    pub fn wire(&self) -> Wire {
        Wire(Arc::clone(&self.shared))
    }

    /// Looks at the board, or changes it, behind everybody's back.
    pub fn with<T>(&self, look: impl FnOnce(&mut DevKit) -> T) -> T {
        look(&mut self.shared.lock().kit)
    }

    /// Makes trouble on the wire or on the bus.
    pub fn inject(&self, injection: Injection) {
        self.shared.lock().port.inject(injection);
    }

    /// Takes back all trouble that has not happened yet.
    pub fn clear_injections(&self) {
        self.shared.lock().port.clear_injections();
    }

    /// Removes or applies the supply.
    pub fn set_power(&self, power: Power) {
        let mut state = self.shared.lock();
        state.kit.set_power(power);
        state.port.power_on_reset();
    }

    /// Pulls the probe's USB plug or puts it back; the board keeps its power.
    pub fn set_plug(&self, plug: Plug) {
        let out = plug == Plug::Out;
        self.shared.unplugged.store(out, Ordering::SeqCst);
    }

    /// Takes the right to open the probe away from this user.
    pub fn deny_access(&self) {
        self.shared.denied.store(true, Ordering::SeqCst);
    }

    /// Takes the console away, as a pulled USB plug does.
    pub fn remove_console(&self) {
        self.shared.lock().pty = None;
    }

    /// Whether a host has the probe open.
    pub fn is_claimed(&self) -> bool {
        self.shared.claimed.load(Ordering::SeqCst)
    }
}

impl Drop for VirtualBoard {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// The wires between a board and its probe: SWDIO, SWCLK and NRST.
#[derive(Clone, Debug)]
pub struct Wire(Arc<Shared>);

impl Wire {
    /// Clocks the low `count` bits of `bits` out on SWDIO, the lowest first.
    pub fn clock(&self, bits: u64, count: u32) {
        self.0.request(|state| state.port.clock(bits, count));
    }

    /// One transfer.
    ///
    /// # Errors
    /// [`Refusal`], and nothing was done.
    pub fn transfer(&self, request: Request) -> Result<u32, Refusal> {
        self.0
            .request(|state| state.port.transfer(&mut state.kit, request))
    }

    /// Several transfers without a pause: `host` makes them through what it is given.
    pub fn transfers<T>(
        &self,
        host: impl FnOnce(&mut dyn FnMut(Request) -> Result<u32, Refusal>) -> T,
    ) -> T {
        self.0.request(|state| {
            let State { port, kit, .. } = state;
            host(&mut |request| port.transfer(kit, request))
        })
    }

    /// Holds the reset pin low, or lets it go.
    pub fn set_reset_pin(&self, level: ResetPin) {
        self.0.request(|state| state.kit.set_reset_pin(level));
    }
}

#[derive(Debug)]
struct Shared {
    serial: String,
    stop: AtomicBool,
    claimed: AtomicBool,
    denied: AtomicBool,
    unplugged: AtomicBool,
    state: Mutex<State>,
}

struct State {
    kit: DevKit,
    port: DebugPort,
    clock: Clock,
    /// When a debugger last asked for something.
    asked_at: Instant,
    pty: Option<Pty>,
}

impl core::fmt::Debug for State {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("State").finish_non_exhaustive()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something on the wire, at the instant that the board should have reached.
    fn request<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        state.catch_up(LATE_SLICE);
        state.asked_at = Instant::now();
        act(&mut state)
    }

    fn run(&self) {
        while !self.stop.load(Ordering::SeqCst) {
            let up_to_date = {
                let mut state = self.lock();
                // A debugger that asks again and again moves the board by that: two threads that
                // fight for the lock would be slow on a busy machine.
                let progress = match state.asked_at.elapsed() < ASKED {
                    true => Progress::UpToDate,
                    false => state.catch_up(SLICE),
                };
                state.serve_console();
                progress
            };
            match up_to_date {
                Progress::UpToDate => std::thread::sleep(REST),
                Progress::Behind => {}
            }
        }
    }
}

/// Whether the board has reached the instant that it should have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    UpToDate,
    Behind,
}

impl State {
    /// Lets the board run towards the present, for a slice at most while it is busy.
    fn catch_up(&mut self, longest: Duration) -> Progress {
        let now = self.kit.now();
        let due = self.clock.due(now);
        let rested = match self.kit.is_asleep() {
            true => self.kit.next_wake().unwrap_or(VirtualTime::MAX),
            false => now,
        };
        let late = Duration::from_nanos(due.as_nanos().saturating_sub(now.as_nanos()));
        let slice = (late / 4).clamp(SLICE.min(longest), longest);
        let until = due.min(rested.max(now) + slice);
        while self.kit.now() < until {
            let before = self.kit.now();
            let stop = self.kit.run_until(until);
            if self.kit.now() == before && stop == Stop::Deadline {
                break;
            }
        }
        // Nobody asks what happened inside of a board.
        drop(self.kit.drain_events());
        match until < due {
            true => Progress::Behind,
            false => Progress::UpToDate,
        }
    }

    fn serve_console(&mut self) {
        let printed = self.kit.console_take();
        if let Some(pty) = &mut self.pty {
            pty.print(&printed);
            let typed = pty.typed();
            pty.forget_exclusive_mode();
            if !typed.is_empty() {
                self.kit.console_send(&typed);
            }
        }
    }
}
