//! `openssl enc`, `openssl base64` and the ciphers by their own names.

use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, Algorithm, DecryptingKey, DecryptionContext, EncryptingKey,
    EncryptionContext, PaddedBlockDecryptingKey, PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::pbkdf2;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sundew_kernel::{ExitStatus, Process, Signal};

use super::digest::{self, Kind};
use super::{Options, cannot_open, input, output, password, print, random, refuse, thread, usage};

const LIST: &str = include_str!("enc-list.txt");
/// What a file begins with that was made from a password.
const MAGIC: &[u8] = b"Salted__";
/// Rounds of the key's derivation, where none are named.
const ROUNDS: u32 = 10_000;
/// Most rounds that are done; who asks for more is killed, as for its CPU time.
const MAX_ROUNDS: u32 = 1_000_000;
/// Letters from which on base64 text needs the end of its line.
const MAX_OPEN_LINE: usize = 56;
/// Bytes of a block of AES.
const BLOCK_BYTES: usize = 16;
const OLD_DERIVATION: &str =
    "*** WARNING : deprecated key derivation used.\nUsing -iter or -pbkdf2 would be better.\n";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Cbc,
    Ecb,
    Ctr,
    Cfb,
    Ofb,
}

#[derive(Debug, Clone, Copy)]
struct Cipher {
    algorithm: &'static Algorithm,
    key_bytes: usize,
    mode: Mode,
}

impl Cipher {
    fn iv_bytes(self) -> usize {
        if self.mode == Mode::Ecb {
            0
        } else {
            BLOCK_BYTES
        }
    }
}

fn cipher(name: &str) -> Option<Cipher> {
    let name = name.to_ascii_lowercase();
    let (size, mode) = match name.as_str() {
        "aes128" => (128, "cbc"),
        "aes192" => (192, "cbc"),
        "aes256" => (256, "cbc"),
        other => {
            let rest = other.strip_prefix("aes-")?;
            let (size, mode) = rest.split_once('-')?;
            (size.parse().ok()?, mode)
        }
    };
    let mode = match mode {
        "cbc" => Mode::Cbc,
        "ecb" => Mode::Ecb,
        "ctr" => Mode::Ctr,
        "cfb" => Mode::Cfb,
        "ofb" => Mode::Ofb,
        _ => return None,
    };
    let (algorithm, key_bytes) = match size {
        128 => (&AES_128, 16),
        192 => (&AES_192, 24),
        256 => (&AES_256, 32),
        _ => return None,
    };
    Some(Cipher {
        algorithm,
        key_bytes,
        mode,
    })
}

/// Whether this is the name of a cipher, or of none at all.
pub(super) fn is_cipher(name: &str) -> bool {
    cipher(name).is_some()
}

