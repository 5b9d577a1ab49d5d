//! A process of its own for the operator's programs.
//!
//! It is started before files are given up (Landlock) and knows the programs that may be run; it is
//! asked for them by number. So hooks have the files they need, and a server that was taken over can
//! start nothing else. Both sides talk over a socket pair: a length of four bytes, then JSON.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{AbortHandle, JoinSet};

use super::confine::{self, Identity};
use super::program::{Finished, Program, Runner};
use super::{Failure, FailureKind};

/// What the helper is told at first.
#[derive(Debug, Serialize, Deserialize)]
struct Setup {
    programs: Vec<Vec<String>>,
    user: Option<String>,
    group: Option<String>,
}

/// What it is asked then.
#[derive(Debug, Serialize, Deserialize)]
enum Question {
    Run {
        id: u64,
        program: usize,
        environment: Vec<(String, Vec<u8>)>,
        input: Vec<u8>,
        time: Duration,
    },
    Cancel {
        id: u64,
    },
}

/// What it answers.
#[derive(Debug, Serialize, Deserialize)]
struct Reply {
    id: u64,
    end: Result<End, Trouble>,
}

#[derive(Debug, Serialize, Deserialize)]
struct End {
    status: i32,
    stdout: Vec<u8>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Trouble {
    timed_out: bool,
    text: String,
}

/// The helper as the server sees it, before there is a runtime.
#[derive(Debug)]
pub struct Started {
    socket: StdUnixStream,
    programs: Vec<Vec<String>>,
    /// Ends by itself when the socket closes.
    _process: Child,
}

impl Started {
    /// Starts the helper for these programs; it becomes this user.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn new(
        programs: Vec<Vec<String>>,
        user: Option<&str>,
        group: Option<&str>,
    ) -> io::Result<Self> {
        let (ours, theirs) = StdUnixStream::pair()?;
        let process = Command::new("/proc/self/exe")
            .arg("helper")
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::null())
            // The signals of a terminal are for the server, which decides when it is over.
            .process_group(0)
            .spawn()?;
        let setup = Setup {
            programs: programs.clone(),
            user: user.map(str::to_owned),
            group: group.map(str::to_owned),
        };
        io::Write::write_all(&mut &ours, &frame(&setup)?)?;
        ours.set_nonblocking(true)?;
        Ok(Self {
            socket: ours,
            programs,
            _process: process,
        })
    }

    /// The helper as one that can be asked, on this runtime.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn connect(self) -> io::Result<Helper> {
        let (mut reader, mut writer) = UnixStream::from_std(self.socket)?.into_split();
        let (questions, mut asked) = mpsc::unbounded_channel::<Question>();
        let waiting = Waiting::default();
        let answers = Arc::clone(&waiting);
        // Both end with the runtime, or when the helper has gone.
        drop(tokio::spawn(async move {
            while let Some(question) = asked.recv().await {
                if let Err(error) = write(&mut writer, &question).await {
                    tracing::error!(%error, "the helper cannot be asked");
                    return;
                }
            }
        }));
        drop(tokio::spawn(async move {
            loop {
                match read::<Reply>(&mut reader).await {
                    Ok(reply) => {
                        if let Some(waiting) = lock(&answers).remove(&reply.id) {
                            // Whoever has given up waiting wants no answer.
                            let _gone = waiting.send(reply.end);
                        }
                    }
                    Err(error) => {
                        tracing::error!(%error, "the helper has gone; no program can be run");
                        lock(&answers).clear();
                        return;
                    }
                }
            }
        }));
        Ok(Helper(Arc::new(Inner {
            programs: self.programs,
            questions,
            waiting,
            next_id: AtomicU64::new(0),
            _process: self._process,
        })))
    }
}

type Waiting = Arc<Mutex<HashMap<u64, oneshot::Sender<Result<End, Trouble>>>>>;

/// The helper; clones are the same one.
#[derive(Clone, Debug)]
pub struct Helper(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    programs: Vec<Vec<String>>,
    /// Bounded by the semaphores of those who ask.
    questions: mpsc::UnboundedSender<Question>,
    waiting: Waiting,
    next_id: AtomicU64,
    _process: Child,
}

