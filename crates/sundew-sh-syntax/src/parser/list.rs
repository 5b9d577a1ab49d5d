//! Command lines, lists, `&&` and `||`, pipelines.

use std::sync::Arc;

use super::{Parse, Parser};
use crate::ast::{
    AndOr, Command, Descriptor, Junction, List, ListItem, Part, Pipeline, Redirect, RedirectKind,
    Time, Word,
};
use crate::lexer::{Glance, Keyword, Operator, Place};
use crate::limit::COMMAND_NODES;

impl Parser<'_> {
    /// One command line; `None` at the end of the text.
    pub(super) fn command_line(&mut self) -> Parse<Option<List>> {
        self.lookahead = None;
        self.aliases.begin();
        self.skip_to_command()?;
        if self.glance(Place::Command)? == Glance::End {
            return Ok(None);
        }
        let mut list = List::default();
        loop {
            let and_or = Arc::new(self.and_or()?);
            let mut background = false;
            let mut separated = true;
            match self.glance(Place::Command)? {
                Glance::Operator(Operator::Semicolon) => self.skip(),
                Glance::Operator(Operator::And) => {
                    self.skip();
                    background = true;
                }
                _ => separated = false,
            }
            list.items.push(ListItem {
                and_or,
                background,
                newline: false,
            });
            if separated {
                self.expand_aliases()?;
            }
            match self.glance_command_line_end()? {
                true => return Ok(Some(list)),
                false if separated => {}
                false => return self.unexpected(None),
            }
        }
    }

    fn glance_command_line_end(&mut self) -> Parse<bool> {
        match self.glance(Place::Command)? {
            Glance::Newline => {
                self.skip();
                Ok(true)
            }
            Glance::End if self.options.last => Ok(true),
            Glance::End => self.ended(None),
            _ => Ok(false),
        }
    }

    /// Commands up to something that cannot begin one; at least one.
    ///
    /// `closer` is what dash says it expected if the text ends here.
    pub(super) fn compound_list(&mut self, closer: &'static str) -> Parse<List> {
        self.skip_to_command()?;
        if self.glance(Place::Command)? == Glance::End {
            return self.unexpected(Some(closer));
        }
        self.some_commands()
    }

    /// As [`Self::compound_list`], possibly empty (bodies of `case`, `$( )`).
    pub(crate) fn optional_list(&mut self) -> Parse<List> {
        self.skip_to_command()?;
        if self.at_list_end()? {
            Ok(List::default())
        } else {
            self.some_commands()
        }
    }

    fn some_commands(&mut self) -> Parse<List> {
        let mut list = List::default();
        loop {
            let and_or = Arc::new(self.and_or()?);
            let mut background = false;
            let mut newline = false;
            let mut separated = true;
            match self.glance(Place::Command)? {
                Glance::Operator(Operator::Semicolon) => self.skip(),
                Glance::Newline => {
                    self.skip();
                    newline = true;
                }
                Glance::Operator(Operator::And) => {
                    self.skip();
                    background = true;
                }
                _ => separated = false,
            }
            list.items.push(ListItem {
                and_or,
                background,
                newline,
            });
            if !separated {
                return Ok(list);
            }
            self.skip_to_command()?;
            if self.at_list_end()? {
                return Ok(list);
            }
        }
    }

    /// Newlines, and aliases that stand for nothing.
    fn skip_to_command(&mut self) -> Parse<()> {
        loop {
            self.skip_newlines(Place::Command)?;
            self.expand_aliases()?;
            if self.glance(Place::Command)? != Glance::Newline {
                return Ok(());
            }
        }
    }

    fn at_list_end(&mut self) -> Parse<bool> {
        Ok(matches!(
            self.glance(Place::Command)?,
            Glance::End
                | Glance::Keyword(
                    Keyword::Then
                        | Keyword::Elif
                        | Keyword::Else
                        | Keyword::Fi
                        | Keyword::Do
                        | Keyword::Done
                        | Keyword::Esac
                        | Keyword::CloseBrace
                )
                | Glance::Operator(
                    Operator::Close
                        | Operator::DoubleSemicolon
                        | Operator::SemicolonAnd
                        | Operator::DoubleSemicolonAnd
                )
        ))
    }

    fn and_or(&mut self) -> Parse<AndOr> {
        let first = self.pipeline()?;
        let mut rest = Vec::new();
        loop {
            let junction = match self.glance(Place::Command)? {
                Glance::Operator(Operator::AndAnd) => Junction::And,
                Glance::Operator(Operator::OrOr) => Junction::Or,
                _ => return Ok(AndOr { first, rest }),
            };
            self.skip();
            self.skip_newlines(Place::Command)?;
            rest.push((junction, self.pipeline()?));
        }
    }

    fn pipeline(&mut self) -> Parse<Pipeline> {
        let mut pipeline = Pipeline {
            negated: false,
            time: None,
            commands: Vec::new(),
        };
        let mut bare = false;
        loop {
            match self.glance(Place::Command)? {
                Glance::Keyword(Keyword::Bang) => {
                    self.skip();
                    pipeline.negated = !pipeline.negated;
                    // dash takes one, and a command must follow.
                    bare = self.bash();
                    if !self.bash() {
                        break;
                    }
                }
                Glance::Keyword(Keyword::Time) => {
                    self.skip();
                    pipeline.time = Some(self.time_options()?);
                    bare = true;
                }
                _ => break,
            }
        }
        if bare && self.at_pipeline_end()? {
            return Ok(pipeline);
        }
        loop {
            let mut command = self.command()?;
            let both = match self.glance(Place::Command)? {
                Glance::Operator(Operator::Pipe) => false,
                Glance::Operator(Operator::PipeAnd) => true,
                _ => {
                    pipeline.commands.push(Arc::new(command));
                    return Ok(pipeline);
                }
            };
            self.skip();
            if both {
                command.redirects.push(errors_to_output());
            }
            pipeline.commands.push(Arc::new(command));
            self.skip_newlines(Place::Command)?;
        }
    }

    /// `-p` and `--` after `time`.
    fn time_options(&mut self) -> Parse<Time> {
        let mut time = Time::Default;
        for option in [b"-p".as_slice(), b"--"] {
            self.fill(Place::Command)?;
            if self.next_word_is(option) {
                self.skip();
                if option == b"-p" {
                    time = Time::Posix;
                }
            }
        }
        Ok(time)
    }

    /// Whether the token that was read is this plain word.
    pub(super) fn next_word_is(&self, text: &[u8]) -> bool {
        use crate::lexer::{Lexed, Token};
        matches!(&self.lookahead, Some(Lexed { token: Token::Word(word), .. })
            if word.as_literal() == Some(text))
    }

    /// Whether nothing follows a `!` or `time` that may stand alone.
    fn at_pipeline_end(&mut self) -> Parse<bool> {
        Ok(matches!(
            self.glance(Place::Command)?,
            Glance::Newline | Glance::Operator(Operator::Semicolon)
        ) || (self.options.last && self.glance(Place::Command)? == Glance::End))
    }

    fn command(&mut self) -> Parse<Command> {
        self.count(COMMAND_NODES)?;
        self.fill(Place::Command)?;
        self.expand_aliases()?;
        match self.glance(Place::Command)? {
            Glance::Keyword(keyword) => self.compound(keyword),
            Glance::Operator(Operator::Open) => self.parenthesis(),
            Glance::Word | Glance::Descriptor => self.simple(),
            Glance::Operator(operator) if operator.is_redirection() => self.simple(),
            Glance::Operator(_) | Glance::Newline | Glance::End => self.unexpected(None),
        }
    }
}

/// What `|&` adds to the command on its left.
fn errors_to_output() -> Redirect {
    let word = Word {
        parts: vec![Part::Literal(b"1".as_slice().into())],
    };
    Redirect {
        descriptor: Descriptor::Number(2),
        kind: RedirectKind::DuplicateOutput(word),
    }
}
