//! `prlimit`, `choom`, `setpriv`, `setarch`, `uclampset`: what a process may use, and as whom it runs.

use sundew_kernel::rlimit::{INFINITY, Limit, Resource};
use sundew_kernel::{Errno, ExitStatus, Pid, Process};
use sundew_vfs::Credentials;

use super::spec;
use super::table::{Column, Table, left, right};
use crate::getopt::{Arity, Getopt, Spec};
use crate::users::Directory;

/// A limit of prlimit(1): option, resource, name, description, unit.
type Row = (
    &'static str,
    Resource,
    &'static str,
    &'static str,
    &'static str,
);

const LIMITS: &[Row] = &[
    (
        "v",
        Resource::AddressSpace,
        "AS",
        "address space limit",
        "bytes",
    ),
    ("c", Resource::Core, "CORE", "max core file size", "bytes"),
    ("t", Resource::Cpu, "CPU", "CPU time", "seconds"),
    ("d", Resource::Data, "DATA", "max data size", "bytes"),
    ("f", Resource::FileSize, "FSIZE", "max file size", "bytes"),
    (
        "x",
        Resource::Locks,
        "LOCKS",
        "max number of file locks held",
        "locks",
    ),
    (
        "l",
        Resource::LockedMemory,
        "MEMLOCK",
        "max locked-in-memory address space",
        "bytes",
    ),
    (
        "q",
        Resource::MessageQueues,
        "MSGQUEUE",
        "max bytes in POSIX mqueues",
        "bytes",
    ),
    (
        "e",
        Resource::Nice,
        "NICE",
        "max nice prio allowed to raise",
        "",
    ),
    (
        "n",
        Resource::Descriptors,
        "NOFILE",
        "max number of open files",
        "files",
    ),
    (
        "u",
        Resource::Processes,
        "NPROC",
        "max number of processes",
        "processes",
    ),
    (
        "m",
        Resource::ResidentSet,
        "RSS",
        "max resident set size",
        "bytes",
    ),
    (
        "r",
        Resource::RealTimePriority,
        "RTPRIO",
        "max real-time priority",
        "",
    ),
    (
        "y",
        Resource::RealTimeTime,
        "RTTIME",
        "timeout for real-time tasks",
        "microsecs",
    ),
    (
        "i",
        Resource::PendingSignals,
        "SIGPENDING",
        "max number of pending signals",
        "signals",
    ),
    ("s", Resource::Stack, "STACK", "max stack size", "bytes"),
];

const PRLIMIT: Spec = Spec::new(
    "+c::d::e::f::i::l::m::n::q::r::s::t::u::v::x::y::p:o:hV",
    &[
        ("pid", Arity::Required, "p"),
        ("output", Arity::Required, "o"),
        ("as", Arity::Optional, "v"),
        ("core", Arity::Optional, "c"),
        ("cpu", Arity::Optional, "t"),
        ("data", Arity::Optional, "d"),
        ("fsize", Arity::Optional, "f"),
        ("locks", Arity::Optional, "x"),
        ("memlock", Arity::Optional, "l"),
        ("msgqueue", Arity::Optional, "q"),
        ("nice", Arity::Optional, "e"),
        ("nofile", Arity::Optional, "n"),
        ("nproc", Arity::Optional, "u"),
        ("rss", Arity::Optional, "m"),
        ("rtprio", Arity::Optional, "r"),
        ("rttime", Arity::Optional, "y"),
        ("sigpending", Arity::Optional, "i"),
        ("stack", Arity::Optional, "s"),
        ("noheadings", Arity::No, "noheadings"),
        ("raw", Arity::No, "raw"),
        ("verbose", Arity::No, "verbose"),
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
    ],
);

const LIMIT_COLUMNS: &[Column] = &[
    left("RESOURCE"),
    left("DESCRIPTION"),
    right("SOFT"),
    right("HARD"),
    left("UNITS"),
];

