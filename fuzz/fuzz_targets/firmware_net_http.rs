#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| devkit_net::fuzzing::http(data));
