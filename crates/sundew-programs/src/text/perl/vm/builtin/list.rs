//! Operators on arrays, hashes and lists.

use std::collections::BTreeSet;
use std::ops::Bound;

use super::*;

impl Vm<'_> {
    pub(super) fn of_containers(&mut self, name: &str, values: &[Value], list: bool) -> Res<Given> {
        let first = values.first().cloned().unwrap_or_default();
        Ok(match name {
            "push" | "unshift" | "pop" | "shift" | "splice" => match &first {
                Value::Array(own) => {
                    Some(self.of_array(name, own, values.get(1..).unwrap_or_default(), list)?)
                }
                _ => return self.die(format!("Type of arg 1 to {name} must be array")),
            },
            "keys" | "values" | "each" => Some(match &first {
                Value::Hash(own) => self.of_hash(name, own, list)?,
                Value::Array(own) => {
                    let items = own.lock();
                    if !list {
                        vec![Value::count(items.len())]
                    } else if name == "keys" {
                        (0..items.len()).map(Value::count).collect()
                    } else {
                        items.iter().map(|item| item.get()).collect()
                    }
                }
                _ => Vec::new(),
            }),
            "sort" => {
                let mut items = values.to_vec();
                items.sort_by_cached_key(Value::bytes);
                Some(items)
            }
            "reverse" if list => Some(values.iter().rev().cloned().collect()),
            "chomp" | "chop" => one(self.cut(name == "chomp", values)?),
            "sum" | "sum0" => {
                let start = if name == "sum0" {
                    Some(Value::Int(0))
                } else {
                    None
                };
                let mut sum = start;
                for value in values {
                    sum = Some(match sum {
                        Some(sum) => self.binary("+", &sum, value)?,
                        None => self.binary("+", &Value::Int(0), value)?,
                    });
                }
                one(sum.unwrap_or_default())
            }
            "max" | "min" => {
                let order = |a: &&Value, b: &&Value| a.number().total_cmp(&b.number());
                let found = if name == "max" {
                    values.iter().max_by(order)
                } else {
                    values.iter().min_by(order)
                };
                one(found.cloned().unwrap_or_default())
            }
            "uniq" => {
                let mut seen = BTreeSet::new();
                let kept: Vec<Value> = values
                    .iter()
                    .filter(|value| seen.insert(value.bytes()))
                    .cloned()
                    .collect();
                Some(if list {
                    kept
                } else {
                    vec![Value::count(kept.len())]
                })
            }
            "shuffle" => {
                let mut items = values.to_vec();
                for at in (1..items.len()).rev() {
                    let bound = u64::try_from(at + 1).unwrap_or(1);
                    let other = usize::try_from(self.proc.random() % bound).unwrap_or(0);
                    items.swap(at, other);
                }
                Some(items)
            }
            _ => None,
        })
    }

    fn of_array(
        &mut self,
        name: &str,
        array: &Array,
        values: &[Value],
        list: bool,
    ) -> Res<Vec<Value>> {
        let room = MAX_LIST.saturating_sub(array.lock().len());
        if values.len() > room {
            return Self::out_of_memory();
        }
        if name == "push" || name == "unshift" {
            let bytes: usize = values
                .iter()
                .map(|value| match value {
                    Value::Text(text) => 80 + text.len(),
                    _ => 80,
                })
                .sum();
            self.made(bytes)?;
        }
        let cells = || values.iter().cloned().map(Cell::new);
        let mut items = array.lock();
        let taken = |gone: Option<Scalar>| vec![gone.map_or(Value::Undef, |cell| cell.get())];
        Ok(match name {
            "push" => {
                items.extend(cells());
                vec![Value::count(items.len())]
            }
            "unshift" => {
                for cell in cells().rev() {
                    items.push_front(cell);
                }
                vec![Value::count(items.len())]
            }
            "pop" => taken(items.pop_back()),
            "shift" => taken(items.pop_front()),
            _ => {
                let from = values.first().map_or(0, Value::integer);
                let length = values
                    .get(1)
                    .filter(|value| value.is_defined())
                    .map(Value::integer);
                let count = items.len();
                let (start, end) = operator::part(count, from, length).unwrap_or((count, count));
                let tail = items.split_off(end);
                let gone: Vec<Value> = items
                    .split_off(start)
                    .iter()
                    .map(|cell| cell.get())
                    .collect();
                items.extend(values.iter().skip(2).cloned().map(Cell::new));
                items.extend(tail);
                if list {
                    gone
                } else {
                    gone.into_iter().next_back().into_iter().collect()
                }
            }
        })
    }

    fn of_hash(&mut self, name: &str, hash: &Hash, list: bool) -> Res<Vec<Value>> {
        let mut items = hash.lock();
        if name == "each" {
            let next = match items.last.take() {
                None => items.map.iter().next(),
                Some(last) => items
                    .map
                    .range::<[u8], _>((Bound::Excluded(last.as_slice()), Bound::Unbounded))
                    .next(),
            };
            let next = next.map(|(key, cell)| (key.clone(), cell.get()));
            items.last = next.as_ref().map(|(key, _)| key.clone());
            return Ok(match next {
                Some((key, _)) if !list => vec![Value::text(key)],
                Some((key, value)) => vec![Value::text(key), value],
                None => Vec::new(),
            });
        }
        items.last = None;
        let count = items.map.len();
        if !list {
            return Ok(vec![Value::count(count)]);
        }
        let out = if name == "keys" {
            items
                .map
                .keys()
                .map(|key| Value::text(key.clone()))
                .collect()
        } else {
            items.map.values().map(|cell| cell.get()).collect()
        };
        drop(items);
        self.made(count * 48)?;
        Ok(out)
    }

    fn cut(&mut self, newline: bool, values: &[Value]) -> Res<Value> {
        let mut count = 0;
        let mut last = Vec::new();
        for value in values {
            let Value::Place(own) = value else { continue };
            let old = own.get();
            if !old.is_defined() {
                continue;
            }
            let mut text = old.bytes();
            if !newline || text.last() == Some(&b'\n') {
                if let Some(byte) = text.pop() {
                    count += 1;
                    last = vec![byte];
                }
                let text = self.text(text)?;
                own.set(text);
            }
        }
        Ok(if newline {
            Value::Int(count)
        } else {
            Value::text(last)
        })
    }
}
