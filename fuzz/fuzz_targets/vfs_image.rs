//! Images: any body is refused or read back as it was written.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| assert!(sundew_vfs::fuzz::load_image(data)));
