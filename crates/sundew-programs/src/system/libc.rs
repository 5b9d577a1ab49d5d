//! `ldconfig`, `iconv`, `iconvconfig`, `localedef`, `zdump`, `zic`, `pldd` of glibc 2.36.

use sundew_kernel::{Errno, ExitStatus, Process};

use super::cli::{self, Order};
use crate::time::{Shown, Zone};

/// What argp's programs end with after a wrong command line.
const USAGE: u8 = 64;

/// Directories of libraries, and how the loader names them.
const LIBRARIES: &[&str] = &["/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu"];

pub(super) async fn ldconfig(proc: &mut Process) -> ExitStatus {
    let line = match cli::read(proc, "ldconfig", USAGE, Order::Any).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    if line.has("print-cache") {
        let path = line.value("C").unwrap_or(b"/etc/ld.so.cache");
        if let Err(errno) = proc.stat(path) {
            let text = format!(
                "ldconfig: Can't open cache file {}\n: {}\n",
                super::text(path),
                errno.message()
            );
            return super::fail(proc, text, 1).await;
        }
        return print_cache(proc).await;
    }
    if line.has("verbose") {
        let mut out = String::new();
        for directory in LIBRARIES {
            out.push_str(&format!("{directory}: (from <builtin>:0)\n"));
            for (name, real) in libraries(proc, directory) {
                out.push_str(&format!("\t{name} -> {real}\n"));
            }
        }
        super::put(proc, out).await;
    }
    if proc.credentials().uid != 0 && !line.has("N") {
        let reason = Errno::Eacces.message();
        let text =
            format!("ldconfig: Can't create temporary cache file /etc/ld.so.cache~: {reason}\n");
        return super::fail(proc, text, 1).await;
    }
    proc.status()
}

/// Names that programs ask for, with the files that have them; the newest name first.
fn libraries(proc: &Process, directory: &str) -> Vec<(String, String)> {
    let entries = proc
        .read_directory(directory.as_bytes())
        .unwrap_or_default();
    let names: Vec<String> = entries
        .iter()
        .map(|entry| super::text(&entry.name))
        .collect();
    let mut found: Vec<(String, String)> = Vec::new();
    for name in &names {
        let is_library =
            (name.starts_with("lib") || name.starts_with("ld-")) && name.contains(".so");
        if !is_library {
            continue;
        }
        let path = format!("{directory}/{name}");
        // A link's target has the whole version; the link is what programs ask for.
        let real = proc
            .read_link(path.as_bytes())
            .ok()
            .map(|target| super::text(&target));
        let linked_to = names.iter().any(|other| {
            let other = format!("{directory}/{other}");
            proc.read_link(other.as_bytes())
                .is_ok_and(|target| target == name.as_bytes())
        });
        match real {
            Some(real) => found.push((name.clone(), real)),
            None if !linked_to => found.push((name.clone(), name.clone())),
            None => {}
        }
    }
    found.sort_by(|a, b| compare(&b.0, &a.0));
    found
}

/// The order of names in the cache: numbers count as numbers.
fn compare(a: &str, b: &str) -> std::cmp::Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    loop {
        let (Some(&x), Some(&y)) = (a.first(), b.first()) else {
            return a.len().cmp(&b.len());
        };
        if x.is_ascii_digit() && y.is_ascii_digit() {
            let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (one, other) = (digits(a), digits(b));
            let number = |text: &[u8], count: usize| {
                let text = text.get(..count).unwrap_or_default();
                text.iter().fold(0u64, |value, digit| {
                    value
                        .saturating_mul(10)
                        .saturating_add(u64::from(digit - b'0'))
                })
            };
            let order = number(a, one).cmp(&number(b, other));
            if order != std::cmp::Ordering::Equal {
                return order;
            }
            (a, b) = (
                a.get(one..).unwrap_or_default(),
                b.get(other..).unwrap_or_default(),
            );
            continue;
        }
        // Digits come after everything else.
        match (x.is_ascii_digit(), y.is_ascii_digit()) {
            (true, false) => return std::cmp::Ordering::Greater,
            (false, true) => return std::cmp::Ordering::Less,
            _ if x != y => return x.cmp(&y),
            _ => {}
        }
        (a, b) = (
            a.get(1..).unwrap_or_default(),
            b.get(1..).unwrap_or_default(),
        );
    }
}

