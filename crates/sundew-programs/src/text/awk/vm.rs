//! The stack machine.

mod variable;

use std::collections::HashMap;
use std::sync::Arc;

use sundew_kernel::budget::Memory;
use sundew_kernel::{ExitStatus, Process};
use sundew_posix::regex::{Flags, Regex, Syntax};

use super::FATAL;
use super::builtin::Random;
use super::lexer::unescape;
use super::op::{Arithmetic, Comparison, Op, Place, Program, Variable};
use super::print::Streams;
use super::record::{self, Separator};
use super::value::{Array, Value};

/// Variables with a meaning, and which of them are arrays. Their order makes their numbers.
pub(super) const SPECIAL: &[(&str, bool)] = &[
    ("NF", false),
    ("NR", false),
    ("FNR", false),
    ("FS", false),
    ("OFS", false),
    ("ORS", false),
    ("RS", false),
    ("SUBSEP", false),
    ("CONVFMT", false),
    ("OFMT", false),
    ("RSTART", false),
    ("RLENGTH", false),
    ("FILENAME", false),
    ("ARGC", false),
    ("ENVIRON", true),
    ("ARGV", true),
];
pub(super) const NF: usize = 0;
pub(super) const NR: usize = 1;
pub(super) const FNR: usize = 2;
pub(super) const FS: usize = 3;
pub(super) const OFS: usize = 4;
pub(super) const ORS: usize = 5;
pub(super) const RS: usize = 6;
const SUBSEP: usize = 7;
pub(super) const CONVFMT: usize = 8;
pub(super) const OFMT: usize = 9;
pub(super) const RSTART: usize = 10;
pub(super) const RLENGTH: usize = 11;
pub(super) const FILENAME: usize = 12;
const ARGC: usize = 13;
const ENVIRON: usize = 14;
pub(super) const ARGV: usize = 15;

/// Highest field; mawk's is higher, but nobody means it.
const MAX_FIELD: usize = 1 << 16;
/// Calls inside calls.
const MAX_CALLS: usize = 10_000;
/// Patterns from text that are kept compiled.
const MAX_PATTERNS: usize = 64;
/// Instructions between two ticks.
const OPS_PER_TICK: u32 = 8;
/// Bytes that an element costs beside its texts.
const ELEMENT_BYTES: usize = 64;
/// Texts longer than this are asked for before they are made.
const LARGE: usize = 1 << 16;

/// Why a program ends.
#[derive(Debug)]
pub(super) enum Stop {
    /// `exit`.
    Exit,
    /// A complaint without the program's name.
    Fatal(Vec<u8>),
    /// Standard output is gone.
    Write,
}

/// How a piece of code ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    End,
    Next,
    NextFile,
}

#[derive(Debug, Clone)]
pub(super) enum Item {
    Value(Value),
    Array(usize),
    Regex(usize),
}

#[derive(Debug, Clone)]
enum Local {
    Value(Value),
    Array(usize),
}

#[derive(Debug)]
struct Frame {
    back: usize,
    base: usize,
    loops: usize,
    /// Arrays made for this call.
    arrays: Vec<usize>,
}

pub(super) struct Vm {
    pub(super) program: Arc<Program>,
    stack: Vec<Item>,
    locals: Vec<Local>,
    frames: Vec<Frame>,
    loops: Vec<std::vec::IntoIter<Arc<[u8]>>>,
    pub(super) globals: Vec<Value>,
    global_arrays: Vec<Option<usize>>,
    arrays: Vec<Array>,
    free_arrays: Vec<usize>,
    record: Arc<[u8]>,
    fields: Vec<Value>,
    is_split: bool,
    is_joined: bool,
    pub(super) field_separator: Separator,
    pub(super) record_separator: Separator,
    patterns: HashMap<Arc<[u8]>, Arc<Regex>>,
    ranges: Vec<bool>,
    pub(super) streams: Streams,
    pub(super) random: Random,
    pub(super) memory: Memory,
    status: u8,
    ops: u32,
}

