//! Transcripts of what the standards say, held against the program.
//!
//! Each file under `conformance/` holds many. A transcript begins with `## name`, perhaps followed by
//! words in brackets: `[tls]` for a server with a certificate, `[anonymous]` for one that lets anybody
//! read, `[together]` or `[apart]` if it makes sense in one segmentation only. Then, line by line:
//!
//! ```text
//! > USER anna          this line is sent, with its CRLF; \xHH, \r, \n and \0 are bytes
//! >> \xff\xf6          these bytes are sent, and nothing behind them
//! ! \xf2               this byte is sent as urgent data
//! < 331                the next reply has this code, or one of `331|230`,
//! < 257 "/a"           and holds this text
//! login                USER and PASS of somebody who may do everything, TYPE I, and a directory of its
//!                      own, whose name `{u}` stands for
//! file NAME TEXT       a file is stored; `fetch NAME TEXT` reads one back
//! secure               AUTH TLS, then TLS; `tls` is the handshake alone, `clear` the end of TLS
//! data, active         a data connection of EPSV, of PORT; `data tls` under TLS, once the 150 is there
//! put TEXT, get TEXT   TEXT is sent and the connection closed; exactly TEXT comes
//! end                  the server closes
//! ```
//!
//! Every transcript runs three times: line by line, byte by byte, and with all lines up to the next step
//! that is no line in one segment.

mod wire;

use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::daemon::Daemon;

use self::wire::Talk;

/// Transcripts that run at once.
const AT_ONCE: usize = 8;

const FILES: &[(&str, &str)] = &[
    ("codes", include_str!("conformance/codes.txt")),
    ("grammar", include_str!("conformance/grammar.txt")),
    ("transfers", include_str!("conformance/transfers.txt")),
    ("addresses", include_str!("conformance/addresses.txt")),
    ("extensions", include_str!("conformance/extensions.txt")),
    ("tls", include_str!("conformance/tls.txt")),
];

/// How the bytes of the lines come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    Lines,
    Bytes,
    Together,
}

struct Transcript {
    name: &'static str,
    words: Vec<&'static str>,
    steps: Vec<&'static str>,
}

#[test]
fn the_transcripts_of_the_standards_hold_in_every_segmentation() {
    let clear = server("");
    let secure = server("[tls]\nself_signed = true\n");
    let open = Daemon::start(&["--write", "--user", "anna:secret"], QUICK);
    let mut runs = Vec::new();
    for (file, text) in FILES {
        for transcript in read(text) {
            for cut in [Cut::Lines, Cut::Bytes, Cut::Together] {
                let only = |word| transcript.words.contains(&word);
                let fits = match cut {
                    Cut::Together => !only("apart"),
                    Cut::Lines | Cut::Bytes => !only("together"),
                };
                if fits {
                    runs.push((
                        *file,
                        transcript.name,
                        cut,
                        transcript.words.clone(),
                        transcript.steps.clone(),
                    ));
                }
            }
        }
    }
    let checks: usize = runs
        .iter()
        .map(|run| run.4.iter().filter(|step| step.starts_with('<')).count())
        .sum();
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(String::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some((file, name, cut, words, steps)) = runs.get(number) else {
                        return;
                    };
                    let daemon = match () {
                        () if words.contains(&"tls") => &secure,
                        () if words.contains(&"anonymous") => &open,
                        () => &clear,
                    };
                    if let Err(why) = run(daemon, *cut, number, steps) {
                        let mut failures = failures.lock().unwrap();
                        writeln!(failures, "{file}: {name} ({cut:?}): {why}").unwrap();
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "of {checks} replies:\n{failures}");
    assert!(checks > 1000, "only {checks} replies were looked at");
}

/// Nobody waits for the answer to a wrong password, and nobody is banned for many of them.
const QUICK: &str = "[bans]\ndelay = '1ms'\nmax_delay = '1ms'\nfailures = 0\n[limits]\nconnections_per_address = 500\n";

fn server(config: &str) -> Daemon {
    let options = ["--write", "--no-anonymous", "--user", "anna:secret"];
    Daemon::start(&options, &format!("{QUICK}{config}"))
}

fn read(text: &'static str) -> Vec<Transcript> {
    let mut all: Vec<Transcript> = Vec::new();
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            let mut parts = title.split(" [");
            all.push(Transcript {
                name: parts.next().unwrap(),
                words: parts.map(|word| word.trim_end_matches(']')).collect(),
                steps: Vec::new(),
            });
        } else if !line.is_empty() && !line.starts_with('#') {
            all.last_mut()
                .expect("steps stand below a title")
                .steps
                .push(line);
        }
    }
    all
}

