//! The SITE commands that several servers share.
//!
//! No document defines them; the forms are those of wu-ftpd's descendants, vsftpd, pure-ftpd and
//! ProFTPD. A server that offers SITE reads [`super::Command::Site`]'s argument with
//! [`Site::parse`].

use super::{Argument, CommandError, Timestamp, Verb};
use crate::address::{self, parse_number};

/// One SITE command.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Site {
    /// `CHMOD 644 path`.
    Chmod {
        /// Permission bits, at most `0o7777`.
        mode: u16,
        /// The path.
        path: Argument,
    },
    /// `UMASK` or `UMASK 022`.
    Umask(Option<u16>),
    /// `IDLE` or `IDLE 600`, in seconds.
    Idle(Option<u32>),
    /// `HELP`, with a topic or without.
    Help(Option<Argument>),
    /// `EXEC command`: run a program; a favourite of attackers since wu-ftpd.
    Exec(Argument),
    /// `CPFR path`: copy from. CVE-2015-3306 made ProFTPD's famous.
    CopyFrom(Argument),
    /// `CPTO path`: copy to.
    CopyTo(Argument),
    /// `COPY from to`: both in one.
    Copy {
        /// The file.
        from: Argument,
        /// The new path.
        to: Argument,
    },
    /// `SYMLINK target path`.
    Symlink {
        /// What the link says.
        target: Argument,
        /// The link.
        path: Argument,
    },
    /// `UTIME 20240102030405 path` of pure-ftpd, or `UTIME path atime mtime ctime UTC` of ProFTPD.
    Utime {
        /// Last access, in the second form.
        accessed: Option<Timestamp>,
        /// Last change.
        modified: Timestamp,
        /// The path.
        path: Argument,
    },
    /// `MKDIR path`: with what is missing above it.
    Mkdir(Argument),
    /// `RMDIR path`: with what it holds.
    Rmdir(Argument),
    /// `WHO`.
    Who,
    /// `QUOTA`.
    Quota,
    /// Anything else, whole.
    Other(Argument),
}

impl Site {
    /// Reads what stands behind `SITE `.
    ///
    /// # Errors
    ///
    /// [`CommandError`] about [`Verb::Site`] if one of the known words has no or a bad argument.
    pub fn parse(argument: &Argument) -> Result<Self, CommandError> {
        let mut parts = argument.as_bytes().splitn(2, |&byte| byte == b' ');
        let word = parts.next().unwrap_or_default().to_ascii_uppercase();
        let rest = parts.next().filter(|rest| !rest.is_empty());
        let text = || {
            let rest = rest.ok_or(CommandError::MissingArgument(Verb::Site))?;
            Argument::new(rest).map_err(|_| BAD)
        };
        Ok(match word.as_slice() {
            b"CHMOD" => {
                let mut parts = text()?.into_bytes();
                let blank = parts.iter().position(|&b| b == b' ').ok_or(BAD)?;
                let path = parts.split_off(blank + 1);
                parts.truncate(blank);
                Self::Chmod {
                    mode: octal(&parts).ok_or(BAD)?,
                    path: Argument::new(path).map_err(|_| BAD)?,
                }
            }
            b"UMASK" => Self::Umask(rest.map(|rest| octal(rest).ok_or(BAD)).transpose()?),
            b"IDLE" => Self::Idle(rest.map(|rest| parse_number(rest).ok_or(BAD)).transpose()?),
            b"HELP" => Self::Help(rest.map(|_| text()).transpose()?),
            b"EXEC" => Self::Exec(text()?),
            b"CPFR" => Self::CopyFrom(text()?),
            b"CPTO" => Self::CopyTo(text()?),
            b"COPY" => {
                let (from, to) = two(text()?.as_bytes())?;
                Self::Copy { from, to }
            }
            b"SYMLINK" => {
                let (target, path) = two(text()?.as_bytes())?;
                Self::Symlink { target, path }
            }
            b"UTIME" => utime(text()?.as_bytes()).ok_or(BAD)?,
            b"MKDIR" => Self::Mkdir(text()?),
            b"RMDIR" => Self::Rmdir(text()?),
            b"WHO" if rest.is_none() => Self::Who,
            b"QUOTA" if rest.is_none() => Self::Quota,
            _ => Self::Other(argument.clone()),
        })
    }