/// Base64 in lines of 64.
pub(super) fn lines(bytes: &[u8]) -> Vec<u8> {
    let text = STANDARD.encode(bytes);
    let mut out = Vec::with_capacity(text.len() + text.len() / 64 + 1);
    for line in text.as_bytes().chunks(64) {
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    out
}

/// What base64 text says, as far as it is base64. By lines a line that is none ends it.
fn decoded(text: &[u8], one_line: bool) -> Vec<u8> {
    let mut letters: Vec<u8> = Vec::with_capacity(text.len());
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
    if one_line {
        // What does not end with the last group is nothing at all.
        letters.extend(
            text.iter()
                .take_while(|byte| **byte != b'\n')
                .filter(|byte| is_letter(byte)),
        );
    } else if text.len() >= MAX_OPEN_LINE && !text.contains(&b'\n') {
        // A long line that never ends is read to nothing.
    } else {
        for line in text.split(|&byte| byte == b'\n') {
            let line = line.trim_ascii();
            if !line.iter().all(is_letter) {
                break;
            }
            letters.extend_from_slice(line);
        }
    }
    let whole = letters.len() - letters.len() % 4;
    let mut out = Vec::new();
    for group in letters.get(..whole).unwrap_or_default().chunks(4) {
        match STANDARD.decode(group) {
            Ok(bytes) => out.extend(bytes),
            Err(_) => break,
        }
    }
    out
}

/// The old derivation: `EVP_BytesToKey` with one round.
fn stretch(kind: Kind, word: &[u8], salt: &[u8], length: usize) -> Vec<u8> {
    let (mut out, mut last) = (Vec::new(), Vec::new());
    while out.len() < length {
        last = digest::of(kind, &[&last, word, salt]);
        out.extend_from_slice(&last);
    }
    out.truncate(length);
    out
}

fn derive(kind: Kind, rounds: u32, word: &[u8], salt: &[u8], length: usize) -> Vec<u8> {
    let algorithm = match kind {
        Kind::Sha1 => pbkdf2::PBKDF2_HMAC_SHA1,
        Kind::Sha384 => pbkdf2::PBKDF2_HMAC_SHA384,
        Kind::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        _ => pbkdf2::PBKDF2_HMAC_SHA256,
    };
    let mut out = vec![0; length];
    if let Some(rounds) = std::num::NonZeroU32::new(rounds) {
        pbkdf2::derive(algorithm, rounds, salt, word, &mut out);
    }
    out
}

fn encrypt(cipher: Cipher, key: &[u8], iv: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    let key = UnboundCipherKey::new(cipher.algorithm, key).ok()?;
    let context = match iv.len() {
        0 => EncryptionContext::None,
        _ => EncryptionContext::Iv128(FixedLength::from(&<[u8; 16]>::try_from(iv).ok()?)),
    };
    let mut data = data.to_vec();
    match cipher.mode {
        Mode::Cbc => {
            let key = PaddedBlockEncryptingKey::cbc_pkcs7(key).ok()?;
            key.less_safe_encrypt(&mut data, context).ok()?;
        }
        Mode::Ecb => {
            let key = PaddedBlockEncryptingKey::ecb_pkcs7(key).ok()?;
            key.less_safe_encrypt(&mut data, context).ok()?;
        }
        Mode::Ctr | Mode::Cfb | Mode::Ofb => {
            let key = match cipher.mode {
                Mode::Ctr => EncryptingKey::ctr(key),
                Mode::Cfb => EncryptingKey::cfb128(key),
                _ => EncryptingKey::ofb(key),
            };
            key.ok()?.less_safe_encrypt(&mut data, context).ok()?;
        }
    }
    Some(data)
}

fn decrypt(cipher: Cipher, key: &[u8], iv: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    let key = UnboundCipherKey::new(cipher.algorithm, key).ok()?;
    let context = match iv.len() {
        0 => DecryptionContext::None,
        _ => DecryptionContext::Iv128(FixedLength::from(&<[u8; 16]>::try_from(iv).ok()?)),
    };
    let mut data = data.to_vec();
    let plain = match cipher.mode {
        Mode::Cbc => {
            let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).ok()?;
            key.decrypt(&mut data, context).ok()?.to_vec()
        }
        Mode::Ecb => {
            let key = PaddedBlockDecryptingKey::ecb_pkcs7(key).ok()?;
            key.decrypt(&mut data, context).ok()?.to_vec()
        }
        Mode::Ctr | Mode::Cfb | Mode::Ofb => {
            let key = match cipher.mode {
                Mode::Ctr => DecryptingKey::ctr(key),
                Mode::Cfb => DecryptingKey::cfb128(key),
                _ => DecryptingKey::ofb(key),
            };
            key.ok()?.decrypt(&mut data, context).ok()?.to_vec()
        }
    };
    Some(plain)
}

/// Hexadecimal digits as so many bytes, filled up with zeros; the complaints about it.
fn from_hex(text: &[u8], length: usize) -> Option<(Vec<u8>, bool)> {
    let mut digits = Vec::new();
    for &byte in text {
        digits.push(u8::try_from(char::from(byte).to_digit(16)?).ok()?);
    }
    let short = digits.len() < length * 2;
    digits.resize(length * 2, 0);
    let byte = |pair: &[u8]| pair.iter().fold(0_u8, |sum, digit| sum << 4 | digit);
    Some((digits.chunks(2).map(byte).collect(), short))
}

