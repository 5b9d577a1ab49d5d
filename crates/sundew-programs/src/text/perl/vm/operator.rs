//! Operators on values.

use std::cmp::Ordering;

use super::*;

/// Whether `++` works on the letters.
pub(super) fn is_magical(text: &[u8]) -> bool {
    let letters = text
        .iter()
        .take_while(|byte| byte.is_ascii_alphabetic())
        .count();
    letters > 0
        && text
            .get(letters..)
            .is_some_and(|rest| rest.iter().all(u8::is_ascii_digit))
}

/// `az` to `ba`, `Zz` to `AAa`, `a9` to `b0`.
pub(super) fn incremented(text: &[u8]) -> Vec<u8> {
    let mut out = text.to_vec();
    let mut carried = b'1';
    for byte in out.iter_mut().rev() {
        let (next, carry) = match *byte {
            b'z' => (b'a', Some(b'a')),
            b'Z' => (b'A', Some(b'A')),
            b'9' => (b'0', Some(b'1')),
            other => (other.wrapping_add(1), None),
        };
        *byte = next;
        match carry {
            None => return out,
            Some(letter) => carried = letter,
        }
    }
    out.insert(0, carried);
    out
}

/// Start and end that `substr` means; `None` outside the string.
pub(super) fn part(len: usize, from: i64, length: Option<i64>) -> Option<(usize, usize)> {
    let len = i64::try_from(len).ok()?;
    let start = if from < 0 { len + from } else { from };
    if start > len {
        return None;
    }
    let end = match length {
        None => len,
        Some(length) if length < 0 => len + length,
        Some(length) => start.saturating_add(length).min(len),
    };
    let start = start.max(0);
    let end = end.max(start);
    Some((usize::try_from(start).ok()?, usize::try_from(end).ok()?))
}

impl Vm<'_> {
    #[expect(clippy::too_many_lines, reason = "an arm for each operator")]
    pub(super) fn binary(&mut self, sign: &str, left: &Value, right: &Value) -> Res<Value> {
        let order = |order: Option<Ordering>| {
            order.map_or(Value::Undef, |order| Value::Int(i64::from(order as i8)))
        };
        let numbers = || match (left.exact(), right.exact()) {
            (Some(a), Some(b)) => Some(a.cmp(&b)),
            _ => left.number().partial_cmp(&right.number()),
        };
        let texts = || left.bytes().cmp(&right.bytes());
        Ok(match sign {
            "." => {
                let mut text = left.bytes();
                text.extend(right.bytes());
                self.text(text)?
            }
            "+" | "-" | "*" => {
                let whole = match (left.exact(), right.exact()) {
                    (Some(a), Some(b)) => match sign {
                        "+" => a.checked_add(b),
                        "-" => a.checked_sub(b),
                        _ => a.checked_mul(b),
                    },
                    _ => None,
                };
                let (a, b) = (left.number(), right.number());
                whole.map_or_else(
                    || {
                        Value::Num(match sign {
                            "+" => a + b,
                            "-" => a - b,
                            _ => a * b,
                        })
                    },
                    Value::Int,
                )
            }
            "/" => {
                if right.number() == 0.0 {
                    return self.die("Illegal division by zero");
                }
                match (left.exact(), right.exact()) {
                    (Some(a), Some(b)) if a.checked_rem(b) == Some(0) => {
                        a.checked_div(b).map_or(Value::Undef, Value::Int)
                    }
                    _ => Value::Num(left.number() / right.number()),
                }
            }
            "%" => {
                let (a, b) = (left.integer(), right.integer());
                if b == 0 {
                    return self.die("Illegal modulus zero");
                }
                // The sign is the right operand's.
                let rest = a.wrapping_rem(b);
                Value::Int(if rest != 0 && (rest < 0) != (b < 0) {
                    rest + b
                } else {
                    rest
                })
            }
            "**" => {
                let power = match (left.exact(), right.exact().map(u32::try_from)) {
                    (Some(a), Some(Ok(b))) => a.checked_pow(b),
                    _ => None,
                };
                power.map_or_else(
                    || Value::Num(left.number().powf(right.number())),
                    Value::Int,
                )
            }
            "<<" => Value::Int(
                left.integer()
                    .checked_shl(u32::try_from(right.integer()).unwrap_or(64))
                    .unwrap_or(0),
            ),
            ">>" => {
                let shift = u32::try_from(right.integer()).unwrap_or(64);
                let bits = left
                    .integer()
                    .cast_unsigned()
                    .checked_shr(shift)
                    .unwrap_or(0);
                Value::Int(bits.cast_signed())
            }
            "&" | "|" | "^" => match (left, right) {
                (Value::Text(a), Value::Text(b)) => Value::text(bits(sign, a, b)),
                _ => {
                    let (a, b) = (left.integer(), right.integer());
                    Value::Int(match sign {
                        "&" => a & b,
                        "|" => a | b,
                        _ => a ^ b,
                    })
                }
            },
            "==" => Value::truth(numbers() == Some(Ordering::Equal)),
            "!=" => Value::truth(numbers() != Some(Ordering::Equal)),
            "<" => Value::truth(numbers() == Some(Ordering::Less)),
            ">" => Value::truth(numbers() == Some(Ordering::Greater)),
            "<=" => Value::truth(matches!(numbers(), Some(Ordering::Less | Ordering::Equal))),
            ">=" => Value::truth(matches!(
                numbers(),
                Some(Ordering::Greater | Ordering::Equal)
            )),
            "<=>" => order(numbers()),
            "cmp" => order(Some(texts())),
            "eq" => Value::truth(texts().is_eq()),
            "ne" => Value::truth(texts().is_ne()),
            "lt" => Value::truth(texts().is_lt()),
            "gt" => Value::truth(texts().is_gt()),
            "le" => Value::truth(texts().is_le()),
            "ge" => Value::truth(texts().is_ge()),
            "xor" => Value::truth(left.is_true() != right.is_true()),
            _ => Value::Undef,
        })
    }
}

