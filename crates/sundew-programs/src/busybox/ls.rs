//! `ls` in BusyBox's own form.

use sundew_kernel::{ExitStatus, Process, STDOUT};
use sundew_vfs::{FileType, Metadata};

use super::{complain, usage};
use crate::getopt::{Arity, Getopt, Spec};
use crate::mode;
use crate::time::{Shown, Zone};
use crate::users::Directory;

/// Half a year in seconds: older files show their year. BusyBox counts 365 days by two.
const RECENT: i64 = 365 * 86_400 / 2;

/// Columns of a terminal that does not say how many it has.
const USUAL_WIDTH: usize = 80;

#[derive(Debug, Default)]
struct List {
    letters: String,
    /// Where columns are wanted: how many characters there are for them.
    width: Option<usize>,
    across: bool,
}

impl List {
    /// What `-F` and `-p` put behind a name.
    fn mark(&self, metadata: &Metadata) -> Option<u8> {
        if !(self.has('F') || self.has('p') && metadata.is_dir()) {
            return None;
        }
        match metadata.file_type {
            FileType::Directory => Some(b'/'),
            FileType::Fifo => Some(b'|'),
            FileType::Socket => Some(b'='),
            FileType::Symlink => Some(b'@'),
            FileType::Regular if metadata.mode & 0o111 != 0 => Some(b'*'),
            _ => None,
        }
    }

    fn has(&self, letter: char) -> bool {
        self.letters.contains(letter)
    }

    fn is_long(&self) -> bool {
        ['l', 'n', 'g', 'e'].iter().any(|&letter| self.has(letter))
    }

    /// Decides on columns: the last of `-l`, `-1`, `-C`, `-x`, else what the output is.
    fn lay_out(&mut self, proc: &Process, width: Option<usize>) {
        let terminal = proc.is_terminal(STDOUT);
        let last = self
            .letters
            .chars()
            .rfind(|letter| "l1Cxnge".contains(*letter));
        let columns = match last {
            Some('C') => true,
            Some('x') => {
                self.across = true;
                true
            }
            Some(_) => false,
            None => terminal,
        };
        let shown = proc
            .window_size(STDOUT)
            .ok()
            .map(|size| usize::from(size.columns))
            .filter(|&columns| columns > 0);
        self.width = columns.then(|| width.or(shown).unwrap_or(USUAL_WIDTH));
    }
}

const LS: Spec = Spec::new(
    "1AaCxdLHRFplinshrSXvctukgQw:T:",
    &[
        ("full-time", Arity::No, "e"),
        ("color", Arity::Optional, "color"),
        ("group-directories-first", Arity::No, "first"),
    ],
);

