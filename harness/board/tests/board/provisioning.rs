//! A whole scenario on the board, judged as on the emulator.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock};

use az3166_board::{BoardTarget, WriteCounter};
use az3166_event::{ConsoleEvent, NetworkEvent, Payload, ScenarioResult, Verdict};
use az3166_runner::bench::Cancel;
use az3166_runner::firmware::{Firmware, FirmwareSet, FirmwareSource};
use az3166_runner::project;
use az3166_runner::retry::Retries;
use az3166_runner::steps::StepError;
use az3166_runner::suite::{Suite, TargetFactory};
use az3166_runner::targets::{EmulatorOptions, EmulatorTarget};
use az3166_scenario::{FirmwareVariant, Source, parse};
use rstest::rstest;

use crate::control_block::{NAME, control_block};
use crate::running::{FLASH, LOOP};
use crate::support::{Bench, RAM, image_with_symbol, program};

const SCENARIO: &str = include_str!("../../../../scenarios/basics/any-board.yaml");

pub fn firmware() -> &'static FirmwareSet {
    static FIRMWARE: OnceLock<FirmwareSet> = OnceLock::new();
    FIRMWARE
        .get_or_init(|| project::of_checkout(&BTreeSet::from([FirmwareVariant::Strict])).unwrap())
}

pub fn run(text: &str, target: &TargetFactory<'_>) -> ScenarioResult {
    run_with(firmware(), text, Cancel::default(), target)
}

pub fn run_with(
    firmware: &dyn FirmwareSource,
    text: &str,
    cancel: Cancel,
    target: &TargetFactory<'_>,
) -> ScenarioResult {
    let file = parse(&Source::new("test.yaml", text), &BTreeMap::new())
        .map_err(|mistakes| mistakes[0].message().to_owned())
        .unwrap();
    let suite = Suite {
        target,
        target_name: "test",
        cloud: az3166_runner::outside::CloudChoice::Local,
        firmware,
        seed: 0,
        jobs: 1,
        retries: Retries::default(),
        cancel,
    };
    suite.run_one(&file.scenarios[0], &|_| {})
}

#[derive(Clone, Default)]
struct Writes(Arc<Mutex<Vec<u8>>>, Arc<Mutex<BTreeMap<String, String>>>);

impl WriteCounter for Writes {
    fn spend(&mut self, zone: u8) -> Result<(), String> {
        self.0.lock().unwrap().push(zone);
        Ok(())
    }

    fn settings(&self) -> BTreeMap<String, String> {
        self.1.lock().unwrap().clone()
    }

    fn set(&mut self, command: &str, value: &str) -> Result<(), String> {
        let mut settings = self.1.lock().unwrap();
        settings.insert(command.to_owned(), value.to_owned());
        Ok(())
    }
}

#[test]
fn a_board_is_judged_as_the_emulator_is() {
    let emulated = run(SCENARIO, &|seed| {
        Ok(Box::new(EmulatorTarget::new(&EmulatorOptions::seeded(
            seed,
        ))))
    });
    assert_eq!(emulated.verdict, Verdict::Passed);
    let bench = Bench::new();
    let writes = Writes::default();
    let on_board = || {
        run(SCENARIO, &|_| {
            let target = BoardTarget::open(bench.config.clone(), None)?;
            Ok(Box::new(target.counting(Box::new(writes.clone()))))
        })
    };
    let first = on_board();
    let log = String::from_utf8_lossy(&first.console).into_owned();
    assert_eq!(first.verdict, Verdict::Passed, "{log}");
    assert_eq!(first.target, "board:bench");
    assert_eq!(first.certificate_pem, emulated.certificate_pem);
    assert_eq!(first.firmware_sha256, emulated.firmware_sha256);
    assert_eq!(
        *writes.0.lock().unwrap(),
        [6],
        "one write, to the UDS's zone"
    );

    // The UDS is there already: it is not written again.
    let second = on_board();
    assert_eq!(second.verdict, Verdict::Passed);
    assert_eq!(second.certificate_pem, emulated.certificate_pem);
    assert_eq!(*writes.0.lock().unwrap(), [6]);
    let typed = second.trace.events().iter().any(|event| {
        matches!(&event.payload, Payload::Console(ConsoleEvent::Typed { text }) if text.contains("not written again"))
    });
    assert!(typed);
}

struct One(Arc<Firmware>);

impl FirmwareSource for One {
    fn get(&self, _: FirmwareVariant) -> Result<Arc<Firmware>, StepError> {
        Ok(Arc::clone(&self.0))
    }
}

/// Code that writes the two keys to `flash` + 4, and then the mark of an RTT control block.
fn unlocks_and_opens_the_link(flash: u32, block: u32) -> Vec<u8> {
    #[rustfmt::skip]
    let mut code = vec![
        0x4806, 0x4907, 0x6041, 0x4907, 0x6041, // r0 = flash; [r0, #4] = KEY1; [r0, #4] = KEY2
        0x4807, 0x4907, 0x6001, 0x4907, 0x6041, 0x4907, 0x6081, // r0 = block; its mark's 3 words
        LOOP, 0xBF00,
    ];
    let mark = [b"SEGG", b"ER R", b"TT\0\0"].map(|word| u32::from_le_bytes(*word));
    for literal in [[flash, 0x4567_0123, 0xCDEF_89AB, block].as_slice(), &mark].concat() {
        code.extend([literal as u16, (literal >> 16) as u16]);
    }
    program(FLASH, &code)
}

