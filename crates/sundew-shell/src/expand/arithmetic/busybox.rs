//! BusyBox's arithmetic: operands and operators on two stacks, by precedence. Nothing is left out:
//! both sides of `&&`, `||` and `?:` are evaluated, assignments and divisions by zero included.

use sundew_kernel::Process;

use super::{Failure, dash, power};
use crate::shell::Shell;

/// How often a variable's value may itself name variables, each another one.
const MAX_NESTING: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Open,
    Close,
    Number,
    Comma,
    Assign,
    /// `+=` and its kin
    AssignWith(Binary),
    Question,
    Colon,
    Binary(Binary),
    Not,
    Complement,
    Minus,
    PreIncrement,
    PreDecrement,
    PostIncrement,
    PostDecrement,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Binary {
    Or,
    And,
    BitOr,
    BitXor,
    BitAnd,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    ShiftLeft,
    ShiftRight,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
}

/// Operators, longest first.
const OPERATORS: [(&[u8], Token); 38] = [
    (b"<<=", Token::AssignWith(Binary::ShiftLeft)),
    (b">>=", Token::AssignWith(Binary::ShiftRight)),
    (b"<<", Token::Binary(Binary::ShiftLeft)),
    (b">>", Token::Binary(Binary::ShiftRight)),
    (b"||", Token::Binary(Binary::Or)),
    (b"&&", Token::Binary(Binary::And)),
    (b"!=", Token::Binary(Binary::NotEqual)),
    (b"<=", Token::Binary(Binary::LessEqual)),
    (b">=", Token::Binary(Binary::GreaterEqual)),
    (b"==", Token::Binary(Binary::Equal)),
    (b"|=", Token::AssignWith(Binary::BitOr)),
    (b"&=", Token::AssignWith(Binary::BitAnd)),
    (b"*=", Token::AssignWith(Binary::Multiply)),
    (b"/=", Token::AssignWith(Binary::Divide)),
    (b"%=", Token::AssignWith(Binary::Remainder)),
    (b"+=", Token::AssignWith(Binary::Add)),
    (b"-=", Token::AssignWith(Binary::Subtract)),
    (b"--", Token::PostDecrement),
    (b"^=", Token::AssignWith(Binary::BitXor)),
    (b"++", Token::PostIncrement),
    (b"**", Token::Binary(Binary::Power)),
    (b"!", Token::Not),
    (b"<", Token::Binary(Binary::Less)),
    (b">", Token::Binary(Binary::Greater)),
    (b"=", Token::Assign),
    (b"|", Token::Binary(Binary::BitOr)),
    (b"&", Token::Binary(Binary::BitAnd)),
    (b"*", Token::Binary(Binary::Multiply)),
    (b"/", Token::Binary(Binary::Divide)),
    (b"%", Token::Binary(Binary::Remainder)),
    (b"+", Token::Binary(Binary::Add)),
    (b"-", Token::Binary(Binary::Subtract)),
    (b"^", Token::Binary(Binary::BitXor)),
    (b"~", Token::Complement),
    (b",", Token::Comma),
    (b"?", Token::Question),
    (b":", Token::Colon),
    (b"(", Token::Open),
];

/// Where unary operators begin.
const UNARY: u32 = 16;
/// What stands for a finished operand.
const OPERAND: u32 = 20;

impl Token {
    fn level(self) -> u32 {
        match self {
            Self::Open => 0,
            Self::Comma => 1,
            Self::Assign | Self::AssignWith(_) => 2,
            Self::Question | Self::Colon => 4,
            Self::Binary(operator) => operator.level(),
            Self::Complement | Self::Not => UNARY,
            Self::Minus => 17,
            Self::PreIncrement | Self::PreDecrement => 18,
            Self::PostIncrement | Self::PostDecrement => 19,
            Self::Number | Self::Close => OPERAND,
        }
    }

    fn groups_to_the_right(self) -> bool {
        matches!(self.level(), 2 | 4 | 15)
    }
}

