//! Expressions.

use super::{Argument, Failure, Parser};
use crate::text::awk::lexer::Token;
use crate::text::awk::op::{Arithmetic, Comparison, Op, Place, Source};

/// What an expression left behind: a value on the stack, or a place that it could be loaded from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operand {
    Value,
    Place(Place),
}

impl Parser {
    /// An expression whose value is left on the stack.
    pub(super) fn expression(&mut self) -> Result<(), Failure> {
        let operand = self.ternary()?;
        self.load(operand);
        Ok(())
    }

    fn load(&mut self, operand: Operand) {
        if let Operand::Place(place) = operand {
            self.emit(Op::Load(place));
        }
    }

    pub(super) fn ternary(&mut self) -> Result<Operand, Failure> {
        self.deeper()?;
        let operand = self.or()?;
        let result = if self.take_mark("?") {
            self.load(operand);
            let otherwise = self.emit(Op::JumpIfFalse(0));
            self.skip_newlines();
            self.expression()?;
            let end = self.emit(Op::Jump(0));
            self.skip_newlines();
            self.expect(":")?;
            self.skip_newlines();
            self.aim_here(otherwise);
            self.expression()?;
            self.aim_here(end);
            Operand::Value
        } else {
            operand
        };
        self.depth -= 1;
        Ok(result)
    }

    fn or(&mut self) -> Result<Operand, Failure> {
        let mut operand = self.and()?;
        while self.take_mark("||") {
            self.load(operand);
            let jump = self.emit(Op::OrElse(0));
            self.skip_newlines();
            let right = self.and()?;
            self.load(right);
            self.emit(Op::ToBool);
            self.aim_here(jump);
            operand = Operand::Value;
        }
        Ok(operand)
    }

    fn and(&mut self) -> Result<Operand, Failure> {
        let mut operand = self.membership()?;
        while self.take_mark("&&") {
            self.load(operand);
            let jump = self.emit(Op::AndThen(0));
            self.skip_newlines();
            let right = self.membership()?;
            self.load(right);
            self.emit(Op::ToBool);
            self.aim_here(jump);
            operand = Operand::Value;
        }
        Ok(operand)
    }

    fn membership(&mut self) -> Result<Operand, Failure> {
        let mut operand = self.matching()?;
        while self.is_keyword("in") {
            self.advance();
            self.load(operand);
            let Token::Name(name) = self.token().clone() else {
                return Err(self.unexpected());
            };
            self.advance();
            let array = self.array(&name);
            self.emit(Op::In(array));
            operand = Operand::Value;
        }
        Ok(operand)
    }

    fn matching(&mut self) -> Result<Operand, Failure> {
        let mut operand = self.comparison()?;
        while self.is_mark("~") || self.is_mark("!~") {
            let negated = self.is_mark("!~");
            self.advance();
            self.load(operand);
            if !self.plain_regex()? {
                let right = self.comparison()?;
                self.load(right);
            }
            self.emit(Op::Match(negated));
            operand = Operand::Value;
        }
        Ok(operand)
    }

    /// A regular expression that stands alone, as a pattern rather than a match of `$0`.
    fn plain_regex(&mut self) -> Result<bool, Failure> {
        let Token::Regex(pattern) = self.token().clone() else {
            return Ok(false);
        };
        let index = self.regex(&pattern)?;
        self.advance();
        self.emit(Op::Regex(index));
        Ok(true)
    }

    fn comparison(&mut self) -> Result<Operand, Failure> {
        let mut operand = self.concatenation()?;
        loop {
            if self.is_mark("|") && matches!(self.token_ahead(1), Token::Keyword("getline")) {
                self.load(operand);
                self.advance();
                self.advance();
                let place = self.getline_place()?;
                self.emit(Op::Getline {
                    source: Source::Command,
                    place,
                });
                operand = Operand::Value;
                continue;
            }
            let comparison = match self.token() {
                Token::Mark("<") => Comparison::Less,
                Token::Mark("<=") => Comparison::LessEqual,
                Token::Mark("==") => Comparison::Equal,
                Token::Mark("!=") => Comparison::NotEqual,
                Token::Mark(">=") => Comparison::GreaterEqual,
                Token::Mark(">") if !self.no_greater => Comparison::Greater,
                _ => return Ok(operand),
            };
            self.advance();
            self.load(operand);
            let right = self.concatenation()?;
            self.load(right);
            self.emit(Op::Compare(comparison));
            operand = Operand::Value;
        }
    }

