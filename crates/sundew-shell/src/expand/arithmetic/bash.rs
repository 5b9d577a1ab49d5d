//! bash's way through an arithmetic expression: it evaluates while it reads, so that what comes first
//! in the text complains first, and what `&&`, `||` and `?:` leave out is read but not evaluated.
//!
//! The words of a complaint depend on how far the reader had looked ahead. It looks one token past
//! every name: what follows decides whether the name is read or assigned.

use futures_util::future::BoxFuture;
use sundew_kernel::Process;
use sundew_sh_syntax::arithmetic::Variable;

use super::{Failure, power};
use crate::shell::Shell;

/// Deepest nesting of parentheses, signs and choices; real bash runs out of stack far later.
const MAX_DEPTH: u32 = sundew_sh_syntax::limit::MAX_ARITHMETIC_DEPTH;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    End,
    Number,
    Name,
    Plus,
    Minus,
    Times,
    Divide,
    Remainder,
    Power,
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
    And,
    Or,
    Not,
    Complement,
    Question,
    Colon,
    Comma,
    Open,
    Close,
    Assign,
    /// `+=` and its kin
    AssignWith,
    PreIncrement,
    PreDecrement,
    PostIncrement,
    PostDecrement,
    /// What stands for a finished `?:` as the token before.
    Choice,
}

/// What looking ahead changes and takes back.
#[derive(Debug, Clone)]
struct State {
    token: Token,
    before: Token,
    /// Where the next token is looked for.
    at: usize,
    /// Where the last token began: the "error token".
    token_at: usize,
    value: i64,
    name: Option<Variable>,
    /// Above 0 nothing is evaluated.
    idle: u32,
}

pub(super) struct Evaluator<'a> {
    shell: &'a mut Shell,
    proc: &'a mut Process,
    text: &'a [u8],
    depth: u32,
    with: Token,
    state: State,
}

type Value = Result<i64, Failure>;

impl<'a> Evaluator<'a> {
    pub(super) fn new(shell: &'a mut Shell, proc: &'a mut Process, text: &'a [u8]) -> Self {
        Self {
            shell,
            proc,
            text,
            depth: 0,
            with: Token::End,
            state: State {
                token: Token::End,
                before: Token::End,
                at: 0,
                token_at: 0,
                value: 0,
                name: None,
                idle: 0,
            },
        }
    }

    /// The value of the whole text.
    pub(super) async fn run(mut self) -> Value {
        self.next().await?;
        let value = self.comma().await?;
        if self.state.token != Token::End {
            return self.fail("syntax error in expression");
        }
        Ok(value)
    }

    fn fail<T>(&self, message: &str) -> Result<T, Failure> {
        self.fail_within(message, self.state.token_at, self.text.len())
    }

    /// A complaint whose text ends at `end`: while a number is read bash sees nothing behind it.
    fn fail_within<T>(&self, message: &str, from: usize, end: usize) -> Result<T, Failure> {
        let shown = self.text.get(..end).unwrap_or(self.text);
        let token = shown.get(from..).unwrap_or_default();
        let blanks = shown.iter().take_while(|byte| matches!(byte, b' ' | b'\t'));
        let shown = shown.get(blanks.count()..).unwrap_or_default();
        Err(Failure::Complaint(
            [
                shown,
                b": ",
                message.as_bytes(),
                b" (error token is \"",
                token,
                b"\")",
            ]
            .concat(),
        ))
    }

    fn byte(&self, at: usize) -> u8 {
        self.text.get(at).copied().unwrap_or(0)
    }

