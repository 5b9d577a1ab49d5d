//! b2sum(1), md5sum(1), sha1sum(1), sha224sum(1), sha256sum(1), sha384sum(1), sha512sum(1).

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};
use sundew_kernel::process::LineReader;
use sundew_kernel::{Errno, ExitStatus, Process};

use self::blake2b::Blake2b;
use super::about;
use super::input::{self, CHUNK};
use crate::getopt::{Arity, Getopt, Opt, Spec, refuse};
use crate::quote;

mod blake2b;

/// Most bits of a BLAKE2b digest.
const MAX_BITS: usize = 512;

/// A digest that is fed piece by piece.
trait Sum: Send {
    /// Begins; `bits` counts where the length is free.
    fn begin(bits: usize) -> Self;
    fn add(&mut self, bytes: &[u8]);
    fn finish(self) -> Vec<u8>;
}

impl<D: Digest + Send> Sum for D {
    fn begin(_bits: usize) -> Self {
        D::new()
    }

    fn add(&mut self, bytes: &[u8]) {
        self.update(bytes);
    }

    fn finish(self) -> Vec<u8> {
        self.finalize().to_vec()
    }
}

impl Sum for Blake2b {
    fn begin(bits: usize) -> Self {
        Self::new(bits / 8)
    }

    fn add(&mut self, bytes: &[u8]) {
        self.update(bytes);
    }

    fn finish(self) -> Vec<u8> {
        Self::finish(self)
    }
}

const B2SUM: Spec = Spec::gnu(
    "bcl:twz",
    &[
        ("check", Arity::No, "c"),
        ("ignore-missing", Arity::No, "ignore-missing"),
        ("quiet", Arity::No, "quiet"),
        ("status", Arity::No, "status"),
        ("warn", Arity::No, "w"),
        ("strict", Arity::No, "strict"),
        ("tag", Arity::No, "tag"),
        ("zero", Arity::No, "z"),
        ("binary", Arity::No, "b"),
        ("text", Arity::No, "t"),
        ("length", Arity::Required, "l"),
    ],
);

const SPEC: Spec = Spec::gnu(
    "bctwz",
    &[
        ("check", Arity::No, "c"),
        ("ignore-missing", Arity::No, "ignore-missing"),
        ("quiet", Arity::No, "quiet"),
        ("status", Arity::No, "status"),
        ("warn", Arity::No, "w"),
        ("strict", Arity::No, "strict"),
        ("tag", Arity::No, "tag"),
        ("zero", Arity::No, "z"),
        ("binary", Arity::No, "b"),
        ("text", Arity::No, "t"),
    ],
);

/// One of the digests.
#[derive(Debug, Clone, Copy)]
struct Kind {
    program: &'static str,
    tag: &'static str,
    hex: usize,
}

pub(crate) async fn run_md5(proc: &mut Process) -> ExitStatus {
    sum::<Md5>(
        proc,
        Kind {
            program: "md5sum",
            tag: "MD5",
            hex: 32,
        },
    )
    .await
}

pub(crate) async fn run_b2(proc: &mut Process) -> ExitStatus {
    sum::<Blake2b>(
        proc,
        Kind {
            program: "b2sum",
            tag: "BLAKE2b",
            hex: MAX_BITS / 4,
        },
    )
    .await
}

pub(crate) async fn run_sha1(proc: &mut Process) -> ExitStatus {
    sum::<Sha1>(
        proc,
        Kind {
            program: "sha1sum",
            tag: "SHA1",
            hex: 40,
        },
    )
    .await
}

pub(crate) async fn run_sha224(proc: &mut Process) -> ExitStatus {
    sum::<Sha224>(
        proc,
        Kind {
            program: "sha224sum",
            tag: "SHA224",
            hex: 56,
        },
    )
    .await
}

pub(crate) async fn run_sha256(proc: &mut Process) -> ExitStatus {
    sum::<Sha256>(
        proc,
        Kind {
            program: "sha256sum",
            tag: "SHA256",
            hex: 64,
        },
    )
    .await
}

pub(crate) async fn run_sha384(proc: &mut Process) -> ExitStatus {
    sum::<Sha384>(
        proc,
        Kind {
            program: "sha384sum",
            tag: "SHA384",
            hex: 96,
        },
    )
    .await
}

pub(crate) async fn run_sha512(proc: &mut Process) -> ExitStatus {
    sum::<Sha512>(
        proc,
        Kind {
            program: "sha512sum",
            tag: "SHA512",
            hex: 128,
        },
    )
    .await
}

#[derive(Debug, Default)]
struct Options {
    check: bool,
    binary: bool,
    tag: bool,
    zero: bool,
    quiet: bool,
    silent: bool,
    warn: bool,
    strict: bool,
    ignore_missing: bool,
}

