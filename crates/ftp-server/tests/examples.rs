//! Each example of the book runs and does what the book says. `first_steps` has a test of its own.

#![expect(clippy::unwrap_used, reason = "helpers of a test fail the test")]

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ftp_server::blocking::{self, Blocking, Running};
use ftp_server::ftp_proto::{Code, Reply};
use ftp_server::{Answer, Handler, Limits, Listener, Request, Server};

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
