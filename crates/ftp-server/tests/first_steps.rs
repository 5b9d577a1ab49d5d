//! Drives `examples/first_steps.rs` with the real `telnet`, over IPv4 and over IPv6, and compares
//! what the terminal shows (it shows CRLF as LF) and what the log says.

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the peer of this test is a real program"
)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of a test fail the test"
)]

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use ftp_server::{Limits, Listener, Server};
use tokio_util::sync::CancellationToken;

#[path = "../examples/first_steps.rs"]
#[allow(dead_code, reason = "its `main` is not called here")]
mod first_steps;

/// Longest wait for one answer of a program on this machine.
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn telnet_over_ipv4_sees_the_exact_transcript() {
    dialogue("-4", "127.0.0.1");
}

#[test]
fn telnet_over_ipv6_sees_the_exact_transcript() {
    dialogue("-6", "::1");
}

#[test]
fn a_client_is_told_when_the_server_stops() {
    let server = Running::start();
    let mut telnet = Telnet::start("-4", "127.0.0.1", server.port);
    telnet.expect("220 Service ready for new user.\n");
    server.stop.cancel();
    let screen = telnet.finish();
    assert!(
        screen.ends_with(
            "421 Service not available, closing control connection.\n\
             Connection closed by foreign host.\n"
        ),
        "{screen}"
    );
    assert!(server.finish().contains("why=server stops"));
}

#[test]
fn both_families_are_served_on_one_port_at_once() {
    let server = Running::start();
    let mut v4 = Telnet::start("-4", "127.0.0.1", server.port);
    let mut v6 = Telnet::start("-6", "::1", server.port);
    for telnet in [&mut v4, &mut v6] {
        telnet.expect("220 Service ready for new user.\n");
    }
    for telnet in [&mut v6, &mut v4] {
        telnet.say("QUIT");
        telnet.expect("221 Service closing control connection.\n");
    }
    v4.finish();
    v6.finish();
}

fn dialogue(family: &str, address: &str) {
    let server = Running::start();
    let mut telnet = Telnet::start(family, address, server.port);
    telnet.expect("220 Service ready for new user.\n");
    for (line, answer) in [
        ("NOOP", "200 Command okay."),
        ("noop", "200 Command okay."),
        ("NoOp", "200 Command okay."),
        ("STAT", "502 Command not implemented."),
        ("PORT nonsense", "502 Command not implemented."),
        ("FOO bar", "500 Syntax error, command unrecognized."),
        ("", "500 Syntax error, command unrecognized."),
        ("quit", "221 Service closing control connection."),
    ] {
        telnet.say(line);
        telnet.expect(&format!("{answer}\n"));
    }
    let screen = telnet.finish();
    assert_eq!(
        screen,
        format!(
            "Trying {address}...\n\
             Connected to {address}.\n\
             Escape character is '^]'.\n\
             220 Service ready for new user.\n\
             200 Command okay.\n\
             200 Command okay.\n\
             200 Command okay.\n\
             502 Command not implemented.\n\
             502 Command not implemented.\n\
             500 Syntax error, command unrecognized.\n\
             500 Syntax error, command unrecognized.\n\
             221 Service closing control connection.\n\
             Connection closed by foreign host.\n"
        )
    );
    let log = server.finish();
    let wanted = [
        " INFO ftp_server::server: accepted",
        " INFO ftp_server::connection: request id=1 request=NOOP",
        " INFO ftp_server::connection: request id=1 request=STAT",
        " WARN ftp_server::connection: request not understood id=1 request=PORT nonsense error=bad argument of PORT",
        " WARN ftp_server::connection: request not understood id=1 request=FOO bar error=unknown verb",
        " INFO ftp_server::server: disconnected",
    ];
    let mut rest = log.as_str();
    for line in wanted {
        let at = rest
            .find(line)
            .unwrap_or_else(|| unreachable!("no {line:?} in order in:\n{log}"));
        rest = &rest[at + line.len()..];
    }
}

/// The example's service on a port of its own, with its log kept.
struct Running {
    port: u16,
    stop: CancellationToken,
    log: Log,
    thread: JoinHandle<()>,
}

impl Running {
    fn start() -> Self {
        let log = Log::default();
        let writer = log.clone();
        let (report, started) = mpsc::channel();
        let thread = thread::spawn(move || {
            // One thread, so that its default subscriber sees every task.
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            let subscriber = tracing_subscriber::fmt()
                .with_ansi(false)
                .with_writer(move || writer.clone())
                .finish();
            let _default = tracing::subscriber::set_default(subscriber);
            runtime.block_on(async {
                let listener = Listener::dual_stack(0).unwrap();
                let port = listener.addresses().unwrap()[0].port();
                let server = Server::new(first_steps::FirstSteps, Limits::default());
                report.send((port, server.stop_token())).unwrap();
                server.serve(listener).await.unwrap();
            });
        });
        let (port, stop) = started.recv_timeout(PATIENCE).unwrap();
        Self {
            port,
            stop,
            log,
            thread,
        }
    }

    /// Stops the service; what it has logged.
    fn finish(self) -> String {
        self.stop.cancel();
        self.thread.join().unwrap();
        let bytes = self.log.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The real program, one line at a time.
struct Telnet {
    child: Child,
    keyboard: ChildStdin,
    screen: Receiver<Vec<u8>>,
    shown: Vec<u8>,
}

impl Telnet {
    fn start(family: &str, address: &str, port: u16) -> Self {
        let mut child = Command::new("telnet")
            .args([family, address, &port.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // It says "Connection closed by foreign host." here; one screen shows both.
            .stderr(Stdio::piped())
            .spawn()
            .expect("telnet must be installed (Debian: inetutils-telnet)");
        let keyboard = child.stdin.take().unwrap();
        let screen = watch(child.stdout.take().unwrap());
        Self {
            child,
            keyboard,
            screen,
            shown: Vec::new(),
        }
    }

    fn say(&mut self, line: &str) {
        self.keyboard
            .write_all(format!("{line}\n").as_bytes())
            .unwrap();
    }

    /// Waits until the screen ends with this text.
    fn expect(&mut self, text: &str) {
        while !self.shown.ends_with(text.as_bytes()) {
            let more = self.screen.recv_timeout(PATIENCE);
            let shown = String::from_utf8_lossy(&self.shown).into_owned();
            self.shown
                .extend(more.unwrap_or_else(|_| unreachable!("no {text:?} behind:\n{shown}")));
        }
    }

    /// Waits until the program ends; all it has shown.
    fn finish(mut self) -> String {
        while let Ok(more) = self.screen.recv_timeout(PATIENCE) {
            self.shown.extend(more);
        }
        drop(self.keyboard);
        self.child.wait().unwrap();
        let mut stderr = self.child.stderr.take().unwrap();
        stderr.read_to_end(&mut self.shown).unwrap();
        String::from_utf8(self.shown).unwrap()
    }
}

fn watch(mut stdout: ChildStdout) -> Receiver<Vec<u8>> {
    let (report, screen) = mpsc::channel();
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count) = stdout.read(&mut buffer) {
            if count == 0 || report.send(buffer[..count].to_vec()).is_err() {
                return;
            }
        }
    });
    screen
}
