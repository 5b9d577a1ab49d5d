//! The syntax tree: what a command line says, with nothing done to it yet.
//!
//! Nodes own their bytes; bodies that an interpreter hands to a child process (functions,
//! subshells, background lists, pipeline members, substitutions) are behind an [`Arc`], so that
//! "forking" a part of the tree costs one counter. Quoting is kept as written: an expansion knows
//! which bytes are patterns and which are not, and [`crate::unparse`] can print what was typed.

use std::sync::{Arc, OnceLock};

mod word;

pub use word::{
    CaseChange, Index, Operation, Parameter, ParameterName, Part, ReplaceWhere, Special, Trim, Word,
};

/// Bytes as typed; the shell knows no encoding.
pub type Bytes = Box<[u8]>;

/// Commands in sequence: what `;`, `&` and newlines separate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct List {
    /// The members, in order.
    pub items: Vec<ListItem>,
}

/// One member of a [`List`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListItem {
    /// What runs.
    pub and_or: Arc<AndOr>,
    /// Whether `&` follows, and the shell does not wait.
    pub background: bool,
    /// Whether a newline follows, and not `;`. Only printing cares.
    pub newline: bool,
}

/// Pipelines joined by `&&` and `||`, which bind equally and from the left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AndOr {
    /// The pipeline that always runs.
    pub first: Pipeline,
    /// The others, each with the condition under which it runs.
    pub rest: Vec<(Junction, Pipeline)>,
}

/// How a pipeline depends on the status of what ran before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Junction {
    /// `&&`
    And,
    /// `||`
    Or,
}

/// Commands joined by `|`, with the words that may stand in front.
///
/// `a |& b` is stored the way bash does it: a last redirection `2>&1` on `a`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pipeline {
    /// Whether an odd number of `!` stands in front.
    pub negated: bool,
    /// Whether `time` stands in front.
    pub time: Option<Time>,
    /// The members; empty only after a bare `!` or `time`.
    pub commands: Vec<Arc<Command>>,
}

/// The reserved word `time` in front of a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    /// `time`: the format of `$TIMEFORMAT`.
    Default,
    /// `time -p`: the format of POSIX.
    Posix,
}

/// One command with its redirections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The line it starts on, for `$LINENO` and messages; counted from `Options::first_line`.
    pub line: u32,
    /// What it is.
    pub kind: CommandKind,
    /// Applied from left to right.
    pub redirects: Vec<Redirect>,
}

/// The kinds of command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandKind {
    /// Assignments and words.
    Simple(Simple),
    /// `{ list; }`
    Group(Arc<List>),
    /// `( list )`
    Subshell(Arc<List>),
    /// `if … then … elif … else … fi`
    If(If),
    /// `while …` or `until …`
    Loop(Loop),
    /// `for name in words`
    For(For),
    /// `for (( ; ; ))`
    ArithmeticFor(ArithmeticFor),
    /// `select name in words`
    Select(For),
    /// `case word in …`
    Case(Case),
    /// `(( expression ))`: expanded as if between double quotes, then evaluated.
    Arithmetic(Word),
    /// `[[ expression ]]`
    Conditional(Conditional),
    /// A function definition. Running it defines the function.
    Function(Function),
    /// `coproc [name] command`
    Coprocess(Coprocess),
}

/// A simple command: `a=1 b=2 program word …`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Simple {
    /// Assignments in front; without words they change the shell itself.
    pub assignments: Vec<Assignment>,
    /// The program's name and arguments, before any expansion. Words in the form of an assignment
    /// (`export a=b`) are asked with [`Word::to_assignment`].
    pub words: Vec<Word>,
}

/// `name=value`, `name[index]=value`, `name=(…)`, each also with `+=`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The variable.
    pub name: Bytes,
    /// What stands between `[` and `]`, if anything.
    pub index: Option<Word>,
    /// Whether it was `+=`.
    pub append: bool,
    /// The right side.
    pub value: Value,
}

/// The right side of an assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// One word, not split and not globbed.
    Scalar(Word),
    /// `( … )`
    Array(Vec<ArrayElement>),
}

/// One element between the parentheses of an array assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArrayElement {
    /// A word; it may expand to any number of elements.
    Word(Word),
    /// `[index]=word` or `[index]+=word`.
    At {
        /// Between the brackets.
        index: Word,
        /// Whether it was `+=`.
        append: bool,
        /// The value.
        value: Word,
    },
}

/// One redirection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// What stands in front of the operator.
    pub descriptor: Descriptor,
    /// What is done.
    pub kind: RedirectKind,
}

/// What stands in front of a redirection operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Descriptor {
    /// Nothing: 0 for input, 1 for output.
    Default,
    /// A number, as in `2>`.
    Number(u32),
    /// `{name}>`: the shell chooses and stores the number in the variable.
    Variable(Bytes),
}

