//! More of the package passwd (shadow 4.13): groups, shells, ages of passwords, last logins.

use sundew_kernel::{ExitStatus, Process, STDIN};
use sundew_vfs::Timestamp;

use super::account::{edit, not_root};
use super::{fail, help, print, read};
use crate::getopt::{Arity, Getopt, Opt, Spec};
use crate::time::{Shown, Zone};
use crate::users::Directory;
use crate::utmp;

const GROUP: &[u8] = b"/etc/group";
const GSHADOW: &[u8] = b"/etc/gshadow";
const SECONDS_PER_DAY: i64 = 86_400;

/// Options and operands, or the status that a wrong command line or a plea for help ends with.
async fn read_options(
    proc: &mut Process,
    name: &str,
    spec: &Spec,
) -> Result<(Vec<Opt>, Vec<Vec<u8>>), ExitStatus> {
    let mut seen = Vec::new();
    let mut options = Getopt::new(spec, proc.args());
    while let Some(option) = options.next() {
        match option {
            Ok(Opt { key: "h", .. }) => return Err(print(proc, help(name)).await),
            Ok(option) => seen.push(option),
            Err(error) => {
                proc.complain_text(error.text()).await;
                return Err(fail(proc, help(name), 2).await);
            }
        }
    }
    Ok((seen, options.operands()))
}

fn value<'a>(options: &'a [Opt], key: &str) -> Option<&'a [u8]> {
    options
        .iter()
        .rev()
        .find(|option| option.key == key)
        .map(|option| option.value.as_slice())
}

async fn say(proc: &mut Process, parts: &[&[u8]], status: u8) -> ExitStatus {
    fail(proc, parts.concat(), status).await
}

pub(super) async fn groupdel(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new(
        "fhR:P:",
        &[("force", Arity::No, "f"), ("help", Arity::No, "h")],
    );
    let (options, operands) = match read_options(proc, "groupdel", &SPEC).await {
        Ok(read) => read,
        Err(status) => return status,
    };
    let [name] = operands.as_slice() else {
        return fail(proc, help("groupdel"), 2).await;
    };
    if let Some(status) = not_root(proc, "groupdel").await {
        return status;
    }
    let users = Directory::load(proc).await;
    let Some(group) = users.group(name) else {
        return say(
            proc,
            &[b"groupdel: group '", name, b"' does not exist\n"],
            6,
        )
        .await;
    };
    if let Some(user) = users.users().iter().find(|user| user.gid == group.gid)
        && value(&options, "f").is_none()
    {
        return say(
            proc,
            &[
                b"groupdel: cannot remove the primary group of user '",
                &user.name,
                b"'\n",
            ],
            8,
        )
        .await;
    }
    for path in [GROUP, GSHADOW] {
        edit(proc, path, |fields| fields.first() != Some(name)).await;
    }
    proc.status()
}

