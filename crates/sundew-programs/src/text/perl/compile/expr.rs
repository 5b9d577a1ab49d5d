//! Expressions.

use super::super::ast::Pattern;
use super::*;

impl Compiler<'_> {
    /// An expression whose value nobody wants.
    pub(super) fn void(&mut self, expr: &Expr) -> Outcome {
        match expr {
            Expr::Line(line, inner) => {
                self.line = *line;
                self.void(inner)
            }
            Expr::Chain(first, rest) if rest.len() == 1 => {
                // `… if …`, `… or …`: nothing is left on the stack whichever way it goes.
                let Some((sign, right)) = rest.first() else {
                    return Ok(());
                };
                let jump = match *sign {
                    "&&" => Op::JumpFalse as fn(usize) -> Op,
                    "||" => Op::JumpTrue,
                    _ => {
                        self.scalar(expr)?;
                        self.emit(Op::Pop);
                        return Ok(());
                    }
                };
                self.deeper(|own| {
                    own.scalar(first)?;
                    let over = own.jump(jump);
                    own.void(right)?;
                    own.land(over);
                    Ok(())
                })
            }
            Expr::Choice(condition, yes, no) => self.deeper(|own| {
                own.scalar(condition)?;
                let over = own.jump(Op::JumpFalse);
                own.void(yes)?;
                let end = own.jump(Op::Jump);
                own.land(over);
                own.void(no)?;
                own.land(end);
                Ok(())
            }),
            expr => {
                self.scalar(expr)?;
                self.emit(Op::Pop);
                Ok(())
            }
        }
    }

    pub(super) fn scalar(&mut self, expr: &Expr) -> Outcome {
        self.expr(expr, Want::Scalar)
    }

    pub(super) fn expr(&mut self, expr: &Expr, want: Want) -> Outcome {
        self.deeper(|own| own.any(expr, want))
    }

    /// Values one after the other behind a mark.
    pub(super) fn marked(&mut self, items: &[Expr]) -> Outcome {
        self.emit(Op::Mark);
        for item in items {
            self.expr(item, Want::List)?;
        }
        Ok(())
    }

    fn any(&mut self, expr: &Expr, want: Want) -> Outcome {
        match expr {
            Expr::Number(number) => self.constant(Value::Num(*number)),
            Expr::Integer(number) => self.constant(Value::Int(*number)),
            Expr::Text(text) => self.constant(Value::text(text.clone())),
            Expr::Joined(parts) => self.joined(parts)?,
            Expr::Scalar(name) => self.variable(name)?,
            Expr::Array(_) | Expr::Hash(_) => {
                self.container(expr, false)?;
                self.emit(Op::Flatten(want));
            }
            Expr::Index(..) | Expr::Key(..) | Expr::Deref(_) => self.element(expr)?,
            Expr::Slice(..) | Expr::KeySlice(..) => {
                if want == Want::Scalar {
                    self.emit(Op::Mark);
                }
                self.slice(expr, false)?;
                if want == Want::Scalar {
                    self.emit(Op::LastOf);
                }
            }
            Expr::ListSlice(list, indices) => {
                self.emit(Op::Mark);
                self.expr(list, Want::List)?;
                self.emit(Op::Mark);
                self.expr(indices, Want::List)?;
                self.emit(Op::ListSlice(want));
            }
            Expr::LastIndex(base) => {
                self.array(base, false)?;
                self.emit(Op::LastIndex);
            }
            Expr::My(places, parenthesis, _) => self.declaration(places, *parenthesis, want)?,
            Expr::Local(_) => {
                self.place(expr)?;
                self.emit(Op::Load);
            }
            Expr::Line(line, inner) => {
                self.line = *line;
                self.emit(Op::Line(*line));
                self.expr(inner, want)?;
            }
            Expr::List(items) => self.comma(items, want)?,
            Expr::Assign(operation, left, right) => self.assign(*operation, left, right, want)?,
            Expr::Step { up, before, place } => {
                self.place(place)?;
                self.emit(Op::Step {
                    up: *up,
                    before: *before,
                });
            }
            Expr::Ref(inner) => self.reference(inner)?,
            Expr::NewArray(items) => {
                self.marked(items)?;
                self.emit(Op::MakeArray);
            }
            Expr::NewHash(items) => {
                self.marked(items)?;
                self.emit(Op::MakeHash);
            }
            Expr::NewSub(body) => {
                let chunk = self.function(body)?;
                let at = self.add_sub(chunk);
                self.emit(Op::MakeSub(at));
            }
            Expr::Named(name) => {
                let name = qualified(name, &self.package);
                self.emit(Op::NamedSub(name));
            }
            Expr::Call(..) | Expr::CallOf(..) | Expr::Method(..) | Expr::MethodOf(..) => {
                self.call(expr, want)?;
            }
            Expr::Do(name, operands) => self.builtin(name, operands, want)?,
            Expr::Handle(name) => {
                let strict = self.strict;
                self.emit(Op::Bareword(name.clone(), strict));
            }
            Expr::Glob(name) => self.constant(Value::text(format!("*main::{name}"))),
            _ => self.rest(expr, want)?,
        }
        Ok(())
    }

    /// Operators, patterns and what has a flow of its own.
    #[expect(clippy::too_many_lines, reason = "an arm for each kind of expression")]
    fn rest(&mut self, expr: &Expr, want: Want) -> Outcome {
        match expr {
            Expr::Binary(sign, left, right) => {
                self.scalar(left)?;
                self.scalar(right)?;
                self.emit(Op::Binary(sign));
            }
            Expr::Chain(first, rest) => self.chain(first, rest, want)?,
            Expr::Not(inner) => {
                self.scalar(inner)?;
                self.emit(Op::Not);
            }
            Expr::Minus(inner) => {
                self.scalar(inner)?;
                self.emit(Op::Negate);
            }
            Expr::Flip(inner) => {
                self.scalar(inner)?;
                self.emit(Op::Complement);
            }
            Expr::Choice(condition, yes, no) => {
                self.scalar(condition)?;
                let over = self.jump(Op::JumpFalse);
                self.expr(yes, want)?;
                let end = self.jump(Op::Jump);
                self.land(over);
                self.expr(no, want)?;
                self.land(end);
            }
            Expr::Range(from, to) => self.range(from, to, want)?,
            Expr::Repeat(left, count) => {
                let list = want != Want::Scalar && matches!(**left, Expr::List(_));
                if list {
                    self.emit(Op::Mark);
                    self.expr(left, Want::List)?;
                } else {
                    self.scalar(left)?;
                }
                self.scalar(count)?;
                self.emit(if list { Op::RepeatList } else { Op::Repeat });
            }
            Expr::Match { .. } | Expr::Substitute { .. } | Expr::Translate { .. } => {
                self.matching(expr, want)?;
            }
            Expr::Compiled(pattern) => {
                self.scalar(&pattern.text)?;
                self.emit(Op::Compiled(pattern.flags.clone()));
            }
            Expr::ReadLine(handle) => {
                self.handle(handle)?;
                self.emit(Op::ReadLine(want));
            }
            Expr::FileTest(letter, operand) => {
                self.handle(operand)?;
                self.emit(Op::FileTest(*letter));
            }
            Expr::Print { kind, handle, list } => {
                self.marked(list)?;
                match handle {
                    Some(handle) => self.handle(handle)?,
                    None => self.constant(Value::Undef),
                }
                self.emit(Op::Print(kind));
            }
            Expr::Sort(by, list) => self.sort(by.as_deref(), list, want)?,
            Expr::Each { keeps, body, list } => self.each(*keeps, body, list, want)?,
            Expr::BlockOf(block) => self.block(block, Some(want))?,
            Expr::Eval(block) => {
                let enter = self.here();
                self.emit(Op::EvalEnter(0, want));
                self.block(block, Some(want))?;
                self.emit(Op::EvalLeave);
                self.land(enter);
            }
            Expr::Command(command) => {
                self.scalar(command)?;
                self.emit(Op::Command(want));
            }
            Expr::Return(value) => {
                self.emit(Op::Mark);
                if let Some(value) = value {
                    self.expr(value, Want::Caller)?;
                }
                self.emit(Op::Return);
            }
            Expr::Next(label) => self.emit(Op::Next(label.as_deref().map(Arc::from))),
            Expr::Last(label) => self.emit(Op::Last(label.as_deref().map(Arc::from))),
            Expr::Redo(label) => self.emit(Op::Redo(label.as_deref().map(Arc::from))),
            _ => self.constant(Value::Undef),
        }
        Ok(())
    }

    fn joined(&mut self, parts: &[Expr]) -> Outcome {
        self.emit(Op::Mark);
        for part in parts {
            if matches!(part, Expr::Array(_) | Expr::Slice(..) | Expr::KeySlice(..)) {
                self.emit(Op::Mark);
                self.expr(part, Want::List)?;
                self.emit(Op::JoinList);
            } else {
                self.scalar(part)?;
            }
        }
        self.emit(Op::Join);
        Ok(())
    }

    fn comma(&mut self, items: &[Expr], want: Want) -> Outcome {
        if want != Want::Scalar {
            for item in items {
                self.expr(item, want)?;
            }
            return Ok(());
        }
        let Some((last, others)) = items.split_last() else {
            self.constant(Value::Undef);
            return Ok(());
        };
        for item in others {
            self.void(item)?;
        }
        self.scalar(last)
    }

    fn chain(&mut self, first: &Expr, rest: &[(&'static str, Expr)], want: Want) -> Outcome {
        self.scalar(first)?;
        let count = rest.len();
        for (at, (sign, right)) in rest.iter().enumerate() {
            let make = match *sign {
                "&&" => Op::AndJump as fn(usize) -> Op,
                "||" => Op::OrJump,
                "//" => Op::DefJump,
                sign => {
                    self.scalar(right)?;
                    self.emit(Op::Binary(sign));
                    continue;
                }
            };
            let over = self.jump(make);
            // The last operand is wanted as the whole is.
            let own = if at + 1 == count { want } else { Want::Scalar };
            self.expr(right, own)?;
            self.land(over);
        }
        Ok(())
    }

    fn range(&mut self, from: &Expr, to: &Expr, want: Want) -> Outcome {
        if want != Want::Scalar {
            self.scalar(from)?;
            self.scalar(to)?;
            self.emit(Op::Range);
            return Ok(());
        }
        let flip = self.symbols.flips;
        self.symbols.flips += 1;
        let open = self.jump(|to| Op::FlipTest(flip, to));
        self.edge(from)?;
        let closed = self.jump(Op::JumpFalse);
        self.emit(Op::FlipOn(flip));
        self.land(open);
        self.edge(to)?;
        self.emit(Op::FlipEnd(flip));
        let end = self.jump(Op::Jump);
        self.land(closed);
        self.constant(Value::text(b""));
        self.land(end);
        Ok(())
    }

    /// One side of a range in a condition: a number alone is a line's.
    fn edge(&mut self, expr: &Expr) -> Outcome {
        self.scalar(expr)?;
        if matches!(expr, Expr::Integer(_)) {
            self.emit(Op::AtLine);
        }
        Ok(())
    }

    fn call(&mut self, expr: &Expr, want: Want) -> Outcome {
        self.emit(Op::Mark);
        match expr {
            Expr::Call(name, operands, _) => {
                for operand in operands {
                    self.alias(operand)?;
                }
                let name = qualified(name, &self.package);
                self.emit(Op::Call(Arc::from(name), want));
            }
            Expr::CallOf(code, operands) => {
                for operand in operands {
                    self.alias(operand)?;
                }
                self.scalar(code)?;
                self.emit(Op::CallOf(want));
            }
            Expr::Method(object, name, operands) => {
                self.scalar(object)?;
                for operand in operands {
                    self.alias(operand)?;
                }
                self.emit(Op::Method(Arc::from(name.as_str()), want));
            }
            Expr::MethodOf(object, name, operands) => {
                self.scalar(object)?;
                for operand in operands {
                    self.alias(operand)?;
                }
                self.scalar(name)?;
                self.emit(Op::MethodOf(want));
            }
            _ => {}
        }
        Ok(())
    }

    fn pattern(&mut self, pattern: &Pattern, target: Option<&Expr>) -> Outcome {
        self.scalar(&pattern.text)?;
        match target {
            Some(target) => self.place(target),
            None => self.place(&Expr::Scalar("_".to_owned())),
        }
    }

    fn matching(&mut self, expr: &Expr, want: Want) -> Outcome {
        match expr {
            Expr::Match {
                target,
                pattern,
                negated,
            } => {
                self.pattern(pattern, target.as_deref())?;
                self.emit(Op::Match {
                    flags: Arc::from(pattern.flags.as_str()),
                    negated: *negated,
                    want,
                });
            }
            Expr::Substitute {
                target,
                pattern,
                with,
            } => {
                self.pattern(pattern, target.as_deref())?;
                self.emit(Op::SubstEnter(Arc::from(pattern.flags.as_str())));
                let top = self.here();
                let exit = self.jump(Op::SubstNext);
                self.scalar(with)?;
                if pattern.flags.matches('e').count() > 1 {
                    let view = self.view();
                    self.emit(Op::EvalText(view, Want::Scalar));
                }
                self.emit(Op::SubstTake);
                self.emit(Op::JumpBack(top));
                self.land(exit);
                self.emit(Op::SubstLeave);
            }
            Expr::Translate {
                target,
                from,
                to,
                flags,
            } => {
                match target {
                    Some(target) => self.place(target)?,
                    None => self.place(&Expr::Scalar("_".to_owned()))?,
                }
                let own = (from.clone(), to.clone(), flags.clone());
                self.emit(Op::Translate(Arc::new(own)));
            }
            _ => {}
        }
        Ok(())
    }

    fn sort(&mut self, by: Option<&Expr>, list: &Expr, want: Want) -> Outcome {
        self.emit(Op::Mark);
        self.expr(list, Want::List)?;
        let Some(by) = by else {
            self.emit(Op::Builtin("sort", want));
            return Ok(());
        };
        let (a, b) = (qualified("a", &self.package), qualified("b", &self.package));
        let (a, b) = (self.symbols.scalar(&a), self.symbols.scalar(&b));
        self.emit(Op::SortEnter(a, b));
        let top = self.here();
        let exit = self.jump(Op::SortNext);
        self.scalar(by)?;
        self.emit(Op::SortTake);
        self.emit(Op::JumpBack(top));
        self.land(exit);
        self.emit(Op::SortLeave(want));
        Ok(())
    }

    fn each(&mut self, keeps: bool, body: &Expr, list: &Expr, want: Want) -> Outcome {
        self.emit(Op::Mark);
        self.alias(list)?;
        self.emit(Op::MapEnter);
        let top = self.here();
        let exit = self.jump(Op::MapNext);
        if keeps {
            self.scalar(body)?;
        } else {
            self.emit(Op::Mark);
            self.expr(body, Want::List)?;
        }
        self.emit(Op::MapTake(keeps));
        self.emit(Op::JumpBack(top));
        self.land(exit);
        self.emit(Op::MapLeave(want));
        Ok(())
    }
}
