//! Timers, watchdog, real-time clock, random numbers, CRC, identification.

use az3166_emulator::peripheral::rng::RngFault;
use az3166_event::{MachineEvent, Payload};
use rstest::rstest;

use crate::script::*;

const AHB1ENR: u32 = 0x4002_3830;
const AHB2ENR: u32 = 0x4002_3834;
const APB1ENR: u32 = 0x4002_3840;
const APB2ENR: u32 = 0x4002_3844;
const BDCR: u32 = 0x4002_3870;
const CSR: u32 = 0x4002_3874;
const PWR_CR: u32 = 0x4000_7000;

/// TIM2: base, bit in APB1ENR, interrupt.
const TIM2: u32 = 0x4000_0000;
const CR1: u32 = TIM2;
const DIER: u32 = TIM2 + 0x0C;
const SR: u32 = TIM2 + 0x10;
const EGR: u32 = TIM2 + 0x14;
const CCMR1: u32 = TIM2 + 0x18;
const CNT: u32 = TIM2 + 0x24;
const PSC: u32 = TIM2 + 0x28;
const ARR: u32 = TIM2 + 0x2C;
const CCR1: u32 = TIM2 + 0x34;
const IRQ: u32 = 28;
const UIF: u32 = 1;
const CC1IF: u32 = 2;

#[rstest]
#[case::counts_and_wraps(&[
    // 16 MHz / 16: a microsecond a tick, 100 ticks a period.
    Write(PSC, 15),
    Write(ARR, 99),
    Write(EGR, 1),
    Write(SR, 0),
    Write(CR1, 1),
    Wait(50 * MICROSECOND + 500),
    Read(CNT, u32::MAX, 50),
    Read(SR, UIF, 0),
    Wait(60 * MICROSECOND),
    Read(CNT, u32::MAX, 10),
    Read(SR, UIF, UIF),
    Write(SR, 0),
    Read(SR, UIF, 0),
    Wait(1000 * 100 * MICROSECOND),
    Read(CNT, u32::MAX, 10),
    Read(SR, UIF, UIF),
])]
#[case::the_prescaler_waits_for_an_update(&[
    Write(PSC, 15),
    Write(CR1, 1),
    Wait(10 * MICROSECOND),
    Read(CNT, u32::MAX, 160),
    Write(EGR, 1),
    Wait(10 * MICROSECOND + 500),
    Read(CNT, u32::MAX, 10),
])]
#[case::update_generation_sets_the_flag(&[
    Write(EGR, 1),
    Read(SR, UIF, UIF),
    Write(SR, !UIF),
    Write(CR1, 1 << 2),
    Write(EGR, 1),
    Read(SR, UIF, 0),
])]
#[case::update_interrupt(&[
    Write(ARR, 15_999),
    Write(DIER, 1),
    Write(CR1, 1),
    Interrupt(IRQ, false),
    Wait(MILLISECOND),
    Interrupt(IRQ, true),
    Write(SR, 0),
    Interrupt(IRQ, true),
    Interrupt(IRQ, false),
    Wait(MILLISECOND),
    Interrupt(IRQ, true),
])]
#[case::one_pulse(&[
    Write(ARR, 1599),
    Write(CR1, 1 | 1 << 3),
    Wait(MILLISECOND),
    Read(CR1, 1, 0),
    Read(CNT, u32::MAX, 0),
    Read(SR, UIF, UIF),
])]
#[case::auto_reload_at_once_without_preload(&[
    Write(ARR, 1_000_000),
    Write(CR1, 1),
    Wait(10 * MICROSECOND),
    Write(ARR, 319),
    Wait(15 * MICROSECOND),
    Read(SR, UIF, UIF),
])]
#[case::auto_reload_after_the_update_with_preload(&[
    Write(ARR, 1599),
    Write(EGR, 1),
    Write(SR, 0),
    Write(CR1, 1 | 1 << 7),
    Write(ARR, 159),
    Wait(50 * MICROSECOND),
    Read(SR, UIF, 0),
    Wait(51 * MICROSECOND),
    Read(SR, UIF, UIF),
    Write(SR, 0),
    Wait(10 * MICROSECOND),
    Read(SR, UIF, UIF),
])]
#[case::compare(&[
    Write(ARR, 15_999),
    Write(CCR1, 8000),
    Write(DIER, 2),
    Write(CR1, 1),
    Wait(490 * MICROSECOND),
    Read(SR, CC1IF, 0),
    Interrupt(IRQ, false),
    Wait(15 * MICROSECOND),
    Interrupt(IRQ, true),
    Read(SR, UIF | CC1IF, CC1IF),
])]
#[case::compare_set_behind_the_counter_comes_in_the_next_period(&[
    Write(ARR, 15_999),
    Write(CR1, 1),
    Wait(500 * MICROSECOND),
    Write(CCR1, 100),
    Write(SR, 0),
    Write(DIER, 2),
    Wait(490 * MICROSECOND),
    Interrupt(IRQ, false),
    Wait(20 * MICROSECOND),
    Interrupt(IRQ, true),
])]
#[case::counter_stops_and_goes_on(&[
    Write(CR1, 1),
    Wait(10 * MICROSECOND),
    Write(CR1, 0),
    Read(CNT, u32::MAX, 160),
    Wait(MILLISECOND),
    Read(CNT, u32::MAX, 160),
    Write(CR1, 1),
    Wait(10 * MICROSECOND),
    Read(CNT, u32::MAX, 320),
])]
#[case::set_above_auto_reload_it_runs_to_the_end(&[
    Write(ARR, 99),
    Write(DIER, 1),
    Write(CNT, 0xFFFF_0000),
    Write(CR1, 1),
    Wait(MILLISECOND),
    Read(CNT, u32::MAX, 0xFFFF_0000 + 16_000),
    Interrupt(IRQ, false),
    Wait(4 * MILLISECOND),
    Interrupt(IRQ, true),
])]
#[case::thirty_two_bits(&[
    Write(CNT, 0xFFFF_FFF0),
    Write(CR1, 1),
    Wait(2 * MICROSECOND),
    Read(CNT, u32::MAX, 16),
    Read(SR, UIF, UIF),
])]
fn timer(#[case] steps: &[Step]) {
    let mut bench = Bench::new();
    bench.run(&[Write(APB1ENR, 1)]).run(steps);
}

