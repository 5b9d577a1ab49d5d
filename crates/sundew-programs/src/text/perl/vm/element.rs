//! Arrays, hashes and references.

use super::*;

/// An index as a place, counted from the end if negative.
pub(super) fn at(index: i64, len: usize) -> Option<usize> {
    if index < 0 {
        len.checked_sub(usize::try_from(index.unsigned_abs()).ok()?)
    } else {
        usize::try_from(index).ok()
    }
}

impl Vm<'_> {
    fn strict(&self) -> bool {
        // What a name in a string means is asked so rarely that one answer serves: names work.
        false
    }

    /// The array behind a reference; an undefined place becomes one.
    pub(super) fn as_array(&mut self) -> Res {
        let value = match self.pop() {
            Value::Place(own) => match own.get() {
                Value::Undef => {
                    let array = Array::default();
                    self.watch.array(&array);
                    self.made(64)?;
                    own.set(Value::Array(Arc::clone(&array)));
                    Value::Array(array)
                }
                value => value,
            },
            Value::Undef => Value::Array(Array::default()),
            value => value,
        };
        match value {
            Value::Array(_) => self.push(value),
            Value::Text(name) if !self.strict() => {
                let name = String::from_utf8_lossy(&name).into_owned();
                let array = self.global_array(&super::super::code::qualified(&name, "main"));
                self.push(Value::Array(array));
            }
            _ => return self.die("Not an ARRAY reference"),
        }
        Ok(())
    }

    pub(super) fn as_hash(&mut self) -> Res {
        let value = match self.pop() {
            Value::Place(own) => match own.get() {
                Value::Undef => {
                    let hash = Hash::default();
                    self.watch.hash(&hash);
                    self.made(64)?;
                    own.set(Value::Hash(Arc::clone(&hash)));
                    Value::Hash(hash)
                }
                value => value,
            },
            Value::Undef => Value::Hash(Hash::default()),
            value => value,
        };
        match value {
            Value::Hash(_) => self.push(value),
            Value::Text(name) if !self.strict() => {
                let name = String::from_utf8_lossy(&name).into_owned();
                let hash = self.global_hash(&super::super::code::qualified(&name, "main"));
                self.push(Value::Hash(hash));
            }
            _ => return self.die("Not a HASH reference"),
        }
        Ok(())
    }

    pub(super) fn deref_place(&mut self) -> Res {
        let value = match self.pop() {
            Value::Place(own) => match own.get() {
                Value::Undef => {
                    let cell = Scalar::default();
                    self.watch.scalar(&cell);
                    self.made(64)?;
                    own.set(Value::Scalar(Arc::clone(&cell)));
                    Value::Scalar(cell)
                }
                value => value,
            },
            value => value,
        };
        match value {
            Value::Scalar(own) => self.push(Value::Place(own)),
            Value::Undef => {
                return self.die("Can't use an undefined value as a SCALAR reference");
            }
            Value::Text(name) => {
                let name = String::from_utf8_lossy(&name).into_owned();
                let own = self.global(&super::super::code::qualified(&name, "main"));
                self.push(Value::Place(own));
            }
            _ => return self.die("Not a SCALAR reference"),
        }
        Ok(())
    }

    pub(super) fn index(&mut self) {
        let index = self.pop_value().integer();
        let array = self.pop_array();
        let value = {
            let items = array.lock();
            at(index, items.len())
                .and_then(|at| items.get(at))
                .map_or(Value::Undef, |item| item.get())
        };
        self.push(value);
    }

    /// An element that is made if there is none.
    pub(super) fn cell_at(&mut self, array: &Array, index: i64) -> Res<Scalar> {
        let mut items = array.lock();
        let len = items.len();
        let Some(place) = at(index, len) else {
            drop(items);
            return self.die(format!(
                "Modification of non-creatable array value attempted, subscript {index}"
            ));
        };
        if place >= MAX_LIST {
            return Self::out_of_memory();
        }
        if place >= len {
            items.resize_with(place + 1, Scalar::default);
            drop(items);
            self.made((place + 1 - len) * 64)?;
            items = array.lock();
        }
        Ok(items.get(place).cloned().unwrap_or_default())
    }

    pub(super) fn index_place(&mut self) -> Res {
        let index = self.pop_value().integer();
        let array = self.pop_array();
        let cell = self.cell_at(&array, index)?;
        self.push(Value::Place(cell));
        Ok(())
    }

    pub(super) fn key(&mut self) {
        let key = self.pop_value().bytes();
        let hash = self.pop_hash();
        let value = hash
            .lock()
            .map
            .get(&key)
            .map_or(Value::Undef, |item| item.get());
        self.push(value);
    }

    /// An entry that is made if there is none.
    pub(super) fn cell_of(&mut self, hash: &Hash, key: Vec<u8>) -> Res<Scalar> {
        let known = hash.lock().map.get(&key).cloned();
        if let Some(cell) = known {
            return Ok(cell);
        }
        self.made(160 + key.len())?;
        let mut items = hash.lock();
        if items.map.len() >= MAX_LIST {
            return Self::out_of_memory();
        }
        Ok(Arc::clone(items.map.entry(key).or_default()))
    }

    pub(super) fn key_place(&mut self) -> Res {
        let key = self.pop_value().bytes();
        let hash = self.pop_hash();
        if self.symbols.hashes.get("SIG").is_some_and(|at| {
            self.hashes
                .get(*at)
                .is_some_and(|own| Arc::ptr_eq(own, &hash))
        }) {
            self.signals = true;
        }
        let cell = self.cell_of(&hash, key)?;
        self.push(Value::Place(cell));
        Ok(())
    }

    pub(super) fn slice(&mut self, places: bool) -> Res {
        let indices = self.pop_list();
        let array = self.pop_array();
        for index in indices {
            let index = index.integer();
            if places {
                let cell = self.cell_at(&array, index)?;
                self.push(Value::Place(cell));
            } else {
                self.push(Value::Array(Arc::clone(&array)));
                self.push(Value::Int(index));
                self.index();
            }
        }
        Ok(())
    }

    pub(super) fn key_slice(&mut self, places: bool) -> Res {
        let keys = self.pop_list();
        let hash = self.pop_hash();
        for key in keys {
            if places {
                let cell = self.cell_of(&hash, key.bytes())?;
                self.push(Value::Place(cell));
            } else {
                self.push(Value::Hash(Arc::clone(&hash)));
                self.push(key);
                self.key();
            }
        }
        Ok(())
    }

    pub(super) fn list_slice(&mut self, want: Want) {
        let indices = self.pop_list();
        let items = self.pop_list();
        let values = if items.is_empty() {
            Vec::new()
        } else {
            indices
                .iter()
                .map(|index| {
                    at(index.integer(), items.len())
                        .and_then(|at| items.get(at))
                        .cloned()
                        .unwrap_or_default()
                })
                .collect()
        };
        self.give(values, want);
    }

    /// An array or hash where a list or a number is wanted.
    pub(super) fn flatten(&mut self, want: Want) -> Res {
        let value = self.pop();
        let list = self.wants_list(want);
        match value {
            Value::Array(own) if list => {
                let items = own.lock();
                if self.stack.len() + items.len() > MAX_LIST * 4 {
                    return Self::out_of_memory();
                }
                let values: Vec<Value> = items.iter().map(|item| item.get()).collect();
                drop(items);
                self.stack.extend(values);
            }
            Value::Array(own) => {
                let count = own.lock().len();
                self.push(Value::count(count));
            }
            Value::Hash(own) if list => {
                let items = own.lock();
                let values: Vec<Value> = items
                    .map
                    .iter()
                    .flat_map(|(key, item)| [Value::text(key.clone()), item.get()])
                    .collect();
                drop(items);
                self.made(values.len() * 48)?;
                self.stack.extend(values);
            }
            Value::Hash(own) => {
                let count = own.lock().map.len();
                self.push(Value::count(count));
            }
            other => self.push(other),
        }
        Ok(())
    }

    pub(super) fn flatten_places(&mut self) -> Res {
        let value = self.pop();
        match value {
            Value::Array(own) => {
                let cells: Vec<Value> = own.lock().iter().cloned().map(Value::Place).collect();
                if self.stack.len() + cells.len() > MAX_LIST * 4 {
                    return Self::out_of_memory();
                }
                self.stack.extend(cells);
            }
            Value::Hash(own) => {
                let cells: Vec<Value> =
                    own.lock().map.values().cloned().map(Value::Place).collect();
                self.stack.extend(cells);
            }
            other => self.push(other),
        }
        Ok(())
    }

    pub(super) fn make_array(&mut self) -> Res {
        let values = self.pop_list();
        self.made(64 + values.len() * 64)?;
        let cells = values.into_iter().map(Cell::new).collect();
        let array: Array = Node::new(cells);
        self.watch.array(&array);
        self.push(Value::Array(array));
        Ok(())
    }

    pub(super) fn make_hash(&mut self) -> Res {
        let values = self.pop_list();
        let hash = Hash::default();
        self.watch.hash(&hash);
        self.fill(&hash, values)?;
        self.push(Value::Hash(hash));
        Ok(())
    }

    /// Keys and values into a hash.
    pub(super) fn fill(&mut self, hash: &Hash, values: Vec<Value>) -> Res {
        self.made(values.len() * 96)?;
        let mut values = values.into_iter();
        while let Some(key) = values.next() {
            let value = values.next().unwrap_or_default();
            hash.lock().map.insert(key.bytes(), Cell::new(value));
        }
        Ok(())
    }

    pub(super) fn exists(&mut self, of_hash: bool) {
        let key = self.pop_value();
        let found = if of_hash {
            self.pop_hash().lock().map.contains_key(&key.bytes())
        } else {
            let array = self.pop_array();
            let len = array.lock().len();
            at(key.integer(), len).is_some_and(|at| at < len)
        };
        self.push(Value::truth(found));
    }

    pub(super) fn delete(&mut self, of_hash: bool) {
        let key = self.pop_value();
        let gone = if of_hash {
            let hash = self.pop_hash();
            hash.lock().map.remove(&key.bytes())
        } else {
            let array = self.pop_array();
            let mut items = array.lock();
            let len = items.len();
            match at(key.integer(), len) {
                Some(at) if at + 1 == len => items.pop_back(),
                Some(at) => items.get_mut(at).map(std::mem::take),
                None => None,
            }
        };
        self.push(gone.map_or(Value::Undef, |cell| cell.get()));
    }

    pub(super) fn delete_slice(&mut self) {
        let keys = self.pop_list();
        let hash = self.pop_hash();
        for key in keys {
            let gone = hash.lock().map.remove(&key.bytes());
            self.push(gone.map_or(Value::Undef, |cell| cell.get()));
        }
    }

    /// Values into places.
    pub(super) fn list_assign(&mut self, want: Want) -> Res {
        let places = self.pop_list();
        let values = self.pop_list();
        let count = values.len();
        self.made(count * 64)?;
        let mut values = values.into_iter().map(|value| match value {
            Value::Place(own) => own.get(),
            value => value,
        });
        let list = self.wants_list(want);
        let mut given = Vec::new();
        for place in places {
            match place {
                Value::Array(own) => {
                    let cells: std::collections::VecDeque<Scalar> =
                        values.by_ref().map(Cell::new).collect();
                    if list {
                        given.extend(cells.iter().map(|cell| cell.get()));
                    }
                    let old = std::mem::replace(&mut *own.lock(), cells);
                    drop(old);
                }
                Value::Hash(own) => {
                    let old = std::mem::take(&mut *own.lock());
                    drop(old);
                    let rest: Vec<Value> = values.by_ref().collect();
                    if list {
                        given.extend(rest.iter().cloned());
                    }
                    self.fill(&own, rest)?;
                }
                Value::Place(own) => {
                    let value = values.next().unwrap_or_default();
                    if list {
                        given.push(value.clone());
                    }
                    own.set(value);
                }
                _ => drop(values.next()),
            }
        }
        drop(values);
        if list {
            self.stack.append(&mut given);
        } else {
            self.push(Value::count(count));
        }
        Ok(())
    }

    pub(super) fn set_last_index(&mut self) -> Res {
        let array = self.pop_array();
        let last = self.pop_value().integer();
        let len = usize::try_from(last.saturating_add(1)).unwrap_or(0);
        if len > MAX_LIST {
            return Self::out_of_memory();
        }
        self.made(len * 64)?;
        array.lock().resize_with(len, Scalar::default);
        Ok(())
    }
}
