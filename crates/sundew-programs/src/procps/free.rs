//! `free` of procps 4.0.2.

use sundew_kernel::{ExitStatus, Process};

use super::{print_help, print_version, refuse};
use crate::getopt::{Arity, Getopt, Opt, Spec};

const SPEC: Spec = Spec::new(
    "bkmghltvwVs:c:L",
    &[
        ("bytes", Arity::No, "b"),
        ("kilo", Arity::No, "kilo"),
        ("mega", Arity::No, "mega"),
        ("giga", Arity::No, "giga"),
        ("kibi", Arity::No, "k"),
        ("mebi", Arity::No, "m"),
        ("gibi", Arity::No, "g"),
        ("human", Arity::No, "h"),
        ("si", Arity::No, "si"),
        ("lohi", Arity::No, "l"),
        ("line", Arity::No, "L"),
        ("total", Arity::No, "t"),
        ("committed", Arity::No, "v"),
        ("seconds", Arity::Required, "s"),
        ("count", Arity::Required, "c"),
        ("wide", Arity::No, "w"),
        ("help", Arity::No, "help"),
        ("version", Arity::No, "V"),
    ],
);

/// In which unit numbers are shown.
#[derive(Clone, Copy)]
enum Unit {
    Divided(u64),
    Human(u64),
}

/// `free`.
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let (mut unit, mut si, mut human) = (Unit::Divided(1024), false, false);
    let (mut total, mut wide, mut low_high) = (false, false, false);
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option {
            Ok(Opt { key, .. }) => match key {
                "b" => unit = Unit::Divided(1),
                "k" => unit = Unit::Divided(1024),
                "m" => unit = Unit::Divided(1 << 20),
                "g" => unit = Unit::Divided(1 << 30),
                "kilo" => unit = Unit::Divided(1000),
                "mega" => unit = Unit::Divided(1_000_000),
                "giga" => unit = Unit::Divided(1_000_000_000),
                "h" => human = true,
                "si" => si = true,
                "t" => total = true,
                "w" => wide = true,
                "l" => low_high = true,
                "help" => return print_help(proc, "free").await,
                "V" => return print_version(proc, "free").await,
                _ => {}
            },
            Err(error) => return refuse(proc, "free", Some(&error)).await,
        }
    }
    if human {
        unit = Unit::Human(if si { 1000 } else { 1024 });
    }
    let memory = proc.memory_use();
    let swap = proc.facts().swap_total_kib;
    let cache = memory.buffers + memory.cached;
    let used = memory.total.saturating_sub(memory.available);
    let mut text = if wide {
        "               total        used        free      shared     buffers       cache   available\n".to_owned()
    } else {
        "               total        used        free      shared  buff/cache   available\n"
            .to_owned()
    };
    let mut rows: Vec<(&str, Vec<u64>)> = Vec::new();
    let mut fields = vec![memory.total, used, memory.free, memory.shared];
    if wide {
        fields.extend([memory.buffers, memory.cached]);
    } else {
        fields.push(cache);
    }
    fields.push(memory.available);
    rows.push(("Mem:", fields));
    if low_high {
        rows.push((
            "Low:",
            vec![memory.total, memory.total - memory.free, memory.free],
        ));
        rows.push(("High:", vec![0, 0, 0]));
    }
    rows.push(("Swap:", vec![swap, 0, swap]));
    if total {
        rows.push((
            "Total:",
            vec![memory.total + swap, used, memory.free + swap],
        ));
    }
    for (name, fields) in rows {
        let cells: Vec<String> = fields
            .iter()
            .map(|kib| format!("{:>11}", show(*kib, unit)))
            .collect();
        text += &format!("{name:<9}{}\n", cells.join(" "));
    }
    let _closed = proc.print(text.as_bytes()).await;
    proc.status()
}

/// A number of KiB in the unit; human ones keep at most four characters before the unit's end.
fn show(kib: u64, unit: Unit) -> String {
    let bytes = kib.saturating_mul(1024);
    let (base, mark) = match unit {
        Unit::Divided(by) => return (bytes / by).to_string(),
        Unit::Human(1000) => (1000, ""),
        Unit::Human(_) => (1024, "i"),
    };
    if bytes < base {
        return format!("{bytes}B");
    }
    let (mut scale, mut letters) = (base, ["K", "M", "G", "T", "P"].into_iter());
    let mut letter = letters.next().unwrap_or_default();
    while bytes / scale >= base
        && let Some(next) = letters.next()
    {
        scale = scale.saturating_mul(base);
        letter = next;
    }
    // One digit behind the point while it fits in the column procps gives a number.
    let tenths = bytes.saturating_mul(10) / scale;
    if tenths < 100 {
        format!("{}.{}{letter}{mark}", tenths / 10, tenths % 10)
    } else {
        format!("{}{letter}{mark}", tenths / 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn human_numbers_are_as_short_as_procps_has_them() {
        assert_eq!(show(0, Unit::Human(1024)), "0B");
        assert_eq!(show(8788, Unit::Human(1024)), "8.5Mi");
        assert_eq!(show(24_684_096, Unit::Human(1024)), "23Gi");
        assert_eq!(show(24_684_096, Unit::Human(1000)), "25G");
        assert_eq!(show(24_684_096, Unit::Divided(1 << 20)), "24105");
    }
}
