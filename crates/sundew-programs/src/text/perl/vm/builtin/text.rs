//! Operators on strings.

use base64::Engine as _;

use super::super::super::{format, pack, parse};
use super::*;

impl Vm<'_> {
    #[expect(clippy::too_many_lines, reason = "a row for each operator")]
    pub(super) fn of_texts(&mut self, name: &str, values: &[Value], list: bool) -> Res<Given> {
        let first = values.first().cloned().unwrap_or_default();
        let bytes = || first.bytes();
        let rest = values.get(1..).unwrap_or_default();
        Ok(one(match name {
            "lc" | "fc" => self.text(bytes().to_ascii_lowercase())?,
            "uc" => self.text(bytes().to_ascii_uppercase())?,
            "lcfirst" | "ucfirst" => {
                let mut text = bytes();
                if let Some(letter) = text.first_mut() {
                    *letter = if name == "ucfirst" {
                        letter.to_ascii_uppercase()
                    } else {
                        letter.to_ascii_lowercase()
                    };
                }
                self.text(text)?
            }
            "length" if !first.is_defined() => Value::Undef,
            "length" => match &first {
                Value::Text(text) => Value::count(text.len()),
                other => Value::count(other.bytes().len()),
            },
            "chr" => {
                let mut out = Vec::new();
                let number = u32::try_from(first.integer()).unwrap_or(0xfffd);
                parse::push_character(number, &mut out);
                Value::text(out)
            }
            "ord" => Value::Int(i64::from(bytes().first().copied().unwrap_or(0))),
            "quotemeta" => {
                let mut out = Vec::new();
                for byte in bytes() {
                    if !byte.is_ascii_alphanumeric() && byte != b'_' && byte < 0x80 {
                        out.push(b'\\');
                    }
                    out.push(byte);
                }
                self.text(out)?
            }
            "join" => {
                let separator = bytes();
                self.joined(rest, &separator)?
            }
            "reverse" => {
                let mut text = self.joined(values, b"")?.bytes();
                text.reverse();
                self.text(text)?
            }
            "sprintf" => {
                let Some(out) = format::sprintf(&first.bytes(), rest) else {
                    return Self::out_of_memory();
                };
                self.text(out)?
            }
            "pack" => {
                let Some(out) = pack::pack(&first.bytes(), rest) else {
                    return Self::out_of_memory();
                };
                self.text(out)?
            }
            "unpack" => {
                let text = match values.get(1) {
                    Some(text) => text.bytes(),
                    None => self.global("_").get().bytes(),
                };
                let out = pack::unpack(&first.bytes(), &text);
                self.made(out.len() * 32)?;
                return Ok(Some(if list {
                    out
                } else {
                    out.into_iter().take(1).collect()
                }));
            }
            "split" => return self.split(values, list).map(Some),
            "substr" => self.substr(values)?,
            "substr=" => self.replace_part(values)?,
            "index" | "rindex" => index(name, values),
            "pos" => {
                let place = match &first {
                    Value::Place(own) => Arc::as_ptr(own).addr(),
                    _ => 0,
                };
                let at = self.positions.get(&place).map(|(_, at)| *at);
                at.map_or(Value::Undef, Value::count)
            }
            "encode_base64" => {
                let text = base64::engine::general_purpose::STANDARD.encode(bytes());
                let end = rest.first().map_or_else(|| b"\n".to_vec(), Value::bytes);
                let lines: Vec<u8> = text
                    .as_bytes()
                    .chunks(76)
                    .flat_map(|line| [line, &end].concat())
                    .collect();
                self.text(lines)?
            }
            "decode_base64" => {
                let text: Vec<u8> = bytes()
                    .into_iter()
                    .filter(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(byte))
                    .collect();
                let out = base64::engine::general_purpose::STANDARD_NO_PAD.decode(text);
                self.text(out.unwrap_or_default())?
            }
            "md5_hex" | "sha1_hex" | "sha256_hex" => {
                let all: Vec<u8> = values.iter().flat_map(Value::bytes).collect();
                Value::text(digest(name, &all))
            }
            "basename" | "dirname" => part_of_path(name, &bytes(), rest),
            "crypt" => Value::Undef,
            "inet_ntoa" => {
                let parts: Vec<String> = bytes().iter().map(u8::to_string).collect();
                Value::text(parts.join("."))
            }
            "sockaddr_in" | "pack_sockaddr_in" | "unpack_sockaddr_in" => {
                return Ok(Some(socket::sockaddr(values)));
            }
            _ => return Ok(None),
        }))
    }

    /// `substr`, with four operands the replacing one.
    fn substr(&mut self, values: &[Value]) -> Res<Value> {
        let first = match values.first() {
            Some(Value::Place(own)) => own.get(),
            Some(value) => value.clone(),
            None => Value::Undef,
        };
        let text = first.bytes();
        let from = values.get(1).map_or(0, Value::integer);
        let length = values
            .get(2)
            .filter(|value| value.is_defined())
            .map(Value::integer);
        let Some((start, end)) = operator::part(text.len(), from, length) else {
            return Ok(Value::Undef);
        };
        let part = Value::text(text.get(start..end).unwrap_or_default());
        if let (Some(with), Some(Value::Place(own))) = (values.get(3), values.first()) {
            let new = replaced(&text, start, end, &with.bytes());
            let new = self.text(new)?;
            own.set(new);
        }
        Ok(part)
    }

    /// `substr(…) = …`: the value lies under the operands.
    fn replace_part(&mut self, values: &[Value]) -> Res<Value> {
        let value = self.pop_value();
        let Some(Value::Place(own)) = values.first() else {
            return Ok(value);
        };
        let text = own.get().bytes();
        let from = values.get(1).map_or(0, Value::integer);
        let length = values.get(2).map(Value::integer);
        let Some((start, end)) = operator::part(text.len(), from, length) else {
            return self.die("substr outside of string");
        };
        let new = self.text(replaced(&text, start, end, &value.bytes()))?;
        own.set(new);
        Ok(value)
    }
}

