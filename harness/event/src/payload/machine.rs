use serde::{Deserialize, Serialize};

/// What happened to the processor, its peripherals, power, reset and buttons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum MachineEvent {
    /// Power was applied or removed.
    Power {
        /// Whether the board has power now.
        on: bool,
    },
    /// The chip left reset.
    Reset {
        /// What caused it, by the name of the RCC_CSR flag in lower case: `por`, `pin`, `sft`, `iwdg`.
        cause: String,
    },
    /// A button was pressed or let go.
    Button {
        /// `A` or `B`.
        button: String,
        /// Whether it is down now.
        pressed: bool,
    },
    /// The firmware touched a register or address that the model does not have.
    UnmodelledAccess {
        /// The address.
        address: u32,
        /// `read` or `write`.
        access: String,
        /// Width in bytes.
        width: u8,
        /// The value written, for a write.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<u32>,
        /// The address of the instruction.
        pc: u32,
        /// The function that holds it, where the image has symbols.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        function: Option<String>,
        /// The peripheral and offset, where the address lies in a known one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        register: Option<String>,
    },
    /// The firmware touched a peripheral whose clock is off or that is held in reset: reads give
    /// 0, writes do nothing. Reported once for each peripheral since a reset.
    UnclockedAccess {
        /// The peripheral.
        peripheral: String,
    },
    /// The processor locked up.
    Lockup {
        /// The address of the instruction.
        pc: u32,
    },
    /// The processor sleeps and nothing can ever wake it.
    AsleepForEver {
        /// The address of the instruction after WFI.
        pc: u32,
    },
    /// An LED changed.
    Led {
        /// Its name on the board: `user`, `azure`, `wifi`, `red`, `green`, `blue`.
        led: String,
        /// Whether it shines now.
        on: bool,
    },
}
