//! `openssl` of OpenSSL 3.0: passwords, digests, ciphers, random bytes, keys, and a client of TLS.

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::{Errno, ExitStatus, Process, STDIN, STDOUT};

mod client;
mod digest;
mod enc;
mod keys;
mod passwd;

const VERSION: &str = include_str!("openssl/version.txt");
const HELP: &str = include_str!("openssl/help.txt");
/// Sections `=== NAME`, each followed by what NAME says of its options.
const USAGE: &str = include_str!("openssl/usage.txt");
const CIPHERS: &str = include_str!("openssl/ciphers.txt");
const DIGESTS: &str = include_str!("openssl/digest-list.txt");

/// The options of a command, in the order they came.
struct Options {
    given: Vec<(String, Vec<u8>)>,
    operands: Vec<Vec<u8>>,
}

impl Options {
    /// Reads them; `flags` stand alone, `values` take a word. Another option is the complaint, unless
    /// `other` takes it, which gets it without its dash.
    fn read(
        name: &str,
        words: &[Vec<u8>],
        flags: &str,
        values: &str,
        other: impl Fn(&str) -> bool,
    ) -> Result<Self, String> {
        let among = |list: &str, option: &str| list.split(' ').any(|known| known == option);
        let (mut given, mut operands) = (Vec::new(), Vec::new());
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let option = word.strip_prefix(b"--").or_else(|| word.strip_prefix(b"-"));
            let Some(option) = option.filter(|option| !option.is_empty()) else {
                operands.push(word.clone());
                operands.extend(words.cloned());
                break;
            };
            let option = String::from_utf8_lossy(option).into_owned();
            if among(flags, &option) || option == "help" || option == "h" {
                given.push((option, Vec::new()));
            } else if among(values, &option) {
                let Some(value) = words.next() else {
                    return Err(format!("{name}: Option -{option} needs a value\n"));
                };
                given.push((option, value.clone()));
            } else if other(&option) {
                given.push((option, Vec::new()));
            } else {
                return Err(format!("{name}: Unknown option: -{option}\n"));
            }
        }
        Ok(Self { given, operands })
    }

    fn has(&self, option: &str) -> bool {
        self.given.iter().any(|(known, _)| known == option)
    }

    fn value(&self, option: &str) -> Option<&[u8]> {
        let mut own = self.given.iter().rev().filter(|(known, _)| known == option);
        own.next().map(|(_, value)| value.as_slice())
    }

    fn wants_help(&self) -> bool {
        self.has("help") || self.has("h")
    }
}

/// A complaint and where to find more.
async fn refuse(proc: &mut Process, name: &str, complaint: &str) -> ExitStatus {
    let text = format!("{complaint}{name}: Use -help for summary.\n");
    proc.print_error(text.as_bytes()).await;
    ExitStatus::FAILURE
}

async fn print(proc: &mut Process, text: &[u8]) -> ExitStatus {
    // Whoever does not want the text needs no complaint about it.
    let _closed = proc.print(text).await;
    proc.status()
}

async fn usage(proc: &mut Process, name: &str) -> ExitStatus {
    let section = USAGE
        .split("=== ")
        .find_map(|section| section.strip_prefix(name)?.strip_prefix('\n'));
    proc.print_error(section.unwrap_or_default().as_bytes())
        .await;
    ExitStatus::SUCCESS
}

/// The number that OpenSSL's error lines begin with: which thread complains.
fn thread(proc: &Process) -> String {
    let draw = u64::from(proc.pid()).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    format!("80{:06X}{:02X}7F0000", draw & 0x00ff_ffff, draw & 0xff)
}

/// A whole file, or standard input.
async fn input(proc: &mut Process, path: Option<&[u8]>) -> Result<Vec<u8>, Errno> {
    let fd = match path {
        Some(path) => proc.open(path, OpenFlags::READ, 0).await?,
        None => STDIN,
    };
    let text = proc.read_to_end(fd).await.map(|(text, _)| text);
    if fd != STDIN {
        // Opened above.
        let _open = proc.close(fd);
    }
    text
}

