//! ncurses-bin 6.4: `tset`, `reset`, `tabs`, `infocmp`, `tic`, `toe`; `clear_console`, `setterm`.

use sundew_kernel::{Errno, ExitStatus, Process, STDERR, STDOUT};

use super::cli::{self, Order};

const VERSION: &str = "ncurses 6.4.20221231\n";

/// Whether the terminal database has the name.
fn known(proc: &Process, name: &str) -> bool {
    let Some(first) = name.chars().next() else {
        return false;
    };
    ["/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo"]
        .iter()
        .any(|root| {
            proc.stat(format!("{root}/{first}/{name}").as_bytes())
                .is_ok()
        })
}

fn term(proc: &Process) -> Option<String> {
    proc.env()
        .value(b"TERM")
        .map(super::text)
        .filter(|term| !term.is_empty())
}

/// `tset` and `reset`.
#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
pub(super) async fn tset(proc: &mut Process) -> ExitStatus {
    let own = super::text(proc.base_name());
    let reset = own == "reset";
    let name = if reset { "reset" } else { "tset" };
    let words: Vec<String> = proc
        .args()
        .iter()
        .skip(1)
        .map(|word| super::text(word))
        .collect();
    let (mut shell, mut query, mut quiet, mut wanted) = (false, false, false, None);
    for word in words {
        let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
            wanted = Some(word);
            continue;
        };
        for letter in letters.chars() {
            match letter {
                'V' => return super::put(proc, VERSION).await,
                's' => shell = true,
                'q' if letters == "q" => query = true,
                'Q' => quiet = true,
                'c' | 'w' | 'I' | 'r' | 'S' | 'q' => {}
                'e' | 'i' | 'k' | 'm' => break,
                letter => {
                    let text = format!("invalid option -- '{letter}'");
                    return cli::refuse(proc, name, &text, 1).await;
                }
            }
        }
    }
    if !proc.is_terminal(STDERR)
        && !proc.is_terminal(STDOUT)
        && !proc.is_terminal(0)
        && proc.controlling_terminal().is_none()
    {
        let why = Errno::Enotty.message();
        let text = format!("{own}: standard error: {why}\n");
        return super::fail(proc, text, 1).await;
    }
    let Some(term) = wanted.or_else(|| term(proc)) else {
        let text =
            format!("{own}: no terminal type specified and no TERM environmental variable.\n");
        return super::fail(proc, text, 1).await;
    };
    if !known(proc, &term) {
        let text = format!("{own}: unknown terminal type {term}\n");
        proc.print_error(text.as_bytes()).await;
        return super::fail(proc, "Terminal type? ", 1).await;
    }
    if query {
        return super::put(proc, format!("{term}\n")).await;
    }
    if reset {
        let strings: &[u8] = if term.starts_with("linux") {
            b"\x1bc\x1b]R"
        } else if term.starts_with("vt") {
            b"\x1b<\x1b>\x1b[?3;4;5l\x1b[?7;8h\x1b[r"
        } else if term == "dumb" {
            b""
        } else if term.starts_with("screen") || term.starts_with("tmux") {
            b"\x1bc\x1b[?1000l\x1b[?25h"
        } else if term == "xterm" {
            b"\x1bc\x1b[!p\x1b[?3;4l\x1b[4l\x1b>\x1b[?69l"
        } else {
            b"\x1bc\x1b]104\x07\x1b[!p\x1b[?3;4l\x1b[4l\x1b>\x1b[?69l"
        };
        proc.print_error(strings).await;
        if !quiet && proc.is_terminal(STDERR) {
            proc.print_error(b"\r").await;
        }
    }
    if shell {
        let csh = proc
            .env()
            .value(b"SHELL")
            .is_some_and(|shell| shell.ends_with(b"csh"));
        let out = if csh {
            format!("set noglob;\nsetenv TERM {term};\nunset noglob;\n")
        } else {
            format!("TERM={term};\n")
        };
        return super::put(proc, out).await;
    }
    proc.status()
}

