//! Instructions of the machine that a program is compiled to.
//!
//! A machine and not a walk over the tree: what is nested in a program lies on stacks of its own on the
//! heap, so no program takes the host's stack with it, and a copy of the stacks is what fork(2) needs.

use std::collections::HashMap;
use std::sync::Arc;

use super::value::Value;

/// What an expression is evaluated for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    /// One value, always pushed.
    Scalar,
    /// Any number of values.
    List,
    /// As the running sub's caller wants; any number of values is pushed.
    Caller,
}

/// Where a lexical or global variable is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Var {
    Pad(usize),
    /// Another name of a global.
    Our(String),
}

/// The variable of a `foreach`.
#[derive(Clone, Copy)]
pub(super) enum Target {
    Pad(usize),
    Global(usize),
}

/// Targets of a loop's jumps.
#[derive(Clone)]
pub(super) struct Jumps {
    pub(super) label: Option<Arc<str>>,
    pub(super) next: usize,
    pub(super) last: usize,
    pub(super) redo: usize,
}

/// One instruction. In comments: what it takes from the stack.
pub(super) enum Op {
    /// A statement or call begins on this line.
    Line(usize),
    Const(Value),
    Pop,
    Dup,
    Swap,
    /// Where a list begins.
    Mark,
    /// A list: one text.
    Join,
    /// A list: one text, `$"` between.
    JoinList,
    /// A list: its last value.
    LastOf,
    // Variables.
    Pad(usize),
    PadPlace(usize),
    PadArray(usize),
    PadHash(usize),
    /// `my`: a fresh variable.
    My(usize),
    Global(usize),
    GlobalPlace(usize),
    GlobalArray(usize),
    GlobalHash(usize),
    /// `@_`.
    Args,
    /// A variable with a meaning of its own.
    Special(String),
    /// `%+`.
    NamedGroups,
    /// `@-` and `@+`.
    Offsets(bool),
    // Containers.
    /// A reference, or a place that becomes one.
    AsArray,
    AsHash,
    /// A reference to a scalar; the place behind it.
    DerefPlace,
    /// An array and an index.
    Index,
    IndexPlace,
    /// A hash and a key.
    Key,
    KeyPlace,
    /// An array, a mark, indices; whether places are wanted.
    Slice(bool),
    KeySlice(bool),
    /// Two lists.
    ListSlice(Want),
    /// An array.
    LastIndex,
    /// A value and an array.
    SetLastIndex,
    /// An array or hash.
    Flatten(Want),
    FlattenPlaces,
    /// A place.
    Load,
    /// A value: a place that holds it.
    Temp,
    MakeArray,
    MakeHash,
    MakeSub(usize),
    Ref,
    /// `\&name`.
    NamedSub(String),
    /// `exists` and `delete`.
    Exists(bool),
    Delete(bool),
    DeleteSlice,
    // Assignment.
    /// A value and a place: the place.
    Assign,
    /// A place and a value: the place.
    AssignWith(&'static str),
    /// Two lists, values and places.
    ListAssign(Want),
    /// An array and a count.
    RepeatArray,
    /// A place.
    Step {
        up: bool,
        before: bool,
    },
    // Operators.
    Binary(&'static str),
    Not,
    Negate,
    Complement,
    Repeat,
    /// A list and a count.
    RepeatList,
    Range,
    /// Jumps while the range is open.
    FlipTest(usize, usize),
    FlipOn(usize),
    /// A truth: whether the range ends.
    FlipEnd(usize),
    /// A value: compared with `$.` if it is a number alone.
    AtLine,
    // Jumps.
    Jump(usize),
    /// Backwards: time passes.
    JumpBack(usize),
    JumpTrue(usize),
    JumpFalse(usize),
    JumpDefined(usize),
    /// The value stays when the jump is taken.
    AndJump(usize),
    OrJump(usize),
    DefJump(usize),
    // Calls.
    Call(Arc<str>, Want),
    /// A list and a code.
    CallOf(Want),
    Method(Arc<str>, Want),
    MethodOf(Want),
    Return,
    DefineSub(String, usize),
    DefineEnd(usize),
    // Scopes.
    LoopEnter(Box<Jumps>),
    LoopLeave,
    /// A list of places or values.
    EachEnter(Box<Jumps>, Target),
    /// Two numbers.
    RangeEnter(Box<Jumps>, Target),
    EachNext(usize),
    Next(Option<Arc<str>>),
    Last(Option<Arc<str>>),
    Redo(Option<Arc<str>>),
    ScopeEnter,
    ScopeLeave,
    LocalScalar(usize),
    LocalArray(usize),
    LocalHash(usize),
    LocalKey,
    LocalIndex,
    EvalEnter(usize, Want),
    EvalLeave,
    EvalText(usize, Want),
    MapEnter,
    MapNext(usize),
    MapTake(bool),
    MapLeave(Want),
    SortEnter(usize, usize),
    SortNext(usize),
    SortTake,
    SortLeave(Want),
    // Patterns.
    /// A pattern's text.
    Compiled(String),
    /// A pattern's text and a place.
    Match {
        flags: Arc<str>,
        negated: bool,
        want: Want,
    },
    SubstEnter(Arc<str>),
    SubstNext(usize),
    SubstTake,
    SubstLeave,
    /// A place.
    Translate(Arc<(Vec<u8>, Vec<u8>, String)>),
    // What may wait.
    /// A list, and a handle or nothing.
    Print(&'static str),
    /// A handle.
    ReadLine(Want),
    /// A command.
    Command(Want),
    /// An operand.
    FileTest(u8),
    /// A list.
    Builtin(&'static str, Want),
    /// A bare word: a handle, a sub, a constant or a string.
    Bareword(String, bool),
    WantArray,
}

/// A compiled sub, program or text of `eval`.
#[derive(Default)]
pub(super) struct Chunk {
    pub(super) ops: Vec<Op>,
    /// Variables of its own.
    pub(super) pads: usize,
    pub(super) captures: Vec<Capture>,
    pub(super) subs: Vec<Arc<Self>>,
    /// What `eval` of a text sees.
    pub(super) views: Vec<View>,
    pub(super) file: Arc<str>,
    pub(super) package: Arc<str>,
}

/// A variable of the code around that a sub uses.
#[derive(Clone, Copy)]
pub(super) struct Capture {
    pub(super) outer: usize,
    pub(super) own: usize,
    pub(super) sigil: u8,
}

/// Names that a text of `eval` can use.
#[derive(Default, Clone)]
pub(super) struct View {
    pub(super) names: HashMap<String, Var>,
    pub(super) package: String,
    pub(super) strict: bool,
}

/// Places of globals by name.
#[derive(Default, Clone)]
pub(super) struct Symbols {
    pub(super) scalars: HashMap<String, usize>,
    pub(super) arrays: HashMap<String, usize>,
    pub(super) hashes: HashMap<String, usize>,
    pub(super) flips: usize,
}

/// The place of a name in its table.
fn place(table: &mut HashMap<String, usize>, name: &str) -> usize {
    if let Some(place) = table.get(name) {
        return *place;
    }
    let place = table.len();
    table.insert(name.to_owned(), place);
    place
}

impl Symbols {
    pub(super) fn scalar(&mut self, name: &str) -> usize {
        place(&mut self.scalars, name)
    }

    pub(super) fn array(&mut self, name: &str) -> usize {
        place(&mut self.arrays, name)
    }

    pub(super) fn hash(&mut self, name: &str) -> usize {
        place(&mut self.hashes, name)
    }
}

/// A name with its package, which `main` does not show.
pub(super) fn qualified(name: &str, package: &str) -> String {
    if let Some(rest) = name
        .strip_prefix("main::")
        .or_else(|| name.strip_prefix("::"))
    {
        return rest.to_owned();
    }
    let plain = name.contains("::")
        || package == "main"
        || !name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        || matches!(
            name,
            "_" | "ENV" | "ARGV" | "INC" | "STDIN" | "STDOUT" | "STDERR" | "ARGVOUT"
        );
    if plain {
        name.to_owned()
    } else {
        format!("{package}::{name}")
    }
}
