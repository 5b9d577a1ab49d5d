//! The tree as text, in bash's own format: what `declare -f`, `type` and `jobs` print.
//!
//! Bash prints blanks, semicolons, newlines and indentation its own way and words as typed. Parsing
//! the text again gives the same tree, but for line numbers.

use crate::ast::{
    AndOr, Case, CaseEnd, Command, CommandKind, Conditional, ConditionalOperator, Descriptor, For,
    Function, HereDocument, If, Junction, List, Loop, Pipeline, Redirect, RedirectKind, Simple,
    Time, Word,
};
use crate::lexer::Keyword;
use crate::option::Dialect;

mod word;

pub use word::word;
pub(crate) use word::{assignment_word, part};

/// What ends a word (bash(1), DEFINITIONS).
const METACHARACTERS: &[u8] = b" \t\n;&|()<>";

/// A list, as the text of a job.
#[must_use]
pub fn list(list: &List) -> Vec<u8> {
    let mut printer = Printer::default();
    printer.list(list);
    printer.finish()
}

/// An assignment as it was written.
#[must_use]
pub fn assignment(assignment: &crate::ast::Assignment) -> Vec<u8> {
    word(&assignment_word(assignment))
}

/// The commands inside `$( )`.
#[must_use]
pub fn substituted(list: &List) -> Vec<u8> {
    let mut printer = Printer {
        substitution: true,
        ..Printer::default()
    };
    printer.list(list);
    printer.finish()
}

/// One member of a list, without the `&` that may follow it.
#[must_use]
pub fn and_or(and_or: &AndOr) -> Vec<u8> {
    let mut printer = Printer::default();
    printer.and_or(and_or);
    printer.finish()
}

/// One pipeline.
#[must_use]
pub fn pipeline(pipeline: &Pipeline) -> Vec<u8> {
    let mut printer = Printer::default();
    printer.pipeline(pipeline);
    printer.finish()
}

/// One command.
#[must_use]
pub fn command(command: &Command) -> Vec<u8> {
    let mut printer = Printer::default();
    printer.command(command);
    printer.finish()
}

/// A function's definition as `declare -f` prints it, without a newline at its end.
#[must_use]
pub fn function(name: &[u8], body: &Command) -> Vec<u8> {
    let mut printer = Printer::default();
    printer.out.extend_from_slice(name);
    printer.text(b" () \n");
    printer.function_body(body);
    printer.finish()
}

/// What stands in front of a redirection operator.
pub(crate) fn descriptor(descriptor: &Descriptor) -> Vec<u8> {
    match descriptor {
        Descriptor::Default => Vec::new(),
        Descriptor::Number(number) => number.to_string().into_bytes(),
        Descriptor::Variable(name) => [b"{".as_slice(), name, b"}"].concat(),
    }
}

/// Columns per level of indentation.
const STEP: usize = 4;

#[derive(Default)]
struct Printer {
    out: Vec<u8>,
    indentation: usize,
    /// How many of the next commands stand on the line that was begun.
    no_indent: usize,
    /// How many functions we are in; inside, `;` is followed by a newline.
    functions: usize,
    /// Bodies to be printed when the line ends.
    here_documents: Vec<Vec<u8>>,
    /// Whether a body was just printed, so that no `;` may follow.
    after_here_document: bool,
    /// Whether this is the inside of `$( )`.
    substitution: bool,
}

fn begins_reserved(simple: &Simple) -> bool {
    let first = simple.words.first().and_then(Word::as_literal);
    simple.assignments.is_empty()
        && first.is_some_and(|word| Keyword::from_word(word, Dialect::Bash).is_some())
}

impl Printer {
    fn finish(mut self) -> Vec<u8> {
        self.flush_here_documents(b"");
        self.out
    }

    fn text(&mut self, text: &[u8]) {
        self.out.extend_from_slice(text);
    }

    fn newline(&mut self, text: &[u8]) {
        self.text(b"\n");
        self.indent();
        self.text(text);
    }

    fn indent(&mut self) {
        self.out.extend(std::iter::repeat_n(b' ', self.indentation));
    }

    fn begin(&mut self) {
        if self.no_indent > 0 {
            self.no_indent = self.no_indent.saturating_sub(1);
        } else {
            self.indent();
        }
    }

    /// `;`, unless what stands there ends a command already.
    fn semicolon(&mut self) {
        if !matches!(self.out.last(), Some(b'&' | b'\n')) {
            self.text(b";");
        }
    }

    fn more(&mut self) {
        self.indentation = self.indentation.saturating_add(STEP);
    }

    fn less(&mut self) {
        self.indentation = self.indentation.saturating_sub(STEP);
    }

