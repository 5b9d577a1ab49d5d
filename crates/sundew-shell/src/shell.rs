//! The state of one shell. A subshell is a copy of it in a process of its own.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sundew_kernel::budget::Memory;
use sundew_kernel::{Fd, Pid, Process, Signal};
use sundew_sh_syntax::{Aliases, Dialect, ast};

use crate::job::Jobs;
use crate::option::Options;
use crate::readline::History;
use crate::table::Table;
use crate::trap::Traps;
use crate::variable::Variables;
use crate::words::Words;

/// What leaves the normal order of commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// `break N`: loops still to leave.
    Break(u32),
    /// `continue N`.
    Continue(u32),
    /// `return`: the status is set.
    Return,
    /// `exit`, or an error that ends a shell that is not interactive: the status is set.
    Exit,
    /// `^C` or an error at an interactive shell: back to the prompt, the status is set.
    Abandon,
    /// A failed expansion or assignment in bash: the rest of the command line is dropped, and the text
    /// (script, `-c` string, `eval`) goes on with its next one.
    Discard,
    /// An error that leaves `eval` and sourced files too: only a script or standard input goes on.
    DiscardAll,
}

/// What running something answers; the status is in the shell.
pub type Run = Result<(), Flow>;

/// Where the shell's commands come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// `-c TEXT`
    CommandString,
    /// A file named on the command line.
    Script,
    /// Standard input that is no terminal, or one without `-i`.
    Stdin,
    /// A person.
    Terminal,
}

/// One function call or sourced file.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The function's name, or `source`.
    pub name: Vec<u8>,
    /// The file it comes from: `main`, `environment`, a path.
    pub file: Vec<u8>,
    /// The line it was called from.
    pub called_at: u32,
    /// Whether it is a function (and not a sourced file).
    pub function: bool,
}

/// A defined function.
#[derive(Debug, Clone)]
pub struct Function {
    /// What it runs.
    pub body: Arc<ast::Command>,
    /// Whether `export -f` was said.
    pub exported: bool,
    /// Whether `readonly -f` was said.
    pub readonly: bool,
    /// Whether `declare -ft` was said: it has the caller's `DEBUG` and `RETURN` traps.
    pub traced: bool,
    /// The file it was defined in, as complaints within it name it.
    pub file: Vec<u8>,
}

/// Deepest nesting of function calls, evaluations and sourced files. The real bash and BusyBox run out
/// of stack between 5,000 and 10,000 and die of `SIGSEGV`; so does ours, here or where the memory of
/// the machine ends.
pub const MAX_CALL_DEPTH: u32 = 8000;

/// The same in dash, which has a limit and says so.
pub const MAX_DASH_CALLS: u32 = 1000;

/// After so many commands, words and expressions within one another, what is nested in them runs as a
/// future of its own: this many are what the host's stack has to hold.
pub(crate) const SEGMENT_COMMANDS: u32 = 8;

/// What is charged to the machine's memory for such a future, in bytes: what it was seen to take.
pub(crate) const SEGMENT_BYTES: usize = 48 * 1024;

/// What traps have to know of the commands before.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct AroundTraps {
    /// Whether the next simple command is one of a pipeline: the trap `ERR` is not for it.
    pub(crate) silent_failure: bool,
    /// How many functions run that do not have the traps of their callers.
    pub(crate) hidden: u32,
    /// `$?` when `return` was called: the trap `RETURN` sees it.
    pub(crate) before_return: u8,
}

/// How far a text has been read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lines {
    /// The line of the last command that ran before the present one was read.
    pub(crate) before: u32,
    /// The line up to which commands have been read.
    pub(crate) read: u32,
}

/// `rbash`, `bash -r`, `set -r`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Restricted {
    No,
    AfterStartup,
    Yes,
}

