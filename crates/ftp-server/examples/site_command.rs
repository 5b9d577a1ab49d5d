//! A SITE command of one's own, by a hook before each command: `SITE UPTIME`.
//!
//! `cargo run -p ftp-server --example site_command`, then
//! `curl ftp://127.0.0.1:2121/ -Q 'SITE UPTIME' -v`. Ctrl-C ends it.

#![allow(
    clippy::disallowed_methods,
    reason = "an example lives on its host and may ask for the time"
)]

use std::io;
use std::sync::Arc;
use std::time::Instant;

use ftp_server::auth::Accounts;
use ftp_server::backend::memory::Memory;
use ftp_server::files::{FileOptions, FileServer};
use ftp_server::ftp_proto::Code;
use ftp_server::ftp_proto::permission::Rights;
use ftp_server::hook::{Hook, Visitor};
use ftp_server::{Answer, Limits, Listener, Request, Server};
use futures_util::future::BoxFuture;

// ANCHOR: hook
/// Answers `SITE UPTIME`, to those who have logged in.
pub(crate) struct Uptime(Instant);

impl Hook for Uptime {
    fn before<'a>(
        &'a self,
        visitor: Visitor<'a>,
        request: &'a Request,
    ) -> BoxFuture<'a, Option<Answer>> {
        Box::pin(async move {
            if !request.line.eq_ignore_ascii_case(b"SITE UPTIME") {
                // Not ours: it is carried out as ever.
                return None;
            }
            Some(match visitor.user {
                Some(user) => {
                    let seconds = self.0.elapsed().as_secs();
                    Answer::reply(Code::OKAY, format!("Up for {seconds} seconds, {user}."))
                }
                None => Answer::reply(Code::NOT_LOGGED_IN, "Log in first."),
            })
        })
    }
}
// ANCHOR_END: hook

/// The service, with files in memory.
pub(crate) fn server() -> Server<impl ftp_server::Handler> {
    let accounts = Accounts::new().with_anonymous(Rights::ALL);
    let files = FileServer::new(accounts, Memory::new(1 << 20), FileOptions::default())
        .with_hook(Arc::new(Uptime(Instant::now())));
    Server::new(files, Limits::default())
}

#[tokio::main]
async fn main() -> io::Result<()> {
    tracing_subscriber::fmt().init();
    let server = server();
    let stop = server.stop_token();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            stop.cancel();
        }
    });
    server.serve(Listener::dual_stack(2121)?).await
}
