//! The first-steps server without a line of async: hooks are plain functions that may block.
//!
//! `cargo run -p ftp-server --example blocking`, then `telnet ::1 21000`. An argument is another
//! port. Enter ends it.

#![allow(clippy::disallowed_methods, reason = "a program reads its arguments")]

use std::io;

use ftp_server::blocking::{self, Blocking, Client, Handler};
use ftp_server::ftp_proto::{Code, Command, Reply};
use ftp_server::{Answer, Limits, Listener, Request, Server};

/// The service; a connection remembers how many NOOPs it has seen.
pub(crate) struct Counting;

impl Handler for Counting {
    type Session = u32;

    fn on_connect(&self, client: &mut Client) -> io::Result<u32> {
        client.reply(&Reply::new(Code::READY, "Service ready for new user."))?;
        Ok(0)
    }

    fn on_request(&self, noops: &mut u32, request: Request, _: &mut Client) -> io::Result<Answer> {
        Ok(match request.command {
            Ok(Command::Noop) => {
                *noops += 1;
                Answer::reply(Code::OKAY, format!("Command okay, {noops} so far."))
            }
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

fn main() -> io::Result<()> {
    let port = std::env::args().nth(1);
    let port = port
        .map_or(Ok(21_000), |port| port.parse())
        .map_err(io::Error::other)?;
    let server = Server::new(Blocking::new(Counting), Limits::default());
    let running = blocking::start(server, move || Listener::dual_stack(port))?;
    io::stdin().read_line(&mut String::new())?;
    running.stop();
    running.wait()
}
