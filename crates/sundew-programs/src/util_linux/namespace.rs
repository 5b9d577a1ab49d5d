//! `unshare`, `nsenter`, `lsns`, `pivot_root`, `switch_root`: views of the machine. All of its
//! processes share one view; a program that asks for another gets the one there is.

use sundew_kernel::{Errno, ExitStatus, Process};
use sundew_vfs::Credentials;

use super::spec;
use super::table::{Column, Table, left, number, right};
use crate::text::shell;
use crate::users::Directory;

/// Kinds by option, name and file in `/proc/PID/ns`.
const KINDS: [(&str, &str); 8] = [
    ("m", "mnt"),
    ("u", "uts"),
    ("i", "ipc"),
    ("n", "net"),
    ("p", "pid"),
    ("U", "user"),
    ("C", "cgroup"),
    ("T", "time"),
];
/// Nobody: what an id without a mapping is shown as.
const OVERFLOW_ID: u32 = 65_534;

/// The command, or else a shell.
fn command(proc: &Process, words: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    if !words.is_empty() {
        return words;
    }
    let shell = proc.env().value(b"SHELL").filter(|shell| !shell.is_empty());
    vec![shell.unwrap_or(b"/bin/sh").to_vec()]
}

pub(super) async fn unshare(proc: &mut Process) -> ExitStatus {
    let line = match super::line(proc, "unshare", &spec::UNSHARE).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let asks = KINDS.iter().any(|(key, _)| line.has(key))
        || line.has("r")
        || line.has("c")
        || line.has("map-user")
        || line.has("map-auto");
    if let Some(text) = line.value("setgroups")
        && !matches!(text, b"allow" | b"deny")
    {
        return super::bad_argument(proc, "unsupported --setgroups argument", text).await;
    }
    if asks && proc.credentials().uid != 0 {
        proc.complain(b"unshare failed", Errno::Eperm).await;
        return ExitStatus::FAILURE;
    }
    let mapped = ["r", "c", "map-user", "map-users", "map-auto"]
        .iter()
        .any(|key| line.has(key));
    let id = |key: &str| line.value(key).map(super::number::<u32>);
    let (uid, gid) = (id("S"), id("G"));
    if uid == Some(None) || gid == Some(None) {
        let text = "failed to parse uid";
        let word = line.value("S").or_else(|| line.value("G"));
        return super::bad_argument(proc, text, word.unwrap_or_default()).await;
    }
    let mut credentials = (*proc.credentials()).clone();
    if line.has("U") && !mapped {
        credentials = Credentials {
            uid: OVERFLOW_ID,
            gid: OVERFLOW_ID,
            groups: vec![OVERFLOW_ID],
        };
    }
    if let Some(Some(uid)) = uid {
        credentials.uid = uid;
    }
    if let Some(Some(gid)) = gid {
        credentials.gid = gid;
    }
    if credentials != *proc.credentials() {
        proc.set_credentials(credentials);
    }
    if let Some(path) = line.value("w").map(<[u8]>::to_vec)
        && let Err(errno) = proc.change_directory(&path)
    {
        let subject = [b"cannot chdir to '".as_slice(), &path, b"'"].concat();
        proc.complain(&subject, errno).await;
        return ExitStatus::FAILURE;
    }
    let fork = line.has("f") || line.has("kill-child");
    let words = command(proc, line.operands);
    run(proc, words, fork).await
}

async fn run(proc: &mut Process, words: Vec<Vec<u8>>, fork: bool) -> ExitStatus {
    if !fork {
        return super::become_command(proc, words).await;
    }
    let started = proc.fork(move |mut child| {
        Box::pin(async move { super::become_command(&mut child, words).await })
    });
    match started {
        Ok(pid) => shell::wait(proc, pid).await,
        Err(errno) => {
            proc.complain(b"fork failed", errno).await;
            ExitStatus::FAILURE
        }
    }
}

pub(super) async fn nsenter(proc: &mut Process) -> ExitStatus {
    let line = match super::line(proc, "nsenter", &spec::NSENTER).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let target = match line.value("t") {
        Some(text) => match super::number::<u32>(text) {
            Some(pid) => Some(pid),
            None => return super::bad_argument(proc, "failed to parse pid", text).await,
        },
        None => None,
    };
    if line.has("a") && target.is_none() {
        return super::fail(proc, "no target PID specified for --all").await;
    }
    for (key, name) in KINDS {
        let option = line.options.iter().find(|option| option.key == key);
        let wanted = option.is_some() || line.has("a");
        if !wanted {
            continue;
        }
        let file = option.filter(|option| option.has_value);
        let path = match (file, target) {
            (Some(option), _) => option.value.clone(),
            (None, Some(pid)) => format!("/proc/{pid}/ns/{name}").into_bytes(),
            (None, None) => {
                let text = format!("neither filename nor target pid supplied for ns/{name}");
                return super::fail(proc, text).await;
            }
        };
        let mut found = proc.lstat(&path).map(|_| ());
        if found.is_ok() && !owns(proc, target) {
            found = Err(Errno::Eacces);
        }
        if let Err(errno) = found {
            return super::cannot(proc, "cannot open", &path, errno).await;
        }
    }
    let fork = line.has("p") && !line.has("F");
    let words = command(proc, line.operands);
    run(proc, words, fork).await
}

/// Whether the caller may look into a process.
fn owns(proc: &Process, target: Option<u32>) -> bool {
    let uid = proc.credentials().uid;
    let all = proc.processes();
    let one = all.iter().find(|one| Some(one.pid) == target);
    uid == 0 || one.is_none_or(|one| one.uid == uid)
}

