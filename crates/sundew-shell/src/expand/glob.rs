//! File names from patterns: glob(7), with bash's `dotglob`, `nullglob`, `globstar`.

use sundew_kernel::Process;
use sundew_posix::pattern::{Options, Pattern, Piece};
use sundew_vfs::FileType;

use super::draft::{Draft, Mark};
use crate::shell::{Run, Shell};
use crate::words::Words;

/// Most names one pattern may give.
const MAX_NAMES: usize = 64 * 1024;
/// Deepest directory that `**` goes down to.
const MAX_DEPTH: usize = 64;
/// Names of a directory between two looks at whether others are due.
const PER_TICK: usize = 64;

impl Shell {
    /// A field to the names it matches, or to itself.
    pub(super) async fn glob_field(
        &mut self,
        proc: &mut Process,
        field: Draft,
        fields: &mut Words,
    ) -> Run {
        let special = |(byte, mark): (u8, Mark)| {
            mark != Mark::Quoted && matches!(byte, b'*' | b'?' | b'[' | b'(' | b'\\')
        };
        if self.options.is_set("noglob") || !field.iter().any(special) {
            fields.push(proc, field.bytes).await;
            return Ok(());
        }
        let pieces = unescape(&field);
        let options = Options {
            extended: self.options.shopt("extglob"),
            ignore_case: self.options.shopt("nocaseglob"),
        };
        if Pattern::new(&pieces, options).is_literal() {
            fields.push(proc, field.bytes).await;
            return Ok(());
        }
        let mut names = self.glob(proc, &pieces, options).await;
        self.ignore_names(&mut names);
        if names.is_empty() {
            if self.options.shopt("failglob") {
                let text = [b"no match: ".as_slice(), &field.bytes].concat();
                return self.fatal(proc, 1, text).await;
            }
            if !self.options.shopt("nullglob") {
                fields.push(proc, field.bytes).await;
            }
            return Ok(());
        }
        names.sort();
        fields.append(proc, names).await;
        Ok(())
    }

    /// `$GLOBIGNORE`: names that no pattern gives.
    fn ignore_names(&self, names: &mut Vec<Vec<u8>>) {
        let Some(list) = self
            .variables
            .scalar(b"GLOBIGNORE")
            .filter(|list| !list.is_empty() && self.is_bash())
        else {
            return;
        };
        let options = Options {
            extended: self.options.shopt("extglob"),
            ignore_case: self.options.shopt("nocaseglob"),
        };
        let patterns: Vec<Pattern> = list
            .split(|&byte| byte == b':')
            .map(|pattern| {
                let pieces: Vec<Piece> = pattern
                    .iter()
                    .map(|&byte| Piece {
                        byte,
                        quoted: false,
                    })
                    .collect();
                Pattern::new(&pieces, options)
            })
            .collect();
        names.retain(|name| {
            let last = name.rsplit(|&byte| byte == b'/').next().unwrap_or(name);
            last != b"." && last != b".." && !patterns.iter().any(|pattern| pattern.matches(name))
        });
    }

    /// The names that a pattern matches, in no order.
    pub(crate) async fn glob(&self, proc: &Process, pieces: &[Piece], options: Options) -> Words {
        let mut components = split_components(pieces).into_iter().peekable();
        let mut found = Words::from(vec![Vec::new()]);
        let dot_files = self.options.shopt("dotglob")
            || self.is_bash()
                && self
                    .variables
                    .scalar(b"GLOBIGNORE")
                    .is_some_and(|list| !list.is_empty());
        let mut after_globstar = false;
        while let Some(component) = components.next() {
            let last = components.peek().is_none();
            let mut next = Words::new();
            let globstar = self.options.shopt("globstar")
                && component.name.len() == 2
                && component.name.iter().all(|piece| {
                    *piece
                        == Piece {
                            byte: b'*',
                            quoted: false,
                        }
                });
            let pattern = Pattern::new(&component.name, options);
            for base in found.iter() {
                let begun = base.is_empty() || base.ends_with(b"/");
                let slashes: &[u8] = if begun && after_globstar {
                    b""
                } else {
                    &component.slashes
                };
                if base.is_empty() && after_globstar && component.name.is_empty() {
                    continue;
                }
                let base = [base.as_slice(), slashes].concat();
                proc.tick().await;
                if next.len() >= MAX_NAMES {
                    break;
                }
                if globstar {
                    descend(proc, &base, last, &mut next).await;
                } else if let Some(name) = pattern.literal() {
                    let path = [base.as_slice(), &name].concat();
                    if name.is_empty() || !last || proc.lstat(&path).is_ok() {
                        next.push(proc, path).await;
                    }
                } else {
                    list_matches(proc, &base, &pattern, dot_files, last, &mut next).await;
                    if !self.is_bash() && pattern.begins_with_dot() {
                        let dots = [b".".as_slice(), b".."];
                        let dots = dots.into_iter().filter(|name| pattern.matches(name));
                        for name in dots {
                            next.push(proc, [base.as_slice(), name].concat()).await;
                        }
                    }
                }
            }
            found = next;
            after_globstar = globstar;
        }
        let mut there = Words::new();
        for path in found.iter() {
            if !path.is_empty() && proc.lstat(path).is_ok() {
                there.push(proc, path.clone()).await;
            }
        }
        there
    }
}

