//! What is on the pins and on the bus.

use az3166_emulator::board::Led;
use az3166_emulator::{Button, Display};
use az3166_event::{MachineEvent, Payload, SecureElementEvent};
use rstest::rstest;

use crate::master::*;
use crate::script::*;

const DISPLAY: u8 = 0x3C;
const SECURE_ELEMENT: u8 = 0x20;
const GPIOA: u32 = 0x4002_0000;
const GPIOB: u32 = 0x4002_0400;
const GPIOC: u32 = 0x4002_0800;

/// What the DevKit's own software sends, one command a transfer.
const INIT: &[u8] = &[
    0xAE, 0x00, 0x10, 0x40, 0x81, 0xCF, 0xA1, 0xC8, 0xA6, 0xA8, 0x3F, 0xD3, 0x00, 0xD5, 0x80, 0xD9,
    0xF1, 0xDA, 0x12, 0xDB, 0x40, 0x20, 0x02, 0x8D, 0x14, 0xA4, 0xA6, 0xAF,
];

fn commands(bench: &mut Bench, commands: &[u8]) {
    for command in commands {
        write(bench, DISPLAY, &[0x00, *command]).unwrap();
    }
}

/// A display that is on, its memory cleared, with one pattern at page 2, column 5.
fn with_picture() -> Bench {
    let mut bench = Bench::new();
    set_up(&mut bench);
    commands(&mut bench, INIT);
    for page in 0..8 {
        commands(&mut bench, &[0xB0 + page, 0x00, 0x10]);
        write(&mut bench, DISPLAY, &[&[0x40][..], &[0; 128]].concat()).unwrap();
    }
    commands(&mut bench, &[0xB2, 0x05, 0x10]);
    write(&mut bench, DISPLAY, &[0x40, 0x01, 0x82]).unwrap();
    bench
}

/// The pixels that shine, as (x, y).
fn lit(bench: &Bench) -> Vec<(usize, usize)> {
    let pixels = bench.devkit.display().unwrap().pixels();
    let mut lit = Vec::new();
    for (y, row) in pixels.iter().enumerate() {
        lit.extend(
            row.iter()
                .enumerate()
                .filter(|(_, on)| **on)
                .map(|(x, _)| (x, y)),
        );
    }
    lit
}

#[rstest]
#[case::upright(&[], &[(5, 16), (6, 17), (6, 23)])]
#[case::mirrored(&[0xA0], &[(122, 16), (121, 17), (121, 23)])]
#[case::upside_down(&[0xC0], &[(6, 40), (6, 46), (5, 47)])]
#[case::scrolled(&[0x48], &[(5, 8), (6, 9), (6, 15)])]
#[case::off(&[0xAE], &[])]
#[case::without_its_charge_pump(&[0x8D, 0x10], &[])]
#[case::off_and_on_keeps_the_picture(&[0xAE, 0xAF], &[(5, 16), (6, 17), (6, 23)])]
#[case::fewer_rows(&[0xA8, 16], &[(5, 16)])]
fn picture(#[case] extra: &[u8], #[case] wanted: &[(usize, usize)]) {
    let mut bench = with_picture();
    commands(&mut bench, extra);
    let mut found = lit(&bench);
    found.sort_by_key(|(x, y)| (*y, *x));
    let mut wanted = wanted.to_vec();
    wanted.sort_by_key(|(x, y)| (*y, *x));
    assert_eq!(found, wanted);
}

#[rstest]
#[case::inverted(&[0xA7], 128 * 64 - 3)]
#[case::all_on(&[0xA5], 128 * 64)]
fn whole_picture(#[case] extra: &[u8], #[case] count: usize) {
    let mut bench = with_picture();
    commands(&mut bench, extra);
    assert_eq!(lit(&bench).len(), count);
}

