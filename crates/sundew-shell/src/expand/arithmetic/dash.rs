//! dash's arithmetic: it evaluates while it reads, one token ahead, so that what comes first in the text
//! complains first. No `**`, no `,`, no `++`; numbers as strtoimax(3) reads them.

use sundew_kernel::Process;

use super::Failure;
use crate::shell::Shell;

/// Deepest nesting of parentheses, signs and choices. dash has no bound but its stack.
const MAX_DEPTH: u32 = sundew_sh_syntax::limit::MAX_ARITHMETIC_DEPTH;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    End,
    Bad,
    Number(i64),
    Name(Vec<u8>),
    Open,
    Close,
    Not,
    Complement,
    And,
    Or,
    Question,
    Colon,
    Assign,
    AssignWith(Binary),
    Binary(Binary),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Binary {
    Multiply,
    Divide,
    Remainder,
    Add,
    Subtract,
    ShiftLeft,
    ShiftRight,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
    BitAnd,
    BitXor,
    BitOr,
}

impl Binary {
    /// Looser ones are greater.
    fn level(self) -> u32 {
        match self {
            Self::Multiply | Self::Divide | Self::Remainder => 0,
            Self::Add | Self::Subtract => 1,
            Self::ShiftLeft | Self::ShiftRight => 2,
            Self::Less | Self::LessEqual | Self::Greater | Self::GreaterEqual => 3,
            Self::Equal | Self::NotEqual => 4,
            Self::BitAnd => 5,
            Self::BitXor => 6,
            Self::BitOr => 7,
        }
    }
}

/// Operators that `=` may follow.
const ASSIGNING: [(u8, Binary); 8] = [
    (b'*', Binary::Multiply),
    (b'/', Binary::Divide),
    (b'%', Binary::Remainder),
    (b'+', Binary::Add),
    (b'-', Binary::Subtract),
    (b'&', Binary::BitAnd),
    (b'^', Binary::BitXor),
    (b'|', Binary::BitOr),
];

pub(super) struct Evaluator<'a> {
    shell: &'a mut Shell,
    proc: &'a Process,
    text: &'a [u8],
    at: usize,
    /// The token after what was evaluated last.
    ahead: Token,
    depth: u32,
}

type Value = Result<i64, Failure>;

impl<'a> Evaluator<'a> {
    pub(super) fn new(shell: &'a mut Shell, proc: &'a Process, text: &'a [u8]) -> Self {
        Self {
            shell,
            proc,
            text,
            at: 0,
            ahead: Token::End,
            depth: 0,
        }
    }

    /// The value of the whole text.
    pub(super) fn run(mut self) -> Value {
        let first = self.next();
        let value = self.assignment(first, false)?;
        if self.ahead == Token::End {
            Ok(value)
        } else {
            self.fail("expecting EOF")
        }
    }

    fn fail<T>(&self, what: &str) -> Result<T, Failure> {
        let head = format!("arithmetic expression: {what}: \"");
        Err(Failure::Complaint(
            [head.as_bytes(), self.text, b"\""].concat(),
        ))
    }

