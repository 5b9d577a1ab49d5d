//! Users, groups and passwords: the package passwd (shadow 4.13), and Debian's adduser.

mod debian;
mod password;

use sundew_kernel::observe::Observation;
use sundew_kernel::process::LineReader;
use sundew_kernel::signal::Disposition;
use sundew_kernel::tty::termios::ECHO;
use sundew_kernel::{ExitStatus, Process, STDIN, Signal};

use super::{fail, help, joined, lines, print, read, said, write};
use crate::getopt::{Arity, Getopt, Opt, Spec};
use crate::users::Directory;

pub(super) use debian::{adduser, deluser};
use password::{ask, new_password};
pub(super) use password::{chpasswd, passwd};

const PASSWD: &[u8] = b"/etc/passwd";
const SHADOW: &[u8] = b"/etc/shadow";
const GROUP: &[u8] = b"/etc/group";
/// The first number of people's users and groups: `/etc/login.defs`.
const FIRST_ID: u32 = 1000;
/// The last of them.
const LAST_ID: u32 = 60_000;
/// The group `users`.
const USERS: u32 = 100;
const SECONDS_PER_DAY: i64 = 86_400;

const USER_SPEC: Spec = Spec::new(
    "b:c:d:De:f:g:G:hk:K:lmMNop:rR:s:u:UZaLU",
    &[
        ("base-dir", Arity::Required, "b"),
        ("comment", Arity::Required, "c"),
        ("home-dir", Arity::Required, "d"),
        ("home", Arity::Required, "d"),
        ("defaults", Arity::No, "D"),
        ("expiredate", Arity::Required, "e"),
        ("inactive", Arity::Required, "f"),
        ("gid", Arity::Required, "g"),
        ("groups", Arity::Required, "G"),
        ("help", Arity::No, "h"),
        ("skel", Arity::Required, "k"),
        ("key", Arity::Required, "K"),
        ("no-log-init", Arity::No, "l"),
        ("create-home", Arity::No, "m"),
        ("no-create-home", Arity::No, "M"),
        ("no-user-group", Arity::No, "N"),
        ("non-unique", Arity::No, "o"),
        ("password", Arity::Required, "p"),
        ("system", Arity::No, "r"),
        ("shell", Arity::Required, "s"),
        ("uid", Arity::Required, "u"),
        ("user-group", Arity::No, "U"),
        ("append", Arity::No, "a"),
        ("lock", Arity::No, "L"),
        ("unlock", Arity::No, "U"),
        ("badname", Arity::No, "Z"),
    ],
);

/// usermod's, whose `-l` takes a name.
const MOD_SPEC: Spec = Spec::new(
    "abc:d:e:f:g:G:hl:Lmop:rR:P:s:u:Uv:V:w:W:Z:",
    &[
        ("append", Arity::No, "a"),
        ("badname", Arity::No, "Z"),
        ("comment", Arity::Required, "c"),
        ("home", Arity::Required, "d"),
        ("expiredate", Arity::Required, "e"),
        ("inactive", Arity::Required, "f"),
        ("gid", Arity::Required, "g"),
        ("groups", Arity::Required, "G"),
        ("help", Arity::No, "h"),
        ("login", Arity::Required, "l"),
        ("lock", Arity::No, "L"),
        ("move-home", Arity::No, "m"),
        ("non-unique", Arity::No, "o"),
        ("password", Arity::Required, "p"),
        ("remove", Arity::No, "r"),
        ("shell", Arity::Required, "s"),
        ("uid", Arity::Required, "u"),
        ("unlock", Arity::No, "U"),
    ],
);

#[derive(Default)]
struct Wishes {
    comment: Option<Vec<u8>>,
    home: Option<Vec<u8>>,
    group: Option<Vec<u8>>,
    groups: Option<Vec<u8>>,
    password: Option<Vec<u8>>,
    shell: Option<Vec<u8>>,
    uid: Option<u32>,
    make_home: bool,
    duplicate: bool,
    system: bool,
    append: bool,
    lock: bool,
    unlock: bool,
    no_group: bool,
    base: Option<Vec<u8>>,
    /// The new name: `usermod -l`.
    login: Option<Vec<u8>>,
    shows_defaults: bool,
    /// No option at all.
    nothing: bool,
    name: Vec<u8>,
}

