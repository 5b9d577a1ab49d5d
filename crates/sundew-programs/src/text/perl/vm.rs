//! Runs compiled programs: a loop over instructions whose stacks are on the heap.
//!
//! What a program nests costs memory that is charged, never the host's stack. Every statement and every jump
//! backwards passes the process's tick.

use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use fancy_regex::Regex;
use sundew_kernel::budget::Memory;
use sundew_kernel::{Errno, Process};

use self::call::Called;
use super::code::{Chunk, Jumps, Op, Symbols, Target, Want};
use super::parse::Fault;
use super::value::{Array, Cell, File, Hash, Items, Node, Pad, Scalar, Sub, Value, lock};

mod builtin;
mod call;
mod each;
mod element;
mod file;
mod fork;
mod memory;
mod module;
mod operator;
mod pattern;
mod scope;
mod socket;
mod step;
mod system;
mod wait;

/// Bytes of one string.
pub(super) const MAX_TEXT: usize = 16 << 20;
/// Elements of one list.
pub(super) const MAX_LIST: usize = 1 << 20;
/// Calls inside each other; perl's end with memory.
const MAX_FRAMES: usize = 50_000;

/// Why a program stops.
pub(super) enum Flow {
    Die(Value),
    Exit(u8),
}

pub(super) type Res<T = ()> = Result<T, Flow>;

/// A pattern's text and flags.
type PatternKey = (Arc<Vec<u8>>, Arc<str>);

/// What a call was made for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Nothing,
    Scalar,
    List,
}

/// A sub being run.
struct Frame {
    chunk: Arc<Chunk>,
    at: usize,
    pads: Vec<Pad>,
    /// Variables that named subs saw before their `my` was reached.
    early: Vec<usize>,
    args: Array,
    answer: Answer,
    stack: usize,
    marks: usize,
    unwinds: usize,
    name: String,
    /// Where it was called.
    line: usize,
    package: Arc<str>,
    file: Arc<str>,
    matched: Arc<Matched>,
}

/// The last match.
#[derive(Default)]
struct Matched {
    text: Arc<Vec<u8>>,
    groups: Vec<Option<(usize, usize)>>,
    names: Vec<(String, usize)>,
}

/// What is put back when a scope is left, whichever way.
enum Unwind {
    Scope,
    Loop(Box<Loop>),
    Eval(Box<Guard>),
    Scalar(usize, Scalar),
    Array(usize, Array),
    Hash(usize, Hash),
    Key(Hash, Vec<u8>, Option<Scalar>),
    Index(Array, usize, Scalar),
    Map(Box<each::Map>),
    Sort(Box<each::Sort>),
    Substitute(Box<pattern::Substitute>),
}

struct Loop {
    jumps: Jumps,
    stack: usize,
    marks: usize,
    frame: usize,
    each: Option<each::Each>,
}

/// An `eval` that catches.
struct Guard {
    catch: usize,
    answer: Answer,
    stack: usize,
    marks: usize,
    frame: usize,
    /// A frame of its own: the text's.
    is_text: bool,
}

/// All that makes a running program but its process: what fork(2) copies.
pub(super) struct State {
    pub(super) script: Arc<str>,
    pub(super) symbols: Symbols,
    scalars: Vec<Scalar>,
    arrays: Vec<Array>,
    hashes: Vec<Hash>,
    subs: HashMap<String, Arc<Sub>>,
    pub(super) files: HashMap<String, Arc<File>>,
    stack: Vec<Value>,
    marks: Vec<usize>,
    frames: Vec<Frame>,
    unwinds: Vec<Unwind>,
    line: usize,
    flips: Vec<i64>,
    matched: Arc<Matched>,
    positions: HashMap<usize, (Arc<Vec<u8>>, usize)>,
    last_read: Option<(String, Arc<File>)>,
    selected: Option<Arc<File>>,
    pub(super) in_place: Option<Vec<u8>>,
    /// Files that `<>` still has to read.
    inputs: Option<std::collections::VecDeque<Vec<u8>>>,
    ends: Vec<Arc<Sub>>,
    evals: usize,
    topic: usize,
    watch: memory::Watch,
    /// Whether `%SIG` may have been changed since it was looked at.
    signals: bool,
}

/// A running program.
pub(super) struct Vm<'p> {
    pub(super) proc: &'p mut Process,
    state: State,
    memory: Memory,
    charged: usize,
    patterns: HashMap<PatternKey, Arc<Regex>>,
}

impl Deref for Vm<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for Vm<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

impl Drop for Vm<'_> {
    fn drop(&mut self) {
        // What goes round in circles is taken apart.
        self.watch.clear();
        for hash in &self.hashes {
            hash.lock().map.clear();
        }
    }
}