/// Soft and hard limit; `None` keeps what is.
type Wanted = (Option<u64>, Option<u64>);

/// `SOFT:HARD`, either of which may be left out.
fn limits_of(text: &[u8]) -> Option<Wanted> {
    let one = |text: &[u8]| match text {
        b"" => Some(None),
        b"unlimited" | b"infinity" | b"-1" => Some(Some(INFINITY)),
        digits => std::str::from_utf8(digits).ok()?.parse().ok().map(Some),
    };
    match text.iter().position(|&byte| byte == b':') {
        Some(at) => Some((
            one(text.get(..at).unwrap_or_default())?,
            one(text.get(at + 1..).unwrap_or_default())?,
        )),
        None => {
            let both = one(text)?;
            Some((both, both))
        }
    }
}

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
pub(super) async fn prlimit(proc: &mut Process) -> ExitStatus {
    let line = match super::line(proc, "prlimit", &PRLIMIT).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let mut table = Table::new("limits", LIMIT_COLUMNS);
    let mut pid = None;
    let mut asked: Vec<(&Row, Option<Wanted>)> = Vec::new();
    for option in &line.options {
        match option.key {
            "p" => match super::number(&option.value) {
                Some(number) => pid = Some(number),
                None => return super::bad_argument(proc, "cannot parse PID", &option.value).await,
            },
            "o" => {
                if let Err(name) = table.select(&option.value) {
                    return super::unknown_column(proc, &name).await;
                }
            }
            "noheadings" => table.headings = false,
            "raw" => table.style = super::table::Style::Raw,
            "verbose" => {}
            key => {
                let Some(row) = LIMITS.iter().find(|row| row.0 == key) else {
                    continue;
                };
                let text = option.value.strip_prefix(b"=").unwrap_or(&option.value);
                let new = match limits_of(text) {
                    Some(new) if option.has_value => Some(new),
                    None if option.has_value => {
                        proc.complain_text(format!("failed to parse {} limit", row.2))
                            .await;
                        return ExitStatus::FAILURE;
                    }
                    _ => None,
                };
                asked.push((row, new));
            }
        }
    }
    if pid.is_some() && !line.operands.is_empty() {
        proc.complain_text("options --pid and COMMAND are mutually exclusive")
            .await;
        return ExitStatus::FAILURE;
    }
    if asked.is_empty() {
        if !line.operands.is_empty() {
            return super::become_command(proc, line.operands).await;
        }
        asked = LIMITS.iter().map(|row| (row, None)).collect();
    }
    let target: Pid = pid.filter(|pid| *pid != 0).unwrap_or_else(|| proc.pid());
    for ((_, resource, name, description, unit), new) in asked {
        let old = match proc.limit_of(target, *resource, None) {
            Ok(old) => old,
            Err(errno) => {
                let text = format!("failed to get the {name} resource limit");
                proc.complain(text.as_bytes(), errno).await;
                return ExitStatus::FAILURE;
            }
        };
        if let Some((soft, hard)) = new {
            let limit = Limit {
                soft: soft.unwrap_or(old.soft),
                hard: hard.unwrap_or(old.hard),
            };
            if limit.soft > limit.hard {
                proc.complain_text(format!(
                    "the soft limit {name} cannot exceed the hard limit"
                ))
                .await;
                return ExitStatus::FAILURE;
            }
            if let Err(errno) = proc.limit_of(target, *resource, Some(limit)) {
                let text = format!("failed to set the {name} resource limit");
                proc.complain(text.as_bytes(), errno).await;
                return ExitStatus::FAILURE;
            }
            continue;
        }
        let shown = |value: u64| {
            if value == INFINITY {
                "unlimited".to_owned()
            } else {
                value.to_string()
            }
        };
        table.rows.push(vec![
            (*name).to_owned(),
            (*description).to_owned(),
            shown(old.soft),
            shown(old.hard),
            (*unit).to_owned(),
        ]);
    }
    if !table.rows.is_empty() {
        table.print(proc).await;
    }
    if line.operands.is_empty() {
        return proc.status();
    }
    super::become_command(proc, line.operands).await
}

