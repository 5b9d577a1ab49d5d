//! csplit(1): a file in pieces, cut where patterns say.

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::{ExitStatus, Process};
use sundew_posix::regex::{Flags, Regex, Syntax};

use super::{about, input};
use crate::getopt::{Arity, Getopt, Spec, refuse, try_help};
use crate::quote;

const SPEC: Spec = Spec::gnu(
    "f:b:kn:sqz",
    &[
        ("digits", Arity::Required, "n"),
        ("quiet", Arity::No, "q"),
        ("silent", Arity::No, "q"),
        ("keep-files", Arity::No, "k"),
        ("elide-empty-files", Arity::No, "z"),
        ("prefix", Arity::Required, "f"),
        ("suffix-format", Arity::Required, "b"),
        ("suppress-matched", Arity::No, "suppress"),
    ],
);

/// Most digits of a file's number.
const MAX_DIGITS: usize = 250;
/// Most pieces one run writes.
const MAX_PIECES: u64 = 10_000;

/// Where to cut.
#[derive(Debug, Clone)]
enum Cut {
    /// Before this line.
    Line(u64),
    /// Before what matches, so many lines later; nothing is written with `skip`.
    Match {
        regex: Regex,
        offset: i64,
        skip: bool,
    },
}

#[derive(Debug, Clone)]
struct Pattern {
    cut: Cut,
    word: Vec<u8>,
    /// Times it is repeated, or as often as it can.
    repeat: Option<u64>,
}

#[derive(Debug)]
struct Settings {
    prefix: Vec<u8>,
    format: Vec<u8>,
    quiet: bool,
    keep: bool,
    elide: bool,
    suppress: bool,
}

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut settings = Settings {
        prefix: b"xx".to_vec(),
        format: b"%02d".to_vec(),
        quiet: false,
        keep: false,
        elide: false,
        suppress: false,
    };
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("f", value)) => settings.prefix = value,
            Ok(("b", value)) => settings.format = value,
            Ok(("k", _)) => settings.keep = true,
            Ok(("n", value)) => {
                let digits = input::decimal(&value).and_then(|digits| usize::try_from(digits).ok());
                match digits.filter(|digits| *digits <= MAX_DIGITS) {
                    Some(digits) => settings.format = format!("%0{digits}d").into_bytes(),
                    None => return input::complain_word(proc, "invalid number:", &value).await,
                }
            }
            Ok(("q" | "s", _)) => settings.quiet = true,
            Ok(("z", _)) => settings.elide = true,
            Ok(("suppress", _)) => settings.suppress = true,
            Ok((key, _)) => return about::run(proc, key, "csplit").await,
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    let operands = options.operands();
    if operands.len() < 2 {
        return match operands.first() {
            Some(word) => input::refuse_word(proc, "missing operand after", word).await,
            None => input::missing_operand(proc).await,
        };
    }
    if let Err(text) = piece_name(&settings, 0) {
        proc.complain_text(text).await;
        return proc.status();
    }
    let (name, words) = (
        operands.first().cloned().unwrap_or_default(),
        operands.get(1..),
    );
    let patterns = match read_patterns(proc, words.unwrap_or_default()).await {
        Ok(patterns) => patterns,
        Err(status) => return status,
    };
    let fd = match input::open(proc, &name).await {
        Ok(fd) => fd,
        Err(errno) => {
            input::complain_reading(proc, &name, errno).await;
            return proc.status();
        }
    };
    let read = proc.read_to_end(fd).await;
    input::close(proc, fd);
    let (text, mut memory) = match read {
        Ok(read) => read,
        Err(errno) => {
            proc.complain(b"read error", errno).await;
            return proc.status();
        }
    };
    let count = text.iter().filter(|&&byte| byte == b'\n').count() + 1;
    if memory.grow(count.saturating_mul(16)).is_err() {
        input::exhausted(proc).await;
        return proc.status();
    }
    let lines: Vec<&[u8]> = text.split_inclusive(|&byte| byte == b'\n').collect();
    let mut pieces = Pieces {
        settings: &settings,
        lines: &lines,
        at: 0,
        count: 0,
        names: Vec::new(),
    };
    if pieces.cut_all(proc, &patterns).await.is_none() {
        let names = std::mem::take(&mut pieces.names);
        if !settings.keep {
            for name in names {
                // A piece that somebody took away already needs no care.
                let _gone = proc.unlink(&name);
            }
        }
        proc.set_status(1);
    }
    proc.status()
}

