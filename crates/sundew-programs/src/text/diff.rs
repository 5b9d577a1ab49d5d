//! `diff` of diffutils 3.8.

mod columns;
mod merged;
mod options;
mod report;
mod script;

use sundew_kernel::{Errno, ExitStatus, Process};
use sundew_posix::regex::Regex;
use sundew_vfs::{FileType, Metadata};

use crate::getopt::Error;
use crate::text::input;
use crate::time::{Shown, Zone};
use options::{Asked, Settings, Spaces};
use report::Style;

/// Trouble, as opposed to a difference.
const TROUBLE: u8 = 2;
/// Directories in directories that are followed.
const MAX_DEPTH: usize = 64;
/// The longest part of a file that tells whether it is binary.
const LOOK_BYTES: usize = 32 * 1024;

/// A name in a directory.
fn join(directory: &[u8], name: &[u8]) -> Vec<u8> {
    let slash: &[u8] = if directory.ends_with(b"/") { b"" } else { b"/" };
    [directory, slash, name].concat()
}

/// Complains as diffutils do: with the program's name before the hint too.
async fn usage(proc: &mut Process, text: impl AsRef<[u8]> + Send) -> ExitStatus {
    proc.complain_text(text).await;
    hint(proc).await
}

/// `diff: Try 'diff --help' for more information.`
pub(super) async fn hint(proc: &mut Process) -> ExitStatus {
    let name = proc.name().to_vec();
    let line = [
        name.as_slice(),
        b": Try '",
        &name,
        b" --help' for more information.\n",
    ]
    .concat();
    proc.print_error(&line).await;
    ExitStatus::Exited(TROUBLE)
}

/// As [`usage`], for what getopt refused.
pub(super) async fn refuse(proc: &mut Process, error: &Error) -> ExitStatus {
    usage(proc, error.text()).await
}

/// Prints a version as diffutils do.
pub(super) async fn version(proc: &mut Process, name: &str, authors: &str) -> ExitStatus {
    let text = format!(
        "{name} (GNU diffutils) 3.8\n\
         Copyright (C) 2021 Free Software Foundation, Inc.\n\
         License GPLv3+: GNU GPL version 3 or later <https://gnu.org/licenses/gpl.html>.\n\
         This is free software: you are free to change and redistribute it.\n\
         There is NO WARRANTY, to the extent permitted by law.\n\n\
         Written by {authors}.\n"
    );
    let _reported_at_exit = proc.print(text.as_bytes()).await;
    ExitStatus::SUCCESS
}

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let (settings, operands) = match options::parse(proc.args()) {
        Ok(Asked::Compare(settings, operands)) => (settings, operands),
        Ok(Asked::Help) => {
            let _reported_at_exit = proc.print(b"Usage: diff [OPTION]... FILES\n").await;
            return ExitStatus::SUCCESS;
        }
        Ok(Asked::Version) => {
            return version(
                proc,
                "diff",
                "Paul Eggert, Mike Haertel, David Hayes,\nRichard Stallman, and Len Tower",
            )
            .await;
        }
        Err(text) => return usage(proc, text).await,
    };
    if let Some((base, first)) = &settings.base {
        let mut worst = 0;
        for operand in &operands {
            let pair = if *first {
                (base, operand)
            } else {
                (operand, base)
            };
            worst = worst.max(pair_of_operands(proc, &settings, pair.0, pair.1).await);
        }
        return ExitStatus::Exited(worst);
    }
    let [first, second] = operands.as_slice() else {
        let last = proc.args().last().cloned().unwrap_or_default();
        let what = if operands.len() < 2 {
            b"missing operand after '".as_slice()
        } else {
            b"extra operand '"
        };
        let shown = operands.get(2).cloned().unwrap_or(last);
        return usage(proc, [what, &shown, b"'"].concat()).await;
    };
    ExitStatus::Exited(pair_of_operands(proc, &settings, first, second).await)
}

/// What stands for a name: a file, standard input, or with `-N` nothing.
enum Side {
    Missing,
    There(Metadata),
}

impl Side {
    fn is_directory(&self) -> bool {
        matches!(self, Self::There(metadata) if metadata.is_dir())
    }
}

fn look(proc: &Process, settings: &Settings, path: &[u8]) -> Result<Side, Errno> {
    let looked = if path == b"-" {
        proc.fstat(sundew_kernel::STDIN)
    } else if settings.no_dereference {
        proc.lstat(path)
    } else {
        proc.stat(path)
    };
    match looked {
        Ok(metadata) => Ok(Side::There(metadata)),
        Err(Errno::Enoent) if settings.new_file => Ok(Side::Missing),
        Err(errno) => Err(errno),
    }
}

