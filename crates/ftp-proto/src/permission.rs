//! What a user may do, in the letters pyftpdlib made known, with exceptions for directories.
//!
//! `e` enter, `l` list, `r` retrieve, `a` append, `d` delete, `f` rename, `m` make a directory,
//! `w` store, `M` change the mode, `T` change times. Reading and writing of the letters are
//! inverses. Which verb needs which right is decided in [`crate::server`].

use std::fmt;
use std::str::FromStr;

use crate::server::Path;

/// One thing a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Right {
    /// `e`: make a directory the working one (CWD, CDUP).
    Enter,
    /// `l`: list and look (LIST, NLST, MLSD, MLST, SIZE, MDTM, STAT).
    List,
    /// `r`: retrieve and hash (RETR, HASH).
    Retrieve,
    /// `a`: append (APPE).
    Append,
    /// `d`: delete files and directories (DELE, RMD).
    Delete,
    /// `f`: rename (RNFR, RNTO).
    Rename,
    /// `m`: make directories (MKD).
    Make,
    /// `w`: store files, new ones or over others (STOR, STOU).
    Store,
    /// `M`: change the mode (SITE CHMOD).
    Mode,
    /// `T`: change times (MFMT).
    Time,
}

impl Right {
    /// All rights, in the order the letters are written.
    pub const ALL: [Self; 10] = [
        Self::Enter,
        Self::List,
        Self::Retrieve,
        Self::Append,
        Self::Delete,
        Self::Rename,
        Self::Make,
        Self::Store,
        Self::Mode,
        Self::Time,
    ];

    /// The letter.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::Enter => 'e',
            Self::List => 'l',
            Self::Retrieve => 'r',
            Self::Append => 'a',
            Self::Delete => 'd',
            Self::Rename => 'f',
            Self::Make => 'm',
            Self::Store => 'w',
            Self::Mode => 'M',
            Self::Time => 'T',
        }
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// A set of [`Right`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rights(u16);

impl Rights {
    /// None.
    pub const NONE: Self = Self(0);
    /// `elr`: whoever may only read.
    pub const READ: Self = Self::NONE
        .with(Right::Enter)
        .with(Right::List)
        .with(Right::Retrieve);
    /// All.
    pub const ALL: Self = Self((1 << Right::ALL.len()) - 1);

    /// These and one more.
    #[must_use]
    pub const fn with(self, right: Right) -> Self {
        Self(self.0 | right.bit())
    }

    /// These without one.
    #[must_use]
    pub const fn without(self, right: Right) -> Self {
        Self(self.0 & !right.bit())
    }

    /// Whether one is among them.
    #[must_use]
    pub const fn has(self, right: Right) -> bool {
        self.0 & right.bit() != 0
    }

    /// Whether anything can be changed with them.
    #[must_use]
    pub const fn may_change(self) -> bool {
        self.0 & !Self::READ.0 != 0
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for right in Right::ALL {
            if self.has(right) {
                write!(f, "{}", right.letter())?;
            }
        }
        Ok(())
    }
}

/// A letter that stands for no right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownLetter(pub char);

impl fmt::Display for UnknownLetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no right has the letter {:?}, only elradfmwMT", self.0)
    }
}

impl std::error::Error for UnknownLetter {}

impl FromStr for Rights {
    type Err = UnknownLetter;

    fn from_str(text: &str) -> Result<Self, UnknownLetter> {
        text.chars().try_fold(Self::NONE, |rights, letter| {
            let mut all = Right::ALL.into_iter();
            let right = all.find(|right| right.letter() == letter);
            Ok(rights.with(right.ok_or(UnknownLetter(letter))?))
        })
    }
}

/// Other rights in one directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// The directory, as the user sees it.
    pub directory: Path,
    /// What may be done there instead.
    pub rights: Rights,
    /// Whether that holds in all directories below as well, or only for it and its entries.
    pub recursive: bool,
}

/// What one user may do, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    rights: Rights,
    overrides: Vec<Override>,
}

impl Permissions {
    /// The same everywhere.
    #[must_use]
    pub const fn new(rights: Rights) -> Self {
        Self {
            rights,
            overrides: Vec::new(),
        }
    }

    /// With other rights in one directory; the deepest directory that fits a path decides, and of
    /// two that are the same the later one.
    #[must_use]
    pub fn with_override(mut self, other: Override) -> Self {
        self.overrides
            .retain(|old| old.directory != other.directory);
        self.overrides.push(other);
        self
    }

    /// The rights where no directory says otherwise.
    #[must_use]
    pub const fn general(&self) -> Rights {
        self.rights
    }

    /// The exceptions.
    #[must_use]
    pub fn overrides(&self) -> &[Override] {
        &self.overrides
    }

    /// The rights on one path, which names a file or a directory.
    #[must_use]
    pub fn at(&self, path: &Path) -> Rights {
        let fits = |other: &&Override| {
            if other.recursive {
                path.is_in(&other.directory)
            } else {
                *path == other.directory || path.parent() == other.directory
            }
        };
        let deepest = self
            .overrides
            .iter()
            .filter(fits)
            .max_by_key(|other| other.directory.as_bytes().len());
        deepest.map_or(self.rights, |other| other.rights)
    }

    /// Whether anything can be changed anywhere.
    #[must_use]
    pub fn may_change(&self) -> bool {
        let mut overrides = self.overrides.iter();
        self.rights.may_change() || overrides.any(|other| other.rights.may_change())
    }
}

impl From<Rights> for Permissions {
    fn from(rights: Rights) -> Self {
        Self::new(rights)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(text: &str) -> Path {
        Path::root().join(text.as_bytes()).unwrap()
    }

    #[test]
    fn letters_are_those_of_pyftpdlib() {
        assert_eq!(Rights::ALL.to_string(), "elradfmwMT");
        assert_eq!(Rights::READ.to_string(), "elr");
        assert_eq!("elx".parse::<Rights>(), Err(UnknownLetter('x')));
        assert!(!Rights::READ.may_change());
        assert!(Rights::NONE.with(Right::Append).may_change());
    }

    #[test]
    fn the_deepest_directory_decides() {
        let other = |directory, letters: &str, recursive| Override {
            directory: path(directory),
            rights: letters.parse().unwrap(),
            recursive,
        };
        let permissions = Permissions::new(Rights::READ)
            .with_override(other("/incoming", "ew", true))
            .with_override(other("/incoming/open", "elrw", false));
        for (at, letters) in [
            ("/pub/a", "elr"),
            ("/incoming", "ew"),
            ("/incoming/x/y", "ew"),
            ("/incomings", "elr"),
            ("/incoming/open", "elrw"),
            ("/incoming/open/file", "elrw"),
            ("/incoming/open/sub/file", "ew"),
        ] {
            assert_eq!(permissions.at(&path(at)).to_string(), letters, "{at}");
        }
        assert!(permissions.may_change());
    }

    proptest! {
        #[test]
        fn what_we_write_we_read(letters in "[elradfmwMT]{0,12}") {
            let rights: Rights = letters.parse().unwrap();
            prop_assert_eq!(rights.to_string().parse(), Ok(rights));
        }
    }
}