/// Bitwise operators on strings.
fn bits(sign: &str, a: &[u8], b: &[u8]) -> Vec<u8> {
    let len = if sign == "&" {
        a.len().min(b.len())
    } else {
        a.len().max(b.len())
    };
    let byte = |text: &[u8], at: usize| text.get(at).copied().unwrap_or(0);
    (0..len)
        .map(|at| match sign {
            "&" => byte(a, at) & byte(b, at),
            "|" => byte(a, at) | byte(b, at),
            _ => byte(a, at) ^ byte(b, at),
        })
        .collect()
}

impl Vm<'_> {
    /// Texts one behind the other.
    pub(super) fn joined(&mut self, parts: &[Value], separator: &[u8]) -> Res<Value> {
        let mut out = Vec::new();
        for (at, part) in parts.iter().enumerate() {
            if at > 0 {
                out.extend_from_slice(separator);
            }
            push_bytes(&mut out, part);
            if out.len() > MAX_TEXT {
                return Self::out_of_memory();
            }
        }
        self.text(out)
    }

    pub(super) fn assign_with(&mut self, sign: &'static str) -> Res {
        let right = self.pop_value();
        let place = self.pop_place();
        if sign == "." {
            // The text grows in place when nobody else holds it.
            let mut own = match place.take() {
                Value::Text(text) => text,
                old => Arc::new(old.bytes()),
            };
            let mut more = Vec::new();
            push_bytes(&mut more, &right);
            if own.len() + more.len() > MAX_TEXT {
                place.set(Value::Text(own));
                return Self::out_of_memory();
            }
            let outcome = self.made(more.len() + 16);
            Arc::make_mut(&mut own).append(&mut more);
            place.set(Value::Text(own));
            self.push(Value::Place(place));
            return outcome;
        }
        let left = place.get();
        let new = if sign == "x" {
            let count = usize::try_from(right.integer()).unwrap_or(0);
            self.repeated(&left, count)?
        } else {
            self.binary(sign, &left, &right)?
        };
        place.set(new);
        self.push(Value::Place(place));
        Ok(())
    }

    fn repeated(&mut self, value: &Value, count: usize) -> Res<Value> {
        let text = value.bytes();
        let len = text.len().saturating_mul(count);
        if len > MAX_TEXT {
            return Self::out_of_memory();
        }
        self.made(len)?;
        self.text(text.repeat(count))
    }

    pub(super) fn repeat(&mut self) -> Res {
        let count = usize::try_from(self.pop_value().integer()).unwrap_or(0);
        let value = self.pop_value();
        let value = self.repeated(&value, count)?;
        self.push(value);
        Ok(())
    }

    pub(super) fn repeat_list(&mut self) -> Res {
        let count = usize::try_from(self.pop_value().integer()).unwrap_or(0);
        let values = self.pop_list();
        let values = self.many(&values, count)?;
        self.stack.extend(values);
        Ok(())
    }

    fn many(&mut self, values: &[Value], count: usize) -> Res<Vec<Value>> {
        let len = values.len().saturating_mul(count);
        if len > MAX_LIST {
            return Self::out_of_memory();
        }
        self.made(len * 32)?;
        Ok(std::iter::repeat_n(values, count)
            .flatten()
            .cloned()
            .collect())
    }

    pub(super) fn repeat_array(&mut self) -> Res {
        let count = usize::try_from(self.pop_value().integer()).unwrap_or(0);
        let array = self.pop_array();
        let values: Vec<Value> = array.lock().iter().map(|item| item.get()).collect();
        let values = self.many(&values, count)?;
        let len = values.len();
        *array.lock() = values.into_iter().map(Cell::new).collect();
        self.push(Value::count(len));
        Ok(())
    }

    pub(super) fn negate(&mut self) -> Res {
        let value = self.pop_value();
        if let Value::Text(text) = &value
            && value.exact().is_none()
        {
            // `-word` is a word with a minus.
            let first = text.first().copied().unwrap_or(b'0');
            if first.is_ascii_alphabetic() || first == b'_' {
                self.push(Value::text([b"-".as_slice(), text].concat()));
                return Ok(());
            }
        }
        let negated = value.exact().and_then(i64::checked_neg);
        self.push(negated.map_or(Value::Num(-value.number()), Value::Int));
        Ok(())
    }

    pub(super) fn step_by_one(&mut self, up: bool, before: bool) -> Res {
        let place = self.pop_place();
        let old = place.get();
        let new = match (&old, up) {
            (Value::Text(text), true) if is_magical(text) => Value::text(incremented(text)),
            _ => {
                let sign = if up { "+" } else { "-" };
                self.binary(sign, &old, &Value::Int(1))?
            }
        };
        place.set(new.clone());
        self.push(if before {
            new
        } else if old.is_defined() {
            old
        } else {
            Value::Int(0)
        });
        Ok(())
    }

    pub(super) fn range(&mut self, from: &Value, to: &Value) -> Res<Vec<Value>> {
        if let (Value::Text(first), true) = (from, is_word_range(from)) {
            let last = to.bytes();
            let mut out = Vec::new();
            let mut text = first.to_vec();
            while text.len() <= last.len() && out.len() < MAX_LIST {
                out.push(Value::text(text.clone()));
                if *text == *last {
                    break;
                }
                text = incremented(&text);
            }
            self.made(out.len() * 48)?;
            return Ok(out);
        }
        let (from, to) = (from.integer(), to.integer());
        let count = usize::try_from(to.saturating_sub(from).saturating_add(1)).unwrap_or(0);
        if count > MAX_LIST {
            return Self::out_of_memory();
        }
        self.made(count * 32)?;
        Ok((from..=to).map(Value::Int).collect())
    }
}

/// Whether a range from here goes over words.
pub(super) fn is_word_range(from: &Value) -> bool {
    matches!(from, Value::Text(text) if !text.is_empty() && from.exact().is_none()
        && !super::super::number::numeric(text).1)
}

fn push_bytes(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Text(text) | Value::Pattern(text) => out.extend_from_slice(text),
        Value::Place(own) => push_bytes(out, &own.get()),
        other => out.extend(other.bytes()),
    }
}