async fn pair_of_operands(
    proc: &mut Process,
    settings: &Settings,
    first: &[u8],
    second: &[u8],
) -> u8 {
    let (mut first, mut second) = (first.to_vec(), second.to_vec());
    let mut sides = Vec::new();
    for path in [&first, &second] {
        match look(proc, settings, path) {
            Ok(side) => sides.push(side),
            Err(errno) => proc.complain(path, errno).await,
        }
    }
    let [left, right] = sides.as_slice() else {
        return TROUBLE;
    };
    // A file beside a directory is compared with its namesake there.
    if left.is_directory() != right.is_directory()
        && !matches!((left, right), (Side::Missing, _) | (_, Side::Missing))
    {
        let (directory, file) = if left.is_directory() {
            (&mut first, &second)
        } else {
            (&mut second, &first)
        };
        if file == b"-" {
            proc.complain_text("cannot compare '-' to a directory")
                .await;
            return TROUBLE;
        }
        let name = file.rsplit(|&byte| byte == b'/').next().unwrap_or(file);
        *directory = join(directory, name);
        return Box::pin(files(proc, settings, &first, &second, false)).await;
    }
    pair(proc, settings, &first, &second, 0).await
}

async fn pair(
    proc: &mut Process,
    settings: &Settings,
    first: &[u8],
    second: &[u8],
    depth: usize,
) -> u8 {
    let mut sides = Vec::new();
    for path in [first, second] {
        match look(proc, settings, path) {
            Ok(side) => sides.push(side),
            Err(errno) => proc.complain(path, errno).await,
        }
    }
    let [left, right] = sides.as_slice() else {
        return TROUBLE;
    };
    let kind = |side: &Side| match side {
        Side::Missing => None,
        Side::There(metadata) => Some(metadata.file_type),
    };
    let directory = Some(FileType::Directory);
    let (left, right) = (kind(left), kind(right));
    if left == directory || right == directory {
        if left.is_some_and(|kind| Some(kind) != directory)
            || right.is_some_and(|kind| Some(kind) != directory)
        {
            let line = [
                b"File ".as_slice(),
                first,
                b" is a ",
                word(left).as_bytes(),
                b" while file ",
                second,
                b" is a ",
                word(right).as_bytes(),
                b"\n",
            ]
            .concat();
            let _reported_at_exit = proc.print(&line).await;
            return 1;
        }
        if depth > 0 && !settings.recursive {
            let line = [
                b"Common subdirectories: ".as_slice(),
                first,
                b" and ",
                second,
                b"\n",
            ]
            .concat();
            let _reported_at_exit = proc.print(&line).await;
            return 0;
        }
        if depth >= MAX_DEPTH {
            proc.complain(first, Errno::Eloop).await;
            return TROUBLE;
        }
        return Box::pin(directories(proc, settings, first, second, depth)).await;
    }
    Box::pin(files(proc, settings, first, second, depth > 0)).await
}

fn word(kind: Option<FileType>) -> &'static str {
    match kind {
        Some(FileType::Directory) => "directory",
        Some(FileType::Symlink) => "symbolic link",
        Some(FileType::Fifo) => "fifo",
        Some(FileType::CharDevice) => "character special file",
        Some(FileType::BlockDevice) => "block special file",
        Some(FileType::Socket) => "socket",
        _ => "regular file",
    }
}

async fn directories(
    proc: &mut Process,
    settings: &Settings,
    first: &[u8],
    second: &[u8],
    depth: usize,
) -> u8 {
    let mut names: Vec<(Vec<u8>, bool, bool)> = Vec::new();
    let mut memory = proc.memory();
    for (place, path) in [first, second].into_iter().enumerate() {
        let entries = match proc.read_directory(path) {
            Ok(entries) => entries,
            Err(Errno::Enoent) if settings.new_file => Vec::new(),
            Err(errno) => {
                proc.complain(path, errno).await;
                return TROUBLE;
            }
        };
        if memory.grow(entries.len() * 64).is_err() {
            proc.out_of_memory().await;
        }
        for entry in entries {
            let excluded = settings.exclude.iter().any(|one| one.matches(&entry.name));
            if matches!(&*entry.name, b"." | b"..") || excluded {
                continue;
            }
            names.push((entry.name.to_vec(), place == 0, place == 1));
        }
    }
    names.sort();
    names.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 |= next.1;
            kept.2 |= next.2;
        }
        same
    });
    let mut worst = 0;
    for (name, left, right) in names {
        proc.tick().await;
        let status = if left && right || settings.new_file {
            let (first, second) = (join(first, &name), join(second, &name));
            // Names that only one side has are entered even where `-r` is missing.
            pair(proc, settings, &first, &second, depth + 1).await
        } else {
            let place = if left { first } else { second };
            let line = [b"Only in ".as_slice(), place, b": ", &name, b"\n"].concat();
            let _reported_at_exit = proc.print(&line).await;
            1
        };
        worst = worst.max(status);
    }
    worst
}

