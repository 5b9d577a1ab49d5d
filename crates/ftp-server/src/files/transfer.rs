//! One transfer: the file is opened, the data connection made, the bytes move, and meanwhile the
//! client may say ABOR, STAT, NOOP or QUIT.

use std::io;
use std::pin::pin;
use std::time::Instant;

use ftp_proto::server::{
    Begun, DataPath, FileError, ListForm, Outcome, Response, Then, Transfer, TransferEnd,
    TransferKind,
};

use super::list::{self, Source};
use super::{FileServer, FileSession, send};
use crate::auth::Authenticator;
use crate::backend::{Backend, Files};
use crate::connection::Connection;
use crate::data::{self, Channel, Dial};
use crate::handler::Request;

/// What was opened.
enum Job<F: Files> {
    Send(F::Reader),
    Receive(F::Writer),
    List(Source<F::Lister>, ListForm),
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
        send(
            &session.dialogue.transfer_begins(&begun).replies,
            connection,
        )
        .await?;
        let peer = *connection.peer();
        let options = &self.options.data;
        let moving = async {
            let (local, remote) = (peer.local.ip(), peer.address.ip());
            let opened = channel.open(&self.dial, local, remote, options).await;
            let Some(stream) = opened else {
                return TransferEnd::NoConnection;
            };
            match job {
                Job::Send(reader) => data::send(stream, reader, transfer.ascii, options.idle).await,
                Job::Receive(writer) => {
                    data::receive(stream, writer, transfer.ascii, options.idle).await
                }
                Job::List(source, form) => list::send(stream, source, &form, options.idle).await,
            }
        };
        let mut held = None;
        let end = {
            let mut moving = pin!(moving);
            loop {
                tokio::select! {
                    end = &mut moving => break end,
                    request = connection.next_request(), if held.is_none() => {
                        // A client that is gone wants no file either.
                        let Some(request) = request? else { break TransferEnd::Aborted };
                        let command = request.command.clone();
                        let response = session.dialogue.handle_command(command, Instant::now());
                        send(&response.replies, connection).await?;
                        match response.then {
                            Then::AbortTransfer => break TransferEnd::Aborted,
                            Then::Hold => held = Some(request),
                            Then::Read | Then::Perform(_) | Then::CloseData | Then::Close => {}
                        }
                    }
                }
            }
        };
        tracing::info!(id = peer.id, ?end, "transfer");
        Ok((session.dialogue.transfer_ended(end, Instant::now()), held))
    }
}

async fn open<F: Files>(files: &F, kind: TransferKind) -> Result<(Begun, Job<F>), FileError> {
    let mut begun = Begun::default();
    let job = match kind {
        TransferKind::Retrieve { path, offset } => {
            let (size, reader) = files.read(&path, offset).await?;
            begun.size = size;
            Job::Send(reader)
        }
        TransferKind::Store { path, placement } => {
            Job::Receive(files.write(&path, placement).await?)
        }
        TransferKind::StoreUnique { directory, stem } => {
            let (name, writer) = files.write_unique(&directory, &stem).await?;
            begun.unique_name = Some(name);
            Job::Receive(writer)
        }
        TransferKind::List { path, form } => {
            Job::List(list::open(files, &path, &form).await?, form)
        }
    };
    Ok((begun, job))
}
