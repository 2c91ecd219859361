//! The file of fault rules: JSON or YAML, a list of faults, errors with their place.

use std::path::Path;

use az3166_cloud::CloudFault;
use az3166_yaml::{Diagnostic, Fault, Format, Node, Source, Value, load};
use serde::Deserialize as _;

/// How messages speak of the file.
const FORMAT: Format = Format {
    noun: "fault file",
    needs: "a list of faults; `[]` is none",
};

/// Why there are no faults.
#[derive(Debug, thiserror::Error)]
pub enum FaultsError {
    /// Reading {path} failed: {error}.
    #[error("reading {path} failed: {error}")]
    Io {
        /// The file.
        path: String,
        /// The system's words.
        error: std::io::Error,
    },
    /// The file does not say what it should.
    #[error("{0}")]
    Content(Diagnostic),
}

/// The faults of a file.
///
/// # Errors
/// It cannot be read, or one of its faults could never happen.
pub(crate) fn read(path: &Path) -> Result<Vec<CloudFault>, FaultsError> {
    let shown = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|error| FaultsError::Io {
        path: shown.clone(),
        error,
    })?;
    let source = Source::from_bytes(shown, &bytes).map_err(FaultsError::Content)?;
    parse(&source).map_err(FaultsError::Content)
}

/// The faults of a text.
pub(crate) fn parse(source: &Source) -> Result<Vec<CloudFault>, Diagnostic> {
    let faults = load(source.text(), FORMAT).and_then(|tree| match &tree.value {
        Value::Sequence(items) => items.iter().map(fault).collect(),
        _ => {
            let found = tree.describe();
            let message = format!("a fault file is a list of faults, not {found}");
            Err(Fault::new(message).at(tree.span))
        }
    });
    faults.map_err(|fault| fault.in_source(source))
}

fn fault(node: &Node) -> Result<CloudFault, Fault> {
    let fault = CloudFault::deserialize(node).map_err(|error| error.at(node.span))?;
    let possible = fault.check();
    possible.map_err(|error| Fault::new(error.to_string()).at(node.span))?;
    Ok(fault)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn parsed(text: &str) -> Result<Vec<CloudFault>, String> {
        let told = |error: Diagnostic| format!("{}: {}", error.location(), error.message());
        parse(&Source::new("faults.yaml", text)).map_err(told)
    }

    #[rstest]
    #[case("[]", 0)]
    #[case(
        r#"[{"path": "*/register", "times": 1, "answer": {"status": 429, "retry_after": "5"}}]"#,
        1
    )]
    #[case("- {method: TLS, stall: null}\n- nth: 2\n  close: null\n", 2)]
    fn lists(#[case] text: &str, #[case] expected: usize) {
        assert_eq!(parsed(text).map(|faults| faults.len()), Ok(expected));
    }

    #[rstest]
    #[case(
        "close: null",
        "faults.yaml:1:1: a fault file is a list of faults, not a mapping"
    )]
    #[case(
        "- {close: null}\n- {clse: null}",
        "faults.yaml:2:3: unknown variant `clse`"
    )]
    #[case(
        "- {close: null, nth: 0}",
        "faults.yaml:1:3: `nth` and `times` count from 1"
    )]
    #[case(
        "- close: null\n  delay: {ms: 1}",
        "faults.yaml:1:3: a fault has one effect"
    )]
    #[case("- [", "faults.yaml:1:4: not YAML")]
    fn errors(#[case] text: &str, #[case] expected: &str) {
        let error = parsed(text).unwrap_err();
        assert!(error.starts_with(expected), "{error}");
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "\\PC{0,64}|(- \\{?[a-z_]{1,12}: ?[a-z0-9{}:\\[\\]]{0,12}\\}?\n?){0,4}") {
            let _ = parsed(&text);
        }
    }
}
