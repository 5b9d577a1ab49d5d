//! What a parameter stands for: variables, positional and special parameters, those that the shell
//! makes up when asked (`$RANDOM`, `$SECONDS`).

use sundew_kernel::Process;
use sundew_sh_syntax::ast::{Index, Operation, Parameter, ParameterName, Part, Special, Word};

use crate::shell::{Flow, Shell};
use crate::variable::{Reference, Value};

/// The value of a parameter before any operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// One string, or nothing.
    One(Option<Vec<u8>>),
    /// `$@`, `$*`, `${a[@]}`, `${a[*]}`.
    Many {
        values: Vec<Vec<u8>>,
        /// Whether `*` was written: between quotes the values are one field.
        star: bool,
    },
}

impl Found {
    /// Whether there is no value at all.
    pub(super) fn is_nothing(&self) -> bool {
        match self {
            Self::One(value) => value.is_none(),
            Self::Many { values, .. } => values.is_empty(),
        }
    }
}

impl Shell {
    /// Whether the part is a `$@` or `${a[@]}` that stands for nothing.
    pub(super) fn is_empty_list(&self, part: &Part) -> bool {
        let Part::Parameter(parameter) = part else {
            return false;
        };
        // `"${!@}"` is one field, whatever it says.
        if parameter.indirect {
            return false;
        }
        // Of a part of the list the values say themselves that they are there.
        let part = self.is_bash() && matches!(parameter.operation, Operation::Substring { .. });
        match (&parameter.name, &parameter.index) {
            (ParameterName::Special(Special::At), None) => part || self.positional.is_empty(),
            (ParameterName::Variable(name), Some(Index::At)) => {
                part || self.elements(name).is_empty()
            }
            _ => false,
        }
    }

    /// The values of all elements.
    pub(crate) fn elements(&self, name: &[u8]) -> Vec<Vec<u8>> {
        match name {
            b"FUNCNAME" => return self.function_names(),
            b"BASH_ARGC" if self.frames.is_empty() && self.is_bash() => {
                return vec![self.positional.len().to_string().into_bytes()];
            }
            b"BASH_ARGV" if self.frames.is_empty() && self.is_bash() => {
                return self.positional.iter().rev().cloned().collect();
            }
            b"BASH_LINENO" => {
                let calls = self.frames.iter().rev();
                let lines = calls.map(|frame| frame.called_at.to_string().into_bytes());
                return lines
                    .chain(self.is_script().then(|| b"0".to_vec()))
                    .collect();
            }
            b"BASH_SOURCE" => {
                let calls = self.frames.iter().rev();
                let files = calls.map(|frame| frame.file.clone());
                return files
                    .chain(self.is_script().then(|| self.arg0.clone()))
                    .collect();
            }
            b"DIRSTACK" => {
                let mut all = vec![self.variables.scalar(b"PWD").unwrap_or_default().to_vec()];
                all.extend(self.directory_stack.iter().cloned());
                return all;
            }
            _ => {}
        }
        match self
            .variables
            .variable(name)
            .and_then(|variable| variable.value.as_ref())
        {
            None => Vec::new(),
            Some(Value::Scalar(text)) => vec![text.clone()],
            Some(Value::Indexed(elements)) => elements.values().cloned().collect(),
            Some(Value::Associative(elements)) => crate::builtin::bucket_order(elements)
                .into_iter()
                .map(|(_, value)| value.clone())
                .collect(),
        }
    }

    /// The keys of all elements.
    pub(super) fn keys(&self, name: &[u8]) -> Vec<Vec<u8>> {
        match self
            .variables
            .variable(name)
            .and_then(|variable| variable.value.as_ref())
        {
            None => Vec::new(),
            Some(Value::Scalar(_)) => vec![b"0".to_vec()],
            Some(Value::Indexed(elements)) => elements
                .keys()
                .map(|key| key.to_string().into_bytes())
                .collect(),
            Some(Value::Associative(elements)) => crate::builtin::bucket_order(elements)
                .into_iter()
                .map(|(key, _)| key.clone())
                .collect(),
        }
    }

    /// A script is itself the outermost call: `main`.
    fn is_script(&self) -> bool {
        self.source == crate::shell::Source::Script
    }

