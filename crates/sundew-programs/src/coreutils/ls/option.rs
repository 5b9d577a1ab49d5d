//! The options of ls, dir and vdir.

use sundew_kernel::{ExitStatus, Process, STDOUT};
use sundew_posix::pattern::{self, Pattern};

use super::color::Colors;
use crate::coreutils::{about, input};
use crate::getopt::{Arity, Getopt, Opt, Spec, refuse};
use crate::quote::{self, Locale};
use crate::size::Display;

const SPEC: Spec = Spec::gnu(
    "abcdfghiklmnopqrstuvw:xABCDFGHI:LNQRST:UXZ1",
    &[
        ("all", Arity::No, "a"),
        ("escape", Arity::No, "b"),
        ("directory", Arity::No, "d"),
        ("dired", Arity::No, "D"),
        ("full-time", Arity::No, "full-time"),
        (
            "group-directories-first",
            Arity::No,
            "group-directories-first",
        ),
        ("human-readable", Arity::No, "h"),
        ("inode", Arity::No, "i"),
        ("kibibytes", Arity::No, "k"),
        ("numeric-uid-gid", Arity::No, "n"),
        ("no-group", Arity::No, "G"),
        ("hide-control-chars", Arity::No, "q"),
        ("reverse", Arity::No, "r"),
        ("size", Arity::No, "s"),
        ("width", Arity::Required, "w"),
        ("almost-all", Arity::No, "A"),
        ("ignore-backups", Arity::No, "B"),
        ("classify", Arity::Optional, "F"),
        ("file-type", Arity::No, "file-type"),
        ("si", Arity::No, "si"),
        ("dereference-command-line", Arity::No, "H"),
        (
            "dereference-command-line-symlink-to-dir",
            Arity::No,
            "dereference-dir",
        ),
        ("hide", Arity::Required, "hide"),
        ("ignore", Arity::Required, "I"),
        ("indicator-style", Arity::Required, "indicator-style"),
        ("dereference", Arity::No, "L"),
        ("literal", Arity::No, "N"),
        ("quote-name", Arity::No, "Q"),
        ("quoting-style", Arity::Required, "quoting-style"),
        ("recursive", Arity::No, "R"),
        ("format", Arity::Required, "format"),
        ("show-control-chars", Arity::No, "show-control-chars"),
        ("sort", Arity::Required, "sort"),
        ("tabsize", Arity::Required, "T"),
        ("time", Arity::Required, "time"),
        ("time-style", Arity::Required, "time-style"),
        ("zero", Arity::No, "zero"),
        ("color", Arity::Optional, "color"),
        ("hyperlink", Arity::Optional, "hyperlink"),
        ("block-size", Arity::Required, "block-size"),
        ("context", Arity::No, "Z"),
        ("author", Arity::No, "author"),
    ],
);

/// Under which name it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Program {
    Ls,
    Dir,
    Vdir,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Single,
    Columns,
    Across,
    Commas,
    Long,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    None,
    Name,
    Size,
    Time,
    Version,
    Extension,
    Width,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Time {
    Modified,
    Accessed,
    Changed,
    Born,
}

/// Which files with a dot in front are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hidden {
    None,
    Almost,
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quoting {
    Literal,
    Shell,
    ShellAlways,
    /// For a shell, with control characters as they are.
    PlainShell,
    PlainShellAlways,
    /// Between the marks of the locale.
    Locale,
    C,
    Escape,
}

/// The signs behind names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
pub(super) enum Indicator {
    None,
    Slash,
    Type,
    Classify,
}

/// Formats of recent and older times.
#[derive(Debug, Clone)]
pub(super) struct TimeStyle {
    pub(super) recent: Vec<u8>,
    pub(super) old: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct Options {
    pub(super) format: Format,
    pub(super) sort: Sort,
    pub(super) time: Time,
    pub(super) time_style: TimeStyle,
    pub(super) hidden: Hidden,
    pub(super) ignored: Vec<Pattern>,
    pub(super) hide: Vec<Pattern>,
    pub(super) quoting: Quoting,
    pub(super) hide_control: bool,
    pub(super) indicator: Indicator,
    pub(super) classify: bool,
    pub(super) recursive: bool,
    pub(super) directory: bool,
    pub(super) dereference: bool,
    pub(super) dereference_operands: bool,
    pub(super) reverse: bool,
    pub(super) directories_first: bool,
    pub(super) inode: bool,
    pub(super) blocks: bool,
    pub(super) block_size: Display,
    pub(super) file_size: Display,
    pub(super) numeric: bool,
    pub(super) owner: bool,
    pub(super) group: bool,
    pub(super) author: bool,
    pub(super) context: bool,
    pub(super) width: usize,
    pub(super) tab: usize,
    pub(super) colors: Option<Colors>,
    pub(super) end: u8,
    pub(super) locale: Locale,
}

impl Options {
    pub(super) fn long(&self) -> bool {
        self.format == Format::Long
    }

