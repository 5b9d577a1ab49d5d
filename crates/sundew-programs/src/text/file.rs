//! `file` 5.44: what a file is, by its first bytes.
//!
//! A small part of the original's knowledge: nodes of the filesystem, ELF, scripts, archives, text.

use sundew_kernel::{ExitStatus, Process, STDIN};
use sundew_vfs::{Errno, FileType, Metadata};

use super::input;
use crate::getopt::{Arity, Getopt, Spec};

mod elf;
mod magic;

const SPEC: Spec = Spec::gnu(
    "bcCdEe:f:F:hiklLm:nNpP:rsSvzZ0",
    &[
        ("brief", Arity::No, "b"),
        ("dereference", Arity::No, "L"),
        ("exclude", Arity::Required, "e"),
        ("files-from", Arity::Required, "f"),
        ("keep-going", Arity::No, "k"),
        ("mime", Arity::No, "i"),
        ("mime-type", Arity::No, "mime-type"),
        ("mime-encoding", Arity::No, "mime-encoding"),
        ("no-dereference", Arity::No, "h"),
        ("no-pad", Arity::No, "N"),
        ("print0", Arity::No, "0"),
        ("raw", Arity::No, "r"),
        ("separator", Arity::Required, "F"),
        ("special-files", Arity::No, "s"),
        ("uncompress", Arity::No, "z"),
    ],
);

const USAGE: &[u8] =
    b"Usage: file [-bcCdEhikLlNnprsSvzZ0] [--apple] [--extension] [--mime-encoding]
            [--mime-type] [-e <testname>] [-F <separator>]  [-f <namefile>]
            [-m <magicfiles>] [-P <parameter=value>] [--exclude-quiet]
            <file> ...
       file -C [-m <magicfiles>]
       file [--help]
";

/// Bytes that are looked at.
const LOOK: usize = 1 << 20;

/// What a file is found to be: in words, as a MIME type, and its characters' encoding.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kind {
    words: String,
    mime: String,
    encoding: &'static str,
}

impl Kind {
    fn new(words: impl Into<String>, mime: &str, encoding: &'static str) -> Self {
        Self {
            words: words.into(),
            mime: mime.to_owned(),
            encoding,
        }
    }

    fn binary(words: impl Into<String>, mime: &str) -> Self {
        Self::new(words, mime, "binary")
    }
}

#[derive(Debug)]
struct Options {
    brief: bool,
    pad: bool,
    follow: bool,
    mime_type: bool,
    mime_encoding: bool,
    separator: Vec<u8>,
    zero: bool,
}

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut options = Options {
        brief: false,
        pad: true,
        follow: proc.env().value(b"POSIXLY_CORRECT").is_some(),
        mime_type: false,
        mime_encoding: false,
        separator: b":".to_vec(),
        zero: false,
    };
    let mut names = Vec::new();
    let mut getopt = Getopt::new(&SPEC, proc.args());
    while let Some(option) = getopt.next() {
        let option = match option {
            Ok(option) => option,
            Err(error) => {
                proc.complain_text(error.text()).await;
                proc.print_error(USAGE).await;
                return ExitStatus::FAILURE;
            }
        };
        match option.key {
            "b" => options.brief = true,
            "L" => options.follow = true,
            "h" => options.follow = false,
            "i" => (options.mime_type, options.mime_encoding) = (true, true),
            "mime-type" => options.mime_type = true,
            "mime-encoding" => options.mime_encoding = true,
            "N" => options.pad = false,
            "0" => options.zero = true,
            "F" => options.separator = option.value,
            "f" => match input::read_all(proc, &option.value).await {
                Ok((text, _memory)) => names.extend(super::super::package::lines(&text)),
                Err(errno) => {
                    let text = [
                        b"Cannot open `",
                        option.value.as_slice(),
                        b"' (",
                        errno.message().as_bytes(),
                        b")",
                    ];
                    proc.complain_text(text.concat()).await;
                    return ExitStatus::FAILURE;
                }
            },
            "v" | "version" => {
                let text = b"file-5.44\nmagic file from /etc/magic:/usr/share/misc/magic\n";
                let _reported_at_exit = proc.print(text).await;
                return ExitStatus::SUCCESS;
            }
            "help" => {
                let _reported_at_exit = proc.print(USAGE).await;
                return ExitStatus::SUCCESS;
            }
            _ => {}
        }
    }
    names.extend(getopt.operands());
    if names.is_empty() {
        proc.print_error(USAGE).await;
        return ExitStatus::FAILURE;
    }
    let width = names
        .iter()
        .map(|name| shown(name).len())
        .max()
        .unwrap_or(0);
    for name in &names {
        let kind = examine(proc, name, options.follow).await;
        let line = line(&options, name, &kind, width);
        if proc.print(&line).await.is_err() {
            break;
        }
    }
    proc.status()
}

/// Standard input is shown by the name of its device.
fn shown(name: &[u8]) -> &[u8] {
    if name == b"-" { b"/dev/stdin" } else { name }
}

fn line(options: &Options, name: &[u8], kind: &Kind, width: usize) -> Vec<u8> {
    let mut out = Vec::new();
    if !options.brief {
        out.extend_from_slice(shown(name));
        if options.zero {
            out.push(0);
        } else {
            out.extend_from_slice(&options.separator);
        }
        out.push(b' ');
        if options.pad {
            out.extend(std::iter::repeat_n(
                b' ',
                width.saturating_sub(shown(name).len()),
            ));
        }
    }
    let text = match (options.mime_type, options.mime_encoding) {
        (false, false) => kind.words.clone(),
        (true, false) => kind.mime.clone(),
        (false, true) => kind.encoding.to_owned(),
        (true, true) => format!("{}; charset={}", kind.mime, kind.encoding),
    };
    out.extend_from_slice(text.as_bytes());
    out.push(b'\n');
    out
}

