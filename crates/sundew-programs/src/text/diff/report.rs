//! The formats changes are shown in, but for the two columns.

use super::Settings;
use super::script::Change;

/// Which format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Normal,
    Unified,
    Context,
    Ed,
    ForwardEd,
    Rcs,
    Columns,
    /// Both files in one text.
    Merged,
}

/// A file to be shown: its lines, each with its newline.
pub(super) type Lines<'a> = [&'a [u8]];

/// Most bytes of a function's line behind a hunk's head.
const MAX_FUNCTION: usize = 40;

/// The four kinds of coloured lines, as SGR parameters.
const DELETED: &str = "31";
const ADDED: &str = "32";
const PLACE: &str = "36";
const HEAD: &str = "1";

/// Text between a colour and the end of it.
fn paint(settings: &Settings, colour: &str, text: &[u8], out: &mut Vec<u8>) {
    if settings.colour {
        out.extend_from_slice(format!("\x1b[{colour}m").as_bytes());
        out.extend_from_slice(text);
        out.extend_from_slice(b"\x1b[0m");
    } else {
        out.extend_from_slice(text);
    }
}

/// A line behind its mark, with a note if it is the last and has no newline.
fn put(settings: &Settings, colour: Option<&str>, mark: &[u8], line: &[u8], out: &mut Vec<u8>) {
    let (body, ended) = match line.strip_suffix(b"\n") {
        Some(body) => (body, true),
        None => (line, false),
    };
    let mut text = mark.to_vec();
    if settings.initial_tab {
        if text.last() == Some(&b' ') {
            text.pop();
        }
        text.push(b'\t');
    }
    if settings.expand_tabs {
        let mut column = 0;
        for &byte in body {
            if byte == b'\t' {
                let blanks = settings.tab_size - column % settings.tab_size;
                text.extend(std::iter::repeat_n(b' ', blanks));
                column += blanks;
            } else {
                text.push(byte);
                column += 1;
            }
        }
    } else {
        text.extend_from_slice(body);
    }
    match colour {
        Some(colour) => paint(settings, colour, &text, out),
        None => out.extend_from_slice(&text),
    }
    out.push(b'\n');
    if !ended {
        out.extend_from_slice(b"\\ No newline at end of file\n");
    }
}

fn part<'l, 'a>(lines: &'l Lines<'a>, (start, end): (usize, usize)) -> &'l Lines<'a> {
    lines.get(start..end).unwrap_or_default()
}

/// `3`, `3,5`; for no line at all the one before.
fn range((start, end): (usize, usize), between: char) -> String {
    match end.saturating_sub(start) {
        0 => start.to_string(),
        1 => end.to_string(),
        _ => format!("{}{between}{end}", start + 1),
    }
}

fn letter(change: &Change) -> char {
    match (change.old.0 == change.old.1, change.new.0 == change.new.1) {
        (true, _) => 'a',
        (_, true) => 'd',
        _ => 'c',
    }
}

/// All changes in a format other than [`Style::Columns`]; `head` are the two lines above hunks.
pub(super) fn show(
    settings: &Settings,
    head: &[u8],
    old: &Lines<'_>,
    new: &Lines<'_>,
    changes: &[Change],
) -> Vec<u8> {
    let mut out = Vec::new();
    match settings.style {
        Style::Normal => normal(settings, old, new, changes, &mut out),
        Style::Ed => {
            for change in changes.iter().rev().filter(|change| !change.ignored) {
                let letter = letter(change);
                out.extend_from_slice(format!("{}{letter}\n", range(change.old, ',')).as_bytes());
                script_lines(letter, part(new, change.new), &mut out);
            }
        }
        Style::ForwardEd => {
            for change in changes.iter().filter(|change| !change.ignored) {
                let letter = letter(change);
                out.extend_from_slice(format!("{letter}{}\n", range(change.old, ' ')).as_bytes());
                script_lines(letter, part(new, change.new), &mut out);
            }
        }
        Style::Rcs => {
            for change in changes.iter().filter(|change| !change.ignored) {
                let deleted = change.old.1 - change.old.0;
                if deleted > 0 {
                    out.extend_from_slice(format!("d{} {deleted}\n", change.old.0 + 1).as_bytes());
                }
                let added = change.new.1 - change.new.0;
                if added > 0 {
                    out.extend_from_slice(format!("a{} {added}\n", change.old.1).as_bytes());
                    for line in part(new, change.new) {
                        out.extend_from_slice(line);
                    }
                }
            }
        }
        Style::Unified | Style::Context => {
            if changes.iter().any(|change| !change.ignored) {
                for line in head.split_inclusive(|&byte| byte == b'\n') {
                    let bare = line.strip_suffix(b"\n").unwrap_or(line);
                    paint(settings, HEAD, bare, &mut out);
                    out.push(b'\n');
                }
            }
            for group in groups(settings.context, changes) {
                if settings.style == Style::Unified {
                    unified(settings, old, new, group, &mut out);
                } else {
                    context(settings, old, new, group, &mut out);
                }
            }
        }
        Style::Columns | Style::Merged => {}
    }
    out
}

fn script_lines(letter: char, lines: &Lines<'_>, out: &mut Vec<u8>) {
    if letter == 'd' {
        return;
    }
    for line in lines {
        // A lone dot would end the text: it is written twice and mended afterwards.
        if *line == b".\n" {
            out.extend_from_slice(b"..\n.\ns/.//\na\n");
            continue;
        }
        out.extend_from_slice(line);
        if !line.ends_with(b"\n") {
            out.push(b'\n');
        }
    }
    out.extend_from_slice(b".\n");
}