/// Base, enable register, bit, interrupt.
#[rstest]
#[case::tim2(0x4000_0000, APB1ENR, 0, 28)]
#[case::tim3(0x4000_0400, APB1ENR, 1, 29)]
#[case::tim4(0x4000_0800, APB1ENR, 2, 30)]
#[case::tim5(0x4000_0C00, APB1ENR, 3, 50)]
#[case::tim9(0x4001_4000, APB2ENR, 16, 24)]
#[case::tim10(0x4001_4400, APB2ENR, 17, 25)]
#[case::tim11(0x4001_4800, APB2ENR, 18, 26)]
fn every_timer(#[case] base: u32, #[case] enable: u32, #[case] bit: u32, #[case] irq: u32) {
    check(&[
        Write(enable, 1 << bit),
        Write(base + 0x28, 15),
        Write(base + 0x2C, 999),
        Write(base + 0x14, 1),
        Write(base + 0x10, 0),
        Write(base + 0x0C, 1),
        Write(base, 1),
        Wait(990 * MICROSECOND),
        Interrupt(irq, false),
        Wait(20 * MICROSECOND),
        Interrupt(irq, true),
    ]);
}

/// What the model has not is said, not ignored.
#[rstest]
#[case::down_counting(CR1, 1 << 4)]
#[case::dma(DIER, 1 << 8)]
#[case::capture(CCMR1, 1)]
#[case::slave_mode(TIM2 + 0x08, 7)]
#[case::a_reserved_offset(TIM2 + 0x30, 1)]
#[case::standby(PWR_CR, 0x8002)]
#[case::another_peripheral(0x4001_5000, 1)]
fn unmodelled(#[case] address: u32, #[case] value: u32) {
    let mut bench = Bench::new();
    bench.write(APB1ENR, 1 | 1 << 28);
    bench.devkit.drain_events();
    bench.write(address, value);
    let events = bench.devkit.drain_events();
    let [
        (
            _,
            Payload::Machine(MachineEvent::UnmodelledAccess {
                address: at,
                value: wrote,
                ..
            }),
        ),
    ] = events.as_slice()
    else {
        panic!("{events:?}");
    };
    assert_eq!((*at, *wrote), (address, Some(value)));
}

