//! Small applets that turn one text into another: cal, crc32, dos2unix, ipcalc, uuencode and their
//! inverses; also dnsdomainname and reset.

use std::net::Ipv4Addr;

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::{Errno, ExitStatus, Process, STDIN};

use super::{complain, printed, usage};
use crate::text::input;
use crate::time::MONTHS;

/// What a converter reads at most, in bytes.
const MAX_INPUT_BYTES: usize = 16 << 20;

pub(super) async fn run(proc: &mut Process, name: &[u8]) -> ExitStatus {
    match name {
        b"cal" => cal(proc).await,
        b"crc32" => crc32(proc).await,
        b"dos2unix" | b"unix2dos" => lines(proc, name).await,
        b"ipcalc" => ipcalc(proc).await,
        b"uuencode" => uuencode(proc).await,
        b"uudecode" => uudecode(proc).await,
        b"dnsdomainname" => ExitStatus::FAILURE,
        _ => printed(proc, b"\x1bc\x1b(B\x1b[m\x1b[J\x1b[?25h").await,
    }
}

fn operands(proc: &Process) -> Vec<Vec<u8>> {
    let words = proc.args().iter().skip(1);
    words
        .filter(|word| !(word.len() > 1 && word.starts_with(b"-")))
        .cloned()
        .collect()
}

/// A whole file, or standard input for none.
async fn content(proc: &Process, path: Option<&Vec<u8>>) -> Result<Vec<u8>, Errno> {
    let (mut text, _memory) = match path {
        Some(path) => input::read_all(proc, path).await?,
        None => proc.read_to_end(STDIN).await?,
    };
    text.truncate(MAX_INPUT_BYTES);
    Ok(text)
}

async fn cannot_open(proc: &mut Process, applet: &str, path: &[u8], errno: Errno) -> ExitStatus {
    let text = [b"can't open '", path, b"': ", errno.message().as_bytes()].concat();
    complain(proc, applet, text).await
}

/// `dos2unix` and `unix2dos`.
async fn lines(proc: &mut Process, name: &[u8]) -> ExitStatus {
    let applet = if name == b"dos2unix" {
        "dos2unix"
    } else {
        "unix2dos"
    };
    let to_dos = match proc
        .args()
        .iter()
        .rfind(|word| matches!(word.as_slice(), b"-u" | b"-d"))
    {
        Some(word) => word == b"-d",
        None => name == b"unix2dos",
    };
    let paths = operands(proc);
    let path = paths.first();
    let text = match content(proc, path).await {
        Ok(text) => text,
        Err(errno) => {
            return cannot_open(
                proc,
                applet,
                path.map_or(b"-".as_slice(), |path| path),
                errno,
            )
            .await;
        }
    };
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        match byte {
            b'\r' => {}
            b'\n' if to_dos => out.extend(b"\r\n"),
            byte => out.push(byte),
        }
    }
    let Some(path) = path else {
        return printed(proc, &out).await;
    };
    match write(proc, path, &out, 0o666).await {
        Ok(()) => ExitStatus::SUCCESS,
        Err(errno) => cannot_open(proc, applet, path, errno).await,
    }
}

async fn write(proc: &Process, path: &[u8], text: &[u8], mode: u16) -> Result<(), Errno> {
    let fd = proc.open(path, OpenFlags::CREATE, mode).await?;
    let result = proc.write_all(fd, text).await;
    let _open = proc.close(fd);
    result
}

async fn crc32(proc: &mut Process) -> ExitStatus {
    let paths = operands(proc);
    let named = !paths.is_empty();
    let paths = if named { paths } else { vec![b"-".to_vec()] };
    for path in paths {
        let text = match content(proc, Some(&path).filter(|_| named)).await {
            Ok(text) => text,
            Err(errno) => {
                cannot_open(proc, "crc32", &path, errno).await;
                proc.set_status(1);
                continue;
            }
        };
        let mut sum = u32::MAX;
        for byte in text {
            sum ^= u32::from(byte);
            for _ in 0..8 {
                let low = sum & 1;
                sum >>= 1;
                if low == 1 {
                    sum ^= 0xedb8_8320;
                }
            }
        }
        let sum = format!("{:08x}", !sum);
        let line = if named {
            [sum.as_bytes(), b" ", &path, b"\n"].concat()
        } else {
            [sum.as_bytes(), b"\n"].concat()
        };
        if proc.print(&line).await.is_err() {
            break;
        }
    }
    proc.status()
}

