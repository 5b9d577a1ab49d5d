//! `logger`, `mesg`, `wall`, `whereis`, `namei`, `fallocate`: small things of util-linux and bsdutils.

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::journal::facility;
use sundew_kernel::{Errno, ExitStatus, Process, STDERR, STDIN, STDOUT};

use crate::getopt::{Arity, Getopt, Spec};
use crate::mode;
use crate::users::Directory;

/// `logger`: a line for the journal, with `-s` also shown.
pub(crate) async fn logger(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new(
        "+ef:ihn:P:p:sS:t:Tu:dV",
        &[
            ("file", Arity::Required, "f"),
            ("help", Arity::No, "h"),
            ("id", Arity::Optional, "i"),
            ("priority", Arity::Required, "p"),
            ("stderr", Arity::No, "s"),
            ("tag", Arity::Required, "t"),
            ("version", Arity::No, "V"),
        ],
    );
    let (mut show, mut tag) = (
        false,
        proc.env().value(b"LOGNAME").unwrap_or(b"root").to_vec(),
    );
    let (mut facility, mut level, mut file) = (facility::USER, 5, None);
    let mut getopt = Getopt::new(&SPEC, proc.args());
    while let Some(option) = getopt.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("s", _)) => show = true,
            Ok(("t", value)) => tag = value,
            Ok(("f", value)) => file = Some(value),
            Ok(("p", value)) => match priority(&value) {
                Ok(known) => (facility, level) = known,
                Err(what) => {
                    let text = format!("unknown {what} name: ");
                    proc.complain_text([text.as_bytes(), &value].concat()).await;
                    return ExitStatus::FAILURE;
                }
            },
            Ok(("h", _)) => return super::help(proc, "logger").await,
            Ok(("V", _)) => return super::version(proc).await,
            Ok(_) => {}
            Err(error) => return super::refuse(proc, &error).await,
        }
    }
    let words = getopt.operands();
    let lines = if let Some(path) = file {
        match crate::text::input::read_all(proc, &path).await {
            Ok((text, _memory)) => crate::package::lines(&text),
            Err(errno) => {
                proc.complain(&[b"file ".as_slice(), &path].concat(), errno)
                    .await;
                return ExitStatus::FAILURE;
            }
        }
    } else if words.is_empty() {
        let text = proc
            .read_to_end(STDIN)
            .await
            .map(|(text, _memory)| text)
            .unwrap_or_default();
        crate::package::lines(&text)
    } else {
        vec![words.join(b" ".as_slice())]
    };
    for line in lines.iter().filter(|line| !line.is_empty()) {
        proc.tick().await;
        proc.log(facility, level, &tag, line.clone());
    }
    if show {
        let now = crate::time::Shown::new(proc.now(), &crate::time::Zone::of(proc).await)
            .format(b"%b %e %H:%M:%S");
        let mark = format!("<{}>", u16::from(facility) * 8 + u16::from(level));
        for line in lines {
            let text = [mark.as_bytes(), &now, b" ", &tag, b": ", &line, b"\n"].concat();
            proc.print_error(&text).await;
        }
    }
    proc.status()
}

/// `auth.info`, `err`, `local0.notice`: facility and level; or which of the two is unknown.
fn priority(text: &[u8]) -> Result<(u8, u8), &'static str> {
    const LEVELS: [&str; 8] = [
        "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug",
    ];
    const FACILITIES: [&str; 24] = [
        "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron",
        "authpriv", "ftp", "", "", "", "", "local0", "local1", "local2", "local3", "local4",
        "local5", "local6", "local7",
    ];
    let text = String::from_utf8_lossy(text).to_ascii_lowercase();
    let place = |names: &[&str], name: &str| {
        let name = match name {
            "warn" => "warning",
            "error" => "err",
            "panic" => "emerg",
            "security" => "auth",
            name => name,
        };
        let at = names
            .iter()
            .position(|known| *known == name && !name.is_empty());
        at.and_then(|at| u8::try_from(at).ok())
    };
    let (facility, level) = text.split_once('.').unwrap_or(("user", text.as_str()));
    let facility = place(&FACILITIES, facility).ok_or("facility")?;
    // The kernel's own facility is nobody else's.
    let facility = facility.max(facility::USER);
    Ok((facility, place(&LEVELS, level).ok_or("priority")?))
}

