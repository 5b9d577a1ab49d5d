//! From the tree to instructions: names become places, blocks become jumps.

use std::collections::HashMap;
use std::sync::Arc;

use super::ast::{Base, Block, Expr, Kind, Scope, Statement};
use super::code::{Capture, Chunk, Op, Symbols, Target, Var, View, Want, qualified};
use super::parse::{Failure, Fault};
use super::stack::Stack;
use super::value::Value;

mod assign;
mod builtin;
mod expr;
mod place;
mod statement;

/// Nested nodes of a program; deeper is refused before it can take the host's stack.
const MAX_DEPTH: usize = 400;
/// Variables of one sub.
const MAX_PADS: usize = 1 << 16;

type Outcome<T = ()> = Result<T, Failure>;

/// A sub being compiled.
#[derive(Default)]
struct Function {
    chunk: Chunk,
    scopes: Vec<HashMap<String, Var>>,
    /// Definitions of named subs, which come before anything runs.
    prologue: Vec<Op>,
    /// Whether the block being compiled says `local`.
    has_local: bool,
}

pub(super) struct Compiler<'s> {
    symbols: &'s mut Symbols,
    functions: Vec<Function>,
    package: String,
    strict: bool,
    file: Arc<str>,
    depth: usize,
    stack: Stack,
    line: usize,
}

/// What is compiled and where it stands.
pub(super) struct Source<'a> {
    pub(super) block: &'a Block,
    pub(super) file: &'a str,
    /// What a text of `eval` sees of the code around it.
    pub(super) view: Option<&'a View>,
}

/// Compiles a program, or a text of `eval`.
pub(super) fn compile(source: &Source<'_>, symbols: &mut Symbols) -> Result<Arc<Chunk>, Fault> {
    let mut compiler = Compiler {
        symbols,
        functions: Vec::new(),
        package: source.view.map_or("main", |view| &view.package).to_owned(),
        strict: source.view.is_some_and(|view| view.strict),
        file: Arc::from(source.file),
        depth: 0,
        stack: Stack::here(),
        line: 1,
    };
    if let Some(view) = source.view {
        compiler.functions.push(Function {
            scopes: vec![view.names.clone()],
            ..Function::default()
        });
    }
    compiler
        .function(source.block)
        .map_err(|failure| (failure, compiler.line))
}