/// `uuencode [-m] [FILE] NAME`.
async fn uuencode(proc: &mut Process) -> ExitStatus {
    let base64 = proc.args().iter().any(|word| word == b"-m");
    let words = operands(proc);
    let (path, name) = match words.as_slice() {
        [name] => (None, name),
        [path, name] => (Some(path), name),
        _ => return usage::refuse(proc, b"uuencode").await,
    };
    let mut mode = 0o666 & !proc.umask();
    if let Some(path) = path {
        match proc.stat(path) {
            Ok(found) => mode = found.mode & 0o777,
            Err(errno) => return cannot_open(proc, "uuencode", path, errno).await,
        }
    }
    let text = match content(proc, path).await {
        Ok(text) => text,
        Err(errno) => {
            return cannot_open(
                proc,
                "uuencode",
                path.map_or(b"-".as_slice(), |path| path),
                errno,
            )
            .await;
        }
    };
    let kind = if base64 { "begin-base64" } else { "begin" };
    let mut out = [format!("{kind} {mode:o} ").as_bytes(), name, b"\n"].concat();
    for line in text.chunks(45) {
        if !base64 {
            out.push(uu(u8::try_from(line.len()).unwrap_or(0)));
        }
        for group in line.chunks(3) {
            let byte = |at: usize| group.get(at).copied().unwrap_or(0);
            let (one, two, three) = (byte(0), byte(1), byte(2));
            let sextets = [
                one >> 2,
                (one & 3) << 4 | two >> 4,
                (two & 15) << 2 | three >> 6,
                three & 63,
            ];
            for (index, sextet) in sextets.into_iter().enumerate() {
                out.push(match (base64, index > group.len()) {
                    (true, true) => b'=',
                    (true, false) => base64_letter(sextet),
                    (false, _) => uu(sextet),
                });
            }
        }
        out.push(b'\n');
    }
    out.extend(if base64 {
        b"====\n".as_slice()
    } else {
        b"`\nend\n"
    });
    printed(proc, &out).await
}

fn uu(value: u8) -> u8 {
    if value == 0 { b'`' } else { value + b' ' }
}

fn base64_letter(value: u8) -> u8 {
    match value {
        0..=25 => b'A' + value,
        26..=51 => b'a' + (value - 26),
        52..=61 => b'0' + (value - 52),
        62 => b'+',
        _ => b'/',
    }
}

fn sextet(letter: u8, base64: bool) -> Option<u8> {
    if !base64 {
        return (b' '..=b'`')
            .contains(&letter)
            .then(|| (letter - b' ') & 63);
    }
    (0..64).find(|&value| base64_letter(value) == letter)
}

