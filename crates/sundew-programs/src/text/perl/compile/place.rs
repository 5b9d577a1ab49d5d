//! Places: variables, elements, and what stands for several of them.

use super::*;

impl Compiler<'_> {
    pub(super) fn variable(&mut self, name: &str) -> Outcome {
        if is_special(name) {
            self.emit(Op::Special(name.to_owned()));
            return Ok(());
        }
        let op = match self.lexical(&format!("${name}")) {
            Some(Var::Pad(pad)) => Op::Pad(pad),
            Some(Var::Our(name)) => Op::Global(self.symbols.scalar(&name)),
            None => {
                let name = self.global_name('$', name)?;
                Op::Global(self.symbols.scalar(&name))
            }
        };
        self.emit(op);
        Ok(())
    }

    fn named_array(&mut self, name: &str) -> Outcome {
        let op = match (name, self.lexical(&format!("@{name}"))) {
            ("_", _) => Op::Args,
            ("-", _) => Op::Offsets(false),
            ("+", _) => Op::Offsets(true),
            (_, Some(Var::Pad(pad))) => Op::PadArray(pad),
            (_, Some(Var::Our(name))) => Op::GlobalArray(self.symbols.array(&name)),
            (name, None) => {
                let name = self.global_name('@', name)?;
                Op::GlobalArray(self.symbols.array(&name))
            }
        };
        self.emit(op);
        Ok(())
    }

    fn named_hash(&mut self, name: &str) -> Outcome {
        let op = match (name, self.lexical(&format!("%{name}"))) {
            ("+", _) => Op::NamedGroups,
            (_, Some(Var::Pad(pad))) => Op::PadHash(pad),
            (_, Some(Var::Our(name))) => Op::GlobalHash(self.symbols.hash(&name)),
            (name, None) => {
                let name = self.global_name('%', name)?;
                Op::GlobalHash(self.symbols.hash(&name))
            }
        };
        self.emit(op);
        Ok(())
    }

    /// The array a base names; `made` lets one come into being behind an undefined reference.
    pub(super) fn array(&mut self, base: &Base, made: bool) -> Outcome {
        match base {
            Base::Named(name) => self.named_array(name),
            Base::Of(expr) => {
                self.behind(expr, made)?;
                self.emit(Op::AsArray);
                Ok(())
            }
        }
    }

    pub(super) fn hash(&mut self, base: &Base, made: bool) -> Outcome {
        match base {
            Base::Named(name) => self.named_hash(name),
            Base::Of(expr) => {
                self.behind(expr, made)?;
                self.emit(Op::AsHash);
                Ok(())
            }
        }
    }

    fn behind(&mut self, expr: &Expr, made: bool) -> Outcome {
        if made && is_place(expr) {
            self.place(expr)
        } else {
            self.scalar(expr)
        }
    }

    /// An array or hash, as a whole.
    pub(super) fn container(&mut self, expr: &Expr, made: bool) -> Outcome {
        match expr {
            Expr::Array(base) => self.array(base, made),
            Expr::Hash(base) => self.hash(base, made),
            Expr::My(places, _, scope) => {
                for place in places {
                    self.declare_one(place, *scope)?;
                }
                match places.first() {
                    Some(place) => self.container(place, made),
                    None => Ok(()),
                }
            }
            Expr::Local(_) => self.place(expr),
            Expr::Line(_, inner) => self.container(inner, made),
            _ => Err(Failure::Other(
                "Experimental push on scalar is now forbidden".to_owned(),
            )),
        }
    }

    /// The value of an element or behind a reference.
    pub(super) fn element(&mut self, expr: &Expr) -> Outcome {
        match expr {
            Expr::Index(base, index) => {
                self.array(base, true)?;
                self.scalar(index)?;
                self.emit(Op::Index);
            }
            Expr::Key(base, key) => {
                self.hash(base, true)?;
                self.key(key)?;
                self.emit(Op::Key);
            }
            Expr::Deref(inner) => {
                self.scalar(inner)?;
                self.emit(Op::DerefPlace);
                self.emit(Op::Load);
            }
            _ => {}
        }
        Ok(())
    }

    /// A key; several of them are one with `$;` between.
    pub(super) fn key(&mut self, key: &Expr) -> Outcome {
        match key {
            Expr::List(items) if items.len() > 1 => {
                self.emit(Op::Mark);
                let at = self.symbols.scalar(";");
                self.emit(Op::Global(at));
                for item in items {
                    self.expr(item, Want::List)?;
                }
                self.emit(Op::Builtin("join", Want::Scalar));
                Ok(())
            }
            key => self.scalar(key),
        }
    }

    pub(super) fn slice(&mut self, expr: &Expr, places: bool) -> Outcome {
        match expr {
            Expr::Slice(base, indices) => {
                self.array(base, true)?;
                self.emit(Op::Mark);
                self.expr(indices, Want::List)?;
                self.emit(Op::Slice(places));
            }
            Expr::KeySlice(base, keys) => {
                self.hash(base, true)?;
                self.emit(Op::Mark);
                self.expr(keys, Want::List)?;
                self.emit(Op::KeySlice(places));
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn declare_one(&mut self, place: &Expr, scope: Scope) -> Outcome {
        let (sigil, name) = match place {
            Expr::Scalar(name) => ('$', name),
            Expr::Array(Base::Named(name)) => ('@', name),
            Expr::Hash(Base::Named(name)) => ('%', name),
            _ => return Ok(()),
        };
        let key = format!("{sigil}{name}");
        match scope {
            Scope::Our => {
                let own = qualified(name, &self.package);
                self.name(&key, Var::Our(own));
            }
            Scope::My => {
                let pad = self.declare(&key)?;
                self.emit(Op::My(pad));
            }
            // Lives as long as the code around the sub does.
            Scope::State if self.functions.len() > 1 => {
                let own = self.functions.pop();
                let hidden = format!("{key} {}", self.here());
                let outcome = self.new_pad();
                if let (Ok(pad), Some(scope)) = (&outcome, self.top().scopes.first_mut()) {
                    scope.insert(hidden.clone(), Var::Pad(*pad));
                }
                self.functions.extend(own);
                outcome?;
                if let Some(var) = self.lexical(&hidden) {
                    self.name(&key, var);
                }
            }
            Scope::State => {
                self.declare(&key)?;
            }
        }
        Ok(())
    }

    pub(super) fn declaration(
        &mut self,
        places: &[Expr],
        parenthesis: bool,
        want: Want,
    ) -> Outcome {
        for place in places {
            self.declare_one(place, Scope::My)?;
        }
        if want == Want::Scalar {
            match places.first() {
                Some(place) if !parenthesis => self.scalar(place)?,
                _ => self.constant(Value::Undef),
            }
        } else {
            for place in places {
                self.expr(place, want)?;
            }
        }
        Ok(())
    }

    /// Where an assignment goes; a value that is no place gets one of its own.
    pub(super) fn place(&mut self, expr: &Expr) -> Outcome {
        self.deeper(|own| own.any_place(expr))
    }

    fn any_place(&mut self, expr: &Expr) -> Outcome {
        match expr {
            Expr::Scalar(name) if is_special(name) => {
                self.variable(name)?;
                self.emit(Op::Temp);
            }
            Expr::Scalar(name) => {
                self.variable(name)?;
                if let Some(op) = self.top().chunk.ops.last_mut() {
                    match op {
                        Op::Pad(pad) => *op = Op::PadPlace(*pad),
                        Op::Global(place) => *op = Op::GlobalPlace(*place),
                        _ => {}
                    }
                }
            }
            Expr::My(places, _, scope) => {
                for place in places {
                    self.declare_one(place, *scope)?;
                }
                match places.first() {
                    Some(place) => self.place(place)?,
                    None => self.constant(Value::Undef),
                }
            }
            Expr::Local(inner) => self.local(inner)?,
            Expr::Line(line, inner) => {
                self.line = *line;
                self.place(inner)?;
            }
            Expr::List(items) if items.len() == 1 => {
                for item in items {
                    self.place(item)?;
                }
            }
            Expr::Index(base, index) => {
                self.array(base, true)?;
                self.scalar(index)?;
                self.emit(Op::IndexPlace);
            }
            Expr::Key(base, key) => {
                self.hash(base, true)?;
                self.key(key)?;
                self.emit(Op::KeyPlace);
            }
            Expr::Deref(inner) => {
                self.behind(inner, true)?;
                self.emit(Op::DerefPlace);
            }
            Expr::Choice(condition, yes, no) => {
                self.scalar(condition)?;
                let over = self.jump(Op::JumpFalse);
                self.place(yes)?;
                let end = self.jump(Op::Jump);
                self.land(over);
                self.place(no)?;
                self.land(end);
            }
            Expr::Assign(operation, left, right) if !Self::is_list(left) => {
                self.assign_place(*operation, left, right)?;
            }
            Expr::Array(_) | Expr::Hash(_) => self.container(expr, true)?,
            other => {
                self.scalar(other)?;
                self.emit(Op::Temp);
            }
        }
        Ok(())
    }

    /// `local`: the old value comes back at the end of the block.
    fn local(&mut self, expr: &Expr) -> Outcome {
        self.top().has_local = true;
        match expr {
            Expr::Scalar(name) => {
                let name = qualified(name, &self.package);
                let at = self.symbols.scalar(&name);
                self.emit(Op::LocalScalar(at));
            }
            Expr::Array(Base::Named(name)) => {
                let name = qualified(name, &self.package);
                let at = self.symbols.array(&name);
                self.emit(Op::LocalArray(at));
            }
            Expr::Hash(Base::Named(name)) => {
                let name = qualified(name, &self.package);
                let at = self.symbols.hash(&name);
                self.emit(Op::LocalHash(at));
            }
            Expr::Key(base, key) => {
                self.hash(base, true)?;
                self.scalar(key)?;
                self.emit(Op::LocalKey);
            }
            Expr::Index(base, index) => {
                self.array(base, true)?;
                self.scalar(index)?;
                self.emit(Op::LocalIndex);
            }
            Expr::List(items) => {
                for item in items {
                    self.local(item)?;
                }
            }
            Expr::Line(_, inner) => self.local(inner)?,
            // `local *FH` is a handle of its own; names of handles are one table here.
            _ => {
                self.constant(Value::Undef);
                self.emit(Op::Temp);
            }
        }
        Ok(())
    }

    /// Places of a list, so that a loop or a sub can change what it is given.
    pub(super) fn alias(&mut self, expr: &Expr) -> Outcome {
        self.deeper(|own| match expr {
            Expr::Array(_) => {
                own.container(expr, false)?;
                own.emit(Op::FlattenPlaces);
                Ok(())
            }
            Expr::List(items) => {
                for item in items {
                    own.alias(item)?;
                }
                Ok(())
            }
            Expr::Slice(..) => own.slice(expr, true),
            Expr::Line(line, inner) => {
                own.line = *line;
                match &**inner {
                    Expr::Do("values", operands)
                        if matches!(operands.first(), Some(Expr::Hash(_))) =>
                    {
                        let Some(hash) = operands.first() else {
                            return Ok(());
                        };
                        own.container(hash, true)?;
                        own.emit(Op::FlattenPlaces);
                        Ok(())
                    }
                    _ => own.expr(expr, Want::List),
                }
            }
            Expr::Scalar(name) if !is_special(name) => own.place(expr),
            Expr::Deref(_) => own.place(expr),
            other => own.expr(other, Want::List),
        })
    }
}

/// Whether a reference could be made where there is none.
fn is_place(expr: &Expr) -> bool {
    match expr {
        Expr::Scalar(name) => !is_special(name),
        Expr::Index(..) | Expr::Key(..) | Expr::Deref(_) => true,
        Expr::My(places, false, _) => places.len() == 1,
        Expr::Line(_, inner) => is_place(inner),
        _ => false,
    }
}

/// Variables that are worked out when they are read.
pub(super) fn is_special(name: &str) -> bool {
    matches!(
        name,
        "&" | "`" | "'" | "+" | "$" | "<" | ">" | "(" | ")" | "]" | "." | "^O" | "^X" | "^T" | "^V"
    ) || name.starts_with(|letter: char| ('1'..='9').contains(&letter))
}
