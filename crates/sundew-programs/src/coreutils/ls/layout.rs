//! How a list of files is set: one a line, in columns, with commas, or with details.

use sundew_kernel::Process;
use sundew_vfs::{FileType, Metadata};

use super::entry::Entry;
use super::option::{Format, Indicator, Options, Time};
use super::order;
use crate::mode;
use crate::quote;
use crate::time::{Shown, Zone};
use crate::users::Directory;

/// Narrowest column: a letter and two blanks.
const MIN_COLUMN: usize = 3;
/// Half a year in seconds: older files show the year.
const HALF_YEAR: i64 = 31_556_952 / 2;

/// A name ready to print.
struct Cell {
    /// With inode, blocks, colour and indicator.
    text: Vec<u8>,
    /// Columns it takes.
    width: usize,
}

/// Widths shared by the lines of one list.
#[derive(Default)]
struct Widths {
    inode: usize,
    blocks: usize,
    links: usize,
    owner: usize,
    group: usize,
    size: usize,
    major: usize,
    minor: usize,
}

/// Prints a list; without `beside` of a directory. `beside` are operands that are listed later but
/// count for the widths. Whether printing still works.
pub(super) async fn print(
    proc: &mut Process,
    entries: &[Entry],
    options: &Options,
    names: &Directory,
    beside: Option<&[Entry]>,
) -> bool {
    let with_total = beside.is_none();
    if with_total && (options.long() || options.blocks) {
        let blocks: u64 = entries
            .iter()
            .filter_map(|entry| entry.metadata)
            .map(|metadata| metadata.blocks)
            .sum();
        let total = options.block_size.show(blocks.saturating_mul(512));
        let mut line = format!("total {total}").into_bytes();
        line.push(options.end);
        if proc.print(&line).await.is_err() {
            return false;
        }
    }
    let widths = widths(
        entries.iter().chain(beside.unwrap_or_default()),
        options,
        names,
    );
    // Names line up behind the quotation marks of others.
    let aligned = options.shell_quotes()
        && (options.long() || matches!(options.format, Format::Columns | Format::Across));
    let pad = aligned && entries.iter().any(|entry| is_quoted(&entry.name, options));
    let mut used_color = false;
    if options.long() {
        let zone = Zone::of(proc).await;
        for entry in entries {
            proc.tick().await;
            let mut line = details(proc, entry, options, names, &widths, &zone);
            line.extend(cell(entry, options, None, pad, &mut used_color).text);
            target(entry, options, &mut line);
            line.push(options.end);
            if proc.print(&line).await.is_err() {
                return false;
            }
        }
        return true;
    }
    let shared = (options.format != Format::Commas).then_some(&widths);
    let fallback = Widths::default();
    let mut cells = Vec::with_capacity(entries.len());
    for entry in entries {
        cells.push(cell(
            entry,
            options,
            Some(shared.unwrap_or(&fallback)),
            pad,
            &mut used_color,
        ));
    }
    let text = match options.format {
        Format::Columns | Format::Across if options.width == usize::MAX => {
            let texts: Vec<&[u8]> = cells.iter().map(|cell| cell.text.as_slice()).collect();
            let mut line = texts.join(b"  ".as_slice());
            if !line.is_empty() {
                line.push(options.end);
            }
            line
        }
        Format::Columns => columns(proc, &cells, options, true).await,
        Format::Across => columns(proc, &cells, options, false).await,
        Format::Commas => commas(&cells, options),
        _ => cells
            .iter()
            .flat_map(|cell| [cell.text.as_slice(), &[options.end]].concat())
            .collect(),
    };
    proc.print(&text).await.is_ok()
}

fn is_quoted(name: &[u8], options: &Options) -> bool {
    options.quoted(name) != name
}

fn widths<'a>(
    entries: impl Iterator<Item = &'a Entry>,
    options: &Options,
    names: &Directory,
) -> Widths {
    let mut widths = Widths::default();
    let digits = |number: u64| number.to_string().len();
    for entry in entries {
        let Some(metadata) = entry.metadata else {
            continue;
        };
        widths.inode = widths.inode.max(metadata.ino.to_string().len());
        widths.blocks = widths.blocks.max(blocks(&metadata, options).len());
        widths.links = widths.links.max(digits(u64::from(metadata.nlink)));
        let (owner, group) = owners(&metadata, options, names);
        widths.owner = widths.owner.max(quote::width(&owner, options.locale));
        widths.group = widths.group.max(quote::width(&group, options.locale));
        if is_device(&metadata) {
            widths.major = widths.major.max(digits(u64::from(metadata.rdev.0)));
            widths.minor = widths.minor.max(digits(u64::from(metadata.rdev.1)));
            widths.size = widths.size.max(widths.major + 2 + widths.minor);
        } else {
            widths.size = widths.size.max(options.file_size.show(metadata.size).len());
        }
    }
    widths
}

