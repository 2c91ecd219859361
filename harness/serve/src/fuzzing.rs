//! Bodies of fuzz targets: whatever bytes come in, nothing panics and nothing contradicts itself.

use az3166_yaml::Source;

use crate::faults;
use crate::proxy::{self, Head};
use crate::store::frame;

/// The head of a proxy request: what is taken as one is whole, and more bytes change nothing.
pub fn fuzz_proxy(data: &[u8]) {
    let head = proxy::head(data);
    if let Head::Connect { host, length, .. } = &head {
        assert!(!host.is_empty() && *length <= data.len());
        assert!(data[..*length].ends_with(b"\n"));
        assert_eq!(proxy::head(&[data, b"more"].concat()), head);
        assert_eq!(proxy::head(&data[..*length]), head);
    }
}

/// A state file: the lines that are believed are in it, in order.
pub fn fuzz_journal(data: &[u8]) {
    if let Ok(lines) = frame::split(data) {
        assert!(lines.torn <= data.len());
        let text: usize = lines.texts.iter().map(|(_, text)| text.len()).sum();
        assert!(text <= data.len());
    }
}

/// A file of fault rules.
pub fn fuzz_fault_file(data: &[u8]) {
    if let Ok(source) = Source::from_bytes("faults.yaml".to_owned(), data)
        && let Err(error) = faults::parse(&source)
    {
        assert!(!error.to_string().is_empty());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn noise(data: Vec<u8>) {
            fuzz_proxy(&data);
            fuzz_journal(&data);
            fuzz_fault_file(&data);
        }

        #[test]
        fn proxy_requests(
            method in "CONNECT|GET|\\PC{0,9}", target in "[a-z.]{0,9}:?[0-9]{0,6}|\\PC{0,9}",
            fields in "([A-Za-z]{1,9}: ?\\PC{0,9}\r?\n){0,4}", end in "\r?\n?\\PC{0,5}"
        ) {
            fuzz_proxy(format!("{method} {target} HTTP/1.1\r\n{fields}{end}").as_bytes());
        }

        #[test]
        fn fault_files(
            text in "\\PC{0,64}|(- \\{?[a-z_]{1,12}: ?[a-z0-9{}:\\[\\]]{0,12}\\}?\n?){0,4}"
        ) {
            fuzz_fault_file(text.as_bytes());
        }
    }
}