pub(super) async fn run(
    proc: &mut Process,
    program: Program,
    separator: Option<Vec<u8>>,
    assignments: &[Vec<u8>],
    operands: Vec<Vec<u8>>,
) -> ExitStatus {
    let mut vm = Vm::new(proc, program);
    let result = vm.start(proc, separator, assignments, operands).await;
    let mut status = vm.status;
    match result {
        Ok(()) | Err(Stop::Exit) => {}
        Err(Stop::Write) => status = FATAL,
        Err(Stop::Fatal(text)) => {
            let line = [proc.name(), b": ", &text, b"\n"].concat();
            proc.print_error(&line).await;
            status = FATAL;
        }
    }
    vm.streams.close_all(proc).await;
    ExitStatus::Exited(status)
}

impl Vm {
    fn new(proc: &Process, program: Program) -> Self {
        let count = program.globals.len();
        let seed = proc.now().secs;
        let ranges = vec![false; program.ranges];
        let mut vm = Self {
            program: Arc::new(program),
            stack: Vec::new(),
            locals: Vec::new(),
            frames: Vec::new(),
            loops: Vec::new(),
            globals: vec![Value::Uninit; count],
            global_arrays: vec![None; count],
            arrays: Vec::new(),
            free_arrays: Vec::new(),
            record: Arc::from(b"".as_slice()),
            fields: Vec::new(),
            is_split: true,
            is_joined: true,
            field_separator: Separator::Blank,
            record_separator: Separator::Byte(b'\n'),
            patterns: HashMap::new(),
            ranges,
            streams: Streams::default(),
            random: Random::new(seed),
            memory: proc.memory(),
            status: 0,
            ops: 0,
        };
        for (index, text) in [
            (FS, b" ".as_slice()),
            (OFS, b" "),
            (ORS, b"\n"),
            (RS, b"\n"),
            (SUBSEP, b"\x1c"),
            (CONVFMT, b"%.6g"),
            (OFMT, b"%.6g"),
            (FILENAME, b""),
        ] {
            vm.set_global(index, Value::text(text));
        }
        for index in [NF, NR, FNR, RSTART] {
            vm.set_global(index, Value::Number(0.0));
        }
        vm.set_global(RLENGTH, Value::Number(-1.0));
        vm
    }

    async fn start(
        &mut self,
        proc: &mut Process,
        separator: Option<Vec<u8>>,
        assignments: &[Vec<u8>],
        operands: Vec<Vec<u8>>,
    ) -> Result<(), Stop> {
        self.fill_arrays(proc, &operands);
        if let Some(separator) = separator {
            self.store_global(FS, Value::input(&unescape(&separator)))?;
        }
        for assignment in assignments {
            if !self.assign(assignment)? {
                let text = [b"improper assignment: -v ".as_slice(), assignment].concat();
                return Err(Stop::Fatal(text));
            }
        }
        self.streams.set_operands(operands);
        let program = Arc::clone(&self.program);
        let result = self.rules(proc, &program).await;
        match (result, program.end) {
            (Ok(()) | Err(Stop::Exit), Some(end)) => self.execute(proc, end).await.map(drop),
            (result, _) => result,
        }
    }

    fn fill_arrays(&mut self, proc: &Process, operands: &[Vec<u8>]) {
        let environ = self.array_id(Variable::Global(ENVIRON));
        let argv = self.array_id(Variable::Global(ARGV));
        for (name, value) in proc.env().iter() {
            if let Some(array) = self.arrays.get_mut(environ) {
                array.set(name.into(), Value::input(value));
            }
        }
        let name = proc.base_name().to_vec();
        let words = std::iter::once(&name).chain(operands);
        for (index, word) in words.enumerate() {
            if let Some(array) = self.arrays.get_mut(argv) {
                array.set(index.to_string().into_bytes().into(), Value::input(word));
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "operands are few")]
        self.set_global(ARGC, Value::Number((operands.len() + 1) as f64));
    }

