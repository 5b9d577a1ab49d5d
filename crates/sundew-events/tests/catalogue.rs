//! The catalogue, the events and `docs/EVENTS.md` say the same.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test crate: helpers fail the test"
)]

use std::collections::BTreeSet;
use std::sync::Arc;

use sundew_events::catalogue::{CATALOGUE, CUT, Entry, FieldType, Origin};
use sundew_events::event::fields::{Field, Value};
use sundew_events::event::{
    Captured, Credential, DownloadSource, FileDownload, FileUpload, Kex, KexLists, LogClosed,
    Login, PublicKey, Stored, Target, UploadProtocol,
};
use sundew_events::json::{Additions, write_line};
use sundew_events::text::MAX_TEXT_BYTES;
use sundew_events::{
    Connection, Event, EventKind, Installation, Lossy, Protocol, SessionId, Sha256Sum, Timestamp,
};

const DOCUMENT: &str = "../../docs/EVENTS.md";
const BEGIN: &str = "<!-- catalogue: begin, written by `BLESS=1 cargo test -p sundew-events` -->\n";
const END: &str = "<!-- catalogue: end -->\n";

#[test]
fn every_id_of_the_catalogue_is_the_id_of_a_kind() {
    let listed: Vec<_> = CATALOGUE.iter().map(|entry| entry.id).collect();
    let emitted: BTreeSet<_> = samples().iter().map(EventKind::id).collect();
    assert_eq!(listed.iter().copied().collect::<BTreeSet<_>>(), emitted);
    assert_eq!(listed.len(), emitted.len(), "an id is listed twice");
    let names: BTreeSet<_> = listed.iter().map(|id| id.as_str()).collect();
    assert_eq!(names.len(), listed.len(), "two ids have one name");
}

#[test]
fn every_kind_has_the_fields_of_the_catalogue_and_no_others() {
    for entry in CATALOGUE {
        let mut seen = BTreeSet::new();
        for kind in samples().into_iter().filter(|kind| kind.id() == entry.id) {
            let here = check_fields(entry, kind);
            for spec in entry.fields.iter().filter(|spec| !spec.optional) {
                assert!(
                    here.contains(spec.name),
                    "{} misses {}",
                    entry.id.as_str(),
                    spec.name
                );
            }
            seen.extend(here);
        }
        let listed: BTreeSet<_> = entry.fields.iter().map(|spec| spec.name).collect();
        assert_eq!(seen, listed, "{}", entry.id.as_str());
    }
}

#[test]
fn every_line_is_one_json_object_of_ascii() {
    for kind in samples() {
        let mut line = String::new();
        write_line(&event(kind), Additions::Keep, &mut line);
        assert!(
            line.is_ascii() && line.ends_with("}\n") && line.lines().count() == 1,
            "{line}"
        );
        assert!(
            serde_json::from_str::<serde_json::Value>(&line)
                .unwrap()
                .is_object()
        );
    }
}

#[test]
fn a_cut_value_names_its_field() {
    let input = Lossy::new(&vec![b'a'; MAX_TEXT_BYTES + 1]);
    let mut line = String::new();
    let long = event(EventKind::CommandInput { realm: None, input });
    write_line(&long, Additions::Keep, &mut line);
    let written: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(written[CUT.name], serde_json::json!(["input"]));
    assert_eq!(written["input"].as_str().unwrap().len(), MAX_TEXT_BYTES);
}

#[test]
fn events_of_ours_are_left_out_where_additions_are() {
    for kind in samples() {
        let of_cowrie = kind.id().origin() == Origin::Cowrie;
        let mut line = String::new();
        write_line(&event(kind), Additions::Omit, &mut line);
        assert_eq!(!line.is_empty(), of_cowrie, "{line}");
    }
}