#[test]
fn display_addressing_modes_and_control_bytes() {
    let mut bench = with_picture();
    // Horizontal, columns 126..=127, pages 6..=7, in one transfer with the data.
    let transfer = [
        0x80, 0x20, 0x80, 0x00, 0x80, 0x21, 0x80, 126, 0x80, 127, 0x80, 0x22, 0x80, 6, 0x80, 7,
        0x40, 1, 2, 3, 4, 5,
    ];
    write(&mut bench, DISPLAY, &transfer).unwrap();
    let gddram = bench.devkit.display().unwrap().gddram();
    assert_eq!(
        [
            gddram[6][126],
            gddram[6][127],
            gddram[7][126],
            gddram[7][127]
        ],
        [5, 2, 3, 4]
    );
    // Vertical.
    let transfer = [0x00, 0x20, 0x01, 0x21, 10, 11, 0x22, 0, 1];
    write(&mut bench, DISPLAY, &transfer).unwrap();
    write(&mut bench, DISPLAY, &[0x40, 1, 2, 3, 4]).unwrap();
    let gddram = bench.devkit.display().unwrap().gddram();
    assert_eq!(
        [gddram[0][10], gddram[1][10], gddram[0][11], gddram[1][11]],
        [1, 2, 3, 4]
    );
}

#[test]
fn display_memory_is_lost_with_the_power() {
    use az3166_emulator::Power;
    let mut bench = with_picture();
    bench.devkit.reset_pin();
    assert!(bench.devkit.display().unwrap().is_on());
    bench.devkit.set_power(Power::Off);
    assert!(bench.devkit.display().is_none());
    bench.devkit.set_power(Power::On);
    assert!(!bench.devkit.display().unwrap().is_on());
}

#[rstest]
#[case::absent_display(Display::Absent, 0x3C, Err(Refused))]
#[case::present_display(Display::Present, 0x3C, Ok(()))]
#[case::humidity_sensor(Display::Present, 0x5F, Err(Refused))]
#[case::pressure_sensor(Display::Present, 0x5C, Err(Refused))]
#[case::motion_sensor(Display::Present, 0x6A, Err(Refused))]
#[case::magnetometer(Display::Present, 0x1E, Err(Refused))]
#[case::secure_element_without_power(Display::Present, 0x20, Err(Refused))]
fn who_answers(#[case] display: Display, #[case] address: u8, #[case] answer: Result<(), Refused>) {
    let mut bench = Bench::of(az3166_emulator::DevKitConfig {
        display,
        ..config()
    });
    set_up(&mut bench);
    assert_eq!(write(&mut bench, address, &[0x00]), answer);
}

/// Query 08, life cycle: the data sheet's frame with its CRC.
#[test]
fn the_secure_element_speaks_while_pb14_is_high() {
    let mut bench = Bench::new();
    set_up(&mut bench);
    power_secure_element(&mut bench);
    let command = framed(&[0x14, 0x08]);
    write(&mut bench, SECURE_ELEMENT, &command).unwrap();
    assert_eq!(read(&mut bench, SECURE_ELEMENT, 1), Err(Refused), "busy");
    let answer = read_when_ready(&mut bench, SECURE_ELEMENT, 6, 100);
    // Status, length (payload and CRC), life cycle: operational.
    assert_eq!(answer[..4], [0x00, 0x00, 0x03, 0x03], "{answer:02x?}");
    bench.run(&[Write(GPIOB + 0x18, 1 << 30), Wait(MILLISECOND)]);
    assert_eq!(read(&mut bench, SECURE_ELEMENT, 1), Err(Refused));
    let events = bench.devkit.drain_events();
    let power: Vec<bool> = events
        .iter()
        .filter_map(|(_, event)| match event {
            Payload::SecureElement(SecureElementEvent::Power { on }) => Some(*on),
            _ => None,
        })
        .collect();
    assert_eq!(power, [true, false]);
    assert!(events.is_sorted_by_key(|(at, _)| *at));
}

/// A frame with its CRC-16/X-25, high byte first.
fn framed(frame: &[u8]) -> Vec<u8> {
    let mut crc = 0xFFFFu16;
    for byte in frame {
        crc ^= u16::from(*byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ if crc & 1 == 1 { 0x8408 } else { 0 };
        }
    }
    [frame, &(!crc).to_be_bytes()].concat()
}

#[test]
fn the_test_frames_crc() {
    assert_eq!(framed(b"123456789")[9..], [0x90, 0x6E]);
}