    async fn rules(&mut self, proc: &mut Process, program: &Program) -> Result<(), Stop> {
        if let Some(begin) = program.begin {
            self.execute(proc, begin).await?;
        }
        if program.main.is_none() && program.end.is_none() {
            return Ok(());
        }
        while let Some(record) = self.next_record(proc).await? {
            proc.tick().await;
            self.set_record(&record);
            if let Some(main) = program.main
                && self.execute(proc, main).await? == Flow::NextFile
            {
                self.streams.skip_file(proc);
            }
        }
        Ok(())
    }

    /// `name=value` from the command line; false if it is none.
    pub(super) fn assign(&mut self, text: &[u8]) -> Result<bool, Stop> {
        let Some(at) = text.iter().position(|&byte| byte == b'=') else {
            return Ok(false);
        };
        let (name, value) = text.split_at(at);
        let starts = name
            .first()
            .is_some_and(|byte| *byte == b'_' || byte.is_ascii_alphabetic());
        if !starts
            || !name
                .iter()
                .all(|byte| *byte == b'_' || byte.is_ascii_alphanumeric())
        {
            return Ok(false);
        }
        let value = Value::input(&unescape(value.get(1..).unwrap_or_default()));
        // A name that the program does not know cannot make a difference.
        if let Some(index) = self.program.globals.iter().position(|known| known == name) {
            self.store_global(index, value)?;
        }
        Ok(true)
    }

    // ---- the loop ------------------------------------------------------------------------------

