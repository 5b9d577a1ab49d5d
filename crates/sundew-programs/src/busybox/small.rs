//! Small applets of BusyBox's own shape: `id`, `wc`, `xxd`, `strings`, `clear`.

use sundew_kernel::{Errno, ExitStatus, Process};

use super::{complain, usage};
use crate::getopt::{Getopt, Spec};
use crate::text::input;
use crate::users::Directory;

async fn cannot_open(proc: &mut Process, name: &str, path: &[u8], errno: Errno) {
    let text = [path, b": ", errno.message().as_bytes()].concat();
    complain(proc, name, text).await;
}

pub(super) async fn id(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new("gGnruZ", &[]);
    let mut seen = String::new();
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option {
            Ok(option) => seen.push_str(option.key),
            Err(error) => return usage::refuse_option(proc, b"id", &error).await,
        }
    }
    let users = Directory::load(proc).await;
    let operands = options.operands();
    let own = proc.credentials();
    let (uid, gid, groups) = match operands.first() {
        None => (own.uid, own.gid, own.groups.clone()),
        Some(name) => match users.user(name) {
            Some(user) => (user.uid, user.gid, users.groups_of(user)),
            None => {
                return complain(proc, "id", [b"unknown user ", name.as_slice()].concat()).await;
            }
        },
    };
    let kinds = seen.chars().filter(|kind| "ugG".contains(*kind)).count();
    if kinds > 1 || (kinds == 0 && !seen.is_empty()) {
        return usage::refuse(proc, b"id").await;
    }
    let named = seen.contains('n');
    let show = |id: u32, group: bool| -> Vec<u8> {
        if !named {
            return id.to_string().into_bytes();
        }
        if group {
            users.group_text(id)
        } else {
            users.user_text(id)
        }
    };
    let mut list = groups;
    if !operands.is_empty() && !list.contains(&gid) {
        list.insert(0, gid);
    }
    let line = if seen.contains('u') {
        show(uid, false)
    } else if seen.contains('g') {
        show(gid, true)
    } else if seen.contains('G') {
        if !list.contains(&gid) {
            list.insert(0, gid);
        }
        list.iter()
            .map(|group| show(*group, true))
            .collect::<Vec<_>>()
            .join(&b' ')
    } else {
        let pair = |id: u32, name: Option<&[u8]>| {
            let mut out = id.to_string().into_bytes();
            if let Some(name) = name {
                out.extend([b"(", name, b")"].concat());
            }
            out
        };
        let mut out = [
            b"uid=".as_slice(),
            &pair(uid, users.user_name(uid)),
            b" gid=",
            &pair(gid, users.group_name(gid)),
        ]
        .concat();
        if !list.is_empty() {
            let rest: Vec<Vec<u8>> = list
                .iter()
                .map(|group| pair(*group, users.group_name(*group)))
                .collect();
            out.extend([b" groups=".as_slice(), &rest.join(&b',')].concat());
        }
        out
    };
    let _reported_at_exit = proc.print(&[line.as_slice(), b"\n"].concat()).await;
    proc.status()
}

/// `echo`, as the shell's own.
pub(super) async fn echo(proc: &mut Process) -> ExitStatus {
    let (mut newline, mut escapes) = (true, false);
    let all: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    let mut words = all.as_slice();
    while let Some((word, rest)) = words.split_first() {
        let letters = word.strip_prefix(b"-").unwrap_or_default();
        if letters.is_empty() || !letters.iter().all(|letter| b"neE".contains(letter)) {
            break;
        }
        for letter in letters {
            match letter {
                b'n' => newline = false,
                letter => escapes = *letter == b'e',
            }
        }
        words = rest;
    }
    let mut text = words.join(&b' ');
    if escapes {
        let (plain, stopped) = sundew_posix::escape::busybox_echo(&text);
        text = plain;
        newline &= !stopped;
    }
    if newline {
        text.push(b'\n');
    }
    let _reported_at_exit = proc.print(&text).await;
    proc.status()
}

/// `passwd` names the user before it asks.
pub(super) async fn passwd(proc: &mut Process) -> ExitStatus {
    let mut words = proc.args().iter().skip(1);
    let asks = !words
        .clone()
        .any(|word| word.len() > 1 && word.starts_with(b"-"));
    let operand = words.find(|word| !word.starts_with(b"-")).cloned();
    let users = Directory::load(proc).await;
    let name = operand.unwrap_or_else(|| users.user_text(proc.real_ids().0));
    if asks && users.user(&name).is_some() {
        let line = [b"Changing password for ", name.as_slice(), b"\n"].concat();
        let _closed = proc.print(&line).await;
        let _closed = proc.flush().await;
    }
    super::borrowed::run(proc, b"passwd").await
}

