//! Bodies of the fuzz targets: each takes any bytes and must come back.

use std::sync::LazyLock;

use az3166_event::Secret;

use crate::{
    Certificate, FlashImage, Identity, MeasuredRegions, Profile, Region, RegionSymbols, Summary,
    Uds, compare, findings, recover_device_id_key,
};

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
    let _ = Summary::of(data);
    if let Ok(differences) = compare(&Certificate::from_der(data.to_vec()), data) {
        assert!(differences.is_empty(), "{differences:?}");
    }
    // Any known certificate will do: each part of the noise is compared with one that is sound.
    static KNOWN: LazyLock<Certificate> = LazyLock::new(known);
    if let Ok(differences) = compare(&KNOWN, data) {
        assert_eq!(differences.is_empty(), KNOWN.der() == data);
    }
}

fn known() -> Certificate {
    let region = |start| Region::new(start, vec![7; 16]);
    let identity = MeasuredRegions::new(region(0), region(16))
        .ok()
        .and_then(|regions| Identity::derive(&Uds::new(Secret::new([7; 32])), &regions).ok());
    let id = "fuzz".parse().ok();
    identity
        .zip(id)
        .map(|(identity, id)| identity.alias_certificate(&id, Profile::Strict))
        .unwrap_or_else(|| Certificate::from_der(Vec::new()))
}
