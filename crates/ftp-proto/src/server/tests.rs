//! The session's promises that no single transcript shows.

#![expect(
    clippy::disallowed_methods,
    reason = "any moment will do, and an Instant cannot be had otherwise"
)]

use proptest::prelude::*;

use super::*;
use crate::permission::Rights;

fn session(now: Instant) -> Session {
    let endpoints = Endpoints {
        local: "[::ffff:127.0.0.1]:21".parse().unwrap(),
        peer: "[::ffff:127.0.0.1]:4000".parse().unwrap(),
    };
    Session::new(Settings::default(), endpoints, now)
}

fn logged_in(now: Instant) -> Session {
    let mut session = session(now);
    assert_eq!(codes(&session.handle_line(b"USER anna", now)), [331]);
    assert!(matches!(
        session.handle_line(b"PASS x", now).then,
        Then::Perform(Task::Login { .. })
    ));
    let response = session.complete(Outcome::LoggedIn(Grant::new(Rights::ALL)), now);
    assert_eq!(codes(&response), [230]);
    session
}

fn codes(response: &Response) -> Vec<u16> {
    let codes = response.replies.iter().map(|reply| reply.code().number());
    codes.collect()
}

fn start_transfer(session: &mut Session, line: &[u8], now: Instant) {
    assert_eq!(
        session.handle_line(b"PASV", now).then,
        Then::Perform(Task::Listen)
    );
    let address = "127.0.0.1:5000".parse().unwrap();
    assert_eq!(
        codes(&session.complete(Outcome::Listening(address), now)),
        [227]
    );
    assert!(matches!(
        session.handle_line(line, now).then,
        Then::Perform(Task::Transfer(_))
    ));
    assert_eq!(codes(&session.transfer_begins(&Begun::default())), [150]);
}

#[test]
fn a_silent_client_is_told_and_closed_and_a_transfer_is_not_silence() {
    let now = Instant::now();
    let mut session = session(now);
    assert_eq!(
        session.next_timeout(),
        Some(now + Settings::default().login)
    );
    assert_eq!(session.handle_timeout(now), Then::Read.into());
    let late = now + Settings::default().login;
    let response = session.handle_timeout(late);
    assert_eq!((codes(&response), response.then), (vec![421], Then::Close));

    let mut session = logged_in(now);
    assert_eq!(session.next_timeout(), Some(now + Settings::default().idle));
    start_transfer(&mut session, b"RETR x", now);
    assert_eq!(session.next_timeout(), None);
}

#[test]
fn abor_ends_the_transfer_with_426_and_226() {
    let now = Instant::now();
    let mut session = logged_in(now);
    start_transfer(&mut session, b"RETR x", now);
    assert_eq!(session.handle_line(b"ABOR", now).then, Then::AbortTransfer);
    let response = session.transfer_ended(TransferEnd::Aborted, now);
    assert_eq!(
        (codes(&response), response.then),
        (vec![426, 226], Then::Read)
    );
}

#[test]
fn during_a_transfer_lines_are_held_but_for_a_few() {
    let now = Instant::now();
    let mut session = logged_in(now);
    start_transfer(&mut session, b"STOR x", now);
    assert_eq!(session.handle_line(b"DELE x", now), Then::Hold.into());
    assert_eq!(session.handle_line(b"FOO", now), Then::Hold.into());
    assert_eq!(codes(&session.handle_line(b"NOOP", now)), [200]);
    assert_eq!(
        session.handle_line(b"STAT", now),
        Then::ReportProgress.into()
    );
    assert_eq!(codes(&session.progress(9)), [211]);
    assert_eq!(codes(&session.handle_line(b"QUIT", now)), [221]);
    let response = session.transfer_ended(TransferEnd::Complete, now);
    assert_eq!((codes(&response), response.then), (vec![226], Then::Close));
}

