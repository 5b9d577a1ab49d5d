//! `printf`, in the words of bash, dash and BusyBox.

mod escape;
mod float;
mod integer;
mod spec;
mod time;

pub(super) use time::format as time_text;

use sundew_kernel::Process;
use sundew_sh_syntax::Dialect;

use super::Answer;
use super::getopt::{Found, Options};
use super::store::{is_target, store};
use crate::expand::transform::ansi_quote;
use crate::shell::Shell;
use escape::{Escaped, Place, unescape};
use float::{DOUBLE, Float, LONG_DOUBLE};
use spec::Spec;

const USAGE: &str = "printf: usage: printf [-v var] format [arguments]";

/// Printed bytes after which they are handed on, so that a long list of arguments costs no memory.
const CHUNK_BYTES: usize = 4096;

pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    let mut variable = None;
    let operands = if shell.dialect == Dialect::Ash {
        match args.get(1..).unwrap_or_default() {
            [first, rest @ ..] if first == b"--" => rest,
            rest => rest,
        }
    } else {
        let mut options = Options::new(args, if shell.is_bash() { b"v:" } else { b"" });
        while let Some(found) = options.next() {
            match found {
                Found::Option(_, name) => variable = Some(name),
                other => return Ok(shell.bad_option(proc, args, other, USAGE).await),
            }
        }
        options.operands()
    };
    if let Some(name) = variable
        && !is_target(shell, name)
    {
        let text = [b"`".as_slice(), name, b"': not a valid identifier"].concat();
        return Ok(shell.builtin_error(proc, args, text, 2).await);
    }
    let Some((format, arguments)) = operands.split_first() else {
        return Ok(usage(shell, proc, args).await);
    };
    let mut printer = Printer::new(shell.dialect, format, arguments);
    printer.now = proc.now().secs;
    let since_start = proc.monotonic().saturating_sub(shell.seconds_from);
    printer.started = printer.now - i64::try_from(since_start.as_secs()).unwrap_or(0);
    drive(shell, proc, args, &mut printer, variable.is_some()).await;
    let mut status = printer.status;
    match variable {
        Some(name) => {
            let end = printer
                .out
                .iter()
                .position(|&byte| byte == 0)
                .unwrap_or(printer.out.len());
            printer.out.truncate(end);
            status = status.max(store(shell, proc, args, name, printer.out).await?);
        }
        None => {
            let _checked_at_flush = proc.print(&printer.out).await;
        }
    }
    for (name, count) in printer.counts {
        status = status.max(store(shell, proc, args, &name, count.to_string().into_bytes()).await?);
    }
    Ok(status)
}

async fn usage(shell: &Shell, proc: &mut Process, args: &[Vec<u8>]) -> u8 {
    match shell.dialect {
        Dialect::Bash => proc.print_error(format!("{USAGE}\n").as_bytes()).await,
        Dialect::Dash => {
            shell
                .builtin_error(proc, args, "usage: printf format [arg ...]", 2)
                .await;
        }
        Dialect::Ash => {
            let name = shell.applet_name();
            proc.print_error(&[name, b": usage: printf FORMAT [ARGUMENT...]\n"].concat())
                .await
        }
    }
    2
}

/// Runs the printer to its end: hands on what it printed, tells what it complains of.
async fn drive(
    shell: &Shell,
    proc: &mut Process,
    args: &[Vec<u8>],
    printer: &mut Printer<'_>,
    keep: bool,
) {
    let mut memory = proc.memory();
    let mut accounted = 0;
    loop {
        let more = printer.step();
        for _ in 0..=std::mem::take(&mut printer.weight) {
            proc.tick().await;
        }
        for complaint in std::mem::take(&mut printer.complaints) {
            if shell.dialect == Dialect::Ash {
                proc.print_error(&[shell.applet_name(), b": ", &complaint, b"\n"].concat())
                    .await;
            } else {
                shell.builtin_error(proc, args, complaint, 1).await;
            }
        }
        if !keep && printer.out.len() >= CHUNK_BYTES {
            let out = std::mem::take(&mut printer.out);
            // What cannot be written is told when the shell flushes; there is no use in going on.
            if proc.print(&out).await.is_err() {
                return;
            }
        } else if printer.out.len() > accounted {
            if memory.grow(printer.out.len() - accounted).is_err() {
                proc.out_of_memory().await;
            }
            accounted = printer.out.len();
        }
        if !more {
            return;
        }
    }
}

