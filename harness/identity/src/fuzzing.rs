//! Bodies of the fuzz targets: each takes any bytes and must come back.

use crate::{FlashImage, MeasuredRegions, RegionSymbols, compare, findings, recover_device_id_key};

/// The linker map reader, with the bytes as the image too.
pub fn fuzz_map(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let _ = MeasuredRegions::from_bin_and_map(data, &text);
    let _ = RegionSymbols::from_map(&text);
}

/// The ELF reader.
pub fn fuzz_elf(data: &[u8]) {
    if let Ok(image) = FlashImage::from_elf(data) {
        assert!(image.bytes().len() as u64 <= FlashImage::LIMIT);
    }
    let _ = MeasuredRegions::from_elf(data);
}

/// The reader of presented certificates.
pub fn fuzz_certificate(data: &[u8]) {
    let _ = findings(data);
    let _ = recover_device_id_key(data);
    let expected = crate::Certificate::new(data.to_vec());
    if let Ok(differences) = compare(&expected, data) {
        assert!(differences.len() <= 1, "{differences:?}");
    }
}
