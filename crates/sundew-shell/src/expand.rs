//! Words to fields: tilde, parameters, substitutions, arithmetic, splitting, file names.
//!
//! A word grows into `Drafts`: fields whose every byte knows where it came from. Splitting looks
//! only at bytes that an unquoted expansion brought in, file-name expansion only at bytes that are
//! not quoted.

mod arithmetic;
mod draft;
mod glob;
pub(crate) mod parameter;
mod split;
mod substitute;
pub(crate) mod tilde;
pub(crate) mod transform;
mod value;

use futures_util::future::BoxFuture;
use sundew_kernel::Process;
use sundew_posix::pattern::{self, Pattern, Piece};
use sundew_sh_syntax::ast::{Part, Word};
use sundew_sh_syntax::{Dialect, Options as SyntaxOptions, braces};

use crate::shell::{Flow, Run, SEGMENT_COMMANDS, Shell};
use crate::words::Words;
pub(crate) use draft::{Drafts, Mark};

/// Most bytes one word may expand to; beyond it the shell is out of memory.
pub const MAX_FIELD_BYTES: usize = 16 << 20;

impl Shell {
    /// Words to the fields of a command line.
    ///
    /// # Errors
    ///
    /// A failed expansion, complained of already.
    pub async fn expand_words(
        &mut self,
        proc: &mut Process,
        words: &[Word],
    ) -> Result<Words, Flow> {
        let mut fields = Words::new();
        self.expand_into(proc, words, &mut fields).await?;
        Ok(fields)
    }

    /// The same behind those that are there already.
    ///
    /// # Errors
    ///
    /// A failed expansion, complained of already.
    pub async fn expand_into(
        &mut self,
        proc: &mut Process,
        words: &[Word],
        fields: &mut Words,
    ) -> Run {
        for word in words {
            // The common case costs no more than it should.
            if let [Part::Literal(text)] = word.parts.as_slice()
                && !text
                    .iter()
                    .any(|byte| matches!(byte, b'*' | b'?' | b'[' | b'{' | b'(' | b'\\'))
            {
                fields.push(proc, text.to_vec()).await;
                continue;
            }
            for word in self.brace_words(word) {
                proc.tick().await;
                self.expand_one(proc, &word, fields).await?;
            }
        }
        Ok(())
    }

    /// The words that braces make of one, if they make any.
    pub(crate) fn brace_words(&self, word: &Word) -> braces::Words {
        if self.is_bash() && self.options.is_set("braceexpand") {
            braces::expand(word)
        } else {
            braces::whole(word)
        }
    }

    async fn expand_one(&mut self, proc: &mut Process, word: &Word, fields: &mut Words) -> Run {
        let mut drafts = Drafts::default();
        self.parts(proc, &word.parts, false, &mut drafts).await?;
        let ifs = self.field_separators();
        let (drafts, _held) = drafts.into_parts();
        for draft in drafts {
            for field in split::split(draft, &ifs) {
                self.glob_field(proc, field, fields).await?;
            }
        }
        Ok(())
    }

    /// `$IFS`, or its default if that is unset.
    pub fn field_separators(&self) -> Vec<u8> {
        self.variables
            .scalar(b"IFS")
            .map_or_else(|| b" \t\n".to_vec(), <[u8]>::to_vec)
    }

    /// A word to one string: neither split nor matched against files.
    ///
    /// # Errors
    ///
    /// A failed expansion, complained of already.
    pub async fn expand_string(
        &mut self,
        proc: &mut Process,
        word: &Word,
    ) -> Result<Vec<u8>, Flow> {
        let mut drafts = Drafts::default();
        self.parts(proc, &word.parts, false, &mut drafts).await?;
        Ok(drafts.into_string(&self.joint()))
    }