/// The state of one shell.
#[derive(Debug)]
pub struct Shell {
    /// Whose grammar, whose words.
    pub dialect: Dialect,
    /// `$0`.
    pub arg0: Vec<u8>,
    /// The name that the shell was started by, whatever `$0` is.
    pub(crate) started_as: Vec<u8>,
    /// `$$`: the process of the shell that is no subshell.
    pub pid: Pid,
    /// Where commands come from.
    pub source: Source,
    /// Whether a person is there.
    pub interactive: bool,
    /// Whether a person is there, be it this shell's or the one it is a subshell of.
    pub for_person: bool,
    /// Whether it is a login shell.
    pub login: bool,
    /// Variables.
    pub variables: Variables,
    /// `$1`, `$2`, …
    pub positional: Words,
    /// Functions by name.
    pub functions: BTreeMap<Vec<u8>, Function>,
    /// What they take, in bytes.
    function_bytes: usize,
    /// There was no memory for the last copy: [`Shell::fork`] fails.
    pub(crate) no_memory: AtomicBool,
    /// Aliases by name.
    pub aliases: Table<Vec<u8>>,
    /// `set` and `shopt`.
    pub options: Options,
    /// `$?`
    pub status: u8,
    /// `$!`
    pub background: Option<Pid>,
    /// What `trap` set.
    pub traps: Traps,
    /// Background and stopped jobs.
    pub jobs: Jobs,
    /// Function calls and sourced files, the innermost last.
    pub frames: Vec<Frame>,
    /// Loops that `break` can leave.
    pub loops: u32,
    /// `$LINENO`.
    pub line: u32,
    /// How far the text has been read.
    pub(crate) lines: Lines,
    /// Levels of subshell: `$BASH_SUBSHELL`.
    pub subshell: u32,
    /// Texts run within texts (`eval`, `source`, `$( )`): the signs in front of a trace.
    pub indirection: u32,
    /// Whether the text of `eval` is being read: syntax errors say so.
    pub in_eval: bool,
    /// Whether the text of a substitution is being read: syntax errors say so.
    pub(crate) in_substitution: bool,
    /// Whether the trap of `EXIT` runs.
    pub(crate) leaving: bool,
    /// Whether the last text ended in a syntax error, until someone asks.
    pub syntax_failed: bool,
    /// The options that `local -` keeps for the end of the running function.
    pub(crate) kept_options: Option<Options>,
    /// The coprocess that runs: its process, the name of its array.
    pub(crate) coprocess: Option<(Pid, Vec<u8>)>,
    /// What traps have to know of the commands before.
    pub(crate) around_traps: AroundTraps,
    /// Whether this is a restricted shell, or shall be one once its startup files have run.
    pub(crate) restricted: Restricted,
    /// What dash's `return` was told beyond a byte, until the next command: `$?` shows it.
    pub(crate) wide_status: Option<u32>,
    /// What `$PIPESTATUS` holds, if that is one status.
    pub(crate) pipe_status: Option<u8>,
    /// Who complains of an expression: the builtin that evaluates it, the parameter that is cut.
    pub(crate) speaking: Option<Vec<u8>>,
    /// What is added to the lines of commands: those of a substitution are counted from the end of the
    /// command it stands in.
    pub(crate) line_shift: i32,
    /// `$BASH_COMMAND`, kept while a trap is set.
    pub command_text: Vec<u8>,
    /// While above 0 a failing command does not end the shell under `set -e`.
    pub condition: u32,
    /// Nesting of evaluation; see [`MAX_CALL_DEPTH`].
    pub depth: u32,
    /// What is nested in the future that runs; see [`SEGMENT_COMMANDS`].
    pub(crate) nested: u32,
    /// Arithmetic expressions within expressions.
    pub(crate) expressions: u32,
    /// A parameter that cannot be expanded so, until the word around it is known; whether it ends the
    /// shell.
    pub(crate) bad_parameter: Option<(Vec<u8>, bool)>,
    /// What `name+=value` added, kept for the trace of `set -x`.
    pub(crate) appended: Vec<Vec<u8>>,
    /// Whether the parent ran the `DEBUG` trap for the command that this member of a pipeline begins with.
    pub(crate) debugged: bool,
    /// What `complete` was told, by command.
    pub completions: Table<Vec<u8>>,
    /// Where programs were found: `hash`.
    pub hashed: Table<(Vec<u8>, u32)>,
    /// Directories of `pushd`, without the current one.
    pub directory_stack: Vec<Vec<u8>>,
    /// Lines typed before.
    pub history: History,
    /// What keys do, and readline's variables.
    pub(crate) keys: Arc<crate::readline::keymap::Settings>,
    /// Whether inputrc files have been read.
    pub(crate) read_inputrc: bool,
    /// Builtins that `enable -n` switched off.
    pub disabled: Vec<Vec<u8>>,
    /// Monotonic time that `$SECONDS` counts from.
    pub seconds_from: Duration,
    /// Seconds that `$SECONDS` had then.
    pub seconds_added: u64,
    /// Variables that were unset and so lost what was special about them: `RANDOM`, `SECONDS`.
    pub plain_names: Vec<Vec<u8>>,
    /// Lists that run now: `^C` at a program leaves them, but not an `if`.
    pub lists: u32,
    /// Lines typed so far.
    pub typed_lines: u32,
    /// The number of the command that will be typed next: `\#` in a prompt.
    pub(crate) commands_typed: u32,
    /// Text behind the command that runs, on its line.
    pub(crate) pasted: Vec<u8>,
    /// Lines that were pasted together with the one that runs.
    pub(crate) pasted_lines: VecDeque<Vec<u8>>,
    /// What the next line to be edited begins with: `histverify`, `read -i`.
    pub(crate) line_to_edit: Option<Vec<u8>>,
    /// The quote that the lines before left open.
    pub(crate) open_quote: Option<u8>,
    /// Whether what was typed just before was `jobs`: leaving is meant after that.
    pub(crate) listed_jobs_at: u32,
    /// The line at which a person was told of stopped jobs when leaving.
    pub warned_at: u32,
    /// Whether `kill` was just used: news of jobs comes after the next prompt then.
    pub has_killed: bool,
    /// What the next prompt tells of the stopped jobs that `kill` was used on.
    pub(crate) killed_jobs: Vec<u8>,
    /// Where `$RANDOM` goes on, if it was assigned to.
    pub random: Option<u32>,
    /// Status of the last command substitution, for assignments without a command.
    pub substitution_status: Option<u8>,
    /// Where in a group of options `getopts` is: the index within the argument.
    pub getopts_at: usize,
    /// Array arguments of the builtin that is being called: position among its arguments, assignment.
    pub array_arguments: Vec<(usize, ast::Assignment)>,
    /// Set while `exec` without a command redirects for good.
    pub keep_redirections: bool,
    /// The string of `-c`, for `$BASH_EXECUTION_STRING`.
    pub execution_string: Option<Arc<[u8]>>,
    /// Memory charged for variables.
    pub memory: Memory,
    /// Signals that came during a wait; their traps run when it is over.
    pub(crate) deferred_signals: Vec<Signal>,
    /// Set in subshells: what they run stays in their process group, whatever `set -m` says, until
    /// they say it themselves. `$-` keeps its `m`.
    pub(crate) without_jobs: bool,
    /// Signals that were ignored when the shell started: they stay so in its children.
    pub(crate) ignored_at_start: Vec<Signal>,
    /// Descriptors of process substitutions of the command that runs.
    pub(crate) substitution_descriptors: Vec<Fd>,
}

