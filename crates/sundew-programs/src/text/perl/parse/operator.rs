//! Operators and how they bind: perlop(1).

use super::*;

impl Parser<'_> {
    /// The loosest: `or`, `and`, `not`.
    pub(super) fn expression(&mut self) -> Outcome<Expr> {
        self.deeper(|parser| {
            let mut left = parser.low_and()?;
            loop {
                if parser.keyword("or") {
                    let right = parser.low_and()?;
                    left = chained(left, "||", right);
                } else if parser.keyword("xor") {
                    let right = parser.low_and()?;
                    left = chained(left, "xor", right);
                } else {
                    return Ok(left);
                }
            }
        })
    }

    pub(super) fn low_and(&mut self) -> Outcome<Expr> {
        let mut left = self.low_not()?;
        while self.keyword("and") {
            let right = self.low_not()?;
            left = chained(left, "&&", right);
        }
        Ok(left)
    }

    pub(super) fn low_not(&mut self) -> Outcome<Expr> {
        if self.keyword("not") {
            let inner = self.deeper(Self::low_not)?;
            return Ok(Expr::Not(Box::new(inner)));
        }
        self.comma()
    }

    /// `a, b => c`.
    pub(super) fn comma(&mut self) -> Outcome<Expr> {
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
    pub(super) fn ends_list(&mut self) -> bool {
        self.blanks();
        matches!(self.peek(), 0 | b')' | b']' | b'}' | b';' | b':')
            || matches!(
                self.word().as_deref(),
                Some(
                    "or" | "and" | "if" | "unless" | "while" | "until" | "for" | "foreach" | "xor"
                )
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

    pub(super) fn choice(&mut self) -> Outcome<Expr> {
        let condition = self.binary(0)?;
        if !self.sign("?") {
            return Ok(condition);
        }
        let yes = self.assignment()?;
        self.expect(":")?;
        let no = self.assignment()?;
        Ok(Expr::Choice(
            Box::new(condition),
            Box::new(yes),
            Box::new(no),
        ))
    }

    /// Operators of at least this level.
    pub(super) fn binary(&mut self, least: usize) -> Outcome<Expr> {
        self.deeper(|parser| {
            let mut left = parser.unary()?;
            let mut bindings = 0;
            while let Some((level, sign)) = parser.operator() {
                if level < least {
                    break;
                }
                parser.at += sign.len();
                if matches!(sign, "=~" | "!~" | ".." | "..." | "x") {
                    bindings += 1;
                    if bindings > MAX_CHAIN {
                        return Err(Failure::Other("Out of memory during parse".to_owned()));
                    }
                }
                if sign == "=~" || sign == "!~" {
                    let right = parser.binary(level + 1)?;
                    left = bound(left, right, sign == "!~");
                    continue;
                }
                // `**` binds to the right.
                let right = parser.binary(if sign == "**" { level } else { level + 1 })?;
                left = match sign {
                    ".." | "..." => Expr::Range(Box::new(left), Box::new(right)),
                    "x" => Expr::Repeat(Box::new(left), Box::new(right)),
                    sign => chained(left, sign, right),
                };
            }
            Ok(left)
        })
    }

    /// The operator that comes next and its level, not passed.
    pub(super) fn operator(&mut self) -> Option<(usize, &'static str)> {
        self.blanks();
        let word = self.word();
        for (level, sign) in OPERATORS {
            let first_is_letter = sign.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
            if first_is_letter {
                let repeats = *sign == "x"
                    && word.as_ref().is_some_and(|word| {
                        word.strip_prefix('x')
                            .is_some_and(|count| count.bytes().all(|byte| byte.is_ascii_digit()))
                    });
                let assigns = *sign == "x"
                    && self.rest().get(1) == Some(&b'=')
                    && self.rest().get(2) != Some(&b'=');
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
                && !matches!(
                    *sign,
                    "==" | "!=" | "<=" | ">=" | "<=>" | "=~" | "!~" | "<" | ">" | ".." | "..."
                )
                && self.rest().get(sign.len() + 1) != Some(&b'=');
            if assigns {
                return None;
            }
            return Some((*level, sign));
        }
        None
    }

    pub(super) fn unary(&mut self) -> Outcome<Expr> {
        self.deeper(|parser| {
            parser.blanks();
            let rest = parser.rest();
            if rest.starts_with(b"++") || rest.starts_with(b"--") {
                let up = rest.starts_with(b"++");
                parser.at += 2;
                let place = Box::new(parser.unary()?);
                return Ok(Expr::Step {
                    up,
                    before: true,
                    place,
                });
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
                    if let Some(named) = parser.named_code() {
                        return Ok(Expr::Ref(Box::new(named)));
                    }
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
                        return Ok(Expr::Step {
                            up,
                            before: false,
                            place: Box::new(term),
                        });
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
    pub(super) fn minus(&mut self, next: u8) -> Outcome<Expr> {
        let single = !self
            .rest()
            .get(2)
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
        if single && b"edfrwxszlpSbcuotgkMACRWXO".contains(&next) {
            let start = self.at;
            self.at += 2;
            self.blanks();
            if !self.rest().starts_with(b"=>") && !self.rest().starts_with(b",") {
                let operand = if self.ends_list()
                    || self.peek() == b'&'
                    || self.peek() == b'|'
                    || self.peek() == b'?'
                {
                    if next == b't' {
                        Expr::Handle("STDIN".to_owned())
                    } else {
                        Expr::Scalar("_".to_owned())
                    }
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

/// One more operator behind those before it, so that a long row of them does not nest.
fn chained(left: Expr, sign: &'static str, right: Expr) -> Expr {
    match left {
        Expr::Chain(first, mut rest) => {
            rest.push((sign, right));
            Expr::Chain(first, rest)
        }
        left => Expr::Chain(Box::new(left), vec![(sign, right)]),
    }
}

/// `$x =~ …`: what a pattern is bound to.
fn bound(left: Expr, right: Expr, negated: bool) -> Expr {
    let left = Some(Box::new(left));
    match right {
        Expr::Match { pattern, .. } => Expr::Match {
            target: left,
            pattern,
            negated,
        },
        Expr::Substitute { pattern, with, .. } => Expr::Substitute {
            target: left,
            pattern,
            with,
        },
        Expr::Translate {
            from, to, flags, ..
        } => Expr::Translate {
            target: left,
            from,
            to,
            flags,
        },
        other => Expr::Match {
            target: left,
            pattern: Pattern {
                text: Box::new(other),
                flags: String::new(),
            },
            negated,
        },
    }
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
