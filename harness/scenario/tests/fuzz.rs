//! The fuzz bodies, bounded.

use proptest::prelude::*;

/// Pieces that scenario files are made of, so that random texts get past the first line.
const PIECES: [&str; 40] = [
    "name: x\n",
    "steps:\n",
    "  - ",
    "- ",
    "reset: {}\n",
    "console: ",
    "{",
    "}",
    "[",
    "]",
    ", ",
    ": ",
    "send: a",
    "expect: ${uds}",
    "vars: ",
    "matrix: ",
    "\n",
    "\n  ",
    "    ",
    "&a ",
    "*a",
    "!t ",
    "\"",
    "'",
    "| \n",
    "0x10",
    "60s",
    "cloud_fault: ",
    "throttle: {}",
    "uds",
    "${",
    "}",
    "$$",
    "null",
    "true",
    "{from: 0, to: 3}",
    "é",
    "\t",
    "\r\n",
    "# comment\n",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_bytes(data in prop::collection::vec(any::<u8>(), 0..300)) {
        az3166_scenario::fuzzing::parse(&data);
    }

    #[test]
    fn likely_texts(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..40)) {
        az3166_scenario::fuzzing::parse(pieces.concat().as_bytes());
    }

    #[test]
    fn damaged_files(at in 0usize..6000, len in 0usize..8, byte in any::<u8>()) {
        let mut data = include_bytes!("valid/every-verb.yaml").to_vec();
        let at = at.min(data.len());
        let end = (at + len).min(data.len());
        data.splice(at..end, [byte]);
        az3166_scenario::fuzzing::parse(&data);
    }
}
