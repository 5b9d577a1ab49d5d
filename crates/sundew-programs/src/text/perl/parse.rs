//! From Perl's text to [`Expr`]: one pass without a token list, for what a slash or a brace means
//! depends on what came before (perlop(1), perlsyn(1)).

use std::sync::Arc;

use super::ast::{Base, Block, Expr, Kind, Pattern, Statement};

mod quote;
mod term;

/// Nested expressions and blocks; perl itself has no bound but memory.
const MAX_DEPTH: usize = 60;

/// Why the text is no program, without place.
#[derive(Debug)]
pub(super) enum Failure {
    /// Something unexpected, near this text.
    Near(String),
    /// A whole complaint that needs ` at X line N.` behind it.
    Other(String),
    /// A module that is not there.
    Module(String),
}

/// A failure and its line.
pub(super) type Fault = (Failure, usize);

/// A text being read.
pub(super) struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    depth: usize,
    /// A here-document's bodies begin behind the next line's end.
    pending: Vec<Pending>,
    documents: Vec<Vec<u8>>,
}

struct Pending {
    tag: Vec<u8>,
    raw: bool,
    indented: bool,
    index: usize,
}

/// Reads a whole program.
pub(super) fn program(text: &[u8]) -> Result<Block, Fault> {
    let mut parser = Parser {
        text,
        at: 0,
        depth: 0,
        pending: Vec::new(),
        documents: Vec::new(),
    };
    let outcome = parser.statements(true);
    let line = parser.line();
    outcome.map_err(|failure| (failure, line))
}

/// An expression inside a string.
fn inner(text: &[u8], depth: usize) -> Result<Expr, Failure> {
    let mut parser = Parser {
        text,
        at: 0,
        depth,
        pending: Vec::new(),
        documents: Vec::new(),
    };
    parser.deeper(Parser::expression)
}

type Outcome<T> = Result<T, Failure>;

