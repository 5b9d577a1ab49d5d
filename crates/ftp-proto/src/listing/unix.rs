//! The form of `ls -l`.
//!
//! Written as most servers write it: time of day within the last six months, the year otherwise,
//! English months, whatever the locale. Read with or without group, with ACL marks, device numbers
//! and ISO dates.

use super::{Entry, Kind, next_word, push_name};
use crate::address::parse_number;
use crate::time::{MONTHS, Timestamp, push_number};

/// Half of an average Gregorian year, in seconds: what GNU `ls` calls recent.
const RECENT_SECONDS: i64 = 31_556_952 / 2;

/// One day, in seconds: how far in the future a date without year may lie, since the server's clock
/// and time zone are not ours.
const CLOCK_TOLERANCE_SECONDS: i64 = 86_400;

/// Appends the entry as one line, CRLF included.
///
/// A directory of ten thousand files is ten thousand calls of this: nothing is allocated or formatted
/// on the way.
pub fn write(entry: &Entry, now: Timestamp, out: &mut Vec<u8>) {
    out.push(match entry.kind {
        Kind::File => b'-',
        Kind::Directory | Kind::Current | Kind::Parent => b'd',
        Kind::Link { .. } => b'l',
        Kind::Other => b'?',
    });
    let mode = entry.mode.unwrap_or(match entry.kind {
        Kind::File | Kind::Other => 0o644,
        Kind::Directory | Kind::Current | Kind::Parent => 0o755,
        Kind::Link { .. } => 0o777,
    });
    push_permissions(mode, out);
    out.push(b' ');
    push_number(entry.links.unwrap_or(1), 3, b' ', out);
    for who in [&entry.owner, &entry.group] {
        out.push(b' ');
        let who = who.as_deref().unwrap_or(b"0");
        out.extend(who.iter().map(|&byte| match byte {
            b' ' | b'\r' | b'\n' | 0 => b'_',
            other => other,
        }));
        out.extend(std::iter::repeat_n(
            b' ',
            OWNER_WIDTH.saturating_sub(who.len()),
        ));
    }
    out.push(b' ');
    push_number(entry.size.unwrap_or(0), SIZE_WIDTH, b' ', out);
    out.push(b' ');
    push_date(entry.modified.unwrap_or(Timestamp::from_unix(0)), now, out);
    out.push(b' ');
    push_name(&entry.name, out);
    if let Kind::Link {
        target: Some(target),
    } = &entry.kind
    {
        out.extend_from_slice(b" -> ");
        push_name(target, out);
    }
    out.extend_from_slice(b"\r\n");
}

/// Columns of a name of an owner or group, and of a size: what most names and sizes fit into.
const OWNER_WIDTH: usize = 8;
const SIZE_WIDTH: usize = 12;

/// Reads one line without its end; `None` if it does not have this form.
#[must_use]
pub fn parse(line: &[u8], now: Timestamp) -> Option<Entry> {
    let (bits, mut rest) = next_word(line)?;
    let (kind, mode) = parse_permissions(bits)?;
    // The columns before the date vary; at most: links, owner, group, "major," and minor.
    let mut columns: Vec<&[u8]> = Vec::new();
    let (modified, name) = loop {
        if let Some(found) = parse_date(rest, now).filter(|_| !columns.is_empty()) {
            break found;
        }
        let (word, after) = next_word(rest)?;
        if columns.len() == 5 {
            return None;
        }
        columns.push(word);
        rest = after;
    };
    let name = name.strip_prefix(b" ").filter(|name| !name.is_empty())?;
    let size = columns.pop();
    if let Some(major) = columns.last().and_then(|column| column.strip_suffix(b",")) {
        parse_number::<u32>(major)?;
        columns.pop();
    }
    let mut entry = Entry::new(name, kind);
    entry.modified = Some(modified);
    entry.mode = Some(mode);
    if entry.kind != Kind::Other {
        entry.size = Some(parse_number(size?)?);
    }
    let mut columns = columns.into_iter();
    entry.links = columns.next().and_then(parse_number);
    entry.owner = columns.next().map(Into::into);
    entry.group = columns.next().map(Into::into);
    if let Kind::Link { target } = &mut entry.kind
        && let Some(at) = name
            .windows(4)
            .position(|window| window == b" -> ")
            .filter(|at| *at > 0)
    {
        *target = name.get(at + 4..).map(Into::into);
        entry.name = name.get(..at)?.into();
    }
    Some(entry)
}

