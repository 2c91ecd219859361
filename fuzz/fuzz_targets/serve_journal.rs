#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| az3166_serve::fuzzing::fuzz_journal(data));
