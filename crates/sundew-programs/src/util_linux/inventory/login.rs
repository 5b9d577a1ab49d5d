//! `lslogins`: the users, and when they came.

use super::super::spec;
use super::super::table::{Column, Table, left, number, right};
use super::text_of;
use crate::text::input;
use crate::time::{Shown, Zone, fields};
use crate::users::{Directory, User};
use crate::utmp::{self, Kind};
use sundew_kernel::{ExitStatus, Process};
use sundew_vfs::Timestamp;

const LOGIN_COLUMNS: &[Column] = &[
    number("UID"),
    left("USER"),
    number("PROC"),
    right("PWD-LOCK"),
    right("PWD-DENY"),
    right("LAST-LOGIN"),
    left("GECOS"),
    left("HOMEDIR").hidden(),
    left("SHELL").hidden(),
    right("NOLOGIN").hidden(),
    right("PWD-EMPTY").hidden(),
    left("GROUP").hidden(),
    number("GID").hidden(),
    left("SUPP-GROUPS").hidden(),
    left("SUPP-GIDS").hidden(),
    right("LAST-TTY").hidden(),
    right("LAST-HOSTNAME").hidden(),
    right("HUSHED").hidden(),
    right("PWD-CHANGE").hidden(),
    right("PWD-WARN").hidden(),
    right("PWD-MAX").hidden(),
];
/// What the table of one user says of each column.
const LOGIN_WORDS: &[(&str, &str)] = &[
    ("USER", "Username:"),
    ("UID", "UID:"),
    ("GECOS", "Gecos field:"),
    ("HOMEDIR", "Home directory:"),
    ("SHELL", "Shell:"),
    ("NOLOGIN", "No login:"),
    ("PWD-LOCK", "Password is locked:"),
    ("PWD-EMPTY", "Password not required (empty):"),
    ("PWD-DENY", "Login by password disabled:"),
    ("GROUP", "Primary group:"),
    ("GID", "GID:"),
    ("SUPP-GROUPS", "Supplementary groups:"),
    ("SUPP-GIDS", "Supplementary group IDs:"),
    ("LAST-LOGIN", "Last login:"),
    ("LAST-TTY", "Last terminal:"),
    ("LAST-HOSTNAME", "Last hostname:"),
    ("HUSHED", "Hushed:"),
    ("PWD-WARN", "Password expiration warn interval:"),
    ("PWD-CHANGE", "Password changed:"),
    ("PWD-MAX", "Maximum change time:"),
    ("PROC", "Running processes:"),
];
/// Users from here on are people, but for nobody.
const FIRST_PERSON: u32 = 1000;
const NOBODY: u32 = 65_534;
const SECONDS_PER_DAY: i64 = 86_400;

/// A moment in few letters: the time today, the day this year, or the date.
fn short_time(proc: &Process, zone: &Zone, at: i64) -> String {
    let moment = Timestamp { secs: at, nanos: 0 };
    let (then, now) = (fields(at), fields(proc.now().secs));
    let format: &[u8] = if (then.year, then.month, then.day) == (now.year, now.month, now.day) {
        b"%H:%M"
    } else if then.year == now.year {
        b"%b%d/%H:%M"
    } else {
        b"%Y-%b%d"
    };
    text_of(&Shown::new(moment, zone).format(format))
}

