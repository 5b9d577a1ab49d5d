//! Runs a script over the input.

use std::collections::HashMap;

use sundew_kernel::budget::Memory;
use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::process::LineReader;
use sundew_kernel::{Errno, ExitStatus, Fd, Process, STDERR};
use sundew_posix::regex::Regex;

use super::command::{Action, Address, Range};
use super::input::{Input, Line, Step};
use super::parse::Script;
use super::replace::substitute;
use super::{Options, PANIC};
use crate::replacement::character_length;
use crate::text::input as files;
use crate::text::shell;

/// Columns of `l` unless told otherwise.
const LINE_LENGTH: usize = 70;

/// Where lines go.
enum Target {
    Stdout,
    Stderr,
    File(Fd),
    /// The copy of a file being edited.
    Memory(Vec<u8>),
}

struct Output {
    target: Target,
    /// Whether the last line went out without its newline.
    unfinished: bool,
}

/// What is to be printed at the end of a cycle.
enum Queued {
    Text(Vec<u8>),
    File(Vec<u8>),
}

/// What happens after a command.
enum Flow {
    Next,
    Jump(usize),
    /// The end of the script.
    EndCycle,
    /// A new cycle without printing.
    Deleted,
    /// The script again with what is left.
    Restart,
    Quit {
        status: u8,
        print: bool,
    },
}

/// Why a run ends before its time.
enum Stop {
    Failed(Vec<u8>, u8),
    WriteError,
}

struct Sed {
    options: Options,
    script: Script,
    input: Input,
    output: Output,
    sinks: Vec<Output>,
    pattern: Vec<u8>,
    ended: bool,
    hold: Vec<u8>,
    /// Whether what is held came from a line that had its newline.
    hold_ended: bool,
    queue: Vec<Queued>,
    replaced: bool,
    last_regex: Option<Regex>,
    line_readers: HashMap<Vec<u8>, Option<LineReader>>,
    memory: Memory,
}

pub(super) async fn run(
    proc: &mut Process,
    options: Options,
    script: Script,
    operands: Vec<Vec<u8>>,
) -> ExitStatus {
    let input = Input::new(
        operands,
        options.null_data,
        options.separate,
        options.in_place.is_some(),
    );
    let output = Output {
        target: Target::Stdout,
        unfinished: false,
    };
    let memory = proc.memory();
    let mut sed = Sed {
        options,
        script,
        input,
        output,
        sinks: Vec::new(),
        pattern: Vec::new(),
        ended: true,
        hold: Vec::new(),
        hold_ended: true,
        queue: Vec::new(),
        replaced: false,
        last_regex: None,
        line_readers: HashMap::new(),
        memory,
    };
    let result = match sed.open_sinks(proc).await {
        Ok(()) => sed.cycles(proc).await,
        Err(stop) => Err(stop),
    };
    match result {
        Ok(status) => ExitStatus::Exited(if status != 0 {
            status
        } else {
            sed.input.status
        }),
        Err(Stop::Failed(text, status)) => {
            proc.complain_text(text).await;
            ExitStatus::Exited(status)
        }
        Err(Stop::WriteError) => ExitStatus::Exited(PANIC),
    }
}

impl Sed {
    async fn open_sinks(&mut self, proc: &mut Process) -> Result<(), Stop> {
        for name in &self.script.sinks {
            let target = match name.as_slice() {
                b"/dev/stdout" => Target::Stdout,
                b"/dev/stderr" => Target::Stderr,
                name => match proc.open(name, OpenFlags::CREATE, 0o666).await {
                    Ok(fd) => Target::File(fd),
                    Err(errno) => {
                        let reason = errno.message().as_bytes();
                        return Err(Stop::Failed(
                            [b"couldn't open file ", name, b": ", reason].concat(),
                            PANIC,
                        ));
                    }
                },
            };
            self.sinks.push(Output {
                target,
                unfinished: false,
            });
        }
        Ok(())
    }

