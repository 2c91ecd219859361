//! Foreign text on its way to the console.

use core::fmt::{self, Write};

/// Displays outside bytes as at most `limit` printable ASCII characters; every other character
/// becomes `?` and a cut is shown as `...`.
pub(crate) struct Foreign<'a> {
    pub(crate) text: &'a str,
    pub(crate) limit: usize,
}

impl fmt::Display for Foreign<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, c) in self.text.chars().enumerate() {
            if index == self.limit {
                return f.write_str("...");
            }
            f.write_char(if c == ' ' || c.is_ascii_graphic() {
                c
            } else {
                '?'
            })?;
        }
        Ok(())
    }
}
