//! `dpkg-deb`, `dpkg-divert`, `dpkg-statoverride`, `dpkg-split`, `dpkg-trigger` of dpkg 1.21.23.

use sundew_kernel::{Errno, ExitStatus, Process};
use sundew_posix::escape::single_quoted;

use super::cli;
use crate::users::Directory;

const FAILED: u8 = 2;
const DIVERSIONS: &[u8] = b"/var/lib/dpkg/diversions";
const OVERRIDES: &[u8] = b"/var/lib/dpkg/statoverride";
/// What every archive of a package begins with.
const ARCHIVE: &[u8] = b"!<arch>\n";

/// `NAME: error: TEXT`; status 2.
async fn error(proc: &mut Process, name: &str, text: &str) -> ExitStatus {
    super::fail(proc, format!("{name}: error: {text}\n"), FAILED).await
}

/// The same, with the pointer to `--help`.
async fn refuse(proc: &mut Process, name: &str, text: &str) -> ExitStatus {
    let usage = cli::section(&format!("{name} usage"));
    super::fail(proc, format!("{name}: error: {text}\n{usage}"), FAILED).await
}

fn words(proc: &Process) -> Vec<String> {
    proc.args()
        .iter()
        .skip(1)
        .map(|word| super::text(word))
        .collect()
}

/// Answers `--help` and `--version`.
async fn about(proc: &mut Process, name: &str, words: &[String]) -> Option<ExitStatus> {
    for word in words {
        match word.as_str() {
            "--help" | "-?" => return Some(super::put(proc, cli::section(name)).await),
            "--version" => {
                let text = cli::section(&format!("{name} version"));
                return Some(super::put(proc, text).await);
            }
            _ => {}
        }
    }
    None
}

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
pub(super) async fn deb(proc: &mut Process) -> ExitStatus {
    const NAME: &str = "dpkg-deb";
    const ACTIONS: &[(&str, &str)] = &[
        ("-b", "build"),
        ("--build", "build"),
        ("-c", "contents"),
        ("--contents", "contents"),
        ("-e", "control"),
        ("--control", "control"),
        ("-f", "field"),
        ("--field", "field"),
        ("-I", "info"),
        ("--info", "info"),
        ("-R", "raw-extract"),
        ("--raw-extract", "raw-extract"),
        ("-W", "show"),
        ("--show", "show"),
        ("-x", "extract"),
        ("--extract", "extract"),
        ("-X", "vextract"),
        ("--vextract", "vextract"),
        ("--ctrl-tarfile", "ctrl-tarfile"),
        ("--fsys-tarfile", "fsys-tarfile"),
    ];
    let words = words(proc);
    if let Some(status) = about(proc, NAME, &words).await {
        return status;
    }
    let (mut action, mut operands) = (None, Vec::new());
    for word in &words {
        if let Some(row) = ACTIONS.iter().find(|row| row.0 == word) {
            if let Some(earlier) = action.filter(|earlier| *earlier != row.1) {
                let text = format!("conflicting actions --{} and --{earlier}", row.1);
                return refuse(proc, NAME, &text).await;
            }
            action = Some(row.1);
        } else if word.starts_with('-') && word.len() > 1 {
            let known = [
                "-v",
                "-D",
                "-Z",
                "-z",
                "-S",
                "--nocheck",
                "--verbose",
                "--debug",
                "--root-owner-group",
                "--showformat",
                "--uniform-compression",
                "--no-uniform-compression",
                "--deb-format",
                "--threads-max",
            ];
            if !known.iter().any(|known| word.starts_with(known)) {
                let text = if word.starts_with("--") {
                    format!("unknown option {word}")
                } else {
                    format!("unknown option {}", word.get(..2).unwrap_or(word))
                };
                return refuse(proc, NAME, &text).await;
            }
        } else {
            operands.push(word.clone());
        }
    }
    let Some(action) = action else {
        return refuse(proc, NAME, "need an action option").await;
    };
    let Some(path) = operands.first() else {
        let text = match action {
            "build" => "--build needs a <directory> argument".to_owned(),
            "extract" | "vextract" | "raw-extract" => {
                format!("--{action} needs .deb filename and directory arguments")
            }
            "contents" => "--contents takes exactly one argument".to_owned(),
            action => format!("--{action} needs a .deb filename argument"),
        };
        return refuse(proc, NAME, &text).await;
    };
    if action == "build" {
        let control = format!("{path}/DEBIAN/control");
        let reason = proc.stat(control.as_bytes()).err();
        let text = match reason {
            Some(errno) => format!(
                "failed to open package info file '{control}' for reading: {}",
                errno.message()
            ),
            None => format!("parsing file '{control}' near line 1:\n missing 'package' field"),
        };
        return error(proc, NAME, &text).await;
    }
    if action == "extract" && operands.len() < 2 {
        let text =
            "--extract needs a target directory.\nPerhaps you should be using dpkg --install ?";
        return refuse(proc, NAME, text).await;
    }
    let bytes = match super::read(proc, path.as_bytes()).await {
        Ok(bytes) => bytes,
        Err(errno) => {
            let text = format!("failed to read archive '{path}': {}", errno.message());
            return error(proc, NAME, &text).await;
        }
    };
    if !bytes.starts_with(ARCHIVE) {
        let text = if bytes.is_empty() {
            format!("unexpected end of file in version number in {path}")
        } else {
            format!("'{path}' is not a Debian format archive")
        };
        return error(proc, NAME, &text).await;
    }
    unpack(proc, action, path, &bytes, &operands).await
}

