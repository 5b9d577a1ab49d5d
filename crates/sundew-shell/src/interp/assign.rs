//! Assignments: scalars, elements, arrays, and what the shell does beside for some names.

use sundew_kernel::Process;
use sundew_sh_syntax::ast::{ArrayElement, Assignment, Part, Value as AssignedValue, Word};
use sundew_sh_syntax::braces;

use crate::expand::parameter::split_index;
use crate::shell::{Flow, Run, Shell};
use crate::variable::{AssignError, Reference, Value, is_name};
use crate::words::Held;

impl Shell {
    /// Performs one assignment.
    pub(crate) async fn run_assignment(
        &mut self,
        proc: &mut Process,
        assignment: &Assignment,
    ) -> Run {
        match &assignment.value {
            AssignedValue::Array(elements) => {
                self.assign_array(proc, &assignment.name, elements, assignment.append, false)
                    .await
            }
            AssignedValue::Scalar(word) => {
                let value = self.expand_string(proc, word).await?;
                match &assignment.index {
                    Some(word) => {
                        let index = self.index_text(proc, &assignment.name, word).await?;
                        if index.is_empty() && self.variables.is_associative(&assignment.name) {
                            let written = sundew_sh_syntax::unparse::word(word);
                            let name: &[u8] = &assignment.name;
                            let text = [name, b"[", &written, b"]: bad array subscript"].concat();
                            return self.fatal(proc, 1, text).await;
                        }
                        if self.options.is_set("xtrace") {
                            self.appended.push(value.clone());
                        }
                        let value = if assignment.append {
                            let old = self.element(proc, &assignment.name, &index).await?;
                            [old.unwrap_or_default(), value].concat()
                        } else {
                            value
                        };
                        self.assign_element(proc, &assignment.name, &index, value)
                            .await
                    }
                    None if assignment.append => {
                        if self.options.is_set("xtrace") {
                            self.appended.push(value.clone());
                        }
                        self.append(proc, &assignment.name, value).await
                    }
                    None => self.assign(proc, &assignment.name, value).await,
                }
            }
        }
    }

    /// `name+=value`: added for integers, joined for strings.
    pub(crate) async fn append(&mut self, proc: &mut Process, name: &[u8], value: Vec<u8>) -> Run {
        let old = match self.variables.reference(name) {
            Some(Reference::Element(array, index)) => self
                .element(proc, &array, &index)
                .await?
                .unwrap_or_default(),
            _ => self.variables.scalar(name).unwrap_or_default().to_vec(),
        };
        let integer = self
            .variables
            .variable(name)
            .is_some_and(|variable| variable.attributes.integer);
        let value = if integer {
            [old.as_slice(), b"+(", &value, b")"].concat()
        } else {
            [old, value].concat()
        };
        self.assign(proc, name, value).await
    }

    /// `name=value`, with what the shell does beside for some names.
    pub(crate) async fn assign(&mut self, proc: &mut Process, name: &[u8], value: Vec<u8>) -> Run {
        let mut value = value;
        if let Some(reference) = self.variables.reference(name) {
            let assigned = Box::pin(self.assign_referred(proc, name, reference, value)).await?;
            let Some(again) = assigned else {
                return Ok(());
            };
            value = again;
        }
        let value = self.integer_value(proc, name, value).await?;
        match name {
            b"RANDOM" if self.is_bash() => {
                self.random = Some(
                    std::str::from_utf8(&value)
                        .ok()
                        .and_then(|text| text.parse().ok())
                        .unwrap_or(0),
                );
            }
            b"SECONDS" if self.is_bash() => {
                let seconds: u64 = std::str::from_utf8(&value)
                    .ok()
                    .and_then(|text| text.parse().ok())
                    .unwrap_or(0);
                self.seconds_from = proc.monotonic();
                self.seconds_added = seconds;
            }
            b"OPTIND" => self.getopts_at = 0,
            b"PATH" => self.hashed.clear(),
            _ => {}
        }
        let assigned = self.variables.set(name, value);
        if self.options.is_set("allexport") {
            self.variables
                .modify(name, |variable| variable.attributes.exported = true);
        }
        self.check_assigned(proc, name, assigned).await
    }

    /// Assigns to what a reference means, where that is not simply a variable; else hands the value back.
    async fn assign_referred(
        &mut self,
        proc: &mut Process,
        name: &[u8],
        reference: Reference,
        value: Vec<u8>,
    ) -> Result<Option<Vec<u8>>, Flow> {
        match reference {
            Reference::Element(array, index) => {
                self.assign_element(proc, &array, &index, value).await?;
                return Ok(None);
            }
            Reference::Own => self.warn_of_circle(proc, name, 1).await,
            Reference::Circle => {
                let text = [b"warning: ".as_slice(), name, b": circular name reference"].concat();
                self.fatal(proc, 1, text).await?;
            }
            Reference::Nothing if !is_name(split_index(&value).0) => {
                let text = [b"`", value.as_slice(), b"': not a valid identifier"].concat();
                self.fatal(proc, 1, text).await?;
            }
            Reference::Nothing => {}
        }
        Ok(Some(value))
    }

