//! A client's conversation and a server's session that talk to each other, while what carries their
//! bytes and does the server's work is cut, late, out of order or wrong.
//!
//! The bytes of the fuzzer are the events: which line is said, how many bytes arrive, what a task comes
//! to. What must hold whatever they are: each line is owed exactly one final reply, nobody has to wait
//! for ever, and what is kept in memory is bounded by what was sent.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::client::Conversation;
use crate::listing::{Entry, Kind};
use crate::permission::Rights;
use crate::reply::{Class, Reply};
use crate::server::{
    Begun, Endpoints, FileError, Grant, Outcome, Response, Session, Settings, Task, Then,
    TransferEnd,
};
use crate::{Argument, Command, CommandError, line};

/// Most bytes the server may say to one event: HELP and FEAT are the longest.
const MAX_SAID_BYTES: usize = 16 * 1024;

/// Most events of one run, so that a run is quick.
const MAX_EVENTS: usize = 600;

/// What the client may say.
const LINES: [&str; 32] = [
    "USER anna",
    "PASS secret",
    "PASV",
    "EPSV",
    "PORT 127,0,0,1,8,1",
    "RETR x",
    "STOR x",
    "STOU",
    "LIST",
    "MLSD",
    "APPE x",
    "NOOP",
    "STAT",
    "STAT /",
    "QUIT",
    "REIN",
    "TYPE A",
    "REST 5",
    "RANG 1 2",
    "RNFR a",
    "RNTO b",
    "MKD a",
    "CWD a",
    "SIZE x",
    "MDTM x",
    "HASH x",
    "SITE CPFR a",
    "SITE CPTO b",
    "FEAT",
    "EPSV ALL",
    "nonsense",
    "ALLO 5",
];

/// The two, and all that is between them.
struct Pair {
    client: Conversation,
    session: Session,
    decoder: line::Decoder,
    /// Bytes on their way to the client.
    back: Vec<u8>,
    /// What the session has asked for.
    task: Option<Task>,
    /// Whether bytes are moving.
    moving: bool,
    /// Lines that have to wait.
    waiting: VecDeque<Result<Command, CommandError>>,
    /// Final replies that are owed to lines the session has seen.
    owed: usize,
    closed: bool,
    now: Instant,
}

/// Runs the events; panics at a violated promise.
pub(super) fn run(bytes: &[u8], start: Instant) {
    let mut pair = Pair::new(start);
    let mut events = bytes.iter().copied().take(MAX_EVENTS);
    while let (Some(event), false) = (events.next(), pair.closed) {
        let detail = events.next().unwrap_or_default();
        match event % 8 {
            0 | 1 => pair.say(detail),
            2 => pair.arrive(detail.into()),
            3 => pair.return_some(detail.into()),
            4 => pair.work(detail),
            5 => pair.mislead(detail),
            6 => pair.wait(detail),
            _ => pair.arrive(usize::MAX),
        }
        pair.check();
    }
    pair.settle();
}

impl Pair {
    fn new(now: Instant) -> Self {
        let address = std::net::SocketAddr::from(([127, 0, 0, 1], 4000));
        let endpoints = Endpoints {
            local: address,
            peer: address,
        };
        let session = Session::new(Settings::default(), endpoints, now);
        let mut pair = Self {
            client: Conversation::new(),
            decoder: line::Decoder::default(),
            back: Vec::new(),
            task: None,
            moving: false,
            waiting: VecDeque::new(),
            // The greeting.
            owed: 1,
            closed: false,
            now,
            session,
        };
        let greeting = pair.session.greet();
        pair.follow(greeting);
        pair
    }

    /// The client says something, ABOR with its Synch now and then.
    fn say(&mut self, which: u8) {
        // A client does not say more than it can remember.
        if self.client.outgoing().len() > MAX_SAID_BYTES {
            return;
        }
        if which >= 240 {
            self.client.queue_abort();
        } else if let Some(words) = LINES.get(usize::from(which) % LINES.len())
            && let Ok(words) = Argument::try_from(*words)
        {
            self.client.queue_line(&words);
        }
    }

