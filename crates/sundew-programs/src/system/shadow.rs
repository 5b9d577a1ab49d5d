//! The rest of shadow 4.13 and base-passwd: `pwck`, `grpck`, `pwconv` and its kin, `vipw`, `chgpasswd`,
//! `newusers`, `groupmems`, `expiry`, `faillog`, `cppw`, `update-passwd`.

use sundew_kernel::process::Spawn;
use sundew_kernel::{Errno, ExitStatus, Process, STDIN};

use super::cli::{self, Order};
use crate::text::{command, shell};
use crate::users::Directory;

const GROUP: &[u8] = b"/etc/group";

async fn rows(proc: &Process, path: &[u8]) -> Vec<Vec<String>> {
    let text = super::read(proc, path).await.unwrap_or_default();
    let text = super::text(&text);
    text.lines()
        .map(|line| line.split(':').map(str::to_owned).collect())
        .collect()
}

/// The complaint when only root may; `None` for root.
async fn not_root(proc: &mut Process, path: &str) -> Option<ExitStatus> {
    if proc.credentials().uid == 0 {
        return None;
    }
    let own = super::text(proc.base_name());
    let reason = Errno::Eacces.message();
    let text = format!("{own}: {reason}.\n{own}: cannot lock {path}; try again later.\n");
    Some(super::fail(proc, text, 1).await)
}

pub(super) async fn pwck(proc: &mut Process) -> ExitStatus {
    const FOUND: u8 = 2;
    let line = match cli::read(proc, "pwck", 1, Order::Any).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    if proc.credentials().uid != 0 {
        let reason = Errno::Eacces.message();
        let path = if line.has("read-only") {
            "cannot open /etc/shadow"
        } else {
            "cannot lock /etc/passwd; try again later."
        };
        let text = if line.has("read-only") {
            format!("pwck: {path}\n")
        } else {
            format!("pwck: {reason}.\npwck: {path}\n")
        };
        return super::fail(proc, text, if line.has("read-only") { 4 } else { 5 }).await;
    }
    let users = Directory::load(proc).await;
    let mut out = String::new();
    for user in users.users().to_vec() {
        proc.tick().await;
        let name = super::text(&user.name);
        if users.group_name(user.gid).is_none() {
            out.push_str(&format!("user '{name}': no group {}\n", user.gid));
        }
        if user.home != b"/nonexistent" && proc.stat(&user.home).is_err() {
            out.push_str(&format!(
                "user '{name}': directory '{}' does not exist\n",
                super::text(&user.home)
            ));
        }
        if !user.shell.is_empty() && proc.stat(&user.shell).is_err() {
            out.push_str(&format!(
                "user '{name}': program '{}' does not exist\n",
                super::text(&user.shell)
            ));
        }
    }
    let found = !out.is_empty();
    if !line.has("quiet") {
        super::put(proc, out).await;
    }
    if found {
        super::put(proc, "pwck: no changes\n").await;
        return ExitStatus::Exited(FOUND);
    }
    proc.status()
}

pub(super) async fn grpck(proc: &mut Process) -> ExitStatus {
    const FOUND: u8 = 2;
    let line = match cli::read(proc, "grpck", 1, Order::Any).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    if proc.credentials().uid != 0 {
        let reason = Errno::Eacces.message();
        let text = if line.has("read-only") {
            "grpck: cannot open /etc/gshadow\n".to_owned()
        } else {
            format!("grpck: {reason}.\ngrpck: cannot lock /etc/group; try again later.\n")
        };
        return super::fail(proc, text, if line.has("read-only") { 3 } else { 4 }).await;
    }
    let users = Directory::load(proc).await;
    let mut out = String::new();
    for row in rows(proc, GROUP).await {
        let [name, _, _, members] = row.as_slice() else {
            if row.iter().any(|field| !field.is_empty()) {
                out.push_str("invalid group file entry\n");
            }
            continue;
        };
        for member in members.split(',').filter(|member| !member.is_empty()) {
            if users.user(member.as_bytes()).is_none() {
                out.push_str(&format!("group {name}: no user {member}\n"));
            }
        }
    }
    if out.is_empty() {
        return proc.status();
    }
    super::put(proc, out + "grpck: no changes\n").await;
    ExitStatus::Exited(FOUND)
}

