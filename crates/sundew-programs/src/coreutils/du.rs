//! du(1).

use std::collections::HashSet;

use sundew_kernel::{ExitStatus, Process};
use sundew_posix::pattern::{Options as Glob, Pattern};
use sundew_vfs::{Metadata, Timestamp};

use super::walk::{Follow, Stage, Walk};
use super::{about, input};
use crate::getopt::{Arity, Getopt, Spec, refuse, try_help};
use crate::quote;
use crate::size::{Display, number};
use crate::time::{Shown, Zone};

const SPEC: Spec = Spec::gnu(
    "0abd:chHklmst:xB:DLPSX:",
    &[
        ("all", Arity::No, "a"),
        ("apparent-size", Arity::No, "apparent"),
        ("block-size", Arity::Required, "B"),
        ("bytes", Arity::No, "b"),
        ("count-links", Arity::No, "l"),
        ("dereference", Arity::No, "L"),
        ("dereference-args", Arity::No, "D"),
        ("exclude", Arity::Required, "exclude"),
        ("human-readable", Arity::No, "h"),
        ("inodes", Arity::No, "inodes"),
        ("si", Arity::No, "si"),
        ("max-depth", Arity::Required, "d"),
        ("null", Arity::No, "0"),
        ("no-dereference", Arity::No, "P"),
        ("one-file-system", Arity::No, "x"),
        ("separate-dirs", Arity::No, "S"),
        ("summarize", Arity::No, "s"),
        ("total", Arity::No, "c"),
        ("threshold", Arity::Required, "t"),
        ("time", Arity::Optional, "time"),
        ("time-style", Arity::Required, "time-style"),
        ("files0-from", Arity::Required, "files0"),
        ("exclude-from", Arity::Required, "X"),
    ],
);

struct Options {
    all: bool,
    apparent: bool,
    display: Display,
    depth: usize,
    end: u8,
    follow: Follow,
    one_device: bool,
    separate: bool,
    count_links: bool,
    inodes: bool,
    excluded: Vec<Pattern>,
    /// With several operands each file counts once, whatever its links.
    several: bool,
    /// Smaller files are left out, or with a sign larger ones.
    threshold: Option<(bool, u64)>,
    time: Option<Time>,
    time_format: Vec<u8>,
    zone: Zone,
}

/// Which of a file's times is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Time {
    Modified,
    Accessed,
    Changed,
}

impl Time {
    fn of(self, metadata: &Metadata) -> Timestamp {
        match self {
            Self::Modified => metadata.mtime,
            Self::Accessed => metadata.atime,
            Self::Changed => metadata.ctime,
        }
    }
}

/// What a tree comes to.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    size: u64,
    latest: Option<Timestamp>,
}