impl Parser<'_> {
    fn line(&self) -> usize {
        let before = self.text.get(..self.at).unwrap_or(self.text);
        1 + before.iter().filter(|&&byte| byte == b'\n').count()
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Failure::Other("Too deeply nested".to_owned()));
        }
        let outcome = read(self);
        self.depth -= 1;
        outcome
    }

    fn rest(&self) -> &[u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> u8 {
        self.rest().first().copied().unwrap_or(0)
    }

    /// Passes blanks, comments and POD; takes here-documents at line ends.
    fn blanks(&mut self) {
        loop {
            match self.peek() {
                b'\n' => {
                    self.at += 1;
                    self.take_documents();
                    if self.peek() == b'=' && self.rest().get(1).is_some_and(u8::is_ascii_alphabetic) {
                        let end = find(self.rest(), b"\n=cut");
                        self.at = end.map_or(self.text.len(), |end| self.at + end + 5);
                    }
                }
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'#' => {
                    while !matches!(self.peek(), b'\n') && self.at < self.text.len() {
                        self.at += 1;
                    }
                }
                _ => return,
            }
        }
    }

    fn take_documents(&mut self) {
        for pending in std::mem::take(&mut self.pending) {
            let mut body = Vec::new();
            while self.at < self.text.len() {
                let rest = self.rest();
                let end = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
                let line = rest.get(..end).unwrap_or_default().to_vec();
                self.at = (self.at + end + 1).min(self.text.len());
                let bare = if pending.indented { line.trim_ascii_start() } else { &line };
                if bare == pending.tag {
                    break;
                }
                body.extend_from_slice(bare);
                body.push(b'\n');
            }
            if let Some(document) = self.documents.get_mut(pending.index) {
                *document = body;
            }
        }
    }

    /// Whether a sign comes next; passes it.
    fn sign(&mut self, sign: &str) -> bool {
        self.blanks();
        let found = self.rest().starts_with(sign.as_bytes());
        if found {
            self.at += sign.len();
        }
        found
    }

    fn expect(&mut self, sign: &str) -> Outcome<()> {
        if self.sign(sign) { Ok(()) } else { Err(self.near()) }
    }

    fn near(&mut self) -> Failure {
        self.blanks();
        let rest = self.rest();
        let rest = rest.get(..40).unwrap_or(rest);
        Failure::Near(String::from_utf8_lossy(rest).into_owned())
    }

    /// The word that comes next, not passed.
    fn word(&mut self) -> Option<String> {
        self.blanks();
        let rest = self.rest();
        if !rest.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_') {
            return None;
        }
        let mut end = 0;
        while let Some(byte) = rest.get(end) {
            if byte.is_ascii_alphanumeric() || *byte == b'_' {
                end += 1;
            } else if rest.get(end..).is_some_and(|tail| tail.starts_with(b"::")) {
                end += 2;
            } else {
                break;
            }
        }
        Some(String::from_utf8_lossy(rest.get(..end)?).into_owned())
    }

    /// Passes this word if it comes next.
    fn keyword(&mut self, word: &str) -> bool {
        let found = self.word().is_some_and(|next| next == word);
        if found {
            self.at += word.len();
        }
        found
    }

    fn block(&mut self) -> Outcome<Block> {
        self.expect("{")?;
        let block = self.deeper(|parser| parser.statements(false))?;
        self.expect("}")?;
        Ok(block)
    }

    fn statements(&mut self, whole: bool) -> Outcome<Block> {
        let mut statements = Vec::new();
        loop {
            self.blanks();
            while self.sign(";") {}
            self.blanks();
            if self.at >= self.text.len() || (!whole && self.peek() == b'}') {
                return Ok(Arc::new(statements));
            }
            if matches!(self.word().as_deref(), Some("__END__" | "__DATA__")) {
                self.at = self.text.len();
                return Ok(Arc::new(statements));
            }
            let line = self.line();
            if let Some(kind) = self.statement()? {
                statements.push(Statement { line, kind });
            }
        }
    }

    fn statement(&mut self) -> Outcome<Option<Kind>> {
        if self.peek() == b'{' {
            return Ok(Some(Kind::Block(None, self.block()?)));
        }
        let start = self.at;
        let mut word = self.word();
        let mut label = None;
        if let Some(name) = &word
            && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_' || byte.is_ascii_digit())
            && !name.starts_with("__")
        {
            self.at += name.len();
            if self.sign(":") && self.peek() != b':' {
                label = Some(name.clone());
                word = self.word();
                if word.is_none() && self.peek() == b'{' {
                    return Ok(Some(Kind::Block(label, self.block()?)));
                }
            } else {
                self.at = start;
            }
        }
        let Some(word) = word else {
            return self.simple().map(Some);
        };
        let after = self.at + word.len();
        match word.as_str() {
            "if" | "unless" => {
                self.at = after;
                self.conditional(word == "unless").map(Some)
            }
            "while" | "until" => {
                self.at = after;
                self.expect("(")?;
                self.blanks();
                let condition = if self.peek() == b')' { Expr::Integer(1) } else { self.expression()? };
                self.expect(")")?;
                let condition = looped(condition);
                let condition = if word == "until" { Expr::Not(Box::new(condition)) } else { condition };
                let body = self.block()?;
                let step = if self.keyword("continue") { Some(Expr::BlockOf(self.block()?)) } else { None };
                Ok(Some(Kind::While { label, condition, body, step, first: None, body_first: false }))
            }
            "for" | "foreach" => {
                self.at = after;
                self.loop_over(label).map(Some)
            }
            "sub" => {
                self.at = after;
                let Some(name) = self.word() else {
                    self.at = start;
                    return self.simple().map(Some);
                };
                self.at += name.len();
                self.prototype();
                Ok(Some(Kind::Sub(name, self.block()?)))
            }
            "BEGIN" | "END" if { self.at = after; self.blanks(); self.peek() == b'{' } => {
                Ok(Some(Kind::Block(None, self.block()?)))
            }
            "package" => {
                self.at = after;
                let name = self.word().unwrap_or_default();
                self.at += name.len();
                if self.sign(";") { Ok(None) } else { Ok(Some(Kind::Block(None, self.block()?))) }
            }
            "use" | "no" => {
                self.at = after;
                self.module()?;
                Ok(None)
            }
            _ => {
                self.at = start.max(self.at.min(start));
                self.simple().map(Some)
            }
        }
    }

    fn prototype(&mut self) {
        self.blanks();
        if self.peek() == b'(' {
            while self.at < self.text.len() && self.peek() != b')' {
                self.at += 1;
            }
            self.at += 1;
        }
    }

    fn module(&mut self) -> Outcome<()> {
        let name = self.word().unwrap_or_default();
        self.at += name.len();
        let rest = self.rest();
        let end = rest.iter().position(|byte| matches!(byte, b';' | b'}')).unwrap_or(rest.len());
        self.at += end;
        let known = name.is_empty() || MODULES.contains(&name.as_str());
        if known { Ok(()) } else { Err(Failure::Module(name)) }
    }

    fn conditional(&mut self, negated: bool) -> Outcome<Kind> {
        let mut arms = Vec::new();
        let mut negated = negated;
        loop {
            self.expect("(")?;
            let condition = self.expression()?;
            self.expect(")")?;
            let condition = if std::mem::take(&mut negated) { Expr::Not(Box::new(condition)) } else { condition };
            arms.push((condition, self.block()?));
            if self.keyword("elsif") {
                continue;
            }
            let last = if self.keyword("else") { Some(self.block()?) } else { None };
            return Ok(Kind::If(arms, last));
        }
    }

    fn loop_over(&mut self, label: Option<String>) -> Outcome<Kind> {
        let _declared = self.keyword("my") || self.keyword("our");
        self.blanks();
        let mut variable = "_".to_owned();
        if self.peek() == b'$' {
            self.at += 1;
            variable = self.word().unwrap_or_default();
            self.at += variable.len();
        }
        self.expect("(")?;
        self.blanks();
        let first = if matches!(self.peek(), b';' | b')') { None } else { Some(self.expression()?) };
        if self.sign(";") {
            self.blanks();
            let condition = if self.peek() == b';' { Expr::Integer(1) } else { self.expression()? };
            self.expect(";")?;
            self.blanks();
            let step = if self.peek() == b')' { None } else { Some(self.expression()?) };
            self.expect(")")?;
            let body = self.block()?;
            return Ok(Kind::While { label, condition: looped(condition), body, step, first, body_first: false });
        }
        self.expect(")")?;
        let body = self.block()?;
        let list = first.unwrap_or_else(|| Expr::List(Vec::new()));
        Ok(Kind::Foreach { label, variable, list, body })
    }

    /// An expression with its modifiers.
    fn simple(&mut self) -> Outcome<Kind> {
        let line = self.line();
        let expr = self.expression()?;
        let wrap = |expr: Expr| Arc::new(vec![Statement { line, kind: Kind::Expr(expr) }]);
        let kind = match self.word().as_deref() {
            Some("if") => {
                self.at += 2;
                let condition = self.expression()?;
                Kind::Expr(Expr::And(Box::new(condition), Box::new(expr)))
            }
            Some("unless") => {
                self.at += 6;
                let condition = self.expression()?;
                Kind::Expr(Expr::Or(Box::new(condition), Box::new(expr)))
            }
            Some(word @ ("while" | "until")) => {
                let negated = word == "until";
                self.at += 5;
                let condition = looped(self.expression()?);
                let condition = if negated { Expr::Not(Box::new(condition)) } else { condition };
                let body_first = matches!(expr, Expr::BlockOf(_));
                let body = match expr {
                    Expr::BlockOf(block) => block,
                    expr => wrap(expr),
                };
                Kind::While { label: None, condition, body, step: None, first: None, body_first }
            }
            Some(word @ ("for" | "foreach")) => {
                self.at += word.len();
                let list = self.expression()?;
                Kind::Foreach { label: None, variable: "_".to_owned(), list, body: wrap(expr) }
            }
            _ => Kind::Expr(expr),
        };
        self.blanks();
        if !self.sign(";") && self.peek() != b'}' && self.at < self.text.len() {
            return Err(self.near());
        }
        Ok(kind)
    }

    /// The loosest: `or`, `and`, `not`.
    pub(super) fn expression(&mut self) -> Outcome<Expr> {
        self.deeper(|parser| {
            let mut left = parser.low_and()?;
            loop {
                if parser.keyword("or") {
                    let right = parser.low_and()?;
                    left = Expr::Or(Box::new(left), Box::new(right));
                } else if parser.keyword("xor") {
                    let right = parser.low_and()?;
                    left = Expr::Binary("xor", Box::new(left), Box::new(right));
                } else {
                    return Ok(left);
                }
            }
        })
    }

    fn low_and(&mut self) -> Outcome<Expr> {
        let mut left = self.low_not()?;
        while self.keyword("and") {
            let right = self.low_not()?;
            left = Expr::And(Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn low_not(&mut self) -> Outcome<Expr> {
        if self.keyword("not") {
            let inner = self.deeper(Self::low_not)?;
            return Ok(Expr::Not(Box::new(inner)));
        }
        self.comma()
    }

    /// `a, b => c`.
    fn comma(&mut self) -> Outcome<Expr> {
        let first = self.assignment()?;
        self.blanks();
        if !self.rest().starts_with(b",") && !self.rest().starts_with(b"=>") {
            return Ok(first);
        }
        let mut items = vec![first];
        while self.sign(",") || self.sign("=>") {
            self.blanks();
            if self.ends_list() {
                break;
            }
            if self.rest().starts_with(b",") {
                continue;
            }
            items.push(self.assignment()?);
        }
        Ok(Expr::List(items))
    }

    /// Whether nothing more can follow in a list.
    fn ends_list(&mut self) -> bool {
        self.blanks();
        matches!(self.peek(), 0 | b')' | b']' | b'}' | b';' | b':')
            || matches!(
                self.word().as_deref(),
                Some("or" | "and" | "if" | "unless" | "while" | "until" | "for" | "foreach" | "xor")
            )
    }

    pub(super) fn assignment(&mut self) -> Outcome<Expr> {
        self.deeper(|parser| {
            let left = parser.choice()?;
            parser.blanks();
            for (sign, operation) in ASSIGNMENTS {
                if parser.rest().starts_with(sign.as_bytes()) {
                    let next = parser.rest().get(sign.len()).copied();
                    if *sign == "=" && matches!(next, Some(b'=' | b'~' | b'>')) {
                        continue;
                    }
                    parser.at += sign.len();
                    let right = parser.assignment()?;
                    return Ok(Expr::Assign(*operation, Box::new(left), Box::new(right)));
                }
            }
            Ok(left)
        })
    }

    fn choice(&mut self) -> Outcome<Expr> {
        let condition = self.binary(0)?;
        if !self.sign("?") {
            return Ok(condition);
        }
        let yes = self.assignment()?;
        self.expect(":")?;
        let no = self.assignment()?;
        Ok(Expr::Choice(Box::new(condition), Box::new(yes), Box::new(no)))
    }

    /// Operators of at least this level.
    fn binary(&mut self, least: usize) -> Outcome<Expr> {
        self.deeper(|parser| {
            let mut left = parser.unary()?;
            while let Some((level, sign)) = parser.operator() {
                if level < least {
                    break;
                }
                parser.at += sign.len();
                if sign == "=~" || sign == "!~" {
                    let right = parser.binary(level + 1)?;
                    left = bound(left, right, sign == "!~");
                    continue;
                }
                // `**` binds to the right.
                let right = parser.binary(if sign == "**" { level } else { level + 1 })?;
                let (a, b) = (Box::new(left), Box::new(right));
                left = match sign {
                    "&&" => Expr::And(a, b),
                    "||" => Expr::Or(a, b),
                    "//" => Expr::DefinedOr(a, b),
                    ".." | "..." => Expr::Range(a, b),
                    "x" => Expr::Repeat(a, b),
                    sign => Expr::Binary(sign, a, b),
                };
            }
            Ok(left)
        })
    }

    /// The operator that comes next and its level, not passed.
    fn operator(&mut self) -> Option<(usize, &'static str)> {
        self.blanks();
        let word = self.word();
        for (level, sign) in OPERATORS {
            let first_is_letter = sign.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
            if first_is_letter {
                let repeats = *sign == "x" && word.as_ref().is_some_and(|word| {
                    word.strip_prefix('x').is_some_and(|count| count.bytes().all(|byte| byte.is_ascii_digit()))
                });
                let assigns = *sign == "x" && self.rest().get(1) == Some(&b'=') && self.rest().get(2) != Some(&b'=');
                if !assigns && (repeats || word.as_deref() == Some(*sign)) {
                    return Some((*level, sign));
                }
                continue;
            }
            if !self.rest().starts_with(sign.as_bytes()) {
                continue;
            }
            // `a += b` and the like are assignments.
            let next = self.rest().get(sign.len()).copied();
            let assigns = next == Some(b'=')
                && !matches!(*sign, "==" | "!=" | "<=" | ">=" | "<=>" | "=~" | "!~" | "<" | ">" | ".." | "...")
                && self.rest().get(sign.len() + 1) != Some(&b'=');
            if assigns {
                return None;
            }
            return Some((*level, sign));
        }
        None
    }

    fn unary(&mut self) -> Outcome<Expr> {
        self.deeper(|parser| {
            parser.blanks();
            let rest = parser.rest();
            if rest.starts_with(b"++") || rest.starts_with(b"--") {
                let up = rest.starts_with(b"++");
                parser.at += 2;
                let place = Box::new(parser.unary()?);
                return Ok(Expr::Step { up, before: true, place });
            }
            let next = rest.get(1).copied().unwrap_or(0);
            match rest.first() {
                Some(b'!') if next != b'~' && next != b'=' => {
                    parser.at += 1;
                    Ok(Expr::Not(Box::new(parser.unary()?)))
                }
                Some(b'~') => {
                    parser.at += 1;
                    Ok(Expr::Flip(Box::new(parser.unary()?)))
                }
                Some(b'\\') => {
                    parser.at += 1;
                    Ok(Expr::Ref(Box::new(parser.unary()?)))
                }
                Some(b'+') => {
                    parser.at += 1;
                    parser.unary()
                }
                Some(b'-') => parser.minus(next),
                _ => {
                    let term = parser.term()?;
                    parser.blanks();
                    let rest = parser.rest();
                    if rest.starts_with(b"++") || rest.starts_with(b"--") {
                        let up = rest.starts_with(b"++");
                        parser.at += 2;
                        return Ok(Expr::Step { up, before: false, place: Box::new(term) });
                    }
                    if rest.starts_with(b"**") && rest.get(2) != Some(&b'=') {
                        parser.at += 2;
                        let power = parser.unary()?;
                        return Ok(Expr::Binary("**", Box::new(term), Box::new(power)));
                    }
                    Ok(term)
                }
            }
        })
    }

    /// `-$x`, `-e $file` or `-bareword`.
    fn minus(&mut self, next: u8) -> Outcome<Expr> {
        let single = !self
            .rest()
            .get(2)
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
        if single && b"edfrwxszlpSbcuo".contains(&next) {
            let start = self.at;
            self.at += 2;
            self.blanks();
            if !self.rest().starts_with(b"=>") && !self.rest().starts_with(b",") {
                let operand = if self.ends_list() || self.peek() == b'&' || self.peek() == b'|' || self.peek() == b'?' {
                    Expr::Scalar("_".to_owned())
                } else {
                    self.unary()?
                };
                return Ok(Expr::FileTest(next, Box::new(operand)));
            }
            self.at = start;
        }
        self.at += 1;
        if next.is_ascii_alphabetic() {
            let word = self.word().unwrap_or_default();
            self.at += word.len();
            return Ok(Expr::Text(format!("-{word}").into_bytes()));
        }
        Ok(Expr::Minus(Box::new(self.unary()?)))
    }
}

/// `$x =~ …`: what a pattern is bound to.
fn bound(left: Expr, right: Expr, negated: bool) -> Expr {
    let left = Some(Box::new(left));
    match right {
        Expr::Match { pattern, .. } => Expr::Match { target: left, pattern, negated },
        Expr::Substitute { pattern, with, .. } => Expr::Substitute { target: left, pattern, with },
        Expr::Translate { from, to, flags, .. } => Expr::Translate { target: left, from, to, flags },
        other => Expr::Match {
            target: left,
            pattern: Pattern { text: Box::new(other), flags: String::new() },
            negated,
        },
    }
}

/// `while (<X>)` means `while (defined($_ = <X>))`.
fn looped(condition: Expr) -> Expr {
    let defined = |inner: Expr| Expr::Do("defined", vec![inner]);
    match condition {
        Expr::ReadLine(handle) => defined(Expr::Assign(
            None,
            Box::new(Expr::Scalar("_".to_owned())),
            Box::new(Expr::ReadLine(handle)),
        )),
        Expr::Assign(None, left, right)
            if matches!(*right, Expr::ReadLine(_)) && !matches!(*left, Expr::My(_, true) | Expr::List(_) | Expr::Array(_)) =>
        {
            defined(Expr::Assign(None, left, right))
        }
        other => other,
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

/// Longest first where one begins another.
const ASSIGNMENTS: &[(&str, Option<&str>)] = &[
    ("**=", Some("**")),
    ("||=", Some("||")),
    ("&&=", Some("&&")),
    ("//=", Some("//")),
    ("<<=", Some("<<")),
    (">>=", Some(">>")),
    ("+=", Some("+")),
    ("-=", Some("-")),
    ("*=", Some("*")),
    ("/=", Some("/")),
    (".=", Some(".")),
    ("%=", Some("%")),
    ("x=", Some("x")),
    ("&=", Some("&")),
    ("|=", Some("|")),
    ("^=", Some("^")),
    ("=", None),
];

/// Levels of perlop(1), and signs; longest first where one begins another.
const OPERATORS: &[(usize, &str)] = &[
    (3, "..."),
    (3, ".."),
    (8, "<=>"),
    (8, "cmp"),
    (16, "**"),
    (14, "=~"),
    (14, "!~"),
    (8, "=="),
    (8, "!="),
    (5, "&&"),
    (4, "||"),
    (4, "//"),
    (11, "<<"),
    (11, ">>"),
    (9, "<="),
    (9, ">="),
    (9, "<"),
    (9, ">"),
    (8, "eq"),
    (8, "ne"),
    (9, "lt"),
    (9, "gt"),
    (9, "le"),
    (9, "ge"),
    (13, "x"),
    (12, "+"),
    (12, "-"),
    (12, "."),
    (13, "*"),
    (13, "/"),
    (13, "%"),
    (7, "&"),
    (6, "|"),
    (6, "^"),
];

/// Modules of perl-base that do nothing here, or whose work is built in.
const MODULES: &[&str] = &[
    "strict", "warnings", "utf8", "vars", "feature", "lib", "integer", "bytes", "constant", "parent",
    "base", "overload", "Socket", "IO::Socket", "IO::Socket::INET", "IO::Handle", "IO::File",
    "IO::Select", "IO::Seekable", "IO", "POSIX", "Fcntl", "Carp", "Exporter", "Cwd", "File::Basename", "File::Copy",
    "File::Path", "File::Spec", "File::Temp", "File::Find", "Getopt::Long", "List::Util",
    "Scalar::Util", "Data::Dumper", "Errno", "Config", "Text::ParseWords", "Text::Tabs",
    "Text::Wrap", "Tie::Hash", "Time::HiRes", "Symbol", "SelectSaver", "Hash::Util", "IPC::Open2", "IPC::Open3",
    "MIME::Base64", "v5", "locale", "re", "less", "sort",
];