async fn hex_value(proc: &mut Process, text: &[u8], length: usize, what: &str) -> Option<Vec<u8>> {
    match from_hex(text, length) {
        Some((bytes, short)) => {
            if short {
                proc.print_error(b"hex string is too short, padding with zero bytes to length\n")
                    .await;
            }
            Some(bytes)
        }
        None => {
            let text = format!("non-hex digit\ninvalid hex {what} value\n");
            proc.print_error(text.as_bytes()).await;
            None
        }
    }
}

/// `openssl enc`.
#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
pub(super) async fn run(proc: &mut Process, name: &str, words: &[Vec<u8>]) -> ExitStatus {
    let flags = "a A base64 d e p P v nopad salt nosalt debug pbkdf2 none z list ciphers";
    let values = "in out pass k kfile K S iv iter md bufsize engine rand writerand provider";
    let options = match Options::read("enc", words, flags, values, is_cipher) {
        Ok(options) if options.wants_help() => return usage(proc, "enc").await,
        Ok(options) => options,
        Err(complaint) => {
            let option = complaint
                .trim_end()
                .strip_prefix("enc: Unknown option: -")
                .map(str::to_owned);
            let Some(option) = option else {
                return refuse(proc, "enc", &complaint).await;
            };
            let text = format!(
                "enc: Unknown cipher: {option}\nenc: Use -help for summary.\n{}",
                digest::unsupported(proc, &option)
            );
            proc.print_error(text.as_bytes()).await;
            return ExitStatus::FAILURE;
        }
    };
    if options.has("list") || options.has("ciphers") {
        return print(proc, LIST.as_bytes()).await;
    }
    if !options.operands.is_empty() {
        let extra = String::from_utf8_lossy(options.operands.first().map_or(b"", Vec::as_slice))
            .into_owned();
        return refuse(
            proc,
            "enc",
            &format!("Extra arguments given.\nenc: Extra option: \"{extra}\"\n"),
        )
        .await;
    }
    let named = options
        .given
        .iter()
        .rev()
        .find_map(|(option, _)| cipher(option));
    let cipher = named.or_else(|| cipher(name));
    let base64 = name == "base64" || options.has("a") || options.has("base64") || options.has("A");
    let (decrypts, one_line) = (options.has("d"), options.has("A"));
    let path = options.value("in").map(<[u8]>::to_vec);
    if let Some(path) = &path
        && let Err(errno) = proc.stat(path)
    {
        return cannot_open(proc, path, errno, "rb").await;
    }
    let mut word = None;
    if let Some(named) = options.value("pass").map(<[u8]>::to_vec) {
        word = password(proc, &named).await;
        if word.is_none() {
            let text = "Invalid password argument, missing ':' within the first 5 chars\nError getting password\n";
            proc.print_error(text.as_bytes()).await;
            return ExitStatus::FAILURE;
        }
    } else if let Some(given) = options.value("k") {
        word = Some(given.to_vec());
    } else if let Some(file) = options.value("kfile").map(<[u8]>::to_vec) {
        word = password(proc, &[b"file:".as_slice(), &file].concat()).await;
    }
    let raw_key = options.value("K").map(<[u8]>::to_vec);
    if let Some(cipher) = cipher
        && raw_key.is_none()
        && word.is_none()
    {
        let label = format!("AES-{}-{:?}", cipher.key_bytes * 8, cipher.mode).to_uppercase();
        let how = if decrypts { "decryption" } else { "encryption" };
        let prompt = format!("enter {label} {how} password:");
        word = crate::net::ssh::ask(proc, prompt.as_bytes(), false).await;
        if word.is_some() && !decrypts {
            let again = format!("Verifying - {prompt}");
            let second = crate::net::ssh::ask(proc, again.as_bytes(), false).await;
            if second != word {
                proc.print_error(b"Verify failure\nbad password read\n")
                    .await;
                return ExitStatus::FAILURE;
            }
        }
        if word.is_none() {
            let text = format!(
                "{prompt}\nbad password read\n{}:error:1400006B:UI routines:UI_process:processing error:../crypto/ui/ui_lib.c:573:while reading strings\n",
                thread(proc)
            );
            proc.print_error(text.as_bytes()).await;
            return ExitStatus::FAILURE;
        }
    }
    let mut data = if options.has("P") {
        Vec::new()
    } else {
        match input(proc, path.as_deref()).await {
            Ok(data) => data,
            Err(errno) => return cannot_open(proc, &path.unwrap_or_default(), errno, "rb").await,
        }
    };
    let mut memory = proc.memory();
    if memory.grow(data.len().saturating_mul(3)).is_err() {
        proc.out_of_memory().await;
    }
    if base64 && decrypts {
        data = decoded(&data, one_line);
    }
    let mut status = ExitStatus::SUCCESS;
    if let Some(cipher) = cipher {
        let (mut key, mut iv, mut head) = (Vec::new(), Vec::new(), Vec::new());
        let mut salt = Vec::new();
        if let Some(word) = word {
            let kind = match options.value("md") {
                Some(name) => digest::known(&String::from_utf8_lossy(name)),
                None => Some(Kind::Sha256),
            };
            let Some(kind) = kind else {
                let name =
                    String::from_utf8_lossy(options.value("md").unwrap_or_default()).into_owned();
                return refuse(
                    proc,
                    "enc",
                    &format!("enc: Unknown option or message digest: {name}\n"),
                )
                .await;
            };
            let rounds = options.value("iter").map(|text| {
                String::from_utf8_lossy(text)
                    .parse::<u32>()
                    .unwrap_or(ROUNDS)
            });
            if !options.has("nosalt") {
                if decrypts && options.value("S").is_none() {
                    if data.len() < MAGIC.len() + 8 {
                        proc.print_error(b"error reading input file\n").await;
                        return ExitStatus::FAILURE;
                    }
                    if !data.starts_with(MAGIC) {
                        proc.print_error(b"bad magic number\n").await;
                        return ExitStatus::FAILURE;
                    }
                    salt = data.get(8..16).unwrap_or_default().to_vec();
                    data.drain(..16);
                } else if let Some(text) = options.value("S").map(<[u8]>::to_vec) {
                    match hex_value(proc, &text, 8, "salt").await {
                        Some(bytes) => salt = bytes,
                        None => return ExitStatus::FAILURE,
                    }
                } else {
                    salt = random(proc, 8);
                    head = [MAGIC, &salt].concat();
                }
            }
            let length = cipher.key_bytes + cipher.iv_bytes();
            let modern = options.has("pbkdf2") || rounds.is_some();
            if !modern {
                proc.print_error(OLD_DERIVATION.as_bytes()).await;
            }
            let rounds = rounds.unwrap_or(ROUNDS);
            if rounds > MAX_ROUNDS {
                proc.die_of(Signal::KILL).await;
            }
            let with = salt.clone();
            let material = proc
                .long_aside(move || {
                    if modern {
                        derive(kind, rounds, &word, &with, length)
                    } else {
                        stretch(kind, &word, &with, length)
                    }
                })
                .await
                .unwrap_or_default();
            let (first, second) = material.split_at(cipher.key_bytes.min(material.len()));
            (key, iv) = (first.to_vec(), second.to_vec());
        }
        if let Some(text) = options.value("iv").map(<[u8]>::to_vec)
            && cipher.iv_bytes() > 0
        {
            match hex_value(proc, &text, cipher.iv_bytes(), "iv").await {
                Some(bytes) => iv = bytes,
                None => return ExitStatus::FAILURE,
            }
        } else if raw_key.is_some() && iv.is_empty() && cipher.iv_bytes() > 0 {
            proc.print_error(b"iv undefined\n").await;
            return ExitStatus::FAILURE;
        }
        if let Some(text) = raw_key {
            match hex_value(proc, &text, cipher.key_bytes, "key").await {
                Some(bytes) => key = bytes,
                None => return ExitStatus::FAILURE,
            }
        }
        if options.has("p") || options.has("P") {
            let upper = |bytes: &[u8]| super::hex(bytes).to_uppercase();
            let mut text = String::new();
            if !salt.is_empty() {
                text += &format!("salt={}\n", upper(&salt));
            }
            text += &format!("key={}\n", upper(&key));
            if !iv.is_empty() {
                text += &format!("iv ={}\n", upper(&iv));
            }
            print(proc, text.as_bytes()).await;
            if options.has("P") {
                return proc.status();
            }
        }
        let done = if decrypts {
            decrypt(cipher, &key, &iv, &data)
        } else {
            encrypt(cipher, &key, &iv, &data).map(|body| [head, body].concat())
        };
        match done {
            Some(bytes) => data = bytes,
            None => {
                let why = if data.len() % BLOCK_BYTES == 0 {
                    "error:1C800064:Provider routines:ossl_cipher_unpadblock:bad decrypt:../providers/implementations/ciphers/ciphercommon_block.c:124:"
                } else {
                    "error:1C80006B:Provider routines:ossl_cipher_generic_block_final:wrong final block length:../providers/implementations/ciphers/ciphercommon.c:443:"
                };
                let text = format!("bad decrypt\n{}:{why}\n", thread(proc));
                proc.print_error(text.as_bytes()).await;
                data.clear();
                status = ExitStatus::FAILURE;
            }
        }
    }
    if base64 && !decrypts {
        data = if one_line {
            STANDARD.encode(&data).into_bytes()
        } else {
            lines(&data)
        };
    }
    let written = output(proc, options.value("out"), &data, 0o666).await;
    if status.is_success() { written } else { status }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_openssl_encrypts_is_decrypted_and_the_other_way_round() {
        // echo hello | openssl enc -aes-256-cbc -k p -S 0011223344556677
        let aes = cipher("aes-256-cbc").unwrap();
        let salt = from_hex(b"0011223344556677", 8).unwrap().0;
        let material = stretch(Kind::Sha256, b"p", &salt, 48);
        let (key, iv) = material.split_at(32);
        let made = encrypt(aes, key, iv, b"hello\n").unwrap();
        assert_eq!(super::super::hex(&made), "7c211cb4826d198f4aacdd9ca2926992");
        assert_eq!(decrypt(aes, key, iv, &made).unwrap(), b"hello\n");
        // The same with -pbkdf2 -pass pass:x -a.
        let material = derive(Kind::Sha256, ROUNDS, b"x", &salt, 48);
        let (key, iv) = material.split_at(32);
        let made = encrypt(aes, key, iv, b"hello\n").unwrap();
        assert_eq!(lines(&made), b"6m6iuO7iGlQKGqYLVH+ejQ==\n");
        for name in ["aes-128-ctr", "aes-192-cfb", "aes-256-ofb", "aes-256-ecb"] {
            let cipher = cipher(name).unwrap();
            let (key, iv) = (vec![7; cipher.key_bytes], vec![9; cipher.iv_bytes()]);
            let made = encrypt(cipher, &key, &iv, b"some text").unwrap();
            assert_eq!(
                decrypt(cipher, &key, &iv, &made).unwrap(),
                b"some text",
                "{name}"
            );
        }
    }

    #[test]
    fn base64_ends_where_it_is_none() {
        assert_eq!(decoded(b"aGVsbG8K\n", false), b"hello\n");
        assert_eq!(decoded(b"aGVs\nbG8K\n!!\naGVs\n", false), b"hello\n");
        assert_eq!(decoded(b"", true), b"");
    }
}
