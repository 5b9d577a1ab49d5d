//! `ulimit`: the limits of a root login on Debian 12. What is set is remembered and shown; what holds
//! is the machine's budget.

use sundew_kernel::facts::Facts;
use sundew_kernel::{Errno, Process};
use sundew_sh_syntax::Dialect;

use super::Answer;
use crate::shell::Shell;

const USAGE: &str = "ulimit: usage: ulimit [-SHabcdefiklmnpqrstuvxPRT] [limit]";

/// Soft and hard; `None` is unlimited.
type Limit = (Option<u64>, Option<u64>);

/// One resource.
struct Resource {
    letter: u8,
    /// What complaints call it.
    name: &'static str,
    /// In front of its value in the tables of bash, ash and dash; empty where it is not listed.
    bash: &'static str,
    ash: &'static str,
    dash: &'static str,
}

/// In bash's order, which is ash's.
#[rustfmt::skip]
const RESOURCES: &[Resource] = &[
    Resource { letter: b'R', name: "real-time non-blocking time", bash: "real-time non-blocking time  (microseconds, -R) ", ash: "", dash: "" },
    Resource { letter: b'c', name: "core file size", bash: "core file size              (blocks, -c) ", ash: "core file size (blocks)         (-c) ", dash: "coredump(blocks)     " },
    Resource { letter: b'd', name: "data seg size", bash: "data seg size               (kbytes, -d) ", ash: "data seg size (kb)              (-d) ", dash: "data(kbytes)         " },
    Resource { letter: b'e', name: "scheduling priority", bash: "scheduling priority                 (-e) ", ash: "scheduling priority             (-e) ", dash: "" },
    Resource { letter: b'f', name: "file size", bash: "file size                   (blocks, -f) ", ash: "file size (blocks)              (-f) ", dash: "file(blocks)         " },
    Resource { letter: b'i', name: "pending signals", bash: "pending signals                     (-i) ", ash: "pending signals                 (-i) ", dash: "" },
    Resource { letter: b'l', name: "max locked memory", bash: "max locked memory           (kbytes, -l) ", ash: "max locked memory (kb)          (-l) ", dash: "locked memory(kbytes) " },
    Resource { letter: b'm', name: "max memory size", bash: "max memory size             (kbytes, -m) ", ash: "max memory size (kb)            (-m) ", dash: "memory(kbytes)       " },
    Resource { letter: b'n', name: "open files", bash: "open files                          (-n) ", ash: "open files                      (-n) ", dash: "nofiles              " },
    Resource { letter: b'p', name: "pipe size", bash: "pipe size                (512 bytes, -p) ", ash: "", dash: "" },
    Resource { letter: b'q', name: "POSIX message queues", bash: "POSIX message queues         (bytes, -q) ", ash: "POSIX message queues (bytes)    (-q) ", dash: "" },
    Resource { letter: b'r', name: "real-time priority", bash: "real-time priority                  (-r) ", ash: "real-time priority              (-r) ", dash: "rtprio               " },
    Resource { letter: b's', name: "stack size", bash: "stack size                  (kbytes, -s) ", ash: "stack size (kb)                 (-s) ", dash: "stack(kbytes)        " },
    Resource { letter: b't', name: "cpu time", bash: "cpu time                   (seconds, -t) ", ash: "cpu time (seconds)              (-t) ", dash: "time(seconds)        " },
    Resource { letter: b'u', name: "max user processes", bash: "max user processes                  (-u) ", ash: "max user processes              (-u) ", dash: "process              " },
    Resource { letter: b'v', name: "virtual memory", bash: "virtual memory              (kbytes, -v) ", ash: "virtual memory (kb)             (-v) ", dash: "vmemory(kbytes)      " },
    Resource { letter: b'x', name: "file locks", bash: "file locks                          (-x) ", ash: "file locks                      (-x) ", dash: "locks                " },
];

/// Letters of dash's resources, in its order; its `process` is `p`.
const DASH_ORDER: &[u8] = b"tfdscmlunvxr";

/// `fs.nr_open`: no process may have more descriptors.
const MOST_DESCRIPTORS: u64 = 1_048_576;

