//! The DevKit in Renode as a [`Target`].

mod console;
mod machine;
mod memory;
mod pace;

use std::cell::RefCell;
use std::path::PathBuf;

use az3166_event::{Attachment, Payload, Picture, VirtualTime};
use az3166_stsafe::{Configuration, NvmImage, SecureElement};
use az3166_target::{
    Button, Capabilities, Capability, Image, PowerState, Stop, Target, TargetError, TargetMemory,
};

use crate::session::Setup;
use machine::Machine;

/// What distinguishes one board in Renode from another.
#[derive(Clone, Debug)]
pub struct Options {
    /// How Renode is started.
    pub setup: Setup,
    /// The folder with `machine.resc`.
    pub platform: PathBuf,
    /// The chip's 96-bit unique ID.
    pub uid: [u8; 12],
    /// Seed of everything random.
    pub seed: u64,
}

/// A DevKit in Renode, which is started when the first image is loaded.
pub struct RenodeTarget {
    // A picture is asked for by those who only look; Renode has to be asked all the same.
    machine: RefCell<Machine>,
}

impl RenodeTarget {
    /// A board without power, its flash erased, its secure element as it left the factory.
    pub fn new(options: Options) -> Self {
        let mut random_seed = [0; 32];
        random_seed[..8].copy_from_slice(&options.seed.to_le_bytes());
        let chip = Configuration {
            random_seed,
            ..Configuration::default()
        };
        let model = SecureElement::new(chip, NvmImage::default());
        Self {
            machine: RefCell::new(Machine::new(options, model)),
        }
    }

    /// Renode's output so far.
    pub fn log(&self) -> Vec<u8> {
        self.machine.borrow().log()
    }
}

impl TargetMemory for RenodeTarget {
    fn read_memory(&mut self, address: u32, bytes: &mut [u8]) -> Result<(), TargetError> {
        self.machine.get_mut().read(address, bytes)
    }

    fn write_memory(&mut self, address: u32, bytes: &[u8]) -> Result<(), TargetError> {
        self.machine.get_mut().write(address, bytes)
    }
}

impl Target for RenodeTarget {
    fn name(&self) -> String {
        "renode".into()
    }

    fn capabilities(&self) -> Capabilities {
        use Capability::{
            Buttons, Console, Display, FlashWrite, Network, Power, SecureElementModel, VirtualTime,
        };
        [
            Console,
            Network,
            Display,
            Buttons,
            Power,
            SecureElementModel,
            FlashWrite,
            VirtualTime,
        ]
        .into_iter()
        .collect()
    }

    fn load(&mut self, images: &[&Image]) -> Result<(), TargetError> {
        self.machine.get_mut().load(images)
    }

    fn power(&mut self, state: PowerState) -> Result<(), TargetError> {
        self.machine.get_mut().power(state)
    }

    fn reset(&mut self) -> Result<(), TargetError> {
        self.machine.get_mut().reset()
    }

    fn enter_from_bootloader(&mut self, _vector_table: u32) -> Result<(), TargetError> {
        Err(TargetError::Unsupported {
            what: "leave the chip as the vendor's bootloader does".into(),
        })
    }

    fn press(&mut self, button: Button) -> Result<(), TargetError> {
        self.machine.get_mut().move_button(button, "Press")
    }

    fn release(&mut self, button: Button) -> Result<(), TargetError> {
        self.machine.get_mut().move_button(button, "Release")
    }

    fn run_until(&mut self, deadline: VirtualTime) -> Result<Stop, TargetError> {
        self.machine.get_mut().run_until(deadline)
    }

    fn now(&self) -> VirtualTime {
        self.machine.borrow().now()
    }

    fn instructions(&self) -> u64 {
        self.machine.borrow_mut().instructions()
    }

    fn patch_flash(&mut self, address: u32, bytes: &[u8]) -> Result<(), TargetError> {
        self.machine.get_mut().patch_flash(address, bytes)
    }

    fn console_send(&mut self, bytes: &[u8]) -> Result<(), TargetError> {
        self.machine.get_mut().console_send(bytes)
    }

    fn console_take(&mut self) -> Result<Vec<u8>, TargetError> {
        self.machine.get_mut().console_take()
    }

    fn picture(&self) -> Option<Picture> {
        self.machine.borrow_mut().picture()
    }

    fn secure_element(&mut self) -> Option<&mut SecureElement> {
        Some(self.machine.get_mut().model())
    }

    fn set_display(&mut self, presence: PowerState) -> Result<(), TargetError> {
        self.machine.get_mut().set_display(presence)
    }

    fn is_asleep_for_ever(&self) -> bool {
        // Renode does not tell what will wake the processor.
        false
    }

    fn take_attachments(&mut self) -> Vec<Attachment> {
        let bytes = self.log();
        vec![Attachment {
            name: "renode.log",
            bytes,
        }]
    }

    fn drain_events(&mut self) -> Vec<(VirtualTime, Payload)> {
        self.machine.get_mut().drain_events()
    }
}
