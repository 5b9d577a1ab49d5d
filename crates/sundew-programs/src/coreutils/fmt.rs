//! fmt(1): paragraphs filled to a width.
//!
//! Line ends are chosen as the original chooses them: the sum of the squares of what lines lack, with
//! prices for breaks in bad places, is the least possible.

use sundew_kernel::{ExitStatus, Process};

use super::{about, input};
use crate::getopt::{Arity, Getopt, Spec, refuse};

const SPEC: Spec = Spec::gnu(
    "0::1::2::3::4::5::6::7::8::9::cstuw:p:g:",
    &[
        ("crown-margin", Arity::No, "c"),
        ("prefix", Arity::Required, "p"),
        ("split-only", Arity::No, "s"),
        ("tagged-paragraph", Arity::No, "t"),
        ("uniform-spacing", Arity::No, "u"),
        ("width", Arity::Required, "w"),
        ("goal", Arity::Required, "g"),
    ],
);

/// The widest that may be asked for.
const MAX_WIDTH: u64 = 2500;
/// Words of a paragraph that are looked at together; what the original keeps.
const MAX_WORDS: usize = 1000;

#[derive(Debug)]
struct Options {
    crown: bool,
    tagged: bool,
    split: bool,
    uniform: bool,
    prefix: Vec<u8>,
    width: usize,
    goal: usize,
}

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let (mut width, mut goal) = (None, None);
    let mut settings = Options {
        crown: false,
        tagged: false,
        split: false,
        uniform: false,
        prefix: Vec::new(),
        width: 75,
        goal: 70,
    };
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        let option = match option {
            Ok(option) => option,
            Err(error) => return refuse(proc, &error, 1).await,
        };
        match option.key {
            "c" => settings.crown = true,
            "t" => settings.tagged = true,
            "s" => settings.split = true,
            "u" => settings.uniform = true,
            "p" => settings.prefix = option.value.trim_ascii_start().to_vec(),
            "w" | "g" => {
                match input::decimal(&option.value).filter(|number| *number <= MAX_WIDTH) {
                    Some(number) if option.key == "w" => width = usize::try_from(number).ok(),
                    Some(number) => goal = usize::try_from(number).ok(),
                    None => {
                        return input::complain_word(proc, "invalid width:", &option.value).await;
                    }
                }
            }
            "help" | "version" => return about::run(proc, option.key, "fmt").await,
            digit => {
                let word = [digit.as_bytes(), &option.value].concat();
                match input::decimal(&word).filter(|number| *number <= MAX_WIDTH) {
                    Some(number) => width = usize::try_from(number).ok(),
                    None => return input::complain_word(proc, "invalid width:", &word).await,
                }
            }
        }
    }
    match (width, goal) {
        (Some(width), None) => (settings.width, settings.goal) = (width, width * 187 / 200),
        (None, Some(goal)) => (settings.width, settings.goal) = (goal + 10, goal),
        (Some(width), Some(goal)) => (settings.width, settings.goal) = (width, goal.min(width)),
        (None, None) => {}
    }
    for name in input::or_stdin(options.operands()) {
        let text = if name == b"-" {
            input::read_all(proc, &name).await
        } else {
            match input::open(proc, &name).await {
                Ok(fd) => {
                    input::close(proc, fd);
                    input::read_all(proc, &name).await
                }
                Err(errno) => {
                    input::complain_reading(proc, &name, errno).await;
                    continue;
                }
            }
        };
        let Some((text, mut memory)) = text else {
            continue;
        };
        if memory.grow(text.len().saturating_mul(4)).is_err() {
            input::exhausted(proc).await;
            return proc.status();
        }
        if format(proc, &settings, &text).await.is_err() {
            break;
        }
    }
    proc.status()
}

struct Row<'a> {
    indent: usize,
    text: &'a [u8],
}

