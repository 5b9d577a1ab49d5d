//! `${name…}`: the value of a parameter and what is done with it.

use sundew_kernel::Process;
use sundew_posix::pattern::search::Side;
use sundew_sh_syntax::ast::{
    Index, Operation, Parameter, ParameterName, Part, ReplaceWhere, Special, Trim, Word,
};

use super::value::Found;
use super::{Drafts, transform};
use crate::shell::{Flow, Run, Shell};
use crate::variable::{Value, is_name};

/// The parameter of this name.
fn named(name: &[u8]) -> Option<ParameterName> {
    if is_name(name) {
        return Some(ParameterName::Variable(name.into()));
    }
    if let Some(number) = std::str::from_utf8(name)
        .ok()
        .and_then(|text| text.parse().ok())
    {
        return Some(match number {
            0 => ParameterName::Special(Special::Name),
            number => ParameterName::Positional(number),
        });
    }
    let [byte] = name else {
        return None;
    };
    Special::from_byte(*byte).map(ParameterName::Special)
}

impl Shell {
    pub(super) async fn parameter(
        &mut self,
        proc: &mut Process,
        parameter: &Parameter,
        quoted: bool,
        out: &mut Drafts,
    ) -> Run {
        if parameter.indirect {
            return self.indirect(proc, parameter, quoted, out).await;
        }
        if self.names_or_keys(parameter, quoted, out) {
            return Ok(());
        }
        let found = self.find(proc, parameter).await?;
        // There `"${@%x}"` is an empty word where `"$@"` is none.
        if quoted
            && !self.is_bash()
            && !matches!(parameter.operation, Operation::Value)
            && matches!(&found, Found::Many { values, .. } if values.is_empty())
        {
            out.push_quoted(b"");
        }
        // In dash and ash `$@` and `$*` are set, if to nothing.
        let is_missing = |found: &Found, colon: bool| {
            is_missing(found, colon)
                && (self.is_bash() || colon || !matches!(found, Found::Many { .. }))
        };
        match &parameter.operation {
            Operation::Default { colon, word } => {
                if is_missing(&found, *colon) {
                    self.operand_parts(proc, word, quoted, out).await
                } else {
                    self.put(found, quoted, out);
                    Ok(())
                }
            }
            Operation::Alternative { colon, word } => {
                if is_missing(&found, *colon) {
                    Ok(())
                } else {
                    self.operand_parts(proc, word, quoted, out).await
                }
            }
            Operation::Assign { colon, word } => {
                if !is_missing(&found, *colon) {
                    self.put(found, quoted, out);
                    return Ok(());
                }
                let value = self.assign_default(proc, parameter, word, quoted).await?;
                self.put(Found::One(Some(value)), quoted, out);
                Ok(())
            }
            Operation::Error { colon, word } => {
                if !is_missing(&found, *colon) {
                    self.put(found, quoted, out);
                    return Ok(());
                }
                self.missing(proc, parameter, *colon, word, quoted).await
            }
            operation => {
                self.check_set(proc, parameter, &found, operation).await?;
                let changed = self
                    .operate_on_all(proc, parameter, found, operation, quoted)
                    .await?;
                self.put(changed, quoted, out);
                Ok(())
            }
        }
    }

    /// `${!x*}`, `${!a[@]}`; whether it is one of them.
    fn names_or_keys(&self, parameter: &Parameter, quoted: bool, out: &mut Drafts) -> bool {
        match &parameter.operation {
            Operation::Names { at } => {
                let ParameterName::Variable(prefix) = &parameter.name else {
                    return true;
                };
                let names = self
                    .variables
                    .visible()
                    .into_keys()
                    .filter(|name| name.starts_with(prefix));
                let values = names.map(<[u8]>::to_vec).collect();
                self.put_many(values, !at, quoted, out);
                true
            }
            Operation::Keys { at } => {
                let ParameterName::Variable(name) = &parameter.name else {
                    return true;
                };
                let values = self.keys(name);
                self.put_many(values, !at, quoted, out);
                true
            }
            _ => false,
        }
    }

