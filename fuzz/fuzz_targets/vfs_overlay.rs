//! Saved overlays: any body is refused or stays within the limits.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| assert!(sundew_vfs::fuzz::restore_overlay(data)));