impl Wishes {
    async fn read(proc: &mut Process, program: &str) -> Result<Self, ExitStatus> {
        let mut wishes = Self::default();
        let spec = if program == "usermod" {
            &MOD_SPEC
        } else {
            &USER_SPEC
        };
        let mut any = false;
        let mut options = Getopt::new(spec, proc.args());
        while let Some(option) = options.next() {
            let Opt { key, value, .. } = match option {
                Ok(option) => option,
                Err(error) => {
                    proc.complain_text(error.text()).await;
                    return Err(fail(proc, help(program), 2).await);
                }
            };
            any = true;
            match key {
                "h" => return Err(print(proc, help(program)).await),
                "c" => wishes.comment = Some(value),
                "d" => wishes.home = Some(value),
                "g" => wishes.group = Some(value),
                "G" => wishes.groups = Some(value),
                "p" => wishes.password = Some(value),
                "s" => wishes.shell = Some(value),
                "u" => match number(&value) {
                    Some(uid) => wishes.uid = Some(uid),
                    None => return Err(invalid(proc, program, "user ID", &value).await),
                },
                "e" if !is_date(&value) => {
                    return Err(invalid(proc, program, "date", &value).await);
                }
                "b" if program == "useradd" && !value.starts_with(b"/") => {
                    return Err(invalid(proc, program, "base directory", &value).await);
                }
                "b" if program == "useradd" => wishes.base = Some(value),
                "l" if program == "usermod" => wishes.login = Some(value),
                "N" => wishes.no_group = true,
                "D" => wishes.shows_defaults = true,
                "m" => wishes.make_home = true,
                "o" => wishes.duplicate = true,
                "r" => wishes.system = true,
                "a" => wishes.append = true,
                "L" => wishes.lock = true,
                "U" => wishes.unlock = true,
                _ => {}
            }
        }
        if let Some(status) = wishes.refused(proc, program).await {
            return Err(status);
        }
        wishes.nothing = program == "usermod" && !any;
        let operands = options.operands();
        if operands.len() > 1 {
            return Err(fail(proc, help(program), 2).await);
        }
        match operands.first() {
            Some(name) => wishes.name.clone_from(name),
            None if wishes.shows_defaults && proc.args().len() == 2 => {
                return Err(print(proc, DEFAULTS).await);
            }
            None if wishes.shows_defaults => return Err(proc.status()),
            None => return Err(fail(proc, help(program), 2).await),
        }
        Ok(wishes)
    }

    /// What the programs do not take whoever it is for.
    async fn refused(&self, proc: &mut Process, program: &str) -> Option<ExitStatus> {
        let is_new = program == "useradd";
        if self.append && self.groups.is_none() {
            let text = format!("{program}: -a flag is only allowed with the -G flag\n");
            return Some(fail(proc, [text.as_bytes(), help(program)].concat(), 2).await);
        }
        if !is_new {
            let ways = [self.lock, self.password.is_some(), self.unlock];
            let why = if ways.into_iter().filter(|way| *way).count() > 1 {
                "the -L, -p, and -U flags are exclusive"
            } else if self.make_home && self.home.is_none() {
                "-m flag is only allowed with the -d flag"
            } else {
                ""
            };
            if !why.is_empty() {
                let text = format!("{program}: {why}\n");
                return Some(fail(proc, [text.as_bytes(), help(program)].concat(), 2).await);
            }
        }
        if let Some(comment) = self.comment.as_ref().filter(|text| text.contains(&b':')) {
            let what = if is_new { "comment" } else { "field" };
            return Some(invalid(proc, program, what, comment).await);
        }
        if let Some(home) = self.home.as_ref().filter(|path| !path.starts_with(b"/")) {
            return Some(if is_new {
                invalid(proc, program, "home directory", home).await
            } else {
                let text = format!("{program}: homedir must be an absolute path\n");
                fail(proc, text, 3).await
            });
        }
        let shell = self.shell.as_ref().filter(|path| !path.is_empty())?;
        if !shell.starts_with(b"/") && shell != b"*" {
            return Some(invalid(proc, program, "shell", shell).await);
        }
        let usable = proc.stat(shell).is_ok_and(|file| {
            file.file_type == sundew_vfs::FileType::Regular && file.mode & 0o111 != 0
        });
        if !usable {
            let text = b": Warning: missing or non-executable shell '";
            proc.print_error(&[program.as_bytes(), text, shell, b"'\n"].concat())
                .await;
        }
        None
    }
}