/// `pwconv`, `pwunconv`, `grpconv`, `grpunconv`: passwords move between the two files.
#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
pub(super) async fn convert(proc: &mut Process) -> ExitStatus {
    const USAGE: u8 = 2;
    const DAY: i64 = 86_400;
    let own = super::text(proc.base_name());
    let _line = match cli::read(proc, &own, USAGE, Order::Any).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let groups = own.starts_with("grp");
    let (open, hidden) = if groups {
        ("/etc/group", "/etc/gshadow")
    } else {
        ("/etc/passwd", "/etc/shadow")
    };
    if proc.credentials().uid != 0 {
        let reason = Errno::Eacces.message();
        let text = format!("{own}: {reason}.\n{own}: cannot lock {open}; try again later.\n");
        return super::fail(proc, text, 5).await;
    }
    let mut plain = rows(proc, open.as_bytes()).await;
    let mut secret = rows(proc, hidden.as_bytes()).await;
    let joined = |rows: &[Vec<String>]| {
        let lines = rows.iter().map(|row| row.join(":") + "\n");
        lines.collect::<String>()
    };
    if own.ends_with("unconv") {
        for row in &mut plain {
            let name = row.first().cloned().unwrap_or_default();
            let known = secret.iter().find(|other| other.first() == Some(&name));
            if let (Some(password), Some(field)) =
                (known.and_then(|row| row.get(1)), row.get_mut(1))
            {
                password.clone_into(field);
            }
        }
        let written = super::write(proc, open.as_bytes(), joined(&plain).as_bytes(), 0o644).await;
        let gone = proc.unlink(hidden.as_bytes());
        if let Err(errno) = written.and(gone) {
            let text = format!("{own}: cannot delete {hidden}: {}\n", errno.message());
            return super::fail(proc, text, 3).await;
        }
        return proc.status();
    }
    let today = proc.now().secs / DAY;
    for row in &mut plain {
        let (Some(name), Some(password)) = (row.first().cloned(), row.get(1).cloned()) else {
            continue;
        };
        if !secret.iter().any(|other| other.first() == Some(&name)) {
            let tail = row.get(3).cloned().unwrap_or_default();
            let fields = if groups {
                vec![name, password, String::new(), tail]
            } else {
                let rest = [
                    today.to_string(),
                    "0".into(),
                    "99999".into(),
                    "7".into(),
                    String::new(),
                    String::new(),
                    String::new(),
                ];
                [vec![name, password], rest.to_vec()].concat()
            };
            secret.push(fields);
        }
        if let Some(field) = row.get_mut(1) {
            "x".clone_into(field);
        }
    }
    secret.retain(|row| plain.iter().any(|other| other.first() == row.first()));
    let first = super::write(proc, hidden.as_bytes(), joined(&secret).as_bytes(), 0o640).await;
    let second = super::write(proc, open.as_bytes(), joined(&plain).as_bytes(), 0o644).await;
    if let Err(errno) = first.and(second) {
        let text = format!(
            "{own}: failure while writing changes to {open}: {}\n",
            errno.message()
        );
        return super::fail(proc, text, 3).await;
    }
    proc.status()
}

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
pub(super) async fn vipw(proc: &mut Process) -> ExitStatus {
    const USAGE: u8 = 2;
    let own = super::text(proc.base_name());
    let own = if own == "vigr" { "vigr" } else { "vipw" };
    let line = match cli::read(proc, own, USAGE, Order::Any).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let group = (own == "vigr" && !line.has("passwd")) || line.has("group");
    let path = match (group, line.has("shadow")) {
        (false, false) => "/etc/passwd",
        (false, true) => "/etc/shadow",
        (true, false) => "/etc/group",
        (true, true) => "/etc/gshadow",
    };
    if proc.credentials().uid != 0 {
        let reason = Errno::Eacces.message();
        let text = format!("{own}: Couldn't lock file: {reason}\n{own}: {path} is unchanged\n");
        return super::fail(proc, text, 1).await;
    }
    let copy = format!("{path}.edit").into_bytes();
    let before = super::read(proc, path.as_bytes()).await.unwrap_or_default();
    let mode = proc
        .stat(path.as_bytes())
        .map_or(0o644, |metadata| metadata.mode);
    if let Err(errno) = super::write(proc, &copy, &before, mode).await {
        let text = format!(
            "{own}: Couldn't make backup: {}\n{own}: {path} is unchanged\n",
            errno.message()
        );
        return super::fail(proc, text, 1).await;
    }
    let editor = ["VISUAL", "EDITOR"]
        .iter()
        .find_map(|name| proc.env().value(name.as_bytes()))
        .unwrap_or(b"sensible-editor")
        .to_vec();
    let status = match command::search(proc, &editor) {
        Ok(found) => {
            let spawn = Spawn {
                path: found,
                args: vec![editor.clone(), copy.clone()],
                env: proc.env().clone(),
            };
            match proc.spawn(spawn) {
                Ok(pid) => shell::wait(proc, pid).await,
                Err(_) => ExitStatus::FAILURE,
            }
        }
        Err(errno) => {
            let text = format!(
                "sh: 1: {}: {}\n",
                super::text(&editor),
                if errno == Errno::Enoent {
                    "not found"
                } else {
                    errno.message()
                }
            );
            proc.print_error(text.as_bytes()).await;
            ExitStatus::Exited(127)
        }
    };
    let after = super::read(proc, &copy).await.unwrap_or_default();
    if status != ExitStatus::SUCCESS {
        let _gone = proc.unlink(&copy);
        let editor = super::text(&editor);
        let text = format!(
            "{own}: {editor} returned with status {}\n{own}: {path} is unchanged\n",
            status.code()
        );
        return super::fail(proc, text, 1).await;
    }
    if after == before {
        let _gone = proc.unlink(&copy);
        return super::put(proc, format!("{own}: {path} is unchanged\n")).await;
    }
    if let Err(errno) = proc.rename(&copy, path.as_bytes()) {
        let text = format!("{own}: can't restore {path}: {}\n", errno.message());
        return super::fail(proc, text, 1).await;
    }
    if line.has("quiet") {
        return proc.status();
    }
    let option = match (own, line.has("shadow")) {
        ("vigr", false) => "vigr -s",
        ("vigr", true) => "vigr",
        (_, false) => "vipw -s",
        (_, true) => "vipw",
    };
    let hidden = match (group, line.has("shadow")) {
        (false, false) => "/etc/shadow",
        (false, true) => "/etc/passwd",
        (true, false) => "/etc/gshadow",
        (true, true) => "/etc/group",
    };
    let text = format!(
        "You have modified {path}.\nYou may need to modify {hidden} for consistency.\nPlease use the command '{option}' to do so.\n"
    );
    super::put(proc, text).await
}

