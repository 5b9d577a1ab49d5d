//! seq(1), yes(1), nproc(1).

use sundew_kernel::{ExitStatus, Process};

use super::{about, float, input};
use crate::getopt::{Arity, Getopt, Opt, Spec, refuse, try_help};
use crate::quote;

/// Digits behind the point, at most.
const MAX_DIGITS: usize = 64;

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each option, in one place"
)]
pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let (mut separator, mut format, mut equal) = (b"\n".to_vec(), None, false);
    // A negative number is no option: what looks like one ends them.
    let mut operands: Vec<Vec<u8>> = Vec::new();
    let args = proc.args().to_vec();
    let mut at = 1;
    while let Some(word) = args.get(at) {
        let number = word.strip_prefix(b"-").and_then(|rest| rest.first());
        if !word.starts_with(b"-")
            || number.is_some_and(|byte| byte.is_ascii_digit() || *byte == b'.')
        {
            break;
        }
        at += 1;
        if word == b"--" {
            break;
        }
        if let Some(next) = args.get(at)
            && matches!(
                word.as_slice(),
                b"-f" | b"-s" | b"--format" | b"--separator"
            )
        {
            at += 1;
            if word.ends_with(b"s") || word.ends_with(b"r") {
                separator.clone_from(next)
            } else {
                format = Some(next.clone())
            }
            continue;
        }
        const SPEC: Spec = Spec::gnu(
            "+f:s:w",
            &[
                ("equal-width", Arity::No, "w"),
                ("format", Arity::Required, "f"),
                ("separator", Arity::Required, "s"),
            ],
        );
        let mut options = Getopt::of(&SPEC, vec![word.clone()]);
        while let Some(option) = options.next() {
            match option {
                Ok(Opt { key: "w", .. }) => equal = true,
                Ok(Opt {
                    key: "s", value, ..
                }) => separator = value,
                Ok(Opt {
                    key: "f", value, ..
                }) => format = Some(value),
                Ok(option) => return about::run(proc, option.key, "seq").await,
                Err(error) => return refuse(proc, &error, 1).await,
            }
        }
    }
    operands.extend(args.into_iter().skip(at));
    if operands.is_empty() {
        return input::missing_operand(proc).await;
    }
    if let Some(extra) = operands.get(3) {
        return input::extra_operand(proc, extra).await;
    }
    let mut numbers = Vec::new();
    for word in &operands {
        match Number::parse(word) {
            Some(number) => numbers.push(number),
            None if word.eq_ignore_ascii_case(b"nan") => {
                let (kind, shown) = (quote::text(proc, b"not-a-number"), quote::text(proc, word));
                let text = [b"invalid ".as_slice(), &kind, b" argument: ", &shown].concat();
                proc.complain_text(text).await;
                return try_help(proc, 1).await;
            }
            None => {
                return input::refuse_word(proc, "invalid floating point argument:", word).await;
            }
        }
    }
    let one = Number {
        value: 1.0,
        digits: 0,
    };
    let (first, step, last) = match numbers.as_slice() {
        [last] => (one, one, *last),
        [first, last] => (*first, one, *last),
        [first, step, last, ..] => (*first, *step, *last),
        [] => return proc.status(),
    };
    if step.value == 0.0 {
        let word = operands.get(1).cloned().unwrap_or_default();
        return input::refuse_word(proc, "invalid Zero increment value:", &word).await;
    }
    let template = match format.as_deref().map(Template::parse) {
        Some(Err(what)) => {
            let shown = quote::text(proc, &format.unwrap_or_default());
            proc.complain_text([b"format ", shown.as_slice(), what.as_bytes()].concat())
                .await;
            return proc.status();
        }
        Some(Ok(template)) => Some(template),
        None => None,
    };
    let digits = first.digits.max(step.digits);
    let wide = |number: &Number| {
        let point = usize::from(digits > 0);
        let sign = usize::from(number.value < 0.0);
        format!("{:.0}", number.value.trunc().abs()).len() + sign + point + digits
    };
    let width = if equal {
        wide(&first).max(wide(&last))
    } else {
        0
    };
    print(
        proc,
        &first,
        &step,
        &last,
        &separator,
        |value| match &template {
            Some(template) => template.show(value),
            None => {
                let text = float::format(value.abs(), b'f', Some(digits), false);
                let sign = if value < 0.0 { "-" } else { "" };
                let pad = width.saturating_sub(text.len() + sign.len());
                [sign, &"0".repeat(pad), &text].concat().into_bytes()
            }
        },
    )
    .await;
    proc.status()
}

async fn print(
    proc: &mut Process,
    first: &Number,
    step: &Number,
    last: &Number,
    separator: &[u8],
    show: impl Fn(f64) -> Vec<u8>,
) {
    let scale = 10f64.powi(i32::try_from(first.digits.max(step.digits)).unwrap_or(0));
    let exact = |value: f64| (value * scale).round();
    let mut count = 0.0;
    loop {
        // Counted in units of the last digit, so that 0.1 does not add up to 0.99.
        let value = (exact(first.value) + count * exact(step.value)) / scale;
        let beyond = if step.value < 0.0 {
            value < last.value
        } else {
            value > last.value
        };
        if beyond {
            break;
        }
        let mut text = if count > 0.0 {
            separator.to_vec()
        } else {
            Vec::new()
        };
        text.extend(show(value));
        proc.tick().await;
        if proc.print(&text).await.is_err() {
            return;
        }
        count += 1.0;
    }
    if count > 0.0 {
        // A closed output is reported when the program ends.
        let _reported_at_exit = proc.print(b"\n").await;
    }
}

