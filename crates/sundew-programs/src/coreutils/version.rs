//! The order of version numbers in names: gnulib's filevercmp, for `ls -v` and `sort -V`.

use std::cmp::Ordering;

/// Compares two names; runs of digits count as numbers, suffixes such as `.tar.gz` come last.
pub(crate) fn compare(a: &[u8], b: &[u8]) -> Ordering {
    if a.is_empty() || b.is_empty() {
        return a.is_empty().cmp(&b.is_empty()).reverse();
    }
    // `.` and `..` first, then other names with a dot in front.
    for special in [b".".as_slice(), b".."] {
        match (a == special, b == special) {
            (true, true) => return Ordering::Equal,
            (true, false) => return Ordering::Less,
            (false, true) => return Ordering::Greater,
            (false, false) => {}
        }
    }
    match (a.starts_with(b"."), b.starts_with(b".")) {
        (true, false) => return Ordering::Less,
        (false, true) => return Ordering::Greater,
        _ => {}
    }
    let (stem_a, stem_b) = (stem(a), stem(b));
    let order = revisions(stem_a, stem_b);
    if order != Ordering::Equal || (stem_a.len() == a.len() && stem_b.len() == b.len()) {
        return order;
    }
    revisions(a, b)
}

/// Without suffixes such as `.tar.gz`: `(\.[A-Za-z~][A-Za-z0-9~]*)*$`.
fn stem(name: &[u8]) -> &[u8] {
    let mut end = name.len();
    while let Some(head) = name.get(..end) {
        let run = head
            .iter()
            .rev()
            .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'~')
            .count();
        let start = end - run;
        let starts_well = head
            .get(start)
            .is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'~');
        if run == 0 || !starts_well || start < 2 || head.get(start - 1) != Some(&b'.') {
            break;
        }
        end = start - 1;
    }
    name.get(..end).unwrap_or(name)
}

/// dpkg's verrevcmp.
fn revisions(mut a: &[u8], mut b: &[u8]) -> Ordering {
    while !a.is_empty() || !b.is_empty() {
        loop {
            let is_text = |name: &[u8]| name.first().is_some_and(|byte| !byte.is_ascii_digit());
            if !is_text(a) && !is_text(b) {
                break;
            }
            let order = rank(a.first()).cmp(&rank(b.first()));
            if order != Ordering::Equal {
                return order;
            }
            a = a.get(1..).unwrap_or_default();
            b = b.get(1..).unwrap_or_default();
        }
        let (number_a, rest_a) = number(a);
        let (number_b, rest_b) = number(b);
        let order = number_a
            .len()
            .cmp(&number_b.len())
            .then_with(|| number_a.cmp(number_b));
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
    Ordering::Equal
}

fn rank(byte: Option<&u8>) -> i32 {
    match byte {
        None => -1,
        Some(b'~') => -2,
        Some(byte) if byte.is_ascii_digit() => 0,
        Some(byte) if byte.is_ascii_alphabetic() => i32::from(*byte),
        Some(byte) => i32::from(*byte) + 256,
    }
}

/// Leading digits without zeros in front, and the rest.
fn number(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let zeros = digits.iter().take_while(|byte| **byte == b'0').count();
    (digits.get(zeros..).unwrap_or_default(), rest)
}
