//! cksum(1), sum(1): checksums that are no cryptography.

use sundew_kernel::process::LineReader;
use sundew_kernel::{Errno, ExitStatus, Process};

use super::about;
use super::input::{self, CHUNK};
use crate::getopt::{Arity, Getopt, Spec, refuse};

const CKSUM: Spec = Spec::gnu(
    "a:l:cwz",
    &[
        ("algorithm", Arity::Required, "a"),
        ("length", Arity::Required, "l"),
        ("check", Arity::No, "c"),
        ("untagged", Arity::No, "untagged"),
        ("debug", Arity::No, "debug"),
        ("zero", Arity::No, "z"),
        ("tag", Arity::No, "tag"),
        ("quiet", Arity::No, "quiet"),
        ("status", Arity::No, "status"),
        ("strict", Arity::No, "strict"),
        ("warn", Arity::No, "w"),
        ("ignore-missing", Arity::No, "ignore-missing"),
    ],
);
const SUM: Spec = Spec::gnu("rs", &[("sysv", Arity::No, "s")]);

/// The generator of POSIX's CRC.
const POLYNOMIAL: u32 = 0x04c1_1db7;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Crc,
    Bsd,
    SysV,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Own(Kind),
    Digest(&'static str),
}

/// What `-a` may be.
const ALGORITHMS: &[(&str, Algorithm)] = &[
    ("bsd", Algorithm::Own(Kind::Bsd)),
    ("sysv", Algorithm::Own(Kind::SysV)),
    ("crc", Algorithm::Own(Kind::Crc)),
    ("md5", Algorithm::Digest("md5sum")),
    ("sha1", Algorithm::Digest("sha1sum")),
    ("sha224", Algorithm::Digest("sha224sum")),
    ("sha256", Algorithm::Digest("sha256sum")),
    ("sha384", Algorithm::Digest("sha384sum")),
    ("sha512", Algorithm::Digest("sha512sum")),
    ("blake2b", Algorithm::Digest("b2sum")),
    ("sm3", Algorithm::Digest("sm3sum")),
];

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let (mut algorithm, mut tagged, mut check) = (Algorithm::Own(Kind::Crc), true, false);
    let (mut chosen, mut manner) = (false, Vec::new());
    let mut options = Getopt::new(&CKSUM, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("a", value)) => {
                match input::choose(proc, "--algorithm", &value, ALGORITHMS).await {
                    Some(found) => (algorithm, chosen) = (found, true),
                    None => return proc.status(),
                }
            }
            Ok(("untagged", _)) => tagged = false,
            Ok(("c", _)) => check = true,
            Ok(("tag", _)) => tagged = true,
            Ok(("w", _)) => manner.push(b"--warn".to_vec()),
            Ok((key @ ("quiet" | "status" | "strict" | "ignore-missing"), _)) => {
                manner.push([b"--", key.as_bytes()].concat());
            }
            Ok(("l" | "z" | "debug", _)) => {}
            Ok((key, _)) => return about::run(proc, key, "cksum").await,
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    let operands = options.operands();
    match algorithm {
        Algorithm::Own(_) if check && !chosen => {
            let list = operands.first().cloned().unwrap_or_else(|| b"-".to_vec());
            let program = match tagged_with(proc, &list).await {
                Ok(Some(program)) => program,
                Ok(None) => {
                    let shown = crate::quote::file(proc, &list);
                    let text = b": no properly formatted checksum lines found";
                    proc.complain_text([shown.as_slice(), text].concat()).await;
                    return proc.status();
                }
                Err(errno) => {
                    input::complain(proc, &list, errno).await;
                    return proc.status();
                }
            };
            as_digest(
                proc,
                program,
                [vec![b"--check".to_vec()], manner].concat(),
                operands,
            )
            .await
        }
        Algorithm::Own(_) if check => {
            let text = "--check is not supported with --algorithm={bsd,sysv,crc}";
            proc.complain_text(text).await;
            proc.status()
        }
        Algorithm::Own(kind) => sums(proc, kind, operands).await,
        Algorithm::Digest(program) => {
            // The digest's own program does the work, in cksum's name.
            let option: &[u8] = if check {
                b"--check"
            } else if tagged {
                b"--tag"
            } else {
                b"--text"
            };
            as_digest(
                proc,
                program,
                [vec![option.to_vec()], manner].concat(),
                operands,
            )
            .await
        }
    }
}

async fn as_digest(
    proc: &mut Process,
    program: &str,
    options: Vec<Vec<u8>>,
    operands: Vec<Vec<u8>>,
) -> ExitStatus {
    let name = vec![proc.name().to_vec()];
    let args = [name, options, vec![b"--".to_vec()], operands].concat();
    let env = proc.env().clone();
    let errno = proc.exec_program(program.as_bytes(), args, env).await;
    proc.complain(program.as_bytes(), errno).await;
    proc.status()
}