/// `%02d` and the like, filled in; else the complaint.
fn piece_name(settings: &Settings, number: u64) -> Result<Vec<u8>, Vec<u8>> {
    let mut name = settings.prefix.clone();
    let format = &settings.format;
    let (mut at, mut seen) = (0, false);
    while let Some(&byte) = format.get(at) {
        at += 1;
        if byte != b'%' {
            name.push(byte);
            continue;
        }
        if format.get(at) == Some(&b'%') {
            name.push(b'%');
            at += 1;
            continue;
        }
        if seen {
            return Err(b"too many % conversion specifications in suffix".to_vec());
        }
        seen = true;
        let (mut zero, mut left, mut alternate) = (false, false, false);
        while let Some(flag) = format.get(at) {
            match flag {
                b'0' => zero = true,
                b'-' => left = true,
                b'#' => alternate = true,
                b'\'' => {}
                _ => break,
            }
            at += 1;
        }
        let digits = |at: &mut usize| {
            let rest = format.get(*at..).unwrap_or_default();
            let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            *at += count;
            let text = rest.get(..count).unwrap_or_default();
            let number = input::decimal(text).and_then(|number| usize::try_from(number).ok());
            number.unwrap_or(0).min(MAX_DIGITS)
        };
        let width = digits(&mut at);
        let mut precision = 0;
        if format.get(at) == Some(&b'.') {
            at += 1;
            precision = digits(&mut at);
        }
        let text = match format.get(at) {
            Some(b'd' | b'i' | b'u') => format!("{number:0precision$}"),
            Some(b'o') if alternate && number > 0 => format!("0{number:o}"),
            Some(b'o') => format!("{number:0precision$o}"),
            Some(b'x') if alternate && number > 0 => format!("0x{number:x}"),
            Some(b'x') => format!("{number:0precision$x}"),
            Some(b'X') if alternate && number > 0 => format!("0X{number:X}"),
            Some(b'X') => format!("{number:0precision$X}"),
            None => return Err(b"missing conversion specifier in suffix".to_vec()),
            Some(other) if other.is_ascii_graphic() => {
                let text = b"invalid conversion specifier in suffix: ".as_slice();
                return Err([text, &[*other]].concat());
            }
            Some(other) => {
                let text = format!("invalid conversion specifier in suffix: \\{other:03o}");
                return Err(text.into_bytes());
            }
        };
        at += 1;
        name.extend(
            if left {
                format!("{text:<width$}")
            } else if zero {
                format!("{text:0>width$}")
            } else {
                format!("{text:>width$}")
            }
            .into_bytes(),
        );
    }
    if !seen {
        return Err(b"missing % conversion specification in suffix".to_vec());
    }
    Ok(name)
}

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
async fn read_patterns(proc: &mut Process, words: &[Vec<u8>]) -> Result<Vec<Pattern>, ExitStatus> {
    let mut patterns: Vec<Pattern> = Vec::new();
    let mut last_line = 0;
    for word in words {
        match word.first() {
            Some(b'{') => {
                let inside = word.get(1..).and_then(|rest| rest.strip_suffix(b"}"));
                let shown = quote::file(proc, word);
                let text = match inside {
                    None => [shown.as_slice(), b": '}' is required in repeat count"].concat(),
                    Some(inside) => {
                        let repeat = match inside {
                            b"*" => Some(None),
                            number => input::decimal(number).map(Some),
                        };
                        match (repeat, patterns.last_mut()) {
                            (Some(repeat), Some(last)) => {
                                last.repeat = repeat;
                                continue;
                            }
                            (Some(_), None) => [shown.as_slice(), b": invalid pattern"].concat(),
                            (None, _) => {
                                let cut = word.get(..word.len() - 1).unwrap_or_default();
                                let cut = quote::text(proc, cut);
                                [cut.as_slice(), b"}: integer required between '{' and '}'"]
                                    .concat()
                            }
                        }
                    }
                };
                proc.complain_text(text).await;
                return Err(proc.status());
            }
            Some(delimiter @ (b'/' | b'%')) => {
                let cut = match_of(word, *delimiter);
                match cut {
                    Ok(cut) => patterns.push(Pattern {
                        cut,
                        word: word.clone(),
                        repeat: Some(0),
                    }),
                    Err(text) => {
                        let shown = quote::file(proc, word);
                        let text = match text.as_str() {
                            "delimiter" => {
                                let tail = format!(
                                    ": closing delimiter '{}' missing",
                                    char::from(*delimiter)
                                );
                                [shown.as_slice(), tail.as_bytes()].concat()
                            }
                            "offset" => {
                                [shown.as_slice(), b": integer expected after delimiter"].concat()
                            }
                            reason => [
                                quote::text(proc, word).as_slice(),
                                b": invalid regular expression: ",
                                reason.as_bytes(),
                            ]
                            .concat(),
                        };
                        proc.complain_text(text).await;
                        return Err(proc.status());
                    }
                }
            }
            _ => {
                let shown = quote::file(proc, word);
                let Some(line) = input::decimal(word) else {
                    let shown = quote::text(proc, word);
                    proc.complain_text([shown.as_slice(), b": invalid pattern"].concat())
                        .await;
                    return Err(proc.status());
                };
                let text = if line == 0 {
                    Some([shown.as_slice(), b": line number must be greater than zero"].concat())
                } else if line < last_line {
                    let own = quote::text(proc, word);
                    let before = last_line.to_string();
                    Some(
                        [
                            b"line number ".as_slice(),
                            &own,
                            b" is smaller than preceding line number, ",
                            before.as_bytes(),
                        ]
                        .concat(),
                    )
                } else {
                    None
                };
                if let Some(text) = text {
                    proc.complain_text(text).await;
                    return Err(proc.status());
                }
                if line == last_line {
                    let own = quote::text(proc, word);
                    let text: [&[u8]; 5] = [
                        proc.name(),
                        b": warning: line number ",
                        &own,
                        b" is the same as preceding line number",
                        b"\n",
                    ];
                    proc.print_error(&text.concat()).await;
                }
                last_line = line;
                patterns.push(Pattern {
                    cut: Cut::Line(line),
                    word: word.clone(),
                    repeat: Some(0),
                });
            }
        }
    }
    if patterns.is_empty() {
        return Err(try_help(proc, 1).await);
    }
    Ok(patterns)
}

