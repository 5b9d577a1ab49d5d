//! `scp` of OpenSSH 9.2: files to and from other machines, over SFTP since release 9.0; `-t` and `-f` are
//! the far side of the old protocol.

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::observe::Download;
use sundew_kernel::{ExitStatus, Process};
use sundew_vfs::Metadata;

use self::remote::Wanted;
use self::trips::Trips;
use super::sftp::link::{Fault, Link};
use super::sftp::meter::Meter;
use super::sftp::{Place, expand, get_file, put_file};
use super::ssh::letters::Alphabet;

mod remote;
pub(super) mod trips;

const USAGE: &str = include_str!("scp/usage.txt");
/// `d`, `f` and `t` are for the far side.
const LETTERS: Alphabet = Alphabet {
    with_value: b"cDFiJloPSX",
    alone: b"12346ABCOTdfpqRrstv",
};
/// How deep directories may be in each other.
const MAX_DEPTH: usize = 64;

/// A command line.
struct Line {
    letters: Vec<u8>,
    /// What goes on to ssh.
    ssh: Vec<Vec<u8>>,
    port: Option<Vec<u8>>,
    program: Vec<u8>,
    operands: Vec<Vec<u8>>,
}

fn read(args: &[Vec<u8>]) -> Result<Line, String> {
    let mut line = Line {
        letters: Vec::new(),
        ssh: Vec::new(),
        port: None,
        program: b"/usr/bin/ssh".to_vec(),
        operands: Vec::new(),
    };
    let mut words = args.iter().skip(1);
    while let Some(word) = words.next() {
        let letters = word.strip_prefix(b"-").filter(|rest| !rest.is_empty());
        let Some(letters) = letters else {
            line.operands.push(word.clone());
            continue;
        };
        if letters == b"-" {
            line.operands.extend(words.cloned());
            break;
        }
        for (letter, value) in LETTERS.read(letters, &mut words)? {
            line.ssh
                .extend(super::ssh::letters::handed_on(letter, value.as_deref()));
            match (letter, value) {
                (b'P', value) => line.port = value,
                (b'S', Some(value)) => line.program = value,
                (_, Some(_)) => {}
                (_, None) => line.letters.push(letter),
            }
        }
    }
    Ok(line)
}

/// `[user@]host:path` or `scp://…`, if that is what it is.
fn place(operand: &[u8]) -> Option<Place> {
    if let Some(rest) = operand.strip_prefix(b"scp://") {
        return Place::of_url(rest);
    }
    let (mut bracket, mut colon) = (false, None);
    for (at, &byte) in operand.iter().enumerate() {
        match byte {
            b'[' => bracket = true,
            b']' => bracket = false,
            b'/' if !bracket => break,
            b':' if !bracket => {
                colon = Some(at);
                break;
            }
            _ => {}
        }
    }
    let (host, path) = operand.split_at(colon.filter(|at| *at > 0)?);
    let path = path.get(1..).unwrap_or_default();
    Some(Place::new(host, path))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

async fn complain(proc: &mut Process, complaint: &str) {
    proc.print_error(format!("scp: {complaint}\r\n").as_bytes())
        .await;
    proc.set_status(1);
}

/// `scp`.
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let line = match read(proc.args()) {
        Ok(line) => line,
        Err(complaint) => {
            proc.print_error([complaint.as_str(), USAGE].concat().as_bytes())
                .await;
            return ExitStatus::FAILURE;
        }
    };
    let has = |letter| line.letters.contains(&letter);
    let wanted = Wanted {
        recursive: has(b'r'),
        times: has(b'p'),
        directory: has(b'd'),
    };
    if has(b't') && line.operands.len() == 1 {
        let target = line.operands.first().cloned().unwrap_or_default();
        return remote::sink(proc, &target, wanted).await;
    }
    if has(b'f') && !line.operands.is_empty() {
        return remote::source(proc, &line.operands, wanted).await;
    }
    let Some((target, sources)) = line
        .operands
        .split_last()
        .filter(|(_, all)| !all.is_empty())
    else {
        proc.print_error(USAGE.as_bytes()).await;
        return ExitStatus::FAILURE;
    };
    let here = proc.stat(target).ok();
    if sources.len() > 1 && place(target).is_none() && !here.as_ref().is_some_and(Metadata::is_dir)
    {
        let why = match here {
            Some(_) => sundew_kernel::Errno::Enotdir.message(),
            None => sundew_kernel::Errno::Enoent.message(),
        };
        proc.print_error(format!("{}: {why}\n", text(target)).as_bytes())
            .await;
        return ExitStatus::FAILURE;
    }
    match place(target) {
        Some(there) => to_remote(proc, &line, sources, &there).await,
        None => to_local(proc, &line, sources, target).await,
    }
}