/// The program of the digest that the first line with a tag has.
async fn tagged_with(proc: &mut Process, list: &[u8]) -> Result<Option<&'static str>, Errno> {
    const TAGS: [(&[u8], &str); 7] = [
        (b"MD5 (", "md5sum"),
        (b"SHA1 (", "sha1sum"),
        (b"SHA224 (", "sha224sum"),
        (b"SHA256 (", "sha256sum"),
        (b"SHA384 (", "sha384sum"),
        (b"SHA512 (", "sha512sum"),
        (b"BLAKE2b", "b2sum"),
    ];
    let fd = input::open(proc, list).await?;
    let mut lines = LineReader::new(proc, fd);
    let mut found = None;
    while let (None, Some(line)) = (found, lines.next(proc, b'\n').await?) {
        let line = line.trim_ascii_start();
        let tag = TAGS.iter().find(|(tag, _)| line.starts_with(tag));
        found = tag.map(|(_, program)| *program);
    }
    input::close(proc, fd);
    Ok(found)
}

pub(crate) async fn run_sum(proc: &mut Process) -> ExitStatus {
    let mut kind = Kind::Bsd;
    let mut options = Getopt::new(&SUM, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| option.key) {
            Ok("r") => kind = Kind::Bsd,
            Ok("s") => kind = Kind::SysV,
            Ok(key) => return about::run(proc, key, "sum").await,
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    sums(proc, kind, options.operands()).await
}

async fn sums(proc: &mut Process, kind: Kind, operands: Vec<Vec<u8>>) -> ExitStatus {
    let named = !operands.is_empty();
    for name in input::or_stdin(operands) {
        let (sum, length) = match checksum(proc, &name, kind).await {
            Ok(found) => found,
            Err(errno) => {
                input::complain(proc, &name, errno).await;
                continue;
            }
        };
        let text = match kind {
            Kind::Crc => format!("{sum} {length}"),
            Kind::Bsd => format!("{sum:05} {:5}", length.div_ceil(1024)),
            Kind::SysV => format!("{sum} {}", length.div_ceil(512)),
        };
        let shown = named;
        let line = if shown {
            [text.as_bytes(), b" ", &name, b"\n"].concat()
        } else {
            [text.as_bytes(), b"\n"].concat()
        };
        if proc.print(&line).await.is_err() {
            break;
        }
    }
    proc.status()
}

async fn checksum(proc: &Process, name: &[u8], kind: Kind) -> Result<(u32, u64), Errno> {
    let fd = input::open(proc, name).await?;
    let mut chunk = vec![0; CHUNK];
    let (mut sum, mut length) = (0u32, 0u64);
    let result = loop {
        let got = match proc.read(fd, &mut chunk).await {
            Ok(0) => break Ok(()),
            Ok(got) => got,
            Err(errno) => break Err(errno),
        };
        length += got as u64;
        for &byte in chunk.get(..got).unwrap_or_default() {
            sum = match kind {
                Kind::Crc => crc(sum, byte),
                Kind::Bsd => ((sum >> 1) + ((sum & 1) << 15) + u32::from(byte)) & 0xffff,
                Kind::SysV => sum.wrapping_add(u32::from(byte)),
            };
        }
    };
    input::close(proc, fd);
    result?;
    match kind {
        Kind::Crc => {
            let mut left = length;
            while left > 0 {
                let [low, ..] = left.to_le_bytes();
                sum = crc(sum, low);
                left >>= 8;
            }
            sum = !sum;
        }
        Kind::Bsd => {}
        Kind::SysV => {
            let once = (sum & 0xffff) + (sum >> 16);
            sum = (once & 0xffff) + (once >> 16);
        }
    }
    Ok((sum, length))
}

fn crc(sum: u32, byte: u8) -> u32 {
    (0..8).fold(sum ^ u32::from(byte) << 24, |sum, _| {
        if sum & 0x8000_0000 == 0 {
            sum << 1
        } else {
            sum << 1 ^ POLYNOMIAL
        }
    })
}

#[cfg(test)]
mod tests {
    use crate::text::testing::run;

    #[test]
    fn sums_of_the_three_kinds() {
        assert_eq!(run(&["cksum"], b"hello\n").0, "3015617425 6\n");
        assert_eq!(run(&["sum"], b"hello\n").0, "36979     1\n");
        assert_eq!(run(&["sum", "-s"], b"hello\n").0, "542 1\n");
    }
}
