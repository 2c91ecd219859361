//! GPIO, SYSCFG, EXTI.

use az3166_emulator::Button;
use rstest::rstest;

use crate::script::*;

const AHB1ENR: u32 = 0x4002_3830;
const APB2ENR: u32 = 0x4002_3844;
const MODER: u32 = 0x4002_0000;
const OTYPER: u32 = 0x4002_0004;
const PUPDR: u32 = 0x4002_000C;
const IDR: u32 = 0x4002_0010;
const ODR: u32 = 0x4002_0014;
const BSRR: u32 = 0x4002_0018;
const LCKR: u32 = 0x4002_001C;
const AFRH: u32 = 0x4002_0024;
const LCKK: u32 = 1 << 16;
const A: u32 = 1 << 4;
const B: u32 = 1 << 10;
const EXTICR2: u32 = 0x4001_380C;
const IMR: u32 = 0x4001_3C00;
const RTSR: u32 = 0x4001_3C08;
const FTSR: u32 = 0x4001_3C0C;
const SWIER: u32 = 0x4001_3C10;
const PR: u32 = 0x4001_3C14;

#[rstest]
#[case::reset_values(&[
    Read(MODER, u32::MAX, 0xA800_0000),
    Read(PUPDR, u32::MAX, 0x6400_0000),
    Read(0x4002_0400, u32::MAX, 0x280),
])]
#[case::set_wins_over_reset(&[
    Write(BSRR, 0x0003_0001),
    Read(ODR, u32::MAX, 1),
    Write(BSRR, 0x0001_0000),
    Read(ODR, u32::MAX, 0),
    Read(BSRR, u32::MAX, 0),
])]
#[case::output_reads_back(&[
    Write(MODER, 0xA800_0001),
    Write(ODR, 1),
    Read(IDR, 1, 1),
    Write(ODR, 0),
    Read(IDR, 1, 0),
])]
#[case::pulls(&[
    Read(IDR, 1, 0),
    Write(PUPDR, 0x6400_0001),
    Read(IDR, 1, 1),
    Write(PUPDR, 0x6400_0002),
    Read(IDR, 1, 0),
])]
#[case::open_drain_is_not_driven_high(&[
    Write(MODER, 0xA800_0001),
    Write(OTYPER, 1),
    Write(ODR, 1),
    Read(IDR, 1, 0),
    Write(PUPDR, 0x6400_0001),
    Read(IDR, 1, 1),
])]
#[case::analog_reads_zero(&[Write(MODER, 0xA800_0300), Read(IDR, A, 0)])]
#[case::the_boards_pull_up_is_stronger_than_the_chips_pull_down(&[
    Write(PUPDR, 0x6400_0200),
    Read(IDR, A, A),
])]
#[case::a_pin_driven_low_reads_low_against_the_pull_up(&[
    Write(BSRR, A << 16),
    Write(MODER, 0xA800_0100),
    Read(IDR, A, 0),
])]
#[case::lock_sequence(&[
    Write(MODER, 0xA800_0100),
    Write(LCKR, LCKK | A),
    Write(LCKR, A),
    Write(LCKR, LCKK | A),
    Read(LCKR, u32::MAX, LCKK | A),
    // The pin's configuration stays; its output data does not.
    Write(MODER, 0),
    Read(MODER, u32::MAX, 0x0000_0100),
    Write(PUPDR, 0x0000_0155),
    Read(PUPDR, u32::MAX, 0x0000_0055),
    Write(OTYPER, 0xFFFF),
    Read(OTYPER, u32::MAX, 0xFFEF),
    Write(BSRR, A),
    Read(ODR, A, A),
    // The lock itself stays.
    Write(LCKR, 0),
    Read(LCKR, u32::MAX, LCKK | A),
])]
#[case::lock_needs_the_same_pins(&[
    Write(LCKR, LCKK | A),
    Write(LCKR, B),
    Write(LCKR, LCKK | A),
    Read(LCKR, LCKK, 0),
])]
#[case::lock_needs_all_three_writes(&[
    Write(LCKR, LCKK | A),
    Write(LCKR, A),
    Read(LCKR, LCKK, 0),
    Write(MODER, 0),
    Read(MODER, u32::MAX, 0),
])]
#[case::lock_covers_alternate_functions(&[
    Write(LCKR, LCKK | 0x8000),
    Write(LCKR, 0x8000),
    Write(LCKR, LCKK | 0x8000),
    Write(AFRH, u32::MAX),
    Read(AFRH, u32::MAX, 0x0FFF_FFFF),
])]
#[case::a_reset_through_rcc_opens_the_lock(&[
    Write(LCKR, LCKK | A),
    Write(LCKR, A),
    Write(LCKR, LCKK | A),
    Write(0x4002_3810, 1),
    Write(0x4002_3810, 0),
    Read(LCKR, u32::MAX, 0),
    Write(MODER, 0),
    Read(MODER, u32::MAX, 0),
])]
#[case::software_interrupt(&[
    Write(IMR, 1 << 2),
    Write(SWIER, 1 << 2),
    Read(PR, u32::MAX, 1 << 2),
    Interrupt(8, true),
    Write(PR, 1 << 2),
    Read(PR, u32::MAX, 0),
    Read(SWIER, u32::MAX, 0),
])]
#[case::a_masked_line_pends_and_does_not_interrupt(&[
    Write(SWIER, 1 << 2),
    Read(PR, u32::MAX, 1 << 2),
    Interrupt(8, false),
])]
#[case::only_flash_is_at_zero(&[Write(0x4001_3800, 0), Read(0x4001_3800, u32::MAX, 0)])]
fn script(#[case] steps: &[Step]) {
    let mut bench = Bench::new();
    bench
        .run(&[Write(AHB1ENR, 0b11), Write(APB2ENR, 1 << 14)])
        .run(steps);
}

