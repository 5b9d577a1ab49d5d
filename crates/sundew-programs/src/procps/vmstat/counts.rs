//! What `/proc/stat`, `/proc/meminfo` and `/proc/vmstat` count.

use sundew_kernel::Process;

use crate::text::input;

/// Counts since the start; memory in KiB, times in ticks.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts {
    pub(super) user: u64,
    pub(super) nice: u64,
    pub(super) system: u64,
    pub(super) idle: u64,
    pub(super) waiting: u64,
    pub(super) irq: u64,
    pub(super) softirq: u64,
    pub(super) stolen: u64,
    pub(super) guest: u64,
    pub(super) guest_nice: u64,
    pub(super) interrupts: u64,
    pub(super) switches: u64,
    pub(super) boot: u64,
    pub(super) forks: u64,
    pub(super) running: u64,
    pub(super) blocked: u64,
    pub(super) paged_in: u64,
    pub(super) paged_out: u64,
    pub(super) swapped_in: u64,
    pub(super) swapped_out: u64,
    pub(super) total_memory: u64,
    pub(super) free: u64,
    pub(super) available: u64,
    pub(super) buffers: u64,
    pub(super) cached: u64,
    pub(super) active: u64,
    pub(super) inactive: u64,
    pub(super) swap_total: u64,
    pub(super) swap_free: u64,
}

impl Counts {
    /// As they stand now.
    pub(super) async fn read(proc: &Process) -> Self {
        let mut counts = Self::default();
        for path in ["/proc/stat", "/proc/meminfo", "/proc/vmstat"] {
            let text = input::read_all(proc, path.as_bytes()).await;
            let text = text.map(|(text, _memory)| text).unwrap_or_default();
            for line in String::from_utf8_lossy(&text).lines() {
                let mut words = line.split_whitespace();
                let name = words.next().unwrap_or_default();
                let numbers: Vec<u64> = words.map(|word| word.parse().unwrap_or(0)).collect();
                counts.note(name, &numbers);
            }
        }
        counts
    }

    fn note(&mut self, name: &str, numbers: &[u64]) {
        let at = |index: usize| numbers.get(index).copied().unwrap_or(0);
        let first = at(0);
        match name {
            "cpu" => {
                (self.user, self.nice, self.system) = (at(0), at(1), at(2));
                (self.idle, self.waiting, self.irq) = (at(3), at(4), at(5));
                (self.softirq, self.stolen) = (at(6), at(7));
                (self.guest, self.guest_nice) = (at(8), at(9));
            }
            "intr" => self.interrupts = first,
            "ctxt" => self.switches = first,
            "btime" => self.boot = first,
            "processes" => self.forks = first,
            "procs_running" => self.running = first,
            "procs_blocked" => self.blocked = first,
            "pgpgin" => self.paged_in = first,
            "pgpgout" => self.paged_out = first,
            "pswpin" => self.swapped_in = first,
            "pswpout" => self.swapped_out = first,
            "MemTotal:" => self.total_memory = first,
            "MemFree:" => self.free = first,
            "MemAvailable:" => self.available = first,
            "Buffers:" => self.buffers = first,
            "Cached:" | "SReclaimable:" => self.cached += first,
            "Active:" => self.active = first,
            "Inactive:" => self.inactive = first,
            "SwapTotal:" => self.swap_total = first,
            "SwapFree:" => self.swap_free = first,
            _ => {}
        }
    }

    /// All ticks.
    pub(super) fn total(&self) -> u64 {
        self.user
            + self.nice
            + self.system
            + self.idle
            + self.waiting
            + self.irq
            + self.softirq
            + self.stolen
    }

    /// What was counted since; memory is not.
    pub(super) fn since(&self, before: &Self) -> Self {
        Self {
            user: self.user.saturating_sub(before.user),
            nice: self.nice.saturating_sub(before.nice),
            system: self.system.saturating_sub(before.system),
            idle: self.idle.saturating_sub(before.idle),
            waiting: self.waiting.saturating_sub(before.waiting),
            irq: self.irq.saturating_sub(before.irq),
            softirq: self.softirq.saturating_sub(before.softirq),
            stolen: self.stolen.saturating_sub(before.stolen),
            interrupts: self.interrupts.saturating_sub(before.interrupts),
            switches: self.switches.saturating_sub(before.switches),
            paged_in: self.paged_in.saturating_sub(before.paged_in),
            paged_out: self.paged_out.saturating_sub(before.paged_out),
            swapped_in: self.swapped_in.saturating_sub(before.swapped_in),
            swapped_out: self.swapped_out.saturating_sub(before.swapped_out),
            ..self.clone()
        }
    }

    /// What `-s` prints.
    pub(super) fn stats(&self, unit: u64, mark: &str) -> String {
        let memory = |kib: u64| kib.saturating_mul(1024) / unit;
        let in_units = |what: &str| format!("{mark} {what}");
        let rows = [
            (memory(self.total_memory), in_units("total memory")),
            (
                memory(self.total_memory.saturating_sub(self.available)),
                in_units("used memory"),
            ),
            (memory(self.active), in_units("active memory")),
            (memory(self.inactive), in_units("inactive memory")),
            (memory(self.free), in_units("free memory")),
            (memory(self.buffers), in_units("buffer memory")),
            (memory(self.cached), in_units("swap cache")),
            (memory(self.swap_total), in_units("total swap")),
            (
                memory(self.swap_total.saturating_sub(self.swap_free)),
                in_units("used swap"),
            ),
            (memory(self.swap_free), in_units("free swap")),
            (self.user, "non-nice user cpu ticks".to_owned()),
            (self.nice, "nice user cpu ticks".to_owned()),
            (self.system, "system cpu ticks".to_owned()),
            (self.idle, "idle cpu ticks".to_owned()),
            (self.waiting, "IO-wait cpu ticks".to_owned()),
            (self.irq, "IRQ cpu ticks".to_owned()),
            (self.softirq, "softirq cpu ticks".to_owned()),
            (self.stolen, "stolen cpu ticks".to_owned()),
            (self.guest, "non-nice guest cpu ticks".to_owned()),
            (self.guest_nice, "nice guest cpu ticks".to_owned()),
            (self.paged_in, "K paged in".to_owned()),
            (self.paged_out, "K paged out".to_owned()),
            (self.swapped_in, "pages swapped in".to_owned()),
            (self.swapped_out, "pages swapped out".to_owned()),
            (self.interrupts, "interrupts".to_owned()),
            (self.switches, "CPU context switches".to_owned()),
            (self.boot, "boot time".to_owned()),
            (self.forks, "forks".to_owned()),
        ];
        let lines = rows
            .iter()
            .map(|(count, what)| format!("{count:>13} {what}\n"));
        lines.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_between_two_looks_is_the_difference() {
        let (mut before, mut now) = (Counts::default(), Counts::default());
        before.note("cpu", &[10, 0, 5, 100]);
        now.note("cpu", &[15, 0, 6, 194]);
        now.note("intr", &[7, 1, 2]);
        let spent = now.since(&before);
        assert_eq!((spent.user, spent.system, spent.idle), (5, 1, 94));
        assert_eq!((spent.total(), spent.interrupts), (100, 7));
    }
}