/// Where the printing of one format and its arguments stands.
struct Printer<'a> {
    dialect: Dialect,
    format: &'a [u8],
    /// What is left of the format in this pass.
    rest: &'a [u8],
    arguments: &'a [Vec<u8>],
    /// Whether this pass took an argument.
    took: bool,
    out: Vec<u8>,
    /// Bytes printed, including what was handed on already.
    written: usize,
    complaints: Vec<Vec<u8>>,
    status: u8,
    /// What `%n` wants assigned.
    counts: Vec<(Vec<u8>, usize)>,
    /// What the last step cost beyond the usual, in ticks.
    weight: u32,
    /// Seconds since 1970.
    now: i64,
    /// When the shell was started.
    started: i64,
}

impl<'a> Printer<'a> {
    fn new(dialect: Dialect, format: &'a [u8], arguments: &'a [Vec<u8>]) -> Self {
        Self {
            dialect,
            format,
            rest: format,
            arguments,
            took: false,
            out: Vec::new(),
            written: 0,
            complaints: Vec::new(),
            status: 0,
            counts: Vec::new(),
            weight: 0,
            now: 0,
            started: 0,
        }
    }

    /// Prints one piece of the format; whether there is more to do.
    fn step(&mut self) -> bool {
        let before = self.out.len();
        let more = match self.rest.first() {
            None => {
                let again = self.took && !self.arguments.is_empty();
                self.rest = self.format;
                self.took = false;
                again
            }
            Some(b'\\') => self.escape(),
            Some(b'%') => self.directive(),
            Some(_) => {
                let end = self
                    .rest
                    .iter()
                    .position(|byte| matches!(byte, b'\\' | b'%'))
                    .unwrap_or(self.rest.len());
                let (plain, rest) = self.rest.split_at(end);
                self.out.extend_from_slice(plain);
                self.rest = rest;
                true
            }
        };
        self.written += self.out.len().saturating_sub(before);
        more
    }

    fn escape(&mut self) -> bool {
        let after = self.rest.get(1..).unwrap_or_default();
        let (escaped, length) = unescape(after, self.dialect, Place::Format);
        self.rest = after.get(length..).unwrap_or_default();
        self.put_escaped(escaped)
    }

    /// `false` if that was the end of all output.
    fn put_escaped(&mut self, escaped: Escaped) -> bool {
        match escaped {
            Escaped::Bytes(bytes) => self.out.extend(bytes),
            Escaped::Missing(complaint) => {
                self.complaints.push(complaint.into());
                self.out.push(b'\\');
            }
            Escaped::Stop => return false,
        }
        true
    }

    fn complain(&mut self, text: Vec<u8>, status: u8) {
        self.complaints.push(text);
        self.status = status;
    }

    /// Something that ends the printing.
    fn fail(&mut self, text: Vec<u8>, status: u8) -> bool {
        self.complain(text, status);
        false
    }

