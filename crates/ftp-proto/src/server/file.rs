//! Commands about files and directories that move no bytes over a data connection.

use super::{
    Asked, Change, FileError, OtherHash, Path, Response, Session, Task, Work, reply, text,
};
use crate::argument::Argument;
use crate::command::{ByteRange, Checksum, Command, FactsForPath, TimedPath, Verb};
use crate::hash::Algorithm;
use crate::permission::Right;
use crate::reply::Code;
use crate::time::Timestamp;

impl Session {
    /// Commands about files; the others are handed on.
    pub(super) fn files(&mut self, command: Command) -> Result<Response, FileError> {
        let verb = command.verb();
        Ok(match command {
            Command::Cwd(path) | Command::Xcwd(path) => {
                self.change_directory(verb, self.path(&path, Right::Enter)?)
            }
            Command::Cdup | Command::Xcup => {
                let path = self.allowed(self.directory.parent(), Right::Enter)?;
                self.change_directory(verb, path)
            }
            Command::Pwd | Command::Xpwd => {
                let quoted = self.directory.quoted();
                let text = [&quoted[..], b" is the current directory."].concat();
                reply(Code::PATHNAME, text)
            }
            Command::Mkd(path) | Command::Xmkd(path) => {
                let path = self.path(&path, Right::Make)?;
                let asked = Asked::MakeDirectory { path: path.clone() };
                self.ask(verb, asked, Task::MakeDirectory(path))
            }
            Command::Rmd(path) | Command::Xrmd(path) => {
                let path = self.path(&path, Right::Delete)?;
                if path == Path::root() {
                    return Ok(reply(
                        Code::FILE_UNAVAILABLE,
                        "Can't remove root directory.",
                    ));
                }
                self.ask(verb, Asked::FileAction, Task::RemoveDirectory(path))
            }
            Command::Rmda(path) => {
                let path = self.removable(&path)?;
                self.ask(verb, Asked::FileAction, Task::RemoveTree(path))
            }
            Command::Dele(path) => {
                let path = self.path(&path, Right::Delete)?;
                self.ask(verb, Asked::FileAction, Task::Delete(path))
            }
            Command::Rnfr(path) => {
                let path = self.path(&path, Right::Rename)?;
                if path == Path::root() {
                    return Ok(reply(
                        Code::FILE_UNAVAILABLE,
                        "Can't rename home directory.",
                    ));
                }
                let asked = Asked::RenameFrom { path: path.clone() };
                self.ask(verb, asked, Task::CheckExists(path))
            }
            // RFC 3659 §4: the size as a transfer would send it, which for anything but an image
            // only a conversion of the whole file could tell.
            Command::Size(_) if self.is_ascii() => {
                reply(Code::FILE_UNAVAILABLE, "SIZE not allowed in ASCII mode.")
            }
            Command::Size(path) => {
                let path = self.path(&path, Right::List)?;
                self.ask(verb, Asked::Size, Task::Look(path))
            }
            Command::Mdtm(path) => self.time_of(&path)?,
            Command::Mfmt(setting) => self.set_time(verb, &setting)?,
            Command::Mfct(setting) => self.set_time(verb, &setting)?,
            Command::Mff(setting) => self.set_facts(&setting)?,
            Command::Mlst(path) => {
                let path = self.path_or_here(path.as_ref(), Right::List)?;
                let asked = Asked::Facts { path: path.clone() };
                self.ask(verb, asked, Task::Look(path))
            }
            other => return self.hashes(other),
        })
    }

