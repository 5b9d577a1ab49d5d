//! The lines we write are those that Cowrie wrote.
//!
//! origin: `data/cowrie-3.1.4.jsonl` was captured from Cowrie 3.1.4 (logtype `plain`), attacked
//! with OpenSSH 9.2, scp and telnet; `data/python-text.tsv` from CPython 3.11.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test crate: helpers fail the test"
)]

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::Value;
use sundew_events::event::{
    Credential, DownloadSource, FileDownload, FileUpload, Kex, KexLists, LogClosed, Login,
    PublicKey, Stored, Target, UploadProtocol,
};
use sundew_events::json::{Additions, write_line, write_string};
use sundew_events::{
    Connection, Escaped, Event, EventKind, Installation, Literal, Lossy, Protocol, Timestamp,
};

#[test]
fn each_captured_record_is_written_byte_for_byte() {
    let records = include_str!("data/cowrie-3.1.4.jsonl");
    let mut count = 0;
    for record in records.lines() {
        let event = rebuild(&Record(serde_json::from_str(record).unwrap()));
        let mut line = String::new();
        write_line(&event, Additions::Omit, &mut line);
        assert_eq!(line, format!("{record}\n"));
        count += 1;
    }
    assert_eq!(count, 21);
}

#[test]
fn additions_leave_cowries_fields_as_they_are() {
    for record in include_str!("data/cowrie-3.1.4.jsonl").lines() {
        let captured: Value = serde_json::from_str(record).unwrap();
        let mut line = String::new();
        write_line(
            &rebuild(&Record(captured.clone())),
            Additions::Keep,
            &mut line,
        );
        let written: Value = serde_json::from_str(&line).unwrap();
        for (name, value) in captured.as_object().unwrap() {
            assert_eq!(written.get(name), Some(value), "{name} in {line}");
        }
    }
}

#[test]
fn bytes_are_shown_as_python_shows_them() {
    let mut count = 0;
    for row in include_str!("data/python-text.tsv").lines().skip(1) {
        let mut columns = row.split('\t');
        let bytes = from_hex(columns.next().unwrap());
        assert_eq!(
            columns.next(),
            Some(&*json(&Escaped::new(&bytes).to_string()))
        );
        assert_eq!(
            columns.next(),
            Some(&*json(&Lossy::new(&bytes).to_string()))
        );
        assert_eq!(
            columns.next(),
            Some(&*json(&Literal::new(&bytes).to_string()))
        );
        count += 1;
    }
    assert_eq!(count, 99);
}

/// A captured record, whose fields are taken by name.
struct Record(Value);

impl Record {
    fn text(&self, name: &str) -> &str {
        self.0[name]
            .as_str()
            .unwrap_or_else(|| panic!("{name} in {}", self.0))
    }

    fn int(&self, name: &str) -> u64 {
        self.0[name]
            .as_u64()
            .unwrap_or_else(|| panic!("{name} in {}", self.0))
    }

    fn small(&self, name: &str) -> u32 {
        self.int(name).try_into().unwrap()
    }

    fn flag(&self, name: &str) -> bool {
        self.0[name].as_bool().unwrap()
    }

    fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some()
    }

    fn list(&self, name: &str) -> Vec<u8> {
        let names: Vec<_> = self.0[name]
            .as_array()
            .unwrap()
            .iter()
            .map(|name| name.as_str().unwrap())
            .collect();
        names.join(",").into_bytes()
    }

    fn key(&self) -> PublicKey {
        PublicKey {
            fingerprint: self.text("fingerprint").into(),
            fingerprint_sha256: "SHA256:".into(),
            key: self.text("key").into(),
            algorithm: self.text("type").into(),
        }
    }

    fn login(&self) -> Login {
        let credential = if self.has("password") {
            Credential::Password(self.text("password").into())
        } else if self.has("key") {
            Credential::PublicKey(self.key())
        } else {
            Credential::Nothing
        };
        Login {
            username: self.text("username").into(),
            credential,
        }
    }

    fn stored(&self) -> Stored {
        Stored {
            outfile: self.text("outfile").into(),
            shasum: self.text("shasum").parse().unwrap(),
            duplicate: self.flag("duplicate"),
            size: 1,
            incomplete: None,
        }
    }

    fn target(&self) -> Target {
        Target {
            host: self.text("dst_ip").into(),
            port: self.small("dst_port"),
        }
    }
}

fn rebuild(record: &Record) -> Event {
    let address = |name: &str| -> IpAddr { record.text(name).parse().unwrap() };
    let port = |name: &str| -> u16 { record.int(name).try_into().unwrap() };
    let protocol = match record.text("protocol") {
        "ssh" => Protocol::Ssh,
        "telnet" => Protocol::Telnet,
        other => panic!("{other}"),
    };
    Event {
        connection: Arc::new(Connection::new(
            record.text("session").parse().unwrap(),
            protocol,
            (address("src_ip"), port("src_port")),
            (address("dst_ip"), port("dst_port")),
        )),
        installation: Arc::new(Installation {
            sensor: record.text("sensor").into(),
            uuid: record.text("uuid").into(),
        }),
        timestamp: read_timestamp(record.text("timestamp")),
        late: record.has("late"),
        kind: rebuild_kind(record),
    }
}

