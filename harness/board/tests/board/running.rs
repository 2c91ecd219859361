//! Programs that run on the board: start, stops, buttons, console, link.

use core::time::Duration;

use az3166_board::virtual_board::Plug;
use az3166_board::{BoardError, BoardTarget, PowerSwitch};
use az3166_emulator::Power;
use az3166_emulator::cpu::Register;
use az3166_event::{MachineEvent, Payload};
use az3166_target::{
    Button, Capability, PowerState, Rtt, Stop, Target, TargetError, TargetMemory as _,
};
use rstest::rstest;

use crate::control_block::{NAME, SIZE, UP, control_block};
use crate::support::{Bench, RAM, image, program};

pub const FLASH: u32 = 0x0800_0000;
pub const LOOP: u16 = 0xE7FE;
const WFI: u16 = 0xBF30;
const BKPT: u16 = 0xBE00;
const UNDEFINED: u16 = 0xDE00;

/// A target with this code in flash, at its reset.
pub fn started(bench: &Bench, code: &[u16]) -> BoardTarget {
    let mut target = bench.target();
    target
        .load(&[&image(FLASH, &program(FLASH, code))])
        .unwrap();
    target.power(PowerState::On).unwrap();
    target
}

/// Runs until something else than a pause comes, for two seconds of the board at most.
pub fn run(target: &mut BoardTarget) -> Stop {
    let deadline = target.now() + Duration::from_secs(2);
    loop {
        match target.run_until(deadline).unwrap() {
            Stop::Paused => {}
            stop => return stop,
        }
    }
}

#[test]
fn nothing_runs_between_reset_and_run() {
    let bench = Bench::new();
    // r0 counts.
    let mut target = started(&bench, &[0x2000, 0x3001, 0xE7FD]);
    std::thread::sleep(Duration::from_millis(20));
    let register = |register| bench.board.with(|kit| kit.cpu().register(register));
    assert_eq!(register(Register::Pc), FLASH + 8);
    target.write_memory(0x2003_F000, b"HILTRUST").unwrap();
    run(&mut target);
    assert!(register(Register::R0) > 100);
    let mut kept = [0; 8];
    target.read_memory(0x2003_F000, &mut kept).unwrap();
    assert_eq!(&kept, b"HILTRUST");
}

#[rstest]
#[case::running(&[LOOP], None)]
#[case::at_a_bkpt(&[0xBF00, BKPT, LOOP], Some(Stop::Breakpoint { pc: FLASH + 10 }))]
#[case::asleep(&[WFI, 0xE7FD], None)]
fn stops_are_seen(#[case] code: &[u16], #[case] expected: Option<Stop>) {
    let bench = Bench::new();
    let mut target = started(&bench, code);
    assert_eq!(run(&mut target), expected.unwrap_or(Stop::Deadline));
}

#[test]
fn a_lockup_is_seen() {
    let bench = Bench::new();
    let mut target = started(&bench, &[UNDEFINED]);
    assert!(matches!(run(&mut target), Stop::Lockup { .. }));
    // A reset brings it back, to the same end.
    target.reset().unwrap();
    assert!(matches!(run(&mut target), Stop::Lockup { .. }));
}

#[test]
fn blank_flash_locks_up_and_can_be_attached_to_and_flashed() {
    let bench = Bench::new();
    bench.until("lockup", |board| {
        board.with(|kit| {
            let mut word = [0; 4];
            kit.read_memory(0xE000_EDF0, &mut word).unwrap();
            u32::from_le_bytes(word) & 1 << 19 != 0
        })
    });
    let mut target = started(&bench, &[LOOP]);
    assert_eq!(run(&mut target), Stop::Deadline);
}

/// The firmware writes MODER, which the lock keeps as it is, and reads IDR into r5.
const READ_BUTTONS: &[u16] = &[
    0x4805, 0x2101, 0x6001, // ldr r0, =RCC_AHB1ENR; movs r1, #1; str
    0x4805, 0x2100, 0x6001, // ldr r0, =GPIOA; movs r1, #0; str (MODER: inputs)
    0x6905, // ldr r5, [r0, #16] (IDR)
    0x4C04, 0x2601, 0x6026, // ldr r4, =RAM; movs r6, #1; str
    LOOP, 0xBF00, // aligns
    0x3830, 0x4002, // RCC_AHB1ENR
    0x0000, 0x4002, // GPIOA
    0x0000, 0x2000, // RAM
];

