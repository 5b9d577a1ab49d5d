//! A scripted FTP server for one client: well-behaved unless the script says otherwise.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// A peer that takes longer is a bug in the test.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the server does.
#[derive(Clone)]
pub(crate) struct Script {
    greeting: Vec<u8>,
    answers: Vec<(&'static str, Answer)>,
    body: Vec<u8>,
    end: End,
    last: Answer,
    address: IpAddr,
}

/// What becomes of the data connection after the body.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Closed,
    /// Reset, and no body before it.
    Reset,
    /// Left open, until the client goes.
    Open,
}

/// What is sent in answer to a verb.
#[derive(Clone)]
pub(crate) enum Answer {
    /// These bytes; `{port}`, `{high}` and `{low}` stand for the data port.
    Say(Vec<u8>),
    /// Nothing, and the connection is closed.
    Close,
    /// Nothing, until the client goes.
    Silence,
}

impl Answer {
    pub(crate) fn say(text: impl AsRef<[u8]>) -> Self {
        Self::Say(text.as_ref().to_vec())
    }
}

pub(crate) fn script() -> Script {
    Script {
        greeting: b"220 ready\r\n".to_vec(),
        answers: Vec::new(),
        body: b"echo one\n".to_vec(),
        end: End::Closed,
        last: Answer::say("226 Transfer complete.\r\n"),
        address: Ipv4Addr::LOCALHOST.into(),
    }
}

impl Script {
    pub(crate) fn greeting(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.greeting = bytes.as_ref().to_vec();
        self
    }

    /// One line in answer to this verb, CRLF added.
    pub(crate) fn line(self, verb: &'static str, line: impl AsRef<[u8]>) -> Self {
        let bytes = [line.as_ref(), b"\r\n"].concat();
        self.answer(verb, Answer::Say(bytes))
    }

    pub(crate) fn answer(mut self, verb: &'static str, answer: Answer) -> Self {
        self.answers.push((verb, answer));
        self
    }

    pub(crate) fn body(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.body = bytes.as_ref().to_vec();
        self
    }

    /// The data connection is reset before the first byte.
    pub(crate) fn reset(mut self) -> Self {
        self.end = End::Reset;
        self
    }

    /// The body never ends.
    pub(crate) fn stalled(mut self) -> Self {
        self.end = End::Open;
        self
    }

    /// What comes when the data connection has ended.
    pub(crate) fn last(mut self, answer: Answer) -> Self {
        self.last = answer;
        self
    }

    pub(crate) fn on_ipv6(mut self) -> Self {
        self.address = Ipv6Addr::LOCALHOST.into();
        self
    }
}

/// A server that waits for its client.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    silence: Arc<Notify>,
    task: JoinHandle<Vec<String>>,
}

impl Server {
    pub(crate) async fn start(script: Script) -> Self {
        let control = TcpListener::bind((script.address, 0)).await.unwrap();
        let data = TcpListener::bind((script.address, 0)).await.unwrap();
        let address = control.local_addr().unwrap();
        let silence = Arc::new(Notify::new());
        let silent = Arc::clone(&silence);
        let task = tokio::spawn(async move {
            let mut seen = Vec::new();
            // The client's connection, and whatever stands behind it in the queue: `stop`.
            let (stream, _) = control.accept().await.unwrap();
            serve(stream, &data, &script, &mut seen, &silent).await;
            seen
        });
        Self {
            address,
            silence,
            task,
        }
    }

    /// Returns when a command was read that gets no answer.
    pub(crate) async fn silence(&self) {
        self.silence.notified().await;
    }

    /// What the server saw; call it when the client is gone.
    pub(crate) async fn stop(self) -> Vec<String> {
        // If the client never came, this connection takes its place and says nothing.
        drop(TcpStream::connect(self.address).await);
        tokio::time::timeout(PATIENCE, self.task)
            .await
            .expect("the server is stuck")
            .unwrap()
    }
}

