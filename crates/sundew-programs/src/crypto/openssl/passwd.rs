//! `openssl passwd`: MD5-crypt and its Apache kin, SHA-crypt. crypt(5); Ulrich Drepper's "Unix crypt
//! using SHA-256 and SHA-512".

use md5::{Digest as _, Md5};
use sundew_kernel::{ExitStatus, Process};

use super::{Options, print, random, refuse, usage};

const LETTERS: &[u8] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Rounds of SHA-crypt, where the salt names none.
const ROUNDS: u32 = 5000;
/// Most rounds that are done for one word.
const MAX_ROUNDS: u32 = 100_000;
/// Longest password that is hashed; OpenSSL cuts at 256.
const MAX_WORD_BYTES: usize = 256;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Md5,
    Apache,
    Sha256,
    Sha512,
}

fn letters(out: &mut String, mut value: u32, count: usize) {
    for _ in 0..count {
        let letter = LETTERS
            .get((value & 0x3f) as usize)
            .copied()
            .unwrap_or(b'.');
        out.push(char::from(letter));
        value >>= 6;
    }
}

fn three(hash: &[u8], a: usize, b: usize, c: usize) -> u32 {
    let byte = |at: usize| u32::from(hash.get(at).copied().unwrap_or(0));
    byte(a) << 16 | byte(b) << 8 | byte(c)
}

/// MD5-crypt with this magic: `1`, or `apr1`.
fn md5_crypt(word: &[u8], salt: &[u8], magic: &str) -> String {
    let salt = salt.get(..8).unwrap_or(salt);
    let inner = Md5::new()
        .chain_update(word)
        .chain_update(salt)
        .chain_update(word)
        .finalize();
    let mut outer = Md5::new()
        .chain_update(word)
        .chain_update(format!("${magic}$"))
        .chain_update(salt);
    let mut left = word.len();
    while left > 0 {
        outer.update(inner.get(..left.min(16)).unwrap_or_default());
        left = left.saturating_sub(16);
    }
    let mut count = word.len();
    while count > 0 {
        if count & 1 == 1 {
            outer.update([0]);
        } else {
            outer.update(word.get(..1).unwrap_or_default());
        }
        count >>= 1;
    }
    let mut hash = outer.finalize();
    for round in 0..1000 {
        let mut next = Md5::new();
        if round & 1 == 1 {
            next.update(word);
        } else {
            next.update(hash);
        }
        if round % 3 != 0 {
            next.update(salt);
        }
        if round % 7 != 0 {
            next.update(word);
        }
        if round & 1 == 1 {
            next.update(hash);
        } else {
            next.update(word);
        }
        hash = next.finalize();
    }
    let mut out = format!("${magic}${}$", String::from_utf8_lossy(salt));
    for (a, b, c) in [(0, 6, 12), (1, 7, 13), (2, 8, 14), (3, 9, 15), (4, 10, 5)] {
        letters(&mut out, three(&hash, a, b, c), 4);
    }
    letters(&mut out, hash.get(11).copied().unwrap_or(0).into(), 2);
    out
}

/// SHA-crypt: `work` is its algorithm over either digest, `magic` its number.
fn sha_crypt<const BYTES: usize>(
    word: &[u8],
    salt: &[u8],
    magic: char,
    work: fn(&[u8], &[u8], sha_crypt::Params) -> [u8; BYTES],
) -> Option<String> {
    let (mut rounds, mut shown, mut salt) = (ROUNDS, String::new(), salt);
    if let Some(rest) = salt.strip_prefix(b"rounds=") {
        let end = rest.iter().position(|&byte| byte == b'$')?;
        let (number, tail) = rest.split_at(end);
        let number: u32 = std::str::from_utf8(number).ok()?.parse().ok()?;
        rounds = number.clamp(1000, MAX_ROUNDS);
        shown = format!("rounds={rounds}$");
        salt = tail.get(1..)?;
    }
    let salt = salt.get(..16).unwrap_or(salt);
    let hash = work(word, salt, sha_crypt::Params::new(rounds).ok()?);
    let mut out = format!("${magic}${shown}{}$", String::from_utf8_lossy(salt));
    if BYTES == 32 {
        let (mut x, mut y, mut z) = (0, 10, 20);
        for _ in 0..10 {
            letters(&mut out, three(&hash, x, y, z), 4);
            (x, y, z) = (y + 11, z + 11, x + 11);
            (x, y, z) = (wrap(x, 30), wrap(y, 30), wrap(z, 30));
        }
        let last = |at: usize| u32::from(hash.get(at).copied().unwrap_or(0));
        letters(&mut out, last(31) << 8 | last(30), 3);
    } else {
        let (mut x, mut y, mut z) = (0, 21, 42);
        for _ in 0..21 {
            letters(&mut out, three(&hash, x, y, z), 4);
            (x, y, z) = (y + 1, z + 1, x + 1);
            (x, y, z) = (wrap(x, 63), wrap(y, 63), wrap(z, 63));
        }
        letters(&mut out, hash.get(63).copied().unwrap_or(0).into(), 2);
    }
    Some(out)
}