const KR: u32 = 0x4000_3000;
const PR: u32 = 0x4000_3004;
const RLR: u32 = 0x4000_3008;
const IWDG_SR: u32 = 0x4000_300C;

/// 32 kHz / 4: a period of 125 us for each count.
#[rstest]
#[case::expires(&[Write(KR, 0xCCCC), Wait(513 * MILLISECOND)], true)]
#[case::lives_until_then(&[Write(KR, 0xCCCC), Wait(510 * MILLISECOND)], false)]
#[case::fed(&[
    Write(KR, 0xCCCC),
    Wait(500 * MILLISECOND),
    Write(KR, 0xAAAA),
    Wait(500 * MILLISECOND),
], false)]
#[case::not_started(&[Write(KR, 0xAAAA), Wait(1000 * MILLISECOND)], false)]
#[case::shorter(&[
    Write(KR, 0x5555),
    Write(PR, 1),
    Write(RLR, 99),
    Read(IWDG_SR, 3, 3),
    Wait(MILLISECOND),
    Read(IWDG_SR, 3, 0),
    Write(KR, 0xCCCC),
    Wait(24 * MILLISECOND),
    Write(KR, 0xAAAA),
    Wait(26 * MILLISECOND),
], true)]
#[case::locked_registers(&[
    Write(PR, 1),
    Write(RLR, 99),
    Read(PR, 7, 0),
    Read(RLR, 0xFFF, 0xFFF),
], false)]
fn watchdog(#[case] steps: &[Step], #[case] bites: bool) {
    let mut bench = Bench::new();
    bench.run(steps);
    let flags = if bites { 1 << 29 } else { 0 };
    bench.run(&[Read(CSR, 1 << 29, flags)]);
    let events = bench.devkit.drain_events();
    let reset = Payload::Machine(MachineEvent::Reset {
        cause: "iwdg".into(),
    });
    assert_eq!(events.iter().any(|(_, event)| *event == reset), bites);
}

const RTC_TR: u32 = 0x4000_2800;
const RTC_DR: u32 = 0x4000_2804;
const RTC_ISR: u32 = 0x4000_280C;
const WPR: u32 = 0x4000_2824;
const BKP0R: u32 = 0x4000_2850;

/// LSI as its clock with the prescalers for 32 kHz, in initialisation mode.
const RTC_SETUP: [Step; 10] = [
    Write(APB1ENR, 1 << 28),
    Write(PWR_CR, 0x8100),
    Write(CSR, 1),
    Write(BDCR, 1 << 15 | 2 << 8),
    Write(WPR, 0xCA),
    Write(WPR, 0x53),
    Write(RTC_ISR, 1 << 7),
    Read(RTC_ISR, 1 << 6, 1 << 6),
    Write(0x4000_2810, 249),
    Write(0x4000_2810, 127 << 16 | 249),
];

