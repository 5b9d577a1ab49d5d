//! `lsmem`, `chmem`, `lsirq`, `chcpu`: memory, interrupts, processors.

use super::super::spec;
use super::super::table::{Column, Table, left, number, right};
use super::short_size;
use super::text_of;
use sundew_kernel::Errno;
use sundew_kernel::{ExitStatus, Process};

const MEMORY_COLUMNS: &[Column] = &[
    left("RANGE"),
    right("SIZE"),
    right("STATE"),
    right("REMOVABLE"),
    right("BLOCK"),
];
/// Bytes of a block of memory on machines of this size.
const MEMORY_BLOCK: u64 = 128 << 20;
/// Where devices have their addresses: no memory lies between.
const HOLE: (u64, u64) = (0xc000_0000, 0x1_0000_0000);

/// Address ranges of the machine's memory.
fn memory_ranges(proc: &Process) -> Vec<(u64, u64)> {
    let gib = 1 << 30;
    let total = (proc.facts().memory_total_kib * 1024).div_ceil(gib) * gib;
    if total <= HOLE.0 {
        return vec![(0, total)];
    }
    vec![(0, HOLE.0), (HOLE.1, HOLE.1 + total - HOLE.0)]
}

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
pub(in crate::util_linux) async fn lsmem(proc: &mut Process) -> ExitStatus {
    const SPEC: crate::getopt::Spec = crate::getopt::Spec::new(
        "abhJno:PrS:s:V",
        &[
            ("all", crate::getopt::Arity::No, "a"),
            ("bytes", crate::getopt::Arity::No, "b"),
            ("help", crate::getopt::Arity::No, "h"),
            ("json", crate::getopt::Arity::No, "J"),
            ("noheadings", crate::getopt::Arity::No, "n"),
            ("output", crate::getopt::Arity::Required, "o"),
            ("output-all", crate::getopt::Arity::No, "output-all"),
            ("pairs", crate::getopt::Arity::No, "P"),
            ("raw", crate::getopt::Arity::No, "r"),
            ("sysroot", crate::getopt::Arity::Required, "s"),
            ("split", crate::getopt::Arity::Required, "S"),
            ("version", crate::getopt::Arity::No, "V"),
            ("summary", crate::getopt::Arity::Optional, "summary"),
        ],
    );
    let line = match super::super::line(proc, "lsmem", &SPEC).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    if !line.operands.is_empty() {
        return super::super::bad_usage(proc).await;
    }
    let mut table = Table::new("memory", MEMORY_COLUMNS);
    for option in &line.options {
        if let Err(name) = table.option(option.key, &option.value) {
            return super::super::unknown_column(proc, &name).await;
        }
    }
    let (mut rows, mut summary) = (true, table.style == super::super::table::Style::Aligned);
    match line.value("summary") {
        Some(b"never") => summary = false,
        Some(b"always") => summary = true,
        Some(b"only" | b"") => (rows, summary) = (false, true),
        Some(word) => {
            return super::super::bad_argument(proc, "unsupported --summary argument", word).await;
        }
        None => {}
    }
    let shown = |bytes: u64| {
        if line.has("b") {
            bytes.to_string()
        } else {
            short_size(bytes)
        }
    };
    let mut total = 0;
    for (start, end) in memory_ranges(proc) {
        total += end - start;
        let step = if line.has("a") {
            MEMORY_BLOCK
        } else {
            end - start
        };
        let mut at = start;
        while at < end {
            proc.tick().await;
            let next = (at + step).min(end);
            let (first, last) = (at / MEMORY_BLOCK, (next - 1) / MEMORY_BLOCK);
            let block = if first == last {
                first.to_string()
            } else {
                format!("{first}-{last}")
            };
            table.rows.push(vec![
                format!("{at:#018x}-{:#018x}", next - 1),
                shown(next - at),
                "online".to_owned(),
                "yes".to_owned(),
                block,
            ]);
            at = next;
        }
    }
    if rows {
        table.print(proc).await;
    }
    if summary {
        let blank = if rows { "\n" } else { "" };
        let out = format!(
            "{blank}Memory block size:  {:>9}\nTotal online memory: {:>8}\nTotal offline memory: {:>7}\n",
            shown(MEMORY_BLOCK),
            shown(total),
            if line.has("b") { "0" } else { "0B" },
        );
        super::super::put(proc, out).await;
    }
    proc.status()
}

