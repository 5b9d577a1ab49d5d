//! What transfers and changes do to a user's quota and ratio, and what is told about transfers.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use ftp_proto::listing::Kind;
use ftp_proto::server::{
    Begun, FileError, Outcome, Path, Placement, Response, Task, Transfer, TransferEnd, TransferKind,
};

use super::{FileServer, FileSession, perform_on};
use crate::account::{Account, Meter, Space};
use crate::auth::{Authenticator, User};
use crate::backend::extension::walk;
use crate::backend::{Backend, Files};
use crate::connection::Connection;
use crate::data::Dial;
use crate::event::{Direction, Event, TransferReport, TransferStart};

/// One transfer, from before its file is opened to after its end.
#[derive(Debug)]
pub(super) struct Watch {
    meter: Arc<Meter>,
    account: Arc<Account>,
    start: TransferStart,
    /// When the client was told that it begins.
    began: Option<Instant>,
    end: TransferEnd,
    /// What the file held, unless the quota had that back already.
    before: Option<u64>,
    /// What the quota had back.
    returned: Option<u64>,
}

impl Watch {
    /// Sees whether the user's limits let a transfer begin.
    async fn new<F: Files>(
        user: &User,
        files: &F,
        kind: &TransferKind,
        ascii: bool,
    ) -> Result<Self, FileError> {
        let (path, direction, offset) = match kind {
            TransferKind::Retrieve { path, offset, .. } => (path, Direction::Sent, *offset),
            TransferKind::Store {
                path,
                placement: Placement::At(offset) | Placement::Within { first: offset, .. },
                ..
            } => (path, Direction::Received, *offset),
            TransferKind::Store { path, .. } => (path, Direction::Received, 0),
            TransferKind::StoreUnique { directory, .. } => (directory, Direction::Received, 0),
            TransferKind::List { path, .. } => (path, Direction::Listed, 0),
        };
        let account = Arc::clone(&user.account);
        let mut watch = Self {
            meter: Arc::new(Meter::new(Arc::clone(&account), direction)),
            account,
            start: TransferStart {
                user: user.name.clone(),
                is_anonymous: user.rules.is_anonymous,
                path: path.clone(),
                direction,
                ascii,
                offset,
            },
            began: None,
            end: TransferEnd::Cut,
            before: None,
            returned: None,
        };
        watch.check(files, kind).await?;
        Ok(watch)
    }

    async fn check<F: Files>(&mut self, files: &F, kind: &TransferKind) -> Result<(), FileError> {
        let allowance = self.account.allowance();
        match kind {
            TransferKind::Retrieve { path, offset, .. } if allowance.ratio.is_some() => {
                let size = size(files, path).await.unwrap_or(0);
                if !self.account.may_take(size.saturating_sub(*offset)) {
                    return Err(FileError::OverQuota);
                }
            }
            TransferKind::Store {
                path,
                placement,
                expected,
            } if self.account.has_quota() => {
                count(&self.account, files).await?;
                let old = size(files, path).await;
                if *placement == Placement::Replace {
                    self.account.changed(old, None);
                    self.returned = old;
                } else {
                    self.before = old;
                }
                let is_new = old.is_none();
                if (is_new && self.account.is_full()) || !self.account.fits(expected.unwrap_or(1)) {
                    self.account.changed(None, self.returned.take());
                    return Err(FileError::OverQuota);
                }
            }
            TransferKind::StoreUnique { .. } if self.account.has_quota() => {
                count(&self.account, files).await?;
                if self.account.is_full() || !self.account.fits(1) {
                    return Err(FileError::OverQuota);
                }
            }
            TransferKind::Retrieve { .. }
            | TransferKind::Store { .. }
            | TransferKind::StoreUnique { .. }
            | TransferKind::List { .. } => {}
        }
        Ok(())
    }

    /// The file is open.
    fn begin(&mut self, connection: &Connection, begun: &Begun) {
        if let Some(name) = &begun.unique_name
            && let Ok(path) = self.start.path.join(name)
        {
            self.start.path = path;
        }
        self.began = Some(Instant::now());
        connection.report(&Event::TransferBegan(&self.start));
    }

    /// Puts the counts right; call it whatever has happened.
    async fn close<F: Files>(self, connection: &Connection, files: &F) {
        let is_upload = self.start.direction == Direction::Received;
        if is_upload && self.account.has_quota() {
            let after = match self.began {
                Some(_) => size(files, &self.start.path).await,
                // It was not even opened, so it is what it was.
                None => self.before.or(self.returned),
            };
            self.meter.settle(self.before, after);
        }
        if let Some(began) = self.began {
            let report = TransferReport {
                bytes: self.meter.bytes(),
                start: self.start,
                took: Instant::now().saturating_duration_since(began),
                end: self.end,
            };
            connection.report(&Event::TransferEnded(&report));
        }
    }
}

/// What a change of files does to a quota: looked at before, and again after.
#[derive(Debug, Default)]
struct Change {
    /// Files that may be gone or others afterwards, and what they held.
    files: Vec<(Path, Option<u64>)>,
    /// Whether only counting all again can tell.
    recount: bool,
}

