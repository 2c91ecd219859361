//! What a target can do. What it cannot is a counted skip with a reason, not an accident.

use core::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

/// Something that a target can do. A scenario that needs what its target cannot is a counted skip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    /// Bytes to and from the serial console.
    Console,
    /// The firmware's debug-channel link, and so the gateway and the local cloud.
    Network,
    /// The OLED's picture can be read.
    Display,
    /// Buttons can be held from before reset.
    Buttons,
    /// Power can be removed and applied.
    Power,
    /// The secure element is our model: its faults and its memory are at hand.
    SecureElementModel,
    /// Single bytes of flash can be changed at will.
    FlashWrite,
    /// Time is virtual: it can be skipped and runs are reproducible.
    VirtualTime,
    /// The chip can be put into the state that the vendor's bootloader leaves.
    BootloaderState,
    /// Buttons can be pressed as a debugger does it, by a locked GPIO pin.
    DebuggerButtons,
}

impl Capability {
    /// Every capability.
    pub const ALL: [Self; 10] = [
        Self::Console,
        Self::Network,
        Self::Display,
        Self::Buttons,
        Self::Power,
        Self::SecureElementModel,
        Self::FlashWrite,
        Self::VirtualTime,
        Self::BootloaderState,
        Self::DebuggerButtons,
    ];

    /// Its name in scenario files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Console => "console",
            Self::Network => "network",
            Self::Display => "display",
            Self::Buttons => "buttons",
            Self::Power => "power",
            Self::SecureElementModel => "secure-element-model",
            Self::FlashWrite => "flash-write",
            Self::VirtualTime => "virtual-time",
            Self::BootloaderState => "bootloader-state",
            Self::DebuggerButtons => "debugger-buttons",
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of capabilities.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities(std::collections::BTreeSet<Capability>);

impl Capabilities {
    /// Whether `capability` is in the set.
    pub fn has(&self, capability: Capability) -> bool {
        self.0.contains(&capability)
    }

    /// The capabilities in the set, in declaration order.
    pub fn iter(&self) -> impl Iterator<Item = Capability> + '_ {
        self.0.iter().copied()
    }
}

impl FromIterator<Capability> for Capabilities {
    fn from_iter<I: IntoIterator<Item = Capability>>(capabilities: I) -> Self {
        Self(capabilities.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use serde::de::IntoDeserializer;
    use serde::de::value::{Error, StrDeserializer};

    use super::*;

    #[test]
    fn each_is_read_by_its_name() {
        for capability in Capability::ALL {
            let name: StrDeserializer<'_, Error> = capability.name().into_deserializer();
            assert_eq!(Capability::deserialize(name), Ok(capability));
        }
    }
}
