//! Goes through files and decides what is printed.

use std::collections::VecDeque;

use sundew_kernel::budget::Memory;
use sundew_kernel::{Errno, ExitStatus, Fd, Process, STDIN, STDOUT};

use super::TROUBLE;
use super::matcher::Compiled;
use super::options::{Binary, Directories, Options};
use super::output::{Colors, Line, Printer};
use crate::text::input;

/// Bytes asked of a file at once; grep's.
const CHUNK: usize = 32 * 1024;
/// Longest line kept, in bytes.
const MAX_LINE: usize = 16 << 20;

/// A run of grep.
pub(super) struct Grep {
    pub(super) options: Options,
    compiled: Compiled,
    printer: Printer,
    /// Whether a separator goes before the next group of lines.
    printed: bool,
    pub(super) trouble: bool,
    matched: bool,
    /// Set when nothing more needs to be looked at.
    pub(super) stop: bool,
}

impl Grep {
    pub(super) fn new(proc: &Process, options: Options, compiled: Compiled) -> Self {
        let recursive = matches!(options.directories, Directories::Recurse { .. });
        let many = options.files.len() > 1
            || (recursive
                && options
                    .files
                    .first()
                    .is_none_or(|file| proc.stat(file).is_ok_and(|metadata| metadata.is_dir())));
        let with_name = options.with_name.unwrap_or(many);
        let colors = options
            .color
            .then(|| Colors::new(proc.env().value(b"GREP_COLORS")));
        let printer = Printer::new(&options, colors, with_name);
        Self {
            options,
            compiled,
            printer,
            printed: false,
            trouble: false,
            matched: false,
            stop: false,
        }
    }

    pub(super) async fn run(&mut self, proc: &mut Process) -> ExitStatus {
        let mut files = std::mem::take(&mut self.options.files);
        let recursive = matches!(self.options.directories, Directories::Recurse { .. });
        if files.is_empty() {
            if recursive {
                self.walk(proc, b".", true).await;
            } else {
                files.push(b"-".to_vec());
            }
        }
        for file in &files {
            if self.stop {
                break;
            }
            if file == b"-" {
                self.standard_input(proc).await;
            } else if recursive && proc.stat(file).is_ok_and(|metadata| metadata.is_dir()) {
                self.walk(proc, file, false).await;
            } else {
                self.operand(proc, file).await;
            }
        }
        match (self.matched, self.trouble) {
            (true, _) if self.options.quiet => ExitStatus::SUCCESS,
            (_, true) => ExitStatus::Exited(TROUBLE),
            (true, false) => ExitStatus::SUCCESS,
            (false, false) => ExitStatus::FAILURE,
        }
    }

    async fn standard_input(&mut self, proc: &mut Process) {
        let name = self
            .options
            .label
            .clone()
            .unwrap_or_else(|| b"(standard input)".to_vec());
        self.search(proc, STDIN, &name).await;
    }

    async fn operand(&mut self, proc: &mut Process, path: &[u8]) {
        if self.is_excluded(path) {
            return;
        }
        let is_directory = proc.stat(path).is_ok_and(|metadata| metadata.is_dir());
        if is_directory && self.options.directories == Directories::Skip {
            return;
        }
        self.file(proc, path).await;
    }

    /// Searches one file that is no directory, or complains.
    pub(super) async fn file(&mut self, proc: &mut Process, path: &[u8]) {
        match input::open_file(proc, path).await {
            Ok(fd) => {
                self.search(proc, fd, path).await;
                input::close(proc, fd);
            }
            Err(errno) => self.complain(proc, path, errno).await,
        }
    }

    pub(super) async fn complain(&mut self, proc: &mut Process, path: &[u8], errno: Errno) {
        self.trouble = true;
        if !self.options.silent {
            proc.complain(path, errno).await;
        }
    }

