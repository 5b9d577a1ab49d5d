//! From the arguments of `test` to a postfix program.

use sundew_sh_syntax::Dialect;

/// One step of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation<'a> {
    /// Pushes a value.
    Value(bool),
    /// Pushes what a test with one operand says.
    Unary(&'a [u8], &'a [u8]),
    /// Pushes what a test with two operands says.
    Binary(&'a [u8], &'a [u8], &'a [u8]),
    /// Negates the top.
    Not,
    /// Joins the two on top.
    And,
    /// Joins the two on top.
    Or,
}

/// Deepest nesting of parentheses; real shells recurse until their stack ends.
const MAX_DEPTH: u32 = 256;

/// The program, and what is wrong with the arguments behind its end.
pub(super) fn parse(args: &[Vec<u8>], dialect: Dialect) -> (Vec<Operation<'_>>, Option<Vec<u8>>) {
    let mut parser = Parser {
        args,
        at: 0,
        end: args.len(),
        dialect,
        program: Vec::new(),
        depth: 0,
    };
    let result = if dialect == Dialect::Bash {
        parser.bash()
    } else {
        parser.ash()
    };
    (parser.program, result.err())
}

type Result<T = ()> = std::result::Result<T, Vec<u8>>;

struct Parser<'a> {
    args: &'a [Vec<u8>],
    at: usize,
    /// Where the arguments end.
    end: usize,
    dialect: Dialect,
    program: Vec<Operation<'a>>,
    depth: u32,
}

