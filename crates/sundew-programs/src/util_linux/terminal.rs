//! `clear`, `tput` of ncurses-bin 6.4: what terminals understand, for the few that clients name.

use sundew_kernel::{ExitStatus, Process, STDOUT};

/// What a family of terminals understands.
struct Terminal {
    /// Whole names, and beginnings that end in a dash.
    names: &'static [&'static str],
    colors: u32,
    clear: &'static str,
    /// Whether lines that scrolled away can be forgotten.
    forget: bool,
    strings: &'static [(&'static str, &'static str)],
}

const XTERM: &[(&str, &str)] = &[
    ("bold", "\x1b[1m"),
    ("sgr0", "\x1b(B\x1b[m"),
    ("rev", "\x1b[7m"),
    ("smul", "\x1b[4m"),
    ("rmul", "\x1b[24m"),
    ("smso", "\x1b[7m"),
    ("rmso", "\x1b[27m"),
    ("blink", "\x1b[5m"),
    ("dim", "\x1b[2m"),
    ("sitm", "\x1b[3m"),
    ("ritm", "\x1b[23m"),
    ("el", "\x1b[K"),
    ("el1", "\x1b[1K"),
    ("ed", "\x1b[J"),
    ("home", "\x1b[H"),
    ("civis", "\x1b[?25l"),
    ("cnorm", "\x1b[?12l\x1b[?25h"),
    ("smcup", "\x1b[?1049h\x1b[22;0;0t"),
    ("rmcup", "\x1b[?1049l\x1b[23;0;0t"),
    ("op", "\x1b[39;49m"),
    ("sc", "\x1b7"),
    ("rc", "\x1b8"),
    ("bel", "\x07"),
    ("cr", "\r"),
    ("cuu1", "\x1b[A"),
    ("cuf1", "\x1b[C"),
    ("cud1", "\n"),
];
const LINUX: &[(&str, &str)] = &[
    ("bold", "\x1b[1m"),
    ("sgr0", "\x1b[m\x0f"),
    ("rev", "\x1b[7m"),
    ("smul", "\x1b[4m"),
    ("rmul", "\x1b[24m"),
    ("el", "\x1b[K"),
    ("ed", "\x1b[J"),
    ("home", "\x1b[H"),
    ("civis", "\x1b[?25l\x1b[?1c"),
    ("cnorm", "\x1b[?25h\x1b[?0c"),
    ("op", "\x1b[39;49m"),
    ("sc", "\x1b7"),
    ("rc", "\x1b8"),
    ("bel", "\x07"),
    ("cr", "\r"),
];
const VT100: &[(&str, &str)] = &[
    ("bold", "\x1b[1m"),
    ("sgr0", "\x1b[m\x0f"),
    ("rev", "\x1b[7m"),
    ("smul", "\x1b[4m"),
    ("rmul", "\x1b[m"),
    ("el", "\x1b[K"),
    ("ed", "\x1b[J"),
    ("home", "\x1b[H"),
    ("sc", "\x1b7"),
    ("rc", "\x1b8"),
    ("bel", "\x07"),
    ("cr", "\r"),
];

const TERMINALS: &[Terminal] = &[
    Terminal {
        names: &["xterm-256color"],
        colors: 256,
        clear: "\x1b[H\x1b[2J",
        forget: true,
        strings: XTERM,
    },
    Terminal {
        names: &["xterm", "xterm-color", "xterm-"],
        colors: 8,
        clear: "\x1b[H\x1b[2J",
        forget: true,
        strings: XTERM,
    },
    Terminal {
        names: &["linux"],
        colors: 8,
        clear: "\x1b[H\x1b[J",
        forget: true,
        strings: LINUX,
    },
    Terminal {
        names: &["screen-256color", "tmux-256color"],
        colors: 256,
        clear: "\x1b[H\x1b[J",
        forget: false,
        strings: VT100,
    },
    Terminal {
        names: &["screen", "tmux"],
        colors: 8,
        clear: "\x1b[H\x1b[J",
        forget: false,
        strings: VT100,
    },
    Terminal {
        names: &["vt100", "vt102", "vt220", "ansi"],
        colors: 0,
        clear: "\x1b[H\x1b[J",
        forget: false,
        strings: VT100,
    },
    Terminal {
        names: &["dumb"],
        colors: 0,
        clear: "",
        forget: false,
        strings: &[("bel", "\x07"), ("cr", "\r"), ("cud1", "\n")],
    },
];

fn terminal(name: &[u8]) -> Option<&'static Terminal> {
    let name = std::str::from_utf8(name).ok()?;
    TERMINALS.iter().find(|terminal| {
        terminal
            .names
            .iter()
            .any(|known| *known == name || (known.ends_with('-') && name.starts_with(known)))
    })
}

/// The name by which a terminal's strings are found; `None` for one that nobody here has.
pub(super) fn known(name: &[u8]) -> Option<&'static str> {
    terminal(name)?.names.first().copied()
}

/// What moves or colours on a terminal, by its terminfo name.
pub(super) fn string(name: &str, what: &str) -> Option<&'static str> {
    let strings = terminal(name.as_bytes())?.strings;
    let row = strings.iter().find(|row| row.0 == what);
    row.map(|row| row.1)
}

