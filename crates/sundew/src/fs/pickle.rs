//! Reading Cowrie's `fs.pickle`: Python's pickle format, of which only data is taken.
//!
//! A pickle is a program for a small machine that can name and call any function. Here lists, texts,
//! bytes, numbers and `None` exist and nothing else: an opcode that looks up or calls something ends
//! the reading. Protocols 0 to 5, as far as such data needs them.

use std::collections::HashMap;
use std::fmt;

/// A value of a pickle. Lists are positions in [`Pickle::lists`], since one may occur twice.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    None,
    Int(i64),
    Bytes(Vec<u8>),
    List(usize),
}

/// What a pickle holds.
#[derive(Debug)]
pub(super) struct Pickle {
    pub(super) root: Value,
    pub(super) lists: Vec<Vec<Value>>,
}

/// Why a pickle is refused, and at which byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PickleError {
    pub(super) at: usize,
    pub(super) problem: Problem,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    /// It ends in the middle.
    Truncated,
    /// This opcode looks something up, calls it, or belongs to no plain data.
    Opcode(u8),
    /// Something is taken that was never put there.
    Stack,
    /// A number that is none, or too large.
    Number,
    /// More values than any file system has.
    TooLarge,
}

impl fmt::Display for PickleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {}: ", self.at)?;
        match &self.problem {
            Problem::Truncated => f.write_str("the pickle ends too early"),
            Problem::Opcode(code) => write!(
                f,
                "opcode {:?} is more than plain data; nothing is called from a pickle",
                char::from(*code)
            ),
            Problem::Stack => f.write_str("the pickle takes what it has not put"),
            Problem::Number => f.write_str("a number that is none"),
            Problem::TooLarge => f.write_str("more values than are taken"),
        }
    }
}

/// Reads a pickle.
pub(super) fn read(bytes: &[u8]) -> Result<Pickle, PickleError> {
    let mut machine = Machine {
        bytes,
        at: 0,
        stack: Vec::new(),
        lists: Vec::new(),
        memo: HashMap::new(),
        steps: 0,
    };
    machine.run().map_err(|problem| PickleError {
        at: machine.at,
        problem,
    })
}

enum Slot {
    Mark,
    Value(Value),
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    stack: Vec<Slot>,
    lists: Vec<Vec<Value>>,
    memo: HashMap<u64, Value>,
    steps: usize,
}

impl<'a> Machine<'a> {
    fn run(&mut self) -> Result<Pickle, Problem> {
        loop {
            self.steps += 1;
            if self.steps > MAX_STEPS {
                return Err(Problem::TooLarge);
            }
            let code = self.byte()?;
            match code {
                b'.' => {
                    let root = self.pop()?;
                    let lists = std::mem::take(&mut self.lists);
                    return Ok(Pickle { root, lists });
                }
                _ => self.step(code)?,
            }
        }
    }

    fn step(&mut self, code: u8) -> Result<(), Problem> {
        match code {
            0x80 => drop(self.byte()?),
            0x95 => drop(self.take(8)?),
            b'(' => self.stack.push(Slot::Mark),
            b'N' => self.push(Value::None),
            0x88 | 0x89 => self.push(Value::Int(i64::from(code == 0x88))),
            b']' => self.new_list(Vec::new()),
            b')' => self.new_list(Vec::new()),
            b'l' | b't' => {
                let items = self.pop_mark()?;
                self.new_list(items);
            }
            0x85..=0x87 => {
                let count = usize::from(code - 0x84);
                let mut items = Vec::new();
                for _ in 0..count {
                    items.insert(0, self.pop()?);
                }
                self.new_list(items);
            }
            b'a' => {
                let item = self.pop()?;
                self.append(vec![item])?;
            }
            b'e' => {
                let items = self.pop_mark()?;
                self.append(items)?;
            }
            b'0' => drop(self.pop()?),
            b'2' => {
                let value = self.pop()?;
                self.push(value.clone());
                self.push(value);
            }
            _ if self.number(code)? || self.text(code)? || self.memory(code)? => {}
            _ => return Err(Problem::Opcode(code)),
        }
        Ok(())
    }

