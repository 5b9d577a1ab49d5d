//! `$(( ))`: 64-bit integers that wrap around, variables read and written on the way.

mod bash;
mod busybox;
mod dash;

use futures_util::future::BoxFuture;
use sundew_kernel::Process;
use sundew_sh_syntax::Dialect;
use sundew_sh_syntax::arithmetic::Variable;

use crate::shell::{Flow, Run, SEGMENT_COMMANDS, Shell};
use crate::variable::{Reference, Value};

/// How often a variable's value may itself name variables: bash's own limit, less the last one, whose
/// expression is not named by the complaint.
const MAX_NESTING: u32 = 1023;

/// What is charged to the machine's memory for each byte of an expression within another one.
const EXPRESSION_BYTES: usize = 2048;

/// What an expression counts for in [`Shell::nested`]: its parentheses take more stack than a command.
const EXPRESSION_WEIGHT: u32 = 6;

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
        match self.evaluate_text(proc, text).await {
            Ok(value) => Ok(value),
            Err(Failure::Complaint(complaint)) => Err((complaint, Flow::Abandon)),
            Err(Failure::Flow(flow)) => Err((Vec::new(), flow)),
        }
    }

    fn evaluate_text<'a>(
        &'a mut self,
        proc: &'a mut Process,
        text: &'a [u8],
    ) -> BoxFuture<'a, Result<i64, Failure>> {
        Box::pin(async move {
            let shown = text.trim_ascii_start();
            if shown.is_empty() && self.dialect != Dialect::Dash {
                return Ok(0);
            }
            if self.expressions >= MAX_NESTING {
                let complaint = [
                    shown,
                    b": expression recursion level exceeded (error token is \"",
                    shown,
                    b"\")",
                ];
                return Err(Failure::Complaint(complaint.concat()));
            }
            if self.nested >= SEGMENT_COMMANDS {
                let text = text.to_vec();
                return self
                    .run_nested(proc, move |shell, proc| {
                        Box::pin(async move { shell.evaluate_text(proc, &text).await })
                    })
                    .await;
            }
            // What expressions in expressions take grows with their text, not only with their number.
            let mut memory = proc.memory();
            if self.expressions > 0 && memory.grow(text.len() * EXPRESSION_BYTES).is_err() {
                proc.out_of_memory().await;
            }
            self.expressions += 1;
            self.nested += EXPRESSION_WEIGHT;
            let value = match self.dialect {
                Dialect::Bash => bash::Evaluator::new(self, proc, text).run().await,
                Dialect::Dash => dash::Evaluator::new(self, proc, text).run(),
                Dialect::Ash => busybox::evaluate(self, proc, text),
            };
            self.expressions = self.expressions.saturating_sub(1);
            self.nested = self.nested.saturating_sub(EXPRESSION_WEIGHT);
            drop(memory);
            value
        })
    }

    /// An assignment within an expression of dash or ash; the complaint if the variable may not change.
    fn assign_number(&mut self, name: &[u8], value: i64) -> Result<(), Vec<u8>> {
        match name {
            b"OPTIND" => self.getopts_at = 0,
            b"PATH" => self.hashed.clear(),
            _ => {}
        }
        if self.variables.set(name, value.to_string()).is_err() {
            return Err([name, b": is read only"].concat());
        }
        if self.options.is_set("allexport") {
            self.variables
                .modify(name, |variable| variable.attributes.exported = true);
        }
        Ok(())
    }

    async fn read_number(
        &mut self,
        proc: &mut Process,
        variable: &Variable,
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
            None => match self.variables.reference(&variable.name) {
                None => self.scalar(proc, &variable.name),
                Some(reference) => {
                    // Seldom: the others shall not pay for it with their stack.
                    Box::pin(self.referred_number(proc, &variable.name, reference)).await?
                }
            },
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
        self.evaluate_text(proc, &value).await
    }

    async fn referred_number(
        &mut self,
        proc: &mut Process,
        name: &[u8],
        reference: Reference,
    ) -> Result<Option<Vec<u8>>, Flow> {
        match reference {
            Reference::Element(array, index) => self.element(proc, &array, &index).await,
            reference => {
                if reference == Reference::Own {
                    self.warn_of_circle(proc, name, 1).await;
                }
                Ok(self.scalar(proc, name))
            }
        }
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
        if self.variables.reference(name) == Some(Reference::Own) {
            Box::pin(self.warn_of_circle(proc, name, 2)).await;
        }
        let value = self.integer_value(proc, name, value).await?;
        let associative = matches!(
            self.variables
                .variable(name)
                .and_then(|variable| variable.value.as_ref()),
            Some(Value::Associative(_))
        );
        let assigned = if associative && index.is_empty() {
            let text = [name, b"[]: bad array subscript"].concat();
            return self.fatal(proc, 1, text).await;
        } else if associative {
            self.variables.set_key(name, index.to_vec(), value)
        } else if matches!(index, b"@" | b"*") && self.is_bash() {
            let text = [name, b"[", index, b"]: bad array subscript"].concat();
            return self.fatal(proc, 1, text).await;
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