async fn examine(proc: &Process, name: &[u8], follow: bool) -> Kind {
    if name == b"-" {
        let mut bytes = Vec::new();
        let mut chunk = vec![0; 32 * 1024];
        while bytes.len() < LOOK {
            match proc.read(STDIN, &mut chunk).await {
                Ok(count) if count > 0 => {
                    bytes.extend_from_slice(chunk.get(..count).unwrap_or_default())
                }
                _ => break,
            }
        }
        return magic::of(&bytes);
    }
    let found = if follow {
        proc.stat(name)
    } else {
        proc.lstat(name)
    };
    let metadata = match found {
        Ok(metadata) => metadata,
        Err(errno) => return cannot(name, errno),
    };
    if let Some(kind) = node(proc, name, &metadata) {
        return kind;
    }
    let fd = match input::open_file(proc, name).await {
        Ok(fd) => fd,
        Err(Errno::Eacces) => {
            let words = if metadata.mode & 0o111 == 0 {
                "regular file, no read permission"
            } else {
                "executable, regular file, no read permission"
            };
            return Kind::binary(words, "application/octet-stream");
        }
        Err(errno) => return cannot(name, errno),
    };
    let mut bytes = Vec::new();
    let mut chunk = vec![0; 32 * 1024];
    while bytes.len() < LOOK {
        match proc.read(fd, &mut chunk).await {
            Ok(count) if count > 0 => {
                bytes.extend_from_slice(chunk.get(..count).unwrap_or_default())
            }
            _ => break,
        }
    }
    input::close(proc, fd);
    magic::of(&bytes)
}

fn cannot(name: &[u8], errno: Errno) -> Kind {
    let words = format!(
        "cannot open `{}' ({})",
        String::from_utf8_lossy(name),
        errno.message()
    );
    Kind::new(words.clone(), &words, "binary")
}

/// What is no regular file with content.
fn node(proc: &Process, name: &[u8], metadata: &Metadata) -> Option<Kind> {
    let mut prefix = String::new();
    for (bit, word) in [
        (0o4000, "setuid, "),
        (0o2000, "setgid, "),
        (0o1000, "sticky, "),
    ] {
        if metadata.mode & bit != 0 {
            prefix.push_str(word);
        }
    }
    let (major, minor) = (metadata.rdev.0, metadata.rdev.1);
    let (words, mime) = match metadata.file_type {
        FileType::Directory => (format!("{prefix}directory"), "inode/directory"),
        FileType::Symlink => {
            let target = proc.read_link(name).unwrap_or_default();
            let target = String::from_utf8_lossy(&target).into_owned();
            let words = if proc.stat(name).is_ok() {
                format!("symbolic link to {target}")
            } else {
                format!("broken symbolic link to {target}")
            };
            (words, "inode/symlink")
        }
        FileType::CharDevice => (
            format!("{prefix}character special ({major}/{minor})"),
            "inode/chardevice",
        ),
        FileType::BlockDevice => (
            format!("{prefix}block special ({major}/{minor})"),
            "inode/blockdevice",
        ),
        FileType::Fifo => (format!("{prefix}fifo (named pipe)"), "inode/fifo"),
        FileType::Socket => (format!("{prefix}socket"), "inode/socket"),
        FileType::Regular if metadata.size == 0 && !name.starts_with(b"/proc/") => {
            ("empty".to_owned(), "inode/x-empty")
        }
        FileType::Regular => return None,
    };
    Some(Kind::binary(words, mime))
}

#[cfg(test)]
mod tests {
    use super::magic;

    fn words(bytes: &[u8]) -> String {
        magic::of(bytes).words
    }

    #[test]
    fn text_is_told_by_its_bytes() {
        assert_eq!(words(b"root:x:0:0\n"), "ASCII text");
        assert_eq!(words(b"abc"), "ASCII text, with no line terminators");
        assert_eq!(
            words(b"a\r\nb\r\n"),
            "ASCII text, with CRLF line terminators"
        );
        assert_eq!(words("h\u{e9}\n".as_bytes()), "Unicode text, UTF-8 text");
        assert_eq!(words(b"h\xe9\n"), "ISO-8859 text");
        assert_eq!(words(b"\0\x01\x02\xff"), "data");
        assert_eq!(words(b""), "empty");
    }

    #[test]
    fn scripts_are_told_by_their_first_line() {
        assert_eq!(
            words(b"#!/bin/sh\n"),
            "POSIX shell script, ASCII text executable"
        );
        assert_eq!(
            words(b"#! /bin/bash -e\nx"),
            "Bourne-Again shell script, ASCII text executable"
        );
        assert_eq!(
            words(b"#!/usr/bin/env perl\n"),
            "Perl script text executable"
        );
    }

    #[test]
    fn a_head_of_an_elf_file_is_enough_for_its_class() {
        assert_eq!(words(b"\x7fELF\x01\x01\x01"), "ELF 32-bit LSB");
        assert_eq!(
            words(&sundew_kernel::executable::elf_head(b"ls"))
                .split(", version")
                .next(),
            Some("ELF 64-bit LSB pie executable, x86-64")
        );
    }
}