pub(super) async fn choom(proc: &mut Process) -> ExitStatus {
    let line = match super::line(proc, "choom", &spec::CHOOM).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let adjust = match line.value("n") {
        Some(text) => match std::str::from_utf8(text)
            .ok()
            .and_then(|text| text.parse::<i32>().ok())
        {
            Some(adjust) => Some(adjust),
            None => return super::bad_argument(proc, "invalid adjust argument", text).await,
        },
        None => None,
    };
    let pid = match line.value("p") {
        Some(text) => match super::number::<u32>(text) {
            Some(pid) => Some(pid),
            None => return super::bad_argument(proc, "invalid PID argument", text).await,
        },
        None => None,
    };
    if pid.is_some() && !line.operands.is_empty() {
        proc.complain_text("options --pid and COMMAND are mutually exclusive")
            .await;
        return ExitStatus::FAILURE;
    }
    if pid.is_none() && line.operands.is_empty() {
        proc.complain_text("no PID or COMMAND specified").await;
        return crate::getopt::try_help(proc, 1).await;
    }
    if adjust.is_none() && !line.operands.is_empty() {
        proc.complain_text("no OOM score adjust value specified")
            .await;
        return crate::getopt::try_help(proc, 1).await;
    }
    let Some(pid) = pid else {
        // The machine has memory enough: the value changes nothing.
        return super::become_command(proc, line.operands).await;
    };
    let read = |what: &str| format!("/proc/{pid}/{what}").into_bytes();
    let score = match proc.read_small_file(&read("oom_score")) {
        Ok(score) => score.trim_ascii().to_vec(),
        Err(errno) => {
            proc.complain(b"failed to read OOM score value", errno)
                .await;
            return ExitStatus::FAILURE;
        }
    };
    let old = proc
        .read_small_file(&read("oom_score_adj"))
        .unwrap_or_default();
    let old = old.trim_ascii();
    let out = match adjust {
        Some(new) => {
            let head = format!("pid {pid}'s OOM score adjust value changed from ");
            let tail = format!(" to {new}\n");
            [head.as_bytes(), old, tail.as_bytes()].concat()
        }
        None => {
            let head = format!("pid {pid}'s current OOM score: ");
            let middle = format!("\npid {pid}'s current OOM score adjust value: ");
            [head.as_bytes(), &score, middle.as_bytes(), old, b"\n"].concat()
        }
    };
    super::put(proc, out).await
}

/// Capabilities in the order of their numbers.
const CAPABILITIES: &str = "chown,dac_override,dac_read_search,fowner,fsetid,kill,setgid,setuid,setpcap,linux_immutable,net_bind_service,net_broadcast,net_admin,net_raw,ipc_lock,ipc_owner,sys_module,sys_rawio,sys_chroot,sys_ptrace,sys_pacct,sys_admin,sys_boot,sys_nice,sys_resource,sys_time,sys_tty_config,mknod,lease,audit_write,audit_control,setfcap,mac_override,mac_admin,syslog,wake_alarm,block_suspend,audit_read,perfmon,bpf,checkpoint_restore";

