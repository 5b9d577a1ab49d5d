//! Bracket expressions and classes as sets of characters, for patterns and regular expressions.

use crate::character::{Class, RAW, cases};

/// A set of characters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Set {
    ascii: u128,
    ranges: Vec<(u32, u32)>,
    classes: Vec<Class>,
    negated: bool,
    ignore_case: bool,
}

impl Set {
    pub(crate) fn class(class: Class, negated: bool) -> Self {
        let mut set = Self {
            classes: vec![class],
            negated,
            ..Self::default()
        };
        set.finish(false);
        set
    }

    /// A letter in both cases.
    pub(crate) fn folded(character: u32) -> Self {
        let mut set = Self {
            ranges: vec![(character, character)],
            ..Self::default()
        };
        set.finish(true);
        set
    }

    pub(crate) fn negate(&mut self) {
        self.negated = true;
    }

    pub(crate) fn add_range(&mut self, low: u32, high: u32) {
        self.ranges.push((low, high));
    }

    pub(crate) fn add_class(&mut self, class: Class) {
        self.classes.push(class);
    }

    pub(crate) fn is_negated(&self) -> bool {
        self.negated
    }

    /// To be called after the last change: works out the answers for ASCII.
    pub(crate) fn finish(&mut self, ignore_case: bool) {
        self.ignore_case = ignore_case;
        self.ascii = 0;
        for character in 0..128 {
            if self.look_up(character) {
                self.ascii |= 1 << character;
            }
        }
    }

    /// Takes a newline out, as `REG_NEWLINE` does with a negated set.
    pub(crate) fn remove_newline(&mut self) {
        self.ascii &= !(1 << b'\n');
    }

    fn look_up(&self, character: u32) -> bool {
        let inside = |character: u32| {
            self.ranges
                .iter()
                .any(|&(low, high)| (low..=high).contains(&character))
                || self.classes.iter().any(|class| class.contains(character))
        };
        let found = inside(character)
            || (self.ignore_case && {
                let (lower, upper) = cases(character);
                inside(lower) || inside(upper)
            });
        found != self.negated
    }

    pub(crate) fn contains(&self, character: u32) -> bool {
        match character {
            0..128 => self.ascii & (1 << character) != 0,
            _ => self.look_up(character),
        }
    }

    /// The same for regcomp(3), where a byte that is no character is in no set but one that names it;
    /// fnmatch(3) finds it in negated ones too.
    pub(crate) fn contains_strictly(&self, character: u32) -> bool {
        (character < RAW || !self.negated) && self.contains(character)
    }

    pub(crate) fn contains_ascii(&self, byte: u8) -> bool {
        byte < 128 && self.ascii & (1 << byte) != 0
    }
}
