//! The conversation with the server: the `-v` trace, commands out, reply lines in.

use std::io::ErrorKind;
use std::net::SocketAddr;

use super::failure::Failure;
use super::host::Host;
use super::response::{MAX_LINE_BYTES, MAX_SKIPPED_BYTES, Response, closed};
use super::{Applet, complain};
use crate::control::Control;
use crate::data;
use crate::dial::{ConnectError, Dial};

/// A control connection, and the program that speaks on it.
pub(super) struct Session<'a, D: Dial, H> {
    applet: Applet,
    dial: &'a D,
    pub(super) host: &'a mut H,
    verbose: bool,
    server: SocketAddr,
    control: Control<D::Stream>,
}

impl<'a, D: Dial, H: Host> Session<'a, D, H> {
    /// Connects and says who we are.
    pub(super) async fn connect(
        applet: Applet,
        dial: &'a D,
        host: &'a mut H,
        verbose: bool,
        server: SocketAddr,
    ) -> Result<Self, Failure> {
        let stream = dial
            .connect(server)
            .await
            .map_err(|error| unreachable(server, error))?;
        Ok(Self {
            applet,
            dial,
            host,
            verbose,
            server,
            control: Control::new(stream),
        })
    }

    /// Greeting, USER, PASS if asked for, TYPE I.
    pub(super) async fn log_in(&mut self, user: &[u8], password: &[u8]) -> Result<(), Failure> {
        let greeting = self.listen().await?;
        if greeting.code != 220 {
            return Err(greeting.unexpected(None));
        }
        let response = self.ask("USER", Some(user)).await?;
        match response.code {
            230 => {}
            331 => {
                let response = self.ask("PASS", Some(password)).await?;
                if response.code != 230 {
                    return Err(response.unexpected(Some("PASS")));
                }
            }
            _ => return Err(response.unexpected(Some("USER"))),
        }
        // Whatever it answers.
        self.ask("TYPE I", None).await?;
        Ok(())
    }

    /// EPSV, else PASV, and the data connection.
    pub(super) async fn open_data(&mut self) -> Result<D::Stream, Failure> {
        let extended = self.ask("EPSV", None).await?;
        let port = if extended.code == 229 {
            extended.extended_port()?
        } else {
            let passive = self.ask("PASV", None).await?;
            if passive.code != 227 {
                return Err(passive.unexpected(Some("PASV")));
            }
            passive.passive_port()?
        };
        data::connect(self.dial, self.server, port)
            .await
            .map_err(|error| unreachable(self.server, error))
    }

    /// The reply after the data connection has ended.
    pub(super) async fn confirm(&mut self) -> Result<(), Failure> {
        let response = self.listen().await?;
        if response.code != 226 {
            return Err(response.unexpected(None));
        }
        Ok(())
    }

    /// Sends one command and reads the reply to it.
    pub(super) async fn ask(
        &mut self,
        command: &str,
        argument: Option<&[u8]>,
    ) -> Result<Response, Failure> {
        self.trace(command, argument).await;
        // One C stream serves both ways in the original. It cannot turn from reading to writing
        // while something lies unread in its buffer: nothing is sent, and the next read fails.
        if self.control.has_unread() {
            return Err(closed());
        }
        let mut line = command.as_bytes().to_vec();
        if let Some(argument) = argument {
            line.push(b' ');
            // See the module's head for why these two do not go out.
            line.extend(argument.iter().map(|&byte| match byte {
                b'\r' | b'\n' => b'?',
                other => other,
            }));
        }
        line.extend(*b"\r\n");
        match self.control.send(&line).await {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Failure::BrokenPipe),
            // The original looks at what it can still read.
            _ => self.response().await,
        }
    }

    /// Reads a reply that no command asked for.
    async fn listen(&mut self) -> Result<Response, Failure> {
        self.trace("(null)", None).await;
        self.response().await
    }

    async fn trace(&mut self, command: &str, argument: Option<&[u8]>) {
        if self.verbose {
            let argument = argument.unwrap_or(b"(null)");
            let text = [b"cmd ", command.as_bytes(), b" ", argument].concat();
            complain(self.applet, self.host, &text).await;
        }
    }

    async fn response(&mut self) -> Result<Response, Failure> {
        let mut skipped = 0;
        while skipped <= MAX_SKIPPED_BYTES {
            let line = self.line().await.ok_or_else(closed)?;
            if let Some(response) = Response::read(&line)? {
                return Ok(response);
            }
            skipped += line.len();
        }
        Err(closed())
    }

    /// A line with its end, or [`MAX_LINE_BYTES`] of one; what stands before the end of the
    /// connection counts, what stands before an error does not.
    async fn line(&mut self) -> Option<Vec<u8>> {
        let mut line = Vec::new();
        while line.len() < MAX_LINE_BYTES && line.last() != Some(&b'\n') {
            let bytes = self.control.fill().await.ok()?;
            if bytes.is_empty() {
                break;
            }
            let room = MAX_LINE_BYTES - line.len();
            let before = line.len();
            line.extend(
                bytes
                    .split_inclusive(|&byte| byte == b'\n')
                    .next()
                    .unwrap_or_default()
                    .iter()
                    .take(room),
            );
            let taken = line.len() - before;
            self.control.consume(taken);
        }
        (!line.is_empty()).then_some(line)
    }
}

fn unreachable(server: SocketAddr, error: ConnectError) -> Failure {
    Failure::Connect {
        address: server.ip(),
        error,
    }
}
