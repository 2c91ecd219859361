//! Bits on SWDIO outside of transfers: the switch from JTAG to SWD and the line reset
//! (ADIv5.2, B4.3.3 and B5.2.1).

/// Ones in a row that reset the line.
const LINE_RESET: u32 = 50;
/// Selects SWD after a line reset; sent least significant bit first.
const JTAG_TO_SWD: u16 = 0xE79E;

/// What the line understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// JTAG, as after power-on: no SWD transfer is answered.
    Jtag,
    /// SWD just after a line reset: only a read of DPIDR is answered.
    Reset,
    /// SWD.
    Ready,
}

/// Watches the bits that a host clocks out.
#[derive(Clone, Debug)]
pub(crate) struct LineWatch {
    pub(crate) line: Line,
    ones: u32,
    /// The last 16 bits, the newest highest.
    recent: u16,
    /// Bits since the last line reset ended; none while no selection may follow.
    since_reset: Option<u32>,
}

impl LineWatch {
    pub(crate) const fn new() -> Self {
        Self {
            line: Line::Jtag,
            ones: 0,
            recent: 0,
            since_reset: None,
        }
    }

    /// Takes the low `count` bits of `bits`, the lowest first.
    pub(crate) fn clock(&mut self, bits: u64, count: u32) {
        for index in 0..count.min(64) {
            self.bit(bits >> index & 1 != 0);
        }
    }

    fn bit(&mut self, bit: bool) {
        self.recent = self.recent >> 1 | u16::from(bit) << 15;
        if bit {
            self.ones += 1;
            if self.ones == LINE_RESET && self.line != Line::Jtag {
                self.line = Line::Reset;
            }
        } else {
            if self.ones >= LINE_RESET {
                self.since_reset = Some(0);
            }
            self.ones = 0;
        }
        if let Some(count) = &mut self.since_reset {
            *count += 1;
            if *count == 16 {
                if self.recent == JTAG_TO_SWD {
                    self.line = Line::Reset;
                }
                self.since_reset = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const ONES: (u64, u32) = (u64::MAX, 51);

    #[rstest]
    #[case::switch(&[ONES, (0xE79E, 16), ONES, (0, 2)], Line::Reset)]
    #[case::in_one_go(&[ONES, (0xE79E, 16)], Line::Reset)]
    #[case::too_few_ones(&[(u64::MAX, 49), (0xE79E, 16)], Line::Jtag)]
    #[case::another_word(&[ONES, (0xE73C, 16), ONES], Line::Jtag)]
    #[case::late(&[ONES, (0, 8), (0xE79E, 16)], Line::Jtag)]
    fn swd_is_selected_by_the_sequence_alone(#[case] bits: &[(u64, u32)], #[case] line: Line) {
        let mut watch = LineWatch::new();
        for (bits, count) in bits {
            watch.clock(*bits, *count);
        }
        assert_eq!(watch.line, line);
    }
}
