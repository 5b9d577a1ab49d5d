//! Records and fields.

use sundew_kernel::budget::Memory;
use sundew_kernel::{Errno, Fd, Process};
use sundew_posix::regex::{Flags, Regex, Syntax};

/// Bytes asked of a descriptor at once; mawk's.
const CHUNK: usize = 4096;
/// Longest record kept, in bytes.
const MAX_RECORD: usize = 16 << 20;

/// How records or fields are told apart.
#[derive(Debug, Clone)]
pub(super) enum Separator {
    /// Blanks for fields; for records, empty lines.
    Blank,
    /// Every byte is a field.
    Nothing,
    Byte(u8),
    Regex(Box<Regex>),
}

impl Separator {
    /// What FS means. An impossible pattern is its own complaint.
    pub(super) fn field(text: &[u8]) -> Result<Self, Vec<u8>> {
        match text {
            b" " => Ok(Self::Blank),
            b"" => Ok(Self::Nothing),
            [byte] if *byte != b'\\' => Ok(Self::Byte(*byte)),
            text => Self::pattern(text),
        }
    }

    /// What RS means.
    pub(super) fn record(text: &[u8]) -> Result<Self, Vec<u8>> {
        match text {
            b"" => Ok(Self::Blank),
            [byte] => Ok(Self::Byte(*byte)),
            text => Self::pattern(text),
        }
    }

    fn pattern(text: &[u8]) -> Result<Self, Vec<u8>> {
        Regex::new(text, Syntax::Awk, Flags::default())
            .map(|regex| Self::Regex(Box::new(regex)))
            .map_err(|error| super::parser::regex_words(error, text))
    }
}

/// Splits a text into fields; `newline` if a newline separates as well.
pub(super) fn split(text: &[u8], separator: &Separator, newline: bool) -> Vec<Vec<u8>> {
    match separator {
        Separator::Blank => text
            .split(|byte| matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r'))
            .filter(|field| !field.is_empty())
            .map(<[u8]>::to_vec)
            .collect(),
        _ if text.is_empty() => Vec::new(),
        Separator::Nothing => text.iter().map(|byte| vec![*byte]).collect(),
        Separator::Byte(wanted) => text
            .split(|byte| byte == wanted || (newline && *byte == b'\n'))
            .map(<[u8]>::to_vec)
            .collect(),
        Separator::Regex(regex) if newline => text
            .split(|byte| *byte == b'\n')
            .flat_map(|line| by_regex(line, regex))
            .collect(),
        Separator::Regex(regex) => by_regex(text, regex),
    }
}

fn by_regex(text: &[u8], regex: &Regex) -> Vec<Vec<u8>> {
    let mut fields = Vec::new();
    let mut start = 0;
    let mut at = 0;
    while let Some(groups) = regex.find(text, at, false) {
        if groups.start() == groups.end() {
            at = groups.end() + 1;
            if at > text.len() {
                break;
            }
            continue;
        }
        fields.push(text.get(start..groups.start()).unwrap_or_default().to_vec());
        start = groups.end();
        at = start;
    }
    fields.push(text.get(start..).unwrap_or_default().to_vec());
    fields
}

/// Reads records from a descriptor.
#[derive(Debug)]
pub(super) struct Records {
    pub(super) fd: Fd,
    buffer: Vec<u8>,
    start: usize,
    ended: bool,
    memory: Memory,
}

impl Records {
    pub(super) fn new(proc: &Process, fd: Fd) -> Self {
        Self {
            fd,
            buffer: Vec::new(),
            start: 0,
            ended: false,
            memory: proc.memory(),
        }
    }

    /// The next record without its separator.
    pub(super) async fn next(
        &mut self,
        proc: &Process,
        separator: &Separator,
    ) -> Result<Option<Vec<u8>>, Errno> {
        let mut searched = 0;
        loop {
            let waiting = self.buffer.get(self.start..).unwrap_or_default();
            let found = match separator {
                Separator::Byte(byte) => {
                    let tail = waiting.get(searched..).unwrap_or_default();
                    let at = tail.iter().position(|here| here == byte);
                    searched = waiting.len();
                    at.map(|at| (waiting.len() - tail.len() + at, 1))
                }
                Separator::Blank | Separator::Nothing => self.paragraph(waiting),
                Separator::Regex(regex) => regex
                    .find(waiting, 0, false)
                    // A match at the end of what is known might be longer.
                    .filter(|groups| {
                        groups.start() < groups.end()
                            && (self.ended || groups.end() < waiting.len())
                    })
                    .map(|groups| (groups.start(), groups.end() - groups.start())),
            };
            if let Some((length, gap)) = found {
                let record = waiting.get(..length).unwrap_or_default().to_vec();
                self.start += length + gap;
                return Ok(Some(self.trimmed(record, separator)));
            }
            if self.ended {
                let record = waiting.to_vec();
                self.start = self.buffer.len();
                let record = self.trimmed(record, separator);
                return Ok((!record.is_empty()).then_some(record));
            }
            self.fill(proc).await?;
        }
    }

    /// In paragraph mode newlines around a record are no part of it.
    fn trimmed(&self, record: Vec<u8>, separator: &Separator) -> Vec<u8> {
        if !matches!(separator, Separator::Blank) {
            return record;
        }
        let front = record.iter().take_while(|byte| **byte == b'\n').count();
        let mut record = record.get(front..).unwrap_or_default().to_vec();
        while record.last() == Some(&b'\n') {
            record.pop();
        }
        record
    }

    fn paragraph(&self, waiting: &[u8]) -> Option<(usize, usize)> {
        let front = waiting.iter().take_while(|byte| **byte == b'\n').count();
        let body = waiting.get(front..)?;
        let end = body.windows(2).position(|pair| pair == b"\n\n")?;
        let gap = body
            .get(end..)?
            .iter()
            .take_while(|byte| **byte == b'\n')
            .count();
        // More newlines may follow.
        (self.ended || end + gap < body.len()).then_some((front + end, gap))
    }

    async fn fill(&mut self, proc: &Process) -> Result<(), Errno> {
        self.buffer.drain(..self.start);
        self.memory.shrink(self.start);
        self.start = 0;
        if self.buffer.len() > MAX_RECORD {
            return Err(Errno::Enomem);
        }
        let mut chunk = vec![0; CHUNK];
        let count = proc.read(self.fd, &mut chunk).await?;
        self.memory.grow(count)?;
        self.ended = count == 0;
        self.buffer
            .extend_from_slice(chunk.get(..count).unwrap_or_default());
        Ok(())
    }
}
