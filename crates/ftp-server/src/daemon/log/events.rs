//! Everything that happens, one JSON object a line. Bytes that are no text are escaped as `\xff`.

use ftp_proto::server::TransferEnd;
use ftp_proto::time::Timestamp;
use serde_json::{Map, Value, json};

use crate::connection::Peer;
use crate::event::{Event, Refusal, TransferStart};

/// The line with its end; `None` for replies, which say little without their requests.
pub(super) fn line(
    peer: &Peer,
    event: &Event<'_>,
    time: Timestamp,
    millis: u32,
) -> Option<Vec<u8>> {
    let (name, more) = described(event)?;
    let mut object = Map::new();
    object.insert("time".to_owned(), iso(time, millis).into());
    object.insert("event".to_owned(), name.into());
    object.insert("session".to_owned(), peer.id.into());
    object.insert("address".to_owned(), peer.address.ip().to_string().into());
    object.insert("port".to_owned(), peer.address.port().into());
    if let Value::Object(more) = more {
        object.extend(more);
    }
    let mut line = Value::Object(object).to_string().into_bytes();
    line.push(b'\n');
    Some(line)
}

fn described(event: &Event<'_>) -> Option<(&'static str, Value)> {
    Some(match event {
        Event::Accepted => ("connect", Value::Null),
        Event::Refused(why) => ("refused", json!({ "why": refusal(*why) })),
        Event::Request(request) => ("command", json!({ "line": request.to_string() })),
        Event::Reply(_) | Event::Answered { .. } => return None,
        Event::LoggedIn(user) => (
            "login",
            json!({
                "user": text(user.name.as_bytes()),
                "anonymous": user.rules.is_anonymous,
            }),
        ),
        Event::LoginFailed { user, why } => (
            "login_failed",
            json!({ "user": text(user.as_bytes()), "why": why.to_string() }),
        ),
        Event::TransferBegan(start) => ("transfer", transfer(start)),
        Event::TransferEnded(report) => {
            let mut object = transfer(&report.start);
            if let Value::Object(object) = &mut object {
                object.insert("bytes".to_owned(), report.bytes.into());
                object.insert("seconds".to_owned(), report.took.as_secs_f64().into());
                object.insert("end".to_owned(), end(report.end).into());
            }
            ("transferred", object)
        }
        Event::Disconnected(why) => ("disconnect", json!({ "why": why.to_string() })),
    })
}

fn transfer(start: &TransferStart) -> Value {
    json!({
        "user": text(start.user.as_bytes()),
        "path": text(start.path.as_bytes()),
        "direction": start.direction.word(),
        "ascii": start.ascii,
        "offset": start.offset,
    })
}

/// A word for why somebody was turned away.
pub(in crate::daemon) const fn refusal(why: Refusal) -> &'static str {
    match why {
        Refusal::Full => "full",
        Refusal::FullForAddress => "full_for_address",
        Refusal::Address => "address",
    }
}

/// A word for how a transfer ended.
pub(in crate::daemon) fn end(end: TransferEnd) -> &'static str {
    match end {
        TransferEnd::Complete => "complete",
        TransferEnd::Aborted => "aborted",
        TransferEnd::Cut => "cut",
        TransferEnd::NoConnection => "no_connection",
        TransferEnd::Failed(_) => "failed",
        #[allow(unreachable_patterns, reason = "whatever else there is")]
        _ => "other",
    }
}

/// `2026-11-21T10:00:00.123Z`.
fn iso(time: Timestamp, millis: u32) -> String {
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{millis:03}Z",
        time.year(),
        time.month(),
        time.day(),
        time.hour(),
        time.minute(),
        time.second(),
    )
}

fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.escape_ascii().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use ftp_proto::Argument;

    use super::*;
    use crate::auth::Denied;
    use crate::handler::Request;

    #[test]
    fn an_event_is_one_line_whatever_was_sent_and_shows_no_password() {
        let peer = Peer {
            id: 7,
            address: "[2001:db8::1]:5".parse().unwrap(),
            local: "[::1]:2".parse().unwrap(),
            since: Instant::now(),
        };
        let time = Timestamp::new(2026, 11, 21, 10, 0, 0).unwrap();
        let said =
            |event: &Event<'_>| String::from_utf8(line(&peer, event, time, 5).unwrap()).unwrap();
        assert_eq!(
            said(&Event::LoginFailed {
                user: &Argument::new(*b"an\xffna").unwrap(),
                why: Denied::Wrong,
            }),
            "{\"address\":\"2001:db8::1\",\"event\":\"login_failed\",\"port\":5,\"session\":7,\
             \"time\":\"2026-11-21T10:00:00.005Z\",\"user\":\"an\\\\xffna\",\
             \"why\":\"wrong user or password\"}\n"
        );
        let request = Request::new(b"PASS secret".to_vec());
        let line = said(&Event::Request(&request));
        assert!(line.contains("PASS") && !line.contains("secret"), "{line}");
    }
}
