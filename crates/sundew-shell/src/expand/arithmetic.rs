//! `$(( ))`: 64-bit integers that wrap around, variables read and written on the way.

mod bash;

use futures_util::future::BoxFuture;
use sundew_kernel::Process;
use sundew_sh_syntax::Dialect;
use sundew_sh_syntax::arithmetic::{
    ArithmeticError, ArithmeticErrorKind, BinaryOperator, Expression, UnaryOperator, Variable,
    parse,
};

use crate::shell::{Flow, Run, Shell};
use crate::variable::Value;

/// How often a variable's value may itself name variables.
const MAX_NESTING: u32 = 16;

/// Why an expression has no value.
enum Failure {
    Complaint(Vec<u8>),
    Flow(Flow),
}

impl From<Flow> for Failure {
    fn from(flow: Flow) -> Self {
        Self::Flow(flow)
    }
}

impl Shell {
    /// The value of an expression that is expanded already.
    ///
    /// # Errors
    ///
    /// A bad expression, complained of already.
    pub async fn arithmetic(&mut self, proc: &mut Process, text: &[u8]) -> Result<i64, Flow> {
        match self.try_arithmetic(proc, text).await {
            Ok(value) => Ok(value),
            Err((complaint, Flow::Abandon)) if !complaint.is_empty() => {
                let complaint = match &self.speaking {
                    Some(name) if self.is_bash() => [name, b": ".as_slice(), &complaint].concat(),
                    _ => complaint,
                };
                self.complain(proc, complaint).await;
                self.speaking = None;
                let flow = self.giving_up(Flow::Discard);
                self.status = match (self.is_bash(), flow) {
                    (true, Flow::Exit) => self.fatal_status(),
                    (true, _) => 1,
                    (false, _) => 2,
                };
                Err(flow)
            }
            Err((_, flow)) => Err(flow),
        }
    }

    /// The same for a subscript or a value of an integer variable, whose failure leaves more.
    pub(crate) async fn subscript(&mut self, proc: &mut Process, text: &[u8]) -> Result<i64, Flow> {
        self.arithmetic(proc, text)
            .await
            .map_err(|flow| match flow {
                Flow::Discard => Flow::DiscardAll,
                flow => flow,
            })
    }

    /// The same, with the complaint handed back instead of printed: for `((…))`, `let` and `[[ ]]`.
    pub(crate) async fn try_arithmetic(
        &mut self,
        proc: &mut Process,
        text: &[u8],
    ) -> Result<i64, (Vec<u8>, Flow)> {
        match self.evaluate_text(proc, text, 0).await {
            Ok(value) => Ok(value),
            Err(Failure::Complaint(complaint)) => Err((complaint, Flow::Abandon)),
            Err(Failure::Flow(flow)) => Err((Vec::new(), flow)),
        }
    }