/// What is said of a file that cannot be opened.
async fn cannot_open(proc: &mut Process, path: &[u8], errno: Errno, mode: &str) -> ExitStatus {
    let (path, why, thread) = (String::from_utf8_lossy(path), errno.message(), thread(proc));
    let how = if mode.starts_with('r') {
        "reading"
    } else {
        "writing"
    };
    let number = errno.number().unsigned_abs();
    let text = format!(
        "Can't open \"{path}\" for {how}, {why}\n{thread}:error:{:08X}:system library:BIO_new_file:{why}:../crypto/bio/bss_file.c:67:calling fopen({path}, {mode})\n{thread}:error:10000080:BIO routines:BIO_new_file:no such file:../crypto/bio/bss_file.c:75:\n",
        0x8000_0000_u32 | number
    );
    proc.print_error(text.as_bytes()).await;
    ExitStatus::FAILURE
}

/// Writes to `-out`, or to standard output.
async fn output(proc: &mut Process, path: Option<&[u8]>, bytes: &[u8], mode: u16) -> ExitStatus {
    let Some(path) = path else {
        return print(proc, bytes).await;
    };
    match proc.open(path, OpenFlags::CREATE, mode).await {
        Ok(fd) => {
            if proc.write_all(fd, bytes).await.is_err() {
                proc.set_status(1);
            }
            // Opened above.
            let _open = proc.close(fd);
            proc.status()
        }
        Err(errno) => cannot_open(proc, path, errno, "wb").await,
    }
}

/// A password as `-pass` names it: `pass:X`, `env:X`, `file:X`, `stdin`.
async fn password(proc: &mut Process, named: &[u8]) -> Option<Vec<u8>> {
    let first_line = |text: Vec<u8>| {
        let mut lines = text.split(|&byte| byte == b'\n');
        lines.next().unwrap_or_default().to_vec()
    };
    if let Some(word) = named.strip_prefix(b"pass:") {
        return Some(word.to_vec());
    }
    if let Some(name) = named.strip_prefix(b"env:") {
        return proc.env().value(name).map(<[u8]>::to_vec);
    }
    if let Some(path) = named.strip_prefix(b"file:") {
        return input(proc, Some(path)).await.ok().map(first_line);
    }
    if named == b"stdin" {
        return input(proc, None).await.ok().map(first_line);
    }
    None
}

fn random(proc: &Process, count: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(count + 8);
    while bytes.len() < count {
        bytes.extend(proc.random().to_le_bytes());
    }
    bytes.truncate(count);
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `openssl`.
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    let Some((name, rest)) = words.split_first() else {
        proc.print_error(HELP.as_bytes()).await;
        return ExitStatus::SUCCESS;
    };
    let name = String::from_utf8_lossy(name).into_owned();
    if digest::known(&name).is_some() {
        return digest::run(proc, &name, rest).await;
    }
    match name.as_str() {
        "version" => version(proc, rest).await,
        "passwd" => passwd::run(proc, rest).await,
        "rand" => rand(proc, rest).await,
        "dgst" => digest::run(proc, "dgst", rest).await,
        "enc" | "base64" => enc::run(proc, &name, rest).await,
        "genrsa" | "genpkey" => keys::generate(proc, &name, rest).await,
        "rsa" | "pkey" | "ec" => keys::show(proc, &name, rest).await,
        "s_client" => client::run(proc, rest).await,
        "ciphers" => print(proc, CIPHERS.as_bytes()).await,
        "prime" => prime(proc, rest).await,
        "list" => list(proc, rest).await,
        "help" | "--help" | "-help" | "-h" => {
            proc.print_error(HELP.as_bytes()).await;
            ExitStatus::SUCCESS
        }
        other if enc::is_cipher(other) => enc::run(proc, other, rest).await,
        other => {
            let text = format!("Invalid command '{other}'; type \"help\" for a list.\n");
            proc.print_error(text.as_bytes()).await;
            ExitStatus::FAILURE
        }
    }
}

