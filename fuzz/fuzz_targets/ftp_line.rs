//! FTP framing: no line over the limit, and cutting the bytes elsewhere changes nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| ftp_proto::fuzz::line(data));
