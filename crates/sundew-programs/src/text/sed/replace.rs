//! Replacements of `s` and the case changes in them.

use sundew_posix::regex::Regex;

use super::command::Substitution;
use crate::replacement::{TooLong, character_length, expand};

/// What became of a line; `None` if nothing was replaced, with the error when the regex gave up.
pub(super) fn substitute(
    regex: &Regex,
    substitution: &Substitution,
    line: &[u8],
) -> Result<Option<Vec<u8>>, TooLong> {
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
                expand(&substitution.replacement, &groups, line, &mut out)?;
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
        return Ok(None);
    }
    out.extend_from_slice(line.get(at..).unwrap_or_default());
    Ok(Some(out))
}