async fn print_cache(proc: &mut Process) -> ExitStatus {
    let mut all: Vec<(String, String)> = Vec::new();
    for (name, _) in libraries(proc, "/lib/x86_64-linux-gnu") {
        all.push((name.clone(), format!("/lib/x86_64-linux-gnu/{name}")));
    }
    let merged = proc.read_link(b"/lib").is_ok();
    if !merged {
        for (name, _) in libraries(proc, "/usr/lib/x86_64-linux-gnu") {
            all.push((name.clone(), format!("/usr/lib/x86_64-linux-gnu/{name}")));
        }
    }
    all.sort_by(|a, b| compare(&b.0, &a.0));
    let mut out = format!("{} libs found in cache `/etc/ld.so.cache'\n", all.len());
    for (name, path) in all {
        let kind = if name.starts_with("ld-") {
            "ELF"
        } else {
            "libc6"
        };
        out.push_str(&format!("\t{name} ({kind},x86-64) => {path}\n"));
    }
    out.push_str(
        "Cache generated by: ldconfig (Debian GLIBC 2.36-9+deb12u14) stable release version 2.36\n",
    );
    super::put(proc, out).await
}

/// A code of characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Code {
    Ascii,
    Latin1,
    Latin15,
    Cp1252,
    Utf8,
    /// With or without the mark of its order.
    Utf16(Order16),
    Utf32(Order16),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order16 {
    Marked,
    Little,
    Big,
}

impl Code {
    fn of(name: &str) -> Option<Self> {
        let name = name.split("//").next().unwrap_or(name).to_ascii_uppercase();
        Some(match name.replace(['_', '-'], "").as_str() {
            "ASCII" | "USASCII" | "ANSIX3.41968" | "ANSIX3.41986" | "ISO646US" | "646" | "US"
            | "CP367" => Self::Ascii,
            "LATIN1" | "ISO88591" | "L1" | "ISO8859" | "88591" | "CP819" | "IBM819" => Self::Latin1,
            "LATIN9" | "ISO885915" | "885915" => Self::Latin15,
            "CP1252" | "WINDOWS1252" | "MSANSI" => Self::Cp1252,
            "UTF8" | "" => Self::Utf8,
            "UTF16" | "UCS2" | "UNICODE" => Self::Utf16(Order16::Marked),
            "UTF16LE" | "UCS2LE" | "UNICODELITTLE" => Self::Utf16(Order16::Little),
            "UTF16BE" | "UCS2BE" | "UNICODEBIG" => Self::Utf16(Order16::Big),
            "UTF32" => Self::Utf32(Order16::Marked),
            "UTF32LE" | "UCS4LE" => Self::Utf32(Order16::Little),
            "UTF32BE" | "UCS4" | "UCS4BE" => Self::Utf32(Order16::Big),
            _ => return None,
        })
    }

    /// The next character and its bytes.
    fn next(self, text: &[u8], little: bool) -> Option<(char, usize)> {
        let first = *text.first()?;
        match self {
            Self::Ascii => first.is_ascii().then_some((char::from(first), 1)),
            Self::Latin1 => Some((char::from(first), 1)),
            Self::Latin15 => {
                let special = LATIN15.iter().find(|row| row.0 == first);
                Some((special.map_or(char::from(first), |row| row.1), 1))
            }
            Self::Cp1252 => {
                let at = usize::from(first).checked_sub(0x80);
                let special = at.and_then(|at| CP1252.chars().nth(at));
                match special {
                    Some('\u{fffd}') => None,
                    Some(letter) => Some((letter, 1)),
                    None => Some((char::from(first), 1)),
                }
            }
            Self::Utf8 => {
                let most = text.get(..4.min(text.len()))?;
                let good = match std::str::from_utf8(most) {
                    Ok(good) => good,
                    Err(error) => std::str::from_utf8(most.get(..error.valid_up_to())?).ok()?,
                };
                let letter = good.chars().next()?;
                Some((letter, letter.len_utf8()))
            }
            Self::Utf16(_) => {
                let unit = |at: usize| {
                    let pair: [u8; 2] = text.get(at..at + 2)?.try_into().ok()?;
                    Some(if little {
                        u16::from_le_bytes(pair)
                    } else {
                        u16::from_be_bytes(pair)
                    })
                };
                let high = unit(0)?;
                if !(0xd800..0xdc00).contains(&high) {
                    return Some((char::from_u32(u32::from(high))?, 2));
                }
                let low = unit(2).filter(|low| (0xdc00..0xe000).contains(low))?;
                let value = 0x10000 + ((u32::from(high) & 0x3ff) << 10) + (u32::from(low) & 0x3ff);
                Some((char::from_u32(value)?, 4))
            }
            Self::Utf32(_) => {
                let four: [u8; 4] = text.get(..4)?.try_into().ok()?;
                let value = if little {
                    u32::from_le_bytes(four)
                } else {
                    u32::from_be_bytes(four)
                };
                Some((char::from_u32(value)?, 4))
            }
        }
    }

