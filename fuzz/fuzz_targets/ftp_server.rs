//! The FTP server dialogue: exactly one final reply ends each command.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| ftp_proto::fuzz::server(data));
