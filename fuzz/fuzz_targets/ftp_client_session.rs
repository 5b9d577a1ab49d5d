//! The whole FTP client, connections and deadlines included, against a server that says anything.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/ftp-client/tests/memory/arbitrary.rs"]
mod arbitrary;

fuzz_target!(|data: &[u8]| arbitrary::session(data));
