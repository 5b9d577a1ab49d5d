//! The lines of all operands, one after the other.

use sundew_kernel::process::LineReader;
use sundew_kernel::{Errno, Fd, Process, STDIN};

use super::{BAD_INPUT, PANIC};
use crate::text::input as files;

/// A line without its delimiter.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) text: Vec<u8>,
    /// Whether its delimiter was there.
    pub(super) ended: bool,
}

/// The file being read.
struct Open {
    fd: Fd,
    reader: LineReader,
}

pub(super) struct Input {
    operands: std::vec::IntoIter<Vec<u8>>,
    open: Option<Open>,
    ahead: Option<Line>,
    /// The operand being read, `-` for standard input.
    pub(super) name: Vec<u8>,
    pub(super) number: u64,
    pub(super) status: u8,
    delimiter: u8,
    /// Whether each file ends on its own, as `-s` and `-i` want.
    separate: bool,
    in_place: bool,
}

/// What comes next.
pub(super) enum Step {
    Line(Line),
    /// The end of one file; with `separate` only.
    FileEnd,
    End,
}

impl Input {
    pub(super) fn new(
        mut operands: Vec<Vec<u8>>,
        null_data: bool,
        separate: bool,
        in_place: bool,
    ) -> Self {
        if operands.is_empty() {
            operands.push(b"-".to_vec());
        }
        Self {
            operands: operands.into_iter(),
            open: None,
            ahead: None,
            name: b"-".to_vec(),
            number: 0,
            status: 0,
            delimiter: if null_data { 0 } else { b'\n' },
            separate,
            in_place,
        }
    }

    /// Opens the next operand that can be read; its path.
    pub(super) async fn open_next(&mut self, proc: &mut Process) -> bool {
        for path in self.operands.by_ref() {
            if path == b"-" && !self.in_place {
                self.name = path;
                self.open = Some(Open {
                    fd: STDIN,
                    reader: LineReader::new(proc, STDIN),
                });
                return true;
            }
            if self.in_place
                && proc
                    .stat(&path)
                    .is_ok_and(|metadata| !metadata.is_regular())
            {
                proc.complain_text(
                    [b"couldn't edit ", path.as_slice(), b": not a regular file"].concat(),
                )
                .await;
                self.status = PANIC;
                continue;
            }
            match files::open_file(proc, &path).await {
                Ok(fd) => {
                    self.open = Some(Open {
                        fd,
                        reader: LineReader::new(proc, fd),
                    });
                    self.name = path;
                    if self.separate {
                        self.number = 0;
                    }
                    return true;
                }
                Err(errno @ Errno::Eisdir) => {
                    let reason = errno.message().as_bytes();
                    let text = [b"read error on ", path.as_slice(), b": ", reason].concat();
                    proc.complain_text(text).await;
                    self.status = PANIC;
                }
                Err(errno) => {
                    let reason = errno.message().as_bytes();
                    proc.complain_text([b"can't read ", path.as_slice(), b": ", reason].concat())
                        .await;
                    self.status = BAD_INPUT;
                }
            }
        }
        false
    }

    async fn read(&mut self, proc: &mut Process) -> Option<Line> {
        if let Some(line) = self.ahead.take() {
            return Some(line);
        }
        let open = self.open.as_mut()?;
        match open.reader.next(proc, self.delimiter).await {
            Ok(Some(mut text)) => {
                let ended = text.last() == Some(&self.delimiter);
                if ended {
                    text.pop();
                }
                Some(Line { text, ended })
            }
            Ok(None) => None,
            Err(Errno::Enomem) => proc.out_of_memory().await,
            Err(errno) => {
                let name = self.name.clone();
                let reason = errno.message().as_bytes();
                proc.complain_text([b"read error on ", name.as_slice(), b": ", reason].concat())
                    .await;
                self.status = PANIC;
                None
            }
        }
    }

    fn close(&mut self, proc: &Process) {
        if let Some(open) = self.open.take() {
            files::close(proc, open.fd);
        }
    }

    /// The next line of any file, or with `separate` the end of this one.
    pub(super) async fn next(&mut self, proc: &mut Process) -> Step {
        loop {
            if let Some(line) = self.read(proc).await {
                self.number += 1;
                return Step::Line(line);
            }
            let was_open = self.open.is_some();
            self.close(proc);
            if was_open && self.separate {
                return Step::FileEnd;
            }
            if !self.open_next(proc).await {
                return Step::End;
            }
            if self.separate {
                return Step::FileEnd;
            }
        }
    }

    /// Whether the line last read is the last one, of this file with `separate`.
    pub(super) async fn is_last(&mut self, proc: &mut Process) -> bool {
        loop {
            if let Some(line) = self.read(proc).await {
                self.ahead = Some(line);
                return false;
            }
            if self.separate {
                return true;
            }
            self.close(proc);
            if !self.open_next(proc).await {
                return true;
            }
        }
    }
}