fn rows<'a>(text: &'a [u8]) -> Vec<Row<'a>> {
    let mut lines: Vec<&[u8]> = text.split(|&byte| byte == b'\n').collect();
    if lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    lines
        .into_iter()
        .map(|line| {
            let mut indent = 0;
            let blanks = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t'));
            let count = blanks.clone().count();
            for byte in blanks {
                indent = if *byte == b'\t' {
                    (indent / 8 + 1) * 8
                } else {
                    indent + 1
                };
            }
            Row {
                indent,
                text: line.get(count..).unwrap_or_default(),
            }
        })
        .collect()
}

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
async fn format(
    proc: &mut Process,
    options: &Options,
    text: &[u8],
) -> Result<(), sundew_kernel::Errno> {
    let rows = rows(text);
    let lines: Vec<&[u8]> = text.split(|&byte| byte == b'\n').collect();
    let mut at = 0;
    while let Some(row) = rows.get(at) {
        proc.tick().await;
        let prefixed = row.text.starts_with(&options.prefix);
        if row.text.is_empty() || !prefixed {
            let line = lines.get(at).copied().unwrap_or_default();
            // Lines of blanks alone come out empty, others as they are.
            let shown = if row.text.is_empty() {
                b"".as_slice()
            } else {
                line
            };
            proc.print(&[shown, b"\n"].concat()).await?;
            at += 1;
            continue;
        }
        let strip = |row: &Row<'_>| {
            let rest = row.text.get(options.prefix.len()..).unwrap_or_default();
            let inner = rest
                .iter()
                .take_while(|byte| matches!(byte, b' ' | b'\t'))
                .count();
            (
                row.indent
                    + if options.prefix.is_empty() {
                        0
                    } else {
                        options.prefix.len() + inner
                    },
                rest.trim_ascii_start().to_vec(),
            )
        };
        let first = strip(row);
        if first.1.is_empty() {
            proc.print(&[lines.get(at).copied().unwrap_or_default(), b"\n"].concat())
                .await?;
            at += 1;
            continue;
        }
        let outer = row.indent;
        let mut paragraph = vec![first.clone()];
        let mut rest_indent = first.0;
        at += 1;
        if !options.split {
            while let Some(next) = rows.get(at) {
                if next.text.is_empty()
                    || !next.text.starts_with(&options.prefix)
                    || next.indent != outer && !options.crown && !options.tagged
                {
                    break;
                }
                let stripped = strip(next);
                if stripped.1.is_empty() {
                    break;
                }
                if paragraph.len() == 1 {
                    let fits = if options.tagged {
                        stripped.0 != first.0
                    } else {
                        options.crown || stripped.0 == first.0
                    };
                    if !fits {
                        break;
                    }
                    rest_indent = stripped.0;
                } else if stripped.0 != rest_indent {
                    break;
                }
                paragraph.push(stripped);
                at += 1;
            }
        }
        let words = words(&paragraph, options);
        for chunk in words.chunks(MAX_WORDS) {
            let out = fill(chunk, options, outer, first.0, rest_indent);
            proc.print(&out).await?;
        }
    }
    Ok(())
}

#[derive(Debug)]
struct Word {
    text: Vec<u8>,
    /// Blanks behind it.
    space: usize,
    period: bool,
    punctuation: bool,
    opens: bool,
    last_of_sentence: bool,
}

