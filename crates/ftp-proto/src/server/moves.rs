//! Commands that move bytes over a data connection: RETR, STOR, STOU, APPE, LIST, NLST, MLSD.

use super::{
    Asked, Data, DataPath, DataProtection, FileError, ListForm, ListOptions, Placement, Response,
    Session, Task, Transfer, TransferKind, reply, text,
};
use crate::argument::Argument;
use crate::command::{ByteRange, Command, Verb};
use crate::permission::Right;
use crate::reply::Code;
use crate::transfer::{Encoding, Framing, Structure};

impl Session {
    /// Commands that move bytes; the others are handed on.
    pub(super) fn transfers(&mut self, command: Command) -> Result<Response, FileError> {
        let verb = command.verb();
        let kind = match command {
            Command::Retr(path) => self.retrieve(&path),
            Command::Stor(path) => self.store(&path),
            Command::Appe(path) => self.append(&path),
            Command::Stou(path) => self.store_unique(path.as_ref()),
            Command::List(path) => self.list(path.as_ref(), |options, _| ListForm::Unix(options)),
            Command::Nlst(path) => self.list(path.as_ref(), |options, written| ListForm::Names {
                options: ListOptions {
                    recursive: false,
                    ..options
                },
                written: written.to_vec(),
            }),
            Command::Mlsd(path) => self.list_facts(path.as_ref()),
            other => return self.status_of(other),
        };
        // Used or not, they are for one transfer (RFC 959 §4.1.3, RANG draft §3).
        self.restart = 0;
        self.range = None;
        if !matches!(verb, Verb::List | Verb::Nlst | Verb::Mlsd) {
            self.allocation = None;
        }
        match kind {
            Ok(kind) => Ok(self.transfer(verb, kind)),
            Err(Refused::Reply(code, text)) => Ok(reply(code, text)),
            Err(Refused::File(error)) => Err(error),
        }
    }

    fn retrieve(&self, path: &Argument) -> Result<TransferKind, Refused> {
        let path = self.path(path, Right::Retrieve)?;
        self.check_restart()?;
        let (offset, length) = match self.range {
            None => (self.restart, None),
            Some(ByteRange { first, last }) => (first, Some((last - first).saturating_add(1))),
        };
        Ok(TransferKind::Retrieve {
            path,
            offset,
            length,
        })
    }

    fn store(&self, path: &Argument) -> Result<TransferKind, Refused> {
        let path = self.path(path, Right::Store)?;
        self.check_restart()?;
        let placement = match (self.range, self.restart) {
            (Some(ByteRange { first, last }), _) => Placement::Within {
                first,
                length: last.saturating_sub(first).saturating_add(1),
            },
            (None, 0) => Placement::Replace,
            (None, offset) => Placement::At(offset),
        };
        Ok(TransferKind::Store {
            path,
            placement,
            expected: self.allocation,
        })
    }

    fn append(&self, path: &Argument) -> Result<TransferKind, Refused> {
        let path = self.path(path, Right::Append)?;
        if self.restart > 0 {
            let text = "Can't APPE while REST request is pending.";
            return Err(Refused::Reply(Code::FILE_BUSY, text));
        }
        self.check_range()?;
        Ok(TransferKind::Store {
            path,
            placement: Placement::Append,
            expected: self.allocation,
        })
    }

    fn store_unique(&self, path: Option<&Argument>) -> Result<TransferKind, Refused> {
        let path = match path {
            Some(path) => self.path(path, Right::Store)?,
            None => self.allowed(self.directory.join(b"ftp")?, Right::Store)?,
        };
        if self.restart > 0 {
            let text = "Can't STOU while REST request is pending.";
            return Err(Refused::Reply(Code::FILE_BUSY, text));
        }
        self.check_range()?;
        Ok(TransferKind::StoreUnique {
            directory: path.parent(),
            stem: path.name().unwrap_or(b"ftp").to_vec(),
        })
    }

    fn list(
        &self,
        written: Option<&Argument>,
        form: impl FnOnce(ListOptions, &[u8]) -> ListForm,
    ) -> Result<TransferKind, Refused> {
        let (options, written) = options(written.map_or(&b""[..], Argument::as_bytes));
        let path = self.allowed(self.directory.join(written)?, Right::List)?;
        let form = form(options, written);
        Ok(TransferKind::List { path, form })
    }

    fn list_facts(&self, path: Option<&Argument>) -> Result<TransferKind, Refused> {
        let path = self.path_or_here(path, Right::List)?;
        let form = ListForm::Facts {
            facts: self.facts.clone(),
            rights: self.rights(&path),
        };
        Ok(TransferKind::List { path, form })
    }

    /// Offsets are those of RFC 3659's REST STREAM: into a file that travels as it is. Deflated it
    /// still is, once inflated.
    fn check_restart(&self) -> Result<(), Refused> {
        let encoding = self.encoding();
        let is_offset = self.restart > 0 || self.range.is_some();
        let fits = !encoding.ascii
            && self.structure == Structure::File
            && encoding.framing != Framing::Block;
        if is_offset && !fits {
            let text = "REST and RANG need TYPE I, STRU F and MODE S.";
            return Err(Refused::Reply(Code::BAD_RESTART, text));
        }
        Ok(())
    }