/// What the limits of a fresh login are. The kernel derives some from the memory (fork(2), systemd's
/// `MEMLOCK`).
fn default(letter: u8, facts: &Facts) -> Limit {
    let both = |value: u64| (Some(value), Some(value));
    match letter {
        b'c' => (Some(0), None),
        b'e' | b'r' => both(0),
        b'i' | b'u' => both(facts.memory_total_kib / 256),
        b'l' => both(facts.memory_total_kib / 8),
        b'n' => (Some(1024), Some(MOST_DESCRIPTORS)),
        b'p' => both(8),
        b'q' => both(819_200),
        b's' => (Some(8192), None),
        _ => (None, None),
    }
}

/// What is asked for one resource.
struct Query<'a> {
    resource: &'static Resource,
    value: Option<&'a [u8]>,
}

/// Which of the two limits is meant.
#[derive(Clone, Copy, Default)]
struct Side {
    soft: bool,
    hard: bool,
}

pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    let mut side = Side::default();
    let mut all = false;
    let mut queries: Vec<Query<'_>> = Vec::new();
    let mut rest = args.get(1..).unwrap_or_default();
    'words: while let Some((first, after)) = rest.split_first() {
        let Some(mut letters) = first
            .strip_prefix(b"-")
            .filter(|letters| !letters.is_empty())
        else {
            break;
        };
        rest = after;
        if letters == b"-" {
            break;
        }
        while let Some((&letter, more)) = letters.split_first() {
            letters = more;
            match letter {
                b'S' => side.soft = true,
                b'H' => side.hard = true,
                b'a' => all = true,
                letter => {
                    let Some(resource) = find(letter, shell.dialect) else {
                        return Ok(invalid(shell, proc, args, letter).await);
                    };
                    let next = rest.first().filter(|next| !next.starts_with(b"-"));
                    let value = if !letters.is_empty() && shell.dialect != Dialect::Dash {
                        Some(letters)
                    } else if let Some(next) = next.filter(|_| letters.is_empty()) {
                        rest = rest.get(1..).unwrap_or_default();
                        Some(next.as_slice())
                    } else {
                        None
                    };
                    queries.push(Query { resource, value });
                    if value.is_some() && !letters.is_empty() {
                        continue 'words;
                    }
                }
            }
        }
    }
    if all {
        return list(shell, proc, side).await;
    }
    if !rest.is_empty() && shell.dialect == Dialect::Dash && !queries.is_empty() {
        return Ok(shell
            .builtin_error(proc, args, "too many arguments", 2)
            .await);
    }
    if queries.is_empty()
        && let Some(resource) = find(b'f', shell.dialect)
    {
        queries.push(Query {
            resource,
            value: rest.first().map(Vec::as_slice),
        });
    }
    perform(shell, proc, args, side, &queries).await
}

async fn perform(
    shell: &mut Shell,
    proc: &mut Process,
    args: &[Vec<u8>],
    side: Side,
    queries: &[Query<'_>],
) -> Answer {
    for query in queries {
        let current = limit(shell, proc, query.resource.letter);
        match query.value {
            Some(value) => {
                let Some(new) = new_limit(shell.dialect, value, current) else {
                    return Ok(bad_number(shell, proc, args, value).await);
                };
                if let Err(reason) = set(shell, proc, query.resource.letter, side, current, new) {
                    return Ok(refused(shell, proc, args, query.resource, reason).await);
                }
            }
            None => {
                let label = if queries.len() > 1 {
                    label(query.resource, shell.dialect)
                } else {
                    ""
                };
                let line = format!(
                    "{label}{}\n",
                    show(if side.hard && !side.soft {
                        current.1
                    } else {
                        current.0
                    })
                );
                let _checked_at_flush = proc.print(line.as_bytes()).await;
            }
        }
    }
    Ok(0)
}

async fn list(shell: &Shell, proc: &mut Process, side: Side) -> Answer {
    let mut text = String::new();
    let mut add = |resource: &Resource| {
        let label = label(resource, shell.dialect);
        if !label.is_empty() {
            let limit = limit(shell, proc, resource.letter);
            text.push_str(&format!(
                "{label}{}\n",
                show(if side.hard && !side.soft {
                    limit.1
                } else {
                    limit.0
                })
            ));
        }
    };
    if shell.dialect == Dialect::Dash {
        for letter in DASH_ORDER {
            RESOURCES
                .iter()
                .filter(|resource| resource.letter == *letter)
                .for_each(&mut add);
        }
    } else {
        RESOURCES.iter().for_each(&mut add);
    }
    let _checked_at_flush = proc.print(text.as_bytes()).await;
    Ok(0)
}

fn label(resource: &Resource, dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Bash => resource.bash,
        Dialect::Dash => resource.dash,
        Dialect::Ash => resource.ash,
    }
}