pub(super) async fn groupmod(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new(
        "ag:hn:op:R:P:U:",
        &[
            ("append", Arity::No, "a"),
            ("gid", Arity::Required, "g"),
            ("help", Arity::No, "h"),
            ("new-name", Arity::Required, "n"),
            ("non-unique", Arity::No, "o"),
            ("users", Arity::Required, "U"),
        ],
    );
    let (options, operands) = match read_options(proc, "groupmod", &SPEC).await {
        Ok(read) => read,
        Err(status) => return status,
    };
    let [name] = operands.as_slice() else {
        return fail(proc, help("groupmod"), 2).await;
    };
    if let Some(status) = not_root(proc, "groupmod").await {
        return status;
    }
    let users = Directory::load(proc).await;
    if users.group(name).is_none() {
        return say(
            proc,
            &[b"groupmod: group '", name, b"' does not exist\n"],
            6,
        )
        .await;
    }
    let new_name = value(&options, "n");
    if let Some(new) = new_name
        && users.group(new).is_some()
    {
        return say(proc, &[b"groupmod: group '", new, b"' already exists\n"], 9).await;
    }
    let gid = value(&options, "g");
    for path in [GROUP, GSHADOW] {
        edit(proc, path, |fields| {
            if fields.first() == Some(name) {
                if let (Some(new), Some(field)) = (new_name, fields.first_mut()) {
                    *field = new.to_vec();
                }
                if path == GROUP
                    && let (Some(gid), Some(field)) = (gid, fields.get_mut(2))
                {
                    *field = gid.to_vec();
                }
            }
            true
        })
        .await;
    }
    proc.status()
}

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
pub(super) async fn gpasswd(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new(
        "a:A:d:hM:Q:rR",
        &[
            ("add", Arity::Required, "a"),
            ("administrators", Arity::Required, "A"),
            ("delete", Arity::Required, "d"),
            ("help", Arity::No, "h"),
            ("members", Arity::Required, "M"),
            ("remove-password", Arity::No, "r"),
            ("restrict", Arity::No, "R"),
        ],
    );
    let (options, operands) = match read_options(proc, "gpasswd", &SPEC).await {
        Ok(read) => read,
        Err(status) => return status,
    };
    let [name] = operands.as_slice() else {
        return fail(proc, help("gpasswd"), 2).await;
    };
    let users = Directory::load(proc).await;
    let Some(group) = users.group(name) else {
        return say(
            proc,
            &[
                b"gpasswd: group '",
                name,
                b"' does not exist in /etc/group\n",
            ],
            3,
        )
        .await;
    };
    if proc.credentials().uid != 0 {
        return fail(proc, "gpasswd: Permission denied.\n", 1).await;
    }
    let mut members = group.members.clone();
    if let Some(user) = value(&options, "a") {
        if users.user(user).is_none() {
            return say(proc, &[b"gpasswd: user '", user, b"' does not exist\n"], 3).await;
        }
        print(
            proc,
            [b"Adding user ", user, b" to group ", name, b"\n"].concat(),
        )
        .await;
        if !members.iter().any(|member| member == user) {
            members.push(user.to_vec());
        }
    } else if let Some(user) = value(&options, "d") {
        print(
            proc,
            [b"Removing user ", user, b" from group ", name, b"\n"].concat(),
        )
        .await;
        if !members.iter().any(|member| member == user) {
            return say(
                proc,
                &[
                    b"gpasswd: user '",
                    user,
                    b"' is not a member of '",
                    name,
                    b"'\n",
                ],
                3,
            )
            .await;
        }
        members.retain(|member| member != user);
    } else if let Some(list) = value(&options, "M") {
        members = list
            .split(|&byte| byte == b',')
            .map(<[u8]>::to_vec)
            .collect();
    }
    for path in [GROUP, GSHADOW] {
        edit(proc, path, |fields| {
            if fields.first() == Some(name)
                && let Some(field) = fields.get_mut(3)
            {
                *field = members.join(&b',');
            }
            true
        })
        .await;
    }
    proc.status()
}

/// `chsh`, `chfn`: the shell and the comment of `/etc/passwd`.
pub(super) async fn chsh(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new(
        "hs:R:",
        &[("help", Arity::No, "h"), ("shell", Arity::Required, "s")],
    );
    change(proc, "chsh", &SPEC, 6).await
}

