//! One transfer: the file is opened, the data connection made, the bytes move, and meanwhile the
//! client may say ABOR, STAT, NOOP or QUIT.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use ftp_proto::Command;
use ftp_proto::server::{
    Begun, DataPath, FileError, ListForm, Outcome, Placement, Response, Then, Transfer,
    TransferEnd, TransferKind,
};
use tokio::time::timeout;

use super::list::{self, Source};
use super::{FileServer, FileSession, send};
use crate::account::Meter;
use crate::auth::Authenticator;
use crate::backend::{Backend, Files, Writer};
use crate::connection::Connection;
use crate::data::{self, Channel, DataStream, Dial, Form, Rules, Socket, Traffic};
use crate::handler::Request;

/// What was opened.
enum Job<F: Files> {
    Send(F::Reader),
    Receive(F::Writer),
    List(Box<Source<F>>, ListForm),
}

impl<A: Authenticator, B: Backend, D: Dial> FileServer<A, B, D> {
    /// Runs a transfer; gives its last response. Lines that had to wait for it are put into the
    /// session.
    pub(super) async fn transfer(
        &self,
        session: &mut FileSession<B::Files>,
        transfer: Transfer,
        connection: &mut Connection,
    ) -> io::Result<Response> {
        let largest = session.ways.options.data.max_upload;
        let length = match &transfer.kind {
            TransferKind::Retrieve { length, .. } => *length,
            TransferKind::Store {
                placement: Placement::Within { length, .. },
                ..
            } => Some(*length),
            TransferKind::Store { placement, .. } => {
                let already = match placement {
                    Placement::At(offset) => *offset,
                    _ => 0,
                };
                largest.map(|largest| largest.saturating_sub(already))
            }
            TransferKind::StoreUnique { .. } => largest,
            TransferKind::List { .. } => None,
        };
        let listener = session.listener.take();
        let channel = match (transfer.data, listener) {
            (DataPath::Active(address), _) => Some(Channel::Dialling(address)),
            (DataPath::Passive, listener) => listener.map(Channel::Listening),
        };
        let opened = match (&session.files, channel) {
            (Some(files), Some(channel)) => open(files, &session.ways.hidden, transfer.kind)
                .await
                .map(|(begun, job)| (begun, job, channel)),
            (_, _) => Err(FileError::Other),
        };
        let (begun, job, mut channel) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                let outcome = Outcome::Failed(error);
                return Ok(session.dialogue.complete(outcome, Instant::now()));
            }
        };
        let peer = *connection.peer();
        let ways = Arc::clone(&session.ways);
        let options = &ways.options.data;
        let rules = Rules::new(connection, options, transfer.protection);
        let meter = session.meter();
        for reply in &session.transfer_begins(&begun, connection).replies {
            connection.queue(reply);
        }
        let form = Form {
            already: 0,
            length,
            encoding: transfer.encoding,
        };
        let start = match at_once(&job, form, &mut channel, &rules, &meter) {
            Ok(start) => start,
            Err(end) => {
                tracing::info!(id = peer.id, ?end, "transfer");
                return Ok(session.transfer_ended(end, Instant::now()));
            }
        };
        connection.flush().await?;
        let traffic = Traffic {
            idle: options.idle,
            meter: &meter,
        };
        let moving = async {
            let moving = self.move_bytes(job, form, channel, start, &rules, &traffic);
            match options.total {
                Some(total) => timeout(total, moving).await.unwrap_or(TransferEnd::Cut),
                None => moving.await,
            }
        };
        let end = meanwhile(session, connection, moving, &meter).await?;
        tracing::info!(id = peer.id, ?end, "transfer");
        Ok(session.transfer_ended(end, Instant::now()))
    }

    async fn move_bytes(
        &self,
        job: Job<B::Files>,
        mut form: Form,
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
        form.already = start.already;
        match job {
            Job::Send(reader) => data::send(stream, reader, form, traffic).await,
            Job::Receive(writer) => data::receive(stream, writer, form, traffic).await,
            Job::List(source, list) => {
                list::send(stream, *source, &list, form.encoding, traffic).await
            }
        }
    }
}

