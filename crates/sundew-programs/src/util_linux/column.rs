//! `column`: text into columns, or into a table. column(1).

use sundew_kernel::process::LineReader;
use sundew_kernel::{Errno, ExitStatus, Process, STDOUT};

use crate::getopt::{Arity, Getopt, Spec};
use crate::quote::{self, Locale};
use crate::text::input;

const SPEC: Spec = Spec::new(
    "c:dE:eH:hi:JLl:N:n:O:o:p:R:r:s:T:tVW:x",
    &[
        ("output-width", Arity::Required, "c"),
        ("table-noheadings", Arity::No, "d"),
        ("table-noextreme", Arity::Required, "E"),
        ("table-header-repeat", Arity::No, "e"),
        ("table-hide", Arity::Required, "H"),
        ("help", Arity::No, "h"),
        ("json", Arity::No, "J"),
        ("keep-empty-lines", Arity::No, "L"),
        ("table-columns-limit", Arity::Required, "l"),
        ("table-columns", Arity::Required, "N"),
        ("table-name", Arity::Required, "n"),
        ("table-order", Arity::Required, "O"),
        ("output-separator", Arity::Required, "o"),
        ("table-right", Arity::Required, "R"),
        ("separator", Arity::Required, "s"),
        ("table-truncate", Arity::Required, "T"),
        ("table", Arity::No, "t"),
        ("version", Arity::No, "V"),
        ("table-wrap", Arity::Required, "W"),
        ("fillrows", Arity::No, "x"),
    ],
);

/// Columns of a terminal that does not say how many it has.
const WIDTH: usize = 80;
/// Cells of a table that we lay out; each costs memory beside its text.
const MAX_CELLS: usize = 1 << 20;

#[derive(Debug)]
struct Options {
    table: bool,
    json: bool,
    across: bool,
    keep_empty: bool,
    headings: bool,
    names: Vec<Vec<u8>>,
    right: Vec<Vec<u8>>,
    hidden: Vec<Vec<u8>>,
    name: Vec<u8>,
    separators: Option<Vec<u8>>,
    output: Vec<u8>,
    limit: usize,
    width: usize,
}

fn list(value: &[u8]) -> Vec<Vec<u8>> {
    value
        .split(|&byte| byte == b',')
        .map(<[u8]>::to_vec)
        .collect()
}

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut options = Options {
        table: false,
        json: false,
        across: false,
        keep_empty: false,
        headings: true,
        names: Vec::new(),
        right: Vec::new(),
        hidden: Vec::new(),
        name: b"table".to_vec(),
        separators: None,
        output: b"  ".to_vec(),
        limit: usize::MAX,
        width: screen(proc),
    };
    let mut getopt = Getopt::new(&SPEC, proc.args());
    while let Some(option) = getopt.next() {
        let option = match option {
            Ok(option) => option,
            Err(error) => return super::refuse(proc, &error).await,
        };
        match option.key {
            "c" => {
                let Some(width) = super::size_of(&option.value) else {
                    let text = [
                        b"invalid columns argument: '",
                        option.value.as_slice(),
                        b"'",
                    ];
                    proc.complain_text(text.concat()).await;
                    return ExitStatus::FAILURE;
                };
                options.width = usize::try_from(width).unwrap_or(usize::MAX);
            }
            "d" => options.headings = false,
            "H" => options.hidden = list(&option.value),
            "J" => (options.json, options.table) = (true, true),
            "L" => options.keep_empty = true,
            "l" => {
                options.limit =
                    super::size_of(&option.value).map_or(usize::MAX, |limit| limit as usize)
            }
            "N" => options.names = list(&option.value),
            "n" => options.name = option.value,
            "o" => options.output = option.value,
            "R" => options.right = list(&option.value),
            "s" => options.separators = Some(option.value),
            "t" => options.table = true,
            "x" => options.across = true,
            "h" => return super::help(proc, "column").await,
            "V" => return super::version(proc).await,
            _ => {}
        }
    }
    let Some(lines) = read(proc, getopt.operands(), &options).await else {
        return proc.status();
    };
    let out = if options.table {
        table(proc, &lines, &options).await
    } else {
        columns(&lines, &options)
    };
    let _reported_at_exit = proc.print(&out).await;
    proc.status()
}