#[rstest]
#[case::none(&[], 1 << 4 | 1 << 10)]
#[case::a(&[Button::A], 1 << 10)]
#[case::b(&[Button::B], 1 << 4)]
#[case::both(&[Button::A, Button::B], 0)]
fn buttons_are_held_by_the_debugger(#[case] held: &[Button], #[case] high: u32) {
    let bench = Bench::new();
    let mut target = started(&bench, READ_BUTTONS);
    target.write_memory(RAM, &[0; 4]).unwrap();
    for button in held {
        target.press(*button).unwrap();
    }
    target.reset().unwrap();
    assert_eq!(run(&mut target), Stop::Deadline);
    let idr = bench.board.with(|kit| kit.cpu().register(Register::R5));
    assert_eq!(idr & (1 << 4 | 1 << 10), high);
    // A reset lets go of what was released.
    for button in held {
        target.release(*button).unwrap();
    }
    target.reset().unwrap();
    run(&mut target);
    let idr = bench.board.with(|kit| kit.cpu().register(Register::R5));
    assert_eq!(idr & (1 << 4 | 1 << 10), 1 << 4 | 1 << 10);
}

#[test]
fn what_a_board_cannot_do_is_no_capability() {
    let bench = Bench::new();
    let target = bench.target();
    let has = |capability| target.capabilities().has(capability);
    for capability in [
        Capability::SecureElementModel,
        Capability::VirtualTime,
        Capability::Display,
        Capability::BootloaderState,
        Capability::Power,
    ] {
        assert!(!has(capability), "{capability}");
    }
    assert!(has(Capability::Console) && has(Capability::Network) && has(Capability::Buttons));
}

/// Power by a hub takes the probe away too; it comes back with the power.
#[test]
fn power_can_be_cut_where_something_switches_it() {
    struct Hub(std::sync::Arc<Bench>);
    impl PowerSwitch for Hub {
        fn switch(&mut self, state: PowerState) -> Result<(), String> {
            let (power, plug) = match state {
                PowerState::On => (Power::On, Plug::In),
                PowerState::Off => (Power::Off, Plug::Out),
            };
            self.0.board.set_power(power);
            self.0.board.set_plug(plug);
            Ok(())
        }
    }
    let bench = std::sync::Arc::new(Bench::new());
    let hub = Box::new(Hub(std::sync::Arc::clone(&bench)));
    let mut target = BoardTarget::open(bench.config.clone(), Some(hub)).unwrap();
    assert!(target.capabilities().has(Capability::Power));
    target
        .load(&[&image(FLASH, &program(FLASH, &[LOOP]))])
        .unwrap();
    target.power(PowerState::On).unwrap();
    target.write_memory(RAM, b"kept").unwrap();
    target.power(PowerState::Off).unwrap();
    assert!(!bench.board.with(|kit| kit.is_powered()));
    target.read_memory(RAM, &mut [0; 4]).unwrap_err();
    let before = target.now();
    target
        .run_until(before + Duration::from_millis(10))
        .unwrap();
    assert!(target.now() > before, "time goes on");
    target.power(PowerState::On).unwrap();
    let mut word = [0; 4];
    target.read_memory(RAM, &mut word).unwrap();
    assert_ne!(&word, b"kept", "RAM was lost");
    // Flash is written under power, and the next user finds the board with it.
    target.power(PowerState::Off).unwrap();
    target
        .load(&[&image(FLASH, &program(FLASH, &[WFI, LOOP]))])
        .unwrap();
    target.power(PowerState::Off).unwrap();
    drop(target);
    assert!(bench.board.with(|kit| kit.is_powered()));
}

#[test]
fn a_relay_is_opened_when_the_board_is_given_back() {
    let bench = Bench::new();
    let (worked, works) = std::sync::mpsc::channel();
    let relay = move |button, state| worked.send((button, state)).map_err(|it| it.to_string());
    let mut target = bench.target().pressed_by(Box::new(relay));
    target.press(Button::A).unwrap();
    target.press(Button::B).unwrap();
    target.release(Button::B).unwrap();
    drop(target);
    let works: Vec<_> = works.iter().collect();
    let expected = [
        (Button::A, PowerState::On),
        (Button::B, PowerState::On),
        (Button::B, PowerState::Off),
        (Button::A, PowerState::Off),
    ];
    assert_eq!(works, expected);
}

