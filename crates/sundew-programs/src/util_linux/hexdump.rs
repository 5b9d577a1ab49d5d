//! `hexdump` and `hd` of bsdextrautils: bytes by format strings. hexdump(1).

use sundew_kernel::{ExitStatus, Process};

use crate::getopt::{Arity, Getopt, Opt, Spec};
use crate::text::input;

mod format;

use format::{Format, Line};

const SPEC: Spec = Spec::new(
    "bcCde:f:L::n:os:vxhV",
    &[
        ("one-byte-octal", Arity::No, "b"),
        ("one-byte-char", Arity::No, "c"),
        ("canonical", Arity::No, "C"),
        ("two-bytes-decimal", Arity::No, "d"),
        ("two-bytes-octal", Arity::No, "o"),
        ("two-bytes-hex", Arity::No, "x"),
        ("format", Arity::Required, "e"),
        ("format-file", Arity::Required, "f"),
        ("color", Arity::Optional, "L"),
        ("length", Arity::Required, "n"),
        ("skip", Arity::Required, "s"),
        ("no-squeezing", Arity::No, "v"),
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
    ],
);

/// What `-C`, `-b` and their like stand for.
const PRESETS: &[(&str, &[&str])] = &[
    ("b", &["\"%07.7_ax \" 16/1 \"%03o \" \"\\n\""]),
    ("c", &["\"%07.7_ax \" 16/1 \"%3_c \" \"\\n\""]),
    (
        "C",
        &[
            "\"%08.8_Ax\\n\"",
            "\"%08.8_ax  \" 8/1 \"%02x \" \"  \" 8/1 \"%02x \"",
            "\"  |\" 16/1 \"%_p\" \"|\\n\"",
        ],
    ),
    ("d", &["\"%07.7_ax \" 8/2 \"  %05u \" \"\\n\""]),
    ("o", &["\"%07.7_ax \" 8/2 \" %06o \" \"\\n\""]),
    ("x", &["\"%07.7_ax \" 8/2 \"   %04x \" \"\\n\""]),
    (
        "",
        &["\"%07.7_Ax\\n\"", "\"%07.7_ax \" 8/2 \"%04x \" \"\\n\""],
    ),
];

/// What the options say.
#[derive(Debug, Default)]
struct Options {
    formats: Vec<Vec<u8>>,
    skip: u64,
    length: Option<u64>,
    verbose: bool,
}

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut options = Options::default();
    let mut getopt = Getopt::new(&SPEC, proc.args());
    if proc.base_name() == b"hd" {
        preset(&mut options.formats, "C");
    }
    while let Some(option) = getopt.next() {
        match option {
            Ok(option) => {
                if let Some(status) = take(proc, &mut options, option).await {
                    return status;
                }
            }
            Err(error) => {
                proc.complain_text(error.text()).await;
                let name = proc.name().to_vec();
                let line = [
                    b"Try '".as_slice(),
                    &name,
                    b" --help' for more information.\n",
                ]
                .concat();
                proc.print_error(&line).await;
                return ExitStatus::FAILURE;
            }
        }
    }
    if options.formats.is_empty() {
        preset(&mut options.formats, "");
    } else if !options.formats.iter().any(|text| contains(text, b"_A")) {
        // The options that name one format end with the offset as well.
        if options
            .formats
            .iter()
            .any(|text| text.starts_with(b"\"%07.7_ax"))
        {
            options.formats.insert(0, b"\"%07.7_Ax\\n\"".to_vec());
        }
    }
    let mut lines = Vec::new();
    for text in &options.formats {
        match Format::parse(text) {
            Ok(format) => lines.push(format),
            Err(complaint) => {
                proc.complain_text(complaint).await;
                return ExitStatus::FAILURE;
            }
        }
    }
    dump(proc, &options, Line::new(lines), getopt.operands()).await
}

fn contains(text: &[u8], wanted: &[u8]) -> bool {
    text.windows(wanted.len()).any(|window| window == wanted)
}

fn preset(formats: &mut Vec<Vec<u8>>, key: &str) {
    let rows = PRESETS.iter().filter(|row| row.0 == key);
    formats.extend(rows.flat_map(|row| row.1.iter().map(|text| text.as_bytes().to_vec())));
}