/// `uudecode [-o FILE] [FILE]`.
async fn uudecode(proc: &mut Process) -> ExitStatus {
    let mut words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    let mut to = None;
    if let Some(at) = words.iter().position(|word| word == b"-o") {
        words.remove(at);
        to = (at < words.len()).then(|| words.remove(at));
    }
    let text = match content(proc, words.first()).await {
        Ok(text) => text,
        Err(errno) => {
            let path = words.first().cloned().unwrap_or_default();
            return cannot_open(proc, "uudecode", &path, errno).await;
        }
    };
    let mut rows = text.split(|&byte| byte == b'\n');
    let head = rows.find_map(|row| {
        let (rest, base64) = match row.strip_prefix(b"begin-base64 ") {
            Some(rest) => (rest, true),
            None => (row.strip_prefix(b"begin ")?, false),
        };
        let at = rest.iter().position(|&byte| byte == b' ')?;
        let (mode, name) = rest.split_at(at);
        let mode = u16::from_str_radix(std::str::from_utf8(mode).ok()?, 8).ok()?;
        Some((mode & 0o777, name.trim_ascii().to_vec(), base64))
    });
    let Some((mode, name, base64)) = head else {
        return complain(proc, "uudecode", "no 'begin' line").await;
    };
    let mut out = Vec::new();
    for row in rows {
        if row == b"====" || row == b"end" {
            break;
        }
        let (count, letters) = if base64 {
            (usize::MAX, row)
        } else {
            let Some((&first, letters)) = row.split_first() else {
                continue;
            };
            (usize::from(sextet(first, false).unwrap_or(0)), letters)
        };
        let values: Vec<u8> = letters
            .iter()
            .map_while(|&letter| sextet(letter, base64))
            .collect();
        let mut bytes = Vec::new();
        for group in values.chunks(4) {
            let value = |at: usize| group.get(at).copied().unwrap_or(0);
            let all = [
                value(0) << 2 | value(1) >> 4,
                value(1) << 4 | value(2) >> 2,
                value(2) << 6 | value(3),
            ];
            bytes.extend_from_slice(all.get(..group.len().saturating_sub(1)).unwrap_or_default());
        }
        bytes.truncate(count);
        out.extend(bytes);
    }
    let to = to.unwrap_or(name);
    if to == b"-" || to == b"/dev/stdout" {
        return printed(proc, &out).await;
    }
    match write(proc, &to, &out, mode).await {
        Ok(()) => ExitStatus::SUCCESS,
        Err(errno) => cannot_open(proc, "uudecode", &to, errno).await,
    }
}

/// `ipcalc [-bnmps] ADDRESS[/PREFIX] [NETMASK]`.
async fn ipcalc(proc: &mut Process) -> ExitStatus {
    let letters: Vec<u8> = proc
        .args()
        .iter()
        .skip(1)
        .filter_map(|word| word.strip_prefix(b"-"))
        .flat_map(<[u8]>::to_vec)
        .collect();
    let has = |letter: u8| letters.contains(&letter);
    let words: Vec<String> = operands(proc)
        .iter()
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect();
    let Some(word) = words
        .first()
        .filter(|_| b"bnmph".iter().any(|&letter| has(letter)))
    else {
        return usage::refuse(proc, b"ipcalc").await;
    };
    let (address, prefix) = match word.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (word.as_str(), None),
    };
    let Ok(address) = address.parse::<Ipv4Addr>() else {
        return complain(proc, "ipcalc", format!("bad IP address: {address}")).await;
    };
    let mask = match (prefix, words.get(1)) {
        (Some(prefix), _) => match prefix.parse::<u32>() {
            Ok(bits @ 0..=32) => u32::MAX.checked_shl(32 - bits).unwrap_or(0),
            _ => return complain(proc, "ipcalc", format!("bad IP prefix: {prefix}")).await,
        },
        (None, Some(mask)) => match mask.parse::<Ipv4Addr>() {
            Ok(mask) => u32::from(mask),
            Err(_) => return complain(proc, "ipcalc", format!("bad netmask: {mask}")).await,
        },
        (None, None) => match address.octets() {
            [0..=127, ..] => 0xff00_0000,
            [128..=191, ..] => 0xffff_0000,
            _ => 0xffff_ff00,
        },
    };
    let network = u32::from(address) & mask;
    let mut out = String::new();
    // BusyBox prints them in this order, whatever the order of the letters.
    if has(b'm') {
        out += &format!("NETMASK={}\n", Ipv4Addr::from(mask));
    }
    if has(b'b') {
        out += &format!("BROADCAST={}\n", Ipv4Addr::from(network | !mask));
    }
    if has(b'n') {
        out += &format!("NETWORK={}\n", Ipv4Addr::from(network));
    }
    if has(b'p') {
        out += &format!("PREFIX={}\n", mask.count_ones());
    }
    printed(proc, out.as_bytes()).await
}

