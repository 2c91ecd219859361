//! The probe of `hil console --probe`: probe-rs' own driver, over a real socket, on the board that
//! a person has on the desk.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use az3166_runner::bench::Cancel;
use az3166_runner::firmware::FirmwareSource as _;
use az3166_runner::interactive::{Debugging, ProbeError, ProbeNews, ProbeServer, Session};
use az3166_runner::project;
use az3166_runner::targets::{EmulatorOptions, EmulatorTarget, UnmodelledPolicy, swd_cable};
use az3166_scenario::FirmwareVariant;
use probe_rs::probe::glasgow::GlasgowFactory;
use probe_rs::probe::list::Lister;
use probe_rs::probe::{DebugProbeSelector, ProbeFactory as _, WireProtocol};
use probe_rs::{MemoryInterface as _, Permissions};

use crate::images::{image, pattern};

const ANY_PORT: &str = "127.0.0.1:0";
const SOON: Duration = Duration::from_secs(60);

/// A desk: a board that runs as fast as it can, in a thread of its own as in a process of its own.
struct Desk {
    server: Option<ProbeServer>,
    stop: Arc<AtomicBool>,
    news: Vec<ProbeNews>,
    thread: Option<JoinHandle<Vec<u8>>>,
}

impl Desk {
    fn new() -> Self {
        let (cable, pins) = swd_cable();
        let server = ProbeServer::start(ANY_PORT.parse().unwrap(), cable.clone()).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let (tell, started) = channel();
        let thread = std::thread::spawn(move || {
            let wanted = BTreeSet::from([FirmwareVariant::Strict]);
            let firmware = project::of_checkout(&wanted).unwrap();
            let firmware = firmware.get(FirmwareVariant::Strict).unwrap();
            let options = EmulatorOptions {
                unmodelled: UnmodelledPolicy::Record,
                ..EmulatorOptions::seeded(0)
            };
            let target = Box::new(EmulatorTarget::new(&options).with_debugger(pins));
            let cancel = Cancel::default();
            let mut session =
                Session::new(target, &firmware, 0, cancel, Debugging::Possible).unwrap();
            session.start(None).unwrap();
            tell.send(()).unwrap();
            while !stopped.load(Ordering::SeqCst) {
                cable.wait_for_question(Duration::from_micros(200));
                let until = session.now() + Duration::from_millis(5);
                session.run_until(until).unwrap();
            }
            session.take_console()
        });
        started.recv().unwrap();
        Self {
            server: Some(server),
            stop,
            news: Vec::new(),
            thread: Some(thread),
        }
    }

    fn server(&self) -> &ProbeServer {
        self.server.as_ref().unwrap()
    }

    fn address(&self) -> SocketAddr {
        self.server().address()
    }

    fn selector(&self) -> DebugProbeSelector {
        self.server().selector().parse().unwrap()
    }

    fn attach(&self) -> probe_rs::Session {
        let mut probe = Lister::new().open(self.selector()).unwrap();
        probe.select_protocol(WireProtocol::Swd).unwrap();
        probe
            .attach("STM32F412RG", Permissions::new().allow_erase_all())
            .unwrap()
    }

    fn until_told(&mut self, what: &str, wanted: impl Fn(&ProbeNews) -> bool) {
        let started = Instant::now();
        while !self.news.iter().any(&wanted) {
            assert!(started.elapsed() < SOON, "never: {what}: {:?}", self.news);
            std::thread::sleep(Duration::from_millis(5));
            self.news.extend(self.server.as_ref().unwrap().take_news());
        }
    }

    /// Puts everything away; gives what the device has printed.
    fn clear(mut self) -> String {
        self.stop.store(true, Ordering::SeqCst);
        let console = self.thread.take().unwrap().join().unwrap();
        String::from_utf8(console).unwrap()
    }
}

