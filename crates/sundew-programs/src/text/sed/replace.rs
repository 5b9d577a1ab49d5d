//! Replacements of `s` and the case changes in them.

use sundew_posix::regex::{Groups, Regex};

use super::command::{Case, Part, Substitution};

/// What became of a line; `None` if nothing was replaced, with the error when the regex gave up.
pub(super) fn substitute(
    regex: &Regex,
    substitution: &Substitution,
    line: &[u8],
) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(line.len());
    let mut at = 0;
    let mut last_end = None;
    let mut count = 0;
    let mut replaced = false;
    while at <= line.len() {
        let Some(groups) = regex.find(line, at, false) else {
            break;
        };
        let (start, end) = (groups.start(), groups.end());
        out.extend_from_slice(line.get(at..start).unwrap_or_default());
        at = end;
        // An empty match right behind another is none.
        let counts = start < end || last_end != Some(start);
        if counts {
            count += 1;
            if count < substitution.number {
                out.extend_from_slice(line.get(start..end).unwrap_or_default());
            } else {
                replaced = true;
                expand(&substitution.replacement, &groups, line, &mut out);
                if !substitution.global {
                    break;
                }
            }
        }
        last_end = Some(end);
        if start == end {
            let length = character_length(line.get(at..).unwrap_or_default());
            out.extend_from_slice(line.get(at..at + length).unwrap_or_default());
            at += length.max(1);
        }
    }
    if !replaced {
        return None;
    }
    out.extend_from_slice(line.get(at..).unwrap_or_default());
    Some(out)
}

/// Bytes of the first character; one for what is none.
pub(super) fn character_length(text: &[u8]) -> usize {
    let length = match text.first() {
        None => return 0,
        Some(0xc2..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf4) => 4,
        Some(_) => 1,
    };
    match text.get(..length) {
        Some(bytes) if std::str::from_utf8(bytes).is_ok() => length,
        _ => 1,
    }
}

fn expand(parts: &[Part], groups: &Groups, line: &[u8], out: &mut Vec<u8>) {
    let mut mode = Case::End;
    let mut next: Option<Case> = None;
    for part in parts {
        let text = match part {
            Part::Text(text) => text.as_slice(),
            Part::Group(group) => groups.bytes(*group, line).unwrap_or_default(),
            Part::Case(case @ (Case::UpperNext | Case::LowerNext)) => {
                next = Some(*case);
                continue;
            }
            Part::Case(case) => {
                mode = *case;
                continue;
            }
        };
        if mode == Case::End && next.is_none() {
            out.extend_from_slice(text);
            continue;
        }
        let mut rest = text;
        if !rest.is_empty()
            && let Some(case) = next.take()
        {
            let (first, after) = rest.split_at(character_length(rest));
            change_case(first, case, out);
            rest = after;
        }
        change_case(rest, mode, out);
    }
}

fn change_case(text: &[u8], case: Case, out: &mut Vec<u8>) {
    for chunk in text.utf8_chunks() {
        match case {
            Case::Upper | Case::UpperNext => {
                out.extend_from_slice(chunk.valid().to_uppercase().as_bytes())
            }
            Case::Lower | Case::LowerNext => {
                out.extend_from_slice(chunk.valid().to_lowercase().as_bytes())
            }
            Case::End => out.extend_from_slice(chunk.valid().as_bytes()),
        }
        out.extend_from_slice(chunk.invalid());
    }
}