    pub(super) fn concatenation(&mut self) -> Result<Operand, Failure> {
        let mut operand = self.additive()?;
        while self.starts_operand() {
            self.load(operand);
            let right = self.additive()?;
            self.load(right);
            self.emit(Op::Concat);
            operand = Operand::Value;
        }
        Ok(operand)
    }

    fn starts_operand(&self) -> bool {
        match self.token() {
            Token::Number(_)
            | Token::Text(_)
            | Token::Regex(_)
            | Token::Name(_)
            | Token::Call(_)
            | Token::Builtin(_) => true,
            Token::Mark(mark) => matches!(*mark, "$" | "(" | "!" | "++" | "--"),
            _ => false,
        }
    }

    fn additive(&mut self) -> Result<Operand, Failure> {
        let mut operand = self.multiplicative()?;
        loop {
            let operation = match self.token() {
                Token::Mark("+") => Arithmetic::Add,
                Token::Mark("-") => Arithmetic::Subtract,
                _ => return Ok(operand),
            };
            self.advance();
            self.load(operand);
            let right = self.multiplicative()?;
            self.load(right);
            self.emit(Op::Arithmetic(operation));
            operand = Operand::Value;
        }
    }

    fn multiplicative(&mut self) -> Result<Operand, Failure> {
        let mut operand = self.unary()?;
        loop {
            let operation = match self.token() {
                Token::Mark("*") => Arithmetic::Multiply,
                Token::Mark("/") => Arithmetic::Divide,
                Token::Mark("%") => Arithmetic::Modulo,
                _ => return Ok(operand),
            };
            self.advance();
            self.load(operand);
            let right = self.unary()?;
            self.load(right);
            self.emit(Op::Arithmetic(operation));
            operand = Operand::Value;
        }
    }

    fn unary(&mut self) -> Result<Operand, Failure> {
        let op = match self.token() {
            Token::Mark("!") => Op::Not,
            Token::Mark("-") => Op::Negate,
            Token::Mark("+") => Op::Plus,
            _ => return self.power(),
        };
        self.advance();
        self.deeper()?;
        let operand = self.unary()?;
        self.depth -= 1;
        self.load(operand);
        self.emit(op);
        Ok(Operand::Value)
    }

    fn power(&mut self) -> Result<Operand, Failure> {
        let operand = self.postfix()?;
        if !self.take_mark("^") {
            return Ok(operand);
        }
        self.load(operand);
        self.deeper()?;
        // `2^-1`, and to the right first.
        let right = self.unary()?;
        self.depth -= 1;
        self.load(right);
        self.emit(Op::Arithmetic(Arithmetic::Power));
        Ok(Operand::Value)
    }

    fn postfix(&mut self) -> Result<Operand, Failure> {
        self.deeper()?;
        let operand = self.primary()?;
        self.depth -= 1;
        let Operand::Place(place) = operand else {
            return Ok(operand);
        };
        for (mark, by) in [("++", 1.0), ("--", -1.0)] {
            if self.take_mark(mark) {
                self.emit(Op::Step {
                    place,
                    by,
                    old: true,
                });
                return Ok(Operand::Value);
            }
        }
        self.assignment(place)
    }

    fn assignment(&mut self, place: Place) -> Result<Operand, Failure> {
        let operation = match self.token() {
            Token::Mark("=") => None,
            Token::Mark("+=") => Some(Arithmetic::Add),
            Token::Mark("-=") => Some(Arithmetic::Subtract),
            Token::Mark("*=") => Some(Arithmetic::Multiply),
            Token::Mark("/=") => Some(Arithmetic::Divide),
            Token::Mark("%=") => Some(Arithmetic::Modulo),
            Token::Mark("^=") => Some(Arithmetic::Power),
            _ => return Ok(Operand::Place(place)),
        };
        self.advance();
        self.skip_newlines();
        if operation.is_some() {
            self.emit(Op::LoadKeep(place));
        }
        self.expression()?;
        if let Some(operation) = operation {
            self.emit(Op::Arithmetic(operation));
        }
        self.emit(Op::Store(place));
        Ok(Operand::Value)
    }

