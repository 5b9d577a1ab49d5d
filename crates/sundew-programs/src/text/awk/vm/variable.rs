//! Variables, array elements, the record and its fields: what instructions load and store.

use super::*;

impl Vm {
    // ---- places --------------------------------------------------------------------------------

    pub(super) fn local(&self, index: usize) -> Option<&Local> {
        let base = self.frames.last()?.base;
        self.locals.get(base + index)
    }

    /// The array behind a variable, made if need be.
    pub(in crate::text::awk) fn array_id(&mut self, variable: Variable) -> usize {
        let known = match variable {
            Variable::Global(index) => self.global_arrays.get(index).copied().flatten(),
            Variable::Local(index) => match self.local(index) {
                Some(Local::Array(id)) => Some(*id),
                _ => None,
            },
        };
        if let Some(id) = known {
            return id;
        }
        let id = self.free_arrays.pop().unwrap_or_else(|| {
            self.arrays.push(Array::default());
            self.arrays.len() - 1
        });
        match variable {
            Variable::Global(index) => {
                if let Some(place) = self.global_arrays.get_mut(index) {
                    *place = Some(id);
                }
            }
            Variable::Local(index) => {
                if let Some(frame) = self.frames.last_mut() {
                    frame.arrays.push(id);
                    let place = frame.base + index;
                    if let Some(place) = self.locals.get_mut(place) {
                        *place = Local::Array(id);
                    }
                }
            }
        }
        id
    }

    pub(in crate::text::awk) fn clear_array(&mut self, id: usize) {
        if let Some(array) = self.arrays.get_mut(id) {
            let mut weight = 0;
            for key in array.keys() {
                weight += key.len() + array.get(&key).0.weight() + ELEMENT_BYTES;
            }
            array.clear();
            self.memory.shrink(weight);
        }
    }

    pub(in crate::text::awk) fn set_element(
        &mut self,
        id: usize,
        key: Arc<[u8]>,
        value: Value,
    ) -> Result<(), Stop> {
        let (key_len, weight) = (key.len(), value.weight());
        self.charge(weight, 0)?;
        let Some(array) = self.arrays.get_mut(id) else {
            return Ok(());
        };
        match array.set(key, value) {
            Some(old) => self.memory.shrink(old.weight()),
            None => self.charge(key_len + ELEMENT_BYTES, 0)?,
        }
        Ok(())
    }

    /// An element of a global array, if it is there.
    pub(in crate::text::awk) fn element(&mut self, global: usize, key: &[u8]) -> Option<Value> {
        let id = self.array_id(Variable::Global(global));
        let array = self.arrays.get_mut(id)?;
        array.contains(key).then(|| array.get(&key.into()).0)
    }

    pub(super) fn charge(&mut self, new: usize, old: usize) -> Result<(), Stop> {
        if new > old {
            return self.memory.grow(new - old).map_err(|_| out_of_memory());
        }
        self.memory.shrink(old - new);
        Ok(())
    }

    pub(super) fn load(&mut self, place: Place, keep: bool) -> Result<Value, Stop> {
        Ok(match place {
            Place::Variable(Variable::Global(NF)) => {
                self.split_record();
                self.globals.get(NF).cloned().unwrap_or_default()
            }
            Place::Variable(Variable::Global(index)) => {
                self.globals.get(index).cloned().unwrap_or_default()
            }
            Place::Variable(Variable::Local(index)) => match self.local(index) {
                Some(Local::Value(value)) => value.clone(),
                _ => Value::Uninit,
            },
            Place::Element(array) => {
                let key = self.pop_text();
                let id = self.array_id(array);
                let (value, made) = self
                    .arrays
                    .get_mut(id)
                    .map(|array| array.get(&key))
                    .unwrap_or_default();
                if made {
                    self.charge(key.len() + ELEMENT_BYTES, 0)?;
                }
                if keep {
                    self.push(Value::Text(key));
                }
                value
            }
            Place::Field => {
                let number = self.pop();
                let index = self.field_index(&number)?;
                if keep {
                    self.push(number);
                }
                self.field(index)
            }
        })
    }

    pub(in crate::text::awk) fn store(&mut self, place: Place, value: Value) -> Result<(), Stop> {
        match place {
            Place::Variable(Variable::Global(index)) => self.store_global(index, value),
            Place::Variable(Variable::Local(index)) => {
                let base = self.frames.last().map_or(0, |frame| frame.base);
                let weight = value.weight();
                let old = match self.locals.get_mut(base + index) {
                    Some(Local::Value(old)) => std::mem::replace(old, value).weight(),
                    _ => return Ok(()),
                };
                self.charge(weight, old)
            }
            Place::Element(array) => {
                let key = self.pop_text();
                let id = self.array_id(array);
                self.set_element(id, key, value)
            }
            Place::Field => {
                let number = self.pop();
                let index = self.field_index(&number)?;
                self.set_field(index, value)
            }
        }
    }

