//! Statements: perlsyn(1).

use super::*;

impl Parser<'_> {
    pub(super) fn statements(&mut self, whole: bool) -> Outcome<Block> {
        let mut statements = Vec::new();
        loop {
            self.blanks();
            while self.sign(";") {}
            self.blanks();
            if self.at >= self.text.len() || (!whole && self.peek() == b'}') {
                return Ok(Arc::new(statements));
            }
            if whole && self.peek() == b'}' {
                return Err(Failure::Unopened);
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

    #[expect(clippy::too_many_lines, reason = "an arm for each keyword")]
    pub(super) fn statement(&mut self) -> Outcome<Option<Kind>> {
        if self.peek() == b'{' {
            if self.begins_hash() {
                return self.simple().map(Some);
            }
            return Ok(Some(Kind::Block(None, self.block()?)));
        }
        let start = self.at;
        let mut word = self.word();
        let mut label = None;
        if let Some(name) = &word
            && name
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte == b'_' || byte.is_ascii_digit())
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
                let condition = if self.peek() == b')' {
                    Expr::Integer(1)
                } else {
                    self.expression()?
                };
                self.expect(")")?;
                let condition = looped(condition);
                let condition = if word == "until" {
                    Expr::Not(Box::new(condition))
                } else {
                    condition
                };
                let body = self.block()?;
                let step = if self.keyword("continue") {
                    Some(Expr::BlockOf(self.block()?))
                } else {
                    None
                };
                Ok(Some(Kind::While {
                    label,
                    condition,
                    body,
                    step,
                    first: None,
                    body_first: false,
                }))
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
                self.known.push(name.clone());
                self.prototype();
                if self.sign(";") {
                    return Ok(None);
                }
                Ok(Some(Kind::Sub(name, self.block()?)))
            }
            "BEGIN" | "END"
                if {
                    self.at = after;
                    self.blanks();
                    self.peek() == b'{'
                } =>
            {
                let block = self.block()?;
                Ok(Some(if word == "BEGIN" {
                    Kind::Begin(block)
                } else {
                    Kind::End(block)
                }))
            }
            "package" => {
                self.at = after;
                let name = self.word().unwrap_or_default();
                self.at += name.len();
                self.blanks();
                if self.peek() == b'{' {
                    Ok(Some(Kind::Package(name, Some(self.block()?))))
                } else {
                    Ok(Some(Kind::Package(name, None)))
                }
            }
            "use" | "no" => {
                self.at = after;
                self.module(word == "no").map(Some)
            }
            _ => {
                self.at = start.max(self.at.min(start));
                self.simple().map(Some)
            }
        }
    }

    pub(super) fn prototype(&mut self) {
        self.blanks();
        if self.peek() == b'(' {
            while self.at < self.text.len() && self.peek() != b')' {
                self.at += 1;
            }
            self.at += 1;
        }
    }

    /// `use` and `no`, with a version, or a name and a list.
    pub(super) fn module(&mut self, off: bool) -> Outcome<Kind> {
        let name = self.word().unwrap_or_default();
        self.at += name.len();
        self.blanks();
        // A version may stand alone or before the list.
        if name.is_empty() || name == "v5" || self.peek().is_ascii_digit() {
            while self.peek().is_ascii_alphanumeric() || matches!(self.peek(), b'.' | b'_') {
                self.at += 1;
            }
        }
        let operands = if self.ends_list() {
            Vec::new()
        } else {
            match self.expression()? {
                Expr::List(items) => items,
                other => vec![other],
            }
        };
        if name == "constant" {
            match operands.first() {
                Some(Expr::Text(first)) => {
                    self.known.push(String::from_utf8_lossy(first).into_owned());
                }
                Some(Expr::NewHash(items)) => {
                    for item in items.iter().step_by(2) {
                        if let Expr::Text(name) = item {
                            self.known.push(String::from_utf8_lossy(name).into_owned());
                        }
                    }
                }
                _ => {}
            }
        }
        self.blanks();
        if !self.sign(";") && self.peek() != b'}' && self.at < self.text.len() {
            return Err(self.near());
        }
        let operands = operands.into_iter().flat_map(|operand| match operand {
            Expr::List(items) => items,
            other => vec![other],
        });
        Ok(Kind::Use {
            name,
            operands: operands.collect(),
            off,
        })
    }

    /// Whether a brace begins a hash and no block: a key and a comma or arrow follow.
    fn begins_hash(&mut self) -> bool {
        let start = self.at;
        self.at += 1;
        self.blanks();
        let rest = self.rest();
        let key = match rest.first() {
            Some(quote @ (b'"' | b'\'')) => rest
                .iter()
                .skip(1)
                .position(|byte| byte == quote)
                .map_or(0, |at| at + 2),
            Some(b'$') => {
                1 + rest
                    .iter()
                    .skip(1)
                    .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
                    .count()
            }
            Some(b'}') => {
                self.at = start;
                return rest.get(1..).is_some_and(|rest| {
                    matches!(rest.trim_ascii_start().first(), Some(b'}' | b','))
                });
            }
            _ => self.word().map_or(0, |word| word.len()),
        };
        self.at += key;
        self.blanks();
        let found = key > 0 && (self.rest().starts_with(b"=>") || self.peek() == b',');
        self.at = start;
        found
    }

    pub(super) fn conditional(&mut self, negated: bool) -> Outcome<Kind> {
        let mut arms = Vec::new();
        let mut negated = negated;
        loop {
            self.expect("(")?;
            let condition = self.expression()?;
            self.expect(")")?;
            let condition = if std::mem::take(&mut negated) {
                Expr::Not(Box::new(condition))
            } else {
                condition
            };
            arms.push((condition, self.block()?));
            if self.keyword("elsif") {
                continue;
            }
            let last = if self.keyword("else") {
                Some(self.block()?)
            } else {
                None
            };
            return Ok(Kind::If(arms, last));
        }
    }

    pub(super) fn loop_over(&mut self, label: Option<String>) -> Outcome<Kind> {
        let own = self.keyword("my") || self.keyword("state");
        let _ours = !own && self.keyword("our");
        self.blanks();
        let mut variable = "_".to_owned();
        if self.peek() == b'$' {
            self.at += 1;
            variable = self.word().unwrap_or_default();
            self.at += variable.len();
        }
        self.expect("(")?;
        self.blanks();
        let first = if matches!(self.peek(), b';' | b')') {
            None
        } else {
            Some(self.expression()?)
        };
        if self.sign(";") {
            self.blanks();
            let condition = if self.peek() == b';' {
                Expr::Integer(1)
            } else {
                self.expression()?
            };
            self.expect(";")?;
            self.blanks();
            let step = if self.peek() == b')' {
                None
            } else {
                Some(self.expression()?)
            };
            self.expect(")")?;
            let body = self.block()?;
            return Ok(Kind::While {
                label,
                condition: looped(condition),
                body,
                step,
                first,
                body_first: false,
            });
        }
        self.expect(")")?;
        let body = self.block()?;
        let list = first.unwrap_or_else(|| Expr::List(Vec::new()));
        Ok(Kind::Foreach {
            label,
            variable,
            own,
            list,
            body,
        })
    }

    /// An expression with its modifiers.
    pub(super) fn simple(&mut self) -> Outcome<Kind> {
        let line = self.line();
        let expr = self.expression()?;
        let wrap = |expr: Expr| {
            Arc::new(vec![Statement {
                line,
                kind: Kind::Expr(expr),
            }])
        };
        let kind = match self.word().as_deref() {
            Some("if") => {
                self.at += 2;
                let condition = self.expression()?;
                Kind::Expr(Expr::Chain(Box::new(condition), vec![("&&", expr)]))
            }
            Some("unless") => {
                self.at += 6;
                let condition = self.expression()?;
                Kind::Expr(Expr::Chain(Box::new(condition), vec![("||", expr)]))
            }
            Some(word @ ("while" | "until")) => {
                let negated = word == "until";
                self.at += 5;
                let condition = looped(self.expression()?);
                let condition = if negated {
                    Expr::Not(Box::new(condition))
                } else {
                    condition
                };
                let body_first = matches!(expr, Expr::BlockOf(_));
                let body = match expr {
                    Expr::BlockOf(block) => block,
                    expr => wrap(expr),
                };
                Kind::While {
                    label: None,
                    condition,
                    body,
                    step: None,
                    first: None,
                    body_first,
                }
            }
            Some(word @ ("for" | "foreach")) => {
                self.at += word.len();
                let list = self.expression()?;
                Kind::Foreach {
                    label: None,
                    variable: "_".to_owned(),
                    own: false,
                    list,
                    body: wrap(expr),
                }
            }
            _ => Kind::Expr(expr),
        };
        self.blanks();
        if !self.sign(";") && self.peek() != b'}' && self.at < self.text.len() {
            return Err(self.near());
        }
        Ok(kind)
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
            if matches!(*right, Expr::ReadLine(_))
                && !matches!(*left, Expr::My(_, true, _) | Expr::List(_) | Expr::Array(_)) =>
        {
            defined(Expr::Assign(None, left, right))
        }
        other => other,
    }
}