const COLUMNS: &[Column] = &[
    number("NS"),
    left("TYPE"),
    left("PATH").hidden(),
    number("NPROCS"),
    number("PID"),
    number("PPID").hidden(),
    left("COMMAND").hidden(),
    number("UID").hidden(),
    left("USER"),
    right("NETNSID").hidden(),
    left("NSFS").hidden(),
    left("COMMAND"),
];

/// The mount namespace that the kernel makes for `kdevtmpfs`.
const DEVTMPFS: (&str, &str) = ("4026531862", "kdevtmpfs");

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
pub(super) async fn lsns(proc: &mut Process) -> ExitStatus {
    let line = match super::line(proc, "lsns", &spec::LSNS).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let mut table = Table::new("namespaces", COLUMNS);
    let (mut kinds, mut task) = (Vec::new(), None);
    for option in &line.options {
        match table.option(option.key, &option.value) {
            Ok(true) => continue,
            Ok(false) => {}
            Err(name) => return super::unknown_column(proc, &name).await,
        }
        match option.key {
            "t" => {
                let name = KINDS.iter().find(|kind| kind.1.as_bytes() == option.value);
                match name {
                    Some(kind) => kinds.push(kind.1),
                    None => {
                        let text = [b"unknown namespace type: ".as_slice(), &option.value];
                        return super::fail(proc, text.concat()).await;
                    }
                }
            }
            "p" => match super::number::<u32>(&option.value) {
                Some(pid) => task = Some(pid),
                None => {
                    return super::bad_argument(proc, "invalid PID argument", &option.value).await;
                }
            },
            _ => {}
        }
    }
    let users = Directory::load(proc).await;
    let uid = proc.credentials().uid;
    let seen: Vec<_> = proc
        .processes()
        .into_iter()
        .filter(|one| uid == 0 || one.uid == uid)
        .collect();
    let mut found = Vec::new();
    for (_, name) in KINDS {
        let path = format!("/proc/self/ns/{name}").into_bytes();
        let link = proc.read_link(&path).unwrap_or_default();
        let text = String::from_utf8_lossy(&link).into_owned();
        let inode = text.trim_start_matches(|letter: char| !letter.is_ascii_digit());
        found.push((inode.trim_end_matches(']').to_owned(), name));
    }
    found.push((DEVTMPFS.0.to_owned(), "mnt"));
    found.sort();
    for (inode, name) in found {
        let own = inode == DEVTMPFS.0;
        let members: Vec<_> = seen
            .iter()
            .filter(|one| name != "mnt" || (one.name == DEVTMPFS.1.as_bytes()) == own)
            .collect();
        let Some(first) = members.iter().min_by_key(|one| one.pid) else {
            continue;
        };
        let holds_task = task.is_none_or(|pid| members.iter().any(|one| one.pid == pid));
        if (!kinds.is_empty() && !kinds.contains(&name)) || !holds_task {
            continue;
        }
        let command = if first.args.is_empty() {
            String::from_utf8_lossy(&first.name).into_owned()
        } else {
            String::from_utf8_lossy(&first.args.join(&b' ')).into_owned()
        };
        table.rows.push(vec![
            inode,
            name.to_owned(),
            format!("/proc/{}/ns/{name}", first.pid),
            members.len().to_string(),
            first.pid.to_string(),
            first.ppid.to_string(),
            command.clone(),
            first.uid.to_string(),
            String::from_utf8_lossy(&users.user_text(first.uid)).into_owned(),
            if name == "net" {
                "unassigned".to_owned()
            } else {
                String::new()
            },
            String::new(),
            command,
        ]);
    }
    if let Some(wanted) = line.operands.first() {
        table.rows.retain(|row| {
            row.first()
                .is_some_and(|inode| inode.as_bytes() == wanted.as_slice())
        });
        if table.rows.is_empty() {
            let text = [b"not found namespace: ".as_slice(), wanted].concat();
            return super::fail(proc, text).await;
        }
    }
    if task.is_some() && table.rows.is_empty() {
        let text = format!(
            "not found namespaces with processes for PID {}",
            task.unwrap_or_default()
        );
        return super::fail(proc, text).await;
    }
    table.print(proc).await
}

pub(super) async fn pivot_root(proc: &mut Process) -> ExitStatus {
    let line = match super::line(proc, "pivot_root", &spec::PIVOT_ROOT).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let [new, old] = line.operands.as_slice() else {
        return super::bad_usage(proc).await;
    };
    let errno = if proc.credentials().uid != 0 {
        Errno::Eperm
    } else {
        let missing = proc.stat(new).err().or_else(|| proc.stat(old).err());
        missing.unwrap_or(Errno::Ebusy)
    };
    let subject = [
        b"failed to change root from `".as_slice(),
        new,
        b"' to `",
        old,
        b"'",
    ];
    proc.complain(&subject.concat(), errno).await;
    ExitStatus::FAILURE
}

pub(super) async fn switch_root(proc: &mut Process) -> ExitStatus {
    let line = match super::line(proc, "switch_root", &spec::SWITCH_ROOT).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let [new, _, ..] = line.operands.as_slice() else {
        return super::refuse_text(proc, "not enough arguments").await;
    };
    match proc.stat(new) {
        Err(errno) => {
            let subject = [b"stat of ".as_slice(), new, b" failed"].concat();
            proc.complain(&subject, errno).await;
        }
        Ok(_) => {
            // Only the first process may do this, from an initial filesystem in memory.
            let subject = [
                b"failed to mount moving ".as_slice(),
                b"/dev to ",
                new,
                b"/dev",
            ];
            proc.complain(&subject.concat(), Errno::Einval).await;
        }
    }
    super::fail(proc, "failed. Sorry.").await
}
