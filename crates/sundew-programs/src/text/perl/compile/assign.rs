//! Assignment and references.

use super::*;

impl Compiler<'_> {
    /// Whether what stands on the left takes a list.
    pub(super) fn is_list(left: &Expr) -> bool {
        match left {
            Expr::My(places, parenthesis, _) => {
                *parenthesis || matches!(places.first(), Some(Expr::Array(_) | Expr::Hash(_)))
            }
            Expr::List(_)
            | Expr::Array(_)
            | Expr::Hash(_)
            | Expr::Slice(..)
            | Expr::KeySlice(..) => true,
            Expr::Local(inner) | Expr::Line(_, inner) => Self::is_list(inner),
            _ => false,
        }
    }

    pub(super) fn assign(
        &mut self,
        operation: Option<&'static str>,
        left: &Expr,
        right: &Expr,
        want: Want,
    ) -> Outcome {
        if operation.is_none() && Self::is_list(left) {
            self.emit(Op::Mark);
            self.expr(right, Want::List)?;
            self.emit(Op::Mark);
            self.targets(left)?;
            self.emit(Op::ListAssign(want));
            return Ok(());
        }
        match left {
            Expr::Array(_) => return self.assign_array(operation, left, right, want),
            Expr::LastIndex(base) => {
                self.scalar(right)?;
                self.emit(Op::Dup);
                self.array(base, true)?;
                self.emit(Op::SetLastIndex);
                return Ok(());
            }
            Expr::Line(_, inner) => {
                if let Expr::Do("substr", operands) = &**inner
                    && operation.is_none()
                {
                    return self.replace_part(operands, right);
                }
            }
            _ => {}
        }
        self.assign_place(operation, left, right)?;
        self.emit(Op::Load);
        Ok(())
    }

    /// `@a x= 3`, `push`-like assignments to a whole array.
    fn assign_array(
        &mut self,
        operation: Option<&'static str>,
        left: &Expr,
        right: &Expr,
        want: Want,
    ) -> Outcome {
        self.container(left, true)?;
        if operation == Some("x") {
            self.scalar(right)?;
            self.emit(Op::RepeatArray);
            return Ok(());
        }
        // `@a ||= …` and the like.
        self.emit(Op::Flatten(Want::Scalar));
        let make = if operation == Some("&&") {
            Op::AndJump as fn(usize) -> Op
        } else {
            Op::OrJump
        };
        let over = self.jump(make);
        self.assign(None, left, right, want)?;
        self.land(over);
        Ok(())
    }

    /// A scalar assignment; its place stays.
    pub(super) fn assign_place(
        &mut self,
        operation: Option<&'static str>,
        left: &Expr,
        right: &Expr,
    ) -> Outcome {
        match operation {
            None => {
                if let Expr::My(places, false, Scope::State) = left {
                    return self.assign_once(places, right);
                }
                self.scalar(right)?;
                self.place(left)?;
                self.emit(Op::Assign);
            }
            Some(sign @ ("||" | "&&" | "//")) => {
                self.place(left)?;
                self.emit(Op::Dup);
                self.emit(Op::Load);
                let over = self.jump(match sign {
                    "||" => Op::JumpTrue as fn(usize) -> Op,
                    "&&" => Op::JumpFalse,
                    _ => Op::JumpDefined,
                });
                self.scalar(right)?;
                self.emit(Op::Swap);
                self.emit(Op::Assign);
                self.land(over);
            }
            Some(sign) => {
                self.place(left)?;
                self.scalar(right)?;
                self.emit(Op::AssignWith(sign));
            }
        }
        Ok(())
    }

    /// `state $x = …`: the first time only.
    fn assign_once(&mut self, places: &[Expr], right: &Expr) -> Outcome {
        for place in places {
            self.declare_one(place, Scope::State)?;
        }
        let flag = Expr::Scalar(format!("once {}", self.here()));
        self.declare_one(&flag, Scope::State)?;
        let Some(place) = places.first() else {
            return Ok(());
        };
        self.scalar(&flag)?;
        let over = self.jump(Op::JumpTrue);
        self.constant(Value::Int(1));
        self.place(&flag)?;
        self.emit(Op::Assign);
        self.emit(Op::Pop);
        self.scalar(right)?;
        self.place(place)?;
        self.emit(Op::Assign);
        self.emit(Op::Pop);
        self.land(over);
        self.place(place)
    }

    /// Places and containers of a list on the left.
    fn targets(&mut self, left: &Expr) -> Outcome {
        self.deeper(|own| match left {
            Expr::My(places, _, scope) => {
                for place in places {
                    own.declare_one(place, *scope)?;
                }
                for place in places {
                    own.targets(place)?;
                }
                Ok(())
            }
            Expr::List(items) => {
                for item in items {
                    own.targets(item)?;
                }
                Ok(())
            }
            Expr::Array(_) | Expr::Hash(_) => own.container(left, true),
            Expr::Slice(..) | Expr::KeySlice(..) => own.slice(left, true),
            Expr::Line(_, inner) => own.targets(inner),
            Expr::Do("undef", operands) if operands.is_empty() => {
                own.constant(Value::Undef);
                Ok(())
            }
            other => own.place(other),
        })
    }

    /// `substr(…) = …`.
    fn replace_part(&mut self, operands: &[Expr], right: &Expr) -> Outcome {
        self.scalar(right)?;
        self.emit(Op::Mark);
        let mut operands = operands.iter();
        if let Some(place) = operands.next() {
            self.place(place)?;
        }
        let from = operands.next();
        match from {
            Some(from) => self.scalar(from)?,
            None => self.constant(Value::Int(0)),
        }
        match operands.next() {
            Some(length) => self.scalar(length)?,
            None => self.constant(Value::Int(i64::from(i32::MAX))),
        }
        self.emit(Op::Builtin("substr=", Want::Scalar));
        Ok(())
    }

    /// `\…`.
    pub(super) fn reference(&mut self, inner: &Expr) -> Outcome {
        match inner {
            Expr::Array(_) | Expr::Hash(_) => self.container(inner, true),
            Expr::My(places, parenthesis, _) if !parenthesis => {
                match places.first() {
                    Some(Expr::Array(_) | Expr::Hash(_)) => return self.container(inner, true),
                    _ => self.place(inner)?,
                }
                self.emit(Op::Ref);
                Ok(())
            }
            Expr::List(items) => {
                for item in items {
                    self.reference(item)?;
                }
                Ok(())
            }
            Expr::Named(name) => {
                let name = qualified(name, &self.package);
                self.emit(Op::NamedSub(name));
                Ok(())
            }
            Expr::Line(_, inner) if matches!(**inner, Expr::Named(_)) => self.reference(inner),
            Expr::Glob(name) => {
                self.emit(Op::Bareword(name.clone(), false));
                Ok(())
            }
            other => {
                self.place(other)?;
                self.emit(Op::Ref);
                Ok(())
            }
        }
    }
}