/// A connection to where a place is.
async fn link(proc: &mut Process, line: &Line, there: &Place) -> Result<Link, ExitStatus> {
    let there = &there.or_port(line.port.as_deref());
    let mut args = there.ssh_args(&line.program);
    let end = args.len().saturating_sub(there.tail());
    args.splice(end..end, line.ssh.iter().cloned());
    if let Ok(link) = Link::open(proc, line.program.clone(), args).await {
        return Ok(link);
    }
    proc.print_error(b"scp: Connection closed\r\n").await;
    Err(ExitStatus::Exited(255))
}

async fn to_local(
    proc: &mut Process,
    line: &Line,
    sources: &[Vec<u8>],
    target: &[u8],
) -> ExitStatus {
    for source in sources {
        let Some(there) = place(source) else {
            // Between two places of this machine it is cp(1).
            let mut args = vec![b"cp".to_vec()];
            for letter in [b'r', b'p'] {
                if line.letters.contains(&letter) {
                    args.push(vec![b'-', letter]);
                }
            }
            args.extend([b"--".to_vec(), source.clone(), target.to_vec()]);
            let env = proc.env().clone();
            let spawned = proc.spawn(sundew_kernel::process::Spawn {
                path: b"/bin/cp".to_vec(),
                args,
                env,
            });
            if let Ok(pid) = spawned {
                let target = sundew_kernel::process::WaitFor::Pid(pid);
                let ended = proc.wait(target, false, true).await;
                let fine = matches!(ended, Ok(Some((_, event))) if event == sundew_kernel::status::ChildEvent::Ended(ExitStatus::SUCCESS));
                if !fine {
                    proc.set_status(1);
                }
            }
            continue;
        };
        let mut link = match link(proc, line, &there).await {
            Ok(link) => link,
            Err(status) => return status,
        };
        fetch(proc, line, &mut link, &there, target).await;
        link.close(proc).await;
    }
    proc.status()
}

#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
async fn fetch(proc: &mut Process, line: &Line, link: &mut Link, there: &Place, target: &[u8]) {
    let path = if there.path.is_empty() {
        b".".to_vec()
    } else {
        there.path.clone()
    };
    let found = match expand(proc, link, &path).await {
        Ok(found) if !found.is_empty() => found,
        Ok(_) | Err(Fault::Status(_)) => {
            let why = sundew_kernel::Errno::Enoent.message();
            return complain(proc, &format!("{}: {why}", text(&path))).await;
        }
        Err(_) => return complain(proc, "Connection closed").await,
    };
    let into = proc.stat(target).is_ok_and(|metadata| metadata.is_dir());
    if found.len() > 1 && !into {
        let target = text(target);
        return complain(
            proc,
            &format!(
                "Multiple files match pattern, but destination \"{target}\" is not a directory"
            ),
        )
        .await;
    }
    let mut waiting = Trips::new(proc);
    for one in found.into_iter().rev() {
        let base = base(&one);
        let destination = if into {
            join(target, &base)
        } else {
            target.to_vec()
        };
        waiting.add(proc, one, destination, 0).await;
    }
    while let Some((from, to, depth)) = waiting.pop() {
        let attributes = match link.stat(proc, &from).await {
            Ok(attributes) => attributes,
            Err(fault) => {
                complain(
                    proc,
                    &format!("stat remote \"{}\": {}", text(&from), fault.text()),
                )
                .await;
                continue;
            }
        };
        if attributes
            .mode
            .is_some_and(|mode| mode & 0o170_000 == 0o040_000)
        {
            if !line.letters.contains(&b'r') {
                let shown = text(&from);
                let slash = if shown.ends_with('/') { "" } else { "/" };
                complain(
                    proc,
                    &format!("download {shown}{slash}: not a regular file"),
                )
                .await;
                continue;
            }
            if depth >= MAX_DEPTH {
                complain(
                    proc,
                    &format!("Maximum directory depth exceeded: {depth} levels"),
                )
                .await;
                continue;
            }
            let mode = attributes.mode.unwrap_or(0o755) & 0o777 | 0o700;
            if let Err(errno) = proc.make_directory(&to, mode)
                && !proc.stat(&to).is_ok_and(|metadata| metadata.is_dir())
            {
                complain(
                    proc,
                    &format!("local mkdir \"{}\": {}", text(&to), errno.message()),
                )
                .await;
                continue;
            }
            match link.list(proc, &from).await {
                Ok(entries) => {
                    let names = entries.iter().map(|entry| &*entry.name);
                    waiting.below(proc, &from, &to, names, depth + 1).await;
                }
                Err(fault) => {
                    complain(
                        proc,
                        &format!("remote readdir(\"{}\"): {}", text(&from), fault.text()),
                    )
                    .await;
                }
            }
            continue;
        }
        let download = Download {
            url: there.or_port(line.port.as_deref()).url(b"scp", &from),
            destination: to.clone(),
        };
        let shown = !line.letters.contains(&b'q');
        match get_file(proc, link, &from, &to, &attributes, download, shown).await {
            Ok(()) => {}
            Err((what, fault)) => {
                complain(proc, &format!("{what}: {}", fault.text())).await;
            }
        }
    }
}

