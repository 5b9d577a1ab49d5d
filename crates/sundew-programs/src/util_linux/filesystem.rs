//! `fsck`, `mkfs`, `fsfreeze`, `fstrim`: what is done to whole filesystems.

use sundew_kernel::process::Spawn;
use sundew_kernel::{Errno, ExitStatus, Process};

use super::block::{is_mounted, look};
use super::spec;
use crate::getopt::{Arity, Getopt, Spec};
use crate::text::{command, shell};

/// Starts a program of `/sbin` and waits for it; `None` if there is none.
async fn run_helper(proc: &Process, name: &[u8], args: Vec<Vec<u8>>) -> Option<ExitStatus> {
    let path = command::search(proc, name).ok()?;
    let spawn = Spawn {
        path,
        args,
        env: proc.env().clone(),
    };
    let pid = proc.spawn(spawn).ok()?;
    Some(shell::wait(proc, pid).await)
}

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
pub(super) async fn fsck(proc: &mut Process) -> ExitStatus {
    const OPERATIONAL: u8 = 8;
    let words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    let (mut dry, mut title, mut verbose, mut paths, mut rest) =
        (false, true, false, Vec::new(), Vec::new());
    let mut kind = None;
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        match word.as_slice() {
            b"-?" | b"--help" => return super::help(proc, "fsck").await,
            b"--version" => return super::version(proc).await,
            b"-N" => dry = true,
            b"-T" => title = false,
            b"-V" => verbose = true,
            b"-t" => kind = words.next(),
            b"-A" | b"-R" | b"-M" | b"-P" | b"-l" | b"-s" | b"-C" => {}
            option if option.starts_with(b"-") => rest.push(word),
            _ => paths.push(word),
        }
    }
    if title {
        super::put(proc, "fsck from util-linux 2.38.1\n").await;
    }
    if paths.is_empty() {
        if verbose {
            super::put(proc, "Checking all file systems.\n").await;
        }
        let root = proc
            .mounts()
            .into_iter()
            .find(|mount| &*mount.target == b"/");
        paths.extend(root.map(|mount| mount.source.to_vec()));
    }
    let mut status = ExitStatus::SUCCESS;
    for path in paths {
        let mount = proc
            .mounts()
            .into_iter()
            .find(|mount| &*mount.source == path.as_slice() || &*mount.target == path.as_slice());
        let known = mount.as_ref().map(|mount| mount.fs_type.to_vec());
        let kind = kind.clone().or(known).unwrap_or_else(|| b"ext2".to_vec());
        let source = mount.map_or(path, |mount| mount.source.to_vec());
        let name = [b"fsck.".as_slice(), &kind].concat();
        let mut args = vec![name.clone()];
        args.extend(rest.iter().cloned());
        args.push(source.clone());
        if dry {
            let shown = args.join(&b' ');
            let line = [
                b"[/usr/sbin/".as_slice(),
                &name,
                b" (1) -- ",
                &source,
                b"] ",
                &shown,
                b"\n",
            ];
            super::put(proc, line.concat()).await;
            continue;
        }
        let _flushed = proc.flush().await;
        match run_helper(proc, &name, args).await {
            Some(ended) => {
                if ended != ExitStatus::SUCCESS {
                    status = ended;
                }
            }
            None => {
                let text = [
                    b"error 2 (".as_slice(),
                    Errno::Enoent.message().as_bytes(),
                    b") while executing ",
                    &name,
                    b" for ",
                    &source,
                ];
                proc.complain_text(text.concat()).await;
                status = ExitStatus::Exited(OPERATIONAL);
            }
        }
    }
    status
}

pub(super) async fn mkfs(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new(
        "-Vt:h",
        &[
            ("type", Arity::Required, "t"),
            ("verbose", Arity::No, "v"),
            ("help", Arity::No, "h"),
            ("version", Arity::No, "version"),
        ],
    );
    let args: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    let (mut kind, mut rest) = (b"ext2".to_vec(), Vec::new());
    let mut words = args.into_iter();
    while let Some(word) = words.next() {
        match word.as_slice() {
            b"-h" | b"--help" => return super::help(proc, "mkfs").await,
            b"--version" => return super::version(proc).await,
            b"-V" | b"--verbose" => {}
            b"-t" | b"--type" => match words.next() {
                Some(name) => kind = name,
                None => {
                    let error = Getopt::of(&SPEC, vec![b"-t".to_vec()]).next();
                    return match error {
                        Some(Err(error)) => super::refuse(proc, &error).await,
                        _ => proc.status(),
                    };
                }
            },
            option if option.starts_with(b"--type=") => {
                kind = option.get(7..).unwrap_or_default().to_vec();
            }
            _ => rest.push(word),
        }
    }
    if rest.is_empty() {
        return super::refuse_text(proc, "no device specified").await;
    }
    let name = [b"mkfs.".as_slice(), &kind].concat();
    let errno = match command::search(proc, &name) {
        Ok(path) => {
            let mut args = vec![name.clone()];
            args.extend(rest);
            let env = proc.env().clone();
            proc.exec(&path, args, env).await
        }
        Err(errno) => errno,
    };
    super::cannot(proc, "failed to execute", &name, errno).await
}