fn screen(proc: &Process) -> usize {
    let named = proc.env().value(b"COLUMNS").and_then(super::size_of);
    let size = proc
        .window_size(STDOUT)
        .ok()
        .map(|size| usize::from(size.columns));
    size.filter(|columns| *columns > 0)
        .or(named.and_then(|columns| usize::try_from(columns).ok()))
        .unwrap_or(WIDTH)
}

/// All lines without their newlines; `None` when no file could be opened.
async fn read(
    proc: &mut Process,
    operands: Vec<Vec<u8>>,
    options: &Options,
) -> Option<Vec<Vec<u8>>> {
    let paths = if operands.is_empty() {
        vec![b"-".to_vec()]
    } else {
        operands
    };
    let mut lines = Vec::new();
    let mut memory = proc.memory();
    for path in &paths {
        let fd = match input::open(proc, path).await {
            Ok(fd) => fd,
            Err(errno) => {
                proc.complain(path, errno).await;
                continue;
            }
        };
        let mut reader = LineReader::new(proc, fd);
        loop {
            match reader.next(proc, b'\n').await {
                Ok(Some(mut line)) => {
                    if line.ends_with(b"\n") {
                        line.pop();
                    }
                    if line.trim_ascii().is_empty() && !options.keep_empty {
                        continue;
                    }
                    if memory.grow(line.len() + 64).is_err() {
                        proc.out_of_memory().await;
                    }
                    lines.push(line);
                }
                Ok(None) => break,
                Err(Errno::Enomem) => proc.out_of_memory().await,
                Err(errno) => {
                    proc.complain(path, errno).await;
                    break;
                }
            }
        }
        input::close(proc, fd);
    }
    (!lines.is_empty() || proc.status() == ExitStatus::SUCCESS).then_some(lines)
}

fn cells(line: &[u8], options: &Options) -> Vec<Vec<u8>> {
    let Some(separators) = &options.separators else {
        let mut cells = Vec::new();
        let mut rest = line.trim_ascii();
        while !rest.is_empty() {
            if cells.len() + 1 >= options.limit {
                cells.push(rest.to_vec());
                break;
            }
            let end = rest
                .iter()
                .position(|byte| matches!(byte, b' ' | b'\t'))
                .unwrap_or(rest.len());
            let (cell, behind) = rest.split_at(end);
            cells.push(cell.to_vec());
            rest = behind.trim_ascii_start();
        }
        return cells;
    };
    line.splitn(options.limit, |byte| separators.contains(byte))
        .map(<[u8]>::to_vec)
        .collect()
}

async fn table(proc: &mut Process, lines: &[Vec<u8>], options: &Options) -> Vec<u8> {
    let locale = Locale::of(proc);
    let mut rows: Vec<Vec<Vec<u8>>> = lines.iter().map(|line| cells(line, options)).collect();
    if options.json {
        return json(&rows, options);
    }
    if !options.names.is_empty() && options.headings {
        rows.insert(0, options.names.clone());
    }
    let shown = |column: usize| {
        options
            .names
            .get(column)
            .is_none_or(|name| !options.hidden.contains(name))
    };
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    if rows.len().saturating_mul(count) > MAX_CELLS {
        proc.out_of_memory().await;
    }
    let right: Vec<bool> = (0..count)
        .map(|column| {
            let name = options.names.get(column);
            options.right.iter().any(|wanted| {
                name == Some(wanted)
                    || wanted.as_slice() == (column + 1).to_string().as_bytes()
                    || wanted == b"0"
            })
        })
        .collect();
    let mut widths = vec![0; count];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = quote::width(cell, locale).max(*width);
        }
    }
    let last = (0..count).rev().find(|&column| shown(column)).unwrap_or(0);
    let mut out = Vec::new();
    for row in &rows {
        proc.tick().await;
        if row.is_empty() {
            out.push(b'\n');
            continue;
        }
        for (column, width) in widths
            .iter()
            .enumerate()
            .filter(|(column, _)| shown(*column))
        {
            let cell = row.get(column).map_or(b"".as_slice(), Vec::as_slice);
            let blanks = vec![b' '; width.saturating_sub(quote::width(cell, locale))];
            if right.get(column) == Some(&true) {
                out.extend_from_slice(&blanks);
                out.extend_from_slice(cell);
            } else {
                out.extend_from_slice(cell);
                if column != last {
                    out.extend_from_slice(&blanks);
                }
            }
            if column != last {
                out.extend_from_slice(&options.output);
            }
        }
        out.push(b'\n');
    }
    out
}

