//! What a server has used: processor time and memory, of all its processes.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A control group that holds one server: it counts the time of every process that was ever in it,
/// waited for or not. Without one (not root, no such file system) `/proc` has to do.
#[derive(Debug)]
pub(crate) struct Group(Option<PathBuf>);

impl Group {
    /// Makes one with this name.
    pub(crate) fn make(name: &str) -> Self {
        let parents = ["/sys/fs/cgroup/cpuacct", "/sys/fs/cgroup"];
        let made = parents.iter().find_map(|parent| {
            let path = Path::new(parent).join(name);
            (Path::new(parent).join("cgroup.procs").exists() && fs::create_dir(&path).is_ok())
                .then_some(path)
        });
        Self(made)
    }

    /// The file a process writes itself into.
    pub(crate) fn door(&self) -> Option<PathBuf> {
        self.0.as_ref().map(|path| path.join("cgroup.procs"))
    }

    /// The processes in it, or `root` and what it has started.
    pub(crate) fn processes(&self, root: u32) -> Vec<u32> {
        if let Some(text) = self.door().and_then(|path| fs::read_to_string(path).ok()) {
            return text.lines().filter_map(|line| line.parse().ok()).collect();
        }
        descendants(root)
    }

    /// Processor time so far.
    pub(crate) fn cpu(&self, root: u32) -> Duration {
        let read = |name: &str| fs::read_to_string(self.0.as_ref()?.join(name)).ok();
        if let Some(nanos) = read("cpuacct.usage").and_then(|text| text.trim().parse().ok()) {
            return Duration::from_nanos(nanos);
        }
        let micros = read("cpu.stat").and_then(|text| {
            let line = text
                .lines()
                .find_map(|line| line.strip_prefix("usage_usec "));
            line.and_then(|value| value.parse().ok())
        });
        if let Some(micros) = micros {
            return Duration::from_micros(micros);
        }
        let times = descendants(root).into_iter().filter_map(|pid| {
            let fields = fields(pid)?;
            let tick = |index: usize| fields.get(index)?.parse::<u64>().ok();
            // Its own time and that of the children it has waited for.
            Some((11..15).filter_map(tick).sum::<u64>())
        });
        Duration::from_millis(times.sum::<u64>() * 10)
    }

    /// Proportional share of memory in KiB, of all of them.
    pub(crate) fn memory_kib(&self, root: u32) -> u64 {
        let share = |pid: u32| -> Option<u64> {
            let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
            let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
            line.trim().trim_end_matches(" kB").parse().ok()
        };
        self.processes(root).into_iter().filter_map(share).sum()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(path) = &self.0
            && let Err(error) = fs::remove_dir(path)
        {
            eprintln!("{}: {error}", path.display());
        }
    }
}

fn descendants(root: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let pid = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        if let Some(pid) = pid
            && let Some(parent) = fields(pid).and_then(|fields| fields.get(1)?.parse().ok())
        {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut found = vec![root];
    let mut next = 0;
    while let Some(pid) = found.get(next) {
        found.extend(children.remove(pid).unwrap_or_default());
        next += 1;
    }
    found
}

/// The fields of `/proc/PID/stat` from the third on.
fn fields(pid: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(") ")?;
    Some(rest.split(' ').map(str::to_owned).collect())
}