    fn evaluate_text<'a>(
        &'a mut self,
        proc: &'a mut Process,
        text: &'a [u8],
        nesting: u32,
    ) -> BoxFuture<'a, Result<i64, Failure>> {
        Box::pin(async move {
            let shown = text.trim_ascii_start();
            if shown.is_empty() {
                return Ok(0);
            }
            if nesting > MAX_NESTING {
                let complaint = [
                    shown,
                    b": expression recursion level exceeded (error token is \"",
                    shown,
                    b"\")",
                ];
                return Err(Failure::Complaint(complaint.concat()));
            }
            if self.is_bash() {
                return bash::Evaluator::new(self, proc, text, nesting).run().await;
            }
            let expression =
                parse(text).map_err(|error| Failure::Complaint(self.describe(text, &error)))?;
            self.evaluate(proc, &expression, text, nesting).await
        })
    }

    /// The words of dash and ash for a text that is no expression.
    fn describe(&self, text: &[u8], error: &ArithmeticError) -> Vec<u8> {
        if self.dialect == Dialect::Ash {
            return b"arithmetic syntax error".to_vec();
        }
        let what = match error.kind {
            ArithmeticErrorKind::MissingParenthesis => "expecting ')'",
            ArithmeticErrorKind::ColonExpected => "expecting ':'",
            ArithmeticErrorKind::SyntaxInExpression
            | ArithmeticErrorKind::ValueTooGreatForBase
            | ArithmeticErrorKind::InvalidNumber
            | ArithmeticErrorKind::AssignmentToNonVariable => "expecting EOF",
            _ => "expecting primary",
        };
        failure_in_dash(text, what)
    }

    fn evaluate<'a>(
        &'a mut self,
        proc: &'a mut Process,
        expression: &'a Expression,
        text: &'a [u8],
        nesting: u32,
    ) -> BoxFuture<'a, Result<i64, Failure>> {
        Box::pin(async move {
            match expression {
                Expression::Number(number) => Ok(*number),
                Expression::Variable(variable) => self.read_number(proc, variable, nesting).await,
                Expression::Unary(operator, operand) => {
                    let value = self.evaluate(proc, operand, text, nesting).await?;
                    Ok(match operator {
                        UnaryOperator::Minus => value.wrapping_neg(),
                        UnaryOperator::Plus => value,
                        UnaryOperator::Not => i64::from(value == 0),
                        UnaryOperator::Complement => !value,
                    })
                }
                Expression::Binary(left, operator, right) => {
                    let left = self.evaluate(proc, left, text, nesting).await?;
                    let right = self.evaluate(proc, right, text, nesting).await?;
                    binary(left, *operator, right).map_err(|message| self.failure(text, message))
                }
                Expression::And(left, right) => {
                    let left = self.evaluate(proc, left, text, nesting).await?;
                    Ok(i64::from(
                        left != 0 && self.evaluate(proc, right, text, nesting).await? != 0,
                    ))
                }
                Expression::Or(left, right) => {
                    let left = self.evaluate(proc, left, text, nesting).await?;
                    Ok(i64::from(
                        left != 0 || self.evaluate(proc, right, text, nesting).await? != 0,
                    ))
                }
                Expression::Choice(condition, yes, no) => {
                    let condition = self.evaluate(proc, condition, text, nesting).await?;
                    self.evaluate(proc, if condition != 0 { yes } else { no }, text, nesting)
                        .await
                }
                Expression::Assign(variable, operator, value) => {
                    let mut value = self.evaluate(proc, value, text, nesting).await?;
                    if let Some(operator) = operator {
                        let old = self.read_number(proc, variable, nesting).await?;
                        value = binary(old, *operator, value)
                            .map_err(|message| self.failure(text, message))?;
                    }
                    self.write_number(proc, variable, value).await?;
                    Ok(value)
                }
                Expression::Step {
                    variable,
                    increment,
                    postfix,
                } => {
                    let old = self.read_number(proc, variable, nesting).await?;
                    let new = if *increment {
                        old.wrapping_add(1)
                    } else {
                        old.wrapping_sub(1)
                    };
                    self.write_number(proc, variable, new).await?;
                    Ok(if *postfix { old } else { new })
                }
                Expression::Sequence(all) => {
                    let mut value = 0;
                    for expression in all {
                        value = self.evaluate(proc, expression, text, nesting).await?;
                    }
                    Ok(value)
                }
            }
        })
    }

    fn failure(&self, text: &[u8], message: &str) -> Failure {
        Failure::Complaint(if self.dialect == Dialect::Ash {
            b"divide by zero".to_vec()
        } else {
            failure_in_dash(text, message)
        })
    }

    async fn read_number(
        &mut self,
        proc: &mut Process,
        variable: &Variable,
        nesting: u32,
    ) -> Result<i64, Failure> {
        let value = match &variable.index {
            Some(index) if index.is_empty() && !self.variables.is_associative(&variable.name) => {
                // Said when it looks for the variable and again when it reads it.
                for _ in 0..2 {
                    let text = [variable.name.as_ref(), b"[]: bad array subscript"].concat();
                    self.complain(proc, text).await;
                }
                return Ok(0);
            }
            Some(index) => self.element(proc, &variable.name, index).await?,
            None => self.scalar(proc, &variable.name),
        };
        let Some(value) = value else {
            if self.options.is_set("nounset") {
                let text = [variable.name.as_ref(), b": unbound variable"].concat();
                self.complain(proc, text).await;
                self.status = self.fatal_status();
                return Err(Failure::Flow(self.giving_up(Flow::Exit)));
            }
            return Ok(0);
        };
        if let Some(number) = plain_number(&value) {
            return Ok(number);
        }
        if !self.is_bash() {
            let text = [b"Illegal number: ".as_slice(), &value].concat();
            if self.dialect == Dialect::Dash {
                return Err(Failure::Complaint(text));
            }
        }
        self.evaluate_text(proc, &value, nesting + 1).await
    }

    async fn write_number(&mut self, proc: &mut Process, variable: &Variable, value: i64) -> Run {
        let value = value.to_string().into_bytes();
        match &variable.index {
            Some(index) => {
                self.assign_element(proc, &variable.name, index, value)
                    .await
            }
            None => self.assign(proc, &variable.name, value).await,
        }
    }

    /// `name[index]=value`, where `index` is expanded already.
    pub(crate) async fn assign_element(
        &mut self,
        proc: &mut Process,
        name: &[u8],
        index: &[u8],
        value: Vec<u8>,
    ) -> Run {
        let value = self.integer_value(proc, name, value).await?;
        let associative = matches!(
            self.variables
                .variable(name)
                .and_then(|variable| variable.value.as_ref()),
            Some(Value::Associative(_))
        );
        let assigned = if associative {
            self.variables.set_key(name, index.to_vec(), value)
        } else {
            let mut number = self.subscript(proc, index).await?;
            if number < 0 {
                let last = match self
                    .variables
                    .variable(name)
                    .and_then(|variable| variable.value.as_ref())
                {
                    Some(Value::Indexed(elements)) => {
                        elements.last_key_value().map_or(-1, |(key, _)| *key)
                    }
                    _ => -1,
                };
                number += last + 1;
                if number < 0 {
                    let text = [name, b"[", index, b"]: bad array subscript"].concat();
                    return self.fatal(proc, 1, text).await;
                }
            }
            self.variables.set_element(name, number, value)
        };
        self.check_assigned(proc, name, assigned).await
    }
}

