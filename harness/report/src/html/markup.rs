//! Text in HTML.

use crate::text::printable;

/// `text`, printable and with HTML's own characters escaped, for the content of an element.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in printable(text.as_bytes()).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// The same on one line, for an attribute in quotes.
pub fn attribute(text: &str) -> String {
    escape(text).replace('\n', " ")
}
