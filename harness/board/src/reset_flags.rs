//! Why a chip was reset, by the flags of RCC_CSR.

/// Flags of RCC_CSR and their names in lower case, those first that say most (RM0402 section
/// 6.3.21).
const NAMES: [(u32, &str); 6] = [
    (1 << 31, "lpwr"),
    (1 << 30, "wwdg"),
    (1 << 29, "iwdg"),
    (1 << 28, "sft"),
    (1 << 27, "por"),
    (1 << 25, "bor"),
];
/// PINRSTF: every reset pulls NRST low, so it tells nothing beside another.
const PIN: u32 = 1 << 26;

/// PORRSTF and BORRSTF.
const POWER: u32 = 1 << 27 | 1 << 25;

/// The reset flags of a chip. They pile up until software clears them all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ResetFlags(u32);

impl ResetFlags {
    /// The flags in a value of RCC_CSR.
    pub(crate) const fn new(csr: u32) -> Self {
        Self(csr & 0xFE00_0000)
    }

    /// Why the chip was reset, when these are the flags after it and `before` those before it. The
    /// debugger never clears them: firmware may want to see them.
    pub(crate) fn cause(self, before: Self) -> String {
        let cleared = before.0 & !self.0 != 0;
        let new = match cleared {
            true => self.0,
            false => self.0 & !before.0,
        };
        let named = NAMES.iter().find(|(flag, _)| new & flag != 0);
        if let Some((_, name)) = named {
            return (*name).to_owned();
        }
        if new & PIN != 0 {
            return "pin".to_owned();
        }
        // Every cause that it could be was there before; a loss of power would have ended the
        // debugger's session.
        let names = NAMES.iter().filter(|(flag, _)| self.0 & !POWER & flag != 0);
        let names = names.map(|(_, name)| *name).chain(["pin"]);
        names.collect::<Vec<_>>().join(" or ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const SFT: u32 = 1 << 28;
    const IWDG: u32 = 1 << 29;

    #[rstest]
    #[case::watchdog(SFT | PIN, IWDG | SFT | PIN, "iwdg")]
    #[case::software(PIN, SFT | PIN, "sft")]
    #[case::firmware_had_cleared_them(IWDG | SFT | PIN, SFT | PIN, "sft")]
    #[case::pin_after_clearing(SFT | PIN, PIN, "pin")]
    #[case::nothing_new(SFT | PIN, SFT | PIN, "sft or pin")]
    #[case::nothing_new_after_power_on(POWER | SFT | PIN, POWER | SFT | PIN, "sft or pin")]
    #[case::from_none(0, PIN, "pin")]
    #[case::power(SFT | PIN, 1 << 27 | 1 << 25 | PIN, "por")]
    fn a_cause_is_what_is_new(#[case] before: u32, #[case] after: u32, #[case] cause: &str) {
        let (before, after) = (ResetFlags::new(before | 3), ResetFlags::new(after | 3));
        assert_eq!(after.cause(before), cause);
    }
}
