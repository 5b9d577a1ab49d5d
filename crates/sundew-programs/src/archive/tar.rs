//! `tar` 1.34: create, extract, list; plain, gzip, bzip2 and xz.

mod compare;
mod create;
mod delete;
mod extract;
mod header;
mod rename;

use sundew_kernel::{ExitStatus, Process};

use crate::getopt::{Arity, Getopt, Spec};

const HELP: &[u8] = include_bytes!("help/tar.txt");
const VERSION: &[u8] = include_bytes!("help/tar-version.txt");

/// What tar ends with after any error.
const FAILURE: u8 = 2;
/// What a wrong option ends with.
const USAGE: u8 = 64;

const SPEC: Spec = Spec::new(
    "-cxtruAdvf:zjJZaC:kpPOmhoT:X:wSlb:I:V:sUWiBg:K:N:RH:GnF:L:M",
    &[
        ("create", Arity::No, "c"),
        ("delete", Arity::No, "delete"),
        ("test-label", Arity::No, "test-label"),
        ("transform", Arity::Required, "transform"),
        ("xform", Arity::Required, "transform"),
        ("newer", Arity::Required, "N"),
        ("after-date", Arity::Required, "N"),
        ("newer-mtime", Arity::Required, "N"),
        ("occurrence", Arity::Optional, "occurrence"),
        ("index-file", Arity::Required, "index-file"),
        ("block-number", Arity::No, "R"),
        ("verify", Arity::No, "W"),
        ("label", Arity::Required, "V"),
        ("full-time", Arity::No, "full-time"),
        ("utc", Arity::No, "ignored"),
        ("backup", Arity::Optional, "ignored"),
        ("suffix", Arity::Required, "ignored"),
        ("delay-directory-restore", Arity::No, "ignored"),
        ("seek", Arity::No, "ignored"),
        ("exclude-caches", Arity::No, "ignored"),
        ("exclude-backups", Arity::No, "ignored"),
        ("anchored", Arity::No, "ignored"),
        ("no-anchored", Arity::No, "ignored"),
        ("no-seek", Arity::No, "ignored"),
        ("no-auto-compress", Arity::No, "no-auto"),
        ("starting-file", Arity::Required, "ignored"),
        ("record-size", Arity::Required, "ignored"),
        ("read-full-records", Arity::No, "ignored"),
        ("old-archive", Arity::No, "ignored"),
        ("portability", Arity::No, "ignored"),
        ("posix", Arity::No, "ignored"),
        ("lzip", Arity::No, "lzip"),
        ("lzop", Arity::No, "lzop"),
        ("compress", Arity::No, "Z"),
        ("uncompress", Arity::No, "Z"),
        ("to-command", Arity::Required, "ignored"),
        ("interactive", Arity::No, "ignored"),
        ("confirmation", Arity::No, "ignored"),
        ("hard-dereference", Arity::No, "ignored"),
        ("no-ignore-case", Arity::No, "ignored"),
        ("ignore-case", Arity::No, "ignored"),
        ("verbatim-files-from", Arity::No, "ignored"),
        ("exclude-vcs-ignores", Arity::No, "ignored"),
        ("exclude-ignore", Arity::Required, "ignored"),
        ("exclude-tag", Arity::Required, "ignored"),
        ("no-check-device", Arity::No, "ignored"),
        ("check-device", Arity::No, "ignored"),
        ("rmt-command", Arity::Required, "ignored"),
        ("rsh-command", Arity::Required, "ignored"),
        ("pax-option", Arity::Required, "ignored"),
        ("no-xattrs", Arity::No, "ignored"),
        ("no-acls", Arity::No, "ignored"),
        ("no-selinux", Arity::No, "ignored"),
        ("clamp-mtime", Arity::No, "ignored"),
        ("atime-preserve", Arity::Optional, "ignored"),
        ("no-delay-directory-restore", Arity::No, "ignored"),
        ("keep-directory-symlink", Arity::No, "ignored"),
        ("one-top-level", Arity::Optional, "ignored"),
        ("preserve-order", Arity::No, "ignored"),
        ("same-order", Arity::No, "ignored"),
        ("incremental", Arity::No, "ignored"),
        ("listed-incremental", Arity::Required, "ignored"),
        ("level", Arity::Required, "ignored"),
        ("multi-volume", Arity::No, "ignored"),
        ("show-defaults", Arity::No, "show-defaults"),
        ("show-omitted-dirs", Arity::No, "ignored"),
        ("show-stored-names", Arity::No, "ignored"),
        ("no-quote-chars", Arity::Required, "ignored"),
        ("quote-chars", Arity::Required, "ignored"),
        ("restrict", Arity::No, "ignored"),
        ("no-null", Arity::No, "ignored"),
        ("wildcards-match-slash", Arity::No, "ignored"),
        ("no-wildcards-match-slash", Arity::No, "ignored"),
        ("add-file", Arity::Required, "add-file"),
        ("overwrite-dir", Arity::No, "ignored"),
        ("owner-map", Arity::Required, "ignored"),
        ("group-map", Arity::Required, "ignored"),
        ("ignore-command-error", Arity::No, "ignored"),
        ("no-ignore-command-error", Arity::No, "ignored"),
        ("extract", Arity::No, "x"),
        ("get", Arity::No, "x"),
        ("list", Arity::No, "t"),
        ("append", Arity::No, "r"),
        ("verbose", Arity::No, "v"),
        ("file", Arity::Required, "f"),
        ("gzip", Arity::No, "z"),
        ("gunzip", Arity::No, "z"),
        ("ungzip", Arity::No, "z"),
        ("bzip2", Arity::No, "j"),
        ("xz", Arity::No, "J"),
        ("lzma", Arity::No, "lzma"),
        ("zstd", Arity::No, "zstd"),
        ("auto-compress", Arity::No, "a"),
        ("directory", Arity::Required, "C"),
        ("keep-old-files", Arity::No, "k"),
        ("preserve-permissions", Arity::No, "p"),
        ("same-permissions", Arity::No, "p"),
        ("absolute-names", Arity::No, "P"),
        ("to-stdout", Arity::No, "O"),
        ("touch", Arity::No, "m"),
        ("dereference", Arity::No, "h"),
        ("exclude", Arity::Required, "exclude"),
        ("strip-components", Arity::Required, "strip"),
        ("no-same-owner", Arity::No, "o"),
        ("same-owner", Arity::No, "same-owner"),
        ("no-same-permissions", Arity::No, "no-perm"),
        ("overwrite", Arity::No, "overwrite"),
        ("numeric-owner", Arity::No, "numeric"),
        ("warning", Arity::Required, "warning"),
        ("owner", Arity::Required, "owner"),
        ("group", Arity::Required, "group"),
        ("files-from", Arity::Required, "T"),
        ("exclude-from", Arity::Required, "X"),
        ("update", Arity::No, "u"),
        ("catenate", Arity::No, "A"),
        ("concatenate", Arity::No, "A"),
        ("diff", Arity::No, "d"),
        ("compare", Arity::No, "d"),
        ("wildcards", Arity::No, "wildcards"),
        ("no-wildcards", Arity::No, "ignored"),
        ("no-recursion", Arity::No, "no-recursion"),
        ("recursion", Arity::No, "ignored"),
        ("remove-files", Arity::No, "remove-files"),
        ("totals", Arity::Optional, "totals"),
        ("checkpoint", Arity::Optional, "ignored"),
        ("checkpoint-action", Arity::Required, "ignored"),
        ("one-file-system", Arity::No, "ignored"),
        ("sparse", Arity::No, "ignored"),
        ("sort", Arity::Required, "ignored"),
        ("format", Arity::Required, "H"),
        ("mode", Arity::Required, "mode"),
        ("mtime", Arity::Required, "mtime"),
        ("quoting-style", Arity::Required, "ignored"),
        ("ignore-failed-read", Arity::No, "ignored"),
        ("exclude-vcs", Arity::No, "ignored"),
        ("unlink-first", Arity::No, "ignored"),
        ("recursive-unlink", Arity::No, "ignored"),
        ("keep-newer-files", Arity::No, "keep-newer"),
        ("skip-old-files", Arity::No, "skip-old"),
        ("no-overwrite-dir", Arity::No, "ignored"),
        ("blocking-factor", Arity::Required, "ignored"),
        ("use-compress-program", Arity::Required, "I"),
        ("show-transformed-names", Arity::No, "show-transformed"),
        ("force-local", Arity::No, "ignored"),
        ("ignore-zeros", Arity::No, "ignored"),
        ("null", Arity::No, "ignored"),
        ("acls", Arity::No, "ignored"),
        ("xattrs", Arity::No, "ignored"),
        ("selinux", Arity::No, "ignored"),
        ("help", Arity::No, "help"),
        ("version", Arity::No, "version"),
    ],
);