async fn sum<D: Sum>(proc: &mut Process, mut kind: Kind) -> ExitStatus {
    let mut settings = Options::default();
    let free = kind.program == "b2sum";
    let spec = if free { &B2SUM } else { &SPEC };
    let mut options = Getopt::new(spec, proc.args());
    while let Some(option) = options.next() {
        if let Ok(Opt {
            key: "l", value, ..
        }) = &option
        {
            match bits(proc, value, kind.tag).await {
                Some(0) => kind.hex = MAX_BITS / 4,
                Some(bits) => kind.hex = bits / 4,
                None => return proc.status(),
            }
            continue;
        }
        match option.map(|option| option.key) {
            Ok("b") => settings.binary = true,
            Ok("t") => settings.binary = false,
            Ok("c") => settings.check = true,
            Ok("w") => settings.warn = true,
            Ok("z") => settings.zero = true,
            Ok("tag") => settings.tag = true,
            Ok("quiet") => settings.quiet = true,
            Ok("status") => settings.silent = true,
            Ok("strict") => settings.strict = true,
            Ok("ignore-missing") => settings.ignore_missing = true,
            Ok(key) => return about::run(proc, key, kind.program).await,
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    if settings.tag && settings.check {
        let text = "the --tag option is meaningless when verifying checksums";
        return input::refuse_text(proc, text).await;
    }
    for (given, name) in [
        (settings.quiet, "quiet"),
        (settings.silent, "status"),
        (settings.warn, "warn"),
        (settings.strict, "strict"),
        (settings.ignore_missing, "ignore-missing"),
    ] {
        if given && !settings.check {
            let text = format!("the --{name} option is meaningful only when verifying checksums");
            return input::refuse_text(proc, &text).await;
        }
    }
    for name in input::or_stdin(options.operands()) {
        if settings.check {
            check::<D>(proc, &name, kind, &settings).await;
            continue;
        }
        match digest::<D>(proc, &name, kind.hex).await {
            Ok(hex) => {
                if proc
                    .print(&line(&name, &hex, kind, &settings))
                    .await
                    .is_err()
                {
                    break;
                }
            }
            Err(errno) => input::complain(proc, &name, errno).await,
        }
    }
    proc.status()
}

/// `-l`: bits of the digest, or `None` after the complaint.
async fn bits(proc: &mut Process, value: &[u8], tag: &str) -> Option<usize> {
    let number = input::decimal(value).and_then(|bits| usize::try_from(bits).ok());
    let reason = match number {
        Some(bits) if bits > MAX_BITS => {
            let tag = quote::text(proc, tag.as_bytes());
            let tail = format!(" is {MAX_BITS} bits");
            [
                b"maximum digest length for ",
                tag.as_slice(),
                tail.as_bytes(),
            ]
            .concat()
        }
        Some(bits) if bits % 8 == 0 => return Some(bits),
        Some(_) => b"length is not a multiple of 8".to_vec(),
        None => Vec::new(),
    };
    input::complain_word(proc, "invalid length:", value).await;
    if !reason.is_empty() {
        proc.complain_text(reason).await;
    }
    None
}

async fn digest<D: Sum>(proc: &Process, name: &[u8], hex: usize) -> Result<String, Errno> {
    let fd = input::open(proc, name).await?;
    let mut hasher = D::begin(hex * 4);
    let mut chunk = vec![0; CHUNK];
    let result = loop {
        match proc.read(fd, &mut chunk).await {
            Ok(0) => break Ok(()),
            Ok(got) => hasher.add(chunk.get(..got).unwrap_or_default()),
            Err(errno) => break Err(errno),
        }
    };
    input::close(proc, fd);
    result?;
    Ok(hasher
        .finish()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

fn line(name: &[u8], hex: &str, kind: Kind, settings: &Options) -> Vec<u8> {
    let end = if settings.zero { b"\0" } else { b"\n" };
    if settings.tag {
        let length = if kind.program == "b2sum" && kind.hex != MAX_BITS / 4 {
            format!("-{}", kind.hex * 4)
        } else {
            String::new()
        };
        return [
            kind.tag.as_bytes(),
            length.as_bytes(),
            b" (",
            name,
            b") = ",
            hex.as_bytes(),
            end,
        ]
        .concat();
    }
    // A name with a newline or backslash is written with escapes, which a backslash in front announces.
    let odd = !settings.zero
        && name
            .iter()
            .any(|byte| matches!(byte, b'\n' | b'\\' | b'\r'));
    let shown: Vec<u8> = if odd {
        name.iter()
            .flat_map(|byte| match byte {
                b'\n' => b"\\n".to_vec(),
                b'\r' => b"\\r".to_vec(),
                b'\\' => b"\\\\".to_vec(),
                byte => vec![*byte],
            })
            .collect()
    } else {
        name.to_vec()
    };
    let mark: &[u8] = if settings.binary { b" *" } else { b"  " };
    [
        if odd { b"\\".as_slice() } else { b"" },
        hex.as_bytes(),
        mark,
        &shown,
        end,
    ]
    .concat()
}

/// `HEX  NAME`, `HEX *NAME` or `TAG (NAME) = HEX`.
fn parse(line: &[u8], kind: Kind) -> Option<(Vec<u8>, String)> {
    // Where the length is free, the line's own counts.
    let free = kind.program == "b2sum";
    let plain = line.trim_ascii_start();
    let own = plain
        .iter()
        .take_while(|byte| byte.is_ascii_hexdigit())
        .count();
    let expected =
        if free && own > 0 && own <= MAX_BITS / 4 && own % 2 == 0 && !plain.starts_with(b"BLAKE2b")
        {
            own
        } else {
            kind.hex
        };
    let is_hex = |text: &[u8]| {
        (text.len() == expected || (free && text.len().is_multiple_of(2) && text.len() <= expected))
            && text.iter().all(u8::is_ascii_hexdigit)
    };
    let lower = |text: &[u8]| String::from_utf8_lossy(text).to_ascii_lowercase();
    let line = line.trim_ascii_start();
    if let Some(rest) = line
        .strip_prefix(kind.tag.as_bytes())
        .map(|rest| {
            let bits = rest.iter().position(|&byte| byte == b' ');
            match bits.filter(|_| free && rest.starts_with(b"-")) {
                Some(end) => rest.get(end..).unwrap_or_default(),
                None => rest,
            }
        })
        .and_then(|rest| rest.strip_prefix(b" ("))
    {
        let at = rest.windows(4).rposition(|window| window == b") = ")?;
        let (name, hex) = rest.split_at(at);
        let hex = hex.get(4..)?;
        return is_hex(hex).then(|| (name.to_vec(), lower(hex)));
    }
    let (hex, rest) = line.split_at_checked(expected)?;
    let name = rest
        .strip_prefix(b"  ")
        .or_else(|| rest.strip_prefix(b" *"))
        .or_else(|| rest.strip_prefix(b" "))?;
    (is_hex(hex) && !name.is_empty()).then(|| (name.to_vec(), lower(hex)))
}

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
async fn check<D: Sum>(proc: &mut Process, list: &[u8], kind: Kind, settings: &Options) {
    let shown_list = if list == b"-" {
        b"standard input".as_slice()
    } else {
        list
    };
    let fd = match input::open(proc, list).await {
        Ok(fd) => fd,
        Err(errno) => return input::complain(proc, list, errno).await,
    };
    let (mut proper, mut improper, mut unread, mut wrong, mut right) =
        (0u64, 0u64, 0u64, 0u64, 0u64);
    let mut lines = LineReader::new(proc, fd);
    let mut number = 0u64;
    while let Ok(Some(line)) = lines.next(proc, b'\n').await {
        number += 1;
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        if line.starts_with(b"#") {
            continue;
        }
        let Some((name, expected)) = parse(line, kind) else {
            improper += 1;
            if settings.warn {
                let shown = quote::file(proc, shown_list);
                let text = format!(
                    ": {number}: improperly formatted {} checksum line",
                    kind.tag
                );
                let line = [proc.name(), b": ", &shown, text.as_bytes(), b"\n"].concat();
                proc.print_error(&line).await;
            }
            continue;
        };
        proper += 1;
        let verdict: &[u8] = match digest::<D>(proc, &name, expected.len()).await {
            Ok(found) if found == expected => {
                right += 1;
                if settings.quiet { b"" } else { b"OK" }
            }
            Ok(_) => {
                wrong += 1;
                b"FAILED"
            }
            Err(Errno::Enoent) if settings.ignore_missing => continue,
            Err(errno) => {
                unread += 1;
                input::complain(proc, &name, errno).await;
                b"FAILED open or read"
            }
        };
        if !settings.silent && !verdict.is_empty() {
            let line = [name.as_slice(), b": ", verdict, b"\n"].concat();
            if proc.print(&line).await.is_err() {
                return;
            }
        }
    }
    input::close(proc, fd);
    if proper == 0 {
        let shown = if list == b"-" {
            quote::always(proc, shown_list)
        } else {
            quote::file(proc, list)
        };
        let text = [
            shown.as_slice(),
            b": no properly formatted checksum lines found",
        ]
        .concat();
        return proc.complain_text(text).await;
    }
    if !settings.silent {
        for (count, one, many) in [
            (
                improper,
                "line is improperly formatted",
                "lines are improperly formatted",
            ),
            (
                unread,
                "listed file could not be read",
                "listed files could not be read",
            ),
            (
                wrong,
                "computed checksum did NOT match",
                "computed checksums did NOT match",
            ),
        ] {
            if count > 0 {
                let words = if count == 1 { one } else { many };
                let line = [
                    proc.name(),
                    format!(": WARNING: {count} {words}\n").as_bytes(),
                ]
                .concat();
                proc.print_error(&line).await;
            }
        }
        if settings.ignore_missing && right == 0 && wrong == 0 {
            let shown = quote::file(proc, shown_list);
            proc.complain_text([shown.as_slice(), b": no file was verified"].concat())
                .await;
        }
    }
    if wrong > 0 || unread > 0 || (settings.strict && improper > 0) {
        proc.set_status(1);
    }
}
