//! `vmstat` of procps 4.0.2: what `/proc` counts, since the start and between two looks.

use std::time::Duration;

use sundew_kernel::{ExitStatus, Process};

use super::{number, print_help, print_version, refuse};
use crate::getopt::{Arity, Getopt, Opt, Spec};
use crate::text::input;
use crate::time::{Shown, Zone};

mod counts;
mod disks;

use counts::Counts;

const SPEC: Spec = Spec::new(
    "afmnsdDp:S:wthVy",
    &[
        ("active", Arity::No, "a"),
        ("forks", Arity::No, "f"),
        ("slabs", Arity::No, "m"),
        ("one-header", Arity::No, "n"),
        ("stats", Arity::No, "s"),
        ("disk", Arity::No, "d"),
        ("disk-sum", Arity::No, "D"),
        ("partition", Arity::Required, "p"),
        ("unit", Arity::Required, "S"),
        ("wide", Arity::No, "w"),
        ("timestamp", Arity::No, "t"),
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
        ("no-first", Arity::No, "y"),
    ],
);

/// Lines between two headings: a terminal of 24 lines less three.
const HEADING_EVERY: u64 = 21;

/// What the rows show, and how.
struct Report {
    active: bool,
    wide: bool,
    zone: Option<Zone>,
    /// Bytes of a unit of memory.
    unit: u64,
}

/// What is asked for in place of the usual rows.
enum Question {
    Rows,
    Stats,
    Forks,
    Slabs,
    Disks,
    DiskSum,
    Partition(Vec<u8>),
}

/// `vmstat`.
#[expect(
    clippy::too_many_lines,
    reason = "one arm for each option, in one place"
)]
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let mut report = Report {
        active: false,
        wide: false,
        zone: None,
        unit: 1024,
    };
    let (mut question, mut one_heading, mut first) = (Question::Rows, false, true);
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        let Opt { key, value, .. } = match option {
            Ok(option) => option,
            Err(error) => return refuse(proc, "vmstat", Some(&error)).await,
        };
        match key {
            "a" => report.active = true,
            "w" => report.wide = true,
            "t" => report.zone = Some(Zone::of(proc).await),
            "n" => one_heading = true,
            "y" => first = false,
            "s" => question = Question::Stats,
            "f" => question = Question::Forks,
            "m" => question = Question::Slabs,
            "d" => question = Question::Disks,
            "D" => question = Question::DiskSum,
            "p" => question = Question::Partition(value),
            "S" => match value.first() {
                Some(b'b' | b'B') => report.unit = 1,
                Some(b'k') => report.unit = 1000,
                Some(b'K') => report.unit = 1024,
                Some(b'm') => report.unit = 1_000_000,
                Some(b'M') => report.unit = 1 << 20,
                _ => return fail(proc, "-S requires k, K, m or M (default is KiB)").await,
            },
            "h" => return print_help(proc, "vmstat").await,
            _ => return print_version(proc, "vmstat").await,
        }
    }
    let operands = options.operands();
    let mut rhythm = Vec::new();
    for word in operands.iter().take(2) {
        let Some(value) = number::<i64>(word) else {
            let word = String::from_utf8_lossy(word);
            return fail(proc, format!("failed to parse argument: '{word}'")).await;
        };
        rhythm.push(value);
        if rhythm.len() == 1 && value < 1 {
            return fail(proc, "delay must be positive integer").await;
        }
        if rhythm.len() == 1 && value > i64::from(u32::MAX) {
            return fail(proc, "too large delay value").await;
        }
    }
    if operands.len() > 2 {
        return refuse(proc, "vmstat", None).await;
    }
    let text = match question {
        Question::Rows => {
            let delay = rhythm.first().map(|&seconds| seconds.unsigned_abs());
            let count = match (delay, rhythm.get(1)) {
                (None, _) => 1,
                (Some(_), None) => u64::MAX,
                (Some(_), Some(&count)) => u64::try_from(count).unwrap_or(0),
            };
            let rhythm = Rhythm {
                delay: delay.unwrap_or(1),
                count,
                one_heading,
                first,
            };
            return rows(proc, &report, &rhythm).await;
        }
        Question::Stats => {
            let (_, mark) = (report.unit, unit_mark(report.unit));
            Counts::read(proc).await.stats(report.unit, mark)
        }
        Question::Forks => format!("{:>13} forks\n", Counts::read(proc).await.forks),
        Question::Slabs => return slabs(proc).await,
        Question::Disks => disks::rows(proc, report.wide).await,
        Question::DiskSum => disks::sum(proc).await,
        Question::Partition(name) => {
            let name = name.strip_prefix(b"/dev/").unwrap_or(&name).to_vec();
            match disks::partition(proc, &name).await {
                Some(text) => text,
                None => {
                    let name = String::from_utf8_lossy(&name).into_owned();
                    return fail(proc, format!("Disk/Partition {name} not found")).await;
                }
            }
        }
    };
    let _closed = proc.print(text.as_bytes()).await;
    proc.status()
}

async fn fail(proc: &mut Process, text: impl AsRef<[u8]>) -> ExitStatus {
    proc.complain_text(text.as_ref()).await;
    ExitStatus::FAILURE
}

const fn unit_mark(unit: u64) -> &'static str {
    match unit {
        1 => "B",
        1000 => "k",
        1_000_000 => "m",
        1_048_576 => "M",
        _ => "K",
    }
}