#[test]
fn an_address_of_a_dual_stack_listener_is_written_as_ipv4() {
    let connection = Connection::new(
        SessionId::from_bytes([0; 6]),
        Protocol::Telnet,
        ("::ffff:198.51.100.7".parse().unwrap(), 40_000),
        ("::ffff:192.0.2.1".parse().unwrap(), 2223),
    );
    assert_eq!(connection.src().0.to_string(), "198.51.100.7");
    assert_eq!(connection.dst().0.to_string(), "192.0.2.1");
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "reads the document it checks, rewrites on BLESS=1"
)]
fn the_document_has_the_tables_of_the_catalogue() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(DOCUMENT);
    let document = std::fs::read_to_string(&path).unwrap();
    let (head, rest) = document.split_once(BEGIN).expect("the begin mark");
    let (tables, tail) = rest.split_once(END).expect("the end mark");
    let wanted: String = CATALOGUE.iter().map(section).collect();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, format!("{head}{BEGIN}{wanted}{END}{tail}")).unwrap();
    } else {
        assert_eq!(tables, wanted, "run with BLESS=1 and review the difference");
    }
}

fn section(entry: &Entry) -> String {
    let mut text = format!("\n### `{}`\n\n{}\n\n", entry.id.as_str(), entry.when);
    if entry.fields.is_empty() {
        text.push_str("No own fields.\n");
        return text + "\n";
    }
    text.push_str("| Field | Type | Present | Whose |\n|---|---|---|---|\n");
    for spec in entry.fields {
        text.push_str(&format!(
            "| `{}` | {} | {} | {} |\n",
            spec.name,
            match spec.field_type {
                FieldType::Str => "string",
                FieldType::Int => "integer",
                FieldType::Bool => "boolean",
                FieldType::List => "array of strings",
            },
            if spec.optional { "sometimes" } else { "always" },
            match spec.origin {
                Origin::Cowrie => "Cowrie",
                Origin::Sundew => "Sundew",
            },
        ));
    }
    text + "\n"
}

/// Checks names, types, origins and order of one event's fields; gives the names.
fn check_fields(entry: &Entry, kind: EventKind) -> BTreeSet<&'static str> {
    let mut names = Vec::new();
    if kind.destination().is_some() {
        names.extend(["dst_ip", "dst_port"]);
    }
    let id = entry.id.as_str();
    let one_order = !matches!(
        &kind,
        EventKind::FileDownload(download)
            if !matches!(download.source, DownloadSource::Url { .. })
    );
    event(kind).visit_fields(&mut |field: Field<'_>| {
        let spec = entry.fields.iter().find(|spec| spec.name == field.name);
        let spec = spec.unwrap_or_else(|| panic!("{id} has {} unlisted", field.name));
        assert_eq!(field_type(&field), spec.field_type, "{id} {}", field.name);
        assert_eq!(field.origin, spec.origin, "{id} {}", field.name);
        names.push(field.name);
    });
    if one_order {
        let mut listed = entry.fields.iter().map(|spec| spec.name);
        for name in &names {
            assert!(
                listed.any(|other| other == *name),
                "{id}: {name} out of order"
            );
        }
    }
    names.into_iter().collect()
}

const fn field_type(field: &Field<'_>) -> FieldType {
    match field.value {
        Value::Text(_) => FieldType::Str,
        Value::Int(_) => FieldType::Int,
        Value::Bool(_) => FieldType::Bool,
        Value::List(_) => FieldType::List,
    }
}

fn event(kind: EventKind) -> Event {
    Event {
        connection: Arc::new(Connection::new(
            SessionId::from_bytes([1, 2, 3, 4, 5, 6]),
            Protocol::Ssh,
            ("2001:db8::7".parse().unwrap(), 40_000),
            ("192.0.2.1".parse().unwrap(), 2222),
        )),
        installation: Arc::new(Installation {
            sensor: "edge-1".into(),
            uuid: "3f1c".into(),
        }),
        timestamp: Timestamp::from_micros(1_795_228_144_271_125),
        late: true,
        kind,
    }
}

/// At least one event of each kind, and together every optional field.
fn samples() -> Vec<EventKind> {
    let mut samples = session_samples();
    samples.extend(file_samples());
    samples.extend(network_samples());
    samples
}

