//! test(1) and `[`, the programs.

use sundew_kernel::{ExitStatus, Fd, Process};
use sundew_vfs::{Access, FileType, Metadata};

use crate::quote;

/// Deepest nesting of parentheses and negations.
const MAX_DEPTH: usize = 200;

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    answer(proc, words).await
}

pub(crate) async fn run_bracket(proc: &mut Process) -> ExitStatus {
    let mut words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    match words.as_slice() {
        [only] if only == b"--help" => return super::about::run(proc, "help", "[").await,
        [only] if only == b"--version" => return super::about::run(proc, "version", "[").await,
        _ => {}
    }
    if words.pop().as_deref() != Some(b"]") {
        let shown = quote::text(proc, b"]");
        proc.complain_text([b"missing ", shown.as_slice()].concat())
            .await;
        return ExitStatus::Exited(2);
    }
    answer(proc, words).await
}

async fn answer(proc: &mut Process, words: Vec<Vec<u8>>) -> ExitStatus {
    let mut test = Test {
        proc,
        words: &words,
        at: 0,
        depth: 0,
    };
    match test.whole() {
        Ok(true) => ExitStatus::SUCCESS,
        Ok(false) => ExitStatus::FAILURE,
        Err(text) => {
            proc.complain_text(text).await;
            ExitStatus::Exited(2)
        }
    }
}

struct Test<'a> {
    proc: &'a Process,
    words: &'a [Vec<u8>],
    at: usize,
    depth: usize,
}

type Answer = Result<bool, Vec<u8>>;

impl<'a> Test<'a> {
    fn whole(&mut self) -> Answer {
        if self.words.is_empty() {
            return Ok(false);
        }
        let value = self.posix(self.words.len())?;
        match self.words.get(self.at) {
            None => Ok(value),
            Some(extra) => {
                let shown = quote::text(self.proc, extra);
                Err([b"extra argument ", shown.as_slice()].concat())
            }
        }
    }