    async fn cycles(&mut self, proc: &mut Process) -> Result<u8, Stop> {
        let mut reuse = false;
        loop {
            proc.tick().await;
            if !reuse {
                match self.input.next(proc).await {
                    Step::Line(line) => self.take(line),
                    Step::FileEnd => {
                        self.change_file(proc).await?;
                        continue;
                    }
                    Step::End => {
                        self.finish_file(proc).await?;
                        return Ok(0);
                    }
                }
            }
            self.replaced = false;
            reuse = match self.cycle(proc).await? {
                Flow::Restart => {
                    self.flush_queue(proc).await?;
                    true
                }
                Flow::Quit { status, print } => {
                    if print {
                        self.autoprint(proc).await?;
                        self.flush_queue(proc).await?;
                    }
                    self.copy_rest(proc).await?;
                    return Ok(status);
                }
                Flow::Deleted => {
                    self.flush_queue(proc).await?;
                    false
                }
                Flow::EndCycle | Flow::Next | Flow::Jump(_) => {
                    self.autoprint(proc).await?;
                    self.flush_queue(proc).await?;
                    false
                }
            };
        }
    }

    fn take(&mut self, line: Line) {
        self.pattern = line.text;
        self.ended = line.ended;
    }

    /// One run through the script.
    async fn cycle(&mut self, proc: &mut Process) -> Result<Flow, Stop> {
        let mut at = 0;
        while at < self.script.commands.len() {
            proc.tick().await;
            if self.matches(proc, at).await? {
                match self.execute(proc, at).await? {
                    Flow::Next => at += 1,
                    Flow::Jump(to) => at = to,
                    flow => return Ok(flow),
                }
            } else {
                at = match self.script.commands.get(at).map(|command| &command.action) {
                    Some(Action::Block(end)) => *end,
                    _ => at + 1,
                };
            }
        }
        Ok(Flow::EndCycle)
    }

    // ---- addresses -----------------------------------------------------------------------------

    async fn matches(&mut self, proc: &mut Process, index: usize) -> Result<bool, Stop> {
        let Some(command) = self.script.commands.get(index) else {
            return Ok(false);
        };
        let negated = command.negated;
        let (first, second, range) = (command.first.clone(), command.second.clone(), command.range);
        let Some(first) = first else {
            return Ok(!negated);
        };
        let Some(second) = second else {
            return Ok(self.at(proc, &first).await? != negated);
        };
        let seen = command.begun;
        let (inside, range) = self.in_range(proc, &first, &second, range, seen).await?;
        if let Some(command) = self.script.commands.get_mut(index) {
            command.range = range;
            command.begun |= inside;
        }
        Ok(inside != negated)
    }

    async fn in_range(
        &mut self,
        proc: &mut Process,
        first: &Address,
        second: &Address,
        range: Range,
        seen: bool,
    ) -> Result<(bool, Range), Stop> {
        let number = self.input.number;
        match range {
            Range::Closed => Ok((false, Range::Closed)),
            Range::Waiting => {
                let begins = match first {
                    // Missed, because nobody asked at that line, it still counts the first time.
                    Address::Line(line) if !seen => number >= *line,
                    first => self.at(proc, first).await?,
                };
                if !begins {
                    return Ok((false, Range::Waiting));
                }
                let end = match second {
                    Address::Line(end) => Some(*end),
                    Address::Plus(count) => Some(number.saturating_add(*count)),
                    Address::Multiple(0) => Some(number),
                    Address::Multiple(step) => Some((number / step + 1).saturating_mul(*step)),
                    _ => None,
                };
                // Past its end before it began.
                if matches!((first, second), (Address::Line(line), Address::Line(end)) if number > *line && *end < number)
                {
                    return Ok((false, Range::Waiting));
                }
                if end.is_some_and(|end| end <= number) {
                    return Ok((true, Range::Waiting));
                }
                if matches!(second, Address::Last) && self.input.is_last(proc).await {
                    return Ok((true, Range::Waiting));
                }
                Ok((true, Range::Active(end)))
            }
            Range::Active(Some(end)) => {
                if number > end {
                    // Lines were skipped inside the range: it is over, and may begin anew.
                    let again = self.at(proc, first).await?;
                    return Ok((again, Range::Waiting));
                }
                Ok((true, if number >= end { Range::Waiting } else { range }))
            }
            Range::Active(None) => {
                let over = self.at(proc, second).await?;
                let closed = if matches!(first, Address::Zero) {
                    Range::Closed
                } else {
                    Range::Waiting
                };
                Ok((true, if over { closed } else { range }))
            }
        }
    }