impl Sum {
    fn add(&mut self, other: Self) {
        self.size += other.size;
        self.latest = self.latest.max(other.latest);
    }
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each option, in one place"
)]
pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut settings = Options {
        all: false,
        apparent: false,
        display: Display::Units(1024),
        depth: usize::MAX,
        end: b'\n',
        follow: Follow::Never,
        one_device: false,
        separate: false,
        count_links: false,
        inodes: false,
        excluded: Vec::new(),
        several: false,
        threshold: None,
        time: None,
        time_format: b"%Y-%m-%d %H:%M".to_vec(),
        zone: Zone::utc(),
    };
    let mut files = None;
    let (mut summarize, mut total, mut depth) = (false, false, None);
    let mut style = None;
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("0", _)) => settings.end = 0,
            Ok(("a", _)) => settings.all = true,
            Ok(("apparent", _)) => settings.apparent = true,
            Ok(("b", _)) => (settings.apparent, settings.display) = (true, Display::Units(1)),
            Ok(("B", value)) => match Display::parse(&value) {
                Ok(display) => settings.display = display,
                Err(_) => {
                    let shown = quote::always(proc, &value);
                    proc.complain_text([b"invalid -B argument ", shown.as_slice()].concat())
                        .await;
                    return proc.status();
                }
            },
            Ok(("c", _)) => total = true,
            Ok(("d", value)) => {
                match input::decimal(&value).and_then(|depth| usize::try_from(depth).ok()) {
                    Some(value) => depth = Some(value),
                    None => return input::refuse_word(proc, "invalid maximum depth", &value).await,
                }
            }
            Ok(("D" | "H", _)) => settings.follow = Follow::Operand,
            Ok(("L", _)) => settings.follow = Follow::Always,
            Ok(("P", _)) => settings.follow = Follow::Never,
            Ok(("exclude", value)) => settings
                .excluded
                .push(Pattern::from_bytes(&value, Glob::default())),
            Ok(("h", _)) => settings.display = Display::Human,
            Ok(("si", _)) => settings.display = Display::Si,
            Ok(("inodes", _)) => settings.inodes = true,
            Ok(("k", _)) => settings.display = Display::Units(1024),
            Ok(("m", _)) => settings.display = Display::Units(1 << 20),
            Ok(("l", _)) => settings.count_links = true,
            Ok(("s", _)) => summarize = true,
            Ok(("S", _)) => settings.separate = true,
            Ok(("x", _)) => settings.one_device = true,
            Ok(("t", value)) => {
                let (above, digits) = match value.strip_prefix(b"-") {
                    Some(digits) => (false, digits),
                    None => (true, value.as_slice()),
                };
                match number(digits, b"kKmMGTPEZY0") {
                    Ok(bytes) if above || bytes > 0 => settings.threshold = Some((above, bytes)),
                    _ => {
                        let text = [b"invalid -t argument '".as_slice(), &value, b"'"].concat();
                        proc.complain_text(text).await;
                        return proc.status();
                    }
                }
            }
            Ok(("X", value)) => {
                let Some((text, _memory)) = input::read_all(proc, &value).await else {
                    return proc.status();
                };
                let lines = text.split(|&byte| byte == b'\n');
                settings.excluded.extend(
                    lines
                        .filter(|line| !line.is_empty())
                        .map(|line| Pattern::from_bytes(line, Glob::default())),
                );
            }
            Ok(("files0", value)) => files = Some(value),
            Ok(("time", value)) if value.is_empty() => settings.time = Some(Time::Modified),
            Ok(("time", value)) => {
                const WORDS: &[(&str, Time)] = &[
                    ("atime", Time::Accessed),
                    ("access", Time::Accessed),
                    ("use", Time::Accessed),
                    ("ctime", Time::Changed),
                    ("status", Time::Changed),
                ];
                match input::choose(proc, "--time", &value, WORDS).await {
                    Some(time) => settings.time = Some(time),
                    None => return proc.status(),
                }
            }
            Ok(("time-style", value)) => style = Some(value),
            Ok((key, _)) => return about::run(proc, key, "du").await,
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    if settings.time.is_some() {
        settings.zone = Zone::of(proc).await;
        let style = style.or_else(|| proc.env().value(b"TIME_STYLE").map(<[u8]>::to_vec));
        match style.as_deref().unwrap_or(b"long-iso") {
            b"long-iso" | b"locale" => {}
            b"iso" => settings.time_format = b"%Y-%m-%d".to_vec(),
            b"full-iso" => settings.time_format = b"%Y-%m-%d %H:%M:%S.%N %z".to_vec(),
            [b'+', format @ ..] => settings.time_format = format.to_vec(),
            word => {
                let shown = quote::text(proc, word);
                let text = [b"invalid argument ".as_slice(), &shown, b" for "].concat();
                let place = quote::text(proc, b"time style");
                proc.complain_text([text, place].concat()).await;
                let mut list = b"Valid arguments are:\n".to_vec();
                for name in ["full-iso", "long-iso", "iso"] {
                    let name = quote::text(proc, name.as_bytes());
                    list.extend([b"  - ".as_slice(), &name, b"\n"].concat());
                }
                proc.print_error(&list).await;
                return try_help(proc, 1).await;
            }
        }
    }
    if summarize && settings.all {
        return input::refuse_text(proc, "cannot both summarize and show all entries").await;
    }
    if let Some(depth) = depth.filter(|_| summarize) {
        let text = if depth == 0 {
            "warning: summarizing is the same as using --max-depth=0".to_owned()
        } else {
            format!("warning: summarizing conflicts with --max-depth={depth}")
        };
        let line = [proc.name(), b": ", text.as_bytes(), b"\n"].concat();
        proc.print_error(&line).await;
        if depth != 0 {
            return try_help(proc, 1).await;
        }
    }
    settings.depth = if summarize {
        0
    } else {
        depth.unwrap_or(usize::MAX)
    };
    let mut operands = options.operands();
    if let Some(list) = files {
        if let Some(extra) = operands.first() {
            let shown = quote::text(proc, extra);
            proc.complain_text([b"extra operand ".as_slice(), &shown].concat())
                .await;
            proc.print_error(b"file operands cannot be combined with --files0-from\n")
                .await;
            return try_help(proc, 1).await;
        }
        let read = match crate::text::input::read_all(proc, &list).await {
            Ok((text, _memory)) => text,
            Err(errno) => {
                input::complain_reading(proc, &list, errno).await;
                return proc.status();
            }
        };
        operands = read
            .split(|&byte| byte == 0)
            .filter(|name| !name.is_empty())
            .map(<[u8]>::to_vec)
            .collect();
    } else if operands.is_empty() {
        operands.push(b".".to_vec());
    }
    settings.several = operands.len() > 1;
    let mut seen = HashSet::new();
    let mut sum = Sum::default();
    for path in operands {
        let tree = measure(proc, &path, &settings, &mut seen).await;
        sum.add(tree);
    }
    if total {
        show(proc, sum, b"total", &settings).await;
    }
    proc.status()
}