/// What `useradd -D` shows of `/etc/default/useradd`.
const DEFAULTS: &str = "GROUP=100\nHOME=/home\nINACTIVE=-1\nEXPIRE=\nSHELL=/bin/sh\nSKEL=/etc/skel\nCREATE_MAIL_SPOOL=no\nLOG_INIT=yes\n";

/// Whether `-e` takes it: nothing, a day's number or `YYYY-MM-DD`.
fn is_date(text: &[u8]) -> bool {
    let text = std::str::from_utf8(text).unwrap_or("?");
    text.is_empty() || text.parse::<i64>().is_ok() || text.parse::<jiff::civil::Date>().is_ok()
}

async fn invalid(proc: &mut Process, program: &str, what: &str, value: &[u8]) -> ExitStatus {
    let text = format!("{program}: invalid {what} '");
    fail(proc, [text.as_bytes(), value, b"'\n"].concat(), 3).await
}

/// Complains of groups that do not exist.
async fn unknown_groups(
    proc: &mut Process,
    program: &str,
    users: &Directory,
    groups: &[u8],
) -> Option<ExitStatus> {
    let mut names = groups.split(|&byte| byte == b',');
    let unknown: Vec<u8> = names
        .by_ref()
        .filter(|name| !name.is_empty() && users.group(name).is_none())
        .flat_map(|name| {
            [
                program.as_bytes(),
                b": group '",
                name,
                b"' does not exist\n",
            ]
            .concat()
        })
        .collect();
    if unknown.is_empty() {
        return None;
    }
    Some(fail(proc, unknown, 6).await)
}

pub(super) fn number(text: &[u8]) -> Option<u32> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// `useradd`.
#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
pub(super) async fn useradd(proc: &mut Process) -> ExitStatus {
    let wishes = match Wishes::read(proc, "useradd").await {
        Ok(wishes) => wishes,
        Err(status) => return status,
    };
    if let Some(status) = not_root(proc, "useradd").await {
        return status;
    }
    let users = Directory::load(proc).await;
    let name = &wishes.name;
    if users.user(name).is_some() {
        return fail(
            proc,
            [b"useradd: user '".as_slice(), name, b"' already exists\n"].concat(),
            9,
        )
        .await;
    }
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.$".contains(byte);
    if name.first().is_none_or(|byte| b"-.".contains(byte)) || !name.iter().all(plain) {
        return fail(
            proc,
            [
                b"useradd: invalid user name '".as_slice(),
                name,
                b"': use --badname to ignore\n",
            ]
            .concat(),
            3,
        )
        .await;
    }
    if let Some(uid) = wishes
        .uid
        .filter(|uid| !wishes.duplicate && users.user_by_id(*uid).is_some())
    {
        return fail(proc, format!("useradd: UID {uid} is not unique\n"), 4).await;
    }
    if let Some(groups) = &wishes.groups
        && let Some(status) = unknown_groups(proc, "useradd", &users, groups).await
    {
        return status;
    }
    let uid = wishes
        .uid
        .unwrap_or_else(|| free_id(&users, wishes.system, &|id| users.user_by_id(id).is_some()));
    let gid = match &wishes.group {
        None if wishes.no_group => USERS,
        None => {
            let gid = if users.group_name(uid).is_none() {
                uid
            } else {
                free_id(&users, wishes.system, &|id| users.group_name(id).is_some())
            };
            append(
                proc,
                GROUP,
                &[name, b":x:".as_slice(), gid.to_string().as_bytes(), b":"].concat(),
            )
            .await;
            gid
        }
        Some(wanted) => match users
            .group(wanted)
            .map(|group| group.gid)
            .or_else(|| number(wanted))
        {
            Some(gid) => gid,
            None => {
                return fail(
                    proc,
                    [
                        b"useradd: group '".as_slice(),
                        wanted,
                        b"' does not exist\n",
                    ]
                    .concat(),
                    6,
                )
                .await;
            }
        },
    };
    if !wishes.system && !(FIRST_ID..=LAST_ID).contains(&uid) {
        let text = format!(
            "'s uid {uid} outside of the UID_MIN {FIRST_ID} and UID_MAX {LAST_ID} range.\n"
        );
        proc.print_error(&[b"useradd warning: ".as_slice(), name, text.as_bytes()].concat())
            .await;
    }
    add(proc, &wishes, uid, gid).await;
    proc.status()
}