/// Narrow stores reach their lanes.
#[test]
fn bytes_and_halfwords() {
    let mut bench = Bench::new();
    bench.write(AHB1ENR, 1);
    bench
        .devkit
        .write_memory(BSRR, &0x8001u16.to_le_bytes())
        .unwrap();
    bench.devkit.write_memory(BSRR + 3, &[0x80]).unwrap();
    bench.run(&[Read(ODR, u32::MAX, 0x0001)]);
    bench.devkit.write_memory(ODR + 1, &[0x12]).unwrap();
    bench.run(&[Read(ODR, u32::MAX, 0x1201)]);
    let mut byte = [0];
    bench.devkit.read_memory(ODR + 1, &mut byte).unwrap();
    assert_eq!(byte, [0x12]);
}

#[rstest]
#[case::falling(0, A, [true, false])]
#[case::rising(A, 0, [false, true])]
#[case::both(A, A, [true, true])]
fn a_button_interrupts(#[case] rising: u32, #[case] falling: u32, #[case] raised: [bool; 2]) {
    let mut bench = Bench::new();
    bench.run(&[
        Write(AHB1ENR, 1),
        Write(APB2ENR, 1 << 14),
        Write(EXTICR2, 0),
        Write(IMR, A),
        Write(RTSR, rising),
        Write(FTSR, falling),
    ]);
    bench.devkit.press(Button::A);
    bench.wait(MICROSECOND);
    bench.run(&[Write(PR, A), Interrupt(10, raised[0]), Interrupt(10, false)]);
    bench.devkit.release(Button::A);
    bench.run(&[Interrupt(10, raised[1])]);
}

#[test]
fn bits_are_where_st_has_them() {
    use crate::against_st::check_bits;
    check_bits(
        "GPIOA",
        "LCKR",
        &[("LCKK", LCKK), ("LCK4", A), ("LCK10", B)],
    );
    check_bits("GPIOA", "BSRR", &[("BS4", A), ("BR4", A << 16)]);
    check_bits("GPIOA", "MODER", &[("MODER4", 3 << 8)]);
}