fn wrap(value: usize, limit: usize) -> usize {
    if value >= limit { value - limit } else { value }
}

fn hash(method: Method, word: &[u8], salt: &[u8]) -> Option<String> {
    match method {
        Method::Md5 => Some(md5_crypt(word, salt, "1")),
        Method::Apache => Some(md5_crypt(word, salt, "apr1")),
        Method::Sha256 => sha_crypt(word, salt, '5', sha_crypt::sha256_crypt),
        Method::Sha512 => sha_crypt(word, salt, '6', sha_crypt::sha512_crypt),
    }
}

/// `openssl passwd`.
#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
pub(super) async fn run(proc: &mut Process, words: &[Vec<u8>]) -> ExitStatus {
    let flags = "noverify stdin quiet table reverse 1 apr1 5 6 aixmd5";
    let options = match Options::read(
        "passwd",
        words,
        flags,
        "in salt rand writerand provider",
        |_| false,
    ) {
        Ok(options) if options.wants_help() => return usage(proc, "passwd").await,
        Ok(options) => options,
        Err(complaint) => return refuse(proc, "passwd", &complaint).await,
    };
    let mut method = Method::Md5;
    for (option, _) in &options.given {
        method = match option.as_str() {
            "1" => Method::Md5,
            "apr1" => Method::Apache,
            "5" => Method::Sha256,
            "6" => Method::Sha512,
            _ => method,
        };
    }
    let mut all = options.operands.clone();
    if all.is_empty() {
        if options.has("stdin") || options.value("in").is_some() {
            let path = options.value("in").map(<[u8]>::to_vec);
            match super::input(proc, path.as_deref()).await {
                Ok(text) => {
                    let text = text.strip_suffix(b"\n").unwrap_or(&text);
                    if !text.is_empty() {
                        all.extend(text.split(|&byte| byte == b'\n').map(<[u8]>::to_vec));
                    }
                }
                Err(errno) => {
                    let path = path.unwrap_or_default();
                    return super::cannot_open(proc, &path, errno, "r").await;
                }
            }
        } else {
            let first = crate::net::ssh::ask(proc, b"Password: ", false).await;
            let Some(first) = first.filter(|word| !word.is_empty()) else {
                return ExitStatus::FAILURE;
            };
            if !options.has("noverify") {
                let again = crate::net::ssh::ask(proc, b"Verifying - Password: ", false).await;
                if again.as_ref() != Some(&first) {
                    proc.print_error(b"Verify failure\n").await;
                    return ExitStatus::FAILURE;
                }
            }
            all.push(first);
        }
    }
    let length = match method {
        Method::Md5 | Method::Apache => 8,
        Method::Sha256 | Method::Sha512 => 16,
    };
    for word in all {
        let salt = match options.value("salt") {
            Some(salt) => salt.to_vec(),
            None => {
                let letter = |byte: &u8| LETTERS.get(usize::from(byte & 0x3f)).copied();
                random(proc, length).iter().filter_map(letter).collect()
            }
        };
        let cut = word.get(..MAX_WORD_BYTES).unwrap_or(&word).to_vec();
        let made = proc
            .aside(move || hash(method, &cut, &salt))
            .await
            .flatten();
        let Some(made) = made else {
            return ExitStatus::FAILURE;
        };
        let word = String::from_utf8_lossy(&word).into_owned();
        let line = match (options.has("table"), options.has("reverse")) {
            (true, true) => format!("{made}\t{word}\n"),
            (true, false) => format!("{word}\t{made}\n"),
            _ => format!("{made}\n"),
        };
        print(proc, line.as_bytes()).await;
    }
    proc.status()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_openssl() {
        // Made by OpenSSL 3.0.19.
        let of = |method, word: &str, salt: &str| {
            hash(method, word.as_bytes(), salt.as_bytes()).unwrap()
        };
        assert_eq!(
            of(Method::Md5, "hello", "abcdefgh"),
            "$1$abcdefgh$rwnEbRiN0agqVgZBovWNQ/"
        );
        assert_eq!(
            of(Method::Apache, "hello", "ab"),
            "$apr1$ab$0HUwYcJ3DAPbHupdaC/tP1"
        );
        assert_eq!(
            of(Method::Sha256, "hello", "ab"),
            "$5$ab$SgqvpvcfcPo/f6dlg8h3QNsq4HHAUeqtVXi00KFYXf."
        );
        assert_eq!(
            of(Method::Sha512, "hello", "abcdefgh"),
            "$6$abcdefgh$bp46WUxDu2cphMRE0PvVJlqas2imuSq186YS793XKfmqn9XUEL17HECskUTZInaNigNndLLYc7A6yWBmFEFn3/"
        );
    }
}
