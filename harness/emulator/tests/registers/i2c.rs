//! I2C1 as a master, step by step as RM0402 section 24.3.3 describes it.

use rstest::rstest;

use crate::script::*;

const AHB1ENR: u32 = 0x4002_3830;
const APB1ENR: u32 = 0x4002_3840;
const GPIOB: u32 = 0x4002_0400;
const I2C1: u32 = 0x4000_5400;
const CR1: u32 = I2C1;
const CR2: u32 = I2C1 + 0x04;
const DR: u32 = I2C1 + 0x10;
const SR1: u32 = I2C1 + 0x14;
const SR2: u32 = I2C1 + 0x18;
const CCR: u32 = I2C1 + 0x1C;
const TRISE: u32 = I2C1 + 0x20;

const EV: u32 = 31;
const ER: u32 = 32;

const PE: u32 = 1 << 0;
const START: u32 = 1 << 8;
const STOP: u32 = 1 << 9;
const ACK: u32 = 1 << 10;
const POS: u32 = 1 << 11;
const SB: u32 = 1 << 0;
const ADDR: u32 = 1 << 1;
const BTF: u32 = 1 << 2;
const RXNE: u32 = 1 << 6;
const TXE: u32 = 1 << 7;
const AF: u32 = 1 << 10;
const ALL: u32 = 0xFFFF;
const MSL: u32 = 1;
const BUSY: u32 = 2;
const TRA: u32 = 4;

/// The display answers, for writing and for reading (its status register).
const WRITE: u32 = 0x78;
const READ: u32 = 0x79;
const NOBODY: u32 = 0x46;

/// 400 kHz from 16 MHz with duty 2: CCR 13 gives a period of 39 / 16 MHz = 2.4375 us.
const BIT: u64 = 2438;
const BYTE: u64 = 9 * BIT;

const SETUP: [Step; 9] = [
    Write(AHB1ENR, 0b11),
    Write(APB1ENR, 1 << 21),
    Write(GPIOB + 0x04, 0x300),
    Write(GPIOB + 0x24, 0x44),
    Write(GPIOB, 0x000A_0280),
    Write(CR2, 16),
    Write(CCR, 0x8000 | 13),
    Write(TRISE, 6),
    Write(CR1, PE),
];

const fn addressed(address: u32) -> [Step; 5] {
    [
        Write(CR1, PE | ACK | START),
        Wait(BIT),
        Read(SR1, ALL, SB),
        Write(DR, address),
        Wait(BYTE),
    ]
}

