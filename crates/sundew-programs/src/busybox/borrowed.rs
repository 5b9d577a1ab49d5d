//! Applets that are programs of their own on this machine.

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::process::WaitFor;
use sundew_kernel::status::ChildEvent;
use sundew_kernel::{ExitStatus, Fd, Process, STDERR};

use super::{complain, usage, wording};

/// Bytes of complaints that are read at a time; a longer line is handed on in parts.
const MAX_CHUNK_BYTES: usize = 4096;

/// Options that make a program do what the applet does without any.
const ALWAYS: &[(&str, &[&str])] = &[("egrep", &["-a"]), ("fgrep", &["-a"]), ("grep", &["-a"])];

/// Applets whose program has another name, or takes an option to be them.
const OTHER_NAMES: &[(&str, &str, &[&str])] = &[
    ("awk", "mawk", &[]),
    ("bunzip2", "bzip2", &["-d"]),
    ("bzcat", "bzip2", &["-dc"]),
    ("egrep", "grep", &["-E"]),
    ("fgrep", "grep", &["-F"]),
    ("gunzip", "gzip", &["-d"]),
    ("unxz", "xz", &["-d"]),
    ("xzcat", "xz", &["-dc"]),
    ("zcat", "gzip", &["-dc"]),
];

/// Runs the program that does this applet's work.
pub(super) async fn run(proc: &mut Process, name: &[u8]) -> ExitStatus {
    let mut args = proc.args().to_vec();
    let env = proc.env().clone();
    if matches!(name, b"sh" | b"ash") {
        let errno = proc.exec_program(b"ash", args, env).await;
        return complain(proc, "busybox", errno.message()).await;
    }
    match name {
        b"sysctl" if args.len() == 1 => return ExitStatus::SUCCESS,
        b"nologin" => {
            // Whoever cannot read it needs no complaint about that.
            let _closed = proc.print(b"This account is not available\n").await;
            return ExitStatus::FAILURE;
        }
        b"date" | b"touch" => {
            if let Some(word) = worded_date(&args) {
                let applet = String::from_utf8_lossy(name).into_owned();
                let text = [b"invalid date '".as_slice(), &word, b"'"].concat();
                return complain(proc, &applet, text).await;
            }
        }
        _ => {}
    }
    if let Some(first) = args.first_mut() {
        first.clone_from(&name.to_vec());
    }
    let mut program = name.to_vec();
    if name == b"[[" {
        // The same command with two brackets.
        program = b"[".to_vec();
        args = args
            .into_iter()
            .map(|word| if word == b"]]" { b"]".to_vec() } else { word })
            .collect();
    }
    let other = OTHER_NAMES
        .iter()
        .find(|(applet, ..)| applet.as_bytes() == name);
    if let Some((_, target, options)) = other
        && !proc.has_program(name)
    {
        program = target.as_bytes().to_vec();
        args.splice(
            1..1,
            options.iter().map(|option| option.as_bytes().to_vec()),
        );
    }
    fit(proc, name, &mut args);
    if let Some((_, options)) = ALWAYS.iter().find(|(applet, _)| applet.as_bytes() == name) {
        let options = options.iter().map(|option| option.as_bytes().to_vec());
        args.splice(1..1, options);
    }
    if !proc.has_program(&program) {
        return stand_in(proc, name).await;
    }
    reworded(proc, name, program, args).await
}

/// A date with words in it, which BusyBox does not read.
fn worded_date(args: &[Vec<u8>]) -> Option<Vec<u8>> {
    let mut words = args.iter().skip(1);
    while let Some(word) = words.next() {
        let value = match word.strip_prefix(b"-d") {
            Some(b"") => words.next()?,
            Some(value) => value,
            None => continue,
        };
        if value.iter().any(u8::is_ascii_alphabetic) {
            return Some(value.to_vec());
        }
    }
    None
}

