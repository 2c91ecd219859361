//! RCC, PWR.

use rstest::rstest;

use crate::script::*;

const CR: u32 = 0x4002_3800;
const PLLCFGR: u32 = 0x4002_3804;
const CFGR: u32 = 0x4002_3808;
const CIR: u32 = 0x4002_380C;
const AHB1RSTR: u32 = 0x4002_3810;
const AHB1ENR: u32 = 0x4002_3830;
const APB1ENR: u32 = 0x4002_3840;
const BDCR: u32 = 0x4002_3870;
const CSR: u32 = 0x4002_3874;
const PWR_CR: u32 = 0x4000_7000;
const PWR_CSR: u32 = 0x4000_7004;
const GPIOA_ODR: u32 = 0x4002_0014;

const HSEON: u32 = 1 << 16;
const HSERDY: u32 = 1 << 17;
const PLLON: u32 = 1 << 24;
const PLLRDY: u32 = 1 << 25;
const RCC_IRQ: u32 = 5;

/// HSE / 13 * 192 / 4 = 96 MHz, as the board runs.
const BOARD_PLL: u32 = 0x2841_300D;

#[rstest]
#[case::ready_bits_come_late(&[
    Write(CR, HSEON | 0x81),
    Read(CR, HSERDY, 0),
    Wait(3 * MILLISECOND),
    Read(CR, HSERDY, HSERDY),
])]
#[case::ready_interrupt(&[
    Write(CIR, 1 << 11),
    Write(CR, HSEON | 0x81),
    Interrupt(RCC_IRQ, false),
    Wait(3 * MILLISECOND),
    Read(CIR, 0xFF, 1 << 3),
    Interrupt(RCC_IRQ, true),
    Write(CIR, 1 << 11 | 1 << 19),
    Read(CIR, 0xFF, 0),
])]
#[case::pll_configuration_is_locked_while_on(&[
    Write(PLLCFGR, 0x2400_3008),
    Write(CR, PLLON | 0x81),
    Write(PLLCFGR, BOARD_PLL),
    Read(PLLCFGR, u32::MAX, 0x2400_3008),
    Wait(MILLISECOND),
    Read(CR, PLLRDY, PLLRDY),
    Write(CR, 0x81),
    Read(CR, PLLRDY, 0),
    Write(PLLCFGR, BOARD_PLL),
    Read(PLLCFGR, u32::MAX, BOARD_PLL),
])]
#[case::a_pll_out_of_range_never_locks(&[
    Write(PLLCFGR, 0x2400_3001),
    Write(CR, PLLON | 0x81),
    Wait(1000 * MILLISECOND),
    Read(CR, PLLRDY, 0),
])]
#[case::the_switch_waits_for_its_source(&[
    Write(CFGR, 0b01),
    Read(CFGR, 0xF, 0b0001),
    Write(CR, HSEON | 0x81),
    Wait(3 * MILLISECOND),
    Read(CFGR, 0xF, 0b0101),
    // HSE cannot be switched off now, HSI can.
    Write(CR, 0x80),
    Read(CR, HSEON | HSERDY | 3, HSEON | HSERDY),
])]
#[case::reset_flags_stay_until_cleared(&[
    Read(CSR, 0xFE00_0000, 0x0E00_0000),
    Write(CSR, 1 << 24),
    Read(CSR, 0xFE00_0000, 0),
])]
#[case::lsi_starts(&[
    Write(CSR, 1),
    Wait(100 * MICROSECOND),
    Read(CSR, 2, 2),
])]
#[case::a_reset_bit_resets_and_holds(&[
    Write(AHB1ENR, 1),
    Write(GPIOA_ODR, 0xAA),
    Read(GPIOA_ODR, 0xFFFF, 0xAA),
    Write(AHB1RSTR, 1),
    Write(GPIOA_ODR, 0x55),
    Write(AHB1RSTR, 0),
    Read(GPIOA_ODR, 0xFFFF, 0),
])]
#[case::without_a_clock_reads_are_zero_and_writes_are_lost(&[
    Write(AHB1ENR, 1),
    Write(GPIOA_ODR, 0xAA),
    Write(AHB1ENR, 0),
    Read(GPIOA_ODR, 0xFFFF, 0),
    Write(GPIOA_ODR, 0x55),
    Write(AHB1ENR, 1),
    Read(GPIOA_ODR, 0xFFFF, 0xAA),
])]
#[case::backup_domain_needs_dbp(&[
    Write(APB1ENR, 1 << 28),
    Write(BDCR, 1 << 9),
    Read(BDCR, 0x300, 0),
    Write(PWR_CR, 1 << 8 | 0x8000),
    Write(BDCR, 1 << 9),
    Read(BDCR, 0x300, 0x200),
    // RTCSEL is written once.
    Write(BDCR, 1 << 8),
    Read(BDCR, 0x300, 0x200),
    Write(BDCR, 1 << 16),
    Write(BDCR, 0),
    Write(BDCR, 1 << 8),
    Read(BDCR, 0x300, 0x100),
])]
#[case::regulator_settles(&[
    Write(APB1ENR, 1 << 28),
    Write(PWR_CR, 0xC000),
    Read(PWR_CSR, 1 << 14, 0),
    Wait(MILLISECOND),
    Read(PWR_CSR, 1 << 14, 1 << 14),
])]
fn script(#[case] steps: &[Step]) {
    check(steps);
}

