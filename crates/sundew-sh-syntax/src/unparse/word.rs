//! Words as text, as they were typed.

use super::substituted;
use crate::ast::{
    ArrayElement, Assignment, CaseChange, HereDocument, Index, List, Operation, Parameter,
    ParameterName, Part, ReplaceWhere, Trim, Value, Word,
};

/// A word.
#[must_use]
pub fn word(word: &Word) -> Vec<u8> {
    let mut out = Vec::new();
    parts(&word.parts, &mut out);
    out
}

/// One part of a word.
pub(crate) fn part(part: &Part) -> Vec<u8> {
    let mut out = Vec::new();
    parts(std::slice::from_ref(part), &mut out);
    out
}

/// An assignment as the word it was.
pub(crate) fn assignment_word(assignment: &Assignment) -> Word {
    let mut parts = vec![Part::Literal(assignment.name.clone())];
    if let Some(index) = &assignment.index {
        parts.push(Part::Literal(b"[".as_slice().into()));
        parts.extend(index.parts.iter().cloned());
        parts.push(Part::Literal(b"]".as_slice().into()));
    }
    let operator: &[u8] = if assignment.append { b"+=" } else { b"=" };
    parts.push(Part::Literal(operator.into()));
    match &assignment.value {
        Value::Scalar(value) => parts.extend(value.parts.iter().cloned()),
        Value::Array(elements) => parts.push(Part::Array(elements.clone())),
    }
    Word { parts }
}

/// A here-document's delimiter; bash prints a quoted one between single quotes.
pub(super) fn delimiter(text: &[u8], quoted: bool) -> Vec<u8> {
    if quoted {
        single_quoted(text)
    } else {
        text.to_vec()
    }
}

/// A here-document's body.
pub(super) fn here_document(document: &HereDocument) -> Vec<u8> {
    let mut out = Vec::new();
    parts(&document.body().parts, &mut out);
    out
}

fn parts(all: &[Part], out: &mut Vec<u8>) {
    for each in all {
        match each {
            Part::Literal(text) => out.extend_from_slice(text),
            Part::Escaped(byte) => out.extend_from_slice(&[b'\\', *byte]),
            Part::SingleQuoted(text) => {
                out.push(b'\'');
                out.extend_from_slice(text);
                out.push(b'\'');
            }
            // Bash has decoded it by the time it prints, too.
            Part::AnsiQuoted(text) => out.extend_from_slice(&single_quoted(text)),
            Part::DoubleQuoted(inside) | Part::Translated(inside) => {
                // Without a catalogue the translation is the text, and bash prints that.
                out.push(b'"');
                parts(inside, out);
                out.push(b'"');
            }
            Part::Tilde(name) => {
                out.push(b'~');
                out.extend_from_slice(name);
            }
            Part::Parameter(parameter_) => parameter(parameter_, out),
            Part::BadSubstitution(text) => out.extend_from_slice(text),
            Part::Command(commands) => {
                out.extend_from_slice(b"$(");
                substitution(commands, out);
            }
            Part::Backquoted { typed, .. } => {
                out.push(b'`');
                out.extend_from_slice(typed);
                out.push(b'`');
            }
            Part::Deferred(text) => {
                out.extend_from_slice(b"$(");
                out.extend_from_slice(text);
                out.push(b')');
            }
            Part::Arithmetic {
                expression,
                brackets,
            } => {
                out.extend_from_slice(if *brackets { b"$[" } else { b"$((" });
                parts(&expression.parts, out);
                out.extend_from_slice(if *brackets { b"]" } else { b"))" });
            }
            Part::Process { output, list } => {
                out.extend_from_slice(if *output { b">(" } else { b"<(" });
                substitution(list, out);
            }
            Part::Array(elements) => array(elements, out),
        }
    }
}

fn substitution(commands: &List, out: &mut Vec<u8>) {
    let text = substituted(commands);
    if text.starts_with(b"(") {
        out.push(b' ');
    }
    out.extend_from_slice(&text);
    out.push(b')');
}