const SETPRIV: Spec = Spec::new(
    "+dhV",
    &[
        ("dump", Arity::No, "d"),
        ("nnp", Arity::No, "nnp"),
        ("no-new-privs", Arity::No, "nnp"),
        ("inh-caps", Arity::Required, "caps"),
        ("ambient-caps", Arity::Required, "caps"),
        ("bounding-set", Arity::Required, "caps"),
        ("list-caps", Arity::No, "list-caps"),
        ("ruid", Arity::Required, "ruid"),
        ("euid", Arity::Required, "reuid"),
        ("rgid", Arity::Required, "rgid"),
        ("egid", Arity::Required, "regid"),
        ("reuid", Arity::Required, "reuid"),
        ("regid", Arity::Required, "regid"),
        ("clear-groups", Arity::No, "clear-groups"),
        ("keep-groups", Arity::No, "keep-groups"),
        ("init-groups", Arity::No, "init-groups"),
        ("groups", Arity::Required, "groups"),
        ("securebits", Arity::Required, "caps"),
        ("pdeathsig", Arity::Required, "caps"),
        ("selinux-label", Arity::Required, "label"),
        ("apparmor-profile", Arity::Required, "label"),
        ("reset-env", Arity::No, "reset-env"),
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
    ],
);

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
pub(super) async fn setpriv(proc: &mut Process) -> ExitStatus {
    const FAILED: u8 = 127;
    let line = match super::line(proc, "setpriv", &SETPRIV).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    if line.has("list-caps") {
        let names = CAPABILITIES.replace(',', "\n") + "\n";
        return super::put(proc, names).await;
    }
    if line.has("d") {
        return dump(proc).await;
    }
    if line.operands.is_empty() {
        proc.complain_text("No program specified").await;
        return ExitStatus::FAILURE;
    }
    let users = Directory::load(proc).await;
    let mut credentials = (*proc.credentials()).clone();
    let (uid_before, mut changes_user) = (credentials.uid, false);
    if let Some(text) = line.value("reuid").or_else(|| line.value("ruid")) {
        let user = users.user(text).map(|user| user.uid);
        let Some(uid) = user.or_else(|| super::number(text)) else {
            let shown = [b"failed to parse reuid: '".as_slice(), text, b"'"].concat();
            proc.complain_text(shown).await;
            return ExitStatus::FAILURE;
        };
        credentials.uid = uid;
        changes_user = true;
    }
    if let Some(text) = line.value("regid").or_else(|| line.value("rgid")) {
        let group = users.group(text).map(|group| group.gid);
        let Some(gid) = group.or_else(|| super::number(text)) else {
            let shown = [b"failed to parse regid: '".as_slice(), text, b"'"].concat();
            proc.complain_text(shown).await;
            return ExitStatus::FAILURE;
        };
        credentials.gid = gid;
    }
    let groups_said = ["clear-groups", "keep-groups", "init-groups", "groups"]
        .iter()
        .any(|key| line.has(key));
    if line.value("regid").is_some() && !groups_said {
        proc.complain_text(
            "--[re]gid requires --keep-groups, --clear-groups, --init-groups, or --groups",
        )
        .await;
        return ExitStatus::FAILURE;
    }
    if line.has("clear-groups") {
        credentials.groups.clear();
    } else if line.has("init-groups") {
        let Some(user) = users.user_by_id(credentials.uid).filter(|_| changes_user) else {
            proc.complain_text("--init-groups requires --ruid or --reuid")
                .await;
            return ExitStatus::FAILURE;
        };
        credentials.groups = users.groups_of(user);
    } else if let Some(list) = line.value("groups") {
        let mut groups = Vec::new();
        for name in list.split(|&byte| byte == b',') {
            let group = users.group(name).map(|group| group.gid);
            match group.or_else(|| super::number(name)) {
                Some(gid) => groups.push(gid),
                None => {
                    let shown = [b"Invalid supplementary group id: '".as_slice(), name, b"'"];
                    proc.complain_text(shown.concat()).await;
                    return ExitStatus::FAILURE;
                }
            }
        }
        credentials.groups = groups;
    }
    if uid_before != 0 && credentials != *proc.credentials() {
        let subject: &[u8] = if changes_user {
            b"setresuid failed"
        } else {
            b"setgroups"
        };
        proc.complain(subject, Errno::Eperm).await;
        return ExitStatus::Exited(FAILED);
    }
    proc.set_credentials(Credentials { ..credentials });
    super::become_command(proc, line.operands).await
}