    /// The bytes of a character; nothing if the code has none.
    fn bytes(self, letter: char) -> Option<Vec<u8>> {
        let byte = u8::try_from(u32::from(letter)).ok();
        Some(match self {
            Self::Ascii => vec![byte.filter(u8::is_ascii)?],
            Self::Latin1 => vec![byte?],
            Self::Latin15 => match LATIN15.iter().find(|row| row.1 == letter) {
                Some(row) => vec![row.0],
                None => vec![byte.filter(|byte| !LATIN15.iter().any(|row| row.0 == *byte))?],
            },
            Self::Cp1252 => match CP1252
                .chars()
                .position(|known| known == letter && known != '\u{fffd}')
            {
                Some(at) => vec![0x80 + u8::try_from(at).ok()?],
                None => vec![byte.filter(|byte| !(0x80..0xa0).contains(byte))?],
            },
            Self::Utf8 => letter.to_string().into_bytes(),
            Self::Utf16(order) => {
                let mut units = [0; 2];
                let units = letter.encode_utf16(&mut units);
                let bytes = units.iter().flat_map(|unit| match order {
                    Order16::Big => unit.to_be_bytes(),
                    _ => unit.to_le_bytes(),
                });
                bytes.collect()
            }
            Self::Utf32(Order16::Big) => u32::from(letter).to_be_bytes().to_vec(),
            Self::Utf32(_) => u32::from(letter).to_le_bytes().to_vec(),
        })
    }