fn array(elements: &[ArrayElement], out: &mut Vec<u8>) {
    out.push(b'(');
    for (at, element) in elements.iter().enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        match element {
            ArrayElement::Word(each) => parts(&each.parts, out),
            ArrayElement::At {
                index,
                append,
                value,
            } => {
                out.push(b'[');
                parts(&index.parts, out);
                out.extend_from_slice(if *append { b"]+=" } else { b"]=" });
                parts(&value.parts, out);
            }
        }
    }
    out.push(b')');
}

// `sundew_posix::escape` has the same; this crate stands beside it and depends on none.
fn single_quoted(text: &[u8]) -> Vec<u8> {
    let mut out = vec![b'\''];
    for &byte in text {
        if byte == b'\'' {
            out.extend_from_slice(b"'\\''");
        } else {
            out.push(byte);
        }
    }
    out.push(b'\'');
    out
}

fn name(name: &ParameterName, out: &mut Vec<u8>) {
    match name {
        ParameterName::Variable(name) => out.extend_from_slice(name),
        ParameterName::Positional(number) => out.extend_from_slice(number.to_string().as_bytes()),
        ParameterName::Special(special) => out.push(special.byte()),
    }
}

fn parameter(parameter: &Parameter, out: &mut Vec<u8>) {
    out.push(b'$');
    if !parameter.braced {
        return name(&parameter.name, out);
    }
    out.push(b'{');
    match parameter.operation {
        Operation::Length => out.push(b'#'),
        Operation::Names { .. } | Operation::Keys { .. } => out.push(b'!'),
        _ if parameter.indirect => out.push(b'!'),
        _ => {}
    }
    name(&parameter.name, out);
    match &parameter.index {
        Some(Index::At) => out.extend_from_slice(b"[@]"),
        Some(Index::Star) => out.extend_from_slice(b"[*]"),
        Some(Index::Word(index)) => {
            out.push(b'[');
            parts(&index.parts, out);
            out.push(b']');
        }
        None => {}
    }
    operation(&parameter.operation, out);
    out.push(b'}');
}

fn operation(operation: &Operation, out: &mut Vec<u8>) {
    let mut operand = |mark: &[u8], operand: &Word| {
        out.extend_from_slice(mark);
        parts(&operand.parts, out);
    };
    match operation {
        Operation::Value | Operation::Length => {}
        Operation::Default { colon, word } => operand(if *colon { b":-" } else { b"-" }, word),
        Operation::Assign { colon, word } => operand(if *colon { b":=" } else { b"=" }, word),
        Operation::Error { colon, word } => operand(if *colon { b":?" } else { b"?" }, word),
        Operation::Alternative { colon, word } => operand(if *colon { b":+" } else { b"+" }, word),
        Operation::Trim(trim, pattern) => operand(
            match trim {
                Trim::ShortestPrefix => b"#",
                Trim::LongestPrefix => b"##",
                Trim::ShortestSuffix => b"%",
                Trim::LongestSuffix => b"%%",
            },
            pattern,
        ),
        Operation::Replace {
            place,
            pattern,
            replacement,
        } => {
            operand(
                match place {
                    ReplaceWhere::First => b"/",
                    ReplaceWhere::All => b"//",
                    ReplaceWhere::Prefix => b"/#",
                    ReplaceWhere::Suffix => b"/%",
                },
                pattern,
            );
            if let Some(replacement) = replacement {
                operand(b"/", replacement);
            }
        }
        Operation::Case(change, pattern) => operand(
            match change {
                CaseChange::UpperFirst => b"^",
                CaseChange::UpperAll => b"^^",
                CaseChange::LowerFirst => b",",
                CaseChange::LowerAll => b",,",
                CaseChange::ToggleFirst => b"~",
                CaseChange::ToggleAll => b"~~",
            },
            pattern.as_ref().unwrap_or(&Word { parts: Vec::new() }),
        ),
        Operation::Substring { offset, length } => {
            operand(b":", offset);
            if let Some(length) = length {
                operand(b":", length);
            }
        }
        Operation::Transform(0) => out.push(b'@'),
        Operation::Transform(letter) => out.extend_from_slice(&[b'@', *letter]),
        Operation::Names { at } => out.push(if *at { b'@' } else { b'*' }),
        Operation::Keys { at } => out.extend_from_slice(if *at { b"[@]" } else { b"[*]" }),
    }
}
