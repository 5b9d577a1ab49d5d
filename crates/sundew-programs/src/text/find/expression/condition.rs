//! Tests of an expression: what a file must be like.

use sundew_posix::pattern::{self, Pattern};
use sundew_posix::regex::{Flags, Regex, Whole};
use sundew_vfs::{FileType, Timestamp};

use super::{Failure, Node, Parser, Range, Time};
use crate::mode::Change;

impl Parser<'_> {
    pub(super) fn name_test(&mut self, name: &[u8]) -> Result<Option<Node>, Failure> {
        let fold = name.starts_with(b"-i") && name != b"-inum";
        let options = pattern::Options {
            extended: false,
            ignore_case: fold,
        };
        Ok(Some(match name {
            b"-name" | b"-iname" => Node::Name(Pattern::from_bytes(&self.argument(name)?, options)),
            b"-path" | b"-ipath" | b"-wholename" | b"-iwholename" => {
                Node::Path(Pattern::from_bytes(&self.argument(name)?, options))
            }
            b"-lname" | b"-ilname" => {
                Node::LinkName(Pattern::from_bytes(&self.argument(name)?, options))
            }
            b"-regex" | b"-iregex" => {
                let text = self.argument(name)?;
                let flags = Flags {
                    ignore_case: fold,
                    newline: false,
                };
                let regex = Regex::whole(&text, Some(self.syntax), flags, Whole::Line);
                Node::Regex(Box::new(regex.map_err(|error| {
                    [
                        b"failed to compile regular expression '".as_slice(),
                        &text,
                        b"': ",
                        error.message().as_bytes(),
                    ]
                    .concat()
                })?))
            }
            _ => return Ok(None),
        }))
    }

    fn range(&mut self, name: &[u8]) -> Result<Range, Failure> {
        let word = self.argument(name)?;
        range(&word).ok_or_else(|| {
            [
                b"invalid argument `".as_slice(),
                &word,
                b"' to `",
                name,
                b"'",
            ]
            .concat()
        })
    }

    /// An age with a decimal point, such as `-mtime -0.5`.
    fn fraction(
        &mut self,
        name: &[u8],
        unit: i64,
        now: i64,
        time: Time,
    ) -> Result<Option<Node>, Failure> {
        let word = self.peek().unwrap_or_default();
        let (sign, digits) = match word.split_first() {
            Some((sign @ (b'+' | b'-'), rest)) => (*sign, rest),
            _ => (b' ', word),
        };
        let plain = digits
            .iter()
            .all(|byte| byte.is_ascii_digit() || *byte == b'.');
        let number = std::str::from_utf8(digits)
            .ok()
            .filter(|_| plain && digits.contains(&b'.') && sign != b' ')
            .and_then(|text| text.parse::<f64>().ok());
        let Some(number) = number else {
            return Ok(None);
        };
        self.argument(name)?;
        #[expect(clippy::cast_possible_truncation, reason = "casts of floats saturate")]
        #[expect(clippy::cast_precision_loss, reason = "a minute or a day")]
        let seconds = (number * unit as f64) as i64;
        let than = Timestamp {
            secs: now.saturating_sub(seconds),
            nanos: 0,
        };
        let newer = Node::Newer { than, time };
        Ok(Some(if sign == b'-' {
            newer
        } else {
            Node::Not(Box::new(newer))
        }))
    }

    pub(super) fn number_test(&mut self, name: &[u8]) -> Result<Option<Node>, Failure> {
        let mut now = self.proc.now().secs;
        if self.daystart {
            now = now - now.rem_euclid(86_400) + 86_400;
        }
        let time = match name.get(1) {
            Some(b'a') => Time::Access,
            Some(b'c') => Time::Change,
            _ => Time::Modification,
        };
        Ok(Some(match name {
            b"-amin" | b"-cmin" | b"-mmin" | b"-atime" | b"-ctime" | b"-mtime" => {
                let unit = if name.ends_with(b"min") { 60 } else { 86_400 };
                match self.fraction(name, unit, now, time)? {
                    Some(node) => node,
                    None => Node::Age {
                        time,
                        range: self.range(name)?,
                        seconds: unit,
                        now,
                    },
                }
            }
            b"-links" => Node::Links(self.range(name)?),
            b"-inum" => Node::Inode(self.range(name)?),
            b"-uid" => Node::UserNumber(self.range(name)?),
            b"-gid" => Node::GroupNumber(self.range(name)?),
            b"-size" => {
                let word = self.argument(name)?;
                let (digits, unit) = match word.last() {
                    Some(b'b') => (word.len() - 1, 512),
                    Some(b'c') => (word.len() - 1, 1),
                    Some(b'w') => (word.len() - 1, 2),
                    Some(b'k') => (word.len() - 1, 1 << 10),
                    Some(b'M') => (word.len() - 1, 1 << 20),
                    Some(b'G') => (word.len() - 1, 1 << 30),
                    Some(letter) if !letter.is_ascii_digit() => {
                        return Err([b"invalid -size type `".as_slice(), &[*letter], b"'"].concat());
                    }
                    _ => (word.len(), 512),
                };
                let Some(range) = range(word.get(..digits).unwrap_or_default()) else {
                    return Err([b"Invalid argument `".as_slice(), &word, b"' to -size"].concat());
                };
                Node::Size { range, unit }
            }
            _ => return Ok(None),
        }))
    }

    pub(super) fn file_test(&mut self, name: &[u8]) -> Result<Option<Node>, Failure> {
        Ok(Some(match name {
            b"-true" => Node::True,
            b"-false" => Node::False,
            b"-empty" => Node::Empty,
            b"-readable" => Node::Access(sundew_vfs::Access::Read),
            b"-writable" => Node::Access(sundew_vfs::Access::Write),
            b"-executable" => Node::Access(sundew_vfs::Access::Execute),
            b"-nouser" => Node::NoUser,
            b"-nogroup" => Node::NoGroup,
            b"-type" | b"-xtype" => {
                let word = self.argument(name)?;
                Node::Type(types(name, &word)?, name == b"-xtype")
            }
            b"-fstype" => Node::FileSystem(self.argument(name)?),
            b"-perm" => {
                let word = self.argument(name)?;
                let (kind, text) = match word.first() {
                    Some(b'-') => ('-', word.get(1..).unwrap_or_default()),
                    Some(b'/') => ('/', word.get(1..).unwrap_or_default()),
                    _ => ('=', word.as_slice()),
                };
                // What `/` does now was `+` once.
                let obsolete = matches!(word.as_slice(), [b'+', b'0'..=b'9', ..]);
                let Some(change) = Change::parse(text).filter(|_| !obsolete) else {
                    return Err(["invalid mode ‘".as_bytes(), &word, "’".as_bytes()].concat());
                };
                Node::Permission(change.apply(0, false, 0), kind)
            }
            b"-user" | b"-group" => {
                let word = self.argument(name)?;
                self.owner(name, &word)?
            }
            [b'-', b'n', b'e', b'w', b'e', b'r', x, y] => self.newer(name, *x, *y)?,
            b"-used" => Node::Used(self.range(name)?),
            b"-context" => {
                return Err(b"invalid predicate -context: SELinux is not enabled.".to_vec());
            }
            b"-newer" | b"-anewer" | b"-cnewer" | b"-samefile" => {
                let path = self.argument(name)?;
                let metadata = self.proc.stat(&path).map_err(|errno| {
                    [
                        "‘".as_bytes(),
                        &path,
                        "’: ".as_bytes(),
                        errno.message().as_bytes(),
                    ]
                    .concat()
                })?;
                match name {
                    b"-samefile" => Node::Same(metadata.dev, metadata.ino.0),
                    b"-anewer" => Node::Newer {
                        than: metadata.mtime,
                        time: Time::Access,
                    },
                    b"-cnewer" => Node::Newer {
                        than: metadata.mtime,
                        time: Time::Change,
                    },
                    _ => Node::Newer {
                        than: metadata.mtime,
                        time: Time::Modification,
                    },
                }
            }
            _ => return Ok(None),
        }))
    }

    /// `-newerXY`: which time of the file is later than which time of another, or than a time given.
    fn newer(&mut self, name: &[u8], x: u8, y: u8) -> Result<Node, Failure> {
        let invalid = || [b"invalid predicate `".as_slice(), name, b"'"].concat();
        let time = match x {
            b'a' => Time::Access,
            b'c' => Time::Change,
            b'm' => Time::Modification,
            b'B' => {
                let what = b"This system does not provide a way to find the birth time of a file.";
                return Err(what.to_vec());
            }
            _ => return Err(invalid()),
        };
        if !b"aBcmt".contains(&y) {
            return Err(invalid());
        }
        let word = self.argument(name)?;
        if y == b't' {
            let parsed =
                crate::time::parse::parse(&word, self.proc.now(), &crate::time::Zone::utc());
            let than = parsed.ok_or_else(|| {
                [
                    "I cannot figure out how to interpret ‘".as_bytes(),
                    &word,
                    "’ as a date or time".as_bytes(),
                ]
                .concat()
            })?;
            return Ok(Node::Newer { than, time });
        }
        let metadata = self.proc.stat(&word).map_err(|errno| {
            [
                "‘".as_bytes(),
                &word,
                "’: ".as_bytes(),
                errno.message().as_bytes(),
            ]
            .concat()
        })?;
        let than = match y {
            b'a' => metadata.atime,
            b'c' => metadata.ctime,
            _ => metadata.mtime,
        };
        Ok(Node::Newer { than, time })
    }

    fn owner(&self, name: &[u8], word: &[u8]) -> Result<Node, Failure> {
        let number = std::str::from_utf8(word)
            .ok()
            .and_then(|text| text.parse().ok());
        let users = &self.parsed.users;
        if name == b"-user" {
            let found = users.user(word).map(|user| user.uid).or(number);
            return found.map(Node::Owner).ok_or_else(|| {
                [
                    "‘".as_bytes(),
                    word,
                    "’ is not the name of a known user".as_bytes(),
                ]
                .concat()
            });
        }
        let found = users.group(word).map(|group| group.gid).or(number);
        found.map(Node::Group).ok_or_else(|| {
            [
                "‘".as_bytes(),
                word,
                "’ is not the name of an existing group".as_bytes(),
            ]
            .concat()
        })
    }
}