struct Entry {
    name: Vec<u8>,
    path: Vec<u8>,
    metadata: Metadata,
}

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let mut list = List::default();
    let mut options = Getopt::new(&LS, proc.args());
    let mut width = None;
    while let Some(option) = options.next() {
        match option {
            Ok(option) if option.key == "w" => {
                let text = String::from_utf8_lossy(&option.value).into_owned();
                match text.parse::<usize>() {
                    Ok(columns) => width = Some(columns.max(1)),
                    Err(_) => {
                        return complain(proc, "ls", format!("invalid number '{text}'")).await;
                    }
                }
            }
            Ok(option) if option.key.len() == 1 => list.letters.push_str(option.key),
            Ok(_) => {}
            Err(error) => return usage::refuse_option(proc, b"ls", &error).await,
        }
    }
    list.lay_out(proc, width);
    let mut operands = options.operands();
    let many = operands.len() > 1;
    if operands.is_empty() {
        operands.push(b".".to_vec());
    }
    let users = Directory::load(proc).await;
    let zone = Zone::of(proc).await;
    let (mut files, mut directories) = (Vec::new(), Vec::new());
    for path in operands {
        let follow = list.has('L') || list.has('H');
        let found = if follow {
            proc.stat(&path)
        } else {
            proc.lstat(&path)
        };
        match found {
            Ok(metadata) => {
                let entry = Entry {
                    name: path.clone(),
                    path,
                    metadata,
                };
                if entry.metadata.is_dir() && !list.has('d') {
                    directories.push(entry);
                } else {
                    files.push(entry);
                }
            }
            Err(errno) => {
                let text = [path.as_slice(), b": ", errno.message().as_bytes()].concat();
                complain(proc, "ls", text).await;
                proc.set_status(1);
            }
        }
    }
    sort(&mut files, &list);
    sort(&mut directories, &list);
    let mut headed = !files.is_empty();
    if !show(proc, &list, &files, &users, &zone).await {
        return proc.status();
    }
    let titled = many || list.has('R');
    directories.reverse();
    while let Some(directory) = directories.pop() {
        proc.tick().await;
        let entries = match proc.read_directory(&directory.path) {
            Ok(entries) => entries,
            Err(errno) => {
                let text = [
                    b"can't open '",
                    directory.path.as_slice(),
                    b"': ",
                    errno.message().as_bytes(),
                ]
                .concat();
                complain(proc, "ls", text).await;
                proc.set_status(1);
                continue;
            }
        };
        let mut names: Vec<Vec<u8>> = entries
            .into_iter()
            .map(|entry| entry.name.to_vec())
            .collect();
        if list.has('a') {
            for dot in [b".".as_slice(), b".."] {
                if !names.iter().any(|name| name == dot) {
                    names.push(dot.to_vec());
                }
            }
        }
        let mut inside: Vec<Entry> = names
            .into_iter()
            .filter(|name| {
                list.has('a')
                    || !name.starts_with(b".")
                    || (list.has('A') && name != b"." && name != b"..")
            })
            .filter_map(|name| {
                let path = [
                    directory.path.trim_ascii(),
                    if directory.path.ends_with(b"/") {
                        b"".as_slice()
                    } else {
                        b"/"
                    },
                    &name,
                ]
                .concat();
                let metadata = if list.has('L') {
                    proc.stat(&path)
                } else {
                    proc.lstat(&path)
                }
                .ok()?;
                Some(Entry {
                    name,
                    path,
                    metadata,
                })
            })
            .collect();
        sort(&mut inside, &list);
        let mut head = Vec::new();
        if titled {
            if std::mem::replace(&mut headed, true) {
                head.push(b'\n');
            }
            head.extend([directory.path.as_slice(), b":\n"].concat());
        }
        let blocks: u64 = inside.iter().map(|entry| entry.metadata.blocks).sum();
        head.extend(if !list.is_long() {
            Vec::new()
        } else if list.has('h') {
            format!("total {:<7}\n", format!("{}K", blocks / 2)).into_bytes()
        } else {
            format!("total {}\n", blocks / 2).into_bytes()
        });
        if proc.print(&head).await.is_err() || !show(proc, &list, &inside, &users, &zone).await {
            return proc.status();
        }
        if list.has('R') {
            let below = inside.into_iter().filter(|entry| {
                entry.metadata.is_dir() && entry.name != b"." && entry.name != b".."
            });
            let mut below: Vec<Entry> = below.collect();
            below.reverse();
            directories.extend(below);
        }
    }
    proc.status()
}

fn sort(entries: &mut [Entry], list: &List) {
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    if list.has('S') {
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.metadata.size));
    } else if list.has('t') {
        entries.sort_by_key(|entry| {
            std::cmp::Reverse((entry.metadata.mtime.secs, entry.metadata.mtime.nanos))
        });
    }
    if list.has('r') {
        entries.reverse();
    }
}