    /// Commands that read a file to say something about it; the others are handed on.
    fn hashes(&mut self, command: Command) -> Result<Response, FileError> {
        let verb = command.verb();
        Ok(match command {
            Command::Hash(path) => {
                let range = self.range.take();
                self.hash(verb, self.algorithm, &path, part_of(range))?
            }
            Command::Md5(path) => self.hash(verb, Algorithm::Md5, &path, WHOLE)?,
            Command::Mmd5(paths) => {
                // One reply for several files is more than a session can be kept waiting for.
                let one = paths.as_bytes().split(|&byte| byte == b',').count() == 1;
                if !one {
                    return Ok(reply(Code::BAD_PARAMETER, "One file at a time."));
                }
                let bytes = paths.as_bytes().trim_ascii();
                let bytes = bytes.strip_prefix(b"\"").unwrap_or(bytes);
                let bytes = bytes.strip_suffix(b"\"").unwrap_or(bytes);
                let path = Argument::new(bytes).map_err(|_| FileError::NameNotAllowed)?;
                self.hash(verb, Algorithm::Md5, &path, WHOLE)?
            }
            Command::Xcrc(checksum) => self.checksum(verb, Algorithm::Crc32, &checksum)?,
            Command::Xmd5(checksum) => self.checksum(verb, Algorithm::Md5, &checksum)?,
            Command::Xsha(checksum) | Command::Xsha1(checksum) => {
                self.checksum(verb, Algorithm::Sha1, &checksum)?
            }
            Command::Xsha256(checksum) => self.checksum(verb, Algorithm::Sha256, &checksum)?,
            Command::Xsha512(checksum) => self.checksum(verb, Algorithm::Sha512, &checksum)?,
            Command::Avbl(path) => {
                let path = self.path_or_here(path.as_ref(), Right::List)?;
                self.ask(verb, Asked::Number, Task::Space(path))
            }
            Command::Dsiz(path) => {
                let path = self.path_or_here(path.as_ref(), Right::List)?;
                self.ask(verb, Asked::Number, Task::Usage(path))
            }
            Command::Comb(paths) => self.combine(&paths)?,
            other => return self.transfers(other),
        })
    }

    pub(super) fn rename(
        &mut self,
        from: Option<Path>,
        to: &Argument,
    ) -> Result<Response, FileError> {
        let Some(from) = from else {
            return Ok(reply(
                Code::BAD_SEQUENCE,
                "Bad sequence of commands: use RNFR first.",
            ));
        };
        let to = self.path(to, Right::Rename)?;
        let task = Task::Rename { from, to };
        Ok(self.ask(Verb::Rnto, Asked::FileAction, task))
    }

    /// The working directory if nothing was written.
    pub(super) fn path_or_here(
        &self,
        path: Option<&Argument>,
        right: Right,
    ) -> Result<Path, FileError> {
        match path {
            Some(path) => self.path(path, right),
            None => self.allowed(self.directory.clone(), right),
        }
    }

    pub(super) fn removable(&self, path: &Argument) -> Result<Path, FileError> {
        match self.path(path, Right::Delete)? {
            path if path == Path::root() => Err(FileError::Denied),
            path => Ok(path),
        }
    }

    /// CWD without a path: to where the login led.
    pub(super) fn go_home(&mut self, verb: Verb) -> Response {
        let home = self.grant().and_then(|grant| grant.directory.clone());
        match self.allowed(home.unwrap_or_else(Path::root), Right::Enter) {
            Ok(home) => self.change_directory(verb, home),
            Err(error) => {
                let (code, text) = text::file_error(verb, error);
                reply(code, text)
            }
        }
    }

    fn change_directory(&mut self, verb: Verb, to: Path) -> Response {
        let task = Task::CheckDirectory(to.clone());
        self.ask(verb, Asked::ChangeDirectory { to }, task)
    }

    /// MDTM, which some clients (of WS_FTP's family) also set times with: `MDTM 20240102030405 name`.
    ///
    /// A file that is really called so is asked about first.
    fn time_of(&mut self, written: &Argument) -> Result<Response, FileError> {
        let path = self.path(written, Right::List)?;
        let bytes = written.as_bytes();
        let setting = bytes.split_at_checked(15).and_then(|(time, name)| {
            let time = Timestamp::parse(time.strip_suffix(b" ")?)?;
            Some((time, self.directory.join(name).ok()?))
        });
        let asked = Asked::Modified { setting };
        Ok(self.ask(Verb::Mdtm, asked, Task::Look(path)))
    }

    fn set_time(&mut self, verb: Verb, setting: &TimedPath) -> Result<Response, FileError> {
        let path = self.path(&setting.path, Right::Time)?;
        let time = setting.time;
        let (fact, change) = if verb == Verb::Mfct {
            let created = Some(time);
            (
                "Create",
                Change {
                    created,
                    ..Change::default()
                },
            )
        } else {
            let modified = Some(time);
            (
                "Modify",
                Change {
                    modified,
                    ..Change::default()
                },
            )
        };
        let answer = format!("{fact}={time}; ").into_bytes();
        let answer = [&answer, setting.path.as_bytes()].concat();
        Ok(self.change(verb, path, change, answer))
    }