/// The formats that `--format` knows.
const FORMATS: &[&[u8]] = &[b"gnu", b"oldgnu", b"pax", b"posix", b"ustar", b"v7"];

/// Letters whose arguments follow an old-style bundle.
const WITH_ARGUMENT: &[u8] = b"fCTXbIVgKNHFL";

#[derive(Debug, Default)]
struct Options {
    mode: u8,
    file: Option<Vec<u8>>,
    filter: Option<u8>,
    verbose: u8,
    keep: bool,
    absolute: bool,
    to_stdout: bool,
    touch: bool,
    follow: bool,
    auto: bool,
    strip: usize,
    exclude: Vec<sundew_posix::pattern::Pattern>,
    wildcards: bool,
    no_recursion: bool,
    remove: bool,
    totals: bool,
    skip_old: bool,
    keep_newer: bool,
    numeric: bool,
    numbers: bool,
    show_transformed: bool,
    renames: Vec<rename::Rename>,
    /// Only what was changed since then is stored.
    newer: Option<i64>,
    /// The time that members get.
    mtime: Option<i64>,
    /// A program that packs and unpacks, by name, of those that are no options of their own.
    program: Option<Vec<u8>>,
    /// How hard that of the format packs: 1 to 9.
    level: Option<u32>,
    index: Option<Vec<u8>>,
    permissions: Option<crate::mode::Change>,
    owner: Option<Vec<u8>>,
    group: Option<Vec<u8>>,
    /// Directories to change to, each before the operand of that number.
    moves: Vec<(usize, Vec<u8>)>,
    operands: Vec<Vec<u8>>,
}

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let options = match read_options(proc).await {
        Ok(options) => options,
        Err(status) => return status,
    };
    if options.mode == b'D' {
        delete::run(proc, &options).await
    } else if matches!(options.mode, b'c' | b'r' | b'u') {
        create::run(proc, &options).await
    } else {
        extract::run(proc, &options).await
    }
}