fn push_permissions(mode: u16, out: &mut Vec<u8>) {
    for (shift, special, letter) in [(6, 0o4000, b's'), (3, 0o2000, b's'), (0, 0o1000, b't')] {
        let bits = mode >> shift;
        out.push(if bits & 4 == 0 { b'-' } else { b'r' });
        out.push(if bits & 2 == 0 { b'-' } else { b'w' });
        out.push(match (mode & special != 0, bits & 1 != 0) {
            (false, false) => b'-',
            (false, true) => b'x',
            (true, false) => letter.to_ascii_uppercase(),
            (true, true) => letter,
        });
    }
}

fn parse_permissions(text: &[u8]) -> Option<(Kind, u16)> {
    let (kind, bits) = text.split_first()?;
    let kind = match kind {
        b'-' => Kind::File,
        b'd' => Kind::Directory,
        b'l' => Kind::Link { target: None },
        b'b' | b'c' | b'p' | b's' | b'D' | b'?' => Kind::Other,
        _ => return None,
    };
    // Behind the nine letters stand "+" for an ACL, "." for SELinux, "@" for attributes.
    let (bits, mark) = bits.split_first_chunk::<9>()?;
    if !matches!(mark, [] | [b'+' | b'.' | b'@']) {
        return None;
    }
    let mut mode = 0;
    for (index, letter) in bits.iter().enumerate() {
        let bit = 1 << (8 - index);
        let special = 1 << (11 - index / 3);
        mode |= match (letter, index % 3) {
            (b'-', _) => 0,
            (b'r', 0) | (b'w', 1) | (b'x', 2) => bit,
            (b's' | b't', 2) => bit | special,
            (b'S' | b'T', 2) => special,
            _ => return None,
        };
    }
    Some((kind, mode))
}

fn push_date(modified: Timestamp, now: Timestamp, out: &mut Vec<u8>) {
    let month = MONTHS.get(usize::from(modified.month()).saturating_sub(1));
    out.extend_from_slice(month.unwrap_or(&"Jan").as_bytes());
    out.push(b' ');
    push_number(modified.day().into(), 2, b' ', out);
    out.push(b' ');
    let age = now.to_unix() - modified.to_unix();
    if (0..RECENT_SECONDS).contains(&age) {
        push_number(modified.hour().into(), 2, b'0', out);
        out.push(b':');
        push_number(modified.minute().into(), 2, b'0', out);
    } else {
        out.push(b' ');
        push_number(modified.year().into(), 4, b' ', out);
    }
}