pub(super) async fn chfn(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new(
        "f:h:o:r:R:uw:",
        &[
            ("full-name", Arity::Required, "f"),
            ("help", Arity::No, "u"),
            ("home-phone", Arity::Required, "h:"),
            ("other", Arity::Required, "o"),
            ("room", Arity::Required, "r"),
            ("work-phone", Arity::Required, "w"),
        ],
    );
    change(proc, "chfn", &SPEC, 4).await
}

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
async fn change(proc: &mut Process, program: &str, spec: &Spec, at: usize) -> ExitStatus {
    let (options, operands) = match read_options(proc, program, spec).await {
        Ok(read) => read,
        Err(status) => return status,
    };
    let users = Directory::load(proc).await;
    let own = users.user_text(proc.credentials().uid);
    let name = operands.first().cloned().unwrap_or_else(|| own.clone());
    let prefix = program.as_bytes();
    let Some(user) = users.user(&name) else {
        return say(
            proc,
            &[prefix, b": user '", &name, b"' does not exist\n"],
            1,
        )
        .await;
    };
    if proc.credentials().uid != 0 && own != name {
        let what: &[u8] = if at == 6 {
            b"shell"
        } else {
            b"finger information"
        };
        return say(
            proc,
            &[b"You may not change the ", what, b" for '", &name, b"'.\n"],
            1,
        )
        .await;
    }
    let given = value(&options, if at == 6 { "s" } else { "f" });
    let new = match given {
        Some(new) => new.to_vec(),
        None => {
            let current = if at == 6 { &user.shell } else { &user.gecos };
            let (title, label): (&[u8], &[u8]) = if at == 6 {
                (b"login shell", b"Login Shell")
            } else {
                (b"user information", b"Full Name")
            };
            let text = [
                b"Changing the ",
                title,
                b" for ",
                &name,
                b"\nEnter the new value, or press ENTER for the default\n\t",
                label,
                b" [",
                current,
                b"]: ",
            ];
            print(proc, text.concat()).await;
            let mut input = sundew_kernel::process::LineReader::new(proc, STDIN);
            let line = input
                .next(proc, b'\n')
                .await
                .ok()
                .flatten()
                .unwrap_or_default();
            let line = line.trim_ascii();
            if line.is_empty() {
                return proc.status();
            }
            line.to_vec()
        }
    };
    if at == 6 && proc.stat(&new).is_err() {
        say(
            proc,
            &[prefix, b": Warning: ", &new, b" does not exist\n"],
            0,
        )
        .await;
    }
    edit(proc, b"/etc/passwd", |fields| {
        if fields.first() == Some(&name)
            && let Some(field) = fields.get_mut(at)
        {
            field.clone_from(&new);
        }
        true
    })
    .await;
    proc.status()
}

/// `newgrp`: a shell of another group.
pub(super) async fn newgrp(proc: &mut Process) -> ExitStatus {
    let users = Directory::load(proc).await;
    let words: Vec<Vec<u8>> = proc
        .args()
        .iter()
        .skip(1)
        .filter(|word| *word != b"-")
        .cloned()
        .collect();
    let own = proc.credentials();
    let is_sg = proc.base_name() == b"sg";
    let usage: &[u8] = if is_sg {
        b"Usage: sg group [[-c] command]\n"
    } else {
        b"Usage: newgrp [-] [group]\n"
    };
    let first = words.first();
    if first.is_some_and(|word| word.starts_with(b"-")) || (is_sg && first.is_none()) {
        return say(proc, &[usage], 1).await;
    }
    let gid = match words.first() {
        None => users.user_by_id(own.uid).map_or(own.gid, |user| user.gid),
        Some(name) => match users.group(name) {
            Some(group) => group.gid,
            None => {
                let own: &[u8] = if is_sg { b"sg" } else { b"newgrp" };
                return say(proc, &[own, b": group '", name, b"' does not exist\n"], 1).await;
            }
        },
    };
    let user = users.user_by_id(own.uid);
    let member = user.is_some_and(|user| user.gid == gid || users.groups_of(user).contains(&gid));
    if own.uid != 0 && !member {
        return fail(proc, "newgrp: Permission denied.\n", 1).await;
    }
    proc.set_credentials(sundew_vfs::Credentials {
        gid,
        ..(*own).clone()
    });
    let shell = user.map_or_else(|| b"/bin/sh".to_vec(), |user| user.shell.clone());
    let env = proc.env().clone();
    let name = shell
        .rsplit(|&byte| byte == b'/')
        .next()
        .unwrap_or(&shell)
        .to_vec();
    let mut args = vec![name];
    let command = words.get(1..).unwrap_or_default();
    if is_sg && let Some(command) = command.iter().find(|word| *word != b"-c") {
        args.extend([b"-c".to_vec(), command.clone()]);
    }
    let errno = proc.exec(&shell, args, env).await;
    proc.complain(&shell, errno).await;
    proc.status()
}

