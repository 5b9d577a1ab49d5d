//! Shell patterns and regular expressions: matching ends, whatever the pattern.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sundew_posix::pattern::{Options, Pattern};

fuzz_target!(|data: &[u8]| {
    sundew_posix::regex::fuzz(data);
    let mut parts = data.splitn(2, |&byte| byte == 0);
    let (pattern, subject) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    let pattern = Pattern::from_bytes(
        pattern,
        Options {
            extended: true,
            ignore_case: false,
        },
    );
    let whole = pattern.matches(subject);
    assert_eq!(whole, pattern.prefix(subject, true) == Some(subject.len()));
    assert_eq!(whole, pattern.suffix(subject, true) == Some(subject.len()));
});
