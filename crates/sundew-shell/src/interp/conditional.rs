//! `[[ … ]]`, and the file and string tests that `test` shares.

use futures_util::future::BoxFuture;
use sundew_kernel::Process;
use sundew_sh_syntax::ast::{Conditional, ConditionalOperator, Word};
use sundew_vfs::{Access, FileType};

use crate::shell::{Flow, Shell};

impl Shell {
    /// The value of a conditional expression, or the status of an error that was complained of.
    pub(super) fn test_conditional<'a>(
        &'a mut self,
        proc: &'a mut Process,
        expression: &'a Conditional,
    ) -> BoxFuture<'a, Result<Result<bool, u8>, Flow>> {
        Box::pin(async move {
            proc.tick().await;
            match expression {
                Conditional::Word(word) => {
                    let operand = self.expand_string(proc, word).await?;
                    if self.options.is_set("xtrace") {
                        let term = [b"-n ".as_slice(), &traced_operand(&operand)].concat();
                        self.trace_term(proc, &term).await;
                    }
                    Ok(Ok(!operand.is_empty()))
                }
                Conditional::Unary(operator, word) => {
                    let operand = self.expand_string(proc, word).await?;
                    if self.options.is_set("xtrace") {
                        let term = [operator, b" ".as_slice(), &traced_operand(&operand)].concat();
                        self.trace_term(proc, &term).await;
                    }
                    Ok(Ok(self
                        .test_unary(proc, operator, &operand)
                        .await
                        .unwrap_or(false)))
                }
                Conditional::Binary(parts) => {
                    let (left, operator, right) = &**parts;
                    let left = self.expand_string(proc, left).await?;
                    if self.options.is_set("xtrace") {
                        let name: &[u8] = match operator {
                            ConditionalOperator::Match(text) => text,
                            ConditionalOperator::NoMatch => b"!=",
                            ConditionalOperator::Regex => b"=~",
                            ConditionalOperator::Before => b"<",
                            ConditionalOperator::After => b">",
                            ConditionalOperator::Named(name) => name,
                        };
                        let right = self.traced_right(proc, operator, right).await?;
                        let term = [
                            traced_operand(&left).as_slice(),
                            b" ",
                            name,
                            b" ",
                            &traced_operand(&right),
                        ]
                        .concat();
                        self.trace_term(proc, &term).await;
                    }
                    self.test_operator(proc, &left, operator, right).await
                }
                Conditional::Not(inner) => Ok(self
                    .test_conditional(proc, inner)
                    .await?
                    .map(|value| !value)),
                Conditional::And(all) => {
                    for one in all {
                        match self.test_conditional(proc, one).await? {
                            Ok(true) => {}
                            other => return Ok(other),
                        }
                    }
                    Ok(Ok(true))
                }
                Conditional::Or(all) => {
                    for one in all {
                        match self.test_conditional(proc, one).await? {
                            Ok(false) => {}
                            other => return Ok(other),
                        }
                    }
                    Ok(Ok(false))
                }
                Conditional::Parenthesised(inner) => self.test_conditional(proc, inner).await,
            }
        })
    }

    /// What stands on the right as a trace shows it: what is quoted in a pattern stands behind backslashes.
    async fn traced_right(
        &mut self,
        proc: &mut Process,
        operator: &ConditionalOperator,
        right: &Word,
    ) -> Result<Vec<u8>, Flow> {
        Ok(match operator {
            ConditionalOperator::Named(_)
            | ConditionalOperator::Before
            | ConditionalOperator::After => self.expand_string(proc, right).await?,
            ConditionalOperator::Match(_) | ConditionalOperator::NoMatch => {
                escaped(&self.expand_pieces(proc, right).await?, |_| true)
            }
            ConditionalOperator::Regex => {
                escaped(&self.expand_pieces(proc, right).await?, is_special_in_regex)
            }
        })
    }

    /// `set -x` shows each term of a conditional when it is looked at.
    async fn trace_term(&mut self, proc: &mut Process, term: &[u8]) {
        self.trace_text(proc, &[b"[[ ".as_slice(), term, b" ]]"].concat())
            .await;
    }

    async fn test_operator(
        &mut self,
        proc: &mut Process,
        left: &[u8],
        operator: &ConditionalOperator,
        right: &Word,
    ) -> Result<Result<bool, u8>, Flow> {
        match operator {
            ConditionalOperator::Match(_) => {
                Ok(Ok(self.expand_pattern(proc, right).await?.matches(left)))
            }
            ConditionalOperator::NoMatch => {
                Ok(Ok(!self.expand_pattern(proc, right).await?.matches(left)))
            }
            ConditionalOperator::Regex => {
                let pieces = self.expand_pieces(proc, right).await?;
                Ok(self.test_regex(left, &pieces))
            }
            ConditionalOperator::Before => {
                Ok(Ok(left < self.expand_string(proc, right).await?.as_slice()))
            }
            ConditionalOperator::After => {
                Ok(Ok(left > self.expand_string(proc, right).await?.as_slice()))
            }
            ConditionalOperator::Named(name) => {
                let right = self.expand_string(proc, right).await?;
                if let Some(answer) = compare_files(proc, left, name, &right) {
                    return Ok(Ok(answer));
                }
                let mut numbers = [0; 2];
                for (slot, text) in numbers.iter_mut().zip([left, &right]) {
                    match self.try_arithmetic(proc, text).await {
                        Ok(number) => *slot = number,
                        Err((complaint, flow)) if complaint.is_empty() => return Err(flow),
                        Err((complaint, _)) => {
                            self.complain(proc, [b"[[: ".as_slice(), &complaint].concat())
                                .await;
                            return Ok(Err(1));
                        }
                    }
                }
                let [left, right] = numbers;
                Ok(Ok(compare_numbers(left, name, right).unwrap_or(false)))
            }
        }
    }

    /// `=~`: sets `BASH_REMATCH`.
    fn test_regex(
        &mut self,
        left: &[u8],
        pieces: &[sundew_posix::pattern::Piece],
    ) -> Result<bool, u8> {
        use sundew_posix::regex::{Flags, Regex, Syntax};
        let pattern = escaped(pieces, is_special_in_regex);
        let flags = Flags {
            ignore_case: self.options.shopt("nocasematch"),
            ..Flags::default()
        };
        let regex = Regex::new(&pattern, Syntax::Extended, flags).map_err(|_| 2u8)?;
        let Some(groups) = regex.find(left, 0, false) else {
            self.variables.set_own_array(b"BASH_REMATCH", []);
            return Ok(false);
        };
        let texts: Vec<Vec<u8>> = (0..groups.count())
            .map(|group| groups.bytes(group, left).unwrap_or_default().to_vec())
            .collect();
        self.variables.set_own_array(b"BASH_REMATCH", texts);
        Ok(true)
    }

    /// A test with one operand; `None` for an unknown operator.
    pub(crate) async fn test_unary(
        &mut self,
        proc: &mut Process,
        operator: &[u8],
        operand: &[u8],
    ) -> Option<bool> {
        let stat = || proc.stat(operand).ok();
        let is_type =
            |wanted: FileType| stat().is_some_and(|metadata| metadata.file_type == wanted);
        let mode = |bit: u16| stat().is_some_and(|metadata| metadata.mode & bit != 0);
        Some(match operator {
            b"-n" => !operand.is_empty(),
            b"-z" => operand.is_empty(),
            b"-e" | b"-a" => stat().is_some(),
            b"-f" => is_type(FileType::Regular),
            b"-d" => is_type(FileType::Directory),
            b"-c" => is_type(FileType::CharDevice),
            b"-b" => is_type(FileType::BlockDevice),
            b"-p" => is_type(FileType::Fifo),
            b"-S" => is_type(FileType::Socket),
            b"-h" | b"-L" => proc
                .lstat(operand)
                .is_ok_and(|metadata| metadata.file_type == FileType::Symlink),
            b"-s" => stat().is_some_and(|metadata| metadata.size > 0),
            b"-r" => proc.access(operand, Access::Read).is_ok(),
            b"-w" => proc.access(operand, Access::Write).is_ok(),
            b"-x" => proc.access(operand, Access::Execute).is_ok(),
            b"-u" => mode(0o4000),
            b"-g" => mode(0o2000),
            b"-k" => mode(0o1000),
            b"-O" => stat().is_some_and(|metadata| metadata.uid == proc.credentials().uid),
            b"-G" => stat().is_some_and(|metadata| metadata.gid == proc.credentials().gid),
            b"-N" => stat().is_some_and(|metadata| metadata.mtime > metadata.atime),
            b"-t" => {
                let fd = std::str::from_utf8(operand)
                    .ok()
                    .and_then(|text| text.trim().parse().ok());
                fd.is_some_and(|fd| proc.is_terminal(fd))
            }
            b"-o" => std::str::from_utf8(operand).is_ok_and(|name| self.options.is_set(name)),
            b"-v" => self.is_parameter_set(operand),
            b"-R" => self
                .variables
                .raw(operand)
                .is_some_and(|variable| variable.attributes.reference),
            _ => return None,
        })
    }

    /// `-v name`, `-v name[index]`, `-v 1`.
    fn is_parameter_set(&self, operand: &[u8]) -> bool {
        if let Some(number) = std::str::from_utf8(operand)
            .ok()
            .and_then(|text| text.parse::<usize>().ok())
        {
            return number == 0 || number <= self.positional.len();
        }
        let (name, index) = crate::expand::parameter::split_index(operand);
        let Some(variable) = self.variables.variable(name) else {
            return false;
        };
        match (index, &variable.value) {
            (None, _) => variable.scalar().is_some(),
            (
                Some(b"@" | b"*"),
                Some(crate::variable::Value::Indexed(_) | crate::variable::Value::Scalar(_)),
            ) => variable.is_filled(),
            (Some(index), Some(crate::variable::Value::Associative(elements))) => {
                elements.contains_key(index)
            }
            (Some(index), Some(crate::variable::Value::Indexed(elements))) => {
                std::str::from_utf8(index)
                    .ok()
                    .and_then(|text| text.parse().ok())
                    .is_some_and(|index: i64| elements.contains_key(&index))
            }
            (Some(index), Some(_)) => index == b"0",
            (Some(_), None) => false,
        }
    }
}