/// Writes the new user into the files and makes the home.
async fn add(proc: &mut Process, wishes: &Wishes, uid: u32, gid: u32) {
    let name = &wishes.name;
    let home = wishes.home.clone().unwrap_or_else(|| {
        let base = wishes.base.as_deref().unwrap_or(b"/home");
        [base, b"/", name].concat()
    });
    let shell = wishes.shell.clone().unwrap_or_else(|| b"/bin/sh".to_vec());
    let ids = format!("{uid}:{gid}");
    let numbers = format!(", UID={uid}, GID={gid}, home=");
    let tty = said::place(proc);
    said::account(
        proc,
        b"useradd",
        &[
            b"new user: name=",
            name,
            numbers.as_bytes(),
            &home,
            b", shell=",
            &shell,
            b", from=",
            &tty,
        ],
    );
    let comment = wishes.comment.clone().unwrap_or_default();
    append(
        proc,
        PASSWD,
        &[
            name.as_slice(),
            b"x",
            ids.as_bytes(),
            &comment,
            &home,
            &shell,
        ]
        .join(&b':'),
    )
    .await;
    let password = wishes.password.clone().unwrap_or_else(|| b"!".to_vec());
    let today = proc.now().secs / SECONDS_PER_DAY;
    append(
        proc,
        SHADOW,
        &[
            name.as_slice(),
            &password,
            format!("{today}:0:99999:7:::").as_bytes(),
        ]
        .join(&b':'),
    )
    .await;
    if let Some(groups) = &wishes.groups {
        join_groups(proc, name, groups, true).await;
    }
    if wishes.make_home && proc.make_directory(&home, 0o755).is_ok() {
        for entry in proc.read_directory(b"/etc/skel").unwrap_or_default() {
            let text = read(proc, &[b"/etc/skel/".as_slice(), &entry.name].concat())
                .await
                .unwrap_or_default();
            let path = [home.as_slice(), b"/", &entry.name].concat();
            // The home is a convenience; the user exists anyway.
            let _full = write(proc, &path, &text, 0o644).await;
            let _owned = proc.change_owner(&path, Some(uid), Some(gid), false);
        }
        let _owned = proc.change_owner(&home, Some(uid), Some(gid), false);
    }
}

/// `deluser USER GROUP`.
async fn leave(proc: &mut Process, users: &Directory, name: &[u8], group: &[u8]) -> ExitStatus {
    let Some(known) = users.group(group) else {
        let text = [
            b"deluser: The group `".as_slice(),
            group,
            b"' does not exist.\n",
        ];
        return fail(proc, text.concat(), 3).await;
    };
    if !known.members.iter().any(|member| member == name) {
        let text = [
            b"deluser: The user `".as_slice(),
            name,
            b"' is not a member of group `",
            group,
            b"'.\n",
        ];
        return fail(proc, text.concat(), 6).await;
    }
    let text = [
        b"Removing user `".as_slice(),
        name,
        b"' from group `",
        group,
        b"' ...\nDone.\n",
    ];
    print(proc, text.concat()).await;
    edit(proc, GROUP, |fields| {
        if fields.first().is_some_and(|own| own == group)
            && let Some(members) = fields.get_mut(3)
        {
            let left: Vec<&[u8]> = members
                .split(|&byte| byte == b',')
                .filter(|member| *member != name)
                .collect();
            *members = left.join(&b',');
        }
        true
    })
    .await;
    proc.status()
}

