//! What `cowrie.json` promises: fields, their order, their types.

use serde_json::Value;

/// The ids of one session, in order.
pub(crate) fn ids(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .map(|event| event["eventid"].as_str().unwrap())
        .collect()
}

/// The only event with this id.
pub(crate) fn only<'a>(events: &'a [Value], id: &str) -> &'a Value {
    let mut found = events.iter().filter(|event| event["eventid"] == id);
    let event = found
        .next()
        .unwrap_or_else(|| panic!("no {id} in {:?}", ids(events)));
    assert!(found.next().is_none(), "two of {id}");
    event
}

/// Checks a line: the envelope, and the event's own fields in Cowrie's order with Cowrie's types.
pub(crate) fn check(line: &str) {
    let event: Value = serde_json::from_str(line).unwrap();
    let id = event["eventid"].as_str().unwrap();
    let own = own_fields(id, &event);
    let envelope = [
        ("session", 's'),
        ("protocol", 's'),
        ("src_ip", 's'),
        ("src_port", 'i'),
        ("dst_ip", 's'),
        ("dst_port", 'i'),
    ];
    let tail = [
        ("eventid", 's'),
        ("sensor", 's'),
        ("uuid", 's'),
        ("timestamp", 's'),
        ("message", 's'),
    ];
    let mut from = 0;
    for (name, kind) in envelope.iter().chain(own).chain(&tail) {
        let value = &event[*name];
        let right = match kind {
            's' => value.is_string(),
            'i' => value.is_u64(),
            'b' => value.is_boolean(),
            'l' => value
                .as_array()
                .is_some_and(|list| list.iter().all(Value::is_string)),
            _ => panic!("no type {kind}"),
        };
        assert!(right, "{name} in {line}");
        let at = line[from..].find(&format!("\"{name}\":"));
        from += at.unwrap_or_else(|| panic!("{name} is not in its place in {line}"));
    }
    let session = event["session"].as_str().unwrap();
    assert!(
        session.len() == 12 && session.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{line}"
    );
    let time = event["timestamp"].as_str().unwrap();
    assert!(time.len() == 27 && time.ends_with('Z'), "{line}");
}

type Fields = &'static [(&'static str, char)];

/// From the studied Cowrie; Sundew's own additions stand after these.
fn own_fields(id: &str, event: &Value) -> Fields {
    match id {
        "cowrie.session.connect" => &[],
        "cowrie.session.closed" => &[("duration_ms", 'i')],
        "cowrie.session.params" => &[("arch", 's')],
        "cowrie.client.version" => &[("version", 's')],
        "cowrie.client.kex" => &[
            ("hassh", 's'),
            ("hasshAlgorithms", 's'),
            ("kexAlgs", 'l'),
            ("keyAlgs", 'l'),
            ("encCS", 'l'),
            ("macCS", 'l'),
            ("compCS", 'l'),
            ("langCS", 'l'),
        ],
        "cowrie.client.size" => &[("width", 'i'), ("height", 'i')],
        "cowrie.client.var" => &[("name", 's'), ("value", 's')],
        "cowrie.login.success" | "cowrie.login.failed" => &[("username", 's'), ("password", 's')],
        "cowrie.command.input" | "cowrie.command.failed" => &[("input", 's')],
        "cowrie.session.file_download" if event["url"].is_string() => &[
            ("url", 's'),
            ("outfile", 's'),
            ("shasum", 's'),
            ("destfile", 's'),
            ("duplicate", 'b'),
        ],
        "cowrie.session.file_download" => &[
            ("duplicate", 'b'),
            ("outfile", 's'),
            ("shasum", 's'),
            ("destfile", 's'),
        ],
        "cowrie.session.file_upload" => &[
            ("filename", 's'),
            ("duplicate", 'b'),
            ("url", 's'),
            ("outfile", 's'),
            ("shasum", 's'),
            ("destfile", 's'),
        ],
        "cowrie.session.file_download.failed" => &[("url", 's'), ("error", 's')],
        "cowrie.log.closed" => &[
            ("ttylog", 's'),
            ("size", 'i'),
            ("shasum", 's'),
            ("duplicate", 'b'),
            ("duration_ms", 'i'),
        ],
        other => {
            assert!(other.starts_with("sundew."), "unknown event {other}");
            &[]
        }
    }
}
