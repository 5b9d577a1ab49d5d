//! Text to an expression, by precedence climbing.

use super::{
    ArithmeticError, ArithmeticErrorKind as Kind, BinaryOperator as Binary, Expression,
    UnaryOperator, Variable,
};
use crate::lexer::{is_name_byte, is_name_start};
use crate::limit::MAX_ARITHMETIC_DEPTH;

/// Parses an expression. Only blanks give 0, as in bash.
///
/// # Errors
///
/// Any text that bash refuses, with bash's message and error token.
pub fn parse(text: &[u8]) -> Result<Expression, ArithmeticError> {
    let mut reader = Reader {
        text,
        at: 0,
        token_at: 0,
        depth: 0,
        after_variable: false,
    };
    reader.skip_blanks();
    if reader.peek().is_none() {
        return Ok(Expression::Number(0));
    }
    let expression = reader.sequence()?;
    reader.skip_blanks();
    if let Some(byte) = reader.peek() {
        let known = b"+-*/%<>=!&|^?:,()~".contains(&byte) || is_name_byte(byte);
        let kind = if known {
            Kind::SyntaxInExpression
        } else {
            Kind::InvalidOperator
        };
        return Err(ArithmeticError {
            kind,
            offset: reader.at,
        });
    }
    Ok(expression)
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    /// Where the last token began.
    token_at: usize,
    depth: u32,
    /// Whether a variable was just read, which `++` may follow.
    after_variable: bool,
}

type Read<T> = Result<T, ArithmeticError>;

/// Operators by precedence, loosest first, between `||`/`&&` and unary ones.
const LEVELS: [&[(&[u8], Binary)]; 9] = [
    &[(b"|", Binary::BitOr)],
    &[(b"^", Binary::BitXor)],
    &[(b"&", Binary::BitAnd)],
    &[(b"==", Binary::Equal), (b"!=", Binary::NotEqual)],
    &[
        (b"<=", Binary::LessEqual),
        (b">=", Binary::GreaterEqual),
        (b"<", Binary::Less),
        (b">", Binary::Greater),
    ],
    &[(b"<<", Binary::ShiftLeft), (b">>", Binary::ShiftRight)],
    &[(b"+", Binary::Add), (b"-", Binary::Subtract)],
    &[
        (b"*", Binary::Multiply),
        (b"/", Binary::Divide),
        (b"%", Binary::Remainder),
    ],
    &[(b"**", Binary::Power)],
];