    fn check_range(&self) -> Result<(), Refused> {
        if self.range.is_some() {
            let text = "Only RETR, STOR and HASH take a range.";
            return Err(Refused::Reply(Code::BAD_PARAMETER, text));
        }
        Ok(())
    }

    fn transfer(&mut self, verb: Verb, kind: TransferKind) -> Response {
        let data = std::mem::replace(&mut self.data, Data::None);
        let (data, as_client) = match data {
            Data::None => return self.without_data(verb, kind),
            Data::Passive { as_client } => (DataPath::Passive, as_client),
            Data::Active(address) => (DataPath::Active(address), false),
        };
        let protection = self.data_protection(as_client);
        if protection == DataProtection::Clear && self.required().data {
            self.data = Data::None;
            return Response {
                replies: crate::Reply::with(Code::UNSUPPORTED, text::DATA_IN_CLEAR).into(),
                then: super::Then::CloseData,
            };
        }
        let (what, encoding) = match &kind {
            TransferKind::Retrieve { path, .. } | TransferKind::Store { path, .. } => {
                (path.name().unwrap_or(b"/").to_vec(), self.encoding())
            }
            TransferKind::StoreUnique { stem, .. } => (stem.clone(), self.encoding()),
            // Listings are lines of text whatever TYPE and STRU say (RFC 1123 §4.1.2.7).
            TransferKind::List { .. } => {
                let framing = self.encoding().framing;
                let encoding = Encoding {
                    framing,
                    ..Encoding::PLAIN
                };
                (b"directory listing".to_vec(), encoding)
            }
        };
        let ascii = encoding.ascii || matches!(kind, TransferKind::List { .. });
        let asked = Asked::Transfer { what, ascii };
        let task = Task::Transfer(Transfer {
            kind,
            data,
            protection,
            encoding,
        });
        self.ask(verb, asked, task)
    }

    /// No data connection was set up. What else is wrong is said all the same, since it is what the
    /// client wants to know.
    fn without_data(&mut self, verb: Verb, kind: TransferKind) -> Response {
        let (path, offset) = match kind {
            TransferKind::Retrieve { path, offset, .. }
            | TransferKind::Store {
                path,
                placement: Placement::At(offset) | Placement::Within { first: offset, .. },
                ..
            } => (path, offset),
            TransferKind::Store { .. }
            | TransferKind::StoreUnique { .. }
            | TransferKind::List { .. } => {
                return reply(Code::NO_DATA_CONNECTION, text::NO_DATA_SETUP);
            }
        };
        self.ask(verb, Asked::NoData { offset }, Task::Look(path))
    }

    /// STAT with a path; everything else is handed on.
    fn status_of(&mut self, command: Command) -> Result<Response, FileError> {
        let Command::Stat(Some(path)) = command else {
            return Ok(self.logins(command));
        };
        if self.user().is_none() {
            return Ok(reply(Code::NOT_LOGGED_IN, text::NOT_LOGGED_IN));
        }
        let (_, path) = options(path.as_bytes());
        let path = self.allowed(self.directory.join(path)?, Right::List)?;
        let asked = Asked::Status { path: path.clone() };
        Ok(self.ask(Verb::Stat, asked, Task::ListHere(path)))
    }
}

/// Why there is no transfer.
enum Refused {
    Reply(Code, &'static str),
    File(FileError),
}

impl From<FileError> for Refused {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

/// Takes `-la` and the like from the front, which clients send to LIST as to `ls`.
///
/// A name that begins with `-` can be written as `./-name`, or behind `--`.
fn options(mut text: &[u8]) -> (ListOptions, &[u8]) {
    let mut options = ListOptions::default();
    while let Some(rest) = text.strip_prefix(b"-") {
        let blank = rest.iter().position(|&byte| byte == b' ');
        let (letters, after) = match blank.and_then(|blank| rest.split_at_checked(blank)) {
            Some((letters, after)) => (letters, after.get(1..).unwrap_or_default()),
            None => (rest, &b""[..]),
        };
        text = after;
        if letters == b"-" {
            break;
        }
        for letter in letters {
            match letter {
                b'a' | b'A' => options.all = true,
                b'R' => options.recursive = true,
                b'd' => options.itself = true,
                b'r' => options.reverse = true,
                b't' => options.by_time = true,
                b'S' => options.by_size = true,
                // `-l`, `-F`, `-h` and the rest are of no consequence.
                _ => {}
            }
        }
        while let Some(rest) = text.strip_prefix(b" ") {
            text = rest;
        }
    }
    (options, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_ls_are_taken_from_the_front() {
        let read = |text: &'static str| {
            let (options, path) = options(text.as_bytes());
            (options.all, options.recursive, path)
        };
        assert_eq!(read(""), (false, false, &b""[..]));
        assert_eq!(read("-la"), (true, false, &b""[..]));
        assert_eq!(read("-a -R  x y"), (true, true, &b"x y"[..]));
        assert_eq!(read("-- -a"), (false, false, &b"-a"[..]));
        assert_eq!(read("x -a"), (false, false, &b"x -a"[..]));
        assert_eq!(read(" x"), (false, false, &b" x"[..]));
    }
}