/// `tar: NAME: TEXT: REASON`, and that this was the end.
async fn fatal(
    proc: &mut Process,
    name: &[u8],
    text: &str,
    errno: sundew_kernel::Errno,
) -> ExitStatus {
    let line = [
        name,
        b": ",
        text.as_bytes(),
        b": ",
        errno.message().as_bytes(),
    ]
    .concat();
    proc.complain_text(line).await;
    proc.complain_text(b"Error is not recoverable: exiting now")
        .await;
    ExitStatus::Exited(FAILURE)
}

/// The status at the end, with a last word if something went wrong on the way.
async fn finish(proc: &mut Process, failed: bool) -> ExitStatus {
    if failed {
        proc.complain_text(b"Exiting with failure status due to previous errors")
            .await;
        return ExitStatus::Exited(FAILURE);
    }
    ExitStatus::SUCCESS
}

async fn refuse(proc: &mut Process, text: &[u8], status: u8) -> ExitStatus {
    proc.complain_text(text).await;
    proc.print_error(b"Try 'tar --help' or 'tar --usage' for more information.\n")
        .await;
    ExitStatus::Exited(status)
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each option, in one place"
)]
async fn read_options(proc: &mut Process) -> Result<Options, ExitStatus> {
    let args = match modern(proc.args().get(1..).unwrap_or_default()) {
        Ok(args) => args,
        Err(letter) => {
            let text = format!("Old option '{}' requires an argument.", char::from(letter));
            return Err(refuse(proc, text.as_bytes(), FAILURE).await);
        }
    };
    let mut options = Options::default();
    let (mut named, mut excluding) = (None, None);
    let (mut verify, mut occurrence) = (false, false);
    let mut getopt = Getopt::of(&SPEC, args);
    while let Some(option) = getopt.next() {
        let option = match option {
            Ok(option) => option,
            Err(error) => return Err(refuse(proc, &error.text(), USAGE).await),
        };
        match option.key {
            mode @ ("c" | "x" | "t" | "r" | "u" | "A" | "d" | "delete" | "test-label") => {
                let mode = match mode {
                    "delete" => b'D',
                    "test-label" => b'l',
                    mode => mode.as_bytes().first().copied().unwrap_or(b't'),
                };
                if options.mode != 0 && options.mode != mode {
                    let text = b"You may not specify more than one '-Acdtrux', '--delete' or  '--test-label' option";
                    return Err(refuse(proc, text, FAILURE).await);
                }
                options.mode = mode;
            }
            "v" => options.verbose = options.verbose.saturating_add(1),
            "f" => options.file = Some(option.value).filter(|file| file != b"-"),
            filter @ ("z" | "j" | "J" | "Z") => options.filter = filter.as_bytes().first().copied(),
            "zstd" => options.program = Some(b"zstd".to_vec()),
            "a" => options.auto = true,
            "" | "add-file" => options.operands.push(option.value),
            "transform" => match rename::Rename::parse(&option.value) {
                Some(renames) => options.renames.extend(renames),
                None => {
                    let text = b"Invalid transform expression";
                    return Err(refuse(proc, text, FAILURE).await);
                }
            },
            "N" | "mtime" => {
                let zone = crate::time::Zone::of(proc).await;
                let moment = match proc.stat(&option.value) {
                    Ok(found)
                        if option.value.starts_with(b"/") || option.value.starts_with(b".") =>
                    {
                        Some(found.mtime)
                    }
                    _ => crate::time::parse::parse(&option.value, proc.now(), &zone),
                };
                let Some(moment) = moment else {
                    let shown = crate::quote::text(proc, &option.value);
                    let text = [b"Invalid date format ".as_slice(), &shown].concat();
                    return Err(refuse(proc, &text, FAILURE).await);
                };
                if option.key == "N" {
                    options.newer = Some(moment.secs);
                } else {
                    options.mtime = Some(moment.secs);
                }
            }
            "H" if !FORMATS.contains(&option.value.as_slice()) => {
                let text = [option.value.as_slice(), b": Invalid archive format"].concat();
                return Err(refuse(proc, &text, FAILURE).await);
            }
            "I" => {
                // The shell parts the words; what packs better or worse is still that format.
                let mut words = option.value.split(u8::is_ascii_whitespace);
                let name = words.by_ref().find(|word| !word.is_empty());
                let name = name.unwrap_or_default().to_vec();
                let level = words.find_map(|word| match word {
                    [b'-', digit @ b'1'..=b'9'] => Some(digit - b'0'),
                    _ => None,
                });
                options.level = level.map(u32::from);
                match name.as_slice() {
                    b"gzip" | b"/bin/gzip" | b"/usr/bin/gzip" => options.filter = Some(b'z'),
                    b"bzip2" | b"/bin/bzip2" | b"/usr/bin/bzip2" => options.filter = Some(b'j'),
                    b"xz" | b"/bin/xz" | b"/usr/bin/xz" => options.filter = Some(b'J'),
                    _ => options.program = Some(name),
                }
            }
            program @ ("lzip" | "lzop") => options.program = Some(program.into()),
            "numeric" => options.numeric = true,
            "R" => options.numbers = true,
            "W" => verify = true,
            "show-transformed" => options.show_transformed = true,
            "keep-newer" => options.keep_newer = true,
            "index-file" => options.index = Some(option.value),
            "occurrence" => occurrence = true,
            "show-defaults" => {
                let text = b"--format=gnu -f- -b20 --quoting-style=escape --rmt-command=/usr/sbin/rmt --rsh-command=/usr/bin/rsh\n";
                // The kernel reports a failed write at exit.
                let _reported = proc.print(text).await;
                return Err(ExitStatus::SUCCESS);
            }
            "C" => options.moves.push((options.operands.len(), option.value)),
            "T" => named = Some(option.value),
            "X" => excluding = Some(option.value),
            "wildcards" => options.wildcards = true,
            "no-recursion" => options.no_recursion = true,
            "remove-files" => options.remove = true,
            "totals" => options.totals = true,
            "skip-old" => options.skip_old = true,
            "owner" => options.owner = Some(option.value),
            "group" => options.group = Some(option.value),
            "mode" => options.permissions = crate::mode::Change::parse(&option.value),
            "k" => options.keep = true,
            "P" => options.absolute = true,
            "O" => options.to_stdout = true,
            "m" => options.touch = true,
            "h" => options.follow = true,
            "exclude" => options
                .exclude
                .push(sundew_posix::pattern::Pattern::from_bytes(
                    &option.value,
                    sundew_posix::pattern::Options::default(),
                )),
            "strip" => {
                options.strip = std::str::from_utf8(&option.value)
                    .ok()
                    .and_then(|text| text.parse().ok())
                    .unwrap_or(0);
            }
            "help" | "version" => {
                let text = if option.key == "help" { HELP } else { VERSION };
                // The kernel reports a failed write at exit.
                let _reported = proc.print(text).await;
                return Err(ExitStatus::SUCCESS);
            }
            _ => {}
        }
    }
    options.operands.extend(getopt.operands());
    for (list, names) in [(named, true), (excluding, false)] {
        let Some(list) = list else { continue };
        let text = match crate::text::input::read_all(proc, &list).await {
            Ok((text, _memory)) => text,
            // A list of names is looked at before it is opened.
            Err(errno) if names => return Err(fatal(proc, &list, "Cannot stat", errno).await),
            Err(errno) => return Err(fatal(proc, &list, "Cannot open", errno).await),
        };
        for line in text
            .split(|&byte| byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            if names {
                options.operands.push(line.to_vec());
            } else {
                options
                    .exclude
                    .push(sundew_posix::pattern::Pattern::from_bytes(
                        line,
                        sundew_posix::pattern::Options::default(),
                    ));
            }
        }
    }
    if options.mode == 0 {
        let text = b"You must specify one of the '-Acdtrux', '--delete' or '--test-label' options";
        return Err(refuse(proc, text, FAILURE).await);
    }
    if verify && options.mode != b'c' {
        let text = format!(
            "'--verify' cannot be used with '-{}'",
            char::from(options.mode)
        );
        return Err(refuse(proc, text.as_bytes(), FAILURE).await);
    }
    if occurrence && options.operands.is_empty() {
        let text = b"--occurrence is meaningless without a file list";
        return Err(refuse(proc, text, FAILURE).await);
    }
    if options.mode == b'c' && options.operands.is_empty() {
        return Err(refuse(
            proc,
            b"Cowardly refusing to create an empty archive",
            FAILURE,
        )
        .await);
    }
    Ok(options)
}

/// Old-style options (`tar xzf a.tgz`) as others are written; the letter that lacks its argument.
fn modern(args: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, u8> {
    let Some((first, rest)) = args.split_first() else {
        return Ok(Vec::new());
    };
    if first.starts_with(b"-") || first.is_empty() {
        return Ok(args.to_vec());
    }
    let mut rest = rest.iter();
    let mut out = Vec::new();
    for &letter in first {
        out.push(vec![b'-', letter]);
        if WITH_ARGUMENT.contains(&letter) {
            out.push(rest.next().cloned().ok_or(letter)?);
        }
    }
    out.extend(rest.cloned());
    Ok(out)
}

#[cfg(test)]
mod tests;
