//! `getopt`: options of a script's command line, parsed and quoted. getopt(1).

use sundew_kernel::{ExitStatus, Process};
use sundew_posix::escape::single_quoted;

/// Whether an option takes an argument: never, always, perhaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arity {
    No,
    Required,
    Optional,
}

#[derive(Debug, Default)]
struct Settings {
    short: Option<Vec<u8>>,
    long: Vec<Vec<u8>>,
    name: Vec<u8>,
    quiet: bool,
    silent: bool,
    unquoted: bool,
    alternative: bool,
}

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut settings = Settings {
        name: b"getopt".to_vec(),
        ..Settings::default()
    };
    let args: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    let compatible = args.first().is_some_and(|word| !word.starts_with(b"-"));
    let mut words = args.into_iter().peekable();
    if compatible {
        // The way of old: the first word is the list of letters, and nothing is quoted.
        settings.short = words.next();
        settings.unquoted = true;
    } else {
        while let Some(word) = words.peek().cloned() {
            if !word.starts_with(b"-") || word == b"-" {
                break;
            }
            words.next();
            if word == b"--" {
                break;
            }
            let (name, mut value) = option_of(&word);
            if value.is_none() && matches!(name, "o" | "l" | "n" | "s") {
                value = words.next();
            }
            let value = value.unwrap_or_default();
            match name {
                "a" => settings.alternative = true,
                "o" => settings.short = Some(value),
                "l" => settings.long.extend(
                    value
                        .split(|byte| matches!(byte, b',' | b' ' | b'\t' | b'\n'))
                        .filter(|name| !name.is_empty())
                        .map(<[u8]>::to_vec),
                ),
                "n" => settings.name = value,
                "q" => settings.quiet = true,
                "Q" => settings.silent = true,
                "u" => settings.unquoted = true,
                "s" => {}
                "T" => return ExitStatus::Exited(4),
                "h" => return super::help(proc, "getopt").await,
                "V" => return super::version(proc).await,
                _ => {
                    let shown = if word.starts_with(b"--") {
                        [b"unrecognized option '", word.as_slice(), b"'"].concat()
                    } else {
                        [
                            b"invalid option -- '",
                            word.get(1..2).unwrap_or_default(),
                            b"'",
                        ]
                        .concat()
                    };
                    proc.complain_text(shown).await;
                    crate::getopt::try_help(proc, 2).await;
                    return ExitStatus::Exited(2);
                }
            }
        }
        if settings.short.is_none() {
            settings.short = words.next();
        }
    }
    if settings.short.is_none() {
        proc.complain_text("missing optstring argument").await;
        crate::getopt::try_help(proc, 2).await;
        return ExitStatus::Exited(2);
    }
    parse(proc, &settings, words.collect()).await
}

/// One of getopt's own options: its letter and what is attached to it.
fn option_of(word: &[u8]) -> (&'static str, Option<Vec<u8>>) {
    const LONG: &[(&str, &str)] = &[
        ("alternative", "a"),
        ("options", "o"),
        ("longoptions", "l"),
        ("name", "n"),
        ("quiet", "q"),
        ("quiet-output", "Q"),
        ("shell", "s"),
        ("test", "T"),
        ("unquoted", "u"),
        ("help", "h"),
        ("version", "V"),
    ];
    if let Some(long) = word.strip_prefix(b"--") {
        let end = long.iter().position(|&byte| byte == b'=');
        let name = long.get(..end.unwrap_or(long.len())).unwrap_or_default();
        let value = end.and_then(|end| long.get(end + 1..)).map(<[u8]>::to_vec);
        let row = LONG.iter().find(|row| row.0.as_bytes().starts_with(name));
        return (row.map_or("?", |row| row.1), value);
    }
    let letter = word.get(1).copied().unwrap_or(b'?');
    let rest = word
        .get(2..)
        .filter(|rest| !rest.is_empty())
        .map(<[u8]>::to_vec);
    let known = LONG.iter().find(|row| row.1.as_bytes() == [letter]);
    (known.map_or("?", |row| row.1), rest)
}

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
async fn parse(proc: &mut Process, settings: &Settings, words: Vec<Vec<u8>>) -> ExitStatus {
    let short = settings.short.clone().unwrap_or_default();
    let in_order = short.starts_with(b"-");
    let first_ends = short.starts_with(b"+");
    let letters = short
        .strip_prefix(b"+")
        .or_else(|| short.strip_prefix(b"-"))
        .unwrap_or(&short)
        .to_vec();
    let (mut out, mut rest, mut status) = (Vec::new(), Vec::new(), 0);
    let mut complaints = Vec::new();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        if word == b"--" {
            rest.extend(words);
            break;
        }
        let alternative = settings.alternative
            && word.len() > 2
            && word.starts_with(b"-")
            && !word.starts_with(b"--");
        if word.starts_with(b"--") || alternative {
            let text = word
                .strip_prefix(b"--")
                .or_else(|| word.strip_prefix(b"-"))
                .unwrap_or(&word);
            match long(settings, text) {
                Ok((name, arity, value)) => {
                    out.push([b"--", name.as_slice()].concat());
                    match (arity, value) {
                        (Arity::No, Some(_)) => {
                            out.pop();
                            complaints.push(
                                [
                                    b"option '--",
                                    name.as_slice(),
                                    b"' doesn't allow an argument",
                                ]
                                .concat(),
                            );
                        }
                        (Arity::No, None) => {}
                        (_, Some(value)) => out.push(quoted(settings, &value)),
                        (Arity::Optional, None) => out.push(quoted(settings, b"")),
                        (Arity::Required, None) => match words.next() {
                            Some(value) => out.push(quoted(settings, &value)),
                            None => {
                                out.pop();
                                complaints.push(
                                    [b"option '--", name.as_slice(), b"' requires an argument"]
                                        .concat(),
                                );
                            }
                        },
                    }
                }
                Err(text) => complaints.push(text),
            }
        } else if word.len() > 1 && word.starts_with(b"-") {
            let mut cluster = word.get(1..).unwrap_or_default().to_vec();
            while !cluster.is_empty() {
                let letter = cluster.remove(0);
                let Some(arity) = arity(&letters, letter) else {
                    complaints.push([b"invalid option -- '".as_slice(), &[letter], b"'"].concat());
                    continue;
                };
                out.push(vec![b'-', letter]);
                match arity {
                    Arity::No => {}
                    Arity::Optional => out.push(quoted(settings, &std::mem::take(&mut cluster))),
                    Arity::Required if !cluster.is_empty() => {
                        out.push(quoted(settings, &std::mem::take(&mut cluster)))
                    }
                    Arity::Required => match words.next() {
                        Some(value) => out.push(quoted(settings, &value)),
                        None => {
                            out.pop();
                            complaints.push(
                                [
                                    b"option requires an argument -- '".as_slice(),
                                    &[letter],
                                    b"'",
                                ]
                                .concat(),
                            );
                        }
                    },
                }
            }
        } else if in_order {
            out.push(quoted(settings, &word));
        } else {
            rest.push(word);
            if first_ends {
                rest.extend(words);
                break;
            }
        }
    }
    for text in complaints {
        status = 1;
        if !settings.quiet {
            proc.print_error(&[settings.name.as_slice(), b": ", &text, b"\n"].concat())
                .await;
        }
    }
    if !settings.silent {
        out.push(b"--".to_vec());
        out.extend(rest.iter().map(|word| quoted(settings, word)));
        let line = [b" ", out.join(b" ".as_slice()).as_slice(), b"\n"].concat();
        let _reported_at_exit = proc.print(&line).await;
    }
    ExitStatus::Exited(status)
}