/// A member of an `ar` archive: name and bytes.
fn members(bytes: &[u8]) -> Vec<(String, &[u8])> {
    const HEAD: usize = 60;
    let mut found = Vec::new();
    let mut at = ARCHIVE.len();
    while let Some(head) = bytes.get(at..at + HEAD) {
        let field =
            |start: usize, end: usize| super::text(head.get(start..end).unwrap_or_default());
        let Ok(size) = field(48, 58).trim().parse::<usize>() else {
            break;
        };
        let name = field(0, 16).trim().trim_end_matches('/').to_owned();
        let start = at + HEAD;
        let Some(content) = start
            .checked_add(size)
            .and_then(|end| bytes.get(start..end))
        else {
            break;
        };
        found.push((name, content));
        at = start + size + size % 2;
    }
    found
}

/// Hands the archive inside to tar.
async fn unpack(
    proc: &mut Process,
    action: &str,
    path: &str,
    bytes: &[u8],
    operands: &[String],
) -> ExitStatus {
    let members = members(bytes);
    let wanted = match action {
        "contents" | "extract" | "vextract" | "fsys-tarfile" => "data.tar",
        _ => "control.tar",
    };
    let Some((name, content)) = members.iter().find(|member| member.0.starts_with(wanted)) else {
        let text = format!(
            "archive '{path}' has premature member '{}' before '{wanted}', giving up",
            members.first().map_or("", |member| member.0.as_str())
        );
        return error(proc, "dpkg-deb", &text).await;
    };
    let packer = if name.ends_with(".xz") {
        "xz -dc"
    } else if name.ends_with(".gz") {
        "gzip -dc"
    } else if name.ends_with(".bz2") {
        "bzip2 -dc"
    } else if name.ends_with(".zst") {
        let text =
            format!("archive '{path}' uses unknown compression for member '{name}', giving up");
        return error(proc, "dpkg-deb", &text).await;
    } else {
        "cat"
    };
    let quoted = |word: &str| String::from_utf8_lossy(&single_quoted(word.as_bytes())).into_owned();
    let target = operands.get(1).cloned();
    let script = match action {
        "contents" => format!("{packer} | tar -tvf -"),
        "fsys-tarfile" | "ctrl-tarfile" => packer.to_owned(),
        "extract" | "vextract" => {
            let directory = quoted(&target.unwrap_or_else(|| ".".into()));
            let verbose = if action == "vextract" { "v" } else { "" };
            format!("mkdir -p {directory} && {packer} | tar -x{verbose}pf - -C {directory}")
        }
        "control" => {
            let directory = quoted(&target.unwrap_or_else(|| "DEBIAN".into()));
            format!("mkdir -p {directory} && {packer} | tar -xpf - -C {directory}")
        }
        _ => format!("{packer} | tar -xOf - ./control"),
    };
    let content = content.to_vec();
    let Ok((from, to)) = proc.pipe() else {
        return ExitStatus::Exited(FAILED);
    };
    let started = proc.fork(move |mut child| {
        Box::pin(async move {
            let _moved = child.duplicate_to(from, 0);
            let _close = (child.close(from), child.close(to));
            let args = vec![b"sh".to_vec(), b"-c".to_vec(), script.into_bytes()];
            let env = child.env().clone();
            let errno = child.exec(b"/bin/sh", args, env).await;
            let _unheard = errno;
            ExitStatus::Exited(FAILED)
        })
    });
    let _closed = proc.close(from);
    let _written = proc.write_all(to, &content).await;
    let _closed = proc.close(to);
    match started {
        Ok(pid) => crate::text::shell::wait(proc, pid).await,
        Err(errno) => {
            error(
                proc,
                "dpkg-deb",
                &format!("unable to fork: {}", errno.message()),
            )
            .await
        }
    }
}

