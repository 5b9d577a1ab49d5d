//! `start-stop-daemon` of dpkg 1.21.23, `tempfile` of debianutils 5.7.

use std::time::Duration;

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::{ExitStatus, Pid, Process, Signal};

use super::cli::{self, Order};
use crate::users::Directory;

/// What it ends with: nothing to do, and a wrong command line.
const NOTHING_DONE: u8 = 1;
const FAILED: u8 = 2;
const USAGE: u8 = 3;

async fn refuse(proc: &mut Process, text: &str) -> ExitStatus {
    let usage = cli::section("start-stop-daemon usage").replace('%', "start-stop-daemon");
    super::fail(proc, format!("start-stop-daemon: {text}\n{usage}"), USAGE).await
}

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
pub(super) async fn start_stop(proc: &mut Process) -> ExitStatus {
    const DEAD_WITH_FILE: u8 = 1;
    const NOT_RUNNING: u8 = 3;
    let line = match cli::read(proc, "start-stop-daemon", USAGE, Order::Any).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let verbs = ["start", "stop", "status"]
        .iter()
        .filter(|verb| line.has(verb))
        .count();
    if verbs == 0 {
        return refuse(proc, "need one of --start or --stop or --status").await;
    }
    if verbs > 1 {
        return refuse(proc, "only one command can be specified").await;
    }
    if !["exec", "pid", "ppid", "pidfile", "user", "name"]
        .iter()
        .any(|name| line.has(name))
    {
        let text = "need at least one of --exec, --pid, --ppid, --pidfile, --user or --name";
        return refuse(proc, text).await;
    }
    let program = line
        .value("startas")
        .or_else(|| line.value("exec"))
        .map(<[u8]>::to_vec);
    if line.has("start") && program.is_none() {
        return refuse(proc, "--start needs --exec or --startas").await;
    }
    let executable = line.value("exec").map(<[u8]>::to_vec);
    if let (true, Some(path)) = (line.has("start"), program.as_ref())
        && let Err(errno) = proc.stat(path)
    {
        let text = format!(
            "start-stop-daemon: unable to stat {} ({})\n",
            super::text(path),
            errno.message()
        );
        return super::fail(proc, text, FAILED).await;
    }
    let users = Directory::load(proc).await;
    let user = match line.value("user") {
        Some(name) => match users
            .user(name)
            .map(|user| user.uid)
            .or_else(|| super::number(name))
        {
            Some(uid) => Some(uid),
            None => {
                let text = format!(
                    "start-stop-daemon: user '{}' not found\n",
                    super::text(name)
                );
                return super::fail(proc, text, FAILED).await;
            }
        },
        None => None,
    };
    let file = line.value("pidfile").map(<[u8]>::to_vec);
    let mut from_file = None;
    if let Some(path) = &file {
        let text = proc.read_small_file(path).unwrap_or_default();
        from_file = Some(super::number::<Pid>(text.trim_ascii()));
    }
    let wanted = line.value("pid").map(super::number::<Pid>);
    let parent = line.value("ppid").and_then(super::number::<Pid>);
    let name = line.value("name").map(<[u8]>::to_vec);
    let real = executable
        .as_ref()
        .map(|path| proc.real_path(path).unwrap_or_default());
    let found: Vec<Pid> = proc
        .processes()
        .into_iter()
        .filter(|one| one.pid != proc.pid() && one.state != b'Z')
        .filter(|one| from_file.is_none_or(|pid| pid == Some(one.pid)))
        .filter(|one| wanted.is_none_or(|pid| pid == Some(one.pid)))
        .filter(|one| parent.is_none_or(|pid| pid == one.ppid))
        .filter(|one| user.is_none_or(|uid| uid == one.uid))
        .filter(|one| {
            name.as_ref()
                .is_none_or(|name| name.get(..15).unwrap_or(name) == one.name)
        })
        .filter(|one| {
            real.as_ref().is_none_or(|real| {
                let link = format!("/proc/{}/exe", one.pid);
                proc.read_link(link.as_bytes())
                    .is_ok_and(|target| target == *real)
            })
        })
        .map(|one| one.pid)
        .collect();
    let quiet = line.has("quiet");
    let shown = executable
        .as_ref()
        .or(name.as_ref())
        .map(|name| super::text(name));
    let shown = shown.or_else(|| {
        let path = file.as_ref()?;
        Some(format!("process in pidfile '{}'", super::text(path)))
    });
    let shown = shown.unwrap_or_else(|| "process".to_owned());
    if line.has("status") {
        let stale = from_file.is_some_and(|pid| pid.is_some());
        return ExitStatus::Exited(match (found.is_empty(), stale) {
            (false, _) => 0,
            (true, true) => DEAD_WITH_FILE,
            (true, false) => NOT_RUNNING,
        });
    }
    let oknodo = line.has("oknodo");
    if line.has("stop") {
        return stop(proc, &line, &found, &shown, quiet, oknodo).await;
    }
    if !found.is_empty() {
        if !quiet {
            let text = format!(
                "{} already running.\n",
                super::text(&program.unwrap_or_default())
            );
            super::put(proc, text).await;
        }
        return ExitStatus::Exited(if oknodo { 0 } else { NOTHING_DONE });
    }
    let path = program.unwrap_or_default();
    let mut args = vec![path.clone()];
    args.extend(line.operands.iter().cloned());
    if line.has("test") {
        let text = format!("Would start {} .\n", super::text(&args.join(&b' ')));
        return super::put(proc, text.replace(" .", ".")).await;
    }
    if let Some(who) = line.value("chuid") {
        let name = who.split(|&byte| byte == b':').next().unwrap_or(who);
        let Some(user) = users.user(name) else {
            let text = format!(
                "start-stop-daemon: user '{}' not found\n",
                super::text(name)
            );
            return super::fail(proc, text, FAILED).await;
        };
        if proc.credentials().uid == 0 {
            proc.set_credentials(sundew_vfs::Credentials {
                uid: user.uid,
                gid: user.gid,
                groups: users.groups_of(user),
            });
        }
    }
    if let Some(directory) = line.value("chdir")
        && let Err(errno) = proc.change_directory(directory)
    {
        let text = format!(
            "start-stop-daemon: unable to chdir() to {} ({})\n",
            super::text(directory),
            errno.message()
        );
        return super::fail(proc, text, FAILED).await;
    }
    let env = proc.env().clone();
    if line.has("background") {
        let detach = !line.has("no-close");
        let started = proc.fork(move |mut child| {
            Box::pin(async move {
                let _own_session = child.new_session();
                if detach && let Ok(null) = child.open(b"/dev/null", OpenFlags::READ_WRITE, 0).await
                {
                    for fd in 0..=2 {
                        let _moved = child.duplicate_to(null, fd);
                    }
                    let _close = child.close(null);
                }
                let errno = child.exec(&path, args, env).await;
                let _unheard = errno;
                ExitStatus::Exited(FAILED)
            })
        });
        return match started {
            Ok(pid) => {
                if let (true, Some(file)) = (line.has("make-pidfile"), &file)
                    && let Err(errno) =
                        super::write(proc, file, format!("{pid}\n").as_bytes(), 0o644).await
                {
                    let text = format!(
                        "start-stop-daemon: unable to open pidfile '{}' for writing ({})\n",
                        super::text(file),
                        errno.message()
                    );
                    return super::fail(proc, text, FAILED).await;
                }
                proc.status()
            }
            Err(errno) => {
                let text = format!(
                    "start-stop-daemon: unable to do first fork ({})\n",
                    errno.message()
                );
                super::fail(proc, text, FAILED).await
            }
        };
    }
    if let (true, Some(file)) = (line.has("make-pidfile"), &file) {
        let text = format!("{}\n", proc.pid());
        let _written = super::write(proc, file, text.as_bytes(), 0o644).await;
    }
    let errno = proc.exec(&path, args, env).await;
    let text = format!(
        "start-stop-daemon: unable to start {} ({})\n",
        super::text(&path),
        errno.message()
    );
    super::fail(proc, text, FAILED).await
}

