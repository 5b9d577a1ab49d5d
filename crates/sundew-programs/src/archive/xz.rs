//! `xz` 5.4, `unxz`, `xzcat` and their names of the older format.

use sundew_kernel::{Errno, ExitStatus, Process, STDIN, STDOUT};
use sundew_vfs::Metadata;

use super::beside;
use super::codec::Format;
use super::deflate::Failure;
use crate::getopt::{Arity, Getopt, Spec};
use crate::text::input;

const HELP: &[u8] = include_bytes!("help/xz.txt");
const VERSION: &[u8] = include_bytes!("help/xz-version.txt");

/// A warning, as opposed to an error.
const WARNING: u8 = 2;

const SPEC: Spec = Spec::new(
    "cC:defF:hHlkM:qQrS:tT:vVz0123456789",
    &[
        ("compress", Arity::No, "z"),
        ("decompress", Arity::No, "d"),
        ("uncompress", Arity::No, "d"),
        ("test", Arity::No, "t"),
        ("list", Arity::No, "l"),
        ("keep", Arity::No, "k"),
        ("force", Arity::No, "f"),
        ("stdout", Arity::No, "c"),
        ("to-stdout", Arity::No, "c"),
        ("single-stream", Arity::No, "r"),
        ("no-sparse", Arity::No, "r"),
        ("suffix", Arity::Required, "S"),
        ("files", Arity::Optional, "r"),
        ("format", Arity::Required, "F"),
        ("check", Arity::Required, "C"),
        ("memlimit", Arity::Required, "M"),
        ("memory", Arity::Required, "M"),
        ("threads", Arity::Required, "T"),
        ("extreme", Arity::No, "e"),
        ("fast", Arity::No, "0"),
        ("best", Arity::No, "9"),
        ("quiet", Arity::No, "q"),
        ("verbose", Arity::No, "v"),
        ("no-warn", Arity::No, "Q"),
        ("help", Arity::No, "h"),
        ("long-help", Arity::No, "H"),
        ("version", Arity::No, "V"),
    ],
);

#[derive(Debug)]
struct Options {
    decompress: bool,
    stdout: bool,
    force: bool,
    keep: bool,
    test: bool,
    list: bool,
    quiet: u8,
    verbose: bool,
    no_warn: bool,
    level: u32,
    suffix: Vec<u8>,
}

/// `xz` by any of its names.
pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let name = proc.base_name().to_vec();
    let mut options = Options {
        decompress: name.starts_with(b"un") || name.ends_with(b"cat"),
        stdout: name.ends_with(b"cat"),
        force: false,
        keep: false,
        test: false,
        list: false,
        quiet: 0,
        verbose: false,
        no_warn: false,
        level: 6,
        suffix: b".xz".to_vec(),
    };
    let mut words = Getopt::new(&SPEC, proc.args());
    while let Some(option) = words.next() {
        let option = match option {
            Ok(option) => option,
            Err(error) => {
                proc.complain_text(error.text()).await;
                let name = String::from_utf8_lossy(proc.name()).into_owned();
                let text = format!("{name}: Try `{name} --help' for more information.\n");
                proc.print_error(text.as_bytes()).await;
                return ExitStatus::FAILURE;
            }
        };
        match option.key {
            "c" => (options.stdout, options.keep) = (true, true),
            "d" => options.decompress = true,
            "z" => options.decompress = false,
            "t" => (options.test, options.decompress) = (true, true),
            "l" => (options.list, options.decompress) = (true, true),
            "f" => options.force = true,
            "k" => options.keep = true,
            "q" => options.quiet = options.quiet.saturating_add(1),
            "v" => options.verbose = true,
            "Q" => options.no_warn = true,
            "S" => options.suffix = option.value,
            "h" | "H" | "V" => {
                let text = if option.key == "V" { VERSION } else { HELP };
                // The kernel reports a failed write at exit.
                let _reported = proc.print(text).await;
                return ExitStatus::SUCCESS;
            }
            digit => options.level = digit.parse().unwrap_or(options.level),
        }
    }
    let mut operands = words.operands();
    if operands.is_empty() {
        operands.push(b"-".to_vec());
    }
    if options.list {
        let head = b"Strms  Blocks   Compressed Uncompressed  Ratio  Check   Filename\n";
        let _reported = proc.print(head).await;
    }
    let mut status = 0;
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
    if status == WARNING && options.no_warn {
        status = 0;
    }
    ExitStatus::Exited(status)
}