#[test]
fn port_and_eprt_go_to_the_control_peer_and_to_no_service_port() {
    let now = Instant::now();
    let mut session = logged_in(now);
    for (line, code) in [
        (&b"PORT 127,0,0,1,4,0"[..], 200),
        (b"EPRT |1|127.0.0.1|1024|", 200),
        (b"EPRT |2|::ffff:127.0.0.1|1024|", 200),
        (b"PORT 127,0,0,1,0,25", 501),
        (b"PORT 10,0,0,1,4,0", 501),
        (b"EPRT |1|10.0.0.1|1024|", 501),
        (b"EPRT |2|::1|1024|", 522),
        (b"LPRT 4,4,10,0,0,1,2,4,0", 501),
    ] {
        assert_eq!(
            codes(&session.handle_line(line, now)),
            [code],
            "{}",
            line.escape_ascii()
        );
    }
    assert_eq!(codes(&session.handle_line(b"EPSV ALL", now)), [200]);
    for line in [
        &b"PORT 127,0,0,1,4,0"[..],
        b"EPRT |1|127.0.0.1|1024|",
        b"PASV",
    ] {
        assert_eq!(codes(&session.handle_line(line, now)), [503]);
    }
}

#[test]
fn failed_logins_are_counted_to_the_end() {
    let now = Instant::now();
    let mut session = session(now);
    for round in 1..=3 {
        assert_eq!(codes(&session.handle_line(b"USER eve", now)), [331]);
        assert!(matches!(
            session.handle_line(b"PASS", now).then,
            Then::Perform(_)
        ));
        let response = session.complete(Outcome::LoginFailed, now);
        assert_eq!(codes(&response), [530]);
        assert_eq!(response.then == Then::Close, round == 3);
    }
}

#[test]
fn an_outcome_nobody_asked_for_is_no_reason_to_lose_the_session() {
    let now = Instant::now();
    let mut session = logged_in(now);
    assert_eq!(session.complete(Outcome::Done, now), Then::Read.into());
    assert_eq!(
        session.transfer_ended(TransferEnd::Cut, now),
        Then::Read.into()
    );
    assert!(matches!(
        session.handle_line(b"DELE x", now).then,
        Then::Perform(_)
    ));
    assert_eq!(
        codes(&session.complete(Outcome::Lines(Vec::new()), now)),
        [451]
    );
    assert_eq!(codes(&session.handle_line(b"NOOP", now)), [200]);
}

#[test]
fn rnto_must_follow_rnfr_directly() {
    let now = Instant::now();
    let mut session = logged_in(now);
    assert_eq!(codes(&session.handle_line(b"RNTO y", now)), [503]);
    assert!(matches!(
        session.handle_line(b"RNFR x", now).then,
        Then::Perform(_)
    ));
    assert_eq!(codes(&session.complete(Outcome::Done, now)), [350]);
    assert_eq!(codes(&session.handle_line(b"NOOP", now)), [200]);
    assert_eq!(codes(&session.handle_line(b"RNTO y", now)), [503]);
}

proptest! {
    #[test]
    fn any_lines_are_answered_or_handed_on(bytes in prop::collection::vec(any::<u8>(), 0..200), verbs in prop::collection::vec((prop::sample::select(Verb::ALL), "[ -~]{0,20}"), 0..30)) {
        let lines: Vec<_> = verbs.iter().map(|(verb, rest)| format!("{verb} {rest}\r\n")).collect();
        crate::fuzz::server(&[lines.concat().as_bytes(), &bytes].concat());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn two_sides_that_talk_over_a_bad_wire_agree_in_the_end(start in 0..3_usize, events in prop::collection::vec(any::<u8>(), 0..400)) {
        // Before the login, behind it, and in the midst of a transfer.
        let login = [0, 0, 7, 0, 0, 1, 7, 0, 4, 1];
        let transfer = [0, 2, 7, 0, 4, 1, 0, 5, 7, 0, 4, 1];
        let begun = [&[][..], &login, &[login.as_slice(), &transfer].concat()][start].to_vec();
        crate::fuzz::pair(&[begun, events].concat());
    }
}
