//! USART6, wired to the console; USART1 and USART2, wired to nothing.

use rstest::rstest;

use crate::script::*;

const AHB1ENR: u32 = 0x4002_3830;
const APB2ENR: u32 = 0x4002_3844;
const GPIOA_MODER: u32 = 0x4002_0000;
const GPIOA_AFRH: u32 = 0x4002_0024;
const SR: u32 = 0x4001_1400;
const DR: u32 = 0x4001_1404;
const BRR: u32 = 0x4001_1408;
const CR1: u32 = 0x4001_140C;
const CR2: u32 = 0x4001_1410;

const IRQ: u32 = 71;
const UE: u32 = 1 << 13;
const TE: u32 = 1 << 3;
const RE: u32 = 1 << 2;
const ON: u32 = UE | TE | RE;
const TXEIE: u32 = 1 << 7;
const TCIE: u32 = 1 << 6;
const RXNEIE: u32 = 1 << 5;
const IDLEIE: u32 = 1 << 4;
const TXE: u32 = 1 << 7;
const TC: u32 = 1 << 6;
const RXNE: u32 = 1 << 5;
const IDLE: u32 = 1 << 4;
const ORE: u32 = 1 << 3;
const FE: u32 = 1 << 1;
const ALL: u32 = 0x3FF;
/// One frame of ten bits at 115200 bits a second, and a bit more.
const FRAME: u64 = 87 * MICROSECOND;

/// Clocks, pins, 16 MHz / 139 = 115108 bits a second.
const SETUP: [Step; 5] = [
    Write(AHB1ENR, 1),
    Write(APB2ENR, 1 << 5),
    Write(GPIOA_MODER, 0xAA80_0000),
    Write(GPIOA_AFRH, 0x0008_8000),
    Write(BRR, 139),
];

#[rstest]
#[case::a_byte(&[
    Write(CR1, ON),
    Write(DR, 0x41),
    Read(SR, ALL, TXE),
    Wait(FRAME),
    Read(SR, ALL, TXE | TC),
], b"A")]
#[case::the_second_byte_waits_in_the_data_register(&[
    Write(CR1, ON),
    Write(DR, 0x41),
    Write(DR, 0x42),
    Read(SR, ALL, 0),
    Wait(FRAME),
    Read(SR, ALL, TXE),
    Wait(FRAME),
    Read(SR, ALL, TXE | TC),
], b"AB")]
#[case::a_byte_is_on_its_way_for_a_frame(&[
    Write(CR1, ON),
    Write(DR, 0x41),
    Wait(86 * MICROSECOND),
    Read(SR, TC, 0),
], b"")]
#[case::two_stop_bits_take_longer(&[
    Write(CR2, 0x2000),
    Write(CR1, ON),
    Write(DR, 0x41),
    Wait(FRAME),
    Read(SR, TC, 0),
    Wait(9 * MICROSECOND),
    Read(SR, TC, TC),
], b"A")]
#[case::without_te_nothing_is_sent(&[Write(CR1, UE), Write(DR, 0x41), Wait(FRAME)], b"")]
#[case::interrupts(&[
    Write(CR1, ON | TXEIE),
    Interrupt(IRQ, true),
    Write(DR, 0x41),
    Write(CR1, ON | TCIE),
    // The line was high until now.
    Interrupt(IRQ, true),
    Interrupt(IRQ, false),
    Wait(FRAME),
    Interrupt(IRQ, true),
    Write(SR, !TC),
    Read(SR, TC, 0),
], b"A")]
#[case::another_speed_is_garbage(&[
    Write(BRR, 278),
    Write(CR1, ON),
    Write(DR, 0x41),
    Wait(2 * FRAME),
], b"\xFF")]
#[case::oversampling_by_eight(&[
    // 16 MHz / (8 * 17 + 3)
    Write(BRR, 17 << 4 | 3),
    Write(CR1, ON | 1 << 15),
    Write(DR, 0x41),
    Wait(FRAME),
], b"A")]
#[case::a_pin_that_is_not_the_usarts(&[
    Write(GPIOA_MODER, 0xA800_0000),
    Write(CR1, ON),
    Write(DR, 0x41),
    Wait(FRAME),
    Read(SR, TC, TC),
], b"")]
fn transmits(#[case] steps: &[Step], #[case] sent: &[u8]) {
    let mut bench = Bench::new();
    bench.run(&SETUP).run(steps);
    assert_eq!(bench.devkit.console_take(), sent);
}