/// All operators, longest first, so that a prefix of another is never taken for it.
const OPERATORS: [&[u8]; 37] = [
    b"<<=", b">>=", b"&&", b"||", b"==", b"!=", b"<=", b">=", b"<<", b">>", b"**", b"++", b"--",
    b"+=", b"-=", b"*=", b"/=", b"%=", b"&=", b"^=", b"|=", b"+", b"-", b"*", b"/", b"%", b"<",
    b">", b"=", b"!", b"&", b"|", b"^", b"?", b":", b",", b"~",
];

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n')) {
            self.at = self.at.saturating_add(1);
        }
    }

    /// The operator at the position.
    fn operator(&mut self) -> Option<&'static [u8]> {
        self.skip_blanks();
        let rest = self.text.get(self.at..)?;
        let found = OPERATORS
            .into_iter()
            .find(|operator| rest.starts_with(operator))?;
        // Beside anything but a name, `++` and `--` are two signs.
        let step = matches!(found, b"++" | b"--");
        if step && !self.after_variable && !starts_with_name(rest.get(2..)?) {
            return if found == b"++" {
                Some(b"+")
            } else {
                Some(b"-")
            };
        }
        Some(found)
    }

    fn eat(&mut self, operator: &[u8]) -> bool {
        let found = self.operator() == Some(operator);
        if found {
            self.token_at = self.at;
            self.at = self.at.saturating_add(operator.len());
        }
        found
    }

    /// The error token is the text from the last operator on, or from here if something is here.
    fn error<T>(&self, kind: Kind) -> Read<T> {
        let offset = if self.at < self.text.len() {
            self.at
        } else {
            self.token_at
        };
        Err(ArithmeticError { kind, offset })
    }

    fn enter(&mut self) -> Read<()> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > MAX_ARITHMETIC_DEPTH {
            self.error(Kind::TooDeep)
        } else {
            Ok(())
        }
    }

    fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    fn sequence(&mut self) -> Read<Expression> {
        let first = self.assignment()?;
        let mut all = Vec::new();
        while self.eat(b",") {
            all.push(self.assignment()?);
        }
        if all.is_empty() {
            return Ok(first);
        }
        all.insert(0, first);
        Ok(Expression::Sequence(all))
    }

    fn assignment(&mut self) -> Read<Expression> {
        self.enter()?;
        self.skip_blanks();
        let parenthesised = self.peek() == Some(b'(');
        let left = self.choice()?;
        let operation = match self.operator() {
            Some(b"=") => Some(None),
            Some(b"+=") => Some(Some(Binary::Add)),
            Some(b"-=") => Some(Some(Binary::Subtract)),
            Some(b"*=") => Some(Some(Binary::Multiply)),
            Some(b"/=") => Some(Some(Binary::Divide)),
            Some(b"%=") => Some(Some(Binary::Remainder)),
            Some(b"&=") => Some(Some(Binary::BitAnd)),
            Some(b"^=") => Some(Some(Binary::BitXor)),
            Some(b"|=") => Some(Some(Binary::BitOr)),
            Some(b"<<=") => Some(Some(Binary::ShiftLeft)),
            Some(b">>=") => Some(Some(Binary::ShiftRight)),
            _ => None,
        };
        let Some(operation) = operation else {
            self.leave();
            return Ok(left);
        };
        let Expression::Variable(variable) = left else {
            return self.error(Kind::AssignmentToNonVariable);
        };
        if parenthesised {
            return self.error(Kind::AssignmentToNonVariable);
        }
        if let Some(operator) = self.operator() {
            self.eat(operator);
        }
        let value = self.assignment()?;
        self.leave();
        Ok(Expression::Assign(variable, operation, Box::new(value)))
    }

    fn choice(&mut self) -> Read<Expression> {
        let condition = self.or()?;
        if !self.eat(b"?") {
            return Ok(condition);
        }
        self.enter()?;
        if matches!(self.operator(), Some(b":")) || self.peek().is_none() {
            return self.error(Kind::ExpressionExpected);
        }
        let yes = self.sequence()?;
        if !self.eat(b":") {
            return self.error(Kind::ColonExpected);
        }
        self.skip_blanks();
        if self.peek().is_none() {
            return self.error(Kind::ExpressionExpected);
        }
        let no = self.choice()?;
        self.leave();
        Ok(Expression::Choice(
            Box::new(condition),
            Box::new(yes),
            Box::new(no),
        ))
    }

    fn or(&mut self) -> Read<Expression> {
        let mut left = self.and()?;
        let mut depth = 0;
        while self.eat(b"||") {
            left = Expression::Or(Box::new(left), Box::new(self.and()?));
            self.chain(&mut depth)?;
        }
        Ok(left)
    }

    fn and(&mut self) -> Read<Expression> {
        let mut left = self.binary(0)?;
        let mut depth = 0;
        while self.eat(b"&&") {
            left = Expression::And(Box::new(left), Box::new(self.binary(0)?));
            self.chain(&mut depth)?;
        }
        Ok(left)
    }

    /// A chain `a+a+a…` makes a tree as deep as it is long; it has a bound of its own.
    fn chain(&self, length: &mut u32) -> Read<()> {
        *length = u32::saturating_add(*length, 1);
        if *length > MAX_CHAIN {
            self.error(Kind::TooDeep)
        } else {
            Ok(())
        }
    }

    fn binary(&mut self, level: usize) -> Read<Expression> {
        let Some(operators) = LEVELS.get(level) else {
            return self.unary();
        };
        let next = level.saturating_add(1);
        let mut left = self.binary(next)?;
        let mut length = 0;
        loop {
            let found = self.operator();
            let Some((text, operator)) = operators
                .iter()
                .find(|(text, _)| found == Some(*text))
                .copied()
            else {
                return Ok(left);
            };
            self.eat(text);
            // `**` associates to the right.
            let right = if operator == Binary::Power {
                self.enter()?;
                let right = self.binary(level)?;
                self.leave();
                right
            } else {
                self.binary(next)?
            };
            left = Expression::Binary(Box::new(left), operator, Box::new(right));
            self.chain(&mut length)?;
        }
    }

    fn unary(&mut self) -> Read<Expression> {
        let operator = match self.operator() {
            Some(b"-") => UnaryOperator::Minus,
            Some(b"+") => UnaryOperator::Plus,
            Some(b"!") => UnaryOperator::Not,
            Some(b"~") => UnaryOperator::Complement,
            Some(step @ (b"++" | b"--")) => return self.prefix_step(step),
            _ => return self.primary(),
        };
        self.token_at = self.at;
        self.at = self.at.saturating_add(1);
        self.enter()?;
        let operand = self.unary()?;
        self.leave();
        Ok(Expression::Unary(operator, Box::new(operand)))
    }

    /// `++x`: the operator is only found in front of a name.
    fn prefix_step(&mut self, step: &'static [u8]) -> Read<Expression> {
        self.eat(step);
        self.skip_blanks();
        let variable = self.variable()?;
        let increment = step == b"++";
        Ok(Expression::Step {
            variable,
            increment,
            postfix: false,
        })
    }

    fn primary(&mut self) -> Read<Expression> {
        self.skip_blanks();
        match self.peek() {
            Some(b'(') => {
                self.enter()?;
                self.token_at = self.at;
                self.at = self.at.saturating_add(1);
                let inside = self.sequence()?;
                self.skip_blanks();
                if self.peek() != Some(b')') {
                    return self.error(Kind::MissingParenthesis);
                }
                self.token_at = self.at;
                self.at = self.at.saturating_add(1);
                self.leave();
                Ok(inside)
            }
            Some(byte) if byte.is_ascii_digit() => self.number(),
            Some(byte) if is_name_start(byte) => {
                let variable = self.variable()?;
                for step in [b"++", b"--"] {
                    self.after_variable = true;
                    let found = self.operator();
                    self.after_variable = false;
                    if found == Some(step) {
                        self.token_at = self.at;
                        self.at = self.at.saturating_add(step.len());
                        let increment = step == b"++";
                        return Ok(Expression::Step {
                            variable,
                            increment,
                            postfix: true,
                        });
                    }
                }
                Ok(Expression::Variable(variable))
            }
            _ => self.error(Kind::OperandExpected),
        }
    }

    fn variable(&mut self) -> Read<Variable> {
        self.token_at = self.at;
        let start = self.at;
        while self.peek().is_some_and(is_name_byte) {
            self.at = self.at.saturating_add(1);
        }
        let name = self.text.get(start..self.at).unwrap_or_default().into();
        let mut index = None;
        if self.peek() == Some(b'[') {
            let mut nest = 0_usize;
            let open = self.at.saturating_add(1);
            loop {
                match self.peek() {
                    Some(b'[') => nest = nest.saturating_add(1),
                    Some(b']') => nest = nest.saturating_sub(1),
                    Some(_) => {}
                    None => {
                        return Err(ArithmeticError {
                            kind: Kind::BadSubscript,
                            offset: start,
                        });
                    }
                }
                self.at = self.at.saturating_add(1);
                if nest == 0 {
                    break;
                }
            }
            let close = self.at.saturating_sub(1);
            index = Some(self.text.get(open..close).unwrap_or_default().into());
        }
        Ok(Variable { name, index })
    }

    fn number(&mut self) -> Read<Expression> {
        let start = self.at;
        self.token_at = start;
        while self
            .peek()
            .is_some_and(|byte| is_name_byte(byte) || matches!(byte, b'#' | b'@'))
        {
            self.at = self.at.saturating_add(1);
        }
        let digits = self.text.get(start..self.at).unwrap_or_default();
        match number(digits) {
            Ok(value) => Ok(Expression::Number(value)),
            // The error token is the number itself and what follows.
            Err(kind) => Err(ArithmeticError {
                kind,
                offset: start,
            }),
        }
    }
}