/// One diversion: from, to, by whom.
type Diversion = [String; 3];

async fn diversions(proc: &Process) -> Vec<Diversion> {
    let text = super::read(proc, DIVERSIONS).await.unwrap_or_default();
    let text = super::text(&text);
    let lines: Vec<&str> = text.lines().collect();
    let mut found: Vec<Diversion> = lines
        .chunks_exact(3)
        .filter_map(|row| {
            let [from, to, by] = row else { return None };
            if from.is_empty() {
                return None;
            }
            Some([(*from).to_owned(), (*to).to_owned(), (*by).to_owned()])
        })
        .collect();
    if found.is_empty() && proc.read_link(b"/bin/sh").is_ok() {
        // As dash left it when it was installed.
        for (from, to) in [
            (
                "/usr/share/man/man1/sh.1.gz",
                "/usr/share/man/man1/sh.distrib.1.gz",
            ),
            ("/bin/sh", "/bin/sh.distrib"),
        ] {
            found.push([from.into(), to.into(), "dash".into()]);
        }
    }
    found
}

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
pub(super) async fn divert(proc: &mut Process) -> ExitStatus {
    const NAME: &str = "dpkg-divert";
    let words = words(proc);
    if let Some(status) = about(proc, NAME, &words).await {
        return status;
    }
    let (mut mode, mut operands) = ("--add", Vec::new());
    let (mut rename, mut quiet, mut test, mut package, mut target) =
        (None, false, false, None, None);
    let mut given = words.into_iter();
    while let Some(word) = given.next() {
        match word.as_str() {
            "--add" => mode = "--add",
            "--remove" => mode = "--remove",
            "--list" => mode = "--list",
            "--listpackage" => mode = "--listpackage",
            "--truename" => mode = "--truename",
            "--rename" => rename = Some(true),
            "--no-rename" => rename = Some(false),
            "--quiet" => quiet = true,
            "--test" => test = true,
            "--local" => package = Some(":".to_owned()),
            "--package" => package = given.next(),
            "--divert" => target = given.next(),
            "--admindir" | "--instdir" | "--root" => {
                given.next();
            }
            option if option.starts_with("--divert=") => {
                target = option.get(9..).map(str::to_owned)
            }
            option if option.starts_with("--package=") => {
                package = option.get(10..).map(str::to_owned)
            }
            option if option.starts_with('-') => {
                return refuse(proc, NAME, &format!("unknown option {option}")).await;
            }
            _ => operands.push(word),
        }
    }
    let mut all = diversions(proc).await;
    let said = |row: &Diversion| {
        let by = row[2].as_str();
        if by == ":" {
            format!("local diversion of {} to {}", row[0], row[1])
        } else {
            format!("diversion of {} to {} by {by}", row[0], row[1])
        }
    };
    if mode == "--list" {
        let fits = |row: &Diversion| {
            operands.is_empty()
                || operands.iter().any(|pattern| {
                    let pattern = sundew_posix::pattern::Pattern::from_bytes(
                        pattern.as_bytes(),
                        sundew_posix::pattern::Options::default(),
                    );
                    row.iter().any(|field| pattern.matches(field.as_bytes()))
                })
        };
        let rows = all.iter().filter(|row| fits(row));
        let out: String = rows.map(|row| said(row) + "\n").collect();
        return super::put(proc, out).await;
    }
    if rename.is_none() && matches!(mode, "--add" | "--remove") {
        let text = "dpkg-divert: warning: please specify --no-rename explicitly, the default will change to --rename in 1.20.x\n";
        proc.print_error(text.as_bytes()).await;
    }
    let [file] = operands.as_slice() else {
        return refuse(proc, NAME, &format!("{mode} needs a single argument")).await;
    };
    if matches!(mode, "--add" | "--remove") && !file.starts_with('/') {
        return refuse(proc, NAME, &format!("filename \"{file}\" is not absolute")).await;
    }
    let known = all
        .iter()
        .position(|row| row[0] == *file || row[1] == *file);
    match mode {
        "--truename" => {
            let row = known
                .and_then(|at| all.get(at))
                .filter(|row| row[0] == *file);
            let name = row.map_or(file, |row| &row[1]);
            return super::put(proc, format!("{name}\n")).await;
        }
        "--listpackage" => {
            let row = known.and_then(|at| all.get(at));
            return match row {
                Some(row) if row[2] == ":" => super::put(proc, "LOCAL\n").await,
                Some(row) => super::put(proc, format!("{}\n", row[2])).await,
                None => proc.status(),
            };
        }
        _ => {}
    }
    let by = package.unwrap_or_else(|| ":".to_owned());
    let (text, moved) = if mode == "--add" {
        let to = target.unwrap_or_else(|| format!("{file}.distrib"));
        let row: Diversion = [file.clone(), to, by];
        if let Some(old) = known.and_then(|at| all.get(at)) {
            let text = if *old == row {
                format!("Leaving '{}'", said(old))
            } else {
                return error(
                    proc,
                    NAME,
                    &format!("'{}' clashes with '{}'", said(&row), said(old)),
                )
                .await;
            };
            return super::put(proc, text + "\n").await;
        }
        let pair = (row[0].clone(), row[1].clone());
        let text = format!("Adding '{}'\n", said(&row));
        all.push(row);
        (text, pair)
    } else {
        let Some(at) = known else {
            let text = format!("No diversion 'any diversion of {file}', none removed.\n");
            return super::put(proc, if quiet { String::new() } else { text }).await;
        };
        let row = all.remove(at);
        (
            format!("Removing '{}'\n", said(&row)),
            (row[1].clone(), row[0].clone()),
        )
    };
    if proc.credentials().uid != 0 {
        let reason = Errno::Eacces.message();
        let text = format!("unable to create new file '/var/lib/dpkg/diversions-new': {reason}");
        return error(proc, NAME, &text).await;
    }
    if !quiet {
        super::put(proc, text).await;
    }
    if test {
        return proc.status();
    }
    if rename == Some(true)
        && proc.lstat(moved.0.as_bytes()).is_ok()
        && let Err(errno) = proc.rename(moved.0.as_bytes(), moved.1.as_bytes())
    {
        let text = format!(
            "rename: cannot rename '{}' to '{}': {}",
            moved.0,
            moved.1,
            errno.message()
        );
        return error(proc, NAME, &text).await;
    }
    let out: String = all.iter().map(|row| row.join("\n") + "\n").collect();
    let _written = super::write(proc, DIVERSIONS, out.as_bytes(), 0o644).await;
    proc.status()
}

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
pub(super) async fn statoverride(proc: &mut Process) -> ExitStatus {
    const NAME: &str = "dpkg-statoverride";
    let words = words(proc);
    if let Some(status) = about(proc, NAME, &words).await {
        return status;
    }
    let (mut mode, mut operands, mut update, mut force) = ("", Vec::new(), false, false);
    for word in words {
        match word.as_str() {
            "--add" => mode = "--add",
            "--remove" => mode = "--remove",
            "--list" => mode = "--list",
            "--update" => update = true,
            "--force" | "--force-all" => force = true,
            "--quiet" => {}
            option
                if option.starts_with("--force-")
                    || option.starts_with("--no-force")
                    || option.starts_with("--admindir")
                    || option.starts_with("--instdir")
                    || option.starts_with("--root") => {}
            option if option.starts_with('-') => {
                return refuse(proc, NAME, &format!("unknown option {option}")).await;
            }
            _ => operands.push(word),
        }
    }
    let text = super::read(proc, OVERRIDES).await.unwrap_or_default();
    let mut rows: Vec<String> = super::text(&text).lines().map(str::to_owned).collect();
    let path_of = |row: &str| row.splitn(4, ' ').nth(3).unwrap_or_default().to_owned();
    match mode {
        "" => refuse(proc, NAME, "need an action option").await,
        "--list" => {
            let shown: Vec<String> = rows
                .into_iter()
                .filter(|row| {
                    operands.is_empty()
                        || operands.iter().any(|pattern| {
                            let pattern = sundew_posix::pattern::Pattern::from_bytes(
                                pattern.as_bytes(),
                                sundew_posix::pattern::Options::default(),
                            );
                            pattern.matches(path_of(row).as_bytes())
                        })
                })
                .collect();
            if shown.is_empty() && !operands.is_empty() {
                return ExitStatus::FAILURE;
            }
            let out: String = shown.iter().map(|row| format!("{row}\n")).collect();
            super::put(proc, out).await
        }
        "--remove" => {
            let [path] = operands.as_slice() else {
                return refuse(proc, NAME, "--remove needs a single argument").await;
            };
            let before = rows.len();
            rows.retain(|row| path_of(row) != *path);
            if rows.len() == before {
                let text = format!("{NAME}: warning: no override present\n");
                return super::fail(proc, text, FAILED).await;
            }
            save(proc, &rows).await
        }
        _ => {
            let [user, group, bits, path] = operands.as_slice() else {
                return refuse(proc, NAME, "--add needs four arguments").await;
            };
            let users = Directory::load(proc).await;
            let Some(owner) = users.user(user.as_bytes()).map(|user| user.uid) else {
                return error(proc, NAME, &format!("user '{user}' does not exist")).await;
            };
            let Some(owner_group) = users.group(group.as_bytes()).map(|group| group.gid) else {
                return error(proc, NAME, &format!("group '{group}' does not exist")).await;
            };
            let Some(mode) = u16::from_str_radix(bits, 8)
                .ok()
                .filter(|mode| *mode <= 0o7777)
            else {
                return error(proc, NAME, &format!("illegal mode {bits}")).await;
            };
            if rows.iter().any(|row| path_of(row) == *path) {
                let text = format!("an override for '{path}' already exists");
                if !force {
                    return error(proc, NAME, &format!("{text}; aborting")).await;
                }
                rows.retain(|row| path_of(row) != *path);
            }
            rows.push(format!("{user} {group} {mode:o} {path}"));
            if update && proc.stat(path.as_bytes()).is_ok() {
                let _owner =
                    proc.change_owner(path.as_bytes(), Some(owner), Some(owner_group), true);
                let _mode = proc.change_mode(path.as_bytes(), mode);
            }
            save(proc, &rows).await
        }
    }
}

