//! Named operators: what their operands are evaluated for.

use super::*;
use crate::text::perl::parse::SCALAR;

impl Compiler<'_> {
    /// What names a file: a bare word, or an expression.
    pub(super) fn handle(&mut self, expr: &Expr) -> Outcome {
        match expr {
            Expr::Handle(name) => {
                self.constant(Value::text(name.as_bytes()));
                Ok(())
            }
            Expr::Call(name, operands, false) if operands.is_empty() => {
                self.constant(Value::text(name.as_bytes()));
                Ok(())
            }
            Expr::Line(_, inner) if matches!(**inner, Expr::Call(..) | Expr::Handle(_)) => {
                self.handle(inner)
            }
            expr => self.scalar(expr),
        }
    }

    #[expect(
        clippy::too_many_lines,
        reason = "an arm for each operator with operands of its own"
    )]
    pub(super) fn builtin(&mut self, name: &'static str, operands: &[Expr], want: Want) -> Outcome {
        let first = operands.first();
        match name {
            "defined" => return self.defined(first),
            "scalar" => {
                return match first {
                    Some(first) => self.scalar(first),
                    None => self.variable("_"),
                };
            }
            "exists" | "delete" => return self.element_of(name == "delete", first, want),
            "push" | "unshift" | "splice" | "shift" | "pop" | "keys" | "values" | "each" => {
                return self.of_container(name, operands, want);
            }
            "undef" => return self.undefine(first),
            "chomp" | "chop" => {
                self.emit(Op::Mark);
                match first {
                    Some(Expr::Assign(None, left, _)) if Self::is_list(left) => {
                        if let Some(first) = first {
                            self.void(first)?;
                        }
                        self.redo_targets(left)?;
                    }
                    Some(first) => self.chomped(first)?,
                    None => self.place(&Expr::Scalar("_".to_owned()))?,
                }
                self.emit(Op::Builtin(name, want));
                return Ok(());
            }
            "split" => return self.split(operands, want),
            "wantarray" => {
                self.emit(Op::WantArray);
                return Ok(());
            }
            "eval" => {
                match first {
                    Some(first) => self.scalar(first)?,
                    None => self.variable("_")?,
                }
                let view = self.view();
                self.emit(Op::EvalText(view, want));
                return Ok(());
            }
            "pos" | "substr4" => {
                self.emit(Op::Mark);
                match first {
                    Some(first) => self.place(first)?,
                    None => self.place(&Expr::Scalar("_".to_owned()))?,
                }
                self.emit(Op::Builtin(name, want));
                return Ok(());
            }
            _ => {}
        }
        self.emit(Op::Mark);
        for (at, operand) in operands.iter().enumerate() {
            if at == 0 && PLACE_FIRST.contains(&name) {
                match operand {
                    Expr::Handle(_) | Expr::Glob(_) => self.handle(operand)?,
                    Expr::Line(_, inner) if matches!(**inner, Expr::Call(..) | Expr::Handle(_)) => {
                        self.handle(operand)?;
                    }
                    operand => self.place(operand)?,
                }
            } else if at == 1 && PLACE_SECOND.contains(&name) {
                match operand {
                    Expr::Handle(_) => self.handle(operand)?,
                    operand => self.place(operand)?,
                }
            } else if at == 0 && HANDLE_FIRST.contains(&name) {
                self.handle(operand)?;
            } else if name == "substr" && at == 0 && operands.len() == 4 {
                self.place(operand)?;
            } else if SCALARS.contains(&name)
                || operands.len() == 1 && (SCALAR.contains(&name) || ONE.contains(&name))
            {
                self.scalar(operand)?;
            } else {
                self.expr(operand, Want::List)?;
            }
        }
        self.emit(Op::Builtin(name, want));
        Ok(())
    }

    /// The variables of a declaration that was just made, again.
    fn redo_targets(&mut self, left: &Expr) -> Outcome {
        match left {
            Expr::My(places, ..) => {
                for place in places {
                    self.chomped(place)?;
                }
                Ok(())
            }
            other => self.chomped(other),
        }
    }

    fn chomped(&mut self, expr: &Expr) -> Outcome {
        match expr {
            Expr::Array(_) | Expr::Hash(_) => {
                self.container(expr, true)?;
                self.emit(Op::FlattenPlaces);
                Ok(())
            }
            Expr::List(items) => {
                for item in items {
                    self.chomped(item)?;
                }
                Ok(())
            }
            Expr::My(places, ..) if places.len() > 1 => {
                for place in places {
                    self.chomped(place)?;
                }
                Ok(())
            }
            other => self.place(other),
        }
    }

    fn defined(&mut self, operand: Option<&Expr>) -> Outcome {
        match operand {
            Some(Expr::Line(_, inner)) if matches!(**inner, Expr::Named(_)) => {
                return self.defined(Some(inner));
            }
            Some(Expr::Named(name)) => {
                let name = qualified(name, &self.package);
                self.emit(Op::Mark);
                self.constant(Value::text(name));
                self.emit(Op::Builtin("defined sub", Want::Scalar));
                return Ok(());
            }
            Some(Expr::Array(_) | Expr::Hash(_)) => {
                if let Some(expr) = operand {
                    self.scalar(expr)?;
                }
                self.emit(Op::Not);
                self.emit(Op::Not);
                return Ok(());
            }
            Some(operand) => self.scalar(operand)?,
            None => self.variable("_")?,
        }
        let yes = self.jump(Op::JumpDefined);
        self.constant(Value::truth(false));
        let end = self.jump(Op::Jump);
        self.land(yes);
        self.constant(Value::Int(1));
        self.land(end);
        Ok(())
    }

    fn element_of(&mut self, deletes: bool, operand: Option<&Expr>, want: Want) -> Outcome {
        match operand {
            Some(Expr::Line(_, inner)) => return self.element_of(deletes, Some(inner), want),
            Some(Expr::Key(base, key)) => {
                self.hash(base, true)?;
                self.scalar(key)?;
                self.emit(if deletes {
                    Op::Delete(true)
                } else {
                    Op::Exists(true)
                });
            }
            Some(Expr::Index(base, index)) => {
                self.array(base, true)?;
                self.scalar(index)?;
                self.emit(if deletes {
                    Op::Delete(false)
                } else {
                    Op::Exists(false)
                });
            }
            Some(Expr::KeySlice(base, keys)) if deletes => {
                if want == Want::Scalar {
                    self.emit(Op::Mark);
                }
                self.hash(base, true)?;
                self.emit(Op::Mark);
                self.expr(keys, Want::List)?;
                self.emit(Op::DeleteSlice);
                if want == Want::Scalar {
                    self.emit(Op::LastOf);
                }
            }
            Some(Expr::Local(inner)) => return self.element_of(deletes, Some(inner), want),
            Some(Expr::Named(_) | Expr::Call(..)) => return self.defined(operand),
            _ => {
                let words = if deletes {
                    "delete argument is not a HASH or ARRAY element or slice"
                } else {
                    "exists argument is not a HASH or ARRAY element or a subroutine"
                };
                return Err(Failure::Other(words.to_owned()));
            }
        }
        Ok(())
    }

    fn of_container(&mut self, name: &'static str, operands: &[Expr], want: Want) -> Outcome {
        self.emit(Op::Mark);
        match operands.first() {
            Some(first @ (Expr::Array(_) | Expr::Hash(_) | Expr::My(..))) => {
                self.container(first, true)?;
            }
            Some(Expr::Line(_, inner)) if matches!(**inner, Expr::Array(_) | Expr::Hash(_)) => {
                self.container(inner, true)?;
            }
            Some(_) => {
                return Err(Failure::Other(format!(
                    "Experimental {name} on scalar is now forbidden"
                )));
            }
            None if self.functions.len() > 1 => self.emit(Op::Args),
            None => {
                let at = self.symbols.array("ARGV");
                self.emit(Op::GlobalArray(at));
            }
        }
        for operand in operands.iter().skip(1) {
            self.expr(operand, Want::List)?;
        }
        self.emit(Op::Builtin(name, want));
        Ok(())
    }

    fn undefine(&mut self, operand: Option<&Expr>) -> Outcome {
        match operand {
            None => {}
            Some(expr @ (Expr::Array(_) | Expr::Hash(_))) => {
                self.emit(Op::Mark);
                self.container(expr, true)?;
                self.emit(Op::Builtin("undef", Want::Scalar));
                self.emit(Op::Pop);
            }
            Some(Expr::Named(_)) => {}
            Some(expr) => {
                self.constant(Value::Undef);
                self.place(expr)?;
                self.emit(Op::Assign);
                self.emit(Op::Pop);
            }
        }
        self.constant(Value::Undef);
        Ok(())
    }

    fn split(&mut self, operands: &[Expr], want: Want) -> Outcome {
        self.emit(Op::Mark);
        match operands.first() {
            Some(Expr::Match { pattern, .. }) => {
                self.scalar(&pattern.text)?;
                let flags = pattern.flags.clone();
                self.emit(Op::Compiled(flags));
            }
            Some(other) => self.scalar(other)?,
            None => self.constant(Value::text(b" ")),
        }
        match operands.get(1) {
            Some(text) => self.scalar(text)?,
            None => self.variable("_")?,
        }
        match operands.get(2) {
            Some(limit) => self.scalar(limit)?,
            None => self.constant(Value::Undef),
        }
        self.emit(Op::Builtin("split", want));
        Ok(())
    }
}