    async fn at(&mut self, proc: &mut Process, address: &Address) -> Result<bool, Stop> {
        let number = self.input.number;
        Ok(match address {
            Address::Line(line) => number == *line,
            Address::Step(first, step) => {
                number >= *first && (number - first).is_multiple_of(*step)
            }
            Address::Last => self.input.is_last(proc).await,
            Address::Regex(regex) => {
                let regex = self.regex(regex.as_ref())?;
                regex.is_match(&self.pattern)
            }
            Address::Zero | Address::Plus(_) | Address::Multiple(_) => false,
        })
    }

    /// The regex meant, which becomes the last one used.
    fn regex(&mut self, regex: Option<&Regex>) -> Result<Regex, Stop> {
        if let Some(regex) = regex {
            self.last_regex = Some(regex.clone());
        }
        self.last_regex.clone().ok_or_else(|| {
            Stop::Failed(
                b"-e expression #1, char 0: no previous regular expression".to_vec(),
                super::BAD_USAGE,
            )
        })
    }

    // ---- commands ------------------------------------------------------------------------------

    #[expect(clippy::too_many_lines, reason = "one arm for each command of sed")]
    async fn execute(&mut self, proc: &mut Process, index: usize) -> Result<Flow, Stop> {
        let Some(command) = self.script.commands.get(index) else {
            return Ok(Flow::EndCycle);
        };
        let action = command.action.clone();
        match action {
            Action::Block(_) | Action::Nothing => {}
            Action::Number => {
                let text = format!("{}\n", self.input.number);
                self.output.write(proc, text.as_bytes()).await?;
            }
            Action::Append(text) => self.queue.push(Queued::Text(text)),
            Action::Insert(text) => {
                let text = self.ended_text(text);
                self.output.write(proc, &text).await?;
            }
            Action::Change(text) => {
                let ends = command.second.is_none()
                    || command.negated
                    || !matches!(command.range, Range::Active(_));
                if ends {
                    let text = self.ended_text(text);
                    self.output.write(proc, &text).await?;
                }
                return Ok(Flow::Deleted);
            }
            Action::Branch(to) => return Ok(Flow::Jump(to)),
            Action::BranchIfReplaced(to) => {
                if std::mem::take(&mut self.replaced) {
                    return Ok(Flow::Jump(to));
                }
            }
            Action::BranchUnlessReplaced(to) => {
                if !std::mem::take(&mut self.replaced) {
                    return Ok(Flow::Jump(to));
                }
            }
            Action::Delete => return Ok(Flow::Deleted),
            Action::DeleteFirst => {
                let Some(end) = self
                    .pattern
                    .iter()
                    .position(|&byte| byte == self.delimiter())
                else {
                    return Ok(Flow::Deleted);
                };
                self.pattern.drain(..=end);
                return Ok(Flow::Restart);
            }
            Action::FileName => {
                let text = [self.input.name.as_slice(), &[self.delimiter()]].concat();
                self.output.write(proc, &text).await?;
            }
            Action::List(length) => {
                let length = length.or(self.options.line_length).unwrap_or(LINE_LENGTH);
                let text = self.ended_text(listed(&self.pattern, length));
                self.output.write(proc, &text).await?;
            }
            Action::Next | Action::NextAppend => {
                return self
                    .next_line(proc, matches!(action, Action::NextAppend))
                    .await;
            }
            Action::Print => self.print(proc).await?,
            Action::PrintFirst => {
                let first = self.first_line();
                self.output
                    .line(proc, &first, self.delimiter(), true)
                    .await?;
            }
            Action::Quit(status) => {
                return Ok(Flow::Quit {
                    status,
                    print: true,
                });
            }
            Action::QuitSilently(status) => {
                return Ok(Flow::Quit {
                    status,
                    print: false,
                });
            }
            Action::ReadFile(name) => self.queue.push(Queued::File(name)),
            Action::ReadLine(name) => self.read_line(proc, name).await,
            Action::Substitute(substitution) => {
                let regex = self.regex(substitution.regex.as_ref())?;
                let Ok(result) = substitute(&regex, &substitution, &self.pattern) else {
                    proc.complain_text(b"couldn't allocate memory").await;
                    proc.out_of_memory().await;
                };
                if let Some(text) = result {
                    self.replaced = true;
                    self.set_pattern(proc, text).await;
                    if substitution.execute {
                        let command = std::mem::take(&mut self.pattern);
                        self.pattern = self.command_output(proc, &command).await;
                    }
                    if substitution.print {
                        self.print(proc).await?;
                    }
                    if let Some(sink) = substitution.write {
                        self.write_to(proc, sink, false).await?;
                    }
                }
            }
            Action::Write(sink) => self.write_to(proc, sink, false).await?,
            Action::WriteFirst(sink) => self.write_to(proc, sink, true).await?,
            Action::Execute(command) if command.is_empty() => {
                let command = std::mem::take(&mut self.pattern);
                self.pattern = self.command_output(proc, &command).await;
            }
            Action::Execute(command) => {
                let mut text = self.command_output(proc, &command).await;
                text.push(b'\n');
                self.output.write(proc, &text).await?;
            }
            Action::Translate(pairs) => self.translate(&pairs),
            action => self.hold_space(proc, &action).await,
        }
        Ok(Flow::Next)
    }