    /// For a variable with `-i` the value is an expression.
    pub(crate) async fn integer_value(
        &mut self,
        proc: &mut Process,
        name: &[u8],
        value: Vec<u8>,
    ) -> Result<Vec<u8>, Flow> {
        if !self
            .variables
            .variable(name)
            .is_some_and(|variable| variable.attributes.integer)
        {
            return Ok(value);
        }
        Ok(self.subscript(proc, &value).await?.to_string().into_bytes())
    }

    pub(crate) async fn check_assigned(
        &mut self,
        proc: &mut Process,
        name: &[u8],
        assigned: Result<(), AssignError>,
    ) -> Run {
        match assigned {
            Ok(()) => Ok(()),
            Err(AssignError::Readonly) if self.is_bash() => {
                self.fatal(proc, 1, [name, b": readonly variable"].concat())
                    .await
            }
            Err(AssignError::Readonly) => {
                self.fatal(proc, 2, [name, b": is read only"].concat())
                    .await
            }
            Err(AssignError::Circular) => {
                self.complain(
                    proc,
                    [b"warning: ".as_slice(), name, b": circular name reference"].concat(),
                )
                .await;
                Ok(())
            }
        }
    }

    /// `name=(…)`
    pub(crate) async fn assign_array(
        &mut self,
        proc: &mut Process,
        name: &[u8],
        elements: &[ArrayElement],
        append: bool,
        associative: bool,
    ) -> Run {
        if self.variables.target(name).contains(&b'[') {
            // A reference to an element.
            let text = [
                b"`",
                self.variables.target(name),
                b"': not a valid identifier",
            ]
            .concat();
            return self.fatal(proc, 1, text).await;
        }
        if self.variables.reference(name) == Some(Reference::Own) {
            Box::pin(self.warn_of_circle(proc, name, 1)).await;
        }
        if self
            .variables
            .variable(name)
            .is_some_and(|variable| variable.attributes.readonly)
        {
            return self
                .check_assigned(proc, name, Err(AssignError::Readonly))
                .await;
        }
        let associative = associative
            || matches!(
                self.variables
                    .variable(name)
                    .and_then(|variable| variable.value.as_ref()),
                Some(Value::Associative(_))
            );
        let plain = self.expand_elements(proc, elements, associative).await?;
        if !append {
            self.variables.modify(name, |variable| {
                variable.attributes.bare = false;
                variable.value = Some(if associative {
                    Value::Associative(std::collections::BTreeMap::new())
                } else {
                    Value::Indexed(std::collections::BTreeMap::new())
                });
            });
        } else if !associative {
            self.variables.modify(name, |variable| {
                crate::variable::to_indexed(variable);
            });
        }
        self.store_elements(proc, name, plain, associative).await?;
        if self.charge_memory().is_err() {
            proc.out_of_memory().await;
        }
        Ok(())
    }

    /// The elements between the parentheses, expanded before anything changes: the new values may
    /// use the old ones.
    pub(super) async fn expand_elements(
        &mut self,
        proc: &mut Process,
        elements: &[ArrayElement],
        associative: bool,
    ) -> Result<Elements, Flow> {
        let mut plain = Elements::default();
        for element in elements {
            proc.tick().await;
            match element {
                ArrayElement::Word(word) => {
                    let words = self.expand_words(proc, std::slice::from_ref(word)).await?;
                    let (words, _held) = words.into_parts();
                    for value in words {
                        plain.push(proc, (None, value, false)).await;
                    }
                }
                ArrayElement::At {
                    index,
                    append,
                    value,
                } => {
                    if self.is_bash() && !associative && self.options.is_set("braceexpand") {
                        // As bash 5.2 has it: with braces in it, it is no more than a word.
                        let word = bracketed(index, *append, value);
                        if braces::expand(&word).left() > 1 {
                            let one = std::slice::from_ref(&word);
                            let (words, _held) = self.expand_words(proc, one).await?.into_parts();
                            for value in words {
                                plain.push(proc, (None, value, false)).await;
                            }
                            continue;
                        }
                    }
                    let index = self.expand_quoted(proc, index).await?;
                    let value = self.expand_string(proc, value).await?;
                    plain.push(proc, (Some(index), value, *append)).await;
                }
            }
        }
        Ok(plain)
    }

    /// The index of `[index]=value` between the parentheses of an indexed array; what cannot be one is
    /// complained of, and the others are assigned all the same.
    async fn compound_index(
        &mut self,
        proc: &mut Process,
        name: &[u8],
        index: &[u8],
        value: &[u8],
    ) -> Result<Option<i64>, Flow> {
        let complaint: &[u8] = match index {
            b"" => b"bad array subscript",
            b"@" | b"*" => b"cannot assign to non-numeric index",
            index => {
                let at = self.arithmetic(proc, index).await?;
                let last = match self.variables.variable(name).map(|found| &found.value) {
                    Some(Some(Value::Indexed(elements))) => {
                        elements.last_key_value().map_or(-1, |(key, _)| *key)
                    }
                    _ => -1,
                };
                if at >= 0 || at + last + 1 >= 0 {
                    return Ok(Some(if at < 0 { at + last + 1 } else { at }));
                }
                b"bad array subscript"
            }
        };
        let text = [b"[", index, b"]=", value, b": ", complaint].concat();
        self.complain(proc, text).await;
        Ok(None)
    }