    /// Loads a place again, its subscript being left on the stack.
    pub(in crate::text::awk) fn load_keep(&mut self, place: Place) -> Result<Value, Stop> {
        self.load(place, true)
    }

    pub(in crate::text::awk) fn set_global(&mut self, index: usize, value: Value) {
        if let Some(place) = self.globals.get_mut(index) {
            *place = value;
        }
    }

    pub(super) fn store_global(&mut self, index: usize, value: Value) -> Result<(), Stop> {
        match index {
            FS => {
                self.field_separator =
                    Separator::field(&value.to_text(&self.convert())).map_err(Stop::Fatal)?
            }
            RS => {
                self.record_separator =
                    Separator::record(&value.to_text(&self.convert())).map_err(Stop::Fatal)?
            }
            NF => {
                self.split_record();
                let count = self.field_index(&value)?;
                self.fields.resize(count, Value::text(b""));
                self.is_joined = false;
            }
            _ => {}
        }
        let weight = value.weight();
        let old = self.globals.get(index).map_or(0, Value::weight);
        self.set_global(index, value);
        self.charge(weight, old)
    }

    // ---- the record ----------------------------------------------------------------------------

    pub(in crate::text::awk) fn set_record(&mut self, record: &[u8]) {
        // What the user program holds of it is charged where it is stored.
        self.record = record.into();
        self.is_split = false;
        self.is_joined = true;
    }

    pub(in crate::text::awk) fn record(&mut self) -> Arc<[u8]> {
        if !self.is_joined {
            let separator = self
                .globals
                .get(OFS)
                .map(|value| value.to_text(b"%.6g"))
                .unwrap_or_default();
            let convert = self.convert();
            let texts: Vec<Arc<[u8]>> = self
                .fields
                .iter()
                .map(|field| field.to_text(&convert))
                .collect();
            self.record = texts.join(separator.as_ref()).into();
            self.is_joined = true;
        }
        Arc::clone(&self.record)
    }

    pub(super) fn split_record(&mut self) {
        if self.is_split {
            return;
        }
        let newline = matches!(self.record_separator, Separator::Blank);
        let fields = record::split(&self.record, &self.field_separator, newline);
        self.fields = fields.iter().map(|field| Value::input(field)).collect();
        self.is_split = true;
        self.set_field_count();
    }

    pub(super) fn set_field_count(&mut self) {
        #[expect(clippy::cast_precision_loss, reason = "fields are far fewer than 2^53")]
        let count = self.fields.len() as f64;
        self.set_global(NF, Value::Number(count));
    }

    pub(super) fn field_index(&mut self, value: &Value) -> Result<usize, Stop> {
        let number = value.number();
        if number < 0.0 {
            return Err(self.run_time_error(&format!("negative field index ${}", number.trunc())));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "compared with the limit below"
        )]
        let index = number as usize;
        if index > MAX_FIELD {
            return Err(self.run_time_error(&format!("field index overflow ${index}")));
        }
        Ok(index)
    }

    pub(in crate::text::awk) fn run_time_error(&self, text: &str) -> Stop {
        let show = |index: usize| {
            self.globals
                .get(index)
                .map(|value| value.to_text(b"%.6g"))
                .unwrap_or_default()
        };
        let mut line = format!("run time error: {text}\n\tFILENAME=\"").into_bytes();
        for part in [
            show(FILENAME).as_ref(),
            b"\" FNR=",
            &show(FNR),
            b" NR=",
            &show(NR),
        ] {
            line.extend_from_slice(part);
        }
        Stop::Fatal(line)
    }

    pub(super) fn field(&mut self, index: usize) -> Value {
        if index == 0 {
            return Value::input(&self.record());
        }
        self.split_record();
        self.fields.get(index - 1).cloned().unwrap_or_default()
    }

    pub(super) fn set_field(&mut self, index: usize, value: Value) -> Result<(), Stop> {
        if index == 0 {
            let text = value.to_text(&self.convert());
            self.set_record(&text);
            return Ok(());
        }
        self.split_record();
        if self.fields.len() < index {
            self.fields.resize(index, Value::text(b""));
            self.set_field_count();
        }
        if let Some(place) = self.fields.get_mut(index - 1) {
            *place = value;
        }
        self.is_joined = false;
        Ok(())
    }

    // ---- functions -----------------------------------------------------------------------------
}