    pub(super) fn shell_quotes(&self) -> bool {
        matches!(self.quoting, Quoting::Shell | Quoting::PlainShell)
    }

    pub(super) fn hides(&self, name: &[u8]) -> bool {
        let by_dot = name.starts_with(b".") && self.hidden == Hidden::None;
        let by_pattern =
            self.hidden == Hidden::None && self.hide.iter().any(|pattern| pattern.matches(name));
        by_dot || by_pattern || self.ignored.iter().any(|pattern| pattern.matches(name))
    }

    pub(super) fn quoted(&self, name: &[u8]) -> Vec<u8> {
        let quoted = match self.quoting {
            Quoting::Literal => name.to_vec(),
            Quoting::Shell => quote::shell(name, self.locale, false),
            Quoting::ShellAlways => quote::shell(name, self.locale, true),
            Quoting::PlainShell => quote::shell_raw(name, self.locale, false),
            Quoting::PlainShellAlways => quote::shell_raw(name, self.locale, true),
            Quoting::Locale => quote::text_in(self.locale, name),
            Quoting::C => quote::c_string(name, self.locale),
            Quoting::Escape => quote::c_escaped(name, self.locale),
        };
        if self.hide_control && self.quoting == Quoting::Literal {
            return quoted
                .iter()
                .map(|byte| if byte.is_ascii_control() { b'?' } else { *byte })
                .collect();
        }
        quoted
    }

