//! Bodies of fuzz targets.

use crate::RECORD_BYTES;

/// Decodes arbitrary bytes; what decodes must survive a round trip.
pub fn decode(data: &[u8]) {
    let mut record = [0; RECORD_BYTES];
    let length = data.len().min(RECORD_BYTES);
    record[..length].copy_from_slice(&data[..length]);
    if let Ok(settings) = crate::decode(&record) {
        assert_eq!(crate::decode(&crate::encode(&settings)), Ok(settings));
    }
}