pub(super) async fn wc(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new("clmwL", &[]);
    let mut seen = String::new();
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option {
            Ok(option) => seen.push_str(option.key),
            Err(error) => return usage::refuse_option(proc, b"wc", &error).await,
        }
    }
    if seen.is_empty() {
        seen.push_str("lwc");
    }
    let operands = options.operands();
    let single = seen.len() == 1 && operands.len() <= 1;
    let named = !operands.is_empty();
    let paths = if named { operands } else { vec![b"-".to_vec()] };
    let mut total = [0u64; 5];
    for path in &paths {
        let counts = match count(proc, path).await {
            Ok(counts) => counts,
            Err(errno) => {
                cannot_open(proc, "wc", path, errno).await;
                proc.set_status(1);
                continue;
            }
        };
        for (sum, count) in total.iter_mut().zip(counts).take(4) {
            *sum += count;
        }
        let [.., widest] = &mut total;
        let [.., wide] = counts;
        *widest = (*widest).max(wide);
        let line = row(&seen, &counts, single, named.then_some(path.as_slice()));
        if proc.print(&line).await.is_err() {
            return proc.status();
        }
    }
    if paths.len() > 1 {
        let line = row(&seen, &total, single, Some(b"total"));
        let _reported_at_exit = proc.print(&line).await;
    }
    proc.status()
}

fn row(seen: &str, counts: &[u64; 5], single: bool, name: Option<&[u8]>) -> Vec<u8> {
    let parts: Vec<String> = ["l", "w", "m", "c", "L"]
        .iter()
        .zip(counts)
        .filter(|(letter, _)| seen.contains(**letter))
        .map(|(_, count)| {
            if single {
                count.to_string()
            } else {
                format!("{count:>9}")
            }
        })
        .collect();
    let text = parts.join(" ");
    let mut out = text.into_bytes();
    if let Some(name) = name {
        out.push(b' ');
        out.extend_from_slice(name);
    }
    out.push(b'\n');
    out
}

/// Lines, words, characters, bytes, the longest line.
async fn count(proc: &Process, path: &[u8]) -> Result<[u64; 5], Errno> {
    let fd = input::open(proc, path).await?;
    let mut chunk = vec![0; 32 * 1024];
    let (mut lines, mut words, mut bytes, mut longest, mut at) = (0, 0, 0u64, 0, 0u64);
    let mut in_word = false;
    let result = loop {
        match proc.read(fd, &mut chunk).await {
            Ok(0) => break Ok(()),
            Ok(count) => {
                for &byte in chunk.get(..count).unwrap_or_default() {
                    bytes += 1;
                    at += 1;
                    if byte == b'\n' {
                        lines += 1;
                        longest = longest.max(at - 1);
                        at = 0;
                    }
                    let blank = byte.is_ascii_whitespace() || byte == 11;
                    if blank {
                        in_word = false;
                    } else if !std::mem::replace(&mut in_word, true) {
                        words += 1;
                    }
                }
            }
            Err(errno) => break Err(errno),
        }
    };
    input::close(proc, fd);
    result?;
    Ok([lines, words, bytes, bytes, longest.max(at)])
}

pub(super) async fn strings(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new("afn:ot:", &[]);
    let (mut least, mut name, mut offset) = (4, false, None);
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("f", _)) => name = true,
            Ok(("n", value)) => least = number(&value).unwrap_or(4),
            Ok(("o", _)) => offset = Some(b'o'),
            Ok(("t", value)) => offset = value.first().copied(),
            Ok(_) => {}
            Err(error) => return usage::refuse_option(proc, b"strings", &error).await,
        }
    }
    let operands = options.operands();
    let paths = if operands.is_empty() {
        vec![b"-".to_vec()]
    } else {
        operands
    };
    for path in &paths {
        let fd = match input::open(proc, path).await {
            Ok(fd) => fd,
            Err(errno) => {
                cannot_open(proc, "strings", path, errno).await;
                proc.set_status(1);
                continue;
            }
        };
        let mut chunk = vec![0; 32 * 1024];
        let (mut word, mut at) = (Vec::new(), 0u64);
        loop {
            let count = proc.read(fd, &mut chunk).await.unwrap_or(0);
            // What is left at the end is shown as if something followed.
            let bytes = if count == 0 {
                &b"\0"[..]
            } else {
                chunk.get(..count).unwrap_or_default()
            };
            for &byte in bytes {
                at += 1;
                if byte == b'\t' || byte == b' ' || byte.is_ascii_graphic() {
                    // A line of a sample has no end; it is shown in pieces.
                    if word.len() < input_limit() {
                        word.push(byte);
                    }
                    continue;
                }
                if word.len() >= least {
                    let start = at - 1 - word.len() as u64;
                    let place = match offset {
                        Some(b'o') => format!("{start:7o} "),
                        Some(b'x') => format!("{start:7x} "),
                        Some(_) => format!("{start:7} "),
                        None => String::new(),
                    };
                    let head = if name {
                        [path.as_slice(), b": "].concat()
                    } else {
                        Vec::new()
                    };
                    if proc
                        .print(&[&head, place.as_bytes(), &word, b"\n"].concat())
                        .await
                        .is_err()
                    {
                        return proc.status();
                    }
                }
                word.clear();
            }
            if count == 0 {
                break;
            }
        }
        input::close(proc, fd);
    }
    proc.status()
}

/// Bytes of one string that are kept.
const fn input_limit() -> usize {
    1 << 20
}

