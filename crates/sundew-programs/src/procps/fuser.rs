//! `fuser` of psmisc 23.6: who has a file open, or a port.
//!
//! Numbers go to standard output, everything around them to standard error, so that a script can take them.

use sundew_kernel::socket::Protocol;
use sundew_kernel::{ExitStatus, Pid, Process, Signal};

use super::help;
use crate::users::Directory;

const VERSION: &[u8] = b"fuser (PSmisc) 23.6\n\
    Copyright (C) 1993-2022 Werner Almesberger and Craig Small\n\n\
    PSmisc comes with ABSOLUTELY NO WARRANTY.\n\
    This is free software, and you are welcome to redistribute it under\n\
    the terms of the GNU General Public License.\n\
    For more information about these matters, see the files named COPYING.\n";

/// Where names are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Space {
    File,
    Tcp,
    Udp,
}

/// The command line.
#[derive(Debug)]
struct Options {
    all: bool,
    kill: bool,
    mount: bool,
    silent: bool,
    users: bool,
    verbose: bool,
    signal: Signal,
    names: Vec<(Space, Vec<u8>)>,
}

/// A process and how it uses a name.
#[derive(Debug, Default, Clone)]
struct User {
    pid: Pid,
    current: bool,
    executable: bool,
    open: bool,
    root: bool,
}

/// What reading the command line leads to.
enum Read {
    Run(Options),
    Version,
    Signals,
    Refuse(Vec<u8>),
}

/// `fuser`.
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let options = match read(proc.args()) {
        Read::Run(options) => options,
        Read::Version => {
            proc.print_error(VERSION).await;
            return ExitStatus::SUCCESS;
        }
        Read::Signals => {
            let names: Vec<String> = (1..32)
                .filter_map(Signal::from_number)
                .map(Signal::name)
                .collect();
            let _closed = proc.print((names.join(" ") + "\n").as_bytes()).await;
            return proc.status();
        }
        Read::Refuse(text) => {
            proc.print_error(&text).await;
            return ExitStatus::FAILURE;
        }
    };
    let users = Directory::load(proc).await;
    let (mut found, mut header) = (false, options.verbose && !options.silent);
    for (space, name) in &options.names {
        let matches = match space {
            Space::File => match of_file(proc, name, options.mount).await {
                Some(matches) => matches,
                None => {
                    let text = [
                        b"Specified filename ".as_slice(),
                        name,
                        b" does not exist.\n",
                    ];
                    proc.print_error(&text.concat()).await;
                    continue;
                }
            },
            space => of_port(proc, name, *space == Space::Tcp),
        };
        if matches.is_empty() && !options.all {
            continue;
        }
        found |= !matches.is_empty();
        if !options.silent {
            if std::mem::take(&mut header) {
                proc.print_error(b"                     USER        PID ACCESS COMMAND\n")
                    .await;
            }
            show(proc, &options, &users, (*space, name), &matches).await;
        }
        if options.kill {
            for user in &matches {
                if user.pid != proc.pid() {
                    // It may have ended by itself.
                    let _gone = proc.kill(user.pid, Some(options.signal));
                }
            }
        }
    }
    if found {
        ExitStatus::SUCCESS
    } else {
        ExitStatus::FAILURE
    }
}

async fn show(
    proc: &mut Process,
    options: &Options,
    users: &Directory,
    (space, name): (Space, &[u8]),
    matches: &[User],
) {
    let mut shown = name.to_vec();
    shown.extend_from_slice(match space {
        Space::File => b"",
        Space::Tcp => b"/tcp",
        Space::Udp => b"/udp",
    });
    shown.push(b':');
    if matches.is_empty() {
        shown.push(b'\n');
        proc.print_error(&shown).await;
        return;
    }
    let width = if options.verbose { 21 } else { 20 };
    shown.resize(shown.len().max(width), b' ');
    proc.print_error(&shown).await;
    let all = proc.processes();
    for (at, user) in matches.iter().enumerate() {
        let summary = all.iter().find(|own| own.pid == user.pid);
        let owner = users.user_text(summary.map_or(0, |own| own.uid));
        let owner = String::from_utf8_lossy(&owner).into_owned();
        if options.verbose {
            let indent = if at == 0 { 0 } else { width };
            let text = format!("{:indent$}{owner:<8} ", "");
            proc.print_error(text.as_bytes()).await;
        }
        // Shown before what follows it on standard error.
        let _closed = proc.print(format!(" {:>5}", user.pid).as_bytes()).await;
        let _flushed = proc.flush().await;
        let after = if options.verbose {
            let letter = |yes: bool, letter: char| if yes { letter } else { '.' };
            let command = summary.map_or_else(String::new, |own| {
                String::from_utf8_lossy(&own.name).into_owned()
            });
            format!(
                " {}{}{}{}. {command}\n",
                letter(
                    user.open || space != Space::File,
                    if space == Space::File { 'f' } else { 'F' }
                ),
                letter(user.root, 'r'),
                letter(user.current, 'c'),
                letter(user.executable, 'e'),
            )
        } else {
            let mut letters = String::new();
            for (yes, letter) in [
                (user.root, 'r'),
                (user.current, 'c'),
                (user.executable, 'e'),
            ] {
                if yes {
                    letters.push(letter);
                }
            }
            if options.users {
                letters += &format!("({owner})");
            }
            letters
        };
        proc.print_error(after.as_bytes()).await;
    }
    if !options.verbose {
        proc.print_error(b"\n").await;
    }
}

