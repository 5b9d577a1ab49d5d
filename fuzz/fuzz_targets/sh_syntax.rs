//! The shell grammar: every text is answered, in every dialect.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    sundew_sh_syntax::fuzz::parse(data);
    sundew_sh_syntax::fuzz::expand(data);
});
