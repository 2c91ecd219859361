//! Bodies of fuzz targets.

use crate::frame::{Extent, extent, payload};

/// Reads arbitrary bytes as an answer; a payload lies within them.
pub fn answer(data: &[u8]) {
    if let Ok(payload) = payload(data) {
        assert_eq!(extent(data), Ok(Extent::Whole));
        assert!(payload.len() + 5 <= data.len());
    }
}
