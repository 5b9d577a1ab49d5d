//! `free` of procps 4.0.2.

use std::time::Duration;

use sundew_kernel::{Errno, ExitStatus, Process};

use super::{print_help, print_version, refuse};
use crate::getopt::{Arity, Getopt, Opt, Spec};
use crate::text::input;

const SPEC: Spec = Spec::new(
    "bkmghltvwVs:c:",
    &[
        ("bytes", Arity::No, "b"),
        ("kilo", Arity::No, "kilo"),
        ("mega", Arity::No, "mega"),
        ("giga", Arity::No, "giga"),
        ("tera", Arity::No, "tera"),
        ("peta", Arity::No, "peta"),
        ("kibi", Arity::No, "k"),
        ("mebi", Arity::No, "m"),
        ("gibi", Arity::No, "g"),
        ("tebi", Arity::No, "tebi"),
        ("pebi", Arity::No, "pebi"),
        ("human", Arity::No, "h"),
        ("si", Arity::No, "si"),
        ("lohi", Arity::No, "l"),
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

/// What is shown.
#[derive(Default)]
struct Shown {
    total: bool,
    wide: bool,
    low_high: bool,
    committed: bool,
}

/// `free`.
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let (mut unit, mut si, mut human) = (None, false, false);
    let mut shown = Shown::default();
    let (mut pause, mut count) = (None, None);
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        let Opt { key, value, .. } = match option {
            Ok(option) => option,
            Err(error) => return refuse(proc, "free", Some(&error)).await,
        };
        match key {
            "si" => si = true,
            "t" => shown.total = true,
            "w" => shown.wide = true,
            "l" => shown.low_high = true,
            "v" => shown.committed = true,
            "s" => match seconds(&value) {
                Ok(time) => pause = Some(time),
                Err(complaint) => return fail(proc, complaint).await,
            },
            "c" => match repeats(&value) {
                Ok(times) => count = Some(times),
                Err(complaint) => return fail(proc, complaint).await,
            },
            "help" => return print_help(proc, "free").await,
            "V" => return print_version(proc, "free").await,
            "h" => human = true,
            _ => {
                if unit.is_some() {
                    return fail(proc, "Multiple unit options don't make sense.").await;
                }
                unit = Some(bytes_of(key));
            }
        }
    }
    if !options.operands().is_empty() {
        return refuse(proc, "free", None).await;
    }
    let unit = if human {
        Unit::Human(if si { 1000 } else { 1024 })
    } else {
        Unit::Divided(unit.unwrap_or(if si { 1000 } else { 1024 }))
    };
    let endless = pause.is_some() && count.is_none();
    let mut left = count.unwrap_or(1);
    loop {
        let mut text = table(proc, unit, &shown).await;
        left = left.saturating_sub(1);
        let more = endless || left > 0;
        if more {
            text.push('\n');
        }
        if proc.print(text.as_bytes()).await.is_err() || proc.flush().await.is_err() || !more {
            break;
        }
        if proc.sleep(pause.unwrap_or(SECOND)).await.is_err() {
            break;
        }
    }
    proc.status()
}

/// Between two tables, unless said otherwise.
const SECOND: Duration = Duration::from_secs(1);

async fn fail(proc: &mut Process, complaint: impl AsRef<[u8]>) -> ExitStatus {
    proc.complain_text(complaint.as_ref()).await;
    ExitStatus::FAILURE
}

/// What an option of a unit divides by.
const fn bytes_of(key: &str) -> u64 {
    match key.as_bytes() {
        b"b" => 1,
        b"m" => 1 << 20,
        b"g" => 1 << 30,
        b"tebi" => 1 << 40,
        b"pebi" => 1 << 50,
        b"kilo" => 1000,
        b"mega" => 1_000_000,
        b"giga" => 1_000_000_000,
        b"tera" => 1_000_000_000_000,
        b"peta" => 1_000_000_000_000_000,
        _ => 1024,
    }
}

/// The argument of `-s`.
fn seconds(word: &[u8]) -> Result<Duration, String> {
    let word = String::from_utf8_lossy(word);
    let Ok(time) = word.parse::<f64>() else {
        let why = Errno::Einval.message();
        return Err(format!("seconds argument failed: '{word}': {why}"));
    };
    let pause = Duration::try_from_secs_f64(time).unwrap_or(Duration::ZERO);
    if pause < Duration::from_micros(1) {
        return Err(format!("seconds argument `{word}' is not positive number"));
    }
    Ok(pause)
}

/// The argument of `-c`.
fn repeats(word: &[u8]) -> Result<u64, String> {
    let shown = String::from_utf8_lossy(word);
    match shown.parse::<i64>() {
        Ok(count) if count > 0 => Ok(count.unsigned_abs()),
        Ok(_) => Err(format!(
            "failed to parse count argument: '{shown}': {}",
            Errno::Erange.message()
        )),
        Err(_) => Err(format!("failed to parse count argument: '{shown}'")),
    }
}

/// The table once.
async fn table(proc: &Process, unit: Unit, shown: &Shown) -> String {
    let memory = proc.memory_use();
    let swap = proc.facts().swap_total_kib;
    let cache = memory.buffers + memory.cached;
    let used = memory.total.saturating_sub(memory.available);
    let mut text = if shown.wide {
        "               total        used        free      shared     buffers       cache   available\n".to_owned()
    } else {
        "               total        used        free      shared  buff/cache   available\n"
            .to_owned()
    };
    let mut rows: Vec<(&str, Vec<u64>)> = Vec::new();
    let mut fields = vec![memory.total, used, memory.free, memory.shared];
    if shown.wide {
        fields.extend([memory.buffers, memory.cached]);
    } else {
        fields.push(cache);
    }
    fields.push(memory.available);
    rows.push(("Mem:", fields));
    if shown.low_high {
        rows.push((
            "Low:",
            vec![memory.total, memory.total - memory.free, memory.free],
        ));
        rows.push(("High:", vec![0, 0, 0]));
    }
    rows.push(("Swap:", vec![swap, 0, swap]));
    if shown.total {
        rows.push((
            "Total:",
            vec![memory.total + swap, used, memory.free + swap],
        ));
    }
    if shown.committed {
        let text = input::read_all(proc, b"/proc/meminfo").await;
        let text = text.map(|(text, _memory)| text).unwrap_or_default();
        let field = |name: &str| -> u64 {
            let text = String::from_utf8_lossy(&text);
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            let value = line.and_then(|line| line.split_whitespace().next());
            value.and_then(|value| value.parse().ok()).unwrap_or(0)
        };
        let (limit, held) = (field("CommitLimit:"), field("Committed_AS:"));
        rows.push(("Comm:", vec![limit, held, limit.saturating_sub(held)]));
    }
    for (name, fields) in rows {
        let cells: Vec<String> = fields
            .iter()
            .map(|kib| format!("{:>11}", show(*kib, unit)))
            .collect();
        text += &format!("{name:<9}{}\n", cells.join(" "));
    }
    text
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
