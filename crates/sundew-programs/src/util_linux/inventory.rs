//! `lslogins`, `lsipc`, `lslocks`, `lsmem`, `chmem`, `lsirq`, `lsfd`, `ipcmk`, `ipcrm`, `chcpu`: what
//! there is on the machine, in tables.

use sundew_kernel::{Errno, ExitStatus, Process};
use sundew_vfs::{FileType, Timestamp};

use super::spec;
use super::table::{Column, Table, left, number, right};
use crate::text::input;
use crate::time::{Shown, Zone, fields};
use crate::users::{Directory, User};
use crate::utmp::{self, Kind};

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

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

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
pub(super) async fn lslogins(proc: &mut Process) -> ExitStatus {
    let line = match super::line(proc, "lslogins", &spec::LSLOGINS).await {
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
            return super::unknown_column(proc, &name).await;
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
            Some(names) => names
                .iter()
                .any(|name| *name == user.name.as_slice() || super::number(name) == Some(user.uid)),
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
        return super::fail(proc, [b"cannot found '".as_slice(), name, b"'"].concat()).await;
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
    super::put(proc, out).await
}

const IPC_COLUMNS: &[Column] = &[
    left("RESOURCE"),
    left("DESCRIPTION"),
    right("LIMIT"),
    right("USED"),
    right("USE%"),
];

/// Names, descriptions and limits as the kernel has them by default; the last tells whether use is
/// counted.
const IPC_LIMITS: &[(&str, &str, &str, bool)] = &[
    ("MSGMNI", "Number of message queues", "32000", true),
    ("MSGMAX", "Max size of message (bytes)", "8K", false),
    ("MSGMNB", "Default max size of queue (bytes)", "16K", false),
    ("SHMMNI", "Shared memory segments", "4096", true),
    (
        "SHMALL",
        "Shared memory pages",
        "18446744073692774399",
        true,
    ),
    (
        "SHMMAX",
        "Max size of shared memory segment (bytes)",
        "16E",
        false,
    ),
    (
        "SHMMIN",
        "Min size of shared memory segment (bytes)",
        "1B",
        false,
    ),
    ("SEMMNI", "Number of semaphore identifiers", "32000", true),
    ("SEMMNS", "Total number of semaphores", "1024000000", true),
    (
        "SEMMSL",
        "Max semaphores per semaphore set.",
        "32000",
        false,
    ),
    (
        "SEMOPM",
        "Max number of operations per semop(2)",
        "500",
        false,
    ),
    ("SEMVMX", "Semaphore max value", "32767", false),
];

pub(super) async fn lsipc(proc: &mut Process) -> ExitStatus {
    let line = match super::line(proc, "lsipc", &spec::LSIPC).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let kind = [("m", "SHM"), ("q", "MSG"), ("s", "SEM")]
        .into_iter()
        .find(|(key, _)| line.has(key));
    let global = line.has("g") || kind.is_none();
    if global && (line.has("i") || line.has("c") || line.has("t")) {
        let text = "--global is mutually exclusive with --creator, --id and --time";
        return super::fail(proc, text).await;
    }
    if let Some(id) = line.value("i") {
        if super::number::<u32>(id).is_none() {
            return super::bad_argument(proc, "failed to parse IPC identifier", id).await;
        }
        let text = [b"id ".as_slice(), id, b" not found"].concat();
        return super::fail(proc, text).await;
    }
    if !global {
        return proc.status();
    }
    let mut table = Table::new("ipclimits", IPC_COLUMNS);
    for option in &line.options {
        let key = if option.key == "n" {
            "newline"
        } else {
            option.key
        };
        if let Err(name) = table.option(key, &option.value) {
            return super::unknown_column(proc, &name).await;
        }
    }
    for (name, description, limit, counted) in IPC_LIMITS {
        if kind.is_some_and(|(_, prefix)| !name.starts_with(prefix)) {
            continue;
        }
        let (used, share) = if *counted { ("0", "0.00%") } else { ("-", "-") };
        let row = [*name, *description, *limit, used, share];
        table.rows.push(row.map(str::to_owned).to_vec());
    }
    table.print(proc).await
}

const LOCK_COLUMNS: &[Column] = &[
    left("COMMAND"),
    number("PID"),
    right("TYPE"),
    right("SIZE"),
    left("INODE").hidden(),
    left("MAJ:MIN").hidden(),
    left("MODE"),
    right("M"),
    number("START"),
    number("END"),
    left("PATH"),
    left("BLOCKER").hidden(),
];

/// Daemons that hold a lock on the file with their number: program and file.
const LOCKED: &[(&str, &str)] = &[("cron", "/run/crond.pid")];

pub(super) async fn lslocks(proc: &mut Process) -> ExitStatus {
    let line = match super::line(proc, "lslocks", &spec::LSLOCKS).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let mut table = Table::new("locks", LOCK_COLUMNS);
    let mut pid = None;
    for option in &line.options {
        match table.option(option.key, &option.value) {
            Ok(_) => {}
            Err(name) => return super::unknown_column(proc, &name).await,
        }
        if option.key == "p" {
            match super::number::<u32>(&option.value) {
                Some(number) => pid = Some(number),
                None => {
                    return super::bad_argument(proc, "invalid PID argument", &option.value).await;
                }
            }
        }
    }
    for (name, path) in LOCKED {
        let all = proc.processes();
        let Some(one) = all.iter().find(|one| one.name == name.as_bytes()) else {
            continue;
        };
        let Ok(metadata) = proc.stat(path.as_bytes()) else {
            continue;
        };
        if pid.is_some_and(|pid| pid != one.pid) {
            continue;
        }
        let aligned = table.style == super::table::Style::Aligned;
        let command = if aligned {
            format!("{name:<15}")
        } else {
            (*name).to_owned()
        };
        let number = if aligned {
            format!("{:>5}", one.pid)
        } else {
            one.pid.to_string()
        };
        table.rows.push(vec![
            command,
            number,
            "FLOCK".to_owned(),
            format!("{}B", metadata.size),
            metadata.ino.0.to_string(),
            "0:25".to_owned(),
            "WRITE".to_owned(),
            "0".to_owned(),
            "0".to_owned(),
            "0".to_owned(),
            (*path).to_owned(),
            String::new(),
        ]);
    }
    table.print(proc).await
}

const MEMORY_COLUMNS: &[Column] = &[
    left("RANGE"),
    right("SIZE"),
    right("STATE"),
    right("REMOVABLE"),
    right("BLOCK"),
];
/// Bytes of a block of memory on machines of this size.
const MEMORY_BLOCK: u64 = 128 << 20;
/// Where devices have their addresses: no memory lies between.
const HOLE: (u64, u64) = (0xc000_0000, 0x1_0000_0000);

/// Address ranges of the machine's memory.
fn memory_ranges(proc: &Process) -> Vec<(u64, u64)> {
    let gib = 1 << 30;
    let total = (proc.facts().memory_total_kib * 1024).div_ceil(gib) * gib;
    if total <= HOLE.0 {
        return vec![(0, total)];
    }
    vec![(0, HOLE.0), (HOLE.1, HOLE.1 + total - HOLE.0)]
}

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
pub(super) async fn lsmem(proc: &mut Process) -> ExitStatus {
    const SPEC: crate::getopt::Spec = crate::getopt::Spec::new(
        "abhJno:PrS:s:V",
        &[
            ("all", crate::getopt::Arity::No, "a"),
            ("bytes", crate::getopt::Arity::No, "b"),
            ("help", crate::getopt::Arity::No, "h"),
            ("json", crate::getopt::Arity::No, "J"),
            ("noheadings", crate::getopt::Arity::No, "n"),
            ("output", crate::getopt::Arity::Required, "o"),
            ("output-all", crate::getopt::Arity::No, "output-all"),
            ("pairs", crate::getopt::Arity::No, "P"),
            ("raw", crate::getopt::Arity::No, "r"),
            ("sysroot", crate::getopt::Arity::Required, "s"),
            ("split", crate::getopt::Arity::Required, "S"),
            ("version", crate::getopt::Arity::No, "V"),
            ("summary", crate::getopt::Arity::Optional, "summary"),
        ],
    );
    let line = match super::line(proc, "lsmem", &SPEC).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    if !line.operands.is_empty() {
        return super::bad_usage(proc).await;
    }
    let mut table = Table::new("memory", MEMORY_COLUMNS);
    for option in &line.options {
        if let Err(name) = table.option(option.key, &option.value) {
            return super::unknown_column(proc, &name).await;
        }
    }
    let (mut rows, mut summary) = (true, table.style == super::table::Style::Aligned);
    match line.value("summary") {
        Some(b"never") => summary = false,
        Some(b"always") => summary = true,
        Some(b"only" | b"") => (rows, summary) = (false, true),
        Some(word) => {
            return super::bad_argument(proc, "unsupported --summary argument", word).await;
        }
        None => {}
    }
    let shown = |bytes: u64| {
        if line.has("b") {
            bytes.to_string()
        } else {
            short_size(bytes)
        }
    };
    let mut total = 0;
    for (start, end) in memory_ranges(proc) {
        total += end - start;
        let step = if line.has("a") {
            MEMORY_BLOCK
        } else {
            end - start
        };
        let mut at = start;
        while at < end {
            proc.tick().await;
            let next = (at + step).min(end);
            let (first, last) = (at / MEMORY_BLOCK, (next - 1) / MEMORY_BLOCK);
            let block = if first == last {
                first.to_string()
            } else {
                format!("{first}-{last}")
            };
            table.rows.push(vec![
                format!("{at:#018x}-{:#018x}", next - 1),
                shown(next - at),
                "online".to_owned(),
                "yes".to_owned(),
                block,
            ]);
            at = next;
        }
    }
    if rows {
        table.print(proc).await;
    }
    if summary {
        let blank = if rows { "\n" } else { "" };
        let out = format!(
            "{blank}Memory block size:  {:>9}\nTotal online memory: {:>8}\nTotal offline memory: {:>7}\n",
            shown(MEMORY_BLOCK),
            shown(total),
            if line.has("b") { "0" } else { "0B" },
        );
        super::put(proc, out).await;
    }
    proc.status()
}

/// `128M`, `4.9G`: libcommon's short form.
pub(super) fn short_size(bytes: u64) -> String {
    const LETTERS: &[u8] = b"BKMGTPE";
    let mut power = 0;
    while power + 1 < LETTERS.len() && bytes >> (10 * (power + 1)) > 0 {
        power += 1;
    }
    let letter = LETTERS.get(power).copied().map_or('B', char::from);
    let unit = 1u64 << (10 * power);
    let whole = bytes / unit;
    let tenths = (u128::from(bytes % unit) * 10 + u128::from(unit) / 2) / u128::from(unit);
    match (power, tenths) {
        (0, _) | (_, 0) => format!("{whole}{letter}"),
        (_, 10) => format!("{}{letter}", whole + 1),
        (_, tenths) => format!("{whole}.{tenths}{letter}"),
    }
}

pub(super) async fn chmem(proc: &mut Process) -> ExitStatus {
    let line = match super::line(proc, "chmem", &spec::CHMEM).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let [size] = line.operands.as_slice() else {
        return super::bad_usage(proc).await;
    };
    if !line.has("e") && !line.has("d") {
        return super::bad_usage(proc).await;
    }
    let verb = if line.has("e") { "enable" } else { "disable" };
    if size.contains(&b'-') {
        let text = format!("No memory blocks to {verb}");
        return super::fail(proc, text).await;
    }
    match super::size_of(size) {
        None => {
            let text = [b"Invalid parameter: ".as_slice(), size].concat();
            super::fail(proc, text).await
        }
        Some(bytes) if bytes % MEMORY_BLOCK != 0 => {
            super::fail(proc, "Size must be aligned to memory block size (128M)").await
        }
        Some(_) => super::fail(proc, format!("Could not {verb} any memory")).await,
    }
}

const IRQ_COLUMNS: &[Column] = &[
    right("IRQ"),
    number("TOTAL"),
    right("DELTA").hidden(),
    left("NAME"),
];

pub(super) async fn lsirq(proc: &mut Process) -> ExitStatus {
    let line = match super::line(proc, "lsirq", &spec::LSIRQ).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let mut table = Table::new("interrupts", IRQ_COLUMNS);
    for option in &line.options {
        if option.key != "s"
            && option.key != "S"
            && let Err(name) = table.option(option.key, &option.value)
        {
            return super::unknown_column(proc, &name).await;
        }
    }
    let sort = line.value("s").map(<[u8]>::to_ascii_lowercase);
    let sort = match sort.as_deref() {
        None | Some(b"total" | b"delta") => "total",
        Some(b"irq") => "irq",
        Some(b"name") => "name",
        Some(_) => return super::fail(proc, "unsupported column name to sort output").await,
    };
    let text = proc
        .read_small_file(b"/proc/interrupts")
        .unwrap_or_default();
    let text = text_of(&text);
    let mut rows = Vec::new();
    for line in text.lines().skip(1) {
        let Some((irq, rest)) = line.split_once(':') else {
            continue;
        };
        let mut total = 0u64;
        let mut words = rest.split_whitespace().peekable();
        while let Some(count) = words.peek().and_then(|word| word.parse::<u64>().ok()) {
            total += count;
            words.next();
        }
        let name = words.collect::<Vec<_>>().join(" ");
        rows.push((total, irq.trim().to_owned(), name));
    }
    match sort {
        "total" => rows.sort_by_key(|row| std::cmp::Reverse(row.0)),
        "irq" => rows.sort_by(|a, b| a.1.cmp(&b.1)),
        _ => rows.sort_by(|a, b| a.2.cmp(&b.2)),
    }
    for (total, irq, name) in rows {
        table
            .rows
            .push(vec![irq, total.to_string(), total.to_string(), name]);
    }
    if line.has("S") {
        let sum: u64 = table
            .rows
            .iter()
            .filter_map(|row| row.get(1)?.parse::<u64>().ok())
            .sum();
        super::put(proc, format!("Total: {sum} Delta: 0\n\n")).await;
    }
    table.print(proc).await
}

const FD_COLUMNS: &[Column] = &[
    left("COMMAND"),
    number("PID"),
    right("USER"),
    right("ASSOC"),
    right("MODE"),
    right("TYPE"),
    right("SOURCE"),
    number("MNTID"),
    number("INODE"),
    left("NAME"),
];

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
pub(super) async fn lsfd(proc: &mut Process) -> ExitStatus {
    const SPEC: crate::getopt::Spec = crate::getopt::Spec::new(
        "lJno:rup:Q:C:hV",
        &[
            ("threads", crate::getopt::Arity::No, "l"),
            ("json", crate::getopt::Arity::No, "J"),
            ("noheadings", crate::getopt::Arity::No, "n"),
            ("output", crate::getopt::Arity::Required, "o"),
            ("raw", crate::getopt::Arity::No, "r"),
            ("notruncate", crate::getopt::Arity::No, "u"),
            ("pid", crate::getopt::Arity::Required, "p"),
            ("filter", crate::getopt::Arity::Required, "Q"),
            ("counter", crate::getopt::Arity::Required, "C"),
            ("summary", crate::getopt::Arity::Optional, "summary"),
            ("help", crate::getopt::Arity::No, "h"),
            ("version", crate::getopt::Arity::No, "V"),
        ],
    );
    let line = match super::line(proc, "lsfd", &SPEC).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let mut table = Table::new("lsfd", FD_COLUMNS);
    let mut pids: Vec<u32> = Vec::new();
    for option in &line.options {
        if let Err(name) = table.option(option.key, &option.value) {
            return super::unknown_column(proc, &name).await;
        }
        if option.key == "p" {
            let words = option.value.split(|byte| matches!(byte, b',' | b' '));
            pids.extend(words.filter_map(super::number::<u32>));
        }
    }
    let users = Directory::load(proc).await;
    for one in proc.processes() {
        if !pids.is_empty() && !pids.contains(&one.pid) {
            continue;
        }
        proc.tick().await;
        let mut links: Vec<(String, Vec<u8>)> = ["exe", "cwd", "root"]
            .into_iter()
            .map(|name| {
                let shown = if name == "root" { "rtd" } else { name };
                (
                    shown.to_owned(),
                    format!("/proc/{}/{name}", one.pid).into_bytes(),
                )
            })
            .collect();
        let directory = format!("/proc/{}/fd", one.pid).into_bytes();
        let mut numbers: Vec<u32> = proc
            .read_directory(&directory)
            .unwrap_or_default()
            .iter()
            .filter_map(|entry| super::number(&entry.name))
            .collect();
        numbers.sort_unstable();
        let paths = numbers.into_iter().map(|fd| {
            let path = format!("/proc/{}/fd/{fd}", one.pid).into_bytes();
            (fd.to_string(), path)
        });
        links.extend(paths);
        for (assoc, path) in links {
            let Ok(target) = proc.read_link(&path) else {
                continue;
            };
            let metadata = proc.stat(&target).ok();
            let kind = match metadata.as_ref().map(|metadata| metadata.file_type) {
                Some(FileType::Directory) => "DIR",
                Some(FileType::CharDevice) => "CHR",
                Some(FileType::BlockDevice) => "BLK",
                Some(FileType::Regular) => "REG",
                _ if target.starts_with(b"pipe:") => "FIFO",
                _ if target.starts_with(b"socket:") => "SOCK",
                _ => "UNKN",
            };
            let mode = if assoc.parse::<u32>().is_ok() {
                "rw-"
            } else {
                "---"
            };
            let source = match kind {
                "FIFO" => "pipefs",
                "SOCK" => "sockfs",
                "CHR" => "devpts",
                _ => "vda1",
            };
            table.rows.push(vec![
                text_of(&one.name),
                one.pid.to_string(),
                text_of(&users.user_text(one.uid)),
                assoc,
                mode.to_owned(),
                kind.to_owned(),
                source.to_owned(),
                "0".to_owned(),
                metadata
                    .map(|metadata| metadata.ino.0.to_string())
                    .unwrap_or_default(),
                text_of(&target),
            ]);
        }
    }
    table.print(proc).await
}

/// `ipcmk`: the machine has no System V objects, and no room for any.
pub(super) async fn ipcmk(proc: &mut Process) -> ExitStatus {
    let line = match super::line(proc, "ipcmk", &spec::IPCMK).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let kinds = [
        ("M", "create share memory failed"),
        ("S", "create semaphore failed"),
        ("Q", "create message queue failed"),
    ];
    for (key, text) in kinds {
        let Some(value) = line.value(key) else {
            continue;
        };
        if key != "Q" && super::size_of(value).is_none() {
            let what = if key == "M" {
                "failed to parse size"
            } else {
                "failed to parse elements"
            };
            return super::bad_argument(proc, what, value).await;
        }
        proc.complain(text.as_bytes(), Errno::Enospc).await;
        return ExitStatus::FAILURE;
    }
    super::bad_usage(proc).await
}

pub(super) async fn ipcrm(proc: &mut Process) -> ExitStatus {
    let line = match super::line(proc, "ipcrm", &spec::IPCRM).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    for option in &line.options {
        let (key, value) = (option.key, option.value.as_slice());
        if !matches!(key, "m" | "M" | "q" | "Q" | "s" | "S") {
            continue;
        }
        let text = std::str::from_utf8(value).unwrap_or_default();
        let is_number = match text.strip_prefix("0x") {
            Some(hex) => u32::from_str_radix(hex, 16).is_ok(),
            None => text.parse::<u32>().is_ok(),
        };
        if !is_number {
            return super::bad_argument(proc, "failed to parse argument", value).await;
        }
        let what = if key.chars().all(char::is_uppercase) {
            "key"
        } else {
            "id"
        };
        proc.complain_text(format!("invalid {what} ({text})")).await;
    }
    proc.status()
}

pub(super) async fn chcpu(proc: &mut Process) -> ExitStatus {
    const SOME_FAILED: u8 = 64;
    let line = match super::line(proc, "chcpu", &spec::CHCPU).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let Some(option) = line.options.first() else {
        return super::bad_usage(proc).await;
    };
    let count = proc.facts().cpu.count;
    let words = option.value.split(|&byte| byte == b',').map(<[u8]>::to_vec);
    for word in words.collect::<Vec<_>>() {
        let text = match super::number::<u32>(&word) {
            None => {
                let text = "failed to parse CPU list";
                let shown = [text.as_bytes(), b": ", word.as_slice()].concat();
                return super::fail(proc, shown).await;
            }
            Some(cpu) if cpu >= count => format!("CPU {cpu} does not exist"),
            Some(0) => "CPU 0 is not hot pluggable".to_owned(),
            Some(cpu) if option.key == "e" => {
                super::put(proc, format!("CPU {cpu} is already enabled\n")).await;
                continue;
            }
            Some(cpu) => format!("CPU {cpu} disable failed: {}", Errno::Eperm.message()),
        };
        proc.complain_text(text).await;
        proc.set_status(SOME_FAILED);
    }
    proc.status()
}

#[cfg(test)]
mod tests {
    use super::short_size;

    #[test]
    fn sizes_are_short() {
        for (bytes, text) in [
            (0, "0B"),
            (1024, "1K"),
            (1300, "1.3K"),
            (128 << 20, "128M"),
            (5 << 30, "5G"),
        ] {
            assert_eq!(short_size(bytes), text);
        }
    }
}