async fn stop(
    proc: &mut Process,
    line: &cli::Line,
    found: &[Pid],
    shown: &str,
    quiet: bool,
    oknodo: bool,
) -> ExitStatus {
    if found.is_empty() {
        if !quiet {
            super::put(proc, format!("No {shown} found running; none killed.\n")).await;
        }
        return ExitStatus::Exited(if oknodo { 0 } else { NOTHING_DONE });
    }
    let signal = match line.value("signal") {
        Some(word) => {
            let text = super::text(word);
            let name = text.strip_prefix("SIG").unwrap_or(&text);
            let number = name.parse().ok();
            let signal =
                number.map_or_else(|| Signal::from_name(name.as_bytes()), Signal::from_number);
            match signal {
                Some(signal) => signal,
                None => {
                    let text = "signal value must be numeric or name of signal (KILL, INT, ...)";
                    return refuse(proc, text).await;
                }
            }
        }
        None => Signal::TERM,
    };
    for &pid in found {
        if line.has("test") {
            let text = format!("Would send signal {} to {pid}.\n", signal.number());
            super::put(proc, text).await;
            continue;
        }
        if let Err(errno) = proc.kill(pid, Some(signal)) {
            let text = format!(
                "start-stop-daemon: warning: failed to kill {pid}: {}\n",
                errno.message()
            );
            proc.print_error(text.as_bytes()).await;
        }
    }
    if line.has("retry") && !line.has("test") {
        // A schedule ends with the signal that nobody can ignore.
        for step in 0..50u32 {
            if found.iter().all(|&pid| proc.kill(pid, None).is_err()) {
                break;
            }
            if step == 25 {
                for &pid in found {
                    let _gone = proc.kill(pid, Some(Signal::KILL));
                }
            }
            if proc.sleep(Duration::from_millis(200)).await.is_err() {
                break;
            }
        }
    }
    if let (true, Some(file)) = (line.has("remove-pidfile"), line.value("pidfile")) {
        let _gone = proc.unlink(file);
    }
    proc.status()
}

