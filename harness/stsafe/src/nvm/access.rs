//! Access conditions of a zone (Query 12, Read and Update option bytes).

/// Who may do it; a higher one is stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Condition {
    /// Everybody.
    Always = 0,
    /// Who sends a valid host C-MAC.
    Host = 1,
    /// Who is authenticated.
    Authenticated = 2,
    /// Who sends a valid administrator's MAC.
    Mac = 3,
    /// Nobody. Codes 5 to 7 mean the same and are told as 7.
    Never = 7,
}

/// Whether a condition may still be made stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeRight {
    /// For ever as it is.
    Given,
    /// May be made stricter, and the right given up.
    Kept,
}

/// One condition with its change right: four bits on the wire, the right above the condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessCondition {
    /// Who may do it.
    pub condition: Condition,
    /// Whether that may still change.
    pub change: ChangeRight,
}

impl AccessCondition {
    /// Open to everybody, and may be made stricter.
    pub const OPEN: Self = Self {
        condition: Condition::Always,
        change: ChangeRight::Kept,
    };

    /// The four bits on the wire.
    pub const fn nibble(self) -> u8 {
        let right = match self.change {
            ChangeRight::Given => 0,
            ChangeRight::Kept => 0x8,
        };
        right | self.condition as u8
    }

    /// From the four low bits of `bits`.
    pub const fn from_nibble(bits: u8) -> Self {
        let condition = match bits & 0x7 {
            0 => Condition::Always,
            1 => Condition::Host,
            2 => Condition::Authenticated,
            3 => Condition::Mac,
            _ => Condition::Never,
        };
        let change = if bits & 0x8 == 0 {
            ChangeRight::Given
        } else {
            ChangeRight::Kept
        };
        Self { condition, change }
    }

    /// Whether the chip lets a host turn `self` into `new`: only with the change right, and
    /// never to a weaker condition.
    pub fn may_become(self, new: Self) -> bool {
        self.change == ChangeRight::Kept && new.condition >= self.condition
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nibbles_read_back() {
        for bits in [0, 1, 2, 3, 7, 8, 9, 10, 11, 15] {
            assert_eq!(AccessCondition::from_nibble(bits).nibble(), bits);
        }
        for never in 4..7 {
            assert_eq!(AccessCondition::from_nibble(never).nibble(), 7);
        }
    }

    #[test]
    fn conditions_only_get_stricter() {
        let host = AccessCondition::from_nibble(0x9);
        assert!(AccessCondition::OPEN.may_become(host));
        assert!(!host.may_become(AccessCondition::OPEN));
        assert!(host.may_become(AccessCondition::from_nibble(0x1)));
        assert!(!AccessCondition::from_nibble(0x1).may_become(host));
    }
}
