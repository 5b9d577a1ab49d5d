//! `~/.netrc`: who to be on which machine. netrc(5) of GNU inetutils, with curl's quoted words.
//!
//! Parsing only; whoever reads the file passes its bytes in. A mistake in the file is an error with
//! its line, never a guess: half a file read might send a password to the wrong host.

use std::fmt;

use crate::secret::Secret;

/// Longest file that is read, in bytes; a longer one is refused.
pub const MAX_NETRC_BYTES: u64 = 1024 * 1024;

/// One `machine` or the `default`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Entry {
    /// The machine; `None` for `default`.
    pub machine: Option<String>,
    /// User name.
    pub login: Option<Vec<u8>>,
    /// Password.
    pub password: Option<Secret>,
    /// Answer to 332.
    pub account: Option<Secret>,
}

/// What is wrong with the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetrcError {
    /// A word that is no keyword stands where one is due.
    Keyword {
        /// Line, counted from 1.
        line: usize,
    },
    /// A keyword without its value.
    Value {
        /// Line of the keyword, counted from 1.
        line: usize,
    },
    /// A quoted word that does not end on its line.
    Quote {
        /// Line, counted from 1.
        line: usize,
    },
}

/// The entry for a host: the first `machine` of that name with that login, else `default`.
///
/// `login` restricts it to entries for that user (an entry without one fits any).
///
/// # Errors
///
/// [`NetrcError`], wherever in the file the mistake is.
pub fn find(file: &[u8], host: &str, login: Option<&[u8]>) -> Result<Option<Entry>, NetrcError> {
    let entries = parse(file)?;
    let suits = |entry: &&Entry| match (&entry.login, login) {
        (Some(own), Some(wanted)) => own == wanted,
        _ => true,
    };
    let named = entries.iter().filter(suits).find(|entry| {
        entry
            .machine
            .as_ref()
            .is_some_and(|machine| machine.eq_ignore_ascii_case(host))
    });
    let default = || {
        entries
            .iter()
            .filter(suits)
            .find(|entry| entry.machine.is_none())
    };
    Ok(named.or_else(default).cloned())
}

/// All entries, in the order of the file.
///
/// # Errors
///
/// [`NetrcError`].
pub fn parse(file: &[u8]) -> Result<Vec<Entry>, NetrcError> {
    let mut words = Words {
        rest: file,
        line: 1,
    };
    let mut entries: Vec<Entry> = Vec::new();
    while let Some(keyword) = words.next(Comments::Skipped)? {
        let line = words.line;
        let mut value = || {
            words
                .next(Comments::Kept)?
                .ok_or(NetrcError::Value { line })
        };
        match keyword.as_slice() {
            b"machine" => {
                let machine = String::from_utf8_lossy(&value()?).into_owned();
                entries.push(Entry {
                    machine: Some(machine),
                    ..Entry::default()
                });
            }
            b"default" => entries.push(Entry::default()),
            b"macdef" => {
                value()?;
                words.skip_macro();
            }
            word => {
                let entry = entries.last_mut().ok_or(NetrcError::Keyword { line })?;
                match word {
                    b"login" | b"user" => entry.login = Some(value()?),
                    b"password" | b"passwd" => entry.password = Some(Secret::new(value()?)),
                    b"account" => entry.account = Some(Secret::new(value()?)),
                    _ => return Err(NetrcError::Keyword { line }),
                }
            }
        }
    }
    Ok(entries)
}

struct Words<'a> {
    rest: &'a [u8],
    line: usize,
}

/// Whether a word may be a comment: a password may well begin with `#`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Comments {
    Skipped,
    Kept,
}