/// Days before each month, and of the week on which it begins, Sunday 0; Gregorian throughout, but
/// before September 1752 as the old calendar had them.
fn month(year: i64, month: usize) -> (usize, i64) {
    let julian = year < 1752 || (year == 1752 && month < 8);
    let leap = year % 4 == 0 && (julian || year % 100 != 0 || year % 400 == 0);
    let lengths = [
        31,
        if leap { 29 } else { 28 },
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let length = lengths.get(month).copied().unwrap_or(31);
    let before: i64 = lengths.iter().take(month).sum();
    let past = year - 1;
    let days = past * 365 + past / 4 + before;
    let weekday = if julian {
        (days + 6) % 7
    } else {
        (days - past / 100 + past / 400 + 1) % 7
    };
    (usize::try_from(weekday).unwrap_or(0), length)
}

/// The six rows of a month, each 20 wide.
fn rows(year: i64, number: usize) -> Vec<String> {
    let (first, length) = month(year, number);
    let mut days: Vec<String> = vec!["  ".to_owned(); first];
    let missing = |day: &i64| year == 1752 && number == 8 && (3..14).contains(day);
    days.extend(
        (1..=length)
            .filter(|day| !missing(day))
            .map(|day| format!("{day:2}")),
    );
    days.resize(42.max(days.len()), "  ".to_owned());
    days.chunks(7).take(6).map(|week| week.join(" ")).collect()
}

/// `cal [[MONTH] YEAR]`.
#[expect(clippy::too_many_lines, reason = "one page from top to bottom")]
async fn cal(proc: &mut Process) -> ExitStatus {
    let words: Vec<String> = operands(proc)
        .iter()
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect();
    let mut numbers = Vec::new();
    for (word, most) in words.iter().rev().zip([9999, 12]) {
        match word.parse::<i64>() {
            Ok(number) if (1..=most).contains(&number) => numbers.push(number),
            Ok(number) => {
                let text = format!("number {number} is not in 1..{most} range");
                return complain(proc, "cal", text).await;
            }
            Err(_) => return complain(proc, "cal", format!("invalid number '{word}'")).await,
        }
    }
    let now = crate::time::Shown::new(proc.now(), &crate::time::Zone::of(proc).await);
    let today = String::from_utf8_lossy(&now.format(b"%Y %m")).into_owned();
    let mut today = today.split(' ').filter_map(|part| part.parse::<i64>().ok());
    let (this_year, this_month) = (today.next().unwrap_or(1970), today.next().unwrap_or(1));
    let whole_year = proc.args().iter().any(|word| word == b"-y");
    let (year, one) = match numbers.as_slice() {
        [] if whole_year => (this_year, None),
        [] => (this_year, Some(this_month)),
        [year] => (*year, None),
        [year, month, ..] => (*year, Some(*month)),
    };
    let mut out = String::new();
    if let Some(one) = one {
        let at = usize::try_from(one - 1).unwrap_or(0);
        let head = format!("{} {year}", MONTHS.get(at).copied().unwrap_or_default());
        out += &format!(
            "{:width$}{head}\n",
            "",
            width = 20_usize.saturating_sub(head.len()).div_ceil(2)
        );
        out += "Su Mo Tu We Th Fr Sa\n";
        for row in rows(year, at) {
            let bare = row.trim_end();
            // A line without days keeps its blanks.
            out += if bare.is_empty() {
                "                     "
            } else {
                bare
            };
            out.push('\n');
        }
        return printed(proc, out.as_bytes()).await;
    }
    out += &format!(
        "{:>32}{year}{:width$}\n\n",
        "",
        "",
        width = 66 - 32 - year.to_string().len()
    );
    for quarter in 0..4 {
        let all: Vec<usize> = (0..3).map(|at| quarter * 3 + at).collect();
        let names: Vec<String> = all
            .iter()
            .map(|&at| {
                let name = MONTHS.get(at).copied().unwrap_or_default();
                let left = (20 - name.len()).div_ceil(2);
                format!(
                    "{:left$}{name}{:right$}",
                    "",
                    "",
                    right = 20 - left - name.len()
                )
            })
            .collect();
        out += &names.join("  ");
        out += "\nSu Mo Tu We Th Fr Sa  Su Mo Tu We Th Fr Sa  Su Mo Tu We Th Fr Sa\n";
        let months: Vec<Vec<String>> = all.iter().map(|&at| rows(year, at)).collect();
        for week in 0..6 {
            let parts: Vec<&str> = months
                .iter()
                .map(|month| month.get(week).map_or("", String::as_str))
                .collect();
            out += parts.join("  ").trim_end();
            out.push('\n');
        }
    }
    printed(proc, out.as_bytes()).await
}