pub(super) async fn tempfile(proc: &mut Process) -> ExitStatus {
    const LETTERS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    proc.print_error(b"WARNING: tempfile is deprecated; consider using mktemp instead.\n")
        .await;
    let line = match cli::read(proc, "tempfile", 1, Order::Any).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let mode = match line.value("mode") {
        Some(text) => match std::str::from_utf8(text)
            .ok()
            .and_then(|text| u16::from_str_radix(text, 8).ok())
        {
            Some(mode) => mode,
            None => {
                let text = format!(
                    "Invalid mode '{}'.  Mode must be octal.\n",
                    super::text(text)
                );
                return super::fail(proc, text, 1).await;
            }
        },
        None => 0o600,
    };
    let named = line.value("name").map(<[u8]>::to_vec);
    let own = proc.env().value(b"TMPDIR").map(<[u8]>::to_vec);
    let directory = own
        .filter(|directory| proc.stat(directory).is_ok())
        .or_else(|| line.value("directory").map(<[u8]>::to_vec))
        .unwrap_or_else(|| b"/tmp".to_vec());
    let prefix = line.value("prefix").unwrap_or(b"file").to_vec();
    let suffix = line.value("suffix").unwrap_or_default().to_vec();
    let flags = OpenFlags {
        exclusive: true,
        ..OpenFlags::CREATE
    };
    loop {
        let mut number = proc.random();
        let mut letters = Vec::new();
        for _ in 0..6 {
            let count = LETTERS.len() as u64;
            let at = usize::try_from(number % count).unwrap_or(0);
            letters.extend(LETTERS.get(at));
            number /= count;
        }
        let path = named
            .clone()
            .unwrap_or_else(|| [directory.as_slice(), b"/", &prefix, &letters, &suffix].concat());
        match proc.open(&path, flags, mode).await {
            Ok(_) => return super::put(proc, [path.as_slice(), b"\n"].concat()).await,
            Err(sundew_kernel::Errno::Eexist) if named.is_none() => proc.tick().await,
            Err(errno) => {
                let what = if named.is_some() { "open" } else { "mkstemps" };
                return super::fail(proc, format!("{what}: {}\n", errno.message()), 1).await;
            }
        }
    }
}

/// `cron` of cron 3.0: one runs already, and says so.
pub(super) async fn cron(proc: &mut Process) -> ExitStatus {
    let mut words = proc.args().iter().skip(1);
    while let Some(word) = words.next() {
        let letter = word.iter().skip(1).find(|letter| !b"fln".contains(letter));
        let log = word.starts_with(b"-L") || word.starts_with(b"-x") && word.len() > 2;
        if word.starts_with(b"-")
            && !log
            && let Some(&letter) = letter
        {
            let letter = char::from(letter);
            let text = format!("cron: invalid option -- '{letter}'\nusage: cron\n");
            return super::fail(proc, text, 1).await;
        }
        if word == b"-L" {
            words.next();
        }
    }
    let own = sundew_kernel::Errno::Eacces.message();
    if proc.credentials().uid != 0 {
        let text = format!("cron: can't open or create /var/run/crond.pid: {own}\n");
        return super::fail(proc, text, 1).await;
    }
    let pid = proc.read_small_file(b"/run/crond.pid").unwrap_or_default();
    let pid: Option<Pid> = super::number(pid.trim_ascii());
    let running = pid.filter(|&pid| proc.processes().iter().any(|one| one.pid == pid));
    if let Some(pid) = running {
        let why = sundew_kernel::Errno::Eagain.message();
        let text = format!("cron: can't lock /var/run/crond.pid, otherpid may be {pid}: {why}\n");
        return super::fail(proc, text, 1).await;
    }
    match proc.start_daemon(b"/usr/sbin/cron") {
        Ok(_) => proc.status(),
        Err(errno) => super::fail(proc, format!("cron: {}\n", errno.message()), 1).await,
    }
}
