//! Programs as instructions, in one pass.

mod expression;
mod statement;

use std::collections::HashMap;

use sundew_posix::regex::{Error, Flags, Regex, Syntax};

use super::lexer::{Token, Word, words};
use super::op::{Function, Op, Program, Variable};
use super::vm::SPECIAL;

/// Deepest nesting of expressions and statements, counted in grammar rules.
const MAX_DEPTH: usize = 200;

/// A complaint without the program's name.
type Failure = Vec<u8>;

/// Compiles a program.
pub(super) fn parse(text: &[u8]) -> Result<Program, Failure> {
    let mut parser = Parser::new(words(text)?);
    parser.program()?;
    parser.finish()
}

/// Where a loop can be left or gone on with.
#[derive(Debug, Default)]
struct Loop {
    breaks: Vec<usize>,
    continues: Vec<usize>,
}

/// A name given to a function, which may be an array.
struct Argument {
    at: usize,
    caller: Option<usize>,
    variable: Variable,
    callee: usize,
    position: usize,
}

struct Parser {
    words: Vec<Word>,
    at: usize,
    program: Program,
    globals: HashMap<Vec<u8>, usize>,
    functions: HashMap<Vec<u8>, usize>,
    /// The function being read and its parameters.
    function: Option<usize>,
    locals: HashMap<Vec<u8>, usize>,
    global_arrays: Vec<bool>,
    arguments: Vec<Argument>,
    loops: Vec<Loop>,
    depth: usize,
    /// Whether `>` is a redirection.
    no_greater: bool,
    in_rule: bool,
    begin_end: Option<usize>,
    main_end: Option<usize>,
    end_end: Option<usize>,
}

impl Parser {
    fn new(words: Vec<Word>) -> Self {
        let mut parser = Self {
            words,
            at: 0,
            program: Program::default(),
            globals: HashMap::new(),
            functions: HashMap::new(),
            function: None,
            locals: HashMap::new(),
            global_arrays: Vec::new(),
            arguments: Vec::new(),
            loops: Vec::new(),
            depth: 0,
            no_greater: false,
            in_rule: false,
            begin_end: None,
            main_end: None,
            end_end: None,
        };
        for (name, array) in SPECIAL {
            parser.global(name.as_bytes());
            if let (true, Some(last)) = (*array, parser.global_arrays.last_mut()) {
                *last = true;
            }
        }
        parser
    }

    // ---- words ---------------------------------------------------------------------------------

    fn token(&self) -> &Token {
        self.words
            .get(self.at)
            .map_or(&Token::End, |word| &word.token)
    }

    fn token_ahead(&self, ahead: usize) -> &Token {
        self.words
            .get(self.at + ahead)
            .map_or(&Token::End, |word| &word.token)
    }

    fn line(&self) -> usize {
        self.words
            .get(self.at)
            .or(self.words.last())
            .map_or(1, |word| word.line)
    }

    fn advance(&mut self) {
        if self.at + 1 < self.words.len() {
            self.at += 1;
        }
    }

    fn is_mark(&self, mark: &str) -> bool {
        matches!(self.token(), Token::Mark(here) if *here == mark)
    }

    fn is_keyword(&self, keyword: &str) -> bool {
        matches!(self.token(), Token::Keyword(here) if *here == keyword)
    }

    fn take_mark(&mut self, mark: &str) -> bool {
        let found = self.is_mark(mark);
        if found {
            self.advance();
        }
        found
    }