/// While the firmware has its flash unlocked, the debugger does not touch the link.
#[rstest]
#[case::flash_is_unlocked(0x4002_3C00, 0)]
#[case::flash_stays_locked(RAM + 0x3_2000, 1)]
fn the_link_rests_while_the_firmware_writes_its_flash(#[case] keys: u32, #[case] links: usize) {
    const BLOCK: u32 = RAM + 0x3_0100;
    const STEPS: &str = "name: x
needs: [network]
steps:
  - reset: {}
  - advance: 5s
";
    let code = unlocks_and_opens_the_link(keys, BLOCK);
    let real = firmware().get(FirmwareVariant::Strict).unwrap();
    let firmware = One(Arc::new(Firmware {
        application: Arc::new(image_with_symbol(FLASH, &code, "_SEGGER_RTT", BLOCK)),
        boot_stub: None,
        ..Firmware::clone(&real)
    }));
    let bench = Bench::new();
    bench.program(FLASH, &code);
    bench.board.with(|kit| {
        kit.write_memory(NAME, b"hil-link\0").unwrap();
        kit.write_memory(BLOCK, &control_block(0)).unwrap();
    });
    let result = run_with(&firmware, STEPS, Cancel::default(), &|_| {
        let target = BoardTarget::open(bench.config.clone(), None)?;
        Ok(Box::new(target))
    });
    assert_eq!(result.verdict, Verdict::Passed);
    let is_link = |payload: &Payload| matches!(payload, Payload::Network(NetworkEvent::LinkUp));
    let events = result.trace.events().iter();
    assert_eq!(events.filter(|it| is_link(&it.payload)).count(), links);
}

/// Settings outlive a scenario in a real secure element: the next begins with the defaults again,
/// for one write of each setting that differs and none of one that does not.
#[test]
fn a_scenario_finds_the_defaults_whatever_the_last_one_has_set() {
    const SET: &str = "name: x
needs: [console, buttons]
steps:
  - reset: {hold: A}
  - console: {send: set_dps_transport mqtt, expect: 'INFO: Set DPS transport successfully.'}
  - console: {send: set_mac 0200deadbeef, expect: 'INFO: Set MAC successfully.'}
  - console: {send: set_dps_scope 0ne00000000, expect: 'INFO: Set DPS ID scope successfully.'}
";
    const LOOK: &str = "name: x
needs: [console, buttons]
steps:
  - reset: {hold: A}
  - console: {send: version, expect: 'DPS transport: https', absent: '0200deadbeef'}
";
    let bench = Bench::new();
    let writes = Writes::default();
    let on_board = |text| {
        let result = run(text, &|_| {
            let target = BoardTarget::open(bench.config.clone(), None)?;
            Ok(Box::new(target.counting(Box::new(writes.clone()))))
        });
        let log = String::from_utf8_lossy(&result.console).into_owned();
        assert_eq!(result.verdict, Verdict::Passed, "{log}");
    };
    on_board(SET);
    assert_eq!(writes.0.lock().unwrap().len(), 3);
    on_board(LOOK);
    assert_eq!(writes.0.lock().unwrap().len(), 5, "two differed");
    on_board(LOOK);
    assert_eq!(writes.0.lock().unwrap().len(), 5, "none does now");
}

#[test]
fn what_the_board_lacks_is_a_skip() {
    let bench = Bench::new();
    let text = "name: display\nneeds: [display, secure-element-model]\nsteps:\n  - power: on\n";
    let result = run(text, &|_| {
        Ok(Box::new(BoardTarget::open(bench.config.clone(), None)?))
    });
    let Verdict::Skipped { reason } = result.verdict else {
        panic!("{:?}", result.verdict);
    };
    assert!(
        reason.contains("lacks display, power, secure-element-model"),
        "{reason}"
    );
}

#[test]
fn a_board_that_cannot_be_opened_is_an_error_and_no_failure() {
    let bench = Bench::new();
    let mut config = bench.config.clone();
    config.address.serial = "NOBODY".into();
    let result = run(SCENARIO, &|_| {
        Ok(Box::new(BoardTarget::open(config.clone(), None)?))
    });
    assert!(matches!(result.verdict, Verdict::Error { .. }));
}

#[test]
fn a_console_that_breaks_in_the_middle_is_an_error_and_no_failure() {
    let bench = Bench::new();
    let text = "name: x\nneeds: [console]\nsteps:\n  - reset: {}\n  - console: {expect: never, within: 20s}\n";
    let result = std::thread::scope(|scope| {
        scope.spawn(|| {
            bench.until("the banner", |board| {
                board.with(|kit| kit.instructions()) > 1_000_000
            });
            bench.board.remove_console();
        });
        run(text, &|_| {
            Ok(Box::new(BoardTarget::open(bench.config.clone(), None)?))
        })
    });
    let Verdict::Error { what, .. } = result.verdict else {
        panic!("{:?}", result.verdict);
    };
    assert!(what.contains("console"), "{what}");
}