/// Reads `Jan 31 12:34`, `Jan 31 2024`, `2024-01-31 12:34` or `2024-01-31 12:34:56.7 +0100` at the start;
/// gives what follows.
pub(super) fn parse_date(text: &[u8], now: Timestamp) -> Option<(Timestamp, &[u8])> {
    let (first, rest) = next_word(text)?;
    let (second, after) = next_word(rest)?;
    if let [year @ .., b'-', m1, m2, b'-', d1, d2] = first {
        let (hour, minute) = parse_clock(second)?;
        let year = parse_number(year)?;
        let month = parse_number(&[*m1, *m2])?;
        let day = parse_number(&[*d1, *d2])?;
        let seconds = second.get(6..8).and_then(parse_number).unwrap_or(0);
        let moment = Timestamp::new(year, month, day, hour, minute, seconds)?;
        return Some(in_utc(moment, after));
    }
    // Some locales put the day first.
    let (month, day, day_first) = match parse_month(first) {
        Some(month) => (month, parse_number(second)?, false),
        None => (parse_month(second)?, parse_number(first)?, true),
    };
    let (third, after) = next_word(after)?;
    if let Some(year) = parse_number::<u16>(third) {
        // `3 Jan 1 2020` is a size and a date.
        if day_first && third.len() != 4 {
            return None;
        }
        return Some((Timestamp::new(year, month, day, 0, 0, 0)?, after));
    }
    let (hour, minute) = parse_clock(third)?;
    // The latest such date that is not in the future; four years back for 29 February.
    let moment = (0..=8)
        .filter_map(|back| {
            let year = (now.year() + 1).checked_sub(back)?;
            Timestamp::new(year, month, day, hour, minute, 0)
        })
        .find(|moment| moment.to_unix() <= now.to_unix() + CLOCK_TOLERANCE_SECONDS)?;
    Some((moment, after))
}

/// A moment with the distance to UTC that may follow it, as `ls --full-time` has it; gives what follows
/// that.
fn in_utc(moment: Timestamp, after: &[u8]) -> (Timestamp, &[u8]) {
    let zone = next_word(after).and_then(|(word, rest)| {
        let [sign @ (b'+' | b'-'), h1, h2, m1, m2] = word else {
            return None;
        };
        let hours: i64 = parse_number(&[*h1, *h2])?;
        let minutes: i64 = parse_number(&[*m1, *m2])?;
        let seconds = (hours * 60 + minutes) * 60;
        let east = if *sign == b'+' { seconds } else { -seconds };
        Some((Timestamp::from_unix(moment.to_unix() - east), rest))
    });
    zone.unwrap_or((moment, after))
}

/// English, and what servers with a locale write in German, French, Spanish, Italian, Portuguese and
/// Dutch, in UTF-8 or Latin-1.
fn parse_month(word: &[u8]) -> Option<u8> {
    let plain: Vec<u8> = word
        .iter()
        .filter(|byte| !matches!(byte, b'.' | 0xc3))
        .map(|byte| match byte {
            // Umlauts and accents, by their last byte in either encoding.
            0xa4 | 0xe4 => b'a',
            0xa9 | 0xe9 => b'e',
            0xbb | 0xfb => b'u',
            other => other.to_ascii_lowercase(),
        })
        .collect();
    let start = plain.get(..3)?;
    let longest_is_month = plain.len() <= 5 && plain.iter().all(u8::is_ascii_lowercase);
    let month = match start {
        b"jan" | b"ene" | b"gen" => 1,
        b"feb" | b"fev" => 2,
        b"mar" | b"mrz" | b"mrt" | b"maa" => 3,
        b"apr" | b"avr" | b"abr" => 4,
        b"may" | b"mai" | b"mag" | b"mei" => 5,
        b"jun" | b"giu" => 6,
        b"jul" | b"lug" => 7,
        b"aug" | b"aou" | b"ago" => 8,
        b"sep" | b"set" => 9,
        b"oct" | b"okt" | b"ott" | b"out" => 10,
        b"nov" => 11,
        b"dec" | b"dez" | b"dic" => 12,
        // `juin` and `juil.` share three letters with nothing else.
        b"jui" => match plain.get(3) {
            Some(b'n') => 6,
            Some(b'l') => 7,
            _ => return None,
        },
        _ => return None,
    };
    longest_is_month.then_some(month)
}