/// A line in the form in which it is compared.
fn compared(settings: &Settings, line: &[u8]) -> Vec<u8> {
    let (body, ended) = match line.strip_suffix(b"\n") {
        Some(body) => (body, true),
        None => (line, false),
    };
    let body = if settings.strip_return {
        body.strip_suffix(b"\r").unwrap_or(body)
    } else {
        body
    };
    let mut out = Vec::with_capacity(line.len());
    match settings.spaces {
        Spaces::Count => {
            if settings.ignore_tabs {
                for &byte in body {
                    if byte == b'\t' {
                        let tab = settings.tab_size;
                        out.extend(std::iter::repeat_n(b' ', tab - out.len() % tab));
                    } else {
                        out.push(byte);
                    }
                }
            } else {
                out.extend_from_slice(body);
            }
            if settings.ignore_trailing {
                out.truncate(out.trim_ascii_end().len());
            } else if !ended {
                // Sets it apart from the same line with its newline.
                out.push(b'\n');
            }
        }
        Spaces::Amount => {
            let mut blank = false;
            for &byte in body.trim_ascii_end() {
                if byte.is_ascii_whitespace() {
                    blank = true;
                } else {
                    if std::mem::take(&mut blank) {
                        out.push(b' ');
                    }
                    out.push(byte);
                }
            }
        }
        Spaces::None => out.extend(body.iter().filter(|byte| !byte.is_ascii_whitespace())),
    }
    if settings.ignore_case {
        out = match String::from_utf8(out) {
            Ok(text) => text.to_lowercase().into_bytes(),
            Err(bytes) => bytes.into_bytes().to_ascii_lowercase(),
        };
    }
    out
}

fn lines(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|&byte| byte == b'\n').collect()
}

/// `diff -r a/x b/x`, which introduces a pair of files found in directories.
fn introduction(proc: &Process, settings: &Settings, first: &[u8], second: &[u8]) -> Vec<u8> {
    let locale = crate::quote::Locale::of(proc);
    let mut line = b"diff".to_vec();
    for word in settings
        .words
        .iter()
        .map(Vec::as_slice)
        .chain([first, second])
    {
        line.push(b' ');
        line.extend_from_slice(&crate::quote::shell(word, locale, false));
    }
    line.push(b'\n');
    line
}

#[expect(
    clippy::too_many_lines,
    reason = "reading, comparing and showing two files, in that order"
)]
async fn files(
    proc: &mut Process,
    settings: &Settings,
    first: &[u8],
    second: &[u8],
    found: bool,
) -> u8 {
    let mut contents = Vec::new();
    for path in [first, second] {
        match input::read_all(proc, path).await {
            Ok(content) => contents.push(content),
            Err(Errno::Enoent) if settings.new_file => contents.push((Vec::new(), proc.memory())),
            Err(Errno::Enomem) => proc.out_of_memory().await,
            Err(errno) => proc.complain(path, errno).await,
        }
    }
    let [(old, _), (new, _)] = contents.as_slice() else {
        return TROUBLE;
    };
    let merged = settings.style == Style::Merged;
    // What shows lines that are the same, too.
    let columns = settings.style == Style::Columns || (merged && !settings.formats.hides_same());
    let said = |what: &[u8], how: &[u8]| [what, first, b" and ", second, how].concat();
    if old == new && (!columns || settings.brief) {
        if settings.report {
            let _reported_at_exit = proc.print(&said(b"Files ", b" are identical\n")).await;
        }
        return 0;
    }
    let binary = |text: &[u8]| {
        text.get(..text.len().min(LOOK_BYTES))
            .is_some_and(|part| part.contains(&0))
    };
    let binary = !settings.text && (binary(old) || binary(new));
    if binary && old != new {
        if settings.brief {
            let _reported_at_exit = proc.print(&said(b"Files ", b" differ\n")).await;
            return 1;
        }
        let _reported_at_exit = proc.print(&said(b"Binary files ", b" differ\n")).await;
        return TROUBLE;
    }
    let (old_lines, new_lines) = (lines(old), lines(new));
    let mut memory = proc.memory();
    if memory
        .grow((old.len() + new.len()).saturating_mul(2))
        .is_err()
    {
        proc.out_of_memory().await;
    }
    let form = |lines: &[&[u8]]| {
        lines
            .iter()
            .map(|line| compared(settings, line))
            .collect::<Vec<_>>()
    };
    let (old_form, new_form) = (form(&old_lines), form(&new_lines));
    proc.tick().await;
    let Some(mut changes) = script::compare(proc, &mut memory, &old_form, &new_form).await else {
        proc.out_of_memory().await;
    };
    for change in &mut changes {
        change.ignored = ignorable(settings, &old_lines, change.old)
            && ignorable(settings, &new_lines, change.new)
            && (settings.ignore_blank || settings.ignore.is_some());
    }
    let differ = changes.iter().any(|change| !change.ignored);
    if settings.brief {
        if differ {
            let _reported_at_exit = proc.print(&said(b"Files ", b" differ\n")).await;
        }
    } else if differ || columns {
        if found {
            let line = introduction(proc, settings, first, second);
            let _reported_at_exit = proc.print(&line).await;
        }
        let out = if merged {
            merged::show(&settings.formats, &old_lines, &new_lines, &changes)
        } else if columns {
            columns::show(settings, &old_lines, &new_lines, &changes)
        } else {
            let head = heading(proc, settings, first, second).await;
            report::show(settings, &head, &old_lines, &new_lines, &changes)
        };
        let _reported_at_exit = proc.print(&out).await;
    }
    if !differ && settings.report {
        let _reported_at_exit = proc.print(&said(b"Files ", b" are identical\n")).await;
    }
    u8::from(differ)
}

