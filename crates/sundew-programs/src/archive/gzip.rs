//! `gzip` 1.12, and the scripts `gunzip` and `zcat` that call it.

use std::sync::atomic::Ordering;

use sundew_kernel::process::LineReader;
use sundew_kernel::{ExitStatus, Process, STDIN, STDOUT};

use super::beside;
use super::deflate::{self, Failure};
use crate::getopt::{Arity, Getopt, Spec};
use crate::text::input;

const HELP: &[u8] = include_bytes!("help/gzip.txt");
const VERSION: &[u8] = include_bytes!("help/gzip-version.txt");

/// A warning, as opposed to an error.
const WARNING: u8 = 2;

const SPEC: Spec = Spec::new(
    "ab:cdfhH?klLmMnNqrS:tvVZ123456789",
    &[
        ("ascii", Arity::No, "a"),
        ("to-stdout", Arity::No, "c"),
        ("stdout", Arity::No, "c"),
        ("decompress", Arity::No, "d"),
        ("uncompress", Arity::No, "d"),
        ("force", Arity::No, "f"),
        ("help", Arity::No, "h"),
        ("keep", Arity::No, "k"),
        ("list", Arity::No, "l"),
        ("license", Arity::No, "L"),
        ("no-name", Arity::No, "n"),
        ("name", Arity::No, "N"),
        ("quiet", Arity::No, "q"),
        ("silent", Arity::No, "q"),
        ("recursive", Arity::No, "r"),
        ("suffix", Arity::Required, "S"),
        ("test", Arity::No, "t"),
        ("verbose", Arity::No, "v"),
        ("version", Arity::No, "V"),
        ("fast", Arity::No, "1"),
        ("best", Arity::No, "9"),
    ],
);

#[derive(Debug, Default)]
struct Options {
    decompress: bool,
    stdout: bool,
    force: bool,
    keep: bool,
    test: bool,
    list: bool,
    /// Whether the list has its heading.
    headed: std::sync::atomic::AtomicBool,
    no_name: bool,
    quiet: bool,
    verbose: bool,
    level: u32,
    suffix: Vec<u8>,
}

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    run_as(proc, false, false).await
}

pub(crate) async fn run_decompress(proc: &mut Process) -> ExitStatus {
    run_as(proc, true, false).await
}

pub(crate) async fn run_cat(proc: &mut Process) -> ExitStatus {
    run_as(proc, true, true).await
}

async fn run_as(proc: &mut Process, decompress: bool, stdout: bool) -> ExitStatus {
    // The scripts run gzip, which then speaks of itself by that name.
    let mut args = proc.args().to_vec();
    if let Some(name) = args.first_mut() {
        *name = b"gzip".to_vec();
    }
    proc.set_args(args);
    let mut options = Options {
        decompress,
        stdout,
        level: 6,
        suffix: b".gz".to_vec(),
        ..Options::default()
    };
    let mut getopt = Getopt::new(&SPEC, proc.args());
    while let Some(option) = getopt.next() {
        let option = match option {
            Ok(option) => option,
            Err(error) => {
                proc.complain_text(error.text()).await;
                proc.print_error(b"Try `gzip --help' for more information.\n")
                    .await;
                return ExitStatus::FAILURE;
            }
        };
        match option.key {
            "c" => options.stdout = true,
            "d" => options.decompress = true,
            "f" => options.force = true,
            "k" => options.keep = true,
            "l" => (options.list, options.decompress) = (true, true),
            "t" => (options.test, options.decompress) = (true, true),
            "n" => options.no_name = true,
            "q" => options.quiet = true,
            "v" => options.verbose = true,
            "S" => options.suffix = option.value,
            "h" | "H" | "?" | "V" => {
                let text = if option.key == "V" { VERSION } else { HELP };
                // The kernel reports a failed write at exit.
                let _reported = proc.print(text).await;
                return ExitStatus::SUCCESS;
            }
            digit => {
                if let Ok(level) = digit.parse() {
                    options.level = level;
                }
            }
        }
    }
    let operands = getopt.operands();
    let mut status = 0;
    if operands.is_empty() {
        status = standard_input(proc, &options).await;
    }
    for path in &operands {
        proc.tick().await;
        let one = if path == b"-" {
            standard_input(proc, &options).await
        } else {
            file(proc, &options, path).await
        };
        // An error outweighs a warning.
        status = if status == 1 || one == 1 {
            1
        } else {
            status.max(one)
        };
    }
    ExitStatus::Exited(status)
}

async fn standard_input(proc: &mut Process, options: &Options) -> u8 {
    let terminal = if options.decompress { STDIN } else { STDOUT };
    if proc.is_terminal(terminal) && !options.force && !options.list {
        let (verb, place, kind) = if options.decompress {
            ("read from", "-d", "de")
        } else {
            ("written to", "-f", "")
        };
        let text = format!(
            "compressed data not {verb} a terminal. Use -f to force {kind}compression.\nFor help, type: gzip -h\n"
        );
        let _ = place;
        proc.print_error(&[b"gzip: ", text.as_bytes()].concat())
            .await;
        return 1;
    }
    let Ok((bytes, _memory)) = proc.read_to_end(STDIN).await else {
        proc.out_of_memory().await
    };
    match transform(proc, options, &bytes, None, b"stdin").await {
        Ok((out, _memory)) => {
            if options.list {
                list(proc, options, &listing(&bytes, out.len(), b"stdout")).await;
            } else if !options.test {
                let _reported_at_exit = proc.print(&out).await;
            }
            0
        }
        Err(status) => status,
    }
}