async fn standard_input(proc: &mut Process, options: &Options) -> u8 {
    let (fd, text) = if options.decompress {
        (STDIN, "Compressed data cannot be read from a terminal")
    } else {
        (STDOUT, "Compressed data cannot be written to a terminal")
    };
    if proc.is_terminal(fd) {
        proc.complain_text(text).await;
        let name = String::from_utf8_lossy(proc.name()).into_owned();
        let text = format!("{name}: Try `{name} --help' for more information.\n");
        proc.print_error(text.as_bytes()).await;
        return 1;
    }
    let Ok((bytes, _memory)) = proc.read_to_end(STDIN).await else {
        proc.out_of_memory().await
    };
    match transform(proc, options, &bytes, b"(stdin)").await {
        Ok((out, _memory)) => {
            if !options.test && !options.list {
                let _reported = proc.print(&out).await;
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
    shown: &[u8],
) -> Result<(Vec<u8>, sundew_kernel::budget::Memory), u8> {
    let outcome = if options.decompress && bytes.is_empty() {
        Ok((Vec::new(), proc.memory()))
    } else if options.decompress {
        Format::Xz.unpack(proc, bytes).await
    } else {
        Format::Xz.pack(proc, bytes, options.level).await
    };
    let words = match outcome {
        Ok(result) => return Ok(result),
        // `xz -dcf` passes on what is not compressed.
        Err(Failure::Format) if options.force && options.stdout => {
            return Ok((bytes.to_vec(), proc.memory()));
        }
        Err(Failure::Format) => "File format not recognized",
        Err(Failure::Truncated) => "Unexpected end of input",
        Err(Failure::Corrupt) => "Compressed data is corrupt",
        // tidy-allow(errno-word): liblzma's own word
        Err(Failure::Memory) => "Cannot allocate memory",
    };
    if options.quiet < 2 {
        proc.complain_text([shown, b": ", words.as_bytes()].concat())
            .await;
    }
    Err(1)
}

async fn warn(proc: &mut Process, options: &Options, path: &[u8], text: &str) -> u8 {
    if options.quiet == 0 {
        proc.complain_text([path, b": ", text.as_bytes()].concat())
            .await;
    }
    WARNING
}

#[expect(
    clippy::too_many_lines,
    reason = "one file and the original's checks in their order"
)]
async fn file(proc: &mut Process, options: &Options, path: &[u8]) -> u8 {
    let metadata = match proc.lstat(path) {
        Ok(metadata) => metadata,
        Err(errno) => {
            proc.complain(path, errno).await;
            return 1;
        }
    };
    let to_file = !options.stdout && !options.test && !options.list;
    if metadata.is_dir() {
        return warn(proc, options, path, "Is a directory, skipping").await;
    }
    if to_file && !options.force {
        let text = if metadata.is_symlink() {
            Some("Is a symbolic link, skipping")
        } else if metadata.nlink > 1 {
            Some("Input file has more than one hard link, skipping")
        } else {
            None
        };
        if let Some(text) = text {
            return warn(proc, options, path, text).await;
        }
    }
    let target = target(options, path);
    let bytes = match input::read_all(proc, path).await {
        Ok((bytes, _memory)) => bytes,
        Err(errno) => {
            proc.complain(path, errno).await;
            return 1;
        }
    };
    if to_file && options.decompress && !Format::Xz.marks(&bytes) {
        let text = b": File format not recognized".as_slice();
        proc.complain_text([path, text].concat()).await;
        return 1;
    }
    let target = match target {
        Some(target) => target,
        None if !to_file => Vec::new(),
        None => {
            let text = if options.decompress {
                "Filename has an unknown suffix, skipping".to_owned()
            } else {
                let suffix = String::from_utf8_lossy(&options.suffix).into_owned();
                format!("File already has `{suffix}' suffix, skipping")
            };
            return warn(proc, options, path, &text).await;
        }
    };
    if to_file && !options.force && proc.lstat(&target).is_ok() {
        let errno = Errno::Eexist;
        proc.complain(&target, errno).await;
        return 1;
    }
    let (out, _memory) = match transform(proc, options, &bytes, path).await {
        Ok(result) => result,
        Err(status) => return status,
    };
    if options.list {
        let line = listing(bytes.len(), out.len(), path);
        let _reported = proc.print(&line).await;
        return 0;
    }
    if options.stdout {
        let _reported = proc.print(&out).await;
    } else if !options.test && !replace(proc, options, path, &target, &out, &metadata).await {
        return 1;
    }
    if options.verbose {
        let (packed, plain) = if options.decompress {
            (bytes.len(), out.len())
        } else {
            (out.len(), bytes.len())
        };
        let ratio = ratio(packed, plain);
        let text = format!(": {} / {} {ratio}\n", size(packed), size(plain));
        proc.print_error(&[path, text.as_bytes()].concat()).await;
    }
    0
}

async fn replace(
    proc: &mut Process,
    options: &Options,
    path: &[u8],
    target: &[u8],
    out: &[u8],
    metadata: &Metadata,
) -> bool {
    if let Err(errno) = beside::write(proc, target, out, metadata).await {
        proc.complain(target, errno).await;
        return false;
    }
    if !options.keep
        && let Err(errno) = proc.unlink(path)
    {
        proc.complain(path, errno).await;
        return false;
    }
    true
}

/// The name that a file gets.
fn target(options: &Options, path: &[u8]) -> Option<Vec<u8>> {
    let pairs: [(&[u8], &[u8]); 5] = [
        (&options.suffix, b""),
        (b".txz", b".tar"),
        (b".xz", b""),
        (b".lzma", b""),
        (b".tlz", b".tar"),
    ];
    let known = pairs.into_iter().find_map(|(suffix, instead)| {
        let stem = path.strip_suffix(suffix)?;
        (!stem.is_empty() && !stem.ends_with(b"/")).then(|| [stem, instead].concat())
    });
    if options.decompress {
        return known;
    }
    match known {
        Some(_) if !path.ends_with(b".lzma") && !path.ends_with(b".tlz") => None,
        _ => Some([path, &options.suffix].concat()),
    }
}

fn ratio(packed: usize, plain: usize) -> String {
    #[expect(clippy::cast_precision_loss, reason = "sizes are below 2^53")]
    let ratio = packed as f64 / plain as f64;
    if plain == 0 || ratio > 9.999 {
        "> 9.999".to_owned()
    } else {
        format!("= {ratio:.3}")
    }
}

fn size(bytes: usize) -> String {
    #[expect(clippy::cast_precision_loss, reason = "sizes are below 2^53")]
    let kib = bytes as f64 / 1024.0;
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_240_000 => format!("{kib:.1} KiB"),
        _ => format!("{:.1} MiB", kib / 1024.0),
    }
}