async fn dump(proc: &mut Process) -> ExitStatus {
    let own = proc.credentials();
    let (uid, gid) = proc.real_ids();
    let groups = if own.groups.is_empty() {
        "[none]".to_owned()
    } else {
        let groups = own.groups.iter().map(u32::to_string);
        groups.collect::<Vec<_>>().join(",")
    };
    let out = format!(
        "uid: {uid}\neuid: {}\ngid: {gid}\negid: {}\nSupplementary groups: {groups}\nno_new_privs: 0\nInheritable capabilities: [none]\nAmbient capabilities: [none]\nCapability bounding set: {CAPABILITIES}\nSecurebits: [none]\nParent death signal: [none]\n",
        own.uid, own.gid
    );
    super::put(proc, out).await
}

/// Names of personalities that setarch(8) knows on this machine.
const PERSONALITIES: [&str; 9] = [
    "uname26", "linux32", "linux64", "i386", "i486", "i586", "i686", "athlon", "x86_64",
];

pub(super) async fn setarch(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new(
        "+hVv3BFILRSTXZ",
        &[
            ("help", Arity::No, "h"),
            ("version", Arity::No, "V"),
            ("verbose", Arity::No, "v"),
            ("addr-no-randomize", Arity::No, "R"),
            ("fdpic-funcptrs", Arity::No, "F"),
            ("mmap-page-zero", Arity::No, "Z"),
            ("addr-compat-layout", Arity::No, "L"),
            ("read-implies-exec", Arity::No, "X"),
            ("32bit", Arity::No, "B"),
            ("short-inode", Arity::No, "I"),
            ("whole-seconds", Arity::No, "S"),
            ("sticky-timeouts", Arity::No, "T"),
            ("3gb", Arity::No, "3"),
            ("4gb", Arity::No, "4"),
            ("uname-2.6", Arity::No, "26"),
            ("list", Arity::No, "list"),
        ],
    );
    let mut args: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    let own = proc.base_name().to_vec();
    let named = own != b"setarch";
    let given = args.first().is_some_and(|word| !word.starts_with(b"-"));
    let mut arch = None;
    if named {
        arch = Some(own);
    } else if given {
        arch = Some(args.remove(0));
    }
    let (mut flags, mut verbose) = (false, false);
    let mut getopt = Getopt::of(&SPEC, args);
    while let Some(option) = getopt.next() {
        match option.map(|option| option.key) {
            Ok("h") => return super::help(proc, "setarch").await,
            Ok("V") => return super::version(proc).await,
            Ok("v") => verbose = true,
            Ok("list") => return super::put(proc, PERSONALITIES.join("\n") + "\n").await,
            Ok(_) => flags = true,
            Err(error) => return super::refuse(proc, &error).await,
        }
    }
    let Some(arch) = arch else {
        if flags {
            let words = or_shell(getopt.operands());
            return super::become_command(proc, words).await;
        }
        proc.complain_text("no architecture argument or personality flags specified")
            .await;
        return ExitStatus::FAILURE;
    };
    if !PERSONALITIES.iter().any(|name| name.as_bytes() == arch) {
        proc.complain_text([arch.as_slice(), b": Unrecognized architecture"].concat())
            .await;
        return ExitStatus::FAILURE;
    }
    let words = or_shell(getopt.operands());
    if verbose {
        let name = words.first().cloned().unwrap_or_default();
        let text = [b"Execute command `".as_slice(), &name, b"'.\n"].concat();
        super::put(proc, text).await;
    }
    super::become_command(proc, words).await
}

fn or_shell(words: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    if words.is_empty() {
        vec![b"/bin/sh".to_vec()]
    } else {
        words
    }
}

pub(super) async fn uclampset(proc: &mut Process) -> ExitStatus {
    if proc.args().len() < 2 {
        return super::help(proc, "uclampset").await;
    }
    let line = match super::line(proc, "uclampset", &spec::UCLAMPSET).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    if line.has("p") || line.has("s") || line.operands.is_empty() {
        return proc.status();
    }
    super::become_command(proc, line.operands).await
}