#[rstest]
#[case::a_byte(b"A", &[
    Write(CR1, ON | RXNEIE),
    Interrupt(IRQ, false),
    Wait(FRAME),
    Interrupt(IRQ, true),
    Read(SR, RXNE | ORE, RXNE),
    Read(DR, ALL, 0x41),
    Read(SR, RXNE, 0),
])]
#[case::bytes_are_paced(b"ABC", &[
    Write(CR1, ON),
    Wait(FRAME),
    Read(DR, ALL, 0x41),
    Read(SR, RXNE, 0),
    Wait(FRAME),
    Read(DR, ALL, 0x42),
    Wait(FRAME),
    Read(DR, ALL, 0x43),
])]
#[case::overrun_keeps_the_first_byte(b"AB", &[
    Write(CR1, ON | RXNEIE),
    Wait(2 * FRAME),
    Read(SR, RXNE | ORE, RXNE | ORE),
    Read(DR, ALL, 0x41),
    Read(SR, RXNE | ORE, 0),
])]
#[case::overrun_needs_a_read_of_sr(b"AB", &[
    Write(CR1, ON),
    Wait(2 * FRAME),
    Read(DR, ALL, 0x41),
    Read(SR, RXNE | ORE, ORE),
    Read(DR, ALL, 0x41),
    Read(SR, ORE, 0),
])]
#[case::idle_line(b"A", &[
    Write(CR1, ON | IDLEIE),
    Wait(FRAME),
    Read(SR, IDLE, 0),
    Read(DR, ALL, 0x41),
    Interrupt(IRQ, false),
    Wait(FRAME),
    Interrupt(IRQ, true),
    Read(SR, IDLE, IDLE),
    Read(DR, ALL, 0x41),
    Read(SR, IDLE, 0),
])]
#[case::another_speed_is_a_framing_error(b"A", &[
    Write(BRR, 278),
    Write(CR1, ON),
    Wait(FRAME),
    Read(SR, FE | RXNE, FE | RXNE),
])]
#[case::without_re_it_is_lost(b"A", &[
    Write(CR1, UE | TE),
    Wait(FRAME),
    Write(CR1, ON),
    Wait(FRAME),
    Read(SR, RXNE, 0),
])]
#[case::rxne_is_cleared_by_writing_zero(b"A", &[
    Write(CR1, ON),
    Wait(FRAME),
    Write(SR, !RXNE),
    Read(SR, RXNE, 0),
])]
#[case::a_pin_that_is_not_the_usarts(b"A", &[
    Write(GPIOA_MODER, 0xA800_0000),
    Write(CR1, ON),
    Wait(FRAME),
    Read(SR, RXNE, 0),
])]
fn receives(#[case] typed: &[u8], #[case] steps: &[Step]) {
    let mut bench = Bench::new();
    bench.run(&SETUP);
    bench.devkit.console_send(typed);
    bench.run(steps);
}

/// A baud rate that USART6 cannot make exactly does not add up: the line's own speed counts.
#[test]
fn a_long_text_takes_as_long_as_the_line_needs() {
    let mut bench = Bench::new();
    bench.run(&SETUP).run(&[Write(CR1, ON)]);
    let text = [b'x'; 1000];
    bench.devkit.console_send(&text);
    let start = bench.devkit.now();
    for _ in text {
        while bench.read(SR) & RXNE == 0 {
            bench.wait(MICROSECOND);
        }
        bench.read(DR);
    }
    let took = (bench.devkit.now() - start).as_micros();
    // 10 000 bits at 115200 bits a second.
    assert!(took.abs_diff(86_805) < 10, "{took} us");
}

#[rstest]
#[case::usart1(0x4001_1000, APB2ENR, 1 << 4, 37)]
#[case::usart2(0x4000_4400, 0x4002_3840, 1 << 17, 38)]
fn the_others_send_into_the_void(
    #[case] base: u32,
    #[case] enable: u32,
    #[case] bit: u32,
    #[case] irq: u32,
) {
    check(&[
        Write(enable, bit),
        Write(base + 0x08, 139),
        Write(base + 0x0C, ON | TCIE),
        Write(base + 0x04, 0x41),
        Interrupt(irq, false),
        Wait(FRAME),
        Interrupt(irq, true),
    ]);
}

#[test]
fn bits_are_where_st_has_them() {
    use crate::against_st::check_bits;
    let cr1 = [
        ("UE", UE),
        ("TE", TE),
        ("RE", RE),
        ("TXEIE", TXEIE),
        ("TCIE", TCIE),
    ];
    check_bits("USART6", "CR1", &cr1);
    check_bits(
        "USART6",
        "CR1",
        &[("RXNEIE", RXNEIE), ("IDLEIE", IDLEIE), ("OVER8", 1 << 15)],
    );
    let sr = [
        ("TXE", TXE),
        ("TC", TC),
        ("RXNE", RXNE),
        ("IDLE", IDLE),
        ("ORE", ORE),
        ("FE", FE),
    ];
    check_bits("USART6", "SR", &sr);
    check_bits("USART6", "CR2", &[("STOP", 0x3000)]);
}