    fn flush_here_documents(&mut self, text: &[u8]) {
        self.text(text);
        let bodies = std::mem::take(&mut self.here_documents);
        if bodies.is_empty() {
            return;
        }
        self.text(b"\n");
        for body in bodies {
            self.text(&body);
            self.text(b"\n");
        }
        if !text.is_empty() {
            self.text(b" ");
        }
        self.after_here_document = true;
    }

    fn list(&mut self, list: &List) {
        let last = list.items.len().saturating_sub(1);
        for (at, item) in list.items.iter().enumerate() {
            self.and_or(&item.and_or);
            if at > 0 && !item.background {
                self.flush_here_documents(b"");
            }
            if item.background {
                self.flush_here_documents(b" &");
                if at < last {
                    self.text(b" ");
                    self.no_indent = self.no_indent.saturating_add(1);
                }
            } else if at < last {
                self.sequence(item.newline);
            }
        }
    }

    /// What stands between two commands in sequence.
    fn sequence(&mut self, newline: bool) {
        if newline && self.substitution {
            // Inside `$( )` bash keeps the newlines.
            self.flush_here_documents(b"");
            self.text(b"\n");
            self.no_indent = self.no_indent.saturating_add(1);
            return;
        }
        if !self.here_documents.is_empty() {
            self.flush_here_documents(b"");
        } else if self.after_here_document {
            // Left set by the body of a list's first command, as in bash, where the command after
            // it then lacks its `;`.
            self.after_here_document = false;
        } else {
            self.text(b";");
        }
        if self.functions > 0 {
            self.text(b"\n");
        } else {
            self.text(b" ");
            self.no_indent = self.no_indent.saturating_add(1);
        }
    }

    fn and_or(&mut self, and_or: &AndOr) {
        self.pipeline(&and_or.first);
        for (junction, pipeline) in &and_or.rest {
            self.flush_here_documents(match junction {
                Junction::And => b" && ",
                Junction::Or => b" || ",
            });
            self.no_indent = self.no_indent.saturating_add(1);
            self.pipeline(pipeline);
            self.flush_here_documents(b"");
        }
    }

    fn pipeline(&mut self, pipeline: &Pipeline) {
        self.begin();
        match pipeline.time {
            Some(Time::Default) => self.text(b"time "),
            Some(Time::Posix) => self.text(b"time -p "),
            None => {}
        }
        if pipeline.negated {
            self.text(b"! ");
        } else if pipeline.commands.is_empty() && pipeline.time.is_none() {
            // `! !` with nothing behind it.
            self.text(b"! ! ");
        }
        for (at, command) in pipeline.commands.iter().enumerate() {
            if at > 0 {
                self.flush_here_documents(b" |");
                self.text(b" ");
            }
            self.no_indent = self.no_indent.saturating_add(1);
            self.command(command);
            if at > 0 {
                self.flush_here_documents(b"");
            }
        }
    }

    fn command(&mut self, command: &Command) {
        self.begin();
        match &command.kind {
            CommandKind::Simple(simple) if begins_reserved(simple) => {
                // `<x if` runs a program of that name; printed behind it, the redirection would not
                // keep the word from being reserved.
                self.redirects(&command.redirects);
                self.text(if command.redirects.is_empty() {
                    b""
                } else {
                    b" "
                });
                return self.simple(simple);
            }
            CommandKind::Simple(simple) => self.simple(simple),
            CommandKind::Group(list) => self.group(list),
            CommandKind::Subshell(list) => {
                self.text(b"( ");
                self.no_indent = self.no_indent.saturating_add(1);
                self.list(list);
                self.flush_here_documents(b"");
                self.text(b" )");
            }
            CommandKind::If(command) => self.if_(command, 0),
            CommandKind::Loop(command) => self.loop_(command),
            CommandKind::For(command) => self.for_(b"for ", command),
            CommandKind::Select(command) => self.for_(b"select ", command),
            CommandKind::ArithmeticFor(command) => {
                self.text(b"for ((");
                for (at, section) in [&command.initial, &command.condition, &command.step]
                    .into_iter()
                    .enumerate()
                {
                    self.text(if at > 0 { b"; " } else { b"" });
                    // Bash fills in what was left out.
                    let text = word(section);
                    self.text(if text.is_empty() { b"1" } else { &text });
                }
                self.text(b"))");
                self.do_done(&command.body);
            }
            CommandKind::Case(command) => self.case(command),
            CommandKind::Arithmetic(expression) => {
                self.text(b"((");
                self.text(&word(expression));
                self.text(b"))");
            }
            CommandKind::Conditional(expression) => {
                self.text(b"[[ ");
                self.conditional(expression);
                self.text(b" ]]");
            }
            CommandKind::Function(function) => self.nested_function(function),
            CommandKind::Coprocess(coprocess) => {
                self.text(b"coproc ");
                if !matches!(coprocess.body.kind, CommandKind::Simple(_)) {
                    self.text(&coprocess.name);
                    self.text(b" ");
                }
                self.no_indent = self.no_indent.saturating_add(1);
                self.command(&coprocess.body);
            }
        }
        self.redirects(&command.redirects);
    }