fn range(word: &[u8]) -> Option<Range> {
    let (order, digits) = match word.first() {
        Some(b'+') => (std::cmp::Ordering::Greater, word.get(1..)?),
        Some(b'-') => (std::cmp::Ordering::Less, word.get(1..)?),
        _ => (std::cmp::Ordering::Equal, word),
    };
    let number = std::str::from_utf8(digits)
        .ok()
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    Some(Range {
        order,
        number: number.parse().ok()?,
    })
}

fn types(name: &[u8], word: &[u8]) -> Result<Vec<FileType>, Failure> {
    let mut found = Vec::new();
    for part in word.split(|&byte| byte == b',') {
        let &[letter] = part else {
            if part.is_empty() {
                return Err([
                    b"Arguments to ".as_slice(),
                    name,
                    b" should contain at least one letter",
                ]
                .concat());
            }
            return Err([
                b"Must separate multiple arguments to ".as_slice(),
                name,
                b" using: ','",
            ]
            .concat());
        };
        found.push(match letter {
            b'f' => FileType::Regular,
            b'd' => FileType::Directory,
            b'l' => FileType::Symlink,
            b'p' => FileType::Fifo,
            b's' => FileType::Socket,
            b'b' => FileType::BlockDevice,
            b'c' => FileType::CharDevice,
            b'D' => {
                return Err([
                    name,
                    b" D is not supported because Solaris doors are not supported on the platform find was compiled on.",
                ]
                .concat());
            }
            _ => return Err([b"Unknown argument to ".as_slice(), name, b": ", part].concat()),
        });
    }
    Ok(found)
}