/// `mkfs.minix`, `mkfs.bfs`, `mkfs.cramfs`, `fsck.minix`, `fsck.cramfs`: nothing here has such a
/// filesystem.
pub(super) async fn small_mkfs(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new(
        "hV",
        &[("help", Arity::No, "h"), ("version", Arity::No, "V")],
    );
    let name = String::from_utf8_lossy(proc.base_name()).into_owned();
    let path = proc
        .args()
        .iter()
        .skip(1)
        .find(|word| !word.starts_with(b"-"))
        .cloned();
    let Some(path) = path else {
        let line = match super::line(proc, &name, &SPEC).await {
            Ok(line) => line,
            Err(status) => return status,
        };
        let text = if line.operands.is_empty() && name == "mkfs.cramfs" {
            "bad usage"
        } else {
            "no device specified"
        };
        return super::refuse_text(proc, text).await;
    };
    match look(proc, &path) {
        Err(errno) if name.starts_with("fsck") || name == "mkfs.bfs" => {
            let subject = [b"cannot open ".as_slice(), &path].concat();
            proc.complain(&subject, errno).await;
        }
        Err(errno) => {
            let subject = [b"stat of ".as_slice(), &path, b" failed"].concat();
            proc.complain(&subject, errno).await;
        }
        Ok(_) if is_mounted(proc, &path) => {
            let text = [
                path.as_slice(),
                b" is mounted; will not make a filesystem here!",
            ];
            proc.complain_text(text.concat()).await;
        }
        Ok(_) => {
            let subject = [b"cannot open ".as_slice(), &path].concat();
            proc.complain(&subject, Errno::Ebusy).await;
        }
    }
    ExitStatus::FAILURE
}

pub(super) async fn fsfreeze(proc: &mut Process) -> ExitStatus {
    let line = match super::line(proc, "fsfreeze", &spec::FSFREEZE).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    if !line.has("f") && !line.has("u") {
        return super::fail(proc, "neither --freeze or --unfreeze specified").await;
    }
    let Some(path) = line.operands.first() else {
        return super::fail(proc, "no filename specified").await;
    };
    match proc.stat(path) {
        Err(errno) => super::cannot(proc, "cannot open", path, errno).await,
        Ok(metadata) if !metadata.is_dir() => {
            super::fail(proc, [path.as_slice(), b": is not a directory"].concat()).await
        }
        Ok(_) => {
            let root = proc.credentials().uid == 0;
            let (what, errno) = match (line.has("f"), root) {
                (true, true) => (b": freeze failed".as_slice(), Errno::Eopnotsupp),
                (true, false) => (b": freeze failed".as_slice(), Errno::Eperm),
                (false, true) => (b": unfreeze failed".as_slice(), Errno::Einval),
                (false, false) => (b": unfreeze failed".as_slice(), Errno::Eperm),
            };
            proc.complain(&[path.as_slice(), what].concat(), errno)
                .await;
            ExitStatus::FAILURE
        }
    }
}

pub(super) async fn fstrim(proc: &mut Process) -> ExitStatus {
    let line = match super::line(proc, "fstrim", &spec::FSTRIM).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    if line.has("a") || line.has("A") || line.has("I") {
        return proc.status();
    }
    let Some(path) = line.operands.first() else {
        return super::fail(proc, "no mountpoint specified").await;
    };
    let subject = match proc.stat(path) {
        Err(errno) => {
            let subject = [b"stat of ".as_slice(), path, b" failed"].concat();
            proc.complain(&subject, errno).await;
            return ExitStatus::FAILURE;
        }
        Ok(metadata) if !metadata.is_dir() => [path.as_slice(), b": not a directory"].concat(),
        Ok(_) => [path.as_slice(), b": the discard operation is not supported"].concat(),
    };
    super::fail(proc, subject).await
}