fn run(daemon: &Daemon, cut: Cut, number: usize, steps: &[&str]) -> Result<(), String> {
    let directory = format!("t{number}");
    let steps: Vec<_> = steps
        .iter()
        .map(|step| step.replace("{u}", &directory))
        .collect();
    let steps: Vec<_> = steps.iter().map(String::as_str).collect();
    let mut talk = Talk::connect(daemon.port).map_err(|error| error.to_string())?;
    talk.expect("220")?;
    let mut at = 0;
    while let Some(step) = steps.get(at) {
        if cut == Cut::Together && step.starts_with('>') {
            // A run of lines and replies; what asks for anything else ends it.
            let rest = steps.get(at..).unwrap_or_default();
            let length = rest
                .iter()
                .take_while(|step| step.starts_with(['>', '<']))
                .count();
            let run = rest.get(..length).unwrap_or_default();
            let bytes: Vec<u8> = run
                .iter()
                .filter_map(|step| bytes(step))
                .flatten()
                .collect();
            talk.send(&bytes)?;
            for step in run.iter().filter(|step| step.starts_with('<')) {
                talk.expect(step[1..].trim_start())?;
            }
            at += length;
            continue;
        }
        one(&mut talk, cut, &directory, step).map_err(|why| format!("{step}: {why}"))?;
        at += 1;
    }
    Ok(())
}

/// What a step sends as a line or as bytes.
fn bytes(step: &str) -> Option<Vec<u8>> {
    if let Some(raw) = step.strip_prefix(">> ") {
        return Some(unescape(raw));
    }
    let mut line = unescape(step.strip_prefix("> ")?);
    line.extend(b"\r\n");
    Some(line)
}

fn one(talk: &mut Talk, cut: Cut, directory: &str, step: &str) -> Result<(), String> {
    if let Some(bytes) = bytes(step) {
        return if cut == Cut::Bytes {
            bytes.chunks(1).try_for_each(|byte| talk.send(byte))
        } else {
            talk.send(&bytes)
        };
    }
    let (word, rest) = step.split_once(' ').unwrap_or((step, ""));
    match word {
        "<" => talk.expect(rest),
        "!" => talk.send_urgent(&unescape(rest)),
        "login" => {
            talk.ask("USER anna", "331")?;
            talk.ask("PASS secret", "230")?;
            talk.ask("TYPE I", "200")?;
            talk.ask(&format!("MKD /{directory}"), "257|550")?;
            talk.ask(&format!("CWD /{directory}"), "250")
        }
        "file" | "fetch" => {
            let (name, text) = rest.split_once(' ').unwrap_or((rest, ""));
            talk.dial()?;
            let verb = if word == "file" { "STOR" } else { "RETR" };
            talk.ask(&format!("{verb} {name}"), "150")?;
            if word == "file" {
                talk.put(&unescape(text))?;
            } else {
                talk.get(&unescape(text))?;
            }
            talk.expect("226")
        }
        "secure" => {
            talk.send(b"AUTH TLS\r\n")?;
            talk.expect("234")?;
            talk.secure()
        }
        "tls" => talk.secure(),
        "clear" => talk.clear(),
        "data" if rest == "tls" => talk.secure_data(),
        "data" => talk.dial(),
        "active" => talk.listen(),
        "put" => talk.put(&unescape(rest)),
        "get" => talk.get(&unescape(rest)),
        "end" => talk.ends(),
        _ => Err("no such step".to_owned()),
    }
}

fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        match bytes.next() {
            Some(b'r') => out.push(b'\r'),
            Some(b'n') => out.push(b'\n'),
            Some(b'0') => out.push(0),
            Some(b'\\') => out.push(b'\\'),
            // Many of one byte: `\*5000A`.
            Some(b'*') => {
                let digits: String = bytes.by_ref().take(6).map(char::from).collect();
                let byte = bytes.next().unwrap();
                out.extend(std::iter::repeat_n(byte, digits.parse().unwrap()));
            }
            Some(b'x') => {
                let digits: String = bytes.by_ref().take(2).map(char::from).collect();
                out.push(u8::from_str_radix(&digits, 16).unwrap());
            }
            other => unreachable!("{other:?} behind a backslash"),
        }
    }
    out
}
