//! `ulimit`: the process's limits, as bash, dash and ash show and set them. Which of them hold is the
//! kernel's affair ([`sundew_kernel::rlimit`]).

use sundew_kernel::rlimit::{INFINITY, Limit, Resource as Of};
use sundew_kernel::{Errno, Process};
use sundew_sh_syntax::Dialect;

use super::Answer;
use crate::shell::Shell;

const USAGE: &str = "ulimit: usage: ulimit [-SHabcdefiklmnpqrstuvxPRT] [limit]";

/// What one of a limit is, in the kernel's units.
#[derive(Debug, Clone, Copy)]
enum Unit {
    One,
    Kibibytes,
    /// 512 bytes; 1024 in bash outside of its POSIX mode.
    Blocks,
}

/// One resource.
struct Resource {
    letter: u8,
    /// What the kernel calls it; the size of pipes is not its.
    of: Option<Of>,
    unit: Unit,
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
    Resource { letter: b'R', of: Some(Of::RealTimeTime), unit: Unit::One, name: "real-time non-blocking time", bash: "real-time non-blocking time  (microseconds, -R) ", ash: "", dash: "" },
    Resource { letter: b'c', of: Some(Of::Core), unit: Unit::Blocks, name: "core file size", bash: "core file size              (blocks, -c) ", ash: "core file size (blocks)         (-c) ", dash: "coredump(blocks)     " },
    Resource { letter: b'd', of: Some(Of::Data), unit: Unit::Kibibytes, name: "data seg size", bash: "data seg size               (kbytes, -d) ", ash: "data seg size (kb)              (-d) ", dash: "data(kbytes)         " },
    Resource { letter: b'e', of: Some(Of::Nice), unit: Unit::One, name: "scheduling priority", bash: "scheduling priority                 (-e) ", ash: "scheduling priority             (-e) ", dash: "" },
    Resource { letter: b'f', of: Some(Of::FileSize), unit: Unit::Blocks, name: "file size", bash: "file size                   (blocks, -f) ", ash: "file size (blocks)              (-f) ", dash: "file(blocks)         " },
    Resource { letter: b'i', of: Some(Of::PendingSignals), unit: Unit::One, name: "pending signals", bash: "pending signals                     (-i) ", ash: "pending signals                 (-i) ", dash: "" },
    Resource { letter: b'l', of: Some(Of::LockedMemory), unit: Unit::Kibibytes, name: "max locked memory", bash: "max locked memory           (kbytes, -l) ", ash: "max locked memory (kb)          (-l) ", dash: "locked memory(kbytes) " },
    Resource { letter: b'm', of: Some(Of::ResidentSet), unit: Unit::Kibibytes, name: "max memory size", bash: "max memory size             (kbytes, -m) ", ash: "max memory size (kb)            (-m) ", dash: "memory(kbytes)       " },
    Resource { letter: b'n', of: Some(Of::Descriptors), unit: Unit::One, name: "open files", bash: "open files                          (-n) ", ash: "open files                      (-n) ", dash: "nofiles              " },
    Resource { letter: b'p', of: None, unit: Unit::One, name: "pipe size", bash: "pipe size                (512 bytes, -p) ", ash: "", dash: "" },
    Resource { letter: b'q', of: Some(Of::MessageQueues), unit: Unit::One, name: "POSIX message queues", bash: "POSIX message queues         (bytes, -q) ", ash: "POSIX message queues (bytes)    (-q) ", dash: "" },
    Resource { letter: b'r', of: Some(Of::RealTimePriority), unit: Unit::One, name: "real-time priority", bash: "real-time priority                  (-r) ", ash: "real-time priority              (-r) ", dash: "rtprio               " },
    Resource { letter: b's', of: Some(Of::Stack), unit: Unit::Kibibytes, name: "stack size", bash: "stack size                  (kbytes, -s) ", ash: "stack size (kb)                 (-s) ", dash: "stack(kbytes)        " },
    Resource { letter: b't', of: Some(Of::Cpu), unit: Unit::One, name: "cpu time", bash: "cpu time                   (seconds, -t) ", ash: "cpu time (seconds)              (-t) ", dash: "time(seconds)        " },
    Resource { letter: b'u', of: Some(Of::Processes), unit: Unit::One, name: "max user processes", bash: "max user processes                  (-u) ", ash: "max user processes              (-u) ", dash: "process              " },
    Resource { letter: b'v', of: Some(Of::AddressSpace), unit: Unit::Kibibytes, name: "virtual memory", bash: "virtual memory              (kbytes, -v) ", ash: "virtual memory (kb)             (-v) ", dash: "vmemory(kbytes)      " },
    Resource { letter: b'x', of: Some(Of::Locks), unit: Unit::One, name: "file locks", bash: "file locks                          (-x) ", ash: "file locks                      (-x) ", dash: "locks                " },
];