/// Operators whose first operand is given a file.
const PLACE_FIRST: &[&str] = &["open", "opendir", "sysopen", "socket", "accept", "pipe"];

/// Operators whose second operand is given what was read.
const PLACE_SECOND: &[&str] = &["read", "sysread", "recv", "accept", "pipe"];

/// Operators whose first operand is a file.
const HANDLE_FIRST: &[&str] = &[
    "close",
    "closedir",
    "eof",
    "fileno",
    "binmode",
    "readline",
    "readdir",
    "select",
    "sysread",
    "read",
    "syswrite",
    "recv",
    "send",
    "flock",
    "shutdown",
    "seek",
    "tell",
    "truncate",
    "connect",
    "bind",
    "listen",
    "setsockopt",
    "stat",
    "lstat",
    "rewinddir",
    "getpeername",
    "getsockname",
    "ioctl",
    "fcntl",
];

/// Operators all of whose operands are scalars.
const SCALARS: &[&str] = &[
    "substr",
    "index",
    "rindex",
    "atan2",
    "mkdir",
    "rename",
    "link",
    "symlink",
    "seek",
    "sysseek",
    "vec",
    "crypt",
    "bless",
    "sockaddr_in",
    "pack_sockaddr_in",
    "connect",
    "waitpid",
    "inet_aton",
    "inet_ntoa",
    "socket",
    "open_mode",
    "truncate",
    "select",
];

/// Operators beside [`SCALAR`] whose one operand is a scalar even among lists.
const ONE: &[&str] = &[
    "rand",
    "srand",
    "exit",
    "sleep",
    "localtime",
    "gmtime",
    "chdir",
    "glob",
    "require",
    "floor",
    "ceil",
    "getpwnam",
    "getpwuid",
    "getgrnam",
    "getgrgid",
    "gethostbyname",
    "getprotobyname",
    "caller",
    "umask",
    "alarm",
    "do",
    "chroot",
    "usleep",
    "lock",
    "blessed",
    "reftype",
];
