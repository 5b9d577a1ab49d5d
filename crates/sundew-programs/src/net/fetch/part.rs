//! Downloads of which only a part was asked for, as `wget -c` and `curl -C` do: what is kept then is not the
//! whole file, and must not pass for it.

use futures_util::future::BoxFuture;
use sundew_kernel::observe::{Capture, DownloadEnd};

use super::Head;

/// Keeps a part: however well it ends, it is incomplete.
pub(super) struct Part {
    capture: Box<dyn Capture>,
    from: u64,
}

/// The capture of a transfer that begins at this byte, if it leaves anything out.
pub(super) fn of(capture: Box<dyn Capture>, from: Option<u64>) -> Box<dyn Capture> {
    match from {
        Some(from) => Box::new(Part { capture, from }),
        None => capture,
    }
}

/// Where the part begins that an HTTP response brings; `None` if it is the whole. RFC 9110 §14.4.
pub(super) fn begin(head: &Head) -> Option<u64> {
    if head.status != 206 {
        return None;
    }
    let parse = |text: &str| text.trim().parse::<u64>().ok();
    let range = head.value("content-range").unwrap_or_default();
    let range = std::str::from_utf8(range).unwrap_or_default();
    let (range, total) = range.split_once('/').unwrap_or((range, ""));
    let bounds = range.trim_start_matches("bytes").split_once('-');
    let (first, last) = bounds.map_or((None, None), |(a, b)| (parse(a), parse(b)));
    let end = last.and_then(|last| last.checked_add(1));
    let whole = first == Some(0) && end.is_some() && end == parse(total);
    (!whole).then(|| first.unwrap_or(0))
}

impl Capture for Part {
    fn write<'a>(&'a mut self, bytes: &'a [u8]) -> BoxFuture<'a, bool> {
        self.capture.write(bytes)
    }

    fn end(self: Box<Self>, end: DownloadEnd) -> BoxFuture<'static, ()> {
        let end = match end {
            DownloadEnd::Complete => {
                DownloadEnd::Incomplete(format!("a part, from byte {} on", self.from))
            }
            other => other,
        };
        self.capture.end(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(status: u16, range: &str) -> Option<u64> {
        let text = format!("HTTP/1.1 {status} x\r\nContent-Range: {range}\r\n\r\n");
        begin(&Head::parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn a_part_is_a_part_unless_it_is_all_there_is() {
        assert_eq!(from(200, "bytes 5-9/10"), None);
        assert_eq!(from(206, "bytes 5-9/10"), Some(5));
        assert_eq!(from(206, "bytes 0-9/10"), None);
        assert_eq!(from(206, "bytes 0-4/10"), Some(0));
        let most = u64::MAX;
        for odd in [
            "",
            "bytes */10",
            "bytes 0-9/*",
            "bytes 0-x/10",
            &format!("bytes 0-{most}/10"),
        ] {
            assert_eq!(from(206, odd), Some(0), "{odd}");
        }
    }
}
