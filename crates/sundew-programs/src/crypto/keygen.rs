//! ssh-keygen(1): makes, shows and changes keys, and looks into `known_hosts`.

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::process::LineReader;
use sundew_kernel::{Errno, ExitStatus, Process, STDIN, Signal};

use super::key::{self, Key, KeyError, Kind, MAX_RSA_BITS};
use crate::net::read_file;
use crate::net::ssh::known;
use crate::net::ssh::letters::Alphabet;

const USAGE: &str = include_str!("keygen-usage.txt");
const LETTERS: Alphabet = Alphabet {
    with_value: b"abCDEfFIJjKMmNnOPrRSstTVwWYZz",
    alone: b"ABceghHikLlopQqUuvXy",
};
/// Bits of an RSA key, at least and at most.
const RSA_BITS: std::ops::RangeInclusive<u32> = 1024..=16_384;

#[derive(Default)]
struct Line {
    letters: Vec<u8>,
    values: Vec<(u8, Vec<u8>)>,
}

impl Line {
    fn has(&self, letter: u8) -> bool {
        self.letters.contains(&letter)
    }

    fn value(&self, letter: u8) -> Option<&[u8]> {
        let all = self.values.iter().rev();
        let mut own = all.filter(|(known, _)| *known == letter);
        own.next().map(|(_, value)| value.as_slice())
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

async fn fail(proc: &mut Process, complaint: &str) -> ExitStatus {
    proc.print_error(format!("{complaint}\r\n").as_bytes())
        .await;
    ExitStatus::Exited(255)
}

async fn say(proc: &mut Process, line: &str) {
    // Whoever does not want the text needs no complaint about it.
    let _closed = proc.print(format!("{line}\n").as_bytes()).await;
}

fn read(args: &[Vec<u8>]) -> Result<Line, String> {
    let mut line = Line::default();
    let mut words = args.iter().skip(1);
    while let Some(word) = words.next() {
        let Some(letters) = word.strip_prefix(b"-").filter(|rest| !rest.is_empty()) else {
            return Err("Too many arguments.\r\n".to_owned());
        };
        for (letter, value) in LETTERS.read(letters, &mut words)? {
            match value {
                Some(value) => line.values.push((letter, value)),
                None => line.letters.push(letter),
            }
        }
    }
    Ok(line)
}

/// A line from standard input, as ssh-keygen asks for a file's name.
async fn line_from_input(proc: &mut Process, prompt: &str) -> Option<Vec<u8>> {
    let _closed = proc.print(prompt.as_bytes()).await;
    let _closed = proc.flush().await;
    let mut line = LineReader::new(proc, STDIN)
        .next(proc, b'\n')
        .await
        .ok()??;
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    Some(line)
}

/// A passphrase, from the terminal or, without one, from standard input.
async fn passphrase(proc: &mut Process, prompt: &str) -> Vec<u8> {
    if let Some(text) = crate::net::ssh::ask(proc, prompt.as_bytes(), false).await {
        return text;
    }
    let mut line = LineReader::new(proc, STDIN)
        .next(proc, b'\n')
        .await
        .ok()
        .flatten();
    if let Some(line) = line.as_mut()
        && line.last() == Some(&b'\n')
    {
        line.pop();
    }
    line.unwrap_or_default()
}

async fn write(proc: &Process, path: &[u8], content: &[u8], mode: u16) -> Result<(), Errno> {
    let fd = proc.open(path, OpenFlags::CREATE, mode).await?;
    let written = proc.write_all(fd, content).await;
    // Opened above.
    let _open = proc.close(fd);
    written
}

fn random(proc: &Process) -> [u8; 20] {
    let mut bytes = [0; 20];
    for chunk in bytes.chunks_mut(8) {
        for (to, from) in chunk.iter_mut().zip(proc.random().to_le_bytes()) {
            *to = from;
        }
    }
    bytes
}

/// `user@host`, as keys are commented.
async fn comment(proc: &Process) -> Vec<u8> {
    let (uid, _) = proc.real_ids();
    let users = crate::users::Directory::load(proc).await;
    [users.user_text(uid).as_slice(), b"@", &proc.hostname()].concat()
}

/// `ssh-keygen`.
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let line = match read(proc.args()) {
        Ok(line) => line,
        Err(complaint) => {
            proc.print_error([complaint.as_str(), USAGE].concat().as_bytes())
                .await;
            return ExitStatus::FAILURE;
        }
    };
    let home = crate::net::ssh::home(proc);
    if let Some(host) = line.value(b'R').or_else(|| line.value(b'F')) {
        let usual = [home.as_slice(), b"/.ssh/known_hosts"].concat();
        let path = line.value(b'f').map_or(usual, <[u8]>::to_vec);
        let host = host.to_vec();
        return hosts(proc, &line, &path, &host).await;
    }
    if line.has(b'A') {
        return host_keys(proc).await;
    }
    let named = line.value(b'f').map(<[u8]>::to_vec);
    if line.has(b'l') {
        return fingerprints(proc, &line, named, &home).await;
    }
    if line.has(b'y') || line.has(b'p') || line.has(b'c') {
        return with_key(proc, &line, named, &home).await;
    }
    make(proc, &line, named, &home).await
}

/// The file that is meant, asked for if it is not named.
async fn file_name(
    proc: &mut Process,
    named: Option<Vec<u8>>,
    home: &[u8],
    prompt: &str,
    usual: &str,
) -> Option<Vec<u8>> {
    if named.is_some() {
        return named;
    }
    let path = [home, b"/.ssh/", usual.as_bytes()].concat();
    let asked = line_from_input(proc, &format!("{prompt} ({}): ", text(&path))).await?;
    Some(if asked.is_empty() { path } else { asked })
}

fn kind(line: &Line) -> Result<(Kind, &'static str, &'static str), String> {
    let bits = match line.value(b'b').map(text) {
        Some(bits) => match bits.parse::<u32>() {
            Ok(bits) if bits <= 32_768 => Some(bits),
            Ok(_) => return Err(format!("Bits has bad value {bits} (too large)")),
            Err(_) => return Err(format!("Bits has bad value {bits} (invalid)")),
        },
        None => None,
    };
    let name = line.value(b't').map_or_else(|| "rsa".to_owned(), text);
    match name.to_ascii_lowercase().as_str() {
        "rsa" | "ssh-rsa" | "rsa-sha2-256" | "rsa-sha2-512" => {
            let bits = bits.unwrap_or(3072);
            if bits < *RSA_BITS.start() {
                return Err("Invalid RSA key length: minimum is 1024 bits".to_owned());
            }
            if bits > *RSA_BITS.end() {
                return Err("Invalid RSA key length: maximum is 16384 bits".to_owned());
            }
            Ok((Kind::Rsa(bits), "rsa", "id_rsa"))
        }
        "ecdsa" | "ecdsa-sha2-nistp256" => match bits.unwrap_or(256) {
            bits @ (256 | 384 | 521) => Ok((Kind::Ecdsa(bits), "ecdsa", "id_ecdsa")),
            _ => Err("Invalid ECDSA key length: valid lengths are 256, 384 or 521 bits".to_owned()),
        },
        "ed25519" | "ssh-ed25519" => Ok((Kind::Ed25519, "ed25519", "id_ed25519")),
        _ => Err(format!("unknown key type {name}")),
    }
}

fn title(blob: &[u8], algorithm: &str) -> String {
    format!("{} {}", known::kind(algorithm.as_bytes()), key::bits(blob))
}

fn picture(blob: &[u8], algorithm: &str) -> String {
    use sha2::Digest as _;
    key::picture(&title(blob, algorithm), &sha2::Sha256::digest(blob))
}

#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
async fn make(proc: &mut Process, line: &Line, named: Option<Vec<u8>>, home: &[u8]) -> ExitStatus {
    let (kind, name, usual) = match kind(line) {
        Ok(found) => found,
        Err(complaint) => return fail(proc, &complaint).await,
    };
    let quiet = line.has(b'q');
    if !quiet {
        say(proc, &format!("Generating public/private {name} key pair.")).await;
    }
    let given = named.is_some();
    let prompt = "Enter file in which to save the key";
    let Some(path) = file_name(proc, named, home, prompt, usual).await else {
        return ExitStatus::FAILURE;
    };
    let directory = [home, b"/.ssh"].concat();
    if path.starts_with(&directory) && proc.stat(&directory).is_err() {
        match proc.make_directory(&directory, 0o700) {
            Ok(()) if !quiet => {
                say(proc, &format!("Created directory '{}'.", text(&directory))).await
            }
            Ok(()) => {}
            Err(errno) => {
                let complaint = format!(
                    "Could not create directory '{}': {}",
                    text(&directory),
                    errno.message()
                );
                proc.print_error(format!("{complaint}\r\n").as_bytes())
                    .await;
            }
        }
    }
    let shown = text(&path);
    if proc.stat(&path).is_ok() {
        let prompt = format!("{shown} already exists.\nOverwrite (y/n)? ");
        let answer = line_from_input(proc, &prompt).await.unwrap_or_default();
        if !answer
            .first()
            .is_some_and(|letter| matches!(letter, b'y' | b'Y'))
        {
            return ExitStatus::FAILURE;
        }
    }
    let word = match line.value(b'N') {
        Some(word) => word.to_vec(),
        None => loop {
            let first = passphrase(proc, "Enter passphrase (empty for no passphrase): ").await;
            let second = passphrase(proc, "Enter same passphrase again: ").await;
            if first == second {
                break first;
            }
            say(proc, "Passphrases do not match.  Try again.").await;
            proc.tick().await;
        },
    };
    if !word.is_empty() && word.len() < 5 && line.value(b'N').is_none() {
        return fail(proc, "passphrase too short (minimum five characters)").await;
    }
    let comment = match line.value(b'C') {
        Some(comment) => comment.to_vec(),
        None => comment(proc).await,
    };
    if matches!(kind, Kind::Rsa(bits) if bits > MAX_RSA_BITS) {
        proc.die_of(Signal::KILL).await;
    }
    let seed = random(proc);
    let made = proc
        .long_aside(move || {
            let mut key = kind.generate()?;
            key.comment = comment;
            let file = key.file(&word, &seed)?;
            Some((key, file))
        })
        .await
        .flatten();
    let Some((key, file)) = made else {
        return fail(proc, "sshkey_generate failed").await;
    };
    if let Err(errno) = write(proc, &path, file.as_bytes(), 0o600).await {
        let complaint = format!("Saving key \"{shown}\" failed: {}", errno.message());
        return fail(proc, &complaint).await;
    }
    // A mode that was there before is replaced.
    let _mode = proc.change_mode(&path, 0o600);
    let public = [path.as_slice(), b".pub"].concat();
    let line_text = [key.line(), b"\n".to_vec()].concat();
    if let Err(errno) = write(proc, &public, &line_text, 0o644).await {
        let complaint = format!(
            "Unable to save public key to {}: {}",
            text(&public),
            errno.message()
        );
        return fail(proc, &complaint).await;
    }
    if !quiet {
        let (blob, _) = (key.blob(), given);
        let lines = format!(
            "Your identification has been saved in {shown}\nYour public key has been saved in {shown}.pub\nThe key fingerprint is:\n{} {}\nThe key's randomart image is:\n{}",
            known::fingerprint(&blob),
            text(&key.comment),
            picture(&blob, &key.algorithm)
        );
        say(proc, &lines).await;
    }
    proc.status()
}

/// The file whose key is meant, asked for if it was not named.
async fn existing(proc: &mut Process, named: Option<Vec<u8>>, home: &[u8]) -> Option<Vec<u8>> {
    let question = "Enter file in which the key is";
    file_name(proc, named, home, question, "id_rsa").await
}

/// `-l`: the fingerprints of all keys in a file.
async fn fingerprints(
    proc: &mut Process,
    line: &Line,
    named: Option<Vec<u8>>,
    home: &[u8],
) -> ExitStatus {
    let Some(path) = existing(proc, named, home).await else {
        return ExitStatus::FAILURE;
    };
    let content = if path == b"-" {
        proc.read_to_end(STDIN)
            .await
            .map(|(text, _)| text)
            .unwrap_or_default()
    } else {
        if let Err(errno) = proc.stat(&path) {
            return fail(
                proc,
                &format!("ssh-keygen: {}: {}", text(&path), errno.message()),
            )
            .await;
        }
        read_file(proc, &path).await
    };
    let content = if Key::read(&content, b"").is_ok() || content.starts_with(b"-----BEGIN OPENSSH")
    {
        match Key::read(&content, b"") {
            Ok(key) => key.line(),
            Err(_) => read_file(proc, &[path.as_slice(), b".pub"].concat()).await,
        }
    } else {
        content
    };
    let md5 = line
        .value(b'E')
        .is_some_and(|hash| hash.eq_ignore_ascii_case(b"md5"));
    let mut found = false;
    for row in content.split(|&byte| byte == b'\n') {
        proc.tick().await;
        let Some((blob, comment)) = public_key(row) else {
            continue;
        };
        found = true;
        let algorithm = text(row_algorithm(&blob));
        let print = if md5 {
            use md5::Digest as _;
            let pairs: Vec<String> = md5::Md5::digest(&blob)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            format!("MD5:{}", pairs.join(":"))
        } else {
            known::fingerprint(&blob)
        };
        let comment = if comment.is_empty() {
            b"no comment".to_vec()
        } else {
            comment
        };
        let kind = known::kind(algorithm.as_bytes());
        say(
            proc,
            &format!("{} {print} {} ({kind})", key::bits(&blob), text(&comment)),
        )
        .await;
        if line.has(b'v') {
            say(proc, &picture(&blob, &algorithm)).await;
        }
    }
    if found {
        return proc.status();
    }
    let complaint = format!("{} is not a public key file.", text(&path));
    fail(proc, &complaint).await
}

fn row_algorithm(blob: &[u8]) -> &[u8] {
    let length = blob
        .first_chunk::<4>()
        .map_or(0, |digits| u32::from_be_bytes(*digits));
    let end = usize::try_from(length).unwrap_or(0).saturating_add(4);
    blob.get(4..end).unwrap_or_default()
}

/// The key and the comment of a line as `authorized_keys` and public key files have them; options before
/// the key, and names as in `known_hosts`, are passed over.
fn public_key(row: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    use base64::Engine as _;
    let row = row.trim_ascii();
    if row.starts_with(b"#") {
        return None;
    }
    let words: Vec<&[u8]> = row
        .split(|&byte| matches!(byte, b' ' | b'\t'))
        .filter(|word| !word.is_empty())
        .collect();
    for (at, pair) in words.windows(2).enumerate() {
        let [algorithm, letters] = pair else {
            continue;
        };
        let Ok(blob) = base64::engine::general_purpose::STANDARD.decode(letters) else {
            continue;
        };
        if !algorithm.is_empty() && row_algorithm(&blob) == *algorithm {
            let comment = words.get(at + 2..).unwrap_or_default().join(&b' ');
            return Some((blob, comment));
        }
    }
    None
}

/// `-y`, `-p`, `-c`: what needs the private key.
#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
async fn with_key(
    proc: &mut Process,
    line: &Line,
    named: Option<Vec<u8>>,
    home: &[u8],
) -> ExitStatus {
    let Some(path) = existing(proc, named, home).await else {
        return ExitStatus::FAILURE;
    };
    let shown = text(&path);
    let metadata = match proc.stat(&path) {
        Ok(metadata) => metadata,
        Err(errno) => return fail(proc, &format!("{shown}: {}", errno.message())).await,
    };
    if metadata.mode & 0o077 != 0 {
        let complaint = format!(
            "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r\n@         WARNING: UNPROTECTED PRIVATE KEY FILE!          @\r\n@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r\nPermissions 0{:o} for '{shown}' are too open.\r\nIt is required that your private key files are NOT accessible by others.\r\nThis private key will be ignored.\r\nLoad key \"{shown}\": bad permissions",
            metadata.mode & 0o777
        );
        return fail(proc, &complaint).await;
    }
    let content = read_file(proc, &path).await;
    let mut word = line.value(b'P').unwrap_or_default().to_vec();
    let mut asked = line.value(b'P').is_some();
    let key = loop {
        let (file, with) = (content.clone(), word.clone());
        let read = proc.aside(move || Key::read(&file, &with)).await;
        match read.unwrap_or(Err(KeyError::Format)) {
            Ok(key) => break key,
            Err(KeyError::Passphrase) if !asked => {
                asked = true;
                let prompt = if line.has(b'p') {
                    "Enter old passphrase: "
                } else {
                    "Enter passphrase: "
                };
                word = passphrase(proc, prompt).await;
            }
            Err(KeyError::Passphrase) => {
                let complaint = format!(
                    "Load key \"{shown}\": incorrect passphrase supplied to decrypt private key"
                );
                return fail(proc, &complaint).await;
            }
            Err(KeyError::Format) => {
                let complaint = format!("Load key \"{shown}\": error in libcrypto");
                return fail(proc, &complaint).await;
            }
        }
    };
    if line.has(b'y') {
        say(proc, &text(&key.line())).await;
        return proc.status();
    }
    let mut key = key;
    let said = if line.has(b'c') {
        say(proc, &format!("Old comment: {}", text(&key.comment))).await;
        key.comment = match line.value(b'C') {
            Some(comment) => comment.to_vec(),
            None => line_from_input(proc, "New comment: ")
                .await
                .unwrap_or_default(),
        };
        format!("Comment '{}' applied", text(&key.comment))
    } else {
        if !key.comment.is_empty() {
            say(proc, &format!("Key has comment '{}'", text(&key.comment))).await;
        }
        word = match line.value(b'N') {
            Some(word) => word.to_vec(),
            None => {
                let first =
                    passphrase(proc, "Enter new passphrase (empty for no passphrase): ").await;
                let second = passphrase(proc, "Enter same passphrase again: ").await;
                if first != second {
                    say(proc, "Pass phrases do not match.  Try again.").await;
                    return ExitStatus::FAILURE;
                }
                first
            }
        };
        "Your identification has been saved with the new passphrase.".to_owned()
    };
    let seed = random(proc);
    let (again, with) = (key.clone(), word.clone());
    let file = proc.aside(move || again.file(&with, &seed)).await.flatten();
    let written = match file {
        Some(file) => write(proc, &path, file.as_bytes(), 0o600).await,
        None => Err(Errno::Einval),
    };
    if let Err(errno) = written {
        let complaint = format!("Saving key \"{shown}\" failed: {}.", errno.message());
        return fail(proc, &complaint).await;
    }
    if line.has(b'c') {
        let public = [path.as_slice(), b".pub"].concat();
        // The private key has it; the other file is for show.
        let _shown = write(proc, &public, &[key.line(), b"\n".to_vec()].concat(), 0o644).await;
    }
    say(proc, &said).await;
    proc.status()
}

/// `-A`: the keys of this machine that it does not have yet.
async fn host_keys(proc: &mut Process) -> ExitStatus {
    let comment = comment(proc).await;
    let mut begun = false;
    for (kind, name, shown) in [
        (Kind::Rsa(3072), "rsa", "RSA"),
        (Kind::Ecdsa(256), "ecdsa", "ECDSA"),
        (Kind::Ed25519, "ed25519", "ED25519"),
    ] {
        let path = format!("/etc/ssh/ssh_host_{name}_key").into_bytes();
        if proc.stat(&path).is_ok_and(|metadata| metadata.size > 0) {
            continue;
        }
        let head = if std::mem::replace(&mut begun, true) {
            format!("{shown} ")
        } else {
            format!("ssh-keygen: generating new host keys: {shown} ")
        };
        let _closed = proc.print(head.as_bytes()).await;
        let _closed = proc.flush().await;
        let (seed, comment) = (random(proc), comment.clone());
        let made = proc
            .long_aside(move || {
                let mut key = kind.generate()?;
                key.comment = comment;
                let file = key.file(b"", &seed)?;
                Some((key, file))
            })
            .await
            .flatten();
        let Some((key, file)) = made else {
            return fail(proc, "sshkey_generate failed").await;
        };
        let public = [path.as_slice(), b".pub"].concat();
        let mut written = write(proc, &path, file.as_bytes(), 0o600).await;
        if written.is_ok() {
            written = write(proc, &public, &[key.line(), b"\n".to_vec()].concat(), 0o644).await;
        }
        if let Err(errno) = written {
            let complaint = format!(
                "Unable to save private key {}: {}",
                text(&path),
                errno.message()
            );
            return fail(proc, &complaint).await;
        }
    }
    if begun {
        say(proc, "").await;
    }
    proc.status()
}

/// `-F` and `-R`: a host in `known_hosts`.
async fn hosts(proc: &mut Process, line: &Line, path: &[u8], host: &[u8]) -> ExitStatus {
    let shown = text(path);
    if let Err(errno) = proc.stat(path) {
        return fail(proc, &format!("Cannot stat {shown}: {}", errno.message())).await;
    }
    let removes = line.value(b'R').is_some();
    let content = read_file(proc, path).await;
    let (mut kept, mut found) = (Vec::new(), false);
    for (number, row) in content.split_inclusive(|&byte| byte == b'\n').enumerate() {
        proc.tick().await;
        let names = known::fields(row).is_some_and(|(names, ..)| known::names(names, host));
        if !names {
            kept.extend_from_slice(row);
            continue;
        }
        found = true;
        let number = number + 1;
        if removes {
            say(proc, &format!("# Host {} found: line {number}", text(host))).await;
        } else {
            if !line.has(b'q') {
                say(
                    proc,
                    &format!("# Host {} found: line {number} ", text(host)),
                )
                .await;
            }
            let row = row.strip_suffix(b"\n").unwrap_or(row);
            let _closed = proc.print(&[row, b"\n"].concat()).await;
        }
    }
    if !removes {
        return if found {
            proc.status()
        } else {
            ExitStatus::FAILURE
        };
    }
    if !found {
        proc.print_error(format!("Host {} not found in {shown}\r\n", text(host)).as_bytes())
            .await;
        return proc.status();
    }
    let old = [path, b".old"].concat();
    let moved = proc.rename(path, &old);
    let written = match moved {
        Ok(()) => write(proc, path, &kept, 0o600).await,
        Err(errno) => Err(errno),
    };
    if let Err(errno) = written {
        return fail(proc, &format!("rename\"{shown}\": {}", errno.message())).await;
    }
    say(
        proc,
        &format!("{shown} updated.\nOriginal contents retained as {shown}.old"),
    )
    .await;
    proc.status()
}