/// `chage`: the ages in `/etc/shadow`.
pub(super) async fn chage(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new(
        "d:E:hiI:lm:M:R:W:",
        &[
            ("lastday", Arity::Required, "d"),
            ("expiredate", Arity::Required, "E"),
            ("help", Arity::No, "h"),
            ("iso8601", Arity::No, "i"),
            ("inactive", Arity::Required, "I"),
            ("list", Arity::No, "l"),
            ("mindays", Arity::Required, "m"),
            ("maxdays", Arity::Required, "M"),
            ("warndays", Arity::Required, "W"),
        ],
    );
    let (options, operands) = match read_options(proc, "chage", &SPEC).await {
        Ok(read) => read,
        Err(status) => return status,
    };
    let [name] = operands.as_slice() else {
        return fail(proc, help("chage"), 2).await;
    };
    let users = Directory::load(proc).await;
    let own = users.user_text(proc.credentials().uid);
    if proc.credentials().uid != 0 && (own != *name || value(&options, "l").is_none()) {
        return fail(proc, "chage: Permission denied.\n", 1).await;
    }
    if users.user(name).is_none() {
        return say(
            proc,
            &[b"chage: user '", name, b"' does not exist in /etc/passwd\n"],
            1,
        )
        .await;
    }
    if let Some(refusal) = refused_ages(&options) {
        return fail(proc, [refusal.as_slice(), help("chage")].concat(), 2).await;
    }
    if value(&options, "l").is_some() {
        let shadow = read(proc, b"/etc/shadow").await.unwrap_or_default();
        let zone = Zone::of(proc).await;
        let text = ages(&shadow, name, value(&options, "i").is_some(), &zone);
        return print(proc, text).await;
    }
    let columns = [("d", 2), ("m", 3), ("M", 4), ("W", 5), ("I", 6), ("E", 7)];
    edit(proc, b"/etc/shadow", |fields| {
        if fields.first() == Some(name) {
            for (key, at) in columns {
                if let (Some(new), Some(field)) = (value(&options, key), fields.get_mut(at)) {
                    *field = match days(new) {
                        Some(days) if days >= 0 => days.to_string().into_bytes(),
                        _ => Vec::new(),
                    };
                }
            }
        }
        true
    })
    .await;
    proc.status()
}

/// The day a date is, counted from 1970-01-01: `-1`, a number of days or `YYYY-MM-DD`.
pub(super) fn days(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    if let Ok(number) = text.parse::<i64>() {
        return (-1..=i64::from(i32::MAX))
            .contains(&number)
            .then_some(number);
    }
    let date: jiff::civil::Date = text.parse().ok()?;
    let moment = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(moment.timestamp().as_second().div_euclid(SECONDS_PER_DAY))
}

/// What chage does not take: no date, no number, `-l` beside others.
fn refused_ages(options: &[Opt]) -> Option<Vec<u8>> {
    for Opt { key, value, .. } in options {
        let what = match *key {
            "d" | "E" if !value.is_empty() && days(value).is_none() => "date",
            "m" | "M" | "W" | "I"
                if !std::str::from_utf8(value)
                    .is_ok_and(|text| text.parse::<i32>().is_ok_and(|number| number >= -1)) =>
            {
                "numeric argument"
            }
            _ => continue,
        };
        let text = format!("chage: invalid {what} '");
        return Some([text.as_bytes(), value, b"'\n"].concat());
    }
    let lists = options.iter().any(|option| option.key == "l");
    let others = options
        .iter()
        .any(|option| !matches!(option.key, "l" | "i"));
    (lists && others).then(|| b"chage: do not include \"l\" with other flags\n".to_vec())
}