/// Makes a command line that means the same to the program as to the applet.
fn fit(proc: &Process, name: &[u8], args: &mut Vec<Vec<u8>>) {
    let plain = |args: &[Vec<u8>]| -> Vec<Vec<u8>> {
        let words = args.iter().skip(1);
        words
            .filter(|word| *word == b"-" || !word.starts_with(b"-"))
            .cloned()
            .collect()
    };
    match name {
        // The only format there is, and no times in it.
        b"diff" => {
            args.insert(1, b"-u".to_vec());
            let operands = plain(args);
            if let [first, second] = operands.as_slice()
                && ![first, second]
                    .iter()
                    .any(|path| proc.stat(path).is_ok_and(|found| found.is_dir()))
                && !args.iter().any(|word| word.starts_with(b"-L"))
            {
                let labels = [b"-L".as_slice(), first, b"-L", second].map(<[u8]>::to_vec);
                args.splice(1..1, labels);
            }
        }
        // A set alone stands for itself.
        b"tr" if args.len() == 2 => {
            let set = args.get(1).cloned().unwrap_or_default();
            args.push(set);
        }
        // Of a longer delimiter the first byte counts.
        b"cut" => {
            let mut after = false;
            for word in args.iter_mut().skip(1) {
                if std::mem::replace(&mut after, word == b"-d") {
                    word.truncate(1);
                } else if word.starts_with(b"-d") {
                    word.truncate(3);
                }
            }
        }
        _ => {}
    }
}

/// Applets that have no program here: what they say of a file that is not there, else their usage.
async fn stand_in(proc: &mut Process, name: &[u8]) -> ExitStatus {
    let applet = String::from_utf8_lossy(name).into_owned();
    let words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    let mut files = words.iter().filter(|word| !word.starts_with(b"-"));
    let file = match name {
        b"ar" => files.nth(1),
        b"lzma" if !words.iter().any(|word| word.starts_with(b"-d")) => None,
        b"unzip" | b"fdisk" | b"lzma" | b"unlzma" | b"lzcat" | b"lzop" | b"unlzop" | b"lzopcat"
        | b"uncompress" => files.next(),
        b"mke2fs" | b"mkfs.ext2" if words.is_empty() => {
            return complain(proc, &applet, "can't open '(null)': Bad address").await;
        }
        b"partprobe" if words.is_empty() => return ExitStatus::SUCCESS,
        _ => None,
    };
    let Some(file) = file.cloned() else {
        return usage::refuse(proc, name).await;
    };
    let Err(errno) = proc.stat(&file) else {
        return usage::refuse(proc, name).await;
    };
    let reason = errno.message().as_bytes();
    let text = match name {
        b"ar" => [b"can't open '".as_slice(), &file, b"': ", reason].concat(),
        b"unzip" => [b"can't open ".as_slice(), &file, b"[.zip]"].concat(),
        b"fdisk" => [b"can't open '".as_slice(), &file, b"'"].concat(),
        _ => [file.as_slice(), b": ", reason].concat(),
    };
    complain(proc, &applet, text).await
}

/// Runs the program as a child and puts its complaints into BusyBox's words.
async fn reworded(
    proc: &mut Process,
    name: &[u8],
    program: Vec<u8>,
    args: Vec<Vec<u8>>,
) -> ExitStatus {
    let (from, to) = match proc.pipe() {
        Ok(ends) => ends,
        Err(errno) => return complain(proc, "busybox", errno.message()).await,
    };
    let child = proc.fork(move |mut child| {
        Box::pin(async move {
            if child.duplicate_to(to, STDERR).is_err()
                || child.close(to).is_err()
                || child.close(from).is_err()
            {
                return ExitStatus::FAILURE;
            }
            let mut env = child.env().clone();
            if program == b"cmp" {
                // In the plain locale it counts characters, as the applet does.
                env.set(b"LC_ALL".as_slice(), b"C".as_slice());
            }
            let _no_such_program = child.exec_program(&program, args, env).await;
            ExitStatus::Exited(super::NOT_FOUND)
        })
    });
    let pid = match child {
        Ok(pid) => pid,
        Err(errno) => return complain(proc, "sh: can't fork", errno.message()).await,
    };
    // Both were opened above.
    let _open = proc.close(to);
    let complained = forward(proc, name, from).await;
    match proc.wait(WaitFor::Pid(pid), false, true).await {
        Ok(Some((_, ChildEvent::Ended(ExitStatus::Signaled(signal))))) => proc.die_of(signal).await,
        Ok(Some((_, ChildEvent::Ended(ExitStatus::Exited(_)))))
            if complained.no_entry
                || (complained.bad_usage && matches!(name, b"cmp" | b"diff")) =>
        {
            ExitStatus::FAILURE
        }
        Ok(Some((_, ChildEvent::Ended(ExitStatus::Exited(status)))))
            if complained.said || complained.bad_usage =>
        {
            ExitStatus::Exited(wording::status_of(name, status))
        }
        Ok(Some((_, ChildEvent::Ended(status)))) => status,
        _ => ExitStatus::FAILURE,
    }
}