pub(crate) async fn mesg(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new(
        "vVh",
        &[
            ("verbose", Arity::No, "v"),
            ("help", Arity::No, "h"),
            ("version", Arity::No, "V"),
        ],
    );
    let mut getopt = Getopt::new(&SPEC, proc.args());
    while let Some(option) = getopt.next() {
        match option.map(|option| option.key) {
            Ok("h") => return super::help(proc, "mesg").await,
            Ok("V") => return super::version(proc).await,
            Ok(_) => {}
            Err(error) => return super::refuse(proc, &error).await,
        }
    }
    // Without a terminal there is nothing to say, and nobody to say it to.
    let Some(path) = [STDIN, STDOUT, STDERR]
        .into_iter()
        .find_map(|fd| proc.terminal_path(fd).ok())
    else {
        return ExitStatus::Exited(2);
    };
    const GROUP_WRITE: u16 = 0o020;
    let mode = proc.stat(&path).map_or(0, |metadata| metadata.mode);
    let words = getopt.operands();
    let wanted = match words.first().map(Vec::as_slice) {
        None => {
            let on = mode & GROUP_WRITE != 0;
            let _reported_at_exit = proc.print(if on { b"is y\n" } else { b"is n\n" }).await;
            return ExitStatus::Exited(u8::from(!on));
        }
        Some(b"y") => true,
        Some(b"n") => false,
        Some(word) => {
            proc.complain_text([b"invalid argument: ", word].concat())
                .await;
            return ExitStatus::Exited(2);
        }
    };
    let mode = if wanted {
        mode | GROUP_WRITE
    } else {
        mode & !GROUP_WRITE
    };
    if let Err(errno) = proc.change_mode(&path, mode & 0o7777) {
        let text = [
            b"change ",
            path.as_slice(),
            b" mode failed: ",
            errno.message().as_bytes(),
        ]
        .concat();
        proc.complain_text(text).await;
        return ExitStatus::Exited(2);
    }
    ExitStatus::Exited(u8::from(!wanted))
}

/// `wall`: nobody else is logged in whose terminal could be written to.
pub(crate) async fn wall(proc: &mut Process) -> ExitStatus {
    if proc.args().len() == 1 {
        let _nobody_reads_it = proc.read_to_end(STDIN).await;
    }
    ExitStatus::SUCCESS
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each option, in one place"
)]
pub(crate) async fn whereis(proc: &mut Process) -> ExitStatus {
    const BINARIES: [&str; 7] = [
        "/usr/bin",
        "/usr/sbin",
        "/usr/lib",
        "/etc",
        "/usr/games",
        "/usr/local/bin",
        "/usr/local/sbin",
    ];
    const MANUALS: &str = "/usr/share/man";
    let mut words = proc.args().iter().skip(1).cloned().collect::<Vec<_>>();
    if words.is_empty() {
        proc.complain_text("not enough arguments").await;
        return crate::getopt::try_help(proc, 1).await;
    }
    words.reverse();
    let (mut binaries, mut manuals) = (true, true);
    let mut places: Vec<Vec<u8>> = BINARIES
        .iter()
        .map(|name| name.as_bytes().to_vec())
        .collect();
    let mut pages: Vec<Vec<u8>> = (1..=9)
        .map(|section| format!("{MANUALS}/man{section}").into_bytes())
        .collect();
    // Whether names stood before: options behind them begin anew.
    let (mut named, mut chosen) = (false, false);
    while let Some(word) = words.pop() {
        let Some(letters) = word.strip_prefix(b"-") else {
            named = true;
            if !locate(proc, &word, (binaries, &places), (manuals, &pages)).await {
                break;
            }
            continue;
        };
        match letters {
            b"-help" => return super::help(proc, "whereis").await,
            b"-version" => return super::version(proc).await,
            _ => {}
        }
        if letters.is_empty() {
            return super::bad_usage(proc).await;
        }
        if named {
            (named, chosen) = (false, false);
            (binaries, manuals) = (true, true);
        }
        for letter in letters {
            match letter {
                b'h' => return super::help(proc, "whereis").await,
                b'V' => return super::version(proc).await,
                b'b' | b'm' | b's' => {
                    if !chosen {
                        (binaries, manuals, chosen) = (false, false, true);
                    }
                    binaries |= *letter == b'b';
                    manuals |= *letter == b'm';
                }
                b'u' | b'f' => {}
                b'l' => {
                    let lines = places.iter().map(|place| (b"bin: ".as_slice(), place));
                    let lines = lines.chain(pages.iter().map(|page| (b"man: ".as_slice(), page)));
                    let lines: Vec<u8> = lines
                        .filter(|(_, path)| proc.stat(path).is_ok())
                        .flat_map(|(kind, path)| [kind, path, b"\n"].concat())
                        .collect();
                    if proc.print(&lines).await.is_err() {
                        return proc.status();
                    }
                }
                b'B' | b'M' | b'S' => {
                    let mut given = Vec::new();
                    loop {
                        match words.pop() {
                            Some(word) if word == b"-f" => break,
                            Some(word) if !word.starts_with(b"-") => given.push(word),
                            other => {
                                words.extend(other);
                                return super::fail(proc, "option -f is missing").await;
                            }
                        }
                    }
                    match letter {
                        b'B' => places = resolved(proc, given),
                        b'M' => pages = resolved(proc, given),
                        _ => {}
                    }
                }
                _ => return super::bad_usage(proc).await,
            }
        }
    }
    proc.status()
}

