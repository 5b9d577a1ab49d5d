//! fork(2): everything a program has, again, for a child of its own.

use std::collections::VecDeque;

use super::super::value::FileState;
use super::each::{Each, Map, Rest};
use super::pattern::Substitute;
use super::*;

/// Copies already made, by the address of what was copied, and what is still to be filled. A loop over
/// these and no recursion: structures nest as deep as a program likes.
#[derive(Default)]
struct Copier {
    cells: HashMap<usize, Scalar>,
    arrays: HashMap<usize, Array>,
    hashes: HashMap<usize, Hash>,
    subs: HashMap<usize, Arc<Sub>>,
    files: HashMap<usize, Arc<File>>,
    waiting: VecDeque<Task>,
    watch: memory::Watch,
}

enum Task {
    Cell(Scalar, Scalar),
    Array(Array, Array),
    Hash(Hash, Hash),
    Sub(Arc<Sub>, Arc<Sub>),
}

impl Copier {
    fn cell(&mut self, old: &Scalar) -> Scalar {
        let address = Arc::as_ptr(old).addr();
        if let Some(new) = self.cells.get(&address) {
            return Arc::clone(new);
        }
        let new = Scalar::default();
        self.cells.insert(address, Arc::clone(&new));
        self.waiting
            .push_back(Task::Cell(Arc::clone(old), Arc::clone(&new)));
        new
    }

    fn array(&mut self, old: &Array) -> Array {
        let address = Arc::as_ptr(old).addr();
        if let Some(new) = self.arrays.get(&address) {
            return Arc::clone(new);
        }
        let new = Array::default();
        new.bless(old.class());
        self.watch.array(&new);
        self.arrays.insert(address, Arc::clone(&new));
        self.waiting
            .push_back(Task::Array(Arc::clone(old), Arc::clone(&new)));
        new
    }

    fn hash(&mut self, old: &Hash) -> Hash {
        let address = Arc::as_ptr(old).addr();
        if let Some(new) = self.hashes.get(&address) {
            return Arc::clone(new);
        }
        let new = Hash::default();
        new.bless(old.class());
        self.watch.hash(&new);
        self.hashes.insert(address, Arc::clone(&new));
        self.waiting
            .push_back(Task::Hash(Arc::clone(old), Arc::clone(&new)));
        new
    }

    fn sub(&mut self, old: &Arc<Sub>) -> Arc<Sub> {
        let address = Arc::as_ptr(old).addr();
        if let Some(new) = self.subs.get(&address) {
            return Arc::clone(new);
        }
        let new = Sub::new(Arc::clone(&old.chunk), old.name.clone(), Vec::new());
        self.watch.sub(&new);
        self.subs.insert(address, Arc::clone(&new));
        self.waiting
            .push_back(Task::Sub(Arc::clone(old), Arc::clone(&new)));
        new
    }

    fn file(&mut self, old: &Arc<File>) -> Arc<File> {
        let address = Arc::as_ptr(old).addr();
        if let Some(new) = self.files.get(&address) {
            return Arc::clone(new);
        }
        let state = {
            let own = lock(&old.state);
            FileState {
                fd: own.fd,
                lines: own.lines,
                ahead: own.ahead.clone(),
                names: own.names.clone(),
                unconnected: own.unconnected,
                // What was read ahead stays with the parent, and so does the command to wait for.
                ..FileState::default()
            }
        };
        let new = Arc::new(File {
            state: std::sync::Mutex::new(state),
        });
        self.files.insert(address, Arc::clone(&new));
        new
    }

    fn value(&mut self, value: &Value) -> Value {
        match value {
            Value::Scalar(own) => {
                let new = self.cell(own);
                self.watch.scalar(&new);
                Value::Scalar(new)
            }
            Value::Place(own) => Value::Place(self.cell(own)),
            Value::Array(own) => Value::Array(self.array(own)),
            Value::Hash(own) => Value::Hash(self.hash(own)),
            Value::Code(own) => Value::Code(self.sub(own)),
            Value::File(own) => Value::File(self.file(own)),
            other => other.clone(),
        }
    }