/// Answers what the client says while bytes move, and puts off what has to wait.
async fn meanwhile<F>(
    session: &mut FileSession<F>,
    connection: &mut Connection,
    moving: impl Future<Output = TransferEnd>,
    meter: &Meter,
) -> io::Result<TransferEnd> {
    let mut moving = pin!(moving);
    let ended = Arc::clone(connection.end());
    let mut cut = pin!(ended.was_cut());
    // Who has sent further lines already does not wait for replies, and wants them in order.
    let mut pipelined = true;
    loop {
        let has_room = session.waiting.len() < MAX_WAITING_LINES;
        let buffered = if pipelined && has_room {
            connection.buffered_request()
        } else {
            None
        };
        let request = if let Some(request) = buffered {
            request
        } else {
            pipelined = false;
            tokio::select! {
                end = &mut moving => return Ok(end),
                () = &mut cut => return Ok(TransferEnd::Aborted),
                request = connection.next_request(), if has_room => match request? {
                    Some(request) => request,
                    // A client that is gone wants no file either.
                    None => return Ok(TransferEnd::Aborted),
                }
            }
        };
        let in_order = pipelined || !session.waiting.is_empty();
        if in_order && !is_urgent(&request) {
            session.waiting.push_back(request);
            continue;
        }
        let command = request.command.clone();
        let response = session.dialogue.handle_command(command, Instant::now());
        send(&response.replies, connection).await?;
        match response.then {
            Then::AbortTransfer => return Ok(TransferEnd::Aborted),
            Then::Hold => session.waiting.push_back(request),
            Then::ReportProgress => {
                let progress = session.dialogue.progress(meter.bytes());
                send(&progress.replies, connection).await?;
            }
            Then::Read
            | Then::Perform(_)
            | Then::CloseData
            | Then::StartTls
            | Then::EndTls
            | Then::Close => {}
        }
        connection.flush().await?;
    }
}

/// Lines that may wait for a transfer to end; at more, none is read until it has. They are kept in
/// memory, each at most [`crate::Limits::line_bytes`] long.
const MAX_WAITING_LINES: usize = 32;

/// Whether a line is for the transfer itself and overtakes those that wait for its end.
fn is_urgent(request: &Request) -> bool {
    matches!(request.command, Ok(Command::Abor | Command::Stat(None)))
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
    form: Form,
    channel: &mut Channel,
    rules: &Rules,
    meter: &Meter,
) -> Result<Start, TransferEnd> {
    let Job::Send(reader) = job else {
        return Ok(Start::default());
    };
    if !form.encoding.is_plain() || form.length.is_some() {
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

async fn open<F: Files>(
    files: &F,
    hidden: &Arc<[Vec<u8>]>,
    kind: TransferKind,
) -> Result<(Begun, Job<F>), FileError> {
    let mut begun = Begun::default();
    let job = match kind {
        TransferKind::Retrieve {
            path,
            offset,
            length,
        } => {
            let (size, reader) = files.read(&path, offset).await?;
            begun.size = size.map(|size| length.map_or(size, |length| length.min(size)));
            Job::Send(reader)
        }
        TransferKind::Store {
            path,
            placement,
            expected,
        } => {
            let mut writer = files.write(&path, placement).await?;
            if let Some(bytes) = expected {
                writer.expect(bytes).await?;
            }
            Job::Receive(writer)
        }
        TransferKind::StoreUnique { directory, stem } => {
            let (name, writer) = files.write_unique(&directory, &stem).await?;
            begun.unique_name = Some(name);
            Job::Receive(writer)
        }
        TransferKind::List { path, form } => Job::List(
            Box::new(list::open(files, &path, &form, hidden).await?),
            form,
        ),
    };
    Ok((begun, job))
}