#[rstest]
#[case::goes_on(&[
    Write(RTC_TR, 0x23_59_58),
    Write(RTC_DR, 0x24_42_28),
    Write(RTC_ISR, 0),
    Wait(1500 * MILLISECOND),
    Read(RTC_TR, u32::MAX, 0x23_59_59),
    Wait(1000 * MILLISECOND),
    Read(RTC_TR, u32::MAX, 0),
    // 2024 is a leap year; Wednesday follows Tuesday.
    Read(RTC_DR, u32::MAX, 0x24_62_29),
    Wait(86_400 * 1000 * MILLISECOND),
    Read(RTC_DR, u32::MAX, 0x24_83_01),
])]
#[case::backup_registers(&[
    Write(WPR, 0),
    Write(BKP0R, 0xCAFE_F00D),
    Read(BKP0R, u32::MAX, 0xCAFE_F00D),
    Write(PWR_CR, 0x8000),
    Write(BKP0R, 1),
    Read(BKP0R, u32::MAX, 0xCAFE_F00D),
    Write(PWR_CR, 0x8100),
    Write(BDCR, 1 << 16),
    Write(BDCR, 0),
    Read(BKP0R, u32::MAX, 0),
])]
#[case::protected(&[
    Write(WPR, 0),
    Write(RTC_TR, 0x12_34_56),
    Read(RTC_TR, u32::MAX, 0),
])]
fn real_time_clock(#[case] steps: &[Step]) {
    let mut bench = Bench::new();
    bench.run(&RTC_SETUP).run(steps);
}

#[test]
fn the_backup_domain_survives_a_reset_and_no_loss_of_power() {
    use az3166_emulator::Power;
    let mut bench = Bench::new();
    bench.run(&RTC_SETUP).run(&[Write(BKP0R, 0xCAFE_F00D)]);
    bench.devkit.reset_pin();
    bench.run(&[Read(BKP0R, u32::MAX, 0xCAFE_F00D)]);
    bench.devkit.set_power(Power::Off);
    bench.devkit.set_power(Power::On);
    bench.run(&[Read(BKP0R, u32::MAX, 0)]);
}

const RNG_CR: u32 = 0x5006_0800;
const RNG_SR: u32 = 0x5006_0804;
const RNG_DR: u32 = 0x5006_0808;
const RNG_IRQ: u32 = 80;

/// The PLL at 192 MHz / 4 gives 48 MHz to RNG.
const RNG_SETUP: [Step; 4] = [
    Write(0x4002_3804, 0x0400_3010),
    Write(0x4002_3800, 1 << 24 | 0x81),
    Wait(MILLISECOND),
    Write(AHB2ENR, 1 << 6),
];

#[rstest]
#[case::ready_after_forty_periods(&[
    Write(RNG_CR, 4),
    Read(RNG_SR, u32::MAX, 0),
    Wait(MICROSECOND),
    Read(RNG_SR, u32::MAX, 1),
])]
#[case::interrupt(&[
    Write(RNG_CR, 0xC),
    Wait(MICROSECOND),
    Interrupt(RNG_IRQ, true),
])]
#[case::off(&[Wait(MICROSECOND), Read(RNG_SR, u32::MAX, 0), Read(RNG_DR, u32::MAX, 0)])]
fn random_numbers(#[case] steps: &[Step]) {
    let mut bench = Bench::new();
    bench.run(&RNG_SETUP).run(steps);
}

fn numbers(bench: &mut Bench) -> Vec<u32> {
    bench.run(&RNG_SETUP).run(&[Write(RNG_CR, 4)]);
    (0..8)
        .map(|_| {
            bench.run(&[Wait(MICROSECOND), Read(RNG_SR, u32::MAX, 1)]);
            let number = bench.read(RNG_DR);
            bench.run(&[Read(RNG_SR, 1, 0), Read(RNG_DR, u32::MAX, 0)]);
            number
        })
        .collect()
}

#[test]
fn random_numbers_come_from_the_seed_and_never_again() {
    let (mut one, mut same) = (Bench::new(), Bench::new());
    let mut config = config();
    config.seed += 1;
    let mut other = Bench::of(config);
    let first = numbers(&mut one);
    assert_eq!(first, numbers(&mut same));
    assert_ne!(first, numbers(&mut other));
    one.devkit.reset_pin();
    assert_ne!(first, numbers(&mut one));
}