fn json(rows: &[Vec<Vec<u8>>], options: &Options) -> Vec<u8> {
    let text = |bytes: &[u8]| {
        let mut out = b"\"".to_vec();
        for &byte in bytes {
            match byte {
                b'"' | b'\\' => out.extend([b'\\', byte]),
                0..=31 => out.extend(format!("\\u{byte:04x}").into_bytes()),
                _ => out.push(byte),
            }
        }
        out.push(b'"');
        out
    };
    let mut out = [b"{\n   ".as_slice(), &text(&options.name), b": [\n"].concat();
    for (number, row) in rows.iter().enumerate() {
        out.extend_from_slice(b"      {\n");
        let count = options.names.len();
        for (column, name) in options.names.iter().enumerate() {
            let lower = name.to_ascii_lowercase();
            let value = row.get(column).filter(|cell| !cell.is_empty());
            let value = value.map_or_else(|| b"null".to_vec(), |cell| text(cell));
            let comma: &[u8] = if column + 1 < count { b"," } else { b"" };
            out.extend(
                [
                    b"         ",
                    text(&lower).as_slice(),
                    b": ",
                    &value,
                    comma,
                    b"\n",
                ]
                .concat(),
            );
        }
        out.extend_from_slice(if number + 1 < rows.len() {
            b"      },"
        } else {
            b"      }"
        });
        out.extend_from_slice(b"\n");
    }
    out.extend_from_slice(b"   ]\n}\n");
    out
}

/// Fills columns of equal width, set with tabs.
fn columns(lines: &[Vec<u8>], options: &Options) -> Vec<u8> {
    const TAB: usize = 8;
    let longest = lines
        .iter()
        .map(|line| quote::width(line, Locale::Utf8))
        .max()
        .unwrap_or(0);
    let wide = (longest + TAB) / TAB * TAB;
    let count = options.width / wide.max(1);
    let mut out = Vec::new();
    if count <= 1 {
        for line in lines {
            out.extend_from_slice(line);
            out.push(b'\n');
        }
        return out;
    }
    let rows = lines.len().div_ceil(count);
    for row in 0..rows {
        let mut at = 0;
        for column in 0..count {
            let index = if options.across {
                row * count + column
            } else {
                column * rows + row
            };
            let Some(line) = lines.get(index) else { break };
            while at < column * wide {
                out.push(b'\t');
                at = (at / TAB + 1) * TAB;
            }
            out.extend_from_slice(line);
            at += quote::width(line, Locale::Utf8);
        }
        out.push(b'\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::text::testing::run;

    #[test]
    fn a_table_is_as_wide_as_its_widest_cells() {
        assert_eq!(
            run(&["column", "-t"], b"c1 c2\nlong3 c4\n").0,
            "c1     c2\nlong3  c4\n"
        );
        assert_eq!(
            run(&["column", "-t", "-s", ":"], b"a:b\nccc:d:e\n").0,
            "a    b  \nccc  d  e\n"
        );
    }
}
