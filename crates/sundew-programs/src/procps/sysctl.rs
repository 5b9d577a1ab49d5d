//! `sysctl`: `/proc/sys` with dots for slashes.

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::{Errno, ExitStatus, Process};
use sundew_posix::regex::{Flags, Regex, Syntax};
use sundew_vfs::FileType;

use super::{print_help, print_version, refuse};
use crate::getopt::{Arity, Getopt, Opt, Spec};

const SPEC: Spec = Spec::new(
    "bneNwfp::qoxaAXr:VdhsL",
    &[
        ("all", Arity::No, "a"),
        ("binary", Arity::No, "b"),
        ("ignore", Arity::No, "e"),
        ("names", Arity::No, "N"),
        ("values", Arity::No, "n"),
        ("load", Arity::Optional, "p"),
        ("quiet", Arity::No, "q"),
        ("write", Arity::No, "w"),
        ("system", Arity::No, "system"),
        ("pattern", Arity::Required, "r"),
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
    ],
);

#[derive(Clone, Copy, Default)]
struct Style {
    values: bool,
    /// Without the line feed.
    bare: bool,
    names: bool,
    quiet: bool,
    ignore: bool,
}

/// `sysctl`.
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let mut options = Getopt::new(&SPEC, proc.args());
    let (mut style, mut all, mut load) = (Style::default(), false, None);
    let (mut write, mut only) = (false, None);
    while let Some(option) = options.next() {
        match option {
            Ok(Opt { key: "n", .. }) => style.values = true,
            Ok(Opt { key: "b", .. }) => (style.values, style.bare) = (true, true),
            Ok(Opt { key: "w", .. }) => write = true,
            Ok(Opt {
                key: "r", value, ..
            }) => only = Some(value),
            Ok(Opt { key: "N", .. }) => style.names = true,
            Ok(Opt { key: "q", .. }) => style.quiet = true,
            Ok(Opt { key: "e", .. }) => style.ignore = true,
            Ok(Opt {
                key: "a" | "A" | "X",
                ..
            }) => all = true,
            Ok(Opt {
                key: "p", value, ..
            }) => {
                load = Some(if value.is_empty() {
                    b"/etc/sysctl.conf".to_vec()
                } else {
                    value
                })
            }
            Ok(Opt { key: "h", .. }) => return print_help(proc, "sysctl").await,
            Ok(Opt { key: "V", .. }) => return print_version(proc, "sysctl").await,
            Ok(_) => {}
            Err(error) => return refuse(proc, "sysctl", Some(&error)).await,
        }
    }
    let mut words = options.operands();
    if let Some(mut file) = load {
        if let Some(named) = words.first() {
            file.clone_from(named);
        }
        words = settings(proc, &file).await;
    } else if words.is_empty() && !all {
        if proc.args().len() > 1 {
            let text = "no variables specified\nTry `sysctl --help' for more information.";
            proc.complain_text(text).await;
            return ExitStatus::FAILURE;
        }
        return refuse(proc, "sysctl", None).await;
    }
    if all {
        let mut names = Vec::new();
        walk(proc, b"/proc/sys".to_vec(), &mut names);
        names.sort();
        words = names;
    }
    if let Some(only) = only {
        let Ok(only) = Regex::new(&only, Syntax::Extended, Flags::default()) else {
            return ExitStatus::FAILURE;
        };
        words.retain(|word| only.is_match(word));
    }
    for (number, word) in words.into_iter().enumerate() {
        if write && !word.contains(&b'=') {
            let text = format!("command line({number}): invalid syntax, continuing...");
            proc.complain_text(text).await;
            continue;
        }
        one(proc, style, &word).await;
    }
    proc.status()
}