pub(super) async fn chgpasswd(proc: &mut Process) -> ExitStatus {
    const USAGE: u8 = 2;
    let line = match cli::read(proc, "chgpasswd", USAGE, Order::Any).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    if let Some(status) = not_root(proc, "/etc/group").await {
        return status;
    }
    let mut secret = rows(proc, b"/etc/gshadow").await;
    let mut lines = sundew_kernel::process::LineReader::new(proc, STDIN);
    let (mut number, mut wrong) = (0, false);
    while let Ok(Some(row)) = lines.next(proc, b'\n').await {
        number += 1;
        let row = super::text(row.trim_ascii_end());
        let Some((name, password)) = row.split_once(':') else {
            let text = format!("chgpasswd: line {number}: missing new password\n");
            proc.print_error(text.as_bytes()).await;
            wrong = true;
            continue;
        };
        let Some(known) = secret
            .iter_mut()
            .find(|known| known.first().is_some_and(|own| own == name))
        else {
            let text = format!("chgpasswd: line {number}: group '{name}' does not exist\n");
            proc.print_error(text.as_bytes()).await;
            wrong = true;
            continue;
        };
        let hash = if line.has("encrypted") {
            password.to_owned()
        } else {
            // Nobody can enter a group whose password nobody knows; the clear text is not kept.
            format!("$6${:016x}$", proc.random())
        };
        if let Some(field) = known.get_mut(1) {
            *field = hash;
        }
    }
    if wrong {
        let text = "chgpasswd: error detected, changes ignored\n";
        return super::fail(proc, text, 1).await;
    }
    let text: String = secret.iter().map(|row| row.join(":") + "\n").collect();
    match super::write(proc, b"/etc/gshadow", text.as_bytes(), 0o640).await {
        Ok(()) => proc.status(),
        Err(errno) => {
            let text = format!(
                "chgpasswd: failure while writing changes to /etc/gshadow: {}\n",
                errno.message()
            );
            super::fail(proc, text, 1).await
        }
    }
}