    fn enter(&mut self) -> Result<(), Failure> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return self.fail("expression recursion level exceeded");
        }
        Ok(())
    }

    /// Reads the next token.
    async fn next(&mut self) -> Result<(), Failure> {
        let mut at = self.state.at;
        while matches!(self.byte(at), b' ' | b'\t' | b'\n') {
            at += 1;
        }
        self.state.at = at;
        let first = self.byte(at);
        if at >= self.text.len() {
            self.state.before = self.state.token;
            self.state.token = Token::End;
            return Ok(());
        }
        self.state.token_at = at;
        if first.is_ascii_alphabetic() || first == b'_' {
            self.name(at).await
        } else if first.is_ascii_digit() {
            self.number(at)
        } else {
            self.operator(at)
        }
    }

    async fn name(&mut self, start: usize) -> Result<(), Failure> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let mut end = start;
        while is_name(self.byte(end)) {
            end += 1;
        }
        let name = self.text.get(start..end).unwrap_or_default().into();
        let mut index = None;
        if self.byte(end) == b'[' {
            let Some(close) = self.closing_bracket(end) else {
                return self.fail("bad array subscript");
            };
            index = Some(self.text.get(end + 1..close).unwrap_or_default().into());
            end = close + 1;
        }
        let variable = Variable { name, index };
        // What follows decides whether the variable is read: not before a plain `=`.
        let mut kept = self.state.clone();
        self.state.at = end;
        self.state.token = Token::Name;
        self.state.idle = 1;
        Box::pin(self.next()).await?;
        let assigned = self.state.token == Token::Assign;
        kept.at = end;
        self.state = kept;
        let stepped = matches!(self.state.token, Token::PreIncrement | Token::PreDecrement);
        self.state.value = if (stepped || !assigned) && self.state.idle == 0 {
            self.shell.read_number(self.proc, &variable).await?
        } else {
            0
        };
        self.state.name = Some(variable);
        self.state.before = self.state.token;
        self.state.token = Token::Name;
        self.state.at = end;
        Ok(())
    }

    /// The `]` of the `[` at `open`.
    fn closing_bracket(&self, open: usize) -> Option<usize> {
        let mut depth = 0u32;
        for (at, byte) in self.text.iter().enumerate().skip(open) {
            match byte {
                b'[' => depth += 1,
                b']' => {
                    depth -= 1;
                    if depth == 0 {
                        return Some(at);
                    }
                }
                _ => {}
            }
        }
        None
    }

    fn number(&mut self, start: usize) -> Result<(), Failure> {
        let mut end = start;
        while self.byte(end).is_ascii_alphanumeric() || matches!(self.byte(end), b'#' | b'@' | b'_')
        {
            end += 1;
        }
        let digits = self.text.get(start..end).unwrap_or_default();
        match constant(digits) {
            Ok(value) => self.state.value = value,
            Err(message) => return self.fail_within(message, start, end),
        }
        self.state.at = end;
        self.state.before = self.state.token;
        self.state.token = Token::Number;
        Ok(())
    }

    fn operator(&mut self, start: usize) -> Result<(), Failure> {
        let (first, second) = (self.byte(start), self.byte(start + 1));
        let sign = matches!(first, b'+' | b'-') && first == second;
        let (token, length) = match (first, second) {
            (b'=', b'=') => (Token::Equal, 2),
            (b'!', b'=') => (Token::NotEqual, 2),
            (b'>', b'=') => (Token::GreaterEqual, 2),
            (b'<', b'=') => (Token::LessEqual, 2),
            (b'<', b'<') | (b'>', b'>') => {
                let shift = if first == b'<' {
                    Token::ShiftLeft
                } else {
                    Token::ShiftRight
                };
                if self.byte(start + 2) == b'=' {
                    self.with = shift;
                    (Token::AssignWith, 3)
                } else {
                    (shift, 2)
                }
            }
            (b'&', b'&') => (Token::And, 2),
            (b'|', b'|') => (Token::Or, 2),
            (b'*', b'*') => (Token::Power, 2),
            _ if sign && self.state.token == Token::Name => (
                if first == b'-' {
                    Token::PostDecrement
                } else {
                    Token::PostIncrement
                },
                2,
            ),
            _ if sign
                && self.state.token == Token::Number
                && matches!(self.state.before, Token::PreIncrement | Token::PreDecrement) =>
            {
                return self.fail(if first == b'-' {
                    "--: assignment requires lvalue"
                } else {
                    "++: assignment requires lvalue"
                });
            }
            _ if sign && self.name_follows(start + 2) => (
                if first == b'-' {
                    Token::PreDecrement
                } else {
                    Token::PreIncrement
                },
                2,
            ),
            (b'*' | b'/' | b'%' | b'+' | b'-' | b'&' | b'^' | b'|', b'=') => {
                self.with = single(first).unwrap_or(Token::End);
                (Token::AssignWith, 2)
            }
            _ => match single(first) {
                Some(token) => (token, 1),
                None => {
                    return self.fail(match self.state.token {
                        Token::Number | Token::Name => "syntax error: invalid arithmetic operator",
                        _ => "syntax error: operand expected",
                    });
                }
            },
        };
        self.state.before = self.state.token;
        self.state.token = token;
        self.state.at = start + length;
        Ok(())
    }

    fn name_follows(&self, from: usize) -> bool {
        let rest = self.text.get(from..).unwrap_or_default();
        rest.iter()
            .find(|byte| !matches!(byte, b' ' | b'\t' | b'\n'))
            .is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
    }

    fn comma(&mut self) -> BoxFuture<'_, Value> {
        Box::pin(async move {
            let mut value = self.assignment().await?;
            while self.state.token == Token::Comma {
                self.next().await?;
                value = self.assignment().await?;
            }
            Ok(value)
        })
    }

    fn assignment(&mut self) -> BoxFuture<'_, Value> {
        Box::pin(async move {
            self.enter()?;
            let mut value = self.choice().await?;
            let with = match self.state.token {
                Token::Assign => None,
                Token::AssignWith => Some(self.with),
                _ => {
                    self.depth -= 1;
                    return Ok(value);
                }
            };
            if self.state.before != Token::Name {
                return self.fail("attempted assignment to non-variable");
            }
            let Some(variable) = self.state.name.clone() else {
                return self.fail("syntax error in variable assignment");
            };
            self.next().await?;
            let right = self.assignment().await?;
            value = match with {
                None => right,
                Some(Token::Divide | Token::Remainder) if right == 0 => {
                    if self.state.idle == 0 {
                        return self.fail("division by 0");
                    }
                    value
                }
                Some(operator) => apply(operator, value, right),
            };
            if self.state.idle == 0 {
                self.shell.write_number(self.proc, &variable, value).await?;
            }
            self.state.name = None;
            self.depth -= 1;
            Ok(value)
        })
    }

    fn choice(&mut self) -> BoxFuture<'_, Value> {
        Box::pin(async move {
            let condition = self.binary(0).await?;
            if self.state.token != Token::Question {
                return Ok(condition);
            }
            self.enter()?;
            let left_out = u32::from(condition == 0);
            self.state.idle += left_out;
            self.next().await?;
            if matches!(self.state.token, Token::End | Token::Colon) {
                return self.fail("expression expected");
            }
            let yes = self.comma().await?;
            self.state.idle -= left_out;
            if self.state.token != Token::Colon {
                return self.fail("`:' expected for conditional expression");
            }
            let left_out = u32::from(condition != 0);
            self.state.idle += left_out;
            self.next().await?;
            if self.state.token == Token::End {
                return self.fail("expression expected");
            }
            let no = self.choice().await?;
            self.state.idle -= left_out;
            self.state.before = Token::Choice;
            self.depth -= 1;
            Ok(if condition == 0 { no } else { yes })
        })
    }

    /// Operators of this precedence and tighter ones.
    fn binary(&mut self, least: u8) -> BoxFuture<'_, Value> {
        Box::pin(async move {
            let mut left = self.power().await?;
            loop {
                let operator = self.state.token;
                let Some(level) = level(operator).filter(|level| *level >= least) else {
                    return Ok(left);
                };
                let left_out = u32::from(match operator {
                    Token::Or => left != 0,
                    Token::And => left == 0,
                    _ => false,
                });
                let behind = self.state.at;
                self.state.idle += left_out;
                self.next().await?;
                let mut right = self.binary(level + 1).await?;
                self.state.idle -= left_out;
                if matches!(operator, Token::Divide | Token::Remainder) && right == 0 {
                    if self.state.idle == 0 {
                        let rest = self.text.get(behind..).unwrap_or_default();
                        let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t'));
                        let from = behind + blanks.count();
                        return self.fail_within("division by 0", from, self.text.len());
                    }
                    right = 1;
                }
                left = apply(operator, left, right);
                self.state.before = match operator {
                    Token::Or | Token::And => operator,
                    _ => Token::Number,
                };
            }
        })
    }

    fn power(&mut self) -> BoxFuture<'_, Value> {
        Box::pin(async move {
            let base = self.unary().await?;
            if self.state.token != Token::Power {
                return Ok(base);
            }
            self.enter()?;
            self.next().await?;
            let exponent = self.power().await?;
            self.state.before = Token::Number;
            self.depth -= 1;
            if exponent < 0 {
                return self.fail("exponent less than 0");
            }
            Ok(power(base, exponent))
        })
    }

    fn unary(&mut self) -> BoxFuture<'_, Value> {
        Box::pin(async move {
            let sign = self.state.token;
            if !matches!(
                sign,
                Token::Not | Token::Complement | Token::Minus | Token::Plus
            ) {
                return self.operand().await;
            }
            self.enter()?;
            self.next().await?;
            let value = self.unary().await?;
            self.state.before = Token::Number;
            self.depth -= 1;
            Ok(match sign {
                Token::Not => i64::from(value == 0),
                Token::Complement => !value,
                Token::Minus => value.wrapping_neg(),
                _ => value,
            })
        })
    }

    async fn operand(&mut self) -> Value {
        match self.state.token {
            step @ (Token::PreIncrement | Token::PreDecrement) => {
                self.state.before = step;
                self.next().await?;
                if self.state.token != Token::Name {
                    return self.fail("identifier expected after pre-increment or pre-decrement");
                }
                let by = if step == Token::PreIncrement { 1 } else { -1 };
                let value = self.step(self.state.value, by).await?;
                self.state.token = Token::Number;
                self.next().await?;
                Ok(value)
            }
            Token::Open => {
                self.next().await?;
                let value = self.comma().await?;
                if self.state.token != Token::Close {
                    return self.fail("missing `)'");
                }
                self.next().await?;
                Ok(value)
            }
            Token::Number => {
                let value = self.state.value;
                self.next().await?;
                Ok(value)
            }
            Token::Name => {
                let value = self.state.value;
                let kept = self.state.clone();
                self.state.idle = 1;
                self.next().await?;
                let by = match self.state.token {
                    Token::PostIncrement => 1,
                    Token::PostDecrement => -1,
                    _ => {
                        self.state = kept;
                        self.next().await?;
                        return Ok(value);
                    }
                };
                self.state.idle = kept.idle;
                self.state.name = kept.name;
                self.state.before = Token::Name;
                self.step(value, by).await?;
                self.state.token = Token::Number;
                self.next().await?;
                Ok(value)
            }
            _ => self.fail("syntax error: operand expected"),
        }
    }

    /// Adds to the variable that was just read.
    async fn step(&mut self, value: i64, by: i64) -> Value {
        let value = value.wrapping_add(by);
        if self.state.idle == 0
            && let Some(variable) = self.state.name.clone()
        {
            self.shell.write_number(self.proc, &variable, value).await?;
        }
        Ok(value)
    }
}