fn words(paragraph: &[(usize, Vec<u8>)], options: &Options) -> Vec<Word> {
    let mut words = Vec::new();
    for (_, line) in paragraph {
        let mut rest = line.as_slice();
        while !rest.is_empty() {
            let end = rest
                .iter()
                .position(u8::is_ascii_whitespace)
                .unwrap_or(rest.len());
            let (text, behind) = rest.split_at(end);
            let blanks = behind
                .iter()
                .take_while(|byte| byte.is_ascii_whitespace())
                .count();
            let at_end = blanks == behind.len();
            rest = behind.get(blanks..).unwrap_or_default();
            let bare = text
                .iter()
                .rposition(|byte| !b")]'\"".contains(byte))
                .and_then(|at| text.get(at));
            let period = bare.is_some_and(|byte| b".?!".contains(byte));
            let last_of_sentence = period && (at_end || blanks > 1);
            let space = if at_end || options.uniform {
                1 + usize::from(last_of_sentence)
            } else {
                blanks
            };
            words.push(Word {
                text: text.to_vec(),
                space,
                period,
                punctuation: text.last().is_some_and(u8::is_ascii_punctuation),
                opens: text.first().is_some_and(|byte| b"(['`\"".contains(byte)),
                last_of_sentence,
            });
        }
    }
    if let Some(last) = words.last_mut() {
        // A paragraph ends a sentence, whatever its last word ends with.
        last.period = true;
        last.last_of_sentence = true;
    }
    words
}

/// Chooses where lines end, from the last word to the first.
fn fill(words: &[Word], options: &Options, outer: usize, first: usize, rest: usize) -> Vec<u8> {
    let equivalent = |n: i64| n * n;
    let count = words.len();
    let mut best = vec![i64::MAX; count + 1];
    let mut next = vec![count; count + 1];
    let mut lengths = vec![0usize; count + 1];
    if let Some(last) = best.get_mut(count) {
        *last = 0;
    }
    for start in (0..count).rev() {
        let mut length = if start == 0 { first } else { rest };
        let mut cost_best = i64::MAX;
        for end in start..count {
            length += words[end].text.len();
            let after = end + 1;
            let mut cost = 0;
            if after < count {
                let lack = options.goal as i64 - length as i64;
                cost = equivalent(lack * 10);
                if next[after] != count {
                    let ragged = length as i64 - lengths[after] as i64;
                    cost += equivalent(ragged * 10) / 2;
                }
            }
            let total = cost.saturating_add(best[after]);
            if total < cost_best {
                cost_best = total;
                next[start] = after;
                lengths[start] = length;
            }
            if after == count {
                break;
            }
            length += words[end].space;
            if length + words[after].text.len() >= options.width {
                break;
            }
        }
        best[start] = cost_best.saturating_add(base_cost(words, start));
    }
    let mut out = Vec::new();
    let mut at = 0;
    while at < count {
        let indent = if at == 0 { first } else { rest };
        if options.prefix.is_empty() {
            out.extend(std::iter::repeat_n(b' ', indent));
        } else {
            out.extend(std::iter::repeat_n(b' ', outer));
            out.extend_from_slice(&options.prefix);
            out.extend(std::iter::repeat_n(
                b' ',
                indent.saturating_sub(outer + options.prefix.len()),
            ));
        }
        let end = next[at];
        for (number, word) in words.iter().enumerate().take(end).skip(at) {
            out.extend_from_slice(&word.text);
            if number + 1 < end {
                out.extend(std::iter::repeat_n(b' ', word.space));
            }
        }
        out.push(b'\n');
        at = end;
    }
    out
}

/// The price of beginning a line with this word.
fn base_cost(words: &[Word], start: usize) -> i64 {
    let equivalent = |n: i64| n * n;
    let mut cost = equivalent(70);
    if let Some(before) = start.checked_sub(1).and_then(|at| words.get(at)) {
        if before.period {
            if before.last_of_sentence {
                cost -= equivalent(50);
            } else {
                cost += equivalent(600);
            }
        } else if before.punctuation {
            cost -= equivalent(40);
        } else if let Some(earlier) = start.checked_sub(2).and_then(|at| words.get(at))
            && earlier.last_of_sentence
        {
            cost += equivalent(200) / (before.text.len() as i64 + 2);
        }
    }
    if let Some(word) = words.get(start) {
        if word.opens {
            cost -= equivalent(40);
        } else if word.last_of_sentence {
            cost += equivalent(150) / (word.text.len() as i64 + 2);
        }
    }
    cost
}