async fn save(proc: &mut Process, rows: &[String]) -> ExitStatus {
    let out: String = rows.iter().map(|row| format!("{row}\n")).collect();
    match super::write(proc, OVERRIDES, out.as_bytes(), 0o644).await {
        Ok(()) => proc.status(),
        Err(errno) => {
            let text = format!(
                "unable to create new file '/var/lib/dpkg/statoverride-new': {}",
                errno.message()
            );
            error(proc, "dpkg-statoverride", &text).await
        }
    }
}

pub(super) async fn split(proc: &mut Process) -> ExitStatus {
    const NAME: &str = "dpkg-split";
    let words = words(proc);
    if let Some(status) = about(proc, NAME, &words).await {
        return status;
    }
    let (mut action, mut operands) = (None, Vec::new());
    for word in &words {
        match word.as_str() {
            "-s" | "--split" => action = Some("split"),
            "-j" | "--join" => action = Some("join"),
            "-I" | "--info" => action = Some("info"),
            "-a" | "--auto" => action = Some("auto"),
            "-l" | "--listq" => action = Some("listq"),
            "-d" | "--discard" => action = Some("discard"),
            "-Q" | "--npquiet" | "--msdos" | "-S" | "--partsize" | "-o" | "--output" => {}
            option if option.starts_with('-') && option.len() > 1 => {
                return refuse(proc, NAME, &format!("unknown option {option}")).await;
            }
            _ => operands.push(word.clone()),
        }
    }
    let Some(action) = action else {
        return refuse(proc, NAME, "need an action option").await;
    };
    match (action, operands.first()) {
        ("listq", _) => {
            super::put(proc, "Junk files left around in the depot directory:\n <none>\n\nPackages not yet reassembled:\n <none>\n").await
        }
        ("discard", _) => proc.status(),
        (_, None) => {
            let text = match action {
                "split" => "--split needs a source filename argument".to_owned(),
                "auto" => "--auto requires the use of the --output option".to_owned(),
                action => format!("--{action} requires one or more part file arguments"),
            };
            refuse(proc, NAME, &text).await
        }
        (_, Some(path)) => {
            let text = match super::read(proc, path.as_bytes()).await {
                Err(errno) => {
                    let what = if action == "split" { "unable to open source file" } else { "cannot open archive part file" };
                    format!("{what} '{path}': {}", errno.message())
                }
                Ok(_) if action == "split" => {
                    format!("unable to parse control file of '{path}'")
                }
                Ok(_) if action == "info" => {
                    return super::put(proc, format!("file '{path}' is not an archive part\n")).await;
                }
                Ok(_) => format!("file '{path}' is not an archive part"),
            };
            error(proc, NAME, &text).await
        }
    }
}