    /// The operation on a value or on all of a list, which dash and ash take for one string.
    async fn operate_on_all(
        &mut self,
        proc: &mut Process,
        parameter: &Parameter,
        found: Found,
        operation: &Operation,
        quoted: bool,
    ) -> Result<Found, Flow> {
        let mut rest = Vec::new();
        let found = match found {
            // The others count the letters of what `"$*"` is.
            Found::Many { values, .. }
                if !self.is_bash() && matches!(operation, Operation::Length) =>
            {
                let (mut all, _) = self.as_one_string(values, true);
                Found::One(all.pop())
            }
            Found::Many { values, star } if !self.is_bash() => {
                let all = self.as_one_string(values, star && quoted);
                rest = all.1;
                Found::Many {
                    values: all.0,
                    star,
                }
            }
            found => found,
        };
        let mut changed = self.operate(proc, parameter, found, operation).await?;
        if let Found::Many { values, .. } = &mut changed {
            values.append(&mut rest);
            let of_array = matches!(parameter.name, ParameterName::Variable(_))
                && matches!(
                    operation,
                    Operation::Trim(..) | Operation::Replace { .. } | Operation::Case(..)
                );
            if of_array && !quoted && self.is_bash() && self.field_separators().is_empty() {
                // As bash 5.2 has it: where nothing is split it is one word.
                changed = Found::One(Some(values.join(&b' ')));
            }
        }
        Ok(changed)
    }