    /// The same as between double quotes: a here-document's body, an arithmetic expression.
    ///
    /// # Errors
    ///
    /// A failed expansion, complained of already.
    pub async fn expand_quoted(
        &mut self,
        proc: &mut Process,
        word: &Word,
    ) -> Result<Vec<u8>, Flow> {
        let mut drafts = Drafts::default();
        self.parts(proc, &word.parts, true, &mut drafts).await?;
        Ok(drafts.into_string(&self.joint()))
    }

    /// What fields are joined by where a word stays one: in dash and ash the first byte of `IFS`.
    fn joint(&self) -> Vec<u8> {
        if self.is_bash() {
            return b" ".to_vec();
        }
        let mut separators = self.field_separators();
        separators.truncate(1);
        separators
    }

    /// A here-document's text.
    ///
    /// # Errors
    ///
    /// A failed expansion, complained of already.
    pub async fn expand_here(
        &mut self,
        proc: &mut Process,
        body: &Word,
        _quoted: bool,
    ) -> Result<Vec<u8>, Flow> {
        self.expand_quoted(proc, body).await
    }

    /// Text that holds `$`, backquotes and backslashes as a here-document does: prompts, `$PS4`.
    ///
    /// # Errors
    ///
    /// A failed expansion, complained of already.
    pub async fn expand_text(&mut self, proc: &mut Process, text: &[u8]) -> Result<Vec<u8>, Flow> {
        let word = sundew_sh_syntax::parser::text(text, &self.syntax_options());
        self.expand_quoted(proc, &word).await
    }

    /// A word to a pattern: what was quoted stands for itself.
    ///
    /// # Errors
    ///
    /// A failed expansion, complained of already.
    pub async fn expand_pattern(
        &mut self,
        proc: &mut Process,
        word: &Word,
    ) -> Result<Pattern, Flow> {
        let pieces = self.expand_pieces(proc, word).await?;
        let options = pattern::Options {
            extended: self.options.shopt("extglob"),
            ignore_case: self.options.shopt("nocasematch"),
        };
        Ok(Pattern::new(&pieces, options))
    }

    /// A word to bytes of which each knows whether it was quoted.
    ///
    /// # Errors
    ///
    /// A failed expansion, complained of already.
    pub async fn expand_pieces(
        &mut self,
        proc: &mut Process,
        word: &Word,
    ) -> Result<Vec<Piece>, Flow> {
        let mut drafts = Drafts::default();
        self.parts(proc, &word.parts, false, &mut drafts).await?;
        Ok(drafts.into_pieces())
    }