#[expect(
    clippy::too_many_lines,
    reason = "one cell after the other, in the order of the columns"
)]
pub(in crate::util_linux) async fn lslogins(proc: &mut Process) -> ExitStatus {
    let line = match super::super::line(proc, "lslogins", &spec::LSLOGINS).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let mut table = Table::new("logins", LOGIN_COLUMNS);
    for option in &line.options {
        let key = if option.key == "n" {
            "newline"
        } else {
            option.key
        };
        if let Err(name) = table.option(key, &option.value) {
            return super::super::unknown_column(proc, &name).await;
        }
    }
    let users = Directory::load(proc).await;
    let zone = Zone::of(proc).await;
    let shadow = proc.read_small_file(b"/etc/shadow").unwrap_or_default();
    let wtmp = input::read_all(proc, b"/var/log/wtmp").await;
    let records = wtmp
        .map(|(bytes, _memory)| utmp::records(&bytes))
        .unwrap_or_default();
    let processes = proc.processes();
    let wanted: Option<Vec<&[u8]>> = match (line.operands.first(), line.value("l")) {
        (Some(name), _) => Some(vec![name]),
        (None, Some(list)) => Some(list.split(|&byte| byte == b',').collect()),
        (None, None) => None,
    };
    let groups: Option<Vec<u32>> = line.value("g").map(|list| {
        let names = list.split(|&byte| byte == b',');
        names
            .filter_map(|name| users.group(name).map(|group| group.gid))
            .collect()
    });
    let mut chosen: Vec<User> = users
        .users()
        .iter()
        .filter(|user| match &wanted {
            Some(names) => names.iter().any(|name| {
                *name == user.name.as_slice() || super::super::number(name) == Some(user.uid)
            }),
            None => {
                let person = user.uid == 0 || (user.uid >= FIRST_PERSON && user.uid != NOBODY);
                let system = !person || user.uid == 0;
                (!line.has("u") && !line.has("s"))
                    || (line.has("u") && person)
                    || (line.has("s") && system && user.uid != 0)
            }
        })
        .filter(|user| match &groups {
            Some(groups) => users.groups_of(user).iter().any(|gid| groups.contains(gid)),
            None => true,
        })
        .cloned()
        .collect();
    chosen.sort_by_key(|user| user.uid);
    if let Some(name) = line.operands.first()
        && chosen.is_empty()
    {
        return super::super::fail(proc, [b"cannot found '".as_slice(), name, b"'"].concat()).await;
    }
    for user in &chosen {
        proc.tick().await;
        let fields: Option<Vec<&[u8]>> = shadow
            .split(|&byte| byte == b'\n')
            .map(|row| row.split(|&byte| byte == b':').collect::<Vec<_>>())
            .find(|fields| fields.first() == Some(&user.name.as_slice()));
        let password = fields.as_ref().and_then(|fields| fields.get(1)).copied();
        let field = |at: usize| {
            let fields = fields.as_ref()?;
            fields.get(at).map(|field| text_of(field))
        };
        let flag = |yes: Option<bool>| match yes {
            Some(true) => "1",
            Some(false) => "0",
            None => "",
        };
        let valid = |rest: &[u8]| !rest.is_empty() && rest.is_ascii();
        let rest = password
            .and_then(|password| password.get(1..))
            .unwrap_or_default();
        let marked = |marks: &[u8]| {
            password
                .is_some_and(|password| password.first().is_some_and(|mark| marks.contains(mark)))
        };
        let last = records
            .iter()
            .rev()
            .find(|record| record.kind == Kind::User && record.user == user.name);
        let gids = users.groups_of(user);
        let supplementary = gids.get(1..).unwrap_or_default();
        let names: Vec<String> = supplementary
            .iter()
            .map(|gid| text_of(&users.group_text(*gid)))
            .collect();
        let numbers: Vec<String> = supplementary.iter().map(u32::to_string).collect();
        let changed = field(2).and_then(|days| days.parse::<i64>().ok());
        table.rows.push(vec![
            user.uid.to_string(),
            text_of(&user.name),
            processes
                .iter()
                .filter(|one| one.uid == user.uid)
                .count()
                .to_string(),
            flag(password.map(|_| marked(b"!") && valid(rest))).to_owned(),
            flag(password.map(|_| marked(b"!*") && !valid(rest))).to_owned(),
            last.map(|record| short_time(proc, &zone, record.at))
                .unwrap_or_default(),
            text_of(&user.gecos),
            text_of(&user.home),
            text_of(&user.shell),
            flag(Some(user.shell.ends_with(b"nologin"))).to_owned(),
            flag(password.map(<[u8]>::is_empty)).to_owned(),
            text_of(&users.group_text(user.gid)),
            user.gid.to_string(),
            names.join(","),
            numbers.join(","),
            last.map(|record| text_of(&record.line)).unwrap_or_default(),
            last.map(|record| text_of(&record.host)).unwrap_or_default(),
            "0".to_owned(),
            changed
                .map(|days| short_time(proc, &zone, days * SECONDS_PER_DAY))
                .unwrap_or_default(),
            field(5).unwrap_or_default(),
            field(4).unwrap_or_default(),
        ]);
    }
    if line.operands.is_empty() {
        return table.print(proc).await;
    }
    let mut out = String::new();
    let row = table.rows.first().cloned().unwrap_or_default();
    for (name, words) in LOGIN_WORDS {
        let at = LOGIN_COLUMNS.iter().position(|column| column.name == *name);
        let cell = at.and_then(|at| row.get(at)).map_or("", String::as_str);
        let boolean = matches!(
            *name,
            "NOLOGIN" | "PWD-LOCK" | "PWD-EMPTY" | "PWD-DENY" | "HUSHED"
        );
        let cell = match cell {
            "1" if boolean => "yes",
            "0" if boolean => "no",
            cell => cell,
        };
        let always = matches!(*name, "LAST-TTY" | "LAST-HOSTNAME");
        if cell.is_empty() && !always {
            continue;
        }
        out.push_str(&format!("{words:<35} {cell:<36}\n"));
    }
    out.push_str("\nLast logs:\n\n");
    super::super::put(proc, out).await
}
