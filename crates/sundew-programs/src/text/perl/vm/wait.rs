//! Instructions that may wait: output, input, commands, named operators.

use futures_util::future::BoxFuture;

use super::super::format;
use super::call::Native;
use super::*;

impl Vm<'_> {
    /// Boxed, as forks run programs inside of it.
    pub(super) fn waiting_op<'a>(&'a mut self, op: &'a Op) -> BoxFuture<'a, Res> {
        Box::pin(self.waiting(op))
    }

    async fn waiting(&mut self, op: &Op) -> Res {
        match op {
            Op::Print(kind) => {
                let handle = self.pop_value();
                let values = self.pop_list();
                let value = self.print(kind, &handle, values).await?;
                self.push(value);
            }
            Op::ReadLine(want) => {
                let handle = self.pop_value();
                let list = self.wants_list(*want);
                let values = self.read_lines(&handle, list).await?;
                self.give(values, *want);
            }
            Op::Command(want) => {
                let command = self.pop_value().bytes();
                let output = self.command(&command).await?;
                if self.wants_list(*want) {
                    self.made(output.len() * 2)?;
                    let lines = output.split_inclusive(|byte| *byte == b'\n');
                    self.stack.extend(lines.map(Value::text));
                } else {
                    let text = self.text(output)?;
                    self.push(text);
                }
            }
            Op::Builtin(name, want) => {
                let values = self.pop_list();
                let depth = self.frames.len();
                let values = self.builtin(name, values, *want).await?;
                // What starts a frame answers when that ends.
                if self.frames.len() == depth {
                    self.give(values, *want);
                }
            }
            Op::Bareword(name, strict) => self.bareword(name, *strict)?,
            _ => {}
        }
        Ok(())
    }

    /// A word alone: a handle, a sub, a constant, a string.
    fn bareword(&mut self, name: &str, strict: bool) -> Res {
        if let Some(file) = self.files.get(name) {
            let value = Value::File(Arc::clone(file));
            self.push(value);
            return Ok(());
        }
        let package = self
            .frames
            .last()
            .map(|frame| frame.chunk.package.to_string());
        let own = super::super::code::qualified(name, &package.unwrap_or_default());
        if let Some(sub) = self.subs.get(&own).cloned() {
            return self.enter_sub(&sub, Vec::new(), Answer::Scalar);
        }
        if let Some(value) = builtin::constant(name) {
            self.push(value);
            return Ok(());
        }
        let class = name.contains("::") || self.subs.keys().any(|sub| sub.starts_with(name));
        if strict && !class && !name.starts_with("IO::") {
            let words = format!("Bareword \"{name}\" not allowed while \"strict subs\" in use");
            return self.die(words);
        }
        self.push(Value::text(name.trim_end_matches("::")));
        Ok(())
    }

    async fn print(&mut self, kind: &str, handle: &Value, values: Vec<Value>) -> Res<Value> {
        let mut out = Vec::new();
        if kind == "printf" {
            let form = values.first().map(Value::bytes).unwrap_or_default();
            match format::sprintf(&form, values.get(1..).unwrap_or_default()) {
                Some(text) => out = text,
                None => return Self::out_of_memory(),
            }
        } else {
            let separator = self.global(",").get().bytes();
            for (at, value) in values.iter().enumerate() {
                if at > 0 {
                    out.extend_from_slice(&separator);
                }
                match value {
                    Value::Text(text) => out.extend_from_slice(text),
                    other => out.extend(other.bytes()),
                }
                if out.len() > MAX_TEXT {
                    return Self::out_of_memory();
                }
            }
            if kind == "say" {
                out.push(b'\n');
            }
            let end = self.global("\\").get().bytes();
            out.extend(end);
        }
        let file = match handle {
            Value::Undef => self
                .selected
                .clone()
                .or_else(|| self.files.get("STDOUT").cloned()),
            handle => self.handle_of(handle),
        };
        match file {
            Some(file) => self.write(&file, &out).await,
            None => Ok(self.failed(Errno::Ebadf)),
        }
    }

    /// A method that no sub of the program is.
    pub(super) async fn native(&mut self, call: Native) -> Res {
        let Native {
            object,
            name,
            values,
            want,
        } = call;
        if let Value::Text(class) = &object {
            let class = String::from_utf8_lossy(class).into_owned();
            let value = self.class_method(&class, &name, &values).await?;
            if let Some(value) = value {
                self.give(vec![value], want);
                return Ok(());
            }
        }
        if let Some(file) = self.handle_of(&object) {
            let value = self.handle_method(&file, &name, &values, want).await?;
            self.give(value, want);
            return Ok(());
        }
        let class = match object.class() {
            Some(class) => class.to_string(),
            None => object.string(),
        };
        let hint = if object.class().is_some() {
            String::new()
        } else {
            format!(" (perhaps you forgot to load \"{class}\"?)")
        };
        self.die(format!(
            "Can't locate object method \"{name}\" via package \"{class}\"{hint}"
        ))
    }

    async fn class_method(
        &mut self,
        class: &str,
        name: &str,
        values: &[Value],
    ) -> Res<Option<Value>> {
        Ok(match (class, name) {
            ("IO::Socket::INET" | "IO::Socket" | "IO::Socket::IP" | "IO::Socket::INET6", "new") => {
                Some(self.connect_new(values).await?)
            }
            ("IO::Select", "new") => {
                let items = values.iter().cloned().map(Cell::new).collect();
                let array: Array = Node::new(items);
                self.watch.array(&array);
                let value = Value::Array(array);
                value.bless("IO::Select");
                Some(value)
            }
            ("IO::File", "new") => {
                let place = Scalar::default();
                let mut own = vec![Value::Place(Arc::clone(&place))];
                match values {
                    [path, mode, ..] => {
                        let mode = match mode.bytes().as_slice() {
                            b"w" | b">" => ">",
                            b"a" | b">>" => ">>",
                            b"r+" | b"+<" => "+<",
                            _ => "<",
                        };
                        own.extend([Value::text(mode), path.clone()]);
                    }
                    [path] => own.push(path.clone()),
                    [] => {}
                }
                self.open(&own).await?;
                Some(place.get())
            }
            _ => None,
        })
    }
}
