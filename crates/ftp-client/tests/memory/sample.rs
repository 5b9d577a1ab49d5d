//! What whoever keeps samples is told, and where connections go.

use ftp_client::busybox::{ftpget, ftpput};

use crate::host::{Record, words};
use crate::peer::{Memory, play, pour};

/// A server up to the moment the body begins.
pub(crate) const UP_TO_RETR: &str = "
    S: 220 ready
    C: USER anonymous
    S: 331 password
    C: PASS busybox
    S: 230 in
    C: TYPE I
    S: 200 ok
    C: EPSV
    S: 229 (|||5000|)
    C: SIZE a
    S: 213 9
    C: RETR a
    S: 150 go";

const WHOLE: &str = "
    S: 220 ready
    C: USER anonymous
    S: 331 password
    C: PASS busybox
    S: 230 in
    C: TYPE I
    S: 200 ok
    C: EPSV
    S: 229 (|||5000|)
    C: SIZE a
    S: 213 9
    C: RETR a
    S: 150 go
    S: 226 done
    C: QUIT
    S: 221 bye";

async fn get(transcript: &'static str, body: &'static [u8], args: &str) -> (u8, Record, Memory) {
    let (dial, mut host) = (Memory::default(), Record::default());
    let server = play(dial.expect(), transcript);
    pour(dial.expect(), body);
    let status = ftpget(&dial, &mut host, &words(args)).await;
    server.await.unwrap();
    (status, host, dial)
}

#[tokio::test]
async fn a_whole_download_is_announced_and_complete() {
    let (status, host, dial) = get(WHOLE, b"echo one\n", "-P ftp-alt ftp.example b a").await;
    assert_eq!((status, host.body.as_slice()), (0, &b"echo one\n"[..]));
    assert_eq!(
        host.events,
        [
            "download ftp://ftp.example:2121/a Create([98]) Some(9) from 0",
            "complete 9"
        ]
    );
    assert_eq!(dial.dialled(), ["192.0.2.1:2121", "192.0.2.1:5000"]);
}

#[tokio::test]
async fn fewer_bytes_than_promised_are_short_though_the_program_succeeds() {
    let (status, host, _) = get(WHOLE, b"echo", "192.0.2.1 - a").await;
    assert_eq!(status, 0);
    assert_eq!(
        host.events,
        [
            "download ftp://192.0.2.1/a Stdout Some(9) from 0",
            "short 4 of 9"
        ]
    );
}

#[tokio::test]
async fn a_third_party_in_a_227_is_not_dialled() {
    let transcript = "
        S: 220 ready
        C: USER u
        S: 230 in
        C: TYPE I
        S: 200 ok
        C: EPSV
        S: 500 no
        C: PASV
        S: 227 (10,0,0,1,19,136)
        C: SIZE a
        S: 550 no
        C: RETR a
        S: 150 go
        S: 226 done
        C: QUIT
        S: 221 bye";
    let (status, host, dial) = get(transcript, b"x", "-u u -p p six.example a").await;
    assert_eq!(status, 0);
    assert_eq!(dial.dialled(), ["[2001:db8::1]:21", "[2001:db8::1]:5000"]);
    assert_eq!(
        host.events[0],
        "download ftp://u:p@six.example/a Create([97]) None from 0"
    );
}

#[tokio::test]
async fn a_continued_download_counts_from_its_offset() {
    let transcript = "
        S: 220 ready
        C: USER anonymous
        S: 230 in
        C: TYPE I
        S: 200 ok
        C: EPSV
        S: 229 (|||5000|)
        C: SIZE a
        S: 213 9
        C: REST 4
        S: 350 ok
        C: RETR a
        S: 150 go
        S: 226 done
        C: QUIT
        S: 221 bye";
    let (status, host, _) = get(transcript, b" one\n", "-c 192.0.2.1 a").await;
    assert_eq!(status, 0);
    assert_eq!(
        host.events,
        [
            "download ftp://192.0.2.1/a Append([97]) Some(9) from 4",
            "complete 5"
        ]
    );
}

#[tokio::test]
async fn a_body_that_is_not_confirmed_is_incomplete() {
    let transcript = "
        S: 220 ready
        C: USER anonymous
        S: 230 in
        C: TYPE I
        S: 200 ok
        C: EPSV
        S: 229 (|||5000|)
        C: SIZE a
        S: 213 9
        C: RETR a
        S: 150 go
        S: 426 broken";
    let (status, host, _) = get(transcript, b"echo one\n", "192.0.2.1 a").await;
    assert_eq!(status, 1);
    assert_eq!(
        host.events[1],
        "incomplete 9: unexpected server response: 426 broken"
    );
}

#[tokio::test]
async fn what_ends_before_the_body_has_failed_once() {
    let cases = [
        (
            "nowhere.example a",
            "failed ftp://nowhere.example/a: bad address 'nowhere.example'",
        ),
        (
            "slow.example a",
            "failed ftp://slow.example/a: bad address 'slow.example'",
        ),
        (
            "empty.example:1 a",
            "failed ftp://empty.example:1/a: bad address 'empty.example:1'",
        ),
        (
            "192.0.2.1 a",
            "failed ftp://192.0.2.1/a: can't connect to remote host (192.0.2.1): No route to host",
        ),
        (
            "six.example a",
            "failed ftp://six.example/a: can't connect to remote host: No route to host",
        ),
    ];
    for (args, event) in cases {
        let (dial, mut host) = (Memory::default(), Record::default());
        assert_eq!(ftpget(&dial, &mut host, &words(args)).await, 1);
        assert_eq!(host.events, [event]);
    }
    let (dial, mut host) = (Memory::default(), Record::default());
    assert_eq!(
        ftpget(&dial, &mut host, &words("-P x 192.0.2.1 a")).await,
        1
    );
    assert_eq!(
        host.events, [""; 0],
        "a command line that is not understood is no transfer"
    );
}

#[tokio::test]
async fn an_upload_is_announced_too() {
    let transcript = "
        S: 220 ready
        C: USER anonymous
        S: 230 in
        C: TYPE I
        S: 200 ok
        C: EPSV
        S: 229 (|||5000|)
        C: STOR r
        S: 150 go
        S: 226 done
        C: QUIT
        S: 221 bye";
    let (dial, mut host) = (Memory::default(), Record::default());
    let server = play(dial.expect(), transcript);
    pour(dial.expect(), b"");
    assert_eq!(ftpput(&dial, &mut host, &words("192.0.2.1 r a")).await, 0);
    server.await.unwrap();
    assert_eq!(
        host.events,
        ["upload ftp://192.0.2.1/r File([97])", "complete 0"]
    );
}
