#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| patchbay::server::fuzz::template(data));