/// The terminal by `-T` or `TERM`; the rest of the words.
fn named(proc: &Process) -> (Option<Vec<u8>>, Vec<Vec<u8>>) {
    let mut words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    let mut name = proc
        .env()
        .value(b"TERM")
        .filter(|name| !name.is_empty())
        .map(<[u8]>::to_vec);
    if let Some(first) = words.first().cloned()
        && let Some(attached) = first.strip_prefix(b"-T")
    {
        words.remove(0);
        name = if attached.is_empty() && !words.is_empty() {
            Some(words.remove(0))
        } else {
            Some(attached.to_vec())
        };
    }
    (name, words)
}

pub(crate) async fn clear(proc: &mut Process) -> ExitStatus {
    let (name, words) = named(proc);
    let Some(name) = name else {
        proc.print_error(b"TERM environment variable not set.\n")
            .await;
        return ExitStatus::FAILURE;
    };
    let Some(terminal) = terminal(&name) else {
        proc.print_error(&[b"'", name.as_slice(), b"': unknown terminal type.\n"].concat())
            .await;
        return ExitStatus::FAILURE;
    };
    let forget = terminal.forget && !words.iter().any(|word| word == b"-x");
    let text = [terminal.clear, if forget { "\x1b[3J" } else { "" }].concat();
    let _reported_at_exit = proc.print(text.as_bytes()).await;
    ExitStatus::Exited(u8::from(terminal.clear.is_empty()))
}

pub(crate) async fn tput(proc: &mut Process) -> ExitStatus {
    let (name, words) = named(proc);
    let Some(name) = name else {
        proc.print_error(b"tput: No value for $TERM and no -T specified\n")
            .await;
        return ExitStatus::Exited(2);
    };
    let Some(terminal) = terminal(&name) else {
        proc.print_error(&[b"tput: unknown terminal \"", name.as_slice(), b"\"\n"].concat())
            .await;
        return ExitStatus::Exited(3);
    };
    if words.is_empty() {
        proc.print_error(b"usage: tput [-V] [-S] [-T term] capname\n")
            .await;
        return ExitStatus::Exited(2);
    }
    if words.iter().any(|word| word == b"-V") {
        let _reported_at_exit = proc.print(b"ncurses 6.4.20221231\n").await;
        return ExitStatus::SUCCESS;
    }
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let mut number = || {
            let word = words.next().unwrap_or_default();
            std::str::from_utf8(&word)
                .ok()
                .and_then(|text| text.parse::<u32>().ok())
                .unwrap_or(0)
        };
        let text = match word.as_slice() {
            b"cols" => format!("{}\n", size(proc).0),
            b"lines" => format!("{}\n", size(proc).1),
            b"colors" if terminal.colors == 0 => "-1\n".to_owned(),
            b"colors" => format!("{}\n", terminal.colors),
            b"longname" => format!("{} terminal emulator", String::from_utf8_lossy(&name)),
            b"clear" => [terminal.clear, if terminal.forget { "\x1b[3J" } else { "" }].concat(),
            b"setaf" if terminal.colors > 0 => color(number(), terminal.colors, 30),
            b"setab" if terminal.colors > 0 => color(number(), terminal.colors, 40),
            b"cup" => {
                let (row, column) = (number(), number());
                format!(
                    "\x1b[{};{}H",
                    row.saturating_add(1),
                    column.saturating_add(1)
                )
            }
            b"reset" | b"init" => String::new(),
            other => match terminal
                .strings
                .iter()
                .find(|row| row.0.as_bytes() == other)
            {
                Some((_, text)) => (*text).to_owned(),
                None => {
                    let known = XTERM.iter().any(|row| row.0.as_bytes() == other)
                        || other.starts_with(b"seta");
                    if !known {
                        let text = [b"tput: unknown terminfo capability '", other, b"'\n"].concat();
                        proc.print_error(&text).await;
                        return ExitStatus::Exited(4);
                    }
                    proc.set_status(1);
                    String::new()
                }
            },
        };
        if proc.print(text.as_bytes()).await.is_err() {
            break;
        }
    }
    proc.status()
}

fn color(number: u32, colors: u32, base: u32) -> String {
    match number {
        0..=7 => format!("\x1b[{}m", base + number),
        8..=15 if colors > 8 => format!("\x1b[{}m", base + 60 + number - 8),
        _ if colors > 8 => format!("\x1b[{};5;{number}m", base + 8),
        _ => format!("\x1b[{}m", base.saturating_add(number)),
    }
}

fn size(proc: &Process) -> (u16, u16) {
    let from = |name: &[u8]| {
        proc.env()
            .value(name)
            .and_then(|text| std::str::from_utf8(text).ok()?.parse().ok())
    };
    let size = [STDOUT, sundew_kernel::STDERR]
        .into_iter()
        .find_map(|fd| proc.window_size(fd).ok());
    let (columns, rows) = size.map_or((80, 24), |size| (size.columns, size.rows));
    (
        from(b"COLUMNS").unwrap_or(columns),
        from(b"LINES").unwrap_or(rows),
    )
}
