//! What this device is: its addresses, its image, its settings.

use core::slice;

use dice::{
    Profile,
    core::{Words, sha256},
};
use heapless::String;
use settings::{REGISTRATION_ID_MAX, Settings};

/// The firmware's version.
pub const VERSION: &str = if cfg!(feature = "version-alt") {
    "1.0.1"
} else {
    "1.0.0"
};

/// The form of the Alias certificate.
pub const PROFILE: Profile = if cfg!(feature = "devkit-profile") {
    Profile::Devkit
} else {
    Profile::Strict
};

/// The provisioning service that serves all Azure regions.
pub const DEFAULT_ENDPOINT: &str = "global.azure-devices-provisioning.net";

/// The ID scope until one is set; no real instance has it.
pub const DEFAULT_ID_SCOPE: &str = "0ne00000000";

/// The 96-bit unique device id (RM0402 section 31.1).
const UID: *const [u8; 12] = 0x1FFF_7A10 as *const [u8; 12];

/// A note without meaning at a known place of the measured firmware: whoever flips a bit of it has
/// another firmware, which is another alias.
#[used]
#[unsafe(no_mangle)]
#[unsafe(link_section = ".rodata.riot_fw_note")]
static RIOT_FW_NOTE: [u8; 16] = *b"note: riot fw   ";

unsafe extern "C" {
    static __start_riot_core: u8;
    static __stop_riot_core: u8;
    static __start_riot_fw: u8;
    static __stop_riot_fw: u8;
}

/// The region of the measuring and deriving code.
pub fn riot_core() -> &'static [u8] {
    // SAFETY: symbols of the linker script, around flash that never changes.
    unsafe { region(&raw const __start_riot_core, &raw const __stop_riot_core) }
}

/// The region of all other code and constants.
pub fn riot_fw() -> &'static [u8] {
    // SAFETY: as above.
    unsafe { region(&raw const __start_riot_fw, &raw const __stop_riot_fw) }
}

/// # Safety
/// All bytes between the addresses must be readable and constant.
unsafe fn region(start: *const u8, stop: *const u8) -> &'static [u8] {
    // SAFETY: the caller's promise.
    unsafe { slice::from_raw_parts(start, stop.addr() - start.addr()) }
}

/// The MAC address that was set, or a locally administered one made from the chip's unique id.
pub fn mac(settings: &Settings) -> [u8; 6] {
    settings.mac.unwrap_or_else(|| {
        // SAFETY: a constant of the chip.
        let uid = unsafe { UID.read_volatile() };
        let [first, b, c, d, e, f, ..] = sha256(Words::BigEndian, &[&uid]);
        [first & !0x01 | 0x02, b, c, d, e, f]
    })
}

/// The registration id that was set, or `az-<mac>v<version>`, its dots as `v`.
pub fn registration_id(settings: &Settings) -> String<REGISTRATION_ID_MAX> {
    settings.registration_id.clone().unwrap_or_else(|| {
        let mut id = String::new();
        let mac = mac(settings);
        // 32 characters fit.
        let _ = core::fmt::write(&mut id, format_args!("az-{}v", crate::messages::Hex(&mac)));
        for character in VERSION.chars() {
            let _ = id.push(if character == '.' { 'v' } else { character });
        }
        id
    })
}
