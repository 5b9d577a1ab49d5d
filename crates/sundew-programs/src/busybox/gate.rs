//! The command lines that an applet refuses before it does anything.
//!
//! Every applet has its own letters; the program that does its work may know others. The rows of
//! `options.txt` were asked of the original, letter by letter: NAME, 1 if it wants an argument, its
//! letters as getopt(3) writes them (`-` for none, a leading `+` if an operand ends the
//! options), its long options, `=` behind those with a value.

use sundew_kernel::{ExitStatus, Process};

use super::usage;

const OPTIONS: &str = include_str!("options.txt");

/// Applets that answer 2 where the others answer 1.
const GRAVE: &[&str] = &["cmp", "diff", "egrep", "fgrep", "grep", "sort", "tty"];

/// What one applet takes.
struct Row {
    wants_argument: bool,
    stops_at_operand: bool,
    letters: &'static str,
    long: Vec<&'static str>,
}

fn row(applet: &[u8]) -> Option<Row> {
    let line = OPTIONS.lines().find(|line| {
        line.as_bytes()
            .strip_prefix(applet)
            .is_some_and(|rest| rest.starts_with(b" "))
    })?;
    let mut words = line.split(' ').skip(1);
    let wants_argument = words.next() == Some("1");
    let letters = words.next().unwrap_or_default();
    let plain = letters.trim_start_matches('+');
    Some(Row {
        wants_argument,
        stops_at_operand: plain.len() < letters.len(),
        letters: if plain == "-" { "" } else { plain },
        long: words.collect(),
    })
}

/// What is wrong with a command line.
#[derive(Debug, PartialEq, Eq)]
enum Wrong {
    /// This, said in the applet's name before the usage text.
    Option(Vec<u8>),
    /// Something is missing; the usage text says what.
    Missing,
}

/// Refuses a command line that the applet would not take; `None` when it may run.
pub(super) async fn refuse(proc: &mut Process, applet: &[u8]) -> Option<ExitStatus> {
    let wrong = wrong(&row(applet)?, proc.args().get(1..).unwrap_or_default())?;
    // These call a missing file something else than a wrong letter.
    let only_missing = matches!(applet, b"cmp" | b"diff") && wrong == Wrong::Missing;
    if let Wrong::Option(text) = wrong {
        proc.print_error(&[applet, b": ", &text, b"\n"].concat())
            .await;
    }
    let status = usage::refuse(proc, applet).await;
    let name = std::str::from_utf8(applet).unwrap_or_default();
    Some(if GRAVE.contains(&name) && !only_missing {
        ExitStatus::Exited(2)
    } else {
        status
    })
}

fn wrong(row: &Row, words: &[Vec<u8>]) -> Option<Wrong> {
    if words.is_empty() && row.wants_argument {
        return Some(Wrong::Missing);
    }
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == b"--" {
            return None;
        }
        let Some(letters) = word.strip_prefix(b"-").filter(|rest| !rest.is_empty()) else {
            if row.stops_at_operand {
                return None;
            }
            continue;
        };
        if let Some(name) = letters.strip_prefix(b"-") {
            let bare = name.split(|&byte| byte == b'=').next().unwrap_or(name);
            let known = row
                .long
                .iter()
                .find(|long| long.as_bytes().starts_with(bare));
            let Some(known) = known else {
                let text = [b"unrecognized option '", word.as_slice(), b"'"].concat();
                return Some(Wrong::Option(text));
            };
            if known.ends_with('=') && bare.len() == name.len() && words.next().is_none() {
                let name = known.trim_end_matches('=');
                let text = format!("option '--{name}' requires an argument");
                return Some(Wrong::Option(text.into_bytes()));
            }
            continue;
        }
        let mut rest = letters;
        while let Some((&letter, behind)) = rest.split_first() {
            rest = behind;
            let Some(at) = row.letters.bytes().position(|known| known == letter) else {
                let text = [b"invalid option -- '".as_slice(), &[letter], b"'"].concat();
                return Some(Wrong::Option(text));
            };
            let behind = row.letters.get(at + 1..).unwrap_or_default();
            if !behind.starts_with(':') {
                continue;
            }
            if behind.starts_with("::") {
                break;
            }
            if rest.is_empty() && words.next().is_none() {
                let text = [
                    b"option requires an argument -- '".as_slice(),
                    &[letter],
                    b"'",
                ]
                .concat();
                return Some(Wrong::Option(text));
            }
            break;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(applet: &str, line: &str) -> Option<String> {
        let words: Vec<Vec<u8>> = line.split_whitespace().map(|word| word.into()).collect();
        wrong(&row(applet.as_bytes()).unwrap(), &words).map(|wrong| match wrong {
            Wrong::Option(text) => String::from_utf8(text).unwrap(),
            Wrong::Missing => "missing".to_owned(),
        })
    }

    #[test]
    fn an_applet_takes_its_own_letters_only() {
        let said = |text: &str| Some(text.to_owned());
        assert_eq!(refused("ls", "-la --color=never x"), None);
        assert_eq!(refused("ls", "-q"), said("invalid option -- 'q'"));
        assert_eq!(refused("ls", "x -lZ"), said("invalid option -- 'Z'"));
        assert_eq!(refused("ls", "-- -Z"), None);
        assert_eq!(refused("rm", ""), said("missing"));
        assert_eq!(
            refused("head", "-n"),
            said("option requires an argument -- 'n'")
        );
        assert_eq!(refused("head", "-n -5"), None);
        assert_eq!(refused("env", "A=1 ls -Z"), None);
        assert_eq!(
            refused("tar", "--exclude=x"),
            said("unrecognized option '--exclude=x'")
        );
    }

    #[test]
    fn every_row_is_of_an_applet() {
        for line in OPTIONS.lines() {
            let name = line.split(' ').next().unwrap();
            assert!(usage::is_applet(name.as_bytes()), "{name}");
        }
    }
}