impl Shell {
    /// A shell of this dialect with nothing set yet.
    pub fn new(proc: &Process, dialect: Dialect, arg0: Vec<u8>) -> Self {
        Self {
            dialect,
            started_as: arg0.clone(),
            arg0,
            pid: proc.pid(),
            source: Source::Stdin,
            interactive: false,
            for_person: false,
            login: false,
            variables: Variables::new(),
            positional: Words::new(),
            functions: BTreeMap::new(),
            function_bytes: 0,
            no_memory: AtomicBool::new(false),
            aliases: Table::new(),
            options: Options::default(),
            status: 0,
            background: None,
            traps: Traps::default(),
            jobs: Jobs::default(),
            frames: Vec::new(),
            loops: 0,
            line: 1,
            lines: Lines { before: 0, read: 1 },
            subshell: 0,
            indirection: 0,
            in_eval: false,
            in_substitution: false,
            leaving: false,
            syntax_failed: false,
            kept_options: None,
            coprocess: None,
            wide_status: None,
            around_traps: AroundTraps::default(),
            restricted: Restricted::No,
            pipe_status: None,
            speaking: None,
            line_shift: 0,
            command_text: Vec::new(),
            condition: 0,
            depth: 0,
            nested: 0,
            expressions: 0,
            bad_parameter: None,
            appended: Vec::new(),
            debugged: false,
            completions: Table::new(),
            hashed: Table::new(),
            directory_stack: Vec::new(),
            history: History::default(),
            keys: crate::readline::keymap::Settings::new(),
            read_inputrc: false,
            disabled: Vec::new(),
            seconds_from: proc.monotonic(),
            seconds_added: 0,
            plain_names: Vec::new(),
            lists: 0,
            typed_lines: 0,
            commands_typed: 1,
            pasted: Vec::new(),
            pasted_lines: VecDeque::new(),
            line_to_edit: None,
            open_quote: None,
            listed_jobs_at: u32::MAX - 1,
            has_killed: false,
            killed_jobs: Vec::new(),
            warned_at: u32::MAX - 1,
            random: None,
            substitution_status: None,
            getopts_at: 0,
            array_arguments: Vec::new(),
            keep_redirections: false,
            execution_string: None,
            memory: proc.memory(),
            deferred_signals: Vec::new(),
            without_jobs: false,
            ignored_at_start: Vec::new(),
            substitution_descriptors: Vec::new(),
        }
    }

