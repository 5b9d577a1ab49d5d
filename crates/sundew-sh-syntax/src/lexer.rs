//! Positions, characters and tokens.

use crate::ast::{Descriptor, Part, Word};
use crate::error::{ErrorKind, UnexpectedToken};
use crate::option::Dialect;
use crate::parser::{Parse, Parser};
use crate::unparse;

/// A place in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) position: usize,
    pub(crate) line: u32,
}

/// A token and where it was found.
#[derive(Debug)]
pub(crate) struct Lexed {
    pub(crate) token: Token,
    /// Its first byte.
    pub(crate) start: Cursor,
    /// After its last byte; for a newline, before the here-documents that follow it.
    pub(crate) end: usize,
    /// The line an error about it names.
    pub(crate) line: u32,
    /// A word that is not reserved, whatever it says.
    pub(crate) plain: bool,
}

#[derive(Debug)]
pub(crate) enum Token {
    Word(Word),
    Operator(Operator),
    /// What stands right before a redirection operator.
    Descriptor(Descriptor),
    Newline,
    End,
}

/// A token at a glance: cheap to copy and to match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Glance {
    Word,
    /// A word that is reserved in command position.
    Keyword(Keyword),
    Operator(Operator),
    Descriptor,
    Newline,
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Semicolon,
    DoubleSemicolon,
    SemicolonAnd,
    DoubleSemicolonAnd,
    And,
    AndAnd,
    Pipe,
    PipeAnd,
    OrOr,
    Open,
    Close,
    Less,
    LessLess,
    LessLessDash,
    LessLessLess,
    LessAnd,
    LessGreater,
    Greater,
    GreaterGreater,
    GreaterAnd,
    GreaterPipe,
    AndGreater,
    AndGreaterGreater,
}

impl Operator {
    pub(crate) fn text(self) -> &'static [u8] {
        match self {
            Self::Semicolon => b";",
            Self::DoubleSemicolon => b";;",
            Self::SemicolonAnd => b";&",
            Self::DoubleSemicolonAnd => b";;&",
            Self::And => b"&",
            Self::AndAnd => b"&&",
            Self::Pipe => b"|",
            Self::PipeAnd => b"|&",
            Self::OrOr => b"||",
            Self::Open => b"(",
            Self::Close => b")",
            Self::Less => b"<",
            Self::LessLess => b"<<",
            Self::LessLessDash => b"<<-",
            Self::LessLessLess => b"<<<",
            Self::LessAnd => b"<&",
            Self::LessGreater => b"<>",
            Self::Greater => b">",
            Self::GreaterGreater => b">>",
            Self::GreaterAnd => b">&",
            Self::GreaterPipe => b">|",
            Self::AndGreater => b"&>",
            Self::AndGreaterGreater => b"&>>",
        }
    }

    pub(crate) fn is_redirection(self) -> bool {
        matches!(
            self,
            Self::Less
                | Self::LessLess
                | Self::LessLessDash
                | Self::LessLessLess
                | Self::LessAnd
                | Self::LessGreater
                | Self::Greater
                | Self::GreaterGreater
                | Self::GreaterAnd
                | Self::GreaterPipe
                | Self::AndGreater
                | Self::AndGreaterGreater
        )
    }
}

/// The reserved words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keyword {
    If,
    Then,
    Elif,
    Else,
    Fi,
    While,
    Until,
    Do,
    Done,
    For,
    Select,
    Case,
    Esac,
    In,
    Function,
    Time,
    Coproc,
    OpenBrace,
    CloseBrace,
    Bang,
    OpenConditional,
}

impl Keyword {
    pub(crate) fn from_word(word: &[u8], dialect: Dialect) -> Option<Self> {
        Some(match word {
            b"if" => Self::If,
            b"then" => Self::Then,
            b"elif" => Self::Elif,
            b"else" => Self::Else,
            b"fi" => Self::Fi,
            b"while" => Self::While,
            b"until" => Self::Until,
            b"do" => Self::Do,
            b"done" => Self::Done,
            b"for" => Self::For,
            b"case" => Self::Case,
            b"esac" => Self::Esac,
            b"in" => Self::In,
            b"{" => Self::OpenBrace,
            b"}" => Self::CloseBrace,
            b"!" => Self::Bang,
            b"function" if dialect != Dialect::Dash => Self::Function,
            b"select" if dialect == Dialect::Bash => Self::Select,
            b"time" if dialect == Dialect::Bash => Self::Time,
            b"coproc" if dialect == Dialect::Bash => Self::Coproc,
            b"[[" if dialect == Dialect::Bash => Self::OpenConditional,
            _ => return None,
        })
    }
}

/// Where a token is looked for, which decides what a `(` or `[` in a word may mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// First word of a command, and after an assignment.
    Command,
    /// Any other word.
    Argument,
    /// An argument of `declare` and its kin, which may be `name=(…)`.
    Declaration,
    /// Between the parentheses of an array.
    Element,
}

