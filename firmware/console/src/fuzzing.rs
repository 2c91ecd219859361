//! Bodies of fuzz targets.

use crate::{Echo, Editor, INPUT_MAX, parse};

/// Types arbitrary bytes and parses the lines that result.
pub fn console(data: &[u8]) {
    let mut editor = Editor::default();
    for byte in data {
        if editor.push(*byte) == Echo::Enter {
            let _ = parse(editor.line());
            editor.clear();
        }
    }
    for &byte in data.iter().take(INPUT_MAX) {
        editor.push(byte);
    }
    let _ = parse(editor.line());
}