/// A number for a new user or group: the highest that is free for the system's own, the next for people.
fn free_id(users: &Directory, system: bool, taken: &dyn Fn(u32) -> bool) -> u32 {
    if system {
        return (100..FIRST_ID)
            .rev()
            .find(|id| !taken(*id))
            .unwrap_or(FIRST_ID - 1);
    }
    let most = users
        .users()
        .iter()
        .map(|user| user.uid)
        .filter(|uid| (FIRST_ID..60_000).contains(uid))
        .max();
    most.map_or(FIRST_ID, |most| most + 1)
}

pub(super) async fn append(proc: &Process, path: &[u8], line: &[u8]) {
    let mut text = read(proc, path).await.unwrap_or_default();
    if !text.is_empty() && !text.ends_with(b"\n") {
        text.push(b'\n');
    }
    text.extend_from_slice(line);
    text.push(b'\n');
    // A full disk leaves things as they are.
    let _full = write(proc, path, &text, 0o644).await;
}

/// Changes the lines of a file; whether any was changed.
pub(super) async fn edit(
    proc: &Process,
    path: &[u8],
    mut change: impl FnMut(&mut Vec<Vec<u8>>) -> bool,
) -> bool {
    let Ok(text) = read(proc, path).await else {
        return false;
    };
    let mut changed = false;
    let rows: Vec<Vec<u8>> = lines(&text)
        .into_iter()
        .filter_map(|line| {
            let mut fields: Vec<Vec<u8>> = line
                .split(|&byte| byte == b':')
                .map(<[u8]>::to_vec)
                .collect();
            let keep = change(&mut fields);
            let line_now = fields.join(&b':');
            changed |= !keep || line_now != line;
            keep.then_some(line_now)
        })
        .collect();
    changed && write(proc, path, &joined(&rows), 0o644).await.is_ok()
}

async fn join_groups(proc: &Process, user: &[u8], groups: &[u8], append: bool) {
    let wanted: Vec<&[u8]> = groups.split(|&byte| byte == b',').collect();
    edit(proc, GROUP, |fields| {
        let named = fields
            .first()
            .is_some_and(|name| wanted.contains(&name.as_slice()));
        if let Some(members) = fields.get_mut(3) {
            let mut list: Vec<Vec<u8>> = members
                .split(|&byte| byte == b',')
                .filter(|name| !name.is_empty())
                .map(<[u8]>::to_vec)
                .collect();
            let there = list.iter().any(|name| name == user);
            if named && !there {
                list.push(user.to_vec());
            } else if !named && !append {
                list.retain(|name| name != user);
            }
            *members = list.join(&b',');
        }
        true
    })
    .await;
}

pub(super) async fn not_root(proc: &mut Process, program: &str) -> Option<ExitStatus> {
    if proc.credentials().uid == 0 {
        return None;
    }
    let text = format!(
        "{program}: Permission denied.\n{program}: cannot lock /etc/passwd; try again later.\n"
    );
    Some(fail(proc, text, 1).await)
}