/// Prints the lines; whether somebody still reads them.
async fn show(
    proc: &mut Process,
    list: &List,
    entries: &[Entry],
    users: &Directory,
    zone: &Zone,
) -> bool {
    if !list.is_long() {
        return show_names(proc, list, entries).await;
    }
    let now = proc.now().secs;
    for entry in entries {
        let metadata = &entry.metadata;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut line = String::new();
        if list.has('i') {
            line.push_str(&format!("{:7} ", metadata.ino.number()));
        }
        if list.has('s') {
            line.push_str(&format!("{:6} ", metadata.blocks / 2));
        }
        line.push_str(&format!(
            "{:<10} {:4} ",
            mode::letters(metadata),
            metadata.nlink
        ));
        if list.has('g') {
            let group = text(&users.group_text(metadata.gid));
            line.push_str(&format!("{group:<8.8} "));
        } else if list.has('n') {
            line.push_str(&format!("{:<8} {:<8} ", metadata.uid, metadata.gid));
        } else {
            line.push_str(&format!(
                "{:<8.8} {:<8.8} ",
                text(&users.user_text(metadata.uid)),
                text(&users.group_text(metadata.gid))
            ));
        }
        let special = matches!(
            metadata.file_type,
            FileType::CharDevice | FileType::BlockDevice
        );
        if special {
            line.push_str(&format!("{:4}, {:3} ", metadata.rdev.0, metadata.rdev.1));
        } else if list.has('h') {
            line.push_str(&format!("{:>7} ", human(metadata.size)));
        } else {
            line.push_str(&format!("{:9} ", metadata.size));
        }
        let moment = if list.has('c') {
            metadata.ctime
        } else if list.has('u') {
            metadata.atime
        } else {
            metadata.mtime
        };
        let format: &[u8] = if list.has('e') {
            b"%Y-%m-%d %H:%M:%S %z"
        } else if (now - moment.secs).abs() < RECENT && moment.secs <= now + 900 {
            b"%b %e %H:%M"
        } else {
            b"%b %e  %Y"
        };
        line.push_str(&text(&Shown::new(moment, zone).format(format)));
        line.push(' ');
        let mut out = line.into_bytes();
        out.extend_from_slice(&entry.name);
        if let Ok(target) = proc.read_link(&entry.path)
            && metadata.is_symlink()
        {
            out.extend([b" -> ", target.as_slice()].concat());
        } else {
            out.extend(list.mark(metadata));
        }
        out.push(b'\n');
        if proc.print(&out).await.is_err() {
            return false;
        }
    }
    true
}

/// Prints the names alone, in columns if these are wanted; whether somebody still reads them.
async fn show_names(proc: &mut Process, list: &List, entries: &[Entry]) -> bool {
    let names: Vec<Vec<u8>> = entries
        .iter()
        .map(|entry| {
            let mut out = Vec::new();
            if list.has('i') {
                out.extend(format!("{:7} ", entry.metadata.ino.number()).into_bytes());
            }
            if list.has('s') {
                out.extend(format!("{:6} ", entry.metadata.blocks / 2).into_bytes());
            }
            out.extend_from_slice(&entry.name);
            out.extend(list.mark(&entry.metadata));
            out
        })
        .collect();
    let widest = names.iter().map(Vec::len).max().unwrap_or(0) + 2;
    let columns = list.width.map_or(1, |width| (width / widest).max(1));
    let rows = names.len().div_ceil(columns);
    for row in 0..rows {
        let mut line = Vec::new();
        for column in 0..columns {
            let at = if list.across {
                row * columns + column
            } else {
                column * rows + row
            };
            if let Some(name) = names.get(at) {
                if column > 0 {
                    line.resize(column * widest, b' ');
                }
                line.extend_from_slice(name);
            }
        }
        line.push(b'\n');
        if proc.print(&line).await.is_err() {
            return false;
        }
    }
    true
}

/// `1.5K`: one place behind the point.
fn human(size: u64) -> String {
    if size < 1024 {
        return size.to_string();
    }
    let (mut rest, mut unit) = (size * 10 / 1024, 0);
    while rest >= 10 * 1024 && unit < 5 {
        rest /= 1024;
        unit += 1;
    }
    let letter = b"KMGTPE"
        .get(unit)
        .map_or('E', |letter| char::from(*letter));
    format!("{}.{}{letter}", rest / 10, rest % 10)
}