#[rstest]
#[case::start_and_stop(&[
    Read(SR2, ALL, 0),
    Write(CR1, PE | START),
    Read(SR1, ALL, 0),
    Wait(BIT),
    Read(SR1, ALL, SB),
    Read(SR2, ALL, MSL | BUSY),
    Read(CR1, START, 0),
    Write(DR, WRITE),
    Read(SR1, ALL, 0),
    Wait(BYTE - 100),
    Read(SR1, ALL, 0),
    Wait(100),
    Read(SR1, ALL, ADDR),
    Read(SR2, ALL, MSL | BUSY | TRA),
    Read(SR1, ALL, TXE),
    Write(CR1, PE | STOP),
    Wait(BIT),
    Read(SR2, ALL, 0),
    Read(SR1, ALL, 0),
    Read(CR1, STOP, 0),
])]
#[case::addr_stays_without_a_read_of_sr1(&[
    Write(CR1, PE | START),
    Wait(BIT),
    Read(SR1, ALL, SB),
    Write(DR, WRITE),
    Wait(BYTE),
    Read(SR2, ALL, MSL | BUSY | TRA),
    Read(SR1, ALL, ADDR),
])]
#[case::sb_stays_without_a_read_of_sr1(&[
    Write(CR1, PE | START),
    Wait(BIT),
    Write(DR, WRITE),
    Wait(BYTE),
    Read(SR1, ALL, SB),
])]
#[case::nobody_answers(&[
    Write(CR2, 16 | 1 << 8),
    Write(CR1, PE | START),
    Wait(BIT),
    Read(SR1, ALL, SB),
    Write(DR, NOBODY),
    Wait(BYTE),
    Read(SR1, ALL, AF),
    Interrupt(ER, true),
    // Reading SR1 and SR2 does not clear AF; writing 0 to it does.
    Read(SR2, MSL | BUSY, MSL | BUSY),
    Read(SR1, ALL, AF),
    Write(SR1, ALL),
    Read(SR1, ALL, AF),
    Write(SR1, !AF),
    Read(SR1, ALL, 0),
    Write(CR1, PE | STOP),
    Wait(BIT),
    Read(SR2, ALL, 0),
])]
#[case::lines_that_lead_nowhere_acknowledge_nothing(&[
    Write(GPIOB, 0x280),
    Write(CR1, PE | START),
    Wait(BIT),
    Read(SR1, ALL, SB),
    Write(DR, WRITE),
    Wait(BYTE),
    Read(SR1, ALL, AF),
])]
#[case::ccr_is_locked_while_on(&[
    Write(CCR, 80),
    Read(CCR, ALL, 0x800D),
    Write(CR1, 0),
    Write(CCR, 80),
    Read(CCR, ALL, 80),
])]
#[case::turning_off_forgets(&[
    Write(CR1, PE | ACK | START),
    Wait(BIT),
    Read(SR1, ALL, SB),
    Write(CR1, 0),
    Read(SR1, ALL, 0),
    Read(SR2, ALL, 0),
    Read(CR1, ALL, 0),
    Read(CCR, ALL, 0x800D),
])]
#[case::software_reset_resets_all(&[
    Write(CR1, 1 << 15),
    Write(CR1, 0),
    Read(CCR, ALL, 0),
    Read(TRISE, ALL, 2),
])]
#[case::event_interrupts(&[
    Write(CR2, 16 | 1 << 9),
    Write(CR1, PE | START),
    Interrupt(EV, false),
    Wait(BIT),
    Interrupt(EV, true),
    Read(SR1, ALL, SB),
    Write(DR, WRITE),
    Interrupt(EV, true),
    Interrupt(EV, false),
    Wait(BYTE),
    Interrupt(EV, true),
    Read(SR1, ALL, ADDR),
    Read(SR2, 0, 0),
    // TXE needs ITBUFEN too.
    Interrupt(EV, true),
    Interrupt(EV, false),
    Write(CR2, 16 | 1 << 9 | 1 << 10),
    Interrupt(EV, true),
])]
#[case::standard_mode(&[
    Write(CR1, 0),
    // 100 kHz.
    Write(CCR, 80),
    Write(CR1, PE | START),
    Wait(10 * MICROSECOND),
    Read(SR1, ALL, SB),
    Write(DR, WRITE),
    Wait(89 * MICROSECOND),
    Read(SR1, ALL, 0),
    Wait(2 * MICROSECOND),
    Read(SR1, ALL, ADDR),
])]
#[case::fast_mode_duty_16_9(&[
    Write(CR1, 0),
    // 25 * 2 / 16 MHz = 3.125 us.
    Write(CCR, 0xC002),
    Write(CR1, PE | START),
    Wait(3 * MICROSECOND),
    Read(SR1, ALL, 0),
    Wait(MICROSECOND),
    Read(SR1, ALL, SB),
    Write(DR, WRITE),
    Wait(28 * MICROSECOND),
    Read(SR1, ALL, 0),
    Wait(200),
    Read(SR1, ALL, ADDR),
])]
#[case::a_stop_of_no_transfer_goes_away(&[
    Write(CR1, PE | STOP),
    Read(CR1, STOP, 0),
])]
fn bus(#[case] steps: &[Step]) {
    Bench::new().run(&SETUP).run(steps);
}