/// Directories without links in their paths, as names are shown below them.
fn resolved(proc: &Process, given: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let whole = |path: Vec<u8>| proc.real_path(&path).unwrap_or(path);
    given.into_iter().map(whole).collect()
}

/// Prints what is found of one name; false when nobody reads it.
async fn locate(
    proc: &mut Process,
    name: &[u8],
    (binaries, places): (bool, &[Vec<u8>]),
    (manuals, pages): (bool, &[Vec<u8>]),
) -> bool {
    let base = name
        .rsplit(|&byte| byte == b'/')
        .next()
        .unwrap_or(name)
        .to_vec();
    let mut out = [base.as_slice(), b":"].concat();
    for place in places.iter().filter(|_| binaries) {
        found_in(proc, place, &base, false, &mut out).await;
    }
    for page in pages.iter().filter(|_| manuals) {
        found_in(proc, page, &base, true, &mut out).await;
    }
    out.push(b'\n');
    proc.print(&out).await.is_ok()
}

/// Adds the files of a directory with this name; for manual pages whatever follows a dot.
async fn found_in(proc: &Process, directory: &[u8], name: &[u8], manual: bool, out: &mut Vec<u8>) {
    proc.tick().await;
    for entry in proc.read_directory(directory).unwrap_or_default() {
        let stem = entry.name.strip_prefix(name);
        let matches =
            stem.is_some_and(|rest| rest.is_empty() || (manual && rest.starts_with(b".")));
        if matches {
            out.push(b' ');
            out.extend_from_slice(directory);
            out.push(b'/');
            out.extend_from_slice(&entry.name);
        }
    }
}

pub(crate) async fn namei(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new(
        "hVlmnovx",
        &[
            ("help", Arity::No, "h"),
            ("version", Arity::No, "V"),
            ("long", Arity::No, "l"),
            ("modes", Arity::No, "m"),
            ("owners", Arity::No, "o"),
            ("nosymlinks", Arity::No, "n"),
            ("vertical", Arity::No, "v"),
            ("mountpoints", Arity::No, "x"),
        ],
    );
    let (mut modes, mut owners) = (false, false);
    let mut getopt = Getopt::new(&SPEC, proc.args());
    while let Some(option) = getopt.next() {
        match option.map(|option| option.key) {
            Ok("l") => (modes, owners) = (true, true),
            Ok("m") => modes = true,
            Ok("o") => owners = true,
            Ok("h") => return super::help(proc, "namei").await,
            Ok("V") => return super::version(proc).await,
            Ok(_) => {}
            Err(error) => return super::refuse(proc, &error).await,
        }
    }
    let directory = Directory::load(proc).await;
    let paths = getopt.operands();
    if paths.is_empty() {
        proc.complain_text("pathname argument is missing").await;
        return crate::getopt::try_help(proc, 1).await;
    }
    for path in &paths {
        let mut out = [b"f: ", path.as_slice(), b"\n"].concat();
        let mut walk = Walk {
            proc,
            directory: &directory,
            modes,
            owners,
            left: 40,
            out: Vec::new(),
            failed: false,
        };
        walk.walk(b"", path, 0);
        let failed = walk.failed;
        out.extend(walk.out);
        if failed {
            proc.set_status(1);
        }
        if proc.print(&out).await.is_err() {
            break;
        }
    }
    proc.status()
}

struct Walk<'a> {
    proc: &'a Process,
    directory: &'a Directory,
    modes: bool,
    owners: bool,
    /// Links that may still be followed.
    left: u32,
    out: Vec<u8>,
    failed: bool,
}