async fn version(proc: &mut Process, words: &[Vec<u8>]) -> ExitStatus {
    let options = match Options::read("version", words, "a b d e m f o p r v c", "", |_| false) {
        Ok(options) if options.wants_help() => return usage(proc, "version").await,
        Ok(options) => options,
        Err(complaint) => return refuse(proc, "version", &complaint).await,
    };
    let lines: Vec<&str> = VERSION.lines().collect();
    let letters = ["v", "b", "p", "o", "f", "d", "e", "m", "r", "c"];
    let mut text = String::new();
    for (line, letter) in lines.iter().zip(letters) {
        let bare = options.given.is_empty() && letter == "v";
        if bare || options.has("a") || options.has(letter) {
            text += line;
            text.push('\n');
        }
    }
    print(proc, text.as_bytes()).await
}

async fn rand(proc: &mut Process, words: &[Vec<u8>]) -> ExitStatus {
    let options = match Options::read(
        "rand",
        words,
        "base64 hex",
        "out engine rand writerand",
        |_| false,
    ) {
        Ok(options) if options.wants_help() => return usage(proc, "rand").await,
        Ok(options) if options.operands.len() <= 1 => options,
        Ok(_) => return refuse(proc, "rand", "").await,
        Err(complaint) => return refuse(proc, "rand", &complaint).await,
    };
    let count = match options.operands.first() {
        None => 0,
        Some(word) => {
            let word = String::from_utf8_lossy(word).into_owned();
            match word.parse::<usize>() {
                Ok(count) => count,
                Err(_) => {
                    let complaint = format!("rand: Can't parse \"{word}\" as a number\n");
                    return refuse(proc, "rand", &complaint).await;
                }
            }
        }
    };
    if options.value("out").is_none() && !options.has("hex") && !options.has("base64") {
        // So much may be asked for that it goes out piece by piece.
        let mut left = count;
        while left > 0 {
            let piece = random(proc, left.min(4096));
            if proc.write_all(STDOUT, &piece).await.is_err() {
                return ExitStatus::FAILURE;
            }
            left -= piece.len();
        }
        return proc.status();
    }
    let mut memory = proc.memory();
    if memory.grow(count.saturating_mul(3)).is_err() {
        return ExitStatus::FAILURE;
    }
    let bytes = random(proc, count);
    let text = if options.has("hex") {
        format!("{}\n", hex(&bytes)).into_bytes()
    } else if options.has("base64") {
        enc::lines(&bytes)
    } else {
        bytes
    };
    output(proc, options.value("out"), &text, 0o600).await
}

async fn list(proc: &mut Process, words: &[Vec<u8>]) -> ExitStatus {
    let known = "digest-commands digest-algorithms cipher-commands cipher-algorithms commands standard-commands 1 v verbose";
    match Options::read("list", words, known, "", |_| false) {
        Ok(options) if options.has("digest-commands") => print(proc, DIGESTS.as_bytes()).await,
        Ok(options) if options.has("commands") || options.has("standard-commands") => {
            print(proc, HELP.as_bytes()).await
        }
        Ok(_) => usage(proc, "list").await,
        Err(complaint) => refuse(proc, "list", &complaint).await,
    }
}

async fn prime(proc: &mut Process, words: &[Vec<u8>]) -> ExitStatus {
    let options = match Options::read("prime", words, "hex generate safe", "bits checks", |_| {
        false
    }) {
        Ok(options) if options.wants_help() => return usage(proc, "prime").await,
        Ok(options) => options,
        Err(complaint) => return refuse(proc, "prime", &complaint).await,
    };
    for word in &options.operands {
        let text = String::from_utf8_lossy(word).into_owned();
        let radix = if options.has("hex") { 16 } else { 10 };
        let Ok(number) = u64::from_str_radix(&text, radix) else {
            let complaint = format!("Failed to process value ({text})\n");
            proc.print_error(complaint.as_bytes()).await;
            return ExitStatus::FAILURE;
        };
        let mut divisor = 2_u64;
        let mut is_prime = number > 1;
        while is_prime && divisor.saturating_mul(divisor) <= number {
            is_prime = !number.is_multiple_of(divisor);
            divisor += 1;
            if divisor.is_multiple_of(4096) {
                proc.tick().await;
            }
        }
        let not = if is_prime { "" } else { "not " };
        print(
            proc,
            format!("{number:X} ({text}) is {not}prime\n").as_bytes(),
        )
        .await;
    }
    proc.status()
}