    fn simple(&mut self, simple: &Simple) {
        let assignments = simple.assignments.iter().map(assignment_word);
        let words = assignments.chain(simple.words.iter().cloned());
        for (at, each) in words.enumerate() {
            if at > 0 {
                self.text(b" ");
            }
            self.text(&word(&each));
        }
    }

    fn group(&mut self, list: &List) {
        self.text(b"{ ");
        if self.functions > 0 {
            self.text(b"\n");
            self.more();
        } else {
            self.no_indent = self.no_indent.saturating_add(1);
        }
        self.list(list);
        self.flush_here_documents(b"");
        if self.functions > 0 {
            self.text(b"\n");
            self.less();
            self.indent();
        } else {
            self.semicolon();
            self.text(b" ");
        }
        self.text(b"}");
    }

    /// Bash knows no `elif`: it stores an `if` inside the `else`, and prints that.
    fn if_(&mut self, command: &If, from: usize) {
        let Some((condition, body)) = command.branches.get(from) else {
            return;
        };
        self.text(b"if ");
        self.no_indent = self.no_indent.saturating_add(1);
        self.list(condition);
        self.flush_here_documents(b"");
        self.semicolon();
        self.text(b" then\n");
        self.body(body);
        let next = from.saturating_add(1);
        let elif = next < command.branches.len();
        if elif || command.otherwise.is_some() {
            self.semicolon();
            self.newline(b"else\n");
            if elif {
                self.more();
                self.indent();
                self.if_(command, next);
                self.less();
            } else if let Some(body) = &command.otherwise {
                self.body(body);
            }
        }
        self.semicolon();
        self.newline(b"fi");
    }

    fn body(&mut self, list: &List) {
        self.more();
        self.list(list);
        self.flush_here_documents(b"");
        self.less();
    }

    fn loop_(&mut self, command: &Loop) {
        self.text(if command.until { b"until " } else { b"while " });
        self.no_indent = self.no_indent.saturating_add(1);
        self.list(&command.condition);
        self.flush_here_documents(b"");
        self.semicolon();
        self.text(b" do\n");
        self.body(&command.body);
        self.semicolon();
        self.newline(b"done");
    }

    fn for_(&mut self, keyword: &[u8], command: &For) {
        self.text(keyword);
        self.text(&command.name);
        self.text(b" in ");
        match &command.words {
            Some(words) => {
                for (at, each) in words.iter().enumerate() {
                    if at > 0 {
                        self.text(b" ");
                    }
                    self.text(&word(each));
                }
            }
            None => self.text(b"\"$@\""),
        }
        self.text(b";");
        self.do_done(&command.body);
    }

    fn do_done(&mut self, body: &List) {
        self.newline(b"do\n");
        self.body(body);
        self.semicolon();
        self.newline(b"done");
    }

    fn case(&mut self, command: &Case) {
        self.text(b"case ");
        self.text(&word(&command.word));
        self.text(b" in ");
        self.more();
        for clause in &command.clauses {
            self.newline(b"");
            // Only an opening parenthesis tells this pattern from the end.
            if clause.patterns.first().and_then(Word::as_literal) == Some(b"esac") {
                self.text(b"(");
            }
            for (at, pattern) in clause.patterns.iter().enumerate() {
                if at > 0 {
                    self.text(b" | ");
                }
                self.text(&word(pattern));
            }
            self.text(b")\n");
            self.body(&clause.body);
            self.newline(match clause.end {
                CaseEnd::Break => b";;",
                CaseEnd::FallThrough => b";&",
                CaseEnd::Continue => b";;&",
            });
        }
        self.less();
        self.newline(b"esac");
    }

    fn conditional(&mut self, expression: &Conditional) {
        match expression {
            Conditional::Word(operand) => {
                self.text(b"-n ");
                self.text(&word(operand));
            }
            Conditional::Unary(operator, operand) => {
                self.text(operator);
                self.text(b" ");
                self.text(&word(operand));
            }
            Conditional::Binary(binary) => {
                let (left, operator, right) = &**binary;
                self.text(&word(left));
                self.text(b" ");
                self.text(match operator {
                    ConditionalOperator::Match(typed) => typed,
                    ConditionalOperator::NoMatch => b"!=",
                    ConditionalOperator::Regex => b"=~",
                    ConditionalOperator::Before => b"<",
                    ConditionalOperator::After => b">",
                    ConditionalOperator::Named(typed) => typed,
                });
                self.text(b" ");
                self.text(&word(right));
            }
            Conditional::Not(inside) => {
                self.text(b"! ");
                self.conditional(inside);
            }
            Conditional::And(all) => self.chain(all, b" && "),
            Conditional::Or(all) => self.chain(all, b" || "),
            Conditional::Parenthesised(inside) => {
                self.text(b"( ");
                self.conditional(inside);
                self.text(b" )");
            }
        }
    }

