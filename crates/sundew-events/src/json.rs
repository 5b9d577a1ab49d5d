//! Events as the lines that Cowrie 3 writes to `cowrie.json`, byte for byte.
//!
//! Key order: identity, the event's own fields, Sundew's additions to them, `eventid`, `late` if
//! true, `sensor`, `uuid`, `timestamp`, `message`. No blank after `,` and `:`; everything outside
//! printable ASCII is escaped as Python's `json.dumps` does it. Written by hand rather than with a
//! serializer: the order is data, the escapes are not those of any crate, and an event is written
//! in one pass without a tree.

use std::fmt::{self, Display, Write as _};

use crate::catalogue::Origin;
use crate::event::Event;
use crate::event::fields::{Field, Value};

/// What to write beside Cowrie's own fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Additions {
    /// Sundew's fields and the `sundew.*` events too.
    #[default]
    Keep,
    /// Exactly Cowrie's fields, and no `sundew.*` event: for consumers with a strict schema.
    Omit,
}

/// Appends the event as one line with its LF, or nothing if it is left out with
/// [`Additions::Omit`].
pub fn write_line(event: &Event, additions: Additions, line: &mut String) {
    if additions == Additions::Omit && event.kind.id().origin() == Origin::Sundew {
        return;
    }
    let mut object = Object {
        out: line,
        first: true,
    };
    write_identity(event, &mut object);
    event.visit_fields(&mut |field: Field<'_>| {
        if additions == Additions::Keep || field.origin == Origin::Cowrie {
            object.entry(field.name, field.value);
        }
    });
    object.text("eventid", &event.kind.id().as_str());
    if event.late {
        object.entry("late", Value::Bool(true));
    }
    object.text("sensor", &event.installation.sensor);
    object.text("uuid", &event.installation.uuid);
    object.text("timestamp", &event.timestamp);
    object.text("message", &event.message());
    line.push_str("}\n");
}

/// Appends `text` as a JSON string in ASCII, quotes included.
pub fn write_string(text: &dyn Display, out: &mut String) {
    out.push('"');
    let written = write!(Escape(out), "{text}");
    debug_assert!(written.is_ok(), "a String takes everything");
    out.push('"');
}

fn write_identity(event: &Event, object: &mut Object<'_>) {
    let connection = &event.connection;
    let ((src_ip, src_port), (dst_ip, dst_port)) = (connection.src(), connection.dst());
    object.text("session", &connection.session());
    object.text("protocol", &connection.protocol().as_str());
    object.text("src_ip", &src_ip);
    object.int("src_port", src_port);
    // A forwarding event names its destination in these two fields, in their usual place.
    match event.kind.destination() {
        Some(target) => {
            object.text("dst_ip", &target.host);
            object.int("dst_port", target.port);
        }
        None => {
            object.text("dst_ip", &dst_ip);
            object.int("dst_port", dst_port);
        }
    }
}

struct Object<'s> {
    out: &'s mut String,
    first: bool,
}

impl Object<'_> {
    fn text(&mut self, name: &str, value: &dyn Display) {
        self.entry(name, Value::Text(value));
    }

    fn int(&mut self, name: &str, value: impl Into<u64>) {
        self.entry(name, Value::Int(value.into()));
    }

    fn entry(&mut self, name: &str, value: Value<'_>) {
        self.out.push(if self.first { '{' } else { ',' });
        self.first = false;
        write_string(&name, self.out);
        self.out.push(':');
        match value {
            Value::Text(text) => write_string(text, self.out),
            Value::Int(number) => self.out.push_str(&number.to_string()),
            Value::Bool(flag) => self.out.push_str(if flag { "true" } else { "false" }),
            Value::List(texts) => {
                self.out.push('[');
                for (index, text) in texts.iter().enumerate() {
                    if index > 0 {
                        self.out.push(',');
                    }
                    write_string(text, self.out);
                }
                self.out.push(']');
            }
        }
    }
}

/// Escapes what is written through it, as `json.dumps` with its default `ensure_ascii`.
struct Escape<'s>(&'s mut String);

impl fmt::Write for Escape<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            match character {
                '"' => self.0.push_str("\\\""),
                '\\' => self.0.push_str("\\\\"),
                '\n' => self.0.push_str("\\n"),
                '\r' => self.0.push_str("\\r"),
                '\t' => self.0.push_str("\\t"),
                '\u{8}' => self.0.push_str("\\b"),
                '\u{c}' => self.0.push_str("\\f"),
                ' '..='~' => self.0.push(character),
                _ => {
                    let mut units = [0; 2];
                    for unit in character.encode_utf16(&mut units) {
                        write!(self.0, "\\u{unit:04x}")?;
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_is_printable_ascii_and_parses_back(text: String) {
            let mut json = String::new();
            write_string(&text, &mut json);
            prop_assert!(json.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }
}
