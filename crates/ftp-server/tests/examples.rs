//! Each example of the book runs and does what the book says. `first_steps` has a test of its own.

#![expect(clippy::unwrap_used, reason = "helpers of a test fail the test")]

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::mpsc;

use ftp_server::blocking::{self, Blocking, Running};
use ftp_server::ftp_proto::{Code, Command, Reply};
use ftp_server::handler::Disconnect;
use ftp_server::{Answer, Connection, Handler, Limits, Listener, Request, Server};

#[path = "support/client.rs"]
mod client;

use client::Client;

#[path = "../examples/blocking.rs"]
#[allow(dead_code, reason = "its `main` is not called here")]
mod blocking_example;
#[path = "../examples/custom_backend.rs"]
#[allow(dead_code, reason = "its `main` is not called here")]
mod custom_backend;
#[path = "../examples/database_users.rs"]
#[allow(dead_code, reason = "its `main` is not called here")]
mod database_users;
#[path = "../examples/pieces.rs"]
#[allow(dead_code, reason = "its `main` is not called here")]
mod pieces;
#[path = "../examples/site_command.rs"]
#[allow(dead_code, reason = "its `main` is not called here")]
mod site_command;

#[test]
fn the_blocking_server_answers_on_both_families_and_tells_its_clients_when_it_stops() {
    let server = Server::new(Blocking::new(blocking_example::Counting), Limits::default());
    let running = blocking::start(server, || Listener::dual_stack(0)).unwrap();
    let port = running.addresses()[0].port();
    for host in [
        IpAddr::from(Ipv4Addr::LOCALHOST),
        IpAddr::from(Ipv6Addr::LOCALHOST),
    ] {
        let mut client = Client::connect((host, port).into());
        client.expect("220 Service ready for new user.");
        client.ask("NOOP", "200 Command okay, 1 so far.");
        client.ask("noop", "200 Command okay, 2 so far.");
        client.ask("STAT", "502 Command not implemented.");
        client.ask("FOO", "500 Syntax error, command unrecognized.");
        client.ask("QUIT", "221 Service closing control connection.");
        client.ends();
    }
    let mut waiting = Client::connect((Ipv4Addr::LOCALHOST, port).into());
    waiting.expect("220 ");
    running.stop();
    waiting.expect("421 Service not available, closing control connection.");
    running.wait().unwrap();
}

#[test]
fn the_pieces_do_what_the_book_says() {
    pieces::request();
    let replies = pieces::reply();
    assert!(replies.starts_with("200 Command okay.\r\n200"), "{replies}");
    // However it is written, no line of it looks like another reply.
    assert!(!replies.contains("\n230"), "{replies}");
    assert_eq!(pieces::codec(), ["NOOP", "PWD", "too long", "QUIT"]);
    let codes: Vec<String> = pieces::protocol(tokio::time::Instant::now().into_std())
        .iter()
        .map(|line| line.chars().take(3).collect())
        .collect();
    assert_eq!(codes, ["530", "331", "(is", "530", "221"]);
}

/// Greets, and itself reads what it needs to know before the first request.
struct Asks(mpsc::SyncSender<Disconnect>);

impl Handler for Asks {
    type Session = (String, IpAddr);

    async fn on_connect(&self, client: &mut Connection) -> io::Result<Self::Session> {
        let hello = Reply::new(Code::READY, "Who is it?");
        client.reply(&hello).await?;
        let mut refused = 0;
        loop {
            let Some(request) = client.next_request().await? else {
                return Err(io::ErrorKind::UnexpectedEof.into());
            };
            if let Ok(Command::User(name)) = request.command {
                let welcome = Reply::new(Code::LOGGED_IN, "Come in.");
                client.reply(&welcome).await?;
                return Ok((name.to_string(), client.peer().address.ip()));
            }
            refused += 1;
            let not_yet = Reply::new(Code::NOT_LOGGED_IN, format!("Not yet: {refused}."));
            client.reply(&not_yet).await?;
        }
    }

    async fn on_request(
        &self,
        (name, address): &mut Self::Session,
        request: Request,
        client: &mut Connection,
    ) -> io::Result<Answer> {
        if request.line == b"HELP" {
            // More than any buffer holds: each reply waits until the client has read.
            for _ in 0..100_000 {
                let line = Reply::new(Code::HELP, "x".repeat(500));
                client.reply(&line).await?;
                client.flush().await?;
            }
        }
        assert!(client.tls().is_none());
        Ok(Answer::reply(Code::OKAY, format!("{name} from {address}.")))
    }

    async fn on_disconnect(&self, _: Self::Session, _: &Connection, why: &Disconnect) {
        // Most tests do not ask.
        let _full = self.0.try_send(why.clone());
    }
}