/// Decimal digits without a leading zero: what most variables in expressions hold.
fn plain_number(value: &[u8]) -> Option<i64> {
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    if digits.starts_with(b"0") && digits.len() > 1 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}

fn failure_in_dash(text: &[u8], what: &str) -> Vec<u8> {
    let what = format!("arithmetic expression: {what}: \"");
    [what.as_bytes(), text, b"\""].concat()
}

fn binary(left: i64, operator: BinaryOperator, right: i64) -> Result<i64, &'static str> {
    let shift = || u32::try_from(right & 63).unwrap_or(0);
    Ok(match operator {
        BinaryOperator::Power => {
            if right < 0 {
                return Err("exponent less than 0");
            }
            power(left, right)
        }
        BinaryOperator::Multiply => left.wrapping_mul(right),
        BinaryOperator::Divide if right == 0 => return Err("division by zero"),
        BinaryOperator::Divide => left.wrapping_div(right),
        BinaryOperator::Remainder if right == 0 => return Err("division by zero"),
        BinaryOperator::Remainder => left.wrapping_rem(right),
        BinaryOperator::Add => left.wrapping_add(right),
        BinaryOperator::Subtract => left.wrapping_sub(right),
        BinaryOperator::ShiftLeft => left.wrapping_shl(shift()),
        BinaryOperator::ShiftRight => left.wrapping_shr(shift()),
        BinaryOperator::Less => i64::from(left < right),
        BinaryOperator::LessEqual => i64::from(left <= right),
        BinaryOperator::Greater => i64::from(left > right),
        BinaryOperator::GreaterEqual => i64::from(left >= right),
        BinaryOperator::Equal => i64::from(left == right),
        BinaryOperator::NotEqual => i64::from(left != right),
        BinaryOperator::BitAnd => left & right,
        BinaryOperator::BitXor => left ^ right,
        BinaryOperator::BitOr => left | right,
    })
}

/// By squaring, so that a huge exponent costs nothing.
fn power(mut base: i64, exponent: i64) -> i64 {
    let mut exponent = exponent.unsigned_abs();
    let mut result = 1i64;
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = result.wrapping_mul(base);
        }
        base = base.wrapping_mul(base);
        exponent >>= 1;
    }
    result
}
