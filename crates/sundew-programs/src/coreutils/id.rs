//! id(1), whoami(1), groups(1), logname(1).

use sundew_kernel::{ExitStatus, Process};
use sundew_vfs::Credentials;

use super::{about, input};
use crate::getopt::{Arity, Getopt, Spec, refuse};
use crate::users::Directory;

const SPEC: Spec = Spec::gnu(
    "agnruzGZ",
    &[
        ("context", Arity::No, "Z"),
        ("group", Arity::No, "g"),
        ("groups", Arity::No, "G"),
        ("name", Arity::No, "n"),
        ("real", Arity::No, "r"),
        ("user", Arity::No, "u"),
        ("zero", Arity::No, "z"),
    ],
);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Show {
    All,
    User,
    Group,
    Groups,
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each option, in one place"
)]
pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let (mut show, mut names, mut real, mut zero, mut choices) =
        (Show::All, false, false, false, 0);
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        let choice = match option.map(|option| option.key) {
            Ok("a") => continue,
            Ok("g") => Show::Group,
            Ok("G") => Show::Groups,
            Ok("u") => Show::User,
            Ok("n") => {
                names = true;
                continue;
            }
            Ok("r") => {
                real = true;
                continue;
            }
            Ok("z") => {
                zero = true;
                continue;
            }
            Ok("Z") => {
                proc.complain_text("--context (-Z) works only on an SELinux-enabled kernel")
                    .await;
                return proc.status();
            }
            Ok(key) => return about::run(proc, key, "id").await,
            Err(error) => return refuse(proc, &error, 1).await,
        };
        choices += i32::from(show != choice);
        show = choice;
    }
    if choices > 1 {
        proc.complain_text("cannot print \"only\" of more than one choice")
            .await;
        return proc.status();
    }
    if show == Show::All && (names || real) {
        proc.complain_text("cannot print only names or real IDs in default format")
            .await;
        return proc.status();
    }
    if show == Show::All && zero {
        proc.complain_text("option --zero not permitted in default format")
            .await;
        return proc.status();
    }
    let known = Directory::load(proc).await;
    let operands = options.operands();
    let many = operands.len() > 1;
    let subjects = if operands.is_empty() {
        vec![None]
    } else {
        operands.into_iter().map(Some).collect()
    };
    for subject in subjects {
        let Some(mut who) = find(proc, &known, subject.as_deref()).await else {
            continue;
        };
        let effective = (who.uid, who.gid);
        if subject.is_none() && (real || show == Show::All) {
            (who.uid, who.gid) = proc.real_ids();
        }
        let separator = if zero { b"\0" } else { b" " };
        let mut line = match show {
            Show::All => whole(&who, effective, &known),
            Show::User if names => known.user_text(who.uid),
            Show::User => who.uid.to_string().into_bytes(),
            Show::Group if names => known.group_text(who.gid),
            Show::Group => who.gid.to_string().into_bytes(),
            Show::Groups => {
                let text = |gid| {
                    if names {
                        known.group_text(gid)
                    } else {
                        gid.to_string().into_bytes()
                    }
                };
                all_groups(&who)
                    .into_iter()
                    .map(text)
                    .collect::<Vec<_>>()
                    .join(separator.as_slice())
            }
        };
        line.push(if zero { 0 } else { b'\n' });
        if zero && many && show == Show::Groups {
            line.push(0);
        }
        if proc.print(&line).await.is_err() {
            break;
        }
    }
    proc.status()
}

/// The process's own credentials, or those that a login of `subject` would get.
async fn find(
    proc: &mut Process,
    known: &Directory,
    subject: Option<&[u8]>,
) -> Option<Credentials> {
    let Some(name) = subject else {
        return Some((*proc.credentials()).clone());
    };
    let user = known.user(name).or_else(|| {
        known.user_by_id(
            std::str::from_utf8(name.strip_prefix(b"+").unwrap_or(name))
                .ok()?
                .parse()
                .ok()?,
        )
    });
    let Some(user) = user else {
        let name = crate::quote::text(proc, name);
        proc.complain_text([name.as_slice(), b": no such user"].concat())
            .await;
        return None;
    };
    Some(Credentials {
        uid: user.uid,
        gid: user.gid,
        groups: known.groups_of(user),
    })
}

