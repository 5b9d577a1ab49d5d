//! The SITE commands that several servers share.
//!
//! No document defines them; the forms are those of wu-ftpd's descendants, vsftpd, pure-ftpd and
//! ProFTPD. A server that offers SITE reads [`super::Command::Site`]'s argument with
//! [`Site::parse`].

use super::{Argument, CommandError, Verb};
use crate::address::parse_number;

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
            Self::Other(argument) => argument.as_bytes().to_vec(),
        }
    }
}

const BAD: CommandError = CommandError::BadArgument(Verb::Site);

fn octal(text: &[u8]) -> Option<u16> {
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

    proptest! {
        #[test]
        fn what_we_write_we_read(text in "(CHMOD|umask|IDLE|HELP|exec|CPFR|CPTO|x)( [0-7]{1,4})?( [a-z ]{1,9})?") {
            if let Ok(site) = parse(&text) {
                let again = Argument::new(site.to_bytes()).unwrap();
                prop_assert_eq!(Site::parse(&again), Ok(site));
            }
        }
    }
}