fn session_samples() -> Vec<EventKind> {
    let login = |credential| Login {
        username: "ro\\ot".into(),
        credential,
    };
    vec![
        EventKind::SessionConnect,
        EventKind::SessionClosed { duration_ms: 1234 },
        EventKind::SessionParams {
            arch: "linux-x64-lsb".into(),
        },
        EventKind::ClientVersion {
            version: "SSH-2.0-Go\n".into(),
        },
        EventKind::ClientKex(Box::new(Kex::new(&KexLists::default()))),
        EventKind::ClientFingerprint {
            username: "root".into(),
            key: key(),
        },
        EventKind::ClientSize {
            width: 80,
            height: 24,
        },
        EventKind::ClientVar {
            name: "LANG".into(),
            value: Lossy::new(b"C\xff"),
        },
        EventKind::LoginSuccess(login(Credential::Nothing)),
        EventKind::LoginSuccess(login(Credential::PublicKey(key()))),
        EventKind::LoginSuccess(login(Credential::Password("123\x00".into()))),
        EventKind::LoginFailed(login(Credential::Nothing)),
        EventKind::LoginFailed(login(Credential::PublicKey(key()))),
        EventKind::LoginFailed(login(Credential::Password("käse".into()))),
        EventKind::CommandInput {
            realm: None,
            input: "uname -a\nid".into(),
        },
        EventKind::CommandInput {
            realm: Some("grep".into()),
            input: "x".into(),
        },
        EventKind::CommandFailed {
            command: "foo".into(),
            arguments: "".into(),
        },
        EventKind::CommandUnimplemented {
            program: "/bin/x".into(),
            input: "x -y".into(),
            origin: "machine".into(),
        },
        EventKind::BudgetSpent {
            budget: "memory".into(),
            of: "machine".into(),
        },
        EventKind::WindowChange {
            width: 132,
            height: 43,
        },
    ]
}

fn file_samples() -> Vec<EventKind> {
    let url = || Lossy::from("ftp://192.0.2.9/a.sh");
    let destfile = Lossy::from("/tmp/a.sh");
    let sources = [
        DownloadSource::Url {
            url: url(),
            destfile: None,
        },
        DownloadSource::Url {
            url: url(),
            destfile: Some(destfile.clone()),
        },
        DownloadSource::Stdin,
        DownloadSource::Redirect {
            destfile: destfile.clone(),
        },
    ];
    let mut samples: Vec<_> = sources
        .into_iter()
        .map(|source| {
            let stored = stored();
            EventKind::FileDownload(Box::new(FileDownload { source, stored }))
        })
        .collect();
    samples.extend([
        EventKind::FileDownloadFailed {
            url: url(),
            error: None,
        },
        EventKind::FileDownloadFailed {
            url: url(),
            error: Some("no route".into()),
        },
        EventKind::FileUpload(Box::new(FileUpload {
            via: UploadProtocol::Sftp,
            filename: "a.sh".into(),
            path: destfile,
            stored: stored(),
        })),
        EventKind::LogClosed(Box::new(LogClosed {
            ttylog: "tty/1b4f".into(),
            size: 5120,
            shasum: Sha256Sum::from_bytes([7; 32]),
            duplicate: true,
            duration_ms: 17_420,
            asciicast: "tty/1b4f.cast".into(),
            incomplete: Some("limit".into()),
        })),
        EventKind::CaptureLost {
            what: Captured::Artifact,
            reason: "disk".into(),
            bytes: 9,
        },
    ]);
    samples
}

fn network_samples() -> Vec<EventKind> {
    let target = || Target {
        host: "example.com".into(),
        port: 443,
    };
    vec![
        EventKind::DirectTcpipRequest {
            target: target(),
            origin: target(),
        },
        EventKind::DirectTcpipData {
            target: target(),
            data: "GET /".into(),
            channel: 3,
        },
        EventKind::EgressRefused {
            target: target(),
            address: Some([10, 0, 0, 1].into()),
            reason: "private-address".into(),
        },
        EventKind::EgressRefused {
            target: target(),
            address: None,
            reason: "budget".into(),
        },
    ]
}

fn stored() -> Stored {
    Stored {
        outfile: "artifacts/9f86".into(),
        shasum: Sha256Sum::from_bytes([9; 32]),
        duplicate: false,
        size: 17,
        incomplete: Some("cut".into()),
    }
}

fn key() -> PublicKey {
    PublicKey {
        fingerprint: "c1:b1".into(),
        fingerprint_sha256: "SHA256:abc".into(),
        key: "ssh-ed25519 AAAA".into(),
        algorithm: "ssh-ed25519".into(),
    }
}