    fn expect(&mut self, mark: &str) -> Result<(), Failure> {
        if self.take_mark(mark) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    fn skip_newlines(&mut self) {
        while *self.token() == Token::Newline {
            self.advance();
        }
    }

    fn skip_ends(&mut self) {
        while *self.token() == Token::Newline || self.is_mark(";") {
            self.advance();
        }
    }

    fn complaint(&self, text: &[u8]) -> Failure {
        [format!("line {}: ", self.line()).as_bytes(), text].concat()
    }

    fn unexpected(&self) -> Failure {
        match self.token() {
            Token::End => self.complaint(b"missing } near end of file"),
            Token::Newline if *self.token_ahead(1) == Token::End => {
                // The program ends here: mawk is on the next line by now.
                format!("line {}: missing }} near end of file", self.line() + 1).into_bytes()
            }
            Token::Newline => self.complaint(b"syntax error at or near end of line"),
            Token::Mark(")") => self.complaint(b"extra ')'"),
            Token::Mark("]") => self.complaint(b"extra ']'"),
            _ => {
                let shown = self
                    .words
                    .get(self.at)
                    .map(|word| word.shown.clone())
                    .unwrap_or_default();
                self.complaint(&[b"syntax error at or near ".as_slice(), &shown].concat())
            }
        }
    }

    fn deeper(&mut self) -> Result<(), Failure> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.complaint(b"yacc stack overflow"));
        }
        Ok(())
    }

    // ---- code ----------------------------------------------------------------------------------

    fn emit(&mut self, op: Op) -> usize {
        self.program.code.push(op);
        self.program.code.len() - 1
    }

    fn here(&self) -> usize {
        self.program.code.len()
    }

    /// Makes the jump at `at` lead to `target`.
    fn aim(&mut self, at: usize, target: usize) {
        match self.program.code.get_mut(at) {
            Some(
                Op::Jump(to)
                | Op::JumpIfFalse(to)
                | Op::JumpIfTrue(to)
                | Op::AndThen(to)
                | Op::OrElse(to)
                | Op::ForNext(to)
                | Op::RangeOutside(to, _),
            ) => *to = target,
            Some(end @ Op::End) => *end = Op::Jump(target),
            _ => {}
        }
    }

    fn aim_here(&mut self, at: usize) {
        let here = self.here();
        self.aim(at, here);
    }

    fn regex(&mut self, pattern: &[u8]) -> Result<usize, Failure> {
        let regex = Regex::new(pattern, Syntax::Awk, Flags::default())
            .map_err(|error| self.complaint(&regex_words(error, pattern)))?;
        self.program.regexes.push(regex);
        Ok(self.program.regexes.len() - 1)
    }

    // ---- names ---------------------------------------------------------------------------------

    fn global(&mut self, name: &[u8]) -> usize {
        if let Some(&known) = self.globals.get(name) {
            return known;
        }
        let index = self.program.globals.len();
        self.program.globals.push(name.to_vec());
        self.global_arrays.push(false);
        self.globals.insert(name.to_vec(), index);
        index
    }

    fn variable(&mut self, name: &[u8]) -> Variable {
        match self.locals.get(name) {
            Some(&local) => Variable::Local(local),
            None => Variable::Global(self.global(name)),
        }
    }

    fn function_named(&mut self, name: &[u8]) -> usize {
        if let Some(&known) = self.functions.get(name) {
            return known;
        }
        let index = self.program.functions.len();
        self.program.functions.push(Function {
            name: name.to_vec(),
            ..Function::default()
        });
        self.functions.insert(name.to_vec(), index);
        index
    }

    fn is_array(&self, function: Option<usize>, variable: Variable) -> bool {
        match variable {
            Variable::Global(index) => self.global_arrays.get(index) == Some(&true),
            Variable::Local(index) => function
                .and_then(|function| self.program.functions.get(function))
                .is_some_and(|function| function.arrays.get(index) == Some(&true)),
        }
    }

    fn mark_array(&mut self, function: Option<usize>, variable: Variable) {
        let place = match variable {
            Variable::Global(index) => self.global_arrays.get_mut(index),
            Variable::Local(index) => function
                .and_then(|function| self.program.functions.get_mut(function))
                .and_then(|function| function.arrays.get_mut(index)),
        };
        if let Some(place) = place {
            *place = true;
        }
    }

    /// A name used as an array.
    fn array(&mut self, name: &[u8]) -> Variable {
        let variable = self.variable(name);
        self.mark_array(self.function, variable);
        variable
    }

    // ---- items ---------------------------------------------------------------------------------

    fn program(&mut self) -> Result<(), Failure> {
        self.skip_ends();
        while *self.token() != Token::End {
            self.item()?;
            self.skip_ends();
        }
        Ok(())
    }

    fn item(&mut self) -> Result<(), Failure> {
        if self.is_mark("}") {
            // The one mistake that mawk words twice.
            let line = self.line();
            let text = format!(
                "line {line}: extra '}}'\nmawk: line {line}: syntax error at or near end of line"
            );
            return Err(text.into_bytes());
        }
        if self.is_keyword("function") {
            return self.function_definition();
        }
        let (begin, end) = (self.is_keyword("BEGIN"), self.is_keyword("END"));
        if begin || end {
            self.advance();
            if !self.is_mark("{") {
                return Err(self.unexpected());
            }
            self.start_chain(begin, end);
            self.block()?;
            self.end_chain(begin, end);
            return Ok(());
        }
        self.in_rule = true;
        self.start_chain(false, false);
        let result = self.rule();
        self.in_rule = false;
        result?;
        self.end_chain(false, false);
        Ok(())
    }

    /// Links a piece of code to the pieces of its kind before it.
    fn start_chain(&mut self, begin: bool, end: bool) {
        let here = self.here();
        let (last, first) = match (begin, end) {
            (true, _) => (self.begin_end, &mut self.program.begin),
            (_, true) => (self.end_end, &mut self.program.end),
            _ => (self.main_end, &mut self.program.main),
        };
        first.get_or_insert(here);
        if let Some(last) = last {
            self.aim(last, here);
        }
    }

    fn end_chain(&mut self, begin: bool, end: bool) {
        let at = self.emit(Op::End);
        match (begin, end) {
            (true, _) => self.begin_end = Some(at),
            (_, true) => self.end_end = Some(at),
            _ => self.main_end = Some(at),
        }
    }

    fn rule(&mut self) -> Result<(), Failure> {
        if self.is_mark("{") {
            return self.block();
        }
        let number = self.program.ranges;
        // Becomes a jump over the first address, if there are two.
        let outside = self.emit(Op::Jump(0));
        self.aim_here(outside);
        self.expression()?;
        let skip = self.emit(Op::JumpIfFalse(0));
        let mut skips = vec![skip];
        if self.take_mark(",") {
            self.skip_newlines();
            self.program.ranges += 1;
            self.emit(Op::RangeEnter(number));
            let second = self.here();
            if let Some(op) = self.program.code.get_mut(outside) {
                *op = Op::RangeOutside(second, number);
            }
            self.expression()?;
            let stays = self.emit(Op::JumpIfFalse(0));
            self.emit(Op::RangeLeave(number));
            self.aim_here(stays);
        }
        if self.is_mark("{") {
            self.block()?;
        } else {
            self.emit(Op::Print {
                args: 0,
                destination: super::op::Destination::Stdout,
            });
            if !matches!(self.token(), Token::Newline | Token::End) && !self.is_mark(";") {
                return Err(self.unexpected());
            }
        }
        for skip in skips.drain(..) {
            self.aim_here(skip);
        }
        Ok(())
    }

    fn function_definition(&mut self) -> Result<(), Failure> {
        self.advance();
        let (Token::Name(name) | Token::Call(name)) = self.token().clone() else {
            return Err(self.unexpected());
        };
        self.advance();
        self.expect("(")?;
        let index = self.function_named(&name);
        self.locals.clear();
        while let Token::Name(param) = self.token().clone() {
            self.advance();
            let position = self.locals.len();
            self.locals.insert(param, position);
            if !self.take_mark(",") {
                break;
            }
            self.skip_newlines();
        }
        self.expect(")")?;
        self.skip_newlines();
        let (start, params) = (self.here(), self.locals.len());
        if let Some(function) = self.program.functions.get_mut(index) {
            if function.defined {
                return Err(self.complaint(&[b"redefinition of ".as_slice(), &name].concat()));
            }
            *function = Function {
                name,
                start,
                params,
                arrays: vec![false; params],
                defined: true,
            };
        }
        self.function = Some(index);
        self.block()?;
        self.function = None;
        self.locals.clear();
        self.emit(Op::Text(b"".as_slice().into()));
        self.emit(Op::Return);
        Ok(())
    }

    /// Finds out which arguments are arrays, and that every function called exists.
    fn finish(mut self) -> Result<Program, Failure> {
        let undefined = self
            .program
            .functions
            .iter()
            .find(|function| !function.defined);
        if let Some(function) = undefined {
            let line = self.words.last().map_or(1, |word| word.line);
            return Err([
                format!("line {line}: function ").as_bytes(),
                &function.name,
                b" never defined",
            ]
            .concat());
        }
        let arguments = std::mem::take(&mut self.arguments);
        loop {
            let mut changed = false;
            for argument in &arguments {
                let parameter = Variable::Local(argument.position);
                let here = self.is_array(argument.caller, argument.variable);
                let there = self.is_array(Some(argument.callee), parameter);
                if here && !there {
                    self.mark_array(Some(argument.callee), parameter);
                    changed |= self.is_array(Some(argument.callee), parameter);
                } else if there && !here {
                    self.mark_array(argument.caller, argument.variable);
                    changed = true;
                }
            }
            if !changed {
                break;
            }
        }
        for argument in &arguments {
            if self.is_array(argument.caller, argument.variable)
                && let Some(op) = self.program.code.get_mut(argument.at)
            {
                *op = Op::PushArray(argument.variable);
            }
        }
        Ok(self.program)
    }
}

/// What mawk says about a pattern, which it shows on a line of its own.
pub(super) fn regex_words(error: Error, pattern: &[u8]) -> Vec<u8> {
    let words = match error {
        Error::Parenthesis => "missing ')'",
        Error::Repetition => "missing operand",
        Error::Memory | Error::TooBig => "regular expression too large",
        _ => "bad class -- [], [^] or [",
    };
    [
        format!("regular expression compile failed ({words})\n").as_bytes(),
        pattern,
    ]
    .concat()
}