    pub(super) fn quoted_width(&self, name: &[u8]) -> usize {
        quote::width(&self.quoted(name), self.locale)
    }
}

/// What was asked for by options, before it is settled what that means.
#[derive(Default)]
struct Asked {
    format: Option<Format>,
    sort: Option<Sort>,
    time: Option<Time>,
    quoting: Option<Quoting>,
    time_style: Option<Vec<u8>>,
    color: bool,
    width: Option<usize>,
    hide_control: Option<bool>,
    kibibytes: bool,
    human: Option<Display>,
}

const WHEN: &[(&str, i8)] = &[
    ("always", 1),
    ("yes", 1),
    ("force", 1),
    ("never", 0),
    ("no", 0),
    ("none", 0),
    ("auto", 2),
    ("tty", 2),
    ("if-tty", 2),
];

/// Reads the command line; `Err` is the status to end with.
pub(super) async fn read(
    proc: &mut Process,
    program: Program,
) -> Result<(Options, Vec<Vec<u8>>), ExitStatus> {
    let terminal = proc.is_terminal(STDOUT);
    let mut options = defaults(proc);
    let mut asked = Asked::default();
    let mut words = Getopt::new(&SPEC, proc.args());
    while let Some(option) = words.next() {
        match option {
            Ok(option) if matches!(option.key, "help" | "version") => {
                return Err(about::run(proc, option.key, "ls").await);
            }
            Ok(option) => {
                if !(flag(&mut options, &mut asked, option.key)
                    || with_word(proc, &mut options, &mut asked, &option, terminal).await?)
                {
                    return Err(ExitStatus::Exited(2));
                }
            }
            Err(error) => return Err(refuse(proc, &error, 2).await),
        }
    }
    settle(proc, &mut options, &asked, program, terminal).await?;
    Ok((options, words.operands()))
}

fn defaults(proc: &Process) -> Options {
    Options {
        format: Format::Single,
        sort: Sort::Name,
        time: Time::Modified,
        time_style: TimeStyle {
            recent: b"%b %e %H:%M".to_vec(),
            old: b"%b %e  %Y".to_vec(),
        },
        hidden: Hidden::None,
        ignored: Vec::new(),
        hide: Vec::new(),
        quoting: Quoting::Literal,
        hide_control: false,
        indicator: Indicator::None,
        classify: false,
        recursive: false,
        directory: false,
        dereference: false,
        dereference_operands: false,
        reverse: false,
        directories_first: false,
        inode: false,
        blocks: false,
        block_size: Display::Units(1024),
        file_size: Display::Units(1),
        numeric: false,
        owner: true,
        group: true,
        author: false,
        context: false,
        width: 80,
        tab: 8,
        colors: None,
        end: b'\n',
        locale: Locale::of(proc),
    }
}

/// Options without an argument; whether it was one.
fn flag(options: &mut Options, asked: &mut Asked, key: &str) -> bool {
    match key {
        "a" => options.hidden = Hidden::All,
        "A" => options.hidden = Hidden::Almost,
        "b" => asked.quoting = Some(Quoting::Escape),
        "B" => options.ignored.push(glob(b"*~")),
        "c" => asked.time = Some(Time::Changed),
        "u" => asked.time = Some(Time::Accessed),
        "d" => options.directory = true,
        "f" => {
            options.hidden = Hidden::All;
            asked.sort = Some(Sort::None);
            asked.color = false;
            options.blocks = false;
            if asked.format == Some(Format::Long) {
                asked.format = None;
            }
        }
        "g" => (asked.format, options.owner) = (Some(Format::Long), false),
        "o" => (asked.format, options.group) = (Some(Format::Long), false),
        "G" => options.group = false,
        "h" => asked.human = Some(Display::Human),
        "si" => asked.human = Some(Display::Si),
        "i" => options.inode = true,
        "k" => asked.kibibytes = true,
        "l" => asked.format = Some(Format::Long),
        "m" => asked.format = Some(Format::Commas),
        "n" => (asked.format, options.numeric) = (Some(Format::Long), true),
        "p" => options.indicator = Indicator::Slash,
        "q" => asked.hide_control = Some(true),
        "show-control-chars" => asked.hide_control = Some(false),
        "r" => options.reverse = true,
        "s" => options.blocks = true,
        "S" => asked.sort = Some(Sort::Size),
        "t" => asked.sort = Some(Sort::Time),
        "U" => asked.sort = Some(Sort::None),
        "v" => asked.sort = Some(Sort::Version),
        "X" => asked.sort = Some(Sort::Extension),
        "x" => asked.format = Some(Format::Across),
        "C" => asked.format = Some(Format::Columns),
        "1" => {
            if asked.format != Some(Format::Long) {
                asked.format = Some(Format::Single);
            }
        }
        "D" | "hyperlink" | "dereference-dir" => {}
        "file-type" => options.indicator = Indicator::Type,
        "H" => options.dereference_operands = true,
        "L" => options.dereference = true,
        "N" => asked.quoting = Some(Quoting::Literal),
        "Q" => asked.quoting = Some(Quoting::C),
        "R" => options.recursive = true,
        "Z" => options.context = true,
        "author" => options.author = true,
        "group-directories-first" => options.directories_first = true,
        "full-time" => {
            asked.format = Some(Format::Long);
            asked.time_style = Some(b"full-iso".to_vec());
        }
        "zero" => {
            options.end = 0;
            asked.hide_control = Some(false);
            asked.quoting = Some(Quoting::Literal);
            if asked.format != Some(Format::Long) {
                asked.format = Some(Format::Single);
            }
            asked.color = false;
        }
        _ => return false,
    }
    true
}

fn glob(text: &[u8]) -> Pattern {
    Pattern::from_bytes(
        text,
        pattern::Options {
            extended: false,
            ..Default::default()
        },
    )
}

/// Options with an argument; `Err` after a complaint.
#[expect(
    clippy::too_many_lines,
    reason = "one arm for each option, in one place"
)]
async fn with_word(
    proc: &mut Process,
    options: &mut Options,
    asked: &mut Asked,
    option: &Opt,
    terminal: bool,
) -> Result<bool, ExitStatus> {
    let value = option.value.as_slice();
    let refused = ExitStatus::Exited(2);
    match option.key {
        "color" | "F" => {
            let name = if option.key == "F" {
                "--classify"
            } else {
                "--color"
            };
            let when = if option.has_value {
                input::choose(proc, name, value, WHEN)
                    .await
                    .ok_or(ExitStatus::FAILURE)?
            } else {
                1
            };
            let on = when == 1 || (when == 2 && terminal);
            if option.key == "color" {
                asked.color = on;
            } else if on {
                (options.indicator, options.classify) = (Indicator::Classify, true);
            }
        }
        "I" => options.ignored.push(glob(value)),
        "hide" => options.hide.push(glob(value)),
        "indicator-style" => {
            const WORDS: &[(&str, Indicator)] = &[
                ("none", Indicator::None),
                ("slash", Indicator::Slash),
                ("file-type", Indicator::Type),
                ("classify", Indicator::Classify),
            ];
            options.indicator = input::choose(proc, "--indicator-style", value, WORDS)
                .await
                .ok_or(ExitStatus::FAILURE)?;
        }
        "quoting-style" => {
            asked.quoting = Some(
                input::choose(proc, "--quoting-style", value, QUOTING)
                    .await
                    .ok_or(ExitStatus::FAILURE)?,
            );
        }
        "format" => {
            const WORDS: &[(&str, Format)] = &[
                ("verbose", Format::Long),
                ("long", Format::Long),
                ("commas", Format::Commas),
                ("horizontal", Format::Across),
                ("across", Format::Across),
                ("vertical", Format::Columns),
                ("single-column", Format::Single),
            ];
            asked.format = Some(
                input::choose(proc, "--format", value, WORDS)
                    .await
                    .ok_or(ExitStatus::FAILURE)?,
            );
        }
        "sort" => {
            const WORDS: &[(&str, Sort)] = &[
                ("none", Sort::None),
                ("time", Sort::Time),
                ("size", Sort::Size),
                ("extension", Sort::Extension),
                ("version", Sort::Version),
                ("width", Sort::Width),
            ];
            asked.sort = Some(
                input::choose(proc, "--sort", value, WORDS)
                    .await
                    .ok_or(ExitStatus::FAILURE)?,
            );
        }
        "time" => {
            const WORDS: &[(&str, Time)] = &[
                ("atime", Time::Accessed),
                ("access", Time::Accessed),
                ("use", Time::Accessed),
                ("ctime", Time::Changed),
                ("status", Time::Changed),
                ("birth", Time::Born),
                ("creation", Time::Born),
            ];
            asked.time = Some(
                input::choose(proc, "--time", value, WORDS)
                    .await
                    .ok_or(ExitStatus::FAILURE)?,
            );
        }
        "time-style" => asked.time_style = Some(value.to_vec()),
        "w" | "T" => {
            let Some(number) =
                input::decimal(value).and_then(|number| usize::try_from(number).ok())
            else {
                let what = if option.key == "w" {
                    "invalid line width:"
                } else {
                    "invalid tab size:"
                };
                input::complain_word(proc, what, value).await;
                return Err(refused);
            };
            if option.key == "w" {
                asked.width = Some(if number == 0 { usize::MAX } else { number });
            } else {
                options.tab = number;
            }
        }
        "block-size" => match Display::parse(value) {
            Ok(display) => asked.human = Some(display),
            Err(_) => {
                let text = [b"invalid --block-size argument '".as_slice(), value, b"'"];
                proc.complain_text(text.concat()).await;
                return Err(refused);
            }
        },
        _ => return Ok(false),
    }
    Ok(true)
}

