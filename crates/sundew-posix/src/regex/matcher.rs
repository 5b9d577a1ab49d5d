//! Runs a program over a subject.
//!
//! A backtracking search in the order of preference. Without back-references what follows from a
//! place in the program and a position does not depend on how they were reached, so no pair is
//! looked at twice; the first path to reach the furthest end is the answer.

use super::compile::{Instruction, Program};
use super::parse::Assertion;
use super::{Groups, MAX_STEPS, Search};
use crate::character::{first_character, is_character, is_word};

/// Most bits that remember which pairs were looked at; 8 MiB.
const MAX_VISITED_BITS: usize = 64 << 20;
/// Most waiting alternatives; a search that needs more is given up.
const MAX_WAITING: usize = 1 << 20;
const UNSET: usize = usize::MAX;

enum Job {
    Go { at: usize, position: usize },
    Restore { slot: usize, value: usize },
}

struct Matcher<'a> {
    program: &'a Program,
    subject: &'a [u8],
    origin: usize,
    not_bol: bool,
    any_end: bool,
    steps: u32,
    visited: Vec<u64>,
    jobs: Vec<Job>,
    slots: Vec<usize>,
    best: Option<(usize, Vec<usize>)>,
}

pub(super) fn search(
    program: &Program,
    subject: &[u8],
    start: usize,
    not_bol: bool,
    any_end: bool,
) -> Search {
    let mut matcher = Matcher {
        program,
        subject,
        origin: start,
        not_bol,
        any_end,
        steps: MAX_STEPS,
        visited: Vec::new(),
        jobs: Vec::new(),
        slots: vec![UNSET; program.slots],
        best: None,
    };
    let mut begin = start;
    while begin <= subject.len() {
        if program.anchored && begin > 0 {
            break;
        }
        if let Some(first) = &program.first {
            let rest = subject.get(begin..).unwrap_or_default();
            let fits = |byte: &u8| first.get(usize::from(*byte)) == Some(&true);
            let Some(skipped) = rest.iter().position(fits) else {
                break;
            };
            begin += skipped;
            if program.anchored && begin > 0 {
                break;
            }
        }
        let finished = matcher.from(begin);
        if let Some((end, slots)) = matcher.best.take() {
            return Search::Found(groups(program, begin, end, &slots));
        }
        if !finished {
            return Search::GaveUp;
        }
        begin += first_character(subject.get(begin..).unwrap_or_default())
            .1
            .max(1);
    }
    Search::Missing
}

fn groups(program: &Program, start: usize, end: usize, slots: &[usize]) -> Groups {
    let mut spans = vec![Some((start, end))];
    for group in 1..=program.groups {
        let slot = |index: usize| slots.get(index).copied().filter(|&value| value != UNSET);
        spans.push(
            slot(2 * group)
                .zip(slot(2 * group + 1))
                .filter(|(start, end)| start <= end),
        );
    }
    Groups(spans)
}

