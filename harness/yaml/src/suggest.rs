//! Did you mean: the known word that is nearest to an unknown one.

/// How alike two words must be, from 0 to 1, to be worth a suggestion.
const ALIKE: f64 = 0.7;

/// The word of `known` that is most like `word`, if any is.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.to_ascii_lowercase().replace('-', "_");
    let word = plain(word);
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&word, &plain(candidate)), candidate))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|(first, _), (second, _)| first.total_cmp(second))
        .map(|(_, candidate)| candidate)
}

/// Says that `word` is no known `noun`, and which one was perhaps meant.
pub fn unknown(noun: &str, word: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(candidate) => format!("unknown {noun} `{word}`; did you mean `{candidate}`?"),
        None => format!("unknown {noun} `{word}`; known are {}", list(known)),
    }
}

/// `a`, `b` and `c`, each in backticks.
pub fn list(words: &[&str]) -> String {
    match words {
        [] => "none".into(),
        [only] => format!("`{only}`"),
        [rest @ .., last] => {
            let rest: Vec<String> = rest.iter().map(|word| format!("`{word}`")).collect();
            format!("{} and `{last}`", rest.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("consol", Some("console"))]
    #[case("secure_element_model", Some("secure-element-model"))]
    #[case("Reset", Some("reset"))]
    #[case("xyzzy", None)]
    fn suggests(#[case] word: &str, #[case] expected: Option<&str>) {
        let known = ["console", "reset", "secure-element-model", "display"];
        assert_eq!(nearest(word, known), expected);
    }
}