impl State {
    pub(super) fn new(script: &str) -> Self {
        let mut symbols = Symbols::default();
        let topic = symbols.scalar("_");
        Self {
            script: Arc::from(script),
            symbols,
            scalars: Vec::new(),
            arrays: Vec::new(),
            hashes: Vec::new(),
            subs: HashMap::new(),
            files: HashMap::new(),
            stack: Vec::new(),
            marks: Vec::new(),
            frames: Vec::new(),
            unwinds: Vec::new(),
            line: 1,
            flips: Vec::new(),
            matched: Arc::default(),
            positions: HashMap::new(),
            last_read: None,
            selected: None,
            in_place: None,
            inputs: None,
            ends: Vec::new(),
            evals: 0,
            topic,
            watch: memory::Watch::default(),
            signals: false,
        }
    }
}

impl<'p> Vm<'p> {
    pub(super) fn new(proc: &'p mut Process, state: State) -> Self {
        let memory = proc.memory();
        let mut own = Self {
            proc,
            state,
            memory,
            charged: 0,
            patterns: HashMap::new(),
        };
        own.fit();
        own
    }

    /// Makes room for globals that a compilation has named.
    fn fit(&mut self) {
        let (scalars, arrays, hashes, flips) = (
            self.symbols.scalars.len(),
            self.symbols.arrays.len(),
            self.symbols.hashes.len(),
            self.symbols.flips,
        );
        self.scalars.resize_with(scalars, Scalar::default);
        self.arrays.resize_with(arrays, Array::default);
        self.hashes.resize_with(hashes, Hash::default);
        self.flips.resize(flips, 0);
    }

    // ---- complaints ----------------------------------------------------------------------------

    /// `die` with ` at X line N.`.
    fn die<T>(&self, words: impl AsRef<str>) -> Res<T> {
        let text = format!("{}{}", words.as_ref(), self.at());
        Err(Flow::Die(Value::text(text)))
    }

    fn out_of_memory<T>() -> Res<T> {
        Err(Flow::Die(Value::text(b"Out of memory!\n")))
    }

    /// ` at X line N.` and the line that was read last.
    fn at(&self) -> String {
        let file = self
            .frames
            .last()
            .map_or(&self.script, |frame| &frame.chunk.file);
        let input = self.last_read.as_ref().and_then(|(name, own)| {
            let lines = lock(&own.state).lines;
            (lines > 0).then(|| format!(", <{name}> line {lines}"))
        });
        let input = input.unwrap_or_default();
        if self.line == 0 {
            // Nothing of the program has run.
            return format!("{input}.\n");
        }
        format!(" at {file} line {}{input}.\n", self.line)
    }

    // ---- globals by name -----------------------------------------------------------------------

    pub(super) fn global(&mut self, name: &str) -> Scalar {
        let at = self.symbols.scalar(name);
        self.fit();
        self.scalars.get(at).cloned().unwrap_or_default()
    }

    pub(super) fn set_global(&mut self, name: &str, value: Value) {
        self.global(name).set(value);
    }

    pub(super) fn global_array(&mut self, name: &str) -> Array {
        let at = self.symbols.array(name);
        self.fit();
        self.arrays.get(at).cloned().unwrap_or_default()
    }

    pub(super) fn global_hash(&mut self, name: &str) -> Hash {
        let at = self.symbols.hash(name);
        self.fit();
        self.hashes.get(at).cloned().unwrap_or_default()
    }

    pub(super) fn set_array(&mut self, name: &str, values: impl Iterator<Item = Value>) {
        let array = self.global_array(name);
        *array.lock() = values.map(Cell::new).collect();
    }

    /// `%ENV`.
    pub(super) fn set_environment(&mut self) {
        let hash = self.global_hash("ENV");
        let mut items = hash.lock();
        for (name, value) in self.proc.env().iter() {
            items
                .map
                .insert(name.to_vec(), Cell::new(Value::text(value)));
        }
    }

    /// A text that is read as a file.
    pub(super) fn add_text_file(&mut self, name: &str, text: &[u8]) {
        let lines = text.split_inclusive(|byte| *byte == b'\n');
        let state = super::value::FileState {
            names: Some(lines.map(<[u8]>::to_vec).collect()),
            ..super::value::FileState::default()
        };
        self.files.insert(name.to_owned(), file::file(state));
    }

    fn set_errno(&mut self, errno: Errno) {
        self.set_global("!", Value::Errno(errno));
    }

    /// A failure in `$!`, and nothing as the value.
    fn failed(&mut self, errno: Errno) -> Value {
        self.set_errno(errno);
        Value::truth(false)
    }

    // ---- the stack -----------------------------------------------------------------------------

    fn push(&mut self, value: Value) {
        self.stack.push(value);
    }

    fn pop(&mut self) -> Value {
        self.stack.pop().unwrap_or_default()
    }

    /// The value under the place on top, or the value itself.
    fn pop_value(&mut self) -> Value {
        match self.pop() {
            Value::Place(own) => own.get(),
            value => value,
        }
    }

    fn pop_place(&mut self) -> Scalar {
        match self.pop() {
            Value::Place(own) => own,
            value => Cell::new(value),
        }
    }