impl Matcher<'_> {
    /// Follows everything that begins at `begin`; whether that came to its end.
    fn from(&mut self, begin: usize) -> bool {
        self.jobs.clear();
        self.slots.fill(UNSET);
        self.jobs.push(Job::Go {
            at: 0,
            position: begin,
        });
        while let Some(job) = self.jobs.pop() {
            match job {
                Job::Restore { slot, value } => self.set_slot(slot, value),
                Job::Go { at, position } => {
                    if !self.follow(at, position) {
                        return false;
                    }
                    if self.best.is_some() && self.any_end {
                        return true;
                    }
                }
            }
        }
        true
    }

    fn set_slot(&mut self, slot: usize, value: usize) {
        if let Some(place) = self.slots.get_mut(slot) {
            *place = value;
        }
    }

    fn save(&mut self, slot: usize, value: usize) {
        let old = self.slots.get(slot).copied().unwrap_or(UNSET);
        self.jobs.push(Job::Restore { slot, value: old });
        self.set_slot(slot, value);
    }

    /// Follows one path to its end, leaving its alternatives for later; whether the bounds allowed it.
    fn follow(&mut self, mut at: usize, mut position: usize) -> bool {
        let program = self.program;
        loop {
            if self.steps == 0 || self.jobs.len() > MAX_WAITING {
                return false;
            }
            self.steps -= 1;
            if !program.back_references {
                match self.visit(at, position) {
                    Some(true) => {}
                    Some(false) => return true,
                    None => return false,
                }
            }
            let Some(instruction) = program.code.get(at) else {
                return true;
            };
            at += 1;
            match instruction {
                Instruction::Byte(byte) => {
                    if self.subject.get(position) != Some(byte) {
                        return true;
                    }
                    position += 1;
                }
                Instruction::Any => {
                    let (character, length) = self.character(position);
                    let newline = program.newline && character == u32::from(b'\n');
                    if length == 0 || newline || !is_character(character) {
                        return true;
                    }
                    position += length;
                }
                Instruction::Set(set) => {
                    let (character, length) = self.character(position);
                    if length == 0 || !set.contains_strictly(character) {
                        return true;
                    }
                    position += length;
                }
                Instruction::Assert(assertion) => {
                    if !self.holds(*assertion, position) {
                        return true;
                    }
                }
                Instruction::Split(first, second) => {
                    self.jobs.push(Job::Go {
                        at: *second,
                        position,
                    });
                    at = *first;
                }
                Instruction::Jump(target) => at = *target,
                Instruction::Save(slot) | Instruction::Mark(slot) => self.save(*slot, position),
                Instruction::Moved(slot) => {
                    if self.slots.get(*slot) == Some(&position) {
                        return true;
                    }
                }
                Instruction::BackReference(group) => match self.referenced(*group, position) {
                    Some(length) => position += length,
                    None => return true,
                },
                Instruction::Match => {
                    if self.best.as_ref().is_none_or(|(end, _)| position > *end) {
                        self.best = Some((position, self.slots.clone()));
                    }
                    return true;
                }
            }
        }
    }

    /// The length of what the group matched, if that stands here again.
    fn referenced(&mut self, group: usize, position: usize) -> Option<usize> {
        let slot = |index: usize| {
            self.slots
                .get(index)
                .copied()
                .filter(|&value| value != UNSET)
        };
        let text = self.subject.get(slot(2 * group)?..slot(2 * group + 1)?)?;
        // Long texts count as work.
        let work = u32::try_from(text.len() / 16).unwrap_or(u32::MAX);
        let found = self.subject.get(position..)?.starts_with(text);
        let length = text.len();
        self.steps = self.steps.saturating_sub(work);
        found.then_some(length)
    }

    /// Notes that this pair is being looked at; false if it was before, `None` past the bound.
    fn visit(&mut self, at: usize, position: usize) -> Option<bool> {
        let bit = position
            .checked_sub(self.origin)?
            .checked_mul(self.program.code.len())?
            .checked_add(at)?;
        if bit >= MAX_VISITED_BITS {
            return None;
        }
        let (word, mask) = (bit / 64, 1u64 << (bit % 64));
        if word >= self.visited.len() {
            self.visited
                .resize((word + 1).next_power_of_two().max(8), 0);
        }
        let place = self.visited.get_mut(word)?;
        let new = *place & mask == 0;
        *place |= mask;
        Some(new)
    }

    fn character(&self, position: usize) -> (u32, usize) {
        first_character(self.subject.get(position..).unwrap_or_default())
    }

    fn word_before(&self, position: usize) -> bool {
        // The last character before: at most four bytes back.
        (1..=4.min(position)).any(|length| {
            let start = position - length;
            let (character, found) =
                first_character(self.subject.get(start..position).unwrap_or_default());
            found == length && is_word(character)
        })
    }

    fn word_after(&self, position: usize) -> bool {
        let (character, length) = self.character(position);
        length > 0 && is_word(character)
    }

    fn holds(&self, assertion: Assertion, position: usize) -> bool {
        let newline = |byte: Option<&u8>| self.program.newline && byte == Some(&b'\n');
        match assertion {
            Assertion::LineStart => {
                (position == 0 && !self.not_bol)
                    || position
                        .checked_sub(1)
                        .is_some_and(|before| newline(self.subject.get(before)))
            }
            Assertion::LineEnd => {
                position == self.subject.len() || newline(self.subject.get(position))
            }
            Assertion::BufferStart => position == 0,
            Assertion::BufferEnd => position == self.subject.len(),
            Assertion::WordStart => !self.word_before(position) && self.word_after(position),
            Assertion::WordEnd => self.word_before(position) && !self.word_after(position),
            Assertion::WordBoundary => self.word_before(position) != self.word_after(position),
            Assertion::NoWordBefore => !self.word_before(position),
            Assertion::NoWordAfter => !self.word_after(position),
            Assertion::NotWordBoundary => self.word_before(position) == self.word_after(position),
        }
    }
}