    /// Only bash's subshells still list the jobs of their parent.
    fn jobs_of_subshell(&self) -> Jobs {
        if self.is_bash() {
            self.jobs.clone()
        } else {
            Jobs::default()
        }
    }

    /// The copy that a subshell starts with; `proc` is the process it will run in or its parent,
    /// which is charged for it. If there is no memory, the fork that follows fails.
    pub fn to_subshell(&self, proc: &Process) -> Self {
        let (memory, variables, positional) = self.copied_words(proc);
        Self {
            dialect: self.dialect,
            arg0: self.arg0.clone(),
            started_as: self.started_as.clone(),
            pid: self.pid,
            source: self.source,
            interactive: false,
            for_person: self.for_person,
            login: self.login,
            variables,
            positional,
            no_memory: AtomicBool::new(false),
            functions: self.functions.clone(),
            // The original holds what both refer to.
            function_bytes: 0,
            aliases: self.aliases.clone(),
            options: self.options.clone(),
            status: self.status,
            background: self.background,
            traps: self.traps_of_subshell(self.is_bash()),
            jobs: self.jobs_of_subshell(),
            frames: self.frames.clone(),
            loops: 0,
            line: self.line,
            lines: self.lines,
            subshell: self.subshell + 1,
            indirection: self.indirection,
            in_eval: self.in_eval,
            in_substitution: self.in_substitution,
            leaving: false,
            syntax_failed: false,
            kept_options: self.kept_options.clone(),
            coprocess: None,
            wide_status: self.wide_status,
            around_traps: self.around_traps,
            restricted: self.restricted,
            pipe_status: self.pipe_status,
            speaking: None,
            line_shift: self.line_shift,
            command_text: self.command_text.clone(),
            condition: self.condition,
            depth: self.depth,
            nested: 0,
            expressions: 0,
            bad_parameter: None,
            appended: Vec::new(),
            debugged: false,
            completions: self.completions.clone(),
            hashed: self.hashed.clone(),
            directory_stack: self.directory_stack.clone(),
            history: self.history.clone(),
            keys: Arc::clone(&self.keys),
            read_inputrc: self.read_inputrc,
            disabled: self.disabled.clone(),
            seconds_from: self.seconds_from,
            seconds_added: self.seconds_added,
            plain_names: self.plain_names.clone(),
            lists: 0,
            typed_lines: self.typed_lines,
            commands_typed: self.commands_typed,
            pasted: Vec::new(),
            pasted_lines: VecDeque::new(),
            line_to_edit: None,
            open_quote: None,
            listed_jobs_at: u32::MAX - 1,
            has_killed: false,
            killed_jobs: Vec::new(),
            warned_at: u32::MAX - 1,
            random: self.random,
            substitution_status: None,
            getopts_at: self.getopts_at,
            array_arguments: Vec::new(),
            keep_redirections: false,
            execution_string: self.execution_string.clone(),
            memory,
            deferred_signals: Vec::new(),
            without_jobs: true,
            ignored_at_start: self.ignored_at_start.clone(),
            substitution_descriptors: Vec::new(),
        }
    }

