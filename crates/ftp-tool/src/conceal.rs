//! Passwords in URLs of the command line, kept from those who look at the list of processes.
//!
//! Everybody on a computer may read every process's arguments. A program cannot change its own without
//! `unsafe`, but it can start over in the same process with others: what stands between `:` and `@` of a
//! URL goes into the environment, which only its owner may read, and a mark into its place. As with curl,
//! it can be seen for the moment before.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::process::CommandExt as _;

use crate::console::hex;

/// The passwords that were taken out, in hexadecimal, commas between them.
const VARIABLE: &str = "SUNDEW_FTP_CONCEALED";

/// Stands where a password was.
const MARK: &[u8] = b"***";

/// The arguments of this process, the name of the program first. If a URL among them has a password, it
/// starts the program anew without.
#[must_use]
pub fn arguments() -> Vec<OsString> {
    let given: Vec<OsString> = std::env::args_os().collect();
    if let Some(kept) = std::env::var_os(VARIABLE) {
        return reveal(&given, &kept);
    }
    let (shown, secrets) = hide(&given);
    if !secrets.is_empty() {
        start_anew(&shown, &secrets.join(","));
    }
    given
}

/// Reads the command line as `clap` does, and shows no password when it says what is wrong with it.
#[must_use]
pub fn parse<C: clap::Parser>() -> C {
    let words = arguments();
    let error = match C::try_parse_from(&words) {
        Ok(read) => return read,
        Err(error) => error,
    };
    let (shown, secrets) = hide(&words);
    if secrets.is_empty() {
        error.exit();
    }
    let text = cover(&error.render().to_string(), &words, &shown);
    // There is nowhere to say that the standard error fails.
    io::stderr().write_all(text.as_bytes()).ok();
    std::process::exit(error.exit_code())
}

/// A text with each argument as it may be shown.
fn cover(text: &str, given: &[OsString], shown: &[OsString]) -> String {
    let pairs = given
        .iter()
        .zip(shown)
        .filter(|(given, shown)| given != shown);
    pairs.fold(text.to_owned(), |text, (given, shown)| {
        let (mut given, mut shown) = (given.to_string_lossy(), shown.to_string_lossy());
        // What stands behind `--option=` is shown without it.
        if given.starts_with('-')
            && let (Some((_, value)), Some((_, safe))) =
                (given.split_once('='), shown.split_once('='))
        {
            (given, shown) = (value.to_owned().into(), safe.to_owned().into());
        }
        text.replace(&*given, &shown)
    })
}

/// Returns only if it fails, which is no reason not to do what was asked.
fn start_anew(arguments: &[OsString], secrets: &str) {
    #[expect(
        clippy::disallowed_types,
        reason = "the only program that is started is this one"
    )]
    let mut program = std::process::Command::new("/proc/self/exe");
    if let Some((name, rest)) = arguments.split_first() {
        let _failed = program.arg0(name).args(rest).env(VARIABLE, secrets).exec();
    }
}

/// The arguments with marks for passwords, and the passwords.
fn hide(arguments: &[OsString]) -> (Vec<OsString>, Vec<String>) {
    let mut secrets = Vec::new();
    let shown = arguments.iter().map(|argument| {
        let bytes = argument.as_bytes();
        match split(bytes) {
            None => argument.clone(),
            Some((before, secret, after)) => {
                secrets.push(hex(secret));
                OsString::from_vec([before, MARK, after].concat())
            }
        }
    });
    (shown.collect(), secrets)
}

/// Puts the passwords back.
fn reveal(arguments: &[OsString], kept: &OsStr) -> Vec<OsString> {
    let mut secrets = kept.as_bytes().split(|byte| *byte == b',').map(unhex);
    let put_back = |argument: &OsString| {
        let (before, _, after) = split(argument.as_bytes()).filter(|(_, mark, _)| *mark == MARK)?;
        Some(OsString::from_vec(
            [before, &secrets.next()??, after].concat(),
        ))
    };
    let mut put_back = put_back;
    arguments
        .iter()
        .map(|argument| put_back(argument).unwrap_or_else(|| argument.clone()))
        .collect()
}

/// What stands before, in and behind the password of a URL in an argument (`--proxy=URL` too).
fn split(argument: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let scheme = argument.windows(3).position(|three| three == b"://")?;
    let rest = argument.get(scheme + 3..)?;
    let end = rest
        .iter()
        .position(|byte| matches!(byte, b'/' | b'?' | b'#'))
        .unwrap_or(rest.len());
    let login = rest.get(..end)?;
    let at = login.iter().rposition(|byte| *byte == b'@')?;
    let colon = login.get(..at)?.iter().position(|byte| *byte == b':')?;
    let (first, last) = (scheme + 3 + colon + 1, scheme + 3 + at);
    let secret = argument.get(first..last).filter(|text| !text.is_empty())?;
    Some((argument.get(..first)?, secret, argument.get(last..)?))
}

fn unhex(digits: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(digits).ok()?;
    let pairs = (0..text.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    #[test]
    fn passwords_are_taken_out_and_put_back() {
        let given = words(&[
            "sundew-ftp",
            "get",
            "ftp://anna:se:cr@et@h/x:y@z",
            "ftp://anna@h/",
            "ftp://h/a:b@c",
            "--proxy=socks5://u:p@127.0.0.1:1",
            "a:b@c",
            "ftp://u:@h/",
        ]);
        let (shown, secrets) = hide(&given);
        assert_eq!(
            shown,
            words(&[
                "sundew-ftp",
                "get",
                "ftp://anna:***@h/x:y@z",
                "ftp://anna@h/",
                "ftp://h/a:b@c",
                "--proxy=socks5://u:***@127.0.0.1:1",
                "a:b@c",
                "ftp://u:@h/",
            ])
        );
        let kept = OsString::from(secrets.join(","));
        assert_eq!(reveal(&shown, &kept), given);
        let complaint = "invalid 'ftp://anna:se:cr@et@h/x:y@z' and 'socks5://u:p@127.0.0.1:1'";
        assert_eq!(
            cover(complaint, &given, &shown),
            "invalid 'ftp://anna:***@h/x:y@z' and 'socks5://u:***@127.0.0.1:1'"
        );
        // Whoever sets the variable by hand gets what was typed.
        assert_eq!(reveal(&given, OsStr::new("zz")), given);
    }
}