pub(super) async fn tabs(proc: &mut Process) -> ExitStatus {
    let words: Vec<String> = proc
        .args()
        .iter()
        .skip(1)
        .map(|word| super::text(word))
        .collect();
    let mut stops: Vec<usize> = Vec::new();
    let mut every = Some(8);
    for word in &words {
        match word.strip_prefix('-') {
            Some("V") => return super::put(proc, VERSION).await,
            Some("d" | "n") => {}
            Some(digits)
                if digits.chars().all(|digit| digit.is_ascii_digit()) && !digits.is_empty() =>
            {
                every = digits.parse().ok().filter(|every| *every > 0);
            }
            Some("a" | "a2" | "c" | "c2" | "c3" | "f" | "p" | "s" | "u") => {}
            Some(option) if option.starts_with('T') => {}
            Some(_) => return super::fail(proc, cli::section("tabs usage"), 1).await,
            None => {
                let list = word
                    .split(',')
                    .map(|stop| stop.trim_start_matches('+').parse::<usize>());
                match list.collect::<Result<Vec<_>, _>>() {
                    Ok(list) => {
                        stops = list;
                        every = None;
                    }
                    Err(_) => return super::fail(proc, cli::section("tabs usage"), 1).await,
                }
            }
        }
    }
    let Some(name) = term(proc) else {
        return super::fail(proc, "tabs: No value for $TERM and no -T specified\n", 1).await;
    };
    if !known(proc, &name) {
        let text = format!("tabs: unknown terminal \"{name}\"\n");
        return super::fail(proc, text, 1).await;
    }
    let columns = proc
        .window_size(STDOUT)
        .map_or(80, |size| usize::from(size.columns))
        .max(1);
    if let Some(every) = every {
        stops = (1..columns)
            .filter(|column| column % every == 0)
            .map(|column| column + 1)
            .collect();
    }
    let mut out = "\r\x1b[3g".to_owned();
    let mut at = 1;
    for stop in stops.into_iter().filter(|stop| *stop <= columns) {
        out.push_str(&" ".repeat(stop.saturating_sub(at)));
        out.push_str("\x1bH");
        at = stop.max(at);
    }
    out.push('\r');
    super::put(proc, out).await
}

pub(super) async fn infocmp(proc: &mut Process) -> ExitStatus {
    let words: Vec<String> = proc
        .args()
        .iter()
        .skip(1)
        .map(|word| super::text(word))
        .collect();
    let mut names: Vec<String> = Vec::new();
    let mut one_column = false;
    for word in words {
        match word.strip_prefix('-') {
            Some("V") => return super::put(proc, VERSION).await,
            Some("D") => {
                return super::put(proc, "/etc/terminfo\n/lib/terminfo\n/usr/share/terminfo\n")
                    .await;
            }
            Some("1") => one_column = true,
            Some(letters) if letters.starts_with('-') => {
                return cli::refuse(proc, "infocmp", "invalid option -- '-'", 1).await;
            }
            Some(_) => {}
            None => names.push(word),
        }
    }
    if names.is_empty() {
        match term(proc) {
            Some(term) => names.push(term),
            None => {
                let text = "infocmp: environment variable TERM not set\n";
                return super::fail(proc, text, 1).await;
            }
        }
    }
    let name = names.first().cloned().unwrap_or_default();
    if !known(proc, &name) {
        let first = name.chars().next().unwrap_or('x');
        let reason = Errno::Enoent.message();
        let text = format!(
            "infocmp: couldn't open terminfo file /usr/share/terminfo/{first}/{name}: {reason}.\n"
        );
        return super::fail(proc, text, 1).await;
    }
    let Some(entry) = ENTRIES
        .split("=== ")
        .find_map(|section| section.strip_prefix(name.as_str())?.strip_prefix('\n'))
    else {
        return super::fail(
            proc,
            format!("infocmp: entry {name} has no capabilities\n"),
            1,
        )
        .await;
    };
    if !one_column {
        return super::put(proc, entry).await;
    }
    let mut out = String::new();
    for line in entry.lines() {
        if !line.starts_with('\t') {
            out.push_str(line);
            out.push('\n');
            continue;
        }
        for part in line.trim().split_inclusive(", ") {
            out.push_str(&format!("\t{}\n", part.trim()));
        }
    }
    super::put(proc, out).await
}

/// Sections `=== TERM` with what `infocmp TERM` prints, for the terminals that are in use.
const ENTRIES: &str = include_str!("terminals.txt");

pub(super) async fn tic(proc: &mut Process) -> ExitStatus {
    let words: Vec<String> = proc
        .args()
        .iter()
        .skip(1)
        .map(|word| super::text(word))
        .collect();
    if words.iter().any(|word| word == "-V") {
        return super::put(proc, VERSION).await;
    }
    let own = super::text(proc.base_name());
    let Some(path) = words.iter().find(|word| !word.starts_with('-')) else {
        let text = format!(
            "{own}: File name needed.  Usage:\n\ttic [-e names] [-o dir] [-R name] [-v[n]] [-V] [-w[n]] [-1aCDcfGgIKLNrsTtUx] source-file\n"
        );
        return super::fail(proc, text, 1).await;
    };
    match super::read(proc, path.as_bytes()).await {
        Ok(_) => proc.status(),
        Err(errno) => {
            let text = format!("{own}: Can't open {path}: {}\n", errno.message());
            super::fail(proc, text, 1).await
        }
    }
}