    /// Runs from `at` to the end of its chain.
    async fn execute(&mut self, proc: &mut Process, mut at: usize) -> Result<Flow, Stop> {
        let program = Arc::clone(&self.program);
        self.stack.clear();
        self.frames.clear();
        self.locals.clear();
        self.loops.clear();
        loop {
            self.ops += 1;
            if self.ops >= OPS_PER_TICK {
                self.ops = 0;
                proc.tick().await;
            }
            let Some(op) = program.code.get(at) else {
                return Ok(Flow::End);
            };
            at += 1;
            match op {
                Op::End => return Ok(Flow::End),
                Op::Next => return Ok(Flow::Next),
                Op::NextFile => return Ok(Flow::NextFile),
                Op::Exit => {
                    let code = self.pop().number();
                    if !code.is_nan() {
                        #[expect(
                            clippy::cast_possible_truncation,
                            reason = "exit statuses have 8 bits"
                        )]
                        let code = code as i64;
                        self.status = code.to_le_bytes().first().copied().unwrap_or(0);
                    }
                    return Err(Stop::Exit);
                }
                Op::Call { function, args } => at = self.call(*function, *args, at)?,
                Op::Return => {
                    let value = self.pop();
                    let Some(frame) = self.frames.pop() else {
                        return Ok(Flow::End);
                    };
                    self.leave(&frame);
                    at = frame.back;
                    self.push(value);
                }
                Op::Getline { source, place } => {
                    proc.tick().await;
                    self.getline(proc, *source, *place).await?;
                }
                Op::Print { args, destination } => self.print(proc, *args, *destination).await?,
                Op::Printf { args, destination } => self.printf(proc, *args, *destination).await?,
                Op::Builtin {
                    name: name @ ("system" | "close" | "fflush"),
                    args,
                } => {
                    self.outside(proc, name, *args).await?;
                }
                Op::Builtin { name, args } => self.builtin(proc, name, *args)?,
                Op::Substitute { global, place } => {
                    proc.tick().await;
                    self.substitute(proc, *global, *place)?;
                }
                Op::Split { array, args } => {
                    proc.tick().await;
                    self.split(*array, *args)?;
                }
                Op::Concat => self.concat(proc)?,
                op => {
                    if let Some(to) = self.jump(op) {
                        at = to;
                    } else {
                        self.simple(op)?;
                    }
                }
            }
        }
    }

    /// Jumps: where to, or `None` if it is no jump or is not taken.
    fn jump(&mut self, op: &Op) -> Option<usize> {
        let taken = match op {
            Op::Jump(_) => true,
            Op::JumpIfFalse(_) => !self.pop().truth(),
            Op::JumpIfTrue(_) => self.pop().truth(),
            Op::AndThen(_) => {
                let value = self.pop().truth();
                if !value {
                    self.push(Value::bool(false));
                }
                !value
            }
            Op::OrElse(_) => {
                let value = self.pop().truth();
                if value {
                    self.push(Value::bool(true));
                }
                value
            }
            Op::ForNext(_) => match self.loops.last_mut().and_then(Iterator::next) {
                Some(key) => {
                    self.push(Value::input(&key));
                    false
                }
                None => true,
            },
            Op::RangeOutside(_, range) => self.ranges.get(*range) == Some(&true),
            _ => false,
        };
        match op {
            Op::Jump(to)
            | Op::JumpIfFalse(to)
            | Op::JumpIfTrue(to)
            | Op::AndThen(to)
            | Op::OrElse(to)
            | Op::ForNext(to)
            | Op::RangeOutside(to, _)
                if taken =>
            {
                Some(*to)
            }
            _ => None,
        }
    }

    fn simple(&mut self, op: &Op) -> Result<(), Stop> {
        match op {
            Op::Number(value) => self.push(Value::Number(*value)),
            Op::Text(text) => self.push(Value::Text(Arc::clone(text))),
            Op::MatchRecord(index) => {
                let record = self.record();
                let found = self
                    .program
                    .regexes
                    .get(*index)
                    .is_some_and(|regex| regex.is_match(&record));
                self.push(Value::bool(found));
            }
            Op::Regex(index) => self.stack.push(Item::Regex(*index)),
            Op::Load(place) => {
                let value = self.load(*place, false)?;
                self.push(value);
            }
            Op::LoadKeep(place) => {
                let value = self.load(*place, true)?;
                self.push(value);
            }
            Op::Store(place) => {
                let value = self.pop();
                self.store(*place, value.clone())?;
                self.push(value);
            }
            Op::Step { place, by, old } => {
                let before = self.load(*place, true)?.number();
                let after = before + by;
                self.store(*place, Value::Number(after))?;
                self.push(Value::Number(if *old { before } else { after }));
            }
            Op::PushArray(variable) => {
                let id = self.array_id(*variable);
                self.stack.push(Item::Array(id));
            }
            Op::Pop => {
                self.stack.pop();
            }
            Op::Arithmetic(operation) => {
                let (left, right) = self.pop_two();
                self.push(Value::Number(arithmetic(
                    *operation,
                    left.number(),
                    right.number(),
                )));
            }
            Op::Negate => {
                let value = self.pop().number();
                self.push(Value::Number(-value));
            }
            Op::Plus => {
                let value = self.pop().number();
                self.push(Value::Number(value));
            }
            Op::Not => {
                let value = self.pop().truth();
                self.push(Value::bool(!value));
            }
            Op::ToBool => {
                let value = self.pop().truth();
                self.push(Value::bool(value));
            }
            Op::Compare(comparison) => self.compare(*comparison),
            Op::Match(negated) => {
                let pattern = self.stack.pop();
                let text = self.pop_text();
                let regex = self.regex_of(pattern)?;
                self.push(Value::bool(regex.is_match(&text) != *negated));
            }
            Op::Join(count) => self.join(*count),
            op => self.array_op(op)?,
        }
        Ok(())
    }

    fn array_op(&mut self, op: &Op) -> Result<(), Stop> {
        match op {
            Op::In(array) => {
                let key = self.pop_text();
                let id = self.array_id(*array);
                let found = self
                    .arrays
                    .get(id)
                    .is_some_and(|array| array.contains(&key));
                self.push(Value::bool(found));
            }
            Op::Delete(array) => {
                let key = self.pop_text();
                let id = self.array_id(*array);
                if let Some(value) = self.arrays.get_mut(id).and_then(|array| array.remove(&key)) {
                    self.memory
                        .shrink(key.len() + value.weight() + ELEMENT_BYTES);
                }
            }
            Op::DeleteAll(array) => {
                let id = self.array_id(*array);
                self.clear_array(id);
            }
            Op::Length(variable) => {
                let id = match variable {
                    Variable::Global(index) => self.global_arrays.get(*index).copied().flatten(),
                    Variable::Local(index) => match self.local(*index) {
                        Some(Local::Array(id)) => Some(*id),
                        _ => None,
                    },
                };
                let length = match id.and_then(|id| self.arrays.get(id)) {
                    Some(array) => array.len(),
                    None => self
                        .load(Place::Variable(*variable), false)?
                        .to_text(&self.convert())
                        .len(),
                };
                self.push_count(length);
            }
            Op::ForStart(array) => {
                let id = self.array_id(*array);
                let keys = self.arrays.get(id).map(Array::keys).unwrap_or_default();
                self.loops.push(keys.into_iter());
            }
            Op::ForEnd => {
                self.loops.pop();
            }
            Op::RangeEnter(range) => self.set_range(*range, true),
            Op::RangeLeave(range) => self.set_range(*range, false),
            _ => {}
        }
        Ok(())
    }

    fn set_range(&mut self, range: usize, inside: bool) {
        if let Some(place) = self.ranges.get_mut(range) {
            *place = inside;
        }
    }

    // ---- the stack -----------------------------------------------------------------------------

    pub(super) fn push(&mut self, value: Value) {
        self.stack.push(Item::Value(value));
    }

    pub(super) fn push_count(&mut self, count: usize) {
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
        self.push(Value::Number(count as f64));
    }

    pub(super) fn pop_item(&mut self) -> Option<Item> {
        self.stack.pop()
    }

    pub(super) fn pop(&mut self) -> Value {
        match self.stack.pop() {
            Some(Item::Value(value)) => value,
            // A pattern where a value is wanted: whether the record matches.
            Some(Item::Regex(index)) => {
                let record = self.record();
                Value::bool(
                    self.program
                        .regexes
                        .get(index)
                        .is_some_and(|regex| regex.is_match(&record)),
                )
            }
            Some(Item::Array(_)) | None => Value::Uninit,
        }
    }

    fn pop_two(&mut self) -> (Value, Value) {
        let right = self.pop();
        (self.pop(), right)
    }

    /// The upmost values in the order in which they were pushed.
    pub(super) fn pop_many(&mut self, count: usize) -> Vec<Value> {
        let mut values: Vec<Value> = (0..count).map(|_| self.pop()).collect();
        values.reverse();
        values
    }

    pub(super) fn convert(&self) -> Arc<[u8]> {
        self.globals
            .get(CONVFMT)
            .map(|value| value.to_text(b"%.6g"))
            .unwrap_or_else(|| b"%.6g".as_slice().into())
    }

    pub(super) fn pop_text(&mut self) -> Arc<[u8]> {
        let value = self.pop();
        match value {
            Value::Text(text) | Value::Both(text, _) => text,
            value => value.to_text(&self.convert()),
        }
    }

    fn compare(&mut self, comparison: Comparison) {
        use std::cmp::Ordering::{Equal, Greater, Less};
        let (left, right) = self.pop_two();
        let order = left.compare(&right, &self.convert());
        let result = match comparison {
            Comparison::Less => order == Less,
            Comparison::LessEqual => order != Greater,
            Comparison::Equal => order == Equal,
            Comparison::NotEqual => order != Equal,
            Comparison::Greater => order == Greater,
            Comparison::GreaterEqual => order != Less,
        };
        self.push(Value::bool(result));
    }

    fn concat(&mut self, proc: &Process) -> Result<(), Stop> {
        let right = self.pop_text();
        let left = self.pop_text();
        self.allow(proc, left.len() + right.len())?;
        let text: Arc<[u8]> = [left.as_ref(), right.as_ref()].concat().into();
        self.push(Value::Text(text));
        Ok(())
    }

    /// Whether there is room for a text of this length.
    pub(super) fn allow(&self, proc: &Process, length: usize) -> Result<(), Stop> {
        if length > LARGE && proc.memory().grow(length).is_err() {
            return Err(out_of_memory());
        }
        Ok(())
    }

    fn join(&mut self, count: usize) {
        let separator = self
            .globals
            .get(SUBSEP)
            .map(|value| value.to_text(b"%.6g"))
            .unwrap_or_default();
        let values = self.pop_many(count);
        let convert = self.convert();
        let texts: Vec<Arc<[u8]>> = values.iter().map(|value| value.to_text(&convert)).collect();
        self.push(Value::text(&texts.join(separator.as_ref())));
    }

    // ---- patterns ------------------------------------------------------------------------------

    /// The pattern that an item is: a regular expression, or text that becomes one.
    pub(super) fn regex_of(&mut self, item: Option<Item>) -> Result<Arc<Regex>, Stop> {
        let text = match item {
            Some(Item::Regex(index)) => {
                let regex = self.program.regexes.get(index).cloned();
                return regex
                    .map(Arc::new)
                    .ok_or_else(|| Stop::Fatal(b"no such pattern".to_vec()));
            }
            Some(Item::Value(value)) => value.to_text(&self.convert()),
            Some(Item::Array(_)) | None => Arc::from(b"".as_slice()),
        };
        if let Some(known) = self.patterns.get(&text) {
            return Ok(Arc::clone(known));
        }
        let regex = Regex::new(&text, Syntax::Awk, Flags::default())
            .map_err(|error| Stop::Fatal(super::parser::regex_words(error, &text)))?;
        if self.patterns.len() >= MAX_PATTERNS {
            self.patterns.clear();
        }
        let regex = Arc::new(regex);
        self.patterns.insert(text, Arc::clone(&regex));
        Ok(regex)
    }

    fn call(&mut self, function: usize, args: usize, back: usize) -> Result<usize, Stop> {
        let program = Arc::clone(&self.program);
        let Some(function) = program.functions.get(function) else {
            return Ok(back);
        };
        if self.frames.len() >= MAX_CALLS {
            return Err(Stop::Fatal(b"function call nesting too deep".to_vec()));
        }
        let base = self.locals.len();
        let first = self.stack.len().saturating_sub(args);
        let given: Vec<Item> = self.stack.drain(first..).collect();
        for item in given.into_iter().take(function.params) {
            self.locals.push(match item {
                Item::Value(value) => Local::Value(value),
                Item::Array(id) => Local::Array(id),
                Item::Regex(_) => Local::Value(Value::Uninit),
            });
        }
        self.locals
            .resize(base + function.params, Local::Value(Value::Uninit));
        self.frames.push(Frame {
            back,
            base,
            loops: self.loops.len(),
            arrays: Vec::new(),
        });
        Ok(function.start)
    }

    fn leave(&mut self, frame: &Frame) {
        for &id in &frame.arrays {
            self.clear_array(id);
            self.free_arrays.push(id);
        }
        let weight: usize = self
            .locals
            .drain(frame.base..)
            .map(|local| {
                if let Local::Value(value) = local {
                    value.weight()
                } else {
                    0
                }
            })
            .sum();
        // Arguments were not charged; the account never goes below nothing.
        self.memory.shrink(weight.min(LARGE));
        self.loops.truncate(frame.loops);
    }
}

pub(super) fn out_of_memory() -> Stop {
    Stop::Fatal(b"out of memory".to_vec())
}

fn arithmetic(operation: Arithmetic, left: f64, right: f64) -> f64 {
    match operation {
        Arithmetic::Add => left + right,
        Arithmetic::Subtract => left - right,
        Arithmetic::Multiply => left * right,
        Arithmetic::Divide => left / right,
        Arithmetic::Modulo => left % right,
        Arithmetic::Power => left.powf(right),
    }
}