    fn argument(&mut self) -> Option<&'a [u8]> {
        self.took = true;
        let (first, rest) = self.arguments.split_first()?;
        self.arguments = rest;
        Some(first)
    }

    /// A number for `*`.
    fn star(&mut self) -> i64 {
        let argument = self.argument();
        i64::from_ne_bytes(self.integer(argument, true).to_ne_bytes())
    }

    /// Letters that say how large a number is, which it is not.
    fn modifiers(&self) -> &'static [u8] {
        match self.dialect {
            Dialect::Bash => b"hjlLtz",
            Dialect::Dash => b"",
            Dialect::Ash => b"hlLz",
        }
    }

    fn directive(&mut self) -> bool {
        let start = self.rest;
        if start.get(1) == Some(&b'%') {
            self.out.push(b'%');
            self.rest = start.get(2..).unwrap_or_default();
            return true;
        }
        let mut at = 1;
        let mut spec = Spec::default();
        let flags: &[u8] = if self.dialect == Dialect::Bash {
            b"#'-+ 0"
        } else {
            b"#-+ 0"
        };
        while let Some(&flag) = start.get(at).filter(|flag| flags.contains(flag)) {
            spec.flag(flag);
            at += 1;
        }
        if start.get(at) == Some(&b'*') {
            at += 1;
            spec.set_width(self.star());
        } else {
            at += spec::digits(start.get(at..).unwrap_or_default(), |width| {
                spec.set_width(width)
            });
        }
        if start.get(at) == Some(&b'.') {
            at += 1;
            if start.get(at) == Some(&b'*') {
                at += 1;
                spec.set_precision(self.star());
            } else {
                let negative = start.get(at) == Some(&b'-');
                at += usize::from(negative);
                spec.set_precision(0);
                at += spec::digits(start.get(at..).unwrap_or_default(), |precision| {
                    spec.set_precision(if negative { -1 } else { precision });
                });
            }
        }
        let before_modifiers = at;
        let modifiers = self.modifiers();
        while start.get(at).is_some_and(|byte| modifiers.contains(byte)) {
            at += 1;
        }
        let Some(&conversion) = start.get(at) else {
            return self.unfinished(start, start.get(..before_modifiers).unwrap_or(start));
        };
        self.rest = start.get(at + 1..).unwrap_or_default();
        if conversion == b'(' && self.dialect == Dialect::Bash {
            return self.time(start, spec);
        }
        let unknown = self.dialect == Dialect::Ash && matches!(conversion, b'F' | b'a' | b'A');
        if !unknown && self.convert(conversion, spec) {
            return true;
        }
        if self.status & STOPPED != 0 {
            self.status &= !STOPPED;
            return false;
        }
        match self.dialect {
            Dialect::Bash => {
                let shown = [conversion];
                self.fail(
                    [b"`".as_slice(), &shown, b"': invalid format character"].concat(),
                    1,
                )
            }
            Dialect::Dash => {
                let shown = start.get(..=at).unwrap_or(start);
                self.fail([shown, b": invalid directive"].concat(), 2)
            }
            Dialect::Ash => {
                // BusyBox has taken the modifiers out of the format.
                let before = start.get(..before_modifiers).unwrap_or_default();
                let after = start.get(at..).unwrap_or_default();
                self.fail([before, after, b": invalid format"].concat(), 1)
            }
        }
    }

    /// A directive whose letter is missing.
    fn unfinished(&mut self, start: &[u8], without_modifiers: &[u8]) -> bool {
        match self.dialect {
            Dialect::Bash => {
                let text = [b"`".as_slice(), start, b"': missing format character"].concat();
                self.fail(text, 1)
            }
            Dialect::Dash => self.fail(b"missing format character".to_vec(), 2),
            Dialect::Ash => self.fail([without_modifiers, b": invalid format"].concat(), 1),
        }
    }

    /// Prints one argument; `false` for an unknown conversion, or with [`STOPPED`] after `\c`.
    fn convert(&mut self, conversion: u8, mut spec: Spec) -> bool {
        let bash = self.dialect == Dialect::Bash;
        match conversion {
            b's' => {
                let text = self.argument().unwrap_or_default();
                spec.text(spec.cut(text), &mut self.out);
            }
            b'c' => {
                let first = self
                    .argument()
                    .unwrap_or_default()
                    .first()
                    .copied()
                    .unwrap_or(0);
                spec.text(&[first], &mut self.out);
            }
            b'b' if self.dialect != Dialect::Ash || spec == Spec::default() => {
                return self.escaped_argument(spec);
            }
            b'q' | b'Q' if bash => {
                let text = self.argument().unwrap_or_default();
                let quoted = if conversion == b'Q' {
                    let cut = spec.cut(text);
                    spec.set_precision(-1);
                    quote(cut)
                } else {
                    quote(text)
                };
                spec.text(spec.cut(&quoted), &mut self.out);
            }
            b'n' if bash => {
                if let Some(name) = self.argument()
                    && crate::variable::is_name(name)
                {
                    self.counts.push((name.to_vec(), self.written));
                }
            }
            b'd' | b'i' => {
                let argument = self.argument();
                let value = i64::from_ne_bytes(self.integer(argument, true).to_ne_bytes());
                spec.signed(value, &mut self.out);
            }
            b'u' | b'o' | b'x' | b'X' => {
                let argument = self.argument();
                let value = self.integer(argument, false);
                spec.unsigned(value, conversion, &mut self.out);
            }
            b'e' | b'E' | b'f' | b'F' | b'g' | b'G' => self.float(conversion, spec),
            b'a' | b'A' if self.dialect != Dialect::Ash => self.float(conversion, spec),
            _ => return false,
        }
        true
    }

    /// `%b`
    fn escaped_argument(&mut self, spec: Spec) -> bool {
        let text = self.argument().unwrap_or_default();
        let (bytes, stopped) = escaped_with(text, self.dialect, |complaint| {
            self.complaints.push(complaint.into());
        });
        spec.text(spec.cut(&bytes), &mut self.out);
        if stopped {
            self.status |= STOPPED;
        }
        !stopped
    }

    /// The value of an argument, complained of if it is no number; without one it is 0.
    fn integer(&mut self, argument: Option<&[u8]>, signed: bool) -> u64 {
        let ash = self.dialect == Dialect::Ash;
        let Some(text) = argument else {
            if ash {
                self.complain(b"invalid number ''".to_vec(), 1);
            }
            return 0;
        };
        if let Some(value) = character_value(text) {
            return value;
        }
        let parsed = integer::parse(text, signed);
        if !ash && text.is_empty() {
            return 0;
        }
        if ash && (parsed.length < text.len() || parsed.out_of_range || text.is_empty()) {
            self.complain([b"invalid number '".as_slice(), text, b"'"].concat(), 1);
            return 0;
        }
        self.check_number(text, parsed.length, parsed.out_of_range);
        parsed.value
    }

    /// Complains if a number ended early or was out of range.
    fn check_number(&mut self, text: &[u8], length: usize, out_of_range: bool) {
        let range = b": Numerical result out of range".as_slice();
        match self.dialect {
            Dialect::Bash if length < text.len() => {
                let reason: &[u8] = match text {
                    [b'0', b'x', ..] => b": invalid hex number",
                    [b'0', digit, ..] if digit.is_ascii_digit() => b": invalid octal number",
                    _ => b": invalid number",
                };
                self.complain([text, reason].concat(), 1);
            }
            Dialect::Bash if out_of_range => self
                .complaints
                .push([b"warning: ".as_slice(), text, range].concat()),
            Dialect::Bash => {}
            _ if length == 0 && !text.is_empty() => {
                self.complain([text, b": expected numeric value"].concat(), 1)
            }
            _ if length < text.len() => {
                self.complain([text, b": not completely converted"].concat(), 1)
            }
            _ if out_of_range => self.complain([text, range].concat(), 1),
            _ => {}
        }
    }

    fn float(&mut self, conversion: u8, spec: Spec) {
        let format = if self.dialect == Dialect::Bash {
            LONG_DOUBLE
        } else {
            DOUBLE
        };
        let text = self.argument().unwrap_or_default();
        let value = match character_value(text) {
            Some(value) => Float::from_integer(value),
            None => {
                let parsed = Float::parse(text, format);
                if self.dialect == Dialect::Ash && parsed.length < text.len() {
                    self.complain([b"invalid number '".as_slice(), text, b"'"].concat(), 1);
                    Float::from_integer(0)
                } else {
                    self.check_number(text, parsed.length, parsed.out_of_range);
                    parsed.value
                }
            }
        };
        self.weight = value.weight();
        let lower = conversion.to_ascii_lowercase();
        let mut body = value.format(lower, spec.precision(), spec.is_alternate(), format);
        if conversion != lower {
            body.make_ascii_uppercase();
        }
        spec.number(value.is_negative(), &body, value.is_finite(), &mut self.out);
    }

    /// `%(FORMAT)T`
    fn time(&mut self, start: &[u8], spec: Spec) -> bool {
        let close = self.rest.iter().position(|&byte| byte == b')');
        let Some((close, b'T')) = close.and_then(|close| Some((close, *self.rest.get(close + 1)?)))
        else {
            // The byte behind the parenthesis is named, NUL at the end.
            let wrong = close.and_then(|close| self.rest.get(close + 1).copied());
            let wrong = wrong.unwrap_or(0);
            self.complaints.push(
                [
                    b"warning: `",
                    [wrong].as_slice(),
                    b"': invalid time format specification",
                ]
                .concat(),
            );
            self.out.extend_from_slice(start);
            return true;
        };
        let format = self.rest.get(..close).unwrap_or_default();
        self.rest = self.rest.get(close + 2..).unwrap_or_default();
        let argument = self.argument();
        let seconds = match argument {
            None => self.now,
            Some(text) => match i64::from_ne_bytes(self.integer(Some(text), true).to_ne_bytes()) {
                -1 => self.now,
                -2 => self.started,
                seconds => seconds,
            },
        };
        let text = time::format(if format.is_empty() { b"%X" } else { format }, seconds);
        spec.text(spec.cut(&text), &mut self.out);
        true
    }
}

