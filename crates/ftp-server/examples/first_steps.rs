//! First steps: a server that knows NOOP and QUIT, on port 21000 of IPv4 and IPv6 at once.
//!
//! `cargo run -p ftp-server --example first_steps`, then `telnet ::1 21000`. An argument is another
//! port. Ctrl-C ends it, and every client is told.

#![allow(clippy::disallowed_methods, reason = "a program reads its arguments")]

use std::io;

use ftp_server::ftp_proto::{Code, Command, Reply};
use ftp_server::{Answer, Connection, Handler, Limits, Listener, Request, Server};

/// The service: no state of its own, none for a connection.
pub(crate) struct FirstSteps;

impl Handler for FirstSteps {
    type Session = ();

    async fn on_connect(&self, client: &mut Connection) -> io::Result<()> {
        client
            .reply(&Reply::new(Code::READY, "Service ready for new user."))
            .await
    }

    async fn on_request(
        &self,
        _: &mut (),
        request: Request,
        _: &mut Connection,
    ) -> io::Result<Answer> {
        Ok(match request.command {
            Ok(Command::Noop) => Answer::reply(Code::OKAY, "Command okay."),
            Ok(Command::Quit) => {
                Answer::close(Code::CLOSING, "Service closing control connection.")
            }
            Err(error) if error.verb().is_none() => {
                Answer::reply(Code::SYNTAX_ERROR, "Syntax error, command unrecognized.")
            }
            Ok(_) | Err(_) => Answer::reply(Code::NOT_IMPLEMENTED, "Command not implemented."),
        })
    }
}

#[tokio::main]
async fn main() -> io::Result<()> {
    tracing_subscriber::fmt().init();
    let port = std::env::args()
        .nth(1)
        .map_or(Ok(21_000), |port| port.parse());
    let listener = Listener::dual_stack(port.map_err(io::Error::other)?)?;
    let server = Server::new(FirstSteps, Limits::default());
    let stop = server.stop_token();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            stop.cancel();
        }
    });
    server.serve(listener).await
}