    /// Some bytes of the client reach the server.
    fn arrive(&mut self, count: usize) {
        let bytes = self.client.outgoing();
        let count = count.min(bytes.len());
        let piece = bytes.get(..count).unwrap_or_default().to_vec();
        self.client.sent(count);
        let mut piece = piece.as_slice();
        while let Some(event) = self.decoder.decode(&mut piece) {
            let command = match event {
                line::Event::Line(line) => Command::parse(&line),
                line::Event::TooLong => Err(CommandError::TooLong),
                line::Event::Refuse(_) => continue,
            };
            if self.closed {
                return;
            }
            self.owed += 1;
            // While a task is under way no line is given to the session.
            if self.task.is_some() || !(self.waiting.is_empty() || self.moving) {
                self.waiting.push_back(command);
            } else {
                self.hear(command);
            }
        }
    }

    fn hear(&mut self, command: Result<Command, CommandError>) {
        let response = self.session.handle_command(command.clone(), self.now);
        match &response.then {
            Then::Hold => {
                assert!(
                    response.replies.is_empty(),
                    "a line that waits was answered"
                );
                self.waiting.push_back(command);
            }
            Then::ReportProgress => {
                let progress = self.session.progress(5);
                self.follow(progress);
            }
            _ => self.follow(response),
        }
    }

    fn follow(&mut self, response: Response) {
        let mut said = Vec::new();
        for reply in &response.replies {
            reply.encode(&mut said);
            if reply.code().class() != Class::Preliminary {
                assert!(self.owed > 0, "a reply nobody is owed: {reply}");
                self.owed -= 1;
            }
        }
        assert!(said.len() <= MAX_SAID_BYTES, "the server says too much");
        self.back.extend(said);
        match response.then {
            Then::Perform(task) => self.task = Some(task),
            Then::Close => self.closed = true,
            Then::AbortTransfer => {
                assert!(self.moving, "there was nothing to abort");
                self.end(TransferEnd::Aborted);
            }
            Then::Read | Then::Hold | Then::ReportProgress | Then::CloseData => {}
            Then::StartTls | Then::EndTls => unreachable!("there is no TLS here"),
        }
    }

    fn end(&mut self, end: TransferEnd) {
        self.moving = false;
        let response = self.session.transfer_ended(end, self.now);
        self.follow(response);
        self.go_on();
    }

    /// Lines that had to wait.
    fn go_on(&mut self) {
        while self.task.is_none() && !self.moving && !self.closed {
            let Some(command) = self.waiting.pop_front() else {
                return;
            };
            self.hear(command);
        }
    }

    /// Some bytes of the server reach the client.
    fn return_some(&mut self, count: usize) {
        let count = count.min(self.back.len());
        let piece: Vec<u8> = self.back.drain(..count).collect();
        self.client.receive(&piece);
        while let Some(reply) = self
            .client
            .next_reply()
            .unwrap_or_else(|error| unreachable!("the server said what is no reply: {error}"))
        {
            assert!(
                !reply.text().contains(&b'\n'),
                "a reply of several lines: {reply}"
            );
        }
    }

    /// What the session has asked for is done, or fails.
    fn work(&mut self, how: u8) {
        if self.moving {
            let ends = [
                TransferEnd::Complete,
                TransferEnd::NoConnection,
                TransferEnd::NotProtected,
                TransferEnd::Cut,
                TransferEnd::Malformed,
                TransferEnd::Failed(FileError::NoSpace),
            ];
            self.end(
                ends.get(usize::from(how) % ends.len())
                    .copied()
                    .unwrap_or(TransferEnd::Cut),
            );
            return;
        }
        let Some(task) = self.task.take() else {
            return;
        };
        if matches!(task, Task::Transfer(_)) && how < 200 {
            let begun = self.session.transfer_begins(&Begun::default());
            self.moving = true;
            self.follow(begun);
            // It is not idle that it waits for lines now, but lines may be answered.
            let held: Vec<_> = self.waiting.drain(..).collect();
            for command in held {
                self.hear(command);
            }
            return;
        }
        let outcome = outcome(&task, how);
        let response = self.session.complete(outcome, self.now);
        self.follow(response);
        self.go_on();
    }