/// What a redirection does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedirectKind {
    /// `< file`
    Input(Word),
    /// `> file`
    Output(Word),
    /// `>| file`
    Clobber(Word),
    /// `>> file`
    Append(Word),
    /// `<> file`
    InputOutput(Word),
    /// `<& word`: a number to duplicate, a number and `-` to move, or `-` to close.
    DuplicateInput(Word),
    /// `>& word`: as above; bash also takes a file name here when no number stands in front, and
    /// then means `&> file`.
    DuplicateOutput(Word),
    /// `&> file`
    OutputBoth(Word),
    /// `&>> file`
    AppendBoth(Word),
    /// `<< delimiter` and `<<- delimiter`
    HereDocument(HereDocument),
    /// `<<< word`; a newline is added.
    HereString(Word),
}

/// A here-document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HereDocument {
    /// The delimiter without its quotes.
    pub delimiter: Bytes,
    /// Whether any of the delimiter was quoted: the body is then taken as it is.
    pub quoted: bool,
    /// Whether it was `<<-`: leading tabs were removed from the lines.
    pub strip_tabs: bool,
    /// Filled when the parser reaches the end of the line; shared with the parser until then.
    pub(crate) body: Arc<OnceLock<Word>>,
}

impl HereDocument {
    /// The text, with its last newline; expansions in it behave as between double quotes, except
    /// that `"` stands for itself.
    #[must_use]
    pub fn body(&self) -> &Word {
        static EMPTY: Word = Word { parts: Vec::new() };
        self.body.get().unwrap_or(&EMPTY)
    }
}

/// `if`: branches in order, then the `else`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct If {
    /// Condition and body of `if` and of each `elif`; never empty.
    pub branches: Vec<(List, List)>,
    /// The body of `else`.
    pub otherwise: Option<List>,
}

/// `while` and `until`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loop {
    /// Whether it is `until`.
    pub until: bool,
    /// The condition.
    pub condition: List,
    /// The body.
    pub body: List,
}

/// `for` and `select`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct For {
    /// The variable's name as typed: bash lets any word through and complains when it runs
    /// (`` `2': not a valid identifier ``).
    pub name: Bytes,
    /// The words after `in`; `None` stands for `"$@"`.
    pub words: Option<Vec<Word>>,
    /// The body.
    pub body: List,
}

/// `for (( initial ; condition ; step ))`; each part may be empty, an empty condition is true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArithmeticFor {
    /// Evaluated once.
    pub initial: Word,
    /// Evaluated before each round.
    pub condition: Word,
    /// Evaluated after each round.
    pub step: Word,
    /// The body.
    pub body: List,
}

/// `case`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// What is compared.
    pub word: Word,
    /// The clauses, in order.
    pub clauses: Vec<CaseClause>,
}

/// One clause of a `case`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseClause {
    /// The patterns, never empty.
    pub patterns: Vec<Word>,
    /// The commands; may be empty.
    pub body: List,
    /// What follows the commands.
    pub end: CaseEnd,
}

/// What follows the commands of a `case` clause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaseEnd {
    /// `;;`, or nothing before `esac`
    Break,
    /// `;&`: run the next body without comparing.
    FallThrough,
    /// `;;&`: go on comparing.
    Continue,
}

/// An expression of `[[ … ]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conditional {
    /// A single word: true if not empty.
    Word(Word),
    /// `-f word`; the operator with its dash.
    Unary(Bytes, Word),
    /// `word op word`
    Binary(Box<(Word, ConditionalOperator, Word)>),
    /// `! expression`
    Not(Box<Self>),
    /// `a && b && …`, at least two
    And(Vec<Self>),
    /// `a || b || …`, at least two
    Or(Vec<Self>),
    /// `( expression )`; kept because it is printed again.
    Parenthesised(Box<Self>),
}

/// A binary operator of `[[ … ]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConditionalOperator {
    /// `=` or `==`, as typed: the right side is a pattern.
    Match(Bytes),
    /// `!=`: the right side is a pattern.
    NoMatch,
    /// `=~`: the right side is an extended regular expression, its quoted parts are literal.
    Regex,
    /// `<`, by bytes or by locale
    Before,
    /// `>`
    After,
    /// `-eq`, `-nt` and the like, with the dash.
    Named(Bytes),
}

/// A function definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// The name as typed (bash allows nearly anything: `a-b`, `2`, `[`).
    pub name: Bytes,
    /// Whether the word `function` stood in front.
    pub keyword: bool,
    /// The body with its redirections, shared by every call.
    pub body: Arc<Command>,
}

/// A coprocess.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coprocess {
    /// The array's name; bash's default is `COPROC`.
    pub name: Bytes,
    /// What runs.
    pub body: Arc<Command>,
}