    async fn search(&mut self, proc: &mut Process, fd: Fd, name: &[u8]) {
        if self.is_output(proc, fd) {
            self.trouble = true;
            if !self.options.silent {
                proc.complain_text([name, b": input file is also the output"].concat())
                    .await;
            }
            return;
        }
        let mut file = File::new(proc, fd, self.options.null_data);
        let mut scan = Scan::default();
        let result = self.lines(proc, &mut file, &mut scan, name).await;
        if let Err(errno) = result {
            self.complain(proc, name, errno).await;
        }
        self.summary(proc, &scan, name).await;
    }

    fn is_output(&self, proc: &Process, fd: Fd) -> bool {
        let lists = self.options.list_with || self.options.list_without;
        if self.options.quiet || lists || self.options.max_count == Some(1) {
            return false;
        }
        match (proc.fstat(fd), proc.fstat(STDOUT)) {
            (Ok(from), Ok(to)) => {
                from.is_regular()
                    && to.is_regular()
                    && (from.dev, from.ino) == (to.dev, to.ino)
                    && to.size > 0
            }
            _ => false,
        }
    }

    /// Whether only the fact of a match counts.
    fn first_match_is_enough(&self) -> bool {
        self.options.quiet || self.options.list_with || self.options.list_without
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one pass over the lines, whose state all belongs together"
    )]
    async fn lines(
        &mut self,
        proc: &mut Process,
        file: &mut File,
        scan: &mut Scan,
        name: &[u8],
    ) -> Result<(), Errno> {
        let limit = self.options.max_count.unwrap_or(u64::MAX);
        let quiet = self.first_match_is_enough() || self.options.count;
        let mut before: VecDeque<(Vec<u8>, u64, u64)> = VecDeque::new();
        let mut memory = proc.memory();
        let utf8 = crate::quote::Locale::of(proc) == crate::quote::Locale::Utf8;
        let mut after = 0;
        let mut number = 0;
        let mut offset = 0;
        let mut last_printed = 0;
        let mut out = Vec::new();
        while let Some(text) = file.next(proc).await? {
            proc.tick().await;
            number += 1;
            let start = offset;
            offset += text.len() as u64 + 1;
            let selected = self.compiled.matches(&text) != self.options.invert;
            if file.binary && self.options.binary == Binary::WithoutMatch {
                return Ok(());
            }
            if scan.count >= limit && (selected || after == 0 || quiet) {
                return Ok(());
            }
            if selected {
                scan.count += 1;
                self.matched = true;
                if self.first_match_is_enough() {
                    self.stop |= self.options.quiet;
                    return Ok(());
                }
                if quiet {
                    continue;
                }
                if file.binary && self.options.binary == Binary::Mention {
                    scan.binary_match = true;
                    return Ok(());
                }
                // A line that is no text is left out, and said so at the end.
                if self.options.binary != Binary::Text
                    && utf8
                    && std::str::from_utf8(&text).is_err()
                {
                    scan.binary_match |= self.options.binary == Binary::Mention;
                    continue;
                }
                let first = before.front().map_or(number, |&(_, number, _)| number);
                if self.context() && self.printed && (last_printed == 0 || first > last_printed + 1)
                {
                    self.separate(&mut out);
                }
                for (text, number, offset) in before.drain(..) {
                    memory.shrink(text.len());
                    let line = Line {
                        name,
                        text: &text,
                        number,
                        offset,
                        selected: false,
                    };
                    self.printer.line(&mut out, &self.compiled, &line);
                }
                let line = Line {
                    name,
                    text: &text,
                    number,
                    offset: start,
                    selected: true,
                };
                self.printer.line(&mut out, &self.compiled, &line);
                self.printed = true;
                last_printed = number;
                after = self.options.after;
            } else if quiet || (file.binary && self.options.binary == Binary::Mention) {
                continue;
            } else if after > 0 {
                after -= 1;
                let line = Line {
                    name,
                    text: &text,
                    number,
                    offset: start,
                    selected: false,
                };
                self.printer.line(&mut out, &self.compiled, &line);
                last_printed = number;
            } else if self.options.before > 0 {
                memory.grow(text.len())?;
                before.push_back((text, number, start));
                if before.len() > self.options.before
                    && let Some((text, ..)) = before.pop_front()
                {
                    memory.shrink(text.len());
                }
            }
            self.flush(proc, &mut out).await?;
        }
        Ok(())
    }

    fn context(&self) -> bool {
        self.options.before > 0 || self.options.after > 0
    }

    fn separate(&self, out: &mut Vec<u8>) {
        if let Some(separator) = &self.options.separator {
            self.printer.separator(out, separator);
            out.push(b'\n');
        }
    }

    async fn flush(&mut self, proc: &mut Process, out: &mut Vec<u8>) -> Result<(), Errno> {
        if out.is_empty() {
            return Ok(());
        }
        let result = proc.print(out).await;
        out.clear();
        if result.is_err() {
            // The kernel says so when the program ends.
            self.stop = true;
        } else if self.options.line_buffered {
            let _reported_at_exit = proc.flush().await;
        }
        Ok(())
    }

    /// What is said of a file after its lines.
    async fn summary(&mut self, proc: &mut Process, scan: &Scan, name: &[u8]) {
        let mut out = Vec::new();
        if scan.binary_match {
            let line = [proc.name(), b": ", name, b": binary file matches\n"].concat();
            proc.print_error(&line).await;
        }
        if self.options.quiet {
            return;
        }
        let lists = (self.options.list_with && scan.count > 0)
            || (self.options.list_without && scan.count == 0);
        if self.options.count && !self.options.list_with && !self.options.list_without {
            if self.printer.names() {
                self.printer.name(&mut out, name);
                if self.options.null_name {
                    out.push(0);
                } else {
                    self.printer.separator(&mut out, b":");
                }
            }
            out.extend_from_slice(format!("{}\n", scan.count).as_bytes());
        }
        if lists {
            self.printer.name(&mut out, name);
            out.push(if self.options.null_name { 0 } else { b'\n' });
        }
        // A failed flush stops the run and is reported at exit.
        let _stopped = self.flush(proc, &mut out).await;
    }
}

