//! Trees as programs for the matcher.

use super::parse::{Assertion, Node, Parsed};
use super::{Error, Flags};
use crate::set::Set;

/// Most instructions of a program; a larger one is [`Error::Memory`].
const MAX_INSTRUCTIONS: usize = 1 << 16;

#[derive(Debug, Clone)]
pub(super) enum Instruction {
    Byte(u8),
    Any,
    Set(Box<Set>),
    Assert(Assertion),
    /// Both ways, the first preferred.
    Split(usize, usize),
    Jump(usize),
    Save(usize),
    BackReference(usize),
    /// Remembers the position in this slot.
    Mark(usize),
    /// Goes on only if the position has moved since that mark.
    Moved(usize),
    Match,
}

#[derive(Debug, Clone)]
pub(super) struct Program {
    pub(super) code: Vec<Instruction>,
    pub(super) groups: usize,
    pub(super) slots: usize,
    pub(super) back_references: bool,
    pub(super) newline: bool,
    /// Whether only the subject's start can match.
    pub(super) anchored: bool,
    /// Bytes that a match can begin with; `None` if it may be empty.
    pub(super) first: Option<Box<[bool; 256]>>,
}

pub(super) fn compile(parsed: &Parsed, flags: Flags) -> Result<Program, Error> {
    let slots = 2 * (parsed.groups + 1);
    let mut compiler = Compiler {
        code: Vec::new(),
        slots,
        back_references: parsed.back_references,
    };
    compiler.node(&parsed.node)?;
    compiler.emit(Instruction::Match)?;
    let Compiler { code, slots, .. } = compiler;
    let start = code.first();
    let anchored = matches!(start, Some(Instruction::Assert(Assertion::BufferStart)))
        || (!flags.newline && matches!(start, Some(Instruction::Assert(Assertion::LineStart))));
    let first = first_bytes(&code);
    Ok(Program {
        code,
        groups: parsed.groups,
        slots,
        back_references: parsed.back_references,
        newline: flags.newline,
        anchored,
        first,
    })
}

struct Compiler {
    code: Vec<Instruction>,
    slots: usize,
    back_references: bool,
}

impl Compiler {
    fn emit(&mut self, instruction: Instruction) -> Result<usize, Error> {
        if self.code.len() >= MAX_INSTRUCTIONS {
            return Err(Error::Memory);
        }
        self.code.push(instruction);
        Ok(self.code.len() - 1)
    }

    fn patch(&mut self, at: usize, instruction: Instruction) {
        if let Some(place) = self.code.get_mut(at) {
            *place = instruction;
        }
    }

    fn node(&mut self, node: &Node) -> Result<(), Error> {
        match node {
            Node::Empty => {}
            Node::Literal(bytes) => {
                for &byte in bytes {
                    self.emit(Instruction::Byte(byte))?;
                }
            }
            Node::Set(set) => {
                self.emit(Instruction::Set(set.clone()))?;
            }
            Node::Any => {
                self.emit(Instruction::Any)?;
            }
            Node::Assert(assertion) => {
                self.emit(Instruction::Assert(*assertion))?;
            }
            Node::BackReference(number) => {
                self.emit(Instruction::BackReference(*number))?;
            }
            Node::Group(number, inner) => {
                self.emit(Instruction::Save(2 * number))?;
                self.node(inner)?;
                self.emit(Instruction::Save(2 * number + 1))?;
            }
            Node::Sequence(nodes) => {
                for node in nodes {
                    self.node(node)?;
                }
            }
            Node::Choice(branches) => self.choice(branches)?,
            Node::Repeat {
                node, least, most, ..
            } => self.repeat(node, *least, *most)?,
        }
        Ok(())
    }

    fn choice(&mut self, branches: &[Node]) -> Result<(), Error> {
        let mut ends = Vec::new();
        let Some((last, others)) = branches.split_last() else {
            return Ok(());
        };
        for branch in others {
            let split = self.emit(Instruction::Match)?;
            self.node(branch)?;
            ends.push(self.emit(Instruction::Match)?);
            self.patch(split, Instruction::Split(split + 1, self.code.len()));
        }
        self.node(last)?;
        for end in ends {
            self.patch(end, Instruction::Jump(self.code.len()));
        }
        Ok(())
    }

    fn repeat(&mut self, node: &Node, least: u32, most: Option<u32>) -> Result<(), Error> {
        for _ in 0..least {
            let before = self.code.len();
            self.node(node)?;
            if self.code.len() == before {
                // Nothing to repeat, however often.
                return Ok(());
            }
        }
        match most {
            None => self.star(node),
            Some(most) => {
                let mut splits = Vec::new();
                for _ in least..most {
                    splits.push(self.emit(Instruction::Match)?);
                    self.node(node)?;
                }
                for split in splits {
                    self.patch(split, Instruction::Split(split + 1, self.code.len()));
                }
                Ok(())
            }
        }
    }

    fn star(&mut self, node: &Node) -> Result<(), Error> {
        let split = self.emit(Instruction::Match)?;
        if self.back_references {
            // Without them the matcher never looks at a place twice, which ends empty rounds too.
            let slot = self.slots;
            self.slots += 1;
            self.emit(Instruction::Mark(slot))?;
            self.node(node)?;
            self.emit(Instruction::Moved(slot))?;
        } else {
            self.node(node)?;
        }
        self.emit(Instruction::Jump(split))?;
        self.patch(split, Instruction::Split(split + 1, self.code.len()));
        Ok(())
    }
}

/// The bytes that a match can begin with; `None` if it may begin with nothing.
fn first_bytes(code: &[Instruction]) -> Option<Box<[bool; 256]>> {
    let mut bytes = Box::new([false; 256]);
    let mut seen = vec![false; code.len()];
    let mut waiting = vec![0];
    while let Some(at) = waiting.pop() {
        match seen.get_mut(at) {
            Some(seen) if !*seen => *seen = true,
            _ => continue,
        }
        match code.get(at)? {
            Instruction::Match | Instruction::BackReference(_) => return None,
            Instruction::Byte(byte) => {
                if let Some(place) = bytes.get_mut(usize::from(*byte)) {
                    *place = true;
                }
            }
            Instruction::Any => bytes.fill(true),
            Instruction::Set(set) => {
                for (byte, place) in (0u8..=255).zip(bytes.iter_mut()) {
                    *place |= byte >= 0x80 || set.contains_ascii(byte);
                }
            }
            Instruction::Split(first, second) => waiting.extend([*first, *second]),
            Instruction::Jump(target) => waiting.push(*target),
            Instruction::Assert(_)
            | Instruction::Save(_)
            | Instruction::Mark(_)
            | Instruction::Moved(_) => {
                waiting.push(at + 1);
            }
        }
    }
    Some(bytes)
}
