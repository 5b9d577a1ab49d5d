//! Moves the bytes of one started channel, in both directions, until its output is over.
//!
//! Knows no transport: what it writes to is an [`Outlet`], what it reads from a [`Backlog`].

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::backlog::Backlog;
use crate::boundary::{ExitStatus, Output, Started};

/// The channel can take no more: it or its connection is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gone;

/// The way to the client. Each call waits until the client's window has room.
pub(crate) trait Outlet: Send + Sync {
    fn stdout(&self, bytes: Bytes) -> impl Future<Output = Result<(), Gone>> + Send;
    fn stderr(&self, bytes: Bytes) -> impl Future<Output = Result<(), Gone>> + Send;
    fn end(&self) -> impl Future<Output = Result<(), Gone>> + Send;
    fn exit(&self, status: ExitStatus) -> impl Future<Output = Result<(), Gone>> + Send;
    fn close(&self) -> impl Future<Output = Result<(), Gone>> + Send;
}

/// Runs until the output is over and said so to the client, or the client is gone.
pub(crate) async fn pump(started: Started, backlog: Arc<Backlog>, outlet: impl Outlet) {
    let Started { input, output } = started;
    tokio::select! {
        never = feed(input, &backlog) => match never {},
        _gone = drain(output, &outlet) => {}
    }
    backlog.discard();
}

/// Hands the backlog to the program; stays pending when there is nothing left to hand over.
async fn feed(input: mpsc::Sender<Bytes>, backlog: &Backlog) -> Infallible {
    while let Some(piece) = backlog.take().await {
        if input.send(piece).await.is_err() {
            backlog.discard();
        }
    }
    drop(input);
    std::future::pending().await
}

/// The order is OpenSSH's: data, EOF, exit status, CLOSE.
async fn drain(mut output: mpsc::Receiver<Output>, outlet: &impl Outlet) -> Result<(), Gone> {
    let mut status = None;
    while let Some(piece) = output.recv().await {
        match piece {
            Output::Stdout(bytes) => outlet.stdout(bytes).await?,
            Output::Stderr(bytes) => outlet.stderr(bytes).await?,
            Output::Exit(last) => status = Some(last),
        }
    }
    outlet.end().await?;
    if let Some(status) = status {
        outlet.exit(status).await?;
    }
    outlet.close().await
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::backlog::Total;

    #[derive(Default)]
    struct Log(Mutex<Vec<String>>);

    impl Log {
        fn note(&self, line: String) -> Result<(), Gone> {
            self.0.lock().unwrap().push(line);
            Ok(())
        }
    }

    impl Outlet for &Log {
        async fn stdout(&self, bytes: Bytes) -> Result<(), Gone> {
            self.note(format!("out {}", bytes.escape_ascii()))
        }
        async fn stderr(&self, bytes: Bytes) -> Result<(), Gone> {
            self.note(format!("err {}", bytes.escape_ascii()))
        }
        async fn end(&self) -> Result<(), Gone> {
            self.note("eof".to_owned())
        }
        async fn exit(&self, status: ExitStatus) -> Result<(), Gone> {
            self.note(format!("{status:?}"))
        }
        async fn close(&self) -> Result<(), Gone> {
            self.note("close".to_owned())
        }
    }

    #[tokio::test]
    async fn the_status_is_sent_after_everything_that_was_written() {
        let (input, mut taken) = mpsc::channel(1);
        let (send, output) = mpsc::channel(8);
        let backlog = Arc::new(Backlog::new(Total::default()));
        backlog.push(b"in");
        backlog.end();
        let log = Log::default();
        let program = async {
            assert_eq!(taken.recv().await.as_deref(), Some(&b"in"[..]));
            assert_eq!(taken.recv().await, None);
            for piece in [
                Output::Stdout("a".into()),
                Output::Exit(ExitStatus::Code(3)),
                Output::Stderr("b".into()),
            ] {
                send.send(piece).await.unwrap();
            }
            drop(send);
        };
        tokio::join!(pump(Started { input, output }, backlog, &log), program);
        assert_eq!(
            *log.0.lock().unwrap(),
            ["out a", "err b", "eof", "Code(3)", "close"]
        );
    }

    #[tokio::test]
    async fn a_program_that_closes_its_input_still_gets_its_output_through() {
        let (input, taken) = mpsc::channel(1);
        drop(taken);
        let (send, output) = mpsc::channel(8);
        let backlog = Arc::new(Backlog::new(Total::default()));
        backlog.push(b"nobody reads this");
        let log = Log::default();
        let program = async {
            send.send(Output::Stdout("a".into())).await.unwrap();
            drop(send);
        };
        tokio::join!(pump(Started { input, output }, backlog, &log), program);
        assert_eq!(*log.0.lock().unwrap(), ["out a", "eof", "close"]);
    }
}