fn number(text: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(text).ok()?;
    match text.strip_prefix("0x") {
        Some(hex) => usize::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
pub(super) async fn xxd(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new("aeg:il:n:o:pc:rs:", &[]);
    let (mut plain, mut include, mut reverse, mut group, mut columns) =
        (false, false, false, 2, None);
    let (mut length, mut skip, mut shift) = (usize::MAX, 0, 0);
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("p", _)) => plain = true,
            Ok(("i", _)) => include = true,
            Ok(("r", _)) => reverse = true,
            Ok(("g", value)) => group = number(&value).unwrap_or(2),
            Ok(("c", value)) => {
                columns = number(&value).filter(|columns| (1..=256).contains(columns))
            }
            Ok(("l" | "n", value)) => length = number(&value).unwrap_or(usize::MAX),
            Ok(("s", value)) => skip = number(&value).unwrap_or(0),
            Ok(("o", value)) => shift = number(&value).unwrap_or(0),
            Ok(_) => {}
            Err(error) => return usage::refuse_option(proc, b"xxd", &error).await,
        }
    }
    let operands = options.operands();
    let path = operands.first().map_or(b"-".as_slice(), Vec::as_slice);
    let (bytes, mut memory) = match input::read_all(proc, path).await {
        Ok(read) => read,
        Err(errno) => {
            cannot_open(proc, "xxd", path, errno).await;
            return ExitStatus::FAILURE;
        }
    };
    if memory.grow(bytes.len()).is_err() {
        proc.out_of_memory().await;
    }
    if reverse {
        let out = unhexed(&bytes, plain);
        let _reported_at_exit = proc.print(&out).await;
        return proc.status();
    }
    let bytes = bytes.get(skip.min(bytes.len())..).unwrap_or_default();
    let bytes = bytes.get(..length.min(bytes.len())).unwrap_or_default();
    let columns = columns.unwrap_or(if plain {
        30
    } else if include {
        12
    } else {
        16
    });
    // The array of `-i` is named after the file.
    let array = (include && !operands.is_empty()).then(|| {
        let letter = |byte: &u8| {
            if byte.is_ascii_alphanumeric() {
                char::from(*byte)
            } else {
                '_'
            }
        };
        path.iter().map(letter).collect::<String>()
    });
    if let Some(name) = &array {
        let head = format!("unsigned char {name}[] = {{\n");
        if proc.print(head.as_bytes()).await.is_err() {
            return proc.status();
        }
    }
    let rows = bytes.len().div_ceil(columns);
    for (number, line) in bytes.chunks(columns).enumerate() {
        let hex = |byte: &u8| format!("{byte:02x}");
        let text = if plain {
            line.iter().map(hex).collect::<String>().into_bytes()
        } else if include {
            let values: Vec<String> = line.iter().map(|byte| format!("0x{byte:02x}")).collect();
            let end = if number + 1 < rows { "," } else { "" };
            format!("  {}{end}", values.join(", ")).into_bytes()
        } else {
            let mut out = format!("{:08x}: ", skip + shift + number * columns);
            for at in 0..columns {
                out.push_str(&line.get(at).map_or_else(|| "  ".to_owned(), hex));
                if group > 0 && (at + 1) % group == 0 {
                    out.push(' ');
                }
            }
            if group == 0 || columns % group != 0 {
                out.push(' ');
            }
            out.push(' ');
            let mut out = out.into_bytes();
            out.extend(line.iter().map(|byte| {
                if (32..127).contains(byte) {
                    *byte
                } else {
                    b'.'
                }
            }));
            out
        };
        if proc
            .print(&[text.as_slice(), b"\n"].concat())
            .await
            .is_err()
        {
            break;
        }
    }
    if let Some(name) = array {
        let tail = format!("}};\nunsigned int {name}_len = {};\n", bytes.len());
        let _reported_at_exit = proc.print(tail.as_bytes()).await;
    }
    proc.status()
}

/// Bytes from their digits; offsets in front and text behind are passed over.
fn unhexed(text: &[u8], plain: bool) -> Vec<u8> {
    let mut out = Vec::new();
    for line in text.split(|&byte| byte == b'\n') {
        let mut digits = line;
        if !plain {
            let start = line
                .iter()
                .position(|&byte| byte == b':')
                .map_or(0, |at| at + 1);
            digits = line.get(start..).unwrap_or_default();
            let end = digits
                .windows(2)
                .skip(1)
                .position(|pair| pair == b"  ")
                .map_or(digits.len(), |at| at + 1);
            digits = digits.get(..end).unwrap_or_default();
        }
        let values: Vec<u8> = digits
            .iter()
            .filter_map(|byte| char::from(*byte).to_digit(16))
            .filter_map(|value| u8::try_from(value).ok())
            .collect();
        out.extend(
            values
                .chunks_exact(2)
                .map(|pair| pair.iter().fold(0u8, |sum, value| sum << 4 | value)),
        );
    }
    out
}

pub(super) async fn clear(proc: &mut Process) -> ExitStatus {
    let _reported_at_exit = proc.print(b"\x1b[H\x1b[J").await;
    proc.status()
}