impl Helper {
    /// The number of a program, if the helper was told of it.
    #[must_use]
    pub fn find(&self, line: &[String]) -> Option<usize> {
        self.0.programs.iter().position(|known| known == line)
    }

    /// As [`Program::run`].
    ///
    /// # Errors
    ///
    /// Those of [`Program::run`]; [`io::ErrorKind::BrokenPipe`] if the helper has gone.
    pub async fn run(
        &self,
        program: usize,
        environment: &[(&str, &OsStr)],
        input: Vec<u8>,
        time: Duration,
    ) -> io::Result<Finished> {
        let id = self.0.next_id.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        lock(&self.0.waiting).insert(id, sender);
        let _ask = Asked { helper: self, id };
        let pairs = environment.iter();
        let environment = pairs
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
            .collect();
        self.ask(Question::Run {
            id,
            program,
            environment,
            input,
            time,
        })?;
        match answer.await {
            Ok(Ok(end)) => Ok(Finished {
                status: ExitStatus::from_raw(end.status),
                stdout: end.stdout,
            }),
            Ok(Err(trouble)) if trouble.timed_out => {
                Err(io::Error::new(io::ErrorKind::TimedOut, trouble.text))
            }
            Ok(Err(trouble)) => Err(io::Error::other(trouble.text)),
            Err(_) => Err(gone()),
        }
    }

    fn ask(&self, question: Question) -> io::Result<()> {
        self.0.questions.send(question).map_err(|_| gone())
    }
}

/// A question that is withdrawn when nobody waits any more.
struct Asked<'a> {
    helper: &'a Helper,
    id: u64,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        if lock(&self.helper.0.waiting).remove(&self.id).is_some() {
            // If the helper has gone there is nothing to withdraw.
            let _gone = self.helper.ask(Question::Cancel { id: self.id });
        }
    }
}

fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the helper has gone")
}

/// `ftpd helper`: runs programs until the server has gone, and lets those under way finish.
pub(super) fn main() -> Result<(), Failure> {
    let wrong = |error: io::Error| Failure::new(FailureKind::System, format!("helper: {error}"));
    let socket = io::stdin().as_fd().try_clone_to_owned().map_err(wrong)?;
    let socket = StdUnixStream::from(socket);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(wrong)?;
    runtime.block_on(async {
        // Whoever stops a whole group of processes means the server; programs may go on until it ends.
        let mut deaf = Vec::new();
        for kind in [
            SignalKind::hangup(),
            SignalKind::interrupt(),
            SignalKind::terminate(),
        ] {
            deaf.push(signal(kind).map_err(wrong)?);
        }
        socket.set_nonblocking(true).map_err(wrong)?;
        let mut socket = UnixStream::from_std(socket).map_err(wrong)?;
        let setup: Setup = read(&mut socket).await.map_err(wrong)?;
        become_user(&setup)?;
        serve(socket, &setup.programs).await.map_err(wrong)
    })
}

fn become_user(setup: &Setup) -> Result<(), Failure> {
    let Some(user) = setup.user.as_deref().filter(|_| confine::is_root()) else {
        return Ok(());
    };
    Identity::find(user, setup.group.as_deref())
        .and_then(|identity| identity.become_it())
        .map_err(|error| Failure::new(FailureKind::Permission, error))
}

async fn serve(socket: UnixStream, programs: &[Vec<String>]) -> io::Result<()> {
    let (mut reader, mut writer) = socket.into_split();
    let (sender, mut questions) = mpsc::channel(1);
    // A read that was dropped half way would lose its place in the stream.
    let reading = tokio::spawn(async move {
        while let Ok(question) = read::<Question>(&mut reader).await {
            if sender.send(question).await.is_err() {
                return;
            }
        }
    });
    let mut running: JoinSet<Reply> = JoinSet::new();
    let mut handles: HashMap<u64, AbortHandle> = HashMap::new();
    let mut is_open = true;
    while is_open || !running.is_empty() {
        tokio::select! {
            question = questions.recv(), if is_open && running.len() < MAX_PROGRAMS => match question {
                Some(Question::Run { id, program, environment, input, time }) => {
                    let line = programs.get(program).cloned().unwrap_or_default();
                    let handle = running.spawn(run(id, line, environment, input, time));
                    handles.insert(id, handle);
                }
                Some(Question::Cancel { id }) => {
                    if let Some(handle) = handles.remove(&id) {
                        handle.abort();
                    }
                }
                None => is_open = false,
            },
            Some(ended) = running.join_next() => {
                if let Ok(reply) = ended {
                    handles.remove(&reply.id);
                    if is_open {
                        write(&mut writer, &reply).await?;
                    }
                }
            }
        }
    }
    reading.abort();
    Ok(())
}