    /// What a copy of this shell holds that may be large, and the memory that it is charged for.
    fn copied_words(&self, proc: &Process) -> (Memory, Variables, Words) {
        let mut memory = proc.memory();
        let variables = memory.grow(self.variables.bytes().saturating_add(self.kept_bytes()));
        let variables = variables.map(|()| self.variables.clone());
        let positional = Words::try_copy(proc, &self.positional);
        if variables.is_err() || positional.is_err() {
            self.no_memory.store(true, Ordering::Relaxed);
        }
        (
            memory,
            variables.unwrap_or_default(),
            positional.unwrap_or_default(),
        )
    }

    /// Whether this is bash, and not dash or ash.
    pub fn is_bash(&self) -> bool {
        self.dialect == Dialect::Bash
    }

    /// Whether a syntax error in a sourced file or in `eval` is only their failure.
    pub(crate) fn goes_on_after_syntax_error(&self) -> bool {
        self.is_bash() && !self.options.is_set("posix")
    }

    /// Whether a function runs.
    pub fn in_function(&self) -> bool {
        self.frames.iter().any(|frame| frame.function)
    }

    /// Keeps a function in the place of what had its name.
    pub fn keep_function(&mut self, name: &[u8], function: Function) {
        self.drop_function(name);
        let bytes = function_bytes(&function);
        self.function_bytes = self.function_bytes.saturating_add(bytes);
        self.functions.insert(name.to_vec(), function);
    }

    /// Forgets a function, if there is one of this name.
    pub fn drop_function(&mut self, name: &[u8]) {
        if let Some(function) = self.functions.remove(name) {
            let bytes = function_bytes(&function);
            self.function_bytes = self.function_bytes.saturating_sub(bytes);
        }
    }

    /// What else a visitor has filled in: aliases, traps, lines of history, and more.
    fn kept_bytes(&self) -> usize {
        let directories = self.directory_stack.iter().map(Vec::len).sum::<usize>();
        self.aliases.bytes()
            + self.completions.bytes()
            + self.hashed.bytes()
            + self.traps.bytes()
            + self.history.weight()
            + self.keys.text_bytes
            + directories
    }

    /// Charges the growth of variables, functions and whatever else is kept since the last call to
    /// the machine's memory.
    ///
    /// # Errors
    ///
    /// When the budget is spent; the shell is to be killed then.
    pub fn charge_memory(&mut self) -> Result<(), sundew_kernel::Errno> {
        let held = usize::try_from(self.memory.held()).unwrap_or(usize::MAX);
        let used = self.variables.bytes().saturating_add(self.function_bytes);
        let used = used.saturating_add(self.kept_bytes());
        if used > held {
            self.memory.grow(used - held)
        } else {
            self.memory.shrink(held - used);
            Ok(())
        }
    }
}

/// What a function takes: as a tree each byte of its text is some fifty.
fn function_bytes(function: &Function) -> usize {
    const BYTES_PER_LETTER: usize = 50;
    let text = sundew_sh_syntax::unparse::command(&function.body);
    text.len().saturating_mul(BYTES_PER_LETTER)
}

impl Aliases for Shell {
    fn lookup(&self, name: &[u8]) -> Option<Vec<u8>> {
        self.aliases.get(name).cloned()
    }
}