impl Words<'_> {
    /// The next word; comments run from a `#` at the start of a word to the end of the line.
    fn next(&mut self, comments: Comments) -> Result<Option<Vec<u8>>, NetrcError> {
        loop {
            match self.rest {
                [] => return Ok(None),
                [b'\n', rest @ ..] => {
                    self.line += 1;
                    self.rest = rest;
                }
                [byte, rest @ ..] if byte.is_ascii_whitespace() || *byte == b',' => {
                    self.rest = rest;
                }
                [b'#', ..] if comments == Comments::Skipped => self.skip_line(),
                [b'"', rest @ ..] => {
                    self.rest = rest;
                    return self.quoted().map(Some);
                }
                word => {
                    let end = word
                        .iter()
                        .position(u8::is_ascii_whitespace)
                        .unwrap_or(word.len());
                    let (word, rest) = word.split_at(end);
                    self.rest = rest;
                    return Ok(Some(word.to_vec()));
                }
            }
        }
    }

    fn quoted(&mut self) -> Result<Vec<u8>, NetrcError> {
        let mut word = Vec::new();
        loop {
            match self.rest {
                [b'"', rest @ ..] => {
                    self.rest = rest;
                    return Ok(word);
                }
                [b'\\', byte, rest @ ..] if *byte != b'\n' => {
                    word.push(match byte {
                        b'n' => b'\n',
                        b'r' => b'\r',
                        b't' => b'\t',
                        other => *other,
                    });
                    self.rest = rest;
                }
                [] | [b'\n', ..] => return Err(NetrcError::Quote { line: self.line }),
                [byte, rest @ ..] => {
                    word.push(*byte);
                    self.rest = rest;
                }
            }
        }
    }

    fn skip_line(&mut self) {
        let end = self.rest.iter().position(|byte| *byte == b'\n');
        self.rest = end.and_then(|end| self.rest.get(end..)).unwrap_or_default();
    }

    /// A macro ends at a blank line or with the file.
    fn skip_macro(&mut self) {
        self.skip_line();
        while let [b'\n', rest @ ..] = self.rest {
            self.line += 1;
            self.rest = rest;
            if rest.first().is_none_or(|byte| *byte == b'\n') {
                return;
            }
            self.skip_line();
        }
    }
}

impl fmt::Display for NetrcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keyword { line } => write!(f, "line {line}: not a keyword of netrc"),
            Self::Value { line } => write!(f, "line {line}: a keyword without its value"),
            Self::Quote { line } => write!(f, "line {line}: a quoted word does not end"),
        }
    }
}

impl std::error::Error for NetrcError {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FILE: &[u8] = br#"# mine
machine ftp.example.org login anna password "with \"blank\" x"
machine ftp.example.org
    login bob
    passwd hunter2 account acct
macdef init
cd pub
machine not.one login x

machine other password #q
default login anonymous password me@
"#;

    fn found(host: &str, login: Option<&str>) -> Entry {
        find(FILE, host, login.map(str::as_bytes)).unwrap().unwrap()
    }

    #[test]
    fn entries_are_found_by_host_and_login() {
        let anna = found("FTP.example.org", None);
        assert_eq!(anna.login.as_deref(), Some(&b"anna"[..]));
        assert_eq!(anna.password.unwrap().expose(), b"with \"blank\" x");
        let bob = found("ftp.example.org", Some("bob"));
        assert_eq!(bob.password.unwrap().expose(), b"hunter2");
        assert_eq!(bob.account.unwrap().expose(), b"acct");
        assert_eq!(
            found("other", Some("zoe")).password.unwrap().expose(),
            b"#q"
        );
    }

    #[test]
    fn others_get_the_default_unless_it_is_for_somebody_else() {
        assert_eq!(
            found("nowhere", None).login.as_deref(),
            Some(&b"anonymous"[..])
        );
        assert_eq!(find(FILE, "nowhere", Some(b"carla")), Ok(None));
    }

    #[test]
    fn a_macro_is_skipped_to_its_blank_line() {
        let names: Vec<_> = parse(FILE)
            .unwrap()
            .into_iter()
            .filter_map(|e| e.machine)
            .collect();
        assert_eq!(names, ["ftp.example.org", "ftp.example.org", "other"]);
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        assert_eq!(
            parse(b"\nmachine a\nlogn x"),
            Err(NetrcError::Keyword { line: 3 })
        );
        assert_eq!(parse(b"login x"), Err(NetrcError::Keyword { line: 1 }));
        assert_eq!(
            parse(b"machine a login"),
            Err(NetrcError::Value { line: 1 })
        );
        assert_eq!(
            parse(b"machine a login \"x\n"),
            Err(NetrcError::Quote { line: 1 })
        );
    }

    #[test]
    fn secrets_do_not_show() {
        assert!(!format!("{:?}", parse(FILE).unwrap()).contains("hunter2"));
    }

    proptest! {
        #[test]
        fn no_file_makes_it_panic(
            file in "(machine|default|login|password|macdef|#|\"|\\\\| |\n|[a-c]){0,30}",
            bytes in prop::collection::vec(any::<u8>(), 0..60),
        ) {
            parse(file.as_bytes()).ok();
            parse(&bytes).ok();
        }
    }
}