/// Adds up a tree and prints it; the sum.
async fn measure(
    proc: &mut Process,
    path: &[u8],
    settings: &Options,
    seen: &mut HashSet<(u64, u64)>,
) -> Sum {
    let mut walk = Walk::new(proc, path, settings.follow, true);
    // The sums of the directories that are being visited, outermost first.
    let mut open: Vec<Sum> = Vec::new();
    let (mut sum, mut device) = (Sum::default(), None);
    while let Some(visit) = walk.next(proc).await {
        let metadata = match (&visit.stage, visit.metadata) {
            (Stage::Missing(errno), _) => {
                input::complain_about(proc, "cannot access", &visit.path, *errno).await;
                continue;
            }
            (Stage::Unreadable(errno), _) => {
                input::complain_about(proc, "cannot read directory", &visit.path, *errno).await;
                continue;
            }
            (_, Some(metadata)) => metadata,
            (_, None) => continue,
        };
        if visit.stage == Stage::After {
            let whole = open.pop().unwrap_or_default();
            if let (Some(parent), false) = (open.last_mut(), settings.separate) {
                parent.add(whole);
            }
            sum = whole;
            if visit.depth <= settings.depth {
                show(proc, whole, &visit.path, settings).await;
            }
            continue;
        }
        let base = input::base(&visit.path);
        let excluded = settings
            .excluded
            .iter()
            .any(|pattern| pattern.matches(base) || pattern.matches(&visit.path));
        let other_device =
            settings.one_device && *device.get_or_insert(metadata.dev) != metadata.dev;
        let repeated = !settings.count_links
            && (settings.several || (metadata.nlink > 1 && !metadata.is_dir()))
            && !seen.insert((metadata.dev, metadata.ino.0));
        if excluded || other_device || repeated {
            walk.skip();
            continue;
        }
        let size = Sum {
            size: size(&metadata, settings),
            latest: settings.time.map(|time| time.of(&metadata)),
        };
        if visit.stage == Stage::Before {
            open.push(size);
            continue;
        }
        match open.last_mut() {
            Some(parent) => parent.add(size),
            None => sum = size,
        }
        if visit.depth == 0 || (settings.all && visit.depth <= settings.depth) {
            show(proc, size, &visit.path, settings).await;
        }
    }
    sum
}

fn size(metadata: &Metadata, settings: &Options) -> u64 {
    match (settings.inodes, settings.apparent) {
        (true, _) => 1,
        (false, true) => metadata.size,
        (false, false) => metadata.blocks * 512,
    }
}

async fn show(proc: &mut Process, sum: Sum, path: &[u8], settings: &Options) {
    let size = sum.size;
    let left_out = settings.threshold.is_some_and(
        |(above, bytes)| {
            if above { size < bytes } else { size > bytes }
        },
    );
    if left_out {
        return;
    }
    let text = if settings.inodes {
        size.to_string()
    } else {
        settings.display.show(size)
    };
    let mut line = [text.as_bytes(), b"\t"].concat();
    if settings.time.is_some() {
        let latest = sum.latest.unwrap_or_default();
        line.extend(Shown::new(latest, &settings.zone).format(&settings.time_format));
        line.push(b'\t');
    }
    line.extend_from_slice(path);
    line.push(settings.end);
    // A closed output is reported when the program ends.
    let _reported_at_exit = proc.print(&line).await;
}
