//! Dialogues driven without any connection: replies in, command lines out.

use proptest::prelude::*;

use super::*;

fn job(direction: Direction, manner: Manner) -> Job {
    let argument = |text: &str| Argument::try_from(text).unwrap();
    Job {
        user: argument("anonymous"),
        password: Some(argument("busybox")),
        path: argument("big.bin"),
        direction,
        manner,
    }
}

/// Plays replies until they or the dialogue end; what was sent and done, and how it ended.
fn play(job: Job, offset: u64, replies: &[&str]) -> (Vec<String>, Result<bool, ClientError>) {
    let mut dialogue = Dialogue::new(job);
    let mut sent = Vec::new();
    let mut replies = replies.iter();
    for _ in 0..100 {
        match dialogue.action() {
            Action::Done => return (sent, Ok(true)),
            Action::Connect { port, .. } => {
                sent.push(format!("connect {port}"));
                dialogue.connected();
            }
            Action::ChooseOffset { .. } => dialogue.choose_offset(offset),
            Action::Transfer { offset, .. } => {
                sent.push(format!("transfer from {offset}"));
                dialogue.transferred();
            }
            action @ (Action::Send(_) | Action::AwaitReply) => {
                if let Action::Send(command) = action {
                    let mut line = Vec::new();
                    command.encode(&mut line);
                    sent.push(String::from_utf8(line).unwrap());
                }
                let Some(reply) = replies.next() else {
                    return (sent, Err(dialogue.failure(None)));
                };
                let (code, text) = reply.split_at(3);
                let code = Code::parse(code.as_bytes()).unwrap();
                if let Err(error) = dialogue.handle_reply(Reply::new(code, text.trim_start())) {
                    return (sent, Err(error));
                }
            }
        }
    }
    (sent, Ok(false))
}

#[test]
fn a_download_goes_in_the_order_of_busybox() {
    for manner in [Manner::Standard, Manner::BusyBox] {
        let (sent, end) = play(
            job(Direction::Retrieve, manner),
            0,
            &[
                "220 hi",
                "331 pw",
                "230 in",
                "200 I",
                "229 (|||4000|)",
                "213 9",
                "150 go",
                "226 ok",
                "221 bye",
            ],
        );
        assert_eq!(
            sent,
            [
                "USER anonymous",
                "PASS busybox",
                "TYPE I",
                "EPSV",
                "connect 4000",
                "SIZE big.bin",
                "RETR big.bin",
                "transfer from 0",
                "QUIT"
            ]
        );
        assert_eq!(end, Ok(true));
    }
}

#[test]
fn a_resumed_download_sends_rest_and_goes_without_it_if_refused() {
    for (rest, expected) in [("350 ok", "transfer from 4"), ("502 no", "transfer from 0")] {
        let (sent, end) = play(
            job(Direction::Retrieve, Manner::BusyBox),
            4,
            &[
                "220 hi",
                "230 in",
                "500 TYPE?",
                "500 EPSV?",
                "227 (10,1,1,1,15,160)",
                "550 no size",
                rest,
                "150 go",
                "226 ok",
                "221 bye",
            ],
        );
        assert_eq!(
            sent,
            [
                "USER anonymous",
                "TYPE I",
                "EPSV",
                "PASV",
                "connect 4000",
                "SIZE big.bin",
                "REST 4",
                "RETR big.bin",
                expected,
                "QUIT"
            ]
        );
        assert_eq!(end, Ok(true));
    }
}

#[test]
fn an_upload_asks_neither_size_nor_rest() {
    let (sent, end) = play(
        job(Direction::Store, Manner::BusyBox),
        7,
        &[
            "220 hi",
            "230 in",
            "200 I",
            "229 (|||4000|)",
            "150 go",
            "226 ok",
            "221 bye",
        ],
    );
    assert_eq!(
        sent,
        [
            "USER anonymous",
            "TYPE I",
            "EPSV",
            "connect 4000",
            "STOR big.bin",
            "transfer from 0",
            "QUIT"
        ]
    );
    assert_eq!(end, Ok(true));
}

#[test]
fn an_unexpected_reply_names_the_step_and_keeps_the_line() {
    let cases: &[(&[&str], Step, &str)] = &[
        (&["421 too many"], Step::Greeting, "421 too many"),
        (&["220 hi", "530 go away"], Step::User, "530 go away"),
        (&["220 hi", "331 pw", "530 no"], Step::Pass, "530 no"),
        (
            &["220 hi", "230 in", "200 I", "500 no", "500 no"],
            Step::Pasv,
            "500 no",
        ),
        (
            &[
                "220 hi",
                "230 in",
                "200 I",
                "229 (|||1|)",
                "550 x",
                "550 No such file.",
            ],
            Step::Retr,
            "550 No such file.",
        ),
        (
            &[
                "220 hi",
                "230 in",
                "200 I",
                "229 (|||1|)",
                "550 x",
                "150 go",
                "426 broken",
            ],
            Step::Final,
            "426 broken",
        ),
    ];
    for manner in [Manner::Standard, Manner::BusyBox] {
        for (replies, step, line) in cases {
            let (_, end) = play(job(Direction::Retrieve, manner), 0, replies);
            let Err(ClientError::UnexpectedReply { step: seen, reply }) = end else {
                panic!("{replies:?} ended with {end:?}");
            };
            assert_eq!(seen, *step);
            assert_eq!(reply.last_line(), line.as_bytes());
        }
    }
}

#[test]
fn a_closed_connection_is_told_with_its_step() {
    let (_, end) = play(job(Direction::Retrieve, Manner::BusyBox), 0, &["220 hi"]);
    assert_eq!(end, Err(ClientError::Closed { step: Step::User }));
}

#[test]
fn a_server_that_is_not_ready_yet_is_waited_for_by_the_standard_only() {
    let replies = ["120 soon", "220 hi", "530 no"];
    let (sent, _) = play(job(Direction::Retrieve, Manner::Standard), 0, &replies);
    assert_eq!(sent, ["USER anonymous"]);
    let (sent, _) = play(job(Direction::Retrieve, Manner::BusyBox), 0, &replies);
    assert!(sent.is_empty());
}

#[test]
fn an_address_that_cannot_be_read_is_an_error_of_its_own() {
    let replies = ["220 hi", "230 in", "200 I", "229 nowhere"];
    let (_, end) = play(job(Direction::Retrieve, Manner::Standard), 0, &replies);
    assert!(matches!(
        end,
        Err(ClientError::BadAddress {
            step: Step::Epsv,
            ..
        })
    ));
}

proptest! {
    #[test]
    fn whatever_bytes_the_server_sends_the_dialogue_ends(replies in prop::collection::vec(prop::sample::select(&["220 a", "331 b", "230 c", "200 d", "229 (|||5|)", "227 1,2,3,4,5,6", "500 e", "213 9", "350 f", "150 g", "226 h", "221 i", "120 j", "99", "220-k"][..]), 0..40)) {
        crate::fuzz::client(replies.join("\r\n").as_bytes());
    }

    #[test]
    fn whatever_the_server_says_the_dialogue_ends(codes in prop::collection::vec(100_u16..700, 0..40), busybox in any::<bool>()) {
        let manner = if busybox { Manner::BusyBox } else { Manner::Standard };
        let replies: Vec<_> = codes.iter().map(|code| format!("{code} (|||9|) 1,2,3,4,5,6")).collect();
        let replies: Vec<_> = replies.iter().map(String::as_str).collect();
        let (_, end) = play(job(Direction::Retrieve, manner), 3, &replies);
        prop_assert_ne!(end, Ok(false));
    }
}