/// Letters of dash's resources, in its order; its `process` is `p`.
const DASH_ORDER: &[u8] = b"tfdscmlunvxr";

/// What bash says of the buffer of a pipe, in blocks of 512 bytes. Nobody can change it.
const PIPE_BLOCKS: u64 = 8;

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

impl Side {
    /// dash goes by the last letter, the others by both.
    fn say(&mut self, letter: u8, dialect: Dialect) {
        if dialect == Dialect::Dash {
            *self = Self::default();
        }
        self.soft |= letter == b'S';
        self.hard |= letter == b'H';
    }

    fn shown(self, limit: Limit) -> u64 {
        if self.hard && !self.soft {
            limit.hard
        } else {
            limit.soft
        }
    }
}

/// Why a limit stays as it was.
enum Refusal {
    NoNumber,
    OutOfRange,
    Kernel(Errno),
}

pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    let mut side = Side::default();
    let mut all = false;
    let mut queries: Vec<Query<'_>> = Vec::new();
    let mut rest = args.get(1..).unwrap_or_default();
    let mut ended = false;
    'words: while let Some((first, after)) = rest.split_first() {
        let Some(mut letters) = first
            .strip_prefix(b"-")
            .filter(|letters| !letters.is_empty())
        else {
            break;
        };
        rest = after;
        if letters == b"-" {
            ended = true;
            break;
        }
        while let Some((&letter, more)) = letters.split_first() {
            letters = more;
            match letter {
                b'S' | b'H' => side.say(letter, shell.dialect),
                b'a' => all = true,
                letter => {
                    let Some(resource) = find(letter, shell.dialect) else {
                        return Ok(invalid(shell, proc, args, letter).await);
                    };
                    let next = rest.first().filter(|next| !next.starts_with(b"-"));
                    let value = if shell.dialect == Dialect::Dash {
                        None
                    } else if !letters.is_empty() {
                        Some(letters)
                    } else if let Some(next) = next {
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
    if shell.dialect == Dialect::Dash {
        return dash(shell, proc, args, (side, all), queries.pop(), rest).await;
    }
    // ash takes what is no option for the size of files, unless `--` stands before it.
    let ash = shell.dialect == Dialect::Ash;
    let operand = rest.first().filter(|_| !(ash && ended));
    if all {
        list(shell, proc, side).await;
        if !ash {
            return Ok(0);
        }
    }
    let alone = queries.is_empty() && !all;
    if (alone || ash && operand.is_some())
        && let Some(resource) = find(b'f', shell.dialect)
    {
        queries.push(Query {
            resource,
            value: operand.map(Vec::as_slice),
        });
    }
    perform(shell, proc, args, side, &queries).await
}

/// dash: one resource, the last that was named, and its value behind the options.
async fn dash(
    shell: &mut Shell,
    proc: &mut Process,
    args: &[Vec<u8>],
    (side, all): (Side, bool),
    query: Option<Query<'_>>,
    rest: &[Vec<u8>],
) -> Answer {
    if rest.len() > usize::from(!all) {
        return Ok(shell
            .builtin_error(proc, args, "too many arguments", 2)
            .await);
    }
    if all {
        list(shell, proc, side).await;
        return Ok(0);
    }
    let resource = query.map(|query| query.resource);
    let Some(resource) = resource.or_else(|| find(b'f', shell.dialect)) else {
        return Ok(0);
    };
    let value = rest.first().map(Vec::as_slice);
    perform(shell, proc, args, side, &[Query { resource, value }]).await
}

async fn perform(
    shell: &mut Shell,
    proc: &mut Process,
    args: &[Vec<u8>],
    side: Side,
    queries: &[Query<'_>],
) -> Answer {
    for query in queries {
        match query.value {
            Some(value) => {
                if let Err(refusal) = set(shell, proc, query.resource, side, value) {
                    return Ok(refused(shell, proc, args, query, refusal).await);
                }
            }
            None => {
                let label = if queries.len() > 1 {
                    label(query.resource, shell.dialect)
                } else {
                    ""
                };
                let line = format!("{label}{}\n", show(shell, proc, query.resource, side));
                let _checked_at_flush = proc.print(line.as_bytes()).await;
            }
        }
    }
    Ok(0)
}

async fn list(shell: &Shell, proc: &mut Process, side: Side) {
    let mut text = String::new();
    let mut add = |resource: &Resource| {
        let label = label(resource, shell.dialect);
        if !label.is_empty() {
            text.push_str(&format!("{label}{}\n", show(shell, proc, resource, side)));
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

/// What one of the resource's unit is in the kernel's.
fn factor(shell: &Shell, resource: &Resource) -> u64 {
    match resource.unit {
        Unit::One => 1,
        Unit::Kibibytes => 1024,
        Unit::Blocks if shell.is_bash() && !shell.options.is_set("posix") => 1024,
        Unit::Blocks => 512,
    }
}

fn show(shell: &Shell, proc: &Process, resource: &Resource, side: Side) -> String {
    let value = resource
        .of
        .map_or(PIPE_BLOCKS, |of| side.shown(proc.limit(of)));
    match value {
        INFINITY => "unlimited".to_owned(),
        value => (value / factor(shell, resource)).to_string(),
    }
}

fn set(
    shell: &Shell,
    proc: &Process,
    resource: &Resource,
    side: Side,
    value: &[u8],
) -> Result<(), Refusal> {
    let old = resource
        .of
        .map_or(Limit { soft: 0, hard: 0 }, |of| proc.limit(of));
    let new = match value {
        b"unlimited" => INFINITY,
        b"hard" if shell.is_bash() => old.hard,
        b"soft" if shell.is_bash() => old.soft,
        digits => number(digits, factor(shell, resource), shell.dialect)?,
    };
    let of = resource.of.ok_or(Refusal::Kernel(Errno::Einval))?;
    let both = side.soft == side.hard;
    let limit = Limit {
        soft: if side.soft || both { new } else { old.soft },
        hard: if side.hard || both { new } else { old.hard },
    };
    proc.set_limit(of, limit).map_err(Refusal::Kernel)
}

/// A value in the kernel's units. bash and dash wrap around as their C does, and bash alone notices
/// it in the product.
fn number(digits: &[u8], factor: u64, dialect: Dialect) -> Result<u64, Refusal> {
    if !digits.iter().all(u8::is_ascii_digit) || digits.is_empty() && dialect == Dialect::Ash {
        return Err(Refusal::NoNumber);
    }
    let mut value = 0_u64;
    for &digit in digits {
        let next = value
            .checked_mul(10)
            .and_then(|tens| tens.checked_add(u64::from(digit - b'0')));
        value = match next {
            Some(next) => next,
            None if dialect == Dialect::Ash => return Err(Refusal::NoNumber),
            None => value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0')),
        };
    }
    match value.checked_mul(factor) {
        Some(bytes) => Ok(bytes),
        None if dialect == Dialect::Bash => Err(Refusal::OutOfRange),
        None => Ok(value.wrapping_mul(factor)),
    }
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

async fn refused(
    shell: &Shell,
    proc: &mut Process,
    args: &[Vec<u8>],
    query: &Query<'_>,
    refusal: Refusal,
) -> u8 {
    let value = query.value.unwrap_or_default();
    let reason = match refusal {
        Refusal::NoNumber => return bad_number(shell, proc, args, value).await,
        Refusal::OutOfRange => {
            let text = [value, b": limit out of range"].concat();
            return shell.builtin_error(proc, args, text, 1).await;
        }
        Refusal::Kernel(errno) => errno.message(),
    };
    match shell.dialect {
        Dialect::Bash => {
            let text = format!("{}: cannot modify limit: {reason}", query.resource.name);
            shell.builtin_error(proc, args, text, 1).await
        }
        Dialect::Dash => {
            shell
                .builtin_error(proc, args, format!("error setting limit ({reason})"), 2)
                .await
        }
        Dialect::Ash => {
            let text = format!(": error setting limit: {reason}\n");
            proc.print_error(&[shell.applet_name(), text.as_bytes()].concat())
                .await;
            1
        }
    }
}

async fn bad_number(shell: &Shell, proc: &mut Process, args: &[Vec<u8>], value: &[u8]) -> u8 {
    match shell.dialect {
        Dialect::Bash => {
            let kind = match value {
                [b'0', b'0'..=b'9', ..] => "octal ",
                [b'0', b'x', ..] => "hex ",
                _ => "",
            };
            let text = [value, format!(": invalid {kind}number").as_bytes()].concat();
            shell.builtin_error(proc, args, text, 1).await
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