const QUOTING: &[(&str, Quoting)] = &[
    ("literal", Quoting::Literal),
    ("shell", Quoting::PlainShell),
    ("shell-always", Quoting::PlainShellAlways),
    ("shell-escape", Quoting::Shell),
    ("shell-escape-always", Quoting::ShellAlways),
    ("c", Quoting::C),
    ("c-maybe", Quoting::C),
    ("escape", Quoting::Escape),
    ("locale", Quoting::Locale),
    ("clocale", Quoting::Locale),
];

/// Fills in what depends on the terminal, the environment and on other options.
async fn settle(
    proc: &mut Process,
    options: &mut Options,
    asked: &Asked,
    program: Program,
    terminal: bool,
) -> Result<(), ExitStatus> {
    let is_ls = program == Program::Ls;
    options.format = asked.format.unwrap_or(match program {
        Program::Vdir => Format::Long,
        Program::Dir => Format::Columns,
        Program::Ls if terminal => Format::Columns,
        Program::Ls => Format::Single,
    });
    options.time = asked.time.unwrap_or(Time::Modified);
    options.sort = match asked.sort {
        Some(sort) => sort,
        // `-u` and `-c` sort as well, unless the time is shown.
        None if asked.time.is_some() && !options.long() => Sort::Time,
        None => Sort::Name,
    };
    let from_env = proc.env().value(b"QUOTING_STYLE").and_then(|word| {
        QUOTING
            .iter()
            .find(|row| row.0.as_bytes() == word)
            .map(|row| row.1)
    });
    options.quoting = asked
        .quoting
        .or(from_env)
        .unwrap_or(match (is_ls, terminal) {
            (false, _) => Quoting::Escape,
            (true, true) => Quoting::Shell,
            (true, false) => Quoting::Literal,
        });
    options.hide_control = asked.hide_control.unwrap_or(is_ls && terminal);
    if let Some(display) = asked.human {
        (options.block_size, options.file_size) = (display, display);
    } else if asked.kibibytes {
        options.block_size = Display::Units(1024);
    }
    if asked.color && knows_colors(proc) {
        let variable = proc.env().value(b"LS_COLORS").map(<[u8]>::to_vec);
        if let Some(wrong) = variable.as_deref().and_then(super::color::wrong) {
            if !wrong.is_empty() {
                let shown = quote::text(proc, &wrong);
                let text = [proc.name(), b": unrecognized prefix: ", &shown, b"\n"].concat();
                proc.print_error(&text).await;
            }
            let text = b": unparsable value for LS_COLORS environment variable\n".as_slice();
            let text = [proc.name(), text].concat();
            proc.print_error(&text).await;
        } else {
            options.colors = Some(Colors::new(variable.as_deref()));
        }
        // Tabs and colours on one line confuse terminals.
        options.tab = 0;
    }
    let columns = proc
        .env()
        .value(b"COLUMNS")
        .and_then(input::decimal)
        .and_then(|n| usize::try_from(n).ok());
    let window = proc
        .window_size(STDOUT)
        .ok()
        .map(|size| usize::from(size.columns));
    options.width = asked
        .width
        .or(window.filter(|n| *n > 0))
        .or(columns.filter(|n| *n > 0))
        .unwrap_or(80);
    if options.directory {
        options.recursive = false;
    }
    let style = asked
        .time_style
        .clone()
        .or_else(|| proc.env().value(b"TIME_STYLE").map(<[u8]>::to_vec));
    if let Some(style) = style.filter(|_| options.long()) {
        options.time_style = time_style(proc, &style)
            .await
            .ok_or(ExitStatus::Exited(2))?;
    }
    Ok(())
}

