//! `bzip2` 1.0.8, `bunzip2`, `bzcat`.

use sundew_kernel::{Errno, ExitStatus, Process, STDIN, STDOUT};
use sundew_vfs::Metadata;

use super::beside;
use super::codec::Format;
use super::deflate::Failure;
use crate::text::input;

const HELP: &[u8] = include_bytes!("help/bzip2.txt");
const VERSION: &[u8] = include_bytes!("help/bzip2-version.txt");

/// Status for a file that is damaged.
const DAMAGED: u8 = 2;

#[derive(Debug, Default)]
struct Options {
    decompress: bool,
    stdout: bool,
    force: bool,
    keep: bool,
    test: bool,
    quiet: bool,
    verbose: bool,
    level: u32,
}

/// `bzip2` by any of its names.
pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let name = proc.base_name().to_vec();
    let mut options = Options {
        decompress: name.starts_with(b"bun") || name.ends_with(b"cat"),
        stdout: name.ends_with(b"cat"),
        level: 9,
        ..Options::default()
    };
    let args = proc.args().get(1..).unwrap_or_default().to_vec();
    let mut operands = Vec::new();
    let mut only_files = false;
    for word in args {
        if only_files || !word.starts_with(b"-") {
            operands.push(word);
            continue;
        }
        if word == b"--" {
            only_files = true;
            continue;
        }
        match options.read(&word) {
            Ok(None) => {}
            Ok(Some(text)) => {
                proc.print_error(text).await;
                return ExitStatus::SUCCESS;
            }
            Err(()) => {
                proc.complain_text([b"Bad flag `".as_slice(), &word, b"'"].concat())
                    .await;
                proc.print_error(HELP).await;
                return ExitStatus::FAILURE;
            }
        }
    }
    let mut status = 0;
    if operands.is_empty() {
        status = standard_input(proc, &options).await;
    }
    for path in &operands {
        proc.tick().await;
        status = status.max(file(proc, &options, path).await);
    }
    ExitStatus::Exited(status)
}

impl Options {
    fn read(&mut self, word: &[u8]) -> Result<Option<&'static [u8]>, ()> {
        let letters: &[u8] = match word {
            b"--stdout" => b"c",
            b"--decompress" => b"d",
            b"--compress" => b"z",
            b"--force" => b"f",
            b"--test" => b"t",
            b"--keep" => b"k",
            b"--small" => b"s",
            b"--quiet" => b"q",
            b"--version" | b"--license" => b"V",
            b"--fast" => b"1",
            b"--best" => b"9",
            b"--verbose" => b"v",
            b"--help" => b"h",
            b"--exponential" | b"--repetitive-best" | b"--repetitive-fast" => b"",
            long if long.starts_with(b"--") => return Err(()),
            short => short.get(1..).unwrap_or_default(),
        };
        for letter in letters {
            match letter {
                b'c' => self.stdout = true,
                b'd' => self.decompress = true,
                b'z' => self.decompress = false,
                b'f' => self.force = true,
                b't' => (self.test, self.decompress) = (true, true),
                b'k' => self.keep = true,
                b's' => {}
                b'q' => self.quiet = true,
                b'v' => self.verbose = true,
                b'1'..=b'9' => self.level = u32::from(letter - b'0'),
                b'V' | b'L' => return Ok(Some(VERSION)),
                b'h' => return Ok(Some(HELP)),
                _ => return Err(()),
            }
        }
        Ok(None)
    }
}