    fn chain(&mut self, all: &[Conditional], between: &[u8]) {
        for (at, each) in all.iter().enumerate() {
            if at > 0 {
                self.text(between);
            }
            self.conditional(each);
        }
    }

    /// A definition inside something else.
    fn nested_function(&mut self, function: &Function) {
        // Only in front of a command may a word hold blanks in `[…]`. bash prints the keyword for
        // such a name too, and cannot read back what it printed.
        if !function
            .name
            .iter()
            .any(|byte| METACHARACTERS.contains(byte))
        {
            self.text(b"function ");
        }
        self.text(&function.name);
        self.text(b" () \n");
        self.function_body(&function.body);
        self.after_here_document = false;
    }

    /// The body between its own braces, whether it was a group or not.
    fn function_body(&mut self, body: &Command) {
        self.indent();
        self.text(b"{ \n");
        self.functions = self.functions.saturating_add(1);
        self.more();
        let group = match &body.kind {
            CommandKind::Group(list) => Some(list),
            _ => None,
        };
        match group {
            Some(list) => self.list(list),
            None => self.command(body),
        }
        self.flush_here_documents(b"");
        self.less();
        self.functions = self.functions.saturating_sub(1);
        self.newline(b"}");
        if group.is_some() {
            self.redirects(&body.redirects);
        }
    }

    fn redirects(&mut self, redirects: &[Redirect]) {
        self.after_here_document &= redirects.is_empty();
        for redirect in redirects {
            // A blank behind a backslash is part of the word before.
            let parted =
                matches!(self.out.last(), None | Some(b' ' | b'\n')) && !self.out.ends_with(b"\\ ");
            if !parted {
                self.text(b" ");
            }
            self.redirect(redirect);
        }
    }

    fn redirect(&mut self, redirect: &Redirect) {
        let input = matches!(
            redirect.kind,
            RedirectKind::Input(_)
                | RedirectKind::DuplicateInput(_)
                | RedirectKind::HereDocument(_)
                | RedirectKind::HereString(_)
                | RedirectKind::InputOutput(_)
        );
        let usual = Descriptor::Number(if input { 0 } else { 1 });
        let both = matches!(
            redirect.kind,
            RedirectKind::OutputBoth(_) | RedirectKind::AppendBoth(_)
        );
        // Bash always numbers these, and leaves the usual number out of the others.
        let numbered = match &redirect.kind {
            RedirectKind::InputOutput(_) => true,
            RedirectKind::DuplicateInput(to) | RedirectKind::DuplicateOutput(to) => {
                names_number(to)
            }
            _ => false,
        };
        let default = redirect.descriptor == Descriptor::Default;
        if default && numbered {
            self.text(&descriptor(&usual));
        } else if !both && (numbered || redirect.descriptor != usual) {
            self.text(&descriptor(&redirect.descriptor));
        }
        let (operator, operand): (&[u8], _) = match &redirect.kind {
            RedirectKind::Input(file) => (b"< ", file),
            RedirectKind::Output(file) => (b"> ", file),
            RedirectKind::Clobber(file) => (b">| ", file),
            RedirectKind::Append(file) => (b">> ", file),
            RedirectKind::InputOutput(file) => (b"<> ", file),
            // Closing looks the same from both sides.
            RedirectKind::DuplicateInput(target) if target.as_literal() == Some(b"-") => {
                (b">&", target)
            }
            RedirectKind::DuplicateInput(target) => (b"<&", target),
            RedirectKind::DuplicateOutput(target) => (b">&", target),
            RedirectKind::OutputBoth(file) => (b"&> ", file),
            RedirectKind::AppendBoth(file) => (b"&>> ", file),
            RedirectKind::HereString(operand) => (b"<<< ", operand),
            RedirectKind::HereDocument(document) => return self.here_document(document),
        };
        self.text(operator);
        self.text(&word(operand));
    }

    fn here_document(&mut self, document: &HereDocument) {
        self.text(if document.strip_tabs { b"<<-" } else { b"<<" });
        self.text(&word::delimiter(&document.delimiter, document.quoted));
        let mut body = word::here_document(document);
        if !matches!(body.last(), None | Some(b'\n')) {
            // The text ended within the body.
            body.push(b'\n');
        }
        body.extend_from_slice(&document.delimiter);
        self.here_documents.push(body);
    }
}

/// Whether the word after `>&` is `3`, `3-` or `-`.
fn names_number(target: &Word) -> bool {
    let Some(text) = target.as_literal() else {
        return false;
    };
    let digits = text.strip_suffix(b"-").unwrap_or(text);
    digits.iter().all(u8::is_ascii_digit)
}