pub(super) async fn trigger(proc: &mut Process) -> ExitStatus {
    const NAME: &str = "dpkg-trigger";
    let words = words(proc);
    if let Some(status) = about(proc, NAME, &words).await {
        return status;
    }
    let (mut operands, mut package) = (Vec::new(), false);
    for word in &words {
        match word.as_str() {
            "--check-supported" => return proc.status(),
            "--await" | "--no-await" | "--no-act" => {}
            option if option.starts_with("--by-package") => package = true,
            option if option.starts_with("--admindir") || option.starts_with("--root") => {}
            option if option.starts_with('-') => {
                return refuse(proc, NAME, &format!("unknown option {option}")).await;
            }
            _ => operands.push(word.clone()),
        }
    }
    if operands.len() != 1 {
        return refuse(proc, NAME, "takes one argument, the trigger name").await;
    }
    if !package && proc.env().value(b"DPKG_MAINTSCRIPT_PACKAGE").is_none() {
        let text = "must be called from a maintainer script (or with a --by-package option)";
        return refuse(proc, NAME, text).await;
    }
    proc.status()
}

#[cfg(test)]
mod tests {
    use super::members;

    #[test]
    fn an_archive_has_members() {
        let head = |name: &str, size: usize| {
            format!(
                "{name:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`\n",
                0, 0, 0, 100_644
            )
        };
        let bytes = format!(
            "!<arch>\n{}2.0\n{}abc\n",
            head("debian-binary", 4),
            head("data.tar.xz/", 3)
        );
        let found = members(bytes.as_bytes());
        assert_eq!(found.len(), 2);
        assert_eq!(found[1], ("data.tar.xz".to_owned(), b"abc".as_slice()));
        assert!(members(b"!<arch>\nshort").is_empty());
    }
}