    fn assignment(&mut self, first: Token, idle: bool) -> Value {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return self.fail("expecting primary");
        }
        let second = self.next();
        let with = match &second {
            Token::Assign => Some(None),
            Token::AssignWith(operator) => Some(Some(*operator)),
            _ => None,
        };
        let value = match (first, with) {
            (Token::Name(name), Some(with)) => {
                let third = self.next();
                let mut value = self.assignment(third, idle)?;
                if !idle {
                    if let Some(operator) = with {
                        let old = self.read(&name)?;
                        value = self.binary(operator, old, value)?;
                    }
                    self.shell
                        .assign_number(&name, value)
                        .map_err(Failure::Complaint)?;
                }
                value
            }
            (first, _) => self.choice(first, second, idle)?,
        };
        self.depth -= 1;
        Ok(value)
    }

    fn choice(&mut self, first: Token, second: Token, idle: bool) -> Value {
        let mut first = (first, second);
        let mut idle = idle;
        // `a ? b : c ? d : e` goes on to the right without nesting.
        let mut answer = None;
        loop {
            let condition = self.or(first.0, first.1, idle)?;
            if self.ahead != Token::Question {
                return Ok(answer.unwrap_or(condition));
            }
            let token = self.next();
            let yes = self.assignment(token, idle || condition == 0)?;
            if self.ahead != Token::Colon {
                return self.fail("expecting ':'");
            }
            if condition != 0 && answer.is_none() {
                answer = Some(yes);
            }
            idle |= condition != 0;
            first = (self.next(), self.next());
        }
    }

    fn or(&mut self, first: Token, second: Token, idle: bool) -> Value {
        let mut value = self.and(first, second, idle)?;
        while self.ahead == Token::Or {
            let (first, second) = (self.next(), self.next());
            let right = self.and(first, second, idle || value != 0)?;
            value = i64::from(value != 0 || right != 0);
        }
        Ok(value)
    }

    fn and(&mut self, first: Token, second: Token, idle: bool) -> Value {
        let mut value = self.operation(first, second, idle)?;
        while self.ahead == Token::And {
            let (first, second) = (self.next(), self.next());
            let right = self.operation(first, second, idle || value == 0)?;
            value = i64::from(value != 0 && right != 0);
        }
        Ok(value)
    }

    fn operation(&mut self, first: Token, second: Token, idle: bool) -> Value {
        let value = self.primary(first, second, idle)?;
        match self.ahead {
            Token::Binary(operator) => self.operations(value, operator, u32::MAX, idle),
            _ => Ok(value),
        }
    }

    /// Operators one after the other while they bind closer than `bound`.
    fn operations(&mut self, mut left: i64, mut operator: Binary, bound: u32, idle: bool) -> Value {
        loop {
            let (first, second) = (self.next(), self.next());
            let mut right = self.primary(first, second, idle)?;
            if let Token::Binary(next) = self.ahead
                && next.level() < operator.level()
            {
                right = self.operations(right, next, operator.level(), idle)?;
            }
            left = if idle {
                right
            } else {
                self.binary(operator, left, right)?
            };
            match self.ahead {
                Token::Binary(next) if next.level() < bound => operator = next,
                _ => return Ok(left),
            }
        }
    }

    /// `first`, whose next token `second` was read already.
    fn primary(&mut self, mut first: Token, mut second: Token, idle: bool) -> Value {
        let mut signs = Vec::new();
        while matches!(
            first,
            Token::Not | Token::Complement | Token::Binary(Binary::Add | Binary::Subtract)
        ) {
            signs.push(std::mem::replace(&mut first, second));
            second = self.next();
        }
        let mut value = match first {
            Token::Number(number) => {
                self.ahead = second;
                number
            }
            Token::Name(name) => {
                self.ahead = second;
                if idle { 1 } else { self.read(&name)? }
            }
            Token::Open => {
                let value = self.assignment(second, idle)?;
                if self.ahead != Token::Close {
                    return self.fail("expecting ')'");
                }
                self.ahead = self.next();
                value
            }
            _ => return self.fail("expecting primary"),
        };
        for sign in signs.into_iter().rev() {
            value = match sign {
                Token::Not => i64::from(value == 0),
                Token::Complement => !value,
                Token::Binary(Binary::Subtract) => value.wrapping_neg(),
                _ => value,
            };
        }
        Ok(value)
    }

    fn binary(&self, operator: Binary, left: i64, right: i64) -> Value {
        let shift = u32::try_from(right & 63).unwrap_or(0);
        Ok(match operator {
            Binary::Divide | Binary::Remainder if right == 0 => {
                return self.fail("division by zero");
            }
            Binary::Multiply => left.wrapping_mul(right),
            Binary::Divide => left.wrapping_div(right),
            Binary::Remainder => left.wrapping_rem(right),
            Binary::Add => left.wrapping_add(right),
            Binary::Subtract => left.wrapping_sub(right),
            Binary::ShiftLeft => left.wrapping_shl(shift),
            Binary::ShiftRight => left.wrapping_shr(shift),
            Binary::Less => i64::from(left < right),
            Binary::LessEqual => i64::from(left <= right),
            Binary::Greater => i64::from(left > right),
            Binary::GreaterEqual => i64::from(left >= right),
            Binary::Equal => i64::from(left == right),
            Binary::NotEqual => i64::from(left != right),
            Binary::BitAnd => left & right,
            Binary::BitXor => left ^ right,
            Binary::BitOr => left | right,
        })
    }

    /// A variable's value must be a number; one that is not set counts as 0.
    fn read(&mut self, name: &[u8]) -> Value {
        let value = self.shell.scalar(self.proc, name).unwrap_or_default();
        let illegal = || [b"Illegal number: ".as_slice(), &value].concat();
        let blanks = value.iter().take_while(|byte| is_blank(**byte)).count();
        let rest = value.get(blanks..).unwrap_or_default();
        let (negative, digits) = match rest {
            [b'-', digits @ ..] => (true, digits),
            [b'+', digits @ ..] => (false, digits),
            digits => (false, digits),
        };
        let (number, used) = integer(digits);
        let after = digits.get(used..).unwrap_or_default();
        // Out of range on one side or the other.
        let Some(number) = number else {
            return Err(Failure::Complaint(illegal()));
        };
        let ended = if used == 0 {
            value.iter().all(|byte| is_blank(*byte))
        } else {
            after.iter().all(|byte| is_blank(*byte))
        };
        if ended {
            Ok(if negative { -number } else { number })
        } else {
            Err(Failure::Complaint(illegal()))
        }
    }

    fn byte(&self, at: usize) -> u8 {
        self.text.get(at).copied().unwrap_or(0)
    }

    fn next(&mut self) -> Token {
        while matches!(self.byte(self.at), b' ' | b'\t' | b'\n') {
            self.at += 1;
        }
        let first = self.byte(self.at);
        if first.is_ascii_digit() {
            let (number, used) = integer(self.text.get(self.at..).unwrap_or_default());
            self.at += used;
            return Token::Number(number.unwrap_or(i64::MAX));
        }
        if first.is_ascii_alphabetic() || first == b'_' {
            let start = self.at;
            while self.byte(self.at).is_ascii_alphanumeric() || self.byte(self.at) == b'_' {
                self.at += 1;
            }
            return Token::Name(self.text.get(start..self.at).unwrap_or_default().to_vec());
        }
        let (token, length) = self.operator(first);
        self.at += length;
        token
    }

    fn operator(&self, first: u8) -> (Token, usize) {
        let (second, third) = (self.byte(self.at + 1), self.byte(self.at + 2));
        let binary = Token::Binary;
        match (first, second, third) {
            (0, ..) if self.at >= self.text.len() => (Token::End, 0),
            (b'<', b'<', b'=') => (Token::AssignWith(Binary::ShiftLeft), 3),
            (b'>', b'>', b'=') => (Token::AssignWith(Binary::ShiftRight), 3),
            (b'<', b'<', _) => (binary(Binary::ShiftLeft), 2),
            (b'>', b'>', _) => (binary(Binary::ShiftRight), 2),
            (b'<', b'=', _) => (binary(Binary::LessEqual), 2),
            (b'>', b'=', _) => (binary(Binary::GreaterEqual), 2),
            (b'=', b'=', _) => (binary(Binary::Equal), 2),
            (b'!', b'=', _) => (binary(Binary::NotEqual), 2),
            (b'&', b'&', _) => (Token::And, 2),
            (b'|', b'|', _) => (Token::Or, 2),
            (b'<', ..) => (binary(Binary::Less), 1),
            (b'>', ..) => (binary(Binary::Greater), 1),
            (b'=', ..) => (Token::Assign, 1),
            (b'!', ..) => (Token::Not, 1),
            (b'~', ..) => (Token::Complement, 1),
            (b'(', ..) => (Token::Open, 1),
            (b')', ..) => (Token::Close, 1),
            (b'?', ..) => (Token::Question, 1),
            (b':', ..) => (Token::Colon, 1),
            _ => match ASSIGNING.iter().find(|(byte, _)| *byte == first) {
                Some((_, operator)) if second == b'=' => (Token::AssignWith(*operator), 2),
                Some((_, operator)) => (binary(*operator), 1),
                None => (Token::Bad, 0),
            },
        }
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// A number in C's notation at the beginning of a text, `None` if it is too large, and its length.
pub(super) fn integer(text: &[u8]) -> (Option<i64>, usize) {
    let (radix, skipped) = match text {
        [b'0', b'x' | b'X', digit, ..] if digit.is_ascii_hexdigit() => (16, 2),
        [b'0', ..] => (8, 0),
        _ => (10, 0),
    };
    let digits = text.get(skipped..).unwrap_or_default();
    let mut value = Some(0_i64);
    let mut used = skipped;
    for byte in digits {
        let Some(digit) = char::from(*byte).to_digit(radix) else {
            break;
        };
        value = value.and_then(|value| {
            value
                .checked_mul(i64::from(radix))?
                .checked_add(i64::from(digit))
        });
        used += 1;
    }
    (value, used)
}
