use trust_anchor::{BadRecord, RECORD_BYTES, parse};

unsafe extern "C" {
    static __hil_trust_anchor: [u8; RECORD_BYTES];
}

/// The certificate that a test harness has put into the RAM, if any.
///
/// # Errors
/// [`BadRecord`] when there is a damaged one.
pub fn from_ram() -> Result<Option<&'static [u8]>, BadRecord> {
    // SAFETY: RAM that the linker gives to nobody else; the host writes it only while the processor
    // is halted at its start. What it holds is checked before use.
    let memory = unsafe { &*core::hint::black_box(&raw const __hil_trust_anchor) };
    parse(memory)
}
