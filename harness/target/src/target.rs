//! The trait that every backend implements.

use std::collections::BTreeMap;

use az3166_event::{Attachment, Payload, Picture, VirtualTime};
use az3166_stsafe::SecureElement;

use crate::{Capabilities, Image};

/// Whether the board has power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PowerState {
    /// It has.
    On,
    /// It has not; RAM is lost.
    Off,
}

/// What writing to a secure element costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wear {
    /// Nothing: it is a model.
    None,
    /// Its memory bears a limited number of writes: none is made that changes nothing.
    Real,
}

/// A button of the board; pressed reads low.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Button {
    /// Button A, PA4: held at start, it enters configuration mode.
    A,
    /// Button B, PA10.
    B,
}

impl Button {
    /// The letter on the board.
    pub const fn name(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
        }
    }

    /// The pin's number on GPIOA.
    pub const fn pin(self) -> u32 {
        match self {
            Self::A => 4,
            Self::B => 10,
        }
    }
}

/// Why [`Target::run_until`] came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The deadline was reached.
    Deadline,
    /// The processor went to sleep: a good moment to serve the link. Running on resumes it.
    Asleep,
    /// A good moment to look at the link: the firmware has been busy for a while.
    Paused,
    /// The firmware touched something that the model does not have; the event says what.
    UnmodelledAccess,
    /// The processor locked up.
    Lockup {
        /// The address of the instruction.
        pc: u32,
    },
    /// A breakpoint instruction or a breakpoint was hit.
    Breakpoint {
        /// The address of the instruction.
        pc: u32,
    },
    /// A fault of the secure element asks for power to be cut at this very instant.
    PowerCut,
}

/// What keeps a target from doing what it was asked. Never the firmware's fault.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// {what} at {address:#010x}: the target has no memory there
    #[error("{what} at {address:#010x}: the target has no memory there")]
    NoMemory {
        /// What was tried.
        what: &'static str,
        /// Where.
        address: u32,
    },
    /// the target cannot do this: {what}
    #[error("the target cannot do this: {what}")]
    Unsupported {
        /// What was tried.
        what: String,
    },
    /// {what}; {todo}
    #[error("{what}; {todo}")]
    Infrastructure {
        /// What went wrong, and where.
        what: String,
        /// What to do about it.
        todo: String,
    },
}

/// A target's memory as a debugger sees it.
pub trait TargetMemory {
    /// Reads memory or registers as a debugger does.
    fn read_memory(&mut self, address: u32, bytes: &mut [u8]) -> Result<(), TargetError>;

    /// Writes RAM or registers as a debugger does.
    fn write_memory(&mut self, address: u32, bytes: &[u8]) -> Result<(), TargetError>;

    /// Makes interrupt `number` pending, as a write to NVIC_ISPR does.
    fn pend_interrupt(&mut self, number: u16) -> Result<(), TargetError> {
        let address = 0xE000_E200 + u32::from(number / 32) * 4;
        self.write_memory(address, &(1u32 << (number % 32)).to_le_bytes())
    }
}

/// A DevKit that can be loaded, powered, reset, run and watched.
///
/// After [`Target::power`] with [`PowerState::On`] and after [`Target::reset`] the processor
/// stands at its reset vector and has executed nothing: memory may be written before it runs.
/// It runs only inside [`Target::run_until`] where time is virtual.
pub trait Target: TargetMemory + Send {
    /// What the target is called in reports: `emulator`, `renode`, `board:<id>`.
    fn name(&self) -> String;

    /// What it can do.
    fn capabilities(&self) -> Capabilities;

    /// Erases flash and programs `images`, in order.
    fn load(&mut self, images: &[&Image]) -> Result<(), TargetError>;

    /// Applies or removes power.
    fn power(&mut self, state: PowerState) -> Result<(), TargetError>;

    /// Resets the chip by its pin; RAM is kept, held buttons stay held.
    fn reset(&mut self) -> Result<(), TargetError>;

    /// Enters the application at `vector_table` with the chip as the vendor's bootloader leaves it.
    fn enter_from_bootloader(&mut self, vector_table: u32) -> Result<(), TargetError>;

    /// Presses `button` until it is released.
    fn press(&mut self, button: Button) -> Result<(), TargetError>;

    /// Lets go of `button`.
    fn release(&mut self, button: Button) -> Result<(), TargetError>;

    /// Runs until `deadline` or something that the host must see.
    fn run_until(&mut self, deadline: VirtualTime) -> Result<Stop, TargetError>;

    /// The target's own time.
    fn now(&self) -> VirtualTime;

    /// Instructions executed so far; 0 where nobody counts them.
    fn instructions(&self) -> u64;

    /// Replaces bytes of flash, whatever they were.
    fn patch_flash(&mut self, address: u32, bytes: &[u8]) -> Result<(), TargetError>;

    /// Sends bytes to the console, at the line's speed.
    fn console_send(&mut self, bytes: &[u8]) -> Result<(), TargetError>;

    /// Takes the bytes that the device has printed since the last call.
    fn console_take(&mut self) -> Result<Vec<u8>, TargetError>;

    /// The OLED's picture, where it can be seen.
    fn picture(&self) -> Option<Picture>;

    /// The model of the secure element, where the target has one.
    fn secure_element(&mut self) -> Option<&mut SecureElement>;

    /// Removes or attaches the OLED.
    fn set_display(&mut self, presence: PowerState) -> Result<(), TargetError>;

    /// The chip's own unique ID, as it lies in memory at 0x1FFF7A10, where it is not the one that
    /// every model has.
    fn chip_uid(&self) -> Option<[u8; 12]> {
        None
    }

    /// How much a write to the secure element matters.
    fn secure_element_wear(&self) -> Wear {
        Wear::None
    }

    /// Counts a write to `zone` of the secure element that is about to be made.
    ///
    /// # Errors
    /// The element has been written too often: the write must not be made.
    fn spend_write(&mut self, _zone: u8) -> Result<(), TargetError> {
        Ok(())
    }

    /// What the secure element keeps of the settings that were typed on the console, by the
    /// command's name; only where it is a real one.
    fn kept_settings(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// Remembers that `value` is about to be typed after `command`, whoever asks next.
    ///
    /// # Errors
    /// It cannot be remembered: the command must not be typed.
    fn keep_setting(&mut self, _command: &str, _value: &str) -> Result<(), TargetError> {
        Ok(())
    }

    /// Whether the link has to rest: on a board, while the firmware writes its own flash.
    ///
    /// # Errors
    /// The target does not answer.
    fn link_rests(&mut self) -> Result<bool, TargetError> {
        Ok(false)
    }

    /// Whether the processor sleeps, and nothing inside the target will ever wake it.
    fn is_asleep_for_ever(&self) -> bool;

    /// Files of evidence that no other target has, as they are now.
    fn take_attachments(&mut self) -> Vec<Attachment> {
        Vec::new()
    }

    /// What happened inside since the last call, in order.
    fn drain_events(&mut self) -> Vec<(VirtualTime, Payload)>;
}
