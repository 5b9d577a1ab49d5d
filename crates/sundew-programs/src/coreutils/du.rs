//! du(1).

use std::collections::HashSet;

use sundew_kernel::{ExitStatus, Process};
use sundew_posix::pattern::{Options as Glob, Pattern};
use sundew_vfs::Metadata;

use super::walk::{Follow, Stage, Walk};
use super::{about, input};
use crate::getopt::{Arity, Getopt, Spec, refuse, try_help};
use crate::quote;
use crate::size::Display;

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
    };
    let (mut summarize, mut total, mut depth) = (false, false, None);
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
            Ok(("t" | "X", _)) => {}
            Ok((key, _)) => return about::run(proc, key, "du").await,
            Err(error) => return refuse(proc, &error, 1).await,
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
    if operands.is_empty() {
        operands.push(b".".to_vec());
    }
    settings.several = operands.len() > 1;
    let mut seen = HashSet::new();
    let mut sum = 0;
    for path in operands {
        sum += measure(proc, &path, &settings, &mut seen).await;
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
) -> u64 {
    let mut walk = Walk::new(proc, path, settings.follow, true);
    // The sums of the directories that are being visited, outermost first.
    let mut open: Vec<u64> = Vec::new();
    let (mut sum, mut device) = (0, None);
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
            let whole = open.pop().unwrap_or(0);
            if let (Some(parent), false) = (open.last_mut(), settings.separate) {
                *parent += whole;
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
        let size = size(&metadata, settings);
        if visit.stage == Stage::Before {
            open.push(size);
            continue;
        }
        match open.last_mut() {
            Some(parent) => *parent += size,
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

async fn show(proc: &mut Process, size: u64, path: &[u8], settings: &Options) {
    let text = if settings.inodes {
        size.to_string()
    } else {
        settings.display.show(size)
    };
    let line = [text.as_bytes(), b"\t", path, &[settings.end]].concat();
    // A closed output is reported when the program ends.
    let _reported_at_exit = proc.print(&line).await;
}