fn parse_clock(text: &[u8]) -> Option<(u8, u8)> {
    let colon = text.iter().position(|&byte| byte == b':')?;
    let (hour, minute) = text.split_at_checked(colon)?;
    Some((parse_number(hour)?, parse_number(minute.get(1..3)?)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 2024-03-10 12:00:00 UTC.
    const NOW: i64 = 1_710_072_000;

    fn parsed(line: &str) -> Entry {
        parse(line.as_bytes(), Timestamp::from_unix(NOW)).expect(line)
    }

    fn when(line: &str) -> String {
        parsed(line).modified.unwrap().to_string()
    }

    #[test]
    fn columns_may_be_missing_and_marks_present() {
        let entry = parsed("-rwsr-xr-t+  1 root     wheel      1234 Mar  1 10:00  a b ");
        assert_eq!(entry.name, b" a b ");
        assert_eq!(entry.mode, Some(0o5755));
        assert_eq!(entry.size, Some(1234));
        assert_eq!(entry.group.as_deref(), Some(&b"wheel"[..]));
        let entry = parsed("drwxr-xr-x 2 ftp 4096 Jan  1 2020 pub");
        assert_eq!(
            (entry.owner.as_deref(), entry.group),
            (Some(&b"ftp"[..]), None)
        );
        let entry = parsed("crw-rw-rw- 1 root root 1, 3 Jan  1 2020 null");
        assert_eq!((entry.kind, entry.size), (Kind::Other, None));
        let entry = parsed("lrwxrwxrwx 1 0 0 7 Jan 1 2020 bin -> usr/bin");
        assert_eq!(entry.name, b"bin");
        assert_eq!(
            entry.kind,
            Kind::Link {
                target: Some(b"usr/bin".to_vec())
            }
        );
    }

    #[test]
    fn dates_without_year_lie_in_the_past() {
        assert_eq!(when("-rw-r--r-- 1 a b 1 Mar 10 12:30 x"), "20240310123000");
        assert_eq!(when("-rw-r--r-- 1 a b 1 Dec 31 23:59 x"), "20231231235900");
        assert_eq!(when("-rw-r--r-- 1 a b 1 Feb 29 01:00 x"), "20240229010000");
        assert_eq!(
            when("-rw-r--r-- 1 a b 1 2019-07-04 08:09 x"),
            "20190704080900"
        );
    }

    #[test]
    fn other_lines_are_not_taken_for_entries() {
        for line in [
            "",
            "total 3",
            "-rw-r--r--",
            "drwxr-xr-x Jan 1 2020 x",
            "-rw-r--r-- 1 a b x Jan 1 2020 n",
            "xrw-r--r-- 1 a b 1 Jan 1 2020 n",
        ] {
            assert_eq!(
                parse(line.as_bytes(), Timestamp::from_unix(NOW)),
                None,
                "{line}"
            );
        }
    }

    #[test]
    fn a_name_with_a_line_end_stays_on_its_line() {
        let mut out = Vec::new();
        write(
            &Entry::new("a\r\nb", Kind::File),
            Timestamp::from_unix(NOW),
            &mut out,
        );
        assert_eq!(out.iter().filter(|&&byte| byte == b'\n').count(), 1);
    }

    proptest! {
        #[test]
        fn what_we_write_we_read(
            name in "[!-~][ -~]{0,12}", target in prop::option::of("[a-z/]{1,9}"), mode in 0_u16..=0o7777,
            size in any::<u64>(), days_back in 0_i64..20_000, links in 1_u64..2000, kind in 0..3,
        ) {
            prop_assume!(!name.contains(" -> "));
            let now = Timestamp::from_unix(NOW);
            let kind = match kind {
                0 => Kind::File,
                1 => Kind::Directory,
                _ => Kind::Link { target: target.map(String::into_bytes) },
            };
            let mut entry = Entry::new(name, kind);
            // Whole days, because old dates are written without the time of day.
            entry.modified = Some(Timestamp::from_unix(NOW / 86_400 * 86_400 - days_back * 86_400));
            entry.mode = Some(mode);
            entry.size = Some(size);
            entry.links = Some(links);
            entry.owner = Some(b"ftp".to_vec());
            entry.group = Some(b"1000".to_vec());
            let mut out = Vec::new();
            write(&entry, now, &mut out);
            let line = out.strip_suffix(b"\r\n").unwrap();
            prop_assert_eq!(parse(line, now), Some(entry));
        }
    }
}