/// In a pattern that came from an expansion a backslash quotes the next byte.
fn unescape(field: &Draft) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(field.bytes.len());
    let mut escaped = false;
    for (byte, mark) in field.iter() {
        if byte == b'\\' && mark == Mark::Expanded && !escaped {
            escaped = true;
            continue;
        }
        pieces.push(Piece {
            byte,
            quoted: escaped || mark == Mark::Quoted,
        });
        escaped = false;
    }
    if escaped {
        pieces.push(Piece {
            byte: b'\\',
            quoted: true,
        });
    }
    pieces
}

struct Component {
    /// The slashes in front of it.
    slashes: Vec<u8>,
    name: Vec<Piece>,
}

fn split_components(pieces: &[Piece]) -> Vec<Component> {
    let mut components = vec![Component {
        slashes: Vec::new(),
        name: Vec::new(),
    }];
    for &piece in pieces {
        let Some(last) = components.last_mut() else {
            break;
        };
        if piece.byte != b'/' {
            last.name.push(piece);
        } else if last.name.is_empty() {
            last.slashes.push(b'/');
        } else {
            components.push(Component {
                slashes: vec![b'/'],
                name: Vec::new(),
            });
        }
    }
    components
}

async fn list_matches(
    proc: &Process,
    base: &[u8],
    pattern: &Pattern,
    dot_files: bool,
    last: bool,
    found: &mut Words,
) {
    let directory = if base.is_empty() {
        b".".as_slice()
    } else {
        base
    };
    let Ok(entries) = proc.read_directory(directory) else {
        return;
    };
    for (number, entry) in entries.into_iter().enumerate() {
        if number.is_multiple_of(PER_TICK) {
            proc.tick().await;
        }
        let hidden = entry.name.starts_with(b".");
        if hidden && !dot_files && !pattern.begins_with_dot() {
            continue;
        }
        let may_be_directory = matches!(entry.file_type, FileType::Directory | FileType::Symlink);
        if (last || may_be_directory) && pattern.matches(&entry.name) && found.len() < MAX_NAMES {
            found.push(proc, [base, &entry.name].concat()).await;
        }
    }
}

/// `**`: the directory itself and everything below it; files too if it is the last component.
async fn descend(proc: &Process, base: &[u8], last: bool, found: &mut Words) {
    let mut open = vec![(base.to_vec(), 0)];
    if !last || !base.is_empty() {
        found.push(proc, base.to_vec()).await;
    }
    while let Some((directory, depth)) = open.pop() {
        proc.tick().await;
        let listed = if directory.is_empty() {
            b".".as_slice()
        } else {
            directory.as_slice()
        };
        let Ok(entries) = proc.read_directory(listed) else {
            continue;
        };
        for entry in entries
            .into_iter()
            .filter(|entry| !entry.name.starts_with(b"."))
        {
            if found.len() >= MAX_NAMES {
                return;
            }
            let separator: &[u8] = if directory.is_empty() || directory.ends_with(b"/") {
                b""
            } else {
                b"/"
            };
            let path = [directory.as_slice(), separator, &entry.name].concat();
            let is_directory = entry.file_type == FileType::Directory;
            if last || is_directory {
                found.push(proc, path.clone()).await;
            }
            if is_directory && depth < MAX_DEPTH {
                open.push((path, depth + 1));
            }
        }
    }
}