    async fn store_elements(
        &mut self,
        proc: &mut Process,
        name: &[u8],
        plain: Elements,
        associative: bool,
    ) -> Run {
        let mut keyed = Vec::new();
        let mut next = match self
            .variables
            .variable(name)
            .and_then(|variable| variable.value.as_ref())
        {
            Some(Value::Indexed(elements)) => {
                elements.last_key_value().map_or(0, |(key, _)| key + 1)
            }
            _ => 0,
        };
        let mut pending_key: Option<Vec<u8>> = None;
        for (index, value, add) in plain.list {
            proc.tick().await;
            match index {
                Some(index) if associative => keyed.push((index, value)),
                Some(index) => {
                    let value = if add {
                        [
                            self.element(proc, name, &index).await?.unwrap_or_default(),
                            value,
                        ]
                        .concat()
                    } else {
                        value
                    };
                    let Some(at) = self.compound_index(proc, name, &index, &value).await? else {
                        continue;
                    };
                    self.assign_element(proc, name, at.to_string().as_bytes(), value)
                        .await?;
                    next = at + 1;
                }
                // `declare -A a=(key value key value)`
                None if associative => match pending_key.take() {
                    Some(key) => keyed.push((key, value)),
                    None => pending_key = Some(value),
                },
                None => {
                    let value = self.integer_value(proc, name, value).await?;
                    let assigned = self.variables.set_element(name, next, value);
                    self.check_assigned(proc, name, assigned).await?;
                    next += 1;
                }
            }
        }
        if let Some(key) = pending_key {
            keyed.push((key, Vec::new()));
        }
        for (key, value) in keyed {
            proc.tick().await;
            if key.is_empty() {
                // The others are assigned all the same.
                let text = [b"['']='".as_slice(), &value, b"': bad array subscript"].concat();
                self.complain(proc, text).await;
                continue;
            }
            let assigned = self.variables.set_key(name, key, value);
            self.check_assigned(proc, name, assigned).await?;
        }
        Ok(())
    }
}

/// `[index]=value` as the word that it was.
fn bracketed(index: &Word, append: bool, value: &Word) -> Word {
    let mut parts = vec![Part::Literal(b"[".as_slice().into())];
    parts.extend(index.parts.iter().cloned());
    let sign: &[u8] = if append { b"]+=" } else { b"]=" };
    parts.push(Part::Literal(sign.into()));
    parts.extend(value.parts.iter().cloned());
    Word { parts }
}

/// An array whose elements are expanded as a trace shows it: `a=('1' ['k']='v')`.
pub(super) fn traced_array(assignment: &Assignment) -> Vec<u8> {
    let quote = |word: &Word| match word.parts.as_slice() {
        [Part::SingleQuoted(text)] => crate::expand::transform::quote(text),
        _ => Vec::new(),
    };
    let AssignedValue::Array(elements) = &assignment.value else {
        return Vec::new();
    };
    let shown: Vec<Vec<u8>> = elements
        .iter()
        .map(|element| match element {
            ArrayElement::Word(value) => quote(value),
            ArrayElement::At {
                index,
                append,
                value,
            } => {
                let sign: &[u8] = if *append { b"]+=" } else { b"]=" };
                [b"[", quote(index).as_slice(), sign, &quote(value)].concat()
            }
        })
        .collect();
    let sign: &[u8] = if assignment.append { b"+=(" } else { b"=(" };
    [assignment.name.as_ref(), sign, &shown.join(&b' '), b")"].concat()
}

/// Elements that were expanded, as elements again.
pub(super) fn quoted_elements(elements: Elements) -> Vec<ArrayElement> {
    let word = |text: Vec<u8>| Word {
        parts: vec![Part::SingleQuoted(text.into())],
    };
    let list = elements.list.into_iter();
    list.map(|(index, value, append)| match index {
        None => ArrayElement::Word(word(value)),
        Some(index) => ArrayElement::At {
            index: word(index),
            append,
            value: word(value),
        },
    })
    .collect()
}

/// Index if one was written, value, whether it is added to what is there.
type Element = (Option<Vec<u8>>, Vec<u8>, bool);

/// What an element takes beside its bytes.
const ELEMENT_BYTES: usize = 96;

/// Expanded elements, paid for until they are somewhere else.
#[derive(Debug, Default)]
pub(super) struct Elements {
    list: Vec<Element>,
    used: usize,
    held: Held,
}

impl Elements {
    /// Adds one. A process that has no memory for it is killed.
    async fn push(&mut self, proc: &Process, element: Element) {
        let (index, value, _) = &element;
        let bytes = value.len() + index.as_ref().map_or(0, Vec::len);
        self.used = self.used.saturating_add(bytes + ELEMENT_BYTES);
        if self.held.pay(proc, self.used).is_err() {
            proc.out_of_memory().await;
        }
        self.list.push(element);
    }
}