    fn word(&self, ahead: usize) -> &'a [u8] {
        self.words.get(self.at + ahead).map_or(b"", Vec::as_slice)
    }

    /// What POSIX says for up to four words; more are an expression.
    fn posix(&mut self, count: usize) -> Answer {
        match count {
            1 => {
                let value = !self.word(0).is_empty();
                self.at += 1;
                Ok(value)
            }
            2 => self.two(),
            3 => self.three(),
            4 if self.word(0) == b"!" => {
                self.at += 1;
                Ok(!self.three()?)
            }
            4 if self.word(0) == b"(" && self.word(3) == b")" => {
                self.at += 1;
                let value = self.two()?;
                self.at += 1;
                Ok(value)
            }
            _ => self.or(),
        }
    }

    fn two(&mut self) -> Answer {
        let (first, second) = (self.word(0), self.word(1));
        if first == b"!" {
            self.at += 2;
            return Ok(second.is_empty());
        }
        if first.len() == 2 && first.starts_with(b"-") {
            return self.unary();
        }
        let shown = quote::text(self.proc, second);
        Err([b"missing argument after ", shown.as_slice()].concat())
    }

    fn three(&mut self) -> Answer {
        if is_binary(self.word(1)) {
            return self.binary();
        }
        match (self.word(0), self.word(1), self.word(2)) {
            (b"!", ..) => {
                self.at += 1;
                Ok(!self.two()?)
            }
            (b"(", middle, b")") => {
                self.at += 3;
                Ok(!middle.is_empty())
            }
            (_, b"-a" | b"-o", _) => self.or(),
            (_, middle, _) => {
                let shown = quote::text(self.proc, middle);
                Err([shown.as_slice(), b": binary operator expected"].concat())
            }
        }
    }

    fn or(&mut self) -> Answer {
        let mut value = self.and()?;
        while self.word(0) == b"-o" {
            self.at += 1;
            value |= self.and()?;
        }
        Ok(value)
    }

    fn and(&mut self) -> Answer {
        let mut value = self.term()?;
        while self.word(0) == b"-a" {
            self.at += 1;
            value &= self.term()?;
        }
        Ok(value)
    }

    fn term(&mut self) -> Answer {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(b"memory exhausted".to_vec());
        }
        let value = self.primary();
        self.depth -= 1;
        value
    }

    fn primary(&mut self) -> Answer {
        let left = self.words.len().saturating_sub(self.at);
        if left == 0 {
            let shown = quote::text(self.proc, self.words.last().map_or(b"", Vec::as_slice));
            return Err([b"missing argument after ", shown.as_slice()].concat());
        }
        if self.word(0) == b"!" {
            self.at += 1;
            return Ok(!self.term()?);
        }
        if self.word(0) == b"(" {
            self.at += 1;
            let value = self.or()?;
            if self.word(0) != b")" {
                let text = if self.at >= self.words.len() {
                    b"')' expected".to_vec()
                } else {
                    [b"')' expected, found ".as_slice(), self.word(0)].concat()
                };
                return Err(text);
            }
            self.at += 1;
            return Ok(value);
        }
        if left >= 3 && is_binary(self.word(1)) {
            return self.binary();
        }
        if left >= 2 && self.word(0).len() == 2 && self.word(0).starts_with(b"-") {
            return self.unary();
        }
        let value = !self.word(0).is_empty();
        self.at += 1;
        Ok(value)
    }

    fn unary(&mut self) -> Answer {
        let (operator, word) = (self.word(0), self.word(1));
        self.at += 2;
        let found = |follow: bool| -> Option<Metadata> {
            if follow {
                self.proc.stat(word)
            } else {
                self.proc.lstat(word)
            }
            .ok()
        };
        let is = |kind: FileType| found(true).is_some_and(|found| found.file_type == kind);
        let mode = |bits: u16| found(true).is_some_and(|found| found.mode & bits != 0);
        let own = self.proc.credentials();
        Ok(match operator {
            b"-n" => !word.is_empty(),
            b"-z" => word.is_empty(),
            b"-e" | b"-a" => found(true).is_some(),
            b"-f" => is(FileType::Regular),
            b"-d" => is(FileType::Directory),
            b"-b" => is(FileType::BlockDevice),
            b"-c" => is(FileType::CharDevice),
            b"-p" => is(FileType::Fifo),
            b"-S" => is(FileType::Socket),
            b"-h" | b"-L" => found(false).is_some_and(|found| found.is_symlink()),
            b"-s" => found(true).is_some_and(|found| found.size > 0),
            b"-r" => self.proc.access(word, Access::Read).is_ok(),
            b"-w" => self.proc.access(word, Access::Write).is_ok(),
            b"-x" => self.proc.access(word, Access::Execute).is_ok(),
            b"-u" => mode(0o4000),
            b"-g" => mode(0o2000),
            b"-k" => mode(0o1000),
            b"-O" => found(true).is_some_and(|found| found.uid == own.uid),
            b"-G" => found(true).is_some_and(|found| found.gid == own.gid),
            b"-N" => found(true).is_some_and(|found| found.mtime > found.atime),
            b"-t" => {
                let number = self.integer(word)?;
                Fd::try_from(number).is_ok_and(|fd| self.proc.is_terminal(fd))
            }
            operator => {
                let shown = quote::text(self.proc, operator);
                return Err([shown.as_slice(), b": unary operator expected"].concat());
            }
        })
    }

    fn binary(&mut self) -> Answer {
        let (left, operator, right) = (self.word(0), self.word(1), self.word(2));
        self.at += 3;
        let stat = |path: &[u8]| self.proc.stat(path).ok();
        Ok(match operator {
            b"=" | b"==" => left == right,
            b"!=" => left != right,
            b"<" => left < right,
            b">" => left > right,
            b"-nt" | b"-ot" => {
                let (left, right) = (
                    stat(left).map(|found| found.mtime),
                    stat(right).map(|found| found.mtime),
                );
                if operator == b"-nt" {
                    left > right
                } else {
                    left < right
                }
            }
            b"-ef" => match (stat(left), stat(right)) {
                (Some(left), Some(right)) => (left.dev, left.ino) == (right.dev, right.ino),
                _ => false,
            },
            operator => {
                let (left, right) = (self.integer(left)?, self.integer(right)?);
                match operator {
                    b"-eq" => left == right,
                    b"-ne" => left != right,
                    b"-lt" => left < right,
                    b"-le" => left <= right,
                    b"-gt" => left > right,
                    _ => left >= right,
                }
            }
        })
    }

    fn integer(&self, word: &[u8]) -> Result<i128, Vec<u8>> {
        let text = std::str::from_utf8(word)
            .unwrap_or_default()
            .trim_matches([' ', '\t']);
        text.parse().map_err(|_| {
            let shown = quote::text(self.proc, word);
            [b"invalid integer ", shown.as_slice()].concat()
        })
    }
}

fn is_binary(word: &[u8]) -> bool {
    matches!(
        word,
        b"=" | b"=="
            | b"!="
            | b"<"
            | b">"
            | b"-eq"
            | b"-ne"
            | b"-lt"
            | b"-le"
            | b"-gt"
            | b"-ge"
            | b"-nt"
            | b"-ot"
            | b"-ef"
    )
}
