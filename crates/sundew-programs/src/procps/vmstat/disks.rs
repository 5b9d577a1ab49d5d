//! `vmstat -d`, `-D` and `-p`: `/proc/diskstats` as tables.

use sundew_kernel::Process;

use crate::text::input;

/// One line: reads, merged, sectors, milliseconds; the same of writes; running, milliseconds, weighted.
struct Disk {
    name: String,
    counts: Vec<u64>,
}

impl Disk {
    fn count(&self, at: usize) -> u64 {
        self.counts.get(at).copied().unwrap_or(0)
    }
}

async fn read(proc: &Process) -> Vec<Disk> {
    let text = input::read_all(proc, b"/proc/diskstats").await;
    let text = text.map(|(text, _memory)| text).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let disks = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace().skip(2);
        Some(Disk {
            name: words.next()?.to_owned(),
            counts: words.map(|word| word.parse().unwrap_or(0)).collect(),
        })
    });
    disks.collect()
}

/// Whether another disk's name and a number make this one's.
fn is_part(disk: &Disk, all: &[Disk]) -> bool {
    all.iter().any(|whole| {
        let rest = disk.name.strip_prefix(whole.name.as_str());
        rest.is_some_and(|rest| {
            !rest.is_empty() && rest.trim_start_matches('p').parse::<u32>().is_ok()
        })
    })
}

/// `-d`.
pub(super) async fn rows(proc: &Process, wide: bool) -> String {
    let mut out = if wide {
        concat!(
            "disk- -------------------reads------------------- -------------------writes------------------ ------IO-------\n",
            "          total    merged     sectors          ms     total    merged     sectors          ms     cur     sec\n",
        )
    } else {
        concat!(
            "disk- ------------reads------------ ------------writes----------- -----IO------\n",
            "       total merged sectors      ms  total merged sectors      ms    cur    sec\n",
        )
    }
    .to_owned();
    let widths: [usize; 10] = if wide {
        [9, 9, 11, 11, 9, 9, 11, 11, 7, 7]
    } else {
        [6, 6, 7, 7, 6, 6, 7, 7, 6, 6]
    };
    let disks = read(proc).await;
    for disk in disks.iter().filter(|disk| !is_part(disk, &disks)) {
        out += &format!("{:<5}", disk.name);
        for (at, width) in widths.into_iter().enumerate() {
            let count = disk.count(at);
            let count = if at == 9 { count / 1000 } else { count };
            out += &format!(" {count:>width$}");
        }
        out.push('\n');
    }
    out
}

/// `-D`.
pub(super) async fn sum(proc: &Process) -> String {
    const NAMES: [&str; 11] = [
        "total reads",
        "merged reads",
        "read sectors",
        "milli reading",
        "writes",
        "merged writes",
        "written sectors",
        "milli writing",
        "inprogress IO",
        "milli spent IO",
        "milli weighted IO",
    ];
    let disks = read(proc).await;
    let parts = disks.iter().filter(|disk| is_part(disk, &disks)).count();
    let wholes = disks.len() - parts;
    let mut out = format!("{wholes:>13} disks\n{parts:>13} partitions\n");
    for (at, name) in NAMES.into_iter().enumerate() {
        let of = disks.iter().filter(|disk| !is_part(disk, &disks));
        let all: u64 = of.map(|disk| disk.count(at)).sum();
        // Seconds and milliseconds are mixed up by the original too.
        let all = if at >= 9 { all / 1000 } else { all };
        out += &format!("{all:>13} {name}\n");
    }
    out
}

/// `-p NAME`; nothing if there is no such disk.
pub(super) async fn partition(proc: &Process, name: &[u8]) -> Option<String> {
    let disks = read(proc).await;
    let disk = disks.iter().find(|disk| disk.name.as_bytes() == name)?;
    Some(format!(
        "{:<10} {:>10} {:>17} {:>11} {:>17}\n{:>21} {:>17} {:>11} {:>17}\n",
        disk.name,
        "reads",
        "read sectors",
        "writes",
        "requested writes",
        disk.count(0),
        disk.count(2),
        disk.count(4),
        disk.count(6)
    ))
}