impl Binary {
    fn level(self) -> u32 {
        match self {
            Self::Or => 5,
            Self::And => 6,
            Self::BitOr => 7,
            Self::BitXor => 8,
            Self::BitAnd => 9,
            Self::Equal | Self::NotEqual => 10,
            Self::Less | Self::LessEqual | Self::Greater | Self::GreaterEqual => 11,
            Self::ShiftLeft | Self::ShiftRight => 12,
            Self::Add | Self::Subtract => 13,
            Self::Multiply | Self::Divide | Self::Remainder => 14,
            Self::Power => 15,
        }
    }
}

/// A number, or a variable that is still to be read.
#[derive(Debug, Clone, Default)]
struct Operand {
    name: Option<Vec<u8>>,
    value: i64,
    /// What stands behind the `:`.
    other: Option<i64>,
}

type Try<T> = Result<T, &'static [u8]>;

const SYNTAX: &[u8] = b"arithmetic syntax error";

/// The value of a text.
pub(super) fn evaluate(shell: &mut Shell, proc: &Process, text: &[u8]) -> Result<i64, Failure> {
    let mut readonly = None;
    let mut names = Vec::new();
    match string(shell, proc, text, &mut names, &mut readonly) {
        Ok(value) => Ok(value),
        Err(complaint) => Err(Failure::Complaint(
            readonly.unwrap_or_else(|| complaint.to_vec()),
        )),
    }
}

fn string(
    shell: &mut Shell,
    proc: &Process,
    text: &[u8],
    names: &mut Vec<Vec<u8>>,
    readonly: &mut Option<Vec<u8>>,
) -> Try<i64> {
    let mut evaluator = Evaluator {
        shell,
        proc,
        text,
        names,
        readonly,
        operands: Vec::new(),
        operators: vec![Token::Open],
        last: Token::Open,
    };
    evaluator.run()
}

struct Evaluator<'a> {
    shell: &'a mut Shell,
    proc: &'a Process,
    text: &'a [u8],
    /// The variables whose values are being evaluated.
    names: &'a mut Vec<Vec<u8>>,
    /// The complaint of a failed assignment.
    readonly: &'a mut Option<Vec<u8>>,
    operands: Vec<Operand>,
    operators: Vec<Token>,
    last: Token,
}