#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
async fn to_remote(
    proc: &mut Process,
    line: &Line,
    sources: &[Vec<u8>],
    there: &Place,
) -> ExitStatus {
    let mut link = match link(proc, line, there).await {
        Ok(link) => link,
        Err(status) => return status,
    };
    let target = if there.path.is_empty() {
        b".".to_vec()
    } else {
        there.path.clone()
    };
    let is_directory = |mode: Option<u16>| mode.is_some_and(|mode| mode & 0o170_000 == 0o040_000);
    let into = match link.stat(proc, &target).await {
        Ok(attributes) => is_directory(attributes.mode),
        Err(_) => false,
    };
    for source in sources {
        let destination = if into {
            join(&target, &base(source))
        } else {
            target.clone()
        };
        let mut waiting = Trips::new(proc);
        waiting.add(proc, source.clone(), destination, 0).await;
        while let Some((from, to, depth)) = waiting.pop() {
            let metadata = match proc.stat(&from) {
                Ok(metadata) => metadata,
                Err(errno) => {
                    complain(
                        proc,
                        &format!("stat local \"{}\": {}", text(&from), errno.message()),
                    )
                    .await;
                    continue;
                }
            };
            let recursive = line.letters.contains(&b'r') && depth < MAX_DEPTH;
            if metadata.is_dir() && recursive {
                // It is there already, or what goes into it fails.
                let _there = link
                    .change(proc, super::sftp_server::wire::MKDIR, &to)
                    .await;
                let entries = proc.read_directory(&from).unwrap_or_default();
                let names = entries.iter().map(|entry| &*entry.name);
                waiting.below(proc, &from, &to, names, depth + 1).await;
                continue;
            }
            if !metadata.is_regular() {
                complain(
                    proc,
                    &format!("local \"{}\" is not a regular file", text(&from)),
                )
                .await;
                complain(
                    proc,
                    &format!(
                        "failed to upload file {} to {}",
                        text(source),
                        text(&target)
                    ),
                )
                .await;
                continue;
            }
            let shown = !line.letters.contains(&b'q');
            if let Err((what, fault)) =
                put_file(proc, &mut link, &from, &to, &metadata, shown).await
            {
                complain(proc, &format!("{what}: {}", fault.text())).await;
                complain(
                    proc,
                    &format!(
                        "failed to upload file {} to {}",
                        text(source),
                        text(&target)
                    ),
                )
                .await;
            }
        }
    }
    link.close(proc).await;
    proc.status()
}

/// The last part of a path.
fn base(path: &[u8]) -> Vec<u8> {
    let mut parts = path.rsplit(|&byte| byte == b'/');
    parts.find(|part| !part.is_empty()).unwrap_or(b"/").to_vec()
}

/// A path below another.
pub(super) fn join(directory: &[u8], name: &[u8]) -> Vec<u8> {
    let slash = if directory.ends_with(b"/") { "" } else { "/" };
    [directory, slash.as_bytes(), name].concat()
}

/// Opens a file that a transfer writes.
pub(super) async fn create(
    proc: &Process,
    path: &[u8],
    mode: u16,
) -> Result<sundew_kernel::Fd, sundew_kernel::Errno> {
    proc.open(path, OpenFlags::CREATE, mode).await
}

/// A transfer that shows nothing yet.
pub(super) async fn meter(proc: &Process, path: &[u8], total: u64, shown: bool) -> Meter {
    Meter::new(proc, &base(path), total, shown).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colon_before_the_first_slash_means_elsewhere() {
        let there = place(b"root@host:/tmp/x").unwrap();
        assert_eq!(there.path, b"/tmp/x");
        assert!(place(b"./a:b").is_none());
        assert!(place(b":x").is_none());
        assert_eq!(place(b"[::1]:x").unwrap().path, b"x");
    }
}
