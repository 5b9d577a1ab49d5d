//! `pmap` of procps 4.0.2: what a process has in its address space.

use sundew_kernel::{ExitStatus, Process};

use super::cli::{self, Order};
use super::process::base;

/// A line of `/proc/PID/maps`.
struct Mapping {
    start: u64,
    kib: u64,
    mode: String,
    offset: u64,
    device: String,
    name: String,
}

fn mappings(text: &str, whole: bool) -> Vec<Mapping> {
    let rows = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let (start, end) = words.next()?.split_once('-')?;
        let (start, end) = (
            u64::from_str_radix(start, 16).ok()?,
            u64::from_str_radix(end, 16).ok()?,
        );
        let flags = words.next()?;
        let offset = u64::from_str_radix(words.next()?, 16).ok()?;
        let device = words.next()?.to_owned();
        let path = words.nth(1).unwrap_or_default();
        let shared = if flags.ends_with('s') { 's' } else { '-' };
        let name = match path {
            "[stack]" => "  [ stack ]".to_owned(),
            path if path.starts_with('/') && whole => path.to_owned(),
            path if path.starts_with('/') => base(path).to_owned(),
            _ => "  [ anon ]".to_owned(),
        };
        Some(Mapping {
            start,
            kib: end.saturating_sub(start) / 1024,
            mode: format!("{}{shared}-", flags.get(..3)?),
            offset,
            device,
            name,
        })
    });
    rows.collect()
}

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
pub(super) async fn pmap(proc: &mut Process) -> ExitStatus {
    const NOT_FOUND: u8 = 42;
    let line = match cli::read(proc, "pmap", 1, Order::Any).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    if line.operands.is_empty() {
        return super::fail(proc, cli::section("pmap"), 1).await;
    }
    let mut missing = false;
    for word in &line.operands {
        let text = super::text(word);
        let Some(pid) = base(&text).parse::<u32>().ok() else {
            return super::fail(proc, cli::section("pmap"), 1).await;
        };
        let Some(one) = proc.processes().into_iter().find(|one| one.pid == pid) else {
            missing = true;
            continue;
        };
        let command = if one.args.is_empty() {
            format!("[{}]", super::text(&one.name))
        } else {
            super::text(&one.args.join(&b' '))
        };
        let quiet = line.has("quiet");
        let mut out = format!("{pid}:   {command}\n");
        let path = format!("/proc/{pid}/maps");
        let maps = proc.read_small_file(path.as_bytes()).unwrap_or_default();
        let rows = mappings(&super::text(&maps), line.has("show-path"));
        let total: u64 = rows.iter().map(|row| row.kib).sum();
        let extended = line.has("extended") || line.has("X") || line.has("XX");
        let device = line.has("device");
        if extended && !quiet {
            out.push_str("Address           Kbytes     RSS   Dirty Mode  Mapping\n");
        } else if device && !quiet {
            out.push_str("Address           Kbytes Mode  Offset           Device    Mapping\n");
        }
        let (mut resident, mut dirty, mut private, mut shared) = (0, 0, 0, 0);
        for row in &rows {
            let writable = row.mode.contains('w');
            let rss = if row.mode.starts_with('r') {
                row.kib.min(1024)
            } else {
                0
            };
            let own = if writable { rss } else { 0 };
            resident += rss;
            dirty += own;
            if writable && !row.mode.contains('s') {
                private += row.kib;
            }
            if row.mode.contains('s') {
                shared += row.kib;
            }
            let Mapping {
                start,
                kib,
                mode,
                offset,
                name,
                ..
            } = row;
            out.push_str(&if extended {
                format!("{start:016x} {kib:>7} {rss:>7} {own:>7} {mode} {name}\n")
            } else if device {
                let (major, minor) = row.device.split_once(':').unwrap_or(("00", "00"));
                format!(
                    "{start:016x} {kib:>7} {mode} {offset:016x} {major:0>3}:{minor:0>5} {name}\n"
                )
            } else {
                format!("{start:016x} {:>7} {mode} {name}\n", format!("{kib}K"))
            });
        }
        if !quiet {
            out.push_str(&if extended {
                format!("---------------- ------- ------- ------- \ntotal kB         {total:>7} {resident:>7} {dirty:>7}\n")
            } else if device {
                format!("mapped: {total}K    writeable/private: {private}K    shared: {shared}K\n")
            } else {
                format!(" total {:>17}\n", format!("{total}K"))
            });
        }
        super::put(proc, out).await;
    }
    if missing {
        return ExitStatus::Exited(NOT_FOUND);
    }
    proc.status()
}

#[cfg(test)]
mod tests {
    use super::mappings;

    #[test]
    fn mappings_have_sizes_and_names() {
        let text = "55c0ed5b9000-55c0ed5bd000 r--p 00000000 fe:01 862564   /usr/bin/cat\n55c0eddb9000-55c0eddda000 rw-p 00000000 00:00 0  [heap]\nbroken\n";
        let rows = mappings(text, false);
        assert_eq!(rows.len(), 2);
        assert_eq!(
            (rows[0].kib, rows[0].mode.as_str(), rows[0].name.as_str()),
            (16, "r----", "cat")
        );
        assert_eq!(rows[1].name, "  [ anon ]");
    }
}
