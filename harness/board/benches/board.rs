//! What a board costs: `cargo bench --package az3166-board`. The boards are virtual, in real time
//! where nothing else is said; USB is not part of the figures.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use az3166_board::virtual_board::{Pace, VirtualBoard, VirtualBoardConfig};
use az3166_board::{
    BoardAddress, BoardConfig, BoardTarget, BootloaderPolicy, ChipUid, ConsoleAddress, TakeOver,
};
use az3166_event::Verdict;
use az3166_runner::bench::Cancel;
use az3166_runner::firmware::{FirmwareSet, FirmwareSource as _};
use az3166_runner::project::of_checkout;
use az3166_runner::retry::Retries;
use az3166_runner::suite::{Suite, TargetFactory};
use az3166_runner::targets::{EmulatorOptions, EmulatorTarget};
use az3166_scenario::{FirmwareVariant, Source, parse};
use az3166_target::{PowerState, Rtt, Target as _, TargetMemory as _};
use tempfile::TempDir;

type Outcome<T> = Result<T, Box<dyn Error>>;

const PROVISION: &str = include_str!("../../../scenarios/basics/any-board.yaml");
const UID: [u8; 12] = *b"a bench here";

struct Desk {
    board: VirtualBoard,
    config: BoardConfig,
    _folder: TempDir,
}

impl Desk {
    fn new(serial: &str, factor: u32) -> Outcome<Self> {
        let board = VirtualBoard::start(VirtualBoardConfig {
            serial: serial.into(),
            uid: UID,
            seed: 1,
            pace: Pace::times(NonZeroU32::new(factor).ok_or("no pace")?),
        })?;
        let folder = TempDir::new()?;
        let config = BoardConfig {
            id: serial.to_ascii_lowercase(),
            address: BoardAddress {
                serial: serial.into(),
                chip: "STM32F412RG".into(),
                speed_khz: None,
            },
            uid: ChipUid(UID),
            console: ConsoleAddress::Path(board.console_path().into()),
            backup: folder.path().join("original.bin"),
            take_over: TakeOver::Allowed,
            bootloader: BootloaderPolicy::Keep,
            time_factor: factor,
        };
        Ok(Self {
            board,
            config,
            _folder: folder,
        })
    }

    fn target(&self) -> Outcome<BoardTarget> {
        Ok(BoardTarget::open(self.config.clone(), None)?)
    }
}

fn main() -> Outcome<()> {
    let firmware = of_checkout(&BTreeSet::from([FirmwareVariant::Strict]))?;
    // The list of chips is read once a process.
    drop(Desk::new("WARM", 1)?.target()?);
    flash(&firmware)?;
    rtt()?;
    provision(&firmware)
}

fn flash(firmware: &FirmwareSet) -> Outcome<()> {
    let strict = firmware.get(FirmwareVariant::Strict)?;
    let images = strict.images();
    let bytes: usize = images
        .iter()
        .flat_map(|image| image.segments())
        .map(|segment| segment.bytes.len())
        .sum();
    for factor in [1, 10] {
        let desk = Desk::new(&format!("FLASH{factor}"), factor)?;
        let started = Instant::now();
        let mut target = desk.target()?;
        let attached = started.elapsed();
        // The first use saves the flash: not part of the figure.
        std::fs::write(&desk.config.backup, [])?;
        let started = Instant::now();
        target.load(&images)?;
        let written = started.elapsed();
        let started = Instant::now();
        target.load(&images)?;
        let compared = started.elapsed();
        println!(
            "pace {factor:2}: attach {}, flash and verify {bytes} bytes {}, compare only {}",
            ms(attached),
            ms(written),
            ms(compared)
        );
    }
    Ok(())
}