    /// What stands in front of everything.
    fn mark(self) -> Vec<u8> {
        match self {
            Self::Utf16(Order16::Marked) | Self::Utf32(Order16::Marked) => {
                self.bytes('\u{feff}').unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }
}

/// Where ISO 8859-15 differs from Latin 1.
const LATIN15: [(u8, char); 8] = [
    (0xa4, '\u{20ac}'),
    (0xa6, '\u{160}'),
    (0xa8, '\u{161}'),
    (0xb4, '\u{17d}'),
    (0xb8, '\u{17e}'),
    (0xbc, '\u{152}'),
    (0xbd, '\u{153}'),
    (0xbe, '\u{178}'),
];
/// The letters 0x80 to 0x9f of Windows' code.
const CP1252: &str = "\u{20ac}\u{fffd}\u{201a}\u{192}\u{201e}\u{2026}\u{2020}\u{2021}\u{2c6}\u{2030}\u{160}\u{2039}\u{152}\u{fffd}\u{17d}\u{fffd}\u{fffd}\u{2018}\u{2019}\u{201c}\u{201d}\u{2022}\u{2013}\u{2014}\u{2dc}\u{2122}\u{161}\u{203a}\u{153}\u{fffd}\u{17e}\u{178}";

/// What `//TRANSLIT` makes of letters that a code lacks.
const PLAIN: &[(&str, &str)] = &[
    ("\u{e0}\u{e1}\u{e2}\u{e3}\u{e5}", "a"),
    ("\u{e8}\u{e9}\u{ea}\u{eb}", "e"),
    ("\u{ec}\u{ed}\u{ee}\u{ef}", "i"),
    ("\u{f2}\u{f3}\u{f4}\u{f5}", "o"),
    ("\u{f9}\u{fa}\u{fb}", "u"),
    ("\u{c0}\u{c1}\u{c2}\u{c3}\u{c5}", "A"),
    ("\u{c8}\u{c9}\u{ca}\u{cb}", "E"),
    ("\u{d2}\u{d3}\u{d4}\u{d5}", "O"),
    ("\u{d9}\u{da}\u{db}", "U"),
    ("\u{e7}", "c"),
    ("\u{f1}", "n"),
    ("\u{e4}", "a"),
    ("\u{f6}", "o"),
    ("\u{fc}", "u"),
    ("\u{df}", "ss"),
    ("\u{20ac}", "EUR"),
    ("\u{2018}\u{2019}", "'"),
    ("\u{201c}\u{201d}", "\""),
    ("\u{2013}\u{2014}", "-"),
    ("\u{2026}", "..."),
];

/// Names that `iconv -l` shows of the codes that are understood here.
const CODES: &str = "ANSI_X3.4-1968// ANSI_X3.4-1986// ASCII// CP1252// MS-ANSI// WINDOWS-1252//\nCP367// CP819// IBM819// ISO-8859-1// ISO8859-1// ISO88591// L1// LATIN1//\nISO-8859-15// ISO8859-15// ISO885915// LATIN-9//\nISO646-US// US// US-ASCII//\nISO-10646/UTF8// UTF-8// UTF8//\nUCS-2// UCS2// UTF-16// UTF16//\nUCS-2BE// UTF-16BE// UTF16BE//\nUCS-2LE// UTF-16LE// UTF16LE//\nUCS-4// UCS4// UTF-32BE// UTF32BE//\nUTF-32// UTF32//\nUTF-32LE// UTF32LE//\n";

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
pub(super) async fn iconv(proc: &mut Process) -> ExitStatus {
    let line = match cli::read(proc, "iconv", USAGE, Order::Any).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    if line.has("list") {
        // One to a line, where nobody looks.
        let out = if proc.is_terminal(1) {
            CODES.to_owned()
        } else {
            CODES
                .split_whitespace()
                .map(|name| format!("{name}\n"))
                .collect()
        };
        return super::put(proc, out).await;
    }
    let name = |key: &str| line.value(key).map(super::text).unwrap_or_default();
    let (from_name, to_name) = (name("from-code"), name("to-code"));
    let (from, to) = (Code::of(&from_name), Code::of(&to_name));
    let (Some(from), Some(to)) = (from, to) else {
        let both = from.is_none() && to.is_none();
        let text = if both {
            format!("iconv: conversions from `{from_name}' and to `{to_name}' are not supported\n")
        } else if from.is_none() {
            format!("iconv: conversion from `{from_name}' is not supported\n")
        } else {
            format!("iconv: conversion to `{to_name}' is not supported\n")
        };
        let usage = "Try `iconv --help' or `iconv --usage' for more information.\n";
        return super::fail(proc, format!("{text}{usage}"), 1).await;
    };
    let ignore = line.has("c") || to_name.ends_with("//IGNORE");
    let translate = to_name.to_ascii_uppercase().contains("//TRANSLIT");
    let mut out = to.mark();
    let mut paths = line.operands.clone();
    if paths.is_empty() {
        paths.push(b"-".to_vec());
    }
    for path in paths {
        let text = match super::read(proc, &path).await {
            Ok(text) => text,
            Err(errno) => {
                super::put(proc, &out).await;
                let text = format!(
                    "iconv: cannot open input file `{}': {}\n",
                    super::text(&path),
                    errno.message()
                );
                return super::fail(proc, text, 1).await;
            }
        };
        let (mut at, mut little) = (0, true);
        match from {
            Code::Utf16(order) | Code::Utf32(order) => {
                let wide = matches!(from, Code::Utf32(_));
                let (le, be): (&[u8], &[u8]) = if wide {
                    (&[0xff, 0xfe, 0, 0], &[0, 0, 0xfe, 0xff])
                } else {
                    (&[0xff, 0xfe], &[0xfe, 0xff])
                };
                little = order != Order16::Big;
                if order == Order16::Marked && (text.starts_with(le) || text.starts_with(be)) {
                    little = text.starts_with(le);
                    at = le.len();
                }
            }
            _ => {}
        }
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            if at % 4096 == 0 {
                proc.tick().await;
            }
            let read = from.next(rest, little);
            let bytes = read.and_then(|(letter, _)| to.bytes(letter));
            match (read, bytes) {
                (Some((_, count)), Some(bytes)) => {
                    out.extend(bytes);
                    at += count;
                }
                (Some((letter, count)), None) if translate => {
                    let plain = PLAIN.iter().find(|row| row.0.contains(letter));
                    out.extend_from_slice(plain.map_or(b"?".as_slice(), |row| row.1.as_bytes()));
                    at += count;
                }
                (read, _) if ignore => at += read.map_or(1, |(_, count)| count),
                (read, _) => {
                    super::put(proc, &out).await;
                    let cut = read.is_none()
                        && rest.len() < 4
                        && from == Code::Utf8
                        && std::str::from_utf8(rest)
                            .is_err_and(|error| error.error_len().is_none());
                    let text = if cut {
                        "iconv: incomplete character or shift sequence at end of buffer\n"
                            .to_owned()
                    } else {
                        format!("iconv: illegal input sequence at position {at}\n")
                    };
                    return super::fail(proc, text, 1).await;
                }
            }
        }
    }
    match line.value("output").map(<[u8]>::to_vec) {
        Some(path) if path != b"-" => match super::write(proc, &path, &out, 0o666).await {
            Ok(()) => proc.status(),
            Err(errno) => {
                let text = format!("iconv: unable to open output file: {}\n", errno.message());
                super::fail(proc, text, 1).await
            }
        },
        _ => super::put(proc, out).await,
    }
}

pub(super) async fn iconvconfig(proc: &mut Process) -> ExitStatus {
    let _line = match cli::read(proc, "iconvconfig", USAGE, Order::Any).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    if proc.credentials().uid != 0 {
        let reason = Errno::Eacces.message();
        let text = format!("iconvconfig: cannot generate output file: {reason}\n");
        return super::fail(proc, text, 1).await;
    }
    proc.status()
}

pub(super) async fn localedef(proc: &mut Process) -> ExitStatus {
    const FAILED: u8 = 4;
    let line = match cli::read(proc, "localedef", FAILED, Order::Any).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    if line.has("list-archive") {
        return proc.status();
    }
    let Some(name) = line.operands.first() else {
        let usage = cli::section("localedef usage").replace('%', "localedef");
        super::put(proc, usage).await;
        return ExitStatus::Exited(FAILED);
    };
    let input = line
        .value("inputfile")
        .map_or_else(|| super::text(name), super::text);
    let path = format!("/usr/share/i18n/locales/{input}");
    if proc.stat(path.as_bytes()).is_err() {
        let reason = Errno::Enoent.message();
        let text = format!("[error] cannot open locale definition file `{input}': {reason}\n");
        return super::fail(proc, text, FAILED).await;
    }
    if proc.credentials().uid != 0 {
        let reason = Errno::Eacces.message();
        let text = format!(
            "cannot create temporary file: /usr/lib/locale/locale-archive.XXXXXX: {reason}\n"
        );
        return super::fail(proc, text, FAILED).await;
    }
    proc.status()
}

pub(super) async fn zdump(proc: &mut Process) -> ExitStatus {
    let words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    let (mut names, mut verbose) = (Vec::new(), false);
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        match word.as_slice() {
            b"--help" => return super::put(proc, cli::section("zdump")).await,
            b"--version" => return super::put(proc, cli::section("zdump version")).await,
            b"-v" | b"-V" | b"-i" => verbose = true,
            b"-c" | b"-t" => {
                words.next();
            }
            option if option.starts_with(b"-") && option.len() > 1 => {
                let letter = char::from(option.get(1).copied().unwrap_or(b'-'));
                let text = format!("invalid option -- '{letter}'");
                return cli::refuse(proc, "zdump", &text, 1).await;
            }
            _ => names.push(word),
        }
    }
    let width = names.iter().map(Vec::len).max().unwrap_or(0);
    for name in names {
        let shown = super::text(&name);
        if verbose {
            let out = format!(
                "{shown}  -9223372036854775808 = NULL\n{shown}  -9223372036854689408 = NULL\n{shown}  9223372036854689407 = NULL\n{shown}  9223372036854775807 = NULL\n"
            );
            super::put(proc, out).await;
            continue;
        }
        proc.env_mut().set(b"TZ", name.clone());
        let zone = Zone::of(proc).await;
        let known = proc
            .stat(&[b"/usr/share/zoneinfo/".as_slice(), &name].concat())
            .is_ok_and(|metadata| metadata.is_regular());
        let time = super::text(&Shown::new(proc.now(), &zone).format(b"%a %b %e %H:%M:%S %Y %Z"));
        let time = if known {
            time
        } else {
            // An unknown name is its own abbreviation.
            let letters: String = shown
                .chars()
                .take_while(char::is_ascii_alphabetic)
                .collect();
            let utc =
                super::text(&Shown::new(proc.now(), &Zone::utc()).format(b"%a %b %e %H:%M:%S %Y"));
            format!("{utc} {letters}")
        };
        super::put(proc, format!("{shown:<width$}  {time}\n")).await;
    }
    proc.status()
}

