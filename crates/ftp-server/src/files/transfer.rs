//! One transfer: the file is opened, the data connection made, the bytes move, and meanwhile the
//! client may say ABOR, STAT, NOOP or QUIT.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use ftp_proto::server::{
    Begun, DataPath, FileError, ListForm, Outcome, Response, Session, Then, Transfer, TransferEnd,
    TransferKind,
};

use tokio::time::timeout;

use super::list::{self, Source};
use super::{FileServer, FileSession, send};
use crate::account::Meter;
use crate::auth::Authenticator;
use crate::backend::{Backend, Files};
use crate::connection::Connection;
use crate::data::{self, Channel, DataStream, Dial, Rules, Socket, Traffic};
use crate::event::Direction;
use crate::handler::Request;

/// What was opened.
enum Job<F: Files> {
    Send(F::Reader),
    Receive(F::Writer),
    List(Box<Source<F::Lister>>, ListForm),
}

impl<A: Authenticator, B: Backend, D: Dial> FileServer<A, B, D> {
    /// Runs a transfer; gives its last response, and a line that had to wait for it.
    pub(super) async fn transfer(
        &self,
        session: &mut FileSession<B::Files>,
        transfer: Transfer,
        connection: &mut Connection,
    ) -> io::Result<(Response, Option<Request>)> {
        let listener = session.listener.take();
        let channel = match (transfer.data, listener) {
            (DataPath::Active(address), _) => Some(Channel::Dialling(address)),
            (DataPath::Passive, listener) => listener.map(Channel::Listening),
        };
        let opened = match (&session.files, channel) {
            (Some(files), Some(channel)) => open(files, transfer.kind)
                .await
                .map(|(begun, job)| (begun, job, channel)),
            (_, _) => Err(FileError::Other),
        };
        let (begun, job, channel) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                let outcome = Outcome::Failed(error);
                return Ok((session.dialogue.complete(outcome, Instant::now()), None));
            }
        };
        let peer = *connection.peer();
        let options = &self.options.data;
        let rules = Rules::new(connection, options, transfer.protection);
        let direction = match &job {
            Job::Send(_) => Direction::Sent,
            Job::Receive(_) => Direction::Received,
            Job::List(..) => Direction::Listed,
        };
        let account = session.user.as_ref().map(|user| Arc::clone(&user.account));
        let meter = Meter::new(account.unwrap_or_default(), direction);
        for reply in &session.dialogue.transfer_begins(&begun).replies {
            connection.queue(reply);
        }
        let start = match at_once(&job, transfer.encoding.ascii, &channel, &rules, &meter) {
            Ok(start) => start,
            Err(end) => {
                tracing::info!(id = peer.id, ?end, "transfer");
                return Ok((session.dialogue.transfer_ended(end, Instant::now()), None));
            }
        };
        connection.flush().await?;
        let traffic = Traffic {
            idle: options.idle,
            meter: &meter,
        };
        let moving = async {
            let moving = self.move_bytes(
                job,
                transfer.encoding.ascii,
                channel,
                start,
                &rules,
                &traffic,
            );
            match options.total {
                Some(total) => timeout(total, moving).await.unwrap_or(TransferEnd::Cut),
                None => moving.await,
            }
        };
        let dialogue = &mut session.dialogue;
        let (end, held) = watch(moving, dialogue, connection, &meter).await?;
        tracing::info!(id = peer.id, ?end, "transfer");
        Ok((session.dialogue.transfer_ended(end, Instant::now()), held))
    }

    async fn move_bytes(
        &self,
        job: Job<B::Files>,
        ascii: bool,
        channel: Channel,
        start: Start,
        rules: &Rules,
        traffic: &Traffic<'_>,
    ) -> TransferEnd {
        let opened = match start.socket {
            Some(socket) => Ok(DataStream::Clear(socket)),
            None => channel.open(&self.dial, rules).await,
        };
        let stream = match opened {
            Ok(stream) => stream,
            Err(end) => return end,
        };
        match job {
            Job::Send(reader) => data::send(stream, reader, start.already, ascii, traffic).await,
            Job::Receive(writer) => data::receive(stream, writer, ascii, traffic).await,
            Job::List(source, form) => list::send(stream, *source, &form, traffic.idle).await,
        }
    }
}

/// Lets the bytes move, and hears what the client says meanwhile; gives the line that has to wait.
async fn watch(
    moving: impl Future<Output = TransferEnd>,
    dialogue: &mut Session,
    connection: &mut Connection,
    meter: &Meter,
) -> io::Result<(TransferEnd, Option<Request>)> {
    let mut held = None;
    let mut moving = pin!(moving);
    loop {
        let request = tokio::select! {
            end = &mut moving => return Ok((end, held)),
            request = connection.next_request(), if held.is_none() => request?,
        };
        // A client that is gone wants no file either.
        let Some(request) = request else {
            return Ok((TransferEnd::Aborted, held));
        };
        let command = request.command.clone();
        let response = dialogue.handle_command(command, Instant::now());
        send(&response.replies, connection).await?;
        match response.then {
            Then::AbortTransfer => return Ok((TransferEnd::Aborted, held)),
            Then::Hold => held = Some(request),
            Then::ReportProgress => {
                let progress = dialogue.progress(meter.bytes());
                send(&progress.replies, connection).await?;
            }
            Then::Read
            | Then::Perform(_)
            | Then::CloseData
            | Then::StartTls
            | Then::EndTls
            | Then::Close => {}
        }
    }
}

/// How far a transfer has come before the client was told of it.
#[derive(Default)]
struct Start {
    socket: Option<Socket>,
    already: u64,
}

/// Sends a small file to a client that has dialled already; `Err` is the end of the transfer.
fn at_once<F: Files>(
    job: &Job<F>,
    ascii: bool,
    channel: &Channel,
    rules: &Rules,
    meter: &Meter,
) -> Result<Start, TransferEnd> {
    let Job::Send(reader) = job else {
        return Ok(Start::default());
    };
    if ascii {
        return Ok(Start::default());
    }
    let Some(socket) = channel.open_at_once(rules) else {
        return Ok(Start::default());
    };
    match data::send_at_once(&socket, reader, meter)? {
        (_, true) => Err(TransferEnd::Complete),
        (already, false) => Ok(Start {
            socket: Some(socket),
            already,
        }),
    }
}

async fn open<F: Files>(files: &F, kind: TransferKind) -> Result<(Begun, Job<F>), FileError> {
    let mut begun = Begun::default();
    let job = match kind {
        TransferKind::Retrieve { path, offset, .. } => {
            let (size, reader) = files.read(&path, offset).await?;
            begun.size = size;
            Job::Send(reader)
        }
        TransferKind::Store {
            path, placement, ..
        } => Job::Receive(files.write(&path, placement).await?),
        TransferKind::StoreUnique { directory, stem } => {
            let (name, writer) = files.write_unique(&directory, &stem).await?;
            begun.unique_name = Some(name);
            Job::Receive(writer)
        }
        TransferKind::List { path, form } => {
            Job::List(Box::new(list::open(files, &path, &form).await?), form)
        }
    };
    Ok((begun, job))
}
