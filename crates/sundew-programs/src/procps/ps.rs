//! `ps`: Unix options with a dash, BSD options without, and long ones, as procps 4.0.2 mixes them.

use std::time::Duration;

use sundew_kernel::process::Summary;
use sundew_kernel::{ExitStatus, Process, STDOUT};
use sundew_vfs::FileType;

use crate::time::Zone;
use crate::users::Directory;

mod column;
mod forest;
mod options;
mod select;

use self::column::{Column, Scene};
use self::options::{Forest, Options};

/// Columns when the output is no terminal.
const UNLIMITED: usize = usize::MAX;
/// How long the real one takes before it looks: the other programs of a pipeline have begun by then,
/// so that `ps | grep x` shows its `grep`.
const LOADING: Duration = Duration::from_millis(2);
/// What one `w` widens to.
const WIDE: usize = 132;

/// Whether a terminal of this name is there, in any of the places where its number or its end leads.
fn is_device(proc: &Process, name: &[u8]) -> bool {
    let places: [&[u8]; 5] = [b"", b"/dev/", b"/dev/tty", b"/dev/pts/", b"/dev/vc/"];
    matches!(name, b"-" | b"?" | b"")
        || places.iter().any(|place| {
            let found = proc.stat(&[*place, name].concat());
            found.is_ok_and(|metadata| metadata.file_type == FileType::CharDevice)
        })
}

/// `ps`.
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let mut options = match Options::read(proc.args()) {
        Ok(options) => options,
        Err(text) => return refuse(proc, &text).await,
    };
    if options.version {
        return super::print_version(proc, "ps").await;
    }
    if options.help {
        let _closed = proc.print(HELP).await;
        return proc.status();
    }
    let users = Directory::load(proc).await;
    if let Err(text) = options.resolve(&users) {
        return refuse(proc, &text).await;
    }
    if !options.terminals().all(|name| is_device(proc, name)) {
        return refuse(proc, b"TTY could not be found").await;
    }
    // A signal that comes now ends us or is ours to ignore; the list is of the moment after it.
    let _interrupted = proc.sleep(LOADING).await;
    let scene = Scene {
        users,
        zone: Zone::of(proc).await,
        now: proc.now().secs,
        uptime: proc.uptime(),
        memory_kib: proc.facts().memory_total_kib,
        boot: proc.facts().boot_time.secs,
        cpus: proc.facts().cpu.count,
        bsd_command: options.shows_arguments,
        width: width(proc, &options),
    };
    let mut chosen = select::choose(proc, &options);
    options.sort(&scene, &mut chosen);
    let rows: Vec<(Vec<u8>, Summary)> = match options.forest {
        Forest::No => chosen.into_iter().map(|one| (Vec::new(), one)).collect(),
        kind => forest::arrange(chosen, kind == Forest::Lines),
    };
    let none = rows.is_empty();
    print(proc, &options, &scene, &rows).await;
    if none {
        ExitStatus::FAILURE
    } else {
        proc.status()
    }
}

async fn print(proc: &mut Process, options: &Options, scene: &Scene, rows: &[(Vec<u8>, Summary)]) {
    let columns = &options.columns;
    let headed = columns.iter().any(|column| !column.header.is_empty());
    if headed && !options.no_headers {
        let cells = columns.iter().map(|column| column.header.clone());
        if proc
            .print(&line(columns, cells, scene.width))
            .await
            .is_err()
        {
            return;
        }
    }
    for (prefix, summary) in rows {
        let cells = columns
            .iter()
            .map(|column| column.value(scene, summary, prefix));
        if proc
            .print(&line(columns, cells, scene.width))
            .await
            .is_err()
        {
            return;
        }
        proc.tick().await;
    }
}

/// Cells in columns: one that is too long pushes the next ones only as far as it must.
fn line(columns: &[Column], cells: impl Iterator<Item = Vec<u8>>, width: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut start = 0;
    for (number, (column, cell)) in columns.iter().zip(cells).enumerate() {
        let least = usize::from(number > 0);
        let wanted = if column.right {
            (start + column.width).saturating_sub(cell.len())
        } else {
            start
        };
        let pad = wanted.saturating_sub(out.len()).max(least);
        out.resize(out.len() + pad, b' ');
        out.extend(cell);
        start += column.width + 1;
    }
    out.truncate(width);
    out.push(b'\n');
    out
}

fn width(proc: &Process, options: &Options) -> usize {
    let named = proc
        .env()
        .value(b"COLUMNS")
        .and_then(super::number::<usize>);
    let natural = match proc.window_size(STDOUT) {
        Ok(size) if size.columns > 0 => usize::from(size.columns),
        Ok(_) => 80,
        Err(_) => UNLIMITED,
    };
    match options.widened {
        0 => named.filter(|&width| width > 0).unwrap_or(natural),
        1 => natural.max(WIDE),
        _ => UNLIMITED,
    }
}

async fn refuse(proc: &mut Process, text: &[u8]) -> ExitStatus {
    proc.print_error(&[b"error: ".as_slice(), text, b"\n", HELP].concat())
        .await;
    ExitStatus::FAILURE
}

const HELP: &[u8] = b"
Usage:
 ps [options]

 Try 'ps --help <simple|list|output|threads|misc|all>'
  or 'ps --help <s|l|o|t|m|a>'
 for additional help text.

For more details see ps(1).
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_cell_borrows_from_the_next() {
        let columns: Vec<Column> = ["ni", "addr", "sz", "wchan"]
            .iter()
            .filter_map(|name| Column::named(name))
            .collect();
        let headers = columns.iter().map(|column| column.header.clone());
        assert_eq!(line(&columns, headers, 100), b" NI ADDR SZ WCHAN\n");
        let cells = ["0", "-", "13372", "-"]
            .iter()
            .map(|cell| cell.as_bytes().to_vec());
        assert_eq!(line(&columns, cells, 100), b"  0 - 13372 -\n");
    }
}