pub(in crate::util_linux) async fn chmem(proc: &mut Process) -> ExitStatus {
    let line = match super::super::line(proc, "chmem", &spec::CHMEM).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let [size] = line.operands.as_slice() else {
        return super::super::bad_usage(proc).await;
    };
    if !line.has("e") && !line.has("d") {
        return super::super::bad_usage(proc).await;
    }
    let verb = if line.has("e") { "enable" } else { "disable" };
    if size.contains(&b'-') {
        let text = format!("No memory blocks to {verb}");
        return super::super::fail(proc, text).await;
    }
    match super::super::size_of(size) {
        None => {
            let text = [b"Invalid parameter: ".as_slice(), size].concat();
            super::super::fail(proc, text).await
        }
        Some(bytes) if bytes % MEMORY_BLOCK != 0 => {
            super::super::fail(proc, "Size must be aligned to memory block size (128M)").await
        }
        Some(_) => super::super::fail(proc, format!("Could not {verb} any memory")).await,
    }
}

const IRQ_COLUMNS: &[Column] = &[
    right("IRQ"),
    number("TOTAL"),
    right("DELTA").hidden(),
    left("NAME"),
];

pub(in crate::util_linux) async fn lsirq(proc: &mut Process) -> ExitStatus {
    let line = match super::super::line(proc, "lsirq", &spec::LSIRQ).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let mut table = Table::new("interrupts", IRQ_COLUMNS);
    for option in &line.options {
        if option.key != "s"
            && option.key != "S"
            && let Err(name) = table.option(option.key, &option.value)
        {
            return super::super::unknown_column(proc, &name).await;
        }
    }
    let sort = line.value("s").map(<[u8]>::to_ascii_lowercase);
    let sort = match sort.as_deref() {
        None | Some(b"total" | b"delta") => "total",
        Some(b"irq") => "irq",
        Some(b"name") => "name",
        Some(_) => return super::super::fail(proc, "unsupported column name to sort output").await,
    };
    let text = proc
        .read_small_file(b"/proc/interrupts")
        .unwrap_or_default();
    let text = text_of(&text);
    let mut rows = Vec::new();
    for line in text.lines().skip(1) {
        let Some((irq, rest)) = line.split_once(':') else {
            continue;
        };
        let mut total = 0u64;
        let mut words = rest.split_whitespace().peekable();
        while let Some(count) = words.peek().and_then(|word| word.parse::<u64>().ok()) {
            total += count;
            words.next();
        }
        let name = words.collect::<Vec<_>>().join(" ");
        rows.push((total, irq.trim().to_owned(), name));
    }
    match sort {
        "total" => rows.sort_by_key(|row| std::cmp::Reverse(row.0)),
        "irq" => rows.sort_by(|a, b| a.1.cmp(&b.1)),
        _ => rows.sort_by(|a, b| a.2.cmp(&b.2)),
    }
    for (total, irq, name) in rows {
        table
            .rows
            .push(vec![irq, total.to_string(), total.to_string(), name]);
    }
    if line.has("S") {
        let sum: u64 = table
            .rows
            .iter()
            .filter_map(|row| row.get(1)?.parse::<u64>().ok())
            .sum();
        super::super::put(proc, format!("Total: {sum} Delta: 0\n\n")).await;
    }
    table.print(proc).await
}

pub(in crate::util_linux) async fn chcpu(proc: &mut Process) -> ExitStatus {
    const SOME_FAILED: u8 = 64;
    let line = match super::super::line(proc, "chcpu", &spec::CHCPU).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let Some(option) = line.options.first() else {
        return super::super::bad_usage(proc).await;
    };
    let count = proc.facts().cpu.count;
    let words = option.value.split(|&byte| byte == b',').map(<[u8]>::to_vec);
    for word in words.collect::<Vec<_>>() {
        let text = match super::super::number::<u32>(&word) {
            None => {
                let text = "failed to parse CPU list";
                let shown = [text.as_bytes(), b": ", word.as_slice()].concat();
                return super::super::fail(proc, shown).await;
            }
            Some(cpu) if cpu >= count => format!("CPU {cpu} does not exist"),
            Some(0) => "CPU 0 is not hot pluggable".to_owned(),
            Some(cpu) if option.key == "e" => {
                super::super::put(proc, format!("CPU {cpu} is already enabled\n")).await;
                continue;
            }
            Some(cpu) => format!("CPU {cpu} disable failed: {}", Errno::Eperm.message()),
        };
        proc.complain_text(text).await;
        proc.set_status(SOME_FAILED);
    }
    proc.status()
}