fn single(byte: u8) -> Option<Token> {
    Some(match byte {
        b'+' => Token::Plus,
        b'-' => Token::Minus,
        b'*' => Token::Times,
        b'/' => Token::Divide,
        b'%' => Token::Remainder,
        b'<' => Token::Less,
        b'>' => Token::Greater,
        b'&' => Token::BitAnd,
        b'^' => Token::BitXor,
        b'|' => Token::BitOr,
        b'!' => Token::Not,
        b'~' => Token::Complement,
        b'?' => Token::Question,
        b':' => Token::Colon,
        b',' => Token::Comma,
        b'(' => Token::Open,
        b')' => Token::Close,
        b'=' => Token::Assign,
        _ => return None,
    })
}

/// How tight a binary operator binds; `**` is looked at before them all.
fn level(operator: Token) -> Option<u8> {
    Some(match operator {
        Token::Or => 0,
        Token::And => 1,
        Token::BitOr => 2,
        Token::BitXor => 3,
        Token::BitAnd => 4,
        Token::Equal | Token::NotEqual => 5,
        Token::Less | Token::LessEqual | Token::Greater | Token::GreaterEqual => 6,
        Token::ShiftLeft | Token::ShiftRight => 7,
        Token::Plus | Token::Minus => 8,
        Token::Times | Token::Divide | Token::Remainder => 9,
        _ => return None,
    })
}