#[test]
fn random_number_faults() {
    let mut bench = Bench::new();
    bench
        .run(&RNG_SETUP)
        .run(&[Write(RNG_CR, 0xC), Wait(MICROSECOND)]);
    bench.devkit.inject_rng_fault(RngFault::Seed);
    bench.run(&[
        Interrupt(RNG_IRQ, true),
        Read(RNG_SR, u32::MAX, 1 << 6 | 1 << 2),
        Read(RNG_DR, u32::MAX, 0),
        // SEIS is cleared by writing 0, SECS by starting again.
        Write(RNG_SR, 0),
        Read(RNG_SR, u32::MAX, 1 << 2),
        Write(RNG_CR, 0),
        Write(RNG_CR, 4),
        Wait(MICROSECOND),
        Read(RNG_SR, u32::MAX, 1),
    ]);
}

#[test]
fn random_numbers_need_the_48_mhz_clock() {
    check(&[
        Write(AHB2ENR, 1 << 6),
        Write(RNG_CR, 4),
        Wait(MILLISECOND),
        Read(RNG_SR, u32::MAX, 1 << 5 | 1 << 1),
    ]);
}

#[test]
fn crc_of_the_manuals_polynomial() {
    const DR: u32 = 0x4002_3000;
    // CRC-32/MPEG-2 of the big-endian bytes "1234" is 0xFCE37CC6 ... and of "12345678":
    check(&[
        Write(AHB1ENR, 1 << 12),
        Write(DR, 0x3132_3334),
        Write(DR, 0x3536_3738),
        Read(DR, u32::MAX, mpeg2(b"12345678")),
        Write(DR + 8, 1),
        Read(DR, u32::MAX, u32::MAX),
        Write(DR + 4, 0x1A5),
        Read(DR + 4, u32::MAX, 0xA5),
    ]);
}

/// CRC-32/MPEG-2, bit by bit.
fn mpeg2(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for bit in bytes
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1))
    {
        let top = crc >> 31 ^ u32::from(bit);
        crc = crc << 1 ^ if top == 1 { 0x04C1_1DB7 } else { 0 };
    }
    crc
}

#[test]
fn the_check_value_of_the_crc_in_the_test() {
    // The catalogue of parametrised CRC algorithms, CRC-32/MPEG-2.
    assert_eq!(mpeg2(b"123456789"), 0x0376_E6E7);
}

#[test]
fn identification() {
    let word = |at: usize| u32::from_le_bytes(UID[at..at + 4].try_into().unwrap());
    check(&[
        Read(0xE004_2000, u32::MAX, 0x1000_6441),
        Read(0x1FFF_7A10, u32::MAX, word(0)),
        Read(0x1FFF_7A14, u32::MAX, word(4)),
        Read(0x1FFF_7A18, u32::MAX, word(8)),
        Read(0x1FFF_7800, u32::MAX, u32::MAX),
    ]);
    let mut size = [0; 2];
    Bench::new()
        .devkit
        .read_memory(0x1FFF_7A22, &mut size)
        .unwrap();
    assert_eq!(u16::from_le_bytes(size), 1024);
}

#[test]
fn bits_are_where_st_has_them() {
    use crate::against_st::check_bits;
    check_bits(
        "TIM3",
        "CR1_GP16",
        &[("CEN", 1), ("UDIS", 2), ("URS", 4), ("OPM", 8)],
    );
    check_bits(
        "TIM3",
        "DIER_GP16",
        &[("UIE", 1), ("CCIE0", 2), ("CCIE3", 16)],
    );
    check_bits("TIM3", "SR_GP16", &[("UIF", UIF), ("CCIF0", CC1IF)]);
    check_bits("RNG", "CR", &[("RNGEN", 4), ("IE", 8)]);
    let sr = [
        ("DRDY", 1),
        ("CECS", 2),
        ("SECS", 4),
        ("CEIS", 1 << 5),
        ("SEIS", 1 << 6),
    ];
    check_bits("RNG", "SR", &sr);
    check_bits("IWDG", "SR", &[("PVU", 1), ("RVU", 2)]);
    check_bits(
        "RTC",
        "ISR",
        &[("RSF", 1 << 5), ("INITF", 1 << 6), ("INIT", 1 << 7)],
    );
}
