//! Command lines of programs whose `--help` says all that they know: the options are read from it.

use sundew_kernel::{ExitStatus, Process};

/// Sections `=== NAME` with what `NAME --help` prints, `=== NAME version`, and `=== NAME usage` with what
/// follows a complaint about the command line.
const TEXTS: &str = include_str!("texts.txt");

/// One of the texts; empty if there is none.
pub(super) fn section(name: &str) -> &'static str {
    TEXTS
        .split("=== ")
        .find_map(|section| section.strip_prefix(name)?.strip_prefix('\n'))
        .unwrap_or_default()
}

/// What a command line held: options by their long names, else by their letters.
#[derive(Debug, Default)]
pub(super) struct Line {
    pub(super) options: Vec<(String, Vec<u8>)>,
    pub(super) operands: Vec<Vec<u8>>,
}

impl Line {
    pub(super) fn has(&self, name: &str) -> bool {
        self.options.iter().any(|option| option.0 == name)
    }

    pub(super) fn value(&self, name: &str) -> Option<&[u8]> {
        let option = self.options.iter().rev().find(|option| option.0 == name);
        option.map(|option| option.1.as_slice())
    }
}

/// Whether options may follow operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Any,
    OptionsFirst,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arity {
    No,
    Optional,
    Required,
}

#[derive(Debug)]
struct Known {
    letter: Option<u8>,
    name: Option<&'static str>,
    arity: Arity,
}

impl Known {
    fn key(&self) -> String {
        match (self.name, self.letter) {
            (Some(name), _) => name.to_owned(),
            (None, Some(letter)) => char::from(letter).to_string(),
            (None, None) => String::new(),
        }
    }
}

/// The options that a `--help` lists.
fn known(help: &'static str) -> Vec<Known> {
    let mut all = Vec::new();
    for line in help.lines() {
        let line = line.trim_start();
        if !line.starts_with('-') {
            continue;
        }
        // Two blanks separate an option from its description.
        let head = line.split("  ").next().unwrap_or(line);
        let (mut letter, mut name, mut arity) = (None, None, Arity::No);
        for word in head.split([' ', ',', '|']).filter(|word| !word.is_empty()) {
            if word == "--" {
                break;
            }
            if let Some(long) = word.strip_prefix("--") {
                let end = long.find(['=', '[', '<']).unwrap_or(long.len());
                name = long.get(..end).filter(|name| !name.is_empty());
                arity = if long.contains("[=") {
                    Arity::Optional
                } else if long.contains('=') {
                    Arity::Required
                } else {
                    arity
                };
            } else if let Some(short) = word.strip_prefix('-') {
                letter = short.bytes().next();
            } else if word.starts_with(|first: char| first == '<' || first.is_ascii_alphanumeric())
            {
                arity = Arity::Required;
            }
        }
        if letter.is_some() || name.is_some() {
            all.push(Known {
                letter,
                name,
                arity,
            });
        }
    }
    all
}

/// Reads the command line by the program's own help; answers `--help` and `--version`. After a complaint
/// the status is `status`.
#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
pub(super) async fn read(
    proc: &mut Process,
    name: &str,
    status: u8,
    order: Order,
) -> Result<Line, ExitStatus> {
    let known = known(section(name));
    let mut line = Line::default();
    let mut words = proc
        .args()
        .iter()
        .skip(1)
        .cloned()
        .collect::<Vec<_>>()
        .into_iter();
    while let Some(word) = words.next() {
        if word == b"--" {
            break;
        }
        if word.len() < 2 || !word.starts_with(b"-") {
            line.operands.push(word);
            if order == Order::OptionsFirst {
                break;
            }
            continue;
        }
        if let Some(long) = word.strip_prefix(b"--") {
            let at = long.iter().position(|&byte| byte == b'=');
            let (own, value) = match at {
                Some(at) => (long.get(..at).unwrap_or_default(), long.get(at + 1..)),
                None => (long, None),
            };
            let exact = known
                .iter()
                .find(|known| known.name.is_some_and(|name| name.as_bytes() == own));
            let mut starts = known.iter().filter(|known| {
                known
                    .name
                    .is_some_and(|name| name.as_bytes().starts_with(own))
            });
            let found = exact.or_else(|| starts.next().filter(|_| starts.next().is_none()));
            let shown = super::text(own);
            let Some(found) = found else {
                let shown = super::text(long);
                let text = format!("unrecognized option '--{shown}'");
                return Err(refuse(proc, name, &text, status).await);
            };
            let value = match (found.arity, value) {
                (Arity::No, Some(_)) => {
                    let text = format!("option '--{shown}' doesn't allow an argument");
                    return Err(refuse(proc, name, &text, status).await);
                }
                (Arity::Required, None) => match words.next() {
                    Some(value) => value,
                    None => {
                        let text = format!("option '--{shown}' requires an argument");
                        return Err(refuse(proc, name, &text, status).await);
                    }
                },
                (_, value) => value.unwrap_or_default().to_vec(),
            };
            line.options.push((found.key(), value));
            continue;
        }
        let mut letters = word.iter().skip(1).copied();
        while let Some(letter) = letters.next() {
            let Some(found) = known.iter().find(|known| known.letter == Some(letter)) else {
                let text = format!("invalid option -- '{}'", char::from(letter));
                return Err(refuse(proc, name, &text, status).await);
            };
            let value = match found.arity {
                Arity::No => Vec::new(),
                Arity::Optional => letters.by_ref().collect(),
                Arity::Required => {
                    let rest: Vec<u8> = letters.by_ref().collect();
                    match Some(rest)
                        .filter(|rest| !rest.is_empty())
                        .or_else(|| words.next())
                    {
                        Some(value) => value,
                        None => {
                            let letter = char::from(letter);
                            let text = format!("option requires an argument -- '{letter}'");
                            return Err(refuse(proc, name, &text, status).await);
                        }
                    }
                }
            };
            line.options.push((found.key(), value));
        }
    }
    line.operands.extend(words);
    if line.has("help") {
        return Err(super::put(proc, section(name)).await);
    }
    if line.has("version") {
        return Err(super::put(proc, section(&format!("{name} version"))).await);
    }
    Ok(line)
}

/// `NAME: TEXT`, then the program's usage; the status to end with.
pub(super) async fn refuse(proc: &mut Process, name: &str, text: &str, status: u8) -> ExitStatus {
    let own = super::text(proc.name());
    let usage = section(&format!("{name} usage")).replace('%', &own);
    super::fail(proc, format!("{own}: {text}\n{usage}"), status).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_help_text_tells_the_options() {
        let all = known(
            "  -h --help\n  -n --lines=COUNT  How many\n     --color[=WHEN]  Paint\n  -q, --quiet   Less\n",
        );
        let rows: Vec<_> = all
            .iter()
            .map(|one| (one.letter, one.name, one.arity))
            .collect();
        assert_eq!(
            rows,
            [
                (Some(b'h'), Some("help"), Arity::No),
                (Some(b'n'), Some("lines"), Arity::Required),
                (None, Some("color"), Arity::Optional),
                (Some(b'q'), Some("quiet"), Arity::No),
            ]
        );
    }
}