#[rstest]
#[case::a(Button::A, 4)]
#[case::b(Button::B, 10)]
fn buttons_are_low_when_pressed(#[case] button: Button, #[case] pin: u32) {
    const IDR: u32 = GPIOA + 0x10;
    let bit = 1 << pin;
    let mut bench = Bench::new();
    bench.run(&[Write(0x4002_3830, 1), Read(IDR, bit, bit)]);
    bench.devkit.press(button);
    bench.run(&[Read(IDR, bit, 0)]);
    bench.devkit.reset_pin();
    bench.run(&[Write(0x4002_3830, 1), Read(IDR, bit, 0)]);
    bench.devkit.release(button);
    bench.run(&[Read(IDR, bit, bit)]);
}

/// A debugger presses a button without a relay: it drives the pin low and locks it, so that what
/// firmware then does to the port's configuration has no effect until a reset.
#[rstest]
#[case::a(4)]
#[case::b(10)]
fn a_debugger_presses_a_button_by_lckr(#[case] pin: u32) {
    const LCKK: u32 = 1 << 16;
    let bit = 1 << pin;
    let mut bench = Bench::new();
    bench.write(0x4002_3830, 1);
    let moder = bench.read(GPIOA);
    bench.run(&[
        Write(GPIOA + 0x18, bit << 16),
        Write(GPIOA, moder & !(3 << (pin * 2)) | 1 << (pin * 2)),
        Write(GPIOA + 0x1C, LCKK | bit),
        Write(GPIOA + 0x1C, bit),
        Write(GPIOA + 0x1C, LCKK | bit),
        Read(GPIOA + 0x1C, LCKK, LCKK),
        // The firmware makes it an input with a pull-up.
        Write(GPIOA, moder & !(3 << (pin * 2))),
        Write(GPIOA + 0x0C, 1 << (pin * 2)),
        Read(GPIOA + 0x10, bit, 0),
    ]);
    bench.devkit.reset_pin();
    bench.run(&[Write(0x4002_3830, 1), Read(GPIOA + 0x10, bit, bit)]);
}

#[rstest]
#[case(Led::Wifi, GPIOB, 2)]
#[case(Led::Azure, GPIOA, 15)]
#[case(Led::User, GPIOC, 13)]
#[case(Led::Red, GPIOB, 4)]
#[case(Led::Green, GPIOB, 3)]
#[case(Led::Blue, GPIOC, 7)]
fn leds_shine_when_high(#[case] led: Led, #[case] port: u32, #[case] pin: u32) {
    let mut bench = Bench::new();
    bench.write(0x4002_3830, 0b111);
    let moder = bench.read(port) & !(3 << (pin * 2));
    bench.devkit.drain_events();
    bench.run(&[
        Write(port, moder | 1 << (pin * 2)),
        Write(port + 0x18, 1 << pin),
    ]);
    assert_eq!(bench.devkit.leds().brightness(led), 255);
    bench.run(&[Write(port + 0x18, 1 << (pin + 16))]);
    assert_eq!(bench.devkit.leds().brightness(led), 0);
    let events: Vec<_> = bench
        .devkit
        .drain_events()
        .into_iter()
        .map(|(_, event)| event)
        .collect();
    let event = |on| {
        Payload::Machine(MachineEvent::Led {
            led: led.name().into(),
            on,
        })
    };
    assert_eq!(events, [event(true), event(false)]);
}

#[test]
fn the_rgb_led_is_dimmed_by_pwm() {
    const TIM3: u32 = 0x4000_0400;
    let mut bench = Bench::new();
    bench.run(&[
        Write(0x4002_3830, 0b111),
        Write(0x4002_3840, 0b10),
        Write(GPIOB + 0x20, 0x0002_0000),
        Write(GPIOB, 0x0000_0280 & !0x300 | 0x200),
        Write(TIM3 + 0x2C, 999),
        Write(TIM3 + 0x34, 500),
        Write(TIM3 + 0x18, 0x68),
        Write(TIM3 + 0x20, 1),
        Write(TIM3 + 0x14, 1),
        Write(TIM3, 1),
    ]);
    assert_eq!(bench.devkit.leds().brightness(Led::Red), 127);
    bench.run(&[Write(TIM3 + 0x20, 0)]);
    assert_eq!(bench.devkit.leds().brightness(Led::Red), 0);
}