/// `usermod`.
#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
pub(super) async fn usermod(proc: &mut Process) -> ExitStatus {
    let wishes = match Wishes::read(proc, "usermod").await {
        Ok(wishes) => wishes,
        Err(status) => return status,
    };
    if let Some(status) = not_root(proc, "usermod").await {
        return status;
    }
    let users = Directory::load(proc).await;
    if users.user(&wishes.name).is_none() {
        return fail(
            proc,
            [
                b"usermod: user '".as_slice(),
                &wishes.name,
                b"' does not exist\n",
            ]
            .concat(),
            6,
        )
        .await;
    }
    if wishes.nothing {
        let text = [b"usermod: no options\n".as_slice(), help("usermod")];
        return fail(proc, text.concat(), 2).await;
    }
    if let Some(login) = wishes
        .login
        .as_ref()
        .filter(|login| users.user(login).is_some())
    {
        let text = [b"usermod: user '".as_slice(), login, b"' already exists\n"];
        return fail(proc, text.concat(), 9).await;
    }
    let gid = wishes.group.as_ref().and_then(|name| {
        users
            .group(name)
            .map(|group| group.gid)
            .or_else(|| number(name))
    });
    if let Some(group) = &wishes.group
        && gid.is_none()
        && let Some(status) = unknown_groups(proc, "usermod", &users, group).await
    {
        return status;
    }
    if let Some(uid) = wishes.uid.filter(|uid| {
        let other = users.user_by_id(*uid);
        !wishes.duplicate && other.is_some_and(|user| user.name != wishes.name)
    }) {
        return fail(proc, format!("usermod: UID '{uid}' already exists\n"), 4).await;
    }
    if let Some(groups) = &wishes.groups {
        if let Some(status) = unknown_groups(proc, "usermod", &users, groups).await {
            return status;
        }
        join_groups(proc, &wishes.name, groups, wishes.append).await;
    }
    edit(proc, PASSWD, |fields| {
        if fields.first() == Some(&wishes.name) {
            let changes = [
                (0, wishes.login.clone()),
                (2, wishes.uid.map(|uid| uid.to_string().into_bytes())),
                (3, gid.map(|gid| gid.to_string().into_bytes())),
                (4, wishes.comment.clone()),
                (5, wishes.home.clone()),
                (6, wishes.shell.clone()),
            ];
            for (at, value) in changes {
                if let (Some(field), Some(value)) = (fields.get_mut(at), value) {
                    *field = value;
                }
            }
        }
        true
    })
    .await;
    edit(proc, SHADOW, |fields| {
        if fields.first() != Some(&wishes.name) {
            return true;
        }
        if let (Some(field), Some(name)) = (fields.first_mut(), &wishes.login) {
            field.clone_from(name);
        }
        if let Some(field) = fields.get_mut(1) {
            if let Some(password) = &wishes.password {
                field.clone_from(password);
            }
            if wishes.lock && !field.starts_with(b"!") {
                field.insert(0, b'!');
            } else if wishes.unlock && field.starts_with(b"!") {
                field.remove(0);
            }
        }
        true
    })
    .await;
    proc.status()
}

/// What `deluser root` answers.
const DELETES_ROOT: &str = "WARNING: You are just about to delete the root account (uid 0)\nUsually this is never required as it may render the whole system unusable\nIf you really want this, call deluser with parameter --no-preserve-root\nStopping now without having performed any action\n";

/// `userdel`, and Debian's `deluser`.
#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
pub(super) async fn userdel(proc: &mut Process) -> ExitStatus {
    let debian = proc.base_name().starts_with(b"del");
    let words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    let Some(name) = words.iter().find(|word| !word.starts_with(b"-")).cloned() else {
        return fail(
            proc,
            if debian {
                b"deluser: Only one or two names allowed.\n".as_slice()
            } else {
                help("userdel")
            },
            if debian { 1 } else { 2 },
        )
        .await;
    };
    if let Some(status) = not_root(proc, "userdel").await {
        return status;
    }
    let users = Directory::load(proc).await;
    let Some(user) = users.user(&name) else {
        return if debian {
            fail(
                proc,
                [
                    b"deluser: The user `".as_slice(),
                    &name,
                    b"' does not exist.\n",
                ]
                .concat(),
                2,
            )
            .await
        } else {
            fail(
                proc,
                [b"userdel: user '".as_slice(), &name, b"' does not exist\n"].concat(),
                6,
            )
            .await
        };
    };
    let operands: Vec<Vec<u8>> = words
        .iter()
        .filter(|word| !word.starts_with(b"-"))
        .cloned()
        .collect();
    if let (true, Some(group)) = (debian, operands.get(1)) {
        return leave(proc, &users, &name, group).await;
    }
    if debian && user.uid == 0 && !words.iter().any(|word| word == b"--no-preserve-root") {
        return fail(proc, DELETES_ROOT, 9).await;
    }
    let forced = words
        .iter()
        .any(|word| matches!(word.as_slice(), b"-f" | b"-rf" | b"-fr" | b"--force"));
    let busy = proc.processes().into_iter().find(|one| one.uid == user.uid);
    if let Some(one) = busy.filter(|_| !forced) {
        let name = String::from_utf8_lossy(&name).into_owned();
        let pid = one.pid;
        let mut text = format!("userdel: user {name} is currently used by process {pid}\n");
        if debian {
            print(proc, format!("Removing user `{name}' ...\n")).await;
            let _flushed = proc.flush().await;
            text += &format!("deluser: `/sbin/userdel {name}' returned error code 8. Exiting.\n");
        }
        return fail(proc, text, if debian { 1 } else { 8 }).await;
    }
    if debian {
        print(
            proc,
            [b"Removing user `".as_slice(), &name, b"' ...\n"].concat(),
        )
        .await;
    }
    for path in [PASSWD, SHADOW] {
        edit(proc, path, |fields| fields.first() != Some(&name)).await;
    }
    edit(proc, GROUP, |fields| {
        fields.first() != Some(&name) || fields.get(3).is_some_and(|members| !members.is_empty())
    })
    .await;
    if words.iter().any(|word| {
        matches!(
            word.as_slice(),
            b"-r" | b"-rf" | b"--remove" | b"--remove-home"
        )
    }) && user.uid >= FIRST_ID
    {
        if !debian {
            proc.print_error(
                &[
                    b"userdel: ".as_slice(),
                    &name,
                    b" mail spool (/var/mail/",
                    &name,
                    b") not found\n",
                ]
                .concat(),
            )
            .await;
        }
        for entry in proc.read_directory(&user.home).unwrap_or_default() {
            // Directories below stay; so does the home then.
            let _directory = proc.unlink(&[user.home.as_slice(), b"/", &entry.name].concat());
        }
        let _not_empty = proc.remove_directory(&user.home);
    }
    if debian {
        print(proc, "Done.\n").await
    } else {
        proc.status()
    }
}

