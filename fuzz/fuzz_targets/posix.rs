//! Shell patterns and regular expressions: matching ends, whatever the pattern.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sundew_posix::pattern::search::{Progress, Side};
use sundew_posix::pattern::{Options, Pattern};

fuzz_target!(|data: &[u8]| {
    sundew_posix::regex::fuzz(data);
    let mut parts = data.splitn(2, |&byte| byte == 0);
    let (pattern, subject) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    let length = pattern.len();
    let pattern = Pattern::from_bytes(
        pattern,
        Options {
            extended: true,
            ignore_case: false,
        },
    );
    let whole = pattern.matches(subject);
    let all = |side| {
        let mut search = pattern.search(subject, side, true);
        loop {
            if let Progress::Done(found) = search.run(1000) {
                return found == Some(subject.len());
            }
        }
    };
    let (front, back) = (all(Side::Prefix), all(Side::Suffix));
    // Only a whole match is given up after so many steps; and only texts have the same characters from
    // both ends.
    if length.saturating_mul(subject.len()) < 1 << 16 {
        assert_eq!(whole, front);
        if std::str::from_utf8(subject).is_ok() {
            assert_eq!(whole, back);
        }
    }
});