/// Marks the status after `\c`; taken away before anybody sees it.
const STOPPED: u8 = 0x80;

/// `'c` stands for the code of the character.
fn character_value(text: &[u8]) -> Option<u64> {
    let rest = text
        .strip_prefix(b"'")
        .or_else(|| text.strip_prefix(b"\""))?;
    let first = rest
        .utf8_chunks()
        .next()
        .and_then(|chunk| chunk.valid().chars().next());
    Some(first.map_or_else(
        || rest.first().map_or(0, |&byte| u64::from(byte)),
        |first| u64::from(u32::from(first)),
    ))
}

/// `%q`: backslashes where the shell needs them, `$'…'` if something cannot be shown otherwise.
fn quote(text: &[u8]) -> Vec<u8> {
    if text.is_empty() {
        return b"''".to_vec();
    }
    if text.iter().any(|byte| *byte < 0x20 || *byte == 0x7f) || std::str::from_utf8(text).is_err() {
        return ansi_quote(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut before = None;
    for &byte in text {
        let special = b" !\"$&'()*,;<>?[\\]^`{|}".contains(&byte)
            || byte == b'#' && before.is_none()
            || byte == b'~' && matches!(before, None | Some(b':' | b'='));
        if special {
            out.push(b'\\');
        }
        out.push(byte);
        before = Some(byte);
    }
    out
}

/// What `%b` makes of a text, and whether `\c` ended it: dash's `echo` does the same.
pub(super) fn escaped_text(text: &[u8], dialect: Dialect) -> (Vec<u8>, bool) {
    escaped_with(text, dialect, |_| {})
}

fn escaped_with(
    mut text: &[u8],
    dialect: Dialect,
    mut complain: impl FnMut(&'static str),
) -> (Vec<u8>, bool) {
    let mut bytes = Vec::with_capacity(text.len());
    while let Some((&byte, after)) = text.split_first() {
        text = after;
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        let (escaped, length) = unescape(after, dialect, Place::Argument);
        text = after.get(length..).unwrap_or_default();
        match escaped {
            Escaped::Bytes(part) => bytes.extend(part),
            Escaped::Missing(complaint) => {
                complain(complaint);
                bytes.push(b'\\');
            }
            Escaped::Stop => return (bytes, true),
        }
    }
    (bytes, false)
}