    fn number(&mut self, code: u8) -> Result<bool, Problem> {
        let value = match code {
            b'K' => i64::from(self.byte()?),
            b'M' => i64::from(u16::from_le_bytes(self.array()?)),
            b'J' => i64::from(i32::from_le_bytes(self.array()?)),
            0x8a => {
                let count = usize::from(self.byte()?);
                little_endian(self.take(count)?)?
            }
            b'G' => {
                let value = f64::from_be_bytes(self.array()?);
                if !value.is_finite() || value.abs() > 9e15 {
                    return Err(Problem::Number);
                }
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "a time of day with its fraction, bounded above"
                )]
                let whole = value as i64;
                whole
            }
            b'I' | b'L' | b'F' => {
                let line = self.line()?;
                let text = std::str::from_utf8(line).map_err(|_| Problem::Number)?;
                let text = text.trim_end_matches('L');
                let whole = text.split('.').next().unwrap_or(text);
                whole.parse().map_err(|_| Problem::Number)?
            }
            _ => return Ok(false),
        };
        self.push(Value::Int(value));
        Ok(true)
    }

    fn text(&mut self, code: u8) -> Result<bool, Problem> {
        let count =
            match code {
                // Short forms, then those with four and eight bytes of length.
                0x8c | b'U' | b'C' => usize::from(self.byte()?),
                b'X' | b'T' | b'B' => usize::try_from(u32::from_le_bytes(self.array()?))
                    .map_err(|_| Problem::Number)?,
                0x8d | 0x8e => usize::try_from(u64::from_le_bytes(self.array()?))
                    .map_err(|_| Problem::Number)?,
                b'V' | b'S' => {
                    let line = self.line()?.to_vec();
                    let quoted = line.len() >= 2
                        && code == b'S'
                        && matches!(line.first(), Some(b'\'' | b'"'))
                        && line.first() == line.last();
                    let text = if quoted {
                        line.get(1..line.len() - 1).unwrap_or_default().to_vec()
                    } else {
                        line
                    };
                    self.push(Value::Bytes(text));
                    return Ok(true);
                }
                _ => return Ok(false),
            };
        let text = self.take(count)?.to_vec();
        self.push(Value::Bytes(text));
        Ok(true)
    }

    fn memory(&mut self, code: u8) -> Result<bool, Problem> {
        match code {
            0x94 => {
                let key = self.memo.len() as u64;
                self.remember(key)?;
            }
            b'q' => {
                let key = self.byte()?;
                self.remember(key.into())?;
            }
            b'r' => {
                let key = u32::from_le_bytes(self.array()?);
                self.remember(key.into())?;
            }
            b'p' => {
                let key = self.key()?;
                self.remember(key)?;
            }
            b'h' => {
                let key = self.byte()?;
                self.recall(key.into())?;
            }
            b'j' => {
                let key = u32::from_le_bytes(self.array()?);
                self.recall(key.into())?;
            }
            b'g' => {
                let key = self.key()?;
                self.recall(key)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn key(&mut self) -> Result<u64, Problem> {
        let line = self.line()?;
        let text = std::str::from_utf8(line).map_err(|_| Problem::Number)?;
        text.parse().map_err(|_| Problem::Number)
    }

    fn remember(&mut self, key: u64) -> Result<(), Problem> {
        match self.stack.last() {
            Some(Slot::Value(value)) => {
                self.memo.insert(key, value.clone());
                Ok(())
            }
            _ => Err(Problem::Stack),
        }
    }

    fn recall(&mut self, key: u64) -> Result<(), Problem> {
        let value = self.memo.get(&key).cloned().ok_or(Problem::Stack)?;
        self.push(value);
        Ok(())
    }

    fn new_list(&mut self, items: Vec<Value>) {
        self.lists.push(items);
        self.push(Value::List(self.lists.len() - 1));
    }

    fn append(&mut self, items: Vec<Value>) -> Result<(), Problem> {
        match self.stack.last() {
            Some(Slot::Value(Value::List(index))) => {
                let list = self.lists.get_mut(*index).ok_or(Problem::Stack)?;
                list.extend(items);
                Ok(())
            }
            _ => Err(Problem::Stack),
        }
    }

    fn push(&mut self, value: Value) {
        self.stack.push(Slot::Value(value));
    }

    fn pop(&mut self) -> Result<Value, Problem> {
        match self.stack.pop() {
            Some(Slot::Value(value)) => Ok(value),
            _ => Err(Problem::Stack),
        }
    }

    fn pop_mark(&mut self) -> Result<Vec<Value>, Problem> {
        let mut items = Vec::new();
        loop {
            match self.stack.pop() {
                Some(Slot::Value(value)) => items.push(value),
                Some(Slot::Mark) => break,
                None => return Err(Problem::Stack),
            }
        }
        items.reverse();
        Ok(items)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Problem> {
        let end = self.at.checked_add(count).ok_or(Problem::Truncated)?;
        let taken = self.bytes.get(self.at..end).ok_or(Problem::Truncated)?;
        self.at = end;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, Problem> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Problem> {
        self.take(N)?
            .first_chunk()
            .copied()
            .ok_or(Problem::Truncated)
    }

    fn line(&mut self) -> Result<&'a [u8], Problem> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let end = rest
            .iter()
            .position(|&byte| byte == b'\n')
            .ok_or(Problem::Truncated)?;
        let line = self.take(end)?;
        self.at += 1;
        Ok(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

/// A two's complement number of up to eight bytes.
fn little_endian(bytes: &[u8]) -> Result<i64, Problem> {
    if bytes.len() > 8 {
        return Err(Problem::Number);
    }
    let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
    let mut word = [if negative { 0xff } else { 0 }; 8];
    for (to, from) in word.iter_mut().zip(bytes) {
        *to = *from;
    }
    Ok(i64::from_le_bytes(word))
}

/// Opcodes of a pickle that are followed: some dozens for each file of a large tree.
const MAX_STEPS: usize = 64 << 20;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn data_of_every_protocol_is_read() {
        // pickle.dumps(['a', 1, [None, -2, 70000], 'a'], protocol=N)
        let zero = b"(lp0\nVa\np1\naI1\na(lp2\nNaI-2\naI70000\naag1\na.";
        let two = b"\x80\x02]q\x00(X\x01\x00\x00\x00aq\x01K\x01]q\x02(NJ\xfe\xff\xff\xffJp\x11\x01\x00eh\x01e.";
        let four = b"\x80\x04\x95\x1c\x00\x00\x00\x00\x00\x00\x00]\x94(\x8c\x01a\x94K\x01]\x94(NJ\xfe\xff\xff\xffJp\x11\x01\x00eh\x01e.";
        for bytes in [zero.as_slice(), two, four] {
            let pickle = read(bytes).unwrap();
            let Value::List(root) = pickle.root else {
                panic!("{pickle:?}");
            };
            let root = &pickle.lists[root];
            assert_eq!(root[0], Value::Bytes(b"a".to_vec()));
            assert_eq!((&root[1], &root[3]), (&Value::Int(1), &root[0]));
            let Value::List(inner) = root[2] else {
                panic!("{root:?}");
            };
            let expected = [Value::None, Value::Int(-2), Value::Int(70_000)];
            assert_eq!(pickle.lists[inner], expected);
        }
    }

    #[test]
    fn nothing_is_looked_up_or_called() {
        for (bytes, code) in [
            (b"cos\nsystem\n(S'id'\ntR.".as_slice(), b'c'),
            (b"\x80\x04\x8c\x02os\x8c\x06system\x93.", 0x93),
            (b"(S'id'\nios\nsystem\n.", b'i'),
            (b"\x80\x02]\x81.", 0x81),
        ] {
            assert_eq!(read(bytes).unwrap_err().problem, Problem::Opcode(code));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_data_or_an_error(bytes: Vec<u8>) {
            let _read = read(&bytes);
        }
    }
}
