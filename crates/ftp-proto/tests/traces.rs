//! Runs `tests/traces/ftp/*.trace` against the sans-IO server, with a small tree in memory behind it.

#![expect(
    clippy::disallowed_methods,
    reason = "any moment will do, and an Instant cannot be had otherwise"
)]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of a test fail the test"
)]

use std::collections::BTreeMap;
use std::path::Path as HostPath;
use std::time::Instant;

use ftp_proto::line;
use ftp_proto::listing::{Entry, Kind, unix};
use ftp_proto::permission::Rights;
use ftp_proto::server::{
    Begun, Endpoints, FileError, Grant, ListForm, Outcome, Path, Response, Session, Settings, Task,
    Then, TransferEnd, TransferKind,
};
use ftp_proto::time::Timestamp;
use sundew_testkit::trace::{Dialogue, Side, check_directory};

#[test]
fn the_server_answers_as_the_traces_say() {
    let directory = HostPath::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/traces/ftp");
    if let Err(report) = check_directory(&directory, Side::Server, |_| World::new()) {
        panic!("{report}");
    }
}

/// A session and the files behind it: `/pub/a.txt` of 9 bytes, `/pub/docs`; user anna, password
/// secret, may write, and anonymous may read.
struct World {
    session: Session,
    now: Instant,
    files: BTreeMap<Vec<u8>, Entry>,
}

impl World {
    fn new() -> Self {
        let address = "127.0.0.1:40000".parse().unwrap();
        let endpoints = Endpoints {
            local: address,
            peer: address,
        };
        let now = Instant::now();
        let mut files = BTreeMap::new();
        for (path, kind, size) in [
            ("/", Kind::Directory, None),
            ("/pub", Kind::Directory, None),
            ("/pub/a.txt", Kind::File, Some(9)),
            ("/pub/docs", Kind::Directory, None),
        ] {
            let path = Path::root().join(path.as_bytes()).unwrap();
            let mut entry = Entry::new(path.name().unwrap_or(b"/"), kind);
            entry.size = size;
            // 2024-03-10 12:00:00 UTC.
            entry.modified = Some(Timestamp::from_unix(1_710_072_000));
            files.insert(path.as_bytes().to_vec(), entry);
        }
        Self {
            session: Session::new(Settings::default(), endpoints, now),
            now,
            files,
        }
    }

    fn look(&self, path: &Path) -> Result<&Entry, FileError> {
        self.files.get(path.as_bytes()).ok_or(FileError::NotFound)
    }

    fn add(&mut self, path: &Path, kind: Kind) {
        let entry = Entry::new(path.name().unwrap_or(b"/"), kind);
        self.files.insert(path.as_bytes().to_vec(), entry);
    }

    fn perform(&mut self, task: Task) -> Result<Outcome, FileError> {
        Ok(match task {
            Task::Login { user, password, .. } => match (user.as_bytes(), password.as_slice()) {
                (b"anna", b"secret") => Outcome::LoggedIn(Grant::new(Rights::ALL)),
                (b"anonymous", _) => Outcome::LoggedIn(Grant::new(Rights::READ)),
                _ => Outcome::LoginFailed,
            },
            Task::Listen => Outcome::Listening("127.0.0.1:40000".parse().unwrap()),
            Task::CheckDirectory(path) => match self.look(&path)?.kind {
                Kind::Directory => Outcome::Done,
                _ => return Err(FileError::NotADirectory),
            },
            Task::CheckExists(path) => self.look(&path).map(|_| Outcome::Done)?,
            Task::MakeDirectory(path) => {
                self.add(&path, Kind::Directory);
                Outcome::Done
            }
            Task::RemoveDirectory(path) | Task::Delete(path) => {
                self.look(&path)?;
                self.files.remove(path.as_bytes());
                Outcome::Done
            }
            Task::Rename { from, to } => {
                let entry = self.look(&from)?.clone();
                self.files.remove(from.as_bytes());
                self.files.insert(to.as_bytes().to_vec(), entry);
                Outcome::Done
            }
            Task::Look(path) => Outcome::Entry(self.look(&path)?.clone()),
            Task::ListHere(path) => {
                let mut line = Vec::new();
                let now = Timestamp::from_unix(1_710_072_000);
                let entry = self.look(&path)?;
                unix::write(entry, now, &mut line);
                line.truncate(line.len() - 2);
                Outcome::Status {
                    is_directory: entry.kind == Kind::Directory,
                    lines: vec![line],
                }
            }
            Task::Transfer(transfer) => {
                let begun = self.open(transfer.kind)?;
                let response = self.session.transfer_begins(&begun);
                assert_eq!(response.then, Then::Read);
                // Sent below, before the end; see `hear`.
                return Ok(Outcome::Lines(wire(&response)));
            }
            other => return self.perform_more(other),
        })
    }