#[derive(Debug, Clone, Copy)]
struct Number {
    value: f64,
    digits: usize,
}

impl Number {
    fn parse(word: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(word).ok()?;
        let (value, used) = float::parse(text)?;
        if used < text.len() || value.is_nan() {
            return None;
        }
        let digits = text.split_once('.').map_or(0, |(_, behind)| {
            behind.bytes().take_while(u8::is_ascii_digit).count()
        });
        Some(Self {
            value,
            digits: digits.min(MAX_DIGITS),
        })
    }
}

/// Text up to a directive, with `%%` for a percent sign, and what stands from there.
fn literal(text: &[u8]) -> (Vec<u8>, &[u8]) {
    let mut out = Vec::new();
    let mut rest = text;
    loop {
        match rest {
            [b'%', b'%', after @ ..] => {
                out.push(b'%');
                rest = after;
            }
            [] | [b'%', ..] => return (out, rest),
            [byte, after @ ..] => {
                out.push(*byte);
                rest = after;
            }
        }
    }
}

/// `-f %05.2f`.
struct Template {
    before: Vec<u8>,
    after: Vec<u8>,
    zero: bool,
    left: bool,
    width: usize,
    precision: Option<usize>,
    letter: u8,
}

impl Template {
    /// The error is what follows `format ‘x’`.
    fn parse(text: &[u8]) -> Result<Self, String> {
        let (before, rest) = literal(text);
        let Some(mut rest) = rest.get(1..) else {
            return Err(" has no % directive".to_owned());
        };
        let (mut zero, mut left) = (false, false);
        while let [
            flag @ (b'0' | b'-' | b'+' | b' ' | b'#' | b'\''),
            after @ ..,
        ] = rest
        {
            zero |= *flag == b'0';
            left |= *flag == b'-';
            rest = after;
        }
        let number = |text: &[u8]| {
            let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let value = input::decimal(text.get(..length).unwrap_or_default()).unwrap_or(0);
            (
                usize::try_from(value)
                    .unwrap_or(0)
                    .min(float::MAX_PRECISION),
                length,
            )
        };
        let (width, length) = number(rest);
        rest = rest.get(length..).unwrap_or_default();
        let mut precision = None;
        if let Some(after) = rest.strip_prefix(b".") {
            let (value, length) = number(after);
            precision = Some(value);
            rest = after.get(length..).unwrap_or_default();
        }
        rest = rest.strip_prefix(b"L").unwrap_or(rest);
        let Some((&letter, after)) = rest.split_first() else {
            return Err(" ends in %".to_owned());
        };
        if !b"efgEFGaA".contains(&letter) {
            return Err(format!(" has unknown %{} directive", char::from(letter)));
        }
        let (after, more) = literal(after);
        if !more.is_empty() {
            return Err(" has too many % directives".to_owned());
        }
        Ok(Self {
            before,
            after,
            zero,
            left,
            width,
            precision,
            letter,
        })
    }

    fn show(&self, value: f64) -> Vec<u8> {
        let text = float::format(value, self.letter, self.precision, false);
        let pad = self.width.saturating_sub(text.len());
        let text = match (self.left, self.zero) {
            (true, _) => text + &" ".repeat(pad),
            (false, true) => "0".repeat(pad) + &text,
            (false, false) => " ".repeat(pad) + &text,
        };
        [self.before.as_slice(), text.as_bytes(), &self.after].concat()
    }
}

pub(crate) async fn run_yes(proc: &mut Process) -> ExitStatus {
    let mut options = Getopt::new(&Spec::gnu("+", &[]), proc.args());
    if let Some(option) = options.next() {
        return match option {
            Ok(option) => about::run(proc, option.key, "yes").await,
            Err(error) => refuse(proc, &error, 1).await,
        };
    }
    let words = options.operands();
    let mut line = if words.is_empty() {
        b"y".to_vec()
    } else {
        words.join(&b' ')
    };
    line.push(b'\n');
    // As the real one: a buffer full of lines at a time.
    let block = line.repeat((8192 / line.len()).max(1));
    loop {
        proc.tick().await;
        if let Err(errno) = proc.write_all(sundew_kernel::STDOUT, &block).await {
            proc.complain(b"standard output", errno).await;
            return proc.status();
        }
    }
}

pub(crate) async fn run_nproc(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::gnu(
        "",
        &[
            ("all", Arity::No, "all"),
            ("ignore", Arity::Required, "ignore"),
        ],
    );
    let mut ignore = 0;
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("all", _)) => {}
            Ok(("ignore", value)) => match input::decimal(&value) {
                Some(count) => ignore = count,
                None => {
                    let shown = quote::text(proc, &value);
                    proc.complain_text([shown.as_slice(), b": invalid number to ignore"].concat())
                        .await;
                    return proc.status();
                }
            },
            Ok((key, _)) => return about::run(proc, key, "nproc").await,
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    if let Some(extra) = options.operands().first() {
        return input::extra_operand(proc, extra).await;
    }
    let count = u64::from(proc.facts().cpu.count)
        .saturating_sub(ignore)
        .max(1);
    // A closed output is reported when the program ends.
    let _reported_at_exit = proc.print(format!("{count}\n").as_bytes()).await;
    proc.status()
}
