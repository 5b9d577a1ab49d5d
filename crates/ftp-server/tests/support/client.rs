//! A client that says lines and reads replies, one at a time, with a bound on every wait.

#![allow(
    clippy::disallowed_types,
    clippy::unwrap_used,
    dead_code,
    reason = "the client of a test blocks, fails the test, and not every test needs all of it"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// Longest wait for anything on this machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A client that blocks.
pub(crate) struct Client(BufReader<TcpStream>);

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect_timeout(&address, PATIENCE).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(BufReader::new(stream))
    }

    /// A client over a connection that stands.
    pub(crate) fn over(stream: TcpStream) -> Self {
        Self(BufReader::new(stream))
    }

    /// The control connection.
    pub(crate) fn stream(&self) -> &TcpStream {
        self.0.get_ref()
    }

    /// The answers to a login whose commands were sent at once.
    pub(crate) fn log_in_answers(&mut self) {
        self.expect("220 ");
        self.expect("331 ");
        self.expect("230 ");
    }

    pub(crate) fn say(&mut self, line: &str) {
        // At once: the second of two small pieces would wait 40 ms for the first to be acknowledged.
        let line = format!("{line}\r\n");
        self.0.get_mut().write_all(line.as_bytes()).unwrap();
    }

    /// Reads one line, which must begin so.
    pub(crate) fn expect(&mut self, start: &str) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        assert!(line.starts_with(start), "{line:?} instead of {start:?}");
        line
    }

    pub(crate) fn ask(&mut self, line: &str, start: &str) -> String {
        self.say(line);
        self.expect(start)
    }

    pub(crate) fn ends(&mut self) {
        assert_eq!(self.0.read(&mut [0]).unwrap(), 0);
    }

    pub(crate) fn log_in(&mut self, user: &str, password: &str) {
        self.expect("220 ");
        self.log_in_now(user, password);
    }

    pub(crate) fn log_in_now(&mut self, user: &str, password: &str) {
        self.ask(&format!("USER {user}"), "331 ");
        self.ask(&format!("PASS {password}"), "230 ");
        self.ask("TYPE I", "200 ");
    }

    /// A data connection in passive mode.
    pub(crate) fn data(&mut self) -> TcpStream {
        let passive = self.ask("EPSV", "229 ");
        let port: u16 = passive.split('|').nth(3).unwrap().parse().unwrap();
        let address = (Ipv4Addr::LOCALHOST, port).into();
        let data = TcpStream::connect_timeout(&address, PATIENCE).unwrap();
        data.set_read_timeout(Some(PATIENCE)).unwrap();
        data
    }

    /// Sends a file; the last reply must begin so.
    pub(crate) fn store(&mut self, line: &str, bytes: &[u8], end: &str) {
        let mut data = self.data();
        self.ask(line, "150 ");
        // A server that has seen enough may have closed.
        let _sent = data.write_all(bytes);
        drop(data);
        self.expect(end);
    }

    /// What a transfer brings.
    pub(crate) fn fetch(&mut self, line: &str) -> String {
        let mut data = self.data();
        self.ask(line, "150 ");
        let mut text = String::new();
        data.read_to_string(&mut text).unwrap();
        self.expect("226 ");
        text
    }
}