    /// The driver reports what did not happen.
    fn mislead(&mut self, how: u8) {
        let response = match how % 3 {
            0 if self.task.is_none() => self.session.complete(Outcome::Done, self.now),
            1 if !self.moving => self.session.transfer_ended(TransferEnd::Complete, self.now),
            2 if self.task.is_none() => self.session.transfer_begins(&Begun::default()),
            _ => return,
        };
        assert!(response.replies.is_empty(), "an answer to nothing");
        assert_eq!(response.then, Then::Read, "something to do for nothing");
    }

    fn wait(&mut self, seconds: u8) {
        self.now += Duration::from_secs(seconds.into());
        let response = self.session.handle_timeout(self.now);
        if response.then == Then::Close {
            assert!(self.task.is_none() && !self.moving, "work was cut short");
            // The farewell is owed to nobody.
            self.owed += 1;
            self.follow(response);
        }
    }

    fn check(&self) {
        let idle = self.task.is_none() && !self.moving;
        if idle && !self.closed {
            assert!(self.waiting.is_empty(), "lines wait for nothing");
            assert_eq!(self.owed, 0, "a line without its final reply");
        }
        assert!(
            self.owed >= self.waiting.len(),
            "a line was answered and kept"
        );
    }

    /// Everything arrives and everything is done: nobody is owed anything.
    fn settle(&mut self) {
        for _ in 0..2 * MAX_EVENTS {
            self.arrive(usize::MAX);
            if self.closed || (self.task.is_none() && !self.moving) {
                break;
            }
            self.work(0);
        }
        self.check();
        self.return_some(usize::MAX);
        if !self.closed {
            assert_eq!(self.client.owed(), 0, "the client waits for a reply");
            assert!(
                self.session.next_timeout().is_some(),
                "nothing would end the session"
            );
        }
    }
}

/// What fits a task, something else, or a failure.
fn outcome(task: &Task, how: u8) -> Outcome {
    let errors = [
        FileError::NotFound,
        FileError::Denied,
        FileError::NotADirectory,
        FileError::IsADirectory,
        FileError::Exists,
        FileError::NotEmpty,
        FileError::NoSpace,
        FileError::OverQuota,
        FileError::NameNotAllowed,
        FileError::BadOffset,
        FileError::Busy,
        FileError::Unsupported,
        FileError::Other,
    ];
    if how >= 160 {
        let error = errors.get(usize::from(how) % errors.len());
        return Outcome::Failed(error.copied().unwrap_or(FileError::Other));
    }
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], 5000));
    let fitting = match task {
        Task::Login { .. } if how.is_multiple_of(8) => Outcome::LoginFailed,
        Task::Login { .. } => Outcome::LoggedIn(Grant::new(Rights::ALL)),
        Task::Listen => Outcome::Listening(address),
        Task::Look(_) => Outcome::Entry(Entry::new("x", Kind::File)),
        Task::ListHere(_) => Outcome::Status {
            is_directory: true,
            lines: vec![b"x".to_vec()],
        },
        Task::Hash { .. } => Outcome::Hash {
            digest: vec![1, 2],
            first: 0,
            end: 5,
        },
        Task::Space(_) | Task::Usage(_) | Task::Umask(_) => Outcome::Number(5),
        _ => Outcome::Done,
    };
    // Now and then what belongs to another task.
    match how % 16 {
        13 => Outcome::Number(1),
        14 => Outcome::Lines(Vec::new()),
        15 => Outcome::Answer(Reply::new(crate::Code::OKAY, "x")),
        _ => fitting,
    }
}
