//! `%(…)T`: strftime(3) in the C locale and UTC, the zone that servers run in.

use jiff::Timestamp;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

/// The time as text; conversions that are not known stay as they are.
pub(in crate::builtin) fn format(format: &[u8], seconds: i64) -> Vec<u8> {
    let Ok(time) = Timestamp::from_second(seconds) else {
        return Vec::new();
    };
    let zoned = time.to_zoned(TimeZone::UTC);
    let mut out = Vec::new();
    let mut rest = format;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        // Flags and a width stand in front of the letter.
        let length = after
            .iter()
            .take_while(|byte| b"_-0^#EO123456789".contains(byte))
            .count()
            + 1;
        let Some(directive) = after.get(..length) else {
            out.push(b'%');
            continue;
        };
        rest = after.get(length..).unwrap_or_default();
        let pattern = match directive {
            b"c" => "%a %b %e %H:%M:%S %Y".to_owned(),
            b"x" | b"D" => "%m/%d/%y".to_owned(),
            b"X" | b"T" => "%H:%M:%S".to_owned(),
            b"r" => "%I:%M:%S %p".to_owned(),
            b"R" => "%H:%M".to_owned(),
            b"F" => "%Y-%m-%d".to_owned(),
            b"h" => "%b".to_owned(),
            other => format!("%{}", String::from_utf8_lossy(other)),
        };
        match strtime::format(&pattern, &zoned) {
            Ok(text) => out.extend(text.into_bytes()),
            Err(_) => {
                out.push(b'%');
                out.extend_from_slice(directive);
            }
        }
    }
    out
}