async fn serve(
    stream: TcpStream,
    data: &TcpListener,
    script: &Script,
    seen: &mut Vec<String>,
    silent: &Notify,
) {
    let mut control = BufReader::new(stream);
    let mut offset = 0;
    control.write_all(&script.greeting).await.ok();
    let mut line = Vec::new();
    while matches!(control.read_until(b'\n', &mut line).await, Ok(1..)) {
        seen.push(line.escape_ascii().to_string());
        let text = String::from_utf8_lossy(&line).into_owned();
        line.clear();
        let (verb, argument) = text
            .trim_end()
            .split_once(' ')
            .unwrap_or((text.trim_end(), ""));
        if verb == "REST" {
            offset = argument.parse().unwrap_or(0);
        }
        let answer = answer_to(script, verb);
        if matches!(answer, Answer::Silence) {
            silent.notify_one();
        }
        let agreed = matches!(&answer, Answer::Say(bytes) if bytes.starts_with(b"1"));
        if !give(&mut control, answer, data.local_addr().unwrap().port()).await {
            return;
        }
        if agreed && matches!(verb, "RETR" | "STOR") {
            move_body(data, script, verb, offset, seen).await;
            if !give(&mut control, script.last.clone(), 0).await {
                return;
            }
        }
    }
}

fn answer_to(script: &Script, verb: &str) -> Answer {
    let scripted = script.answers.iter().find(|(known, _)| *known == verb);
    if let Some((_, answer)) = scripted {
        return answer.clone();
    }
    Answer::say(match verb {
        "USER" => "331 Password?\r\n".to_owned(),
        "PASS" => "230 Welcome.\r\n".to_owned(),
        "TYPE" => "200 Binary.\r\n".to_owned(),
        "EPSV" => "229 Entering Extended Passive Mode (|||{port}|)\r\n".to_owned(),
        "PASV" => "227 Entering Passive Mode (127,0,0,1,{high},{low}).\r\n".to_owned(),
        "SIZE" => format!("213 {}\r\n", script.body.len()),
        "REST" => "350 Restarting.\r\n".to_owned(),
        "RETR" | "STOR" => "150 Here it comes.\r\n".to_owned(),
        "QUIT" => "221 Goodbye.\r\n".to_owned(),
        _ => "500 What?\r\n".to_owned(),
    })
}

/// Whether the conversation goes on.
async fn give(control: &mut BufReader<TcpStream>, answer: Answer, data_port: u16) -> bool {
    match answer {
        Answer::Say(bytes) => {
            let [high, low] = data_port.to_be_bytes();
            let mut bytes = bytes;
            for (name, number) in [
                ("{port}", data_port),
                ("{high}", high.into()),
                ("{low}", low.into()),
            ] {
                bytes = replace(&bytes, name.as_bytes(), number.to_string().as_bytes());
            }
            control.write_all(&bytes).await.is_ok()
        }
        Answer::Close => false,
        Answer::Silence => {
            let mut rest = Vec::new();
            control.read_to_end(&mut rest).await.ok();
            false
        }
    }
}

async fn move_body(
    data: &TcpListener,
    script: &Script,
    verb: &str,
    offset: usize,
    seen: &mut Vec<String>,
) {
    let (mut stream, _) = data.accept().await.unwrap();
    if script.end == End::Reset {
        stream.set_zero_linger().unwrap();
    } else if verb == "RETR" {
        let bytes = script.body.get(offset..).unwrap_or_default();
        stream.write_all(bytes).await.ok();
        if script.end == End::Open {
            stream.read_to_end(&mut Vec::new()).await.ok();
        }
    } else {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.ok();
        seen.push(format!("body: {}", bytes.escape_ascii()));
    }
}

pub(crate) fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = bytes;
    while let Some(at) = rest.windows(from.len()).position(|window| window == from) {
        out.extend(&rest[..at]);
        out.extend(to);
        rest = &rest[at + from.len()..];
    }
    out.extend(rest);
    out
}