/// The group first, then the others.
fn all_groups(who: &Credentials) -> Vec<u32> {
    let mut groups = vec![who.gid];
    groups.extend(who.groups.iter().filter(|gid| **gid != who.gid));
    groups
}

/// The real ids, and the effective ones where they differ.
fn whole(who: &Credentials, effective: (u32, u32), known: &Directory) -> Vec<u8> {
    let named = |id: u32, name: Option<&[u8]>| match name {
        Some(name) => [id.to_string().as_bytes(), b"(", name, b")"].concat(),
        None => id.to_string().into_bytes(),
    };
    let (uid, gid) = effective;
    let mut euid = Vec::new();
    if uid != who.uid {
        euid = [b" euid=".as_slice(), &named(uid, known.user_name(uid))].concat();
    }
    let mut egid = Vec::new();
    if gid != who.gid {
        egid = [b" egid=".as_slice(), &named(gid, known.group_name(gid))].concat();
    }
    let groups: Vec<Vec<u8>> = all_groups(who)
        .into_iter()
        .map(|gid| named(gid, known.group_name(gid)))
        .collect();
    [
        b"uid=".as_slice(),
        &named(who.uid, known.user_name(who.uid)),
        b" gid=",
        &named(who.gid, known.group_name(who.gid)),
        &euid,
        &egid,
        b" groups=",
        &groups.join(b",".as_slice()),
    ]
    .concat()
}

pub(crate) async fn run_whoami(proc: &mut Process) -> ExitStatus {
    let mut options = Getopt::new(&Spec::gnu("", &[]), proc.args());
    if let Some(option) = options.next() {
        return match option {
            Ok(option) => about::run(proc, option.key, "whoami").await,
            Err(error) => refuse(proc, &error, 1).await,
        };
    }
    if let Some(word) = options.operands().first() {
        return input::extra_operand(proc, word).await;
    }
    let uid = proc.credentials().uid;
    let known = Directory::load(proc).await;
    match known.user_name(uid) {
        Some(name) => {
            // A closed output is reported when the program ends.
            let _reported_at_exit = proc.print(&[name, b"\n"].concat()).await;
        }
        None => {
            proc.complain_text(format!("cannot find name for user ID {uid}"))
                .await
        }
    }
    proc.status()
}

pub(crate) async fn run_logname(proc: &mut Process) -> ExitStatus {
    let mut options = Getopt::new(&Spec::gnu("", &[]), proc.args());
    if let Some(option) = options.next() {
        return match option {
            Ok(option) => about::run(proc, option.key, "logname").await,
            Err(error) => refuse(proc, &error, 1).await,
        };
    }
    if let Some(word) = options.operands().first() {
        return input::extra_operand(proc, word).await;
    }
    // Only a session on a terminal has a login record.
    let uid = proc.credentials().uid;
    let known = Directory::load(proc).await;
    match known
        .user_name(uid)
        .filter(|_| proc.controlling_terminal().is_some())
    {
        Some(name) => {
            // A closed output is reported when the program ends.
            let _reported_at_exit = proc.print(&[name, b"\n"].concat()).await;
        }
        None => proc.complain_text("no login name").await,
    }
    proc.status()
}

pub(crate) async fn run_groups(proc: &mut Process) -> ExitStatus {
    let mut options = Getopt::new(&Spec::gnu("", &[]), proc.args());
    if let Some(option) = options.next() {
        return match option {
            Ok(option) => about::run(proc, option.key, "groups").await,
            Err(error) => refuse(proc, &error, 1).await,
        };
    }
    let known = Directory::load(proc).await;
    let names = |who: &Credentials| {
        let names: Vec<Vec<u8>> = all_groups(who)
            .into_iter()
            .map(|gid| known.group_text(gid))
            .collect();
        names.join(b" ".as_slice())
    };
    let operands = options.operands();
    if operands.is_empty() {
        let line = [names(&proc.credentials()).as_slice(), b"\n"].concat();
        // A closed output is reported when the program ends.
        let _reported_at_exit = proc.print(&line).await;
    }
    for name in operands {
        let Some(who) = find(proc, &known, Some(&name)).await else {
            continue;
        };
        let line = [name.as_slice(), b" : ", &names(&who), b"\n"].concat();
        if proc.print(&line).await.is_err() {
            break;
        }
    }
    proc.status()
}
