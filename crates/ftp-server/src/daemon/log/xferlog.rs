//! One line of xferlog, as xferlog(5) of wu-ftpd and ProFTPD describes it. Times are UTC.

use ftp_proto::server::TransferEnd;
use ftp_proto::time::Timestamp;

use crate::connection::Peer;
use crate::event::{Direction, TransferReport};

/// The line with its end; `None` for listings, which are not logged there.
pub(super) fn line(peer: &Peer, report: &TransferReport, now: Timestamp) -> Option<Vec<u8>> {
    let start = &report.start;
    let direction = match start.direction {
        Direction::Sent => 'o',
        Direction::Received => 'i',
        Direction::Listed => return None,
    };
    let kind = if start.ascii { 'a' } else { 'b' };
    let access = if start.is_anonymous { 'a' } else { 'r' };
    let completion = match report.end {
        TransferEnd::Complete => 'c',
        _ => 'i',
    };
    // Readers split on blanks.
    let seconds = report.took.as_secs().max(1);
    let (host, bytes) = (peer.address.ip(), report.bytes);
    let mut line = format!("{} {seconds} {host} {bytes} ", date(now)).into_bytes();
    line.extend(word(start.path.as_bytes()));
    line.extend(format!(" {kind} _ {direction} {access} ").bytes());
    line.extend(word(start.user.as_bytes()));
    line.extend(format!(" ftp 0 * {completion}\n").bytes());
    Some(line)
}

/// `Thu Sep  4 16:22:44 2025`.
fn date(time: Timestamp) -> String {
    // The first day of 1970 was a Thursday.
    let days = time.to_unix().div_euclid(86_400) + 4;
    let weekday = usize::try_from(days.rem_euclid(7)).unwrap_or(0);
    let month = usize::from(time.month().saturating_sub(1));
    format!(
        "{} {} {:2} {:02}:{:02}:{:02} {}",
        WEEKDAYS.get(weekday).unwrap_or(&"???"),
        MONTHS.get(month).unwrap_or(&"???"),
        time.day(),
        time.hour(),
        time.minute(),
        time.second(),
        time.year(),
    )
}

/// A name as one word: what would end it or the line becomes `_`.
fn word(name: &[u8]) -> impl Iterator<Item = u8> + '_ {
    let is_blank = |byte: &u8| byte.is_ascii_whitespace() || byte.is_ascii_control();
    name.iter()
        .map(move |byte| if is_blank(byte) { b'_' } else { *byte })
}

const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use ftp_proto::Argument;
    use ftp_proto::server::Path;

    use super::*;
    use crate::event::TransferStart;

    fn report(direction: Direction, end: TransferEnd) -> TransferReport {
        TransferReport {
            start: TransferStart {
                user: Argument::try_from("anna").unwrap(),
                is_anonymous: false,
                path: Path::root().join(b"pub/my file\n1").unwrap(),
                direction,
                ascii: false,
                offset: 0,
            },
            bytes: 1234,
            took: Duration::from_millis(2900),
            end,
        }
    }

    fn said(report: &TransferReport) -> Option<String> {
        let peer = Peer {
            id: 1,
            address: "192.0.2.1:5".parse().unwrap(),
            local: "127.0.0.1:2".parse().unwrap(),
            since: Instant::now(),
        };
        let time = Timestamp::new(2025, 9, 4, 16, 22, 44).unwrap();
        line(&peer, report, time).map(|line| String::from_utf8(line).unwrap())
    }

    #[test]
    fn a_line_has_the_fields_of_xferlog_and_a_hostile_name_makes_no_second_one() {
        assert_eq!(
            said(&report(Direction::Sent, TransferEnd::Complete)).unwrap(),
            "Thu Sep  4 16:22:44 2025 2 192.0.2.1 1234 /pub/my_file_1 b _ o r anna ftp 0 * c\n"
        );
        let cut = said(&report(Direction::Received, TransferEnd::Cut)).unwrap();
        assert!(cut.ends_with(" b _ i r anna ftp 0 * i\n"), "{cut}");
        assert_eq!(
            said(&report(Direction::Listed, TransferEnd::Complete)),
            None
        );
    }
}