    /// What dash and ash cut of `$*` and `$@`: of `"$*"` the whole, else the first of the values. The
    /// others are handed back.
    fn as_one_string(
        &self,
        mut values: Vec<Vec<u8>>,
        joined: bool,
    ) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
        if joined {
            let separators = self.field_separators();
            let separator = separators.get(..1).unwrap_or_default();
            return (vec![values.join(separator)], Vec::new());
        }
        let rest = values.split_off(values.len().min(1));
        (values, rest)
    }

    /// The word behind `:-`: without quotes around it even what stands there literally is split.
    async fn operand_parts(
        &mut self,
        proc: &mut Process,
        word: &Word,
        quoted: bool,
        out: &mut Drafts,
    ) -> Run {
        for part in &word.parts {
            match part {
                Part::Literal(text) if !quoted => out.push_expanded(text, false),
                part => {
                    self.parts(proc, std::slice::from_ref(part), quoted, out)
                        .await?;
                }
            }
        }
        Ok(())
    }

    /// Under `set -u` an unset parameter is an error, but for `$@`, `$*` and their kin.
    async fn check_set(
        &mut self,
        proc: &mut Process,
        parameter: &Parameter,
        found: &Found,
        operation: &Operation,
    ) -> Run {
        if !self.options.is_set("nounset") || *found != Found::One(None) {
            return Ok(());
        }
        let mut name = shown_name(parameter);
        if self.is_bash()
            && matches!(operation, Operation::Length)
            && let ParameterName::Variable(array) = &parameter.name
            && parameter.index.is_some()
        {
            // Of an element that is not there the length is that of nothing.
            self.complain(proc, [array.as_ref(), b": unbound variable"].concat())
                .await;
            self.status = 1;
            return Err(self.giving_up(Flow::Exit));
        }
        if self.is_bash() {
            if matches!(parameter.name, ParameterName::Positional(_)) && !parameter.braced {
                name.insert(0, b'$');
            }
            let text = [name.as_slice(), b": unbound variable"].concat();
            self.complain(proc, text).await;
            self.status = self.fatal_status();
            Err(self.giving_up(Flow::Exit))
        } else {
            self.fatal(proc, 2, [name.as_slice(), b": parameter not set"].concat())
                .await
        }
    }

    async fn missing(
        &mut self,
        proc: &mut Process,
        parameter: &Parameter,
        colon: bool,
        word: &Word,
        quoted: bool,
    ) -> Run {
        let message = if word.parts.is_empty() {
            let text: &[u8] = match (self.is_bash(), colon) {
                (true, true) => b"parameter null or not set",
                (true, false) => b"parameter not set",
                (false, true) => b"parameter not set or null",
                (false, false) => b"parameter not set",
            };
            text.to_vec()
        } else if self.is_bash() && !quoted {
            // Split into words, which no file takes the place of.
            let globs = !self.options.is_set("noglob");
            self.options.set("noglob", true);
            let words = self.expand_words(proc, std::slice::from_ref(word)).await;
            self.options.set("noglob", !globs);
            words?.join(&b' ')
        } else {
            self.expand_string(proc, word).await?
        };
        let status = if !self.is_bash() {
            2
        } else {
            self.fatal_status()
        };
        let text = [shown_name(parameter).as_slice(), b": ", &message].concat();
        self.complain(proc, text).await;
        self.status = status;
        Err(self.giving_up(Flow::Exit))
    }

    async fn assign_default(
        &mut self,
        proc: &mut Process,
        parameter: &Parameter,
        word: &Word,
        quoted: bool,
    ) -> Result<Vec<u8>, Flow> {
        let value = if quoted {
            self.expand_quoted(proc, word).await?
        } else {
            self.expand_string(proc, word).await?
        };
        let ParameterName::Variable(name) = &parameter.name else {
            let shown = shown_name(parameter);
            let text = if self.is_bash() {
                [b"$".as_slice(), &shown, b": cannot assign in this way"].concat()
            } else {
                [shown.as_slice(), b": bad variable name"].concat()
            };
            let status = if self.is_bash() { 1 } else { 2 };
            self.fatal(proc, status, text).await?;
            return Ok(value);
        };
        match &parameter.index {
            Some(Index::Word(index)) => {
                let index = self.index_text(proc, name, index).await?;
                self.assign_element(proc, name, &index, value.clone())
                    .await?;
            }
            Some(index @ (Index::At | Index::Star)) => {
                let index: &[u8] = if *index == Index::At { b"@" } else { b"*" };
                self.assign_element(proc, name, index, value.clone())
                    .await?;
            }
            _ => self.assign(proc, name, value.clone()).await?,
        }
        Ok(value)
    }

    /// `${!name}`: the value of `name` is the name meant.
    async fn indirect(
        &mut self,
        proc: &mut Process,
        parameter: &Parameter,
        quoted: bool,
        out: &mut Drafts,
    ) -> Run {
        let direct = Parameter {
            indirect: false,
            operation: Operation::Value,
            ..parameter.clone()
        };
        let target = match self.find(proc, &direct).await? {
            Found::One(target) => target.unwrap_or_default(),
            Found::Many { values, .. } => values.join(&b' '),
        };
        let array = match &parameter.name {
            ParameterName::Variable(name) => self
                .variables
                .variable(name)
                .is_some_and(crate::variable::Variable::is_array),
            ParameterName::Special(special) => matches!(special, Special::At | Special::Star),
            ParameterName::Positional(_) => false,
        };
        if let ParameterName::Variable(name) = &parameter.name
            && let Some(variable) = self.variables.raw(name)
            && variable.attributes.reference
        {
            let shown = variable.scalar().unwrap_or_default().to_vec();
            self.put(Found::One(Some(shown)), quoted, out);
            return Ok(());
        }
        if target.is_empty() && array {
            self.put(Found::One(None), quoted, out);
            return Ok(());
        }
        let (name, index) = split_index(&target);
        let Some(name) = named(name) else {
            if target.is_empty() && matches!(parameter.name, ParameterName::Positional(_)) {
                return Ok(());
            }
            let text = if target.is_empty() {
                [
                    shown_name(parameter).as_slice(),
                    b": invalid indirect expansion",
                ]
                .concat()
            } else {
                [target.as_slice(), b": invalid variable name"].concat()
            };
            return self.fatal(proc, 1, text).await;
        };
        let index = index.map(|index| match index {
            b"@" => Index::At,
            b"*" => Index::Star,
            index => Index::Word(Word {
                parts: vec![Part::Literal(index.into())],
            }),
        });
        let meant = Parameter {
            name,
            index,
            indirect: false,
            ..parameter.clone()
        };
        let run = Box::pin(self.parameter(proc, &meant, quoted, out)).await;
        if let Some((_, ends)) = self.bad_parameter.take() {
            return Err(self.bad(parameter, ends));
        }
        run
    }

    /// Operations that turn a value into another.
    async fn operate(
        &mut self,
        proc: &mut Process,
        parameter: &Parameter,
        found: Found,
        operation: &Operation,
    ) -> Result<Found, Flow> {
        match operation {
            Operation::Length => Ok(Found::One(Some(match found {
                // The others count the letters of what `"$*"` is.
                Found::One(value) => characters(&value.unwrap_or_default())
                    .to_string()
                    .into_bytes(),
                Found::Many { values, .. } => values.len().to_string().into_bytes(),
            }))),
            Operation::Trim(trim, word) => {
                let pattern = self.expand_pattern(proc, word).await?;
                let (side, longest) = match trim {
                    Trim::ShortestPrefix => (Side::Prefix, false),
                    Trim::LongestPrefix => (Side::Prefix, true),
                    Trim::ShortestSuffix => (Side::Suffix, false),
                    Trim::LongestSuffix => (Side::Suffix, true),
                };
                let mut found = found;
                for value in each(&mut found) {
                    let part = transform::find(proc, &pattern, value, side, longest).await;
                    let length = part.unwrap_or(0);
                    match side {
                        Side::Prefix => drop(value.drain(..length)),
                        Side::Suffix => value.truncate(value.len().saturating_sub(length)),
                    }
                }
                Ok(found)
            }
            Operation::Replace {
                place,
                pattern,
                replacement,
            } => {
                if found == Found::One(None) {
                    return Ok(found);
                }
                let pattern = self.expand_pattern(proc, pattern).await?;
                let replacement = match replacement {
                    Some(word) => self.expand_pieces(proc, word).await?,
                    None => Vec::new(),
                };
                let ampersand = self.options.shopt("patsub_replacement");
                let place: ReplaceWhere = *place;
                let replacement = transform::Replacement {
                    pieces: &replacement,
                    ampersand,
                };
                let mut found = found;
                for value in each(&mut found) {
                    *value = transform::replace(proc, value, &pattern, &replacement, place).await;
                }
                Ok(found)
            }
            Operation::Case(..)
                if matches!(
                    parameter.name,
                    ParameterName::Special(Special::Options | Special::Count | Special::Status)
                ) =>
            {
                // bash 5.2 changes no case in `$-`, `$#` and `$?`, and says that it cannot.
                Err(self.bad(parameter, false))
            }
            Operation::Case(change, word) => {
                let pattern = match word {
                    Some(word) => Some(self.expand_pattern(proc, word).await?),
                    None => None,
                };
                let mut found = found;
                for value in each(&mut found) {
                    *value = transform::case(proc, value, *change, pattern.as_ref()).await;
                }
                Ok(found)
            }
            Operation::Substring { offset, length } => {
                self.cut(proc, parameter, found, (offset, length.as_ref()))
                    .await
            }
            Operation::Transform(letter) => self.transform(proc, parameter, found, *letter).await,
            _ => Ok(found),
        }
    }

    /// `${x:offset:length}`, with the two still to be evaluated.
    async fn cut(
        &mut self,
        proc: &mut Process,
        parameter: &Parameter,
        found: Found,
        (offset, length): (&Word, Option<&Word>),
    ) -> Result<Found, Flow> {
        // Where there is nothing to cut, the numbers are not looked at.
        let nothing = match &found {
            Found::One(value) => value.is_none(),
            Found::Many { values, .. } => {
                values.is_empty() && matches!(parameter.name, ParameterName::Variable(_))
            }
        };
        if nothing && self.is_bash() {
            return Ok(found);
        }
        let shown = match &parameter.index {
            Some(Index::At) => [&shown_name(parameter), b"[@]".as_slice()].concat(),
            Some(Index::Star) => [&shown_name(parameter), b"[*]".as_slice()].concat(),
            _ => shown_name(parameter),
        };
        let outer = self.speaking.replace(shown);
        let offset_text = self.expand_quoted(proc, offset).await?;
        let offset = self.arithmetic(proc, &offset_text).await?;
        let length = match length {
            Some(word) => {
                let text = self.expand_quoted(proc, word).await?;
                Some((self.arithmetic(proc, &text).await?, text))
            }
            None => None,
        };
        self.speaking = outer;
        self.substring(proc, parameter, found, offset, length).await
    }

    /// Gives a parameter up that cannot be expanded so; the word around it complains.
    fn bad(&mut self, parameter: &Parameter, ends: bool) -> Flow {
        let mut text = sundew_sh_syntax::unparse::word(&Word {
            parts: vec![Part::Parameter(Box::new(parameter.clone()))],
        });
        text.retain(|byte| *byte != 0);
        self.bad_parameter = Some((text, ends));
        Flow::Abandon
    }

    async fn substring(
        &mut self,
        proc: &mut Process,
        parameter: &Parameter,
        found: Found,
        offset: i64,
        length: Option<(i64, Vec<u8>)>,
    ) -> Result<Found, Flow> {
        let text = length
            .as_ref()
            .map(|(_, text)| text.clone())
            .unwrap_or_default();
        let length = length.map(|(length, _)| length);
        let sliced = match found {
            Found::One(value) => {
                let value = value.unwrap_or_default();
                transform::substring(&value, offset, length).map(|slice| Found::One(Some(slice)))
            }
            Found::Many { .. } if length.is_some_and(|length| length < 0) => None,
            Found::Many { values, star } => {
                let mut all = values;
                if matches!(parameter.name, ParameterName::Special(_)) {
                    // `${@:0}` counts `$0` in.
                    all.insert(0, self.arg0.clone());
                    let from_end = offset < 0;
                    let all_len = i64::try_from(all.len()).unwrap_or(i64::MAX);
                    let offset = if from_end { offset + all_len } else { offset };
                    if offset < 0 {
                        return Ok(Found::Many {
                            values: Vec::new(),
                            star,
                        });
                    }
                    transform::slice(&all, offset, length)
                        .map(|values| Found::Many { values, star })
                } else {
                    let Some(offset) = self.place_of_index(&parameter.name, offset) else {
                        let values = Vec::new();
                        return Ok(Found::Many { values, star });
                    };
                    // The first key of an associative array has the numbers 0 and 1.
                    let associative = matches!(&parameter.name,
                        ParameterName::Variable(name) if self.variables.is_associative(name));
                    let offset = offset - i64::from(associative && offset > 0);
                    // As bash has it, nothing of it from its beginning is its first.
                    let from_start = associative && offset == 0 && length == Some(0);
                    let length = if from_start { Some(1) } else { length };
                    transform::slice(&all, offset, length)
                        .map(|values| Found::Many { values, star })
                }
            }
        };
        match sliced {
            Some(found) => Ok(found),
            None => {
                let complaint = [text.as_slice(), b": substring expression < 0"].concat();
                self.fatal(proc, 1, complaint).await?;
                Ok(Found::One(None))
            }
        }
    }

    /// The place among its elements at which an indexed array has what begins with this index, which
    /// counts from behind the last one if it is negative; `None` where that is before the first.
    fn place_of_index(&self, name: &ParameterName, index: i64) -> Option<i64> {
        let ParameterName::Variable(name) = name else {
            return Some(index);
        };
        let Some(Some(Value::Indexed(elements))) = self
            .variables
            .variable(name)
            .map(|variable| variable.value.as_ref())
        else {
            return Some(index);
        };
        let last = elements.last_key_value().map_or(-1, |(last, _)| *last);
        let start = if index < 0 {
            index.checked_add(last)?.checked_add(1)?
        } else {
            index
        };
        if start < 0 {
            return None;
        }
        if last.checked_add(1) == i64::try_from(elements.len()).ok() {
            // Nothing is missing in it.
            return Some(start);
        }
        i64::try_from(elements.range(..start).count()).ok()
    }

    /// `${a[1]@A}`: an element is shown as if it were the variable.
    fn element_declaration(&self, name: &[u8], value: Option<&[u8]>) -> Option<Vec<u8>> {
        let letters = self.attribute_letters(name);
        let mut text = match letters.as_slice() {
            [] => {
                value?;
                name.to_vec()
            }
            letters => [b"declare -", letters, b" ", name].concat(),
        };
        if let Some(value) = value {
            text.push(b'=');
            text.extend(transform::quote(value));
        }
        Some(text)
    }

    /// `${x@A}`
    fn as_declaration(&self, parameter: &Parameter, found: Found) -> Found {
        match (&parameter.name, &found) {
            (ParameterName::Variable(name), Found::One(value))
                if self
                    .variables
                    .variable(name)
                    .is_some_and(crate::variable::Variable::is_array)
                    || parameter.index.is_some() =>
            {
                Found::One(self.element_declaration(name, value.as_deref()))
            }
            (ParameterName::Variable(name), Found::Many { star, .. }) => {
                let text = self.declaration(name, true);
                // Command, letters and the rest are words of their own.
                Found::Many {
                    values: text
                        .splitn(3, |&byte| byte == b' ')
                        .map(<[u8]>::to_vec)
                        .collect(),
                    star: *star,
                }
            }
            (ParameterName::Variable(name), _) => Found::One(Some(self.declaration(name, true))),
            _ => found,
        }
    }

    async fn transform(
        &mut self,
        proc: &mut Process,
        parameter: &Parameter,
        found: Found,
        letter: u8,
    ) -> Result<Found, Flow> {
        if found.is_nothing() && !b"aAKk".contains(&letter) {
            return Ok(found);
        }
        if !b"UuLQEPAKak".contains(&letter) {
            return Err(self.bad(parameter, true));
        }
        Ok(match letter {
            b'Q' => map(found, |value| transform::quote(&value)),
            b'U' => map(found, |value| transform::upper(&value)),
            b'u' => map(found, |value| transform::upper_first(&value)),
            b'L' => map(found, |value| transform::lower(&value)),
            b'E' => map(found, |value| transform::unescape(&value)),
            b'P' => match found {
                Found::One(Some(value)) => {
                    let mut text = self.prompt_text(proc, value).await;
                    text.retain(|byte| !matches!(byte, 1 | 2));
                    Found::One(Some(text))
                }
                other => other,
            },
            b'a' => {
                let flags = match &parameter.name {
                    ParameterName::Variable(name) => self.attribute_letters(name),
                    _ => Vec::new(),
                };
                match found {
                    Found::One(_) => Found::One(Some(flags)),
                    // Once for each element.
                    Found::Many { values, star } => Found::Many {
                        values: vec![flags; values.len()],
                        star,
                    },
                }
            }
            b'A' => self.as_declaration(parameter, found),
            b'K' | b'k' => match &parameter.name {
                ParameterName::Variable(name) if matches!(found, Found::Many { .. }) => {
                    let pairs = self.keys(name).into_iter().zip(self.elements(name));
                    if letter == b'k' {
                        return Ok(Found::Many {
                            values: pairs.flat_map(|(key, value)| [key, value]).collect(),
                            star: matches!(parameter.index, Some(Index::Star)),
                        });
                    }
                    let associative = self.variables.is_associative(name);
                    let mut text: Vec<Vec<u8>> = Vec::new();
                    for (key, value) in pairs {
                        text.push(if associative {
                            crate::builtin::shown_key(&key)
                        } else {
                            key
                        });
                        text.push(transform::double_quote(&value));
                    }
                    if associative {
                        text.push(Vec::new());
                    }
                    Found::One(Some(text.join(&b' ')))
                }
                _ if found == Found::One(None) => found,
                _ => map(found, |value| transform::quote(&value)),
            },
            _ => found,
        })
    }

    fn put(&self, found: Found, quoted: bool, out: &mut Drafts) {
        match found {
            Found::One(value) => out.push_expanded(&value.unwrap_or_default(), quoted),
            Found::Many { values, star } => self.put_many(values, star, quoted, out),
        }
    }

    /// `"$*"` is one field joined by the first byte of `IFS`; `"$@"` and both forms without quotes
    /// are a field for each value.
    fn put_many(&self, values: Vec<Vec<u8>>, star: bool, quoted: bool, out: &mut Drafts) {
        if star && quoted {
            let ifs = self.field_separators();
            let separator = ifs.first().map(std::slice::from_ref).unwrap_or_default();
            out.push_expanded(&values.join(separator), true);
            return;
        }
        for (index, value) in values.iter().enumerate() {
            if index > 0 {
                out.next_field(quoted);
            } else if quoted && !values.is_empty() {
                out.push_quoted(b"");
            }
            out.push_expanded(value, quoted);
        }
    }
}

