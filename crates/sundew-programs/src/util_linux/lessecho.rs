//! `lessecho`: words with their special characters hidden from a shell.

use sundew_kernel::{ExitStatus, Process};

const USAGE: &str =
    "usage: lessecho [-ox] [-cx] [-pn] [-dn] [-mx] [-nn] [-ex] [-fn] [-a] file ...\n";

/// How words are written.
struct Quoting {
    open: u8,
    close: u8,
    escape: Vec<u8>,
    special: Vec<u8>,
    all: bool,
}

pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let mut words = proc
        .args()
        .get(1..)
        .unwrap_or_default()
        .to_vec()
        .into_iter()
        .peekable();
    let mut quoting = Quoting {
        open: b'"',
        close: b'"',
        escape: b"\\".to_vec(),
        special: Vec::new(),
        all: false,
    };
    while let Some(word) = words.next_if(|word| word.starts_with(b"-")) {
        let letter = word.get(1).copied().unwrap_or_default();
        let value = word.get(2..).unwrap_or_default();
        let first = value.first().copied();
        match letter {
            b'a' => quoting.all = true,
            b'c' => quoting.close = first.unwrap_or(quoting.close),
            b'o' => quoting.open = first.unwrap_or(quoting.open),
            b'e' => quoting.escape = first.into_iter().filter(|byte| *byte != b'-').collect(),
            b'm' => quoting.special.extend(first),
            b'd' | b'f' | b'n' | b'p' => {
                let Some(byte) = number(value) else {
                    let text = format!("Missing number after -{}\n", char::from(letter));
                    proc.print_error(text.as_bytes()).await;
                    return ExitStatus::FAILURE;
                };
                match letter {
                    b'd' => quoting.close = byte,
                    b'f' => quoting.escape = vec![byte],
                    b'n' => quoting.special.push(byte),
                    _ => quoting.open = byte,
                }
            }
            b'?' => {
                proc.print_error(USAGE.as_bytes()).await;
                return ExitStatus::SUCCESS;
            }
            b'-' if word.len() > 2 => {
                let answer = match word.as_slice() {
                    b"--help" => USAGE,
                    b"--version" => "1.15\n",
                    _ => {
                        proc.print_error(b"Invalid option after --\n").await;
                        return ExitStatus::FAILURE;
                    }
                };
                return super::put(proc, answer).await;
            }
            b'-' => break,
            _ => {
                proc.print_error(b"Invalid option letter\n").await;
                return ExitStatus::FAILURE;
            }
        }
    }
    let words: Vec<Vec<u8>> = words.map(|word| quoting.write(&word)).collect();
    if words.is_empty() {
        return proc.status();
    }
    let mut line = words.join(b" ".as_slice());
    line.push(b'\n');
    super::put(proc, line).await
}

/// A character's number as strtol(3) reads it: decimal, octal, hexadecimal.
fn number(text: &[u8]) -> Option<u8> {
    let text = std::str::from_utf8(text).ok()?;
    let (digits, base) = match text.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None if text.len() > 1 && text.starts_with('0') => (text, 8),
        None => (text, 10),
    };
    u8::from_str_radix(digits, base).ok()
}

impl Quoting {
    fn write(&self, word: &[u8]) -> Vec<u8> {
        let special = |byte: &u8| self.special.contains(byte);
        if self.all || (self.escape.is_empty() && word.iter().any(special)) {
            return [&[self.open], word, &[self.close]].concat();
        }
        let mut out = Vec::new();
        for byte in word {
            if special(byte) {
                out.extend_from_slice(&self.escape);
            }
            out.push(*byte);
        }
        out
    }
}