/// Processes that use a file; `None` if there is no such file.
async fn of_file(proc: &Process, name: &[u8], mount: bool) -> Option<Vec<User>> {
    let wanted = proc.stat(name).ok()?;
    let same = |path: String| {
        let target = proc.read_link(path.as_bytes());
        target
            .and_then(|target| proc.stat(&target))
            .is_ok_and(|own| own.dev == wanted.dev && (mount || own.ino == wanted.ino))
    };
    let mut found = Vec::new();
    for own in proc.processes() {
        proc.tick().await;
        if own.args.is_empty() {
            continue;
        }
        let pid = own.pid;
        let open = proc
            .read_directory(format!("/proc/{pid}/fd").as_bytes())
            .unwrap_or_default()
            .iter()
            .any(|entry| {
                let fd = String::from_utf8_lossy(&entry.name);
                fd.bytes().all(|byte| byte.is_ascii_digit()) && same(format!("/proc/{pid}/fd/{fd}"))
            });
        let user = User {
            pid,
            current: same(format!("/proc/{pid}/cwd")),
            executable: same(format!("/proc/{pid}/exe")),
            root: same(format!("/proc/{pid}/root")),
            open,
        };
        if user.current || user.executable || user.root || user.open {
            found.push(user);
        }
    }
    found.sort_by_key(|user| user.pid);
    Some(found)
}

/// Processes whose sockets have a local port.
fn of_port(proc: &Process, name: &[u8], tcp: bool) -> Vec<User> {
    let port: Option<u16> = String::from_utf8_lossy(name)
        .split(',')
        .next()
        .and_then(|word| word.parse().ok());
    let mut pids: Vec<Pid> = proc
        .sockets()
        .into_iter()
        .filter(|socket| matches!(socket.protocol, Protocol::Tcp) == tcp)
        .filter(|socket| Some(socket.local.port()) == port && socket.pid != 0)
        .map(|socket| socket.pid)
        .collect();
    pids.sort_unstable();
    pids.dedup();
    pids.into_iter()
        .map(|pid| User {
            pid,
            ..User::default()
        })
        .collect()
}

fn usage(words: &str) -> Read {
    Read::Refuse([words.as_bytes(), b"\n", help("fuser")].concat())
}

fn read(args: &[Vec<u8>]) -> Read {
    let mut options = Options {
        all: false,
        kill: false,
        mount: false,
        silent: false,
        users: false,
        verbose: false,
        signal: Signal::KILL,
        names: Vec::new(),
    };
    let mut space = Space::File;
    let mut words = args.iter().skip(1);
    while let Some(word) = words.next() {
        let Some(letters) = word.strip_prefix(b"-").filter(|rest| !rest.is_empty()) else {
            options.names.push(named(word, space));
            continue;
        };
        match letters {
            b"-kill" => options.kill = true,
            b"-verbose" => options.verbose = true,
            b"-silent" => options.silent = true,
            b"-user" => options.users = true,
            b"-all" => options.all = true,
            b"-mount" => options.mount = true,
            b"-version" | b"V" => return Read::Version,
            b"-list-signals" | b"l" => return Read::Signals,
            b"-namespace" | b"n" => {
                space = match words.next().map(Vec::as_slice) {
                    Some(b"tcp") => Space::Tcp,
                    Some(b"udp") => Space::Udp,
                    Some(b"file") => Space::File,
                    _ => return usage("Invalid namespace name"),
                };
            }
            b"-" => space = Space::File,
            letters => {
                if letters.first().is_some_and(u8::is_ascii_uppercase)
                    && letters != b"M"
                    && letters != b"I"
                {
                    match Signal::from_name(letters) {
                        Some(signal) => options.signal = signal,
                        None => {
                            let name = String::from_utf8_lossy(letters).into_owned();
                            let text = format!("{name}: unknown signal; fuser -l lists signals.\n");
                            return Read::Refuse(text.into_bytes());
                        }
                    }
                    continue;
                }
                let number = String::from_utf8_lossy(letters).parse().ok();
                if let Some(signal) = number.and_then(Signal::from_number) {
                    options.signal = signal;
                    continue;
                }
                for letter in letters {
                    match letter {
                        b'a' => options.all = true,
                        b'k' => options.kill = true,
                        b'm' | b'c' => options.mount = true,
                        b's' => options.silent = true,
                        b'u' => options.users = true,
                        b'v' => options.verbose = true,
                        b'i' | b'w' | b'f' | b'I' | b'M' | b'4' | b'6' => {}
                        other => {
                            let other = char::from(*other);
                            return usage(&format!("fuser: Invalid option {other}"));
                        }
                    }
                }
            }
        }
    }
    if options.names.is_empty() {
        return usage("No process specification given");
    }
    Read::Run(options)
}

/// `80/tcp` is a port whatever was said before.
fn named(word: &[u8], space: Space) -> (Space, Vec<u8>) {
    if let Some(port) = word.strip_suffix(b"/tcp") {
        return (Space::Tcp, port.to_vec());
    }
    if let Some(port) = word.strip_suffix(b"/udp") {
        return (Space::Udp, port.to_vec());
    }
    (space, word.to_vec())
}
