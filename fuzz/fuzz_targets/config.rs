//! `sundew.toml`: any bytes are a configuration or a mistake told in one line, with its place.
#![no_main]

use libfuzzer_sys::fuzz_target;

// The module alone: the whole program brings in the SSH library.
#[path = "../../crates/sundew/src"]
mod sensor {
    #[allow(
        dead_code,
        unused_imports,
        reason = "a configuration is read here, not used"
    )]
    pub mod config;
}

fuzz_target!(|data: &[u8]| {
    if let Err(error) = sensor::config::parse(data) {
        assert!(error.line > 0 && error.column > 0);
        assert!(
            !error.to_string().contains('\n'),
            "more than one line: {error}"
        );
    }
});