fn ages(shadow: &[u8], name: &[u8], iso: bool, zone: &Zone) -> String {
    let line = shadow
        .split(|&byte| byte == b'\n')
        .find(|line| line.split(|&byte| byte == b':').next() == Some(name));
    let fields: Vec<&[u8]> = line
        .unwrap_or_default()
        .split(|&byte| byte == b':')
        .collect();
    let number = |at: usize| -> Option<i64> {
        std::str::from_utf8(fields.get(at)?)
            .ok()?
            .parse()
            .ok()
            .filter(|days| *days >= 0)
    };
    let date = |days: i64| {
        let moment = Timestamp {
            secs: days.saturating_mul(SECONDS_PER_DAY),
            nanos: 0,
        };
        let format: &[u8] = if iso { b"%Y-%m-%d" } else { b"%b %d, %Y" };
        String::from_utf8_lossy(&Shown::new(moment, zone).format(format)).into_owned()
    };
    let never = || "never".to_owned();
    let (last, most) = (number(2), number(4));
    let changed = match last {
        Some(0) => "password must be changed".to_owned(),
        Some(days) => date(days),
        None => never(),
    };
    let expires = match (last, most) {
        (Some(last), Some(most)) if most < 10_000 => date(last.saturating_add(most)),
        _ => never(),
    };
    let inactive = match (last, most, number(6)) {
        (Some(last), Some(most), Some(grace)) if most < 10_000 => {
            date(last.saturating_add(most).saturating_add(grace))
        }
        _ => never(),
    };
    let account = number(7).map_or_else(never, date);
    let least = number(3).unwrap_or(-1);
    let (most, warn) = (most.unwrap_or(-1), number(5).unwrap_or(-1));
    format!(
        "Last password change\t\t\t\t\t: {changed}\nPassword expires\t\t\t\t\t: {expires}\nPassword inactive\t\t\t\t\t: {inactive}\nAccount expires\t\t\t\t\t\t: {account}\nMinimum number of days between password change\t\t: {least}\nMaximum number of days between password change\t\t: {most}\nNumber of days of warning before password expires\t: {warn}\n"
    )
}

/// `lastlog`: who was here last, and when.
pub(super) async fn lastlog(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new(
        "b:ChR:St:u:",
        &[
            ("before", Arity::Required, "b"),
            ("clear", Arity::No, "C"),
            ("help", Arity::No, "h"),
            ("set", Arity::No, "S"),
            ("time", Arity::Required, "t"),
            ("user", Arity::Required, "u"),
        ],
    );
    let (options, _) = match read_options(proc, "lastlog", &SPEC).await {
        Ok(read) => read,
        Err(status) => return status,
    };
    let users = Directory::load(proc).await;
    let wanted = value(&options, "u");
    if let Some(name) = wanted
        && users.user(name).is_none()
    {
        return say(proc, &[b"lastlog: Unknown user or range: ", name, b"\n"], 1).await;
    }
    let days = |key: &str| {
        value(&options, key)
            .and_then(super::account::number)
            .map(i64::from)
    };
    let now = proc.now().secs;
    let bytes = read(proc, b"/var/log/lastlog").await.unwrap_or_default();
    let zone = Zone::of(proc).await;
    let mut out =
        b"Username         Port     From                                       Latest\n".to_vec();
    for user in users
        .users()
        .iter()
        .filter(|user| wanted.is_none_or(|name| name == user.name))
    {
        let last = utmp::last_login(&bytes, user.uid);
        let at = last.as_ref().map_or(0, |last| last.0);
        let age = now.saturating_sub(at);
        if days("t").is_some_and(|days| age > days * SECONDS_PER_DAY)
            || days("b").is_some_and(|days| age < days * SECONDS_PER_DAY)
        {
            continue;
        }
        let (line, host, when) = match last {
            Some((at, line, host)) => {
                let moment = Timestamp { secs: at, nanos: 0 };
                (
                    line,
                    host,
                    Shown::new(moment, &zone).format(b"%a %b %e %H:%M:%S %z %Y"),
                )
            }
            None => (Vec::new(), Vec::new(), b"**Never logged in**".to_vec()),
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        // The words for never stand one column further left.
        let wide = if line.is_empty() { 41 } else { 42 };
        out.extend(
            format!(
                "{:<16} {:<8} {:<wide$} {}\n",
                text(&user.name),
                text(&line),
                text(&host),
                text(&when)
            )
            .into_bytes(),
        );
    }
    print(proc, out).await
}