impl<'a> Parser<'a> {
    fn peek(&self, ahead: usize) -> Option<&'a [u8]> {
        let index = self.at + ahead;
        if index < self.end {
            self.args.get(index).map(Vec::as_slice)
        } else {
            None
        }
    }

    fn text(&self, ahead: usize) -> &'a [u8] {
        self.peek(ahead).unwrap_or_default()
    }

    fn push(&mut self, operation: Operation<'a>) {
        self.program.push(operation);
    }

    fn enter(&mut self) -> Result {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            Err(b"too many arguments".to_vec())
        } else {
            Ok(())
        }
    }

    // ---- bash ----------------------------------------------------------------------------------

    fn bash(&mut self) -> Result {
        match self.end {
            0 => self.push(Operation::Value(false)),
            1 => self.one(),
            2 => self.two()?,
            3 => self.three()?,
            4 if self.text(0) == b"!" => {
                self.at += 1;
                self.three()?;
                self.push(Operation::Not);
            }
            4 if self.text(0) == b"(" && self.text(3) == b")" => {
                self.at += 1;
                self.two()?;
                self.at += 1;
            }
            _ => self.or()?,
        }
        match self.peek(0) {
            None => Ok(()),
            Some(rest) if rest.starts_with(b"-") => {
                Err([b"syntax error: `".as_slice(), rest, b"' unexpected"].concat())
            }
            Some(_) => Err(b"too many arguments".to_vec()),
        }
    }

    fn one(&mut self) {
        self.push(Operation::Value(!self.text(0).is_empty()));
        self.at += 1;
    }

    fn two(&mut self) -> Result {
        let (first, second) = (self.text(0), self.text(1));
        if first == b"!" {
            self.push(Operation::Value(second.is_empty()));
        } else if is_unary(first, Dialect::Bash) {
            self.push(Operation::Unary(first, second));
        } else {
            return Err([first, b": unary operator expected"].concat());
        }
        self.at += 2;
        Ok(())
    }

    fn three(&mut self) -> Result {
        let (first, second, third) = (self.text(0), self.text(1), self.text(2));
        if is_binary(second, Dialect::Bash) {
            self.push(Operation::Binary(first, second, third));
        } else if matches!(second, b"-a" | b"-o") {
            self.push(Operation::Value(!first.is_empty()));
            self.push(Operation::Value(!third.is_empty()));
            self.push(if second == b"-a" {
                Operation::And
            } else {
                Operation::Or
            });
        } else if first == b"!" {
            self.at += 1;
            self.two()?;
            self.push(Operation::Not);
            return Ok(());
        } else if first == b"(" && third == b")" {
            self.push(Operation::Value(!second.is_empty()));
        } else {
            return Err([second, b": binary operator expected"].concat());
        }
        self.at += 3;
        Ok(())
    }

    fn or(&mut self) -> Result {
        self.and()?;
        while self.peek(0) == Some(b"-o") {
            self.at += 1;
            self.and()?;
            self.push(Operation::Or);
        }
        Ok(())
    }

    fn and(&mut self) -> Result {
        self.term()?;
        while self.peek(0) == Some(b"-a") {
            self.at += 1;
            self.term()?;
            self.push(Operation::And);
        }
        Ok(())
    }

    fn term(&mut self) -> Result {
        let beyond = || b"argument expected".to_vec();
        let mut negated = false;
        while self.peek(0) == Some(b"!") {
            self.at += 1;
            negated = !negated;
        }
        let first = self.peek(0).ok_or_else(beyond)?;
        if first == b"(" {
            self.parenthesised(beyond)?;
        } else if self.peek(2).is_some() && is_binary(self.text(1), Dialect::Bash) {
            self.push(Operation::Binary(first, self.text(1), self.text(2)));
            self.at += 3;
        } else if self.peek(1).is_some() && is_unary(first, Dialect::Bash) {
            self.push(Operation::Unary(first, self.text(1)));
            self.at += 2;
        } else {
            self.one();
        }
        if negated {
            self.push(Operation::Not);
        }
        Ok(())
    }

    fn parenthesised(&mut self, beyond: impl Fn() -> Vec<u8>) -> Result {
        self.enter()?;
        self.at += 1;
        self.peek(0).ok_or_else(beyond)?;
        self.or()?;
        self.depth -= 1;
        match self.peek(0) {
            Some(b")") => {
                self.at += 1;
                Ok(())
            }
            None => Err(b"`)' expected".to_vec()),
            Some(other) => Err([b"`)' expected, found ".as_slice(), other].concat()),
        }
    }

    // ---- dash and ash --------------------------------------------------------------------------

    fn ash(&mut self) -> Result {
        if self.end == 0 {
            self.push(Operation::Value(false));
            return Ok(());
        }
        let mut negated = false;
        let mut operand = false;
        loop {
            let count = self.end - self.at;
            if count == 3 && is_binary(self.text(1), self.dialect) {
                operand = true;
            } else if matches!(count, 3 | 4) && self.text(0) == b"(" && self.text(count - 1) == b")"
            {
                self.at += 1;
                self.end -= 1;
            } else if matches!(count, 3 | 4) && self.text(0) == b"!" {
                self.at += 1;
                negated = true;
                continue;
            }
            break;
        }
        let kind = if operand { Kind::Operand } else { self.kind() };
        self.ash_or(kind)?;
        if negated {
            self.push(Operation::Not);
        }
        if self.dialect == Dialect::Dash {
            match (self.peek(0), self.peek(1)) {
                (Some(last), Some(_)) => Err([last, b": unexpected operator"].concat()),
                _ => Ok(()),
            }
        } else {
            self.peek(1)
                .map_or(Ok(()), |next| Err([next, b": unknown operand"].concat()))
        }
    }

    /// What the current argument is; dash looks ahead to tell operators from operands.
    fn kind(&self) -> Kind {
        let Some(word) = self.peek(0) else {
            return Kind::End;
        };
        match word {
            b"!" => Kind::Not,
            b"(" if self.peek(1).is_some() => Kind::Open,
            b")" => Kind::Close,
            b"-a" => Kind::And,
            b"-o" => Kind::Or,
            word if is_unary(word, self.dialect) && !self.is_operand() => Kind::Unary,
            _ => Kind::Operand,
        }
    }

    fn is_operand(&self) -> bool {
        match (self.peek(1), self.peek(2)) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(next), Some(_)) => is_binary(next, self.dialect),
        }
    }

    fn ash_or(&mut self, kind: Kind) -> Result {
        self.ash_and(kind)?;
        loop {
            self.at += 1;
            if self.kind() != Kind::Or {
                self.at -= 1;
                return Ok(());
            }
            self.at += 1;
            let kind = self.kind();
            self.ash_and(kind)?;
            self.push(Operation::Or);
        }
    }

    fn ash_and(&mut self, kind: Kind) -> Result {
        self.ash_not(kind)?;
        loop {
            self.at += 1;
            if self.kind() != Kind::And {
                self.at -= 1;
                return Ok(());
            }
            self.at += 1;
            let kind = self.kind();
            self.ash_not(kind)?;
            self.push(Operation::And);
        }
    }

    fn ash_not(&mut self, mut kind: Kind) -> Result {
        let mut negated = false;
        while kind == Kind::Not {
            if self.peek(1).is_none() {
                // A lone `!` is a string that is not empty.
                if self.end == 1 {
                    self.push(Operation::Value(true));
                    return Ok(());
                }
                kind = Kind::End;
            } else {
                self.at += 1;
                kind = self.kind();
            }
            negated = !negated;
        }
        self.ash_primary(kind)?;
        if negated {
            self.push(Operation::Not);
        }
        Ok(())
    }

    fn ash_primary(&mut self, kind: Kind) -> Result {
        let first = self.text(0);
        match kind {
            Kind::End if self.dialect == Dialect::Ash => return Err(b"argument expected".to_vec()),
            Kind::End => self.push(Operation::Value(false)),
            Kind::Open => {
                self.enter()?;
                self.at += 1;
                let inner = self.kind();
                if inner == Kind::Close && self.dialect == Dialect::Dash {
                    self.push(Operation::Value(false));
                    return Ok(());
                }
                self.ash_or(inner)?;
                self.at += 1;
                if self.kind() != Kind::Close {
                    return Err(b"closing paren expected".to_vec());
                }
                self.depth -= 1;
            }
            Kind::Unary => {
                self.push(Operation::Unary(first, self.text(1)));
                self.at += 1;
            }
            _ if is_binary(self.text(1), self.dialect) && self.peek(1).is_some() => {
                let operator = self.text(1);
                let Some(right) = self.peek(2) else {
                    return Err([operator, b": argument expected"].concat());
                };
                self.push(Operation::Binary(first, operator, right));
                self.at += 2;
            }
            _ => self.push(Operation::Value(!first.is_empty())),
        }
        Ok(())
    }
}

/// What one argument is to dash's grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    End,
    Not,
    And,
    Or,
    Open,
    Close,
    Unary,
    Operand,
}

fn is_unary(word: &[u8], dialect: Dialect) -> bool {
    let [b'-', letter] = word else { return false };
    let letters: &[u8] = match dialect {
        Dialect::Bash => b"abcdefghknoprstuvwxzGLNORS",
        Dialect::Dash | Dialect::Ash => b"bcdefghknprstuwxzGLOS",
    };
    letters.contains(letter)
}

fn is_binary(word: &[u8], dialect: Dialect) -> bool {
    match word {
        b"=" | b"!=" | b"<" | b">" | b"-eq" | b"-ne" | b"-lt" | b"-le" | b"-gt" | b"-ge"
        | b"-nt" | b"-ot" | b"-ef" => true,
        b"==" => dialect != Dialect::Dash,
        _ => false,
    }
}