#[rstest]
#[case::btf_after_the_last_byte(&[
    Read(SR1, ALL, TXE),
    Write(DR, 0x00),
    Read(SR1, ALL, TXE),
    Wait(BYTE),
    Read(SR1, ALL, TXE | BTF),
    Write(DR, 0xA6),
    Read(SR1, ALL, TXE),
    Wait(BYTE),
    Read(SR1, ALL, TXE | BTF),
    Write(CR1, PE | STOP),
    Wait(BIT),
    Read(SR1, ALL, 0),
    Read(SR2, ALL, 0),
])]
#[case::data_register_full(&[
    Write(DR, 0x00),
    Write(DR, 0xA6),
    Read(SR1, ALL, 0),
    Wait(BYTE),
    Read(SR1, ALL, TXE),
    Wait(BYTE),
    Read(SR1, ALL, TXE | BTF),
])]
#[case::stop_comes_after_the_byte_in_the_shift_register(&[
    Write(DR, 0x00),
    Write(CR1, PE | STOP),
    Wait(BYTE - 100),
    Read(SR2, ALL, MSL | BUSY | TRA),
    Wait(BIT + 100),
    Read(SR2, ALL, 0),
])]
#[case::repeated_start(&[
    Write(DR, 0x00),
    Wait(BYTE),
    Write(CR1, PE | START | ACK),
    Wait(BIT),
    Read(SR1, ALL, SB),
    Read(SR2, ALL, MSL | BUSY),
    Write(DR, READ),
    Wait(BYTE),
    Read(SR1, ALL, ADDR),
    Read(SR2, ALL, MSL | BUSY),
])]
fn transmitter(#[case] steps: &[Step]) {
    let mut bench = Bench::new();
    bench.run(&SETUP).run(&addressed(WRITE));
    bench.run(&[Read(SR1, ALL, ADDR), Read(SR2, ALL, MSL | BUSY | TRA)]);
    bench.run(steps);
}

/// The display's status register reads 0x40 while it is off.
const STATUS: u32 = 0x40;

#[rstest]
#[case::one_byte(&[
    Write(CR1, PE),
    Read(SR2, 0, 0),
    Write(CR1, PE | STOP),
    Wait(BYTE),
    Read(SR1, ALL, RXNE),
    Wait(BIT),
    Read(SR2, ALL, 0),
    Read(DR, ALL, STATUS),
    Read(SR1, ALL, 0),
])]
#[case::two_bytes_with_pos(&[
    Write(CR1, PE | ACK | POS),
    Read(SR2, 0, 0),
    Write(CR1, PE | POS),
    Wait(BYTE),
    Read(SR1, ALL, RXNE),
    Wait(BYTE),
    Read(SR1, ALL, RXNE | BTF),
    Write(CR1, PE | POS | STOP),
    Read(DR, ALL, STATUS),
    Read(SR1, ALL, RXNE),
    Read(DR, ALL, STATUS),
    Read(SR1, ALL, 0),
    Wait(BIT),
    Read(SR2, ALL, 0),
])]
#[case::three_bytes_by_btf(&[
    Read(SR2, 0, 0),
    Wait(2 * BYTE),
    Read(SR1, ALL, RXNE | BTF),
    // SCL is held low: nothing goes on.
    Wait(10 * BYTE),
    Read(SR1, ALL, RXNE | BTF),
    Write(CR1, PE),
    Read(DR, ALL, STATUS),
    Wait(BYTE),
    Read(SR1, ALL, RXNE | BTF),
    Write(CR1, PE | STOP),
    Read(DR, ALL, STATUS),
    Wait(BIT),
    Read(DR, ALL, STATUS),
    Read(SR1, ALL, 0),
    Read(SR2, ALL, 0),
])]
#[case::by_rxne_interrupts(&[
    Write(CR2, 16 | 1 << 9 | 1 << 10),
    Interrupt(EV, true),
    Read(SR2, 0, 0),
    Interrupt(EV, true),
    Interrupt(EV, false),
    Wait(BYTE),
    Interrupt(EV, true),
    Read(DR, ALL, STATUS),
    Write(CR1, PE | STOP),
    Wait(BYTE),
    Interrupt(EV, true),
    Read(DR, ALL, STATUS),
    Wait(BIT),
    Read(SR2, ALL, 0),
    Interrupt(EV, true),
    Interrupt(EV, false),
])]
#[case::repeated_start_keeps_what_was_received(&[
    Write(CR1, PE),
    Read(SR2, 0, 0),
    Write(CR1, PE | START),
    Wait(BYTE + BIT),
    Read(SR1, ALL, RXNE | SB),
    Read(DR, ALL, STATUS),
    Read(SR1, ALL, SB),
])]
fn receiver(#[case] steps: &[Step]) {
    let mut bench = Bench::new();
    bench.run(&SETUP).run(&addressed(READ));
    bench.run(&[Read(SR1, ALL, ADDR)]).run(steps);
}