    fn values(&mut self, values: &[Value]) -> Vec<Value> {
        values.iter().map(|value| self.value(value)).collect()
    }

    fn pad(&mut self, pad: &Pad) -> Pad {
        match pad {
            Pad::Empty => Pad::Empty,
            Pad::Scalar(own) => Pad::Scalar(self.cell(own)),
            Pad::Array(own) => Pad::Array(self.array(own)),
            Pad::Hash(own) => Pad::Hash(self.hash(own)),
        }
    }

    fn frame(&mut self, frame: &Frame) -> Frame {
        Frame {
            chunk: Arc::clone(&frame.chunk),
            at: frame.at,
            pads: frame.pads.iter().map(|pad| self.pad(pad)).collect(),
            early: frame.early.clone(),
            args: self.array(&frame.args),
            answer: frame.answer,
            stack: frame.stack,
            marks: frame.marks,
            unwinds: frame.unwinds,
            name: frame.name.clone(),
            line: frame.line,
            package: Arc::clone(&frame.package),
            file: Arc::clone(&frame.file),
            matched: Arc::clone(&frame.matched),
        }
    }

    fn cells(&mut self, cells: &std::vec::IntoIter<Scalar>) -> std::vec::IntoIter<Scalar> {
        let own: Vec<Scalar> = cells
            .as_slice()
            .iter()
            .map(|cell| self.cell(cell))
            .collect();
        own.into_iter()
    }

    fn unwind(&mut self, entry: &Unwind) -> Unwind {
        match entry {
            Unwind::Scope => Unwind::Scope,
            Unwind::Loop(own) => Unwind::Loop(Box::new(Loop {
                jumps: own.jumps.clone(),
                stack: own.stack,
                marks: own.marks,
                frame: own.frame,
                each: own.each.as_ref().map(|each| Each {
                    target: each.target,
                    items: match &each.items {
                        Rest::Cells(cells) => Rest::Cells(self.cells(cells)),
                        Rest::Range(from, to) => Rest::Range(*from, *to),
                    },
                    saved: self.cell(&each.saved),
                }),
            })),
            Unwind::Eval(own) => Unwind::Eval(Box::new(Guard { ..**own })),
            Unwind::Scalar(at, own) => Unwind::Scalar(*at, self.cell(own)),
            Unwind::Array(at, own) => Unwind::Array(*at, self.array(own)),
            Unwind::Hash(at, own) => Unwind::Hash(*at, self.hash(own)),
            Unwind::Key(hash, key, own) => Unwind::Key(
                self.hash(hash),
                key.clone(),
                own.as_ref().map(|own| self.cell(own)),
            ),
            Unwind::Index(array, at, own) => Unwind::Index(self.array(array), *at, self.cell(own)),
            Unwind::Map(own) => Unwind::Map(Box::new(Map {
                items: self.cells(&own.items),
                current: self.cell(&own.current),
                out: self.values(&own.out),
                saved: self.cell(&own.saved),
            })),
            Unwind::Sort(own) => {
                let mut copy = (**own).clone();
                copy.items = self.values(&own.items);
                copy.merged = self.values(&own.merged);
                for (_, saved) in &mut copy.saved {
                    *saved = self.cell(saved);
                }
                Unwind::Sort(Box::new(copy))
            }
            Unwind::Substitute(own) => Unwind::Substitute(Box::new(Substitute {
                regex: Arc::clone(&own.regex),
                text: Arc::clone(&own.text),
                place: self.cell(&own.place),
                flags: Arc::clone(&own.flags),
                out: own.out.clone(),
                ..**own
            })),
        }
    }