pub(super) async fn zic(proc: &mut Process) -> ExitStatus {
    let words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        match word.as_slice() {
            b"--help" => return super::put(proc, cli::section("zic")).await,
            b"--version" => return super::put(proc, cli::section("zic version")).await,
            b"-v" => {}
            b"-b" | b"-d" | b"-l" | b"-L" | b"-p" | b"-r" | b"-t" | b"-y" => {
                words.next();
            }
            option if option.starts_with(b"-") && option.len() > 1 => {
                let letter = char::from(option.get(1).copied().unwrap_or(b'-'));
                let text = format!("invalid option -- '{letter}'");
                return cli::refuse(proc, "zic", &text, 1).await;
            }
            path => {
                if let Err(errno) = super::read(proc, path).await {
                    let text = format!(
                        "zic: Can't open {}: {}\n",
                        super::text(path),
                        errno.message()
                    );
                    return super::fail(proc, text, 1).await;
                }
                if proc.credentials().uid != 0 {
                    let reason = Errno::Eacces.message();
                    let text =
                        format!("zic: Can't create directory /usr/share/zoneinfo: {reason}\n");
                    return super::fail(proc, text, 1).await;
                }
            }
        }
    }
    proc.status()
}

pub(super) async fn pldd(proc: &mut Process) -> ExitStatus {
    let line = match cli::read(proc, "pldd", USAGE, Order::Any).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let [word] = line.operands.as_slice() else {
        let usage = "Try `pldd --help' or `pldd --usage' for more information.\n";
        let text = format!("Exactly one parameter with process ID required.\n{usage}");
        return super::fail(proc, text, 1).await;
    };
    let shown = super::text(word);
    let Some(pid) = super::number::<u32>(word) else {
        return super::fail(proc, format!("pldd: invalid process ID '{shown}'\n"), 1).await;
    };
    let directory = format!("/proc/{pid}");
    if let Err(errno) = proc.stat(directory.as_bytes()) {
        let text = format!("pldd: cannot open {directory}: {}\n", errno.message());
        return super::fail(proc, text, 1).await;
    }
    let exe = match proc.read_link(format!("{directory}/exe").as_bytes()) {
        Ok(exe) => super::text(&exe),
        Err(errno) => {
            let text = format!(
                "pldd: cannot attach to process {pid}: {}\n",
                errno.message()
            );
            return super::fail(proc, text, 1).await;
        }
    };
    let maps = proc.read_small_file(format!("{directory}/maps").as_bytes());
    let maps = super::text(&maps.unwrap_or_default());
    let mut out = format!("{pid}:\t{exe}\nlinux-vdso.so.1\n");
    let mut seen: Vec<&str> = Vec::new();
    for row in maps.lines() {
        let path = row.split_whitespace().nth(5).unwrap_or_default();
        if path.contains(".so") && !seen.contains(&path) {
            seen.push(path);
        }
    }
    for path in seen {
        let short = path.strip_prefix("/usr").unwrap_or(path);
        let short = if short.contains("ld-linux") {
            "/lib64/ld-linux-x86-64.so.2"
        } else {
            short
        };
        out.push_str(&format!("{short}\n"));
    }
    super::put(proc, out).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_there_and_back() {
        for (code, bytes) in [
            (Code::Latin1, b"\xe9".as_slice()),
            (Code::Utf8, "\u{e9}".as_bytes()),
            (Code::Utf16(Order16::Big), b"\0\xe9"),
            (Code::Latin15, b"\xe9"),
        ] {
            assert_eq!(code.bytes('\u{e9}').as_deref(), Some(bytes));
            assert_eq!(code.next(bytes, false), Some(('\u{e9}', bytes.len())));
        }
        assert_eq!(Code::Ascii.bytes('\u{e9}'), None);
        assert_eq!(Code::Utf8.next(b"\xff", false), None);
        assert_eq!(Code::of("utf_8"), Some(Code::Utf8));
    }

    #[test]
    fn newer_libraries_come_first() {
        assert_eq!(
            compare("libz.so.1", "libzstd.so.1"),
            std::cmp::Ordering::Less
        );
        assert_eq!(
            compare("libx.so.10", "libx.so.9"),
            std::cmp::Ordering::Greater
        );
    }
}
