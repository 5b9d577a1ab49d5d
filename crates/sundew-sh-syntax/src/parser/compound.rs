//! Compound commands: groups, `if`, loops, `case`, functions, coprocesses.

use std::sync::Arc;

use super::{Parse, Parser};
use crate::ast::{
    ArithmeticFor, Case, CaseClause, CaseEnd, Command, CommandKind, Coprocess, For, If, List, Loop,
    Word,
};
use crate::error::ErrorKind;
use crate::lexer::{Glance, Keyword, Operator, Place, is_name};
use crate::option::Dialect;
use crate::unparse;

impl Parser<'_> {
    /// A command that begins with a reserved word.
    pub(super) fn compound(&mut self, keyword: Keyword) -> Parse<Command> {
        let line = self.token_line();
        self.enter()?;
        let kind = match keyword {
            Keyword::If => self.if_()?,
            Keyword::While => self.loop_(false)?,
            Keyword::Until => self.loop_(true)?,
            Keyword::For => self.for_()?,
            Keyword::Select => self.select()?,
            Keyword::Case => self.case()?,
            Keyword::OpenBrace => self.group()?,
            Keyword::OpenConditional => self.conditional()?,
            Keyword::Function => {
                let command = self.function(line)?;
                self.leave();
                return Ok(command);
            }
            Keyword::Coproc => {
                let command = self.coprocess(line)?;
                self.leave();
                return Ok(command);
            }
            // Here and only here these are words: `a | time b`, `a | ! b` is an error.
            Keyword::Time => {
                self.leave();
                return self.simple();
            }
            Keyword::Then
            | Keyword::Elif
            | Keyword::Else
            | Keyword::Fi
            | Keyword::Do
            | Keyword::Done
            | Keyword::Esac
            | Keyword::In
            | Keyword::CloseBrace
            | Keyword::Bang => return self.unexpected(None),
        };
        self.leave();
        let redirects = self.redirects()?;
        Ok(Command {
            line,
            kind,
            redirects,
        })
    }

    /// `(`: a subshell, or `((`.
    pub(super) fn parenthesis(&mut self) -> Parse<Command> {
        let line = self.token_line();
        self.enter()?;
        let arithmetic = if self.bash() {
            self.arithmetic_command()?
        } else {
            None
        };
        let kind = match arithmetic {
            Some(word) => CommandKind::Arithmetic(word),
            None => {
                self.skip();
                let list = self.compound_list(")")?;
                self.expect_close()?;
                CommandKind::Subshell(Arc::new(list))
            }
        };
        self.leave();
        let redirects = self.redirects()?;
        Ok(Command {
            line,
            kind,
            redirects,
        })
    }

    fn expect_close(&mut self) -> Parse<()> {
        if self.take_operator(Operator::Close, Place::Command)? {
            return Ok(());
        }
        self.unexpected(Some(")"))
    }

    fn expect(&mut self, keyword: Keyword, text: &'static str) -> Parse<()> {
        if self.glance(Place::Command)? == Glance::Keyword(keyword) {
            self.skip();
            return Ok(());
        }
        self.unexpected(Some(text))
    }

    fn group(&mut self) -> Parse<CommandKind> {
        self.skip();
        let list = self.compound_list("}")?;
        self.expect(Keyword::CloseBrace, "}")?;
        Ok(CommandKind::Group(Arc::new(list)))
    }

    fn if_(&mut self) -> Parse<CommandKind> {
        let mut branches = Vec::new();
        let mut otherwise = None;
        let depth = self.depth;
        loop {
            self.skip();
            let condition = self.compound_list("then")?;
            self.expect(Keyword::Then, "then")?;
            branches.push((condition, self.compound_list("fi")?));
            match self.glance(Place::Command)? {
                // Each `elif` nests, as in bash: it is printed that way.
                Glance::Keyword(Keyword::Elif) => self.enter()?,
                Glance::Keyword(Keyword::Else) => {
                    self.skip();
                    otherwise = Some(self.compound_list("fi")?);
                    break;
                }
                _ => break,
            }
        }
        self.depth = depth;
        self.expect(Keyword::Fi, "fi")?;
        Ok(CommandKind::If(If {
            branches,
            otherwise,
        }))
    }

    fn loop_(&mut self, until: bool) -> Parse<CommandKind> {
        self.skip();
        let condition = self.compound_list("do")?;
        let body = self.do_done()?;
        Ok(CommandKind::Loop(Loop {
            until,
            condition,
            body,
        }))
    }

    fn do_done(&mut self) -> Parse<List> {
        self.expect(Keyword::Do, "do")?;
        let body = self.compound_list("done")?;
        self.expect(Keyword::Done, "done")?;
        Ok(body)
    }

    /// `do … done`, or in bash, after `for` and `select`, `{ … }`.
    fn for_body(&mut self, separated: bool) -> Parse<List> {
        if self.bash()
            && separated
            && self.glance(Place::Command)? == Glance::Keyword(Keyword::OpenBrace)
        {
            self.skip();
            let body = self.compound_list("}")?;
            self.expect(Keyword::CloseBrace, "}")?;
            return Ok(body);
        }
        self.do_done()
    }

    fn for_(&mut self) -> Parse<CommandKind> {
        self.skip();
        if self.bash()
            && self.glance(Place::Argument)? == Glance::Operator(Operator::Open)
            && self.raw() == Some(b'(')
        {
            return self.arithmetic_for();
        }
        Ok(CommandKind::For(self.for_words()?))
    }

    fn select(&mut self) -> Parse<CommandKind> {
        self.skip();
        Ok(CommandKind::Select(self.for_words()?))
    }

    fn for_words(&mut self) -> Parse<For> {
        let is_word = matches!(
            self.glance(Place::Argument)?,
            Glance::Word | Glance::Keyword(_)
        );
        let word = if is_word { self.take_word() } else { None };
        let name = word.as_ref().map(unparse::word).unwrap_or_default();
        if !self.bash() && !is_name(&name) {
            return self.fail(
                ErrorKind::BadName("Bad for loop variable"),
                self.at.line,
                None,
            );
        }
        if word.is_none() {
            return self.unexpected(None);
        }
        let mut words = None;
        let semicolon = self.take_operator(Operator::Semicolon, Place::Argument)?;
        let newline = self.glance(Place::Argument)? == Glance::Newline;
        self.skip_newlines(Place::Argument)?;
        if !semicolon && self.next_word_is(b"in") {
            self.skip();
            words = Some(self.words_to_separator()?);
        }
        self.skip_newlines(Place::Command)?;
        let body = self.for_body(semicolon || newline || words.is_some())?;
        Ok(For {
            name: name.into(),
            words,
            body,
        })
    }

    /// The words of `for … in`, through the `;` or newline that ends them.
    fn words_to_separator(&mut self) -> Parse<Vec<Word>> {
        let mut words = Vec::new();
        loop {
            match self.glance(Place::Argument)? {
                Glance::Word | Glance::Keyword(_) => words.extend(self.take_word()),
                Glance::Newline | Glance::Operator(Operator::Semicolon) => {
                    self.skip();
                    return Ok(words);
                }
                _ => return self.unexpected(None),
            }
        }
    }

    fn arithmetic_for(&mut self) -> Parse<CommandKind> {
        let start = self.at.position.saturating_sub(1);
        self.bump();
        self.skip();
        let mut sections = self.arithmetic_sections()?;
        let text = self
            .text
            .get(start..self.at.position)
            .unwrap_or_default()
            .into();
        if sections.len() != 3 {
            let missing = if sections.len() < 3 {
                "arithmetic expression required"
            } else {
                "`;' unexpected"
            };
            let kind = ErrorKind::ArithmeticFor { missing, text };
            return self.fail(kind, self.at.line, None);
        }
        let step = sections.pop().unwrap_or_default();
        let condition = sections.pop().unwrap_or_default();
        let initial = sections.pop().unwrap_or_default();
        self.take_operator(Operator::Semicolon, Place::Command)?;
        self.skip_newlines(Place::Command)?;
        let body = self.for_body(true)?;
        Ok(CommandKind::ArithmeticFor(ArithmeticFor {
            initial,
            condition,
            step,
            body,
        }))
    }

    fn case(&mut self) -> Parse<CommandKind> {
        self.skip();
        if !matches!(
            self.glance(Place::Argument)?,
            Glance::Word | Glance::Keyword(_)
        ) {
            return self.unexpected(Some("word"));
        }
        let Some(word) = self.take_word() else {
            return self.unexpected(None);
        };
        self.skip_newlines(Place::Argument)?;
        if !self.next_word_is(b"in") {
            return self.unexpected(Some("in"));
        }
        self.skip();
        let mut clauses = Vec::new();
        loop {
            self.skip_newlines(Place::Argument)?;
            if self.glance(Place::Argument)? == Glance::Keyword(Keyword::Esac) {
                break;
            }
            let (clause, last) = self.clause()?;
            clauses.push(clause);
            if last {
                break;
            }
        }
        self.expect(Keyword::Esac, ";;")?;
        Ok(CommandKind::Case(Case { word, clauses }))
    }

    /// One clause; also whether it lacks an end, so that `esac` must follow.
    fn clause(&mut self) -> Parse<(CaseClause, bool)> {
        self.take_operator(Operator::Open, Place::Argument)?;
        let mut patterns = Vec::new();
        loop {
            let place = Place::Argument;
            match self.glance(place)? {
                Glance::Word | Glance::Keyword(_) => patterns.extend(self.take_word()),
                Glance::End => return self.unexpected(Some(")")),
                _ if self.bash() => return self.unexpected(None),
                // dash takes any token for a pattern and trips over the next.
                _ => self.skip(),
            }
            if !self.take_operator(Operator::Pipe, place)? {
                break;
            }
        }
        if !self.take_operator(Operator::Close, Place::Argument)? {
            self.make_plain();
            return self.unexpected(Some(")"));
        }
        let body = self.optional_list()?;
        let (end, last) = match self.glance(Place::Command)? {
            Glance::Operator(Operator::DoubleSemicolon) => (CaseEnd::Break, false),
            Glance::Operator(Operator::SemicolonAnd) => (CaseEnd::FallThrough, false),
            Glance::Operator(Operator::DoubleSemicolonAnd) => (CaseEnd::Continue, false),
            _ => (CaseEnd::Break, true),
        };
        if !last {
            self.skip();
        }
        Ok((
            CaseClause {
                patterns,
                body,
                end,
            },
            last,
        ))
    }

    fn function(&mut self, line: u32) -> Parse<Command> {
        self.skip();
        if !matches!(
            self.glance(Place::Argument)?,
            Glance::Word | Glance::Keyword(_)
        ) {
            self.make_plain();
            return self.unexpected(Some("word"));
        }
        let Some(name) = self.take_word() else {
            return self.unexpected(None);
        };
        let name = unparse::word(&name);
        if self.options.dialect == Dialect::Ash {
            return self.ash_function(name, line);
        }
        // `function f ((…))` has no parentheses of its own.
        if self.glance(Place::Command)? == Glance::Operator(Operator::Open) && self.at_close() {
            self.skip();
            self.take_operator(Operator::Close, Place::Command)?;
        }
        self.function_body(name, true, line)
    }

    /// BusyBox wants a plain name and no subshell for a body.
    fn ash_function(&mut self, name: Vec<u8>, line: u32) -> Parse<Command> {
        if !is_name(&name) {
            return self.fail(ErrorKind::BadName("Bad function name"), self.at.line, None);
        }
        if self.take_operator(Operator::Open, Place::Argument)?
            && !self.take_operator(Operator::Close, Place::Argument)?
        {
            self.make_plain();
            return self.unexpected(Some(")"));
        }
        if self.glance(Place::Command)? == Glance::Word {
            return self.unexpected(None);
        }
        self.function_body(name, true, line)
    }

    fn at_close(&mut self) -> bool {
        let before = self.at;
        while let Some(b' ' | b'\t') = self.peek() {
            self.bump();
        }
        let found = self.peek() == Some(b')');
        self.restore(before);
        found
    }

    fn coprocess(&mut self, line: u32) -> Parse<Command> {
        self.skip();
        let mut name: Vec<u8> = b"COPROC".to_vec();
        let body = match self.glance(Place::Command)? {
            Glance::Keyword(Keyword::Function | Keyword::Coproc) => {
                return self.unexpected(None);
            }
            Glance::Keyword(keyword) => self.compound(keyword)?,
            Glance::Operator(Operator::Open) => self.parenthesis()?,
            Glance::Word => {
                let at = self.at;
                let mut simple = self.simple_or_name()?;
                if let Err(word) = simple {
                    name = unparse::word(&word);
                    simple = Ok(match self.glance(Place::Command)? {
                        Glance::Keyword(keyword) => self.compound(keyword)?,
                        _ => self.parenthesis()?,
                    });
                }
                self.worked(self.at.position.saturating_sub(at.position));
                match simple {
                    Ok(command) => command,
                    Err(_) => return self.unexpected(None),
                }
            }
            Glance::Descriptor => self.simple()?,
            Glance::Operator(operator) if operator.is_redirection() => self.simple()?,
            _ => return self.unexpected(None),
        };
        let coprocess = Coprocess {
            name: name.into(),
            body: Arc::new(body),
        };
        Ok(Command {
            line,
            kind: CommandKind::Coprocess(coprocess),
            redirects: Vec::new(),
        })
    }

    /// After `coproc`: a simple command, or a word with a compound command behind it, which names
    /// the coprocess.
    fn simple_or_name(&mut self) -> Parse<Result<Command, Word>> {
        let line = self.token_line();
        let Some(word) = self.take_word() else {
            return self.unexpected(None);
        };
        let compound = matches!(
            self.glance(Place::Command)?,
            Glance::Operator(Operator::Open)
                | Glance::Keyword(
                    Keyword::If
                        | Keyword::While
                        | Keyword::Until
                        | Keyword::For
                        | Keyword::Select
                        | Keyword::Case
                        | Keyword::OpenBrace
                        | Keyword::OpenConditional
                )
        );
        if compound {
            return Ok(Err(word));
        }
        let mut command = self.simple()?;
        command.line = line;
        if let CommandKind::Simple(simple) = &mut command.kind {
            let assignments = std::mem::take(&mut simple.assignments);
            let words = std::mem::take(&mut simple.words);
            simple.words.push(word);
            // What stood behind the first word are arguments, whatever their form.
            simple
                .words
                .extend(assignments.iter().map(unparse::assignment_word));
            simple.words.extend(words);
        }
        Ok(Ok(command))
    }
}