    fn function_names(&self) -> Vec<Vec<u8>> {
        let mut names: Vec<Vec<u8>> = self
            .frames
            .iter()
            .rev()
            .map(|frame| frame.name.clone())
            .collect();
        if !names.is_empty() && self.is_script() {
            names.push(b"main".to_vec());
        }
        names
    }

    /// The value of a parameter.
    pub(super) async fn find(
        &mut self,
        proc: &mut Process,
        parameter: &Parameter,
    ) -> Result<Found, Flow> {
        match &parameter.name {
            ParameterName::Positional(number) => Ok(Found::One(self.positional(*number))),
            ParameterName::Special(special) => Ok(self.special(proc, *special)),
            ParameterName::Variable(name) => match &parameter.index {
                index if self.is_bash() && self.variables.reference(name).is_some() => {
                    let indexed = index.is_some();
                    Box::pin(self.find_referred(proc, parameter, name, indexed)).await
                }
                index => {
                    self.find_variable(proc, parameter, name, index.as_ref())
                        .await
                }
            },
        }
    }

    /// What a name that is a reference stands for.
    async fn find_referred(
        &mut self,
        proc: &mut Process,
        parameter: &Parameter,
        name: &[u8],
        indexed: bool,
    ) -> Result<Found, Flow> {
        let length = matches!(parameter.operation, Operation::Length);
        match self.variables.reference(name) {
            Some(Reference::Element(array, index)) if !indexed => {
                let many = |values, star| Ok(Found::Many { values, star });
                match index.as_slice() {
                    // As bash has it.
                    _ if length => Ok(Found::One(None)),
                    b"@" => many(self.elements(&array), false),
                    b"*" => many(self.elements(&array), true),
                    index => Ok(Found::One(self.element(proc, &array, index).await?)),
                }
            }
            Some(Reference::Circle) => {
                self.warn_of_circle(proc, name, 1).await;
                Ok(Found::One(None))
            }
            reference => {
                if reference == Some(Reference::Own) {
                    let times = if length && !indexed { 1 } else { 2 };
                    self.warn_of_circle(proc, name, times).await;
                }
                let index = parameter.index.as_ref();
                self.find_variable(proc, parameter, name, index).await
            }
        }
    }

    /// bash warns whenever it follows a reference that leads to itself.
    pub(crate) async fn warn_of_circle(&self, proc: &mut Process, name: &[u8], times: usize) {
        for _ in 0..times {
            let text = [b"warning: ", name, b": circular name reference"].concat();
            self.complain(proc, text).await;
        }
    }

    async fn find_variable(
        &mut self,
        proc: &mut Process,
        parameter: &Parameter,
        name: &[u8],
        index: Option<&Index>,
    ) -> Result<Found, Flow> {
        match index {
            None => Ok(Found::One(self.scalar(proc, name))),
            Some(Index::At) => Ok(Found::Many {
                values: self.elements(name),
                star: false,
            }),
            Some(Index::Star) => Ok(Found::Many {
                values: self.elements(name),
                star: true,
            }),
            Some(Index::Word(word)) => {
                let text = self.index_text(proc, name, word).await?;
                if matches!(parameter.operation, Operation::Length)
                    && let Some(Value::Indexed(elements)) = self
                        .variables
                        .variable(name)
                        .and_then(|variable| variable.value.as_ref())
                    && let Some(number) = std::str::from_utf8(&text)
                        .ok()
                        .and_then(|text| text.parse::<i64>().ok())
                    && number + elements.last_key_value().map_or(-1, |(key, _)| *key) + 1 < 0
                {
                    let text = [text.as_slice(), b"]: bad array subscript"].concat();
                    self.fatal(proc, 1, text).await?;
                }
                let unset = self.variables.variable(name).is_none();
                if matches!(parameter.operation, Operation::Length) && unset {
                    return Ok(Found::One(None));
                }
                Ok(Found::One(self.element(proc, name, &text).await?))
            }
        }
    }