pub(super) async fn newusers(proc: &mut Process) -> ExitStatus {
    let line = match cli::read(proc, "newusers", 1, Order::Any).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let path = line
        .operands
        .first()
        .cloned()
        .unwrap_or_else(|| b"-".to_vec());
    let text = match super::read(proc, &path).await {
        Ok(text) => super::text(&text),
        Err(errno) => {
            let text = format!("newusers: {}: {}\n", super::text(&path), errno.message());
            return super::fail(proc, text, 1).await;
        }
    };
    if let Some(status) = not_root(proc, "/etc/passwd").await {
        return status;
    }
    for (at, row) in text.lines().enumerate() {
        let fields: Vec<&str> = row.split(':').collect();
        let [name, password, uid, gid, gecos, home, login] = fields.as_slice() else {
            let text = format!(
                "newusers: line {}: invalid line\nnewusers: error detected, changes ignored\n",
                at + 1
            );
            return super::fail(proc, text, 1).await;
        };
        let mut args: Vec<String> = vec!["useradd".into(), "-m".into()];
        for (flag, value) in [
            ("-u", uid),
            ("-g", gid),
            ("-c", gecos),
            ("-d", home),
            ("-s", login),
        ] {
            if !value.is_empty() {
                args.extend([flag.to_owned(), (*value).to_owned()]);
            }
        }
        args.push((*name).to_owned());
        if !run(proc, &args, None).await {
            return super::fail(proc, "newusers: error detected, changes ignored\n", 1).await;
        }
        let pair = format!("{name}:{password}\n");
        run(proc, &["chpasswd".to_owned()], Some(pair.into_bytes())).await;
    }
    proc.status()
}

/// Runs a program of `/usr/sbin` with this on its standard input; whether it ended well.
async fn run(proc: &mut Process, args: &[String], input: Option<Vec<u8>>) -> bool {
    let name = args.first().cloned().unwrap_or_default();
    let Ok(path) = command::search(proc, name.as_bytes()) else {
        return false;
    };
    let words: Vec<Vec<u8>> = args.iter().map(|word| word.clone().into_bytes()).collect();
    let pipe = match input.as_ref().map(|_| proc.pipe()) {
        Some(Ok(pair)) => Some(pair),
        Some(Err(_)) => return false,
        None => None,
    };
    let started = proc.fork(move |mut child| {
        Box::pin(async move {
            if let Some((from, to)) = pipe {
                let _moved = child.duplicate_to(from, STDIN);
                let _close = (child.close(from), child.close(to));
            }
            let env = child.env().clone();
            let errno = child.exec(&path, words, env).await;
            let _unheard = errno;
            ExitStatus::Exited(127)
        })
    });
    if let (Some((from, to)), Some(bytes)) = (pipe, input) {
        let _closed = proc.close(from);
        let _written = proc.write_all(to, &bytes).await;
        let _closed = proc.close(to);
    }
    match started {
        Ok(pid) => shell::wait(proc, pid).await == ExitStatus::SUCCESS,
        Err(_) => false,
    }
}

pub(super) async fn groupmems(proc: &mut Process) -> ExitStatus {
    let line = match cli::read(proc, "groupmems", 1, Order::Any).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    if proc.credentials().uid != 0 && line.has("group") {
        let text = "groupmems: only root can use the -g/--group option\n";
        return super::fail(proc, text, 2).await;
    }
    let actions = ["add", "delete", "purge", "list"];
    if !actions.iter().any(|action| line.has(action)) {
        let usage = cli::section("groupmems usage");
        return super::fail(proc, usage, 1).await;
    }
    let users = Directory::load(proc).await;
    let own = users.group_name(proc.credentials().gid).map(<[u8]>::to_vec);
    let name = line
        .value("group")
        .map(<[u8]>::to_vec)
        .or(own)
        .unwrap_or_default();
    let Some(group) = users.group(&name).cloned() else {
        let text = format!(
            "groupmems: group '{}' does not exist in /etc/group\n",
            super::text(&name)
        );
        return super::fail(proc, text, 9).await;
    };
    if line.has("list") {
        let names: Vec<String> = group.members.iter().map(|name| super::text(name)).collect();
        let end = if names.is_empty() { "" } else { "\n" };
        return super::put(proc, format!("{}{end}", names.join("  "))).await;
    }
    let flag = |user: &[u8], option: &str| {
        vec![
            "gpasswd".to_owned(),
            option.to_owned(),
            super::text(user),
            super::text(&name),
        ]
    };
    if let Some(user) = line.value("add") {
        if users.user(user).is_none() {
            let text = format!("groupmems: user '{}' does not exist\n", super::text(user));
            return super::fail(proc, text, 5).await;
        }
        if group.members.iter().any(|member| member == user) {
            let text = format!(
                "groupmems: user '{}' is already a member of '{}'\n",
                super::text(user),
                super::text(&name)
            );
            return super::fail(proc, text, 7).await;
        }
        let args = flag(user, "-a");
        run_quietly(proc, &args).await;
    } else if let Some(user) = line.value("delete") {
        if !group.members.iter().any(|member| member == user) {
            let text = format!(
                "groupmems: user '{}' is not a member of '{}'\n",
                super::text(user),
                super::text(&name)
            );
            return super::fail(proc, text, 6).await;
        }
        let args = flag(user, "-d");
        run_quietly(proc, &args).await;
    } else {
        for member in &group.members {
            let args = flag(member, "-d");
            run_quietly(proc, &args).await;
        }
    }
    proc.status()
}