fn is_device(metadata: &Metadata) -> bool {
    matches!(
        metadata.file_type,
        FileType::CharDevice | FileType::BlockDevice
    )
}

fn blocks(metadata: &Metadata, options: &Options) -> String {
    options.block_size.show(metadata.blocks.saturating_mul(512))
}

fn owners(metadata: &Metadata, options: &Options, names: &Directory) -> (Vec<u8>, Vec<u8>) {
    if options.numeric {
        return (
            metadata.uid.to_string().into_bytes(),
            metadata.gid.to_string().into_bytes(),
        );
    }
    (
        names.user_text(metadata.uid),
        names.group_text(metadata.gid),
    )
}

/// Everything in front of the name in `ls -l`.
#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
fn details(
    proc: &Process,
    entry: &Entry,
    options: &Options,
    names: &Directory,
    widths: &Widths,
    zone: &Zone,
) -> Vec<u8> {
    let mut line = Vec::new();
    let right = |line: &mut Vec<u8>, text: &[u8], width: usize| {
        line.extend(std::iter::repeat_n(b' ', width.saturating_sub(text.len())));
        line.extend_from_slice(text);
        line.push(b' ');
    };
    let left = |line: &mut Vec<u8>, text: &[u8], width: usize| {
        line.extend_from_slice(text);
        line.extend(std::iter::repeat_n(
            b' ',
            width.saturating_sub(text.len()) + 1,
        ));
    };
    let unknown = || b"?".to_vec();
    let metadata = entry.metadata;
    if options.inode {
        let inode = metadata.map_or_else(unknown, |metadata| metadata.ino.to_string().into_bytes());
        right(&mut line, &inode, widths.inode);
    }
    if options.blocks {
        let blocks =
            metadata.map_or_else(unknown, |metadata| blocks(&metadata, options).into_bytes());
        right(&mut line, &blocks, widths.blocks);
    }
    let letters = metadata.map_or_else(
        || "??????????".to_owned(),
        |metadata| mode::letters(&metadata),
    );
    right(&mut line, letters.as_bytes(), 0);
    let links = metadata.map_or_else(unknown, |metadata| metadata.nlink.to_string().into_bytes());
    right(&mut line, &links, widths.links);
    let (owner, group) = metadata.map_or_else(
        || (unknown(), unknown()),
        |metadata| owners(&metadata, options, names),
    );
    if options.owner {
        left(&mut line, &owner, widths.owner);
    }
    if options.group {
        left(&mut line, &group, widths.group);
    }
    if options.author {
        left(&mut line, &owner, widths.owner);
    }
    if options.context {
        left(&mut line, b"?", 1);
    }
    match metadata {
        Some(metadata) if is_device(&metadata) => {
            let spare = widths.size.saturating_sub(widths.major + 2 + widths.minor);
            let (major, minor) = (metadata.rdev.0.to_string(), metadata.rdev.1.to_string());
            right(
                &mut line,
                [&major, ","].concat().as_bytes(),
                widths.major + spare + 1,
            );
            right(&mut line, minor.as_bytes(), widths.minor);
        }
        Some(metadata) => right(
            &mut line,
            options.file_size.show(metadata.size).as_bytes(),
            widths.size,
        ),
        None => right(&mut line, b"?", widths.size),
    }
    let now = proc.now();
    match metadata {
        Some(_) if options.time == Time::Born => right(&mut line, b"?", 12),
        Some(_) => {
            let when = order::time(entry, options.time);
            let recent = when.secs > now.secs - HALF_YEAR && when <= now;
            let style = if recent {
                &options.time_style.recent
            } else {
                &options.time_style.old
            };
            right(&mut line, &Shown::new(when, zone).format(style), 0);
        }
        None => {
            let width = Shown::new(now, zone)
                .format(&options.time_style.recent)
                .len();
            right(&mut line, b"?", width);
        }
    }
    line
}

/// ` -> TARGET` with its colour and indicator.
fn target(entry: &Entry, options: &Options, line: &mut Vec<u8>) {
    let Some((target, found)) = &entry.target else {
        return;
    };
    line.extend_from_slice(b" -> ");
    let shown = options.quoted(target);
    match options
        .colors
        .as_ref()
        .and_then(|colors| colors.of_target(entry))
    {
        Some(color) => line.extend(colored(color, &shown)),
        None => line.extend(shown),
    }
    if let Some(found) = found {
        line.extend(sign(found.file_type, found.mode, options));
    }
}

fn colored(color: &[u8], text: &[u8]) -> Vec<u8> {
    [b"\x1b[", color, b"m", text, b"\x1b[0m"].concat()
}

