//! Leaving scopes: `next`, `last`, `return`, `die`.

use super::*;

impl Vm<'_> {
    /// Undoes what an entry stands for.
    pub(super) fn put_back(&mut self, entry: Unwind) {
        match entry {
            Unwind::Scope | Unwind::Eval(_) | Unwind::Substitute(_) => {}
            Unwind::Loop(own) => {
                if let Some(each) = own.each {
                    self.bind(each.target, own.frame, each.saved);
                }
            }
            Unwind::Scalar(at, saved) => {
                if let Some(slot) = self.scalars.get_mut(at) {
                    *slot = saved;
                }
            }
            Unwind::Array(at, saved) => {
                if let Some(slot) = self.arrays.get_mut(at) {
                    *slot = saved;
                }
            }
            Unwind::Hash(at, saved) => {
                if let Some(slot) = self.hashes.get_mut(at) {
                    *slot = saved;
                }
            }
            Unwind::Key(hash, key, saved) => {
                let old = match saved {
                    Some(saved) => hash.lock().map.insert(key, saved),
                    None => hash.lock().map.remove(&key),
                };
                drop(old);
            }
            Unwind::Index(array, at, saved) => {
                if let Some(slot) = array.lock().get_mut(at) {
                    *slot = saved;
                }
            }
            Unwind::Map(own) => {
                let topic = self.topic;
                if let Some(slot) = self.scalars.get_mut(topic) {
                    *slot = own.saved;
                }
            }
            Unwind::Sort(own) => {
                for (at, saved) in own.saved {
                    if let Some(slot) = self.scalars.get_mut(at) {
                        *slot = saved;
                    }
                }
            }
        }
    }

    /// Gives a loop's variable a cell.
    pub(super) fn bind(&mut self, target: Target, frame: usize, cell: Scalar) {
        match target {
            Target::Global(at) => {
                if let Some(slot) = self.scalars.get_mut(at) {
                    *slot = cell;
                }
            }
            Target::Pad(at) => {
                let frame = self.frames.get_mut(frame.saturating_sub(1));
                if let Some(slot) = frame.and_then(|frame| frame.pads.get_mut(at)) {
                    *slot = Pad::Scalar(cell);
                }
            }
        }
    }

    /// Undoes entries until so many are left.
    pub(super) fn unwind(&mut self, left: usize) {
        while self.unwinds.len() > left {
            if let Some(entry) = self.unwinds.pop() {
                self.put_back(entry);
            }
        }
    }

    /// Undoes entries down to the beginning of the innermost scope.
    pub(super) fn leave_scope(&mut self) {
        while let Some(entry) = self.unwinds.pop() {
            let ends = matches!(entry, Unwind::Scope);
            self.put_back(entry);
            if ends {
                break;
            }
        }
    }

    pub(super) fn enter_loop(&mut self, jumps: &Jumps, each: Option<each::Each>) {
        let own = Loop {
            jumps: jumps.clone(),
            stack: self.stack.len(),
            marks: self.marks.len(),
            frame: self.frames.len(),
            each,
        };
        self.unwinds.push(Unwind::Loop(Box::new(own)));
    }

    /// `next`, `last` and `redo`.
    pub(super) fn loop_control(&mut self, op: &Op) -> Res {
        let (word, label) = match op {
            Op::Next(label) => ("next", label),
            Op::Last(label) => ("last", label),
            Op::Redo(label) => ("redo", label),
            _ => return Ok(()),
        };
        let place = self.unwinds.iter().rposition(|entry| match entry {
            Unwind::Loop(own) => label.is_none() || own.jumps.label == *label,
            _ => false,
        });
        let Some(place) = place else {
            return match label {
                Some(label) => self.die(format!("Label not found for \"{word} {label}\"")),
                None => self.die(format!("Can't \"{word}\" outside a loop block")),
            };
        };
        self.unwind(place + 1);
        let Some(Unwind::Loop(own)) = self.unwinds.last() else {
            return Ok(());
        };
        let (stack, marks, frame) = (own.stack, own.marks, own.frame);
        let to = match word {
            "next" => own.jumps.next,
            "last" => own.jumps.last,
            _ => own.jumps.redo,
        };
        if word == "last" {
            self.unwind(place);
        }
        self.frames.truncate(frame);
        self.stack.truncate(stack);
        self.marks.truncate(marks);
        if let Some(frame) = self.frames.last_mut() {
            frame.at = to;
        }
        Ok(())
    }

    /// `die`: the nearest `eval` of this run goes on, or the program ends.
    pub(super) fn thrown(&mut self, value: Value, until: usize) -> Res {
        loop {
            let Some(entry) = self.unwinds.pop() else {
                return Err(Flow::Die(value));
            };
            let Unwind::Eval(guard) = entry else {
                self.put_back(entry);
                continue;
            };
            if guard.frame <= until {
                self.unwinds.push(Unwind::Eval(guard));
                return Err(Flow::Die(value));
            }
            self.resume(&guard);
            self.set_global("@", value);
            return Ok(());
        }
    }

    /// Goes on behind an `eval`, with nothing as its value.
    fn resume(&mut self, guard: &Guard) {
        self.frames.truncate(guard.frame);
        self.stack.truncate(guard.stack);
        self.marks.truncate(guard.marks);
        if guard.answer == Answer::Scalar {
            self.push(Value::Undef);
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.at = guard.catch;
        }
    }

    pub(super) fn enter_eval(&mut self, catch: usize, want: Want, is_text: bool) {
        let guard = Guard {
            catch,
            answer: self.answer(want),
            stack: self.stack.len(),
            marks: self.marks.len(),
            frame: self.frames.len(),
            is_text,
        };
        self.unwinds.push(Unwind::Eval(Box::new(guard)));
    }

    /// The end of an `eval` that nothing was thrown in.
    pub(super) fn leave_eval(&mut self) {
        if matches!(self.unwinds.last(), Some(Unwind::Eval(_))) {
            self.unwinds.pop();
        }
        self.set_global("@", Value::text(b""));
    }

    /// `return`: from the sub, or from the block of `eval` it stands in.
    pub(super) fn return_op(&mut self) -> Res {
        let values = self.pop_list();
        let base = self.frames.last().map_or(0, |frame| frame.unwinds);
        let guard = self
            .unwinds
            .iter()
            .enumerate()
            .skip(base)
            .rev()
            .find_map(|(at, entry)| match entry {
                Unwind::Eval(guard) if !guard.is_text => Some(at),
                _ => None,
            });
        let Some(at) = guard else {
            return self.leave_frame(values);
        };
        self.unwind(at + 1);
        if let Some(Unwind::Eval(guard)) = self.unwinds.pop() {
            self.resume(&guard);
            if guard.answer == Answer::Scalar {
                self.pop();
            }
            let answer = guard.answer;
            self.answered(values, answer);
        }
        self.set_global("@", Value::text(b""));
        Ok(())
    }

    /// Ends the top frame with these values.
    pub(super) fn leave_frame(&mut self, values: Vec<Value>) -> Res {
        let values: Vec<Value> = values
            .into_iter()
            .map(|value| match value {
                Value::Place(own) => own.get(),
                value => value,
            })
            .collect();
        let base = self.frames.last().map_or(0, |frame| frame.unwinds);
        self.unwind(base);
        let Some(frame) = self.frames.pop() else {
            return Ok(());
        };
        self.stack.truncate(frame.stack);
        self.marks.truncate(frame.marks);
        self.line = frame.line;
        self.matched = Arc::clone(&frame.matched);
        if let Some(Unwind::Eval(guard)) = self.unwinds.last()
            && guard.is_text
            && guard.frame == self.frames.len()
        {
            self.leave_eval();
        }
        self.answered(values, frame.answer);
        Ok(())
    }

    fn answered(&mut self, mut values: Vec<Value>, answer: Answer) {
        match answer {
            Answer::Nothing => {}
            Answer::List => self.stack.append(&mut values),
            Answer::Scalar => {
                let last = values.pop().unwrap_or_default();
                self.push(last);
            }
        }
    }
}