/// `NAME=VALUE` lines of a file.
async fn settings(proc: &mut Process, file: &[u8]) -> Vec<Vec<u8>> {
    let text = match read(proc, file).await {
        Ok(text) => text,
        Err(errno) => {
            proc.complain_text(
                [
                    b"cannot open \"".as_slice(),
                    file,
                    b"\": ",
                    errno.message().as_bytes(),
                ]
                .concat(),
            )
            .await;
            return Vec::new();
        }
    };
    let lines = text.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with(b"#") && !line.starts_with(b";"))
        .map(<[u8]>::to_vec)
        .collect()
}

fn walk(proc: &Process, directory: Vec<u8>, names: &mut Vec<Vec<u8>>) {
    for entry in proc.read_directory(&directory).unwrap_or_default() {
        let path = [directory.as_slice(), b"/", &entry.name].concat();
        if entry.file_type == FileType::Directory {
            walk(proc, path, names);
        } else {
            let name = path.strip_prefix(b"/proc/sys/").unwrap_or_default();
            names.push(
                name.iter()
                    .map(|&byte| if byte == b'/' { b'.' } else { byte })
                    .collect(),
            );
        }
    }
}

async fn read(proc: &Process, path: &[u8]) -> Result<Vec<u8>, Errno> {
    let fd = proc.open(path, OpenFlags::READ, 0).await?;
    let text = proc.read_to_end(fd).await.map(|(text, _)| text);
    // Opened above.
    let _open = proc.close(fd);
    text
}

async fn one(proc: &mut Process, style: Style, word: &[u8]) {
    let (name, value) = match word.iter().position(|&byte| byte == b'=') {
        Some(at) => (
            word.get(..at).unwrap_or_default().trim_ascii(),
            word.get(at + 1..).map(<[u8]>::trim_ascii),
        ),
        None => (word, None),
    };
    let slashes: Vec<u8> = name
        .iter()
        .map(|&byte| if byte == b'.' { b'/' } else { byte })
        .collect();
    let dots: Vec<u8> = slashes
        .iter()
        .map(|&byte| if byte == b'/' { b'.' } else { byte })
        .collect();
    let path = [b"/proc/sys/".as_slice(), &slashes].concat();
    if let Err(errno) = proc.stat(&path) {
        if !style.ignore {
            proc.complain_text(
                [
                    b"cannot stat ".as_slice(),
                    &path,
                    b": ",
                    errno.message().as_bytes(),
                ]
                .concat(),
            )
            .await;
        }
        return;
    }
    if value.is_some() && slashes.is_empty() {
        proc.complain_text("Path is not under /proc/sys/: /proc/sys/")
            .await;
        return;
    }
    let read_only = proc
        .stat(&path)
        .is_ok_and(|metadata| metadata.mode & 0o222 == 0);
    if value.is_some() && read_only {
        let text = [b"setting key \"".as_slice(), &dots, b"\": "].concat();
        let text = [text.as_slice(), Errno::Einval.message().as_bytes()].concat();
        proc.complain_text(text).await;
        proc.set_status(0);
        return;
    }
    let shown = match value {
        // The kernel's settings cannot be changed; that they seem to be is what people look for.
        Some(value) if proc.credentials().uid == 0 => value.to_vec(),
        Some(_) => {
            let text = [b"permission denied on key \"".as_slice(), &dots, b"\""].concat();
            return proc.complain_text(text).await;
        }
        None => match read(proc, &path).await {
            Ok(text) => text.trim_ascii_end().to_vec(),
            Err(errno) => {
                let text = [
                    b"reading key \"".as_slice(),
                    &dots,
                    b"\": ",
                    errno.message().as_bytes(),
                ]
                .concat();
                return proc.complain_text(text).await;
            }
        },
    };
    if style.quiet && value.is_some() {
        return;
    }
    let line = match (style.names, style.values) {
        (true, _) => dots,
        (_, true) => shown,
        _ => [dots.as_slice(), b" = ", &shown].concat(),
    };
    let end: &[u8] = if style.bare { b"" } else { b"\n" };
    let _closed = proc.print(&[line.as_slice(), end].concat()).await;
}
