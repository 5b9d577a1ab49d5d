//! Programs as words.

/// One word of a program.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Newline,
    Number(f64),
    Text(Vec<u8>),
    Regex(Vec<u8>),
    Name(Vec<u8>),
    /// A name with `(` right behind it.
    Call(Vec<u8>),
    Builtin(&'static str),
    Keyword(&'static str),
    /// Operators and punctuation.
    Mark(&'static str),
    End,
}

/// A word, its line and its text as complaints show it.
#[derive(Debug, Clone)]
pub(super) struct Word {
    pub(super) token: Token,
    pub(super) line: usize,
    pub(super) shown: Vec<u8>,
}

const KEYWORDS: &[&str] = &[
    "BEGIN", "END", "function", "func", "if", "else", "while", "for", "do", "break", "continue",
    "next", "nextfile", "exit", "return", "delete", "in", "getline", "print", "printf",
];

const BUILTINS: &[&str] = &[
    "length", "substr", "index", "split", "sub", "gsub", "match", "sprintf", "sin", "cos", "atan2",
    "exp", "log", "sqrt", "int", "rand", "srand", "system", "tolower", "toupper", "close",
    "fflush", "systime", "strftime", "mktime",
];

/// Longest first.
const MARKS: &[&str] = &[
    "&&", "||", "==", "!=", "!~", "<=", ">=", "++", "--", "+=", "-=", "*=", "/=", "%=", "^=", ">>",
    "{", "}", "(", ")", "[", "]", ";", ",", "+", "-", "*", "/", "%", "^", "!", ">", "<", "|", "?",
    ":", "~", "$", "=",
];

/// All words, or the complaint.
pub(super) fn words(text: &[u8]) -> Result<Vec<Word>, Vec<u8>> {
    let mut lexer = Lexer {
        text,
        at: 0,
        line: 1,
        words: Vec::new(),
    };
    while lexer.word()? {}
    let line = lexer.line;
    // mawk counts the end of the program as a line of its own.
    lexer.words.push(Word {
        token: Token::Newline,
        line,
        shown: Vec::new(),
    });
    lexer.words.push(Word {
        token: Token::End,
        line: line + 1,
        shown: b"end of file".to_vec(),
    });
    Ok(lexer.words)
}

struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
    line: usize,
    words: Vec<Word>,
}

impl Lexer<'_> {
    fn byte(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at + ahead).copied()
    }

    fn push(&mut self, token: Token, start: usize) {
        let shown = self.text.get(start..self.at).unwrap_or_default().to_vec();
        self.words.push(Word {
            token,
            line: self.line,
            shown,
        });
    }

    /// Whether a `/` here divides, because a value stands before it.
    fn after_value(&self) -> bool {
        match self.words.last().map(|word| &word.token) {
            Some(
                Token::Number(_)
                | Token::Text(_)
                | Token::Regex(_)
                | Token::Name(_)
                | Token::Builtin(_),
            ) => true,
            Some(Token::Mark(mark)) => matches!(*mark, ")" | "]" | "$" | "++" | "--"),
            _ => false,
        }
    }

    fn word(&mut self) -> Result<bool, Vec<u8>> {
        let Some(byte) = self.byte(0) else {
            return Ok(false);
        };
        let start = self.at;
        match byte {
            b' ' | b'\t' | b'\r' | 0x0c => self.at += 1,
            b'#' => {
                while self.byte(0).is_some_and(|byte| byte != b'\n') {
                    self.at += 1;
                }
            }
            b'\\' if self.byte(1) == Some(b'\n') => {
                self.at += 2;
                self.line += 1;
            }
            b'\\' if self.byte(1) == Some(b'\r') => self.at += 2,
            b'\n' => {
                self.at += 1;
                self.push(Token::Newline, start);
                self.line += 1;
            }
            b'"' => self.string()?,
            b'0'..=b'9' => self.number(),
            b'.' if self.byte(1).is_some_and(|byte| byte.is_ascii_digit()) => self.number(),
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => self.name(),
            b'/' if !self.after_value() => self.regex()?,
            _ => {
                let rest = self.text.get(self.at..).unwrap_or_default();
                if rest.starts_with(b"**") {
                    self.at += 1;
                    self.push(Token::Mark("*"), start);
                    return Ok(true);
                }
                let Some(mark) = MARKS.iter().find(|mark| rest.starts_with(mark.as_bytes())) else {
                    let text = [
                        format!("{}: unexpected character '", self.line).as_bytes(),
                        &[byte],
                        b"'",
                    ]
                    .concat();
                    return Err(text);
                };
                self.at += mark.len();
                self.push(Token::Mark(mark), start);
            }
        }
        Ok(true)
    }

    fn number(&mut self) {
        let start = self.at;
        let rest = self.text.get(self.at..).unwrap_or_default();
        // `0x10` is a zero and a name here.
        let hexadecimal = matches!(rest, [b'0', b'x' | b'X', ..]);
        let (value, length) = if hexadecimal {
            (0.0, 1)
        } else {
            super::number::prefix(rest)
        };
        self.at += length.max(1);
        self.push(Token::Number(value), start);
    }

    fn name(&mut self) {
        let start = self.at;
        while self
            .byte(0)
            .is_some_and(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
        {
            self.at += 1;
        }
        let name = self.text.get(start..self.at).unwrap_or_default();
        let known =
            |list: &[&'static str]| list.iter().copied().find(|word| word.as_bytes() == name);
        let token = if let Some(keyword) = known(KEYWORDS) {
            Token::Keyword(if keyword == "func" {
                "function"
            } else {
                keyword
            })
        } else if let Some(builtin) = known(BUILTINS) {
            Token::Builtin(builtin)
        } else if self.byte(0) == Some(b'(') {
            Token::Call(name.to_vec())
        } else {
            Token::Name(name.to_vec())
        };
        self.push(token, start);
    }

    fn string(&mut self) -> Result<(), Vec<u8>> {
        let start = self.at;
        self.at += 1;
        let mut out = Vec::new();
        loop {
            match self.byte(0) {
                Some(b'"') => {
                    self.at += 1;
                    break;
                }
                Some(b'\\') if self.byte(1) == Some(b'\n') => {
                    self.at += 2;
                    self.line += 1;
                }
                Some(b'\\') => {
                    let (bytes, length) = escape(self.text.get(self.at..).unwrap_or_default());
                    out.extend_from_slice(&bytes);
                    self.at += length;
                }
                None | Some(b'\n') => {
                    let shown = self.text.get(start..self.at).unwrap_or_default();
                    let shown = shown.get(..shown.len().min(10)).unwrap_or(shown);
                    let place = format!("line {}: runaway string constant ", self.line);
                    return Err([place.as_bytes(), shown, b" ..."].concat());
                }
                Some(byte) => {
                    out.push(byte);
                    self.at += 1;
                }
            }
        }
        self.push(Token::Text(out), start);
        Ok(())
    }

    fn regex(&mut self) -> Result<(), Vec<u8>> {
        let start = self.at;
        self.at += 1;
        let mut out = Vec::new();
        let mut bracket = false;
        loop {
            match self.byte(0) {
                Some(b'/') if !bracket => {
                    self.at += 1;
                    break;
                }
                Some(b'\\') if self.byte(1) == Some(b'/') => {
                    out.push(b'/');
                    self.at += 2;
                }
                Some(b'\\') if self.byte(1).is_some_and(|byte| byte != b'\n') => {
                    out.extend_from_slice(self.text.get(self.at..self.at + 2).unwrap_or_default());
                    self.at += 2;
                }
                None | Some(b'\n') => {
                    let shown = self.text.get(start..self.at).unwrap_or_default();
                    let shown = shown.get(..shown.len().min(10)).unwrap_or(shown);
                    let place = format!("line {}: runaway regular expression ", self.line);
                    return Err([place.as_bytes(), shown, b" ..."].concat());
                }
                Some(byte) => {
                    if byte == b'[' && !bracket {
                        bracket = true;
                    } else if byte == b']' && self.text.get(self.at.wrapping_sub(1)) != Some(&b'[')
                    {
                        bracket = false;
                    }
                    out.push(byte);
                    self.at += 1;
                }
            }
        }
        self.push(Token::Regex(out), start);
        Ok(())
    }
}

/// What an escape in a string stands for, and its length. Unknown ones keep their backslash.
pub(super) fn escape(text: &[u8]) -> (Vec<u8>, usize) {
    let Some(&byte) = text.get(1) else {
        return (b"\\".to_vec(), 1);
    };
    let value = match byte {
        b'"' | b'\\' => byte,
        b'/' => return (b"\\/".to_vec(), 2),
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'v' => 11,
        b'x' if text.get(2).is_some_and(u8::is_ascii_hexdigit) => {
            let digits = text
                .iter()
                .skip(2)
                .take(2)
                .map_while(|byte| char::from(*byte).to_digit(16));
            let (value, count) = digits.fold((0u32, 0), |(value, count), digit| {
                (value * 16 + digit, count + 1)
            });
            return (vec![u8::try_from(value).unwrap_or(0)], 2 + count);
        }
        b'0'..=b'7' => {
            let digits = text
                .iter()
                .skip(1)
                .take(3)
                .take_while(|byte| (b'0'..=b'7').contains(byte));
            let (value, count) = digits.fold((0u8, 0), |(value, count), digit| {
                (value.wrapping_mul(8).wrapping_add(digit - b'0'), count + 1)
            });
            return (vec![value], 1 + count);
        }
        other => return (vec![b'\\', other], 2),
    };
    (vec![value], 2)
}

/// A text with its escapes replaced, as for `-v` and operands.
pub(super) fn unescape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(&byte) = rest.first() {
        let length = if byte == b'\\' {
            let (bytes, length) = escape(rest);
            out.extend_from_slice(&bytes);
            length
        } else {
            out.push(byte);
            1
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    out
}