fn arity(letters: &[u8], letter: u8) -> Option<Arity> {
    let at = letters
        .iter()
        .position(|&known| known == letter && letter != b':')?;
    let behind = letters.get(at + 1..).unwrap_or_default();
    Some(match behind {
        [b':', b':', ..] => Arity::Optional,
        [b':', ..] => Arity::Required,
        _ => Arity::No,
    })
}

type Long = (Vec<u8>, Arity, Option<Vec<u8>>);

fn long(settings: &Settings, text: &[u8]) -> Result<Long, Vec<u8>> {
    let end = text.iter().position(|&byte| byte == b'=');
    let name = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
    let value = end.and_then(|end| text.get(end + 1..)).map(<[u8]>::to_vec);
    let parts = |spec: &Vec<u8>| {
        let bare = spec
            .iter()
            .position(|&byte| byte == b':')
            .unwrap_or(spec.len());
        let arity = match spec.len() - bare {
            0 => Arity::No,
            1 => Arity::Required,
            _ => Arity::Optional,
        };
        (spec.get(..bare).unwrap_or_default().to_vec(), arity)
    };
    let known: Vec<(Vec<u8>, Arity)> = settings.long.iter().map(parts).collect();
    if let Some((name, arity)) = known.iter().find(|row| row.0 == name) {
        return Ok((name.clone(), *arity, value));
    }
    let matching: Vec<&(Vec<u8>, Arity)> =
        known.iter().filter(|row| row.0.starts_with(name)).collect();
    match matching.as_slice() {
        [] => Err([b"unrecognized option '--", text, b"'"].concat()),
        [(name, arity)] => Ok((name.clone(), *arity, value)),
        several => {
            let mut line = [b"option '--", text, b"' is ambiguous; possibilities:"].concat();
            for row in several {
                line.extend([b" '--", row.0.as_slice(), b"'"].concat());
            }
            Err(line)
        }
    }
}

fn quoted(settings: &Settings, word: &[u8]) -> Vec<u8> {
    if settings.unquoted {
        return word.to_vec();
    }
    single_quoted(word)
}

#[cfg(test)]
mod tests {
    use crate::text::testing::run;

    #[test]
    fn options_come_first_and_are_quoted() {
        assert_eq!(
            run(
                &[
                    "getopt", "-o", "ab:", "-l", "long", "--", "x", "-a", "--lo", "-b", "it's"
                ],
                b""
            )
            .0,
            " -a --long -b 'it'\\''s' -- 'x'\n"
        );
        assert_eq!(
            run(&["getopt", "ab:", "-a", "-b", "x", "y"], b"").0,
            " -a -b x -- y\n"
        );
        assert_eq!(
            run(&["getopt", "-o", "a", "--", "-z"], b""),
            (" --\n".into(), "getopt: invalid option -- 'z'\n".into(), 1)
        );
    }
}