/// When rows are printed.
struct Rhythm {
    /// Seconds between two.
    delay: u64,
    count: u64,
    one_heading: bool,
    /// Whether the row of what was since the start is wanted.
    first: bool,
}

async fn rows(proc: &mut Process, report: &Report, rhythm: &Rhythm) -> ExitStatus {
    if proc.print(report.heading(proc).as_bytes()).await.is_err() {
        return proc.status();
    }
    let mut before = Counts::default();
    let mut shown = 0;
    loop {
        let now = Counts::read(proc).await;
        if rhythm.first || before.total() > 0 {
            let line = report.row(proc, &before, &now);
            if proc.print(line.as_bytes()).await.is_err() || proc.flush().await.is_err() {
                break;
            }
            shown += 1;
            if shown >= rhythm.count {
                break;
            }
        }
        before = now;
        if proc.sleep(Duration::from_secs(rhythm.delay)).await.is_err() {
            break;
        }
        let again = !rhythm.one_heading && shown > 0 && shown % HEADING_EVERY == 0;
        if again && proc.print(report.heading(proc).as_bytes()).await.is_err() {
            break;
        }
    }
    proc.status()
}

impl Report {
    fn heading(&self, proc: &Process) -> String {
        let (first, second) = match (self.wide, self.active) {
            (false, false) => (
                "procs -----------memory---------- ---swap-- -----io---- -system-- ------cpu-----",
                " r  b   swpd   free   buff  cache   si   so    bi    bo   in   cs us sy id wa st",
            ),
            (false, true) => (
                "procs -----------memory---------- ---swap-- -----io---- -system-- ------cpu-----",
                " r  b   swpd   free  inact active   si   so    bi    bo   in   cs us sy id wa st",
            ),
            (true, false) => (
                "--procs-- -----------------------memory---------------------- ---swap-- -----io---- -system-- ----------cpu----------",
                "   r    b         swpd         free         buff        cache   si   so    bi    bo   in   cs  us  sy  id  wa  st  gu",
            ),
            (true, true) => (
                "--procs-- -----------------------memory---------------------- ---swap-- -----io---- -system-- ----------cpu----------",
                "   r    b         swpd         free        inact       active   si   so    bi    bo   in   cs  us  sy  id  wa  st  gu",
            ),
        };
        match &self.zone {
            None => format!("{first}\n{second}\n"),
            Some(zone) => {
                let name = Shown::new(proc.now(), zone).format(b"%Z");
                let name = String::from_utf8_lossy(&name).into_owned();
                format!("{first} -----timestamp-----\n{second}{name:>20}\n")
            }
        }
    }

    fn row(&self, proc: &Process, before: &Counts, now: &Counts) -> String {
        let spent = now.since(before);
        let all = spent.total().max(1);
        let share = |ticks: u64| (ticks * 100 + all / 2) / all;
        // Ticks are hundredths of a second.
        let rate = |count: u64| (count * 100 + all / 2) / all;
        let memory = |kib: u64| kib.saturating_mul(1024) / self.unit;
        let (third, fourth) = if self.active {
            (now.inactive, now.active)
        } else {
            (now.buffers, now.cached)
        };
        let numbers = [
            now.running,
            now.blocked,
            memory(now.swap_total.saturating_sub(now.swap_free)),
            memory(now.free),
            memory(third),
            memory(fourth),
            memory(rate(spent.swapped_in) * 4),
            memory(rate(spent.swapped_out) * 4),
            rate(spent.paged_in),
            rate(spent.paged_out),
            rate(spent.interrupts),
            rate(spent.switches),
            share(spent.user + spent.nice),
            share(spent.system + spent.irq + spent.softirq),
            share(spent.idle),
            share(spent.waiting),
            share(spent.stolen),
            0,
        ];
        let widths: &[usize] = if self.wide {
            &[4, 4, 12, 12, 12, 12, 4, 4, 5, 5, 4, 4, 3, 3, 3, 3, 3, 3]
        } else {
            &[2, 2, 6, 6, 6, 6, 4, 4, 5, 5, 4, 4, 2, 2, 2, 2, 2]
        };
        let cells: Vec<String> = numbers
            .iter()
            .zip(widths)
            .map(|(number, width)| format!("{number:>width$}"))
            .collect();
        let mut line = cells.join(" ");
        if let Some(zone) = &self.zone {
            let time = Shown::new(proc.now(), zone).format(b"%Y-%m-%d %H:%M:%S");
            line += &format!(" {}", String::from_utf8_lossy(&time));
        }
        line + "\n"
    }
}

/// `-m`: the lines of `/proc/slabinfo`.
async fn slabs(proc: &mut Process) -> ExitStatus {
    let text = match input::read_all(proc, b"/proc/slabinfo").await {
        Ok((text, _memory)) => text,
        Err(errno) => {
            let text = format!("Unable to create slabinfo structure: {}", errno.message());
            return fail(proc, text).await;
        }
    };
    let mut out = "Cache                       Num  Total   Size  Pages\n".to_owned();
    for line in String::from_utf8_lossy(&text).lines().skip(2) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        if let [name, active, objects, size, each, ..] = fields.as_slice() {
            out += &format!("{name:<24} {active:>6} {objects:>6} {size:>6} {each:>6}\n");
        }
    }
    let _closed = proc.print(out.as_bytes()).await;
    proc.status()
}