/// Lets `gpasswd` edit the group without its words.
async fn run_quietly(proc: &mut Process, args: &[String]) {
    let quoted: Vec<String> = args
        .iter()
        .map(|word| format!("'{}'", word.replace('\'', "")))
        .collect();
    let script = format!("{} >/dev/null", quoted.join(" "));
    run(proc, &["sh".to_owned(), "-c".to_owned(), script], None).await;
}

pub(super) async fn expiry(proc: &mut Process) -> ExitStatus {
    const USAGE: u8 = 2;
    if proc.args().len() < 2 {
        return super::fail(proc, cli::section("expiry"), USAGE).await;
    }
    match cli::read(proc, "expiry", USAGE, Order::Any).await {
        Ok(_) => proc.status(),
        Err(status) => status,
    }
}

pub(super) async fn faillog(proc: &mut Process) -> ExitStatus {
    const USAGE: u8 = 2;
    let line = match cli::read(proc, "faillog", USAGE, Order::Any).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    if let Err(errno) = super::read(proc, b"/var/log/faillog").await {
        let text = format!(
            "faillog: Cannot open /var/log/faillog: {}\n",
            errno.message()
        );
        return super::fail(proc, text, 1).await;
    }
    let users = Directory::load(proc).await;
    let names: Vec<Vec<u8>> = match line.value("user") {
        Some(name) => {
            if users.user(name).is_none() {
                let text = format!("faillog: Unknown user or range: {}\n", super::text(name));
                return super::fail(proc, text, 3).await;
            }
            vec![name.to_vec()]
        }
        None if line.has("all") => users.users().iter().map(|user| user.name.clone()).collect(),
        None => Vec::new(),
    };
    if names.is_empty() {
        return proc.status();
    }
    let mut out = "Login       Failures Maximum Latest                   On\n\n".to_owned();
    for name in names {
        out.push_str(&format!(
            "{:<9}   {:>5}    {:>5}   01/01/70 00:00:00 +0000  \n",
            super::text(&name),
            0,
            0
        ));
    }
    super::put(proc, out).await
}

/// `cppw`, `cpgr`.
pub(super) async fn cppw(proc: &mut Process) -> ExitStatus {
    let own = super::text(proc.base_name());
    let words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    let shadow = words.iter().any(|word| word == b"-s");
    let mut paths = words.iter().filter(|word| !word.starts_with(b"-"));
    if words.iter().any(|word| word == b"-h") {
        return super::put(proc, cli::section("cppw usage")).await;
    }
    let (Some(source), None) = (paths.next(), paths.next()) else {
        let text = format!("{own}: wrong number of arguments, -h for usage\n{own}: no changes\n");
        return super::fail(proc, text, 1).await;
    };
    let target = match (own == "cpgr", shadow) {
        (false, false) => "/etc/passwd",
        (false, true) => "/etc/shadow",
        (true, false) => "/etc/group",
        (true, true) => "/etc/gshadow",
    };
    let text = match super::read(proc, source).await {
        Ok(text) => text,
        Err(errno) => {
            let text = format!(
                "{own}: {}: {}\n{own}: {target} is unchanged\n",
                super::text(source),
                errno.message()
            );
            return super::fail(proc, text, 1).await;
        }
    };
    match super::write(proc, target.as_bytes(), &text, 0o644).await {
        Ok(()) => proc.status(),
        Err(errno) => {
            let text = format!(
                "{own}: {target}: {}\n{own}: {target} is unchanged\n",
                errno.message()
            );
            super::fail(proc, text, 1).await
        }
    }
}

pub(super) async fn update_passwd(proc: &mut Process) -> ExitStatus {
    let _line = match cli::read(proc, "update-passwd", 1, Order::Any).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    if proc.credentials().uid != 0 {
        let reason = Errno::Eacces.message();
        let text = format!("Error opening password file /etc/passwd.upwd-write: {reason}\n");
        return super::fail(proc, text, 3).await;
    }
    proc.status()
}