    /// The argument to put behind `SITE`; [`Site::parse`] reads the same back.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let word = |word: &str, rest: &[u8]| [word.as_bytes(), rest].concat();
        match self {
            Self::Chmod { mode, path } => word(&format!("CHMOD {mode:03o} "), path.as_bytes()),
            Self::Umask(None) => word("UMASK", b""),
            Self::Umask(Some(mask)) => word(&format!("UMASK {mask:03o}"), b""),
            Self::Idle(None) => word("IDLE", b""),
            Self::Idle(Some(seconds)) => word(&format!("IDLE {seconds}"), b""),
            Self::Help(None) => word("HELP", b""),
            Self::Help(Some(topic)) => word("HELP ", topic.as_bytes()),
            Self::Exec(command) => word("EXEC ", command.as_bytes()),
            Self::CopyFrom(path) => word("CPFR ", path.as_bytes()),
            Self::CopyTo(path) => word("CPTO ", path.as_bytes()),
            Self::Copy { from, to } => [&b"COPY "[..], &quoted(from), b" ", &quoted(to)].concat(),
            Self::Symlink { target, path } => {
                [&b"SYMLINK "[..], &quoted(target), b" ", &quoted(path)].concat()
            }
            Self::Utime {
                accessed: None,
                modified,
                path,
            } => word(&format!("UTIME {modified} "), path.as_bytes()),
            Self::Utime {
                accessed: Some(accessed),
                modified,
                path,
            } => {
                let times = format!(" {accessed} {modified} {modified} UTC");
                [&b"UTIME "[..], path.as_bytes(), times.as_bytes()].concat()
            }
            Self::Mkdir(path) => word("MKDIR ", path.as_bytes()),
            Self::Rmdir(path) => word("RMDIR ", path.as_bytes()),
            Self::Who => word("WHO", b""),
            Self::Quota => word("QUOTA", b""),
            Self::Other(argument) => argument.as_bytes().to_vec(),
        }
    }
}

/// Two words, either of which may be quoted.
fn two(text: &[u8]) -> Result<(Argument, Argument), CommandError> {
    let words = quoted_words(text).ok_or(BAD)?;
    let [first, second] = <[Vec<u8>; 2]>::try_from(words).map_err(|_| BAD)?;
    let argument = |word| Argument::new(word).map_err(|_| BAD);
    Ok((argument(first)?, argument(second)?))
}

fn quoted(argument: &Argument) -> Vec<u8> {
    address::quote(argument.as_bytes())
}

fn utime(text: &[u8]) -> Option<Site> {
    let time = |text: &[u8]| match text.len() {
        // Without seconds.
        12 => Timestamp::parse(&[text, b"00"].concat()),
        _ => Timestamp::parse(text),
    };
    if let Some(rest) = text.strip_suffix(b" UTC") {
        let mut words = rest.rsplitn(4, |&byte| byte == b' ');
        let (_created, modified) = (time(words.next()?)?, time(words.next()?)?);
        let accessed = Some(time(words.next()?)?);
        let path = Argument::new(words.next()?).ok()?;
        return Some(Site::Utime {
            accessed,
            modified,
            path,
        });
    }
    let blank = text.iter().position(|&byte| byte == b' ')?;
    let (modified, path) = text.split_at_checked(blank)?;
    Some(Site::Utime {
        accessed: None,
        modified: time(modified)?,
        path: Argument::new(path.get(1..)?).ok()?,
    })
}

