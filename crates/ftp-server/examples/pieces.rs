//! The pieces of the protocol without a socket: a request, a reply, the codec, the protocol object.
//!
//! `cargo run -p ftp-server --example pieces` says a whole dialogue to itself.

#![allow(clippy::disallowed_methods, reason = "a program reads the clock")]

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;

use ftp_server::ftp_proto::line::{Decoder, Event};
use ftp_server::ftp_proto::server::{Endpoints, Outcome, Session, Settings, Task, Then};
use ftp_server::ftp_proto::{Code, Command, CommandError, Reply};

// ANCHOR: request
/// What a line says, and back again.
pub(crate) fn request() {
    assert_eq!(Command::parse(b"noop"), Ok(Command::Noop));

    let retr = Command::parse(b"RETR  two blanks ");
    let mut line = Vec::new();
    if let Ok(retr) = &retr {
        retr.encode(&mut line);
    }
    assert_eq!(line, b"RETR  two blanks ");

    assert_eq!(Command::parse(b"FOO bar"), Err(CommandError::UnknownVerb));
    let half = Command::parse(b"PORT nonsense");
    assert!(half.is_err_and(|error| error.verb().is_some()));
}
// ANCHOR_END: request

// ANCHOR: reply
/// A reply of one line, one of several, and one that somebody tries to forge.
pub(crate) fn reply() -> String {
    let mut bytes = Vec::new();
    Reply::new(Code::OKAY, "Command okay.").encode(&mut bytes);
    Reply::new(Code::OKAY, "no\r\n230 Welcome, root.").encode(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}
// ANCHOR_END: reply

// ANCHOR: codec
/// Lines out of bytes as they come; what is too long is skipped, and the next line is read.
pub(crate) fn codec() -> Vec<String> {
    let mut decoder = Decoder::new(16);
    let mut seen = Vec::new();
    for mut bytes in [
        &b"NO"[..],
        b"OP\r",
        b"\nPWD\nthis line is too long for sixteen\r\nQU\xff\xf1IT\r\n",
    ] {
        while let Some(event) = decoder.decode(&mut bytes) {
            seen.push(match event {
                Event::Line(line) => String::from_utf8_lossy(&line).into_owned(),
                Event::TooLong => "too long".to_owned(),
                Event::Refuse(_) => "a Telnet option".to_owned(),
            });
        }
    }
    seen
}
// ANCHOR_END: codec

// ANCHOR: protocol
/// One client's state: lines and the time go in, replies and tasks come out.
pub(crate) fn protocol(now: Instant) -> Vec<String> {
    let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 21));
    let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 40_000));
    let mut session = Session::new(Settings::default(), Endpoints { local, peer }, now);
    let mut seen = Vec::new();
    for line in [&b"PWD"[..], b"USER anna", b"PASS secret", b"QUIT"] {
        let response = session.handle_line(line, now);
        for reply in &response.replies {
            seen.push(reply.to_string());
        }
        // Here the driver would look the password up, and tell the session what it found.
        if let Then::Perform(Task::Login { user, .. }) = response.then {
            seen.push(format!("(is this {user}?)"));
            let refused = Outcome::LoginFailed;
            for reply in &session.complete(refused, now).replies {
                seen.push(reply.to_string());
            }
        }
    }
    seen
}
// ANCHOR_END: protocol

#[allow(clippy::print_stdout, reason = "an example shows what it does")]
fn main() {
    request();
    print!("{}", reply());
    println!("{:?}", codec());
    for line in protocol(Instant::now()) {
        println!("{line}");
    }
}
