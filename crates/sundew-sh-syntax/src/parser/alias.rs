//! Aliases: the text of the parser's input changes before the grammar sees it.

use super::{Parse, Parser};
use crate::ast::Bytes;
use crate::lexer::{Lexed, Place, Token};
use crate::limit::{MAX_ALIAS_BYTES, MAX_ALIASES};

/// What is being expanded.
#[derive(Debug, Default)]
pub(crate) struct AliasState {
    active: Vec<Active>,
    inserted: usize,
    count: usize,
    /// Bytes left in the text where an expansion ending in a blank ended: the word that begins
    /// there is looked up too.
    blank: Option<usize>,
}

/// An alias does not expand again within its own text.
#[derive(Debug)]
struct Active {
    name: Bytes,
    /// Bytes left in the text after the expansion.
    left: usize,
}

impl AliasState {
    pub(super) fn begin(&mut self) {
        self.active.clear();
        self.blank = None;
    }
}

impl Parser<'_> {
    /// Replaces the word in command position, as often as it is an alias.
    pub(super) fn expand_aliases(&mut self) -> Parse<()> {
        if self.options.aliases.is_none() {
            return Ok(());
        }
        while self.replace_alias(Place::Command)? {}
        Ok(())
    }

    /// Replaces an argument after an alias that ends in a blank.
    pub(super) fn expand_argument_alias(&mut self, place: Place) -> Parse<()> {
        let Some(blank) = self.aliases.blank else {
            return Ok(());
        };
        self.fill(place)?;
        let left = match &self.lookahead {
            Some(lexed) => self.text.len().saturating_sub(lexed.start.position),
            None => return Ok(()),
        };
        if left <= blank {
            self.aliases.blank = None;
            while self.replace_alias(place)? {}
        }
        Ok(())
    }

    fn replace_alias(&mut self, place: Place) -> Parse<bool> {
        self.fill(place)?;
        let Some(aliases) = self.options.aliases else {
            return Ok(false);
        };
        let Some(Lexed {
            token: Token::Word(word),
            start,
            end,
            ..
        }) = &self.lookahead
        else {
            return Ok(false);
        };
        let (start, end) = (*start, *end);
        let Some(name) = word.as_literal() else {
            return Ok(false);
        };
        let left = self.text.len().saturating_sub(end);
        self.aliases
            .active
            .retain(|active| active.left < left || active.left == left && end == start.position);
        if self
            .aliases
            .active
            .iter()
            .any(|active| *active.name == *name)
        {
            return Ok(false);
        }
        let Some(value) = aliases.lookup(name) else {
            return Ok(false);
        };
        let name: Bytes = name.into();
        let inserted = self.aliases.inserted.saturating_add(value.len());
        if inserted > MAX_ALIAS_BYTES || self.aliases.count >= MAX_ALIASES {
            return Ok(false);
        }
        self.aliases.inserted = inserted;
        self.aliases.count = self.aliases.count.saturating_add(1);
        self.aliases.blank = matches!(value.last(), Some(b' ' | b'\t')).then_some(left);
        self.aliases.active.push(Active { name, left });
        self.text.to_mut().splice(start.position..end, value);
        // Positions after the splice have moved.
        self.not_arithmetic.clear();
        self.lookahead = None;
        self.at = start;
        Ok(true)
    }
}