/// Words between blanks; one in quotes may hold blanks, and quotes that are doubled.
pub(crate) fn quoted_words(text: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut words = Vec::new();
    let mut bytes = text.iter().copied().peekable();
    loop {
        while bytes.next_if_eq(&b' ').is_some() {}
        let Some(&first) = bytes.peek() else {
            return Some(words);
        };
        let mut word = Vec::new();
        if first == b'"' {
            bytes.next();
            loop {
                match bytes.next()? {
                    b'"' if bytes.next_if_eq(&b'"').is_some() => word.push(b'"'),
                    b'"' => break,
                    byte => word.push(byte),
                }
            }
        } else {
            while let Some(byte) = bytes.next_if(|&byte| byte != b' ') {
                word.push(byte);
            }
        }
        if word.is_empty() {
            return None;
        }
        words.push(word);
    }
}

const BAD: CommandError = CommandError::BadArgument(Verb::Site);

pub(crate) fn octal(text: &[u8]) -> Option<u16> {
    let digits = !text.is_empty() && text.iter().all(|byte| (b'0'..=b'7').contains(byte));
    let text = std::str::from_utf8(text).ok().filter(|_| digits)?;
    u16::from_str_radix(text, 8)
        .ok()
        .filter(|&mode| mode <= 0o7777)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<Site, CommandError> {
        Site::parse(&Argument::try_from(text).unwrap())
    }

    #[test]
    fn known_words_are_read_in_any_case_and_others_kept_whole() {
        let path = Argument::try_from("a b").unwrap();
        assert_eq!(
            parse("chmod 4755 a b"),
            Ok(Site::Chmod { mode: 0o4755, path })
        );
        assert_eq!(parse("umask"), Ok(Site::Umask(None)));
        assert_eq!(
            parse("PSWD a b"),
            Ok(Site::Other(Argument::try_from("PSWD a b").unwrap()))
        );
        assert_eq!(parse("CHMOD 8 a"), Err(BAD));
        assert_eq!(parse("CHMOD 777777 a"), Err(BAD));
        assert_eq!(
            parse("EXEC"),
            Err(CommandError::MissingArgument(Verb::Site))
        );
    }

    #[test]
    fn words_may_be_quoted() {
        let words = |text: &str| {
            let words = quoted_words(text.as_bytes())?;
            let words = words
                .into_iter()
                .map(|word| String::from_utf8(word).unwrap());
            Some(words.collect::<Vec<_>>())
        };
        assert_eq!(words("a  b"), Some(vec!["a".into(), "b".into()]));
        assert_eq!(
            words("\"a b\" c\"d"),
            Some(vec!["a b".into(), "c\"d".into()])
        );
        assert_eq!(words("\"a \"\"b\"\"\""), Some(vec!["a \"b\"".into()]));
        assert_eq!(words("\"a"), None);
        assert_eq!(words("\"\""), None);
    }

    #[test]
    fn times_are_set_in_both_manners() {
        let path = Argument::try_from("a b").unwrap();
        let time = Timestamp::new(2024, 1, 2, 3, 4, 0).unwrap();
        for (text, accessed) in [
            ("UTIME 202401020304 a b", None),
            ("UTIME 20240102030400 a b", None),
            (
                "UTIME a b 202401020304 202401020304 202401020304 UTC",
                Some(time),
            ),
        ] {
            let expected = Site::Utime {
                accessed,
                modified: time,
                path: path.clone(),
            };
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
        assert_eq!(parse("UTIME x a"), Err(BAD));
    }

    proptest! {
        #[test]
        fn what_we_write_we_read(text in "(CHMOD|umask|IDLE|HELP|exec|CPFR|CPTO|COPY|SYMLINK|MKDIR|WHO|x)( [0-7]{1,4})?( [a-z \"]{1,9})?") {
            if let Ok(site) = parse(&text) {
                let again = Argument::new(site.to_bytes()).unwrap();
                prop_assert_eq!(Site::parse(&again), Ok(site));
            }
        }
    }
}
