//! Instructions that never wait and stay in their sub.

use super::*;

impl Vm<'_> {
    #[expect(clippy::too_many_lines, reason = "an arm for each instruction")]
    pub(super) fn step(&mut self, op: &Op) -> Res {
        match op {
            Op::Const(value) => self.push(value.clone()),
            Op::Pop => drop(self.pop()),
            Op::Dup => {
                let top = self.stack.last().cloned().unwrap_or_default();
                self.push(top);
            }
            Op::Swap => {
                let (a, b) = (self.pop(), self.pop());
                self.push(a);
                self.push(b);
            }
            Op::Mark => {
                let mark = self.stack.len();
                self.marks.push(mark);
            }
            Op::Join => {
                let parts = self.pop_list();
                let text = self.joined(&parts, b"")?;
                self.push(text);
            }
            Op::JoinList => {
                let parts = self.pop_list();
                let separator = self.global("\"").get().bytes();
                let text = self.joined(&parts, &separator)?;
                self.push(text);
            }
            Op::LastOf => {
                let last = self.pop_list().pop().unwrap_or_default();
                self.push(last);
            }
            Op::Load => {
                let value = self.pop_value();
                self.push(value);
            }
            Op::Temp => {
                let value = self.pop();
                self.push(match value {
                    place @ Value::Place(_) => place,
                    value => Value::Place(Cell::new(value)),
                });
            }
            Op::Jump(to) => self.go_to(*to),
            Op::JumpTrue(to) => {
                if self.pop().is_true() {
                    self.go_to(*to);
                }
            }
            Op::JumpFalse(to) => {
                if !self.pop().is_true() {
                    self.go_to(*to);
                }
            }
            Op::JumpDefined(to) => {
                if self.pop_value().is_defined() {
                    self.go_to(*to);
                }
            }
            Op::AndJump(to) => self.short(*to, |value| !value.is_true()),
            Op::OrJump(to) => self.short(*to, Value::is_true),
            Op::DefJump(to) => self.short(*to, Value::is_defined),
            Op::Binary(sign) => {
                let right = self.pop_value();
                let left = self.pop_value();
                let value = self.binary(sign, &left, &right)?;
                self.push(value);
            }
            Op::Not => {
                let value = self.pop().is_true();
                self.push(Value::truth(!value));
            }
            Op::Pad(_)
            | Op::PadPlace(_)
            | Op::PadArray(_)
            | Op::PadHash(_)
            | Op::My(_)
            | Op::Global(_)
            | Op::GlobalPlace(_)
            | Op::GlobalArray(_)
            | Op::GlobalHash(_)
            | Op::Args
            | Op::Special(_)
            | Op::NamedGroups
            | Op::Offsets(_) => self.variable(op),
            _ => return self.step_more(op),
        }
        Ok(())
    }

    /// Keeps the value and jumps, or drops it.
    fn short(&mut self, to: usize, jumps: impl Fn(&Value) -> bool) {
        if self.stack.last().is_some_and(jumps) {
            self.go_to(to);
        } else {
            self.stack.pop();
        }
    }

    fn variable(&mut self, op: &Op) {
        let value = match op {
            Op::Pad(at) => self.pad(*at).map_or(Value::Undef, |pad| pad.scalar().get()),
            Op::PadPlace(at) => Value::Place(self.pad(*at).map(Pad::scalar).unwrap_or_default()),
            Op::PadArray(at) => Value::Array(self.pad(*at).map(Pad::array).unwrap_or_default()),
            Op::PadHash(at) => Value::Hash(self.pad(*at).map(Pad::hash).unwrap_or_default()),
            Op::My(at) => return self.introduce(*at),
            Op::Global(at) => self.scalars.get(*at).map_or(Value::Undef, |own| own.get()),
            Op::GlobalPlace(at) => Value::Place(self.scalars.get(*at).cloned().unwrap_or_default()),
            Op::GlobalArray(at) => Value::Array(self.arrays.get(*at).cloned().unwrap_or_default()),
            Op::GlobalHash(at) => Value::Hash(self.hashes.get(*at).cloned().unwrap_or_default()),
            Op::Args => Value::Array(
                self.frames
                    .last()
                    .map_or_else(Array::default, |frame| Arc::clone(&frame.args)),
            ),
            Op::Special(name) => self.special(name),
            Op::NamedGroups => {
                let hash = Hash::default();
                for (name, group) in &self.matched.names {
                    let value = self.group(*group);
                    if value.is_defined() {
                        let key = name.as_bytes().to_vec();
                        hash.lock().map.insert(key, Cell::new(value));
                    }
                }
                Value::Hash(hash)
            }
            Op::Offsets(ends) => {
                let place = |span: &Option<(usize, usize)>| {
                    let at = span.map(|(start, end)| if *ends { end } else { start });
                    Cell::new(at.map_or(Value::Undef, Value::count))
                };
                Value::Array(Node::new(self.matched.groups.iter().map(place).collect()))
            }
            _ => Value::Undef,
        };
        self.push(value);
    }

    fn pad(&mut self, at: usize) -> Option<&mut Pad> {
        self.frames
            .last_mut()
            .and_then(|frame| frame.pads.get_mut(at))
    }

    /// `my`: a variable that nothing else refers to is emptied, any other is left to who does.
    fn introduce(&mut self, at: usize) {
        let Some(frame) = self.frames.last_mut() else {
            return;
        };
        if let Some(place) = frame.early.iter().position(|early| *early == at) {
            frame.early.swap_remove(place);
            return;
        }
        if let Some(slot) = frame.pads.get_mut(at) {
            let old = std::mem::take(slot);
            drop(old);
        }
    }

    /// A variable with a meaning of its own.
    fn special(&mut self, name: &str) -> Value {
        let around = |from: usize, to: usize| {
            Value::text(self.matched.text.get(from..to).unwrap_or_default())
        };
        let whole = self.matched.groups.first().copied().flatten();
        match name {
            "&" => self.group(0),
            "`" => whole.map_or(Value::Undef, |(start, _)| around(0, start)),
            "'" => whole.map_or(Value::Undef, |(_, end)| {
                around(end, self.matched.text.len())
            }),
            "+" => {
                let last = self.matched.groups.iter().rposition(Option::is_some);
                self.group(last.unwrap_or(0))
            }
            "$" => Value::Int(i64::from(self.proc.pid())),
            "<" | ">" => Value::Int(i64::from(self.proc.credentials().uid)),
            "(" | ")" => {
                let own = self.proc.credentials();
                let groups: Vec<String> = own.groups.iter().map(u32::to_string).collect();
                Value::text(format!("{} {}", own.gid, groups.join(" ")).trim_end())
            }
            "]" => Value::text(b"5.036000"),
            "^O" => Value::text(b"linux"),
            "^X" => Value::text(b"/usr/bin/perl"),
            "^T" => Value::Int(self.proc.now().secs),
            "^V" => Value::text(b"v5.36.0"),
            "." => self.last_read.as_ref().map_or(Value::Undef, |(_, file)| {
                Value::Int(lock(&file.state).lines)
            }),
            name => self.group(name.parse().unwrap_or(0)),
        }
    }

    fn step_more(&mut self, op: &Op) -> Res {
        match op {
            Op::AsArray => self.as_array()?,
            Op::AsHash => self.as_hash()?,
            Op::DerefPlace => self.deref_place()?,
            Op::Index => self.index(),
            Op::IndexPlace => self.index_place()?,
            Op::Key => self.key(),
            Op::KeyPlace => self.key_place()?,
            Op::Slice(places) => self.slice(*places)?,
            Op::KeySlice(places) => self.key_slice(*places)?,
            Op::ListSlice(want) => self.list_slice(*want),
            Op::LastIndex => {
                let count = self.pop_array().lock().len();
                self.push(Value::Int(i64::try_from(count).unwrap_or(i64::MAX) - 1));
            }
            Op::SetLastIndex => self.set_last_index()?,
            Op::Flatten(want) => self.flatten(*want)?,
            Op::FlattenPlaces => self.flatten_places()?,
            Op::MakeArray => self.make_array()?,
            Op::MakeHash => self.make_hash()?,
            Op::MakeSub(at) => self.make_sub(*at)?,
            Op::Ref => {
                let cell = self.pop_place();
                self.watch.scalar(&cell);
                self.push(Value::Scalar(cell));
            }
            Op::NamedSub(name) => match self.subs.get(name).cloned() {
                Some(sub) => self.push(Value::Code(sub)),
                None => self.push(Value::text(name.as_bytes())),
            },
            Op::Exists(of_hash) => self.exists(*of_hash),
            Op::Delete(of_hash) => self.delete(*of_hash),
            Op::DeleteSlice => self.delete_slice(),
            Op::Assign => {
                let place = self.pop_place();
                let value = self.pop_value();
                place.set(value);
                self.push(Value::Place(place));
            }
            Op::AssignWith(sign) => self.assign_with(sign)?,
            Op::ListAssign(want) => self.list_assign(*want)?,
            Op::RepeatArray => self.repeat_array()?,
            Op::Step { up, before } => self.step_by_one(*up, *before)?,
            Op::Negate => self.negate()?,
            Op::Complement => {
                let flipped = !self.pop_value().integer().cast_unsigned();
                let value = i64::try_from(flipped)
                    .map_or_else(|_| Value::text(flipped.to_string()), Value::Int);
                self.push(value);
            }
            Op::Repeat => self.repeat()?,
            Op::RepeatList => self.repeat_list()?,
            Op::Range => {
                let (to, from) = (self.pop_value(), self.pop_value());
                let values = self.range(&from, &to)?;
                self.stack.extend(values);
            }
            Op::WantArray => {
                let answer = self.frames.last().map(|frame| frame.answer);
                self.push(match answer {
                    Some(Answer::List) => Value::Int(1),
                    Some(Answer::Scalar) => Value::text(b""),
                    _ => Value::Undef,
                });
            }
            _ => return self.step_scope(op),
        }
        Ok(())
    }

    fn step_scope(&mut self, op: &Op) -> Res {
        match op {
            Op::DefineSub(name, at) => self.define_sub(name, *at),
            Op::DefineEnd(at) => self.define_end(*at),
            Op::LoopEnter(jumps) => self.enter_loop(jumps, None),
            Op::LoopLeave => {
                if let Some(entry) = self.unwinds.pop() {
                    self.put_back(entry);
                }
            }
            Op::EachEnter(jumps, target) => self.enter_each(jumps, *target, false)?,
            Op::RangeEnter(jumps, target) => self.enter_each(jumps, *target, true)?,
            Op::EachNext(exit) => self.next_each(*exit),
            Op::ScopeEnter => self.unwinds.push(Unwind::Scope),
            Op::ScopeLeave => self.leave_scope(),
            Op::LocalScalar(_)
            | Op::LocalArray(_)
            | Op::LocalHash(_)
            | Op::LocalKey
            | Op::LocalIndex => self.local(op)?,
            Op::EvalEnter(catch, want) => self.enter_eval(*catch, *want, false),
            Op::EvalLeave => self.leave_eval(),
            Op::MapEnter => self.enter_map()?,
            Op::MapNext(exit) => self.next_map(*exit),
            Op::MapTake(keeps) => self.take_map(*keeps)?,
            Op::MapLeave(want) => self.leave_map(*want),
            Op::SortEnter(a, b) => self.enter_sort(*a, *b)?,
            Op::SortNext(exit) => self.next_sort(*exit),
            Op::SortTake => self.take_sort(),
            Op::SortLeave(want) => self.leave_sort(*want),
            Op::Compiled(flags) => self.compiled(flags),
            Op::Match {
                flags,
                negated,
                want,
            } => self.match_op(flags, *negated, *want)?,
            Op::SubstEnter(flags) => self.enter_substitute(flags)?,
            Op::SubstNext(exit) => self.next_substitute(*exit)?,
            Op::SubstTake => self.take_substitute()?,
            Op::SubstLeave => self.leave_substitute()?,
            Op::Translate(own) => self.translate(own)?,
            Op::FlipTest(at, to) if self.flips.get(*at).is_some_and(|count| *count > 0) => {
                self.go_to(*to);
            }
            Op::FlipOn(at) => {
                if let Some(count) = self.flips.get_mut(*at) {
                    *count = 0;
                }
            }
            Op::FlipEnd(at) => self.flip_end(*at),
            Op::AtLine => {
                let line = self.pop_value().integer();
                let now = self.special(".").integer();
                self.push(Value::truth(line == now));
            }
            _ => {}
        }
        Ok(())
    }

    fn flip_end(&mut self, at: usize) {
        let ends = self.pop_value().is_true();
        let Some(count) = self.flips.get_mut(at) else {
            return;
        };
        *count += 1;
        let shown = if ends {
            format!("{count}E0")
        } else {
            count.to_string()
        };
        if ends {
            *count = 0;
        }
        self.push(Value::text(shown));
    }

    fn local(&mut self, op: &Op) -> Res {
        let value = match op {
            Op::LocalScalar(at) => {
                let own = Scalar::default();
                let Some(slot) = self.scalars.get_mut(*at) else {
                    return Ok(());
                };
                let saved = std::mem::replace(slot, Arc::clone(&own));
                self.unwinds.push(Unwind::Scalar(*at, saved));
                Value::Place(own)
            }
            Op::LocalArray(at) => {
                let own = Array::default();
                let Some(slot) = self.arrays.get_mut(*at) else {
                    return Ok(());
                };
                let saved = std::mem::replace(slot, Arc::clone(&own));
                self.unwinds.push(Unwind::Array(*at, saved));
                Value::Array(own)
            }
            Op::LocalHash(at) => {
                let own = Hash::default();
                let Some(slot) = self.hashes.get_mut(*at) else {
                    return Ok(());
                };
                let saved = std::mem::replace(slot, Arc::clone(&own));
                self.unwinds.push(Unwind::Hash(*at, saved));
                Value::Hash(own)
            }
            Op::LocalKey => {
                let key = self.pop_value().bytes();
                let hash = self.pop_hash();
                let own = Scalar::default();
                let saved = hash.lock().map.insert(key.clone(), Arc::clone(&own));
                self.unwinds.push(Unwind::Key(hash, key, saved));
                self.signals = true;
                Value::Place(own)
            }
            _ => {
                let index = self.pop_value().integer();
                let array = self.pop_array();
                let saved = self.cell_at(&array, index)?;
                let own = Scalar::default();
                let place = element::at(index, array.lock().len()).unwrap_or(0);
                if let Some(slot) = array.lock().get_mut(place) {
                    *slot = Arc::clone(&own);
                }
                self.unwinds.push(Unwind::Index(array, place, saved));
                Value::Place(own)
            }
        };
        self.push(value);
        Ok(())
    }
}