    fn primary(&mut self) -> Result<Operand, Failure> {
        match self.token().clone() {
            Token::Number(value) => {
                self.advance();
                self.emit(Op::Number(value));
            }
            Token::Text(text) => {
                self.advance();
                self.emit(Op::Text(text.into()));
            }
            Token::Regex(pattern) => {
                let index = self.regex(&pattern)?;
                self.advance();
                self.emit(Op::MatchRecord(index));
            }
            Token::Name(name) => {
                self.advance();
                return self.name(&name);
            }
            Token::Call(name) => return self.call(&name),
            Token::Builtin(name) => return self.builtin(name),
            Token::Keyword("getline") => {
                self.advance();
                let place = self.getline_place()?;
                let source = if self.take_mark("<") {
                    let file = self.primary()?;
                    self.load(file);
                    Source::File
                } else {
                    Source::Main
                };
                self.emit(Op::Getline { source, place });
            }
            Token::Mark("$") => {
                self.advance();
                self.deeper()?;
                let operand = self.field_number()?;
                self.depth -= 1;
                self.load(operand);
                return Ok(Operand::Place(Place::Field));
            }
            Token::Mark(mark @ ("++" | "--")) => {
                self.advance();
                self.deeper()?;
                let operand = self.primary()?;
                self.depth -= 1;
                let Operand::Place(place) = operand else {
                    return Err(self.unexpected());
                };
                let by = if mark == "++" { 1.0 } else { -1.0 };
                self.emit(Op::Step {
                    place,
                    by,
                    old: false,
                });
            }
            Token::Mark("(") => return self.parenthesis(),
            Token::Mark("-" | "+" | "!") => return self.unary(),
            _ => return Err(self.unexpected()),
        }
        Ok(Operand::Value)
    }

    /// What stands behind a `$`: it binds tighter than anything but the steps before a name.
    fn field_number(&mut self) -> Result<Operand, Failure> {
        match self.token() {
            Token::Mark(mark @ ("-" | "+" | "!")) => {
                let op = match *mark {
                    "-" => Op::Negate,
                    "+" => Op::Plus,
                    _ => Op::Not,
                };
                self.advance();
                let operand = self.primary()?;
                self.load(operand);
                self.emit(op);
                Ok(Operand::Value)
            }
            _ => self.primary(),
        }
    }

    fn name(&mut self, name: &[u8]) -> Result<Operand, Failure> {
        if !self.is_mark("[") {
            if self.functions.contains_key(name) && !self.locals.contains_key(name) {
                return Err(
                    self.complaint(&[b"illegal reference to function ".as_slice(), name].concat())
                );
            }
            let variable = self.variable(name);
            return Ok(Operand::Place(Place::Variable(variable)));
        }
        self.advance();
        let outer = std::mem::replace(&mut self.no_greater, false);
        self.subscript()?;
        self.no_greater = outer;
        self.expect("]")?;
        let array = self.array(name);
        Ok(Operand::Place(Place::Element(array)))
    }

    /// One or more subscripts, joined.
    pub(super) fn subscript(&mut self) -> Result<(), Failure> {
        let mut count = 1;
        self.expression()?;
        while self.take_mark(",") {
            self.skip_newlines();
            self.expression()?;
            count += 1;
        }
        if count > 1 {
            self.emit(Op::Join(count));
        }
        Ok(())
    }

    fn parenthesis(&mut self) -> Result<Operand, Failure> {
        self.advance();
        let outer = std::mem::replace(&mut self.no_greater, false);
        let mut count = 1;
        self.expression()?;
        while self.take_mark(",") {
            self.skip_newlines();
            self.expression()?;
            count += 1;
        }
        self.no_greater = outer;
        self.expect(")")?;
        if count > 1 {
            if !self.is_keyword("in") {
                return Err(self.unexpected());
            }
            self.emit(Op::Join(count));
        }
        Ok(Operand::Value)
    }

    fn getline_place(&mut self) -> Result<Option<Place>, Failure> {
        if !matches!(self.token(), Token::Name(_) | Token::Mark("$")) {
            return Ok(None);
        }
        match self.primary()? {
            Operand::Place(place) => Ok(Some(place)),
            Operand::Value => Err(self.unexpected()),
        }
    }

    // ---- calls ---------------------------------------------------------------------------------