    /// The values behind the last mark.
    fn pop_list(&mut self) -> Vec<Value> {
        let mark = self.marks.pop().unwrap_or(0);
        let mark = mark.min(self.stack.len());
        self.stack.split_off(mark)
    }

    fn pop_array(&mut self) -> Array {
        match self.pop() {
            Value::Array(own) => own,
            _ => Array::default(),
        }
    }

    fn pop_hash(&mut self) -> Hash {
        match self.pop() {
            Value::Hash(own) => own,
            _ => Hash::default(),
        }
    }

    /// Whether a list is wanted here.
    fn wants_list(&self, want: Want) -> bool {
        match want {
            Want::Scalar => false,
            Want::List => true,
            Want::Caller => self
                .frames
                .last()
                .is_some_and(|frame| frame.answer == Answer::List),
        }
    }

    fn answer(&self, want: Want) -> Answer {
        if self.wants_list(want) {
            Answer::List
        } else {
            Answer::Scalar
        }
    }

    /// Pushes what an operator gave, as it is wanted.
    fn give(&mut self, mut values: Vec<Value>, want: Want) {
        if self.wants_list(want) {
            self.stack.append(&mut values);
        } else {
            let last = values.pop().unwrap_or_default();
            self.push(last);
        }
    }

    // ---- running -------------------------------------------------------------------------------

    /// Runs until no more frames than `until` are left.
    pub(super) async fn run(&mut self, until: usize) -> Res {
        while self.frames.len() > until {
            let Some(frame) = self.frames.last() else {
                return Ok(());
            };
            let chunk = Arc::clone(&frame.chunk);
            match self.run_chunk(&chunk).await {
                Ok(()) => {}
                Err(Flow::Die(value)) => self.thrown(value, until)?,
                Err(other) => return Err(other),
            }
        }
        Ok(())
    }

    /// Runs the top frame's instructions until another frame is on top.
    async fn run_chunk(&mut self, chunk: &Arc<Chunk>) -> Res {
        loop {
            let Some(frame) = self.frames.last_mut() else {
                return Ok(());
            };
            let Some(op) = chunk.ops.get(frame.at) else {
                return self.leave_frame(Vec::new());
            };
            frame.at += 1;
            match op {
                Op::Line(line) => {
                    self.line = *line;
                    self.proc.tick().await;
                    if self.signals && self.look_at_signals()? {
                        return Ok(());
                    }
                }
                Op::JumpBack(to) => {
                    frame.at = *to;
                    self.proc.tick().await;
                }
                Op::Call(..) | Op::CallOf(_) | Op::Method(..) | Op::MethodOf(_) => {
                    match self.call_op(op)? {
                        Called::Entered => return Ok(()),
                        Called::Done => {}
                        Called::Native(native) => Box::pin(self.native(*native)).await?,
                    }
                }
                Op::Return => return self.return_op(),
                Op::EvalText(view, want) => {
                    if self.eval_text(*view, *want)? {
                        return Ok(());
                    }
                }
                Op::Next(_) | Op::Last(_) | Op::Redo(_) => {
                    let depth = self.frames.len();
                    self.loop_control(op)?;
                    if self.frames.len() != depth {
                        return Ok(());
                    }
                }
                Op::FileTest(letter) => self.file_test_op(*letter),
                Op::Print(_)
                | Op::ReadLine(_)
                | Op::Command(_)
                | Op::Builtin(..)
                | Op::Bareword(..) => {
                    let depth = self.frames.len();
                    self.waiting_op(op).await?;
                    if self.frames.len() != depth {
                        return Ok(());
                    }
                }
                op => self.step(op)?,
            }
        }
    }

    /// Starts a program, or the code of a file.
    pub(super) fn enter(&mut self, chunk: Arc<Chunk>) -> Res {
        self.fit();
        let sub = Sub::new(chunk, "main::__ANON__".to_owned(), Vec::new());
        self.enter_sub(&sub, Vec::new(), Answer::Nothing)
    }

    /// What the compiler says of a text that is no program.
    fn complaint(fault: &Fault, file: &str) -> String {
        super::complaint(&fault.0, file, fault.1)
    }

    /// The blocks of `END`, the last first.
    pub(super) async fn run_ends(&mut self) -> Res {
        while let Some(sub) = self.ends.pop() {
            self.enter_sub(&sub, Vec::new(), Answer::Scalar)?;
            self.run(0).await?;
            self.stack.clear();
        }
        Ok(())
    }

    /// Forgets all that runs, so that the blocks of `END` can.
    pub(super) fn abandon(&mut self) {
        while let Some(entry) = self.unwinds.pop() {
            self.put_back(entry);
        }
        self.frames.clear();
        self.stack.clear();
        self.marks.clear();
    }

    /// The number that a program that died ends with.
    pub(super) fn death_code(&mut self) -> u8 {
        let code = |number: i64| u8::try_from(number & 0xff).ok().filter(|code| *code != 0);
        let errno = self.global("!").get().integer();
        let status = self.global("?").get().integer() >> 8;
        code(errno).or_else(|| code(status)).unwrap_or(255)
    }
}