async fn standard_input(proc: &mut Process, options: &Options) -> u8 {
    let (fd, what) = if options.decompress {
        (STDIN, "read compressed data from")
    } else {
        (STDOUT, "write compressed data to")
    };
    if proc.is_terminal(fd) && !options.force {
        let name = String::from_utf8_lossy(proc.name()).into_owned();
        let text = format!(
            "{name}: I won't {what} a terminal.\n{name}: For help, type: `{name} --help'.\n"
        );
        proc.print_error(text.as_bytes()).await;
        return 1;
    }
    let Ok((bytes, _memory)) = proc.read_to_end(STDIN).await else {
        proc.out_of_memory().await
    };
    match transform(proc, options, &bytes, b"(stdin)").await {
        Ok((out, _memory)) => {
            if !options.test {
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
    let outcome = if options.decompress {
        Format::Bzip2.unpack(proc, bytes).await
    } else {
        Format::Bzip2.pack(proc, bytes, options.level).await
    };
    let failure = match outcome {
        Ok(result) => return Ok(result),
        Err(failure) => failure,
    };
    match failure {
        // `bzip2 -dcf` passes on what is not compressed.
        Failure::Format if options.force && options.stdout => {
            return Ok((bytes.to_vec(), proc.memory()));
        }
        Failure::Format if options.test => {
            let text = b": bad magic number (file not created by bzip2)".as_slice();
            proc.complain_text([shown, text].concat()).await;
            let text = "\nYou can use the `bzip2recover' program to attempt to recover\ndata from undamaged sections of corrupted files.\n\n";
            proc.print_error(text.as_bytes()).await;
        }
        Failure::Format => {
            proc.complain_text([shown, b" is not a bzip2 file."].concat())
                .await;
        }
        Failure::Truncated => {
            let text = "\nbzip2: Compressed file ends unexpectedly;\n\tperhaps it is corrupted?  *Possible* reason follows.\n";
            proc.print_error(text.as_bytes()).await;
            let reason = Errno::Enotty.message();
            proc.complain_text(reason).await;
            advice(proc, shown).await;
        }
        Failure::Corrupt => {
            let text = "\nbzip2: Data integrity error when decompressing.\n";
            proc.print_error(text.as_bytes()).await;
            advice(proc, shown).await;
        }
        Failure::Memory => {
            proc.print_error(b"\nbzip2: couldn't allocate enough memory\n")
                .await;
            return Err(1);
        }
    }
    Err(DAMAGED)
}

async fn advice(proc: &mut Process, shown: &[u8]) {
    let output: &[u8] = if shown == b"(stdin)" {
        b"(stdout)"
    } else {
        b"(none)"
    };
    let files = [
        b"\tInput file = ".as_slice(),
        shown,
        b", output file = ",
        output,
        b"\n",
    ]
    .concat();
    let text = b"\nIt is possible that the compressed file(s) have become corrupted.\nYou can use the -tvv option to test integrity of such files.\n\nYou can use the `bzip2recover' program to attempt to recover\ndata from undamaged sections of corrupted files.\n\n";
    proc.print_error(&[files.as_slice(), text].concat()).await;
}

async fn refuse(proc: &mut Process, text: Vec<u8>) -> u8 {
    proc.complain_text(text).await;
    1
}

#[expect(
    clippy::too_many_lines,
    reason = "one file and the original's checks in their order"
)]
async fn file(proc: &mut Process, options: &Options, path: &[u8]) -> u8 {
    let metadata = match proc.lstat(path) {
        Ok(metadata) => metadata,
        Err(errno) => {
            let reason = errno.message().as_bytes();
            let text = [
                b"Can't open input file ".as_slice(),
                path,
                b": ",
                reason,
                b".",
            ]
            .concat();
            return refuse(proc, text).await;
        }
    };
    let to_file = !options.stdout && !options.test;
    if metadata.is_dir() {
        let text = [b"Input file ".as_slice(), path, b" is a directory."].concat();
        return refuse(proc, text).await;
    }
    if to_file && !options.force && !metadata.is_regular() {
        let text = [b"Input file ".as_slice(), path, b" is not a normal file."].concat();
        return refuse(proc, text).await;
    }
    let suffixes: [(&[u8], &[u8]); 4] = [
        (b".bz2", b""),
        (b".bz", b""),
        (b".tbz2", b".tar"),
        (b".tbz", b".tar"),
    ];
    let stem = suffixes.into_iter().find_map(|(suffix, instead)| {
        Some(([path.strip_suffix(suffix)?, instead].concat(), suffix))
    });
    let target = match (options.decompress, stem) {
        (true, Some((stem, _))) => stem,
        (true, None) => {
            let target = [path, b".out"].concat();
            if to_file {
                let text = [
                    b"Can't guess original name for ".as_slice(),
                    path,
                    b" -- using ",
                    &target,
                ];
                proc.complain_text(text.concat()).await;
            }
            target
        }
        (false, Some((_, suffix))) if to_file => {
            let text = [
                b"Input file ".as_slice(),
                path,
                b" already has ",
                suffix,
                b" suffix.",
            ];
            return refuse(proc, text.concat()).await;
        }
        (false, _) => [path, b".bz2"].concat(),
    };
    if to_file && !options.force && proc.lstat(&target).is_ok() {
        let text = [b"Output file ".as_slice(), &target, b" already exists."].concat();
        return refuse(proc, text).await;
    }
    if to_file && !options.force && metadata.nlink > 1 {
        let links = metadata.nlink - 1;
        let plural = if links > 1 { "s" } else { "" };
        let count = format!(" has {links} other link{plural}.");
        let text = [b"Input file ".as_slice(), path, count.as_bytes()].concat();
        return refuse(proc, text).await;
    }
    let bytes = match input::read_all(proc, path).await {
        Ok((bytes, _memory)) => bytes,
        Err(errno) => {
            let reason = errno.message().as_bytes();
            let text = [
                b"Can't open input file ".as_slice(),
                path,
                b": ",
                reason,
                b".",
            ]
            .concat();
            return refuse(proc, text).await;
        }
    };
    if options.verbose {
        // Names stand in a column, the shortest of which is that of standard input without brackets.
        let pad = b" ".repeat(7usize.saturating_sub(path.len()));
        proc.print_error(&[b"  ".as_slice(), path, b": ", &pad].concat())
            .await;
    }
    let (out, _memory) = match transform(proc, options, &bytes, path).await {
        Ok(result) => result,
        Err(status) => return status,
    };
    if options.stdout {
        let _reported = proc.print(&out).await;
    } else if !options.test && !replace(proc, options, path, &target, &out, &metadata).await {
        return 1;
    }
    if options.verbose {
        let text = if options.test {
            "  ok\n".to_owned()
        } else if options.decompress {
            "  done\n".to_owned()
        } else {
            saved(bytes.len(), out.len())
        };
        proc.print_error(text.as_bytes()).await;
    }
    0
}

fn saved(plain: usize, packed: usize) -> String {
    if plain == 0 {
        return " no data compressed.\n".to_owned();
    }
    #[expect(clippy::cast_precision_loss, reason = "sizes are below 2^53")]
    let (from, to) = (plain as f64, packed as f64);
    format!(
        "{:6.3}:1, {:6.3} bits/byte, {:5.2}% saved, {plain} in, {packed} out.\n",
        from / to,
        8.0 * to / from,
        100.0 * (1.0 - to / from)
    )
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
        let reason = errno.message().as_bytes();
        let text = [
            b"Can't create output file ".as_slice(),
            target,
            b": ",
            reason,
            b".",
        ];
        proc.complain_text(text.concat()).await;
        return false;
    }
    if !options.keep {
        // What cannot be removed stays.
        let _gone = proc.unlink(path);
    }
    true
}

#[cfg(test)]
mod tests {
    use crate::text::testing::run;

    #[test]
    fn complaints_are_worded_as_bzip2_words_them() {
        assert_eq!(
            run(&["bzip2", "nope"], b"").1,
            "bzip2: Can't open input file nope: No such file or directory.\n"
        );
        assert_eq!(
            run(&["bzip2", "-d"], b"junk\n"),
            (
                String::new(),
                "bzip2: (stdin) is not a bzip2 file.\n".into(),
                2
            )
        );
    }

    #[test]
    fn what_the_real_bzip2_packed_is_read() {
        // echo hi | bzip2
        let packed = [
            66, 90, 104, 57, 49, 65, 89, 38, 83, 89, 29, 94, 89, 213, 0, 0, 0, 193, 0, 0, 16, 0,
            96, 32, 0, 33, 152, 25, 132, 97, 119, 36, 83, 133, 9, 1, 213, 229, 157, 80,
        ];
        assert_eq!(run(&["bzip2", "-dc"], &packed).0, "hi\n");
        let cut = packed.get(..20).unwrap_or_default();
        assert_eq!(run(&["bzip2", "-dc"], cut).2, 2);
    }
}