/// What was seen of one file.
#[derive(Debug, Default)]
struct Scan {
    count: u64,
    binary_match: bool,
}

/// Reads a file in chunks and notices whether it is text.
struct File {
    fd: Fd,
    buffer: Vec<u8>,
    start: usize,
    ended: bool,
    delimiter: u8,
    /// Whether what was read so far is no text.
    binary: bool,
    memory: Memory,
}

impl File {
    fn new(proc: &Process, fd: Fd, null_data: bool) -> Self {
        Self {
            fd,
            buffer: Vec::new(),
            start: 0,
            ended: false,
            delimiter: if null_data { 0 } else { b'\n' },
            binary: false,
            memory: proc.memory(),
        }
    }

    /// The next line without its delimiter.
    async fn next(&mut self, proc: &Process) -> Result<Option<Vec<u8>>, Errno> {
        let mut searched = self.start;
        loop {
            let unsearched = self.buffer.get(searched..).unwrap_or_default();
            if let Some(at) = unsearched.iter().position(|&byte| byte == self.delimiter) {
                let line = self
                    .buffer
                    .get(self.start..searched + at)
                    .unwrap_or_default()
                    .to_vec();
                self.start = searched + at + 1;
                return Ok(Some(line));
            }
            searched = self.buffer.len();
            if self.ended {
                let line = self.buffer.get(self.start..).unwrap_or_default().to_vec();
                let left = self.start < searched;
                self.start = searched;
                return Ok(left.then_some(line));
            }
            self.buffer.drain(..self.start);
            self.memory.shrink(self.start);
            searched -= self.start;
            self.start = 0;
            if self.buffer.len() > MAX_LINE {
                return Err(Errno::Enomem);
            }
            let mut chunk = vec![0; CHUNK];
            let count = proc.read(self.fd, &mut chunk).await?;
            self.memory.grow(count)?;
            let chunk = chunk.get(..count).unwrap_or_default();
            self.ended = count == 0;
            self.look(chunk);
            self.buffer.extend_from_slice(chunk);
        }
    }

    fn look(&mut self, chunk: &[u8]) {
        if self.binary {
            return;
        }
        self.binary = self.delimiter == b'\n' && chunk.contains(&0);
    }
}
