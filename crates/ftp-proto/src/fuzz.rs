//! Entry points for fuzzers: each takes any bytes, reads them and checks what must always hold.
//!
//! A violated promise panics, which is how a fuzzer notices. The property tests of this crate call
//! the same functions, so that they never rot.

#![expect(
    clippy::missing_panics_doc,
    reason = "panicking at a violated promise is what these functions are for"
)]

mod pair;

use crate::client::Conversation;
use crate::reply::{Decoder, Grammar};
use crate::time::Timestamp;
use crate::{Command, Reply, address, feature, line, listing};

/// Framing: no line is over the limit, and cutting the bytes elsewhere changes nothing.
pub fn line(bytes: &[u8]) {
    const LIMIT: usize = 64;
    let read = |size: usize| {
        let mut decoder = line::Decoder::new(LIMIT);
        let mut events = Vec::new();
        for mut piece in bytes.chunks(size) {
            while let Some(event) = decoder.decode(&mut piece) {
                events.push(event);
            }
        }
        events
    };
    let whole = read(bytes.len().max(1));
    assert_eq!(whole, read(1), "segmentation changed the lines");
    for event in whole {
        if let line::Event::Line(line) = event {
            assert!(line.len() <= LIMIT, "a line is over the limit");
        }
    }
}

/// Commands: what is read is written and read again.
pub fn command(bytes: &[u8]) {
    if let Ok(command) = Command::parse(bytes) {
        let mut again = Vec::new();
        command.encode(&mut again);
        assert_eq!(Command::parse(&again), Ok(command), "not an inverse");
    }
}

/// Replies in both grammars: what is read is written and read again.
pub fn reply(bytes: &[u8]) {
    for grammar in [Grammar::Standard, Grammar::FirstFinalLine] {
        let mut decoder = Decoder::new(grammar);
        let mut input = bytes;
        while let Ok(Some(reply)) = decoder.decode(&mut input) {
            let mut again = Vec::new();
            reply.encode(&mut again);
            let read = Decoder::new(Grammar::Standard).decode(&mut again.as_slice());
            assert_eq!(read, Ok(Some(reply)), "not an inverse");
        }
    }
}

/// Addresses and quoted paths: PORT, EPRT, LPRT, 227, 229, 257; and times.
pub fn address(bytes: &[u8]) {
    let mut again = Vec::new();
    if let Some(read) = address::parse_host_port(bytes) {
        address::write_host_port(read, &mut again);
        assert_eq!(address::parse_host_port(&again), Some(read));
        assert_eq!(address::scan_passive(&again), Some(read));
    }
    if let Ok(read) = address::parse_extended(bytes) {
        again.clear();
        address::write_extended(read, &mut again);
        assert_eq!(address::parse_extended(&again), Ok(read));
    }
    if let Ok(read) = address::parse_long(bytes) {
        again.clear();
        address::write_long(read, &mut again);
        assert_eq!(address::parse_long(&again), Ok(read));
    }
    if let Some(read) = address::scan_passive(bytes) {
        let reply = address::passive_reply(read);
        assert_eq!(address::scan_passive(reply.text()), Some(read));
    }
    if let Some(read) = address::scan_extended_passive(bytes) {
        let reply = address::extended_passive_reply(read);
        assert_eq!(address::scan_extended_passive(reply.text()), Some(read));
    }
    if let Some(path) = address::unquote(bytes) {
        assert_eq!(address::unquote(&address::quote(&path)), Some(path));
    }
    if let Some(time) = Timestamp::parse(bytes) {
        assert_eq!(Timestamp::parse(time.to_string().as_bytes()), Some(time));
    }
}

/// Listings in all forms, line by line, and feature lists.
pub fn listing(bytes: &[u8]) {
    let now = Timestamp::from_unix(1_700_000_000);
    for line in bytes.split(|&byte| byte == b'\n') {
        if let listing::Line::Entry(entry) = listing::parse_line(line, now) {
            assert!(!entry.name.is_empty(), "an entry without name");
        }
        if let Some(entry) = listing::mlsx::parse(line) {
            assert!(!entry.name.is_empty(), "an entry without name");
        }
    }
    for mut reader in [listing::Reader::new(now), listing::Reader::mlsx()] {
        for line in bytes.split(|&byte| byte == b'\n') {
            if let Some(entry) = reader.push_line(line) {
                assert!(!entry.name.is_empty(), "an entry without name");
            }
        }
        reader.finish();
    }
    let lines = bytes.split(|&byte| byte == b'\n');
    let reply = Reply::multi(crate::Code::SYSTEM_STATUS, lines, "End");
    for feature in feature::parse(&reply) {
        assert!(!feature.name().is_empty(), "a feature without name");
    }
}