/// Whether `-B` or `-I` lets these lines differ.
fn ignorable(settings: &Settings, lines: &[&[u8]], (start, end): (usize, usize)) -> bool {
    let matches =
        |regex: &Regex, line: &[u8]| regex.is_match(line.strip_suffix(b"\n").unwrap_or(line));
    lines
        .get(start..end)
        .unwrap_or_default()
        .iter()
        .all(|line| {
            let blank = settings.ignore_blank
                && if settings.spaces == Spaces::Count {
                    *line == b"\n"
                } else {
                    line.trim_ascii().is_empty()
                };
            blank
                || settings
                    .ignore
                    .as_ref()
                    .is_some_and(|regex| matches(regex, line))
        })
}

async fn heading(proc: &Process, settings: &Settings, first: &[u8], second: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let zone = Zone::of(proc).await;
    let marks: [&[u8]; 2] = if settings.style == Style::Context {
        [b"*** ", b"--- "]
    } else {
        [b"--- ", b"+++ "]
    };
    for (place, (mark, path)) in marks.into_iter().zip([first, second]).enumerate() {
        if let Some(label) = settings.labels.get(place) {
            out.extend_from_slice(&[mark, label, b"\n"].concat());
            continue;
        }
        let looked = if path == b"-" {
            proc.fstat(sundew_kernel::STDIN)
        } else {
            proc.stat(path)
        };
        let moment = match looked {
            Ok(metadata) if metadata.file_type == FileType::Regular || path != b"-" => {
                metadata.mtime
            }
            Ok(_) => proc.now(),
            Err(_) => sundew_vfs::Timestamp::default(),
        };
        let time = Shown::new(moment, &zone).format(b"%Y-%m-%d %H:%M:%S.%N %z");
        out.extend_from_slice(&[mark, path, b"\t", &time, b"\n"].concat());
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::text::testing::run;

    #[test]
    fn differences_are_shown_in_both_formats() {
        let changed = b"root:x:0:\nextra\nnogroup:x:1:\n";
        let (out, _, status) = run(&["diff", "/etc/group", "-"], changed);
        assert_eq!(
            (out.as_str(), status),
            (
                "2c2,3\n< nogroup:x:65534:\n---\n> extra\n> nogroup:x:1:\n",
                1
            )
        );
        let (out, _, _) = run(
            &["diff", "-u", "/etc/group", "-"],
            b"first\nroot:x:0:\nnogroup:x:65534:\n",
        );
        assert!(
            out.ends_with("@@ -1,2 +1,3 @@\n+first\n root:x:0:\n nogroup:x:65534:\n"),
            "{out}"
        );
        let (out, _, _) = run(&["diff", "/etc/group", "-"], b"root:x:0:");
        assert_eq!(
            out,
            "1,2c1\n< root:x:0:\n< nogroup:x:65534:\n---\n> root:x:0:\n\\ No newline at end of file\n"
        );
        assert_eq!(run(&["diff", "/etc/group", "/etc/group"], b"").2, 0);
        assert_eq!(
            run(&["diff", "/etc/group", "/nope"], b""),
            (
                String::new(),
                "diff: /nope: No such file or directory\n".into(),
                2
            )
        );
    }
}