    async fn hold_space(&mut self, proc: &mut Process, action: &Action) {
        let delimiter = self.delimiter();
        match action {
            Action::GetHold => {
                self.pattern.clone_from(&self.hold);
                self.ended = self.hold_ended;
            }
            Action::AppendHold => {
                let text = [self.pattern.as_slice(), &[delimiter], &self.hold].concat();
                self.ended |= self.hold_ended;
                self.set_pattern(proc, text).await;
            }
            Action::Hold => {
                self.hold.clone_from(&self.pattern);
                self.hold_ended = self.ended;
            }
            Action::HoldAppend => {
                self.hold.push(delimiter);
                self.hold.extend_from_slice(&self.pattern);
            }
            Action::Exchange => {
                std::mem::swap(&mut self.hold, &mut self.pattern);
                std::mem::swap(&mut self.hold_ended, &mut self.ended);
            }
            Action::Zap => self.pattern.clear(),
            _ => {}
        }
        self.charge(proc).await;
    }

    /// A text whose last newline is what ends lines here.
    fn ended_text(&self, mut text: Vec<u8>) -> Vec<u8> {
        if let Some(last) = text.last_mut().filter(|last| **last == b'\n') {
            *last = self.delimiter();
        }
        text
    }

    fn delimiter(&self) -> u8 {
        if self.options.null_data { 0 } else { b'\n' }
    }

    async fn set_pattern(&mut self, proc: &mut Process, text: Vec<u8>) {
        self.pattern = text;
        self.charge(proc).await;
    }

    /// Keeps the account of both spaces.
    async fn charge(&mut self, proc: &mut Process) {
        let wanted = self.pattern.len() + self.hold.len();
        let held = usize::try_from(self.memory.held()).unwrap_or(usize::MAX);
        if wanted > held {
            if self.memory.grow(wanted - held).is_err() {
                proc.complain_text(b"couldn't allocate memory").await;
                proc.out_of_memory().await;
            }
        } else {
            self.memory.shrink(held - wanted);
        }
    }

    async fn next_line(&mut self, proc: &mut Process, append: bool) -> Result<Flow, Stop> {
        if self.input.is_last(proc).await {
            // Without a next line GNU sed prints the pattern space before it ends.
            return Ok(if self.options.separate {
                Flow::EndCycle
            } else {
                Flow::Quit {
                    status: 0,
                    print: true,
                }
            });
        }
        if !append {
            self.autoprint(proc).await?;
        }
        self.flush_queue(proc).await?;
        if let Step::Line(line) = self.input.next(proc).await {
            if append {
                let text = [self.pattern.as_slice(), &[self.delimiter()], &line.text].concat();
                self.ended = line.ended;
                self.set_pattern(proc, text).await;
            } else {
                self.take(line);
            }
        }
        Ok(Flow::Next)
    }

    fn first_line(&self) -> Vec<u8> {
        let delimiter = self.delimiter();
        self.pattern
            .split(|&byte| byte == delimiter)
            .next()
            .unwrap_or_default()
            .to_vec()
    }

    async fn print(&mut self, proc: &mut Process) -> Result<(), Stop> {
        let (delimiter, ended) = (self.delimiter(), self.ended);
        self.output
            .line(proc, &self.pattern, delimiter, ended)
            .await?;
        if self.options.unbuffered {
            // The kernel reports a failed write at exit.
            let _reported = proc.flush().await;
        }
        Ok(())
    }

    async fn autoprint(&mut self, proc: &mut Process) -> Result<(), Stop> {
        if self.options.quiet {
            Ok(())
        } else {
            self.print(proc).await
        }
    }