/// A session that is given every line of the bytes and random outcomes: each event has an answer,
/// and exactly one final reply ends each command.
pub fn server(bytes: &[u8]) {
    use crate::server::{
        Begun, Endpoints, Grant, Outcome, Session, Settings, Task, Then, TransferEnd,
    };

    #[expect(
        clippy::disallowed_methods,
        reason = "any moment will do, and an Instant cannot be had otherwise"
    )]
    let start = std::time::Instant::now();
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], 4000));
    let endpoints = Endpoints {
        local: address,
        peer: address,
    };
    let mut session = Session::new(Settings::default(), endpoints, start);
    let mut decoder = line::Decoder::default();
    let mut input = bytes;
    let mut lines = 0_usize;
    while let Some(event) = decoder.decode(&mut input) {
        lines += 1;
        let command = match event {
            line::Event::Line(line) => Command::parse(&line),
            line::Event::TooLong => Err(crate::CommandError::TooLong),
            line::Event::Refuse(_) => continue,
        };
        let mut response = session.handle_command(command, start);
        // A file exists, then does not, in turn.
        let fails = lines.is_multiple_of(3);
        let mut finals = 0_usize;
        for _ in 0..4 {
            let is_final =
                |reply: &&Reply| reply.code().class() != crate::reply::Class::Preliminary;
            finals += response.replies.iter().filter(is_final).count();
            let Then::Perform(task) = response.then else {
                break;
            };
            response = match task {
                Task::Login { .. } => {
                    let grant = Grant::new(crate::permission::Rights::ALL);
                    session.complete(Outcome::LoggedIn(grant), start)
                }
                Task::Listen => session.complete(Outcome::Listening(address), start),
                _ if fails => {
                    let error = crate::server::FileError::NotFound;
                    session.complete(Outcome::Failed(error), start)
                }
                Task::Transfer(_) => {
                    let begun = session.transfer_begins(&Begun::default());
                    assert_eq!(begun.replies.len(), 1, "no preliminary reply");
                    session.transfer_ended(TransferEnd::Complete, start)
                }
                Task::Look(_) => {
                    let entry = listing::Entry::new("x", listing::Kind::File);
                    session.complete(Outcome::Entry(entry), start)
                }
                Task::ListHere(_) => {
                    let status = Outcome::Status {
                        is_directory: true,
                        lines: Vec::new(),
                    };
                    session.complete(status, start)
                }
                _ => session.complete(Outcome::Done, start),
            };
        }
        assert_eq!(finals, 1, "a command without exactly one final reply");
        if response.then == Then::Close {
            return;
        }
    }
}

/// A client and a server that talk to each other while bytes are cut and events come late, out of order
/// or not at all: each line gets its one final reply, and the end is silence.
pub fn pair(bytes: &[u8]) {
    #[expect(
        clippy::disallowed_methods,
        reason = "any moment will do, and an Instant cannot be had otherwise"
    )]
    let start = std::time::Instant::now();
    pair::run(bytes, start);
}

/// A client's conversation with a server that says these bytes, in pieces of several sizes: it comes to an
/// end, and no more replies are owed than commands were sent.
pub fn client(bytes: &[u8]) {
    for size in [1, 7, bytes.len().max(1)] {
        converse(bytes, size);
    }
}

fn converse(bytes: &[u8], size: usize) {
    let mut conversation = Conversation::new();
    // Every reply takes at least a byte, but for a farewell that is kept for the next question.
    let mut turns = 2 * bytes.len() + 2;
    for piece in bytes.chunks(size) {
        conversation.receive(piece);
        while let Ok(Some(_reply)) = conversation.next_reply() {
            assert!(turns > 0, "a conversation without end");
            turns -= 1;
            if conversation.owed() == 0 {
                conversation.queue(&Command::Noop);
            }
            assert_eq!(conversation.owed(), 1, "more is owed than was asked");
        }
    }
    if conversation.finish().is_ok() {
        assert!(conversation.owed() <= 1, "more is owed than was asked");
    }
}