    fn call(&mut self, name: &[u8]) -> Result<Operand, Failure> {
        self.advance();
        self.expect("(")?;
        let callee = self.function_named(name);
        let outer = std::mem::replace(&mut self.no_greater, false);
        let mut count = 0;
        self.skip_newlines();
        while !self.is_mark(")") {
            let operand = self.ternary()?;
            if let Operand::Place(place) = operand {
                let at = self.emit(Op::Load(place));
                if let Place::Variable(variable) = place {
                    let caller = self.function;
                    self.arguments.push(Argument {
                        at,
                        caller,
                        variable,
                        callee,
                        position: count,
                    });
                }
            }
            count += 1;
            self.skip_newlines();
            if !self.take_mark(",") {
                break;
            }
            self.skip_newlines();
        }
        self.no_greater = outer;
        self.expect(")")?;
        self.emit(Op::Call {
            function: callee,
            args: count,
        });
        Ok(Operand::Value)
    }

    fn builtin(&mut self, name: &'static str) -> Result<Operand, Failure> {
        self.advance();
        if !self.is_mark("(") {
            if name != "length" {
                return Err(self.unexpected());
            }
            self.emit(Op::Builtin { name, args: 0 });
            return Ok(Operand::Value);
        }
        self.advance();
        let outer = std::mem::replace(&mut self.no_greater, false);
        self.skip_newlines();
        match name {
            "sub" | "gsub" => self.substitution(name == "gsub")?,
            "split" => self.split()?,
            _ => self.plain_builtin(name)?,
        }
        self.no_greater = outer;
        self.skip_newlines();
        self.expect(")")?;
        Ok(Operand::Value)
    }

    fn plain_builtin(&mut self, name: &'static str) -> Result<(), Failure> {
        let mut args = 0;
        while !self.is_mark(")") {
            let pattern = name == "match" && args == 1;
            if !(pattern && self.regex_argument()?) {
                let operand = self.ternary()?;
                if let (Operand::Place(Place::Variable(variable)), "length", true) =
                    (operand, name, self.is_mark(")"))
                {
                    // Of an array it is the number of elements; which it is shows when it runs.
                    self.emit(Op::Length(variable));
                    return Ok(());
                }
                self.load(operand);
            }
            args += 1;
            self.skip_newlines();
            if !self.take_mark(",") {
                break;
            }
            self.skip_newlines();
        }
        let (least, most) = match name {
            "rand" | "systime" => (0, 0),
            "length" | "srand" | "fflush" => (0, 1),
            "index" | "match" | "atan2" => (2, 2),
            "substr" => (2, 3),
            "sprintf" => (1, usize::MAX),
            "strftime" => (0, 3),
            _ => (1, 1),
        };
        if args < least || args > most {
            return Err(
                self.complaint(format!("wrong number of arguments in call to {name}").as_bytes())
            );
        }
        self.emit(Op::Builtin { name, args });
        Ok(())
    }

    /// A regular expression that is a whole argument.
    fn regex_argument(&mut self) -> Result<bool, Failure> {
        if matches!(self.token(), Token::Regex(_))
            && matches!(self.token_ahead(1), Token::Mark("," | ")"))
        {
            return self.plain_regex();
        }
        Ok(false)
    }

    fn substitution(&mut self, global: bool) -> Result<(), Failure> {
        if !self.regex_argument()? {
            self.expression()?;
        }
        self.expect(",")?;
        self.skip_newlines();
        self.expression()?;
        let place = if self.take_mark(",") {
            self.skip_newlines();
            match self.ternary()? {
                Operand::Place(place) => place,
                Operand::Value => return Err(self.unexpected()),
            }
        } else {
            self.emit(Op::Number(0.0));
            Place::Field
        };
        self.emit(Op::Substitute { global, place });
        Ok(())
    }

    fn split(&mut self) -> Result<(), Failure> {
        self.expression()?;
        self.expect(",")?;
        self.skip_newlines();
        let Token::Name(name) = self.token().clone() else {
            return Err(self.unexpected());
        };
        self.advance();
        let array = self.array(&name);
        let mut args = 2;
        if self.take_mark(",") {
            self.skip_newlines();
            if !self.regex_argument()? {
                self.expression()?;
            }
            args = 3;
        }
        self.emit(Op::Split { array, args });
        Ok(())
    }
}