async fn run(
    id: u64,
    line: Vec<String>,
    environment: Vec<(String, Vec<u8>)>,
    input: Vec<u8>,
    time: Duration,
) -> Reply {
    let environment: Vec<(String, OsString)> = environment
        .into_iter()
        .map(|(name, value)| (name, OsString::from_vec(value)))
        .collect();
    let pairs: Vec<(&str, &OsStr)> = environment
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_os_str()))
        .collect();
    let finished = match Program::new(&line, &Runner::Here) {
        Some(program) => program.run(&pairs, input, time).await,
        None => Err(io::ErrorKind::NotFound.into()),
    };
    let end = finished
        .map(|finished| End {
            status: finished.status.into_raw(),
            stdout: finished.stdout,
        })
        .map_err(|error| Trouble {
            timed_out: error.kind() == io::ErrorKind::TimedOut,
            text: error.to_string(),
        });
    Reply { id, end }
}

fn frame<T: Serialize>(value: &T) -> io::Result<Vec<u8>> {
    let body = serde_json::to_vec(value)?;
    let length = u32::try_from(body.len()).map_err(io::Error::other)?;
    Ok([&length.to_be_bytes()[..], &body].concat())
}

async fn write<T: Serialize>(writer: &mut (impl AsyncWrite + Unpin), value: &T) -> io::Result<()> {
    writer.write_all(&frame(value)?).await
}

async fn read<T: DeserializeOwned>(reader: &mut (impl AsyncRead + Unpin)) -> io::Result<T> {
    let length = reader.read_u32().await?;
    if length > MAX_FRAME_BYTES {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut body = Vec::new();
    reader.take(length.into()).read_to_end(&mut body).await?;
    serde_json::from_slice(&body).map_err(io::Error::other)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whoever panicked while holding it has added or removed one entry.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Programs at a time; those who ask have lower limits of their own.
const MAX_PROGRAMS: usize = 1024;

/// Longest message: an environment of a few lines of a client, or 64 KiB of output as JSON numbers.
const MAX_FRAME_BYTES: u32 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_helper_runs_what_it_was_told_of_and_nothing_else() {
        let line = |script: &str| ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
        let programs = vec![line("cat; echo \"$X\"; exit 3"), line("exec sleep 600")];
        let (ours, theirs) = UnixStream::pair().unwrap();
        let known = programs.clone();
        let server = tokio::spawn(async move { serve(theirs, &known).await });
        let process = Command::new("/bin/true").spawn().unwrap();
        let started = Started {
            socket: ours.into_std().unwrap(),
            programs: programs.clone(),
            _process: process,
        };
        let helper = started.connect().unwrap();
        assert_eq!(helper.find(&programs[1]), Some(1));
        assert_eq!(helper.find(&line("true")), None);
        let environment = [("X", OsStr::from_bytes(b"a\xffb"))];
        let second = Duration::from_secs(1);
        let finished = helper
            .run(0, &environment, b"in ".to_vec(), 20 * second)
            .await
            .unwrap();
        assert_eq!(finished.stdout, b"in a\xffb\n");
        assert_eq!(finished.status.code(), Some(3));
        let late = helper.run(1, &[], vec![], second / 20).await;
        assert_eq!(late.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert!(helper.run(7, &[], vec![], second).await.is_err());
        // One that nobody waits for any more is killed, or the server below would wait for it.
        let given_up = helper.run(1, &[], vec![], 600 * second);
        let waited = tokio::time::timeout(second / 20, given_up).await;
        assert!(waited.is_err());
        drop(helper);
        let ended = tokio::time::timeout(20 * second, server).await;
        ended.unwrap().unwrap().unwrap();
    }
}