    /// Fills what was named so far, and what that names.
    fn finish(&mut self) {
        while let Some(task) = self.waiting.pop_front() {
            match task {
                Task::Cell(old, new) => {
                    let value = self.value(&old.get());
                    new.set(value);
                }
                Task::Array(old, new) => {
                    let cells: Vec<Scalar> = old.lock().iter().cloned().collect();
                    let cells = cells.iter().map(|cell| self.cell(cell)).collect();
                    *new.lock() = cells;
                }
                Task::Hash(old, new) => {
                    let items: Vec<(Vec<u8>, Scalar)> = {
                        let own = old.lock();
                        own.map
                            .iter()
                            .map(|(key, cell)| (key.clone(), Arc::clone(cell)))
                            .collect()
                    };
                    let map = items
                        .into_iter()
                        .map(|(key, cell)| (key, self.cell(&cell)))
                        .collect();
                    let last = old.lock().last.clone();
                    *new.lock() = Items { map, last };
                }
                Task::Sub(old, new) => {
                    let captures = lock(&old.captures).clone();
                    let captures = captures
                        .iter()
                        .map(|(at, pad)| (*at, self.pad(pad)))
                        .collect();
                    *lock(&new.captures) = captures;
                }
            }
        }
    }
}

impl State {
    /// A copy that shares nothing that can change.
    fn copy(&self) -> Self {
        let mut copier = Copier::default();
        let mut copy = Self {
            script: Arc::clone(&self.script),
            symbols: self.symbols.clone(),
            scalars: self.scalars.iter().map(|own| copier.cell(own)).collect(),
            arrays: self.arrays.iter().map(|own| copier.array(own)).collect(),
            hashes: self.hashes.iter().map(|own| copier.hash(own)).collect(),
            subs: self
                .subs
                .iter()
                .map(|(name, sub)| (name.clone(), copier.sub(sub)))
                .collect(),
            files: self
                .files
                .iter()
                .map(|(name, file)| (name.clone(), copier.file(file)))
                .collect(),
            stack: copier.values(&self.stack),
            marks: self.marks.clone(),
            frames: self.frames.iter().map(|own| copier.frame(own)).collect(),
            unwinds: self.unwinds.iter().map(|own| copier.unwind(own)).collect(),
            line: self.line,
            flips: self.flips.clone(),
            matched: Arc::clone(&self.matched),
            positions: HashMap::new(),
            last_read: self
                .last_read
                .as_ref()
                .map(|(name, file)| (name.clone(), copier.file(file))),
            selected: self.selected.as_ref().map(|file| copier.file(file)),
            in_place: self.in_place.clone(),
            inputs: self.inputs.clone(),
            ends: self.ends.iter().map(|sub| copier.sub(sub)).collect(),
            evals: self.evals,
            topic: self.topic,
            watch: memory::Watch::default(),
            signals: self.signals,
        };
        copier.finish();
        copy.watch = copier.watch;
        copy
    }
}

impl Vm<'_> {
    /// `fork`: the child's process number, nothing in the child itself.
    pub(super) async fn fork(&mut self) -> Res<Value> {
        // What is buffered is written once.
        let _closed = self.proc.flush().await;
        self.made(self.charged)?;
        let mut memory = self.proc.memory();
        if memory.grow(self.charged).is_err() {
            return Ok(self.fork_failed(Errno::Enomem));
        }
        self.export();
        let mut copy = self.state.copy();
        copy.stack.push(Value::Int(0));
        let charged = self.charged;
        let forked = self.proc.fork(move |mut child| {
            Box::pin(async move {
                let mut own = Vm::new(&mut child, copy);
                own.memory = memory;
                own.charged = charged;
                let outcome = own.run(0).await;
                super::super::finish(own, outcome).await
            })
        });
        Ok(match forked {
            Ok(pid) => Value::Int(i64::from(pid)),
            Err(errno) => self.fork_failed(errno),
        })
    }

    fn fork_failed(&mut self, errno: Errno) -> Value {
        self.set_errno(errno);
        Value::Undef
    }
}