/// Copies complaints until nobody can make any; what they were. A question is handed on at
/// once, without waiting for the end of its line.
async fn forward(proc: &mut Process, name: &[u8], from: Fd) -> Complaints {
    let mut complaints = Complaints::default();
    let mut chunk = vec![0; MAX_CHUNK_BYTES];
    let mut pending: Vec<u8> = Vec::new();
    while let Ok(count @ 1..) = proc.read(from, &mut chunk).await {
        pending.extend_from_slice(chunk.get(..count).unwrap_or_default());
        while let Some(at) = pending.iter().position(|&byte| byte == b'\n') {
            let rest = pending.split_off(at + 1);
            let line = std::mem::replace(&mut pending, rest);
            complaints.hand_on(proc, name, &line).await;
        }
        let asks = pending.ends_with(b"? ") || pending.ends_with(b": ");
        if asks || pending.len() > MAX_CHUNK_BYTES {
            let question = std::mem::take(&mut pending);
            complaints.hand_on(proc, name, &question).await;
        }
    }
    if !pending.is_empty() {
        complaints.hand_on(proc, name, &pending).await;
    }
    complaints
}

/// What has been complained about so far.
#[derive(Debug, Default)]
struct Complaints {
    said: bool,
    /// Whether mount found no line for its operand, which ends it in its own way.
    no_entry: bool,
    bad_usage: bool,
}

impl Complaints {
    async fn hand_on(&mut self, proc: &mut Process, name: &[u8], line: &[u8]) {
        let mut wants_usage = false;
        match wording::reword(name, line) {
            wording::Said::Line(text) => {
                let text = match text.strip_suffix(b": bad regex\n") {
                    Some(_) => [name, b": bad regex '", &pattern(proc), b"'\n"].concat(),
                    None => text,
                };
                self.no_entry |= name == b"mount" && text.ends_with(b" in /etc/fstab\n");
                wants_usage = wording::is_usage_error(&text);
                self.said |= text.ends_with(b"\n");
                proc.print_error(&text).await;
            }
            wording::Said::Nothing => {}
            wording::Said::Usage => wants_usage = !self.said,
        }
        if self.said
            && name == b"tail"
            // tidy-allow(errno-word): the words that are looked for
            && line.ends_with(b"for reading: No such file or directory\n")
            && operands(proc) == 1
        {
            proc.print_error(b"tail: no files\n").await;
        }
        if wants_usage && !std::mem::replace(&mut self.bad_usage, true) {
            proc.print_error(&usage::text(name)).await;
        }
    }
}

/// How many words of the command line are no options.
fn operands(proc: &Process) -> usize {
    let words = proc.args().iter().skip(1);
    words.filter(|word| !word.starts_with(b"-")).count()
}

/// The pattern of a grep's command line.
fn pattern(proc: &Process) -> Vec<u8> {
    let mut words = proc.args().iter().skip(1);
    let mut first = None;
    while let Some(word) = words.next() {
        match word.strip_prefix(b"-") {
            Some(letters) if letters.ends_with(b"e") => {
                return words.next().cloned().unwrap_or_default();
            }
            Some([_, ..]) => {}
            _ => {
                first.get_or_insert(word);
            }
        }
    }
    first.cloned().unwrap_or_default()
}

/// What a program prints, run with these arguments; its complaints go where ours go.
pub(super) async fn output_of(
    proc: &mut Process,
    program: &'static [u8],
    args: Vec<Vec<u8>>,
) -> Vec<u8> {
    let Ok((from, to)) = proc.pipe() else {
        return Vec::new();
    };
    let child = proc.fork(move |mut child| {
        Box::pin(async move {
            child.discard_output();
            if child.duplicate_to(to, sundew_kernel::STDOUT).is_err() {
                return ExitStatus::FAILURE;
            }
            let _both_were_open = (child.close(to), child.close(from));
            let env = child.env().clone();
            let _no_such_program = child.exec_program(program, args, env).await;
            ExitStatus::Exited(super::NOT_FOUND)
        })
    });
    let _open = proc.close(to);
    let Ok(pid) = child else { return Vec::new() };
    let text = proc
        .read_to_end(from)
        .await
        .map(|(text, _)| text)
        .unwrap_or_default();
    let _reaped = proc.wait(WaitFor::Pid(pid), false, true).await;
    let _open = proc.close(from);
    text
}

/// A small file's text; empty if it cannot be read.
pub(super) async fn text_of(proc: &Process, path: &[u8]) -> Vec<u8> {
    let Ok(fd) = proc.open(path, OpenFlags::READ, 0).await else {
        return Vec::new();
    };
    let text = proc
        .read_to_end(fd)
        .await
        .map(|(text, _)| text)
        .unwrap_or_default();
    let _open = proc.close(fd);
    text
}