impl Walk<'_> {
    fn walk(&mut self, base: &[u8], path: &[u8], depth: usize) {
        let mut at = base.to_vec();
        if path.starts_with(b"/") {
            at = b"/".to_vec();
            self.show(b"/", b"/", depth);
        }
        for name in path
            .split(|&byte| byte == b'/')
            .filter(|name| !name.is_empty())
        {
            let next = if at.is_empty() || at.ends_with(b"/") {
                [at.as_slice(), name].concat()
            } else {
                [at.as_slice(), b"/", name].concat()
            };
            if !self.show(&next, name, depth) {
                return;
            }
            if let Ok(target) = self.proc.read_link(&next)
                && self.left > 0
            {
                self.left -= 1;
                let base = at.clone();
                self.walk(&base, &target, depth + 1);
            }
            at = next;
        }
    }

    /// One line; whether there is such a file.
    fn show(&mut self, path: &[u8], name: &[u8], depth: usize) -> bool {
        let indent = "  ".repeat(depth);
        match self.proc.lstat(path) {
            Ok(metadata) => {
                let letters = mode::letters(&metadata);
                let mut line = if self.modes {
                    letters
                } else {
                    format!(" {indent}{}", &letters[..1])
                };
                if self.owners {
                    let user = String::from_utf8_lossy(&self.directory.user_text(metadata.uid))
                        .into_owned();
                    let group = String::from_utf8_lossy(&self.directory.group_text(metadata.gid))
                        .into_owned();
                    line.push_str(&format!(" {user:<4} {group:<4}"));
                }
                if self.modes {
                    line.push_str(&indent);
                }
                self.out.extend([line.as_bytes(), b" ", name].concat());
                if let Ok(target) = self.proc.read_link(path) {
                    self.out.extend([b" -> ", target.as_slice()].concat());
                }
                self.out.push(b'\n');
                true
            }
            Err(errno) => {
                let blank = if self.modes {
                    " ".repeat(10)
                } else {
                    "  ".to_owned()
                };
                let text = [
                    indent.as_bytes(),
                    blank.as_bytes(),
                    b" ",
                    name,
                    b" - ",
                    errno.message().as_bytes(),
                    b"\n",
                ];
                self.out.extend(text.concat());
                self.failed = true;
                false
            }
        }
    }
}

pub(crate) async fn fallocate(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new(
        "hvVncpdizxl:o:",
        &[
            ("help", Arity::No, "h"),
            ("version", Arity::No, "V"),
            ("keep-size", Arity::No, "n"),
            ("length", Arity::Required, "l"),
            ("offset", Arity::Required, "o"),
            ("posix", Arity::No, "x"),
        ],
    );
    let (mut length, mut offset, mut keep) = (None, 0, false);
    let mut getopt = Getopt::new(&SPEC, proc.args());
    while let Some(option) = getopt.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("l", value)) => match super::size_of(&value) {
                Some(size) => length = Some(size),
                None => {
                    proc.complain_text("invalid length").await;
                    return ExitStatus::FAILURE;
                }
            },
            Ok(("o", value)) => offset = super::size_of(&value).unwrap_or(0),
            Ok(("n", _)) => keep = true,
            Ok(("h", _)) => return super::help(proc, "fallocate").await,
            Ok(("V", _)) => return super::version(proc).await,
            Ok(_) => {}
            Err(error) => return super::refuse(proc, &error).await,
        }
    }
    let operands = getopt.operands();
    let Some(path) = operands.first() else {
        proc.complain_text("no filename specified").await;
        return ExitStatus::FAILURE;
    };
    let Some(length) = length else {
        proc.complain_text("no length argument specified").await;
        return ExitStatus::FAILURE;
    };
    let flags = OpenFlags {
        read: true,
        write: true,
        create: true,
        ..OpenFlags::READ
    };
    let result: Result<(), (&[u8], Errno)> = match proc.open(path, flags, 0o666).await {
        Ok(fd) => {
            let end = offset.saturating_add(length);
            let size = proc.fstat(fd).map_or(0, |metadata| metadata.size);
            let result = if keep || size >= end {
                Ok(())
            } else {
                proc.truncate(fd, end)
                    .map_err(|errno| (b"fallocate failed".as_slice(), errno))
            };
            let _open = proc.close(fd);
            result
        }
        Err(errno) => Err((b"cannot open".as_slice(), errno)),
    };
    if let Err((what, errno)) = result {
        let subject = if what == b"cannot open" {
            [what, b" ", path].concat()
        } else {
            what.to_vec()
        };
        proc.complain(&subject, errno).await;
    }
    proc.status()
}