/// A program that keeps its ring full, and a host that empties it as fast as it can.
fn rtt() -> Outcome<()> {
    const BLOCK: u32 = 0x2000_0100;
    const NAME: u32 = 0x2000_0010;
    const UP: u32 = 0x2000_1000;
    const SIZE: u32 = 1024;
    #[rustfmt::skip]
    const CODE: [u16; 16] = [
        0x1000, 0x2000, 0x0009, 0x0800, // stack, reset vector
        0x4803, 0x4A04,                 // ldr r0, =&WrOff; ldr r2, =SIZE - 1
        0x6841, 0x3901, 0xD500, 0x0011, // ldr r1, [r0, #4]; subs r1, #1; bpl +0; movs r1, r2
        0x6001, 0xE7F9,                 // str r1, [r0]; b
        0x0124, 0x2000,                 // &WrOff
        0x03FF, 0x0000,                 // SIZE - 1
    ];
    let desk = Desk::new("RTT", 1)?;
    let code: Vec<u8> = CODE.iter().flat_map(|half| half.to_le_bytes()).collect();
    desk.board.with(|kit| kit.program(0x0800_0000, &code))?;
    let mut target = desk.target()?;
    target.power(PowerState::On)?;
    let words = [
        1,
        1,
        NAME,
        UP,
        SIZE,
        0,
        0,
        0,
        NAME,
        UP + SIZE,
        SIZE,
        0,
        0,
        0,
    ];
    let words: Vec<u8> = words
        .iter()
        .flat_map(|word: &u32| word.to_le_bytes())
        .collect();
    target.write_memory(NAME, b"hil-link\0")?;
    target.write_memory(
        BLOCK,
        &[b"SEGGER RTT\0\0\0\0\0\0".as_slice(), &words].concat(),
    )?;
    target.run_until(target.now() + Duration::from_millis(1))?;
    let rtt = Rtt::attach(&mut target, BLOCK, "hil-link")?.ok_or("no channel")?;
    let started = Instant::now();
    let (mut bytes, mut polls) = (0, 0);
    while started.elapsed() < Duration::from_secs(2) {
        bytes += rtt.read(&mut target)?.len();
        polls += 1;
    }
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "RTT up, ring of {SIZE}: {:.0} kB/s, {:.0} polls/s",
        bytes as f64 / seconds / 1e3,
        f64::from(polls) / seconds
    );
    Ok(())
}

fn provision(firmware: &FirmwareSet) -> Outcome<()> {
    let emulator = timed(firmware, &|seed| {
        Ok(Box::new(EmulatorTarget::new(&EmulatorOptions::seeded(
            seed,
        ))))
    })?;
    println!("provision on the emulator               {}", ms(emulator));
    for factor in [1, 10] {
        let desk = Desk::new(&format!("PROVISION{factor}"), factor)?;
        for what in ["first", "again"] {
            let time = timed(firmware, &|_| {
                Ok(Box::new(BoardTarget::open(desk.config.clone(), None)?))
            })?;
            println!("provision on a board, pace {factor:2}, {what} {}", ms(time));
        }
    }
    for boards in [1, 4] {
        let desks: Vec<Desk> = (0..boards)
            .map(|number| Desk::new(&format!("SIDE{number}"), 4))
            .collect::<Outcome<_>>()?;
        let started = Instant::now();
        std::thread::scope(|scope| {
            for desk in &desks {
                scope.spawn(|| {
                    let run = timed(firmware, &|_| {
                        Ok(Box::new(BoardTarget::open(desk.config.clone(), None)?))
                    });
                    if let Err(error) = run {
                        println!("{}: {error}", desk.config.id);
                    }
                });
            }
        });
        println!(
            "{boards} boards side by side, pace 4          {}",
            ms(started.elapsed())
        );
    }
    Ok(())
}

fn timed(firmware: &FirmwareSet, target: &TargetFactory<'_>) -> Result<Duration, String> {
    let file = parse(&Source::new("bench.yaml", PROVISION), &BTreeMap::new())
        .map_err(|mistakes| mistakes.iter().map(|it| it.message()).collect::<String>())?;
    let suite = Suite {
        target,
        target_name: "bench",
        cloud: az3166_runner::outside::CloudChoice::Local,
        firmware,
        seed: 0,
        jobs: 1,
        retries: Retries::default(),
        cancel: Cancel::default(),
    };
    let scenario = file.scenarios.first().ok_or("no scenario")?;
    let started = Instant::now();
    let result = suite.run_one(scenario, &|_| {});
    match result.verdict {
        Verdict::Passed => Ok(started.elapsed()),
        other => Err(format!("{other:?}")),
    }
}

fn ms(time: Duration) -> String {
    format!("{:7.0} ms", time.as_secs_f64() * 1e3)
}
