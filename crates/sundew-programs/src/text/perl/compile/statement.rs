//! Statements: blocks, conditions, loops, definitions.

use super::super::code::Jumps;
use super::super::parse;
use super::*;

/// The parts of a loop with a condition.
struct Loop<'a> {
    label: Option<&'a String>,
    condition: &'a Expr,
    body: &'a Block,
    step: Option<&'a Expr>,
    body_first: bool,
}

impl Compiler<'_> {
    /// A block in a scope of its own.
    pub(super) fn block(&mut self, block: &Block, want: Option<Want>) -> Outcome {
        self.deeper(|own| {
            let package = own.package.clone();
            let strict = own.strict;
            let outer = std::mem::take(&mut own.top().has_local);
            own.top().scopes.push(HashMap::new());
            let start = own.here();
            // Becomes the scope's beginning if the block says `local`.
            own.emit(Op::Jump(start + 1));
            let outcome = own.statements(block, want);
            own.top().scopes.pop();
            own.package = package;
            own.strict = strict;
            if std::mem::replace(&mut own.top().has_local, outer) {
                if let Some(op) = own.top().chunk.ops.get_mut(start) {
                    *op = Op::ScopeEnter;
                }
                own.emit(Op::ScopeLeave);
            }
            outcome
        })
    }

    /// A sub's body, whose scope is the sub's.
    pub(super) fn body(&mut self, block: &Block, want: Want) -> Outcome {
        self.deeper(|own| own.statements(block, Some(want)))
    }

    /// Statements; with `want`, the last one's value stays.
    fn statements(&mut self, block: &Block, want: Option<Want>) -> Outcome {
        for statement in block.iter() {
            // A sub is known before it is compiled, so that it can be called without parentheses.
            if let Kind::Use { name, off, .. } = &statement.kind
                && name == "strict"
            {
                self.strict = !*off;
            }
        }
        let count = block.len();
        for (at, statement) in block.iter().enumerate() {
            self.line = statement.line;
            let want = want.filter(|_| at + 1 == count);
            self.statement(statement, want)?;
        }
        if count == 0 && want == Some(Want::Scalar) {
            self.constant(Value::Undef);
        }
        Ok(())
    }

    fn statement(&mut self, statement: &Statement, want: Option<Want>) -> Outcome {
        let line = statement.line;
        match &statement.kind {
            Kind::Expr(expr) => {
                self.emit(Op::Line(line));
                match want {
                    Some(want) => return self.expr(expr, want),
                    None => return self.void(expr),
                }
            }
            Kind::If(arms, last) => {
                self.emit(Op::Line(line));
                return self.conditional(arms, last.as_ref(), want);
            }
            Kind::Block(label, body) => self.bare_block(label.as_ref(), body, want)?,
            Kind::While {
                label,
                condition,
                body,
                step,
                first,
                body_first,
            } => {
                self.emit(Op::Line(line));
                self.top().scopes.push(HashMap::new());
                if let Some(first) = first {
                    self.void(first)?;
                }
                let outcome = self.conditional_loop(&Loop {
                    label: label.as_ref(),
                    condition,
                    body,
                    step: step.as_ref(),
                    body_first: *body_first,
                });
                self.top().scopes.pop();
                outcome?;
            }
            Kind::Foreach { .. } => {
                self.emit(Op::Line(line));
                self.foreach(&statement.kind)?;
            }
            Kind::Sub(name, body) => self.definition(name, body)?,
            Kind::Begin(body) => self.block(body, None)?,
            Kind::End(body) => {
                let chunk = self.function(body)?;
                let at = self.add_sub(chunk);
                self.top().prologue.push(Op::DefineEnd(at));
            }
            Kind::Package(name, None) => self.package.clone_from(name),
            Kind::Package(name, Some(body)) => {
                let outer = std::mem::replace(&mut self.package, name.clone());
                let outcome = self.block(body, None);
                self.package = outer;
                outcome?;
            }
            Kind::Use {
                name,
                operands,
                off,
            } => self.module(name, operands, *off, line)?,
        }
        if want == Some(Want::Scalar) && !matches!(statement.kind, Kind::Block(..)) {
            self.constant(Value::Undef);
        }
        Ok(())
    }

    fn conditional(
        &mut self,
        arms: &[(Expr, Block)],
        last: Option<&Block>,
        want: Option<Want>,
    ) -> Outcome {
        self.top().scopes.push(HashMap::new());
        let mut ends = Vec::new();
        for (condition, body) in arms {
            self.scalar(condition)?;
            let over = self.jump(Op::JumpFalse);
            self.block(body, want)?;
            ends.push(self.jump(Op::Jump));
            self.land(over);
        }
        match last {
            Some(body) => self.block(body, want)?,
            None if want == Some(Want::Scalar) => self.constant(Value::Undef),
            None => {}
        }
        for end in ends {
            self.land(end);
        }
        self.top().scopes.pop();
        Ok(())
    }

    fn labelled(label: Option<&String>) -> Box<Jumps> {
        Box::new(Jumps {
            label: label.map(|name| Arc::from(name.as_str())),
            next: 0,
            last: 0,
            redo: 0,
        })
    }

    fn set_jumps(&mut self, at: usize, next: usize, last: usize, redo: usize) {
        if let Some(Op::LoopEnter(jumps) | Op::EachEnter(jumps, _) | Op::RangeEnter(jumps, _)) =
            self.top().chunk.ops.get_mut(at)
        {
            (jumps.next, jumps.last, jumps.redo) = (next, last, redo);
        }
    }

    /// A block is a loop that runs once.
    fn bare_block(&mut self, label: Option<&String>, body: &Block, want: Option<Want>) -> Outcome {
        let enter = self.here();
        self.emit(Op::LoopEnter(Self::labelled(label)));
        let start = self.here();
        self.block(body, want)?;
        let leave = self.here();
        self.emit(Op::LoopLeave);
        let end = self.here();
        self.set_jumps(enter, leave, end, start);
        Ok(())
    }

    fn conditional_loop(&mut self, own: &Loop<'_>) -> Outcome {
        let enter = self.here();
        self.emit(Op::LoopEnter(Self::labelled(own.label)));
        let skip = own.body_first.then(|| self.jump(Op::Jump));
        let top = self.here();
        self.scalar(own.condition)?;
        let exit = self.jump(Op::JumpFalse);
        if let Some(skip) = skip {
            self.land(skip);
        }
        let redo = self.here();
        self.block(own.body, None)?;
        let next = self.here();
        if let Some(step) = own.step {
            self.void(step)?;
        }
        self.emit(Op::JumpBack(top));
        self.land(exit);
        self.emit(Op::LoopLeave);
        let end = self.here();
        self.set_jumps(enter, next, end, redo);
        Ok(())
    }

    fn foreach(&mut self, kind: &Kind) -> Outcome {
        let Kind::Foreach {
            label,
            variable,
            own,
            list,
            body,
        } = kind
        else {
            return Ok(());
        };
        // The list is evaluated outside the variable's scope.
        let range = match list {
            Expr::Range(from, to) => Some((from, to)),
            Expr::List(items) => match items.as_slice() {
                [Expr::Range(from, to)] => Some((from, to)),
                _ => None,
            },
            _ => None,
        };
        match range {
            Some((from, to)) => {
                self.scalar(from)?;
                self.scalar(to)?;
            }
            None => {
                self.emit(Op::Mark);
                self.alias(list)?;
            }
        }
        self.top().scopes.push(HashMap::new());
        let key = format!("${variable}");
        let target = if *own {
            Target::Pad(self.declare(&key)?)
        } else {
            match self.lexical(&key) {
                Some(Var::Pad(pad)) => Target::Pad(pad),
                Some(Var::Our(name)) => Target::Global(self.symbols.scalar(&name)),
                None => {
                    let name = self.global_name('$', variable)?;
                    Target::Global(self.symbols.scalar(&name))
                }
            }
        };
        let enter = self.here();
        let jumps = Self::labelled(label.as_ref());
        self.emit(if range.is_some() {
            Op::RangeEnter(jumps, target)
        } else {
            Op::EachEnter(jumps, target)
        });
        let top = self.here();
        let exit = self.jump(Op::EachNext);
        let redo = self.here();
        self.block(body, None)?;
        self.emit(Op::JumpBack(top));
        self.land(exit);
        self.emit(Op::LoopLeave);
        let end = self.here();
        self.set_jumps(enter, top, end, redo);
        self.top().scopes.pop();
        Ok(())
    }

    pub(super) fn add_sub(&mut self, chunk: Arc<Chunk>) -> usize {
        let subs = &mut self.top().chunk.subs;
        subs.push(chunk);
        subs.len() - 1
    }

    fn definition(&mut self, name: &str, body: &Block) -> Outcome {
        let chunk = self.function(body)?;
        let at = self.add_sub(chunk);
        let name = qualified(name, &self.package);
        self.top().prologue.push(Op::DefineSub(name, at));
        Ok(())
    }

    fn module(&mut self, name: &str, operands: &[Expr], off: bool, line: usize) -> Outcome {
        match name {
            "strict" => self.strict = !off,
            "vars" => {
                for operand in operands {
                    let Expr::Text(text) = operand else { continue };
                    let text = String::from_utf8_lossy(text).into_owned();
                    let mut letters = text.chars();
                    letters.next();
                    let own = qualified(letters.as_str(), &self.package);
                    self.name(&text, Var::Our(own));
                }
            }
            "lib" | "parent" | "base" | "constant" if !off => {
                let builtin = match name {
                    "lib" => "use lib",
                    "constant" => "use constant",
                    _ => "use parent",
                };
                let mut ops = vec![
                    Op::Line(line),
                    Op::Mark,
                    Op::Const(Value::text(self.package.as_bytes())),
                ];
                let plain = |operand: &Expr| matches!(operand, Expr::Text(_) | Expr::Integer(_));
                if operands.iter().all(plain) {
                    // Done before anything runs, as what follows may need it.
                    for operand in operands {
                        ops.push(Op::Const(match operand {
                            Expr::Text(text) => Value::text(text.clone()),
                            Expr::Integer(number) => Value::Int(*number),
                            _ => Value::Undef,
                        }));
                    }
                    ops.extend([Op::Builtin(builtin, Want::Scalar), Op::Pop]);
                    self.top().prologue.extend(ops);
                    return Ok(());
                }
                for op in ops {
                    self.emit(op);
                }
                for operand in operands {
                    self.expr(operand, Want::List)?;
                }
                self.emit(Op::Builtin(builtin, Want::Scalar));
                self.emit(Op::Pop);
            }
            "IO" if operands.is_empty() && !off => {
                let words = format!(
                    "Parameterless \"use IO\" deprecated at {} line {line}.\n",
                    self.file
                );
                self.top().prologue.extend([
                    Op::Mark,
                    Op::Const(Value::text(words)),
                    Op::Builtin("warn", Want::Scalar),
                    Op::Pop,
                ]);
            }
            name if parse::is_known(name) || name.is_empty() => {}
            name => {
                // A file of the visitor's may be the module; it is read before anything runs.
                self.top().prologue.extend([
                    Op::Line(line),
                    Op::Mark,
                    Op::Const(Value::text(name.as_bytes())),
                    Op::Builtin("use", Want::Scalar),
                    Op::Pop,
                ]);
            }
        }
        Ok(())
    }
}
