//! Simple commands, redirections, and functions of the form `name ()`.

use std::sync::Arc;

use super::{Parse, Parser};
use crate::ast::{
    Command, CommandKind, Descriptor, Function, Redirect, RedirectKind, Simple, Word,
};
use crate::error::ErrorKind;
use crate::lexer::{Glance, Keyword, Lexed, Operator, Place, Token, is_name};
use crate::unparse;

impl Parser<'_> {
    pub(super) fn simple(&mut self) -> Parse<Command> {
        let line = self.token_line();
        let mut simple = Simple::default();
        let mut redirects = Vec::new();
        let mut place = Place::Command;
        let (mut number, mut numbered) = (line, false);
        loop {
            if place == Place::Command {
                self.expand_aliases()?;
            } else {
                self.expand_argument_alias(place)?;
            }
            let glance = self.glance(place)?;
            let elements = simple.words.len() + simple.assignments.len() + redirects.len();
            if self.bash() && elements == 1 && !numbered {
                // bash takes the number of the line it has read: behind a word that may be a
                // function's name it has looked at the next token.
                numbered = true;
                number = match glance {
                    Glance::Word | Glance::Keyword(_) if simple.words.len() == 1 => self.at.line,
                    _ => self.token_line(),
                };
            }
            match glance {
                Glance::Word | Glance::Keyword(_) => {
                    let Some(word) = self.take_word() else { break };
                    self.count(1)?;
                    place = self.add_word(&mut simple, word, place);
                }
                Glance::Descriptor => redirects.push(self.redirect()?),
                Glance::Operator(operator) if operator.is_redirection() => {
                    redirects.push(self.redirect()?);
                }
                Glance::Operator(Operator::Open)
                    if simple.words.len() == 1
                        && simple.assignments.is_empty()
                        && redirects.is_empty() =>
                {
                    return self.after_name(simple, line);
                }
                _ => break,
            }
        }
        Ok(Command {
            line: number,
            kind: CommandKind::Simple(simple),
            redirects,
        })
    }

    /// Sorts one word into assignments and words; says where the next one stands.
    fn add_word(&self, simple: &mut Simple, word: Word, place: Place) -> Place {
        if place == Place::Command {
            if let Some(assignment) = word.to_assignment()
                && (self.bash() || (!assignment.append && assignment.index.is_none()))
            {
                simple.assignments.push(assignment);
                return Place::Command;
            }
            let declares = word
                .as_literal()
                .is_some_and(|name| self.is_declaring(name));
            simple.words.push(word);
            return if declares {
                Place::Declaration
            } else {
                Place::Argument
            };
        }
        simple.words.push(word);
        place
    }

    /// Builtins whose arguments may be `name=(…)`.
    fn is_declaring(&self, name: &[u8]) -> bool {
        const NAMES: [&[u8]; 8] = [
            b"alias",
            b"declare",
            b"eval",
            b"export",
            b"let",
            b"local",
            b"readonly",
            b"typeset",
        ];
        self.bash() && NAMES.contains(&name)
    }

    /// A `(` stands after a single word: `name ()`.
    fn after_name(&mut self, mut simple: Simple, line: u32) -> Parse<Command> {
        let Some(name) = simple.words.pop() else {
            return self.unexpected(None);
        };
        self.skip();
        if !self.take_operator(Operator::Close, Place::Argument)? {
            self.make_plain();
            return self.unexpected(Some(")"));
        }
        let name = unparse::word(&name);
        if !self.bash() && (!is_name(&name) || is_special_builtin(&name)) {
            return self.fail(ErrorKind::BadName("Bad function name"), self.at.line, None);
        }
        self.function_body(name, false, line)
    }

    /// What follows `name ()` or `function name`.
    pub(super) fn function_body(
        &mut self,
        name: Vec<u8>,
        keyword: bool,
        line: u32,
    ) -> Parse<Command> {
        self.skip_newlines(Place::Command)?;
        self.enter()?;
        let body = match self.glance(Place::Command)? {
            Glance::Keyword(Keyword::Function | Keyword::Coproc | Keyword::Time) if self.bash() => {
                return self.unexpected(None);
            }
            Glance::Keyword(keyword) => self.compound(keyword)?,
            Glance::Operator(Operator::Open) => self.parenthesis()?,
            // dash takes any command for a body.
            Glance::Word | Glance::Descriptor if !self.bash() => self.simple()?,
            _ => return self.unexpected(None),
        };
        self.leave();
        let function = Function {
            name: name.into(),
            keyword,
            body: Arc::new(body),
        };
        Ok(Command {
            line,
            kind: CommandKind::Function(function),
            redirects: Vec::new(),
        })
    }

    /// Redirections after a compound command.
    pub(super) fn redirects(&mut self) -> Parse<Vec<Redirect>> {
        let mut redirects = Vec::new();
        loop {
            match self.glance(Place::Command)? {
                Glance::Descriptor => redirects.push(self.redirect()?),
                Glance::Operator(operator) if operator.is_redirection() => {
                    redirects.push(self.redirect()?);
                }
                _ => break,
            }
        }
        if !redirects.is_empty() {
            // Reserved words are not recognised after a redirection: `{ { a; } >b }` is an error.
            self.make_plain();
        }
        Ok(redirects)
    }

    fn redirect(&mut self) -> Parse<Redirect> {
        let mut descriptor = Descriptor::Default;
        if let Some(Lexed {
            token: Token::Descriptor(found),
            ..
        }) = &mut self.lookahead
        {
            descriptor = std::mem::replace(found, Descriptor::Default);
            self.skip();
        }
        let Glance::Operator(operator) = self.glance(Place::Argument)? else {
            return self.unexpected(None);
        };
        let line = self.token_line();
        self.skip();
        // A word that looks like a descriptor is one only in front of an operator.
        if !matches!(
            self.glance(Place::Argument)?,
            Glance::Word | Glance::Keyword(_)
        ) {
            return self.unexpected(None);
        }
        let Some(word) = self.take_word() else {
            return self.unexpected(None);
        };
        let kind = match operator {
            Operator::Less => RedirectKind::Input(word),
            Operator::Greater => RedirectKind::Output(word),
            Operator::GreaterPipe => RedirectKind::Clobber(word),
            Operator::GreaterGreater => RedirectKind::Append(word),
            Operator::LessGreater => RedirectKind::InputOutput(word),
            Operator::LessAnd => RedirectKind::DuplicateInput(word),
            Operator::GreaterAnd => RedirectKind::DuplicateOutput(word),
            Operator::AndGreater => RedirectKind::OutputBoth(word),
            Operator::AndGreaterGreater => RedirectKind::AppendBoth(word),
            Operator::LessLessLess => RedirectKind::HereString(word),
            Operator::LessLess | Operator::LessLessDash => {
                let strip_tabs = operator == Operator::LessLessDash;
                RedirectKind::HereDocument(self.expect_here_document(&word, strip_tabs, line))
            }
            _ => return self.unexpected(None),
        };
        Ok(Redirect { descriptor, kind })
    }
}

/// The builtins that POSIX calls special: no function of dash and BusyBox has such a name.
fn is_special_builtin(name: &[u8]) -> bool {
    const NAMES: [&[u8]; 13] = [
        b"break",
        b"continue",
        b"eval",
        b"exec",
        b"exit",
        b"export",
        b"readonly",
        b"return",
        b"set",
        b"shift",
        b"times",
        b"trap",
        b"unset",
    ];
    NAMES.contains(&name)
}