    async fn write_to(&mut self, proc: &mut Process, sink: usize, first: bool) -> Result<(), Stop> {
        let text = if first {
            self.first_line()
        } else {
            self.pattern.clone()
        };
        let (delimiter, ended) = (self.delimiter(), first || self.ended);
        let Some(output) = self.sinks.get_mut(sink) else {
            return Ok(());
        };
        if matches!(output.target, Target::Stdout) {
            return self.output.line(proc, &text, delimiter, ended).await;
        }
        output.line(proc, &text, delimiter, ended).await
    }

    async fn read_line(&mut self, proc: &mut Process, name: Vec<u8>) {
        if !self.line_readers.contains_key(&name) {
            let opened = files::open_file(proc, &name).await.ok();
            self.line_readers
                .insert(name.clone(), opened.map(|fd| LineReader::new(proc, fd)));
        }
        if let Some(Some(reader)) = self.line_readers.get_mut(&name)
            && let Ok(Some(mut line)) = reader.next(proc, b'\n').await
        {
            if line.last() != Some(&b'\n') {
                line.push(b'\n');
            }
            self.queue.push(Queued::Text(line));
        }
    }

    async fn flush_queue(&mut self, proc: &mut Process) -> Result<(), Stop> {
        for queued in std::mem::take(&mut self.queue) {
            match queued {
                Queued::Text(text) => self.output.write(proc, &text).await?,
                Queued::File(name) => {
                    // What cannot be read is passed over in silence.
                    let name = if name == b"/dev/stdin" {
                        b"-".to_vec()
                    } else {
                        name
                    };
                    if let Ok((text, _memory)) = files::read_all(proc, &name).await {
                        self.output.raw(proc, &text).await?;
                    }
                }
            }
        }
        Ok(())
    }

    fn translate(&mut self, pairs: &[(Vec<u8>, Vec<u8>)]) {
        let mut out = Vec::with_capacity(self.pattern.len());
        let mut rest = self.pattern.as_slice();
        while !rest.is_empty() {
            let (first, after) = rest.split_at(character_length(rest).max(1));
            let found = pairs.iter().find(|(from, _)| from == first);
            out.extend_from_slice(found.map_or(first, |(_, to)| to.as_slice()));
            rest = after;
        }
        self.pattern = out;
    }

    async fn command_output(&mut self, proc: &mut Process, command: &[u8]) -> Vec<u8> {
        // The child's output comes after what was printed so far.
        let _reported_at_exit = proc.flush().await;
        let mut text = shell::output_of(proc, command).await.unwrap_or_default();
        if text.last() == Some(&b'\n') {
            text.pop();
        }
        text
    }

    // ---- files edited in place -----------------------------------------------------------------

    async fn change_file(&mut self, proc: &mut Process) -> Result<(), Stop> {
        if self.options.in_place.is_none() {
            return Ok(());
        }
        if let Target::Memory(_) = self.output.target {
            return self.finish_file(proc).await;
        }
        self.output = Output {
            target: Target::Memory(Vec::new()),
            unfinished: false,
        };
        Ok(())
    }

    /// With `q`, the rest of a file edited in place stays as it is.
    async fn copy_rest(&mut self, proc: &mut Process) -> Result<(), Stop> {
        if self.options.in_place.is_some() && matches!(self.output.target, Target::Memory(_)) {
            while let Step::Line(line) = self.input.next(proc).await {
                let delimiter = self.delimiter();
                self.output
                    .line(proc, &line.text, delimiter, line.ended)
                    .await?;
            }
            self.finish_file(proc).await?;
        }
        Ok(())
    }