#[test]
fn a_busy_console_is_refused_and_freed_on_drop() {
    let bench = Bench::new();
    let target = bench.target();
    let second = BoardTarget::open(bench.config.clone(), None).map(drop);
    assert!(
        matches!(second, Err(BoardError::Console { .. })),
        "{second:?}"
    );
    drop(target);
    bench.target();
}

/// Code that prints `x` on the console for ever.
const CHATTER: [u16; 30] = [
    0x4808, 0x2101, 0x6001, 0x2120, 0x6141, // RCC_AHB1ENR: GPIOA; RCC_APB2ENR: USART6
    0x4807, 0x4907, 0x6001, 0x4907, 0x6241, // GPIOA_MODER, GPIOA_AFRH: PA11 as USART6_TX
    0x4807, 0x218B, 0x6081, // USART6_BRR: 115200 baud at 16 MHz
    0x4907, 0x60C1, // USART6_CR1: UE, TE
    0x2178, 0x6041, 0xE7FD, // USART6_DR
    // The literals.
    0x3830, 0x4002, 0x0000, 0x4002, 0x0000, 0xA880, 0x8000, 0x0000, 0x1400, 0x4001, 0x2008, 0x0000,
];

#[test]
fn what_an_earlier_run_still_prints_is_not_heard() {
    let bench = Bench::new();
    let mut earlier = started(&bench, &CHATTER);
    run(&mut earlier);
    assert!(earlier.console_take().unwrap().contains(&b'x'));
    drop(earlier);
    let mut target = bench.target();
    std::thread::sleep(Duration::from_millis(20));
    let silent = program(FLASH, &[LOOP]);
    bench.program(FLASH, &silent);
    target.load(&[&image(FLASH, &silent)]).unwrap();
    target.power(PowerState::On).unwrap();
    run(&mut target);
    let heard = target.console_take().unwrap();
    assert_eq!(String::from_utf8_lossy(&heard), "");
}

#[test]
fn a_console_that_goes_away_is_infrastructure_trouble() {
    let bench = Bench::new();
    let mut target = bench.target();
    target.console_take().unwrap();
    bench.board.remove_console();
    let error = target.console_take().unwrap_err();
    assert!(matches!(error, TargetError::Infrastructure { .. }));
    assert!(error.to_string().contains("console"), "{error}");
}

#[test]
fn enable_secure_never_leaves_the_host() {
    let bench = Bench::new();
    let mut target = bench.target();
    target.console_send(b"enable_sec").unwrap();
    let error = target.console_send(b"ure 1\r").unwrap_err();
    assert!(error.to_string().contains("never sent"), "{error}");
    // The next line is not refused.
    target.console_send(b"help\r").unwrap();
}

/// Rings that wrap many times.
#[test]
fn rtt_wraps() {
    const BLOCK: u32 = RAM + 0x100;
    let bench = Bench::new();
    let mut target = started(&bench, &[LOOP]);
    target.write_memory(NAME, b"hil-link\0").unwrap();
    target.write_memory(BLOCK, &control_block(0)).unwrap();
    let rtt = Rtt::attach(&mut target, BLOCK, "hil-link")
        .unwrap()
        .unwrap();
    let mut at = 0;
    for round in 0..40u32 {
        // The firmware's side, behind everybody's back.
        let piece: Vec<u8> = (0..23).map(|byte| (round * 23 + byte) as u8).collect();
        bench.board.with(|kit| {
            for byte in &piece {
                kit.write_memory(UP + at, &[*byte]).unwrap();
                at = (at + 1) % SIZE;
            }
            kit.write_memory(BLOCK + 24 + 12, &at.to_le_bytes())
                .unwrap();
        });
        assert_eq!(rtt.read(&mut target).unwrap(), piece);
        let written = rtt.write(&mut target, &piece).unwrap();
        let down = bench.board.with(|kit| {
            let mut offsets = [0; 8];
            kit.read_memory(BLOCK + 48 + 12, &mut offsets).unwrap();
            let word = |at: usize| u32::from_le_bytes(offsets[at..at + 4].try_into().unwrap());
            let (write, mut read) = (word(0), word(4));
            let mut bytes = Vec::new();
            while read != write {
                let mut byte = [0];
                kit.read_memory(UP + 100 + read, &mut byte).unwrap();
                bytes.push(byte[0]);
                read = (read + 1) % SIZE;
            }
            kit.write_memory(BLOCK + 48 + 16, &read.to_le_bytes())
                .unwrap();
            bytes
        });
        assert_eq!((written, down), (piece.len(), piece));
    }
}

