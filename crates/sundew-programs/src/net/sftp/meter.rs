//! The line that shows how a transfer goes, on terminals.

use std::time::Duration;

use sundew_kernel::{Process, STDOUT};

/// How often the line is drawn again.
const STEP: Duration = Duration::from_secs(1);

/// A transfer that is shown.
#[derive(Debug)]
pub(in crate::net) struct Meter {
    name: Vec<u8>,
    total: u64,
    begun: Duration,
    drawn: Duration,
    /// Columns of the terminal; none: nothing is shown.
    columns: Option<usize>,
}

impl Meter {
    /// Begins.
    pub(in crate::net) async fn new(proc: &Process, name: &[u8], total: u64, shown: bool) -> Self {
        let shown = shown && proc.is_terminal(STDOUT);
        let columns = proc
            .window_size(STDOUT)
            .map_or(80, |size| usize::from(size.columns));
        let now = proc.monotonic();
        let meter = Self {
            name: name.to_vec(),
            total,
            begun: now,
            drawn: now,
            columns: shown.then_some(columns),
        };
        meter.draw(proc, 0, false).await;
        meter
    }

    /// So much has gone.
    pub(in crate::net) async fn at(&mut self, proc: &Process, done: u64) {
        let now = proc.monotonic();
        if self.columns.is_some() && now.saturating_sub(self.drawn) >= STEP {
            self.drawn = now;
            self.draw(proc, done, false).await;
        }
    }

    /// All has gone.
    pub(in crate::net) async fn end(self, proc: &Process, done: u64) {
        self.draw(proc, done, true).await;
        if self.columns.is_some() {
            // A terminal that is gone shows nothing.
            let _gone = proc.write_all(STDOUT, b"\n").await;
        }
    }

    async fn draw(&self, proc: &Process, done: u64, ended: bool) {
        let Some(columns) = self.columns else {
            return;
        };
        let width = columns.saturating_sub(36).max(1);
        let mut name = self.name.clone();
        name.truncate(width);
        name.resize(width, b' ');
        let percent = match (u128::from(done) * 100).checked_div(self.total.into()) {
            Some(percent) if !ended => percent.min(100),
            _ => 100,
        };
        let elapsed = proc.monotonic().saturating_sub(self.begun).as_secs_f64();
        let rate = if elapsed > 0.0 {
            done as f64 / elapsed
        } else {
            done as f64
        };
        let left = self.total.saturating_sub(done);
        let time = if ended {
            let seconds = elapsed as u64;
            format!("  {:02}:{:02}    ", seconds / 60, seconds % 60)
        } else if rate < 1.0 {
            "  --:-- ETA".to_owned()
        } else {
            let seconds = (left as f64 / rate) as u64;
            format!("  {:02}:{:02} ETA", seconds / 60 % 100, seconds % 60)
        };
        let tail = format!(
            " {percent:3}% {} {}/s {time}",
            size(done),
            speed(rate as u64)
        );
        let line = [b"\r".as_slice(), &name, tail.as_bytes()].concat();
        // As above.
        let _gone = proc.write_all(STDOUT, &line).await;
    }
}

const UNITS: [char; 5] = [' ', 'K', 'M', 'G', 'T'];

fn size(bytes: u64) -> String {
    let (mut bytes, mut unit) = (bytes, 0);
    while bytes >= 10_000 && unit < 4 {
        bytes = (bytes + 512) / 1024;
        unit += 1;
    }
    let letter = UNITS.get(unit).copied().unwrap_or(' ');
    format!("{bytes:4}{letter}{}", if unit > 0 { 'B' } else { ' ' })
}

fn speed(bytes: u64) -> String {
    let (mut bytes, mut unit) = (bytes.saturating_mul(100), 0);
    while bytes >= 100_000 && unit < 4 {
        bytes = (bytes + 512) / 1024;
        unit += 1;
    }
    if unit == 0 {
        bytes = (bytes + 512) / 1024;
        unit = 1;
    }
    let letter = UNITS.get(unit).copied().unwrap_or(' ');
    format!("{:3}.{}{letter}B", (bytes + 5) / 100, (bytes + 5) / 10 % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_speeds_are_as_openssh_writes_them() {
        assert_eq!(size(309), " 309  ");
        assert_eq!(size(20_000), "  20KB");
        assert_eq!(speed(1_500_000), "  1.4MB");
        assert_eq!(speed(0), "  0.0KB");
    }
}