#[test]
fn on_connect_may_read_the_first_requests_itself() {
    let (told, _) = mpsc::sync_channel(1);
    let running = run(Server::new(Asks(told), Limits::default()));
    let mut client = of(&running);
    // All at once: what on_connect leaves is for on_request.
    client.say("NOOP\r\nFOO\r\nUSER anna\r\nNOOP");
    client.expect("220 Who is it?");
    client.expect("530 Not yet: 1.");
    client.expect("530 Not yet: 2.");
    client.expect("230 Come in.");
    client.expect("200 anna from 127.0.0.1.");
    let mut gone = of(&running);
    gone.expect("220 ");
    drop(gone);
    client.ask("NOOP", "200 ");
}

#[test]
fn a_reply_waits_for_a_client_that_does_not_read_and_gives_up_in_time() {
    let limits = Limits {
        write: std::time::Duration::from_millis(300),
        ..Limits::default()
    };
    let (told, why) = mpsc::sync_channel(1);
    let running = run(Server::new(Asks(told), limits));
    let mut lazy = of(&running);
    lazy.expect("220 ");
    lazy.ask("USER anna", "230 ");
    lazy.say("HELP");
    // Others are served meanwhile.
    let mut other = of(&running);
    other.expect("220 ");
    other.ask("USER bert", "230 ");
    other.ask("NOOP", "200 bert");
    let why = why.recv_timeout(client::PATIENCE).unwrap();
    assert_eq!(why, Disconnect::Error(io::ErrorKind::TimedOut));
    // It was closed with most of the answer unsaid: 50 MB would have been all.
    let mut heard = Vec::new();
    // Reset or end, as the system has it.
    let _ended = io::Read::read_to_end(&mut lazy.stream(), &mut heard);
    assert!(heard.len() < 40_000_000, "{} bytes", heard.len());
}

#[test]
fn a_panic_in_a_blocking_hook_ends_that_connection_and_no_other() {
    struct Fragile;

    impl blocking::Handler for Fragile {
        type Session = ();

        fn on_connect(&self, client: &mut blocking::Client) -> io::Result<()> {
            let ready = Reply::new(Code::READY, "Say something first.");
            client.reply(&ready)?;
            // The first request is asked for here, as a login would be.
            let first = client.next_request()?;
            first.map(drop).ok_or(io::ErrorKind::UnexpectedEof.into())
        }

        fn on_request(
            &self,
            (): &mut (),
            request: Request,
            _: &mut blocking::Client,
        ) -> io::Result<Answer> {
            assert_ne!(request.line, b"NOOP", "a bug");
            Ok(Answer::reply(Code::OKAY, "Fine."))
        }
    }

    let server = Server::new(Blocking::new(Fragile), Limits::default());
    let running = blocking::start(server, || Listener::bind(&[any()])).unwrap();
    let (mut bad, mut good) = (of(&running), of(&running));
    for client in [&mut bad, &mut good] {
        client.expect("220 ");
        client.say("HELP");
        client.ask("SYST", "200 Fine.");
    }
    bad.ask("NOOP", "421 ");
    bad.ends();
    good.ask("SYST", "200 Fine.");
}

#[test]
fn a_port_that_cannot_be_had_is_told_to_whoever_starts_the_server() {
    let first = run(custom_backend::server());
    let taken = first.addresses()[0];
    let second = blocking::start(custom_backend::server(), move || Listener::bind(&[taken]));
    assert_eq!(second.unwrap_err().kind(), io::ErrorKind::AddrInUse);
}

#[test]
fn the_custom_backend_serves_what_it_makes_up_and_nothing_else() {
    let running = run(custom_backend::server());
    let mut client = of(&running);
    client.log_in("ftp", "x");
    client.ask("SIZE square-12", "213 4");
    assert_eq!(client.fetch("RETR square-12"), "144\n");
    let names = client.fetch("NLST");
    assert_eq!(names.lines().count(), 99);
    client.ask("SIZE square-100", "550 ");
    client.ask("CWD square-1", "550 ");
    client.ask("MKD new", "550 ");
    client.ask("DELE square-1", "550 ");
}

#[test]
fn the_site_command_is_answered_by_its_hook_and_others_as_ever() {
    let running = run(site_command::server());
    let mut client = of(&running);
    client.expect("220 ");
    client.ask("SITE UPTIME", "530 Log in first.");
    client.log_in_now("ftp", "x");
    client.ask("site uptime", "200 Up for 0 seconds, ftp.");
    client.ask("SITE NONSENSE", "50");
    client.ask("NOOP", "200 ");
}

/// CVE-2026-42167 was a name put into a query as it came.
#[test]
fn cve_2026_42167_users_come_from_the_database_whatever_they_call_themselves() {
    let running = run(database_users::server().unwrap());
    let mut client = of(&running);
    client.expect("220 ");
    for (user, password) in [("anna", "wrong"), ("anna' OR '1'='1", "secret")] {
        client.ask(&format!("USER {user}"), "331 ");
        client.ask(&format!("PASS {password}"), "530 ");
    }
    client.log_in_now("anna", "secret");
    client.ask("MKD new", "257 ");
}

fn any() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

fn of(running: &Running) -> Client {
    Client::connect(running.addresses()[0])
}

fn run<H: Handler>(server: Server<H>) -> Running {
    blocking::start(server, || Listener::bind(&[any()])).unwrap()
}