impl Change {
    /// Looks at what a task will change.
    async fn new<F: Files>(account: &Account, files: &F, task: &Task) -> Result<Self, FileError> {
        let mut change = Self::default();
        if !account.has_quota() {
            return Ok(change);
        }
        let paths: Vec<&Path> = match task {
            Task::Delete(path) => vec![path],
            // The other name of the pair is the same file, so only what it replaces counts.
            Task::Rename { to, .. } => vec![to],
            Task::Copy { from, to } => {
                count(account, files).await?;
                let (new, old) = (size(files, from).await, size(files, to).await);
                let more = new.unwrap_or(0).saturating_sub(old.unwrap_or(0));
                if !account.fits(more) || (old.is_none() && account.is_full()) {
                    return Err(FileError::OverQuota);
                }
                vec![to]
            }
            Task::Allocate(bytes) => {
                count(account, files).await?;
                if !account.fits(*bytes) {
                    return Err(FileError::OverQuota);
                }
                vec![]
            }
            Task::RemoveTree(_) | Task::Combine { .. } => {
                change.recount = true;
                vec![]
            }
            _ => vec![],
        };
        if !paths.is_empty() {
            count(account, files).await?;
        }
        for path in paths {
            let size = size(files, path).await;
            change.files.push((path.clone(), size));
        }
        Ok(change)
    }

    /// Looks again.
    async fn close<F: Files>(self, account: &Account, files: &F, is_rename: bool) {
        for (path, before) in self.files {
            // After a rename the file stands there that was counted under its old name.
            let after = match is_rename {
                true => None,
                false => size(files, &path).await,
            };
            account.changed(before, after);
        }
        if self.recount && recount(account, files).await.is_err() {
            tracing::warn!("a quota could not be counted again");
        }
    }
}

impl<F> FileSession<F> {
    /// The meter of the transfer.
    pub(super) fn meter(&self) -> Arc<Meter> {
        self.watch.as_ref().map_or_else(
            || Arc::new(Meter::new(Arc::default(), Direction::Listed)),
            |watch| Arc::clone(&watch.meter),
        )
    }

    /// What is to be moved stands open.
    pub(super) fn transfer_begins(&mut self, begun: &Begun, connection: &Connection) -> Response {
        if let Some(watch) = &mut self.watch {
            watch.begin(connection, begun);
        }
        self.dialogue.transfer_begins(begun)
    }

    /// The bytes have moved, or not.
    pub(super) fn transfer_ended(&mut self, end: TransferEnd, now: Instant) -> Response {
        if let Some(watch) = &mut self.watch {
            watch.end = end;
        }
        self.dialogue.transfer_ended(end, now)
    }
}

impl<A: Authenticator, B: Backend, D: Dial> FileServer<A, B, D> {
    /// Runs a transfer that the user's limits allow, counts it and tells of it.
    pub(super) async fn watched_transfer(
        &self,
        session: &mut FileSession<B::Files>,
        transfer: Transfer,
        connection: &mut Connection,
    ) -> io::Result<Response> {
        if let (Some(user), Some(files)) = (&session.user, &session.files) {
            match Watch::new(user, files, &transfer.kind, transfer.encoding.ascii).await {
                Ok(watch) => session.watch = Some(watch),
                Err(error) => {
                    // The data connection goes with the transfer it was for.
                    session.listener = None;
                    let outcome = Outcome::Failed(error);
                    let response = session.dialogue.complete(outcome, Instant::now());
                    return Ok(response);
                }
            }
        }
        let result = self.transfer(session, transfer, connection).await;
        if let (Some(watch), Some(files)) = (session.watch.take(), &session.files) {
            watch.close(connection, files).await;
        }
        result
    }
}

/// Carries out a task that touches files, within the user's quota.
pub(super) async fn perform<F: Files>(
    user: Option<&User>,
    files: &F,
    hidden: &Arc<[Vec<u8>]>,
    task: Task,
) -> Result<Outcome, FileError> {
    let Some(user) = user else {
        return Err(FileError::Denied);
    };
    let account = &user.account;
    if task == Task::Quota {
        return quota_lines(account, files).await.map(Outcome::Lines);
    }
    let change = Change::new(account, files, &task).await?;
    let is_rename = matches!(task, Task::Rename { .. });
    let outcome = perform_on(files, hidden, task).await;
    if outcome.is_ok() || change.recount {
        change.close(account, files, is_rename).await;
    }
    outcome
}

/// Counts what the user's files hold, if that is not known.
async fn count<F: Files>(account: &Account, files: &F) -> Result<(), FileError> {
    if account.wants_count() {
        recount(account, files).await?;
    }
    Ok(())
}

async fn recount<F: Files>(account: &Account, files: &F) -> Result<(), FileError> {
    let mut space = Space::default();
    walk(files, &Path::root(), |_, is_directory, size| {
        if !is_directory {
            space.files += 1;
            space.bytes = space.bytes.saturating_add(size);
        }
    })
    .await?;
    account.counted(space);
    Ok(())
}

/// What a file holds; `None` if there is none.
async fn size<F: Files>(files: &F, path: &Path) -> Option<u64> {
    let entry = files.look(path).await.ok()?;
    (entry.kind == Kind::File).then(|| entry.size.unwrap_or(0))
}

/// What SITE QUOTA shows.
async fn quota_lines<F: Files>(account: &Account, files: &F) -> Result<Vec<Vec<u8>>, FileError> {
    let allowance = account.allowance();
    if !account.has_quota() {
        return Ok(vec![b"No quota.".to_vec()]);
    }
    count(account, files).await?;
    let space = account.space().unwrap_or_default();
    let limit =
        |limit: Option<u64>| limit.map_or_else(|| "unlimited".to_owned(), |n| n.to_string());
    Ok(vec![
        format!("Bytes: {} of {}", space.bytes, limit(allowance.quota_bytes)).into_bytes(),
        format!("Files: {} of {}", space.files, limit(allowance.quota_files)).into_bytes(),
    ])
}