fn normal(
    settings: &Settings,
    old: &Lines<'_>,
    new: &Lines<'_>,
    changes: &[Change],
    out: &mut Vec<u8>,
) {
    for change in changes.iter().filter(|change| !change.ignored) {
        let letter = letter(change);
        let place = format!(
            "{}{letter}{}",
            range(change.old, ','),
            range(change.new, ',')
        );
        paint(settings, PLACE, place.as_bytes(), out);
        out.push(b'\n');
        for line in part(old, change.old) {
            put(settings, Some(DELETED), b"< ", line, out);
        }
        if letter == 'c' {
            out.extend_from_slice(b"---\n");
        }
        for line in part(new, change.new) {
            put(settings, Some(ADDED), b"> ", line, out);
        }
    }
}

/// Changes whose contexts touch share a hunk; hunks of nothing but ignored changes are left out.
fn groups(context: usize, changes: &[Change]) -> Vec<&[Change]> {
    let mut groups = Vec::new();
    let mut rest = changes;
    while !rest.is_empty() {
        let apart = |pair: &[Change]| match pair {
            [a, b] => {
                let limit = if a.ignored && !b.ignored {
                    context
                } else {
                    context.saturating_mul(2).saturating_add(1)
                };
                b.old.0 - a.old.1 >= limit.max(1)
            }
            _ => false,
        };
        let count = rest
            .windows(2)
            .position(apart)
            .map_or(rest.len(), |at| at + 1);
        let (group, after) = rest.split_at(count);
        rest = after;
        if group.iter().any(|change| !change.ignored) {
            groups.push(group);
        }
    }
    groups
}

/// The lines a hunk covers in both files.
fn spans(
    context: usize,
    old: &Lines<'_>,
    group: &[Change],
) -> Option<((usize, usize), (usize, usize))> {
    let (first, last) = (group.first()?, group.last()?);
    let before = first.old.0.min(context);
    let behind = old.len().saturating_sub(last.old.1).min(context);
    Some((
        (first.old.0 - before, last.old.1 + behind),
        (first.new.0 - before, last.new.1 + behind),
    ))
}

/// The nearest line above a hunk that looks like a function's head.
fn function(settings: &Settings, old: &Lines<'_>, start: usize) -> Vec<u8> {
    let Some(regex) = &settings.function else {
        return Vec::new();
    };
    let above = old.get(..start).unwrap_or_default();
    let found = above.iter().rev().find(|line| {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        regex.is_match(line)
    });
    let Some(line) = found else {
        return Vec::new();
    };
    let line = line.trim_ascii_start();
    let line = line.get(..line.len().min(MAX_FUNCTION)).unwrap_or_default();
    [b" ", line.trim_ascii_end()].concat()
}

fn unified(
    settings: &Settings,
    old: &Lines<'_>,
    new: &Lines<'_>,
    group: &[Change],
    out: &mut Vec<u8>,
) {
    let Some((old_span, new_span)) = spans(settings.context, old, group) else {
        return;
    };
    let range = |(start, end): (usize, usize)| match end - start {
        0 => format!("{start},0"),
        1 => end.to_string(),
        length => format!("{},{length}", start + 1),
    };
    let place = format!("@@ -{} +{} @@", range(old_span), range(new_span));
    paint(settings, PLACE, place.as_bytes(), out);
    out.extend_from_slice(&function(settings, old, old_span.0));
    out.push(b'\n');
    let mut at = old_span.0;
    for change in group {
        for line in part(old, (at, change.old.0)) {
            put(settings, None, b" ", line, out);
        }
        for line in part(old, change.old) {
            put(settings, Some(DELETED), b"-", line, out);
        }
        for line in part(new, change.new) {
            put(settings, Some(ADDED), b"+", line, out);
        }
        at = change.old.1;
    }
    for line in part(old, (at, old_span.1)) {
        put(settings, None, b" ", line, out);
    }
}

fn context(
    settings: &Settings,
    old: &Lines<'_>,
    new: &Lines<'_>,
    group: &[Change],
    out: &mut Vec<u8>,
) {
    let Some((old_span, new_span)) = spans(settings.context, old, group) else {
        return;
    };
    out.extend_from_slice(b"***************");
    out.extend_from_slice(&function(settings, old, old_span.0));
    out.push(b'\n');
    for (file, span, (before, after), mark, colour) in [
        (old, old_span, ("*** ", " ****"), b"- ", DELETED),
        (new, new_span, ("--- ", " ----"), b"+ ", ADDED),
    ] {
        let place = format!("{before}{}{after}", range(span, ','));
        paint(settings, PLACE, place.as_bytes(), out);
        out.push(b'\n');
        let own = |change: &Change| {
            if mark == b"- " {
                (change.old, change.new)
            } else {
                (change.new, change.old)
            }
        };
        if group
            .iter()
            .all(|change| own(change).0.0 == own(change).0.1)
        {
            continue;
        }
        let mut at = span.0;
        for change in group {
            let (lines, others) = own(change);
            for line in part(file, (at, lines.0)) {
                put(settings, None, b"  ", line, out);
            }
            let mark = if others.0 == others.1 { mark } else { b"! " };
            for line in part(file, lines) {
                put(settings, Some(colour), mark, line, out);
            }
            at = lines.1;
        }
        for line in part(file, (at, span.1)) {
            put(settings, None, b"  ", line, out);
        }
    }
}
