//! Calls: subs, closures, methods.

use super::super::compile::{Source, compile};
use super::super::parse;
use super::*;

/// Classes between a class and the one that has its method.
const MAX_ISA: usize = 32;

/// What became of a call.
pub(super) enum Called {
    /// A frame of its own runs.
    Entered,
    /// Its value is on the stack.
    Done,
    /// It is the interpreter's own and may wait.
    Native(Box<Native>),
}

/// A method of a class that is built in.
pub(super) struct Native {
    pub(super) object: Value,
    pub(super) name: Arc<str>,
    pub(super) values: Vec<Value>,
    pub(super) want: Want,
}

impl Vm<'_> {
    pub(super) fn call_op(&mut self, op: &Op) -> Res<Called> {
        match op {
            Op::Call(name, want) => {
                let values = self.pop_list();
                self.call_named(name, values, *want)
            }
            Op::CallOf(want) => {
                let code = self.pop_value();
                let values = self.pop_list();
                match code {
                    Value::Code(sub) => {
                        let answer = self.answer(*want);
                        self.enter_sub(&sub, values, answer)?;
                        Ok(Called::Entered)
                    }
                    Value::Text(name) => {
                        let name = String::from_utf8_lossy(&name).into_owned();
                        let name = name.trim_start_matches('&');
                        let name = name.strip_prefix("main::").unwrap_or(name).to_owned();
                        self.call_named(&name, values, *want)
                    }
                    Value::Undef => {
                        self.die("Can't use an undefined value as a subroutine reference")
                    }
                    _ => self.die("Not a CODE reference"),
                }
            }
            Op::Method(name, want) => {
                let values = self.pop_list();
                self.method(name, values, *want)
            }
            Op::MethodOf(want) => {
                let name = self.pop_value();
                let values = self.pop_list();
                if let Value::Code(sub) = name {
                    let answer = self.answer(*want);
                    self.enter_sub(&sub, values, answer)?;
                    return Ok(Called::Entered);
                }
                self.method(&name.string(), values, *want)
            }
            _ => Ok(Called::Done),
        }
    }

    fn call_named(&mut self, name: &str, values: Vec<Value>, want: Want) -> Res<Called> {
        let short = name.rsplit("::").next().unwrap_or(name);
        let sub = self.subs.get(name).cloned();
        let answer = self.answer(want);
        if let Some(sub) = sub {
            self.enter_sub(&sub, values, answer)?;
            return Ok(Called::Entered);
        }
        if let Some(value) = builtin::constant(short) {
            self.give(vec![value], want);
            return Ok(Called::Done);
        }
        let full = if name.contains("::") {
            name.to_owned()
        } else {
            format!("main::{name}")
        };
        self.die(format!("Undefined subroutine &{full} called"))
    }

    /// Starts a sub.
    pub(super) fn enter_sub(&mut self, sub: &Arc<Sub>, values: Vec<Value>, answer: Answer) -> Res {
        if self.frames.len() >= MAX_FRAMES {
            return Self::out_of_memory();
        }
        self.made(256 + sub.chunk.pads * 16 + values.len() * 64)?;
        let mut pads = vec![Pad::Empty; sub.chunk.pads];
        for (own, pad) in lock(&sub.captures).iter() {
            if let Some(slot) = pads.get_mut(*own) {
                *slot = pad.clone();
            }
        }
        let cells = values.into_iter().map(|value| match value {
            Value::Place(own) => own,
            value => Cell::new(value),
        });
        let frame = Frame {
            chunk: Arc::clone(&sub.chunk),
            at: 0,
            pads,
            early: Vec::new(),
            args: Node::new(cells.collect()),
            answer,
            stack: self.stack.len(),
            marks: self.marks.len(),
            unwinds: self.unwinds.len(),
            name: sub.name.clone(),
            line: self.line,
            package: self.frames.last().map_or_else(
                || Arc::from("main"),
                |frame| Arc::clone(&frame.chunk.package),
            ),
            file: self.frames.last().map_or_else(
                || Arc::clone(&self.script),
                |frame| Arc::clone(&frame.chunk.file),
            ),
            matched: Arc::clone(&self.matched),
        };
        self.frames.push(frame);
        Ok(())
    }

    /// Variables of the running sub that another one uses.
    pub(super) fn captured(&mut self, chunk: &Chunk, early: bool) -> Vec<(usize, Pad)> {
        let mut out = Vec::new();
        for capture in &chunk.captures {
            let Some(frame) = self.frames.last_mut() else {
                return out;
            };
            let Some(slot) = frame.pads.get_mut(capture.outer) else {
                continue;
            };
            let fresh = matches!(slot, Pad::Empty);
            match capture.sigil {
                b'@' => drop(slot.array()),
                b'%' => drop(slot.hash()),
                _ => drop(slot.scalar()),
            }
            let pad = slot.clone();
            if early && fresh {
                frame.early.push(capture.outer);
            }
            self.watch.pad(&pad);
            out.push((capture.own, pad));
        }
        out
    }

    pub(super) fn make_sub(&mut self, at: usize) -> Res {
        let Some(chunk) = self.sub_chunk(at) else {
            return Ok(());
        };
        let captures = self.captured(&chunk, false);
        self.made(128 + captures.len() * 32)?;
        let package = Arc::clone(&chunk.package);
        let sub = Sub::new(chunk, format!("{package}::__ANON__"), captures);
        self.watch.sub(&sub);
        self.push(Value::Code(sub));
        Ok(())
    }

    fn sub_chunk(&self, at: usize) -> Option<Arc<Chunk>> {
        self.frames.last()?.chunk.subs.get(at).cloned()
    }

    pub(super) fn define_sub(&mut self, name: &str, at: usize) {
        let Some(chunk) = self.sub_chunk(at) else {
            return;
        };
        let captures = self.captured(&chunk, true);
        let full = if name.contains("::") {
            name.to_owned()
        } else {
            format!("main::{name}")
        };
        let sub = Sub::new(chunk, full, captures);
        self.watch.sub(&sub);
        self.subs.insert(name.to_owned(), sub);
    }

    pub(super) fn define_end(&mut self, at: usize) {
        if let Some(chunk) = self.sub_chunk(at) {
            let captures = self.captured(&chunk, true);
            let sub = Sub::new(chunk, "main::END".to_owned(), captures);
            self.ends.push(sub);
        }
    }

    // ---- methods -------------------------------------------------------------------------------

    fn method(&mut self, name: &str, mut values: Vec<Value>, want: Want) -> Res<Called> {
        if values.is_empty() {
            values.push(Value::Undef);
        }
        let object = match values.first() {
            Some(Value::Place(own)) => own.get(),
            Some(value) => value.clone(),
            None => Value::Undef,
        };
        let class = object.class();
        let named = match (&object, &class) {
            (_, Some(class)) => Some(class.to_string()),
            (Value::Text(_), None) => Some(object.string()),
            _ => None,
        };
        if let Some(named) = &named {
            let found = match name.strip_prefix("SUPER::") {
                Some(method) => {
                    let package = self
                        .frames
                        .last()
                        .map(|frame| frame.chunk.package.to_string());
                    self.find_above(&package.unwrap_or_default(), method)
                }
                None => self.find_method(named, name, 0),
            };
            if let Some(sub) = found {
                let answer = self.answer(want);
                self.enter_sub(&sub, values, answer)?;
                return Ok(Called::Entered);
            }
        }
        if !object.is_defined() {
            return self.die(format!(
                "Can't call method \"{name}\" on an undefined value"
            ));
        }
        if named.is_none() && object.is_reference() {
            return self.die(format!(
                "Can't call method \"{name}\" on unblessed reference"
            ));
        }
        if let Some(named) = &named
            && let Some(value) = self.universal(named, name, &values)
        {
            self.give(vec![value], want);
            return Ok(Called::Done);
        }
        values.remove(0);
        let values = values
            .into_iter()
            .map(|value| match value {
                Value::Place(own) => own.get(),
                value => value,
            })
            .collect();
        Ok(Called::Native(Box::new(Native {
            object,
            name: Arc::from(name),
            values,
            want,
        })))
    }

    /// `isa`, `can` and what `import` does where there is none.
    fn universal(&mut self, class: &str, name: &str, values: &[Value]) -> Option<Value> {
        let wanted = values.get(1).map(Value::string).unwrap_or_default();
        match name {
            "isa" => Some(Value::truth(self.is_a(class, &wanted, 0))),
            "can" => Some(
                self.find_method(class, &wanted, 0)
                    .map_or(Value::truth(false), Value::Code),
            ),
            "import" | "unimport" => Some(Value::Undef),
            _ => None,
        }
    }

    fn parents(&mut self, class: &str) -> Vec<String> {
        let isa = if class == "main" {
            "ISA".to_owned()
        } else {
            format!("{class}::ISA")
        };
        if !self.symbols.arrays.contains_key(&isa) {
            return Vec::new();
        }
        let array = self.global_array(&isa);
        let items = array.lock();
        items.iter().map(|item| item.get().string()).collect()
    }

    pub(super) fn is_a(&mut self, class: &str, wanted: &str, depth: usize) -> bool {
        class == wanted
            || depth < MAX_ISA
                && self
                    .parents(class)
                    .iter()
                    .any(|parent| self.is_a(parent, wanted, depth + 1))
    }

    pub(super) fn find_method(
        &mut self,
        class: &str,
        name: &str,
        depth: usize,
    ) -> Option<Arc<Sub>> {
        let full = if name.contains("::") || class == "main" {
            name.to_owned()
        } else {
            format!("{class}::{name}")
        };
        if let Some(sub) = self.subs.get(&full) {
            return Some(Arc::clone(sub));
        }
        if depth >= MAX_ISA {
            return None;
        }
        self.parents(class)
            .iter()
            .find_map(|parent| self.find_method(parent, name, depth + 1))
    }

    fn find_above(&mut self, class: &str, name: &str) -> Option<Arc<Sub>> {
        self.parents(class)
            .iter()
            .find_map(|parent| self.find_method(parent, name, 1))
    }

    // ---- text as a program ---------------------------------------------------------------------

    /// `eval` of a text; whether a frame of its own runs now.
    pub(super) fn eval_text(&mut self, view: usize, want: Want) -> Res<bool> {
        let text = self.pop_value().bytes();
        self.made(text.len() * 32)?;
        self.evals += 1;
        let file = format!("(eval {})", self.evals);
        let names = self
            .frames
            .last()
            .and_then(|frame| frame.chunk.views.get(view))
            .cloned()
            .unwrap_or_default();
        let compiled = parse::program(&text, 1).and_then(|block| {
            let source = Source {
                block: &block,
                file: &file,
                view: Some(&names),
            };
            compile(&source, &mut self.state.symbols)
        });
        match compiled {
            Ok(chunk) => {
                self.fit();
                let captures = self.captured(&chunk, false);
                let back = self.frames.last().map_or(0, |frame| frame.at);
                self.enter_eval(back, want, true);
                let args = self.frames.last().map(|frame| Arc::clone(&frame.args));
                let answer = self.answer(want);
                let sub = Sub::new(chunk, "(eval)".to_owned(), captures);
                self.enter_sub(&sub, Vec::new(), answer)?;
                if let (Some(frame), Some(args)) = (self.frames.last_mut(), args) {
                    frame.args = args;
                }
                Ok(true)
            }
            Err(fault) => {
                let text = Self::complaint(&fault, &file);
                self.set_global("@", Value::text(text));
                self.give(Vec::new(), want);
                Ok(false)
            }
        }
    }
}
