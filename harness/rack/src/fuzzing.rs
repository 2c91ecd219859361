//! Bodies for fuzzing; each must return without a panic for any input.

/// A rack file of any bytes; errors must render too, and what is read is read again from its draft.
pub fn parse(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let source = az3166_yaml::Source::new("fuzz.yaml", &text);
    match crate::parse(&source) {
        Ok(rack) => {
            let draft = crate::draft(&rack.boards, "rack.schema.json");
            let again = crate::parse(&az3166_yaml::Source::new("draft.yaml", &draft));
            assert!(again.is_ok_and(|again| again == rack), "{draft}");
        }
        Err(diagnostics) => {
            assert!(!diagnostics.is_empty(), "an error without a message");
            for diagnostic in diagnostics {
                let _ = diagnostic.to_string();
            }
        }
    }
}

/// The line of a lease's holder, in a file that anybody of the group may write.
pub fn holder(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Some(holder) = crate::Holder::from_line(&text) {
        assert!(!holder.to_string().contains(['\n', '\u{1b}']));
    }
}