async fn transform(
    proc: &mut Process,
    options: &Options,
    bytes: &[u8],
    name: Option<(&[u8], u32)>,
    shown: &[u8],
) -> Result<(Vec<u8>, sundew_kernel::budget::Memory), u8> {
    if !options.decompress {
        let mut memory = proc.memory();
        if memory.grow(bytes.len()).is_err() {
            proc.out_of_memory().await;
        }
        let name = name.filter(|_| !options.no_name);
        let out = deflate::compress(proc, bytes, options.level, name)
            .await
            .ok_or(1)?;
        return Ok((out, memory));
    }
    let failure = match deflate::decompress(proc, bytes).await {
        Ok(result) => return Ok(result),
        Err(failure) => failure,
    };
    let words = match failure {
        Failure::Format if bytes.is_empty() => "unexpected end of file",
        // zcat -f and gzip -dcf pass on what is not compressed.
        Failure::Format if options.force && options.stdout => {
            return Ok((bytes.to_vec(), proc.memory()));
        }
        Failure::Format => "not in gzip format",
        Failure::Truncated => "unexpected end of file",
        Failure::Corrupt => "invalid compressed data--format violated",
        Failure::Memory => proc.out_of_memory().await,
    };
    proc.print_error(&[b"\ngzip: ", shown, b": ", words.as_bytes(), b"\n"].concat())
        .await;
    Err(1)
}

async fn say(proc: &mut Process, path: &[u8], text: &str) {
    proc.print_error(&[b"gzip: ", path, text.as_bytes(), b"\n"].concat())
        .await;
}

async fn file(proc: &mut Process, options: &Options, operand: &[u8]) -> u8 {
    let mut path = operand.to_vec();
    let mut found = proc.stat(&path);
    if options.decompress && found.is_err() && !path.ends_with(&options.suffix) {
        path.extend_from_slice(&options.suffix);
        found = proc.stat(&path);
    }
    let metadata = match found {
        Ok(metadata) => metadata,
        Err(errno) => {
            proc.complain(&path, errno).await;
            return 1;
        }
    };
    if metadata.is_dir() {
        say(proc, &path, " is a directory -- ignored").await;
        return WARNING;
    }
    let to_file = !options.stdout && !options.test && !options.list;
    let target = match target(options, &path) {
        Ok(target) => target,
        Err(text) if to_file => {
            if !options.quiet {
                say(proc, &path, text).await;
            }
            return if text.contains("already") { 0 } else { WARNING };
        }
        Err(_) => path.clone(),
    };
    let bytes = match input::read_all(proc, &path).await {
        Ok((bytes, _memory)) => bytes,
        Err(errno) => {
            proc.complain(&path, errno).await;
            return 1;
        }
    };
    if to_file && !options.force && proc.lstat(&target).is_ok() {
        let asks = proc.is_terminal(STDIN);
        let question = if asks {
            " do you wish to overwrite (y or n)? "
        } else {
            ""
        };
        let text = [
            b"gzip: ",
            target.as_slice(),
            b" already exists;",
            question.as_bytes(),
        ];
        proc.print_error(&text.concat()).await;
        if !asks || !confirmed(proc).await {
            proc.print_error(b"\tnot overwritten\n").await;
            return WARNING;
        }
    }
    let base = path
        .rsplit(|&byte| byte == b'/')
        .next()
        .unwrap_or(&path)
        .to_vec();
    let time = u32::try_from(metadata.mtime.secs).unwrap_or(0);
    let (out, _memory) = match transform(proc, options, &bytes, Some((&base, time)), &path).await {
        Ok(result) => result,
        Err(status) => return status,
    };
    if options.list {
        list(proc, options, &listing(&bytes, out.len(), &target)).await;
    } else if options.test {
        if options.verbose {
            proc.print_error(&[path.as_slice(), b":\t OK\n"].concat())
                .await;
        }
    } else if options.stdout {
        let _reported_at_exit = proc.print(&out).await;
    } else {
        return replace(proc, options, &path, &target, &out, (&bytes, &metadata)).await;
    }
    0
}

/// Whether the next line typed says yes.
async fn confirmed(proc: &mut Process) -> bool {
    let line = LineReader::new(proc, STDIN).next(proc, b'\n').await;
    matches!(line, Ok(Some(line)) if line.first().is_some_and(|first| b"yY".contains(first)))
}