impl Compiler<'_> {
    /// A body whose value is its last statement's.
    fn function(&mut self, body: &Block) -> Outcome<Arc<Chunk>> {
        let package = self.package.clone();
        self.functions.push(Function {
            scopes: vec![HashMap::new()],
            ..Function::default()
        });
        self.emit(Op::Mark);
        let outcome = self.body(body, Want::Caller);
        self.emit(Op::Return);
        self.package = package;
        let mut function = self.functions.pop().unwrap_or_default();
        outcome?;
        let shift = function.prologue.len();
        let mut ops = function.prologue;
        for op in &mut function.chunk.ops {
            moved(op, shift);
        }
        ops.extend(function.chunk.ops);
        Ok(Arc::new(Chunk {
            ops,
            file: Arc::clone(&self.file),
            package: Arc::from(self.package.as_str()),
            ..function.chunk
        }))
    }

    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T> {
        self.depth += 1;
        if self.depth > MAX_DEPTH || self.stack.is_spent() {
            return Err(Failure::Other("Out of memory during parse".to_owned()));
        }
        let outcome = inner(self);
        self.depth -= 1;
        outcome
    }

    // ---- instructions --------------------------------------------------------------------------

    fn top(&mut self) -> &mut Function {
        if self.functions.is_empty() {
            self.functions.push(Function::default());
        }
        let last = self.functions.len() - 1;
        #[expect(clippy::indexing_slicing, reason = "it was made sure not to be empty")]
        &mut self.functions[last]
    }

    fn emit(&mut self, op: Op) {
        self.top().chunk.ops.push(op);
    }

    fn constant(&mut self, value: Value) {
        self.emit(Op::Const(value));
    }

    fn here(&mut self) -> usize {
        self.top().chunk.ops.len()
    }

    /// Emits a jump whose target is not known yet.
    fn jump(&mut self, make: impl FnOnce(usize) -> Op) -> usize {
        let at = self.here();
        self.emit(make(0));
        at
    }

    /// Lets a jump go to here.
    fn land(&mut self, at: usize) {
        let here = self.here();
        if let Some(op) = self.top().chunk.ops.get_mut(at)
            && let Some(target) = op.target()
        {
            *target = here;
        }
    }

    // ---- names ---------------------------------------------------------------------------------

    fn new_pad(&mut self) -> Outcome<usize> {
        let chunk = &mut self.top().chunk;
        if chunk.pads >= MAX_PADS {
            return Err(Failure::Other("Out of memory during parse".to_owned()));
        }
        chunk.pads += 1;
        Ok(chunk.pads - 1)
    }

    fn declare(&mut self, key: &str) -> Outcome<usize> {
        let pad = self.new_pad()?;
        self.name(key, Var::Pad(pad));
        Ok(pad)
    }

    fn name(&mut self, key: &str, var: Var) {
        if let Some(scope) = self.top().scopes.last_mut() {
            scope.insert(key.to_owned(), var);
        }
    }

    /// A lexical name; one of a sub around this one is captured.
    fn lexical(&mut self, key: &str) -> Option<Var> {
        let mut found = None;
        for (level, function) in self.functions.iter().enumerate().rev() {
            let own = function
                .scopes
                .iter()
                .rev()
                .find_map(|scope| scope.get(key));
            if let Some(var) = own {
                found = Some((level, var.clone()));
                break;
            }
        }
        let (level, var) = found?;
        let Var::Pad(mut pad) = var else {
            return Some(var);
        };
        for function in self.functions.iter_mut().skip(level + 1) {
            let captures = &mut function.chunk.captures;
            let known = captures.iter().find(|capture| capture.outer == pad);
            pad = match known {
                Some(capture) => capture.own,
                None => {
                    let own = function.chunk.pads;
                    function.chunk.pads += 1;
                    captures.push(Capture {
                        outer: pad,
                        own,
                        sigil: key.bytes().next().unwrap_or(b'$'),
                    });
                    own
                }
            };
        }
        Some(Var::Pad(pad))
    }

    /// The global's name with its package, or a complaint of `use strict`.
    fn global_name(&mut self, sigil: char, name: &str) -> Outcome<String> {
        let own = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && !name.contains("::")
            && !matches!(
                name,
                "_" | "a" | "b" | "ENV" | "ARGV" | "INC" | "STDIN" | "STDOUT" | "STDERR"
            );
        if own && self.strict {
            return Err(Failure::Strict(format!(
                "Global symbol \"{sigil}{name}\" requires explicit package name (did you forget to declare \"my {sigil}{name}\"?)"
            )));
        }
        Ok(qualified(name, &self.package))
    }

    /// What `eval` of a text will see from here.
    fn view(&mut self) -> usize {
        let keys: Vec<String> = self
            .functions
            .iter()
            .flat_map(|function| function.scopes.iter().flat_map(HashMap::keys))
            .cloned()
            .collect();
        let mut names = HashMap::new();
        for key in keys {
            if let Some(var) = self.lexical(&key) {
                names.insert(key, var);
            }
        }
        let view = View {
            names,
            package: self.package.clone(),
            strict: self.strict,
        };
        let views = &mut self.top().chunk.views;
        views.push(view);
        views.len() - 1
    }
}

impl Op {
    /// Where a jump goes, if this is one.
    fn target(&mut self) -> Option<&mut usize> {
        Some(match self {
            Self::Jump(to)
            | Self::JumpBack(to)
            | Self::JumpTrue(to)
            | Self::JumpFalse(to)
            | Self::JumpDefined(to)
            | Self::AndJump(to)
            | Self::OrJump(to)
            | Self::DefJump(to)
            | Self::EachNext(to)
            | Self::MapNext(to)
            | Self::SortNext(to)
            | Self::SubstNext(to)
            | Self::FlipTest(_, to)
            | Self::EvalEnter(to, _) => to,
            _ => return None,
        })
    }
}

/// An instruction behind so many others.
fn moved(op: &mut Op, shift: usize) {
    if let Some(target) = op.target() {
        *target += shift;
    }
    if let Op::LoopEnter(jumps) | Op::EachEnter(jumps, _) | Op::RangeEnter(jumps, _) = op {
        jumps.next += shift;
        jumps.last += shift;
        jumps.redo += shift;
    }
}