fn find(letter: u8, dialect: Dialect) -> Option<&'static Resource> {
    // dash calls the processes `p` and the locks `w`.
    let letter = match (dialect, letter) {
        (Dialect::Dash, b'p') => b'u',
        (Dialect::Dash, b'w') => b'x',
        (Dialect::Dash, b'u' | b'x') => return None,
        (_, letter) => letter,
    };
    RESOURCES
        .iter()
        .find(|resource| resource.letter == letter && !label(resource, dialect).is_empty())
}

fn limit(shell: &Shell, proc: &Process, letter: u8) -> Limit {
    shell
        .limits
        .get(&letter)
        .copied()
        .unwrap_or_else(|| default(letter, proc.facts()))
}

fn show(limit: Option<u64>) -> String {
    limit.map_or_else(|| "unlimited".to_owned(), |limit| limit.to_string())
}

/// The value that a word means; `None` if it is no limit.
fn new_limit(dialect: Dialect, value: &[u8], current: Limit) -> Option<Option<u64>> {
    match value {
        b"unlimited" => Some(None),
        b"hard" if dialect == Dialect::Bash => Some(current.1),
        b"soft" if dialect == Dialect::Bash => Some(current.0),
        digits => std::str::from_utf8(digits).ok()?.parse().ok().map(Some),
    }
}

fn set(
    shell: &mut Shell,
    proc: &Process,
    letter: u8,
    side: Side,
    current: Limit,
    new: Option<u64>,
) -> Result<(), &'static str> {
    let both = side.soft == side.hard;
    let (mut soft, mut hard) = current;
    if side.soft || both {
        soft = new;
    }
    if side.hard || both {
        hard = new;
    }
    let above = |left: Option<u64>, right: Option<u64>| {
        left.unwrap_or(u64::MAX) > right.unwrap_or(u64::MAX)
    };
    if above(soft, hard) {
        return Err(Errno::Einval.message());
    }
    let beyond_kernel = letter == b'n' && above(hard, Some(MOST_DESCRIPTORS));
    if beyond_kernel || above(hard, current.1) && proc.credentials().uid != 0 {
        return Err(Errno::Eperm.message());
    }
    shell.limits.insert(letter, (soft, hard));
    Ok(())
}

async fn invalid(shell: &Shell, proc: &mut Process, args: &[Vec<u8>], letter: u8) -> u8 {
    if shell.dialect == Dialect::Ash {
        let text = format!("ulimit: invalid option -- '{}'\n", char::from(letter));
        proc.print_error(text.as_bytes()).await;
        return 1;
    }
    shell
        .invalid_option(proc, args, &[b'-', letter], USAGE)
        .await
}

async fn bad_number(shell: &Shell, proc: &mut Process, args: &[Vec<u8>], value: &[u8]) -> u8 {
    match shell.dialect {
        Dialect::Bash => {
            shell
                .builtin_error(proc, args, [value, b": invalid number"].concat(), 1)
                .await
        }
        Dialect::Dash => shell.builtin_error(proc, args, "bad number", 2).await,
        Dialect::Ash => {
            let name = shell.applet_name();
            proc.print_error(&[name, b": invalid number '", value, b"'\n"].concat())
                .await;
            1
        }
    }
}

async fn refused(
    shell: &Shell,
    proc: &mut Process,
    args: &[Vec<u8>],
    resource: &Resource,
    reason: &str,
) -> u8 {
    match shell.dialect {
        Dialect::Bash => {
            let text = format!("{}: cannot modify limit: {reason}", resource.name);
            shell.builtin_error(proc, args, text, 1).await
        }
        Dialect::Dash => {
            shell
                .builtin_error(proc, args, format!("error setting limit ({reason})"), 2)
                .await
        }
        Dialect::Ash => {
            proc.print_error(format!("sh: error setting limit: {reason}\n").as_bytes())
                .await;
            1
        }
    }
}