/// `groupadd`.
pub(super) async fn groupadd(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new(
        "fg:hK:op:rR:P:U:",
        &[
            ("force", Arity::No, "f"),
            ("gid", Arity::Required, "g"),
            ("help", Arity::No, "h"),
            ("system", Arity::No, "r"),
        ],
    );
    let mut options = Getopt::new(&SPEC, proc.args());
    let (mut force, mut gid, mut system, mut duplicate) = (false, None, false, false);
    while let Some(option) = options.next() {
        match option {
            Ok(Opt { key: "f", .. }) => force = true,
            Ok(Opt {
                key: "g", value, ..
            }) => gid = number(&value),
            Ok(Opt { key: "r", .. }) => system = true,
            Ok(Opt { key: "o", .. }) => duplicate = true,
            Ok(Opt { key: "h", .. }) => return print(proc, help("groupadd")).await,
            Ok(_) => {}
            Err(error) => {
                proc.complain_text(error.text()).await;
                return fail(proc, help("groupadd"), 2).await;
            }
        }
    }
    let Some(name) = options.operands().first().cloned() else {
        return fail(proc, help("groupadd"), 2).await;
    };
    if let Some(status) = not_root(proc, "groupadd").await {
        return status;
    }
    let users = Directory::load(proc).await;
    if users.group(&name).is_some() {
        if force {
            return proc.status();
        }
        return fail(
            proc,
            [
                b"groupadd: group '".as_slice(),
                &name,
                b"' already exists\n",
            ]
            .concat(),
            9,
        )
        .await;
    }
    if let Some(gid) = gid.filter(|gid| !duplicate && users.group_name(*gid).is_some())
        && !force
    {
        return fail(proc, format!("groupadd: GID '{gid}' already exists\n"), 4).await;
    }
    let gid = gid.unwrap_or_else(|| free_id(&users, system, &|id| users.group_name(id).is_some()));
    append(
        proc,
        GROUP,
        &[name.as_slice(), b":x:", gid.to_string().as_bytes(), b":"].concat(),
    )
    .await;
    proc.status()
}

