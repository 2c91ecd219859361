//! The clock tree (RM0402 section 6.2 and figure 14).

use super::registers::*;
use crate::clock::Frequency;

/// The internal oscillator.
pub const HSI: Frequency = Frequency::hertz(16_000_000);
/// The board's crystal.
pub const HSE: Frequency = Frequency::hertz(26_000_000);
/// The internal low-speed oscillator.
pub const LSI: Frequency = Frequency::hertz(32_000);
/// The low-speed crystal.
const LSE: Frequency = Frequency::hertz(32_768);

/// The frequencies that the tree gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clocks {
    /// The processor's and the AHB's clock.
    pub hclk: Frequency,
    /// APB1's clock.
    pub pclk1: Frequency,
    /// APB2's clock.
    pub pclk2: Frequency,
    /// The kernel clock of the timers on APB1.
    pub timers1: Frequency,
    /// The kernel clock of the timers on APB2.
    pub timers2: Frequency,
    /// The clock of RNG, SDIO and USB, where its PLL runs.
    pub clk48: Option<Frequency>,
    /// The real-time clock's clock, where one is selected.
    pub rtc: Option<Frequency>,
}

/// What the tree depends on.
pub(super) struct Selection {
    pub(super) switched: u32,
    pub(super) configuration: u32,
    pub(super) pll: u32,
    pub(super) plli2s: u32,
    pub(super) pll_ready: bool,
    pub(super) plli2s_ready: bool,
    pub(super) dedicated: [u32; 2],
    pub(super) backup: u32,
}

impl Clocks {
    pub(super) fn of(selection: &Selection) -> Self {
        let sysclk = match selection.switched {
            SW_HSE => HSE,
            SW_PLL => pll_output(selection.pll).unwrap_or(HSI),
            _ => HSI,
        };
        let hclk = sysclk.scaled(1, ahb_divider(selection.configuration >> 4));
        let apb1 = apb_divider(selection.configuration >> 10);
        let apb2 = apb_divider(selection.configuration >> 13);
        let doubled = selection.dedicated[0] >> 24 & 1 != 0;
        let timers = |divider: u64| {
            // RM0402 section 6.3.25, TIMPRE.
            let undivided = if doubled { 4 } else { 2 };
            if divider <= undivided {
                let multiplier = if divider == 1 { 1 } else { divider };
                hclk.scaled(multiplier, divider)
            } else {
                hclk.scaled(undivided, divider)
            }
        };
        Self {
            hclk,
            pclk1: hclk.scaled(1, apb1),
            pclk2: hclk.scaled(1, apb2),
            timers1: timers(apb1),
            timers2: timers(apb2),
            clk48: clk48(selection),
            rtc: rtc(selection),
        }
    }
}

fn ahb_divider(bits: u32) -> u64 {
    match bits & 0xF {
        0..=7 => 1,
        8 => 2,
        9 => 4,
        10 => 8,
        11 => 16,
        12 => 64,
        13 => 128,
        14 => 256,
        _ => 512,
    }
}

fn apb_divider(bits: u32) -> u64 {
    match bits & 0b111 {
        0..=3 => 1,
        4 => 2,
        5 => 4,
        6 => 8,
        _ => 16,
    }
}

fn pll_input(pll: u32) -> Frequency {
    if pll & PLLCFGR_PLLSRC_HSE == 0 {
        HSI
    } else {
        HSE
    }
}

fn factor(register: u32, shift: u32, width: u32) -> u64 {
    u64::from(register >> shift & ((1 << width) - 1))
}

/// The oscillator of a PLL whose registers are within the limits (RM0402 section 6.3.2).
fn vco(input: Frequency, divider: u64, multiplier: u64) -> Option<Frequency> {
    let valid = (2..=63).contains(&divider) && (50..=432).contains(&multiplier);
    valid.then(|| input.scaled(multiplier, divider))
}

fn pll_vco(pll: u32) -> Option<Frequency> {
    vco(pll_input(pll), factor(pll, 0, 6), factor(pll, 6, 9))
}

fn pll_output(pll: u32) -> Option<Frequency> {
    let divider = factor(pll, 16, 2) * 2 + 2;
    Some(pll_vco(pll)?.scaled(1, divider))
}

pub(super) fn pll_locks(pll: u32) -> bool {
    pll_vco(pll).is_some()
}

fn plli2s_vco(plli2s: u32, pll: u32) -> Option<Frequency> {
    vco(pll_input(pll), factor(plli2s, 0, 6), factor(plli2s, 6, 9))
}

pub(super) fn plli2s_locks(plli2s: u32, pll: u32) -> bool {
    plli2s_vco(plli2s, pll).is_some()
}

/// CK48MSEL of DCKCFGR2 selects between the PLLs' Q outputs (RM0402 section 6.3.27).
fn clk48(selection: &Selection) -> Option<Frequency> {
    let (vco, register, ready) = if selection.dedicated[1] >> 27 & 1 == 0 {
        (pll_vco(selection.pll), selection.pll, selection.pll_ready)
    } else {
        (
            plli2s_vco(selection.plli2s, selection.pll),
            selection.plli2s,
            selection.plli2s_ready,
        )
    };
    let divider = factor(register, 24, 4);
    vco.filter(|_| ready && divider >= 2)
        .map(|vco| vco.scaled(1, divider))
}

fn rtc(selection: &Selection) -> Option<Frequency> {
    let prescaler = factor(selection.configuration, 16, 5);
    match (selection.backup & BDCR_RTCSEL) >> 8 {
        1 => Some(LSE),
        2 => Some(LSI),
        3 if prescaler >= 2 => Some(HSE.scaled(1, prescaler)),
        _ => None,
    }
}
