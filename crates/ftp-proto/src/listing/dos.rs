//! The form of Windows servers, `12-20-22 02:45PM <DIR> name`, and that of OS/2,
//! `0 DIR 12-30-97 12:32 name`. Read only.

use super::{Entry, Kind, next_word};
use crate::address::parse_number;
use crate::time::Timestamp;

/// Reads one line without its end; `None` if it does not have this form.
///
/// Years of two digits are 1970 to 2069.
#[must_use]
pub fn parse(line: &[u8]) -> Option<Entry> {
    let (date, rest) = next_word(line)?;
    let (clock, rest) = next_word(rest)?;
    let (size, rest) = next_word(rest)?;
    // The name is set off by blanks whose number varies; its own leading blanks are lost.
    let name = rest.trim_ascii_start();
    if name.is_empty() {
        return None;
    }
    let (kind, size) = if size.eq_ignore_ascii_case(b"<DIR>") {
        (Kind::Directory, None)
    } else {
        (Kind::File, Some(parse_number(size)?))
    };
    let mut entry = Entry::new(name, kind);
    entry.size = size;
    entry.modified = Some(parse_moment(date, clock)?);
    Some(entry)
}

/// Reads one line of OS/2: size, attributes, perhaps `DIR`, date, time, name; `None` if it does not have
/// this form.
#[must_use]
pub fn parse_os2(line: &[u8]) -> Option<Entry> {
    let (size, mut rest) = next_word(line)?;
    let size = parse_number(size)?;
    let mut is_directory = false;
    // Attributes are letters; there may be none.
    let (date, rest) = loop {
        let (word, after) = next_word(rest)?;
        match word {
            b"DIR" => is_directory = true,
            word if word
                .iter()
                .all(|byte| matches!(byte, b'A' | b'H' | b'R' | b'S')) => {}
            date => break (date, after),
        }
        rest = after;
    };
    let (clock, rest) = next_word(rest)?;
    let name = rest.trim_ascii_start();
    let modified = parse_moment(date, clock)?;
    if name.is_empty() {
        return None;
    }
    let kind = if is_directory {
        Kind::Directory
    } else {
        Kind::File
    };
    let mut entry = Entry::new(name, kind);
    entry.size = (!is_directory).then_some(size);
    entry.modified = Some(modified);
    Some(entry)
}

fn parse_moment(date: &[u8], clock: &[u8]) -> Option<Timestamp> {
    let mut fields = date.split(|byte| matches!(byte, b'-' | b'/'));
    let month = parse_number(fields.next()?)?;
    let day = parse_number(fields.next()?)?;
    let year = fields.next()?;
    let year = match (year.len(), parse_number(year)?, fields.next()) {
        (2, short @ 0..70, None) => 2000 + short,
        (2, short, None) => 1900 + short,
        (4, long, None) => long,
        _ => return None,
    };
    let [h1, h2, b':', m1, m2, half @ ..] = clock else {
        return None;
    };
    let hour: u8 = parse_number(&[*h1, *h2])?;
    let hour = match (half, hour) {
        ([], hour) => hour,
        (b"AM" | b"am", 12) => 0,
        (b"AM" | b"am", 1..12) | (b"PM" | b"pm", 12) => hour,
        (b"PM" | b"pm", 1..12) => hour + 12,
        _ => return None,
    };
    Timestamp::new(year, month, day, hour, parse_number(&[*m1, *m2])?, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> (Vec<u8>, Kind, Option<u64>, String) {
        let entry = parse(line.as_bytes()).expect(line);
        let when = entry.modified.unwrap().to_string();
        (entry.name, entry.kind, entry.size, when)
    }

    #[test]
    fn years_of_two_and_four_digits_are_read() {
        assert_eq!(
            parsed("12-20-22  02:45PM       <DIR>          a b"),
            (
                b"a b".to_vec(),
                Kind::Directory,
                None,
                "20221220144500".to_owned()
            )
        );
        assert_eq!(
            parsed("01-02-1999  12:05AM                 1234 x"),
            (
                b"x".to_vec(),
                Kind::File,
                Some(1234),
                "19990102000500".to_owned()
            )
        );
        assert_eq!(parsed("01-02-99  23:05 1 x").3, "19990102230500");
    }

    #[test]
    fn other_lines_are_not_taken_for_entries() {
        for line in [
            "",
            "13-01-22 02:45PM 1 x",
            "12-20-22 13:45PM 1 x",
            "12-20-22 02:45PM x y",
            "12-20-22 02:45PM <DIR> ",
        ] {
            assert_eq!(parse(line.as_bytes()), None, "{line}");
        }
    }
}
