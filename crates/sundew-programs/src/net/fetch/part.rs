//! Downloads of which only a part was asked for, as `wget -c` and `curl -C` do: what is kept then is not the
//! whole file, and must not pass for it.

use futures_util::future::BoxFuture;
use sundew_kernel::observe::{Capture, DownloadEnd};

use super::Head;

/// Keeps a part: however well it ends, it is not the whole.
struct Part(Box<dyn Capture>);

/// The capture of a transfer, which leaves something out or does not.
pub(super) fn of(capture: Box<dyn Capture>, is_part: bool) -> Box<dyn Capture> {
    if is_part {
        Box::new(Part(capture))
    } else {
        capture
    }
}

/// Whether an HTTP response brings less than there is. RFC 9110 §14.4.
pub(super) fn is_part(head: &Head) -> bool {
    if head.status != 206 {
        return false;
    }
    let parse = |text: &str| text.trim().parse::<u64>().ok();
    let range = head.value("content-range").unwrap_or_default();
    let range = std::str::from_utf8(range).unwrap_or_default();
    let (range, total) = range.split_once('/').unwrap_or((range, ""));
    let bounds = range.trim_start_matches("bytes").split_once('-');
    let (first, last) = bounds.map_or((None, None), |(a, b)| (parse(a), parse(b)));
    let end = last.and_then(|last| last.checked_add(1));
    let whole = first == Some(0) && end.is_some() && end == parse(total);
    !whole
}

impl Capture for Part {
    fn write<'a>(&'a mut self, bytes: &'a [u8]) -> BoxFuture<'a, bool> {
        self.0.write(bytes)
    }

    fn end(self: Box<Self>, end: DownloadEnd) -> BoxFuture<'static, ()> {
        let end = match end {
            DownloadEnd::Complete => DownloadEnd::Part,
            other => other,
        };
        self.0.end(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brings_a_part(status: u16, range: &str) -> bool {
        let text = format!("HTTP/1.1 {status} x\r\nContent-Range: {range}\r\n\r\n");
        is_part(&Head::parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn a_part_is_a_part_unless_it_is_all_there_is() {
        assert!(!brings_a_part(200, "bytes 5-9/10"));
        assert!(!brings_a_part(206, "bytes 0-9/10"));
        assert!(brings_a_part(206, "bytes 5-9/10"));
        assert!(brings_a_part(206, "bytes 0-4/10"));
        let most = u64::MAX;
        for odd in [
            "",
            "bytes */10",
            "bytes 0-9/*",
            "bytes 0-x/10",
            &format!("bytes 0-{most}/10"),
        ] {
            assert!(brings_a_part(206, odd), "{odd}");
        }
    }
}