fn is_missing(found: &Found, colon: bool) -> bool {
    match found {
        Found::One(None) => true,
        Found::One(Some(value)) => colon && value.is_empty(),
        Found::Many { values, .. } => {
            values.is_empty() || (colon && values.iter().all(Vec::is_empty))
        }
    }
}

fn map(found: Found, change: impl Fn(Vec<u8>) -> Vec<u8>) -> Found {
    match found {
        Found::One(value) => Found::One(Some(change(value.unwrap_or_default()))),
        Found::Many { values, star } => Found::Many {
            values: values.into_iter().map(change).collect(),
            star,
        },
    }
}

/// Each value, to be changed in its place; one that is not set is empty.
fn each(found: &mut Found) -> &mut [Vec<u8>] {
    match found {
        Found::One(value) => std::slice::from_mut(value.get_or_insert_default()),
        Found::Many { values, .. } => values,
    }
}

/// Characters of UTF-8; a byte that belongs to none counts as one.
pub(super) fn characters(value: &[u8]) -> usize {
    value
        .utf8_chunks()
        .map(|chunk| chunk.valid().chars().count() + chunk.invalid().len())
        .sum()
}

/// The parameter as complaints name it.
fn shown_name(parameter: &Parameter) -> Vec<u8> {
    match &parameter.name {
        ParameterName::Variable(name) => match &parameter.index {
            Some(Index::Word(word)) => [
                name.as_ref(),
                b"[",
                &sundew_sh_syntax::unparse::word(word),
                b"]",
            ]
            .concat(),
            _ => name.to_vec(),
        },
        ParameterName::Positional(number) => number.to_string().into_bytes(),
        ParameterName::Special(special) => vec![special.byte()],
    }
}

/// `name[index]` into its parts.
pub(crate) fn split_index(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    let Some(open) = text.iter().position(|&byte| byte == b'[') else {
        return (text, None);
    };
    let (name, rest) = text.split_at(open);
    match rest
        .strip_prefix(b"[")
        .and_then(|rest| rest.strip_suffix(b"]"))
    {
        Some(index) => (name, Some(index)),
        None => (text, None),
    }
}