fn rebuild_kind(record: &Record) -> EventKind {
    match record.text("eventid") {
        "cowrie.session.connect" => EventKind::SessionConnect,
        "cowrie.session.closed" => EventKind::SessionClosed {
            duration_ms: record.int("duration_ms"),
        },
        "cowrie.session.params" => EventKind::SessionParams {
            arch: record.text("arch").into(),
        },
        "cowrie.client.version" => EventKind::ClientVersion {
            version: record.text("version").into(),
        },
        "cowrie.client.kex" => EventKind::ClientKex(Box::new(rebuild_kex(record))),
        "cowrie.client.fingerprint" => EventKind::ClientFingerprint {
            username: record.text("username").into(),
            key: record.key(),
        },
        "cowrie.client.size" => EventKind::ClientSize {
            width: record.small("width"),
            height: record.small("height"),
        },
        "cowrie.client.var" => EventKind::ClientVar {
            name: record.text("name").into(),
            value: record.text("value").into(),
        },
        "cowrie.login.success" => EventKind::LoginSuccess(record.login()),
        "cowrie.login.failed" => EventKind::LoginFailed(record.login()),
        "cowrie.command.input" => EventKind::CommandInput {
            realm: None,
            input: record.text("input").into(),
        },
        "cowrie.command.failed" => {
            let (command, arguments) = record.text("input").split_once(' ').unwrap();
            EventKind::CommandFailed {
                command: command.into(),
                arguments: arguments.into(),
            }
        }
        "cowrie.session.file_download" => EventKind::FileDownload(Box::new(FileDownload {
            source: DownloadSource::Url {
                url: record.text("url").into(),
                destfile: Some(record.text("destfile").into()),
            },
            stored: record.stored(),
        })),
        "cowrie.session.file_download.failed" => EventKind::FileDownloadFailed {
            url: record.text("url").into(),
            error: Some(record.text("error").into()),
        },
        "cowrie.session.file_upload" => EventKind::FileUpload(Box::new(FileUpload {
            via: UploadProtocol::Scp,
            filename: record.text("filename").into(),
            path: record.text("url").into(),
            stored: record.stored(),
        })),
        "cowrie.log.closed" => EventKind::LogClosed(Box::new(LogClosed {
            ttylog: record.text("ttylog").into(),
            size: record.int("size"),
            shasum: record.text("shasum").parse().unwrap(),
            duplicate: record.flag("duplicate"),
            duration_ms: record.int("duration_ms"),
            asciicast: String::new(),
            incomplete: None,
        })),
        "cowrie.direct-tcpip.request" => EventKind::DirectTcpipRequest {
            target: record.target(),
            origin: Target {
                host: record.text("orig_ip").into(),
                port: record.small("orig_port"),
            },
        },
        "cowrie.direct-tcpip.data" => EventKind::DirectTcpipData {
            target: record.target(),
            data: Literal::new(&from_literal(record.text("data"))),
            channel: record.small("id"),
        },
        other => panic!("no event for {other}"),
    }
}

/// Only the lists are taken from the record: the HASSH must come out of them.
fn rebuild_kex(record: &Record) -> Kex {
    Kex::new(&KexLists {
        kex: &record.list("kexAlgs"),
        host_key: &record.list("keyAlgs"),
        cipher: &record.list("encCS"),
        mac: &record.list("macCS"),
        compression: &record.list("compCS"),
        language: &record.list("langCS"),
    })
}

/// All records are of one day.
fn read_timestamp(text: &str) -> Timestamp {
    const MIDNIGHT: u64 = 1_795_219_200;
    let clock = text
        .strip_prefix("2026-11-21T")
        .unwrap()
        .strip_suffix('Z')
        .unwrap();
    let (seconds, micros) = clock.split_once('.').unwrap();
    let seconds = seconds
        .split(':')
        .fold(0, |sum, part| sum * 60 + part.parse::<u64>().unwrap());
    Timestamp::from_micros((MIDNIGHT + seconds) * 1_000_000 + micros.parse::<u64>().unwrap())
}

/// Reads the one captured literal, in which only CR and LF are escaped.
fn from_literal(text: &str) -> Vec<u8> {
    let inner = text.strip_prefix("b'").unwrap().strip_suffix('\'').unwrap();
    inner.replace("\\r", "\r").replace("\\n", "\n").into_bytes()
}

fn from_hex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn json(text: &str) -> String {
    let mut out = String::new();
    write_string(&text, &mut out);
    out
}