fn starts_with_name(text: &[u8]) -> bool {
    let first = text
        .iter()
        .find(|byte| !matches!(byte, b' ' | b'\t' | b'\n'));
    first.is_some_and(|byte| is_name_start(*byte))
}

/// Longest chain of operators of one precedence; the tree it makes is dropped recursively.
const MAX_CHAIN: u32 = 4096;

/// A number in C's notation or `base#digits`.
fn number(text: &[u8]) -> Result<i64, Kind> {
    if let Some(hash) = text.iter().position(|byte| *byte == b'#') {
        let (base, digits) = text.split_at(hash);
        let base = decimal(base)?;
        if !(2..=64).contains(&base) {
            return Err(Kind::InvalidBase);
        }
        let digits = digits.get(1..).unwrap_or_default();
        if digits.is_empty() {
            return Err(Kind::InvalidIntegerConstant);
        }
        if digits.contains(&b'#') {
            return Err(Kind::InvalidNumber);
        }
        return in_base(digits, base);
    }
    match text {
        [b'0', b'x' | b'X', digits @ ..] => in_base(digits, 16),
        [b'0', digits @ ..] => in_base(digits, 8),
        digits => in_base(digits, 10),
    }
}

fn decimal(text: &[u8]) -> Result<i64, Kind> {
    match text {
        [b'0', b'x' | b'X', digits @ ..] => in_base(digits, 16),
        [b'0', digits @ ..] => in_base(digits, 8),
        digits => in_base(digits, 10),
    }
}

fn in_base(digits: &[u8], base: i64) -> Result<i64, Kind> {
    let mut value = 0_i64;
    for &byte in digits {
        let digit = match byte {
            b'0'..=b'9' => i64::from(byte.wrapping_sub(b'0')),
            b'a'..=b'z' => i64::from(byte.wrapping_sub(b'a')).saturating_add(10),
            // Up to base 36 upper and lower case are the same.
            b'A'..=b'Z' if base <= 36 => i64::from(byte.wrapping_sub(b'A')).saturating_add(10),
            b'A'..=b'Z' => i64::from(byte.wrapping_sub(b'A')).saturating_add(36),
            b'@' => 62,
            b'_' => 63,
            _ => return Err(Kind::InvalidNumber),
        };
        if digit >= base {
            return Err(Kind::ValueTooGreatForBase);
        }
        value = value.wrapping_mul(base).wrapping_add(digit);
    }
    Ok(value)
}