async fn replace(
    proc: &mut Process,
    options: &Options,
    path: &[u8],
    target: &[u8],
    out: &[u8],
    (read, metadata): (&[u8], &sundew_vfs::Metadata),
) -> u8 {
    if let Err(errno) = beside::write(proc, target, out, metadata).await {
        proc.complain(target, errno).await;
        return 1;
    }
    let mut what = "created";
    if !options.keep {
        what = "replaced with";
        if let Err(errno) = proc.unlink(path) {
            proc.complain(path, errno).await;
            return 1;
        }
    }
    if options.verbose {
        let (plain, packed) = if options.decompress {
            (out, read)
        } else {
            (read, out)
        };
        let percent = ratio(plain.len(), packed.len().saturating_sub(frame(packed)));
        let text = format!(":\t{percent:5.1}% -- {what} ");
        proc.print_error(&[path, text.as_bytes(), target, b"\n"].concat())
            .await;
    }
    0
}

/// The name that a file gets, or why it gets none.
fn target(options: &Options, path: &[u8]) -> Result<Vec<u8>, &'static str> {
    if !options.decompress {
        for suffix in [
            options.suffix.as_slice(),
            b".gz",
            b".tgz",
            b".taz",
            b".z",
            b"-gz",
            b"-z",
            b"_z",
        ] {
            if path.ends_with(suffix) {
                return Err(match suffix {
                    b".tgz" => " already has .tgz suffix -- unchanged",
                    b".taz" => " already has .taz suffix -- unchanged",
                    b".z" => " already has .z suffix -- unchanged",
                    _ => " already has .gz suffix -- unchanged",
                });
            }
        }
        return Ok([path, &options.suffix].concat());
    }
    for (suffix, instead) in [
        (options.suffix.as_slice(), ""),
        (b".gz", ""),
        (b".tgz", ".tar"),
        (b".taz", ".tar"),
        (b".z", ""),
        (b"-gz", ""),
        (b".Z", ""),
    ] {
        if let Some(stem) = path.strip_suffix(suffix)
            && !stem.is_empty()
        {
            return Ok([stem, instead.as_bytes()].concat());
        }
    }
    Err(": unknown suffix -- ignored")
}

/// Header with the name in it, and trailer: what gzip does not count.
fn frame(packed: &[u8]) -> usize {
    const NAMED: u8 = 8;
    let name = match packed.get(3) {
        Some(flags) if flags & NAMED != 0 => packed
            .iter()
            .skip(10)
            .position(|&byte| byte == 0)
            .map_or(0, |length| length + 1),
        _ => 0,
    };
    18 + name
}

/// Prints a row, the first below a heading.
async fn list(proc: &mut Process, options: &Options, row: &[u8]) {
    let headed = options.headed.swap(true, Ordering::Relaxed);
    if !options.quiet && !headed {
        let head = b"         compressed        uncompressed  ratio uncompressed_name\n";
        let _reported_at_exit = proc.print(head).await;
    }
    let _reported_at_exit = proc.print(row).await;
}

fn ratio(plain: usize, packed: usize) -> f64 {
    if plain == 0 {
        return 0.0;
    }
    #[expect(clippy::cast_precision_loss, reason = "sizes are below 2^53")]
    let (plain, packed) = (plain as f64, packed as f64);
    100.0 * (plain - packed) / plain
}

fn listing(packed: &[u8], plain: usize, name: &[u8]) -> Vec<u8> {
    let size = packed.len();
    let numbers = format!(
        "{size:>19} {plain:>19} {:5.1}% ",
        ratio(plain, size.saturating_sub(frame(packed)))
    );
    [numbers.as_bytes(), name, b"\n"].concat()
}

#[cfg(test)]
mod tests {
    use crate::text::testing::run;

    #[test]
    fn complaints_are_worded_as_gzip_words_them() {
        assert_eq!(
            run(&["gzip", "nope"], b"").1,
            "gzip: nope: No such file or directory\n"
        );
        assert_eq!(
            run(&["gunzip", "nope"], b""),
            (
                String::new(),
                "gzip: nope.gz: No such file or directory\n".into(),
                1
            )
        );
        assert_eq!(
            run(&["zcat", "/etc/group"], b""),
            (
                String::new(),
                "\ngzip: /etc/group: not in gzip format\n".into(),
                1
            )
        );
        assert_eq!(
            run(&["gzip", "/etc"], b""),
            (
                String::new(),
                "gzip: /etc is a directory -- ignored\n".into(),
                2
            )
        );
        assert_eq!(
            run(&["gunzip", "/etc/group"], b"").1,
            "gzip: /etc/group: unknown suffix -- ignored\n"
        );
    }

    #[test]
    fn what_is_compressed_comes_back() {
        let stream = [
            31, 139, 8, 0, 0, 0, 0, 0, 0, 3, 203, 200, 228, 2, 0, 122, 122, 111, 237, 3, 0, 0, 0,
        ];
        assert_eq!(run(&["zcat"], &stream).0, "hi\n");
        assert_eq!(run(&["gzip", "-v", "/etc/group"], b"").2, 0);
        let cut = stream.get(..15).unwrap_or_default();
        assert_eq!(
            run(&["gzip", "-d"], cut).1,
            "\ngzip: stdin: unexpected end of file\n"
        );
    }
}