impl Parser<'_> {
    /// The byte at the position, joined lines or not.
    pub(crate) fn raw(&self) -> Option<u8> {
        self.text.get(self.at.position).copied()
    }

    pub(crate) fn raw_after(&self, offset: usize) -> Option<u8> {
        self.text
            .get(self.at.position.saturating_add(offset))
            .copied()
    }

    /// The next byte after any backslash-newlines, which vanish wherever this is used.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = self.raw()?;
            if byte != b'\\' || self.raw_after(1) != Some(b'\n') {
                return Some(byte);
            }
            self.bump();
            self.bump();
        }
    }

    /// Goes one byte on.
    pub(crate) fn bump(&mut self) {
        if self.raw() == Some(b'\n') {
            self.at.line = self.at.line.saturating_add(1);
        }
        self.at.position = self.at.position.saturating_add(1).min(self.text.len());
        self.worked(1);
    }

    /// Goes on if the next byte is this one.
    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.bump();
        }
        found
    }

    /// Makes sure that the next token has been read.
    pub(crate) fn fill(&mut self, place: Place) -> Parse<()> {
        if self.lookahead.is_none() {
            let lexed = self.token(place)?;
            self.lookahead = Some(lexed);
        }
        Ok(())
    }

    /// What the next token is.
    pub(crate) fn glance(&mut self, place: Place) -> Parse<Glance> {
        self.fill(place)?;
        let plain = self.lookahead.as_ref().is_some_and(|lexed| lexed.plain);
        Ok(match self.lookahead.as_ref().map(|lexed| &lexed.token) {
            Some(Token::Word(_)) if plain => Glance::Word,
            Some(Token::Word(word)) => match word.as_literal() {
                Some(text) => Keyword::from_word(text, self.options.dialect)
                    .map_or(Glance::Word, Glance::Keyword),
                None => Glance::Word,
            },
            Some(Token::Operator(operator)) => Glance::Operator(*operator),
            Some(Token::Descriptor(_)) => Glance::Descriptor,
            Some(Token::Newline) => Glance::Newline,
            Some(Token::End) | None => Glance::End,
        })
    }

    /// Makes the glanced-at token a word that is not reserved.
    pub(crate) fn make_plain(&mut self) {
        if let Some(lexed) = &mut self.lookahead {
            lexed.plain = true;
        }
    }

    /// Drops the token that was glanced at.
    pub(crate) fn skip(&mut self) {
        self.lookahead = None;
    }

    /// Takes the glanced-at token if it is a word.
    pub(crate) fn take_word(&mut self) -> Option<Word> {
        match self.lookahead.take() {
            Some(Lexed {
                token: Token::Word(word),
                ..
            }) => Some(word),
            other => {
                self.lookahead = other;
                None
            }
        }
    }

    /// Takes the next operator if it is this one.
    pub(crate) fn take_operator(&mut self, operator: Operator, place: Place) -> Parse<bool> {
        let found = self.glance(place)? == Glance::Operator(operator);
        if found {
            self.skip();
        }
        Ok(found)
    }

    /// Takes newlines.
    pub(crate) fn skip_newlines(&mut self, place: Place) -> Parse<()> {
        while self.glance(place)? == Glance::Newline {
            self.skip();
        }
        Ok(())
    }

    /// The line on which the glanced-at token starts.
    pub(crate) fn token_line(&self) -> u32 {
        self.lookahead
            .as_ref()
            .map_or(self.at.line, |lexed| lexed.start.line)
    }

    /// The glanced-at token cannot stand here.
    pub(crate) fn unexpected<T>(&self, expecting: Option<&'static str>) -> Parse<T> {
        let Some(lexed) = &self.lookahead else {
            return self.ended(expecting);
        };
        let token = match &lexed.token {
            Token::End => return self.ended(expecting),
            Token::Newline => UnexpectedToken::Newline,
            Token::Operator(operator) if operator.is_redirection() => {
                UnexpectedToken::Redirection(operator.text().into())
            }
            Token::Operator(operator) => UnexpectedToken::Keyword(operator.text().into()),
            Token::Descriptor(descriptor) => {
                UnexpectedToken::Redirection(unparse::descriptor(descriptor).into())
            }
            Token::Word(word) => {
                let text: Box<[u8]> = unparse::word(word).into();
                if !lexed.plain && Keyword::from_word(&text, self.options.dialect).is_some() {
                    UnexpectedToken::Keyword(text)
                } else {
                    UnexpectedToken::Word(text)
                }
            }
        };
        let kind = ErrorKind::Unexpected { token, expecting };
        self.fail(kind, lexed.line, Some(self.source_line(lexed.end)))
    }

    /// Reads a token from the text.
    pub(crate) fn token(&mut self, place: Place) -> Parse<Lexed> {
        self.skip_blanks();
        let start = self.at;
        let Some(byte) = self.peek() else {
            return Ok(Lexed {
                token: Token::End,
                start,
                end: start.position,
                line: start.line,
                plain: false,
            });
        };
        if byte == b'\n' {
            self.bump();
            let end = self.at.position;
            // dash has counted the newline by the time it complains about it.
            let line = if self.bash() {
                start.line
            } else {
                self.at.line
            };
            self.read_here_documents()?;
            return Ok(Lexed {
                token: Token::Newline,
                start,
                end,
                line,
                plain: false,
            });
        }
        let token = match self.operator(byte) {
            Some(operator) => Token::Operator(operator),
            None => self.word_token(place)?,
        };
        Ok(Lexed {
            token,
            start,
            end: self.at.position,
            line: self.at.line,
            plain: false,
        })
    }

    /// Passes over blanks and a comment.
    pub(crate) fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\t') = self.peek() {
            self.bump();
        }
        if self.peek() == Some(b'#') {
            // A backslash does not continue a comment.
            while self.raw().is_some_and(|byte| byte != b'\n') {
                self.bump();
            }
        }
    }

    fn operator(&mut self, byte: u8) -> Option<Operator> {
        // `<(` and `>(` begin a word.
        let process = matches!(byte, b'<' | b'>') && self.at_process_substitution();
        if process || !matches!(byte, b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>') {
            return None;
        }
        self.bump();
        Some(match byte {
            b';' => self.semicolon(),
            b'&' => self.ampersand(),
            b'|' => {
                if self.eat(b'|') {
                    Operator::OrOr
                } else if self.bash() && self.eat(b'&') {
                    Operator::PipeAnd
                } else {
                    Operator::Pipe
                }
            }
            b'(' => Operator::Open,
            b')' => Operator::Close,
            b'<' => self.less(),
            _ => self.greater(),
        })
    }

    /// Whether `<(` or `>(` stands here.
    pub(crate) fn at_process_substitution(&self) -> bool {
        !self.dash() && self.raw_after(1) == Some(b'(')
    }

    fn semicolon(&mut self) -> Operator {
        if self.eat(b';') {
            if self.bash() && self.eat(b'&') {
                return Operator::DoubleSemicolonAnd;
            }
            return Operator::DoubleSemicolon;
        }
        if self.bash() && self.eat(b'&') {
            return Operator::SemicolonAnd;
        }
        Operator::Semicolon
    }

    fn ampersand(&mut self) -> Operator {
        if self.eat(b'&') {
            return Operator::AndAnd;
        }
        if !self.dash() && self.eat(b'>') {
            if self.eat(b'>') {
                return Operator::AndGreaterGreater;
            }
            return Operator::AndGreater;
        }
        Operator::And
    }

    fn less(&mut self) -> Operator {
        if self.eat(b'<') {
            if self.eat(b'-') {
                return Operator::LessLessDash;
            }
            if self.bash() && self.eat(b'<') {
                return Operator::LessLessLess;
            }
            return Operator::LessLess;
        }
        if self.eat(b'&') {
            Operator::LessAnd
        } else if self.eat(b'>') {
            Operator::LessGreater
        } else {
            Operator::Less
        }
    }

    fn greater(&mut self) -> Operator {
        if self.eat(b'>') {
            Operator::GreaterGreater
        } else if self.eat(b'&') {
            Operator::GreaterAnd
        } else if self.eat(b'|') {
            Operator::GreaterPipe
        } else {
            Operator::Greater
        }
    }

    fn word_token(&mut self, place: Place) -> Parse<Token> {
        let word = self.plain_word(place)?;
        let redirection = matches!(self.peek(), Some(b'<' | b'>'));
        if redirection && let Some(descriptor) = self.as_descriptor(&word) {
            return Ok(Token::Descriptor(descriptor));
        }
        Ok(Token::Word(word))
    }

    fn as_descriptor(&self, word: &Word) -> Option<Descriptor> {
        let text = word.as_literal()?;
        // dash has descriptors of one digit.
        if text.iter().all(u8::is_ascii_digit) && (text.len() == 1 || !self.dash()) {
            // A number too large for a descriptor is a word, as in bash.
            let number = std::str::from_utf8(text).ok()?.parse::<i32>().ok()?;
            return u32::try_from(number).ok().map(Descriptor::Number);
        }
        let name = text.strip_prefix(b"{")?.strip_suffix(b"}")?;
        let end = name.iter().position(|byte| *byte == b'[');
        let element = end.is_some() && name.last() == Some(&b']');
        let base = if element {
            name.get(..end.unwrap_or_default())?
        } else {
            name
        };
        (self.bash() && is_name(base)).then(|| Descriptor::Variable(name.into()))
    }
}

impl Word {
    /// The text, if the word is nothing but one plain text.
    #[must_use]
    pub fn as_literal(&self) -> Option<&[u8]> {
        match self.parts.as_slice() {
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }
}

/// Whether the bytes are a name: a letter or `_`, then letters, digits and `_`.
pub(crate) fn is_name(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|byte| is_name_start(*byte)) && bytes.iter().all(|b| is_name_byte(*b))
}

pub(crate) fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

pub(crate) fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