    /// What not every server has.
    fn perform_more(&mut self, task: Task) -> Result<Outcome, FileError> {
        Ok(match task {
            Task::Change { path, change } => {
                let entry = self.files.get_mut(path.as_bytes());
                let entry = entry.ok_or(FileError::NotFound)?;
                entry.modified = change.modified.or(entry.modified);
                entry.mode = change.mode.or(entry.mode);
                Outcome::Done
            }
            Task::MakeDirectories(path) => {
                self.add(&path, Kind::Directory);
                Outcome::Done
            }
            Task::RemoveTree(path) => {
                self.look(&path)?;
                self.files.retain(|name, _| {
                    let name = Path::root().join(name).unwrap();
                    !name.is_in(&path)
                });
                Outcome::Done
            }
            Task::Copy { from, to } => {
                let entry = self.look(&from)?.clone();
                self.files.insert(to.as_bytes().to_vec(), entry);
                Outcome::Done
            }
            Task::Combine { from, to } => {
                for part in from {
                    self.look(&part)?;
                    self.files.remove(part.as_bytes());
                }
                self.add(&to, Kind::File);
                Outcome::Done
            }
            Task::Hash {
                path, first, end, ..
            } => {
                let size = self.look(&path)?.size.ok_or(FileError::IsADirectory)?;
                let end = end.unwrap_or(size);
                if end > size {
                    return Err(FileError::BadOffset);
                }
                Outcome::Hash {
                    digest: vec![0xab, 0xcd],
                    first,
                    end,
                }
            }
            Task::Space(path) => {
                self.look(&path)?;
                Outcome::Number(1000)
            }
            Task::Usage(path) => {
                self.look(&path)?;
                Outcome::Number(9)
            }
            Task::Allocate(bytes) if bytes > 1000 => return Err(FileError::NoSpace),
            Task::Allocate(_) => Outcome::Done,
            Task::Umask(_) => Outcome::Number(0o22),
            Task::Who => Outcome::Lines(vec![b"anna".to_vec()]),
            Task::LoginByCertificate { .. } => Outcome::LoginFailed,
            Task::MakeLink { .. } | Task::Quota | Task::Site(_) => {
                return Err(FileError::Unsupported);
            }
            other => panic!("{other:?}"),
        })
    }

    fn open(&mut self, kind: TransferKind) -> Result<Begun, FileError> {
        let mut begun = Begun::default();
        match kind {
            TransferKind::Retrieve { path, offset, .. } => {
                begun.size = self.look(&path)?.size.map(|size| size - offset);
            }
            TransferKind::Store { path, .. } => self.add(&path, Kind::File),
            TransferKind::StoreUnique { stem, .. } => {
                begun.unique_name = Some([&stem[..], b".1"].concat());
            }
            TransferKind::List { path, form } => {
                let kind = &self.look(&path)?.kind;
                if matches!((form, kind), (ListForm::Facts { .. }, Kind::File)) {
                    return Err(FileError::NotADirectory);
                }
            }
        }
        Ok(begun)
    }
}

impl Dialogue for World {
    fn start(&mut self) -> Vec<Vec<u8>> {
        wire(&self.session.greet())
    }

    fn hear(&mut self, line: &[u8]) -> Vec<Vec<u8>> {
        let mut response = self.session.handle_line(line, self.now);
        let mut said = wire(&response);
        while let Then::Perform(task) = response.then {
            let is_transfer = matches!(task, Task::Transfer(_));
            response = match self.perform(task) {
                Ok(Outcome::Lines(preliminary)) if is_transfer => {
                    said.extend(preliminary);
                    self.session.transfer_ended(TransferEnd::Complete, self.now)
                }
                Ok(outcome) => self.session.complete(outcome, self.now),
                Err(error) => self.session.complete(Outcome::Failed(error), self.now),
            };
            said.extend(wire(&response));
        }
        said
    }
}

/// The replies as lines of the wire.
fn wire(response: &Response) -> Vec<Vec<u8>> {
    let mut bytes = Vec::new();
    for reply in &response.replies {
        reply.encode(&mut bytes);
    }
    let mut decoder = line::Decoder::default();
    let mut input = bytes.as_slice();
    std::iter::from_fn(|| decoder.decode(&mut input))
        .map(|event| match event {
            line::Event::Line(line) => line,
            other => panic!("{other:?}"),
        })
        .collect()
}