/// `adduser` of a person, and into a group.
#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
async fn add_person(proc: &mut Process) -> ExitStatus {
    let mut wishes = Wishes {
        make_home: true,
        shell: Some(b"/bin/bash".to_vec()),
        ..Wishes::default()
    };
    let (mut asks_password, mut asks_name, mut names) = (true, true, Vec::new());
    let mut words = proc
        .args()
        .iter()
        .skip(1)
        .cloned()
        .collect::<Vec<_>>()
        .into_iter();
    while let Some(word) = words.next() {
        match word.as_slice() {
            b"--disabled-password" | b"--disabled-login" => asks_password = false,
            b"--gecos" => {
                asks_name = false;
                wishes.comment = words.next();
            }
            b"--home" => wishes.home = words.next(),
            b"--shell" => wishes.shell = words.next(),
            b"--uid" => wishes.uid = words.next().as_deref().and_then(number),
            b"--no-create-home" => wishes.make_home = false,
            b"--ingroup" | b"--gid" | b"--firstuid" => drop(words.next()),
            option if option.starts_with(b"-") => {}
            _ => names.push(word),
        }
    }
    let users = Directory::load(proc).await;
    let Some(name) = names.first().cloned() else {
        return fail(proc, "adduser: Only one or two names allowed.\n", 1).await;
    };
    if proc.credentials().uid != 0 {
        return fail(
            proc,
            "adduser: Only root may add a user or group to the system.\n",
            1,
        )
        .await;
    }
    if let Some(group) = names.get(1) {
        if users.user(&name).is_none() {
            let text = [
                b"adduser: The user `".as_slice(),
                &name,
                b"' does not exist.\n",
            ];
            return fail(proc, text.concat(), 1).await;
        }
        if users.group(group).is_none() {
            let text = [
                b"adduser: The group `".as_slice(),
                group,
                b"' does not exist.\n",
            ];
            return fail(proc, text.concat(), 1).await;
        }
        let member = |group: &crate::users::Group| group.members.contains(&name);
        if users.group(group).is_some_and(member) {
            let text = [
                b"adduser: The user `".as_slice(),
                &name,
                b"' is already a member of `",
                group,
                b"'.\n",
            ];
            proc.print_error(&text.concat()).await;
            return proc.status();
        }
        join_groups(proc, &name, group, true).await;
        return print(
            proc,
            [
                b"Adding user `".as_slice(),
                &name,
                b"' to group `",
                group,
                b"' ...\nDone.\n",
            ]
            .concat(),
        )
        .await;
    }
    if users.user(&name).is_some() {
        return fail(
            proc,
            [
                b"adduser: The user `".as_slice(),
                &name,
                b"' already exists.\n",
            ]
            .concat(),
            1,
        )
        .await;
    }
    wishes.name.clone_from(&name);
    let uid = wishes
        .uid
        .unwrap_or_else(|| free_id(&users, wishes.system, &|id| users.user_by_id(id).is_some()));
    let shown = String::from_utf8_lossy(&name).into_owned();
    print(proc, format!("Adding user `{shown}' ...\nAdding new group `{shown}' ({uid}) ...\nAdding new user `{shown}' ({uid}) with group `{shown} ({uid})' ...\nCreating home directory `/home/{shown}' ...\nCopying files from `/etc/skel' ...\n")).await;
    append(
        proc,
        GROUP,
        &[name.as_slice(), b":x:", uid.to_string().as_bytes(), b":"].concat(),
    )
    .await;
    add(proc, &wishes, uid, uid).await;
    let mut input = LineReader::new(proc, STDIN);
    if asks_password {
        new_password(proc, &mut input, &name).await;
    }
    if asks_name {
        print(proc, format!("Changing the user information for {shown}\nEnter the new value, or press ENTER for the default\n")).await;
        for question in [
            "\tFull Name []: ",
            "\tRoom Number []: ",
            "\tWork Phone []: ",
            "\tHome Phone []: ",
            "\tOther []: ",
            "Is the information correct? [Y/n] ",
        ] {
            print(proc, question).await;
            let _flushed = proc.flush().await;
            let _answer = ask(proc, &mut input, false).await;
        }
    }
    print(proc, format!("Adding new user `{shown}' to supplemental / extra groups `users' ...\nAdding user `{shown}' to group `users' ...\n")).await
}

/// `nologin`.
pub(super) async fn nologin(proc: &mut Process) -> ExitStatus {
    print(proc, "This account is currently not available.\n").await;
    ExitStatus::FAILURE
}
