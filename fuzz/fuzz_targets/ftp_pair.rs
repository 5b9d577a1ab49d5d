//! A client and a server that talk to each other over a bad wire.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| ftp_proto::fuzz::pair(data));