/// `/REGEXP/OFFSET`; what is wrong with it otherwise.
fn match_of(word: &[u8], delimiter: u8) -> Result<Cut, String> {
    let rest = word.get(1..).unwrap_or_default();
    let end = rest
        .iter()
        .rposition(|&byte| byte == delimiter)
        .ok_or_else(|| "delimiter".to_owned())?;
    let (pattern, offset) = rest.split_at(end);
    let offset = offset.get(1..).unwrap_or_default();
    let offset = if offset.is_empty() {
        0
    } else {
        let text = std::str::from_utf8(offset).ok();
        text.and_then(|text| text.parse().ok())
            .ok_or_else(|| "offset".to_owned())?
    };
    let regex = Regex::new(pattern, Syntax::Basic, Flags::default())
        .map_err(|error| error.message().to_owned())?;
    Ok(Cut::Match {
        regex,
        offset,
        skip: delimiter == b'%',
    })
}

struct Pieces<'a> {
    settings: &'a Settings,
    lines: &'a [&'a [u8]],
    /// Lines used up.
    at: usize,
    count: u64,
    names: Vec<Vec<u8>>,
}

impl Pieces<'_> {
    /// Everything; `None` after a complaint.
    async fn cut_all(&mut self, proc: &mut Process, patterns: &[Pattern]) -> Option<()> {
        for pattern in patterns {
            let mut repetition = 0;
            loop {
                proc.tick().await;
                let endless = pattern.repeat.is_none();
                if !self.cut(proc, pattern, repetition, endless).await? {
                    // As often as it could: the rest is written already.
                    return Some(());
                }
                repetition += 1;
                if pattern.repeat.is_some_and(|most| repetition > most) {
                    break;
                }
            }
        }
        self.write(proc, self.at, self.lines.len()).await
    }

    /// One cut; whether there may be another.
    #[expect(
        clippy::too_many_lines,
        reason = "one thing from top to bottom, in the order of the manual"
    )]
    async fn cut(
        &mut self,
        proc: &mut Process,
        pattern: &Pattern,
        repetition: u64,
        endless: bool,
    ) -> Option<bool> {
        let total = self.lines.len();
        match &pattern.cut {
            Cut::Line(line) => {
                let wanted = line.saturating_mul(repetition + 1).saturating_sub(1);
                let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
                if wanted > total
                    || (wanted == total
                        && !self.settings.suppress
                        && wanted > 0
                        && self.at >= total)
                {
                    self.write(proc, self.at, total).await?;
                    if endless {
                        return Some(false);
                    }
                    let own = quote::text(proc, &pattern.word);
                    let text = [own.as_slice(), b": line number out of range"].concat();
                    self.out_of_range(proc, text, repetition).await;
                    return None;
                }
                let end = wanted.max(self.at);
                self.write(proc, self.at, end).await?;
                self.at = end + usize::from(self.settings.suppress && end < total);
                Some(true)
            }
            Cut::Match {
                regex,
                offset,
                skip,
            } => {
                // A match on the line just cut at is not found again.
                let from = if self.count == 0 && repetition == 0 || self.names_nothing() {
                    self.at
                } else {
                    self.at + usize::from(!self.settings.suppress)
                };
                let mut found = None;
                for index in from..total {
                    proc.tick().await;
                    let line = self.lines.get(index).copied().unwrap_or_default();
                    let bare = line.strip_suffix(b"\n").unwrap_or(line);
                    if regex.is_match(bare) {
                        found = Some(index);
                        break;
                    }
                }
                let Some(index) = found else {
                    if endless {
                        if !skip {
                            self.write(proc, self.at, total).await?;
                        }
                        return Some(false);
                    }
                    if !skip {
                        self.write(proc, self.at, total).await?;
                    }
                    let own = quote::text(proc, &pattern.word);
                    let text = [own.as_slice(), b": match not found"].concat();
                    self.out_of_range(proc, text, repetition).await;
                    return None;
                };
                let end = i64::try_from(index)
                    .unwrap_or(i64::MAX)
                    .saturating_add(*offset);
                let end = usize::try_from(end)
                    .ok()
                    .filter(|end| *end >= self.at && *end <= total);
                let Some(end) = end else {
                    if !skip {
                        self.write(proc, self.at, total).await?;
                    }
                    let own = quote::text(proc, &pattern.word);
                    let text = [own.as_slice(), b": line number out of range"].concat();
                    proc.complain_text(text).await;
                    return None;
                };
                if !skip {
                    self.write(proc, self.at, end).await?;
                }
                self.at = end + usize::from(self.settings.suppress && end < total);
                Some(true)
            }
        }
    }

    fn names_nothing(&self) -> bool {
        self.at == 0
    }

    async fn out_of_range(&self, proc: &mut Process, mut text: Vec<u8>, repetition: u64) {
        if repetition > 0 {
            text.extend(format!(" on repetition {repetition}").into_bytes());
        }
        proc.complain_text(text).await;
    }

    /// Writes the lines as the next piece.
    async fn write(&mut self, proc: &mut Process, start: usize, end: usize) -> Option<()> {
        let piece = self.lines.get(start..end).unwrap_or_default().concat();
        if self.settings.elide && piece.is_empty() {
            return Some(());
        }
        if self.count >= MAX_PIECES {
            input::exhausted(proc).await;
            return None;
        }
        let name = piece_name(self.settings, self.count).unwrap_or_default();
        self.count += 1;
        let fd = match proc.open(&name, OpenFlags::CREATE, 0o666).await {
            Ok(fd) => fd,
            Err(errno) => {
                input::complain(proc, &name, errno).await;
                return None;
            }
        };
        self.names.push(name.clone());
        let written = proc.write_all(fd, &piece).await;
        // Opened above.
        let _open = proc.close(fd);
        if let Err(errno) = written {
            input::complain_about(proc, "write error for", &name, errno).await;
            return None;
        }
        if !self.settings.quiet {
            let line = format!("{}\n", piece.len());
            proc.print(line.as_bytes()).await.ok()?;
        }
        Some(())
    }
}
