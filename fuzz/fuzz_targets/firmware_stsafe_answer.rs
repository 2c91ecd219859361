#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stsafe_driver::fuzzing::answer(data));