#[test]
fn unplugged_in_the_middle_of_flashing() {
    let bench = Bench::at_pace(4);
    let mut target = bench.target();
    let loading = std::thread::scope(|scope| {
        let loading = scope
            .spawn(|| target.load(&[&image(0x0800_C000, &crate::support::pattern(8, 60_000))]));
        bench.until("some flash", |board| {
            board.with(|kit| {
                let mut word = [0; 4];
                kit.read_memory(0x0800_C000, &mut word).unwrap();
                word != [0xFF; 4]
            })
        });
        bench.board.set_plug(Plug::Out);
        loading.join().unwrap()
    });
    assert!(matches!(loading, Err(TargetError::Infrastructure { .. })));
    drop(target);
    bench.board.set_plug(Plug::In);
    // It heals: the next load makes it whole.
    let bytes = crate::support::pattern(8, 60_000);
    bench.target().load(&[&image(0x0800_C000, &bytes)]).unwrap();
    assert_eq!(bench.flash(0x0800_C000, bytes.len()), bytes);
}

#[test]
fn four_boards_side_by_side() {
    let benches: Vec<Bench> = (0..4).map(|_| Bench::new()).collect();
    std::thread::scope(|scope| {
        for (number, bench) in benches.iter().enumerate() {
            scope.spawn(move || {
                let bytes = crate::support::pattern(number as u32, 30_000);
                bench.target().load(&[&image(0x0800_C000, &bytes)]).unwrap();
                assert_eq!(bench.flash(0x0800_C000, bytes.len()), bytes);
            });
        }
    });
}

/// Starts the watchdog, which nobody feeds.
const WATCHDOG: &[u16] = &[
    0x4802, 0x4903, 0x6001, LOOP, 0xBF00, 0xBF00, 0x3000, 0x4000, 0xCCCC, 0,
];
/// Asks for a reset, the first time after the flag at the start of RAM was cleared.
const SELF_RESET: &[u16] = &[
    0x4805, 0x6801, 0x2900, 0xD104, // ldr r0, =RAM; ldr r1, [r0]; cmp r1, #0; bne out
    0x2101, 0x6001, // movs r1, #1; str
    0x4803, 0x4904, 0x6001, // ldr r0, =AIRCR; ldr r1, =key; str
    LOOP, 0xBF00, 0xBF00, // out: loop
    0x0000, 0x2000, 0xED0C, 0xE000, 0x0004, 0x05FA,
];

#[rstest]
#[case::watchdog(WATCHDOG, "iwdg")]
#[case::software(SELF_RESET, "sft or pin")]
fn a_reset_that_the_firmware_makes_is_an_event(#[case] code: &[u16], #[case] cause: &str) {
    let bench = Bench::new();
    let mut target = started(&bench, code);
    target.write_memory(RAM, &[0; 4]).unwrap();
    drop(target.drain_events());
    assert_eq!(run(&mut target), Stop::Deadline);
    let events = target.drain_events();
    let causes: Vec<&str> = events
        .iter()
        .filter_map(|(_, payload)| match payload {
            Payload::Machine(MachineEvent::Reset { cause }) => Some(cause.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(causes.first(), Some(&cause), "{causes:?}");
}

/// A bootloader may have started the watchdog, which nothing stops but a reset.
#[test]
fn a_watchdog_does_not_reset_a_core_that_the_debugger_has_halted() {
    let bench = Bench::new();
    let mut target = started(&bench, WATCHDOG);
    // Lets the watchdog start, and halts the core.
    target
        .run_until(target.now() + Duration::from_millis(10))
        .unwrap();
    bench.board.with(|kit| {
        kit.write_memory(0xE000_EDF0, &0xA05F_0003u32.to_le_bytes())
            .unwrap();
    });
    let at = bench.board.with(|kit| kit.now());
    bench.until("three periods of the watchdog", |board| {
        board.with(|kit| kit.now()) > at + Duration::from_millis(1500)
    });
    let halted = bench.board.with(|kit| kit.cpu().is_halted());
    assert!(halted, "the watchdog has reset it");
}