/// A name with what goes in front of and behind it. `widths` for the formats without details.
fn cell(
    entry: &Entry,
    options: &Options,
    widths: Option<&Widths>,
    pad: bool,
    used_color: &mut bool,
) -> Cell {
    let mut text = Vec::new();
    if let Some(widths) = widths {
        let unknown = || "?".to_owned();
        if options.inode {
            let inode = entry
                .metadata
                .map_or_else(unknown, |metadata| metadata.ino.to_string());
            text.extend(format!("{inode:>0$} ", widths.inode).into_bytes());
        }
        if options.blocks {
            let blocks = entry
                .metadata
                .map_or_else(unknown, |metadata| blocks(&metadata, options));
            text.extend(format!("{blocks:>0$} ", widths.blocks).into_bytes());
        }
    }
    if widths.is_some() && options.context {
        text.extend_from_slice(b"? ");
    }
    let mut width = text.len();
    let name = options.quoted(&entry.name);
    if pad && !is_quoted(&entry.name, options) {
        text.push(b' ');
        width += 1;
    }
    width += quote::width(&name, options.locale);
    match options.colors.as_ref().and_then(|colors| colors.of(entry)) {
        Some(color) => {
            if !std::mem::replace(used_color, true) {
                text.extend_from_slice(b"\x1b[0m");
            }
            text.extend(colored(color, &name));
        }
        None => text.extend(name),
    }
    let in_details = widths.is_none() && entry.target.is_some();
    if let Some(metadata) = entry.metadata.filter(|_| !in_details) {
        let sign = sign(metadata.file_type, metadata.mode, options);
        width += usize::from(sign.is_some());
        text.extend(sign);
    }
    Cell { text, width }
}

/// `/`, `*`, `@`, `|`, `=` as far as wanted.
fn sign(file_type: FileType, mode: u16, options: &Options) -> Option<u8> {
    let all = options.indicator >= Indicator::Type;
    match file_type {
        FileType::Directory if options.indicator >= Indicator::Slash => Some(b'/'),
        FileType::Symlink if all => Some(b'@'),
        FileType::Fifo if all => Some(b'|'),
        FileType::Socket if all => Some(b'='),
        FileType::Regular if options.indicator == Indicator::Classify && mode & 0o111 != 0 => {
            Some(b'*')
        }
        _ => None,
    }
}

/// In columns: down if `down`, else across.
async fn columns(proc: &Process, cells: &[Cell], options: &Options, down: bool) -> Vec<u8> {
    let count = cells.len();
    if count == 0 {
        return Vec::new();
    }
    let most = (options.width / MIN_COLUMN
        + usize::from(!options.width.is_multiple_of(MIN_COLUMN)))
    .clamp(1, count);
    let mut chosen = vec![cells.iter().map(|cell| cell.width).max().unwrap_or(0)];
    for columns in (2..=most).rev() {
        proc.tick().await;
        let rows = count.div_ceil(columns);
        let mut widths = vec![MIN_COLUMN; columns];
        for (at, cell) in cells.iter().enumerate() {
            let column = if down { at / rows } else { at % columns };
            let gap = if column + 1 == columns { 0 } else { 2 };
            if let Some(width) = widths.get_mut(column) {
                *width = (*width).max(cell.width + gap);
            }
        }
        if widths.iter().sum::<usize>() < options.width {
            chosen = widths;
            break;
        }
    }
    let columns = chosen.len();
    let rows = count.div_ceil(columns);
    let mut out = Vec::new();
    for row in 0..rows {
        let (mut at, mut start) = (0, 0);
        for (column, width) in chosen.iter().enumerate() {
            let index = if down {
                column * rows + row
            } else {
                row * columns + column
            };
            let Some(cell) = cells.get(index) else { break };
            indent(&mut out, at, start, options.tab);
            out.extend_from_slice(&cell.text);
            at = start + cell.width;
            start += width;
        }
        out.push(options.end);
    }
    out
}

/// Goes from one column to another with tabs where they reach.
fn indent(out: &mut Vec<u8>, mut from: usize, to: usize, tab: usize) {
    while from < to {
        if tab != 0 && to / tab > (from + 1) / tab {
            out.push(b'\t');
            from += tab - from % tab;
        } else {
            out.push(b' ');
            from += 1;
        }
    }
}

fn commas(cells: &[Cell], options: &Options) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    for (index, cell) in cells.iter().enumerate() {
        if index > 0 {
            if at + cell.width + 2 < options.width {
                out.extend_from_slice(b", ");
                at += 2;
            } else {
                out.extend_from_slice(b",\n");
                at = 0;
            }
        }
        out.extend_from_slice(&cell.text);
        at += cell.width;
    }
    if !cells.is_empty() {
        out.push(options.end);
    }
    out
}
