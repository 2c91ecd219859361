use core::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

/// Something that a target must be able to do; a target that cannot makes the scenario a counted skip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
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
    /// The secure element is the harness's model: its faults and its memory are at hand.
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

impl Need {
    /// Its name in scenario files, which is also the capability's name.
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

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