    async fn finish_file(&mut self, proc: &mut Process) -> Result<(), Stop> {
        let output = std::mem::replace(
            &mut self.output,
            Output {
                target: Target::Stdout,
                unfinished: false,
            },
        );
        let Target::Memory(bytes) = output.target else {
            self.output = output;
            return Ok(());
        };
        let path = self.input.name.clone();
        let suffix = self.options.in_place.clone().unwrap_or_default();
        let (directory, base) = match path.iter().rposition(|&byte| byte == b'/') {
            Some(at) => path.split_at(at + 1),
            None => (b"./".as_slice(), path.as_slice()),
        };
        let temporary = [directory, temporary_name(proc.random()).as_bytes()].concat();
        let failed = |what: &str, name: &[u8], errno: Errno| {
            Stop::Failed(
                [what.as_bytes(), name, b": ", errno.message().as_bytes()].concat(),
                PANIC,
            )
        };
        let metadata = proc
            .stat(&path)
            .map_err(|errno| failed("couldn't edit ", &path, errno))?;
        let flags = OpenFlags {
            exclusive: true,
            ..OpenFlags::CREATE
        };
        let fd = proc
            .open(&temporary, flags, 0o600)
            .await
            .map_err(|errno| failed("couldn't open temporary file ", &temporary, errno))?;
        let written = proc.write_all(fd, &bytes).await;
        files::close(proc, fd);
        written.map_err(|errno| failed("couldn't write to ", &temporary, errno))?;
        // As fchown and fchmod in the original: whether they are allowed is not looked at.
        let _owner = proc.change_owner(&temporary, Some(metadata.uid), Some(metadata.gid), false);
        let _mode = proc.change_mode(&temporary, metadata.mode);
        if !suffix.is_empty() {
            let backup = backup_name(directory, base, &suffix);
            proc.rename(&path, &backup)
                .map_err(|errno| failed("cannot rename ", &path, errno))?;
        }
        proc.rename(&temporary, &path)
            .map_err(|errno| failed("cannot rename ", &temporary, errno))
    }
}

/// `sedXXXXXX`.
fn temporary_name(mut number: u64) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut name = String::from("sed");
    for _ in 0..6 {
        let index = usize::try_from(number % LETTERS.len() as u64).unwrap_or(0);
        name.push(char::from(LETTERS.get(index).copied().unwrap_or(b'A')));
        number /= LETTERS.len() as u64;
    }
    name
}

fn backup_name(directory: &[u8], base: &[u8], suffix: &[u8]) -> Vec<u8> {
    if !suffix.contains(&b'*') {
        return [directory, base, suffix].concat();
    }
    let name = suffix
        .split(|&byte| byte == b'*')
        .collect::<Vec<_>>()
        .join(base);
    if name.contains(&b'/') {
        name
    } else {
        [directory, &name].concat()
    }
}

impl Output {
    async fn raw(&mut self, proc: &mut Process, bytes: &[u8]) -> Result<(), Stop> {
        if std::mem::take(&mut self.unfinished) {
            self.put(proc, b"\n").await?;
        }
        self.put(proc, bytes).await
    }

    /// Whole lines.
    async fn write(&mut self, proc: &mut Process, bytes: &[u8]) -> Result<(), Stop> {
        self.raw(proc, bytes).await
    }

    async fn line(
        &mut self,
        proc: &mut Process,
        text: &[u8],
        delimiter: u8,
        ended: bool,
    ) -> Result<(), Stop> {
        self.raw(proc, text).await?;
        if ended {
            return self.put(proc, &[delimiter]).await;
        }
        self.unfinished = true;
        Ok(())
    }

    async fn put(&mut self, proc: &mut Process, bytes: &[u8]) -> Result<(), Stop> {
        let result = match &mut self.target {
            Target::Stdout => proc.print(bytes).await,
            Target::Stderr => proc.write_all(STDERR, bytes).await,
            Target::File(fd) => proc.write_all(*fd, bytes).await,
            Target::Memory(kept) => {
                let mut memory = proc.memory();
                if memory.grow(kept.len() + bytes.len()).is_err() {
                    proc.out_of_memory().await;
                }
                kept.extend_from_slice(bytes);
                Ok(())
            }
        };
        result.map_err(|_| Stop::WriteError)
    }
}

/// A line as `l` shows it.
fn listed(text: &[u8], length: usize) -> Vec<u8> {
    let width = if length <= 1 { usize::MAX } else { length - 1 };
    let mut out = Vec::new();
    let mut column = 0;
    for &byte in text {
        let shown: Vec<u8> = match byte {
            b'\\' => b"\\\\".to_vec(),
            7 => b"\\a".to_vec(),
            8 => b"\\b".to_vec(),
            12 => b"\\f".to_vec(),
            b'\n' => b"\\n".to_vec(),
            b'\r' => b"\\r".to_vec(),
            b'\t' => b"\\t".to_vec(),
            11 => b"\\v".to_vec(),
            b' '..=b'~' => vec![byte],
            byte => format!("\\{byte:03o}").into_bytes(),
        };
        if column + shown.len() > width {
            out.extend_from_slice(b"\\\n");
            column = 0;
        }
        column += shown.len();
        out.extend_from_slice(&shown);
    }
    out.extend_from_slice(b"$\n");
    out
}
