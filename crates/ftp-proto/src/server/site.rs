//! SITE: what other servers have made usual, and whatever the driver adds.

use std::time::Duration;

use super::{Asked, Change, FileError, Path, Response, Session, Task, help, reply, text};
use crate::argument::Argument;
use crate::command::{CommandError, Site, Verb};
use crate::permission::Right;
use crate::reply::Code;

/// How long SITE IDLE may let a client be silent.
const IDLE: std::ops::RangeInclusive<u32> = 30..=7200;

impl Session {
    /// `copy_from` is the path of a SITE CPFR directly before.
    pub(super) fn site(
        &mut self,
        copy_from: Option<Path>,
        argument: &Argument,
    ) -> Result<Response, FileError> {
        let site = match Site::parse(argument) {
            Ok(Site::Help(word)) => {
                return Ok(self.site_help(word.as_ref()));
            }
            // Nothing else is said to whoever has not logged in: CVE-2015-3306 was a copy.
            _ if self.user().is_none() => {
                return Ok(reply(Code::NOT_LOGGED_IN, text::NOT_LOGGED_IN));
            }
            Ok(site) => site,
            Err(error) => return Ok(reply(error.code(), site_error(argument, error))),
        };
        Ok(match site {
            Site::Chmod { mode, path } => {
                let path = self.path(&path, Right::Mode)?;
                let change = Change {
                    mode: Some(mode),
                    ..Change::default()
                };
                self.ask(Verb::Site, Asked::Site, Task::Change { path, change })
            }
            Site::Utime {
                accessed,
                modified,
                path,
            } => {
                let path = self.path(&path, Right::Time)?;
                let change = Change {
                    accessed,
                    modified: Some(modified),
                    ..Change::default()
                };
                self.ask(Verb::Site, Asked::Site, Task::Change { path, change })
            }
            Site::Umask(mask) => self.umask(mask)?,
            Site::Idle(seconds) => self.idle(seconds),
            Site::Symlink { target, path } => {
                let path = self.path(&path, Right::Store)?;
                self.ask(Verb::Site, Asked::Site, Task::MakeLink { target, path })
            }
            Site::Copy { from, to } => {
                let from = self.path(&from, Right::Retrieve)?;
                self.copy(from, &to)?
            }
            Site::CopyFrom(path) => {
                let path = self.path(&path, Right::Retrieve)?;
                let asked = Asked::CopyFrom { path: path.clone() };
                self.ask(Verb::Site, asked, Task::CheckExists(path))
            }
            Site::CopyTo(to) => match copy_from {
                Some(from) => self.copy(from, &to)?,
                None => reply(Code::BAD_SEQUENCE, "SITE CPTO comes after SITE CPFR."),
            },
            Site::Mkdir(path) => {
                let path = self.path(&path, Right::Make)?;
                self.ask(Verb::Site, Asked::Site, Task::MakeDirectories(path))
            }
            Site::Rmdir(path) => {
                let path = self.removable(&path)?;
                self.ask(Verb::Site, Asked::Site, Task::RemoveTree(path))
            }
            Site::Who => {
                let title = "Logged in:";
                self.ask(Verb::Site, Asked::SiteLines { title }, Task::Who)
            }
            Site::Quota => {
                let title = "Quota:";
                self.ask(Verb::Site, Asked::SiteLines { title }, Task::Quota)
            }
            Site::Other(argument) => self.ask(Verb::Site, Asked::SiteOther, Task::Site(argument)),
            Site::Exec(_) => reply(Code::NOT_IMPLEMENTED, text::NOT_IMPLEMENTED),
            Site::Help(word) => self.site_help(word.as_ref()),
        })
    }

    fn site_help(&self, word: Option<&Argument>) -> Response {
        help::site(word.map(Argument::as_bytes), self.settings.abilities)
    }

    fn umask(&mut self, mask: Option<u16>) -> Result<Response, FileError> {
        self.allowed(self.directory.clone(), Right::Mode)?;
        if mask.is_some_and(|mask| mask > 0o777) {
            return Ok(reply(Code::BAD_ARGUMENT, text::BAD_ARGUMENT));
        }
        Ok(self.ask(Verb::Site, Asked::Umask { mask }, Task::Umask(mask)))
    }

    fn idle(&mut self, seconds: Option<u32>) -> Response {
        match seconds {
            None => {
                let now = self.idle_time().as_secs();
                reply(Code::OKAY, format!("Idle time is {now} seconds."))
            }
            Some(seconds) if IDLE.contains(&seconds) => {
                self.idle = Some(Duration::from_secs(seconds.into()));
                reply(Code::OKAY, format!("Idle time set to {seconds} seconds."))
            }
            Some(_) => {
                let (least, most) = (IDLE.start(), IDLE.end());
                let text = format!("Idle time is {least} to {most} seconds.");
                reply(Code::BAD_ARGUMENT, text)
            }
        }
    }

    fn copy(&mut self, from: Path, to: &Argument) -> Result<Response, FileError> {
        let to = self.path(to, Right::Store)?;
        if from == to {
            return Ok(reply(
                Code::FILE_UNAVAILABLE,
                "A file is not copied onto itself.",
            ));
        }
        Ok(self.ask(Verb::Site, Asked::Site, Task::Copy { from, to }))
    }
}

/// What is wrong with a SITE command.
fn site_error(argument: &Argument, error: CommandError) -> &'static str {
    let words = argument.as_bytes().trim_ascii();
    let is_chmod = words
        .get(..5)
        .is_some_and(|word| word.eq_ignore_ascii_case(b"CHMOD"));
    let count = words.split(|&byte| byte == b' ').count();
    match error {
        CommandError::BadArgument(_) if is_chmod && count < 3 => {
            "Syntax error: command needs two arguments."
        }
        CommandError::BadArgument(_) if is_chmod => "Invalid SITE CHMOD format.",
        error => text::command_error(error),
    }
}