pub(super) async fn toe(proc: &mut Process) -> ExitStatus {
    let words: Vec<String> = proc
        .args()
        .iter()
        .skip(1)
        .map(|word| super::text(word))
        .collect();
    for word in &words {
        match word.strip_prefix('-') {
            Some("V") => return super::put(proc, VERSION).await,
            Some("a" | "h" | "s" | "u" | "U" | "v") => {}
            Some(letters) => {
                let letter = letters.chars().next().unwrap_or('-');
                let text = format!("invalid option -- '{letter}'");
                return cli::refuse(proc, "toe", &text, 1).await;
            }
            None => {}
        }
    }
    let mut rows: Vec<(String, String)> = ENTRIES
        .split("=== ")
        .filter_map(|section| {
            let (name, rest) = section.split_once('\n')?;
            let title = rest.lines().find(|line| !line.starts_with('#'))?;
            let title = title.trim_end_matches(',').rsplit('|').next()?;
            Some((name.to_owned(), title.to_owned()))
        })
        .collect();
    rows.sort();
    let out: String = rows
        .iter()
        .map(|(name, title)| format!("{name:<10}\t{title}\n"))
        .collect();
    super::put(proc, out).await
}

pub(super) async fn clear_console(proc: &mut Process) -> ExitStatus {
    let line = match cli::read(proc, "clear_console", 1, Order::Any).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    // Only a virtual console has what this clears.
    let console = proc.controlling_terminal().is_some_and(|path| {
        path.strip_prefix(b"/dev/tty")
            .is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_digit))
    });
    if console {
        return super::put(proc, "\x1b[H\x1b[2J\x1b[3J").await;
    }
    if line.has("quiet") || line.has("q") {
        return ExitStatus::FAILURE;
    }
    super::fail(proc, "clear_console: terminal is not a console\n", 1).await
}

/// Colours in the order of their numbers.
const COLORS: [&str; 8] = [
    "black", "red", "green", "yellow", "blue", "magenta", "cyan", "white",
];

pub(super) async fn setterm(proc: &mut Process) -> ExitStatus {
    let line = match cli::read(proc, "setterm", 1, Order::Any).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    if line.options.is_empty() {
        let text = "setterm: bad usage\nTry 'setterm --help' for more information.\n";
        return super::fail(proc, text, 1).await;
    }
    if term(proc).is_none() {
        return super::fail(proc, "setterm: $TERM is not defined.\n", 1).await;
    }
    let mut out = String::new();
    for (name, value) in &line.options {
        let value = super::text(value);
        let on = value != "off";
        out.push_str(match (name.as_str(), on) {
            ("reset", _) => "\x1bc",
            ("initialize", _) => "\x1b[!p\x1b[?3;4l\x1b[4l\x1b>",
            ("cursor", true) => "\x1b[?25h",
            ("cursor", false) => "\x1b[?25l",
            ("default", _) => "\x1b[0m",
            ("bold", true) => "\x1b[1m",
            ("bold", false) => "\x1b[22m",
            ("half-bright", true) => "\x1b[2m",
            ("half-bright", false) => "\x1b[22m",
            ("blink", true) => "\x1b[5m",
            ("blink", false) => "\x1b[25m",
            ("underline", true) => "\x1b[4m",
            ("underline", false) => "\x1b[24m",
            ("reverse", true) => "\x1b[7m",
            ("reverse", false) => "\x1b[27m",
            ("linewrap", true) => "\x1b[?7h",
            ("linewrap", false) => "\x1b[?7l",
            ("clear", _) => "\x1b[H\x1b[J",
            _ => "",
        });
        let base = match name.as_str() {
            "foreground" => 30,
            "background" => 40,
            _ => continue,
        };
        match COLORS.iter().position(|color| *color == value) {
            Some(color) => out.push_str(&format!("\x1b[{}m", base + color)),
            None if value == "default" => out.push_str(&format!("\x1b[{}m", base + 9)),
            None => {
                let text = format!("setterm: argument error: '{value}'\n");
                return super::fail(proc, text, 1).await;
            }
        }
    }
    super::put(proc, out).await
}