impl Evaluator<'_> {
    fn run(&mut self) -> Try<i64> {
        let mut at = self.skip_blanks(0);
        if at >= self.text.len() {
            return Ok(0);
        }
        while at < self.text.len() {
            at = self.step(at)?;
            at = self.skip_blanks(at);
        }
        // The parenthesis that everything began with.
        self.operator(Token::Close)?;
        if self.operands.len() != 1 || !self.operators.is_empty() {
            return Err(SYNTAX);
        }
        Ok(self.operands.pop().unwrap_or_default().value)
    }

    fn skip_blanks(&self, at: usize) -> usize {
        let rest = self.text.get(at..).unwrap_or_default();
        at + rest
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\t'..=b'\r'))
            .count()
    }

    /// Takes one token; where the next may begin.
    fn step(&mut self, at: usize) -> Try<usize> {
        let rest = self.text.get(at..).unwrap_or_default();
        let first = rest.first().copied().unwrap_or(0);
        let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        if first.is_ascii_alphabetic() || first == b'_' {
            let length = rest.iter().take_while(|byte| word(byte)).count();
            self.operands.push(Operand {
                name: rest.get(..length).map(<[u8]>::to_vec),
                ..Operand::default()
            });
            self.last = Token::Number;
            return Ok(at + length);
        }
        if first.is_ascii_digit() {
            let (value, length) = number(rest);
            if rest.get(length).is_some_and(word) {
                return Err(SYNTAX);
            }
            self.operands.push(Operand {
                value,
                ..Operand::default()
            });
            self.last = Token::Number;
            return Ok(at + length);
        }
        if first == b')' {
            self.operator(Token::Close)?;
            return Ok(at + 1);
        }
        if let [b'+' | b'-', second, ..] = rest
            && *second == first
            && self
                .operands
                .last()
                .is_none_or(|operand| operand.name.is_none())
        {
            let next = self.text.get(self.skip_blanks(at + 2)).copied();
            if !next.is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_') {
                let sign = if first == b'+' {
                    Binary::Add
                } else {
                    Binary::Subtract
                };
                self.operator(Token::Binary(sign))?;
                return Ok(at + 1);
            }
        }
        let (text, token) = OPERATORS
            .iter()
            .find(|(text, _)| rest.starts_with(text))
            .ok_or(SYNTAX)?;
        self.operator(*token)?;
        Ok(at + text.len())
    }

    fn operator(&mut self, mut token: Token) -> Try<()> {
        if matches!(self.last, Token::PostIncrement | Token::PostDecrement) {
            self.last = Token::Number;
        }
        if self.last != Token::Number {
            token = match token {
                Token::Binary(Binary::Add) => return Ok(()),
                Token::Binary(Binary::Subtract) => Token::Minus,
                Token::PostIncrement => Token::PreIncrement,
                Token::PostDecrement => Token::PreDecrement,
                token => token,
            };
        }
        let level = token.level();
        if level > 0 && level < UNARY || level == OPERAND {
            if self.last != Token::Number {
                return Err(SYNTAX);
            }
            while let Some(before) = self.operators.pop() {
                if token == Token::Close {
                    if before == Token::Open {
                        if let Some(operand) = self.operands.last().cloned() {
                            let value = self.read(&operand)?;
                            self.replace_last(value);
                        }
                        self.last = Token::Number;
                        return Ok(());
                    }
                } else {
                    let other = before.level();
                    if other < level || other == level && token.groups_to_the_right() {
                        self.operators.push(before);
                        break;
                    }
                }
                self.apply(before)?;
            }
            if token == Token::Close {
                return Err(SYNTAX);
            }
        }
        self.operators.push(token);
        self.last = token;
        Ok(())
    }

    fn replace_last(&mut self, value: i64) {
        if let Some(operand) = self.operands.last_mut() {
            operand.value = value;
            operand.name = None;
        }
    }

    /// Takes the operands of an operator from the stack and puts its value there.
    fn apply(&mut self, token: Token) -> Try<()> {
        let top = self.operands.pop().ok_or(SYNTAX)?;
        let value = self.read(&top)?;
        match token {
            Token::Minus => return self.push(value.wrapping_neg(), top.other),
            Token::Not => return self.push(i64::from(value == 0), top.other),
            Token::Complement => return self.push(!value, top.other),
            Token::PostIncrement | Token::PreIncrement => {
                self.write(&top, value.wrapping_add(1))?;
                let post = token == Token::PostIncrement;
                let value = if post { value } else { value.wrapping_add(1) };
                return self.push(value, top.other);
            }
            Token::PostDecrement | Token::PreDecrement => {
                self.write(&top, value.wrapping_sub(1))?;
                let post = token == Token::PostDecrement;
                let value = if post { value } else { value.wrapping_sub(1) };
                return self.push(value, top.other);
            }
            _ => {}
        }
        let left = self.operands.pop().ok_or(SYNTAX)?;
        if top.other.is_some() != (token == Token::Question) {
            return Err(b"malformed ?: operator");
        }
        if token == Token::Assign {
            self.write(&left, value)?;
            return self.push(value, None);
        }
        let old = self.read(&left)?;
        match token {
            Token::Comma => self.push(value, None),
            Token::Colon => self.push(old, Some(value)),
            Token::Question => {
                let other = top.other.unwrap_or_default();
                self.push(if old != 0 { value } else { other }, None)
            }
            Token::AssignWith(operator) => {
                let value = binary(operator, old, value)?;
                self.write(&left, value)?;
                self.push(value, None)
            }
            Token::Binary(operator) => self.push(binary(operator, old, value)?, None),
            _ => Err(SYNTAX),
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "the last word of every operator")]
    fn push(&mut self, value: i64, other: Option<i64>) -> Try<()> {
        self.operands.push(Operand {
            name: None,
            value,
            other,
        });
        Ok(())
    }

    /// The value of an operand: that of a variable is an expression itself.
    fn read(&mut self, operand: &Operand) -> Try<i64> {
        let Some(name) = &operand.name else {
            return Ok(operand.value);
        };
        let Some(text) = self.shell.scalar(self.proc, name) else {
            return Ok(0);
        };
        if self.names.contains(name) || self.names.len() >= MAX_NESTING {
            return Err(b"expression recursion loop detected");
        }
        self.names.push(name.clone());
        let value = string(self.shell, self.proc, &text, self.names, self.readonly);
        self.names.pop();
        value
    }

    fn write(&mut self, operand: &Operand, value: i64) -> Try<()> {
        let name = operand.name.as_ref().ok_or(SYNTAX)?;
        self.shell.assign_number(name, value).map_err(|complaint| {
            *self.readonly = Some(complaint);
            SYNTAX
        })
    }
}