fn apply(operator: Token, left: i64, right: i64) -> i64 {
    let shift = u32::try_from(right & 63).unwrap_or(0);
    match operator {
        Token::Or => i64::from(left != 0 || right != 0),
        Token::And => i64::from(left != 0 && right != 0),
        Token::BitOr => left | right,
        Token::BitXor => left ^ right,
        Token::BitAnd => left & right,
        Token::Equal => i64::from(left == right),
        Token::NotEqual => i64::from(left != right),
        Token::Less => i64::from(left < right),
        Token::LessEqual => i64::from(left <= right),
        Token::Greater => i64::from(left > right),
        Token::GreaterEqual => i64::from(left >= right),
        Token::ShiftLeft => left.wrapping_shl(shift),
        Token::ShiftRight => left.wrapping_shr(shift),
        Token::Plus => left.wrapping_add(right),
        Token::Minus => left.wrapping_sub(right),
        Token::Times => left.wrapping_mul(right),
        Token::Divide => left.checked_div(right).unwrap_or(left),
        Token::Remainder => left.checked_rem(right).unwrap_or(0),
        _ => right,
    }
}

/// A number as bash reads it: `017`, `0x1f`, `BASE#DIGITS`; what is too large wraps around.
fn constant(text: &[u8]) -> Result<i64, &'static str> {
    let (mut base, mut chosen, mut digits) = (10i64, false, text);
    if let [b'0', rest @ ..] = text {
        (base, chosen, digits) = match rest {
            [] => return Ok(0),
            [b'x' | b'X', rest @ ..] => (16, true, rest),
            rest => (8, true, rest),
        };
    }
    let mut value = 0i64;
    let mut rest = digits;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'#' {
            if chosen {
                return Err("invalid number");
            }
            if !(2..=64).contains(&value) {
                return Err("invalid arithmetic base");
            }
            (base, value, chosen) = (value, 0, true);
            let digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'@');
            if !rest.first().is_some_and(digit) {
                return Err("invalid integer constant");
            }
            continue;
        }
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'z' => byte - b'a' + 10,
            b'A'..=b'Z' if base <= 36 => byte - b'A' + 10,
            b'A'..=b'Z' => byte - b'A' + 36,
            b'@' => 62,
            _ => 63,
        };
        if i64::from(digit) >= base {
            return Err("value too great for base");
        }
        value = value.wrapping_mul(base).wrapping_add(i64::from(digit));
    }
    Ok(value)
}