/// A timer counts as fast as the clock tree says, whatever the tree is.
#[rstest]
#[case::hsi(&[], 16)]
#[case::hse(&[Write(CR, HSEON | 0x81), Wait(3 * MILLISECOND), Write(CFGR, 1)], 26)]
#[case::pll(&[
    Write(CR, HSEON | 0x81),
    Write(PLLCFGR, BOARD_PLL),
    Wait(3 * MILLISECOND),
    Write(CR, HSEON | PLLON | 0x81),
    Wait(MILLISECOND),
    Write(CFGR, 0x1002),
], 96)]
#[case::slow_bus(&[Write(CFGR, 0x1400)], 8)]
#[case::ahb_prescaler(&[Write(CFGR, 0x80)], 8)]
#[case::timpre(&[Write(CFGR, 0x1400), Write(0x4002_388C, 1 << 24)], 16)]
fn timer_clock(#[case] tree: &[Step], #[case] megahertz: u32) {
    const TIM2_CR1: u32 = 0x4000_0000;
    const TIM2_CNT: u32 = 0x4000_0024;
    let mut bench = Bench::new();
    bench.run(tree);
    bench.run(&[Write(APB1ENR, 1), Write(TIM2_CR1, 1), Wait(MILLISECOND)]);
    let count = bench.read(TIM2_CNT);
    // The processor's clock is coarser than a nanosecond: the wait is a tick longer at most.
    assert!(
        count.abs_diff(megahertz * 1000) <= 8,
        "{count} ticks in a millisecond"
    );
}

/// The processor's time follows HCLK: a thousand cycles of SysTick take as long as the clock says.
#[test]
fn time_goes_on_evenly_over_a_change_of_clock() {
    let mut bench = Bench::new();
    let before = bench.devkit.now();
    bench.run(&[
        Write(CR, HSEON | 0x81),
        Wait(2 * MILLISECOND + 100 * MICROSECOND),
        Write(CFGR, 1),
        Wait(10 * MILLISECOND),
        Write(CFGR, 0),
        Wait(10 * MILLISECOND),
    ]);
    let passed = bench.devkit.now() - before;
    assert!(passed.as_nanos().abs_diff(22_100_000) < 500, "{passed:?}");
}

#[test]
fn bits_are_where_st_has_them() {
    use crate::against_st::check_bits;
    let cr = [
        ("HSION", 1),
        ("HSIRDY", 2),
        ("HSEON", HSEON),
        ("HSERDY", HSERDY),
    ];
    check_bits("RCC", "CR", &cr);
    check_bits("RCC", "CR", &[("PLLON", PLLON), ("PLLRDY", PLLRDY)]);
    let pll = [
        ("PLLM", 0x3F),
        ("PLLN", 0x7FC0),
        ("PLLP", 3 << 16),
        ("PLLSRC", 1 << 22),
    ];
    check_bits("RCC", "PLLCFGR", &pll);
    check_bits("RCC", "PLLCFGR", &[("PLLQ", 0xF << 24)]);
    let cfgr = [
        ("SW", 3),
        ("SWS", 0xC),
        ("HPRE", 0xF0),
        ("PPRE1", 0x1C00),
        ("PPRE2", 0xE000),
    ];
    check_bits("RCC", "CFGR", &cfgr);
    let cir = [
        ("HSERDYF", 1 << 3),
        ("HSERDYIE", 1 << 11),
        ("HSERDYC", 1 << 19),
    ];
    check_bits("RCC", "CIR", &cir);
    let csr = [
        ("LSION", 1),
        ("LSIRDY", 2),
        ("RMVF", 1 << 24),
        ("BORRSTF", 1 << 25),
    ];
    check_bits("RCC", "CSR", &csr);
    let csr = [
        ("PADRSTF", 1 << 26),
        ("PORRSTF", 1 << 27),
        ("SFTRSTF", 1 << 28),
        ("WDGRSTF", 1 << 29),
    ];
    check_bits("RCC", "CSR", &csr);
    let bdcr = [("RTCSEL", 0x300), ("RTCEN", 1 << 15), ("BDRST", 1 << 16)];
    check_bits("RCC", "BDCR", &bdcr);
    check_bits("RCC", "DCKCFGR", &[("TIMPRE", 1 << 24)]);
    check_bits("RCC", "DCKCFGR2", &[("CLK48SEL", 1 << 27)]);
    check_bits(
        "PWR",
        "CR1",
        &[("PDDS", 2), ("DBP", 1 << 8), ("VOS", 0xC000)],
    );
    check_bits("PWR", "CSR1", &[("VOSRDY", 1 << 14)]);
}
