//! The state in which the vendor's bootloader starts the application.

use rand_chacha::rand_core::Rng as _;

use super::{DebugError, DevKit};
use crate::bus::Width;
use crate::cpu::Register;

/// Where the application's vector table lies.
const APPLICATION: u32 = 0x0800_C000;
/// The PLL register that the bootloader leaves: HSE / 13 * 192 / 4 = 96 MHz.
const PLLCFGR: u32 = 0x2841_300D;
/// Where the bootloader's vector table lies, in the RAM that it ran from.
const VTOR: u32 = 0x2000_0000;
/// Length of the RAM that it used.
const RAM_USED: usize = 0xD650;
/// SysTick at 1 ms of 96 MHz.
const SYSTICK_RELOAD: u32 = 95_999;

const SCB_VTOR: u32 = 0xE000_ED08;
const SYST_CSR: u32 = 0xE000_E010;
const SYST_RVR: u32 = 0xE000_E014;
const SYST_CVR: u32 = 0xE000_E018;
const FLASH_ACR: u32 = 0x4002_3C00;

impl DevKit {
    /// Resets the chip and enters the application at 0x0800C000 as the vendor's bootloader does:
    /// PLL on at 96 MHz, SysTick running with its interrupt on, VTOR in RAM whose content is of
    /// no use to the application, flash with three wait states and caches on.
    ///
    /// # Errors
    /// [`DebugError::NoPower`] without power.
    pub fn start_from_bootloader_leftovers(&mut self) -> Result<(), DebugError> {
        self.reset_pin();
        let mut ram = [0; RAM_USED];
        self.noise.fill_bytes(&mut ram);
        self.write_memory(VTOR, &ram)?;
        self.write_memory(FLASH_ACR, &0x0703u32.to_le_bytes())?;
        let now = self.now();
        self.chip.leave_pll_running(PLLCFGR, self.cpu.cycle(), now);
        let mut vectors = [0; 8];
        self.read_memory(APPLICATION, &mut vectors)?;
        let [stack, entry] = [0, 4].map(|at| {
            u32::from_le_bytes([
                vectors[at],
                vectors[at + 1],
                vectors[at + 2],
                vectors[at + 3],
            ])
        });
        self.cpu.set_register(Register::Sp, stack);
        self.cpu.set_register(Register::Pc, entry & !1);
        for (address, value) in [
            (SCB_VTOR, VTOR),
            (SYST_RVR, SYSTICK_RELOAD),
            (SYST_CVR, 0),
            (SYST_CSR, 0b111),
        ] {
            self.cpu
                .debug_write(address, Width::Word, value)
                .map_err(|_| DebugError::Fault { address })?;
        }
        Ok(())
    }
}
