//! Wget's dots: each a kilobyte, fifty a line; and its rates.

use std::time::Duration;

use sundew_kernel::Process;

/// Bytes that one dot stands for.
const DOT: u64 = 1024;
/// Dots in a line.
const LINE: u64 = 50;
/// The rate that is shown: a server in the same city.
const BYTES_PER_SECOND: u64 = 4 << 20;

/// What has come, and how much of it was drawn.
#[derive(Debug, Default)]
pub(super) struct Progress {
    received: u64,
    /// Dots drawn, those of earlier tries among them.
    dots: u64,
    /// What an earlier try brought.
    before: u64,
    /// Whether the row that the next dot belongs to has its number.
    open: bool,
}

impl Progress {
    /// Bytes that this try brought.
    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// Bytes that are there in all.
    pub(super) fn reached(&self) -> u64 {
        self.before + self.received
    }

    /// So much was there already; what to draw.
    pub(super) fn skip(&mut self, bytes: u64) -> String {
        self.before = bytes;
        let rows = bytes / (LINE * DOT);
        self.dots = rows * LINE;
        let mut out = String::new();
        if rows > 0 {
            let text = (rows * LINE).to_string();
            let width = text.len().max(6) + 2;
            out += &format!("{:width$}[ skipping {text}K ]\n", "");
        }
        out += &format!("{:>6}K", rows * LINE);
        while (self.dots + 1) * DOT <= bytes {
            if self.dots.is_multiple_of(10) {
                out.push(' ');
            }
            out.push(',');
            self.dots += 1;
        }
        self.open = !self.dots.is_multiple_of(LINE);
        out
    }

    /// The number of the row that begins.
    fn row(&mut self, out: &mut String) {
        if self.dots > 0 || self.before > 0 {
            out.push('\n');
        }
        *out += &format!("{:>6}K", self.dots);
        self.open = true;
    }

    /// More has come; what to draw.
    pub(super) fn add(&mut self, bytes: u64, total: Option<u64>) -> String {
        let mut out = String::new();
        if self.received == 0 && !self.open {
            self.row(&mut out);
        }
        self.received += bytes;
        while (self.dots + 1) * DOT <= self.reached() {
            if !self.open {
                self.row(&mut out);
            }
            if self.dots.is_multiple_of(10) {
                out.push(' ');
            }
            out.push('.');
            self.dots += 1;
            if self.dots.is_multiple_of(LINE) {
                self.open = false;
                let share = total
                    .filter(|total| *total > 0)
                    .map(|total| self.dots * DOT * 100 / total);
                out += &match share {
                    Some(100) if total == Some(self.dots * DOT) => String::new(),
                    Some(share) => format!("{share:>3}% {:>5} 0s", unit(BYTES_PER_SECOND)),
                    None => format!(" {:>5}", unit(BYTES_PER_SECOND)),
                };
            }
        }
        out
    }

    /// The end of the drawing.
    pub(super) fn finish(&mut self, total: Option<u64>, elapsed: Duration) -> String {
        let mut out = String::new();
        let full = self.dots > 0 && self.dots.is_multiple_of(LINE);
        let whole = full && self.reached() == self.dots * DOT && self.received > 0;
        if !self.open && !whole {
            self.row(&mut out);
        }
        if !whole {
            for at in self.dots % LINE..LINE {
                if at.is_multiple_of(10) {
                    out.push(' ');
                }
                out.push(' ');
            }
        }
        let speed = unit(speed(self.received, elapsed));
        let took = seconds(elapsed);
        out += &if total.is_some() {
            format!("100% {speed:>5}={took}\n\n")
        } else {
            format!(" {speed:>5}={took}\n\n")
        };
        out
    }

    /// How long it took: as the network would have, since the machine's clock says nothing of it.
    pub(super) fn elapsed(&self, _proc: &Process) -> Duration {
        Duration::from_nanos(
            self.received
                .saturating_mul(1_000_000_000 / BYTES_PER_SECOND),
        )
    }
}

fn speed(bytes: u64, elapsed: Duration) -> u64 {
    let nanos = elapsed.as_nanos().max(1);
    u64::try_from(u128::from(bytes) * 1_000_000_000 / nanos).unwrap_or(0)
}

/// `0.04s`, `12s`.
pub(super) fn seconds(elapsed: Duration) -> String {
    match elapsed.as_secs_f64() {
        short if short < 0.0005 => "0s".to_owned(),
        short if short < 0.1 => format!("{short:.3}s"),
        short if short < 10.0 => format!("{short:.1}s"),
        long => format!("{long:.0}s"),
    }
}

/// `4.00M`, `898K`.
fn unit(rate: u64) -> String {
    let (value, letter) = if rate >= 1 << 20 {
        (rate as f64 / 1_048_576.0, 'M')
    } else {
        (rate as f64 / 1024.0, 'K')
    };
    if value >= 99.95 {
        format!("{value:.0}{letter}")
    } else if value >= 9.995 {
        format!("{value:.1}{letter}")
    } else {
        format!("{value:.2}{letter}")
    }
}

/// `4.00 MB/s`.
pub(super) fn rate(bytes: u64, elapsed: Duration) -> String {
    let text = unit(speed(bytes, elapsed));
    let (number, letter) = text.split_at(text.len().saturating_sub(1));
    format!("{number} {letter}B/s")
}

/// `293K`, `1.5M`.
pub(super) fn short(bytes: u64) -> String {
    let (mut value, mut letters) = (bytes as f64 / 1024.0, "KMGT".chars());
    let mut letter = letters.next().unwrap_or('K');
    while value >= 1024.0
        && let Some(next) = letters.next()
    {
        value /= 1024.0;
        letter = next;
    }
    if value < 10.0 {
        format!("{value:.1}{letter}")
    } else {
        format!("{value:.0}{letter}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_drawn_as_wget_draws_them() {
        let mut progress = Progress::default();
        let drawn = progress.add(6, Some(6)) + &progress.finish(Some(6), Duration::ZERO);
        assert!(
            drawn
                .starts_with("     0K                                                       100% "),
            "{drawn}"
        );
        assert!(drawn.ends_with("=0s\n\n"));
        let mut progress = Progress::default();
        let drawn = progress.add(300_000, Some(300_000));
        let lines: Vec<&str> = drawn.lines().collect();
        assert!(
            lines[0]
                .starts_with("     0K .......... .......... .......... .......... .......... 17% "),
            "{drawn}"
        );
        assert_eq!(
            lines[5],
            "   250K .......... .......... .......... .......... .."
        );
        assert!(
            progress
                .finish(Some(300_000), Duration::ZERO)
                .starts_with("        100% ")
        );
    }

    #[test]
    fn sizes_are_short() {
        assert_eq!(
            (short(300_000).as_str(), short(2000).as_str()),
            ("293K", "2.0K")
        );
    }
}