#[test]
fn a_debugger_halts_steps_breaks_and_resets() {
    let mut desk = Desk::new();
    let mut session = desk.attach();
    let mut core = session.core(0).unwrap();
    let pc = core.program_counter().id();
    core.reset_and_halt(SOON).unwrap();
    let start: u32 = core.read_core_reg(pc).unwrap();
    let vector = core.read_word_32(4).unwrap();
    assert_eq!(start, vector & !1, "at the first instruction");
    core.step().unwrap();
    let second: u32 = core.read_core_reg(pc).unwrap();
    assert_ne!(second, start);
    core.reset_and_halt(SOON).unwrap();
    core.set_hw_breakpoint(u64::from(second)).unwrap();
    core.run().unwrap();
    core.wait_for_core_halted(SOON).unwrap();
    let at: u32 = core.read_core_reg(pc).unwrap();
    assert_eq!(at, second);
    core.clear_hw_breakpoint(u64::from(second)).unwrap();
    core.write_32(0x2002_0000, &[1, 2, 3, 4]).unwrap();
    let mut words = [0; 4];
    core.read_32(0x2002_0000, &mut words).unwrap();
    assert_eq!(words, [1, 2, 3, 4]);
    // A bus error is an answer, and the next access works.
    core.read_word_32(0x1000_0000).unwrap_err();
    core.read_word_32(0x2002_0000).unwrap();
    core.reset().unwrap();
    drop(core);
    drop(session);
    desk.until_told("a debugger has come", |it| {
        matches!(it, ProbeNews::Attached(_))
    });
    desk.until_told("and has gone", |it| matches!(it, ProbeNews::Left(_)));
    // The next one finds the probe free.
    drop(desk.attach());
    let printed = desk.clear();
    assert!(printed.matches("AZ3166 DevKit").count() >= 1, "{printed}");
}

#[test]
fn a_debugger_flashes_by_the_flash_algorithm() {
    let desk = Desk::new();
    let mut session = desk.attach();
    let content = pattern(7, 40_000);
    let image = image(0x0800_4000, &content);
    let mut loader = session.target().flash_loader();
    for segment in image.segments() {
        loader
            .add_data(u64::from(segment.address), &segment.bytes)
            .unwrap();
    }
    let mut options = probe_rs::flashing::DownloadOptions::default();
    options.verify = true;
    loader.commit(&mut session, options).unwrap();
    let mut bytes = vec![0; content.len()];
    session
        .core(0)
        .unwrap()
        .read(0x0800_4000, &mut bytes)
        .unwrap();
    assert!(bytes == content);
    drop(session);
    desk.clear();
}

#[test]
fn a_second_debugger_is_told_that_the_probe_is_in_use() {
    let mut desk = Desk::new();
    let session = desk.attach();
    for _ in 0..3 {
        // By its own driver: a list of all would tell of the last that failed.
        let error = GlasgowFactory.open(&desk.selector()).map(drop).unwrap_err();
        assert!(format!("{error:?}").contains("probe in use"), "{error:?}");
    }
    desk.until_told("the second was refused", |it| {
        matches!(it, ProbeNews::Refused(_))
    });
    drop(session);
    desk.until_told("the first has gone", |it| matches!(it, ProbeNews::Left(_)));
    drop(desk.attach());
    desk.clear();
}

#[test]
fn who_says_nothing_or_nonsense_is_put_out() {
    let mut desk = Desk::new();
    let silent = TcpStream::connect(desk.address()).unwrap();
    let says = |part: &'static str| move |it: &ProbeNews| matches!(it, ProbeNews::Dropped { reason, .. } if reason.contains(part));
    desk.until_told("the silent one is put out", says("has not said a word"));
    drop(silent);
    let mut rude = TcpStream::connect(desk.address()).unwrap();
    rude.write_all(b"GET / HTTP/1.1\r\n\r\n\0").unwrap();
    desk.until_told(
        "the rude one is put out",
        says("does not speak as probe-rs does"),
    );
    let mut rest = Vec::new();
    rude.set_read_timeout(Some(SOON)).unwrap();
    let _ = rude.read_to_end(&mut rest);
    assert!(rest.is_empty());
    drop(desk.attach());
    desk.clear();
}

/// An orderly end of the connection would have probe-rs 0.32 read nothing for ever.
#[test]
fn when_the_desk_is_cleared_a_debugger_hears_of_it_and_the_socket_is_gone() {
    let mut desk = Desk::new();
    let address = desk.address();
    let mut session = desk.attach();
    drop(desk.server.take());
    session
        .core(0)
        .and_then(|mut core| core.read_word_32(0x2000_0000))
        .unwrap_err();
    assert!(TcpStream::connect(address).is_err());
    drop(session);
    desk.clear();
}

#[test]
fn no_other_machine_reaches_the_probe() {
    let (cable, _pins) = swd_cable();
    let error = ProbeServer::start("0.0.0.0:0".parse().unwrap(), cable).unwrap_err();
    assert!(matches!(error, ProbeError::NotLoopback(_)), "{error}");
}