fn replaced(text: &[u8], start: usize, end: usize, with: &[u8]) -> Vec<u8> {
    [
        text.get(..start).unwrap_or_default(),
        with,
        text.get(end..).unwrap_or_default(),
    ]
    .concat()
}

fn index(name: &str, values: &[Value]) -> Value {
    let text = values.first().map(Value::bytes).unwrap_or_default();
    let wanted = values.get(1).map(Value::bytes).unwrap_or_default();
    let from = values
        .get(2)
        .map(|value| usize::try_from(value.integer()).unwrap_or(0));
    let Some(last) = text.len().checked_sub(wanted.len()) else {
        return Value::Int(-1);
    };
    let starts = |at: &usize| {
        text.get(*at..)
            .is_some_and(|rest| rest.starts_with(&wanted))
    };
    let found = if name == "index" {
        (from.unwrap_or(0)..=last).find(starts)
    } else {
        (0..=from.unwrap_or(last).min(last)).rev().find(starts)
    };
    found.map_or(Value::Int(-1), Value::count)
}

fn part_of_path(name: &str, path: &[u8], suffixes: &[Value]) -> Value {
    let path = path.strip_suffix(b"/").unwrap_or(path);
    let at = path.iter().rposition(|byte| *byte == b'/');
    Value::text(match (name, at) {
        ("basename", at) => {
            let base = path.get(at.map_or(0, |at| at + 1)..).unwrap_or_default();
            let cut = suffixes.iter().find_map(|suffix| {
                base.strip_suffix(suffix.bytes().as_slice())
                    .map(<[u8]>::to_vec)
            });
            return Value::text(cut.unwrap_or_else(|| base.to_vec()));
        }
        (_, Some(0)) => b"/",
        (_, Some(at)) => path.get(..at).unwrap_or_default(),
        (_, None) => b".",
    })
}

fn digest(name: &str, bytes: &[u8]) -> String {
    use sha2::Digest as _;
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    match name {
        "md5_hex" => hex(&md5::Md5::digest(bytes)),
        "sha1_hex" => hex(&sha1::Sha1::digest(bytes)),
        _ => hex(&sha2::Sha256::digest(bytes)),
    }
}
