//! FTP listings and feature lists in every form seen in the wild.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| ftp_proto::fuzz::listing(data));