    /// How the parser is to read more text for this shell.
    pub fn syntax_options(&self) -> SyntaxOptions<'_> {
        SyntaxOptions {
            dialect: self.dialect,
            last: true,
            first_line: self.line.max(1),
            extended_globs: self.options.shopt("extglob"),
            aliases: None,
        }
    }

    /// Expands parts of a word, one after the other, into `out`.
    pub(crate) fn parts<'a>(
        &'a mut self,
        proc: &'a mut Process,
        parts: &'a [Part],
        quoted: bool,
        out: &'a mut Drafts,
    ) -> BoxFuture<'a, Run> {
        Box::pin(async move {
            if self.nested >= SEGMENT_COMMANDS {
                return self.parts_aside(proc, parts, quoted, out).await;
            }
            self.nested += 1;
            let run = self.parts_here(proc, parts, quoted, out).await;
            self.nested = self.nested.saturating_sub(1);
            run
        })
    }

    async fn parts_here(
        &mut self,
        proc: &mut Process,
        parts: &[Part],
        quoted: bool,
        out: &mut Drafts,
    ) -> Run {
        for part in parts {
            proc.tick().await;
            if let Part::BadSubstitution(text) = part {
                return self.bad_substitution(proc, parts, text).await;
            }
            let run = self.part(proc, part, quoted, out).await;
            if run.is_err()
                && let Some((text, ends)) = self.bad_parameter.take()
            {
                if !ends {
                    return self.bad_substitution(proc, parts, &text).await;
                }
                let text = [around(parts, &text).as_slice(), b": bad substitution"].concat();
                self.complain(proc, text).await;
                self.status = self.fatal_status();
                return Err(self.giving_up(Flow::Exit));
            }
            run?;
            if out.len() > MAX_FIELD_BYTES || out.pay(proc).is_err() {
                proc.out_of_memory().await;
            }
        }
        Ok(())
    }

    /// The same where much is nested; see [`Shell::run_nested`].
    async fn parts_aside(
        &mut self,
        proc: &mut Process,
        parts: &[Part],
        quoted: bool,
        out: &mut Drafts,
    ) -> Run {
        let parts = parts.to_vec();
        let mut drafts = std::mem::take(out);
        let (run, drafts) = self
            .run_nested(proc, move |shell, proc| {
                Box::pin(async move {
                    let run = shell.parts(proc, &parts, quoted, &mut drafts).await;
                    (run, drafts)
                })
            })
            .await;
        *out = drafts;
        run
    }

    /// bash names the whole word, or what stands between the quotes.
    async fn bad_substitution(&mut self, proc: &mut Process, parts: &[Part], text: &[u8]) -> Run {
        let complaint = if self.is_bash() {
            [around(parts, text).as_slice(), b": bad substitution"].concat()
        } else if self.dialect == Dialect::Ash {
            b"syntax error: bad substitution".to_vec()
        } else {
            b"Bad substitution".to_vec()
        };
        let status = if self.is_bash() { 1 } else { 2 };
        let given_up = self.fatal(proc, status, complaint).await;
        // Unlike other failures of a word, this one ends a shell under `set -e` even in a condition.
        if given_up == Err(Flow::Discard) && self.options.is_set("errexit") {
            return Err(Flow::Exit);
        }
        given_up
    }

    async fn part(
        &mut self,
        proc: &mut Process,
        part: &Part,
        quoted: bool,
        out: &mut Drafts,
    ) -> Run {
        let plain = if quoted { Mark::Quoted } else { Mark::Literal };
        match part {
            Part::Literal(text) => out.push(text, plain),
            Part::Escaped(byte) => out.push(&[*byte], Mark::Quoted),
            Part::SingleQuoted(text) | Part::AnsiQuoted(text) => out.push_quoted(text),
            Part::DoubleQuoted(parts) | Part::Translated(parts) => {
                // An empty pair of quotes makes a field, unless all it holds is a "$@" of nothing.
                let empty_list = matches!(parts.as_slice(), [only] if self.is_empty_list(only));
                if !empty_list {
                    out.push_quoted(b"");
                }
                self.parts(proc, parts, true, out).await?;
            }
            Part::Tilde(name) => self.tilde(proc, name, out),
            Part::Parameter(parameter) => self.parameter(proc, parameter, quoted, out).await?,
            Part::BadSubstitution(text) => {
                return self.bad_substitution(proc, &[], text).await;
            }
            Part::Command(list) => {
                let output = self.substitute(proc, list).await?;
                out.push_expanded(&output, quoted);
            }
            Part::Backquoted { text, .. } => {
                let output = self.substitute_text(proc, text).await?;
                out.push_expanded(&output, quoted);
            }
            Part::Deferred(text) => {
                let output = self.substitute_text(proc, text).await?;
                out.push_expanded(&output, quoted);
            }
            Part::Arithmetic { expression, .. } => {
                let text = self.expand_quoted(proc, expression).await?;
                let value = self.arithmetic(proc, &text).await?;
                out.push_expanded(value.to_string().as_bytes(), quoted);
            }
            Part::Process { output, list } => {
                let path = self.process_substitution(proc, list, *output).await?;
                out.push(&path, Mark::Quoted);
            }
            Part::Array(_) => {}
        }
        Ok(())
    }
}

/// The whole of a word or of what stands between its quotes, one part of which is `text`.
fn around(parts: &[Part], text: &[u8]) -> Vec<u8> {
    match parts {
        [] | [_] => text.to_vec(),
        parts => sundew_sh_syntax::unparse::word(&Word {
            parts: parts.to_vec(),
        }),
    }
}