/// Whether `LS_COLORS` or the terminal promise colours.
fn knows_colors(proc: &Process) -> bool {
    proc.env()
        .value(b"LS_COLORS")
        .is_some_and(|value| !value.is_empty())
        || knows_terminal(proc)
}

/// Whether `COLORTERM` or `TERM` name a terminal with colours: dircolors' list.
pub(in crate::coreutils) fn knows_terminal(proc: &Process) -> bool {
    const TERMS: &[&str] = &[
        "Eterm",
        "ansi",
        "*color*",
        "con[0-9]*x[0-9]*",
        "cons25",
        "console",
        "cygwin",
        "*direct*",
        "dtterm",
        "gnome",
        "hurd",
        "jfbterm",
        "konsole",
        "kterm",
        "linux",
        "linux-c",
        "mlterm",
        "putty",
        "rxvt*",
        "screen*",
        "st",
        "terminator",
        "tmux*",
        "vt100",
        "xterm*",
    ];
    let set = |name: &[u8]| proc.env().value(name).filter(|value| !value.is_empty());
    set(b"COLORTERM").is_some()
        || set(b"TERM").is_some_and(|term| {
            TERMS
                .iter()
                .any(|known| glob(known.as_bytes()).matches(term))
        })
}

async fn time_style(proc: &mut Process, word: &[u8]) -> Option<TimeStyle> {
    let both = |format: &[u8]| TimeStyle {
        recent: format.to_vec(),
        old: format.to_vec(),
    };
    let word = word.strip_prefix(b"posix-").unwrap_or(word);
    if let Some(format) = word.strip_prefix(b"+") {
        return Some(match format.iter().position(|&byte| byte == b'\n') {
            Some(at) => {
                let (old, recent) = format.split_at(at);
                TimeStyle {
                    recent: recent.get(1..).unwrap_or_default().to_vec(),
                    old: old.to_vec(),
                }
            }
            None => both(format),
        });
    }
    Some(match word {
        b"full-iso" => both(b"%Y-%m-%d %H:%M:%S.%N %z"),
        b"long-iso" => both(b"%Y-%m-%d %H:%M"),
        b"iso" => TimeStyle {
            recent: b"%m-%d %H:%M".to_vec(),
            old: b"%Y-%m-%d ".to_vec(),
        },
        b"locale" => TimeStyle {
            recent: b"%b %e %H:%M".to_vec(),
            old: b"%b %e  %Y".to_vec(),
        },
        word => {
            let shown = quote::text(proc, word);
            let text = [
                b"invalid argument ".as_slice(),
                &shown,
                " for ‘time style’\nValid arguments are:\n  - [posix-]full-iso\n  - [posix-]long-iso\n  \
                 - [posix-]iso\n  - [posix-]locale\n  - +FORMAT (e.g., +%H:%M) for a 'date'-style format"
                    .as_bytes(),
            ]
            .concat();
            proc.complain_text(text).await;
            crate::getopt::try_help(proc, 2).await;
            return None;
        }
    })
}