    fn positional(&self, number: u32) -> Option<Vec<u8>> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        self.positional.get(index).cloned()
    }

    /// A subscript, expanded. That of an indexed array keeps its single quotes: no expression has them.
    pub(crate) async fn index_text(
        &mut self,
        proc: &mut Process,
        name: &[u8],
        word: &Word,
    ) -> Result<Vec<u8>, Flow> {
        let quoted = |part: &Part| matches!(part, Part::SingleQuoted(_) | Part::AnsiQuoted(_));
        if self.variables.is_associative(name) || !word.parts.iter().any(quoted) {
            return self.expand_quoted(proc, word).await;
        }
        let parts = word.parts.iter().map(|part| match part {
            Part::SingleQuoted(text) | Part::AnsiQuoted(text) => {
                Part::Literal([b"'", text.as_ref(), b"'"].concat().into())
            }
            part => part.clone(),
        });
        let word = Word {
            parts: parts.collect(),
        };
        self.expand_quoted(proc, &word).await
    }

    /// `${name[index]}`, where `index` is expanded already.
    pub(crate) async fn element(
        &mut self,
        proc: &mut Process,
        name: &[u8],
        index: &[u8],
    ) -> Result<Option<Vec<u8>>, Flow> {
        if let Some(Value::Associative(elements)) = self
            .variables
            .variable(name)
            .and_then(|variable| variable.value.as_ref())
        {
            return Ok(elements.get(index).cloned());
        }
        let mut number = self.subscript(proc, index).await?;
        let value = self
            .variables
            .variable(name)
            .and_then(|variable| variable.value.as_ref());
        if number < 0 {
            let last = match value {
                Some(Value::Indexed(elements)) => {
                    elements.last_key_value().map_or(-1, |(key, _)| *key)
                }
                Some(Value::Scalar(_)) => 0,
                _ => -1,
            };
            number += last + 1;
            if number < 0 {
                let text = [name, b": bad array subscript"].concat();
                self.complain(proc, text).await;
                if self.is_bash() && self.options.is_set("errexit") && !self.interactive {
                    self.status = 1;
                    return Err(Flow::Exit);
                }
                return Ok(None);
            }
        }
        Ok(match value {
            Some(Value::Indexed(elements)) if name != b"DIRSTACK" => elements.get(&number).cloned(),
            Some(Value::Scalar(text)) => (number == 0).then(|| text.clone()),
            _ => usize::try_from(number)
                .ok()
                .and_then(|index| self.elements(name).get(index).cloned()),
        })
    }

    /// `$name`.
    pub(crate) fn scalar(&mut self, proc: &Process, name: &[u8]) -> Option<Vec<u8>> {
        if self.is_bash()
            && let Some(value) = self.made_up(proc, name)
        {
            return Some(value);
        }
        if self.dialect == sundew_sh_syntax::Dialect::Ash && name == b"FUNCNAME" {
            let frame = self.frames.iter().rev().find(|frame| frame.function)?;
            return Some(frame.name.clone());
        }
        // Debian's dash is built without it; BusyBox counts the lines of `-c` from 0.
        if name == b"LINENO" && self.dialect != sundew_sh_syntax::Dialect::Dash {
            let line = if self.is_bash() {
                self.line
            } else {
                self.line_as_busybox_counts(self.line)
            };
            return Some(line.to_string().into_bytes());
        }
        self.variables.scalar(name).map(<[u8]>::to_vec)
    }

    /// The variables that have another value whenever they are asked for.
    fn made_up(&mut self, proc: &Process, name: &[u8]) -> Option<Vec<u8>> {
        let number = |number: u64| Some(number.to_string().into_bytes());
        if self.plain_names.iter().any(|plain| plain == name) {
            return None;
        }
        let since = proc.monotonic().saturating_sub(self.seconds_from);
        match name {
            b"RANDOM" => number(u64::from(self.next_random(proc))),
            b"SRANDOM" => number(proc.random() & 0xffff_ffff),
            b"SECONDS" => number(since.as_secs().saturating_add(self.seconds_added)),
            b"BASHPID" => number(u64::from(proc.pid())),
            b"BASH_SUBSHELL" => number(u64::from(self.subshell)),
            b"EPOCHSECONDS" => number(proc.now().secs.unsigned_abs()),
            b"EPOCHREALTIME" => {
                let now = proc.now();
                Some(format!("{}.{:06}", now.secs, now.nanos / 1000).into_bytes())
            }
            b"HISTCMD" if !self.interactive => number(0),
            b"BASH_COMMAND" => Some(self.command_text.clone()),
            b"SHELLOPTS" => Some(self.option_list()),
            b"BASHOPTS" => Some(self.shopt_list()),
            b"BASH_ARGC" if self.frames.is_empty() => self.elements(name).into_iter().next(),
            b"BASH_ARGV" if self.frames.is_empty() => self.elements(name).into_iter().next(),
            b"BASH_EXECUTION_STRING" => self
                .execution_string
                .as_deref()
                .map(<[u8]>::to_vec)
                .or_else(|| self.variables.scalar(name).map(<[u8]>::to_vec)),
            b"DIRSTACK" => self.elements(b"DIRSTACK").into_iter().next(),
            b"FUNCNAME" => self.function_names().into_iter().next(),
            b"BASH_SOURCE" => self.elements(b"BASH_SOURCE").into_iter().next(),
            b"BASH_LINENO" => self.elements(b"BASH_LINENO").into_iter().next(),
            _ => None,
        }
    }

    /// 15 bits, as `$RANDOM`.
    fn next_random(&mut self, proc: &Process) -> u32 {
        match &mut self.random {
            // After an assignment the sequence repeats: bash's generator (Park and Miller).
            Some(seed) => {
                let state = i64::from(if *seed == 0 { 123_459_876 } else { *seed });
                let (high, low) = (state / 127_773, state % 127_773);
                let next = 16_807 * low - 2_836 * high;
                let next = if next < 0 { next + 0x7fff_ffff } else { next };
                *seed = u32::try_from(next).unwrap_or(1);
                ((*seed >> 16) ^ (*seed & 0xffff)) & 0x7fff
            }
            None => u32::try_from(proc.random() >> 40 & 0x7fff).unwrap_or(0),
        }
    }

    fn special(&self, proc: &Process, special: Special) -> Found {
        let number = |number: u64| Found::One(Some(number.to_string().into_bytes()));
        match special {
            Special::At => Found::Many {
                values: self.positional.to_vec(),
                star: false,
            },
            Special::Star => Found::Many {
                values: self.positional.to_vec(),
                star: true,
            },
            Special::Count => number(self.positional.len() as u64),
            Special::Status => {
                let wide = self
                    .wide_status
                    .filter(|wide| wide & 0xff == u32::from(self.status));
                number(u64::from(wide.unwrap_or(u32::from(self.status))))
            }
            Special::Options => Found::One(Some(self.option_letters())),
            Special::Process => {
                let _ = proc;
                number(u64::from(self.pid))
            }
            Special::Background => {
                Found::One(self.background.map(|pid| pid.to_string().into_bytes()))
            }
            Special::Name => Found::One(Some(self.arg0.clone())),
        }
    }

    /// `$-`
    pub fn option_letters(&self) -> Vec<u8> {
        if !self.is_bash() {
            return self.option_letters_of_dash();
        }
        let mut letters = self.options.letters();
        if self.is_restricted() {
            let at = letters
                .iter()
                .position(|letter| *letter > b'r' || letter.is_ascii_uppercase());
            letters.insert(at.unwrap_or(letters.len()), b'r');
        }
        if self.interactive {
            let at = letters
                .iter()
                .position(|letter| *letter > b'i' || letter.is_ascii_uppercase())
                .unwrap_or(letters.len());
            letters.insert(at, b'i');
        }
        match self.source {
            crate::shell::Source::CommandString => letters.push(b'c'),
            crate::shell::Source::Stdin | crate::shell::Source::Terminal => letters.push(b's'),
            crate::shell::Source::Script => {}
        }
        letters
    }

    /// The same as dash and BusyBox list them, the last of their tables first.
    fn option_letters_of_dash(&self) -> Vec<u8> {
        use crate::shell::Source;
        let on = self.options.letters();
        let has = |letter: u8| match letter {
            b'i' => self.interactive,
            b's' => matches!(self.source, Source::Stdin | Source::Terminal),
            b'c' => {
                self.dialect == sundew_sh_syntax::Dialect::Ash
                    && self.source == Source::CommandString
            }
            letter => on.contains(&letter),
        };
        b"ubaCvxcsnmife"
            .iter()
            .copied()
            .filter(|&letter| has(letter))
            .collect()
    }
}