    fn set_facts(&mut self, setting: &FactsForPath) -> Result<Response, FileError> {
        let path = self.directory.join(setting.path.as_bytes())?;
        let mut change = Change::default();
        let mut answer = Vec::new();
        for (name, value) in setting.facts.iter() {
            let is = |fact: &[u8]| name.eq_ignore_ascii_case(fact);
            let time = Timestamp::parse(value);
            let (right, fits) = if is(b"modify") {
                change.modified = time;
                (Right::Time, time.is_some())
            } else if is(b"create") {
                change.created = time;
                (Right::Time, time.is_some())
            } else if is(b"unix.mode") {
                change.mode = crate::command::octal(value);
                (Right::Mode, change.mode.is_some())
            } else {
                return Ok(reply(Code::BAD_PARAMETER, "That fact cannot be set."));
            };
            if !fits {
                return Ok(reply(Code::BAD_ARGUMENT, text::BAD_ARGUMENT));
            }
            if !self.rights(&path).has(right) {
                return Err(FileError::Denied);
            }
        }
        setting.facts.write(&mut answer);
        answer.push(b' ');
        answer.extend_from_slice(setting.path.as_bytes());
        Ok(self.change(Verb::Mff, path, change, answer))
    }

    pub(super) fn change(
        &mut self,
        verb: Verb,
        path: Path,
        change: Change,
        answer: Vec<u8>,
    ) -> Response {
        self.ask(
            verb,
            Asked::Change { answer },
            Task::Change { path, change },
        )
    }

    fn checksum(
        &mut self,
        verb: Verb,
        algorithm: Algorithm,
        checksum: &Checksum,
    ) -> Result<Response, FileError> {
        let part = checksum.part.unwrap_or(WHOLE);
        let response = self.hash(verb, algorithm, &checksum.path, part)?;
        // Names may end in numbers; only if there is no such file they are a part of another.
        if checksum.part.is_none()
            && let Some((name, first, end)) = checksum.unquoted_part()
            && let Ok(path) = self.path(&name, Right::Retrieve)
            && let Work::Asked {
                asked: Asked::Hash { otherwise, .. },
                ..
            } = &mut self.work
        {
            *otherwise = Some(OtherHash {
                name,
                path,
                first,
                end,
            });
        }
        Ok(response)
    }

    fn hash(
        &mut self,
        verb: Verb,
        algorithm: Algorithm,
        written: &Argument,
        (first, end): (u64, Option<u64>),
    ) -> Result<Response, FileError> {
        let path = self.path(written, Right::Retrieve)?;
        if end.is_some_and(|end| end < first) {
            return Ok(reply(
                Code::BAD_ARGUMENT,
                "The range ends before it begins.",
            ));
        }
        let asked = Asked::Hash {
            algorithm,
            name: written.clone(),
            otherwise: None,
        };
        let task = Task::Hash {
            path,
            algorithm,
            first,
            end,
        };
        Ok(self.ask(verb, asked, task))
    }

    /// COMB draft: the target, then the parts, which are gone afterwards.
    fn combine(&mut self, paths: &Argument) -> Result<Response, FileError> {
        let Some(words) = crate::command::quoted_words(paths.as_bytes()) else {
            return Ok(reply(Code::BAD_ARGUMENT, text::BAD_ARGUMENT));
        };
        let [to, parts @ ..] = words.as_slice() else {
            return Ok(reply(Code::BAD_ARGUMENT, text::BAD_ARGUMENT));
        };
        if parts.is_empty() {
            return Ok(reply(
                Code::BAD_ARGUMENT,
                "COMB takes a target and its parts.",
            ));
        }
        let to = self.allowed(self.directory.join(to)?, Right::Append)?;
        let to = self.allowed(to, Right::Store)?;
        let part = |part: &Vec<u8>| {
            let path = self.allowed(self.directory.join(part)?, Right::Retrieve)?;
            self.allowed(path, Right::Delete)
        };
        let from: Vec<_> = parts.iter().map(part).collect::<Result<_, _>>()?;
        if from.contains(&to) {
            return Ok(reply(Code::BAD_ARGUMENT, "The target is one of its parts."));
        }
        Ok(self.ask(Verb::Comb, Asked::FileAction, Task::Combine { from, to }))
    }
}

/// The part of a file that is the whole of it.
const WHOLE: (u64, Option<u64>) = (0, None);

fn part_of(range: Option<ByteRange>) -> (u64, Option<u64>) {
    range.map_or(WHOLE, |ByteRange { first, last }| {
        (first, Some(last.saturating_add(1)))
    })
}