fn listing(packed: usize, plain: usize, path: &[u8]) -> Vec<u8> {
    let ratio = ratio(packed, plain);
    let ratio = ratio.strip_prefix("= ").unwrap_or("---");
    let blocks = usize::from(plain > 0);
    let (packed, plain) = (size(packed), size(plain));
    let line = format!(
        "{:>5}{blocks:>8}{packed:>13}{plain:>13}{ratio:>7}  CRC64   ",
        1
    );
    [line.as_bytes(), path, b"\n"].concat()
}

#[cfg(test)]
mod tests {
    use crate::text::testing::run;

    #[test]
    fn complaints_are_worded_as_xz_words_them() {
        assert_eq!(
            run(&["xz", "nope"], b"").1,
            "xz: nope: No such file or directory\n"
        );
        assert_eq!(
            run(&["xz", "-d"], b"junk\n"),
            (
                String::new(),
                "xz: (stdin): File format not recognized\n".into(),
                1
            )
        );
        assert_eq!(
            run(&["xz", "/etc"], b""),
            (
                String::new(),
                "xz: /etc: Is a directory, skipping\n".into(),
                2
            )
        );
    }

    #[test]
    fn what_the_real_xz_packed_is_read() {
        // echo hi | xz
        let packed = [
            253, 55, 122, 88, 90, 0, 0, 4, 230, 214, 180, 70, 2, 0, 33, 1, 22, 0, 0, 0, 116, 47,
            229, 163, 1, 0, 2, 104, 105, 10, 0, 0, 251, 123, 232, 232, 42, 88, 67, 79, 0, 1, 27, 3,
            11, 47, 185, 16, 31, 182, 243, 125, 1, 0, 0, 0, 0, 4, 89, 90,
        ];
        assert_eq!(run(&["xz", "-dc"], &packed).0, "hi\n");
        let cut = packed.get(..20).unwrap_or_default();
        assert_eq!(
            run(&["xz", "-dc"], cut).1,
            "xz: (stdin): Unexpected end of input\n"
        );
    }
}