/// Takes one option in; a status if it ends the program.
async fn take(proc: &mut Process, options: &mut Options, option: Opt) -> Option<ExitStatus> {
    match option.key {
        "e" => options.formats.push(option.value),
        "f" => match input::read_all(proc, &option.value).await {
            Ok((text, _memory)) => options.formats.extend(
                text.split(|&byte| byte == b'\n')
                    .map(<[u8]>::trim_ascii)
                    .filter(|line| !line.is_empty() && !line.starts_with(b"#"))
                    .map(<[u8]>::to_vec),
            ),
            Err(errno) => {
                let text = [
                    b"can't read ",
                    option.value.as_slice(),
                    b": ",
                    errno.message().as_bytes(),
                ];
                proc.complain_text(text.concat()).await;
                return Some(ExitStatus::FAILURE);
            }
        },
        "L" => {}
        "v" => options.verbose = true,
        "n" | "s" => {
            let Some(number) = super::size_of(&option.value) else {
                let what = if option.key == "n" {
                    "length"
                } else {
                    "offset"
                };
                let text = [
                    b"failed to parse ".as_slice(),
                    what.as_bytes(),
                    b": '",
                    &option.value,
                    b"': ",
                    sundew_kernel::Errno::Einval.message().as_bytes(),
                ];
                proc.complain_text(text.concat()).await;
                return Some(ExitStatus::FAILURE);
            };
            if option.key == "n" {
                options.length = Some(number);
            } else {
                options.skip = number;
            }
        }
        "V" => return Some(super::version(proc).await),
        "h" => return Some(super::help(proc, "hexdump").await),
        key => preset(&mut options.formats, key),
    }
    None
}

async fn dump(
    proc: &mut Process,
    options: &Options,
    line: Line,
    operands: Vec<Vec<u8>>,
) -> ExitStatus {
    let mut source = Source {
        paths: if operands.is_empty() {
            vec![b"-".to_vec()]
        } else {
            operands
        },
        skip: options.skip,
        left: options.length.unwrap_or(u64::MAX),
        current: None,
        opened: false,
    };
    source.paths.reverse();
    let block = line.block_bytes();
    let mut address = options.skip;
    let mut before: Option<Vec<u8>> = None;
    let mut starred = false;
    loop {
        let bytes = source.block(proc, block).await;
        if bytes.is_empty() {
            break;
        }
        let whole = bytes.len() == block;
        let same = !options.verbose && whole && before.as_ref() == Some(&bytes);
        if same {
            address += bytes.len() as u64;
            if !std::mem::replace(&mut starred, true) && proc.print(b"*\n").await.is_err() {
                return proc.status();
            }
            continue;
        }
        starred = false;
        if proc.print(&line.show(&bytes, address)).await.is_err() {
            return proc.status();
        }
        address += bytes.len() as u64;
        if !whole {
            break;
        }
        before = Some(bytes);
    }
    if !source.opened {
        proc.complain_text("all input file arguments failed").await;
        return ExitStatus::FAILURE;
    }
    if address > 0 {
        let _reported_at_exit = proc.print(&line.end(address)).await;
    }
    proc.status()
}

/// The bytes of all files, one after the other.
struct Source {
    /// Not opened yet, the next one last.
    paths: Vec<Vec<u8>>,
    skip: u64,
    left: u64,
    current: Option<sundew_kernel::Fd>,
    opened: bool,
}

impl Source {
    /// Up to `size` bytes; fewer at the end only.
    async fn block(&mut self, proc: &mut Process, size: usize) -> Vec<u8> {
        let mut out = Vec::new();
        while out.len() < size && self.left > 0 {
            proc.tick().await;
            let Some(fd) = self.current else {
                let Some(path) = self.paths.pop() else { break };
                match input::open(proc, &path).await {
                    Ok(fd) => (self.current, self.opened) = (Some(fd), true),
                    Err(errno) => proc.complain(&path, errno).await,
                }
                continue;
            };
            let wanted = if self.skip > 0 {
                usize::try_from(self.skip).unwrap_or(usize::MAX).min(4096)
            } else {
                (size - out.len()).min(usize::try_from(self.left).unwrap_or(usize::MAX))
            };
            let mut chunk = vec![0; wanted];
            match proc.read(fd, &mut chunk).await {
                Ok(count) if count > 0 => {
                    if self.skip > 0 {
                        self.skip -= count as u64;
                    } else {
                        self.left -= count as u64;
                        out.extend_from_slice(chunk.get(..count).unwrap_or_default());
                    }
                }
                _ => {
                    input::close(proc, fd);
                    self.current = None;
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use crate::text::testing::run;

    #[test]
    fn bytes_and_letters_side_by_side() {
        assert_eq!(
            run(&["hexdump", "-C"], b"hi\n").0,
            "00000000  68 69 0a                                          |hi.|\n00000003\n"
        );
        assert_eq!(run(&["hexdump", "-C"], b"").0, "");
        assert_eq!(
            run(&["hexdump"], b"hi\n").0,
            "0000000 6968 000a                              \n0000003\n"
        );
    }

    #[test]
    fn equal_blocks_are_shown_as_a_star() {
        assert_eq!(
            run(&["hexdump", "-b"], &[0; 40]).0,
            "0000000 000 000 000 000 000 000 000 000 000 000 000 000 000 000 000 000\n*\n0000020 000 000 000 000 000 000 000 000                                \n0000028\n"
        );
    }

    #[test]
    fn a_format_of_ones_own() {
        assert_eq!(
            run(&["hexdump", "-e", "16/1 \"%02x\" \"\\n\""], b"abc").0,
            "616263                          \n"
        );
        assert_eq!(
            run(&["hexdump", "-ve", "1/1 \"%02x\""], b"aaab").0,
            "61616162"
        );
    }
}