/// A late NACK: the byte was acknowledged, and one byte more is read.
#[test]
fn the_acknowledge_bit_counts_at_the_ninth_clock() {
    for (delay, extra) in [(7 * BIT, false), (8 * BIT + 500, true)] {
        let mut bench = Bench::new();
        bench.run(&SETUP).run(&addressed(READ));
        bench.run(&[Read(SR1, ALL, ADDR), Read(SR2, 0, 0)]);
        bench.run(&[Wait(delay), Write(CR1, PE), Wait(3 * BYTE)]);
        let flags = if extra { RXNE | BTF } else { RXNE };
        bench.run(&[Read(SR1, ALL, flags)]);
    }
}

#[test]
fn a_stuck_line_keeps_the_bus_busy_until_clocks_free_it() {
    let mut bench = Bench::new();
    bench.run(&SETUP);
    bench.devkit.hold_sda_low(Some(3));
    bench.run(&[
        Read(SR2, ALL, BUSY),
        Write(CR1, PE | START),
        Wait(MILLISECOND),
        Read(SR1, ALL, 0),
        Write(CR1, 0),
        // SCL by hand, as an open-drain output.
        Write(GPIOB, 0x0009_0280),
        Read(GPIOB + 0x10, 1 << 9, 0),
    ]);
    for _ in 0..3 {
        bench.run(&[Write(GPIOB + 0x18, 1 << 24), Write(GPIOB + 0x18, 1 << 8)]);
    }
    bench.run(&[
        Read(GPIOB + 0x10, 1 << 9, 1 << 9),
        Write(GPIOB, 0x000A_0280),
        Write(CR1, PE | START),
        Wait(BIT),
        Read(SR1, ALL, SB),
    ]);
}

#[rstest]
#[case::i2c2(0x4000_5800, 22, 33)]
#[case::i2c3(0x4000_5C00, 23, 72)]
fn the_others_find_nobody(#[case] base: u32, #[case] bit: u32, #[case] irq: u32) {
    check(&[
        Write(APB1ENR, 1 << bit),
        Write(base + 0x04, 16 | 1 << 9 | 1 << 8),
        Write(base + 0x1C, 0x800D),
        Write(base, PE | START),
        Wait(BIT),
        Interrupt(irq, true),
        Read(base + 0x14, ALL, SB),
        Write(base + 0x10, WRITE),
        Wait(BYTE),
        Read(base + 0x14, ALL, AF),
        Interrupt(irq + 1, true),
    ]);
}

#[test]
fn bits_are_where_st_has_them() {
    use crate::against_st::check_bits;
    let cr1 = [
        ("PE", PE),
        ("START", START),
        ("STOP", STOP),
        ("ACK", ACK),
        ("POS", POS),
    ];
    check_bits("I2C1", "CR1", &cr1);
    check_bits("I2C1", "CR1", &[("SWRST", 1 << 15)]);
    let cr2 = [
        ("FREQ", 0x3F),
        ("ITERREN", 1 << 8),
        ("ITEVTEN", 1 << 9),
        ("ITBUFEN", 1 << 10),
    ];
    check_bits("I2C1", "CR2", &cr2);
    let sr1 = [
        ("START", SB),
        ("ADDR", ADDR),
        ("BTF", BTF),
        ("RXNE", RXNE),
        ("TXE", TXE),
        ("AF", AF),
    ];
    check_bits("I2C1", "SR1", &sr1);
    check_bits("I2C1", "SR2", &[("MSL", MSL), ("BUSY", BUSY), ("TRA", TRA)]);
    check_bits(
        "I2C1",
        "CCR",
        &[("CCR", 0xFFF), ("DUTY", 1 << 14), ("F_S", 1 << 15)],
    );
}