fn binary(operator: Binary, left: i64, right: i64) -> Try<i64> {
    let shift = u32::try_from(right & 63).unwrap_or(0);
    Ok(match operator {
        Binary::Divide | Binary::Remainder if right == 0 => return Err(b"divide by zero"),
        Binary::Power if right < 0 => return Err(b"exponent less than 0"),
        Binary::Or => i64::from(left != 0 || right != 0),
        Binary::And => i64::from(left != 0 && right != 0),
        Binary::BitOr => left | right,
        Binary::BitXor => left ^ right,
        Binary::BitAnd => left & right,
        Binary::Equal => i64::from(left == right),
        Binary::NotEqual => i64::from(left != right),
        Binary::Less => i64::from(left < right),
        Binary::LessEqual => i64::from(left <= right),
        Binary::Greater => i64::from(left > right),
        Binary::GreaterEqual => i64::from(left >= right),
        Binary::ShiftLeft => left.wrapping_shl(shift),
        Binary::ShiftRight => left.wrapping_shr(shift),
        Binary::Add => left.wrapping_add(right),
        Binary::Subtract => left.wrapping_sub(right),
        Binary::Multiply => left.wrapping_mul(right),
        Binary::Divide => left.wrapping_div(right),
        Binary::Remainder => left.wrapping_rem(right),
        Binary::Power => power(left, right),
    })
}

/// `017`, `0x1f`, `16#ff`; a number that is too large counts as 0, as BusyBox has it. Its length.
fn number(text: &[u8]) -> (i64, usize) {
    let (value, length) = dash::integer(text);
    let base = value.filter(|base| (2..=64).contains(base));
    if let (Some(base), Some(b'#')) = (base, text.get(length)) {
        let mut value = 0_i64;
        let mut used = length + 1;
        for byte in text.get(used..).unwrap_or_default() {
            let digit = match byte {
                b'0'..=b'9' => i64::from(byte - b'0'),
                b'a'..=b'z' => i64::from(byte - b'a') + 10,
                b'A'..=b'Z' if base <= 36 => i64::from(byte - b'A') + 10,
                b'A'..=b'Z' => i64::from(byte - b'A') + 36,
                b'@' => 62,
                b'_' => 63,
                _ => break,
            };
            if digit >= base {
                break;
            }
            value = value.wrapping_mul(base).wrapping_add(digit);
            used += 1;
        }
        return (value, used);
    }
    (
        value.or_else(|| wrapped(text.get(..length)?)).unwrap_or(0),
        length,
    )
}

/// A number that has room in 64 bits only without a sign, as strtoull(3) and a cast leave it.
fn wrapped(digits: &[u8]) -> Option<i64> {
    let digits = std::str::from_utf8(digits).ok()?;
    let hexadecimal = digits
        .strip_prefix("0x")
        .or_else(|| digits.strip_prefix("0X"));
    let value = match (hexadecimal, digits.strip_prefix('0')) {
        (Some(digits), _) => u64::from_str_radix(digits, 16),
        (None, Some(octal)) => u64::from_str_radix(octal, 8),
        (None, None) => digits.parse(),
    };
    Some(value.ok()?.cast_signed())
}
