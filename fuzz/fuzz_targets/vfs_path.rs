//! Path resolution: no path, link or `..` leads out of its tree.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| assert!(sundew_vfs::fuzz::resolve_path(data)));