fn is_special_in_regex(byte: u8) -> bool {
    b".[]*^$()+?{}|\\".contains(&byte)
}

/// A pattern as text: what was quoted stands behind backslashes, where these letters need one.
fn escaped(pieces: &[sundew_posix::pattern::Piece], needed: impl Fn(u8) -> bool) -> Vec<u8> {
    let mut text = Vec::with_capacity(pieces.len());
    for piece in pieces {
        if piece.quoted && needed(piece.byte) {
            text.push(b'\\');
        }
        text.push(piece.byte);
    }
    text
}

/// `-eq` and its kin; `None` for an unknown operator.
pub(crate) fn compare_numbers(left: i64, operator: &[u8], right: i64) -> Option<bool> {
    Some(match operator {
        b"-eq" => left == right,
        b"-ne" => left != right,
        b"-lt" => left < right,
        b"-le" => left <= right,
        b"-gt" => left > right,
        b"-ge" => left >= right,
        _ => return None,
    })
}

/// `-nt`, `-ot`, `-ef`; `None` for another operator.
pub(crate) fn compare_files(
    proc: &Process,
    left: &[u8],
    operator: &[u8],
    right: &[u8],
) -> Option<bool> {
    let (left, right) = (proc.stat(left).ok(), proc.stat(right).ok());
    let time =
        |metadata: &Option<sundew_vfs::Metadata>| metadata.as_ref().map(|metadata| metadata.mtime);
    Some(match operator {
        b"-nt" => left.is_some() && time(&left) > time(&right),
        b"-ot" => right.is_some() && time(&left) < time(&right),
        b"-ef" => match (left, right) {
            (Some(left), Some(right)) => left.ino == right.ino && left.dev == right.dev,
            _ => false,
        },
        _ => return None,
    })
}

/// An operand as a trace shows it: as it is, or two quotes for nothing.
fn traced_operand(operand: &[u8]) -> Vec<u8> {
    if operand.is_empty() {
        b"''".to_vec()
    } else {
        operand.to_vec()
    }
}
