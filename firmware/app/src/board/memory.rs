use core::arch::asm;

/// More than any call below the main loop has been seen to need (33 KB).
const DEPTH: usize = 64 * 1024;

unsafe extern "C" {
    static __sheap: u8;
}

/// Zeroes the unused stack, where functions that have returned may have left copies of secrets:
/// values that are moved are copied, and only the last copy wipes itself.
#[inline(never)]
pub fn wipe_stack() {
    // SAFETY: below the stack pointer and above all statics nothing lives; the Arm procedure call
    // standard has no red zone, and an interrupt's frame comes and goes between two instructions.
    unsafe {
        asm!(
            "subs {address}, sp, {address}",
            "cmp {address}, {limit}",
            "it lo",
            "movlo {address}, {limit}",
            "2:",
            "cmp {address}, sp",
            "bhs 3f",
            "str {zero}, [{address}], #4",
            "b 2b",
            "3:",
            address = inout(reg) DEPTH => _,
            limit = in(reg) &raw const __sheap,
            zero = in(reg) 0,
        );
    }
}
