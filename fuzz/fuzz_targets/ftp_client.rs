//! The FTP client dialogue against a server that says anything at all.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| ftp_proto::fuzz::client(data));
